/* redoubt: a terminal dashboard for Redis and Valkey high availability. */
#include "config.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include "app/app.h"
#include "app/demo.h"
#include "app/options.h"
#include "base/mem.h"
#include "tui/screen.h"

#define PASSWORD_MAX 4096

static void print_version(void)
{
	printf("redoubt %s\nhiredis %d.%d.%d\nlibev %d.%d\n%s\njansson %s\nTLS none\n", PACKAGE_VERSION,
	       HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH, ev_version_major(), ev_version_minor(),
	       screen_curses_version(), JANSSON_VERSION);
}

static int usage_error(const char *what, const char *why)
{
	fprintf(stderr, "redoubt: %s%s%s\n", what, why[0] != '\0' ? ": " : "", why);
	return EXIT_USAGE;
}

/* --- passwords --------------------------------------------------------------------------------- */

/* The first line of a file; owned. NULL with errno set. */
static char *read_password_file(const char *path)
{
	char line[PASSWORD_MAX] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return NULL;
	ssize_t len = read(fd, line, sizeof(line) - 1);
	int error = len < 0 ? errno : len == 0 ? ENODATA : 0;
	close(fd);
	if (error != 0) {
		errno = error;
		return NULL;
	}
	line[len] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	char *password = mem_strdup(line);
	explicit_bzero(line, sizeof(line));
	return password;
}

/* Asks on the terminal without echo; owned. NULL when there is none. */
static char *ask_password(void)
{
	char line[PASSWORD_MAX] = "";
	struct termios before, quiet;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || tcgetattr(fd, &before) != 0)
		return NULL;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	tcsetattr(fd, TCSAFLUSH, &quiet);
	static const char question[] = "Password: ";
	ssize_t len = write(fd, question, sizeof(question) - 1);
	len = len > 0 ? read(fd, line, sizeof(line) - 1) : len;
	tcsetattr(fd, TCSAFLUSH, &before);
	close(fd);
	if (len <= 0)
		return NULL;
	line[len] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	char *password = mem_strdup(line);
	explicit_bzero(line, sizeof(line));
	return password;
}

static void store(struct credentials *c, enum credential_kind kind, const char *user, char *password)
{
	if (password != NULL)
		credentials_set(c, kind, user, password);
	mem_wipe_free(password, password != NULL ? strlen(password) : 0);
}

static char *from_environment(const char *name)
{
	const char *value = getenv(name);
	return value != NULL && value[0] != '\0' ? mem_strdup(value) : NULL;
}

/* A file goes before the environment. False with the exit status's line printed. */
static bool load_pair(struct credentials *c, enum credential_kind kind, const char *user,
		      const char *file, const char *option, const char *variable, bool may_ask)
{
	char *password = file != NULL ? read_password_file(file) : from_environment(variable);
	if (file != NULL && password == NULL) {
		fprintf(stderr, "redoubt: %s: %s: %s\n", option, file, strerror(errno));
		return false;
	}
	/* Without a password the name would be ignored, and the server's NOAUTH would puzzle. */
	if (user != NULL && password == NULL && !may_ask) {
		fprintf(stderr, "redoubt: --%suser: needs a password as well (%s or %s)\n",
			kind == CREDENTIAL_SENTINEL ? "sentinel-" : "", option, variable);
		return false;
	}
	store(c, kind, user, password);
	return true;
}

static bool load_credentials(struct credentials *c, const struct options *o)
{
	if (!load_pair(c, CREDENTIAL_DATA, o->user, o->pass_file, "--pass-file", "REDISCLI_AUTH",
		       o->askpass) ||
	    !load_pair(c, CREDENTIAL_SENTINEL, o->sentinel_user, o->sentinel_pass_file,
		       "--sentinel-pass-file", "REDOUBT_SENTINEL_AUTH", false))
		return false;
	unsetenv("REDISCLI_AUTH");
	unsetenv("REDOUBT_SENTINEL_AUTH");
	if (!o->askpass)
		return true;
	char *password = ask_password();
	if (password == NULL)
		fprintf(stderr, "redoubt: --askpass: no terminal to ask on\n");
	store(c, CREDENTIAL_DATA, o->user, password);
	return password != NULL;
}

/* --- the demo ---------------------------------------------------------------------------------- */

static bool start_demo(struct demo *demo, const struct options *o, struct credentials *c)
{
	struct buf err = BUF_INIT;
	if (!demo_start(demo, o->demo, &err)) {
		fprintf(stderr, "redoubt: --demo: %s\n", buf_str(&err));
		buf_free(&err);
		return false;
	}
	buf_free(&err);
	credentials_set(c, CREDENTIAL_DATA, NULL, demo->data_password);
	credentials_set(c, CREDENTIAL_SENTINEL, NULL, demo->sentinel_password);
	return true;
}

/* A connection a node, two a Sentinel: 1,024 descriptors are too few for a large fleet. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(const struct options *o)
{
	struct demo demo;
	struct credentials *credentials = credentials_new();
	int status = EXIT_USAGE;
	raise_descriptor_limit();
	if (!load_credentials(credentials, o)) {
		credentials_free(credentials);
		return EXIT_USAGE;
	}
	if (o->mode == RUN_SCREEN && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
		usage_error("not a terminal", "use --once or --events where there is none");
	} else if (o->demo == DEMO_NONE) {
		status = app_run(o, credentials, NULL);
	} else if (start_demo(&demo, o, credentials)) {
		status = app_run(o, credentials, &demo);
		demo_stop(&demo);
	}
	credentials_free(credentials);
	return status;
}

int main(int argc, char **argv)
{
	struct options o;
	struct buf err = BUF_INIT;
	int status = 0;
	setlocale(LC_ALL, "");
	/* Numbers are written and read the same everywhere. */
	setlocale(LC_NUMERIC, "C");
	if (!options_parse(&o, argc, argv, &err))
		status = usage_error(buf_str(&err), "");
	else if (o.help)
		options_print_help();
	else if (o.version)
		print_version();
	else
		status = run(&o);
	buf_free(&err);
	options_free(&o);
	return status;
}
