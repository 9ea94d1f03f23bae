#include "config.h"

#include "fuzz_facts.h"

#include <math.h>
#include <string.h>

#include "fuzz.h"

static void check_count(int64_t value)
{
	FUZZ_ASSERT(value >= 0 || value == FACT_UNKNOWN);
}

static void check_ratio(double value)
{
	FUZZ_ASSERT(isfinite(value) && (value >= 0 || value == FACT_UNKNOWN_DOUBLE));
}

static void check_id(const char id[ID_BYTES])
{
	FUZZ_ASSERT(memchr(id, '\0', ID_BYTES) != NULL);
	FUZZ_CLEAN_TEXT(id);
}

static void check_replicas(const struct info_facts *f)
{
	FUZZ_ASSERT(f->replica_count <= f->replica_cap && f->replica_count <= 4096);
	for (size_t i = 0; i < f->replica_count; i++) {
		const struct info_replica *r = &f->replicas[i];

		fuzz_check_endpoint(&r->addr);
		FUZZ_ASSERT(endpoint_is_set(&r->addr) && !endpoint_is_unix(&r->addr));
		FUZZ_CLEAN(r->state);
		check_count(r->offset);
		check_count(r->lag_s);
	}
}

void fuzz_check_info(const struct info_facts *f)
{
	const int64_t counts[] = {
		f->uptime_s, f->connected_clients, f->blocked_clients, f->maxclients,
		f->rejected_connections, f->ops_per_sec, f->keyspace_hits, f->keyspace_misses,
		f->evicted_keys, f->used_memory_bytes, f->maxmemory_bytes, f->sync_full,
		f->sync_partial_ok, f->sync_partial_err, f->keys, f->loading, f->loading_eta_s,
		f->master_link_up, f->sync_in_progress, f->sync_read_bytes, f->sync_total_bytes,
		f->priority, f->replica_announced, f->connected_slaves, f->backlog_active,
		f->backlog_size_bytes, f->backlog_histlen_bytes, f->sentinel_tilt,
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		check_count(counts[i]);
	check_ratio(f->input_kbps);
	check_ratio(f->output_kbps);
	check_ratio(f->loading_percent);
	check_id(f->run_id);
	check_id(f->replid);
	check_id(f->replid2);
	FUZZ_CLEAN(f->version);
	FUZZ_CLEAN(f->rdb_last_bgsave_status);
	FUZZ_CLEAN(f->aof_last_write_status);
	FUZZ_CLEAN(f->failover_state);
	fuzz_check_endpoint(&f->master);
	FUZZ_ASSERT(f->role <= ROLE_SENTINEL && f->mode <= MODE_SENTINEL);
	FUZZ_ASSERT(f->role == ROLE_REPLICA || !endpoint_is_set(&f->master));
	FUZZ_ASSERT(f->master_link_up == FACT_UNKNOWN || f->master_link_up <= 1);
	check_replicas(f);
}

void fuzz_check_instance(const struct sentinel_instance *f)
{
	const int64_t counts[] = {
		f->last_ping_sent_ms, f->last_ok_ping_reply_ms, f->last_ping_reply_ms,
		f->s_down_time_ms, f->o_down_time_ms, f->down_after_ms, f->info_refresh_ms,
		f->role_reported_time_ms, f->config_epoch, f->num_slaves, f->num_other_sentinels,
		f->quorum, f->failover_timeout_ms, f->parallel_syncs, f->master_link_ok, f->priority,
		f->replica_announced, f->last_hello_message_ms, f->voted_leader_epoch,
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		check_count(counts[i]);
	FUZZ_CLEAN(f->name);
	FUZZ_CLEAN(f->failover_state);
	check_id(f->run_id);
	check_id(f->voted_leader);
	fuzz_check_endpoint(&f->addr);
	fuzz_check_endpoint(&f->master);
	FUZZ_ASSERT(endpoint_is_set(&f->addr) && f->addr.port != 0);
	FUZZ_ASSERT(f->role_reported <= ROLE_SENTINEL);
	FUZZ_ASSERT(f->flags < SFLAG_MASTER_REBOOT * 2);
}

void fuzz_check_message(const struct sentinel_message *f)
{
	FUZZ_CLEAN(f->channel);
	FUZZ_CLEAN(f->instance_type);
	FUZZ_CLEAN(f->name);
	FUZZ_CLEAN(f->master_name);
	FUZZ_CLEAN(f->run_id);
	FUZZ_CLEAN(f->detail);
	fuzz_check_endpoint(&f->addr);
	fuzz_check_endpoint(&f->master);
	fuzz_check_endpoint(&f->new_master);
	check_count(f->epoch);
	FUZZ_ASSERT(f->instance_type[0] == '\0' ||
		    (endpoint_is_set(&f->addr) && endpoint_is_set(&f->master)));
	FUZZ_ASSERT(!endpoint_is_set(&f->new_master) || endpoint_is_set(&f->master));
}

void fuzz_check_hello(const struct sentinel_hello *f)
{
	check_id(f->run_id);
	FUZZ_CLEAN(f->master_name);
	fuzz_check_endpoint(&f->sentinel);
	fuzz_check_endpoint(&f->master);
	FUZZ_ASSERT(f->sentinel.port != 0 && f->master.port != 0);
}

static void check_node_id(const char *id)
{
	FUZZ_ASSERT(strnlen(id, ID_BYTES) == ID_BYTES - 1);
	FUZZ_ASSERT(strspn(id, "0123456789abcdef") == ID_BYTES - 1);
}

static void check_node_line(const struct cluster_node_line *l)
{
	check_node_id(l->id);
	if (l->master_id[0] != '\0')
		check_node_id(l->master_id);
	FUZZ_CLEAN(l->hostname);
	fuzz_check_endpoint(&l->addr);
	FUZZ_ASSERT(!endpoint_is_unix(&l->addr));
	FUZZ_ASSERT(l->flags < CFLAG_NOFAILOVER * 2);
	FUZZ_ASSERT(l->ping_sent_ms >= 0 && l->pong_recv_ms >= 0 && l->config_epoch >= 0);
	FUZZ_ASSERT((l->slot_count == 0) == (l->slots == NULL) && l->slot_count <= SLOT_COUNT);
	FUZZ_ASSERT((l->open_count == 0) == (l->open == NULL) && l->open_count <= SLOT_COUNT);
	for (size_t i = 0; i < l->slot_count; i++)
		FUZZ_ASSERT(l->slots[i].first <= l->slots[i].last && l->slots[i].last < SLOT_COUNT);
	for (size_t i = 0; i < l->open_count; i++) {
		FUZZ_ASSERT(l->open[i].slot < SLOT_COUNT);
		check_node_id(l->open[i].peer);
	}
}

void fuzz_check_cluster_nodes(const struct cluster_nodes_facts *f)
{
	for (size_t i = 0; i < f->count; i++)
		check_node_line(&f->lines[i]);
}

void fuzz_check_cluster_info(const struct cluster_info_facts *f)
{
	const int64_t counts[] = { f->slots_assigned, f->slots_ok, f->slots_pfail, f->slots_fail,
				   f->known_nodes, f->size, f->current_epoch, f->my_epoch };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		check_count(counts[i]);
}

static void check_ok(const struct observation *o)
{
	switch (o->question) {
	case ASK_INFO:
		fuzz_check_info(o->u.info);
		break;
	case ASK_ROLE:
		FUZZ_CLEAN(o->u.role->state);
		fuzz_check_endpoint(&o->u.role->master);
		FUZZ_ASSERT(o->u.role->role != ROLE_UNKNOWN);
		break;
	case ASK_SENTINEL_MYID:
		FUZZ_ASSERT(strlen(o->u.myid) == ID_BYTES - 1);
		FUZZ_CLEAN_TEXT(o->u.myid);
		break;
	case ASK_SENTINEL_MASTERS:
	case ASK_SENTINEL_REPLICAS:
	case ASK_SENTINEL_SENTINELS:
		for (size_t i = 0; i < o->u.list->count; i++)
			fuzz_check_instance(&o->u.list->items[i]);
		break;
	case ASK_SENTINEL_CKQUORUM:
		FUZZ_CLEAN(o->u.ckquorum->message);
		check_count(o->u.ckquorum->usable);
		break;
	case ASK_CLUSTER_INFO:
		fuzz_check_cluster_info(o->u.cluster_info);
		break;
	case ASK_CLUSTER_NODES:
		fuzz_check_cluster_nodes(o->u.cluster_nodes);
		FUZZ_ASSERT(o->u.cluster_nodes->count > 0);
		break;
	case ASK_MESSAGE:
		fuzz_check_message(o->u.message);
		break;
	case ASK_SENTINEL_HELLO:
		fuzz_check_hello(o->u.hello);
		break;
	default:
		break;
	}
}

void fuzz_check_observation(const struct observation *o)
{
	FUZZ_ASSERT(o->answer == ANSWER_OK || o->answer == ANSWER_REFUSED ||
		    o->answer == ANSWER_MALFORMED);
	FUZZ_ASSERT((o->answer == ANSWER_REFUSED) == (o->error != ERROR_NONE));
	FUZZ_ASSERT(o->answer == ANSWER_OK || o->text != NULL);
	if (o->text)
		FUZZ_CLEAN_TEXT(o->text);
	if (o->answer == ANSWER_OK)
		check_ok(o);
}
