#include "config.h"

#include "app/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/target.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"
#include "net/recording_writer.h"
#include "tui/theme.h"

enum option_type {
	OPTION_FLAG,     /* bool */
	OPTION_TEXT,     /* char *, copied */
	OPTION_SECONDS,  /* int64_t ms */
	OPTION_SETTING,  /* of the command line's deployment, by the same name as in the config file */
	OPTION_SPECIAL,  /* a function of its own */
};

struct option_info {
	char short_name;        /* 0: none */
	const char *name;
	enum option_type type;
	const char *value_name; /* NULL: takes no value */
	bool value_optional;    /* --name[=VALUE] */
	size_t offset;          /* into struct options */
	double min, max;        /* OPTION_SECONDS */
	bool (*special)(struct options *o, const char *value, struct buf *err);
	const char *help;
};

/* --once, --events and --dump exclude one another. */
static bool set_mode(struct options *o, enum run_mode mode, struct buf *err)
{
	if (o->mode != RUN_SCREEN && o->mode != mode)
		buf_addstr(err, "only one of --once, --events and --dump");
	o->mode = mode;
	return err->len == 0;
}

static bool set_once(struct options *o, const char *value, struct buf *err)
{
	(void)value;
	return set_mode(o, RUN_ONCE, err);
}

static bool set_events(struct options *o, const char *value, struct buf *err)
{
	(void)value;
	return set_mode(o, RUN_EVENTS, err);
}

static bool set_tls(struct options *o, const char *value, struct buf *err)
{
	(void)value;
	return settings_set(&o->cli, "tls", "yes", 0, err);
}

static bool set_insecure(struct options *o, const char *value, struct buf *err)
{
	(void)value;
	return settings_set(&o->cli, "insecure", "yes", 0, err);
}

/* The place of value among the words of "this|that|other", -1 with the reason in err. */
static int choose(const char *words, const char *value, struct buf *err)
{
	struct buf must = BUF_INIT;
	size_t len = strcspn(words, "|"), value_len = strlen(value);
	int place = 0;
	buf_addf(&must, "must be %.*s", (int)len, words);
	while (len != value_len || memcmp(words, value, len) != 0) {
		if (words[len] == '\0') {
			buf_addstr(err, must.data);
			place = -1;
			break;
		}
		words += len + 1;
		len = strcspn(words, "|");
		buf_addf(&must, "%s%.*s", words[len] == '\0' ? " or " : ", ", (int)len, words);
		place++;
	}
	buf_free(&must);
	return place;
}

#define FORMAT_WORDS "text|json"             /* as enum output_format */
#define SPEED_LEAST  0.25
#define SPEED_MOST   64.0
#define DEMO_WORDS   "sentinel|cluster|all"  /* as enum demo_kind, behind DEMO_NONE */

static bool set_format(struct options *o, const char *value, struct buf *err)
{
	int place = choose(FORMAT_WORDS, value, err);
	o->format_set = true;
	o->format = place >= 0 ? (enum output_format)place : FORMAT_TEXT;
	return place >= 0;
}

static bool set_dump(struct options *o, const char *value, struct buf *err)
{
	const char *x = strchr(value, 'x');
	int64_t width, height;
	if (x == NULL || !number_parse(value, (size_t)(x - value), 1, 1000, &width) ||
	    !number_parse(x + 1, strlen(x + 1), 1, 1000, &height)) {
		buf_addstr(err, "must be WIDTHxHEIGHT, each 1 to 1000");
		return false;
	}
	o->dump_width = (int)width;
	o->dump_height = (int)height;
	return set_mode(o, RUN_DUMP, err);
}

static bool set_demo(struct options *o, const char *value, struct buf *err)
{
	int place = choose(DEMO_WORDS, value != NULL ? value : "all", err);
	o->demo = (enum demo_kind)(place + 1);
	return place >= 0;
}

/* "64M": bytes, or so many times 1024, 1024^2 or 1024^3 of them. */
static bool set_record_max(struct options *o, const char *value, struct buf *err)
{
	static const char units[] = "KMG";
	size_t len = strlen(value);
	const char *unit = len > 0 ? strchr(units, toupper((unsigned char)value[len - 1])) : NULL;
	int shift = unit != NULL ? 10 * (int)(unit - units + 1) : 0;
	int64_t count;
	if (!number_parse(value, len - (unit != NULL), 1, INT64_C(1) << (50 - shift), &count) ||
	    count << shift < RECORDING_LEAST_BYTES) {
		buf_addf(err, "must be at least %dK: bytes, or a number with K, M or G",
			 RECORDING_LEAST_BYTES / 1024);
		return false;
	}
	o->record_max_bytes = count << shift;
	return true;
}

static bool set_speed(struct options *o, const char *value, struct buf *err)
{
	if (number_parse_double(value, strlen(value), SPEED_LEAST, SPEED_MOST, &o->speed))
		return true;
	buf_addf(err, "must be a number from %g to %g", SPEED_LEAST, SPEED_MOST);
	return false;
}

#define AT(member) offsetof(struct options, member)

static const struct option_info options[] = {
	{ 'c', "config", OPTION_TEXT, "FILE", false, AT(config_file), 0, 0, NULL,
	  "default $XDG_CONFIG_HOME/redoubt/redoubt.conf; /dev/null: none" },
	{ 0, "print-config", OPTION_FLAG, NULL, false, AT(print_config), 0, 0, NULL,
	  "check the configuration as a start would, print what is in force without secrets, exit" },
	{ 'i', "interval", OPTION_SECONDS, "SECONDS", false, AT(interval_ms), 0.1, 60, NULL,
	  "poll interval, 0.1 to 60, default 1" },
	{ 0, "timeout", OPTION_SECONDS, "SECONDS", false, AT(timeout_ms), 0.1, 60, NULL,
	  "connect and reply deadline, 0.1 to 60, default 2" },
	{ 0, "user", OPTION_SETTING, "NAME", false, 0, 0, 0, NULL,
	  "ACL user on data nodes" },
	{ 0, "pass-file", OPTION_SETTING, "FILE", false, 0, 0, 0, NULL,
	  "file with the data nodes' password (or REDISCLI_AUTH in the environment)" },
	{ 0, "askpass", OPTION_FLAG, NULL, false, AT(askpass), 0, 0, NULL,
	  "ask for the data nodes' password on the terminal" },
	{ 0, "sentinel-user", OPTION_SETTING, "NAME", false, 0, 0, 0, NULL,
	  "ACL user on Sentinels" },
	{ 0, "sentinel-pass-file", OPTION_SETTING, "FILE", false, 0, 0, 0, NULL,
	  "file with the Sentinels' password (or REDOUBT_SENTINEL_AUTH in the environment)" },
	{ 0, "tls", OPTION_SPECIAL, NULL, false, 0, 0, 0, set_tls,
	  "speak TLS, with the system's trust store" },
	{ 0, "cacert", OPTION_SETTING, "FILE", false, 0, 0, 0, NULL,
	  "certificate authority that signed the servers' certificates" },
	{ 0, "cacertdir", OPTION_SETTING, "FOLDER", false, 0, 0, 0, NULL,
	  "folder of such certificates" },
	{ 0, "cert", OPTION_SETTING, "FILE", false, 0, 0, 0, NULL, "client certificate" },
	{ 0, "key", OPTION_SETTING, "FILE", false, 0, 0, 0, NULL, "its private key" },
	{ 0, "sni", OPTION_SETTING, "NAME", false, 0, 0, 0, NULL,
	  "server name to ask for and to verify, instead of the host's" },
	{ 0, "insecure", OPTION_SPECIAL, NULL, false, 0, 0, 0, set_insecure,
	  "TLS without verifying the server's certificate" },
	{ 0, "map", OPTION_SETTING, "FROM=TO", false, 0, 0, 0, NULL,
	  "reach the announced address FROM at TO; repeatable" },
	{ 0, "read-only", OPTION_FLAG, NULL, false, AT(read_only), 0, 0, NULL,
	  "no action can be triggered; shown as a badge" },
	{ 0, "probe", OPTION_FLAG, NULL, false, AT(probe), 0, 0, NULL,
	  "write a small expiring key to each master every 100 ms, as a client: shows outages" },
	{ 0, "once", OPTION_SPECIAL, NULL, false, 0, 0, 0, set_once,
	  "poll once, print a snapshot, exit: 0 ok, 1 warning, 2 critical, 3 unknown" },
	{ 0, "events", OPTION_SPECIAL, NULL, false, 0, 0, 0, set_events,
	  "print the merged events, one a line, until interrupted" },
	{ 0, "format", OPTION_SPECIAL, FORMAT_WORDS, false, 0, 0, 0, set_format,
	  "of --once and --events; text is the default" },
	{ 0, "log", OPTION_TEXT, "FILE", false, AT(log_file), 0, 0, NULL,
	  "append events and operator actions to FILE" },
	{ 0, "record", OPTION_TEXT, "FILE", false, AT(record_file), 0, 0, NULL,
	  "record all that is learnt to FILE, to be replayed; one that is there is replaced" },
	{ 0, "record-max", OPTION_SPECIAL, "SIZE", false, 0, 0, 0, set_record_max,
	  "keep the newest SIZE of the recording: bytes, or with K, M or G" },
	{ 0, "replay", OPTION_TEXT, "FILE", false, AT(replay_file), 0, 0, NULL,
	  "show a recording; goes with the screen, --once, --events and --dump" },
	{ 0, "at", OPTION_TEXT, "TIME", false, AT(at), 0, 0, NULL,
	  "of --replay: HH:MM[:SS], ISO 8601, +SECONDS from its begin or -SECONDS from its end" },
	{ 0, "speed", OPTION_SPECIAL, "N", false, 0, 0, 0, set_speed,
	  "of --replay on the screen, 0.25 to 64 times; default 1" },
	{ 0, "dump", OPTION_SPECIAL, "WxH", false, 0, 0, 0, set_dump,
	  "draw one frame of that size as text to standard output, exit" },
	{ 0, "keys", OPTION_TEXT, "TEXT", false, AT(keys), 0, 0, NULL,
	  "keys to press before --dump draws: 2jj<Tab><Enter>" },
	{ 0, "color", OPTION_FLAG, NULL, false, AT(color), 0, 0, NULL,
	  "--dump with ANSI colours" },
	{ 0, "theme", OPTION_TEXT, "THEME|FILE", false, AT(theme), 0, 0, NULL,
	  "colours: a theme's name or file" },
	{ 0, "ascii", OPTION_FLAG, NULL, false, AT(ascii), 0, 0, NULL,
	  "draw with ASCII only" },
	{ 0, "no-color", OPTION_FLAG, NULL, false, AT(no_color), 0, 0, NULL,
	  "no colours, as with NO_COLOR in the environment" },
	{ 0, "mouse", OPTION_FLAG, NULL, false, AT(mouse), 0, 0, NULL,
	  "the wheel scrolls, a click selects; selecting text then needs Shift" },
	{ 0, "demo", OPTION_SPECIAL, DEMO_WORDS, true, 0, 0, 0, set_demo,
	  "start a throw-away local deployment and watch it" },
	{ 'h', "help", OPTION_FLAG, NULL, false, AT(help), 0, 0, NULL, "this text" },
	{ 'V', "version", OPTION_FLAG, NULL, false, AT(version), 0, 0, NULL,
	  "version, and those of the libraries" },
};
#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))

bool option_at(size_t index, struct option_doc *out)
{
	if (index >= OPTION_COUNT)
		return false;
	const struct option_info *info = &options[index];
	*out = (struct option_doc){ info->short_name, info->name, info->value_name,
				    info->value_optional, info->help };
	return true;
}

static bool set_seconds(const struct option_info *info, void *field, const char *value,
			struct buf *err)
{
	double seconds;
	if (!number_parse_double(value, strlen(value), info->min, info->max, &seconds)) {
		buf_addf(err, "must be a number from %g to %g", info->min, info->max);
		return false;
	}
	*(int64_t *)field = (int64_t)(seconds * 1000.0 + 0.5);
	return true;
}

static bool set_option(struct options *o, const struct option_info *info, const char *value,
		       struct buf *err)
{
	void *field = (char *)o + info->offset;
	switch (info->type) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return true;
	case OPTION_TEXT:
		free(*(char **)field);
		*(char **)field = mem_strdup(value);
		if (value[0] == '\0')
			buf_addstr(err, "must not be empty");
		return value[0] != '\0';
	case OPTION_SETTING:
		return settings_set(&o->cli, info->name, value, 0, err);
	case OPTION_SECONDS:
		return set_seconds(info, field, value, err);
	case OPTION_SPECIAL:
		return info->special(o, value, err);
	}
	return false;
}

static const struct option_info *find_long(const char *name, size_t len)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0)
			return &options[i];
	return NULL;
}

static const struct option_info *find_short(char c)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (options[i].short_name == c)
			return &options[i];
	return NULL;
}

/* "what: why", with foreign bytes cleaned: it goes to a terminal. */
static bool fail(struct buf *err, const char *what, size_t len, const char *why)
{
	char clean[80];
	text_clean(clean, sizeof(clean), what, len);
	struct buf whole = BUF_INIT;
	buf_addf(&whole, "%s: %s", clean, why);
	buf_reset(err);
	buf_addstr(err, whole.data);
	buf_free(&whole);
	return false;
}

/* Of the command line's deployment: means nothing for those of the file. */
static bool sets_deployment(const struct option_info *info)
{
	return info->type == OPTION_SETTING || info->special == set_tls ||
	       info->special == set_insecure || info->offset == AT(askpass);
}

/* Takes argv[*i] and, where the option needs one, the next as its value. */
static bool parse_option(struct options *o, int argc, char **argv, int *i, struct buf *err)
{
	const char *arg = argv[*i], *value = NULL;
	bool is_long = arg[1] == '-';
	size_t len = is_long ? 2 + strcspn(arg + 2, "=") : 2;
	const struct option_info *info = is_long ? find_long(arg + 2, len - 2) : find_short(arg[1]);
	if (info == NULL)
		return fail(err, arg, len, "unknown option (see --help)");
	if (is_long && arg[len] == '=')
		value = arg + len + 1;
	else if (!is_long && arg[2] != '\0')
		value = arg + 2;
	if (info->value_name == NULL && value != NULL)
		return fail(err, arg, len, "takes no value");
	if (info->value_name != NULL && value == NULL && !info->value_optional) {
		if (*i + 1 >= argc)
			return fail(err, arg, len, "needs a value");
		value = argv[++*i];
	}
	if (sets_deployment(info))
		o->cli_option = info->name;
	if (set_option(o, info, value, err))
		return true;
	struct buf why = BUF_INIT;
	buf_addstr(&why, buf_str(err));
	fail(err, arg, len, buf_str(&why));
	buf_free(&why);
	return false;
}

static bool parse_target(struct options *o, char *arg, struct buf *err)
{
	if (settings_add_target(&o->cli, arg, err)) {
		target_wipe_argument(arg);
		return true;
	}
	struct buf why = BUF_INIT;
	buf_addstr(&why, buf_str(err));
	char place[32];
	snprintf(place, sizeof(place), "target %zu", o->cli.target_count + 1);
	const char *what = target_hides_secret(arg) ? place : arg[0] != '\0' ? arg : "''";
	fail(err, what, strlen(what), buf_str(&why));
	target_wipe_refused(arg);
	buf_free(&why);
	return false;
}

/* A recording has its own deployments, and nothing is asked. */
static void check_replay(const struct options *o, struct buf *err)
{
	if (o->replay_file == NULL && o->at != NULL)
		buf_addstr(err, "--at: goes with --replay");
	else if (o->replay_file == NULL && o->speed > 0)
		buf_addstr(err, "--speed: goes with --replay");
	else if (o->replay_file == NULL)
		return;
	else if (o->cli.target_count > 0)
		buf_addstr(err, "--replay: takes no targets");
	else if (o->demo != DEMO_NONE)
		buf_addstr(err, "--replay: does not go with --demo");
	else if (o->record_file != NULL)
		buf_addstr(err, "--replay: does not go with --record");
	else if (o->log_file != NULL)
		buf_addstr(err, "--replay: does not go with --log, its events are old");
	else if (o->probe)
		buf_addstr(err, "--probe: does not go with --replay, nothing is written");
	else if (o->cli_option != NULL)
		buf_addf(err, "--%s: does not go with --replay, nothing is asked", o->cli_option);
	else if (o->speed > 0 && o->mode != RUN_SCREEN)
		buf_addstr(err, "--speed: goes with the screen");
}

static bool check_together(const struct options *o, struct buf *err)
{
	check_replay(o, err);
	if (err->len > 0)
		return false;
	if (o->probe && o->read_only)
		buf_addstr(err, "--probe: writes, which --read-only forbids");
	else if (o->probe && o->mode == RUN_DUMP)
		buf_addstr(err, "--probe: does not go with --dump, which sends nothing");
	else if (o->record_max_bytes > 0 && o->record_file == NULL)
		buf_addstr(err, "--record-max: goes with --record");
	else if (o->format_set && o->mode != RUN_ONCE && o->mode != RUN_EVENTS)
		buf_addstr(err, "--format: goes with --once or --events");
	else if (o->keys != NULL && o->mode != RUN_DUMP)
		buf_addstr(err, "--keys: goes with --dump");
	else if (o->color && o->mode != RUN_DUMP)
		buf_addstr(err, "--color: goes with --dump");
	else if (o->demo != DEMO_NONE && o->cli.target_count > 0)
		buf_addstr(err, "--demo: takes no targets, it starts its own");
	return err->len == 0;
}

bool options_parse(struct options *o, int argc, char **argv, struct buf *err)
{
	*o = (struct options){ .cli = { .tls = TLS_USE_NONE } };
	bool only_targets = false, ok = true;
	for (int i = 1; i < argc; i++) {
		char *arg = argv[i];
		if (!only_targets && strcmp(arg, "--") == 0)
			only_targets = true;
		else if (!only_targets && arg[0] == '-' && arg[1] != '\0')
			ok = ok && parse_option(o, argc, argv, &i, err);
		else if (ok)
			ok = parse_target(o, arg, err);
		else
			target_wipe_refused(arg); /* no password stays in view, error or not */
	}
	return ok && check_together(o, err);
}

static const struct ui_setting {
	const char *name;
	enum ui_key_type type;
	size_t offset, config_offset;
	const char *standard;
} ui_settings[] = {
#define X(type, name, member, standard, help)                                                      \
	{ name, type, AT(member), offsetof(struct config, member), standard },
	UI_KEYS(X)
#undef X
};
#define UI_SETTING_COUNT (sizeof(ui_settings) / sizeof(ui_settings[0]))

static void free_text(void *field)
{
	free(*(char **)field);
	*(char **)field = NULL;
}

void options_free(struct options *o)
{
	settings_done(&o->cli);
	config_done(&o->config);
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (options[i].type == OPTION_TEXT)
			free_text((char *)o + options[i].offset);
	for (size_t i = 0; i < UI_SETTING_COUNT; i++)
		if (ui_key_is_text(ui_settings[i].type))
			free_text((char *)o + ui_settings[i].offset);
}

static int64_t standard_ms(const struct ui_setting *u)
{
	double seconds = 0;
	number_parse_double(u->standard, strlen(u->standard), 0, 1e6, &seconds);
	return (int64_t)(seconds * 1000.0 + 0.5);
}

/* True for a text that comes from the file. */
static bool merge_ui(struct options *o, const struct ui_setting *u)
{
	void *field = (char *)o + u->offset;
	const void *said = (const char *)&o->config + u->config_offset;
	switch (u->type) {
	case UI_SECONDS:
		if (*(int64_t *)field == 0)
			*(int64_t *)field = *(const int64_t *)said > 0 ? *(const int64_t *)said
								       : standard_ms(u);
		break;
	case UI_FLAG:
		*(bool *)field |= *(const int *)said < 0 ? strcmp(u->standard, "yes") == 0
							 : *(const int *)said == 1;
		break;
	case UI_TRUECOLOR:
	case UI_NOTIFY:
	case UI_GRAPH:
		*(int *)field = *(const int *)said < 0 ? 0 : *(const int *)said;
		break;
	case UI_TEXT:
	case UI_COLUMNS:
		if (*(char **)field != NULL)
			return false;
		*(char **)field = mem_strdup(*(char *const *)said);
		return *(char **)field != NULL;
	}
	return false;
}

void options_place(const struct options *o, enum ui_index key, struct buf *out)
{
	if (o->from_file[key])
		buf_addf(out, "%s:%d: %s", o->config.file, o->config.ui_lines[key], ui_settings[key].name);
	else
		buf_addf(out, "--%s", ui_settings[key].name);
}

/* A theme that can't be had is a mistake of whoever named it, and is said before anything starts. */
static bool theme_is_there(const char *name, struct buf *why)
{
	struct theme theme;
	return name == NULL || theme_load(&theme, name, why);
}

static bool check_themes(const struct options *o, struct buf *err)
{
	const struct config *c = &o->config;
	struct buf why = BUF_INIT;
	/* Where nothing is drawn, a theme in somebody's own folder is no reason to stop. */
	if (o->mode != RUN_SCREEN && o->mode != RUN_DUMP && !o->print_config)
		return true;
	if (!theme_is_there(o->theme, &why)) {
		options_place(o, UI_INDEX_theme, err);
		buf_addf(err, ": %s", buf_str(&why));
	}
	for (size_t i = 0; err->len == 0 && i < c->deployment_count; i++)
		if (!theme_is_there(c->deployments[i].theme, &why))
			buf_addf(err, "%s:%d: theme: %s", c->file,
				 settings_line(&c->deployments[i], "theme", 5), buf_str(&why));
	buf_free(&why);
	return err->len == 0;
}

/* What the command line did not say, the file may; what neither says has a default. */
bool options_load_config(struct options *o, struct buf *err)
{
	struct config *c = &o->config;
	char *path = o->config_file != NULL ? mem_strdup(o->config_file) : config_default_path();
	bool ok = path != NULL ? config_load(c, path, o->config_file == NULL, err)
			       : config_parse(c, "", 0, "", err);
	free(path);
	if (!ok)
		return false;
	if (c->deployment_count > 0 && o->cli_option != NULL && o->cli.target_count == 0 &&
	    o->demo == DEMO_NONE) {
		buf_addf(err, "--%s: goes with a target; the file's deployments have their own settings",
			 o->cli_option);
		return false;
	}
	for (size_t i = 0; i < UI_SETTING_COUNT; i++)
		o->from_file[i] = merge_ui(o, &ui_settings[i]);
	return check_themes(o, err);
}

static void print_ui(const struct options *o, const struct ui_setting *u, struct buf *out)
{
	const void *field = (const char *)o + u->offset;
	const char *text = u->standard;
	switch (u->type) {
	case UI_SECONDS:
		buf_addf(out, "%s = %g\n", u->name, (double)*(const int64_t *)field / 1000.0);
		break;
	case UI_FLAG:
		buf_addf(out, "%s = %s\n", u->name, *(const bool *)field ? "yes" : "no");
		break;
	case UI_TRUECOLOR:
	case UI_NOTIFY:
	case UI_GRAPH:
		buf_addf(out, "%s = %s\n", u->name, config_words(u->type)[*(const int *)field]);
		break;
	case UI_TEXT:
	case UI_COLUMNS:
		if (*(char *const *)field != NULL)
			text = *(char *const *)field;
		if (text[0] != '\0')
			settings_print_text(u->name, text, out);
		break;
	}
}

/* As comments: a section without targets is none. */
static void print_targetless(const struct settings *s, struct buf *out)
{
	struct buf lines = BUF_INIT;
	buf_addstr(out, "\n# [deployment command-line]\n"
			"# targets: 127.0.0.1:26379, or 127.0.0.1:6379 where nothing listens there\n");
	settings_print(s, &lines);
	for (const char *at = buf_str(&lines); *at != '\0'; at += strcspn(at, "\n") + 1)
		buf_addf(out, "# %.*s\n", (int)strcspn(at, "\n"), at);
	buf_free(&lines);
}

/* True when path can be written or made. */
static bool can_write(const char *path)
{
	if (access(path, F_OK) == 0)
		return access(path, W_OK) == 0;
	if (errno != ENOENT)
		return false;
	char *folder = mem_strdup(path), *slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder] = '\0';
	bool ok = access(slash != NULL ? folder : ".", W_OK | X_OK) == 0;
	int error = errno;
	free(folder);
	errno = error;
	return ok;
}

static void check_file(const char *path, const char *place, struct buf *err)
{
	char name[1024];
	struct stat st;
	if (path == NULL || err->len > 0)
		return;
	text_clean(name, sizeof(name), path, strlen(path));
	if (!can_write(path))
		buf_addf(err, "%s %s: %s", place, name, strerror(errno));
	else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		buf_addf(err, "%s %s: %s", place, name, strerror(EISDIR));
}

bool options_check_files(const struct options *o, struct buf *err)
{
	struct buf place = BUF_INIT;
	options_place(o, UI_INDEX_log_file, &place);
	check_file(o->log_file, buf_str(&place), err);
	check_file(o->record_file, "--record", err);
	buf_free(&place);
	return err->len == 0;
}

void options_print_config(const struct options *o, unsigned missing_screens, struct buf *out)
{
	const struct alerts *a = &o->config.alerts;
	buf_addstr(out, "[ui]\n");
	for (size_t i = 0; i < UI_SETTING_COUNT; i++)
		print_ui(o, &ui_settings[i], out);
	buf_addstr(out, "\n[alerts]\n");
#define X(key, member, standard, most, help)                                                       \
	buf_addf(out, "%s = %lld\n", key, (long long)a->member);
	ALERTS(X)
#undef X
	buf_addstr(out, "\n[keys]\n");
	keymap_print(&o->config.keys, missing_screens, out);
	/* Targets on the command line replace the file's deployments. */
	if (o->cli.target_count > 0) {
		buf_addstr(out, "\n[deployment command-line]\n");
		settings_print(&o->cli, out);
		return;
	}
	if (o->config.deployment_count == 0)
		print_targetless(&o->cli, out);
	for (size_t i = 0; i < o->config.deployment_count; i++) {
		buf_addf(out, "\n[deployment %s]\n", o->config.deployments[i].name);
		settings_print(&o->config.deployments[i], out);
	}
}

void options_print_help(void)
{
	printf("Usage: redoubt [OPTION]... [TARGET]...\n"
	       "Watches Redis and Valkey high availability: Sentinel deployments, Clusters and plain\n"
	       "master/replica sets. A TARGET is any one member; the rest is discovered.\n\n"
	       "TARGET   host[:port] | redis[s]://[[user]:password@]host[:port] | unix:///path\n"
	       "         default: the config file's deployments, else 127.0.0.1:26379, else 127.0.0.1:6379\n\n");
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_info *info = &options[i];
		char left[64], dash[5] = "    ";
		if (info->short_name != 0)
			snprintf(dash, sizeof(dash), "-%c, ", info->short_name);
		snprintf(left, sizeof(left), "%s--%s%s%s%s%s", dash, info->name,
			 info->value_optional ? "[" : "",
			 info->value_name == NULL ? "" : info->value_optional ? "=" : " ",
			 info->value_name != NULL ? info->value_name : "",
			 info->value_optional ? "]" : "");
		if (strlen(left) > 29)
			printf("  %s\n  %-29s %s\n", left, "", info->help);
		else
			printf("  %-29s %s\n", left, info->help);
	}
	printf("\nKeys: press ? on the screen.\n");
}
