/* Small files, read whole. Only ordinary ones: a pipe would wait for a writer that never comes, a
 * device for whatever it waits for. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/buf.h"

/* Fills out, which must be empty, and st unless it is NULL. False with errno set: EINVAL for what is
 * no ordinary file, EFBIG beyond max_bytes. One allocation of the file's size and a little: growing
 * would leave copies of passwords behind. What was read stays in out for the caller to wipe. */
bool file_read(const char *path, size_t max_bytes, struct buf *out, struct stat *st);

/* errno of file_read in words. */
const char *file_reason(int error);

#endif
