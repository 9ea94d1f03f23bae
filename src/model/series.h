/* What a node's numbers were over the last ten minutes, for graphs. */
#ifndef MODEL_SERIES_H
#define MODEL_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIES_STEP_MS 2000 /* one cell: the average of what came in that time */
#define SERIES_CELLS   300  /* ten minutes */

/* X(id, name, unit): the lines that a node has. */
#define SERIES(X)                                                                                  \
	X(SERIES_OPS, "ops/s", UNIT_NUMBER)                                                         \
	X(SERIES_CLIENTS, "clients", UNIT_NUMBER)                                                   \
	X(SERIES_MEMORY, "memory", UNIT_BYTES)                                                      \
	X(SERIES_INPUT, "network in", UNIT_BYTES_A_SECOND)                                          \
	X(SERIES_OUTPUT, "network out", UNIT_BYTES_A_SECOND)                                        \
	X(SERIES_HIT_RATE, "hit rate", UNIT_PERCENT)                                                \
	X(SERIES_LAG, "lag", UNIT_BYTES)                                                            \
	X(SERIES_LATENCY, "latency", UNIT_MS)

enum series_unit { UNIT_NUMBER, UNIT_BYTES, UNIT_BYTES_A_SECOND, UNIT_PERCENT, UNIT_MS };
enum series_id {
#define X(id, name, unit) id,
	SERIES(X)
#undef X
	SERIES_COUNT
};

/* Cells by time, so that a gap stays a gap: the time t on the monotonic clock is in the cell of the
 * number t / SERIES_STEP_MS + 1, which is kept at that number modulo SERIES_CELLS. Floats: 10 kB a
 * node. */
struct series {
	int64_t newest;                          /* cell number; 0: nothing yet */
	float cells[SERIES_COUNT][SERIES_CELLS]; /* NAN: not known */
	uint16_t counts[SERIES_COUNT];           /* values in the newest cell */
};

struct node;
/* Takes the node's numbers of now: called for each INFO that was applied. Allocates n->series.
 * Hit rate and lag are learnt at other times: those come through series_add. */
void series_note(struct node *n, int64_t now_ms);
/* One value; one that is not finite, or older than the newest cell, is left out. */
void series_add(struct node *n, enum series_id id, double value, int64_t now_ms);
/* What drop knows and keep does not, when two nodes turn out to be one. Either may be NULL. */
void series_merge(struct series **keep, struct series **drop);
/* The last `count` values up to now, oldest first; NAN for gaps; s NULL: all gaps. Each value is the
 * average of `step` cells (at least 1) that begin at a multiple of it, so that old values stay as
 * they are while time goes on. A value holds for hold_ms where no newer one came: the time between
 * two polls is no gap. */
void series_read(const struct series *s, enum series_id id, int64_t now_ms, int64_t hold_ms,
		 size_t step, float *out, size_t count);
const char *series_name(enum series_id id);
enum series_unit series_unit_of(enum series_id id);

#endif
