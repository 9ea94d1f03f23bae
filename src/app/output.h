/* What redoubt says without a screen: snapshots and event lines. */
#ifndef APP_OUTPUT_H
#define APP_OUTPUT_H

#include "app/options.h"
#include "base/buf.h"
#include "model/health.h"
#include "model/model.h"

/* How long an event waits for the same word from the other Sentinels before its line is written. */
#define EVENT_SETTLE_MS 1000

/* The worst health of all deployments; UNKNOWN when nothing was reached. */
enum health fleet_health(const struct model *m, int64_t now_ms);
void output_snapshot_text(const struct model *m, int64_t now_ms, int64_t wall_ms, struct buf *out);
void output_snapshot_json(const struct model *m, int64_t now_ms, int64_t wall_ms, struct buf *out);

/* One line, newline included. Only sources that spoke within EVENT_SETTLE_MS are named, so that a
 * line does not depend on when it is written. */
void output_event_text(const struct event *e, struct buf *out);
void output_event_json(const struct event *e, struct buf *out);
/* In the place of events that the ring had dropped before they were written. */
#define EVENTS_LOST_NAME "+events-lost"
void output_lost_json(const struct event *gap, uint64_t lost, struct buf *out);

/* Walks the log in order and gives each event once, when it is settled. */
struct event_stream { uint64_t next_seq; };
/* Appends the lines of what has settled by now; all: whatever is left, at the end. True while
 * something waits. */
bool event_stream_pump(struct event_stream *s, const struct model *m, enum output_format format,
		       int64_t now_ms, bool all, struct buf *out);

#endif
