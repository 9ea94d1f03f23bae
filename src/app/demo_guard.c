/* Reading order: talking to the parent, processes, the files a user reads, commands, start, loop,
 * end.
 *
 * Nothing here blocks for long: whatever has to wait for servers (forming, the load) is a child, so
 * that the end of redoubt is always noticed at once. Every child asks the kernel to be killed with
 * the guard; servers lead process groups of their own, so that what they fork (AOF rewrites) goes
 * with them. */
#include "config.h"

#include "app/demo_guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "app/demo_folder.h"
#include "app/demo_form.h"
#include "app/demo_load.h"
#include "app/demo_servers.h"
#include "base/clock.h"
#include "base/number.h"
#include "base/text.h"

#define TERM_MS       500  /* what servers get to end by themselves */
#define KILL_MS       2000
#define TURN_MS       8000 /* what another demo gets to have its ports taken */
#define LINE_BYTES    128
#define GUARD_NAME    "redoubt-demo" /* of the process; scripts/demo-break looks for it */

struct guard {
	struct demo_plan plan;
	struct demo_folder folder;
	int socket_fd, signal_fd, fifo_fd;
	int turn_fd; /* locked while free ports are picked and taken */
	pid_t former, load; /* 0: not running */
	bool ready, ending;
	char line[LINE_BYTES]; /* a command that is not whole yet */
	size_t line_len;
};

/* --- talking to the parent ------------------------------------------------------------------ */

static void send_text(int socket_fd, enum demo_message_type type, const char *text)
{
	struct demo_message message = { .type = type };

	snprintf(message.text, sizeof message.text, "%s", text);
	/* A parent that is gone is noticed by poll; nothing to do about it here. */
	(void)!send(socket_fd, &message, sizeof message, MSG_NOSIGNAL);
}

static void send_progress(void *ctx, const char *line)
{
	const int *socket_fd = ctx;

	send_text(*socket_fd, DEMO_MESSAGE_PROGRESS, line);
}

static void add_target(struct demo_message *message, const struct demo_node *node)
{
	endpoint_set(&message->targets[message->target_count++], "127.0.0.1", 9, node->port);
}

static void send_ready(const struct guard *guard)
{
	const struct demo_plan *plan = &guard->plan;
	struct demo_message message = { .type = DEMO_MESSAGE_READY };
	bool sentinel = false, cluster = false;

	for (size_t i = 0; i < plan->node_count; i++) {
		const struct demo_node *node = &plan->nodes[i];
		bool is_sentinel = node->role == DEMO_ROLE_SENTINEL;
		bool *done = is_sentinel ? &sentinel : &cluster;

		if (*done || (!is_sentinel && !demo_role_is_cluster(node->role)))
			continue;
		*done = true;
		add_target(&message, node);
	}
	snprintf(message.folder, sizeof message.folder, "%s", guard->folder.path);
	memcpy(message.data_password, plan->data_password, sizeof message.data_password);
	memcpy(message.sentinel_password, plan->sentinel_password,
	       sizeof message.sentinel_password);
	(void)!send(guard->socket_fd, &message, sizeof message, MSG_NOSIGNAL);
}

__attribute__((format(printf, 2, 3))) static void log_line(const struct guard *guard,
							    const char *format, ...)
{
	char time_text[CLOCK_ISO_BYTES];
	struct buf line = BUF_INIT;
	va_list ap;

	buf_addf(&line, "%s ", clock_format_hms_ms(clock_wall_ms(), time_text));
	va_start(ap, format);
	buf_vaddf(&line, format, ap);
	va_end(ap);
	buf_addch(&line, '\n');
	(void)!write(guard->folder.log_fd, line.data, line.len);
	buf_free(&line);
}

static void fail(struct guard *guard, const char *reason)
{
	log_line(guard, "failed: %s", reason);
	send_text(guard->socket_fd, DEMO_MESSAGE_ERROR, reason);
	guard->ending = true;
}

/* --- the files a user reads ----------------------------------------------------------------- */

static bool write_file(const struct guard *guard, const char *name, const struct buf *text)
{
	char temporary[32];
	int fd;
	bool ok;

	snprintf(temporary, sizeof temporary, "%s.tmp", name);
	fd = openat(guard->folder.fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	ok = write(fd, text->data, text->len) == (ssize_t)text->len;
	ok = close(fd) == 0 && ok;
	return ok && renameat(guard->folder.fd, temporary, guard->folder.fd, name) == 0;
}

/* "port role pid state" a line; the role is the one the node began with. */
static void write_nodes(const struct guard *guard)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < guard->plan.node_count; i++) {
		const struct demo_node *node = &guard->plan.nodes[i];

		buf_addf(&text, "%u %s %d %s\n", (unsigned)node->port, demo_role_name(node->role),
			 (int)node->pid, demo_state_name(node->state));
	}
	if (!write_file(guard, "nodes.txt", &text))
		log_line(guard, "can't write nodes.txt: %s", strerror(errno));
	buf_free(&text);
}

static bool write_passwords(const struct guard *guard)
{
	struct buf text = BUF_INIT;
	bool ok;

	buf_addf(&text, "data %s\nsentinel %s\n", guard->plan.data_password,
		 guard->plan.sentinel_password);
	ok = write_file(guard, "passwords", &text);
	buf_free(&text);
	return ok;
}

/* The last line that a server wrote to its log, which usually says why it ended. */
static void read_last_words(const struct guard *guard, const struct demo_node *node, char *out,
			    size_t size)
{
	char path[64], tail[400], *line;
	ssize_t len;
	int fd;

	snprintf(path, sizeof path, "nodes/%u/server.log", (unsigned)node->port);
	snprintf(out, size, "it wrote no log");
	fd = openat(guard->folder.fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Fails in a shorter file, which is then read from its start. */
	lseek(fd, -(off_t)(sizeof tail - 1), SEEK_END);
	len = read(fd, tail, sizeof tail - 1);
	close(fd);
	while (len > 0 && tail[len - 1] == '\n')
		len--;
	if (len <= 0)
		return;
	tail[len] = '\0';
	line = strrchr(tail, '\n');
	line = line ? line + 1 : tail;
	text_clean(out, size, line, strlen(line));
}

/* --- processes ------------------------------------------------------------------------------ */

static void sleep_ms(int ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

static void node_ended(struct guard *guard, struct demo_node *node, int status)
{
	char words[200];
	struct buf reason = BUF_INIT;

	if (WIFSIGNALED(status))
		log_line(guard, "node %u: pid %d ended by signal %d", (unsigned)node->port,
			 (int)node->pid, WTERMSIG(status));
	else
		log_line(guard, "node %u: pid %d ended with status %d", (unsigned)node->port,
			 (int)node->pid, WEXITSTATUS(status));
	/* What it had forked (an AOF rewrite) would go on writing into its folder. */
	kill(-node->pid, SIGKILL);
	node->pid = 0;
	node->state = DEMO_STATE_DOWN;
	if (guard->ending)
		return;
	write_nodes(guard);
	if (guard->ready)
		return;
	read_last_words(guard, node, words, sizeof words);
	buf_addf(&reason, "the server of port %u ended: %s", (unsigned)node->port, words);
	fail(guard, buf_str(&reason));
	buf_free(&reason);
}

/* Two demos that start at once would find the same ports free. /tmp is what all users share; a lock
 * that somebody else sits on is not worth more than a wait. */
static void await_turn(struct guard *guard)
{
	int64_t deadline_ms = clock_mono_ms() + TURN_MS;
	struct pollfd pfd = { .fd = guard->socket_fd, .events = POLLIN };

	guard->turn_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (guard->turn_fd >= 0 && flock(guard->turn_fd, LOCK_EX | LOCK_NB) < 0 &&
	       clock_mono_ms() < deadline_ms && poll(&pfd, 1, 20) == 0)
		;
}

static void end_turn(struct guard *guard)
{
	if (guard->turn_fd < 0)
		return;
	/* Closing would not do: children have copies. */
	flock(guard->turn_fd, LOCK_UN);
	close(guard->turn_fd);
	guard->turn_fd = -1;
}

static void start_load(struct guard *guard);

static void former_ended(struct guard *guard, int status)
{
	guard->former = 0;
	end_turn(guard);
	if (guard->ending)
		return;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		/* It said why by itself, unless it was killed. */
		if (!WIFEXITED(status))
			fail(guard, "the process that forms the demo was killed");
		guard->ending = true;
		return;
	}
	guard->ready = true;
	log_line(guard, "ready");
	start_load(guard);
	send_ready(guard);
}

static void child_ended(struct guard *guard, pid_t pid, int status)
{
	if (pid == guard->former) {
		former_ended(guard, status);
		return;
	}
	if (pid == guard->load) {
		guard->load = 0;
		log_line(guard, "the load ended");
		return;
	}
	for (size_t i = 0; i < guard->plan.node_count; i++) {
		if (guard->plan.nodes[i].pid == pid)
			node_ended(guard, &guard->plan.nodes[i], status);
	}
}

static void reap(struct guard *guard)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_ended(guard, pid, status);
}

static bool anything_runs(const struct guard *guard)
{
	for (size_t i = 0; i < guard->plan.node_count; i++) {
		if (guard->plan.nodes[i].pid)
			return true;
	}
	return guard->former || guard->load;
}

/* Common to the children that are not servers: true in the child. */
static bool fork_helper(struct guard *guard, pid_t *pid)
{
	pid_t self = getpid();
	sigset_t none;

	*pid = fork();
	if (*pid != 0) {
		if (*pid < 0)
			*pid = 0;
		return false;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != self)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close(guard->signal_fd);
	close(guard->fifo_fd);
	/* The lock on the log belongs to every copy of the descriptor. */
	close(guard->folder.log_fd);
	close(guard->folder.fd);
	return true;
}

static void start_former(struct guard *guard)
{
	struct buf err = BUF_INIT;
	bool ok;

	if (!fork_helper(guard, &guard->former)) {
		if (!guard->former)
			fail(guard, "can't fork");
		return;
	}
	ok = demo_form(&guard->plan, send_progress, &guard->socket_fd, &err);
	if (!ok)
		send_text(guard->socket_fd, DEMO_MESSAGE_ERROR, buf_str(&err));
	_exit(ok ? 0 : 1);
}

static void start_load(struct guard *guard)
{
	if (!fork_helper(guard, &guard->load))
		return;
	/* Else the parent would not see the guard's end of the socket close. */
	close(guard->socket_fd);
	demo_load_run(&guard->plan);
}

/* --- commands ------------------------------------------------------------------------------- */

static void command_kill(struct guard *guard, struct demo_node *node, struct buf *answer)
{
	pid_t pid = node->pid;
	int status;

	if (!pid) {
		buf_addstr(answer, "is down already");
		return;
	}
	kill(-pid, SIGKILL);
	/* Waited for here, so that nodes.txt is right when the answer is read. */
	for (int i = 0; i < KILL_MS && node->pid; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			node_ended(guard, node, status);
		else
			sleep_ms(1);
	}
	buf_addf(answer, "killed, pid %d", (int)pid);
}

static void command_pause(struct guard *guard, struct demo_node *node, struct buf *answer)
{
	(void)guard;
	if (node->state != DEMO_STATE_RUNNING) {
		buf_addf(answer, "is %s, can't be paused", demo_state_name(node->state));
		return;
	}
	kill(node->pid, SIGSTOP);
	node->state = DEMO_STATE_PAUSED;
	buf_addf(answer, "paused, pid %d", (int)node->pid);
}

static void command_resume(struct guard *guard, struct demo_node *node, struct buf *answer)
{
	(void)guard;
	if (node->state != DEMO_STATE_PAUSED) {
		buf_addf(answer, "is %s, not paused", demo_state_name(node->state));
		return;
	}
	kill(node->pid, SIGCONT);
	node->state = DEMO_STATE_RUNNING;
	buf_addf(answer, "resumed, pid %d", (int)node->pid);
}

static void command_start(struct guard *guard, struct demo_node *node, struct buf *answer)
{
	if (node->pid) {
		buf_addf(answer, "is %s already", demo_state_name(node->state));
		return;
	}
	if (demo_node_spawn(&guard->plan, node, guard->folder.fd, answer))
		buf_addf(answer, "started, pid %d", (int)node->pid);
}

struct command {
	const char *name;
	void (*run)(struct guard *guard, struct demo_node *node, struct buf *answer);
};

static const struct command COMMANDS[] = {
	{ "kill", command_kill },
	{ "pause", command_pause },
	{ "resume", command_resume },
	{ "start", command_start },
};

static void answer_status(const struct guard *guard, struct buf *answer)
{
	size_t counts[3] = { 0 };

	for (size_t i = 0; i < guard->plan.node_count; i++)
		counts[guard->plan.nodes[i].state]++;
	buf_addf(answer, "%zu running, %zu paused, %zu down", counts[DEMO_STATE_RUNNING],
		 counts[DEMO_STATE_PAUSED], counts[DEMO_STATE_DOWN]);
}

static void run_command(struct guard *guard, const char *name, const char *port_text,
			struct buf *answer)
{
	struct demo_node *node = NULL;
	int64_t port;

	if (strcmp(name, "status") == 0) {
		answer_status(guard, answer);
		return;
	}
	if (number_parse(port_text, strlen(port_text), 1, 65535, &port))
		node = demo_plan_find(&guard->plan, (uint16_t)port);
	for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
		if (strcmp(name, COMMANDS[i].name) != 0)
			continue;
		if (node)
			COMMANDS[i].run(guard, node, answer);
		else
			buf_addstr(answer, "is no node of this demo");
		return;
	}
	buf_addstr(answer, "unknown command");
}

/* "kill 6379 [tag]", "status [tag]": the tag comes back in the log, so that the writer finds the
 * answer that is its own. */
static void run_line(struct guard *guard, const char *line)
{
	char clean[LINE_BYTES * 4], *words[3] = { clean, clean, clean }, *save = NULL;
	struct buf answer = BUF_INIT;
	size_t count = 0;
	const char *tag;
	bool has_port;

	text_clean(clean, sizeof clean, line, strlen(line));
	for (char *word = strtok_r(clean, " ", &save); word && count < 3;
	     word = strtok_r(NULL, " ", &save))
		words[count++] = word;
	if (!count)
		return;
	has_port = strcmp(words[0], "status") != 0;
	tag = has_port ? (count > 2 ? words[2] : "-") : (count > 1 ? words[1] : "-");
	run_command(guard, words[0], count > 1 ? words[1] : "", &answer);
	write_nodes(guard);
	log_line(guard, "[%s] %s %s: %s", tag, words[0], has_port && count > 1 ? words[1] : "all",
		 buf_str(&answer));
	buf_free(&answer);
}

static void read_commands(struct guard *guard)
{
	char bytes[256];
	ssize_t n = read(guard->fifo_fd, bytes, sizeof bytes);

	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] == '\n') {
			guard->line[guard->line_len] = '\0';
			guard->line_len = 0;
			run_line(guard, guard->line);
		} else if (guard->line_len + 1 < sizeof guard->line) {
			guard->line[guard->line_len++] = bytes[i];
		}
	}
}

/* --- start ---------------------------------------------------------------------------------- */

/* Descriptors that redoubt inherited (a lock, a log) must not live on in the demo. */
static void close_others(int keep_fd)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		int64_t fd;

		if (number_parse(entry->d_name, strlen(entry->d_name), 3, INT32_MAX, &fd) &&
		    fd != keep_fd && fd != dirfd(dir))
			close((int)fd);
	}
	closedir(dir);
}

static void use_null(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* Were it ignored, waitpid would find nothing. */
	signal(SIGCHLD, SIG_DFL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* O_RDWR, so that the FIFO is never at its end while nobody writes. */
static int open_fifo(const struct guard *guard)
{
	if (mkfifoat(guard->folder.fd, "control", 0600) < 0)
		return -1;
	return openat(guard->folder.fd, "control", O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static bool start_servers(struct guard *guard, struct buf *err)
{
	struct demo_plan *plan = &guard->plan;
	char line[64];

	for (size_t i = 0; i < plan->node_count; i++) {
		if (!demo_node_spawn(plan, &plan->nodes[i], guard->folder.fd, err))
			return false;
		log_line(guard, "node %u: %s, pid %d", (unsigned)plan->nodes[i].port,
			 demo_role_name(plan->nodes[i].role), (int)plan->nodes[i].pid);
	}
	write_nodes(guard);
	snprintf(line, sizeof line, "%zu servers started on 127.0.0.1", plan->node_count);
	send_text(guard->socket_fd, DEMO_MESSAGE_PROGRESS, line);
	return true;
}

static bool start(struct guard *guard, enum demo_kind kind, struct buf *err)
{
	guard->signal_fd = open_signals();
	await_turn(guard);
	if (guard->signal_fd < 0 || !demo_folder_create(&guard->folder, err) ||
	    !demo_plan_make(&guard->plan, kind, err) ||
	    !demo_plan_write(&guard->plan, guard->folder.fd, err))
		return false;
	guard->fifo_fd = open_fifo(guard);
	if (guard->fifo_fd < 0 || !write_passwords(guard)) {
		buf_addf(err, "can't write to %s: %s", guard->folder.path, strerror(errno));
		return false;
	}
	return start_servers(guard, err);
}

/* --- loop and end --------------------------------------------------------------------------- */

static void read_signals(struct guard *guard)
{
	struct signalfd_siginfo info;

	while (read(guard->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo != SIGCHLD)
			guard->ending = true;
	}
	reap(guard);
}

static void loop(struct guard *guard)
{
	struct pollfd fds[] = {
		{ .fd = guard->socket_fd, .events = POLLIN },
		{ .fd = guard->signal_fd, .events = POLLIN },
		{ .fd = guard->fifo_fd, .events = POLLIN },
	};

	while (!guard->ending) {
		if (poll(fds, 3, -1) < 0)
			continue;
		/* The parent never writes: readable means that it closed. */
		if (fds[0].revents)
			return;
		if (fds[1].revents)
			read_signals(guard);
		if (fds[2].revents && !guard->ending)
			read_commands(guard);
	}
}

static void signal_all(const struct guard *guard, int signal_number)
{
	for (size_t i = 0; i < guard->plan.node_count; i++) {
		if (guard->plan.nodes[i].pid)
			kill(-guard->plan.nodes[i].pid, signal_number);
	}
}

static void wait_all(struct guard *guard, int wait_ms)
{
	int64_t deadline_ms = clock_mono_ms() + wait_ms;

	reap(guard);
	while (anything_runs(guard) && clock_mono_ms() < deadline_ms) {
		sleep_ms(2);
		reap(guard);
	}
}

static void end(struct guard *guard)
{
	guard->ending = true;
	if (guard->former)
		kill(guard->former, SIGKILL);
	if (guard->load)
		kill(guard->load, SIGKILL);
	/* TERM first: a stopped process takes it the moment it goes on. */
	signal_all(guard, SIGTERM);
	signal_all(guard, SIGCONT);
	wait_all(guard, TERM_MS);
	signal_all(guard, SIGKILL);
	wait_all(guard, KILL_MS);
	demo_folder_remove(&guard->folder);
	end_turn(guard);
	if (guard->fifo_fd >= 0)
		close(guard->fifo_fd);
	if (guard->signal_fd >= 0)
		close(guard->signal_fd);
	/* Not the socket: its end means that the guard is gone. */
}

_Noreturn void demo_guard_run(int socket_fd, enum demo_kind kind)
{
	static struct guard guard;
	struct buf err = BUF_INIT;

	guard.socket_fd = socket_fd;
	guard.signal_fd = guard.fifo_fd = guard.turn_fd = -1;
	guard.folder.fd = guard.folder.log_fd = -1;
	setsid();
	prctl(PR_SET_NAME, GUARD_NAME);
	/* Servers write their configuration, passwords included, with 0644 less this. */
	umask(077);
	use_null();
	close_others(socket_fd);
	(void)!chdir("/");
	if (start(&guard, kind, &err)) {
		start_former(&guard);
		loop(&guard);
	} else {
		fail(&guard, err.len ? buf_str(&err) : "can't set up signals");
	}
	end(&guard);
	_exit(0);
}
