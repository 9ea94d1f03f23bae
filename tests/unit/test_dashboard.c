/* The dashboard: where its panes go. */
#include "config.h"

#include "worlds.h"

static bool overlap(const struct rect *a, const struct rect *b)
{
	return a->y < b->y + b->height && b->y < a->y + a->height && a->x < b->x + b->width &&
	       b->x < a->x + a->width;
}

static bool shown(const struct rect *rects, size_t n, size_t view)
{
	for (size_t i = 0; i < n; i++)
		if (rects[i].view == view)
			return true;
	return false;
}

static void check_layout(const struct view_context *c, struct view *const *views, int height,
			 int width)
{
	struct rect rects[8];
	size_t n = dashboard_layout(views, 4, c, height, width, rects, 8);
	int area = 0;

	assert_true(n >= 1);
	for (size_t i = 0; i < n; i++) {
		const struct rect *r = &rects[i];

		assert_true(r->y >= 0 && r->x >= 0 && r->height > 0 && r->width > 0);
		assert_true(r->y + r->height <= height && r->x + r->width <= width);
		if (n > 1)
			assert_true(r->height >= 4);
		area += r->height * r->width;
		for (size_t k = 0; k < i; k++)
			assert_false(overlap(r, &rects[k]));
	}
	assert_int_equal(area, height * width); /* no holes */
}

static void test_layout(void **state)
{
	struct world worlds[2] = {shown_set(), shown_cluster("master", " 5461-10922", true)};

	(void)state;
	for (int m = 0; m < 2; m++) {
		struct view_context c = context(&worlds[m]);
		struct view *views[4] = {view_new(&topology_view), view_new(&replication_view),
					 view_new(&slots_view), view_new(&events_view)};
		struct rect rects[8];
		size_t n;

		for (size_t i = 0; i < 4; i++)
			views[i]->ops->rebuild(views[i], &c);
		for (int width = 1; width <= 220; width++)
			for (int height = 1; height <= 70; height++)
				check_layout(&c, views, height, width);
		n = dashboard_layout(views, 4, &c, 18, 80, rects, 8);
		assert_true(shown(rects, n, 0) && shown(rects, n, 1) && shown(rects, n, 3));
		assert_int_equal(shown(rects, n, 2), m == 1); /* the slot map: clusters only */
		assert_int_equal(dashboard_layout(views, 4, &c, 0, 80, rects, 8), 0);
		assert_int_equal(dashboard_layout(views, 4, &c, 50, 180, rects, 1), 1);
		for (size_t i = 0; i < 4; i++)
			view_free(views[i]);
		model_free(worlds[m].m);
	}
}

/* A tree that does not fit takes rows from the events, which keep some. */
static void test_layout_of_large_tree(void **state)
{
	static const int counts[] = {30, 60};
	struct world w = shown_set();
	struct sentinel_instance items[60];
	struct view *views[4] = {view_new(&topology_view), view_new(&replication_view),
				 view_new(&slots_view), view_new(&events_view)};
	struct view_context c;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rect rects[8];
		size_t n;

		for (int r = 0; r < counts[i]; r++) {
			char host[32];

			snprintf(host, sizeof(host), "10.0.1.%d", r);
			items[r] = shown_instance(host, host, 6379, SFLAG_SLAVE);
			items[r].master = at_host("10.0.0.1", 6379);
		}
		listed(&w, ASK_SENTINEL_REPLICAS, id_of(&w, "10.0.0.9", 26379), "mymaster", items,
		       (size_t)counts[i]);
		c = context(&w);
		for (size_t k = 0; k < 4; k++)
			views[k]->ops->rebuild(views[k], &c);
		n = dashboard_layout(views, 4, &c, 56, 200, rects, 8);
		for (size_t k = 0; k < n; k++) {
			if (rects[k].view == 0 && counts[i] == 30)
				assert_true((size_t)rects[k].height >= views[0]->list.count + 2);
			else if (rects[k].view == 0)
				assert_true(rects[k].height >= 45);
			else if (rects[k].view == 3)
				assert_true(rects[k].height >= 8);
		}
	}
	for (size_t k = 0; k < 4; k++)
		view_free(views[k]);
	model_free(w.m);
}

static const struct rect *rect_of(const struct rect *rects, size_t n, size_t view)
{
	for (size_t i = 0; i < n; i++)
		if (rects[i].view == view)
			return &rects[i];
	fail_msg("pane %zu is not shown", view);
	return NULL;
}

enum { TOPOLOGY, REPLICATION, SLOTS, EVENTS, NODES, FAILOVER, VIEWS };

struct desk {
	struct view *views[VIEWS];
	struct view_context c;
	struct rect rects[8];
	size_t count;
};

static struct desk desk_for(const struct world *w)
{
	struct desk d = {.views = {view_new(&topology_view), view_new(&replication_view),
				   view_new(&slots_view), view_new(&events_view),
				   view_new(&nodes_view), view_new(&last_failover_view)},
			 .c = context(w)};

	for (size_t i = 0; i < VIEWS; i++)
		d.views[i]->ops->rebuild(d.views[i], &d.c);
	return d;
}

static void desk_lay(struct desk *d, int height, int width)
{
	d->count = dashboard_layout(d->views, VIEWS, &d->c, height, width, d->rects, 8);
}

static void desk_done(struct desk *d, struct world *w)
{
	for (size_t i = 0; i < VIEWS; i++)
		view_free(d->views[i]);
	model_free(w->m);
}

static int wants(const struct desk *d, size_t view, int width)
{
	return d->views[view]->ops->wanted_height(d->views[view], &d->c, width);
}

/* Every pane but the events has what it wants, and no more than its neighbour makes it. */
static void test_large_screen(void **state)
{
	struct world w = shown_cluster("master", " 5461-10922", true);
	struct desk d = desk_for(&w);
	const struct rect *tree, *repl, *slots, *nodes;

	(void)state;
	desk_lay(&d, 56, 200);
	assert_int_equal(d.count, VIEWS);
	tree = rect_of(d.rects, d.count, TOPOLOGY);
	repl = rect_of(d.rects, d.count, REPLICATION);
	slots = rect_of(d.rects, d.count, SLOTS);
	nodes = rect_of(d.rects, d.count, NODES);
	/* The map is higher than the tree: the replication stands below the tree. */
	assert_int_equal(repl->x, tree->x);
	assert_int_equal(repl->y, tree->height);
	assert_int_equal(slots->y, 0);
	assert_int_equal(tree->height, wants(&d, TOPOLOGY, 100));
	assert_int_equal(repl->height, wants(&d, REPLICATION, 100));
	assert_true(slots->height >= wants(&d, SLOTS, 100));
	assert_int_equal(nodes->width, 200);
	assert_int_equal(nodes->height, wants(&d, NODES, 200));
	assert_true(rect_of(d.rects, d.count, EVENTS)->height >= 10);
	assert_true(rect_of(d.rects, d.count, EVENTS)->width >= 120);
	assert_int_equal(rect_of(d.rects, d.count, FAILOVER)->y,
			 rect_of(d.rects, d.count, EVENTS)->y);
	/* On a lower one the map gives way, and it stands where it was. */
	desk_lay(&d, 18, 80);
	assert_int_not_equal(rect_of(d.rects, d.count, REPLICATION)->x, 0);
	desk_done(&d, &w);
}

static void test_wide_and_low(void **state)
{
	struct world w = shown_set();
	struct desk d = desk_for(&w);

	(void)state;
	desk_lay(&d, 10, 200);
	assert_int_equal(d.count, 3);
	for (size_t i = 0; i < d.count; i++) {
		assert_int_equal(d.rects[i].height, 10);
		assert_true(d.rects[i].width >= 60);
	}
	desk_lay(&d, 10, 100); /* no: each would be too narrow */
	assert_int_equal(rect_of(d.rects, d.count, EVENTS)->width, 100);
	desk_done(&d, &w);
}

static void test_tall_and_narrow(void **state)
{
	struct world w = shown_cluster("master", " 5461-10922", true);
	struct desk d = desk_for(&w);

	(void)state;
	desk_lay(&d, 70, 50);
	assert_int_equal(d.count, 4); /* without the nodes: a table of two columns */
	for (size_t i = 0; i < d.count; i++) {
		assert_int_equal(d.rects[i].width, 50);
		if (d.rects[i].view != EVENTS)
			assert_int_equal(d.rects[i].height, wants(&d, d.rects[i].view, 50));
	}
	desk_done(&d, &w);
}

/* Trouble adds rows to panes; it must not turn the screen over. */
static void test_trouble_moves_no_pane(void **state)
{
	static const int screens[][2] = {{18, 80}, {20, 80}, {32, 120}, {56, 200}};
	struct world well = shown_cluster("master", " 5461-10922", true),
		     ill = shown_cluster("master,fail", " 5463-10922", false);
	struct desk a = desk_for(&well), b = desk_for(&ill);

	(void)state;
	for (size_t i = 0; i < sizeof(screens) / sizeof(screens[0]); i++) {
		desk_lay(&a, screens[i][0], screens[i][1]);
		desk_lay(&b, screens[i][0], screens[i][1]);
		for (size_t k = 0; k < a.count && k < b.count; k++) {
			assert_int_equal(a.rects[k].view, b.rects[k].view);
			assert_int_equal(a.rects[k].x, b.rects[k].x);
			assert_int_equal(a.rects[k].width, b.rects[k].width);
		}
	}
	desk_done(&a, &well);
	desk_done(&b, &ill);
}

/* While it runs, and where it stands, below the outcome so far. */
static void test_last_failover(void **state)
{
	struct world w = shown_set();
	char *text = draw_fresh(&last_failover_view, &w, "", 20, 62);

	(void)state;
	assert_has(text, "no failover seen");
	free(text);
	kill_master(&w);
	text = draw_fresh(&last_failover_view, &w, "", 20, 62);
	assert_has(text, "mymaster, ");
	assert_has(text, "running");
	assert_has(text, "led by 10.0.0.9:26379");
	assert_has(line_with(text, "sdown"), "5.0 s");
	assert_has(line_with(text, "sdown"), "3 say so");
	assert_true(strstr(text, "master lost") < strstr(text, "sdown"));
	assert_true(strstr(text, "elected") < strstr(text, "promoting"));
	free(text);
	/* On a low one the latest stays. */
	text = draw_fresh(&last_failover_view, &w, "", 8, 62);
	assert_has(text, "promoting");
	free(text);
	for (int height = 1; height < 20; height++)
		for (int width = 1; width < 70; width += 3)
			free(draw_fresh(&last_failover_view, &w, "", height, width));
	model_free(w.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_layout),
	    cmocka_unit_test(test_layout_of_large_tree),
	    cmocka_unit_test(test_large_screen),
	    cmocka_unit_test(test_wide_and_low),
	    cmocka_unit_test(test_tall_and_narrow),
	    cmocka_unit_test(test_trouble_moves_no_pane),
	    cmocka_unit_test(test_last_failover),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
