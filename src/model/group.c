/* Groups: a master and its replicas. Works out who follows whom and who belongs where, from what
 * the nodes say of themselves first, and from what their deployment says where they are silent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/agreement.h"
#include "model/health.h"
#include "model/model_private.h"
#include "model/slots.h"

/* Longer chains of replicas than this are cycles. */
#define CHAIN_MAX 16
/* The Sentinels name a promoted replica this long after the end of the failover at the latest. */
#define EARLY_STANDS_MS 5000
/* A second master in a plain set that nobody follows is a set of its own after this; or after the
 * second, shorter one, when the first master is well. */
#define ALONE_AFTER_MS   60000
#define ALONE_CONFIRM_MS 1000

static struct group_key *group_key(const struct model *m, uint32_t id)
{
	struct group_key *key = NULL;
	HASH_FIND(hh, m->groups, &id, sizeof(id), key);
	return key;
}

static struct group *group_get(const struct model *m, uint32_t id)
{
	struct group_key *key = group_key(m, id);
	return key != NULL ? key->group : NULL;
}

void view_release(struct sentinel_view *v)
{
	free(v->replicas);
	free(v->peers);
	*v = (struct sentinel_view){ 0 };
}

struct sentinel_view *group_view(const struct group *g, uint32_t sentinel_id)
{
	for (size_t i = 0; i < g->view_count; i++)
		if (g->views[i].sentinel_id == sentinel_id)
			return &g->views[i];
	return NULL;
}

const struct sentinel_view *group_view_of(const struct model *m, const struct group *g,
					  uint32_t sentinel_id)
{
	uint32_t id = model_node_resolve(m, sentinel_id);
	for (size_t i = 0; i < g->view_count; i++)
		if (model_node_resolve(m, g->views[i].sentinel_id) == id)
			return &g->views[i];
	return NULL;
}

void group_free(struct model *m, struct group *g)
{
	struct group_key *key = group_key(m, g->id);
	if (key != NULL) {
		HASH_DEL(m->groups, key);
		free(key);
	}
	free(g->member_ids);
	for (size_t i = 0; i < g->view_count; i++)
		view_release(&g->views[i]);
	free(g->views);
	free(g->replicas);
	free(g->peers);
	free(g->probe);
	free(g);
}

/* --- the groups of a deployment, by name ------------------------------------------------------ */

static size_t group_position(const struct deployment *d, const char *name, bool *found)
{
	size_t low = 0, high = d->group_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(d->groups[middle]->name, name);
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = false;
	return low;
}

struct group *group_find(struct deployment *d, const char *name)
{
	bool found;
	size_t at = group_position(d, name, &found);
	return found ? d->groups[at] : NULL;
}

static struct group *group_insert(struct model *m, struct deployment *d, size_t at)
{
	d->groups = mem_grow(d->groups, &d->group_cap, d->group_count + 1, sizeof(*d->groups));
	memmove(&d->groups[at + 1], &d->groups[at], (d->group_count - at) * sizeof(*d->groups));
	struct group *g = mem_alloc(sizeof(*g));
	d->groups[at] = g;
	d->group_count++;
	g->id = ++m->next_group_id;
	g->deployment_id = d->id;
	struct group_key *key = mem_alloc(sizeof(*key));
	key->id = g->id;
	key->group = g;
	HASH_ADD(hh, m->groups, id, sizeof(key->id), key);
	return g;
}

struct group *group_obtain(struct model *m, struct deployment *d, const char *name)
{
	bool found;
	size_t at = group_position(d, name, &found);
	if (found)
		return d->groups[at];
	struct group *g = group_insert(m, d, at);
	snprintf(g->name, sizeof(g->name), "%s", name);
	m->changed |= TOPIC_TOPOLOGY;
	d->regroup = true;
	return g;
}

const struct group *model_group(const struct model *m, uint32_t id)
{
	return group_get(m, id);
}

/* The group by an id of before; NULL when it was another deployment's. */
static struct group *group_by_id(const struct model *m, const struct deployment *d, uint32_t id)
{
	struct group *g = group_get(m, id);
	return g != NULL && g->deployment_id == d->id ? g : NULL;
}

void group_member_add(struct model *m, struct group *g, struct node *n)
{
	(void)m;
	g->member_ids = mem_grow(g->member_ids, &g->member_cap, g->member_count + 1,
				 sizeof(*g->member_ids));
	g->member_ids[g->member_count++] = n->id;
	n->group_id = g->id;
}

/* --- the Sentinels' word ----------------------------------------------------------------------- */

/* The leader of a failover holds the new epoch but names the old master until the very end
 * (sentinel.c:sentinelFailoverSwitchToPromotedSlave); a Sentinel that has switched is ahead. */
static bool view_is_better(const struct sentinel_view *a, const struct sentinel_view *b)
{
	if ((a->switched_ms != 0) != (b->switched_ms != 0))
		return a->switched_ms > b->switched_ms;
	if (a->facts.config_epoch != b->facts.config_epoch)
		return a->facts.config_epoch > b->facts.config_epoch;
	bool a_running = a->facts.flags & SFLAG_FAILOVER_IN_PROGRESS;
	bool b_running = b->facts.flags & SFLAG_FAILOVER_IN_PROGRESS;
	if (a_running != b_running)
		return b_running;
	/* One that was told of another master by hand has the same epoch as the rest. */
	if ((a->dissent_ms[AGREE_MASTER] != 0) != (b->dissent_ms[AGREE_MASTER] != 0))
		return b->dissent_ms[AGREE_MASTER] != 0;
	return a->at_ms > b->at_ms;
}

const struct sentinel_view *group_best_view(const struct group *g)
{
	const struct sentinel_view *best = NULL;
	for (size_t i = 0; i < g->view_count; i++)
		if (best == NULL || view_is_better(&g->views[i], best))
			best = &g->views[i];
	return best;
}

bool group_view_answers(const struct model *m, const struct sentinel_view *v)
{
	const struct node *n = model_node(m, v->sentinel_id);
	return n != NULL && n->link.state == LINK_UP && v->at_ms != 0;
}

const struct sentinel_view *group_best_answering(const struct model *m, const struct group *g)
{
	const struct sentinel_view *best = NULL;
	for (size_t i = 0; i < g->view_count; i++)
		if (group_view_answers(m, &g->views[i]) &&
		    (best == NULL || view_is_better(&g->views[i], best)))
			best = &g->views[i];
	return best;
}

const struct ckquorum_facts *group_ckquorum_answering(const struct model *m, const struct group *g)
{
	const struct sentinel_view *latest = NULL;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		if (group_view_answers(m, v) && v->ckquorum_at_ms != 0 &&
		    (latest == NULL || v->ckquorum_at_ms > latest->ckquorum_at_ms))
			latest = v;
	}
	return latest != NULL ? &latest->ckquorum : NULL;
}

bool group_name_was_cleaned(const struct group *g)
{
	for (size_t i = 0; i < g->view_count; i++)
		if (g->views[i].facts.name_cleaned)
			return true;
	return false;
}

size_t member_view_place(const struct member_view *list, size_t count, uint32_t node_id)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (list[middle].node_id < node_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct member_view *group_replica_view(const struct group *g, uint32_t node_id)
{
	size_t at = member_view_place(g->replicas, g->replica_count, node_id);
	return at < g->replica_count && g->replicas[at].node_id == node_id ? &g->replicas[at] : NULL;
}

const struct member_view *group_replica_answering(const struct model *m, const struct group *g,
						  uint32_t node_id)
{
	const struct member_view *latest = NULL;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		size_t at = member_view_place(v->replicas, v->replica_count, node_id);
		if (group_view_answers(m, v) && at < v->replica_count && v->replicas[at].node_id == node_id &&
		    (latest == NULL || v->replicas[at].at_ms > latest->at_ms))
			latest = &v->replicas[at];
	}
	return latest;
}

/* What follows the number is fixed, and longer than a line: "Not enough available Sentinels to reach the
 * specified quorum for this master. ..." */
const char *ckquorum_words(const struct ckquorum_facts *f, char out[static CKQUORUM_WORDS_BYTES])
{
	const char *end = strstr(f->message, ". ");
	size_t len = end != NULL ? (size_t)(end - f->message) : strlen(f->message);
	text_format(out, CKQUORUM_WORDS_BYTES, "%.*s", (int)len, f->message);
	return out;
}

const struct group *group_namesake(const struct model *m, const struct group *g)
{
	const struct node *master = model_node(m, g->master_id);
	const struct group *other = master != NULL && g->view_count > 0 && master->group_id != g->id
					    ? model_group(m, master->group_id)
					    : NULL;
	return other != NULL && other->deployment_id == g->deployment_id && other->view_count > 0 &&
			       other->master_id == g->master_id
		       ? other
		       : NULL;
}

size_t group_sentinels_known(const struct model *m, const struct group *g)
{
	size_t known = 0;
	for (size_t i = 0; i < g->view_count; i++)
		known += model_node(m, g->views[i].sentinel_id) != NULL;
	for (size_t i = 0; i < g->peer_count; i++) {
		const struct node *n = model_node(m, g->peers[i].node_id);
		/* Merged: its list has it under the id that stays, or will. */
		bool viewed = n == NULL || n->id != g->peers[i].node_id;
		for (size_t k = 0; !viewed && k < g->view_count; k++)
			viewed = model_node_resolve(m, g->views[k].sentinel_id) == n->id;
		known += !viewed;
	}
	return known;
}

size_t group_sentinels_reachable(const struct model *m, const struct group *g)
{
	size_t reachable = 0;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct node *n = model_node(m, g->views[i].sentinel_id);
		reachable += n != NULL && n->link.state == LINK_UP;
	}
	return reachable;
}

/* --- regrouping -------------------------------------------------------------------------------- */

/* Whom a node follows, by its own last word. */
static uint32_t own_upstream(const struct model *m, const struct node *n)
{
	/* Not asked yet: the master that lists it knows. */
	if (n->info_at_ms == 0)
		return model_node_resolve(m, n->listed_by);
	if (n->info.role != ROLE_REPLICA)
		return 0;
	const struct node *up = node_by_addr(m, &n->info.master);
	return up != NULL && up != n ? up->id : 0;
}

static int compare_addr(const struct endpoint *a, const struct endpoint *b)
{
	int order = strcmp(a->host, b->host);
	return order != 0 ? order : (int)a->port - (int)b->port;
}

struct sort_entry {
	struct endpoint addr;
	uint32_t id;
};

static int compare_entries(const void *a, const void *b)
{
	return compare_addr(&((const struct sort_entry *)a)->addr,
			    &((const struct sort_entry *)b)->addr);
}

/* Master first, then by address, so that rows keep their place. */
static void sort_members(const struct model *m, struct group *g)
{
	size_t first = 0;
	for (size_t i = 0; i < g->member_count; i++) {
		if (g->member_ids[i] != g->master_id)
			continue;
		g->member_ids[i] = g->member_ids[0];
		g->member_ids[0] = g->master_id;
		first = 1;
		break;
	}
	size_t rest = g->member_count - first;
	if (rest < 2)
		return;
	struct sort_entry *entries = mem_alloc(rest * sizeof(*entries));
	for (size_t i = 0; i < rest; i++) {
		const struct node *n = node_get(m, g->member_ids[first + i]);
		entries[i].id = g->member_ids[first + i];
		if (n != NULL)
			entries[i].addr = n->addr;
	}
	qsort(entries, rest, sizeof(*entries), compare_entries);
	for (size_t i = 0; i < rest; i++)
		g->member_ids[first + i] = entries[i].id;
	free(entries);
}

/* Puts the nodes without a group into that of whom they follow, over any chain. */
static void adopt_followers(struct model *m, struct deployment *d)
{
	for (size_t i = 0; i < d->member_count; i++) {
		struct node *n = member_at(m, d, i);
		if (n->is_sentinel || n->group_id != 0)
			continue;
		const struct node *up = n;
		for (int step = 0; step < CHAIN_MAX && up != NULL && up->group_id == 0; step++)
			up = node_get(m, up->upstream_id);
		struct group *g = up != NULL ? group_by_id(m, d, up->group_id) : NULL;
		if (g != NULL)
			group_member_add(m, g, n);
	}
}

static void clear_groups(struct model *m, struct deployment *d)
{
	for (size_t i = 0; i < d->group_count; i++)
		d->groups[i]->member_count = 0;
	for (size_t i = 0; i < d->member_count; i++) {
		struct node *n = member_at(m, d, i);
		n->group_id = 0;
		n->upstream_id = n->is_sentinel ? 0 : own_upstream(m, n);
	}
}

static void drop_group(struct model *m, struct deployment *d, size_t at)
{
	/* What a Sentinel no longer watches is in no group, but still there. */
	for (size_t i = 0; i < d->groups[at]->member_count; i++) {
		struct node *n = node_get(m, d->groups[at]->member_ids[i]);
		if (n != NULL)
			n->group_id = 0;
	}
	group_free(m, d->groups[at]);
	memmove(&d->groups[at], &d->groups[at + 1],
		(d->group_count - at - 1) * sizeof(*d->groups));
	d->group_count--;
}

/* The master that a failover is about to give: its own word comes before any +switch-master. */
static uint32_t promoted_early(const struct model *m, const struct group *g)
{
	const struct failover *f = &g->failover;
	/* +failover-end comes before the leader's own +switch-master. */
	bool just_ended = f->phase == PHASE_ENDED && m->now_ms - f->ended_ms < EARLY_STANDS_MS;
	if (f->role_master_ms == 0 || f->phase < PHASE_SELECTED ||
	    (f->phase > PHASE_RECONF && !just_ended))
		return 0;
	return model_node_resolve(m, f->selected_id);
}

static void regroup_sentinel(struct model *m, struct deployment *d)
{
	for (size_t i = 0; i < d->group_count; i++) {
		struct group *g = d->groups[i];
		const struct sentinel_view *best = group_best_view(g);
		struct node *master = best != NULL ? node_by_addr(m, &best->facts.addr) : NULL;
		uint32_t early = promoted_early(m, g);
		if (early != 0)
			master = node_get(m, early);
		/* Left, and back as another deployment's: the next MASTERS makes them one. */
		if (master != NULL && master->deployment_id != d->id)
			master = NULL;
		g->master_id = master != NULL ? master->id : 0;
		if (master != NULL && master->group_id == 0)
			group_member_add(m, g, master);
		for (size_t k = 0; k < g->replica_count; k++) {
			struct node *n = node_get(m, g->replicas[k].node_id);
			if (n != NULL && n->group_id == 0 && n->deployment_id == d->id)
				group_member_add(m, g, n);
		}
		for (size_t k = 0; k < g->member_count; k++) {
			struct node *n = node_get(m, g->member_ids[k]);
			/* Silent since ever: take the Sentinels' word for whom it follows. */
			if (n->id != g->master_id && n->upstream_id == 0 && !node_says_master(n))
				n->upstream_id = g->master_id;
		}
		if (master != NULL)
			master->upstream_id = 0;
	}
	adopt_followers(m, d);
}

/* A cluster's shard or a plain set keeps its group over a failover: whoever leads now is the one
 * that was a member of it. */
static struct group *group_for_master(struct model *m, struct deployment *d, struct node *master,
				      uint32_t old_group_id)
{
	char name[ENDPOINT_TEXT_BYTES];
	endpoint_format(&master->addr, name);
	struct group *g = group_by_id(m, d, old_group_id);
	if (g == NULL || g->member_count > 0)
		g = group_insert(m, d, d->group_count);
	g->master_id = master->id;
	text_format(g->name, sizeof(g->name), "%s", name);
	master->upstream_id = 0;
	group_member_add(m, g, master);
	return g;
}

static int group_order(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;
	if (x->first_slot != y->first_slot)
		return x->first_slot < y->first_slot ? -1 : 1;
	return strcmp(x->name, y->name);
}

static unsigned first_slot(const struct model *m, const struct group *g)
{
	const struct node *n = node_get(m, g->master_id);
	bool has_slots = n != NULL && n->member != NULL && n->member->slot_count > 0;
	return has_slots ? n->member->slots[0].first : SLOT_COUNT;
}

/* Nodes that own a slot by the map, by their place in the deployment. A claim alone is not enough: for
 * a moment the old and the new master both make it, and the higher epoch wins. Owned by the caller. */
static bool *slot_owners(const struct model *m, const struct deployment *d)
{
	bool *owns = mem_alloc((d->member_count + 1) * sizeof(*owns));
	uint32_t last = 0;
	for (unsigned slot = 0; d->cluster != NULL && slot < SLOT_COUNT; slot++) {
		uint32_t owner = slot_owner(d, slot);
		if (owner == last)
			continue;
		last = owner;
		owner = model_node_resolve(m, owner);
		size_t at = deployment_member_place(d, owner);
		if (at < d->member_count && d->member_ids[at] == owner)
			owns[at] = true;
	}
	return owns;
}

static bool is_followed(const struct model *m, const struct deployment *d, const struct node *n)
{
	for (size_t i = 0; i < d->member_count; i++)
		if (member_at(m, d, i)->upstream_id == n->id)
			return true;
	return false;
}

static void take_upstreams_of_members(struct model *m, struct deployment *d)
{
	for (size_t i = 0; i < d->member_count; i++) {
		struct node *n = member_at(m, d, i);
		if (n->member == NULL || n->upstream_id != 0 || n->member->master_id[0] == '\0')
			continue;
		const struct node *up = node_by_key(m, "cluster:", n->member->master_id);
		n->upstream_id = up != NULL && up != n ? up->id : 0;
	}
}

/* CLUSTER NODES keeps calling it master until it is back: its slots went to the replica that was
 * promoted, and whose group it was in nobody says any more. */
static bool is_dead_ex_master(const struct model *m, const struct deployment *d, const struct node *n)
{
	return node_is_former_master(n) && n->said_down && n->link.state != LINK_UP && !is_followed(m, d, n);
}

static void regroup_cluster(struct model *m, struct deployment *d, const uint32_t *old_groups)
{
	bool *owns = slot_owners(m, d);
	take_upstreams_of_members(m, d);
	/* Masters with slots first: they lead the group that they were in. */
	for (int with_slots = 1; with_slots >= 0; with_slots--) {
		for (size_t i = 0; i < d->member_count; i++) {
			struct node *n = member_at(m, d, i);
			if (n->group_id != 0 ||
			    n->member == NULL || !(n->member->flags & CFLAG_MASTER) ||
			    owns[i] != (with_slots == 1))
				continue;
			struct group *g = group_by_id(m, d, old_groups[i]);
			/* A deposed master stays where it was. */
			if (with_slots == 0 && g != NULL && g->member_count > 0) {
				group_member_add(m, g, n);
				continue;
			}
			if (with_slots == 1 || !is_dead_ex_master(m, d, n))
				group_for_master(m, d, n, old_groups[i]);
		}
	}
	free(owns);
	adopt_followers(m, d);
}

/* REPLICAOF NO ONE on purpose: a former replica that says master, feeds nobody, and that nobody names.
 * It is then simply another master, with a group of its own, and no danger to this one. But the same
 * shows for a moment in the middle of a failover: it must have stood so for a while, or the group's
 * master be well and know of no failover. Two masters with replicas each, or under Sentinels, are a
 * split and stay together. */
static bool stands_alone(const struct model *m, const struct deployment *d, const struct group *g,
			 const struct node *n)
{
	const struct node *master = node_get(m, g->master_id);
	if (!node_says_master(n) || n->info.replica_count > 0 || master == n || is_followed(m, d, n))
		return false;
	if (m->now_ms - n->role_ms >= ALONE_AFTER_MS)
		return true;
	/* replication.c:failoverCommand: the master steps down before the replica is told to lead. */
	return master != NULL && node_says_master(master) &&
	       master->info_at_ms - n->role_ms >= ALONE_CONFIRM_MS &&
	       (master->info.failover_state[0] == '\0' ||
		strcmp(master->info.failover_state, "no-failover") == 0);
}

void deployment_look_for_loners(struct model *m, struct deployment *d)
{
	for (size_t i = 0; d->kind == KIND_REPLICATION && i < d->group_count; i++) {
		const struct group *g = d->groups[i];
		for (size_t k = 0; k < g->member_count && !d->regroup; k++) {
			const struct node *n = node_get(m, g->member_ids[k]);
			d->regroup = n != NULL && n->id != g->master_id && stands_alone(m, d, g, n);
		}
	}
}

enum lead_rank { LEADS_OTHERS, LED_BEFORE, LEADS_ITSELF, LEAD_RANKS };

/* Who has followers goes first, then who led the group before: a replica that was made a master must
 * not take the group along. */
static enum lead_rank lead_rank(const struct model *m, const struct deployment *d,
				const struct node *n, uint32_t old_group_id)
{
	const struct group *g = group_by_id(m, d, old_group_id);
	if (n->info_at_ms != 0 && n->info.replica_count > 0)
		return LEADS_OTHERS;
	return g != NULL && g->master_id == n->id && node_says_master(n) ? LED_BEFORE : LEADS_ITSELF;
}

/* Roots of the replication trees lead; a node whose master nobody can name leads itself. */
static void regroup_replication(struct model *m, struct deployment *d, const uint32_t *old_groups)
{
	for (enum lead_rank rank = LEADS_OTHERS; rank < LEAD_RANKS; rank++) {
		for (size_t i = 0; i < d->member_count; i++) {
			struct node *n = member_at(m, d, i);
			if (n->group_id != 0 || n->is_sentinel || n->upstream_id != 0 ||
			    lead_rank(m, d, n, old_groups[i]) != rank)
				continue;
			struct group *g = group_by_id(m, d, old_groups[i]);
			/* Two of one set both say master with replicas: for one round of a failover,
			 * or for good in a split. It stays one set, seen whole. */
			if (g != NULL && g->member_count > 0 && !stands_alone(m, d, g, n)) {
				group_member_add(m, g, n);
				continue;
			}
			group_for_master(m, d, n, old_groups[i]);
		}
		adopt_followers(m, d);
	}
	/* In the middle of a failover two nodes may each say that they follow the other. */
	for (size_t i = 0; i < d->member_count; i++) {
		struct node *n = member_at(m, d, i);
		if (n->is_sentinel || n->group_id != 0)
			continue;
		struct group *g = group_by_id(m, d, old_groups[i]);
		if (g != NULL && (g->member_count > 0 || g->master_id != n->id))
			group_member_add(m, g, n);
		else
			group_for_master(m, d, n, old_groups[i]);
	}
}

static void name_deployment(struct model *m, struct deployment *d)
{
	const struct group *first = d->group_count > 0 ? d->groups[0] : NULL;
	char name[sizeof(d->name)];
	text_format(name, sizeof(name), "%s", d->name);
	if (d->named || d->name_settled)
		return;
	if (d->kind == KIND_SENTINEL && d->group_count == 1)
		text_format(d->name, sizeof(d->name), "%s", first->name);
	else if (d->kind == KIND_SENTINEL && d->group_count > 1)
		text_format(d->name, sizeof(d->name), "%.90s and %zu more", first->name,
			 d->group_count - 1);
	else if (d->kind == KIND_CLUSTER && first != NULL && strncmp(d->name, "cluster ", 8) != 0)
		text_format(d->name, sizeof(d->name), "cluster %.110s", name);
	/* The master may change; what scripts and logs call the deployment does not, also not in the next
	 * run: it is called by the target that was given. */
	d->name_settled = d->complete_ms != 0 && first != NULL &&
			  (d->kind == KIND_CLUSTER || d->kind == KIND_REPLICATION);
	(void)m;
}

void deployment_regroup(struct model *m, struct deployment *d)
{
	uint32_t *old_groups = mem_alloc((d->member_count + 1) * sizeof(*old_groups));
	m->scope = d->profile;
	for (size_t i = 0; i < d->member_count; i++)
		old_groups[i] = member_at(m, d, i)->group_id;
	clear_groups(m, d);
	if (d->kind == KIND_SENTINEL)
		regroup_sentinel(m, d);
	else if (d->kind == KIND_CLUSTER)
		regroup_cluster(m, d, old_groups);
	else if (d->kind == KIND_REPLICATION)
		regroup_replication(m, d, old_groups);
	free(old_groups);
	for (size_t i = d->group_count; i-- > 0;) {
		struct group *g = d->groups[i];
		bool empty = d->kind == KIND_SENTINEL ? g->view_count == 0 : g->member_count == 0;
		/* Its replicas stay when a master leaves that nobody lists any more. */
		const struct node *master = node_get(m, g->master_id);
		g->master_id = master != NULL ? master->id : 0;
		/* Sentinels' groups are found by name, so they must lie in that order. */
		g->first_slot = d->kind == KIND_CLUSTER ? first_slot(m, g) : SLOT_COUNT;
		if (empty)
			drop_group(m, d, i);
		else
			sort_members(m, g);
	}
	if (d->group_count > 1)
		qsort(d->groups, d->group_count, sizeof(*d->groups), group_order);
	for (size_t i = 0; i < d->group_count; i++)
		failovers_master_changed(m, d->groups[i]);
	name_deployment(m, d);
}
