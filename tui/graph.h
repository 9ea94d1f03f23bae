/* A graph of values over time in a pane: braille dots (2 x 4 a cell), eighth blocks, or ASCII. */
#ifndef TUI_GRAPH_H
#define TUI_GRAPH_H

#include "tui/pane.h"

enum graph_style { GRAPH_AUTO, GRAPH_BRAILLE, GRAPH_BLOCK, GRAPH_ASCII };

/* Values oldest first, newest at the right edge; NAN is a gap, never a zero. Scaled 0..max, max <= 0:
 * the largest. Fewer values than columns are drawn at the right; more are averaged. */
void pane_graph(const struct pane *p, enum graph_style style, enum style_role role, const float *values,
		size_t count, float max);
/* The largest known value; 0 when there is none. */
float graph_max(const float *values, size_t count);

#endif
