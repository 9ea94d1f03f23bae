/* What pane.c and keys.c may do to a screen: put characters into its cells, and read the bytes of
 * its terminal. For tui/ only. */
#ifndef TUI_SCREEN_PRIVATE_H
#define TUI_SCREEN_PRIVATE_H

#include "tui/screen.h"

/* One character of `width` columns (1 or 2) at y, x. Out of the screen: nothing happens. What
 * curses and the locale would not show in that width is drawn as '?'. */
void screen_put(struct screen *s, int y, int x, enum style_role role, uint32_t code, int width);
/* The same character of one column, so many times. */
void screen_put_run(struct screen *s, int y, int x, enum style_role role, uint32_t code, int columns);
/* Hangs a combining mark on the character that covers y, x; one at most, more are dropped. */
void screen_put_mark(struct screen *s, int y, int x, uint32_t code);
uint32_t screen_code_at(const struct screen *s, int y, int x); /* 0: the right half of a wide one */
void screen_set_role(struct screen *s, int y, int x, int columns, enum style_role role);

/* See pane_hot. */
void screen_add_hot(struct screen *s, int y, int x, int height, int width, int kind, uintptr_t id);

/* UTF-8 of a code point, with a NUL; returns its bytes. */
int screen_encode_utf8(uint32_t code, char out[5]);

/* The Linux console: its fonts have lines and full blocks, and 512 glyphs at most. What they lack is
 * drawn as the nearest that they have. */
bool screen_has_few_glyphs(const struct screen *s);

/* Mouse reports are wanted: without, they are swallowed. */
bool screen_has_mouse(const struct screen *s);
/* Bytes read and not yet decoded. */
struct buf *screen_input(struct screen *s);
/* Reads more of them. 1 some came, 0 none, -1 the end. */
int screen_read_input(struct screen *s);
/* What keys.c remembers from call to call. */
struct key_times {
	int64_t last_ms;     /* when the last bytes came */
	int64_t late_esc_ms; /* when an ESC was handed out because nothing followed; 0 not */
	bool pasting;        /* between the marks of a paste */
};
struct key_times *screen_key_times(struct screen *s);

#endif
