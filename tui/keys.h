/* From the terminal's bytes to keys, and from keys to commands by table. */
#ifndef TUI_KEYS_H
#define TUI_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/screen.h"

/* A key: a Unicode code point, or one of these, or a letter with KEY_CTRL. */
enum key_code {
	KEYC_NONE = 0, KEYC_TAB = 9, KEYC_ENTER = 13, KEYC_ESC = 27, KEYC_SPACE = 32,
	KEYC_BACKSPACE = 127,
	KEYC_UP = 0x110000, KEYC_DOWN, KEYC_LEFT, KEYC_RIGHT, KEYC_PAGE_UP, KEYC_PAGE_DOWN,
	KEYC_HOME, KEYC_END, KEYC_DELETE, KEYC_SHIFT_TAB, KEYC_F1, KEYC_F12 = KEYC_F1 + 11,
	KEYC_CTRL = 0x200000, /* KEYC_CTRL | 'l' */
};

/* A mouse report is a key as well: this bit, kind, row and column. */
#define KEYC_MOUSE 0x40000000u
enum mouse_kind { MOUSE_CLICK = 1, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };
struct mouse { enum mouse_kind kind; int y, x; };
bool key_is_mouse(uint32_t key, struct mouse *out);

/* Text out of a paste has this bit: it is for prompts, and no command. Nothing else of a paste comes,
 * no Enter either. */
#define KEYC_PASTED 0x20000000u

/* Reads what the terminal has and decodes it (through curses' own tables). Never waits: a lone ESC
 * may be the beginning of a sequence, and is handed out by a call after keys_wait_ms. Returns the
 * number of keys put into out; -1 at end of file or error. Call until less than max. */
int keys_read(struct screen *s, uint32_t *out, int max);
/* When to call keys_read again though nothing new comes: ms, -1 never. */
int keys_wait_ms(struct screen *s);
/* Decodes a --keys text: plain characters, and names in <>: <Tab> <Enter> <Esc> <Up> <PgDn> <C-l>
 * <F1> <Space> <lt>. False when a name is unknown. */
bool keys_parse(const char *text, uint32_t *out, size_t max, size_t *count);
/* "Tab", "j", "Ctrl-L": out holds 16 bytes; returns out. The symbol is another one since curses
 * exports a key_name of its own. */
#define key_name keys_name
char *key_name(uint32_t key, char out[16]);
/* As keys_parse takes it: "<Tab>", "j", "<C-l>". */
char *keys_spell(uint32_t key, char out[16]);
/* The key of a control byte: Ctrl-I is Tab. */
uint32_t keys_of_control(unsigned char c);

#endif
