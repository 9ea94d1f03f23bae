#include "config.h"
#include "live.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define START_S     300 /* for a server on a machine that has other things to do */
#define REPLY_S     30
#define PORT_TRIES  20  /* of one server */
#define BUS_OFFSET  10000
#define ARGS_MAX    40
#define STARTED_MAX 64
#define LOG_BYTES   4096

/* Not those of demos and live tests, and below those that the system gives to clients; likewise the
 * ports of the cluster bus. */
#define PORT_FIRST  18000
#define PORT_LAST   19890

/* What a failed assertion leaves behind: the structs of the test are gone by then. */
static struct { pid_t pid; char folder[64]; } started[STARTED_MAX];
static unsigned started_count;

static void fail(const char *what)
{
	perror(what);
	abort();
}

/* Either name; NULL: none is installed. */
static const char *server(void)
{
	if (system("command -v redis-server >/dev/null 2>&1") == 0)
		return "redis-server";
	return system("command -v valkey-server >/dev/null 2>&1") == 0 ? "valkey-server" : NULL;
}

bool live_available(void)
{
	return server() != NULL;
}

/* Bound, and bound to no other socket: of two programs that look at once only one gets it. Redis
 * itself sets SO_REUSEADDR, so once this is set here as well it may bind too and listen; whoever looks
 * for a port as this function does may not. Held until the program ends. */
static bool hold(uint16_t port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		close(fd);
		return false;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		fail("SO_REUSEADDR");
	return true;
}

uint16_t live_free_port(void)
{
	static unsigned next;

	if (next == 0)
		next = PORT_FIRST + (unsigned)getpid() * 37 % (PORT_LAST - PORT_FIRST);
	for (unsigned tries = 0; tries < PORT_LAST - PORT_FIRST; tries++) {
		next = next >= PORT_LAST ? PORT_FIRST : next + 1;
		if (hold((uint16_t)next) && hold((uint16_t)(next + BUS_OFFSET)))
			return (uint16_t)next;
	}
	fprintf(stderr, "no free port between %d and %d\n", PORT_FIRST, PORT_LAST);
	exit(1);
}

void live_command(uint16_t port, const char *command, char *reply, unsigned size)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval patience = { .tv_sec = REPLY_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t n = 0;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
	    send(fd, command, strlen(command), MSG_NOSIGNAL) > 0 &&
	    send(fd, "\r\n", 2, MSG_NOSIGNAL) == 2)
		n = recv(fd, reply, size - 1, 0);
	reply[n > 0 ? n : 0] = '\0';
	close(fd);
}

static void remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *d;
	char path[400];

	while (dir && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, d->d_name);
		if (d->d_name[0] != '.')
			unlink(path);
	}
	if (dir)
		closedir(dir);
	rmdir(folder);
}

static void clean_up(void)
{
	for (unsigned i = 0; i < started_count; i++) {
		if (started[i].pid > 0 && kill(started[i].pid, SIGKILL) == 0)
			waitpid(started[i].pid, NULL, 0);
		if (started[i].folder[0])
			remove_folder(started[i].folder);
	}
}

static void remember(const struct live_server *s)
{
	if (started_count == 0)
		atexit(clean_up);
	if (started_count == STARTED_MAX)
		return;
	started[started_count].pid = s->pid;
	memcpy(started[started_count].folder, s->folder, sizeof(s->folder));
	started_count++;
}

static void forget(const struct live_server *s)
{
	for (unsigned i = 0; i < started_count; i++) {
		if (started[i].pid != s->pid)
			continue;
		started[i] = started[--started_count];
		return;
	}
}

/* --- starting ---------------------------------------------------------------------------------- */

static void spawn(struct live_server *s, char *const *argv)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/log", s->folder);
	s->pid = fork();
	if (s->pid < 0)
		fail("fork");
	if (s->pid == 0) {
		int null = open("/dev/null", O_RDWR);
		int log = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 0);
		dup2(log, 1);
		dup2(log, 2);
		if (chdir(s->folder) == 0)
			execvp(argv[0], argv);
		_exit(127);
	}
	remember(s);
}

static void read_log(const struct live_server *s, char out[LOG_BYTES])
{
	char path[96];
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "%s/log", s->folder);
	file = fopen(path, "r");
	len = file ? fread(out, 1, LOG_BYTES - 1, file) : 0;
	out[len] = '\0';
	if (file)
		fclose(file);
}

/* By its own word: at its port another server could answer. */
static bool says_it_is_ready(const char *log)
{
	return strstr(log, "eady to accept connections") || strstr(log, "Sentinel ID is");
}

static void give_up(const struct live_server *s, const char *what)
{
	char log[LOG_BYTES];

	read_log(s, log);
	fprintf(stderr, "the server on port %u %s:\n%s\n", s->port, what, log);
	exit(1);
}

/* False when it ended because another one has its port. */
static bool comes_up(struct live_server *s)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	const int64_t deadline_ms = clock_mono_ms() + START_S * 1000;
	char log[LOG_BYTES], reply[64];

	for (;;) {
		bool ended = waitpid(s->pid, NULL, WNOHANG) == s->pid;

		read_log(s, log);
		if (ended && !strstr(log, "Address already in use"))
			give_up(s, "ended");
		if (ended) {
			forget(s);
			s->pid = 0;
			return false;
		}
		if (says_it_is_ready(log)) {
			live_command(s->port, "PING", reply, sizeof(reply));
			if (reply[0] == '+' || reply[0] == '-')
				return true;
		}
		if (clock_mono_ms() > deadline_ms)
			give_up(s, "does not answer");
		nanosleep(&pause, NULL);
	}
}

static void make_folder(struct live_server *s)
{
	if (s->folder[0])
		return;
	snprintf(s->folder, sizeof(s->folder), "/tmp/redoubt-test-XXXXXX");
	if (!mkdtemp(s->folder))
		fail("mkdtemp");
}

static void run_server(struct live_server *s, const char *const *args)
{
	char port[8], tls_port[8];
	const char *argv[ARGS_MAX] = { server(), "--port", port, "--bind", "127.0.0.1",
				       "--save", "", "--repl-diskless-sync-delay", "0" };
	int count = 9;

	snprintf(port, sizeof(port), "%u", s->port);
	snprintf(tls_port, sizeof(tls_port), "%u", s->tls_port);
	if (s->with_tls) {
		argv[count++] = "--tls-port";
		argv[count++] = tls_port;
	}
	for (; args && *args && count < ARGS_MAX - 1; args++)
		argv[count++] = *args;
	argv[count] = NULL;
	spawn(s, (char *const *)argv);
}

static void run_sentinel(struct live_server *s, const char *config)
{
	const char *argv[] = { server(), "sentinel.conf", "--sentinel", NULL };
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/sentinel.conf", s->folder);
	file = fopen(path, "w");
	if (!file)
		fail(path);
	fprintf(file, "port %u\nbind 127.0.0.1\n%s\n", s->port, config);
	fclose(file);
	spawn(s, (char *const *)argv);
}

/* A Sentinel where there is a configuration. A port that was chosen here is given up for another one
 * when it is taken; one that the test has told to others already is waited for. */
static void start(struct live_server *s, const char *const *args, const char *config)
{
	const struct timespec pause = { .tv_nsec = 250000000 };
	const bool choose = s->port == 0;

	make_folder(s);
	for (unsigned tries = 0; tries < PORT_TRIES; tries++) {
		if (choose)
			s->port = live_free_port();
		if (choose && s->with_tls)
			s->tls_port = live_free_port();
		if (config)
			run_sentinel(s, config);
		else
			run_server(s, args);
		if (comes_up(s))
			return;
		if (!choose)
			nanosleep(&pause, NULL);
	}
	give_up(s, "finds its port taken each time");
}

void live_start(struct live_server *s, const char *const *args)
{
	start(s, args, NULL);
}

void live_start_sentinel(struct live_server *s, const char *config)
{
	start(s, NULL, config);
}

void live_stop(struct live_server *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
		forget(s);
	}
	s->pid = 0;
	if (s->folder[0])
		remove_folder(s->folder);
	s->folder[0] = '\0';
}
