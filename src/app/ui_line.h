/* The `:` command line: editing, completion and history. What the words mean is in
 * ui_line_commands.c; nothing here knows the screen's controller. */
#ifndef APP_UI_LINE_H
#define APP_UI_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/pane.h"
#include "tui/prompt.h"

#define LINE_HISTORY        100
#define LINE_CANDIDATES_MAX 128
#define LINE_WORD_BYTES     PROMPT_BYTES

/* What a word that begins as typed could be. start: where in the line that word begins. */
struct line_candidates {
	size_t start, count;
	char words[LINE_CANDIDATES_MAX][LINE_WORD_BYTES];
};
/* Adds it if it begins with the first `len` bytes of `typed`; doubles, what is empty and what is too
 * long are left out. */
void line_candidates_add(struct line_candidates *c, const char *word, const char *typed, size_t len);

struct line {
	struct prompt prompt;
	char *history[LINE_HISTORY]; /* owned, the oldest first */
	size_t history_count;
	size_t at;                   /* in the history; history_count: the new line */
	char kept[PROMPT_BYTES];     /* the new line, while one of the history is shown */
	bool completing;
	size_t chosen;               /* candidate in the line; candidates.count: none yet */
	struct line_candidates candidates;
};

enum line_result { LINE_EDITED, LINE_RUN, LINE_LEFT, LINE_IGNORED };
/* Fills the candidates for the text before the cursor. */
typedef void line_complete(void *user, const char *text, struct line_candidates *out);

void line_open(struct line *l); /* an empty line; the history stays */
void line_done(struct line *l);
/* LINE_RUN: the text is in the prompt, and in the history. */
enum line_result line_key(struct line *l, uint32_t key, line_complete *complete, void *user);
/* The line in the last row of p, the candidates above it. */
void line_draw(const struct line *l, const struct pane *p);
int line_height(const struct line *l);

/* Of the words that do exist, the one that was meant, or NULL: the fewest slips of the fingers. */
const char *line_suggest(const char *word, const char *const *words, size_t count);

#endif
