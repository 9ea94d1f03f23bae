/* The client's eye: its facts in the model, and its writes at a real server. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "live.h"
#include "model/failovers.h"
#include "model/probe.h"
#include "model/slots.h"
#include "net/eye.h"
#include "net/eye_private.h"
#include "net/recording_entry.h"
#include "observe.h"
#include "run_until.h"

/* --- the model --------------------------------------------------------------------------------- */

static void probe(struct world *w, enum probe_news news, uint32_t group_id, int64_t failed_ms,
		  int64_t outage_failed, int64_t lost, const char *why)
{
	const struct probe_facts f = { .news = news,
				       .group_id = group_id,
				       .acknowledged = 100,
				       .failed = outage_failed,
				       .latency_us = 420,
				       .first_failed_ms = failed_ms,
				       .outage_failed = outage_failed,
				       .lost = lost };
	struct observation o = observe(w, ASK_PROBE, id_at(w, 7000));
	o.text = why;
	o.u.probe = &f;
	apply(w, &o);
}

/* The group of a plain set at port 7000. */
static uint32_t plain_world(struct world *w)
{
	*w = world_new();
	target(w, 7000);
	link_up(w, 7000);
	info_master(w, 7000, 1000, "");
	return group_of(w, 7000)->id;
}

static const struct event *last_event(const struct world *w)
{
	const struct event_log *log = model_events(w->m);
	return event_log_at(log, event_log_count(log) - 1);
}

static void test_outage(void **state)
{
	struct world w;
	char words[PROBE_WORDS_BYTES];
	uint32_t id = plain_world(&w);
	const struct group *g = model_group(w.m, id);
	(void)state;
	assert_null(probe_of(g));
	probe(&w, PROBE_ON, id, 0, 0, FACT_UNKNOWN, NULL);
	assert_int_equal(probe_text(g, w.now, words), HEALTH_OK);
	assert_string_equal(words, "writes ok 0.4 ms");
	w.now += 1000;
	probe(&w, PROBE_BROKE, id, w.now - 20, 1, FACT_UNKNOWN, "Connection refused");
	assert_int_equal(events_of(&w, EVENT_CLIENT_OUTAGE), 1);
	assert_int_equal(last_event(&w)->severity, SEVERITY_CRITICAL);
	assert_has(last_event(&w)->detail, "Connection refused");
	w.now += 3180;
	assert_int_equal(probe_text(g, w.now, words), HEALTH_CRITICAL);
	assert_string_equal(words, "NO WRITE for 3.2 s: Connection refused");
	struct verdict v;
	health_group(w.m, g, w.now, &v);
	assert_int_equal(v.health, HEALTH_CRITICAL);
	w.now += 2110;
	probe(&w, PROBE_MENDED, id, w.now - 5310, 52, 3, NULL);
	assert_int_equal(events_of(&w, EVENT_CLIENT_OUTAGE_OVER), 1);
	assert_string_equal(last_event(&w)->detail, "5.31 s, 52 writes failed, 3 acknowledged writes lost");
	assert_int_equal(last_event(&w)->severity, SEVERITY_WARNING);
	assert_null(probe_outage_now(g));
	assert_int_equal(g->probe->lost, 3);
	probe(&w, PROBE_OFF, id, 0, 0, FACT_UNKNOWN, NULL);
	assert_null(probe_of(g));
	assert_false(probe_is_on(only_deployment(&w)));
	world_end(&w);
}

static void test_outages_are_bounded(void **state)
{
	struct world w;
	uint32_t id = plain_world(&w);
	(void)state;
	for (int i = 0; i < PROBE_OUTAGES_MAX + 5; i++) {
		w.now += 1000;
		probe(&w, PROBE_BROKE, id, w.now, 1, FACT_UNKNOWN, "x");
		w.now += 100 + i;
		probe(&w, PROBE_MENDED, id, w.now - 100 - i, 1, 0, NULL);
	}
	const struct probe *p = model_group(w.m, id)->probe;
	assert_int_equal(p->outage_count, PROBE_OUTAGES_MAX);
	const struct probe_outage *last = &p->outages[PROBE_OUTAGES_MAX - 1];
	assert_int_equal(last->first_good_ms - last->first_failed_ms, 100 + PROBE_OUTAGES_MAX + 4);
	world_end(&w);
}

/* A loss without a failed write, and no write at all for want of a permission. */
static void test_missed_and_barred(void **state)
{
	struct world w;
	char words[PROBE_WORDS_BYTES];
	uint32_t id = plain_world(&w);
	const struct group *g = model_group(w.m, id);
	(void)state;
	probe(&w, PROBE_MISSED, id, 0, 0, 9, NULL);
	assert_string_equal(last_event(&w)->detail, "0 ms, no write failed, 9 acknowledged writes lost");
	probe(&w, PROBE_BARRED, id, 0, 0, FACT_UNKNOWN, "NOPERM no permissions to run set");
	assert_int_equal(probe_text(g, w.now, words), HEALTH_WARNING);
	assert_has(words, "NOPERM");
	assert_int_equal(events_of(&w, EVENT_CLIENT_OUTAGE), 0);
	world_end(&w);
}

static void test_recorded(void **state)
{
	struct world w;
	uint32_t id = plain_world(&w);
	struct entry_writer *out = entry_writer_new();
	struct entry_reader *in = entry_reader_new();
	struct buf bytes = BUF_INIT;
	struct entry e;
	const struct probe_facts f = { .news = PROBE_MENDED, .group_id = id, .acknowledged = 7,
				       .failed = 52, .latency_us = 400, .first_failed_ms = T0 - 5,
				       .outage_failed = 52, .lost = FACT_UNKNOWN };
	struct observation o = observe(&w, ASK_PROBE, id_at(&w, 7000));
	(void)state;
	o.sent_ms = 0;
	o.text = "why";
	o.u.probe = &f;
	assert_true(entry_put_observation(out, &o, NULL, &bytes));
	const char *at = bytes.data;
	assert_true(entry_get(in, &at, bytes.data + bytes.len, &e));
	assert_int_equal(e.obs.question, ASK_PROBE);
	assert_string_equal(e.obs.text, "why");
	assert_int_equal(e.obs.u.probe->news, PROBE_MENDED);
	assert_int_equal(e.obs.u.probe->group_id, id);
	assert_int_equal(e.obs.u.probe->acknowledged, 7);
	assert_int_equal(e.obs.u.probe->outage_failed, 52);
	assert_true(e.obs.u.probe->lost == FACT_UNKNOWN);
	assert_int_equal(e.obs.u.probe->first_failed_ms, T0 - 5);
	for (size_t cut = 0; cut < bytes.len; cut++) {
		entry_reader_restart(in);
		at = bytes.data;
		assert_false(entry_get(in, &at, bytes.data + cut, &e));
	}
	buf_free(&bytes);
	entry_writer_free(out);
	entry_reader_free(in);
	world_end(&w);
}

/* --- at a server ------------------------------------------------------------------------------- */

struct stage {
	struct ev_loop *loop;
	struct world w;
	struct credentials *credentials;
	struct net_profile profile;
	struct eye *eye;
	bool may;
	struct live_server server;
	unsigned news[PROBE_BARRED + 1];
	struct probe_facts last;
	int64_t lost;   /* the most that was said to be lost */
	char why[200];
};

static void on_probe(const struct observation *obs, void *owner)
{
	struct stage *s = owner;
	s->news[obs->u.probe->news]++;
	s->last = *obs->u.probe;
	if (s->last.lost > s->lost)
		s->lost = s->last.lost;
	snprintf(s->why, sizeof(s->why), "%s", obs->text != NULL ? obs->text : "");
	model_apply(s->w.m, obs);
}

static bool may_write(uint32_t deployment_id, void *owner)
{
	(void)deployment_id;
	return ((struct stage *)owner)->may;
}

static void open_stage(struct stage *s)
{
	memset(s, 0, sizeof(*s));
	live_start(&s->server, (const char *const[]){ NULL });
	s->may = true;
	s->loop = ev_loop_new(0);
	s->w = world_new();
	target(&s->w, s->server.port);
	link_up(&s->w, s->server.port);
	info_master(&s->w, s->server.port, 1000, "");
	s->profile.credentials = s->credentials = credentials_new();
	const struct eye_config config = { .loop = s->loop, .model = s->w.m, .profiles = &s->profile,
					   .profile_count = 1, .sink = on_probe,
					   .may_write = may_write, .owner = s };
	s->eye = eye_new(&config);
}

static void close_stage(struct stage *s)
{
	eye_free(s->eye);
	credentials_free(s->credentials);
	ev_loop_destroy(s->loop);
	world_end(&s->w);
	live_stop(&s->server);
}

static void print_news(const struct stage *s)
{
	for (unsigned i = 0; i <= PROBE_BARRED; i++)
		print_message("news %u: %u\n", i, s->news[i]);
	print_message("%s\n", s->why);
}

#define RUN_UNTIL(s, condition) RUN_LOOP_UNTIL((s)->loop, condition, print_news(s))

/* On a busy machine a write may be late and an outage of its own: waits until that is over. Returns
 * how many there have been. */
static unsigned writes_are_well(struct stage *s)
{
	int64_t acknowledged = s->last.acknowledged;

	RUN_UNTIL(s, s->news[PROBE_MENDED] == s->news[PROBE_BROKE] &&
			     s->last.acknowledged > acknowledged);
	return s->news[PROBE_BROKE];
}

static long number_of(uint16_t port, const char *command)
{
	char reply[200];
	live_command(port, command, reply, sizeof(reply));
	return reply[0] == ':' ? strtol(reply + 1, NULL, 10) : -1;
}

static void test_writes(void **state)
{
	struct stage s;
	char reply[400];
	(void)state;
	if (!live_available())
		skip();
	open_stage(&s);
	uint16_t port = s.server.port;
	uint32_t d = only_deployment(&s.w)->id;
	assert_int_equal(number_of(port, "DBSIZE"), 0);
	assert_false(eye_is_on(s.eye, d));
	eye_set(s.eye, d, true);
	RUN_UNTIL(&s, s.news[PROBE_SUMMARY] >= 1 && s.last.acknowledged >= 5);
	if (s.news[PROBE_BROKE] == 0)
		assert_int_equal(s.last.failed, 0);
	assert_true(s.last.latency_us > 0);
	assert_int_equal(number_of(port, "DBSIZE"), 1);
	live_command(port, "KEYS redoubt:probe:*", reply, sizeof(reply));
	assert_has(reply, "redoubt:probe:");
	/* Refused while the server is well: too few replicas. */
	bool refused = false;
	for (unsigned tries = 0; !refused; tries++) {
		assert_true(tries < 20);
		unsigned broke = writes_are_well(&s);
		live_command(port, "CONFIG SET min-replicas-to-write 3", reply, sizeof(reply));
		RUN_UNTIL(&s, s.news[PROBE_BROKE] > broke);
		refused = strstr(s.why, "NOREPLICAS") != NULL;
		RUN_UNTIL(&s, s.last.outage_failed >= 5);
		live_command(port, "CONFIG SET min-replicas-to-write 0", reply, sizeof(reply));
	}
	writes_are_well(&s);
	assert_int_equal(s.lost, 0);
	/* What was acknowledged is gone at the next connection. */
	live_command(port, "FLUSHALL", reply, sizeof(reply));
	live_command(port, "CLIENT KILL TYPE normal SKIPME yes", reply, sizeof(reply));
	RUN_UNTIL(&s, s.lost >= 1);
	/* Off: the key is taken away, and there is no connection. */
	eye_set(s.eye, d, false);
	assert_int_equal(s.news[PROBE_OFF], 1);
	RUN_UNTIL(&s, number_of(port, "DBSIZE") == 0);
	close_stage(&s);
}

static void test_may_not_write(void **state)
{
	struct stage s;
	char reply[200];
	(void)state;
	if (!live_available())
		skip();
	open_stage(&s);
	s.may = false;
	eye_set_all(s.eye);
	eye_set(s.eye, only_deployment(&s.w)->id, true);
	assert_false(eye_is_on(s.eye, only_deployment(&s.w)->id));
	assert_int_equal(s.news[PROBE_ON], 0);
	s.may = true;
	live_command(s.server.port, "ACL SETUSER default -set", reply, sizeof(reply));
	eye_follow(s.eye);
	RUN_UNTIL(&s, s.news[PROBE_BARRED] == 1);
	assert_has(s.why, "NOPERM");
	assert_int_equal(s.news[PROBE_BROKE], 0);
	assert_true(eye_settled(s.eye));
	close_stage(&s);
}

/* A server that hangs: each write has its own short deadline. */
static void test_hangs_and_dies(void **state)
{
	struct stage s;
	(void)state;
	if (!live_available())
		skip();
	open_stage(&s);
	int64_t begun_ms = clock_mono_ms();
	eye_set_all(s.eye);
	RUN_UNTIL(&s, s.news[PROBE_ON] == 2);
	unsigned broke = writes_are_well(&s);
	kill(s.server.pid, SIGSTOP);
	RUN_UNTIL(&s, s.news[PROBE_BROKE] == broke + 1);
	/* The outage begins when the write did, and not when it was given up. */
	assert_true(s.last.first_failed_ms <= clock_mono_ms() - EYE_DEADLINE_MS + 1);
	assert_true(s.last.first_failed_ms >= begun_ms);
	assert_has(s.why, "no reply");
	kill(s.server.pid, SIGCONT);
	broke = writes_are_well(&s);
	assert_int_equal(s.lost, 0);
	kill(s.server.pid, SIGKILL);
	RUN_UNTIL(&s, s.news[PROBE_BROKE] > broke);
	RUN_UNTIL(&s, s.last.outage_failed >= 3);
	close_stage(&s);
}

/* A shard of one slot: its key is made, not searched for. */
static void a_key_in_every_slot(void **state)
{
	char key[KEY_BYTES], other[KEY_BYTES];
	(void)state;
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
		uint64_t n = slot * UINT64_C(0x9e3779b97f4a7c15);
		assert_true(eye_key_in_slot(key, n, slot));
		assert_int_equal(slot_of_key(key, strlen(key)), slot);
		assert_int_equal(strncmp(key, "redoubt:probe:{", 15), 0);
	}
	assert_true(eye_key_in_slot(key, 1, 4711) && eye_key_in_slot(other, 2, 4711));
	assert_string_not_equal(key, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outage),
		cmocka_unit_test(test_outages_are_bounded),
		cmocka_unit_test(test_missed_and_barred),
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_writes),
		cmocka_unit_test(test_may_not_write),
		cmocka_unit_test(test_hangs_and_dies),
		cmocka_unit_test(a_key_in_every_slot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
