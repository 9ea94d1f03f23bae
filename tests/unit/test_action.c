/* Failover and ckquorum from the sheet to the verified end, for each kind of deployment. */
#include "config.h"

#include "action/action.h"
#include "observe.h"

static struct action *open_on(const struct world *w, const struct action_kind *kind, int port)
{
	const struct node *n = node_at(w, port);
	const struct action_context on = { n->deployment_id, n->group_id, n->id };
	return action_open(kind, &on, w->m, NULL, w->now);
}

static void blocked(const struct world *w, int port, const char *why)
{
	struct action *a = open_on(w, &action_failover, port);
	assert_int_equal(a->sheet.state, SHEET_BLOCKED);
	assert_has(a->sheet.outcome, why);
	action_free(a);
}

static bool has_line(const struct action *a, const char *label, const char *part)
{
	for (size_t i = 0; i < a->sheet.line_count; i++)
		if (strcmp(a->sheet.lines[i].label, label) == 0 &&
		    strstr(a->sheet.lines[i].text, part) != NULL)
			return true;
	return false;
}

static void not_sent(struct action *a, const struct world *w, const char *why)
{
	assert_false(action_recheck(a, w->m, w->now));
	assert_int_equal(a->sheet.state, SHEET_BLOCKED);
	assert_has(a->sheet.outcome, "not sent: ");
	assert_has(a->sheet.outcome, why);
	action_free(a);
}

#define ABOUT_MASTER "master mymaster 127.0.0.1 21001"
#define ABOUT_SLAVE  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001"

/* --- Sentinel ---------------------------------------------------------------------------------- */

static struct action *sentinel_sent(struct world *w)
{
	struct action *a = open_on(w, &action_failover, 21001);
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	assert_true(action_recheck(a, w->m, w->now));
	action_sent(a, w->now);
	w->now += 5;
	return a;
}

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
	struct action *a = sentinel_sent(&w);
	struct role_facts facts = { .role = ROLE_MASTER };
	(void)state;
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	assert_int_equal(a->stage, ACTION_ACCEPTED);
	assert_false(action_follow(a, w.m, w.now));
	message(&w, 26001, "+try-failover", ABOUT_MASTER);
	message(&w, 26001, "+elected-leader", ABOUT_MASTER);
	message(&w, 26001, "+selected-slave", ABOUT_SLAVE);
	message(&w, 26001, "+failover-state-wait-promotion", ABOUT_SLAVE);
	assert_false(action_follow(a, w.m, w.now));
	w.now += 995;
	struct observation o = observe(&w, ASK_ROLE, id_at(&w, 21002));
	o.u.role = &facts;
	apply(&w, &o);
	assert_false(action_follow(a, w.m, w.now));
	assert_has(a->sheet.outcome, "127.0.0.1:21002 is master by its own word; 0 of 3");
	message(&w, 26001, "+promoted-slave", ABOUT_SLAVE);
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
	struct action *a = sentinel_sent(&w);
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
	struct action *a = sentinel_sent(&w);
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
		struct action *a = sentinel_sent(&w);
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
	struct action *a = sentinel_sent(&w);
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
		struct action *a = sentinel_sent(&w);
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
	struct action *a = sentinel_sent(&w);
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
	struct action *a = sentinel_sent(&w);
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
	struct world w = world_new();
	uint32_t vip = target_host(&w, "vip", 6379);
	(void)state;
	link_state(&w, vip, LINK_UP, NULL);
	info_master_as(&w, vip, "standalone", 21001, 10, LISTED(0, 21002, 10));
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 10);
	link_up(&w, 21001);
	info_master(&w, 21001, 10, LISTED(0, 21002, 10));
	struct action *idle = open_on(&w, &action_failover, 21001);
	struct action *a = open_on(&w, &action_failover, 21001);
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	assert_int_equal(a->old_master_id, vip);
	action_sent(a, w.now);
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	w.now += 700;
	link_state(&w, vip, LINK_LOST, "closed");
	link_state(&w, vip, LINK_UP, NULL);
	info_master_as(&w, vip, "standalone", 21002, 20, LISTED(0, 21001, 20));
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
	blocked(&w, 21001, "its name holds bytes that cannot be sent back");
	struct action *a = open_on(&w, &action_ckquorum, 21001);
	assert_has(a->sheet.outcome, "its name holds bytes that cannot be sent back");
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
		struct action *a = sentinel_sent(&w);
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
	struct action *a = sentinel_sent(&w);
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
	blocked(&w, 21001, "a failover is already running: electing a leader");
	message(&w, 26002, "+failover-end", ABOUT_MASTER);
	masters(&w, 26002, 21001, 0, SFLAG_FAILOVER_IN_PROGRESS);
	blocked(&w, 21001, "a failover is already running");
	/* a leader that fell silent blocks nothing for ever */
	link_lost(&w, 26002);
	struct action *a = open_on(&w, &action_failover, 21001);
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	action_free(a);
	link_lost(&w, 26001);
	message(&w, 26003, "+tilt", "#tilt mode entered");
	blocked(&w, 21001, "no Sentinel can act");
	const struct action_context nothing = { 0 };
	a = action_open(&action_failover, &nothing, w.m, NULL, w.now);
	assert_has(a->sheet.outcome, "select a master");
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
	assert_has(a->sheet.outcome, "only a master that Sentinels watch");
	action_free(a);
	world_end(&w);
}

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
	blocked(&w, 7004, "127.0.0.1:7004 does not answer");
	blocked(&w, 7001, "no replica of this shard answers");
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
	blocked(&w, 21001, "a failover is already running");
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000));
	blocked(&w, 21003, "does not list this replica");
	info_text(&w, id_at(&w, 21001),
		  "redis_version:6.0.16\r\nredis_mode:standalone\r\nrole:master\r\n" LISTED(0, 21002, 5000));
	blocked(&w, 21002, "needs Redis 6.2 or later, the master runs 6.0.16");
	info_master(&w, 21001, 5000, "");
	blocked(&w, 21001, "no connected replica");
	link_lost(&w, 21001);
	blocked(&w, 21002, "the master does not answer");
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

/* --- what the log says --------------------------------------------------------------------------- */

static void in_the_log(void **state)
{
	struct world w = sentinel_world();
	struct action *a = sentinel_sent(&w);
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
		cmocka_unit_test(other_deployment),
		cmocka_unit_test(recheck_sees_another_process),
		cmocka_unit_test(moving_address_is_another_master),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(cleaned_name),
		cmocka_unit_test(many_sentinels),
		cmocka_unit_test(cluster_seconded_by_the_old_master),
		cmocka_unit_test(sentinel_aborted),
		cmocka_unit_test(sentinel_old_abort),
		cmocka_unit_test(sentinel_blocked),
		cmocka_unit_test(read_only),
		cmocka_unit_test(sentinel_recheck),
		cmocka_unit_test(ckquorum_all),
		cmocka_unit_test(ckquorum_of_one),
		cmocka_unit_test(cluster_verified),
		cmocka_unit_test(cluster_runs_out),
		cmocka_unit_test(cluster_half),
		cmocka_unit_test(cluster_forced),
		cmocka_unit_test(cluster_keeps_the_candidate),
		cmocka_unit_test(cluster_recheck_epoch),
		cmocka_unit_test(plain_verified),
		cmocka_unit_test(plain_given_up),
		cmocka_unit_test(plain_blocked),
		cmocka_unit_test(plain_blocked_by_sentinels),
		cmocka_unit_test(in_the_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
