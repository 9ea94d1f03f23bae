/* Asking more often where something is wrong, within a budget; and the role of a replica that is
 * being promoted. */
#include "config.h"
#include "net/watch_private.h"

#include "base/clock.h"

#define MASTERS_PER_TOKEN 1 /* of SENTINEL MASTERS */
#define PROMOTION_MAX_MS  30000

/* False when the extra requests of this second are used up. MASTERS tells of all masters, so that
 * where there are hundreds, five times as often would be megabytes a second: it counts for more. */
bool watch_take_hurry_token(struct watch *w, enum question q)
{
	double cost = 1.;

	if (q == ASK_SENTINEL_MASTERS)
		cost += (double)w->sentinel_groups / MASTERS_PER_TOKEN;
	if (w->hurry_tokens < cost)
		return false;
	w->hurry_tokens -= cost;
	return true;
}

static void hurry_group(struct watch *w, const struct group *g, struct group_entry *ge)
{
	for (size_t i = 0; i < g->member_count; i++) {
		struct entry *e = watch_find_up(w, g->member_ids[i]);

		if (e)
			watch_poll_entry(e, true);
	}
	for (size_t i = 0; i < g->view_count; i++) {
		struct entry *e = watch_find_up(w, g->views[i].sentinel_id);

		if (e)
			watch_poll_entry(e, true);
	}
	watch_poll_group(w, g, ge);
}

/* Each time another group is the first, since tokens and links may not do for all. */
static void hurry_groups(struct watch *w, int64_t now_ms)
{
	struct group_entry *first = watch_find_group(w, w->hurry_first), *ge;

	if (!first)
		first = w->groups;
	ge = first;
	while (ge) {
		const struct group *g = model_group(w->config.model, ge->id);
		struct group_entry *next = ge->hh.next ? ge->hh.next : w->groups;

		if (g && watch_hurries(ge, now_ms))
			hurry_group(w, g, ge);
		if (ge == first)
			w->hurry_first = next->id;
		ge = next != first ? next : NULL;
	}
}

static void on_hurry(struct ev_loop *loop, ev_timer *t, int events)
{
	struct watch *w = t->data;
	int64_t now_ms = clock_mono_ms();

	(void)loop;
	(void)events;
	w->hurry_tokens += (double)(now_ms - w->hurry_tokens_ms) * POLL_HURRY_MAX_PER_S / 1000.;
	w->hurry_tokens_ms = now_ms;
	if (w->hurry_tokens > POLL_HURRY_MAX_PER_S)
		w->hurry_tokens = POLL_HURRY_MAX_PER_S;
	hurry_groups(w, now_ms);
}

void watch_set_hurry(struct watch *w, bool wanted, int64_t now_ms)
{
	double every_s = (double)w->config.interval_ms / 1000. / POLL_HURRY_FACTOR;

	if (wanted == (bool)ev_is_active(&w->hurry_timer))
		return;
	if (!wanted) {
		ev_timer_stop(w->config.loop, &w->hurry_timer);
		return;
	}
	w->hurry_tokens = 0.;
	w->hurry_tokens_ms = now_ms;
	ev_timer_set(&w->hurry_timer, every_s, every_s);
	ev_timer_start(w->config.loop, &w->hurry_timer);
}

/* --- promotion ------------------------------------------------------------------------------- */

static bool is_promoting(const struct group *g, int64_t now_ms)
{
	const struct failover *f = &g->failover;
	int64_t since_ms = f->phase_ms > f->started_ms ? f->phase_ms : f->started_ms;

	return f->selected_id != 0 && f->phase >= PHASE_SELECTED && f->phase < PHASE_ENDED &&
	       now_ms - since_ms < PROMOTION_MAX_MS;
}

static void on_promotion(struct ev_loop *loop, ev_timer *t, int events)
{
	struct watch *w = t->data;
	int64_t now_ms = clock_mono_ms();
	const struct deployment *d;
	size_t cursor = 0;
	bool any = false;

	(void)events;
	while ((d = model_next_deployment(w->config.model, &cursor))) {
		for (size_t i = 0; i < d->group_count; i++) {
			const struct group *g = d->groups[i];
			struct entry *e;

			if (!is_promoting(g, now_ms))
				continue;
			any = true;
			e = watch_find_up(w, g->failover.selected_id);
			if (e)
				watch_ask_once(e, ASK_ROLE);
		}
	}
	if (!any)
		ev_timer_stop(loop, t);
}

void watch_follow_promotion(struct watch *w)
{
	if (ev_is_active(&w->promotion_timer))
		return;
	ev_timer_set(&w->promotion_timer, 0., POLL_PROMOTION_EVERY_MS / 1000.);
	ev_timer_start(w->config.loop, &w->promotion_timer);
}

void watch_init_hurry(struct watch *w)
{
	ev_timer_init(&w->hurry_timer, on_hurry, 0., 0.);
	ev_timer_init(&w->promotion_timer, on_promotion, 0., 0.);
	w->hurry_timer.data = w->promotion_timer.data = w;
}
