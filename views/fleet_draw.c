/* The fleet on the screen: a row each, or two where there is room for what is the matter. */
#include "config.h"

#include <stdio.h>

#include "base/text.h"
#include "base/units.h"
#include "views/fleet_private.h"

#define BADGE_COLUMNS 12
#define NAME_MOST     32
#define DETAILS       3 /* rows for the whole verdict of the selected one */

static const char *const sort_titles[SORT_COUNT] = {
    [SORT_WORST] = "worst first", [SORT_NAME] = "by name", [SORT_KIND] = "by kind",
    [SORT_NODES] = "by nodes",	  [SORT_LAG] = "by lag",   [SORT_EVENT] = "by last event",
};

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
		snprintf(out, UNITS_BYTES, "%zu/%zu watch", row->sentinels_up,
			 row->sentinels);
	else if (row->kind != KIND_CLUSTER)
		snprintf(out, UNITS_BYTES, "-");
	else if (!row->slots_known)
		snprintf(out, UNITS_BYTES, "?");
	else if (row->slots == SLOT_COUNT)
		snprintf(out, UNITS_BYTES, "all slots");
	else
		snprintf(out, UNITS_BYTES, "%zu slots", row->slots);
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
    {"watch/slots", 12, 3, false, put_watch, bad_watch},
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
	struct pane room = list_room(list, rows);

	for (int i = 0; i < page && first + (size_t)i < f->count; i++) {
		draw_row(&room, i * l->lines, &f->rows[first + (size_t)i], l, c);
		if (focused && first + (size_t)i == list->selected)
			pane_restyle(rows, i * l->lines, 0, rows->width, STYLE_SELECTED);
	}
	list_draw_marks(list, rows);
}

void fleet_draw(struct view *v, const struct view_context *c, const struct pane *p, bool focused)
{
	struct fleet *f = (struct fleet *)(void *)v;
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
