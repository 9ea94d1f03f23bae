/* Discovery: from any member to the whole, and of several targets one deployment. */
#include "config.h"

#include "observe.h"

/* --- discovery from any member ------------------------------------------------------------------ */

static void from_sentinel_captures(void **state)
{
	static const char *const versions[] = { "6.0.20", "7.0.15", "8.0.6", "valkey-8.0.1", "valkey-9.1.2" };
	static const struct {
		const char *kind;
		enum question question;
	} lists[] = { { "masters", ASK_SENTINEL_MASTERS },
		      { "replicas", ASK_SENTINEL_REPLICAS },
		      { "sentinels", ASK_SENTINEL_SENTINELS } };
	(void)state;
	for (size_t v = 0; v < sizeof(versions) / sizeof(versions[0]); v++) {
		struct world w = world_new();
		struct parser *p = parser_new();
		uint32_t id = target(&w, 26001);
		link_state(&w, id, LINK_UP, NULL);
		for (size_t i = 0; i < 3; i++) {
			char file[64];
			snprintf(file, sizeof(file), "sentinel-%s-%s.resp", versions[v], lists[i].kind);
			struct observation parsed = captured_parse(p, file, lists[i].question, 0);
			struct observation o = observe(&w, lists[i].question, id);
			o.answer = parsed.answer;
			o.u = parsed.u;
			o.arg = "mymaster";
			apply(&w, &o);
		}
		const struct deployment *d = only_deployment(&w);
		assert_int_equal(d->kind, KIND_SENTINEL);
		assert_string_equal(d->name, "mymaster");
		assert_int_equal(d->group_count, 1);
		assert_int_equal(node_count(&w), 6);
		assert_int_equal(master_port(&w, d->groups[0]), 21001);
		assert_int_equal(d->groups[0]->member_count, 3);
		assert_int_equal(d->groups[0]->member_ids[0], id_at(&w, 21001));
		assert_int_equal(node_at(&w, 21002)->upstream_id, id_at(&w, 21001));
		assert_int_equal(group_sentinels_known(w.m, d->groups[0]), 3);
		assert_int_equal(group_sentinels_reachable(w.m, d->groups[0]), 1);
		assert_true(node_at(&w, 26002)->is_sentinel);
		assert_int_equal(node_at(&w, 26002)->group_id, 0);
		assert_int_equal(events_of(&w, EVENT_NODE_JOINED), 0);
		parser_free(p);
		world_end(&w);
	}
}

static void from_plain_master(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 21001);
	link_up(&w, 21001);
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000) LISTED(1, 21003, 4000));
	assert_int_equal(only_deployment(&w)->kind, KIND_REPLICATION);
	assert_int_equal(only_deployment(&w)->group_count, 1);
	assert_int_equal(node_count(&w), 3);
	assert_int_equal(group_of(&w, 21003)->member_count, 3);
	world_end(&w);
}

/* A replica leads upwards to its master and on to a replica of that, and a chain stays one group. */
static void from_plain_replica(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 21003);
	link_up(&w, 21003);
	info_replica(&w, 21003, 21002, 10);
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 20);
	link_up(&w, 21001);
	info_master(&w, 21001, 20, LISTED(0, 21002, 20));
	infof(&w, id_at(&w, 21002),
	      INFO_HEAD "role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:21001\r\n" INFO_LINKED
			"slave_repl_offset:20\r\nmaster_repl_offset:20\r\n" LISTED(0, 21003, 10),
	      "standalone", 21002);
	const struct deployment *d = only_deployment(&w);
	assert_int_equal(d->group_count, 1);
	assert_int_equal(master_port(&w, d->groups[0]), 21001);
	assert_int_equal(d->groups[0]->member_count, 3);
	assert_int_equal(node_at(&w, 21003)->upstream_id, id_at(&w, 21002));
	assert_int_equal(node_at(&w, 21002)->upstream_id, id_at(&w, 21001));
	assert_int_equal(node_at(&w, 21003)->lag_now_bytes, 10);
	world_end(&w);
}

/* --- several targets, one deployment ------------------------------------------------------------ */

/* The second Sentinel's list reaches known nodes: two deployments become one, while it is read. */
static void sentinel_targets_become_one(void **state)
{
	(void)state;
	for (int order = 0; order < 2; order++) {
		struct world w = world_new();
		int first = order ? 26002 : 26001, second = order ? 26001 : 26002;
		for (int port = 26001; port <= 26002; port++) {
			target(&w, port);
			link_up(&w, port);
			info_sentinel(&w, id_at(&w, port), port);
		}
		assert_int_equal(model_deployment_count(w.m), 2);
		masters(&w, first, 21001, 0, 0);
		replicas(&w, first, 21002, 0, 21003, 0);
		masters(&w, second, 21001, 0, 0);
		replicas(&w, second, 21002, 0, 21003, 0);
		peers(&w, second, first, 26003);
		masters(&w, first, 21001, 0, 0);
		masters(&w, second, 21001, 0, 0);
		const struct deployment *d = only_deployment(&w);
		assert_int_equal(d->group_count, 1);
		assert_int_equal(d->groups[0]->view_count, 2);
		assert_int_equal(node_count(&w), 6);
		world_end(&w);
	}
}

/* Joined by a replica that only one of them lists, in the middle of that list. */
static void sentinel_lists_join(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 26001);
	target(&w, 26002);
	link_up(&w, 26001);
	link_up(&w, 26002);
	masters(&w, 26001, 21001, 0, 0);
	replicas(&w, 26001, 21002, 0, 21003, 0);
	masters(&w, 26002, 21009, 0, 0);
	assert_int_equal(model_deployment_count(w.m), 2);
	replicas(&w, 26002, 21003, 0, 21004, 0);
	peers(&w, 26002, 26001, 26003);
	assert_int_equal(model_deployment_count(w.m), 1);
	world_end(&w);
}

static void replica_target_joins_sentinels(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 21002);
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 10);
	assert_int_equal(only_deployment(&w)->kind, KIND_REPLICATION);
	target(&w, 26001);
	link_up(&w, 26001);
	info_sentinel(&w, id_at(&w, 26001), 26001);
	masters(&w, 26001, 21001, 0, 0);
	replicas(&w, 26001, 21002, 0, 21003, 0);
	assert_int_equal(only_deployment(&w)->kind, KIND_SENTINEL);
	assert_int_equal(group_of(&w, 21002)->member_count, 3);
	info_replica(&w, 21002, 21001, 12);
	assert_int_equal(only_deployment(&w)->kind, KIND_SENTINEL);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_sentinel_captures),
		cmocka_unit_test(from_plain_master),
		cmocka_unit_test(from_plain_replica),
		cmocka_unit_test(sentinel_targets_become_one),
		cmocka_unit_test(sentinel_lists_join),
		cmocka_unit_test(replica_target_joins_sentinels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
