#include "config.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define REPLACEMENT 0xfffdu

/* Bytes of the well-formed UTF-8 sequence at s, 0 when there is none. Overlong forms, surrogates
 * and what lies beyond U+10FFFF are not well-formed: they are the classic ways past a filter. */
static size_t utf8_decode(const unsigned char *s, size_t len, uint32_t *code)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t bytes;

	if (len == 0)
		return 0;
	if (s[0] < 0x80) {
		*code = s[0];
		return 1;
	}
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	bytes = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (bytes > len)
		return 0;
	*code = s[0] & (0x7fu >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3fu);
	}
	if (*code < smallest[bytes] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return bytes;
}

bool text_is_control(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0x80, 0x9f },       /* C1: 0x9b alone starts a sequence on some terminals */
		{ 0xad, 0xad },       /* soft hyphen */
		{ 0x34f, 0x34f },     /* combining grapheme joiner */
		{ 0x61c, 0x61c },     /* Arabic letter mark: bidi */
		{ 0x115f, 0x1160 },   /* Hangul fillers */
		{ 0x17b4, 0x17b5 },   /* Khmer inherent vowels, invisible */
		{ 0x180b, 0x180f },   /* Mongolian selectors */
		{ 0x200b, 0x200f },   /* zero width, left-to-right and right-to-left marks */
		{ 0x2028, 0x202e },   /* line separators, bidi embeddings and overrides */
		{ 0x2060, 0x206f },   /* word joiner, invisible operators, bidi isolates */
		{ 0x3164, 0x3164 },   /* Hangul filler */
		{ 0xfe00, 0xfe0f },   /* variation selectors: change the width of what is before */
		{ 0xfeff, 0xfeff },   /* byte order mark */
		{ 0xffa0, 0xffa0 },   /* Hangul filler */
		{ 0xfff0, 0xfffb },   /* interlinear annotation */
		{ 0xfffe, 0xffff },   /* no characters */
		{ 0x1d173, 0x1d17a }, /* musical controls */
		{ 0xe0000, 0xe0fff }, /* tags: hidden ASCII; more selectors */
	};

	if (code < 0x80)
		return code < 0x20 || code == 0x7f;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (code <= hidden[i].last)
			return code >= hidden[i].first;
	return (code & 0xfffe) == 0xfffe;
}

/* An escape for the character of `bytes` bytes at s; bytes 0: s[0] is not UTF-8. */
static size_t escape(char out[12], const unsigned char *s, size_t bytes, uint32_t code)
{
	int len;

	if (bytes <= 1)
		len = snprintf(out, 12, "\\x%02x", s[0]);
	else if (code < 0x10000)
		len = snprintf(out, 12, "\\u%04x", (unsigned)code);
	else
		len = snprintf(out, 12, "\\U%08x", (unsigned)code);
	return (size_t)len;
}

size_t text_clean(char *dst, size_t size, const char *src, size_t len)
{
	const unsigned char *s = (const unsigned char *)src;
	const unsigned char *end = s + len;
	size_t used = 0;

	while (s < end && used + 1 < size) {
		char escaped[12];
		const char *piece = (const char *)s;
		uint32_t code = 0;
		size_t bytes, piece_len;

		if (*s >= 0x20 && *s < 0x7f) {
			dst[used++] = (char)*s++;
			continue;
		}
		if (*s == '\n' || *s == '\r' || *s == '\t') {
			while (s < end && (*s == '\n' || *s == '\r' || *s == '\t'))
				s++;
			dst[used++] = ' ';
			continue;
		}
		bytes = utf8_decode(s, (size_t)(end - s), &code);
		piece_len = bytes;
		if (bytes == 0 || text_is_control(code)) {
			piece_len = escape(escaped, s, bytes, code);
			piece = escaped;
		}
		/* Half an escape or character would be a lie: cut before it. */
		if (used + piece_len + 1 > size)
			break;
		memcpy(dst + used, piece, piece_len);
		used += piece_len;
		s += bytes ? bytes : 1;
	}
	dst[used] = '\0';
	return used;
}

/* Leaves out the bytes that are no character. */
static void drop_torn(char *s)
{
	size_t len = strlen(s), kept = 0, bytes;
	uint32_t code;

	for (size_t i = 0; i < len; i += bytes ? bytes : 1) {
		bytes = utf8_decode((const unsigned char *)s + i, len - i, &code);
		memmove(s + kept, s + i, bytes);
		kept += bytes;
	}
	s[kept] = '\0';
}

void text_vformat(char *dst, size_t size, const char *fmt, va_list ap)
{
	if (vsnprintf(dst, size, fmt, ap) < 0)
		dst[0] = '\0';
	for (const char *p = dst; *p; p++) {
		if ((unsigned char)*p < 0x80)
			continue;
		drop_torn(dst);
		return;
	}
}

void text_format(char *dst, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vformat(dst, size, fmt, ap);
	va_end(ap);
}

uint32_t text_next(const char **s)
{
	const unsigned char *p = (const unsigned char *)*s;
	uint32_t code;
	size_t len = 0, bytes;

	if (*p == '\0')
		return 0;
	/* The NUL is no continuation byte, so the decoder never passes it. */
	while (len < 4 && p[len] != '\0')
		len++;
	bytes = utf8_decode(p, len, &code);
	*s += bytes ? bytes : 1;
	return bytes ? code : REPLACEMENT;
}

int text_char_width(uint32_t code)
{
	int width;

	if (code >= 0x20 && code < 0x7f)
		return 1;
	if (code == 0)
		return 0;
	if (text_is_control(code))
		return 1;
	/* -1 in a locale without UTF-8, and for what libc does not know yet. */
	width = wcwidth((wchar_t)code);
	return width < 0 ? 1 : width;
}

int text_width(const char *s)
{
	int width = 0;

	while (*s) {
		if (*s >= 0x20 && *s < 0x7f) {
			width++;
			s++;
			continue;
		}
		width += text_char_width(text_next(&s));
	}
	return width;
}

size_t text_fit(const char *s, int columns)
{
	const char *p = s;
	int used = 0;

	while (*p) {
		const char *next = p;
		int width = text_char_width(text_next(&next));

		if (used + width > columns)
			break;
		used += width;
		p = next;
	}
	return (size_t)(p - s);
}

static int ascii_lower(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? u + ('a' - 'A') : u;
}

bool text_contains(const char *s, const char *needle)
{
	for (;; s++) {
		size_t i = 0;

		while (needle[i] && ascii_lower(s[i]) == ascii_lower(needle[i]))
			i++;
		if (!needle[i])
			return true;
		if (!*s)
			return false;
	}
}
