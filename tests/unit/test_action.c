/* What holds for each action: whom it is for, what has changed since the sheet was opened, one at a time,
 * the log. And CKQUORUM, which is the simplest. */
#include "config.h"

#include "actions.h"

/* --- Sentinel ---------------------------------------------------------------------------------- */

/* The selection is what the sheet acts on: a node or group of elsewhere is not taken along. */
static void other_deployment(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	target(&w, 7001);
	link_up(&w, 7001);
	info_master_as(&w, id_at(&w, 7001), "cluster", 7001, 1, "");
	const struct node *mine = node_at(&w, 21001), *other = node_at(&w, 7001);
	const struct action_context mixed[] = {
		{ other->deployment_id, mine->group_id, 0 },
		{ mine->deployment_id, mine->group_id, other->id },
		{ other->deployment_id, mine->group_id, mine->id },
	};
	const struct action_kind *const kinds[] = { &action_failover, &action_ckquorum };
	for (size_t i = 0; i < 6; i++) {
		struct action *a = action_open(kinds[i % 2], &mixed[i / 2], w.m, NULL, w.now);
		assert_int_equal(a->sheet.state, SHEET_BLOCKED);
		assert_has(a->sheet.outcome, "belongs to another deployment; select again");
		action_free(a);
	}
	/* a Sentinel stands for its master */
	const struct action_context sentinel = { mine->deployment_id, mine->group_id, id_at(&w, 26002) };
	struct action *a = action_open(&action_failover, &sentinel, w.m, NULL, w.now);
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	action_free(a);
	world_end(&w);
}

/* The id stays, the process behind it does not. */
static void recheck_sees_another_process(void **state)
{
	static const int restarted[] = { 21001, 26001, 26002, 26003 };
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct world w = sentinel_world();
		struct action *a = open_on(&w, &action_failover, 21001);
		int port = restarted[i];
		if (port == 21001)
			info_master_as(&w, id_at(&w, port), "standalone", 99, 5000,
				       LISTED(0, 21002, 5000));
		else
			info_sentinel(&w, id_at(&w, port), 99);
		if (port != 21001 && a->target_ids[0] != id_at(&w, port)) {
			assert_true(action_recheck(a, w.m, w.now));
			action_free(a);
		} else {
			not_sent(a, &w, "is another process now");
		}
		world_end(&w);
	}
}

/* A service name as target: its id goes along when it leads to the promoted replica. */
static void moving_address_is_another_master(void **state)
{
	struct world w;
	uint32_t vip = moving_world(&w);
	(void)state;
	struct action *idle = open_on(&w, &action_failover, 21001);
	struct action *a = open_on(&w, &action_failover, 21001);
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	assert_int_equal(a->old_master_id, vip);
	action_sent(a, w.now);
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	w.now += 700;
	address_moves(&w, vip);
	assert_int_equal(id_at(&w, 21002), vip);
	assert_false(action_recheck(idle, w.m, w.now));
	link_up(&w, 21001);
	info_replica(&w, 21001, 21002, 20);
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_VERIFIED);
	assert_has(a->outcome, "new master 127.0.0.1:21002");
	action_free(idle);
	action_free(a);
	world_end(&w);
}

static void one_at_a_time(void **state)
{
	struct world w = cluster_world();
	const struct node *master = node_at(&w, 7001), *replica = node_at(&w, 7004);
	const struct action_context same = { master->deployment_id, master->group_id, master->id };
	const struct action_context group = { master->deployment_id, master->group_id, 0 };
	const struct action_context moved = { master->deployment_id, 999, replica->id };
	const struct action_context other = { master->deployment_id, node_at(&w, 7002)->group_id,
					      id_at(&w, 7002) };
	struct action *a = open_on(&w, &action_failover, 7001);
	(void)state;
	assert_false(action_conflicts(a, &same));
	action_sent(a, w.now);
	assert_true(action_conflicts(a, &same));
	assert_true(action_conflicts(a, &moved));
	assert_true(action_conflicts(a, &group));
	assert_false(action_conflicts(a, &other));
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	assert_true(action_conflicts(a, &same));
	action_end(a, ACTION_FAILED, "x");
	assert_false(action_conflicts(a, &same));
	action_free(a);
	world_end(&w);
	w = sentinel_world();
	const struct action_context on = { only_deployment(&w)->id, group_of(&w, 21001)->id, 0 };
	a = action_open(&action_ckquorum, &on, w.m, NULL, w.now);
	action_sent(a, w.now);
	assert_false(action_conflicts(a, &on));
	action_free(a);
	world_end(&w);
}

/* A name with bytes that a terminal would act on is shown escaped; the escape is another name. */
static void cleaned_name(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance item = instance("mymaster", 21001, SFLAG_MASTER);
	(void)state;
	struct parser *p = parser_new();
	for (int bad = 0; bad <= 1; bad++) {
		char resp[160];
		snprintf(resp, sizeof(resp),
			 "*1\r\n*6\r\n$4\r\nname\r\n$3\r\na%cb\r\n$2\r\nip\r\n$9\r\n127.0.0.1\r\n"
			 "$4\r\nport\r\n$5\r\n21001\r\n",
			 bad ? '\x1b' : '-');
		struct observation o = captured_parse_text(p, resp, ASK_SENTINEL_MASTERS);
		assert_int_equal(o.u.list->count, 1);
		assert_int_equal(o.u.list->items[0].name_cleaned, bad);
	}
	parser_free(p);
	item.name_cleaned = true;
	for (int port = 26001; port <= 26003; port++)
		listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, port), NULL, &item, 1);
	blocked(&w, &action_failover, 21001, "its name holds bytes that cannot be sent back");
	struct action *a = open_on(&w, &action_ckquorum, 21001);
	assert_has(a->sheet.outcome, "its name holds bytes that cannot be sent back");
	action_free(a);
	world_end(&w);
}

static void read_only(void **state)
{
	struct world w = sentinel_world();
	const struct node *n = node_at(&w, 21001);
	const struct action_context on = { n->deployment_id, n->group_id, n->id };
	(void)state;
	struct action *a = action_open(&action_failover, &on, w.m, "read-only", w.now);
	assert_int_equal(a->sheet.state, SHEET_BLOCKED);
	assert_has(a->sheet.outcome, "read-only");
	assert_false(action_confirmed(a, "mymaster"));
	action_free(a);
	a = action_open(&action_ckquorum, &on, w.m, "read-only", w.now);
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	assert_string_equal(a->sheet.confirm, "");
	action_free(a);
	world_end(&w);
}

/* --- ckquorum ---------------------------------------------------------------------------------- */

static void ckquorum_all(void **state)
{
	(void)state;
	for (int bad = 0; bad < 3; bad++) {
		struct world w = sentinel_world();
		struct action *a = open_on(&w, &action_ckquorum, 21001);
		assert_int_equal(a->target_count, 3);
		assert_string_equal(a->sheet.command, "SENTINEL CKQUORUM mymaster");
		assert_true(action_recheck(a, w.m, w.now));
		action_sent(a, w.now);
		action_replied(a, w.m, 0, ANSWER_OK, "OK 3 usable Sentinels.", w.now);
		action_replied(a, w.m, 1, bad == 1 ? ANSWER_REFUSED : ANSWER_OK,
			       bad == 1 ? "NOQUORUM 1 usable Sentinels." : "OK 3", w.now);
		assert_false(action_is_over(a));
		action_replied(a, w.m, 2, bad == 2 ? ANSWER_TIMEOUT : ANSWER_OK, bad == 2 ? NULL : "OK 3",
			       w.now);
		assert_int_equal(a->stage, bad ? ACTION_FAILED : ACTION_VERIFIED);
		assert_string_equal(a->outcome, bad ? "2 of 3 Sentinels: OK" : "3 of 3 Sentinels: OK");
		if (bad)
			assert_true(has_line(a, "reply", bad == 1 ? "NOQUORUM" : "no reply in time"));
		action_free(a);
		world_end(&w);
	}
}

static void ckquorum_of_one(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	link_lost(&w, 26001);
	link_lost(&w, 26002);
	struct action *a = open_on(&w, &action_ckquorum, 21001);
	assert_int_equal(a->target_count, 1);
	assert_has(a->sheet.target, "127.0.0.1:26003");
	action_sent(a, w.now);
	action_replied(a, w.m, 0, ANSWER_REFUSED, "NOQUORUM 1 usable Sentinels.", w.now);
	assert_int_equal(a->stage, ACTION_FAILED);
	action_free(a);
	link_lost(&w, 26003);
	a = open_on(&w, &action_ckquorum, 21001);
	assert_has(a->sheet.outcome, "no Sentinel answers");
	action_free(a);
	world_end(&w);
	w = cluster_world();
	a = open_on(&w, &action_ckquorum, 7001);
	assert_has(a->sheet.outcome, "no Sentinel watches this master");
	action_free(a);
	/* nothing to undo where nothing can be done */
	a = open_on(&w, &action_set_quorum, 7001);
	assert_int_equal(a->sheet.state, SHEET_BLOCKED);
	assert_int_equal(a->sheet.line_count, 0);
	action_free(a);
	world_end(&w);
}

/* --- what the log says --------------------------------------------------------------------------- */

static void in_the_log(void **state)
{
	struct world w = sentinel_world();
	struct action *a = failover_sent(&w, 21001);
	struct action_facts facts = { .command = a->sheet.command, .operator_name = "jo from 10.1.1.1" };
	const struct event *e = NULL;
	(void)state;
	for (int i = 0; i < 2; i++) {
		if (i == 1)
			action_replied(a, w.m, 0, ANSWER_REFUSED, "NOGOODSLAVE none", w.now);
		action_facts_fill(a, &facts);
		struct observation o = observe(&w, ASK_ACTION, a->target_ids[0]);
		o.u.action = &facts;
		apply(&w, &o);
	}
	assert_int_equal(count_events(&w, EVENT_ACTION, &e), 2);
	assert_int_equal(e->severity, SEVERITY_CRITICAL);
	assert_string_equal(e->subject, "mymaster");
	assert_has(e->detail, "refused: SENTINEL FAILOVER mymaster -> refused: NOGOODSLAVE none");
	assert_has(e->detail, "by jo from 10.1.1.1");
	action_free(a);
	world_end(&w);
}

/* All of them or none: "16 of 16 agree" must not stand for 17. */
static void ckquorum_of_too_many(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	for (int port = 26004; port <= 26003 + ACTION_TARGETS_MAX - 2; port++) {
		struct sentinel_instance item = instance("s", port, SFLAG_SENTINEL);
		snprintf(item.run_id, ID_BYTES, "%040d", port);
		listed(&w, ASK_SENTINEL_SENTINELS, id_at(&w, 26001), "mymaster", &item, 1);
		link_up(&w, port);
		info_sentinel(&w, id_at(&w, port), port);
		masters(&w, port, 21001, 0, 0);
		struct action *a = open_on(&w, &action_ckquorum, 21001);
		if (port <= 26000 + ACTION_TARGETS_MAX) {
			assert_int_equal(a->target_count, port - 26000);
			assert_int_equal(a->sheet.state, SHEET_CONFIRM);
		} else {
			assert_int_equal(a->sheet.state, SHEET_BLOCKED);
			assert_has(a->sheet.outcome, "more than 16 Sentinels answer: too many for one action");
		}
		action_free(a);
	}
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_deployment),
		cmocka_unit_test(recheck_sees_another_process),
		cmocka_unit_test(moving_address_is_another_master),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(cleaned_name),
		cmocka_unit_test(read_only),
		cmocka_unit_test(ckquorum_all),
		cmocka_unit_test(ckquorum_of_one),
		cmocka_unit_test(in_the_log),
		cmocka_unit_test(ckquorum_of_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
