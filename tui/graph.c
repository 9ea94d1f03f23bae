#include "config.h"

#include "tui/graph.h"

#include <math.h>
#include <string.h>

#include "tui/screen_private.h"

bool graph_style_parse(const char *name, enum graph_style *out)
{
	static const char *const names[] = { "auto", "braille", "block", "ascii" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		*out = (enum graph_style)i;
		return true;
	}
	return false;
}

static enum graph_style style_for(const struct screen *s, enum graph_style style)
{
	if (screen_is_ascii(s))
		return GRAPH_ASCII;
	if (style == GRAPH_AUTO)
		return screen_has_few_glyphs(s) ? GRAPH_ASCII : GRAPH_BRAILLE;
	return style;
}

size_t graph_values_per_column(const struct screen *s, enum graph_style style)
{
	return style_for(s, style) == GRAPH_BRAILLE ? 2 : 1;
}

float graph_max(const float *values, size_t count)
{
	float most = 0;

	for (size_t i = 0; i < count; i++)
		if (values[i] > most) /* false for NAN */
			most = values[i];
	return most;
}

/* --- from values to dots ------------------------------------------------------------------ */

struct graph {
	const float *values;
	size_t count, columns; /* columns of dots */
	float max;
	int dots; /* rows of them */
};

/* The average of those that fall on a column of dots, NAN where none is known. */
static float value_at(const struct graph *g, size_t column)
{
	size_t from, end, known = 0;
	double sum = 0;

	if (g->count <= g->columns) {
		size_t blank = g->columns - g->count;

		return column < blank ? NAN : g->values[column - blank];
	}
	from = column * g->count / g->columns;
	end = (column + 1) * g->count / g->columns;
	for (size_t i = from; i < end; i++) {
		if (isnan(g->values[i]))
			continue;
		sum += (double)g->values[i];
		known++;
	}
	return known ? (float)(sum / (double)known) : NAN;
}

/* How high a column is in dots: 0 for a gap, at least 1 for what is known. */
static int height_at(const struct graph *g, size_t column)
{
	float value = value_at(g, column);
	double part;

	if (isnan(value))
		return 0;
	if (!(g->max > 0) || !(value > 0))
		return 1;
	part = (double)value / (double)g->max * g->dots;
	if (part >= g->dots)
		return g->dots;
	return part < 1 ? 1 : (int)(part + 0.5);
}

/* Dots of a cell that has `below` of them under it. */
static int filled_of(int height, int below, int dots)
{
	int filled = height - below;

	return filled < 0 ? 0 : filled > dots ? dots : filled;
}

/* --- from dots to characters -------------------------------------------------------------- */

#define BRAILLE_DOTS 4
#define BLOCK_DOTS   8
#define ASCII_DOTS   3

/* Dots 1-3 and 7 are the left column from top to bottom, 4-6 and 8 the right one. */
static uint32_t braille(int left, int right)
{
	static const uint32_t lefts[] = { 0, 0x40, 0x44, 0x46, 0x47 };
	static const uint32_t rights[] = { 0, 0x80, 0xa0, 0xb0, 0xb8 };

	return left + right == 0 ? ' ' : 0x2800 + lefts[left] + rights[right];
}

static uint32_t character_at(const struct graph *g, enum graph_style style, int x, int cell_below)
{
	static const char ascii[] = " .:#";
	int left, right;

	if (style == GRAPH_BRAILLE) {
		left = height_at(g, (size_t)x * 2);
		right = height_at(g, (size_t)x * 2 + 1);
		return braille(filled_of(left, cell_below * BRAILLE_DOTS, BRAILLE_DOTS),
			       filled_of(right, cell_below * BRAILLE_DOTS, BRAILLE_DOTS));
	}
	left = height_at(g, (size_t)x);
	if (style == GRAPH_ASCII)
		return (uint32_t)ascii[filled_of(left, cell_below * ASCII_DOTS, ASCII_DOTS)];
	left = filled_of(left, cell_below * BLOCK_DOTS, BLOCK_DOTS);
	return left == 0 ? ' ' : 0x2580 + (uint32_t)left;
}

static int dots_of(enum graph_style style)
{
	return style == GRAPH_BRAILLE ? BRAILLE_DOTS : style == GRAPH_BLOCK ? BLOCK_DOTS : ASCII_DOTS;
}

void pane_graph_part(const struct pane *p, enum graph_style style, enum style_role role,
		     const float *values, size_t count, float max, int rows, int first)
{
	struct graph g = { .values = values, .count = count };

	if (p->height <= 0 || p->width <= 0 || rows <= 0)
		return;
	style = style_for(p->screen, style);
	g.columns = (size_t)p->width * graph_values_per_column(p->screen, style);
	g.max = max > 0 ? max : graph_max(values, count);
	g.dots = rows * dots_of(style);
	for (int y = 0; y < p->height && y + first < rows; y++)
		for (int x = 0; x < p->width; x++)
			screen_put(p->screen, p->y + y, p->x + x, role,
				   character_at(&g, style, x, rows - 1 - first - y), 1);
}

void pane_graph(const struct pane *p, enum graph_style style, enum style_role role, const float *values,
		size_t count, float max)
{
	pane_graph_part(p, style, role, values, count, max, p->height, 0);
}
