/* The config file, the settings of a deployment, targets and address maps. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/configfile.h"
#include "app/network.h"
#include "app/options.h"
#include "tui/screen.h"
#include "base/buf.h"
#include "tui/graph.h"

static void parses(struct config *c, const char *text)
{
	struct buf err = BUF_INIT;
	if (!config_parse(c, text, strlen(text), "f", &err))
		fail_msg("%s", buf_str(&err));
	buf_free(&err);
}

static void refused(const char *text, const char *why)
{
	struct config c;
	struct buf err = BUF_INIT;
	assert_false(config_parse(&c, text, strlen(text), "f", &err));
	assert_string_equal(buf_str(&err), why);
	config_done(&c);
	buf_free(&err);
}

static void whole_file(void **state)
{
	static const char text[] =
	    "# a comment\n"
	    "[ui]\ninterval = 0.5\ntimeout=3\nread-only = yes\ntheme = light\ngraph = block\n"
	    "notify = osc777\ntruecolor = auto\ntitle = no\n"
	    "node-columns = role, keys\n"
	    "[alerts]\nlag-warning-bytes = 1000\nlag-warning-seconds = 0\n"
	    "[deployment prod cache]\n"
	    "targets = 10.0.0.1:26379, redis://u:p%40ss@10.0.0.2\n"
	    "targets = [fd00::1]:7000\n"
	    "label = PRODUCTION\nread-only = yes\ntls = sentinel\ncacert = /ca.crt\n"
	    "map = 10.0.0.1=192.168.0.1 10.0.0.9:6379=127.0.0.1:7009\n"
	    "[deployment test]\ntargets = unix:///run/redis.sock\n";
	struct config c;
	(void)state;
	parses(&c, text);
	assert_int_equal(c.interval_ms, 500);
	assert_int_equal(c.timeout_ms, 3000);
	assert_int_equal(c.read_only, 1);
	assert_int_equal(c.ascii, -1);
	assert_string_equal(c.theme, "light");
	assert_int_equal(c.graph, GRAPH_BLOCK);
	assert_int_equal(c.notify, SCREEN_NOTIFY_OSC777);
	assert_int_equal(c.truecolor, TRUECOLOR_AUTO);
	assert_int_equal(c.title, 0);
	assert_int_equal(c.bell, -1);
	assert_string_equal(c.node_columns, "role, keys");
	assert_int_equal(c.alerts.lag_warning_bytes, 1000);
	assert_int_equal(c.alerts.lag_warning_s, 0);
	assert_int_equal(c.deployment_count, 2);
	const struct settings *s = &c.deployments[0];
	assert_string_equal(s->name, "prod cache");
	assert_int_equal(s->target_count, 3);
	assert_string_equal(s->targets[1].password, "p@ss");
	assert_int_equal(s->targets[1].addr.port, 6379);
	assert_string_equal(s->targets[2].addr.host, "fd00::1");
	assert_int_equal(s->tls, TLS_USE_SENTINEL);
	assert_int_equal(s->map.count, 2);
	assert_true(s->read_only);
	assert_string_equal(c.deployments[1].targets[0].addr.host, "/run/redis.sock");
	config_done(&c);
}

static void errors_name_the_line(void **state)
{
	(void)state;
	refused("[ui]\n\nbogus = 1\n", "f:3: bogus: unknown key");
	refused("[ui]\ngraph = dots\n", "f:2: graph: must be auto, braille, block or ascii");
	refused("[ui]\nnode-columns = role, opps\n", "f:2: node-columns: no such column: opps");
	refused("[ui]\ninterval = 61\n", "f:2: interval: must be a number from 0.1 to 60");
	refused("[ui]\ninterval = 1x\n", "f:2: interval: must be a number from 0.1 to 60");
	refused("[uu]\na = 1\n", "f:1: unknown section: [ui], [alerts], [keys] or [deployment NAME]");
	refused("a = 1\n", "f:1: a: a key before any section");
	refused("[ui]\nread-only = maybe\n", "f:2: read-only: must be yes or no");
	refused("[ui]\nnotify = yes\n", "f:2: notify: must be no, osc9 or osc777");
	refused("[ui]\ntruecolor = \n", "f:2: truecolor: must be terminfo, auto, yes or no");
	refused("[ui]\nnonsense\n", "f:2: neither [section] nor key = value");
	refused("[deployment a]\ntargets = h:70000\n", "f:2: targets: malformed host or port");
	refused("[deployment a]\ntargets = h\nmap = a:1=b\nbad = 1\n", "f:4: bad: unknown key");
	refused("[deployment a]\ntargets = h\nmap = x\n", "f:3: map: must be FROM=TO");
	refused("[deployment a]\ntargets = h\nmap = a=b:1\n",
		"f:3: map: a whole host cannot be mapped to one port");
	refused("\n[deployment a]\nlabel = x\n", "f:2: [deployment a]: has no targets");
	refused("[deployment a]\ntls = maybe\n", "f:2: tls: must be yes, no, data or sentinel");
	refused("[alerts]\nlag-warning-bytes = -1\n",
		"f:2: lag-warning-bytes: must be a whole number from 0 to 9223372036854775807");
}

/* inih itself says nothing of a section without keys, and cuts long names. */
static void sections(void **state)
{
	static const char same[] = "[deployment  a b ]\ntargets = g\n[deployment a b]\ntargets = h\n";
	static const char between[] = "[deployment a]\ntargets = g\n[ui]\n[deployment a]\nread-only = yes\n";
	static const char unclosed[] = "[deployment a]\ntargets = h\n[ui\ninterval = 5\nx = 1\n";
	struct config c;
	(void)state;
	refused("[deployment a]\n", "f:1: [deployment a]: has no targets");
	refused("[deployment a]\n# targets = h\n[ui]\n", "f:1: [deployment a]: has no targets");
	refused("\n[UI]\n", "f:2: unknown section: [ui], [alerts], [keys] or [deployment NAME]");
	refused("[deployment ]\n", "f:1: a deployment needs a printable name: [deployment NAME]");
	refused("[deployment a\tb]\n", "f:1: a deployment needs a printable name: [deployment NAME]");
	refused("[deployment 0123456789012345678901234567890123456789]\n",
		"f:1: the section's name is too long: at most 49 bytes");
	refused(unclosed, "f:3: neither [section] nor key = value");
	refused(same, "f:3: [deployment a b] stands twice");
	refused(between, "f:4: [deployment a] stands twice");
	refused("[ui]\ninterval = 1\n[alerts]\n[ui]\n", "f:4: [ui] stands twice");
	refused("[alerts]\n[alerts]\n", "f:2: [alerts] stands twice");
	refused("[deployment a] read-only = yes\ntargets = h\n",
		"f:1: nothing may follow a section's name on its line");
	parses(&c, "[deployment  a b ] ; a comment\ntargets = g\n");
	assert_string_equal(c.deployments[0].name, "a b");
	config_done(&c);
	parses(&c, "[deployment 01234567890123456789012345678901234567]\ntargets = h\n");
	assert_int_equal(strlen(c.deployments[0].name), 38);
	config_done(&c);
}

/* inih alone reads an indented line as more of the value before it. */
static void indented_lines(void **state)
{
	static const char text[] = "\xef\xbb\xbf [deployment a]\n"
				   "  targets = h\n  label = x\n\tread-only = yes\n\v tls = yes\r\n"
				   " ; a comment ; of two\n   # another ;\n \t \n"
				   "  password = hunter2\n"
				   "  [deployment b]\n  targets = i, redis://:hunter3@j\n";
	struct config c;
	struct buf out = BUF_INIT;
	(void)state;
	parses(&c, text);
	assert_int_equal(c.deployment_count, 2);
	assert_string_equal(c.deployments[0].label, "x");
	assert_string_equal(c.deployments[0].password, "hunter2");
	assert_int_equal(c.deployments[0].target_count, 1);
	assert_int_equal(c.deployments[0].tls, TLS_USE_ALL);
	assert_true(c.deployments[0].read_only);
	assert_int_equal(c.deployments[1].target_count, 2);
	settings_print(&c.deployments[0], &out);
	settings_print(&c.deployments[1], &out);
	assert_null(strstr(out.data, "hunter"));
	buf_free(&out);
	config_done(&c);
	refused("\xef\xbb\xbf[uu]\n", "f:1: unknown section: [ui], [alerts], [keys] or [deployment NAME]");
	refused("\xef\xbb\xbf\xef\xbb\xbf [uu]\n",
		"f:1: unknown section: [ui], [alerts], [keys] or [deployment NAME]");
	refused("[ui]\ntheme = a\n  nonsense\n", "f:3: neither [section] nor key = value");
	refused("[ui]\ntheme = a\n  bogus = 1\n", "f:3: bogus: unknown key");
}

/* inih alone cuts the value there. */
static void semicolons(void **state)
{
	struct config c;
	(void)state;
	refused("[deployment a]\ntargets = h\npassword = a ;b\n", "f:3: a value cannot hold ' ;'");
	refused("[deployment a]\ntargets = h\nlabel = a;b\t;c\n", "f:3: a value cannot hold ' ;'");
	refused("[deployment a]\ntargets = h\nlabel = ;\n", "f:3: a value cannot hold ' ;'");
	parses(&c, "; one ; two\n# three ; four\n[deployment a]\ntargets = h\n");
	config_done(&c);
	parses(&c, "[deployment a]\ntargets = h\npassword =;a;b; c\n");
	assert_string_equal(c.deployments[0].password, ";a;b; c");
	config_done(&c);
}

static void alerts_in_order(void **state)
{
	struct config c;
	(void)state;
	refused("[alerts]\nlag-critical-bytes = 99\nlag-warning-bytes = 100\n",
		"f:3: [alerts]: lag-critical-bytes: must not be below lag-warning-bytes");
	parses(&c, "[alerts]\nlag-critical-bytes = 100\nlag-warning-bytes = 100\n");
	config_done(&c);
	parses(&c, "[alerts]\nlag-warning-bytes = 100\n");
	config_done(&c);
	parses(&c, "[alerts]\nlag-critical-bytes = 100\n");
	config_done(&c);
}

static void long_line(void **state)
{
	struct buf text = BUF_INIT;
	(void)state;
	buf_addstr(&text, "[ui]\ntheme = ");
	for (int i = 0; i < 300; i++)
		buf_addch(&text, 'x');
	buf_addch(&text, '\n');
	refused(text.data, "f:2: the line is too long: at most 197 bytes");
	buf_reset(&text);
	buf_addstr(&text, "[deployment a]\n \ttargets=");
	for (int i = 0; i < 100; i++)
		buf_addstr(&text, "h:1");
	refused(text.data, "f:2: the line is too long: repeat the key on another line");
	buf_free(&text);
}

static void modes_and_secrets(void **state)
{
	static const char secret[] = "[deployment a]\ntargets = h\npassword = hunter2\n";
	char path[] = "/tmp/redoubt-test-XXXXXX";
	struct config c;
	struct buf err = BUF_INIT, out = BUF_INIT;
	int fd = mkstemp(path);
	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, secret, sizeof(secret) - 1), sizeof(secret) - 1);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_false(config_load(&c, path, false, &err));
	assert_non_null(strstr(buf_str(&err), "readable by others"));
	assert_null(strstr(buf_str(&err), "hunter2"));
	config_done(&c);
	assert_int_equal(fchmod(fd, 0600), 0);
	buf_reset(&err);
	assert_true(config_load(&c, path, false, &err));
	settings_print(&c.deployments[0], &out);
	assert_string_equal(out.data, "targets = h:6379\npassword = ******\n");
	config_done(&c);
	close(fd);
	unlink(path);
	assert_false(config_load(&c, path, false, &err));
	config_done(&c);
	buf_reset(&err);
	assert_true(config_load(&c, path, true, &err));
	config_done(&c);
	buf_free(&err);
	buf_free(&out);
}

/* What --print-config says can be read again and says the same. */
static void printed_is_readable(void **state)
{
	static const char text[] = "[deployment a]\ntargets = redis://u:p@h:1,[::1]:2,unix:///s\n"
				   "user = me\npass-file = /p\ntls = data\ninsecure = yes\n"
				   "map = 10.0.0.1=127.0.0.1,[fd00::1]:1=h:2\n";
	struct config c, again;
	struct buf first = BUF_INIT, second = BUF_INIT;
	(void)state;
	parses(&c, text);
	buf_addstr(&first, "[deployment a]\n");
	settings_print(&c.deployments[0], &first);
	parses(&again, first.data);
	buf_addstr(&second, "[deployment a]\n");
	settings_print(&again.deployments[0], &second);
	assert_string_equal(first.data, second.data);
	assert_non_null(strstr(first.data, "map = [fd00::1]:1=h:2"));
	config_done(&c);
	config_done(&again);
	buf_free(&first);
	buf_free(&second);
}

/* So is the whole of it, also without a target, and nothing in it reaches a terminal raw. */
static void whole_is_readable(void **state)
{
	char program[] = "redoubt", none[] = "-c/dev/null", tls[] = "--tls", log[] = "--log=/l\033[2J";
	char user[] = "redis://a%0ab:c@h";
	struct config again;
	struct options o;
	struct buf err = BUF_INIT, out = BUF_INIT;
	(void)state;
	for (int argc = 2; argc <= 5; argc++) {
		char *argv[] = { program, none, tls, log, user, NULL };
		argv[argc] = NULL;
		if (!options_parse(&o, argc, argv, &err) || !options_load_config(&o, &err))
			fail_msg("%s", buf_str(&err));
		buf_reset(&out);
		options_print_config(&o, 1u << 8, &out);
		assert_null(strchr(out.data, '\033'));
		assert_null(strstr(out.data, "doctor"));
		parses(&again, out.data);
		assert_int_equal(again.deployment_count, argc == 5);
		assert_int_equal(strstr(out.data, "\n# tls = yes\n") != NULL, argc == 3 || argc == 4);
		config_done(&again);
		options_free(&o);
	}
	assert_non_null(strstr(out.data, "targets = redis://a%0Ab:******@h:6379\n"));
	buf_free(&err);
	buf_free(&out);
}

static void could_be_written(void **state)
{
	static const struct { const char *path, *why; } cases[] = {
		{ "/dev/null", "" }, { "new-log", "" }, { "/nonexistent/log", "--log /nonexistent/log: No such" },
		{ "/tmp", "--log /tmp: Is a directory" }, { "/dev/null/log", "--log /dev/null/log: Not a dir" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options o = { .log_file = (char *)cases[i].path };
		struct buf err = BUF_INIT;
		assert_int_equal(options_check_files(&o, &err), cases[i].why[0] == '\0');
		assert_memory_equal(buf_str(&err), cases[i].why, strlen(cases[i].why));
		buf_free(&err);
	}
	assert_int_not_equal(access("new-log", F_OK), 0);
}

static void mapped(const struct address_map *m, const char *from, const char *to)
{
	struct endpoint ep;
	char text[ENDPOINT_TEXT_BYTES];
	assert_true(endpoint_parse(&ep, from, 6379));
	address_map_apply(m, &ep);
	assert_string_equal(endpoint_format(&ep, text), to);
}

static void maps(void **state)
{
	struct address_map m = { 0 };
	struct buf err = BUF_INIT;
	(void)state;
	assert_true(address_map_add(&m, "10.0.0.1=127.0.0.1", &err));
	assert_true(address_map_add(&m, "10.0.0.1:6380=127.0.0.1:16380", &err));
	assert_true(address_map_add(&m, "[fd00::1]:1=h:2", &err));
	mapped(&m, "10.0.0.1:6379", "127.0.0.1:6379");
	mapped(&m, "10.0.0.1:6380", "127.0.0.1:16380");
	mapped(&m, "10.0.0.2:6380", "10.0.0.2:6380");
	mapped(&m, "[fd00::1]:1", "h:2");
	mapped(&m, "[fd00::1]:3", "[fd00::1]:3");
	assert_false(address_map_add(&m, "=", &err));
	assert_false(address_map_add(&m, "a:1=", &err));
	assert_false(address_map_add(&m, "a:b=c:1", &err));
	assert_int_equal(m.count, 3);
	address_map_done(&m);
	buf_free(&err);
}

static void targets(void **state)
{
	static const char *const bad[] = { "", "redis://", "redis://h:0", "redis://h:x", "http://h",
					   "a@b", "a b", "redis://u:%zz@h", "redis://h/path", "unix://rel",
					   "h:99999", "redis://u:%00@h", "redis://u@h", "unix:///a\033[2J", "unix:///\xff" };
	struct target t;
	struct buf err = BUF_INIT;
	char argument[] = "rediss://user:secret@host:1";
	(void)state;
	assert_true(target_parse(&t, argument, &err));
	assert_true(t.tls);
	assert_string_equal(t.user, "user");
	assert_string_equal(t.password, "secret");
	target_done(&t);
	target_wipe_argument(argument);
	assert_string_equal(argument, "rediss://***********@host:1");
	assert_true(target_parse(&t, "redis://:pw@h/0", &err));
	assert_null(t.user);
	target_done(&t);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_reset(&err);
		if (target_parse(&t, bad[i], &err))
			fail_msg("\"%s\" was taken", bad[i]);
		assert_true(err.len > 0);
		target_done(&t);
	}
	buf_free(&err);
}

/* What a usage error says, and what is left in view of ps. */
static void says(const char *word, const char *why, const char *left)
{
	char program[] = "redoubt", argument[128];
	char *argv[] = { program, argument, NULL };
	struct options o;
	struct buf err = BUF_INIT;
	snprintf(argument, sizeof(argument), "%s", word);
	assert_false(options_parse(&o, 2, argv, &err));
	assert_string_equal(buf_str(&err), why);
	assert_string_equal(argument, left);
	options_free(&o);
	buf_free(&err);
}

static void errors_hide_passwords(void **state)
{
	static const char form[] = "target 1: not host[:port], redis://... or unix:///path";
	static const char port[] = "target 1: malformed host or port";
	(void)state;
	says("user:s3cret@h", form, "*************");
	says("redis:/user:s3cret@h:1", form, "**********************");
	says("redis://user:s3cret", port, "*******************");
	says("redis://:s3cret", port, "***************");
	says("redis://u:pa/s3cret@h", "target 1: only host and port may follow", "*********************");
	says("redis://s3cret@h", "target 1: a user needs a password: user:password@", "****************");
	says("h:99999", "h:99999: malformed host or port", "h:99999");
	says("http://h:80", "http://h:80: not host[:port], redis://... or unix:///path", "http://h:80");
}

/* Words after the one that is wrong are not looked at, but stay in view. */
static void later_words_are_wiped(void **state)
{
	char program[] = "redoubt", bad[] = "--bogus", plain[] = "host:1";
	char secret[] = "redis://u:s3cret@h", slip[] = "redis://:s3cret";
	char *argv[] = { program, bad, secret, slip, plain, NULL };
	struct options o;
	struct buf err = BUF_INIT;
	(void)state;
	assert_false(options_parse(&o, 5, argv, &err));
	assert_null(strstr(secret, "s3cret"));
	assert_null(strstr(slip, "s3cret"));
	assert_string_equal(plain, "host:1");
	options_free(&o);
	buf_free(&err);
}

/* Parses as the command line does, with a file that has one deployment. */
static bool loads(const char *path, char *option, char *value, char *target, struct buf *err)
{
	char program[] = "redoubt", config[] = "-c";
	char *argv[] = { program, config, (char *)path, option, value, target, NULL };
	int argc = 3 + (option != NULL) + (value != NULL) + (target != NULL);
	struct options o;
	buf_reset(err);
	bool ok = options_parse(&o, argc, argv, err) && options_load_config(&o, err);
	options_free(&o);
	return ok;
}

/* An option that no deployment would hear is told, not dropped: --tls is not a thing to lose. */
static void options_without_a_target(void **state)
{
	static const char text[] = "[deployment a]\ntargets = h\n";
	char path[] = "/tmp/redoubt-test-XXXXXX", target[] = "h";
	char tls[] = "--tls", askpass[] = "--askpass", map[] = "--map", pair[] = "a=b";
	char interval[] = "--interval=2", read_only[] = "--read-only";
	struct buf err = BUF_INIT;
	int fd = mkstemp(path);
	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	assert_false(loads(path, tls, NULL, NULL, &err));
	assert_string_equal(buf_str(&err), "--tls: goes with a target; the file's deployments have "
					   "their own settings");
	assert_false(loads(path, askpass, NULL, NULL, &err));
	assert_false(loads(path, map, pair, NULL, &err));
	assert_true(loads(path, map, pair, target, &err));
	assert_true(loads(path, interval, read_only, NULL, &err));
	assert_true(loads(path, NULL, NULL, NULL, &err));
	unlink(path);
	buf_free(&err);
}

/* network_build of one deployment; what it says. */
static void builds(const char *text, const char *why)
{
	struct options o = { .mode = RUN_ONCE };
	struct network n;
	struct buf err = BUF_INIT;
	parses(&o.config, text);
	assert_int_equal(network_build(&n, &o, NULL, &err), why == NULL);
	assert_string_equal(buf_str(&err), why != NULL ? why : "");
	network_free(&n);
	config_done(&o.config);
	buf_free(&err);
}

/* Programs that are started later inherit the environment. */
static void variables_are_forgotten(void **state)
{
	(void)state;
	assert_int_equal(setenv("REDOUBT_TEST_ONE", "s3cret", 1), 0);
	assert_int_equal(setenv("REDOUBT_TEST_TWO", "s3cret", 1), 0);
	builds("[deployment a]\ntargets = h\npass-env = REDOUBT_TEST_ONE\n"
	       "[deployment b]\ntargets = h\npass-env = REDOUBT_TEST_ONE\n"
	       "sentinel-pass-env = REDOUBT_TEST_TWO\n", NULL);
	assert_null(getenv("REDOUBT_TEST_ONE"));
	assert_null(getenv("REDOUBT_TEST_TWO"));
	builds("[deployment a]\ntargets = h\npass-env = NO\033[2J\n",
	       "f:3: pass-env: the environment has no NO\\x1b[2J");
}

static void reads_password(size_t letters, const char *end, const char *why)
{
	char path[] = "/tmp/redoubt-test-XXXXXX", text[128], want[128];
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	for (size_t i = 0; i < letters; i++)
		assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(write(fd, end, strlen(end)), strlen(end));
	close(fd);
	snprintf(text, sizeof(text), "[deployment a]\ntargets = h\npass-file = %s\n", path);
	snprintf(want, sizeof(want), "f:3: pass-file: %s: %s", path, why != NULL ? why : "");
	builds(text, why != NULL ? want : NULL);
	unlink(path);
}

static void password_files(void **state)
{
	(void)state;
	reads_password(0, "", "is empty");
	reads_password(0, "\r\n", "is empty");
	reads_password(0, "\nsecond\n", "is empty");
	reads_password(4095, "", NULL);
	reads_password(4095, "\r\nsecond\n", NULL);
	reads_password(4096, "\n", "is longer than 4095 bytes");
	reads_password(5000, "", "is longer than 4095 bytes");
	builds("[deployment a]\ntargets = h\npass-file = /no\033[2J\n",
	       "f:3: pass-file: /no\\x1b[2J: No such file or directory");
}

/* What a key names is looked at before anything starts, and its line is told. */
static void what_keys_name(void **state)
{
	(void)state;
	builds("[deployment a]\ntargets = h\n\ncacert = /nonexistent\ntls = yes\n",
	       "f:4: cacert /nonexistent: no such file");
	builds("[deployment a]\ntargets = h\ncert = x\n",
	       "f:1: tls: is needed for cacert, cacertdir, cert, key, sni and insecure");
}

/* options_load_config of a file with the text; what it says, without the file's name. */
static void loads_text(const char *text, const char *theme, const char *why)
{
	char path[] = "/tmp/redoubt-test-XXXXXX";
	struct options o = { .config_file = path };
	struct buf err = BUF_INIT;
	int fd = mkstemp(path);
	size_t skip;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	o.theme = theme != NULL ? strdup(theme) : NULL;
	assert_int_equal(options_load_config(&o, &err), why == NULL);
	skip = strncmp(buf_str(&err), path, strlen(path)) == 0 ? strlen(path) : 0;
	assert_non_null(strstr(buf_str(&err) + skip, why != NULL ? why : ""));
	if (why != NULL)
		assert_ptr_equal(strstr(buf_str(&err) + skip, why), buf_str(&err) + skip);
	o.config_file = NULL;
	options_free(&o);
	unlink(path);
	buf_free(&err);
}

static void themes_are_there(void **state)
{
	(void)state;
	loads_text("[ui]\ntheme = nord\n[deployment a]\ntargets = h\ntheme = mono\n", NULL, NULL);
	loads_text("[ui]\n\ntheme = nosuch\n", NULL, ":3: theme: theme 'nosuch' not found");
	loads_text("[ui]\ntheme = nosuch\n", "nord", NULL); /* the option replaces it */
	loads_text("[ui]\ntheme = nord\n", "no\033[2Jsuch", "--theme: theme 'no\\x1b[2Jsuch' not found");
	loads_text("", "/no\033[2J/such", "--theme: /no\\x1b[2J/such: No such file or directory");
	loads_text("[deployment a]\ntargets = h\n[deployment b]\ntheme = ./nosuch\ntargets = h\n", NULL,
		   ":4: theme: ./nosuch: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_file),	     cmocka_unit_test(errors_name_the_line),
		cmocka_unit_test(sections),	     cmocka_unit_test(indented_lines),
		cmocka_unit_test(semicolons),	     cmocka_unit_test(alerts_in_order),
		cmocka_unit_test(variables_are_forgotten), cmocka_unit_test(password_files),
		cmocka_unit_test(what_keys_name), cmocka_unit_test(themes_are_there),
		cmocka_unit_test(errors_hide_passwords), cmocka_unit_test(later_words_are_wiped),
		cmocka_unit_test(long_line),	     cmocka_unit_test(modes_and_secrets),
		cmocka_unit_test(printed_is_readable), cmocka_unit_test(maps),
		cmocka_unit_test(whole_is_readable), cmocka_unit_test(could_be_written),
		cmocka_unit_test(targets),	     cmocka_unit_test(options_without_a_target),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
