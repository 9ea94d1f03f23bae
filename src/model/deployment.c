/* Deployments: their kind, how two become one, and the targets that begin them. */
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/model_private.h"

void deployment_release(struct model *m, struct deployment *d)
{
	for (size_t i = 0; i < d->group_count; i++)
		group_free(m, d->groups[i]);
	free(d->groups);
	cluster_free(d->cluster);
	d->groups = NULL;
	d->cluster = NULL;
	d->group_count = d->group_cap = 0;
}

/* --- deployments ----------------------------------------------------------------------------- */

const char *deployment_kind_name(enum deployment_kind k)
{
	static const char *const names[] = { "unknown", "sentinel", "cluster", "replication" };
	return names[k];
}

struct deployment *deployment_get(const struct model *m, uint32_t id)
{
	if (id == 0 || id > m->deployment_count || m->deployments[id - 1]->gone)
		return NULL;
	return m->deployments[id - 1];
}

const struct deployment *model_deployment(const struct model *m, uint32_t id)
{
	return deployment_get(m, id);
}

const struct deployment *model_next_deployment(const struct model *m, size_t *cursor)
{
	while (*cursor < m->deployment_count) {
		const struct deployment *d = m->deployments[(*cursor)++];
		if (!d->gone)
			return d;
	}
	return NULL;
}

/* --- seeds ----------------------------------------------------------------------------------- */

static const struct endpoint *node_dial(const struct node *n)
{
	return endpoint_is_set(&n->dial) ? &n->dial : &n->addr;
}

/* The first, and the first on another host than that one's: for any host one of them will do. */
static void find_seeds(const struct model *m, struct deployment *d)
{
	const struct node *first = NULL;
	d->seed_ids[0] = d->seed_ids[1] = 0;
	for (size_t i = 0; i < d->member_count; i++) {
		const struct node *n = member_at(m, d, i);
		if (!n->is_target || n->link.state != LINK_UP || endpoint_is_unix(node_dial(n)))
			continue;
		if (first != NULL && strcmp(node_dial(first)->host, node_dial(n)->host) == 0)
			continue;
		d->seed_ids[first != NULL] = n->id;
		if (first != NULL)
			break;
		first = n;
	}
	d->seeds_change = m->change + 1;
}

const struct node *model_seed(const struct model *m, uint32_t deployment_id, const char *host)
{
	struct deployment *d = deployment_get(m, deployment_id);
	if (d != NULL && d->seeds_change != m->change + 1)
		find_seeds(m, d);
	for (size_t i = 0; d != NULL && i < 2; i++) {
		const struct node *n = node_get(m, d->seed_ids[i]);
		if (n != NULL && strcmp(node_dial(n)->host, host) != 0)
			return n;
	}
	return NULL;
}

size_t model_deployment_count(const struct model *m)
{
	size_t count = 0, cursor = 0;
	while (model_next_deployment(m, &cursor) != NULL)
		count++;
	return count;
}

int64_t model_now_ms(const struct model *m)
{
	return m->now_ms;
}

const struct event_log *model_events(const struct model *m)
{
	return m->events;
}

static struct deployment *deployment_new(struct model *m)
{
	m->deployments = mem_grow(m->deployments, &m->deployment_cap, m->deployment_count + 1,
				  sizeof(*m->deployments));
	struct deployment *d = mem_alloc(sizeof(*d));
	m->deployments[m->deployment_count++] = d;
	d->id = (uint32_t)m->deployment_count;
	m->changed |= TOPIC_NODES | TOPIC_TOPOLOGY;
	return d;
}

/* Sentinels and clusters know more of a deployment than a bare replication set does. */
static int kind_rank(enum deployment_kind k)
{
	static const int ranks[] = { [KIND_UNKNOWN] = 0, [KIND_REPLICATION] = 1, [KIND_CLUSTER] = 2,
				     [KIND_SENTINEL] = 3 };
	return ranks[k];
}

void deployment_set_kind(struct model *m, struct deployment *d, enum deployment_kind kind)
{
	if (kind_rank(kind) <= kind_rank(d->kind))
		return;
	/* Groups of one kind mean nothing in the other; members find their new group by themselves. */
	if (d->kind != KIND_UNKNOWN)
		deployment_release(m, d);
	d->kind = kind;
	d->name_settled = false;
	if (kind == KIND_CLUSTER && d->cluster == NULL) {
		d->cluster = mem_alloc(sizeof(*d->cluster));
		memset(d->cluster->owner, 0xff, sizeof(d->cluster->owner));
	}
	d->regroup = true;
	m->changed |= TOPIC_NODES | TOPIC_TOPOLOGY;
}

/* Two lists by id become one. */
static void take_members(struct model *m, struct deployment *keep, struct deployment *drop)
{
	size_t at = keep->member_count + drop->member_count, a = keep->member_count,
	       b = drop->member_count;
	for (size_t i = 0; i < b; i++)
		member_at(m, drop, i)->deployment_id = keep->id;
	keep->member_ids = mem_grow(keep->member_ids, &keep->member_cap, at, sizeof(*keep->member_ids));
	keep->member_count = at;
	while (b > 0) {
		if (a > 0 && keep->member_ids[a - 1] > drop->member_ids[b - 1])
			keep->member_ids[--at] = keep->member_ids[--a];
		else
			keep->member_ids[--at] = drop->member_ids[--b];
	}
	free(drop->member_ids);
	drop->member_ids = NULL;
	drop->member_count = drop->member_cap = 0;
}

void deployment_merge(struct model *m, uint32_t a_id, uint32_t b_id)
{
	struct deployment *a = deployment_get(m, a_id), *b = deployment_get(m, b_id);
	if (a == NULL || b == NULL || a == b)
		return;
	/* The one that knows more keeps its groups; its name and place are the older one's. */
	struct deployment *keep = kind_rank(b->kind) > kind_rank(a->kind) ||
					  (b->kind == a->kind && b->id < a->id) ?
				      b :
				      a;
	struct deployment *drop = keep == a ? b : a;
	take_members(m, keep, drop);
	if (drop->listed_ms > keep->listed_ms)
		keep->listed_ms = drop->listed_ms;
	if (keep->complete_ms == 0)
		keep->complete_ms = drop->complete_ms;
	if (!keep->named && drop->named) {
		keep->named = true;
		memcpy(keep->name, drop->name, sizeof(keep->name));
	}
	event_log_redirect(m->events, drop->id, keep->id);
	failovers_redirect(m, drop->id, keep->id);
	deployment_release(m, drop);
	drop->gone = true;
	keep->regroup = true;
	m->changed |= TOPIC_NODES | TOPIC_TOPOLOGY;
}

/* --- targets --------------------------------------------------------------------------------- */

/* A section of the config file is one deployment from the start; on the command line each target may
 * be another one until it is seen to be the same. */
static struct deployment *deployment_for_target(struct model *m, const struct target_facts *t)
{
	char text[ENDPOINT_TEXT_BYTES];
	bool named = t->name != NULL && t->name[0] != '\0';
	for (size_t i = 0; named && i < m->deployment_count; i++)
		if (!m->deployments[i]->gone && m->deployments[i]->profile == t->profile)
			return m->deployments[i];
	struct deployment *d = deployment_new(m);
	d->profile = t->profile;
	d->named = named;
	text_format(d->name, sizeof(d->name), "%s", named ? t->name : endpoint_format(&t->addr, text));
	return d;
}

void apply_target(struct model *m, const struct observation *obs)
{
	struct node *n = node_by_addr(m, &obs->u.target->addr);
	if (n == NULL) {
		struct deployment *d = deployment_for_target(m, obs->u.target);
		n = node_new(m, d->id, &obs->u.target->addr);
		d->regroup = true;
	}
	if (n != NULL)
		n->is_target = true;
}
