/* The incident report: who is what now, replication, slots, and what is wrong with whom. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "app/report_private.h"
#include "base/units.h"
#include "model/health.h"
#include "model/lag.h"
#include "model/probe.h"
#include "model/slots.h"

#define DEPTH_MAX  16
#define RANGES_MAX 64

static const char *number(int64_t value, char out[UNITS_BYTES])
{
	if (value == FACT_UNKNOWN)
		return "?";
	snprintf(out, UNITS_BYTES, "%lld", (long long)value);
	return out;
}

/* --- the tree ---------------------------------------------------------------------------------------- */

static void node_line(struct report *r, const struct group *g, const struct node *n, const char *prefix)
{
	char addr[ENDPOINT_TEXT_BYTES], offset[UNITS_BYTES], lag_text[UNITS_BYTES], age[UNITS_BYTES];
	const struct info_facts *f = &n->info;
	struct lag lag;
	bool master = model_node_resolve(r->m, g->master_id) == n->id;
	buf_addstr(r->out, prefix);
	report_code(r, endpoint_format(&n->addr, addr));
	buf_addf(r->out, "  %s  %s", role_name(node_role(r->m, n)), node_status_name(node_status(n)));
	if (n->info_at_ms != 0)
		buf_addf(r->out, "  offset %s",
			 number(f->role == ROLE_REPLICA ? f->slave_repl_offset : f->master_repl_offset,
				offset));
	if (n->info_at_ms != 0 && !node_answers(n))
		buf_addf(r->out, " %s ago", units_age(r->o->now_ms - n->info_at_ms, age));
	lag_of_now(r->m, n, r->o->now_ms, &lag);
	if (!master && lag.bytes != FACT_UNKNOWN)
		buf_addf(r->out, "  lag %s", units_bytes(lag.bytes, lag_text));
	if (!master && lag.link_known)
		buf_addf(r->out, "  link %s", lag.link_up ? "up" : "down");
	buf_addch(r->out, '\n');
}

static bool is_below(const struct model *m, const struct group *g, const struct node *n, uint32_t above)
{
	return n != NULL && n->id != above && model_node_resolve(m, n->upstream_id) == above &&
	       n->id != model_node_resolve(m, g->master_id);
}

/* Replicas of replicas below whom they follow. */
static void branch(struct report *r, const struct group *g, uint32_t above, const char *prefix)
{
	size_t left = 0, len = strlen(prefix);
	char below[4 * DEPTH_MAX + 8];
	for (size_t i = 0; i < g->member_count; i++)
		left += is_below(r->m, g, model_node(r->m, g->member_ids[i]), above);
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(r->m, g->member_ids[i]);
		if (!is_below(r->m, g, n, above))
			continue;
		left--;
		snprintf(below, sizeof(below), "%s%s", prefix, left > 0 ? "|-- " : "'-- ");
		node_line(r, g, n, below);
		snprintf(below, sizeof(below), "%s%s", prefix, left > 0 ? "|   " : "    ");
		if (len < 4 * (DEPTH_MAX - 1))
			branch(r, g, n->id, below);
	}
}

/* True when going up from the node ends at the group's master. */
static bool hangs_on(const struct model *m, const struct group *g, const struct node *n)
{
	for (int step = 0; step < DEPTH_MAX && n != NULL; step++) {
		if (n->id == model_node_resolve(m, g->master_id))
			return true;
		n = model_node(m, n->upstream_id);
	}
	return false;
}

static void group_tree(struct report *r, const struct group *g)
{
	const struct node *master = model_node(r->m, g->master_id);
	const struct sentinel_view *best = group_best_answering(r->m, g);
	char epoch[UNITS_BYTES], quorum[UNITS_BYTES];
	report_code(r, g->name);
	if (best != NULL)
		buf_addf(r->out, "  %s  epoch %s  quorum %s of %zu", group_status(r->m, g),
			 number(best->facts.config_epoch, epoch), number(best->facts.quorum, quorum),
			 group_sentinels_known(r->m, g));
	if (r->d->kind == KIND_CLUSTER)
		buf_addf(r->out, "  %zu slots", slot_count_of(r->d, g->master_id));
	buf_addch(r->out, '\n');
	if (master == NULL)
		buf_addstr(r->out, "no master\n");
	else
		node_line(r, g, master, "");
	if (master != NULL)
		branch(r, g, master->id, "");
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(r->m, g->member_ids[i]);
		if (n != NULL && !hangs_on(r->m, g, n))
			node_line(r, g, n, "(apart) ");
	}
}

static void loose(struct report *r, const char *heading, bool sentinels)
{
	size_t cursor = 0;
	const struct node *n;
	char addr[ENDPOINT_TEXT_BYTES];
	bool any = false;
	while ((n = model_next_member(r->m, r->d->id, &cursor)) != NULL) {
		if (n->group_id != 0 || n->is_sentinel != sentinels)
			continue;
		buf_addstr(r->out, any ? "  " : heading);
		any = true;
		report_code(r, endpoint_format(&n->addr, addr));
		buf_addf(r->out, "  %s  %s\n", role_name(node_role(r->m, n)),
			 node_status_name(node_status(n)));
	}
}

void report_topology_now(struct report *r)
{
	buf_addstr(r->out, "\n## Topology at the end\n\n```text\n");
	for (size_t i = 0; i < r->d->group_count; i++)
		group_tree(r, r->d->groups[i]);
	loose(r, "Sentinels\n  ", true);
	loose(r, "in no group\n  ", false);
	buf_addstr(r->out, "```\n");
}

/* --- replication --------------------------------------------------------------------------------------- */

static void replica_row(struct report *r, const struct node *n)
{
	const struct node *up = model_node(r->m, n->upstream_id);
	char text[ENDPOINT_TEXT_BYTES], bytes[UNITS_BYTES], seconds[UNITS_BYTES], room[UNITS_BYTES],
	    loss[UNITS_BYTES];
	struct lag lag;
	lag_of_now(r->m, n, r->o->now_ms, &lag);
	buf_addstr(r->out, "| ");
	report_text(r, endpoint_format(&n->addr, text));
	buf_addstr(r->out, " | ");
	report_text(r, up != NULL ? endpoint_format(&up->addr, text) : "?");
	buf_addf(r->out, " | %s | %s | %s | ",
		 lag.syncing ? "synchronising" : !lag.link_known ? "?" : lag.link_up ? "up" : "down",
		 units_bytes(lag.bytes, bytes), number(lag.seconds, seconds));
	if (lag.off_backlog)
		buf_addstr(r->out, "off the backlog: full synchronisation ahead |\n");
	else if (lag.backlog_off_ms != FACT_UNKNOWN)
		buf_addf(r->out, "%s, used up in %s |\n", units_bytes(lag.backlog_headroom_bytes, room),
			 units_duration(lag.backlog_off_ms, loss));
	else
		buf_addf(r->out, "%s |\n", units_bytes(lag.backlog_headroom_bytes, room));
}

void report_replication(struct report *r)
{
	bool any = false;
	buf_addstr(r->out, "\n## Replication\n\n");
	for (size_t i = 0; i < r->d->group_count; i++) {
		const struct group *g = r->d->groups[i];
		for (size_t k = 0; k < g->member_count; k++) {
			const struct node *n = model_node(r->m, g->member_ids[k]);
			if (n == NULL || n->id == model_node_resolve(r->m, g->master_id))
				continue;
			if (!any)
				buf_addstr(r->out, "| Replica | Follows | Link | Behind | Seconds since its "
						   "last word | Room in the backlog |\n"
						   "| --- | --- | --- | ---: | ---: | ---: |\n");
			any = true;
			replica_row(r, n);
		}
	}
	if (!any)
		buf_addstr(r->out, "No replica is known.\n");
}

/* --- slots --------------------------------------------------------------------------------------------- */

static void ranges(struct report *r, const struct slot_range *list, size_t count)
{
	for (size_t i = 0; i < count && i < RANGES_MAX; i++)
		buf_addf(r->out, list[i].first == list[i].last ? "%s%u" : "%s%u-%u", i > 0 ? ", " : "",
			 list[i].first, list[i].last);
	if (count > RANGES_MAX)
		buf_addf(r->out, " and %zu ranges more", count - RANGES_MAX);
}

static void owner_row(struct report *r, const struct node *n)
{
	struct slot_range list[RANGES_MAX];
	char addr[ENDPOINT_TEXT_BYTES], epoch[UNITS_BYTES];
	size_t count = slot_ranges(r->d, n->id, list, RANGES_MAX);
	if (count == 0)
		return;
	buf_addstr(r->out, "| ");
	report_text(r, endpoint_format(&n->addr, addr));
	buf_addf(r->out, " | %zu | ", slot_count_of(r->d, n->id));
	ranges(r, list, count);
	buf_addf(r->out, " | %s | %s |\n",
		 n->member != NULL ? number(n->member->config_epoch, epoch) : "?",
		 node_status_name(node_status(n)));
}

void report_slots(struct report *r)
{
	struct slot_range list[RANGES_MAX];
	size_t cursor = 0;
	const struct node *n;
	if (r->d->kind != KIND_CLUSTER || r->d->cluster == NULL)
		return;
	size_t uncovered = slot_uncovered(r->d, list, RANGES_MAX);
	buf_addf(r->out, "\n## Slots\n\n%zu of %d have an owner; the cluster says it is %s.\n",
		 r->d->cluster->assigned, SLOT_COUNT, r->d->cluster->down ? "**down**" : "ok");
	if (uncovered > 0) {
		buf_addstr(r->out, "Without an owner: ");
		ranges(r, list, uncovered);
		buf_addstr(r->out, ".\n");
	}
	buf_addstr(r->out, "\n| Owner | Slots | Ranges | Configuration epoch | State |\n"
			   "| --- | ---: | --- | ---: | --- |\n");
	while ((n = model_next_member(r->m, r->d->id, &cursor)) != NULL)
		owner_row(r, n);
}

/* --- clients ------------------------------------------------------------------------------------------- */

static void client_row(struct report *r, const struct group *g, const struct probe_outage *o)
{
	char words[PROBE_WORDS_BYTES], at[16];
	buf_addstr(r->out, "| ");
	report_text(r, g->name);
	buf_addf(r->out, " | %s | ", report_time(o->wall_ms, at));
	probe_outage_text(o, r->o->now_ms, words);
	buf_addf(r->out, "%s%s | ", words, o->first_good_ms == 0 ? ", and it lasts" : "");
	report_text(r, o->reason);
	buf_addstr(r->out, " |\n");
}

/* What --probe felt; nothing when it was not on. */
void report_clients(struct report *r)
{
	bool any = false, rows = false;
	for (size_t i = 0; i < r->d->group_count; i++) {
		const struct group *g = r->d->groups[i];
		any |= g->probe != NULL;
		for (size_t k = 0; g->probe != NULL && k < g->probe->outage_count; k++)
			rows |= g->probe->outages[k].first_failed_ms >= r->from_ms;
	}
	if (!any)
		return;
	buf_addstr(r->out, "\n## Clients\n\nWrites of redoubt's own, every 100 ms, as a client does it.\n\n");
	if (!rows) {
		buf_addstr(r->out, "None failed, and none was lost.\n");
		return;
	}
	buf_addstr(r->out, "| Master | First failed write | Outage | Why |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < r->d->group_count; i++) {
		const struct group *g = r->d->groups[i];
		for (size_t k = 0; g->probe != NULL && k < g->probe->outage_count; k++)
			if (g->probe->outages[k].first_failed_ms >= r->from_ms)
				client_row(r, g, &g->probe->outages[k]);
	}
}

/* --- findings ------------------------------------------------------------------------------------------- */

void report_findings(struct report *r)
{
	size_t cursor = 0;
	const struct node *n;
	bool any = false;
	buf_addstr(r->out, "\n## Findings\n\n");
	while ((n = model_next_member(r->m, r->d->id, &cursor)) != NULL) {
		struct verdict v;
		char addr[ENDPOINT_TEXT_BYTES];
		health_node(r->m, n, r->o->now_ms, &v);
		if (v.health == HEALTH_OK)
			continue;
		if (!any)
			buf_addstr(r->out, "| Node | Role | Severity | What |\n| --- | --- | --- | --- |\n");
		any = true;
		buf_addstr(r->out, "| ");
		report_text(r, endpoint_format(&n->addr, addr));
		buf_addf(r->out, " | %s | %s | ", role_name(node_role(r->m, n)), health_name(v.health));
		report_text(r, v.text);
		buf_addstr(r->out, " |\n");
	}
	if (!any)
		buf_addstr(r->out, "Every node is well.\n");
}
