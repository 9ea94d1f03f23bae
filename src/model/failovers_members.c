/* Failovers without Sentinels: of a cluster's shard and of a plain set. Nobody announces them: they
 * show in what the nodes say of themselves and of each other. */
#include <string.h>

#include "base/text.h"
#include "model/failovers_private.h"

/* A shard whose master failed and that nobody takes over from. */
#define NO_PROMOTION_MS 600000
/* Who does not follow for so long after the promotion is another story. */
#define FOLLOW_MS 120000
/* Slots and roles are seen at different times: the same change of master is one failover. */
#define SAME_CHANGE_MS 60000

static struct failover_record *live_of(const struct model *m, uint32_t deployment_id, uint32_t old_id,
				       bool open_only)
{
	struct failover_record *f;
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++) {
		if (f->deployment_id != deployment_id)
			continue;
		/* It became master meanwhile: that it lost that before is another change. */
		if (failover_same_node(m, f->new_master_id, old_id))
			return NULL;
		if (failover_same_node(m, f->old_master_id, old_id) &&
		    (!f->over || (!open_only && m->now_ms - f->over_ms < SAME_CHANGE_MS &&
				  f->step_ms[STEP_ABORTED] == 0)))
			return f;
	}
	return NULL;
}

static bool is_lost(const struct node *n)
{
	return n->link.lost_ms != 0 || n->said_down;
}

static bool owns_slots(const struct deployment *d, uint32_t id)
{
	for (size_t i = 0; d->cluster != NULL && i < d->cluster->owner_count; i++)
		if (d->cluster->owners[i] == id)
			return true;
	return false;
}

/* Whom it follows by its own word: a shard that still lists it as a master says otherwise for a while. */
static struct node *named_by(const struct model *m, const struct node *n)
{
	return node_by_addr(m, &n->info.master);
}

/* --- who became master ---------------------------------------------------------------------------- */

/* Those that named it before it said so itself. Each is asked in turn: the next word of them would come
 * a turn later, and until then they would not seem to agree. */
static void take_echoes(struct model *m, struct failover_record *f, const struct cluster_member *cm)
{
	for (size_t i = 0; f->kind == KIND_CLUSTER && i < cm->echo_count; i++)
		failover_said(m, f, STEP_SWITCHED, cm->echoes[i].by, cm->echoes[i].at_ms);
}

static void take_promotion(struct model *m, struct failover_record *f, const struct node *now)
{
	if (f->over || failover_same_node(m, f->new_master_id, now->id))
		return;
	failover_set_new_master(m, f, now);
	if (now->member != NULL) {
		f->epoch = now->member->config_epoch;
		take_echoes(m, f, now->member);
	}
	/* It may have said so before anybody knew that the old one is none any more. */
	if (now->info_at_ms != 0 && now->info.role == ROLE_MASTER && now->role_ms != 0 &&
	    f->step_ms[STEP_ROLE_MASTER] == 0)
		failover_note(m, f, STEP_ROLE_MASTER, now->role_ms);
}

/* The old master's last word as one: where it stepped down by itself it was never lost. */
static void take_step_down(struct model *m, struct failover_record *f, int64_t last_master_ms)
{
	if (f->step_ms[STEP_LAST_REPLY] == 0 && last_master_ms != 0)
		failover_note(m, f, STEP_LAST_REPLY, last_master_ms);
}

static struct failover_record *obtain(struct model *m, struct group *g, struct node *old)
{
	struct failover_record *f = live_of(m, g->deployment_id, old->id, false);
	if (f != NULL)
		return f;
	f = failover_open(m, g, old->id, is_lost(old) ? CAUSE_CRASH : CAUSE_MANUAL);
	char text[ENDPOINT_TEXT_BYTES];
	text_format(f->name, sizeof(f->name), "%s", endpoint_format(&old->addr, text));
	if (old->member != NULL && old->member->pfail_since_ms != 0)
		failover_note(m, f, STEP_SDOWN, old->member->pfail_since_ms);
	if (old->member != NULL && old->member->fail_since_ms != 0)
		failover_note(m, f, STEP_ODOWN, old->member->fail_since_ms);
	return f;
}

void failover_members_master_changed(struct model *m, struct group *g, struct node *was, struct node *now)
{
	struct failover_record *f = live_of(m, g->deployment_id, now->id, false);
	/* The way back within one change: the map and the roles were not of one mind yet. */
	if (f != NULL && failover_same_node(m, f->new_master_id, was->id) && !f->over)
		return;
	f = obtain(m, g, was);
	take_promotion(m, f, now);
	if (!f->over && f->step_ms[STEP_PROMOTED] == 0)
		failover_note(m, f, STEP_PROMOTED, m->now_ms);
}

/* A node says another role of itself than before. */
void failover_members_cue(struct model *m, struct node *n)
{
	struct group *g = n != NULL ? (struct group *)model_group(m, n->group_id) : NULL;
	const struct deployment *d = g != NULL ? deployment_get(m, g->deployment_id) : NULL;
	if (d == NULL || d->kind == KIND_SENTINEL || n->is_sentinel)
		return;
	struct node *master = node_get(m, g->master_id);
	if (n->info.role == ROLE_REPLICA) {
		/* Stepped down, or left to another master of its own will: then nobody took over here. */
		struct node *up = named_by(m, n);
		struct failover_record *f = live_of(m, d->id, n->id, false);
		if (f == NULL && (up == NULL || up->deployment_id != d->id || master == NULL))
			return;
		if (f == NULL && !failover_same_node(m, g->led_by, n->id) && master != n)
			return;
		if (f == NULL)
			f = obtain(m, g, n);
		take_step_down(m, f, m->last_as_master_ms);
		if (up != NULL)
			take_promotion(m, f, up);
		return;
	}
	if (n->info.role != ROLE_MASTER || master == NULL || master == n)
		return;
	struct failover_record *f = live_of(m, d->id, master->id, true);
	/* In a plain set nobody else promotes when the master is gone; in a cluster the slots tell. */
	if (f == NULL && d->kind == KIND_REPLICATION && is_lost(master))
		f = obtain(m, g, master);
	if (f != NULL)
		take_promotion(m, f, n);
}

/* --- who failed ------------------------------------------------------------------------------------ */

static bool leads_a_shard(const struct model *m, const struct node *n)
{
	const struct group *g = model_group(m, n->group_id);
	const struct deployment *d = deployment_get(m, n->deployment_id);
	return g != NULL && d != NULL && d->kind == KIND_CLUSTER && g->member_count > 1 &&
	       failover_same_node(m, g->master_id, n->id) && owns_slots(d, n->id);
}

void failover_members_fail(struct model *m, enum event_kind kind, struct node *n)
{
	struct failover_record *f = live_of(m, n->deployment_id, n->id, true);
	if (kind == EVENT_NODE_FAIL && f == NULL && leads_a_shard(m, n))
		f = obtain(m, (struct group *)model_group(m, n->group_id), n);
	if (f == NULL || f->step_ms[STEP_ROLE_MASTER] != 0)
		return;
	if (kind == EVENT_NODE_FAIL)
		failover_note(m, f, STEP_ODOWN, m->now_ms);
	else if (kind == EVENT_NODE_PFAIL)
		failover_note(m, f, STEP_SDOWN, m->now_ms);
	else if (f->new_master_id == 0 && f->step_ms[STEP_ODOWN] != 0)
		failover_finish(m, f, STEP_ABORTED, "came-back");
	if (kind != EVENT_NODE_FAIL_OVER && f->cause == CAUSE_UNKNOWN)
		f->cause = CAUSE_CRASH;
}

/* --- who follows, who agrees ------------------------------------------------------------------------ */

static bool follows(const struct model *m, const struct failover_record *f, const struct node *n)
{
	const struct node *up = n->info.role == ROLE_REPLICA ? named_by(m, n) : NULL;
	return up != NULL && failover_same_node(m, up->id, f->new_master_id);
}

static void take_info(struct model *m, struct failover_record *f, const struct node *n)
{
	struct failover_replica *r = failover_replica(m, f, n->id);
	if (!follows(m, f, n))
		return;
	/* In a plain set whom a node follows is the only word that there is on who leads. */
	if (f->kind == KIND_REPLICATION)
		failover_said(m, f, STEP_SWITCHED, n->id, m->now_ms);
	if (r != NULL && n->info.master_link_up == 1)
		failover_replica_done(m, f, r);
}

/* One node's CLUSTER NODES: does it name the new master as the owner of slots? */
static void take_cluster_nodes(struct model *m, struct failover_record *f, const struct node *by,
			       const struct cluster_nodes_facts *facts)
{
	const struct node *now = node_get(m, f->new_master_id);
	if (now == NULL || now->id == by->id)
		return;
	for (size_t i = 0; i < facts->count; i++) {
		const struct cluster_node_line *line = &facts->lines[i];
		if (strcmp(line->id, now->cluster_id) != 0 || !(line->flags & CFLAG_MASTER) ||
		    line->slot_count == 0 || line->config_epoch < f->epoch)
			continue; /* or it knows it as the master of an earlier time */
		/* Its first word as a replica had its old master's epoch. */
		if (now->member != NULL && now->member->config_epoch > f->epoch)
			f->epoch = now->member->config_epoch;
		failover_said(m, f, STEP_SWITCHED, by->id, m->now_ms);
	}
}

/* By its own word: what another one says at its address is not taken for it. */
static bool can_say(const struct node *n)
{
	return n->link.state == LINK_UP && n->leads_to == 0;
}

static bool said_by(const struct model *m, const struct failover_record *f, uint32_t id)
{
	for (size_t i = 0; i < f->observer_count; i++)
		if (failover_same_node(m, f->observers[i].node_id, id))
			return f->observers[i].switched_ms != 0;
	return false;
}

bool failover_waits_for(const struct model *m, const struct node *n)
{
	const struct failover_record *f;
	if (n->leads_to != 0)
		return false;
	for (size_t age = 0; m->failovers_live > 0 && (f = failover_recent(m, age)) != NULL; age++)
		if (!f->over && f->deployment_id == n->deployment_id && f->kind == KIND_CLUSTER &&
		    f->new_master_id != 0 && f->step_ms[STEP_SWITCHED_ALL] == 0 &&
		    f->observer_count < FAILOVER_OBSERVERS_MAX &&
		    !failover_same_node(m, f->new_master_id, n->id) && !said_by(m, f, n->id))
			return true;
	return false;
}

/* Everybody that answers, or as many as are told apart, names the new master. */
static void judge_agreement(struct model *m, struct failover_record *f, const struct deployment *d)
{
	size_t named = 0;
	if (f->step_ms[STEP_SWITCHED] == 0 || f->step_ms[STEP_SWITCHED_ALL] != 0)
		return;
	for (size_t i = 0; i < d->member_count; i++) {
		const struct node *n = member_at(m, d, i);
		bool of_set = f->kind == KIND_CLUSTER || failover_replica(m, f, n->id) != NULL ||
			      failover_same_node(m, f->old_master_id, n->id);
		if (n->is_sentinel || !of_set || !can_say(n) ||
		    failover_same_node(m, f->new_master_id, n->id))
			continue;
		if (said_by(m, f, n->id))
			named++;
		else if (f->observer_count < FAILOVER_OBSERVERS_MAX)
			return;
	}
	if (named == 0)
		return;
	failover_note(m, f, STEP_SWITCHED_ALL, f->step_last_ms[STEP_SWITCHED]);
	f->step_sources[STEP_SWITCHED_ALL] = (uint16_t)named;
}

static bool all_follow(const struct model *m, const struct failover_record *f)
{
	for (size_t i = 0; i < f->replica_count; i++) {
		const struct node *n = node_get(m, f->replicas[i].node_id);
		if (n != NULL && can_say(n) && f->replicas[i].done_ms == 0 &&
		    !failover_same_node(m, n->id, f->new_master_id))
			return false;
	}
	const struct node *old = node_get(m, f->old_master_id);
	return old == NULL || !can_say(old) || f->demoted_ms != 0;
}

static void judge_end(struct model *m, struct failover_record *f, const struct deployment *d)
{
	judge_agreement(m, f, d);
	bool agreed = f->step_ms[STEP_SWITCHED_ALL] != 0;
	/* A lone master without anybody left who could agree. */
	bool nobody = f->step_ms[STEP_SWITCHED] == 0 && f->kind == KIND_REPLICATION &&
		      f->step_ms[STEP_LOST] != 0 && f->replica_total <= 1;
	if (!f->over && f->step_ms[STEP_ROLE_MASTER] != 0 && (agreed || nobody) && all_follow(m, f))
		failover_finish(m, f, STEP_ENDED, NULL);
}

void failover_members_settle(struct model *m, struct failover_record *f, const struct node *n,
			     const struct observation *obs)
{
	const struct deployment *d = deployment_get(m, f->deployment_id);
	if (d == NULL || f->over || n->leads_to != 0)
		return;
	if (obs->question == ASK_INFO && f->new_master_id == 0 &&
	    failover_same_node(m, f->old_master_id, n->id) && n->info.role == ROLE_REPLICA) {
		struct node *up = named_by(m, n);
		if (up != NULL && up->deployment_id == d->id)
			take_promotion(m, f, up);
	}
	if (f->new_master_id == 0)
		return;
	if (obs->question == ASK_INFO)
		take_info(m, f, n);
	if (obs->question == ASK_CLUSTER_NODES && f->kind == KIND_CLUSTER)
		take_cluster_nodes(m, f, n, obs->u.cluster_nodes);
	if (obs->question == ASK_INFO || obs->question == ASK_CLUSTER_NODES)
		judge_end(m, f, d);
}

void failover_members_expire(struct model *m, struct failover_record *f)
{
	int64_t begin = failover_begin_ms(f), promoted = f->step_ms[STEP_ROLE_MASTER];
	if (f->step_ms[STEP_PROMOTED] > promoted)
		promoted = f->step_ms[STEP_PROMOTED];
	if (promoted != 0 && m->now_ms - promoted > FOLLOW_MS)
		failover_finish(m, f, STEP_COUNT, "not-followed");
	else if (promoted == 0 && m->now_ms - begin > NO_PROMOTION_MS)
		failover_finish(m, f, STEP_ABORTED, "no-promotion");
}

/* --- redoubt's own action ---------------------------------------------------------------------------- */

static struct group *acted_on(struct model *m, const struct action_facts *a, const struct node *n)
{
	struct deployment *d = deployment_get(m, n->deployment_id);
	if (d == NULL)
		return NULL;
	return d->kind == KIND_SENTINEL ? group_find(d, a->subject)
					: (struct group *)model_group(m, n->group_id);
}

static struct failover_record *asked_of(const struct model *m, const struct group *g)
{
	struct failover_record *f;
	for (size_t age = 0; (f = failover_recent(m, age)) != NULL; age++)
		if (!f->over && f->cause == CAUSE_REDOUBT && f->group_id == g->id)
			return f;
	return NULL;
}

void failovers_action(struct model *m, const struct action_facts *a, const struct node *n)
{
	struct group *g = n != NULL ? acted_on(m, a, n) : NULL;
	if (g == NULL || strcmp(a->name, "failover") != 0)
		return;
	struct failover_record *f = asked_of(m, g);
	if (a->stage == ACTION_SENT && f == NULL) {
		const struct deployment *d = deployment_get(m, g->deployment_id);
		/* A shard that nobody took over by itself. */
		if (d->kind != KIND_SENTINEL)
			f = live_of(m, d->id, g->master_id, true);
		if (f == NULL)
			f = failover_open(m, g, g->master_id, CAUSE_REDOUBT);
		f->cause = CAUSE_REDOUBT;
		text_format(f->operator_name, sizeof(f->operator_name), "%s", a->operator_name);
		failover_note(m, f, STEP_TRY, m->now_ms);
		return;
	}
	/* What Sentinels began by then ends by their word. */
	if (f == NULL || (f->kind == KIND_SENTINEL && f->leader_id != 0))
		return;
	/* Nothing happened: the action's own event says so. */
	if (a->stage == ACTION_REFUSED && f == failover_recent(m, 0) && f->step_ms[STEP_ODOWN] == 0)
		failover_drop_newest(m, f);
	else if (a->stage == ACTION_REFUSED)
		failover_finish(m, f, STEP_ABORTED, "refused");
	else if (a->stage == ACTION_FAILED && f->new_master_id == 0)
		failover_finish(m, f, STEP_ABORTED, "failed");
	else if (a->stage == ACTION_UNKNOWN && f->new_master_id == 0)
		failover_finish(m, f, STEP_ABORTED, "unknown");
}
