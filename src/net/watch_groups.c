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
		for (size_t i = 0; i < ge->first_count; i++)
			ge->first[i].asked &= ge->first[i].done;
		ge->hurried = 0;
	}
	w->groups_now = true;
}

/* --- the first time -------------------------------------------------------------------------- */

static struct first_words *find_first(struct group_entry *ge, uint32_t sentinel_id)
{
	for (size_t i = 0; i < ge->first_count; i++)
		if (ge->first[i].sentinel_id == sentinel_id)
			return &ge->first[i];
	return NULL;
}

static bool is_asked_whole(const struct watch *w, const struct group *g)
{
	const struct deployment *d = model_deployment(w->config.model, g->deployment_id);

	return d && g->view_count <= FIRST_SENTINELS_MAX && d->group_count <= FIRST_MASTERS_MAX;
}

static bool watches(const struct group *g, uint32_t sentinel_id)
{
	for (size_t i = 0; i < g->view_count; i++)
		if (g->views[i].sentinel_id == sentinel_id)
			return true;
	return sentinel_id == 0;
}

/* In the place of one that no longer watches the group, where there is no other. */
static struct first_words *obtain_first(struct group_entry *ge, const struct group *g,
					uint32_t sentinel_id)
{
	struct first_words *f = find_first(ge, sentinel_id);
	size_t at = ge->first_count;

	if (f)
		return f;
	if (at == FIRST_SENTINELS_MAX + 1)
		for (at = 0; at < FIRST_SENTINELS_MAX && watches(g, ge->first[at].sentinel_id);)
			at++;
	else
		ge->first_count++;
	ge->first[at] = (struct first_words){ .sentinel_id = sentinel_id };
	return &ge->first[at];
}

/* An answer of any kind settles a question; without one it is asked again, in a large set of another
 * Sentinel. */
static bool note_first(struct first_words *f, uint32_t bit, bool answered)
{
	if (!f || f->done & bit)
		return false;
	if (answered)
		f->done |= bit;
	else
		f->asked &= ~bit;
	return !answered;
}

void watch_note_group_answer(struct entry *e, enum question q, uint32_t group_id, enum answer answer)
{
	struct watch *w = e->watch;
	uint32_t bit = 1u << q;
	struct group_entry *ge = watch_group_questions & bit ? watch_find_group(w, group_id) : NULL;
	bool answered = answer != ANSWER_TIMEOUT && answer != ANSWER_LOST;

	if (!ge)
		return;
	ge->hurried &= ~bit;
	w->groups_now |= note_first(find_first(ge, e->id), bit, answered);
	w->groups_now |= note_first(find_first(ge, 0), bit, answered);
	if (answered && w->details_waiting)
		w->groups_dirty = true;
}

static bool is_known_from(struct group_entry *ge, uint32_t sentinel_id)
{
	const struct first_words *f = find_first(ge, sentinel_id);

	return f && (f->done & watch_group_questions) == watch_group_questions;
}

bool watch_group_is_known(const struct watch *w, const struct group *g)
{
	struct group_entry *ge = watch_find_group(w, g->id);

	if (!ge || !is_asked_whole(w, g))
		return (ge && is_known_from(ge, 0)) || watch_sentinel_in_turn(w, g, 0) == NULL;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct entry *e = watch_find_up(w, g->views[i].sentinel_id);

		if (e && !is_known_from(ge, e->id))
			return false;
	}
	return true;
}

/* The Sentinels that watch a group take turns, so that each master is asked about once a round, no
 * Sentinel answers for all, and the word of each is at most as many rounds old as there are of them.
 * Who cannot be asked gives its turn to the next one. */
struct entry *watch_sentinel_in_turn(const struct watch *w, const struct group *g, unsigned turn)
{
	for (size_t i = 0; i < g->view_count; i++) {
		size_t at = (turn % g->view_count + i) % g->view_count;
		struct entry *e = watch_find_up(w, g->views[at].sentinel_id);

		if (e)
			return e;
	}
	return NULL;
}

static void ask_first(struct watch *w, struct entry *e, struct first_words *f, const struct group *g)
{
	for (unsigned q = 0; q < ASK_COUNT; q++) {
		uint32_t bit = 1u << q;

		if (!(watch_group_questions & bit) || (f->asked & bit))
			continue;
		if (watch_ask(e, q, g))
			f->asked |= bit;
		else
			w->details_waiting = true;
	}
}

/* All that is asked about a master, the first time, without waiting for the round. */
static void ask_details(struct watch *w, struct group_entry *ge, const struct group *g)
{
	struct entry *e;

	for (size_t i = 0; is_asked_whole(w, g) && i < g->view_count; i++) {
		e = watch_find_up(w, g->views[i].sentinel_id);
		if (e)
			ask_first(w, e, obtain_first(ge, g, e->id), g);
	}
	if (is_asked_whole(w, g))
		return;
	e = watch_sentinel_in_turn(w, g, g->id);
	if (e)
		ask_first(w, e, obtain_first(ge, g, 0), g);
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
