/* Strings that are kept once, however many hold them: a log repeats the same few addresses and names
 * ten thousand times. Two that are equal are the same pointer. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool;

struct pool *pool_new(void);
void pool_free(struct pool *p);                    /* and every string in it. NULL is legal */
const char *pool_take(struct pool *p, const char *s); /* held until as many pool_drop */
void pool_drop(struct pool *p, const char *s);     /* one that was taken from p; NULL is legal */
size_t pool_count(const struct pool *p);           /* different strings */

#endif
