/* One target a master: its link, its key, and the one write that is on its way.
 *
 *   IDLE -> (100 ms) -> WAITING for a connection -> SENT -> good or failed -> IDLE
 *
 * The key holds the number of the last acknowledged write. A write that failed leaves it, so that the
 * difference between what was acknowledged and what a new connection finds there is what was lost. */
#include "config.h"
#include "net/eye.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uthash.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"
#include "model/permission.h"
#include "model/slots.h"
#include "net/address_map.h"
#include "net/link.h"
#include "net/resolver.h"
#include "redis/parse.h"

#define KEY_BYTES        64
#define KEY_TRIES        400000 /* until one has its slot in a shard of one slot: 16384 on the average */
#define HOPS_MAX         3      /* MOVED from one to the next */
#define SUMMARY_MS       1000
#define BARRED_AGAIN_MS  5000
#define LEAVE_MS         500
/* What lives for EYE_EXPIRE_MS may be gone for that reason alone. */
#define REMEMBERED_MS    (EYE_EXPIRE_MS - 5000)

enum write_state { WRITE_IDLE, WRITE_WAITING, WRITE_SENT };
enum piece { PIECE_LOOK, PIECE_SET, PIECE_GET, PIECE_UNLINK, PIECES };

struct target {
	UT_hash_handle hh;            /* by group, until it is leaving */
	struct eye *eye;
	uint32_t deployment_id, group_id;
	unsigned generation;          /* of the last eye_follow that met it */
	char key[KEY_BYTES];
	unsigned slot;                /* cluster only */
	uint32_t named_id;            /* the master, by whom clients go */
	uint32_t node_id;             /* who is written to: that one, or another after MOVED or a failure */
	struct link *link;            /* to node_id */
	bool leaving;                 /* only the UNLINK is waited for */
	int64_t leave_by_ms;

	enum write_state state;
	uint32_t number;              /* of the try, for the tags */
	int64_t begun_ms;
	unsigned hops;
	bool set_ok;                  /* its SET was acknowledged */
	bool there;                   /* the key is: a SET of it was acknowledged */
	bool look;                    /* the next write on this connection looks first */
	bool seen_known;
	int64_t seen;                 /* what was there then */

	int64_t value;                /* in the key: the last acknowledged write's */
	int64_t value_ms;             /* when it was acknowledged */
	int64_t latency_us;
	int64_t acknowledged, failed; /* since it is on */
	int64_t outage_ms;            /* first failed write was begun; 0: none */
	int64_t outage_failed;
	unsigned failures;            /* one after the other: whose turn it is next in a cluster */
	int64_t barred_until_ms;      /* 0: it may write */
	int64_t told_ms;
	bool untold;
	bool tried;
};

struct eye {
	struct eye_config config;
	struct resolver *resolver;    /* NULL until there is somebody to dial */
	ev_timer timer;
	struct target **targets;      /* owned */
	size_t target_count, target_cap;
	struct target *by_group;
	bool all;                     /* it is on, but for the exceptions; else off but for them */
	uint32_t *exceptions;         /* deployments; owned */
	size_t exception_count, exception_cap;
	uint32_t *groups;             /* of one eye_follow; owned */
	size_t group_cap;
	unsigned generation;
};

/* --- what is told ------------------------------------------------------------------------------ */

static void tell(struct target *t, enum probe_news news, int64_t lost, const char *why)
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

/* --- keys -------------------------------------------------------------------------------------- */

static bool is_open(const struct node *n, unsigned slot)
{
	for (size_t i = 0; n->member && i < n->member->open_count; i++)
		if (n->member->open[i].slot == slot)
			return true;
	return false;
}

/* Its slot belongs to the shard and is not on the move. */
static bool fits_shard(const struct model *m, const struct deployment *d, uint32_t group_id,
		       unsigned slot)
{
	const struct node *owner = model_node(m, slot_owner(d, slot));

	return owner && owner->group_id == group_id && !is_open(owner, slot);
}

static uint64_t random_number(void)
{
	uint64_t n;

	if (getrandom(&n, sizeof(n), 0) != (ssize_t)sizeof(n))
		n = (uint64_t)clock_mono_us() * 0x9e3779b97f4a7c15u;
	return n;
}

static bool has_slot(const struct target *t, const struct deployment *d)
{
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
		if (fits_shard(t->eye->config.model, d, t->group_id, slot))
			return true;
	return false;
}

/* Another one: what is on its way with the old one counts for nothing. False: the shard has no slot
 * that could be written to. */
static bool choose_key(struct target *t, const struct deployment *d)
{
	uint64_t n = random_number();

	t->value = t->value_ms = 0;
	t->look = t->there = false;
	t->state = WRITE_IDLE;
	t->number++;
	if (d->kind == KIND_CLUSTER && !has_slot(t, d))
		return false;
	if (d->kind != KIND_CLUSTER) {
		snprintf(t->key, sizeof(t->key), "redoubt:probe:%016" PRIx64, n);
		return true;
	}
	for (int i = 0; i < KEY_TRIES; i++, n++) {
		int len = snprintf(t->key, sizeof(t->key), "redoubt:probe:{%016" PRIx64 "}", n);

		t->slot = slot_of_key(t->key, (size_t)len);
		if (fits_shard(t->eye->config.model, d, t->group_id, t->slot))
			return true;
	}
	return false;
}

/* --- connections ------------------------------------------------------------------------------- */

static const struct link_callbacks eye_callbacks;

static void close_link(struct target *t)
{
	link_free(t->link);
	t->link = NULL;
}

static const struct net_profile *profile_of(const struct eye *e, const struct node *n)
{
	const struct deployment *d = model_deployment(e->config.model, n->deployment_id);

	return &e->config.profiles[d && d->profile < e->config.profile_count ? d->profile : 0];
}

static void dial(struct target *t, const struct node *n)
{
	struct eye *e = t->eye;
	const struct net_profile *profile = profile_of(e, n);
	struct link_config config = {
		.loop = e->config.loop,
		.credentials = profile->credentials,
		.tls = profile->tls_data,
		.addr = endpoint_is_set(&n->dial) ? n->dial : n->addr,
		.identity = endpoint_is_set(&n->dial) ? n->dial : n->addr,
		.credential_kind = CREDENTIAL_DATA,
		.timeout_ms = EYE_DEADLINE_MS,
		.callbacks = eye_callbacks,
		.owner = t,
	};

	if (profile->map && !endpoint_is_set(&n->dial))
		address_map_apply(profile->map, &config.addr);
	if (!e->resolver)
		e->resolver = resolver_new(e->config.loop);
	config.resolver = e->resolver;
	close_link(t);
	t->node_id = n->id;
	t->look = t->value > 0;
	t->seen_known = false;
	t->link = link_new(&config);
}

/* Whom a client would ask now: the master; in a cluster after a failure any other member, which
 * serves the slot by now or says who does. */
static const struct node *whom(const struct target *t)
{
	const struct model *m = t->eye->config.model;
	const struct node *named = model_node(m, t->named_id), *other = NULL;
	const struct group *g = model_group(m, t->group_id);
	size_t turn;

	if (!g || t->slot == SLOT_COUNT || t->failures % 2 == 0 || g->member_count == 0)
		return named;
	turn = t->failures / 2;
	for (size_t i = 0; i < g->member_count && !other; i++) {
		const struct node *n = model_node(m, g->member_ids[(turn + i) % g->member_count]);

		if (n && n->id != t->named_id && n->link.state == LINK_UP)
			other = n;
	}
	return other ? other : named;
}

/* --- how a write ends -------------------------------------------------------------------------- */

static void fail_write(struct target *t, const char *why)
{
	char words[128];

	text_format(words, sizeof(words), "%s", why);
	t->state = WRITE_IDLE;
	t->failures++;
	t->failed++;
	t->tried = t->untold = true;
	if (t->outage_ms != 0) {
		t->outage_failed++;
		return;
	}
	t->outage_ms = t->begun_ms;
	t->outage_failed = 1;
	tell(t, PROBE_BROKE, FACT_UNKNOWN, words);
}

/* A watcher's user may not write: that is no client's trouble. Whoever could write and cannot any more
 * is another matter. */
static void bar(struct target *t, const char *why)
{
	t->state = WRITE_IDLE;
	t->tried = true;
	if (t->barred_until_ms == 0)
		tell(t, PROBE_BARRED, FACT_UNKNOWN, why);
	t->barred_until_ms = clock_mono_ms() + BARRED_AGAIN_MS;
}

static bool bars(const struct target *t, enum server_error error)
{
	return t->acknowledged == 0 && (error == ERROR_NOPERM || error == ERROR_NOAUTH ||
					error == ERROR_WRONGPASS || error == ERROR_UNKNOWN_COMMAND);
}

static int64_t count_lost(const struct target *t, int64_t now_ms)
{
	if (t->value == 0)
		return 0;
	if (!t->seen_known || (t->seen == 0 && now_ms - t->value_ms > REMEMBERED_MS))
		return FACT_UNKNOWN;
	return t->seen < t->value ? t->value - t->seen : 0;
}

static void write_is_good(struct target *t, int64_t now_ms)
{
	bool looked = t->look;
	int64_t lost = looked ? count_lost(t, now_ms) : 0;

	t->state = WRITE_IDLE;
	t->look = false;
	t->failures = 0;
	t->barred_until_ms = 0;
	t->value++;
	t->value_ms = now_ms;
	t->acknowledged++;
	if (t->outage_ms != 0)
		tell(t, PROBE_MENDED, lost, NULL);
	else if (lost > 0)
		tell(t, PROBE_MISSED, lost, NULL);
	else if (t->acknowledged == 1) /* the first one is news, and nothing bars it */
		tell(t, PROBE_ON, FACT_UNKNOWN, NULL);
	else
		t->untold = true;
	t->tried = true;
	t->outage_ms = t->outage_failed = 0;
}

/* --- a write on its way ------------------------------------------------------------------------ */

static uint32_t tag_of(const struct target *t, enum piece piece)
{
	return t->number * PIECES + piece;
}

static bool ask(struct target *t, enum piece piece, int argc, const char *const *argv)
{
	return link_ask_argv(t->link, argc, argv, tag_of(t, piece));
}

/* Look, write, read back: one packet. */
static void send_write(struct target *t)
{
	char value[24];
	const char *const get[] = { "GET", t->key };
	const char *const set[] = { "SET", t->key, value, "PX", "60000" };

	snprintf(value, sizeof(value), "%" PRId64, t->value + 1);
	t->state = WRITE_SENT;
	t->set_ok = false;
	if ((t->look && !ask(t, PIECE_LOOK, 2, get)) || !ask(t, PIECE_SET, 5, set) ||
	    !ask(t, PIECE_GET, 2, get)) {
		close_link(t);
		fail_write(t, "too many requests without a reply");
	}
}

static void begin_write(struct target *t)
{
	const struct node *n;

	t->begun_ms = clock_mono_ms();
	t->number++;
	t->hops = 0;
	if (t->link && link_is_up(t->link)) {
		send_write(t);
		return;
	}
	n = whom(t);
	if (!n) {
		fail_write(t, "nobody is named as master");
		return;
	}
	t->state = WRITE_WAITING;
	if (!t->link || t->node_id != n->id)
		dial(t, n);
}

/* "MOVED 3999 127.0.0.1:6381"; without a host it is the one that was asked. */
static const struct node *moved_to(const struct target *t, const struct reply *reply)
{
	const struct node *n = model_node(t->eye->config.model, t->node_id);
	const char *space = memrchr(reply->str, ' ', reply->len);
	const char *colon = memrchr(reply->str, ':', reply->len);
	const char *end = reply->str + reply->len;
	struct endpoint to;
	int64_t port;

	if (!n || !space || !colon || colon < space ||
	    !number_parse(colon + 1, (size_t)(end - colon - 1), 1, UINT16_MAX, &port))
		return NULL;
	if (colon == space + 1) {
		to = n->addr;
		to.port = (uint16_t)port;
	} else if (!endpoint_set(&to, space + 1, (size_t)(colon - space - 1), port)) {
		return NULL;
	}
	return model_find_node(t->eye->config.model, t->deployment_id, &to);
}

static bool begins(const struct reply *reply, const char *word)
{
	size_t len = strlen(word);

	return reply->len >= len && memcmp(reply->str, word, len) == 0;
}

/* Not a failure as long as it leads to somebody. */
static bool follow_moved(struct target *t, const struct reply *reply)
{
	const struct node *to;

	if (t->slot == SLOT_COUNT || !begins(reply, "MOVED ") || t->hops++ == HOPS_MAX)
		return false;
	to = moved_to(t, reply);
	if (!to || to->id == t->node_id)
		return false;
	t->state = WRITE_WAITING;
	t->number++; /* what else is answered there is of no use */
	dial(t, to);
	return true;
}

/* "the user lacks +set: NOPERM ..."; acl.c: "access one of the keys used as arguments", later
 * "access a key". */
static void refusal_words(const char *command, const struct reply *reply, enum server_error error,
			  char out[128])
{
	char words[128];

	text_clean(words, sizeof(words), reply->str, reply->len);
	if (error != ERROR_NOPERM)
		memcpy(out, words, sizeof(words));
	else if (strstr(words, "access one of the keys") || strstr(words, "access a key"))
		text_format(out, 128, "the user lacks ~redoubt:probe:*: %s", words);
	else
		permission_format(out, 128, command, words);
}

static void refused(struct target *t, const char *command, const struct reply *reply)
{
	enum server_error error = error_classify(reply->str, reply->len);
	char words[128];

	if (follow_moved(t, reply))
		return;
	refusal_words(command, reply, error, words);
	/* A slot that is being moved has its keys in two places: another slot will do. */
	if (begins(reply, "ASK ") || begins(reply, "TRYAGAIN")) {
		const struct deployment *d = model_deployment(t->eye->config.model, t->deployment_id);

		t->state = WRITE_IDLE;
		if (d)
			choose_key(t, d);
	} else if (bars(t, error)) {
		bar(t, words);
	} else {
		/* Whoever is no master any more, or serves the slot no more: somebody else may by now. */
		if (error == ERROR_READONLY || error == ERROR_CLUSTERDOWN || error == ERROR_MASTERDOWN ||
		    begins(reply, "MOVED "))
			close_link(t);
		fail_write(t, words);
	}
}

static void take_look(struct target *t, const struct reply *reply)
{
	t->seen = 0;
	t->seen_known = reply->type == REPLY_NIL ||
			(reply->type == REPLY_STRING &&
			 number_parse(reply->str, reply->len, 0, INT64_MAX, &t->seen));
}

static void take_read_back(struct target *t, const struct reply *reply, int64_t now_ms)
{
	char wanted[24];

	if (reply->type == REPLY_ERROR) {
		refused(t, "GET", reply);
		return;
	}
	snprintf(wanted, sizeof(wanted), "%" PRId64, t->value + 1);
	if (t->set_ok && reply_is(reply, wanted))
		write_is_good(t, now_ms);
	else
		fail_write(t, "what was read back is not what was written");
}

static void on_reply(struct link *l, enum question q, const char *arg, uint32_t tag,
		     const struct reply *reply, enum answer failure, int64_t sent_us, int64_t recv_us,
		     void *owner)
{
	struct target *t = owner;
	enum piece piece = (enum piece)(tag % PIECES);

	(void)l, (void)q, (void)arg, (void)failure;
	if (t->leaving) {
		t->leave_by_ms = piece == PIECE_UNLINK ? 0 : t->leave_by_ms;
		return;
	}
	/* Without a reply the link's state has said so already. */
	if (!reply || tag / PIECES != t->number % (UINT32_MAX / PIECES + 1) || t->state != WRITE_SENT)
		return;
	switch (piece) {
	case PIECE_LOOK:
		take_look(t, reply);
		break;
	case PIECE_SET:
		t->set_ok = reply_is(reply, "OK");
		t->there |= t->set_ok;
		if (t->set_ok)
			t->latency_us = recv_us - sent_us;
		else if (reply->type == REPLY_ERROR)
			refused(t, "SET", reply);
		break;
	case PIECE_GET:
		take_read_back(t, reply, recv_us / 1000);
		break;
	case PIECE_UNLINK:
	case PIECES:
		break;
	}
}

/* A connection that was idle and broke: a client finds out with its next write, which is begun at once
 * so that the outage begins when it does and not up to 100 ms later. */
static void on_broken(struct target *t, enum server_error error, const char *why)
{
	enum write_state was = t->state;

	close_link(t);
	if (t->leaving)
		t->leave_by_ms = 0;
	else if (was == WRITE_IDLE)
		begin_write(t);
	else if (bars(t, error))
		bar(t, why);
	else
		fail_write(t, why);
}

static void on_state(struct link *l, enum link_state state, enum server_error error,
		     const char *reason, void *owner)
{
	struct target *t = owner;

	(void)l;
	if (state == LINK_UP && t->state == WRITE_WAITING)
		send_write(t);
	else if (state >= LINK_FAILED)
		on_broken(t, error, reason ? reason : link_state_name(state));
}

static const struct link_callbacks eye_callbacks = { .state = on_state, .reply = on_reply };

/* --- who is written to ------------------------------------------------------------------------- */

static void target_free(struct target *t)
{
	close_link(t);
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
	if (!choose_key(t, d)) {
		free(t);
		return;
	}
	e->targets = mem_grow(e->targets, &e->target_cap, e->target_count + 1, sizeof(*e->targets));
	e->targets[e->target_count++] = t;
	t->generation = e->generation;
	HASH_ADD(hh, e->by_group, group_id, sizeof(t->group_id), t);
	t->named_id = t->node_id = named_master(e, d, g, t);
	tell(t, PROBE_ON, FACT_UNKNOWN, NULL);
	begin_write(t);
}

/* Another master is named. What is on its way to the old one goes to the new one instead; where others
 * have failed before, so has it. */
static void move_on(struct target *t, uint32_t named_id)
{
	bool follows = t->node_id == named_id && t->link; /* MOVED led there before */

	t->named_id = named_id;
	if (follows || named_id == 0)
		return;
	close_link(t);
	if (t->state != WRITE_IDLE && t->outage_ms != 0)
		fail_write(t, "another master is named");
	t->state = WRITE_IDLE;
	t->failures = 0;
	begin_write(t);
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
	    !fits_shard(e->config.model, d, group_id, t->slot))
		choose_key(t, d);
	named_id = named_master(e, d, g, t);
	if (named_id != t->named_id)
		move_on(t, named_id);
}

static void leave(struct target *t)
{
	const char *const unlink_key[] = { "UNLINK", t->key };

	if (model_group(t->eye->config.model, t->group_id))
		tell(t, PROBE_OFF, FACT_UNKNOWN, NULL);
	HASH_DEL(t->eye->by_group, t);
	t->leaving = true;
	t->leave_by_ms = 0;
	if (t->there && t->link && link_is_up(t->link) && ask(t, PIECE_UNLINK, 2, unlink_key))
		t->leave_by_ms = clock_mono_ms() + LEAVE_MS;
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
		close_link(t);
		fail_write(t, t->state == WRITE_SENT ? "no reply within 0.5 s" :
						       "no connection within 0.5 s");
	}
	if (t->state == WRITE_IDLE && now_ms >= t->barred_until_ms)
		begin_write(t);
	if (t->untold && now_ms - t->told_ms >= SUMMARY_MS)
		tell(t, PROBE_SUMMARY, FACT_UNKNOWN, NULL);
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
