/* The store as a whole: its life, time, and the one way in. */
#include "model/model.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/model_private.h"

/* A member counts as gone when the others were listed again this much later without it. */
#define LEAVE_AFTER_MS 30000
#define PLAIN_LEAVE_AFTER_MS 3600000
#define SWEEP_EVERY_MS 1000

struct model *model_new(size_t event_capacity)
{
	struct model *m = mem_alloc(sizeof(*m));
	m->events = event_log_new(event_capacity);
	m->leave_after_ms = LEAVE_AFTER_MS;
	m->alerts = ALERTS_DEFAULT;
	return m;
}

void model_set_alerts(struct model *m, const struct alerts *alerts)
{
	m->alerts = *alerts;
}

const struct alerts *model_alerts(const struct model *m)
{
	return &m->alerts;
}

void model_set_interval(struct model *m, int64_t interval_ms)
{
	m->leave_after_ms = 3 * interval_ms > LEAVE_AFTER_MS ? 3 * interval_ms : LEAVE_AFTER_MS;
}

void model_free(struct model *m)
{
	if (m == NULL)
		return;
	struct node_key *key, *next;
	HASH_ITER(hh, m->keys, key, next) {
		HASH_DEL(m->keys, key);
		free(key);
	}
	lost_addrs_free(m);
	for (size_t i = 0; i < m->node_count; i++) {
		if (m->nodes[i] != NULL)
			node_release(m->nodes[i]);
		free(m->nodes[i]);
	}
	for (size_t i = 0; i < m->deployment_count; i++) {
		deployment_release(m, m->deployments[i]);
		free(m->deployments[i]->member_ids);
		free(m->deployments[i]);
	}
	free(m->nodes);
	free(m->forwards);
	free(m->dead);
	free(m->deployments);
	event_log_free(m->events);
	failovers_free(m);
	free(m);
}

/* --- time ------------------------------------------------------------------------------------ */

/* A node that nobody lists any more has left; targets stay, since the operator named them. */
static bool has_left(const struct model *m, const struct deployment *d, const struct node *n)
{
	/* A plain set has no list but its master's, which drops a replica the moment it dies: who still
	 * answers is worth seeing, and who crashed more so. */
	bool plain = d->kind == KIND_REPLICATION;
	int64_t patience_ms = plain ? PLAIN_LEAVE_AFTER_MS : m->leave_after_ms;
	return !n->is_target && d->listed_ms - n->claimed_ms > patience_ms &&
	       !(plain && n->link.state == LINK_UP);
}

static void sweep(struct model *m, struct deployment *d)
{
	size_t i = 0;
	while (i < d->member_count) {
		struct node *n = member_at(m, d, i);
		if (!has_left(m, d, n)) {
			if (n->refusal_count > 0)
				node_expire_refusals(m, n);
			i++;
			continue;
		}
		model_node_event(m, EVENT_NODE_LEFT, n, "nobody lists it any more");
		m->scope = d->profile;
		node_remove(m, n);
	}
}

static void expire_all(struct model *m)
{
	for (size_t i = 0; i < m->deployment_count; i++) {
		struct deployment *d = m->deployments[i];
		if (d->gone)
			continue;
		m->scope = d->profile;
		sweep(m, d);
		for (size_t k = 0; k < d->group_count; k++) {
			group_expire(m, d->groups[k]);
			if (d->judge)
				group_judge_agreement(m, d->groups[k]);
		}
		if (d->judge && d->kind == KIND_CLUSTER)
			cluster_judge_agreement(m, d);
		d->judge = false;
		deployment_look_for_loners(m, d);
	}
}

static void regroup_all(struct model *m)
{
	for (size_t i = 0; i < m->deployment_count; i++) {
		struct deployment *d = m->deployments[i];
		if (d->gone || !d->regroup)
			continue;
		d->regroup = false;
		deployment_regroup(m, d);
		m->changed |= TOPIC_TOPOLOGY;
	}
}

unsigned model_tick(struct model *m, int64_t now_ms, int64_t wall_ms)
{
	m->changed = 0;
	m->change++;
	m->now_ms = now_ms;
	m->wall_ms = wall_ms;
	if (now_ms - m->swept_ms >= SWEEP_EVERY_MS) {
		m->swept_ms = now_ms;
		expire_all(m);
		if (m->failovers_live > 0)
			failovers_expire(m);
	}
	regroup_all(m);
	nodes_free_dead(m);
	m->change++; /* what was looked at meanwhile was half of it */
	return m->changed;
}

/* --- the one way in -------------------------------------------------------------------------- */

static void dispatch(struct model *m, const struct observation *obs, struct node *n)
{
	switch (obs->question) {
	case ASK_INFO:
		apply_info(m, obs, n);
		break;
	case ASK_ROLE:
		apply_role(m, obs, n);
		break;
	case ASK_SENTINEL_MYID:
		apply_myid(m, obs, n);
		break;
	case ASK_SENTINEL_MASTERS:
		apply_sentinel_masters(m, obs, n);
		break;
	case ASK_SENTINEL_REPLICAS:
		apply_sentinel_replicas(m, obs, n);
		break;
	case ASK_SENTINEL_SENTINELS:
		apply_sentinel_sentinels(m, obs, n);
		break;
	case ASK_SENTINEL_CKQUORUM:
		apply_ckquorum(m, obs, n);
		break;
	case ASK_SENTINEL_WATCHERS:
		apply_watchers(m, obs, n);
		break;
	case ASK_SENTINEL_HELLO:
		apply_hello(m, obs, n);
		break;
	case ASK_CLUSTER_INFO:
		apply_cluster_info(m, obs, n);
		break;
	case ASK_CLUSTER_NODES:
		apply_cluster_nodes(m, obs, n);
		break;
	default:
		break;
	}
}

unsigned model_apply(struct model *m, const struct observation *obs)
{
	m->changed = 0;
	m->change++;
	m->now_ms = obs->recv_ms;
	m->wall_ms = obs->wall_ms;
	struct node *n = node_get(m, obs->node_id);
	const struct deployment *d = n != NULL ? deployment_get(m, n->deployment_id) : NULL;
	m->scope = obs->question == ASK_TARGET ? obs->u.target->profile : d != NULL ? d->profile : 0;
	if (obs->question == ASK_TARGET) {
		apply_target(m, obs);
	} else if (obs->question == ASK_ACTION) {
		apply_action(m, obs, n);
	} else if (obs->question == ASK_PROBE) {
		apply_probe(m, obs);
	} else if (n == NULL) {
		return 0; /* it left while the reply was on its way */
	} else if (obs->question == ASK_LINK) {
		apply_link(m, obs, n);
	} else if (obs->question == ASK_MESSAGE) {
		if (n->leads_to == 0) /* else that one's own connection has it */
			apply_message(m, obs, n);
	} else {
		apply_answer(m, obs, n);
		/* Of who answers in its place only INFO is looked at: whether that is over. */
		if (obs->answer == ANSWER_OK && (n->leads_to == 0 || obs->question == ASK_INFO))
			dispatch(m, obs, n);
	}
	regroup_all(m);
	failovers_settle(m, obs);
	nodes_free_dead(m);
	m->change++; /* what was looked at meanwhile was half of it */
	return m->changed;
}
