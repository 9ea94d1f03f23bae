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

/* What the terminal shows. DIRECT: its colour numbers are #rrggbb. EXACT: it has 256 numbers and
 * understands exact colours too. */
enum color_depth { DEPTH_MONO, DEPTH_8, DEPTH_16, DEPTH_256, DEPTH_EXACT, DEPTH_DIRECT };

#define SCREEN_TITLE_POP "\033[23;2t"
#define SCREEN_PASTE_OFF "\033[?2004l"
#define MESSAGE_BYTES 200

/* A place that a click means something at; see pane_hot. */
struct hot_place { int y, x, height, width, kind; uintptr_t id; };

/* Beside the frame; see screen_set_title. */
struct messages {
	bool understood;           /* the terminal takes OSC and keeps a stack of titles */
	bool title_pushed, title_due, ring, pastes_marked;
	char title[MESSAGE_BYTES];
	enum screen_notify notify;
	char notify_title[MESSAGE_BYTES], notify_text[MESSAGE_BYTES];
};

struct screen {
	struct theme theme;
	struct style styles[STYLE_ROLE_COUNT]; /* as this terminal can show them */
	attr_t attrs[STYLE_ROLE_COUNT];
	short pairs[STYLE_ROLE_COUNT];
	bool ascii, headless, color; /* color: start_color worked */
	bool few_glyphs; /* see screen_has_few_glyphs */
	bool no_color;
	bool default_colors; /* the terminal can go back to its own */
	enum truecolor truecolor;
	enum color_depth depth;
	int32_t exact[256];  /* what goes out for a colour number instead; -1: the number */
	bool recolors;       /* some exact is set */
	bool mouse;
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
	struct key_times key_times;
	uint64_t bytes_total;
	struct messages messages;
	struct hot_place *hots;     /* of this frame; owned */
	size_t hot_count, hot_cap;
	char notice[128];
};

/* screen_cells.c */

void screen_blank_cells(struct cell *cells, size_t count);

/* screen_curses.c */

bool screen_open_curses(struct screen *s, int width, int height, struct buf *err);
void screen_apply_styles(struct screen *s);
bool screen_mouse_on(const struct screen *s); /* asks the terminal for reports; false: it has none */
/* Takes what curses wrote out of its memory file. */
void screen_drain_curses(struct screen *s);

/* screen_colors.c */

enum color_depth screen_find_depth(const struct screen *s);
/* What a terminal of DEPTH_DIRECT calls a colour. */
int screen_direct_color(int16_t number, int32_t rgb);
/* Numbers for the exact colours of the styles; sets exact and recolors. */
void screen_number_colors(struct screen *s);
/* curses' bytes with exact colours in the place of numbers. */
void screen_recolor(const struct screen *s, const char *bytes, size_t len, struct buf *out);

/* screen_messages.c */

void screen_messages_init(struct screen *s);
void screen_messages_add(struct screen *s); /* what is due, to unsent */
void screen_messages_leave(struct screen *s); /* the title from before */
void screen_messages_return(struct screen *s); /* the terminal was taken again */

/* screen_terminal.c */

bool screen_has_alternate(void);
int screen_open_tty(struct termios *saved, struct buf *err);
void screen_enter_modes(struct screen *s);
void screen_leave_modes(const struct screen *s);
void screen_ask_size(const struct screen *s, int *width, int *height);
/* For the last bytes before the terminal is given back: waits, but not for ever. */
void screen_flush_patiently(struct screen *s);
void screen_emergency_arm(const struct screen *s);
void screen_emergency_disarm(void);

#endif
