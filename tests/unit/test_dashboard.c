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
	struct world worlds[2] = {sentinel_world(), cluster_world("master", " 5461-10922", true)};

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
	struct world w = sentinel_world();
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
			items[r] = instance(host, host, 6379, SFLAG_SLAVE);
			items[r].master = at("10.0.0.1", 6379);
		}
		listed(&w, ASK_SENTINEL_REPLICAS, id_of(&w, "10.0.0.9", 26379), items,
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_layout),
	    cmocka_unit_test(test_layout_of_large_tree),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
