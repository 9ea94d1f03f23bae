/* The page of keys, made from their table: in as many columns as there is room for, and texts over
 * several lines where there is little. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "views/parts.h"

#define COLUMN_LEAST 58
#define COLUMNS_MAX  3
#define NARROW       46 /* columns; below, texts begin further left */
#define LINES_MAX    400

/* A line of the page: a heading (binding NULL, text), a blank one, or a part of a binding's text. */
struct help_line {
	const char *text;
	const struct key_binding *binding;
	int length; /* bytes of the text */
	bool first; /* with the keys */
};

struct help_page {
	struct help_line lines[LINES_MAX];
	int count, columns, width, rows, key_at, text_at;
	int begins[COLUMNS_MAX + 1]; /* first line of each column */
};

static void line_add(struct help_page *h, const char *text, int length,
		     const struct key_binding *b, bool first)
{
	if (h->count < LINES_MAX)
		h->lines[h->count++] = (struct help_line){text, b, length, first};
}

/* Cut at blanks, so that no word is. */
static void binding_add(struct help_page *h, const struct key_binding *b)
{
	int room = h->width - h->text_at - 1;
	const char *text = b->help;

	for (bool first = true; first || *text; first = false) {
		size_t fit = text_fit(text, room > 8 ? room : 8), cut = fit;

		while (text[fit] && cut > 0 && text[cut] != ' ')
			cut--;
		cut = cut > 0 ? cut : fit;
		line_add(h, text, (int)cut, b, first);
		text += cut;
		text += strspn(text, " ");
	}
}

/* A screen that is not there in this version has no key either. */
static bool is_shown(const struct key_binding *b, const struct view_context *c)
{
	return key_binding_applies(b, c->replay) && !key_binding_is_missing(b, c->missing_screens);
}

/* How many rows it takes to have all in so many columns: no heading alone at the end of one. */
static bool columns_fit(struct help_page *h, int rows)
{
	int at = 0;

	for (int i = 0; i < h->columns; i++) {
		int end = at + rows;

		while (i > 0 && at < h->count && !h->lines[at].text[0])
			at++, end++;
		if (end > h->count)
			end = h->count;
		/* a text stays in one piece, and a heading with what follows */
		while (end < h->count && end > at + 1 &&
		       ((h->lines[end].binding && !h->lines[end].first) || !h->lines[end - 1].binding))
			end--;
		h->begins[i] = at;
		at = end;
	}
	h->begins[h->columns] = at;
	return at >= h->count;
}

static void page_make(struct help_page *h, const struct view_context *c, int width)
{
	const char *group = "";

	h->count = 0;
	h->columns = width / COLUMN_LEAST;
	h->columns = h->columns < 1 ? 1 : h->columns > COLUMNS_MAX ? COLUMNS_MAX : h->columns;
	h->width = width / h->columns;
	h->key_at = h->width < NARROW ? 1 : 3;
	h->text_at = h->key_at + 14;
	for (size_t i = 0; i < key_binding_count; i++) {
		const struct key_binding *b = &key_bindings[i];

		if (!is_shown(b, c))
			continue;
		if (strcmp(group, b->group) != 0) {
			if (h->count > 0)
				line_add(h, "", 0, NULL, false);
			line_add(h, b->group, (int)strlen(b->group), NULL, false);
			group = b->group;
		}
		binding_add(h, b);
	}
	h->rows = (h->count + h->columns - 1) / h->columns;
	while (!columns_fit(h, h->rows))
		h->rows++;
}

static int inner_width(int width)
{
	return view_is_framed(4, width) ? width - 2 : width;
}

int help_height(const struct view_context *c, int width)
{
	struct help_page h;

	page_make(&h, c, inner_width(width));
	return h.rows + 2; /* the frame */
}

static void draw_line(const struct pane *p, int y, const struct help_page *h,
		      const struct help_line *line, const struct keymap *keys)
{
	char text[128];

	snprintf(text, sizeof(text), "%.*s", line->length, line->text);
	if (!line->binding) {
		pane_text(p, y, 1, -1, STYLE_TITLE, text);
		return;
	}
	pane_text(p, y, h->text_at, -1, STYLE_TEXT, text);
	if (!line->first)
		return;
	keymap_keys_text(keys, line->binding->command, text, sizeof(text));
	if (!text[0])
		snprintf(text, sizeof(text), ":%s", line->binding->name);
	pane_text(p, y, h->key_at, h->text_at - h->key_at - 1, STYLE_KEY, text);
}

int help_draw(const struct pane *p, const struct view_context *c, int scroll)
{
	const struct keymap *keys = c->keys ? c->keys : keymap_builtin();
	struct pane in = *p;
	struct help_page h;
	int most;

	pane_fill(p, STYLE_TEXT);
	if (view_is_framed(p->height, p->width))
		in = pane_box(p, "Keys  (Esc closes)", true);
	page_make(&h, c, in.width);
	most = h.rows > in.height ? h.rows - in.height : 0;
	scroll = scroll > most ? most : scroll < 0 ? 0 : scroll;
	for (int i = 0; i < h.columns; i++) {
		/* the last column of cells is for the marks */
		struct pane part = pane_sub(&in, 0, i * h.width, in.height, h.width - 1);

		for (int y = 0; y < in.height && h.begins[i] + y + scroll < h.begins[i + 1]; y++)
			draw_line(&part, y, &h, &h.lines[h.begins[i] + y + scroll], keys);
	}
	if (scroll > 0)
		pane_glyph(&in, 0, in.width - 1, STYLE_DIM, GLYPH_MORE_UP);
	if (scroll < most)
		pane_glyph(&in, in.height - 1, in.width - 1, STYLE_DIM, GLYPH_MORE_DOWN);
	return most;
}
