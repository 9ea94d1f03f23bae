/* The screen of failovers: the list with its totals, and the selected one as a time line. */
#include "config.h"

#include <stdlib.h>

#include "worlds.h"

#include "model/failovers_private.h"
#include "views/failovers_private.h"

/* A record that ended, of the world's master; steps are filled by the caller. */
static struct failover_record *record_add(struct world *w, enum failover_cause cause, int64_t begin_ms)
{
	struct failover_record *f = failover_add(w->m);
	size_t cursor = 0;
	const struct deployment *d = model_next_deployment(w->m, &cursor);

	f->id = ++w->m->last_failover_id;
	f->deployment_id = d->id;
	f->group_id = d->groups[0]->id;
	f->kind = KIND_SENTINEL;
	f->cause = cause;
	f->epoch = 8;
	f->old_offset = f->stray_bytes = FACT_UNKNOWN;
	f->old_master_id = id_of(w, "10.0.0.1", 6379);
	f->new_master_id = id_of(w, "10.0.0.2", 6379);
	f->leader_id = id_of(w, "10.0.0.9", 26380);
	f->wall_ms = WALL + begin_ms - T0;
	snprintf(f->name, sizeof(f->name), "mymaster");
	snprintf(f->old_master, sizeof(f->old_master), "10.0.0.1:6379");
	snprintf(f->new_master, sizeof(f->new_master), "10.0.0.2:6379");
	snprintf(f->leader, sizeof(f->leader), "10.0.0.9:26380");
	return f;
}

static void step(struct failover_record *f, enum failover_step s, int64_t at_ms, int64_t spread_ms,
		 unsigned sources)
{
	f->step_ms[s] = at_ms;
	f->step_last_ms[s] = at_ms + spread_ms;
	f->step_sources[s] = (uint16_t)sources;
}

static void observer(struct failover_record *f, uint32_t id, int64_t sdown, int64_t odown, int64_t voted,
		     int64_t switched)
{
	*failover_observer_add(f) = (struct failover_observer){id, sdown, odown, voted, switched};
}

static void replica(struct world *w, struct failover_record *f, const char *host, int64_t sent, int64_t done)
{
	struct failover_replica *r = failover_replica_add(f);

	*r = (struct failover_replica){
	    .node_id = id_of(w, host, 6379), .offset = 5000, .link_up = 1, .sent_ms = sent, .done_ms = done};
	snprintf(r->addr, sizeof(r->addr), "%s:6379", host);
	f->replica_total++;
}

/* 10 s, of which 8 s without a master. */
static struct failover_record *crash_add(struct world *w, int64_t t)
{
	struct failover_record *f = record_add(w, CAUSE_CRASH, t);

	step(f, STEP_LAST_REPLY, t, 0, 1);
	step(f, STEP_LOST, t + 500, 0, 1);
	step(f, STEP_SDOWN, t + 5000, 1000, 3);
	step(f, STEP_ODOWN, t + 5100, 0, 3);
	step(f, STEP_TRY, t + 5100, 0, 1);
	step(f, STEP_ELECTED, t + 6000, 0, 1);
	step(f, STEP_SELECTED, t + 6100, 0, 1);
	step(f, STEP_PROMOTING, t + 6200, 0, 1);
	step(f, STEP_ROLE_MASTER, t + 8000, 0, 1);
	step(f, STEP_PROMOTED, t + 8100, 0, 1);
	step(f, STEP_SWITCHED, t + 8200, 1800, 3);
	step(f, STEP_SWITCHED_ALL, t + 10000, 0, 3);
	step(f, STEP_ENDED, t + 10000, 0, 1);
	observer(f, id_of(w, "10.0.0.9", 26379), t + 5000, t + 5100, t + 5100, t + 8200);
	observer(f, id_of(w, "10.0.0.9", 26380), t + 6000, 0, t + 6000, t + 10000);
	replica(w, f, "10.0.0.2", 0, 0);
	replica(w, f, "10.0.0.3", t + 8200, t + 9000);
	replica(w, f, "10.0.0.4", t + 9000, 0);
	f->phase = PHASE_ENDED;
	f->over = true;
	f->over_ms = t + 10000;
	return f;
}

/* 2 s, and both took writes for 10 s. */
static struct failover_record *manual_add(struct world *w, enum failover_cause cause, int64_t t)
{
	struct failover_record *f = record_add(w, cause, t);

	step(f, STEP_TRY, t, 0, 1);
	step(f, STEP_ELECTED, t + 10, 0, 1);
	step(f, STEP_ROLE_MASTER, t + 1000, 0, 1);
	step(f, STEP_SWITCHED, t + 1500, 500, 3);
	step(f, STEP_ENDED, t + 2000, 0, 1);
	f->demoted_ms = t + 11000;
	f->stray_bytes = 14800;
	f->phase = PHASE_ENDED;
	f->over = true;
	f->over_ms = t + 2000;
	if (cause == CAUSE_REDOUBT)
		snprintf(f->operator_name, sizeof(f->operator_name), "ann from 192.0.2.7");
	return f;
}

static struct failover_record *given_up_add(struct world *w, int64_t t)
{
	struct failover_record *f = record_add(w, CAUSE_CRASH, t);

	step(f, STEP_SDOWN, t, 0, 1);
	step(f, STEP_TRY, t + 100, 0, 1);
	step(f, STEP_ABORTED, t + 3100, 0, 1);
	snprintf(f->abort_reason, sizeof(f->abort_reason), "-failover-abort-no-good-slave");
	f->new_master_id = 0;
	f->new_master[0] = '\0';
	f->phase = PHASE_ABORTED;
	f->over = true;
	f->over_ms = t + 3100;
	return f;
}

static struct failover_record *running_add(struct world *w, int64_t t)
{
	struct failover_record *f = record_add(w, CAUSE_CRASH, t);

	step(f, STEP_LAST_REPLY, t, 0, 1);
	step(f, STEP_SDOWN, t + 5000, 0, 1);
	step(f, STEP_TRY, t + 5100, 0, 1);
	step(f, STEP_PROMOTING, t + 5200, 0, 1);
	f->phase = PHASE_PROMOTION;
	return f;
}

/* 100 s to have them in. */
static struct world failovers_world(void)
{
	struct world w = shown_set();

	w.now += 100000;
	model_tick(w.m, w.now, WALL + w.now - T0);
	return w;
}

static struct view *failovers_new(const struct view_context *c)
{
	struct view *v = view_new(&failovers_view);

	v->ops->rebuild(v, c);
	return v;
}

/* The column of the first of a character in a line behind its label and numbers. */
static int column_of(const char *line, char what)
{
	for (int x = 41; line[x] != '\0' && line[x] != '\n'; x++)
		if (line[x] == what)
			return x;
	return -1;
}

static void end(struct world *w, struct view *v)
{
	view_free(v);
	model_free(w->m);
}

static void test_every_size(void **state)
{
	static const int counts[] = {0, 1, 2, 300};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (int full = 0; full < 2; full++) {
			struct world w = failovers_world();
			struct view_context c;
			struct view *v;

			for (int n = 0; n < counts[i]; n++)
				if (n % 3 == 0)
					crash_add(&w, T0 + n);
				else if (n % 3 == 1)
					manual_add(&w, CAUSE_REDOUBT, T0 + n);
				else
					given_up_add(&w, T0 + n);
			if (counts[i] > 1)
				running_add(&w, w.now - 7000);
			c = context(&w);
			v = failovers_new(&c);
			if (full)
				v->ops->act(v, &c, CMD_ENTER);
			for (size_t k = 0; k < SIZES; k++)
				for (int ascii = 0; ascii < 2; ascii++) {
					v->ops->act(v, &c, k % 2 ? CMD_BOTTOM : CMD_TOP);
					free(draw_view(v, &c, sizes[k][0], sizes[k][1], ascii));
				}
			end(&w, v);
		}
}

static void test_list(void **state)
{
	struct world w = failovers_world();
	struct view_context c;
	struct view *v;
	char *text;

	(void)state;
	crash_add(&w, T0 + 1000);
	running_add(&w, w.now - 7000); /* not the newest by its number */
	manual_add(&w, CAUSE_REDOUBT, T0 + 30000);
	given_up_add(&w, T0 + 50000);
	crash_add(&w, T0 + 60000)->step_ms[STEP_ROLE_MASTER] += 1000;
	c = context(&w);
	v = failovers_new(&c);
	assert_int_equal(v->list.count, 5);
	assert_int_equal(v->list.ids[0], 2);
	assert_int_equal(v->list.ids[1], 5);
	assert_int_equal(v->list.ids[4], 1);
	text = draw_view(v, &c, 60, 200, false);
	/* Whoever never lost its master has no outage that would be the median. */
	assert_has(text, "5 failovers: 4 crash, 1 by redoubt; unwritable median 8.5 s, worst 9.0 s; "
			 "1 running; 1 given up");
	assert_has(line_with(text, "runs: promoting"), "runs: promoting 1.8 s");
	assert_has(line_with(text, "redoubt ann"), "10.0.0.1:6379 → 10.0.0.2:6379");
	assert_has(line_with(text, "redoubt ann"), "none");
	assert_has(line_with(text, "given up: no replica can be promoted"), "3.1 s");
	free(text);
	text = draw_view(v, &c, 24, 80, true);
	assert_has(text, "runs: promoting 1.8 s");
	assert_has(line_with(text, "10 s"), "10.0.0.1:6379");
	free(text);
	text = draw_view(v, &c, 10, 40, true);
	assert_has(text, "mymaster");
	free(text);
	end(&w, v);
}

static void test_one_clock(void **state)
{
	struct world w = failovers_world();
	struct view_context c;
	struct view *v;
	char *text;
	int begin, lost, sdown, writable, ended;

	(void)state;
	crash_add(&w, T0 + 1000);
	c = context(&w);
	v = failovers_new(&c);
	text = draw_view(v, &c, 60, 144, true);
	begin = column_of(line_with(text, "|last reply"), '|');
	lost = column_of(line_with(text, "|master lost"), '|');
	sdown = column_of(line_with(text, "|sdown"), '|');
	writable = column_of(line_with(text, "|writable"), '|');
	ended = column_of(line_with(text, "|ended  "), '|');
	/* 10 s, in proportion. */
	assert_true(begin > 40 && ended > begin + 80);
	assert_in_range(lost - begin, (ended - begin) / 20 - 1, (ended - begin) / 20 + 1);
	assert_in_range(sdown - begin, (ended - begin) / 2 - 1, (ended - begin) / 2 + 1);
	assert_in_range(writable - begin, (ended - begin) * 8 / 10 - 1, (ended - begin) * 8 / 10 + 1);
	/* A step begins where the one before it ended, and took that long. */
	assert_int_equal(column_of(line_with(text, "|sdown"), '='), lost);
	assert_has(line_with(text, "|sdown"), "5000    4500");
	/* The spread is dotted on. */
	assert_int_equal(column_of(line_with(text, "|sdown"), '.'), sdown + 1);
	/* The time without a master is a span of its own. */
	assert_has(line_with(text, "|no master"), "0    8000");
	assert_int_equal(column_of(line_with(text, "|no master"), '='), begin);
	assert_int_equal(column_of(line_with(text, "|no master"), '|'), writable);
	assert_has(text, "no writable master for 8.0 s (8000 ms)");
	assert_has(text, "led by 10.0.0.9:26380, epoch 8, 2 votes seen");
	/* Each Sentinel on a line of its own, on the same clock; what is at once stands side by side. */
	assert_int_equal(column_of(line_with(text, "|10.0.0.9:26379"), 'd'), sdown);
	assert_has(line_with(text, "|10.0.0.9:26379"), "dov");
	assert_int_equal(column_of(line_with(text, "|10.0.0.9:26380 led"), 'S'), ended);
	/* Each replica from being told until it follows. */
	assert_has(line_with(text, "|10.0.0.3:6379"), "8200     800");
	assert_has(line_with(text, "|10.0.0.4:6379"), "|..");
	free(text);
	end(&w, v);
}

static void test_two_masters(void **state)
{
	struct world w = failovers_world();
	struct view_context c;
	struct view *v;
	char *text;

	(void)state;
	manual_add(&w, CAUSE_REDOUBT, T0 + 1000);
	c = context(&w);
	v = failovers_new(&c);
	text = draw_view(v, &c, 40, 120, true);
	assert_has(line_with(text, "|two masters"), "1000   10000");
	assert_has(text, "15 kB written to the old master then: lost");
	assert_has(line_with(text, "|old demoted"), "11000");
	assert_has(text, "the old master answered all the time");
	assert_has(text, "asked for through this redoubt by ann from 192.0.2.7");
	assert_lacks(text, "|no master ");
	assert_lacks(text, "unwritable");
	free(text);
	end(&w, v);
}

/* What the probe felt is on the same clock; of what it did not see nothing is said. */
static void test_client(void **state)
{
	struct world w = failovers_world();
	struct failover_record *f = crash_add(&w, T0 + 1000);
	struct view_context c;
	struct view *v;
	char *text;

	(void)state;
	c = context(&w);
	v = failovers_new(&c);
	text = draw_view(v, &c, 60, 144, true);
	assert_lacks(text, "probe");
	free(text);
	f->client_probed = true;
	f->client_failed_ms = T0 + 1000 + 200;
	f->client_good_ms = T0 + 1000 + 8300;
	f->client_failed = 81;
	f->client_lost = 3;
	v->stale = true;
	text = draw_view(v, &c, 60, 144, true);
	assert_has(line_with(text, "|clients' outage"), "200    8100");
	assert_has(text, "81 writes of the probe failed");
	assert_has(text, "3 that were acknowledged are lost");
	free(text);
	end(&w, v);
}

static void test_given_up(void **state)
{
	struct world w = failovers_world();
	struct view_context c;
	struct view *v;
	char *text;

	(void)state;
	given_up_add(&w, T0 + 1000);
	c = context(&w);
	v = failovers_new(&c);
	text = draw_view(v, &c, 40, 120, true);
	assert_has(text, "given up: no replica can be promoted (-failover-abort-no-good-slave), after 3.1 s");
	assert_has(text, "10.0.0.1:6379 to nobody");
	assert_has(line_with(text, "|given up  "), "3100    3000");
	free(text);
	end(&w, v);
}

/* What still runs grows: its bar goes on to now. */
static void test_running(void **state)
{
	struct world w = failovers_world();
	struct view_context c;
	struct view *v;
	char *text;

	(void)state;
	running_add(&w, w.now - 7000);
	c = context(&w);
	v = failovers_new(&c);
	text = draw_view(v, &c, 40, 120, true);
	assert_has(line_with(text, "|now"), "7000    1800");
	assert_has(line_with(text, "|no master"), "0    7000");
	assert_has(text, "no writable master for 7.0 s, and it goes on");
	free(text);
	c.now_ms += 1000;
	v->stale = true;
	text = draw_view(v, &c, 40, 120, true);
	assert_has(line_with(text, "|now"), "8000    2800");
	free(text);
	end(&w, v);
}

static void test_selection(void **state)
{
	struct world w = failovers_world();
	struct selection s = {0, 0, 0};
	struct view_context c;
	struct view *v;
	char *text;

	(void)state;
	given_up_add(&w, T0 + 1000);
	crash_add(&w, T0 + 20000);
	c = context(&w);
	v = failovers_new(&c);
	assert_int_equal(failovers_view_selected(v), 2);
	/* Nobody has chosen yet: the newest is what one waits for. */
	manual_add(&w, CAUSE_MANUAL, T0 + 30000);
	v->ops->rebuild(v, &c);
	assert_int_equal(failovers_view_selected(v), 3);
	assert_int_equal(v->ops->act(v, &c, CMD_DOWN), EFFECT_REDRAW);
	assert_int_equal(v->ops->act(v, &c, CMD_DOWN), EFFECT_REDRAW);
	assert_true(v->stale); /* another time line */
	manual_add(&w, CAUSE_MANUAL, T0 + 40000);
	text = draw_view(v, &c, 40, 120, true);
	assert_int_equal(failovers_view_selected(v), 1);
	assert_has(text, "to nobody");
	free(text);
	v->ops->selection(v, &s);
	assert_int_equal(s.node_id, 0);
	assert_int_not_equal(s.group_id, 0);
	v->ops->act(v, &c, CMD_TOP);
	v->ops->rebuild(v, &c);
	v->ops->selection(v, &s);
	assert_int_equal(s.node_id, id_of(&w, "10.0.0.2", 6379));
	assert_int_equal(failovers_view_selected(v), 4);
	end(&w, v);
}

/* Alone it scrolls to its end and no further, and Esc goes back to the list. */
static void test_alone(void **state)
{
	struct world w = failovers_world();
	struct view_context c;
	struct view *v;
	char *text;

	(void)state;
	crash_add(&w, T0 + 1000);
	c = context(&w);
	v = failovers_new(&c);
	assert_int_equal(v->ops->act(v, &c, CMD_ENTER), EFFECT_REDRAW);
	text = draw_view(v, &c, 12, 80, true);
	assert_has(text, "10.0.0.1:6379 to 10.0.0.2:6379");
	assert_lacks(text, "10.0.0.4:6379");
	free(text);
	v->ops->act(v, &c, CMD_BOTTOM);
	text = draw_view(v, &c, 12, 80, true);
	assert_has(text, "10.0.0.4:6379");
	assert_lacks(text, "to 10.0.0.2:6379");
	free(text);
	assert_int_equal(v->ops->act(v, &c, CMD_DOWN), EFFECT_DONE);
	assert_int_equal(v->ops->act(v, &c, CMD_UP), EFFECT_REDRAW);
	assert_int_equal(v->ops->act(v, &c, CMD_BACK), EFFECT_REDRAW);
	text = draw_view(v, &c, 24, 80, true);
	assert_has(text, "1 failover: 1 crash");
	free(text);
	assert_int_equal(v->ops->act(v, &c, CMD_BACK), EFFECT_NONE);
	end(&w, v);
}

static void test_filter(void **state)
{
	struct world w = failovers_world();
	struct view_context c;
	struct view *v;
	char *text;

	(void)state;
	crash_add(&w, T0 + 1000);
	manual_add(&w, CAUSE_REDOUBT, T0 + 20000);
	given_up_add(&w, T0 + 40000);
	c = context(&w);
	v = failovers_new(&c);
	view_set_filter(v, "given up");
	text = draw_view(v, &c, 40, 120, true);
	assert_int_equal(v->list.count, 1);
	assert_has(text, "1 of 3");
	assert_has(text, "1 failover: 1 crash; 1 given up");
	free(text);
	view_set_filter(v, "192.0.2.7");
	v->ops->rebuild(v, &c);
	assert_int_equal(failovers_view_selected(v), 2);
	view_set_filter(v, "no such thing");
	text = draw_view(v, &c, 40, 120, true);
	assert_has(text, "nothing matches the filter");
	assert_int_equal(failovers_view_selected(v), 0);
	free(text);
	end(&w, v);
}

/* All deployments, which are named where there are several. */
static void test_several(void **state)
{
	struct world w = failovers_world();
	struct failover_record *f;
	struct view_context c;
	struct view *v;
	char *text;

	(void)state;
	crash_add(&w, T0 + 1000);
	target_host(&w, "10.9.0.1", 6379);
	link_state(&w, id_of(&w, "10.9.0.1", 6379), LINK_UP, NULL);
	shown_master(&w, id_of(&w, "10.9.0.1", 6379), "standalone", 77, 5000, "");
	f = crash_add(&w, T0 + 20000);
	f->deployment_id = model_node(w.m, id_of(&w, "10.9.0.1", 6379))->deployment_id;
	f->kind = KIND_REPLICATION;
	c = context(&w);
	v = failovers_new(&c);
	text = draw_view(v, &c, 40, 144, true);
	assert_int_equal(v->list.count, 2);
	assert_has(line_with(text, "deployment"), "master");
	assert_has(text, "10.9.0.1:6379 ");
	assert_has(text, "mymaster");
	free(text);
	end(&w, v);
}

/* Of a cluster only the address says which shard it was: it is never cut to where nothing is left. */
static void test_a_shard_is_told(void **state)
{
	struct world w = failovers_world();
	struct view_context c;
	struct view *v;
	char *text;

	(void)state;
	for (int running = 0; running < 2; running++) {
		struct failover_record *f = running ? running_add(&w, w.now - 7000) : crash_add(&w, T0);

		f->kind = KIND_CLUSTER;
		snprintf(f->old_master, sizeof(f->old_master), "127.0.0.1:7001");
		snprintf(f->new_master, sizeof(f->new_master), running ? "" : "127.0.0.1:7004");
	}
	c = context(&w);
	v = failovers_new(&c);
	text = draw_view(v, &c, 24, 80, false);
	assert_lacks(line_with(text, "● "), "mymaster");
	assert_has(line_with(text, "● "), "127.0.0.1:7001 → 127.0.0.1:7004");
	assert_has(line_with(text, "◐ "), ".1:7001 → runs: ");
	free(text);
	text = draw_view(v, &c, 24, 40, false);
	assert_has(line_with(text, "● "), "127.0.0.1:7001");
	free(text);
	end(&w, v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_shard_is_told),
	    cmocka_unit_test(test_every_size), cmocka_unit_test(test_list),
	    cmocka_unit_test(test_one_clock),  cmocka_unit_test(test_two_masters),
	    cmocka_unit_test(test_given_up),   cmocka_unit_test(test_running),
	    cmocka_unit_test(test_selection),  cmocka_unit_test(test_alone),
	    cmocka_unit_test(test_client),     cmocka_unit_test(test_filter),     cmocka_unit_test(test_several),
	};

	setenv("TZ", "UTC", 1);
	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
