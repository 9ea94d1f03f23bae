/* Replies, messages and link states to observations, and those to the sink; replies to actions to
 * whoever sent them. */
#include "config.h"
#include "net/watch_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "redis/parse.h"

#define NODES_FRESH_MS      5000 /* an unchanged CLUSTER NODES is applied again after this */
#define NODES_ON_CHANGE_MAX 3    /* a round, in larger clusters */
#define RESYNC_GROUPS_MAX   32   /* asked at once after a subscription; the round does the rest */

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
uint64_t watch_hash_cluster_nodes(const char *text, size_t len)
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
	hash = watch_hash_cluster_nodes(reply->str, reply->len);
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
	if (watch_ask_once(e, ASK_CLUSTER_NODES))
		w->nodes_on_change++;
}

/* --- actions --------------------------------------------------------------------------------- */

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

/* Closing a link calls nothing back, so what waits for a reply on it is told here. */
void watch_abandon_actions(struct watch *w, uint32_t node_id)
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

bool watch_send(struct watch *w, uint32_t node_id, int argc, const char *const *argv, uint32_t tag,
		watch_action_done *done, void *owner)
{
	struct entry *e = watch_find_up(w, node_id);
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

/* --- what links call back -------------------------------------------------------------------- */

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
	/* Of the same moment as recv_ms: a busy machine may have got here much later. */
	obs.wall_ms = clock_wall_at_ms(obs.recv_ms);
	if (reply) {
		obs.rtt_us = recv_us - sent_us > INT32_MAX ? INT32_MAX : (int32_t)(recv_us - sent_us);
		if (q == ASK_CLUSTER_NODES && nodes_known(e, reply, obs.recv_ms))
			return;
		obs.raw = reply;
		parse_reply(w->parser, reply, &obs);
		before_apply(e, &obs);
	}
	watch_note_group_answer(e, q, tag, obs.answer);
	topics = watch_give(w, &obs);
	if (q == ASK_INFO && first)
		watch_ask_follow_ups(e);
	if (q == ASK_SENTINEL_MASTERS && (first || (topics & TOPIC_TOPOLOGY)))
		w->groups_now = true;
}

/* On a data node only the Sentinels' hello channel is subscribed. */
static void on_message(struct link *l, const char *channel, size_t channel_len,
		       const char *payload, size_t payload_len, void *owner)
{
	struct entry *e = owner;
	bool hello = watch_entry_mode(e) != MODE_SENTINEL;
	struct reply parts[3] = {
		{ .type = REPLY_STRING, .str = "message", .len = 7 },
		{ .type = REPLY_STRING, .str = channel, .len = channel_len },
		{ .type = REPLY_STRING, .str = payload, .len = payload_len },
	};
	struct reply *list[3] = { &parts[0], &parts[1], &parts[2] };
	const struct reply raw = { .type = REPLY_ARRAY, .elements = list, .element_count = 3 };
	struct observation obs = { .question = hello ? ASK_SENTINEL_HELLO : ASK_MESSAGE,
				   .node_id = e->id, .recv_ms = clock_mono_ms(),
				   .wall_ms = clock_wall_ms(), .rtt_us = -1, .raw = &raw };

	(void)l;
	parse_reply(e->watch->parser, &raw, &obs);
	if (obs.answer != ANSWER_OK)
		return;
	if (hello)
		e->hello_since_ms = 0;
	watch_give(e->watch, &obs);
}

static void give_link_state(struct entry *e, bool events, enum link_state state,
			    enum server_error error, const char *reason)
{
	struct link_facts facts = { .state = state, .events = events };
	struct observation obs = { .question = ASK_LINK, .node_id = e->id, .error = error,
				   .text = reason, .recv_ms = clock_mono_ms(),
				   .wall_ms = clock_wall_ms(), .rtt_us = -1 };

	obs.u.link = &facts;
	watch_give(e->watch, &obs);
}

static void on_state(struct link *l, enum link_state state, enum server_error error,
		     const char *reason, void *owner)
{
	struct entry *e = owner;

	(void)l;
	e->state = state;
	give_link_state(e, false, state, error, reason);
	if (state >= LINK_FAILED)
		watch_try_other_way(e, error);
	if (state != LINK_UP)
		return;
	e->asked = 0;
	e->done = 0;
	e->nodes_applied_ms = 0; /* another process may answer now */
	e->have_cluster_info = false;
	watch_ask_once(e, ASK_INFO);
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
	if (watch_entry_mode(e) != MODE_SENTINEL) {
		if (state >= LINK_FAILED)
			e->hello_since_ms = 0; /* refused, most likely: not to be waited for */
		return;
	}
	n = state == LINK_UP ? model_node(m, e->id) : NULL;
	if (!n || !e->link || !link_is_up(e->link))
		return;
	watch_ask_once(e, ASK_SENTINEL_MASTERS);
	d = model_deployment(m, n->deployment_id);
	for (size_t i = 0; d && i < d->group_count && i < RESYNC_GROUPS_MAX; i++) {
		watch_ask(e, ASK_SENTINEL_REPLICAS, d->groups[i]);
		watch_ask(e, ASK_SENTINEL_SENTINELS, d->groups[i]);
	}
}

const struct link_callbacks watch_command_callbacks = { .state = on_state, .reply = on_reply };
const struct link_callbacks watch_event_callbacks = {
	.state = on_event_state,
	.reply = on_reply,
	.message = on_message,
};
