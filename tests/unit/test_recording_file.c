/* The file that is recorded to: what is there already, full disks, the limit. */
#include "config.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "recorded.h"

#include "base/clock.h"
#include "net/recording.h"

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
	not_recorded_to(&run, recorded_folder(), "irectory");
	assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
	not_recorded_to(&run, path_of("pipe"), "not a regular file");
	not_recorded_to(&run, "/dev/null", "not a regular file");
	not_recorded_to(&run, path_of("no/such/folder"), "No such file");
	credentials_set(run.credentials, CREDENTIAL_SENTINEL, NULL, "pw");
	not_recorded_to(&run, path_of("short"), "a password of fewer than 3 bytes");
	assert_int_not_equal(access(path_of("short"), F_OK), 0);
	credentials_set(run.credentials, CREDENTIAL_SENTINEL, NULL, NULL);
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
	int64_t deadline = clock_mono_ms() + 120000;

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
	int64_t deadline = clock_mono_ms() + 120000;

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_already),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(full_from_the_start),
		cmocka_unit_test(vanished_file),
		cmocka_unit_test(keeps_the_newest),
	};

	return cmocka_run_group_tests(tests, recorded_make_folder, recorded_remove_folder);
}
