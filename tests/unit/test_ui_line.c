/* The `:` line: editing, completion, history, and what was meant. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/ui_line.h"
#include "tui/keys.h"

static const char *const words[] = { "screen", "slot", "sort", "sort-reverse", "filter", "d\xc3\xa9j\xc3\xa0" };
#define WORDS (sizeof(words) / sizeof(words[0]))

/* The first word is one of those above, the second "one" or "other place". */
static void complete(void *user, const char *text, struct line_candidates *out)
{
	const char *blank = strchr(text, ' ');
	(*(int *)user)++;
	if (blank == NULL) {
		for (size_t i = 0; i < WORDS; i++)
			line_candidates_add(out, words[i], text, strlen(text));
		return;
	}
	out->start = (size_t)(blank + 1 - text);
	line_candidates_add(out, "one", blank + 1, strlen(blank + 1));
	line_candidates_add(out, "other place", blank + 1, strlen(blank + 1));
	line_candidates_add(out, "one", blank + 1, strlen(blank + 1)); /* a double is left out */
}

struct typing { struct line line; int asked; };

static enum line_result type(struct typing *t, const char *text)
{
	uint32_t keys[64];
	size_t count;
	enum line_result result = LINE_IGNORED;
	assert_true(keys_parse(text, keys, 64, &count));
	for (size_t i = 0; i < count; i++)
		result = line_key(&t->line, keys[i], complete, &t->asked);
	return result;
}

static void shows(struct typing *t, const char *keys, const char *text)
{
	type(t, keys);
	assert_string_equal(t->line.prompt.text, text);
	assert_int_equal(t->line.prompt.len, strlen(text));
}

static struct typing *open_line(void)
{
	struct typing *t = calloc(1, sizeof(*t));
	line_open(&t->line);
	return t;
}

static void close_line(struct typing *t)
{
	line_done(&t->line);
	free(t);
}

static void test_completion(void **state)
{
	struct typing *t = open_line();
	(void)state;
	shows(t, "fi<Tab>", "filter");
	assert_int_equal(line_height(&t->line), 1); /* one only: nothing to choose */
	shows(t, "<C-u>s<Tab>", "s");
	assert_int_equal(t->line.candidates.count, 4);
	assert_int_equal(line_height(&t->line), 2);
	shows(t, "<Tab>", "screen");
	shows(t, "<Tab><Tab>", "sort");
	shows(t, "<Tab>", "sort-reverse");
	shows(t, "<Tab>", "screen"); /* around */
	shows(t, "<S-Tab>", "sort-reverse");
	shows(t, "x", "sort-reversex"); /* any other key goes on from there */
	assert_int_equal(line_height(&t->line), 1);
	shows(t, "<C-u>so<Tab>", "sort"); /* as far as all agree */
	shows(t, "<C-u>S<Tab><Tab>", "screen"); /* either case */
	shows(t, "<C-u>x<Tab>", "x");
	assert_int_equal(t->line.candidates.count, 0);
	shows(t, "<Tab>", "x");
	shows(t, "<C-u>d<Tab>", "d\xc3\xa9j\xc3\xa0");
	close_line(t);
}

static void test_arguments(void **state)
{
	struct typing *t = open_line();
	(void)state;
	shows(t, "screen o<Tab>", "screen o");
	assert_int_equal(t->line.candidates.count, 2);
	shows(t, "<Tab>", "screen one");
	shows(t, "<Tab>", "screen other place");
	shows(t, "<C-u>screen ot<Tab>", "screen other place");
	/* In the middle: what stands behind the cursor stays. */
	shows(t, "<C-u>so end<Home><Right><Right><Tab>", "sort end");
	shows(t, "<Tab>", "sort end");
	shows(t, "<Tab>!", "sort-reverse! end");
	close_line(t);
}

static void test_long_line(void **state)
{
	struct typing *t = open_line();
	(void)state;
	for (int i = 0; i < PROMPT_BYTES + 20; i++)
		type(t, "a");
	assert_int_equal(t->line.prompt.len, PROMPT_BYTES - 1);
	shows(t, "<Home>s<Tab><Tab><Tab>", t->line.prompt.text); /* no room: nothing happens */
	assert_int_equal(strlen(t->line.prompt.text), PROMPT_BYTES - 1);
	close_line(t);
}

static void test_history(void **state)
{
	struct typing *t = open_line();
	char text[32];
	(void)state;
	assert_int_equal(type(t, "<Up>"), LINE_IGNORED);
	assert_int_equal(type(t, "one<Enter>"), LINE_RUN);
	assert_string_equal(t->line.prompt.text, "one");
	line_open(&t->line);
	type(t, "two<Enter>");
	line_open(&t->line);
	type(t, "two<Enter>"); /* again: kept once */
	line_open(&t->line);
	type(t, "  <Enter>"); /* nothing: not kept */
	line_open(&t->line);
	shows(t, "new", "new");
	shows(t, "<Up>", "two");
	shows(t, "<C-p>", "one");
	shows(t, "<Up>", "one");
	shows(t, "<Down>", "two");
	shows(t, "<C-n>", "new"); /* what was being typed is still there */
	assert_int_equal(type(t, "<Down>"), LINE_IGNORED);
	shows(t, "<Up>s", "twos");
	assert_int_equal(type(t, "<Enter>"), LINE_RUN);
	for (int i = 0; i < LINE_HISTORY + 5; i++) {
		line_open(&t->line);
		snprintf(text, sizeof(text), "n%d<Enter>", i);
		type(t, text);
	}
	assert_int_equal(t->line.history_count, LINE_HISTORY);
	assert_string_equal(t->line.history[0], "n5");
	close_line(t);
}

static void test_leaving(void **state)
{
	struct typing *t = open_line();
	(void)state;
	assert_int_equal(type(t, "abc<Esc>"), LINE_LEFT);
	assert_int_equal(t->line.history_count, 0);
	line_open(&t->line);
	assert_int_equal(type(t, "a<BS>"), LINE_EDITED);
	assert_int_equal(type(t, "<BS>"), LINE_LEFT); /* nothing left to take back */
	close_line(t);
}

static void test_what_was_meant(void **state)
{
	(void)state;
	assert_string_equal(line_suggest("screan", words, WORDS), "screen");
	assert_string_equal(line_suggest("scren", words, WORDS), "screen");
	assert_string_equal(line_suggest("fitler", words, WORDS), "filter");
	assert_string_equal(line_suggest("osrt", words, WORDS), "sort");
	assert_null(line_suggest("elephant", words, WORDS));
	assert_null(line_suggest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", words, WORDS));
	assert_null(line_suggest("sort", words, 0));
}

static char *drawn(struct typing *t, int height, int width)
{
	struct theme theme;
	theme_builtin(&theme);
	struct screen_options o = { .theme = &theme, .headless = true, .width = width, .height = height };
	struct buf out = BUF_INIT, err = BUF_INIT;
	struct screen *s = screen_open(&o, &err);
	assert_non_null(s);
	assert_true(screen_frame_begin(s));
	struct pane p = pane_whole(s);
	line_draw(&t->line, &p);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	screen_close(s);
	buf_free(&err);
	return out.data;
}

static void test_drawing(void **state)
{
	struct typing *t = open_line();
	char *text;
	(void)state;
	type(t, "s<Tab>");
	text = drawn(t, 2, 60);
	assert_string_equal(text, " screen  slot  sort  sort-reverse\n:s\n");
	free(text);
	type(t, "<S-Tab>");
	text = drawn(t, 2, 20); /* the chosen one is in sight */
	assert_non_null(strstr(text, "sort-reverse"));
	free(text);
	for (int width = 1; width < 40; width++)
		for (int height = 1; height < 4; height++)
			free(drawn(t, height, width));
	type(t, "<C-u>x<Tab>");
	text = drawn(t, 2, 60);
	assert_string_equal(text, " nothing begins like this\n:x\n");
	free(text);
	close_line(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_completion), cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_long_line),  cmocka_unit_test(test_history),
		cmocka_unit_test(test_leaving),	   cmocka_unit_test(test_what_was_meant),
		cmocka_unit_test(test_drawing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
