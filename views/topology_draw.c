/* The rows on the screen: tree, state and as many columns as there is room for; and everything
 * about the selected one. */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "views/topology_private.h"

static void uptime_text(int64_t seconds, char *out)
{
	if (seconds == FACT_UNKNOWN || seconds < 0)
		snprintf(out, UNITS_BYTES, "?");
	else if (seconds < 60)
		snprintf(out, UNITS_BYTES, "<1 m");
	else if (seconds < 3600)
		snprintf(out, UNITS_BYTES, "%lld m", (long long)(seconds / 60));
	else if (seconds < 2 * 86400)
		snprintf(out, UNITS_BYTES, "%lld h", (long long)(seconds / 3600));
	else
		snprintf(out, UNITS_BYTES, "%lld d", (long long)(seconds / 86400));
}

static void put_lag(const struct topo_row *row, char *out)
{
	if (row->role == ROLE_REPLICA)
		units_bytes(row->lag_bytes, out);
	else
		out[0] = '\0';
}
static void put_ops(const struct topo_row *row, char *out)
{
	units_count(units_calm(row->ops), out); /* as in the table of nodes */
}
static void put_memory(const struct topo_row *row, char *out)
{
	units_bytes(units_calm(row->memory_bytes), out);
}
static void put_clients(const struct topo_row *row, char *out)
{
	units_count(units_calm(row->clients), out);
}
static void put_version(const struct topo_row *row, char *out)
{
	snprintf(out, UNITS_BYTES, "%.23s", row->version[0] ? row->version : "?");
}
static void put_uptime(const struct topo_row *row, char *out)
{
	uptime_text(row->uptime_s, out);
}

/* In the order in which they are given room, which is the order on the screen as well. */
static const struct {
	const char *title;
	int width;
	bool of_sentinels;
	void (*put)(const struct topo_row *row, char *out);
} columns[] = {
    {"version", 9, true, put_version},  {"lag", 8, false, put_lag},
    {"ops/s", 7, false, put_ops},       {"memory", 8, false, put_memory},
    {"clients", 8, false, put_clients}, {"uptime", 7, true, put_uptime},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

#define EXPLAINS_LEAST 12 /* columns behind a colon */
#define ROLE_WIDTH  8
#define STATE_WIDTH 30 /* words before numbers: below this no column is shown */

struct layout {
	int name, role, state, state_width;
	size_t columns;
};

static struct layout layout_for(const struct topology *t, int width)
{
	struct layout l = {0, 0, 0, 0, 0};
	int room, used = 0;

	l.name = t->name_width;
	if (l.name > width / 2)
		l.name = width / 2;
	l.role = l.name + 2;
	if (width < 60)
		l.role--;
	l.state = l.role + ROLE_WIDTH;
	room = width - l.state - STATE_WIDTH;
	while (l.columns < COLUMNS && used + columns[l.columns].width <= room)
		used += columns[l.columns++].width;
	l.state_width = width - l.state - used;
	if (l.columns > 0) /* a gap, and the marks of more rows at the edge */
		l.state_width -= 2;
	return l;
}

static int draw_tree(const struct pane *p, int y, const struct topo_row *row)
{
	int x = 0;

	for (unsigned d = 1; d < row->depth; d++) {
		if (row->lines & (1u << d))
			pane_glyph(p, y, x, STYLE_DIM, GLYPH_TREE_LINE);
		x += 2;
	}
	if (row->depth == 0)
		return x;
	pane_glyph(p, y, x, STYLE_DIM, row->last ? GLYPH_TREE_END : GLYPH_TREE_TEE);
	pane_glyph(p, y, x + 1, STYLE_DIM, GLYPH_TREE_DASH);
	return x + 2;
}

/* What is worse comes first in it: where there is no room for all, the rest goes. */
/* "BUSY Redis is ..." of "info: BUSY Redis is ...": cut at its colon it would say nothing. */
static const char *without_question(const char *state)
{
	for (int q = ASK_NONE + 1; q < ASK_COUNT; q++) {
		const char *name = question_name((enum question)q);
		size_t len = strlen(name);

		if (strncmp(state, name, len) == 0 && strncmp(state + len, ": ", 2) == 0)
			return state + len + 2;
	}
	return state;
}

static void draw_state(const struct pane *p, int y, int x, int room, enum style_role style,
		       const char *state)
{
	char text[sizeof(((struct topo_row *)NULL)->state)];
	char *comma;

	snprintf(text, sizeof(text), "%s", text_width(state) > room ? without_question(state) : state);
	while (text_width(text) > room && (comma = strrchr(text, ','))) {
		const char *why = strstr(text, ": ");

		if (why && why - text <= room) /* that alone makes room */
			break;
		*comma = '\0';
	}
	sentence_draw(p, y, x, room, style, text);
}

static void draw_node(const struct pane *p, int y, const struct topo_row *row,
		      const struct layout *l)
{
	enum style_role style = health_style(row->health);
	int x = draw_tree(p, y, row), at = l->state + l->state_width;
	char role[16];

	x = pane_glyph(p, y, x, style, health_glyph(row->health)) + 1;
	addr_draw(p, y, x, l->role - 1 - x, row->stale ? STYLE_STALE : STYLE_STRONG, row->name);
	snprintf(role, sizeof(role), "%s%s", row->role == ROLE_UNKNOWN ? "?" : role_name(row->role),
		 row->odd_role ? "!" : "");
	x = pane_text(p, y, l->role, ROLE_WIDTH,
		      row->odd_role ? STYLE_CRITICAL : role_style(row->role), role);
	x = x >= l->state ? x + 1 : l->state;
	/* Why it does not answer is worth more than the numbers from before; that writes are lost,
	 * than any. */
	if ((row->silent || row->odd_role) && x + text_width(row->state) > at) {
		draw_state(p, y, x, p->width - x, style, row->state);
		return;
	}
	draw_state(p, y, x, at - x, style, row->state);
	if (l->columns > 0)
		at++;
	for (size_t i = 0; i < l->columns; i++) {
		char text[UNITS_BYTES] = "";

		if (row->role != ROLE_SENTINEL || columns[i].of_sentinels)
			columns[i].put(row, text);
		pane_text_right(p, y, at, columns[i].width, row->stale ? STYLE_STALE : STYLE_TEXT,
				text);
		at += columns[i].width;
	}
}

static enum style_role ready_style(enum ready r)
{
	return r == READY_NO	     ? STYLE_CRITICAL
	       : r == READY_DOUBTFUL ? STYLE_WARNING
	       : r == READY_YES	     ? STYLE_OK
				     : STYLE_DIM;
}

/* Words that are bad news stand out from the rest of a heading. */
static int draw_heading_state(const struct pane *p, int y, int x, const struct topo_row *row, int len)
{
	const char *bad = strstr(row->state, "ckquorum NOT OK");
	enum style_role style = row->health == HEALTH_OK ? STYLE_DIM : STYLE_TEXT;
	char text[sizeof(row->state)];

	if (bad && bad < row->state + len) {
		x = pane_text(p, y, x, (int)(bad - row->state), STYLE_TEXT, row->state);
		return pane_text(p, y, x, -1, STYLE_CRITICAL, bad);
	}
	text_format(text, sizeof(text), "%.*s", len, row->state);
	return pane_text(p, y, x, -1, style, text);
}

/* Whether it can fail over comes first: without it no other word of the head matters. */
static void draw_heading(const struct pane *p, int y, const struct topo_row *row)
{
	const char *gap = strstr(row->state, "  ");
	int x = 0, room, all = (int)strlen(row->state), first = gap ? (int)(gap - row->state) : all;
	int ready = text_width(row->ready);
	char text[sizeof(row->ready)], *next;
	bool is_cut = false;

	if (row->owner != NONE) {
		char letter[2] = {owner_letter(row->rank), '\0'};

		x = pane_text(p, y, x, 1, owner_style(row->rank), letter) + 1;
	}
	/* A name as long as the pane must not hide what is said of it. */
	room = p->width - x - 2 - (ready ? ready : all);
	if (room < 14)
		room = 14;
	x = pane_text(p, y, x, room, STYLE_TITLE, row->name) + 2;
	room = p->width - x;
	if (!ready) {
		draw_heading_state(p, y, x, row, all);
		return;
	}
	if (all > 0 && all + 2 + ready <= room)
		x = draw_heading_state(p, y, x, row, all) + 2;
	else if (first > 0 && first + 2 + ready <= room)
		x = draw_heading_state(p, y, x, row, first) + 2;
	else
		is_cut = true;
	snprintf(text, sizeof(text), "%s", row->ready);
	/* The candidate of a shard stands in the tree; how many slots it is about, nowhere else. */
	if (is_cut && row->owner != NONE) {
		if (strchr(text, ':'))
			*strchr(text, ':') = '\0';
		if (first + 2 + text_width(text) <= room)
			x = draw_heading_state(p, y, x, row, first) + 2;
	}
	next = strstr(text, " next");
	if (text_width(text) > p->width - x && next)
		*next = '\0';
	if (text_width(text) > p->width - x && strchr(text, ':'))
		*strchr(text, ':') = '\0';
	pane_text(p, y, x, -1, ready_style(row->verdict), text);
}

static void draw_row(const struct pane *p, int y, const struct topo_row *row,
		     const struct layout *l)
{
	const char *colon;
	int x;

	switch (row->kind) {
	case ROW_NODE:
		draw_node(p, y, row, l);
		break;
	case ROW_NOTE:
		x = pane_glyph(p, y, 0, health_style(row->health), health_glyph(row->health)) + 1;
		colon = strstr(row->state, ": ");
		/* A word or two of the explanation explain nothing. */
		if (colon && p->width - x - (int)(colon - row->state) < EXPLAINS_LEAST)
			sentence_draw(p, y, x, -1, health_style(row->health), row->state);
		else
			pane_text(p, y, x, -1, health_style(row->health), row->state);
		break;
	case ROW_GROUP:
	case ROW_HEADING:
		draw_heading(p, y, row);
		break;
	}
}

static void draw_titles(const struct pane *p, const struct layout *l)
{
	int at = l->state + l->state_width + 1;

	pane_text(p, 0, 2, -1, STYLE_DIM, "node");
	pane_text(p, 0, l->role, -1, STYLE_DIM, "role");
	pane_text(p, 0, l->state, -1, STYLE_DIM, "state");
	for (size_t i = 0; i < l->columns; i++) {
		pane_text_right(p, 0, at, columns[i].width, STYLE_DIM, columns[i].title);
		at += columns[i].width;
	}
}

/* --- details ------------------------------------------------------------------------------- */

static int detail_line(const struct pane *p, int y, const char *label, enum style_role role,
		       const char *text)
{
	if (!text[0] || y >= p->height)
		return y;
	pane_text(p, y, 0, 11, STYLE_DIM, label);
	return y + text_wrap_draw(p, y, 12, p->width - 12, p->height - y, role, text);
}

static int detail_sentinels(const struct pane *p, int y, const struct view_context *c,
			    const struct node *n)
{
	const struct group *g = model_group(c->model, n->group_id);
	const struct member_view *said = g ? group_replica_view(g, n->id) : NULL;
	char text[256] = "", addr[ENDPOINT_TEXT_BYTES];
	const struct node *who;

	if (!g)
		return y;
	if (topology_master_of(c->model, g) == n->id && g->view_count > 0) {
		snprintf(
		    text, sizeof(text), "%zu of %zu flag it subjectively down, %zu objectively",
		    group_sdown_count(c->model, g), g->view_count, group_odown_count(c->model, g));
	} else if (said) {
		who = model_node(c->model, said->sentinel_id);
		snprintf(text, sizeof(text), "%.80s says:%s%s link to its master %s, priority %lld",
			 who ? endpoint_format(&who->addr, addr) : "one",
			 said->facts.flags & SFLAG_S_DOWN ? " subjectively down," : "",
			 said->facts.flags & SFLAG_DISCONNECTED ? " disconnected," : "",
			 said->facts.master_link_ok == 1 ? "up" : "down",
			 (long long)said->facts.priority);
	}
	return detail_line(p, y, "Sentinels", STYLE_TEXT, text);
}

static void detail_values(const struct node *n, char *out, size_t size)
{
	char clients[UNITS_BYTES], ops[UNITS_BYTES], used[UNITS_BYTES], most[UNITS_BYTES],
	    up[UNITS_BYTES];

	out[0] = '\0';
	if (n->info_at_ms == 0)
		return;
	uptime_text(n->info.uptime_s, up);
	if (n->is_sentinel)
		snprintf(out, size, "version %s  up %s", n->info.version[0] ? n->info.version : "?",
			 up);
	else
		snprintf(out, size, "version %s  up %s  %s clients  %s ops/s  memory %s of %s",
			 n->info.version[0] ? n->info.version : "?", up,
			 units_count(n->info.connected_clients, clients),
			 units_count(n->info.ops_per_sec, ops),
			 units_bytes(n->info.used_memory_bytes, used),
			 n->info.maxmemory_bytes == 0 ? "unlimited"
						      : units_bytes(n->info.maxmemory_bytes, most));
}

static void draw_details(const struct pane *p, const struct view_context *c,
			 const struct topo_row *row)
{
	const struct node *n = row ? model_node(c->model, row->node_id) : NULL;
	char addr[ENDPOINT_TEXT_BYTES], dial[ENDPOINT_TEXT_BYTES], text[700], age[UNITS_BYTES];
	int y = 1;

	for (int x = 0; x < p->width; x++)
		pane_glyph(p, 0, x, STYLE_BORDER, GLYPH_TREE_DASH);
	if (!row)
		return;
	if (!n) {
		detail_line(p, y, row->name, STYLE_TEXT, row->state);
		return;
	}
	snprintf(text, sizeof(text), "%s  %s%s%s", endpoint_format(&n->addr, addr),
		 role_name(row->role), endpoint_is_set(&n->dial) ? "  reached at " : "",
		 endpoint_is_set(&n->dial) ? endpoint_format(&n->dial, dial) : "");
	y = detail_line(p, y, "node", STYLE_STRONG, text);
	y = detail_line(p, y, "state", health_style(row->health), row->state);
	if (!strstr(row->state, n->link.reason))
		y = detail_line(p, y, "trouble", STYLE_WARNING, n->link.reason);
	y = detail_sentinels(p, y, c, n);
	detail_values(n, text, sizeof(text));
	y = detail_line(p, y, "values", row->stale ? STYLE_STALE : STYLE_TEXT, text);
	snprintf(text, sizeof(text), "%s", n->info_at_ms ? "" : "never answered");
	if (n->info_at_ms)
		snprintf(text, sizeof(text), "last answer %s ago",
			 units_age(c->now_ms > n->info_at_ms ? c->now_ms - n->info_at_ms : 0,
				   age));
	y = detail_line(p, y, "heard", STYLE_TEXT, text);
	snprintf(text, sizeof(text), "%s%s%s", n->cluster_id[0] ? n->cluster_id : n->run_id,
		 n->sentinel_id[0] ? "  Sentinel id " : "", n->sentinel_id);
	detail_line(p, y, "id", STYLE_DIM, text);
}

/* --- the pane ------------------------------------------------------------------------------ */

/* How high it is shows only now: all reasons where they fit, else the first. */
static void make_room(struct topology *t, const struct view_context *c, int height)
{
	bool fits = (int)(t->count + t->reasons) <= height;

	if (t->roomy == fits || (!t->roomy && t->reasons == 0))
		return;
	t->roomy = fits;
	t->view.ops->rebuild(&t->view, c);
}

void topology_draw(struct view *v, const struct view_context *c, const struct pane *p, bool focused)
{
	struct topology *t = (struct topology *)(void *)v;
	struct pane in = view_frame(v, p, "", focused), rows = in, details;
	struct layout l = layout_for(t, in.width);
	struct pane room;
	size_t first;

	make_room(t, c, in.height - (l.columns > 0));
	if (c->frozen)
		topology_fill_all(t, c);
	if (t->details && in.height >= 9) {
		int height = in.height / 2 < 9 ? in.height / 2 : 9;

		details = pane_sub(&in, in.height - height, 0, height, in.width);
		rows = pane_sub(&in, 0, 0, in.height - height, in.width);
		if (v->list.selected < t->count)
			topology_fill_row(t, &t->rows[v->list.selected], c);
		draw_details(&details, c,
			     v->list.selected < t->count ? &t->rows[v->list.selected] : NULL);
	}
	if (t->count == 0) {
		view_say(&rows, STYLE_DIM,
			 v->filter[0] ? "nothing matches the filter" : "nobody has answered yet");
		return;
	}
	if (l.columns > 0 && rows.height >= 6) {
		draw_titles(&rows, &l);
		rows = pane_sub(&rows, 1, 0, rows.height - 1, rows.width);
	}
	first = list_layout(&v->list, rows.height);
	room = list_room(&v->list, &rows);
	for (int y = 0; y < rows.height && first + (size_t)y < t->count; y++) {
		struct topo_row *row = &t->rows[first + (size_t)y];

		topology_fill_row(t, row, c);
		draw_row(&room, y, row, &l);
		if (focused && first + (size_t)y == v->list.selected)
			pane_restyle(&rows, y, 0, rows.width, STYLE_SELECTED);
	}
	list_draw_marks(&v->list, &rows);
}

int topology_wanted_height(const struct view *v, const struct view_context *c, int width)
{
	const struct topology *t = (const struct topology *)(const void *)v;
	struct layout l = layout_for(t, width - 2);

	(void)c;
	return (int)(t->count < 1000 ? t->count : 1000) + (int)t->reasons + 2 + (l.columns > 0);
}
