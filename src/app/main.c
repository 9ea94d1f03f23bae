/* redoubt: a terminal dashboard for Redis and Valkey high availability. */
#include "config.h"

#include <ev.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zstd.h>

#include "app/app.h"
#include "app/demo.h"
#include "app/network.h"
#include "app/options.h"
#include "net/tls.h"
#include "tui/screen.h"

static void print_version(void)
{
	printf("redoubt %s\nhiredis %d.%d.%d\nlibev %d.%d\n%s\njansson %s\nzstd %s\nTLS %s\n",
	       PACKAGE_VERSION, HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH, ev_version_major(),
	       ev_version_minor(), screen_curses_version(), JANSSON_VERSION, ZSTD_versionString(),
	       tls_library_version());
}

static int usage_error(const char *what)
{
	fprintf(stderr, "redoubt: %s\n", what);
	return EXIT_USAGE;
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
		return EXIT_USAGE;
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

static int print_config(const struct options *o)
{
	struct buf out = BUF_INIT;
	options_print_config(o, &out);
	fputs(buf_str(&out), stdout);
	buf_free(&out);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o;
	struct buf err = BUF_INIT;
	int status = 0;
	/* Before anything is read: a password may be among the arguments already. */
	keep_memory_private();
	setlocale(LC_ALL, "");
	/* Numbers are written and read the same everywhere. */
	setlocale(LC_NUMERIC, "C");
	if (!options_parse(&o, argc, argv, &err))
		status = usage_error(buf_str(&err));
	else if (o.help)
		options_print_help();
	else if (o.version)
		print_version();
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
