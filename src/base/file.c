#include "config.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* Up to max_bytes and one more, which says that there are too many. Returns errno. */
static int read_all(int fd, size_t max_bytes, struct buf *out)
{
	while (out->len <= max_bytes) {
		ssize_t n = read(fd, out->data + out->len, out->cap - 1 - out->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		if (n == 0 || out->len + 1 == out->cap)
			break;
	}
	return out->len > max_bytes ? EFBIG : 0;
}

bool file_read(const char *path, size_t max_bytes, struct buf *out, struct stat *st)
{
	/* Without waiting, or the open itself would: a FIFO has its own time. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat own;
	int error;

	if (!st)
		st = &own;
	if (fd < 0)
		return false;
	error = fstat(fd, st) != 0 ? errno : S_ISREG(st->st_mode) ? 0 : EINVAL;
	if (error == 0 && st->st_size > 0 && (size_t)st->st_size > max_bytes)
		error = EFBIG;
	if (error == 0) {
		/* Of /proc and the like the size is not known before. */
		out->cap = (st->st_size > 0 ? (size_t)st->st_size : max_bytes) + 2;
		out->data = mem_alloc(out->cap);
		out->data[0] = '\0';
		error = read_all(fd, max_bytes, out);
	}
	close(fd);
	errno = error;
	return error == 0;
}

const char *file_reason(int error)
{
	return error == EINVAL ? "not a file" : error == EFBIG ? "too large" : strerror(error);
}
