/* The events pane: rows, columns and the ring behind it. */
#include "config.h"

#include "worlds.h"

static void test_events_row(void **state)
{
	struct world w = shown_set();
	struct view_context c;
	struct view *v;
	const char *line;
	char *text;

	(void)state;
	kill_master(&w);
	text = draw_fresh(&events_view, &w, "", 22, 80);
	line = line_with(text, "+sdown");
	assert_has(line, "10.0.0.1:6379");
	assert_has(line, "3/3 Sentinels over 40 ms");
	assert_has(line_with(text, "+odown"), "✖");
	assert_has(line_with(text, "+odown"), "quorum 3/2");
	assert_has(line_with(text, "+link-lost"), "connection closed");
	free(text);

	/* Scrolled back, the place is kept and what came since is counted. */
	c = context(&w);
	v = view_new(&events_view);
	free(draw_view(v, &c, 6, 80, false));
	v->ops->act(v, &c, CMD_TOP);
	text = draw_view(v, &c, 6, 80, false);
	assert_has(text, "+link-lost");
	assert_has(text, "newer below");
	free(text);
	shown_message(&w, 1, "-sdown");
	v->stale = true;
	text = draw_view(v, &c, 6, 80, false);
	assert_has(text, "+link-lost");
	assert_lacks(text, "-sdown");
	free(text);
	v->ops->act(v, &c, CMD_BOTTOM);
	text = draw_view(v, &c, 6, 80, false);
	assert_has(text, "-sdown");
	assert_lacks(text, "newer below");
	free(text);
	v->ops->act(v, &c, CMD_ENTER);
	text = draw_view(v, &c, 22, 80, false);
	assert_has(text, "no longer subjectively down");
	assert_has(text, "10.0.0.9:26380");
	free(text);
	view_free(v);
	model_free(w.m);
}

static void message_of(struct world *w, int sentinel, const char *channel, const char *host,
		       const char *detail)
{
	struct sentinel_message msg;
	struct observation o = observe(w, ASK_MESSAGE, id_of(w, "10.0.0.9", 26379 + sentinel));

	memset(&msg, 0, sizeof(msg));
	snprintf(msg.channel, sizeof(msg.channel), "%s", channel);
	snprintf(msg.instance_type, sizeof(msg.instance_type), "slave");
	snprintf(msg.name, sizeof(msg.name), "%s:6379", host);
	snprintf(msg.master_name, sizeof(msg.master_name), "mymaster");
	snprintf(msg.detail, sizeof(msg.detail), "%s", detail);
	msg.addr = at_host(host, 6379);
	msg.master = at_host("10.0.0.1", 6379);
	msg.epoch = FACT_UNKNOWN;
	o.sent_ms = 0;
	o.u.message = &msg;
	model_apply(w->m, &o);
}

/* Column at which `what` stands in the line with `word`. */
static int column_in(const char *text, const char *word, const char *what)
{
	const char *line = line_with(text, word), *hit = strstr(line, what);
	int column = 0;

	if (!hit)
		fail_msg("no \"%s\" in: %s", what, line);
	for (const char *s = line; s < hit; s++)
		column += ((unsigned char)*s & 0xc0) != 0x80;
	return column;
}

/* Names as long as +failover-state-send-slaveof-noone push no column out of line, and at 80 columns
 * the subject and the sources give way, not the names and what happened. */
static void test_events_columns(void **state)
{
	static const int widths[] = {96, 100, 119, 120, 140, 200};
	static const char *const names[] = {"+failover-state-send-slaveof-noone",
					    "+slave-reconf-inprog", "+promoted-slave"};
	struct world w = shown_set();
	char *text;

	(void)state;
	kill_master(&w);
	for (size_t i = 0; i < 3; i++)
		message_of(&w, 0, names[i], "10.0.0.2", "@ detail");
	shown_message(&w, 1, "-odown");
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		const char *who = " 10.0.0."; /* the first in the line: the column of whom it is about */
		int who_at, detail_at;

		text = draw_fresh(&events_view, &w, "", 30, widths[i]);
		who_at = column_in(text, names[0], who);
		detail_at = column_in(text, names[0], "@ detail");
		for (size_t k = 0; k < 3; k++) {
			assert_int_equal(column_in(text, names[k], who), who_at);
			assert_int_equal(column_in(text, names[k], "@ detail"), detail_at);
		}
		assert_int_equal(column_in(text, "+link-lost", who), who_at);
		assert_int_equal(column_in(text, "-odown", who), who_at);
		assert_has(line_with(text, "-odown"), "1/3 Sentinels");
		if (widths[i] >= 120) /* below, the reason takes all the room */
			assert_has(line_with(text, "+link-lost"), "redoubt");
		free(text);
	}
	text = draw_fresh(&events_view, &w, "", 30, 80);
	for (size_t i = 0; i < 3; i++)
		assert_has(line_with(text, names[i]), "10.0.0.2:6379");
	assert_int_equal(column_in(text, names[1], "@ detail"),
			 column_in(text, names[2], "@ detail"));
	assert_lacks(line_with(text, names[1]), "mymaster");
	assert_has(line_with(text, "-odown"), "1/3 Sentinels");
	free(text);
	model_free(w.m);
}

/* A full ring that goes on turning: the rows are those that the log holds, in its order. */
static void test_events_ring(void **state)
{
	struct world w = {model_new(10000), T0, 0};
	struct view *v = view_new(&events_view);
	struct view_context c;
	uint32_t id;

	(void)state;
	target_host(&w, "10.0.0.1", 6379);
	id = id_of(&w, "10.0.0.1", 6379);
	c = context(&w);
	for (int round = 0; round < 3; round++) {
		const struct event_log *log = model_events(w.m);

		for (int i = 0; i < 4500; i++) {
			w.now += 100;
			link_state(&w, id, i % 2 ? LINK_UP : LINK_LOST, "gone");
		}
		c.now_ms = w.now;
		v->ops->rebuild(v, &c);
		assert_int_equal(v->list.count, event_log_count(log));
		for (size_t i = 0; i < v->list.count; i++)
			assert_int_equal(v->list.ids[i], event_log_at(log, i)->seq);
		assert_int_equal(v->list.selected, v->list.count - 1);
	}
	assert_int_equal(v->list.count, 10000);
	view_set_filter(v, "!link-lost");
	v->ops->rebuild(v, &c);
	assert_int_equal(v->list.count, 0);
	view_set_filter(v, "-link-lost");
	v->ops->rebuild(v, &c);
	assert_true(v->list.count > 4000);
	view_free(v);
	model_free(w.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_events_row),
	    cmocka_unit_test(test_events_columns),
	    cmocka_unit_test(test_events_ring),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
