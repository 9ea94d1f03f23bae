/* A growing byte string. Invariants: data is never NULL after the first call and always
 * NUL-terminated at data[len]; a struct buf set to BUF_INIT owns nothing. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len; /* bytes, without the NUL */
	size_t cap;
};

#define BUF_INIT { NULL, 0, 0 }

void buf_reset(struct buf *b);               /* empties, keeps the memory */
void buf_free(struct buf *b);                /* releases, back to BUF_INIT */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_addch(struct buf *b, char c);
void buf_addstr(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void buf_consume(struct buf *b, size_t len); /* drops the first len bytes */
const char *buf_str(const struct buf *b);    /* "" when nothing was added */

#endif
