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

static size_t help_lines(struct help_line *out, size_t max)
{
	const char *group = "";
	size_t count = 0;

	for (size_t i = 0; i < key_binding_count && count + 3 < max; i++) {
		const struct key_binding *b = &key_bindings[i];

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

int help_height(void)
{
	struct help_line lines[HELP_LINES_MAX];

	return (int)help_lines(lines, HELP_LINES_MAX) + 2; /* the frame */
}

static void keys_text(const struct key_binding *b, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t k = 0; k < 3 && b->keys[k] != KEYC_NONE && len < size; k++) {
		char name[16];
		int n = snprintf(out + len, size - len, "%s%s", k ? ", " : "",
				 key_name(b->keys[k], name));

		if (n < 0)
			return;
		len += (size_t)n;
	}
}

void help_draw(const struct pane *p, const struct view_context *c, int scroll)
{
	struct help_line lines[HELP_LINES_MAX];
	int count = (int)help_lines(lines, HELP_LINES_MAX);
	struct pane in = *p;

	(void)c;
	pane_fill(p, STYLE_TEXT);
	if (view_is_framed(p->height, p->width))
		in = pane_box(p, "Keys  (Esc closes)", true);
	if (scroll > count - in.height)
		scroll = count - in.height;
	if (scroll < 0)
		scroll = 0;
	for (int y = 0; y < in.height && y + scroll < count; y++) {
		const struct help_line *line = &lines[y + scroll];
		char keys[64];

		if (!line->binding) {
			pane_text(&in, y, 1, -1, STYLE_TITLE, line->heading);
			continue;
		}
		keys_text(line->binding, keys, sizeof(keys));
		pane_text(&in, y, 3, 13, STYLE_KEY, keys);
		pane_text(&in, y, 17, -1, STYLE_TEXT, line->binding->help);
	}
	if (scroll > 0)
		pane_glyph(&in, 0, in.width - 1, STYLE_DIM, GLYPH_MORE_UP);
	if (scroll + in.height < count)
		pane_glyph(&in, in.height - 1, in.width - 1, STYLE_DIM, GLYPH_MORE_DOWN);
}
