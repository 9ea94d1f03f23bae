/* ptytool FILE COMMAND...: runs the command on a terminal of its own, 80x24, that is read only when
 * it is told to. For tests/live/screen.sh: a terminal behind a dead connection.
 *
 * Lines on standard input: "read" appends what comes to FILE from now on, "stop" leaves it in the
 * kernel, "keys TEXT" types (\e and \f as in C), "close" hangs up. Its end hangs up as well. Prints
 * "pid N" at the start, "status N" at the command's end (128 and more: a signal). */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int master = -1, file = -1;
static bool reading;
static char line[1024];
static size_t line_len;

static int run(char **argv, pid_t *pid)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	const char *name;
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 || (name = ptsname(master)) == NULL)
		return -1;
	ioctl(master, TIOCSWINSZ, &size);
	*pid = fork();
	if (*pid != 0)
		return *pid > 0 ? 0 : -1;
	setsid();
	int tty = open(name, O_RDWR); /* becomes the controlling terminal */
	for (int fd = 0; fd < 3; fd++)
		dup2(tty, fd);
	if (tty > 2)
		close(tty);
	/* A script's background job has them ignored, which no program on a terminal has. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	execvp(argv[0], argv);
	_exit(127);
}

static void hang_up(void)
{
	if (master >= 0)
		close(master);
	master = -1;
}

/* At once, as a terminal sends a key's bytes: torn by the scheduler it would be several keys. */
static void type(const char *keys)
{
	char bytes[sizeof(line)];
	size_t len = 0, sent = 0;
	for (; *keys; keys++) {
		bytes[len] = *keys;
		if (keys[0] == '\\' && (keys[1] == 'e' || keys[1] == 'f'))
			bytes[len] = *++keys == 'e' ? '\033' : '\f';
		len++;
	}
	while (sent < len && master >= 0) {
		ssize_t n = write(master, bytes + sent, len - sent);
		if (n < 0 && errno != EINTR)
			return;
		sent += n > 0 ? (size_t)n : 0;
	}
}

static void obey(const char *command)
{
	if (strcmp(command, "read") == 0)
		reading = true;
	else if (strcmp(command, "stop") == 0)
		reading = false;
	else if (strcmp(command, "close") == 0)
		hang_up();
	else if (strncmp(command, "keys ", 5) == 0)
		type(command + 5);
}

static bool read_commands(void)
{
	char *end;
	ssize_t got = read(STDIN_FILENO, line + line_len, sizeof(line) - 1 - line_len);
	if (got <= 0)
		return false;
	line_len += (size_t)got;
	line[line_len] = '\0';
	while ((end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		obey(line);
		line_len -= (size_t)(end + 1 - line);
		memmove(line, end + 1, line_len + 1);
	}
	return true;
}

static void read_terminal(void)
{
	char block[4096];
	ssize_t got = read(master, block, sizeof(block));
	if (got > 0 && write(file, block, (size_t)got) == got)
		return;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	hang_up();
}

/* What the command wrote last may be in the kernel still when it has ended. */
static void read_the_rest(void)
{
	struct pollfd fd = { .fd = master, .events = POLLIN };
	while (reading && master >= 0 && poll(&fd, 1, 0) > 0)
		read_terminal();
}

static bool ended(pid_t pid)
{
	int status;
	if (waitpid(pid, &status, WNOHANG) != pid)
		return false;
	read_the_rest();
	printf("status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fflush(stdout);
	return true;
}

int main(int argc, char **argv)
{
	pid_t pid;
	if (argc < 3) {
		fprintf(stderr, "usage: ptytool FILE COMMAND...\n");
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (file < 0 || run(argv + 2, &pid) != 0) {
		perror("ptytool");
		return 1;
	}
	printf("pid %d\n", (int)pid);
	fflush(stdout);
	for (bool listening = true; !ended(pid);) {
		struct pollfd fds[2] = { { .fd = listening ? STDIN_FILENO : -1, .events = POLLIN },
					 { .fd = reading ? master : -1, .events = POLLIN } };
		if (poll(fds, 2, 50) <= 0)
			continue;
		if (fds[0].revents && !read_commands()) {
			listening = false;
			hang_up();
		}
		if (fds[1].revents && master >= 0)
			read_terminal();
	}
	return 0;
}
