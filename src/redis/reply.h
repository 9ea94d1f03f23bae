/* Replies, read with hiredis's reader into a tree of our own, bounded in every direction.
 *
 * The tree lives in an arena of its reader: it is valid until the next reader_next or
 * reader_free. Strings are the peer's raw bytes: every parser cleans what it keeps. */
#ifndef REDIS_REPLY_H
#define REDIS_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define REPLY_MAX_BYTES    (64u * 1024 * 1024) /* one reply on the wire */
#define REPLY_MAX_DEPTH    8                   /* nested arrays */
#define REPLY_MAX_ELEMENTS (1024 * 1024)       /* of one array; and of a whole reply */

enum reply_type { REPLY_NIL, REPLY_STRING, REPLY_STATUS, REPLY_ERROR, REPLY_INTEGER, REPLY_ARRAY };

struct reply {
	enum reply_type type;
	int64_t integer;
	const char *str; /* STRING, STATUS, ERROR: len bytes, NUL-terminated, may hold NULs */
	size_t len;
	struct reply **elements; /* ARRAY; RESP3 maps and sets come as flat arrays */
	size_t element_count;
};

struct reply_reader; /* opaque */

struct reply_reader *reader_new(void);
void reader_free(struct reply_reader *r); /* NULL is legal */
/* Hands over bytes as they came. */
void reader_feed(struct reply_reader *r, const char *data, size_t len);
/* 1: *out is the next whole reply; 0: more bytes are needed; -1: the stream is broken or over a
 * limit, reader_error says why in words and the link must be dropped. */
int reader_next(struct reply_reader *r, const struct reply **out);
const char *reader_error(const struct reply_reader *r);
/* Nothing that was fed is left: the last reply was the end of it. */
bool reader_is_empty(const struct reply_reader *r);

/* True when r is a STATUS or STRING of exactly this text. */
bool reply_is(const struct reply *r, const char *text);

/* Appends the reply as RESP2, whatever it came as: reading that gives the same tree again. */
struct buf;
void reply_encode(const struct reply *r, struct buf *out);
/* The same, with each text handed to edit first. */
void reply_encode_edited(const struct reply *r, text_edit *edit, void *owner, struct buf *out);

#endif
