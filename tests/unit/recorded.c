#include "config.h"

#include "recorded.h"

#include <unistd.h>

#include "model/state.h"

/* --- files --------------------------------------------------------------------------------------- */

static char folder[64];

const char *recorded_folder(void)
{
	return folder;
}

const char *path_of(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

struct buf file_bytes(const char *path)
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

void put_file(const char *path, const char *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

int recorded_make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/redoubt-recording-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

int recorded_remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

/* --- a run that is recorded ------------------------------------------------------------------- */

struct recorder *open_recorder(struct run *run, const char *path, int64_t max, struct buf *err)
{
	const struct recorder_config c = { .path = path,
					   .max_bytes = max,
					   .secrets = run->secrets,
					   .secret_count = 1,
					   .version = "1.2.3",
					   .operator_name = "tester" };

	return recorder_open(&c, err);
}

void run_begin(struct run *run, const char *path, int64_t max)
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

void give(struct run *run, const struct observation *obs)
{
	recorder_add(run->r, run->m, obs);
	model_apply(run->m, obs);
	run->given++;
}

struct observation asked(const struct run *run, enum question q, uint32_t node)
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

void answer_line(struct run *run, enum question q, uint32_t node, const char *arg,
			const char *line)
{
	answer(run, q, node, arg, line, strlen(line));
}

void answer_text(struct run *run, enum question q, uint32_t node, const char *text)
{
	struct buf bytes = BUF_INIT;

	buf_addf(&bytes, "$%zu\r\n%s\r\n", strlen(text), text);
	answer(run, q, node, NULL, bytes.data, bytes.len);
	buf_free(&bytes);
}

void message(struct run *run, uint32_t node, const char *channel, const char *payload)
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

void link_state(struct run *run, uint32_t node, bool events, enum link_state state,
		       const char *why)
{
	struct link_facts facts = { .state = state, .events = events };
	struct observation obs = asked(run, ASK_LINK, node);

	obs.sent_ms = 0;
	obs.text = why;
	obs.u.link = &facts;
	give(run, &obs);
}

void tick(struct run *run, int64_t forward_ms)
{
	run->now += forward_ms;
	run->wall += forward_ms;
	recorder_tick(run->r, run->m, run->now, run->wall);
	model_tick(run->m, run->now, run->wall);
	run->given++;
}

void info(struct run *run, uint32_t node, const char *mode, int run_id, const char *more)
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

void second(struct run *run)
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

void begin_world(struct run *run)
{
	target(run, 6379);
	target(run, 26379);
	link_state(run, 1, false, LINK_UP, NULL);
	link_state(run, 2, false, LINK_UP, NULL);
	link_state(run, 2, true, LINK_UP, NULL);
}

void run_close(struct run *run)
{
	recorder_flush(run->r, run->m);
	recorder_close(run->r, 10000);
	run->r = NULL;
}

void run_end(struct run *run)
{
	if (run->r)
		run_close(run);
	model_free(run->m);
	parser_free(run->parser);
	reader_free(run->reader);
	credentials_free(run->credentials);
}

void record_seconds(struct run *run, const char *path, unsigned seconds)
{
	run_begin(run, path, 0);
	begin_world(run);
	for (unsigned i = 0; i < seconds; i++)
		second(run);
	run_close(run);
}

/* --- a replay --------------------------------------------------------------------------------- */

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

void replay_seek(struct replay *r, int64_t at_ms)
{
	struct buf err = BUF_INIT;

	model_free(r->m);
	r->m = player_seek(r->p, at_ms, &err);
	if (!r->m)
		fail_msg("seek: %s", buf_str(&err));
	buf_free(&err);
}

struct replay replay_open(const char *path)
{
	struct buf err = BUF_INIT;
	struct replay r = { .p = player_open(path, &err) };

	if (!r.p)
		fail_msg("%s: %s", path, buf_str(&err));
	replay_seek(&r, player_begin_ms(r.p));
	buf_free(&err);
	return r;
}

bool advance(struct replay *r, int64_t at_ms, int64_t budget_us)
{
	const struct player_sink sink = sink_of(r);

	return player_advance(r->p, at_ms, budget_us, &sink);
}

void replay_close(struct replay *r)
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

void assert_same_model(const struct model *a, const struct model *b)
{
	struct buf x = model_bytes(a), y = model_bytes(b);

	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.data, y.data, x.len);
	buf_free(&x);
	buf_free(&y);
}
