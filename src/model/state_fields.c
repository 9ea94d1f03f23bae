/* What is in a key frame: every member of every struct of the model, with how it is written or why it
 * is not. The names are the format: a member that is renamed is another one. */
#include "model/agreement.h"
#include "model/agreement_cluster.h"
#include "model/failovers.h"
#include "model/probe.h"
#include "model/series.h"
#include "model/state_private.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- enums ------------------------------------------------------------------------------------- */

#define ENUM_NAMES(id, size, ...)                                                                  \
	static const char *const names_##id[] = { __VA_ARGS__ };                                   \
	_Static_assert(COUNT(names_##id) == (size), "a value of the enum has no name here");       \
	static const struct state_enum enum_##id = { #id, names_##id, COUNT(names_##id) }

#define X(id, name) name,
ENUM_NAMES(question, ASK_COUNT, QUESTIONS(X));
#undef X
ENUM_NAMES(link_state, LINK_PROTOCOL + 1, "none", "resolving", "connecting", "up", "failed", "lost",
	   "silent", "auth-error", "protocol");
ENUM_NAMES(server_error, ERROR_TLS + 1, "none", "other", "noauth", "wrongpass", "no-password-set",
	   "noperm", "loading", "busy", "masterdown", "readonly", "clusterdown", "inprog",
	   "nogoodslave", "noquorum", "unknown-command", "denied", "maxclients", "tls");
ENUM_NAMES(server_mode, MODE_SENTINEL + 1, "unknown", "standalone", "cluster", "sentinel");
ENUM_NAMES(role, ROLE_SENTINEL + 1, "unknown", "master", "replica", "sentinel");
ENUM_NAMES(deployment_kind, KIND_REPLICATION + 1, "unknown", "sentinel", "cluster", "replication");
ENUM_NAMES(failover_phase, PHASE_ABORTED + 1, "none", "try", "elected", "select", "selected",
	   "promotion", "reconf", "ended", "aborted");
ENUM_NAMES(failover_cause, CAUSE_REDOUBT + 1, "unknown", "crash", "manual", "redoubt");
ENUM_NAMES(severity, SEVERITY_CRITICAL + 1, "info", "notice", "warning", "critical");

/* --- fields ------------------------------------------------------------------------------------ */

#define MEMBER(s, m)                                                                               \
	.name = #m, .members = #m, .offset = offsetof(struct s, m),                                \
	.size = sizeof(((struct s *)0)->m)
#define SIZE_OF(s, m) .count_offset = offsetof(struct s, m), .count_size = sizeof(((struct s *)0)->m)

#define INT(s, m, least, most) { MEMBER(s, m), .type = STATE_INT, .low = (least), .high = (most) }
#define BOOL(s, m)             INT(s, m, 0, 1)
/* Added and multiplied by others: within bounds, or unknown. */
#define FACT(s, m)                                                                                 \
	{ MEMBER(s, m), .type = STATE_INT, .low = -STATE_LIMIT, .high = STATE_LIMIT,               \
	  .fallback = FACT_UNKNOWN }
/* Only compared and shown. */
#define WIDE(s, m)                                                                                 \
	{ MEMBER(s, m), .type = STATE_INT, .low = INT64_MIN, .high = INT64_MAX,                    \
	  .fallback = FACT_UNKNOWN }
#define TIME(s, m)      { MEMBER(s, m), .type = STATE_TIME }
#define NODE(s, m)      { MEMBER(s, m), .type = STATE_NODE_ID, .high = STATE_NODE_IDS_MAX }
#define ENUM(s, m, e)   { MEMBER(s, m), .type = STATE_ENUM, .values = &enum_##e }
#define DOUBLE(s, m)    { MEMBER(s, m), .type = STATE_DOUBLE }
#define TEXT(s, m)      { MEMBER(s, m), .type = STATE_TEXT }
#define STRING(s, m)    { MEMBER(s, m), .type = STATE_STRING }
#define RECORD(s, m, r) { MEMBER(s, m), .type = STATE_RECORD, .record = &record_##r }
#define OPTIONAL(s, m, r) { MEMBER(s, m), .type = STATE_OPTIONAL, .record = &record_##r }
#define LIST(s, m, n, c, r)                                                                        \
	{ .name = #m, .members = #m " " #n " " #c, .type = STATE_LIST,                             \
	  .offset = offsetof(struct s, m), .size = sizeof(void *), SIZE_OF(s, n),                  \
	  .cap_offset = offsetof(struct s, c), .record = &record_##r }
/* Never longer than it is. */
#define TIGHT_LIST(s, m, n, r)                                                                     \
	{ .name = #m, .members = #m " " #n, .type = STATE_LIST, .offset = offsetof(struct s, m),   \
	  .size = sizeof(void *), SIZE_OF(s, n), .cap_offset = SIZE_MAX, .record = &record_##r }
/* A longer one is refused. */
#define SHORT_LIST(s, m, n, r, most)                                                               \
	{ .name = #m, .members = #m " " #n, .type = STATE_LIST, .offset = offsetof(struct s, m),   \
	  .size = sizeof(void *), SIZE_OF(s, n), .cap_offset = SIZE_MAX, .high = (most),           \
	  .record = &record_##r }
#define ARRAY(s, m, n, r)                                                                          \
	{ .name = #m, .members = #m " " #n, .type = STATE_ARRAY, .offset = offsetof(struct s, m),  \
	  .size = sizeof(((struct s *)0)->m), SIZE_OF(s, n), .record = &record_##r }
#define POINTERS(s, m, n, c, r)                                                                    \
	{ .name = #m, .members = #m " " #n " " #c, .type = STATE_POINTERS,                         \
	  .offset = offsetof(struct s, m), .size = sizeof(void *), SIZE_OF(s, n),                  \
	  .cap_offset = offsetof(struct s, c), .record = &record_##r }
#define NODES(s, m, n, c)                                                                          \
	{ .name = #m, .members = #m " " #n " " #c, .type = STATE_NODE_IDS,                         \
	  .offset = offsetof(struct s, m), .size = sizeof(void *), SIZE_OF(s, n),                  \
	  .cap_offset = offsetof(struct s, c) }
#define BYTES(n, covered, h)                                                                       \
	{ .name = n, .members = covered, .type = STATE_BYTES, .hook = &state_hook_##h }
#define ITEMS(n, covered, r, h)                                                                    \
	{ .name = n, .members = covered, .type = STATE_ITEMS, .record = &record_##r,               \
	  .hook = &state_hook_##h }
#define NOT_SAVED(covered, reason) { .name = "", .members = covered, .why = reason }

#define RECORD_OF(id, s, checked)                                                                  \
	static const struct state_record record_##id = { #s, sizeof(struct s), fields_##id,        \
							 COUNT(fields_##id), checked }

/* --- facts ------------------------------------------------------------------------------------- */

static const char *check_endpoint(void *object)
{
	struct endpoint *ep = object;
	if (ep->host[0] == '\0')
		ep->port = 0;
	return NULL;
}

static const struct state_field fields_endpoint[] = {
	INT(endpoint, port, 0, UINT16_MAX),
	TEXT(endpoint, host),
};
RECORD_OF(endpoint, endpoint, check_endpoint);

static const struct state_field fields_info_replica[] = {
	RECORD(info_replica, addr, endpoint),
	TEXT(info_replica, state),
	FACT(info_replica, offset),
	FACT(info_replica, lag_s),
};
RECORD_OF(info_replica, info_replica, NULL);

#define I(m) FACT(info_facts, m)
static const struct state_field fields_info[] = {
	TEXT(info_facts, run_id),
	TEXT(info_facts, version),
	BOOL(info_facts, valkey),
	ENUM(info_facts, mode, server_mode),
	I(uptime_s), I(connected_clients), I(blocked_clients), I(maxclients),
	I(rejected_connections), I(ops_per_sec), I(keyspace_hits), I(keyspace_misses),
	I(evicted_keys),
	DOUBLE(info_facts, input_kbps),
	DOUBLE(info_facts, output_kbps),
	I(used_memory_bytes), I(maxmemory_bytes), I(sync_full), I(sync_partial_ok),
	I(sync_partial_err), I(keys),
	WIDE(info_facts, loading),
	DOUBLE(info_facts, loading_percent),
	I(loading_eta_s),
	TEXT(info_facts, rdb_last_bgsave_status),
	TEXT(info_facts, aof_last_write_status),
	WIDE(info_facts, rdb_bgsave_in_progress),
	WIDE(info_facts, aof_rewrite_in_progress),
	I(rdb_last_save_time), I(rdb_saves), I(rdb_changes_since_last_save),
	I(save_keys_processed), I(save_keys_total),
	ENUM(info_facts, role, role),
	RECORD(info_facts, master, endpoint),
	WIDE(info_facts, master_link_up),
	I(master_last_io_s),
	WIDE(info_facts, sync_in_progress),
	I(sync_read_bytes), I(sync_total_bytes), I(master_link_down_s), I(slave_repl_offset),
	WIDE(info_facts, priority),
	WIDE(info_facts, replica_announced),
	I(connected_slaves),
	TEXT(info_facts, replid),
	TEXT(info_facts, replid2),
	I(master_repl_offset), I(second_repl_offset),
	WIDE(info_facts, backlog_active),
	I(backlog_size_bytes), I(backlog_first_byte_offset), I(backlog_histlen_bytes),
	TEXT(info_facts, failover_state),
	WIDE(info_facts, sentinel_tilt),
	LIST(info_facts, replicas, replica_count, replica_cap, info_replica),
};
#undef I
RECORD_OF(info, info_facts, NULL);

#define S(m) FACT(sentinel_instance, m)
static const struct state_field fields_instance[] = {
	TEXT(sentinel_instance, name),
	BOOL(sentinel_instance, name_cleaned),
	RECORD(sentinel_instance, addr, endpoint),
	TEXT(sentinel_instance, run_id),
	INT(sentinel_instance, flags, 0, UINT32_MAX),
	S(last_ping_sent_ms), S(last_ok_ping_reply_ms), S(last_ping_reply_ms), S(s_down_time_ms),
	S(o_down_time_ms), S(down_after_ms), S(info_refresh_ms), S(role_reported_time_ms),
	ENUM(sentinel_instance, role_reported, role),
	TEXT(sentinel_instance, failover_state),
	S(config_epoch), S(num_slaves), S(num_other_sentinels), S(quorum), S(failover_timeout_ms),
	S(parallel_syncs), S(master_link_down_time_ms),
	WIDE(sentinel_instance, master_link_ok),
	RECORD(sentinel_instance, master, endpoint),
	S(priority), S(repl_offset),
	WIDE(sentinel_instance, replica_announced),
	S(last_hello_message_ms), S(voted_leader_epoch),
	TEXT(sentinel_instance, voted_leader),
};
#undef S
RECORD_OF(instance, sentinel_instance, NULL);

static const struct state_field fields_ckquorum[] = {
	BOOL(ckquorum_facts, ok),
	WIDE(ckquorum_facts, usable),
	TEXT(ckquorum_facts, message),
};
RECORD_OF(ckquorum, ckquorum_facts, NULL);

static const struct state_field fields_role[] = {
	ENUM(role_facts, role, role),
	WIDE(role_facts, offset),
	RECORD(role_facts, master, endpoint),
	TEXT(role_facts, state),
};
RECORD_OF(role, role_facts, NULL);

static const struct state_field fields_cluster_info[] = {
	BOOL(cluster_info_facts, state_ok),
	FACT(cluster_info_facts, slots_assigned),
	FACT(cluster_info_facts, slots_ok),
	FACT(cluster_info_facts, slots_pfail),
	FACT(cluster_info_facts, slots_fail),
	FACT(cluster_info_facts, known_nodes),
	FACT(cluster_info_facts, size),
	FACT(cluster_info_facts, current_epoch),
	FACT(cluster_info_facts, my_epoch),
};
RECORD_OF(cluster_info, cluster_info_facts, NULL);

/* --- nodes ------------------------------------------------------------------------------------- */

static const char *check_slot_range(void *object)
{
	const struct slot_range *range = object;
	return range->first <= range->last ? NULL : "a range of slots ends before it begins";
}

static const struct state_field fields_slot_range[] = {
	INT(slot_range, first, 0, SLOT_COUNT - 1),
	INT(slot_range, last, 0, SLOT_COUNT - 1),
};
RECORD_OF(slot_range, slot_range, check_slot_range);

static const struct state_field fields_open_slot[] = {
	INT(open_slot, slot, 0, SLOT_COUNT - 1),
	BOOL(open_slot, importing),
	TEXT(open_slot, peer),
};
RECORD_OF(open_slot, open_slot, NULL);

static const struct state_field fields_fail_claim[] = {
	NODE(fail_claim, by),
	BOOL(fail_claim, fail),
	TIME(fail_claim, at_ms),
};
RECORD_OF(fail_claim, fail_claim, NULL);

static const struct state_field fields_claim_echo[] = {
	NODE(claim_echo, by),
	TIME(claim_echo, at_ms),
};
RECORD_OF(claim_echo, claim_echo, NULL);

static const struct state_field fields_member[] = {
	INT(cluster_member, flags, 0, UINT32_MAX),
	TEXT(cluster_member, master_id),
	INT(cluster_member, config_epoch, INT64_MIN, INT64_MAX),
	BOOL(cluster_member, link_connected),
	NODE(cluster_member, claimed_by),
	TIME(cluster_member, at_ms),
	BOOL(cluster_member, self_claimed),
	TIME(cluster_member, self_ms),
	TIGHT_LIST(cluster_member, slots, slot_count, slot_range),
	TIGHT_LIST(cluster_member, open, open_count, open_slot),
	LIST(cluster_member, claims, claim_count, claim_cap, fail_claim),
	NODE(cluster_member, seconded_by),
	TIME(cluster_member, seconded_ms),
	TIME(cluster_member, claim_ms),
	SHORT_LIST(cluster_member, echoes, echo_count, claim_echo, FAILOVER_OBSERVERS_MAX),
	TIME(cluster_member, fail_since_ms),
	TIME(cluster_member, pfail_since_ms),
};
RECORD_OF(member, cluster_member, NULL);

static const struct state_field fields_link[] = {
	ENUM(node_link, state, link_state),
	TIME(node_link, since_ms),
	TIME(node_link, last_reply_ms),
	TIME(node_link, lost_ms),
	ENUM(node_link, error, server_error),
	TEXT(node_link, reason),
	{ MEMBER(node_link, rtt_us), .type = STATE_INT, .low = -1, .high = INT32_MAX, .fallback = -1 },
};
RECORD_OF(link, node_link, NULL);

static const struct state_field fields_refusal[] = {
	ENUM(refusal, question, question),
	ENUM(refusal, error, server_error),
	TIME(refusal, at_ms),
	TEXT(refusal, arg),
	TEXT(refusal, text),
};
RECORD_OF(refusal, refusal, NULL);

static const struct state_field fields_series[] = {
	INT(series, newest, 0, STATE_LIMIT),
#define X(id, title, unit)                                                                         \
	{ .name = title, .members = "cells", .type = STATE_BYTES, .hook = &state_hook_series_line, \
	  .index = (id) },                                                                         \
	{ .name = title " averaged", .members = "counts", .type = STATE_INT,                       \
	  .offset = offsetof(struct series, counts) + (id) * sizeof(uint16_t),                     \
	  .size = sizeof(uint16_t), .high = UINT16_MAX },
	SERIES(X)
#undef X
};
RECORD_OF(series, series, NULL);

static const struct state_field fields_node[] = {
	NOT_SAVED("id", "its place"),
	INT(node, deployment_id, 1, UINT32_MAX),
	INT(node, group_id, 0, UINT32_MAX),
	NODE(node, upstream_id),
	NODE(node, leads_to),
	NODE(node, listed_by),
	BOOL(node, is_target),
	BOOL(node, is_sentinel),
	BOOL(node, mode_known),
	NOT_SAVED("gone", "gone ones are freed before anybody saves"),
	BYTES("keys", "keys", keys),
	RECORD(node, addr, endpoint),
	RECORD(node, dial, endpoint),
	TEXT(node, run_id),
	TEXT(node, sentinel_id),
	TEXT(node, cluster_id),
	TIME(node, claimed_ms),
	BOOL(node, said_down),
	TIME(node, said_down_ms),
	NODE(node, said_down_by),
	TIME(node, joined_ms),
	RECORD(node, link, link),
	RECORD(node, event_link, link),
	LIST(node, refusals, refusal_count, refusal_cap, refusal),
	ENUM(node, refused, question),
	ENUM(node, refused_error, server_error),
	TEXT(node, refused_text),
	INT(node, watchers, INT64_MIN, INT64_MAX),
	RECORD(node, info, info),
	TIME(node, info_at_ms),
	TIME(node, role_ms),
	RECORD(node, role_fast, role),
	TIME(node, role_fast_at_ms),
	RECORD(node, cluster_info, cluster_info),
	TIME(node, cluster_info_at_ms),
#define X(field, title, compared, member, help)                                                    \
	{ .name = "dissents: " title, .members = "cluster_dissent_ms", .type = STATE_TIME,         \
	  .offset = offsetof(struct node, cluster_dissent_ms) + (field) * sizeof(int64_t),         \
	  .size = sizeof(int64_t) },
	CLUSTER_AGREEMENT_FIELDS(X)
#undef X
	OPTIONAL(node, member, member),
	DOUBLE(node, hit_rate),
	DOUBLE(node, repl_rate_bytes_s),
	{ MEMBER(node, lag_bytes), .type = STATE_BYTES, .hook = &state_hook_history },
	FACT(node, lag_now_bytes),
	FACT(node, lag_now_s),
	TIME(node, lag_at_ms),
	OPTIONAL(node, series, series),
};
RECORD_OF(node, node, NULL);

/* --- groups and deployments -------------------------------------------------------------------- */

static const struct state_field fields_member_view[] = {
	NODE(member_view, node_id),
	NODE(member_view, sentinel_id),
	TIME(member_view, at_ms),
	RECORD(member_view, facts, instance),
};
RECORD_OF(member_view, member_view, NULL);

static const struct state_field fields_view[] = {
	NODE(sentinel_view, sentinel_id),
	TIME(sentinel_view, at_ms),
	TIME(sentinel_view, switched_ms),
	RECORD(sentinel_view, facts, instance),
	LIST(sentinel_view, replicas, replica_count, replica_cap, member_view),
	LIST(sentinel_view, peers, peer_count, peer_cap, member_view),
	TIME(sentinel_view, replicas_at_ms),
	TIME(sentinel_view, peers_at_ms),
	RECORD(sentinel_view, ckquorum, ckquorum),
	TIME(sentinel_view, ckquorum_at_ms),
#define X(field, json, title, binding, grave, help)                                                \
	{ .name = "dissents: " title, .members = "dissent_ms", .type = STATE_TIME,                 \
	  .offset = offsetof(struct sentinel_view, dissent_ms) + (field) * sizeof(int64_t),        \
	  .size = sizeof(int64_t) },
	AGREEMENT_FIELDS(X)
#undef X
};
RECORD_OF(view, sentinel_view, NULL);

static const struct state_field fields_failover[] = {
	ENUM(failover, phase, failover_phase),
	TIME(failover, started_ms),
	TIME(failover, phase_ms),
	TIME(failover, ended_ms),
	NODE(failover, leader_id),
	NODE(failover, selected_id),
	TIME(failover, role_master_ms),
	TEXT(failover, abort_reason),
};
RECORD_OF(failover, failover, NULL);

static const struct state_field fields_probe_outage[] = {
	TIME(probe_outage, first_failed_ms),
	TIME(probe_outage, first_good_ms),
	INT(probe_outage, wall_ms, -STATE_LIMIT, STATE_LIMIT),
	INT(probe_outage, failed, 0, STATE_LIMIT),
	FACT(probe_outage, lost),
	TEXT(probe_outage, reason),
};
RECORD_OF(probe_outage, probe_outage, NULL);

static const struct state_field fields_probe[] = {
	BOOL(probe, on),
	TIME(probe, since_ms),
	TIME(probe, at_ms),
	NODE(probe, node_id),
	INT(probe, acknowledged, 0, STATE_LIMIT),
	INT(probe, failed, 0, STATE_LIMIT),
	INT(probe, lost, 0, STATE_LIMIT),
	FACT(probe, latency_us),
	TEXT(probe, barred),
	ARRAY(probe, outages, outage_count, probe_outage),
};
RECORD_OF(probe, probe, NULL);

static const struct state_field fields_group[] = {
	INT(group, id, 1, UINT32_MAX),
	NOT_SAVED("deployment_id", "the one that it is in"),
	TEXT(group, name),
	NODE(group, master_id),
	INT(group, first_slot, 0, SLOT_COUNT),
	NODES(group, member_ids, member_count, member_cap),
	LIST(group, views, view_count, view_cap, view),
	LIST(group, replicas, replica_count, replica_cap, member_view),
	LIST(group, peers, peer_count, peer_cap, member_view),
	RECORD(group, ckquorum, ckquorum),
	NODE(group, ckquorum_from),
	TIME(group, ckquorum_at_ms),
	RECORD(group, failover, failover),
	NODE(group, led_by),
	OPTIONAL(group, probe, probe),
	TIME(group, disagreement_ms),
	TIME(group, split_ms),
	TIME(group, epoch_ms),
	NODE(group, stray_id),
	TIME(group, gone_since_ms),
};
RECORD_OF(group, group, NULL);

static const char *check_cluster(void *object)
{
	struct cluster *c = object;
	c->assigned = 0;
	for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
		if (c->owner[slot] == UINT16_MAX)
			continue;
		if (c->owner[slot] >= c->owner_count)
			return "a slot's owner is not among the cluster's owners";
		c->assigned++;
	}
	return NULL;
}

static const struct state_field fields_cluster[] = {
	NODES(cluster, owners, owner_count, owner_cap),
	BYTES("owner", "owner", slot_owners),
	NOT_SAVED("assigned", "counted from owner"),
	TIME(cluster, nodes_at_ms),
	BOOL(cluster, mapped),
	BOOL(cluster, down),
	TIME(cluster, down_since_ms),
};
RECORD_OF(cluster, cluster, check_cluster);

static const struct state_field fields_deployment[] = {
	NOT_SAVED("id", "its place"),
	ENUM(deployment, kind, deployment_kind),
	TEXT(deployment, name),
	INT(deployment, profile, 0, UINT32_MAX),
	BOOL(deployment, named),
	BOOL(deployment, name_settled),
	BOOL(deployment, gone),
	BOOL(deployment, regroup),
	BOOL(deployment, judge),
	TIME(deployment, listed_ms),
	TIME(deployment, complete_ms),
	POINTERS(deployment, groups, group_count, group_cap, group),
	NOT_SAVED("member_ids member_count member_cap", "the nodes say whose they are"),
	BOOL(deployment, full),
	OPTIONAL(deployment, cluster, cluster),
	TIME(deployment, trouble_ms),
	NOT_SAVED("seed_ids seeds_change", "found again"),
};
RECORD_OF(deployment, deployment, NULL);

/* --- failovers --------------------------------------------------------------------------------- */

static const struct state_field fields_failover_replica[] = {
	NODE(failover_replica, node_id),
	TEXT(failover_replica, addr),
	FACT(failover_replica, offset),
	FACT(failover_replica, lag_bytes),
	{ MEMBER(failover_replica, link_up), .type = STATE_INT, .low = -1, .high = 1, .fallback = -1 },
	BOOL(failover_replica, reachable),
	TIME(failover_replica, sent_ms),
	TIME(failover_replica, done_ms),
};
RECORD_OF(failover_replica, failover_replica, NULL);

static const struct state_field fields_failover_observer[] = {
	NODE(failover_observer, node_id),
	TIME(failover_observer, sdown_ms),
	TIME(failover_observer, odown_ms),
	TIME(failover_observer, voted_ms),
	TIME(failover_observer, switched_ms),
};
RECORD_OF(failover_observer, failover_observer, NULL);

#define AT_STEP(m, step)                                                                           \
	(offsetof(struct failover_record, m) + (step) * sizeof(((struct failover_record *)0)->m[0]))
static const struct state_field fields_failover_record[] = {
	INT(failover_record, id, 1, UINT32_MAX),
	INT(failover_record, deployment_id, 0, UINT32_MAX),
	INT(failover_record, group_id, 0, UINT32_MAX),
	ENUM(failover_record, kind, deployment_kind),
	TEXT(failover_record, name),
	ENUM(failover_record, cause, failover_cause),
	TEXT(failover_record, operator_name),
	WIDE(failover_record, epoch),
	NODE(failover_record, leader_id),
	NODE(failover_record, old_master_id),
	NODE(failover_record, new_master_id),
	TEXT(failover_record, leader),
	TEXT(failover_record, old_master),
	TEXT(failover_record, new_master),
	FACT(failover_record, old_offset),
	ENUM(failover_record, phase, failover_phase),
	TIME(failover_record, phase_ms),
#define X(step, title, help)                                                                       \
	{ .name = title, .members = "step_ms", .type = STATE_TIME, .offset = AT_STEP(step_ms, step), \
	  .size = sizeof(int64_t) },                                                               \
	{ .name = title " last", .members = "step_last_ms", .type = STATE_TIME,                    \
	  .offset = AT_STEP(step_last_ms, step), .size = sizeof(int64_t) },                        \
	{ .name = title " sources", .members = "step_sources", .type = STATE_INT,                  \
	  .offset = AT_STEP(step_sources, step), .size = sizeof(uint16_t), .high = UINT16_MAX },
	FAILOVER_STEPS(X)
#undef X
	INT(failover_record, wall_ms, -STATE_LIMIT, STATE_LIMIT),
	SHORT_LIST(failover_record, replicas, replica_count, failover_replica, FAILOVER_REPLICAS_MAX),
	INT(failover_record, replica_total, 0, STATE_NODE_IDS_MAX),
	TIME(failover_record, demoted_ms),
	BOOL(failover_record, client_probed),
	TIME(failover_record, client_failed_ms),
	TIME(failover_record, client_good_ms),
	INT(failover_record, client_failed, 0, STATE_LIMIT),
	FACT(failover_record, client_lost),
	FACT(failover_record, stray_bytes),
	SHORT_LIST(failover_record, observers, observer_count, failover_observer,
		   FAILOVER_OBSERVERS_MAX),
	TEXT(failover_record, abort_reason),
	INT(failover_record, first_seq, 0, INT64_MAX),
	INT(failover_record, last_seq, 0, INT64_MAX),
	BOOL(failover_record, over),
	TIME(failover_record, over_ms),
};

static const char *check_failover_record(void *object)
{
	const struct failover_record *f = object;
	for (size_t i = 0; i < STEP_COUNT; i++)
		if (f->step_ms[i] != 0 && f->step_last_ms[i] < f->step_ms[i])
			return "the last word of a failover's step is before the first";
	return NULL;
}
RECORD_OF(failover_record, failover_record, check_failover_record);

/* --- the whole --------------------------------------------------------------------------------- */

static const struct state_field fields_alerts[] = {
#define X(key, member, standard, most, help)                                                       \
	{ MEMBER(alerts, member), .type = STATE_INT, .high = (most), .fallback = (standard) },
	ALERTS(X)
#undef X
};
RECORD_OF(alerts, alerts, NULL);

static const struct state_field fields_model[] = {
	/* First: ids are checked against them. */
	BYTES("node ids", "node_count node_cap", node_ids),
	BYTES("forwards", "forwards forward_cap", forwards),
	ITEMS("nodes", "nodes", node, nodes),
	NOT_SAVED("dead dead_count dead_cap", "empty between two observations"),
	POINTERS(model, deployments, deployment_count, deployment_cap, deployment),
	INT(model, next_group_id, 0, INT32_MAX),
	NOT_SAVED("groups", "an index"),
	NOT_SAVED("keys", "an index; the keys are their nodes'"),
	NOT_SAVED("lost_addrs", "an index; the nodes' addresses and keys say it"),
	INT(model, scope, 0, UINT32_MAX),
	BYTES("event capacity", "events", event_capacity),
	NOT_SAVED("changed", "of one observation"),
	NOT_SAVED("change", "for what is worked out again"),
	TIME(model, now_ms),
	INT(model, wall_ms, -STATE_LIMIT, STATE_LIMIT),
	RECORD(model, alerts, alerts),
	{ MEMBER(model, leave_after_ms), .type = STATE_INT, .high = STATE_LIMIT, .fallback = 30000 },
	TIME(model, swept_ms),
	ITEMS("failovers", "failovers failover_first failover_count failover_cap", failover_record,
	      failovers),
	INT(model, last_failover_id, 0, INT32_MAX),
	INT(model, failovers_live, 0, FAILOVERS_MAX),
	NODE(model, role_changed_id),
	TIME(model, last_as_master_ms),
};
const struct state_record state_model = { "model", sizeof(struct model), fields_model,
					  COUNT(fields_model), NULL };

/* --- events ------------------------------------------------------------------------------------ */

static const struct state_field fields_event_source[] = {
	STRING(event_source, addr),
	TIME(event_source, mono_ms),
};
RECORD_OF(event_source, event_source, NULL);

static const struct state_field fields_event[] = {
	INT(event, seq, 1, INT64_MAX),
	INT(event, generation, 0, INT64_MAX),
	NOT_SAVED("kind", "its name says it"),
	ENUM(event, severity, severity),
	INT(event, deployment_id, 0, UINT32_MAX),
	INT(event, node_id, 0, UINT32_MAX),
	INT(event, group_id, 0, UINT32_MAX),
	TIME(event, mono_ms),
	INT(event, wall_ms, -STATE_LIMIT, STATE_LIMIT),
	TIME(event, last_ms),
	STRING(event, name),
	STRING(event, deployment),
	STRING(event, subject),
	STRING(event, addr),
	STRING(event, detail),
	STRING(event, about),
	SHORT_LIST(event, sources, source_count, event_source, EVENT_SOURCES_MAX),
	INT(event, source_total, 0, UINT32_MAX),
};
RECORD_OF(event, event, NULL);

static const struct state_field fields_event_changes[] = {
	INT(event_changes, generation, 0, INT64_MAX),
	INT(event_changes, last_seq, 0, INT64_MAX),
	ITEMS("events", "events count since log", event, event_changes),
};
const struct state_record state_event_changes = { "event_changes", sizeof(struct event_changes),
						  fields_event_changes,
						  COUNT(fields_event_changes), NULL };

const struct state_record *const state_records[] = {
	&state_model, &record_deployment, &record_cluster, &record_group, &record_probe, &record_probe_outage, &record_failover,
	&record_view, &record_member_view, &record_node, &record_series, &record_refusal,
	&record_link, &record_member, &record_fail_claim, &record_claim_echo,
	&record_open_slot, &record_slot_range,
	&record_cluster_info, &record_role, &record_ckquorum, &record_instance, &record_info,
	&record_info_replica, &record_endpoint, &record_failover_record, &record_failover_replica,
	&record_failover_observer, &record_alerts, &state_event_changes, &record_event,
	&record_event_source,
};
const size_t state_record_count = COUNT(state_records);
