/* Who is who: one process at several addresses, several at one, and a restart. */
#include "config.h"

#include "observe.h"

/* --- one process, two addresses ----------------------------------------------------------------- */

/* "localhost" on the command line, 127.0.0.1 announced: the run id tells. */
static void localhost_is_announced(void **state)
{
	struct world w = world_new();
	uint32_t id = target_host(&w, "localhost", 21001);
	(void)state;
	link_state(&w, id, LINK_UP, NULL);
	info_master_as(&w, id, "standalone", 21001, 5000, LISTED(0, 21002, 5000));
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 5000);
	assert_int_equal(node_count(&w), 3);
	uint32_t announced = id_at(&w, 21001);
	assert_int_not_equal(announced, id);
	link_up(&w, 21001);
	info_master_as(&w, announced, "standalone", 21001, 5000, LISTED(0, 21002, 5000));
	assert_int_equal(node_count(&w), 2);
	assert_int_equal(model_node_resolve(w.m, announced), id);
	assert_string_equal(node_at(&w, 21001)->addr.host, HOST);
	assert_string_equal(node_at(&w, 21001)->dial.host, "localhost");
	assert_int_equal(find_at(&w, "localhost", 21001)->id, id);
	assert_int_equal(only_deployment(&w)->group_count, 1);
	assert_int_equal(group_of(&w, 21002)->member_count, 2);
	world_end(&w);
}

/* Merging does not make a node that answers look down, nor the other way round. */
static void merge_keeps_the_working_link(void **state)
{
	struct world w = world_new();
	uint32_t id = target_host(&w, "old-name", 21001);
	(void)state;
	link_state(&w, id, LINK_UP, NULL);
	info_master_as(&w, id, "standalone", 21001, 5000, LISTED(0, 21002, 5000));
	w.now += 1000;
	link_state(&w, id, LINK_FAILED, "name unknown");
	assert_int_not_equal(model_node(w.m, id)->link.lost_ms, 0);
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 5000);
	w.now += 5000;
	link_up(&w, 21001);
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000));
	assert_int_equal(node_count(&w), 2);
	assert_int_equal(node_status(node_at(&w, 21001)), STATUS_UP);
	assert_int_equal(node_at(&w, 21001)->link.lost_ms, 0);
	struct verdict v;
	health_node(w.m, node_at(&w, 21001), w.now, &v);
	assert_string_equal(v.text, "");
	world_end(&w);
}

/* A virtual IP or a service name leads to another process: both stay what they are. */
static void moving_address(void **state)
{
	struct world w;
	uint32_t vip = moving_world(&w);
	(void)state;
	assert_int_equal(node_count(&w), 2);
	/* after a failover */
	address_moves(&w, vip);
	link_up(&w, 21001);
	info_replica(&w, 21001, 21002, 20);
	assert_int_equal(node_count(&w), 2);
	assert_int_not_equal(id_at(&w, 21001), id_at(&w, 21002));
	assert_int_equal(find_at(&w, "vip", 6379)->id, id_at(&w, 21002));
	assert_int_equal(master_port(&w, group_of(&w, 21001)), 21002);
	assert_int_equal(node_at(&w, 21001)->info.role, ROLE_REPLICA);
	assert_int_equal(events_of(&w, EVENT_RESTARTED), 0);
	world_end(&w);
}

/* A Sentinel's peer as it lists it: id, address, age of the last hello. */
static void lists_peer(struct world *w, int sentinel_port, int id, int port, int64_t hello_ms)
{
	struct sentinel_instance s = instance("peer", port, SFLAG_SENTINEL);
	snprintf(s.run_id, ID_BYTES, "%040d", id);
	s.last_hello_message_ms = hello_ms;
	listed(w, ASK_SENTINEL_SENTINELS, id_at(w, sentinel_port), "mymaster", &s, 1);
}

static void says_myid(struct world *w, int port, int id)
{
	struct observation o = observe(w, ASK_SENTINEL_MYID, id_at(w, port));
	char text[ID_BYTES];
	snprintf(text, sizeof(text), "%040d", id);
	o.u.myid = text;
	apply(w, &o);
}

/* It moved: one that has not heard of it lists it where it was. It is one ghost, at the newer address. */
static void a_ghost_of_two_addresses(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	lists_peer(&w, 26001, 77, 26077, 50000);
	lists_peer(&w, 26002, 77, 26078, 800);
	assert_int_equal(id_at(&w, 26077), id_at(&w, 26078));
	assert_int_equal(node_at(&w, 26077)->addr.port, 26078);
	assert_int_equal(group_sentinels_known(w.m, group_of(&w, 21001)), 4);
	/* In any order, and again. */
	lists_peer(&w, 26001, 77, 26077, 51000);
	assert_int_equal(node_at(&w, 26077)->addr.port, 26078);
	/* Another Sentinel moves in where the old word points. */
	lists_peer(&w, 26002, 88, 26077, 500);
	assert_int_equal(node_count(&w), 7);
	world_end(&w);
}

/* Behind NAT: its announced address leads nowhere, the one that it was named by does. */
static void an_announced_sentinel_is_the_target(void **state)
{
	struct world w = sentinel_world();
	uint32_t seed = target_host(&w, "seed", 26379);
	(void)state;
	lists_peer(&w, 26001, 77, 26077, 500);
	link_state(&w, id_at(&w, 26077), LINK_FAILED, "no route to host");
	link_state(&w, seed, LINK_UP, NULL);
	info_sentinel(&w, seed, 26999);
	struct observation o = observe(&w, ASK_SENTINEL_MYID, seed);
	char text[ID_BYTES];
	snprintf(text, sizeof(text), "%040d", 77);
	o.u.myid = text;
	apply(&w, &o);
	assert_int_equal(id_at(&w, 26077), find_at(&w, "seed", 26379)->id);
	assert_int_equal(node_count(&w), 7);
	lists_peer(&w, 26001, 77, 26077, 500);
	assert_int_equal(node_at(&w, 26077)->addr.port, 26077);
	assert_string_equal(node_at(&w, 26077)->dial.host, "seed");
	assert_int_equal(node_at(&w, 26077)->link.state, LINK_UP);
	world_end(&w);
}

/* The other way round: named first, listed later; and a new id at an old address. */
static void a_target_is_listed_later(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	says_myid(&w, 26002, 26002);
	lists_peer(&w, 26001, 26002, 26077, 500);
	assert_int_equal(id_at(&w, 26077), id_at(&w, 26002));
	/* It answers where it is: the address stays. */
	assert_int_equal(node_at(&w, 26002)->addr.port, 26002);
	says_myid(&w, 26002, 5);
	lists_peer(&w, 26001, 26002, 26078, 500);
	assert_int_not_equal(id_at(&w, 26078), id_at(&w, 26002));
	world_end(&w);
}

/* A configuration file that was copied: both answer, and are two. */
static void a_copied_id_stays_two(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	says_myid(&w, 26002, 5);
	says_myid(&w, 26003, 5);
	assert_int_not_equal(id_at(&w, 26002), id_at(&w, 26003));
	assert_int_equal(node_count(&w), 6);
	world_end(&w);
}

static void leads_to(struct world *w, int port, int other)
{
	struct verdict v;
	char words[96];
	health_node(w->m, node_at(w, port), w->now, &v);
	snprintf(words, sizeof(words), "leads to %s:%d: same run id; check how it is reached", HOST, other);
	assert_string_equal(v.text, words);
	assert_int_equal(v.health, HEALTH_WARNING);
	assert_int_equal(node_status(node_at(w, port)), STATUS_UNREACHABLE);
}

/* --map sends a replica's address to its master: said on its row, and nothing is merged. */
static void a_map_that_misleads(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 21001);
	link_up(&w, 21001);
	info_master(&w, 21001, 10, LISTED(0, 21002, 10) LISTED(1, 21003, 10));
	link_up(&w, 21002);
	info_master_as(&w, id_at(&w, 21002), "standalone", 21001, 10, LISTED(0, 21002, 10) LISTED(1, 21003, 10));
	assert_int_equal(node_count(&w), 3);
	leads_to(&w, 21002, 21001);
	assert_int_equal(group_of(&w, 21001)->member_count, 3);
	/* Two replicas at one place. */
	link_up(&w, 21003);
	info_replica(&w, 21003, 21001, 10);
	w.now += 1000;
	info_replica_as(&w, id_at(&w, 21002), "standalone", 21003, HOST, 21001, 10, INFO_LINKED);
	leads_to(&w, 21002, 21003);
	/* Mended: it is itself. */
	info_replica(&w, 21002, 21001, 10);
	struct verdict v;
	health_node(w.m, node_at(&w, 21002), w.now, &v);
	assert_string_equal(v.text, "");
	assert_int_equal(node_count(&w), 3);
	world_end(&w);
}

/* Sentinels list the run id of each server: who is wrong is known whoever answers first. */
static void a_map_that_misleads_under_sentinels(void **state)
{
	struct world w = world_new();
	struct sentinel_instance master = instance("mymaster", 21001, SFLAG_MASTER),
				 replica = instance("replica", 21002, SFLAG_SLAVE);
	(void)state;
	target(&w, 26001);
	link_up(&w, 26001);
	info_sentinel(&w, id_at(&w, 26001), 26001);
	snprintf(master.run_id, ID_BYTES, "%040d", 21001);
	snprintf(replica.run_id, ID_BYTES, "%040d", 21002);
	listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, 26001), "mymaster", &master, 1);
	listed(&w, ASK_SENTINEL_REPLICAS, id_at(&w, 26001), "mymaster", &replica, 1);
	link_up(&w, 21002);
	info_master_as(&w, id_at(&w, 21002), "standalone", 21001, 10, "");
	leads_to(&w, 21002, 21001);
	link_up(&w, 21001);
	info_master(&w, 21001, 10, LISTED(0, 21002, 10));
	struct verdict v;
	health_node(w.m, node_at(&w, 21001), w.now, &v);
	assert_string_equal(v.text, "");
	leads_to(&w, 21002, 21001);
	assert_int_equal(node_count(&w), 3);
	world_end(&w);
}

static void says_run(struct world *w, int port, int run, int master_port)
{
	info_replica_as(w, id_at(w, port), "standalone", run, HOST, master_port, 10, INFO_LINKED);
}

/* replica-announce-port while it runs: its master lists the new address instead of the old one, which
 * leads nowhere by now. It is one replica that answers. */
static void an_announced_port_that_changed(void **state)
{
	struct world w = world_new();
	struct verdict v;
	(void)state;
	target(&w, 21001);
	link_up(&w, 21001);
	info_master(&w, 21001, 10, LISTED(0, 21002, 10));
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 10);
	/* The old connection is listed still for a while. */
	w.now += 1000;
	info_master(&w, 21001, 10, LISTED(0, 21002, 10) LISTED(1, 21012, 10));
	link_up(&w, 21012);
	says_run(&w, 21012, 21002, 21001);
	leads_to(&w, 21012, 21002);
	w.now += 1000;
	link_lost(&w, 21002);
	info_master(&w, 21001, 10, LISTED(0, 21012, 10));
	says_run(&w, 21012, 21002, 21001);
	assert_int_equal(node_count(&w), 2);
	assert_int_equal(id_at(&w, 21012), id_at(&w, 21002));
	assert_int_equal(node_at(&w, 21012)->addr.port, 21012);
	assert_int_equal(node_status(node_at(&w, 21012)), STATUS_UP);
	health_node(w.m, node_at(&w, 21012), w.now, &v);
	assert_string_equal(v.text, "");
	world_end(&w);
}

/* The same where Sentinels go on listing the old address. */
static void an_announced_port_that_changed_under_sentinels(void **state)
{
	struct world w = sentinel_world();
	struct sentinel_instance list[3] = { instance("a", 21002, SFLAG_SLAVE | SFLAG_S_DOWN),
					     instance("b", 21003, SFLAG_SLAVE),
					     instance("c", 21012, SFLAG_SLAVE) };
	(void)state;
	for (int i = 0; i < 3; i++)
		snprintf(list[i].run_id, ID_BYTES, "%040d", i == 1 ? 21003 : 21002);
	w.now += 1000;
	link_lost(&w, 21002);
	info_master(&w, 21001, 10, LISTED(0, 21012, 10) LISTED(1, 21003, 10));
	for (int port = 26001; port <= 26003; port++)
		listed(&w, ASK_SENTINEL_REPLICAS, id_at(&w, port), "mymaster", list, 3);
	link_up(&w, 21012);
	says_run(&w, 21012, 21002, 21001);
	assert_int_equal(node_count(&w), 6);
	assert_int_equal(node_at(&w, 21012)->addr.port, 21012);
	assert_int_equal(node_status(node_at(&w, 21012)), STATUS_UP);
	world_end(&w);
}

/* Moved, and back to where it was. */
static void a_sentinel_moves_back(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	lists_peer(&w, 26001, 77, 26077, 500);
	w.now += 10000;
	lists_peer(&w, 26001, 77, 26078, 500);
	assert_int_equal(node_at(&w, 26077)->addr.port, 26078);
	w.now += 10000;
	lists_peer(&w, 26001, 77, 26077, 500);
	assert_int_equal(node_at(&w, 26078)->addr.port, 26077);
	/* Nor does one that still lists the other address have the last word. */
	lists_peer(&w, 26002, 77, 26078, 10500);
	assert_int_equal(node_at(&w, 26078)->addr.port, 26077);
	world_end(&w);
}

/* Its first word from there comes right after the last one from the old address. */
static void a_sentinel_moves_fast(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	lists_peer(&w, 26001, 77, 26077, 500);
	lists_peer(&w, 26002, 77, 26078, 0);
	assert_int_equal(node_at(&w, 26077)->addr.port, 26077);
	w.now += 2000;
	lists_peer(&w, 26001, 77, 26077, 2500);
	lists_peer(&w, 26002, 77, 26078, 0);
	assert_int_equal(node_at(&w, 26077)->addr.port, 26078);
	world_end(&w);
}

/* A copied configuration, and the link to one of the two is down when the other one says its id. */
static void a_copied_id_while_one_is_away(void **state)
{
	(void)state;
	for (int heard = 0; heard < 2; heard++) {
		struct world w = sentinel_world();
		says_myid(&w, 26002, 26002);
		link_lost(&w, 26002);
		if (heard) {
			/* Out of our reach for long; its peers go on hearing it. */
			w.now += 600000;
			lists_peer(&w, 26001, 26002, 26002, 500);
		}
		says_myid(&w, 26003, 26002);
		assert_int_not_equal(id_at(&w, 26002), id_at(&w, 26003));
		/* Peers list the one that they heard last. */
		lists_peer(&w, 26001, 26002, 26003, 100);
		lists_peer(&w, 26001, 26002, 26002, 100);
		assert_int_not_equal(id_at(&w, 26002), id_at(&w, 26003));
		assert_int_equal(node_at(&w, 26002)->addr.port, 26002);
		assert_int_equal(node_at(&w, 26003)->addr.port, 26003);
		link_up(&w, 26002);
		says_myid(&w, 26002, 26002);
		assert_int_equal(node_count(&w), 6);
		world_end(&w);
	}
}

/* It moved to where another target was, and nobody has heard it at the old address for long: one. */
static void a_moved_sentinel_is_one(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	says_myid(&w, 26002, 26002);
	link_lost(&w, 26002);
	w.now += 600000;
	lists_peer(&w, 26001, 26003, 26003, 500);
	says_myid(&w, 26003, 26002);
	assert_int_equal(id_at(&w, 26002), id_at(&w, 26003));
	assert_int_equal(node_at(&w, 26002)->addr.port, 26003);
	assert_int_equal(node_at(&w, 26002)->link.state, LINK_UP);
	world_end(&w);
}

static void restart_is_told(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	info_replica_as(&w, id_at(&w, 21002), "standalone", 77, HOST, 21001, 10, INFO_LINKED);
	assert_int_equal(events_of(&w, EVENT_RESTARTED), 1);
	assert_int_equal(node_count(&w), 6);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(localhost_is_announced),
		cmocka_unit_test(merge_keeps_the_working_link),
		cmocka_unit_test(moving_address),
		cmocka_unit_test(a_ghost_of_two_addresses),
		cmocka_unit_test(an_announced_sentinel_is_the_target),
		cmocka_unit_test(a_target_is_listed_later),
		cmocka_unit_test(a_copied_id_stays_two),
		cmocka_unit_test(a_map_that_misleads),
		cmocka_unit_test(a_map_that_misleads_under_sentinels),
		cmocka_unit_test(an_announced_port_that_changed),
		cmocka_unit_test(an_announced_port_that_changed_under_sentinels),
		cmocka_unit_test(a_sentinel_moves_back),
		cmocka_unit_test(a_sentinel_moves_fast),
		cmocka_unit_test(a_copied_id_while_one_is_away),
		cmocka_unit_test(a_moved_sentinel_is_one),
		cmocka_unit_test(restart_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
