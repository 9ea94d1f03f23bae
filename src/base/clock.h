/* The two clocks. Ages and intervals come from the monotonic one, display and logs from the wall
 * clock. src/model never calls these: time is an argument there. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

int64_t clock_mono_us(void);
int64_t clock_mono_ms(void);
int64_t clock_wall_ms(void);
/* What the wall clock said, or will say, at a moment of the monotonic one, if nobody sets it. */
int64_t clock_wall_at_ms(int64_t mono_ms);
/* A moment from now on, as CLOCK_MONOTONIC counts: for the timed waits of threads. */
struct timespec clock_mono_in(int ms);

#define CLOCK_ISO_BYTES 32
/* "2026-11-21T10:27:03.120Z" (UTC). Returns out. */
char *clock_format_iso(int64_t wall_ms, char out[CLOCK_ISO_BYTES]);
/* "10:27:03" local time. */
char *clock_format_hms(int64_t wall_ms, char out[CLOCK_ISO_BYTES]);
/* "2026-11-21 10:27:03" local time. */
char *clock_format_day_hms(int64_t wall_ms, char out[CLOCK_ISO_BYTES]);
/* "10:27:03.120" local time. */
char *clock_format_hms_ms(int64_t wall_ms, char out[CLOCK_ISO_BYTES]);

#endif
