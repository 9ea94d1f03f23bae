/* The lines on the screen. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "views/agreement_private.h"

static const char *text_of(const struct agree_view *t, const struct agree_line *line)
{
	return line->text != SIZE_MAX ? buf_str(&t->texts) + line->text : "";
}

static void draw_line(struct agree_view *t, const struct view_context *c, const struct pane *p, int y,
		      struct agree_line *line)
{
	int x = line->indent;

	if (line->kind == AGREE_LINE_TITLES || line->kind == AGREE_LINE_CELLS) {
		agree_table_draw(t, c, p, y, line);
		return;
	}
	if (line->kind == AGREE_LINE_HEADING)
		agree_fill_heading(t, c, line);
	if (line->glyph >= 0)
		x = pane_glyph(p, y, x, line->style, (enum glyph)line->glyph) + 1;
	pane_text(p, y, x, -1, line->style, text_of(t, line));
}

/* Whose text it is, where only one is told of. */
static void frame_words(const struct agree_view *t, const struct view_context *c, char *out,
			size_t size)
{
	const struct group *g = t->word_of ? model_group(c->model, t->word_group) : NULL;
	char addr[ENDPOINT_TEXT_BYTES];

	out[0] = '\0';
	if (g)
		snprintf(out, size, "%.60s on %.60s", agree_addr(c->model, t->word_of, addr), g->name);
	else if (t->group_count == 1 && t->table.kind == KIND_SENTINEL &&
		 (g = model_group(c->model, t->groups[0])))
		snprintf(out, size, "%.60s  %.60s", g->name,
			 agree_addr(c->model, g->master_id, addr));
	else if (t->group_count > 1 && t->table.kind != KIND_CLUSTER)
		snprintf(out, size, "%zu masters", t->group_count);
}

void agreement_draw(struct view *v, const struct view_context *c, const struct pane *p, bool focused)
{
	struct agree_view *t = (struct agree_view *)(void *)v;
	bool framed = view_is_framed(p->height, p->width);
	int width = p->width - 2 * framed - 1;
	char extra[160];
	struct pane in;
	size_t first;

	/* Lines are made for a width, which only the pane knows. */
	if (width != t->width && width > 0) {
		t->width = width;
		agree_make_lines(t, c);
	}
	frame_words(t, c, extra, sizeof(extra));
	in = view_frame(v, p, extra, focused);
	if (t->count == 0) {
		view_say(&in, STYLE_DIM,
			 v->filter[0] ? "nothing matches the filter" : "nobody has answered yet");
		return;
	}
	first = list_layout(&v->list, in.height);
	for (int y = 0; y < in.height && first + (size_t)y < t->count; y++) {
		draw_line(t, c, &in, y, &t->lines[first + (size_t)y]);
		if (focused && first + (size_t)y == v->list.selected)
			pane_restyle(&in, y, 0, in.width, STYLE_SELECTED);
	}
	list_draw_marks(&v->list, &in);
}
