/* Slots: whose they are, whom to believe, and who is said to fail. */
#include "config.h"

#include "model/slots.h"
#include "observe.h"

/* As CLUSTER KEYSLOT of Redis 7.0.15 answers. */
static void slot_of_keys(void **state)
{
	static const struct {
		const char *key;
		unsigned slot;
	} known[] = {
		{ "", 0 },
		{ "a", 15495 },
		{ "foo", 12182 },
		{ "bar", 5061 },
		{ "123456789", 12739 },
		{ "{user1000}.following", 3443 },
		{ "user1000", 3443 },
		{ "foo{}{bar}", 8363 },
		{ "foo{{bar}}zap", 4015 },
		{ "foo{bar}{zap}", 5061 },
		{ "{}", 15257 },
		{ "a{b", 13340 },
		{ "a}b{c}", 7365 },
		{ "k{a}1", 15495 },
		{ "mykey", 14687 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(slot_of_key(known[i].key, strlen(known[i].key)), known[i].slot);
}

static int owner_port(const struct world *w, unsigned slot)
{
	const struct node *n = model_node(w->m, slot_owner(only_deployment(w), slot));
	return n != NULL ? n->addr.port : 0;
}

static void map(void **state)
{
	struct world w = cluster_world();
	const struct deployment *d = only_deployment(&w);
	struct slot_range r[4];
	(void)state;
	assert_int_equal(d->cluster->assigned, SLOT_COUNT);
	assert_int_equal(owner_port(&w, 0), 7001);
	assert_int_equal(owner_port(&w, 5460), 7001);
	assert_int_equal(owner_port(&w, 5461), 7002);
	assert_int_equal(owner_port(&w, 16383), 7003);
	assert_int_equal(owner_port(&w, 16384), 0);
	assert_int_equal(slot_ranges(d, id_at(&w, 7002), r, 4), 1);
	assert_int_equal(r[0].first, 5461);
	assert_int_equal(r[0].last, 10922);
	assert_int_equal(slot_count_of(d, id_at(&w, 7003)), 5461);
	assert_int_equal(slot_count_of(d, id_at(&w, 7004)), 0);
	assert_int_equal(slot_uncovered(d, r, 4), 0);
	assert_int_equal(slot_state(w.m, d, 9), SLOT_OK);
	assert_int_equal(events_of(&w, EVENT_SLOTS_MOVED), 0);
	world_end(&w);
}

/* Two claims on a slot: the higher config epoch has it, whoever was heard last. */
static void config_epoch_decides(void **state)
{
	struct world w = cluster_world();
	const struct event *e = NULL;
	(void)state;
	/* the promoted replica's own word */
	cluster_nodes(&w, 7004, LINE_MASTER(CID4, 7004, "myself,", "", 7, " 0-5460")
					LINE_SLAVE(CID1, 7001, "", "", CID4, 7));
	assert_int_equal(owner_port(&w, 100), 7004);
	assert_int_equal(count_events(&w, EVENT_SLOTS_MOVED, &e), 1);
	assert_has(e->detail, "5461 slots, first 0: 127.0.0.1:7001 -> 127.0.0.1:7004");
	assert_int_equal(e->severity, SEVERITY_NOTICE);
	/* others that have not heard yet */
	cluster_nodes(&w, 7002, LINE_MASTER(CID1, 7001, "", "", 1, " 0-5460")
					LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")
					    LINE_SLAVE(CID4, 7004, "", "", CID1, 1));
	assert_int_equal(owner_port(&w, 100), 7004);
	/* and the old master, that was cut off */
	cluster_nodes(&w, 7001, LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-5460")
					LINE_SLAVE(CID4, 7004, "", "", CID1, 1));
	assert_int_equal(owner_port(&w, 100), 7004);
	assert_int_equal(events_of(&w, EVENT_SLOTS_MOVED), 1);
	assert_int_equal(master_port(&w, group_of(&w, 7001)), 7004);
	world_end(&w);
}

/* A higher epoch by others' word goes before the own word of a node that does not know yet. */
static void others_know_a_higher_epoch(void **state)
{
	struct world w = cluster_world();
	(void)state;
	cluster_nodes(&w, 7002, LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")
					LINE_MASTER(CID4, 7004, "", "", 9, " 0-5460"));
	assert_int_equal(owner_port(&w, 0), 7004);
	world_end(&w);
}

/* DELSLOTS is not told to others: the owner's own word stands while it answers. */
static void delslots(void **state)
{
	struct world w = cluster_world();
	const struct deployment *d = only_deployment(&w);
	const struct event *e = NULL;
	struct slot_range r[4];
	struct verdict v;
	(void)state;
	cluster_nodes(&w, 7001, LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-99 101-5460"));
	assert_int_equal(owner_port(&w, 100), 0);
	assert_int_equal(slot_state(w.m, d, 100), SLOT_UNCOVERED);
	assert_int_equal(d->cluster->assigned, SLOT_COUNT - 1);
	assert_int_equal(slot_uncovered(d, r, 4), 1);
	assert_int_equal(r[0].first, 100);
	assert_int_equal(r[0].last, 100);
	assert_int_equal(count_events(&w, EVENT_SLOTS_MOVED, &e), 1);
	assert_int_equal(e->severity, SEVERITY_CRITICAL);
	assert_has(e->detail, "127.0.0.1:7001 -> nobody");
	health_deployment(w.m, d, w.now, &v);
	assert_int_equal(v.health, HEALTH_CRITICAL);
	assert_has(v.text, "1 of 16384 slots have no owner");
	cluster_nodes(&w, 7002, LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")
					LINE_MASTER(CID1, 7001, "", "", 1, " 0-5460"));
	assert_int_equal(owner_port(&w, 100), 0);
	/* once it is silent, the others' word is all there is */
	link_lost(&w, 7001);
	cluster_nodes(&w, 7002, LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")
					LINE_MASTER(CID1, 7001, "", "", 1, " 0-5460"));
	assert_int_equal(owner_port(&w, 100), 7001);
	world_end(&w);
}

static void open_slots(void **state)
{
	struct world w = cluster_world();
	(void)state;
	cluster_nodes(&w, 7001, LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-5460 [42->-" CID2 "]"));
	const struct cluster_member *cm = node_at(&w, 7001)->member;
	assert_int_equal(cm->open_count, 1);
	assert_int_equal(cm->open[0].slot, 42);
	assert_false(cm->open[0].importing);
	/* others do not see them */
	cluster_nodes(&w, 7002, LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")
					LINE_MASTER(CID1, 7001, "", "", 1, " 0-5460"));
	assert_int_equal(node_at(&w, 7001)->member->open_count, 1);
	cluster_nodes(&w, 7001, LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-5460"));
	assert_int_equal(node_at(&w, 7001)->member->open_count, 0);
	world_end(&w);
}

/* --- who fails ---------------------------------------------------------------------------------- */

#define SEEN_BY_2(flags)                                                                           \
	LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")                                   \
	LINE_MASTER(CID1, 7001, "", flags, 1, " 0-5460")
#define SEEN_BY_3(flags)                                                                           \
	LINE_MASTER(CID3, 7003, "myself,", "", 3, " 10923-16383")                                  \
	LINE_MASTER(CID1, 7001, "", flags, 1, " 0-5460")

static void fail_claims(void **state)
{
	struct world w = cluster_world();
	const struct deployment *d = only_deployment(&w);
	const struct node *n = node_at(&w, 7001);
	struct verdict v;
	(void)state;
	link_lost(&w, 7001);
	w.now += 3000;
	cluster_nodes(&w, 7002, SEEN_BY_2(",fail?"));
	assert_int_equal(events_of(&w, EVENT_NODE_PFAIL), 1);
	assert_int_equal(slot_state(w.m, d, 0), SLOT_PFAIL);
	assert_true(n->said_down);
	assert_int_equal(n->said_down_ms, w.now);
	/* one that does not think so takes nothing back */
	w.now += 100;
	cluster_nodes(&w, 7003, SEEN_BY_3(""));
	assert_int_equal(slot_state(w.m, d, 0), SLOT_PFAIL);
	cluster_nodes(&w, 7003, SEEN_BY_3(",fail"));
	cluster_nodes(&w, 7002, SEEN_BY_2(",fail"));
	assert_int_equal(events_of(&w, EVENT_NODE_FAIL), 1);
	assert_int_equal(slot_state(w.m, d, 0), SLOT_FAIL);
	assert_int_equal(n->member->fail_since_ms, w.now);
	assert_int_equal(n->said_down_ms, w.now - 100);
	assert_int_equal(node_status(n), STATUS_DOWN);
	w.now += 9000;
	health_node(w.m, n, w.now, &v);
	assert_int_equal(v.health, HEALTH_CRITICAL);
	assert_has(v.text, "down 12 s");
	cluster_nodes(&w, 7002, SEEN_BY_2(""));
	assert_int_equal(slot_state(w.m, d, 0), SLOT_FAIL);
	cluster_nodes(&w, 7003, SEEN_BY_3(""));
	assert_int_equal(slot_state(w.m, d, 0), SLOT_OK);
	assert_false(n->said_down);
	assert_int_equal(events_of(&w, EVENT_NODE_FAIL_OVER), 1);
	assert_int_equal(events_of(&w, EVENT_NODE_PFAIL_OVER), 0);
	world_end(&w);
}

/* What was begun with +node-fail ends with -node-fail, whatever comes between. */
static void fail_ends_over_pfail(void **state)
{
	struct world w = cluster_world();
	(void)state;
	cluster_nodes(&w, 7002, SEEN_BY_2(",fail"));
	cluster_nodes(&w, 7002, SEEN_BY_2(",fail?"));
	cluster_nodes(&w, 7002, SEEN_BY_2(""));
	assert_int_equal(events_of(&w, EVENT_NODE_FAIL), 1);
	assert_int_equal(events_of(&w, EVENT_NODE_FAIL_OVER), 1);
	world_end(&w);
}

/* The claim of an observer that fell silent itself is no longer one. */
static void claims_of_the_silent(void **state)
{
	struct world w = cluster_world();
	const struct deployment *d = only_deployment(&w);
	(void)state;
	cluster_nodes(&w, 7002, SEEN_BY_2(",fail?"));
	link_lost(&w, 7002);
	cluster_nodes(&w, 7003, SEEN_BY_3(""));
	assert_int_equal(slot_state(w.m, d, 0), SLOT_OK);
	assert_int_equal(events_of(&w, EVENT_NODE_PFAIL_OVER), 1);
	world_end(&w);
}

/* Large clusters: the turn comes round slowly, so claims that nobody repeats go after 10 s. */
static void claims_grow_old(void **state)
{
	struct world w = world_new();
	struct buf lines = BUF_INIT;
	(void)state;
	target(&w, 7001);
	for (int i = 1; i <= 70; i++)
		buf_addf(&lines, "%040d 127.0.0.1:%d@17000 master%s - 0 0 %d connected %d\n", i, 7000 + i,
			 i == 3 ? ",fail?" : "", i, i);
	link_up(&w, 7001);
	for (int observer = 1; observer <= 2; observer++) {
		struct buf text = BUF_INIT;
		buf_addf(&text, "%040d 127.0.0.1:%d@17000 myself,master - 0 0 %d connected %d\n", observer,
			 7000 + observer, observer, observer);
		for (char *line = lines.data; *line != '\0'; line = strchr(line, '\n') + 1) {
			char id[ID_BYTES];
			snprintf(id, sizeof(id), "%040d", observer);
			if (strncmp(line, id, 40) == 0)
				continue;
			bool third = strstr(line, ",fail?") == strchr(line, ',');
			if (observer == 2 && third)
				buf_addf(&text, "%040d 127.0.0.1:7003@17000 master - 0 0 3 connected 3\n", 3);
			else
				buf_add(&text, line, (size_t)(strchr(line, '\n') + 1 - line));
		}
		cluster_nodes(&w, 7000 + observer, text.data);
		if (observer == 1)
			assert_true(node_at(&w, 7003)->member->flags & CFLAG_PFAIL);
		buf_free(&text);
		link_up(&w, 7002);
		w.now += 10001;
	}
	assert_false(node_at(&w, 7003)->member->flags & CFLAG_PFAIL);
	buf_free(&lines);
	world_end(&w);
}

static void cluster_state(void **state)
{
	struct world w = cluster_world();
	const struct deployment *d = only_deployment(&w);
	struct verdict v;
	(void)state;
	w.now += 2000;
	cluster_info(&w, 7002, false, 3);
	cluster_info(&w, 7003, false, 3);
	assert_true(d->cluster->down);
	assert_int_equal(events_of(&w, EVENT_CLUSTER_DOWN), 1);
	w.now += 4000;
	health_deployment(w.m, d, w.now, &v);
	assert_has(v.text, "cluster down 4 s");
	cluster_info(&w, 7002, true, 3);
	assert_true(d->cluster->down);
	/* the last one that says so falls silent, and another one says ok */
	link_lost(&w, 7003);
	assert_false(d->cluster->down);
	assert_int_equal(events_of(&w, EVENT_CLUSTER_UP), 1);
	world_end(&w);
}

static void down_before_we_came(void **state)
{
	struct world w = cluster_world();
	struct verdict v;
	(void)state;
	cluster_info(&w, 7002, false, 3);
	w.now += 4000;
	health_deployment(w.m, only_deployment(&w), w.now, &v);
	assert_string_equal(v.text, "cluster down");
	world_end(&w);
}

/* A cluster is not well because nobody is left who could say that it is not. */
static void cluster_state_without_witness(void **state)
{
	struct world w = cluster_world();
	const struct deployment *d = only_deployment(&w);
	(void)state;
	for (int port = 7001; port <= 7006; port++)
		cluster_info(&w, port, false, 3);
	cluster_info(&w, 7006, true, 3);
	for (int port = 7006; port >= 7001; port--)
		link_lost(&w, port);
	assert_true(d->cluster->down);
	assert_int_equal(events_of(&w, EVENT_CLUSTER_UP), 0);
	w.now += 5000;
	/* what it said before its link broke is no word on today */
	link_up(&w, 7006);
	assert_true(d->cluster->down);
	cluster_info(&w, 7006, true, 3);
	assert_false(d->cluster->down);
	assert_int_equal(events_of(&w, EVENT_CLUSTER_UP), 1);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slot_of_keys),
		cmocka_unit_test(map),
		cmocka_unit_test(config_epoch_decides),
		cmocka_unit_test(others_know_a_higher_epoch),
		cmocka_unit_test(delslots),
		cmocka_unit_test(open_slots),
		cmocka_unit_test(fail_claims),
		cmocka_unit_test(fail_ends_over_pfail),
		cmocka_unit_test(claims_of_the_silent),
		cmocka_unit_test(claims_grow_old),
		cmocka_unit_test(cluster_state), cmocka_unit_test(down_before_we_came),
		cmocka_unit_test(cluster_state_without_witness),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
