/* Following a failover through Sentinels, to where the old master takes no writes any more. If the Sentinel
 * that was asked dies, what the others say is followed. */
#include <stdio.h>
#include <string.h>

#include "action/failover_private.h"
#include "base/units.h"
#include "model/stray.h"

/* sentinel.c: demoted after 8 s of grace and one INFO, 20 s at most; who is not by then is another story. */
#define DEMOTION_MAX_MS 60000
/* Who is demoted closes all connections, ours as well: that alone is no end. */
#define GONE_MS 5000

struct progress {
	const struct failover_record *record; /* NULL: nothing was heard of it */
	const struct node *master;            /* whom the group follows now */
	const struct node *old;
	bool promoted;                        /* another master, by its own word */
	size_t asked, naming;                 /* Sentinels */
	size_t replicas, attached;
	bool writes;                          /* the old master still takes them */
	bool undecided;                       /* so it may: it fell silent just now */
	struct stray_master stray;
};

/* Sentinels that name this node as master now, of those that answer. */
static size_t sentinels_naming(const struct model *m, const struct group *g, const struct node *master,
			       size_t *asked)
{
	size_t naming = 0;
	*asked = 0;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct node *n = model_node(m, g->views[i].sentinel_id);
		if (n == NULL || n->link.state != LINK_UP)
			continue;
		(*asked)++;
		const struct node *named = model_find_node(m, g->deployment_id, &g->views[i].facts.addr);
		naming += named != NULL && named == master;
	}
	return naming;
}

static void look(const struct action *a, const struct model *m, const struct group *g, int64_t now_ms,
		 struct progress *p)
{
	*p = (struct progress){ .record = failover_record_of(a, m, g),
				.master = model_node(m, g->master_id),
				.old = failover_old_master(a, m, g->deployment_id) };
	p->promoted = failover_is_another(a, p->master) &&
		      failover_says_master_since(p->master, a->sent_ms);
	p->naming = sentinels_naming(m, g, p->master, &p->asked);
	p->attached = failover_attached(a, m, g, p->master, &p->replicas);
	p->writes = p->promoted && failover_node_is_up(p->old) && p->old->info.role == ROLE_MASTER;
	p->undecided = p->promoted && p->old != NULL && !p->writes && p->old->info.role == ROLE_MASTER &&
		       now_ms - p->old->link.lost_ms < GONE_MS && p->old->link.lost_ms != 0;
	if (!stray_master_of(m, g, &p->stray))
		p->stray = (struct stray_master){ .bytes = FACT_UNKNOWN };
}

/* --- the lines ----------------------------------------------------------------------------------- */

static void say_writes(struct action *a, const struct progress *p, int64_t now_ms)
{
	char addr[ENDPOINT_TEXT_BYTES], age[UNITS_BYTES], text[UNITS_BYTES], bytes[40] = "";
	if (!p->writes)
		return;
	if (p->stray.bytes != FACT_UNKNOWN)
		snprintf(bytes, sizeof(bytes), " and %s", units_bytes(p->stray.bytes, text));
	sheet_line_add(&a->sheet, HEALTH_CRITICAL, "old master",
		       "%.60s still takes writes, which will be lost: %s%s so far; the Sentinels demote it "
		       "8 to 20 s after the promotion", endpoint_format(&p->old->addr, addr),
		       units_age(now_ms - a->promoted_ms, age), bytes);
}

static void say_old(struct action *a, const struct progress *p)
{
	const struct failover_record *f = p->record;
	char addr[ENDPOINT_TEXT_BYTES], took[UNITS_BYTES], bytes[UNITS_BYTES];
	if (!p->promoted || p->writes || p->old == NULL)
		return;
	endpoint_format(&p->old->addr, addr);
	if (!failover_node_is_up(p->old))
		sheet_line_add(&a->sheet, HEALTH_WARNING, "old master", "%.60s does not answer", addr);
	else if (f != NULL && f->demoted_ms != 0)
		sheet_line_add(&a->sheet, HEALTH_OK, "old master",
			       "%.60s was demoted %s after the promotion; written there meanwhile and lost: %s",
			       addr, units_duration(f->demoted_ms - a->promoted_ms, took),
			       units_bytes(f->stray_bytes, bytes));
	else
		sheet_line_add(&a->sheet, HEALTH_OK, "old master", "%.60s is a replica", addr);
}

static void say_master(struct action *a, const struct progress *p)
{
	char addr[ENDPOINT_TEXT_BYTES], took[UNITS_BYTES];
	if (p->promoted)
		sheet_line_add(&a->sheet, HEALTH_OK, "new master",
			       "%.60s is master by its own word, %s after the command",
			       endpoint_format(&p->master->addr, addr),
			       units_duration(a->promoted_ms - a->sent_ms, took));
}

static void say_sentinels(struct action *a, const struct model *m, const struct group *g,
			  const struct progress *p)
{
	const struct node *asked = model_node(m, a->target_ids[0]);
	char addr[ENDPOINT_TEXT_BYTES];
	if (p->promoted)
		sheet_line_add(&a->sheet, p->naming == p->asked ? HEALTH_OK : HEALTH_WARNING, "Sentinels",
			       "%zu of %zu that answer name it (%zu known)", p->naming, p->asked,
			       group_sentinels_known(m, g));
	if (asked != NULL && asked->link.state != LINK_UP)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "asked", "%.60s does not answer any more: the "
			       "others are followed", endpoint_format(&asked->addr, addr));
}

static void say_all(struct action *a, const struct model *m, const struct group *g,
		    const struct progress *p, int64_t now_ms)
{
	say_writes(a, p, now_ms);
	say_master(a, p);
	say_sentinels(a, m, g, p);
	if (p->promoted)
		failover_say_attached(a, m, g, p->master);
	say_old(a, p);
	failover_say_steps(a, p->record);
}

/* --- the end ------------------------------------------------------------------------------------- */

/* The leader died after it had promoted somebody and before it told the others: to them that is a replica
 * that went astray, and they put it back (sentinel.c:sentinelRefreshInstanceInfo, +convert-to-slave). */
static bool was_undone(const struct action *a, const struct model *m, const struct group *g,
		       const struct progress *p)
{
	const struct node *was = model_node(m, a->new_master_id);
	size_t asked, naming = sentinels_naming(m, g, p->old, &asked);
	return a->promoted_ms != 0 && !p->promoted && p->old != NULL && asked > 0 && naming == asked &&
	       failover_says_master_since(p->old, a->promoted_ms) && was != NULL &&
	       was->info_at_ms > a->promoted_ms && was->info.role == ROLE_REPLICA;
}

static void end_verified(struct action *a, const struct model *m, const struct group *g,
			 const struct progress *p)
{
	const struct failover_record *f = p->record;
	char addr[ENDPOINT_TEXT_BYTES], first[UNITS_BYTES], all[UNITS_BYTES], known[40] = "", old[120] = "",
		took[UNITS_BYTES], bytes[UNITS_BYTES];
	if (group_sentinels_known(m, g) > p->asked)
		snprintf(known, sizeof(known), " (%zu known)", group_sentinels_known(m, g));
	if (!failover_node_is_up(p->old))
		snprintf(old, sizeof(old), "; the old master does not answer");
	else if (f != NULL && f->demoted_ms != 0 && f->stray_bytes != FACT_UNKNOWN && f->stray_bytes > 0)
		snprintf(old, sizeof(old), "; old master demoted after %s, %s written there are lost",
			 units_duration(f->demoted_ms - a->sent_ms, took), units_bytes(f->stray_bytes, bytes));
	else if (f != NULL && f->demoted_ms != 0)
		snprintf(old, sizeof(old), "; old master demoted after %s",
			 units_duration(f->demoted_ms - a->sent_ms, took));
	action_end(a, p->writes ? ACTION_UNKNOWN : ACTION_VERIFIED,
		   "new master %.70s: by its own word after %s, %zu of %zu Sentinels that answer agree "
		   "after %s%s%s%s",
		   endpoint_format(&p->master->addr, addr), units_duration(a->promoted_ms - a->sent_ms, first),
		   p->naming, p->asked, units_duration(a->agreed_ms - a->sent_ms, all), known, old,
		   p->writes ? "; but the old master still takes writes, which will be lost" : "");
}

static void say_waiting(struct action *a, const struct group *g, const struct progress *p, int64_t now_ms)
{
	char phase[120], addr[ENDPOINT_TEXT_BYTES];
	if (!p->promoted) {
		group_failover_text(g, now_ms, phase, sizeof(phase));
		if (phase[0] != '\0')
			snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "accepted; %s", phase);
		return;
	}
	snprintf(a->sheet.outcome, sizeof(a->sheet.outcome),
		 "%.70s is master by its own word; %zu of %zu Sentinels agree so far%s",
		 endpoint_format(&p->master->addr, addr), p->naming, p->asked,
		 a->agreed_ms != 0 && (p->writes || p->undecided) ? "; waiting for the old master to be demoted" : "");
}

static bool is_aborted(const struct progress *p)
{
	return p->record != NULL && p->record->step_ms[STEP_ABORTED] != 0 &&
	       p->record->abort_reason[0] == '-' && p->record->step_ms[STEP_PROMOTED] == 0;
}

static void note_promotion(struct action *a, const struct progress *p, int64_t now_ms)
{
	int64_t said = p->record != NULL ? p->record->step_ms[STEP_ROLE_MASTER] : 0;
	if (!p->promoted || a->promoted_ms != 0)
		return;
	a->promoted_ms = said > a->sent_ms ? said : now_ms;
	a->new_master_id = p->master->id;
}

/* Each phase ends after failover-timeout; with the leader gone there are no more phases. */
static void shorten(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct node *asked = model_node(m, a->target_ids[0]);
	if (a->promoted_ms == 0 && asked != NULL && asked->link.lost_ms != 0 &&
	    now_ms - asked->link.lost_ms > FAILOVER_GRACE_MS &&
	    now_ms - a->sent_ms >= (a->deadline_ms + FAILOVER_GRACE_MS) / 2)
		a->deadline_ms = now_ms - a->sent_ms;
}

void failover_follow_sentinel(struct action *a, const struct model *m, const struct group *g,
			      int64_t now_ms)
{
	struct progress p;
	char addr[ENDPOINT_TEXT_BYTES];
	look(a, m, g, now_ms, &p);
	note_promotion(a, &p, now_ms);
	bool agreed = p.promoted && p.asked > 0 && p.naming == p.asked;
	if (agreed && a->agreed_ms == 0)
		a->agreed_ms = now_ms;
	say_all(a, m, g, &p, now_ms);
	say_waiting(a, g, &p, now_ms);
	shorten(a, m, now_ms);
	if (was_undone(a, m, g, &p)) {
		const struct node *was = model_node(m, a->new_master_id);
		action_end(a, ACTION_FAILED,
			   "undone: %.70s was master for a while, but the Sentinel died before it told the "
			   "others, which made it a replica again; what was written there is lost",
			   endpoint_format(&was->addr, addr));
		return;
	}
	if (!p.promoted && is_aborted(&p)) {
		action_end(a, ACTION_FAILED, "given up: %s (%s)", failover_abort_text(p.record->abort_reason),
			   p.record->abort_reason);
		return;
	}
	if (!agreed)
		return;
	/* It is over when its leader says so; and the old master must take no writes any more. */
	bool runs = p.record != NULL && !p.record->over;
	if (now_ms - a->agreed_ms < DEMOTION_MAX_MS && (runs || p.writes || p.undecided))
		return;
	end_verified(a, m, g, &p);
}
