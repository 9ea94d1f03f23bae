/* Can it fail over now? Each reason against it, what it weighs, and the one line. */
#include "candidates.h"

#include "model/readiness.h"

static struct readiness look(const struct world *w)
{
	struct readiness r;
	readiness_of(w->m, only_deployment(w)->groups[0], w->now, &r);
	return r;
}

/* The only reason, its weight and its words; the verdict is its. */
static void assert_only(const struct world *w, enum ready verdict, const char *words)
{
	struct readiness r = look(w);
	if (r.reason_count != 1)
		fail_msg("%zu reasons: %s", r.reason_count, r.text);
	assert_string_equal(ready_name(r.reasons[0].verdict), ready_name(verdict));
	assert_string_equal(ready_name(r.verdict), ready_name(verdict));
	assert_has(r.reasons[0].text, words);
}

static void ckquorum(struct world *w, int sentinel_port, bool ok, const char *words)
{
	struct ckquorum_facts f = { .ok = ok, .usable = 1 };
	struct observation o = observe(w, ASK_SENTINEL_CKQUORUM, id_at(w, sentinel_port));
	snprintf(f.message, sizeof(f.message), "%s", words);
	o.u.ckquorum = &f;
	o.arg = "mymaster";
	apply(w, &o);
}

static void ready(void **state)
{
	struct world w = listed_world();
	struct readiness r = look(&w);
	(void)state;
	assert_int_equal(r.verdict, READY_YES);
	assert_int_equal(r.reason_count, 0);
	assert_true(r.possible_in_ms == FACT_UNKNOWN);
	assert_string_equal(r.text, "failover ok: 3 of 3 Sentinels, 2 needed, 127.0.0.1:21002 next after a crash, one of 2 by hand");
	assert_true(r.differs_by_hand);
	world_end(&w);
}

/* --- votes ------------------------------------------------------------------------------------- */

static void too_few_sentinels(void **state)
{
	struct world w = listed_world();
	(void)state;
	link_lost(&w, 26003);
	assert_int_equal(look(&w).verdict, READY_YES); /* two of three are a majority */
	link_lost(&w, 26002);
	/* sentinel.c:sentinelFailoverWaitStart: an operator's needs no votes. */
	assert_only(&w, READY_DOUBTFUL, "1 of 3 Sentinels answer and can act, 2 must vote for a leader (quorum 2)");
	assert_has(look(&w).text, "failover by hand only: 1 of 3 Sentinels");
	/* The one that is left says that it hears the others: only redoubt does not. */
	ckquorum(&w, 26001, true, "OK 3 usable Sentinels. Quorum and failover authorization can be reached");
	assert_only(&w, READY_DOUBTFUL, "1 of 3 Sentinels answer");
	assert_has(look(&w).text, "doubtful: 1 of 3");
	link_lost(&w, 26001);
	struct readiness r = look(&w);
	assert_int_equal(r.verdict, READY_NO);
	assert_string_equal(r.reasons[r.reason_count - 1].text, "no Sentinel answers");
	world_end(&w);
}

/* Ghosts raise the majority: sentinel.c counts every Sentinel ever known. */
static void ghosts_count(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance s = instance("mymaster", 21001, SFLAG_MASTER);
	(void)state;
	s.config_epoch = 0;
	s.num_other_sentinels = 6;
	for (int port = 26001; port <= 26003; port++)
		listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, port), NULL, &s, 1);
	assert_only(&w, READY_DOUBTFUL, "3 of 7 Sentinels answer and can act, 4 must vote");
	world_end(&w);
}

/* A quorum above the majority is needed as well. */
static void high_quorum(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance s = instance("mymaster", 21001, SFLAG_MASTER);
	(void)state;
	s.config_epoch = 0;
	s.quorum = 3;
	for (int port = 26001; port <= 26003; port++)
		listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, port), NULL, &s, 1);
	assert_int_equal(look(&w).verdict, READY_YES);
	link_lost(&w, 26003);
	assert_only(&w, READY_DOUBTFUL, "2 of 3 Sentinels answer and can act, 3 must vote for a leader (quorum 3)");
	world_end(&w);
}

static void tilt(struct world *w, int port)
{
	infof(w, id_at(w, port), INFO_HEAD "sentinel_masters:1\r\nsentinel_tilt:1\r\n", "sentinel", port);
}

static void tilted(void **state)
{
	struct world w = listed_world();
	(void)state;
	tilt(&w, 26001);
	assert_only(&w, READY_DOUBTFUL, "1 Sentinel in TILT: distrusts its clock and does not act");
	tilt(&w, 26002);
	struct readiness r = look(&w);
	assert_int_equal(r.verdict, READY_DOUBTFUL); /* at the one that is not */
	assert_string_equal(ready_words(&r), "failover by hand only");
	assert_int_equal(r.reason_count, 2);
	assert_has(r.reasons[0].text, "1 of 3 Sentinels answer and can act");
	assert_has(r.reasons[1].text, "2 Sentinels in TILT");
	tilt(&w, 26003);
	r = look(&w);
	assert_int_equal(r.verdict, READY_NO);
	assert_string_equal(ready_words(&r), "NO failover");
	world_end(&w);
}

static void ckquorum_of_each(void **state)
{
	struct world w = listed_world();
	(void)state;
	ckquorum(&w, 26001, true, "OK 3 usable Sentinels.");
	assert_int_equal(look(&w).verdict, READY_YES);
	ckquorum(&w, 26002, false, "NOQUORUM 1 usable Sentinels.");
	assert_only(&w, READY_DOUBTFUL, "CKQUORUM of 127.0.0.1:26002: NOQUORUM 1 usable Sentinels.");
	ckquorum(&w, 26001, false, "NOQUORUM 1 usable Sentinels.");
	assert_only(&w, READY_DOUBTFUL, "CKQUORUM of 127.0.0.1:26002 and 1 more: NOQUORUM");
	assert_has(look(&w).text, "failover by hand only: CKQUORUM");
	/* The whole of it would be cut in the middle of a word. */
	ckquorum(&w, 26001, false, "NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the "
				   "specified quorum for this master.");
	assert_has(look(&w).text, "CKQUORUM of 127.0.0.1:26002 and 1 more: NOQUORUM 1 usable Sentinels");
	/* Nobody repeated it for as long as three Sentinels may take, at any interval. */
	tick(&w, 180000);
	assert_int_equal(look(&w).reason_count, 1);
	tick(&w, 1);
	assert_int_equal(look(&w).reason_count, 0);
	world_end(&w);
}

/* --- whom -------------------------------------------------------------------------------------- */

static void no_good_replica(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002), b = good(21003);
	(void)state;
	a.priority = 0;
	b.flags |= SFLAG_S_DOWN;
	for (int port = 26001; port <= 26003; port++)
		lists(&w, port, a, b);
	struct readiness r = look(&w);
	assert_int_equal(r.verdict, READY_NO);
	assert_int_equal(r.reason_count, 2);
	assert_string_equal(r.reasons[0].text, "127.0.0.1:21002 cannot be promoted: replica-priority 0");
	assert_string_equal(r.reasons[1].text, "127.0.0.1:21003 cannot be promoted: held for down");
	assert_string_equal(r.text, "NO failover: 127.0.0.1:21002 cannot be promoted: replica-priority 0");
	world_end(&w);
}

static void no_replica_at_all(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	tick(&w, 1);
	for (int port = 26001; port <= 26003; port++)
		listed(&w, ASK_SENTINEL_REPLICAS, id_at(&w, port), "mymaster", NULL, 0);
	assert_only(&w, READY_NO, "no replica is known that could be promoted");
	world_end(&w);
}

static void not_known(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 26001);
	link_up(&w, 26001);
	info_sentinel(&w, id_at(&w, 26001), 26001);
	struct sentinel_instance s = instance("mymaster", 21001, SFLAG_MASTER);
	s.config_epoch = s.num_other_sentinels = 0;
	s.quorum = 1;
	listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, 26001), NULL, &s, 1);
	assert_only(&w, READY_UNKNOWN, "this Sentinel has not listed its replicas yet");
	assert_has(look(&w).text, "failover not known: ");
	world_end(&w);
}

static void would_choose_differently(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002);
	(void)state;
	a.flags |= SFLAG_DISCONNECTED;
	lists(&w, 26003, a, good(21003));
	assert_only(&w, READY_DOUBTFUL, "Sentinels differ on whom to promote: 127.0.0.1:26001 takes 127.0.0.1:21002");
	world_end(&w);
}

/* --- the last failover ------------------------------------------------------------------------- */

static void running(void **state)
{
	struct world w = listed_world();
	(void)state;
	tick(&w, 1000);
	message(&w, 26001, "+try-failover", "master mymaster 127.0.0.1 21001");
	tick(&w, 1200);
	assert_only(&w, READY_NO, "failover running: electing a leader 1.2 s");
	world_end(&w);
}

/* Who tried, or voted, waits twice failover-timeout before the next try. */
static void given_up(void **state)
{
	struct world w = listed_world();
	(void)state;
	tick(&w, 1000);
	message(&w, 26001, "+try-failover", "master mymaster 127.0.0.1 21001");
	tick(&w, 5000);
	message(&w, 26001, "-failover-abort-not-elected", "master mymaster 127.0.0.1 21001");
	assert_only(&w, READY_DOUBTFUL,
		    "the last one began 5 s ago and failed: the Sentinels start none by themselves for 15 s more");
	assert_int_equal(look(&w).possible_in_ms, 15000);
	tick(&w, 14999);
	assert_int_equal(look(&w).possible_in_ms, 1);
	tick(&w, 1);
	assert_int_equal(look(&w).reason_count, 0);
	assert_true(look(&w).possible_in_ms == FACT_UNKNOWN);
	world_end(&w);
}

/* sentinel.c:sentinelResetMaster: who switched may try again at once. */
static void done(void **state)
{
	struct world w = listed_world();
	(void)state;
	tick(&w, 1000);
	message(&w, 26001, "+try-failover", "master mymaster 127.0.0.1 21001");
	message(&w, 26001, "+selected-slave", "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001");
	info_master(&w, 21002, 5000, "");
	message(&w, 26001, "+failover-end", "master mymaster 127.0.0.1 21001");
	for (int port = 26001; port <= 26003; port++) {
		message(&w, port, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002");
		masters(&w, port, 21002, 1, 0);
	}
	info_replica(&w, 21001, 21002, 5000);
	info_replica(&w, 21003, 21002, 5000);
	tick(&w, 4000);
	for (int port = 26001; port <= 26003; port++)
		lists(&w, port, good(21001), good(21003));
	assert_only(&w, READY_YES, "the last failover ended 4 s ago");
	assert_has(look(&w).text, "failover ok: 3 of 3 Sentinels");
	assert_true(look(&w).possible_in_ms == FACT_UNKNOWN);
	tick(&w, 16000);
	assert_int_equal(look(&w).reason_count, 0);
	world_end(&w);
}

/* --- what else --------------------------------------------------------------------------------- */

static void disagreement(void **state)
{
	struct world w = listed_world();
	(void)state;
	masters(&w, 26003, 21003, 0, 0);
	assert_only(&w, READY_DOUBTFUL, "two masters named for 0 s: 127.0.0.1:21001");
	world_end(&w);
}

static void permission(void **state)
{
	struct world w = listed_world();
	struct observation o = observe(&w, ASK_SENTINEL_CKQUORUM, id_at(&w, 26002));
	(void)state;
	o.answer = ANSWER_REFUSED;
	o.error = ERROR_NOPERM;
	o.text = "NOPERM this user has no permissions to run the 'sentinel|ckquorum' command";
	o.arg = "mymaster";
	apply(&w, &o);
	assert_only(&w, READY_DOUBTFUL, "Sentinel 127.0.0.1:26002: ");
	world_end(&w);
}

static void refused_by_hand(void **state)
{
	struct world w = listed_world();
	struct action_facts a = { .action_id = 1, .stage = ACTION_REFUSED, .name = "failover",
				  .subject = "mymaster", .command = "SENTINEL FAILOVER mymaster",
				  .operator_name = "me", .outcome = "NOPERM no permission for sentinel|failover" };
	struct observation o = observe(&w, ASK_ACTION, id_at(&w, 26001));
	(void)state;
	o.u.action = &a;
	apply(&w, &o);
	tick(&w, 3000);
	assert_only(&w, READY_DOUBTFUL, "by hand: the user lacks +sentinel|failover at 127.0.0.1:26001, said 3 s ago");
	world_end(&w);
}

/* More reasons than there is room for: the verdict is still the worst one's. */
static void many_reasons(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002), b = good(21003);
	(void)state;
	a.priority = b.priority = 0;
	for (int port = 26001; port <= 26003; port++) {
		tilt(&w, port);
		lists(&w, port, a, b);
		ckquorum(&w, port, false, "NOQUORUM");
	}
	masters(&w, 26003, 21003, 0, 0);
	struct readiness r = look(&w);
	assert_int_equal(r.verdict, READY_NO);
	assert_in_range(r.reason_count, 5, READINESS_REASONS_MAX);
	for (size_t i = 0; i < r.reason_count; i++)
		assert_true(r.reasons[i].verdict <= r.verdict);
	world_end(&w);
}

/* --- clusters and plain sets ------------------------------------------------------------------- */

static struct readiness of_shard(const struct world *w, int port)
{
	struct readiness r;
	readiness_of(w->m, group_of(w, port), w->now, &r);
	return r;
}

static void cluster(void **state)
{
	struct world w = cluster_world();
	(void)state;
	info_master_as(&w, id_at(&w, 7001), "cluster", 7001, 100, LISTED(0, 7004, 100));
	struct readiness r = of_shard(&w, 7001);
	assert_int_equal(r.verdict, READY_YES);
	assert_string_equal(r.text, "failover ok: 2 of 2 others can vote, 127.0.0.1:7004 next");
	/* The lost one cannot vote: with another one gone as well nobody is elected. */
	link_lost(&w, 7002);
	r = of_shard(&w, 7001);
	assert_int_equal(r.verdict, READY_DOUBTFUL);
	assert_string_equal(r.reasons[0].text, "without this master 1 of 3 can vote, 2 must");
	r = of_shard(&w, 7002);
	assert_int_equal(r.verdict, READY_YES); /* it is lost already: the two others do */
	link_lost(&w, 7003);
	r = of_shard(&w, 7001);
	assert_int_equal(r.verdict, READY_NO);
	assert_has(r.text, "0 of the other masters with slots can vote, 2 must");
	world_end(&w);
}

static void no_slots(void **state)
{
	struct world w = cluster_world();
	(void)state;
	cluster_nodes(&w, 7003,
		      LINE_MASTER(CID1, 7001, "", "", 1, " 0-5460")
			  LINE_MASTER(CID2, 7002, "", "", 4, " 5461-16383")
			      LINE_MASTER(CID3, 7003, "myself,", "", 3, "")
				  LINE_SLAVE(CID6, 7006, "", "", CID3, 3));
	cluster_nodes(&w, 7002,
		      LINE_MASTER(CID1, 7001, "", "", 1, " 0-5460")
			  LINE_MASTER(CID2, 7002, "myself,", "", 4, " 5461-16383")
			      LINE_MASTER(CID3, 7003, "", "", 3, "")
				  LINE_SLAVE(CID6, 7006, "", "", CID3, 3));
	struct readiness r = of_shard(&w, 7003);
	assert_int_equal(r.verdict, READY_NO);
	assert_has(r.text, "its master has no slots: the cluster elects nobody");
	world_end(&w);
}

static void plain_set(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 21001);
	link_up(&w, 21001);
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000));
	assert_has(look(&w).text, "NO failover: ");
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 5000);
	struct readiness r = look(&w);
	assert_int_equal(r.verdict, READY_YES);
	assert_string_equal(r.text, "failover by hand only: 127.0.0.1:21002 next");
	world_end(&w);
}

/* The server itself knows FAILOVER only since 6.2. */
static void plain_set_of_old(void **state)
{
	static const struct {
		const char *version;
		enum ready verdict;
	} cases[] = { { "redis_version:5.0.14", READY_NO }, { "redis_version:6.0.20", READY_NO },
		      { "redis_version:6.2.0", READY_YES }, { "redis_version:10.0.1", READY_YES },
		      { "redis_version:7.2.4\r\nvalkey_version:8.0.1", READY_YES } };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w = world_new();
		target(&w, 21001);
		link_up(&w, 21001);
		infof(&w, id_at(&w, 21001), "# Server\r\n%s\r\nredis_mode:standalone\r\nrole:master\r\n"
			  "connected_slaves:1\r\nmaster_repl_offset:5000\r\n" LISTED(0, 21002, 5000),
		      cases[i].version);
		link_up(&w, 21002);
		info_replica(&w, 21002, 21001, 5000);
		struct readiness r = look(&w);
		assert_int_equal(r.verdict, cases[i].verdict);
		if (r.verdict == READY_NO)
			assert_has(r.text, "NO failover: FAILOVER needs Redis 6.2 or later, the master runs ");
		world_end(&w);
	}
}

static void lacks_info(struct world *w, int port)
{
	struct observation o = observe(w, ASK_INFO, id_at(w, port));
	o.answer = ANSWER_REFUSED;
	o.error = ERROR_NOPERM;
	o.text = "NOPERM this user has no permissions to run the 'info' command";
	apply(w, &o);
}

/* All of them, with their count; data nodes as well. */
static void permissions_of_all(void **state)
{
	struct world w = listed_world();
	(void)state;
	lacks_info(&w, 26003);
	assert_only(&w, READY_DOUBTFUL, "Sentinel 127.0.0.1:26003: the user lacks +info");
	lacks_info(&w, 26001);
	assert_only(&w, READY_DOUBTFUL, "Sentinel 127.0.0.1:26001 and 1 more of 3: the user lacks +info");
	lacks_info(&w, 21002);
	lacks_info(&w, 21003);
	struct readiness r = look(&w);
	bool found = false;
	for (size_t i = 0; i < r.reason_count; i++)
		found |= strstr(r.reasons[i].text, "node 127.0.0.1:21002 and 1 more of 3: the user lacks +info") != NULL;
	assert_true(found);
	world_end(&w);
	/* Without Sentinels, too. */
	w = cluster_world();
	lacks_info(&w, 7001);
	r = look(&w);
	assert_int_equal(r.verdict >= READY_DOUBTFUL, true);
	found = false;
	for (size_t i = 0; i < r.reason_count; i++)
		found |= strstr(r.reasons[i].text, "node 127.0.0.1:7001: the user lacks +info") != NULL;
	assert_true(found);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ready),	       cmocka_unit_test(too_few_sentinels),
		cmocka_unit_test(ghosts_count),	       cmocka_unit_test(high_quorum),
		cmocka_unit_test(tilted),	       cmocka_unit_test(ckquorum_of_each),
		cmocka_unit_test(no_good_replica),     cmocka_unit_test(no_replica_at_all),
		cmocka_unit_test(not_known),	       cmocka_unit_test(would_choose_differently),
		cmocka_unit_test(running),	       cmocka_unit_test(given_up),
		cmocka_unit_test(done),		       cmocka_unit_test(disagreement),
		cmocka_unit_test(permission),	       cmocka_unit_test(refused_by_hand),
		cmocka_unit_test(many_reasons),	       cmocka_unit_test(cluster),
		cmocka_unit_test(no_slots),	       cmocka_unit_test(plain_set), cmocka_unit_test(plain_set_of_old),
		cmocka_unit_test(permissions_of_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
