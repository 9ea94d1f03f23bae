/* Bytes are cut into characters and escape sequences here; what a sequence means is looked up in
 * curses' key tree (key_defined). Reading through wgetch would do both, but it waits inside curses
 * on a lone ESC, and delivers a sequence it does not know as single keys, of which each could be a
 * command. */
#include "config.h"

#include <curses.h> /* before our own: both have a key_name */

#include "tui/keys.h"

#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/text.h"
#include "tui/screen_private.h"

/* How long after an ESC the rest of a sequence is waited for; the key Esc is late by that. */
#define ESC_WAIT_MS      35
/* The rest of a sequence that comes later than that, over a slow line: it must not become a '[' and an
 * 'A'. Esc has been handed out by then. */
#define LATE_WAIT_MS     1000
/* Behind "ESC [", which nobody types that fast, and within a character. */
#define SEQUENCE_WAIT_MS 250
#define SEQUENCE_BYTES   32
/* What a terminal puts around a paste. The end may be lost: silence for so long is one, too. */
#define PASTE_BEGIN      "\033[200~"
#define PASTE_END        "\033[201~"
#define PASTE_MARK_BYTES 6
#define PASTE_WAIT_MS    2000
/* Reads in one call: a terminal that sends junk without end must not hold the loop. */
#define MAX_READS      16

static const struct { int code; uint32_t key; } curses_keys[] = {
	{ KEY_UP, KEYC_UP },          { KEY_DOWN, KEYC_DOWN },
	{ KEY_LEFT, KEYC_LEFT },      { KEY_RIGHT, KEYC_RIGHT },
	{ KEY_PPAGE, KEYC_PAGE_UP },  { KEY_NPAGE, KEYC_PAGE_DOWN },
	{ KEY_HOME, KEYC_HOME },      { KEY_END, KEYC_END },
	{ KEY_DC, KEYC_DELETE },      { KEY_BTAB, KEYC_SHIFT_TAB },
	{ KEY_ENTER, KEYC_ENTER },    { KEY_BACKSPACE, KEYC_BACKSPACE },
	{ KEY_A1, KEYC_HOME },        { KEY_A3, KEYC_PAGE_UP },
	{ KEY_C1, KEYC_END },         { KEY_C3, KEYC_PAGE_DOWN },
};

/* What terminals send that don't do as their description says: the other cursor mode, and the
 * older forms of Home and End. */
static const struct { const char *bytes; uint32_t key; } stray_keys[] = {
	{ "[A", KEYC_UP },    { "[B", KEYC_DOWN },  { "[C", KEYC_RIGHT }, { "[D", KEYC_LEFT },
	{ "OA", KEYC_UP },    { "OB", KEYC_DOWN },  { "OC", KEYC_RIGHT }, { "OD", KEYC_LEFT },
	{ "[H", KEYC_HOME },  { "[F", KEYC_END },   { "OH", KEYC_HOME },  { "OF", KEYC_END },
	{ "[1~", KEYC_HOME }, { "[4~", KEYC_END },  { "[7~", KEYC_HOME }, { "[8~", KEYC_END },
	{ "[3~", KEYC_DELETE }, { "[5~", KEYC_PAGE_UP }, { "[6~", KEYC_PAGE_DOWN },
	{ "[Z", KEYC_SHIFT_TAB }, { "OP", KEYC_F1 }, { "[11~", KEYC_F1 }, { "[[A", KEYC_F1 },
	{ "OM", KEYC_ENTER },
};

/* Bytes of the sequence at p, which begins with ESC: 0 not complete, 1 a lone ESC. */
static size_t sequence_length(const char *p, size_t len)
{
	size_t at = 2;

	if (len < 2)
		return 0;
	if (p[1] == 'O')
		return len < 3 ? 0 : 3;
	if (p[1] != '[')
		return 1;
	if (len > 2 && p[2] == '[') /* the Linux console's function keys */
		return len < 4 ? 0 : 4;
	if (len > 2 && p[2] == 'M') /* a mouse report in its older form: three bytes follow */
		return len < 6 ? 0 : 6;
	while (at < len && p[at] >= 0x20 && p[at] <= 0x3f)
		if (++at == SEQUENCE_BYTES)
			return at;
	if (at == len)
		return 0;
	/* a byte that can't be in a sequence ends it, and is one of its own */
	return p[at] >= 0x40 && p[at] <= 0x7e ? at + 1 : at;
}

/* button: bits 0 and 1 the button, 2 to 4 Shift and such, 5 motion, 6 the wheel. From 1. */
static uint32_t mouse_key(int button, int x, int y)
{
	static const enum mouse_kind wheel[4] = { MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN, 0, 0 };
	uint32_t kind = button & 64 ? (uint32_t)wheel[button & 3]
			: (button & 3) == 0 ? (uint32_t)MOUSE_CLICK : 0;

	if (kind == 0 || button & ~(64 | 31) || x < 1 || y < 1 || x > 4096 || y > 4096)
		return KEYC_NONE;
	return KEYC_MOUSE | kind << 24 | (uint32_t)(y - 1) << 12 | (uint32_t)(x - 1);
}

bool key_is_mouse(uint32_t key, struct mouse *out)
{
	if (!(key & KEYC_MOUSE))
		return false;
	*out = (struct mouse){ (enum mouse_kind)(key >> 24 & 3), (int)(key >> 12 & 4095),
			       (int)(key & 4095) };
	return true;
}

/* "ESC [ < BUTTON ; X ; Y M", and m when it is let go. */
static uint32_t mouse_report(const char *text, size_t len)
{
	int64_t part[3];
	const char *at = text + 3, *end = text + len - 1;

	if (*end != 'M')
		return KEYC_NONE;
	for (int i = 0; i < 3; i++) {
		size_t digits = strcspn(at, i < 2 ? ";" : "M");
		if (at + digits > end || !number_parse(at, digits, 0, 9999, &part[i]))
			return KEYC_NONE;
		at += digits + 1;
	}
	return at == end + 1 ? mouse_key((int)part[0], (int)part[1], (int)part[2]) : KEYC_NONE;
}

static uint32_t sequence_key(const char *p, size_t len)
{
	char text[SEQUENCE_BYTES + 1];
	int code;

	memcpy(text, p, len);
	text[len] = '\0';
	if (len == 6 && p[2] == 'M')
		return mouse_key((unsigned char)p[3] - 32, (unsigned char)p[4] - 32,
				 (unsigned char)p[5] - 32);
	if (len > 3 && p[1] == '[' && p[2] == '<')
		return mouse_report(text, len);
	code = key_defined(text);
	if (code >= KEY_F(1) && code <= KEY_F(12))
		return KEYC_F1 + (uint32_t)(code - KEY_F(1));
	for (size_t i = 0; code > 0 && i < sizeof(curses_keys) / sizeof(*curses_keys); i++)
		if (curses_keys[i].code == code)
			return curses_keys[i].key;
	for (size_t i = 0; i < sizeof(stray_keys) / sizeof(*stray_keys); i++)
		if (strcmp(stray_keys[i].bytes, text + 1) == 0)
			return stray_keys[i].key;
	return KEYC_NONE;
}

static size_t decode_escape(const char *p, size_t len, bool last, uint32_t *key)
{
	size_t used = sequence_length(p, len);

	*key = KEYC_ESC;
	if (used == 1)
		return 1;
	if (used > 1) {
		*key = sequence_key(p, used);
		return used;
	}
	if (!last)
		return 0;
	/* It will not go on. ESC and a '[' typed after it are two keys; more is a torn sequence. */
	if (len <= 2)
		return 1;
	*key = KEYC_NONE;
	return len;
}

static size_t utf8_length(unsigned char lead)
{
	if (lead >= 0xf0)
		return 4;
	if (lead >= 0xe0)
		return 3;
	return lead >= 0xc0 ? 2 : 1;
}

static size_t decode_text(const char *p, size_t len, bool last, uint32_t *key)
{
	char text[5] = "";
	const char *end = text;
	size_t need = utf8_length((unsigned char)*p), have = len < need ? len : need, i = 1;

	while (i < have && (p[i] & 0xc0) == 0x80)
		i++;
	if (i == len && i < need && !last)
		return 0;
	memcpy(text, p, have);
	*key = text_next(&end);
	if (*key == 0xfffd || text_is_control(*key))
		*key = KEYC_NONE;
	return (size_t)(end - text);
}

static bool begins_with(const char *p, size_t len, const char *mark)
{
	return len >= PASTE_MARK_BYTES && memcmp(p, mark, PASTE_MARK_BYTES) == 0;
}

/* Text only: a newline that was copied along must not confirm anything, and an ESC in it is none. */
static size_t decode_pasted(const char *p, size_t len, bool last, uint32_t *key, bool *pasting)
{
	unsigned char c = (unsigned char)*p;
	size_t used, mark = len < PASTE_MARK_BYTES ? len : PASTE_MARK_BYTES;

	*key = KEYC_NONE;
	if (begins_with(p, len, PASTE_END)) {
		*pasting = false;
		return PASTE_MARK_BYTES;
	}
	if (c == 27 && !last && mark < PASTE_MARK_BYTES && memcmp(p, PASTE_END, mark) == 0)
		return 0;
	if (c < 0x20 || c == 127)
		return 1;
	used = decode_text(p, len, last, key);
	if (*key != KEYC_NONE)
		*key |= KEYC_PASTED;
	return used;
}

/* One key from the front of the bytes; returns how many it took, 0 when more are needed and may
 * still come. KEYC_NONE is for bytes that mean nothing. */
static size_t decode(const char *p, size_t len, bool last, uint32_t *key)
{
	unsigned char c = (unsigned char)*p;

	if (c == 27)
		return decode_escape(p, len, last, key);
	if (c < 0x20 || c == 127) {
		*key = keys_of_control(c);
		return 1;
	}
	return decode_text(p, len, last, key);
}

/* The rest of a sequence whose ESC has been taken for the key; 0: it is none. Only what is known as
 * one counts: after Esc, a '[' may be typed as well. */
static size_t decode_late(const char *p, size_t len, uint32_t *key, bool *pasting)
{
	char text[SEQUENCE_BYTES] = "\033";
	size_t used;

	if (*p != '[' && *p != 'O')
		return 0;
	len = len < sizeof(text) - 1 ? len : sizeof(text) - 1;
	memcpy(text + 1, p, len);
	used = sequence_length(text, len + 1);
	if (used < 2 || used > len + 1)
		return 0;
	*key = sequence_key(text, used);
	*pasting = begins_with(text, used, PASTE_BEGIN);
	return *key != KEYC_NONE || *pasting ? used - 1 : 0;
}

static int decode_all(struct buf *in, struct key_times *t, bool last, uint32_t *out, int max)
{
	size_t at = 0, used;
	uint32_t key;
	int count = 0;

	while (count < max && at < in->len) {
		const char *p = in->data + at;
		bool late = t->late_esc_ms > 0 && clock_mono_ms() - t->late_esc_ms < LATE_WAIT_MS;

		if (t->pasting) {
			used = decode_pasted(p, in->len - at, last, &key, &t->pasting);
		} else {
			used = late ? decode_late(p, in->len - at, &key, &t->pasting) : 0;
			if (used == 0)
				used = decode(p, in->len - at, last, &key);
			if (begins_with(p, used, PASTE_BEGIN))
				t->pasting = true;
		}
		if (used == 0)
			break;
		t->late_esc_ms = used == 1 && key == KEYC_ESC && last ? clock_mono_ms() : 0;
		at += used;
		if (key != KEYC_NONE)
			out[count++] = key;
	}
	if (at)
		buf_consume(in, at);
	return count;
}

/* Left on by a program that crashed here before. */
static int without_mouse(uint32_t *keys, int count)
{
	int kept = 0;

	for (int i = 0; i < count; i++)
		if (!(keys[i] & KEYC_MOUSE))
			keys[kept++] = keys[i];
	return kept;
}

int keys_wait_ms(struct screen *s)
{
	const struct buf *in = screen_input(s);
	const struct key_times *t = screen_key_times(s);
	int64_t wait;

	if (in->len == 0)
		return -1;
	wait = t->last_ms + (in->len == 1 && in->data[0] == 27 && !t->pasting ? ESC_WAIT_MS : SEQUENCE_WAIT_MS) -
	       clock_mono_ms();
	return wait > 0 ? (int)wait : 0;
}

int keys_read(struct screen *s, uint32_t *out, int max)
{
	struct buf *in = screen_input(s);
	struct key_times *t = screen_key_times(s);
	int count = decode_all(in, t, false, out, max), got = 1;

	for (int reads = 0; count < max && reads < MAX_READS; reads++) {
		got = screen_read_input(s);
		if (got <= 0)
			break;
		if (clock_mono_ms() - t->last_ms > PASTE_WAIT_MS)
			t->pasting = false;
		t->last_ms = clock_mono_ms();
		count += decode_all(in, t, false, out + count, max - count);
	}
	if (count < max && keys_wait_ms(s) == 0)
		count += decode_all(in, t, true, out + count, max - count);
	if (!screen_has_mouse(s))
		count = without_mouse(out, count);
	return count > 0 ? count : got < 0 ? -1 : 0;
}
