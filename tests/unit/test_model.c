/* Discovery and identity: what belongs together, who is who, who came and went. */
#include "config.h"

#include "model/lag.h"
#include "observe.h"

static size_t members(const struct world *w)
{
	return model_node_count(w->m);
}

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
		assert_int_equal(members(&w), 6);
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
	assert_int_equal(members(&w), 6);
	assert_int_equal(d->group_count, 3);
	assert_int_equal(d->cluster->assigned, SLOT_COUNT);
	assert_ptr_equal(group_of(&w, 22004), group_of(&w, 22001));
	assert_ptr_equal(group_of(&w, 22005), group_of(&w, 22002));
	assert_int_equal(master_port(&w, group_of(&w, 22006)), 22003);
	parser_free(p);
	world_end(&w);
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
	assert_int_equal(members(&w), 3);
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
		assert_int_equal(members(&w), 6);
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
	assert_int_equal(members(&w), 2);
	world_end(&w);
}

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
	assert_int_equal(members(&w), 3);
	uint32_t announced = id_at(&w, 21001);
	assert_int_not_equal(announced, id);
	link_up(&w, 21001);
	info_master_as(&w, announced, "standalone", 21001, 5000, LISTED(0, 21002, 5000));
	assert_int_equal(members(&w), 2);
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
	assert_int_equal(members(&w), 2);
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
	struct world w = world_new();
	uint32_t vip = target_host(&w, "vip", 6379);
	(void)state;
	link_state(&w, vip, LINK_UP, NULL);
	info_master_as(&w, vip, "standalone", 21001, 10, LISTED(0, 21002, 10));
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 10);
	link_up(&w, 21001);
	info_master(&w, 21001, 10, LISTED(0, 21002, 10));
	assert_int_equal(members(&w), 2);
	/* after a failover */
	link_state(&w, vip, LINK_LOST, "closed");
	link_state(&w, vip, LINK_UP, NULL);
	info_master_as(&w, vip, "standalone", 21002, 20, LISTED(0, 21001, 20));
	link_up(&w, 21001);
	info_replica(&w, 21001, 21002, 20);
	assert_int_equal(members(&w), 2);
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
	assert_int_equal(members(&w), 7);
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
	assert_int_equal(members(&w), 7);
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
	assert_int_equal(members(&w), 6);
	world_end(&w);
}

static void leads_to(struct world *w, int port, int other)
{
	struct verdict v;
	char words[64];
	health_node(w->m, node_at(w, port), w->now, &v);
	snprintf(words, sizeof(words), "leads to %s:%d: same run id; check --map", HOST, other);
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
	assert_int_equal(members(&w), 3);
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
	assert_int_equal(members(&w), 3);
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
	assert_int_equal(members(&w), 3);
	world_end(&w);
}

static void restart_is_told(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	info_replica_as(&w, id_at(&w, 21002), "standalone", 77, HOST, 21001, 10, INFO_LINKED);
	assert_int_equal(events_of(&w, EVENT_RESTARTED), 1);
	assert_int_equal(members(&w), 6);
	world_end(&w);
}

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
	assert_int_equal(members(&w), 6);
	world_end(&w);
}

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
	assert_int_equal(members(&w), 2);
	assert_null(model_node(w.m, id));
	info_master_as(&w, id, "cluster", 7006, 1, "");
	link_state(&w, id, LINK_LOST, "late");
	assert_int_equal(members(&w), 2);
	assert_int_equal(only_deployment(&w)->group_count, 2);
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
	assert_int_equal(members(&w), 5);
	assert_int_equal(events_of(&w, EVENT_NODE_LEFT), 1);
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
	assert_int_equal(members(&w), 1);
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
	assert_int_equal(members(&w), MEMBERS_MAX);
	health_deployment(w.m, only_deployment(&w), w.now, &v);
	assert_true(only_deployment(&w)->full);
	target(&w, 7001);
	assert_int_equal(members(&w), MEMBERS_MAX + 1);
	tick(&w, 40000);
	masters(&w, 26001, 21001, 0, 0);
	replicas(&w, 26001, 21002, 0, 21003, 0);
	peers(&w, 26001, 26002, 26003);
	tick(&w, 1000);
	assert_int_equal(members(&w), 7);
	assert_false(model_deployment(w.m, node_at(&w, 26001)->deployment_id)->full);
	/* there is room again */
	list_many(&w, 30000, 1000);
	assert_int_equal(members(&w), 1007);
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
	assert_int_equal(count, members(&w));
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
	assert_int_equal(members(&w), 6);
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
		assert_int_equal(members(&w), 6);
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
	assert_int_equal(members(&w), 6);
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
		cmocka_unit_test(from_sentinel_captures),
		cmocka_unit_test(from_cluster_capture),
		cmocka_unit_test(from_plain_master),
		cmocka_unit_test(from_plain_replica),
		cmocka_unit_test(sentinel_targets_become_one),
		cmocka_unit_test(sentinel_lists_join),
		cmocka_unit_test(replica_target_joins_sentinels),
		cmocka_unit_test(cluster_targets_become_one),
		cmocka_unit_test(localhost_is_announced),
		cmocka_unit_test(merge_keeps_the_working_link),
		cmocka_unit_test(moving_address),
		cmocka_unit_test(a_ghost_of_two_addresses),
		cmocka_unit_test(an_announced_sentinel_is_the_target),
		cmocka_unit_test(a_target_is_listed_later),
		cmocka_unit_test(a_copied_id_stays_two),
		cmocka_unit_test(a_map_that_misleads),
		cmocka_unit_test(a_map_that_misleads_under_sentinels),
		cmocka_unit_test(restart_is_told),
		cmocka_unit_test(member_joins_and_leaves),
		cmocka_unit_test(crashed_plain_replica_stays),
		cmocka_unit_test(nobody_leaves_unlisted_all),
		cmocka_unit_test(late_reply_of_one_that_left),
		cmocka_unit_test(forgotten_node),
		cmocka_unit_test(each_follows_the_other),
		cmocka_unit_test(says_it_follows_itself),
		cmocka_unit_test(deliberate_master),
		cmocka_unit_test(deliberate_master_waits),
		cmocka_unit_test(split_stays),
		cmocka_unit_test(lists_by_id),
		cmocka_unit_test(limit_is_said),
		cmocka_unit_test(limit_verdict),
		cmocka_unit_test(ids_after_leaving),
		cmocka_unit_test(cluster_node_moves),
		cmocka_unit_test(cluster_address_taken_over),
		cmocka_unit_test(cluster_moving_address),
		cmocka_unit_test(handshake_is_no_member),
		cmocka_unit_test(cluster_lists_a_sentinels_node),
		cmocka_unit_test(cluster_lag_before_nodes),
		cmocka_unit_test(hostile_numbers),
		cmocka_unit_test(hostile_sentinel_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
