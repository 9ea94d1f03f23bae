/* Themes: the built-in one, files over it, and what is said about mistakes in them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tui/theme.h"

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/redoubt-theme-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* Loads text as a theme file; prefix gets its path and a colon, which errors begin with. */
static bool load_text(struct theme *t, const char *text, struct buf *err, char *prefix, size_t size)
{
	char path[128];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/night.theme", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	ok = theme_load(t, path, err);
	unlink(path);
	snprintf(prefix, size, "%s:", path);
	return ok;
}

static void check_error(const char *text, const char *expected)
{
	struct theme t;
	struct buf err = BUF_INIT;
	char prefix[160];

	assert_false(load_text(&t, text, &err, prefix, sizeof(prefix)));
	assert_int_equal(strncmp(buf_str(&err), prefix, strlen(prefix)), 0);
	assert_string_equal(buf_str(&err) + strlen(prefix), expected);
	buf_free(&err);
}

static void test_errors_name_the_line(void **state)
{
	(void)state;
	check_error("ok = green\nokay = green\n", "2: unknown role 'okay'");
	check_error("; a comment\n\nok = gren\n", "3: unknown colour or attribute 'gren'");
	check_error("ok = green blue blink\n", "1: unknown attribute 'blink'");
	check_error("ok = 256\n", "1: unknown colour or attribute '256'");
	check_error("ok = -1\n", "1: unknown colour or attribute '-1'");
	check_error("ok = #12345g\n", "1: unknown colour or attribute '#12345g'");
	check_error("ok = bold\n", "1: no colour in 'bold'");
	check_error("[17]\nok = green\n", "2: unknown section '17'");
	check_error("ok = green\nwarning = red\nok = blue\n", "3: a second line for 'ok'");
	check_error("[8]\nok = green\n[16]\nok = red\n[8]\nok = red\n", "6: a second line for 'ok'");
	check_error("ok = green\n   warning\n", "2: not 'role = colours' nor '[section]'");
	check_error("ok = \x1b[2J\n", "1: unknown colour or attribute '\\x1b[2J'");
}

static void test_first_error_is_reported(void **state)
{
	(void)state;
	check_error("nonsense\nokay = green\n", "1: not 'role = colours' nor '[section]'");
	check_error("okay = green\nnonsense\n", "1: unknown role 'okay'");
}

static void test_long_line(void **state)
{
	struct theme t;
	struct buf err = BUF_INIT;
	char text[2048], prefix[160];

	(void)state;
	snprintf(text, sizeof(text), "ok = green\n; %01000d\nwarning = yellow\n", 0);
	assert_false(load_text(&t, text, &err, prefix, sizeof(prefix)));
	assert_non_null(strstr(buf_str(&err), ":2: line too long"));
	buf_free(&err);
}

static void test_builtin(void **state)
{
	struct theme t;

	(void)state;
	theme_builtin(&t);
	assert_string_equal(t.name, "default");
	assert_int_equal(t.full[STYLE_TEXT].fg, -1);
	assert_int_equal(t.full[STYLE_TEXT].bg, -1);
	assert_int_equal(t.full[STYLE_ALERT_CRITICAL].fg, 231);
	assert_int_equal(t.full[STYLE_ALERT_CRITICAL].bg, 160);
	assert_int_equal(t.full[STYLE_ALERT_CRITICAL].attrs, ATTR_BOLD);
	assert_int_equal(t.sixteen[STYLE_ALERT_CRITICAL].bg, 1);
	for (int i = 0; i < STYLE_ROLE_COUNT; i++) {
		assert_in_range(t.full[i].fg + 1, 0, 256);
		assert_in_range(t.sixteen[i].fg + 1, 0, 16);
		assert_in_range(t.eight[i].fg + 1, 0, 8);
		assert_in_range(t.eight[i].bg + 1, 0, 8);
	}
}

static void test_file_over_builtin(void **state)
{
	struct theme t;
	struct buf err = BUF_INIT;
	char prefix[160];

	(void)state;
	assert_true(load_text(&t,
			      "text = white 235\n"
			      "ok = #00ff00 bold underline ; comment\r\n"
			      "\tcritical = bright-red default reverse\n"
			      "owner-1 = 33\n"
			      "[8]\n"
			      "warning = red",
			      &err, prefix, sizeof(prefix)));
	assert_string_equal(buf_str(&err), "");
	assert_string_equal(t.name, "night");
	assert_int_equal(t.full[STYLE_OK].fg, 46);
	assert_int_equal(t.full[STYLE_OK].fg_rgb, 0x00ff00);
	assert_int_equal(t.full[STYLE_OK].attrs, ATTR_BOLD | ATTR_UNDERLINE);
	assert_int_equal(t.full[STYLE_OK].bg, 235); /* text's, since the line names none */
	assert_int_equal(t.full[STYLE_DIM].bg, 235);
	assert_int_equal(t.full[STYLE_CRITICAL].bg, -1);
	assert_int_equal(t.full[STYLE_CRITICAL].fg, 9);
	assert_int_equal(t.sixteen[STYLE_OK].fg, 10);
	assert_int_equal(t.eight[STYLE_OK].fg, 2);
	assert_int_equal(t.eight[STYLE_OK].attrs, ATTR_BOLD | ATTR_UNDERLINE);
	assert_int_equal(t.sixteen[STYLE_WARNING].fg, 1);
	/* a plain line counts for more than the built-in [8] */
	assert_int_equal(t.sixteen[STYLE_CRITICAL].attrs, ATTR_REVERSE);
	assert_in_range(t.sixteen[STYLE_OWNER_1].fg, 0, 15);
	buf_free(&err);
}

/* Each depth from its own section, else from the next one that speaks, else the nearest. */
static void test_sections(void **state)
{
	struct theme t;
	struct buf err = BUF_INIT;
	char prefix[160];

	(void)state;
	assert_true(load_text(&t,
			      "text = #eceff4 #2e3440\n"
			      "ok = #a3be8c\nwarning = #ebcb8b\ncritical = #bf616a\nnotice = #88c0d0\n"
			      "dim = #4c566a\nbadge = #2e3440 #ebcb8b\nmaster = #5e81ac\n"
			      "[256]\nok = 71\n[16]\nwarning = bright-yellow\n[8]\nwarning = white\n",
			      &err, prefix, sizeof(prefix)));
	assert_int_equal(t.full[STYLE_OK].fg, 71);
	assert_int_equal(t.full[STYLE_OK].fg_rgb, 0xa3be8c);
	assert_int_equal(t.sixteen[STYLE_WARNING].fg, 11);
	assert_int_equal(t.eight[STYLE_WARNING].fg, 7);
	/* soft colours keep their hue */
	assert_int_equal(t.sixteen[STYLE_CRITICAL].fg, 1);
	assert_int_equal(t.sixteen[STYLE_NOTICE].fg, 6);
	assert_int_equal(t.sixteen[STYLE_MASTER_NODE].fg, 4);
	/* a background of its own is black or white, and ink is seen on it */
	assert_int_equal(t.eight[STYLE_TEXT].bg, 0);
	assert_int_equal(t.eight[STYLE_TEXT].fg, 7);
	assert_int_equal(t.eight[STYLE_DIM].fg, 7);
	assert_int_equal(t.eight[STYLE_BADGE].bg, 3);
	assert_int_equal(t.eight[STYLE_BADGE].fg, 0);
	buf_free(&err);
}

static void test_all_compiled_in(void **state)
{
	static const char *const expected[] = { "default", "light", "mono", "colourblind", "nord",
						"solarized-dark", "gruvbox" };
	char names[16][THEME_NAME_BYTES];
	struct buf err = BUF_INIT;

	(void)state;
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	assert_in_range(theme_names(names, 16), 7, 16);
	assert_int_equal(theme_names(names, 2) >= 7, 1);
	for (int i = 0; i < 7; i++) {
		struct theme t;
		theme_names(names, 16);
		assert_string_equal(names[i], expected[i]);
		assert_true(theme_load(&t, names[i], &err));
		assert_string_equal(t.name, expected[i]);
	}
	buf_free(&err);
}

static void test_not_found(void **state)
{
	struct theme t;
	struct buf err = BUF_INIT;

	(void)state;
	setenv("XDG_CONFIG_HOME", folder, 1);
	assert_false(theme_load(&t, "nosuch", &err));
	assert_non_null(strstr(buf_str(&err), "theme 'nosuch' not found"));
	assert_non_null(strstr(buf_str(&err), folder));
	buf_reset(&err);
	assert_false(theme_load(&t, "/nonexistent/x.theme", &err));
	assert_string_equal(buf_str(&err), "/nonexistent/x.theme: No such file or directory");
	buf_reset(&err);
	assert_false(theme_load(&t, "/tmp/", &err));
	assert_int_not_equal(err.len, 0);
	buf_reset(&err);
	assert_true(theme_load(&t, "default", &err));
	buf_free(&err);
}

static void test_found_by_name(void **state)
{
	struct theme t;
	struct buf err = BUF_INIT;
	char path[200], names[16][THEME_NAME_BYTES];
	size_t count;
	FILE *f;

	(void)state;
	setenv("XDG_CONFIG_HOME", folder, 1);
	snprintf(path, sizeof(path), "%s/redoubt", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/themes");
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/mine.theme");
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("ok = 123\n", f);
	fclose(f);
	assert_true(theme_load(&t, "mine", &err));
	assert_string_equal(t.name, "mine");
	assert_int_equal(t.full[STYLE_OK].fg, 123);
	count = theme_names(names, 16);
	while (count > 0 && strcmp(names[count - 1], "mine") != 0)
		count--;
	assert_int_not_equal(count, 0);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	buf_free(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_name_the_line),
		cmocka_unit_test(test_first_error_is_reported),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_builtin),
		cmocka_unit_test(test_file_over_builtin),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_all_compiled_in),
		cmocka_unit_test(test_not_found),
		cmocka_unit_test(test_found_by_name),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
