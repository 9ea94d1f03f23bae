/* Verdicts: each kind of trouble in its words, with its since, and nothing when all is well. */
#include "config.h"

#include "model/permission.h"
#include "model/readiness.h"
#include "observe.h"

static struct verdict of_node(const struct world *w, int port)
{
	struct verdict v;
	health_node(w->m, node_at(w, port), w->now, &v);
	return v;
}

static struct verdict of_group(const struct world *w)
{
	struct verdict v;
	health_group(w->m, only_deployment(w)->groups[0], w->now, &v);
	return v;
}

static void verdict_is(struct verdict v, enum health health, const char *text)
{
	assert_string_equal(v.text, text);
	assert_int_equal(v.health, health);
}

static const char *status(const struct world *w)
{
	return group_status(w->m, only_deployment(w)->groups[0]);
}

static void all_well(void **state)
{
	struct world w = sentinel_world();
	struct verdict v;
	(void)state;
	for (int port = 21001; port <= 21003; port++) {
		verdict_is(of_node(&w, port), HEALTH_OK, "");
		assert_int_equal(node_status(node_at(&w, port)), STATUS_UP);
	}
	verdict_is(of_node(&w, 26001), HEALTH_OK, "");
	verdict_is(of_group(&w), HEALTH_OK, "");
	health_deployment(w.m, only_deployment(&w), w.now, &v);
	verdict_is(v, HEALTH_OK, "");
	assert_string_equal(status(&w), "ok");
	assert_false(group_in_trouble(w.m, only_deployment(&w)->groups[0], w.now));
	assert_int_equal(node_role(w.m, node_at(&w, 21001)), ROLE_MASTER);
	assert_int_equal(node_role(w.m, node_at(&w, 21002)), ROLE_REPLICA);
	assert_int_equal(node_role(w.m, node_at(&w, 26002)), ROLE_SENTINEL);
	world_end(&w);
}

static void links(void **state)
{
	static const struct {
		enum link_state state;
		enum health health;
		enum node_status status;
		const char *reason, *text;
	} cases[] = {
		{ LINK_LOST, HEALTH_WARNING, STATUS_UNREACHABLE, "closed", "link lost 7 s: closed" },
		{ LINK_SILENT, HEALTH_WARNING, STATUS_UNREACHABLE, "late", "no reply for 7 s" },
		{ LINK_FAILED, HEALTH_WARNING, STATUS_UNREACHABLE, "refused", "link lost 7 s: refused" },
		{ LINK_AUTH_ERROR, HEALTH_WARNING, STATUS_AUTH_ERROR, "WRONGPASS no", "WRONGPASS no" },
		{ LINK_PROTOCOL, HEALTH_WARNING, STATUS_UNREACHABLE, "HTTP", "not a Redis server: HTTP" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w = sentinel_world();
		link_state(&w, id_at(&w, 21002), cases[i].state, cases[i].reason);
		w.now += 7000;
		verdict_is(of_node(&w, 21002), cases[i].health, cases[i].text);
		assert_int_equal(of_node(&w, 21002).since_ms, T0);
		assert_int_equal(node_status(node_at(&w, 21002)), cases[i].status);
		assert_int_equal(events_of(&w, EVENT_LINK_LOST), 1);
		/* trying again changes nothing of that; what went wrong then may */
		link_state(&w, id_at(&w, 21002), LINK_CONNECTING, NULL);
		assert_int_equal(node_status(node_at(&w, 21002)), cases[i].status);
		link_state(&w, id_at(&w, 21002), LINK_FAILED, "refused");
		assert_int_equal(of_node(&w, 21002).since_ms, T0);
		assert_int_equal(events_of(&w, EVENT_LINK_LOST), 1);
		link_up(&w, 21002);
		verdict_is(of_node(&w, 21002), HEALTH_OK, "");
		assert_int_equal(events_of(&w, EVENT_LINK_BACK), 1);
		world_end(&w);
	}
}

static void never_reached(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	replicas(&w, 26001, 21002, 0, 21004, 0);
	assert_int_equal(node_status(node_at(&w, 21004)), STATUS_PENDING);
	verdict_is(of_node(&w, 21004), HEALTH_UNKNOWN, "not tried yet");
	replicas(&w, 26001, 21002, 0, 21004, SFLAG_S_DOWN);
	w.now += 3000;
	assert_int_equal(node_status(node_at(&w, 21004)), STATUS_DOWN);
	verdict_is(of_node(&w, 21004), HEALTH_WARNING, "down, others say");
	replicas(&w, 26001, 21002, 0, 21004, 0);
	link_state(&w, id_at(&w, 21004), LINK_FAILED, "no route");
	verdict_is(of_node(&w, 21004), HEALTH_WARNING, "not reachable from here: no route");
	/* It may have been away for long when we came: no "0 s". */
	replicas(&w, 26001, 21002, 0, 21004, SFLAG_S_DOWN);
	verdict_is(of_node(&w, 21004), HEALTH_WARNING, "down: no route");
	replicas(&w, 26001, 21002, 0, 21004, SFLAG_DISCONNECTED);
	verdict_is(of_node(&w, 21004), HEALTH_WARNING, "not reachable: no route");
	link_state(&w, id_at(&w, 21004), LINK_SILENT, "no reply within 2 s");
	verdict_is(of_node(&w, 21004), HEALTH_WARNING, "no reply");
	w.now += 3000;
	verdict_is(of_node(&w, 21004), HEALTH_WARNING, "no reply for 3 s");
	link_up(&w, 21004);
	verdict_is(of_node(&w, 21004), HEALTH_UNKNOWN, "no INFO yet");
	world_end(&w);
}

static void refused(struct world *w, int port, enum question q, enum server_error error,
		    const char *text)
{
	struct observation o = observe(w, q, id_at(w, port));
	o.answer = error == ERROR_NONE ? ANSWER_OK : ANSWER_REFUSED;
	o.error = error;
	o.text = text;
	struct cluster_info_facts facts = { .state_ok = true };
	o.u.cluster_info = &facts;
	apply(w, &o);
}

static size_t events_named(const struct world *w, const char *name)
{
	const struct event_log *log = model_events(w->m);
	size_t count = 0;
	for (size_t i = 0; i < event_log_count(log); i++)
		count += strcmp(event_log_at(log, i)->name, name) == 0;
	return count;
}

static void permissions(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	refused(&w, 21002, ASK_CLUSTER_INFO, ERROR_NOPERM, "NOPERM no permission for 'cluster|info'");
	verdict_is(of_node(&w, 21002), HEALTH_WARNING,
		   "the user lacks +cluster|info: NOPERM no permission for 'cluster|info'");
	assert_int_equal(node_status(node_at(&w, 21002)), STATUS_UP);
	refused(&w, 21002, ASK_CLUSTER_INFO, ERROR_NONE, NULL);
	verdict_is(of_node(&w, 21002), HEALTH_OK, "");
	assert_int_equal(events_named(&w, "+refused"), 1);
	assert_int_equal(events_named(&w, "-refused"), 1);
	refused(&w, 21002, ASK_CLUSTER_INFO, ERROR_NOAUTH, "NOAUTH Authentication required.");
	assert_int_equal(node_status(node_at(&w, 21002)), STATUS_AUTH_ERROR);
	refused(&w, 21002, ASK_CLUSTER_INFO, ERROR_NONE, NULL);
	assert_int_equal(node_status(node_at(&w, 21002)), STATUS_UP);
	world_end(&w);
}

/* Sentinels up to 6.0 have no id to tell: they are well. */
static void unknown_to_older_ones(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	refused(&w, 26001, ASK_SENTINEL_MYID, ERROR_UNKNOWN_COMMAND, "ERR Unknown sentinel subcommand 'MYID'");
	verdict_is(of_node(&w, 26001), HEALTH_OK, "");
	refused(&w, 26001, ASK_SENTINEL_MYID, ERROR_NOPERM, "NOPERM no permission for 'sentinel|myid'");
	assert_has(of_node(&w, 26001).text, "+sentinel|myid");
	world_end(&w);
}

static void permission_names(void **state)
{
	char name[PERMISSION_BYTES], text[30];
	(void)state;
	/* Redis 6 names no subcommand. */
	assert_string_equal(permission_name("SENTINEL FAILOVER mymaster",
					    "NOPERM this user has no permissions to run the 'sentinel' command",
					    name),
			    "+sentinel|failover");
	assert_string_equal(permission_name("FAILOVER TIMEOUT 10000", "NOPERM", name), "+failover");
	assert_string_equal(permission_name("cluster nodes", "NOPERM", name), "+cluster|nodes");
	assert_string_equal(permission_name("PSUBSCRIBE *", "NOPERM No permissions to access a channel", name),
			    "&*");
	assert_string_equal(permission_name("cluster", "NOPERM", name), "+cluster");
	assert_string_equal(permission_name("", "", name), "+");
	permission_format(text, sizeof(text), "INFO", "NOPERM and more words than fit");
	assert_string_equal(text, "the user lacks +info: NOPERM ");
}

static void two_permissions(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	refused(&w, 21002, ASK_CLUSTER_INFO, ERROR_NOPERM, "NOPERM 'cluster|info'");
	refused(&w, 21002, ASK_ROLE, ERROR_NOPERM, "NOPERM 'role'");
	verdict_is(of_node(&w, 21002), HEALTH_WARNING, "the user lacks +cluster|info +role");
	assert_int_equal(events_named(&w, "+refused"), 1);
	/* said again: still once each */
	refused(&w, 21002, ASK_ROLE, ERROR_NOPERM, "NOPERM 'role'");
	refused(&w, 21002, ASK_CLUSTER_INFO, ERROR_NONE, NULL);
	verdict_is(of_node(&w, 21002), HEALTH_WARNING, "the user lacks +role: NOPERM 'role'");
	assert_int_equal(events_named(&w, "+refused"), 1);
	assert_int_equal(events_named(&w, "-refused"), 0);
	/* not asked every second, so it stands for long, but not for ever */
	tick(&w, 100000);
	assert_has(of_node(&w, 21002).text, "the user lacks +role");
	tick(&w, 600000);
	verdict_is(of_node(&w, 21002), HEALTH_OK, "");
	world_end(&w);
}

static void refused_of(struct world *w, const char *arg, enum server_error error, const char *text)
{
	struct observation o = observe(w, ASK_SENTINEL_REPLICAS, id_at(w, 26001));
	o.answer = ANSWER_REFUSED;
	o.error = error;
	o.text = text;
	o.arg = arg;
	apply(w, &o);
}

/* What passes by itself goes even when the question is never asked again. */
static void refusals_pass(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	refused(&w, 21002, ASK_ROLE, ERROR_BUSY, "BUSY Redis is busy running a script");
	assert_has(of_node(&w, 21002).text, "BUSY");
	tick(&w, 9000);
	assert_has(of_node(&w, 21002).text, "BUSY");
	tick(&w, 2000);
	verdict_is(of_node(&w, 21002), HEALTH_OK, "");
	/* the master went while the question was on its way */
	refused_of(&w, "mymaster", ERROR_OTHER, "ERR No such master with that name");
	verdict_is(of_node(&w, 26001), HEALTH_OK, "");
	refused_of(&w, "other", ERROR_NOPERM, "NOPERM no");
	assert_has(of_node(&w, 26001).text, "NOPERM no");
	tick(&w, 1000);
	verdict_is(of_node(&w, 26001), HEALTH_OK, "");
	world_end(&w);
}

static void replica_troubles(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	info_replica_as(&w, id_at(&w, 21002), "standalone", 21002, HOST, 21001, 10,
			"master_link_status:down\r\nmaster_link_down_since_seconds:12\r\n");
	verdict_is(of_node(&w, 21002), HEALTH_WARNING, "link down 12 s");
	w.now += 3000;
	verdict_is(of_node(&w, 21002), HEALTH_WARNING, "link down 15 s");
	assert_int_equal(of_node(&w, 21002).since_ms, T0 - 12000);
	info_replica_as(&w, id_at(&w, 21002), "standalone", 21002, HOST, 21001, 10,
			"master_link_status:down\r\nmaster_link_down_since_seconds:-1\r\n");
	verdict_is(of_node(&w, 21002), HEALTH_WARNING, "never linked to its master");
	info_replica_as(&w, id_at(&w, 21002), "standalone", 21002, HOST, 21001, 10,
			"master_link_status:down\r\nmaster_sync_in_progress:1\r\n");
	verdict_is(of_node(&w, 21002), HEALTH_WARNING, "full synchronisation running");
	info_replica_as(&w, id_at(&w, 21002), "standalone", 21002, HOST, 21001, 10,
			INFO_LINKED "loading:1\r\nloading_loaded_perc:41.6\r\n");
	verdict_is(of_node(&w, 21002), HEALTH_WARNING, "loading 42 %");
	assert_int_equal(node_status(node_at(&w, 21002)), STATUS_LOADING);
	assert_has(of_group(&w).text, "replica 127.0.0.1:21002 loading 42 %");
	world_end(&w);
}

static void contradictions(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	info_master(&w, 21003, 10, "");
	verdict_is(of_node(&w, 21003), HEALTH_CRITICAL, "second master 0 s: loses its writes");
	info_replica(&w, 21003, 21001, 10);
	info_replica(&w, 21001, 21002, 10);
	verdict_is(of_node(&w, 21001), HEALTH_CRITICAL, "named master, but says it is a replica");
	world_end(&w);
}

static void others_say_down(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	message(&w, 26001, "+sdown", "slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21001");
	w.now += 4000;
	verdict_is(of_node(&w, 21003), HEALTH_WARNING, "others say down 4 s, but it answers here");
	assert_int_equal(node_status(node_at(&w, 21003)), STATUS_UP);
	world_end(&w);
}

/* Sentinels are asked in turn. One of three that sees a replica down must not make "down since" begin
 * anew with each round. */
static void down_since_stays(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	link_lost(&w, 21003);
	replicas(&w, 26002, 21002, 0, 21003, SFLAG_S_DOWN);
	for (int i = 0; i < 3; i++) {
		w.now += 1000;
		replicas(&w, 26003, 21002, 0, 21003, 0);
		assert_true(node_at(&w, 21003)->said_down);
		replicas(&w, 26002, 21002, 0, 21003, SFLAG_S_DOWN);
		assert_int_equal(node_at(&w, 21003)->said_down_ms, T0);
	}
	/* its claim goes with itself, or when it takes it back */
	replicas(&w, 26002, 21002, 0, 21003, 0);
	assert_false(node_at(&w, 21003)->said_down);
	replicas(&w, 26002, 21002, 0, 21003, SFLAG_S_DOWN);
	link_lost(&w, 26002);
	replicas(&w, 26003, 21002, 0, 21003, 0);
	assert_false(node_at(&w, 21003)->said_down);
	world_end(&w);
}

/* SENTINEL REMOVE on the one that said down: it will never take that back. */
static void unwatched(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	replicas(&w, 26001, 21002, 0, 21003, SFLAG_S_DOWN);
	assert_true(node_at(&w, 21003)->said_down);
	w.now += 1000;
	listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, 26002), NULL, NULL, 0);
	assert_true(node_at(&w, 21003)->said_down);
	listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, 26001), NULL, NULL, 0);
	assert_false(node_at(&w, 21003)->said_down);
	masters(&w, 26003, 21001, 0, SFLAG_S_DOWN);
	assert_true(node_at(&w, 21001)->said_down);
	w.now += 1000;
	listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, 26003), NULL, NULL, 0);
	assert_false(node_at(&w, 21001)->said_down);
	world_end(&w);
}

static void sentinel_troubles(void **state)
{
	struct world w = sentinel_world();
	struct verdict v;
	(void)state;
	message(&w, 26002, "+tilt", "#tilt mode entered");
	verdict_is(of_node(&w, 26002), HEALTH_WARNING, "TILT: does not act");
	message(&w, 26002, "-tilt", "#tilt mode exited");
	verdict_is(of_node(&w, 26002), HEALTH_OK, "");
	struct link_facts facts = { .state = LINK_FAILED, .events = true };
	struct observation o = observe(&w, ASK_LINK, id_at(&w, 26002));
	o.u.link = &facts;
	o.text = "NOPERM";
	apply(&w, &o);
	verdict_is(of_node(&w, 26002), HEALTH_WARNING, "no events from it: NOPERM");
	assert_int_equal(node_status(node_at(&w, 26002)), STATUS_UP);
	health_deployment(w.m, only_deployment(&w), w.now, &v);
	verdict_is(v, HEALTH_WARNING, "Sentinel 127.0.0.1:26002 no events from it: NOPERM");
	world_end(&w);
}

static void ckquorum(struct world *w, bool ok, const char *message_text)
{
	struct ckquorum_facts facts = { .ok = ok };
	struct observation o = observe(w, ASK_SENTINEL_CKQUORUM, id_at(w, 26001));
	snprintf(facts.message, sizeof(facts.message), "%s", message_text);
	o.arg = "mymaster";
	o.u.ckquorum = &facts;
	apply(w, &o);
}

static void quorum(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	ckquorum(&w, false, "NOQUORUM 1 usable Sentinels.");
	verdict_is(of_group(&w), HEALTH_WARNING, "no automatic failover: NOQUORUM 1 usable Sentinels.");
	ckquorum(&w, true, "OK 3 usable Sentinels.");
	verdict_is(of_group(&w), HEALTH_OK, "");
	for (int port = 26001; port <= 26003; port++)
		link_lost(&w, port);
	verdict_is(of_group(&w), HEALTH_WARNING, "no Sentinel answers");
	assert_string_equal(status(&w), "ok");
	/* nobody is left who could say that it is down */
	link_lost(&w, 21001);
	assert_string_equal(status(&w), "sdown");
	world_end(&w);
}

/* SENTINEL MONITOR of one address under two names. */
static void two_names(void **state)
{
	struct world w = sentinel_world();
	struct verdict v;
	struct readiness ready;
	(void)state;
	for (int port = 26001; port <= 26003; port++) {
		struct sentinel_instance items[2] = { instance("mymaster", 21001, SFLAG_MASTER),
						      instance("other", 21001, SFLAG_MASTER) };
		listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, port), NULL, items, 2);
	}
	assert_int_equal(only_deployment(&w)->group_count, 2);
	health_group(w.m, only_deployment(&w)->groups[0], w.now, &v);
	verdict_is(v, HEALTH_OK, "");
	health_group(w.m, only_deployment(&w)->groups[1], w.now, &v);
	verdict_is(v, HEALTH_WARNING, "the Sentinels watch its master as mymaster as well");
	health_deployment(w.m, only_deployment(&w), w.now, &v);
	verdict_is(v, HEALTH_WARNING, "other the Sentinels watch its master as mymaster as well");
	readiness_of(w.m, only_deployment(&w)->groups[1], w.now, &ready);
	bool said = false;
	for (size_t i = 0; i < ready.reason_count; i++)
		said |= strstr(ready.reasons[i].text, "watched as mymaster as well") != NULL;
	assert_true(said);
	world_end(&w);
}

static void group_statuses(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	masters(&w, 26001, 21001, 0, SFLAG_S_DOWN);
	assert_string_equal(status(&w), "sdown");
	w.now += 2000;
	verdict_is(of_group(&w), HEALTH_CRITICAL, "subjectively down 2 s (1/3 Sentinels say down)");
	masters(&w, 26001, 21001, 0, SFLAG_S_DOWN | SFLAG_O_DOWN);
	masters(&w, 26002, 21001, 0, SFLAG_S_DOWN);
	assert_string_equal(status(&w), "odown");
	verdict_is(of_group(&w), HEALTH_CRITICAL, "objectively down 2 s (2/3 Sentinels say down)");
	assert_true(group_in_trouble(w.m, only_deployment(&w)->groups[0], w.now));
	/* what a Sentinel said before it fell silent does not count for ever */
	link_lost(&w, 26001);
	masters(&w, 26002, 21001, 0, 0);
	assert_string_equal(status(&w), "ok");
	assert_false(node_at(&w, 21001)->said_down);
	masters(&w, 26003, 21001, 0, SFLAG_FAILOVER_IN_PROGRESS);
	assert_true(group_failover_running(w.m, only_deployment(&w)->groups[0], w.now));
	world_end(&w);
}

/* A shard's name is its master's address: who is down must not be read as the other one. */
static void whose_replica_is_down(void **state)
{
	struct world w = cluster_world();
	struct verdict v;
	(void)state;
	link_lost(&w, 7005);
	w.now += 5000;
	health_deployment(w.m, only_deployment(&w), w.now, &v);
	verdict_is(v, HEALTH_WARNING,
		   "replica 127.0.0.1:7005 of 127.0.0.1:7002 link lost 5 s: connection reset by peer");
	link_lost(&w, 7001);
	w.now += 2000;
	health_deployment(w.m, only_deployment(&w), w.now, &v);
	verdict_is(v, HEALTH_CRITICAL,
		   "master 127.0.0.1:7001 link lost 2 s: connection reset by peer  (+1 more)");
	world_end(&w);
}

static void plain_master_down(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 21002);
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 10);
	link_up(&w, 21001);
	info_master(&w, 21001, 10, LISTED(0, 21002, 10));
	verdict_is(of_group(&w), HEALTH_OK, "");
	link_lost(&w, 21001);
	w.now += 5000;
	assert_string_equal(status(&w), "sdown");
	verdict_is(of_group(&w), HEALTH_CRITICAL,
		   "master 127.0.0.1:21001 link lost 5 s: connection reset by peer");
	world_end(&w);
}

static void worst_first(void **state)
{
	struct world w = sentinel_world();
	struct verdict v;
	(void)state;
	link_lost(&w, 21002);
	link_lost(&w, 21003);
	assert_has(of_group(&w).text, "replica 127.0.0.1:21002");
	link_lost(&w, 21001);
	assert_has(of_group(&w).text, "master 127.0.0.1:21001 link lost");
	assert_int_equal(of_group(&w).health, HEALTH_CRITICAL);
	link_lost(&w, 26003);
	health_deployment(w.m, only_deployment(&w), w.now, &v);
	assert_has(v.text, "mymaster master 127.0.0.1:21001");
	assert_has(v.text, "(+1 more)");
	world_end(&w);
}

static void stale(void **state)
{
	struct world w = sentinel_world();
	const struct node *n = node_at(&w, 21001);
	(void)state;
	assert_false(node_is_stale(n, T0 + 3000, 100));
	assert_true(node_is_stale(n, T0 + 3001, 100));
	assert_false(node_is_stale(n, T0 + 15000, 5000));
	assert_true(node_is_stale(n, T0 + 15001, 5000));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_well),	     cmocka_unit_test(links),
		cmocka_unit_test(never_reached),     cmocka_unit_test(permissions),
		cmocka_unit_test(permission_names),  cmocka_unit_test(two_permissions),
		cmocka_unit_test(refusals_pass),     cmocka_unit_test(unknown_to_older_ones),
		cmocka_unit_test(unwatched),
		cmocka_unit_test(replica_troubles),  cmocka_unit_test(contradictions),
		cmocka_unit_test(others_say_down),   cmocka_unit_test(down_since_stays),
		cmocka_unit_test(sentinel_troubles), cmocka_unit_test(quorum),
		cmocka_unit_test(two_names),
		cmocka_unit_test(group_statuses),    cmocka_unit_test(plain_master_down),
		cmocka_unit_test(whose_replica_is_down), cmocka_unit_test(worst_first),	     cmocka_unit_test(stale),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
