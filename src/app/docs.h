/* What redoubt-docs makes from the tables: the man page, and completions for three shells. */
#ifndef APP_DOCS_H
#define APP_DOCS_H

#include <stddef.h>

#include "app/options.h"
#include "base/buf.h"

/* What the shell offers for a word of an option's value. */
enum docs_value {
	DOCS_ANY,    /* nothing is known of it: a number, a name */
	DOCS_WORD,   /* itself */
	DOCS_FILE,
	DOCS_FOLDER,
	DOCS_THEME,  /* names of themes */
};

/* The words of "text|json" or "THEME|FILE", one a call; rest goes on and is NULL behind the last. */
enum docs_value docs_next_word(const char **rest, const char **word, size_t *len);

/* The whole completion for one shell; false when the shell is unknown. themes: names of the themes
 * that come along, with blanks between them. */
bool docs_completion(const char *shell, const char *themes, struct buf *out);

#endif
