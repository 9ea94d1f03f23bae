/* RESET of the Sentinels, one after the other: when it is refused, what is waited for, when it ends. */
#include "config.h"

#include "actions.h"
#include "model/agreement.h"

static void sheet(void **state)
{
	struct world w = known_world();
	struct action *a = open_on(&w, &action_reset, 21001);
	(void)state;
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	assert_string_equal(a->sheet.command, "SENTINEL RESET mymaster");
	assert_string_equal(a->sheet.confirm, "mymaster");
	assert_has(a->sheet.target, "3 Sentinels, one after the other");
	assert_true(has_line(a, "forgotten", "nobody"));
	assert_true(has_line(a, "blind", "each for 2 to 10 s"));
	assert_true(has_line(a, "Sentinel", "26003  knows the master, all replicas and Sentinels"));
	assert_false(action_confirmed(a, ""));
	action_free(a);
	world_end(&w);
}

/* The argument is a pattern. */
static void globs(void **state)
{
	struct world w = world_new();
	const char *name = "my*[m]?\\";
	(void)state;
	target(&w, 26001);
	link_up(&w, 26001);
	info_sentinel(&w, id_at(&w, 26001), 26001);
	struct sentinel_instance item = instance(name, 21001, SFLAG_MASTER);
	listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, 26001), NULL, &item, 1);
	struct action *a = open_on(&w, &action_reset, 26001);
	assert_string_equal(a->argv[2], "my\\*\\[m\\]\\?\\\\");
	assert_string_equal(a->sheet.confirm, name);
	action_free(a);
	world_end(&w);
}

static void refused_before(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++) {
		struct world w = known_world();
		const char *why = NULL;
		switch (i) {
		case 0:
			link_lost(&w, 26003);
			why = "only 2 Sentinels answer";
			break;
		case 1:
			message(&w, 26001, "+try-failover", "master mymaster 127.0.0.1 21001");
			why = "a failover is running";
			break;
		case 2:
			masters(&w, 26002, 21001, 0, SFLAG_S_DOWN);
			why = "26002 calls the master down";
			break;
		case 3:
			link_lost(&w, 21001);
			why = "the master does not answer";
			break;
		case 4:
			masters(&w, 26002, 21001, 1, 0);
			why = "names another master or epoch";
			break;
		case 5:
			link_lost(&w, 21002);
			why = "21002 does not answer any more";
			break;
		case 6:
			link_lost(&w, 21002);
			for (int port = 26001; port <= 26003; port++)
				knows_all(&w, port, 21002);
			why = "21002 is down, but not for long enough to be a ghost";
			break;
		case 7:
			/* Two know nobody: the one that is left would be blind next. */
			knows_nobody(&w, 26001);
			knows_nobody(&w, 26002);
			why = "only 1 others know the whole set (127.0.0.1:2600";
			break;
		case 8:
			infof(&w, id_at(&w, 26003),
			      INFO_HEAD "# Sentinel\r\nsentinel_masters:1\r\nsentinel_tilt:1\r\n", "sentinel",
			      26003);
			why = "26003 is in TILT";
			break;
		default:
			break;
		}
		blocked(&w, &action_reset, 21003, why);
		world_end(&w);
	}
}

/* One that knows nobody is as good as blind: it goes first, and the two that know all stay. */
static void blind_one_first(void **state)
{
	struct world w = known_world();
	(void)state;
	knows_nobody(&w, 26003);
	struct action *a = open_on(&w, &action_reset, 21001);
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	assert_int_equal(target_port(&w, a, 0), 26003);
	assert_int_equal(a->target_count, 3);
	action_free(a);
	world_end(&w);
}

static void only_sentinels(void **state)
{
	struct world w = cluster_world();
	const struct node *n = node_at(&w, 7001);
	const struct action_context on = { n->deployment_id, n->group_id, n->id };
	(void)state;
	assert_false(action_applies(&action_reset, &on, w.m, w.now));
	assert_false(action_applies(&action_set_quorum, &on, w.m, w.now));
	assert_false(action_applies(&action_ckquorum, &on, w.m, w.now));
	assert_true(action_applies(&action_failover, &on, w.m, w.now));
	assert_true(action_applies(&action_bgsave, &on, w.m, w.now));
	blocked(&w, &action_reset, 7001, "no Sentinel watches this master");
	world_end(&w);
}

/* Target `index` has answered and knows nobody; the next one is not due before it knows all. */
static void one_turn(struct world *w, struct action *a, size_t index)
{
	int port = target_port(w, a, index);
	action_replied(a, w->m, index, ANSWER_OK, "1", w->now);
	assert_int_equal(a->stage, ACTION_ACCEPTED);
	assert_false(action_follow(a, w->m, w->now));
	w->now += 1000;
	/* What was read before says nothing. */
	assert_false(action_follow(a, w->m, w->now));
	knows_nobody(w, port);
	assert_false(action_follow(a, w->m, w->now));
	assert_has(a->sheet.outcome, "it knows 0 of 2 replicas and 1 of 3 Sentinels");
	assert_int_equal(a->due, index + 1);
	w->now += 1000;
	knows_all(w, port, 21003);
	assert_false(action_follow(a, w->m, w->now));
	assert_has(a->sheet.outcome, "1 of 2 replicas and 3 of 3 Sentinels");
	w->now += 1000;
	all_know_all(w);
	assert_true(action_follow(a, w->m, w->now));
}

static void goes_in_turn(void **state)
{
	struct world w = known_world();
	struct action *a = open_on(&w, &action_reset, 21001);
	(void)state;
	sent(a, &w);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(a->due, i + 1);
		one_turn(&w, a, i);
		if (i < 2) {
			assert_int_equal(a->stage, ACTION_SENT);
			assert_has(a->outcome, "knew all again after 3.0 s");
			/* each row is of now */
			assert_true(has_line(a, "Sentinel", "reset, knew all again after 3.0 s"));
			assert_int_equal(has_line(a, "Sentinel", "not reset"), i == 0);
			assert_false(has_line(a, "Sentinel", "knows the master, all"));
			assert_int_equal(action_target_now(a), a->target_ids[i + 1]);
			w.now += 5;
		}
	}
	assert_int_equal(a->stage, ACTION_VERIFIED);
	assert_string_equal(a->outcome,
			    "3 of 3 Sentinels were reset and know 2 replicas and 3 Sentinels again, each "
			    "within 3.0 s; forgotten: nobody");
	action_free(a);
	world_end(&w);
}

/* The one that was reset knows all again, but what the others said is from before. */
static void others_are_asked_again(void **state)
{
	struct world w = known_world();
	struct action *a = open_on(&w, &action_reset, 21001);
	(void)state;
	sent(a, &w);
	action_replied(a, w.m, 0, ANSWER_OK, "1", w.now);
	w.now += 3000;
	knows_all(&w, target_port(&w, a, 0), 0);
	assert_false(action_follow(a, w.m, w.now));
	assert_has(a->sheet.outcome, "it has not been asked since");
	knows_all(&w, target_port(&w, a, 2), 0);
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->due, 2);
	action_free(a);
	world_end(&w);
}

static struct action *first_turn_of(struct world *w)
{
	struct action *a = open_on(w, &action_reset, 21001);
	sent(a, w);
	return a;
}

static void stops(void **state)
{
	(void)state;
	for (int i = 0; i < 7; i++) {
		struct world w = known_world();
		struct action *a = first_turn_of(&w);
		enum action_stage stage = ACTION_FAILED;
		const char *words = NULL;
		if (i > 2)
			action_replied(a, w.m, 0, ANSWER_OK, "1", w.now);
		w.now += 1000;
		switch (i) {
		case 0:
			action_replied(a, w.m, 0, ANSWER_REFUSED,
				       "NOPERM this user has no permissions to run the 'sentinel|reset' command",
				       w.now);
			stage = ACTION_REFUSED;
			words = "the user lacks +sentinel|reset: NOPERM";
			break;
		case 1:
			action_replied(a, w.m, 0, ANSWER_TIMEOUT, NULL, w.now);
			stage = ACTION_UNKNOWN;
			words = "it may be reset all the same; reset: nobody; not reset: 127.0.0.1:2600";
			break;
		case 2:
			action_replied(a, w.m, 0, ANSWER_OK, "0", w.now);
			words = "reset 0 masters where one was meant";
			break;
		case 3:
			message(&w, 26002, "+try-failover", "master mymaster 127.0.0.1 21001");
			words = "stopped, a failover began";
			break;
		case 4:
			masters(&w, 26002, 21001, 0, SFLAG_S_DOWN);
			words = "stopped, the master is called down";
			break;
		case 5:
			knows_nobody(&w, target_port(&w, a, 0));
			assert_false(action_follow(a, w.m, w.now));
			w.now += 60000;
			words = "it knows 0 of 2 replicas";
			break;
		case 6:
			/* It knows all again, but another does not: its turn never comes. */
			all_know_all(&w);
			knows_nobody(&w, target_port(&w, a, 2));
			assert_false(action_follow(a, w.m, w.now));
			assert_int_equal(a->due, 1);
			w.now += 60000;
			words = "0 of 2 replicas";
			break;
		default:
			break;
		}
		action_follow(a, w.m, w.now);
		assert_int_equal(a->stage, stage);
		assert_has(a->outcome, words);
		action_free(a);
		world_end(&w);
	}
}

/* What was read must hold when it is sent. */
static void changed_meanwhile(void **state)
{
	struct world w = known_world();
	struct action *a = open_on(&w, &action_reset, 21001);
	const int more[] = { 21002, 21003, 21004, 0 };
	(void)state;
	list_of(&w, ASK_SENTINEL_REPLICAS, 26001, more, SFLAG_SLAVE, 0);
	assert_false(action_recheck(a, w.m, w.now));
	assert_int_equal(a->sheet.state, SHEET_BLOCKED);
	assert_has(a->sheet.outcome, "not sent: ");
	action_free(a);
	world_end(&w);
}

/* --- ghosts ------------------------------------------------------------------------------------ */

static void others_of(int sentinel, int ghost, int out[5])
{
	size_t count = 0;
	for (int port = 26001; port <= 26003; port++)
		if (port != sentinel)
			out[count++] = port;
	out[count++] = ghost;
	out[count] = 0;
}

static void ghost_lists(struct world *w, const struct action *done, size_t count)
{
	const int replicas[] = { 21002, 21003, 21009, 0 };
	for (int port = 26001; port <= 26003; port++) {
		int others[5];
		bool was_reset = false;
		for (size_t i = 0; i < count; i++)
			was_reset |= target_port(w, done, i) == port;
		if (was_reset) {
			knows_all(w, port, 0);
			continue;
		}
		others_of(port, 26009, others);
		masters(w, port, 21001, 0, 0);
		list_of(w, ASK_SENTINEL_REPLICAS, port, replicas, SFLAG_SLAVE, 21009);
		list_of(w, ASK_SENTINEL_SENTINELS, port, others, SFLAG_SENTINEL, 26009);
	}
}

static void ghost_cleared(void **state)
{
	struct world w = known_world();
	(void)state;
	ghost_lists(&w, NULL, 0);
	for (int port = 21009; port != 0; port = port == 21009 ? 26009 : 0)
		link_state(&w, id_at(&w, port), LINK_FAILED, "connection refused");
	blocked(&w, &action_clear_ghost, 26009, "not for long enough to be a ghost");
	w.now += GHOST_AFTER_MS + 1000;
	ghost_lists(&w, NULL, 0);
	const struct action_context well = { node_at(&w, 21002)->deployment_id,
					     node_at(&w, 21002)->group_id, id_at(&w, 21002) };
	assert_false(action_applies(&action_clear_ghost, &well, w.m, w.now));
	struct action *a = open_on(&w, &action_clear_ghost, 26009);
	assert_true(action_applies(&action_clear_ghost, &a->on, w.m, w.now));
	assert_true(has_line(a, "forgotten", "127.0.0.1:21009, a replica that nobody reaches"));
	assert_true(has_line(a, "forgotten", "127.0.0.1:26009, a Sentinel that nobody reaches"));
	assert_true(has_line(a, "is it safe", "learnt again"));
	assert_string_equal(a->sheet.command, "SENTINEL RESET mymaster");
	sent(a, &w);
	for (size_t i = 0; i < 3; i++) {
		action_replied(a, w.m, i, ANSWER_OK, "1", w.now);
		w.now += 2000;
		/* The others have it in their lists still. */
		ghost_lists(&w, a, i + 1);
		assert_true(action_follow(a, w.m, w.now));
		w.now += 5;
	}
	assert_int_equal(a->stage, ACTION_VERIFIED);
	assert_has(a->outcome, "forgotten: 127.0.0.1:2");
	assert_has(a->outcome, "127.0.0.1:21009");
	action_free(a);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sheet),	   cmocka_unit_test(globs),
		cmocka_unit_test(refused_before),  cmocka_unit_test(blind_one_first),
		cmocka_unit_test(only_sentinels),  cmocka_unit_test(goes_in_turn),
		cmocka_unit_test(stops),	   cmocka_unit_test(changed_meanwhile),
		cmocka_unit_test(ghost_cleared),   cmocka_unit_test(others_are_asked_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
