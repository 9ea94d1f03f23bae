#include "config.h"

#include "redis/field.h"

#include <float.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "model/facts.h"

/* Names differ in length, their ends and the middle: reading all of a name would cost more than
 * the rare memcmp too many. */
static unsigned field_hash(const char *name, size_t len)
{
	const unsigned char *s = (const unsigned char *)name;

	return ((unsigned)len * 67 + s[0] * 5u + s[len / 2] * 33u + s[len - 1] * 129u) %
	       FIELD_BUCKETS;
}

static void field_index(struct field_table *t)
{
	/* Entries are numbers from 1: zero ends a chain. */
	for (size_t i = 0; i < t->count; i++) {
		size_t len = strlen(t->fields[i].name);
		unsigned h = field_hash(t->fields[i].name, len);

		t->length[i + 1] = (uint8_t)len;
		t->next[i + 1] = t->bucket[h];
		t->bucket[h] = (uint8_t)(i + 1);
	}
	t->ready = true;
}

const struct field *field_find(struct field_table *t, const char *name, size_t len)
{
	if (len == 0)
		return NULL;
	if (!t->ready)
		field_index(t);
	for (uint8_t i = t->bucket[field_hash(name, len)]; i != 0; i = t->next[i])
		if (t->length[i] == len && memcmp(t->fields[i - 1].name, name, len) == 0)
			return &t->fields[i - 1];
	return NULL;
}

static void store_id(char *out, size_t size, const char *value, size_t len)
{
	/* The cleaned text may be longer than the bytes it came from. */
	if (text_clean(out, size, value, len) < len)
		out[0] = '\0';
}

void field_store(const struct field *f, void *facts, const char *value, size_t len)
{
	char *member = (char *)facts + f->offset;
	int64_t number;
	double ratio;

	switch (f->kind) {
	case FIELD_COUNT:
	case FIELD_SIGNED:
		if (number_parse(value, len, f->kind == FIELD_COUNT ? 0 : INT64_MIN + 1, INT64_MAX,
				 &number))
			memcpy(member, &number, sizeof(number));
		break;
	case FIELD_RATIO:
		if (number_parse_double(value, len, 0, DBL_MAX, &ratio))
			memcpy(member, &ratio, sizeof(ratio));
		break;
	case FIELD_TEXT:
		text_clean(member, f->size, value, len);
		break;
	case FIELD_ID:
		store_id(member, f->size, value, len);
		break;
	case FIELD_SPECIAL:
		break;
	}
}

void field_reset(const struct field_table *t, void *facts)
{
	static const int64_t unknown = FACT_UNKNOWN;
	static const double unknown_ratio = FACT_UNKNOWN_DOUBLE;

	for (size_t i = 0; i < t->count; i++) {
		const struct field *f = &t->fields[i];
		char *member = (char *)facts + f->offset;

		if (f->kind == FIELD_COUNT || f->kind == FIELD_SIGNED)
			memcpy(member, &unknown, sizeof(unknown));
		else if (f->kind == FIELD_RATIO)
			memcpy(member, &unknown_ratio, sizeof(unknown_ratio));
		else if (f->kind != FIELD_SPECIAL)
			member[0] = '\0';
	}
}
