#include "config.h"
#include "net/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define MENTION_MIN_BYTES 3
#define CLEAN_MAX_BYTES   4 /* that text_clean makes of one: \x1b */

struct pair {
	char *user;     /* NULL: AUTH with the password alone */
	char *password; /* NULL: nothing to try */
};

struct target_pair {
	struct endpoint target;
	struct pair pair;
};

struct credentials {
	struct pair kinds[2];
	struct target_pair *targets;
	size_t target_count, target_cap;
};

static void wipe_string(char **s)
{
	if (*s)
		mem_wipe_free(*s, strlen(*s));
	*s = NULL;
}

/* The new strings are copied first: the caller may hand back what is stored here. */
static void pair_set(struct pair *pair, const char *user, const char *password)
{
	char *new_user = mem_strdup(user), *new_password = mem_strdup(password);

	wipe_string(&pair->user);
	wipe_string(&pair->password);
	pair->user = new_user;
	pair->password = new_password;
}

struct credentials *credentials_new(void)
{
	return mem_alloc(sizeof(struct credentials));
}

void credentials_free(struct credentials *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < 2; i++)
		pair_set(&c->kinds[i], NULL, NULL);
	for (size_t i = 0; i < c->target_count; i++)
		pair_set(&c->targets[i].pair, NULL, NULL);
	free(c->targets);
	free(c);
}

void credentials_set(struct credentials *c, enum credential_kind kind, const char *user,
		     const char *password)
{
	pair_set(&c->kinds[kind], user, password);
}

void credentials_set_user(struct credentials *c, enum credential_kind kind, const char *user)
{
	pair_set(&c->kinds[kind], user, c->kinds[kind].password);
}

static struct target_pair *find_target(const struct credentials *c, const struct endpoint *target)
{
	for (size_t i = 0; i < c->target_count; i++)
		if (endpoint_equal(&c->targets[i].target, target))
			return &c->targets[i];
	return NULL;
}

void credentials_set_for(struct credentials *c, const struct endpoint *target, const char *user,
			 const char *password)
{
	struct target_pair *t = find_target(c, target);

	if (!t) {
		c->targets = mem_grow(c->targets, &c->target_cap, c->target_count + 1, sizeof(*t));
		t = &c->targets[c->target_count++];
		memset(t, 0, sizeof(*t));
		t->target = *target;
	}
	pair_set(&t->pair, user, password);
}

bool credentials_have(const struct credentials *c, enum credential_kind kind)
{
	return c->kinds[kind].password != NULL;
}

static bool strings_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool pairs_equal(const struct pair *a, const struct pair *b)
{
	return strings_equal(a->user, b->user) && strings_equal(a->password, b->password);
}

/* A pair that was refused once is not sent a second time under another name: servers log and
 * count failed AUTHs. */
static size_t add_candidate(const struct pair *list[3], size_t count, const struct pair *pair)
{
	if (!pair->password)
		return count;
	for (size_t i = 0; i < count; i++)
		if (pairs_equal(list[i], pair))
			return count;
	list[count] = pair;
	return count + 1;
}

static void append_bulk(struct buf *out, const char *s)
{
	size_t len = strlen(s);

	buf_addf(out, "$%zu\r\n", len);
	buf_add(out, s, len);
	buf_add(out, "\r\n", 2);
}

/* Growing a buffer copies it and leaves the old bytes behind, so room for the whole command is
 * made before the password goes in. */
static void reserve(struct buf *out, size_t bytes)
{
	size_t len = out->len;

	if (out->data && out->cap - len > bytes)
		return;
	for (size_t i = 0; i < bytes; i++)
		buf_addch(out, 0);
	out->len = len;
	out->data[len] = '\0';
}

static void append_auth(struct buf *out, const struct pair *pair)
{
	size_t user_len = pair->user ? strlen(pair->user) : 0;

	/* 64: "*3", "$4", "AUTH" and two lengths with their line ends */
	reserve(out, user_len + strlen(pair->password) + 64);
	buf_addstr(out, pair->user ? "*3\r\n$4\r\nAUTH\r\n" : "*2\r\n$4\r\nAUTH\r\n");
	if (pair->user)
		append_bulk(out, pair->user);
	append_bulk(out, pair->password);
}

/* Candidate number `index`; NULL behind the last one. */
static const struct pair *candidate(const struct credentials *c, const struct endpoint *node,
				    enum credential_kind kind, bool try_both, size_t index)
{
	const struct pair *list[3];
	const struct target_pair *own = find_target(c, node);
	enum credential_kind other =
	    kind == CREDENTIAL_DATA ? CREDENTIAL_SENTINEL : CREDENTIAL_DATA;
	size_t count = 0;

	if (own)
		count = add_candidate(list, count, &own->pair);
	count = add_candidate(list, count, &c->kinds[kind]);
	if (try_both)
		count = add_candidate(list, count, &c->kinds[other]);
	return index < count ? list[index] : NULL;
}

bool credentials_append_auth(const struct credentials *c, const struct endpoint *node,
			     enum credential_kind kind, bool try_both, size_t index,
			     struct buf *out)
{
	const struct pair *pair = candidate(c, node, kind, try_both, index);

	if (pair)
		append_auth(out, pair);
	return pair != NULL;
}

const char *credentials_user(const struct credentials *c, const struct endpoint *node,
			     enum credential_kind kind, bool try_both, size_t index)
{
	const struct pair *pair = candidate(c, node, kind, try_both, index);

	return pair && pair->user ? pair->user : "default";
}

static bool pair_mentioned(const struct pair *pair, const char *text)
{
	size_t len = pair->password ? strlen(pair->password) : 0, size = len * CLEAN_MAX_BYTES + 1;
	char *clean;
	bool found;

	if (len < MENTION_MIN_BYTES)
		return false;
	if (strstr(text, pair->password))
		return true;
	clean = mem_alloc(size);
	text_clean(clean, size, pair->password, len);
	found = strstr(text, clean) != NULL;
	mem_wipe_free(clean, size);
	return found;
}

bool credentials_mentions(const struct credentials *c, const char *text)
{
	for (size_t i = 0; i < 2; i++)
		if (pair_mentioned(&c->kinds[i], text))
			return true;
	for (size_t i = 0; i < c->target_count; i++)
		if (pair_mentioned(&c->targets[i].pair, text))
			return true;
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits within a longer number are that number. */
static bool is_within_number(const char *at, size_t len, const char *data, const char *end)
{
	for (size_t i = 0; i < len; i++)
		if (!is_digit(at[i]))
			return false;
	return (at > data && is_digit(at[-1])) || (at + len < end && is_digit(at[len]));
}

static void blot(const char *what, size_t what_len, char *data, size_t len)
{
	char *at = data, *end = data + len;

	while ((at = memmem(at, (size_t)(end - at), what, what_len)) != NULL) {
		if (!is_within_number(at, what_len, data, end))
			memset(at, '*', what_len);
		at += what_len;
	}
}

static bool is_plain(const char *s)
{
	while (*s >= 0x20 && *s < 0x7f)
		s++;
	return *s == '\0';
}

static void blot_pair(const struct pair *pair, const char *vocabulary, size_t vocabulary_len,
		      char *data, size_t data_len)
{
	size_t len = pair->password ? strlen(pair->password) : 0, size = len * CLEAN_MAX_BYTES + 1;
	char *clean;

	if (len < MENTION_MIN_BYTES || memmem(vocabulary, vocabulary_len, pair->password, len))
		return;
	blot(pair->password, len, data, data_len);
	if (is_plain(pair->password))
		return;
	clean = mem_alloc(size);
	blot(clean, text_clean(clean, size, pair->password, len), data, data_len);
	mem_wipe_free(clean, size);
}

void credentials_blot(const struct credentials *c, const char *vocabulary, size_t vocabulary_len,
		      char *data, size_t len)
{
	for (size_t i = 0; i < 2; i++)
		blot_pair(&c->kinds[i], vocabulary, vocabulary_len, data, len);
	for (size_t i = 0; i < c->target_count; i++)
		blot_pair(&c->targets[i].pair, vocabulary, vocabulary_len, data, len);
}
