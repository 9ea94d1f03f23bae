/* One entry a node of the model, with its links; one a group, with what was asked about it.
 *
 * Reading order: entries and links; asking; replies; groups; the rounds; the interface.
 *
 * Nothing here follows the model at once: a sink call only sets a flag, and the ev_prepare step at
 * the end of the turn adds and drops links. So no link is freed, and no pointer into the model is
 * held, while a callback of a link runs.
 *
 * A round is one interval. It is cut into slices of about SLICE_NODES nodes, so that a thousand
 * nodes are no long turn of the loop; a small fleet has one slice and one timer event a round. */
#include "config.h"
#include "net/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "model/health.h"
#include "net/link.h"
#include "net/resolver.h"
#include "net/schedule.h"
#include "redis/parse.h"
#include "redis/sentinel.h"

#define SLICE_NODES         64
#define SLICE_GROUPS        32    /* their questions may all go to one Sentinel: LINK_MAX_PENDING */
#define SLICE_MIN_MS        20
#define NODES_FRESH_MS      5000  /* an unchanged CLUSTER NODES is applied again after this */
#define NODES_FROM_ALL_MAX  100   /* in clusters up to this size all are asked for CLUSTER NODES */
#define NODES_ON_CHANGE_MAX 3     /* a round, in larger ones */
#define RESYNC_GROUPS_MAX   32    /* asked at once after a subscription; the round does the rest */
#define SCAN_EVERY_MS       20
#define MASTERS_PER_TOKEN   1     /* of SENTINEL MASTERS, while hurrying */
#define PROMOTION_MAX_MS    30000

struct entry { /* a node that is watched */
	UT_hash_handle hh;
	uint32_t id;
	size_t index;            /* in watch->entries */
	struct watch *watch;
	struct link *link;
	struct link *events;     /* subscribed; Sentinels only */
	enum link_state state;   /* of link */
	enum server_mode mode;   /* by its INFO */
	unsigned generation;     /* of the last reconcile that met it */
	uint32_t asked, done;    /* bits by question, since the link came up */
	bool have_cluster_info;
	struct cluster_info_facts cluster_info;
	uint64_t nodes_hash;     /* of the last CLUSTER NODES applied, without its time stamps */
	int64_t nodes_applied_ms;
};

struct group_entry {
	UT_hash_handle hh;
	uint32_t id;
	unsigned generation;
	uint32_t asked, done;    /* bits by question: what is asked per master, the first time */
	uint32_t hurried;        /* bits by question: extra ones without an answer yet */
	int64_t trouble_ms;      /* when something was wrong last; 0 never */
};

struct pending_action {
	struct pending_action *next;
	uint32_t token, tag;
	uint32_t node_id;
	watch_action_done *done;
	void *owner;
};

struct watch {
	struct watch_config config;
	struct resolver *resolver;
	struct parser *parser;
	struct entry *by_id;
	struct entry **entries;  /* owned; in no order */
	size_t entry_count, entry_cap;
	struct group_entry *groups;
	struct pending_action *actions;
	uint32_t last_token;
	ev_prepare follow;
	ev_timer slice_timer, hurry_timer, promotion_timer, scan_timer;
	unsigned round, slice, slices;
	unsigned nodes_on_change; /* CLUSTER NODES asked in this round because of a change */
	unsigned generation;
	bool nodes_dirty;        /* the links do not follow the model yet */
	bool groups_dirty;       /* something got better or worse */
	bool groups_now;         /* groups may have come: not to be put off */
	bool details_waiting;    /* a link was full */
	int64_t scanned_ms;
	size_t sentinel_groups;  /* masters that Sentinels watch, at the last scan */
	uint32_t hurry_first;    /* the group whose turn it is to be first */
	double hurry_tokens;
	int64_t hurry_tokens_ms;
	uint64_t requests, bytes_in_closed;
};

static const uint32_t group_questions =
    1u << ASK_SENTINEL_REPLICAS | 1u << ASK_SENTINEL_SENTINELS | 1u << ASK_SENTINEL_CKQUORUM;

static unsigned give(struct watch *w, const struct observation *obs)
{
	unsigned topics = w->config.sink(obs, w->config.owner);

	if (topics & TOPIC_NODES)
		w->nodes_dirty = w->groups_now = true;
	if (topics & (TOPIC_HEALTH | TOPIC_TOPOLOGY))
		w->groups_dirty = true;
	if ((topics & TOPIC_SELECTED) && !ev_is_active(&w->promotion_timer)) {
		ev_timer_set(&w->promotion_timer, 0., POLL_PROMOTION_EVERY_MS / 1000.);
		ev_timer_start(w->config.loop, &w->promotion_timer);
	}
	return topics;
}

static struct entry *find_entry(const struct watch *w, uint32_t node_id)
{
	struct entry *e;

	HASH_FIND(hh, w->by_id, &node_id, sizeof(node_id), e);
	return e;
}

/* The entry whose command link can be asked, or NULL. */
static struct entry *find_up(const struct watch *w, uint32_t node_id)
{
	struct entry *e = find_entry(w, node_id);

	if (!e)
		e = find_entry(w, model_node_resolve(w->config.model, node_id));
	return e && e->link && link_is_up(e->link) ? e : NULL;
}

/* What it says itself; until it does, what others say. */
static enum server_mode entry_mode(const struct entry *e)
{
	const struct node *n;

	if (e->mode != MODE_UNKNOWN)
		return e->mode;
	n = model_node(e->watch->config.model, e->id);
	if (n && n->is_sentinel)
		return MODE_SENTINEL;
	return n && n->member ? MODE_CLUSTER : MODE_UNKNOWN;
}

/* --- asking ------------------------------------------------------------------------------------ */

static bool ask(struct entry *e, enum question q, const struct group *g)
{
	if (!e->link || !link_ask(e->link, q, g ? g->name : NULL, g ? g->id : 0))
		return false;
	e->asked |= 1u << q;
	e->watch->requests++;
	return true;
}

/* Without an argument: not again while the same is unanswered. */
static bool ask_once(struct entry *e, enum question q)
{
	return e->link && !link_has_pending(e->link, q) && ask(e, q, NULL);
}

/* False when the extra requests of this second are used up. MASTERS tells of all masters, so that
 * where there are hundreds, five times as often would be megabytes a second: it counts for more. */
static bool take_hurry_token(struct watch *w, enum question q)
{
	double cost = 1.;

	if (q == ASK_SENTINEL_MASTERS)
		cost += (double)w->sentinel_groups / MASTERS_PER_TOKEN;
	if (w->hurry_tokens < cost)
		return false;
	w->hurry_tokens -= cost;
	return true;
}

static bool poll_is_for(const struct poll *p, enum server_mode mode)
{
	switch (p->whom) {
	case POLL_EVERY_NODE:
		return true;
	case POLL_EVERY_SENTINEL:
		return mode == MODE_SENTINEL;
	case POLL_EVERY_CLUSTER_NODE:
		return mode == MODE_CLUSTER;
	case POLL_ONE_CLUSTER_NODE:
	case POLL_ONE_SENTINEL_PER_MASTER:
	case POLL_SENTINEL_ONCE:
		return false;
	}
	return false;
}

static void poll_entry(struct entry *e, bool hurry)
{
	enum server_mode mode;

	if (!e->link || !link_is_up(e->link))
		return;
	mode = entry_mode(e);
	for (unsigned i = 0; i < poll_count; i++) {
		const struct poll *p = &polls[i];

		if (!poll_is_for(p, mode) || link_has_pending(e->link, p->question))
			continue;
		if (!hurry && (e->watch->round + e->id) % p->every != 0)
			continue;
		if (hurry && (!p->hurry || !take_hurry_token(e->watch, p->question)))
			continue;
		ask(e, p->question, NULL);
	}
}

/* The Sentinels that watch a group take turns, so that each master is asked about once a round and
 * no Sentinel answers for all. */
static struct entry *sentinel_in_turn(const struct watch *w, const struct group *g, unsigned turn)
{
	size_t up = 0;

	for (size_t i = 0; i < g->view_count; i++)
		up += find_up(w, g->views[i].sentinel_id) != NULL;
	if (up == 0)
		return NULL;
	up = turn % up;
	for (size_t i = 0; i < g->view_count; i++) {
		struct entry *e = find_up(w, g->views[i].sentinel_id);

		if (e && up-- == 0)
			return e;
	}
	return NULL;
}

/* In a hurry, ge is the group's entry; else NULL. Each group has a question of its own under way,
 * whatever else its Sentinel was asked. */
static void poll_group(struct watch *w, const struct group *g, struct group_entry *ge)
{
	struct entry *e = sentinel_in_turn(w, g, w->round + g->id);

	if (!e)
		return;
	for (unsigned i = 0; i < poll_count; i++) {
		const struct poll *p = &polls[i];
		uint32_t bit = 1u << p->question;

		if (p->whom != POLL_ONE_SENTINEL_PER_MASTER)
			continue;
		if (!ge && (w->round + g->id) % p->every != 0)
			continue;
		if (ge && (!p->hurry || (ge->hurried & bit) || !take_hurry_token(w, p->question)))
			continue;
		if (ask(e, p->question, g) && ge)
			ge->hurried |= bit;
	}
}

/* One reachable node of each cluster, another one each round. */
static void poll_cluster(struct watch *w, const struct deployment *d)
{
	size_t cursor = 0, up = 0, turn;
	const struct node *n;

	while ((n = model_next_member(w->config.model, d->id, &cursor)))
		up += find_up(w, n->id) != NULL;
	if (up == 0)
		return;
	turn = w->round % up;
	cursor = 0;
	while ((n = model_next_member(w->config.model, d->id, &cursor))) {
		struct entry *e = find_up(w, n->id);

		if (!e || turn-- != 0)
			continue;
		ask_once(e, ASK_CLUSTER_NODES);
		return;
	}
}

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
static void ask_follow_ups(struct entry *e)
{
	enum server_mode mode = entry_mode(e);

	if (mode == MODE_SENTINEL) {
		for (unsigned i = 0; i < poll_count; i++)
			if (polls[i].whom == POLL_SENTINEL_ONCE || polls[i].whom == POLL_EVERY_SENTINEL)
				ask_once(e, polls[i].question);
	} else if (mode == MODE_CLUSTER) {
		ask_once(e, ASK_CLUSTER_INFO);
		if (wants_first_nodes(e))
			ask_once(e, ASK_CLUSTER_NODES);
	}
}

/* --- replies ----------------------------------------------------------------------------------- */

static uint64_t hash_bytes(uint64_t h, const char *s, size_t len)
{
	const uint64_t prime = 0x9fb21c651e98df25u;

	for (; len >= 8; s += 8, len -= 8) {
		uint64_t word;

		memcpy(&word, s, 8);
		h = (h ^ word) * prime;
		h ^= h >> 32;
	}
	for (; len > 0; s++, len--) {
		h = (h ^ (unsigned char)*s) * prime;
		h ^= h >> 32;
	}
	return h;
}

static const char *skip_fields(const char *s, const char *end, int fields)
{
	while (s && fields-- > 0) {
		s = memchr(s, ' ', (size_t)(end - s));
		if (s)
			s++;
	}
	return s;
}

/* Of all but the ping and pong stamps, the 5th and 6th field of a line: cluster.c:
 * clusterGenNodeDescription. Kept instead of the text, which is 100 kB in a large cluster. */
static uint64_t hash_cluster_nodes(const char *text, size_t len)
{
	const char *end = text + len;
	uint64_t h = 0xcbf29ce484222325u; /* not of len: a ping stamp is 0 or 13 digits long */

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline + 1 : end;
		const char *stamps = skip_fields(text, line_end, 4);
		const char *rest = skip_fields(stamps, line_end, 2);

		if (rest) {
			h = hash_bytes(h, text, (size_t)(stamps - text));
			text = rest;
		}
		h = hash_bytes(h, text, (size_t)(line_end - text));
		text = line_end;
	}
	return h;
}

/* True when the model was told the same by this node a moment ago: nothing to parse. */
static bool nodes_known(struct entry *e, const struct reply *reply, int64_t now_ms)
{
	uint64_t hash;

	if (reply->type != REPLY_STRING)
		return false;
	hash = hash_cluster_nodes(reply->str, reply->len);
	if (hash == e->nodes_hash && e->nodes_applied_ms != 0 &&
	    now_ms - e->nodes_applied_ms < NODES_FRESH_MS)
		return true;
	e->nodes_hash = hash;
	e->nodes_applied_ms = now_ms;
	return false;
}

static bool cluster_info_changed(const struct cluster_info_facts *a,
				 const struct cluster_info_facts *b)
{
	return a->state_ok != b->state_ok || a->slots_assigned != b->slots_assigned ||
	       a->slots_ok != b->slots_ok || a->slots_pfail != b->slots_pfail ||
	       a->slots_fail != b->slots_fail || a->known_nodes != b->known_nodes ||
	       a->size != b->size || a->current_epoch != b->current_epoch ||
	       a->my_epoch != b->my_epoch;
}

/* CLUSTER INFO is the change detector: what changed is read from the node that noticed. After a
 * failover in a large cluster that is every node, so there only some are asked. */
static void after_cluster_info(struct entry *e, const struct cluster_info_facts *facts)
{
	struct watch *w = e->watch;
	bool changed = e->have_cluster_info && cluster_info_changed(&e->cluster_info, facts);

	e->cluster_info = *facts;
	e->have_cluster_info = true;
	if (!changed)
		return;
	if (facts->known_nodes > NODES_FROM_ALL_MAX && w->nodes_on_change >= NODES_ON_CHANGE_MAX)
		return;
	if (ask_once(e, ASK_CLUSTER_NODES))
		w->nodes_on_change++;
}

static struct group_entry *find_group(const struct watch *w, uint32_t group_id)
{
	struct group_entry *ge;

	HASH_FIND(hh, w->groups, &group_id, sizeof(group_id), ge);
	return ge;
}

/* An answer of any kind settles a question; without one, another Sentinel is asked. */
static void note_group_answer(struct watch *w, enum question q, uint32_t group_id,
			      enum answer answer)
{
	uint32_t bit = 1u << q;
	struct group_entry *ge = group_questions & bit ? find_group(w, group_id) : NULL;

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

static void action_done(struct watch *w, uint32_t token, enum answer answer,
			enum server_error error, const char *text)
{
	for (struct pending_action **p = &w->actions; *p; p = &(*p)->next) {
		struct pending_action *a = *p;

		if (a->token != token)
			continue;
		*p = a->next;
		a->done(a->tag, answer, error, text, a->owner);
		free(a);
		return;
	}
}

static void take_action_reply(struct watch *w, uint32_t token, const struct reply *reply,
			      enum answer failure)
{
	char text[256] = "";

	if (!reply) {
		action_done(w, token, failure, ERROR_OTHER,
			    failure == ANSWER_TIMEOUT ? "no reply in time" : "connection lost");
		return;
	}
	if (reply->type == REPLY_INTEGER)
		snprintf(text, sizeof(text), "%" PRId64, reply->integer);
	else if (reply->str)
		text_clean(text, sizeof(text), reply->str, reply->len);
	if (reply->type == REPLY_ERROR)
		action_done(w, token, ANSWER_REFUSED, error_classify(reply->str, reply->len), text);
	else
		action_done(w, token, ANSWER_OK, ERROR_NONE, text);
}

/* Before the sink: what the answer is needed for here. obs->u is the parser's, gone afterwards. */
static void before_apply(struct entry *e, const struct observation *obs)
{
	if (obs->question == ASK_INFO && obs->answer == ANSWER_OK && obs->u.info)
		e->mode = obs->u.info->mode;
	if (obs->question == ASK_CLUSTER_INFO && obs->answer == ANSWER_OK && obs->u.cluster_info)
		after_cluster_info(e, obs->u.cluster_info);
}

static void on_reply(struct link *l, enum question q, const char *arg, uint32_t tag,
		     const struct reply *reply, enum answer failure, int64_t sent_us, int64_t recv_us,
		     void *owner)
{
	struct entry *e = owner;
	struct watch *w = e->watch;
	struct observation obs = { .question = q, .answer = failure, .node_id = e->id, .arg = arg,
				   .sent_ms = sent_us / 1000, .recv_ms = recv_us / 1000,
				   .rtt_us = -1 };
	bool first = !(e->done & 1u << q);
	unsigned topics;

	(void)l;
	if (q == ASK_ACTION) {
		take_action_reply(w, tag, reply, failure);
		return;
	}
	e->done |= 1u << q;
	obs.wall_ms = clock_wall_ms();
	if (reply) {
		obs.rtt_us = recv_us - sent_us > INT32_MAX ? INT32_MAX : (int32_t)(recv_us - sent_us);
		if (q == ASK_CLUSTER_NODES && nodes_known(e, reply, obs.recv_ms))
			return;
		parse_reply(w->parser, reply, &obs);
		before_apply(e, &obs);
	}
	note_group_answer(w, q, tag, obs.answer);
	topics = give(w, &obs);
	if (q == ASK_INFO && first)
		ask_follow_ups(e);
	if (q == ASK_SENTINEL_MASTERS && (first || (topics & TOPIC_TOPOLOGY)))
		w->groups_now = true;
}

static void on_message(struct link *l, const char *channel, size_t channel_len,
		       const char *payload, size_t payload_len, void *owner)
{
	struct entry *e = owner;
	struct sentinel_message message;
	struct observation obs = { .question = ASK_MESSAGE, .node_id = e->id,
				   .recv_ms = clock_mono_ms(), .wall_ms = clock_wall_ms(),
				   .rtt_us = -1 };

	(void)l;
	sentinel_message_parse(&message, channel, channel_len, payload, payload_len);
	obs.u.message = &message;
	give(e->watch, &obs);
}

static void give_link_state(struct entry *e, bool events, enum link_state state,
			    enum server_error error, const char *reason)
{
	struct link_facts facts = { .state = state, .events = events };
	struct observation obs = { .question = ASK_LINK, .node_id = e->id, .error = error,
				   .text = reason, .recv_ms = clock_mono_ms(),
				   .wall_ms = clock_wall_ms(), .rtt_us = -1 };

	obs.u.link = &facts;
	give(e->watch, &obs);
}

static void on_state(struct link *l, enum link_state state, enum server_error error,
		     const char *reason, void *owner)
{
	struct entry *e = owner;

	(void)l;
	e->state = state;
	give_link_state(e, false, state, error, reason);
	if (state != LINK_UP)
		return;
	e->asked = 0;
	e->done = 0;
	e->nodes_applied_ms = 0; /* another process may answer now */
	e->have_cluster_info = false;
	ask_once(e, ASK_INFO);
	e->watch->groups_now = true; /* a Sentinel more that can be asked */
}

/* Published events are never repeated, so all that they could have told is read again. */
static void on_event_state(struct link *l, enum link_state state, enum server_error error,
			   const char *reason, void *owner)
{
	struct entry *e = owner;
	const struct model *m = e->watch->config.model;
	const struct node *n;
	const struct deployment *d;

	(void)l;
	give_link_state(e, true, state, error, reason);
	n = state == LINK_UP ? model_node(m, e->id) : NULL;
	if (!n || !e->link || !link_is_up(e->link))
		return;
	ask_once(e, ASK_SENTINEL_MASTERS);
	d = model_deployment(m, n->deployment_id);
	for (size_t i = 0; d && i < d->group_count && i < RESYNC_GROUPS_MAX; i++) {
		ask(e, ASK_SENTINEL_REPLICAS, d->groups[i]);
		ask(e, ASK_SENTINEL_SENTINELS, d->groups[i]);
	}
}

/* --- links follow the model -------------------------------------------------------------------- */

static struct link *new_link(struct entry *e, const struct node *n, bool events)
{
	const struct watch_config *c = &e->watch->config;
	struct link_config config = {
		.loop = c->loop,
		.resolver = e->watch->resolver,
		.credentials = c->credentials,
		.addr = endpoint_is_set(&n->dial) ? n->dial : n->addr,
		.credential_kind = n->is_sentinel ? CREDENTIAL_SENTINEL : CREDENTIAL_DATA,
		.try_both_credentials = !n->mode_known,
		.timeout_ms = c->timeout_ms,
		.subscribe = events,
		.callbacks = { .state = events ? on_event_state : on_state,
			       .reply = on_reply, .message = on_message },
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

/* Closing a link calls nothing back, so what waits for a reply on it is told here. */
static void abandon_actions(struct watch *w, uint32_t node_id)
{
	struct pending_action *a = w->actions;

	while (a) {
		if (a->node_id != node_id) {
			a = a->next;
			continue;
		}
		action_done(w, a->token, ANSWER_LOST, ERROR_OTHER, "connection closed");
		a = w->actions;
	}
}

/* Nor does anyone hear that the masters' questions under way there are lost: they are asked again. */
static void forget_unanswered(struct watch *w)
{
	struct group_entry *ge, *next;

	HASH_ITER(hh, w->groups, ge, next) {
		ge->asked &= ge->done;
		ge->hurried = 0;
	}
	w->groups_now = true;
}

static void close_command_link(struct entry *e)
{
	bool was_up = e->link && link_is_up(e->link);

	close_link(e->watch, &e->link);
	if (was_up && entry_mode(e) == MODE_SENTINEL)
		forget_unanswered(e->watch);
	e->state = LINK_NONE;
	e->mode = MODE_UNKNOWN;
	abandon_actions(e->watch, e->id);
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

static void follow_node(struct watch *w, const struct node *n)
{
	const struct endpoint *addr = endpoint_is_set(&n->dial) ? &n->dial : &n->addr;
	enum credential_kind kind = n->is_sentinel ? CREDENTIAL_SENTINEL : CREDENTIAL_DATA;
	struct entry *e = find_entry(w, n->id);

	if (!e)
		e = add_entry(w, n->id);
	e->generation = w->generation;
	if (!endpoint_is_set(addr))
		return;
	follow_address(e, &e->link, addr);
	follow_address(e, &e->events, addr);
	if (!e->link)
		e->link = new_link(e, n, false);
	if (n->mode_known)
		link_set_credential_kind(e->link, kind);
	if (!n->is_sentinel)
		close_link(w, &e->events);
	else if (!e->events && w->config.subscribe)
		e->events = new_link(e, n, true);
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

/* --- groups ------------------------------------------------------------------------------------ */

/* All that is asked about a master, the first time, without waiting for the round. */
static void ask_details(struct watch *w, struct group_entry *ge, const struct group *g)
{
	struct entry *e;

	if ((ge->asked & group_questions) == group_questions)
		return;
	e = sentinel_in_turn(w, g, g->id);
	if (!e)
		return;
	for (unsigned q = 0; q < ASK_COUNT; q++) {
		uint32_t bit = 1u << q;

		if (!(group_questions & bit) || (ge->asked & bit))
			continue;
		if (ask(e, q, g))
			ge->asked |= bit;
		else
			w->details_waiting = true;
	}
}

static struct group_entry *meet_group(struct watch *w, uint32_t id)
{
	struct group_entry *ge = find_group(w, id);

	if (!ge) {
		ge = mem_alloc(sizeof(*ge));
		ge->id = id;
		HASH_ADD(hh, w->groups, id, sizeof(ge->id), ge);
	}
	ge->generation = w->generation;
	return ge;
}

static void forget_groups(struct watch *w)
{
	struct group_entry *ge, *next;

	HASH_ITER(hh, w->groups, ge, next) {
		if (ge->generation == w->generation)
			continue;
		HASH_DEL(w->groups, ge);
		free(ge);
	}
}

static bool hurries(const struct group_entry *ge, int64_t now_ms)
{
	return ge->trouble_ms != 0 && now_ms - ge->trouble_ms < POLL_HURRY_AFTER_MS;
}

static void set_hurry(struct watch *w, bool wanted, int64_t now_ms)
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

static void scan_groups(struct watch *w)
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
			hurry |= hurries(ge, now_ms);
			if (d->kind != KIND_SENTINEL)
				continue;
			w->sentinel_groups++;
			ask_details(w, ge, d->groups[i]);
		}
	}
	forget_groups(w);
	set_hurry(w, hurry, now_ms);
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

static void on_follow(struct ev_loop *loop, ev_prepare *p, int events)
{
	struct watch *w = p->data;

	(void)loop;
	(void)events;
	if (w->nodes_dirty)
		follow_nodes(w);
	/* A thousand links that come up are a thousand changes of health: one scan does for many. */
	if (w->groups_now || (w->groups_dirty && clock_mono_ms() - w->scanned_ms >= SCAN_EVERY_MS))
		scan_groups(w);
	else if (w->groups_dirty && !ev_is_active(&w->scan_timer))
		start_scan_timer(w);
}

/* --- the rounds -------------------------------------------------------------------------------- */

static void hurry_group(struct watch *w, const struct group *g, struct group_entry *ge)
{
	for (size_t i = 0; i < g->member_count; i++) {
		struct entry *e = find_up(w, g->member_ids[i]);

		if (e)
			poll_entry(e, true);
	}
	for (size_t i = 0; i < g->view_count; i++) {
		struct entry *e = find_up(w, g->views[i].sentinel_id);

		if (e)
			poll_entry(e, true);
	}
	poll_group(w, g, ge);
}

/* Each time another group is the first, since tokens and links may not do for all. */
static void hurry_groups(struct watch *w, int64_t now_ms)
{
	struct group_entry *first = find_group(w, w->hurry_first), *ge;

	if (!first)
		first = w->groups;
	ge = first;
	while (ge) {
		const struct group *g = model_group(w->config.model, ge->id);
		struct group_entry *next = ge->hh.next ? ge->hh.next : w->groups;

		if (g && hurries(ge, now_ms))
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
			e = find_up(w, g->failover.selected_id);
			if (e)
				ask_once(e, ASK_ROLE);
		}
	}
	if (!any)
		ev_timer_stop(loop, t);
}

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
	scan_groups(w);
	while ((d = model_next_deployment(w->config.model, &cursor)))
		if (d->kind == KIND_CLUSTER)
			poll_cluster(w, d);
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
				poll_group(w, d->groups[i], NULL);
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
		poll_entry(w->entries[i], false);
	poll_groups_of_slice(w, slice);
	w->groups_now |= w->details_waiting;
}

static void on_slice(struct ev_loop *loop, ev_timer *t, int events)
{
	(void)loop;
	(void)events;
	run_slice(t->data);
}

/* --- the interface ----------------------------------------------------------------------------- */

static void start_rounds(struct watch *w)
{
	w->slice = 0;
	w->slices = wanted_slices(w);
	w->slice_timer.repeat = (double)w->config.interval_ms / 1000. / w->slices;
	ev_timer_again(w->config.loop, &w->slice_timer);
}

struct watch *watch_new(const struct watch_config *config)
{
	struct watch *w = mem_alloc(sizeof(*w));

	w->config = *config;
	w->resolver = resolver_new(config->loop);
	w->parser = parser_new();
	w->nodes_dirty = true;
	ev_prepare_init(&w->follow, on_follow);
	ev_timer_init(&w->slice_timer, on_slice, 0., 0.);
	ev_timer_init(&w->hurry_timer, on_hurry, 0., 0.);
	ev_timer_init(&w->promotion_timer, on_promotion, 0., 0.);
	ev_timer_init(&w->scan_timer, on_scan, 0., 0.);
	w->follow.data = w;
	w->slice_timer.data = w->hurry_timer.data = w->promotion_timer.data = w;
	ev_prepare_start(config->loop, &w->follow);
	start_rounds(w);
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
	forget_groups(w);
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

void watch_add_target(struct watch *w, const struct endpoint *target)
{
	struct observation obs = { .question = ASK_TARGET, .recv_ms = clock_mono_ms(),
				   .wall_ms = clock_wall_ms(), .rtt_us = -1 };

	obs.u.target = target;
	give(w, &obs);
	w->nodes_dirty = true;
}

void watch_set_interval(struct watch *w, int64_t interval_ms)
{
	if (interval_ms == w->config.interval_ms)
		return;
	w->config.interval_ms = interval_ms;
	start_rounds(w);
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
	/* The next round, brought forward and in one piece. */
	w->slice = 0;
	do
		run_slice(w);
	while (w->slice < w->slices);
	ev_timer_again(w->config.loop, &w->slice_timer);
}

bool watch_send(struct watch *w, uint32_t node_id, int argc, const char *const *argv, uint32_t tag,
		watch_action_done *done, void *owner)
{
	struct entry *e = find_up(w, node_id);
	struct pending_action *a;

	if (!e || !link_ask_argv(e->link, argc, argv, ++w->last_token))
		return false;
	w->requests++;
	a = mem_alloc(sizeof(*a));
	a->token = w->last_token;
	a->tag = tag;
	a->node_id = e->id;
	a->done = done;
	a->owner = owner;
	a->next = w->actions;
	w->actions = a;
	return true;
}

static bool entry_settled(const struct entry *e)
{
	uint32_t needed = 1u << ASK_INFO;

	if (!e->link || e->state >= LINK_FAILED)
		return true;
	if (e->state != LINK_UP)
		return false;
	if (!(e->done & needed))
		return false;
	switch (entry_mode(e)) {
	case MODE_SENTINEL:
		needed |= 1u << ASK_SENTINEL_MYID | 1u << ASK_SENTINEL_MASTERS;
		break;
	case MODE_CLUSTER:
		needed |= 1u << ASK_CLUSTER_INFO | (e->asked & 1u << ASK_CLUSTER_NODES);
		break;
	case MODE_STANDALONE:
	case MODE_UNKNOWN:
		break;
	}
	/* What could not be asked, a Sentinel that only others call one, is not waited for. */
	return ((e->asked & needed) & ~e->done) == 0;
}

static bool group_settled(const struct watch *w, const struct group *g)
{
	const struct group_entry *ge = find_group(w, g->id);

	if (ge && (ge->done & group_questions) == group_questions)
		return true;
	return sentinel_in_turn(w, g, 0) == NULL;
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
			if (!group_settled(w, d->groups[i]))
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
