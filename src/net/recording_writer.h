/* The file of a recording from a thread of its own: compresses, writes, and with a limit keeps the
 * newest. Neither a slow nor a full disk stops whoever adds chunks: then the recording ends instead,
 * and the file can be played up to there. */
#ifndef NET_RECORDING_WRITER_H
#define NET_RECORDING_WRITER_H

#include "net/recording.h"

#define RECORDING_QUEUE_BYTES (32u * 1024 * 1024) /* more unwritten: the disk is too slow */
#define RECORDING_LEAST_BYTES (256 * 1024)        /* of a limit */

struct recording_writer;

/* Makes the file, mode 0600. What is there already is replaced if it is a recording that nobody is
 * writing, and refused if it is anything else. max_bytes 0: no limit. NULL with the reason in err. */
struct recording_writer *recording_writer_open(const char *path, int64_t max_bytes,
					       const struct recording_about *about, struct buf *err);
/* Takes the bytes in raw, which is empty afterwards. Of h type, new_stream and times are read. Never
 * blocks; does nothing once the recording has ended. */
void recording_writer_add(struct recording_writer *w, const struct chunk_head *h, struct buf *raw);
/* The limit asks for a key frame sooner than usual: true once for each time. */
bool recording_writer_wants_state(struct recording_writer *w);
/* True with words when the recording has ended early. */
bool recording_writer_trouble(struct recording_writer *w, char *out, size_t size);
uint64_t recording_writer_bytes(struct recording_writer *w);
bool recording_writer_is_behind(struct recording_writer *w);
/* Waits up to timeout_ms for what is left. NULL is legal. */
void recording_writer_close(struct recording_writer *w, int timeout_ms);

#endif
