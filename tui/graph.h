/* A graph of values over time in a pane: braille dots (2 x 4 a cell), eighth blocks, or ASCII. */
#ifndef TUI_GRAPH_H
#define TUI_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/pane.h"

/* AUTO: braille where there is UTF-8. Without it, ASCII whatever was asked for. */
enum graph_style { GRAPH_AUTO, GRAPH_BRAILLE, GRAPH_BLOCK, GRAPH_ASCII };

/* "auto", "braille", "block", "ascii"; false for anything else. */
bool graph_style_parse(const char *name, enum graph_style *out);

/* Values that one column of a screen shows side by side. */
size_t graph_values_per_column(const struct screen *s, enum graph_style style);

/* Values oldest first, newest at the right edge; NAN is a gap, never a zero; a known zero is a line
 * at the bottom. Scaled 0..max, max <= 0: the largest. Fewer values than columns are drawn at the
 * right; more are averaged. */
void pane_graph(const struct pane *p, enum graph_style style, enum style_role role, const float *values,
		size_t count, float max);
/* The same graph, `rows` high, of which the pane shows those from `first` on: for what scrolls. */
void pane_graph_part(const struct pane *p, enum graph_style style, enum style_role role,
		     const float *values, size_t count, float max, int rows, int first);
/* The largest known value; 0 when there is none. */
float graph_max(const float *values, size_t count);

#endif
