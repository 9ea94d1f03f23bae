/* The file of a recording, and what its parts are made of. docs/recording.md has it in words.
 *
 *   head    16 bytes "redoubt-record\r\n", 4 bytes format
 *   chunks  head of 48 bytes, then its payload; whole or not there
 *
 *   ABOUT    who recorded
 *   EVENTS   what of the event log is new or changed since the last such chunk
 *   STATE    a key frame: the model without its events
 *   ENTRIES  at most a second of what came, in order (recording_entry.h)
 *   END      the recording was closed
 *
 * First ABOUT, then EVENTS if anything happened before, then STATE, then ENTRIES. Each STATE begins
 * the entries' zstd stream anew; the other chunks are zstd frames of their own. A STATE may be the
 * difference to the one before; each tenth is whole. So a file is opened by its chunks' heads and its
 * EVENTS alone, and read from any STATE on. Numbers are little-endian.
 *
 * A recording is foreign bytes like any others: every length, number and check is verified. */
#ifndef NET_RECORDING_H
#define NET_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* One more whenever an older reader would take a newer file for a damaged one: a new question, chunk
 * or kind of entry. Questions, answers, errors and states of links are in the file as the numbers of
 * their enums, so new ones go to the end of these. */
#define RECORDING_FORMAT     1
#define RECORDING_HEAD_BYTES 20
#define CHUNK_HEAD_BYTES     48
#define STATES_TO_A_WHOLE    10
/* A second of entries may hold replies of REPLY_MAX_BYTES. */
#define CHUNK_MAX_BYTES      (256u * 1024 * 1024)
/* Times beyond that (126,000 years) come from no clock. */
#define RECORDING_TIME_MAX   4000000000000000LL

void recording_put_head(struct buf *out);

enum recording_verdict {
	RECORDING_GOOD,
	RECORDING_FOREIGN, /* something else */
	RECORDING_SHORT,   /* may be one, but ends before it says so */
	RECORDING_LATER,   /* of a later format */
};
/* data: the first bytes of the file, at most RECORDING_HEAD_BYTES. */
enum recording_verdict recording_judge_head(const char *data, size_t len, uint32_t *format);

enum chunk_type { CHUNK_ABOUT = 1, CHUNK_EVENTS, CHUNK_STATE, CHUNK_ENTRIES, CHUNK_END };

struct chunk_head {
	enum chunk_type type;
	bool new_stream;      /* ENTRIES: the first ones after a STATE */
	bool difference;      /* STATE: to the one before */
	uint32_t bytes;       /* of the payload in the file */
	uint32_t raw_bytes;   /* of what it holds */
	int64_t first_ms;     /* monotonic, of the first entry */
	uint32_t span_ms;     /* to the last one */
	int64_t wall_ms;      /* of the first entry */
	uint64_t check;       /* of the payload: recording_check */
};

void chunk_head_put(const struct chunk_head *h, struct buf *out);
/* False: damaged. data: CHUNK_HEAD_BYTES. */
bool chunk_head_get(struct chunk_head *h, const char *data);
/* The first 8 bytes of the SHA-256. */
uint64_t recording_check(const char *data, size_t len);

/* Of the ABOUT chunk. */
#define ABOUT_TEXT_BYTES 200
struct recording_about {
	char version[ABOUT_TEXT_BYTES], operator_name[ABOUT_TEXT_BYTES];
};
void recording_about_put(const struct recording_about *a, struct buf *out);
bool recording_about_get(struct recording_about *a, const char *data, size_t len);

/* --- compression --- */

struct recording_packer; /* one zstd stream, and frames beside it */

struct recording_packer *packer_new(void);
void packer_free(struct recording_packer *p);
/* Appends one frame; with before as the difference to that. False only without memory. */
bool packer_frame(struct recording_packer *p, const struct buf *before, const char *data, size_t len,
		  struct buf *out);
/* Appends what of the stream is new, so that all of data can be read back from it. */
bool packer_stream(struct recording_packer *p, bool restart, const char *data, size_t len,
		   struct buf *out);

struct recording_unpacker;

struct recording_unpacker *unpacker_new(void);
void unpacker_free(struct recording_unpacker *u);
/* out is emptied first. False: damaged, or not of exactly raw_len bytes. */
bool unpacker_frame(struct recording_unpacker *u, const struct buf *before, const char *data,
		    size_t len, size_t raw_len, struct buf *out);
bool unpacker_stream(struct recording_unpacker *u, bool restart, const char *data, size_t len,
		     size_t raw_len, struct buf *out);

/* --- numbers and strings --- */

void varint_put(struct buf *out, uint64_t value);
void varint_put_signed(struct buf *out, int64_t value); /* zigzag: small ones are short */
void string_put(struct buf *out, const char *s, size_t len);
/* From *at, which moves on; false at the end of the bytes. */
bool varint_get(const char **at, const char *end, uint64_t *value);
bool varint_get_signed(const char **at, const char *end, int64_t *value);
bool string_get(const char **at, const char *end, const char **s, size_t *len);
/* Cleaned, and cut at size. */
bool text_get(const char **at, const char *end, char *out, size_t size);

#endif
