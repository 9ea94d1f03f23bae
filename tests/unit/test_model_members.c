/* Who comes and goes, and who follows whom. */
#include "config.h"

#include "observe.h"

/* --- coming and going --------------------------------------------------------------------------- */

static void member_joins_and_leaves(void **state)
{
	struct world w = sentinel_world();
	const struct event *e = NULL;
	(void)state;
	assert_int_equal(events_of(&w, EVENT_NODE_JOINED), 0);
	tick(&w, 10000);
	replicas(&w, 26001, 21002, 0, 21004, 0);
	assert_int_equal(count_events(&w, EVENT_NODE_JOINED, &e), 1);
	assert_string_equal(e->addr, "127.0.0.1:21004");
	assert_int_equal(group_of(&w, 21001)->member_count, 4);
	/* 21003 is listed by nobody from here on, not by its master either */
	for (int i = 0; i < 4; i++) {
		tick(&w, 10000);
		info_master(&w, 21001, 9000, LISTED(0, 21002, 9000));
		masters(&w, 26001, 21001, 0, 0);
		replicas(&w, 26001, 21002, 0, 21004, 0);
		peers(&w, 26001, 26002, 26003);
	}
	tick(&w, 1000);
	assert_int_equal(count_events(&w, EVENT_NODE_LEFT, &e), 1);
	assert_string_equal(e->addr, "127.0.0.1:21003");
	assert_null(find_at(&w, HOST, 21003));
	assert_int_equal(group_of(&w, 21001)->member_count, 3);
	world_end(&w);
}

/* A plain master drops a replica from its list the moment it dies: it must stay in view as down. */
static void crashed_plain_replica_stays(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 21001);
	link_up(&w, 21001);
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000));
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 5000);
	link_lost(&w, 21002);
	for (int i = 0; i < 20; i++) {
		tick(&w, 10000);
		info_master(&w, 21001, 9000, "");
	}
	tick(&w, 1000);
	assert_non_null(find_at(&w, HOST, 21002));
	assert_int_equal(group_of(&w, 21001)->member_count, 2);
	tick(&w, 3600000);
	info_master(&w, 21001, 9000, "");
	tick(&w, 1000);
	assert_null(find_at(&w, HOST, 21002));
	world_end(&w);
}

/* Silence of everybody is no leaving. */
static void nobody_leaves_unlisted_all(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	for (int port = 26001; port <= 26003; port++)
		link_lost(&w, port);
	tick(&w, 600000);
	assert_int_equal(node_count(&w), 6);
	world_end(&w);
}

/* --- who follows whom --------------------------------------------------------------------------- */

/* In the middle of a failover two nodes each say that they follow the other: nobody is lost, and the
 * group stays the same one. */
static void each_follows_the_other(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 21001);
	link_up(&w, 21001);
	info_master(&w, 21001, 10, LISTED(0, 21002, 10) LISTED(1, 21003, 10));
	link_up(&w, 21002);
	link_up(&w, 21003);
	info_replica(&w, 21002, 21001, 10);
	info_replica(&w, 21003, 21001, 10);
	uint32_t group = group_of(&w, 21001)->id;
	info_replica(&w, 21001, 21002, 10);
	assert_int_equal(only_deployment(&w)->group_count, 1);
	assert_int_equal(only_deployment(&w)->groups[0]->member_count, 3);
	assert_int_equal(only_deployment(&w)->groups[0]->id, group);
	info_master(&w, 21002, 12, LISTED(0, 21001, 12) LISTED(1, 21003, 12));
	info_replica(&w, 21003, 21002, 12);
	assert_int_equal(only_deployment(&w)->group_count, 1);
	assert_int_equal(group_of(&w, 21001)->id, group);
	assert_int_equal(master_port(&w, group_of(&w, 21001)), 21002);
	assert_int_equal(group_of(&w, 21001)->member_count, 3);
	world_end(&w);
}

static void says_it_follows_itself(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 21001);
	link_up(&w, 21001);
	info_replica(&w, 21001, 21001, 10);
	assert_int_equal(node_count(&w), 1);
	assert_int_equal(group_of(&w, 21001)->member_count, 1);
	world_end(&w);
}

/* REPLICAOF NO ONE on purpose: at once another master where the first one is well... */
static struct world promoted_alone(void)
{
	struct world w = world_new();
	target(&w, 21002);
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 10);
	link_up(&w, 21001);
	info_master(&w, 21001, 10, LISTED(0, 21002, 10));
	w.now += 5000;
	info_master(&w, 21002, 10, "");
	return w;
}

static void deliberate_master(void **state)
{
	struct world w = promoted_alone();
	struct verdict v;
	(void)state;
	uint32_t group = group_of(&w, 21001)->id;
	health_node(w.m, node_at(&w, 21002), w.now, &v);
	assert_has(v.text, "second master");
	tick(&w, 1000);
	info_master(&w, 21001, 10, "");
	tick(&w, 1000);
	health_node(w.m, node_at(&w, 21002), w.now, &v);
	assert_string_equal(v.text, "");
	assert_int_equal(only_deployment(&w)->group_count, 2);
	assert_int_equal(master_port(&w, group_of(&w, 21002)), 21002);
	assert_int_equal(group_of(&w, 21001)->id, group);
	assert_int_equal(master_port(&w, group_of(&w, 21001)), 21001);
	/* and back */
	info_replica(&w, 21002, 21001, 20);
	assert_int_equal(only_deployment(&w)->group_count, 1);
	assert_int_equal(group_of(&w, 21002)->id, group);
	world_end(&w);
}

/* ... after a minute where it is not, and not while it says that a failover runs. */
static void deliberate_master_waits(void **state)
{
	(void)state;
	for (int lost = 0; lost <= 1; lost++) {
		struct world w = promoted_alone();
		if (lost)
			link_lost(&w, 21001);
		for (int i = 0; i < 58; i++) {
			tick(&w, 1000);
			assert_int_equal(only_deployment(&w)->group_count, 1);
			if (lost)
				continue;
			infof(&w, id_at(&w, 21001),
			      INFO_HEAD "role:master\r\nmaster_failover_state:waiting-for-sync\r\n",
			      "standalone", 21001);
		}
		tick(&w, 3000);
		assert_int_equal(only_deployment(&w)->group_count, 2);
		world_end(&w);
	}
}

/* Both with replicas: that is a split, for as long as it stands. */
static void split_stays(void **state)
{
	struct world w = promoted_alone();
	struct verdict v;
	(void)state;
	info_master(&w, 21001, 10, LISTED(0, 21003, 10));
	info_master(&w, 21002, 10, LISTED(0, 21004, 10));
	for (int i = 0; i < 70; i++) {
		tick(&w, 1000);
		info_master(&w, 21001, 10, LISTED(0, 21003, 10));
		info_master(&w, 21002, 10, LISTED(0, 21004, 10));
	}
	assert_int_equal(only_deployment(&w)->group_count, 1);
	int second = master_port(&w, group_of(&w, 21001)) == 21001 ? 21002 : 21001;
	health_node(w.m, node_at(&w, second), w.now, &v);
	assert_has(v.text, "second master");
	world_end(&w);
}

/* --- many --------------------------------------------------------------------------------------- */

/* Ids and addresses lead to the right node through merging, leaving and coming back. */
static void ids_after_leaving(void **state)
{
	struct world w = sentinel_world();
	uint32_t gone = id_at(&w, 21003);
	(void)state;
	for (int i = 0; i < 4; i++) {
		tick(&w, 10000);
		info_master(&w, 21001, 9000, LISTED(0, 21002, 9000));
		masters(&w, 26001, 21001, 0, 0);
		replicas(&w, 26001, 21002, 0, 21004, 0);
		peers(&w, 26001, 26002, 26003);
	}
	tick(&w, 1000);
	assert_null(model_node(w.m, gone));
	assert_int_equal(model_node_resolve(w.m, gone), 0);
	replicas(&w, 26001, 21003, 0, 21004, 0);
	assert_true(id_at(&w, 21003) > gone);
	assert_null(model_node(w.m, gone));
	size_t cursor = 0, count = 0;
	uint32_t last = 0;
	const struct node *n;
	while ((n = model_next_member(w.m, only_deployment(&w)->id, &cursor)) != NULL) {
		assert_true(n->id > last);
		last = n->id;
		count++;
	}
	assert_int_equal(count, node_count(&w));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(member_joins_and_leaves),
		cmocka_unit_test(crashed_plain_replica_stays),
		cmocka_unit_test(nobody_leaves_unlisted_all),
		cmocka_unit_test(each_follows_the_other),
		cmocka_unit_test(says_it_follows_itself),
		cmocka_unit_test(deliberate_master),
		cmocka_unit_test(deliberate_master_waits),
		cmocka_unit_test(split_stays),
		cmocka_unit_test(ids_after_leaving),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
