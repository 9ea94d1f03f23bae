/* The header with its alert line, and the footer. */
#include "config.h"

#include "base/text.h"
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
	struct world w = shown_set();
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
	w = shown_set();
	shown_message(&w, 0, "+try-failover");
	c = context(&w);
	text = draw_chrome(&c, 12, 80);
	assert_has(text, "failover: electing a leader");
	assert_lacks(text, "failover running");
	free(text);
	model_free(w.m);
}

/* The panes are of the moment of freezing, drawn before it or not; the alert line is of now. */
static void test_freeze(void **state)
{
	static const struct view_ops *const ops[] = {&topology_view, &replication_view};
	struct world w = shown_set();
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
	struct world w = shown_set();
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

/* Nor a warning, which may be there first or come while the notice stands. */
static void test_notice_leaves_the_warning(void **state)
{
	struct world w = shown_set();
	struct view_context c = context(&w);
	char *text;

	(void)state;
	c.notice = "only a cluster has slots";
	c.notice_health = HEALTH_UNKNOWN;
	text = draw_chrome(&c, 12, 100);
	assert_has(line_with(text, "only a cluster"), "only a cluster has slots");
	free(text);
	link_state(&w, id_of(&w, "10.0.0.3", 6379), LINK_LOST, "connection reset by peer");
	c.now_ms = c.live_now_ms = w.now;
	text = draw_chrome(&c, 12, 100);
	assert_has(text, "WARNING");
	assert_has(text, "link lost");
	assert_has(text, "only a cluster has slots");
	free(text);
	model_free(w.m);
}

static char *draw_top(const struct view_context *c, int width)
{
	struct screen *s = open_screen(24, width, false);
	struct pane whole = pane_whole(s);
	struct buf out = BUF_INIT;

	header_draw(&whole, c, tabs, 5, 1);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	screen_close(s);
	dumped("header", buf_str(&out));
	return out.data;
}

/* A second deployment in the same model: a plain master that is lost. */
static void add_lost_set(struct world *w, const char *host, int run)
{
	target_host(w, host, 6379);
	link_state(w, id_of(w, host, 6379), LINK_UP, NULL);
	shown_master(w, id_of(w, host, 6379), "standalone", run, 5000, "");
	link_state(w, id_of(w, host, 6379), LINK_LOST, "connection closed by the server");
}

/* The Sentinels' one; context() takes the last. */
static struct view_context first_context(const struct world *w, size_t count)
{
	struct view_context c = context(w);
	size_t cursor = 0;

	c.deployment_id = model_next_deployment(w->m, &cursor)->id;
	c.deployment_count = count;
	return c;
}

static void test_worse_elsewhere(void **state)
{
	static const int widths[] = {200, 80, 60, 40};
	struct world w = shown_set();
	struct view_context c;
	char *text;

	(void)state;
	add_lost_set(&w, "10.9.9.1", 77);
	c = first_context(&w, 2);
	text = draw_top(&c, 80);
	assert_has(line_with(text, " OK "), "+1 other critical (press 0)");
	free(text);
	add_lost_set(&w, "10.9.9.2", 78);
	c = first_context(&w, 3);
	for (size_t i = 0; i < 4; i++) {
		text = draw_top(&c, widths[i]);
		assert_has(line_with(text, " OK "),
			   widths[i] == 200 ? "+2 other deployments critical (press 0)"
			   : widths[i] == 80 ? "+2 others critical (press 0)" : "+2 critical (0)");
		free(text);
	}
	/* It is down itself: what it says comes first, and the hint is still there. */
	kill_master(&w);
	c = first_context(&w, 3);
	text = draw_top(&c, 120);
	assert_has(line_with(text, " CRITICAL  mymaster objectively down"),
		   "+2 other deployments critical (press 0)");
	assert_has(text, "failover: waiting for promotion");
	free(text);
	/* A notice does not hide it. */
	c.notice = "interval 2 s";
	text = draw_top(&c, 120);
	assert_has(text, "+2 other deployments critical (press 0)");
	free(text);
	model_free(w.m);
}

static void test_stale(void **state)
{
	struct world w = shown_set();
	struct view_context c = context(&w);
	char *text;

	(void)state;
	for (int64_t ago = 0; ago <= 12000; ago += 3000) {
		c.now_ms = c.live_now_ms = w.now + ago;
		text = draw_top(&c, 80);
		if (ago <= 3000)
			assert_lacks(text, "STALE");
		free(text);
	}
	for (int width = 40; width <= 200; width += 40) {
		text = draw_top(&c, width);
		assert_has(text, " STALE 12 s ");
		free(text);
	}
	c.interval_ms = 5000; /* explains 12 s */
	text = draw_top(&c, 80);
	assert_lacks(text, "STALE");
	free(text);
	model_free(w.m);
}

/* Three badges do not take the place of how many answer, and of the clock. */
static void test_badges(void **state)
{
	struct world w = shown_set();
	struct view_context c = context(&w);
	char *text;

	(void)state;
	c.label = "PRODUCTION";
	c.read_only = true;
	c.recording = true;
	c.recording_bytes = 1234567;
	text = draw_top(&c, 80);
	assert_has(text, " PRODUCTION ");
	assert_has(text, " RO ");
	assert_has(text, " REC ");
	assert_has(text, "4/4 nodes");
	assert_non_null(strchr(text, ':')); /* of the clock */
	free(text);
	text = draw_top(&c, 160);
	assert_has(text, " READ-ONLY ");
	assert_has(text, " REC  1.2 MB ");
	free(text);
	c.label = "PRODUCTION of the whole world";
	text = draw_top(&c, 160);
	assert_has(text, " PRODUCTION of th… ");
	free(text);
	model_free(w.m);
}

static void test_recording(void **state)
{
	struct world w = shown_set();
	struct view_context c = context(&w);
	char *text;

	(void)state;
	c.recording = true;
	c.recording_bytes = 1234567;
	c.recording_error = "";
	text = draw_top(&c, 80);
	assert_has(text, " REC  1.2 MB ");
	free(text);
	c.recording_error = "recording stopped: no space left on device";
	for (int width = 40; width <= 200; width += 40) {
		text = draw_top(&c, width);
		assert_has(text, " REC STOPPED ");
		if (width >= 120)
			assert_has(text, "no space left");
		free(text);
	}
	c.recording = false;
	c.recording_error = NULL;
	c.replay = true;
	text = draw_top(&c, 40);
	assert_has(text, " REPLAY ");
	assert_lacks(text, "LIVE");
	free(text);
	model_free(w.m);
}

static int column_of(const char *text, const char *word)
{
	const char *line = line_with(text, word);

	return text_width(line) - text_width(strstr(line, word));
}

/* Numbers that change their width move nothing. */
static void test_nothing_shifts(void **state)
{
	static const double rates[] = {7, 950, 1200, 12345, 123456, 9999999};
	static const int64_t sizes_of[] = {0, 900, 1500, 15000, 999999, 5000000000};
	struct world w = shown_set();
	struct view_context c = context(&w);
	char *text = draw_top(&c, 120);
	int live = column_of(text, "LIVE"), rec;

	(void)state;
	free(text);
	for (size_t i = 0; i < 6; i++) {
		c.bytes_per_second = rates[i];
		text = draw_top(&c, 120);
		assert_int_equal(column_of(text, "LIVE"), live);
		free(text);
	}
	link_state(&w, id_of(&w, "10.0.0.4", 6379), LINK_LOST, "connection closed");
	text = draw_top(&c, 120);
	assert_has(text, "3/4 nodes");
	assert_int_equal(column_of(text, "LIVE"), live);
	free(text);
	c.recording = true;
	text = draw_top(&c, 120);
	rec = column_of(text, "REC");
	free(text);
	for (size_t i = 0; i < 6; i++) {
		c.recording_bytes = sizes_of[i];
		text = draw_top(&c, 120);
		assert_int_equal(column_of(text, "REC"), rec);
		free(text);
	}
	model_free(w.m);
}

/* What is watched, and that nothing may be done to it, stay to the last. */
static void test_what_gives_way(void **state)
{
	struct world w = shown_set();
	struct view_context c = context(&w);
	char *text;

	(void)state;
	c.read_only = true;
	c.deployment_count = 3;
	for (int width = 40; width <= 200; width += 20) {
		text = draw_top(&c, width);
		assert_has(text, "mymaster");
		assert_has(text, "1/3");
		assert_has(text, "READ-ONLY");
		free(text);
	}
	text = draw_top(&c, 40);
	assert_lacks(text, "redoubt");
	assert_lacks(text, "kB/s");
	free(text);
	model_free(w.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_header_and_footer),
	    cmocka_unit_test(test_freeze),
	    cmocka_unit_test(test_notice_leaves_the_alert),
	    cmocka_unit_test(test_notice_leaves_the_warning),
	    cmocka_unit_test(test_worse_elsewhere),
	    cmocka_unit_test(test_stale),
	    cmocka_unit_test(test_badges),
	    cmocka_unit_test(test_recording),
	    cmocka_unit_test(test_nothing_shifts),
	    cmocka_unit_test(test_what_gives_way),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
