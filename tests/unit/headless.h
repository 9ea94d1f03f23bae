/* For tests of tui/: a screen without a terminal, in the theme that is built in. */
#ifndef TESTS_HEADLESS_H
#define TESTS_HEADLESS_H

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tui/screen.h"

static inline struct theme *headless_theme(void)
{
	static struct theme theme;
	static bool read;

	if (!read)
		theme_builtin(&theme);
	read = true;
	return &theme;
}

/* False where a test has to be skipped: its characters need UTF-8. */
static inline bool headless_ready(void)
{
	if (setlocale(LC_ALL, "C.UTF-8") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return true;
	fprintf(stderr, "skipped: no C.UTF-8 locale here\n");
	return false;
}

static inline struct screen *open_headless(int width, int height, bool ascii)
{
	struct screen_options opt = { .theme = headless_theme(), .ascii = ascii, .headless = true,
				      .width = width, .height = height };
	struct buf err = BUF_INIT;
	struct screen *s = screen_open(&opt, &err);

	assert_string_equal(buf_str(&err), "");
	assert_non_null(s);
	buf_free(&err);
	return s;
}

static inline void check_dump(struct screen *s, bool color, const char *expected)
{
	struct buf out = BUF_INIT;

	screen_dump(s, &out, color);
	assert_string_equal(buf_str(&out), expected);
	buf_free(&out);
}

#endif
