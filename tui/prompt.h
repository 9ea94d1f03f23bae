/* A line being typed: UTF-8, bounded, with a cursor. */
#ifndef TUI_PROMPT_H
#define TUI_PROMPT_H

#include <stdbool.h>

#include "tui/pane.h"

#define PROMPT_BYTES 160
struct prompt {
	char text[PROMPT_BYTES];
	int len, cursor; /* bytes */
	bool unseen; /* typed since its owner cleared this: at a frame that showed it */
};

void prompt_clear(struct prompt *p);
/* Feeds a key: printable characters, those of a paste as well, arrows, Home, End, Backspace, Delete, Ctrl-U, Ctrl-W.
 * True when the key was taken. Enter and Esc are the caller's. */
bool prompt_key(struct prompt *p, uint32_t key);
void prompt_draw(const struct prompt *p, const struct pane *pane, int y, int x, const char *label);

#endif
