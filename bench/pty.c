/* pty COLSxROWS STEP... -- COMMAND...
 *
 * Runs a command on a terminal of that size, does the steps in their order, prints what they
 * measured as "name value" lines, and ends the command. It reads the terminal as a user's would:
 * at once, and all of it. Steps:
 *
 *   wait REGEX SECONDS       until a line of the screen matches: wait_ms since the start, -1 never
 *   idle SECONDS
 *   measure SECONDS          bytes_per_s, cpu_percent, rss_kb of the command
 *   keys COUNT GAP_MS        arrow down and up in turn: key_p50_us, key_p95_us to the first byte
 *   answer KEY REGEX BACK COUNT GAP_MS  presses KEY: answer_p50_us, answer_p95_us until a line
 *                            matches, then BACK until none does: back_p50_us, back_p95_us
 *   event PORT COUNT GAP_MS  SENTINEL SET at that Sentinel: sub_p50_us until a bare subscriber has
 *                            it, pty_p50_us until the terminal has something
 *   unread PORT SECONDS GAP_MS  does not read, and triggers events: "trigger <wall-clock ms> <value>"
 *                            each, unread_cpu_ms of the second half, held_bytes that waited at
 *                            the end; PORT 0: no events
 *   kill PID PORT,PORT,PORT REGEX  kills the master: sdown_ms, switch_ms of the first of the
 *                            Sentinels, lost_ms and master_ms until the screen says link-lost and
 *                            matches REGEX
 *   screen                   prints the screen, for a look at what is measured */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vt.h"

#define SUBSCRIBERS_MAX 8
#define SAMPLES_MAX     10000
#define FAILOVER_MAX_S  40

struct subscriber {
	int fd;
	char tail[4096];    /* what it has sent since the last look */
	size_t len;
};

struct run {
	int fd;             /* the terminal, as its emulator sees it */
	pid_t pid;
	clockid_t cpu;
	int64_t start_us;
	struct vt vt;
	uint64_t bytes;
	int64_t first_us;   /* of the first byte since it was set to 0 */
	struct subscriber subscribers[SUBSCRIBERS_MAX];
	int subscriber_count;
	bool ended;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static int64_t clock_us(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) < 0)
		return 0;
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t now_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "pty: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(1);
}

/* --- reading ----------------------------------------------------------------------------------- */

static void take_output(struct run *r)
{
	char buffer[65536];
	ssize_t n = read(r->fd, buffer, sizeof(buffer));

	if (n <= 0) {
		/* EIO: nobody has the other side open. */
		r->ended = n == 0 || (errno != EAGAIN && errno != EINTR);
		return;
	}
	if (r->first_us == 0)
		r->first_us = now_us();
	r->bytes += (uint64_t)n;
	vt_feed(&r->vt, buffer, (size_t)n);
}

static void take_message(struct subscriber *s)
{
	ssize_t n;

	if (s->len > sizeof(s->tail) / 2)
		s->len = 0;
	n = read(s->fd, s->tail + s->len, sizeof(s->tail) - 1 - s->len);
	if (n <= 0)
		die("a Sentinel closed the connection");
	s->len += (size_t)n;
	s->tail[s->len] = '\0';
}

static void fill_polls(const struct run *r, struct pollfd *polls, bool read_terminal)
{
	polls[0] = (struct pollfd){ .fd = read_terminal ? r->fd : -1, .events = POLLIN };
	for (int i = 0; i < r->subscriber_count; i++)
		polls[1 + i] = (struct pollfd){ .fd = r->subscribers[i].fd, .events = POLLIN };
}

/* Waits for output or messages until then at most. False when the time is over. */
static bool turn(struct run *r, int64_t until_us, bool read_terminal)
{
	struct pollfd polls[1 + SUBSCRIBERS_MAX];
	int64_t left_us = until_us - now_us();
	struct timespec wait;

	if (left_us <= 0 || r->ended || interrupted)
		return false;
	fill_polls(r, polls, read_terminal);
	wait.tv_sec = left_us / 1000000;
	wait.tv_nsec = left_us % 1000000 * 1000;
	if (ppoll(polls, 1u + (unsigned)r->subscriber_count, &wait, NULL) <= 0)
		return !interrupted;
	if (polls[0].revents)
		take_output(r);
	for (int i = 0; i < r->subscriber_count; i++)
		if (polls[1 + i].revents)
			take_message(&r->subscribers[i]);
	return true;
}

static void idle(struct run *r, int64_t us)
{
	int64_t until_us = now_us() + us;

	while (turn(r, until_us, true))
		;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void print_quantiles(const char *name, int64_t *samples, int count, bool with_p95)
{
	if (count == 0) {
		printf("%s_p50_us -1\n", name);
		return;
	}
	qsort(samples, (size_t)count, sizeof(*samples), compare);
	printf("%s_p50_us %lld\n", name, (long long)samples[count / 2]);
	if (with_p95)
		printf("%s_p95_us %lld\n", name, (long long)samples[(count - 1) * 95 / 100]);
}

/* --- servers ----------------------------------------------------------------------------------- */

static redisContext *dial(int port)
{
	struct timeval timeout = { .tv_sec = 3 };
	redisContext *c = redisConnectWithTimeout("127.0.0.1", port, timeout);

	if (!c || c->err)
		die("no connection to port %d", port);
	return c;
}

static void subscribe(struct run *r, int port)
{
	redisContext *c = dial(port);
	redisReply *reply = redisCommand(c, "PSUBSCRIBE *");

	if (!reply || r->subscriber_count == SUBSCRIBERS_MAX)
		die("no subscription at port %d", port);
	freeReplyObject(reply);
	r->subscribers[r->subscriber_count++].fd = c->fd;
}

/* A value of its own each time: the same event twice may be one for who merges them. */
static void trigger(redisContext *c, int value)
{
	char command[128];
	int len = snprintf(command, sizeof(command), "SENTINEL SET mymaster failover-timeout %d\r\n", value);

	if (write(c->fd, command, (size_t)len) != len)
		die("the Sentinel takes no command");
}

static void take_ok(redisContext *c)
{
	char reply[512];

	if (read(c->fd, reply, sizeof(reply)) <= 0 || reply[0] != '+')
		die("SENTINEL SET was refused");
}

/* --- steps ------------------------------------------------------------------------------------- */

static void step_wait(struct run *r, char **arg)
{
	int64_t until_us = now_us() + (int64_t)(atof(arg[1]) * 1e6);
	regex_t regex;
	bool shown;

	if (regcomp(&regex, arg[0], REG_EXTENDED | REG_NOSUB) != 0)
		die("%s: no regular expression", arg[0]);
	while (!(shown = vt_shows(&r->vt, &regex)) && turn(r, until_us, true))
		;
	printf("wait_ms %.2f\n", shown ? (double)(now_us() - r->start_us) / 1e3 : -1.);
	regfree(&regex);
}

static void step_idle(struct run *r, char **arg)
{
	idle(r, (int64_t)(atof(arg[0]) * 1e6));
}

static long rss_kb(pid_t pid)
{
	char path[64], line[256];
	long kb = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

static void step_measure(struct run *r, char **arg)
{
	int64_t from_us = now_us(), cpu_us = clock_us(r->cpu);
	uint64_t bytes = r->bytes;
	double seconds;

	idle(r, (int64_t)(atof(arg[0]) * 1e6));
	seconds = (double)(now_us() - from_us) / 1e6;
	printf("bytes_per_s %.0f\n", (double)(r->bytes - bytes) / seconds);
	printf("cpu_percent %.4f\n", (double)(clock_us(r->cpu) - cpu_us) / 1e4 / seconds);
	printf("rss_kb %ld\n", rss_kb(r->pid));
}

static void step_keys(struct run *r, char **arg)
{
	static const char *const keys[] = { "\033OB", "\033OA" };
	static int64_t samples[SAMPLES_MAX];
	int count = atoi(arg[0]), taken = 0, silent = 0;
	int64_t gap_us = atoi(arg[1]) * 1000;

	for (int i = 0; i < count && i < SAMPLES_MAX; i++) {
		int64_t sent_us;

		/* Not in step with what the program does each second by itself. */
		idle(r, gap_us / 2 + rand() % gap_us);
		r->first_us = 0;
		sent_us = now_us();
		if (write(r->fd, keys[i % 2], 3) != 3)
			die("the terminal takes no key");
		while (r->first_us == 0 && turn(r, sent_us + 500000, true))
			;
		if (r->first_us == 0)
			silent++;
		else
			samples[taken++] = r->first_us - sent_us;
	}
	print_quantiles("key", samples, taken, true);
	printf("key_silent %d\n", silent);
}

static void step_event(struct run *r, char **arg)
{
	static int64_t sub[SAMPLES_MAX], pty[SAMPLES_MAX];
	int port = atoi(arg[0]), count = atoi(arg[1]), sub_count = 0, pty_count = 0;
	int64_t gap_us = atoi(arg[2]) * 1000;
	redisContext *c = dial(port);

	subscribe(r, port);
	for (int i = 0; i < count && i < SAMPLES_MAX; i++) {
		struct subscriber *s = &r->subscribers[0];
		int64_t sent_us, heard_us = 0;

		idle(r, gap_us / 2 + rand() % gap_us);
		r->first_us = 0;
		s->len = 0;
		sent_us = now_us();
		trigger(c, 20000 + i);
		while ((r->first_us == 0 || heard_us == 0) && turn(r, sent_us + 500000, true))
			if (heard_us == 0 && s->len > 0)
				heard_us = now_us();
		if (heard_us != 0)
			sub[sub_count++] = heard_us - sent_us;
		if (r->first_us != 0)
			pty[pty_count++] = r->first_us - sent_us;
		take_ok(c);
	}
	print_quantiles("sub", sub, sub_count, true);
	print_quantiles("pty", pty, pty_count, true);
}

static void step_unread(struct run *r, char **arg)
{
	int port = atoi(arg[0]), value = 30000;
	int64_t from_us = now_us(), us = (int64_t)(atof(arg[1]) * 1e6), gap_us = atoi(arg[2]) * 1000;
	int64_t half_cpu_us = 0;
	uint64_t bytes;
	redisContext *c = port ? dial(port) : NULL;

	while (now_us() - from_us < us && !interrupted) {
		int64_t next_us = now_us() + gap_us / 2 + rand() % gap_us;

		if (c) {
			printf("trigger %lld %d\n", (long long)(clock_us(CLOCK_REALTIME) / 1000), ++value);
			trigger(c, value);
			take_ok(c);
		}
		while (turn(r, next_us, false))
			;
		if (half_cpu_us == 0 && now_us() - from_us > us / 2)
			half_cpu_us = clock_us(r->cpu);
	}
	printf("unread_cpu_ms %.2f\n", (double)(clock_us(r->cpu) - half_cpu_us) / 1e3);
	bytes = r->bytes;
	/* What it writes when there is room again is not far behind: no more than what was full. */
	for (uint64_t before = bytes - 1; before != r->bytes && r->bytes - bytes < 1000000;) {
		before = r->bytes;
		turn(r, now_us() + 1000, true);
	}
	printf("held_bytes %llu\n", (unsigned long long)(r->bytes - bytes));
}

static bool any_says(const struct run *r, const char *text)
{
	for (int i = 0; i < r->subscriber_count; i++)
		if (r->subscribers[i].len > 0 && strstr(r->subscribers[i].tail, text))
			return true;
	return false;
}

static double since_ms(int64_t from_us, int64_t at_us)
{
	return at_us ? (double)(at_us - from_us) / 1e3 : -1.;
}

static void step_kill(struct run *r, char **arg)
{
	int64_t killed_us, sdown_us = 0, switch_us = 0, lost_us = 0, master_us = 0;
	regex_t lost, master;
	char *port;

	if (regcomp(&lost, "link-lost", REG_EXTENDED | REG_NOSUB) != 0 ||
	    regcomp(&master, arg[2], REG_EXTENDED | REG_NOSUB) != 0)
		die("%s: no regular expression", arg[2]);
	for (port = strtok(arg[1], ","); port; port = strtok(NULL, ","))
		subscribe(r, atoi(port));
	if (vt_shows(&r->vt, &lost) || vt_shows(&r->vt, &master))
		die("the screen says it before it happens");
	kill(atoi(arg[0]), SIGKILL);
	killed_us = now_us();
	while ((!sdown_us || !switch_us || !lost_us || !master_us) &&
	       turn(r, killed_us + FAILOVER_MAX_S * 1000000LL, true)) {
		int64_t t_us = now_us();

		if (!sdown_us && any_says(r, "+sdown"))
			sdown_us = t_us;
		if (!switch_us && any_says(r, "+switch-master"))
			switch_us = t_us;
		if (!lost_us && vt_shows(&r->vt, &lost))
			lost_us = t_us;
		if (!master_us && vt_shows(&r->vt, &master))
			master_us = t_us;
	}
	printf("sdown_ms %.2f\nswitch_ms %.2f\nlost_ms %.2f\nmaster_ms %.2f\n", since_ms(killed_us, sdown_us),
	       since_ms(killed_us, switch_us), since_ms(killed_us, lost_us), since_ms(killed_us, master_us));
}

static void step_screen(struct run *r, char **arg)
{
	(void)arg;
	vt_print(&r->vt, stdout);
}

/* Until the screen shows it, or no longer does; -1: not within 5 s. */
static int64_t until_shown(struct run *r, const char *keys, const regex_t *regex, bool shown)
{
	int64_t pressed_us = now_us(), until_us = pressed_us + 5000000;

	if (write(r->fd, keys, strlen(keys)) != (ssize_t)strlen(keys))
		die("the terminal takes no key");
	while (vt_shows(&r->vt, regex) != shown)
		if (!turn(r, until_us, true))
			return -1;
	return now_us() - pressed_us;
}

static void step_answer(struct run *r, char **arg)
{
	static int64_t there[SAMPLES_MAX], back[SAMPLES_MAX];
	int count = atoi(arg[3]), lost = 0, n = 0;
	regex_t regex;

	if (regcomp(&regex, arg[1], REG_EXTENDED | REG_NOSUB) != 0)
		die("%s: no regular expression", arg[1]);
	for (int i = 0; i < count && i < SAMPLES_MAX; i++) {
		there[n] = until_shown(r, arg[0], &regex, true);
		idle(r, atoi(arg[4]) * 1000LL);
		back[n] = until_shown(r, arg[2], &regex, false);
		idle(r, atoi(arg[4]) * 1000LL);
		if (there[n] < 0 || back[n] < 0)
			lost++;
		else
			n++;
	}
	regfree(&regex);
	print_quantiles("answer", there, n, true);
	print_quantiles("back", back, n, true);
	printf("answer_lost %d\n", lost);
}

static const struct step {
	const char *name;
	int args;
	void (*run)(struct run *r, char **arg);
} steps[] = {
	{ "wait", 2, step_wait },     { "idle", 1, step_idle },   { "measure", 1, step_measure },
	{ "keys", 2, step_keys },     { "event", 3, step_event }, { "unread", 3, step_unread },
	{ "answer", 5, step_answer }, { "kill", 3, step_kill },     { "screen", 0, step_screen },
};

/* --- the command ------------------------------------------------------------------------------- */

static void start(struct run *r, int cols, int rows, char **command)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };
	const char *name;

	r->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (r->fd < 0 || grantpt(r->fd) < 0 || unlockpt(r->fd) < 0 || !(name = ptsname(r->fd)))
		die("no terminal: %s", strerror(errno));
	ioctl(r->fd, TIOCSWINSZ, &size);
	r->start_us = now_us();
	r->pid = fork();
	if (r->pid < 0)
		die("fork: %s", strerror(errno));
	if (r->pid == 0) {
		int fd;

		setsid();
		fd = open(name, O_RDWR);
		ioctl(fd, TIOCSCTTY, 0);
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		if (fd > 2)
			close(fd);
		setenv("TERM", "xterm-256color", 1);
		unsetenv("LINES");
		unsetenv("COLUMNS");
		unsetenv("NO_COLOR");
		execvp(command[0], command);
		_exit(127);
	}
	clock_getcpuclockid(r->pid, &r->cpu);
}

static void stop(struct run *r)
{
	int64_t until_us = now_us() + 2000000;
	int status;

	kill(r->pid, SIGTERM);
	/* It may be waiting for us to read. */
	while (waitpid(r->pid, &status, WNOHANG) == 0) {
		if (now_us() > until_us)
			kill(r->pid, SIGKILL);
		interrupted = 0;
		r->ended = false;
		turn(r, now_us() + 10000, true);
		if (r->ended)
			usleep(1000);
	}
}

int main(int argc, char **argv)
{
	struct run r = { .fd = -1 };
	int cols, rows, at = 2, split = 2;

	while (split < argc && strcmp(argv[split], "--") != 0)
		split++;
	if (split + 1 >= argc || sscanf(argv[1], "%dx%d", &cols, &rows) != 2)
		die("usage: pty COLSxROWS STEP... -- COMMAND...");
	signal(SIGTERM, on_interrupt);
	signal(SIGINT, on_interrupt);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	vt_init(&r.vt, rows, cols);
	srand(1);
	start(&r, cols, rows, argv + split + 1);
	while (at < split) {
		size_t i = 0;

		while (i < sizeof(steps) / sizeof(steps[0]) && strcmp(steps[i].name, argv[at]) != 0)
			i++;
		if (i == sizeof(steps) / sizeof(steps[0]) || at + steps[i].args >= split) {
			kill(r.pid, SIGKILL);
			die("%s: no such step, or arguments are missing", argv[at]);
		}
		steps[i].run(&r, argv + at + 1);
		at += 1 + steps[i].args;
	}
	stop(&r);
	vt_done(&r.vt);
	return 0;
}
