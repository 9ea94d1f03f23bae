/* Commands, their names and keys. The table of bindings holds what is built in; a keymap is what is
 * in force, after the [keys] of the config file. Help, hints, the `:` line, the config file and the
 * manual take names and keys from here. */
#ifndef VIEWS_KEYMAP_H
#define VIEWS_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum command {
	CMD_NONE,
	CMD_UP, CMD_DOWN, CMD_PAGE_UP, CMD_PAGE_DOWN, CMD_HALF_UP, CMD_HALF_DOWN, CMD_TOP, CMD_BOTTOM,
	CMD_LEFT, CMD_RIGHT,
	CMD_ENTER, CMD_BACK,
	CMD_NEXT_PANE, CMD_PREV_PANE, CMD_ZOOM,
	CMD_FILTER, CMD_FREEZE, CMD_REFRESH, CMD_FASTER, CMD_SLOWER,
	CMD_NEXT_DEPLOYMENT, CMD_PREV_DEPLOYMENT,
	CMD_SCREEN_1, CMD_SCREEN_2, CMD_SCREEN_3, CMD_SCREEN_4, CMD_SCREEN_5, CMD_SCREEN_6,
	CMD_SCREEN_7, CMD_SCREEN_8, CMD_SCREEN_9, CMD_SCREEN_0,
	CMD_SORT_NEXT, CMD_SORT_REVERSE, CMD_THEME, CMD_WRITE, CMD_LINE,
	CMD_FAILOVER, CMD_CKQUORUM, CMD_ACTIONS,
	CMD_PLAY, CMD_NEXT_EVENT, CMD_PREV_EVENT, CMD_NEXT_CRITICAL, CMD_PREV_CRITICAL,
	CMD_FORWARD, CMD_REWIND, CMD_PLAY_FASTER, CMD_PLAY_SLOWER, CMD_BEGIN, CMD_END,
	CMD_HELP, CMD_QUIT, CMD_REDRAW, CMD_SUSPEND,
	CMD_COUNT
};

#define KEYS_A_COMMAND 4

/* Where a command has a meaning: one key may be bound in both. */
enum key_use { KEYS_ALWAYS, KEYS_LIVE, KEYS_REPLAY };

/* name: in the config file and on the `:` line, for ever. label: in the footer, NULL: not there. */
struct key_binding {
	uint32_t keys[KEYS_A_COMMAND]; /* the first is the one in hints */
	enum command command;
	const char *name, *label, *help, *group;
	enum key_use use;
};
extern const struct key_binding key_bindings[];
extern const size_t key_binding_count;
const struct key_binding *key_binding_of(enum command command); /* NULL: no such command */
const struct key_binding *key_binding_named(const char *name, size_t len);
bool key_binding_applies(const struct key_binding *b, bool replay);

struct keymap {
	uint32_t keys[CMD_COUNT][KEYS_A_COMMAND]; /* 0: no more */
	int lines[CMD_COUNT];                     /* of the config file; 0: as built in */
};

const struct keymap *keymap_builtin(void);
enum command keymap_command(const struct keymap *m, uint32_t key, bool replay);
/* "NAME = VALUE" of the config file: VALUE is keys with blanks between them, in the syntax of
 * --keys; none takes the command's keys away. False with the reason in err. */
bool keymap_set(struct keymap *m, const char *name, const char *value, int line, struct buf *err);
/* When all is read: no key twice, and quit and help have one. 0: fine; else the line that is wrong,
 * with "NAME: why" in err. */
int keymap_check(const struct keymap *m, struct buf *err);
/* "name = keys" lines, as keymap_set takes them. missing_screens: bit n: no screen n here; what the
 * file says of one is printed all the same, or its key could be another's. */
void keymap_print(const struct keymap *m, unsigned missing_screens, struct buf *out);
/* A screen of its own that is not there. */
bool key_binding_is_missing(const struct key_binding *b, unsigned missing_screens);
/* "Up, k" */
void keymap_keys_text(const struct keymap *m, enum command command, char *out, size_t size);

#endif
