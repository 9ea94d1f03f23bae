/* Captured replies of real servers, through the real reader, in one piece or byte by byte. */
#ifndef TESTS_CAPTURED_H
#define TESTS_CAPTURED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "redis/parse.h"
#include "redis/reply.h"

#define CAPTURED_HAS_RESP3 (HIREDIS_MAJOR >= 1)

/* Caller frees with buf_free. */
static inline struct buf captured_load(const char *name)
{
	const char *srcdir = getenv("REDOUBT_SRCDIR");
	struct buf path = BUF_INIT, bytes = BUF_INIT;
	char piece[4096];
	size_t len;
	FILE *f;

	buf_addf(&path, "%s/tests/data/%s", srcdir ? srcdir : ".", name);
	f = fopen(path.data, "rb");
	if (!f)
		fail_msg("%s cannot be read", path.data);
	while ((len = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(&bytes, piece, len);
	fclose(f);
	buf_free(&path);
	return bytes;
}

/* Feeds in pieces of `step` bytes (0: all at once) until a reply is whole; 1, 0 or -1 as
 * reader_next. All bytes must have been needed for it. */
static inline int captured_read(struct reply_reader *reader, const char *bytes, size_t len,
				size_t step, const struct reply **out)
{
	int got = 0;

	for (size_t at = 0; at < len && got == 0;) {
		size_t piece = step && step < len - at ? step : len - at;

		reader_feed(reader, bytes + at, piece);
		at += piece;
		got = reader_next(reader, out);
		if (got == 1)
			assert_int_equal(at, len);
	}
	return got;
}

/* Reads the text of one reply and parses it as the answer to q. The facts live in p. */
static inline struct observation captured_parse_bytes(struct parser *p, const char *bytes,
						      size_t len, enum question q, size_t step)
{
	struct reply_reader *reader = reader_new();
	struct observation obs = { .question = q };
	const struct reply *reply = NULL;
	int got = captured_read(reader, bytes, len, step, &reply);

	if (got != 1)
		fail_msg("no reply (%d): %s", got, reader_error(reader));
	parse_reply(p, reply, &obs);
	reader_free(reader);
	return obs;
}

static inline struct observation captured_parse_text(struct parser *p, const char *resp,
						     enum question q)
{
	return captured_parse_bytes(p, resp, strlen(resp), q, 0);
}

static inline struct observation captured_parse(struct parser *p, const char *name, enum question q,
						size_t step)
{
	struct buf bytes = captured_load(name);
	struct observation obs = captured_parse_bytes(p, bytes.data, bytes.len, q, step);

	buf_free(&bytes);
	return obs;
}

/* A RESP3 reply on a reader that has none: refused in words. */
static inline void captured_refuses(const char *name)
{
	struct buf bytes = captured_load(name);

	for (size_t step = 0; step < 2; step++) {
		struct reply_reader *reader = reader_new();
		const struct reply *reply = NULL;

		assert_int_equal(captured_read(reader, bytes.data, bytes.len, step, &reply), -1);
		assert_non_null(strstr(reader_error(reader), "RESP3"));
		reader_free(reader);
	}
	buf_free(&bytes);
}

#endif
