/* The log's changes as bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/state.h"
#include "model/state_private.h"

/* --- which ones -------------------------------------------------------------------------------- */

static size_t count_changed(const void *owner)
{
	const struct event_changes *c = owner;
	size_t count = 0;
	for (size_t i = 0; i < event_log_count(c->log); i++)
		count += event_log_at(c->log, i)->generation > c->since;
	return count;
}

static const void *next_changed(const void *owner, size_t *cursor)
{
	const struct event_changes *c = owner;
	while (event_log_at(c->log, *cursor)->generation <= c->since)
		(*cursor)++;
	return event_log_at(c->log, (*cursor)++);
}

static bool reserve_changed(struct state_reader *r, void *owner, size_t count)
{
	struct event_changes *c = owner;
	if (!state_charge(r, count * sizeof(*c->events)))
		return false;
	c->events = mem_alloc(count * sizeof(*c->events));
	return true;
}

static void *place_changed(void *owner, size_t *cursor)
{
	struct event_changes *c = owner;
	(void)cursor;
	return &c->events[c->count++];
}

const struct state_hook state_hook_event_changes = { .count = count_changed, .item = next_changed,
						     .reserve = reserve_changed,
						     .place = place_changed };

void event_log_save(const struct event_log *log, uint64_t since, struct buf *out)
{
	event_log_save_edited(log, since, NULL, NULL, out);
}

void event_log_save_edited(const struct event_log *log, uint64_t since, text_edit *edit, void *owner,
			   struct buf *out)
{
	const struct event *last = event_log_at(log, log->count - 1);
	struct event_changes c = { .generation = log->generation, .last_seq = log->last_seq,
				   .since = since, .log = log };
	state_write(&state_event_changes, &c, last != NULL ? last->mono_ms : 0, edit, owner,
		    out);
}

/* --- and back ---------------------------------------------------------------------------------- */

/* Loaded ones own their strings; those of the log are in its pool. */
static void free_loaded(struct event *e)
{
	for (unsigned i = 0; i < e->source_count; i++)
		free((char *)e->sources[i].addr);
	free(e->sources);
	free((char *)e->name);
	free((char *)e->deployment);
	free((char *)e->subject);
	free((char *)e->addr);
	free((char *)e->detail);
	free((char *)e->about);
}

static void not_null(const char **string)
{
	if (*string == NULL)
		*string = mem_strdup("");
}

/* What holds for each event that the log made itself. */
static bool complete(struct event *e)
{
	not_null(&e->name);
	not_null(&e->deployment);
	not_null(&e->subject);
	not_null(&e->addr);
	not_null(&e->detail);
	not_null(&e->about);
	for (unsigned i = 0; i < e->source_count; i++)
		not_null(&e->sources[i].addr);
	e->kind = event_kind_find(e->name);
	return e->source_count > 0 && e->source_total >= e->source_count && e->last_ms >= e->mono_ms;
}

static bool is_sound(struct event_changes *c)
{
	uint64_t before = 0;
	for (size_t i = 0; i < c->count; i++) {
		struct event *e = &c->events[i];
		if (!complete(e) || e->seq <= before || e->seq > c->last_seq ||
		    e->generation > c->generation)
			return false;
		before = e->seq;
	}
	return true;
}

static void clear_all(struct event_log *log)
{
	for (size_t i = 0; i < log->capacity; i++)
		event_clear(log, &log->ring[i]);
	log->first = log->count = 0;
}

static void put(struct event_log *log, const struct event *e)
{
	uint64_t oldest = log->last_seq - log->count + 1;
	struct event *at;
	if (log->count > 0 && e->seq <= log->last_seq) {
		if (e->seq < oldest)
			return;
		at = &log->ring[(log->first + (e->seq - oldest)) % log->capacity];
		event_clear(log, at);
	} else {
		/* The log has no gaps: what is before one had left the ring by then. */
		if (log->count > 0 && e->seq != log->last_seq + 1)
			clear_all(log);
		at = event_log_room(log);
		log->last_seq = e->seq;
	}
	event_copy(log, at, e);
}

static void take(struct event_log *log, struct event_changes *c)
{
	for (size_t i = 0; i < c->count; i++)
		put(log, &c->events[i]);
	if (log->last_seq < c->last_seq)
		clear_all(log);
	if (log->last_seq < c->last_seq)
		log->last_seq = c->last_seq;
	if (log->generation < c->generation)
		log->generation = c->generation;
}

bool event_log_restore(struct event_log *log, const char *data, size_t len)
{
	struct event_changes c = { 0 };
	bool ok = state_read(&state_event_changes, &c, NULL, data, len, NULL) && is_sound(&c);
	if (ok)
		take(log, &c);
	for (size_t i = 0; i < c.count; i++)
		free_loaded(&c.events[i]);
	free(c.events);
	return ok;
}
