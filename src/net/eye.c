/* Who is written to: one target for each master that is wanted, told of as the model changes. */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/slots.h"
#include "net/eye_private.h"

#define SUMMARY_MS 1000
#define LEAVE_MS   500

/* --- what is told ------------------------------------------------------------------------------ */

void eye_tell(struct target *t, enum probe_news news, int64_t lost, const char *why)
{
	int64_t now_ms = clock_mono_ms();
	const struct probe_facts facts = { .news = news,
					   .group_id = t->group_id,
					   .acknowledged = t->acknowledged,
					   .failed = t->failed,
					   .latency_us = t->latency_us,
					   .first_failed_ms = t->outage_ms,
					   .outage_failed = t->outage_failed,
					   .lost = lost };
	const struct observation obs = { .question = ASK_PROBE,
					 .node_id = t->node_id,
					 .recv_ms = now_ms,
					 .wall_ms = clock_wall_ms(),
					 .rtt_us = -1,
					 .text = why,
					 .u.probe = &facts };

	t->told_ms = now_ms;
	t->untold = false;
	t->eye->config.sink(&obs, t->eye->config.owner);
}

/* --- who is written to ------------------------------------------------------------------------- */

static void target_free(struct target *t)
{
	eye_close_link(t);
	free(t);
}

static void drop_target(struct eye *e, size_t index)
{
	target_free(e->targets[index]);
	e->targets[index] = e->targets[--e->target_count];
}

/* By the word of those whom clients ask. A Sentinel names the new master from its +switch-master on,
 * later than it says master of itself. */
static uint32_t named_master(const struct eye *e, const struct deployment *d, const struct group *g,
			     const struct target *t)
{
	const struct model *m = e->config.model;
	const struct sentinel_view *best = group_best_view(g);
	const struct node *n;

	if (d->kind == KIND_SENTINEL && best)
		n = model_find_node(m, d->id, &best->facts.addr);
	else if (d->kind == KIND_CLUSTER)
		n = model_node(m, slot_owner(d, t->slot));
	else
		n = model_node(m, g->master_id);
	return n ? n->id : 0;
}

static bool may_have_target(const struct deployment *d, const struct group *g)
{
	switch (d->kind) {
	case KIND_SENTINEL:
		return g->view_count > 0;
	case KIND_CLUSTER:
		return g->first_slot < SLOT_COUNT;
	case KIND_REPLICATION:
		return g->master_id != 0;
	case KIND_UNKNOWN:
		break;
	}
	return false;
}

/* What is told may change the model: d and g are not used behind it. */
static void add_target(struct eye *e, const struct deployment *d, const struct group *g)
{
	struct target *t = mem_alloc(sizeof(*t));

	t->eye = e;
	t->deployment_id = d->id;
	t->group_id = g->id;
	t->slot = SLOT_COUNT;
	t->latency_us = FACT_UNKNOWN;
	if (!eye_choose_key(t, d)) {
		free(t);
		return;
	}
	e->targets = mem_grow(e->targets, &e->target_cap, e->target_count + 1, sizeof(*e->targets));
	e->targets[e->target_count++] = t;
	t->generation = e->generation;
	HASH_ADD(hh, e->by_group, group_id, sizeof(t->group_id), t);
	t->named_id = t->node_id = named_master(e, d, g, t);
	eye_tell(t, PROBE_ON, FACT_UNKNOWN, NULL);
	eye_begin_write(t);
}

/* Another master is named. What is on its way to the old one goes to the new one instead; where others
 * have failed before, so has it. */
static void move_on(struct target *t, uint32_t named_id)
{
	bool follows = t->node_id == named_id && t->link; /* MOVED led there before */

	t->named_id = named_id;
	if (follows || named_id == 0)
		return;
	eye_close_link(t);
	if (t->state != WRITE_IDLE && t->outage_ms != 0)
		eye_fail_write(t, "another master is named");
	t->state = WRITE_IDLE;
	t->failures = 0;
	eye_begin_write(t);
}

static void follow_group(struct eye *e, uint32_t group_id)
{
	const struct group *g = model_group(e->config.model, group_id);
	const struct deployment *d = g ? model_deployment(e->config.model, g->deployment_id) : NULL;
	struct target *t;
	uint32_t named_id;

	if (!d || !may_have_target(d, g))
		return;
	HASH_FIND(hh, e->by_group, &group_id, sizeof(group_id), t);
	if (!t) {
		add_target(e, d, g);
		return;
	}
	t->generation = e->generation;
	/* The slot went to another shard, and the key with it. */
	if (d->kind == KIND_CLUSTER && slot_owner(d, t->slot) != 0 &&
	    !eye_fits_shard(e->config.model, d, group_id, t->slot))
		eye_choose_key(t, d);
	named_id = named_master(e, d, g, t);
	if (named_id != t->named_id)
		move_on(t, named_id);
}

static void leave(struct target *t)
{
	if (model_group(t->eye->config.model, t->group_id))
		eye_tell(t, PROBE_OFF, FACT_UNKNOWN, NULL);
	HASH_DEL(t->eye->by_group, t);
	t->leaving = true;
	t->leave_by_ms = eye_unlink_key(t) ? clock_mono_ms() + LEAVE_MS : 0;
}

static bool is_exception(const struct eye *e, uint32_t deployment_id)
{
	for (size_t i = 0; i < e->exception_count; i++)
		if (e->exceptions[i] == deployment_id)
			return true;
	return false;
}

static bool is_wanted(const struct eye *e, uint32_t deployment_id)
{
	if (!e->config.may_write(deployment_id, e->config.owner))
		return false;
	return e->all != is_exception(e, deployment_id);
}

static void drop_left(struct eye *e)
{
	int64_t now_ms = clock_mono_ms();

	for (size_t i = e->target_count; i-- > 0;)
		if (e->targets[i]->leaving && e->targets[i]->leave_by_ms <= now_ms)
			drop_target(e, i);
	if (e->target_count == 0)
		ev_timer_stop(e->config.loop, &e->timer);
	else if (!ev_is_active(&e->timer))
		ev_timer_again(e->config.loop, &e->timer);
}

/* Their ids: what is told while they are gone through may change the model. */
static size_t collect_groups(struct eye *e)
{
	const struct deployment *d;
	size_t cursor = 0, count = 0;

	while ((d = model_next_deployment(e->config.model, &cursor))) {
		if (!is_wanted(e, d->id))
			continue;
		e->groups = mem_grow(e->groups, &e->group_cap, count + d->group_count + 1,
				     sizeof(*e->groups));
		for (size_t i = 0; i < d->group_count; i++)
			e->groups[count++] = d->groups[i]->id;
	}
	return count;
}

void eye_follow(struct eye *e)
{
	size_t count;

	if (!e->all && e->exception_count == 0 && e->target_count == 0)
		return;
	e->generation++;
	count = collect_groups(e);
	for (size_t i = 0; i < count; i++)
		follow_group(e, e->groups[i]);
	for (size_t i = 0; i < e->target_count; i++)
		if (e->targets[i]->generation != e->generation && !e->targets[i]->leaving)
			leave(e->targets[i]);
	drop_left(e);
}

/* --- time -------------------------------------------------------------------------------------- */

static void target_tick(struct target *t, int64_t now_ms)
{
	if (t->state != WRITE_IDLE && now_ms - t->begun_ms >= EYE_DEADLINE_MS) {
		eye_close_link(t);
		eye_fail_write(t, t->state == WRITE_SENT ? "no reply within 0.5 s" :
						       "no connection within 0.5 s");
	}
	if (t->state == WRITE_IDLE && now_ms >= t->barred_until_ms)
		eye_begin_write(t);
	if (t->untold && now_ms - t->told_ms >= SUMMARY_MS)
		eye_tell(t, PROBE_SUMMARY, FACT_UNKNOWN, NULL);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct eye *e = w->data;
	int64_t now_ms = clock_mono_ms();

	(void)loop, (void)events;
	for (size_t i = 0; i < e->target_count; i++)
		if (!e->targets[i]->leaving)
			target_tick(e->targets[i], now_ms);
	drop_left(e);
}

/* --- the interface ----------------------------------------------------------------------------- */

struct eye *eye_new(const struct eye_config *config)
{
	struct eye *e = mem_alloc(sizeof(*e));

	e->config = *config;
	ev_timer_init(&e->timer, on_timer, EYE_EVERY_MS / 1000., EYE_EVERY_MS / 1000.);
	e->timer.data = e;
	return e;
}

void eye_free(struct eye *e)
{
	int64_t by_ms = clock_mono_ms() + LEAVE_MS;

	if (!e)
		return;
	e->all = false;
	e->exception_count = 0;
	eye_follow(e);
	while (e->target_count > 0 && clock_mono_ms() < by_ms) {
		ev_run(e->config.loop, EVRUN_ONCE);
		drop_left(e);
	}
	while (e->target_count > 0)
		drop_target(e, e->target_count - 1);
	ev_timer_stop(e->config.loop, &e->timer);
	resolver_free(e->resolver);
	free(e->targets);
	free(e->exceptions);
	free(e->groups);
	free(e);
}

void eye_set(struct eye *e, uint32_t deployment_id, bool on)
{
	for (size_t i = e->exception_count; i-- > 0;)
		if (e->exceptions[i] == deployment_id)
			e->exceptions[i] = e->exceptions[--e->exception_count];
	if (on != e->all) {
		e->exceptions = mem_grow(e->exceptions, &e->exception_cap, e->exception_count + 1,
					 sizeof(*e->exceptions));
		e->exceptions[e->exception_count++] = deployment_id;
	}
	eye_follow(e);
}

void eye_set_all(struct eye *e)
{
	e->all = true;
	e->exception_count = 0;
	eye_follow(e);
}

bool eye_is_on(const struct eye *e, uint32_t deployment_id)
{
	return is_wanted(e, deployment_id);
}

bool eye_settled(const struct eye *e)
{
	for (size_t i = 0; i < e->target_count; i++)
		if (!e->targets[i]->tried)
			return false;
	return true;
}
