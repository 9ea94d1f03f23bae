/* The screen: curses' life cycle, with the terminal kept at arm's length.
 *
 * curses writes its output into memory; the loop forwards it to a non-blocking terminal of our
 * own, and draws no new frame while the last one is unsent. So a terminal that does not read
 * cannot stop the loop. Headless screens (size given, no terminal) take the same way and are read
 * back cell by cell.
 *
 * Life: screen_open -> { screen_frame_begin, drawing, screen_frame_end, screen_flush }* ->
 * screen_close. One screen a process (curses has one anyway). */
#ifndef TUI_SCREEN_H
#define TUI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tui/theme.h"

/* Exact colours where the theme has them. By default terminfo's word alone counts (RGB, Tc or 2^24
 * colours): COLORTERM is not forwarded by ssh and not everybody who sets it means it. */
enum truecolor {
	TRUECOLOR_TERMINFO,
	TRUECOLOR_AUTO, /* terminfo's word, or COLORTERM's */
	TRUECOLOR_YES,  /* wherever there are 256 colours */
	TRUECOLOR_NO,
};

struct screen_options {
	const struct theme *theme;
	bool ascii;      /* no glyph outside ASCII; also chosen when the locale is not UTF-8 */
	bool no_color;   /* attributes only */
	enum truecolor truecolor;
	bool mouse;      /* the wheel and clicks come as keys */
	bool headless;   /* no terminal: width and height below */
	int width, height;
};

struct screen;

/* NULL with a reason in err: not a terminal, no usable terminal description. Falls back to
 * xterm-256color, then vt100, when TERM is unknown here; screen_notice then says so. */
struct screen *screen_open(const struct screen_options *opt, struct buf *err);
/* Restores the terminal: every mode, the alternate screen, the cursor, the title. NULL is legal. */
void screen_close(struct screen *s);
/* "ncurses 6.4.20221231" */
const char *screen_curses_version(void);
const char *screen_notice(const struct screen *s); /* "" or what was fallen back to */

int screen_width(const struct screen *s);
int screen_height(const struct screen *s);
bool screen_is_ascii(const struct screen *s);
void screen_set_theme(struct screen *s, const struct theme *t);

/* The terminal's descriptor, non-blocking and ours alone: watch it for reading (keys) and, while
 * screen_unsent, for writing. -1 when headless. */
int screen_fd(const struct screen *s);
/* Asks the terminal for its size; true when it changed. Everything is redrawn at the next frame. */
bool screen_check_size(struct screen *s);
void screen_invalidate(struct screen *s); /* full repaint at the next frame */

/* A frame. begin is false (and nothing may be drawn) while the last frame is unsent. */
bool screen_frame_begin(struct screen *s);
void screen_frame_end(struct screen *s);   /* curses' diff goes into the buffer */
/* Forwards what the terminal takes. 1 all sent, 0 some left, -1 the terminal is gone. */
int screen_flush(struct screen *s);
size_t screen_unsent(const struct screen *s);
uint64_t screen_bytes_total(const struct screen *s);

/* Ctrl-Z: gives the terminal back / takes it again. */
void screen_suspend(struct screen *s);
void screen_resume(struct screen *s);

/* What is said beside the frame; it leaves with the next one, through the same buffer, so a terminal
 * that does not read gets the last word and not all of them. Control bytes are left out. */

/* The window's title, where the terminal is known to keep a stack of them: the one from before comes
 * back when the terminal is left, whichever way. */
void screen_set_title(struct screen *s, const char *title);
enum screen_notify { SCREEN_NOTIFY_NONE, SCREEN_NOTIFY_OSC9, SCREEN_NOTIFY_OSC777 };
void screen_notify(struct screen *s, enum screen_notify how, const char *title, const char *text);
void screen_ring(struct screen *s); /* the bell, once a frame */

/* Async-signal-safe: writes the prepared leave sequence and restores termios. For handlers of
 * fatal signals, which must then re-raise. */
void screen_emergency_restore(void);

/* Headless or not: the frame as text, one line a row, trailing blanks cut; with color as ANSI. */
void screen_dump(const struct screen *s, struct buf *out, bool color);
/* Role of a cell (for tests). */
enum style_role screen_role_at(const struct screen *s, int y, int x);

#endif
