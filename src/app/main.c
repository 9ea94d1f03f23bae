/* redoubt: a terminal dashboard for Redis and Valkey high availability. */
#include "config.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zstd.h>

#include "app/app.h"
#include "app/demo.h"
#include "app/network.h"
#include "app/options.h"
#include "app/ui_private.h"
#include "net/tls.h"
#include "tui/screen.h"

/* Of what was printed; 0, or the status with one line said. */
static int finish_stdout(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return output_failed("standard output", errno);
}

static int print_version(void)
{
	printf("redoubt %s\nhiredis %d.%d.%d\nlibev %d.%d\n%s\njansson %s\nzstd %s\nTLS %s\n",
	       PACKAGE_VERSION, HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH, ev_version_major(),
	       ev_version_minor(), screen_curses_version(), JANSSON_VERSION, ZSTD_versionString(),
	       tls_library_version());
	return finish_stdout();
}

static int print_help(void)
{
	options_print_help();
	return finish_stdout();
}

static int usage_error(const char *what)
{
	fprintf(stderr, "redoubt: %s\n", what);
	return EXIT_USAGE;
}

/* What was closed at the start would be taken by the next file or socket, and our words would go into
 * that one. The wrong way round, so that using it is the error that it is without. */
static void keep_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
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

/* Passwords are in memory: no core file, and no other process of this user looks inside. */
static void keep_memory_private(void)
{
	const struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
#ifndef WITH_SANITIZERS /* the leak checker looks inside */
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

static int run_on(const struct options *o, const struct demo *demo)
{
	struct network network;
	struct buf err = BUF_INIT;
	int status = EXIT_USAGE;
	if (network_build(&network, o, demo, &err))
		status = app_run(o, &network, demo);
	else
		usage_error(buf_str(&err));
	network_free(&network);
	buf_free(&err);
	return status;
}

static int run_demo(const struct options *o)
{
	struct demo demo;
	struct buf err = BUF_INIT;
	if (!demo_start(&demo, o->demo, &err)) {
		fprintf(stderr, "redoubt: --demo: %s\n", buf_str(&err));
		buf_free(&err);
		return EXIT_UNAVAILABLE;
	}
	buf_free(&err);
	int status = run_on(o, &demo);
	demo_stop(&demo);
	return status;
}

static int run(const struct options *o)
{
	raise_descriptor_limit();
	if (o->mode == RUN_SCREEN && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return usage_error("not a terminal: use --once or --events where there is none");
	return o->demo != DEMO_NONE ? run_demo(o) : run_on(o, NULL);
}

/* What a start would check as well: passwords are where they are said to be, certificates can be read,
 * files can be written. Nothing is asked, connected to or opened for writing. */
static int check_config(const struct options *o)
{
	struct network network;
	struct buf err = BUF_INIT;
	struct options quiet = *o;
	quiet.askpass = false;
	/* Its name needs the password that will be asked for. */
	if (o->askpass)
		quiet.cli.user = NULL;
	int status = network_build(&network, &quiet, NULL, &err) ? 0 : usage_error(buf_str(&err));
	if (status == 0 && !options_check_files(o, &err)) {
		usage_error(buf_str(&err));
		status = EXIT_OUTPUT;
	}
	network_free(&network);
	buf_free(&err);
	return status;
}

static int print_config(const struct options *o)
{
	struct buf out = BUF_INIT;
	int status = check_config(o);
	if (status != 0)
		return status;
	options_print_config(o, ui_screens_missing(), &out);
	fputs(buf_str(&out), stdout);
	buf_free(&out);
	return finish_stdout();
}

int main(int argc, char **argv)
{
	struct options o;
	struct buf err = BUF_INIT;
	int status = 0;
	/* Before anything is read: a password may be among the arguments already. */
	keep_memory_private();
	keep_standard_descriptors();
	setlocale(LC_ALL, "");
	/* Numbers are written and read the same everywhere. */
	setlocale(LC_NUMERIC, "C");
	if (!options_parse(&o, argc, argv, &err))
		status = usage_error(buf_str(&err));
	else if (o.help)
		status = print_help();
	else if (o.version)
		status = print_version();
	else if (!options_load_config(&o, &err))
		status = usage_error(buf_str(&err));
	else if (o.print_config)
		status = print_config(&o);
	else
		status = run(&o);
	buf_free(&err);
	options_free(&o);
	return status;
}
