/* What a recording is made of: line deltas, numbers, heads. */
#include "config.h"

#include "recorded.h"

#include "net/recording.h"
#include "net/recording_delta.h"
#include "net/recording_entry.h"

/* --- line deltas ------------------------------------------------------------------------------- */

static size_t assert_delta(const char *before, size_t before_len, const char *now, size_t now_len)
{
	struct buf delta = BUF_INIT, back = BUF_INIT;
	size_t len;

	line_delta_make(before, before_len, now, now_len, &delta);
	assert_true(line_delta_apply(before, before_len, delta.data, delta.len, now_len, &back));
	assert_int_equal(back.len, now_len);
	assert_memory_equal(buf_str(&back), now, now_len);
	if (now_len > 0) {
		buf_reset(&back);
		assert_false(
		    line_delta_apply(before, before_len, delta.data, delta.len, now_len - 1, &back));
	}
	for (size_t cut = 0; cut < delta.len; cut++) {
		buf_reset(&back);
		if (line_delta_apply(before, before_len, delta.data, cut, 1 << 20, &back))
			assert_true(back.len < now_len || cut == delta.len);
	}
	len = delta.len;
	buf_free(&delta);
	buf_free(&back);
	return len;
}

static void deltas(void **state)
{
	static const char *const texts[] = {
		"", "\n", "a", "a\n", "a:1\r\nb:2\r\nc:3\r\n", "a:1\r\nb:999\r\nc:3\r\n",
		"a:1\r\nb:1000\r\nc:3\r\n", "a:1\r\nc:3\r\n", "a:1\r\nb:2\r\nx\r\ny\r\nc:3\r\n",
		"t:0.099999\r\n", "t:0.100000\r\n", "t:1.000001\r\n", "n:007\r\n", "n:8\r\n",
		"n:0\r\n", "n:00\r\n", "n:-5\r\n", "n:-17\r\n", "n:999999999999999999\r\n",
		"n:1000000000000000000\r\n", "n:99999999999999999999999\r\n", "a1b22c333", "a2b1c10",
		"no newline", "no newlinf", "12", "13", "1\n2\n3\n4\n5\n", "5\n4\n3\n2\n1\n",
	};
	const size_t count = sizeof(texts) / sizeof(texts[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < count; k++)
			assert_delta(texts[i], strlen(texts[i]), texts[k], strlen(texts[k]));
	/* Other numbers in the same lines cost little more than the numbers. */
	assert_true(assert_delta("a:1\r\nb:25\r\nc:3\r\n", 15, "a:1\r\nb:26\r\nc:3\r\n", 15) <= 4);
}

/* Lines that are changed, doubled, moved and lost at random. */
static void deltas_of_noise(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct buf a = BUF_INIT, b = BUF_INIT;

		for (int line = 0; line < 60; line++) {
			char text[80];
			int kind;

			seed = seed * 1103515245u + 12345u;
			kind = (int)(seed >> 16 & 15);
			snprintf(text, sizeof(text), "field%d:%u,x=%u.%03u\r\n", line, seed >> 10 & 1023,
				 seed >> 5 & 15, seed >> 7 & 511);
			if (kind != 1)
				buf_addstr(&a, text);
			if (kind == 2)
				snprintf(text, sizeof(text), "field%d:%u,x=%u.%03u\r\n", line, seed >> 3 & 4095,
					 seed >> 15 & 31, seed >> 17 & 511);
			if (kind == 3)
				snprintf(text, sizeof(text), "other %u\n", seed);
			if (kind != 4)
				buf_addstr(&b, text);
			if (kind == 5)
				buf_addstr(&b, text);
		}
		assert_delta(buf_str(&a), a.len, buf_str(&b), b.len);
		buf_free(&a);
		buf_free(&b);
	}
}

/* --- heads and numbers -------------------------------------------------------------------------- */

static void numbers(void **state)
{
	static const int64_t values[] = { 0, 1, -1, 63, 64, -64, -65, 300, INT64_MAX, INT64_MIN };
	struct buf out = BUF_INIT;
	const char *at, *end;
	int64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		varint_put_signed(&out, values[i]);
	at = out.data;
	end = at + out.len;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_true(varint_get_signed(&at, end, &value));
		assert_int_equal(value, values[i]);
	}
	assert_false(varint_get_signed(&at, end, &value));
	at = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
	assert_false(varint_get_signed(&at, at + 10, &value));
	buf_free(&out);
}

static void heads(void **state)
{
	const struct chunk_head h = { .type = CHUNK_ENTRIES, .new_stream = true, .bytes = 77,
				      .raw_bytes = 99, .first_ms = T0, .span_ms = 900,
				      .wall_ms = WALL, .check = 0x0123456789abcdefu };
	struct chunk_head back;
	struct buf out = BUF_INIT;
	uint32_t format;

	(void)state;
	chunk_head_put(&h, &out);
	assert_int_equal(out.len, CHUNK_HEAD_BYTES);
	assert_true(chunk_head_get(&back, out.data));
	assert_memory_equal(&back.check, &h.check, 8);
	assert_true(back.new_stream && !back.difference && back.bytes == 77 && back.raw_bytes == 99 &&
		    back.first_ms == T0 && back.span_ms == 900 && back.wall_ms == WALL);
	for (size_t bit = 0; bit < 8 * CHUNK_HEAD_BYTES; bit++) {
		out.data[bit / 8] = (char)(out.data[bit / 8] ^ 1 << bit % 8);
		assert_false(chunk_head_get(&back, out.data));
		out.data[bit / 8] = (char)(out.data[bit / 8] ^ 1 << bit % 8);
	}
	buf_reset(&out);
	recording_put_head(&out);
	for (size_t len = 0; len <= out.len; len++)
		assert_int_equal(recording_judge_head(out.data, len, &format),
				 len < out.len ? RECORDING_SHORT : RECORDING_GOOD);
	out.data[16]++;
	assert_int_equal(recording_judge_head(out.data, out.len, &format), RECORDING_LATER);
	assert_int_equal(format, RECORDING_FORMAT + 1);
	assert_int_equal(recording_judge_head("#!/bin/sh\necho hello; exit", 20, &format),
			 RECORDING_FOREIGN);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deltas),
		cmocka_unit_test(deltas_of_noise),
		cmocka_unit_test(numbers),
		cmocka_unit_test(heads),
	};

	return cmocka_run_group_tests(tests, recorded_make_folder, recorded_remove_folder);
}
