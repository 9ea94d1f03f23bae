/* The reply reader, fed whole and in pieces: both must see the same. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "redis/reply.h"

struct seen {
	uint64_t hash;
	size_t replies, elements;
	int last; /* of reader_next */
};

static void mix(struct seen *s, uint64_t value)
{
	s->hash = (s->hash ^ value) * 0x100000001b3u;
}

static void see(struct seen *s, const struct reply *r, unsigned depth)
{
	FUZZ_ASSERT(r != NULL);
	FUZZ_ASSERT(depth <= REPLY_MAX_DEPTH + 1);
	FUZZ_ASSERT(++s->elements <= REPLY_MAX_ELEMENTS + 1);
	mix(s, r->type);
	switch (r->type) {
	case REPLY_NIL:
		break;
	case REPLY_INTEGER:
		mix(s, (uint64_t)r->integer);
		break;
	case REPLY_STRING:
	case REPLY_STATUS:
	case REPLY_ERROR:
		FUZZ_ASSERT(r->str[r->len] == '\0');
		for (size_t i = 0; i < r->len; i++)
			mix(s, (unsigned char)r->str[i]);
		break;
	case REPLY_ARRAY:
		mix(s, r->element_count);
		for (size_t i = 0; i < r->element_count; i++)
			see(s, r->elements[i], depth + 1);
		break;
	default:
		FUZZ_ASSERT(!"a known type");
	}
}

static bool drain(struct reply_reader *reader, struct seen *s)
{
	const struct reply *r = NULL;

	while ((s->last = reader_next(reader, &r)) == 1) {
		s->replies++;
		s->elements = 0;
		see(s, r, 1);
	}
	FUZZ_ASSERT(s->last == 0 || s->last == -1);
	FUZZ_ASSERT((s->last == -1) == (reader_error(reader)[0] != '\0'));
	FUZZ_CLEAN_TEXT(reader_error(reader));
	return s->last == 0;
}

/* seed 0: in one piece. */
static struct seen read_all(const uint8_t *data, size_t size, unsigned seed)
{
	struct reply_reader *reader = reader_new();
	struct seen s = { .last = 0 };

	for (size_t at = 0, len; at < size; at += len) {
		char *piece;

		seed = seed * 1103515245 + 12345 * (seed != 0);
		len = seed ? 1 + (seed >> 16) % 23 : size;
		len = len < size - at ? len : size - at;
		piece = fuzz_copy(data + at, len);
		reader_feed(reader, piece, len);
		free(piece);
		if (!drain(reader, &s))
			break;
	}
	/* Broken stays broken. */
	if (s.last == -1) {
		const struct reply *r = NULL;

		reader_feed(reader, "+OK\r\n", 5);
		FUZZ_ASSERT(reader_next(reader, &r) == -1);
	}
	reader_free(reader);
	return s;
}

void fuzz_reply(const uint8_t *data, size_t size)
{
	unsigned seed;
	struct seen whole, pieces;

	if (size < 1)
		return;
	seed = data[0] + 1u;
	whole = read_all(data + 1, size - 1, 0);
	pieces = read_all(data + 1, size - 1, seed);
	FUZZ_ASSERT(whole.hash == pieces.hash);
	FUZZ_ASSERT(whole.replies == pieces.replies);
	FUZZ_ASSERT(whole.last == pieces.last);
}
