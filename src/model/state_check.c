/* What the rest of the model relies on and no table says: ids that must lead somewhere, members that
 * know their group, lists that are searched. Makes the indexes along the way. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/state_private.h"

static bool refuse(struct buf *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(struct buf *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (err != NULL)
		buf_vaddf(err, fmt, ap);
	va_end(ap);
	return false;
}

static bool settle_deployment(struct deployment *d, uint32_t id, struct buf *err)
{
	d->id = id;
	if (d->gone && (d->group_count > 0 || d->cluster != NULL))
		return refuse(err, "deployment %u is gone, but holds something", id);
	if (!d->gone && (d->kind == KIND_CLUSTER) != (d->cluster != NULL))
		return refuse(err, "deployment %u is not what its kind says", id);
	if (d->cluster != NULL && d->cluster->owner_count >= UINT16_MAX)
		return refuse(err, "deployment %u has too many owners of slots", id);
	return true;
}

/* By id, as they come: the list of members is in that order. */
static bool settle_node(struct model *m, struct node *n, struct buf *err)
{
	struct deployment *d = deployment_get(m, n->deployment_id);
	if (d == NULL)
		return refuse(err, "node %u is in no deployment that there is", n->id);
	if (!endpoint_is_set(&n->addr))
		return refuse(err, "node %u has no address", n->id);
	if (n->upstream_id == n->id)
		return refuse(err, "node %u follows itself", n->id);
	d->member_ids = mem_grow(d->member_ids, &d->member_cap, d->member_count + 1,
				 sizeof(*d->member_ids));
	d->member_ids[d->member_count++] = n->id;
	node_note_lost_addr(m, n);
	return true;
}

static bool in_order(const struct member_view *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].node_id == 0 || (i > 0 && list[i].node_id <= list[i - 1].node_id))
			return false;
	return true;
}

static bool index_group(struct model *m, struct group *g, struct buf *err)
{
	struct group_key *key = NULL;
	HASH_FIND(hh, m->groups, &g->id, sizeof(g->id), key);
	if (key != NULL || g->id == 0 || g->id > m->next_group_id)
		return refuse(err, "group %u is there twice, or never was", g->id);
	key = mem_alloc(sizeof(*key));
	key->id = g->id;
	key->group = g;
	HASH_ADD(hh, m->groups, id, sizeof(key->id), key);
	return true;
}

/* Each member is in one group, and knows in which. */
static bool settle_members(const struct model *m, const struct deployment *d, const struct group *g,
			   bool *seen, struct buf *err)
{
	for (size_t i = 0; i < g->member_count; i++) {
		uint32_t id = g->member_ids[i];
		const struct node *n = m->nodes[id - 1];
		if (n == NULL || n->group_id != g->id || n->deployment_id != d->id || seen[id - 1])
			return refuse(err, "node %u is no member of group %u", id, g->id);
		seen[id - 1] = true;
	}
	return true;
}

static bool settle_group(struct model *m, struct deployment *d, size_t at, bool *seen,
			 struct buf *err)
{
	struct group *g = d->groups[at];
	g->deployment_id = d->id;
	if (!index_group(m, g, err) || !settle_members(m, d, g, seen, err))
		return false;
	/* Those of Sentinels are found by name, in that order. */
	if (d->kind == KIND_SENTINEL && at > 0 && strcmp(d->groups[at - 1]->name, g->name) >= 0)
		return refuse(err, "group %u is not where its name belongs", g->id);
	if (!in_order(g->replicas, g->replica_count) || !in_order(g->peers, g->peer_count))
		return refuse(err, "group %u has its members in disorder", g->id);
	for (size_t i = 0; i < g->view_count; i++)
		if (g->views[i].sentinel_id == 0)
			return refuse(err, "group %u is watched by nobody", g->id);
		else if (!in_order(g->views[i].replicas, g->views[i].replica_count) ||
			 !in_order(g->views[i].peers, g->views[i].peer_count))
			return refuse(err, "group %u has a view in disorder", g->id);
	return true;
}

static bool settle_groups(struct model *m, struct buf *err)
{
	bool *seen = mem_alloc(m->node_count * sizeof(*seen)), ok = true;
	for (size_t i = 0; ok && i < m->deployment_count; i++)
		for (size_t k = 0; ok && k < m->deployments[i]->group_count; k++)
			ok = settle_group(m, m->deployments[i], k, seen, err);
	for (size_t i = 0; ok && i < m->node_count; i++)
		if (m->nodes[i] != NULL && !seen[i] && m->nodes[i]->group_id != 0)
			ok = refuse(err, "node %u is in no group that there is", m->nodes[i]->id);
	free(seen);
	return ok;
}

bool state_settle(struct model *m, struct buf *err)
{
	for (size_t i = 0; i < m->deployment_count; i++)
		if (!settle_deployment(m->deployments[i], (uint32_t)i + 1, err))
			return false;
	for (size_t i = 0; i < m->node_count; i++)
		if (m->nodes[i] != NULL && !settle_node(m, m->nodes[i], err))
			return false;
	if (m->failovers_live > m->failover_count)
		return refuse(err, "more failovers run than there are");
	return settle_groups(m, err);
}
