/* A scrolling list with a selection that stays with its row. The owner fills rows; the list keeps
 * position, selection and filter over rebuilds by row id. */
#ifndef TUI_LIST_H
#define TUI_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/pane.h"

struct list {
	uint64_t *ids;        /* of the rows, in order; owned */
	size_t count, cap;
	uint64_t selected_id; /* 0: none */
	size_t selected;      /* index of selected_id */
	size_t top;           /* first visible row */
	bool follow_tail;     /* keeps to the newest row until scrolled away */
	int page;             /* rows visible at the last draw */
};

void list_init(struct list *l, bool follow_tail);
void list_done(struct list *l);
/* Rebuild: begin, add each row's stable id (never 0), end. end finds the selection again, or the
 * nearest row when it is gone. */
void list_begin(struct list *l);
void list_add(struct list *l, uint64_t id);
void list_end(struct list *l);
enum list_move { LIST_UP, LIST_DOWN, LIST_PAGE_UP, LIST_PAGE_DOWN, LIST_HALF_UP, LIST_HALF_DOWN,
		 LIST_TOP, LIST_BOTTOM };
bool list_move(struct list *l, enum list_move how); /* true when something changed */
bool list_select_id(struct list *l, uint64_t id);
/* Rows of height 1: brings the selection into view for `page` rows, returns the first visible. */
size_t list_layout(struct list *l, int page);
/* After list_layout: the room of its rows, without the column of the marks where there will be any. */
struct pane list_room(const struct list *l, const struct pane *p);
/* Marks at the pane's right edge that there is more above or below. Its rows are the list's: a click
 * there is one on HOT_LIST, with the list's address. */
void list_draw_marks(const struct list *l, const struct pane *p);

#endif
