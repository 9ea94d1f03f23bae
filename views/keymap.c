#include "config.h"

#include "views/keymap.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tui/keys.h"

const struct key_binding *key_binding_of(enum command command)
{
	for (size_t i = 0; i < key_binding_count; i++)
		if (key_bindings[i].command == command)
			return &key_bindings[i];
	return NULL;
}

const struct key_binding *key_binding_named(const char *name, size_t len)
{
	for (size_t i = 0; i < key_binding_count; i++)
		if (strlen(key_bindings[i].name) == len &&
		    memcmp(key_bindings[i].name, name, len) == 0)
			return &key_bindings[i];
	return NULL;
}

bool key_binding_applies(const struct key_binding *b, bool replay)
{
	return b->use != (replay ? KEYS_LIVE : KEYS_REPLAY);
}

const struct keymap *keymap_builtin(void)
{
	static struct keymap builtin;

	if (builtin.keys[CMD_QUIT][0] != KEYC_NONE)
		return &builtin;
	for (size_t i = 0; i < key_binding_count; i++)
		memcpy(builtin.keys[key_bindings[i].command], key_bindings[i].keys,
		       sizeof(key_bindings[i].keys));
	return &builtin;
}

enum command keymap_command(const struct keymap *m, uint32_t key, bool replay)
{
	if (key == KEYC_NONE)
		return CMD_NONE;
	for (size_t i = 0; i < key_binding_count; i++) {
		const struct key_binding *b = &key_bindings[i];

		for (size_t k = 0; k < KEYS_A_COMMAND; k++)
			if (m->keys[b->command][k] == key && key_binding_applies(b, replay))
				return b->command;
	}
	return CMD_NONE;
}

static bool one_key(const char *word, size_t len, uint32_t *key, struct buf *err)
{
	char text[32], clean[40];
	size_t count = 0;

	if (len < sizeof(text)) {
		memcpy(text, word, len);
		text[len] = '\0';
		if (keys_parse(text, key, 1, &count) && count == 1)
			return true;
	}
	text_clean(clean, sizeof(clean), word, len < 32 ? len : 32);
	buf_addf(err, "'%s' is no key: one character, or a name: <C-l> <F1> <Tab>", clean);
	return false;
}

bool keymap_set(struct keymap *m, const char *name, const char *value, int line, struct buf *err)
{
	const struct key_binding *b = key_binding_named(name, strlen(name));
	uint32_t keys[KEYS_A_COMMAND] = {0};
	size_t count = 0, len;

	if (!b) {
		buf_addstr(err, "unknown command");
		return false;
	}
	for (const char *word = value + strspn(value, " \t"); *word; word += len + strspn(word + len, " \t")) {
		len = strcspn(word, " \t");
		if (count == KEYS_A_COMMAND) {
			buf_addf(err, "more than %d keys", KEYS_A_COMMAND);
			return false;
		}
		if (!one_key(word, len, &keys[count++], err))
			return false;
	}
	memcpy(m->keys[b->command], keys, sizeof(keys));
	m->lines[b->command] = line;
	return true;
}

/* The first key of `a` that `b` has as well; within one command, twice. */
static uint32_t shared_key(const struct keymap *m, enum command a, enum command b)
{
	enum key_use use_a = key_binding_of(a)->use, use_b = key_binding_of(b)->use;

	if (use_a != use_b && use_a != KEYS_ALWAYS && use_b != KEYS_ALWAYS)
		return KEYC_NONE;
	for (size_t i = 0; i < KEYS_A_COMMAND; i++)
		for (size_t k = a == b ? i + 1 : 0; k < KEYS_A_COMMAND; k++)
			if (m->keys[a][i] != KEYC_NONE && m->keys[a][i] == m->keys[b][k])
				return m->keys[a][i];
	return KEYC_NONE;
}

static int check_shared(const struct keymap *m, enum command a, enum command b, struct buf *err)
{
	uint32_t key = shared_key(m, a, b);
	enum command said = m->lines[a] > m->lines[b] ? a : b, other = said == a ? b : a;
	char spelt[16];

	if (key == KEYC_NONE)
		return 0;
	keys_spell(key, spelt);
	buf_addf(err, "%s: %s ", key_binding_of(said)->name, spelt);
	if (a == b)
		buf_addstr(err, "stands twice");
	else
		buf_addf(err, "is a key of %s: give that another one", key_binding_of(other)->name);
	return m->lines[said];
}

static int check_needed(const struct keymap *m, enum command command, struct buf *err)
{
	if (m->keys[command][0] != KEYC_NONE)
		return 0;
	buf_addf(err, "%s: needs a key", key_binding_of(command)->name);
	return m->lines[command];
}

int keymap_check(const struct keymap *m, struct buf *err)
{
	int line = check_needed(m, CMD_QUIT, err);

	if (line == 0)
		line = check_needed(m, CMD_HELP, err);
	for (int a = CMD_NONE + 1; line == 0 && a < CMD_COUNT; a++)
		for (int b = a; line == 0 && b < CMD_COUNT; b++)
			line = check_shared(m, (enum command)a, (enum command)b, err);
	return line;
}

bool key_binding_is_missing(const struct key_binding *b, unsigned missing_screens)
{
	return b->command >= CMD_SCREEN_1 && b->command <= CMD_SCREEN_0 &&
	       (missing_screens & 1u << (b->keys[0] - '0')) != 0;
}

void keymap_print(const struct keymap *m, unsigned missing_screens, struct buf *out)
{
	for (size_t i = 0; i < key_binding_count; i++) {
		const uint32_t *keys = m->keys[key_bindings[i].command];
		char spelt[16];

		if (m->lines[key_bindings[i].command] == 0 &&
		    key_binding_is_missing(&key_bindings[i], missing_screens))
			continue;
		buf_addf(out, "%s =", key_bindings[i].name);
		for (size_t k = 0; k < KEYS_A_COMMAND && keys[k] != KEYC_NONE; k++)
			buf_addf(out, " %s", keys_spell(keys[k], spelt));
		buf_addch(out, '\n');
	}
}

void keymap_keys_text(const struct keymap *m, enum command command, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t k = 0; k < KEYS_A_COMMAND && m->keys[command][k] != KEYC_NONE && len < size; k++) {
		char name[16];
		int n = snprintf(out + len, size - len, "%s%s", k ? ", " : "",
				 key_name(m->keys[command][k], name));

		if (n < 0)
			return;
		len += (size_t)n;
	}
}
