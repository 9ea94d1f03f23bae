#include "config.h"

#include "app/demo.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "app/demo_guard.h"
#include "base/clock.h"

#define START_MS 60000 /* the guard's own waits are shorter; this is for a guard that hangs */
#define STOP_MS  10000

/* One message; false when the guard is gone or silent for too long. */
static bool receive(int fd, struct demo_message *message, int64_t deadline_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	for (;;) {
		int64_t left_ms = deadline_ms - clock_mono_ms();
		int n = poll(&pfd, 1, left_ms > 0 ? (int)left_ms : 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		return recv(fd, message, sizeof *message, 0) == (ssize_t)sizeof *message;
	}
}

static void take_over(struct demo *d, const struct demo_message *message)
{
	memcpy(d->folder, message->folder, sizeof d->folder);
	memcpy(d->targets, message->targets, sizeof d->targets);
	d->target_count = message->target_count;
	memcpy(d->data_password, message->data_password, sizeof d->data_password);
	memcpy(d->sentinel_password, message->sentinel_password, sizeof d->sentinel_password);
}

/* Reports progress until the guard says that all is there, or why not. */
static bool await_ready(struct demo *d, struct buf *err)
{
	int64_t deadline_ms = clock_mono_ms() + START_MS;
	struct demo_message message;

	while (receive(d->pipe_fd, &message, deadline_ms)) {
		switch (message.type) {
		case DEMO_MESSAGE_PROGRESS:
			fprintf(stderr, "demo: %s\n", message.text);
			break;
		case DEMO_MESSAGE_ERROR:
			buf_addstr(err, message.text);
			return false;
		case DEMO_MESSAGE_READY:
			take_over(d, &message);
			fprintf(stderr, "demo: ready, in %s\n", d->folder);
			return true;
		case DEMO_MESSAGE_NONE:
			break;
		}
	}
	buf_addstr(err, "the process that runs the demo's servers ended or hangs");
	return false;
}

bool demo_start(struct demo *d, enum demo_kind kind, struct buf *err)
{
	int fds[2];
	pid_t pid;

	memset(d, 0, sizeof *d);
	d->pipe_fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
		buf_addf(err, "can't start the demo: %s", strerror(errno));
		return false;
	}
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		demo_guard_run(fds[1], kind);
	}
	close(fds[1]);
	d->pipe_fd = fds[0];
	d->guard_pid = pid;
	if (pid < 0) {
		buf_addf(err, "can't start the demo: %s", strerror(errno));
		close(fds[0]);
		memset(d, 0, sizeof *d);
		d->pipe_fd = -1;
		return false;
	}
	if (await_ready(d, err))
		return true;
	demo_stop(d);
	return false;
}

/* Its end of the socket closes when the guard is gone; it never closes it before. */
static bool guard_is_gone(int fd, int64_t deadline_ms)
{
	struct demo_message message;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	while (clock_mono_ms() < deadline_ms) {
		ssize_t n;

		if (poll(&pfd, 1, 100) <= 0)
			continue;
		n = recv(fd, &message, sizeof message, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return true;
	}
	return false;
}

void demo_stop(struct demo *d)
{
	if (d->guard_pid <= 0)
		return;
	shutdown(d->pipe_fd, SHUT_WR);
	/* The kernel kills the servers with the guard: nothing survives a guard that hangs. */
	if (!guard_is_gone(d->pipe_fd, clock_mono_ms() + STOP_MS))
		kill(d->guard_pid, SIGKILL);
	/* ECHILD when the event loop has reaped it already. */
	while (waitpid(d->guard_pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(d->pipe_fd);
	d->pipe_fd = -1;
	d->guard_pid = 0;
	explicit_bzero(d->data_password, sizeof d->data_password);
	explicit_bzero(d->sentinel_password, sizeof d->sentinel_password);
}
