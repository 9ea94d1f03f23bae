#include "config.h"
#include "live.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_TRIES 500
#define ARGS_MAX    40
#define STARTED_MAX 64

/* What a failed assertion leaves behind: the structs of the test are gone by then. */
static struct { pid_t pid; char folder[64]; } started[STARTED_MAX];
static unsigned started_count;

static void fail(const char *what)
{
	perror(what);
	abort();
}

bool live_available(void)
{
	return system("command -v redis-server >/dev/null 2>&1") == 0;
}

/* Between the look at a port and its server's own bind another test could take it: a name outside the
 * file system, which this process has until it ends, says that the port is spoken for. */
static bool claim_port(unsigned port)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int len = snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "redoubt-test-port-%u", port);

	if (bind(fd, (struct sockaddr *)&addr,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) == 0)
		return true;
	close(fd);
	return false;
}

/* Above 10000 a cluster bus port (port + 10000) may not fit, so it is looked for below 32768. */
uint16_t live_free_port(void)
{
	static unsigned next;

	if (next == 0)
		next = 20000 + (unsigned)getpid() % 9000;
	for (;;) {
		struct sockaddr_in addr = { .sin_family = AF_INET };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), status;

		next = next >= 32000 ? 20000 : next + 1;
		addr.sin_port = htons((uint16_t)next);
		addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		status = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
		close(fd);
		if (status == 0 && claim_port(next))
			return (uint16_t)next;
	}
}

void live_command(uint16_t port, const char *command, char *reply, unsigned size)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval patience = { .tv_sec = 2 };
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

static void wait_until_it_answers(const struct live_server *s)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	char reply[64];

	for (int i = 0; i < START_TRIES; i++) {
		live_command(s->port, "PING", reply, sizeof(reply));
		if (reply[0] == '+' || reply[0] == '-')
			return;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "redis-server on port %u does not answer\n", s->port);
	exit(1);
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

static void run(struct live_server *s, char *const *argv)
{
	s->pid = fork();
	if (s->pid < 0)
		fail("fork");
	if (s->pid == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		if (chdir(s->folder) == 0)
			execvp(argv[0], argv);
		_exit(127);
	}
	remember(s);
	wait_until_it_answers(s);
}

static void make_folder(struct live_server *s)
{
	if (s->folder[0])
		return;
	snprintf(s->folder, sizeof(s->folder), "/tmp/redoubt-test-XXXXXX");
	if (!mkdtemp(s->folder))
		fail("mkdtemp");
}

void live_start(struct live_server *s, const char *const *args)
{
	char port[8];
	const char *argv[ARGS_MAX] = { "redis-server", "--port", port, "--bind", "127.0.0.1",
				       "--save", "", "--repl-diskless-sync-delay", "0" };
	int count = 9;

	make_folder(s);
	if (s->port == 0)
		s->port = live_free_port();
	snprintf(port, sizeof(port), "%u", s->port);
	for (; args && *args && count < ARGS_MAX - 1; args++)
		argv[count++] = *args;
	argv[count] = NULL;
	run(s, (char *const *)argv);
}

void live_start_sentinel(struct live_server *s, const char *config)
{
	const char *argv[] = { "redis-server", "sentinel.conf", "--sentinel", NULL };
	char path[96];
	FILE *file;

	make_folder(s);
	if (s->port == 0)
		s->port = live_free_port();
	snprintf(path, sizeof(path), "%s/sentinel.conf", s->folder);
	file = fopen(path, "w");
	if (!file)
		fail(path);
	fprintf(file, "port %u\nbind 127.0.0.1\n%s\n", s->port, config);
	fclose(file);
	run(s, (char *const *)argv);
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
