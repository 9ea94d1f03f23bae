/* What a node says of itself: replication, memory, load, keys, persistence; a Sentinel, whom it
 * watches. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "model/lag.h"
#include "views/node_private.h"

/* The title of what it says of itself: with its age where that is more than a poll's. */
static void own_section(struct node_facts *f, const struct view_context *c, const struct node *n,
			const char *title)
{
	char text[80], old[UNITS_BYTES];

	if (!f->own_stale) {
		facts_section(f, title);
		return;
	}
	snprintf(text, sizeof(text), "%s, %s old", title, facts_age(c, n->info_at_ms, old));
	facts_section(f, text);
	f->items[f->count - 1].role = STYLE_STALE;
}

static void add_master_facts(struct node_facts *f, const struct node *n)
{
	const struct info_facts *i = &n->info;
	char a[UNITS_BYTES], b[UNITS_BYTES];
	size_t online = 0;

	for (size_t k = 0; k < i->replica_count; k++)
		online += strcmp(i->replicas[k].state, "online") == 0;
	facts_add(f, "replicas", online < i->replica_count ? STYLE_WARNING : facts_own_role(f),
		  "%s, %zu online", facts_number(i->connected_slaves, a), online);
	if (n->repl_rate_bytes_s >= 0) {
		units_rate(n->repl_rate_bytes_s, a);
		facts_add(f, "writes", facts_own_role(f), "%s", a[0] == '+' ? a + 1 : a);
	}
	if (i->backlog_active == 0)
		facts_add(f, "backlog", STYLE_WARNING, "off");
	else
		facts_add(f, "backlog", facts_own_role(f), "%s held, size %s",
			  facts_bytes(i->backlog_histlen_bytes, a),
			  facts_bytes(i->backlog_size_bytes, b));
	if (i->failover_state[0] && strcmp(i->failover_state, "no-failover") != 0)
		facts_add(f, "failover", STYLE_WARNING, "%s", i->failover_state);
}

static void add_replica_facts(struct node_facts *f, const struct view_context *c,
			      const struct node *n)
{
	const struct info_facts *i = &n->info;
	char a[ENDPOINT_TEXT_BYTES], b[UNITS_BYTES], d[UNITS_BYTES];
	struct lag lag;
	enum style_role lag_role;

	lag_of(c->model, n, c->now_ms, &lag);
	/* The lag is its master's word as much as its own. */
	lag_role = lag.current ? facts_own_role(f) : STYLE_STALE;
	facts_add(f, "follows", facts_own_role(f), "%.200s",
		  endpoint_is_set(&i->master) ? endpoint_format(&i->master, a) : "?");
	if (i->sync_in_progress == 1)
		facts_add(f, "link", STYLE_WARNING, "full sync, %s of %s",
			  facts_bytes(i->sync_read_bytes, b),
			  i->sync_total_bytes > 0 ? facts_bytes(i->sync_total_bytes, d) : "?");
	else if (i->master_link_up == 0)
		facts_add(f, "link", STYLE_WARNING, "down %s",
			  i->master_link_down_s >= 0 ? units_age(i->master_link_down_s * 1000, b)
						     : "");
	else
		facts_add(f, "link", facts_own_role(f), "%s", i->master_link_up == 1 ? "up" : "?");
	facts_add(f, "lag", lag_role, "%s, ack %s ago",
		  lag.bytes == FACT_UNKNOWN ? "?" : units_bytes(lag.bytes, b),
		  lag.seconds == FACT_UNKNOWN ? "?"
		  : lag.seconds < 2           ? "<2 s"
					      : units_age(lag.seconds * 1000, d));
	if (lag.off_backlog)
		facts_add(f, "headroom", STYLE_WARNING, "off the backlog: full sync ahead");
	else
		facts_add(f, "headroom", lag_role, "%s%s",
			  facts_bytes(lag.backlog_headroom_bytes, b),
			  lag.backlog_headroom_bytes >= 0 ? " of backlog left" : "");
	facts_add(f, "priority", i->priority == 0 ? STYLE_WARNING : facts_own_role(f), "%s",
		  i->priority == 0 ? "0: never promoted" : facts_number(i->priority, b));
}

static void add_replication(struct node_facts *f, const struct view_context *c,
			    const struct node *n)
{
	const struct info_facts *i = &n->info;
	char a[UNITS_BYTES], b[UNITS_BYTES], d[UNITS_BYTES];

	own_section(f, c, n, "Replication");
	if (n->role_ms != 0)
		facts_add(f, "says", facts_own_role(f), "%s, seen for %s", role_name(i->role),
			  facts_calm_age(c, n->role_ms, a));
	else
		facts_add(f, "says", facts_own_role(f), "%s",
			  i->role == ROLE_UNKNOWN ? "?" : role_name(i->role));
	if (i->role == ROLE_REPLICA)
		add_replica_facts(f, c, n);
	else if (i->role == ROLE_MASTER)
		add_master_facts(f, n);
	facts_add(f, "offset", facts_own_role(f), "%s", facts_number(i->master_repl_offset, a));
	facts_add_id(f, "replid", i->replid);
	facts_add(f, "syncs", facts_own_role(f), "%s full, %s partial, %s refused",
		  facts_number(i->sync_full, a), facts_number(i->sync_partial_ok, b),
		  facts_number(i->sync_partial_err, d));
}

static void add_memory(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	const struct info_facts *i = &n->info;
	char a[UNITS_BYTES], b[UNITS_BYTES];

	own_section(f, c, n, "Memory");
	facts_add(f, "used", facts_own_role(f), "%s", facts_bytes(i->used_memory_bytes, a));
	if (i->maxmemory_bytes > 0 && i->used_memory_bytes >= 0)
		facts_add(f, "maxmemory", facts_own_role(f), "%s, %.0f %% used",
			  facts_bytes(i->maxmemory_bytes, b),
			  (double)i->used_memory_bytes * 100.0 / (double)i->maxmemory_bytes);
	else
		facts_add(f, "maxmemory", facts_own_role(f), "%s",
			  i->maxmemory_bytes == 0 ? "none" : "?");
	facts_add(f, "evicted", facts_own_role(f), "%s keys", facts_number(i->evicted_keys, a));
}

static void add_load(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	const struct info_facts *i = &n->info;
	char a[UNITS_BYTES], b[UNITS_BYTES];

	own_section(f, c, n, "Clients");
	facts_add(f, "connected", facts_own_role(f), "%s of %s",
		  facts_number(i->connected_clients, a), facts_number(i->maxclients, b));
	if (!n->is_sentinel)
		facts_add(f, "blocked", facts_own_role(f), "%s",
			  facts_number(i->blocked_clients, a));
	facts_add(f, "rejected", i->rejected_connections > 0 ? STYLE_WARNING : facts_own_role(f),
		  "%s", facts_number(i->rejected_connections, a));
	facts_add(f, "commands", facts_own_role(f), "%s a second", facts_number(i->ops_per_sec, a));
}

static void add_keys(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	const struct info_facts *i = &n->info;
	char a[UNITS_BYTES], b[UNITS_BYTES];

	own_section(f, c, n, "Keys");
	facts_add(f, "keys", facts_own_role(f), "%s", facts_number(i->keys, a));
	if (n->hit_rate >= 0)
		facts_add(f, "hit rate", facts_own_role(f), "%.0f %%", n->hit_rate * 100);
	else
		facts_add(f, "hit rate", facts_own_role(f), "? (no reads seen)");
	facts_add(f, "in total", facts_own_role(f), "%s hits, %s misses",
		  i->keyspace_hits >= 0 ? units_count(i->keyspace_hits, a) : "?",
		  i->keyspace_misses >= 0 ? units_count(i->keyspace_misses, b) : "?");
}

static enum style_role status_style(const struct node_facts *f, const char *status)
{
	return status[0] && strcmp(status, "ok") != 0 ? STYLE_WARNING : facts_own_role(f);
}

static void add_persistence(struct node_facts *f, const struct view_context *c,
			    const struct node *n)
{
	const struct info_facts *i = &n->info;

	own_section(f, c, n, "Persistence");
	if (i->loading == 1)
		facts_add(f, "loading", STYLE_WARNING, "%.0f %%",
			  i->loading_percent > 0 ? i->loading_percent : 0);
	facts_add(f, "last RDB", status_style(f, i->rdb_last_bgsave_status), "%s",
		  i->rdb_last_bgsave_status[0] ? i->rdb_last_bgsave_status : "?");
	facts_add(f, "last AOF", status_style(f, i->aof_last_write_status), "write %s",
		  i->aof_last_write_status[0] ? i->aof_last_write_status : "?");
}

/* What a Sentinel says of the masters that it watches. */
static void add_watched(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	const struct deployment *d = model_deployment(c->model, n->deployment_id);
	char flags[FACTS_FLAGS_BYTES], a[UNITS_BYTES], b[UNITS_BYTES], at[ENDPOINT_TEXT_BYTES];
	size_t watched = 0;

	facts_section(f, "It says of its masters");
	if (n->info_at_ms != 0 && n->info.sentinel_tilt == 1)
		facts_add(f, "TILT", STYLE_CRITICAL, "it does not act");
	for (size_t i = 0; d && i < d->group_count; i++) {
		const struct group *g = d->groups[i];
		const struct sentinel_view *v = g->views;
		const struct sentinel_view *end = g->views + g->view_count;

		while (v < end && v->sentinel_id != n->id)
			v++;
		if (g->view_count == 0 || v == end || watched++ >= FACTS_LISTED_MAX)
			continue;
		facts_add(f, "master", facts_sentinel_flags_style(v->facts.flags),
			  "%.60s at %.60s: %s", g->name, endpoint_format(&v->facts.addr, at),
			  facts_sentinel_flags(v->facts.flags, flags));
		facts_add(f, "", STYLE_TEXT, "epoch %s, quorum %s%s",
			  facts_number(v->facts.config_epoch, a), facts_number(v->facts.quorum, b),
			  facts_ago(c, v->at_ms, flags));
		facts_add(f, "", STYLE_TEXT, "knows %s replicas, %s other Sentinels",
			  facts_number(v->facts.num_slaves, a),
			  facts_number(v->facts.num_other_sentinels, b));
	}
	if (watched == 0)
		facts_add(f, "", STYLE_TEXT, "?");
	if (watched > FACTS_LISTED_MAX)
		facts_add(f, "", STYLE_TEXT, "+%zu more", watched - FACTS_LISTED_MAX);
}

void facts_add_own(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	if (n->is_sentinel)
		add_watched(f, c, n);
	if (n->info_at_ms == 0) {
		facts_section(f, "It says of itself");
		facts_add(f, "INFO", STYLE_UNKNOWN_STATE, "? (no answer yet)");
		return;
	}
	if (!n->is_sentinel) {
		add_replication(f, c, n);
		add_memory(f, c, n);
	}
	add_load(f, c, n);
	if (n->is_sentinel)
		return;
	add_keys(f, c, n);
	add_persistence(f, c, n);
}
