/* Key frames: a model that was saved and loaded is the model. Scenarios run on two models at once, one
 * of which was loaded from the other's bytes in the middle, at each possible moment. */
#include "config.h"

#include "model/model.h"

static unsigned watched_apply(struct model *m, const struct observation *obs);
static unsigned watched_tick(struct model *m, int64_t now_ms, int64_t wall_ms);
#define model_apply watched_apply
#define model_tick  watched_tick
#include "observe.h"
#undef model_apply
#undef model_tick

#include "base/mem.h"
#include "model/failovers.h"
#include "model/lag.h"
#include "model/state.h"
#include "model/state_private.h"

#define DELTAS_MAX 64
#define DELTA_EVERY 7 /* observations between two key frames' events */

/* The loaded model beside the one that the scenario makes. */
static struct {
	size_t step, load_at, last;
	struct model *m;
	struct buf deltas[DELTAS_MAX];
	size_t delta_count;
	uint64_t generation; /* of the log at the last delta */
} twin;

/* --- equal ------------------------------------------------------------------------------------- */

static struct buf saved(const struct model *m)
{
	struct buf out = BUF_INIT;
	model_save(m, &out);
	return out;
}

static struct buf saved_events(const struct model *m)
{
	struct buf out = BUF_INIT;
	event_log_save(model_events(m), 0, &out);
	return out;
}

static void assert_same_bytes(struct buf a, struct buf b, const char *what)
{
	size_t at = 0;
	while (at < a.len && at < b.len && a.data[at] == b.data[at])
		at++;
	if (at < a.len || at < b.len)
		fail_msg("%s differs after step %zu (loaded at %zu), at byte %zu of %zu and %zu", what,
			 twin.step, twin.load_at, at, a.len, b.len);
	buf_free(&a);
	buf_free(&b);
}

static void assert_same_verdicts(const struct model *a, const struct model *b, int64_t now_ms)
{
	const struct node *n;
	size_t cursor = 0;
	struct verdict x, y;
	struct lag p, q;
	while ((n = model_next_node(a, &cursor)) != NULL) {
		const struct node *o = model_node(b, n->id);
		assert_non_null(o);
		memset(&p, 0, sizeof(p));
		memset(&q, 0, sizeof(q));
		health_node(a, n, now_ms, &x);
		health_node(b, o, now_ms, &y);
		lag_of(a, n, now_ms, &p);
		lag_of(b, o, now_ms, &q);
		assert_int_equal(x.health, y.health);
		assert_string_equal(x.text, y.text);
		assert_memory_equal(&p, &q, sizeof(p));
		assert_ptr_equal(model_find_node(b, o->deployment_id, &o->addr),
				 model_node(b, model_find_node(a, n->deployment_id, &n->addr)->id));
	}
}

static void assert_same(const struct model *a, const struct model *b)
{
	assert_same_bytes(saved(a), saved(b), "the model");
	assert_same_bytes(saved_events(a), saved_events(b), "the log");
	assert_same_verdicts(a, b, model_now_ms(a));
}

/* --- two at once ------------------------------------------------------------------------------- */

static void add_delta(const struct model *m)
{
	assert_true(twin.delta_count < DELTAS_MAX);
	event_log_save(model_events(m), twin.generation, &twin.deltas[twin.delta_count++]);
	twin.generation = event_log_generation(model_events(m));
}

static struct model *loaded(const struct model *m)
{
	struct buf bytes = saved(m), err = BUF_INIT;
	struct model *copy = model_load(bytes.data, bytes.len, &err);
	if (copy == NULL)
		fail_msg("refused after step %zu: %s", twin.step, buf_str(&err));
	assert_int_equal(err.len, 0);
	buf_free(&bytes);
	return copy;
}

static void after_step(const struct model *m)
{
	twin.step++;
	if (twin.m == NULL && twin.step % DELTA_EVERY == 0)
		add_delta(m);
	if (twin.step == twin.load_at) {
		twin.m = loaded(m);
		assert_int_equal(event_log_count(model_events(twin.m)), 0);
		add_delta(m);
		for (size_t i = 0; i < twin.delta_count; i++)
			assert_true(event_log_restore(model_events_of_load(twin.m), twin.deltas[i].data,
						      twin.deltas[i].len));
	}
	/* All of it is much: what differs once differs from then on. */
	if (twin.m != NULL && (twin.step - twin.load_at < 2 || twin.step % 8 == 0 || twin.step == twin.last))
		assert_same(m, twin.m);
}

static unsigned watched_apply(struct model *m, const struct observation *obs)
{
	unsigned changed = model_apply(m, obs);
	if (twin.m != NULL)
		assert_int_equal(changed, model_apply(twin.m, obs));
	after_step(m);
	return changed;
}

static unsigned watched_tick(struct model *m, int64_t now_ms, int64_t wall_ms)
{
	unsigned changed = model_tick(m, now_ms, wall_ms);
	if (twin.m != NULL)
		assert_int_equal(changed, model_tick(twin.m, now_ms, wall_ms));
	after_step(m);
	return changed;
}

static void twin_end(void)
{
	model_free(twin.m);
	for (size_t i = 0; i < twin.delta_count; i++)
		buf_free(&twin.deltas[i]);
	memset(&twin, 0, sizeof(twin));
}

/* The scenario, loaded after each of its steps in turn. */
static void at_each_step(void (*scenario)(void))
{
	size_t steps;
	scenario();
	steps = twin.step;
	twin_end();
	assert_true(steps > 10);
	for (size_t at = 1; at <= steps; at++) {
		twin.load_at = at;
		twin.last = steps;
		scenario();
		assert_int_equal(twin.step, steps);
		twin_end();
	}
}

/* --- scenarios --------------------------------------------------------------------------------- */

static void from_all(struct world *w, const char *channel, const char *payload)
{
	for (int port = 26001; port <= 26003; port++) {
		message(w, port, channel, payload);
		w->now += 20;
	}
}

static void refused(struct world *w, int port, enum question q, enum server_error error,
		    const char *text)
{
	struct observation o = observe(w, q, id_at(w, port));
	o.answer = ANSWER_REFUSED;
	o.error = error;
	o.text = text;
	apply(w, &o);
}

static void ckquorum(struct world *w, int port)
{
	struct ckquorum_facts facts = { .ok = true, .usable = 3, .message = "OK 3 usable Sentinels." };
	struct observation o = observe(w, ASK_SENTINEL_CKQUORUM, id_at(w, port));
	o.arg = "mymaster";
	o.u.ckquorum = &facts;
	apply(w, &o);
}

static void role(struct world *w, int port, enum role says)
{
	struct role_facts facts = { .role = says, .offset = 5100 };
	struct observation o = observe(w, ASK_ROLE, id_at(w, port));
	o.u.role = &facts;
	apply(w, &o);
}

static void action(struct world *w, int port, enum action_stage stage)
{
	struct action_facts a = { .action_id = 1, .stage = stage, .name = "failover",
				  .subject = "mymaster", .command = "SENTINEL FAILOVER mymaster",
				  .operator_name = "me", .outcome = "" };
	struct observation o = observe(w, ASK_ACTION, id_at(w, port));
	o.u.action = &a;
	apply(w, &o);
}

static void polls(struct world *w, int master, int a, int b, int64_t offset, int rounds)
{
	char listed_replicas[256];
	for (int i = 0; i < rounds; i++, offset += 700) {
		tick(w, 1000);
		snprintf(listed_replicas, sizeof(listed_replicas),
			 "slave0:ip=127.0.0.1,port=%d,state=online,offset=%lld,lag=0\r\n"
			 "slave1:ip=127.0.0.1,port=%d,state=online,offset=%lld,lag=1\r\n",
			 a, (long long)offset, b, (long long)offset - 300);
		info_master(w, master, offset, listed_replicas);
		info_replica(w, a, master, offset);
		info_replica(w, b, master, offset - 300);
	}
}

#define SWITCH "mymaster 127.0.0.1 21001 127.0.0.1 21002"
#define MASTER "master mymaster 127.0.0.1 21001"
#define CHOSEN "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001"

/* A crash of the master and the failover after it. */
static void sentinel_failover(void)
{
	struct world w = sentinel_world();
	polls(&w, 21001, 21002, 21003, 5000, 5);
	ckquorum(&w, 26002);
	refused(&w, 21003, ASK_INFO, ERROR_NOPERM, "NOPERM this user has no permissions");
	refused(&w, 26002, ASK_SENTINEL_CKQUORUM, ERROR_OTHER, "ERR no");
	link_lost(&w, 21001);
	tick(&w, 5000);
	from_all(&w, "+sdown", MASTER);
	message(&w, 26001, "+odown", MASTER " #quorum 2/2");
	message(&w, 26002, "+odown", MASTER " #quorum 3/2");
	masters(&w, 26003, 21001, 0, SFLAG_S_DOWN | SFLAG_O_DOWN);
	message(&w, 26001, "+new-epoch", "1");
	message(&w, 26001, "+try-failover", MASTER);
	from_all(&w, "+vote-for-leader", "0000000000000000000000000000000000026001 1");
	message(&w, 26001, "+elected-leader", MASTER);
	message(&w, 26001, "+failover-state-select-slave", MASTER);
	message(&w, 26001, "+selected-slave", CHOSEN);
	message(&w, 26001, "+failover-state-send-slaveof-noone", CHOSEN);
	message(&w, 26001, "+failover-state-wait-promotion", CHOSEN);
	role(&w, 21002, ROLE_REPLICA);
	w.now += 500;
	role(&w, 21002, ROLE_MASTER);
	message(&w, 26001, "+promoted-slave", CHOSEN);
	message(&w, 26001, "+failover-state-reconf-slaves", MASTER);
	message(&w, 26001, "+slave-reconf-sent",
		"slave 127.0.0.1:21003 127.0.0.1 21003 @ mymaster 127.0.0.1 21001");
	tick(&w, 1000);
	info_replica(&w, 21003, 21002, 8000);
	message(&w, 26001, "+failover-end", MASTER);
	from_all(&w, "+switch-master", SWITCH);
	for (int port = 26001; port <= 26003; port++)
		masters(&w, port, 21002, 1, 0);
	replicas(&w, 26001, 21001, SFLAG_S_DOWN, 21003, 0);
	tick(&w, 3000);
	info_master(&w, 21002, 9000, LISTED(0, 21003, 9000));
	link_up(&w, 21001);
	info_replica(&w, 21001, 21002, 9000);
	action(&w, 26001, ACTION_SENT);
	action(&w, 26001, ACTION_VERIFIED);
	tick(&w, 40000);
	tick(&w, 40000);
	assert_int_equal(master_port(&w, group_of(&w, 21002)), 21002);
	assert_true(events_of(&w, EVENT_SWITCH_MASTER) == 1);
	world_end(&w);
}

#define REST_OF_CLUSTER                                                                            \
	LINE_MASTER(CID2, 7002, "", "", 2, " 5461-10922")                                          \
	LINE_MASTER(CID3, 7003, "", "", 3, " 10923-16383")                                         \
	LINE_SLAVE(CID5, 7005, "", "", CID2, 2) LINE_SLAVE(CID6, 7006, "", "", CID3, 3)

/* A master fails, its replica takes over, a slot moves, a node is forgotten. */
static void cluster_failover(void)
{
	struct world w = cluster_world();
	tick(&w, 1000);
	link_lost(&w, 7001);
	cluster_nodes(&w, 7002,
		      LINE_MASTER(CID1, 7001, "", ",fail?", 1, " 0-5460")
			  LINE_SLAVE(CID4, 7004, "", "", CID1, 1) REST_OF_CLUSTER);
	w.now += 300;
	cluster_nodes(&w, 7003,
		      LINE_MASTER(CID1, 7001, "", ",fail", 1, " 0-5460")
			  LINE_SLAVE(CID4, 7004, "", "", CID1, 1) REST_OF_CLUSTER);
	cluster_info(&w, 7002, false, 4);
	tick(&w, 1000);
	cluster_nodes(&w, 7004,
		      LINE_MASTER(CID1, 7001, "", ",fail", 1, "")
			  LINE_MASTER(CID4, 7004, "myself,", "", 7, " 0-5460 [42->-" CID2 "]")
			      REST_OF_CLUSTER);
	info_master_as(&w, id_at(&w, 7004), "cluster", 7004, 200, "");
	cluster_info(&w, 7002, true, 7);
	tick(&w, 2000);
	cluster_nodes(&w, 7002,
		      LINE_MASTER(CID4, 7004, "", "", 7, " 0-41 43-5460")
			  LINE_MASTER(CID2, 7002, "myself,", "", 8, " 42 5461-10922")
			      LINE_MASTER(CID3, 7003, "", "", 3, " 10923-16383")
				  LINE_SLAVE(CID5, 7005, "", "", CID2, 2)
				      LINE_SLAVE(CID6, 7006, "", "", CID3, 3));
	tick(&w, 40000);
	cluster_nodes(&w, 7003,
		      LINE_MASTER(CID4, 7004, "", "", 7, " 0-41 43-5460")
			  LINE_MASTER(CID3, 7003, "myself,", "", 3, " 10923-16383")
			      LINE_SLAVE(CID5, 7005, "", "", CID2, 2));
	tick(&w, 40000);
	assert_true(events_of(&w, EVENT_SLOTS_MOVED) > 0);
	world_end(&w);
}

/* Two addresses of one process, replicas that come and go, a failover by hand. */
static void plain_set(void)
{
	struct world w = world_new();
	target_host(&w, "db.example", 6379);
	target(&w, 21001);
	target(&w, 21002);
	link_state(&w, find_at(&w, "db.example", 6379)->id, LINK_UP, NULL);
	link_up(&w, 21001);
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000) LISTED(1, 21003, 4000));
	info_master_as(&w, find_at(&w, "db.example", 6379)->id, "standalone", 21001, 5100, "");
	link_up(&w, 21002);
	link_up(&w, 21003);
	polls(&w, 21001, 21002, 21003, 6000, 12);
	/* The name leads to another process now. */
	info_master_as(&w, id_at(&w, 21001), "standalone", 21009, 100, "");
	link_state(&w, id_at(&w, 21001), LINK_FAILED, "connection refused");
	tick(&w, 2000);
	info_master(&w, 21002, 9000, LISTED(0, 21003, 8900));
	info_replica(&w, 21003, 21002, 8900);
	tick(&w, 61000);
	info_master(&w, 21002, 9000, "");
	tick(&w, 3700000);
	assert_true(events_of(&w, EVENT_OWN_ROLE_CHANGED) > 0);
	world_end(&w);
}

/* More events than the log holds, merges and a redirect among them. */
static void small_log(void)
{
	struct world w = { .m = model_new(6), .now = T0 };
	target(&w, 21001);
	target(&w, 21002);
	for (int i = 0; i < 12; i++) {
		link_up(&w, 21001 + i % 2);
		link_lost(&w, 21001 + i % 2);
		tick(&w, 500);
	}
	link_up(&w, 21001);
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000));
	for (int i = 0; i < 8; i++) {
		link_up(&w, 21002);
		link_lost(&w, 21002);
	}
	assert_int_equal(event_log_count(model_events(w.m)), 6);
	world_end(&w);
}

static void test_sentinel_failover(void **state)
{
	(void)state;
	at_each_step(sentinel_failover);
}

static void test_cluster_failover(void **state)
{
	(void)state;
	at_each_step(cluster_failover);
}

static void test_plain_set(void **state)
{
	(void)state;
	at_each_step(plain_set);
}

static void test_small_log(void **state)
{
	(void)state;
	at_each_step(small_log);
}

static void test_settings(void **state)
{
	struct world w = sentinel_world();
	struct alerts alerts = { .lag_critical_bytes = 7 };
	struct model *copy;
	(void)state;
	model_set_alerts(w.m, &alerts);
	model_set_interval(w.m, 20000);
	copy = loaded(w.m);
	assert_memory_equal(model_alerts(copy), &alerts, sizeof(alerts));
	assert_int_equal(copy->leave_after_ms, 60000);
	model_free(copy);
	world_end(&w);
	twin_end();
}

/* --- other versions ---------------------------------------------------------------------------- */

/* Renames a field or struct in the schema, to another name of that length. */
static struct buf renamed(const struct model *m, const char *from, const char *to)
{
	struct buf bytes = saved(m);
	size_t len = strlen(from), found = 0;
	assert_int_equal(len, strlen(to));
	for (size_t i = 1; i + len < bytes.len; i++) {
		/* A name has its length in front. */
		if ((unsigned char)bytes.data[i - 1] != len || memcmp(bytes.data + i, from, len) != 0)
			continue;
		memcpy(bytes.data + i, to, len);
		found++;
		break;
	}
	assert_int_equal(found, 1);
	return bytes;
}

static struct model *load_renamed(const struct model *m, const char *from, const char *to)
{
	struct buf bytes = renamed(m, from, to), err = BUF_INIT;
	struct model *copy = model_load(bytes.data, bytes.len, &err);
	if (copy == NULL)
		fail_msg("refused without %s: %s", from, buf_str(&err));
	buf_free(&bytes);
	return copy;
}

static void test_fields_unknown_here(void **state)
{
	struct world w = sentinel_world();
	struct model *copy = load_renamed(w.m, "master_repl_offset", "a_field_of_another");
	uint32_t id = id_at(&w, 21001);
	(void)state;
	assert_int_equal(model_node(w.m, id)->info.master_repl_offset, 5000);
	assert_true(model_node(copy, id)->info.master_repl_offset == FACT_UNKNOWN);
	assert_int_equal(model_node(copy, id)->info.backlog_size_bytes, 1048576);
	model_free(copy);
	/* A list, a struct within, an enum, a whole kind of struct. */
	copy = load_renamed(w.m, "replicas", "nobodies");
	assert_int_equal(model_group(copy, 1)->view_count, 3);
	model_free(copy);
	copy = load_renamed(w.m, "event_link", "event_sink");
	assert_int_equal(model_node(copy, id)->event_link.rtt_us, -1);
	model_free(copy);
	copy = load_renamed(w.m, "server_mode", "server_mood");
	assert_int_equal(model_node(copy, id)->info.mode, MODE_UNKNOWN);
	model_free(copy);
	copy = load_renamed(w.m, "sentinel_instance", "sentinel_instants");
	assert_int_equal(model_group(copy, 1)->view_count, 3);
	model_free(copy);
	/* A value of an enum. */
	copy = load_renamed(w.m, "standalone", "standalong");
	assert_int_equal(model_node(copy, id)->info.mode, MODE_UNKNOWN);
	assert_int_equal(model_node(copy, id)->info.role, ROLE_MASTER);
	model_free(copy);
	world_end(&w);
	twin_end();
}

/* --- damage ------------------------------------------------------------------------------------ */

/* Whatever is loaded can be worked with. */
static bool try_load(const char *data, size_t len)
{
	struct buf err = BUF_INIT;
	/* Of its exact size: one byte too many is seen. */
	char *bytes = mem_realloc(NULL, len);
	memcpy(bytes, data, len);
	struct model *m = model_load(bytes, len, &err);
	free(bytes);
	assert_true((m == NULL) == (err.len > 0));
	if (m != NULL) {
		struct buf first = saved(m);
		struct model *again = model_load(first.data, first.len, &err);
		if (again == NULL)
			fail_msg("its own bytes are refused: %s", buf_str(&err));
		assert_same_bytes(first, saved(again), "what was loaded");
		model_free(again);
		model_tick(m, model_now_ms(m) + 1000, WALL);
	}
	buf_free(&err);
	bool ok = m != NULL;
	model_free(m);
	return ok;
}

static void test_cut(void **state)
{
	struct world w = cluster_world();
	struct buf bytes = saved(w.m);
	(void)state;
	assert_true(try_load(bytes.data, bytes.len));
	for (size_t len = 0; len < bytes.len; len += len < 4000 ? 7 : 1)
		assert_false(try_load(bytes.data, len));
	buf_addch(&bytes, '\0');
	assert_false(try_load(bytes.data, bytes.len));
	buf_free(&bytes);
	world_end(&w);
	twin_end();
}

static void test_each_byte_damaged(void **state)
{
	static const unsigned char damages[] = { 0x01, 0x80, 0xff };
	struct world w = sentinel_world();
	struct buf bytes, head = BUF_INIT;
	size_t loads = 0;
	(void)state;
	polls(&w, 21001, 21002, 21003, 5000, 2);
	bytes = saved(w.m);
	state_write_head(&state_model, model_now_ms(w.m), &head);
	/* The schema is long and even: some of it will do. */
	for (size_t i = 0; i < bytes.len; i += i < head.len ? 5 : 1) {
		unsigned char damage = damages[i % 3];
		bytes.data[i] = (char)(bytes.data[i] ^ damage);
		loads += try_load(bytes.data, bytes.len);
		bytes.data[i] = (char)(bytes.data[i] ^ damage);
	}
	/* Numbers and names may change unnoticed; not everything can. */
	assert_true(loads > 0 && loads < bytes.len);
	buf_free(&bytes);
	buf_free(&head);
	world_end(&w);
	twin_end();
}

static void test_events_damaged(void **state)
{
	struct world w = sentinel_world();
	struct event_log *log = event_log_new(10);
	struct buf bytes;
	(void)state;
	from_all(&w, "+sdown", MASTER);
	message(&w, 26001, "+odown", MASTER " #quorum 2/2");
	bytes = saved_events(w.m);
	for (size_t len = 0; len < bytes.len; len++)
		assert_false(event_log_restore(log, bytes.data, len));
	assert_int_equal(event_log_count(log), 0);
	assert_int_equal(event_log_last_seq(log), 0);
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.data[i] = (char)(bytes.data[i] ^ 0xff);
		event_log_restore(log, bytes.data, bytes.len);
		bytes.data[i] = (char)(bytes.data[i] ^ 0xff);
	}
	event_log_free(log);
	log = event_log_new(10);
	assert_true(event_log_restore(log, bytes.data, bytes.len));
	assert_int_equal(event_log_count(log), 2);
	assert_int_equal(event_log_at(log, 0)->source_count, 3);
	event_log_free(log);
	buf_free(&bytes);
	world_end(&w);
	twin_end();
}

static void assert_refused(const struct world *w, const char *words)
{
	struct buf bytes = saved(w->m), err = BUF_INIT;
	struct model *m = model_load(bytes.data, bytes.len, &err);
	assert_null(m);
	assert_has(buf_str(&err), words);
	buf_free(&bytes);
	buf_free(&err);
}

/* Changes a number, sees the refusal, puts it back. */
#define ASSERT_REFUSED_WITH(lvalue, value, words)                                                  \
	do {                                                                                       \
		__typeof__(lvalue) kept_ = (lvalue);                                               \
		(lvalue) = (value);                                                                \
		assert_refused(&w, words);                                                         \
		(lvalue) = kept_;                                                                  \
	} while (0)

static void test_ids(void **state)
{
	struct world w = sentinel_world(), *world = &w;
	struct model *m = w.m;
	struct node *n = m->nodes[id_at(world, 21002) - 1];
	struct deployment *d = m->deployments[0];
	struct group *g = d->groups[0];
	struct failover_record *f = failover_add(m);
	(void)state;
	f->id = 1;
	f->step_ms[STEP_TRY] = f->step_last_ms[STEP_TRY] = T0;
	ASSERT_REFUSED_WITH(f->step_last_ms[STEP_TRY], T0 - 1, "step is before the first");
	ASSERT_REFUSED_WITH(n->upstream_id, 1000, "upstream_id is out of range");
	ASSERT_REFUSED_WITH(n->upstream_id, n->id, "follows itself");
	ASSERT_REFUSED_WITH(n->deployment_id, 2, "in no deployment");
	ASSERT_REFUSED_WITH(n->group_id, 2, "is no member of group 1");
	ASSERT_REFUSED_WITH(g->member_ids[1], g->member_ids[2], "is no member of group 1");
	ASSERT_REFUSED_WITH(g->member_ids[1], 1000, "name a node that there never was");
	ASSERT_REFUSED_WITH(g->member_count, 2, "is in no group that there is");
	ASSERT_REFUSED_WITH(g->id, 5, "there twice, or never was");
	ASSERT_REFUSED_WITH(g->replicas[1].node_id, g->replicas[0].node_id, "in disorder");
	ASSERT_REFUSED_WITH(g->views[0].sentinel_id, 0, "watched by nobody");
	ASSERT_REFUSED_WITH(g->first_slot, SLOT_COUNT + 1, "first_slot is out of range");
	ASSERT_REFUSED_WITH(n->addr.host[0], '\0', "has no address");
	ASSERT_REFUSED_WITH(d->kind, KIND_CLUSTER, "not what its kind says");
	ASSERT_REFUSED_WITH(d->gone, true, "is gone");
	ASSERT_REFUSED_WITH(n->info.uptime_s, INT64_MAX, "uptime_s is out of range");
	ASSERT_REFUSED_WITH(n->info_at_ms, INT64_MAX, "info_at_ms is out of range");
	ASSERT_REFUSED_WITH(n->link.state, (enum link_state)99, "state is out of range");
	ASSERT_REFUSED_WITH(m->forwards[n->id - 1], 1, "forwards is out of range");
	world_end(&w);
	twin_end();
}

static void test_key_twice(void **state)
{
	struct world w = sentinel_world();
	struct node *n = w.m->nodes[id_at(&w, 21002) - 1];
	char kept[sizeof(n->keys->text)];
	(void)state;
	memcpy(kept, n->keys->text, sizeof(kept));
	memcpy(n->keys->text, w.m->nodes[id_at(&w, 21003) - 1]->keys->text, sizeof(kept));
	assert_refused(&w, "two nodes are found by");
	memcpy(n->keys->text, kept, sizeof(kept));
	world_end(&w);
	twin_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentinel_failover),
		cmocka_unit_test(test_cluster_failover),
		cmocka_unit_test(test_plain_set),
		cmocka_unit_test(test_small_log),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_fields_unknown_here),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_each_byte_damaged),
		cmocka_unit_test(test_events_damaged),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_key_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
