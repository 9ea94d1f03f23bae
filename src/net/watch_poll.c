/* Asking, by the schedule.
 *
 * A round is one interval. It is cut into slices of about SLICE_NODES nodes, so that a thousand
 * nodes are no long turn of the loop; a small fleet has one slice and one timer event a round. */
#include "config.h"
#include "net/watch_private.h"

#include "model/failovers.h"

#define AWAITED_LINES_MAX 3300 /* of CLUSTER NODES, a round: 33 nodes of a hundred, 3 of a thousand */
#define SLICE_NODES  64
#define SLICE_GROUPS 32 /* their questions may all go to one Sentinel: LINK_MAX_PENDING */
#define SLICE_MIN_MS 20

bool watch_ask(struct entry *e, enum question q, const struct group *g)
{
	if (!e->link || !link_ask(e->link, q, g ? g->name : NULL, g ? g->id : 0))
		return false;
	e->asked |= 1u << q;
	e->watch->requests++;
	return true;
}

/* Without an argument: not again while the same is unanswered. */
bool watch_ask_once(struct entry *e, enum question q)
{
	return e->link && !link_has_pending(e->link, q) && watch_ask(e, q, NULL);
}

static bool poll_is_for(const struct poll *p, const struct entry *e, enum server_mode mode)
{
	switch (p->whom) {
	case POLL_EVERY_NODE:
		return true;
	case POLL_EVERY_SENTINEL:
		return mode == MODE_SENTINEL;
	case POLL_EVERY_CLUSTER_NODE:
		return mode == MODE_CLUSTER;
	case POLL_EVERY_PLAIN_NODE:
		return mode == MODE_STANDALONE && watch_is_plain(e);
	case POLL_ONE_CLUSTER_NODE:
	case POLL_ONE_SENTINEL_PER_MASTER:
	case POLL_SENTINEL_ONCE:
		return false;
	}
	return false;
}

void watch_poll_entry(struct entry *e, bool hurry)
{
	enum server_mode mode;

	if (!e->link || !link_is_up(e->link))
		return;
	mode = watch_entry_mode(e);
	for (unsigned i = 0; i < poll_count; i++) {
		const struct poll *p = &polls[i];

		if (!poll_is_for(p, e, mode) || link_has_pending(e->link, p->question))
			continue;
		if (!hurry && (e->watch->round + e->id) % p->every != 0)
			continue;
		if (hurry && (!p->hurry || !watch_take_hurry_token(e->watch, p->question)))
			continue;
		watch_ask(e, p->question, NULL);
	}
}

/* In a hurry each group has a question of its own under way, whatever else its Sentinel was asked, and
 * the turn goes on with each. What is asked every few rounds has turns of its own: five Sentinels would
 * else leave every fifth round to one and the same. */
void watch_poll_group(struct watch *w, const struct group *g, struct group_entry *ge)
{
	unsigned round = w->round + g->id;

	if (ge)
		ge->hurries++;
	for (unsigned i = 0; i < poll_count; i++) {
		const struct poll *p = &polls[i];
		uint32_t bit = 1u << p->question;
		struct entry *e;

		if (p->whom != POLL_ONE_SENTINEL_PER_MASTER)
			continue;
		if (!ge && round % p->every != 0)
			continue;
		e = watch_sentinel_in_turn(w, g, ge ? round + ge->hurries : round / p->every);
		if (!e)
			return;
		if (ge && (!p->hurry || (ge->hurried & bit) ||
			   !watch_take_hurry_token(w, p->question)))
			continue;
		if (watch_ask(e, p->question, g) && ge)
			ge->hurried |= bit;
	}
}

/* While a failover runs: those that have not named the new master yet, not each when its turn comes. In
 * a large cluster some a round, from another place each time: some of them may never name it. */
static void ask_awaited(struct watch *w, const struct deployment *d)
{
	size_t count = d->member_count, left, first;

	if (count == 0)
		return;
	left = count < AWAITED_LINES_MAX ? AWAITED_LINES_MAX / count : 1;
	first = w->round * left % count;
	for (size_t i = 0; i < count && left > 0; i++) {
		uint32_t id = d->member_ids[(first + i) % count];
		const struct node *n = model_node(w->config.model, id);
		struct entry *e = watch_find_up(w, id);

		if (n && e && failover_waits_for(w->config.model, n))
			left -= watch_ask_once(e, ASK_CLUSTER_NODES);
	}
}

/* One reachable node of each cluster, another one each round. */
static void poll_cluster(struct watch *w, const struct deployment *d)
{
	size_t cursor = 0, up = 0, turn;
	const struct node *n;

	while ((n = model_next_member(w->config.model, d->id, &cursor)))
		up += watch_find_up(w, n->id) != NULL;
	if (up == 0)
		return;
	turn = w->round % up;
	cursor = 0;
	while ((n = model_next_member(w->config.model, d->id, &cursor))) {
		struct entry *e = watch_find_up(w, n->id);

		if (!e || turn-- != 0)
			continue;
		watch_ask_once(e, ASK_CLUSTER_NODES);
		return;
	}
}

/* --- follow-ups ------------------------------------------------------------------------------ */

/* In a large cluster one is enough to begin with; open slots of the others come in turn. */
static bool wants_first_nodes(const struct entry *e)
{
	const struct watch *w = e->watch;
	const struct node *n = model_node(w->config.model, e->id);
	const struct deployment *d = n ? model_deployment(w->config.model, n->deployment_id) : NULL;

	return w->entry_count <= NODES_FROM_ALL_MAX || !d || !d->cluster ||
	       d->cluster->nodes_at_ms == 0;
}

/* What a node is asked besides INFO as soon as its kind is known. */
void watch_ask_follow_ups(struct entry *e)
{
	enum server_mode mode = watch_entry_mode(e);

	if (mode == MODE_SENTINEL) {
		for (unsigned i = 0; i < poll_count; i++)
			if (polls[i].whom == POLL_SENTINEL_ONCE || polls[i].whom == POLL_EVERY_SENTINEL)
				watch_ask_once(e, polls[i].question);
	} else if (mode == MODE_STANDALONE && watch_is_plain(e)) {
		watch_ask_once(e, ASK_SENTINEL_WATCHERS);
	} else if (mode == MODE_CLUSTER) {
		watch_ask_once(e, ASK_CLUSTER_INFO);
		if (wants_first_nodes(e))
			watch_ask_once(e, ASK_CLUSTER_NODES);
	}
}

/* --- rounds ---------------------------------------------------------------------------------- */

static unsigned wanted_slices(const struct watch *w)
{
	size_t by_nodes = (w->entry_count + SLICE_NODES - 1) / SLICE_NODES;
	size_t by_groups = (w->sentinel_groups + SLICE_GROUPS - 1) / SLICE_GROUPS;
	size_t most = (size_t)(w->config.interval_ms / SLICE_MIN_MS);
	size_t slices = by_nodes > by_groups ? by_nodes : by_groups;

	if (slices > most)
		slices = most;
	return slices ? (unsigned)slices : 1;
}

static void begin_round(struct watch *w)
{
	unsigned slices = wanted_slices(w);
	const struct deployment *d;
	size_t cursor = 0;

	w->round++;
	w->nodes_on_change = 0;
	if (slices != w->slices) {
		w->slices = slices;
		w->slice_timer.repeat = (double)w->config.interval_ms / 1000. / slices;
		ev_timer_again(w->config.loop, &w->slice_timer);
	}
	watch_scan_groups(w);
	while ((d = model_next_deployment(w->config.model, &cursor)))
		if (d->kind == KIND_CLUSTER) {
			ask_awaited(w, d);
			poll_cluster(w, d);
		}
}

/* The share of slice number `slice` of `count` things begins here. */
static size_t share(const struct watch *w, size_t count, unsigned slice)
{
	return count * slice / w->slices;
}

static void poll_groups_of_slice(struct watch *w, unsigned slice)
{
	size_t index = 0, cursor = 0;
	size_t from = share(w, w->sentinel_groups, slice);
	size_t to = share(w, w->sentinel_groups, slice + 1);
	const struct deployment *d;

	while ((d = model_next_deployment(w->config.model, &cursor))) {
		if (d->kind != KIND_SENTINEL)
			continue;
		for (size_t i = 0; i < d->group_count; i++, index++)
			if (index >= from && index < to)
				watch_poll_group(w, d->groups[i], NULL);
	}
}

static void run_slice(struct watch *w)
{
	unsigned slice;
	size_t to;

	if (w->slice >= w->slices)
		w->slice = 0;
	if (w->slice == 0)
		begin_round(w);
	slice = w->slice++;
	to = share(w, w->entry_count, slice + 1);
	for (size_t i = share(w, w->entry_count, slice); i < to; i++)
		watch_poll_entry(w->entries[i], false);
	poll_groups_of_slice(w, slice);
	w->groups_now |= w->details_waiting;
}

void watch_start_rounds(struct watch *w)
{
	w->slice = 0;
	w->slices = wanted_slices(w);
	w->slice_timer.repeat = (double)w->config.interval_ms / 1000. / w->slices;
	ev_timer_again(w->config.loop, &w->slice_timer);
}

static void on_slice(struct ev_loop *loop, ev_timer *t, int events)
{
	(void)loop;
	(void)events;
	run_slice(t->data);
}

void watch_init_rounds(struct watch *w)
{
	ev_timer_init(&w->slice_timer, on_slice, 0., 0.);
	w->slice_timer.data = w;
	watch_start_rounds(w);
}

void watch_poll_all_now(struct watch *w)
{
	/* The next round, brought forward and in one piece. */
	w->slice = 0;
	do
		run_slice(w);
	while (w->slice < w->slices);
	ev_timer_again(w->config.loop, &w->slice_timer);
}
