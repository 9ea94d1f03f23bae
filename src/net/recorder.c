/* Here: what goes into the file and when. How it gets there is in recording_writer.c. */
#include "config.h"
#include "net/recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/state.h"
#include "net/credentials.h"
#include "net/recording_entry.h"
#include "net/recording_writer.h"
#include "redis/reply.h"
#include "redis/sentinel.h"

/* A chunk ends at the first tick (five a second) after that: with a second as the promise. */
#define CHUNK_MS       700
#define CHUNK_ENOUGH   (4u * 1024 * 1024) /* or when so many bytes are in it */
/* A jump plays what came since a key frame: in a large fleet that is much before a minute is over. */
#define STATE_ENTRIES  20000

struct recorder {
	struct recording_writer *writer;
	struct entry_writer *entries;
	const struct credentials *const *secrets;
	size_t secret_count;
	struct buf raw;             /* the reply at hand */
	struct buf chunk;           /* entries since the last chunk */
	bool new_stream;            /* the chunk is the first one after a key frame */
	int64_t first_ms, last_ms, wall_ms; /* of the entries in it; wall_ms: of the first */
	int64_t last_wall_ms;
	int64_t state_ms;           /* of the last key frame; 0: none yet */
	unsigned since_state;       /* entries */
	int64_t interval_ms;
	uint64_t events_generation; /* of the log, as far as it is written */
	char blotted[5][1024];      /* texts of the observation at hand */
};

static void blot(void *owner, char *data, size_t len)
{
	const struct recorder *r = owner;

	for (size_t i = 0; i < r->secret_count; i++)
		credentials_blot(r->secrets[i], data, len);
}

static bool can_be_kept_out(const struct recorder_config *c)
{
	for (size_t i = 0; i < c->secret_count; i++)
		if (credentials_too_short(c->secrets[i]))
			return false;
	return true;
}

struct recorder *recorder_open(const struct recorder_config *c, struct buf *err)
{
	struct recording_about about;
	struct recorder *r;

	if (!can_be_kept_out(c)) {
		buf_addstr(err, "a password of fewer than 3 bytes cannot be kept out of a recording");
		return NULL;
	}
	text_format(about.version, sizeof(about.version), "%s", c->version);
	text_format(about.operator_name, sizeof(about.operator_name), "%s", c->operator_name);
	r = mem_alloc(sizeof(*r));
	r->secrets = c->secrets;
	r->secret_count = c->secret_count;
	r->writer = recording_writer_open(c->path, c->max_bytes, &about, err);
	if (!r->writer) {
		free(r);
		return NULL;
	}
	r->entries = entry_writer_new();
	return r;
}

/* --- chunks ---------------------------------------------------------------------------------- */

static void give_entries(struct recorder *r)
{
	struct chunk_head h = { .type = CHUNK_ENTRIES,
				.new_stream = r->new_stream,
				.first_ms = r->first_ms,
				.span_ms = (uint32_t)(r->last_ms - r->first_ms),
				.wall_ms = r->wall_ms };

	if (r->chunk.len == 0)
		return;
	recording_writer_add(r->writer, &h, &r->chunk);
	r->new_stream = false;
}

static void give_events(struct recorder *r, const struct model *m, int64_t now_ms, int64_t wall_ms)
{
	const struct event_log *log = model_events(m);
	struct chunk_head h = { .type = CHUNK_EVENTS, .first_ms = now_ms, .wall_ms = wall_ms };
	struct buf bytes = BUF_INIT;

	if (event_log_generation(log) == r->events_generation)
		return;
	event_log_save_edited(log, r->events_generation, blot, r, &bytes);
	r->events_generation = event_log_generation(log);
	recording_writer_add(r->writer, &h, &bytes);
}

static void give_chunk(struct recorder *r, const struct model *m)
{
	give_entries(r);
	give_events(r, m, r->last_ms, r->last_wall_ms);
}

static void give_state(struct recorder *r, const struct model *m, int64_t now_ms, int64_t wall_ms)
{
	struct chunk_head h = { .type = CHUNK_STATE, .first_ms = now_ms, .wall_ms = wall_ms };
	struct buf bytes = BUF_INIT;

	give_entries(r);
	give_events(r, m, now_ms, wall_ms);
	model_save_edited(m, blot, r, &bytes);
	recording_writer_add(r->writer, &h, &bytes);
	entry_writer_restart(r->entries);
	r->new_stream = true;
	r->state_ms = now_ms;
	r->since_state = 0;
	/* A stream has the interval that holds when it begins. */
	if (r->interval_ms > 0)
		entry_put_interval(r->entries, now_ms, wall_ms, r->interval_ms, &r->chunk);
	r->first_ms = r->last_ms = now_ms;
	r->wall_ms = r->last_wall_ms = wall_ms;
}

/* Before an entry of that time is put into the chunk: m is as all entries so far have made it. */
static void before_entry(struct recorder *r, const struct model *m, int64_t now_ms, int64_t wall_ms)
{
	bool state_due = r->state_ms == 0 || now_ms - r->state_ms >= RECORDER_KEY_FRAME_MS ||
			 ++r->since_state > STATE_ENTRIES;

	if (state_due || recording_writer_wants_state(r->writer)) {
		give_state(r, m, now_ms, wall_ms);
		return;
	}
	if (r->chunk.len > 0 &&
	    (now_ms - r->first_ms >= CHUNK_MS || r->chunk.len >= CHUNK_ENOUGH))
		give_chunk(r, m);
	if (r->chunk.len == 0) {
		r->first_ms = r->last_ms = now_ms;
		r->wall_ms = wall_ms;
	}
	if (now_ms >= r->last_ms) {
		r->last_ms = now_ms;
		r->last_wall_ms = wall_ms;
	}
}

/* --- what comes ------------------------------------------------------------------------------ */

static bool has_ended(struct recorder *r)
{
	char words_of_it[200];

	return recording_writer_trouble(r->writer, words_of_it, sizeof(words_of_it));
}

/* A text of the observation, as number `slot` of them, without secrets. */
static const char *blotted(struct recorder *r, size_t slot, const char *text)
{
	char *out = r->blotted[slot];

	if (!text)
		return NULL;
	text_format(out, sizeof(r->blotted[slot]), "%s", text);
	blot(r, out, strlen(out));
	return out;
}

static struct action_facts blotted_action(struct recorder *r, const struct action_facts *a)
{
	struct action_facts out = *a;

	blot(r, out.subject, strlen(out.subject));
	out.command = blotted(r, 2, a->command);
	out.operator_name = blotted(r, 3, a->operator_name);
	out.outcome = blotted(r, 4, a->outcome);
	return out;
}

/* The reply's bytes into r->raw, without secrets. */
static void take_reply(struct recorder *r, enum question q, const struct reply *reply)
{
	buf_reset(&r->raw);
	if (q == ASK_MESSAGE && reply->type == REPLY_ARRAY && reply->element_count == 3 &&
	    reply_is(reply->elements[1], "+set") && reply->elements[2]->str) {
		char masked[SENTINEL_SET_BYTES];
		struct reply payload = *reply->elements[2], message = *reply;
		struct reply *list[3] = { reply->elements[0], reply->elements[1], &payload };

		payload.len = sentinel_set_mask(masked, payload.str, payload.len);
		payload.str = masked;
		message.elements = list;
		reply_encode_edited(&message, blot, r, &r->raw);
	} else {
		reply_encode_edited(reply, blot, r, &r->raw);
	}
}

void recorder_add(struct recorder *r, const struct model *m, const struct observation *obs)
{
	struct observation copy = *obs;
	struct action_facts action;
	const struct buf *raw = NULL;

	if (has_ended(r))
		return;
	before_entry(r, m, obs->recv_ms, obs->wall_ms);
	copy.text = blotted(r, 0, obs->text);
	copy.arg = blotted(r, 1, obs->arg);
	if (obs->question == ASK_ACTION) {
		action = blotted_action(r, obs->u.action);
		copy.u.action = &action;
	}
	if (obs->raw) {
		take_reply(r, obs->question, obs->raw);
		raw = &r->raw;
	}
	entry_put_observation(r->entries, &copy, raw, &r->chunk);
}

void recorder_tick(struct recorder *r, const struct model *m, int64_t now_ms, int64_t wall_ms)
{
	if (has_ended(r))
		return;
	before_entry(r, m, now_ms, wall_ms);
	entry_put_tick(r->entries, now_ms, wall_ms, &r->chunk);
}

void recorder_interval(struct recorder *r, int64_t interval_ms, int64_t now_ms)
{
	r->interval_ms = interval_ms;
	/* Before the first key frame: it comes along with that. */
	if (r->state_ms == 0 || has_ended(r))
		return;
	if (r->chunk.len == 0) {
		r->wall_ms += now_ms - r->first_ms;
		r->first_ms = r->last_ms = now_ms;
	}
	entry_put_interval(r->entries, now_ms, r->wall_ms + now_ms - r->first_ms, interval_ms,
			   &r->chunk);
	if (now_ms > r->last_ms) {
		r->last_wall_ms += now_ms - r->last_ms;
		r->last_ms = now_ms;
	}
}

/* --- the end --------------------------------------------------------------------------------- */

bool recorder_trouble(struct recorder *r, char *out, size_t size)
{
	return recording_writer_trouble(r->writer, out, size);
}

uint64_t recorder_bytes(struct recorder *r)
{
	return recording_writer_bytes(r->writer);
}

bool recorder_is_behind(struct recorder *r)
{
	return recording_writer_is_behind(r->writer);
}

void recorder_flush(struct recorder *r, const struct model *m)
{
	if (r->state_ms != 0 && !has_ended(r))
		give_chunk(r, m);
}

void recorder_close(struct recorder *r, int timeout_ms)
{
	struct chunk_head h = { .type = CHUNK_END };
	struct buf nothing = BUF_INIT;

	if (!r)
		return;
	give_entries(r);
	h.first_ms = r->last_ms;
	h.wall_ms = r->last_wall_ms;
	recording_writer_add(r->writer, &h, &nothing);
	recording_writer_close(r->writer, timeout_ms);
	entry_writer_free(r->entries);
	buf_free(&r->raw);
	buf_free(&r->chunk);
	free(r);
}
