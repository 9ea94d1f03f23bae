/* A failover of a shard, from the sheet to the verified end. */
#include "config.h"

#include "actions.h"

/* --- cluster ----------------------------------------------------------------------------------- */

#define PROMOTED                                                                                   \
	LINE_MASTER(CID4, 7004, "myself,", "", 7, " 0-5460")                                       \
	LINE_SLAVE(CID1, 7001, "", "", CID4, 7)

static void cluster_verified(void **state)
{
	struct world w = cluster_world();
	struct action *a = open_on(&w, &action_failover, 7001);
	(void)state;
	assert_string_equal(a->sheet.command, "CLUSTER FAILOVER");
	assert_string_equal(a->sheet.confirm, "127.0.0.1:7004");
	assert_has(a->sheet.target, "127.0.0.1:7004  (replica)");
	assert_true(has_line(a, "promoted", "takes over 5461 slots"));
	assert_true(has_line(a, "cluster", "majority 2"));
	assert_true(action_recheck(a, w.m, w.now));
	action_sent(a, w.now);
	w.now += 100;
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	assert_false(action_follow(a, w.m, w.now));
	info_master_as(&w, id_at(&w, 7004), "cluster", 7004, 200, "");
	cluster_nodes(&w, 7004, PROMOTED);
	/* not everybody is at its epoch */
	for (int port = 7001; port <= 7005; port++)
		cluster_info(&w, port, true, 7);
	assert_false(action_follow(a, w.m, w.now));
	w.now += 400;
	cluster_info(&w, 7006, true, 7);
	/* the epoch is known to all, but nobody else has said a word on the slots */
	assert_false(action_follow(a, w.m, w.now));
	cluster_nodes(&w, 7002, LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")
					LINE_MASTER(CID4, 7004, "", "", 7, " 0-5460"));
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_VERIFIED);
	assert_string_equal(a->outcome, "127.0.0.1:7004 is master by its own word after 0.1 s; 127.0.0.1:7002 "
					"says so too: 5461 slots; 6 of 6 nodes know epoch 7 after 0.5 s");
	action_free(a);
	world_end(&w);
}

/* The master hung, and the cluster failed over by itself: nobody consented to anything. */
static void cluster_without_consent(void **state)
{
	struct world w = cluster_world();
	(void)state;
	struct action *a = open_on(&w, &action_failover, 7004);
	assert_string_equal(a->sheet.confirm_what, "the new master");
	assert_true(has_line(a, "at risk", "nothing: the master pauses writes"));
	w.now += 100;
	link_lost(&w, 7001);
	action_watch(a, w.m, w.now);
	assert_false(has_line(a, "at risk", "nothing: "));
	assert_true(has_line(a, "at risk", "the master does not answer: without its consent"));
	action_sent(a, w.now);
	w.now += 100;
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	w.now += 5000;
	cluster_nodes(&w, 7002, LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")
					LINE_MASTER(CID1, 7001, "", ",fail", 1, " 0-5460"));
	w.now += 500;
	info_master_as(&w, id_at(&w, 7004), "cluster", 7004, 200, "");
	cluster_nodes(&w, 7004, LINE_MASTER(CID4, 7004, "myself,", "", 7, " 0-5460")
					LINE_MASTER(CID1, 7001, "", ",fail", 1, ""));
	for (int port = 7002; port <= 7006; port++)
		cluster_info(&w, port, true, 7);
	assert_false(action_follow(a, w.m, w.now));
	assert_true(has_line(a, "consent", "did not happen"));
	for (size_t i = 0; i < a->sheet.line_count; i++)
		assert_false(a->sheet.lines[i].before);
	assert_true(has_line(a, "consent", "what was not replicated is lost"));
	w.now += 400;
	cluster_nodes(&w, 7002, LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")
					LINE_MASTER(CID4, 7004, "", "", 7, " 0-5460"));
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_FAILED);
	assert_has(a->outcome, "without the old master's consent, by the cluster itself: 127.0.0.1:7004");
	action_free(a);
	world_end(&w);
}

/* The old master's own word does as well. */
static void cluster_seconded_by_the_old_master(void **state)
{
	struct world w = cluster_world();
	struct action *a = open_on(&w, &action_failover, 7004);
	(void)state;
	action_sent(a, w.now);
	w.now += 100;
	info_master_as(&w, id_at(&w, 7004), "cluster", 7004, 200, "");
	cluster_nodes(&w, 7004, PROMOTED);
	for (int port = 7001; port <= 7006; port++)
		cluster_info(&w, port, true, 7);
	assert_false(action_follow(a, w.m, w.now));
	info_replica_as(&w, id_at(&w, 7001), "cluster", 7001, HOST, 7005, 100, INFO_LINKED);
	assert_false(action_follow(a, w.m, w.now));
	info_replica_as(&w, id_at(&w, 7001), "cluster", 7001, HOST, 7004, 100, INFO_LINKED);
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_VERIFIED);
	action_free(a);
	world_end(&w);
}

static void cluster_runs_out(void **state)
{
	struct world w = cluster_world();
	struct action *a = open_on(&w, &action_failover, 7004);
	(void)state;
	action_sent(a, w.now);
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	w.now += 14000;
	for (int port = 7001; port <= 7003; port++)
		info_master_as(&w, id_at(&w, port), "cluster", port, 100, "");
	info_replica_as(&w, id_at(&w, 7004), "cluster", 7004, HOST, 7001, 100, INFO_LINKED);
	w.now += 1000;
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_FAILED);
	assert_has(a->outcome, "as before, by its own word and that of 1 of 1 others");
	action_free(a);
	a = open_on(&w, &action_failover, 7004);
	action_sent(a, w.now);
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	w.now += 15000;
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_UNKNOWN);
	action_free(a);
	world_end(&w);
}

/* Promoted, and one node never hears of it: neither verified nor failed. */
static void cluster_half(void **state)
{
	struct world w = cluster_world();
	struct action *a = open_on(&w, &action_failover, 7004);
	(void)state;
	action_sent(a, w.now);
	w.now += 100;
	info_master_as(&w, id_at(&w, 7004), "cluster", 7004, 200, "");
	cluster_nodes(&w, 7004, PROMOTED);
	assert_false(action_follow(a, w.m, w.now));
	w.now += 15000;
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_UNKNOWN);
	assert_has(a->outcome, "promoted, but not everybody agrees");
	action_free(a);
	world_end(&w);
}

/* FORCE is chosen, not fallen into; and typed differently. */
static void cluster_forced(void **state)
{
	struct world w = cluster_world();
	(void)state;
	/* that we do not reach it says nothing of the cluster: the server refuses if it must */
	link_lost(&w, 7001);
	struct action *a = open_on(&w, &action_failover, 7004);
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	assert_string_equal(a->sheet.command, "CLUSTER FAILOVER");
	action_free(a);
	cluster_nodes(&w, 7002, LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")
					LINE_MASTER(CID1, 7001, "", ",fail", 1, " 0-5460"));
	a = open_on(&w, &action_failover, 7004);
	assert_int_equal(a->sheet.state, SHEET_BLOCKED);
	assert_string_equal(a->sheet.command, "CLUSTER FAILOVER");
	assert_has(a->sheet.outcome, "only FORCE can do it (Tab)");
	assert_true(action_choose(a, w.m, 1, w.now));
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	assert_string_equal(a->sheet.command, "CLUSTER FAILOVER FORCE");
	assert_false(action_confirmed(a, "127.0.0.1:7004"));
	assert_true(action_confirmed(a, "FORCE 127.0.0.1:7004"));
	assert_true(has_line(a, "FORCE", "what it has not replicated is lost"));
	/* the master is back: FORCE is what was chosen, it stays */
	cluster_nodes(&w, 7002, LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")
					LINE_MASTER(CID1, 7001, "", "", 1, " 0-5460"));
	link_up(&w, 7001);
	assert_true(action_recheck(a, w.m, w.now));
	assert_true(action_choose(a, w.m, 0, w.now));
	assert_string_equal(a->sheet.command, "CLUSTER FAILOVER");
	assert_false(action_choose(a, w.m, 2, w.now));
	/* and the other way round */
	info_replica_as(&w, id_at(&w, 7004), "cluster", 7004, HOST, 7001, 100,
			"master_link_status:down\r\n");
	not_sent(a, &w, "only FORCE can do it");
	info_replica_as(&w, id_at(&w, 7004), "cluster", 7004, HOST, 7001, 100, INFO_LINKED);
	link_lost(&w, 7004);
	blocked(&w, &action_failover, 7004, "127.0.0.1:7004 does not answer");
	blocked(&w, &action_failover, 7001, "no replica of this shard answers");
	world_end(&w);
}

/* The replica on the sheet stays the one, though another has a little more of the data by now. */
static void cluster_keeps_the_candidate(void **state)
{
	struct world w = cluster_world();
	(void)state;
	cluster_nodes(&w, 7001, LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-5460")
					LINE_SLAVE(CID5, 7005, "", "", CID1, 1));
	cluster_nodes(&w, 7005, LINE_SLAVE(CID5, 7005, "myself,", "", CID1, 1));
	info_replica_as(&w, id_at(&w, 7005), "cluster", 7005, HOST, 7001, 100, INFO_LINKED);
	info_master_as(&w, id_at(&w, 7001), "cluster", 7001, 100,
		       LISTED(0, 7004, 100) LISTED(1, 7005, 90));
	struct action *a = open_on(&w, &action_failover, 7001);
	assert_string_equal(a->sheet.confirm, "127.0.0.1:7004");
	info_master_as(&w, id_at(&w, 7001), "cluster", 7001, 200,
		       LISTED(0, 7004, 190) LISTED(1, 7005, 200));
	assert_true(action_recheck(a, w.m, w.now));
	/* but not when it is no replica any more */
	info_master_as(&w, id_at(&w, 7004), "cluster", 7004, 200, "");
	assert_false(action_recheck(a, w.m, w.now));
	action_free(a);
	world_end(&w);
}

static void cluster_recheck_epoch(void **state)
{
	struct world w = cluster_world();
	struct action *a = open_on(&w, &action_failover, 7004);
	(void)state;
	cluster_nodes(&w, 7001, LINE_MASTER(CID1, 7001, "myself,", "", 8, " 0-5460"));
	not_sent(a, &w, "the epoch has changed");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cluster_seconded_by_the_old_master),
		cmocka_unit_test(cluster_verified),
		cmocka_unit_test(cluster_without_consent),
		cmocka_unit_test(cluster_runs_out),
		cmocka_unit_test(cluster_half),
		cmocka_unit_test(cluster_forced),
		cmocka_unit_test(cluster_keeps_the_candidate),
		cmocka_unit_test(cluster_recheck_epoch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
