/* The store of failover records, what all kinds of deployment share, and the hooks of the model. */
#include "model/failovers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/failovers_private.h"
#include "model/lag.h"
#include "model/stray.h"

/* How far back the words of an outage are looked for. */
#define LOOK_BACK_EVENTS 2048
/* A node that was out of our reach for longer was not lost in this outage. */
#define LOSS_BEFORE_MS 300000

static const struct {
	const char *name, *help;
} steps[] = {
#define X(id, name, help) [id] = { name, help },
	FAILOVER_STEPS(X)
#undef X
};

const char *failover_step_name(enum failover_step s)
{
	return (unsigned)s < STEP_COUNT ? steps[s].name : "?";
}

const char *failover_step_help(enum failover_step s)
{
	return (unsigned)s < STEP_COUNT ? steps[s].help : "";
}

const char *failover_step_label(enum deployment_kind kind, enum failover_step s)
{
	if (kind == KIND_SENTINEL)
		return failover_step_name(s);
	if (kind == KIND_CLUSTER && s == STEP_SDOWN)
		return "fail?";
	if (kind == KIND_CLUSTER && s == STEP_ODOWN)
		return "fail";
	if (s == STEP_PROMOTED)
		return kind == KIND_CLUSTER ? "slots moved" : "followed";
	return failover_step_name(s);
}

bool failover_end_is_unknown(const struct failover_record *f)
{
	return f->step_ms[STEP_ABORTED] != 0 && strcmp(f->abort_reason, "unknown") == 0;
}

const char *failover_step_words(const struct failover_record *f, enum failover_step s)
{
	if (s == STEP_TRY && f->cause == CAUSE_REDOUBT && f->leader_id == 0)
		return "asked for";
	if (s == STEP_ABORTED && failover_end_is_unknown(f))
		return "unknown";
	return failover_step_label(f->kind, s);
}

const char *failover_cause_name(enum failover_cause c)
{
	static const char *const names[] = { "unknown", "crash", "manual", "redoubt" };
	return (unsigned)c < sizeof(names) / sizeof(names[0]) ? names[c] : names[0];
}

const char *failover_abort_text(const char *reason)
{
	static const struct {
		const char *reason, *text;
	} reasons[] = {
		{ "-failover-abort-no-good-slave", "no replica can be promoted" },
		{ "-failover-abort-not-elected", "no majority of Sentinels elected this leader" },
		{ "-failover-abort-slave-timeout", "the chosen replica was not promoted in time" },
		{ "-failover-abort-master-timeout", "the master did not answer in time" },
		{ "+failover-end-for-timeout", "not every replica followed within failover-timeout" },
		{ "superseded", "another Sentinel's failover came first" },
		{ "came-back", "the old master came back before a replica took over" },
		{ "no-promotion", "no replica took over" },
		{ "not-followed", "not every node followed in time" },
		{ "out-of-sight", "its leader fell silent, or is no longer at it: its end was not seen" },
		{ "refused", "the server refused the command" },
		{ "failed", "nothing came of the command" },
		{ "unknown", "what came of the command is not known" },
	};
	if (reason[0] == '\0')
		return "";
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reasons[i].reason, reason) == 0)
			return reasons[i].text;
	return "for a reason that redoubt does not know";
}

/* --- the ring ---------------------------------------------------------------------------------- */

size_t model_failover_count(const struct model *m)
{
	return m->failover_count;
}

const struct failover_record *model_failover_at(const struct model *m, size_t index)
{
	if (index >= m->failover_count)
		return NULL;
	return &m->failovers[(m->failover_first + index) % FAILOVERS_MAX];
}

struct failover_record *failover_recent(const struct model *m, size_t age)
{
	if (age >= m->failover_count)
		return NULL;
	return &m->failovers[(m->failover_first + m->failover_count - 1 - age) % FAILOVERS_MAX];
}

static void release(struct failover_record *f)
{
	free(f->replicas);
	free(f->observers);
}

struct failover_record *failover_add(struct model *m)
{
	if (m->failover_count < FAILOVERS_MAX) {
		/* Before it is full the ring begins at 0: growing moves nothing. */
		size_t need = m->failover_count + 1;
		if (need > m->failover_cap)
			m->failovers = mem_grow(m->failovers, &m->failover_cap, need,
						sizeof(*m->failovers));
		m->failover_count++;
	} else {
		release(&m->failovers[m->failover_first]);
		m->failover_first = (m->failover_first + 1) % FAILOVERS_MAX;
	}
	struct failover_record *f = failover_recent(m, 0);
	memset(f, 0, sizeof(*f));
	return f;
}

void failovers_free(struct model *m)
{
	for (size_t i = 0; i < m->failover_count; i++)
		release(failover_recent(m, i));
	free(m->failovers);
}

void failover_drop_newest(struct model *m, struct failover_record *f)
{
	if (f != failover_recent(m, 0))
		return;
	release(f);
	m->failover_count--;
	if (m->failovers_live > m->failover_count)
		m->failovers_live = m->failover_count;
}

void failovers_redirect(struct model *m, uint32_t from_deployment, uint32_t to_deployment)
{
	struct failover_record *f;
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++)
		if (f->deployment_id == from_deployment)
			f->deployment_id = to_deployment;
}

/* --- reading ----------------------------------------------------------------------------------- */

int64_t failover_begin_ms(const struct failover_record *f)
{
	int64_t begin = 0;
	for (int i = 0; i < STEP_COUNT; i++)
		if (f->step_ms[i] != 0 && (begin == 0 || f->step_ms[i] < begin))
			begin = f->step_ms[i];
	return begin;
}

int64_t failover_end_ms(const struct failover_record *f)
{
	int64_t end = 0;
	for (int i = 0; i < STEP_COUNT; i++)
		if (f->step_ms[i] > end)
			end = f->step_ms[i];
	return end;
}

size_t failover_steps_in_order(const struct failover_record *f, enum failover_step out[STEP_COUNT])
{
	size_t count = 0;
	for (int i = 0; i < STEP_COUNT; i++) {
		if (f->step_ms[i] == 0)
			continue;
		size_t at = count++;
		for (; at > 0 && f->step_ms[out[at - 1]] > f->step_ms[i]; at--)
			out[at] = out[at - 1];
		out[at] = (enum failover_step)i;
	}
	return count;
}

int64_t failover_spread_ms(const struct failover_record *f, enum failover_step s)
{
	return f->step_ms[s] != 0 ? f->step_last_ms[s] - f->step_ms[s] : 0;
}

int64_t failover_unwritable_ms(const struct failover_record *f)
{
	int64_t from = f->step_ms[STEP_LAST_REPLY], to = f->step_ms[STEP_ROLE_MASTER];
	if (to == 0)
		return FACT_UNKNOWN;
	/* It answered as a master until after the promotion. */
	if (from == 0)
		return f->kind == KIND_SENTINEL && f->cause >= CAUSE_MANUAL ? 0 : FACT_UNKNOWN;
	return to > from ? to - from : 0;
}

int64_t failover_two_masters_ms(const struct failover_record *f, int64_t now_ms)
{
	int64_t from = f->step_ms[STEP_ROLE_MASTER];
	if (f->kind != KIND_SENTINEL || from == 0 || f->step_ms[STEP_LOST] != 0)
		return FACT_UNKNOWN;
	int64_t to = f->demoted_ms != 0 ? f->demoted_ms : now_ms;
	/* Nobody looked any longer. */
	if (f->demoted_ms == 0 && f->over && to > f->over_ms + FAILOVER_LATE_MS)
		to = f->over_ms + FAILOVER_LATE_MS;
	return to > from ? to - from : 0;
}

void failover_outcome_text(const struct failover_record *f, char *out, size_t size)
{
	const char *why = failover_abort_text(f->abort_reason);
	if (!f->over)
		text_format(out, size, "running");
	else if (failover_end_is_unknown(f))
		text_format(out, size, "unknown: it may have been carried out, or be yet");
	else if (f->step_ms[STEP_ABORTED] != 0)
		text_format(out, size, "given up: %s", why);
	else if (f->step_ms[STEP_ENDED] != 0)
		text_format(out, size, "ended, %s is master%s%s", f->new_master[0] != '\0' ? f->new_master : "?",
			    why[0] != '\0' ? ", but " : "", why);
	else if (f->step_ms[STEP_SWITCHED] != 0 || f->step_ms[STEP_ROLE_MASTER] != 0)
		text_format(out, size, "%s is master, its end was not seen%s%s", f->new_master,
			    why[0] != '\0' ? ": " : "", why);
	else
		text_format(out, size, "its end was not seen%s%s", why[0] != '\0' ? ": " : "", why);
}

/* --- what all kinds share ---------------------------------------------------------------------- */

bool failover_is_live(const struct model *m, const struct failover_record *f)
{
	return !f->over || m->now_ms - f->over_ms < FAILOVER_LATE_MS;
}

bool failover_same_node(const struct model *m, uint32_t a, uint32_t b)
{
	return a != 0 && b != 0 && (a == b || model_node_resolve(m, a) == model_node_resolve(m, b));
}

bool failover_is_of(const struct model *m, const struct failover_record *f, const struct group *g)
{
	(void)m;
	/* Groups of Sentinels go by name: two deployments that turn out to be one make them anew. */
	return f->group_id == g->id || (f->kind == KIND_SENTINEL &&
					f->deployment_id == g->deployment_id &&
					strcmp(f->name, g->name) == 0);
}

void failover_note(struct model *m, struct failover_record *f, enum failover_step step, int64_t at_ms)
{
	if (f->step_ms[step] == 0 || at_ms < f->step_ms[step])
		f->step_ms[step] = at_ms;
	if (at_ms > f->step_last_ms[step])
		f->step_last_ms[step] = at_ms;
	if (f->step_sources[step] < UINT16_MAX)
		f->step_sources[step]++;
	f->wall_ms = m->wall_ms - (m->now_ms - failover_begin_ms(f));
}

struct failover_observer *failover_observer_add(struct failover_record *f)
{
	size_t bytes = (f->observer_count + 1) * sizeof(*f->observers);
	f->observers = mem_realloc(f->observers, bytes);
	return memset(&f->observers[f->observer_count++], 0, sizeof(*f->observers));
}

struct failover_replica *failover_replica_add(struct failover_record *f)
{
	size_t bytes = (f->replica_count + 1) * sizeof(*f->replicas);
	f->replicas = mem_realloc(f->replicas, bytes);
	return memset(&f->replicas[f->replica_count++], 0, sizeof(*f->replicas));
}

struct failover_observer *failover_observer(const struct model *m, struct failover_record *f,
					    uint32_t node_id)
{
	for (size_t i = 0; i < f->observer_count; i++)
		if (failover_same_node(m, f->observers[i].node_id, node_id))
			return &f->observers[i];
	if (node_id == 0 || f->observer_count == FAILOVER_OBSERVERS_MAX)
		return NULL;
	struct failover_observer *o = failover_observer_add(f);
	o->node_id = node_id;
	return o;
}

void failover_said(struct model *m, struct failover_record *f, enum failover_step step, uint32_t by,
		   int64_t at_ms)
{
	struct failover_observer *o = failover_observer(m, f, by);
	if (o == NULL)
		return;
	int64_t *said = step == STEP_SDOWN ? &o->sdown_ms :
			step == STEP_ODOWN ? &o->odown_ms :
					     &o->switched_ms;
	if (*said != 0)
		return;
	*said = at_ms;
	failover_note(m, f, step, at_ms);
}

struct failover_replica *failover_replica(const struct model *m, struct failover_record *f,
					  uint32_t node_id)
{
	for (size_t i = 0; i < f->replica_count; i++)
		if (failover_same_node(m, f->replicas[i].node_id, node_id))
			return &f->replicas[i];
	return NULL;
}

void failover_replica_done(struct model *m, struct failover_record *f, struct failover_replica *r)
{
	if (r->done_ms != 0)
		return;
	r->done_ms = m->now_ms;
	/* The last one counts, not the first. */
	f->step_ms[STEP_RECONFIGURED] = 0;
	failover_note(m, f, STEP_RECONFIGURED, m->now_ms);
}

static void name_node(const struct node *n, char *out)
{
	char text[ENDPOINT_TEXT_BYTES];
	if (n != NULL)
		text_format(out, FAILOVER_ADDR_BYTES, "%s", endpoint_format(&n->addr, text));
}

void failover_set_new_master(const struct model *m, struct failover_record *f, const struct node *n)
{
	(void)m;
	f->new_master_id = n->id;
	name_node(n, f->new_master);
}

void failover_finish(struct model *m, struct failover_record *f, enum failover_step step,
		     const char *reason)
{
	if (step != STEP_COUNT)
		failover_note(m, f, step, m->now_ms);
	if (reason != NULL)
		text_format(f->abort_reason, sizeof(f->abort_reason), "%s", reason);
	f->over = true;
	f->over_ms = m->now_ms;
	m->changed |= TOPIC_HEALTH | TOPIC_EVENTS;
}

/* --- a new record ------------------------------------------------------------------------------ */

static void snapshot_replica(const struct model *m, struct failover_record *f, const struct node *n)
{
	f->replica_total++;
	if (f->replica_count == FAILOVER_REPLICAS_MAX)
		return;
	struct failover_replica *r = failover_replica_add(f);
	bool said = n->info_at_ms != 0 && n->info.role == ROLE_REPLICA;
	r->node_id = n->id;
	name_node(n, r->addr);
	r->reachable = n->link.state == LINK_UP;
	r->offset = said ? n->info.slave_repl_offset : FACT_UNKNOWN;
	r->lag_bytes = n->lag_at_ms != 0 ? n->lag_now_bytes : FACT_UNKNOWN;
	r->link_up = said && n->info.master_link_up != FACT_UNKNOWN ? n->info.master_link_up == 1 : -1;
	/* By now its link is down because the master is: before is what the master said last. */
	const struct node *old = node_get(m, f->old_master_id);
	if (old != NULL && old->link.lost_ms != 0 && old->info_at_ms != 0)
		r->link_up = n->lag_at_ms == 0 ? -1 :
						 n->lag_at_ms == old->info_at_ms &&
						     n->lag_now_bytes != FACT_UNKNOWN;
}

static void snapshot_group(const struct model *m, struct failover_record *f, const struct group *g)
{
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = node_get(m, g->member_ids[i]);
		if (n != NULL && !failover_same_node(m, n->id, f->old_master_id))
			snapshot_replica(m, f, n);
	}
}

/* True when the event ends the look back: what was before is another story. */
static bool take_word(struct model *m, struct failover_record *f, const struct event *e)
{
	bool about_master = strncmp(e->detail, "replica", 7) != 0;
	if (e->kind == EVENT_SWITCH_MASTER)
		return true;
	if (!failover_same_node(m, e->node_id, f->old_master_id) || !about_master)
		return false;
	if (e->kind == EVENT_SDOWN_OVER)
		return true;
	if (e->kind != EVENT_SDOWN && e->kind != EVENT_ODOWN)
		return false;
	for (size_t i = 0; i < e->source_count; i++) {
		const struct node *by = node_by_key(m, "", e->sources[i].addr);
		failover_said(m, f, e->kind == EVENT_SDOWN ? STEP_SDOWN : STEP_ODOWN,
			      by != NULL ? by->id : 0, e->sources[i].mono_ms);
	}
	f->first_seq = e->seq;
	return false;
}

/* The Sentinels' words of this outage, which came before anybody tried anything. */
static void take_outage(struct model *m, struct failover_record *f)
{
	size_t count = event_log_count(m->events);
	for (size_t back = 1; back <= count && back <= LOOK_BACK_EVENTS; back++) {
		const struct event *e = event_log_at(m->events, count - back);
		if (e->group_id == f->group_id && take_word(m, f, e))
			return;
	}
}

static void take_loss(struct model *m, struct failover_record *f, const struct node *old)
{
	int64_t since = f->step_ms[STEP_SDOWN] != 0 ? f->step_ms[STEP_SDOWN] : m->now_ms;
	if (old->link.lost_ms == 0 || since - old->link.lost_ms > LOSS_BEFORE_MS)
		return;
	failover_note(m, f, STEP_LOST, old->link.lost_ms);
	if (old->link.last_reply_ms != 0)
		failover_note(m, f, STEP_LAST_REPLY, old->link.last_reply_ms);
}

struct failover_record *failover_open(struct model *m, const struct group *g, uint32_t old_master_id,
				      enum failover_cause cause)
{
	const struct deployment *d = deployment_get(m, g->deployment_id);
	const struct node *old = node_get(m, old_master_id);
	struct failover_record *f = failover_add(m);
	f->id = ++m->last_failover_id;
	f->deployment_id = g->deployment_id;
	f->group_id = g->id;
	f->kind = d != NULL ? d->kind : KIND_UNKNOWN;
	f->cause = cause;
	f->epoch = f->old_offset = f->stray_bytes = f->client_lost = FACT_UNKNOWN;
	f->wall_ms = m->wall_ms;
	text_format(f->name, sizeof(f->name), "%s", g->name);
	if (old != NULL) {
		f->old_master_id = old->id;
		f->old_offset = old->info_at_ms != 0 ? old->info.master_repl_offset : FACT_UNKNOWN;
		name_node(old, f->old_master);
	}
	snapshot_group(m, f, g);
	if (f->kind == KIND_SENTINEL && old != NULL)
		take_outage(m, f);
	if (old != NULL)
		take_loss(m, f, old);
	/* Of a full ring the oldest went, which may have been a live one. */
	if (m->failovers_live < m->failover_count)
		m->failovers_live++;
	failovers_client(m, g);
	return f;
}

/* --- hooks ------------------------------------------------------------------------------------- */

static void note_seq(struct failover_record *f, uint64_t seq)
{
	if (f->first_seq == 0)
		f->first_seq = seq;
	f->last_seq = seq;
}

/* redoubt lost the old master: before somebody else said that he is master, that is part of it. */
static void note_loss(struct model *m, struct failover_record *f, const struct node *n)
{
	if (f->over || !failover_same_node(m, f->old_master_id, n->id) ||
	    f->step_ms[STEP_ROLE_MASTER] != 0 || f->step_ms[STEP_LOST] != 0)
		return;
	failover_note(m, f, STEP_LOST, m->now_ms);
	if (n->link.last_reply_ms != 0)
		failover_note(m, f, STEP_LAST_REPLY, n->link.last_reply_ms);
}

void failovers_event(struct model *m, const struct event_args *args, uint64_t seq)
{
	struct node *n = node_get(m, args->node_id);
	struct failover_record *f;
	if (args->kind == EVENT_OWN_ROLE_CHANGED && n != NULL) {
		m->role_changed_id = n->id;
		/* Its facts are still those of before. */
		m->last_as_master_ms = n->info.role == ROLE_MASTER ? n->info_at_ms : 0;
	}
	if (n != NULL && (args->kind == EVENT_NODE_FAIL || args->kind == EVENT_NODE_PFAIL ||
			  args->kind == EVENT_NODE_FAIL_OVER))
		failover_members_fail(m, args->kind, n);
	for (size_t age = 0; m->failovers_live > 0 && (f = failover_recent(m, age)) != NULL; age++) {
		if (!failover_is_live(m, f) || f->deployment_id != args->deployment_id)
			continue;
		if (args->group_id != 0 ? f->group_id == args->group_id :
					  n != NULL && failover_same_node(m, n->id, f->new_master_id))
			note_seq(f, seq);
		if (args->kind == EVENT_LINK_LOST && n != NULL)
			note_loss(m, f, n);
	}
}

/* Whoever leads a group now without that anybody spoke of a failover. */
void failovers_master_changed(struct model *m, struct group *g)
{
	struct deployment *d = deployment_get(m, g->deployment_id);
	struct node *was = node_get(m, g->led_by), *now = node_get(m, g->master_id);
	/* Whoever never said so of itself, or not yet, is only the best guess. */
	if (now == NULL || now->info_at_ms == 0 || now->info.role != ROLE_MASTER)
		return;
	g->led_by = now->id;
	if (was == NULL || was == now || d->complete_ms == 0)
		return;
	/* With Sentinels their words decide; who leads may go back and forth while they disagree. */
	if (d->kind != KIND_SENTINEL)
		failover_members_master_changed(m, g, was, now);
}

/* What was written to the old master after the new one began a history of its own. */
static void settle_stray(struct model *m, struct failover_record *f)
{
	const struct node *old = node_get(m, f->old_master_id), *now = node_get(m, f->new_master_id);
	if (f->kind != KIND_SENTINEL || old == NULL || now == NULL || f->demoted_ms != 0 ||
	    f->step_ms[STEP_ROLE_MASTER] == 0 || old->info_at_ms < f->step_ms[STEP_ROLE_MASTER] ||
	    old->info.role != ROLE_MASTER)
		return;
	int64_t bytes = stray_bytes(old, now);
	if (bytes > f->stray_bytes)
		f->stray_bytes = bytes;
}

/* What only the new and the old master can say of themselves. */
static void settle_roles(struct model *m, struct failover_record *f, const struct node *n)
{
	if (n->info_at_ms != m->now_ms || n->is_sentinel)
		return;
	if (n->info.role == ROLE_MASTER && failover_same_node(m, f->new_master_id, n->id) &&
	    f->step_ms[STEP_ROLE_MASTER] == 0 && !f->over)
		failover_note(m, f, STEP_ROLE_MASTER, m->now_ms);
	if (n->info.role == ROLE_REPLICA && failover_same_node(m, f->old_master_id, n->id) &&
	    f->step_ms[STEP_ROLE_MASTER] != 0 && f->demoted_ms == 0)
		f->demoted_ms = m->now_ms;
	settle_stray(m, f);
}

void failovers_settle(struct model *m, const struct observation *obs)
{
	struct node *n = node_get(m, obs->node_id);
	struct failover_record *f;
	if (m->role_changed_id != 0)
		failover_members_cue(m, node_get(m, m->role_changed_id));
	m->role_changed_id = 0;
	if (m->failovers_live == 0 || n == NULL || obs->answer != ANSWER_OK)
		return;
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++) {
		if (f->deployment_id != n->deployment_id || !failover_is_live(m, f))
			continue;
		if (obs->question == ASK_INFO)
			settle_roles(m, f, n);
		if (f->kind == KIND_SENTINEL)
			failover_sentinel_settle(m, f, n, obs->question);
		else
			failover_members_settle(m, f, n, obs);
	}
}

void failovers_expire(struct model *m)
{
	struct failover_record *f;
	m->failovers_live = 0;
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++) {
		if (!f->over && f->kind == KIND_SENTINEL)
			failover_sentinel_expire(m, f);
		else if (!f->over)
			failover_members_expire(m, f);
		m->failovers_live += failover_is_live(m, f);
	}
}
