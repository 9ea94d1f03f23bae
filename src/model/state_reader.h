/* Inside the reader: what state_read.c and state_schema.c share. */
#ifndef MODEL_STATE_READER_H
#define MODEL_STATE_READER_H

#include "model/state_private.h"

#define STATE_VALUES_MAX 255

struct state_bytes {
	const unsigned char *at, *end;
};

/* As the bytes' own schema has it, with what it is here. */
struct wire_field {
	char kind;
	size_t target; /* of records, lists, enums: which */
	const struct state_field *local; /* NULL: not known here */
};

struct wire_record {
	struct wire_field *fields;
	size_t field_count;
	const struct state_record *local;
};

struct wire_enum {
	const struct state_enum *local;
	unsigned char values[STATE_VALUES_MAX]; /* by theirs, ours */
	size_t count;
};

struct state_reader {
	struct state_bytes in;
	struct model *m;
	struct buf *err;
	int64_t base_ms;
	size_t budget;
	unsigned depth;
	struct wire_record records[STATE_RECORDS_MAX];
	struct wire_enum enums[STATE_ENUMS_MAX];
	size_t record_count, enum_count;
};

/* state_schema.c: magic, base time and schema, mapped to the tables here. */
bool state_read_head(struct state_reader *r);
/* Gives the reason; false. */
bool state_cut_short(struct state_reader *r);
bool state_get_count(struct state_reader *r, size_t most, size_t *out);

#endif
