#include "config.h"

#include "app/settings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum setting_type { SETTING_TEXT, SETTING_SECRET, SETTING_FLAG, SETTING_SPECIAL };

struct setting_info {
	const char *name;
	enum setting_type type;
	size_t offset; /* into struct settings: char * or bool */
	bool (*special)(struct settings *s, const char *value, struct buf *err);
	const char *help;
};

/* "a, b" or "a b": calls add for each word. */
static bool each_word(struct settings *s, const char *value, struct buf *err,
		      bool (*add)(struct settings *s, const char *word, struct buf *err))
{
	char *copy = mem_strdup(value), *save = NULL;
	bool ok = true, any = false;
	for (char *w = strtok_r(copy, ", \t", &save); ok && w != NULL; w = strtok_r(NULL, ", \t", &save)) {
		ok = add(s, w, err);
		any = true;
	}
	mem_wipe_free(copy, strlen(value));
	if (ok && !any)
		buf_addstr(err, "must not be empty");
	return ok && any;
}

bool settings_add_target(struct settings *s, const char *word, struct buf *err)
{
	s->targets = mem_grow(s->targets, &s->target_cap, s->target_count + 1, sizeof(*s->targets));
	struct target *t = &s->targets[s->target_count];
	if (!target_parse(t, word, err)) {
		target_done(t);
		return false;
	}
	s->target_count++;
	return true;
}

static bool set_targets(struct settings *s, const char *value, struct buf *err)
{
	return each_word(s, value, err, settings_add_target);
}

static bool add_map(struct settings *s, const char *word, struct buf *err)
{
	return address_map_add(&s->map, word, err);
}

static bool set_map(struct settings *s, const char *value, struct buf *err)
{
	return each_word(s, value, err, add_map);
}

bool settings_parse_flag(const char *value, bool *out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "yes", true }, { "no", false }, { "true", true }, { "false", false },
		      { "on", true },  { "off", false }, { "1", true },   { "0", false } };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, value) != 0)
			continue;
		*out = words[i].value;
		return true;
	}
	return false;
}

static const struct {
	const char *word;
	enum tls_use use;
} tls_words[] = { { "no", TLS_USE_NONE },
		  { "yes", TLS_USE_ALL },
		  { "data", TLS_USE_DATA },
		  { "sentinel", TLS_USE_SENTINEL } };

static bool set_tls(struct settings *s, const char *value, struct buf *err)
{
	for (size_t i = 0; i < sizeof(tls_words) / sizeof(tls_words[0]); i++) {
		if (strcmp(tls_words[i].word, value) == 0) {
			s->tls = tls_words[i].use;
			return true;
		}
	}
	buf_addstr(err, "must be yes, no, data or sentinel");
	return false;
}

#define AT(member) offsetof(struct settings, member)

static const struct setting_info infos[] = {
	{ "targets", SETTING_SPECIAL, 0, set_targets,
	  "any members: host[:port], redis[s]://[[user]:password@]host[:port], unix:///path; needed" },
	{ "user", SETTING_TEXT, AT(user), NULL,
	  "ACL user on data nodes; needs a password as well" },
	{ "pass-file", SETTING_TEXT, AT(pass_file), NULL,
	  "file whose first line is the data nodes' password" },
	{ "pass-env", SETTING_TEXT, AT(pass_env), NULL,
	  "variable of the environment that holds it" },
	{ "password", SETTING_SECRET, AT(password), NULL, "the password itself" },
	{ "sentinel-user", SETTING_TEXT, AT(sentinel_user), NULL, "ACL user on Sentinels" },
	{ "sentinel-pass-file", SETTING_TEXT, AT(sentinel_pass_file), NULL,
	  "file whose first line is the Sentinels' password" },
	{ "sentinel-pass-env", SETTING_TEXT, AT(sentinel_pass_env), NULL,
	  "variable of the environment that holds it" },
	{ "sentinel-password", SETTING_SECRET, AT(sentinel_password), NULL, "the password itself" },
	{ "tls", SETTING_SPECIAL, 0, set_tls,
	  "no, yes, data (data nodes only) or sentinel (Sentinels only)" },
	{ "cacert", SETTING_TEXT, AT(cacert), NULL,
	  "certificate authority that signed the servers' certificates; else the system's" },
	{ "cacertdir", SETTING_TEXT, AT(cacertdir), NULL, "folder of such certificates" },
	{ "cert", SETTING_TEXT, AT(cert), NULL, "client certificate" },
	{ "key", SETTING_TEXT, AT(key), NULL, "its private key" },
	{ "sni", SETTING_TEXT, AT(sni), NULL,
	  "server name to ask for and to verify, instead of the host's" },
	{ "insecure", SETTING_FLAG, AT(insecure), NULL, "yes: certificates are not verified" },
	{ "map", SETTING_SPECIAL, 0, set_map,
	  "FROM=TO: the announced address FROM is reached at TO" },
	{ "read-only", SETTING_FLAG, AT(read_only), NULL, "yes: no action here" },
	{ "theme", SETTING_TEXT, AT(theme), NULL, "a theme for this deployment" },
	{ "label", SETTING_TEXT, AT(label), NULL, "a badge at the top, PRODUCTION for example" },
};
#define INFO_COUNT (sizeof(infos) / sizeof(infos[0]))
_Static_assert(INFO_COUNT <= SETTINGS_KEYS_MAX, "lines[] has a place for each key");

static void secret_free(char *secret)
{
	mem_wipe_free(secret, secret != NULL ? strlen(secret) : 0);
}

static bool set_one(struct settings *s, const struct setting_info *info, const char *value,
		    struct buf *err)
{
	void *field = (char *)s + info->offset;
	switch (info->type) {
	case SETTING_TEXT:
	case SETTING_SECRET:
		secret_free(*(char **)field);
		*(char **)field = mem_strdup(value);
		if (value[0] == '\0')
			buf_addstr(err, "must not be empty");
		return value[0] != '\0';
	case SETTING_FLAG:
		if (!settings_parse_flag(value, field))
			buf_addstr(err, "must be yes or no");
		return err->len == 0;
	case SETTING_SPECIAL:
		return info->special(s, value, err);
	}
	return false;
}

bool settings_set(struct settings *s, const char *name, const char *value, int line,
		  struct buf *err)
{
	for (size_t i = 0; i < INFO_COUNT; i++) {
		if (strcmp(infos[i].name, name) != 0)
			continue;
		s->lines[i] = line;
		return set_one(s, &infos[i], value, err);
	}
	buf_addstr(err, "unknown key");
	return false;
}

int settings_line(const struct settings *s, const char *name, size_t name_len)
{
	for (size_t i = 0; i < INFO_COUNT; i++)
		if (strlen(infos[i].name) == name_len && memcmp(infos[i].name, name, name_len) == 0 &&
		    s->lines[i] > 0)
			return s->lines[i];
	return s->line;
}

bool settings_key_at(size_t index, const char **name, const char **help)
{
	if (index >= INFO_COUNT)
		return false;
	*name = infos[index].name;
	*help = infos[index].help;
	return true;
}

bool settings_have_password(const struct settings *s)
{
	for (size_t i = 0; i < s->target_count; i++)
		if (s->targets[i].password != NULL)
			return true;
	return s->password != NULL || s->sentinel_password != NULL;
}

void settings_done(struct settings *s)
{
	for (size_t i = 0; i < s->target_count; i++)
		target_done(&s->targets[i]);
	free(s->targets);
	for (size_t i = 0; i < INFO_COUNT; i++)
		if (infos[i].type == SETTING_TEXT || infos[i].type == SETTING_SECRET)
			secret_free(*(char **)((char *)s + infos[i].offset));
	address_map_done(&s->map);
	memset(s, 0, sizeof(*s));
}

/* --- printing ---------------------------------------------------------------------------------- */

static void print_endpoint(const struct endpoint *ep, struct buf *out)
{
	char text[ENDPOINT_TEXT_BYTES];
	if (ep->port == 0 && ep->host[0] != '/')
		buf_addstr(out, ep->host); /* a whole host of a map */
	else
		buf_addstr(out, endpoint_format(ep, text));
}

/* As a URI has it: a name may hold what ends it, or what a terminal acts on. */
static void print_user(const char *user, struct buf *out)
{
	for (; *user != '\0'; user++)
		if (isalnum((unsigned char)*user) || strchr("-._~", *user) != NULL)
			buf_addch(out, *user);
		else
			buf_addf(out, "%%%02X", (unsigned char)*user);
}

static void print_target(const struct target *t, struct buf *out)
{
	buf_addstr(out, "targets = ");
	if (endpoint_is_unix(&t->addr))
		buf_addstr(out, "unix://");
	else if (t->user != NULL || t->password != NULL || t->tls)
		buf_addstr(out, t->tls ? "rediss://" : "redis://");
	if (t->user != NULL)
		print_user(t->user, out);
	if (t->password != NULL)
		buf_addstr(out, ":******");
	if (t->user != NULL || t->password != NULL)
		buf_addch(out, '@');
	print_endpoint(&t->addr, out);
	buf_addch(out, '\n');
}

void settings_print_text(const char *name, const char *value, struct buf *out)
{
	size_t len = strlen(value), size = 10 * len + 1; /* an escape is at most that long */
	char *clean = mem_alloc(size);
	text_clean(clean, size, value, len);
	buf_addf(out, "%s = %s\n", name, clean);
	free(clean);
}

void settings_print(const struct settings *s, struct buf *out)
{
	for (size_t i = 0; i < s->target_count; i++)
		print_target(&s->targets[i], out);
	for (size_t i = 0; i < INFO_COUNT; i++) {
		const struct setting_info *info = &infos[i];
		const void *field = (const char *)s + info->offset;
		if (info->type == SETTING_TEXT && *(char *const *)field != NULL)
			settings_print_text(info->name, *(char *const *)field, out);
		else if (info->type == SETTING_SECRET && *(char *const *)field != NULL)
			buf_addf(out, "%s = ******\n", info->name);
		else if (info->type == SETTING_FLAG && *(const bool *)field)
			buf_addf(out, "%s = yes\n", info->name);
	}
	if (s->tls != TLS_USE_NONE)
		for (size_t i = 0; i < sizeof(tls_words) / sizeof(tls_words[0]); i++)
			if (tls_words[i].use == s->tls)
				buf_addf(out, "tls = %s\n", tls_words[i].word);
	for (size_t i = 0; i < s->map.count; i++) {
		buf_addstr(out, "map = ");
		print_endpoint(&s->map.pairs[i].from, out);
		buf_addch(out, '=');
		print_endpoint(&s->map.pairs[i].to, out);
		buf_addch(out, '\n');
	}
}
