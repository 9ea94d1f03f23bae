/* The entries of a recording: what was learnt, in order, as bytes and back.
 *
 * An entry is a byte (kind and flags), its time and then by kind; times are differences to those of
 * the entry before. Who was asked what is written out once in a stream and is a number from then on.
 * A reply is written as RESP2 (reply_encode); if the same source gave one before, as the delta
 * to it. What came without a reply (states of links, targets, actions, time-outs) is written as
 * what it is. Writer and reader keep the same tables, both from the begin of a stream on. */
#ifndef NET_RECORDING_ENTRY_H
#define NET_RECORDING_ENTRY_H

#include "base/buf.h"
#include "model/observation.h"

enum entry_kind { ENTRY_TICK, ENTRY_OBSERVATION, ENTRY_INTERVAL };

struct entry_writer;

struct entry_writer *entry_writer_new(void);
void entry_writer_free(struct entry_writer *w);
/* A stream begins: nothing of before is known to its reader. */
void entry_writer_restart(struct entry_writer *w);
void entry_put_tick(struct entry_writer *w, int64_t now_ms, int64_t wall_ms, struct buf *out);
void entry_put_interval(struct entry_writer *w, int64_t now_ms, int64_t wall_ms,
			int64_t interval_ms, struct buf *out);
/* raw: the reply's bytes, or NULL. False: an answer whose reply nobody has kept, which no reader
 * could make sense of; nothing was written. */
bool entry_put_observation(struct entry_writer *w, const struct observation *obs,
			   const struct buf *raw, struct buf *out);

struct entry {
	enum entry_kind kind;
	int64_t now_ms, wall_ms;
	int64_t interval_ms;
	struct observation obs; /* of a reply all but what parse_reply fills in */
	const char *raw;        /* RESP of the reply, or NULL; till the next entry */
	size_t raw_len;
};

struct entry_reader;

struct entry_reader *entry_reader_new(void);
void entry_reader_free(struct entry_reader *r);
void entry_reader_restart(struct entry_reader *r);
/* The next entry from *at, which moves on. What it points to is valid until the next call. False:
 * damaged. */
bool entry_get(struct entry_reader *r, const char **at, const char *end, struct entry *out);

#endif
