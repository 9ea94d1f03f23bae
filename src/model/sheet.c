#include "model/sheet.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"

void sheet_line_add(struct sheet *s, enum health health, const char *label, const char *fmt, ...)
{
	if (s->line_count == SHEET_LINES_MAX)
		return;
	struct sheet_line *line = &s->lines[s->line_count++];
	line->health = health;
	line->before = false; /* lines are written anew in their places */
	text_format(line->label, sizeof(line->label), "%s", label);
	va_list ap;
	va_start(ap, fmt);
	text_vformat(line->text, sizeof(line->text), fmt, ap);
	va_end(ap);
}

void sheet_lines_before(struct sheet *s, const char *heading)
{
	if (s->line_count == 0)
		return;
	if (s->line_count == SHEET_LINES_MAX)
		s->line_count--;
	memmove(&s->lines[1], &s->lines[0], s->line_count * sizeof(s->lines[0]));
	memset(&s->lines[0], 0, sizeof(s->lines[0]));
	text_format(s->lines[0].text, sizeof(s->lines[0].text), "%s", heading);
	s->line_count++;
	for (size_t i = 0; i < s->line_count; i++) {
		s->lines[i].before = true;
		if (strcmp(s->lines[i].label, "now") == 0)
			text_format(s->lines[i].label, sizeof(s->lines[i].label), "before");
	}
}
