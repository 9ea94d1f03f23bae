#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/pool.h"
#include "base/text.h"
#include "base/thread.h"
#include "base/units.h"

static void grow_doubles_and_keeps(void **state)
{
	size_t cap = 0;
	int *numbers = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		numbers = mem_grow(numbers, &cap, (size_t)i + 1, sizeof(*numbers));
		numbers[i] = i;
	}
	assert_true(cap >= 1000 && cap <= 2048);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i);
	free(numbers);
	cap = 0;
	numbers = mem_grow(NULL, &cap, 0, sizeof(*numbers));
	assert_non_null(numbers);
	free(numbers);
	mem_wipe_free(NULL, 5);
	mem_wipe_free(mem_strdup("secret"), 6);
	assert_null(mem_strdup(NULL));
}

static void buf_is_terminated(void **state)
{
	struct buf b = BUF_INIT;
	char long_text[301];

	(void)state;
	assert_string_equal(buf_str(&b), "");
	buf_reset(&b);
	buf_add(&b, NULL, 0);
	assert_string_equal(b.data, "");
	buf_addstr(&b, "abc");
	buf_addch(&b, '-');
	buf_addf(&b, "%d/%s", 7, "x");
	assert_string_equal(b.data, "abc-7/x");
	buf_consume(&b, 4);
	assert_string_equal(b.data, "7/x");
	buf_consume(&b, 100);
	assert_int_equal(b.len, 0);
	memset(long_text, 'q', 300);
	long_text[300] = '\0';
	buf_addf(&b, "%s", long_text);
	assert_string_equal(b.data, long_text);
	buf_reset(&b);
	assert_string_equal(b.data, "");
	buf_free(&b);
	assert_null(b.data);
}

static bool parses(const char *s, int64_t *out)
{
	return number_parse(s, strlen(s), INT64_MIN, INT64_MAX, out);
}

static void number_is_whole_or_nothing(void **state)
{
	static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "1x", "0x1", "--1", "1.0",
					   "9223372036854775808", "-9223372036854775809",
					   "99999999999999999999999" };
	int64_t n = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(parses(bad[i], &n));
	assert_int_equal(n, 77);
	assert_true(parses("0", &n) && n == 0);
	assert_true(parses("-0", &n) && n == 0);
	assert_true(parses("9223372036854775807", &n) && n == INT64_MAX);
	assert_true(parses("-9223372036854775808", &n) && n == INT64_MIN);
	assert_false(number_parse("70000", 5, 0, 65535, &n));
	assert_true(number_parse("655359", 5, 0, 65535, &n) && n == 65535);
}

static bool parses_double(const char *s, double *out)
{
	return number_parse_double(s, strlen(s), -1e300, 1e300, out);
}

static void double_takes_no_tricks(void **state)
{
	static const char *const bad[] = { "", "-", ".", "1.", "inf", "nan", "1e", "1e+", "1e--1",
					   "0x1p3", "1e999", "1e99999", "1,5", " 1", "1 ", "--1",
					   "1e+-3" };
	double d = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parses_double(bad[i], &d))
			fail_msg("\"%s\" was taken as %g", bad[i], d);
	assert_true(d == 7);
	assert_true(parses_double("0.25", &d) && d == 0.25);
	assert_true(parses_double("1e3", &d) && d == 1000);
	assert_true(parses_double("1E+2", &d) && d == 100);
	assert_true(parses_double("-12.5e-1", &d) && d == -1.25);
	assert_true(parses_double("1e-9999", &d) && d == 0);
	assert_true(parses_double("12345678901234567890123", &d));
	assert_true(fabs(d / 1.2345678901234568e22 - 1) < 1e-12);
	assert_true(number_parse_double("-0.00", 5, 0, 100, &d) && d == 0 && !signbit(d));
	assert_false(number_parse_double("100.1", 5, 0, 100, &d));
}

static void check_clean(const char *src, size_t len, const char *expected)
{
	char out[256];
	size_t n = text_clean(out, sizeof(out), src, len);

	assert_string_equal(out, expected);
	assert_int_equal(n, strlen(expected));
}

#define CLEAN(src, expected) check_clean(src, sizeof(src) - 1, expected)

static void clean_escapes_what_acts(void **state)
{
	(void)state;
	CLEAN("plain text", "plain text");
	CLEAN("a\x1b[2Jb", "a\\x1b[2Jb");
	CLEAN("a\0b", "a\\x00b");
	CLEAN("\x7f", "\\x7f");
	CLEAN("one\r\ntwo\tthree", "one two three");
	CLEAN("\xc2\x9b" "31m", "\\u009b31m");      /* C1 as UTF-8 */
	CLEAN("\x9b" "31m", "\\x9b31m");            /* C1 as a byte */
	CLEAN("\xe2\x80\xae" "exe", "\\u202eexe");  /* right-to-left override */
	CLEAN("\xe2\x80\x8b", "\\u200b");
	CLEAN("\xe2\x81\xa6", "\\u2066");
	CLEAN("\xe2\x80\xa8", "\\u2028");
	CLEAN("\xc2\xad", "\\u00ad");
	CLEAN("\xef\xbb\xbf", "\\ufeff");
	CLEAN("\xef\xb8\x8f", "\\ufe0f");
	CLEAN("\xf3\xa0\x81\x81", "\\U000e0041");   /* a tag */
	CLEAN("\xc2\xa0", "\xc2\xa0");              /* a no-break space is a space */
	CLEAN("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	CLEAN("\xc0\xaf", "\\xc0\\xaf");            /* overlong */
	CLEAN("\xed\xa0\x80", "\\xed\\xa0\\x80");   /* surrogate */
	CLEAN("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	CLEAN("\xe2\x82", "\\xe2\\x82");            /* cut */
}

static void clean_cuts_between_characters(void **state)
{
	char out[5];

	(void)state;
	assert_int_equal(text_clean(out, 5, "abc\xc3\xa9", 5), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(text_clean(out, 5, "a\x1bz", 3), 1); /* no half escape, nothing behind it */
	assert_string_equal(out, "a");
	assert_int_equal(text_clean(out, 5, "\x1b", 1), 4);
	assert_string_equal(out, "\\x1b");
	assert_int_equal(text_clean(out, 1, "abc", 3), 0);
	assert_string_equal(out, "");
	assert_int_equal(text_clean(out, 5, "", 0), 0);
}

static void clean_output_is_clean(void **state)
{
	char src[4], out[64];
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		const char *s = out;
		uint32_t code;

		for (size_t i = 0; i < sizeof(src); i++) {
			seed = seed * 1664525u + 1013904223u;
			src[i] = (char)(seed >> 24);
		}
		text_clean(out, sizeof(out), src, sizeof(src));
		while ((code = text_next(&s)) != 0)
			if (text_is_control(code))
				fail_msg("U+%04X passed the gate", code);
	}
}

static void width_counts_columns(void **state)
{
	const char *s = "\xe2\x82\xac\xff";

	(void)state;
	assert_int_equal(text_next(&s), 0x20ac);
	assert_int_equal(text_next(&s), 0xfffd);
	assert_int_equal(text_next(&s), 0);
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("a\x1b" "b"), 3);
	assert_int_equal(text_fit("abc", 2), 2);
	assert_int_equal(text_fit("abc", 0), 0);
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return;
	assert_int_equal(text_width("\xe6\x97\xa5\xe6\x9c\xac"), 4);
	assert_int_equal(text_width("e\xcc\x81"), 1);
	assert_int_equal(text_fit("\xe6\x97\xa5\xe6\x9c\xac", 3), 3);
	assert_int_equal(text_fit("e\xcc\x81x", 1), 3);
	setlocale(LC_CTYPE, "C");
	assert_int_equal(text_width("\xe6\x97\xa5"), 1);
}

static void contains_ignores_case(void **state)
{
	(void)state;
	assert_true(text_contains("Master ODOWN", "odown"));
	assert_true(text_contains("x", ""));
	assert_true(text_contains("", ""));
	assert_false(text_contains("abc", "abcd"));
	assert_true(text_contains("aab", "AB"));
}

static void check_endpoint(const char *text, const char *expected)
{
	struct endpoint ep;
	char out[ENDPOINT_TEXT_BYTES];
	bool ok = endpoint_parse(&ep, text, 6379);

	assert_string_equal(endpoint_format(&ep, out), expected ? expected : "?");
	assert_int_equal(ok, expected != NULL);
	assert_int_equal(endpoint_is_set(&ep), expected != NULL);
}

static void endpoint_reads_all_forms(void **state)
{
	char host[300];
	struct endpoint a, b;

	(void)state;
	check_endpoint("redis-1", "redis-1:6379");
	check_endpoint("redis.example:7000", "redis.example:7000");
	check_endpoint("127.0.0.1:1", "127.0.0.1:1");
	check_endpoint("[::1]:6380", "[::1]:6380");
	check_endpoint("[::1]", "[::1]:6379");
	check_endpoint("::1", "[::1]:6379");
	check_endpoint("fe80::1%eth0", "[fe80::1%eth0]:6379");
	check_endpoint("/run/redis.sock", "/run/redis.sock");
	check_endpoint("", NULL);
	check_endpoint("host:", NULL);
	check_endpoint(":6379", NULL);
	check_endpoint("host:0", NULL);
	check_endpoint("host:65536", NULL);
	check_endpoint("host:6379x", NULL);
	check_endpoint("[::1", NULL);
	check_endpoint("[::1]x", NULL);
	check_endpoint("[]:1", NULL);
	check_endpoint("a b:1", NULL);
	check_endpoint("127.0.0.1:6379:6379", NULL);
	check_endpoint("host:1:2", NULL);
	check_endpoint("1::2::3", NULL);
	check_endpoint("::ffff:10.0.0.1", "[::ffff:10.0.0.1]:6379");
	check_endpoint("a\x1b[m:1", NULL);
	memset(host, 'h', sizeof(host));
	assert_true(endpoint_set(&a, host, 253, 1));
	assert_false(endpoint_set(&a, host, 254, 1));
	assert_false(endpoint_is_set(&a));
	assert_false(endpoint_set(&a, "h", 1, 0));
	assert_false(endpoint_set(&a, "h", 1, 65536));
	/* Two hundred bytes that each become four: too long when clean. */
	memset(host, 1, sizeof(host));
	assert_false(endpoint_set(&a, host, 200, 1));
	assert_true(endpoint_set(&a, "h\x1b", 2, 1));
	assert_string_equal(a.host, "h\\x1b");
	assert_true(endpoint_set(&a, "h", 1, 1) && endpoint_set(&b, "h", 1, 1));
	assert_true(endpoint_equal(&a, &b));
	assert_memory_equal(&a, &b, sizeof(a));
	b.port = 2;
	assert_false(endpoint_equal(&a, &b));
	assert_true(endpoint_parse(&a, "/s", 1) && endpoint_is_unix(&a));
}

static void units_are_short(void **state)
{
	char out[UNITS_BYTES];

	(void)state;
	assert_string_equal(units_bytes(0, out), "0 B");
	assert_string_equal(units_bytes(999, out), "999 B");
	assert_string_equal(units_bytes(1200000, out), "1.2 MB");
	assert_string_equal(units_bytes(41000000, out), "41 MB");
	assert_string_equal(units_bytes(999960, out), "1.0 MB");
	assert_string_equal(units_bytes(-1500, out), "-1.5 kB");
	assert_string_equal(units_bytes(INT64_MAX, out), "9.2 EB");
	assert_string_equal(units_bytes(UNITS_UNKNOWN, out), "?");
	assert_string_equal(units_rate(80000, out), "+80 kB/s");
	assert_string_equal(units_rate(-1200000, out), "-1.2 MB/s");
	assert_string_equal(units_rate(0.2, out), "0 B/s");
	assert_string_equal(units_rate(NAN, out), "?");
	assert_string_equal(units_rate(1e300, out), "?");
	assert_string_equal(units_count(950, out), "950");
	assert_string_equal(units_count(1200, out), "1.2k");
	assert_string_equal(units_count(12000000, out), "12M");
	assert_string_equal(units_duration(400, out), "0.4 s");
	assert_string_equal(units_duration(9949, out), "9.9 s");
	assert_string_equal(units_duration(9960, out), "10 s");
	assert_string_equal(units_duration(12000, out), "12 s");
	assert_string_equal(units_duration(200000, out), "3 m 20 s");
	assert_string_equal(units_duration(7500000, out), "2 h 5 m");
	assert_string_equal(units_duration(356400000, out), "4 d 3 h");
	assert_string_equal(units_duration(-5, out), "0.0 s");
	assert_string_equal(units_age(7900, out), "7 s");
	assert_string_equal(units_age(UNITS_UNKNOWN, out), "?");
	units_duration(INT64_MAX, out);
}

static void clocks_format(void **state)
{
	char out[CLOCK_ISO_BYTES];
	int64_t before = clock_mono_us();

	(void)state;
	assert_string_equal(clock_format_iso(1795256823120, out), "2026-11-21T10:27:03.120Z");
	assert_string_equal(clock_format_iso(-1, out), "1969-12-31T23:59:59.999Z");
	assert_int_equal(strlen(clock_format_iso(1, out)), 24);
	setenv("TZ", "UTC", 1);
	tzset();
	assert_string_equal(clock_format_hms(1795256823120, out), "10:27:03");
	assert_string_equal(clock_format_hms_ms(1795256823120, out), "10:27:03.120");
	assert_true(clock_mono_us() >= before);
	assert_true(clock_wall_ms() > 1600000000000);

	/* A moment of one clock on the other, however long it takes to ask: as right as both clocks were
	 * read at once. */
	int64_t earliest_ms = clock_wall_ms(), moment_ms = clock_mono_ms();
	int64_t wall_ms = clock_wall_at_ms(moment_ms - 5000), took_ms = clock_wall_ms() - earliest_ms;
	assert_in_range(wall_ms, earliest_ms - took_ms - 5001, earliest_ms + took_ms - 4999);
	struct timespec in = clock_mono_in(1999);
	int64_t in_ms = (int64_t)in.tv_sec * 1000 + in.tv_nsec / 1000000;
	assert_in_range(in_ms, moment_ms + 1999, clock_mono_ms() + 1999);
}

static void test_text_format_cuts_whole_characters(void **state)
{
	char dst[12];

	(void)state;
	text_format(dst, sizeof(dst), "%s", "0123456789\u00e9");
	assert_string_equal(dst, "0123456789");
	text_format(dst, sizeof(dst), "%.4s|%.5s", "\u65e5\u672c", "\u00e9\u00e9\u00e9");
	assert_string_equal(dst, "\u65e5|\u00e9\u00e9");
	text_format(dst, sizeof(dst), "%d and %s", 5, "more than fits");
	assert_string_equal(dst, "5 and more ");
}

static void pool_keeps_each_string_once(void **state)
{
	struct pool *p = pool_new();
	const char *held[1000], *again;
	char text[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		held[i] = pool_take(p, text);
		assert_ptr_not_equal(held[i], text);
	}
	assert_int_equal(pool_count(p), 1000);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		assert_ptr_equal(pool_take(p, text), held[i]);
		assert_string_equal(held[i], text);
	}
	assert_int_equal(pool_count(p), 1000);
	/* Each was taken twice. */
	for (int i = 0; i < 999; i++) {
		pool_drop(p, held[i]);
		pool_drop(p, held[i]);
	}
	assert_int_equal(pool_count(p), 1);
	pool_drop(p, held[999]);
	assert_int_equal(pool_count(p), 1);
	assert_string_equal(held[999], "999");
	again = pool_take(p, "");
	assert_string_equal(again, "");
	pool_drop(p, NULL);
	pool_free(p);
	pool_free(NULL);
}

/* --- files and threads ------------------------------------------------------------------------- */

static void reads(const char *path, size_t max_bytes, int error, size_t len)
{
	struct buf out = BUF_INIT;
	bool ok = file_read(path, max_bytes, &out, NULL);
	assert_int_equal(ok ? 0 : errno, error);
	if (ok) {
		assert_int_equal(out.len, len);
		assert_int_equal(strlen(out.data), len);
	}
	buf_free(&out);
}

static void files_are_read(void **state)
{
	char folder[] = "/tmp/redoubt-test-XXXXXX", path[64];
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/f", folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	reads(path, 10, 0, 0);
	assert_int_equal(write(fd, "0123456789", 10), 10);
	close(fd);
	reads(path, 10, 0, 10);
	reads(path, 11, 0, 10);
	reads(path, 9, EFBIG, 0);
	unlink(path);
	reads(path, 10, ENOENT, 0);
	/* Nobody writes to it: this returns all the same. */
	assert_int_equal(mkfifo(path, 0600), 0);
	reads(path, 10, EINVAL, 0);
	unlink(path);
	reads(folder, 10, EINVAL, 0);
	rmdir(folder);
	/* Its size is not known before. */
	struct buf out = BUF_INIT;
	assert_true(file_read("/proc/self/status", 100000, &out, NULL));
	assert_non_null(strstr(out.data, "Pid:"));
	buf_free(&out);
	reads("/proc/self/status", 10, EFBIG, 0);
	assert_string_equal(file_reason(EINVAL), "not a file");
}

static void *blocked_signals(void *arg)
{
	pthread_sigmask(SIG_SETMASK, NULL, arg);
	return NULL;
}

static void threads_take_no_signal(void **state)
{
	sigset_t inside, before, after;
	pthread_t id;
	(void)state;
	sigemptyset(&inside);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_true(thread_start(&id, 0, blocked_signals, &inside));
	assert_int_equal(pthread_join(id, NULL), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(sigismember(&inside, SIGWINCH), 1);
	assert_int_equal(sigismember(&inside, SIGXFSZ), 1);
	assert_int_equal(sigismember(&after, SIGWINCH), sigismember(&before, SIGWINCH));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_format_cuts_whole_characters),
		cmocka_unit_test(grow_doubles_and_keeps),
		cmocka_unit_test(pool_keeps_each_string_once),
		cmocka_unit_test(buf_is_terminated),
		cmocka_unit_test(number_is_whole_or_nothing),
		cmocka_unit_test(double_takes_no_tricks),
		cmocka_unit_test(clean_escapes_what_acts),
		cmocka_unit_test(clean_cuts_between_characters),
		cmocka_unit_test(clean_output_is_clean),
		cmocka_unit_test(width_counts_columns),
		cmocka_unit_test(contains_ignores_case),
		cmocka_unit_test(endpoint_reads_all_forms),
		cmocka_unit_test(units_are_short),
		cmocka_unit_test(files_are_read), cmocka_unit_test(threads_take_no_signal),
		cmocka_unit_test(clocks_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
