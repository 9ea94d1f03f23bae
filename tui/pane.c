#include "config.h"

#include "tui/pane.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tui/screen_private.h"

/* Longest text that one call draws: the widest screen in UTF-8. */
#define PANE_TEXT_BYTES 4096

static const struct { const char *utf8, *ascii; } glyphs[GLYPH_COUNT] = {
#define X(id, utf8_text, ascii_text) [id] = { utf8_text, ascii_text },
	GLYPHS(X)
#undef X
};

static int min_int(int a, int b)
{
	return a < b ? a : b;
}

struct pane pane_whole(struct screen *s)
{
	return (struct pane){ s, 0, 0, screen_height(s), screen_width(s) };
}

/* Cuts the range at, at+size to 0..room. 64 bits: callers may pass any int. */
static void clip_range(int *at, int *size, int room)
{
	int64_t start = *at, end = start + (*size > 0 ? *size : 0);

	if (start < 0)
		start = 0;
	if (start > room)
		start = room > 0 ? room : 0;
	if (end > room)
		end = room;
	*at = (int)start;
	*size = end > start ? (int)(end - start) : 0;
}

struct pane pane_sub(const struct pane *p, int y, int x, int height, int width)
{
	clip_range(&y, &height, p->height);
	clip_range(&x, &width, p->width);
	return (struct pane){ p->screen, p->y + y, p->x + x, height, width };
}

static bool has_row(const struct pane *p, int y)
{
	return y >= 0 && y < p->height && p->width > 0;
}

/* The only way to the screen's cells: clipped to the pane, whole characters only. */
static void put(const struct pane *p, int y, int x, enum style_role role, uint32_t code, int width)
{
	if (!has_row(p, y) || x >= p->width || x + width <= 0)
		return;
	if (x >= 0 && x + width <= p->width) {
		screen_put(p->screen, p->y + y, p->x + x, role, code, width);
		return;
	}
	/* half a wide character is in sight: a blank for that half */
	for (int i = 0; i < width; i++)
		if (x + i >= 0 && x + i < p->width)
			screen_put(p->screen, p->y + y, p->x + x + i, role, ' ', 1);
}

static void repeat(const struct pane *p, int y, int x, int columns, enum style_role role,
		   uint32_t code)
{
	clip_range(&x, &columns, p->width);
	if (has_row(p, y))
		screen_put_run(p->screen, p->y + y, p->x + x, role, code, columns);
}

void pane_fill(const struct pane *p, enum style_role role)
{
	for (int y = 0; y < p->height; y++)
		repeat(p, y, 0, p->width, role, ' ');
}

/* First column after the room for a text at x; x itself when there is none. */
static int text_end(const struct pane *p, int x, int columns)
{
	int64_t end = columns < 0 ? p->width : (int64_t)x + columns;

	if (end > p->width)
		end = p->width;
	return x < -PANE_TEXT_BYTES || end < x ? x : (int)end;
}

int pane_text(const struct pane *p, int y, int x, int columns, enum style_role role, const char *text)
{
	int end = text_end(p, x, columns), room, limit;
	size_t taken;
	bool cut;

	if (!text || !has_row(p, y) || x >= end)
		return x;
	room = end - x;
	taken = text_fit(text, room);
	cut = text[taken] != '\0';
	limit = cut ? end - 1 : end; /* a column for the mark */
	while (*text) {
		uint32_t code = text_next(&text);
		int width = text_is_control(code) ? 1 : text_char_width(code);
		if (width == 0) {
			if (x > 0)
				screen_put_mark(p->screen, p->y + y, p->x + x - 1, code);
			continue;
		}
		if (x + width > limit)
			break;
		put(p, y, x, role, text_is_control(code) ? '?' : code, width);
		x += width;
	}
	if (cut && x < end)
		put(p, y, x++, role, screen_is_ascii(p->screen) ? '~' : 0x2026, 1);
	return x;
}

int pane_textf(const struct pane *p, int y, int x, int columns, enum style_role role,
	       const char *fmt, ...)
{
	char text[PANE_TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		*text = '\0';
	va_end(ap);
	return pane_text(p, y, x, columns, role, text);
}

void pane_text_right(const struct pane *p, int y, int x, int columns, enum style_role role,
		     const char *text)
{
	int room = text_end(p, x, columns) - x;
	int width = text ? text_width(text) : 0;

	if (width < room)
		pane_text(p, y, x + room - width, width, role, text);
	else
		pane_text(p, y, x, room, role, text);
}

const char *glyph_text(const struct screen *s, enum glyph g)
{
	if ((unsigned)g >= GLYPH_COUNT)
		return "?";
	return screen_is_ascii(s) ? glyphs[g].ascii : glyphs[g].utf8;
}

int pane_glyph(const struct pane *p, int y, int x, enum style_role role, enum glyph g)
{
	const char *text = glyph_text(p->screen, g);

	put(p, y, x, role, text_next(&text), 1);
	return x + 1;
}

void pane_restyle(const struct pane *p, int y, int x, int columns, enum style_role role)
{
	if (!has_row(p, y))
		return;
	if (columns < 0)
		columns = p->width;
	clip_range(&x, &columns, p->width);
	screen_set_role(p->screen, p->y + y, p->x + x, columns, role);
}

static uint32_t lower(uint32_t code)
{
	return code >= 'A' && code <= 'Z' ? code + 32 : code;
}

/* Columns from x that hold the whole text; 0: another stands there. */
static int match_columns(const struct pane *p, int y, int x, const char *text)
{
	int start = x;

	while (*text) {
		uint32_t code = text_next(&text);
		int width = text_char_width(code);

		if (width < 1) /* a mark hangs on the cell before */
			continue;
		if (x >= p->width || lower(screen_code_at(p->screen, p->y + y, p->x + x)) != lower(code))
			return 0;
		x += width;
	}
	return x <= p->width ? x - start : 0;
}

void pane_mark(const struct pane *p, const char *text)
{
	for (int y = 0; *text && y < p->height; y++) {
		for (int x = 0; x < p->width;) {
			int columns = match_columns(p, y, x, text);

			pane_restyle(p, y, x, columns > 0 ? columns : 0, STYLE_MATCH);
			x += columns > 0 ? columns : 1;
		}
	}
}

static void box_sides(const struct pane *p, enum style_role role, const uint32_t *line)
{
	enum { H, V, TOP_LEFT, TOP_RIGHT, LOW_LEFT, LOW_RIGHT };
	int bottom = p->height - 1, right = p->width - 1;

	repeat(p, 0, 0, p->width, role, line[H]);
	repeat(p, bottom, 0, p->width, role, line[H]);
	for (int y = 1; y < bottom; y++) {
		put(p, y, 0, role, line[V], 1);
		put(p, y, right, role, line[V], 1);
	}
	put(p, 0, 0, role, line[TOP_LEFT], 1);
	put(p, 0, right, role, line[TOP_RIGHT], 1);
	put(p, bottom, 0, role, line[LOW_LEFT], 1);
	put(p, bottom, right, role, line[LOW_RIGHT], 1);
}

void pane_hot(const struct pane *p, enum hot_kind kind, uintptr_t id)
{
	if (p->height > 0 && p->width > 0)
		screen_add_hot(p->screen, p->y, p->x, p->height, p->width, kind, id);
}

struct pane pane_box(const struct pane *p, const char *title, bool focused)
{
	static const uint32_t utf8[] = { 0x2500, 0x2502, 0x250c, 0x2510, 0x2514, 0x2518 };
	static const uint32_t ascii[] = { '-', '|', '+', '+', '+', '+' };
	enum style_role role = focused ? STYLE_BORDER_FOCUS : STYLE_BORDER;

	/* no room for sides: the content is worth more than a frame */
	if (p->height < 3 || p->width < 3)
		return *p;
	box_sides(p, role, screen_is_ascii(p->screen) ? ascii : utf8);
	if (title && *title && p->width >= 7) {
		int end = pane_text(p, 0, 2, p->width - 5, STYLE_TITLE, title);
		put(p, 0, 1, role, ' ', 1);
		put(p, 0, end, role, ' ', 1);
	}
	return pane_sub(p, 1, 1, p->height - 2, p->width - 2);
}

/* value of max in units; what is there at all is at least one. */
static int share(double value, double max, int units)
{
	double part;

	if (!(value > 0) || !(max > 0) || units <= 0)
		return 0; /* NaN too */
	part = value / max * units;
	if (!(part < units))
		return units;
	return part < 1 ? 1 : (int)(part + 0.5);
}

void pane_bar(const struct pane *p, int y, int x, int columns, double value, double max)
{
	bool ascii = screen_is_ascii(p->screen);
	int steps = ascii ? 1 : 8, filled, whole;

	columns = text_end(p, x, columns) - x;
	if (columns <= 0)
		return;
	filled = share(value, max, columns * steps);
	whole = filled / steps;
	repeat(p, y, x, columns, STYLE_BAR_BACK, ' ');
	repeat(p, y, x, whole, STYLE_BAR, ascii ? '#' : 0x2588);
	if (filled % steps) /* U+2589 is seven eighths, U+258F one */
		put(p, y, x + whole, STYLE_BAR, 0x2590 - (uint32_t)(filled % steps), 1);
}

void pane_spark(const struct pane *p, int y, int x, int columns, const double *values, int count,
		double max)
{
	static const char ascii[] = ".:-=+*#";
	bool is_ascii = screen_is_ascii(p->screen);
	int levels = is_ascii ? (int)sizeof(ascii) - 1 : 8, used;

	columns = text_end(p, x, columns) - x;
	if (columns <= 0)
		return;
	repeat(p, y, x, columns, STYLE_SPARK, ' ');
	used = min_int(columns, count);
	for (int i = 0; i < used; i++) {
		double value = values[count - used + i];
		int level;
		if (!(value >= 0))
			continue; /* a gap, or NaN */
		level = share(value, max, levels - 1);
		put(p, y, x + columns - used + i, STYLE_SPARK,
		    is_ascii ? (uint32_t)ascii[level] : 0x2581 + (uint32_t)level, 1);
	}
}
