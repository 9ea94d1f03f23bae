/* A client as its library makes it: asks the Sentinels one after the other for the master that none of
 * its flags speaks against (as redis-py does), writes to it, and on an error closes the connection and
 * asks again. An independent measure of what --probe says.
 *
 *   client EVERY_MS SENTINEL_PORT... with PASSWORD and SENTINEL_PASSWORD in the environment
 *
 * Prints a line for each outage, from when the first write that failed was begun to the first good
 * one: "outage MS FAILED FROM_MS TO_MS", the last two by the wall clock. Ends when it is killed. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS  500
#define REPLY_BYTES 16384

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void print_outage(int64_t ms, long failed)
{
	int64_t end_ms = wall_ms();

	printf("outage %lld %ld %lld %lld\n", (long long)ms, failed, (long long)(end_ms - ms),
	       (long long)end_ms);
}

static int dial(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct timeval wait = { .tv_usec = TIMEOUT_MS * 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Lines of a reply: a status, or as many as an array of strings has (two for each). */
static int lines_of(const char *reply)
{
	return reply[0] == '*' ? 1 + 2 * atoi(reply + 1) : 1;
}

static bool is_whole(const char *reply)
{
	int lines = 0;

	for (const char *end = strstr(reply, "\r\n"); end; end = strstr(end + 2, "\r\n"))
		lines++;
	return lines > 0 && lines >= lines_of(reply);
}

/* An inline command. False: no reply in time. */
static bool ask(int fd, const char *command, char reply[REPLY_BYTES])
{
	size_t len = 0;

	if (fd < 0 || send(fd, command, strlen(command), MSG_NOSIGNAL) < 0)
		return false;
	reply[0] = '\0';
	while (!is_whole(reply)) {
		ssize_t got = recv(fd, reply + len, REPLY_BYTES - 1 - len, 0);

		if (got <= 0)
			return false;
		len += (size_t)got;
		reply[len] = '\0';
	}
	return true;
}

static int open_as(int port, const char *password)
{
	char command[256], reply[REPLY_BYTES];
	int fd = dial(port);

	snprintf(command, sizeof(command), "AUTH %s\r\n", password);
	if (fd >= 0 && ask(fd, command, reply) && reply[0] == '+')
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The line behind the name. */
static const char *field(const char *reply, const char *name)
{
	char wanted[64];
	const char *at;

	snprintf(wanted, sizeof(wanted), "\r\n%s\r\n", name);
	at = strstr(reply, wanted);
	at = at ? strstr(at + strlen(wanted), "\r\n") : NULL;
	return at ? at + 2 : NULL;
}

/* The master's port by one Sentinel; 0: it cannot say, or holds it for down. */
static int ask_sentinel(int port)
{
	char reply[REPLY_BYTES], flags[128];
	int fd = open_as(port, getenv("SENTINEL_PASSWORD")), master = 0;

	if (ask(fd, "SENTINEL MASTER mymaster\r\n", reply) && field(reply, "flags") &&
	    field(reply, "port")) {
		snprintf(flags, sizeof(flags), "%.*s", (int)strcspn(field(reply, "flags"), "\r"),
			 field(reply, "flags"));
		if (strstr(flags, "master") && !strstr(flags, "down"))
			master = atoi(field(reply, "port"));
	}
	if (fd >= 0)
		close(fd);
	return master;
}

static int connect_to_master(int count, char **ports)
{
	for (int i = 0; i < count; i++) {
		int master = ask_sentinel(atoi(ports[i]));

		if (master != 0)
			return open_as(master, getenv("PASSWORD"));
	}
	return -1;
}

int main(int argc, char **argv)
{
	char reply[REPLY_BYTES];
	int fd = -1, every_ms = argc > 2 ? atoi(argv[1]) : 0;
	int64_t failed_ms = 0;
	long failed = 0;

	if (every_ms <= 0 || !getenv("PASSWORD") || !getenv("SENTINEL_PASSWORD"))
		return 64;
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (poll(NULL, 0, every_ms) == 0) {
		int64_t begun_ms = now_ms();

		if (fd < 0)
			fd = connect_to_master(argc - 2, argv + 2);
		if (ask(fd, "SET client:loop 1 PX 60000\r\n", reply) && reply[0] == '+') {
			if (failed_ms != 0)
				print_outage(now_ms() - failed_ms, failed);
			failed_ms = failed = 0;
			continue;
		}
		failed++;
		if (failed_ms == 0)
			failed_ms = begun_ms;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	return 0;
}
