/* A failover of a plain set, from the sheet to the verified end. */
#include "config.h"

#include "actions.h"

/* --- plain replication ------------------------------------------------------------------------- */

static struct world plain_world(void)
{
	struct world w = world_new();
	target(&w, 21001);
	link_up(&w, 21001);
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000) LISTED(1, 21003, 4000));
	for (int port = 21002; port <= 21003; port++) {
		link_up(&w, port);
		info_replica(&w, port, 21001, 5000);
	}
	return w;
}

static void plain_verified(void **state)
{
	struct world w = plain_world();
	struct action *a = open_on(&w, &action_failover, 21002);
	(void)state;
	assert_string_equal(a->sheet.command, "FAILOVER TO 127.0.0.1 21002 TIMEOUT 10000");
	assert_has(a->sheet.target, "127.0.0.1:21001  (master)");
	assert_string_equal(a->sheet.confirm, "127.0.0.1:21001");
	assert_true(action_recheck(a, w.m, w.now));
	action_sent(a, w.now);
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	w.now += 700;
	/* both follow each other for a moment */
	info_replica(&w, 21001, 21002, 5000);
	assert_false(action_follow(a, w.m, w.now));
	/* a replica of a third one is no proof */
	info_replica(&w, 21001, 21003, 5000);
	info_master(&w, 21002, 5000, LISTED(0, 21003, 5000));
	assert_false(action_follow(a, w.m, w.now));
	info_replica(&w, 21001, 21002, 5000);
	info_master(&w, 21002, 5000, LISTED(0, 21001, 5000));
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_VERIFIED);
	assert_string_equal(a->outcome, "new master 127.0.0.1:21002 by its own word, the old master "
					"follows it; after 0.7 s");
	action_free(a);
	world_end(&w);
}

static void plain_given_up(void **state)
{
	struct world w = plain_world();
	struct action *a = open_on(&w, &action_failover, 21001);
	(void)state;
	assert_string_equal(a->sheet.command, "FAILOVER TIMEOUT 10000");
	action_sent(a, w.now);
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	w.now += 11000;
	assert_false(action_follow(a, w.m, w.now));
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000));
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_FAILED);
	assert_has(a->outcome, "given up by the master");
	action_free(a);
	world_end(&w);
}

static void plain_blocked(void **state)
{
	struct world w = plain_world();
	(void)state;
	infof(&w, id_at(&w, 21001),
	      INFO_HEAD "role:master\r\nmaster_failover_state:waiting-for-sync\r\n" LISTED(
		      0, 21002, 5000) "master_repl_offset:5000\r\n",
	      "standalone", 21001);
	blocked(&w, &action_failover, 21001, "a failover is already running");
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000));
	blocked(&w, &action_failover, 21003, "does not list this replica");
	info_text(&w, id_at(&w, 21001),
		  "redis_version:6.0.16\r\nredis_mode:standalone\r\nrole:master\r\n" LISTED(0, 21002, 5000));
	blocked(&w, &action_failover, 21002, "needs Redis 6.2 or later, the master runs 6.0.16");
	info_master(&w, 21001, 5000, "");
	blocked(&w, &action_failover, 21001, "no connected replica");
	link_lost(&w, 21001);
	blocked(&w, &action_failover, 21002, "the master does not answer");
	world_end(&w);
}

/* FAILOVER past the Sentinels would be undone by them. */
static void plain_blocked_by_sentinels(void **state)
{
	struct world w = plain_world();
	struct observation obs = observe(&w, ASK_SENTINEL_WATCHERS, id_at(&w, 21001));
	const struct action_context on = { .deployment_id = only_deployment(&w)->id,
					   .group_id = group_of(&w, 21001)->id };
	(void)state;
	struct action *a = action_open(&action_failover, &on, w.m, NULL, w.now);
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	obs.u.watchers = 3;
	model_apply(w.m, &obs);
	assert_false(action_recheck(a, w.m, w.now));
	assert_non_null(strstr(a->sheet.outcome, "Sentinels watch this set"));
	action_free(a);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_verified),
		cmocka_unit_test(plain_given_up),
		cmocka_unit_test(plain_blocked),
		cmocka_unit_test(plain_blocked_by_sentinels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
