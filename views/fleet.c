/* All deployments, the worst first: which one needs somebody now. Everything a row says is worked
 * out in rebuild, in one pass over the members of each, so that a frozen fleet stays of its moment. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "model/lag.h"
#include "views/parts.h"

#define SINCE_JITTER_MS 3000 /* servers count whole seconds: a "since" of theirs wobbles */
#define BADGE_COLUMNS   12
#define NAME_MOST       32
#define DETAILS         3    /* rows for the whole verdict of the selected one */

struct fleet_row {
	uint32_t id;
	enum health health;
	int64_t since_ms; /* of its worst trouble; 0 unknown */
	char name[NAME_BYTES];
	char badge[64];
	bool read_only, failover;
	enum deployment_kind kind;
	size_t groups, groups_ok, nodes, nodes_up, sentinels, sentinels_up, slots;
	bool slots_known, has_replicas;
	int64_t lag_bytes; /* the worst that is known */
	int64_t event_ms;  /* its latest; 0 none */
	char verdict[360];
};

enum fleet_sort {
	SORT_WORST,
	SORT_NAME,
	SORT_KIND,
	SORT_NODES,
	SORT_LAG,
	SORT_EVENT,
	SORT_COUNT
};

/* Names for the `:` line, and what stands on the frame. */
static const char *const sort_columns[SORT_COUNT + 1] = {
    [SORT_WORST] = "worst", [SORT_NAME] = "name", [SORT_KIND] = "kind",
    [SORT_NODES] = "nodes", [SORT_LAG] = "lag",   [SORT_EVENT] = "event",
};
static const char *const sort_titles[SORT_COUNT] = {
    [SORT_WORST] = "worst first", [SORT_NAME] = "by name", [SORT_KIND] = "by kind",
    [SORT_NODES] = "by nodes",	  [SORT_LAG] = "by lag",   [SORT_EVENT] = "by last event",
};

struct fleet {
	struct view view;
	struct fleet_row *rows;
	size_t count, cap;
	enum fleet_sort sort;
	bool reversed;
	int64_t now_ms; /* of the rebuild */
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
		if (n->lag_now_bytes != FACT_UNKNOWN && n->lag_now_bytes > row->lag_bytes)
			row->lag_bytes = n->lag_now_bytes;
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
	if (running == 0 || (strstr(verdict, "a failover is running") && !text[0])) {
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
	f->now_ms = c->now_ms;
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

/* --- drawing ------------------------------------------------------------------------------- */

static void put_health(const struct fleet_row *row, int64_t now_ms, char *out)
{
	static const char *const words[] = {
	    [HEALTH_OK] = "OK",
	    [HEALTH_UNKNOWN] = "UNKNOWN",
	    [HEALTH_WARNING] = "WARNING",
	    [HEALTH_CRITICAL] = "CRITICAL",
	};

	(void)now_ms;
	snprintf(out, UNITS_BYTES, "%s", words[row->health]);
}

/* Short, and no seconds that tick in every row of a fleet that is well. */
static void put_age(char *out, int64_t age_ms)
{
	if (age_ms < 0)
		age_ms = 0;
	if (age_ms < 60000)
		snprintf(out, UNITS_BYTES, "%lld s", (long long)(age_ms / 1000));
	else if (age_ms < 3600000)
		snprintf(out, UNITS_BYTES, "%lld m", (long long)(age_ms / 60000));
	else if (age_ms < 2 * 86400000LL)
		snprintf(out, UNITS_BYTES, "%lld h", (long long)(age_ms / 3600000));
	else
		snprintf(out, UNITS_BYTES, "%lld d", (long long)(age_ms / 86400000));
}

static void put_since(const struct fleet_row *row, int64_t now_ms, char *out)
{
	if (row->since_ms != 0 && row->health != HEALTH_OK)
		put_age(out, now_ms - row->since_ms);
}

static void put_kind(const struct fleet_row *row, int64_t now_ms, char *out)
{
	(void)now_ms;
	snprintf(out, UNITS_BYTES, "%s", row->kind == KIND_UNKNOWN ? "?"
					 : row->kind == KIND_REPLICATION
					     ? "plain"
					     : deployment_kind_name(row->kind));
}

static void put_of(char *out, size_t ok, size_t all)
{
	if (all == 0)
		snprintf(out, UNITS_BYTES, "?");
	else
		snprintf(out, UNITS_BYTES, "%zu/%zu", ok, all);
}

static void put_groups(const struct fleet_row *row, int64_t now_ms, char *out)
{
	(void)now_ms;
	put_of(out, row->groups_ok, row->groups);
}

static void put_nodes(const struct fleet_row *row, int64_t now_ms, char *out)
{
	(void)now_ms;
	put_of(out, row->nodes_up, row->nodes);
}

static void put_watch(const struct fleet_row *row, int64_t now_ms, char *out)
{
	(void)now_ms;
	if (row->kind == KIND_SENTINEL)
		snprintf(out, UNITS_BYTES, "%zu/%zu S", row->sentinels_up, row->sentinels);
	else if (row->kind != KIND_CLUSTER)
		snprintf(out, UNITS_BYTES, "-");
	else if (!row->slots_known)
		snprintf(out, UNITS_BYTES, "?");
	else if (row->slots == SLOT_COUNT)
		snprintf(out, UNITS_BYTES, "all slots");
	else
		snprintf(out, UNITS_BYTES, "%zu sl.", row->slots);
}

static void put_lag(const struct fleet_row *row, int64_t now_ms, char *out)
{
	(void)now_ms;
	if (row->has_replicas)
		units_bytes(row->lag_bytes, out);
	else
		snprintf(out, UNITS_BYTES, "-");
}

static void put_event(const struct fleet_row *row, int64_t now_ms, char *out)
{
	if (row->event_ms == 0)
		snprintf(out, UNITS_BYTES, "-");
	else if (now_ms - row->event_ms < 60000)
		snprintf(out, UNITS_BYTES, "<1 m");
	else
		put_age(out, now_ms - row->event_ms);
}

static bool bad_groups(const struct fleet_row *row)
{
	return row->groups_ok < row->groups;
}
static bool bad_nodes(const struct fleet_row *row)
{
	return row->nodes_up < row->nodes;
}
static bool bad_watch(const struct fleet_row *row)
{
	return row->sentinels_up < row->sentinels || (row->slots_known && row->slots < SLOT_COUNT);
}

/* In the order on the screen; the highest rank is the first that a narrow screen goes without. */
static const struct {
	const char *title;
	int width, rank;
	bool left;
	void (*put)(const struct fleet_row *row, int64_t now_ms, char *out);
	bool (*bad)(const struct fleet_row *row);
} columns[] = {
    {"kind", 9, 5, true, put_kind, NULL},
    {"masters", 8, 0, false, put_groups, bad_groups},
    {"nodes", 8, 1, false, put_nodes, bad_nodes},
    {"watched", 10, 3, false, put_watch, bad_watch},
    {"lag", 8, 4, false, put_lag, NULL},
    {"event", 7, 6, false, put_event, NULL},
    {"since", 6, 2, false, put_since, NULL},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

#define HEALTH_WIDTH  9  /* "CRITICAL " */
#define VERDICT_LEAST 20 /* words before numbers */
#define VERDICT_GOOD  60 /* with less than this the words have a line of their own, if there are any */

struct layout {
	int lines; /* 2: what is the matter stands below */
	bool word; /* the health as a word, too */
	int name_at, name, badge_at, badge, verdict_at, verdict;
	int at[COLUMNS]; /* 0: not shown */
};

static int badge_width(const struct fleet_row *row)
{
	int width = row->badge[0] ? text_width(row->badge) + 1 : 0;

	if (width > BADGE_COLUMNS)
		width = BADGE_COLUMNS;
	return width + (row->read_only ? 3 : 0);
}

/* Judged by size and number alone: what is said must not turn the screen over. */
static bool has_two_lines(const struct fleet *f, int height, int verdict)
{
	return verdict < VERDICT_GOOD && f->count * 2 + DETAILS + 2 <= (size_t)height;
}

/* Columns for the numbers, the least important left out; returns where they end. */
static int layout_numbers(struct layout *l, int at, int room)
{
	for (int rank = 0; rank < (int)COLUMNS; rank++)
		for (size_t i = 0; i < COLUMNS; i++)
			if (columns[i].rank == rank) {
				room -= columns[i].width;
				l->at[i] = room >= 0;
			}
	for (size_t i = 0; i < COLUMNS; i++) {
		if (!l->at[i])
			continue;
		l->at[i] = at;
		at += columns[i].width;
	}
	return at;
}

static struct layout layout_for(const struct fleet *f, int height, int width)
{
	struct layout l = {.lines = 1};
	int at, end;

	for (size_t i = 0; i < f->count; i++) {
		int name = text_width(f->rows[i].name), badge = badge_width(&f->rows[i]);

		l.name = name > l.name ? name : l.name;
		l.badge = badge > l.badge ? badge : l.badge;
	}
	l.word = width >= 48;
	l.name_at = l.word ? 2 + HEALTH_WIDTH : 2;
	if (l.name > NAME_MOST)
		l.name = NAME_MOST;
	if (l.name > width * 3 / 10 && l.name > 12)
		l.name = width * 3 / 10 > 12 ? width * 3 / 10 : 12;
	if (l.name < 10)
		l.name = 10;
	at = l.badge_at = l.name_at + l.name + 1;
	if (width < 60 && l.badge > 3) /* what may be done comes before what it is called */
		l.badge = 3;
	at += l.badge > 0 ? l.badge + 1 : 0;
	end = layout_numbers(&l, at, width - at - VERDICT_LEAST);
	l.verdict_at = end + (end > at ? 2 : 0);
	l.verdict = width - 1 - l.verdict_at;
	if (!has_two_lines(f, height, l.verdict))
		return l;
	layout_numbers(&l, at, width - at - 1);
	l.lines = 2;
	l.verdict_at = l.name_at;
	l.verdict = width - 1 - l.verdict_at;
	return l;
}

static void draw_titles(const struct pane *p, const struct layout *l)
{
	pane_text(p, 0, 2, l->name_at - 2, STYLE_DIM, "health");
	pane_text(p, 0, l->name_at, -1, STYLE_DIM, "deployment");
	for (size_t i = 0; i < COLUMNS; i++) {
		if (!l->at[i])
			continue;
		if (columns[i].left)
			pane_text(p, 0, l->at[i], columns[i].width, STYLE_DIM, columns[i].title);
		else
			pane_text_right(p, 0, l->at[i], columns[i].width, STYLE_DIM,
					columns[i].title);
	}
	if (l->lines == 1)
		pane_text(p, 0, l->verdict_at, -1, STYLE_DIM, "what");
}

static void draw_badges(const struct pane *p, int y, const struct fleet_row *row,
			const struct layout *l)
{
	int x = l->badge_at, room = l->badge - (row->read_only ? 3 : 0);

	if (row->badge[0] && room > 3)
		x = pane_text(p, y, x, room - 1, STYLE_BADGE, row->badge) + 1;
	if (row->read_only && l->badge >= 2)
		pane_text(p, y, x, 2, STYLE_BADGE, "RO");
}

static void draw_row(const struct pane *p, int y, const struct fleet_row *row,
		     const struct layout *l, const struct view_context *c)
{
	enum style_role style = health_style(row->health);
	char text[UNITS_BYTES] = "";

	pane_glyph(p, y, 0, style, health_glyph(row->health));
	put_health(row, c->now_ms, text);
	if (l->word)
		pane_text(p, y, 2, HEALTH_WIDTH - 1, style, text);
	pane_text(p, y, l->name_at, l->name,
		  row->id == c->deployment_id ? STYLE_TITLE : STYLE_STRONG, row->name);
	draw_badges(p, y, row, l);
	for (size_t i = 0; i < COLUMNS; i++) {
		bool bad = columns[i].bad && columns[i].bad(row);

		if (!l->at[i])
			continue;
		text[0] = '\0';
		columns[i].put(row, c->now_ms, text);
		if (columns[i].left)
			pane_text(p, y, l->at[i], columns[i].width - 1, STYLE_TEXT, text);
		else
			pane_text_right(p, y, l->at[i], columns[i].width,
					bad ? STYLE_WARNING : STYLE_TEXT, text);
	}
	sentence_draw(p, y + l->lines - 1, l->verdict_at, l->verdict,
		      row->health == HEALTH_OK ? STYLE_DIM : style,
		      row->verdict[0] ? row->verdict : "all well");
}

/* The selected row in full, where its line has no room for it. */
static void draw_details(const struct pane *p, const struct fleet_row *row,
			 const struct view_context *c)
{
	char word[UNITS_BYTES], kind[UNITS_BYTES], groups[UNITS_BYTES], nodes[UNITS_BYTES];
	char watch[UNITS_BYTES] = "", text[600];
	int y = 0;

	for (int x = 0; p->height > 2 && x < p->width; x++) {
		pane_glyph(p, 0, x, STYLE_BORDER, GLYPH_TREE_DASH);
		y = 1;
	}
	put_health(row, c->now_ms, word);
	put_kind(row, c->now_ms, kind);
	put_groups(row, c->now_ms, groups);
	put_nodes(row, c->now_ms, nodes);
	if (row->kind == KIND_SENTINEL)
		snprintf(watch, sizeof(watch), ", %zu/%zu Sentinels", row->sentinels_up,
			 row->sentinels);
	else if (row->slots_known)
		snprintf(watch, sizeof(watch), ", %zu slots served", row->slots);
	snprintf(text, sizeof(text), "%s: %s; %s, %s masters, %s nodes%s%s%s%s", word,
		 row->verdict[0] ? row->verdict : "all well", kind, groups, nodes, watch,
		 row->read_only ? "; read-only" : "", row->badge[0] ? "; " : "", row->badge);
	text_wrap_draw(p, y, 0, p->width, p->height - y, health_style(row->health), text);
}

static bool is_cut(const struct fleet *f, const struct layout *l)
{
	if (l->lines == 1 && l->verdict < VERDICT_GOOD)
		return true;
	for (size_t i = 0; i < f->count; i++)
		if (text_width(f->rows[i].verdict) > l->verdict)
			return true;
	return false;
}

static void draw_rows(struct fleet *f, const struct view_context *c, const struct pane *rows,
		      const struct layout *l, bool focused)
{
	struct list *list = &f->view.list;
	int page = rows->height / l->lines;
	size_t first = list_layout(list, page > 0 ? page : 1);

	for (int i = 0; i < page && first + (size_t)i < f->count; i++) {
		draw_row(rows, i * l->lines, &f->rows[first + (size_t)i], l, c);
		if (focused && first + (size_t)i == list->selected)
			pane_restyle(rows, i * l->lines, 0, rows->width, STYLE_SELECTED);
	}
	list_draw_marks(list, rows);
}

static void fleet_draw(struct view *v, const struct view_context *c, const struct pane *p,
		       bool focused)
{
	struct fleet *f = fleet_of(v);
	char extra[64];
	struct pane in, rows;
	struct layout l;

	snprintf(extra, sizeof(extra), "%s%s", sort_titles[f->sort],
		 f->reversed ? ", reversed" : "");
	in = view_frame(v, p, extra, focused);
	rows = in;
	l = layout_for(f, in.height, in.width);
	if (f->count == 0) {
		view_say(&in, STYLE_DIM,
			 v->filter[0] ? "nothing matches the filter" : "nobody has answered yet");
		return;
	}
	if (in.height >= 4 && is_cut(f, &l)) {
		int height = in.height >= 9 ? DETAILS + 1 : in.height / 2;
		struct pane details = pane_sub(&in, in.height - height, 0, height, in.width);

		rows = pane_sub(&in, 0, 0, in.height - height, in.width);
		draw_details(&details, &f->rows[v->list.selected < f->count ? v->list.selected : 0],
			     c);
	}
	if (rows.height >= 4) {
		draw_titles(&rows, &l);
		rows = pane_sub(&rows, 1, 0, rows.height - 1, rows.width);
	}
	draw_rows(f, c, &rows, &l, focused);
}

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
