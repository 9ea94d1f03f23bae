/* What must hold of a model, whatever was observed: ids, groups, slots, events, and what is told of it. */
#include "config.h"

#include <jansson.h>
#include <string.h>

#include "app/output.h"
#include "app/report.h"
#include "fuzz_facts.h"
#include "fuzz_model.h"
#include "model/failovers.h"
#include "model/health.h"
#include "model/lag.h"
#include "model/slots.h"

/* --- what must hold ---------------------------------------------------------------------------- */

static void check_node(const struct fuzz_world *w, const struct node *n)
{
	const struct deployment *d = model_deployment(w->m, n->deployment_id);
	const struct group *g = model_group(w->m, n->group_id);
	struct verdict v;
	struct lag lag;

	FUZZ_ASSERT(!n->gone);
	FUZZ_ASSERT(model_node(w->m, n->id) == n && model_node_resolve(w->m, n->id) == n->id);
	FUZZ_ASSERT(d != NULL);
	FUZZ_ASSERT(n->group_id == 0 || (g != NULL && g->deployment_id == d->id));
	FUZZ_ASSERT(n->upstream_id != n->id);
	FUZZ_ASSERT(model_find_node(w->m, d->id, &n->addr) != NULL);
	fuzz_check_endpoint(&n->addr);
	fuzz_check_endpoint(&n->dial);
	FUZZ_ASSERT(endpoint_is_set(&n->addr));
	FUZZ_CLEAN(n->run_id);
	FUZZ_CLEAN(n->sentinel_id);
	FUZZ_CLEAN(n->cluster_id);
	FUZZ_CLEAN(n->link.reason);
	FUZZ_CLEAN(n->event_link.reason);
	FUZZ_CLEAN(n->refused_text);
	if (n->info_at_ms != 0)
		fuzz_check_info(&n->info);
	health_node(w->m, n, w->now, &v);
	FUZZ_ASSERT(v.health <= HEALTH_CRITICAL);
	FUZZ_CLEAN(v.text);
	lag_of(w->m, n, w->now, &lag);
	FUZZ_ASSERT(lag.bytes >= 0 || lag.bytes == FACT_UNKNOWN);
	FUZZ_ASSERT(lag.backlog_headroom_bytes >= 0 || lag.backlog_headroom_bytes == FACT_UNKNOWN);
	FUZZ_ASSERT(lag.catch_up_ms >= 0 || lag.catch_up_ms == FACT_UNKNOWN);
	FUZZ_ASSERT(lag.backlog_off_ms >= 0 || lag.backlog_off_ms == FACT_UNKNOWN);
}

static void check_members(const struct fuzz_world *w, const struct group *g)
{
	const struct endpoint *before = NULL;

	FUZZ_ASSERT(g->member_count <= g->member_cap);
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(w->m, g->member_ids[i]);

		FUZZ_ASSERT(n != NULL);
		FUZZ_ASSERT(n->id == g->member_ids[i]);
		FUZZ_ASSERT(n->group_id == g->id);
		for (size_t k = 0; k < i; k++)
			FUZZ_ASSERT(g->member_ids[k] != n->id);
		FUZZ_ASSERT(i == 0 || n->id != g->master_id);
		/* Rows keep their place: the master first, the others by address. */
		if (n->id == g->master_id)
			continue;
		if (before) {
			int order = strcmp(before->host, n->addr.host);

			FUZZ_ASSERT(order < 0 || (order == 0 && before->port <= n->addr.port));
		}
		before = &n->addr;
	}
}

static void check_views(const struct fuzz_world *w, const struct group *g)
{
	FUZZ_ASSERT((group_best_view(g) == NULL) == (g->view_count == 0));
	for (size_t i = 0; i < g->view_count; i++) {
		fuzz_check_instance(&g->views[i].facts);
		for (size_t k = 0; k < i; k++)
			FUZZ_ASSERT(g->views[k].sentinel_id != g->views[i].sentinel_id);
	}
	for (size_t i = 0; i < g->replica_count; i++)
		for (size_t k = 0; k < i; k++)
			FUZZ_ASSERT(g->replicas[k].node_id != g->replicas[i].node_id);
	for (size_t i = 0; i < g->peer_count; i++)
		for (size_t k = 0; k < i; k++)
			FUZZ_ASSERT(g->peers[k].node_id != g->peers[i].node_id);
	FUZZ_ASSERT(group_sentinels_reachable(w->m, g) <= g->view_count);
	FUZZ_ASSERT(group_sentinels_reachable(w->m, g) <= group_sentinels_known(w->m, g));
	FUZZ_CLEAN(g->failover.abort_reason);
	FUZZ_CLEAN(g->ckquorum.message);
}

static void check_group(const struct fuzz_world *w, const struct deployment *d, const struct group *g)
{
	struct verdict v;
	char text[96];

	FUZZ_ASSERT(model_group(w->m, g->id) == g && g->deployment_id == d->id);
	FUZZ_ASSERT(g->master_id == 0 || model_node(w->m, g->master_id) != NULL);
	FUZZ_CLEAN(g->name);
	check_members(w, g);
	check_views(w, g);
	health_group(w->m, g, w->now, &v);
	FUZZ_CLEAN(v.text);
	group_failover_text(g, w->now, text, sizeof(text));
	FUZZ_CLEAN(text);
	FUZZ_ASSERT(strstr("ok sdown odown failover", group_status(w->m, g)) != NULL);
	group_failover_running(w->m, g, w->now);
	group_in_trouble(w->m, g, w->now);
	fuzz_check_verdicts(w->m, g, w->now);
}

/* Looks at all slots: not at each step. */
static void check_slots(const struct fuzz_world *w, const struct deployment *d)
{
	static struct slot_range ranges[SLOT_COUNT];
	size_t free_slots = 0, count;

	if (!d->cluster || w->in.left % 16 != 0)
		return;
	count = slot_uncovered(d, ranges, SLOT_COUNT);
	for (size_t i = 0; i < count; i++) {
		FUZZ_ASSERT(i == 0 || ranges[i].first > ranges[i - 1].last + 1);
		free_slots += ranges[i].last - ranges[i].first + 1u;
	}
	FUZZ_ASSERT(free_slots + d->cluster->assigned == SLOT_COUNT || d->cluster->nodes_at_ms == 0);
	for (unsigned slot = 0; slot < SLOT_COUNT; slot += 61) {
		uint32_t owner = slot_owner(d, slot);

		FUZZ_ASSERT(owner == 0 || model_node(w->m, owner) != NULL);
		FUZZ_ASSERT((owner == 0) <= (slot_state(w->m, d, slot) == SLOT_UNCOVERED));
	}
}

static void check_deployment(const struct fuzz_world *w, const struct deployment *d)
{
	struct verdict v;

	FUZZ_ASSERT(model_deployment(w->m, d->id) == d && !d->gone && !d->regroup);
	FUZZ_CLEAN(d->name);
	for (size_t i = 0; i < d->group_count; i++) {
		const struct group *g = d->groups[i], *before = i ? d->groups[i - 1] : NULL;

		check_group(w, d, g);
		if (before && before->first_slot == g->first_slot)
			FUZZ_ASSERT(strcmp(before->name, g->name) <= (d->kind == KIND_SENTINEL ? -1 : 0));
		else if (before)
			FUZZ_ASSERT(before->first_slot < g->first_slot);
	}
	check_slots(w, d);
	health_deployment(w->m, d, w->now, &v);
	FUZZ_CLEAN(v.text);
}

static void check_event(const struct fuzz_world *w, const struct event *e)
{
	FUZZ_ASSERT(e->kind < EVENT_KIND_COUNT && e->severity <= SEVERITY_CRITICAL);
	FUZZ_ASSERT(e->deployment_id == 0 || model_deployment(w->m, e->deployment_id) != NULL);
	FUZZ_ASSERT(e->last_ms >= e->mono_ms);
	FUZZ_ASSERT(e->source_count >= 1 && e->source_count <= EVENT_SOURCES_MAX);
	FUZZ_ASSERT(e->source_total >= e->source_count);
	FUZZ_CLEAN_TEXT(e->name);
	FUZZ_CLEAN_TEXT(e->deployment);
	FUZZ_CLEAN_TEXT(e->subject);
	FUZZ_CLEAN_TEXT(e->addr);
	FUZZ_CLEAN_TEXT(e->detail);
	for (unsigned i = 0; i < e->source_count; i++)
		FUZZ_CLEAN_TEXT(e->sources[i].addr);
}

void fuzz_check_events(struct fuzz_world *w)
{
	const struct event_log *log = model_events(w->m);
	size_t count = event_log_count(log);

	FUZZ_ASSERT(count <= EVENTS_MAX);
	FUZZ_ASSERT(event_log_last_seq(log) >= w->seen_seq);
	w->seen_seq = event_log_last_seq(log);
	for (size_t i = 0; i < count; i++) {
		const struct event *e = event_log_at(log, i);

		FUZZ_ASSERT(e->seq == w->seen_seq - count + i + 1);
		FUZZ_ASSERT(event_log_from(log, e->seq) == e);
		FUZZ_ASSERT(i == 0 || e->mono_ms >= event_log_at(log, i - 1)->mono_ms);
		check_event(w, e);
	}
	FUZZ_ASSERT(event_log_at(log, count) == NULL);
}

void fuzz_check_model(struct fuzz_world *w)
{
	const struct deployment *d;
	const struct node *n;
	size_t cursor = 0, nodes = 0, members = 0, member;

	while ((n = model_next_node(w->m, &cursor)) != NULL) {
		check_node(w, n);
		nodes++;
	}
	FUZZ_ASSERT(nodes == model_node_count(w->m));
	for (cursor = 0; (d = model_next_deployment(w->m, &cursor)) != NULL;) {
		check_deployment(w, d);
		for (member = 0; model_next_member(w->m, d->id, &member) != NULL;)
			members++;
	}
	FUZZ_ASSERT(members == nodes);
}

static void check_lines(const struct buf *out)
{
	for (const char *line = buf_str(out), *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		FUZZ_ASSERT(end != NULL);
		if (!fuzz_is_clean(line, (size_t)(end - line)))
			fuzz_fail(__FILE__, __LINE__, "a line is clean", line);
	}
}

/* What is told of a failover is of the past, in its place and clean. */
static void check_failovers(const struct fuzz_world *w)
{
	uint32_t before = 0;

	FUZZ_ASSERT(model_failover_count(w->m) <= FAILOVERS_MAX);
	for (size_t i = 0; i < model_failover_count(w->m); i++) {
		const struct failover_record *f = model_failover_at(w->m, i);
		int64_t gap = failover_unwritable_ms(f);

		FUZZ_ASSERT(f->id > before);
		before = f->id;
		FUZZ_CLEAN(f->name);
		FUZZ_CLEAN(f->leader);
		FUZZ_CLEAN(f->old_master);
		FUZZ_CLEAN(f->new_master);
		FUZZ_CLEAN(f->abort_reason);
		FUZZ_ASSERT(f->replica_count <= FAILOVER_REPLICAS_MAX);
		FUZZ_ASSERT(f->observer_count <= FAILOVER_OBSERVERS_MAX);
		FUZZ_ASSERT(failover_begin_ms(f) > 0 && (w->foreign || failover_end_ms(f) <= w->now));
		FUZZ_ASSERT(gap == FACT_UNKNOWN || gap >= 0);
		for (int k = 0; k < STEP_COUNT; k++)
			FUZZ_ASSERT(failover_spread_ms(f, (enum failover_step)k) >= 0);
	}
}

static void check_report(const struct fuzz_world *w)
{
	struct report_options o = { .now_ms = w->now, .wall_ms = WALL, .operator_name = "o", .version = "1" };
	size_t cursor = 0;
	const struct deployment *d;
	struct buf out = BUF_INIT;

	while ((d = model_next_deployment(w->m, &cursor))) {
		o.deployment_id = d->id;
		report_write(w->m, &o, &out);
	}
	if (out.len > 0)
		check_lines(&out);
	buf_free(&out);
}

void fuzz_check_outputs(const struct fuzz_world *w)
{
	struct event_stream text = { 0 }, json = { 0 };
	struct buf out = BUF_INIT;
	json_t *parsed;

	output_snapshot_text(w->m, w->now, WALL + w->now, &out);
	event_stream_pump(&text, w->m, FORMAT_TEXT, w->now, true, &out);
	event_stream_pump(&json, w->m, FORMAT_JSON, w->now, true, &out);
	check_lines(&out);
	buf_reset(&out);
	output_snapshot_json(w->m, w->now, WALL + w->now, &out);
	check_lines(&out);
	parsed = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
	FUZZ_ASSERT(parsed != NULL);
	FUZZ_ASSERT(json_array_size(json_object_get(parsed, "deployments")) ==
		    model_deployment_count(w->m));
	json_decref(parsed);
	buf_free(&out);
	check_failovers(w);
	check_report(w);
}
