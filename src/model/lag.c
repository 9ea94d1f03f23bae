#include "model/lag.h"

#include <string.h>

/* Trends look back this far: long enough to be calm, short enough to follow an incident. */
#define TREND_WINDOW_MS 10000

void history_add(struct history *h, int64_t at_ms, int64_t value)
{
	h->at_ms[h->next] = at_ms;
	h->value[h->next] = value;
	h->next = (uint16_t)((h->next + 1) % HISTORY_SAMPLES);
	if (h->count < HISTORY_SAMPLES)
		h->count++;
}

bool history_at(const struct history *h, size_t index, int64_t *at_ms, int64_t *value)
{
	if (index >= h->count)
		return false;
	size_t i = (h->next + HISTORY_SAMPLES - h->count + index) % HISTORY_SAMPLES;
	*at_ms = h->at_ms[i];
	*value = h->value[i];
	return true;
}

/* Slope between the oldest and the newest sample of the window. */
static void trend_of(const struct history *h, int64_t now_ms, struct lag *out)
{
	int64_t first_ms = 0, first = 0, last_ms = 0, last = 0, at, value;
	bool have = false;
	for (size_t i = 0; history_at(h, i, &at, &value); i++) {
		if (value == FACT_UNKNOWN) {
			have = false;
			continue;
		}
		if (now_ms - at > TREND_WINDOW_MS)
			continue;
		if (!have) {
			first_ms = at;
			first = value;
			have = true;
		}
		last_ms = at;
		last = value;
	}
	if (!have || last_ms - first_ms < 1000)
		return;
	out->trend_known = true;
	out->trend_bytes_s = (double)(last - first) * 1000.0 / (double)(last_ms - first_ms);
}

/* The backlog of the node that it follows: who would serve a partial resynchronisation. */
static void backlog_of(const struct node *upstream, struct lag *out)
{
	const struct info_facts *u = &upstream->info;
	if (upstream->info_at_ms == 0 || u->backlog_active != 1 || out->offset == FACT_UNKNOWN ||
	    u->backlog_first_byte_offset == FACT_UNKNOWN || u->master_repl_offset == FACT_UNKNOWN ||
	    u->backlog_size_bytes == FACT_UNKNOWN)
		return;
	/* replication.c:masterTryPartialResync refuses an offset before the first byte held. */
	out->off_backlog = out->offset + 1 < u->backlog_first_byte_offset;
	/* The backlog keeps its last backlog_size bytes, and drops only when full. */
	out->backlog_headroom_bytes = u->backlog_size_bytes - out->bytes;
	if (out->off_backlog || out->backlog_headroom_bytes < 0)
		out->backlog_headroom_bytes = 0;
	double growth = out->trend_known ? out->trend_bytes_s : 0;
	if (!out->link_up && out->link_known && upstream->repl_rate_bytes_s > 0)
		growth = upstream->repl_rate_bytes_s;
	/* Below 1 kB/s a lag wobbles; a forecast from that would be noise. */
	if (!out->off_backlog && growth > 1000)
		out->backlog_off_ms = (int64_t)((double)out->backlog_headroom_bytes * 1000.0 / growth);
}

static void sync_of(const struct node *n, struct lag *out)
{
	const struct info_facts *f = &n->info;
	out->sync_read_bytes = out->sync_total_bytes = FACT_UNKNOWN;
	if (n->info_at_ms == 0)
		return;
	out->syncing = f->sync_in_progress == 1;
	out->sync_read_bytes = f->sync_read_bytes;
	/* Diskless transfers have no total: it is 0 or -1. */
	if (f->sync_total_bytes > 0)
		out->sync_total_bytes = f->sync_total_bytes;
}

void lag_of(const struct model *m, const struct node *replica, int64_t now_ms, struct lag *out)
{
	*out = (struct lag){ .bytes = replica->lag_now_bytes,
			     .seconds = replica->lag_now_s,
			     .offset = FACT_UNKNOWN,
			     .catch_up_ms = FACT_UNKNOWN,
			     .backlog_headroom_bytes = FACT_UNKNOWN,
			     .backlog_off_ms = FACT_UNKNOWN,
			     .at_ms = replica->lag_at_ms };
	if (replica->lag_at_ms == 0)
		out->bytes = out->seconds = FACT_UNKNOWN;
	if (replica->link.state == LINK_UP && replica->info_at_ms != 0 &&
	    replica->info.master_link_up != FACT_UNKNOWN) {
		out->link_known = true;
		out->link_up = replica->info.master_link_up == 1;
	} else if (out->bytes != FACT_UNKNOWN) {
		out->link_known = out->link_up = true;
	}
	sync_of(replica, out);
	const struct node *upstream = model_node(m, replica->upstream_id);
	if (upstream != NULL && out->bytes != FACT_UNKNOWN)
		out->offset = upstream->info.master_repl_offset - out->bytes;
	else if (replica->info_at_ms != 0)
		out->offset = replica->info.slave_repl_offset;
	/* A replica that the master no longer lists falls behind all the same: its own offset, as far
	 * as we know it, against the master's. Only where both speak of one history. */
	if (upstream != NULL && out->bytes == FACT_UNKNOWN && out->offset != FACT_UNKNOWN &&
	    upstream->info_at_ms != 0 && upstream->info.master_repl_offset >= out->offset &&
	    replica->info.replid[0] != '\0' &&
	    strcmp(replica->info.replid, upstream->info.replid) == 0)
		out->bytes = upstream->info.master_repl_offset - out->offset;
	trend_of(&replica->lag_bytes, now_ms, out);
	if (out->bytes == FACT_UNKNOWN)
		return;
	if (out->trend_known && out->trend_bytes_s < -1000 && out->bytes > 0)
		out->catch_up_ms = (int64_t)((double)out->bytes * 1000.0 / -out->trend_bytes_s);
	if (upstream != NULL)
		backlog_of(upstream, out);
}
