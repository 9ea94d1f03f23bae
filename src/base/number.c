#include "config.h"

#include "base/number.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool number_parse(const char *s, size_t len, int64_t min, int64_t max, int64_t *out)
{
	bool negative = len > 0 && s[0] == '-';
	size_t i = negative ? 1 : 0;
	int64_t value = 0;

	if (i == len)
		return false;
	for (; i < len; i++) {
		int64_t digit = s[i] - '0';

		if (!is_digit(s[i]))
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, negative ? -digit : digit, &value))
			return false;
	}
	if (value < min || value > max)
		return false;
	*out = value;
	return true;
}

/* Not strtod(): its decimal point follows the locale, and it takes inf, nan and hex. */
struct decimal {
	uint64_t mantissa; /* the first 19 digits */
	int exponent;      /* of ten */
	bool any;
};

static size_t decimal_digits(struct decimal *d, const char *s, size_t len, size_t i, bool fraction)
{
	for (; i < len && is_digit(s[i]); i++) {
		d->any = true;
		if (d->mantissa < UINT64_C(1000000000000000000)) {
			d->mantissa = d->mantissa * 10 + (uint64_t)(s[i] - '0');
			d->exponent -= fraction;
		} else if (!fraction && d->exponent < 10000) {
			d->exponent++;
		}
	}
	return i;
}

static double decimal_value(const struct decimal *d)
{
	/* Beyond these the result is zero or infinite whatever the mantissa is. */
	int exponent = d->exponent > 400 ? 400 : d->exponent < -400 ? -400 : d->exponent;
	long double value = (long double)d->mantissa;
	long double scale = 1;

	if (d->mantissa == 0)
		return 0;
	for (int i = exponent < 0 ? -exponent : exponent; i > 0; i--)
		scale *= 10;
	value = exponent < 0 ? value / scale : value * scale;
	/* A conversion that overflows is undefined: the bound is checked before it. */
	return value > 1e308L ? __builtin_inf() : (double)value;
}

static bool decimal_parse(struct decimal *d, const char *s, size_t len, size_t i)
{
	int64_t exponent;

	i = decimal_digits(d, s, len, i, false);
	if (i < len && s[i] == '.') {
		size_t start = i + 1;

		i = decimal_digits(d, s, len, start, true);
		if (i == start)
			return false;
	}
	if (!d->any)
		return false;
	if (i == len)
		return true;
	if (s[i] != 'e' && s[i] != 'E')
		return false;
	i++;
	if (i < len && s[i] == '+' && i + 1 < len && is_digit(s[i + 1]))
		i++;
	if (!number_parse(s + i, len - i, -9999, 9999, &exponent))
		return false;
	d->exponent += (int)exponent;
	return true;
}

bool number_parse_double(const char *s, size_t len, double min, double max, double *out)
{
	bool negative = len > 0 && s[0] == '-';
	struct decimal d = { 0, 0, false };
	double value;

	/* The exponent counts fraction digits down: this bounds it. */
	if (len > 1000 || !decimal_parse(&d, s, len, negative ? 1 : 0))
		return false;
	value = decimal_value(&d);
	/* Redis writes "-0.00" for a percentage: that is zero. */
	if (negative && value != 0)
		value = -value;
	if (!(value >= min && value <= max) || __builtin_isinf(value))
		return false;
	*out = value;
	return true;
}
