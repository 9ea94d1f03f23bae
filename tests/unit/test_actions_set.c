/* SENTINEL SET on all Sentinels: the number that is typed, what is said of it, and that it is read back;
 * and FLUSHCONFIG. */
#include "config.h"

#include "actions.h"

static struct action *set_to(const struct world *w, const struct action_kind *kind, const char *value)
{
	struct action *a = open_on(w, kind, 21001);
	assert_int_equal(a->sheet.state, SHEET_VALUE);
	assert_true(action_set_value(a, w->m, value, w->now));
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	return a;
}

static void value_is_asked(void **state)
{
	static const char *const bad[] = { "", "0", "-1", "abc", "2147483648", "2 ", "1e3",
					   "99999999999999999999" };
	struct world w = known_world();
	struct action *a = open_on(&w, &action_set_quorum, 21002);
	(void)state;
	assert_int_equal(a->sheet.state, SHEET_VALUE);
	assert_string_equal(a->sheet.command, "SENTINEL SET mymaster quorum N");
	assert_has(a->sheet.value, "quorum, 1 to 2147483647");
	assert_true(has_line(a, "now", "127.0.0.1:26002  quorum 2"));
	/* The name alone sends nothing. */
	assert_false(action_confirmed(a, "mymaster"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(action_set_value(a, w.m, bad[i], w.now));
		assert_int_equal(a->sheet.state, SHEET_VALUE);
		assert_has(a->sheet.outcome, "must be a number from 1 to 2147483647");
	}
	assert_true(action_set_value(a, w.m, "3", w.now));
	assert_string_equal(a->sheet.command, "SENTINEL SET mymaster quorum 3");
	assert_string_equal(a->sheet.outcome, "");
	assert_true(action_confirmed(a, "mymaster"));
	assert_false(action_set_value(a, w.m, "4", w.now));
	/* what they said before is not what they say now */
	action_sent(a, w.now);
	assert_false(has_line(a, "now", ""));
	assert_true(has_line(a, "before", "127.0.0.1:26002  quorum 2"));
	action_free(a);
	world_end(&w);
}

static void warnings(void **state)
{
	static const struct {
		const struct action_kind *kind;
		const char *value, *label, *words;
	} cases[] = {
		{ &action_set_quorum, "4", "quorum", "more than the 3 Sentinels there are" },
		{ &action_set_quorum, "3", "quorum", "all 3 Sentinels would have to agree" },
		{ &action_set_quorum, "1", "quorum", "one Sentinel alone" },
		{ &action_set_down_after, "999", "down-after", "below 1000 ms" },
		{ &action_set_down_after, "60001", "down-after", "after the master is gone" },
		{ &action_set_failover_timeout, "4999", "failover-timeout", "shorter than down-after (5000 ms)" },
		{ &action_set_failover_timeout, "9999", "failover-timeout", "below 10000 ms" },
		{ &action_set_failover_timeout, "600001", "failover-timeout", "none is tried for 20 m" },
		{ &action_set_parallel_syncs, "2", "parallel-syncs", "at once" },
	};
	static const struct { const struct action_kind *kind; const char *value, *label; } fine[] = {
		{ &action_set_quorum, "2", "quorum" },
		{ &action_set_down_after, "5000", "down-after" },
		{ &action_set_failover_timeout, "180000", "failover-timeout" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w = known_world();
		struct action *a = set_to(&w, cases[i].kind, cases[i].value);
		if (!has_line(a, cases[i].label, cases[i].words))
			fail_msg("%s %s: no \"%s\"", cases[i].kind->name, cases[i].value, cases[i].words);
		action_free(a);
		world_end(&w);
	}
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		struct world w = known_world();
		struct action *a = set_to(&w, fine[i].kind, fine[i].value);
		assert_false(has_line(a, fine[i].label, ""));
		action_free(a);
		world_end(&w);
	}
}

static void commands(void **state)
{
	static const struct { const struct action_kind *kind; const char *command; } cases[] = {
		{ &action_set_quorum, "SENTINEL SET mymaster quorum 7" },
		{ &action_set_down_after, "SENTINEL SET mymaster down-after-milliseconds 7" },
		{ &action_set_failover_timeout, "SENTINEL SET mymaster failover-timeout 7" },
		{ &action_set_parallel_syncs, "SENTINEL SET mymaster parallel-syncs 7" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w = known_world();
		struct action *a = set_to(&w, cases[i].kind, "7");
		assert_string_equal(a->sheet.command, cases[i].command);
		assert_int_equal(a->target_count, 3);
		action_free(a);
		world_end(&w);
	}
}

/* One that does not answer is missed, and named. */
static void missed(void **state)
{
	struct world w = known_world();
	(void)state;
	link_lost(&w, 26002);
	struct action *a = set_to(&w, &action_set_quorum, "2");
	assert_int_equal(a->target_count, 2);
	assert_true(has_line(a, "missed", "127.0.0.1:26002 does not answer: it keeps its own quorum"));
	sent(a, &w);
	action_free(a);
	/* Another set of targets than the sheet said is not sent to. */
	a = set_to(&w, &action_set_quorum, "2");
	link_lost(&w, 26003);
	assert_false(action_recheck(a, w.m, w.now));
	action_free(a);
	world_end(&w);
}

static void quorum_is(struct world *w, int sentinel, int64_t quorum)
{
	struct sentinel_instance item = instance("mymaster", 21001, SFLAG_MASTER);
	item.quorum = quorum;
	listed(w, ASK_SENTINEL_MASTERS, id_at(w, sentinel), NULL, &item, 1);
}

static void reply_all(struct world *w, struct action *a)
{
	for (size_t i = 0; i < a->target_count; i++)
		action_replied(a, w->m, i, ANSWER_OK, "OK", w->now);
}

static void read_back(void **state)
{
	struct world w = known_world();
	struct action *a = set_to(&w, &action_set_quorum, "3");
	(void)state;
	/* What was true before proves nothing. */
	for (int port = 26001; port <= 26003; port++)
		quorum_is(&w, port, 3);
	sent(a, &w);
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	assert_int_equal(a->stage, ACTION_SENT);
	assert_false(action_follow(a, w.m, w.now));
	action_replied(a, w.m, 1, ANSWER_OK, "OK", w.now);
	action_replied(a, w.m, 2, ANSWER_OK, "OK", w.now);
	assert_int_equal(a->stage, ACTION_ACCEPTED);
	assert_false(action_follow(a, w.m, w.now));
	w.now += 500;
	quorum_is(&w, 26001, 3);
	quorum_is(&w, 26002, 3);
	assert_false(action_follow(a, w.m, w.now));
	quorum_is(&w, 26003, 3);
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_VERIFIED);
	assert_string_equal(a->outcome, "3 of 3 Sentinels say quorum 3");
	action_free(a);
	world_end(&w);
}

static void differs(void **state)
{
	struct world w = known_world();
	struct action *a = set_to(&w, &action_set_quorum, "3");
	(void)state;
	sent(a, &w);
	reply_all(&w, a);
	w.now += 500;
	quorum_is(&w, 26001, 3);
	quorum_is(&w, 26002, 2);
	quorum_is(&w, 26003, 3);
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_FAILED);
	assert_string_equal(a->outcome, "2 of 3 Sentinels say quorum 3, they differ: 127.0.0.1:26002 says 2");
	action_free(a);
	world_end(&w);
}

static void refused(void **state)
{
	struct world w = known_world();
	struct action *a = set_to(&w, &action_set_quorum, "3");
	(void)state;
	sent(a, &w);
	for (size_t i = 0; i < 3; i++)
		action_replied(a, w.m, i, ANSWER_REFUSED,
			       "NOPERM this user has no permissions to run the 'sentinel|set' command", w.now);
	assert_int_equal(a->stage, ACTION_REFUSED);
	assert_has(a->outcome, "refused by all: 127.0.0.1:26001: the user lacks +sentinel|set: NOPERM");
	assert_true(has_line(a, "reply", "127.0.0.1:26003  the user lacks +sentinel|set"));
	action_free(a);
	/* By one alone: what the others say is read back all the same. */
	a = set_to(&w, &action_set_quorum, "3");
	sent(a, &w);
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	action_replied(a, w.m, 1, ANSWER_REFUSED, "ERR Invalid argument", w.now);
	action_replied(a, w.m, 2, ANSWER_TIMEOUT, NULL, w.now);
	assert_int_equal(a->stage, ACTION_ACCEPTED);
	w.now += 500;
	quorum_is(&w, 26001, 3);
	quorum_is(&w, 26002, 2);
	assert_false(action_follow(a, w.m, w.now));
	w.now += 20000;
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_UNKNOWN);
	assert_has(a->outcome, "1 of 3 Sentinels say quorum 3");
	action_free(a);
	world_end(&w);
}

/* --- FLUSHCONFIG ------------------------------------------------------------------------------- */

static void flushed(void **state)
{
	struct world w = known_world();
	struct action *a = open_on(&w, &action_flushconfig, 21001);
	(void)state;
	assert_string_equal(a->sheet.command, "SENTINEL FLUSHCONFIG");
	assert_string_equal(a->sheet.confirm, "mymaster");
	sent(a, &w);
	reply_all(&w, a);
	assert_int_equal(a->stage, ACTION_VERIFIED);
	assert_string_equal(a->outcome, "3 of 3 Sentinels say that their file is written");
	action_free(a);
	a = open_on(&w, &action_flushconfig, 21001);
	sent(a, &w);
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	action_replied(a, w.m, 1, ANSWER_OK, "OK", w.now);
	action_replied(a, w.m, 2, ANSWER_REFUSED, "ERR Failed to save config file", w.now);
	assert_int_equal(a->stage, ACTION_FAILED);
	assert_has(a->outcome, "2 of 3 Sentinels have written it; 127.0.0.1:26003: ERR Failed to save");
	action_free(a);
	world_end(&w);
}

/* Before 7.0 the reply says nothing. */
static void flushed_by_old(void **state)
{
	struct world w = known_world();
	(void)state;
	infof(&w, id_at(&w, 26002),
	      "# Server\r\nredis_version:6.2.14\r\nredis_mode:sentinel\r\nrun_id:%040d\r\n# Sentinel\r\n"
	      "sentinel_masters:1\r\nsentinel_tilt:0\r\n", 26002);
	struct action *a = open_on(&w, &action_flushconfig, 21001);
	assert_true(has_line(a, "Sentinel", "26002  6.2.14: says OK even when"));
	sent(a, &w);
	reply_all(&w, a);
	assert_int_equal(a->stage, ACTION_UNKNOWN);
	assert_has(a->outcome, "1 of them say so even when it failed");
	action_free(a);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_is_asked), cmocka_unit_test(warnings), cmocka_unit_test(commands),
		cmocka_unit_test(missed),	  cmocka_unit_test(read_back), cmocka_unit_test(differs),
		cmocka_unit_test(refused),	  cmocka_unit_test(flushed),
		cmocka_unit_test(flushed_by_old),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
