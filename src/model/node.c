/* Nodes: the keys that find them, how one comes, leaves, or turns out to be another. */
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "model/model_private.h"
#include "model/series.h"

/* Members that turn up so soon after the first listing were there all the time. */
#define JOIN_QUIET_MS 5000

/* Releases what a node owns. */
void node_release(struct node *n)
{
	free(n->info.replicas);
	n->info.replicas = NULL;
	n->info.replica_count = n->info.replica_cap = 0;
	cluster_member_free(n->member);
	n->member = NULL;
	free(n->refusals);
	n->refusals = NULL;
	n->refusal_count = n->refusal_cap = 0;
	free(n->series);
	n->series = NULL;
}

/* --- keys ------------------------------------------------------------------------------------ */

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

/* Where an id is among those in order, or would be. */
static size_t id_place(const uint32_t *ids, size_t count, uint32_t id)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void key_new(struct model *m, struct node *n, const char *text)
{
	struct node_key *key = mem_alloc(sizeof(*key));
	snprintf(key->text, sizeof(key->text), "%s", text);
	HASH_ADD_STR(m->keys, text, key);
	key->node_id = n->id;
	key->next = n->keys;
	n->keys = key;
}

/* Two nodes may have claimed one address: when the one that took it lets go of it, it names the other
 * one again. */
static void note_lost_addr(struct model *m, const char *text, uint32_t node_id)
{
	struct lost_addr *lost = NULL;
	HASH_FIND_STR(m->lost_addrs, text, lost);
	if (lost == NULL) {
		lost = mem_alloc(sizeof(*lost));
		snprintf(lost->text, sizeof(lost->text), "%s", text);
		HASH_ADD_STR(m->lost_addrs, text, lost);
	}
	size_t at = id_place(lost->ids, lost->count, node_id);
	if (at < lost->count && lost->ids[at] == node_id)
		return;
	lost->ids = mem_grow(lost->ids, &lost->cap, lost->count + 1, sizeof(*lost->ids));
	memmove(&lost->ids[at + 1], &lost->ids[at], (lost->count - at) * sizeof(*lost->ids));
	lost->ids[at] = node_id;
	lost->count++;
}

static void lost_addr_free(struct model *m, struct lost_addr *lost)
{
	HASH_DEL(m->lost_addrs, lost);
	free(lost->ids);
	free(lost);
}

void lost_addrs_free(struct model *m)
{
	struct lost_addr *lost, *next;
	HASH_ITER(hh, m->lost_addrs, lost, next)
		lost_addr_free(m, lost);
}

/* The key under which a node goes by its address. */
static bool addr_key_text(const struct model *m, const struct node *n, char *out, size_t size)
{
	char addr[ENDPOINT_TEXT_BYTES];
	const struct deployment *d = deployment_get(m, n->deployment_id);
	if (d != NULL)
		key_text(out, size, d->profile, "", endpoint_format(&n->addr, addr));
	return d != NULL;
}

void node_note_lost_addr(struct model *m, const struct node *n)
{
	char text[sizeof(((struct node_key *)0)->text)];
	const struct node_key *key = addr_key_text(m, n, text, sizeof(text)) ? key_find(m, text) : NULL;
	if (key != NULL && key->node_id != n->id)
		note_lost_addr(m, text, n->id);
}

/* By the one that had the key: of those that go by it still, the oldest gets it. */
static void addr_let_go(struct model *m, const struct node *by, const char *text)
{
	char own[sizeof(((struct node_key *)0)->text)];
	struct lost_addr *lost = NULL;
	HASH_FIND_STR(m->lost_addrs, text, lost);
	if (lost == NULL)
		return;
	for (size_t i = 0; i < lost->count; i++) {
		struct node *n = node_get(m, lost->ids[i]);
		if (n == NULL || n == by || !addr_key_text(m, n, own, sizeof(own)) || strcmp(own, text) != 0)
			continue;
		key_new(m, n, text);
		lost->count -= i + 1;
		memmove(lost->ids, &lost->ids[i + 1], lost->count * sizeof(*lost->ids));
		return;
	}
	lost_addr_free(m, lost);
}

void node_add_key(struct model *m, struct node *n, const char *prefix, const char *id)
{
	char text[sizeof(((struct node_key *)0)->text)];
	key_text(text, sizeof(text), m->scope, prefix, id);
	struct node_key *key = key_find(m, text);
	if (key == NULL) {
		key_new(m, n, text);
		return;
	}
	if (key->node_id == n->id)
		return;
	if (prefix[0] == '\0')
		note_lost_addr(m, text, key->node_id);
	key_unlink(m, key);
	key->node_id = n->id;
	key->next = n->keys;
	n->keys = key;
}

static void key_drop(struct model *m, struct node_key *key)
{
	const struct node *n = m->nodes[key->node_id - 1];
	key_unlink(m, key);
	HASH_DEL(m->keys, key);
	addr_let_go(m, n, key->text);
	free(key);
}

void node_drop_key(struct model *m, struct node *n, const char *prefix, const char *id)
{
	char text[sizeof(((struct node_key *)0)->text)];
	key_text(text, sizeof(text), m->scope, prefix, id);
	struct node_key *key = key_find(m, text);
	if (key != NULL && node_get(m, key->node_id) == n)
		key_drop(m, key);
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
	return id_place(d->member_ids, d->member_count, id);
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

void nodes_free_dead(struct model *m)
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

struct node *node_new(struct model *m, uint32_t deployment_id, const struct endpoint *addr)
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
	series_merge(&keep->series, &drop->series);
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
	node_note_lost_addr(m, keep);
	struct deployment *d = deployment_get(m, keep->deployment_id);
	if (d != NULL)
		d->regroup = true;
	m->changed |= TOPIC_NODES | TOPIC_TOPOLOGY;
	return keep;
}

static void drop_keys(struct model *m, struct node *n)
{
	while (n->keys != NULL)
		key_drop(m, n->keys);
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

bool node_answers(const struct node *n)
{
	if (n->link.state != LINK_UP || n->info_at_ms == 0 || n->info_at_ms < n->link.since_ms)
		return false;
	for (size_t i = 0; i < n->refusal_count; i++)
		if (n->refusals[i].question == ASK_INFO && n->refusals[i].at_ms > n->info_at_ms)
			return false;
	return true;
}

static bool says_role(const struct node *n, enum role role)
{
	if (n->link.state != LINK_UP || n->info_at_ms == 0)
		return false;
	return (n->role_fast_at_ms > n->info_at_ms ? n->role_fast.role : n->info.role) == role;
}

bool node_says_master(const struct node *n)
{
	return says_role(n, ROLE_MASTER);
}

bool node_says_replica(const struct node *n)
{
	return says_role(n, ROLE_REPLICA);
}

bool node_version_from(const struct node *n, int64_t major, int64_t minor)
{
	const char *dot = strchr(n->info.version, '.');
	int64_t own, behind = 0;
	if (dot == NULL || !number_parse(n->info.version, (size_t)(dot - n->info.version), 0, 1000, &own) ||
	    !number_parse(dot + 1, strcspn(dot + 1, "."), 0, 1000, &behind))
		return false;
	return own > major || (own == major && behind >= minor);
}
