/* All deployments, the worst first: which one needs somebody now. Everything a row says is worked
 * out in rebuild, in one pass over the members of each, so that a frozen fleet stays of its moment. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/lag.h"
#include "views/fleet_private.h"

#define SINCE_JITTER_MS 3000 /* servers count whole seconds: a "since" of theirs wobbles */

/* Names for the `:` line. */
static const char *const sort_columns[SORT_COUNT + 1] = {
    [SORT_WORST] = "worst", [SORT_NAME] = "name", [SORT_KIND] = "kind",
    [SORT_NODES] = "nodes", [SORT_LAG] = "lag",   [SORT_EVENT] = "event",
};

static struct fleet *fleet_of(struct view *v)
{
	return (struct fleet *)(void *)v;
}
static const struct fleet *fleet_of_const(const struct view *v)
{
	return (const struct fleet *)(const void *)v;
}

static void fleet_done(struct view *v)
{
	free(fleet_of(v)->rows);
}

/* --- what a row says ----------------------------------------------------------------------- */

/* Its master answers and nobody holds it for down. */
static bool group_is_served(const struct view_context *c, const struct group *g)
{
	const struct node *master = model_node(c->model, g->master_id);
	struct verdict verdict;

	if (!master || master->link.state != LINK_UP || master->said_down)
		return false;
	health_node(c->model, master, c->now_ms, &verdict);
	return verdict.health != HEALTH_CRITICAL && strcmp(group_status(c->model, g), "odown") != 0;
}

static void count_members(struct fleet_row *row, const struct view_context *c)
{
	const struct node *n;
	size_t cursor = 0;

	row->lag_bytes = FACT_UNKNOWN;
	while ((n = model_next_member(c->model, row->id, &cursor))) {
		bool up = n->link.state == LINK_UP;

		if (n->is_sentinel) {
			row->sentinels++;
			row->sentinels_up += up;
			continue;
		}
		row->nodes++;
		row->nodes_up += up;
		if (node_role(c->model, n) != ROLE_REPLICA)
			continue;
		row->has_replicas = true;
		if (lag_bytes_of(c->model, n) > row->lag_bytes) /* unknown is less than all */
			row->lag_bytes = lag_bytes_of(c->model, n);
	}
}

static void count_slots(struct fleet_row *row, const struct view_context *c,
			const struct deployment *d)
{
	const struct cluster *cl = d->cluster;
	bool *failed;

	row->slots_known = cl && cl->mapped;
	if (!row->slots_known)
		return;
	row->slots = cl->assigned;
	failed = mem_alloc((cl->owner_count + 1) * sizeof(*failed));
	for (size_t i = 0; i < cl->owner_count; i++) {
		const struct node *n = model_node(c->model, cl->owners[i]);

		failed[i] = n && n->member && (n->member->flags & CFLAG_FAIL);
	}
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
		if (cl->owner[slot] < cl->owner_count && failed[cl->owner[slot]])
			row->slots--;
	free(failed);
}

/* The phase of a running failover comes before the rest: that is what somebody waits for. */
static void say_failovers(struct fleet_row *row, const struct view_context *c,
			  const struct deployment *d, const char *verdict)
{
	char text[128] = "";
	size_t running = 0;

	for (size_t i = 0; i < d->group_count; i++) {
		if (!group_failover_running(c->model, d->groups[i], c->now_ms))
			continue;
		if (running++ == 0)
			group_failover_text(d->groups[i], c->now_ms, text, sizeof(text));
	}
	row->failover = running > 0;
	if (running == 0 || (strstr(verdict, "failover running") && !text[0])) {
		snprintf(row->verdict, sizeof(row->verdict), "%s", verdict);
		return;
	}
	if (running == 1)
		snprintf(row->verdict, sizeof(row->verdict), "failover: %s%s%s",
			 text[0] ? text : "running", verdict[0] ? "; " : "", verdict);
	else
		snprintf(row->verdict, sizeof(row->verdict), "%zu failovers run; %s", running,
			 verdict);
}

/* "mymaster objectively down 7 s" in the row of mymaster. */
static const char *without_name(const char *words, const struct deployment *d)
{
	size_t len = strlen(d->name);

	if (strncmp(words, d->name, len) != 0 || words[len] != ' ')
		return words;
	return words + len + 1;
}

static void row_fill(struct fleet_row *row, const struct view_context *c,
		     const struct deployment *d)
{
	struct verdict verdict;

	health_deployment(c->model, d, c->now_ms, &verdict);
	row->health = verdict.health;
	row->since_ms = verdict.since_ms;
	row->kind = d->kind;
	snprintf(row->name, sizeof(row->name), "%s", d->name);
	if (c->settings) {
		struct view_settings settings = c->settings(c->settings_owner, d->id);

		row->read_only = settings.read_only;
		if (settings.label)
			text_format(row->badge, sizeof(row->badge), "%s", settings.label);
	}
	row->groups = d->group_count;
	for (size_t i = 0; i < d->group_count; i++)
		row->groups_ok += group_is_served(c, d->groups[i]);
	count_members(row, c);
	count_slots(row, c, d);
	say_failovers(row, c, d, without_name(verdict_words(&verdict, d), d));
}

/* --- order --------------------------------------------------------------------------------- */

/* Trouble that lasts longest first, so that what is new does not push down what one reads. */
static int compare_since(int64_t a, int64_t b)
{
	if (a == 0 || b == 0)
		return (a == 0) - (b == 0);
	return (a > b) - (a < b);
}

static int compare_worst(const struct fleet_row *a, const struct fleet_row *b)
{
	if (a->health != b->health)
		return a->health > b->health ? -1 : 1;
	return compare_since(a->since_ms, b->since_ms);
}

static int compare_name(const struct fleet_row *a, const struct fleet_row *b)
{
	int order = strverscmp(a->name, b->name);

	return order ? order : (a->id > b->id) - (a->id < b->id);
}

/* The larger, and the later, first: that is what one looks for. */
static int compare_by(enum fleet_sort sort, const struct fleet_row *a, const struct fleet_row *b)
{
	switch (sort) {
	case SORT_KIND:
		return strcmp(deployment_kind_name(a->kind), deployment_kind_name(b->kind));
	case SORT_NODES:
		return (a->nodes < b->nodes) - (a->nodes > b->nodes);
	case SORT_LAG:
		return (a->lag_bytes < b->lag_bytes) - (a->lag_bytes > b->lag_bytes);
	case SORT_EVENT:
		return (a->event_ms < b->event_ms) - (a->event_ms > b->event_ms);
	case SORT_NAME:
		return compare_name(a, b);
	case SORT_WORST:
	case SORT_COUNT:
		break;
	}
	return compare_worst(a, b);
}

static int row_compare(const void *x, const void *y, void *arg)
{
	const struct fleet *f = arg;
	int order = compare_by(f->sort, x, y);

	if (order)
		return f->reversed ? -order : order;
	order = f->sort == SORT_WORST ? 0 : compare_worst(x, y);
	return order ? order : compare_name(x, y);
}

static int id_compare(const void *x, const void *y)
{
	uint32_t a = ((const struct fleet_row *)x)->id, b = ((const struct fleet_row *)y)->id;

	return (a > b) - (a < b);
}

static struct fleet_row *row_find(struct fleet_row *by_id, size_t count, uint32_t id)
{
	struct fleet_row key = {.id = id};

	return count ? bsearch(&key, by_id, count, sizeof(*by_id), id_compare) : NULL;
}

/* Rows trade places when something happened, not because a server rounded a second. */
static void since_hold_still(struct fleet *f, struct fleet_row *before, size_t count)
{
	qsort(before, count, sizeof(*before), id_compare);
	for (size_t i = 0; i < f->count; i++) {
		struct fleet_row *row = &f->rows[i], *was = row_find(before, count, row->id);
		int64_t moved = was ? row->since_ms - was->since_ms : 0;

		if (was && was->health == row->health && was->since_ms != 0 && row->since_ms != 0 &&
		    moved < SINCE_JITTER_MS && moved > -SINCE_JITTER_MS)
			row->since_ms = was->since_ms;
	}
}

/* --- rebuild ------------------------------------------------------------------------------- */

static void events_find(struct fleet *f, const struct view_context *c)
{
	const struct event_log *log = model_events(c->model);
	size_t left = f->count;

	qsort(f->rows, f->count, sizeof(*f->rows), id_compare);
	for (size_t i = event_log_count(log); i-- > 0 && left > 0;) {
		const struct event *e = event_log_at(log, i);
		struct fleet_row *row = row_find(f->rows, f->count, e->deployment_id);

		if (!row || row->event_ms != 0)
			continue;
		row->event_ms = e->mono_ms;
		left--;
	}
}

static bool row_matches(const struct view *v, const struct fleet_row *row)
{
	char text[800];

	snprintf(text, sizeof(text), "%s %s %s %s %s %s", row->name, row->badge,
		 row->read_only ? "read-only" : "", deployment_kind_name(row->kind),
		 health_name(row->health), row->verdict);
	return view_matches(v, text);
}

static void rows_filter(struct fleet *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->count; i++) {
		if (!row_matches(&f->view, &f->rows[i]))
			continue;
		if (kept != i)
			f->rows[kept] = f->rows[i];
		kept++;
	}
	f->count = kept;
}

static void rows_list(struct fleet *f)
{
	list_begin(&f->view.list);
	for (size_t i = 0; i < f->count; i++)
		list_add(&f->view.list, f->rows[i].id);
	list_end(&f->view.list);
}

static void fleet_rebuild(struct view *v, const struct view_context *c)
{
	struct fleet *f = fleet_of(v);
	struct fleet_row *before = f->rows;
	size_t before_count = f->count, cursor = 0;
	const struct deployment *d;

	f->rows = NULL;
	f->count = f->cap = 0;
	while ((d = model_next_deployment(c->model, &cursor))) {
		f->rows = mem_grow(f->rows, &f->cap, f->count + 1, sizeof(*f->rows));
		f->rows[f->count] = (struct fleet_row){.id = d->id};
		row_fill(&f->rows[f->count++], c, d);
	}
	if (before_count > 0)
		since_hold_still(f, before, before_count);
	free(before);
	if (f->count > 0) {
		events_find(f, c);
		qsort_r(f->rows, f->count, sizeof(*f->rows), row_compare, f);
	}
	if (v->filter[0])
		rows_filter(f);
	rows_list(f);
	v->stale = false;
}

/* --- the view ------------------------------------------------------------------------------ */

/* Rows are all there: nothing is asked of the model, so a frozen fleet can be sorted as well. */
static void fleet_resort(struct fleet *f)
{
	if (f->count > 0)
		qsort_r(f->rows, f->count, sizeof(*f->rows), row_compare, f);
	rows_list(f);
}

static bool fleet_sort_by(struct view *v, const char *column)
{
	struct fleet *f = fleet_of(v);

	for (size_t i = 0; i < SORT_COUNT; i++) {
		if (strcmp(sort_columns[i], column) != 0)
			continue;
		f->reversed = f->sort == (enum fleet_sort)i && !f->reversed;
		f->sort = (enum fleet_sort)i;
		fleet_resort(f);
		return true;
	}
	return false;
}

static unsigned fleet_act(struct view *v, const struct view_context *c, enum command cmd)
{
	struct fleet *f = fleet_of(v);

	(void)c;
	switch (cmd) {
	case CMD_ENTER:
		return f->count > 0 ? EFFECT_OPEN_DEPLOYMENT : EFFECT_DONE;
	case CMD_BACK:
		return view_drop_filter(v) ? EFFECT_REDRAW : EFFECT_NONE;
	case CMD_SORT_NEXT:
		f->sort = (f->sort + 1) % SORT_COUNT;
		f->reversed = false;
		fleet_resort(f);
		return EFFECT_REDRAW;
	case CMD_SORT_REVERSE:
		f->reversed = !f->reversed;
		fleet_resort(f);
		return EFFECT_REDRAW;
	default:
		return view_list_act(v, cmd);
	}
}

static const enum command fleet_takes[] = {CMD_ENTER, CMD_SORT_NEXT, CMD_SORT_REVERSE, CMD_NONE};

static int fleet_wanted_height(const struct view *v, const struct view_context *c, int width)
{
	const struct fleet *f = fleet_of_const(v);

	(void)c, (void)width;
	return (int)(f->count < 1000 ? f->count : 1000) + 3;
}

static void fleet_selection(const struct view *v, struct selection *out)
{
	const struct fleet *f = fleet_of_const(v);

	if (v->list.selected < f->count)
		out->deployment_id = f->rows[v->list.selected].id;
}

const struct view_ops fleet_view = {
    .name = "fleet",
    .title = "Fleet",
    .topics = TOPIC_NODES | TOPIC_TOPOLOGY | TOPIC_HEALTH | TOPIC_EVENTS | TOPIC_VALUES,
    .state_size = sizeof(struct fleet),
    .uses_filter = true,
    .takes = fleet_takes,
    .columns = sort_columns,
    .sort = fleet_sort_by,
    .done = fleet_done,
    .rebuild = fleet_rebuild,
    .draw = fleet_draw,
    .act = fleet_act,
    .wanted_height = fleet_wanted_height,
    .selection = fleet_selection,
};
