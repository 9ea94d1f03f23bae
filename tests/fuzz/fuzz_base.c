/* Text, numbers, addresses and targets. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/target.h"
#include "base/number.h"
#include "base/text.h"
#include "fuzz.h"

static void check_fit(const char *s)
{
	int width = text_width(s);
	size_t len = strlen(s);

	FUZZ_ASSERT(width >= 0 && (size_t)width <= len);
	FUZZ_ASSERT(text_fit(s, width) == len);
	FUZZ_ASSERT(text_contains(s, "") && (len > 300 || text_contains(s, s + len / 2)));
	for (int columns = 0; columns < width; columns += 1 + width / 4) {
		char prefix[512];
		size_t fit = text_fit(s, columns);

		FUZZ_ASSERT(fit <= len);
		if (fit >= sizeof(prefix))
			return;
		memcpy(prefix, s, fit);
		prefix[fit] = '\0';
		FUZZ_ASSERT(text_width(prefix) <= columns);
	}
}

/* The first byte is the room, as far as it goes. */
void fuzz_text(const uint8_t *data, size_t size)
{
	size_t room = size ? data[0] + 1u : 1, used, again;
	char *src, *raw, *dst, *twice;
	const char *p;

	if (size == 0)
		return;
	if (room == 256)
		room = 4 * size + 1;
	src = fuzz_copy(data + 1, size - 1);
	dst = malloc(room);
	twice = malloc(room);
	memset(dst, 0xff, room);
	used = text_clean(dst, room, src, size - 1);
	FUZZ_ASSERT(used < room && strnlen(dst, room) == used);
	FUZZ_ASSERT(fuzz_is_clean(dst, used));
	again = text_clean(twice, room, dst, used);
	FUZZ_ASSERT(again == used && strcmp(dst, twice) == 0);
	check_fit(dst);
	/* What was not cleaned: nothing may be read past its end, and each step goes on. */
	raw = fuzz_string(data + 1, size - 1);
	p = raw;
	while (text_next(&p) != 0)
		FUZZ_ASSERT(p <= raw + size - 1);
	FUZZ_ASSERT(p == raw + strlen(raw));
	check_fit(raw);
	free(src);
	free(raw);
	free(dst);
	free(twice);
}

/* Not number.c's way: no overflow check can be forgotten in 128 bits. */
static bool reference_number(const char *s, size_t len, int64_t *out)
{
	bool negative = len > 0 && s[0] == '-';
	__int128 value = 0;

	if (len == negative)
		return false;
	for (size_t i = negative; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		value = value * 10 + (s[i] - '0');
		if (value > (__int128)INT64_MAX + 1)
			return false;
	}
	value = negative ? -value : value;
	if (value > INT64_MAX || value < INT64_MIN)
		return false;
	*out = (int64_t)value;
	return true;
}

void fuzz_number(const uint8_t *data, size_t size)
{
	char *s = fuzz_copy(data, size), *text = fuzz_string(data, size);
	int64_t got = -77, want = 0, small = -77;
	double real = -77;
	bool ok = number_parse(s, size, INT64_MIN, INT64_MAX, &got);

	FUZZ_ASSERT(ok == reference_number(s, size, &want));
	FUZZ_ASSERT(ok ? got == want : got == -77);
	FUZZ_ASSERT(number_parse(s, size, 0, 65535, &small) == (ok && got >= 0 && got <= 65535));
	if (number_parse_double(s, size, -1e300, 1e300, &real)) {
		double reference = strtod(text, NULL);

		FUZZ_ASSERT(isfinite(real) && real >= -1e300 && real <= 1e300);
		FUZZ_ASSERT(fabs(real - reference) <= fabs(reference) * 1e-12 + 1e-300);
		FUZZ_ASSERT(strspn(text, "0123456789.eE+-") == size);
	} else {
		FUZZ_ASSERT(real == -77);
		/* A whole number of up to 15 digits is one by any measure. */
		FUZZ_ASSERT(!ok || size > 15);
	}
	free(s);
	free(text);
}

static void check_parsed(const struct endpoint *ep)
{
	char text[ENDPOINT_TEXT_BYTES];
	struct endpoint again;

	FUZZ_ASSERT(endpoint_is_set(ep));
	/* The path of a socket is dialled as it was written. */
	if (endpoint_is_unix(ep))
		return;
	fuzz_check_endpoint(ep);
	endpoint_format(ep, text);
	if (endpoint_parse(&again, text, 1))
		FUZZ_ASSERT(endpoint_equal(ep, &again));
}

/* The first two bytes are the port of endpoint_set. */
void fuzz_endpoint(const uint8_t *data, size_t size)
{
	struct endpoint ep, again;
	char *s, *text;
	int64_t port;

	if (size < 2)
		return;
	port = (int64_t)(data[0] << 8 | data[1]) - 2;
	s = fuzz_copy(data + 2, size - 2);
	text = fuzz_string(data + 2, size - 2);
	memset(&ep, 0xa5, sizeof(ep));
	if (endpoint_set(&ep, s, size - 2, port))
		FUZZ_ASSERT(endpoint_is_set(&ep) && ep.port == port);
	else
		FUZZ_ASSERT(!endpoint_is_set(&ep) && ep.port == 0);
	fuzz_check_endpoint(&ep);
	memset(&ep, 0xa5, sizeof(ep));
	if (endpoint_parse(&ep, text, 6379)) {
		check_parsed(&ep);
		/* What was written in clean text is read again as it is shown. */
		if (fuzz_is_clean(text, strlen(text))) {
			char shown[ENDPOINT_TEXT_BYTES];

			FUZZ_ASSERT(endpoint_parse(&again, endpoint_format(&ep, shown), 1));
			FUZZ_ASSERT(endpoint_equal(&ep, &again));
		}
	} else {
		FUZZ_ASSERT(!endpoint_is_set(&ep) && ep.port == 0);
	}
	free(s);
	free(text);
}

/* Nothing but stars before the host, and the host as it was. */
static void check_wiped(const struct target *t, char *text)
{
	struct buf err = BUF_INIT;
	struct target rest;
	char *secret;
	size_t stars;

	target_wipe_argument(text);
	if (!t->password && !t->user)
		return;
	secret = strstr(text, "://") + 3;
	stars = strspn(secret, "*");
	FUZZ_ASSERT(secret[stars] == '@' && !strchr(secret + stars + 1, '@'));
	memmove(secret, secret + stars + 1, strlen(secret + stars));
	FUZZ_ASSERT(target_parse(&rest, text, &err) && endpoint_equal(&rest.addr, &t->addr));
	FUZZ_ASSERT(t->password && !rest.user && !rest.password);
	target_done(&rest);
	buf_free(&err);
}

void fuzz_target(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *kept = fuzz_string(data, size);
	struct buf err = BUF_INIT;
	struct target t;

	memset(&t, 0xa5, sizeof(t));
	if (target_parse(&t, text, &err)) {
		check_parsed(&t.addr);
		FUZZ_ASSERT(err.len == 0);
		check_wiped(&t, kept);
	} else {
		FUZZ_ASSERT(err.len > 0 && fuzz_is_clean(err.data, err.len));
		target_wipe_refused(kept);
		FUZZ_ASSERT(!target_hides_secret(text) || strspn(kept, "*") == strlen(kept));
	}
	FUZZ_ASSERT(memcmp(text, data, size) == 0 && text[size] == '\0');
	target_done(&t);
	FUZZ_ASSERT(t.user == NULL && t.password == NULL);
	buf_free(&err);
	free(text);
	free(kept);
}
