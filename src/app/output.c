#include "app/output.h"

#include <stdio.h>

#include "base/clock.h"

enum health fleet_health(const struct model *m, int64_t now_ms)
{
	size_t cursor = 0, reached = 0;
	enum health worst = HEALTH_OK;
	const struct deployment *d;
	const struct node *n;
	while ((n = model_next_node(m, &cursor)) != NULL)
		reached += n->info_at_ms != 0;
	if (reached == 0)
		return HEALTH_UNKNOWN;
	cursor = 0;
	while ((d = model_next_deployment(m, &cursor)) != NULL) {
		struct verdict v;
		health_deployment(m, d, now_ms, &v);
		worst = health_worse(worst, v.health);
	}
	return worst;
}

/* Every Sentinel that could say it has said it. */
static bool heard_from_all(const struct event *e, const struct model *m)
{
	const struct group *g = model_group(m, e->group_id);
	return g != NULL && e->source_total >= group_sentinels_reachable(m, g);
}

static bool is_settled(const struct event *e, const struct model *m, int64_t now_ms)
{
	if (event_kind_info(e->kind)->merge_window_ms == 0)
		return true;
	return now_ms - e->mono_ms >= EVENT_SETTLE_MS || heard_from_all(e, m);
}

/* The ring holds so many; more than that since the last time, and the oldest are gone. Not to say so
 * would be to claim that nothing happened. */
static void add_lost(const struct event *next, uint64_t lost, enum output_format format,
		     struct buf *out)
{
	char detail[64], name[] = EVENTS_LOST_NAME, empty[] = "";
	snprintf(detail, sizeof(detail), "%llu event%s lost", (unsigned long long)lost,
		 lost == 1 ? "" : "s");
	const struct event gap = { .severity = SEVERITY_WARNING,
				   .mono_ms = next->mono_ms,
				   .wall_ms = next->wall_ms,
				   .name = name,
				   .deployment = empty,
				   .subject = empty,
				   .addr = empty,
				   .detail = detail };
	if (format == FORMAT_JSON)
		output_lost_json(&gap, lost, out);
	else
		output_event_text(&gap, out);
}

bool event_stream_pump(struct event_stream *s, const struct model *m, enum output_format format,
		       int64_t now_ms, bool all, struct buf *out)
{
	const struct event *e;
	while ((e = event_log_from(model_events(m), s->next_seq)) != NULL) {
		if (!all && !is_settled(e, m, now_ms))
			return true;
		if (e->seq > s->next_seq)
			add_lost(e, e->seq - s->next_seq, format, out);
		if (format == FORMAT_JSON)
			output_event_json(e, out);
		else
			output_event_text(e, out);
		s->next_seq = e->seq + 1;
	}
	return false;
}
