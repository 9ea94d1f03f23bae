/* The log: each thing once, with who saw it, in order, within its bounds. */
#include "config.h"

#include "model/event_private.h"
#include "observe.h"

static uint64_t add(struct event_log *log, enum event_kind kind, int64_t at_ms, const char *source,
		    const char *addr, const char *detail)
{
	const struct event_draft d = { .kind = kind,
				       .severity = event_kind_info(kind)->severity,
				       .deployment_id = 1,
				       .mono_ms = at_ms,
				       .wall_ms = WALL + at_ms,
				       .deployment = "d",
				       .subject = "mymaster",
				       .addr = addr,
				       .detail = detail,
				       .source = source };
	return event_log_add(log, &d);
}

#define ADDR "127.0.0.1:21001"

static void kinds(void **state)
{
	(void)state;
	for (int k = EVENT_UNKNOWN + 1; k < EVENT_KIND_COUNT; k++) {
		const struct event_kind_info *info = event_kind_info((enum event_kind)k);
		assert_int_equal(event_kind_find(info->name), k);
		assert_true(info->name[0] == '+' || info->name[0] == '-');
		assert_true(strlen(info->help) > 0);
	}
	assert_int_equal(event_kind_find("+who-knows"), EVENT_UNKNOWN);
	assert_int_equal(event_kind_find("?"), EVENT_UNKNOWN);
}

static void merges_sources(void **state)
{
	struct event_log *log = event_log_new(10);
	(void)state;
	uint64_t seq = add(log, EVENT_SDOWN, 1000, "s1", ADDR, "");
	uint64_t generation = event_log_generation(log);
	assert_int_equal(add(log, EVENT_SDOWN, 1040, "s2", ADDR, ""), seq);
	assert_int_equal(add(log, EVENT_SDOWN, 1900, "s3", ADDR, ""), seq);
	assert_true(event_log_generation(log) > generation);
	assert_int_equal(event_log_count(log), 1);
	const struct event *e = event_log_at(log, 0);
	assert_int_equal(e->source_count, 3);
	assert_int_equal(e->source_total, 3);
	assert_int_equal(e->mono_ms, 1000);
	assert_int_equal(e->last_ms, 1900);
	assert_int_equal(e->wall_ms, WALL + 1000);
	assert_string_equal(e->sources[2].addr, "s3");
	assert_int_equal(e->sources[1].mono_ms, 1040);
	event_log_free(log);
}

static void does_not_merge(void **state)
{
	struct event_log *log = event_log_new(100);
	(void)state;
	add(log, EVENT_SDOWN, 1000, "s1", ADDR, "");
	add(log, EVENT_SDOWN, 1000, "s2", "127.0.0.1:21002", "");  /* another instance */
	add(log, EVENT_SDOWN, 2000, "s1", ADDR, "");               /* the same Sentinel again */
	add(log, EVENT_SDOWN, 17001, "s2", ADDR, "");              /* past the window of 15 s */
	add(log, EVENT_NEW_EPOCH, 17001, "s1", "", "epoch 4");
	add(log, EVENT_NEW_EPOCH, 17002, "s2", "", "epoch 5");     /* another epoch */
	add(log, EVENT_TRY_FAILOVER, 18000, "s1", ADDR, "");
	add(log, EVENT_TRY_FAILOVER, 18000, "s2", ADDR, "");       /* no window: each its own */
	add(log, EVENT_UNKNOWN, 18000, "s1", ADDR, "");
	add(log, EVENT_UNKNOWN, 18000, "s2", ADDR, "");
	assert_int_equal(event_log_count(log), 10);
	event_log_free(log);
}

static void window_ends(void **state)
{
	(void)state;
	for (int late = 0; late <= 1; late++) {
		struct event_log *log = event_log_new(10);
		add(log, EVENT_SWITCH_MASTER, 0, "s1", ADDR, "");
		add(log, EVENT_SWITCH_MASTER, 30000 + late, "s2", ADDR, "");
		assert_int_equal(event_log_count(log), 1 + late);
		event_log_free(log);
	}
}

/* The quorum differs from Sentinel to Sentinel, the event does not. */
static void odown_merges_over_quorum(void **state)
{
	struct event_log *log = event_log_new(10);
	(void)state;
	add(log, EVENT_ODOWN, 0, "s3", ADDR, "#quorum 2/2");
	add(log, EVENT_ODOWN, 45, "s1", ADDR, "#quorum 3/2");
	assert_int_equal(event_log_count(log), 1);
	assert_string_equal(event_log_at(log, 0)->detail, "#quorum 2/2");
	event_log_free(log);
}

/* +sdown, -sdown, +sdown within the window are three, and each Sentinel joins its own. */
static void up_and_down(void **state)
{
	struct event_log *log = event_log_new(10);
	(void)state;
	uint64_t first = add(log, EVENT_SDOWN, 0, "s1", ADDR, "");
	uint64_t over = add(log, EVENT_SDOWN_OVER, 1000, "s1", ADDR, "");
	uint64_t second = add(log, EVENT_SDOWN, 2000, "s1", ADDR, "");
	assert_int_equal(event_log_count(log), 3);
	assert_true(first < over && over < second);
	assert_int_equal(add(log, EVENT_SDOWN, 2100, "s2", ADDR, ""), second);
	assert_int_equal(add(log, EVENT_SDOWN_OVER, 2200, "s3", ADDR, ""), over);
	/* s2 takes back what it said second: that is no part of the first end */
	assert_int_equal(add(log, EVENT_SDOWN_OVER, 3000, "s2", ADDR, ""), second + 1);
	assert_int_equal(add(log, EVENT_SDOWN_OVER, 3100, "s1", ADDR, ""), second + 1);
	assert_int_equal(event_log_at(log, 1)->source_count, 2);
	event_log_free(log);
}

static void ring(void **state)
{
	struct event_log *log = event_log_new(4);
	(void)state;
	assert_null(event_log_at(log, 0));
	assert_null(event_log_from(log, 1));
	assert_int_equal(event_log_last_seq(log), 0);
	for (int i = 1; i <= 11; i++) {
		char detail[16];
		snprintf(detail, sizeof(detail), "%d", i);
		assert_int_equal(add(log, EVENT_TRY_FAILOVER, i, "s1", ADDR, detail), i);
		assert_int_equal(event_log_count(log), i < 4 ? i : 4);
		assert_int_equal(event_log_last_seq(log), i);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(event_log_at(log, i)->seq, 8 + i);
		assert_int_equal(atoi(event_log_at(log, i)->detail), 8 + i);
	}
	assert_null(event_log_at(log, 4));
	assert_int_equal(event_log_from(log, 1)->seq, 8);
	assert_int_equal(event_log_from(log, 10)->seq, 10);
	assert_null(event_log_from(log, 12));
	event_log_free(log);
	log = event_log_new(0);
	add(log, EVENT_SDOWN, 1, "s1", ADDR, "");
	add(log, EVENT_SDOWN_OVER, 2, "s1", ADDR, "");
	assert_int_equal(event_log_count(log), 1);
	event_log_free(log);
}

/* More sources than are listed are counted; a long address is known again. */
static void many_sources(void **state)
{
	struct event_log *log = event_log_new(4);
	char source[ENDPOINT_TEXT_BYTES];
	(void)state;
	for (int i = 0; i < 50; i++) {
		snprintf(source, sizeof(source), "s%d", i);
		add(log, EVENT_SDOWN, i, source, ADDR, "");
	}
	assert_int_equal(event_log_count(log), 1);
	assert_int_equal(event_log_at(log, 0)->source_count, EVENT_SOURCES_MAX);
	assert_int_equal(event_log_at(log, 0)->source_total, 50);
	memset(source, 'x', 200);
	source[200] = '\0';
	add(log, EVENT_REBOOT, 100, source, ADDR, "");
	assert_string_equal(event_log_at(log, 1)->sources[0].addr, source);
	add(log, EVENT_REBOOT, 101, source, ADDR, "");
	assert_int_equal(event_log_count(log), 3);
	event_log_free(log);
}

/* What repeats is kept once, and what has left the ring is not kept at all. */
static void strings_are_shared(void **state)
{
	struct event_log *log = event_log_new(100);
	(void)state;
	for (int i = 0; i < 1000; i++) {
		char detail[16];
		snprintf(detail, sizeof(detail), "%d", i);
		add(log, EVENT_TRY_FAILOVER, i, "s1", ADDR, detail);
	}
	const struct event *first = event_log_at(log, 0), *last = event_log_at(log, 99);
	assert_ptr_equal(first->name, last->name);
	assert_ptr_equal(first->deployment, last->deployment);
	assert_ptr_equal(first->subject, last->subject);
	assert_ptr_equal(first->addr, last->addr);
	assert_ptr_equal(first->sources[0].addr, last->sources[0].addr);
	assert_ptr_equal(first->about, last->about);
	assert_int_equal(pool_count(log->strings), 100 + 6);
	event_log_free(log);
}

static void redirect(void **state)
{
	struct event_log *log = event_log_new(4);
	(void)state;
	add(log, EVENT_SDOWN, 1, "s1", ADDR, "");
	event_log_redirect(log, 1, 7);
	assert_int_equal(event_log_at(log, 0)->deployment_id, 7);
	event_log_free(log);
}

/* From the wire: unknown channels keep their name, other channels are no events. */
static void messages(void **state)
{
	struct world w = sentinel_world();
	const struct event *e = NULL;
	(void)state;
	size_t before = event_log_count(model_events(w.m));
	message(&w, 26001, "__sentinel__:hello", "127.0.0.1,26001,x,0,mymaster,127.0.0.1,21001,0");
	assert_int_equal(event_log_count(model_events(w.m)), before);
	message(&w, 26001, "+brand-new", "master mymaster 127.0.0.1 21001 with more");
	assert_int_equal(count_events(&w, EVENT_UNKNOWN, &e), 1);
	assert_string_equal(e->name, "+brand-new");
	assert_string_equal(e->subject, "mymaster");
	assert_string_equal(e->addr, ADDR);
	assert_string_equal(e->deployment, "mymaster");
	assert_int_equal(e->group_id, group_of(&w, 21001)->id);
	message(&w, 26002, "+tilt", "#tilt mode entered");
	assert_int_equal(count_events(&w, EVENT_TILT, &e), 1);
	assert_string_equal(e->subject, "127.0.0.1:26002");
	assert_int_equal(node_at(&w, 26002)->info.sentinel_tilt, 1);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),	  cmocka_unit_test(merges_sources),
		cmocka_unit_test(does_not_merge), cmocka_unit_test(window_ends),
		cmocka_unit_test(odown_merges_over_quorum),
		cmocka_unit_test(up_and_down),	  cmocka_unit_test(ring),
		cmocka_unit_test(many_sources),	  cmocka_unit_test(redirect),
		cmocka_unit_test(messages),	  cmocka_unit_test(strings_are_shared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
