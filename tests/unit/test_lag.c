/* Lag, where it goes, and how far the backlog reaches. */
#include "config.h"

#include "model/lag.h"
#include "observe.h"

static struct world plain_world(void)
{
	struct world w = world_new();
	target(&w, 21001);
	link_up(&w, 21001);
	info_master(&w, 21001, 5000000, LISTED(0, 21002, 5000000));
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 5000000);
	return w;
}

/* The master's word: its own offset, and the one that the replica acknowledged. */
static void master_says(struct world *w, int64_t offset, int64_t acknowledged)
{
	char line[128];
	snprintf(line, sizeof(line), "slave0:ip=127.0.0.1,port=21002,state=online,offset=%lld,lag=1\r\n",
		 (long long)acknowledged);
	info_master(w, 21001, offset, line);
}

static struct lag look(const struct world *w)
{
	struct lag lag;
	lag_of(w->m, node_at(w, 21002), w->now, &lag);
	return lag;
}

static void bytes_and_seconds(void **state)
{
	struct world w = plain_world();
	(void)state;
	master_says(&w, 6000000, 5900000);
	struct lag lag = look(&w);
	assert_int_equal(lag.bytes, 100000);
	assert_int_equal(lag.seconds, 1);
	assert_int_equal(lag.offset, 5900000);
	assert_int_equal(lag.at_ms, T0);
	assert_true(lag.link_known && lag.link_up);
	assert_false(lag.trend_known);
	assert_int_equal(lag.catch_up_ms, FACT_UNKNOWN);
	assert_int_equal(lag.backlog_headroom_bytes, 1048576 - 100000);
	assert_int_equal(lag.backlog_off_ms, FACT_UNKNOWN);
	/* its ACK may be newer than the master's own counter was */
	master_says(&w, 6000000, 6000200);
	assert_int_equal(look(&w).bytes, 0);
	world_end(&w);
}

/* `growth` bytes a second of lag under `rate` bytes a second of writes, `acks` apart; polls are a
 * little slower than the acknowledgements, so that they catch each moment between two of them. */
static struct lag run(int64_t start, int64_t growth, int64_t rate, int seconds)
{
	struct world w = plain_world();
	for (int i = 0; i <= seconds; i++) {
		int64_t since_ack_ms = (int64_t)i * 370 % 1000;
		int64_t offset = 10000000 + rate * i;
		master_says(&w, offset, offset - start - growth * i - rate * since_ack_ms / 1000);
		w.now += 1000;
	}
	w.now -= 1000;
	struct lag lag = look(&w);
	world_end(&w);
	return lag;
}

/* A steady load is a sawtooth: neither growing nor shrinking, whenever one looks. */
static void sawtooth_is_level(void **state)
{
	(void)state;
	for (int seconds = 6; seconds < 40; seconds++) {
		struct lag lag = run(0, 0, 300000, seconds);
		assert_true(lag.trend_known);
		if (lag.trend_bytes_s > 1 || lag.trend_bytes_s < -1)
			fail_msg("%d s: %.0f bytes/s", seconds, lag.trend_bytes_s);
		assert_int_equal(lag.backlog_off_ms, FACT_UNKNOWN);
		assert_int_equal(lag.catch_up_ms, FACT_UNKNOWN);
	}
}

static void growing(void **state)
{
	struct lag lag = run(0, 20000, 20000, 12);
	(void)state;
	assert_true(lag.trend_known);
	assert_true(lag.trend_bytes_s > 15000 && lag.trend_bytes_s < 25000);
	assert_int_equal(lag.catch_up_ms, FACT_UNKNOWN);
	int64_t expected = lag.backlog_headroom_bytes * 1000 / (int64_t)lag.trend_bytes_s;
	assert_true(lag.backlog_off_ms > expected * 9 / 10 && lag.backlog_off_ms < expected * 11 / 10);
}

static void catching_up(void **state)
{
	struct lag lag = run(900000, -30000, 1000, 12);
	(void)state;
	assert_true(lag.trend_known);
	assert_true(lag.trend_bytes_s < -25000 && lag.trend_bytes_s > -35000);
	int64_t expected = lag.bytes * 1000 / 30000;
	assert_true(lag.catch_up_ms > expected * 8 / 10 && lag.catch_up_ms < expected * 12 / 10);
	assert_int_equal(lag.backlog_off_ms, FACT_UNKNOWN);
}

/* Below 1 kB/s nothing is forecast. */
static void wobble(void **state)
{
	struct lag lag = run(20000, 500, 0, 12);
	(void)state;
	assert_true(lag.trend_known);
	assert_int_equal(lag.backlog_off_ms, FACT_UNKNOWN);
	lag = run(20000, -500, 0, 12);
	assert_int_equal(lag.catch_up_ms, FACT_UNKNOWN);
}

static void few_samples(void **state)
{
	(void)state;
	assert_false(run(0, 50000, 0, 3).trend_known);
	assert_true(run(0, 50000, 0, 6).trend_known);
}

/* Polls far apart have a trend as well. */
static void slow_polls(void **state)
{
	struct world w = plain_world();
	(void)state;
	for (int i = 0; i < 8; i++) {
		w.now += 10000;
		master_says(&w, 10000000 + 200000 * i, 10000000);
	}
	struct lag lag = look(&w);
	assert_true(lag.trend_known);
	assert_true(lag.trend_bytes_s > 15000 && lag.trend_bytes_s < 25000);
	/* and an old one is none */
	w.now += 600000;
	assert_false(look(&w).trend_known);
	world_end(&w);
}

/* Across a gap nothing is compared. */
static void gap(void **state)
{
	struct world w = plain_world();
	(void)state;
	for (int i = 0; i < 8; i++) {
		w.now += 500;
		master_says(&w, 10000000 + 100000 * i, 10000000);
	}
	assert_true(look(&w).trend_known);
	link_lost(&w, 21001);
	assert_false(look(&w).trend_known);
	link_up(&w, 21001);
	for (int i = 0; i < 4; i++) {
		w.now += 500;
		master_says(&w, 20000000, 20000000);
		assert_false(look(&w).trend_known);
	}
	world_end(&w);
}

static void unlisted(void **state)
{
	struct world w = plain_world();
	(void)state;
	w.now += 1000;
	info_master(&w, 21001, 5500000, "");
	/* its own offset is all there is: same history, so it can be compared */
	struct lag lag = look(&w);
	assert_int_equal(lag.at_ms, 0);
	assert_int_equal(lag.bytes, 500000);
	assert_int_equal(lag.seconds, FACT_UNKNOWN);
	world_end(&w);
}

/* wait_bgsave, send_bulk: the offset is 0 there and means nothing. */
static void not_online(void **state)
{
	struct world w = plain_world();
	(void)state;
	w.now += 1000;
	info_master(&w, 21001, 5500000,
		    "slave0:ip=127.0.0.1,port=21002,state=send_bulk,offset=0,lag=0\r\n");
	infof(&w, id_at(&w, 21002),
	      INFO_HEAD "role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:21001\r\n"
			"master_link_status:down\r\nmaster_sync_in_progress:1\r\n"
			"master_sync_total_bytes:1000\r\nmaster_sync_read_bytes:250\r\n"
			"slave_repl_offset:1\r\nmaster_replid:%040d\r\n",
	      "standalone", 21002, 2);
	struct lag lag = look(&w);
	assert_int_equal(lag.bytes, FACT_UNKNOWN);
	assert_true(lag.syncing);
	assert_int_equal(lag.sync_read_bytes, 250);
	assert_int_equal(lag.sync_total_bytes, 1000);
	assert_true(lag.link_known);
	assert_false(lag.link_up);
	assert_int_equal(events_of(&w, EVENT_RESYNC), 1);
	world_end(&w);
}

/* The link is down, the backlog goes on: bytes out of it mean a full synchronisation. */
static void off_backlog(void **state)
{
	struct world w = plain_world();
	(void)state;
	for (int i = 1; i <= 3; i++) {
		w.now += 1000;
		info_master(&w, 21001, 5000000 + 400000 * i, "");
		info_replica_as(&w, id_at(&w, 21002), "standalone", 21002, HOST, 21001, 5000000,
				"master_link_status:down\r\nmaster_link_down_since_seconds:3\r\n"
				"master_sync_in_progress:0\r\n");
		struct lag lag = look(&w);
		assert_int_equal(lag.bytes, 400000 * i);
		assert_int_equal(lag.off_backlog, 400000 * i > 1048576);
		if (i == 2) {
			assert_int_equal(lag.backlog_headroom_bytes, 1048576 - 800000);
			assert_int_equal(lag.backlog_off_ms, (1048576 - 800000) * 1000LL / 400000);
		}
	}
	assert_int_equal(look(&w).backlog_headroom_bytes, 0);
	world_end(&w);
}

/* The old master comes back as a replica: its former replicas' lag is the new master's to say. */
static void old_master_returns(void **state)
{
	struct world w = sentinel_world();
	struct lag lag;
	(void)state;
	link_lost(&w, 21001);
	for (int port = 26001; port <= 26003; port++)
		masters(&w, port, 21002, 1, 0);
	info_master(&w, 21002, 7000, LISTED(0, 21003, 6900));
	info_replica(&w, 21003, 21002, 6900);
	w.now += 500;
	link_up(&w, 21001);
	info_replica(&w, 21001, 21002, 10);
	lag_of(w.m, node_at(&w, 21003), w.now, &lag);
	assert_int_equal(lag.bytes, 100);
	assert_int_equal(lag.seconds, 0);
	world_end(&w);
}

static void history(void **state)
{
	struct history h = { 0 };
	int64_t at, value;
	(void)state;
	assert_false(history_at(&h, 0, &at, &value));
	for (int i = 0; i < 3 * HISTORY_SAMPLES + 5; i++)
		history_add(&h, i, 10 * i);
	assert_int_equal(h.count, HISTORY_SAMPLES);
	for (size_t i = 0; i < HISTORY_SAMPLES; i++) {
		assert_true(history_at(&h, i, &at, &value));
		assert_int_equal(at, 2 * HISTORY_SAMPLES + 5 + i);
		assert_int_equal(value, 10 * at);
	}
	assert_false(history_at(&h, HISTORY_SAMPLES, &at, &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_and_seconds), cmocka_unit_test(sawtooth_is_level),
		cmocka_unit_test(growing),	     cmocka_unit_test(catching_up),
		cmocka_unit_test(wobble),	     cmocka_unit_test(few_samples),
		cmocka_unit_test(slow_polls),	     cmocka_unit_test(gap),
		cmocka_unit_test(unlisted),	     cmocka_unit_test(not_online),
		cmocka_unit_test(off_backlog),	     cmocka_unit_test(old_master_returns),
		cmocka_unit_test(history),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
