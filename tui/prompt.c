#include "config.h"

#include "tui/prompt.h"

#include <string.h>

#include "base/text.h"
#include "tui/keys.h"
#include "tui/screen_private.h"

void prompt_clear(struct prompt *p)
{
	memset(p, 0, sizeof(*p));
}

static int before(const struct prompt *p, int at)
{
	while (at > 0 && (p->text[--at] & 0xc0) == 0x80)
		;
	return at;
}

static int after(const struct prompt *p, int at)
{
	while (at < p->len && (p->text[++at] & 0xc0) == 0x80)
		;
	return at;
}

/* Takes out from..to and leaves the cursor there. */
static void cut(struct prompt *p, int from, int to)
{
	memmove(p->text + from, p->text + to, (size_t)(p->len - to) + 1);
	p->len -= to - from;
	p->cursor = from;
}

static int word_start(const struct prompt *p)
{
	int at = p->cursor;

	while (at > 0 && p->text[at - 1] == ' ')
		at--;
	while (at > 0 && p->text[at - 1] != ' ')
		at--;
	return at;
}

/* A full line swallows the key: it must not become a command instead. */
static bool insert(struct prompt *p, uint32_t code)
{
	char bytes[5];
	int len;

	if (code < 0x20 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ||
	    text_is_control(code))
		return false;
	len = screen_encode_utf8(code, bytes);
	if (p->len + len >= PROMPT_BYTES)
		return true;
	memmove(p->text + p->cursor + len, p->text + p->cursor, (size_t)(p->len - p->cursor) + 1);
	memcpy(p->text + p->cursor, bytes, (size_t)len);
	p->len += len;
	p->cursor += len;
	p->unseen = true;
	return true;
}

bool prompt_key(struct prompt *p, uint32_t key)
{
	if (key & KEYC_PASTED)
		return insert(p, key & ~KEYC_PASTED);
	switch (key) {
	case KEYC_LEFT:
		p->cursor = before(p, p->cursor);
		return true;
	case KEYC_RIGHT:
		p->cursor = after(p, p->cursor);
		return true;
	case KEYC_HOME:
	case KEYC_CTRL | 'a':
		p->cursor = 0;
		return true;
	case KEYC_END:
	case KEYC_CTRL | 'e':
		p->cursor = p->len;
		return true;
	case KEYC_BACKSPACE:
		cut(p, before(p, p->cursor), p->cursor);
		return true;
	case KEYC_DELETE:
		cut(p, p->cursor, after(p, p->cursor));
		return true;
	case KEYC_CTRL | 'u':
		cut(p, 0, p->cursor);
		return true;
	case KEYC_CTRL | 'w':
		cut(p, word_start(p), p->cursor);
		return true;
	default:
		return insert(p, key);
	}
}

static int width_between(const struct prompt *p, int from, int to)
{
	char part[PROMPT_BYTES];

	memcpy(part, p->text + from, (size_t)(to - from));
	part[to - from] = '\0';
	return text_width(part);
}

void prompt_draw(const struct prompt *p, const struct pane *pane, int y, int x, const char *label)
{
	int start = 0, room, cursor;

	x = pane_text(pane, y, x, -1, STYLE_KEY, label);
	room = pane->width - x;
	if (room <= 0)
		return;
	/* the cursor stays in sight, with a column of its own after the text */
	while (start < p->cursor && width_between(p, start, p->cursor) >= room)
		start = after(p, start);
	struct pane field = pane_sub(pane, y, x, 1, room);
	pane_fill(&field, STYLE_INPUT);
	pane_text(&field, 0, 0, -1, STYLE_INPUT, p->text + start);
	cursor = width_between(p, start, p->cursor);
	pane_restyle(&field, 0, cursor, 1, STYLE_SELECTED);
}
