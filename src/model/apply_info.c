/* INFO: a node's word on itself, and a master's word on its replicas. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/lag.h"
#include "model/model_private.h"
#include "model/series.h"

/* Offsets and ages are added and multiplied: what no server can mean counts as not given. */
void bound_number(int64_t *value)
{
	const int64_t limit = INT64_C(1) << 53;
	if (*value < -limit || *value > limit)
		*value = FACT_UNKNOWN;
}

/* Keeps the node's own copy; the replicas array is reused. */
static void copy_info(struct node *n, const struct info_facts *f)
{
	struct info_replica *replicas = n->info.replicas;
	size_t cap = n->info.replica_cap;
	replicas = mem_grow(replicas, &cap, f->replica_count, sizeof(*replicas));
	if (f->replica_count > 0)
		memcpy(replicas, f->replicas, f->replica_count * sizeof(*replicas));
	for (size_t i = 0; i < f->replica_count; i++) {
		bound_number(&replicas[i].offset);
		bound_number(&replicas[i].lag_s);
	}
	n->info = *f;
	n->info.replicas = replicas;
	n->info.replica_cap = cap;
}

static void bound_numbers(struct info_facts *f)
{
	int64_t *const numbers[] = { &f->master_repl_offset, &f->slave_repl_offset,
				     &f->second_repl_offset, &f->backlog_size_bytes,
				     &f->backlog_first_byte_offset, &f->backlog_histlen_bytes,
				     &f->master_link_down_s, &f->master_last_io_s, &f->uptime_s,
				     &f->connected_clients, &f->blocked_clients, &f->maxclients,
				     &f->rejected_connections, &f->ops_per_sec, &f->keyspace_hits,
				     &f->keyspace_misses, &f->evicted_keys, &f->used_memory_bytes,
				     &f->maxmemory_bytes, &f->sync_full, &f->sync_partial_ok,
				     &f->sync_partial_err, &f->keys, &f->loading_eta_s,
				     &f->sync_read_bytes, &f->sync_total_bytes, &f->connected_slaves };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		bound_number(numbers[i]);
}

/* The run id is the process: a new one means a restart, one that we know at another address means
 * that both addresses are one node. An address that answered as one known process and now answers as
 * another one is a moving one (a virtual IP, a service name): what it was goes on elsewhere.
 * Returns the node to go on with. */
static struct node *apply_run_id(struct model *m, struct node *n, const char *run_id)
{
	if (run_id[0] == '\0' || strcmp(n->run_id, run_id) == 0)
		return n;
	struct node *same = node_by_key(m, "run:", run_id);
	if (n->run_id[0] != '\0' && same != NULL && same != n) {
		node_part(m, n);
	} else if (n->run_id[0] != '\0') {
		node_drop_key(m, n, "run:", n->run_id);
		model_node_event(m, EVENT_RESTARTED, n, "another process answers at this address");
	}
	snprintf(n->run_id, sizeof(n->run_id), "%.*s", ID_BYTES - 1, run_id);
	if (same != NULL && same != n)
		n = node_merge(m, same, n);
	node_add_key(m, n, "run:", run_id);
	return n;
}

static void apply_mode(struct model *m, struct node *n, const struct info_facts *f)
{
	struct deployment *d = deployment_get(m, n->deployment_id);
	if (!n->mode_known) {
		n->mode_known = true;
		m->changed |= TOPIC_NODES | TOPIC_TOPOLOGY;
	}
	bool sentinel = f->mode == MODE_SENTINEL;
	if (n->is_sentinel != sentinel) {
		n->is_sentinel = sentinel;
		m->changed |= TOPIC_NODES;
	}
	if (d == NULL)
		return;
	if (sentinel)
		deployment_set_kind(m, d, KIND_SENTINEL);
	else if (f->mode == MODE_CLUSTER && d->kind != KIND_SENTINEL)
		deployment_set_kind(m, d, KIND_CLUSTER);
	else if (d->kind == KIND_UNKNOWN)
		deployment_set_kind(m, d, KIND_REPLICATION);
}

static void apply_own_role(struct model *m, struct node *n, const struct info_facts *f, bool first)
{
	struct deployment *d = deployment_get(m, n->deployment_id);
	bool moved = f->role == ROLE_REPLICA && !endpoint_equal(&f->master, &n->info.master);
	if (d == NULL || (!first && f->role == n->info.role && !moved))
		return;
	d->regroup = true;
	if (first || f->role != n->info.role)
		n->role_ms = m->now_ms;
	if (f->role == ROLE_MASTER && n->info.role == ROLE_REPLICA)
		node_note_promotion(m, n);
	if (first || f->role == n->info.role || f->role == ROLE_UNKNOWN)
		return;
	model_node_event(m, EVENT_OWN_ROLE_CHANGED, n,
			 f->role == ROLE_MASTER ? "replica -> master" : "master -> replica");
}

/* A replica names its master: discovery upwards. A cluster lists its nodes by itself, and under
 * other addresses where it announces names. */
static void apply_own_master(struct model *m, struct node *n, const struct info_facts *f)
{
	const struct deployment *d = deployment_get(m, n->deployment_id);
	if (d == NULL || f->role != ROLE_REPLICA || !endpoint_is_set(&f->master))
		return;
	if (d->kind == KIND_CLUSTER)
		return;
	struct node *up = node_by_addr(m, &f->master);
	if (up == NULL || d->kind == KIND_REPLICATION)
		up = node_obtain(m, d->id, &f->master, false);
	if (up != NULL && up->deployment_id == n->deployment_id)
		n->claimed_ms = m->now_ms;
}

static void apply_listed_replica(struct model *m, struct node *master,
				 const struct info_facts *f, const struct info_replica *r,
				 int64_t at_ms)
{
	struct deployment *d = deployment_get(m, master->deployment_id);
	struct node *n = d->kind == KIND_CLUSTER ? node_by_addr(m, &r->addr)
						  : node_obtain(m, d->id, &r->addr, false);
	if (n == NULL || n == master)
		return;
	n->listed_by = master->id;
	bool online = strcmp(r->state, "online") == 0;
	int64_t bytes = FACT_UNKNOWN, offset = r->offset, lag_s = r->lag_s;
	bound_number(&offset);
	bound_number(&lag_s);
	if (online && f->master_repl_offset != FACT_UNKNOWN && offset != FACT_UNKNOWN)
		/* Its ACK may be newer than the master's own counter was: never below 0. */
		bytes = f->master_repl_offset > offset ? f->master_repl_offset - offset : 0;
	n->lag_now_bytes = bytes;
	n->lag_now_s = online ? lag_s : FACT_UNKNOWN;
	n->lag_at_ms = at_ms;
	history_add(&n->lag_bytes, at_ms, bytes);
	if (bytes != FACT_UNKNOWN)
		series_add(n, SERIES_LAG, (double)bytes, at_ms);
}

/* A cluster's replica may become known only after its master listed it. */
void node_list_replicas_again(struct model *m, struct node *master)
{
	for (size_t i = 0; i < master->info.replica_count; i++) {
		const struct info_replica *r = &master->info.replicas[i];
		const struct node *n = node_by_addr(m, &r->addr);
		if (n != NULL && n->lag_at_ms == 0)
			apply_listed_replica(m, master, &master->info, r, master->info_at_ms);
	}
}

/* A replica that its master listed a moment ago and no longer does has no lag that anybody knows,
 * unless it follows another one by now. */
static void forget_unlisted(struct model *m, const struct node *master)
{
	for (size_t i = 0; i < master->info.replica_count; i++) {
		struct node *n = node_by_addr(m, &master->info.replicas[i].addr);
		if (n == NULL || n->lag_at_ms == m->now_ms || n->lag_at_ms == 0 ||
		    (n->upstream_id != 0 && model_node_resolve(m, n->upstream_id) != master->id))
			continue;
		n->lag_now_bytes = n->lag_now_s = FACT_UNKNOWN;
		n->lag_at_ms = 0;
		history_add(&n->lag_bytes, m->now_ms, FACT_UNKNOWN);
		m->changed |= TOPIC_HEALTH;
	}
}

static void apply_listed_replicas(struct model *m, struct node *n, const struct info_facts *f)
{
	struct deployment *d = deployment_get(m, n->deployment_id);
	if (d == NULL || f->mode == MODE_SENTINEL)
		return;
	for (size_t i = 0; i < f->replica_count; i++)
		apply_listed_replica(m, n, f, &f->replicas[i], m->now_ms);
	forget_unlisted(m, n);
	/* A replica at a known address may have drawn two deployments together. */
	d = deployment_get(m, n->deployment_id);
	if (d == NULL)
		return;
	if (f->replica_count != n->info.replica_count)
		d->regroup = true;
	if (d->kind == KIND_REPLICATION) {
		d->listed_ms = m->now_ms;
		if (d->complete_ms == 0)
			d->complete_ms = m->now_ms;
	}
}

static double rate(int64_t now, int64_t before, int64_t span_ms)
{
	if (now == FACT_UNKNOWN || before == FACT_UNKNOWN || span_ms <= 0 || now < before)
		return FACT_UNKNOWN_DOUBLE;
	return (double)(now - before) * 1000.0 / (double)span_ms;
}

/* Rates come from differences; a restart or CONFIG RESETSTAT starts anew. */
static void apply_rates(struct node *n, const struct info_facts *f, int64_t now_ms)
{
	int64_t span_ms = now_ms - n->info_at_ms;
	n->repl_rate_bytes_s = rate(f->master_repl_offset, n->info.master_repl_offset, span_ms);
	if (f->keyspace_hits < n->info.keyspace_hits ||
	    f->keyspace_misses < n->info.keyspace_misses || n->info.keyspace_hits == FACT_UNKNOWN ||
	    n->info.keyspace_misses == FACT_UNKNOWN) {
		n->hit_rate = FACT_UNKNOWN_DOUBLE;
		return;
	}
	int64_t hits = f->keyspace_hits - n->info.keyspace_hits;
	double reads = (double)hits + (double)(f->keyspace_misses - n->info.keyspace_misses);
	if (reads <= 0)
		return;
	n->hit_rate = (double)hits / reads;
	series_add(n, SERIES_HIT_RATE, n->hit_rate * 100, now_ms);
}

static void apply_resync(struct model *m, struct node *n, const struct info_facts *f)
{
	if (f->sync_in_progress == 1 && n->info.sync_in_progress != 1)
		model_node_event(m, EVENT_RESYNC, n, "full synchronisation from its master");
}

static bool health_changed(const struct info_facts *a, const struct info_facts *b)
{
	return a->loading != b->loading || a->master_link_up != b->master_link_up ||
	       a->sync_in_progress != b->sync_in_progress || a->sentinel_tilt != b->sentinel_tilt;
}

/* TILT and version are cells of it. */
static void judge_agreement(struct model *m, const struct node *sentinel)
{
	struct deployment *d = deployment_get(m, sentinel->deployment_id);
	if (d != NULL)
		d->judge = true;
}

void apply_info(struct model *m, const struct observation *obs, struct node *n)
{
	struct info_facts facts = *obs->u.info;
	const struct info_facts *f = &facts;
	const struct node *other = node_leads_to(m, n, f->run_id);
	bound_numbers(&facts);
	if ((other != NULL ? other->id : 0) != n->leads_to)
		m->changed |= TOPIC_HEALTH | TOPIC_NODES;
	n->leads_to = other != NULL ? other->id : 0;
	if (other != NULL)
		return; /* nothing of it is said of this member */
	n = apply_run_id(m, n, f->run_id);
	bool first = n->info_at_ms == 0;
	apply_mode(m, n, f);
	if (!n->is_sentinel) {
		apply_own_role(m, n, f, first);
		apply_own_master(m, n, f);
		apply_listed_replicas(m, n, f);
	}
	m->changed |= TOPIC_VALUES;
	if (first || health_changed(&n->info, f))
		m->changed |= TOPIC_HEALTH;
	if (n->is_sentinel && (first || n->info.sentinel_tilt != f->sentinel_tilt ||
			       strcmp(n->info.version, f->version) != 0))
		judge_agreement(m, n);
	if (!first) {
		apply_rates(n, f, m->now_ms);
		apply_resync(m, n, f);
	}
	copy_info(n, f);
	n->info_at_ms = m->now_ms;
	n->link.rtt_us = obs->rtt_us;
	series_note(n, m->now_ms);
	/* A single server lists nobody: its own answer completes the set. */
	struct deployment *d = deployment_get(m, n->deployment_id);
	if (d != NULL && d->kind == KIND_REPLICATION && d->complete_ms == 0)
		d->complete_ms = d->listed_ms = m->now_ms;
}
