/* Ten minutes of a node's numbers: cells by time, gaps that stay gaps, and the node's own life. */
#include "config.h"

#include <math.h>

#include "model/series.h"
#include "observe.h"

#define READ 10

static void read_to(const struct node *n, enum series_id id, int64_t now_ms, int64_t hold_ms,
		    size_t step, float *out)
{
	series_read(n->series, id, now_ms, hold_ms, step, out, READ);
}

static void assert_value(float value, double expected)
{
	if (!(fabs((double)value - expected) < 0.001))
		fail_msg("%f is not %f", (double)value, expected);
}

static void test_cells_are_averages(void **state)
{
	struct node n = { 0 };
	float out[READ];
	(void)state;
	series_add(&n, SERIES_OPS, 10, 100000);
	series_add(&n, SERIES_OPS, 20, 101000);
	series_add(&n, SERIES_OPS, 7, 102000);
	series_add(&n, SERIES_OPS, 1e9, 101000); /* older than what is there */
	series_add(&n, SERIES_OPS, (double)NAN, 102000);
	series_add(&n, SERIES_OPS, (double)INFINITY, 102000);
	read_to(&n, SERIES_OPS, 102500, 0, 1, out);
	assert_value(out[READ - 2], 15);
	assert_value(out[READ - 1], 7);
	assert_true(isnan(out[READ - 3]));
	read_to(&n, SERIES_CLIENTS, 102500, 0, 1, out);
	assert_true(isnan(out[READ - 1]));
	free(n.series);
}

static void test_gaps_stay_and_polls_hold(void **state)
{
	struct node n = { 0 };
	float out[READ];
	(void)state;
	series_add(&n, SERIES_OPS, 1, 100000);
	series_add(&n, SERIES_OPS, 2, 106000); /* three cells later */
	read_to(&n, SERIES_OPS, 112000, 0, 1, out);
	assert_value(out[READ - 7], 1);
	assert_true(isnan(out[READ - 6]) && isnan(out[READ - 5]));
	assert_value(out[READ - 4], 2);
	assert_true(isnan(out[READ - 1]));
	/* Polled each 4 s: one cell between two values is no gap, what comes after 4 s is. */
	read_to(&n, SERIES_OPS, 112000, 4000, 1, out);
	assert_value(out[READ - 6], 1);
	assert_value(out[READ - 2], 2);
	assert_true(isnan(out[READ - 1]));
	/* What began to hold before the first value of a short read. */
	series_read(n.series, SERIES_OPS, 108000, 4000, 1, out, 1);
	assert_value(out[0], 2);
	series_read(NULL, SERIES_OPS, 108000, 4000, 1, out, READ);
	assert_true(isnan(out[0]) && isnan(out[READ - 1]));
	free(n.series);
}

static void test_ring_forgets(void **state)
{
	struct node n = { 0 };
	float out[SERIES_CELLS + 5];
	(void)state;
	for (int64_t i = 0; i < 2 * SERIES_CELLS; i++)
		series_add(&n, SERIES_OPS, (double)i, i * SERIES_STEP_MS);
	series_read(n.series, SERIES_OPS, (2 * SERIES_CELLS - 1) * SERIES_STEP_MS, 0, 1, out,
		    SERIES_CELLS + 5);
	assert_true(isnan(out[4]));
	for (size_t i = 0; i < SERIES_CELLS; i++)
		assert_value(out[5 + i], (double)(SERIES_CELLS + i));
	/* After a long silence nothing old comes up again. */
	series_add(&n, SERIES_OPS, 5, (int64_t)1 << 60);
	series_read(n.series, SERIES_OPS, (int64_t)1 << 60, 0, 1, out, SERIES_CELLS);
	assert_value(out[SERIES_CELLS - 1], 5);
	for (size_t i = 0; i + 1 < SERIES_CELLS; i++)
		assert_true(isnan(out[i]));
	series_add(&n, SERIES_OPS, 5, -1);
	free(n.series);
}

/* Averages of several cells begin at fixed times, so that a graph moves on without changing. */
static void test_steps_are_fixed(void **state)
{
	struct node n = { 0 };
	float before[READ], after[READ];
	(void)state;
	for (int64_t i = 0; i < 60; i++)
		series_add(&n, SERIES_OPS, (double)(i * i), i * SERIES_STEP_MS);
	read_to(&n, SERIES_OPS, 57 * SERIES_STEP_MS, 0, 3, before); /* cells 57 and 58 of 57 to 59 */
	read_to(&n, SERIES_OPS, 58 * SERIES_STEP_MS, 0, 3, after);
	for (size_t i = 0; i + 1 < READ; i++)
		assert_value(after[i], (double)before[i]);
	read_to(&n, SERIES_OPS, 59 * SERIES_STEP_MS, 0, 3, before);
	for (size_t i = 0; i + 1 < READ; i++)
		assert_value(before[i], (double)after[i + 1]);
	free(n.series);
}

static void test_info_fills(void **state)
{
	struct world w = sentinel_world();
	const struct node *n;
	float out[READ];
	(void)state;
	for (int i = 0; i < 2; i++) {
		w.now += 1000;
		info_master(&w, 21001, 6000, LISTED(0, 21002, 5000));
		infof(&w, id_at(&w, 21002),
		      INFO_HEAD "# Clients\r\nconnected_clients:12\r\n# Memory\r\nused_memory:5000\r\n"
				"# Stats\r\ninstantaneous_ops_per_sec:77\r\n"
				"instantaneous_input_kbps:2.00\r\ninstantaneous_output_kbps:0.50\r\n"
				"keyspace_hits:%d\r\nkeyspace_misses:%d\r\n# Replication\r\nrole:slave\r\n"
				"master_host:127.0.0.1\r\nmaster_port:21001\r\n" INFO_LINKED,
		      "standalone", 21002, 100 + i * 30, 50 + i * 10);
	}
	n = node_at(&w, 21002);
	assert_non_null(n->series);
	const double expected[SERIES_COUNT] = { 77, 12, 5000, 2048, 512, 75, 1000, 0.3 };
	for (size_t id = 0; id < SERIES_COUNT; id++) {
		read_to(n, (enum series_id)id, w.now, 4000, 1, out);
		assert_value(out[READ - 1], expected[id]);
	}
	/* No master, no lag; nothing said, nothing known. */
	read_to(node_at(&w, 21001), SERIES_LAG, w.now, 4000, 1, out);
	assert_true(isnan(out[READ - 1]));
	read_to(node_at(&w, 21001), SERIES_MEMORY, w.now, 4000, 1, out);
	assert_true(isnan(out[READ - 1]));
	world_end(&w);
}

/* Named as a target by another address, it answers: one process, one series. */
static void test_merge_carries_over(void **state)
{
	struct world w = sentinel_world();
	float out[READ];
	(void)state;
	target_host(&w, "alias.example", 6379);
	uint32_t alias = find_at(&w, "alias.example", 6379)->id;
	w.now += 2000;
	link_state(&w, alias, LINK_UP, NULL);
	infof(&w, alias,
	      INFO_HEAD "# Stats\r\ninstantaneous_ops_per_sec:9\r\n# Replication\r\nrole:slave\r\n"
			"master_host:127.0.0.1\r\nmaster_port:21001\r\n" INFO_LINKED,
	      "standalone", 21002);
	const struct node *n = model_node(w.m, alias);
	assert_int_equal(n->id, id_at(&w, 21002));
	read_to(n, SERIES_OPS, w.now, 0, 1, out);
	assert_value(out[READ - 1], 9);
	read_to(n, SERIES_LATENCY, w.now, 0, 1, out);
	assert_value(out[READ - 2], 0.3); /* from before */
	world_end(&w);
}

static void test_merge_of_two(void **state)
{
	struct node a = { 0 }, b = { 0 };
	float out[READ];
	(void)state;
	series_add(&a, SERIES_OPS, 1, 100000);
	series_add(&a, SERIES_OPS, 2, 102000);
	series_add(&b, SERIES_OPS, 3, 104000);
	series_add(&b, SERIES_CLIENTS, 4, 104000);
	series_merge(&a.series, &b.series);
	read_to(&a, SERIES_OPS, 104000, 0, 1, out);
	assert_value(out[READ - 3], 1);
	assert_value(out[READ - 2], 2);
	assert_value(out[READ - 1], 3);
	free(b.series);
	b.series = NULL;
	series_merge(&b.series, &a.series);
	assert_null(a.series);
	read_to(&b, SERIES_CLIENTS, 104000, 0, 1, out);
	assert_value(out[READ - 1], 4);
	free(b.series);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells_are_averages),
		cmocka_unit_test(test_gaps_stay_and_polls_hold),
		cmocka_unit_test(test_ring_forgets),
		cmocka_unit_test(test_steps_are_fixed),
		cmocka_unit_test(test_info_fills),
		cmocka_unit_test(test_merge_carries_over),
		cmocka_unit_test(test_merge_of_two),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
