/* Recordings: what was recorded is what is replayed, wherever one jumps to, and no secret is in it. */
#include "config.h"

#include <sys/stat.h>

#include "recorded.h"

#include "base/mem.h"
#include "net/recording.h"

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

/* Digits that stand in a row in any table are no word of the protocol. */
static void digits_are_secrets(void **state)
{
	struct run run;
	struct buf all;

	(void)state;
	run_begin(&run, path_of("digits"), 0);
	credentials_set(run.credentials, CREDENTIAL_DATA, NULL, "123456");
	credentials_set(run.credentials, CREDENTIAL_SENTINEL, NULL, "aster");
	begin_world(&run);
	message(&run, 2, "+what", "ever 123456 aster");
	answer_line(&run, ASK_ROLE, 1, NULL, "-ERR not 'aster' '123456'\r\n");
	for (int i = 0; i < 70; i++)
		second(&run);
	run_close(&run);
	all = everything_in(path_of("digits"));
	assert_true(holds(&all, "ever ****** *****"));
	assert_false(holds(&all, "123456 "));
	assert_false(holds(&all, "'123456'"));
	assert_false(holds(&all, "'aster'"));
	buf_free(&all);
	run_end(&run);
}

/* What names a field or says how long a text is, is no text: the frames hold together. */
static void frames_hold_together(void **state)
{
	struct run run;
	struct replay r;

	(void)state;
	run_begin(&run, path_of("frames"), 0);
	credentials_set(run.credentials, CREDENTIAL_DATA, NULL, "run_id");
	credentials_set(run.credentials, CREDENTIAL_SENTINEL, NULL, "link_state");
	begin_world(&run);
	message(&run, 2, "+what", "ever link_state");
	for (int i = 0; i < 70; i++)
		second(&run);
	run_close(&run);
	r = replay_open(path_of("frames"));
	assert_true(advance(&r, run.now, 0));
	replay_seek(&r, run.now);
	replay_close(&r);
	run_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replayed_as_recorded),
		cmocka_unit_test(jumps),
		cmocka_unit_test(wall_clock_that_is_set),
		cmocka_unit_test(an_interval_that_changes),
		cmocka_unit_test(everything_that_has_no_reply),
		cmocka_unit_test(no_secret_is_written),
		cmocka_unit_test(words_are_no_secrets),
		cmocka_unit_test(digits_are_secrets),
		cmocka_unit_test(frames_hold_together),
	};

	return cmocka_run_group_tests(tests, recorded_make_folder, recorded_remove_folder);
}
