/* The nodes of a cluster: found, moved, replaced, forgotten. */
#include "config.h"

#include "observe.h"

/* --- discovery from any member ------------------------------------------------------------------ */

static void from_cluster_capture(void **state)
{
	struct world w = world_new();
	struct parser *p = parser_new();
	uint32_t id = target(&w, 22001);
	(void)state;
	link_state(&w, id, LINK_UP, NULL);
	struct observation parsed = captured_parse(p, "cluster-7.0.15-nodes.resp", ASK_CLUSTER_NODES, 0);
	struct observation o = observe(&w, ASK_CLUSTER_NODES, id);
	o.u = parsed.u;
	apply(&w, &o);
	const struct deployment *d = only_deployment(&w);
	assert_int_equal(d->kind, KIND_CLUSTER);
	assert_int_equal(node_count(&w), 6);
	assert_int_equal(d->group_count, 3);
	assert_int_equal(d->cluster->assigned, SLOT_COUNT);
	assert_ptr_equal(group_of(&w, 22004), group_of(&w, 22001));
	assert_ptr_equal(group_of(&w, 22005), group_of(&w, 22002));
	assert_int_equal(master_port(&w, group_of(&w, 22006)), 22003);
	parser_free(p);
	world_end(&w);
}

/* --- several targets, one deployment ------------------------------------------------------------ */

static void cluster_targets_become_one(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 7001);
	target(&w, 7002);
	for (int port = 7001; port <= 7002; port++) {
		link_up(&w, port);
		info_master_as(&w, id_at(&w, port), "cluster", port, 1, "");
	}
	cluster_nodes(&w, 7001, LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-8191")
					LINE_MASTER(CID2, 7002, "", "", 2, " 8192-16383"));
	cluster_nodes(&w, 7002, LINE_MASTER(CID2, 7002, "myself,", "", 2, " 8192-16383")
					LINE_MASTER(CID1, 7001, "", "", 1, " 0-8191"));
	assert_int_equal(only_deployment(&w)->cluster->assigned, SLOT_COUNT);
	assert_int_equal(node_count(&w), 2);
	world_end(&w);
}

/* --- coming and going --------------------------------------------------------------------------- */

static void late_reply_of_one_that_left(void **state)
{
	struct world w = cluster_world();
	uint32_t id = id_at(&w, 7006);
	(void)state;
	for (int i = 0; i < 5; i++) {
		tick(&w, 10000);
		cluster_nodes(&w, 7001, LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-5460")
						LINE_MASTER(CID2, 7002, "", "", 2, " 5461-16383"));
		cluster_nodes(&w, 7002, LINE_MASTER(CID1, 7001, "", "", 1, " 0-5460")
						LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-16383"));
	}
	tick(&w, 1000);
	assert_int_equal(node_count(&w), 2);
	assert_null(model_node(w.m, id));
	info_master_as(&w, id, "cluster", 7006, 1, "");
	link_state(&w, id, LINK_LOST, "late");
	assert_int_equal(node_count(&w), 2);
	assert_int_equal(only_deployment(&w)->group_count, 2);
	world_end(&w);
}

/* Started after a failover whose old master is still dead: CLUSTER NODES calls it a master without slots,
 * and which shard it was of nobody says. */
static void dead_ex_master_is_no_shard(void **state)
{
	struct world w = world_new();
	struct verdict v;
	(void)state;
	target(&w, 7002);
	link_up(&w, 7002);
	info_master_as(&w, id_at(&w, 7002), "cluster", 7002, 100, "");
	cluster_nodes(&w, 7002, LINE_MASTER(CID2, 7002, "myself,", "", 2, " 8192-16383")
					LINE_MASTER(CID4, 7004, "", "", 4, " 0-8191")
						LINE_MASTER(CID1, 7001, "", ",fail", 1, ""));
	link_up(&w, 7004);
	info_master_as(&w, id_at(&w, 7004), "cluster", 7004, 100, "");
	link_state(&w, id_at(&w, 7001), LINK_FAILED, "Connection refused");
	const struct deployment *d = only_deployment(&w);
	assert_int_equal(d->group_count, 2);
	assert_int_equal(node_at(&w, 7001)->group_id, 0);
	health_deployment(w.m, d, w.now, &v);
	assert_int_equal(v.health, HEALTH_WARNING);
	/* Nor since when it is down. */
	assert_string_equal(v.text, "127.0.0.1:7001 down, former master, no slots: Connection refused");
	assert_string_equal(d->name, "cluster 127.0.0.1:7002");
	world_end(&w);
}

/* One that is well and was given no slots yet is a shard to be. */
static void empty_master_is_a_group(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 7002);
	link_up(&w, 7002);
	info_master_as(&w, id_at(&w, 7002), "cluster", 7002, 100, "");
	cluster_nodes(&w, 7002, LINE_MASTER(CID2, 7002, "myself,", "", 2, " 0-16383")
					LINE_MASTER(CID1, 7001, "", "", 1, ""));
	assert_int_equal(only_deployment(&w)->group_count, 2);
	world_end(&w);
}

/* The target stays, the master of the first shard does not. */
static void named_by_its_target(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 7004);
	link_up(&w, 7004);
	info_replica_as(&w, id_at(&w, 7004), "cluster", 7004, HOST, 7001, 100, INFO_LINKED);
	cluster_nodes(&w, 7004, LINE_SLAVE(CID4, 7004, "myself,", "", CID1, 1)
					LINE_MASTER(CID1, 7001, "", "", 1, " 0-16383"));
	assert_string_equal(only_deployment(&w)->name, "cluster 127.0.0.1:7004");
	world_end(&w);
}

/* CLUSTER FORGET: it still lists itself and all the others. */
static void forgotten_node(void **state)
{
	struct world w = cluster_world();
	(void)state;
	for (int i = 0; i < 5; i++) {
		tick(&w, 8000);
		cluster_nodes(&w, 7001,
			      LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-5460")
				  LINE_MASTER(CID2, 7002, "", "", 2, " 5461-10922")
				      LINE_MASTER(CID3, 7003, "", "", 3, " 10923-16383")
					  LINE_SLAVE(CID4, 7004, "", "", CID1, 1)
					      LINE_SLAVE(CID5, 7005, "", "", CID2, 2));
		if (find_at(&w, HOST, 7006) == NULL)
			continue;
		cluster_nodes(&w, 7006,
			      LINE_SLAVE(CID6, 7006, "myself,", "", CID3, 3)
				  LINE_MASTER(CID1, 7001, "", "", 1, " 0-5460")
				      LINE_MASTER(CID2, 7002, "", "", 2, " 5461-10922")
					  LINE_MASTER(CID3, 7003, "", "", 3, " 10923-16383"));
	}
	tick(&w, 1000);
	assert_null(find_at(&w, HOST, 7006));
	assert_int_equal(node_count(&w), 5);
	assert_int_equal(events_of(&w, EVENT_NODE_LEFT), 1);
	world_end(&w);
}

/* --- clusters ----------------------------------------------------------------------------------- */

static void cluster_node_moves(void **state)
{
	struct world w = cluster_world();
	uint32_t id = id_at(&w, 7002);
	(void)state;
	link_lost(&w, 7002);
	cluster_nodes(&w, 7001, LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-5460")
					LINE_MASTER(CID2, 7012, "", "", 2, " 5461-10922"));
	assert_int_equal(id_at(&w, 7012), id);
	assert_null(find_at(&w, HOST, 7002));
	assert_int_equal(node_count(&w), 6);
	world_end(&w);
}

/* A new server at the address of a dead one: both ids are listed until the old one is forgotten. */
static void cluster_address_taken_over(void **state)
{
	struct world w = cluster_world();
	(void)state;
	for (int i = 0; i < 3; i++) {
		cluster_nodes(&w, 7001,
			      LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-5460")
				  LINE_SLAVE(CID6, 7006, "", ",fail", CID3, 3)
				      LINE_MASTER(CID("7777"), 7006, "", "", 0, ""));
		assert_int_equal(node_count(&w), 6);
		assert_string_equal(node_at(&w, 7006)->cluster_id, CID("7777"));
		assert_true(node_at(&w, 7006)->member->flags & CFLAG_MASTER);
		assert_false(node_at(&w, 7006)->member->flags & CFLAG_FAIL);
	}
	world_end(&w);
}

/* A target that is a moving address of a cluster: its other member's list is not its own. */
static void cluster_moving_address(void **state)
{
	struct world w = cluster_world();
	uint32_t id = id_at(&w, 7001);
	(void)state;
	cluster_nodes(&w, 7001, LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")
					LINE_MASTER(CID1, 7001, "", "", 1, " 0-5460"));
	assert_int_equal(node_count(&w), 6);
	assert_int_equal(id_at(&w, 7001), id);
	assert_int_not_equal(id_at(&w, 7002), id);
	world_end(&w);
}

static void handshake_is_no_member(void **state)
{
	struct world w = cluster_world();
	(void)state;
	cluster_nodes(&w, 7001, LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-5460") CID(
				    "9999") " 127.0.0.1:7099@17099 handshake - 0 0 0 disconnected\n");
	assert_null(find_at(&w, HOST, 7099));
	world_end(&w);
}

/* A cluster that lists a node which Sentinels watch: no crash, and Sentinels know better. */
static void cluster_lists_a_sentinels_node(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	target(&w, 7001);
	link_up(&w, 7001);
	info_master_as(&w, id_at(&w, 7001), "cluster", 7001, 1, "");
	for (int i = 0; i < 2; i++) {
		cluster_nodes(&w, 7001, LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-5460")
						LINE_MASTER(CID2, 21001, "", "", 2, " 5461-10922"));
		masters(&w, 26001, 21001, 0, 0);
		cluster_info(&w, 7001, false, 1);
		tick(&w, 1000);
	}
	assert_int_equal(model_node(w.m, id_at(&w, 7001))->deployment_id,
			 model_node(w.m, id_at(&w, 21001))->deployment_id);
	assert_int_equal(only_deployment(&w)->kind, KIND_SENTINEL);
	assert_int_equal(only_deployment(&w)->group_count, 1);
	world_end(&w);
}

/* A replica's lag is known from the first INFO of its master on, also if that came before the list
 * that made the replica known. */
static void cluster_lag_before_nodes(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 7001);
	link_up(&w, 7001);
	info_master_as(&w, id_at(&w, 7001), "cluster", 7001, 100, LISTED(0, 7004, 60));
	w.now += 20;
	cluster_nodes(&w, 7001, LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-16383")
					LINE_SLAVE(CID4, 7004, "", "", CID1, 1));
	assert_int_equal(node_at(&w, 7004)->lag_now_bytes, 40);
	assert_int_equal(node_at(&w, 7004)->lag_at_ms, T0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_cluster_capture),
		cmocka_unit_test(cluster_targets_become_one),
		cmocka_unit_test(late_reply_of_one_that_left),
		cmocka_unit_test(dead_ex_master_is_no_shard), cmocka_unit_test(empty_master_is_a_group),
		cmocka_unit_test(named_by_its_target), cmocka_unit_test(forgotten_node),
		cmocka_unit_test(cluster_node_moves),
		cmocka_unit_test(cluster_address_taken_over),
		cmocka_unit_test(cluster_moving_address),
		cmocka_unit_test(handshake_is_no_member),
		cmocka_unit_test(cluster_lists_a_sentinels_node),
		cmocka_unit_test(cluster_lag_before_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
