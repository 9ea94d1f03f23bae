/* BGSAVE followed to its end, the test of the connection, and what a menu says of an action. */
#include "config.h"

#include "actions.h"

#define PERSISTENCE                                                                                \
	"# Persistence\r\nloading:%d\r\nrdb_changes_since_last_save:7\r\nrdb_bgsave_in_progress:%d\r\n"      \
	"rdb_last_save_time:%d\r\nrdb_last_bgsave_status:%s\r\nrdb_saves:%d\r\n"                   \
	"current_save_keys_processed:%d\r\ncurrent_save_keys_total:%d\r\naof_rewrite_in_progress:%d\r\n"

struct saving {
	int loading, running, time;
	const char *status;
	int saves, done, all, rewriting;
};

static void says(struct world *w, int run, struct saving s)
{
	infof(w, id_at(w, 21001), INFO_HEAD PERSISTENCE "# Replication\r\nrole:master\r\n", "standalone", run,
	      s.loading, s.running, s.time, s.status, s.saves, s.done, s.all, s.rewriting);
}

static const struct saving idle = { .time = 100, .status = "ok", .saves = 3 };

static struct world saved_world(void)
{
	struct world w = known_world();
	says(&w, 21001, idle);
	return w;
}

static struct action *saving(struct world *w)
{
	struct action *a = open_on(w, &action_bgsave, 21001);
	sent(a, w);
	action_replied(a, w->m, 0, ANSWER_OK, "Background saving started", w->now);
	assert_int_equal(a->stage, ACTION_ACCEPTED);
	return a;
}

static void bgsave_sheet(void **state)
{
	struct world w = saved_world();
	struct action *a = open_on(&w, &action_bgsave, 21001);
	(void)state;
	assert_string_equal(a->sheet.command, "BGSAVE");
	assert_string_equal(a->sheet.confirm, "127.0.0.1:21001");
	assert_true(has_line(a, "to be saved", "7 changes since the last save"));
	assert_true(has_line(a, "master", "forking"));
	action_free(a);
	world_end(&w);
}

static void bgsave_refused(void **state)
{
	static const struct { struct saving s; const char *why; } cases[] = {
		{ { .loading = 1, .status = "ok" }, "loading its data set" },
		{ { .running = 1, .status = "ok" }, "a save is running there already" },
		{ { .rewriting = 1, .status = "ok" }, "AOF is being rewritten" },
	};
	struct world w = saved_world();
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		says(&w, 21001, cases[i].s);
		blocked(&w, &action_bgsave, 21001, cases[i].why);
	}
	says(&w, 21001, idle);
	link_lost(&w, 21001);
	blocked(&w, &action_bgsave, 21001, "it does not answer: connection reset by peer");
	/* A Sentinel has nothing to save. */
	const struct action_context on = { node_at(&w, 26001)->deployment_id, 0, id_at(&w, 26001) };
	assert_false(action_applies(&action_bgsave, &on, w.m, w.now));
	assert_true(action_applies(&action_ping, &on, w.m, w.now));
	world_end(&w);
}

static void bgsave_followed(void **state)
{
	struct world w = saved_world();
	struct action *a = saving(&w);
	struct saving s = idle;
	(void)state;
	/* What it said before the reply proves nothing. */
	assert_false(action_follow(a, w.m, w.now));
	w.now += 1000;
	s.running = 1, s.done = 25, s.all = 100;
	says(&w, 21001, s);
	assert_false(action_follow(a, w.m, w.now));
	assert_string_equal(a->sheet.outcome, "saving for 1 s: 25 of 100 keys, 25 %");
	/* As long as it takes. */
	w.now += 3600000;
	s.done = 99;
	says(&w, 21001, s);
	assert_false(action_follow(a, w.m, w.now));
	w.now += 1000;
	s = idle;
	s.time = 3700, s.saves = 4;
	says(&w, 21001, s);
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_VERIFIED);
	assert_has(a->outcome, "saved after 1 h 0 m: it says that the last save is ok, 7 changes since");
	action_free(a);
	world_end(&w);
}

/* Too quick to be seen running, within the second of the one before: its count tells. */
static void bgsave_quick(void **state)
{
	struct world w = saved_world();
	struct action *a = saving(&w);
	struct saving s = idle;
	(void)state;
	w.now += 1000;
	says(&w, 21001, s);
	assert_false(action_follow(a, w.m, w.now));
	s.saves = 4;
	says(&w, 21001, s);
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_VERIFIED);
	action_free(a);
	world_end(&w);
}

static void bgsave_fails(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct world w = saved_world();
		struct action *a = saving(&w);
		struct saving s = idle;
		enum action_stage stage = ACTION_FAILED;
		const char *words = "";
		w.now += 1000;
		switch (i) {
		case 0:
			s.status = "err";
			says(&w, 21001, s);
			words = "the save failed after 1.0 s: it says status err";
			break;
		case 1:
			says(&w, 999, s);
			words = "the server was started anew";
			break;
		case 2:
			link_lost(&w, 21001);
			assert_false(action_follow(a, w.m, w.now));
			w.now += 120000;
			stage = ACTION_UNKNOWN;
			words = "not known after";
			break;
		default:
			break;
		}
		assert_true(action_follow(a, w.m, w.now));
		assert_int_equal(a->stage, stage);
		assert_has(a->outcome, words);
		action_free(a);
		world_end(&w);
	}
}

/* --- the connection ---------------------------------------------------------------------------- */

static void round_trips(void **state)
{
	static const int32_t us[] = { 500, 100, 300, 200, 400, 600, 700, 800, 900, 12345 };
	struct world w = known_world();
	struct action *a = open_on(&w, &action_ping, 26001);
	(void)state;
	assert_string_equal(a->sheet.command, "PING");
	assert_string_equal(a->sheet.confirm, "");
	assert_has(a->sheet.target, "127.0.0.1:26001  (sentinel)");
	assert_true(action_confirmed(a, ""));
	sent(a, &w);
	for (size_t i = 0; i < 10; i++) {
		/* One after the other: ten at once would be one. */
		assert_int_equal(a->due, i + 1);
		assert_int_equal(a->stage, ACTION_SENT);
		a->rtt_us[i] = us[i];
		action_replied(a, w.m, i, ANSWER_OK, "PONG", w.now);
	}
	assert_int_equal(a->stage, ACTION_VERIFIED);
	assert_string_equal(a->outcome, "10 round trips: least 0.100 ms, median 0.600 ms, most 12 ms");
	action_free(a);
	world_end(&w);
}

static void ping_fails(void **state)
{
	struct world w = known_world();
	struct action *a = open_on(&w, &action_ping, 21002);
	(void)state;
	sent(a, &w);
	action_replied(a, w.m, 0, ANSWER_OK, "PONG", w.now);
	action_replied(a, w.m, 1, ANSWER_TIMEOUT, NULL, w.now);
	assert_int_equal(a->stage, ACTION_FAILED);
	assert_string_equal(a->outcome, "round trip 2 of 10: no reply in time");
	action_free(a);
	a = open_on(&w, &action_ping, 21002);
	sent(a, &w);
	action_replied(a, w.m, 0, ANSWER_REFUSED, "LOADING Redis is loading", w.now);
	assert_int_equal(a->stage, ACTION_REFUSED);
	assert_has(a->outcome, "but refuses: LOADING");
	action_free(a);
	link_lost(&w, 21002);
	w.now += 12000;
	blocked(&w, &action_ping, 21002, "no connection since 12 s: connection reset by peer");
	world_end(&w);
}

/* --- the menu ---------------------------------------------------------------------------------- */

static void preview(void **state)
{
	struct world w = saved_world();
	const struct node *n = node_at(&w, 21001);
	const struct action_context on = { n->deployment_id, n->group_id, n->id };
	struct menu_entry e;
	(void)state;
	action_preview(&action_reset, &on, w.m, NULL, w.now, &e);
	assert_string_equal(e.name, "reset");
	assert_string_equal(e.command, "SENTINEL RESET mymaster");
	assert_has(e.target, "3 Sentinels");
	assert_string_equal(e.blocked, "");
	action_preview(&action_set_quorum, &on, w.m, NULL, w.now, &e);
	assert_string_equal(e.command, "SENTINEL SET mymaster quorum N");
	assert_string_equal(e.blocked, "");
	action_preview(&action_reset, &on, w.m, "read-only", w.now, &e);
	assert_string_equal(e.blocked, "read-only");
	action_preview(&action_ping, &on, w.m, "read-only", w.now, &e);
	assert_string_equal(e.blocked, "");
	link_lost(&w, 26003);
	action_preview(&action_reset, &on, w.m, NULL, w.now, &e);
	assert_has(e.blocked, "only 2 Sentinels answer");
	world_end(&w);
}

/* Every kind by the rules of the table. */
static void table(void **state)
{
	struct world w = saved_world();
	(void)state;
	for (size_t i = 0; i < action_kind_count; i++) {
		const struct action_kind *kind = action_kinds[i];
		struct action_facts facts;
		assert_true(strlen(kind->name) < sizeof(facts.name));
		assert_true(kind->needs_confirm == kind->changes);
		assert_non_null(kind->label);
		assert_non_null(kind->help);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(kind->name, action_kinds[k]->name);
		/* Whatever is opened on whomever: nothing that changes something is confirmed unread. */
		for (int port = 21001; port <= 26003; port = port == 21003 ? 26001 : port + 1) {
			struct action *a = open_on(&w, kind, port);
			if (kind->changes)
				assert_false(action_confirmed(a, ""));
			action_free(a);
		}
	}
	world_end(&w);
}

static void exclusive(void **state)
{
	struct world w = saved_world();
	struct action *a = open_on(&w, &action_reset, 21001);
	const struct action_context on = { node_at(&w, 21002)->deployment_id, node_at(&w, 21002)->group_id, 0 };
	(void)state;
	assert_false(action_conflicts(a, &on));
	sent(a, &w);
	assert_true(action_conflicts(a, &on));
	action_free(a);
	a = open_on(&w, &action_ping, 21001);
	sent(a, &w);
	assert_false(action_conflicts(a, &on));
	action_free(a);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bgsave_sheet), cmocka_unit_test(bgsave_refused),
		cmocka_unit_test(bgsave_followed), cmocka_unit_test(bgsave_quick),
		cmocka_unit_test(bgsave_fails), cmocka_unit_test(round_trips),
		cmocka_unit_test(ping_fails),	cmocka_unit_test(preview),
		cmocka_unit_test(table),	cmocka_unit_test(exclusive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
