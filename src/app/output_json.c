/* The JSON of --once and --events. Field names are what scripts rely on: they are never changed,
 * only added to. An absent fact is null, never 0. */
#include "config.h"

#include <jansson.h>
#include <stdlib.h>

#include "app/output.h"
#include "base/clock.h"
#include "app/output_failovers.h"
#include "app/output_values.h"
#include "app/output_verdicts.h"
#include "model/lag.h"
#include "model/slots.h"

#define RANGES_MAX 4096

/* --- masters ----------------------------------------------------------------------------------- */

static const char *link_word(const struct lag *lag)
{
	if (lag->syncing)
		return "sync";
	if (!lag->link_known)
		return NULL;
	return lag->link_up ? "up" : "down";
}

static json_t *replica_json(const struct model *m, const struct group *g, const struct node *n,
			    int64_t now_ms)
{
	const struct member_view *v = group_replica_answering(m, g, n->id);
	bool answers = node_answers(n);
	struct lag lag;
	lag_of_now(m, n, now_ms, &lag);
	int64_t priority = answers ? n->info.priority : v != NULL ? v->facts.priority : FACT_UNKNOWN;
	json_t *o = json_object();
	json_object_set_new(o, "addr", value_endpoint(&n->addr));
	json_object_set_new(o, "link", value_text(link_word(&lag)));
	json_object_set_new(o, "offset", value_number(answers ? n->info.slave_repl_offset : lag.offset));
	json_object_set_new(o, "lag_bytes", value_number(lag.bytes));
	json_object_set_new(o, "lag_seconds", value_number(lag.seconds));
	json_object_set_new(o, "priority", value_number(priority));
	json_object_set_new(o, "flags", v != NULL ? sentinel_flags_json(v->facts.flags) : json_null());
	json_object_set_new(o, "backlog_headroom_bytes", value_number(lag.backlog_headroom_bytes));
	json_object_set_new(o, "upstream", value_node(m, n->upstream_id));
	return o;
}

static json_t *replicas_json(const struct model *m, const struct group *g, int64_t now_ms)
{
	json_t *list = json_array();
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		if (n != NULL && n->id != model_node_resolve(m, g->master_id))
			json_array_append_new(list, replica_json(m, g, n, now_ms));
	}
	return list;
}

static json_t *ckquorum_json(const struct model *m, const struct group *g)
{
	const struct ckquorum_facts *f = group_ckquorum_answering(m, g);
	if (f == NULL)
		return json_null();
	json_t *o = json_object();
	json_object_set_new(o, "ok", json_boolean(f->ok));
	json_object_set_new(o, "usable", value_number(f->usable));
	json_object_set_new(o, "message", value_text(f->message));
	return o;
}

static json_t *master_json(const struct model *m, const struct group *g, int64_t now_ms)
{
	const struct sentinel_view *best = group_best_answering(m, g);
	const struct sentinel_instance *f = best != NULL ? &best->facts : NULL;
	json_t *o = json_object(), *sentinels = json_object();
	json_object_set_new(o, "name", value_string(g->name));
	json_object_set_new(o, "addr", value_node(m, g->master_id));
	json_object_set_new(o, "status", value_string(group_status(m, g)));
	json_object_set_new(o, "flags", f != NULL ? sentinel_flags_json(f->flags) : json_null());
	json_object_set_new(o, "quorum", f != NULL ? value_number(f->quorum) : json_null());
	json_object_set_new(o, "config_epoch", f != NULL ? value_number(f->config_epoch) : json_null());
	json_object_set_new(o, "down_after_ms", f != NULL ? value_number(f->down_after_ms) : json_null());
	json_object_set_new(o, "failover_timeout_ms", f != NULL ? value_number(f->failover_timeout_ms) : json_null());
	json_object_set_new(o, "parallel_syncs", f != NULL ? value_number(f->parallel_syncs) : json_null());
	if (g->view_count > 0) {
		json_object_set_new(sentinels, "known", json_integer((json_int_t)group_sentinels_known(m, g)));
		json_object_set_new(sentinels, "reachable",
				    json_integer((json_int_t)group_sentinels_reachable(m, g)));
	}
	json_object_set_new(o, "sentinels", g->view_count > 0 ? sentinels : json_null());
	if (g->view_count == 0)
		json_decref(sentinels);
	json_object_set_new(o, "ckquorum", ckquorum_json(m, g));
	json_object_set_new(o, "replicas", replicas_json(m, g, now_ms));
	json_object_set_new(o, "forecast", forecast_json(m, g, now_ms));
	json_object_set_new(o, "readiness", readiness_json(m, g, now_ms));
	json_object_set_new(o, "agreement", agreement_json(m, g, now_ms));
	json_object_set_new(o, "client", client_json(m, g, now_ms));
	return o;
}

/* --- cluster ----------------------------------------------------------------------------------- */

/* The cluster's own state comes from a node that is in it: the one with the highest epoch of those
 * that answer. */
static const struct node *cluster_witness(const struct model *m, const struct deployment *d)
{
	const struct node *best = NULL, *n;
	size_t cursor = 0;
	while ((n = model_next_member(m, d->id, &cursor)) != NULL) {
		if (n->cluster_info_at_ms == 0 || n->link.state != LINK_UP)
			continue;
		if (best == NULL || n->cluster_info.current_epoch > best->cluster_info.current_epoch)
			best = n;
	}
	return best;
}

static json_t *cluster_json(const struct model *m, const struct deployment *d)
{
	const struct node *n = cluster_witness(m, d);
	if (d->cluster == NULL || n == NULL)
		return json_null();
	const struct cluster_info_facts *f = &n->cluster_info;
	json_t *o = json_object();
	json_object_set_new(o, "state", value_string(d->cluster->down || !f->state_ok ? "fail" : "ok"));
	json_object_set_new(o, "slots_assigned", value_number(f->slots_assigned));
	json_object_set_new(o, "slots_ok", value_number(f->slots_ok));
	json_object_set_new(o, "slots_pfail", value_number(f->slots_pfail));
	json_object_set_new(o, "slots_fail", value_number(f->slots_fail));
	json_object_set_new(o, "known_nodes", value_number(f->known_nodes));
	json_object_set_new(o, "size", value_number(f->size));
	json_object_set_new(o, "current_epoch", value_number(f->current_epoch));
	json_object_set_new(o, "agreement", cluster_agreement_json(m, d));
	return o;
}

static json_t *slots_json(const struct deployment *d, uint32_t node_id)
{
	static struct slot_range ranges[RANGES_MAX];
	size_t count = slot_ranges(d, node_id, ranges, RANGES_MAX);
	json_t *list = json_array();
	for (size_t i = 0; i < count && i < RANGES_MAX; i++)
		json_array_append_new(list, json_pack("[ii]", ranges[i].first, ranges[i].last));
	return list;
}

static json_t *identified(const struct node *n)
{
	json_t *o = json_object();
	json_object_set_new(o, "id", value_text(n->cluster_id));
	json_object_set_new(o, "addr", value_endpoint(&n->addr));
	return o;
}

static json_t *open_json(const struct node *n, bool importing)
{
	json_t *list = json_array();
	for (size_t i = 0; n->member != NULL && i < n->member->open_count; i++) {
		const struct open_slot *s = &n->member->open[i];
		if (s->importing != importing)
			continue;
		json_t *o = json_object();
		json_object_set_new(o, "slot", json_integer(s->slot));
		json_object_set_new(o, importing ? "from" : "to", value_text(s->peer));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *shard_replicas_json(const struct model *m, const struct group *g, int64_t now_ms)
{
	json_t *list = json_array();
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		struct lag lag;
		if (n == NULL || n->id == model_node_resolve(m, g->master_id))
			continue;
		lag_of_now(m, n, now_ms, &lag);
		json_t *o = identified(n);
		json_object_set_new(o, "lag_bytes", value_number(lag.bytes));
		json_object_set_new(o, "lag_seconds", value_number(lag.seconds));
		json_object_set_new(o, "link", value_text(link_word(&lag)));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *shard_json(const struct model *m, const struct deployment *d, const struct group *g,
			  int64_t now_ms)
{
	const struct node *master = model_node(m, g->master_id);
	json_t *o = json_object();
	json_object_set_new(o, "slots", slots_json(d, g->master_id));
	json_object_set_new(o, "master", master != NULL ? identified(master) : json_null());
	json_object_set_new(o, "replicas", shard_replicas_json(m, g, now_ms));
	json_object_set_new(o, "migrating", master != NULL ? open_json(master, false) : json_array());
	json_object_set_new(o, "importing", master != NULL ? open_json(master, true) : json_array());
	json_object_set_new(o, "forecast", forecast_json(m, g, now_ms));
	json_object_set_new(o, "readiness", readiness_json(m, g, now_ms));
	json_object_set_new(o, "client", client_json(m, g, now_ms));
	return o;
}

/* --- nodes ------------------------------------------------------------------------------------- */

/* Whose version: both have a 7.2.4. */
static void set_server(json_t *o, const struct node *n)
{
	bool known = node_answers(n) && n->info.version[0] != '\0';
	json_object_set_new(o, "server", known ? value_string(n->info.valkey ? "valkey" : "redis") : json_null());
	json_object_set_new(o, "version", known ? value_text(n->info.version) : json_null());
}

static json_t *sentinel_json(const struct node *n, int64_t now_ms)
{
	json_t *o = json_object();
	bool known = node_answers(n);
	json_object_set_new(o, "addr", value_endpoint(&n->addr));
	json_object_set_new(o, "id", value_text(n->sentinel_id));
	json_object_set_new(o, "status", value_string(node_status_name(node_status(n))));
	set_server(o, n);
	json_object_set_new(o, "tilt", known ? json_boolean(n->info.sentinel_tilt == 1) : json_null());
	json_object_set_new(o, "age_ms", value_age(now_ms, n->info_at_ms));
	return o;
}

static void set_error(json_t *o, const struct node *n)
{
	const char *error = n->link.lost_ms != 0 ? n->link.reason
			    : n->refused != ASK_NONE ? n->refused_text : NULL;
	json_object_set_new(o, "error", value_text(error));
}

static json_t *node_json(const struct model *m, const struct node *n, int64_t now_ms)
{
	const struct info_facts *f = &n->info;
	bool known = node_answers(n);
	double hit_rate = n->hit_rate;
	enum role role = node_role(m, n);
	/* One reading has no difference yet: the rate since the server started stands in. */
	if (known && hit_rate < 0 && f->keyspace_hits >= 0 && f->keyspace_misses >= 0 &&
	    f->keyspace_hits + f->keyspace_misses > 0)
		hit_rate = (double)f->keyspace_hits / (double)(f->keyspace_hits + f->keyspace_misses);
	json_t *o = json_object();
	json_object_set_new(o, "addr", value_endpoint(&n->addr));
	json_object_set_new(o, "role", role == ROLE_UNKNOWN ? json_null() : value_string(role_name(role)));
	json_object_set_new(o, "status", value_string(node_status_name(node_status(n))));
	set_error(o, n);
	set_server(o, n);
	json_object_set_new(o, "uptime_seconds", known ? value_number(f->uptime_s) : json_null());
	json_object_set_new(o, "clients", known ? value_number(f->connected_clients) : json_null());
	json_object_set_new(o, "ops_per_sec", known ? value_number(f->ops_per_sec) : json_null());
	json_object_set_new(o, "used_memory", known ? value_number(f->used_memory_bytes) : json_null());
	json_object_set_new(o, "maxmemory", known ? value_number(f->maxmemory_bytes) : json_null());
	json_object_set_new(o, "hit_rate", known ? value_real(hit_rate) : json_null());
	json_object_set_new(o, "input_kbps", known ? value_real(f->input_kbps) : json_null());
	json_object_set_new(o, "output_kbps", known ? value_real(f->output_kbps) : json_null());
	json_object_set_new(o, "keys", known ? value_number(f->keys) : json_null());
	json_object_set_new(o, "latency_ms", known ? value_real(n->link.rtt_us / 1000.0) : json_null());
	json_object_set_new(o, "age_ms", value_age(now_ms, n->info_at_ms));
	return o;
}

static json_t *deployment_json(const struct model *m, const struct deployment *d, int64_t now_ms)
{
	json_t *o = json_object(), *masters = json_array(), *shards = json_array();
	json_t *sentinels = json_array(), *nodes = json_array();
	struct verdict v;
	health_deployment(m, d, now_ms, &v);
	for (size_t i = 0; i < d->group_count; i++) {
		if (d->kind == KIND_CLUSTER)
			json_array_append_new(shards, shard_json(m, d, d->groups[i], now_ms));
		else
			json_array_append_new(masters, master_json(m, d->groups[i], now_ms));
	}
	size_t cursor = 0;
	const struct node *n;
	while ((n = model_next_member(m, d->id, &cursor)) != NULL) {
		if (n->is_sentinel)
			json_array_append_new(sentinels, sentinel_json(n, now_ms));
		json_array_append_new(nodes, node_json(m, n, now_ms));
	}
	json_object_set_new(o, "name", value_text(d->name));
	json_object_set_new(o, "kind", d->kind == KIND_UNKNOWN ? json_null()
							       : value_string(deployment_kind_name(d->kind)));
	json_object_set_new(o, "health", value_string(health_name(v.health)));
	json_object_set_new(o, "summary", value_text(v.text));
	json_object_set_new(o, "masters", masters);
	json_object_set_new(o, "sentinels", sentinels);
	json_object_set_new(o, "cluster", cluster_json(m, d));
	json_object_set_new(o, "shards", shards);
	json_object_set_new(o, "nodes", nodes);
	json_object_set_new(o, "failovers", failovers_json(m, d, now_ms));
	/* Nothing looks for them yet: an empty list would say that there are none. */
	json_object_set_new(o, "findings", json_null());
	return o;
}

static void append_dump(json_t *o, struct buf *out, size_t flags)
{
	char *dumped = json_dumps(o, flags | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(10));
	if (dumped != NULL)
		buf_addstr(out, dumped);
	buf_addch(out, '\n');
	free(dumped);
	json_decref(o);
}

void output_snapshot_json(const struct model *m, int64_t now_ms, int64_t wall_ms, struct buf *out)
{
	char iso[CLOCK_ISO_BYTES];
	json_t *o = json_object(), *deployments = json_array();
	size_t cursor = 0;
	const struct deployment *d;
	while ((d = model_next_deployment(m, &cursor)) != NULL)
		json_array_append_new(deployments, deployment_json(m, d, now_ms));
	json_object_set_new(o, "redoubt", value_string(PACKAGE_VERSION));
	json_object_set_new(o, "time", value_string(clock_format_iso(wall_ms, iso)));
	json_object_set_new(o, "health", value_string(health_name(fleet_health(m, now_ms))));
	json_object_set_new(o, "deployments", deployments);
	append_dump(o, out, JSON_INDENT(2));
}

/* For every line the same keys. */
static json_t *event_json(const struct event *e, json_t *sources)
{
	char iso[CLOCK_ISO_BYTES];
	json_t *o = json_object();
	json_object_set_new(o, "time", value_string(clock_format_iso(e->wall_ms, iso)));
	json_object_set_new(o, "deployment", value_text(e->deployment));
	json_object_set_new(o, "event", value_string(e->name));
	json_object_set_new(o, "subject", value_text(e->subject));
	json_object_set_new(o, "addr", value_text(e->addr));
	json_object_set_new(o, "detail", value_text(e->detail));
	json_object_set_new(o, "about", value_text(e->about));
	json_object_set_new(o, "severity", value_string(severity_name(e->severity)));
	json_object_set_new(o, "sources", sources);
	return o;
}

void output_event_json(const struct event *e, struct buf *out)
{
	json_t *sources = json_array();
	for (unsigned i = 0; i < e->source_count; i++)
		if (e->sources[i].mono_ms - e->mono_ms <= EVENT_SETTLE_MS)
			json_array_append_new(sources, value_string(e->sources[i].addr));
	append_dump(event_json(e, sources), out, JSON_COMPACT);
}

void output_lost_json(const struct event *gap, uint64_t lost, struct buf *out)
{
	json_t *o = event_json(gap, json_array());
	json_object_set_new(o, "lost", json_integer((json_int_t)lost));
	append_dump(o, out, JSON_COMPACT);
}
