/* The head of a key frame: which structs, fields and values it names, and what those are here. */
#include "model/state_reader.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define FIELDS_MAX  1024
#define NAMES_BYTES 128

static bool get_name(struct state_reader *r, char out[NAMES_BYTES])
{
	const char *bytes;
	size_t len;
	if (!state_get_bytes(&r->in, &bytes, &len))
		return state_cut_short(r);
	text_clean(out, NAMES_BYTES, bytes, len);
	return true;
}

static const struct state_record *record_named(const char *name)
{
	for (size_t i = 0; i < state_record_count; i++)
		if (strcmp(state_records[i]->name, name) == 0)
			return state_records[i];
	return NULL;
}

static const struct state_enum *enum_named(const char *name)
{
	for (size_t i = 0; i < state_record_count; i++) {
		const struct state_record *record = state_records[i];
		for (size_t k = 0; k < record->field_count; k++)
			if (record->fields[k].values != NULL &&
			    strcmp(record->fields[k].values->name, name) == 0)
				return record->fields[k].values;
	}
	return NULL;
}

static bool get_enum_schema(struct state_reader *r, struct wire_enum *e)
{
	char name[NAMES_BYTES];
	if (!get_name(r, name) || !state_get_count(r, STATE_VALUES_MAX, &e->count))
		return false;
	e->local = enum_named(name);
	for (size_t i = 0; i < e->count; i++) {
		if (!get_name(r, name))
			return false;
		for (size_t k = 0; e->local != NULL && k < e->local->count; k++)
			if (strcmp(e->local->values[k], name) == 0)
				e->values[i] = (unsigned char)k;
	}
	return true;
}

static bool is_mapped(const struct wire_record *record, const struct state_field *local)
{
	for (size_t i = 0; i < record->field_count; i++)
		if (record->fields[i].local == local)
			return true;
	return false;
}

static const struct state_field *field_named(const struct state_record *record, const char *name)
{
	for (size_t i = 0; record != NULL && i < record->field_count; i++)
		if (record->fields[i].type != STATE_NOT_SAVED &&
		    strcmp(record->fields[i].name, name) == 0)
			return &record->fields[i];
	return NULL;
}

static bool get_field_schema(struct state_reader *r, struct wire_record *record)
{
	char name[NAMES_BYTES];
	uint64_t kind, target = 0;
	if (!get_name(r, name))
		return false;
	if (!state_get(&r->in, &kind))
		return state_cut_short(r);
	if (kind == 0 || kind > 'z' || strchr("itdesbrl", (int)kind) == NULL)
		return state_refuse(r, "its field %s is of a kind that is not known", name);
	if (strchr("erl", (int)kind) != NULL && !state_get(&r->in, &target))
		return state_cut_short(r);
	if (target >= (kind == 'e' ? r->enum_count : STATE_RECORDS_MAX))
		return state_refuse(r, "its field %s leads nowhere", name);
	const struct state_field *local = field_named(record->local, name);
	if (local != NULL && is_mapped(record, local))
		return state_refuse(r, "its field %s is there twice", name);
	/* Another meaning under the same name: as good as unknown. */
	if (local != NULL && state_kind(local) != (char)kind)
		local = NULL;
	record->fields[record->field_count++] =
	    (struct wire_field){ (char)kind, (size_t)target, local };
	return true;
}

static bool get_record_schema(struct state_reader *r, struct wire_record *record)
{
	char name[NAMES_BYTES];
	size_t count;
	if (!get_name(r, name) || !state_get_count(r, FIELDS_MAX, &count))
		return false;
	record->local = record_named(name);
	record->fields = mem_alloc((count + 1) * sizeof(*record->fields));
	while (count-- > 0)
		if (!get_field_schema(r, record))
			return false;
	return true;
}

/* Fields that lead to a struct or an enum must lead to the same one there and here. */
static bool match_targets(struct state_reader *r)
{
	for (size_t i = 0; i < r->record_count; i++) {
		for (size_t k = 0; k < r->records[i].field_count; k++) {
			struct wire_field *f = &r->records[i].fields[k];
			bool leads = f->kind == 'r' || f->kind == 'l';
			if (leads && f->target >= r->record_count)
				return state_refuse(r, "a field of it leads nowhere");
			if (f->local == NULL)
				continue;
			if ((leads && r->records[f->target].local != f->local->record) ||
			    (f->kind == 'e' && r->enums[f->target].local != f->local->values))
				f->local = NULL;
		}
	}
	return true;
}

bool state_read_head(struct state_reader *r)
{
	size_t magic_len = sizeof(STATE_MAGIC) - 1;
	if ((size_t)(r->in.end - r->in.at) < magic_len ||
	    memcmp(r->in.at, STATE_MAGIC, magic_len) != 0)
		return state_refuse(r, "it is no state of this program");
	r->in.at += magic_len;
	if (!state_get_signed(&r->in, &r->base_ms))
		return state_cut_short(r);
	size_t count;
	if (!state_get_count(r, STATE_ENUMS_MAX, &count))
		return false;
	while (r->enum_count < count)
		if (!get_enum_schema(r, &r->enums[r->enum_count++]))
			return false;
	if (!state_get_count(r, STATE_RECORDS_MAX, &count))
		return false;
	while (r->record_count < count)
		if (!get_record_schema(r, &r->records[r->record_count++]))
			return false;
	return match_targets(r);
}
