#include "config.h"

#include "captured.h"
#include "redis/info.h"

static const char master_text[] =
    "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n"
    "run_id:99b8ca25c8e3daa0fa373c83dbedb684e2dae310\r\nuptime_in_seconds:17\r\n\r\n"
    "# Clients\r\nconnected_clients:4\r\nblocked_clients:1\r\nmaxclients:10000\r\n\r\n"
    "# Memory\r\nused_memory:941800\r\nused_memory_rss:8000000\r\nused_memory_peak:1\r\n"
    "maxmemory:0\r\nmaxmemory_human:0B\r\nmem_fragmentation_ratio:8.5\r\n\r\n"
    "# Persistence\r\nloading:0\r\nrdb_last_bgsave_status:ok\r\naof_last_write_status:err\r\n\r\n"
    "# Stats\r\ninstantaneous_ops_per_sec:1200\r\ninstantaneous_input_kbps:0.07\r\n"
    "instantaneous_output_kbps:1.50\r\nrejected_connections:3\r\nsync_full:2\r\n"
    "sync_partial_ok:1\r\nsync_partial_err:4\r\nkeyspace_hits:90\r\nkeyspace_misses:10\r\n"
    "evicted_keys:5\r\n\r\n"
    "# Replication\r\nrole:master\r\nconnected_slaves:3\r\n"
    "slave0:ip=127.0.0.1,port=21002,state=online,offset=42,lag=0\r\n"
    "slave1:ip=::1,port=21003,state=wait_bgsave,offset=0,lag=7,type=replica,io-thread=2\r\n"
    "slave2:ip=replica.example,port=1,state=online,offset=junk\r\n"
    "slave3:ip=,port=1,state=online,offset=1,lag=1\r\n"
    "slave4:127.0.0.1,6380,online\r\n"
    "slave_read_only:1\r\nmaster_failover_state:no-failover\r\n"
    "master_replid:76a8e63d5ba8ee2c7eb5c1de8e5f0d8ad3d67a9e\r\n"
    "master_replid2:0000000000000000000000000000000000000000\r\n"
    "master_repl_offset:56\r\nsecond_repl_offset:-1\r\nrepl_backlog_active:1\r\n"
    "repl_backlog_size:16384\r\nrepl_backlog_first_byte_offset:1\r\nrepl_backlog_histlen:27664\r\n"
    "\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n"
    "# Keyspace\r\ndb0:keys=1090,expires=0,avg_ttl=0\r\ndb15:keys=10,expires=1,avg_ttl=5,x=1\r\n";

static void master_facts(void **state)
{
	struct info_facts i = { 0 };

	(void)state;
	/* Twice: nothing of the first time may stay. */
	for (int round = 0; round < 2; round++)
		assert_true(info_parse(&i, master_text, sizeof(master_text) - 1));
	assert_string_equal(i.run_id, "99b8ca25c8e3daa0fa373c83dbedb684e2dae310");
	assert_string_equal(i.version, "7.0.15");
	assert_false(i.valkey);
	assert_int_equal(i.mode, MODE_STANDALONE);
	assert_int_equal(i.uptime_s, 17);
	assert_int_equal(i.connected_clients, 4);
	assert_int_equal(i.blocked_clients, 1);
	assert_int_equal(i.maxclients, 10000);
	assert_int_equal(i.used_memory_bytes, 941800);
	assert_int_equal(i.maxmemory_bytes, 0);
	assert_int_equal(i.loading, 0);
	assert_true(i.loading_percent == FACT_UNKNOWN_DOUBLE);
	assert_int_equal(i.loading_eta_s, FACT_UNKNOWN);
	assert_string_equal(i.rdb_last_bgsave_status, "ok");
	assert_string_equal(i.aof_last_write_status, "err");
	assert_int_equal(i.ops_per_sec, 1200);
	assert_true(i.input_kbps == 0.07 && i.output_kbps == 1.5);
	assert_int_equal(i.rejected_connections, 3);
	assert_int_equal(i.sync_full, 2);
	assert_int_equal(i.sync_partial_ok, 1);
	assert_int_equal(i.sync_partial_err, 4);
	assert_int_equal(i.keyspace_hits, 90);
	assert_int_equal(i.keyspace_misses, 10);
	assert_int_equal(i.evicted_keys, 5);
	assert_int_equal(i.role, ROLE_MASTER);
	assert_false(endpoint_is_set(&i.master));
	assert_int_equal(i.master_link_up, FACT_UNKNOWN);
	assert_int_equal(i.connected_slaves, 3);
	assert_string_equal(i.failover_state, "no-failover");
	assert_string_equal(i.replid, "76a8e63d5ba8ee2c7eb5c1de8e5f0d8ad3d67a9e");
	assert_int_equal(i.master_repl_offset, 56);
	assert_int_equal(i.second_repl_offset, -1);
	assert_int_equal(i.backlog_active, 1);
	assert_int_equal(i.backlog_size_bytes, 16384);
	assert_int_equal(i.backlog_first_byte_offset, 1);
	assert_int_equal(i.backlog_histlen_bytes, 27664);
	assert_int_equal(i.keys, 1100);
	assert_int_equal(i.sentinel_tilt, FACT_UNKNOWN);
	assert_int_equal(i.replica_count, 3);
	assert_string_equal(i.replicas[0].addr.host, "127.0.0.1");
	assert_int_equal(i.replicas[0].addr.port, 21002);
	assert_string_equal(i.replicas[0].state, "online");
	assert_int_equal(i.replicas[0].offset, 42);
	assert_int_equal(i.replicas[0].lag_s, 0);
	assert_string_equal(i.replicas[1].addr.host, "::1");
	assert_string_equal(i.replicas[1].state, "wait_bgsave");
	assert_int_equal(i.replicas[1].lag_s, 7);
	assert_string_equal(i.replicas[2].addr.host, "replica.example");
	assert_int_equal(i.replicas[2].offset, FACT_UNKNOWN);
	assert_int_equal(i.replicas[2].lag_s, FACT_UNKNOWN);
	info_done(&i);
}

static bool parse_text(struct info_facts *i, const char *text)
{
	return info_parse(i, text, strlen(text));
}

static void replica_facts(void **state)
{
	struct info_facts i = { 0 };

	(void)state;
	assert_true(info_parse(&i, master_text, sizeof(master_text) - 1));
	assert_true(parse_text(
	    &i, "# Replication\nrole:slave\nmaster_host:10.0.0.1\nmaster_port:6379\n"
		"master_link_status:down\nmaster_last_io_seconds_ago:-1\nmaster_sync_in_progress:1\n"
		"master_sync_total_bytes:-1\nmaster_sync_read_bytes:4096\nmaster_sync_left_bytes:-4096\n"
		"master_sync_perc:-0.00\nmaster_link_down_since_seconds:-1\nslave_repl_offset:1387\n"
		"slave_priority:100\nreplica_announced:1\nconnected_slaves:0\n"));
	assert_int_equal(i.role, ROLE_REPLICA);
	assert_string_equal(i.master.host, "10.0.0.1");
	assert_int_equal(i.master.port, 6379);
	assert_int_equal(i.master_link_up, 0);
	assert_int_equal(i.master_last_io_s, -1);
	assert_int_equal(i.sync_in_progress, 1);
	assert_int_equal(i.sync_total_bytes, FACT_UNKNOWN);
	assert_int_equal(i.sync_read_bytes, 4096);
	assert_int_equal(i.master_link_down_s, -1);
	assert_int_equal(i.slave_repl_offset, 1387);
	assert_int_equal(i.priority, 100);
	assert_int_equal(i.replica_announced, 1);
	/* What the master said before is gone. */
	assert_int_equal(i.replica_count, 0);
	assert_int_equal(i.used_memory_bytes, FACT_UNKNOWN);
	assert_int_equal(i.keys, FACT_UNKNOWN);
	assert_string_equal(i.run_id, "");
	assert_true(i.input_kbps == FACT_UNKNOWN_DOUBLE);
	/* A master's INFO never makes it follow someone. */
	assert_true(parse_text(&i, "master_port:6379\nmaster_host:h\nrole:master\nmaster_link_status:x\n"));
	assert_false(endpoint_is_set(&i.master));
	assert_int_equal(i.master_link_up, FACT_UNKNOWN);
	assert_true(parse_text(&i, "role:slave\nmaster_port:0\nmaster_host:h\nmaster_link_status:up"));
	assert_false(endpoint_is_set(&i.master));
	assert_int_equal(i.master_link_up, 1);
	info_done(&i);
}

/* INFO of servers that ran, old and new: what they tell is known, what they do not is not. */
static void captured_servers(void **state)
{
	static const struct {
		const char *file, *version;
		bool valkey, since_62;
		enum server_mode mode;
		enum role role;
	} captures[] = {
		{ "info-6.0.20-master.resp", "6.0.20", false, false, MODE_STANDALONE, ROLE_MASTER },
		{ "info-6.0.20-replica.resp", "6.0.20", false, false, MODE_STANDALONE, ROLE_REPLICA },
		{ "sentinel-6.0.20-info.resp", "6.0.20", false, false, MODE_SENTINEL, ROLE_SENTINEL },
		{ "info-valkey-8.0.1-master.resp", "8.0.1", true, true, MODE_STANDALONE, ROLE_MASTER },
		{ "info-valkey-8.0.1-replica.resp", "8.0.1", true, true, MODE_STANDALONE, ROLE_REPLICA },
		{ "sentinel-valkey-8.0.1-info.resp", "8.0.1", true, true, MODE_SENTINEL, ROLE_SENTINEL },
	};
	struct parser *p = parser_new();

	(void)state;
	for (size_t c = 0; c < 2 * sizeof(captures) / sizeof(captures[0]); c++) {
		struct observation obs = captured_parse(p, captures[c / 2].file, ASK_INFO, c % 2);
		const struct info_facts *i = obs.u.info;
		bool data = captures[c / 2].role != ROLE_SENTINEL;

		assert_int_equal(obs.answer, ANSWER_OK);
		assert_string_equal(i->version, captures[c / 2].version);
		assert_int_equal(i->valkey, captures[c / 2].valkey);
		assert_int_equal(i->mode, captures[c / 2].mode);
		assert_int_equal(i->role, captures[c / 2].role);
		assert_int_equal(strlen(i->run_id), 40);
		assert_true(i->uptime_s > 0 && i->connected_clients > 0 && i->ops_per_sec >= 0);
		assert_int_equal(i->sentinel_tilt, data ? FACT_UNKNOWN : 0);
		assert_int_equal(i->keys, data ? 0 : FACT_UNKNOWN);
		assert_int_equal(i->used_memory_bytes > 0, data);
		assert_int_equal(i->maxmemory_bytes, data ? 0 : FACT_UNKNOWN);
		assert_int_equal(i->replica_count, captures[c / 2].role == ROLE_MASTER ? 2 : 0);
		assert_int_equal(i->failover_state[0] != '\0', data && captures[c / 2].since_62);
		if (captures[c / 2].role == ROLE_MASTER)
			assert_true(i->replicas[0].addr.port == 21002 && i->replicas[0].offset > 0 &&
				    strcmp(i->replicas[1].state, "online") == 0);
		if (captures[c / 2].role != ROLE_REPLICA)
			continue;
		assert_int_equal(i->master.port, 21001);
		assert_int_equal(i->master_link_up, 1);
		assert_int_equal(i->priority, 100);
		assert_int_equal(i->replica_announced, captures[c / 2].since_62 ? 1 : FACT_UNKNOWN);
		assert_true(i->slave_repl_offset > 0 && i->backlog_size_bytes > 0);
	}
	parser_free(p);
}

static void modes_and_versions(void **state)
{
	struct info_facts i = { 0 };

	(void)state;
	assert_true(parse_text(&i, "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\n"
				   "server_mode:cluster\r\n"));
	assert_true(i.valkey);
	assert_string_equal(i.version, "9.1.2");
	assert_int_equal(i.mode, MODE_CLUSTER);
	assert_true(parse_text(&i, "valkey_version:8.0.1\r\nredis_version:7.2.4\r\n"));
	assert_string_equal(i.version, "8.0.1");
	assert_int_equal(i.mode, MODE_UNKNOWN);
	assert_int_equal(i.role, ROLE_UNKNOWN);
	assert_true(parse_text(&i, "redis_version:7.0.15\r\nredis_mode:sentinel\r\nsentinel_tilt:1\r\n"));
	assert_false(i.valkey);
	assert_int_equal(i.mode, MODE_SENTINEL);
	assert_int_equal(i.role, ROLE_SENTINEL);
	assert_int_equal(i.sentinel_tilt, 1);
	assert_true(parse_text(&i, "# Cluster\ncluster_enabled:1\n"));
	assert_int_equal(i.mode, MODE_CLUSTER);
	info_done(&i);
}

static void loading_and_empty_keyspace(void **state)
{
	struct info_facts i = { 0 };

	(void)state;
	assert_true(parse_text(&i, "loading:1\r\nloading_loaded_perc:12.50\r\nloading_eta_seconds:3\r\n"
				   "# Keyspace\r\n"));
	assert_int_equal(i.loading, 1);
	assert_true(i.loading_percent == 12.5);
	assert_int_equal(i.loading_eta_s, 3);
	assert_int_equal(i.keys, 0);
	assert_true(parse_text(&i, "# Stats\r\n"));
	assert_int_equal(i.keys, FACT_UNKNOWN);
	info_done(&i);
}

static void nonsense_stays_unknown(void **state)
{
	struct info_facts i = { 0 };
	struct buf text = BUF_INIT;

	(void)state;
	assert_true(parse_text(&i, "used_memory:-5\r\nused_memory:abc\r\nmaxclients:99999999999999999999\r\n"
				   "instantaneous_input_kbps:inf\r\nkeyspace_hits: 1\r\nuptime_in_seconds:\r\n"
				   "run_id:0123456789012345678901234567890123456789X\r\n"
				   "db0:keys=-1,expires=1\r\ndbx:keys=5\r\nslavex:ip=1.2.3.4,port=1\r\n"
				   "redis_version:7\x1b[2J\r\nrole:king\r\n:\r\n::\r\nrole\r\n"));
	assert_int_equal(i.used_memory_bytes, FACT_UNKNOWN);
	assert_int_equal(i.maxclients, FACT_UNKNOWN);
	assert_true(i.input_kbps == FACT_UNKNOWN_DOUBLE);
	assert_int_equal(i.keyspace_hits, FACT_UNKNOWN);
	assert_int_equal(i.uptime_s, FACT_UNKNOWN);
	assert_string_equal(i.run_id, "");
	assert_int_equal(i.keys, FACT_UNKNOWN);
	assert_int_equal(i.replica_count, 0);
	assert_string_equal(i.version, "7\\x1b[2J");
	assert_int_equal(i.role, ROLE_UNKNOWN);
	assert_false(parse_text(&i, "<html>\r\nhello: world\r\n"));
	assert_false(parse_text(&i, ""));
	/* A hostile list of replicas is cut. */
	for (int n = 0; n < 6000; n++)
		buf_addf(&text, "slave%d:ip=h,port=1\r\n", n);
	assert_true(parse_text(&i, text.data));
	assert_int_equal(i.replica_count, 4096);
	buf_free(&text);
	info_done(&i);
}

static void every_cut_is_harmless(void **state)
{
	struct info_facts i = { 0 };

	(void)state;
	for (size_t len = 0; len < sizeof(master_text); len++) {
		char *exact = malloc(len ? len : 1); /* so that the sanitizer sees a read beyond */

		memcpy(exact, master_text, len);
		info_parse(&i, exact, len);
		free(exact);
	}
	info_done(&i);
}

static void through_the_parser(void **state)
{
	struct parser *p = parser_new();
	struct buf resp = BUF_INIT;

	(void)state;
	buf_addf(&resp, "$%zu\r\n%s\r\n", sizeof(master_text) - 1, master_text);
	for (size_t step = 0; step < 2; step++) {
		struct observation obs = captured_parse_bytes(p, resp.data, resp.len, ASK_INFO, step);

		assert_int_equal(obs.answer, ANSWER_OK);
		assert_null(obs.text);
		assert_int_equal(obs.u.info->replica_count, 3);
		assert_int_equal(obs.u.info->keys, 1100);
	}
	buf_free(&resp);
	parser_free(p);
}

/* The order of the time before is only a guess: another one gives the same facts. */
static void any_order(void **state)
{
	static const char *const texts[] = {
		"used_memory:1\r\nmaxmemory:2\r\nmaxclients:3\r\n",
		"used_memory:1\r\nmaxmemory:2\r\nmaxclients:3\r\n",
		"maxclients:3\r\nused_memory_rss:9\r\nused_memory:1\r\nmaxmemory:2\r\n",
		"used_memory_rss:9\r\nmaxclients:3\r\nmaxmemory:2\r\nused_memory:1",
		"used_memor:9\nused_memory:1\nmaxmemory_human:9\nmaxmemory:2\nmaxclients:3\n",
		"used_memory:1\r\nmaxmemory:2\r\ndb0:keys=7\r\nmaxclients:3\r\nmaxmemor",
	};
	struct info_facts i = { 0 };

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++) {
			assert_true(info_parse(&i, texts[k], strlen(texts[k])));
			assert_int_equal(i.used_memory_bytes, 1);
			assert_int_equal(i.maxmemory_bytes, 2);
			assert_int_equal(i.maxclients, 3);
			assert_int_equal(i.blocked_clients, FACT_UNKNOWN);
		}
		assert_int_equal(i.keys, 7);
	}
	info_done(&i);
}

/* More names than are remembered: those after them are found all the same. */
static void made_up_names(void **state)
{
	struct buf text = BUF_INIT;
	struct info_facts i = { 0 };

	(void)state;
	for (int k = 0; k < 3000; k++)
		buf_addf(&text, "made_up_%dx:1\r\n", k);
	buf_addstr(&text, "blocked_clients:5\r\nrole:master\r\n");
	for (int round = 0; round < 2; round++) {
		assert_true(info_parse(&i, text.data, text.len));
		assert_int_equal(i.blocked_clients, 5);
		assert_int_equal(i.role, ROLE_MASTER);
	}
	info_done(&i);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(master_facts),
		cmocka_unit_test(replica_facts),
		cmocka_unit_test(modes_and_versions), cmocka_unit_test(captured_servers),
		cmocka_unit_test(loading_and_empty_keyspace),
		cmocka_unit_test(nonsense_stays_unknown),
		cmocka_unit_test(every_cut_is_harmless),
		cmocka_unit_test(through_the_parser),
		cmocka_unit_test(any_order),
		cmocka_unit_test(made_up_names), /* last: it fills what is remembered */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
