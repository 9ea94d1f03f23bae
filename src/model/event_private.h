/* Inside the log: what event.c and state_events.c share. */
#ifndef MODEL_EVENT_PRIVATE_H
#define MODEL_EVENT_PRIVATE_H

#include "base/pool.h"
#include "model/event.h"

struct event_log {
	struct event *ring;
	struct pool *strings; /* what the events say */
	size_t capacity, first, count;
	uint64_t last_seq;
	uint64_t generation;
};

/* Frees what an event of the log holds and leaves it zeroed. */
void event_clear(struct event_log *log, struct event *e);
/* Makes `at`, which is blank, the same as e, whose strings may be anybody's. */
void event_copy(struct event_log *log, struct event *at, const struct event *e);
/* Room for the next one, blank; the oldest goes when the ring is full. */
struct event *event_log_room(struct event_log *log);

#endif
