#include "config.h"

#include "app/configfile.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"
#include "views/nodes_columns.h"

/* inih's own limit: it would cut a longer line and read the rest as another (INI_MAX_LINE). */
#define LINE_BYTES_MAX 198
/* inih would cut a longer name of a section, so that two could become one (MAX_SECTION). */
#define SECTION_BYTES_MAX 49
/* isspace, which inih uses, without the newline */
#define BLANKS " \t\v\f\r"

struct parsing {
	struct config *config;
	struct buf why;   /* of the first error, without the place */
	int error_line;
	/* what is left of the text, read line by line */
	const char *text;
	size_t left;
	int line;         /* of the line that was handed out last */
	int lag_line;     /* where the later one of its two limits was set */
	bool seen_ui, seen_alerts, seen_keys;
};

static bool parse_seconds(const char *value, int64_t *out, struct buf *err)
{
	double seconds;
	if (!number_parse_double(value, strlen(value), 0.1, 60, &seconds)) {
		buf_addstr(err, "must be a number from 0.1 to 60");
		return false;
	}
	*out = (int64_t)(seconds * 1000.0 + 0.5);
	return true;
}

static bool parse_flag(const char *value, int *out, struct buf *err)
{
	bool flag;
	if (!settings_parse_flag(value, &flag)) {
		buf_addstr(err, "must be yes or no");
		return false;
	}
	*out = flag;
	return true;
}

static bool take_text(const char *value, char **out, struct buf *err)
{
	free(*out);
	*out = mem_strdup(value);
	if (value[0] == '\0')
		buf_addstr(err, "must not be empty");
	return value[0] != '\0';
}

bool ui_key_is_text(enum ui_key_type type)
{
	return type == UI_TEXT || type == UI_COLUMNS;
}

/* A name that the table has; the reason in err otherwise. */
static bool check_column(const char *name, size_t len, struct buf *err)
{
	static const char *const names[] = {
#define X(id, name, title, help) name,
		NODE_COLUMNS(X)
#undef X
	};
	char clean[40];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return true;
	text_clean(clean, sizeof(clean), name, len);
	buf_addf(err, "no such column: %s", clean);
	return false;
}

static bool take_columns(const char *value, char **out, struct buf *err)
{
	for (const char *at = value; *at != '\0';) {
		size_t len = strcspn(at, ", \t");
		if (len > 0 && !check_column(at, len, err))
			return false;
		at += len;
		at += strspn(at, ", \t");
	}
	return take_text(value, out, err);
}

const char *const *config_words(enum ui_key_type type)
{
	static const char *const truecolor[] = { "terminfo", "auto", "yes", "no", NULL };
	static const char *const notify[] = { "no", "osc9", "osc777", NULL };
	static const char *const graph[] = { "auto", "braille", "block", "ascii", NULL };
	switch (type) {
	case UI_TRUECOLOR: return truecolor;
	case UI_NOTIFY: return notify;
	case UI_GRAPH: return graph;
	default: return NULL;
	}
}

static bool parse_word(enum ui_key_type type, const char *value, int *out, struct buf *err)
{
	const char *const *words = config_words(type);
	for (*out = 0; words[*out] != NULL; ++*out)
		if (strcmp(words[*out], value) == 0)
			return true;
	*out = -1;
	buf_addstr(err, "must be ");
	for (int i = 0; words[i] != NULL; i++)
		buf_addf(err, "%s%s", i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ", words[i]);
	return false;
}

static const struct ui_key {
	const char *name;
	enum ui_key_type type;
	size_t offset; /* into struct config */
	const char *standard, *help;
} ui_keys[] = {
#define X(type, name, member, standard, help) { name, type, offsetof(struct config, member), standard, help },
	UI_KEYS(X)
#undef X
};

static const struct alert_key {
	const char *name;
	size_t offset; /* into struct alerts */
	int64_t most;
	const char *standard, *help;
} alert_keys[] = {
#define X(name, member, standard, most, help) { name, offsetof(struct alerts, member), most, #standard, help },
	ALERTS(X)
#undef X
};
#define ALERT_KEY_COUNT (sizeof(alert_keys) / sizeof(alert_keys[0]))

bool config_key_at(size_t index, struct config_key *out)
{
	if (index < UI_KEY_COUNT) {
		const struct ui_key *k = &ui_keys[index];
		*out = (struct config_key){ "ui", k->name, k->standard, k->help };
		return true;
	}
	index -= UI_KEY_COUNT;
	if (index < ALERT_KEY_COUNT) {
		const struct alert_key *k = &alert_keys[index];
		*out = (struct config_key){ "alerts", k->name, k->standard, k->help };
		return true;
	}
	*out = (struct config_key){ .section = "deployment NAME", .standard = "" };
	return settings_key_at(index - ALERT_KEY_COUNT, &out->name, &out->help);
}

static bool set_ui(struct config *c, const char *key, const char *value, int line, struct buf *err)
{
	for (size_t i = 0; i < UI_KEY_COUNT; i++) {
		void *field = (char *)c + ui_keys[i].offset;
		if (strcmp(ui_keys[i].name, key) != 0)
			continue;
		c->ui_lines[i] = line;
		switch (ui_keys[i].type) {
		case UI_SECONDS: return parse_seconds(value, field, err);
		case UI_FLAG: return parse_flag(value, field, err);
		case UI_TEXT: return take_text(value, field, err);
		case UI_COLUMNS: return take_columns(value, field, err);
		case UI_TRUECOLOR:
		case UI_NOTIFY:
		case UI_GRAPH: return parse_word(ui_keys[i].type, value, field, err);
		}
	}
	buf_addstr(err, "unknown key");
	return false;
}

/* Nothing is said yet: neither yes nor no. */
static void init_ui(struct config *c)
{
	for (size_t i = 0; i < UI_KEY_COUNT; i++) {
		void *field = (char *)c + ui_keys[i].offset;
		if (ui_keys[i].type == UI_SECONDS)
			*(int64_t *)field = -1;
		else if (!ui_key_is_text(ui_keys[i].type))
			*(int *)field = -1;
	}
}

static bool set_alert(struct config *c, const char *key, const char *value, struct buf *err)
{
	for (size_t i = 0; i < ALERT_KEY_COUNT; i++) {
		const struct alert_key *k = &alert_keys[i];
		if (strcmp(k->name, key) != 0)
			continue;
		int64_t *field = (int64_t *)((char *)&c->alerts + k->offset);
		if (!number_parse(value, strlen(value), 0, k->most, field))
			buf_addf(err, "must be a whole number from 0 to %lld", (long long)k->most);
		return err->len == 0;
	}
	buf_addstr(err, "unknown key");
	return false;
}

/* The section's deployment, made at its header. NULL with the reason in err. */
static struct settings *deployment_of(struct config *c, const char *name, struct buf *err)
{
	char clean[NAME_BYTES];
	name += strspn(name, " \t");
	size_t name_len = strlen(name);
	while (name_len > 0 && strchr(" \t", name[name_len - 1]) != NULL)
		name_len--;
	size_t len = text_clean(clean, sizeof(clean), name, name_len);
	if (len == 0 || len != name_len || memcmp(clean, name, len) != 0) {
		buf_addstr(err, "a deployment needs a printable name: [deployment NAME]");
		return NULL;
	}
	for (size_t i = 0; i < c->deployment_count; i++)
		if (strcmp(c->deployments[i].name, clean) == 0)
			return &c->deployments[i];
	if (c->deployment_count == CONFIG_DEPLOYMENTS_MAX) {
		buf_addf(err, "more than %d deployments", CONFIG_DEPLOYMENTS_MAX);
		return NULL;
	}
	c->deployments = mem_grow(c->deployments, &c->deployment_cap, c->deployment_count + 1,
				  sizeof(*c->deployments));
	struct settings *s = &c->deployments[c->deployment_count++];
	memset(s, 0, sizeof(*s));
	memcpy(s->name, clean, len + 1);
	return s;
}

static bool open_section(struct parsing *p, const char *section, struct buf *err)
{
	bool *seen = strcmp(section, "ui") == 0	      ? &p->seen_ui
		     : strcmp(section, "alerts") == 0 ? &p->seen_alerts
		     : strcmp(section, "keys") == 0   ? &p->seen_keys
						      : NULL;
	if (seen != NULL) {
		if (*seen)
			buf_addf(err, "[%s] stands twice", section);
		*seen = true;
		return err->len == 0;
	}
	if (strncmp(section, "deployment ", 11) != 0) {
		buf_addstr(err, "unknown section: [ui], [alerts], [keys] or [deployment NAME]");
		return false;
	}
	size_t before = p->config->deployment_count;
	struct settings *s = deployment_of(p->config, section + 11, err);
	if (s != NULL && p->config->deployment_count > before)
		s->line = p->line;
	if (s == NULL || p->config->deployment_count > before)
		return s != NULL;
	buf_addf(err, "[deployment %s] stands twice", s->name);
	return false;
}

static bool set_key(struct parsing *p, const char *section, const char *key, const char *value,
		    struct buf *err)
{
	struct config *c = p->config;
	if (strcmp(section, "ui") == 0)
		return set_ui(c, key, value, p->line, err);
	if (strcmp(section, "alerts") == 0) {
		if (strcmp(key, "lag-critical-bytes") == 0 || strcmp(key, "lag-warning-bytes") == 0)
			p->lag_line = p->line;
		return set_alert(c, key, value, err);
	}
	if (strcmp(section, "keys") == 0)
		return keymap_set(&c->keys, key, value, p->line, err);
	if (strncmp(section, "deployment ", 11) == 0) {
		struct settings *s = deployment_of(c, section + 11, err);
		return s != NULL && settings_set(s, key, value, p->line, err);
	}
	buf_addstr(err, "a key before any section");
	return false;
}

/* inih calls this for each key; 0 is an error, but it goes on. */
static int on_key(void *user, const char *section, const char *key, const char *value)
{
	struct parsing *p = user;
	struct buf err = BUF_INIT;
	if (p->error_line != 0)
		return 0;
	bool ok = set_key(p, section, key, value != NULL ? value : "", &err);
	if (!ok) {
		char clean[80];
		text_clean(clean, sizeof(clean), key, strlen(key));
		p->error_line = p->line;
		buf_addf(&p->why, "%s: %s", clean, buf_str(&err));
	}
	buf_free(&err);
	return ok;
}

/* inih is silent on a section without keys (a forgotten `targets`, a misspelt name), and on what
 * stands after the bracket. */
static void check_section(struct parsing *p, char *line)
{
	char *end = strchr(line, ']');
	if (end == NULL)
		return;
	const char *rest = end + 1 + strspn(end + 1, BLANKS "\n");
	*end = '\0';
	if (end - line - 1 > SECTION_BYTES_MAX)
		buf_addf(&p->why, "the section's name is too long: at most %d bytes", SECTION_BYTES_MAX);
	else if (strchr(";#", *rest) == NULL)
		buf_addstr(&p->why, "nothing may follow a section's name on its line");
	else
		open_section(p, line + 1, &p->why);
	*end = ']';
}

/* inih cuts the value there and says nothing: half a password, half a path. */
static void check_value(struct parsing *p, const char *line)
{
	const char *value = line + strcspn(line, "=:");
	for (const char *semicolon = strchr(value, ';'); semicolon != NULL;
	     semicolon = strchr(semicolon + 1, ';'))
		if (strchr(BLANKS, semicolon[-1]) != NULL) {
			buf_addstr(&p->why, "a value cannot hold ' ;'");
			return;
		}
}

static bool check_line(struct parsing *p, char *line)
{
	if (line[0] == '[')
		check_section(p, line);
	else if (line[0] != ';' && line[0] != '#')
		check_value(p, line);
	if (p->why.len > 0)
		p->error_line = p->line;
	return p->why.len == 0;
}

/* inih takes an indented line for more of the value before it, and skips a byte order mark: a
 * section or `read-only = yes` would become part of a label. Without them there is neither. */
static void skip_indent(struct parsing *p)
{
	for (;;) {
		bool mark = p->line == 1 && p->left >= 3 && memcmp(p->text, "\xef\xbb\xbf", 3) == 0;
		bool blank = p->left > 0 && memchr(BLANKS, *p->text, sizeof(BLANKS) - 1) != NULL;
		if (!mark && !blank)
			return;
		p->text += mark ? 3 : 1;
		p->left -= mark ? 3 : 1;
	}
}

/* Of what begins here: only the keys that hold a list may stand again. */
static bool begins_list(const struct parsing *p)
{
	static const char *const lists[] = { "targets", "map" };
	size_t len = 0;
	while (len < p->left && strchr(BLANKS "=:\n", p->text[len]) == NULL)
		len++;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strlen(lists[i]) == len && memcmp(lists[i], p->text, len) == 0)
			return true;
	return false;
}

static void say_bad_line(struct parsing *p, bool too_long)
{
	if (!too_long)
		buf_addstr(&p->why, "the line holds a NUL byte");
	else if (begins_list(p))
		buf_addstr(&p->why, "the line is too long: repeat the key on another line");
	else
		buf_addf(&p->why, "the line is too long: at most %d bytes", LINE_BYTES_MAX - 1);
}

static bool take_line(struct parsing *p, char *line, int size)
{
	if (p->left == 0 || p->error_line != 0)
		return false;
	p->line++;
	skip_indent(p);
	const char *newline = memchr(p->text, '\n', p->left);
	size_t len = newline != NULL ? (size_t)(newline - p->text) + 1 : p->left;
	if (len > LINE_BYTES_MAX || (int)len >= size || memchr(p->text, '\0', len) != NULL) {
		p->error_line = p->line;
		say_bad_line(p, len > LINE_BYTES_MAX || (int)len >= size);
		return false;
	}
	memcpy(line, p->text, len);
	line[len] = '\0';
	p->text += len;
	p->left -= len;
	return check_line(p, line);
}

/* inih's fgets: one line at a time, so that the line's number is known while its key is handled. */
static char *next_line(char *line, int size, void *user)
{
	if (take_line(user, line, size))
		return line;
	/* inih's own buffer, and it looks at it no more: the last line may have been a password. */
	explicit_bzero(line, (size_t)size);
	return NULL;
}

/* A critical limit below the warning's would skip the warning: a slip of the fingers. */
static bool check_alerts(const struct config *c, struct buf *err)
{
	const struct alerts *a = &c->alerts;
	if (a->lag_critical_bytes == 0 || a->lag_critical_bytes >= a->lag_warning_bytes)
		return true;
	buf_addstr(err, "[alerts]: lag-critical-bytes: must not be below lag-warning-bytes");
	return false;
}

static int check_deployments(const struct config *c, struct buf *err)
{
	for (size_t i = 0; i < c->deployment_count; i++) {
		if (c->deployments[i].target_count > 0)
			continue;
		buf_addf(err, "[deployment %s]: has no targets", c->deployments[i].name);
		return c->deployments[i].line;
	}
	return 0;
}

/* What only the whole shows: the line of what is wrong, with the reason in err; 0: all is well. */
static int check_whole(const struct config *c, const struct parsing *p, struct buf *err)
{
	int line = keymap_check(&c->keys, err);
	if (line == 0)
		line = check_deployments(c, err);
	if (line == 0 && !check_alerts(c, err))
		line = p->lag_line;
	return line;
}

bool config_parse(struct config *c, const char *text, size_t len, const char *name, struct buf *err)
{
	*c = (struct config){ .alerts = ALERTS_DEFAULT, .keys = *keymap_builtin() };
	snprintf(c->file, sizeof(c->file), "%s", name);
	init_ui(c);
	struct parsing p = { .config = c, .text = text, .left = len };
	int bad_line = ini_parse_stream(next_line, &p, on_key, &p);
	bool ok = true;
	if (bad_line == 0 && p.error_line == 0)
		p.error_line = check_whole(c, &p, &p.why);
	/* inih counts a refused key as bad as well; a bad line before it is the cause. */
	if (bad_line != 0 && (p.error_line == 0 || bad_line < p.error_line)) {
		buf_addf(err, "%s:%d: neither [section] nor key = value", name, bad_line);
		ok = false;
	} else if (p.error_line != 0) {
		buf_addf(err, "%s:%d: %s", name, p.error_line, buf_str(&p.why));
		ok = false;
	}
	buf_free(&p.why);
	return ok;
}

void config_done(struct config *c)
{
	for (size_t i = 0; i < c->deployment_count; i++)
		settings_done(&c->deployments[i]);
	free(c->deployments);
	for (size_t i = 0; i < UI_KEY_COUNT; i++)
		if (ui_key_is_text(ui_keys[i].type))
			free(*(char **)((char *)c + ui_keys[i].offset));
	memset(c, 0, sizeof(*c));
}

char *config_default_path(void)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	struct buf path = BUF_INIT;
	if (base != NULL && base[0] == '/')
		buf_addf(&path, "%s/redoubt/redoubt.conf", base);
	else if (home != NULL && home[0] == '/')
		buf_addf(&path, "%s/.config/redoubt/redoubt.conf", home);
	return path.data;
}

static bool check_mode(const struct config *c, const struct stat *st, const char *path, struct buf *err)
{
	for (size_t i = 0; i < c->deployment_count; i++) {
		if (!settings_have_password(&c->deployments[i]) || (st->st_mode & 077) == 0)
			continue;
		buf_addf(err, "%s: holds a password and is readable by others: chmod 600, or name a pass-file", path);
		return false;
	}
	return true;
}

/* The one device that is a file without a word: who names it wants none. */
static bool is_null_device(const char *path)
{
	struct stat st, null;
	return stat(path, &st) == 0 && stat("/dev/null", &null) == 0 && S_ISCHR(st.st_mode) &&
	       S_ISCHR(null.st_mode) && st.st_rdev == null.st_rdev;
}

bool config_load(struct config *c, const char *path, bool missing_is_fine, struct buf *err)
{
	struct buf text = BUF_INIT;
	struct stat st;
	char name[CONFIG_NAME_BYTES]; /* for messages: they go to a terminal */
	text_clean(name, sizeof(name), path, strlen(path));
	if (is_null_device(path))
		return config_parse(c, "", 0, name, err);
	if (!file_read(path, CONFIG_FILE_BYTES_MAX, &text, &st)) {
		int error = errno;
		mem_wipe_free(text.data, text.cap);
		bool fine = config_parse(c, "", 0, name, err);
		if (error == ENOENT && missing_is_fine)
			return fine;
		buf_addf(err, "%s: %s", name, file_reason(error));
		return false;
	}
	bool ok = config_parse(c, buf_str(&text), text.len, name, err);
	mem_wipe_free(text.data, text.cap);
	return ok && check_mode(c, &st, name, err);
}
