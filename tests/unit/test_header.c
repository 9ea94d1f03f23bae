/* The header with its alert line, and the footer. */
#include "config.h"

#include "worlds.h"

static char *draw_chrome(const struct view_context *c, int height, int width)
{
	struct view *v = view_new(&topology_view);
	struct screen *s = open_screen(height, width, false);
	struct pane whole = pane_whole(s), foot = pane_sub(&whole, height - 1, 0, 1, width);
	struct buf out = BUF_INIT;

	header_draw(&whole, c, tabs, 5, 1);
	footer_draw(&foot, c, v);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	screen_close(s);
	view_free(v);
	dumped("header and footer", buf_str(&out));
	return out.data;
}

static void test_header_and_footer(void **state)
{
	struct world w = sentinel_world();
	struct view_context c = context(&w);
	char *text;

	(void)state;
	text = draw_chrome(&c, 12, 80);
	assert_has(text, "LIVE 1.0s");
	assert_has(text, "3 sentinels");
	assert_has(text, " OK  4 nodes and 3 Sentinels up");
	assert_has(text, "2 Topology");
	assert_has(text, "f failover");
	assert_has(text, "q quit");
	free(text);
	c.read_only = true;
	c.frozen = true;
	c.frozen_at_ms = c.now_ms - 12000;
	c.deployment_count = 3;
	text = draw_chrome(&c, 12, 80);
	assert_has(text, "READ-ONLY");
	assert_has(text, "FROZEN 12 s ago");
	assert_has(text, "1/3");
	assert_lacks(text, "f failover");
	free(text);
	/* What is frozen is said before everything else. */
	text = draw_chrome(&c, 12, 30);
	assert_has(text, "FROZEN 12 s");
	free(text);
	c.frozen = false;
	c.notice = "asked every node";
	c.notice_health = HEALTH_OK;
	c.log_error = "redoubt.log: No space left on device";
	text = draw_chrome(&c, 12, 120);
	assert_has(text, "asked every node");
	assert_has(text, "No space left on device");
	free(text);
	c.notice = c.log_error = "";
	kill_master(&w);
	c.now_ms = w.now;
	text = draw_chrome(&c, 12, 160);
	assert_has(text, "CRITICAL");
	assert_has(text, "objectively down");
	assert_has(text, "failover: waiting for promotion");
	free(text);
	/* The phase is said whole, whatever else there is to say. */
	for (int width = 50; width <= 160; width++) {
		text = draw_chrome(&c, 12, width);
		assert_has(text, "failover: waiting for promotion 1.2 s");
		free(text);
	}
	for (size_t i = 0; i < SIZES; i++)
		free(draw_chrome(&c, sizes[i][0], sizes[i][1]));
	model_free(w.m);

	/* Asked for by hand: nothing is down, and that it runs is said once. */
	w = sentinel_world();
	message(&w, 0, "+try-failover");
	c = context(&w);
	text = draw_chrome(&c, 12, 80);
	assert_has(text, "failover: electing a leader");
	assert_lacks(text, "a failover is running");
	free(text);
	model_free(w.m);
}

/* The panes are of the moment of freezing, drawn before it or not; the alert line is of now. */
static void test_freeze(void **state)
{
	static const struct view_ops *const ops[] = {&topology_view, &replication_view};
	struct world w = sentinel_world();
	struct view_context c = context(&w);
	struct view *views[2];
	char *text;

	(void)state;
	c.frozen = true;
	c.frozen_at_ms = c.now_ms;
	for (size_t i = 0; i < 2; i++) {
		views[i] = view_new(ops[i]);
		views[i]->ops->rebuild(views[i], &c);
		views[i]->stale = false;
	}
	kill_master(&w);
	c.live_now_ms = w.now;
	for (size_t i = 0; i < 2; i++) {
		text = draw_view(views[i], &c, 20, 100, false);
		assert_lacks(text, "down");
		assert_lacks(text, "lost");
		free(text);
		view_free(views[i]);
	}
	text = draw_chrome(&c, 12, 160);
	assert_has(text, "live:");
	assert_has(text, "CRITICAL");
	assert_has(text, "objectively down");
	assert_lacks(text, "nodes");
	free(text);
	model_free(w.m);
}

static void test_notice_leaves_the_alert(void **state)
{
	struct world w = sentinel_world();
	struct view_context c = context(&w);
	char *text;

	(void)state;
	kill_master(&w);
	c.now_ms = c.live_now_ms = w.now;
	c.notice = "only a cluster has slots";
	c.notice_health = HEALTH_UNKNOWN;
	text = draw_chrome(&c, 12, 100);
	assert_has(text, "only a cluster has slots");
	assert_has(text, "CRITICAL");
	assert_has(text, "objectively down");
	free(text);
	/* Without an alert line it is said all the same. */
	text = draw_chrome(&c, 4, 100);
	assert_has(text, "only a cluster has slots");
	free(text);
	model_free(w.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_header_and_footer),
	    cmocka_unit_test(test_freeze),
	    cmocka_unit_test(test_notice_leaves_the_alert),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
