/* Very many nodes, and numbers that are made to overflow. */
#include "config.h"

#include "model/lag.h"
#include "observe.h"

/* --- many --------------------------------------------------------------------------------------- */

static void list_many(struct world *w, int first, int count)
{
	struct sentinel_instance *items = calloc((size_t)count, sizeof(*items));
	assert_non_null(items);
	for (int i = 0; i < count; i++) {
		char host[32];
		snprintf(host, sizeof(host), "10.%d.%d.1", (first + i) / 256, (first + i) % 256);
		items[i] = instance("x", 6379, SFLAG_SLAVE);
		items[i].addr = at_host(host, 6379);
	}
	listed(w, ASK_SENTINEL_REPLICAS, id_at(w, 26001), "mymaster", items, (size_t)count);
	free(items);
}

/* Listed in any order and again and again, each is there once, and found. */
static void lists_by_id(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	for (int i = 0; i < 3; i++) {
		replicas(&w, 26001, 21009, 0, 21003, 0);
		replicas(&w, 26002, 21002, 0, 21008, 0);
	}
	const struct group *g = group_of(&w, 21001);
	assert_int_equal(g->replica_count, 4);
	for (size_t i = 1; i < g->replica_count; i++)
		assert_true(g->replicas[i - 1].node_id < g->replicas[i].node_id);
	for (int port = 21002; port <= 21009; port++)
		if (find_at(&w, HOST, port) != NULL)
			assert_int_equal(group_replica_view(g, id_at(&w, port))->facts.addr.port, port);
	assert_null(group_replica_view(g, id_at(&w, 21001)));
	world_end(&w);
}

/* A limit of each deployment on what lives: neither others nor those that went count. */
static void limit_is_said(void **state)
{
	struct world w = sentinel_world();
	struct verdict v;
	(void)state;
	list_many(&w, 0, MEMBERS_MAX + 100);
	assert_int_equal(node_count(&w), MEMBERS_MAX);
	health_deployment(w.m, only_deployment(&w), w.now, &v);
	assert_true(only_deployment(&w)->full);
	target(&w, 7001);
	assert_int_equal(node_count(&w), MEMBERS_MAX + 1);
	tick(&w, 40000);
	masters(&w, 26001, 21001, 0, 0);
	replicas(&w, 26001, 21002, 0, 21003, 0);
	peers(&w, 26001, 26002, 26003);
	tick(&w, 1000);
	assert_int_equal(node_count(&w), 7);
	assert_false(model_deployment(w.m, node_at(&w, 26001)->deployment_id)->full);
	/* there is room again */
	list_many(&w, 30000, 1000);
	assert_int_equal(node_count(&w), 1007);
	world_end(&w);
}

static void limit_verdict(void **state)
{
	struct world w = sentinel_world();
	struct verdict v;
	(void)state;
	list_many(&w, 0, MEMBERS_MAX);
	for (int i = 0; i < MEMBERS_MAX; i++) {
		char host[32];
		snprintf(host, sizeof(host), "10.%d.%d.1", i / 256, i % 256);
		const struct node *n = find_at(&w, host, 6379);
		if (n != NULL)
			link_state(&w, n->id, LINK_UP, NULL);
	}
	health_deployment(w.m, only_deployment(&w), w.now, &v);
	assert_has(v.text, "more than 20000 nodes listed: the rest is not watched");
	world_end(&w);
}

/* --- hostile numbers ---------------------------------------------------------------------------- */

static void hostile_numbers(void **state)
{
	static const char *const values[] = { "9223372036854775807", "-9223372036854775807", "0" };
	struct world w = world_new();
	struct verdict v;
	struct lag lag;
	(void)state;
	target(&w, 21001);
	link_up(&w, 21001);
	info_text(&w, id_at(&w, 21001), "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n");
	for (size_t i = 0; i < 27; i++) {
		const char *a = values[i % 3], *b = values[i / 3 % 3], *c = values[i / 9];
		w.now += 1000;
		infof(&w, id_at(&w, 21001),
		      INFO_HEAD "keyspace_hits:%s\r\nkeyspace_misses:%s\r\nrole:master\r\n"
				"slave0:ip=127.0.0.1,port=21002,state=online,offset=%s,lag=%s\r\n"
				"master_repl_offset:%s\r\nrepl_backlog_active:1\r\nrepl_backlog_size:%s"
				"\r\nrepl_backlog_first_byte_offset:%s\r\nrepl_backlog_histlen:%s\r\n",
		      "standalone", 21001, a, b, c, a, b, a, c, b);
		link_up(&w, 21002);
		infof(&w, id_at(&w, 21002),
		      INFO_HEAD "role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:21001\r\n"
				"master_link_status:down\r\nmaster_link_down_since_seconds:%s\r\n"
				"slave_repl_offset:%s\r\nmaster_repl_offset:%s\r\nmaster_replid:%040d\r\n",
		      "standalone", 21002, a, b, c, 1);
		lag_of(w.m, node_at(&w, 21002), w.now, &lag);
		health_node(w.m, node_at(&w, 21002), w.now, &v);
		health_deployment(w.m, only_deployment(&w), w.now, &v);
	}
	world_end(&w);
}

/* Times and counts of a Sentinel as well: all are added or multiplied somewhere. */
static void hostile_sentinel_numbers(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance item = instance("mymaster", 21001, SFLAG_MASTER);
	(void)state;
	item.failover_timeout_ms = item.num_other_sentinels = item.down_after_ms = INT64_MAX;
	item.master_link_down_time_ms = item.repl_offset = INT64_MAX;
	listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, 26001), NULL, &item, 1);
	const struct sentinel_instance *f = &group_of(&w, 21001)->views[0].facts;
	assert_true(f->failover_timeout_ms == FACT_UNKNOWN);
	assert_true(fact_add(f->num_other_sentinels, 1) == FACT_UNKNOWN);
	item.flags = SFLAG_SLAVE;
	item.addr = at_host(HOST, 21002);
	listed(&w, ASK_SENTINEL_REPLICAS, id_at(&w, 26001), "mymaster", &item, 1);
	f = &group_replica_view(group_of(&w, 21001), id_at(&w, 21002))->facts;
	assert_true(f->master_link_down_time_ms == FACT_UNKNOWN);
	info_master(&w, 21001, 5000, "slave0:ip=127.0.0.1,port=21002,state=online,offset=1,"
				     "lag=9223372036854775807\r\n");
	assert_true(node_at(&w, 21002)->lag_now_s == FACT_UNKNOWN);
	infof(&w, id_at(&w, 21002), INFO_HEAD "keyspace_hits:%lld\r\nkeyspace_misses:%lld\r\n", "standalone",
	      21002, (long long)INT64_MAX, (long long)INT64_MAX);
	assert_true(node_at(&w, 21002)->info.keyspace_hits == FACT_UNKNOWN);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_by_id),
		cmocka_unit_test(limit_is_said),
		cmocka_unit_test(limit_verdict),
		cmocka_unit_test(hostile_numbers),
		cmocka_unit_test(hostile_sentinel_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
