/* Numbers for people: two or three digits, so that a cell changes only when its value does.
 * Each writes into out (UNITS_BYTES) and returns it; UNITS_UNKNOWN gives "?". */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdint.h>

#define UNITS_BYTES   24
#define UNITS_UNKNOWN INT64_MIN

char *units_bytes(int64_t bytes, char *out);                /* "0 B" "1.2 MB" "41 MB"; k is 1000 */
char *units_rate(double bytes_per_second, char *out);       /* "+80 kB/s" "-1.2 MB/s" "0 B/s" */
char *units_count(int64_t count, char *out);                /* "950" "1.2k" "12M" */
/* "0.4 s" below 10 s with one digit, "12 s", "3 m 20 s", "2 h 5 m", "4 d 3 h" */
char *units_duration(int64_t ms, char *out);
/* Whole seconds even below 10: "7 s"; for ages that tick in a row */
char *units_age(int64_t ms, char *out);

/* To two digits: a cell changes when there is something to see. */
int64_t units_calm(int64_t value);

#endif
