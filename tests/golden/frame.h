/* A drawn frame as text: what stands in each cell, its style role, and, without colours, what the
 * terminal makes of the role. Rows are kept apart, so that a difference has a row and a column. */
#ifndef GOLDEN_FRAME_H
#define GOLDEN_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "tui/screen.h"

enum frame_block { FRAME_TEXT, FRAME_ROLES, FRAME_LOOKS, FRAME_BLOCKS };

/* Looks are blank where the screen has colours: what a role looks like is the theme's word there. */
struct frame {
	int height;
	char **rows[FRAME_BLOCKS]; /* trailing blanks, and trailing cells of plain text, cut; owned */
};

/* False: two roles have one character, and one for the other would not be seen. */
bool frame_codes_differ(void);

void frame_take(struct frame *f, const struct screen *s, bool looks);
void frame_free(struct frame *f);

/* The file of a case: the title, then the blocks and the legend of their codes. */
void frame_write(const struct frame *f, const char *title, struct buf *out);
/* False with words in err when the text is no such file. */
bool frame_read(struct frame *f, const char *text, struct buf *err);

/* Number of rows of any block that differ, and of cells in them; what differs goes to out (NULL: not
 * said) as a small diff with row and column. */
struct frame_difference { int rows, cells; };
struct frame_difference frame_compare(const struct frame *expected, const struct frame *actual,
				      struct buf *out);

#endif
