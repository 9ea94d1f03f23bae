#include "model/sheet.h"

#include <stdarg.h>

#include "base/text.h"

void sheet_line_add(struct sheet *s, enum health health, const char *label, const char *fmt, ...)
{
	if (s->line_count == SHEET_LINES_MAX)
		return;
	struct sheet_line *line = &s->lines[s->line_count++];
	line->health = health;
	text_format(line->label, sizeof(line->label), "%s", label);
	va_list ap;
	va_start(ap, fmt);
	text_vformat(line->text, sizeof(line->text), fmt, ap);
	va_end(ap);
}
