#include "config.h"

#include "tui/list.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void list_init(struct list *l, bool follow_tail)
{
	memset(l, 0, sizeof(*l));
	l->follow_tail = follow_tail;
}

void list_done(struct list *l)
{
	free(l->ids);
	memset(l, 0, sizeof(*l));
}

void list_begin(struct list *l)
{
	/* At the newest row of a tail: no id to find again, the end is where it belongs. */
	if (l->follow_tail && (l->count == 0 || l->selected + 1 >= l->count))
		l->selected_id = 0;
	l->count = 0;
}

void list_add(struct list *l, uint64_t id)
{
	l->ids = mem_grow(l->ids, &l->cap, l->count + 1, sizeof(*l->ids));
	l->ids[l->count++] = id;
}

static bool list_find(const struct list *l, uint64_t id, size_t *index)
{
	for (size_t i = 0; id && i < l->count; i++) {
		if (l->ids[i] == id) {
			*index = i;
			return true;
		}
	}
	return false;
}

static void list_select(struct list *l, size_t index)
{
	l->selected = l->count ? index : 0;
	l->selected_id = l->count ? l->ids[index] : 0;
}

void list_end(struct list *l)
{
	size_t index;

	if (list_find(l, l->selected_id, &index)) {
		/* Rows came or went above: the selection keeps its line on the screen. */
		if (index >= l->selected)
			l->top += index - l->selected;
		else
			l->top -= l->top < l->selected - index ? l->top : l->selected - index;
	} else if (l->selected_id == 0) {
		index = l->follow_tail && l->count ? l->count - 1 : 0;
	} else {
		index = l->selected < l->count ? l->selected : l->count ? l->count - 1 : 0;
	}
	list_select(l, index);
	if (l->top >= l->count)
		l->top = l->count ? l->count - 1 : 0;
}

bool list_move(struct list *l, enum list_move how)
{
	size_t page = l->page > 1 ? (size_t)l->page - 1 : 1; /* one row stays in sight */
	size_t half = l->page > 3 ? (size_t)l->page / 2 : 1;
	size_t last = l->count ? l->count - 1 : 0, at = l->selected;

	switch (how) {
	case LIST_UP:
		at -= at > 0;
		break;
	case LIST_DOWN:
		at += at < last;
		break;
	case LIST_PAGE_UP:
		at -= at < page ? at : page;
		break;
	case LIST_PAGE_DOWN:
		at = last - at < page ? last : at + page;
		break;
	case LIST_HALF_UP:
		at -= at < half ? at : half;
		break;
	case LIST_HALF_DOWN:
		at = last - at < half ? last : at + half;
		break;
	case LIST_TOP:
		at = 0;
		break;
	case LIST_BOTTOM:
		at = last;
		break;
	}
	if (!l->count || at == l->selected)
		return false;
	list_select(l, at);
	return true;
}

bool list_select_id(struct list *l, uint64_t id)
{
	size_t index;

	if (!list_find(l, id, &index))
		return false;
	list_select(l, index);
	return true;
}

size_t list_layout(struct list *l, int page)
{
	size_t rows = page > 0 ? (size_t)page : 0;

	l->page = page;
	if (!rows)
		return l->top;
	if (l->selected < l->top)
		l->top = l->selected;
	if (l->selected >= l->top + rows)
		l->top = l->selected - rows + 1;
	if (l->top + rows > l->count)
		l->top = l->count > rows ? l->count - rows : 0;
	return l->top;
}

struct pane list_room(const struct list *l, const struct pane *p)
{
	bool marked = l->page > 0 && l->count > (size_t)l->page;

	return pane_sub(p, 0, 0, p->height, p->width - marked);
}

void list_draw_marks(const struct list *l, const struct pane *p)
{
	if (l->page <= 0 || p->height <= 0)
		return;
	pane_hot(p, HOT_LIST, (uintptr_t)l);
	if (l->top > 0)
		pane_glyph(p, 0, p->width - 1, STYLE_DIM, GLYPH_MORE_UP);
	if (l->top + (size_t)l->page < l->count)
		pane_glyph(p, p->height - 1, p->width - 1, STYLE_DIM, GLYPH_MORE_DOWN);
}
