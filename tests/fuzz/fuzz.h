/* What the fuzz targets share. A target takes bytes, feeds them to a parser and asserts what must
 * hold for any bytes; tests/fuzz/fuzzer.c gives it libFuzzer's inputs, run_corpus.c the files of
 * tests/fuzz/corpus/NAME/. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/endpoint.h"

/* X(name): one function fuzz_NAME each. */
#define FUZZ_TARGETS(X)                                                                            \
	X(reply) X(info) X(answer) X(message) X(hello) X(cluster_nodes) X(cluster_info)               \
	X(target) X(endpoint) X(number) X(text) X(theme) X(keys) X(config)                            \
	X(address_map) X(model) X(state) X(recording)

typedef void fuzz_function(const uint8_t *data, size_t size);

#define X(name) fuzz_function fuzz_##name;
FUZZ_TARGETS(X)
#undef X

struct fuzz_target {
	const char *name;
	fuzz_function *run;
};
extern const struct fuzz_target fuzz_targets[];
extern const size_t fuzz_target_count;

/* Stays in builds with NDEBUG. */
#define FUZZ_ASSERT(cond)                                                                          \
	do {                                                                                       \
		if (!(cond))                                                                       \
			fuzz_fail(__FILE__, __LINE__, #cond, NULL);                                \
	} while (0)
_Noreturn void fuzz_fail(const char *file, int line, const char *what, const char *text);

/* The string ends within size bytes, is UTF-8, and a terminal would act on none of it. */
#define FUZZ_CLEAN(s)       fuzz_clean(__FILE__, __LINE__, (s), sizeof(s))
#define FUZZ_CLEAN_TEXT(s)  fuzz_clean(__FILE__, __LINE__, (s), SIZE_MAX)
void fuzz_clean(const char *file, int line, const char *s, size_t size);
bool fuzz_is_clean(const char *s, size_t len);
/* Set or wholly empty, and clean. */
void fuzz_check_endpoint(const struct endpoint *ep);

/* Takes the input apart from the front; zeros when it is used up. */
struct fuzz_input {
	const uint8_t *data;
	size_t left;
};
unsigned fuzz_byte(struct fuzz_input *in);
unsigned fuzz_below(struct fuzz_input *in, unsigned limit);
/* At most max bytes, their number from a byte of the input. */
const char *fuzz_bytes(struct fuzz_input *in, size_t max, size_t *len);
/* A copy of the bytes in memory of their exact size, so that one byte too many is seen; with a NUL
 * behind them where a string is asked for. Owned by the caller. */
char *fuzz_copy(const void *data, size_t size);
char *fuzz_string(const void *data, size_t size);

struct model;
/* Observations and ticks from the bytes, on any model that there is (fuzz_model.c). */
void fuzz_model_go_on(struct model *m, const uint8_t *data, size_t size);

#endif
