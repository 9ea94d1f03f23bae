/* SENTINEL MASTERS, REPLICAS and SENTINELS: each Sentinel's word, kept apart from the others'. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/model_private.h"

static void bound_instance(struct sentinel_instance *f)
{
	int64_t *const numbers[] = { &f->last_ping_sent_ms, &f->last_ok_ping_reply_ms,
				     &f->last_ping_reply_ms, &f->s_down_time_ms, &f->o_down_time_ms,
				     &f->down_after_ms, &f->info_refresh_ms, &f->role_reported_time_ms,
				     &f->config_epoch, &f->num_slaves, &f->num_other_sentinels, &f->quorum,
				     &f->failover_timeout_ms, &f->parallel_syncs,
				     &f->master_link_down_time_ms, &f->priority, &f->repl_offset,
				     &f->last_hello_message_ms, &f->voted_leader_epoch };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		bound_number(numbers[i]);
}

/* By address, in which order whoever lists them finds them. */
static bool is_behind(const struct model *m, const struct sentinel_view *v, const struct node *sentinel)
{
	const struct node *n = model_node(m, v->sentinel_id);
	char ours[ENDPOINT_TEXT_BYTES], other[ENDPOINT_TEXT_BYTES];
	return n == NULL || strverscmp(endpoint_format(&n->addr, other),
				       endpoint_format(&sentinel->addr, ours)) > 0;
}

static struct sentinel_view *view_obtain(const struct model *m, struct group *g,
					 const struct node *sentinel)
{
	struct sentinel_view *known = group_view(g, sentinel->id);
	size_t at = 0;
	if (known != NULL)
		return known;
	while (at < g->view_count && !is_behind(m, &g->views[at], sentinel))
		at++;
	g->views = mem_grow(g->views, &g->view_cap, g->view_count + 1, sizeof(*g->views));
	struct sentinel_view *v = &g->views[at];
	memmove(v + 1, v, (g->view_count - at) * sizeof(*v));
	g->view_count++;
	memset(v, 0, sizeof(*v));
	v->sentinel_id = sentinel->id;
	return v;
}

/* A merged node may leave two views of one Sentinel behind. */
static void views_compact(struct model *m, struct group *g, uint32_t sentinel_id)
{
	size_t kept = 0;
	for (size_t i = 0; i < g->view_count; i++) {
		uint32_t id = model_node_resolve(m, g->views[i].sentinel_id);
		if (id == 0 || (id == sentinel_id && g->views[i].sentinel_id != id)) {
			view_release(&g->views[i]);
			continue;
		}
		g->views[kept++] = g->views[i];
	}
	g->view_count = kept;
}

void group_judge_master_down(struct model *m, struct group *g)
{
	const struct sentinel_view *best = group_best_view(g);
	struct node *n = best != NULL ? node_by_addr(m, &best->facts.addr) : NULL;
	if (n == NULL)
		return;
	bool down = false;
	for (size_t i = 0; i < g->view_count && !down; i++) {
		const struct sentinel_view *v = &g->views[i];
		const struct node *sentinel = node_get(m, v->sentinel_id);
		down = (v->facts.flags & SFLAG_S_DOWN) && v->switched_ms == 0 &&
		       sentinel != NULL && sentinel->link.state == LINK_UP &&
		       endpoint_equal(&v->facts.addr, &best->facts.addr);
	}
	node_set_said_down(m, n, down, 0);
}

/* In what agreement is about. */
static bool says_otherwise(const struct sentinel_instance *a, const struct sentinel_instance *b)
{
	return !endpoint_equal(&a->addr, &b->addr) || a->config_epoch != b->config_epoch ||
	       a->flags != b->flags || a->quorum != b->quorum ||
	       a->num_other_sentinels != b->num_other_sentinels || a->num_slaves != b->num_slaves ||
	       a->down_after_ms != b->down_after_ms ||
	       a->failover_timeout_ms != b->failover_timeout_ms ||
	       a->parallel_syncs != b->parallel_syncs;
}

static void apply_master(struct model *m, struct node *sentinel, const struct sentinel_instance *f)
{
	/* First: a master at a known address may draw two deployments together, and the groups of one
	 * of them go. */
	node_obtain(m, sentinel->deployment_id, &f->addr, false);
	struct deployment *d = deployment_get(m, sentinel->deployment_id);
	if (d == NULL)
		return;
	struct group *g = group_obtain(m, d, f->name);
	views_compact(m, g, sentinel->id);
	struct sentinel_view *v = view_obtain(m, g, sentinel);
	bool first = v->at_ms == 0;
	if (first || !endpoint_equal(&v->facts.addr, &f->addr) || v->switched_ms != 0 ||
	    v->facts.config_epoch != f->config_epoch)
		d->regroup = true;
	/* disconnected alone comes and goes for 100 ms at every reconnect: no news. */
	uint32_t quiet = SFLAG_DISCONNECTED;
	if (first || (v->facts.flags & ~quiet) != (f->flags & ~quiet) ||
	    v->facts.quorum != f->quorum || strcmp(v->facts.failover_state, f->failover_state) != 0)
		m->changed |= TOPIC_HEALTH;
	struct sentinel_instance facts = *f;
	bound_instance(&facts);
	bool news = first || v->switched_ms != 0 || says_otherwise(&v->facts, &facts);
	v->facts = facts;
	v->at_ms = m->now_ms;
	v->switched_ms = 0;
	if (news)
		group_judge_agreement(m, g);
	group_say_agreement(m, g);
	failovers_leader_state(m, g, sentinel, f);
	group_judge_master_down(m, g);
}

static bool watches_any(const struct deployment *d, uint32_t sentinel_id)
{
	for (size_t i = 0; i < d->group_count; i++)
		for (size_t k = 0; k < d->groups[i]->view_count; k++)
			if (d->groups[i]->views[k].sentinel_id == sentinel_id)
				return true;
	return false;
}

static void release_claim(struct model *m, struct node *n, uint32_t sentinel_id)
{
	if (n != NULL && model_node_resolve(m, n->said_down_by) == sentinel_id)
		node_set_said_down(m, n, false, sentinel_id);
}

/* Who no longer watches a group takes back nothing of what it said of its nodes: that goes too. */
static void release_claims(struct model *m, struct deployment *d, struct group *g,
			   uint32_t sentinel_id)
{
	for (size_t i = 0; i < g->member_count; i++)
		release_claim(m, node_get(m, g->member_ids[i]), sentinel_id);
	for (size_t i = 0; i < g->replica_count; i++)
		release_claim(m, node_get(m, g->replicas[i].node_id), sentinel_id);
	/* Its peers it may know from other groups as well. */
	for (size_t i = 0; i < g->peer_count && !watches_any(d, sentinel_id); i++)
		release_claim(m, node_get(m, g->peers[i].node_id), sentinel_id);
	struct node *master = node_get(m, g->master_id);
	if (g->view_count > 0)
		group_judge_master_down(m, g);
	else if (master != NULL && master->said_down_by == 0)
		node_set_said_down(m, master, false, 0);
}

/* What this Sentinel no longer watches. */
static void drop_unlisted_views(struct model *m, struct deployment *d, uint32_t sentinel_id)
{
	for (size_t i = 0; i < d->group_count; i++) {
		struct group *g = d->groups[i];
		size_t kept = 0;
		for (size_t k = 0; k < g->view_count; k++) {
			if (g->views[k].sentinel_id == sentinel_id && g->views[k].at_ms != m->now_ms) {
				view_release(&g->views[k]);
				continue;
			}
			g->views[kept++] = g->views[k];
		}
		if (kept == g->view_count)
			continue;
		g->view_count = kept;
		release_claims(m, d, g, sentinel_id);
		d->regroup = true;
		m->changed |= TOPIC_HEALTH;
	}
}

static struct deployment *listing(struct model *m, struct node *sentinel)
{
	struct deployment *d = deployment_get(m, sentinel->deployment_id);
	if (d == NULL)
		return NULL;
	deployment_set_kind(m, d, KIND_SENTINEL);
	d->listed_ms = m->now_ms;
	return d;
}

void apply_sentinel_masters(struct model *m, const struct observation *obs, struct node *n)
{
	struct deployment *d = listing(m, n);
	m->changed |= TOPIC_VALUES;
	for (size_t i = 0; d != NULL && i < obs->u.list->count; i++)
		apply_master(m, n, &obs->u.list->items[i]);
	d = deployment_get(m, n->deployment_id);
	if (d == NULL)
		return;
	n->claimed_ms = m->now_ms;
	drop_unlisted_views(m, d, n->id);
}

/* A switch shows in everybody's next reply; a Sentinel that fell silent after its +switch-master must
 * not stand before the others for ever. */
#define SWITCH_STANDS_MS 10000

void group_expire(struct model *m, struct group *g)
{
	for (size_t i = 0; i < g->view_count; i++) {
		if (g->views[i].switched_ms == 0 ||
		    m->now_ms - g->views[i].switched_ms <= SWITCH_STANDS_MS)
			continue;
		g->views[i].switched_ms = 0;
		deployment_get(m, g->deployment_id)->regroup = true;
	}
}

static struct member_view *member_obtain(struct member_view **list, size_t *count, size_t *cap,
					 uint32_t node_id)
{
	size_t at = member_view_place(*list, *count, node_id);
	if (at < *count && (*list)[at].node_id == node_id)
		return &(*list)[at];
	*list = mem_grow(*list, cap, *count + 1, sizeof(**list));
	struct member_view *v = &(*list)[at];
	memmove(v + 1, v, (*count - at) * sizeof(*v));
	(*count)++;
	memset(v, 0, sizeof(*v));
	v->node_id = node_id;
	return v;
}

static struct member_view *member_note(const struct model *m, struct member_view **list,
				       size_t *count, size_t *cap, uint32_t node_id,
				       uint32_t sentinel_id, const struct sentinel_instance *f)
{
	struct member_view *v = member_obtain(list, count, cap, node_id);
	v->facts = *f;
	bound_instance(&v->facts);
	v->at_ms = m->now_ms;
	v->sentinel_id = sentinel_id;
	return v;
}

/* A Sentinel's own list is what it said last, whole. */
static void members_trim(const struct model *m, struct member_view *list, size_t *count)
{
	size_t kept = 0;
	for (size_t i = 0; i < *count; i++)
		if (list[i].at_ms == m->now_ms)
			list[kept++] = list[i];
	*count = kept;
}

/* Drops what no Sentinel has listed for a while; the others may still list what this one does not. */
static bool members_expire(struct model *m, struct member_view *list, size_t *count)
{
	size_t kept = 0;
	for (size_t i = 0; i < *count; i++) {
		if (m->now_ms - list[i].at_ms > m->leave_after_ms ||
		    model_node_resolve(m, list[i].node_id) != list[i].node_id)
			continue;
		list[kept++] = list[i];
	}
	bool dropped = kept != *count;
	*count = kept;
	return dropped;
}

static struct group *listed_group(struct model *m, const struct observation *obs, struct node *n)
{
	struct deployment *d = deployment_get(m, n->deployment_id);
	return d != NULL && obs->arg != NULL ? group_find(d, obs->arg) : NULL;
}

static void mark_complete(struct model *m, struct deployment *d)
{
	if (d->complete_ms == 0)
		d->complete_ms = m->now_ms;
}

void apply_sentinel_replicas(struct model *m, const struct observation *obs, struct node *n)
{
	m->changed |= TOPIC_VALUES;
	listing(m, n);
	if (listed_group(m, obs, n) == NULL)
		return;
	for (size_t i = 0; i < obs->u.list->count; i++) {
		const struct sentinel_instance *f = &obs->u.list->items[i];
		struct node *replica = node_obtain(m, n->deployment_id, &f->addr, false);
		/* Looked up each time: deployments that turn out to be one lose groups. */
		struct group *g = listed_group(m, obs, n);
		struct sentinel_view *own = g != NULL ? group_view(g, n->id) : NULL;
		if (own != NULL && replica != NULL)
			member_note(m, &own->replicas, &own->replica_count, &own->replica_cap,
				    replica->id, n->id, f);
		if (g == NULL || replica == NULL || replica->id == g->master_id)
			continue; /* in the middle of a switch the lists overlap */
		if (group_replica_view(g, replica->id) == NULL)
			deployment_get(m, g->deployment_id)->regroup = true;
		member_note(m, &g->replicas, &g->replica_count, &g->replica_cap, replica->id, n->id, f);
		node_set_said_down(m, replica, f->flags & SFLAG_S_DOWN, n->id);
	}
	struct group *g = listed_group(m, obs, n);
	if (g == NULL)
		return;
	struct sentinel_view *own = group_view(g, n->id);
	if (own != NULL) {
		members_trim(m, own->replicas, &own->replica_count);
		own->replicas_at_ms = m->now_ms;
	}
	if (members_expire(m, g->replicas, &g->replica_count))
		deployment_get(m, g->deployment_id)->regroup = true;
	mark_complete(m, deployment_get(m, g->deployment_id));
}

void apply_sentinel_sentinels(struct model *m, const struct observation *obs, struct node *n)
{
	m->changed |= TOPIC_VALUES;
	listing(m, n);
	if (listed_group(m, obs, n) == NULL)
		return;
	for (size_t i = 0; i < obs->u.list->count; i++) {
		const struct sentinel_instance *f = &obs->u.list->items[i];
		struct node *peer = sentinel_obtain(m, n->deployment_id, f);
		struct group *g = listed_group(m, obs, n);
		if (g == NULL || peer == NULL)
			continue;
		struct sentinel_view *own = group_view(g, n->id);
		if (own != NULL) {
			struct member_view *v = member_obtain(&own->peers, &own->peer_count,
							      &own->peer_cap, peer->id);
			/* Its vote is known from its peers only. */
			if (v->facts.voted_leader_epoch != f->voted_leader_epoch)
				deployment_get(m, g->deployment_id)->judge = true;
			member_note(m, &own->peers, &own->peer_count, &own->peer_cap, peer->id, n->id, f);
		}
		size_t before = g->peer_count;
		member_note(m, &g->peers, &g->peer_count, &g->peer_cap, peer->id, n->id, f);
		if (g->peer_count != before)
			m->changed |= TOPIC_TOPOLOGY;
		node_set_said_down(m, peer, f->flags & SFLAG_S_DOWN, n->id);
	}
	struct group *g = listed_group(m, obs, n);
	if (g == NULL)
		return;
	struct sentinel_view *own = group_view(g, n->id);
	if (own != NULL) {
		members_trim(m, own->peers, &own->peer_count);
		own->peers_at_ms = m->now_ms;
	}
	members_expire(m, g->peers, &g->peer_count);
	mark_complete(m, deployment_get(m, g->deployment_id));
}
