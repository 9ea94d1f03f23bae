/* One node: how it is, the last ten minutes as graphs, and every fact with who said it.
 *
 * Facts and numbers are taken at the rebuild, so that a frozen screen shows that moment. What does
 * not fit is scrolled: facts and graphs stand side by side where there is room, else below each
 * other. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "model/series.h"
#include "tui/graph.h"
#include "views/node_private.h"

#define TWO_COLUMNS   72 /* facts beside graphs */
#define FACTS_LEAST   36
#define FACTS_MOST    72
#define GRAPH_LEAST   44 /* columns of one graph beside another */
#define GRAPH_ROWS    12 /* more say nothing more */
#define SCALE_WIDTH   9
#define LABEL_WIDTH   12
#define ID_LEAST      40 /* columns that an id takes; with less, its beginning */
#define ID_SHORT      12

struct node_view {
	struct view view;
	struct node_facts facts;
	uint32_t node_id, group_id, shown_id;
	bool found, has_series;
	struct series series;
	int64_t now_ms, hold_ms; /* of the rebuild */
	char summary[120];
	int top, page, height;
};

static struct node_view *node_of(struct view *v)
{
	return (struct node_view *)(void *)v;
}
static const struct node_view *node_of_const(const struct view *v)
{
	return (const struct node_view *)(const void *)v;
}

static void node_done(struct view *v)
{
	node_facts_done(&node_of(v)->facts);
}

/* --- rebuild ------------------------------------------------------------------------------- */

static void fill_summary(struct node_view *s, const struct node *n)
{
	bool said = n->info_at_ms != 0;

	snprintf(s->summary, sizeof(s->summary), "%s %s%s",
		 said && n->info.valkey ? "Valkey" : "Redis",
		 said && n->info.version[0] ? n->info.version : "?",
		 s->facts.own_stale ? " (when it last answered)" : "");
}

static void node_rebuild(struct view *v, const struct view_context *c)
{
	struct node_view *s = node_of(v);
	const struct node *n = c->node_id ? model_node(c->model, c->node_id) : NULL;

	v->stale = false;
	if (c->node_id != s->shown_id)
		s->top = 0;
	s->shown_id = c->node_id;
	s->found = n != NULL;
	s->node_id = s->group_id = 0;
	if (!n)
		return;
	s->node_id = n->id;
	s->group_id = n->group_id;
	s->now_ms = c->now_ms;
	s->hold_ms = 2 * c->interval_ms + SERIES_STEP_MS;
	node_facts_build(&s->facts, c, n);
	fill_summary(s, n);
	s->has_series = n->series != NULL;
	if (s->has_series)
		s->series = *n->series;
}

/* --- graphs -------------------------------------------------------------------------------- */

static char *unit_text(enum series_unit unit, double value, char out[UNITS_BYTES])
{
	switch (unit) {
	case UNIT_BYTES:
		return units_bytes((int64_t)value, out);
	case UNIT_BYTES_A_SECOND:
		units_rate(value, out);
		if (out[0] == '+')
			memmove(out, out + 1, strlen(out));
		return out;
	case UNIT_PERCENT:
		snprintf(out, UNITS_BYTES, "%.0f %%", value);
		return out;
	case UNIT_MS:
		snprintf(out, UNITS_BYTES, value < 10 ? "%.1f ms" : "%.0f ms", value);
		return out;
	case UNIT_NUMBER:
		break;
	}
	return units_count((int64_t)(value + 0.5), out);
}

/* The end of the scale: 1, 2 or 5 of a power of ten, so that it stands still while values move. */
static double scale_of(enum series_unit unit, double most)
{
	double step = unit == UNIT_MS ? 0.1 : unit == UNIT_NUMBER ? 1 : 1000;

	if (unit == UNIT_PERCENT)
		return 100;
	while (step < 1e18 && most > step * 5)
		step *= 10;
	return most <= step ? step : most <= 2 * step ? 2 * step : 5 * step;
}

static bool is_known(const struct series *s, enum series_id id)
{
	for (size_t i = 0; i < SERIES_CELLS; i++)
		if (!isnan(s->cells[id][i]))
			return true;
	return false;
}

/* The lines that this kind of node has. */
static size_t pick_graphs(const struct node_view *s, enum series_id out[SERIES_COUNT])
{
	static const bool of_sentinels[SERIES_COUNT] = {[SERIES_OPS] = true,
							[SERIES_CLIENTS] = true,
							[SERIES_INPUT] = true,
							[SERIES_OUTPUT] = true,
							[SERIES_LATENCY] = true};
	size_t count = 0;

	for (int id = 0; id < SERIES_COUNT; id++) {
		bool known = s->has_series && is_known(&s->series, (enum series_id)id);

		if (s->facts.role == ROLE_SENTINEL && !of_sentinels[id] && !known)
			continue;
		if (id == SERIES_LAG && s->facts.role != ROLE_REPLICA && !known)
			continue;
		out[count++] = (enum series_id)id;
	}
	return count;
}

struct plot {
	float values[SERIES_CELLS + 2];
	size_t count;
	int columns; /* of the screen */
	float most;  /* of what came in, before averages; negative: nothing did */
};

/* Whole columns at a time: a graph moves on by one, and what is painted stays as it is. */
static void read_plot(const struct node_view *s, enum series_id id, int room, size_t a_column,
		      struct plot *out)
{
	size_t fit = (size_t)room * a_column, step = (SERIES_CELLS + fit - 1) / fit;
	int64_t width_ms = (int64_t)(step * a_column) * SERIES_STEP_MS;
	/* The last moment of the column that holds now. */
	int64_t cell = s->now_ms / SERIES_STEP_MS + 1, group = cell / (int64_t)(step * a_column);
	int64_t end_ms = (group + 1) * width_ms - SERIES_STEP_MS - 1;

	out->columns = (int)((SERIES_CELLS + step * a_column - 1) / (step * a_column));
	if (out->columns > room)
		out->columns = room;
	out->count = (size_t)out->columns * a_column;
	series_read(s->has_series ? &s->series : NULL, id, s->now_ms, 0, 1, out->values,
		    SERIES_CELLS);
	out->most = -1;
	for (size_t i = 0; i < SERIES_CELLS; i++)
		if (out->values[i] > out->most)
			out->most = out->values[i];
	series_read(s->has_series ? &s->series : NULL, id, end_ms, s->hold_ms, step, out->values,
		    out->count);
}

static float latest(const struct node_view *s, enum series_id id)
{
	float value;

	series_read(s->has_series ? &s->series : NULL, id, s->now_ms, s->hold_ms, 1, &value, 1);
	return value;
}

static void draw_graph_title(const struct pane *p, int y, const struct node_view *s,
			     enum series_id id, float most)
{
	char now[UNITS_BYTES], max[UNITS_BYTES];
	float value = latest(s, id);
	enum series_unit unit = series_unit_of(id);
	int x = pane_text(p, y, 0, -1, STYLE_TITLE, series_name(id));

	x = pane_text(p, y, x + 2, -1, STYLE_DIM, "now ");
	x = pane_text(p, y, x, -1, isnan(value) ? STYLE_STALE : STYLE_STRONG,
		      isnan(value) ? "?" : unit_text(unit, (double)value, now));
	if (most < 0)
		return;
	x = pane_text(p, y, x, -1, STYLE_DIM, "  max ");
	pane_text(p, y, x, -1, STYLE_TEXT, unit_text(unit, (double)most, max));
}

/* "-10m" at the left, "now" at the right, a mark in between where there is room. */
static void draw_axis(const struct pane *p, int y, int x, int columns)
{
	if (columns >= 30)
		pane_text(p, y, x + columns / 2 - 1, -1, STYLE_DIM, "-5m");
	pane_text(p, y, x, columns, STYLE_DIM, "-10m");
	if (columns >= 12)
		pane_text_right(p, y, x, columns, STYLE_DIM, "now");
}

/* A block of `height` lines from line y on, which may lie above the pane's first: title, graph and
 * axis. */
static void draw_graph(const struct pane *p, int y, int height, bool axis, const struct node_view *s,
		       enum series_id id, enum graph_style style)
{
	int rows = height - 1 - axis, scale = p->width >= 30 ? SCALE_WIDTH : 0, from;
	char text[UNITS_BYTES];
	struct plot plot;
	struct pane in;
	double end;

	if (p->width - scale < 4 || rows < 1)
		return;
	read_plot(s, id, p->width - scale, graph_values_per_column(p->screen, style), &plot);
	draw_graph_title(p, y, s, id, plot.most);
	if (axis) /* that of its neighbours as well */
		draw_axis(p, y + height - 1, scale, plot.columns);
	if (plot.most < 0) {
		pane_text(p, y + 1, scale, -1, STYLE_DIM,
			  id == SERIES_HIT_RATE ? "no reads seen" : "nothing known yet");
		return;
	}
	end = scale_of(series_unit_of(id), (double)plot.most);
	if (scale > 0) {
		pane_text_right(p, y + 1, 0, scale - 1, STYLE_DIM,
				unit_text(series_unit_of(id), end, text));
		if (rows > 1)
			pane_text_right(p, y + rows, 0, scale - 1, STYLE_DIM, "0");
	}
	from = y + 1 < 0 ? -(y + 1) : 0;
	if (from < rows) {
		in = pane_sub(p, y + 1 + from, scale, rows - from, plot.columns);
		pane_graph_part(&in, style, STYLE_SPARK, plot.values, plot.count, (float)end, rows,
				from);
	}
}

/* All of them in a grid from line y on, in about `room` lines; returns the lines used. Where they are
 * many for it, one axis at the end is for all. p NULL: only counted. */
static int draw_graphs(const struct pane *p, int y, int width, int room, const struct node_view *s,
		       enum graph_style style)
{
	enum series_id ids[SERIES_COUNT];
	int count = (int)pick_graphs(s, ids), across = width / GRAPH_LEAST, down, height;
	bool dense;

	across = across < 1 ? 1 : across > 3 ? 3 : across;
	down = (count + across - 1) / across;
	height = (room + 1) / (down > 0 ? down : 1) - 1; /* a blank line between them */
	dense = height < 4;
	height = dense ? 3 : height > GRAPH_ROWS + 2 ? GRAPH_ROWS + 2 : height;
	for (int i = 0; p && i < count; i++) {
		int one = (width + 2) / across, at = i / across;
		bool last = at == down - 1;
		struct pane part = pane_sub(p, 0, i % across * one, p->height, one - 2);

		draw_graph(&part, y + at * (height + !dense), height + (dense && last),
			   !dense || last, s, ids[i], style);
	}
	return down * (height + !dense) + (dense ? 1 : -1);
}

/* --- facts --------------------------------------------------------------------------------- */

/* From line y on; returns the lines used. p NULL: only counted. */
static int draw_facts(const struct pane *p, int y, int width, const struct node_facts *f)
{
	int label = width < 34 ? 2 : LABEL_WIDTH, at = y;

	for (size_t i = 0; i < f->count; i++) {
		const struct node_fact *item = &f->items[i];
		int used;

		if (!item->label) {
			at += i > 0; /* a blank line between sections */
			if (p)
				pane_text(p, at, 0, width, item->role, item->text);
			at++;
			continue;
		}
		if (width < 34 && item->label[0] && p)
			pane_text(p, at, 1, width - 1, STYLE_DIM, item->label);
		else if (p)
			pane_text(p, at, 1, label - 2, STYLE_DIM, item->label);
		at += width < 34 && item->label[0];
		if (item->is_id) {
			bool whole = width - label >= ID_LEAST;

			if (p)
				pane_text(p, at, label, whole ? -1 : ID_SHORT, item->role, item->text);
			at++;
			continue;
		}
		used = text_wrap_draw(p, at, label, width - label, 6, item->role, item->text);
		at += used > 0 ? used : 1;
	}
	return at - y;
}

/* How it is, over all of the width; returns the lines used, with a blank one. `named`: the frame says
 * which node. */
static int draw_head(const struct pane *p, int y, const struct node_view *s, int width, bool named)
{
	const struct node_facts *f = &s->facts;
	const char *role = f->role == ROLE_UNKNOWN ? "role ?" : role_name(f->role);
	int x = 2 + text_width(role) + 2 + text_width(s->summary) + 2, lines;
	bool one_line = named && x + text_width(f->state) <= width;

	if (p) {
		x = pane_glyph(p, y, 0, health_style(f->health), health_glyph(f->health)) + 1;
		if (!named)
			x = addr_draw(p, y, x, width - x, STYLE_STRONG, f->headline) + 2;
		x = pane_text(p, y, x, -1, role_style(f->role), role) + 2;
		x = pane_text(p, y, x, -1, f->own_stale ? STYLE_STALE : STYLE_TEXT, s->summary) + 2;
		if (one_line)
			pane_text(p, y, x, -1, health_style(f->health), f->state);
	}
	if (one_line)
		return 2;
	lines = text_wrap_draw(p, y + 1, 2, width - 2, 4, health_style(f->health), f->state);
	return 2 + lines;
}

/* --- the view ------------------------------------------------------------------------------ */

static int draw_all(const struct pane *p, const struct node_view *s, int top, int width, int height,
		    bool named, enum graph_style style)
{
	int head = draw_head(p, -top, s, width, named), facts, graphs, left;
	struct pane beside;

	if (width < TWO_COLUMNS) {
		facts = draw_facts(p, head - top, width, &s->facts);
		graphs = draw_graphs(p, head + facts + 1 - top, width, 0, s, style);
		return head + facts + 1 + graphs;
	}
	left = width * 2 / 5;
	left = left < FACTS_LEAST ? FACTS_LEAST : left > FACTS_MOST ? FACTS_MOST : left;
	facts = draw_facts(p, head - top, left, &s->facts);
	width -= left + 2;
	if (p)
		beside = pane_sub(p, 0, left + 2, p->height, width);
	graphs = draw_graphs(p ? &beside : NULL, head - top, width, height - head, s, style);
	return head + (facts > graphs ? facts : graphs);
}

static void node_draw(struct view *v, const struct view_context *c, const struct pane *p,
		      bool focused)
{
	struct node_view *s = node_of(v);
	struct pane in = view_frame(v, p, s->found ? s->facts.headline : "", focused), body;
	bool named = view_is_framed(p->height, p->width);

	if (!s->found) {
		view_say(&in, STYLE_DIM, "this node is gone");
		return;
	}
	body = pane_sub(&in, 0, 0, in.height, in.width - 1);
	s->page = in.height;
	s->height = draw_all(NULL, s, 0, body.width, body.height, named, c->graph);
	if (s->top > s->height - s->page)
		s->top = s->height > s->page ? s->height - s->page : 0;
	draw_all(&body, s, s->top, body.width, body.height, named, c->graph);
	if (s->top > 0)
		pane_glyph(&in, 0, in.width - 1, STYLE_DIM, GLYPH_MORE_UP);
	if (s->top + s->page < s->height)
		pane_glyph(&in, in.height - 1, in.width - 1, STYLE_DIM, GLYPH_MORE_DOWN);
}

static unsigned node_act(struct view *v, const struct view_context *c, enum command cmd)
{
	struct node_view *s = node_of(v);
	int page = s->page > 2 ? s->page - 1 : 1, end = s->height - s->page, before = s->top;

	(void)c;
	switch (cmd) {
	case CMD_UP:
		s->top--;
		break;
	case CMD_DOWN:
		s->top++;
		break;
	case CMD_HALF_UP:
		s->top -= page / 2 + 1;
		break;
	case CMD_HALF_DOWN:
		s->top += page / 2 + 1;
		break;
	case CMD_PAGE_UP:
		s->top -= page;
		break;
	case CMD_PAGE_DOWN:
		s->top += page;
		break;
	case CMD_TOP:
		s->top = 0;
		break;
	case CMD_BOTTOM:
		s->top = end;
		break;
	case CMD_BACK: /* opened again, it begins at its beginning */
		s->top = 0;
		return EFFECT_NONE;
	default:
		return EFFECT_NONE;
	}
	if (s->top > end)
		s->top = end;
	if (s->top < 0)
		s->top = 0;
	return s->top != before ? EFFECT_REDRAW : EFFECT_DONE;
}

static void node_selection(const struct view *v, struct selection *out)
{
	const struct node_view *s = node_of_const(v);

	out->node_id = s->node_id;
	out->group_id = s->group_id;
}

const struct view_ops node_view = {
    .name = "node",
    .title = "Node",
    .topics = TOPIC_NODES | TOPIC_TOPOLOGY | TOPIC_HEALTH | TOPIC_VALUES,
    .state_size = sizeof(struct node_view),
    .done = node_done,
    .rebuild = node_rebuild,
    .draw = node_draw,
    .act = node_act,
    .selection = node_selection,
};
