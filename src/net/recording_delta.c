#include "config.h"
#include "net/recording_delta.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "net/recording.h"

#define DIGITS_MAX 18 /* of a number that is treated as one */
#define LOOK_AHEAD 32 /* lines, for where two texts go on alike */

enum step { STEP_WIDE, STEP_SHORT, STEP_REPLACE, STEP_SAME };

struct lines {
	const char *at, *end;
};

/* With its newline; the last one may lack it. */
static size_t line_len(const struct lines *l)
{
	const char *newline = memchr(l->at, '\n', (size_t)(l->end - l->at));

	return (size_t)((newline ? newline + 1 : l->end) - l->at);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Length of the digits at s. */
static size_t digits(const char *s, const char *end, int64_t *value)
{
	size_t len = 0;

	*value = 0;
	while (s + len < end && is_digit(s[len])) {
		if (len < DIGITS_MAX)
			*value = *value * 10 + (s[len] - '0');
		len++;
	}
	return len;
}

/* --- making ---------------------------------------------------------------------------------- */

struct maker {
	struct lines before, now;
	uint64_t same;       /* lines since the last step */
	struct buf steps, bytes;
	size_t left_out;     /* a replacement that is not written yet */
	const char *instead;
	size_t instead_len;
};

static void put_replacement(struct maker *m)
{
	if (m->left_out == 0 && m->instead_len == 0)
		return;
	varint_put(&m->steps, m->same << 2 | STEP_REPLACE);
	varint_put(&m->steps, m->left_out);
	varint_put(&m->steps, m->instead_len);
	if (m->instead_len)
		buf_add(&m->bytes, m->instead, m->instead_len);
	m->same = 0;
	m->left_out = m->instead_len = 0;
}

static void replace(struct maker *m, size_t lines_out, size_t lines_in)
{
	if (m->instead_len == 0)
		m->instead = m->now.at;
	m->left_out += lines_out;
	while (lines_out-- > 0)
		m->before.at += line_len(&m->before);
	while (lines_in-- > 0) {
		size_t len = line_len(&m->now);

		m->instead_len += len;
		m->now.at += len;
	}
}

/* True, with the differences written, when the lines differ in numbers only. */
static bool try_numbers(struct maker *m, size_t before_len, size_t now_len)
{
	const char *a = m->before.at, *a_end = a + before_len;
	const char *b = m->now.at, *b_end = b + now_len;
	bool alike = true, wide = true, brief = true;
	size_t undo = m->bytes.len;

	while (alike && a < a_end && b < b_end) {
		int64_t old, new;
		size_t old_len = digits(a, a_end, &old), new_len = digits(b, b_end, &new);

		if (old_len == 0 || new_len == 0) {
			alike = *a++ == *b++;
			continue;
		}
		wide = wide && (new_len == old_len || (new_len > old_len && *b != '0'));
		brief = brief && (*b != '0' || new_len == 1);
		alike = old_len <= DIGITS_MAX && new_len <= DIGITS_MAX && (wide || brief);
		varint_put_signed(&m->bytes, new - old);
		a += old_len;
		b += new_len;
	}
	if (!alike || a < a_end || b < b_end) {
		m->bytes.len = undo;
		return false;
	}
	varint_put(&m->steps, m->same << 2 | (wide ? STEP_WIDE : STEP_SHORT));
	m->same = 0;
	m->before.at = a_end;
	m->now.at = b_end;
	return true;
}

static bool lines_equal(const struct lines *a, size_t a_len, const struct lines *b, size_t b_len)
{
	return a_len == b_len && memcmp(a->at, b->at, a_len) == 0;
}

/* How many lines further on one text has the other's line; 0: not near. */
static size_t find_ahead(struct lines where, const struct lines *what)
{
	size_t what_len = line_len(what);

	for (size_t i = 0; i <= LOOK_AHEAD && where.at < where.end; i++) {
		size_t len = line_len(&where);

		if (lines_equal(&where, len, what, what_len))
			return i;
		where.at += len;
	}
	return 0;
}

static void make_line(struct maker *m)
{
	size_t before_len = line_len(&m->before), now_len = line_len(&m->now), out, in;

	if (lines_equal(&m->before, before_len, &m->now, now_len)) {
		put_replacement(m);
		m->same++;
		m->before.at += before_len;
		m->now.at += now_len;
		return;
	}
	if (m->left_out == 0 && m->instead_len == 0 && try_numbers(m, before_len, now_len))
		return;
	out = find_ahead(m->before, &m->now);
	in = find_ahead(m->now, &m->before);
	if (out > 0 && (in == 0 || out <= in))
		replace(m, out, 0);
	else if (in > 0)
		replace(m, 0, in);
	else
		replace(m, 1, 1);
	/* Ahead is what is equal; after a line that was replaced, numbers may go on. */
	put_replacement(m);
}

void line_delta_make(const char *before, size_t before_len, const char *now, size_t now_len,
		     struct buf *out)
{
	struct maker m = { .before = { before, before + before_len },
			   .now = { now, now + now_len },
			   .steps = BUF_INIT,
			   .bytes = BUF_INIT };

	while (m.before.at < m.before.end && m.now.at < m.now.end)
		make_line(&m);
	if (m.now.at < m.now.end) {
		m.instead = m.now.at;
		m.instead_len = (size_t)(m.now.end - m.now.at);
		put_replacement(&m);
	}
	if (m.same > 0)
		varint_put(&m.steps, m.same << 2 | STEP_SAME);
	varint_put(out, m.steps.len);
	buf_add(out, buf_str(&m.steps), m.steps.len);
	buf_add(out, buf_str(&m.bytes), m.bytes.len);
	buf_free(&m.steps);
	buf_free(&m.bytes);
}

/* --- applying -------------------------------------------------------------------------------- */

struct applier {
	struct lines before;
	const char *steps, *steps_end; /* what is left of both */
	const char *bytes, *bytes_end;
	size_t room;
	struct buf *out;
};

static bool give(struct applier *a, const char *data, size_t len)
{
	if (len > a->room)
		return false;
	a->room -= len;
	buf_add(a->out, data, len);
	return true;
}

/* `count` lines of before: given, or left out. */
static bool pass_lines(struct applier *a, uint64_t count, bool keep)
{
	const char *from = a->before.at;

	while (count-- > 0) {
		if (a->before.at == a->before.end)
			return false;
		a->before.at += line_len(&a->before);
	}
	return !keep || give(a, from, (size_t)(a->before.at - from));
}

static bool give_number(struct applier *a, int64_t old, size_t width, bool wide)
{
	char text[DIGITS_MAX + 8];
	int64_t difference, value;
	int len;

	if (!varint_get_signed(&a->bytes, a->bytes_end, &difference) ||
	    __builtin_add_overflow(old, difference, &value) || value < 0 ||
	    value > 999999999999999999)
		return false;
	len = snprintf(text, sizeof(text), "%0*" PRId64, wide ? (int)width : 1, value);
	return give(a, text, (size_t)len);
}

static bool give_numbers(struct applier *a, bool wide)
{
	const char *s = a->before.at, *end;

	if (s == a->before.end)
		return false;
	end = s + line_len(&a->before);
	a->before.at = end;
	while (s < end) {
		const char *from = s;
		int64_t old;
		size_t len;

		while (s < end && !is_digit(*s))
			s++;
		if (!give(a, from, (size_t)(s - from)))
			return false;
		len = digits(s, end, &old);
		if (len > DIGITS_MAX || (len > 0 && !give_number(a, old, len, wide)))
			return false;
		s += len;
	}
	return true;
}

static bool give_replacement(struct applier *a)
{
	uint64_t left_out, len;

	if (!varint_get(&a->steps, a->steps_end, &left_out) ||
	    !varint_get(&a->steps, a->steps_end, &len) || !pass_lines(a, left_out, false) ||
	    len > (uint64_t)(a->bytes_end - a->bytes) || !give(a, a->bytes, (size_t)len))
		return false;
	a->bytes += len;
	return true;
}

static bool apply_step(struct applier *a)
{
	uint64_t step;

	if (!varint_get(&a->steps, a->steps_end, &step) || !pass_lines(a, step >> 2, true))
		return false;
	switch ((enum step)(step & 3)) {
	case STEP_WIDE:
	case STEP_SHORT:
		return give_numbers(a, (step & 3) == STEP_WIDE);
	case STEP_REPLACE:
		return give_replacement(a);
	case STEP_SAME:
		break;
	}
	return true;
}

bool line_delta_apply(const char *before, size_t before_len, const char *delta, size_t delta_len,
		      size_t max, struct buf *out)
{
	const char *at = delta, *end = delta + delta_len;
	struct applier a = { .before = { before, before + before_len }, .room = max, .out = out };
	uint64_t steps_len;

	if (!varint_get(&at, end, &steps_len) || steps_len > (uint64_t)(end - at))
		return false;
	a.steps = at;
	a.steps_end = a.bytes = at + steps_len;
	a.bytes_end = end;
	while (a.steps < a.steps_end)
		if (!apply_step(&a))
			return false;
	return a.bytes == a.bytes_end;
}
