#include "config.h"
#include "net/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "redis/parse.h"
#include "redis/reply.h"

/* A shorter one is looked for as a whole word only: it is a part of many. */
#define MENTION_MIN_BYTES 3 /* within a word of an error */
#define WITHIN_MIN_BYTES  6 /* within a word of anything else */
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

/* --- in what servers say ------------------------------------------------------------------------ */

/* What INFO, SENTINEL, CLUSTER and their messages are made of, word by word. One of them is no secret,
 * whoever uses it as one, and stars in its place would tell it. */
static const char vocabulary[] =
    " redis valkey sentinel sentinels cluster master masters slave slaves replica replicas primary mymaster "
    "role offset port ip host name default standalone online offline connected disconnected connect version "
    "server client clients memory persistence stats replication keyspace commandstats errorstats modules cpu "
    "localhost 127.0.0.1 6379 26379 16379 info message pmessage none true false yes no on off up down ok fail "
    "handshake noaddr noflags pfail flags quorum epoch failover link status state slots lag myself "
    "keys expires cause vote auth config command error set get ping runid run_id mode uptime loading sync "
    "PONG OK QUEUED linux epoll noeviction jemalloc libc tcp unix user ";

/* WHERE_ERROR: an error's words. WHERE_FILE: what is written down for later. WHERE_REPLY: what the program
 * goes by as well: names, addresses, ports. */
enum where { WHERE_ERROR, WHERE_FILE, WHERE_REPLY };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_byte(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Of a host's or a master's name. */
static bool is_name_byte(char c)
{
	return is_word_byte(c) || c == '-' || c == '.';
}

static bool is_number(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_digit(s[i]))
			return false;
	return true;
}

static bool is_vocabulary(const char *s, size_t len)
{
	const char *at = vocabulary, *end = vocabulary + sizeof(vocabulary) - 1;

	while ((at = memmem(at, (size_t)(end - at), s, len)) != NULL) {
		if (at[-(at > vocabulary)] == ' ' && at[len] == ' ')
			return true;
		at++;
	}
	return false;
}

/* Whether what was found is the password and not a part of something longer. */
static bool stands_alone(const char *at, size_t len, const char *data, const char *end, enum where where)
{
	char before = at > data ? at[-1] : ' ', after = at + len < end ? at[len] : ' ';

	if (where == WHERE_ERROR && len >= MENTION_MIN_BYTES)
		return true;
	if (is_number(at, len) && (is_digit(before) || is_digit(after)))
		return false;
	if (where == WHERE_REPLY)
		return !is_name_byte(before) && !is_name_byte(after);
	return len >= WITHIN_MIN_BYTES || (!is_word_byte(before) && !is_word_byte(after));
}

/* The next one from *at on. */
static char *find(const char *what, size_t what_len, char *at, char *data, size_t len, enum where where)
{
	char *end = data + len;

	for (; at < end; at++) {
		at = memmem(at, (size_t)(end - at), what, what_len);
		if (!at || stands_alone(at, what_len, data, end, where))
			return at;
	}
	return NULL;
}

static void blot_word(const char *what, size_t what_len, char *data, size_t len, enum where where)
{
	char *at = data;

	while ((at = find(what, what_len, at, data, len, where)) != NULL) {
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

/* A number of five digits may be a port; one or two bytes, anything. */
static bool is_left_alone(const char *password, size_t len, enum where where)
{
	if (where == WHERE_ERROR)
		return false;
	if (is_vocabulary(password, len))
		return true;
	return where == WHERE_REPLY && (len < MENTION_MIN_BYTES || (len <= 5 && is_number(password, len)));
}

static void blot_pair(const struct pair *pair, char *data, size_t data_len, enum where where)
{
	size_t len = pair->password ? strlen(pair->password) : 0, size = len * CLEAN_MAX_BYTES + 1;
	char *clean;

	/* Nearly always it is not there. */
	if (len == 0 || (is_plain(pair->password) && !memmem(data, data_len, pair->password, len)) ||
	    is_left_alone(pair->password, len, where))
		return;
	blot_word(pair->password, len, data, data_len, where);
	if (is_plain(pair->password))
		return;
	clean = mem_alloc(size);
	blot_word(clean, text_clean(clean, size, pair->password, len), data, data_len, where);
	mem_wipe_free(clean, size);
}

static void blot(const struct credentials *c, char *data, size_t len, enum where where)
{
	for (size_t i = 0; i < 2; i++)
		blot_pair(&c->kinds[i], data, len, where);
	for (size_t i = 0; i < c->target_count; i++)
		blot_pair(&c->targets[i].pair, data, len, where);
}

void credentials_blot(const struct credentials *c, char *data, size_t len)
{
	blot(c, data, len, WHERE_FILE);
}

static bool pair_mentioned(const struct pair *pair, char *text, size_t text_len)
{
	size_t len = pair->password ? strlen(pair->password) : 0, size = len * CLEAN_MAX_BYTES + 1;
	char *clean;
	bool found;

	if (len == 0)
		return false;
	if (find(pair->password, len, text, text, text_len, WHERE_ERROR))
		return true;
	if (is_plain(pair->password))
		return false;
	clean = mem_alloc(size);
	len = text_clean(clean, size, pair->password, len);
	found = find(clean, len, text, text, text_len, WHERE_ERROR) != NULL;
	mem_wipe_free(clean, size);
	return found;
}

bool credentials_mentions(const struct credentials *c, const char *text, size_t len)
{
	for (size_t i = 0; i < 2; i++)
		if (pair_mentioned(&c->kinds[i], (char *)text, len))
			return true;
	for (size_t i = 0; i < c->target_count; i++)
		if (pair_mentioned(&c->targets[i].pair, (char *)text, len))
			return true;
	return false;
}

static bool is_whole_password(const struct pair *pair, const struct reply *r)
{
	return pair->password && strlen(pair->password) == r->len && memcmp(pair->password, r->str, r->len) == 0;
}

/* The whole of a list's element is a name that servers are asked by: without it nothing could be asked. */
static bool is_name(const struct credentials *c, const struct reply *r)
{
	for (size_t i = 0; i < 2; i++)
		if (is_whole_password(&c->kinds[i], r))
			return true;
	for (size_t i = 0; i < c->target_count; i++)
		if (is_whole_password(&c->targets[i].pair, r))
			return true;
	return false;
}

static void hide_in(const struct credentials *c, const struct reply *r, bool listed)
{
	/* Strings lie in the reader's own memory: they are nobody else's, and may be written to. */
	if (r->str && !(listed && is_name(c, r)))
		blot(c, (char *)r->str, r->len, r->type == REPLY_ERROR ? WHERE_ERROR : WHERE_REPLY);
	for (size_t i = 0; i < r->element_count; i++)
		if (r->elements[i])
			hide_in(c, r->elements[i], true);
}

/* What an error is, is kept: the program goes by that. */
static void hide_error(struct reply *r, char text[CREDENTIALS_HIDDEN_BYTES])
{
	size_t word = 0;
	const char *kind = error_prefix(r->str, r->len);

	while (!kind && word < r->len && word < 24 && r->str[word] >= 'A' && r->str[word] <= 'Z')
		word++;
	text_format(text, CREDENTIALS_HIDDEN_BYTES, "%.*s (what the server says holds a password)",
		    kind ? (int)strlen(kind) : (int)word, kind ? kind : r->str);
	r->str = text;
	r->len = strlen(text);
}

static bool starts_with(const struct reply *r, const char *word)
{
	return r->len >= strlen(word) && memcmp(r->str, word, strlen(word)) == 0;
}

void credentials_hide(const struct credentials *c, struct reply *r, char text[CREDENTIALS_HIDDEN_BYTES])
{
	if (r->type != REPLY_ERROR)
		hide_in(c, r, false);
	else if (credentials_mentions(c, r->str, r->len) && !starts_with(r, "MOVED ") && !starts_with(r, "ASK "))
		hide_error(r, text);
}

static bool is_short(const struct pair *pair)
{
	return pair->password && pair->password[0] && strlen(pair->password) < MENTION_MIN_BYTES;
}

bool credentials_too_short(const struct credentials *c)
{
	bool found = is_short(&c->kinds[0]) || is_short(&c->kinds[1]);

	for (size_t i = 0; i < c->target_count; i++)
		found |= is_short(&c->targets[i].pair);
	return found;
}
