/* Key frames from bytes. The bytes are foreign: what they claim is held against their length, against
 * the tables' ranges, and against a budget of memory. */
#include "model/state_reader.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define DEPTH_MAX  16
#define STRING_MAX 65536 /* of an event; longer ones are cut */

/* What a true frame takes in memory is at most some 40 times its length; hostile ones get no more
 * than this. */
#define MEMORY_A_BYTE 256
#define MEMORY_FLOOR  ((size_t)4 << 20)
#define MEMORY_MAX    ((size_t)768 << 20)

bool state_refuse(struct state_reader *r, const char *fmt, ...)
{
	va_list ap;
	if (r->err == NULL || r->err->len > 0)
		return false;
	va_start(ap, fmt);
	buf_vaddf(r->err, fmt, ap);
	va_end(ap);
	return false;
}

bool state_cut_short(struct state_reader *r)
{
	return state_refuse(r, "it ends in the middle, or a number in it is damaged");
}

bool state_charge(struct state_reader *r, size_t bytes)
{
	if (bytes > r->budget)
		return state_refuse(r, "it asks for more memory than its length can be worth");
	r->budget -= bytes;
	return true;
}

struct model *state_reader_model(struct state_reader *r)
{
	return r->m;
}

/* --- numbers and strings ----------------------------------------------------------------------- */

static int64_t unzigzag(uint64_t coded)
{
	return (int64_t)((coded >> 1) ^ (0 - (coded & 1)));
}

bool state_get(struct state_bytes *in, uint64_t *number)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
		unsigned char byte = *in->at++;
		if (shift == 63 && byte > 1)
			return false;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*number = value;
			return true;
		}
	}
	return false;
}

bool state_get_signed(struct state_bytes *in, int64_t *number)
{
	uint64_t coded;
	if (!state_get(in, &coded))
		return false;
	*number = unzigzag(coded);
	return true;
}

bool state_get_time(struct state_reader *r, struct state_bytes *in, int64_t *at_ms)
{
	int64_t before;
	if (!state_get_signed(in, &before))
		return false;
	*at_ms = (int64_t)((uint64_t)r->base_ms - (uint64_t)before);
	return *at_ms >= -STATE_LIMIT && *at_ms <= STATE_LIMIT;
}

bool state_get_bytes(struct state_bytes *in, const char **bytes, size_t *len)
{
	uint64_t count;
	if (!state_get(in, &count) || count > (size_t)(in->end - in->at))
		return false;
	*bytes = (const char *)in->at;
	*len = (size_t)count;
	in->at += count;
	return true;
}

bool state_at_end(const struct state_bytes *in)
{
	return in->at == in->end;
}

bool state_get_count(struct state_reader *r, size_t most, size_t *out)
{
	uint64_t count;
	if (!state_get(&r->in, &count))
		return state_cut_short(r);
	/* Each of them takes a byte at least. */
	if (count > most || count > (size_t)(r->in.end - r->in.at))
		return state_refuse(r, "a count in it is too large");
	*out = (size_t)count;
	return true;
}

/* --- values ------------------------------------------------------------------------------------ */

static bool get_record(struct state_reader *r, const struct wire_record *record, void *object);

/* For what is not known here. */
static bool skip_value(struct state_reader *r, const struct wire_field *f)
{
	uint64_t number;
	const char *bytes;
	size_t len = 1;
	switch (f->kind) {
	case 'd':
		if ((size_t)(r->in.end - r->in.at) < sizeof(double))
			return state_cut_short(r);
		r->in.at += sizeof(double);
		return true;
	case 's':
	case 'b':
		return state_get_bytes(&r->in, &bytes, &len) || state_cut_short(r);
	case 'l':
		if (!state_get_count(r, SIZE_MAX, &len))
			return false;
		/* fall through */
	case 'r':
		while (len-- > 0)
			if (!get_record(r, &r->records[f->target], NULL))
				return false;
		return true;
	default:
		return state_get(&r->in, &number) || state_cut_short(r);
	}
}

static bool out_of_range(struct state_reader *r, const struct state_field *f)
{
	return state_refuse(r, "its %s is out of range", f->name);
}

static bool get_int(struct state_reader *r, const struct state_field *f, void *at)
{
	int64_t value;
	if (!state_get_signed(&r->in, &value))
		return state_cut_short(r);
	int64_t high = f->type == STATE_NODE_ID && r->m != NULL ? (int64_t)r->m->node_count : f->high;
	if (value < f->low || value > high)
		return out_of_range(r, f);
	state_store(at, f->size, (uint64_t)value);
	return true;
}

static bool get_time(struct state_reader *r, const struct state_field *f, void *at)
{
	int64_t value;
	if (!state_get_time(r, &r->in, &value))
		return out_of_range(r, f);
	state_store(at, f->size, (uint64_t)value);
	return true;
}

static bool get_enum(struct state_reader *r, const struct wire_field *f, void *at)
{
	const struct wire_enum *e = &r->enums[f->target];
	uint64_t value;
	if (!state_get(&r->in, &value))
		return state_cut_short(r);
	if (value >= e->count)
		return out_of_range(r, f->local);
	state_store(at, f->local->size, e->values[value]);
	return true;
}

static bool get_double(struct state_reader *r, const struct state_field *f, void *at)
{
	double value;
	if ((size_t)(r->in.end - r->in.at) < sizeof(value))
		return state_cut_short(r);
	memcpy(&value, r->in.at, sizeof(value));
	r->in.at += sizeof(value);
	if (!isfinite(value) || value < -1e18 || value > 1e19)
		return out_of_range(r, f);
	memcpy(at, &value, sizeof(value));
	return true;
}

static bool get_text(struct state_reader *r, const struct state_field *f, void *at)
{
	const char *bytes;
	size_t len;
	if (!state_get_bytes(&r->in, &bytes, &len))
		return state_cut_short(r);
	text_clean(at, f->size, bytes, len);
	return true;
}

static bool get_string(struct state_reader *r, void *at)
{
	const char *bytes;
	size_t len;
	if (!state_get_bytes(&r->in, &bytes, &len))
		return state_cut_short(r);
	/* An escape is four bytes for one. */
	size_t size = len < STRING_MAX / 4 ? 4 * len + 1 : STRING_MAX;
	if (!state_charge(r, size))
		return false;
	char *string = mem_alloc(size);
	size = text_clean(string, size, bytes, len);
	string = mem_realloc(string, size + 1);
	free(*(char **)at);
	memcpy(at, &string, sizeof(string));
	return true;
}

static bool get_node_ids(struct state_reader *r, const struct state_field *f, void *object)
{
	struct state_bytes in;
	const char *bytes;
	size_t len, count = 0;
	if (!state_get_bytes(&r->in, &bytes, &len))
		return state_cut_short(r);
	if (!state_charge(r, len * sizeof(uint32_t)))
		return false;
	in.at = (const unsigned char *)bytes;
	in.end = in.at + len;
	uint32_t *ids = mem_alloc(len * sizeof(*ids));
	state_list_set(f, object, ids, 0);
	for (int64_t id = 0, more; in.at < in.end; ids[count++] = (uint32_t)id) {
		if (!state_get_signed(&in, &more))
			return state_cut_short(r);
		id = (int64_t)((uint64_t)id + (uint64_t)more);
		if (id < 1 || r->m == NULL || id > (int64_t)r->m->node_count)
			return state_refuse(r, "its %s name a node that there never was", f->name);
	}
	state_list_set(f, object, ids, count);
	return true;
}

static bool get_list(struct state_reader *r, const struct wire_field *wf, void *object)
{
	const struct state_field *f = wf->local;
	size_t count, size = f->record->size;
	if (!state_get_count(r, f->high > 0 ? (size_t)f->high : SIZE_MAX / size, &count) ||
	    !state_charge(r, count * size))
		return false;
	char *array = mem_alloc(count * size);
	state_list_set(f, object, array, count);
	for (size_t i = 0; i < count; i++)
		state_set_fallbacks(f->record, array + i * size);
	for (size_t i = 0; i < count; i++)
		if (!get_record(r, &r->records[wf->target], array + i * size))
			return false;
	return true;
}

static bool get_array(struct state_reader *r, const struct wire_field *wf, void *object)
{
	const struct state_field *f = wf->local;
	size_t count, size = f->record->size;
	char *array = state_member(f, object);
	if (!state_get_count(r, SIZE_MAX, &count))
		return false;
	/* Where it was longer, the end is left out. */
	size_t fits = count < f->size / size ? count : f->size / size;
	for (size_t i = 0; i < fits; i++)
		state_set_fallbacks(f->record, array + i * size);
	state_store((char *)object + f->count_offset, f->count_size, fits);
	for (size_t i = 0; i < count; i++)
		if (!get_record(r, &r->records[wf->target], i < fits ? array + i * size : NULL))
			return false;
	return true;
}

static bool get_pointers(struct state_reader *r, const struct wire_field *wf, void *object)
{
	const struct state_field *f = wf->local;
	size_t count;
	if (!state_get_count(r, SIZE_MAX / f->record->size, &count) ||
	    !state_charge(r, count * (f->record->size + sizeof(void *))))
		return false;
	void **array = mem_alloc(count * sizeof(*array));
	for (size_t i = 0; i < count; i++) {
		array[i] = mem_alloc(f->record->size);
		state_set_fallbacks(f->record, array[i]);
	}
	state_list_set(f, object, array, count);
	for (size_t i = 0; i < count; i++)
		if (!get_record(r, &r->records[wf->target], array[i]))
			return false;
	return true;
}

static bool get_optional(struct state_reader *r, const struct wire_field *wf, void *at)
{
	const struct state_record *record = wf->local->record;
	size_t count;
	if (!state_get_count(r, 1, &count) || !state_charge(r, count * record->size))
		return false;
	if (count == 0)
		return true;
	void *object = mem_alloc(record->size);
	state_set_fallbacks(record, object);
	memcpy(at, &object, sizeof(object));
	return get_record(r, &r->records[wf->target], object);
}

static bool get_items(struct state_reader *r, const struct wire_field *wf, void *object)
{
	const struct state_hook *hook = wf->local->hook;
	size_t count, cursor = 0;
	if (!state_get_count(r, SIZE_MAX, &count) || !hook->reserve(r, object, count))
		return false;
	for (size_t i = 0; i < count; i++) {
		void *item = hook->place(object, &cursor);
		state_set_fallbacks(wf->local->record, item);
		if (!get_record(r, &r->records[wf->target], item))
			return false;
	}
	return true;
}

static bool get_bytes_field(struct state_reader *r, const struct state_field *f, void *object)
{
	struct state_bytes in;
	const char *bytes;
	size_t len;
	if (!state_get_bytes(&r->in, &bytes, &len))
		return state_cut_short(r);
	in.at = (const unsigned char *)bytes;
	in.end = in.at + len;
	return f->hook->load(r, f, &in, object) || out_of_range(r, f);
}

static bool get_value(struct state_reader *r, const struct wire_field *wf, void *object)
{
	const struct state_field *f = wf->local;
	void *at = state_member(f, object);
	switch (f->type) {
	case STATE_INT:
	case STATE_NODE_ID:
		return get_int(r, f, at);
	case STATE_TIME:
		return get_time(r, f, at);
	case STATE_ENUM:
		return get_enum(r, wf, at);
	case STATE_DOUBLE:
		return get_double(r, f, at);
	case STATE_TEXT:
		return get_text(r, f, at);
	case STATE_STRING:
		return get_string(r, at);
	case STATE_RECORD:
		return get_record(r, &r->records[wf->target], at);
	case STATE_OPTIONAL:
		return get_optional(r, wf, at);
	case STATE_LIST:
		return get_list(r, wf, object);
	case STATE_ARRAY:
		return get_array(r, wf, object);
	case STATE_POINTERS:
		return get_pointers(r, wf, object);
	case STATE_NODE_IDS:
		return get_node_ids(r, f, object);
	case STATE_ITEMS:
		return get_items(r, wf, object);
	case STATE_BYTES:
		return get_bytes_field(r, f, object);
	default:
		return skip_value(r, wf);
	}
}

/* object NULL: skips it. */
static bool get_fields(struct state_reader *r, const struct wire_record *record, void *object)
{
	uint64_t more;
	for (size_t index = 0;; index += (size_t)more) {
		if (!state_get(&r->in, &more))
			return state_cut_short(r);
		if (more == 0)
			return true;
		if (more > record->field_count - index)
			return state_refuse(r, "it has a field that its schema does not name");
		const struct wire_field *f = &record->fields[index + more - 1];
		bool known = object != NULL && f->local != NULL;
		if (!(known ? get_value(r, f, object) : skip_value(r, f)))
			return false;
	}
}

static bool get_record(struct state_reader *r, const struct wire_record *record, void *object)
{
	if (r->depth >= DEPTH_MAX)
		return state_refuse(r, "it is nested too deeply");
	r->depth++;
	bool ok = get_fields(r, record, object);
	r->depth--;
	if (!ok || object == NULL || record->local->check == NULL)
		return ok;
	const char *wrong = record->local->check(object);
	return wrong == NULL || state_refuse(r, "%s", wrong);
}

bool state_read(const struct state_record *root, void *object, struct model *m, const char *data,
		size_t len, struct buf *err)
{
	struct state_reader *r = mem_alloc(sizeof(*r));
	r->in.at = (const unsigned char *)data;
	r->in.end = r->in.at + len;
	r->m = m;
	r->err = err;
	r->budget = len > (MEMORY_MAX - MEMORY_FLOOR) / MEMORY_A_BYTE ?
			MEMORY_MAX :
			MEMORY_FLOOR + len * MEMORY_A_BYTE;
	state_set_fallbacks(root, object);
	bool ok = state_read_head(r);
	if (ok && (r->record_count == 0 || r->records[0].local != root))
		ok = state_refuse(r, "it is the state of something else");
	ok = ok && get_record(r, &r->records[0], object);
	if (ok && !state_at_end(&r->in))
		ok = state_refuse(r, "something follows its end");
	for (size_t i = 0; i < r->record_count; i++)
		free(r->records[i].fields);
	free(r);
	return ok;
}
