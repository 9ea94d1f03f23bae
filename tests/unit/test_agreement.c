/* What the Sentinels say of one master: who stands alone with what and since when, two masters, the
 * events, and who is still listed but gone. */
#include "observe.h"

#include "model/agreement.h"

static const struct group *watched(const struct world *w)
{
	return only_deployment(w)->groups[0];
}

static const struct sentinel_view *view_at(const struct world *w, int port)
{
	const struct group *g = watched(w);
	for (size_t i = 0; i < g->view_count; i++)
		if (g->views[i].sentinel_id == id_at(w, port))
			return &g->views[i];
	fail_msg("no view of %d", port);
	return NULL;
}

static struct agreement_cell cell_at(const struct world *w, int port, enum agreement_field f)
{
	struct agreement_cell cell;
	agreement_cell(w->m, watched(w), view_at(w, port), f, &cell);
	return cell;
}

static struct agreement all(const struct world *w)
{
	struct agreement a;
	agreement_of(w->m, watched(w), w->now, &a);
	return a;
}

static void says(struct world *w, int port, struct sentinel_instance s)
{
	listed(w, ASK_SENTINEL_MASTERS, id_at(w, port), NULL, &s, 1);
}

/* The only cell that stands alone, and it is this one. */
static void assert_alone(const struct world *w, int port, enum agreement_field which, int64_t since_ms)
{
	for (int p = 26001; p <= 26003; p++) {
		for (enum agreement_field f = 0; f < AGREE_COUNT; f++) {
			struct agreement_cell cell = cell_at(w, p, f);
			if (cell.dissents != (p == port && f == which))
				fail_msg("%d, %s: %s", p, agreement_title(f), cell.text);
			if (cell.dissents)
				assert_int_equal(cell.since_ms, since_ms);
		}
	}
}

static void all_agree(void **state)
{
	struct world w = sentinel_world();
	struct agreement a = all(&w);
	(void)state;
	assert_true(a.known && a.agree);
	assert_int_equal(a.answering, 3);
	assert_int_equal(a.dissenting, 0);
	assert_false(a.split_brain || a.passing);
	assert_string_equal(a.text, "");
	assert_alone(&w, 0, AGREE_COUNT, 0);
	assert_string_equal(cell_at(&w, 26001, AGREE_MASTER).text, "127.0.0.1:21001");
	assert_string_equal(cell_at(&w, 26001, AGREE_STATE).text, "ok");
	assert_string_equal(cell_at(&w, 26001, AGREE_SENTINELS).text, "3");
	assert_string_equal(cell_at(&w, 26001, AGREE_DOWN_AFTER).text, "5.0 s");
	assert_string_equal(cell_at(&w, 26001, AGREE_TILT).text, "no");
	world_end(&w);
}

/* Each field that a Sentinel's MASTERS tells, one by one. */
static void each_field(void **state)
{
	static const struct {
		enum agreement_field field;
		bool binding;
		const char *text;
	} cases[] = {
		{ AGREE_MASTER, true, "127.0.0.1:21002" }, { AGREE_EPOCH, true, "7" },
		{ AGREE_STATE, false, "s_down" },	   { AGREE_QUORUM, true, "1" },
		{ AGREE_SENTINELS, false, "5" },	   { AGREE_REPLICAS, false, "9" },
		{ AGREE_DOWN_AFTER, true, "30 s" },	   { AGREE_FAILOVER_TIMEOUT, true, "3 m 0 s" },
		{ AGREE_PARALLEL_SYNCS, true, "4" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w = sentinel_world();
		struct sentinel_instance s = instance("mymaster", 21001, SFLAG_MASTER);
		enum agreement_field f = cases[i].field;
		tick(&w, 700);
		if (f == AGREE_MASTER)
			s.addr = at_host(HOST, 21002);
		s.config_epoch = f == AGREE_EPOCH ? 7 : 0;
		s.flags |= f == AGREE_STATE ? SFLAG_S_DOWN : 0;
		s.quorum = f == AGREE_QUORUM ? 1 : 2;
		s.num_other_sentinels = f == AGREE_SENTINELS ? 4 : 2;
		s.num_slaves = f == AGREE_REPLICAS ? 9 : 2;
		s.down_after_ms = f == AGREE_DOWN_AFTER ? 30000 : 5000;
		s.failover_timeout_ms = f == AGREE_FAILOVER_TIMEOUT ? 180000 : 10000;
		s.parallel_syncs = f == AGREE_PARALLEL_SYNCS ? 4 : 1;
		says(&w, 26002, s);
		assert_alone(&w, 26002, f, w.now);
		assert_string_equal(cell_at(&w, 26002, f).text, cases[i].text);
		struct agreement a = all(&w);
		assert_int_equal(a.agree, !cases[i].binding);
		assert_int_equal(a.dissenting, cases[i].binding);
		assert_int_equal(a.split_brain, f == AGREE_MASTER);
		if (cases[i].binding)
			assert_has(a.text, "127.0.0.1:26002");
		/* The same again is since the first time. */
		int64_t since_ms = w.now;
		tick(&w, 1000);
		says(&w, 26002, s);
		assert_alone(&w, 26002, f, since_ms);
		masters(&w, 26002, 21001, 0, 0);
		assert_alone(&w, 0, AGREE_COUNT, 0);
		assert_true(all(&w).agree);
		world_end(&w);
	}
}

static void tilt_version_and_vote(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance peer = instance("p", 26002, SFLAG_SENTINEL);
	(void)state;
	infof(&w, id_at(&w, 26003), "redis_version:6.0.20\r\nredis_mode:sentinel\r\nrun_id:%040d\r\nsentinel_tilt:1\r\n",
	      26003);
	tick(&w, 1000);
	assert_true(cell_at(&w, 26003, AGREE_TILT).dissents);
	assert_string_equal(cell_at(&w, 26003, AGREE_TILT).text, "TILT");
	assert_true(cell_at(&w, 26003, AGREE_VERSION).dissents);
	assert_string_equal(cell_at(&w, 26003, AGREE_VERSION).text, "6.0.20");
	assert_true(all(&w).agree); /* neither binds */
	/* Its vote is told by another one. */
	peer.voted_leader_epoch = FACT_UNKNOWN;
	listed(&w, ASK_SENTINEL_SENTINELS, id_at(&w, 26001), "mymaster", &peer, 1);
	assert_false(cell_at(&w, 26002, AGREE_VOTE).known);
	snprintf(peer.voted_leader, sizeof(peer.voted_leader), "%040d", 42);
	peer.voted_leader_epoch = 3;
	listed(&w, ASK_SENTINEL_SENTINELS, id_at(&w, 26001), "mymaster", &peer, 1);
	assert_true(cell_at(&w, 26002, AGREE_VOTE).known);
	assert_string_equal(cell_at(&w, 26002, AGREE_VOTE).text, "00000000 @3");
	world_end(&w);
}

/* --- the norm ---------------------------------------------------------------------------------- */

static void most_are_right(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance s = instance("mymaster", 21001, SFLAG_MASTER);
	(void)state;
	s.config_epoch = 0;
	s.quorum = 3;
	says(&w, 26001, s);
	says(&w, 26003, s);
	assert_alone(&w, 26002, AGREE_QUORUM, w.now);
	world_end(&w);
}

/* Of two the one with the higher epoch is right: Sentinels go by that as well. */
static void best_informed_of_two(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	link_lost(&w, 26003);
	tick(&w, 1000);
	masters(&w, 26001, 21002, 5, 0);
	assert_true(cell_at(&w, 26002, AGREE_MASTER).dissents);
	assert_false(cell_at(&w, 26001, AGREE_MASTER).dissents);
	world_end(&w);
}

static void the_silent_do_not_count(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	masters(&w, 26003, 21002, 0, 0);
	assert_int_equal(all(&w).dissenting, 1);
	assert_true(all(&w).split_brain);
	link_lost(&w, 26003);
	tick(&w, 1000);
	struct agreement a = all(&w);
	assert_true(a.agree);
	assert_int_equal(a.answering, 2);
	link_lost(&w, 26001);
	link_lost(&w, 26002);
	tick(&w, 1000);
	a = all(&w);
	assert_false(a.known);
	assert_int_equal(a.answering, 0);
	world_end(&w);
}

/* --- two masters ------------------------------------------------------------------------------- */

static void two_masters_named(void **state)
{
	struct world w = sentinel_world();
	struct verdict v;
	(void)state;
	tick(&w, 1000);
	masters(&w, 26003, 21002, 0, 0); /* SENTINEL MONITOR of another address */
	int64_t since_ms = w.now;
	tick(&w, 4000);
	for (int port = 26001; port <= 26003; port++)
		masters(&w, port, port == 26003 ? 21002 : 21001, 0, 0);
	struct agreement a = all(&w);
	assert_true(a.split_brain && a.two_named && !a.agree);
	assert_int_equal(a.split_since_ms, since_ms);
	assert_string_equal(a.text, "two masters named for 4 s: 127.0.0.1:21001, and 127.0.0.1:21002 by Sentinel "
				    "127.0.0.1:26003");
	assert_int_equal(master_port(&w, watched(&w)), 21001);
	health_group(w.m, watched(&w), w.now, &v);
	assert_int_equal(v.health, HEALTH_CRITICAL);
	assert_has(v.text, "split brain: two masters named for 4 s");
	/* Before what else is critical. */
	for (int port = 26001; port <= 26002; port++)
		masters(&w, port, 21001, 0, SFLAG_S_DOWN | SFLAG_O_DOWN);
	link_lost(&w, 21001);
	health_deployment(w.m, only_deployment(&w), w.now, &v);
	assert_int_equal(v.health, HEALTH_CRITICAL);
	assert_has(v.text, "mymaster split brain");
	world_end(&w);
}

static void two_say_master(void **state)
{
	struct world w = sentinel_world();
	struct verdict v;
	(void)state;
	tick(&w, 1000);
	info_master(&w, 21003, 5000, "");
	tick(&w, 2000);
	struct agreement a = all(&w);
	assert_true(a.split_brain && !a.two_named && !a.agree);
	assert_int_equal(a.dissenting, 0);
	assert_string_equal(a.text, "two masters for 2 s: 127.0.0.1:21001 is named, 127.0.0.1:21003 says so of itself");
	health_group(w.m, watched(&w), w.now, &v);
	assert_int_equal(v.health, HEALTH_CRITICAL);
	assert_has(v.text, "127.0.0.1:21003 second master"); /* its own verdict counts what is lost */
	/* It does not answer any more: nobody says so now. */
	link_lost(&w, 21003);
	assert_false(all(&w).split_brain);
	world_end(&w);
}

static void mild_ones_warn(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance s = instance("mymaster", 21001, SFLAG_MASTER);
	struct verdict v;
	(void)state;
	health_group(w.m, watched(&w), w.now, &v);
	assert_int_equal(v.health, HEALTH_OK);
	s.config_epoch = 0;
	s.quorum = 1;
	says(&w, 26001, s);
	health_group(w.m, watched(&w), w.now, &v);
	assert_int_equal(v.health, HEALTH_WARNING);
	assert_string_equal(v.text, "Sentinel 127.0.0.1:26001 stands alone with its quorum");
	world_end(&w);
}

/* --- a switch ---------------------------------------------------------------------------------- */

#define SWITCH "mymaster 127.0.0.1 21001 127.0.0.1 21002"

static void promoted(struct world *w)
{
	message(w, 26001, "+try-failover", "master mymaster 127.0.0.1 21001");
	message(w, 26001, "+elected-leader", "master mymaster 127.0.0.1 21001");
	message(w, 26001, "+selected-slave", "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001");
	message(w, 26001, "+promoted-slave", "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001");
	masters(w, 26001, 21001, 1, SFLAG_FAILOVER_IN_PROGRESS);
}

/* The leader names the old master until the end; the others switch one after the other. */
static void a_switch_passes(void **state)
{
	struct world w = sentinel_world();
	struct verdict v;
	(void)state;
	tick(&w, 1000);
	promoted(&w);
	message(&w, 26002, "+switch-master", SWITCH);
	masters(&w, 26002, 21002, 1, 0);
	struct agreement a = all(&w);
	assert_false(a.agree);
	assert_true(a.passing);
	assert_false(a.split_brain);
	/* The leader has no vote on it: of the others the one with the higher epoch is right. */
	assert_false(cell_at(&w, 26002, AGREE_MASTER).dissents);
	assert_true(cell_at(&w, 26003, AGREE_MASTER).dissents);
	assert_true(cell_at(&w, 26001, AGREE_MASTER).dissents);
	tick(&w, 900);
	masters(&w, 26003, 21002, 1, 0);
	/* Waiting for a replica for long: still no split. */
	for (int i = 0; i < 8; i++) {
		tick(&w, 1000);
		masters(&w, 26001, 21001, 1, SFLAG_FAILOVER_IN_PROGRESS);
		masters(&w, 26002, 21002, 1, 0);
		masters(&w, 26003, 21002, 1, 0);
		a = all(&w);
		assert_true(a.passing && !a.split_brain);
	}
	health_group(w.m, watched(&w), w.now, &v);
	assert_null(strstr(v.text, "stands alone"));
	message(&w, 26001, "+failover-end", "master mymaster 127.0.0.1 21001");
	message(&w, 26001, "+switch-master", SWITCH);
	masters(&w, 26001, 21002, 1, 0);
	assert_true(all(&w).agree);
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT), 0);
	world_end(&w);
}

/* Cut off from its peers, and so it does not follow: a hello and a half later it is no longer passing. */
static void who_does_not_follow(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	tick(&w, 1000);
	promoted(&w);
	masters(&w, 26002, 21002, 1, 0);
	for (int i = 0; i < 3; i++) {
		assert_true(all(&w).passing);
		assert_int_equal(events_of(&w, EVENT_DISAGREEMENT), 0);
		tick(&w, 1000);
		masters(&w, 26001, 21001, 1, SFLAG_FAILOVER_IN_PROGRESS);
		masters(&w, 26002, 21002, 1, 0);
		masters(&w, 26003, 21001, 0, 0);
	}
	struct agreement a = all(&w);
	assert_true(a.split_brain && a.two_named && !a.passing);
	assert_has(a.text, "127.0.0.1:21002, and 127.0.0.1:21001 by Sentinel 127.0.0.1:26003");
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT), 1);
	world_end(&w);
}

static void promotion_is_no_split(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	tick(&w, 1000);
	promoted(&w);
	info_master(&w, 21002, 5000, "");
	tick(&w, 200);
	info_master(&w, 21001, 5000, "");
	assert_false(all(&w).split_brain);
	message(&w, 26001, "+failover-end", "master mymaster 127.0.0.1 21001");
	for (int port = 26001; port <= 26003; port++) {
		message(&w, port, "+switch-master", SWITCH);
		masters(&w, port, 21002, 1, 0);
	}
	assert_false(all(&w).split_brain);
	/* The old master is demoted only some ten seconds after a failover by hand. */
	tick(&w, 3100);
	info_master(&w, 21001, 5500, "");
	assert_true(all(&w).split_brain);
	assert_false(all(&w).two_named);
	info_replica(&w, 21001, 21002, 5500);
	assert_false(all(&w).split_brain);
	world_end(&w);
}

/* --- events ------------------------------------------------------------------------------------ */

static void said_once_and_when_repeated(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance s = instance("mymaster", 21001, SFLAG_MASTER);
	const struct event *e = NULL;
	(void)state;
	s.config_epoch = 0;
	s.quorum = 1;
	says(&w, 26002, s);
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT), 0); /* SENTINEL SET goes to one after the other */
	masters(&w, 26003, 21001, 0, 0);
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT), 0);
	for (int i = 0; i < 3; i++) {
		tick(&w, 1000);
		says(&w, 26002, s);
	}
	assert_int_equal(count_events(&w, EVENT_DISAGREEMENT, &e), 1);
	assert_string_equal(e->subject, "mymaster");
	assert_string_equal(e->addr, "127.0.0.1:26002");
	assert_string_equal(e->detail, "this Sentinel says quorum 1");
	assert_int_equal(e->severity, SEVERITY_WARNING);
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT_OVER), 0);
	tick(&w, 1000);
	masters(&w, 26002, 21001, 0, 0);
	assert_int_equal(count_events(&w, EVENT_DISAGREEMENT_OVER, &e), 1);
	assert_string_equal(e->subject, "mymaster");
	/* Again: said again. */
	for (int i = 0; i < 2; i++) {
		tick(&w, 1000);
		masters(&w, 26003, 21002, 0, 0);
	}
	assert_int_equal(count_events(&w, EVENT_DISAGREEMENT, &e), 2);
	assert_string_equal(e->detail, "this Sentinel says master 127.0.0.1:21002");
	assert_int_equal(e->severity, event_kind_info(EVENT_DISAGREEMENT)->severity);
	world_end(&w);
}

static const struct event *last_disagreement(const struct world *w, size_t count)
{
	const struct event *e = NULL;
	assert_int_equal(count_events(w, EVENT_DISAGREEMENT, &e), count);
	return e;
}

static struct sentinel_instance with_quorum(int64_t quorum)
{
	struct sentinel_instance s = instance("mymaster", 21001, SFLAG_MASTER);
	s.config_epoch = 0;
	s.quorum = quorum;
	return s;
}

/* A quorum that nobody repairs, and weeks later a split brain: that is said all the same, and each has
 * its own end. */
static void a_setting_hides_no_split(void **state)
{
	struct world w = sentinel_world();
	const struct event *e;
	(void)state;
	for (int i = 0; i < 3; i++) {
		tick(&w, 1000);
		says(&w, 26002, with_quorum(1));
	}
	assert_int_equal(last_disagreement(&w, 1)->severity, SEVERITY_WARNING);
	for (int i = 0; i < 3; i++) {
		tick(&w, 1000);
		says(&w, 26002, with_quorum(1));
		masters(&w, 26003, 21002, 0, 0);
	}
	e = last_disagreement(&w, 2);
	assert_int_equal(e->severity, SEVERITY_CRITICAL);
	assert_string_equal(e->addr, "127.0.0.1:26003");
	assert_string_equal(e->detail, "this Sentinel says master 127.0.0.1:21002");
	masters(&w, 26003, 21001, 0, 0);
	assert_int_equal(count_events(&w, EVENT_DISAGREEMENT_OVER, &e), 1);
	assert_has(e->detail, "one master again");
	tick(&w, 1000);
	masters(&w, 26002, 21001, 0, 0);
	assert_int_equal(count_events(&w, EVENT_DISAGREEMENT_OVER, &e), 2);
	assert_has(e->detail, "same settings again");
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT), 2);
	world_end(&w);
}

/* At once, in one Sentinel, and the quorum in one before it. */
static void the_master_before_all_else(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance both = with_quorum(3);
	const struct event_log *log = model_events(w.m);
	const struct event *e = NULL;
	(void)state;
	both.addr = at_host(HOST, 21002);
	for (int i = 0; i < 2; i++) {
		tick(&w, 1000);
		says(&w, 26003, both);
	}
	for (size_t i = 0; i < event_log_count(log) && e == NULL; i++)
		if (event_log_at(log, i)->kind == EVENT_DISAGREEMENT)
			e = event_log_at(log, i);
	assert_non_null(e);
	assert_int_equal(e->severity, SEVERITY_CRITICAL);
	assert_string_equal(e->detail, "this Sentinel says master 127.0.0.1:21002");
	e = last_disagreement(&w, 2);
	assert_int_equal(e->severity, SEVERITY_WARNING);
	assert_string_equal(e->detail, "this Sentinel says quorum 3");
	world_end(&w);
}

/* All Sentinels name one, and another one says so of itself. */
static void a_second_master_is_said(void **state)
{
	struct world w = sentinel_world();
	const struct event *e;
	(void)state;
	tick(&w, 1000);
	info_master(&w, 21003, 5000, "");
	tick(&w, 1000);
	masters(&w, 26001, 21001, 0, 0);
	masters(&w, 26002, 21001, 0, 0);
	e = last_disagreement(&w, 1);
	assert_int_equal(e->severity, SEVERITY_CRITICAL);
	assert_string_equal(e->subject, "mymaster");
	assert_string_equal(e->addr, "127.0.0.1:21003");
	assert_string_equal(e->detail, "says role master, and so does 127.0.0.1:21001, which is named");
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT_OVER), 0);
	info_replica(&w, 21003, 21001, 5000);
	masters(&w, 26001, 21001, 0, 0);
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT_OVER), 1);
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT), 1);
	world_end(&w);
}

/* --- a second master, and what else is said meanwhile --------------------------------------------- */

static void all_name(struct world *w, int port)
{
	for (int p = 26001; p <= 26003; p++)
		masters(w, p, port, 0, 0);
}

/* Of one of them, for as long as nobody repairs it. */
static void epoch_alone(struct world *w, int seconds)
{
	for (int i = 0; i < seconds; i++) {
		tick(w, 1000);
		masters(w, 26001, 21001, 5, 0);
		masters(w, 26002, 21001, 5, 0);
		masters(w, 26003, 21001, 0, 0);
	}
}

static void assert_about(const struct world *w, enum event_kind kind, size_t count, const char *about)
{
	const struct event *e = NULL;
	assert_int_equal(count_events(w, kind, &e), count);
	assert_string_equal(e->about, about);
}

static void an_epoch_hides_no_second_master(void **state)
{
	struct world w = sentinel_world();
	const struct event *e;
	(void)state;
	epoch_alone(&w, 5);
	e = last_disagreement(&w, 1);
	assert_string_equal(e->about, "epoch");
	assert_int_equal(e->severity, SEVERITY_CRITICAL);
	info_master(&w, 21003, 5000, "");
	epoch_alone(&w, 3);
	e = last_disagreement(&w, 2);
	assert_string_equal(e->about, "master");
	assert_string_equal(e->addr, "127.0.0.1:21003");
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT_OVER), 0);
	info_replica(&w, 21003, 21001, 5000);
	epoch_alone(&w, 1);
	assert_about(&w, EVENT_DISAGREEMENT_OVER, 1, "master");
	for (int port = 26001; port <= 26003; port++)
		masters(&w, port, 21001, 5, 0);
	assert_about(&w, EVENT_DISAGREEMENT_OVER, 2, "epoch");
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT), 2);
	world_end(&w);
}

/* A Sentinel names one, and weeks later another one stands beside. */
static void a_named_one_hides_no_second_master(void **state)
{
	struct world w = sentinel_world();
	const struct event *e;
	(void)state;
	for (int i = 0; i < 3; i++) {
		tick(&w, 1000);
		masters(&w, 26003, 21002, 0, 0);
	}
	assert_string_equal(last_disagreement(&w, 1)->addr, "127.0.0.1:26003");
	info_master(&w, 21002, 5000, ""); /* whom it names: the same two */
	tick(&w, 1000);
	masters(&w, 26003, 21002, 0, 0);
	last_disagreement(&w, 1);
	info_replica(&w, 21002, 21001, 5000);
	info_master(&w, 21003, 5000, "");
	tick(&w, 1000);
	masters(&w, 26003, 21002, 0, 0);
	e = last_disagreement(&w, 2);
	assert_string_equal(e->addr, "127.0.0.1:21003");
	/* The end of one is not the end of both. */
	masters(&w, 26003, 21001, 0, 0);
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT_OVER), 0);
	info_replica(&w, 21003, 21001, 5000);
	masters(&w, 26003, 21001, 0, 0);
	assert_about(&w, EVENT_DISAGREEMENT_OVER, 1, "master");
	world_end(&w);
}

static void silence_ends_no_second_master(void **state)
{
	static const int dropped[] = { 21003, 21001 };
	(void)state;
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		struct world w = sentinel_world();
		tick(&w, 1000);
		info_master(&w, 21003, 5000, "");
		tick(&w, 1000);
		all_name(&w, 21001);
		last_disagreement(&w, 1);
		link_lost(&w, dropped[i]);
		for (int k = 0; k < 3; k++) {
			tick(&w, 1000);
			all_name(&w, 21001);
		}
		assert_int_equal(events_of(&w, EVENT_DISAGREEMENT_OVER), 0);
		link_up(&w, dropped[i]);
		info_master(&w, dropped[i], 5000, "");
		tick(&w, 1000);
		all_name(&w, 21001);
		last_disagreement(&w, 1);
		assert_int_equal(events_of(&w, EVENT_DISAGREEMENT_OVER), 0);
		/* By its own word. */
		info_replica(&w, 21003, 21001, 5000);
		all_name(&w, 21001);
		assert_int_equal(events_of(&w, EVENT_DISAGREEMENT_OVER), 1);
		world_end(&w);
	}
}

static void the_end_says_of_what(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	for (int i = 0; i < 3; i++) {
		tick(&w, 1000);
		says(&w, 26002, with_quorum(1));
		masters(&w, 26003, 21002, 0, 0);
	}
	assert_about(&w, EVENT_DISAGREEMENT, 2, "master");
	tick(&w, 1000);
	masters(&w, 26002, 21001, 0, 0);
	assert_about(&w, EVENT_DISAGREEMENT_OVER, 1, "settings");
	masters(&w, 26003, 21001, 0, 0);
	assert_about(&w, EVENT_DISAGREEMENT_OVER, 2, "master");
	world_end(&w);
}

/* Its quorum for an hour, its epoch for three seconds: the age is of what the words are about. */
static void the_age_is_of_what_is_said(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance s = with_quorum(1);
	struct verdict v;
	(void)state;
	tick(&w, 1000);
	says(&w, 26003, s);
	for (int i = 0; i < 2; i++) {
		tick(&w, 1800000);
		all_name(&w, 21001);
		says(&w, 26003, s);
	}
	s.config_epoch = 7;
	tick(&w, 1000);
	int64_t since_ms = w.now;
	says(&w, 26003, s);
	tick(&w, 3000);
	says(&w, 26003, s);
	health_group(w.m, watched(&w), w.now, &v);
	assert_has(v.text, "stands alone with its epoch");
	assert_int_equal(v.since_ms, since_ms);
	assert_true(cell_at(&w, 26003, AGREE_EPOCH).grave);
	assert_false(cell_at(&w, 26003, AGREE_QUORUM).grave);
	world_end(&w);
}

static void over_when_it_falls_silent(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	for (int i = 0; i < 2; i++) {
		tick(&w, 1000);
		masters(&w, 26003, 21002, 0, 0);
	}
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT), 1);
	link_lost(&w, 26003);
	tick(&w, 1000);
	masters(&w, 26001, 21001, 0, 0);
	assert_int_equal(events_of(&w, EVENT_DISAGREEMENT_OVER), 1);
	world_end(&w);
}

/* --- ghosts ------------------------------------------------------------------------------------ */

static size_t ghosts(const struct world *w, struct ghost *out, size_t max)
{
	return agreement_ghosts(w->m, watched(w), w->now, out, max);
}

static void peers_of(struct world *w, int port, int64_t down_ms)
{
	struct sentinel_instance items[2] = { instance("a", port == 26001 ? 26002 : 26001, SFLAG_SENTINEL),
					      instance("b", 26003, SFLAG_SENTINEL) };
	items[0].s_down_time_ms = FACT_UNKNOWN;
	items[1].s_down_time_ms = down_ms;
	items[1].flags |= down_ms != FACT_UNKNOWN ? SFLAG_S_DOWN : 0;
	listed(w, ASK_SENTINEL_SENTINELS, id_at(w, port), "mymaster", items, 2);
}

static void dead_sentinel(void **state)
{
	struct world w = sentinel_world();
	struct ghost g[4];
	(void)state;
	tick(&w, 1000);
	link_lost(&w, 26003);
	int64_t lost_ms = w.now;
	tick(&w, 50000);
	for (int port = 26001; port <= 26002; port++)
		peers_of(&w, port, 45000);
	assert_int_equal(ghosts(&w, g, 4), 0); /* it may come back */
	tick(&w, 10000);
	assert_int_equal(ghosts(&w, g, 4), 1);
	assert_int_equal(g[0].node_id, id_at(&w, 26003));
	assert_true(g[0].is_sentinel);
	assert_int_equal(g[0].since_ms, lost_ms);
	assert_int_equal(g[0].listed_count, 2);
	assert_int_equal(g[0].listed_by[0], id_at(&w, 26001));
	assert_int_equal(g[0].listed_by[1], id_at(&w, 26002));
	/* One was reset: only the other still lists it. */
	struct sentinel_instance left = instance("a", 26002, SFLAG_SENTINEL);
	listed(&w, ASK_SENTINEL_SENTINELS, id_at(&w, 26001), "mymaster", &left, 1);
	assert_int_equal(ghosts(&w, g, 4), 1);
	assert_int_equal(g[0].listed_count, 1);
	assert_int_equal(g[0].listed_by[0], id_at(&w, 26002));
	/* Back. */
	link_up(&w, 26003);
	assert_int_equal(ghosts(&w, g, 4), 0);
	world_end(&w);
}

/* redoubt has just begun to look: the Sentinels know for how long it has been gone. */
static void older_than_redoubt(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance dead[2] = { instance("a", 21002, SFLAG_SLAVE),
					     instance("b", 21009, SFLAG_SLAVE | SFLAG_S_DOWN | SFLAG_DISCONNECTED) };
	struct ghost g[1];
	(void)state;
	dead[1].s_down_time_ms = 86400000;
	tick(&w, 100);
	listed(&w, ASK_SENTINEL_REPLICAS, id_at(&w, 26001), "mymaster", dead, 2);
	assert_int_equal(ghosts(&w, g, 1), 0); /* not tried yet */
	link_state(&w, id_at(&w, 21009), LINK_FAILED, "connection refused");
	assert_int_equal(ghosts(&w, g, 1), 1);
	assert_false(g[0].is_sentinel);
	assert_int_equal(g[0].since_ms, w.now - 86400000);
	assert_int_equal(ghosts(&w, g, 0), 0);
	world_end(&w);
}

/* Only redoubt does not reach it: no ghost. */
static void out_of_our_reach(void **state)
{
	struct world w = sentinel_world();
	struct ghost g[2];
	(void)state;
	tick(&w, 1000);
	link_lost(&w, 26003);
	tick(&w, 120000);
	for (int port = 26001; port <= 26002; port++)
		peers_of(&w, port, FACT_UNKNOWN);
	assert_int_equal(ghosts(&w, g, 2), 0);
	world_end(&w);
}

static void captured_views(void **state)
{
	struct world w = world_new();
	struct parser *p = parser_new();
	struct observation o;
	(void)state;
	target(&w, 26001);
	link_up(&w, 26001);
	o = captured_parse(p, "sentinel-7.0.15-masters.resp", ASK_SENTINEL_MASTERS, 0);
	o.node_id = id_at(&w, 26001);
	o.recv_ms = w.now;
	apply(&w, &o);
	o = captured_parse(p, "sentinel-7.0.15-sentinels.resp", ASK_SENTINEL_SENTINELS, 0);
	o.node_id = id_at(&w, 26001);
	o.recv_ms = w.now;
	o.arg = "mymaster";
	apply(&w, &o);
	assert_string_equal(cell_at(&w, 26001, AGREE_FAILOVER_TIMEOUT).text, "1 m 0 s");
	assert_string_equal(cell_at(&w, 26001, AGREE_SENTINELS).text, "3");
	assert_true(all(&w).agree);
	parser_free(p);
	world_end(&w);
}

static void words(void **state)
{
	(void)state;
	for (enum agreement_field f = 0; f < AGREE_COUNT; f++) {
		assert_true(strlen(agreement_title(f)) > 0);
		assert_true(strlen(agreement_help(f)) > 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_agree),	       cmocka_unit_test(each_field),
		cmocka_unit_test(tilt_version_and_vote), cmocka_unit_test(most_are_right),
		cmocka_unit_test(best_informed_of_two), cmocka_unit_test(the_silent_do_not_count),
		cmocka_unit_test(two_masters_named),   cmocka_unit_test(two_say_master),
		cmocka_unit_test(mild_ones_warn),      cmocka_unit_test(a_switch_passes),
		cmocka_unit_test(who_does_not_follow), cmocka_unit_test(promotion_is_no_split),
		cmocka_unit_test(said_once_and_when_repeated), cmocka_unit_test(over_when_it_falls_silent),
		cmocka_unit_test(a_setting_hides_no_split), cmocka_unit_test(the_master_before_all_else),
		cmocka_unit_test(a_second_master_is_said),
		cmocka_unit_test(an_epoch_hides_no_second_master),
		cmocka_unit_test(a_named_one_hides_no_second_master),
		cmocka_unit_test(silence_ends_no_second_master),
		cmocka_unit_test(the_end_says_of_what), cmocka_unit_test(the_age_is_of_what_is_said),
		cmocka_unit_test(dead_sentinel),       cmocka_unit_test(older_than_redoubt),
		cmocka_unit_test(out_of_our_reach),    cmocka_unit_test(captured_views),
		cmocka_unit_test(words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
