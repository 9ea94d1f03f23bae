#include "app/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3986 percent-decoding; NULL when malformed or when it would hold a NUL. */
static char *percent_decode(const char *s, size_t len)
{
	char *out = mem_alloc(len + 1);
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] != '%') {
			out[n++] = s[i];
			continue;
		}
		int high = i + 1 < len ? hex_digit(s[i + 1]) : -1;
		int low = i + 2 < len ? hex_digit(s[i + 2]) : -1;
		if (high < 0 || low < 0 || (high == 0 && low == 0)) {
			mem_wipe_free(out, len + 1);
			return NULL;
		}
		out[n++] = (char)(high * 16 + low);
		i += 2;
	}
	return out;
}

/* user:password before the @; redis-cli takes a lone ":password" as well. */
static bool parse_userinfo(struct target *t, const char *s, size_t len, struct buf *err)
{
	const char *colon = memchr(s, ':', len);
	size_t user_len = colon != NULL ? (size_t)(colon - s) : len;
	if (user_len > 0 && (t->user = percent_decode(s, user_len)) == NULL) {
		buf_addstr(err, "malformed %-escape in the user name");
		return false;
	}
	/* Dropped in silence, the name would be nobody's; and it may be a password. */
	if (colon == NULL && len > 0) {
		buf_addstr(err, "a user needs a password: user:password@");
		return false;
	}
	if (colon == NULL)
		return true;
	t->password = percent_decode(colon + 1, len - user_len - 1);
	if (t->password == NULL)
		buf_addstr(err, "malformed %-escape in the password");
	return t->password != NULL;
}

static bool parse_uri(struct target *t, const char *rest, struct buf *err)
{
	const char *end = rest + strcspn(rest, "/?#");
	const char *at = NULL;
	for (const char *p = rest; p < end; p++)
		if (*p == '@')
			at = p;
	if (at != NULL && !parse_userinfo(t, rest, (size_t)(at - rest), err))
		return false;
	const char *host = at != NULL ? at + 1 : rest;
	/* A database number has no meaning here; anything else would be silently ignored. */
	if (*end != '\0' && strspn(end, "/0123456789") != strlen(end)) {
		buf_addstr(err, "only host and port may follow");
		return false;
	}
	char text[ENDPOINT_TEXT_BYTES];
	size_t len = (size_t)(end - host);
	if (len >= sizeof(text) || len == 0) {
		buf_addstr(err, len == 0 ? "no host" : "host too long");
		return false;
	}
	memcpy(text, host, len);
	text[len] = '\0';
	if (!endpoint_parse(&t->addr, text, DEFAULT_PORT))
		buf_addstr(err, "malformed host or port");
	return endpoint_is_set(&t->addr);
}

static bool parse_unix(struct target *t, const char *path, struct buf *err)
{
	if (path[0] != '/' || strlen(path) > 107) {
		buf_addstr(err, path[0] != '/' ? "the path of a socket must be absolute"
					       : "the path of the socket is too long");
		return false;
	}
	memset(&t->addr, 0, sizeof(t->addr));
	/* It is drawn like any host: what cleaning would change is not dialled under another name. */
	if (text_clean(t->addr.host, sizeof(t->addr.host), path, strlen(path)) != strlen(path) ||
	    strcmp(t->addr.host, path) != 0) {
		memset(&t->addr, 0, sizeof(t->addr));
		buf_addstr(err, "the path of the socket holds bytes that cannot be shown");
		return false;
	}
	return true;
}

bool target_parse(struct target *t, const char *text, struct buf *err)
{
	memset(t, 0, sizeof(*t));
	if (strncmp(text, "redis://", 8) == 0 || strncmp(text, "valkey://", 9) == 0)
		return parse_uri(t, strchr(text, ':') + 3, err);
	if (strncmp(text, "rediss://", 9) == 0 || strncmp(text, "valkeys://", 10) == 0) {
		t->tls = true;
		return parse_uri(t, strchr(text, ':') + 3, err);
	}
	if (strncmp(text, "unix://", 7) == 0)
		return parse_unix(t, text + 7, err);
	if (strstr(text, "://") != NULL || strpbrk(text, "@ \t") != NULL) {
		buf_addstr(err, "not host[:port], redis://... or unix:///path");
		return false;
	}
	if (!endpoint_parse(&t->addr, text, DEFAULT_PORT)) {
		buf_addstr(err, "malformed host or port");
		return false;
	}
	return true;
}

void target_done(struct target *t)
{
	mem_wipe_free(t->user, t->user != NULL ? strlen(t->user) : 0);
	mem_wipe_free(t->password, t->password != NULL ? strlen(t->password) : 0);
	memset(t, 0, sizeof(*t));
}

void target_wipe_argument(char *text)
{
	char *at = strrchr(text, '@');
	char *scheme = strstr(text, "://");
	char *start = scheme != NULL && scheme < at ? scheme + 3 : text;
	if (at != NULL && at > start)
		memset(start, '*', (size_t)(at - start));
}

bool target_hides_secret(const char *text)
{
	int64_t port;
	if (strchr(text, '@') != NULL)
		return true;
	const char *rest = strstr(text, ":/");
	const char *colon = rest != NULL ? strrchr(rest + 1, ':') : NULL;
	return colon != NULL && !number_parse(colon + 1, strlen(colon + 1), 1, 65535, &port);
}

void target_wipe_refused(char *text)
{
	if (target_hides_secret(text))
		memset(text, '*', strlen(text));
}
