/* Following a failover without Sentinels: of a cluster's shard, and of a plain set. */
#include <stdio.h>
#include <string.h>

#include "action/failover_private.h"
#include "base/units.h"
#include "model/slots.h"

static void say_master(struct action *a, const struct node *n, const char *words)
{
	char addr[ENDPOINT_TEXT_BYTES], took[UNITS_BYTES];
	sheet_line_add(&a->sheet, HEALTH_OK, "new master", "%.60s is master by its own word, %s after the "
		       "command%s", endpoint_format(&n->addr, addr),
		       units_duration(a->promoted_ms - a->sent_ms, took), words);
}

static void say_old(struct action *a, const struct node *old, const struct node *now, bool follows)
{
	char addr[ENDPOINT_TEXT_BYTES];
	if (old == NULL)
		return;
	endpoint_format(&old->addr, addr);
	(void)now;
	if (!failover_node_is_up(old))
		sheet_line_add(&a->sheet, HEALTH_WARNING, "old master", "%.60s does not answer", addr);
	else if (follows)
		sheet_line_add(&a->sheet, HEALTH_OK, "old master", "%.60s follows the new one", addr);
	else
		sheet_line_add(&a->sheet, old->info.role == ROLE_MASTER ? HEALTH_CRITICAL : HEALTH_WARNING,
			       "old master", "%.60s %s", addr,
			       old->info.role == ROLE_MASTER ? "still says master" :
							       "follows another one still");
}

/* --- cluster ----------------------------------------------------------------------------------- */

static size_t nodes_at_epoch(const struct model *m, uint32_t deployment_id, int64_t epoch, size_t *asked)
{
	size_t cursor = 0, reached = 0;
	const struct node *n;
	*asked = 0;
	while ((n = model_next_member(m, deployment_id, &cursor)) != NULL) {
		if (n->link.state != LINK_UP || n->cluster_info_at_ms == 0)
			continue;
		(*asked)++;
		reached += n->cluster_info.current_epoch >= epoch;
	}
	return reached;
}

static bool old_follows(const struct action *a, const struct model *m, uint32_t deployment_id,
			const struct node *old, const struct node *n)
{
	return failover_node_is_up(old) && old->info_at_ms > a->sent_ms && old->info.role == ROLE_REPLICA &&
	       model_find_node(m, deployment_id, &old->info.master) == n;
}

/* That it knows the epoch says nothing of the slots: somebody else must list the new master with
 * them, or the old one follow it by its own word. NULL: nobody yet. */
static const struct node *seconder(const struct action *a, const struct model *m,
				   const struct deployment *d, const struct node *n)
{
	const struct node *old = failover_old_master(a, m, d->id);
	if (old_follows(a, m, d->id, old, n))
		return old;
	const struct node *by = n->member != NULL ? model_node(m, n->member->seconded_by) : NULL;
	return by != NULL && by != n && n->member->seconded_ms > a->sent_ms ? by : NULL;
}

/* The majority held the old master for failed, and to us it has not said a word since: it cannot have handed
 * over. cluster.c:clusterHandleSlaveFailover then is the automatic one, whatever was asked for. */
static bool did_without(const struct action *a, const struct failover_record *f, const struct node *old)
{
	if (a->form != FORM_USUAL)
		return false;
	if (f != NULL && f->step_ms[STEP_ODOWN] != 0 && f->step_ms[STEP_ODOWN] <= a->promoted_ms)
		return true;
	return old != NULL && old->member != NULL && old->member->flags & CFLAG_FAIL &&
	       old->link.last_reply_ms <= a->sent_ms;
}

static void say_unconsented(struct action *a)
{
	char text[UNITS_BYTES], bytes[40] = "how much is not known";
	if (!a->unconsented)
		return;
	if (a->risk_bytes != FACT_UNKNOWN)
		snprintf(bytes, sizeof(bytes), "up to %s", units_bytes(a->risk_bytes, text));
	sheet_line_add(&a->sheet, HEALTH_CRITICAL, "consent",
		       "did not happen: the old master was held for failed and paused no writes; the cluster failed "
		       "over by itself, and what was not replicated is lost: %s", bytes);
}

static void say_cluster(struct action *a, const struct node *seconds, size_t slots, size_t reached,
			size_t asked, int64_t epoch)
{
	char by[ENDPOINT_TEXT_BYTES];
	sheet_line_add(&a->sheet, slots > 0 ? HEALTH_OK : HEALTH_WARNING, "slots", "%zu%s%.60s%s", slots,
		       seconds != NULL ? ", " : ", nobody else says so yet",
		       seconds != NULL ? endpoint_format(&seconds->addr, by) : "",
		       seconds != NULL ? " says so too" : "");
	sheet_line_add(&a->sheet, reached == asked ? HEALTH_OK : HEALTH_WARNING, "nodes",
		       "%zu of %zu that answer know epoch %lld", reached, asked, (long long)epoch);
}

void failover_follow_cluster(struct action *a, const struct model *m, const struct deployment *d,
			     const struct group *g, int64_t now_ms)
{
	const struct node *n = model_node(m, a->candidate_id);
	const struct failover_record *f = g != NULL ? failover_record_of(a, m, g) : NULL;
	char addr[ENDPOINT_TEXT_BYTES], by[ENDPOINT_TEXT_BYTES], first[UNITS_BYTES], all[UNITS_BYTES];
	size_t asked, reached;
	if (!action_bound_is(&a->candidate, n) || !failover_says_master_since(n, a->sent_ms)) {
		failover_say_steps(a, f);
		return;
	}
	if (a->promoted_ms == 0)
		a->promoted_ms = now_ms;
	a->new_master_id = n->id;
	const struct node *old = failover_old_master(a, m, d->id), *seconds = seconder(a, m, d, n);
	size_t slots = slot_count_of(d, n->id);
	int64_t epoch = n->member != NULL ? n->member->config_epoch : 0;
	reached = nodes_at_epoch(m, d->id, epoch, &asked);
	a->unconsented = a->unconsented || did_without(a, f, old);
	say_unconsented(a);
	say_master(a, n, "");
	say_cluster(a, seconds, slots, reached, asked, epoch);
	if (g != NULL)
		failover_say_attached(a, m, g, n);
	say_old(a, old, n, old_follows(a, m, d->id, old, n));
	failover_say_steps(a, f);
	snprintf(a->sheet.outcome, sizeof(a->sheet.outcome),
		 "%.70s is master by its own word; %zu of %zu nodes know its epoch",
		 endpoint_format(&n->addr, addr), epoch > a->epoch ? reached : 0, asked);
	if (n->member == NULL || epoch <= a->epoch || slots == 0 || reached < asked || seconds == NULL)
		return;
	action_end(a, a->unconsented ? ACTION_FAILED : ACTION_VERIFIED,
		   "%s%.70s is master by its own word after %s; %.50s says so too: %zu slots; %zu of %zu nodes "
		   "know epoch %lld after %s",
		   a->unconsented ? "without the old master's consent, by the cluster itself: " : "", addr, units_duration(a->promoted_ms - a->sent_ms, first),
		   endpoint_format(&seconds->addr, by), slots, reached, asked, (long long)epoch,
		   units_duration(now_ms - a->sent_ms, all));
}

/* --- plain replication --------------------------------------------------------------------------- */

static void say_pause(struct action *a, const struct node *old, int64_t now_ms)
{
	char took[UNITS_BYTES];
	if (!failover_node_is_up(old) || old->info_at_ms <= a->sent_ms)
		return;
	if (strcmp(old->info.failover_state, "waiting-for-sync") == 0)
		snprintf(a->sheet.outcome, sizeof(a->sheet.outcome),
			 "accepted; writes are paused for %s until the replica has everything",
			 units_duration(now_ms - a->sent_ms, took));
	else if (strcmp(old->info.failover_state, "failover-in-progress") == 0)
		snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "accepted; the master hands over");
}

void failover_follow_plain(struct action *a, const struct model *m, const struct group *g, int64_t now_ms)
{
	const struct node *old = failover_old_master(a, m, g->deployment_id);
	const struct node *now = model_node(m, g->master_id);
	char addr[ENDPOINT_TEXT_BYTES], took[UNITS_BYTES];
	bool promoted = failover_is_another(a, now) && failover_says_master_since(now, a->sent_ms);
	bool follows = promoted && old_follows(a, m, g->deployment_id, old, now);
	say_pause(a, old, now_ms);
	if (promoted) {
		/* Who follows nobody yet may still fall back: that is no promotion to hold on to. */
		if (a->promoted_ms == 0)
			a->promoted_ms = now_ms;
		say_master(a, now, "");
		failover_say_attached(a, m, g, now);
		say_old(a, old, now, follows);
	}
	failover_say_steps(a, failover_record_of(a, m, g));
	if (follows) {
		action_end(a, ACTION_VERIFIED,
			   "new master %.70s by its own word, the old master follows it; after %s",
			   endpoint_format(&now->addr, addr), units_duration(now_ms - a->sent_ms, took));
		return;
	}
	/* The master gave up by itself: it says master, and no failover is on any more. */
	if (now_ms - a->sent_ms > FAILOVER_PLAIN_TIMEOUT_MS && failover_node_is_up(old) &&
	    old->info.role == ROLE_MASTER && old->info_at_ms - a->sent_ms > FAILOVER_PLAIN_TIMEOUT_MS &&
	    strcmp(old->info.failover_state, "no-failover") == 0)
		action_end(a, ACTION_FAILED,
			   "given up by the master: no replica caught up within 10 s; it is master as before");
}
