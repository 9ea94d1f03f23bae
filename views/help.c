#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "views/parts.h"

/* A line of the page: a heading (binding NULL, text), a binding, or a blank one. */
struct help_line {
	const char *heading;
	const struct key_binding *binding;
};

#define HELP_LINES_MAX 96

static size_t help_lines(bool replay, struct help_line *out, size_t max)
{
	const char *group = "";
	size_t count = 0;

	for (size_t i = 0; i < key_binding_count && count + 3 < max; i++) {
		const struct key_binding *b = &key_bindings[i];

		if (!key_binding_applies(b, replay))
			continue;
		if (strcmp(group, b->group) != 0) {
			if (count > 0)
				out[count++] = (struct help_line){"", NULL};
			out[count++] = (struct help_line){b->group, NULL};
			group = b->group;
		}
		out[count++] = (struct help_line){NULL, b};
	}
	return count;
}

int help_height(bool replay)
{
	struct help_line lines[HELP_LINES_MAX];

	return (int)help_lines(replay, lines, HELP_LINES_MAX) + 2; /* the frame */
}

void help_draw(const struct pane *p, const struct view_context *c, int scroll)
{
	struct help_line lines[HELP_LINES_MAX];
	int count = (int)help_lines(c->replay, lines, HELP_LINES_MAX);
	const struct keymap *keys = c->keys ? c->keys : keymap_builtin();
	struct pane in = *p;

	pane_fill(p, STYLE_TEXT);
	if (view_is_framed(p->height, p->width))
		in = pane_box(p, "Keys  (Esc closes)", true);
	if (scroll > count - in.height)
		scroll = count - in.height;
	if (scroll < 0)
		scroll = 0;
	for (int y = 0; y < in.height && y + scroll < count; y++) {
		const struct help_line *line = &lines[y + scroll];
		char text[64];

		if (!line->binding) {
			pane_text(&in, y, 1, -1, STYLE_TITLE, line->heading);
			continue;
		}
		keymap_keys_text(keys, line->binding->command, text, sizeof(text));
		if (!text[0])
			snprintf(text, sizeof(text), ":%s", line->binding->name);
		pane_text(&in, y, 3, 13, STYLE_KEY, text);
		pane_text(&in, y, 17, -1, STYLE_TEXT, line->binding->help);
	}
	if (scroll > 0)
		pane_glyph(&in, 0, in.width - 1, STYLE_DIM, GLYPH_MORE_UP);
	if (scroll + in.height < count)
		pane_glyph(&in, in.height - 1, in.width - 1, STYLE_DIM, GLYPH_MORE_DOWN);
}
