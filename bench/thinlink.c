/* thinlink RTT_MS BYTES_PER_S COMMAND...
 *
 * A long, thin SSH session in small: runs the command on a terminal of its own and passes keys and
 * output on, each half a round trip later, the output at so many bytes a second. Like sshd it reads
 * the terminal at once and holds what is on its way, up to HELD_MAX; then it reads no more. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define HELD_MAX    65536
#define PIECES_MAX  4096
#define PIECE_BYTES 256

struct piece {
	int64_t due_us;
	size_t len, sent;
	char bytes[PIECE_BYTES];
};

/* One direction. */
struct lane {
	int from, to;
	int64_t delay_us, free_us;  /* when the line has taken what was put on it */
	double bytes_per_us;        /* 0: no limit */
	struct piece *pieces;       /* a ring */
	size_t first, count, held;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool has_room(const struct lane *l)
{
	return l->count < PIECES_MAX && l->held < HELD_MAX;
}

static bool take(struct lane *l)
{
	struct piece *p = &l->pieces[(l->first + l->count) % PIECES_MAX];
	ssize_t n = read(l->from, p->bytes, sizeof(p->bytes));
	int64_t now = now_us();

	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	if (l->free_us < now)
		l->free_us = now;
	if (l->bytes_per_us > 0)
		l->free_us += (int64_t)((double)n / l->bytes_per_us);
	p->due_us = l->free_us + l->delay_us;
	p->len = (size_t)n;
	p->sent = 0;
	l->count++;
	l->held += p->len;
	return true;
}

static bool give(struct lane *l)
{
	while (l->count > 0 && l->pieces[l->first].due_us <= now_us()) {
		struct piece *p = &l->pieces[l->first];
		ssize_t n = write(l->to, p->bytes + p->sent, p->len - p->sent);

		if (n < 0)
			return errno == EINTR || errno == EAGAIN;
		p->sent += (size_t)n;
		l->held -= (size_t)n;
		if (p->sent < p->len)
			continue;
		l->first = (l->first + 1) % PIECES_MAX;
		l->count--;
	}
	return true;
}

static int64_t wait_us(const struct lane *l)
{
	int64_t left = l->count > 0 ? l->pieces[l->first].due_us - now_us() : 1000000;

	return left > 0 ? left : 0;
}

static void relay(struct lane *keys, struct lane *output)
{
	for (;;) {
		struct pollfd polls[2] = {
			{ .fd = has_room(keys) ? keys->from : -1, .events = POLLIN },
			{ .fd = has_room(output) ? output->from : -1, .events = POLLIN },
		};
		int64_t a = wait_us(keys), b = wait_us(output), least = a < b ? a : b;
		struct timespec wait = { .tv_sec = least / 1000000, .tv_nsec = least % 1000000 * 1000 };

		ppoll(polls, 2, &wait, NULL);
		if (polls[0].revents && !take(keys))
			return;
		if (polls[1].revents && !take(output))
			return;
		if (!give(keys) || !give(output))
			return;
	}
}

static int open_terminal(char **command)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	const char *name = fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0 ? ptsname(fd) : NULL;
	struct winsize size;
	struct termios raw;

	if (!name)
		return -1;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(fd, TIOCSWINSZ, &size);
	if (tcgetattr(STDIN_FILENO, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	if (fork() == 0) {
		int inner;

		setsid();
		inner = open(name, O_RDWR);
		ioctl(inner, TIOCSCTTY, 0);
		dup2(inner, STDIN_FILENO);
		dup2(inner, STDOUT_FILENO);
		dup2(inner, STDERR_FILENO);
		execvp(command[0], command);
		_exit(127);
	}
	return fd;
}

int main(int argc, char **argv)
{
	int64_t rtt_us = argc > 3 ? atoi(argv[1]) * 1000LL : 0;
	struct lane keys = { .from = STDIN_FILENO, .delay_us = rtt_us / 2 };
	struct lane output = { .to = STDOUT_FILENO, .delay_us = rtt_us / 2 };

	if (argc < 4) {
		fprintf(stderr, "usage: thinlink RTT_MS BYTES_PER_S COMMAND...\n");
		return 1;
	}
	output.bytes_per_us = atof(argv[2]) / 1e6;
	keys.pieces = calloc(PIECES_MAX, sizeof(struct piece));
	output.pieces = calloc(PIECES_MAX, sizeof(struct piece));
	keys.to = output.from = open_terminal(argv + 3);
	if (keys.to < 0 || !keys.pieces || !output.pieces) {
		fprintf(stderr, "thinlink: no terminal\n");
		return 1;
	}
	relay(&keys, &output);
	close(keys.to);
	while (wait(NULL) > 0)
		;
	return 0;
}
