/* A report on its way to its file: by a thread of its own, since a disk may take its time. */
#ifndef APP_REPORT_SAVE_H
#define APP_REPORT_SAVE_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define REPORT_PATH_BYTES 1024

struct report_save;

/* "redoubt-mymaster-20261121T123107Z.md" */
void report_name(const char *deployment, int64_t wall_ms, char *out, size_t size);

/* Takes text over and writes it to a new file, mode 0600, never over another one: a name that is taken
 * gets -2, -3 and so on before its ending. path: a file, a folder (then `name` in it), or NULL (`name`
 * in the current folder). done is called once, in the loop: error is an errno, 0 when all of it is in
 * the file. NULL when no thread could be started; text is then freed all the same. */
struct report_save *report_save_start(struct ev_loop *loop, struct buf *text, const char *path,
				      const char *name,
				      void (*done)(const char *path, int error, void *owner), void *owner);
/* Gives up waiting after a moment; done is not called any more. NULL is legal. */
void report_save_stop(struct report_save *s);

#endif
