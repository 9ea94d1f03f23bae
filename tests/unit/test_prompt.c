/* Keys as text, and the line that they are typed into. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "headless.h"
#include "tui/keys.h"
#include "tui/prompt.h"

/* --- keys and prompt ---------------------------------------------------------------------- */

static void test_keys_parse(void **state)
{
	static const uint32_t expected[] = {
		'j', 0xe9, '<', KEYC_TAB, KEYC_ENTER, KEYC_ESC, KEYC_UP, KEYC_PAGE_DOWN,
		KEYC_CTRL | 'l', KEYC_F1, ' ', KEYC_TAB, '>',
	};
	static const char *const bad[] = { "<Nope>", "<", "<C-1>", "<C-l", "<>", "\x1b", "\xff" };
	uint32_t keys[32];
	size_t count;
	char name[16];

	(void)state;
	assert_true(keys_parse("jé<lt><Tab><Enter><Esc><Up><PgDn><C-l><F1><Space><C-i>>", keys, 32, &count));
	assert_int_equal(count, sizeof(expected) / sizeof(*expected));
	assert_memory_equal(keys, expected, sizeof(expected));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(keys_parse(bad[i], keys, 32, &count));
	assert_false(keys_parse("abc", keys, 2, &count));
	assert_true(keys_parse("", keys, 0, &count));
	assert_int_equal(count, 0);

	assert_string_equal(key_name('j', name), "j");
	assert_string_equal(key_name(0x65e5, name), "日");
	assert_string_equal(key_name(KEYC_TAB, name), "Tab");
	assert_string_equal(key_name(KEYC_CTRL | 'l', name), "Ctrl-L");
	assert_string_equal(key_name(KEYC_SHIFT_TAB, name), "Shift-Tab");
	assert_string_equal(key_name(KEYC_CTRL | ' ', name), "Ctrl-Space");
	assert_string_equal(key_name(0x9b, name), "?");
}

static void type(struct prompt *p, const char *keys)
{
	uint32_t codes[256];
	size_t count;

	assert_true(keys_parse(keys, codes, 256, &count));
	for (size_t i = 0; i < count; i++)
		assert_true(prompt_key(p, codes[i]));
}

static void test_prompt_editing(void **state)
{
	struct prompt p;

	(void)state;
	prompt_clear(&p);
	type(&p, "añ日z<Left><Left><BS>");
	assert_string_equal(p.text, "a日z");
	type(&p, "€<Right><Del>");
	assert_string_equal(p.text, "a€日");
	type(&p, "<Home><Del><Left><BS>X<End>!");
	assert_string_equal(p.text, "X€日!");
	type(&p, "<C-u>one two  <C-w>");
	assert_string_equal(p.text, "one ");
	type(&p, "<C-w><C-w>");
	assert_string_equal(p.text, "");
	assert_int_equal(p.len, 0);
	assert_false(prompt_key(&p, KEYC_ENTER));
	assert_false(prompt_key(&p, KEYC_ESC));
	assert_false(prompt_key(&p, KEYC_CTRL | 'l'));
	assert_false(prompt_key(&p, 0x202e));
	for (int i = 0; i < 2 * PROMPT_BYTES; i++)
		assert_true(prompt_key(&p, 0x65e5)); /* full: taken, and dropped */
	assert_int_equal(p.len, (PROMPT_BYTES - 1) / 3 * 3);
	assert_int_equal(strlen(p.text), p.len);
}

static void test_prompt_keeps_cursor_in_sight(void **state)
{
	struct screen *s = open_headless(12, 1, false);
	struct pane w = pane_whole(s);
	struct prompt p;

	(void)state;
	prompt_clear(&p);
	type(&p, "0123456789abc");
	assert_true(screen_frame_begin(s));
	prompt_draw(&p, &w, 0, 0, "/ ");
	screen_frame_end(s);
	check_dump(s, false, "/ 456789abc\n");
	assert_int_equal(screen_role_at(s, 0, 11), STYLE_SELECTED);
	type(&p, "<Home>");
	assert_true(screen_frame_begin(s));
	prompt_draw(&p, &w, 0, 0, "/ ");
	screen_frame_end(s);
	check_dump(s, false, "/ 012345678…\n");
	assert_int_equal(screen_role_at(s, 0, 2), STYLE_SELECTED);
	screen_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_parse),
		cmocka_unit_test(test_prompt_editing),
		cmocka_unit_test(test_prompt_keeps_cursor_in_sight),
	};

	if (!headless_ready())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
