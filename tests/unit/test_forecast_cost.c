/* What a promotion would cost, and whom a cluster or a plain set would promote. */
#include "candidates.h"

/* --- what it would cost ------------------------------------------------------------------------ */

static void loss(void **state)
{
	struct world w = listed_world();
	(void)state;
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000) LISTED(1, 21003, 5000));
	struct forecast f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(f.loss_bytes, 0);
	assert_int_equal(f.loss_ms, 0);
	tick(&w, 1000);
	info_master(&w, 21001, 7000, LISTED(0, 21002, 6000) LISTED(1, 21003, 6000));
	f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(f.loss_bytes, 1000);
	assert_int_equal(f.loss_ms, 500); /* at 2000 bytes a second */
	world_end(&w);
}

#define BACKLOG(first) "repl_backlog_active:1\r\nrepl_backlog_first_byte_offset:" #first "\r\n"

static enum resync resync(const char *candidate_more, int64_t offset, const char *link, int replid)
{
	struct world w = listed_world();
	struct sentinel_instance a = good(21002), b = good(21003);
	a.priority = 1;
	behind(&w);
	lists(&w, 26001, a, b);
	infof(&w, id_at(&w, 21002),
	      INFO_HEAD "role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:21001\r\n%s"
			"slave_repl_offset:4000\r\nmaster_replid:%040d\r\n%s",
	      "standalone", 21002, link, 1, candidate_more);
	infof(&w, id_at(&w, 21003),
	      INFO_HEAD "role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:21001\r\n%s"
			"slave_repl_offset:%lld\r\nmaster_replid:%040d\r\n",
	      "standalone", 21003, link, (long long)offset, replid);
	struct forecast f = by_first(&w, FORECAST_CRASH);
	assert_int_equal(port_of(&w, f.candidate_id), 21002);
	assert_int_equal(replica_in(&w, &f, 21002)->resync, RESYNC_UNKNOWN); /* it is the candidate */
	enum resync r = replica_in(&w, &f, 21003)->resync;
	world_end(&w);
	return r;
}

static void resyncs(void **state)
{
	(void)state;
	assert_int_equal(resync(BACKLOG(1000), 3000, INFO_LINKED, 1), RESYNC_PARTIAL);
	assert_int_equal(resync(BACKLOG(1000), 999, INFO_LINKED, 1), RESYNC_PARTIAL);
	assert_int_equal(resync(BACKLOG(1000), 998, INFO_LINKED, 1), RESYNC_FULL);
	assert_int_equal(resync(BACKLOG(1000), 3000, INFO_LINKED, 2), RESYNC_FULL);
	assert_int_equal(resync("repl_backlog_active:0\r\n", 3000, INFO_LINKED, 1), RESYNC_FULL);
	assert_int_equal(resync("", 3000, INFO_LINKED, 1), RESYNC_UNKNOWN);
	/* Ahead of the candidate, and both have stopped. */
	assert_int_equal(resync(BACKLOG(1000), 4001, INFO_UNLINKED, 1), RESYNC_FULL);
	assert_int_equal(resync(BACKLOG(1000), 4000, INFO_UNLINKED, 1), RESYNC_PARTIAL);
	/* Read a moment later while the writes go on. */
	assert_int_equal(resync(BACKLOG(1000), 4001, INFO_LINKED, 1), RESYNC_PARTIAL);
}

/* --- clusters and plain sets ------------------------------------------------------------------- */

/* 7004 and 7005 follow 7001. */
static struct world shard(const char *flags_of_7005)
{
	struct world w = cluster_world();
	struct buf text = BUF_INIT;
	buf_addf(&text, "%s%s%s" CID5 " 127.0.0.1:7005@1 slave%s " CID1 " 0 0 1 connected\n",
		 LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-5460"),
		 LINE_MASTER(CID2, 7002, "", "", 2, " 5461-10922"), LINE_SLAVE(CID4, 7004, "", "", CID1, 1),
		 flags_of_7005);
	cluster_nodes(&w, 7001, buf_str(&text));
	buf_free(&text);
	info_master_as(&w, id_at(&w, 7001), "cluster", 7001, 100, LISTED(0, 7004, 100) LISTED(1, 7005, 100));
	for (int port = 7004; port <= 7005; port++)
		info_replica_as(&w, id_at(&w, port), "cluster", port, HOST, 7001, 100, INFO_LINKED);
	return w;
}

static struct forecast of_shard(const struct world *w)
{
	struct forecast f;
	bool differ = true;
	forecast_group(w->m, group_of(w, 7001), FORECAST_CRASH, w->now, &f, &differ);
	assert_true(f.known);
	assert_false(differ);
	assert_int_equal(f.by, 0);
	return f;
}

static void cluster_equal(void **state)
{
	struct world w = shard("");
	struct forecast f = of_shard(&w);
	(void)state;
	assert_int_equal(f.count, 2);
	assert_true(f.tie);
	assert_string_equal(f.text, "127.0.0.1:7004 or 127.0.0.1:7005: equal data: chance decides");
	assert_true(f.replicas[0].priority == FACT_UNKNOWN); /* no such thing in a cluster */
	world_end(&w);
}

static void cluster_reasons(void **state)
{
	struct world w = shard(",nofailover");
	char words[FORECAST_REASONS_BYTES];
	struct forecast f = of_shard(&w);
	(void)state;
	assert_int_equal(port_of(&w, f.candidate_id), 7004);
	assert_int_equal(replica_in(&w, &f, 7005)->passed_over, PASS_NOFAILOVER);
	assert_string_equal(forecast_reasons(replica_in(&w, &f, 7005), words),
			    "cluster-replica-no-failover is set");
	info_replica_as(&w, id_at(&w, 7004), "cluster", 7004, HOST, 7001, 100, INFO_UNLINKED);
	f = of_shard(&w);
	assert_int_equal(f.eligible, 0);
	assert_int_equal(replica_in(&w, &f, 7004)->passed_over, PASS_OFFLINE);
	link_lost(&w, 7004);
	f = of_shard(&w);
	assert_int_equal(replica_in(&w, &f, 7004)->passed_over, PASS_UNREACHABLE);
	assert_string_equal(f.text, "no replica can be promoted");
	world_end(&w);
}

static void cluster_most_data(void **state)
{
	struct world w = shard("");
	(void)state;
	tick(&w, 100);
	link_lost(&w, 7001);
	tick(&w, 100);
	info_replica_as(&w, id_at(&w, 7004), "cluster", 7004, HOST, 7001, 500, INFO_UNLINKED);
	info_replica_as(&w, id_at(&w, 7005), "cluster", 7005, HOST, 7001, 700, INFO_UNLINKED);
	struct forecast f = of_shard(&w);
	assert_int_equal(port_of(&w, f.candidate_id), 7005);
	assert_string_equal(f.text, "has most of the data: 200 B more than the next");
	world_end(&w);
}

static void plain_set(void **state)
{
	struct world w = world_new();
	(void)state;
	target(&w, 21001);
	link_up(&w, 21001);
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000) LISTED(1, 21003, 4000));
	for (int port = 21002; port <= 21003; port++) {
		link_up(&w, port);
		info_replica(&w, port, 21001, port == 21002 ? 5000 : 4000);
	}
	info_master(&w, 21001, 5000,
		    LISTED(0, 21002, 5000) "slave1:ip=127.0.0.1,port=21003,state=online,offset=4000,lag=9\r\n");
	struct forecast f = of_all(&w, FORECAST_CRASH, NULL);
	assert_int_equal(f.candidate_id, 0);
	assert_int_equal(f.eligible, 2);
	assert_has(f.text, "nobody promotes a replica by itself");
	f = of_all(&w, FORECAST_MANUAL, NULL);
	assert_int_equal(port_of(&w, f.candidate_id), 21002);
	assert_int_equal(f.loss_bytes, 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loss),
		cmocka_unit_test(resyncs),
		cmocka_unit_test(cluster_equal),
		cmocka_unit_test(cluster_reasons),
		cmocka_unit_test(cluster_most_data),
		cmocka_unit_test(plain_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
