#include "model/lag.h"

#include <string.h>

/* Trends look back this far: long enough to be calm, short enough to follow an incident. */
#define TREND_WINDOW_MS 10000
/* Fewer, or closer together, say nothing. */
#define TREND_SAMPLES   6
#define TREND_SPAN_MS   4000
/* Below this many bytes a second a lag wobbles; a forecast from that would be noise. */
#define FORECAST_MIN    1000

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

/* The samples since the last gap that are recent enough, oldest first. Slow polls have few samples in
 * any ten seconds: their window is longer. */
static size_t trend_samples(const struct history *h, int64_t now_ms, int64_t *at_ms, int64_t *value)
{
	size_t count = 0, old = 0;
	int64_t at, bytes;
	for (size_t i = 0; history_at(h, i, &at, &bytes); i++) {
		if (bytes == FACT_UNKNOWN) {
			count = 0;
			continue;
		}
		at_ms[count] = at;
		value[count++] = bytes;
	}
	if (count < TREND_SAMPLES)
		return 0;
	int64_t window = at_ms[count - 1] - at_ms[count - TREND_SAMPLES];
	if (window < TREND_WINDOW_MS)
		window = TREND_WINDOW_MS;
	while (old < count && now_ms - at_ms[old] > window)
		old++;
	memmove(at_ms, at_ms + old, (count - old) * sizeof(*at_ms));
	memmove(value, value + old, (count - old) * sizeof(*value));
	return count - old;
}

static int64_t half_of(const int64_t *at_ms, const int64_t *value, size_t count, double *centre_ms)
{
	int64_t low = value[0];
	for (size_t i = 1; i < count; i++)
		low = value[i] < low ? value[i] : low;
	*centre_ms = (double)(at_ms[0] + at_ms[count - 1]) / 2;
	return low;
}

/* A replica acknowledges once a second (replication.c:replicationCron), so under a steady load the
 * lag is a sawtooth as high as one second of writes. Its lower edge is what grows: the lowest of the
 * older half against the lowest of the newer one, and less than a tooth is no difference. */
static void trend_of(const struct history *h, int64_t now_ms, double tooth_bytes, struct lag *out)
{
	int64_t at_ms[HISTORY_SAMPLES], value[HISTORY_SAMPLES];
	size_t count = trend_samples(h, now_ms, at_ms, value), half = count / 2;
	double older_ms, newer_ms;
	if (count < TREND_SAMPLES || at_ms[count - 1] - at_ms[0] < TREND_SPAN_MS)
		return;
	int64_t older = half_of(at_ms, value, half, &older_ms);
	int64_t newer = half_of(at_ms + half, value + half, count - half, &newer_ms);
	double growth = (double)newer - (double)older;
	out->trend_known = true;
	if (growth < -tooth_bytes || growth > tooth_bytes)
		out->trend_bytes_s = growth * 1000.0 / (newer_ms - older_ms);
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
	if (!out->off_backlog && growth > FORECAST_MIN)
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

/* A replica that the master no longer lists falls behind all the same: its own offset, as far as we
 * know it, against the master's. Only where both speak of one history. */
static int64_t unlisted_bytes(const struct node *replica, const struct node *upstream, int64_t offset)
{
	if (upstream == NULL || offset == FACT_UNKNOWN || upstream->info_at_ms == 0 ||
	    upstream->info.master_repl_offset < offset || replica->info.replid[0] == '\0' ||
	    strcmp(replica->info.replid, upstream->info.replid) != 0)
		return FACT_UNKNOWN;
	return upstream->info.master_repl_offset - offset;
}

int64_t lag_bytes_of(const struct model *m, const struct node *replica)
{
	if (replica->lag_at_ms != 0 && replica->lag_now_bytes != FACT_UNKNOWN)
		return replica->lag_now_bytes;
	if (replica->info_at_ms == 0)
		return FACT_UNKNOWN;
	return unlisted_bytes(replica, model_node(m, replica->upstream_id),
			      replica->info.slave_repl_offset);
}

void lag_of_now(const struct model *m, const struct node *replica, int64_t now_ms, struct lag *out)
{
	lag_of(m, replica, now_ms, out);
	if (!node_answers(replica))
		out->syncing = false;
	if (out->current)
		return;
	out->bytes = out->seconds = out->offset = out->catch_up_ms = FACT_UNKNOWN;
	out->backlog_headroom_bytes = out->backlog_off_ms = FACT_UNKNOWN;
	out->off_backlog = out->trend_known = false;
	out->link_known &= node_answers(replica);
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
	/* What another master listed, before this one was followed, is of then. */
	out->current = upstream != NULL && node_answers(upstream) &&
		       (out->bytes == FACT_UNKNOWN || upstream->info_at_ms == replica->lag_at_ms);
	/* Both from one INFO, or the difference would be of two different moments or masters. */
	if (upstream != NULL && out->bytes != FACT_UNKNOWN &&
	    upstream->info_at_ms == replica->lag_at_ms &&
	    upstream->info.master_repl_offset != FACT_UNKNOWN)
		out->offset = upstream->info.master_repl_offset - out->bytes;
	else if (replica->info_at_ms != 0)
		out->offset = replica->info.slave_repl_offset;
	if (out->bytes == FACT_UNKNOWN)
		out->bytes = unlisted_bytes(replica, upstream, out->offset);
	trend_of(&replica->lag_bytes, now_ms,
		 upstream != NULL && upstream->repl_rate_bytes_s > 0 ? upstream->repl_rate_bytes_s : 0,
		 out);
	if (out->bytes == FACT_UNKNOWN)
		return;
	if (out->trend_known && out->trend_bytes_s < -FORECAST_MIN && out->bytes > 0)
		out->catch_up_ms = (int64_t)((double)out->bytes * 1000.0 / -out->trend_bytes_s);
	if (upstream != NULL)
		backlog_of(upstream, out);
}
