/* For tests on a terminal: a child with a pty as its controlling terminal does one part, the test is at
 * the other end, and the child says through a pipe how far it has come. */
#ifndef TESTS_PTY_H
#define TESTS_PTY_H

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"

#define PATIENCE_MS 300000 /* a limit for what never happens, however busy the machine */

/* A child with the pty as its controlling terminal does `part`; the test is at the other end. */
struct pty {
	int master;
	int report; /* what the child has to say, read end */
	pid_t pid;
	struct termios before;
	struct buf output; /* what the terminal got */
	char said[1024];   /* by the child, and not expected yet */
};

static int report_fd; /* in the child */

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			dprintf(report_fd, "line %d: %s\n", __LINE__, #condition);                 \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static inline void set_window(int fd, int width, int height)
{
	struct winsize size = { .ws_row = (unsigned short)height, .ws_col = (unsigned short)width };

	ioctl(fd, TIOCSWINSZ, &size);
}

static inline void child_main(const char *slave, const char *term, void (*part)(void))
{
	int fd;

	setsid();
	fd = open(slave, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0)
		_exit(2);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	setenv("TERM", term, 1);
	alarm(PATIENCE_MS / 1000); /* a child that blocks is a failure, not a hang */
	part();
	_exit(0);
}

static inline void pty_start(struct pty *p, const char *term, void (*part)(void))
{
	char slave[64];
	int pipe_fds[2], hold;

	memset(p, 0, sizeof(*p));
	p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(p->master >= 0);
	assert_int_equal(grantpt(p->master) | unlockpt(p->master), 0);
	assert_int_equal(ptsname_r(p->master, slave, sizeof(slave)), 0);
	assert_int_equal(pipe(pipe_fds), 0);
	set_window(p->master, 80, 30); /* not the size that curses would guess */
	hold = open(slave, O_RDWR | O_NOCTTY);
	assert_true(hold >= 0);
	assert_int_equal(tcgetattr(hold, &p->before), 0);
	fflush(NULL);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0) {
		close(p->master);
		close(pipe_fds[0]);
		close(hold);
		report_fd = pipe_fds[1];
		child_main(slave, term, part);
	}
	close(pipe_fds[1]);
	close(hold);
	p->report = pipe_fds[0];
}

static inline void pty_read_terminal(struct pty *p)
{
	char block[4096];
	ssize_t got = read(p->master, block, sizeof(block));

	if (got > 0)
		buf_add(&p->output, block, (size_t)got);
}

/* Reads the terminal until the child's report holds the word, or the child is gone. What it says behind
 * the word is kept for the next one. */
static inline void pty_expect(struct pty *p, const char *word, bool read_terminal)
{
	const char *hit;

	while (!(hit = strstr(p->said, word))) {
		struct pollfd fds[2] = {
			{ .fd = p->report, .events = POLLIN },
			{ .fd = read_terminal ? p->master : -1, .events = POLLIN },
		};
		size_t len = strlen(p->said);
		ssize_t got;

		assert_true(poll(fds, 2, PATIENCE_MS) > 0);
		if (fds[1].revents & POLLIN) {
			pty_read_terminal(p);
			continue;
		}
		if (!fds[0].revents)
			continue;
		got = read(p->report, p->said + len, sizeof(p->said) - 1 - len);
		if (got <= 0)
			fail_msg("the child said '%s' instead of '%s'", p->said, word);
		p->said[len + (size_t)got] = '\0';
	}
	hit += strlen(word);
	memmove(p->said, hit, strlen(hit) + 1);
}

/* The last word, and all that the child sent to the terminal: the kernel hands that on when it has time,
 * and says that there is no more when the child is gone. */
static inline void pty_expect_last(struct pty *p, const char *word)
{
	size_t before;

	pty_expect(p, word, true);
	do {
		before = p->output.len;
		pty_read_terminal(p);
	} while (p->output.len > before);
}

static inline void pty_end(struct pty *p)
{
	int status = 0;

	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(p->master);
	close(p->report);
	buf_free(&p->output);
}

static inline void say(const char *word)
{
	dprintf(report_fd, "%s\n", word);
}

static inline size_t count_of(const struct buf *b, const char *bytes)
{
	size_t count = 0;

	for (const char *at = buf_str(b); (at = strstr(at, bytes)) != NULL; at++)
		count++;
	return count;
}

static inline void type_bytes(struct pty *p, const char *bytes, size_t len)
{
	assert_int_equal(write(p->master, bytes, len), len);
}

#endif
