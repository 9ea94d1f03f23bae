/* What is known of one node: what it says of itself, what others say of it, what we see of it. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "views/node_private.h"
#include "views/topology_private.h"

void node_facts_done(struct node_facts *f)
{
	free(f->items);
	memset(f, 0, sizeof(*f));
}

static struct node_fact *item_add(struct node_facts *f)
{
	struct node_fact *item;

	f->items = mem_grow(f->items, &f->cap, f->count + 1, sizeof(*f->items));
	item = &f->items[f->count++];
	memset(item, 0, offsetof(struct node_fact, text) + 1);
	return item;
}

void facts_section(struct node_facts *f, const char *title)
{
	struct node_fact *item = item_add(f);

	item->role = STYLE_TITLE;
	snprintf(item->text, sizeof(item->text), "%s", title);
}

void facts_add(struct node_facts *f, const char *label, enum style_role role, const char *fmt, ...)
{
	struct node_fact *item = item_add(f);
	va_list ap;

	item->label = label;
	item->role = role;
	va_start(ap, fmt);
	text_vformat(item->text, sizeof(item->text), fmt, ap);
	va_end(ap);
}

void facts_add_id(struct node_facts *f, const char *label, const char *id)
{
	facts_add(f, label, STYLE_TEXT, "%s", id[0] ? id : "?");
	f->items[f->count - 1].is_id = true;
}

enum style_role facts_own_role(const struct node_facts *f)
{
	return f->own_stale ? STYLE_STALE : STYLE_TEXT;
}

const char *facts_number(int64_t value, char out[UNITS_BYTES])
{
	if (value == FACT_UNKNOWN)
		return "?";
	snprintf(out, UNITS_BYTES, "%lld", (long long)value);
	return out;
}

const char *facts_bytes(int64_t value, char out[UNITS_BYTES])
{
	return value == FACT_UNKNOWN || value < 0 ? "?" : units_bytes(value, out);
}

const char *facts_age(const struct view_context *c, int64_t since_ms, char out[UNITS_BYTES])
{
	return units_age(c->now_ms > since_ms ? c->now_ms - since_ms : 0, out);
}

const char *facts_calm_age(const struct view_context *c, int64_t since_ms, char out[UNITS_BYTES])
{
	int64_t minutes = c->now_ms > since_ms ? (c->now_ms - since_ms) / 60000 : 0;

	if (minutes < 1)
		snprintf(out, UNITS_BYTES, "<1 m");
	else if (minutes < 60)
		snprintf(out, UNITS_BYTES, "%lld m", (long long)minutes);
	else
		units_age(minutes * 60000, out);
	return out;
}

const char *facts_ago(const struct view_context *c, int64_t at_ms, char out[FACTS_AGO_BYTES])
{
	int64_t quiet_ms = 3 * c->interval_ms > 3000 ? 3 * c->interval_ms : 3000;
	char text[UNITS_BYTES];

	out[0] = '\0';
	if (c->now_ms - at_ms > quiet_ms)
		snprintf(out, FACTS_AGO_BYTES, ", %s ago", facts_age(c, at_ms, text));
	return out;
}

const char *facts_address(const struct view_context *c, uint32_t node_id,
			  char out[ENDPOINT_TEXT_BYTES])
{
	const struct node *n = model_node(c->model, node_id);

	return n ? endpoint_format(&n->addr, out) : "?";
}

/* --- identity and link ---------------------------------------------------------------------- */

static void add_identity(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	const struct deployment *d = model_deployment(c->model, n->deployment_id);
	const struct group *g = n->group_id ? model_group(c->model, n->group_id) : NULL;
	char text[ENDPOINT_TEXT_BYTES], since[UNITS_BYTES];
	bool said = n->info_at_ms != 0;

	facts_section(f, "Identity");
	if (endpoint_is_set(&n->dial))
		facts_add(f, "reached at", STYLE_TEXT, "%.200s", endpoint_format(&n->dial, text));
	if (said && n->info.version[0])
		facts_add(f, "version", facts_own_role(f), "%s %s",
			  n->info.valkey ? "Valkey" : "Redis", n->info.version);
	else
		facts_add(f, "version", STYLE_TEXT, "?");
	facts_add(f, "uptime", facts_own_role(f), "%s",
		  said && n->info.uptime_s >= 0
		      ? facts_calm_age(c, c->now_ms - n->info.uptime_s * 1000, since)
		      : "?");
	facts_add_id(f, "run id", n->run_id);
	if (n->is_sentinel)
		facts_add_id(f, "sentinel id", n->sentinel_id);
	if (d && d->kind == KIND_CLUSTER)
		facts_add_id(f, "cluster id", n->cluster_id);
	if (g && d)
		facts_add(f, d->kind == KIND_CLUSTER ? "shard of" : "group", STYLE_TEXT, "%.120s",
			  g->name);
	facts_add(f, "known", STYLE_TEXT, "%s",
		  n->is_target ? "as a target" : "found through others");
}

static void add_link_line(struct node_facts *f, const struct view_context *c, const char *label,
			  const struct node_link *l)
{
	char since[UNITS_BYTES];
	bool up = l->state == LINK_UP;

	if (l->state == LINK_NONE) {
		facts_add(f, label, STYLE_TEXT, "?");
		return;
	}
	if (up)
		facts_calm_age(c, l->since_ms, since);
	else
		facts_age(c, l->lost_ms != 0 ? l->lost_ms : l->since_ms, since);
	facts_add(f, label, up ? STYLE_TEXT : STYLE_WARNING, "%s %s%s%.120s",
		  link_state_name(l->state), since, l->reason[0] ? ": " : "", l->reason);
}

static void add_link(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	char old[FACTS_AGO_BYTES];

	facts_section(f, "Link from here");
	add_link_line(f, c, "link", &n->link);
	if (n->is_sentinel)
		add_link_line(f, c, "events", &n->event_link);
	if (n->link.last_reply_ms == 0)
		facts_add(f, "answered", STYLE_TEXT, "never");
	else if (facts_ago(c, n->link.last_reply_ms, old)[0])
		facts_add(f, "answered", STYLE_WARNING, "%s", old + 2);
	else
		facts_add(f, "answered", STYLE_TEXT, "now");
	if (n->link.rtt_us < 0)
		facts_add(f, "latency", STYLE_TEXT, "?");
	else
		facts_add(f, "latency", facts_own_role(f), "%.1f ms", n->link.rtt_us / 1000.0);
}

static void add_refusals(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	char since[UNITS_BYTES];

	if (n->refusal_count == 0)
		return;
	facts_section(f, "Refused");
	for (size_t i = 0; i < n->refusal_count && i < FACTS_LISTED_MAX; i++) {
		const struct refusal *r = &n->refusals[i];

		facts_add(f, question_name(r->question), STYLE_WARNING, "%s%s%.150s (%s ago)",
			  r->arg, r->arg[0] ? ": " : "", r->text, facts_age(c, r->at_ms, since));
	}
	if (n->refusal_count > FACTS_LISTED_MAX)
		facts_add(f, "", STYLE_WARNING, "+%zu more", n->refusal_count - FACTS_LISTED_MAX);
}

/* The same words as in the topology. */
static void fill_state(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	struct topo_row row = {.kind = ROW_NODE, .node_id = n->id, .group_id = n->group_id};
	struct verdict verdict;
	char addr[ENDPOINT_TEXT_BYTES];

	topology_fill_row(NULL, &row, c);
	health_node(c->model, n, c->now_ms, &verdict);
	f->health = row.health;
	f->role = row.role;
	f->own_stale = row.stale || (n->info_at_ms != 0 && n->link.state != LINK_UP);
	/* There is room for all of the reason here. */
	snprintf(f->state, sizeof(f->state), "%s",
		 strlen(verdict.text) > strlen(row.state) ? verdict.text : row.state);
	snprintf(f->headline, sizeof(f->headline), "%.60s", endpoint_format(&n->addr, addr));
}

void node_facts_build(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	f->count = 0;
	fill_state(f, c, n);
	add_refusals(f, c, n);
	add_link(f, c, n);
	facts_add_others(f, c, n);
	facts_add_own(f, c, n);
	add_identity(f, c, n);
}
