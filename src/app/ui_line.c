#include "config.h"

#include "app/ui_line.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "tui/keys.h"

void line_candidates_add(struct line_candidates *c, const char *word, const char *typed, size_t len)
{
	if (c->count == LINE_CANDIDATES_MAX || word[0] == '\0' || strlen(word) >= LINE_WORD_BYTES)
		return;
	if (strncasecmp(word, typed, len) != 0)
		return;
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->words[i], word) == 0)
			return;
	memcpy(c->words[c->count++], word, strlen(word) + 1);
}

static void set_text(struct prompt *p, const char *text, size_t len)
{
	if (len >= sizeof(p->text))
		return;
	memmove(p->text, text, len);
	p->text[len] = '\0';
	p->len = p->cursor = (int)len;
}

void line_open(struct line *l)
{
	prompt_clear(&l->prompt);
	l->at = l->history_count;
	l->completing = false;
}

void line_done(struct line *l)
{
	for (size_t i = 0; i < l->history_count; i++)
		free(l->history[i]);
	l->history_count = 0;
}

/* --- history ----------------------------------------------------------------------------------- */

static void remember(struct line *l)
{
	const char *text = l->prompt.text;
	if (text[strspn(text, " ")] == '\0')
		return;
	if (l->history_count > 0 && strcmp(l->history[l->history_count - 1], text) == 0)
		return;
	if (l->history_count == LINE_HISTORY) {
		free(l->history[0]);
		memmove(l->history, l->history + 1, (LINE_HISTORY - 1) * sizeof(l->history[0]));
		l->history_count--;
	}
	l->history[l->history_count++] = mem_strdup(text);
}

static enum line_result recall(struct line *l, int step)
{
	size_t at = step < 0 && l->at > 0 ? l->at - 1 : step > 0 && l->at < l->history_count ? l->at + 1 : l->at;
	if (at == l->at)
		return LINE_IGNORED;
	if (l->at == l->history_count)
		memcpy(l->kept, l->prompt.text, sizeof(l->kept));
	l->at = at;
	const char *text = at < l->history_count ? l->history[at] : l->kept;
	set_text(&l->prompt, text, strlen(text));
	return LINE_EDITED;
}

/* --- completion -------------------------------------------------------------------------------- */

/* Bytes that all candidates begin with. */
static size_t common_length(const struct line_candidates *c)
{
	size_t len = c->count > 0 ? strlen(c->words[0]) : 0;
	for (size_t i = 1; i < c->count; i++) {
		size_t k = 0;
		while (k < len && c->words[i][k] == c->words[0][k])
			k++;
		len = k;
	}
	while (len > 0 && ((unsigned char)c->words[0][len] & 0xc0) == 0x80)
		len--; /* between characters */
	return len;
}

/* The word that begins at `start` gives way; what stands behind the cursor stays. */
static void put_word(struct line *l, const char *word, size_t len)
{
	struct prompt *p = &l->prompt;
	size_t start = l->candidates.start, rest = (size_t)(p->len - p->cursor);
	if (start + len + rest >= sizeof(p->text))
		return;
	memmove(p->text + start + len, p->text + p->cursor, rest + 1);
	memcpy(p->text + start, word, len);
	p->cursor = (int)(start + len);
	p->len = p->cursor + (int)rest;
}

static void start_completing(struct line *l, line_complete *complete, void *user)
{
	char before[PROMPT_BYTES];
	memcpy(before, l->prompt.text, (size_t)l->prompt.cursor);
	before[l->prompt.cursor] = '\0';
	l->candidates.start = l->candidates.count = 0;
	complete(user, before, &l->candidates);
	l->completing = true;
	l->chosen = l->candidates.count;
}

static enum line_result complete_key(struct line *l, int step, line_complete *complete, void *user)
{
	struct line_candidates *c = &l->candidates;
	if (!l->completing) {
		start_completing(l, complete, user);
		size_t typed = (size_t)l->prompt.cursor - c->start, common = common_length(c);
		if (c->count == 1)
			l->completing = false; /* nothing to choose */
		if (c->count == 1 || common > typed)
			put_word(l, c->words[0], common);
		return LINE_EDITED;
	}
	if (c->count == 0)
		return LINE_IGNORED;
	if (l->chosen == c->count)
		l->chosen = step > 0 ? 0 : c->count - 1;
	else
		l->chosen = (l->chosen + c->count + (size_t)(step + (int)c->count)) % c->count;
	put_word(l, c->words[l->chosen], strlen(c->words[l->chosen]));
	return LINE_EDITED;
}

enum line_result line_key(struct line *l, uint32_t key, line_complete *complete, void *user)
{
	switch (key) {
	case KEYC_TAB:
		return complete_key(l, 1, complete, user);
	case KEYC_SHIFT_TAB:
		return complete_key(l, -1, complete, user);
	default:
		break;
	}
	l->completing = false;
	switch (key) {
	case KEYC_ESC:
	case KEYC_CTRL | 'g':
		return LINE_LEFT;
	case KEYC_ENTER:
		remember(l);
		return LINE_RUN;
	case KEYC_UP:
	case KEYC_CTRL | 'p':
		return recall(l, -1);
	case KEYC_DOWN:
	case KEYC_CTRL | 'n':
		return recall(l, 1);
	case KEYC_BACKSPACE:
		if (l->prompt.len == 0)
			return LINE_LEFT;
		break;
	default:
		break;
	}
	return prompt_key(&l->prompt, key) ? LINE_EDITED : LINE_IGNORED;
}

/* --- drawing ----------------------------------------------------------------------------------- */

int line_height(const struct line *l)
{
	return l->completing ? 2 : 1;
}

/* The first candidate to draw: the one that is chosen is in sight. */
static size_t first_shown(const struct line *l, int columns)
{
	const struct line_candidates *c = &l->candidates;
	size_t first = 0;
	int used = 0;
	for (size_t i = 0; i <= l->chosen && i < c->count; i++) {
		int width = text_width(c->words[i]) + 2;
		if (used + width > columns && i > first) {
			first = i;
			used = 0;
		}
		used += width;
	}
	return l->chosen < c->count ? first : 0;
}

static void draw_candidates(const struct line *l, const struct pane *p)
{
	const struct line_candidates *c = &l->candidates;
	int room = p->width - 4, x = 1;
	pane_fill(p, STYLE_KEY_LABEL);
	if (c->count == 0)
		pane_text(p, 0, 1, -1, STYLE_DIM, "nothing begins like this");
	for (size_t i = first_shown(l, room); i < c->count; i++) {
		if (x > 1 && x + text_width(c->words[i]) > room) {
			pane_glyph(p, 0, x, STYLE_DIM, GLYPH_ARROW);
			return;
		}
		x = pane_text(p, 0, x, room, i == l->chosen ? STYLE_SELECTED : STYLE_KEY_LABEL, c->words[i]) + 2;
	}
}

void line_draw(const struct line *l, const struct pane *p)
{
	struct pane above = pane_sub(p, 0, 0, p->height - 1, p->width);
	struct pane foot = pane_sub(p, p->height - 1, 0, 1, p->width);
	if (above.height > 0 && l->completing)
		draw_candidates(l, &above);
	prompt_draw(&l->prompt, &foot, 0, 0, ":");
}

/* --- what was meant ---------------------------------------------------------------------------- */

#define WORD_MAX 32

/* Letters to add, drop, change or swap with their neighbour to make one out of the other. */
static int distance(const char *a, const char *b)
{
	int rows[3][WORD_MAX + 1], n = (int)strlen(a), m = (int)strlen(b);
	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (int j = 0; j <= m; j++)
		rows[0][j] = j;
	for (int i = 1; i <= n; i++) {
		int *now = rows[i % 3], *before = rows[(i + 2) % 3], *two = rows[(i + 1) % 3];
		now[0] = i;
		for (int j = 1; j <= m; j++) {
			int cost = before[j - 1] + (a[i - 1] != b[j - 1]);
			if (before[j] + 1 < cost)
				cost = before[j] + 1;
			if (now[j - 1] + 1 < cost)
				cost = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && two[j - 2] + 1 < cost)
				cost = two[j - 2] + 1;
			now[j] = cost;
		}
	}
	return rows[n % 3][m];
}

const char *line_suggest(const char *word, const char *const *words, size_t count)
{
	const char *best = NULL;
	int least = (int)strlen(word) / 3 + 1; /* more slips than this: another word was meant */
	for (size_t i = 0; i < count; i++) {
		int slips = distance(word, words[i]);
		if (slips > least || (best != NULL && slips == least))
			continue;
		least = slips;
		best = words[i];
	}
	return best;
}
