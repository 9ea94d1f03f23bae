/* Inside the key frames: the tables that say which member of which struct is written how, and the
 * encoding that follows them. Nothing outside src/model and its tests includes this.
 *
 * The bytes:  magic, base time, schema, one record of the schema's first struct.
 *   schema    the enums (name, names of the values), then the structs (name; per field its name, a
 *             letter for its kind, and for records, lists and enums which one)
 *   record    for each field that differs from its fallback: how much further it is in its struct
 *             than the one before, and the value; a 0 ends it
 *   numbers   LEB128, signed ones in zigzag; times as the distance from the base time
 * A reader maps names to its own tables once, and skips by kind what it does not know.
 *
 * Who adds a member to the model adds a line to state_fields.c: test_state fails until then. */
#ifndef MODEL_STATE_PRIVATE_H
#define MODEL_STATE_PRIVATE_H

#include "base/buf.h"
#include "base/text.h"
#include "model/event_private.h"
#include "model/model_private.h"

/* Ids are never reused: the index by id grows with every node that ever was. */
#define STATE_NODE_IDS_MAX (1u << 20)
/* Beyond what a server can mean; sums and differences of such numbers stay within 64 bits. */
#define STATE_LIMIT        (INT64_C(1) << 55)

enum state_type {
	STATE_NOT_SAVED, /* the table says why */
	STATE_INT,       /* any integer, bool as well */
	STATE_NODE_ID,   /* 0 or the id of a node that is or was */
	STATE_TIME,      /* monotonic; 0: never */
	STATE_ENUM,
	STATE_DOUBLE,
	STATE_TEXT,      /* a string in an array */
	STATE_STRING,    /* a string of its own; owned */
	STATE_RECORD,    /* a struct within */
	STATE_OPTIONAL,  /* pointer to one struct, or NULL; owned */
	STATE_LIST,      /* array of structs; owned */
	STATE_ARRAY,     /* array of structs within, and how many count */
	STATE_POINTERS,  /* array of pointers to structs; all owned */
	STATE_NODE_IDS,  /* array of ids; owned */
	STATE_ITEMS,     /* structs that a hook keeps */
	STATE_BYTES,     /* whatever a hook makes of it */
};

struct state_writer;
struct state_reader;
struct state_bytes; /* of one STATE_BYTES field */
struct state_field;

struct state_hook {
	/* STATE_BYTES: false when there is nothing to write; clear makes what is taken then, NULL: zeroes
	 * do. `owner` is the struct around the field. */
	bool (*save)(struct state_writer *w, const struct state_field *f, const void *owner);
	bool (*load)(struct state_reader *r, const struct state_field *f, struct state_bytes *in,
		     void *owner);
	void (*clear)(const struct state_field *f, void *owner);
	/* STATE_ITEMS: how many there are, and the i-th; at loading makes room for so many first. */
	size_t (*count)(const void *owner);
	const void *(*item)(const void *owner, size_t *cursor);
	bool (*reserve)(struct state_reader *r, void *owner, size_t count);
	void *(*place)(void *owner, size_t *cursor);
};

struct state_enum {
	const char *name;
	const char *const *values; /* the first stands for what is not known here */
	size_t count;
};

struct state_record;
struct state_field {
	const char *name;      /* in the bytes */
	const char *members;   /* which it covers: a test holds them against the headers */
	enum state_type type;
	size_t offset, size;
	size_t count_offset, count_size, cap_offset; /* of lists; cap_offset SIZE_MAX: none */
	int64_t low, high;     /* integers: what is refused; low < 0: signed. Lists: how many */
	int64_t fallback;      /* integers: not written, and taken where the bytes lack the field */
	const struct state_record *record;
	const struct state_enum *values;
	const struct state_hook *hook;
	size_t index;          /* for hooks that serve several fields */
	const char *why;       /* not saved */
};

struct state_record {
	const char *name;
	size_t size;
	const struct state_field *fields;
	size_t field_count;
	/* What must hold between fields, after one was read; says what is wrong, or NULL. */
	const char *(*check)(void *object);
};

/* All of them, by name. */
extern const struct state_record *const state_records[];
extern const size_t state_record_count;
extern const struct state_record state_model, state_event_changes;

/* What event_log_save writes: the log, but only what changed. */
struct event_changes {
	uint64_t generation, last_seq;
	struct event *events;
	size_t count;
	uint64_t since; /* saving: the log's, and from when on */
	const struct event_log *log;
};

/* --- state_wire.c, state_read.c and state_schema.c --------------------------------------------- */

#define STATE_MAGIC       "redoubt state 1\n"
#define STATE_RECORDS_MAX 64
#define STATE_ENUMS_MAX   64

/* The letter in the schema: i integer, t time, e enum, d double, s string, b bytes, r record,
 * l list of records. */
char state_kind(const struct state_field *f);
void *state_member(const struct state_field *f, void *object);
void state_store(void *at, size_t size, uint64_t value);
void state_list_set(const struct state_field *f, void *object, void *array, size_t count);

/* Writes head and record, each text after edit was at it (NULL: as it is). */
void state_write(const struct state_record *root, const void *object, int64_t base_ms, text_edit *edit,
		 void *edit_owner, struct buf *out);
/* The head alone. */
void state_write_head(const struct state_record *root, int64_t base_ms, struct buf *out);
/* Reads into an object that may be in any state: it is set to the fallbacks first. `m` is the model
 * that it belongs to, or NULL. On false the object is valid, but half of it may be missing. */
bool state_read(const struct state_record *root, void *object, struct model *m, const char *data,
		size_t len, struct buf *err);
/* Zeroes, and what is not 0 when unknown. */
void state_set_fallbacks(const struct state_record *record, void *object);

/* For hooks. */
void state_put(struct state_writer *w, uint64_t number);
void state_put_signed(struct state_writer *w, int64_t number);
void state_put_time(struct state_writer *w, int64_t at_ms);
void state_put_raw(struct state_writer *w, const void *bytes, size_t len);
void state_put_bytes(struct state_writer *w, const void *bytes, size_t len);
void state_put_text(struct state_writer *w, const char *text, size_t len); /* as edit leaves it */
bool state_get(struct state_bytes *in, uint64_t *number);
bool state_get_signed(struct state_bytes *in, int64_t *number);
bool state_get_time(struct state_reader *r, struct state_bytes *in, int64_t *at_ms);
bool state_get_bytes(struct state_bytes *in, const char **bytes, size_t *len);
bool state_at_end(const struct state_bytes *in);
struct model *state_reader_model(struct state_reader *r);
/* Memory is bounded by the length of the bytes: false, with the reason, when it is used up. */
bool state_charge(struct state_reader *r, size_t bytes);
/* Gives the reason; false. */
bool state_refuse(struct state_reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- state_hooks.c ----------------------------------------------------------------------------- */

extern const struct state_hook state_hook_node_ids, state_hook_forwards, state_hook_nodes,
    state_hook_failovers, state_hook_event_capacity, state_hook_keys, state_hook_history,
    state_hook_slot_owners, state_hook_series_line;
extern const struct state_hook state_hook_event_changes; /* state_events.c */

/* --- state_check.c ----------------------------------------------------------------------------- */

/* What the rest of the model relies on: ids, members, groups; makes what is derived from them. */
bool state_settle(struct model *m, struct buf *err);

#endif
