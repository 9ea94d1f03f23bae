/* What goes to the terminal beside curses' bytes, and what comes from its mouse. */
#include "config.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tui/screen_state.h" /* curses first: it has a key_name too */

#include "tui/keys.h"
#include "tui/pane.h"

static struct screen *open_headless(bool mouse, bool ascii)
{
	static struct theme theme;
	struct buf err = BUF_INIT;
	struct screen_options opt = { .theme = &theme, .headless = true, .width = 20, .height = 5,
				      .mouse = mouse, .ascii = ascii };
	struct screen *s;

	theme_builtin(&theme);
	s = screen_open(&opt, &err);
	if (!s)
		fail_msg("%s", buf_str(&err));
	buf_free(&err);
	return s;
}

/* --- exact colours ------------------------------------------------------------------------- */

static void check_recolored(const struct screen *s, const char *in, const char *expected)
{
	struct buf out = BUF_INIT;

	screen_recolor(s, in, strlen(in), &out);
	assert_string_equal(buf_str(&out), expected);
	buf_free(&out);
}

static void test_recolor(void **state)
{
	struct screen *s = open_headless(false, false);

	(void)state;
	s->exact[17] = 0x2e3440;
	s->exact[250] = 0x000001;
	check_recolored(s, "", "");
	check_recolored(s, "plain", "plain");
	check_recolored(s, "a\033[38;5;17mb", "a\033[38;2;46;52;64mb");
	check_recolored(s, "\033[48;5;250m\033[38;5;17m", "\033[48;2;0;0;1m\033[38;2;46;52;64m");
	/* a number of the palette, other sequences, and what is cut off stay as they are */
	check_recolored(s, "\033[38;5;18m", "\033[38;5;18m");
	check_recolored(s, "\033[38;5;17", "\033[38;5;17");
	check_recolored(s, "\033[38;5;m\033[38;5;1717m\033[39m", "\033[38;5;m\033[38;5;1717m\033[39m");
	check_recolored(s, "\033[38;5;999m\033[1m\033", "\033[38;5;999m\033[1m\033");
	screen_close(s);
}

static void test_numbers_of_exact_colors(void **state)
{
	struct screen *s = open_headless(false, false);
	int fixed = 0;

	(void)state;
	s->depth = DEPTH_EXACT;
	for (int i = 0; i < STYLE_ROLE_COUNT; i++) {
		s->styles[i] = (struct style){ 34, -1, 0, i < 30 ? 0x005f00 + i : -1, -1 };
		fixed += i >= 30;
	}
	assert_int_not_equal(fixed, 0);
	screen_number_colors(s);
	assert_true(s->recolors);
	assert_int_equal(s->exact[34], -1); /* somebody means that very number */
	for (int i = 0; i < 30; i++) {
		assert_int_equal(s->exact[s->styles[i].fg], 0x005f00 + i);
		assert_in_range(s->styles[i].fg, 16, 255);
	}
	/* few colours need no numbers */
	s->depth = DEPTH_256;
	screen_number_colors(s);
	assert_false(s->recolors);
	screen_close(s);
}

static void test_direct_color(void **state)
{
	(void)state;
	assert_int_equal(screen_direct_color(3, -1), 3);
	assert_int_equal(screen_direct_color(196, -1), 0xff0000);
	assert_int_equal(screen_direct_color(16, 0x123456), 0x123456);
	assert_int_equal(screen_direct_color(16, 0), 0);
	assert_true(screen_direct_color(16, 0x0000ff) > 0xffff); /* 255 is a number of the palette */
}

/* --- title, bell, notification ------------------------------------------------------------- */

static void check_sent(struct screen *s, const char *expected)
{
	screen_messages_add(s);
	assert_string_equal(buf_str(&s->unsent), expected);
	buf_reset(&s->unsent);
}

static void test_title(void **state)
{
	struct screen *s = open_headless(false, false);

	(void)state;
	screen_set_title(s, "not understood");
	check_sent(s, "");
	s->messages.understood = true;
	screen_set_title(s, "one");
	check_sent(s, "\033[22;2t\033]2;one\a");
	screen_set_title(s, "one");
	check_sent(s, "");
	screen_set_title(s, "two");
	screen_set_title(s, "three");
	check_sent(s, "\033]2;three\a");
	screen_messages_leave(s);
	assert_string_equal(buf_str(&s->unsent), SCREEN_TITLE_POP);
	buf_reset(&s->unsent);
	/* taken again: as at the start */
	screen_messages_return(s);
	check_sent(s, "\033[22;2t\033]2;three\a");
	screen_emergency_disarm();
	screen_close(s);
}

static void test_titles_are_clean(void **state)
{
	struct screen *s = open_headless(false, false);
	char endless[4000];

	(void)state;
	s->messages.understood = s->messages.title_pushed = true;
	screen_set_title(s, "a\a\033]0;b\033\\\x9c\x80");
	screen_messages_add(s);
	for (size_t i = 4; i + 1 < s->unsent.len; i++)
		assert_in_range(s->unsent.data[i], 0x20, 0x7e);
	buf_reset(&s->unsent);
	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	screen_set_title(s, endless);
	screen_messages_add(s);
	assert_in_range(s->unsent.len, 10, MESSAGE_BYTES + 10);
	buf_reset(&s->unsent);
	s->ascii = true;
	screen_set_title(s, "caf\xc3\xa9");
	check_sent(s, "\033]2;caf?\a");
	screen_close(s);
}

static void test_notify(void **state)
{
	struct screen *s = open_headless(false, false);

	(void)state;
	screen_notify(s, SCREEN_NOTIFY_OSC9, "redoubt", "down");
	check_sent(s, "");
	s->messages.understood = true;
	screen_notify(s, SCREEN_NOTIFY_NONE, "redoubt", "down");
	check_sent(s, "");
	screen_notify(s, SCREEN_NOTIFY_OSC9, "redoubt", "down");
	check_sent(s, "\033]9;redoubt: down\a");
	screen_notify(s, SCREEN_NOTIFY_OSC777, "red;oubt", "down; so");
	check_sent(s, "\033]777;notify;red,oubt;down; so\a");
	check_sent(s, "");
	screen_close(s);
}

/* --- the mouse ----------------------------------------------------------------------------- */

static int read_bytes(struct screen *s, const char *bytes, uint32_t *keys)
{
	buf_add(screen_input(s), bytes, strlen(bytes));
	return keys_read(s, keys, 8);
}

static void check_mouse(struct screen *s, const char *bytes, enum mouse_kind kind, int y, int x)
{
	struct mouse mouse;
	uint32_t keys[8];

	assert_int_equal(read_bytes(s, bytes, keys), 1);
	assert_true(key_is_mouse(keys[0], &mouse));
	assert_int_equal(mouse.kind, kind);
	assert_int_equal(mouse.y, y);
	assert_int_equal(mouse.x, x);
}

static void test_mouse(void **state)
{
	static const char *const nothing[] = {
		"\033[<0;10;5m",  "\033[M#*%",         /* let go */
		"\033[<32;10;5M", "\033[M@*%",         /* moved */
		"\033[<1;10;5M",  "\033[<2;10;5M",     /* other buttons */
		"\033[<0;0;5M",   "\033[<0;99999;5M",  "\033[<0;5M", "\033[<0;1;2;3M", "\033[<;;M",
		"\033[<-1;1;1M",
	};
	struct screen *s = open_headless(true, false), *other;
	uint32_t keys[8];

	(void)state;
	check_mouse(s, "\033[<0;10;5M", MOUSE_CLICK, 4, 9);
	check_mouse(s, "\033[<64;1;1M", MOUSE_WHEEL_UP, 0, 0);
	check_mouse(s, "\033[<65;200;60M", MOUSE_WHEEL_DOWN, 59, 199);
	check_mouse(s, "\033[<4;10;5M", MOUSE_CLICK, 4, 9); /* with Shift */
	check_mouse(s, "\033[M *%", MOUSE_CLICK, 4, 9);
	check_mouse(s, "\033[M`*%", MOUSE_WHEEL_UP, 4, 9);
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		assert_int_equal(read_bytes(s, nothing[i], keys), 0);
	/* what follows is not swallowed */
	assert_int_equal(read_bytes(s, "\033[M *%q", keys), 2);
	assert_int_equal(keys[1], 'q');
	screen_close(s);
	other = open_headless(false, false);
	/* not asked for: the three bytes are no keys all the same */
	assert_int_equal(read_bytes(other, "\033[Mq*%", keys), 0);
	assert_int_equal(read_bytes(other, "\033[<0;10;5Mj", keys), 1);
	assert_int_equal(keys[0], 'j');
	screen_close(other);
}

static void test_hot_places(void **state)
{
	struct screen *s = open_headless(true, false);
	struct pane whole = pane_whole(s), below = pane_sub(&whole, 2, 5, 2, 10);

	(void)state;
	assert_true(screen_frame_begin(s));
	pane_hot(&whole, HOT_TAB, 1);
	pane_hot(&below, HOT_LIST, 2);
	screen_frame_end(s);
	assert_int_equal(screen_hot_at(s, 0, 0).id, 1);
	assert_int_equal(screen_hot_at(s, 3, 14).id, 2);
	assert_int_equal(screen_hot_at(s, 3, 14).row, 1);
	assert_int_equal(screen_hot_at(s, 3, 15).id, 1);
	assert_int_equal(screen_hot_at(s, 400, 400).kind, HOT_NONE);
	/* of this frame only */
	assert_true(screen_frame_begin(s));
	screen_frame_end(s);
	assert_int_equal(screen_hot_at(s, 0, 0).kind, HOT_NONE);
	screen_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recolor),
		cmocka_unit_test(test_numbers_of_exact_colors),
		cmocka_unit_test(test_direct_color),
		cmocka_unit_test(test_title),
		cmocka_unit_test(test_titles_are_clean),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_mouse),
		cmocka_unit_test(test_hot_places),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
