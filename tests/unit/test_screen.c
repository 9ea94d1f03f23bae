/* The screen on a pty: what is sent, what is read, and what is given back. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "headless.h"
#include "pty.h"
#include "tui/graph.h"
#include "tui/keys.h"
#include "tui/pane.h"

static struct screen *open_on_tty(void)
{
	struct screen_options opt = { .theme = headless_theme() };
	struct buf err = BUF_INIT;
	struct screen *s = screen_open(&opt, &err);

	if (!s)
		dprintf(report_fd, "screen_open: %s\n", buf_str(&err));
	CHECK(s);
	return s;
}

static void show(struct screen *s, const char *text)
{
	struct pane w = pane_whole(s);

	while (screen_flush(s) == 0) {
		struct pollfd p = { .fd = screen_fd(s), .events = POLLOUT };
		CHECK(poll(&p, 1, PATIENCE_MS) > 0);
	}
	CHECK(screen_frame_begin(s));
	pane_text(&w, 0, 0, -1, STYLE_OK, text);
	screen_frame_end(s);
	while (screen_flush(s) == 0) {
		struct pollfd p = { .fd = screen_fd(s), .events = POLLOUT };
		CHECK(poll(&p, 1, PATIENCE_MS) > 0);
	}
}

static bool same_modes(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	       a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc)) == 0;
}

static void part_modes(void)
{
	struct termios before, now;
	struct sigaction stop, interrupt, action;
	struct screen *s;
	int flags;

	sigaction(SIGTSTP, NULL, &stop);
	sigaction(SIGINT, NULL, &interrupt);
	CHECK(tcgetattr(0, &before) == 0);
	s = open_on_tty();
	CHECK(tcgetattr(0, &now) == 0);
	CHECK(!(now.c_lflag & (ICANON | ECHO)) && (now.c_lflag & ISIG));
	CHECK(!(now.c_iflag & (ICRNL | IXON)) && !(now.c_oflag & OPOST));
	flags = fcntl(screen_fd(s), F_GETFL);
	CHECK(flags & O_NONBLOCK);
	CHECK(!(fcntl(0, F_GETFL) & O_NONBLOCK) && !(fcntl(1, F_GETFL) & O_NONBLOCK));
	CHECK(sigaction(SIGTSTP, NULL, &action) == 0 && action.sa_handler == stop.sa_handler);
	CHECK(sigaction(SIGINT, NULL, &action) == 0 && action.sa_handler == interrupt.sa_handler);
	show(s, "first");
	screen_suspend(s);
	screen_suspend(s);
	CHECK(!screen_frame_begin(s));
	CHECK(tcgetattr(0, &now) == 0 && same_modes(&before, &now));
	screen_emergency_restore(); /* nothing to do while suspended */
	screen_resume(s);
	CHECK(tcgetattr(0, &now) == 0 && !(now.c_lflag & ICANON));
	show(s, "second");
	CHECK(screen_frame_begin(s));
	struct pane whole = pane_whole(s);
	pane_text(&whole, screen_height(s) - 1, 0, -1, STYLE_OK, "bottom");
	screen_frame_end(s);
	while (screen_flush(s) == 0)
		continue;
	screen_close(s);
	screen_close(NULL);
	CHECK(tcgetattr(0, &now) == 0 && same_modes(&before, &now));
	s = open_on_tty();
	show(s, "third");
	screen_emergency_restore();
	screen_emergency_restore();
	CHECK(tcgetattr(0, &now) == 0 && same_modes(&before, &now));
	say("done");
}

static void test_terminal_is_given_back(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_modes);
	pty_expect_last(&p, "done");
	/* entered and left the alternate screen as often: start, resume, start */
	assert_int_equal(count_of(&p.output, "\033[?1049h"), 3);
	assert_int_equal(count_of(&p.output, "\033[?1049l"), 3);
	assert_int_equal(count_of(&p.output, "\033[?25l"), 3);
	/* and pastes are marked as long */
	assert_int_equal(count_of(&p.output, "\033[?2004h"), 3);
	assert_int_equal(count_of(&p.output, "\033[?2004l"), 3);
	assert_int_equal(count_of(&p.output, "\033[?1h"), 3);
	assert_int_equal(count_of(&p.output, "\033[?1l"), 3);
	assert_int_equal(count_of(&p.output, "second"), 1);
	assert_int_equal(count_of(&p.output, "\033[1;30r"), 3);
	/* what an alternate screen that is none would leave before the prompt */
	assert_int_equal(count_of(&p.output, "bottom"), 1);
	assert_non_null(strstr(strstr(buf_str(&p.output), "bottom"), "\033[J"));
	pty_end(&p);
}

static void part_hostile(void)
{
	struct screen *s = open_on_tty();

	show(s, "A\033]0;evil\007B\xe2\x80\xae" "C\xc2\x9b" "31mD\x9b" "E\rF\x0eG\b\b\b\x05H");
	screen_close(s);
	say("done");
}

static void test_controls_are_not_sent(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_hostile);
	pty_expect_last(&p, "done");
	assert_int_equal(count_of(&p.output, "A?]0;evil?B?C?31mD\xef\xbf\xbd" "E?F?G????H"), 1);
	assert_int_equal(count_of(&p.output, "\033]0;"), 0);
	assert_int_equal(count_of(&p.output, "\xe2\x80\xae"), 0);
	assert_int_equal(count_of(&p.output, "\x9b"), 0);
	pty_end(&p);
}

static void full_frame(struct screen *s, int n)
{
	struct pane w = pane_whole(s);

	screen_invalidate(s);
	for (int y = 0; y < w.height; y++)
		for (int x = 0; x < w.width; x += 8)
			pane_textf(&w, y, x, 8, STYLE_OK, "%08d", n * 7919 + y * 131 + x);
	screen_frame_end(s);
}

/* Until the terminal takes no more, and keeps to that: the kernel hands on what it took a little later,
 * and then has room again. */
static void fill_terminal(struct screen *s)
{
	struct pollfd p = { .fd = screen_fd(s), .events = POLLOUT };
	int frames = 0;

	do {
		CHECK(screen_flush(s) >= 0);
		while (screen_frame_begin(s)) {
			full_frame(s, frames++);
			CHECK(screen_flush(s) >= 0);
			CHECK(frames < 100000);
		}
		tcflow(0, TCOOFF);
		if (screen_flush(s) == 0 && poll(&p, 1, 0) == 0)
			return;
		tcflow(0, TCOON);
	} while (true);
}

static void part_unread(void)
{
	struct screen *s = open_on_tty();
	struct pane w = pane_whole(s);
	size_t left;

	fill_terminal(s);
	left = screen_unsent(s);
	CHECK(left > 0 && left < 100000);
	for (int i = 0; i < 1000; i++) { /* frames are dropped, not queued */
		CHECK(!screen_frame_begin(s));
		pane_text(&w, 0, 0, -1, STYLE_OK, "dropped");
		screen_frame_end(s);
		CHECK(screen_flush(s) == 0);
	}
	CHECK(screen_unsent(s) == left);
	tcflow(0, TCOON);
	say("stuck");
	while (screen_flush(s) == 0) {
		struct pollfd p = { .fd = screen_fd(s), .events = POLLOUT };
		CHECK(poll(&p, 1, PATIENCE_MS) > 0);
	}
	CHECK(screen_unsent(s) == 0);
	show(s, "alive again");
	screen_close(s);
	say("done");
}

static void test_unread_terminal_never_blocks(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_unread);
	pty_expect(&p, "stuck", false);
	pty_expect_last(&p, "done");
	assert_int_equal(count_of(&p.output, "alive again"), 1);
	pty_end(&p);
}

/* Leaving must not wait for ever either. */
static void part_close_unread(void)
{
	struct screen *s = open_on_tty();
	struct termios before, now;

	fill_terminal(s);
	CHECK(tcgetattr(0, &before) == 0);
	screen_close(s);
	CHECK(tcgetattr(0, &now) == 0);
	CHECK(!(before.c_lflag & ICANON) && (now.c_lflag & ICANON));
	say("closed");
}

static void test_close_on_unread_terminal(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_close_unread);
	pty_expect(&p, "closed", false);
	pty_end(&p);
}

/* A crash in the middle of a frame, on a terminal that is only slow. */
static void part_crash_unread(void)
{
	struct screen *s = open_on_tty();
	const struct timespec slow = { .tv_nsec = 100000000 };
	struct termios now;

	fill_terminal(s);
	/* The reader wakes up when the way back has begun. */
	if (fork() == 0) {
		nanosleep(&slow, NULL);
		say("stuck");
		tcflow(0, TCOON);
		_exit(0);
	}
	screen_emergency_restore();
	CHECK(tcgetattr(0, &now) == 0 && (now.c_lflag & ICANON));
	say("restored");
}

static void test_crash_on_slow_terminal(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_crash_unread);
	pty_expect(&p, "stuck", false);
	pty_expect_last(&p, "restored");
	assert_int_equal(count_of(&p.output, "\033[?1049l"), 1);
	pty_end(&p);
}

static void expect_these(struct screen *s, const uint32_t *want, size_t count)
{
	uint32_t got[64];
	int have = 0;

	while (have < (int)count) {
		struct pollfd p = { .fd = screen_fd(s), .events = POLLIN };
		int n, wait_ms = keys_wait_ms(s);
		CHECK(poll(&p, 1, wait_ms >= 0 ? wait_ms : PATIENCE_MS) > 0 || wait_ms >= 0);
		n = keys_read(s, got + have, 64 - have);
		CHECK(n >= 0);
		have += n;
	}
	CHECK(have == (int)count);
	CHECK(memcmp(want, got, count * sizeof(*want)) == 0);
}

static void expect_keys(struct screen *s, const char *expected)
{
	uint32_t want[64];
	size_t count;

	CHECK(keys_parse(expected, want, 64, &count));
	expect_these(s, want, count);
}

static void part_keys(void)
{
	struct screen *s = open_on_tty();
	uint32_t key, want_pasted[10] = { [9] = 'j' };

	show(s, "keys");
	say("ready");
	CHECK(keys_read(s, &key, 0) == 0);
	expect_keys(s, "<Esc>");
	say("escape");
	/* both cursor modes, Home in three spellings, and nothing from what is unknown */
	expect_keys(s, "<Up><Up><PgDn><Home><Home><Home><F1><S-Tab><Del>jé日<Enter><Tab><BS><C-l>q");
	say("sequences");
	expect_keys(s, "<Esc>j<Esc>[");
	say("escapes");
	/* Torn, so late that Esc has been handed out: the rest is the arrow, and no '[' and 'A'. */
	expect_keys(s, "<Esc>");
	say("torn");
	expect_keys(s, "<Up>x");
	say("joined");
	CHECK(poll(&(struct pollfd){ .fd = screen_fd(s), .events = POLLIN }, 1, PATIENCE_MS) > 0);
	CHECK(keys_read(s, &key, 1) == 0);
	say("half");
	CHECK(poll(&(struct pollfd){ .fd = screen_fd(s), .events = POLLIN }, 1, PATIENCE_MS) > 0);
	expect_keys(s, "<Down>");
	say("late");
	/* A paste is text, whatever is in it: no Enter, no Esc, no arrow. The marks may be torn. */
	for (int i = 0; i < 9; i++)
		want_pasted[i] = KEYC_PASTED | (uint32_t)"mastery[A"[i];
	expect_these(s, want_pasted, 10);
	say("pasted");
	expect_keys(s, "<Esc>");
	say("torn mark");
	expect_these(s, (const uint32_t[]){ KEYC_PASTED | 0xe9, KEYC_PASTED | 'q', 'k' }, 3);
	say("end of paste");
	for (int i = 0; i < 3; i++) { /* more keys than asked for wait */
		struct pollfd p = { .fd = screen_fd(s), .events = POLLIN };
		CHECK(i > 0 || poll(&p, 1, PATIENCE_MS) > 0);
		CHECK(keys_read(s, &key, 1) == 1);
		CHECK(key == (uint32_t)('a' + i));
	}
	CHECK(keys_read(s, &key, 1) == 0);
	say("three");
	signal(SIGHUP, SIG_IGN);
	say("hangup");
	for (int n = 0; n >= 0;) {
		struct pollfd p = { .fd = screen_fd(s), .events = POLLIN };
		CHECK(poll(&p, 1, PATIENCE_MS) > 0);
		n = keys_read(s, &key, 1);
	}
	CHECK(screen_flush(s) == -1);
	CHECK(!screen_frame_begin(s));
	screen_close(s);
	say("done");
}

static void test_keys(void **state)
{
	static const char sequences[] = "\033OA\033[A\033[6~\033OH\033[H\033[1~\033OP\033[Z\033[3~"
					"\033[1;5A\033[?1;2c"
					"j\xc3\xa9\xe6\x97\xa5\r\t\x7f\x0c\xff\xc2\x9bq";
	static const char pasted[] = "\033[200~master\r\ny\033[A\033[201~j";
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_keys);
	pty_expect(&p, "ready", true);
	type_bytes(&p, "\033", 1);
	pty_expect(&p, "escape", true);
	type_bytes(&p, sequences, sizeof(sequences) - 1);
	pty_expect(&p, "sequences", true);
	type_bytes(&p, "\033j\033[", 4);
	pty_expect(&p, "escapes", true);
	type_bytes(&p, "\033", 1);
	pty_expect(&p, "torn", true);
	type_bytes(&p, "[Ax", 3);
	pty_expect(&p, "joined", true);
	type_bytes(&p, "\033[", 2);
	pty_expect(&p, "half", true);
	type_bytes(&p, "B", 1);
	pty_expect(&p, "late", true);
	type_bytes(&p, pasted, sizeof(pasted) - 1);
	pty_expect(&p, "pasted", true);
	type_bytes(&p, "\033", 1);
	pty_expect(&p, "torn mark", true);
	type_bytes(&p, "[200~\xc3", 6);
	type_bytes(&p, "\xa9q\x02\033[2", 6);
	type_bytes(&p, "01~k", 4);
	pty_expect(&p, "end of paste", true);
	type_bytes(&p, "abc", 3);
	pty_expect(&p, "hangup", true);
	close(p.master);
	p.master = -1;
	pty_expect(&p, "done", false);
	pty_end(&p);
}

static void part_resize(void)
{
	static const int sizes[][2] = { { 1, 1 }, { 300, 100 }, { 2, 50 }, { 80, 24 } };
	struct screen *s = open_on_tty();

	CHECK(screen_width(s) == 80 && screen_height(s) == 30);
	CHECK(!screen_check_size(s));
	show(s, "before");
	for (int i = 0; i < 4; i++) {
		set_window(0, sizes[i][0], sizes[i][1]);
		CHECK(screen_check_size(s));
		CHECK(screen_width(s) == sizes[i][0] && screen_height(s) == sizes[i][1]);
		show(s, "resized");
	}
	set_window(0, 0, 0); /* a line that knows no size */
	CHECK(!screen_check_size(s));
	screen_close(s);
	say("done");
}

static void test_resize(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_resize);
	pty_expect_last(&p, "done");
	assert_int_equal(count_of(&p.output, "resized"), 2);
	pty_end(&p);
}

static void part_unknown_term(void)
{
	struct screen *s = open_on_tty();

	CHECK(strstr(screen_notice(s), "nosuchterm"));
	CHECK(strstr(screen_notice(s), "xterm-256color") || strstr(screen_notice(s), "vt100"));
	show(s, "shown");
	screen_close(s);
	say("done");
}

static void part_console(void)
{
	static const float values[] = { 1, 2, 3, 4 };
	const double sparks[] = { 1, 2, 3, 4 };
	struct screen *s = open_on_tty();
	struct pane w = pane_whole(s), graph = pane_sub(&w, 3, 1, 2, 20);

	CHECK(screen_frame_begin(s));
	pane_box(&w, "box", true);
	for (int g = 0; g < GLYPH_COUNT; g++)
		pane_glyph(&w, 1, 1 + g, STYLE_OK, (enum glyph)g);
	pane_bar(&w, 2, 1, 20, 5.4, 20);
	pane_spark(&w, 2, 30, 4, sparks, 4, 4);
	pane_graph(&graph, GRAPH_AUTO, STYLE_SPARK, values, 4, 4);
	screen_frame_end(s);
	while (screen_flush(s) == 0)
		continue;
	screen_close(s);
	say("done");
}

/* Its fonts have no halves of a circle, no eighths of a block and no braille. */
static void test_linux_console(void **state)
{
	static const char *const lacks[] = { "◐", "○", "✖", "▏", "▍", "▌", "▁", "▅", "▇", "\xe2\xa0", "\xe2\xa1",
					     "\xe2\xa2", "\xe2\xa3" };
	struct pty p;

	(void)state;
	pty_start(&p, "linux", part_console);
	pty_expect_last(&p, "done");
	assert_non_null(strstr(buf_str(&p.output), "┌"));
	assert_non_null(strstr(buf_str(&p.output), "●!X?├└"));
	assert_non_null(strstr(buf_str(&p.output), "█████|"));
	for (size_t i = 0; i < sizeof(lacks) / sizeof(*lacks); i++)
		assert_int_equal(count_of(&p.output, lacks[i]), 0);
	pty_end(&p);
}

static void test_unknown_terminal_type(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "nosuchterm-17", part_unknown_term);
	pty_expect_last(&p, "done");
	assert_int_equal(count_of(&p.output, "shown"), 1);
	pty_end(&p);
}

static void part_not_a_terminal(void)
{
	struct screen_options opt = { .theme = headless_theme() };
	struct buf err = BUF_INIT;
	int null_fd = open("/dev/null", O_RDWR);

	dup2(null_fd, 1); /* the controlling terminal is still there: it must not be used */
	CHECK(!screen_open(&opt, &err));
	CHECK(strstr(buf_str(&err), "--once") && strstr(buf_str(&err), "--events"));
	CHECK(strstr(buf_str(&err), "not a terminal"));
	say("done");
}

static void test_not_a_terminal(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "xterm-256color", part_not_a_terminal);
	pty_expect_last(&p, "done");
	assert_int_equal(p.output.len, 0);
	pty_end(&p);
}

static void part_vt100(void)
{
	struct screen *s = open_on_tty();

	CHECK(*screen_notice(s) == '\0');
	show(s, "plain");
	screen_close(s);
	say("done");
}

/* No colour sequences for a terminal without colours. */
static void test_vt100(void **state)
{
	struct pty p;

	(void)state;
	pty_start(&p, "vt100", part_vt100);
	pty_expect_last(&p, "done");
	assert_int_equal(count_of(&p.output, "plain"), 1);
	assert_int_equal(count_of(&p.output, "[38;5"), 0);
	assert_int_equal(count_of(&p.output, "[32"), 0);
	/* its cursor can't be hidden: it stands in the corner */
	assert_int_equal(count_of(&p.output, "plain\033[30;80H"), 1);
	pty_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terminal_is_given_back),
		cmocka_unit_test(test_controls_are_not_sent),
		cmocka_unit_test(test_unread_terminal_never_blocks),
		cmocka_unit_test(test_close_on_unread_terminal),
		cmocka_unit_test(test_crash_on_slow_terminal),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_unknown_terminal_type),
		cmocka_unit_test(test_not_a_terminal),
		cmocka_unit_test(test_vt100),
		cmocka_unit_test(test_linux_console),
	};

	if (!headless_ready())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
