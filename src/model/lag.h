/* Replication lag, from the master's own view of each replica: one reply, one instant. */
#ifndef MODEL_LAG_H
#define MODEL_LAG_H

#include "model/model.h"

struct lag {
	int64_t bytes;            /* FACT_UNKNOWN */
	int64_t seconds;          /* silence: seconds since the last ACK; FACT_UNKNOWN */
	int64_t offset;           /* the replica's acknowledged offset */
	double trend_bytes_s;     /* growth of the lag; valid if trend_known */
	bool trend_known;
	int64_t catch_up_ms;      /* at the present trend; FACT_UNKNOWN when not shrinking */
	int64_t backlog_headroom_bytes; /* until the backlog no longer holds its offset; FACT_UNKNOWN */
	int64_t backlog_off_ms;   /* time until then, when the lag grows; FACT_UNKNOWN */
	bool off_backlog;         /* already out: the next reconnect is a full synchronisation */
	bool link_up;             /* by the replica's own word, else by the master's listing */
	bool link_known;
	bool syncing;
	int64_t sync_read_bytes, sync_total_bytes; /* total FACT_UNKNOWN when not known */
	int64_t at_ms;            /* age of the fact; 0 never */
	bool current;             /* whom it follows answers now; else bytes, seconds, offset and headroom
				   * are as it said last */
};
/* Its bytes alone: how far it is behind by its master's list, or where that has it no more, by the
 * last offset that it told. */
int64_t lag_bytes_of(const struct model *m, const struct node *replica);
void lag_of(const struct model *m, const struct node *replica, int64_t now_ms, struct lag *out);
/* The same without what nobody says any more. */
void lag_of_now(const struct model *m, const struct node *replica, int64_t now_ms, struct lag *out);

void history_add(struct history *h, int64_t at_ms, int64_t value);
/* index 0 is the oldest; returns false past the end. */
bool history_at(const struct history *h, size_t index, int64_t *at_ms, int64_t *value);

#endif
