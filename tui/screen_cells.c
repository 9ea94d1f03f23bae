/* The cells of a frame, and a frame as text. */
#include "config.h"
#include "tui/screen_state.h"

#include <wchar.h>

#include "base/mem.h"
#include "base/text.h"
#include "tui/pane.h"

void screen_blank_cells(struct cell *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cells[i] = (struct cell){ .code = ' ', .role = STYLE_TEXT, .width = 1 };
}

static struct cell *cell_at(const struct screen *s, int y, int x)
{
	if (y < 0 || x < 0 || y >= s->height || x >= s->width)
		return NULL;
	return &s->cells[(size_t)y * (size_t)s->width + (size_t)x];
}

/* Writing over one half of a wide character leaves a blank where the other was. */
static void break_wide(struct cell *c)
{
	if (c->width == 2)
		c[1] = (struct cell){ .code = ' ', .role = c->role, .width = 1 };
	if (c->width == 0)
		c[-1] = (struct cell){ .code = ' ', .role = c[-1].role, .width = 1 };
}

/* False when the terminal would not take exactly that many columns for it. */
static bool is_showable(const struct screen *s, uint32_t code, int width)
{
	if (code < 0x20 || text_is_control(code))
		return false;
	if (code < 0x7f)
		return width == 1;
	return !s->ascii && wcwidth((wchar_t)code) == width;
}

/* Debian's console fonts, Terminus, Fixed and VGA, have none of these; what does not look like its
 * neighbours there is a blot. */
static uint32_t in_few_glyphs(uint32_t code)
{
	static const char levels[] = ".:-=+*#", dots[] = " ..::::##";
	int count = 0;

	switch (code) {
	case 0x25d0: /* the glyphs of states, as in ASCII */
		return '!';
	case 0x2716:
		return 'X';
	case 0x25cb:
		return '?';
	default:
		break;
	}
	if (code >= 0x2581 && code <= 0x2587) /* from below */
		return (uint32_t)levels[code - 0x2581];
	if (code >= 0x2589 && code <= 0x258f) /* from the left, 7 to 1 eighths */
		return code <= 0x258c ? 0x2588 : '|';
	if (code < 0x2800 || code > 0x28ff)
		return code;
	for (uint32_t bits = code & 255; bits; bits &= bits - 1)
		count++;
	return (uint32_t)dots[count];
}

void screen_put(struct screen *s, int y, int x, enum style_role role, uint32_t code, int width)
{
	struct cell *c = cell_at(s, y, x);

	if (!c || width < 1 || width > 2 || x + width > s->width)
		return;
	if (s->few_glyphs)
		code = in_few_glyphs(code);
	if (!is_showable(s, code, width)) {
		for (int i = 0; i < width; i++) {
			break_wide(&c[i]);
			c[i] = (struct cell){ .code = '?', .role = (uint16_t)role, .width = 1 };
		}
		return;
	}
	break_wide(c);
	if (width == 2) {
		break_wide(c + 1);
		c[1] = (struct cell){ .role = (uint16_t)role };
	}
	*c = (struct cell){ .code = code, .role = (uint16_t)role, .width = (uint16_t)width };
}

void screen_put_run(struct screen *s, int y, int x, enum style_role role, uint32_t code,
		    int columns)
{
	struct cell *c = cell_at(s, y, x), one = { .role = (uint16_t)role, .width = 1 };

	if (!c || columns < 1 || x + columns > s->width)
		return;
	one.code = is_showable(s, code, 1) ? code : '?';
	/* Within the run both halves go; only its ends can cut a character in two. */
	break_wide(c);
	break_wide(c + columns - 1);
	for (int i = 0; i < columns; i++)
		c[i] = one;
}

void screen_put_mark(struct screen *s, int y, int x, uint32_t code)
{
	struct cell *c = cell_at(s, y, x);

	if (!c || s->ascii || text_is_control(code) || wcwidth((wchar_t)code) != 0)
		return;
	if (c->width == 0)
		c--;
	if (!c->mark)
		c->mark = code;
}

void screen_set_role(struct screen *s, int y, int x, int columns, enum style_role role)
{
	struct cell *c;

	for (; columns > 0; columns--, x++)
		if ((c = cell_at(s, y, x)) != NULL)
			c->role = (uint16_t)role;
}

enum style_role screen_role_at(const struct screen *s, int y, int x)
{
	const struct cell *c = cell_at(s, y, x);

	return c ? (enum style_role)c->role : STYLE_TEXT;
}

uint32_t screen_code_at(const struct screen *s, int y, int x)
{
	const struct cell *c = cell_at(s, y, x);

	return c && c->width > 0 ? c->code : 0;
}

/* --- places to click ------------------------------------------------------------------ */

void screen_add_hot(struct screen *s, int y, int x, int height, int width, int kind, uintptr_t id)
{
	if (!s->mouse)
		return;
	s->hots = mem_grow(s->hots, &s->hot_cap, s->hot_count + 1, sizeof(*s->hots));
	s->hots[s->hot_count++] = (struct hot_place){ y, x, height, width, kind, id };
}

struct hot screen_hot_at(const struct screen *s, int y, int x)
{
	for (size_t i = s->hot_count; i-- > 0;) {
		const struct hot_place *h = &s->hots[i];
		if (y >= h->y && y < h->y + h->height && x >= h->x && x < h->x + h->width)
			return (struct hot){ (enum hot_kind)h->kind, h->id, y - h->y, x - h->x,
					     h->width };
	}
	return (struct hot){ .kind = HOT_NONE };
}

/* --- as text -------------------------------------------------------------------------- */

int screen_encode_utf8(uint32_t code, char out[5])
{
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	int len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	out[len] = '\0';
	for (int i = len - 1; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(len == 1 ? code : leads[len] | code);
	return len;
}

static void add_utf8(struct buf *out, uint32_t code)
{
	char text[5];

	buf_add(out, text, (size_t)screen_encode_utf8(code, text));
}

static void add_sgr_color(struct buf *out, int color, int base)
{
	if (color < 0)
		return;
	if (color < 8)
		buf_addf(out, ";%d", base + color);
	else if (color < 16)
		buf_addf(out, ";%d", base + 60 + color - 8);
	else
		buf_addf(out, ";%d;5;%d", base + 8, color);
}

static void add_sgr(struct buf *out, const struct style *style)
{
	static const struct { uint16_t attr; int code; } codes[] = {
		{ ATTR_BOLD, 1 },    { ATTR_DIM, 2 },     { ATTR_ITALIC, 3 },
		{ ATTR_UNDERLINE, 4 }, { ATTR_REVERSE, 7 },
	};

	buf_addstr(out, "\033[0");
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (style->attrs & codes[i].attr)
			buf_addf(out, ";%d", codes[i].code);
	add_sgr_color(out, style->fg, 30);
	add_sgr_color(out, style->bg, 40);
	buf_addch(out, 'm');
}

static bool looks_like(const struct style *a, const struct style *b)
{
	return a->fg == b->fg && a->bg == b->bg && a->attrs == b->attrs;
}

/* A blank at the end of a line that may be left out. */
static bool is_cut(const struct screen *s, const struct cell *c, bool color)
{
	const struct style *style = &s->styles[c->role];

	if (c->code != ' ' || c->width != 1 || c->mark)
		return false;
	return !color || (style->bg < 0 && !(style->attrs & (ATTR_REVERSE | ATTR_UNDERLINE)));
}

static void dump_row(const struct screen *s, const struct cell *row, struct buf *out, bool color)
{
	static const struct style plain = { -1, -1, 0, -1, -1 };
	const struct style *now = &plain; /* each line stands for itself */
	int end = s->width;

	while (end > 0 && is_cut(s, &row[end - 1], color))
		end--;
	for (int x = 0; x < end; x++) {
		const struct style *style = &s->styles[row[x].role];
		if (row[x].width == 0)
			continue;
		if (color && !looks_like(style, now)) {
			add_sgr(out, style);
			now = style;
		}
		add_utf8(out, row[x].code);
		if (row[x].mark)
			add_utf8(out, row[x].mark);
	}
	if (!looks_like(now, &plain))
		buf_addstr(out, "\033[0m");
	buf_addch(out, '\n');
}

void screen_dump(const struct screen *s, struct buf *out, bool color)
{
	for (int y = 0; y < s->height; y++)
		dump_row(s, &s->cells[(size_t)y * (size_t)s->width], out, color);
}
