/* Whom Sentinels would promote: each reason to be passed over, the order of choice, what is left to
 * chance. */
#include <strings.h>

#include "candidates.h"

/* Why 21002 is passed over when a Sentinel says that of it. */
static unsigned why_not(struct sentinel_instance a, enum forecast_case which, char words[FORECAST_REASONS_BYTES])
{
	struct world w = listed_world();
	lists(&w, 26001, a, good(21003));
	struct forecast f = by_first(&w, which);
	const struct forecast_replica *r = replica_in(&w, &f, 21002);
	unsigned why = r->passed_over;
	forecast_reasons(r, words);
	assert_int_equal(f.eligible, why == 0 ? 2 : 1);
	if (why != 0)
		assert_int_equal(port_of(&w, f.candidate_id), 21003);
	world_end(&w);
	return why;
}

/* --- who is passed over ------------------------------------------------------------------------ */

static void each_reason(void **state)
{
	char words[FORECAST_REASONS_BYTES];
	struct sentinel_instance a = good(21002);
	(void)state;
	assert_int_equal(why_not(a, FORECAST_MANUAL, words), 0);
	assert_string_equal(words, "");
	a.flags |= SFLAG_S_DOWN;
	assert_int_equal(why_not(a, FORECAST_MANUAL, words), PASS_DOWN);
	assert_string_equal(words, "held for down");
	a = good(21002);
	a.flags |= SFLAG_O_DOWN;
	assert_int_equal(why_not(a, FORECAST_MANUAL, words), PASS_DOWN);
	a = good(21002);
	a.flags |= SFLAG_DISCONNECTED;
	assert_int_equal(why_not(a, FORECAST_MANUAL, words), PASS_DISCONNECTED);
	assert_has(words, "not connected");
	a = good(21002);
	a.last_ok_ping_reply_ms = 5000;
	assert_int_equal(why_not(a, FORECAST_MANUAL, words), 0);
	a.last_ok_ping_reply_ms = 5001;
	assert_int_equal(why_not(a, FORECAST_MANUAL, words), PASS_NO_PING);
	assert_string_equal(words, "last good ping reply 5 s ago, 5 s allowed");
	a = good(21002);
	a.priority = 0;
	assert_int_equal(why_not(a, FORECAST_CRASH, words), PASS_PRIORITY_0);
	assert_string_equal(words, "replica-priority 0");
	a = good(21002);
	a.priority = FACT_UNKNOWN;
	assert_int_equal(why_not(a, FORECAST_CRASH, words), 0);
}

static void old_info(void **state)
{
	char words[FORECAST_REASONS_BYTES];
	struct sentinel_instance a = good(21002);
	(void)state;
	a.info_refresh_ms = 30000;
	assert_int_equal(why_not(a, FORECAST_MANUAL, words), 0);
	a.info_refresh_ms = 41000;
	assert_int_equal(why_not(a, FORECAST_MANUAL, words), PASS_OLD_INFO);
	assert_string_equal(words, "last INFO 41 s ago, 30 s allowed");
	/* After a crash it is asked again before the choice. */
	assert_int_equal(why_not(a, FORECAST_CRASH, words), 0);
	a.info_refresh_ms = 0;
	assert_int_equal(why_not(a, FORECAST_MANUAL, words), PASS_OLD_INFO);
	assert_int_equal(why_not(a, FORECAST_CRASH, words), PASS_OLD_INFO);
	assert_string_equal(words, "the Sentinel never had its INFO");
}

static void link_down(void **state)
{
	char words[FORECAST_REASONS_BYTES];
	struct sentinel_instance a = good(21002);
	(void)state;
	a.master_link_down_time_ms = 50000; /* ten times down-after */
	assert_int_equal(why_not(a, FORECAST_MANUAL, words), 0);
	a.master_link_down_time_ms = 62000;
	assert_int_equal(why_not(a, FORECAST_MANUAL, words), PASS_LINK_DOWN);
	assert_string_equal(words, "link to the master down 1 m 2 s, 50 s allowed");
	/* Once the Sentinels are sure it will have been down for 5 s more. */
	a.master_link_down_time_ms = 45000;
	assert_int_equal(why_not(a, FORECAST_CRASH, words), 0);
	a.master_link_down_time_ms = 45001;
	assert_int_equal(why_not(a, FORECAST_CRASH, words), PASS_LINK_DOWN);
	/* Never linked, as servers of 7.0 say it: no reason of Sentinel's. */
	a.master_link_down_time_ms = -1000;
	assert_int_equal(why_not(a, FORECAST_CRASH, words), 0);
}

static void master_is_down(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance master = instance("mymaster", 21001, SFLAG_MASTER | SFLAG_S_DOWN);
	struct sentinel_instance a = good(21002);
	char words[FORECAST_REASONS_BYTES];
	(void)state;
	master.s_down_time_ms = 3000;
	listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, 26001), NULL, &master, 1);
	a.info_refresh_ms = 5000;
	a.master_link_down_time_ms = 53000;
	lists(&w, 26001, a, good(21003));
	struct forecast f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(f.eligible, 2);
	a.info_refresh_ms = 5001;
	a.master_link_down_time_ms = 53001;
	lists(&w, 26001, a, good(21003));
	f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(replica_in(&w, &f, 21002)->passed_over, PASS_OLD_INFO | PASS_LINK_DOWN);
	forecast_reasons(replica_in(&w, &f, 21002), words);
	assert_string_equal(words, "last INFO 5 s ago, 5 s allowed; link to the master down 53 s, 53 s allowed");
	world_end(&w);
}

static void all_reasons_at_once(void **state)
{
	char words[FORECAST_REASONS_BYTES];
	struct sentinel_instance a = good(21002);
	(void)state;
	a.flags |= SFLAG_S_DOWN | SFLAG_O_DOWN | SFLAG_DISCONNECTED;
	a.last_ok_ping_reply_ms = 400000000000;
	a.priority = 0;
	a.info_refresh_ms = 400000000000;
	a.master_link_down_time_ms = 400000000000;
	assert_int_equal(why_not(a, FORECAST_MANUAL, words),
			 PASS_DOWN | PASS_DISCONNECTED | PASS_NO_PING | PASS_PRIORITY_0 | PASS_OLD_INFO |
			     PASS_LINK_DOWN);
	assert_has(words, "held for down; ");
	assert_has(words, "; the Sentinel is not connected to it; ");
	assert_has(words, "; replica-priority 0; last INFO ");
	assert_has(words, "50 s allowed");
	struct forecast_replica all = { .passed_over = (1u << PASS_REASON_COUNT) - 1,
					.ping_age_ms = 400000000000, .info_age_ms = 400000000000,
					.info_allowed_ms = 30000, .link_down_ms = 400000000000,
					.link_down_allowed_ms = 400000000000 };
	forecast_reasons(&all, words);
	assert_has(words, "not linked to the master");
	assert_true(strlen(words) < FORECAST_REASONS_BYTES - 1); /* nothing is cut */
}

static void nobody_left(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002), b = good(21003);
	bool differ;
	(void)state;
	a.priority = b.priority = 0;
	for (int port = 26001; port <= 26003; port++)
		lists(&w, port, a, b);
	struct forecast f = of_all(&w, FORECAST_CRASH, &differ);
	assert_true(f.known);
	assert_false(differ);
	assert_int_equal(f.eligible, 0);
	assert_int_equal(f.candidate_id, 0);
	assert_string_equal(f.text, "no replica can be promoted");
	world_end(&w);
}

/* --- the order --------------------------------------------------------------------------------- */

static int chosen(struct sentinel_instance a, struct sentinel_instance b, const char *why)
{
	struct world w = listed_world();
	behind(&w);
	lists(&w, 26001, a, b);
	struct forecast f = by_first(&w, FORECAST_CRASH);
	int port = port_of(&w, f.candidate_id);
	assert_has(f.text, why);
	assert_false(f.tie);
	world_end(&w);
	return port;
}

static void priority_then_offset_then_run_id(void **state)
{
	struct sentinel_instance a = good(21002), b = good(21003);
	(void)state;
	b.priority = 50;
	a.repl_offset = 9000;
	snprintf(a.run_id, sizeof(a.run_id), "aaaa");
	snprintf(b.run_id, sizeof(b.run_id), "BBBB");
	assert_int_equal(chosen(a, b, "lowest priority: 50"), 21003);
	b.priority = 100;
	assert_int_equal(chosen(a, b, "5.0 kB more than the next"), 21002);
	b.repl_offset = 9001;
	assert_int_equal(chosen(a, b, "has most of the data"), 21003);
	b.repl_offset = 9000;
	assert_int_equal(chosen(a, b, "smallest run id"), 21002); /* in upper case B would come first */
	a.run_id[0] = '\0';
	assert_int_equal(chosen(a, b, "smallest run id"), 21003);
	a.repl_offset = FACT_UNKNOWN;
	assert_int_equal(chosen(a, b, "has most of the data"), 21003);
}

static void only_one(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002);
	(void)state;
	tick(&w, 1);
	listed(&w, ASK_SENTINEL_REPLICAS, id_at(&w, 26001), "mymaster", &a, 1);
	struct forecast f = by_first(&w, FORECAST_MANUAL);
	assert_int_equal(port_of(&w, f.candidate_id), 21002);
	assert_string_equal(f.text, "the only one that can be promoted");
	world_end(&w);
}

/* Those that keep up have the same data when the choice is made, whatever their last INFO said. */
static void level(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002), b = good(21003);
	(void)state;
	b.repl_offset = 4500;
	lists(&w, 26001, a, b);
	struct forecast f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(port_of(&w, f.candidate_id), 21002);
	assert_has(f.text, "smallest run id");
	assert_int_equal(f.replicas[0].offset, f.replicas[1].offset);
	/* One that does not acknowledge is behind, by the master's word. */
	info_master(&w, 21001, 5000,
		    "slave0:ip=127.0.0.1,port=21002,state=online,offset=3000,lag=7\r\n" LISTED(1, 21003, 5000));
	f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(port_of(&w, f.candidate_id), 21003);
	assert_has(f.text, "has most of the data");
	world_end(&w);
}

/* Also those that redoubt has no link to. */
static void level_by_the_masters_word(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002), b = good(21003);
	(void)state;
	link_state(&w, id_at(&w, 21003), LINK_AUTH_ERROR, "NOAUTH");
	a.repl_offset = 100;
	b.repl_offset = 4500;
	lists(&w, 26001, a, b);
	struct forecast f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(f.eligible, 2);
	assert_int_equal(port_of(&w, f.candidate_id), 21002);
	assert_has(f.text, "smallest run id");
	world_end(&w);
}

/* --- what is left to chance -------------------------------------------------------------------- */

static struct forecast while_written(int64_t bytes, int64_t info_age_ms, enum forecast_case which)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002), b = good(21003);
	tick(&w, 1000);
	info_master(&w, 21001, 5000 + bytes, LISTED(0, 21002, 5000) LISTED(1, 21003, 5000));
	a.info_refresh_ms = b.info_refresh_ms = info_age_ms;
	lists(&w, 26001, a, b);
	struct forecast f = by_first(&w, which);
	if (!f.tie)
		assert_int_equal(port_of(&w, f.candidate_id), 21002);
	world_end(&w);
	return f;
}

/* "or 1 more" would not say who. */
static void three_are_named(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance items[3] = { good(21002), good(21003), good(21004) };
	(void)state;
	tick(&w, 1000);
	info_master(&w, 21001, 5000,
		    LISTED(0, 21002, 5000) LISTED(1, 21003, 5000) LISTED(2, 21004, 5000));
	for (int i = 0; i < 3; i++)
		items[i].info_refresh_ms = 500;
	items[1].repl_offset = 4001;
	listed(&w, ASK_SENTINEL_REPLICAS, id_at(&w, 26001), "mymaster", items, 3);
	link_up(&w, 21004);
	info_replica(&w, 21004, 21001, 5000);
	struct forecast f = by_first(&w, FORECAST_MANUAL);
	assert_true(f.tie);
	assert_int_equal(f.rivals, 3);
	assert_has(f.text, "127.0.0.1:21002 or 127.0.0.1:21003 or 127.0.0.1:21004: they keep up");
	world_end(&w);
}

static void moving(void **state)
{
	struct forecast f = while_written(0, 500, FORECAST_MANUAL);
	(void)state;
	assert_false(f.tie);
	/* Not asked again before the choice: what the INFOs said decides. */
	f = while_written(300, 500, FORECAST_MANUAL);
	assert_true(f.tie);
	assert_int_equal(f.candidate_id, 0);
	assert_string_equal(f.text, "127.0.0.1:21002 or 127.0.0.1:21003: they keep up with the writes, and the "
				    "last INFO decides");
	/* Asked again in one tick, with next to nothing written: equal. */
	f = while_written(300, 1300, FORECAST_MANUAL);
	assert_false(f.tie);
	f = while_written(300, 1100, FORECAST_MANUAL);
	assert_true(f.tie);
	/* With writes all the time it is never sure. */
	f = while_written(500000, 1300, FORECAST_MANUAL);
	assert_true(f.tie);
	/* Nothing is written now, but it was between the two INFOs, which are not asked for again. */
	struct world w = listed_world();
	struct sentinel_instance a = good(21002), b = good(21003);
	tick(&w, 1000);
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000) LISTED(1, 21003, 5000));
	a.info_refresh_ms = b.info_refresh_ms = 500;
	b.repl_offset = 4001;
	lists(&w, 26001, a, b);
	f = by_first(&w, FORECAST_MANUAL);
	assert_true(f.tie);
	world_end(&w);
	/* After a crash nothing moves. */
	f = while_written(500000, 500, FORECAST_CRASH);
	assert_false(f.tie);
}

/* --- a lost master ----------------------------------------------------------------------------- */

static void stopped(struct world *w, int port, int64_t offset)
{
	info_replica_as(w, id_at(w, port), "standalone", port, HOST, 21001, offset, INFO_UNLINKED);
}

static void master_lost(void **state)
{
	struct world w = listed_world();
	(void)state;
	tick(&w, 500);
	link_lost(&w, 21001);
	struct forecast f = by_first(&w, FORECAST_CRASH);
	assert_has(f.text, "smallest run id"); /* as far as is known */
	tick(&w, 200);
	stopped(&w, 21002, 5100);
	stopped(&w, 21003, 5222);
	f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(port_of(&w, f.candidate_id), 21003);
	assert_string_equal(f.text, "has most of the data: 122 B more than the next");
	/* The other has no history in common with less than it has. */
	assert_int_equal(replica_in(&w, &f, 21002)->offset, 5100);
	world_end(&w);
}

static void replica_lost(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002);
	char words[FORECAST_REASONS_BYTES];
	(void)state;
	tick(&w, 100);
	link_lost(&w, 21002);
	struct forecast f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(replica_in(&w, &f, 21002)->passed_over, PASS_UNREACHABLE);
	assert_string_equal(forecast_reasons(replica_in(&w, &f, 21002), words), "does not answer");
	/* By the rules it would be taken this moment. */
	f = by_first(&w, FORECAST_MANUAL);
	assert_int_equal(replica_in(&w, &f, 21002)->passed_over, 0);
	/* The Sentinel heard from it since: only redoubt has lost it. */
	tick(&w, 3000);
	a.last_ok_ping_reply_ms = 200;
	lists(&w, 26001, a, good(21003));
	f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(replica_in(&w, &f, 21002)->passed_over, 0);
	a.last_ok_ping_reply_ms = 3000;
	lists(&w, 26001, a, good(21003));
	f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(replica_in(&w, &f, 21002)->passed_over, PASS_UNREACHABLE);
	world_end(&w);
}

static void never_reached_from_here(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance far = good(21009);
	(void)state;
	tick(&w, 1);
	listed(&w, ASK_SENTINEL_REPLICAS, id_at(&w, 26001), "mymaster", &far, 1);
	link_state(&w, id_at(&w, 21009), LINK_FAILED, "no route to host");
	struct forecast f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(f.eligible, 1);
	assert_int_equal(port_of(&w, f.candidate_id), 21009);
	world_end(&w);
}

/* replica-announced no: not in the list, but in the running. */
static void not_announced(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002);
	(void)state;
	tick(&w, 1);
	listed(&w, ASK_SENTINEL_REPLICAS, id_at(&w, 26001), "mymaster", &a, 1);
	infof(&w, id_at(&w, 21003),
	      INFO_HEAD "role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:21001\r\n" INFO_LINKED
			"slave_repl_offset:4000\r\nslave_priority:10\r\nreplica_announced:0\r\nmaster_replid:%040d\r\n",
	      "standalone", 21003, 1);
	struct forecast f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(f.count, 2);
	assert_int_equal(port_of(&w, f.candidate_id), 21003);
	assert_true(f.replicas[0].hidden);
	assert_has(f.text, "lowest priority: 10");
	link_lost(&w, 21003);
	f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(port_of(&w, f.candidate_id), 21002);
	world_end(&w);
}

/* --- several Sentinels ------------------------------------------------------------------------- */

static void all_of_one_mind(void **state)
{
	struct world w = listed_world();
	bool differ = true;
	(void)state;
	struct forecast f = of_all(&w, FORECAST_CRASH, &differ);
	assert_false(differ);
	assert_int_equal(port_of(&w, f.candidate_id), 21002);
	assert_int_equal(port_of(&w, f.by), 26001);
	forecast_group(w.m, group_of(&w, 21001), FORECAST_CRASH, w.now, &f, NULL);
	world_end(&w);
}

static void two_minds(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002);
	bool differ;
	(void)state;
	a.flags |= SFLAG_S_DOWN;
	lists(&w, 26002, a, good(21003));
	struct forecast f = of_all(&w, FORECAST_CRASH, &differ);
	assert_true(differ);
	assert_int_equal(f.candidate_id, 0);
	assert_true(f.loss_bytes == FACT_UNKNOWN);
	assert_string_equal(f.text, "Sentinels differ on whom to promote: 127.0.0.1:26001 takes 127.0.0.1:21002, "
				    "127.0.0.1:26002 takes 127.0.0.1:21003");
	/* Who does not answer has no say. */
	link_lost(&w, 26002);
	f = of_all(&w, FORECAST_CRASH, &differ);
	assert_false(differ);
	assert_int_equal(port_of(&w, f.candidate_id), 21002);
	world_end(&w);
}

static void one_would_choose_nobody(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002), b = good(21003);
	bool differ;
	(void)state;
	a.flags |= SFLAG_DISCONNECTED;
	b.flags |= SFLAG_DISCONNECTED;
	lists(&w, 26001, a, b);
	struct forecast f = of_all(&w, FORECAST_CRASH, &differ);
	assert_true(differ);
	assert_int_equal(f.eligible, 2); /* of one that has a choice */
	assert_has(f.text, "127.0.0.1:26001 takes nobody, 127.0.0.1:26002 takes 127.0.0.1:21002");
	world_end(&w);
}

/* One of them cannot be foretold: no candidate, but no disagreement either. */
static void one_cannot_tell(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002), b = good(21003);
	bool differ;
	(void)state;
	tick(&w, 1000);
	info_master(&w, 21001, 5300, LISTED(0, 21002, 5300) LISTED(1, 21003, 5300));
	a.info_refresh_ms = 300;
	lists(&w, 26003, a, b);
	struct forecast f = of_all(&w, FORECAST_MANUAL, &differ);
	assert_false(differ);
	assert_true(f.tie);
	assert_int_equal(port_of(&w, f.by), 26003);
	world_end(&w);
}

static void not_known_yet(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 26001);
	link_up(&w, 26001);
	info_sentinel(&w, id_at(&w, 26001), 26001);
	masters(&w, 26001, 21001, 0, 0);
	struct forecast f = of_all(&w, FORECAST_CRASH, NULL);
	assert_false(f.known);
	assert_string_equal(f.text, "this Sentinel has not listed its replicas yet");
	link_lost(&w, 26001);
	f = of_all(&w, FORECAST_CRASH, NULL);
	assert_false(f.known);
	assert_string_equal(f.text, "no Sentinel answers");
	world_end(&w);
}

static void captured_one(const char *masters_file, const char *replicas_file)
{
	struct world w = world_new();
	struct parser *p = parser_new();
	struct observation o;
	target(&w, 26001);
	link_up(&w, 26001);
	info_sentinel(&w, id_at(&w, 26001), 26001);
	o = captured_parse(p, masters_file, ASK_SENTINEL_MASTERS, 0);
	o.node_id = id_at(&w, 26001);
	o.recv_ms = w.now;
	apply(&w, &o);
	const struct group *g = only_deployment(&w)->groups[0];
	char name[NAME_BYTES];
	snprintf(name, sizeof(name), "%s", g->name);
	o = captured_parse(p, replicas_file, ASK_SENTINEL_REPLICAS, 0);
	o.node_id = id_at(&w, 26001);
	o.recv_ms = w.now;
	o.arg = name;
	apply(&w, &o);
	struct forecast f = of_all(&w, FORECAST_CRASH, NULL);
	assert_true(f.known);
	assert_int_equal(f.count, 2);
	for (size_t i = 0; i < f.count; i++)
		assert_int_equal(f.replicas[i].passed_over, 0);
	assert_true(f.candidate_id != 0);
	/* Equal priority: the data, and where that is equal the run id. */
	assert_true(f.replicas[0].offset > f.replicas[1].offset ||
		    (f.replicas[0].offset == f.replicas[1].offset &&
		     strcasecmp(f.replicas[0].run_id, f.replicas[1].run_id) < 0));
	parser_free(p);
	world_end(&w);
}

static void captured(void **state)
{
	(void)state;
	captured_one("sentinel-6.0.20-masters.resp", "sentinel-6.0.20-replicas.resp");
	captured_one("sentinel-valkey-8.0.1-masters.resp", "sentinel-valkey-8.0.1-replicas.resp");
	captured_one("sentinel-7.0.15-masters.resp", "sentinel-7.0.15-replicas.resp");
	captured_one("sentinel-8.0.6-masters.resp", "sentinel-8.0.6-replicas.resp");
	captured_one("sentinel-valkey-9.1.2-masters.resp", "sentinel-valkey-9.1.2-replicas.resp");
}

/* --- clusters and plain sets ------------------------------------------------------------------- */

static void names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PASS_REASON_COUNT; i++)
		assert_true(strlen(pass_reason_name((enum pass_reason)(1u << i))) > 3);
	assert_string_equal(pass_reason_name(PASS_OLD_INFO), "info-too-old");
	assert_string_equal(pass_reason_name((enum pass_reason)(1u << PASS_REASON_COUNT)), "?");
}

/* The one with the best priority may be the last in the list: nobody is named for certain. */
static void more_than_there_is_room_for(void **state)
{
	struct sentinel_instance items[FORECAST_REPLICAS_MAX + 1];
	struct world w = listed_world();
	(void)state;
	for (size_t count = FORECAST_REPLICAS_MAX; count <= FORECAST_REPLICAS_MAX + 1; count++) {
		for (size_t i = 0; i < count; i++) {
			items[i] = good(21002 + (int)i);
			items[i].priority = 100 - (int64_t)i;
		}
		listed(&w, ASK_SENTINEL_REPLICAS, id_at(&w, 26001), "mymaster", items, count);
		struct forecast f = by_first(&w, FORECAST_MANUAL);
		assert_int_equal(f.known, count == FORECAST_REPLICAS_MAX);
		if (f.known) {
			assert_int_equal(port_of(&w, f.candidate_id), 21002 + FORECAST_REPLICAS_MAX - 1);
			continue;
		}
		assert_int_equal(f.candidate_id, 0);
		assert_string_equal(f.text, "65 replicas, of which only 64 are judged: nobody is named");
	}
	world_end(&w);
}

/* --- one that says master of itself ------------------------------------------------------------ */

static bool says_so(const struct world *w, int port)
{
	struct forecast f = of_all(w, FORECAST_CRASH, NULL);
	return replica_in(w, &f, port)->says_master;
}

static void a_second_master_is_not_chosen_quietly(void **state)
{
	struct world w = listed_world();
	struct sentinel_instance lowest = good(21002);
	struct forecast f;
	(void)state;
	lowest.priority = 1;
	for (int port = 26001; port <= 26003; port++)
		lists(&w, port, lowest, good(21003));
	f = of_all(&w, FORECAST_MANUAL, NULL);
	assert_int_equal(port_of(&w, f.candidate_id), 21002);
	assert_false(f.second_master);
	info_master(&w, 21002, 9000, "");
	f = of_all(&w, FORECAST_MANUAL, NULL);
	assert_int_equal(port_of(&w, f.candidate_id), 21002);
	assert_true(f.second_master);
	assert_string_equal(f.text, "lowest priority: 1; it says that it is master itself: its history has left "
				    "the master's");
	/* Not chosen: nothing of it. */
	info_replica(&w, 21002, 21001, 5000);
	info_master(&w, 21003, 9000, "");
	f = of_all(&w, FORECAST_MANUAL, NULL);
	assert_true(replica_in(&w, &f, 21003)->says_master);
	assert_false(f.second_master);
	world_end(&w);
}

/* The replica that a failover promotes says master before anybody names it. */
static void a_promoted_one_is_no_second_master(void **state)
{
	static const char about[] = "master mymaster 127.0.0.1 21001";
	static const char chosen[] = "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001";
	struct world w = listed_world();
	struct sentinel_instance promoted = good(21002);
	(void)state;
	message(&w, 26001, "+try-failover", about);
	message(&w, 26001, "+elected-leader", about);
	message(&w, 26001, "+selected-slave", chosen);
	info_master(&w, 21002, 5000, "");
	assert_false(says_so(&w, 21002));
	world_end(&w);
	/* Without the messages: only the leader's list says so, and another one's is later. */
	w = listed_world();
	info_master(&w, 21002, 5000, "");
	assert_true(says_so(&w, 21002));
	promoted.flags |= SFLAG_PROMOTED;
	lists(&w, 26001, promoted, good(21003));
	w.now += 100;
	lists(&w, 26002, good(21002), good(21003));
	lists(&w, 26003, good(21002), good(21003));
	struct forecast f;
	forecast_by_sentinel(w.m, group_of(&w, 21001), view_at(&w, 26002), FORECAST_CRASH, w.now, &f);
	assert_false(replica_in(&w, &f, 21002)->says_master);
	world_end(&w);
}

/* One whom the Sentinels name already, while the lists of them still have it. */
static void a_named_one_is_no_second_master(void **state)
{
	struct world w = listed_world();
	struct forecast f;
	(void)state;
	info_master(&w, 21002, 5000, "");
	masters(&w, 26001, 21002, 1, 0);
	masters(&w, 26002, 21002, 1, 0);
	const struct group *g = only_deployment(&w)->groups[0];
	assert_int_equal(port_of(&w, g->master_id), 21002);
	forecast_by_sentinel(w.m, g, group_view_of(w.m, g, id_at(&w, 26003)), FORECAST_CRASH, w.now, &f);
	assert_false(replica_in(&w, &f, 21002)->says_master);
	world_end(&w);
}

/* ROLE during a promotion is later than INFO. */
static void the_latest_word_counts(void **state)
{
	struct world w = listed_world();
	struct role_facts role = { .role = ROLE_MASTER };
	struct observation o;
	(void)state;
	assert_false(node_says_master(node_at(&w, 21002)));
	assert_true(node_says_replica(node_at(&w, 21002)));
	w.now += 100;
	o = observe(&w, ASK_ROLE, id_at(&w, 21002));
	o.u.role = &role;
	apply(&w, &o);
	assert_true(node_says_master(node_at(&w, 21002)));
	assert_true(says_so(&w, 21002));
	w.now += 100;
	info_replica(&w, 21002, 21001, 5000);
	assert_true(node_says_replica(node_at(&w, 21002)));
	link_lost(&w, 21002);
	assert_false(node_says_replica(node_at(&w, 21002)) || node_says_master(node_at(&w, 21002)));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_master_is_not_chosen_quietly),
		cmocka_unit_test(a_promoted_one_is_no_second_master),
		cmocka_unit_test(a_named_one_is_no_second_master), cmocka_unit_test(the_latest_word_counts),
		cmocka_unit_test(each_reason),
		cmocka_unit_test(old_info),
		cmocka_unit_test(link_down),
		cmocka_unit_test(master_is_down),
		cmocka_unit_test(all_reasons_at_once),
		cmocka_unit_test(nobody_left),
		cmocka_unit_test(priority_then_offset_then_run_id),
		cmocka_unit_test(only_one),
		cmocka_unit_test(level),
		cmocka_unit_test(level_by_the_masters_word),
		cmocka_unit_test(moving), cmocka_unit_test(three_are_named),
		cmocka_unit_test(master_lost),
		cmocka_unit_test(replica_lost),
		cmocka_unit_test(never_reached_from_here),
		cmocka_unit_test(not_announced),
		cmocka_unit_test(all_of_one_mind),
		cmocka_unit_test(two_minds),
		cmocka_unit_test(one_would_choose_nobody),
		cmocka_unit_test(one_cannot_tell),
		cmocka_unit_test(not_known_yet),
		cmocka_unit_test(captured),
		cmocka_unit_test(names),
		cmocka_unit_test(more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
