/* The flight recorder: each observation as it came, into a file that a crash cuts by a second at
 * most. See recording.h for the format.
 *
 * Data flow: app_sink -> recorder_add, before the model takes the observation; on_tick ->
 * recorder_tick, before model_tick. The bytes are gathered in memory; once a second they go to a
 * thread of its own that compresses and writes, so neither a slow nor a full disk stops the loop.
 * At least every 60 s a key frame of the model goes along.
 *
 * No secret is written: passwords in force are blotted out of every reply, and so is the value of
 * an auth-pass that an old Sentinel publishes in clear. */
#ifndef NET_RECORDER_H
#define NET_RECORDER_H

#include "base/buf.h"
#include "model/model.h"

#define RECORDER_KEY_FRAME_MS 60000

struct credentials;
struct recorder;

struct recorder_config {
	const char *path;
	int64_t max_bytes;          /* 0: no limit; else the newest are kept */
	const struct credentials *const *secrets; /* blotted out; borrowed for the recorder's life */
	size_t secret_count;
	const char *version, *operator_name; /* for the head of the file */
};

/* Makes the file (mode 0600; one that is there and is no recording is refused, a recording is
 * replaced). NULL with the reason in err. */
struct recorder *recorder_open(const struct recorder_config *c, struct buf *err);
/* Takes what it needs of the observation; never blocks. m: as it is before. */
void recorder_add(struct recorder *r, const struct model *m, const struct observation *obs);
void recorder_tick(struct recorder *r, const struct model *m, int64_t now_ms, int64_t wall_ms);
/* Settings that verdicts depend on changed. */
void recorder_interval(struct recorder *r, int64_t interval_ms, int64_t now_ms);
/* True with words in out when the recording has stopped: full disk, file gone, too slow. */
bool recorder_trouble(struct recorder *r, char *out, size_t size);
uint64_t recorder_bytes(struct recorder *r); /* of the file, as written so far */
bool recorder_is_behind(struct recorder *r); /* something is not written yet */
/* What came so far is on its way, with its events: before recorder_close, which knows no model. */
void recorder_flush(struct recorder *r, const struct model *m);
/* Writes what is left, waiting up to timeout_ms. NULL is legal. */
void recorder_close(struct recorder *r, int timeout_ms);

#endif
