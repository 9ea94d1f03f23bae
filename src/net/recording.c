#include "config.h"
#include "net/recording.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/text.h"

#define MAGIC        "redoubt-record\r\n" /* a transfer as text changes it */
#define MAGIC_BYTES  16
#define FRAME_LEVEL  6
#define STREAM_LEVEL 6
#define WINDOW_LOG   21 /* 2 MB: what a reader of a stream must keep */
#define FRAME_WINDOW 27 /* 128 MB, of frames as large as that only */
#define LONG_BYTES   (1024 * 1024) /* from there on equal parts are looked for far off */

/* --- numbers and strings --------------------------------------------------------------------- */

void varint_put(struct buf *out, uint64_t value)
{
	char bytes[10];
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[len++] = (char)(value | 0x80);
	bytes[len++] = (char)value;
	buf_add(out, bytes, len);
}

void varint_put_signed(struct buf *out, int64_t value)
{
	varint_put(out, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

void string_put(struct buf *out, const char *s, size_t len)
{
	varint_put(out, len);
	buf_add(out, s, len);
}

bool varint_get(const char **at, const char *end, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
		unsigned char byte = (unsigned char)*(*at)++;

		/* The tenth byte has room for one bit. */
		if (shift == 63 && byte > 1)
			return false;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

bool varint_get_signed(const char **at, const char *end, int64_t *value)
{
	uint64_t zigzag;

	if (!varint_get(at, end, &zigzag))
		return false;
	*value = (int64_t)(zigzag >> 1 ^ (zigzag & 1 ? UINT64_MAX : 0));
	return true;
}

bool string_get(const char **at, const char *end, const char **s, size_t *len)
{
	uint64_t bytes;

	if (!varint_get(at, end, &bytes) || bytes > (uint64_t)(end - *at))
		return false;
	*s = *at;
	*len = (size_t)bytes;
	*at += bytes;
	return true;
}

bool text_get(const char **at, const char *end, char *out, size_t size)
{
	const char *s;
	size_t len;

	if (!string_get(at, end, &s, &len))
		return false;
	text_clean(out, size, s, len);
	return true;
}

static void fixed_put(struct buf *out, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		buf_addch(out, (char)(value >> 8 * i));
}

static uint64_t fixed_get(const char **at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)(unsigned char)(*at)[i] << 8 * i;
	*at += bytes;
	return value;
}

/* --- heads ----------------------------------------------------------------------------------- */

void recording_put_head(struct buf *out)
{
	buf_add(out, MAGIC, MAGIC_BYTES);
	fixed_put(out, RECORDING_FORMAT, 4);
}

enum recording_verdict recording_judge_head(const char *data, size_t len, uint32_t *format)
{
	const char *at = data + MAGIC_BYTES;

	*format = 0;
	if (memcmp(data, MAGIC, len < MAGIC_BYTES ? len : MAGIC_BYTES) != 0)
		return RECORDING_FOREIGN;
	if (len < RECORDING_HEAD_BYTES)
		return RECORDING_SHORT;
	*format = (uint32_t)fixed_get(&at, 4);
	if (*format == 0)
		return RECORDING_FOREIGN;
	return *format > RECORDING_FORMAT ? RECORDING_LATER : RECORDING_GOOD;
}

uint64_t recording_check(const char *data, size_t len)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	const char *at = (const char *)digest;

	if (EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) != 1)
		return 0;
	return fixed_get(&at, 8);
}

void chunk_head_put(const struct chunk_head *h, struct buf *out)
{
	size_t from = out->len;

	buf_addch(out, (char)h->type);
	buf_addch(out, (char)(h->new_stream | h->difference << 1));
	fixed_put(out, 0, 2);
	fixed_put(out, h->bytes, 4);
	fixed_put(out, h->raw_bytes, 4);
	fixed_put(out, h->span_ms, 4);
	fixed_put(out, (uint64_t)h->first_ms, 8);
	fixed_put(out, (uint64_t)h->wall_ms, 8);
	fixed_put(out, h->check, 8);
	fixed_put(out, recording_check(out->data + from, out->len - from), 8);
}

static bool time_is_sane(int64_t ms)
{
	return ms >= 0 && ms <= RECORDING_TIME_MAX;
}

bool chunk_head_get(struct chunk_head *h, const char *data)
{
	const char *at = data;
	uint64_t flags;

	h->type = (enum chunk_type)fixed_get(&at, 1);
	flags = fixed_get(&at, 3);
	h->new_stream = flags & 1;
	h->difference = flags & 2;
	h->bytes = (uint32_t)fixed_get(&at, 4);
	h->raw_bytes = (uint32_t)fixed_get(&at, 4);
	h->span_ms = (uint32_t)fixed_get(&at, 4);
	h->first_ms = (int64_t)fixed_get(&at, 8);
	h->wall_ms = (int64_t)fixed_get(&at, 8);
	h->check = fixed_get(&at, 8);
	return recording_check(data, CHUNK_HEAD_BYTES - 8) == fixed_get(&at, 8) &&
	       h->type >= CHUNK_ABOUT && h->type <= CHUNK_END && flags <= 3 &&
	       h->bytes <= CHUNK_MAX_BYTES && h->raw_bytes <= CHUNK_MAX_BYTES &&
	       time_is_sane(h->first_ms) && time_is_sane(h->wall_ms);
}

void recording_about_put(const struct recording_about *a, struct buf *out)
{
	string_put(out, a->version, strlen(a->version));
	string_put(out, a->operator_name, strlen(a->operator_name));
}

bool recording_about_get(struct recording_about *a, const char *data, size_t len)
{
	const char *at = data, *end = data + len;

	return text_get(&at, end, a->version, sizeof(a->version)) &&
	       text_get(&at, end, a->operator_name, sizeof(a->operator_name));
}

/* --- compression ----------------------------------------------------------------------------- */

struct recording_packer {
	ZSTD_CCtx *frame, *stream;
};

struct recording_packer *packer_new(void)
{
	struct recording_packer *p = mem_alloc(sizeof(*p));

	p->frame = ZSTD_createCCtx();
	p->stream = ZSTD_createCCtx();
	if (!p->frame || !p->stream)
		mem_alloc(SIZE_MAX); /* ends the program with the usual message */
	ZSTD_CCtx_setParameter(p->frame, ZSTD_c_compressionLevel, FRAME_LEVEL);
	ZSTD_CCtx_setParameter(p->stream, ZSTD_c_compressionLevel, STREAM_LEVEL);
	ZSTD_CCtx_setParameter(p->stream, ZSTD_c_windowLog, WINDOW_LOG);
	return p;
}

void packer_free(struct recording_packer *p)
{
	if (!p)
		return;
	ZSTD_freeCCtx(p->frame);
	ZSTD_freeCCtx(p->stream);
	free(p);
}

static bool pack(ZSTD_CCtx *ctx, ZSTD_EndDirective end, const char *data, size_t len,
		 struct buf *out)
{
	char piece[16384];
	ZSTD_inBuffer in = { data, len, 0 };
	size_t left;

	do {
		ZSTD_outBuffer to = { piece, sizeof(piece), 0 };

		left = ZSTD_compressStream2(ctx, &to, &in, end);
		if (ZSTD_isError(left))
			return false;
		buf_add(out, piece, to.pos);
	} while (left > 0);
	return true;
}

static int window_of(size_t bytes)
{
	int log = WINDOW_LOG;

	while (log < FRAME_WINDOW && (size_t)1 << log < bytes)
		log++;
	return log;
}

bool packer_frame(struct recording_packer *p, const struct buf *before, const char *data, size_t len,
		  struct buf *out)
{
	size_t all = len + (before ? before->len : 0);

	ZSTD_CCtx_reset(p->frame, ZSTD_reset_session_only);
	ZSTD_CCtx_setParameter(p->frame, ZSTD_c_windowLog, window_of(all));
	ZSTD_CCtx_setParameter(p->frame, ZSTD_c_enableLongDistanceMatching, all > LONG_BYTES);
	if (before)
		ZSTD_CCtx_refPrefix(p->frame, before->data, before->len);
	return pack(p->frame, ZSTD_e_end, data, len, out);
}

bool packer_stream(struct recording_packer *p, bool restart, const char *data, size_t len,
		   struct buf *out)
{
	if (restart)
		ZSTD_CCtx_reset(p->stream, ZSTD_reset_session_only);
	return pack(p->stream, ZSTD_e_flush, data, len, out);
}

struct recording_unpacker {
	ZSTD_DCtx *frame, *stream;
};

struct recording_unpacker *unpacker_new(void)
{
	struct recording_unpacker *u = mem_alloc(sizeof(*u));

	u->frame = ZSTD_createDCtx();
	u->stream = ZSTD_createDCtx();
	if (!u->frame || !u->stream)
		mem_alloc(SIZE_MAX);
	/* What a damaged or hostile file may make us allocate. */
	ZSTD_DCtx_setParameter(u->frame, ZSTD_d_windowLogMax, FRAME_WINDOW);
	ZSTD_DCtx_setParameter(u->stream, ZSTD_d_windowLogMax, WINDOW_LOG);
	return u;
}

void unpacker_free(struct recording_unpacker *u)
{
	if (!u)
		return;
	ZSTD_freeDCtx(u->frame);
	ZSTD_freeDCtx(u->stream);
	free(u);
}

/* Grows with what really comes: the announced length alone allocates nothing. */
static bool unpack(ZSTD_DCtx *ctx, const char *data, size_t len, size_t raw_len, struct buf *out)
{
	char piece[16384];
	ZSTD_inBuffer in = { data, len, 0 };
	bool full;

	buf_reset(out);
	do {
		ZSTD_outBuffer to = { piece, sizeof(piece), 0 };
		size_t left = ZSTD_decompressStream(ctx, &to, &in);

		if (ZSTD_isError(left) || to.pos > raw_len - out->len)
			return false;
		buf_add(out, piece, to.pos);
		full = to.pos == to.size;
	} while (in.pos < in.size || full);
	return out->len == raw_len;
}

bool unpacker_frame(struct recording_unpacker *u, const struct buf *before, const char *data,
		    size_t len, size_t raw_len, struct buf *out)
{
	ZSTD_DCtx_reset(u->frame, ZSTD_reset_session_only);
	if (before)
		ZSTD_DCtx_refPrefix(u->frame, before->data, before->len);
	return unpack(u->frame, data, len, raw_len, out);
}

bool unpacker_stream(struct recording_unpacker *u, bool restart, const char *data, size_t len,
		     size_t raw_len, struct buf *out)
{
	if (restart)
		ZSTD_DCtx_reset(u->stream, ZSTD_reset_session_only);
	return unpack(u->stream, data, len, raw_len, out);
}
