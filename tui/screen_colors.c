/* How many colours the terminal has, and exact ones where curses knows numbers only.
 *
 * curses sends "ESC [ 38;5;N m" for a colour number. Redefining the numbers (init_color) would leave
 * the operator's shell in our palette, so each exact colour is given a number of its own, and on the
 * way out its number is replaced by "38;2;R;G;B". */
#include "config.h"
#include "tui/screen_state.h"

#include <stdlib.h>
#include <string.h>
#include <term.h> /* makes macros of everyday words */
#undef columns
#undef lines

#define DIRECT_COLORS (1 << 24)

static bool terminfo_says_exact(void)
{
	const char *text;

	if (tigetflag("Tc") > 0 || tigetflag("RGB") > 0 || tigetnum("RGB") > 0)
		return true;
	text = tigetstr("RGB");
	return text && text != (const char *)-1;
}

static bool environment_says_exact(void)
{
	const char *value = getenv("COLORTERM");

	return value && (strcmp(value, "truecolor") == 0 || strcmp(value, "24bit") == 0);
}

/* Numbers that are replaced on the way out must be sent in the form that is known there. */
static bool numbers_are_plain(void)
{
	const char *set = tigetstr("setaf");

	return set && set != (const char *)-1 && strstr(set, "38;5;%p1%d");
}

static bool is_exact(const struct screen *s)
{
	switch (s->truecolor) {
	case TRUECOLOR_YES:
		return true;
	case TRUECOLOR_NO:
		return false;
	case TRUECOLOR_AUTO:
		return terminfo_says_exact() || environment_says_exact();
	case TRUECOLOR_TERMINFO:
		break;
	}
	return terminfo_says_exact();
}

enum color_depth screen_find_depth(const struct screen *s)
{
	if (s->no_color)
		return DEPTH_MONO;
	if (s->headless)
		return DEPTH_256;
	if (!s->color || COLORS < 8)
		return DEPTH_MONO;
	if (COLORS >= DIRECT_COLORS)
		return DEPTH_DIRECT;
	if (COLORS == 256)
		return numbers_are_plain() && is_exact(s) ? DEPTH_EXACT : DEPTH_256;
	/* 88 and others have palettes of their own: their first 16 are everybody's. Above 256 not even
	 * those. */
	return COLORS >= 16 && COLORS <= 256 ? DEPTH_16 : DEPTH_8;
}

int screen_direct_color(int16_t number, int32_t rgb)
{
	if (number < 8 && rgb < 0)
		return number;
	if (rgb < 0)
		rgb = theme_rgb_of_256(number);
	/* The lowest numbers are the palette's all the same, 8 or up to 256 of them. */
	return rgb > 0 && rgb < 256 ? rgb | 0x010000 : rgb;
}

static int distance(int32_t a, int32_t b)
{
	int sum = 0;

	for (int shift = 0; shift <= 16; shift += 8) {
		int d = (int)(a >> shift & 255) - (int)(b >> shift & 255);
		sum += d * d;
	}
	return sum;
}

/* A number that nothing else has; the nearest, should anything go out as a number after all. */
static int16_t number_for(struct screen *s, const bool *taken, int16_t wanted, int32_t rgb)
{
	int best = -1;

	for (int i = 16; i < 256; i++) {
		if (s->exact[i] == rgb)
			return (int16_t)i;
		if (taken[i] || s->exact[i] >= 0)
			continue;
		if (best < 0 || distance(theme_rgb_of_256(i), rgb) < distance(theme_rgb_of_256(best), rgb))
			best = i;
	}
	if (best < 0)
		return wanted;
	s->exact[best] = rgb;
	s->recolors = true;
	return (int16_t)best;
}

void screen_number_colors(struct screen *s)
{
	bool taken[256] = { false };

	for (int i = 0; i < 256; i++)
		s->exact[i] = -1;
	s->recolors = false;
	if (s->depth != DEPTH_EXACT)
		return;
	for (int i = 0; i < STYLE_ROLE_COUNT; i++) {
		if (s->styles[i].fg >= 0 && s->styles[i].fg_rgb < 0)
			taken[s->styles[i].fg] = true;
		if (s->styles[i].bg >= 0 && s->styles[i].bg_rgb < 0)
			taken[s->styles[i].bg] = true;
	}
	for (int i = 0; i < STYLE_ROLE_COUNT; i++) {
		struct style *style = &s->styles[i];
		if (style->fg_rgb >= 0)
			style->fg = number_for(s, taken, style->fg, style->fg_rgb);
		if (style->bg_rgb >= 0)
			style->bg = number_for(s, taken, style->bg, style->bg_rgb);
	}
}

/* The number in "ESC [ 38;5;N m" or "48;5;": its length, or 0 when it is something else. */
static size_t match_color(const char *p, size_t len, int *number)
{
	size_t at = 7;

	if (len < 9 || p[1] != '[' || (p[2] != '3' && p[2] != '4') || memcmp(p + 3, "8;5;", 4) != 0)
		return 0;
	*number = 0;
	while (at < len && at < 10 && p[at] >= '0' && p[at] <= '9')
		*number = *number * 10 + (p[at++] - '0');
	return at > 7 && at < len && p[at] == 'm' && *number < 256 ? at + 1 : 0;
}

void screen_recolor(const struct screen *s, const char *bytes, size_t len, struct buf *out)
{
	size_t done = 0;

	for (size_t at = 0; at < len; at++) {
		const char *escape = memchr(bytes + at, 27, len - at);
		size_t used;
		int number;
		if (!escape)
			break;
		at = (size_t)(escape - bytes);
		used = match_color(escape, len - at, &number);
		if (used == 0 || s->exact[number] < 0)
			continue;
		buf_add(out, bytes + done, at - done);
		buf_addf(out, "\033[%c8;2;%d;%d;%dm", escape[2], (int)(s->exact[number] >> 16 & 255),
			 (int)(s->exact[number] >> 8 & 255), (int)(s->exact[number] & 255));
		done = at + used;
		at = done - 1;
	}
	buf_add(out, bytes + done, len - done);
}
