#include "config.h"

#include "base/clock.h"

#include <stdio.h>

static int64_t clock_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t clock_wall_ms(void)
{
	return clock_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_wall_at_ms(int64_t mono_ms)
{
	return clock_wall_ms() - (clock_mono_ms() - mono_ms);
}

struct timespec clock_mono_in(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* Floor division: a time before 1970 has positive milliseconds too. */
static void split_ms(int64_t wall_ms, time_t *seconds, unsigned *ms)
{
	int64_t rest = wall_ms % 1000;

	if (rest < 0)
		rest += 1000;
	*ms = (unsigned)rest;
	*seconds = (time_t)((wall_ms - rest) / 1000);
}

/* tail: "" for no milliseconds, else "." and what follows them. */
static char *clock_format(int64_t wall_ms, char *out, const char *fmt,
			  struct tm *(*convert)(const time_t *, struct tm *), const char *tail)
{
	struct tm tm;
	time_t seconds;
	unsigned ms;
	size_t len;

	split_ms(wall_ms, &seconds, &ms);
	out[0] = '\0';
	/* NULL for a year that does not fit: only a forged time stamp does that. */
	if (!convert(&seconds, &tm) || !(len = strftime(out, CLOCK_ISO_BYTES, fmt, &tm))) {
		snprintf(out, CLOCK_ISO_BYTES, "?");
		return out;
	}
	if (tail[0] == '.')
		snprintf(out + len, CLOCK_ISO_BYTES - len, ".%03u%s", ms, tail + 1);
	return out;
}

char *clock_format_iso(int64_t wall_ms, char out[CLOCK_ISO_BYTES])
{
	return clock_format(wall_ms, out, "%Y-%m-%dT%H:%M:%S", gmtime_r, ".Z");
}

char *clock_format_hms(int64_t wall_ms, char out[CLOCK_ISO_BYTES])
{
	return clock_format(wall_ms, out, "%H:%M:%S", localtime_r, "");
}

char *clock_format_day_hms(int64_t wall_ms, char out[CLOCK_ISO_BYTES])
{
	return clock_format(wall_ms, out, "%Y-%m-%d %H:%M:%S", localtime_r, "");
}

char *clock_format_hms_ms(int64_t wall_ms, char out[CLOCK_ISO_BYTES])
{
	return clock_format(wall_ms, out, "%H:%M:%S", localtime_r, ".");
}
