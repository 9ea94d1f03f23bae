/* Tables of "name: where its value goes", for the replies that are lists of named values. */
#ifndef REDIS_FIELD_H
#define REDIS_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_kind {
	FIELD_COUNT,   /* int64_t, not negative: another value leaves it unknown */
	FIELD_SIGNED,  /* int64_t, where -1 means something */
	FIELD_RATIO,   /* double, not negative */
	FIELD_TEXT,    /* char[size], cut */
	FIELD_ID,      /* char[size], whole or empty: half an id would be another id */
	FIELD_SPECIAL, /* the owner's: offset is a number of its choice */
};

struct field {
	const char *name;
	enum field_kind kind;
	uint16_t offset, size; /* of the member in the facts */
};

#define FIELD_TABLE_MAX 120
#define FIELD_BUCKETS   1024 /* sparse: most lines of INFO are not in the table */
struct field_table {
	const struct field *fields;
	size_t count; /* at most FIELD_TABLE_MAX */
	bool ready;   /* the index below is made at the first look-up */
	/* numbers from 1 */
	uint8_t bucket[FIELD_BUCKETS], next[FIELD_TABLE_MAX + 1], length[FIELD_TABLE_MAX + 1];
};

#define FIELD_TABLE(array) { .fields = (array), .count = sizeof(array) / sizeof((array)[0]) }
#define FIELD_MEMBER(type, name, kind, member)                                                     \
	{ name, kind, offsetof(struct type, member), sizeof(((struct type *)0)->member) }

/* NULL when the name is not in the table. */
const struct field *field_find(struct field_table *t, const char *name, size_t len);
/* Writes a value; one that does not fit the kind leaves the member alone. Not for SPECIAL. */
void field_store(const struct field *f, void *facts, const char *value, size_t len);
/* Makes all members of the table unknown. */
void field_reset(const struct field_table *t, void *facts);

#endif
