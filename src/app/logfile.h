/* Lines to a file or pipe from a thread of their own: a full disk, a dead NFS server or a reader
 * that does not read never stops the loop. What cannot be queued is dropped and counted. */
#ifndef APP_LOGFILE_H
#define APP_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define LOGFILE_QUEUE_BYTES (4u * 1024 * 1024)

struct logfile;

/* Appends to path, mode 0600. NULL with the reason in err. */
struct logfile *logfile_open(const char *path, struct buf *err);
/* Writes to a descriptor that stays the caller's. */
struct logfile *logfile_open_fd(int fd);
/* Takes a copy of the bytes; never blocks. */
void logfile_add(struct logfile *l, const char *data, size_t len);
/* True with words in out while the last write failed, or lines were lost. */
bool logfile_trouble(struct logfile *l, char *out, size_t size);

struct logfile_losses {
	int error;      /* errno of the first write that failed; 0: none did */
	size_t lines;   /* that never got there, cut ones included */
	bool unread;    /* the last lines were still on their way when the time was over */
};
/* True when something was lost so far. */
bool logfile_losses(struct logfile *l, struct logfile_losses *out);
/* Waits up to timeout_ms for the queue to drain, then closes; losses may be NULL. NULL is legal. */
void logfile_close(struct logfile *l, int timeout_ms, struct logfile_losses *losses);

#endif
