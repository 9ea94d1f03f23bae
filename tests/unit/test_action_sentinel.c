/* A failover by Sentinels, from the sheet to the verified end. */
#include "config.h"

#include "actions.h"

/* --- Sentinel ---------------------------------------------------------------------------------- */

static void sentinel_sheet(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance items[2] = { instance("a", 21002, SFLAG_SLAVE),
					      instance("b", 21003, SFLAG_SLAVE) };
	(void)state;
	items[0].info_refresh_ms = items[1].info_refresh_ms = 300;
	listed(&w, ASK_SENTINEL_REPLICAS, id_at(&w, 26001), "mymaster", items, 2);
	struct action *a = open_on(&w, &action_failover, 21002);
	assert_string_equal(a->sheet.command, "SENTINEL FAILOVER mymaster");
	assert_has(a->sheet.target, "127.0.0.1:2600");
	assert_has(a->sheet.target, "(sentinel)");
	assert_string_equal(a->sheet.confirm, "mymaster");
	assert_int_equal(a->target_count, 1);
	assert_false(action_confirmed(a, "mymaste"));
	assert_false(action_confirmed(a, ""));
	assert_true(action_confirmed(a, "mymaster"));
	assert_true(has_line(a, "master", "127.0.0.1:21001"));
	assert_true(has_line(a, "replica", "127.0.0.1:21003  1.0 kB behind, priority 100"));
	assert_true(has_line(a, "Sentinel", "127.0.0.1:26002  quorum 2, knows 3 Sentinels"));
	action_free(a);
	world_end(&w);
}

static void sentinel_verified(void **state)
{
	struct world w = sentinel_world();
	struct action *a = failover_sent(&w, 21001);
	struct role_facts facts = { .role = ROLE_MASTER };
	(void)state;
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	assert_int_equal(a->stage, ACTION_ACCEPTED);
	assert_false(action_follow(a, w.m, w.now));
	message(&w, 26001, "+try-failover", ABOUT_MASTER);
	message(&w, 26001, "+elected-leader", ABOUT_MASTER);
	message(&w, 26001, "+selected-slave", ABOUT_REPLICA);
	message(&w, 26001, "+failover-state-wait-promotion", ABOUT_REPLICA);
	assert_false(action_follow(a, w.m, w.now));
	w.now += 995;
	struct observation o = observe(&w, ASK_ROLE, id_at(&w, 21002));
	o.u.role = &facts;
	apply(&w, &o);
	assert_false(action_follow(a, w.m, w.now));
	assert_has(a->sheet.outcome, "127.0.0.1:21002 is master by its own word; 0 of 3");
	message(&w, 26001, "+promoted-slave", ABOUT_REPLICA);
	message(&w, 26002, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002");
	message(&w, 26003, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002");
	assert_false(action_follow(a, w.m, w.now));
	assert_has(a->sheet.outcome, "2 of 3 Sentinels agree so far");
	w.now += 1000;
	message(&w, 26001, "+failover-end", ABOUT_MASTER);
	message(&w, 26001, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002");
	/* the old master takes writes still */
	assert_false(action_follow(a, w.m, w.now));
	assert_has(a->sheet.outcome, "waiting for the old master to be demoted");
	assert_true(has_line(a, "old master", "127.0.0.1:21001 still takes writes"));
	w.now += 9000;
	info_replica(&w, 21001, 21002, 5000);
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_VERIFIED);
	assert_int_equal(a->sheet.state, SHEET_DONE);
	assert_string_equal(a->outcome, "new master 127.0.0.1:21002: by its own word after 1.0 s, 3 of 3 "
					"Sentinels that answer agree after 2.0 s; old master demoted after 11 s");
	assert_false(action_follow(a, w.m, w.now + 100000));
	action_free(a);
	world_end(&w);
}

/* +switch-master alone proves nothing: the new master must say so. */
static void sentinel_needs_own_word(void **state)
{
	struct world w = sentinel_world();
	struct action *a = failover_sent(&w, 21001);
	(void)state;
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	for (int port = 26001; port <= 26003; port++)
		message(&w, port, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002");
	assert_false(action_follow(a, w.m, w.now));
	w.now += 500;
	info_replica(&w, 21001, 21002, 5000);
	info_master(&w, 21002, 6000, "");
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_VERIFIED);
	action_free(a);
	world_end(&w);
}

static void sentinel_refused(void **state)
{
	struct world w = sentinel_world();
	struct action *a = failover_sent(&w, 21001);
	struct action_facts facts;
	(void)state;
	action_replied(a, w.m, 0, ANSWER_REFUSED, "INPROG Failover already in progress", w.now);
	assert_int_equal(a->stage, ACTION_REFUSED);
	assert_int_equal(a->sheet.state, SHEET_FAILED);
	assert_string_equal(a->sheet.outcome, "refused: INPROG Failover already in progress");
	assert_true(action_is_over(a));
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	assert_int_equal(a->stage, ACTION_REFUSED);
	action_facts_fill(a, &facts);
	assert_string_equal(facts.name, "failover");
	assert_string_equal(facts.subject, "mymaster");
	assert_int_equal(facts.stage, ACTION_REFUSED);
	action_free(a);
	world_end(&w);
}

static void sentinel_no_reply(void **state)
{
	(void)state;
	for (int happens = 0; happens <= 1; happens++) {
		struct world w = sentinel_world();
		struct action *a = failover_sent(&w, 21001);
		action_replied(a, w.m, 0, ANSWER_TIMEOUT, NULL, w.now);
		assert_int_equal(a->stage, ACTION_SENT);
		assert_has(a->sheet.outcome, "no reply");
		w.now += 1000;
		if (happens) {
			for (int port = 26001; port <= 26003; port++)
				masters(&w, port, 21002, 1, 0);
			info_master(&w, 21002, 1, "");
			info_replica(&w, 21001, 21002, 5000);
		}
		assert_int_equal(action_follow(a, w.m, w.now), happens);
		if (happens)
			assert_int_equal(a->stage, ACTION_VERIFIED);
		action_free(a);
		world_end(&w);
	}
}

static void sentinel_runs_out(void **state)
{
	struct world w = sentinel_world();
	struct action *a = failover_sent(&w, 21001);
	(void)state;
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	w.now += 24000;
	assert_false(action_follow(a, w.m, w.now));
	for (int port = 26001; port <= 26003; port++)
		masters(&w, port, 21001, 0, 0);
	info_master(&w, 21001, 9000, LISTED(0, 21002, 9000));
	w.now += 1000;
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_FAILED);
	assert_has(a->outcome, "the master is as before, by its own word and that of 3 of 3 Sentinels");
	action_free(a);
	world_end(&w);
}

/* What does not show is not said: each thing that is missing for the proof. */
static void sentinel_not_known(void **state)
{
	static const struct {
		bool no_reply, dead, stale, silent, dissent;
		const char *words;
	} cases[] = {
		{ .no_reply = true, .words = "not answered and may still be carried out" },
		{ .dead = true, .words = "the old master does not answer" },
		{ .stale = true, .words = "last word is too old" },
		{ .silent = true, .words = "nobody who answers" },
		{ .dissent = true, .words = "not everybody names the old master" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w = sentinel_world();
		struct action *a = failover_sent(&w, 21001);
		action_replied(a, w.m, 0, cases[i].no_reply ? ANSWER_TIMEOUT : ANSWER_OK, "OK", w.now);
		w.now += 20000;
		for (int port = 26001; port <= 26003; port++)
			masters(&w, port, cases[i].dissent && port == 26001 ? 21003 : 21001, 0, 0);
		if (cases[i].silent)
			for (int port = 26001; port <= 26003; port++)
				link_lost(&w, port);
		w.now += cases[i].stale ? 0 : 4000;
		info_master(&w, 21001, 9000, LISTED(0, 21002, 9000));
		if (cases[i].dead)
			link_lost(&w, 21001);
		w.now += cases[i].stale ? 5000 : 1000;
		assert_true(action_follow(a, w.m, w.now));
		assert_int_equal(a->stage, ACTION_UNKNOWN);
		assert_has(a->outcome, cases[i].words);
		action_free(a);
		world_end(&w);
	}
}

/* The new master may be where we have no way or no password. */
static void sentinel_names_the_unreachable(void **state)
{
	struct world w = sentinel_world();
	struct action *a = failover_sent(&w, 21001);
	(void)state;
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	link_state(&w, id_at(&w, 21002), LINK_AUTH_ERROR, "WRONGPASS");
	w.now += 24500;
	for (int port = 26001; port <= 26003; port++)
		masters(&w, port, 21002, 1, 0);
	w.now += 1000;
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_UNKNOWN);
	assert_string_equal(a->outcome, "3 of 3 Sentinels name 127.0.0.1:21002 as master now; it could not "
					"be asked itself");
	action_free(a);
	world_end(&w);
}

static void sentinel_says_who_is_silent(void **state)
{
	struct world w = sentinel_world();
	struct action *a = failover_sent(&w, 21001);
	(void)state;
	link_lost(&w, 26003);
	w.now += 1000;
	for (int port = 26001; port <= 26002; port++)
		masters(&w, port, 21002, 1, 0);
	info_master(&w, 21002, 1, "");
	link_lost(&w, 21001);
	/* a demotion closes its connections as well */
	assert_false(action_follow(a, w.m, w.now));
	w.now += 5000;
	assert_true(action_follow(a, w.m, w.now));
	assert_has(a->outcome, "2 of 2 Sentinels that answer agree");
	assert_has(a->outcome, "the old master does not answer");
	assert_has(a->outcome, "(3 known)");
	action_free(a);
	world_end(&w);
}

static void many_sentinels(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance items[9];
	(void)state;
	for (int i = 0; i < 9; i++)
		items[i] = instance("x", 26004 + i, SFLAG_SENTINEL);
	listed(&w, ASK_SENTINEL_SENTINELS, id_at(&w, 26001), "mymaster", items, 9);
	for (int port = 26004; port <= 26012; port++) {
		link_up(&w, port);
		info_sentinel(&w, id_at(&w, port), port);
		masters(&w, port, 21001, 0, 0);
	}
	struct action *a = open_on(&w, &action_failover, 21001);
	assert_true(has_line(a, "", "and 3 more Sentinels"));
	action_free(a);
	world_end(&w);
}

static void sentinel_aborted(void **state)
{
	static const struct {
		const char *event, *words;
	} aborts[] = {
		{ "-failover-abort-no-good-slave", "no replica can be promoted" },
		{ "-failover-abort-not-elected", "no majority of Sentinels" },
		{ "-failover-abort-slave-timeout", "was not promoted in time" },
		{ "-failover-abort-master-timeout", "the master did not answer in time" },
	};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct world w = sentinel_world();
		struct action *a = failover_sent(&w, 21001);
		action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
		message(&w, 26001, "+try-failover", ABOUT_MASTER);
		message(&w, 26001, aborts[i].event, ABOUT_MASTER);
		assert_true(action_follow(a, w.m, w.now));
		assert_int_equal(a->stage, ACTION_FAILED);
		assert_has(a->outcome, aborts[i].words);
		assert_has(a->outcome, aborts[i].event);
		action_free(a);
		world_end(&w);
	}
}

/* An abort of before is not this one's. */
static void sentinel_old_abort(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	message(&w, 26001, "+try-failover", ABOUT_MASTER);
	message(&w, 26001, "-failover-abort-not-elected", ABOUT_MASTER);
	w.now += 1000;
	struct action *a = failover_sent(&w, 21001);
	assert_true(has_line(a, "last failover", "aborted 1 s ago"));
	assert_false(action_follow(a, w.m, w.now));
	action_free(a);
	world_end(&w);
}

static void sentinel_blocked(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	message(&w, 26002, "+try-failover", ABOUT_MASTER);
	blocked(&w, &action_failover, 21001, "a failover is already running: electing a leader");
	message(&w, 26002, "+failover-end", ABOUT_MASTER);
	masters(&w, 26002, 21001, 0, SFLAG_FAILOVER_IN_PROGRESS);
	blocked(&w, &action_failover, 21001, "a failover is already running");
	/* a leader that fell silent blocks nothing for ever */
	link_lost(&w, 26002);
	struct action *a = open_on(&w, &action_failover, 21001);
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	action_free(a);
	link_lost(&w, 26001);
	message(&w, 26003, "+tilt", "#tilt mode entered");
	blocked(&w, &action_failover, 21001, "no Sentinel can act");
	const struct action_context nothing = { 0 };
	a = action_open(&action_failover, &nothing, w.m, NULL, w.now);
	assert_has(a->sheet.outcome, "select a master");
	action_free(a);
	world_end(&w);
}

static void sentinel_recheck(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	struct action *a = open_on(&w, &action_failover, 21001);
	for (int port = 26001; port <= 26003; port++)
		masters(&w, port, 21001, 5, 0);
	not_sent(a, &w, "the epoch has changed");
	a = open_on(&w, &action_failover, 21001);
	for (int port = 26001; port <= 26003; port++)
		masters(&w, port, 21002, 6, 0);
	not_sent(a, &w, "the master is another one now");
	a = open_on(&w, &action_failover, 21002);
	message(&w, 26002, "+try-failover", "master mymaster 127.0.0.1 21002");
	not_sent(a, &w, "a failover is already running");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentinel_sheet),
		cmocka_unit_test(sentinel_verified),
		cmocka_unit_test(sentinel_needs_own_word),
		cmocka_unit_test(sentinel_refused),
		cmocka_unit_test(sentinel_no_reply),
		cmocka_unit_test(sentinel_runs_out),
		cmocka_unit_test(sentinel_not_known),
		cmocka_unit_test(sentinel_names_the_unreachable),
		cmocka_unit_test(sentinel_says_who_is_silent),
		cmocka_unit_test(many_sentinels),
		cmocka_unit_test(sentinel_aborted),
		cmocka_unit_test(sentinel_old_abort),
		cmocka_unit_test(sentinel_blocked),
		cmocka_unit_test(sentinel_recheck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
