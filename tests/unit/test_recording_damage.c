/* A recording that is cut or damaged plays up to there; what is none is refused. */
#include "config.h"

#include <sys/stat.h>

#include "recorded.h"

#include "base/mem.h"
#include "net/recording.h"

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
	refused(recorded_folder(), "not a regular file");
	recording_put_head(&head);
	put_file(path_of("head"), head.data, head.len);
	refused(path_of("head"), "cut short before");
	head.data[16] = 7;
	put_file(path_of("later"), head.data, head.len);
	refused(path_of("later"), "format 7");
	buf_free(&head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_every_length),
		cmocka_unit_test(every_bit_may_flip),
		cmocka_unit_test(a_damaged_key_frame),
		cmocka_unit_test(what_is_no_recording),
	};

	return cmocka_run_group_tests(tests, recorded_make_folder, recorded_remove_folder);
}
