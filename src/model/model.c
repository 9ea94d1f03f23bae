/* The store: nodes, deployments, their keys, and how two turn out to be one. */
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/model_private.h"

/* A member counts as gone when the others were listed again this much later without it. */
#define LEAVE_AFTER_MS 30000
#define PLAIN_LEAVE_AFTER_MS 3600000
#define SWEEP_EVERY_MS 1000
/* Members that turn up so soon after the first listing were there all the time. */
#define JOIN_QUIET_MS 5000

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

/* Releases what a node owns. */
static void node_release(struct node *n)
{
	free(n->info.replicas);
	n->info.replicas = NULL;
	n->info.replica_count = n->info.replica_cap = 0;
	cluster_member_free(n->member);
	n->member = NULL;
	free(n->refusals);
	n->refusals = NULL;
	n->refusal_count = n->refusal_cap = 0;
}

static void deployment_release(struct model *m, struct deployment *d)
{
	for (size_t i = 0; i < d->group_count; i++)
		group_free(m, d->groups[i]);
	free(d->groups);
	cluster_free(d->cluster);
	d->groups = NULL;
	d->cluster = NULL;
	d->group_count = d->group_cap = 0;
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
	free(m);
}

/* --- keys ------------------------------------------------------------------------------------ */

static void node_key_addr(struct model *m, struct node *n, const struct endpoint *addr);

/* Two profiles are two networks: the same address or id in both is not the same node. */
static void key_text(char *out, size_t size, uint32_t scope, const char *prefix, const char *id)
{
	snprintf(out, size, "%u/%s%s", scope, prefix, id);
}

static struct node_key *key_find(const struct model *m, const char *text)
{
	struct node_key *key = NULL;
	HASH_FIND_STR(m->keys, text, key);
	return key;
}

/* Out of the list of the node that it leads to. */
static void key_unlink(struct model *m, const struct node_key *key)
{
	struct node *n = m->nodes[key->node_id - 1];
	struct node_key **at = &n->keys;
	while (*at != key)
		at = &(*at)->next;
	*at = key->next;
}

void node_add_key(struct model *m, struct node *n, const char *prefix, const char *id)
{
	char text[sizeof(((struct node_key *)0)->text)];
	key_text(text, sizeof(text), m->scope, prefix, id);
	struct node_key *key = key_find(m, text);
	if (key != NULL && key->node_id == n->id)
		return;
	if (key == NULL) {
		key = mem_alloc(sizeof(*key));
		memcpy(key->text, text, sizeof(text));
		HASH_ADD_STR(m->keys, text, key);
	} else {
		m->addr_taken |= prefix[0] == '\0';
		key_unlink(m, key);
	}
	key->node_id = n->id;
	key->next = n->keys;
	n->keys = key;
}

/* Two nodes may have claimed one address: when the one that took it lets go of it, it names the other
 * one again. */
static void key_addrs_again(struct model *m, const struct node *except)
{
	for (size_t i = 0; m->addr_taken && i < m->node_count; i++) {
		struct node *n = m->nodes[i];
		const struct deployment *d = n != NULL ? deployment_get(m, n->deployment_id) : NULL;
		if (n != NULL && !n->gone && n != except && d != NULL && d->profile == m->scope &&
		    node_by_addr(m, &n->addr) == NULL)
			node_key_addr(m, n, &n->addr);
	}
}

void node_drop_key(struct model *m, struct node *n, const char *prefix, const char *id)
{
	char text[sizeof(((struct node_key *)0)->text)];
	key_text(text, sizeof(text), m->scope, prefix, id);
	struct node_key *key = key_find(m, text);
	if (key == NULL || node_get(m, key->node_id) != n)
		return;
	key_unlink(m, key);
	HASH_DEL(m->keys, key);
	free(key);
	key_addrs_again(m, n);
}

struct node *node_by_key(const struct model *m, const char *prefix, const char *id)
{
	char text[sizeof(((struct node_key *)0)->text)];
	key_text(text, sizeof(text), m->scope, prefix, id);
	struct node_key *key = key_find(m, text);
	return key != NULL ? node_get(m, key->node_id) : NULL;
}

struct node *node_by_addr(const struct model *m, const struct endpoint *addr)
{
	char text[ENDPOINT_TEXT_BYTES];
	return endpoint_is_set(addr) ? node_by_key(m, "", endpoint_format(addr, text)) : NULL;
}

static void node_key_addr(struct model *m, struct node *n, const struct endpoint *addr)
{
	char text[ENDPOINT_TEXT_BYTES];
	node_add_key(m, n, "", endpoint_format(addr, text));
}

/* --- nodes ----------------------------------------------------------------------------------- */

uint32_t model_node_resolve(const struct model *m, uint32_t id)
{
	while (id != 0 && id <= m->node_count && m->forwards[id - 1] != 0)
		id = m->forwards[id - 1];
	if (id == 0 || id > m->node_count || m->nodes[id - 1] == NULL || m->nodes[id - 1]->gone)
		return 0;
	return id;
}

struct node *member_at(const struct model *m, const struct deployment *d, size_t i)
{
	return m->nodes[d->member_ids[i] - 1];
}

size_t deployment_member_place(const struct deployment *d, uint32_t id)
{
	size_t low = 0, high = d->member_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (d->member_ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void member_join(struct deployment *d, uint32_t id)
{
	size_t at = deployment_member_place(d, id);
	d->member_ids = mem_grow(d->member_ids, &d->member_cap, d->member_count + 1,
				 sizeof(*d->member_ids));
	memmove(&d->member_ids[at + 1], &d->member_ids[at],
		(d->member_count - at) * sizeof(*d->member_ids));
	d->member_ids[at] = id;
	d->member_count++;
}

static void member_leave(struct deployment *d, uint32_t id)
{
	size_t at = deployment_member_place(d, id);
	if (at == d->member_count || d->member_ids[at] != id)
		return;
	d->member_count--;
	memmove(&d->member_ids[at], &d->member_ids[at + 1],
		(d->member_count - at) * sizeof(*d->member_ids));
	d->full = false; /* the next list shows whether there is room for all now */
}

/* The body stays until the observation is applied: whoever holds it there may still look. */
static void node_bury(struct model *m, struct node *n)
{
	struct deployment *d = deployment_get(m, n->deployment_id);
	node_release(n);
	n->gone = true;
	if (d != NULL)
		member_leave(d, n->id);
	m->dead = mem_grow(m->dead, &m->dead_cap, m->dead_count + 1, sizeof(struct node *));
	m->dead[m->dead_count++] = n;
}

static void free_dead(struct model *m)
{
	for (size_t i = 0; i < m->dead_count; i++) {
		m->nodes[m->dead[i]->id - 1] = NULL;
		free(m->dead[i]);
	}
	m->dead_count = 0;
}

struct node *node_get(const struct model *m, uint32_t id)
{
	id = model_node_resolve(m, id);
	return id != 0 ? m->nodes[id - 1] : NULL;
}

const struct node *model_node(const struct model *m, uint32_t id)
{
	return node_get(m, id);
}

const struct node *model_find_node(const struct model *m, uint32_t deployment_id,
				   const struct endpoint *addr)
{
	char addr_text[ENDPOINT_TEXT_BYTES], text[sizeof(((struct node_key *)0)->text)];
	const struct deployment *d = deployment_get(m, deployment_id);
	if (!endpoint_is_set(addr))
		return NULL;
	key_text(text, sizeof(text), d != NULL ? d->profile : 0, "", endpoint_format(addr, addr_text));
	const struct node_key *key = key_find(m, text);
	return key != NULL ? node_get(m, key->node_id) : NULL;
}

static struct node *node_new(struct model *m, uint32_t deployment_id, const struct endpoint *addr)
{
	struct deployment *d = deployment_get(m, deployment_id);
	if (d == NULL)
		return NULL;
	if (d->member_count >= MEMBERS_MAX) {
		d->full = true;
		m->changed |= TOPIC_HEALTH;
		return NULL;
	}
	m->nodes = mem_grow(m->nodes, &m->node_cap, m->node_count + 1, sizeof(*m->nodes));
	m->forwards = mem_grow(m->forwards, &m->forward_cap, m->node_count + 1, sizeof(*m->forwards));
	m->forwards[m->node_count] = 0;
	struct node *n = mem_alloc(sizeof(*n));
	m->nodes[m->node_count++] = n;
	n->id = (uint32_t)m->node_count;
	n->deployment_id = deployment_id;
	member_join(d, n->id);
	n->addr = *addr;
	n->joined_ms = n->claimed_ms = m->now_ms;
	n->link.rtt_us = n->event_link.rtt_us = -1;
	n->hit_rate = n->repl_rate_bytes_s = FACT_UNKNOWN_DOUBLE;
	n->lag_now_bytes = n->lag_now_s = FACT_UNKNOWN;
	node_key_addr(m, n, addr);
	m->changed |= TOPIC_NODES | TOPIC_TOPOLOGY;
	return n;
}

struct node *node_obtain(struct model *m, uint32_t deployment_id, const struct endpoint *addr,
			 bool is_sentinel)
{
	struct node *n = node_by_addr(m, addr);
	struct deployment *d = deployment_get(m, deployment_id);
	if (n == NULL) {
		n = node_new(m, deployment_id, addr);
		if (n == NULL)
			return NULL;
		n->is_sentinel = is_sentinel;
		if (d != NULL)
			d->regroup = true;
		/* Members found while a deployment is first read are no news. */
		if (d != NULL && d->complete_ms != 0 && m->now_ms - d->complete_ms > JOIN_QUIET_MS)
			model_node_event(m, EVENT_NODE_JOINED, n, NULL);
	} else if (n->deployment_id != deployment_id) {
		deployment_merge(m, n->deployment_id, deployment_id);
	}
	if (is_sentinel && !n->is_sentinel) {
		n->is_sentinel = true;
		m->changed |= TOPIC_NODES;
	}
	n->claimed_ms = m->now_ms;
	return n;
}

/* Which of two nodes' facts are the better ones: the one that has answered, and later. */
static void take_better_facts(struct node *keep, struct node *drop)
{
	if (drop->info_at_ms > keep->info_at_ms) {
		struct info_facts swap = keep->info;
		keep->info = drop->info;
		drop->info = swap;
		keep->info_at_ms = drop->info_at_ms;
		keep->mode_known = drop->mode_known;
	}
	if (keep->member == NULL && drop->member != NULL) {
		keep->member = drop->member;
		drop->member = NULL;
		/* Goes with the claims in there. */
		keep->said_down = drop->said_down;
		keep->said_down_ms = drop->said_down_ms;
		keep->said_down_by = drop->said_down_by;
	}
	if (keep->sentinel_id[0] == '\0')
		memcpy(keep->sentinel_id, drop->sentinel_id, sizeof(keep->sentinel_id));
	if (keep->cluster_id[0] == '\0')
		memcpy(keep->cluster_id, drop->cluster_id, sizeof(keep->cluster_id));
	if (keep->run_id[0] == '\0')
		memcpy(keep->run_id, drop->run_id, sizeof(keep->run_id));
	keep->is_sentinel |= drop->is_sentinel;
	if (drop->lag_at_ms > keep->lag_at_ms) {
		keep->lag_bytes = drop->lag_bytes;
		keep->lag_now_bytes = drop->lag_now_bytes;
		keep->lag_now_s = drop->lag_now_s;
		keep->lag_at_ms = drop->lag_at_ms;
	}
}

/* Who is known by the address that the deployment announces keeps that as identity; the other's
 * address is how it was written on the command line. */
static void take_announced_addr(struct node *keep, const struct node *drop)
{
	bool drop_announced = !drop->is_target;
	if (keep->is_target && drop_announced) {
		if (!endpoint_is_set(&keep->dial))
			keep->dial = keep->addr;
		keep->addr = drop->addr;
	} else if (drop->is_target && !keep->is_target && keep->link.state != LINK_UP) {
		keep->dial = endpoint_is_set(&drop->dial) ? drop->dial : drop->addr;
	}
}

/* The connection that works is the one to show, and its address the one to go on with. */
static void take_working_link(struct node *keep, struct node *drop)
{
	if (keep->link.state == LINK_UP || drop->link.state != LINK_UP)
		return;
	keep->link = drop->link;
	keep->event_link = drop->event_link;
	struct refusal *refusals = keep->refusals;
	keep->refusals = drop->refusals;
	drop->refusals = refusals;
	size_t cap = keep->refusal_cap;
	keep->refusal_cap = drop->refusal_cap;
	drop->refusal_cap = cap;
	keep->refusal_count = drop->refusal_count;
	keep->refused = drop->refused;
	keep->refused_error = drop->refused_error;
	memcpy(keep->refused_text, drop->refused_text, sizeof(keep->refused_text));
	keep->dial = endpoint_is_set(&drop->dial) ? drop->dial : drop->addr;
	if (!keep->is_target || drop->is_target)
		keep->addr = drop->addr;
	if (endpoint_equal(&keep->dial, &keep->addr))
		keep->dial = (struct endpoint){ 0 };
}

static void take_keys(struct node *keep, struct node *drop)
{
	struct node_key **end = &keep->keys;
	while (*end != NULL)
		end = &(*end)->next;
	*end = drop->keys;
	for (struct node_key *key = drop->keys; key != NULL; key = key->next)
		key->node_id = keep->id;
	drop->keys = NULL;
}

struct node *node_merge(struct model *m, struct node *a, struct node *b)
{
	if (a == b)
		return a;
	if (a->deployment_id != b->deployment_id)
		deployment_merge(m, a->deployment_id, b->deployment_id);
	struct node *keep = a->id < b->id ? a : b;
	struct node *drop = keep == a ? b : a;
	if (keep->link.state != LINK_UP && drop->link.state == LINK_UP)
		take_working_link(keep, drop);
	else
		take_announced_addr(keep, drop);
	keep->is_target |= drop->is_target;
	take_better_facts(keep, drop);
	if (drop->claimed_ms > keep->claimed_ms)
		keep->claimed_ms = drop->claimed_ms;
	take_keys(keep, drop);
	m->forwards[drop->id - 1] = keep->id;
	node_bury(m, drop);
	struct deployment *d = deployment_get(m, keep->deployment_id);
	if (d != NULL)
		d->regroup = true;
	m->changed |= TOPIC_NODES | TOPIC_TOPOLOGY;
	return keep;
}

static void drop_keys(struct model *m, struct node *n)
{
	while (n->keys != NULL) {
		struct node_key *key = n->keys;
		n->keys = key->next;
		HASH_DEL(m->keys, key);
		free(key);
	}
	key_addrs_again(m, n);
}

void node_part(struct model *m, struct node *n)
{
	drop_keys(m, n);
	node_release(n);
	if (endpoint_is_set(&n->dial))
		n->addr = n->dial;
	n->dial = (struct endpoint){ 0 };
	n->run_id[0] = n->sentinel_id[0] = n->cluster_id[0] = '\0';
	n->info_at_ms = n->role_fast_at_ms = n->cluster_info_at_ms = n->lag_at_ms = 0;
	n->said_down = false;
	n->said_down_ms = 0;
	n->lag_bytes.count = n->lag_bytes.next = 0;
	node_key_addr(m, n, &n->addr);
}

void node_remove(struct model *m, struct node *n)
{
	struct deployment *d = deployment_get(m, n->deployment_id);
	bool owned_slots = n->member != NULL && n->member->slot_count > 0;
	drop_keys(m, n);
	node_bury(m, n);
	if (d != NULL)
		d->regroup = true;
	/* Nobody else may claim its slots: no reply would say that they are uncovered. */
	if (d != NULL && d->cluster != NULL && owned_slots)
		cluster_map_rebuild(m, d);
	m->changed |= TOPIC_NODES | TOPIC_TOPOLOGY;
}

const struct node *model_next_node(const struct model *m, size_t *cursor)
{
	while (*cursor < m->node_count) {
		const struct node *n = m->nodes[(*cursor)++];
		if (n != NULL && !n->gone)
			return n;
	}
	return NULL;
}

const struct node *model_next_member(const struct model *m, uint32_t deployment_id, size_t *cursor)
{
	const struct deployment *d = deployment_get(m, deployment_id);
	return d != NULL && *cursor < d->member_count ? member_at(m, d, (*cursor)++) : NULL;
}

size_t model_node_count(const struct model *m)
{
	size_t count = 0, cursor = 0;
	const struct deployment *d;
	while ((d = model_next_deployment(m, &cursor)) != NULL)
		count += d->member_count;
	return count;
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
		for (size_t k = 0; k < d->group_count; k++)
			group_expire(m, d->groups[k]);
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
	m->now_ms = now_ms;
	m->wall_ms = wall_ms;
	if (now_ms - m->swept_ms >= SWEEP_EVERY_MS) {
		m->swept_ms = now_ms;
		expire_all(m);
	}
	regroup_all(m);
	free_dead(m);
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
	m->now_ms = obs->recv_ms;
	m->wall_ms = obs->wall_ms;
	struct node *n = node_get(m, obs->node_id);
	const struct deployment *d = n != NULL ? deployment_get(m, n->deployment_id) : NULL;
	m->scope = obs->question == ASK_TARGET ? obs->u.target->profile : d != NULL ? d->profile : 0;
	if (obs->question == ASK_TARGET) {
		apply_target(m, obs);
	} else if (obs->question == ASK_ACTION) {
		apply_action(m, obs, n);
	} else if (n == NULL) {
		return 0; /* it left while the reply was on its way */
	} else if (obs->question == ASK_LINK) {
		apply_link(m, obs, n);
	} else if (obs->question == ASK_MESSAGE) {
		apply_message(m, obs, n);
	} else {
		apply_answer(m, obs, n);
		if (obs->answer == ANSWER_OK)
			dispatch(m, obs, n);
	}
	regroup_all(m);
	free_dead(m);
	return m->changed;
}
