/* Failovers that Sentinels run: one record for each attempt of each leader, by its own messages. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/failovers_private.h"

/* A reply of the leader that was under way when its failover ended or moved on. */
#define JUST_ENDED_MS 2000
#define STATE_LATE_MS 3000
/* A failover whose leader fell silent: each phase ends after failover-timeout at the latest. */
#define FAILOVER_TIMEOUT_DEFAULT_MS 180000
/* An operator's command is answered by +try-failover at once. */
#define ASKED_MS 10000

/* What a message of the leader begins. */
static const struct {
	enum event_kind kind;
	enum failover_phase phase;
	enum failover_step step; /* STEP_COUNT: none of its own */
} stages[] = {
	{ EVENT_TRY_FAILOVER, PHASE_TRY, STEP_TRY },
	{ EVENT_ELECTED_LEADER, PHASE_ELECTED, STEP_ELECTED },
	{ EVENT_FAILOVER_SELECT_SLAVE, PHASE_SELECT, STEP_COUNT },
	{ EVENT_SELECTED_SLAVE, PHASE_SELECTED, STEP_SELECTED },
	{ EVENT_FAILOVER_SEND_SLAVEOF_NOONE, PHASE_SELECTED, STEP_COUNT },
	{ EVENT_FAILOVER_WAIT_PROMOTION, PHASE_PROMOTION, STEP_PROMOTING },
	{ EVENT_PROMOTED_SLAVE, PHASE_RECONF, STEP_PROMOTED },
	{ EVENT_FAILOVER_RECONF_SLAVES, PHASE_RECONF, STEP_COUNT },
	{ EVENT_FAILOVER_END, PHASE_ENDED, STEP_ENDED },
	{ EVENT_ABORT_NOT_ELECTED, PHASE_ABORTED, STEP_ABORTED },
	{ EVENT_ABORT_NO_GOOD_SLAVE, PHASE_ABORTED, STEP_ABORTED },
	{ EVENT_ABORT_SLAVE_TIMEOUT, PHASE_ABORTED, STEP_ABORTED },
	{ EVENT_ABORT_MASTER_TIMEOUT, PHASE_ABORTED, STEP_ABORTED },
};
#define STAGE_COUNT (sizeof(stages) / sizeof(stages[0]))

/* What must have happened for a leader to be in that phase. */
static const enum failover_step begun[] = {
	[PHASE_TRY] = STEP_TRY,		  [PHASE_SELECT] = STEP_ELECTED,
	[PHASE_SELECTED] = STEP_SELECTED, [PHASE_PROMOTION] = STEP_PROMOTING,
	[PHASE_RECONF] = STEP_PROMOTED,
};

/* --- which record ------------------------------------------------------------------------------ */

static struct failover_record *open_of(const struct model *m, const struct group *g,
				       const struct node *leader)
{
	struct failover_record *f;
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++)
		if (!f->over && failover_is_of(m, f, g) &&
		    (leader == NULL || failover_same_node(m, f->leader_id, leader->id)))
			return f;
	return NULL;
}

/* One that our own command opened, before any Sentinel spoke. */
static struct failover_record *asked_for(const struct model *m, const struct group *g)
{
	struct failover_record *f;
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++)
		if (!f->over && f->leader_id == 0 && f->cause == CAUSE_REDOUBT &&
		    failover_is_of(m, f, g))
			return f;
	return NULL;
}

static void set_leader(struct failover_record *f, const struct node *sentinel)
{
	char text[ENDPOINT_TEXT_BYTES];
	f->leader_id = sentinel->id;
	text_format(f->leader, sizeof(f->leader), "%s", endpoint_format(&sentinel->addr, text));
}

/* Its view names the old master until the very end, and says whether an operator forced it. */
static enum failover_cause cause_of(const struct failover_record *f, const struct sentinel_view *v)
{
	if (v != NULL && v->facts.flags & SFLAG_FORCE_FAILOVER)
		return CAUSE_MANUAL;
	/* sentinel.c:sentinelStartFailoverIfNeeded wants O_DOWN; SENTINEL FAILOVER does not. */
	if (f->step_ms[STEP_ODOWN] != 0 || (v != NULL && v->facts.flags & SFLAG_O_DOWN))
		return CAUSE_CRASH;
	return CAUSE_MANUAL;
}

static struct failover_record *begin(struct model *m, struct group *g, const struct node *sentinel,
				     uint32_t old_master_id)
{
	struct failover_record *f = asked_for(m, g);
	if (f == NULL) {
		f = failover_open(m, g, old_master_id, CAUSE_UNKNOWN);
		f->cause = cause_of(f, group_view(g, sentinel->id));
	}
	set_leader(f, sentinel);
	return f;
}

/* Its own message is more exact than when the command was sent, or a reply came. */
static void forget_try(struct failover_record *f)
{
	f->step_ms[STEP_TRY] = f->step_last_ms[STEP_TRY] = 0;
	f->step_sources[STEP_TRY] = 0;
}

/* A reply showed that it was over before the message of its end came. */
static struct failover_record *just_over(const struct model *m, const struct group *g,
					 const struct node *sentinel)
{
	struct failover_record *f;
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++)
		if (f->over && failover_is_of(m, f, g) && m->now_ms - f->over_ms < JUST_ENDED_MS &&
		    failover_same_node(m, f->leader_id, sentinel->id)) {
			f->abort_reason[0] = '\0';
			return f;
		}
	return NULL;
}

/* The record that a message of a leader belongs to; a new one where there is none. */
static struct failover_record *record_for(struct model *m, struct group *g, const struct node *sentinel,
					  enum event_kind kind, uint32_t old_master_id)
{
	struct failover_record *f = open_of(m, g, sentinel);
	if (f == NULL && kind != EVENT_TRY_FAILOVER)
		f = just_over(m, g, sentinel);
	if (kind != EVENT_TRY_FAILOVER)
		return f != NULL ? f : begin(m, g, sentinel, old_master_id);
	if (f != NULL && f->step_ms[STEP_TRY] != 0 &&
	    (f->phase != PHASE_TRY || m->now_ms - f->step_ms[STEP_TRY] >= JUST_ENDED_MS)) {
		failover_finish(m, f, STEP_COUNT, "out-of-sight");
		f = NULL;
	}
	if (f == NULL)
		f = begin(m, g, sentinel, old_master_id);
	forget_try(f);
	return f;
}

/* --- a group's failover, as the screen and the polls see it --------------------------------------- */

static bool was_elected(const struct failover_record *f)
{
	return f->step_ms[STEP_ELECTED] != 0 || f->step_ms[STEP_PROMOTED] != 0;
}

/* Tried while the other, which was elected, ran: it says nothing of how that one went on. */
static bool is_rival_of(const struct failover_record *a, const struct failover_record *b)
{
	return !was_elected(a) && was_elected(b) && a->step_ms[STEP_TRY] != 0 &&
	       (!b->over || a->step_ms[STEP_TRY] <= b->over_ms) &&
	       (!a->over || b->step_ms[STEP_TRY] <= a->over_ms);
}

/* What runs goes before what is over; of two that try who tried first, else the later one. */
static bool stands_before(const struct failover_record *a, const struct failover_record *b)
{
	if (is_rival_of(a, b) || is_rival_of(b, a))
		return is_rival_of(b, a);
	if (a->over != b->over)
		return !a->over;
	if (!a->over && !was_elected(a) && !was_elected(b))
		return a->id < b->id;
	return a->id > b->id;
}

static const struct failover_record *shown_of(const struct model *m, const struct group *g)
{
	const struct failover_record *best = NULL, *f;
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++)
		if (failover_is_of(m, f, g) && f->phase != PHASE_NONE &&
		    (best == NULL || stands_before(f, best)))
			best = f;
	return best;
}

void failovers_show_in_group(struct model *m, struct group *g)
{
	const struct failover_record *f = shown_of(m, g);
	if (f == NULL)
		return;
	const struct failover was = g->failover;
	int64_t tried = f->step_ms[STEP_TRY];
	g->failover = (struct failover){ .phase = f->phase,
					 .started_ms = tried != 0 ? tried : f->phase_ms,
					 .phase_ms = f->phase_ms,
					 .ended_ms = f->over ? f->over_ms : 0,
					 .leader_id = f->leader_id,
					 .selected_id = f->new_master_id,
					 .role_master_ms = f->step_ms[STEP_ROLE_MASTER] };
	if (f->phase == PHASE_ABORTED)
		text_format(g->failover.abort_reason, sizeof(g->failover.abort_reason), "%s",
			    f->abort_reason);
	if (was.phase != f->phase || was.phase_ms != f->phase_ms || was.leader_id != f->leader_id ||
	    was.selected_id != f->new_master_id || was.ended_ms != g->failover.ended_ms)
		m->changed |= TOPIC_HEALTH;
}

static void set_phase(struct model *m, struct failover_record *f, enum failover_phase phase)
{
	f->phase = phase;
	f->phase_ms = m->now_ms;
}

static void end_unseen(struct model *m, struct failover_record *f, const char *reason)
{
	set_phase(m, f, PHASE_ENDED);
	failover_finish(m, f, STEP_COUNT, reason);
	struct group *g = (struct group *)model_group(m, f->group_id);
	if (g != NULL)
		failovers_show_in_group(m, g);
}

/* --- who names the new master -------------------------------------------------------------------- */

static bool names_new(const struct model *m, const struct failover_record *f, uint32_t sentinel_id)
{
	for (size_t i = 0; i < f->observer_count; i++)
		if (failover_same_node(m, f->observers[i].node_id, sentinel_id))
			return f->observers[i].switched_ms != 0;
	return false;
}

/* The last one that answers: who is out of reach can say nothing. */
static void judge_agreement(struct model *m, struct failover_record *f, const struct group *g)
{
	size_t named = 0;
	if (f->step_ms[STEP_SWITCHED] == 0 || f->step_ms[STEP_SWITCHED_ALL] != 0)
		return;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct node *n = node_get(m, g->views[i].sentinel_id);
		if (n == NULL || n->link.state != LINK_UP)
			continue;
		if (!names_new(m, f, n->id))
			return;
		named++;
	}
	if (named == 0)
		return;
	failover_note(m, f, STEP_SWITCHED_ALL, f->step_last_ms[STEP_SWITCHED]);
	f->step_sources[STEP_SWITCHED_ALL] = (uint16_t)named;
}

static bool another_promoted(const struct model *m, const struct group *g,
			     const struct failover_record *own)
{
	const struct failover_record *f;
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++)
		if (f != own && failover_is_of(m, f, g) && failover_is_live(m, f) &&
		    f->step_ms[STEP_PROMOTED] != 0 &&
		    failover_same_node(m, f->old_master_id, own->old_master_id))
			return true;
	return false;
}

/* It names the new master while it still led a failover of its own: another one's came first, and
 * its own is gone with the old configuration (sentinel.c:sentinelResetMasterAndChangeAddress). */
static void leave_own(struct model *m, struct group *g, const struct node *sentinel)
{
	struct failover_record *own = open_of(m, g, sentinel);
	if (own == NULL)
		return;
	if (own->step_ms[STEP_PROMOTED] != 0 || !another_promoted(m, g, own)) {
		set_phase(m, own, PHASE_ENDED);
		failover_finish(m, own, STEP_ENDED, NULL);
		return;
	}
	set_phase(m, own, PHASE_ABORTED);
	failover_finish(m, own, STEP_ABORTED, "superseded");
}

static void take_switch(struct model *m, struct group *g, const struct node *sentinel,
			const struct sentinel_message *msg)
{
	const struct node *old = node_by_addr(m, &msg->addr), *now = node_by_addr(m, &msg->new_master);
	struct failover_record *f;
	bool taken = false;
	leave_own(m, g, sentinel);
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++) {
		if (!failover_is_of(m, f, g) || !failover_is_live(m, f) || f->phase == PHASE_ABORTED)
			continue;
		if (now != NULL && f->new_master_id == 0 && old != NULL &&
		    failover_same_node(m, f->old_master_id, old->id))
			failover_set_new_master(m, f, now);
		if (now == NULL || !failover_same_node(m, f->new_master_id, now->id))
			continue;
		taken = true;
		failover_said(m, f, STEP_SWITCHED, sentinel->id, m->now_ms);
		judge_agreement(m, f, g);
	}
	if (taken || old == NULL || now == NULL || old == now)
		return;
	/* Nothing of it was heard before: its leader's messages do not reach us. */
	f = failover_open(m, g, old->id, CAUSE_UNKNOWN);
	failover_set_new_master(m, f, now);
	failover_said(m, f, STEP_SWITCHED, sentinel->id, m->now_ms);
	set_phase(m, f, PHASE_ENDED);
	failover_finish(m, f, STEP_COUNT, NULL);
	judge_agreement(m, f, g);
}

/* --- messages ------------------------------------------------------------------------------------ */

static void take_down(struct model *m, struct group *g, const struct node *sentinel,
		      enum event_kind kind, const struct sentinel_message *msg)
{
	const struct node *about = node_by_addr(m, &msg->addr);
	struct failover_record *f;
	if (about == NULL || strcmp(msg->instance_type, "master") != 0)
		return;
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++)
		if (!f->over && failover_is_of(m, f, g) &&
		    failover_same_node(m, f->old_master_id, about->id))
			failover_said(m, f, kind == EVENT_SDOWN ? STEP_SDOWN : STEP_ODOWN, sentinel->id,
				      m->now_ms);
}

static bool is_vote_for(const struct model *m, const struct failover_record *f, const char *run_id)
{
	const struct node *leader = node_get(m, f->leader_id);
	return leader != NULL && (leader->sentinel_id[0] == '\0' ||
				  strcmp(leader->sentinel_id, run_id) == 0);
}

/* "+vote-for-leader <run id> <epoch>" names no master: the leader votes for itself right after its
 * +try-failover, which tells the epoch; the others follow in that epoch. */
static void take_vote(struct model *m, const struct node *sentinel, const struct sentinel_message *msg)
{
	struct failover_record *f;
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++) {
		if (f->over || f->kind != KIND_SENTINEL || f->deployment_id != sentinel->deployment_id ||
		    f->leader_id == 0 || !is_vote_for(m, f, msg->run_id))
			continue;
		bool own = failover_same_node(m, f->leader_id, sentinel->id);
		if (own && f->epoch == FACT_UNKNOWN && f->phase == PHASE_TRY)
			f->epoch = msg->epoch;
		if (f->epoch == FACT_UNKNOWN || f->epoch != msg->epoch)
			continue;
		struct failover_observer *o = failover_observer(m, f, sentinel->id);
		if (o != NULL && o->voted_ms == 0)
			o->voted_ms = m->now_ms;
		return;
	}
}

static void choose_replica(struct model *m, struct failover_record *f, const struct sentinel_message *msg)
{
	const struct node *chosen = node_by_addr(m, &msg->addr);
	char text[ENDPOINT_TEXT_BYTES];
	f->new_master_id = 0;
	text_format(f->new_master, sizeof(f->new_master), "%s", endpoint_format(&msg->addr, text));
	if (chosen != NULL)
		failover_set_new_master(m, f, chosen);
}

static void take_reconfigured(struct model *m, struct group *g, const struct node *sentinel,
			      enum event_kind kind, const struct sentinel_message *msg)
{
	struct failover_record *f = open_of(m, g, sentinel);
	const struct node *about = node_by_addr(m, &msg->addr);
	struct failover_replica *r =
	    f != NULL && about != NULL ? failover_replica(m, f, about->id) : NULL;
	if (r == NULL)
		return;
	if (kind == EVENT_SLAVE_RECONF_SENT && r->sent_ms == 0)
		r->sent_ms = m->now_ms;
	if (kind == EVENT_SLAVE_RECONF_DONE)
		failover_replica_done(m, f, r);
}

static void take_stage(struct model *m, struct group *g, const struct node *sentinel, size_t stage,
		       const struct sentinel_message *msg)
{
	const struct node *old = node_by_addr(m, &msg->master);
	enum failover_phase phase = stages[stage].phase;
	enum event_kind kind = stages[stage].kind;
	struct failover_record *f =
	    record_for(m, g, sentinel, kind, old != NULL ? old->id : g->master_id);
	if (kind == EVENT_SELECTED_SLAVE) {
		choose_replica(m, f, msg);
		m->changed |= TOPIC_SELECTED;
	}
	if (kind == EVENT_PROMOTED_SLAVE && f->new_master_id == 0)
		choose_replica(m, f, msg);
	if (f->phase != phase)
		set_phase(m, f, phase);
	if (phase == PHASE_ABORTED)
		failover_finish(m, f, STEP_ABORTED, msg->channel);
	else if (phase == PHASE_ENDED)
		failover_finish(m, f, STEP_ENDED, NULL);
	else if (stages[stage].step != STEP_COUNT)
		failover_note(m, f, stages[stage].step, m->now_ms);
	else if (failover_begin_ms(f) == 0) /* nothing was heard of it before */
		failover_note(m, f, begun[phase], m->now_ms);
	deployment_get(m, g->deployment_id)->regroup = true;
}

void failovers_message(struct model *m, struct group *g, struct node *sentinel, enum event_kind kind,
		       const struct sentinel_message *msg)
{
	if (kind == EVENT_VOTE_FOR_LEADER)
		take_vote(m, sentinel, msg);
	if (g == NULL)
		return;
	if (kind == EVENT_SDOWN || kind == EVENT_ODOWN)
		take_down(m, g, sentinel, kind, msg);
	if (kind == EVENT_SLAVE_RECONF_SENT || kind == EVENT_SLAVE_RECONF_DONE)
		take_reconfigured(m, g, sentinel, kind, msg);
	if (kind == EVENT_SWITCH_MASTER)
		take_switch(m, g, sentinel, msg);
	if (kind == EVENT_FAILOVER_END_FOR_TIMEOUT) {
		struct failover_record *f = open_of(m, g, sentinel);
		if (f != NULL)
			text_format(f->abort_reason, sizeof(f->abort_reason), "%s", msg->channel);
	}
	for (size_t i = 0; i < STAGE_COUNT; i++)
		if (stages[i].kind == kind)
			take_stage(m, g, sentinel, i, msg);
	failovers_show_in_group(m, g);
}

/* --- replies ------------------------------------------------------------------------------------- */

/* Where its messages do not come, or not yet: each phase that its state shows began some time before. */
static void note_state(struct model *m, struct failover_record *f, const struct node *sentinel,
		       enum failover_phase phase)
{
	set_phase(m, f, phase);
	bool heard = sentinel->event_link.state == LINK_UP && failover_begin_ms(f) != 0;
	if (!heard && f->step_ms[begun[phase]] == 0)
		failover_note(m, f, begun[phase], m->now_ms);
}

static void phase_from_state(struct model *m, struct group *g, const struct node *sentinel,
			     enum failover_phase phase)
{
	struct failover_record *f = open_of(m, g, NULL);
	const struct failover *last = &g->failover;
	if (f == NULL && last->ended_ms != 0 && m->now_ms - last->ended_ms < JUST_ENDED_MS)
		return; /* just ended by its event; this reply was under way */
	if (f == NULL || (f->leader_id == 0 && f->cause == CAUSE_REDOUBT))
		f = begin(m, g, sentinel, g->master_id);
	if (!failover_same_node(m, f->leader_id, sentinel->id))
		f = open_of(m, g, sentinel);
	if (f == NULL || phase <= f->phase)
		return;
	note_state(m, f, sentinel, phase);
	failovers_show_in_group(m, g);
}

void failovers_leader_state(struct model *m, struct group *g, const struct node *sentinel,
			    const struct sentinel_instance *facts)
{
	static const struct {
		const char *state;
		enum failover_phase phase;
	} states[] = {
		{ "wait_start", PHASE_TRY },
		{ "select_slave", PHASE_SELECT },
		{ "send_slaveof_noone", PHASE_SELECTED },
		{ "wait_promotion", PHASE_PROMOTION },
		{ "reconf_slaves", PHASE_RECONF },
		{ "update_config", PHASE_RECONF },
	};
	struct failover_record *f;
	if (facts->flags & SFLAG_FAILOVER_IN_PROGRESS) {
		for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
			if (strcmp(states[i].state, facts->failover_state) == 0)
				phase_from_state(m, g, sentinel, states[i].phase);
		return;
	}
	/* One that we believe in but that its leader no longer runs ended unseen. */
	f = open_of(m, g, sentinel);
	if (f != NULL && m->now_ms - f->phase_ms >= STATE_LATE_MS)
		end_unseen(m, f, f->step_ms[STEP_PROMOTED] != 0 ? NULL : "out-of-sight");
}

/* The replica that a failover chose says master, in INFO or ROLE, whichever comes first. */
bool node_note_promotion(struct model *m, const struct node *n)
{
	struct failover_record *f;
	bool noted = false;
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++) {
		if (!failover_is_live(m, f) || f->kind != KIND_SENTINEL || f->phase == PHASE_ABORTED ||
		    f->step_ms[STEP_ROLE_MASTER] != 0 || f->deployment_id != n->deployment_id ||
		    !failover_same_node(m, f->new_master_id, n->id))
			continue;
		struct group *g = (struct group *)model_group(m, f->group_id);
		failover_note(m, f, STEP_ROLE_MASTER, m->now_ms);
		if (g != NULL)
			failovers_show_in_group(m, g);
		deployment_get(m, n->deployment_id)->regroup = noted = true;
	}
	return noted;
}

/* A Sentinel whose messages do not come names the new master in its replies all the same. */
void failover_sentinel_settle(struct model *m, struct failover_record *f, const struct node *n,
			      enum question q)
{
	const struct group *g = model_group(m, f->group_id);
	if (q != ASK_SENTINEL_MASTERS || g == NULL || f->phase == PHASE_ABORTED ||
	    f->new_master_id == 0 || f->step_ms[STEP_SWITCHED_ALL] != 0)
		return;
	const struct sentinel_view *v = group_view(g, n->id);
	const struct node *named = v != NULL ? node_by_addr(m, &v->facts.addr) : NULL;
	if (n->event_link.state != LINK_UP && named != NULL &&
	    failover_same_node(m, f->new_master_id, named->id))
		failover_said(m, f, STEP_SWITCHED, n->id, m->now_ms);
	judge_agreement(m, f, g);
}

void failover_sentinel_expire(struct model *m, struct failover_record *f)
{
	const struct group *g = model_group(m, f->group_id);
	const struct sentinel_view *best = g != NULL ? group_best_view(g) : NULL;
	const struct node *leader = node_get(m, f->leader_id);
	int64_t timeout_ms = best != NULL && best->facts.failover_timeout_ms > 0 ?
				 best->facts.failover_timeout_ms :
				 FAILOVER_TIMEOUT_DEFAULT_MS;
	if (f->phase == PHASE_NONE) {
		if (m->now_ms - f->step_ms[STEP_TRY] > ASKED_MS)
			failover_finish(m, f, STEP_ABORTED, "unknown");
		return;
	}
	bool silent = leader == NULL || leader->link.state != LINK_UP || g == NULL;
	if (silent && m->now_ms - f->phase_ms > timeout_ms)
		end_unseen(m, f, f->step_ms[STEP_PROMOTED] != 0 ? NULL : "out-of-sight");
}
