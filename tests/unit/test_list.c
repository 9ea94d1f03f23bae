/* Lists: the selection stays, scrolling, the tail, marks. */
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
#include "tui/list.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_selection_stays),
		cmocka_unit_test(test_list_selection_stays_on_screen),
		cmocka_unit_test(test_list_half_pages),
		cmocka_unit_test(test_list_scrolls),
		cmocka_unit_test(test_list_follows_its_tail),
		cmocka_unit_test(test_list_marks),
	};

	if (!headless_ready())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
