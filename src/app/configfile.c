#include "config.h"

#include "app/configfile.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"

/* inih's own limit: it would cut a longer line and read the rest as another (INI_MAX_LINE). */
#define LINE_BYTES_MAX 198
/* inih would cut a longer name of a section, so that two could become one (MAX_SECTION). */
#define SECTION_BYTES_MAX 49

struct parsing {
	struct config *config;
	struct buf why;   /* of the first error, without the place */
	int error_line;
	/* what is left of the text, read line by line */
	const char *text;
	size_t left;
	int line;         /* of the line that was handed out last */
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

static bool set_ui(struct config *c, const char *key, const char *value, struct buf *err)
{
	if (strcmp(key, "interval") == 0)
		return parse_seconds(value, &c->interval_ms, err);
	if (strcmp(key, "timeout") == 0)
		return parse_seconds(value, &c->timeout_ms, err);
	if (strcmp(key, "read-only") == 0)
		return parse_flag(value, &c->read_only, err);
	if (strcmp(key, "ascii") == 0)
		return parse_flag(value, &c->ascii, err);
	if (strcmp(key, "no-color") == 0)
		return parse_flag(value, &c->no_color, err);
	if (strcmp(key, "theme") == 0)
		return take_text(value, &c->theme, err);
	if (strcmp(key, "log") == 0)
		return take_text(value, &c->log_file, err);
	buf_addstr(err, "unknown key");
	return false;
}

static bool set_alert(struct config *c, const char *key, const char *value, struct buf *err)
{
	static const struct {
		const char *key;
		size_t offset;
		int64_t most;
	} keys[] = {
#define X(name, member, standard, most, help) { name, offsetof(struct alerts, member), most },
		ALERTS(X)
#undef X
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].key, key) != 0)
			continue;
		int64_t *field = (int64_t *)((char *)&c->alerts + keys[i].offset);
		if (!number_parse(value, strlen(value), 0, keys[i].most, field))
			buf_addf(err, "must be a whole number from 0 to %lld", (long long)keys[i].most);
		return err->len == 0;
	}
	buf_addstr(err, "unknown key");
	return false;
}

/* The section's deployment, made at its first key. NULL with the reason in err. */
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

static bool open_section(struct config *c, const char *section, struct buf *err)
{
	if (strcmp(section, "ui") == 0 || strcmp(section, "alerts") == 0)
		return true;
	if (strncmp(section, "deployment ", 11) == 0)
		return deployment_of(c, section + 11, err) != NULL;
	buf_addstr(err, "unknown section: [ui], [alerts] or [deployment NAME]");
	return false;
}

static bool set_key(struct config *c, const char *section, const char *key, const char *value,
		    struct buf *err)
{
	if (strcmp(section, "ui") == 0)
		return set_ui(c, key, value, err);
	if (strcmp(section, "alerts") == 0)
		return set_alert(c, key, value, err);
	if (strncmp(section, "deployment ", 11) == 0) {
		struct settings *s = deployment_of(c, section + 11, err);
		return s != NULL && settings_set(s, key, value, err);
	}
	if (section[0] != '\0')
		return open_section(c, section, err);
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
	bool ok = set_key(p->config, section, key, value != NULL ? value : "", &err);
	if (!ok) {
		char clean[80];
		text_clean(clean, sizeof(clean), key, strlen(key));
		p->error_line = p->line;
		buf_addf(&p->why, "%s: %s", clean, buf_str(&err));
	}
	buf_free(&err);
	return ok;
}

/* inih is silent on a section without keys: a forgotten `targets` or a misspelt name. */
static bool check_section(struct parsing *p, char *line)
{
	char *end = line[0] == '[' ? strchr(line, ']') : NULL;
	if (end == NULL)
		return true;
	*end = '\0';
	if (end - line - 1 > SECTION_BYTES_MAX)
		buf_addf(&p->why, "the section's name is too long: at most %d bytes", SECTION_BYTES_MAX);
	else
		open_section(p->config, line + 1, &p->why);
	*end = ']';
	if (p->why.len > 0)
		p->error_line = p->line;
	return p->why.len == 0;
}

/* inih's fgets: one line at a time, so that the line's number is known while its key is handled. */
static char *next_line(char *line, int size, void *user)
{
	struct parsing *p = user;
	if (p->left == 0 || p->error_line != 0)
		return NULL;
	const char *newline = memchr(p->text, '\n', p->left);
	size_t len = newline != NULL ? (size_t)(newline - p->text) + 1 : p->left;
	p->line++;
	if (len > LINE_BYTES_MAX || (int)len >= size || memchr(p->text, '\0', len) != NULL) {
		p->error_line = p->line;
		buf_addstr(&p->why, len > LINE_BYTES_MAX || (int)len >= size
					? "the line is too long: repeat the key on another line"
					: "the line holds a NUL byte");
		return NULL;
	}
	memcpy(line, p->text, len);
	line[len] = '\0';
	p->text += len;
	p->left -= len;
	return check_section(p, line) ? line : NULL;
}

static bool check_deployments(const struct config *c, struct buf *err)
{
	for (size_t i = 0; i < c->deployment_count; i++) {
		if (c->deployments[i].target_count > 0)
			continue;
		buf_addf(err, "[deployment %s]: has no targets", c->deployments[i].name);
		return false;
	}
	return true;
}

bool config_parse(struct config *c, const char *text, size_t len, const char *name, struct buf *err)
{
	*c = (struct config){ .interval_ms = -1, .timeout_ms = -1, .read_only = -1, .ascii = -1,
			      .no_color = -1, .alerts = ALERTS_DEFAULT };
	struct parsing p = { .config = c, .text = text, .left = len };
	int bad_line = ini_parse_stream(next_line, &p, on_key, &p);
	struct buf why = BUF_INIT;
	bool ok = true;
	/* inih counts a refused key as bad as well; a bad line before it is the cause. */
	if (bad_line != 0 && (p.error_line == 0 || bad_line < p.error_line)) {
		buf_addf(err, "%s:%d: neither [section] nor key = value", name, bad_line);
		ok = false;
	} else if (p.error_line != 0) {
		buf_addf(err, "%s:%d: %s", name, p.error_line, buf_str(&p.why));
		ok = false;
	} else if (!check_deployments(c, &why)) {
		buf_addf(err, "%s: %s", name, buf_str(&why));
		ok = false;
	}
	buf_free(&why);
	buf_free(&p.why);
	return ok;
}

void config_done(struct config *c)
{
	for (size_t i = 0; i < c->deployment_count; i++)
		settings_done(&c->deployments[i]);
	free(c->deployments);
	free(c->theme);
	free(c->log_file);
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

/* The whole file; false with errno set. */
static bool read_file(const char *path, struct buf *out, struct stat *st)
{
	char chunk[4096];
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return false;
	int error = fstat(fd, st) != 0 ? errno : S_ISREG(st->st_mode) ? 0 : EINVAL;
	while (error == 0 && out->len <= CONFIG_FILE_BYTES_MAX && (n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(out, chunk, (size_t)n);
	if (error == 0 && n < 0)
		error = errno;
	if (out->len > CONFIG_FILE_BYTES_MAX)
		error = EFBIG;
	close(fd);
	explicit_bzero(chunk, sizeof(chunk));
	errno = error;
	return error == 0;
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

bool config_load(struct config *c, const char *path, bool missing_is_fine, struct buf *err)
{
	struct buf text = BUF_INIT;
	struct stat st;
	if (!read_file(path, &text, &st)) {
		int error = errno;
		buf_free(&text);
		bool fine = config_parse(c, "", 0, path, err);
		if (error == ENOENT && missing_is_fine)
			return fine;
		buf_addf(err, "%s: %s", path, error == EINVAL ? "not a file" : strerror(error));
		return false;
	}
	bool ok = config_parse(c, buf_str(&text), text.len, path, err);
	mem_wipe_free(text.data, text.cap);
	return ok && check_mode(c, &st, path, err);
}
