/* A curses that sees no terminal: it writes to a file in memory, and looks at the screen in the
 * colours that the terminal has. */
#include "config.h"
#include "tui/screen_state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <term.h> /* makes macros of everyday words */
#undef columns
#undef lines
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

static attr_t attrs_of(uint16_t attrs)
{
	attr_t out = WA_NORMAL;

	if (attrs & ATTR_BOLD)
		out |= WA_BOLD;
	if (attrs & ATTR_DIM)
		out |= WA_DIM;
	if (attrs & ATTR_UNDERLINE)
		out |= WA_UNDERLINE;
	if (attrs & ATTR_REVERSE)
		out |= WA_REVERSE;
#ifdef WA_ITALIC
	if (attrs & ATTR_ITALIC)
		out |= WA_ITALIC;
#endif
	return out;
}

/* Without colour a background is what made a role stand out: reverse does it instead, and bold where
 * that would be whole paragraphs. `own` is the background of everything. */
static struct style style_mono(struct style in, enum style_role role, int own)
{
	struct style out = { -1, -1, in.attrs, -1, -1 };

	if (in.bg < 0 || in.bg == own || role == STYLE_TEXT || role == STYLE_BAR_BACK)
		return out;
	out.attrs |= role == STYLE_WARNING ? ATTR_BOLD : ATTR_REVERSE;
	return out;
}

/* Many terminals show bold as bright, and bright black is a dark grey. */
static struct style style_few(struct style in)
{
	if (in.fg == COLOR_BLACK)
		in.attrs &= (uint16_t)~ATTR_BOLD;
	return in;
}

static struct style style_for(const struct screen *s, enum style_role role)
{
	switch (s->depth) {
	case DEPTH_MONO:
		return style_mono(s->theme.eight[role], role, s->theme.eight[STYLE_TEXT].bg);
	case DEPTH_8:
		return style_few(s->theme.eight[role]);
	case DEPTH_16:
		return style_few(s->theme.sixteen[role]);
	case DEPTH_256:
	case DEPTH_EXACT:
	case DEPTH_DIRECT:
		break;
	}
	return s->theme.full[role];
}

static bool set_pair(const struct screen *s, int pair, const struct style *style)
{
	int fg = style->fg, bg = style->bg;

	if (pair >= COLOR_PAIRS)
		return false;
	if (!s->default_colors && fg < 0)
		fg = COLOR_WHITE;
	if (!s->default_colors && bg < 0)
		bg = COLOR_BLACK;
#ifdef NCURSES_EXT_COLORS
	if (s->depth == DEPTH_DIRECT) {
		fg = fg < 0 ? fg : screen_direct_color(style->fg, style->fg_rgb);
		bg = bg < 0 ? bg : screen_direct_color(style->bg, style->bg_rgb);
		return init_extended_pair(pair, fg, bg) == OK;
	}
#endif
	return init_pair((short)pair, (short)fg, (short)bg) == OK;
}

void screen_apply_styles(struct screen *s)
{
	for (int i = 0; i < STYLE_ROLE_COUNT; i++)
		s->styles[i] = style_for(s, (enum style_role)i);
	screen_number_colors(s);
	for (int i = 0; i < STYLE_ROLE_COUNT; i++) {
		const struct style *style = &s->styles[i];
		s->attrs[i] = attrs_of(style->attrs);
		s->pairs[i] = 0;
		if (s->color && (style->fg >= 0 || style->bg >= 0) && set_pair(s, i + 1, style))
			s->pairs[i] = (short)(i + 1);
	}
}

/* --- bytes ---------------------------------------------------------------------------- */

/* Takes what curses wrote out of its memory file. */
void screen_drain_curses(struct screen *s)
{
	struct buf numbers = BUF_INIT, *to = s->recolors ? &numbers : &s->unsent;
	char block[8192];
	int fd = fileno(s->out);
	off_t end, at = 0;

	fflush(s->out);
	end = lseek(fd, 0, SEEK_CUR);
	while (at < end) {
		ssize_t got = pread(fd, block, sizeof(block), at);
		if (got <= 0)
			break;
		at += got;
		if (s->headless)
			s->bytes_total += (uint64_t)got;
		else
			buf_add(to, block, (size_t)got);
	}
	if (numbers.len > 0)
		screen_recolor(s, numbers.data, numbers.len, &s->unsent);
	buf_free(&numbers);
	if (end > 0 && ftruncate(fd, 0) == 0)
		lseek(fd, 0, SEEK_SET);
}

/* --- a curses without a terminal ------------------------------------------------------ */

/* A file that is only in memory, for curses to write to. */
static FILE *open_sink(void)
{
#ifdef HAVE_MEMFD_CREATE
	int fd = memfd_create("screen", MFD_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w+");

	if (f)
		return f;
	if (fd >= 0)
		close(fd);
#endif
	return tmpfile();
}

/* 1 usable, 0 unknown here, -1 known and of no use. */
static int try_terminal(const char *term, int fd)
{
	int status = 0;
	const char *cup;

	if (!term || !*term || setupterm(term, fd, &status) != OK)
		return 0;
	cup = tigetstr("cup");
	del_curterm(cur_term);
	return cup && cup != (const char *)-1 ? 1 : -1;
}

static const char *choose_terminal(struct screen *s, struct buf *err)
{
	static const char *const fallbacks[] = { "xterm-256color", "vt100", "xterm", "ansi" };
	const char *term = s->headless ? "xterm-256color" : getenv("TERM");
	int fd = fileno(s->out), found = try_terminal(term, fd);
	char clean[48];

	if (found > 0)
		return term;
	text_clean(clean, sizeof(clean), term ? term : "", term ? strlen(term) : 0);
	if (found < 0) {
		buf_addf(err, "TERM=%s can't place the cursor; --once prints a snapshot and "
			 "--events the events", clean);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(fallbacks) / sizeof(*fallbacks); i++) {
		if (try_terminal(fallbacks[i], fd) <= 0)
			continue;
		if (!s->headless)
			snprintf(s->notice, sizeof(s->notice),
				 "terminal type '%s' is unknown here; taken for %s", clean, fallbacks[i]);
		return fallbacks[i];
	}
	buf_addf(err, "no terminal description for TERM=%s, nor for xterm-256color or vt100; "
		 "--once prints a snapshot and --events the events", clean);
	return NULL;
}

/* newterm catches these where nobody else does; they are the loop's. */
static SCREEN *newterm_without_signals(const char *term, FILE *out, FILE *in)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGTSTP, SIGWINCH };
	struct sigaction before[4];
	SCREEN *made;

	for (int i = 0; i < 4; i++)
		sigaction(signals[i], NULL, &before[i]);
	made = newterm(term, out, in);
	for (int i = 0; i < 4; i++)
		sigaction(signals[i], &before[i], NULL);
	return made;
}

static void put_env(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

/* newterm sets the scrolling region at once, so it must know the size by then; without a terminal
 * of its own it takes that from the environment only. */
static SCREEN *newterm_sized(const char *term, FILE *out, FILE *in, int width, int height)
{
	static const char *const names[2] = { "LINES", "COLUMNS" };
	int sizes[2] = { height, width };
	char *before[2], text[16];
	SCREEN *made;

	for (int i = 0; i < 2; i++) {
		before[i] = mem_strdup(getenv(names[i]));
		snprintf(text, sizeof(text), "%d", sizes[i]);
		put_env(names[i], text);
	}
	use_env(TRUE);
	made = newterm_without_signals(term, out, in);
	for (int i = 0; i < 2; i++) {
		put_env(names[i], before[i]);
		free(before[i]);
	}
	return made;
}

/* curses turns reports on and, at endwin, off; what they say is read in keys.c. */
bool screen_mouse_on(const struct screen *s)
{
	const mmask_t all = BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED;

	if (s->headless)
		return true; /* for tests: no terminal is asked */
	mousemask(0, NULL);
	return mousemask(all, NULL) != 0;
}

bool screen_open_curses(struct screen *s, int width, int height, struct buf *err)
{
	const char *term;

	s->out = open_sink();
	s->in = fopen("/dev/null", "re"); /* keys never come through curses */
	if (!s->out || !s->in) {
		buf_addf(err, "no memory file for the screen: %s", strerror(errno));
		return false;
	}
	term = choose_terminal(s, err);
	if (!term)
		return false;
	setenv("NCURSES_NO_UTF8_ACS", "1", 1);
	setenv("NCURSES_NO_PADDING", "1", 1); /* vt100's would be real NULs */
	s->curses = newterm_sized(term, s->out, s->in, width, height);
	if (!s->curses) {
		buf_addf(err, "curses can't drive the terminal type %s", term);
		return false;
	}
	set_term(s->curses);
	typeahead(-1); /* /dev/null is always readable: curses would put off every update */
	/* One that can't be hidden is put where it is in nobody's way. */
	leaveok(stdscr, curs_set(0) != ERR);
	if (!s->no_color && has_colors() && start_color() == OK) {
		s->color = true;
		s->default_colors = use_default_colors() == OK;
	}
	s->depth = screen_find_depth(s);
	if (!s->headless)
		keypad(stdscr, TRUE);
	if (s->mouse)
		s->mouse = screen_mouse_on(s);
	return true;
}

const char *screen_curses_version(void)
{
	return curses_version();
}
