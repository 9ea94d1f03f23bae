#include "config.h"

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

const struct fuzz_target fuzz_targets[] = {
#define X(name) { #name, fuzz_##name },
	FUZZ_TARGETS(X)
#undef X
};
const size_t fuzz_target_count = sizeof(fuzz_targets) / sizeof(fuzz_targets[0]);

void fuzz_fail(const char *file, int line, const char *what, const char *text)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	if (text) {
		fputs("  \"", stderr);
		for (const char *p = text; *p && p < text + 600; p++)
			fprintf(stderr, *p >= 0x20 && *p < 0x7f ? "%c" : "<%02x>", (unsigned char)*p);
		fputs("\"\n", stderr);
	}
	fflush(NULL);
	abort();
}

/* Not text.c's decoder: that one is on trial. Bytes of the character, 0 when there is none. */
static size_t decode(const unsigned char *s, size_t len, uint32_t *code)
{
	static const struct {
		unsigned char lead_mask, lead, bytes;
		uint32_t first;
	} forms[] = { { 0x80, 0x00, 1, 0 }, { 0xe0, 0xc0, 2, 0x80 }, { 0xf0, 0xe0, 3, 0x800 },
		      { 0xf8, 0xf0, 4, 0x10000 } };

	for (size_t i = 0; i < 4; i++) {
		if ((s[0] & forms[i].lead_mask) != forms[i].lead || forms[i].bytes > len)
			continue;
		*code = s[0] & (unsigned char)~forms[i].lead_mask;
		for (size_t k = 1; k < forms[i].bytes; k++) {
			if (s[k] >> 6 != 2)
				return 0;
			*code = *code * 64 + s[k] % 64;
		}
		if (*code < forms[i].first || *code > 0x10ffff || *code / 0x800 == 0x1b)
			return 0;
		return forms[i].bytes;
	}
	return 0;
}

bool fuzz_is_clean(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t code;

	for (size_t i = 0, bytes; i < len; i += bytes) {
		bytes = decode(p + i, len - i, &code);
		if (bytes == 0 || text_is_control(code))
			return false;
	}
	return true;
}

void fuzz_clean(const char *file, int line, const char *s, size_t size)
{
	size_t len = size == SIZE_MAX ? strlen(s) : strnlen(s, size);

	if (len == size)
		fuzz_fail(file, line, "a string ends within its array", NULL);
	if (!fuzz_is_clean(s, len))
		fuzz_fail(file, line, "a string is clean", s);
}

void fuzz_check_endpoint(const struct endpoint *ep)
{
	char text[ENDPOINT_TEXT_BYTES];

	FUZZ_CLEAN(ep->host);
	memset(text, 'x', sizeof(text));
	FUZZ_ASSERT(endpoint_format(ep, text) == text);
	FUZZ_CLEAN(text);
}

unsigned fuzz_byte(struct fuzz_input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->data++;
}

unsigned fuzz_below(struct fuzz_input *in, unsigned limit)
{
	unsigned value = fuzz_byte(in);

	if (limit > 256)
		value = value << 8 | fuzz_byte(in);
	return value % limit;
}

const char *fuzz_bytes(struct fuzz_input *in, size_t max, size_t *len)
{
	const char *bytes = (const char *)in->data;

	*len = fuzz_byte(in) % (max + 1);
	if (*len > in->left)
		*len = in->left;
	bytes = (const char *)in->data;
	in->data += *len;
	in->left -= *len;
	return *len ? bytes : "";
}

char *fuzz_copy(const void *data, size_t size)
{
	char *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	return copy;
}

char *fuzz_string(const void *data, size_t size)
{
	char *copy = mem_alloc(size + 1);

	if (size)
		memcpy(copy, data, size);
	return copy;
}
