/* One entry a node of the model, with its links; one a group, with what was asked about it.
 *
 * Here: entries, their links, and the interface. What is asked when is in watch_poll.c, and in
 * watch_hurry.c where something is wrong; what becomes of the answers, in watch_observe.c; masters
 * and shards, in watch_groups.c.
 *
 * Nothing here follows the model at once: a sink call only sets a flag, and the ev_prepare step at
 * the end of the turn adds and drops links. So no link is freed, and no pointer into the model is
 * held, while a callback of a link runs. */
#include "config.h"
#include "net/address_map.h"
#include "net/watch_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "net/resolver.h"
#include "redis/parse.h"

unsigned watch_give(struct watch *w, const struct observation *obs)
{
	unsigned topics = w->config.sink(obs, w->config.owner);

	if (topics & TOPIC_NODES)
		w->nodes_dirty = w->groups_now = true;
	if (topics & (TOPIC_HEALTH | TOPIC_TOPOLOGY))
		w->groups_dirty = true;
	if (topics & TOPIC_SELECTED)
		watch_follow_promotion(w);
	return topics;
}

struct entry *watch_find_entry(const struct watch *w, uint32_t node_id)
{
	struct entry *e;

	HASH_FIND(hh, w->by_id, &node_id, sizeof(node_id), e);
	return e;
}

/* The entry whose command link can be asked, or NULL. */
struct entry *watch_find_up(const struct watch *w, uint32_t node_id)
{
	struct entry *e = watch_find_entry(w, node_id);

	if (!e)
		e = watch_find_entry(w, model_node_resolve(w->config.model, node_id));
	return e && e->link && link_is_up(e->link) ? e : NULL;
}

bool watch_describe(const struct watch *w, uint32_t node_id, char *out, size_t size)
{
	const struct entry *e = watch_find_up(w, node_id);
	char addr[ENDPOINT_TEXT_BYTES], user[64], age[UNITS_BYTES];

	if (!e)
		return false;
	endpoint_format(link_addr(e->link), addr);
	text_clean(user, sizeof(user), link_user(e->link), strlen(link_user(e->link)));
	text_format(out, size, "to %s, %s, user %s, up for %s", addr,
		    link_is_tls(e->link)		? "TLS"
		    : endpoint_is_unix(link_addr(e->link)) ? "a Unix socket"
							    : "plain, not encrypted",
		    user, units_age((clock_mono_us() - link_up_us(e->link)) / 1000, age));
	return true;
}

/* What it says itself; until it does, what others say. */
enum server_mode watch_entry_mode(const struct entry *e)
{
	const struct node *n;

	if (e->mode != MODE_UNKNOWN)
		return e->mode;
	n = model_node(e->watch->config.model, e->id);
	if (n && n->is_sentinel)
		return MODE_SENTINEL;
	return n && n->member ? MODE_CLUSTER : MODE_UNKNOWN;
}

bool watch_is_plain(const struct entry *e)
{
	const struct model *m = e->watch->config.model;
	const struct node *n = model_node(m, e->id);
	const struct deployment *d = n ? model_deployment(m, n->deployment_id) : NULL;

	return d && d->kind == KIND_REPLICATION;
}

#define HELLO_WAIT_MS 2500 /* Sentinels say hello every 2 s */

/* --- links follow the model ------------------------------------------------------------------ */

static const struct net_profile *profile_of(const struct watch *w, const struct node *n)
{
	const struct deployment *d = model_deployment(w->config.model, n->deployment_id);

	return &w->config.profiles[d && d->profile < w->config.profile_count ? d->profile : 0];
}

/* As written for a target that its deployment announces otherwise; else as announced, and from there
 * where the map says that it is. */
static struct endpoint dial_address(const struct watch *w, const struct node *n)
{
	struct endpoint addr = endpoint_is_set(&n->dial) ? n->dial : n->addr;
	const struct address_map *map = profile_of(w, n)->map;

	if (map && !endpoint_is_set(&n->dial))
		address_map_apply(map, &addr);
	return addr;
}

/* A target that nobody has listed yet: it may be a Sentinel or a data node. */
static bool kind_is_open(const struct watch *w, const struct node *n)
{
	const struct deployment *d = model_deployment(w->config.model, n->deployment_id);

	return !n->mode_known && !n->is_sentinel && (!d || d->kind == KIND_UNKNOWN);
}

/* The two kinds are reached differently, and which it is nobody knows yet: one way is tried after
 * the other, the encrypted one first, and each with the credentials of its own kind only. */
static bool must_guess(const struct watch *w, const struct node *n)
{
	const struct net_profile *p = profile_of(w, n);

	return kind_is_open(w, n) && p->tls_data != p->tls_sentinel;
}

static enum credential_kind kind_of(const struct entry *e, const struct node *n)
{
	bool sentinel_first = profile_of(e->watch, n)->tls_sentinel != NULL;

	if (n->is_sentinel)
		return CREDENTIAL_SENTINEL;
	if (must_guess(e->watch, n) && sentinel_first != e->other_way)
		return CREDENTIAL_SENTINEL;
	return CREDENTIAL_DATA;
}

static const struct tls_context *tls_of(const struct entry *e, const struct node *n)
{
	const struct net_profile *p = profile_of(e->watch, n);

	return kind_of(e, n) == CREDENTIAL_SENTINEL ? p->tls_sentinel : p->tls_data;
}

/* What failed was the encrypted way with its credentials; the other one is next. Never after a
 * refused certificate: whoever shows a wrong one must not be given anything in clear. */
void watch_try_other_way(struct entry *e, enum server_error error)
{
	const struct node *n = model_node(e->watch->config.model, e->id);

	if (!n || !e->link || error == ERROR_TLS || !link_reached(e->link) ||
	    !must_guess(e->watch, n))
		return;
	e->other_way = !e->other_way;
	e->ways_failed++;
	link_set_tls(e->link, tls_of(e, n));
	link_set_credential_kind(e->link, kind_of(e, n));
}

static struct link *new_link(struct entry *e, const struct node *n, bool events)
{
	const struct watch_config *c = &e->watch->config;
	const struct net_profile *profile = profile_of(e->watch, n);
	struct link_config config = {
		.loop = c->loop,
		.resolver = e->watch->resolver,
		.credentials = profile->credentials,
		.tls = tls_of(e, n),
		.addr = dial_address(e->watch, n),
		.identity = endpoint_is_set(&n->dial) ? n->dial : n->addr,
		.credential_kind = kind_of(e, n),
		.try_both_credentials = kind_is_open(e->watch, n) && !must_guess(e->watch, n),
		.timeout_ms = c->timeout_ms,
		.subscribe = events,
		.hello = events && !n->is_sentinel,
		.callbacks = events ? watch_event_callbacks : watch_command_callbacks,
		.owner = e,
	};

	return link_new(&config);
}

static void close_link(struct watch *w, struct link **l)
{
	if (*l)
		w->bytes_in_closed += link_bytes_in(*l);
	link_free(*l);
	*l = NULL;
}

static void close_command_link(struct entry *e)
{
	bool was_up = e->link && link_is_up(e->link);

	close_link(e->watch, &e->link);
	if (was_up && watch_entry_mode(e) == MODE_SENTINEL)
		watch_forget_unanswered(e->watch);
	e->state = LINK_NONE;
	e->mode = MODE_UNKNOWN;
	watch_abandon_actions(e->watch, e->id);
}

static void drop_entry(struct entry *e)
{
	struct watch *w = e->watch;

	close_command_link(e);
	close_link(w, &e->events);
	HASH_DEL(w->by_id, e);
	w->entries[e->index] = w->entries[--w->entry_count];
	w->entries[e->index]->index = e->index;
	free(e);
}

static struct entry *add_entry(struct watch *w, uint32_t node_id)
{
	struct entry *e = mem_alloc(sizeof(*e));

	e->id = node_id;
	e->watch = w;
	e->index = w->entry_count;
	w->entries = mem_grow(w->entries, &w->entry_cap, w->entry_count + 1, sizeof(*w->entries));
	w->entries[w->entry_count++] = e;
	HASH_ADD(hh, w->by_id, id, sizeof(e->id), e);
	return e;
}

/* A link that works is kept when its node gets another name; one that does not dials anew. */
static void follow_address(struct entry *e, struct link **l, const struct endpoint *addr)
{
	if (!*l || link_is_up(*l) || endpoint_equal(link_addr(*l), addr))
		return;
	if (l == &e->link)
		close_command_link(e);
	else
		close_link(e->watch, l);
}

/* Messages of every Sentinel; hellos on data nodes that lead to Sentinels not known yet. */
static bool wants_events(const struct watch *w, const struct entry *e, const struct node *n)
{
	if (n->is_sentinel)
		return w->config.subscribe;
	return n->watchers > 0 && n->link.state == LINK_UP && watch_is_plain(e);
}

static void follow_node(struct watch *w, const struct node *n)
{
	const struct endpoint dial = dial_address(w, n), *addr = &dial;
	enum credential_kind kind;
	struct entry *e = watch_find_entry(w, n->id);

	if (!e)
		e = add_entry(w, n->id);
	e->generation = w->generation;
	if (!endpoint_is_set(addr))
		return;
	follow_address(e, &e->link, addr);
	follow_address(e, &e->events, addr);
	if (!e->link)
		e->link = new_link(e, n, false);
	kind = kind_of(e, n);
	if (!kind_is_open(w, n))
		link_set_credential_kind(e->link, kind);
	link_set_tls(e->link, tls_of(e, n));
	if (!wants_events(w, e, n)) {
		close_link(w, &e->events);
		e->hello_since_ms = 0;
	} else if (!e->events) {
		e->events = new_link(e, n, true);
		e->hello_since_ms = n->is_sentinel ? 0 : clock_mono_ms();
	}
	if (n->mode_known && e->events)
		link_set_credential_kind(e->events, kind);
}

static void follow_nodes(struct watch *w)
{
	const struct node *n;
	size_t cursor = 0;

	w->nodes_dirty = false;
	w->generation++;
	while ((n = model_next_node(w->config.model, &cursor)))
		follow_node(w, n);
	for (size_t i = w->entry_count; i-- > 0;)
		if (w->entries[i]->generation != w->generation)
			drop_entry(w->entries[i]);
}

static void on_follow(struct ev_loop *loop, ev_prepare *p, int events)
{
	struct watch *w = p->data;

	(void)loop;
	(void)events;
	if (w->nodes_dirty)
		follow_nodes(w);
	watch_scan_groups_if_due(w);
}

/* --- the interface --------------------------------------------------------------------------- */

struct watch *watch_new(const struct watch_config *config)
{
	struct watch *w = mem_alloc(sizeof(*w));

	w->config = *config;
	w->resolver = resolver_new(config->loop);
	w->parser = parser_new();
	w->nodes_dirty = true;
	ev_prepare_init(&w->follow, on_follow);
	w->follow.data = w;
	ev_prepare_start(config->loop, &w->follow);
	watch_init_hurry(w);
	watch_init_groups(w);
	watch_init_rounds(w);
	return w;
}

/* Calls nothing back, not even for actions under way: whoever waits for them is going, too. */
void watch_free(struct watch *w)
{
	if (!w)
		return;
	while (w->actions) {
		struct pending_action *a = w->actions;

		w->actions = a->next;
		free(a);
	}
	while (w->entry_count > 0)
		drop_entry(w->entries[w->entry_count - 1]);
	w->generation++;
	watch_forget_groups(w);
	ev_prepare_stop(w->config.loop, &w->follow);
	ev_timer_stop(w->config.loop, &w->slice_timer);
	ev_timer_stop(w->config.loop, &w->hurry_timer);
	ev_timer_stop(w->config.loop, &w->promotion_timer);
	ev_timer_stop(w->config.loop, &w->scan_timer);
	parser_free(w->parser);
	resolver_free(w->resolver);
	free(w->entries);
	free(w);
}

void watch_add_target(struct watch *w, const struct endpoint *target, uint32_t profile,
		      const char *name)
{
	const struct target_facts facts = { .addr = *target, .profile = profile, .name = name };
	struct observation obs = { .question = ASK_TARGET, .recv_ms = clock_mono_ms(),
				   .wall_ms = clock_wall_ms(), .rtt_us = -1 };

	obs.u.target = &facts;
	watch_give(w, &obs);
	w->nodes_dirty = true;
}

void watch_set_interval(struct watch *w, int64_t interval_ms)
{
	if (interval_ms == w->config.interval_ms)
		return;
	w->config.interval_ms = interval_ms;
	watch_start_rounds(w);
	ev_timer_stop(w->config.loop, &w->hurry_timer);
	w->groups_dirty = true;
}

void watch_poll_now(struct watch *w)
{
	for (size_t i = 0; i < w->entry_count; i++) {
		struct entry *e = w->entries[i];

		if (e->link)
			link_retry_now(e->link);
		if (e->events)
			link_retry_now(e->events);
	}
	watch_poll_all_now(w);
}

/* --- is all known ---------------------------------------------------------------------------- */

/* Both ways must have failed before that is the answer. */
static bool other_way_is_next(const struct entry *e)
{
	const struct node *n = model_node(e->watch->config.model, e->id);

	return n && e->ways_failed == 1 && must_guess(e->watch, n);
}

static bool entry_settled(const struct entry *e)
{
	uint32_t needed = 1u << ASK_INFO;

	if (!e->link)
		return true;
	if (e->state >= LINK_FAILED)
		return !other_way_is_next(e);
	if (e->state != LINK_UP)
		return false;
	if (!(e->done & needed))
		return false;
	switch (watch_entry_mode(e)) {
	case MODE_SENTINEL:
		needed |= 1u << ASK_SENTINEL_MYID | 1u << ASK_SENTINEL_MASTERS;
		break;
	case MODE_CLUSTER:
		needed |= 1u << ASK_CLUSTER_INFO | (e->asked & 1u << ASK_CLUSTER_NODES);
		break;
	case MODE_STANDALONE:
		needed |= e->asked & 1u << ASK_SENTINEL_WATCHERS;
		if (e->hello_since_ms != 0 && clock_mono_ms() - e->hello_since_ms < HELLO_WAIT_MS)
			return false;
		break;
	case MODE_UNKNOWN:
		break;
	}
	/* What could not be asked, a Sentinel that only others call one, is not waited for. */
	return ((e->asked & needed) & ~e->done) == 0;
}

bool watch_settled(const struct watch *w)
{
	const struct deployment *d;
	size_t cursor = 0;

	if (w->nodes_dirty || w->groups_now)
		return false;
	for (size_t i = 0; i < w->entry_count; i++)
		if (!entry_settled(w->entries[i]))
			return false;
	while ((d = model_next_deployment(w->config.model, &cursor)))
		for (size_t i = 0; d->kind == KIND_SENTINEL && i < d->group_count; i++)
			if (!watch_group_is_known(w, d->groups[i]))
				return false;
	return true;
}

uint64_t watch_bytes_in(const struct watch *w)
{
	uint64_t sum = w->bytes_in_closed;

	for (size_t i = 0; i < w->entry_count; i++) {
		const struct entry *e = w->entries[i];

		sum += (e->link ? link_bytes_in(e->link) : 0) +
		       (e->events ? link_bytes_in(e->events) : 0);
	}
	return sum;
}

uint64_t watch_requests(const struct watch *w)
{
	return w->requests;
}
