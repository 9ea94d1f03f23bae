/* The one parser for numbers from outside. Whole input or nothing: no leading space, no trailing
 * bytes, no wrap-around; out of range is malformed. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool number_parse(const char *s, size_t len, int64_t min, int64_t max, int64_t *out);
/* Decimal with an optional fraction and exponent ("0.25", "1e3"); never inf or nan. */
bool number_parse_double(const char *s, size_t len, double min, double max, double *out);

#endif
