/* Long recordings without the wait, and how long it takes to get about in them.
 *
 *   longrec make SOURCE OUT HOURS   plays SOURCE again and again into the recorder, with a clock that goes
 *                                   on, until OUT is that long
 *   longrec jump FILE COUNT         opens FILE and goes to COUNT places of it, the same ones each time;
 *                                   prints "open MS" and a line "jump MS" for each */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/number.h"
#include "net/player.h"
#include "net/recorder.h"

/* Where observations go: into a model, and on the way there into a recording. */
struct target {
	struct model *m;
	struct recorder *recorder; /* NULL: only into the model */
	int64_t shift_ms;          /* both clocks of what comes */
};

static unsigned take_observation(const struct observation *obs, void *owner)
{
	struct target *t = owner;
	struct observation later = *obs;

	if (obs->sent_ms != 0)
		later.sent_ms += t->shift_ms;
	later.recv_ms += t->shift_ms;
	later.wall_ms += t->shift_ms;
	if (t->recorder)
		recorder_add(t->recorder, t->m, &later);
	return model_apply(t->m, &later);
}

static void take_tick(int64_t now_ms, int64_t wall_ms, void *owner)
{
	struct target *t = owner;

	if (t->recorder)
		recorder_tick(t->recorder, t->m, now_ms + t->shift_ms, wall_ms + t->shift_ms);
	model_tick(t->m, now_ms + t->shift_ms, wall_ms + t->shift_ms);
}

static void take_interval(int64_t interval_ms, void *owner)
{
	struct target *t = owner;

	model_set_interval(t->m, interval_ms);
	if (t->recorder)
		recorder_interval(t->recorder, interval_ms, model_now_ms(t->m));
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "longrec: %s: %s\n", what, why);
	return 1;
}

static struct player *open_player(const char *path)
{
	struct buf err = BUF_INIT;
	struct player *p = player_open(path, &err);

	if (!p)
		fail(path, buf_str(&err));
	buf_free(&err);
	return p;
}

static struct model *seek(struct player *p, int64_t at_ms)
{
	struct buf err = BUF_INIT;
	struct model *m = player_seek(p, at_ms, &err);

	if (!m)
		fail("seek", buf_str(&err));
	buf_free(&err);
	return m;
}

/* --- make ------------------------------------------------------------------------------------ */

/* The recorder is made for a clock that does not run a thousand times too fast. */
static void let_it_write(struct recorder *r)
{
	const struct timespec a_bit = { 0, 1000000 };

	while (recorder_is_behind(r))
		nanosleep(&a_bit, NULL);
}

/* From its begin to its end, at the most until_ms of the new clock. */
static bool play_once(struct player *p, struct target *t, int64_t until_ms)
{
	const struct player_sink sink = { take_observation, take_tick, take_interval, t };
	int64_t begin_ms = player_begin_ms(p), end_ms = player_end_ms(p);
	struct model *again = seek(p, begin_ms);
	char words[200];

	if (!again)
		return false;
	if (t->m)
		model_free(again); /* the nodes' ids are those of the first time */
	else
		t->m = again;
	if (end_ms + t->shift_ms > until_ms)
		end_ms = until_ms - t->shift_ms;
	for (int64_t at_ms = begin_ms; at_ms < end_ms;) {
		at_ms += 10000;
		player_advance(p, at_ms < end_ms ? at_ms : end_ms, 0, &sink);
		let_it_write(t->recorder);
	}
	return !recorder_trouble(t->recorder, words, sizeof(words)) || fail("recording", words) == 0;
}

static int make(const char *source, const char *out, double hours)
{
	const struct recorder_config config = { .path = out, .version = "longrec", .operator_name = "" };
	struct buf err = BUF_INIT;
	struct target t = { .shift_ms = 0 };
	struct player *p = open_player(source);
	bool ok = p != NULL;

	t.recorder = ok ? recorder_open(&config, &err) : NULL;
	if (p && !t.recorder)
		ok = fail(out, buf_str(&err)) == 0;
	int64_t length_ms = ok ? player_end_ms(p) - player_begin_ms(p) : 0;
	int64_t until_ms = ok ? player_begin_ms(p) + (int64_t)(hours * 3600000.0) : 0;
	if (ok && length_ms < 1000)
		ok = fail(source, "is too short") == 0;
	for (; ok && player_begin_ms(p) + t.shift_ms < until_ms; t.shift_ms += length_ms + 200)
		ok = play_once(p, &t, until_ms);
	if (t.m)
		recorder_flush(t.recorder, t.m);
	recorder_close(t.recorder, 60000);
	model_free(t.m);
	player_free(p);
	buf_free(&err);
	return ok ? 0 : 1;
}

/* --- jump ------------------------------------------------------------------------------------ */

static double ms_since(int64_t begin_us)
{
	return (double)(clock_mono_us() - begin_us) / 1000.0;
}

static bool jump(struct player *p, struct target *t, int64_t at_ms)
{
	const struct player_sink sink = { take_observation, take_tick, take_interval, t };

	model_free(t->m);
	t->m = seek(p, at_ms);
	return t->m && player_advance(p, at_ms, 0, &sink);
}

static int jumps(const char *path, int64_t count)
{
	int64_t begin_us = clock_mono_us();
	struct target t = { .m = NULL };
	struct player *p = open_player(path);
	unsigned place = 1;
	bool ok = p != NULL;

	if (!ok)
		return 1;
	printf("open %.1f\n", ms_since(begin_us));
	for (int64_t i = 0; ok && i < count; i++) {
		double span = (double)(player_end_ms(p) - player_begin_ms(p));

		place = place * 1103515245 + 12345;
		begin_us = clock_mono_us();
		ok = jump(p, &t, player_begin_ms(p) + (int64_t)(span * (place % 65536) / 65536.0));
		printf("jump %.1f\n", ms_since(begin_us));
	}
	model_free(t.m);
	player_free(p);
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	double hours;
	int64_t count;

	if (argc == 5 && strcmp(argv[1], "make") == 0 &&
	    number_parse_double(argv[4], strlen(argv[4]), 0.001, 1000, &hours))
		return make(argv[2], argv[3], hours);
	if (argc == 4 && strcmp(argv[1], "jump") == 0 &&
	    number_parse(argv[3], strlen(argv[3]), 1, 100000, &count))
		return jumps(argv[2], count);
	fprintf(stderr, "usage: longrec make SOURCE OUT HOURS\n       longrec jump FILE COUNT\n");
	return 64;
}
