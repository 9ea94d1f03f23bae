/* Recordings: what was recorded is what is replayed, wherever one jumps to; a file that is cut or
 * damaged plays up to there; and no secret is in it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "captured.h"

#include "base/clock.h"
#include "base/mem.h"
#include "model/state.h"
#include "net/credentials.h"
#include "net/player.h"
#include "net/recorder.h"
#include "net/recording.h"
#include "net/recording_delta.h"
#include "net/recording_entry.h"

#define T0     5000000LL
#define WALL   1795170667120LL
#define SECRET "hunter2-and-more"

static char folder[64];

static const char *path_of(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static struct buf file_bytes(const char *path)
{
	struct buf bytes = BUF_INIT;
	char piece[8192];
	size_t len;
	FILE *f = fopen(path, "rb");

	if (!f)
		fail_msg("%s cannot be read", path);
	while ((len = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(&bytes, piece, len);
	fclose(f);
	return bytes;
}

static void put_file(const char *path, const char *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* --- a run that is recorded ------------------------------------------------------------------- */

struct run {
	struct model *m;
	struct recorder *r;
	struct parser *parser;
	struct reply_reader *reader;
	struct credentials *credentials;
	const struct credentials *secrets[1];
	int64_t now, wall;
	size_t given;      /* observations and ticks */
	unsigned beat;
};

static struct recorder *open_recorder(struct run *run, const char *path, int64_t max, struct buf *err)
{
	const struct recorder_config c = { .path = path,
					   .max_bytes = max,
					   .secrets = run->secrets,
					   .secret_count = 1,
					   .version = "1.2.3",
					   .operator_name = "tester" };

	return recorder_open(&c, err);
}

static void run_begin(struct run *run, const char *path, int64_t max)
{
	struct buf err = BUF_INIT;

	*run = (struct run){ .m = model_new(EVENT_RING_DEFAULT), .parser = parser_new(),
			     .reader = reader_new(), .credentials = credentials_new(),
			     .now = T0, .wall = WALL };
	credentials_set(run->credentials, CREDENTIAL_DATA, NULL, SECRET);
	run->secrets[0] = run->credentials;
	run->r = open_recorder(run, path, max, &err);
	if (!run->r)
		fail_msg("%s: %s", path, buf_str(&err));
	recorder_interval(run->r, 1000, run->now);
	model_set_interval(run->m, 1000);
	buf_free(&err);
}

static void give(struct run *run, const struct observation *obs)
{
	recorder_add(run->r, run->m, obs);
	model_apply(run->m, obs);
	run->given++;
}

static struct observation asked(const struct run *run, enum question q, uint32_t node)
{
	return (struct observation){ .question = q, .node_id = node, .sent_ms = run->now - 1,
				     .recv_ms = run->now, .wall_ms = run->wall,
				     .rtt_us = 900 + (int32_t)(run->beat % 7) };
}

/* A reply in RESP, as it came. */
static void answer(struct run *run, enum question q, uint32_t node, const char *arg,
		   const char *bytes, size_t len)
{
	struct observation obs = asked(run, q, node);
	const struct reply *reply;

	reader_feed(run->reader, bytes, len);
	assert_int_equal(reader_next(run->reader, &reply), 1);
	obs.arg = arg;
	if (q == ASK_MESSAGE)
		obs.sent_ms = 0;
	obs.raw = reply;
	parse_reply(run->parser, reply, &obs);
	give(run, &obs);
}

static void answer_line(struct run *run, enum question q, uint32_t node, const char *arg,
			const char *line)
{
	answer(run, q, node, arg, line, strlen(line));
}

static void answer_text(struct run *run, enum question q, uint32_t node, const char *text)
{
	struct buf bytes = BUF_INIT;

	buf_addf(&bytes, "$%zu\r\n%s\r\n", strlen(text), text);
	answer(run, q, node, NULL, bytes.data, bytes.len);
	buf_free(&bytes);
}

static void message(struct run *run, uint32_t node, const char *channel, const char *payload)
{
	struct buf bytes = BUF_INIT;

	buf_addf(&bytes, "*3\r\n$7\r\nmessage\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n", strlen(channel), channel,
		 strlen(payload), payload);
	answer(run, ASK_MESSAGE, node, NULL, bytes.data, bytes.len);
	buf_free(&bytes);
}

static void target(struct run *run, int port)
{
	struct target_facts facts = { .name = "prod" };
	struct observation obs = asked(run, ASK_TARGET, 0);

	endpoint_set(&facts.addr, "127.0.0.1", 9, port);
	obs.u.target = &facts;
	give(run, &obs);
}

static void link_state(struct run *run, uint32_t node, bool events, enum link_state state,
		       const char *why)
{
	struct link_facts facts = { .state = state, .events = events };
	struct observation obs = asked(run, ASK_LINK, node);

	obs.sent_ms = 0;
	obs.text = why;
	obs.u.link = &facts;
	give(run, &obs);
}

static void tick(struct run *run, int64_t forward_ms)
{
	run->now += forward_ms;
	run->wall += forward_ms;
	recorder_tick(run->r, run->m, run->now, run->wall);
	model_tick(run->m, run->now, run->wall);
	run->given++;
}

static void info(struct run *run, uint32_t node, const char *mode, int run_id, const char *more)
{
	struct buf text = BUF_INIT;

	buf_addf(&text,
		 "# Server\r\nredis_version:7.0.15\r\nredis_mode:%s\r\nrun_id:%040d\r\n"
		 "uptime_in_seconds:%u\r\n# Memory\r\nused_memory:%u\r\n# Stats\r\n"
		 "total_net_input_bytes:%u\r\ninstantaneous_ops_per_sec:%u\r\n%s",
		 mode, run_id, run->beat, 1000000 + run->beat * 37 % 5000, run->beat * 1013,
		 run->beat * 7 % 120, more);
	answer_text(run, ASK_INFO, node, text.data);
	buf_free(&text);
}

/* A second of a master with a replica, which is lost now and then, and of their Sentinel. */
static void second(struct run *run)
{
	char more[300];
	unsigned beat = ++run->beat;

	snprintf(more, sizeof(more),
		 "# Replication\r\nrole:master\r\nconnected_slaves:1\r\n"
		 "slave0:ip=127.0.0.1,port=6380,state=online,offset=%u,lag=0\r\n"
		 "master_repl_offset:%u\r\nrepl_backlog_active:1\r\n", beat * 100, beat * 101);
	info(run, 1, "standalone", 1, more);
	if (beat % 50 == 7)
		message(run, 2, "+sdown", "master mymaster 127.0.0.1 6379");
	if (beat % 50 == 8)
		message(run, 2, "-sdown", "master mymaster 127.0.0.1 6379");
	if (beat % 40 == 11)
		link_state(run, 1, false, LINK_LOST, "connection reset by peer");
	if (beat % 40 == 14)
		link_state(run, 1, false, LINK_UP, NULL);
	for (int i = 0; i < 5; i++)
		tick(run, 200 + (int)(beat % 3));
	info(run, 2, "sentinel", 2, "# Sentinel\r\nsentinel_masters:1\r\nsentinel_tilt:0\r\n");
	if (beat % 60 == 30) {
		struct observation late = asked(run, ASK_ROLE, 1);
		late.answer = ANSWER_TIMEOUT;
		late.text = "no reply in time";
		give(run, &late);
	}
}

static void begin_world(struct run *run)
{
	target(run, 6379);
	target(run, 26379);
	link_state(run, 1, false, LINK_UP, NULL);
	link_state(run, 2, false, LINK_UP, NULL);
	link_state(run, 2, true, LINK_UP, NULL);
}

/* Closes the recording; the model is left for comparison. */
static void run_close(struct run *run)
{
	recorder_flush(run->r, run->m);
	recorder_close(run->r, 10000);
	run->r = NULL;
}

static void run_end(struct run *run)
{
	if (run->r)
		run_close(run);
	model_free(run->m);
	parser_free(run->parser);
	reader_free(run->reader);
	credentials_free(run->credentials);
}

static void record_seconds(struct run *run, const char *path, unsigned seconds)
{
	run_begin(run, path, 0);
	begin_world(run);
	for (unsigned i = 0; i < seconds; i++)
		second(run);
	run_close(run);
}

/* --- a replay --------------------------------------------------------------------------------- */

struct replay {
	struct player *p;
	struct model *m;
	int64_t interval;
	size_t given;
	uint64_t sum;      /* of all that was given, in order */
	uint64_t *sums;    /* after each entry, for comparison; or NULL */
	size_t sum_cap;
};

static void add_sum(struct replay *r, uint64_t value)
{
	r->sum = (r->sum ^ value) * 0x9fb21c651e98df25u;
	r->sum ^= r->sum >> 29;
}

static unsigned on_observe(const struct observation *obs, void *owner)
{
	struct replay *r = owner;

	add_sum(r, (uint64_t)obs->recv_ms);
	add_sum(r, obs->question * 100u + (unsigned)obs->answer);
	add_sum(r, obs->node_id);
	add_sum(r, (uint64_t)obs->rtt_us);
	add_sum(r, (uint64_t)obs->sent_ms);
	for (const char *s = obs->text; s && *s; s++)
		add_sum(r, (unsigned char)*s);
	if (obs->raw)
		add_sum(r, obs->raw->len);
	if (r->sums && r->given < r->sum_cap)
		r->sums[r->given] = r->sum;
	r->given++;
	return r->m ? model_apply(r->m, obs) : 0;
}

static void on_replay_tick(int64_t now_ms, int64_t wall_ms, void *owner)
{
	struct replay *r = owner;

	add_sum(r, (uint64_t)now_ms);
	add_sum(r, (uint64_t)wall_ms);
	if (r->sums && r->given < r->sum_cap)
		r->sums[r->given] = r->sum;
	r->given++;
	if (r->m)
		model_tick(r->m, now_ms, wall_ms);
}

static void on_interval(int64_t interval_ms, void *owner)
{
	struct replay *r = owner;

	r->interval = interval_ms;
	if (r->m)
		model_set_interval(r->m, interval_ms);
}

static struct player_sink sink_of(struct replay *r)
{
	return (struct player_sink){ on_observe, on_replay_tick, on_interval, r };
}

static void replay_seek(struct replay *r, int64_t at_ms)
{
	struct buf err = BUF_INIT;

	model_free(r->m);
	r->m = player_seek(r->p, at_ms, &err);
	if (!r->m)
		fail_msg("seek: %s", buf_str(&err));
	buf_free(&err);
}

static struct replay replay_open(const char *path)
{
	struct buf err = BUF_INIT;
	struct replay r = { .p = player_open(path, &err) };

	if (!r.p)
		fail_msg("%s: %s", path, buf_str(&err));
	replay_seek(&r, player_begin_ms(r.p));
	buf_free(&err);
	return r;
}

static bool advance(struct replay *r, int64_t at_ms, int64_t budget_us)
{
	const struct player_sink sink = sink_of(r);

	return player_advance(r->p, at_ms, budget_us, &sink);
}

static void replay_close(struct replay *r)
{
	model_free(r->m);
	player_free(r->p);
	free(r->sums);
}

static struct buf model_bytes(const struct model *m)
{
	struct buf out = BUF_INIT;

	model_save(m, &out);
	event_log_save(model_events(m), 0, &out);
	return out;
}

static void assert_same_model(const struct model *a, const struct model *b)
{
	struct buf x = model_bytes(a), y = model_bytes(b);

	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.data, y.data, x.len);
	buf_free(&x);
	buf_free(&y);
}

/* --- line deltas ------------------------------------------------------------------------------- */

static size_t assert_delta(const char *before, size_t before_len, const char *now, size_t now_len)
{
	struct buf delta = BUF_INIT, back = BUF_INIT;
	size_t len;

	line_delta_make(before, before_len, now, now_len, &delta);
	assert_true(line_delta_apply(before, before_len, delta.data, delta.len, now_len, &back));
	assert_int_equal(back.len, now_len);
	assert_memory_equal(buf_str(&back), now, now_len);
	if (now_len > 0) {
		buf_reset(&back);
		assert_false(
		    line_delta_apply(before, before_len, delta.data, delta.len, now_len - 1, &back));
	}
	for (size_t cut = 0; cut < delta.len; cut++) {
		buf_reset(&back);
		if (line_delta_apply(before, before_len, delta.data, cut, 1 << 20, &back))
			assert_true(back.len < now_len || cut == delta.len);
	}
	len = delta.len;
	buf_free(&delta);
	buf_free(&back);
	return len;
}

static void deltas(void **state)
{
	static const char *const texts[] = {
		"", "\n", "a", "a\n", "a:1\r\nb:2\r\nc:3\r\n", "a:1\r\nb:999\r\nc:3\r\n",
		"a:1\r\nb:1000\r\nc:3\r\n", "a:1\r\nc:3\r\n", "a:1\r\nb:2\r\nx\r\ny\r\nc:3\r\n",
		"t:0.099999\r\n", "t:0.100000\r\n", "t:1.000001\r\n", "n:007\r\n", "n:8\r\n",
		"n:0\r\n", "n:00\r\n", "n:-5\r\n", "n:-17\r\n", "n:999999999999999999\r\n",
		"n:1000000000000000000\r\n", "n:99999999999999999999999\r\n", "a1b22c333", "a2b1c10",
		"no newline", "no newlinf", "12", "13", "1\n2\n3\n4\n5\n", "5\n4\n3\n2\n1\n",
	};
	const size_t count = sizeof(texts) / sizeof(texts[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < count; k++)
			assert_delta(texts[i], strlen(texts[i]), texts[k], strlen(texts[k]));
	/* Other numbers in the same lines cost little more than the numbers. */
	assert_true(assert_delta("a:1\r\nb:25\r\nc:3\r\n", 15, "a:1\r\nb:26\r\nc:3\r\n", 15) <= 4);
}

/* Lines that are changed, doubled, moved and lost at random. */
static void deltas_of_noise(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct buf a = BUF_INIT, b = BUF_INIT;

		for (int line = 0; line < 60; line++) {
			char text[80];
			int kind;

			seed = seed * 1103515245u + 12345u;
			kind = (int)(seed >> 16 & 15);
			snprintf(text, sizeof(text), "field%d:%u,x=%u.%03u\r\n", line, seed >> 10 & 1023,
				 seed >> 5 & 15, seed >> 7 & 511);
			if (kind != 1)
				buf_addstr(&a, text);
			if (kind == 2)
				snprintf(text, sizeof(text), "field%d:%u,x=%u.%03u\r\n", line, seed >> 3 & 4095,
					 seed >> 15 & 31, seed >> 17 & 511);
			if (kind == 3)
				snprintf(text, sizeof(text), "other %u\n", seed);
			if (kind != 4)
				buf_addstr(&b, text);
			if (kind == 5)
				buf_addstr(&b, text);
		}
		assert_delta(buf_str(&a), a.len, buf_str(&b), b.len);
		buf_free(&a);
		buf_free(&b);
	}
}

/* --- heads and numbers -------------------------------------------------------------------------- */

static void numbers(void **state)
{
	static const int64_t values[] = { 0, 1, -1, 63, 64, -64, -65, 300, INT64_MAX, INT64_MIN };
	struct buf out = BUF_INIT;
	const char *at, *end;
	int64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		varint_put_signed(&out, values[i]);
	at = out.data;
	end = at + out.len;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_true(varint_get_signed(&at, end, &value));
		assert_int_equal(value, values[i]);
	}
	assert_false(varint_get_signed(&at, end, &value));
	at = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
	assert_false(varint_get_signed(&at, at + 10, &value));
	buf_free(&out);
}

static void heads(void **state)
{
	const struct chunk_head h = { .type = CHUNK_ENTRIES, .new_stream = true, .bytes = 77,
				      .raw_bytes = 99, .first_ms = T0, .span_ms = 900,
				      .wall_ms = WALL, .check = 0x0123456789abcdefu };
	struct chunk_head back;
	struct buf out = BUF_INIT;
	uint32_t format;

	(void)state;
	chunk_head_put(&h, &out);
	assert_int_equal(out.len, CHUNK_HEAD_BYTES);
	assert_true(chunk_head_get(&back, out.data));
	assert_memory_equal(&back.check, &h.check, 8);
	assert_true(back.new_stream && !back.difference && back.bytes == 77 && back.raw_bytes == 99 &&
		    back.first_ms == T0 && back.span_ms == 900 && back.wall_ms == WALL);
	for (size_t bit = 0; bit < 8 * CHUNK_HEAD_BYTES; bit++) {
		out.data[bit / 8] = (char)(out.data[bit / 8] ^ 1 << bit % 8);
		assert_false(chunk_head_get(&back, out.data));
		out.data[bit / 8] = (char)(out.data[bit / 8] ^ 1 << bit % 8);
	}
	buf_reset(&out);
	recording_put_head(&out);
	for (size_t len = 0; len <= out.len; len++)
		assert_int_equal(recording_judge_head(out.data, len, &format),
				 len < out.len ? RECORDING_SHORT : RECORDING_GOOD);
	out.data[16]++;
	assert_int_equal(recording_judge_head(out.data, out.len, &format), RECORDING_LATER);
	assert_int_equal(format, RECORDING_FORMAT + 1);
	assert_int_equal(recording_judge_head("#!/bin/sh\necho hello; exit", 20, &format),
			 RECORDING_FOREIGN);
	buf_free(&out);
}

/* --- the whole way ----------------------------------------------------------------------------- */

static void replayed_as_recorded(void **state)
{
	struct run run;
	struct replay r;
	struct stat st;

	(void)state;
	umask(0);
	record_seconds(&run, path_of("whole"), 200);
	assert_int_equal(stat(path_of("whole"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	r = replay_open(path_of("whole"));
	assert_string_equal(player_damage(r.p), "");
	assert_string_equal(player_version(r.p), "1.2.3");
	assert_int_equal(player_begin_ms(r.p), T0);
	assert_int_equal(player_end_ms(r.p), run.now);
	assert_true(advance(&r, player_end_ms(r.p), 0));
	assert_int_equal(r.given, run.given);
	assert_int_equal(r.interval, 1000);
	assert_same_model(run.m, r.m);
	assert_int_equal(player_now_ms(r.p), run.now);
	assert_true(event_log_count(model_events(r.m)) > 8);
	assert_int_equal(player_mark_count(r.p), event_log_count(model_events(r.m)));
	for (size_t i = 0; i < player_mark_count(r.p); i++) {
		const struct event *e = event_log_at(model_events(r.m), i);
		const struct player_mark *mark = player_mark_at(r.p, i);

		assert_true(mark->at_ms == e->mono_ms && mark->seq == e->seq && mark->kind == e->kind &&
			    mark->severity == e->severity);
	}
	assert_null(player_mark_at(r.p, player_mark_count(r.p)));
	replay_close(&r);
	run_end(&run);
}

/* From each key frame on, forwards and backwards, in pieces as small as they get. */
static void jumps(void **state)
{
	struct run run;
	struct replay straight, jumping;

	(void)state;
	record_seconds(&run, path_of("jumps"), 760); /* more than ten key frames: two whole ones */
	straight = replay_open(path_of("jumps"));
	jumping = replay_open(path_of("jumps"));
	for (int64_t at = T0 + 1234; at < run.now; at += 47011) {
		size_t pieces = 1;
		assert_true(advance(&straight, at, 0));
		/* Far ahead first: what follows is backwards. */
		replay_seek(&jumping, run.now - 1000);
		assert_true(advance(&jumping, run.now, 0));
		assert_same_model(run.m, jumping.m);
		assert_false(player_can_advance(jumping.p, at));
		replay_seek(&jumping, at);
		assert_true(player_now_ms(jumping.p) <= at &&
			    player_now_ms(jumping.p) > at - RECORDER_KEY_FRAME_MS - 2000);
		assert_true(player_can_advance(jumping.p, at));
		while (!advance(&jumping, at, 1))
			pieces++;
		assert_true(pieces > 1);
		assert_same_model(straight.m, jumping.m);
	}
	assert_false(player_can_advance(straight.p, T0));
	assert_true(player_can_advance(straight.p, run.now));
	/* Before the begin is the begin. */
	replay_seek(&jumping, 0);
	assert_int_equal(player_now_ms(jumping.p), T0);
	replay_close(&straight);
	replay_close(&jumping);
	run_end(&run);
}

static void wall_clock_that_is_set(void **state)
{
	struct run run;
	struct replay r;
	int64_t set_at, set_wall;

	(void)state;
	run_begin(&run, path_of("wall"), 0);
	begin_world(&run);
	for (int i = 0; i < 20; i++)
		second(&run);
	set_at = run.now;
	run.wall += 3600000;
	set_wall = run.wall;
	for (int i = 0; i < 20; i++)
		second(&run);
	run_close(&run);
	r = replay_open(path_of("wall"));
	assert_int_equal(player_wall_ms(r.p, T0), WALL);
	assert_int_equal(player_wall_ms(r.p, T0 + 5000), WALL + 5000);
	assert_int_equal(player_wall_ms(r.p, run.now), run.wall);
	assert_int_equal(player_at_wall(r.p, WALL + 5000), T0 + 5000);
	assert_int_equal(player_at_wall(r.p, set_wall + 5000), set_at + 5000);
	assert_int_equal(player_at_wall(r.p, 0), T0);
	assert_int_equal(player_at_wall(r.p, INT64_MAX / 2), run.now);
	assert_true(advance(&r, run.now, 0));
	assert_same_model(run.m, r.m);
	replay_close(&r);
	run_end(&run);
}

static void an_interval_that_changes(void **state)
{
	struct run run;
	struct replay r;

	(void)state;
	run_begin(&run, path_of("interval"), 0);
	begin_world(&run);
	for (int i = 0; i < 10; i++)
		second(&run);
	recorder_interval(run.r, 5000, run.now);
	model_set_interval(run.m, 5000);
	for (int i = 0; i < 100; i++)
		second(&run);
	run_close(&run);
	r = replay_open(path_of("interval"));
	assert_true(advance(&r, T0 + 5000, 0));
	assert_int_equal(r.interval, 1000);
	assert_true(advance(&r, run.now, 0));
	assert_int_equal(r.interval, 5000);
	assert_same_model(run.m, r.m);
	/* Known from a key frame on as well. */
	r.interval = 0;
	replay_seek(&r, run.now);
	assert_true(advance(&r, run.now, 0));
	assert_int_equal(r.interval, 5000);
	assert_same_model(run.m, r.m);
	replay_close(&r);
	run_end(&run);
}

static void everything_that_has_no_reply(void **state)
{
	struct run run;
	struct replay r;
	struct action_facts action = { .action_id = 3, .stage = ACTION_SENT, .name = "failover",
				       .subject = "mymaster", .command = "SENTINEL FAILOVER mymaster",
				       .operator_name = "ann from 10.0.0.1", .outcome = "sent" };
	struct observation obs;

	(void)state;
	run_begin(&run, path_of("facts"), 0);
	begin_world(&run);
	for (int i = 0; i < 3; i++)
		second(&run);
	for (enum action_stage s = ACTION_SENT; s <= ACTION_UNKNOWN; s++) {
		obs = asked(&run, ASK_ACTION, 1);
		obs.sent_ms = 0;
		action.stage = s;
		obs.u.action = &action;
		give(&run, &obs);
		tick(&run, 200);
	}
	for (enum link_state s = LINK_NONE; s <= LINK_PROTOCOL; s++) {
		link_state(&run, 1, false, s, s == LINK_UP ? NULL : "because \\x1b of it");
		tick(&run, 200);
	}
	for (enum answer a = ANSWER_REFUSED; a <= ANSWER_LOST; a++) {
		obs = asked(&run, ASK_SENTINEL_REPLICAS, 2);
		obs.answer = a;
		obs.arg = "mymaster";
		obs.error = a == ANSWER_REFUSED ? ERROR_NOPERM : ERROR_NONE;
		obs.text = "no";
		give(&run, &obs);
	}
	run_close(&run);
	r = replay_open(path_of("facts"));
	assert_true(advance(&r, run.now, 0));
	assert_int_equal(r.given, run.given);
	assert_same_model(run.m, r.m);
	replay_close(&r);
	run_end(&run);
}

/* --- damage ------------------------------------------------------------------------------------ */

/* Plays all there is. Each entry must be the one of the whole recording: a prefix. */
static size_t play_prefix(const char *path, const uint64_t *sums, size_t count, bool *damaged)
{
	struct buf err = BUF_INIT;
	struct replay r = { .p = player_open(path, &err) };
	size_t given;

	if (!r.p) {
		assert_true(err.len > 0);
		buf_free(&err);
		*damaged = true;
		return 0;
	}
	r.m = player_seek(r.p, player_begin_ms(r.p), &err);
	if (r.m) {
		r.sums = mem_alloc((count + 1) * sizeof(*r.sums));
		r.sum_cap = count + 1;
		assert_true(advance(&r, INT64_MAX, 0));
	}
	given = r.given;
	assert_true(given <= count);
	for (size_t i = 0; i < given; i++)
		assert_int_equal(r.sums[i], sums[i]);
	*damaged = player_damage(r.p)[0] != '\0';
	assert_true(player_end_ms(r.p) >= player_begin_ms(r.p));
	buf_free(&err);
	replay_close(&r);
	return given;
}

struct small { struct buf bytes; uint64_t *sums; size_t count; };

static struct small record_small(const char *name, unsigned seconds)
{
	struct run run;
	struct replay r;
	struct small s;

	record_seconds(&run, path_of(name), seconds);
	s.count = run.given;
	run_end(&run);
	s.bytes = file_bytes(path_of(name));
	r = replay_open(path_of(name));
	r.sums = s.sums = mem_alloc(s.count * sizeof(*s.sums));
	r.sum_cap = s.count;
	assert_true(advance(&r, INT64_MAX, 0));
	assert_int_equal(r.given, s.count);
	r.sums = NULL;
	replay_close(&r);
	return s;
}

static void cut_at_every_length(void **state)
{
	struct small s = record_small("cut", 3);
	size_t last = 0;
	bool damaged;

	(void)state;
	for (size_t len = 0; len < s.bytes.len; len++) {
		put_file(path_of("cut-part"), s.bytes.data, len);
		size_t given = play_prefix(path_of("cut-part"), s.sums, s.count, &damaged);
		assert_true(damaged);
		assert_true(given >= last);
		last = given;
	}
	/* All but the end was there. */
	assert_int_equal(last, s.count);
	assert_int_equal(play_prefix(path_of("cut"), s.sums, s.count, &damaged), s.count);
	assert_false(damaged);
	free(s.sums);
	buf_free(&s.bytes);
}

static void every_bit_may_flip(void **state)
{
	struct small s = record_small("flip", 1);
	bool damaged;

	(void)state;
	for (size_t i = 0; i < s.bytes.len; i++) {
		char bit = (char)(1 << i % 8);

		s.bytes.data[i] ^= bit;
		put_file(path_of("flip-part"), s.bytes.data, s.bytes.len);
		play_prefix(path_of("flip-part"), s.sums, s.count, &damaged);
		assert_true(damaged);
		s.bytes.data[i] ^= bit;
	}
	free(s.sums);
	buf_free(&s.bytes);
}

/* A lost key frame is one place less to jump to. */
static void a_damaged_key_frame(void **state)
{
	struct run run;
	struct replay r;
	struct buf bytes, err = BUF_INIT;
	size_t at = RECORDING_HEAD_BYTES, states = 0;

	(void)state;
	record_seconds(&run, path_of("frame"), 200);
	bytes = file_bytes(path_of("frame"));
	while (at < bytes.len) {
		struct chunk_head h;
		assert_true(chunk_head_get(&h, bytes.data + at));
		if (h.type == CHUNK_STATE && ++states == 3)
			bytes.data[at + CHUNK_HEAD_BYTES + 20] ^= 1;
		at += CHUNK_HEAD_BYTES + h.bytes;
	}
	assert_true(states >= 3);
	put_file(path_of("frame"), bytes.data, bytes.len);
	r = replay_open(path_of("frame"));
	replay_seek(&r, T0 + 150000);
	assert_true(strstr(player_damage(r.p), "key frame") != NULL);
	assert_true(player_now_ms(r.p) < T0 + 100000);
	assert_true(advance(&r, run.now, 0));
	assert_same_model(run.m, r.m);
	buf_free(&bytes);
	buf_free(&err);
	replay_close(&r);
	run_end(&run);
}

static void refused(const char *path, const char *words)
{
	struct buf err = BUF_INIT;

	assert_null(player_open(path, &err));
	if (!strstr(buf_str(&err), words))
		fail_msg("\"%s\" is not in \"%s\"", words, buf_str(&err));
	buf_free(&err);
}

static void what_is_no_recording(void **state)
{
	struct buf head = BUF_INIT;

	(void)state;
	refused(path_of("nothing"), "No such file");
	put_file(path_of("text"), "hello, this is text\n", 20);
	refused(path_of("text"), "no recording");
	put_file(path_of("empty"), "", 0);
	refused(path_of("empty"), "empty");
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	refused(path_of("fifo"), "not a regular file");
	refused(folder, "not a regular file");
	recording_put_head(&head);
	put_file(path_of("head"), head.data, head.len);
	refused(path_of("head"), "cut short before");
	head.data[16] = 7;
	put_file(path_of("later"), head.data, head.len);
	refused(path_of("later"), "format 7");
	buf_free(&head);
}

/* --- where it is written ------------------------------------------------------------------------ */

static void not_recorded_to(struct run *run, const char *path, const char *words)
{
	struct buf err = BUF_INIT;

	assert_null(open_recorder(run, path, 0, &err));
	if (!strstr(buf_str(&err), words))
		fail_msg("\"%s\" is not in \"%s\"", words, buf_str(&err));
	buf_free(&err);
}

static void what_is_there_already(void **state)
{
	struct run run;
	struct buf bytes, err = BUF_INIT;
	struct stat before, after;
	struct recorder *again;

	(void)state;
	run_begin(&run, path_of("mine"), 0);
	begin_world(&run);
	second(&run);
	not_recorded_to(&run, path_of("mine"), "another redoubt");
	put_file(path_of("precious"), "something else altogether", 25);
	not_recorded_to(&run, path_of("precious"), "no recording");
	bytes = file_bytes(path_of("precious"));
	assert_string_equal(bytes.data, "something else altogether");
	assert_int_equal(symlink(path_of("precious"), path_of("link")), 0);
	not_recorded_to(&run, path_of("link"), "symbolic link");
	assert_int_equal(symlink(path_of("not-there"), path_of("dangling")), 0);
	not_recorded_to(&run, path_of("dangling"), "symbolic link");
	not_recorded_to(&run, folder, "irectory");
	assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
	not_recorded_to(&run, path_of("pipe"), "not a regular file");
	not_recorded_to(&run, "/dev/null", "not a regular file");
	not_recorded_to(&run, path_of("no/such/folder"), "No such file");
	run_close(&run);
	/* A recording that is closed is replaced, by another file: who replays it keeps the old one. */
	assert_int_equal(stat(path_of("mine"), &before), 0);
	assert_int_equal(chmod(path_of("mine"), 0644), 0);
	again = open_recorder(&run, path_of("mine"), 0, &err);
	assert_non_null(again);
	recorder_close(again, 5000);
	assert_int_equal(stat(path_of("mine"), &after), 0);
	assert_true(before.st_ino != after.st_ino && after.st_size < before.st_size);
	assert_int_equal(after.st_mode & 07777, 0600);
	/* What mktemp made is replaced, too. */
	put_file(path_of("mktemp"), "", 0);
	again = open_recorder(&run, path_of("mktemp"), 0, &err);
	assert_non_null(again);
	recorder_close(again, 5000);
	assert_int_not_equal(access(path_of("mktemp.part"), F_OK), 0);
	buf_free(&bytes);
	buf_free(&err);
	run_end(&run);
}

static bool has_trouble(struct run *run, const char *words)
{
	char text[200];

	return recorder_trouble(run->r, text, sizeof(text)) && strstr(text, words);
}

/* Seconds until the recorder says that; the writing is a thread's. */
static void run_until_trouble(struct run *run, const char *words)
{
	int64_t deadline = clock_mono_ms() + 20000;

	while (!has_trouble(run, words)) {
		char text[200] = "";
		recorder_trouble(run->r, text, sizeof(text));
		if (clock_mono_ms() > deadline)
			fail_msg("no \"%s\" but \"%s\"", words, text);
		second(run);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

static void full_disk(void **state)
{
	struct rlimit before, small;
	struct run run;
	struct replay r;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 30000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	run_begin(&run, path_of("full"), 0);
	begin_world(&run);
	run_until_trouble(&run, "File too large");
	second(&run);
	run_close(&run);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	r = replay_open(path_of("full"));
	assert_true(strstr(player_damage(r.p), "not closed") != NULL);
	assert_true(advance(&r, INT64_MAX, 0));
	assert_true(r.given > 100 && r.given < run.given);
	replay_close(&r);
	run_end(&run);
}

/* From the very first byte: watching must go on. */
static void full_from_the_start(void **state)
{
	struct rlimit before, small;
	struct run run;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	run_begin(&run, path_of("full-at-once"), 0);
	assert_true(has_trouble(&run, "File too large"));
	begin_world(&run);
	second(&run);
	run_end(&run);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

static void vanished_file(void **state)
{
	struct run run;

	(void)state;
	run_begin(&run, path_of("gone"), 0);
	begin_world(&run);
	second(&run);
	assert_int_equal(unlink(path_of("gone")), 0);
	run_until_trouble(&run, "the file is gone");
	run_end(&run);
	assert_int_not_equal(access(path_of("gone"), F_OK), 0);
}

/* --- the limit --------------------------------------------------------------------------------- */

static void wait_written(struct run *run)
{
	int64_t deadline = clock_mono_ms() + 20000;

	while (recorder_is_behind(run->r) && clock_mono_ms() < deadline)
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
}

static void keeps_the_newest(void **state)
{
	const int64_t max = 256 * 1024;
	struct run run;
	struct replay r, late;
	struct stat st;
	uint64_t last = 0;
	int shrank = 0;

	(void)state;
	run_begin(&run, path_of("max"), max);
	begin_world(&run);
	for (int i = 0; i < 6000; i++) {
		uint64_t now = recorder_bytes(run.r);
		shrank += now < last;
		last = now;
		second(&run);
		/* The thread keeps up: what it asks for comes in time. */
		if (i % 20 == 0)
			wait_written(&run);
		assert_int_equal(stat(path_of("max"), &st), 0);
		assert_true(st.st_size <= max);
	}
	assert_true(shrank > 0);
	run_close(&run);
	assert_int_not_equal(access(path_of("max.part"), F_OK), 0);
	assert_int_equal(stat(path_of("max"), &st), 0);
	assert_true(st.st_size > max / 4 && st.st_size <= max);
	assert_int_equal(st.st_mode & 07777, 0600);
	r = replay_open(path_of("max"));
	assert_string_equal(player_damage(r.p), "");
	assert_true(player_begin_ms(r.p) > T0);
	assert_int_equal(player_end_ms(r.p), run.now);
	assert_true(advance(&r, run.now, 0));
	assert_same_model(run.m, r.m);
	/* Events of before its begin are in the log, and on the time line. */
	assert_true(player_mark_at(r.p, 0)->at_ms < player_begin_ms(r.p));
	assert_int_equal(player_mark_count(r.p), event_log_count(model_events(run.m)));
	late = replay_open(path_of("max"));
	replay_seek(&late, run.now);
	assert_true(advance(&late, run.now, 0));
	assert_same_model(run.m, late.m);
	replay_close(&late);
	replay_close(&r);
	run_end(&run);
}

/* --- secrets ----------------------------------------------------------------------------------- */

/* The file, and all that is compressed in it. */
static struct buf everything_in(const char *path)
{
	struct buf bytes = file_bytes(path), raw = BUF_INIT, before = BUF_INIT, all = BUF_INIT;
	struct recording_unpacker *u = unpacker_new();
	size_t at = RECORDING_HEAD_BYTES;

	buf_add(&all, bytes.data, bytes.len);
	while (at < bytes.len) {
		struct chunk_head h;
		const char *payload = bytes.data + at + CHUNK_HEAD_BYTES;

		assert_true(chunk_head_get(&h, bytes.data + at));
		if (h.type == CHUNK_ENTRIES)
			assert_true(unpacker_stream(u, h.new_stream, payload, h.bytes, h.raw_bytes, &raw));
		else
			assert_true(unpacker_frame(u, h.difference ? &before : NULL, payload, h.bytes,
						   h.raw_bytes, &raw));
		buf_add(&all, buf_str(&raw), raw.len);
		if (h.type == CHUNK_STATE) {
			buf_reset(&before);
			buf_add(&before, raw.data, raw.len);
		}
		at += CHUNK_HEAD_BYTES + h.bytes;
	}
	unpacker_free(u);
	buf_free(&raw);
	buf_free(&before);
	buf_free(&bytes);
	return all;
}

static bool holds(const struct buf *all, const char *text)
{
	return memmem(all->data, all->len, text, strlen(text)) != NULL;
}

static void no_secret_is_written(void **state)
{
	struct action_facts action = { .action_id = 1, .stage = ACTION_REFUSED, .name = "failover",
				       .subject = "m", .command = "AUTH " SECRET,
				       .operator_name = SECRET, .outcome = "ERR got " SECRET };
	struct observation obs;
	struct run run;
	struct buf all;

	(void)state;
	run_begin(&run, path_of("secret"), 0);
	credentials_set(run.credentials, CREDENTIAL_SENTINEL, "user", "a\x01\xff strange one");
	begin_world(&run);
	second(&run);
	info(&run, 1, "standalone", 1, "# Replication\r\nrole:master\r\nmaster_failover_state:" SECRET
				       "\r\nfoo:" SECRET SECRET "\r\n");
	answer_line(&run, ASK_ROLE, 1, NULL, "-ERR unknown, with '" SECRET "'\r\n");
	answer_line(&run, ASK_SENTINEL_REPLICAS, 2, SECRET, "-ERR a\\x01\\xff strange one\r\n");
	answer_text(&run, ASK_CLUSTER_INFO, 1, "a\x01\xff strange one");
	message(&run, 2, "+set", "master mymaster 127.0.0.1 6379 auth-pass older-password");
	message(&run, 2, "+what", "ever " SECRET);
	link_state(&run, 1, false, LINK_AUTH_ERROR, "it says " SECRET);
	obs = asked(&run, ASK_ACTION, 1);
	obs.u.action = &action;
	give(&run, &obs);
	for (int i = 0; i < 130; i++)
		second(&run);
	run_close(&run);
	all = everything_in(path_of("secret"));
	assert_true(holds(&all, "+set"));
	assert_true(holds(&all, "auth-pass ******"));
	assert_true(holds(&all, "it says *****"));
	assert_false(holds(&all, SECRET));
	assert_false(holds(&all, "older-password"));
	assert_false(holds(&all, "strange one"));
	buf_free(&all);
	run_end(&run);
}

/* Stars in the place of "master" would tell more than the word does. */
static void words_are_no_secrets(void **state)
{
	struct run run;
	struct replay r;

	(void)state;
	run_begin(&run, path_of("words"), 0);
	credentials_set(run.credentials, CREDENTIAL_DATA, NULL, "master");
	credentials_set(run.credentials, CREDENTIAL_SENTINEL, NULL, "6379");
	begin_world(&run);
	for (int i = 0; i < 70; i++)
		second(&run);
	run_close(&run);
	r = replay_open(path_of("words"));
	assert_true(advance(&r, run.now, 0));
	assert_same_model(run.m, r.m);
	replay_close(&r);
	run_end(&run);
}

/* --- */

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/redoubt-recording-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deltas),
		cmocka_unit_test(deltas_of_noise),
		cmocka_unit_test(numbers),
		cmocka_unit_test(heads),
		cmocka_unit_test(replayed_as_recorded),
		cmocka_unit_test(jumps),
		cmocka_unit_test(wall_clock_that_is_set),
		cmocka_unit_test(an_interval_that_changes),
		cmocka_unit_test(everything_that_has_no_reply),
		cmocka_unit_test(cut_at_every_length),
		cmocka_unit_test(every_bit_may_flip),
		cmocka_unit_test(a_damaged_key_frame),
		cmocka_unit_test(what_is_no_recording),
		cmocka_unit_test(what_is_there_already),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(full_from_the_start),
		cmocka_unit_test(vanished_file),
		cmocka_unit_test(keeps_the_newest),
		cmocka_unit_test(no_secret_is_written),
		cmocka_unit_test(words_are_no_secrets),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
