/* Between the parser of themes and the finder of their files. */
#ifndef TUI_THEME_PRIVATE_H
#define TUI_THEME_PRIVATE_H

#include "tui/theme.h"

/* tui/theme_builtin.c: made from the themes folder, "default" first; NULL ends them. */
extern const char *const theme_builtin_names[];
extern const char *const theme_builtin_texts[];

/* False when none of the name is compiled in. */
bool theme_compiled_in(struct theme *t, const char *name);
/* Over the default theme. False with "place:line: what" in err; t is then as far as it came. */
bool theme_parse(struct theme *t, const char *name, const char *text, const char *place,
		 struct buf *err);

#endif
