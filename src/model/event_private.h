/* Inside the log: what event.c and state_events.c share. */
#ifndef MODEL_EVENT_PRIVATE_H
#define MODEL_EVENT_PRIVATE_H

#include "model/event.h"

struct event_log {
	struct event *ring;
	size_t capacity, first, count;
	uint64_t last_seq;
	uint64_t generation;
};

/* Frees what an event owns and leaves it zeroed. */
void event_clear(struct event *e);

#endif
