/* The encoding of key frames: members by table, and from tables to bytes. state_read.c is the way
 * back. */
#include "config.h"

#include "model/state_private.h"

#include <string.h>

#include "base/mem.h"

char state_kind(const struct state_field *f)
{
	static const char kinds[] = {
		[STATE_INT] = 'i', [STATE_NODE_ID] = 'i', [STATE_TIME] = 't', [STATE_ENUM] = 'e',
		[STATE_DOUBLE] = 'd', [STATE_TEXT] = 's', [STATE_STRING] = 's', [STATE_RECORD] = 'r',
		[STATE_OPTIONAL] = 'l', [STATE_LIST] = 'l', [STATE_ARRAY] = 'l',
		[STATE_POINTERS] = 'l', [STATE_NODE_IDS] = 'b', [STATE_ITEMS] = 'l', [STATE_BYTES] = 'b',
	};
	return kinds[f->type];
}

static uint64_t zigzag(int64_t value)
{
	return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

/* --- members by table -------------------------------------------------------------------------- */

static const void *member_of(const struct state_field *f, const void *object)
{
	return (const char *)object + f->offset;
}

void *state_member(const struct state_field *f, void *object)
{
	return (char *)object + f->offset;
}

static uint64_t load_unsigned(const void *at, size_t size)
{
	uint64_t wide = 0;
	uint32_t half;
	uint16_t quarter;
	switch (size) {
	case 1:
		return *(const unsigned char *)at;
	case 2:
		memcpy(&quarter, at, sizeof(quarter));
		return quarter;
	case 4:
		memcpy(&half, at, sizeof(half));
		return half;
	default:
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
}

void state_store(void *at, size_t size, uint64_t value)
{
	unsigned char byte = (unsigned char)value;
	uint16_t quarter = (uint16_t)value;
	uint32_t half = (uint32_t)value;
	switch (size) {
	case 1:
		memcpy(at, &byte, sizeof(byte));
		break;
	case 2:
		memcpy(at, &quarter, sizeof(quarter));
		break;
	case 4:
		memcpy(at, &half, sizeof(half));
		break;
	default:
		memcpy(at, &value, sizeof(value));
		break;
	}
}

static int64_t load_int(const struct state_field *f, const void *at)
{
	uint64_t raw = load_unsigned(at, f->size);
	if (f->low < 0 && f->size == 1)
		return (int8_t)(uint8_t)raw;
	return f->low < 0 && f->size == 4 ? (int32_t)(uint32_t)raw : (int64_t)raw;
}

static size_t list_count(const struct state_field *f, const void *object)
{
	return (size_t)load_unsigned((const char *)object + f->count_offset, f->count_size);
}

void state_list_set(const struct state_field *f, void *object, void *array, size_t count)
{
	memcpy(state_member(f, object), &array, sizeof(array));
	state_store((char *)object + f->count_offset, f->count_size, count);
	if (f->cap_offset != SIZE_MAX)
		state_store((char *)object + f->cap_offset, sizeof(size_t), count);
}

static void *pointer_at(const void *at)
{
	void *pointer;
	memcpy(&pointer, at, sizeof(pointer));
	return pointer;
}

void state_set_fallbacks(const struct state_record *record, void *object)
{
	for (size_t i = 0; i < record->field_count; i++) {
		const struct state_field *f = &record->fields[i];
		double unknown = FACT_UNKNOWN_DOUBLE;
		if (f->type == STATE_INT && f->fallback != 0)
			state_store(state_member(f, object), f->size, (uint64_t)f->fallback);
		else if (f->type == STATE_DOUBLE)
			memcpy(state_member(f, object), &unknown, sizeof(unknown));
		else if (f->type == STATE_RECORD)
			state_set_fallbacks(f->record, state_member(f, object));
		else if (f->type == STATE_BYTES && f->hook->clear != NULL)
			f->hook->clear(f, object);
	}
}

/* --- writing ----------------------------------------------------------------------------------- */

struct state_writer {
	struct buf *out;
	int64_t base_ms;
	const struct state_record *records[STATE_RECORDS_MAX];
	const struct state_enum *enums[STATE_ENUMS_MAX];
	size_t record_count, enum_count;
	text_edit *edit; /* NULL: texts as they are */
	void *edit_owner;
};

static unsigned char *room(struct buf *out, size_t bytes)
{
	if (out->data == NULL || out->cap - out->len <= bytes)
		out->data = mem_grow(out->data, &out->cap, out->len + bytes + 1, 1);
	return (unsigned char *)out->data + out->len;
}

void state_put(struct state_writer *w, uint64_t number)
{
	unsigned char *at = room(w->out, 10), *from = at;
	while (number >= 0x80) {
		*at++ = (unsigned char)(number | 0x80);
		number >>= 7;
	}
	*at++ = (unsigned char)number;
	w->out->len += (size_t)(at - from);
}

void state_put_signed(struct state_writer *w, int64_t number)
{
	state_put(w, zigzag(number));
}

void state_put_time(struct state_writer *w, int64_t at_ms)
{
	/* Times may be anything in hostile bytes: differences wrap, readers look at the range. */
	state_put_signed(w, (int64_t)((uint64_t)w->base_ms - (uint64_t)at_ms));
}

void state_put_raw(struct state_writer *w, const void *bytes, size_t len)
{
	memcpy(room(w->out, len), bytes, len);
	w->out->len += len;
}

void state_put_bytes(struct state_writer *w, const void *bytes, size_t len)
{
	state_put(w, len);
	state_put_raw(w, bytes, len);
}

static void put_record(struct state_writer *w, const struct state_record *record,
		       const void *object);

/* How much further in its struct than the field before. */
static void put_tag(struct state_writer *w, size_t *last, size_t index)
{
	state_put(w, index - *last);
	*last = index;
}

/* The length of what a hook writes is known afterwards: it goes in front, and that moves along. */
static void put_length_before(struct state_writer *w, size_t start)
{
	size_t len = w->out->len - start, digits = 1;
	for (size_t rest = len; rest >= 0x80; rest >>= 7)
		digits++;
	unsigned char *at = room(w->out, digits) - len;
	memmove(at + digits, at, len);
	w->out->len = start;
	state_put(w, len);
	w->out->len += len;
}

static void put_node_ids(struct state_writer *w, const struct state_field *f, const void *object)
{
	const uint32_t *ids = pointer_at(member_of(f, object));
	size_t start = w->out->len, count = list_count(f, object);
	int64_t before = 0;
	for (size_t i = 0; i < count; i++) {
		state_put_signed(w, ids[i] - before);
		before = ids[i];
	}
	put_length_before(w, start);
}

static void put_bytes_field(struct state_writer *w, const struct state_field *f,
			    const void *object, size_t *last, size_t index)
{
	size_t before = w->out->len, last_before = *last;
	put_tag(w, last, index);
	size_t start = w->out->len;
	if (f->hook->save(w, f, object)) {
		put_length_before(w, start);
	} else {
		w->out->len = before;
		*last = last_before;
	}
}

static void put_list(struct state_writer *w, const struct state_field *f, const void *object)
{
	const char *array = member_of(f, object);
	size_t count = list_count(f, object);
	if (f->type != STATE_ARRAY)
		array = pointer_at(array);
	state_put(w, count);
	for (size_t i = 0; i < count; i++)
		put_record(w, f->record, f->type == STATE_POINTERS ?
					     pointer_at(array + i * sizeof(void *)) :
					     array + i * f->record->size);
}

static void put_items(struct state_writer *w, const struct state_field *f, const void *object,
		      size_t count)
{
	size_t cursor = 0;
	state_put(w, count);
	for (size_t i = 0; i < count; i++)
		put_record(w, f->record, f->hook->item(object, &cursor));
}

static bool is_empty_record(const struct state_record *record, const void *object);

/* True when the field is what a reader takes that does not find it. */
static bool is_fallback(const struct state_field *f, const void *object)
{
	const void *at = member_of(f, object);
	double number;
	switch (f->type) {
	case STATE_INT:
		return load_int(f, at) == f->fallback;
	case STATE_NODE_ID:
	case STATE_TIME:
	case STATE_ENUM:
		return load_unsigned(at, f->size) == 0;
	case STATE_DOUBLE:
		memcpy(&number, at, sizeof(number));
		return number == FACT_UNKNOWN_DOUBLE;
	case STATE_TEXT:
		return *(const char *)at == '\0';
	case STATE_STRING:
	case STATE_OPTIONAL:
		return pointer_at(at) == NULL;
	case STATE_RECORD:
		return is_empty_record(f->record, at);
	case STATE_LIST:
	case STATE_ARRAY:
	case STATE_POINTERS:
	case STATE_NODE_IDS:
		return list_count(f, object) == 0;
	case STATE_ITEMS:
		return f->hook->count(object) == 0;
	default:
		return f->type == STATE_NOT_SAVED;
	}
}

static bool is_empty_record(const struct state_record *record, const void *object)
{
	for (size_t i = 0; i < record->field_count; i++)
		if (record->fields[i].type == STATE_BYTES || !is_fallback(&record->fields[i], object))
			return false;
	return true;
}

void state_put_text(struct state_writer *w, const char *text, size_t len)
{
	state_put_bytes(w, text, len);
	if (w->edit != NULL && len > 0)
		w->edit(w->edit_owner, w->out->data + w->out->len - len, len);
}

static void put_value(struct state_writer *w, const struct state_field *f, const void *object)
{
	const void *at = member_of(f, object);
	const char *string;
	switch (f->type) {
	case STATE_INT:
	case STATE_NODE_ID:
		state_put_signed(w, load_int(f, at));
		break;
	case STATE_TIME:
		state_put_time(w, load_int(f, at));
		break;
	case STATE_ENUM:
		state_put(w, load_unsigned(at, f->size));
		break;
	case STATE_DOUBLE:
		memcpy(room(w->out, sizeof(double)), at, sizeof(double));
		w->out->len += sizeof(double);
		break;
	case STATE_TEXT:
		state_put_text(w, at, strnlen(at, f->size));
		break;
	case STATE_STRING:
		string = pointer_at(at);
		state_put_text(w, string, strlen(string));
		break;
	case STATE_RECORD:
		put_record(w, f->record, at);
		break;
	case STATE_OPTIONAL:
		state_put(w, 1);
		put_record(w, f->record, pointer_at(at));
		break;
	case STATE_LIST:
	case STATE_ARRAY:
	case STATE_POINTERS:
		put_list(w, f, object);
		break;
	case STATE_NODE_IDS:
		put_node_ids(w, f, object);
		break;
	case STATE_ITEMS:
		put_items(w, f, object, f->hook->count(object));
		break;
	default:
		break;
	}
}

static void put_record(struct state_writer *w, const struct state_record *record,
		       const void *object)
{
	size_t index = 0, last = 0;
	for (size_t i = 0; i < record->field_count; i++) {
		const struct state_field *f = &record->fields[i];
		if (f->type == STATE_NOT_SAVED)
			continue;
		index++;
		if (f->type == STATE_BYTES) {
			put_bytes_field(w, f, object, &last, index);
		} else if (!is_fallback(f, object)) {
			put_tag(w, &last, index);
			put_value(w, f, object);
		}
	}
	state_put(w, 0);
}

/* --- the schema -------------------------------------------------------------------------------- */

static size_t record_number(struct state_writer *w, const struct state_record *record)
{
	size_t i = 0;
	while (i < w->record_count && w->records[i] != record)
		i++;
	if (i == w->record_count && i < STATE_RECORDS_MAX)
		w->records[w->record_count++] = record;
	return i;
}

static size_t enum_number(struct state_writer *w, const struct state_enum *values)
{
	size_t i = 0;
	while (i < w->enum_count && w->enums[i] != values)
		i++;
	if (i == w->enum_count && i < STATE_ENUMS_MAX)
		w->enums[w->enum_count++] = values;
	return i;
}

/* Numbers all records and enums that the root leads to. */
static void collect(struct state_writer *w, const struct state_record *root)
{
	record_number(w, root);
	for (size_t i = 0; i < w->record_count; i++) {
		for (size_t k = 0; k < w->records[i]->field_count; k++) {
			const struct state_field *f = &w->records[i]->fields[k];
			if (f->record != NULL)
				record_number(w, f->record);
			if (f->values != NULL)
				enum_number(w, f->values);
		}
	}
}

static void put_name(struct state_writer *w, const char *name)
{
	state_put_bytes(w, name, strlen(name));
}

static void put_record_schema(struct state_writer *w, const struct state_record *record)
{
	size_t saved = 0;
	for (size_t i = 0; i < record->field_count; i++)
		saved += record->fields[i].type != STATE_NOT_SAVED;
	put_name(w, record->name);
	state_put(w, saved);
	for (size_t i = 0; i < record->field_count; i++) {
		const struct state_field *f = &record->fields[i];
		if (f->type == STATE_NOT_SAVED)
			continue;
		put_name(w, f->name);
		state_put(w, (unsigned char)state_kind(f));
		if (f->record != NULL)
			state_put(w, record_number(w, f->record));
		if (f->values != NULL)
			state_put(w, enum_number(w, f->values));
	}
}

static void put_head(struct state_writer *w, const struct state_record *root)
{
	buf_addstr(w->out, STATE_MAGIC);
	state_put_signed(w, w->base_ms);
	collect(w, root);
	state_put(w, w->enum_count);
	for (size_t i = 0; i < w->enum_count; i++) {
		put_name(w, w->enums[i]->name);
		state_put(w, w->enums[i]->count);
		for (size_t k = 0; k < w->enums[i]->count; k++)
			put_name(w, w->enums[i]->values[k]);
	}
	state_put(w, w->record_count);
	for (size_t i = 0; i < w->record_count; i++)
		put_record_schema(w, w->records[i]);
}

void state_write_head(const struct state_record *root, int64_t base_ms, struct buf *out)
{
	struct state_writer w = { .out = out, .base_ms = base_ms };
	put_head(&w, root);
}

void state_write(const struct state_record *root, const void *object, int64_t base_ms, text_edit *edit,
		 void *edit_owner, struct buf *out)
{
	struct state_writer w = { .out = out, .base_ms = base_ms, .edit = edit, .edit_owner = edit_owner };
	put_head(&w, root);
	put_record(&w, root, object);
	out->data[out->len] = '\0';
}
