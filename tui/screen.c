/* Four planes lie between a view and the glass:
 *
 *   cells   what this frame says; pane.c writes them, every frame from blank
 *   shown   what curses was told last; rows that differ are handed over
 *   curses  its own diff against what it believes is on the glass; writes to a file in memory
 *   unsent  the bytes of that file, on their way to a terminal that may not be reading
 *
 * The first pair keeps curses away from rows that did not change, so a quiet frame costs a
 * comparison and no system call. The last pair keeps the loop away from write(2) on a stuck link:
 * curses knows nothing of partial writes and would sleep in them.
 *
 * Since curses sees no terminal, what it would do to one is done here: modes, size, signals. */
#include "config.h"

#include "tui/screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <term.h> /* makes macros of everyday words */
#undef columns
#undef lines
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "tui/screen_private.h"

/* A terminal may claim 65535 x 65535: that many cells are neither readable nor affordable. */
#define MAX_WIDTH  1000
#define MAX_HEIGHT 500
/* How long leaving may take on a terminal that does not read. */
#define LEAVE_MS   300

struct cell {
	uint32_t code;
	uint32_t mark;  /* combining, or 0 */
	uint8_t role;
	uint8_t width;  /* 1, 2, or 0 for the right half of the cell before */
};

struct screen {
	struct theme theme;
	struct style styles[STYLE_ROLE_COUNT]; /* as this terminal can show them */
	attr_t attrs[STYLE_ROLE_COUNT];
	short pairs[STYLE_ROLE_COUNT];
	bool ascii, headless, color; /* color: start_color worked */
	bool no_color;
	bool default_colors; /* the terminal can go back to its own */
	bool in_frame, suspended, gone, repaint;

	SCREEN *curses;
	FILE *out, *in;
	int tty_fd;
	struct termios saved;

	int width, height;
	struct cell *cells, *shown; /* width * height each */
	bool all_stale;             /* shown says nothing */
	cchar_t *line;              /* a row on its way to curses */

	struct buf unsent, input;
	uint64_t bytes_total;
	char notice[128];
};

/* What a handler of a fatal signal needs, ready: no curses, no stdio and no allocation there. */
static struct {
	volatile sig_atomic_t active;
	int fd;
	struct termios saved;
	char leave[256];
	size_t leave_len;
} emergency = { .fd = -1 };

/* --- styles ------------------------------------------------------------------------------- */

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

/* Without colour a background is what made a role stand out: reverse does it instead. */
static struct style style_mono(struct style in, enum style_role role)
{
	struct style out = { -1, -1, in.attrs, -1, -1 };

	if (in.bg >= 0 && role != STYLE_TEXT && role != STYLE_BAR_BACK)
		out.attrs |= ATTR_REVERSE;
	return out;
}

static struct style style_for(const struct screen *s, enum style_role role)
{
	struct style out = s->theme.full[role];

	if (s->no_color || (!s->headless && (!s->color || COLORS < 8)))
		return style_mono(s->theme.basic[role], role);
	if (s->headless || COLORS >= 256)
		return out;
	out = s->theme.basic[role];
	if (COLORS >= 16)
		return out;
	if (out.fg >= 8) {
		out.fg = (int16_t)(out.fg - 8);
		out.attrs |= ATTR_BOLD;
	}
	if (out.bg >= 8)
		out.bg = (int16_t)(out.bg - 8);
	return out;
}

static void apply_styles(struct screen *s)
{
	for (int i = 0; i < STYLE_ROLE_COUNT; i++) {
		struct style style = style_for(s, (enum style_role)i);
		s->styles[i] = style;
		s->attrs[i] = attrs_of(style.attrs);
		s->pairs[i] = 0;
		if (!s->color || (style.fg < 0 && style.bg < 0))
			continue;
		if (!s->default_colors && style.fg < 0)
			style.fg = COLOR_WHITE;
		if (!s->default_colors && style.bg < 0)
			style.bg = COLOR_BLACK;
		if (i + 1 < COLOR_PAIRS && init_pair((short)(i + 1), style.fg, style.bg) == OK)
			s->pairs[i] = (short)(i + 1);
	}
}

void screen_set_theme(struct screen *s, const struct theme *t)
{
	s->theme = *t;
	apply_styles(s);
	screen_invalidate(s);
}

/* --- bytes to the terminal ---------------------------------------------------------------- */

/* Takes what curses wrote out of its memory file. */
static void drain_curses(struct screen *s)
{
	char block[8192];
	int fd = fileno(s->out);
	off_t end, at = 0;

	fflush(s->out);
	end = lseek(fd, 0, SEEK_CUR);
	if (end <= 0)
		return;
	while (at < end) {
		ssize_t got = pread(fd, block, sizeof(block), at);
		if (got <= 0)
			break;
		at += got;
		if (s->headless)
			s->bytes_total += (uint64_t)got;
		else
			buf_add(&s->unsent, block, (size_t)got);
	}
	if (ftruncate(fd, 0) == 0)
		lseek(fd, 0, SEEK_SET);
}

int screen_flush(struct screen *s)
{
	size_t sent = 0;

	if (s->gone)
		return -1;
	while (sent < s->unsent.len) {
		ssize_t n = write(s->tty_fd, s->unsent.data + sent, s->unsent.len - sent);
		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		s->gone = n < 0 && errno != EAGAIN && errno != EWOULDBLOCK;
		break;
	}
	s->bytes_total += sent;
	if (sent)
		buf_consume(&s->unsent, sent);
	if (s->gone)
		return -1;
	return s->unsent.len == 0;
}

size_t screen_unsent(const struct screen *s)
{
	return s->unsent.len;
}

uint64_t screen_bytes_total(const struct screen *s)
{
	return s->bytes_total;
}

/* For the last bytes before the terminal is given back: waits, but not for ever. */
static void flush_patiently(struct screen *s)
{
	int64_t deadline = clock_mono_ms() + LEAVE_MS;

	while (screen_flush(s) == 0) {
		struct pollfd p = { .fd = s->tty_fd, .events = POLLOUT };
		int64_t left = deadline - clock_mono_ms();
		if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR))
			break;
	}
	buf_reset(&s->unsent);
}

/* --- the terminal ------------------------------------------------------------------------- */

/* A descriptor of our own: O_NONBLOCK belongs to the open file, and the one behind 0 and 1 is
 * the shell's too. */
static int open_tty(struct buf *err)
{
	const int flags = O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	const char *name;
	int fd = -1;

	if (isatty(STDOUT_FILENO)) {
		fd = open("/dev/tty", flags);
		/* no controlling terminal: a container, or a shell that was set apart */
		if (fd < 0 && (name = ttyname(STDOUT_FILENO)) != NULL)
			fd = open(name, flags);
	}
	if (fd < 0)
		buf_addstr(err, "standard output is not a terminal; without one, --once prints a "
				"snapshot and --events the events");
	return fd;
}

/* curses is told that it has no terminal, so it never sets these. Signals stay on: Ctrl-C and
 * Ctrl-Z come as signals. Output is not touched by the kernel, since curses moves down with a
 * bare line feed. TCSANOW: draining would wait for a terminal that does not read. */
static void enter_modes(struct screen *s)
{
	struct termios raw = s->saved;

	raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | ISTRIP | IXON);
	raw.c_oflag &= ~(tcflag_t)OPOST;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(s->tty_fd, TCSANOW, &raw);
}

static void emergency_add(const char *capability)
{
	const char *text = tigetstr(capability);

	if (!text || text == (const char *)-1)
		return;
	while (*text && emergency.leave_len < sizeof(emergency.leave)) {
		if (text[0] == '$' && text[1] == '<' && strchr(text, '>')) {
			text = strchr(text, '>') + 1; /* a padding delay, for tputs */
			continue;
		}
		emergency.leave[emergency.leave_len++] = *text++;
	}
}

static void emergency_arm(const struct screen *s)
{
	emergency.active = 0;
	emergency.fd = s->tty_fd;
	emergency.saved = s->saved;
	emergency.leave_len = 0;
	emergency_add("sgr0");
	emergency_add("op");
	emergency_add("rmkx");
	emergency_add("cnorm");
	emergency_add("rmcup"); /* xterm's also brings the title back */
	emergency.active = 1;
}

/* False while another job has the terminal: its modes are that one's, and SIGTTOU would stop us
 * where we meant to end. */
static bool has_terminal(int fd)
{
	pid_t group = tcgetpgrp(fd);

	return group < 0 || group == getpgrp();
}

void screen_emergency_restore(void)
{
	size_t at = 0;
	int saved_errno = errno;

	if (!emergency.active)
		return;
	emergency.active = 0;
	while (at < emergency.leave_len) {
		ssize_t n = write(emergency.fd, emergency.leave + at, emergency.leave_len - at);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	if (has_terminal(emergency.fd))
		tcsetattr(emergency.fd, TCSANOW, &emergency.saved);
	errno = saved_errno;
}

static void ask_size(const struct screen *s, int *width, int *height)
{
	struct winsize size = { 0, 0, 0, 0 };

	/* a serial line knows no size and says 0 */
	if (ioctl(s->tty_fd, TIOCGWINSZ, &size) != 0 || !size.ws_col || !size.ws_row) {
		size.ws_col = 80;
		size.ws_row = 24;
	}
	*width = size.ws_col < MAX_WIDTH ? size.ws_col : MAX_WIDTH;
	*height = size.ws_row < MAX_HEIGHT ? size.ws_row : MAX_HEIGHT;
}

/* --- cells -------------------------------------------------------------------------------- */

static void blank_cells(struct cell *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cells[i] = (struct cell){ .code = ' ', .role = STYLE_TEXT, .width = 1 };
}

static void set_size(struct screen *s, int width, int height)
{
	size_t count = (size_t)width * (size_t)height;

	s->width = width;
	s->height = height;
	free(s->cells);
	free(s->shown);
	free(s->line);
	s->cells = mem_alloc(count * sizeof(*s->cells));
	s->shown = mem_alloc(count * sizeof(*s->shown));
	s->line = mem_alloc((size_t)width * sizeof(*s->line));
	blank_cells(s->cells, count);
	s->all_stale = true;
	resize_term(height, width); /* not resizeterm: that types a KEY_RESIZE */
	screen_invalidate(s);
}

int screen_width(const struct screen *s)
{
	return s->width;
}

int screen_height(const struct screen *s)
{
	return s->height;
}

bool screen_is_ascii(const struct screen *s)
{
	return s->ascii;
}

bool screen_check_size(struct screen *s)
{
	int width, height;

	if (s->headless)
		return false;
	ask_size(s, &width, &height);
	if (width == s->width && height == s->height)
		return false;
	set_size(s, width, height);
	return true;
}

void screen_invalidate(struct screen *s)
{
	s->repaint = true;
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

void screen_put(struct screen *s, int y, int x, enum style_role role, uint32_t code, int width)
{
	struct cell *c = cell_at(s, y, x);

	if (!c || width < 1 || width > 2 || x + width > s->width)
		return;
	if (!is_showable(s, code, width)) {
		for (int i = 0; i < width; i++) {
			break_wide(&c[i]);
			c[i] = (struct cell){ .code = '?', .role = (uint8_t)role, .width = 1 };
		}
		return;
	}
	break_wide(c);
	if (width == 2) {
		break_wide(c + 1);
		c[1] = (struct cell){ .role = (uint8_t)role };
	}
	*c = (struct cell){ .code = code, .role = (uint8_t)role, .width = (uint8_t)width };
}

void screen_put_run(struct screen *s, int y, int x, enum style_role role, uint32_t code, int columns)
{
	struct cell *c = cell_at(s, y, x), one = { .role = (uint8_t)role, .width = 1 };

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
			c->role = (uint8_t)role;
}

enum style_role screen_role_at(const struct screen *s, int y, int x)
{
	const struct cell *c = cell_at(s, y, x);

	return c ? (enum style_role)c->role : STYLE_TEXT;
}

/* --- frames ------------------------------------------------------------------------------- */

bool screen_frame_begin(struct screen *s)
{
	if (s->unsent.len || s->suspended || s->gone)
		return false;
	blank_cells(s->cells, (size_t)s->width * (size_t)s->height);
	s->in_frame = true;
	return true;
}

static void row_to_curses(struct screen *s, int y)
{
	const struct cell *row = &s->cells[(size_t)y * (size_t)s->width];
	int count = 0;

	for (int x = 0; x < s->width; x++) {
		wchar_t text[3] = { (wchar_t)row[x].code, (wchar_t)row[x].mark, L'\0' };
		if (row[x].width == 0)
			continue; /* curses makes the right half itself */
		setcchar(&s->line[count++], text, s->attrs[row[x].role], s->pairs[row[x].role],
			 NULL);
	}
	mvwadd_wchnstr(stdscr, y, 0, s->line, count);
}

void screen_frame_end(struct screen *s)
{
	size_t row_bytes = (size_t)s->width * sizeof(struct cell);
	bool changed = s->repaint;

	if (!s->in_frame)
		return;
	s->in_frame = false;
	for (int y = 0; y < s->height; y++) {
		size_t at = (size_t)y * (size_t)s->width;
		if (!s->repaint && !s->all_stale &&
		    memcmp(&s->cells[at], &s->shown[at], row_bytes) == 0)
			continue;
		row_to_curses(s, y);
		memcpy(&s->shown[at], &s->cells[at], row_bytes);
		changed = true;
	}
	s->all_stale = false;
	if (!changed)
		return;
	if (s->repaint)
		clearok(curscr, TRUE);
	s->repaint = false;
	wnoutrefresh(stdscr);
	doupdate();
	drain_curses(s);
}

/* --- life --------------------------------------------------------------------------------- */

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

static bool open_curses(struct screen *s, int width, int height, struct buf *err)
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
	leaveok(stdscr, TRUE);
	curs_set(0);
	if (!s->no_color && has_colors() && start_color() == OK) {
		s->color = true;
		s->default_colors = use_default_colors() == OK;
	}
	if (!s->headless)
		keypad(stdscr, TRUE);
	return true;
}

static struct screen *open_failed(struct screen *s)
{
	if (s->tty_fd >= 0)
		close(s->tty_fd);
	if (s->out)
		fclose(s->out);
	if (s->in)
		fclose(s->in);
	free(s);
	return NULL;
}

static int clamp(int value, int max)
{
	return value < 1 ? 1 : value > max ? max : value;
}

struct screen *screen_open(const struct screen_options *opt, struct buf *err)
{
	struct screen *s = mem_alloc(sizeof(*s));
	int width = clamp(opt->width, MAX_WIDTH), height = clamp(opt->height, MAX_HEIGHT);

	s->headless = opt->headless;
	s->no_color = opt->no_color;
	s->ascii = opt->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	s->tty_fd = -1;
	if (!s->headless) {
		s->tty_fd = open_tty(err);
		if (s->tty_fd < 0 || tcgetattr(s->tty_fd, &s->saved) != 0)
			return open_failed(s);
	}
	if (!s->headless)
		ask_size(s, &width, &height);
	if (!open_curses(s, width, height, err))
		return open_failed(s);
	if (!s->headless) {
		emergency_arm(s);
		enter_modes(s);
	}
	set_size(s, width, height);
	screen_set_theme(s, opt->theme);
	return s;
}

/* curses says goodbye to its file; the terminal gets that, and its modes back. */
static void leave_terminal(struct screen *s)
{
	endwin();
	drain_curses(s);
	if (s->headless)
		return;
	flush_patiently(s);
	emergency.active = 0;
	if (has_terminal(s->tty_fd))
		tcsetattr(s->tty_fd, TCSANOW, &s->saved);
}

void screen_close(struct screen *s)
{
	if (!s)
		return;
	if (!s->suspended)
		leave_terminal(s);
	emergency.active = 0;
	delscreen(s->curses);
	fclose(s->out);
	fclose(s->in);
	if (s->tty_fd >= 0)
		close(s->tty_fd);
	free(s->cells);
	free(s->shown);
	free(s->line);
	buf_free(&s->unsent);
	buf_free(&s->input);
	free(s);
}

void screen_suspend(struct screen *s)
{
	if (s->suspended)
		return;
	leave_terminal(s);
	s->suspended = true;
	s->in_frame = false;
}

/* Also right without a suspend before: after SIGSTOP the shell has put its own modes back. */
void screen_resume(struct screen *s)
{
	if (s->headless) {
		s->suspended = false;
		return;
	}
	if (s->suspended) {
		tcgetattr(s->tty_fd, &s->saved);
		s->suspended = false;
		emergency_arm(s);
	}
	enter_modes(s);
	keypad(stdscr, TRUE);
	curs_set(0);
	screen_check_size(s);
	screen_invalidate(s);
}

const char *screen_notice(const struct screen *s)
{
	return s->notice;
}

/* --- input -------------------------------------------------------------------------------- */

int screen_fd(const struct screen *s)
{
	return s->tty_fd;
}

struct buf *screen_input(struct screen *s)
{
	return &s->input;
}

int screen_read_input(struct screen *s, int wait_ms)
{
	char block[1024];
	ssize_t got;

	if (s->headless)
		return 0;
	if (wait_ms > 0) {
		struct pollfd p = { .fd = s->tty_fd, .events = POLLIN };
		if (poll(&p, 1, wait_ms) <= 0)
			return 0;
	}
	got = read(s->tty_fd, block, sizeof(block));
	if (got > 0) {
		buf_add(&s->input, block, (size_t)got);
		return 1;
	}
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return 0;
	s->gone = true;
	return -1;
}

/* --- dump --------------------------------------------------------------------------------- */

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

const char *screen_curses_version(void)
{
	return curses_version();
}
