/* The failovers screen as it is drawn: totals, the list, and the selected one's time line. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "views/failovers_private.h"

#define DETAIL_LEAST 6  /* rows; below there is only the list */
#define LIST_LEAST   3
#define ADDRESS_MOST 21
#define SHARD_LEAST  11 /* columns of an address that say which shard it is */

/* --- the list ---------------------------------------------------------------------------------- */

enum column { COL_WHEN, COL_DEPLOYMENT, COL_NAME, COL_CAUSE, COL_CHANGE, COL_LEADER, COL_TOTAL,
	      COL_OUTAGE, COL_OUTCOME, COLUMNS };

struct layout {
	int x[COLUMNS], width[COLUMNS]; /* 0: not shown */
};

/* From which width on, and how wide. COL_CHANGE and COL_OUTCOME take what is left. */
static const struct {
	const char *title;
	int from, width;
} columns[COLUMNS] = {
    [COL_WHEN] = {"when", 0, 8},	 [COL_DEPLOYMENT] = {"deployment", 90, 12},
    [COL_NAME] = {"master", 0, 0},	 [COL_CAUSE] = {"cause", 46, 7},
    [COL_CHANGE] = {"change", 56, 0},	 [COL_LEADER] = {"led by", 110, ADDRESS_MOST},
    [COL_TOTAL] = {"took", 0, 8},	 [COL_OUTAGE] = {"no master", 64, 9},
    [COL_OUTCOME] = {"outcome", 140, 0},
};

static int name_width(const struct failovers *f, int width)
{
	int most = width >= 100 ? 21 : width >= 64 ? 12 : 16, used = 6;

	for (size_t i = 0; i < f->count; i++) {
		const struct failover_row *row = &f->rows[i];
		bool shard = !row->named && width < columns[COL_CHANGE].from;

		if (text_width(shard ? row->old_master : row->name) > used)
			used = text_width(shard ? row->old_master : row->name);
	}
	return used < most ? used : most;
}

/* Where nobody has a name and there is one deployment, the addresses need the room. */
static bool is_nameless(const struct failovers *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->rows[i].named)
			return false;
	return !f->several;
}

static struct layout layout_for(const struct failovers *f, int width)
{
	struct layout l = {{0}, {0}};
	int left = width - 2 - 1, x = 2; /* the glyph in front, the marks of more behind */

	for (int i = 0; i < COLUMNS; i++) {
		if (width < columns[i].from || (i == COL_DEPLOYMENT && !f->several) ||
		    (i == COL_NAME && width >= columns[COL_CHANGE].from && is_nameless(f)))
			continue;
		l.width[i] = i == COL_NAME ? name_width(f, width) : columns[i].width;
		if (i == COL_DEPLOYMENT && width >= 120)
			l.width[i] = 22;
		if (i == COL_WHEN && width >= 120)
			l.width[i] = 19;
		if (i == COL_CAUSE && width >= 150)
			l.width[i] = 20;
		left -= l.width[i] > 0 ? l.width[i] + 1 : 0;
	}
	if (width >= columns[COL_CHANGE].from && left > 1) {
		l.width[COL_CHANGE] = left - 1;
		if (width >= columns[COL_OUTCOME].from && left - 1 > 2 * ADDRESS_MOST + 3)
			l.width[COL_CHANGE] = 2 * ADDRESS_MOST + 3;
		left -= l.width[COL_CHANGE] + 1;
	}
	if (width >= columns[COL_OUTCOME].from && left > 10)
		l.width[COL_OUTCOME] = left - 1;
	for (int i = 0; i < COLUMNS; i++) {
		l.x[i] = x;
		x += l.width[i] > 0 ? l.width[i] + 1 : 0;
	}
	return l;
}

static bool is_number(int column)
{
	return column == COL_TOTAL || column == COL_OUTAGE;
}

static void draw_titles(const struct pane *p, const struct layout *l)
{
	for (int i = 0; i < COLUMNS; i++) {
		if (l->width[i] == 0)
			continue;
		if (is_number(i))
			pane_text_right(p, 0, l->x[i], l->width[i], STYLE_DIM, columns[i].title);
		else
			pane_text(p, 0, l->x[i], l->width[i], STYLE_DIM, columns[i].title);
	}
}

static enum health row_health(const struct failover_row *row)
{
	if (!row->over || (row->doubtful && !row->aborted))
		return HEALTH_WARNING;
	return row->aborted ? HEALTH_CRITICAL : HEALTH_OK;
}

static void running_text(const struct failover_row *row, int64_t now_ms, char *out, size_t size)
{
	char age[UNITS_BYTES];

	snprintf(out, size, "runs: %s %s", row->last_step,
		 units_duration(now_ms > row->last_step_ms ? now_ms - row->last_step_ms : 0, age));
}

/* "old > new", or what came of it where nobody became master. */
static void draw_change(const struct pane *p, int y, int x, int width, const struct failover_row *row,
			int64_t now_ms, bool selected)
{
	enum style_role style = selected ? STYLE_SELECTED : STYLE_TEXT;
	enum style_role state = selected ? STYLE_SELECTED : health_style(row_health(row));
	char text[FAILOVER_OUTCOME_BYTES];
	int used = x, half = (width - 3) / 2, old = text_width(row->old_master);
	bool promoted = row->over && !row->aborted && !row->unknown && row->new_master[0],
	     whole;

	if (!row->over)
		running_text(row, now_ms, text, sizeof(text));
	else
		text_format(text, sizeof(text), "%s", row->outcome);
	whole = old + 3 + text_width(text) <= width;
	/* What came of it goes before whom it was about, if that has a name in its row. */
	if (!promoted && !whole && row->named) {
		sentence_draw(p, y, x, width, state, text);
		return;
	}
	if (!promoted && !whole)
		old = old < SHARD_LEAST ? old : SHARD_LEAST;
	else if (promoted && old > half)
		old = half;
	addr_draw(p, y, x, old, style, row->old_master[0] ? row->old_master : "?");
	used += old + 1;
	pane_glyph(p, y, used, state, GLYPH_ARROW);
	used += 2;
	if (promoted)
		addr_draw(p, y, used, x + width - used, style, row->new_master);
	else
		pane_text(p, y, used, x + width - used, state, text);
}

static void put_numbers(const struct failover_row *row, int64_t now_ms, int column, char *out)
{
	if (column == COL_TOTAL)
		units_duration(row->over ? row->total_ms : now_ms - row->begin_ms, out);
	else if (row->unwritable_ms == 0)
		snprintf(out, UNITS_BYTES, "none");
	else if (row->unwritable_ms != FACT_UNKNOWN)
		units_duration(row->unwritable_ms, out);
	else
		snprintf(out, UNITS_BYTES, "?");
}

static void put_text(const struct failover_row *row, int64_t now_ms, int column, int width, char *out,
		     size_t size)
{
	char wall[CLOCK_ISO_BYTES];

	out[0] = '\0';
	switch (column) {
	case COL_WHEN:
		snprintf(out, size, "%s", width > 8 ? clock_format_day_hms(row->wall_ms, wall)
						    : clock_format_hms(row->wall_ms, wall));
		break;
	case COL_DEPLOYMENT:
		text_format(out, size, "%s", row->deployment);
		break;
	case COL_NAME:
		text_format(out, size, "%s", row->name);
		break;
	case COL_CAUSE:
		text_format(out, size, row->operator_name[0] && width > 8 ? "%s %s" : "%s",
			    failover_cause_name(row->cause), row->operator_name);
		break;
	case COL_OUTCOME:
		if (row->over)
			text_format(out, size, "%s", row->outcome);
		else
			running_text(row, now_ms, out, size);
		break;
	default:
		break;
	}
}

/* "cluster 127.0.0.1:7000": which one it is, its port says. */
static void draw_name(const struct pane *p, int y, int x, int width, enum style_role style,
		      const char *text)
{
	const char *blank = strrchr(text, ' ');

	if (text_width(text) > width && strncmp(text, "cluster ", 8) == 0)
		text = blank + 1;
	if (strchr(text, ':'))
		addr_draw(p, y, x, width, style, text);
	else
		pane_text(p, y, x, width, style, text);
}

static void draw_cell(const struct pane *p, int y, int column, const struct layout *l,
		      const struct failover_row *row, int64_t now_ms, bool selected)
{
	enum style_role style = selected ? STYLE_SELECTED : STYLE_TEXT;
	int x = l->x[column], width = l->width[column];
	char text[FAILOVER_OUTCOME_BYTES];

	if (column == COL_OUTCOME && !selected)
		style = health_style(row_health(row));
	if (column == COL_CHANGE) {
		draw_change(p, y, x, width, row, now_ms, selected);
	} else if (column == COL_LEADER) {
		addr_draw(p, y, x, width, style, row->leader[0] ? row->leader : "");
	} else if (is_number(column)) {
		put_numbers(row, now_ms, column, text);
		pane_text_right(p, y, x, width, style, text);
	} else {
		/* One master, called as its deployment, which stands beside it. */
		if (column == COL_NAME && l->width[COL_DEPLOYMENT] > 0 && strcmp(row->name, row->deployment) == 0)
			return;
		put_text(row, now_ms, column, width, text, sizeof(text));
		/* No room for the change: which of the shards it was. */
		if (column == COL_NAME && !row->named && l->width[COL_CHANGE] == 0 && row->old_master[0])
			text_format(text, sizeof(text), "%s", row->old_master);
		if (column == COL_NAME || column == COL_DEPLOYMENT)
			draw_name(p, y, x, width, style, text);
		else
			pane_text(p, y, x, width, style, text);
	}
}

static void draw_list(struct failovers *f, const struct pane *p, const struct view_context *c,
		      bool focused)
{
	struct layout l = layout_for(f, p->width);
	struct pane rows = *p;
	size_t first;

	/* A row more is worth more than titles, where there is one. */
	if (p->height > 2 || (p->height == 2 && f->count == 1)) {
		draw_titles(p, &l);
		rows = pane_sub(p, 1, 0, p->height - 1, p->width);
	}
	first = list_layout(&f->view.list, rows.height);
	for (int y = 0; y < rows.height && first + (size_t)y < f->count; y++) {
		const struct failover_row *row = &f->rows[first + (size_t)y];
		bool selected = focused && first + (size_t)y == f->view.list.selected;

		if (selected)
			pane_restyle(&rows, y, 0, rows.width, STYLE_SELECTED);
		pane_glyph(&rows, y, 0, health_style(row_health(row)), health_glyph(row_health(row)));
		for (int i = 0; i < COLUMNS; i++)
			if (l.width[i] > 0)
				draw_cell(&rows, y, i, &l, row, c->now_ms, selected);
	}
	list_draw_marks(&f->view.list, &rows);
}

/* --- the time line ----------------------------------------------------------------------------- */

struct clock {
	int label, at, took; /* columns; at and took: 0 where there is no room */
	int x, width;        /* of the bars */
	int64_t span_ms;
};

static struct clock clock_for(const struct failovers *f, int width)
{
	struct clock k = {.span_ms = f->span_ms};

	k.label = width >= 100 ? 28 : width >= 60 ? 24 : 16;
	k.at = width >= 30 ? 7 : 0;
	k.took = width >= 50 ? 8 : 0;
	k.x = k.label + k.at + k.took + 1;
	k.width = width - k.x - 1;
	return k;
}

static int cell_of(const struct clock *k, int64_t at_ms)
{
	int64_t cell = k->width > 1 ? at_ms * (k->width - 1) / k->span_ms : 0;

	return k->x + (int)(cell < 0 ? 0 : cell < k->width ? cell : k->width - 1);
}

/* A round number of milliseconds that leaves room for its words. */
static int64_t tick_ms(const struct clock *k)
{
	static const int64_t round[] = {10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 30000,
					60000, 120000, 300000, 600000, 1800000, 3600000};
	const size_t count = sizeof(round) / sizeof(round[0]);

	for (size_t i = 0; i < count; i++)
		if (round[i] * k->width / k->span_ms >= 9)
			return round[i];
	return k->span_ms;
}

static void draw_scale(const struct pane *p, int y, const struct clock *k)
{
	int64_t step = tick_ms(k);
	char text[UNITS_BYTES];

	pane_text(p, y, 0, k->label, STYLE_DIM, "step");
	if (k->at > 0)
		pane_text_right(p, y, k->label, k->at, STYLE_DIM, "at ms");
	if (k->took > 0)
		pane_text_right(p, y, k->label + k->at, k->took, STYLE_DIM, "took");
	for (int64_t at = 0; at <= k->span_ms; at += step) {
		int x = cell_of(k, at);

		if (step < 1000)
			snprintf(text, sizeof(text), "%lld ms", (long long)at);
		else
			snprintf(text, sizeof(text), "%lld s", (long long)(at / 1000));
		if (x + 1 + text_width(text) > k->x + k->width)
			break;
		pane_glyph(p, y, x, STYLE_DIM, GLYPH_TREE_LINE);
		pane_text(p, y, x + 1, -1, STYLE_DIM, text);
	}
}

static void draw_number(const struct pane *p, int y, int x, int columns_wide, int64_t ms)
{
	char text[UNITS_BYTES];

	if (columns_wide == 0 || ms < 0)
		return;
	snprintf(text, sizeof(text), "%lld", (long long)ms);
	pane_text_right(p, y, x, columns_wide, STYLE_TEXT, text);
}

static void draw_bar(const struct pane *p, int y, const struct clock *k, const struct failover_line *l)
{
	int from, to;

	if (l->to_ms < 0 || k->width < 2)
		return;
	if (l->from_ms > k->span_ms) { /* much later: its number tells when */
		pane_glyph(p, y, k->x + k->width - 1, l->style, GLYPH_ARROW);
		return;
	}
	from = cell_of(k, l->from_ms);
	to = cell_of(k, l->to_ms);
	if (l->tail_ms > l->to_ms)
		for (int x = to + 1; x <= cell_of(k, l->tail_ms); x++)
			pane_glyph(p, y, x, l->style, GLYPH_MARK);
	for (int x = from; x < to; x++)
		pane_glyph(p, y, x, l->style, GLYPH_PLAYED);
	pane_glyph(p, y, to, l->style, GLYPH_PLAYHEAD);
}

/* What falls into one cell is told side by side, in its order. */
static void draw_marks(const struct pane *p, int y, const struct clock *k, const struct failover_line *l)
{
	int next = k->x;

	for (int x = k->x; k->width > 1 && x < k->x + k->width; x++)
		pane_glyph(p, y, x, STYLE_DIM, GLYPH_MARK);
	for (size_t done = 0; done < l->mark_count; done++) {
		int x = cell_of(k, l->marks[done].at_ms);
		char letter[2] = {l->marks[done].letter, '\0'};

		if (x < next)
			x = next;
		if (x >= k->x + k->width)
			break;
		pane_text(p, y, x, 1, STYLE_STRONG, letter);
		next = x + 1;
	}
}

static void draw_line(const struct pane *p, int y, const struct clock *k, const struct failover_line *l)
{
	if (l->kind == LINE_TEXT) {
		pane_text(p, y, 0, p->width - 1, l->style, l->label);
		return;
	}
	if (l->kind == LINE_SCALE) {
		draw_scale(p, y, k);
		return;
	}
	if (l->style == STYLE_SENTINEL_NODE || l->style == STYLE_REPLICA_NODE ||
	    l->style == STYLE_MASTER_NODE || l->kind == LINE_MARKS)
		addr_draw(p, y, 0, k->label, l->style, l->label);
	else
		pane_text(p, y, 0, k->label, STYLE_TEXT, l->label);
	draw_number(p, y, k->label, k->at, l->at_ms);
	draw_number(p, y, k->label + k->at, k->took, l->took_ms);
	if (l->kind == LINE_BAR)
		draw_bar(p, y, k, l);
	else
		draw_marks(p, y, k, l);
}

static void draw_lines(const struct failovers *f, const struct pane *p, int first)
{
	struct clock k = clock_for(f, p->width);

	for (int y = 0; y < p->height && first + y < (int)f->line_count; y++)
		draw_line(p, y, &k, &f->lines[first + y]);
	if (first > 0)
		pane_glyph(p, 0, p->width - 1, STYLE_DIM, GLYPH_MORE_UP);
	if (first + p->height < (int)f->line_count)
		pane_glyph(p, p->height - 1, p->width - 1, STYLE_DIM, GLYPH_MORE_DOWN);
}

static void draw_full(struct failovers *f, const struct pane *p)
{
	int last;

	f->page = p->height;
	last = (int)f->line_count - f->page;
	if (f->scroll > last)
		f->scroll = last;
	if (f->scroll < 0)
		f->scroll = 0;
	draw_lines(f, p, f->scroll);
}

/* --- both -------------------------------------------------------------------------------------- */

static int list_height(const struct failovers *f, int height)
{
	int wanted = (int)(f->count < 500 ? f->count : 500) + 1, most = height - 1 - DETAIL_LEAST;

	if (most < LIST_LEAST)
		return height;
	/* The time line gets all it can use; the list at least a third. */
	if (height - 1 - (int)f->line_count > height / 3)
		most = height - 1 - (int)f->line_count;
	else if (most > height / 3)
		most = height / 3;
	if (most < LIST_LEAST)
		most = LIST_LEAST;
	return wanted < most ? wanted : most;
}

static void draw_rule(const struct pane *p, int y)
{
	for (int x = 0; x < p->width; x++)
		pane_glyph(p, y, x, STYLE_BORDER, GLYPH_TREE_DASH);
}

void failovers_draw(struct view *v, const struct view_context *c, const struct pane *p, bool focused)
{
	struct failovers *f = (struct failovers *)(void *)v;
	struct pane in, part;
	char extra[80] = "";
	int used = 0, rows;

	if (f->count != f->total)
		snprintf(extra, sizeof(extra), "%zu of %zu", f->count, f->total);
	else if (f->full && f->count > 0)
		snprintf(extra, sizeof(extra), "%zu of %zu", v->list.selected + 1, f->count);
	in = view_frame(v, p, extra, focused);
	if (f->count == 0) {
		view_say(&in, STYLE_DIM,
			 v->filter[0] ? "nothing matches the filter" : "no failover seen");
		return;
	}
	if (f->full) {
		draw_full(f, &in);
		return;
	}
	if (in.height >= 4)
		used = text_wrap_draw(&in, 0, 0, in.width, in.height >= 12 ? 2 : 1, STYLE_STRONG, f->totals);
	part = pane_sub(&in, used, 0, in.height - used, in.width);
	rows = list_height(f, part.height);
	in = pane_sub(&part, 0, 0, rows, part.width);
	draw_list(f, &in, c, focused);
	if (rows >= part.height)
		return;
	draw_rule(&part, rows);
	part = pane_sub(&part, rows + 1, 0, part.height - rows - 1, part.width);
	draw_lines(f, &part, 0);
}
