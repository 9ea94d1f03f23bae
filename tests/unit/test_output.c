/* What is printed without a screen: no key is lost, nothing unknown is a number, no loss is silent. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <unistd.h>

#include "app/logfile.h"
#include "app/output.h"
#include "model/agreement.h"
#include "model/failovers.h"
#include "model/probe.h"
#include "observe.h"

static json_t *parsed(struct buf *out)
{
	json_error_t error;
	json_t *o = json_loads(buf_str(out), 0, &error);
	if (o == NULL)
		fail_msg("no JSON: %s: %s", error.text, buf_str(out));
	buf_free(out);
	return o;
}

static json_t *snapshot(const struct world *w)
{
	struct buf out = BUF_INIT;
	output_snapshot_json(w->m, w->now, WALL, &out);
	return parsed(&out);
}

static json_t *member(json_t *o, const char *key)
{
	json_t *value = json_object_get(o, key);
	if (value == NULL)
		fail_msg("no key \"%s\"", key);
	return value;
}

static json_t *deployment(json_t *o)
{
	return json_array_get(member(o, "deployments"), 0);
}

static json_t *master_of(json_t *o)
{
	return json_array_get(member(deployment(o), "masters"), 0);
}

static json_t *node_of(json_t *o, int port)
{
	char addr[32];
	size_t i;
	json_t *n;
	snprintf(addr, sizeof(addr), "127.0.0.1:%d", port);
	json_array_foreach(member(deployment(o), "nodes"), i, n)
		if (strcmp(json_string_value(member(n, "addr")), addr) == 0)
			return n;
	fail_msg("no node %s", addr);
	return NULL;
}

/* Fields of a fixed size cut in bytes: every length ends within a character for some. */
static void long_text_keeps_its_key(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		struct world w = sentinel_world();
		char why[400] = "abc";
		why[shift] = '\0';
		while (strlen(why) < 300)
			strcat(why, "\xe6\x97\xa5"); /* a character of three bytes */
		link_state(&w, id_at(&w, 21002), LINK_LOST, why);
		json_t *o = snapshot(&w);
		const char *error = json_string_value(member(node_of(o, 21002), "error"));
		assert_non_null(error);
		assert_has(error, "\xe6\x97\xa5\xe6\x97\xa5");
		assert_null(strstr(error, "\\x")); /* the cut character is left out */
		json_decref(o);
		world_end(&w);
	}
}

static void broken_text_keeps_its_key(void **state)
{
	struct buf out = BUF_INIT;
	char name[] = "+o\xff" "dd", detail[] = "a\xffz\xf0\x9f", subject[] = "\xe2\x82", empty[] = "";
	struct event e = { .name = name, .deployment = empty, .subject = subject, .addr = empty,
			   .detail = detail };
	(void)state;
	output_event_json(&e, &out);
	json_t *o = parsed(&out);
	assert_string_equal(json_string_value(member(o, "event")), "+o\\xffdd");
	assert_string_equal(json_string_value(member(o, "detail")), "a\\xffz");
	assert_non_null(json_string_value(member(o, "subject")));
	json_decref(o);
}

/* The parts of the snapshot that other files make. */
static void broken_verdicts_keep_their_keys(void **state)
{
	struct world w = sentinel_world();
	const struct probe_facts f = { .news = PROBE_BROKE, .group_id = only_deployment(&w)->groups[0]->id,
				       .failed = 1, .first_failed_ms = w.now, .outage_failed = 1,
				       .lost = FACT_UNKNOWN };
	struct observation probe = observe(&w, ASK_PROBE, id_at(&w, 21001));
	(void)state;
	probe.u.probe = &f;
	probe.text = "no";
	apply(&w, &probe);
	memcpy(only_deployment(&w)->groups[0]->probe->outages[0].reason, "a\xffz", 4);
	message(&w, 26001, "+try-failover", "master mymaster 127.0.0.1 21001");
	assert_int_equal(model_failover_count(w.m), 1);
	memcpy(((struct failover_record *)(uintptr_t)model_failover_at(w.m, 0))->abort_reason, "a\xffz", 4);
	json_t *o = snapshot(&w);
	json_t *outage = json_array_get(member(member(master_of(o), "client"), "outages"), 0);
	assert_string_equal(json_string_value(member(outage, "reason")), "a\\xffz");
	json_t *failover = json_array_get(member(deployment(o), "failovers"), 0);
	assert_string_equal(json_string_value(member(failover, "abort_reason")), "a\\xffz");
	json_decref(o);
	world_end(&w);
}

static void absent_is_null(void **state)
{
	struct world w = world_new();
	struct buf out = BUF_INIT;
	char name[] = "+new-epoch", empty[] = "";
	struct event e = { .name = name, .deployment = empty, .subject = empty, .addr = empty,
			   .detail = empty };
	(void)state;
	target(&w, 21001);
	json_t *o = snapshot(&w);
	assert_true(json_is_null(member(deployment(o), "kind")));
	assert_true(json_is_null(member(deployment(o), "findings")));
	assert_true(json_is_null(member(node_of(o, 21001), "role")));
	json_decref(o);
	output_event_json(&e, &out);
	o = parsed(&out);
	assert_true(json_is_null(member(o, "subject")));
	assert_true(json_is_null(member(o, "addr")));
	assert_true(json_is_null(member(o, "detail")));
	assert_true(json_is_null(member(o, "deployment")));
	json_decref(o);
	world_end(&w);
}

static void assert_all_null(json_t *o, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!json_is_null(member(o, keys[i])))
			fail_msg("%s is a last good value", keys[i]);
}

#define ASSERT_ALL_NULL(o, ...)                                                                    \
	assert_all_null(o, (const char *const[]){ __VA_ARGS__ },                                   \
			sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static json_t *replica_of(json_t *o, int port)
{
	char addr[32];
	size_t i;
	json_t *r;
	snprintf(addr, sizeof(addr), "127.0.0.1:%d", port);
	json_array_foreach(member(master_of(o), "replicas"), i, r)
		if (strcmp(json_string_value(member(r, "addr")), addr) == 0)
			return r;
	fail_msg("no replica %s", addr);
	return NULL;
}

#define NODE_VALUES "server", "version", "uptime_seconds", "clients", "ops_per_sec", "used_memory",       \
	"maxmemory", "hit_rate", "input_kbps", "output_kbps", "keys", "latency_ms"

static void busy_master(struct world *w)
{
	infof(w, id_at(w, 21001), INFO_HEAD "uptime_in_seconds:77\r\n# Clients\r\nconnected_clients:8\r\n"
	      "# Memory\r\nused_memory:1000000\r\nmaxmemory:0\r\n"
	      "# Stats\r\ninstantaneous_ops_per_sec:37\r\ninstantaneous_input_kbps:1.5\r\n"
	      "instantaneous_output_kbps:2.5\r\nkeyspace_hits:3\r\nkeyspace_misses:1\r\n"
	      "# Replication\r\nrole:master\r\n" LISTED(0, 21002, 5000) LISTED(1, 21003, 4000)
	      "master_repl_offset:5000\r\nmaster_replid:%040d\r\n" INFO_BACKLOG
	      "# Keyspace\r\ndb0:keys=9,expires=0,avg_ttl=0\r\n", "standalone", 21001, 1, 1LL);
}

/* What a lost node said last is not what it says. */
static void lost_is_null(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	busy_master(&w);
	json_t *o = snapshot(&w), *n = node_of(o, 21001);
	assert_int_equal(json_integer_value(member(n, "clients")), 8);
	assert_int_equal(json_integer_value(member(n, "ops_per_sec")), 37);
	assert_int_equal(json_integer_value(member(n, "age_ms")), 0);
	assert_int_equal(json_integer_value(member(replica_of(o, 21003), "lag_bytes")), 1000);
	json_decref(o);
	link_lost(&w, 21001);
	link_lost(&w, 21002);
	tick(&w, 4000);
	o = snapshot(&w);
	n = node_of(o, 21001);
	ASSERT_ALL_NULL(n, NODE_VALUES);
	assert_string_equal(json_string_value(member(n, "role")), "master"); /* as the Sentinels say */
	assert_string_equal(json_string_value(member(n, "status")), "unreachable");
	assert_int_equal(json_integer_value(member(n, "age_ms")), 4000);
	ASSERT_ALL_NULL(replica_of(o, 21002), "link", "offset", "lag_bytes", "lag_seconds",
			"backlog_headroom_bytes");
	ASSERT_ALL_NULL(replica_of(o, 21003), "lag_bytes", "lag_seconds", "backlog_headroom_bytes");
	assert_int_equal(json_integer_value(member(replica_of(o, 21003), "offset")), 4000); /* its own word */
	assert_string_equal(json_string_value(member(replica_of(o, 21003), "link")), "up");
	assert_int_equal(json_integer_value(member(replica_of(o, 21002), "priority")), 100); /* Sentinels' word */
	json_decref(o);
	struct buf text = BUF_INIT;
	output_snapshot_text(w.m, w.now, WALL, &text);
	assert_has(buf_str(&text), "unreachable  ?         lag ?");
	assert_has(buf_str(&text), "7.0.15    lag ?"); /* 21003 answers, its master does not */
	buf_free(&text);
	/* The link is back, and nothing was asked yet. */
	link_up(&w, 21001);
	o = snapshot(&w);
	ASSERT_ALL_NULL(node_of(o, 21001), NODE_VALUES);
	json_decref(o);
	busy_master(&w);
	o = snapshot(&w);
	assert_int_equal(json_integer_value(member(node_of(o, 21001), "clients")), 8);
	assert_int_equal(json_integer_value(member(replica_of(o, 21003), "lag_bytes")), 1000);
	json_decref(o);
	world_end(&w);
}

/* It answers, but not that question any more. */
static void refused_is_null(void **state)
{
	struct world w = sentinel_world();
	struct observation refusal;
	(void)state;
	busy_master(&w);
	tick(&w, 1000);
	refusal = observe(&w, ASK_INFO, id_at(&w, 21001));
	refusal.answer = ANSWER_REFUSED;
	refusal.error = ERROR_NOPERM;
	refusal.text = "NOPERM this user has no permissions to run the 'info' command";
	apply(&w, &refusal);
	json_t *o = snapshot(&w);
	ASSERT_ALL_NULL(node_of(o, 21001), NODE_VALUES);
	json_decref(o);
	world_end(&w);
}

static void no_sentinel_answers(void **state)
{
	struct world w = sentinel_world();
	struct buf text = BUF_INIT;
	(void)state;
	for (int port = 26001; port <= 26003; port++)
		link_lost(&w, port);
	tick(&w, 1000);
	json_t *o = snapshot(&w), *sentinel = json_array_get(member(deployment(o), "sentinels"), 0);
	ASSERT_ALL_NULL(master_of(o), "flags", "quorum", "config_epoch", "down_after_ms",
			"failover_timeout_ms", "parallel_syncs", "ckquorum");
	assert_int_equal(json_integer_value(member(member(master_of(o), "sentinels"), "known")), 3);
	assert_int_equal(json_integer_value(member(member(master_of(o), "sentinels"), "reachable")), 0);
	ASSERT_ALL_NULL(sentinel, "server", "version", "tilt");
	assert_true(json_is_null(member(replica_of(o, 21002), "flags")));
	json_decref(o);
	output_snapshot_text(w.m, w.now, WALL, &text);
	assert_has(buf_str(&text), "quorum ? of 3  epoch ?  ckquorum not asked");
	buf_free(&text);
	world_end(&w);
}

/* --- agreement, Sentinel by Sentinel ------------------------------------------------------------ */

static json_t *view_of(json_t *o, int port)
{
	char addr[32];
	size_t i;
	json_t *v;
	snprintf(addr, sizeof(addr), "127.0.0.1:%d", port);
	json_array_foreach(member(member(master_of(o), "agreement"), "views"), i, v)
		if (strcmp(json_string_value(member(v, "sentinel")), addr) == 0)
			return v;
	fail_msg("no view of %s", addr);
	return NULL;
}

static void every_field_of_a_view(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance s = instance("mymaster", 21001, SFLAG_MASTER);
	struct sentinel_instance peer = instance("p", 26002, SFLAG_SENTINEL);
	(void)state;
	snprintf(peer.voted_leader, sizeof(peer.voted_leader), "%040d", 42);
	peer.voted_leader_epoch = 3;
	listed(&w, ASK_SENTINEL_SENTINELS, id_at(&w, 26001), "mymaster", &peer, 1);
	s.config_epoch = 0;
	s.quorum = 1;
	s.down_after_ms = 30000;
	listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, 26002), NULL, &s, 1);
	tick(&w, 700);
	json_t *o = snapshot(&w), *v = view_of(o, 26002), *dissent = member(v, "dissent");
	for (enum agreement_field f = 0; f < AGREE_COUNT; f++)
		assert_non_null(member(v, agreement_name(f)));
	assert_true(json_is_true(member(v, "answers")));
	assert_int_equal(json_integer_value(member(v, "age_ms")), 700);
	assert_string_equal(json_string_value(member(v, "master")), "127.0.0.1:21001");
	assert_int_equal(json_integer_value(member(v, "down_after_ms")), 30000);
	assert_int_equal(json_integer_value(member(v, "failover_timeout_ms")), 10000);
	assert_int_equal(json_integer_value(member(v, "parallel_syncs")), 1);
	assert_string_equal(json_string_value(member(v, "voted_leader")), "00000000");
	assert_int_equal(json_integer_value(member(v, "voted_epoch")), 3);
	assert_true(json_is_false(member(v, "tilt")));
	assert_string_equal(json_string_value(member(v, "version")), "7.0.15");
	assert_true(json_is_null(member(view_of(o, 26003), "voted_leader")));
	assert_int_equal(json_array_size(dissent), 2);
	dissent = json_array_get(dissent, 0);
	assert_string_equal(json_string_value(member(dissent, "about")), "quorum");
	assert_string_equal(json_string_value(member(dissent, "says")), "1");
	assert_string_equal(json_string_value(member(dissent, "most_say")), "2");
	assert_int_equal(json_integer_value(member(dissent, "age_ms")), 700);
	assert_true(json_is_false(member(dissent, "passing")));
	assert_int_equal(json_array_size(member(v, "stands_alone_with")), 2);
	assert_int_equal(json_array_size(member(view_of(o, 26001), "dissent")), 0);
	json_decref(o);
	world_end(&w);
}

/* The word of one that does not answer any more shows its age. */
static void silent_view(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	link_lost(&w, 26003);
	tick(&w, 9000);
	masters(&w, 26001, 21001, 0, 0);
	json_t *o = snapshot(&w), *v = view_of(o, 26003);
	assert_true(json_is_false(member(v, "answers")));
	assert_int_equal(json_integer_value(member(v, "age_ms")), 9000);
	assert_string_equal(json_string_value(member(v, "master")), "127.0.0.1:21001");
	assert_true(json_is_true(member(view_of(o, 26001), "answers")));
	assert_int_equal(json_integer_value(member(view_of(o, 26001), "age_ms")), 0);
	json_decref(o);
	world_end(&w);
}

/* Whom the rules would take says master of itself, and a program must see that. */
static void second_master_in_the_forecast(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance items[2] = { instance("a", 21002, SFLAG_SLAVE), instance("b", 21003, SFLAG_SLAVE) };
	(void)state;
	items[0].priority = 1;
	items[0].info_refresh_ms = items[1].info_refresh_ms = 300;
	for (int port = 26001; port <= 26003; port++)
		listed(&w, ASK_SENTINEL_REPLICAS, id_at(&w, port), "mymaster", items, 2);
	for (int second = 0; second < 2; second++) {
		json_t *o = snapshot(&w), *f = member(master_of(o), "forecast");
		assert_int_equal(json_is_true(member(f, "second_master")), second);
		assert_int_equal(json_is_true(member(member(f, "manual"), "second_master")), second);
		json_decref(o);
		info_master(&w, 21002, 9000, "");
	}
	world_end(&w);
}

static void a_disagreement_says_about_what(void **state)
{
	struct world w = sentinel_world();
	const struct event *e = NULL;
	struct buf out = BUF_INIT;
	(void)state;
	for (int i = 0; i < 2; i++) {
		tick(&w, 1000);
		masters(&w, 26003, 21002, 0, 0);
	}
	assert_int_equal(count_events(&w, EVENT_DISAGREEMENT, &e), 1);
	output_event_json(e, &out);
	json_t *o = parsed(&out);
	assert_string_equal(json_string_value(member(o, "about")), "master");
	json_decref(o);
	link_lost(&w, 21003);
	e = event_log_at(model_events(w.m), event_log_count(model_events(w.m)) - 1);
	assert_int_equal(e->kind, EVENT_LINK_LOST);
	output_event_json(e, &out);
	o = parsed(&out);
	assert_true(json_is_null(member(o, "about")));
	json_decref(o);
	world_end(&w);
}

static void ghosts_in_the_snapshot(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance dead = instance("b", 26003, SFLAG_SENTINEL | SFLAG_S_DOWN);
	(void)state;
	json_t *o = snapshot(&w);
	assert_int_equal(json_array_size(member(member(master_of(o), "agreement"), "ghosts")), 0);
	json_decref(o);
	link_lost(&w, 26003);
	tick(&w, 90000);
	dead.s_down_time_ms = 80000;
	listed(&w, ASK_SENTINEL_SENTINELS, id_at(&w, 26001), "mymaster", &dead, 1);
	o = snapshot(&w);
	json_t *list = member(member(master_of(o), "agreement"), "ghosts"), *ghost = json_array_get(list, 0);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(member(ghost, "addr")), "127.0.0.1:26003");
	assert_string_equal(json_string_value(member(ghost, "role")), "sentinel");
	assert_int_equal(json_integer_value(member(ghost, "age_ms")), 90000);
	assert_string_equal(json_string_value(json_array_get(member(ghost, "listed_by"), 0)), "127.0.0.1:26001");
	assert_has(json_string_value(member(ghost, "advice")), "SENTINEL RESET");
	json_decref(o);
	world_end(&w);
}

/* Flags are a Sentinel's word: without Sentinels nobody has said that there are none. */
static void plain_set_has_no_flags(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 21001);
	link_up(&w, 21001);
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000));
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 5000);
	json_t *o = snapshot(&w);
	json_t *master = json_array_get(member(deployment(o), "masters"), 0);
	assert_true(json_is_null(member(master, "flags")));
	assert_true(json_is_null(member(json_array_get(member(master, "replicas"), 0), "flags")));
	json_decref(o);
	world_end(&w);
}

static void hit_rate(void **state)
{
	static const struct { const char *stats; double rate; } cases[] = {
		{ "keyspace_hits:3\r\nkeyspace_misses:1\r\n", 0.75 },
		{ "keyspace_hits:0\r\nkeyspace_misses:7\r\n", 0.0 },
		{ "keyspace_hits:0\r\nkeyspace_misses:0\r\n", -1 },
		{ "", -1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w = world_new();
		target(&w, 21001);
		link_up(&w, 21001);
		infof(&w, id_at(&w, 21001), INFO_HEAD "# Stats\r\n%s# Replication\r\nrole:master\r\n",
		      "standalone", 21001, cases[i].stats);
		json_t *o = snapshot(&w);
		json_t *rate = member(node_of(o, 21001), "hit_rate");
		if (cases[i].rate < 0)
			assert_true(json_is_null(rate));
		else
			assert_true(json_is_real(rate) && json_real_value(rate) == cases[i].rate);
		json_decref(o);
		world_end(&w);
	}
}

/* Both have a 7.2.4, and Valkey says Redis' as well. */
static void whose_version(void **state)
{
	struct world w = sentinel_world();
	json_t *o = snapshot(&w), *n;
	(void)state;
	assert_string_equal(json_string_value(member(node_of(o, 21001), "server")), "redis");
	json_decref(o);
	infof(&w, id_at(&w, 26001), "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\n"
				    "valkey_version:8.0.1\r\nserver_mode:sentinel\r\nrun_id:%040d\r\n"
				    "# Sentinel\r\nsentinel_masters:1\r\nsentinel_tilt:0\r\n", 26001);
	o = snapshot(&w);
	assert_string_equal(json_string_value(member(node_of(o, 26001), "server")), "valkey");
	n = json_array_get(member(deployment(o), "sentinels"), 0);
	assert_string_equal(json_string_value(member(n, "server")), "valkey");
	assert_string_equal(json_string_value(member(n, "version")), "8.0.1");
	json_decref(o);
	/* never reached */
	replicas(&w, 26001, 21002, 0, 21009, 0);
	o = snapshot(&w);
	assert_true(json_is_null(member(node_of(o, 21009), "server")));
	json_decref(o);
	world_end(&w);
}

static void text_says_unknown(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance item = instance("mymaster", 21001, SFLAG_MASTER);
	struct buf out = BUF_INIT;
	(void)state;
	item.quorum = item.config_epoch = FACT_UNKNOWN;
	for (int port = 26001; port <= 26003; port++)
		listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, port), NULL, &item, 1);
	output_snapshot_text(w.m, w.now, WALL, &out);
	assert_has(buf_str(&out), "quorum ? of 3  epoch ?");
	assert_null(strstr(buf_str(&out), "9223372036854775808"));
	buf_free(&out);
	world_end(&w);
}

/* Two of the three that are known are dead, and this one's view is all there is. */
static void text_counts_the_known(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance peers[] = { instance("a", 26002, SFLAG_SENTINEL),
					     instance("b", 26003, SFLAG_SENTINEL) };
	struct buf out = BUF_INIT;
	(void)state;
	listed(&w, ASK_SENTINEL_SENTINELS, id_at(&w, 26001), "mymaster", peers, 2);
	link_lost(&w, 26002);
	link_lost(&w, 26003);
	output_snapshot_text(w.m, w.now, WALL, &out);
	assert_has(buf_str(&out), "agreement  yes: 1 of 3 Sentinels answer");
	buf_free(&out);
	world_end(&w);
}

/* One that is new: of the others only their addresses are known. */
static void text_counts_peers(void **state)
{
	struct world w = world_new();
	struct sentinel_instance item = instance("mymaster", 21001, SFLAG_MASTER);
	struct sentinel_instance peers[] = { instance("a", 26002, SFLAG_SENTINEL),
					     instance("b", 26003, SFLAG_SENTINEL) };
	struct buf out = BUF_INIT;
	(void)state;
	target(&w, 26001);
	link_up(&w, 26001);
	listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, 26001), NULL, &item, 1);
	listed(&w, ASK_SENTINEL_SENTINELS, id_at(&w, 26001), "mymaster", peers, 2);
	output_snapshot_text(w.m, w.now, WALL, &out);
	assert_has(buf_str(&out), "agreement  yes: 1 of 3 Sentinels answer");
	buf_free(&out);
	world_end(&w);
}

/* More events than the ring holds between two looks. */
static void lost_events_are_said(void **state)
{
	struct event_stream text_stream = { 1 }, json_stream = { 1 };
	struct model *m = model_new(4);
	struct world w = { .m = m, .now = T0 };
	struct buf out = BUF_INIT;
	(void)state;
	target(&w, 21001);
	for (int i = 0; i < 20; i++) {
		w.now += 100;
		link_up(&w, 21001);
		info_master(&w, 21001, 5000 + i, "");
		link_lost(&w, 21001);
	}
	uint64_t last = event_log_last_seq(model_events(m));
	assert_true(last > 4);
	event_stream_pump(&text_stream, m, FORMAT_TEXT, w.now, true, &out);
	char said[64];
	snprintf(said, sizeof(said), "%d events lost\n", (int)(last - 4));
	assert_has(buf_str(&out), said);
	assert_has(buf_str(&out), EVENTS_LOST_NAME);
	buf_reset(&out);
	event_stream_pump(&json_stream, m, FORMAT_JSON, w.now, true, &out);
	char *end = strchr(out.data, '\n');
	json_t *o = json_loadb(out.data, (size_t)(end - out.data), 0, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(member(o, "event")), EVENTS_LOST_NAME);
	assert_int_equal(json_integer_value(member(o, "lost")), last - 4);
	assert_non_null(member(o, "sources"));
	json_decref(o);
	/* Once. */
	buf_reset(&out);
	event_stream_pump(&text_stream, m, FORMAT_TEXT, w.now, true, &out);
	assert_int_equal(out.len, 0);
	buf_free(&out);
	model_free(m);
}

/* --- the writer -------------------------------------------------------------------------------- */

static void full_disk_is_counted(void **state)
{
	struct logfile_losses losses;
	struct buf err = BUF_INIT;
	struct logfile *l = access("/dev/full", W_OK) == 0 ? logfile_open("/dev/full", &err) : NULL;
	(void)state;
	if (l == NULL)
		skip();
	logfile_add(l, "one\ntwo\n", 8);
	logfile_close(l, 5000, &losses);
	assert_int_equal(losses.error, ENOSPC);
	assert_int_equal(losses.lines, 2);
	assert_false(losses.unread);
}

static void reader_that_left(void **state)
{
	struct logfile_losses losses;
	int ends[2];
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	struct logfile *l = logfile_open_fd(ends[1]);
	logfile_add(l, "one\n", 4);
	logfile_close(l, 5000, &losses);
	assert_int_equal(losses.error, EPIPE);
	close(ends[1]);
}

static void slow_reader_is_counted(void **state)
{
	struct logfile_losses losses = { 0 };
	char line[65536];
	int ends[2];
	(void)state;
	assert_int_equal(pipe(ends), 0);
	struct logfile *l = logfile_open_fd(ends[1]);
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	/* Pipe, batch and queue are full some time. */
	for (int i = 0; i < 200; i++)
		logfile_add(l, line, sizeof(line));
	assert_true(logfile_losses(l, &losses));
	assert_true(losses.lines > 50 && losses.lines < 200);
	assert_int_equal(losses.error, 0);
	/* The thread is in write(): the reader's end closed lets it go, and it frees what it has. */
	logfile_close(l, 50, &losses);
	assert_true(losses.unread);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_text_keeps_its_key),
		cmocka_unit_test(broken_text_keeps_its_key),
		cmocka_unit_test(broken_verdicts_keep_their_keys),
		cmocka_unit_test(lost_is_null),
		cmocka_unit_test(refused_is_null),
		cmocka_unit_test(no_sentinel_answers),
		cmocka_unit_test(every_field_of_a_view),
		cmocka_unit_test(silent_view),
		cmocka_unit_test(second_master_in_the_forecast), cmocka_unit_test(a_disagreement_says_about_what), cmocka_unit_test(ghosts_in_the_snapshot),
		cmocka_unit_test(absent_is_null),
		cmocka_unit_test(plain_set_has_no_flags),
		cmocka_unit_test(hit_rate),
		cmocka_unit_test(whose_version), cmocka_unit_test(text_says_unknown),
		cmocka_unit_test(text_counts_the_known), cmocka_unit_test(text_counts_peers),
		cmocka_unit_test(lost_events_are_said),
		cmocka_unit_test(full_disk_is_counted),
		cmocka_unit_test(reader_that_left),
		cmocka_unit_test(slow_reader_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
