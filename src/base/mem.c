#include "config.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* abort() and not exit(): the handler of fatal signals gives the terminal back. Nothing here may
 * allocate, so the message goes out with write(). */
static _Noreturn void out_of_memory(void)
{
	static const char message[] = "redoubt: out of memory\n";

	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		abort();
	abort();
}

void *mem_alloc(size_t bytes)
{
	void *ptr = calloc(1, bytes ? bytes : 1);

	if (!ptr)
		out_of_memory();
	return ptr;
}

void *mem_realloc(void *ptr, size_t bytes)
{
	/* realloc(ptr, 0) may free and give NULL, which would look like a failure. */
	void *grown = realloc(ptr, bytes ? bytes : 1);

	if (!grown)
		out_of_memory();
	return grown;
}

void *mem_grow(void *ptr, size_t *cap, size_t need, size_t size)
{
	size_t cap_new, bytes;

	if (need <= *cap && ptr)
		return ptr;
	cap_new = *cap < 8 ? 8 : *cap;
	if (need > *cap && *cap >= 8 && __builtin_mul_overflow(cap_new, 2, &cap_new))
		out_of_memory();
	if (cap_new < need)
		cap_new = need;
	if (__builtin_mul_overflow(cap_new, size, &bytes))
		out_of_memory();
	ptr = mem_realloc(ptr, bytes);
	*cap = cap_new;
	return ptr;
}

char *mem_strdup(const char *s)
{
	size_t bytes;
	char *copy;

	if (!s)
		return NULL;
	bytes = strlen(s) + 1;
	copy = mem_realloc(NULL, bytes);
	memcpy(copy, s, bytes);
	return copy;
}

void mem_wipe_free(void *ptr, size_t bytes)
{
	if (!ptr)
		return;
#ifdef HAVE_EXPLICIT_BZERO
	explicit_bzero(ptr, bytes);
#else
	/* A plain memset before free() is a dead store, which compilers remove. */
	for (volatile unsigned char *p = ptr; bytes > 0; bytes--)
		*p++ = 0;
#endif
	free(ptr);
}
