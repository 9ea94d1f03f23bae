/* What is drawn into panes, headless: text, widths, controls, bars, colours; and what a frame sends. */
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
#include "tui/pane.h"

/* --- drawing ------------------------------------------------------------------------------ */

static void test_text_and_clipping(void **state)
{
	struct screen *s = open_headless(10, 4, false);
	struct pane w = pane_whole(s), p;

	(void)state;
	assert_true(screen_frame_begin(s));
	p = pane_sub(&w, 1, 2, 2, 6);
	assert_int_equal(pane_text(&p, 0, 0, -1, STYLE_OK, "abc"), 3);
	assert_int_equal(pane_text(&p, 0, 3, -1, STYLE_OK, "defgh"), 6);
	assert_int_equal(pane_text(&p, 1, 1, 3, STYLE_DIM, "xyz"), 4);
	assert_int_equal(pane_text(&p, 1, 1, 0, STYLE_DIM, "none"), 1);
	pane_text(&p, 2, 0, -1, STYLE_OK, "below");
	pane_text(&p, -1, 0, -1, STYLE_OK, "above");
	pane_text(&p, 1, 6, -1, STYLE_OK, "right");
	pane_text(&p, 1, -2, -1, STYLE_OK, "abQ"); /* left of the pane but for its end */
	screen_frame_end(s);
	check_dump(s, false, "\n  abcde…\n  Qxyz\n\n");
	assert_int_equal(screen_role_at(s, 1, 2), STYLE_OK);
	assert_int_equal(screen_role_at(s, 2, 3), STYLE_DIM);
	assert_int_equal(screen_role_at(s, 0, 0), STYLE_TEXT);
	screen_close(s);
}

static void test_right_aligned(void **state)
{
	struct screen *s = open_headless(12, 3, false);
	struct pane w = pane_whole(s);

	(void)state;
	assert_true(screen_frame_begin(s));
	pane_text_right(&w, 0, 2, 6, STYLE_TEXT, "1.2");
	pane_text_right(&w, 1, 2, 6, STYLE_TEXT, "日本");
	pane_text_right(&w, 2, 2, 6, STYLE_TEXT, "123456789");
	screen_frame_end(s);
	check_dump(s, false, "     1.2\n    日本\n  12345…\n");
	screen_close(s);
}

static void test_wide_characters(void **state)
{
	struct screen *s = open_headless(6, 6, false);
	struct pane w = pane_whole(s), p = pane_sub(&w, 0, 0, 6, 5);

	(void)state;
	assert_true(screen_frame_begin(s));
	assert_int_equal(pane_text(&p, 0, 0, -1, STYLE_TEXT, "日本語"), 5); /* 4 and the mark */
	pane_text(&p, 1, 0, 4, STYLE_TEXT, "日本語");  /* 日 and the mark: 本 would end too late */
	pane_text(&w, 2, 0, -1, STYLE_TEXT, "日本語"); /* fits exactly */
	pane_text(&p, 3, -1, -1, STYLE_TEXT, "日本");  /* the right half of 日 is a blank */
	pane_text(&w, 4, 0, -1, STYLE_TEXT, "日本語");
	pane_text(&w, 4, 1, 1, STYLE_TEXT, "x");        /* over the right half of 日 */
	pane_text(&w, 4, 4, 1, STYLE_TEXT, "y");        /* over the left half of 語 */
	pane_text(&w, 5, 0, -1, STYLE_TEXT, "abcdef");
	pane_text(&w, 5, 5, -1, STYLE_TEXT, "日");      /* half of it would stick out */
	screen_frame_end(s);
	check_dump(s, false, "日本…\n日…\n日本語\n 本\n x本y\nabcde…\n");
	screen_close(s);
}

static void test_combining_marks(void **state)
{
	struct screen *s = open_headless(8, 2, false);
	struct pane w = pane_whole(s);

	(void)state;
	assert_true(screen_frame_begin(s));
	assert_int_equal(pane_text(&w, 0, 0, -1, STYLE_TEXT, "e\xcc\x81x\xcc\x81\xcc\x82y"), 3);
	pane_text(&w, 1, 0, -1, STYLE_TEXT, "\xcc\x81z"); /* nothing to hang it on */
	screen_frame_end(s);
	check_dump(s, false, "e\xcc\x81x\xcc\x81y\nz\n");
	screen_close(s);
}

static void test_controls_are_not_drawn(void **state)
{
	struct screen *s = open_headless(30, 4, false);
	struct pane w = pane_whole(s);

	(void)state;
	assert_true(screen_frame_begin(s));
	pane_text(&w, 0, 0, -1, STYLE_TEXT, "a\x1b[2Jb\x07\tc\x7f");
	pane_text(&w, 1, 0, -1, STYLE_TEXT, "a\xe2\x80\xae" "b\xc2\x9b" "2J\xe2\x80\x8b");
	pane_text(&w, 2, 0, -1, STYLE_TEXT, "bad \xff\xc3 utf-8");
	pane_textf(&w, 3, 0, -1, STYLE_TEXT, "%s", "x\ry\nz");
	screen_frame_end(s);
	check_dump(s, false, "a?[2Jb??c?\na?b?2J?\nbad \xef\xbf\xbd\xef\xbf\xbd utf-8\nx?y?z\n");
	screen_close(s);
}

static void test_ascii(void **state)
{
	struct screen *s = open_headless(16, 8, true);
	struct pane w = pane_whole(s), p = pane_sub(&w, 0, 0, 3, 14), in;
	const double values[] = { 0, 1, -1, 4, 8 };
	struct buf out = BUF_INIT;

	(void)state;
	assert_true(screen_is_ascii(s));
	assert_true(screen_frame_begin(s));
	in = pane_box(&p, "Lag", true);
	pane_text(&in, 0, 0, -1, STYLE_TEXT, "日é e\xcc\x81 0123456789");
	for (int g = 0; g < GLYPH_COUNT; g++)
		pane_glyph(&w, 3, g, STYLE_TEXT, (enum glyph)g);
	pane_bar(&w, 4, 0, 10, 5, 10);
	pane_bar(&w, 5, 0, 10, 0.001, 10);
	pane_spark(&w, 6, 0, 7, values, 5, 8);
	screen_frame_end(s);
	check_dump(s, false,
		   "+ Lag -------+\n|??? e 01234~|\n+------------+\n*!X?|`|->^v.o=|!\n#####\n#\n  .: =#\n\n");
	screen_dump(s, &out, true);
	for (size_t i = 0; i < out.len; i++)
		assert_in_range((unsigned char)out.data[i], 1, 126);
	buf_free(&out);
	screen_close(s);
}

static void test_bars_and_sparks(void **state)
{
	struct screen *s = open_headless(8, 9, false);
	struct pane w = pane_whole(s);
	const double values[] = { 9, 9, 0, 1, 2, 4, -1, 8 };

	(void)state;
	assert_true(screen_frame_begin(s));
	pane_bar(&w, 0, 0, 4, 2.5, 4);
	pane_bar(&w, 1, 0, 4, 4, 4);
	pane_bar(&w, 2, 0, 4, 1e300, 4);
	pane_bar(&w, 3, 0, 4, 1e-9, 4);
	pane_bar(&w, 4, 0, 4, 0, 4);
	pane_bar(&w, 5, 0, 4, 0.0 / (values[2] + 0.0), 4); /* NaN */
	pane_bar(&w, 6, 6, 40, 8, 0);
	pane_spark(&w, 7, 1, 6, values, 8, 8); /* the newest six */
	pane_spark(&w, 8, 0, 8, values, 0, 8);
	screen_frame_end(s);
	check_dump(s, false, "██▌\n████\n████\n▏\n\n\n\n ▁▂▃▅ █\n\n");
	screen_close(s);
}

static void test_box(void **state)
{
	struct screen *s = open_headless(12, 5, false);
	struct pane w = pane_whole(s), in = { 0 }, tiny;

	(void)state;
	assert_true(screen_frame_begin(s));
	in = pane_box(&w, "A long title", false);
	assert_int_equal(in.width, 10);
	assert_int_equal(in.height, 3);
	pane_text(&in, 0, 0, -1, STYLE_TEXT, "0123456789");
	tiny = pane_sub(&in, 1, 0, 2, 2);
	tiny = pane_box(&tiny, "x", true); /* no room: no frame */
	assert_int_equal(tiny.width, 2);
	screen_frame_end(s);
	check_dump(s, false, "┌ A long… ─┐\n│0123456789│\n│          │\n│          │\n└──────────┘\n");
	screen_close(s);
}

static void test_restyle_and_color_dump(void **state)
{
	struct screen *s = open_headless(8, 3, false);
	struct pane w = pane_whole(s), line = pane_sub(&w, 1, 0, 1, 8);

	(void)state;
	assert_true(screen_frame_begin(s));
	pane_text(&w, 0, 0, -1, STYLE_TEXT, "a ok b");
	pane_restyle(&w, 0, 2, 2, STYLE_OK);
	pane_fill(&line, STYLE_ALERT_CRITICAL);
	pane_text(&line, 0, 0, -1, STYLE_ALERT_CRITICAL, "!");
	pane_restyle(&w, 2, -5, 100, STYLE_STRONG); /* clipped, and blanks: nothing to see */
	pane_restyle(&w, 99, 0, 100, STYLE_STRONG);
	screen_frame_end(s);
	assert_int_equal(screen_role_at(s, 0, 3), STYLE_OK);
	assert_int_equal(screen_role_at(s, 1, 7), STYLE_ALERT_CRITICAL);
	check_dump(s, true, "a \033[0;38;5;34mok\033[0m b\n"
			    "\033[0;1;38;5;231;48;5;160m!       \033[0m\n\n");
	screen_close(s);
}

/* Without colour the attributes must do: a background becomes reverse. */
static void test_matches_are_marked(void **state)
{
	struct screen *s = open_headless(20, 4, false);
	struct pane w = pane_whole(s), in = pane_sub(&w, 0, 1, 4, 10);

	(void)state;
	assert_true(screen_frame_begin(s));
	pane_text(&w, 0, 0, -1, STYLE_TEXT, "a10.0.0.1 10.0.0.12x");
	pane_text(&w, 1, 0, -1, STYLE_OK, "ABCabcABC");
	pane_text(&w, 2, 0, -1, STYLE_TEXT, "\xe6\x97\xa5\xe6\x9c\xac caf\xc3\xa9");
	pane_mark(&in, "10.0");
	pane_mark(&w, "bca");
	pane_mark(&w, "\xe6\x9c\xac");
	pane_mark(&w, "\xc3\xa9");
	pane_mark(&w, "");
	screen_frame_end(s);
	for (int x = 0; x < 20; x++)
		assert_int_equal(screen_role_at(s, 0, x) == STYLE_MATCH, x >= 1 && x < 5); /* the second is cut */
	for (int x = 0; x < 9; x++)
		assert_int_equal(screen_role_at(s, 1, x) == STYLE_MATCH, x >= 1 && x < 7);
	for (int x = 0; x < 10; x++)
		assert_int_equal(screen_role_at(s, 2, x) == STYLE_MATCH, x == 2 || x == 3 || x == 8);
	screen_close(s);
}

static void test_mono(void **state)
{
	struct screen_options opt = {
		.theme = headless_theme(), .no_color = true, .headless = true, .width = 6, .height = 2,
	};
	struct buf err = BUF_INIT;
	struct screen *s = screen_open(&opt, &err);
	struct pane w = pane_whole(s);

	(void)state;
	assert_true(screen_frame_begin(s));
	pane_text(&w, 0, 0, -1, STYLE_CRITICAL, "down");
	pane_text(&w, 1, 0, -1, STYLE_ALERT_CRITICAL, "down");
	screen_frame_end(s);
	check_dump(s, true, "\033[0;1;7mdown\033[0m\n\033[0;1;7mdown\033[0m\n");
	screen_close(s);
	buf_free(&err);
}

/* A theme's own background is everywhere: that is nothing to stand out by. */
static void test_mono_of_a_background(void **state)
{
	static const char *const names[] = { "light", "nord", "colourblind", "default" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct theme own;
		struct screen_options opt = {
			.theme = &own, .no_color = true, .headless = true, .width = 6, .height = 4,
		};
		struct buf err = BUF_INIT;
		assert_true(theme_load(&own, names[i], &err));
		struct screen *s = screen_open(&opt, &err);
		struct pane w = pane_whole(s);
		assert_true(screen_frame_begin(s));
		pane_text(&w, 0, 0, -1, STYLE_OK, "up");
		pane_text(&w, 1, 0, -1, STYLE_TITLE, "Nodes");
		pane_text(&w, 2, 0, -1, STYLE_BADGE, "x");
		pane_text(&w, 3, 0, -1, STYLE_WARNING, "late");
		screen_frame_end(s);
		check_dump(s, true, strcmp(names[i], "light") == 0
			   ? "up\n\033[0;1mNodes\033[0m\n\033[0;7mx\033[0m\nlate\n"
			   : strcmp(names[i], "default") == 0 || strcmp(names[i], "colourblind") == 0
			   ? "up\n\033[0;1mNodes\033[0m\n\033[0;7mx\033[0m\n\033[0;1mlate\033[0m\n"
			   : "up\n\033[0;1mNodes\033[0m\n\033[0;7mx\033[0m\nlate\n");
		screen_close(s);
		buf_free(&err);
	}
}

static void draw_everything(const struct pane *p, int depth)
{
	static const int at[] = { INT32_MIN, -300, -1, 0, 1, 2, 99, 299, INT32_MAX };
	const double values[] = { 1, 2, 3 };
	struct pane in = pane_box(p, "title 日本", depth & 1);

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		for (size_t j = 0; j < sizeof(at) / sizeof(*at); j++) {
			int n = at[(i + j) % (sizeof(at) / sizeof(*at))];
			struct pane sub = pane_sub(p, at[i], at[j], n, n);
			assert_true(sub.width >= 0 && sub.width <= (p->width > 0 ? p->width : 0));
			pane_fill(&sub, STYLE_HEADER);
			pane_text(p, at[i], at[j], n, STYLE_OK, "日a本b語");
			pane_text_right(p, at[i], at[j], n, STYLE_OK, "日a本b語");
			if (at[j] < INT32_MAX)
				pane_glyph(p, at[i], at[j], STYLE_OK, GLYPH_OK);
			pane_restyle(p, at[i], at[j], n, STYLE_MATCH);
			pane_bar(p, at[i], at[j], n, 1, 2);
			pane_spark(p, at[i], at[j], n, values, 3, 2);
		}
	}
	if (depth < 4)
		draw_everything(&in, depth + 1);
}

static void test_any_size(void **state)
{
	static const int sizes[][2] = { { 1, 1 }, { 1, 9 }, { 9, 1 }, { 2, 2 }, { 3, 3 }, { 300, 100 } };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct screen *s = open_headless(sizes[i][0], sizes[i][1], i % 2);
		struct pane w = pane_whole(s), none = pane_sub(&w, 0, 0, 0, 0);
		struct pane negative = { s, 0, 0, -5, -5 };
		struct buf out = BUF_INIT;
		int lines = 0;

		assert_int_equal(screen_width(s), sizes[i][0]);
		assert_int_equal(screen_height(s), sizes[i][1]);
		assert_true(screen_frame_begin(s));
		draw_everything(&w, 0);
		draw_everything(&none, 0);
		draw_everything(&negative, 0);
		screen_frame_end(s);
		screen_dump(s, &out, false);
		for (size_t at = 0; at < out.len; at++)
			lines += out.data[at] == '\n';
		assert_int_equal(lines, sizes[i][1]);
		buf_free(&out);
		screen_close(s);
	}
}

/* --- frames ------------------------------------------------------------------------------- */

static uint64_t frame_bytes(struct screen *s, const char *text)
{
	struct pane w = pane_whole(s);
	uint64_t before = screen_bytes_total(s);

	assert_true(screen_frame_begin(s));
	for (int y = 0; y < w.height - 1; y++)
		pane_textf(&w, y, 0, -1, STYLE_OK, "row %d: a line that never changes", y);
	pane_text(&w, w.height - 1, 0, -1, STYLE_TEXT, text);
	screen_frame_end(s);
	return screen_bytes_total(s) - before;
}

static void test_frames_send_what_changed(void **state)
{
	struct screen *s = open_headless(80, 24, false);
	uint64_t first = frame_bytes(s, "value 1"), same, one, again;

	(void)state;
	same = frame_bytes(s, "value 1");
	one = frame_bytes(s, "value 2");
	screen_invalidate(s);
	again = frame_bytes(s, "value 2");
	assert_true(first > 700);
	assert_int_equal(same, 0);
	assert_in_range(one, 1, 20);
	assert_true(again > 700);
	screen_close(s);
}

static void test_frames_begin_blank(void **state)
{
	struct screen *s = open_headless(10, 1, false);
	struct pane w = pane_whole(s);

	(void)state;
	assert_true(screen_frame_begin(s));
	pane_text(&w, 0, 0, -1, STYLE_OK, "日本語x");
	screen_frame_end(s);
	assert_true(screen_frame_begin(s));
	pane_text(&w, 0, 3, -1, STYLE_TEXT, "b");
	screen_frame_end(s);
	check_dump(s, false, "   b\n");
	assert_int_equal(screen_role_at(s, 0, 0), STYLE_TEXT);
	screen_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_and_clipping),
		cmocka_unit_test(test_right_aligned),
		cmocka_unit_test(test_wide_characters),
		cmocka_unit_test(test_combining_marks),
		cmocka_unit_test(test_controls_are_not_drawn),
		cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_bars_and_sparks),
		cmocka_unit_test(test_box),
		cmocka_unit_test(test_restyle_and_color_dump),
		cmocka_unit_test(test_matches_are_marked),
		cmocka_unit_test(test_mono),
		cmocka_unit_test(test_mono_of_a_background),
		cmocka_unit_test(test_any_size),
		cmocka_unit_test(test_frames_send_what_changed),
		cmocka_unit_test(test_frames_begin_blank),
	};

	if (!headless_ready())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
