/* A rectangle to draw in. Everything is clipped to it; coordinates are its own. Text is checked a
 * second time here: a control that got through is drawn as '?', never sent. */
#ifndef TUI_PANE_H
#define TUI_PANE_H

#include <stdbool.h>

#include "tui/screen.h"

struct pane {
	struct screen *screen;
	int y, x, height, width; /* on the screen; height or width <= 0: nothing is drawn */
};

/* X(id, UTF-8, ASCII): glyphs with a fall-back of the same width (1 column). */
#define GLYPHS(X)                                                                                  \
	X(GLYPH_OK, "●", "*") X(GLYPH_WARNING, "◐", "!") X(GLYPH_DOWN, "✖", "X")                   \
	X(GLYPH_UNKNOWN, "○", "?") X(GLYPH_TREE_TEE, "├", "|") X(GLYPH_TREE_END, "└", "`")         \
	X(GLYPH_TREE_LINE, "│", "|") X(GLYPH_TREE_DASH, "─", "-") X(GLYPH_ARROW, "→", ">")         \
	X(GLYPH_MORE_UP, "▲", "^") X(GLYPH_MORE_DOWN, "▼", "v")                                    \
	X(GLYPH_MARK, "·", ".") X(GLYPH_MARK_NOTICE, "•", "o")                                      \
	X(GLYPH_PLAYED, "━", "=") X(GLYPH_PLAYHEAD, "┃", "|") X(GLYPH_DIFFERS, "≠", "!")

enum glyph {
#define X(id, utf8, ascii) id,
	GLYPHS(X)
#undef X
	GLYPH_COUNT
};

struct pane pane_whole(struct screen *s);
struct pane pane_sub(const struct pane *p, int y, int x, int height, int width); /* clipped */
void pane_fill(const struct pane *p, enum style_role role); /* blanks */
/* Draws text from column x, at most `columns` wide (-1: to the edge); "…" (ASCII "~") marks a cut.
 * Returns the column after the last one drawn. */
int pane_text(const struct pane *p, int y, int x, int columns, enum style_role role, const char *text);
int pane_textf(const struct pane *p, int y, int x, int columns, enum style_role role,
	       const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Right-aligned in columns x .. x+columns-1. */
void pane_text_right(const struct pane *p, int y, int x, int columns, enum style_role role,
		     const char *text);
int pane_glyph(const struct pane *p, int y, int x, enum style_role role, enum glyph g); /* x + 1 */
/* The glyph as text, for composing strings. */
const char *glyph_text(const struct screen *s, enum glyph g);
/* Changes the role of cells that are drawn already: selection bars and match marks. */
void pane_restyle(const struct pane *p, int y, int x, int columns, enum style_role role);
/* Restyles as matches the cells in which `text` stands; letters of ASCII match in both cases. */
void pane_mark(const struct pane *p, const char *text);
/* A frame with a title; returns the room inside. */
struct pane pane_box(const struct pane *p, const char *title, bool focused);

/* A horizontal bar: value of max in `columns` cells, with eighth blocks (ASCII '#'). */
void pane_bar(const struct pane *p, int y, int x, int columns, double value, double max);
/* Values oldest first, newest at the right edge; negative values are gaps. Scaled to max. */
void pane_spark(const struct pane *p, int y, int x, int columns, const double *values, int count,
		double max);

/* What a click means here: kept until the next frame, and what was named last counts. row, column:
 * within it, which is `columns` wide. Nothing is kept where there is no mouse. */
enum hot_kind { HOT_NONE, HOT_TAB, HOT_LIST, HOT_TIMELINE };
struct hot { enum hot_kind kind; uintptr_t id; int row, column, columns; };
void pane_hot(const struct pane *p, enum hot_kind kind, uintptr_t id);
struct hot screen_hot_at(const struct screen *s, int y, int x);

#endif
