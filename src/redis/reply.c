/* Two memories are kept small with a thousand links in mind: a core (hiredis's reader with its
 * buffer, and the arena of the tree) is borrowed by a reader when bytes come, and given back when
 * all of them have become replies that nobody needs any more. An idle link so holds no buffer, and
 * a busy loop works in the same warm few. One thread only, as everything in this layer.
 *
 * hiredis's reader says what is wrong in the grammar; the bounds are all here, since 0.14 has none
 * and later ones have others. */
#include "config.h"

#include "redis/reply.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"

#define CHUNK_BYTES     (16u * 1024)
#define ARENA_KEEP      (1024u * 1024)
#define IDLE_BUF_BYTES  (64u * 1024) /* hiredis frees an empty buffer larger than this */
#define CORES_KEPT      4
/* A status, error, number or length. hiredis searches an unfinished line from its start with each
 * piece that comes: an endless one would cost the square of its length. */
#define LINE_MAX_BYTES  (64u * 1024)

struct chunk {
	struct chunk *next;
	size_t size, used;
	_Alignas(max_align_t) char data[];
};

struct core {
	redisReader *reader;
	struct chunk *chunks, *chunk; /* all; the one being filled */
	size_t elements;              /* announced by the arrays of this reply */
	const char *refused;          /* why a callback below gave NULL */
	struct core *next;            /* in the pool */
};

struct reply_reader {
	struct core *core;  /* NULL: nothing fed since all was read */
	size_t unread;      /* bytes fed since the last whole reply */
	bool building;      /* a tree is half made: the arena is in use */
	char error[256];
};

static struct core *pool;
static size_t pool_count;

/* --- arena --- */

static void *arena_alloc(struct core *c, size_t bytes)
{
	struct chunk *chunk;
	size_t aligned = (bytes + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	void *ptr;

	while (c->chunk && c->chunk->size - c->chunk->used < aligned && c->chunk->next) {
		c->chunk = c->chunk->next;
		c->chunk->used = 0;
	}
	if (!c->chunk || c->chunk->size - c->chunk->used < aligned) {
		size_t size = aligned > CHUNK_BYTES ? aligned : CHUNK_BYTES;

		/* Not cleared: a large array is paid for only as far as its elements come. */
		chunk = mem_realloc(NULL, sizeof(*chunk) + size);
		chunk->next = NULL;
		chunk->size = size;
		chunk->used = 0;
		if (c->chunk)
			c->chunk->next = chunk;
		else
			c->chunks = chunk;
		c->chunk = chunk;
	}
	ptr = c->chunk->data + c->chunk->used;
	c->chunk->used += aligned;
	return ptr;
}

static void arena_reset(struct core *c)
{
	size_t kept = 0;

	for (struct chunk **link = &c->chunks; *link;) {
		struct chunk *chunk = *link;

		if (kept + chunk->size > ARENA_KEEP) {
			*link = chunk->next;
			free(chunk);
			continue;
		}
		kept += chunk->size;
		link = &chunk->next;
	}
	c->chunk = c->chunks;
	if (c->chunk)
		c->chunk->used = 0;
	c->elements = 0;
}

/* --- what hiredis's reader calls to build the tree --- */

/* Hangs a new node into its parent. NULL makes hiredis give up with "out of memory"; `refused`
 * has the real reason. */
static void *reply_add(const redisReadTask *task, enum reply_type type, struct reply **out)
{
	struct core *c = task->privdata;
	struct reply *parent = task->parent ? task->parent->obj : NULL;
	struct reply *r;

	/* 0.14 cuts an element count to an int after it was read: its own idea of the count and ours
	 * need not agree. */
	if (parent && (task->idx < 0 || (size_t)task->idx >= parent->element_count)) {
		c->refused = "protocol error: an array's length is out of range";
		return NULL;
	}
	r = arena_alloc(c, sizeof(*r));
	memset(r, 0, sizeof(*r));
	r->type = type;
	if (parent)
		parent->elements[task->idx] = r;
	*out = r;
	return r;
}

static void *reply_text(const redisReadTask *task, enum reply_type type, const char *str, size_t len)
{
	struct reply *r;
	char *copy;

	if (!reply_add(task, type, &r))
		return NULL;
	copy = arena_alloc(task->privdata, len + 1);
	if (len)
		memcpy(copy, str, len);
	copy[len] = '\0';
	r->str = copy;
	r->len = len;
	return r;
}

static void *on_string(const redisReadTask *task, char *str, size_t len)
{
	enum reply_type type = REPLY_STRING;

	if (task->type == REDIS_REPLY_STATUS)
		type = REPLY_STATUS;
	else if (task->type == REDIS_REPLY_ERROR)
		type = REPLY_ERROR;
#ifdef REDIS_REPLY_VERB
	/* "txt:" in front says how to show it. */
	if (task->type == REDIS_REPLY_VERB && len >= 4) {
		str += 4;
		len -= 4;
	}
#endif
	return reply_text(task, type, str, len);
}

static unsigned task_depth(const redisReadTask *task)
{
	unsigned depth = 1;

	while ((task = task->parent) != NULL)
		depth++;
	return depth;
}

static void *add_array(const redisReadTask *task, size_t count)
{
	struct core *c = task->privdata;
	struct reply *r;

	if (count > REPLY_MAX_ELEMENTS || c->elements + count > REPLY_MAX_ELEMENTS) {
		c->refused = "reply of more than 1048576 elements";
		return NULL;
	}
	if (task_depth(task) > REPLY_MAX_DEPTH) {
		c->refused = "reply nested deeper than 8 arrays";
		return NULL;
	}
	c->elements += count;
	if (!reply_add(task, REPLY_ARRAY, &r))
		return NULL;
	r->elements = arena_alloc(c, count * sizeof(struct reply *));
	r->element_count = count;
	return r;
}

#if HIREDIS_MAJOR >= 1
static void *on_array(const redisReadTask *task, size_t count)
{
	return add_array(task, count);
}

static void *on_double(const redisReadTask *task, double value, char *str, size_t len)
{
	(void)value;
	return reply_text(task, REPLY_STRING, str, len);
}
#else
static void *on_array(const redisReadTask *task, int count)
{
	/* Negative when a length beyond an int was cut: too many anyway. */
	return add_array(task, count < 0 ? SIZE_MAX : (size_t)count);
}
#endif

static void *on_integer(const redisReadTask *task, long long value)
{
	struct reply *r;

	if (!reply_add(task, REPLY_INTEGER, &r))
		return NULL;
	r->integer = value;
	return r;
}

#if HIREDIS_MAJOR >= 1
static void *on_bool(const redisReadTask *task, int value)
{
	return on_integer(task, value);
}
#endif

static void *on_nil(const redisReadTask *task)
{
	struct reply *r;

	return reply_add(task, REPLY_NIL, &r);
}

static void on_free(void *reply)
{
	(void)reply; /* goes with the arena */
}

/* --- cores --- */

static struct core *core_new(void)
{
	static redisReplyObjectFunctions functions = {
		.createString = on_string,
		.createArray = on_array,
		.createInteger = on_integer,
#if HIREDIS_MAJOR >= 1
		.createDouble = on_double,
		.createBool = on_bool,
#endif
		.createNil = on_nil,
		.freeObject = on_free,
	};
	struct core *c = mem_alloc(sizeof(*c));

	c->reader = redisReaderCreateWithFunctions(&functions);
	if (!c->reader)
		mem_alloc(SIZE_MAX); /* ends the program with the usual message */
	c->reader->privdata = c;
	c->reader->maxbuf = IDLE_BUF_BYTES;
	return c;
}

static void core_free(struct core *c)
{
	struct chunk *next;

	if (!c)
		return;
	redisReaderFree(c->reader);
	for (struct chunk *chunk = c->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(c);
}

static struct core *core_borrow(void)
{
	struct core *c = pool;

	if (!c)
		return core_new();
	pool = c->next;
	c->next = NULL;
	pool_count--;
	return c;
}

/* Only a core between two replies: its reader then remembers nothing of the link. */
static void core_give_back(struct core *c)
{
	arena_reset(c);
	if (pool_count >= CORES_KEPT) {
		core_free(c);
		return;
	}
	c->next = pool;
	pool = c;
	pool_count++;
}

/* --- the reader --- */

struct reply_reader *reader_new(void)
{
	return mem_alloc(sizeof(struct reply_reader));
}

void reader_free(struct reply_reader *r)
{
	if (!r)
		return;
	if (r->core && r->unread == 0 && !r->building && !r->error[0])
		core_give_back(r->core);
	else
		core_free(r->core);
	free(r);
}

static int reader_fail(struct reply_reader *r, const char *why)
{
	if (!r->error[0])
		snprintf(r->error, sizeof(r->error), "%s", why);
	core_free(r->core);
	r->core = NULL;
	r->building = false;
	return -1;
}

void reader_feed(struct reply_reader *r, const char *data, size_t len)
{
	if (r->error[0] || len == 0)
		return;
	/* What reader_next left is over the limit already, or reader_next is never called. */
	if (r->unread > REPLY_MAX_BYTES) {
		reader_fail(r, "reply larger than 64 MB");
		return;
	}
	if (!r->core)
		r->core = core_borrow();
	if (redisReaderFeed(r->core->reader, data, len) != REDIS_OK)
		reader_fail(r, "out of memory for a reply");
	else
		r->unread += len;
}

/* A server that is none: the first byte of a reply is one that hiredis does not know. What it says
 * instead is the best hint there is: a web server, SSH, TLS. */
static bool banner_check(struct reply_reader *r, const char *s, size_t len)
{
#if HIREDIS_MAJOR >= 1
	static const char types[] = "+-:$*%~,#_(=>|!";
#else
	static const char types[] = "+-:$*";
#endif
	char clean[120];
	size_t line = 0;

	if (len == 0 || (s[0] != '\0' && strchr(types, s[0])))
		return true;
	if (s[0] != '\0' && strchr("%~,#_(=>|!", s[0])) {
		snprintf(r->error, sizeof(r->error),
			 "protocol error: a RESP3 reply (\"%c\"), which needs hiredis 1.0", s[0]);
		return false;
	}
	/* A TLS alert: type 21, version 3.x. */
	if (len >= 2 && s[0] == 0x15 && s[1] == 0x03) {
		snprintf(r->error, sizeof(r->error), "protocol error: the server speaks TLS here");
		return false;
	}
	while (line < len && line < 80 && s[line] != '\r' && s[line] != '\n')
		line++;
	text_clean(clean, sizeof(clean), s, line);
	snprintf(r->error, sizeof(r->error), "protocol error: not a Redis server, it says \"%s\"",
		 clean);
	return false;
}

/* Called when hiredis wants more. It stands at the line of the unfinished element: a complete
 * line of digits there is a bulk string's length, whose bytes have not all come. */
static const char *unfinished_check(const redisReader *reader)
{
	const char *s = reader->buf + reader->pos;
	size_t len = reader->len - reader->pos, digits = 0;
	int64_t announced;

	while (digits < len && s[digits] >= '0' && s[digits] <= '9')
		digits++;
	/* ":17" without its newline is an integer on its way. */
	if (digits > 0 && len - digits >= 2 && s[digits] == '\r' && s[digits + 1] == '\n') {
		if (!number_parse(s, digits, 0, REPLY_MAX_BYTES, &announced))
			return "reply larger than 64 MB";
		return NULL;
	}
	return len > LINE_MAX_BYTES ? "protocol error: a line longer than 64 kB" : NULL;
}

/* "Protocol error, got "x" as reply type byte": quotes the peer's bytes. */
static int fail_in_hiredis_words(struct reply_reader *r)
{
	static const char prefix[] = "Protocol error, ";
	const char *s = r->core->reader->errstr;
	char words[160], clean[160];

	if (r->core->refused)
		return reader_fail(r, r->core->refused);
	if (strncmp(s, prefix, sizeof(prefix) - 1) == 0)
		s += sizeof(prefix) - 1;
	if (strstr(s, "nested multi bulk"))
		s = "arrays are nested too deep";
	text_clean(clean, sizeof(clean), s, strnlen(s, sizeof(r->core->reader->errstr)));
	text_format(words, sizeof(words), "protocol error: %.120s", clean);
	return reader_fail(r, words);
}

static int reader_advance(struct reply_reader *r, const struct reply **out)
{
	redisReader *reader = r->core->reader;
	void *reply = NULL;
	size_t left;

	if (redisReaderGetReply(reader, &reply) != REDIS_OK)
		return fail_in_hiredis_words(r);
	if (!reply) {
		const char *why = unfinished_check(reader);

		r->building = true;
		if (why || r->unread > REPLY_MAX_BYTES)
			return reader_fail(r, why ? why : "reply larger than 64 MB");
		return 0;
	}
	left = reader->len - reader->pos;
	if (r->unread - left > REPLY_MAX_BYTES)
		return reader_fail(r, "reply larger than 64 MB");
	r->unread = left;
	*out = reply;
	return 1;
}

int reader_next(struct reply_reader *r, const struct reply **out)
{
	const redisReader *reader;
	int got;

	if (r->error[0])
		return -1;
	if (!r->core)
		return 0;
	if (r->unread == 0) {
		/* Nothing pending, and the last tree is no longer valid: the core can serve others. */
		core_give_back(r->core);
		r->core = NULL;
		return 0;
	}
	reader = r->core->reader;
	if (!r->building) {
		arena_reset(r->core);
		if (!banner_check(r, reader->buf + reader->pos, reader->len - reader->pos))
			return reader_fail(r, "");
	}
	got = reader_advance(r, out);
	if (got == 1)
		r->building = false;
	return got;
}

const char *reader_error(const struct reply_reader *r)
{
	return r->error;
}

bool reader_is_empty(const struct reply_reader *r)
{
	return r->unread == 0 && !r->building;
}

bool reply_is(const struct reply *r, const char *text)
{
	return r && (r->type == REPLY_STATUS || r->type == REPLY_STRING) && r->len == strlen(text) &&
	       memcmp(r->str, text, r->len) == 0;
}

/* --- back to bytes --- */

static void encode_line(char type, const char *str, size_t len, struct buf *out)
{
	buf_addch(out, type);
	buf_add(out, str, len);
	buf_add(out, "\r\n", 2);
}

static void encode_number(char type, int64_t number, struct buf *out)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRId64, number);

	encode_line(type, text, (size_t)len, out);
}

/* As deep as the reader lets a reply be. */
static void encode(const struct reply *r, text_edit *edit, void *owner, struct buf *out)
{
	size_t at;

	switch (r->type) {
	case REPLY_NIL:
		buf_add(out, "$-1\r\n", 5);
		break;
	case REPLY_STRING:
		encode_number('$', (int64_t)r->len, out);
		at = out->len;
		buf_add(out, r->str, r->len);
		if (edit)
			edit(owner, out->data + at, r->len);
		buf_add(out, "\r\n", 2);
		break;
	case REPLY_STATUS:
	case REPLY_ERROR:
		at = out->len + 1;
		encode_line(r->type == REPLY_STATUS ? '+' : '-', r->str, r->len, out);
		if (edit)
			edit(owner, out->data + at, out->len - at - 2);
		break;
	case REPLY_INTEGER:
		encode_number(':', r->integer, out);
		break;
	case REPLY_ARRAY:
		encode_number('*', (int64_t)r->element_count, out);
		for (size_t i = 0; i < r->element_count; i++)
			encode(r->elements[i], edit, owner, out);
		break;
	}
}

void reply_encode(const struct reply *r, struct buf *out)
{
	encode(r, NULL, NULL, out);
}

void reply_encode_edited(const struct reply *r, text_edit *edit, void *owner, struct buf *out)
{
	encode(r, edit, owner, out);
}
