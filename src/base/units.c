#include "config.h"

#include "base/units.h"

#include <math.h>
#include <stdio.h>

/* value in the largest unit that leaves one digit or more before the point. Rounded before the
 * unit is chosen, or 999,960 would be "1000 kB". */
static char *units_scaled(double value, const char *sign, const char *gap, const char *const *units,
			  const char *tail, char *out)
{
	int unit = 0;

	while (value >= 999.5 && unit < 6) {
		value /= 1000;
		unit++;
	}
	if (unit > 0 && value < 9.95)
		snprintf(out, UNITS_BYTES, "%s%.1f%s%s%s", sign, value, gap, units[unit], tail);
	else
		snprintf(out, UNITS_BYTES, "%s%.0f%s%s%s", sign, value, gap, units[unit], tail);
	return out;
}

static const char *const byte_units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
static const char *const count_units[] = { "", "k", "M", "G", "T", "P", "E" };

static char *units_unknown(char *out)
{
	snprintf(out, UNITS_BYTES, "?");
	return out;
}

char *units_bytes(int64_t bytes, char *out)
{
	if (bytes == UNITS_UNKNOWN)
		return units_unknown(out);
	return units_scaled(fabs((double)bytes), bytes < 0 ? "-" : "", " ", byte_units, "", out);
}

char *units_rate(double bytes_per_second, char *out)
{
	const char *sign = bytes_per_second < 0 ? "-" : "+";

	if (!isfinite(bytes_per_second) || fabs(bytes_per_second) > 1e21)
		return units_unknown(out);
	if (fabs(bytes_per_second) < 0.5)
		sign = "";
	return units_scaled(fabs(bytes_per_second), sign, " ", byte_units, "/s", out);
}

char *units_count(int64_t count, char *out)
{
	if (count == UNITS_UNKNOWN)
		return units_unknown(out);
	return units_scaled(fabs((double)count), count < 0 ? "-" : "", "", count_units, "", out);
}

static char *units_long(int64_t seconds, char *out)
{
	long long s = seconds;

	if (s < 60)
		snprintf(out, UNITS_BYTES, "%lld s", s);
	else if (s < 3600)
		snprintf(out, UNITS_BYTES, "%lld m %lld s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, UNITS_BYTES, "%lld h %lld m", s / 3600, s / 60 % 60);
	else
		snprintf(out, UNITS_BYTES, "%lld d %lld h", s / 86400, s / 3600 % 24);
	return out;
}

char *units_duration(int64_t ms, char *out)
{
	if (ms == UNITS_UNKNOWN)
		return units_unknown(out);
	if (ms < 0)
		ms = 0;
	if (ms < 9950) {
		snprintf(out, UNITS_BYTES, "%.1f s", (double)((ms + 50) / 100) / 10);
		return out;
	}
	return units_long(ms / 1000 + (ms % 1000 >= 500), out);
}

char *units_age(int64_t ms, char *out)
{
	if (ms == UNITS_UNKNOWN)
		return units_unknown(out);
	return units_long(ms < 0 ? 0 : ms / 1000, out);
}

int64_t units_calm(int64_t value)
{
	int64_t step = 1;

	if (value < 0)
		return value;
	while (value / step >= 100)
		step *= 10;
	return (value + step / 2) / step * step;
}
