/* A screen as its own files see it. The rest of tui/ has screen_private.h. */
#ifndef TUI_SCREEN_STATE_H
#define TUI_SCREEN_STATE_H

#include <curses.h>
#include <stdio.h>
#include <termios.h>

#include "tui/screen.h"
#include "tui/screen_private.h"

struct cell {
	uint32_t code;
	uint32_t mark;  /* combining, or 0 */
	uint16_t role;
	uint16_t width; /* 1, 2, or 0 for the right half of the cell before */
};

/* Rows are compared as bytes: there is no room for any that nobody sets. */
_Static_assert(sizeof(struct cell) == 12, "a cell without padding");

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

/* screen_cells.c */

void screen_blank_cells(struct cell *cells, size_t count);

/* screen_curses.c */

bool screen_open_curses(struct screen *s, int width, int height, struct buf *err);
void screen_apply_styles(struct screen *s);
/* Takes what curses wrote out of its memory file. */
void screen_drain_curses(struct screen *s);

/* screen_terminal.c */

int screen_open_tty(struct termios *saved, struct buf *err);
void screen_enter_modes(struct screen *s);
void screen_leave_modes(const struct screen *s);
void screen_ask_size(const struct screen *s, int *width, int *height);
	struct key_times key_times;
/* For the last bytes before the terminal is given back: waits, but not for ever. */
void screen_flush_patiently(struct screen *s);
void screen_emergency_arm(const struct screen *s);
void screen_emergency_disarm(void);

#endif
