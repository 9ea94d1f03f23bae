/* hostile MODE: a server on a free port of 127.0.0.1 that prints the port and then behaves badly to
 * whoever connects, until its parent ends; a line "client" for each. For tests/live/faults.sh.
 *
 * It reads its clients' commands only as far as it must: every whole request gets one answer. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <unistd.h>

#define CLIENTS_MAX 64
#define REQUEST_MAX 8192
#define ANSWER_MAX  16384

/* The title, the whole screen, another colour, the 8-bit CSI, a bidi override, a bell, half a
 * character, and what makes some terminals type an answer. No line end: in INFO it ends the field. */
#define EVIL      "\033]0;PWNED\007\033[2J\033[31mX\302\233 31m\342\200\256\177\010\303\033[c\033P"
/* The same as one word, for text that is split at blanks. */
#define EVIL_WORD "\033]0;PWNED\007\033[2J\033[31mX\302\23331m\342\200\256\177\010\303\033[c\033P"

struct client {
	int fd;
	bool talking; /* slow and endless modes: has asked something */
	size_t at;
	size_t len;
	char request[REQUEST_MAX];
};

struct mode {
	const char *name;
	/* Returns false to hang up. */
	bool (*on_connect)(struct client *c);
	bool (*on_bytes)(struct client *c);
	bool (*on_tick)(struct client *c);
	int tick_ms;
};

static int listen_port;

static bool put(const struct client *c, const void *bytes, size_t len)
{
	/* What does not fit is lost: nobody here waits for a client. */
	return send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 || errno == EAGAIN;
}

static bool put_text(const struct client *c, const char *text)
{
	return put(c, text, strlen(text));
}

/* --- requests ---------------------------------------------------------------------------------- */

/* The words of the first whole request, in lower case and cut; 0 when there is none yet. */
static size_t next_request(const struct client *c, char words[][32], int max, int *count)
{
	const char *p = c->request, *end = c->request + c->len;
	long left = 0;
	*count = 0;
	if (c->len == 0 || *p != '*')
		return 0;
	for (bool head = true; head || left > 0; head = false) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		char *stop;
		if (eol == NULL)
			return 0;
		long number = strtol(p + 1, &stop, 10);
		p = eol + 1;
		if (number < 0 || number > REQUEST_MAX)
			return 0;
		if (head) {
			left = number;
			continue;
		}
		if (end - p < number + 2)
			return 0;
		if (*count < max) {
			int cut = number < 31 ? (int)number : 31;
			snprintf(words[*count], 32, "%.*s", cut, p);
			(*count)++;
		}
		p += number + 2;
		left--;
	}
	return (size_t)(p - c->request);
}

static void drop_request(struct client *c, size_t used)
{
	memmove(c->request, c->request + used, c->len - used);
	c->len -= used;
}

/* Calls answer for every whole request. Whoever logs in is let in. */
static bool each_request(struct client *c, bool (*answer)(struct client *, char words[][32], int))
{
	char words[4][32];
	size_t used;
	int count;
	while ((used = next_request(c, words, 4, &count)) > 0) {
		drop_request(c, used);
		for (int i = count; i < 4; i++)
			words[i][0] = '\0';
		if (strcasecmp(words[0], "auth") == 0 ? !put_text(c, "+OK\r\n") : !answer(c, words, count))
			return false;
	}
	return true;
}

/* --- a RESP reply ------------------------------------------------------------------------------ */

struct reply {
	char text[ANSWER_MAX];
	size_t len;
};

static void add(struct reply *r, const char *bytes, size_t len)
{
	if (len > sizeof(r->text) - r->len)
		len = sizeof(r->text) - r->len;
	memcpy(r->text + r->len, bytes, len);
	r->len += len;
}

static void add_text(struct reply *r, const char *text)
{
	add(r, text, strlen(text));
}

static void add_head(struct reply *r, char type, size_t number)
{
	char head[32];
	snprintf(head, sizeof(head), "%c%zu\r\n", type, number);
	add_text(r, head);
}

static void add_bulk(struct reply *r, const char *bytes, size_t len)
{
	add_head(r, '$', len);
	add(r, bytes, len);
	add_text(r, "\r\n");
}

static void add_string(struct reply *r, const char *text)
{
	add_bulk(r, text, strlen(text));
}

static bool put_reply(struct client *c, const struct reply *r)
{
	return put(c, r->text, r->len);
}

static bool put_bulk(struct client *c, const struct reply *body)
{
	static struct reply r;
	r.len = 0;
	add_bulk(&r, body->text, body->len);
	return put_reply(c, &r);
}

/* --- escapes: valid RESP whose every string is hostile ----------------------------------------- */

static bool put_evil_error(struct client *c)
{
	return put_text(c, "-ERR " EVIL "\r\n");
}

static bool put_evil_info(struct client *c, const char *mode, const char *role)
{
	static struct reply body;
	char port[64];
	body.len = 0;
	add_text(&body, "# Server\r\nredis_version:7" EVIL ".0\r\nredis_mode:");
	add_text(&body, mode);
	add_text(&body, "\r\nos:" EVIL "\r\nrun_id:" EVIL "\r\nuptime_in_seconds:1" EVIL "\r\n" EVIL ":" EVIL
			"\r\nused_memory_human:" EVIL "\r\nmaxmemory_policy:" EVIL "\r\n# Replication\r\nrole:");
	add_text(&body, role);
	add_text(&body, "\r\nmaster_replid:" EVIL "\r\nmaster_failover_state:" EVIL "\r\nconnected_slaves:2\r\n"
			"slave0:ip=" EVIL ",port=1,state=" EVIL ",offset=1,lag=0\r\n"
			"slave1:ip=127.0.0.1,port=1,state=" EVIL ",offset=1,lag=0\r\n");
	snprintf(port, sizeof(port), "127.0.0.1:%d", listen_port);
	add_text(&body, "# Sentinel\r\nsentinel_masters:1\r\nmaster0:name=" EVIL ",status=" EVIL ",address=");
	add_text(&body, port);
	add_text(&body, ",slaves=1,sentinels=1\r\n# Keyspace\r\ndb0:keys=" EVIL ",expires=0\r\n");
	return put_bulk(c, &body);
}

static void add_field(struct reply *r, const char *name, const char *value)
{
	add_string(r, name);
	add_string(r, value);
}

/* One master, replica or Sentinel of SENTINEL MASTERS, REPLICAS, SENTINELS. */
static bool put_evil_list(struct client *c, const char *flags)
{
	static struct reply r;
	char port[16];
	r.len = 0;
	snprintf(port, sizeof(port), "%d", listen_port);
	add_head(&r, '*', 1);
	add_head(&r, '*', 26);
	add_field(&r, "name", "my" EVIL);
	add_field(&r, "ip", "127.0.0.1");
	add_field(&r, "port", port);
	add_field(&r, "runid", EVIL);
	add_field(&r, "flags", flags);
	add_field(&r, "role-reported", EVIL);
	add_field(&r, "config-epoch", "0" EVIL);
	add_field(&r, "num-slaves", "1");
	add_field(&r, "num-other-sentinels", "1");
	add_field(&r, "quorum", "1");
	add_field(&r, "master-link-status", EVIL);
	add_field(&r, "master-host", EVIL);
	add_field(&r, EVIL, EVIL);
	return put_reply(c, &r);
}

static bool answer_sentinel(struct client *c, const char *verb)
{
	if (strcasecmp(verb, "masters") == 0)
		return put_evil_list(c, "master," EVIL);
	if (strcasecmp(verb, "replicas") == 0 || strcasecmp(verb, "slaves") == 0)
		return put_evil_list(c, "slave," EVIL);
	if (strcasecmp(verb, "sentinels") == 0)
		return put_evil_list(c, "sentinel," EVIL);
	if (strcasecmp(verb, "myid") == 0)
		return put_text(c, "$40\r\n\033[2J\033[31m\033]0;P\007aaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
	return put_text(c, "-NOGOODSLAVE " EVIL "\r\n");
}

/* Subscribed, and a message at once: channel and payload as Sentinel's, and not. */
static bool answer_subscribe(struct client *c)
{
	static struct reply r;
	static const char *const channels[] = { "+sdown", "+switch-master", ("+" EVIL) };
	r.len = 0;
	add_head(&r, '*', 3);
	add_string(&r, "psubscribe");
	add_string(&r, "*");
	add_text(&r, ":1\r\n");
	for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
		add_head(&r, '*', 4);
		add_string(&r, "pmessage");
		add_string(&r, "*");
		add_string(&r, channels[i]);
		add_string(&r, i == 1 ? "my" EVIL " 127.0.0.1 1 127.0.0.1 2" : "master my" EVIL " 127.0.0.1 1 " EVIL);
	}
	return put_reply(c, &r);
}

static bool answer_escapes_sentinel(struct client *c, char words[][32], int count)
{
	(void)count;
	if (strcasecmp(words[0], "info") == 0)
		return put_evil_info(c, "sentinel", "sentinel");
	if (strcasecmp(words[0], "sentinel") == 0)
		return answer_sentinel(c, words[1]);
	if (strcasecmp(words[0], "psubscribe") == 0)
		return answer_subscribe(c);
	return put_evil_error(c);
}

static bool answer_escapes_node(struct client *c, char words[][32], int count)
{
	(void)count;
	if (strcasecmp(words[0], "info") == 0)
		return put_evil_info(c, "standalone", "master");
	return put_evil_error(c);
}

static bool answer_escapes_cluster(struct client *c, char words[][32], int count)
{
	static struct reply body;
	char line[512];
	(void)count;
	if (strcasecmp(words[0], "info") == 0)
		return put_evil_info(c, "cluster\r\ncluster_enabled:1", "master");
	if (strcasecmp(words[0], "cluster") != 0)
		return put_evil_error(c);
	body.len = 0;
	if (strcasecmp(words[1], "nodes") == 0) {
		snprintf(line, sizeof(line),
			 "%s 127.0.0.1:%d@1 myself,master - 0 0 1 connected 0-5460 [1->-%s]\n",
			 "e7d1eecce10fd6bb5eb35b9f99a514335d9ba9ca", listen_port, EVIL_WORD);
		add_text(&body, line);
		add_text(&body, "67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1 127.0.0.1:1@2," EVIL_WORD
				" slave," EVIL_WORD " e7d1eecce10fd6bb5eb35b9f99a514335d9ba9ca 0 0 1 " EVIL_WORD "\n");
		add_text(&body, EVIL_WORD " " EVIL_WORD ":1@2 master - 0 0 1 connected 5461-" EVIL_WORD "\n");
	} else {
		add_text(&body, "cluster_enabled:1\r\ncluster_state:" EVIL_WORD "\r\ncluster_slots_assigned:" EVIL_WORD
				"\r\ncluster_known_nodes:2\r\ncluster_size:1\r\n");
	}
	return put_bulk(c, &body);
}

/* Errors are strings too, and end up on the screen. */
static bool answer_errors(struct client *c, char words[][32], int count)
{
	(void)words, (void)count;
	return put_evil_error(c);
}

static bool escapes_sentinel(struct client *c)
{
	return each_request(c, answer_escapes_sentinel);
}

static bool escapes_node(struct client *c)
{
	return each_request(c, answer_escapes_node);
}

static bool escapes_cluster(struct client *c)
{
	return each_request(c, answer_escapes_cluster);
}

static bool errors(struct client *c)
{
	return each_request(c, answer_errors);
}

/* --- no RESP, or too much of it ---------------------------------------------------------------- */

static bool nothing(struct client *c)
{
	c->len = 0;
	return true;
}

static bool hang_up(struct client *c)
{
	(void)c;
	return false;
}

/* RST, not FIN: what is on its way is lost. */
static bool reset(struct client *c)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	return false;
}

static bool half_a_reply(struct client *c)
{
	put_text(c, "$4000\r\n# Server\r\nredis_version:7");
	return false;
}

static bool garbage(struct client *c)
{
	char noise[512];
	uint32_t state = 12345;
	for (size_t i = 0; i < sizeof(noise); i++) {
		state = state * 1664525U + 1013904223U;
		noise[i] = (char)(state >> 24);
	}
	c->len = 0;
	return put(c, "\x16\x03\x01\033[2J", 7) && put(c, noise, sizeof(noise));
}

static bool http(struct client *c)
{
	c->len = 0;
	put_text(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	return false;
}

static bool start_talking(struct client *c)
{
	c->len = 0;
	c->talking = true;
	return true;
}

/* A byte a second: each one in time, the reply never. */
static bool slow_tick(struct client *c)
{
	static const char text[] = "$4000\r\n# Server\r\nredis_version:7.0.0\r\n";
	if (!c->talking)
		return true;
	const char *byte = &text[c->at < sizeof(text) - 2 ? c->at++ : c->at];
	return put(c, byte, 1);
}

static bool bulk(struct client *c)
{
	c->len = 0;
	return put_text(c, "$536870912\r\n# Server\r\n");
}

static bool array(struct client *c)
{
	c->len = 0;
	return put_text(c, "*1073741824\r\n:1\r\n:1\r\n");
}

static bool billions(struct client *c)
{
	c->len = 0;
	return put_text(c, "*2000000000\r\n:1\r\n:1\r\n");
}

/* Counts what was taken, so that no header is cut. */
static bool abyss_tick(struct client *c)
{
	static char block[16384];
	const size_t levels = 200000;
	ssize_t sent;
	if (!c->talking || c->at >= levels * 4)
		return true;
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = "*1\r\n"[(c->at + i) % 4];
	sent = send(c->fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT);
	c->at += sent > 0 ? (size_t)sent : 0;
	return sent >= 0 || errno == EAGAIN;
}

/* Nothing but what RESP is made of, in no order, without end. */
static bool noise_tick(struct client *c)
{
	static const char letters[] = "+-:$*_#,(!=%~>|\r\n\r\n\r\n0123456789";
	static uint32_t state = 1;
	char block[4096];
	if (!c->talking)
		return true;
	for (size_t i = 0; i < sizeof(block); i++) {
		state = state * 1664525U + 1013904223U;
		block[i] = letters[(state >> 16) % (sizeof(letters) - 1)];
	}
	return put(c, block, sizeof(block));
}

/* As much as the client takes, without end. */
static bool flood_tick(struct client *c)
{
	static char block[65536];
	if (!c->talking)
		return true;
	if (c->at++ == 0)
		return put_text(c, "$536870912\r\n");
	memset(block, 'x', sizeof(block));
	return put(c, block, sizeof(block));
}

static bool deep(struct client *c)
{
	static struct reply r;
	c->len = 0;
	r.len = 0;
	while (r.len + 4 < sizeof(r.text))
		add_text(&r, "*1\r\n");
	return put_reply(c, &r);
}

/* A line that never ends. */
static bool endless_tick(struct client *c)
{
	static char block[65536];
	if (!c->talking)
		return true;
	if (c->at++ == 0)
		return put_text(c, "+");
	memset(block, 'x', sizeof(block));
	return put(c, block, sizeof(block));
}

/* Answers nobody asked for. */
static bool chatter(struct client *c)
{
	for (int i = 0; i < 100; i++)
		if (!put_text(c, "+OK\r\n"))
			return false;
	return true;
}

static const struct mode modes[] = {
	{ "silent", NULL, nothing, NULL, 0 },
	{ "close", hang_up, nothing, NULL, 0 },
	{ "close-late", NULL, hang_up, NULL, 0 },
	{ "reset", NULL, reset, NULL, 0 },
	{ "half", NULL, half_a_reply, NULL, 0 },
	{ "garbage", NULL, garbage, NULL, 0 },
	{ "noise", NULL, start_talking, noise_tick, 1 },
	{ "http", NULL, http, NULL, 0 },
	{ "slow", NULL, start_talking, slow_tick, 1000 },
	{ "bulk", NULL, bulk, NULL, 0 },
	{ "array", NULL, array, NULL, 0 },
	{ "billions", NULL, billions, NULL, 0 },
	{ "flood", NULL, start_talking, flood_tick, 1 },
	{ "endless", NULL, start_talking, endless_tick, 1 },
	{ "deep", NULL, deep, NULL, 0 },
	{ "abyss", NULL, start_talking, abyss_tick, 1 },
	{ "chatter", chatter, nothing, NULL, 0 },
	{ "errors", NULL, errors, NULL, 0 },
	{ "escapes-sentinel", NULL, escapes_sentinel, NULL, 0 },
	{ "escapes-node", NULL, escapes_node, NULL, 0 },
	{ "escapes-cluster", NULL, escapes_cluster, NULL, 0 },
};

/* --- the loop ---------------------------------------------------------------------------------- */

static struct client clients[CLIENTS_MAX];
static struct pollfd fds[CLIENTS_MAX + 1];

static void hang_up_on(size_t i)
{
	close(clients[i].fd);
	clients[i].fd = fds[i].fd = -1;
}

static void accept_one(int server, const struct mode *mode)
{
	int fd = accept(server, NULL, NULL);
	size_t i = 0;
	while (i < CLIENTS_MAX && clients[i].fd >= 0)
		i++;
	if (fd < 0)
		return;
	puts("client");
	fflush(stdout);
	if (i == CLIENTS_MAX) {
		close(fd);
		return;
	}
	memset(&clients[i], 0, sizeof(clients[i]));
	clients[i].fd = fds[i].fd = fd;
	fds[i].events = POLLIN;
	fds[i].revents = 0;
	if (mode->on_connect != NULL && !mode->on_connect(&clients[i]))
		hang_up_on(i);
}

static void read_from(size_t i, const struct mode *mode)
{
	struct client *c = &clients[i];
	ssize_t got;
	if (c->len == sizeof(c->request))
		c->len = 0;
	got = recv(c->fd, c->request + c->len, sizeof(c->request) - c->len, MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got > 0)
		c->len += (size_t)got;
	if (got <= 0 || !mode->on_bytes(c))
		hang_up_on(i);
}

static void serve(int server, const struct mode *mode)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		clients[i].fd = fds[i].fd = -1;
	fds[CLIENTS_MAX] = (struct pollfd){ .fd = server, .events = POLLIN };
	for (;;) {
		int ready = poll(fds, CLIENTS_MAX + 1, mode->tick_ms > 0 ? mode->tick_ms : 1000);
		if (getppid() == 1)
			return;
		for (size_t i = 0; i < CLIENTS_MAX; i++) {
			if (fds[i].fd >= 0 && ready > 0 && fds[i].revents)
				read_from(i, mode);
			if (fds[i].fd >= 0 && mode->on_tick != NULL && !mode->on_tick(&clients[i]))
				hang_up_on(i);
		}
		if (ready > 0 && fds[CLIENTS_MAX].revents)
			accept_one(server, mode);
	}
}

static const struct mode *find_mode(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct mode *mode = argc == 2 ? find_mode(argv[1]) : NULL;
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int server = socket(AF_INET, SOCK_STREAM, 0);
	if (mode == NULL) {
		for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
			printf("%s\n", modes[i].name);
		return 64;
	}
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (server < 0 || bind(server, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(server, 16) != 0 ||
	    getsockname(server, (struct sockaddr *)&addr, &len) != 0) {
		perror("hostile");
		return 1;
	}
	listen_port = ntohs(addr.sin_port);
	printf("%d\n", listen_port);
	fflush(stdout);
	serve(server, mode);
	return 0;
}
