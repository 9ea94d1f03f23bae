/* Masters and shards: their questions of the first time, and whether they are in trouble. */
#include "config.h"
#include "net/watch_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/health.h"

#define SCAN_EVERY_MS 20

const uint32_t watch_group_questions =
    1u << ASK_SENTINEL_REPLICAS | 1u << ASK_SENTINEL_SENTINELS | 1u << ASK_SENTINEL_CKQUORUM;

struct group_entry *watch_find_group(const struct watch *w, uint32_t group_id)
{
	struct group_entry *ge;

	HASH_FIND(hh, w->groups, &group_id, sizeof(group_id), ge);
	return ge;
}

static struct group_entry *meet_group(struct watch *w, uint32_t id)
{
	struct group_entry *ge = watch_find_group(w, id);

	if (!ge) {
		ge = mem_alloc(sizeof(*ge));
		ge->id = id;
		HASH_ADD(hh, w->groups, id, sizeof(ge->id), ge);
	}
	ge->generation = w->generation;
	return ge;
}

void watch_forget_groups(struct watch *w)
{
	struct group_entry *ge, *next;

	HASH_ITER(hh, w->groups, ge, next) {
		if (ge->generation == w->generation)
			continue;
		HASH_DEL(w->groups, ge);
		free(ge);
	}
}

/* For a link that was closed: nobody hears that the questions under way there are lost, so they are
 * asked again. */
void watch_forget_unanswered(struct watch *w)
{
	struct group_entry *ge, *next;

	HASH_ITER(hh, w->groups, ge, next) {
		ge->asked &= ge->done;
		ge->hurried = 0;
	}
	w->groups_now = true;
}

/* An answer of any kind settles a question; without one, another Sentinel is asked. */
void watch_note_group_answer(struct watch *w, enum question q, uint32_t group_id,
			     enum answer answer)
{
	uint32_t bit = 1u << q;
	struct group_entry *ge = watch_group_questions & bit ? watch_find_group(w, group_id) : NULL;

	if (!ge)
		return;
	ge->hurried &= ~bit;
	if (answer == ANSWER_TIMEOUT || answer == ANSWER_LOST) {
		if (ge->done & bit)
			return;
		ge->asked &= ~bit;
		w->groups_now = true;
		return;
	}
	ge->done |= bit;
	if (w->details_waiting)
		w->groups_dirty = true;
}

/* The Sentinels that watch a group take turns, so that each master is asked about once a round and
 * no Sentinel answers for all. */
struct entry *watch_sentinel_in_turn(const struct watch *w, const struct group *g, unsigned turn)
{
	size_t up = 0;

	for (size_t i = 0; i < g->view_count; i++)
		up += watch_find_up(w, g->views[i].sentinel_id) != NULL;
	if (up == 0)
		return NULL;
	up = turn % up;
	for (size_t i = 0; i < g->view_count; i++) {
		struct entry *e = watch_find_up(w, g->views[i].sentinel_id);

		if (e && up-- == 0)
			return e;
	}
	return NULL;
}

/* All that is asked about a master, the first time, without waiting for the round. */
static void ask_details(struct watch *w, struct group_entry *ge, const struct group *g)
{
	struct entry *e;

	if ((ge->asked & watch_group_questions) == watch_group_questions)
		return;
	e = watch_sentinel_in_turn(w, g, g->id);
	if (!e)
		return;
	for (unsigned q = 0; q < ASK_COUNT; q++) {
		uint32_t bit = 1u << q;

		if (!(watch_group_questions & bit) || (ge->asked & bit))
			continue;
		if (watch_ask(e, q, g))
			ge->asked |= bit;
		else
			w->details_waiting = true;
	}
}

/* --- trouble --------------------------------------------------------------------------------- */

bool watch_hurries(const struct group_entry *ge, int64_t now_ms)
{
	return ge->trouble_ms != 0 && now_ms - ge->trouble_ms < POLL_HURRY_AFTER_MS;
}

void watch_scan_groups(struct watch *w)
{
	int64_t now_ms = clock_mono_ms();
	const struct deployment *d;
	size_t cursor = 0;
	bool hurry = false;

	w->groups_dirty = w->groups_now = w->details_waiting = false;
	w->scanned_ms = now_ms;
	w->sentinel_groups = 0;
	w->generation++;
	while ((d = model_next_deployment(w->config.model, &cursor))) {
		for (size_t i = 0; i < d->group_count; i++) {
			struct group_entry *ge = meet_group(w, d->groups[i]->id);

			if (group_in_trouble(w->config.model, d->groups[i], now_ms))
				ge->trouble_ms = now_ms;
			hurry |= watch_hurries(ge, now_ms);
			if (d->kind != KIND_SENTINEL)
				continue;
			w->sentinel_groups++;
			ask_details(w, ge, d->groups[i]);
		}
	}
	watch_forget_groups(w);
	watch_set_hurry(w, hurry, now_ms);
}

/* Nothing else may happen for long: the turn that it begins ends with the scan that was put off. */
static void on_scan(struct ev_loop *loop, ev_timer *t, int events)
{
	(void)loop;
	(void)t;
	(void)events;
}

static void start_scan_timer(struct watch *w)
{
	ev_timer_set(&w->scan_timer, SCAN_EVERY_MS / 1000., 0.);
	ev_timer_start(w->config.loop, &w->scan_timer);
}

void watch_scan_groups_if_due(struct watch *w)
{
	/* A thousand links that come up are a thousand changes of health: one scan does for many. */
	if (w->groups_now || (w->groups_dirty && clock_mono_ms() - w->scanned_ms >= SCAN_EVERY_MS))
		watch_scan_groups(w);
	else if (w->groups_dirty && !ev_is_active(&w->scan_timer))
		start_scan_timer(w);
}

void watch_init_groups(struct watch *w)
{
	ev_timer_init(&w->scan_timer, on_scan, 0., 0.);
}
