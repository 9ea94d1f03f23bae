/* The anchor of a poll: the least that a client can do for INFO of every node once a second.
 *
 *   poll poll SECONDS skip|reader plain|cluster PORT...   prints CPU microseconds a node and poll
 *   poll load SECONDS PORT...                             writes to every master at changing rates
 *
 * skip measures the replies and looks no further; reader lets hiredis make objects of them. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES (64 * 1024)

static const char ask_info[] = "*1\r\n$4\r\nINFO\r\n";
static const char ask_cluster_info[] = "*2\r\n$7\r\nCLUSTER\r\n$4\r\nINFO\r\n";
static const char ask_cluster_nodes[] = "*2\r\n$7\r\nCLUSTER\r\n$5\r\nNODES\r\n";

struct peer {
	int fd;
	redisReader *reader;
	/* skip: in the head line of a bulk string, or so many bytes before its end */
	char head[32];
	size_t head_len, left;
	unsigned replies;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
	       u.ru_stime.tv_usec;
}

static void die(const char *what)
{
	fprintf(stderr, "poll: %s: %s\n", what, strerror(errno));
	exit(1);
}

static redisContext *dial(int port)
{
	redisContext *c = redisConnect("127.0.0.1", port);

	if (!c || c->err)
		die("connect");
	return c;
}

static void skip_bytes(struct peer *p, const char *s, size_t len)
{
	while (len > 0) {
		if (p->left > 0) {
			size_t n = p->left < len ? p->left : len;

			p->left -= n;
			p->replies += p->left == 0;
			s += n;
			len -= n;
			continue;
		}
		if (p->head_len < sizeof(p->head) - 1)
			p->head[p->head_len++] = *s;
		if (*s == '\n') {
			p->head[p->head_len] = '\0';
			p->head_len = 0;
			if (p->head[0] == '$')
				p->left = (size_t)strtoull(p->head + 1, NULL, 10) + 2;
			else
				p->replies++;
		}
		s++;
		len--;
	}
}

static void take(struct peer *p, bool with_reader)
{
	static char buffer[READ_BYTES];
	ssize_t n = read(p->fd, buffer, sizeof(buffer));
	void *reply;

	if (n <= 0)
		die("read");
	if (!with_reader) {
		skip_bytes(p, buffer, (size_t)n);
		return;
	}
	redisReaderFeed(p->reader, buffer, (size_t)n);
	while (redisReaderGetReply(p->reader, &reply) == REDIS_OK && reply) {
		freeReplyObject(reply);
		p->replies++;
	}
}

static void ask(struct peer *p, bool cluster, bool nodes)
{
	char out[256];
	size_t len = sizeof(ask_info) - 1;

	memcpy(out, ask_info, len);
	if (cluster) {
		memcpy(out + len, ask_cluster_info, sizeof(ask_cluster_info) - 1);
		len += sizeof(ask_cluster_info) - 1;
	}
	if (nodes) {
		memcpy(out + len, ask_cluster_nodes, sizeof(ask_cluster_nodes) - 1);
		len += sizeof(ask_cluster_nodes) - 1;
	}
	if (write(p->fd, out, len) != (ssize_t)len)
		die("write");
}

static int run_poll(int argc, char **argv)
{
	int seconds = atoi(argv[0]), count = argc - 3;
	bool with_reader = strcmp(argv[1], "reader") == 0, cluster = strcmp(argv[2], "cluster") == 0;
	struct peer *peers = calloc((size_t)count, sizeof(*peers));
	int ep = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), ticks = 0;
	struct itimerspec every = { .it_interval = { .tv_sec = 1 }, .it_value = { .tv_nsec = 1000000 } };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
	int64_t from_us = 0;
	unsigned long replies = 0;

	if (!peers || ep < 0 || timer < 0)
		die("start");
	for (int i = 0; i < count; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = &peers[i] };

		peers[i].fd = dial(atoi(argv[3 + i]))->fd;
		peers[i].reader = redisReaderCreate();
		epoll_ctl(ep, EPOLL_CTL_ADD, peers[i].fd, &e);
	}
	epoll_ctl(ep, EPOLL_CTL_ADD, timer, &event);
	timerfd_settime(timer, 0, &every, NULL);
	for (;;) {
		struct epoll_event ready[64];
		int n = epoll_wait(ep, ready, 64, -1);

		for (int i = 0; i < n; i++) {
			uint64_t expired;

			if (ready[i].data.ptr) {
				take(ready[i].data.ptr, with_reader);
				continue;
			}
			if (read(timer, &expired, sizeof(expired)) < 0)
				continue;
			/* The first round warms up. */
			if (ticks == 1)
				from_us = cpu_us();
			if (ticks++ == seconds + 1)
				goto done;
			for (int k = 0; k < count; k++)
				ask(&peers[k], cluster, cluster && k == ticks % count);
		}
	}
done:
	for (int i = 0; i < count; i++)
		replies += peers[i].replies;
	if (replies < (unsigned long)(seconds * count))
		fprintf(stderr, "poll: only %lu replies\n", replies);
	printf("us_per_poll %.2f\n", (double)(cpu_us() - from_us) / seconds / count);
	return 0;
}

/* A key that this node of a cluster takes, found by trying. */
static void find_key(redisContext *c, char *key, size_t size)
{
	for (int i = 0; i < 5000; i++) {
		redisReply *r;
		bool ok;

		snprintf(key, size, "bench:%d", i);
		r = redisCommand(c, "SET %s x", key);
		ok = r && r->type == REDIS_REPLY_STATUS;
		if (r)
			freeReplyObject(r);
		if (ok)
			return;
	}
	die("no key for this node");
}

static int run_load(int argc, char **argv)
{
	int seconds = atoi(argv[0]), count = argc - 1;
	redisContext **peers = calloc((size_t)count, sizeof(*peers));
	char (*keys)[32] = calloc((size_t)count, sizeof(*keys));
	char value[400];
	int64_t end_us;
	unsigned seed = 1;

	if (!peers || !keys)
		die("start");
	memset(value, 'x', sizeof(value));
	for (int i = 0; i < count; i++) {
		peers[i] = dial(atoi(argv[1 + i]));
		find_key(peers[i], keys[i], sizeof(keys[i]));
	}
	end_us = now_us() + (int64_t)seconds * 1000000;
	while (now_us() < end_us) {
		for (int i = 0; i < count; i++) {
			int commands = rand_r(&seed) % 40;
			redisReply *r;

			for (int k = 0; k < commands; k++)
				if (redisAppendCommand(peers[i], "SET %s %b", keys[i], value,
						       (size_t)(1 + rand_r(&seed) % 400)) != REDIS_OK)
					die("SET");
			for (int k = 0; k < commands; k++) {
				if (redisGetReply(peers[i], (void **)&r) != REDIS_OK)
					return 1;
				freeReplyObject(r);
			}
		}
		usleep(100000);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 5 && strcmp(argv[1], "poll") == 0)
		return run_poll(argc - 2, argv + 2);
	if (argc > 3 && strcmp(argv[1], "load") == 0)
		return run_load(argc - 2, argv + 2);
	fprintf(stderr, "usage: poll poll SECONDS skip|reader plain|cluster PORT... | load SECONDS PORT...\n");
	return 64;
}
