/* Roles, styles and themes. Views name roles; only this module knows colours.
 *
 * A theme is an INI file (themes/NAME.theme): one line a role, "role = FG [BG] [ATTR...]", FG and
 * BG a name (default black red green yellow blue magenta cyan white, bright-*), 0-255 or #rrggbb,
 * ATTR of bold dim underline reverse italic. Sections [256], [16] and [8] say what terminals with
 * so many colours show instead; where they are silent the nearest is taken. All themes of the
 * themes folder are compiled in. A file of the user's is read over the default theme. */
#ifndef TUI_THEME_H
#define TUI_THEME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define STYLE_ROLES(X)                                                                             \
	X(STYLE_TEXT, "text") X(STYLE_DIM, "dim") X(STYLE_STRONG, "strong")                           \
	X(STYLE_HEADER, "header") X(STYLE_HEADER_STRONG, "header-strong") X(STYLE_BADGE, "badge")    \
	X(STYLE_TAB, "tab") X(STYLE_TAB_ACTIVE, "tab-active")                                        \
	X(STYLE_BORDER, "border") X(STYLE_BORDER_FOCUS, "border-focus") X(STYLE_TITLE, "title")       \
	X(STYLE_KEY, "key") X(STYLE_KEY_LABEL, "key-label")                                          \
	X(STYLE_SELECTED, "selected") X(STYLE_MATCH, "match")                                        \
	X(STYLE_OK, "ok") X(STYLE_WARNING, "warning") X(STYLE_CRITICAL, "critical")                   \
	X(STYLE_UNKNOWN_STATE, "unknown") X(STYLE_STALE, "stale") X(STYLE_NOTICE, "notice")           \
	X(STYLE_ALERT_WARNING, "alert-warning") X(STYLE_ALERT_CRITICAL, "alert-critical")            \
	X(STYLE_MASTER_NODE, "master") X(STYLE_REPLICA_NODE, "replica")                              \
	X(STYLE_SENTINEL_NODE, "sentinel")                                                          \
	X(STYLE_BAR, "bar") X(STYLE_BAR_BACK, "bar-back") X(STYLE_SPARK, "spark")                     \
	X(STYLE_OWNER_1, "owner-1") X(STYLE_OWNER_2, "owner-2") X(STYLE_OWNER_3, "owner-3")           \
	X(STYLE_OWNER_4, "owner-4") X(STYLE_OWNER_5, "owner-5") X(STYLE_OWNER_6, "owner-6")           \
	X(STYLE_OWNER_7, "owner-7") X(STYLE_OWNER_8, "owner-8")                                      \
	X(STYLE_DIALOG, "dialog") X(STYLE_DIALOG_BORDER, "dialog-border") X(STYLE_INPUT, "input")

enum style_role {
#define X(id, name) id,
	STYLE_ROLES(X)
#undef X
	STYLE_ROLE_COUNT
};

/* -1: the terminal's own / none. The numbers are of the 256, 16 or 8 colours. */
struct style { int16_t fg, bg; uint16_t attrs; int32_t fg_rgb, bg_rgb; };
enum style_attr { ATTR_BOLD = 1, ATTR_DIM = 2, ATTR_UNDERLINE = 4, ATTR_REVERSE = 8, ATTR_ITALIC = 16 };

#define THEME_NAME_BYTES 32
struct theme {
	char name[THEME_NAME_BYTES];
	struct style full[STYLE_ROLE_COUNT];    /* 256 colours, and the exact ones where known */
	struct style sixteen[STYLE_ROLE_COUNT]; /* 0 to 15 */
	struct style eight[STYLE_ROLE_COUNT];   /* 0 to 7, bright ones as bold */
};

/* Loads NAME or a path with a '/' in it: a file of the user's first, then what is compiled in, then
 * the installed folder. False with "file:line: what" in err. */
bool theme_load(struct theme *t, const char *name_or_path, struct buf *err);
void theme_builtin(struct theme *t); /* "default" */
/* Names that theme_load knows: compiled in first, then files by name. Returns how many there are;
 * those beyond max are left out. */
size_t theme_names(char names[][THEME_NAME_BYTES], size_t max);

/* All themes that have a name, and those that were added, read once at the start: the disk of a home
 * folder may hang later, and the screen must not. A file that is changed meanwhile is read again at
 * the next start. */
struct theme_library;
struct theme_library *theme_library_read(void);
void theme_library_add(struct theme_library *l, const char *name_or_path);
void theme_library_free(struct theme_library *l);
/* The named ones, as theme_names has them. */
size_t theme_library_count(const struct theme_library *l);
const char *theme_library_name(const struct theme_library *l, size_t index);
/* As theme_load, without the disk. */
bool theme_library_get(const struct theme_library *l, const char *name, struct theme *out,
		       struct buf *err);

const char *style_role_name(enum style_role r);
/* #rrggbb of one of the 256 colours, as xterm has them. */
int32_t theme_rgb_of_256(int color);

#endif
