/* The screen, headless and on a pty: what is drawn, what is sent, and what is given back. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tui/graph.h"
#include "tui/keys.h"
#include "tui/list.h"
#include "tui/pane.h"
#include "tui/prompt.h"
#include "tui/screen.h"

static struct theme theme;

static struct screen *open_headless(int width, int height, bool ascii)
{
	struct screen_options opt = {
		.theme = &theme, .ascii = ascii, .headless = true, .width = width, .height = height,
	};
	struct buf err = BUF_INIT;
	struct screen *s = screen_open(&opt, &err);

	assert_string_equal(buf_str(&err), "");
	assert_non_null(s);
	buf_free(&err);
	return s;
}

static void check_dump(struct screen *s, bool color, const char *expected)
{
	struct buf out = BUF_INIT;

	screen_dump(s, &out, color);
	assert_string_equal(buf_str(&out), expected);
	buf_free(&out);
}

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
		.theme = &theme, .no_color = true, .headless = true, .width = 6, .height = 2,
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

/* --- lists -------------------------------------------------------------------------------- */

static void fill(struct list *l, const uint64_t *ids, size_t count)
{
	list_begin(l);
	for (size_t i = 0; i < count; i++)
		list_add(l, ids[i]);
	list_end(l);
}

static void test_list_selection_stays(void **state)
{
	struct list l;

	(void)state;
	list_init(&l, false);
	fill(&l, NULL, 0);
	assert_int_equal(l.selected_id, 0);
	assert_false(list_move(&l, LIST_DOWN));
	fill(&l, (const uint64_t[]){ 10, 20, 30, 40 }, 4);
	assert_int_equal(l.selected_id, 10);
	assert_true(list_select_id(&l, 30));
	assert_false(list_select_id(&l, 31));
	fill(&l, (const uint64_t[]){ 40, 30, 5, 20, 10 }, 5);
	assert_int_equal(l.selected_id, 30);
	assert_int_equal(l.selected, 1);
	fill(&l, (const uint64_t[]){ 40, 5, 20 }, 3); /* gone: the row in its place */
	assert_int_equal(l.selected_id, 5);
	assert_true(list_move(&l, LIST_BOTTOM));
	fill(&l, (const uint64_t[]){ 40 }, 1);
	assert_int_equal(l.selected_id, 40);
	fill(&l, NULL, 0);
	assert_int_equal(l.selected_id, 0);
	fill(&l, (const uint64_t[]){ 7, 8 }, 2);
	assert_int_equal(l.selected_id, 7);
	list_done(&l);
}

/* The rows are sorted anew, others come and go above and below: the selection and its line on the
 * screen are those of the row. */
static void test_list_selection_stays_on_screen(void **state)
{
	struct list l;
	size_t line;

	(void)state;
	list_init(&l, false);
	fill(&l, (const uint64_t[]){ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 10);
	list_layout(&l, 4);
	assert_true(list_select_id(&l, 6));
	line = l.selected - list_layout(&l, 4);
	fill(&l, (const uint64_t[]){ 20, 21, 22, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 13); /* above */
	assert_int_equal(l.selected_id, 6);
	assert_int_equal(l.selected - list_layout(&l, 4), line);
	fill(&l, (const uint64_t[]){ 4, 5, 6, 7, 8, 9, 10 }, 7); /* and gone */
	assert_int_equal(l.selected_id, 6);
	fill(&l, (const uint64_t[]){ 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 }, 10); /* the other way round */
	assert_int_equal(l.selected_id, 6);
	assert_int_equal(l.selected, 4);
	assert_in_range(l.selected - list_layout(&l, 4), 0, 3);
	list_done(&l);
}

static void test_list_half_pages(void **state)
{
	uint64_t ids[30];
	struct list l;

	(void)state;
	for (size_t i = 0; i < 30; i++)
		ids[i] = i + 1;
	list_init(&l, false);
	fill(&l, ids, 30);
	list_layout(&l, 10);
	assert_true(list_move(&l, LIST_HALF_DOWN));
	assert_int_equal(l.selected, 5);
	assert_true(list_move(&l, LIST_HALF_DOWN));
	assert_true(list_move(&l, LIST_HALF_UP));
	assert_true(list_move(&l, LIST_HALF_UP));
	assert_false(list_move(&l, LIST_HALF_UP));
	list_layout(&l, 1); /* never nowhere */
	assert_true(list_move(&l, LIST_HALF_DOWN));
	assert_int_equal(l.selected, 1);
	list_done(&l);
}

static void test_list_scrolls(void **state)
{
	uint64_t ids[100];
	struct list l;
	size_t line;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		ids[i] = i + 1;
	list_init(&l, false);
	fill(&l, ids, 50);
	assert_int_equal(list_layout(&l, 10), 0);
	assert_true(list_move(&l, LIST_PAGE_DOWN));
	assert_int_equal(l.selected, 9);
	assert_true(list_move(&l, LIST_PAGE_DOWN));
	assert_int_equal(list_layout(&l, 10), 9);
	assert_true(list_move(&l, LIST_BOTTOM));
	assert_false(list_move(&l, LIST_DOWN));
	assert_int_equal(list_layout(&l, 10), 40);
	assert_int_equal(list_layout(&l, 200), 0); /* room for all: nothing is left out */
	assert_int_equal(list_layout(&l, 10), 40);
	assert_true(list_select_id(&l, 45));
	line = l.selected - list_layout(&l, 10);
	fill(&l, ids + 20, 80); /* the oldest are gone: the selected row keeps its line */
	assert_int_equal(l.selected_id, 45);
	assert_int_equal(l.selected - list_layout(&l, 10), line);
	assert_true(list_move(&l, LIST_TOP));
	assert_int_equal(list_layout(&l, 10), 0);
	assert_int_equal(list_layout(&l, 0), 0);
	assert_int_equal(list_layout(&l, -1), 0);
	list_done(&l);
}

static void test_list_follows_its_tail(void **state)
{
	const uint64_t ids[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct list l;

	(void)state;
	list_init(&l, true);
	fill(&l, ids, 3);
	assert_int_equal(l.selected_id, 3);
	fill(&l, ids, 5);
	assert_int_equal(l.selected_id, 5);
	assert_true(list_move(&l, LIST_UP));
	fill(&l, ids, 7);
	assert_int_equal(l.selected_id, 4); /* scrolled away */
	assert_true(list_move(&l, LIST_BOTTOM));
	fill(&l, ids, 8);
	assert_int_equal(l.selected_id, 8); /* and back */
	list_done(&l);
}

static void test_list_marks(void **state)
{
	struct screen *s = open_headless(4, 3, false);
	struct pane w = pane_whole(s);
	struct list l;

	(void)state;
	list_init(&l, false);
	fill(&l, (const uint64_t[]){ 1, 2, 3, 4, 5 }, 5);
	list_layout(&l, 3);
	assert_true(screen_frame_begin(s));
	list_draw_marks(&l, &w);
	check_dump(s, false, "\n\n   ▼\n");
	list_select_id(&l, 4);
	list_layout(&l, 3);
	list_draw_marks(&l, &w);
	check_dump(s, false, "   ▲\n\n   ▼\n");
	screen_frame_end(s);
	list_done(&l);
	screen_close(s);
}

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

/* --- on a pty ----------------------------------------------------------------------------- */

/* A child with the pty as its controlling terminal does `part`; the test is at the other end. */
struct pty {
	int master;
	int report; /* what the child has to say, read end */
	pid_t pid;
	struct termios before;
	struct buf output; /* what the terminal got */
};

static int report_fd; /* in the child */

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			dprintf(report_fd, "line %d: %s\n", __LINE__, #condition);                 \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static void set_window(int fd, int width, int height)
{
	struct winsize size = { .ws_row = (unsigned short)height, .ws_col = (unsigned short)width };

	ioctl(fd, TIOCSWINSZ, &size);
}

static void child_main(const char *slave, const char *term, void (*part)(void))
{
	int fd;

	setsid();
	fd = open(slave, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0)
		_exit(2);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	setenv("TERM", term, 1);
	alarm(60); /* a child that blocks is a failure, not a hang */
	part();
	_exit(0);
}

static void pty_start(struct pty *p, const char *term, void (*part)(void))
{
	char slave[64];
	int pipe_fds[2], hold;

	memset(p, 0, sizeof(*p));
	p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(p->master >= 0);
	assert_int_equal(grantpt(p->master) | unlockpt(p->master), 0);
	assert_int_equal(ptsname_r(p->master, slave, sizeof(slave)), 0);
	assert_int_equal(pipe(pipe_fds), 0);
	set_window(p->master, 80, 30); /* not the size that curses would guess */
	hold = open(slave, O_RDWR | O_NOCTTY);
	assert_true(hold >= 0);
	assert_int_equal(tcgetattr(hold, &p->before), 0);
	fflush(NULL);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0) {
		close(p->master);
		close(pipe_fds[0]);
		close(hold);
		report_fd = pipe_fds[1];
		child_main(slave, term, part);
	}
	close(pipe_fds[1]);
	close(hold);
	p->report = pipe_fds[0];
}

/* Reads the terminal until the child's report holds the word, or the child is gone. */
static void pty_expect(struct pty *p, const char *word, bool read_terminal)
{
	char text[1024] = "";
	size_t len = 0;

	while (!strstr(text, word)) {
		struct pollfd fds[2] = {
			{ .fd = p->report, .events = POLLIN },
			{ .fd = read_terminal ? p->master : -1, .events = POLLIN },
		};
		char block[4096];
		ssize_t got;

		assert_true(poll(fds, 2, 60000) > 0);
		if (fds[1].revents & POLLIN) {
			got = read(p->master, block, sizeof(block));
			if (got > 0)
				buf_add(&p->output, block, (size_t)got);
			continue;
		}
		if (!fds[0].revents)
			continue;
		got = read(p->report, text + len, sizeof(text) - 1 - len);
		if (got <= 0)
			fail_msg("the child said '%s' instead of '%s'", text, word);
		len += (size_t)got;
		text[len] = '\0';
	}
}

static void pty_end(struct pty *p)
{
	int status = 0;

	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(p->master);
	close(p->report);
	buf_free(&p->output);
}

static void say(const char *word)
{
	dprintf(report_fd, "%s\n", word);
}

static struct screen *open_on_tty(void)
{
	struct screen_options opt = { .theme = &theme };
	struct buf err = BUF_INIT;
	struct screen *s = screen_open(&opt, &err);

	if (!s)
		dprintf(report_fd, "screen_open: %s\n", buf_str(&err));
	CHECK(s);
	return s;
}

static void show(struct screen *s, const char *text)
{
	struct pane w = pane_whole(s);

	while (screen_flush(s) == 0) {
		struct pollfd p = { .fd = screen_fd(s), .events = POLLOUT };
		CHECK(poll(&p, 1, 60000) > 0);
	}
	CHECK(screen_frame_begin(s));
	pane_text(&w, 0, 0, -1, STYLE_OK, text);
	screen_frame_end(s);
	while (screen_flush(s) == 0) {
		struct pollfd p = { .fd = screen_fd(s), .events = POLLOUT };
		CHECK(poll(&p, 1, 60000) > 0);
	}
}

static bool same_modes(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	       a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc)) == 0;
}

static void part_modes(void)
{
	struct termios before, now;
	struct sigaction stop, interrupt, action;
	struct screen *s;
	int flags;

	sigaction(SIGTSTP, NULL, &stop);
	sigaction(SIGINT, NULL, &interrupt);
	CHECK(tcgetattr(0, &before) == 0);
	s = open_on_tty();
	CHECK(tcgetattr(0, &now) == 0);
	CHECK(!(now.c_lflag & (ICANON | ECHO)) && (now.c_lflag & ISIG));
	CHECK(!(now.c_iflag & (ICRNL | IXON)) && !(now.c_oflag & OPOST));
	flags = fcntl(screen_fd(s), F_GETFL);
	CHECK(flags & O_NONBLOCK);
	CHECK(!(fcntl(0, F_GETFL) & O_NONBLOCK) && !(fcntl(1, F_GETFL) & O_NONBLOCK));
	CHECK(sigaction(SIGTSTP, NULL, &action) == 0 && action.sa_handler == stop.sa_handler);
	CHECK(sigaction(SIGINT, NULL, &action) == 0 && action.sa_handler == interrupt.sa_handler);
	show(s, "first");
	screen_suspend(s);
	screen_suspend(s);
	CHECK(!screen_frame_begin(s));
	CHECK(tcgetattr(0, &now) == 0 && same_modes(&before, &now));
	screen_emergency_restore(); /* nothing to do while suspended */
	screen_resume(s);
	CHECK(tcgetattr(0, &now) == 0 && !(now.c_lflag & ICANON));
	show(s, "second");
	CHECK(screen_frame_begin(s));
	struct pane whole = pane_whole(s);
	pane_text(&whole, screen_height(s) - 1, 0, -1, STYLE_OK, "bottom");
	screen_frame_end(s);
	while (screen_flush(s) == 0)
		continue;
	screen_close(s);
	screen_close(NULL);
	CHECK(tcgetattr(0, &now) == 0 && same_modes(&before, &now));
	s = open_on_tty();
	show(s, "third");
	screen_emergency_restore();
	screen_emergency_restore();
	CHECK(tcgetattr(0, &now) == 0 && same_modes(&before, &now));
	say("done");
}

static size_t count_of(const struct buf *b, const char *bytes)
{
	size_t count = 0;

	for (const char *at = buf_str(b); (at = strstr(at, bytes)) != NULL; at++)
		count++;
	return count;
}

static void test_terminal_is_given_back(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_modes);
	pty_expect(&p, "done", true);
	/* entered and left the alternate screen as often: start, resume, start */
	assert_int_equal(count_of(&p.output, "\033[?1049h"), 3);
	assert_int_equal(count_of(&p.output, "\033[?1049l"), 3);
	assert_int_equal(count_of(&p.output, "\033[?25l"), 3);
	/* and pastes are marked as long */
	assert_int_equal(count_of(&p.output, "\033[?2004h"), 3);
	assert_int_equal(count_of(&p.output, "\033[?2004l"), 3);
	assert_int_equal(count_of(&p.output, "\033[?1h"), 3);
	assert_int_equal(count_of(&p.output, "\033[?1l"), 3);
	assert_int_equal(count_of(&p.output, "second"), 1);
	assert_int_equal(count_of(&p.output, "\033[1;30r"), 3);
	/* what an alternate screen that is none would leave before the prompt */
	assert_int_equal(count_of(&p.output, "bottom"), 1);
	assert_non_null(strstr(strstr(buf_str(&p.output), "bottom"), "\033[J"));
	pty_end(&p);
}

static void part_hostile(void)
{
	struct screen *s = open_on_tty();

	show(s, "A\033]0;evil\007B\xe2\x80\xae" "C\xc2\x9b" "31mD\x9b" "E\rF\x0eG\b\b\b\x05H");
	screen_close(s);
	say("done");
}

static void test_controls_are_not_sent(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_hostile);
	pty_expect(&p, "done", true);
	assert_int_equal(count_of(&p.output, "A?]0;evil?B?C?31mD\xef\xbf\xbd" "E?F?G????H"), 1);
	assert_int_equal(count_of(&p.output, "\033]0;"), 0);
	assert_int_equal(count_of(&p.output, "\xe2\x80\xae"), 0);
	assert_int_equal(count_of(&p.output, "\x9b"), 0);
	pty_end(&p);
}

static void full_frame(struct screen *s, int n)
{
	struct pane w = pane_whole(s);

	screen_invalidate(s);
	for (int y = 0; y < w.height; y++)
		for (int x = 0; x < w.width; x += 8)
			pane_textf(&w, y, x, 8, STYLE_OK, "%08d", n * 7919 + y * 131 + x);
	screen_frame_end(s);
}

/* Until the terminal takes no more. The kernel hands on what it took a little later, and then has
 * room again. */
static void fill_terminal(struct screen *s)
{
	struct pollfd p = { .fd = screen_fd(s), .events = POLLOUT };
	int frames = 0;

	do {
		CHECK(screen_flush(s) >= 0);
		while (screen_frame_begin(s)) {
			full_frame(s, frames++);
			CHECK(screen_flush(s) >= 0);
			CHECK(frames < 100000);
		}
	} while (poll(&p, 1, 200) > 0);
}

static void part_unread(void)
{
	struct screen *s = open_on_tty();
	struct pane w = pane_whole(s);
	size_t left;

	fill_terminal(s);
	left = screen_unsent(s);
	CHECK(left > 0 && left < 100000);
	for (int i = 0; i < 1000; i++) { /* frames are dropped, not queued */
		CHECK(!screen_frame_begin(s));
		pane_text(&w, 0, 0, -1, STYLE_OK, "dropped");
		screen_frame_end(s);
		CHECK(screen_flush(s) == 0);
	}
	CHECK(screen_unsent(s) == left);
	say("stuck");
	while (screen_flush(s) == 0) {
		struct pollfd p = { .fd = screen_fd(s), .events = POLLOUT };
		CHECK(poll(&p, 1, 60000) > 0);
	}
	CHECK(screen_unsent(s) == 0);
	show(s, "alive again");
	screen_close(s);
	say("done");
}

static void test_unread_terminal_never_blocks(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_unread);
	pty_expect(&p, "stuck", false);
	pty_expect(&p, "done", true);
	assert_int_equal(count_of(&p.output, "alive again"), 1);
	pty_end(&p);
}

/* Leaving must not wait for ever either. */
static void part_close_unread(void)
{
	struct screen *s = open_on_tty();
	struct termios before, now;

	fill_terminal(s);
	CHECK(tcgetattr(0, &before) == 0);
	screen_close(s);
	CHECK(tcgetattr(0, &now) == 0);
	CHECK(!(before.c_lflag & ICANON) && (now.c_lflag & ICANON));
	say("closed");
}

static void test_close_on_unread_terminal(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_close_unread);
	pty_expect(&p, "closed", false);
	pty_end(&p);
}

/* A crash in the middle of a frame, on a terminal that is only slow. */
static void part_crash_unread(void)
{
	struct screen *s = open_on_tty();
	const struct timespec slow = { .tv_nsec = 100000000 };
	struct termios now;

	fill_terminal(s);
	/* The reader wakes up when the way back has begun. */
	if (fork() == 0) {
		nanosleep(&slow, NULL);
		say("stuck");
		_exit(0);
	}
	screen_emergency_restore();
	CHECK(tcgetattr(0, &now) == 0 && (now.c_lflag & ICANON));
	say("restored");
}

static void test_crash_on_slow_terminal(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_crash_unread);
	pty_expect(&p, "stuck", false);
	pty_expect(&p, "restored", true);
	assert_int_equal(count_of(&p.output, "\033[?1049l"), 1);
	pty_end(&p);
}

static void expect_these(struct screen *s, const uint32_t *want, size_t count)
{
	uint32_t got[64];
	int have = 0;

	while (have < (int)count) {
		struct pollfd p = { .fd = screen_fd(s), .events = POLLIN };
		int n, wait_ms = keys_wait_ms(s);
		CHECK(poll(&p, 1, wait_ms >= 0 ? wait_ms : 60000) > 0 || wait_ms >= 0);
		n = keys_read(s, got + have, 64 - have);
		CHECK(n >= 0);
		have += n;
	}
	CHECK(have == (int)count);
	CHECK(memcmp(want, got, count * sizeof(*want)) == 0);
}

static void expect_keys(struct screen *s, const char *expected)
{
	uint32_t want[64];
	size_t count;

	CHECK(keys_parse(expected, want, 64, &count));
	expect_these(s, want, count);
}

static void part_keys(void)
{
	struct screen *s = open_on_tty();
	uint32_t key, want_pasted[10] = { [9] = 'j' };

	show(s, "keys");
	say("ready");
	CHECK(keys_read(s, &key, 0) == 0);
	expect_keys(s, "<Esc>");
	say("escape");
	/* both cursor modes, Home in three spellings, and nothing from what is unknown */
	expect_keys(s, "<Up><Up><PgDn><Home><Home><Home><F1><S-Tab><Del>jé日<Enter><Tab><BS><C-l>q");
	say("sequences");
	expect_keys(s, "<Esc>j<Esc>[");
	say("escapes");
	/* Torn, so late that Esc has been handed out: the rest is the arrow, and no '[' and 'A'. */
	expect_keys(s, "<Esc>");
	say("torn");
	expect_keys(s, "<Up>x");
	say("joined");
	expect_keys(s, "<Down>");
	say("late");
	/* A paste is text, whatever is in it: no Enter, no Esc, no arrow. The marks may be torn. */
	for (int i = 0; i < 9; i++)
		want_pasted[i] = KEYC_PASTED | (uint32_t)"mastery[A"[i];
	expect_these(s, want_pasted, 10);
	say("pasted");
	expect_keys(s, "<Esc>");
	say("torn mark");
	expect_these(s, (const uint32_t[]){ KEYC_PASTED | 0xe9, KEYC_PASTED | 'q', 'k' }, 3);
	say("end of paste");
	for (int i = 0; i < 3; i++) { /* more keys than asked for wait */
		struct pollfd p = { .fd = screen_fd(s), .events = POLLIN };
		CHECK(i > 0 || poll(&p, 1, 60000) > 0);
		CHECK(keys_read(s, &key, 1) == 1);
		CHECK(key == (uint32_t)('a' + i));
	}
	CHECK(keys_read(s, &key, 1) == 0);
	say("three");
	signal(SIGHUP, SIG_IGN);
	say("hangup");
	for (int n = 0; n >= 0;) {
		struct pollfd p = { .fd = screen_fd(s), .events = POLLIN };
		CHECK(poll(&p, 1, 60000) > 0);
		n = keys_read(s, &key, 1);
	}
	CHECK(screen_flush(s) == -1);
	CHECK(!screen_frame_begin(s));
	screen_close(s);
	say("done");
}

static void type_bytes(struct pty *p, const char *bytes, size_t len)
{
	assert_int_equal(write(p->master, bytes, len), len);
}

static void test_keys(void **state)
{
	static const char sequences[] = "\033OA\033[A\033[6~\033OH\033[H\033[1~\033OP\033[Z\033[3~"
					"\033[1;5A\033[?1;2c"
					"j\xc3\xa9\xe6\x97\xa5\r\t\x7f\x0c\xff\xc2\x9bq";
	static const char pasted[] = "\033[200~master\r\ny\033[A\033[201~j";
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_keys);
	pty_expect(&p, "ready", true);
	type_bytes(&p, "\033", 1);
	pty_expect(&p, "escape", true);
	type_bytes(&p, sequences, sizeof(sequences) - 1);
	pty_expect(&p, "sequences", true);
	type_bytes(&p, "\033j\033[", 4);
	pty_expect(&p, "escapes", true);
	type_bytes(&p, "\033", 1);
	pty_expect(&p, "torn", true);
	type_bytes(&p, "[Ax", 3);
	pty_expect(&p, "joined", true);
	type_bytes(&p, "\033[", 2);
	type_bytes(&p, "B", 1);
	pty_expect(&p, "late", true);
	type_bytes(&p, pasted, sizeof(pasted) - 1);
	pty_expect(&p, "pasted", true);
	type_bytes(&p, "\033", 1);
	pty_expect(&p, "torn mark", true);
	type_bytes(&p, "[200~\xc3", 6);
	type_bytes(&p, "\xa9q\x02\033[2", 6);
	type_bytes(&p, "01~k", 4);
	pty_expect(&p, "end of paste", true);
	type_bytes(&p, "abc", 3);
	pty_expect(&p, "hangup", true);
	close(p.master);
	p.master = -1;
	pty_expect(&p, "done", false);
	pty_end(&p);
}

static void part_resize(void)
{
	static const int sizes[][2] = { { 1, 1 }, { 300, 100 }, { 2, 50 }, { 80, 24 } };
	struct screen *s = open_on_tty();

	CHECK(screen_width(s) == 80 && screen_height(s) == 30);
	CHECK(!screen_check_size(s));
	show(s, "before");
	for (int i = 0; i < 4; i++) {
		set_window(0, sizes[i][0], sizes[i][1]);
		CHECK(screen_check_size(s));
		CHECK(screen_width(s) == sizes[i][0] && screen_height(s) == sizes[i][1]);
		show(s, "resized");
	}
	set_window(0, 0, 0); /* a line that knows no size */
	CHECK(!screen_check_size(s));
	screen_close(s);
	say("done");
}

static void test_resize(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_resize);
	pty_expect(&p, "done", true);
	assert_int_equal(count_of(&p.output, "resized"), 2);
	pty_end(&p);
}

static void part_unknown_term(void)
{
	struct screen *s = open_on_tty();

	CHECK(strstr(screen_notice(s), "nosuchterm"));
	CHECK(strstr(screen_notice(s), "xterm-256color") || strstr(screen_notice(s), "vt100"));
	show(s, "shown");
	screen_close(s);
	say("done");
}

static void part_console(void)
{
	static const float values[] = { 1, 2, 3, 4 };
	const double sparks[] = { 1, 2, 3, 4 };
	struct screen *s = open_on_tty();
	struct pane w = pane_whole(s), graph = pane_sub(&w, 3, 1, 2, 20);

	CHECK(screen_frame_begin(s));
	pane_box(&w, "box", true);
	for (int g = 0; g < GLYPH_COUNT; g++)
		pane_glyph(&w, 1, 1 + g, STYLE_OK, (enum glyph)g);
	pane_bar(&w, 2, 1, 20, 5.4, 20);
	pane_spark(&w, 2, 30, 4, sparks, 4, 4);
	pane_graph(&graph, GRAPH_AUTO, STYLE_SPARK, values, 4, 4);
	screen_frame_end(s);
	while (screen_flush(s) == 0)
		continue;
	screen_close(s);
	say("done");
}

/* Its fonts have no halves of a circle, no eighths of a block and no braille. */
static void test_linux_console(void **state)
{
	static const char *const lacks[] = { "◐", "○", "✖", "▏", "▍", "▌", "▁", "▅", "▇", "\xe2\xa0", "\xe2\xa1",
					     "\xe2\xa2", "\xe2\xa3" };
	struct pty p;

	(void)state;
	pty_start(&p, "linux", part_console);
	pty_expect(&p, "done", true);
	assert_non_null(strstr(buf_str(&p.output), "┌"));
	assert_non_null(strstr(buf_str(&p.output), "●!X?├└"));
	assert_non_null(strstr(buf_str(&p.output), "█████|"));
	for (size_t i = 0; i < sizeof(lacks) / sizeof(*lacks); i++)
		assert_int_equal(count_of(&p.output, lacks[i]), 0);
	pty_end(&p);
}

static void test_unknown_terminal_type(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "nosuchterm-17", part_unknown_term);
	pty_expect(&p, "done", true);
	assert_int_equal(count_of(&p.output, "shown"), 1);
	pty_end(&p);
}

static void part_not_a_terminal(void)
{
	struct screen_options opt = { .theme = &theme };
	struct buf err = BUF_INIT;
	int null_fd = open("/dev/null", O_RDWR);

	dup2(null_fd, 1); /* the controlling terminal is still there: it must not be used */
	CHECK(!screen_open(&opt, &err));
	CHECK(strstr(buf_str(&err), "--once") && strstr(buf_str(&err), "--events"));
	CHECK(strstr(buf_str(&err), "not a terminal"));
	say("done");
}

static void test_not_a_terminal(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_not_a_terminal);
	pty_expect(&p, "done", true);
	assert_int_equal(p.output.len, 0);
	pty_end(&p);
}

static void part_vt100(void)
{
	struct screen *s = open_on_tty();

	CHECK(*screen_notice(s) == '\0');
	show(s, "plain");
	screen_close(s);
	say("done");
}

/* No colour sequences for a terminal without colours. */
static void test_vt100(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "vt100", part_vt100);
	pty_expect(&p, "done", true);
	assert_int_equal(count_of(&p.output, "plain"), 1);
	assert_int_equal(count_of(&p.output, "[38;5"), 0);
	assert_int_equal(count_of(&p.output, "[32"), 0);
	/* its cursor can't be hidden: it stands in the corner */
	assert_int_equal(count_of(&p.output, "plain\033[30;80H"), 1);
	pty_end(&p);
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
		cmocka_unit_test(test_list_selection_stays),
		cmocka_unit_test(test_list_selection_stays_on_screen),
		cmocka_unit_test(test_list_half_pages),
		cmocka_unit_test(test_list_scrolls),
		cmocka_unit_test(test_list_follows_its_tail),
		cmocka_unit_test(test_list_marks),
		cmocka_unit_test(test_keys_parse),
		cmocka_unit_test(test_prompt_editing),
		cmocka_unit_test(test_prompt_keeps_cursor_in_sight),
		cmocka_unit_test(test_terminal_is_given_back),
		cmocka_unit_test(test_controls_are_not_sent),
		cmocka_unit_test(test_unread_terminal_never_blocks),
		cmocka_unit_test(test_close_on_unread_terminal),
		cmocka_unit_test(test_crash_on_slow_terminal),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_unknown_terminal_type),
		cmocka_unit_test(test_not_a_terminal),
		cmocka_unit_test(test_vt100),
		cmocka_unit_test(test_linux_console),
	};

	if (!setlocale(LC_ALL, "C.UTF-8") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
		fprintf(stderr, "skipped: no C.UTF-8 locale here\n");
		return 77;
	}
	theme_builtin(&theme);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
