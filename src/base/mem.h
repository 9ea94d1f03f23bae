/* Allocation that never returns NULL: running out of memory ends the program with a message.
 * What is returned is owned by the caller and freed with free(). */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t bytes);               /* zeroed */
void *mem_realloc(void *ptr, size_t bytes);
/* Grows ptr to hold at least `need` elements of `size` bytes; *cap counts elements and at least
 * doubles, so appending is amortised constant. Overflow ends the program. */
void *mem_grow(void *ptr, size_t *cap, size_t need, size_t size);
char *mem_strdup(const char *s);             /* NULL gives NULL */
/* Overwrites before freeing, in a way the compiler keeps: for passwords. NULL is legal. */
void mem_wipe_free(void *ptr, size_t bytes);

#endif
