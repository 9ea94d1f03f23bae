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
 * Since curses sees no terminal, what it would do to one is done here: modes, size, signals.
 *
 * Here: frames and the life of a screen. Cells are in screen_cells.c, what curses is told about the
 * terminal in screen_curses.c, exact colours in screen_colors.c, title and bell in screen_messages.c,
 * the terminal itself in screen_terminal.c. */
#include "config.h"
#include "tui/screen_state.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/mem.h"

/* A terminal may claim 65535 x 65535: that many cells are neither readable nor affordable. */
#define MAX_WIDTH  1000
#define MAX_HEIGHT 500

void screen_set_theme(struct screen *s, const struct theme *t)
{
	struct style text = s->styles[STYLE_TEXT];
	bool recolored = s->recolors;

	s->theme = *t;
	screen_apply_styles(s);
	s->all_stale = true;
	/* curses sees which pairs changed and draws their cells anew. It does not see exact colours that
	 * go by the same number; and a new background is everywhere. */
	if (recolored || s->recolors || text.bg != s->styles[STYLE_TEXT].bg)
		screen_invalidate(s);
}

void screen_invalidate(struct screen *s)
{
	s->repaint = true;
}

/* --- size ----------------------------------------------------------------------------- */

static int clamp(int value, int max)
{
	return value < 1 ? 1 : value > max ? max : value;
}

static void ask_size_clamped(const struct screen *s, int *width, int *height)
{
	screen_ask_size(s, width, height);
	*width = clamp(*width, MAX_WIDTH);
	*height = clamp(*height, MAX_HEIGHT);
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
	screen_blank_cells(s->cells, count);
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

bool screen_has_mouse(const struct screen *s)
{
	return s->mouse;
}

bool screen_is_ascii(const struct screen *s)
{
	return s->ascii;
}

bool screen_has_few_glyphs(const struct screen *s)
{
	return s->few_glyphs;
}

bool screen_check_size(struct screen *s)
{
	int width, height;

	if (s->headless)
		return false;
	ask_size_clamped(s, &width, &height);
	if (width == s->width && height == s->height)
		return false;
	set_size(s, width, height);
	return true;
}

/* --- frames --------------------------------------------------------------------------- */

bool screen_frame_begin(struct screen *s)
{
	if (s->unsent.len || s->suspended || s->gone)
		return false;
	screen_blank_cells(s->cells, (size_t)s->width * (size_t)s->height);
	s->hot_count = 0;
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
	if (s->repaint)
		clearok(curscr, TRUE);
	s->repaint = false;
	if (changed) {
		wmove(stdscr, s->height - 1, s->width - 1); /* where a cursor that can't be hidden stands */
		wnoutrefresh(stdscr);
		doupdate();
		screen_drain_curses(s);
	}
	screen_messages_add(s);
}

size_t screen_unsent(const struct screen *s)
{
	return s->unsent.len;
}

uint64_t screen_bytes_total(const struct screen *s)
{
	return s->bytes_total;
}

/* --- life ----------------------------------------------------------------------------- */

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

/* Also over ssh, where its font can't be asked for. */
static bool is_linux_console(void)
{
	const char *term = getenv("TERM");

	return term && (strcmp(term, "linux") == 0 || strncmp(term, "linux-", 6) == 0);
}

struct screen *screen_open(const struct screen_options *opt, struct buf *err)
{
	struct screen *s = mem_alloc(sizeof(*s));
	int width = clamp(opt->width, MAX_WIDTH), height = clamp(opt->height, MAX_HEIGHT);

	s->headless = opt->headless;
	s->no_color = opt->no_color;
	s->truecolor = opt->truecolor;
	s->mouse = opt->mouse;
	s->ascii = opt->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	s->few_glyphs = !s->headless && !s->ascii && is_linux_console();
	s->tty_fd = -1;
	if (!s->headless) {
		s->tty_fd = screen_open_tty(&s->saved, err);
		if (s->tty_fd < 0)
			return open_failed(s);
	}
	if (!s->headless)
		ask_size_clamped(s, &width, &height);
	if (!screen_open_curses(s, width, height, err))
		return open_failed(s);
	screen_messages_init(s);
	if (!s->headless) {
		screen_emergency_arm(s);
		screen_enter_modes(s);
	}
	set_size(s, width, height);
	screen_set_theme(s, opt->theme);
	return s;
}

/* GNU screen has no alternate screen unless it is told to, whatever terminfo says of it: the prompt
 * comes on the last line then, behind nothing of ours. */
static void blank_last_line(struct screen *s)
{
	wmove(stdscr, s->height - 1, 0);
	wclrtoeol(stdscr);
	wnoutrefresh(stdscr);
	doupdate();
}

/* curses says goodbye to its file; the terminal gets that, and its modes back. */
static void leave_terminal(struct screen *s)
{
	/* Before the alternate screen goes: xterm's rmcup takes another title from the stack. */
	screen_messages_leave(s);
	if (!s->headless && screen_has_alternate())
		blank_last_line(s);
	endwin();
	screen_drain_curses(s);
	if (s->headless)
		return;
	/* Without an alternate screen the last frame stays: the prompt goes below it. */
	if (!screen_has_alternate())
		buf_addstr(&s->unsent, "\r\n");
	screen_flush_patiently(s);
	screen_leave_modes(s);
}

void screen_close(struct screen *s)
{
	if (!s)
		return;
	if (!s->suspended)
		leave_terminal(s);
	screen_emergency_disarm();
	delscreen(s->curses);
	fclose(s->out);
	fclose(s->in);
	if (s->tty_fd >= 0)
		close(s->tty_fd);
	free(s->cells);
	free(s->shown);
	free(s->line);
	free(s->hots);
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
		screen_emergency_arm(s);
	}
	screen_enter_modes(s);
	keypad(stdscr, TRUE);
	curs_set(0);
	if (s->mouse)
		screen_mouse_on(s);
	screen_messages_return(s);
	screen_check_size(s);
	screen_invalidate(s);
}

const char *screen_notice(const struct screen *s)
{
	return s->notice;
}
