/* One write of the client's eye: whom it goes to, what comes back, and how it ends. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/text.h"
#include "model/permission.h"
#include "net/address_map.h"
#include "net/eye_private.h"
#include "redis/parse.h"

#define HOPS_MAX        3 /* MOVED from one to the next */
#define BARRED_AGAIN_MS 5000
/* What lives for EYE_EXPIRE_MS may be gone for that reason alone. */
#define REMEMBERED_MS   (EYE_EXPIRE_MS - 5000)

enum piece { PIECE_LOOK, PIECE_SET, PIECE_GET, PIECE_UNLINK, PIECES };

/* --- connections ------------------------------------------------------------------------------- */

static const struct link_callbacks eye_callbacks;

void eye_close_link(struct target *t)
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
	eye_close_link(t);
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

void eye_fail_write(struct target *t, const char *why)
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
	eye_tell(t, PROBE_BROKE, FACT_UNKNOWN, words);
}

/* A watcher's user may not write: that is no client's trouble. Whoever could write and cannot any more
 * is another matter. */
static void bar(struct target *t, const char *why)
{
	t->state = WRITE_IDLE;
	t->tried = true;
	if (t->barred_until_ms == 0)
		eye_tell(t, PROBE_BARRED, FACT_UNKNOWN, why);
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
		eye_tell(t, PROBE_MENDED, lost, NULL);
	else if (lost > 0)
		eye_tell(t, PROBE_MISSED, lost, NULL);
	else if (t->acknowledged == 1) /* the first one is news, and nothing bars it */
		eye_tell(t, PROBE_ON, FACT_UNKNOWN, NULL);
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
	char value[24], expire_ms[24];
	const char *const get[] = { "GET", t->key };
	const char *const set[] = { "SET", t->key, value, "PX", expire_ms };

	snprintf(expire_ms, sizeof(expire_ms), "%d", EYE_EXPIRE_MS);
	snprintf(value, sizeof(value), "%" PRId64, t->value + 1);
	t->state = WRITE_SENT;
	t->set_ok = false;
	if ((t->look && !ask(t, PIECE_LOOK, 2, get)) || !ask(t, PIECE_SET, 5, set) ||
	    !ask(t, PIECE_GET, 2, get)) {
		eye_close_link(t);
		eye_fail_write(t, "too many requests without a reply");
	}
}

void eye_begin_write(struct target *t)
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
		eye_fail_write(t, "nobody is named as master");
		return;
	}
	t->state = WRITE_WAITING;
	if (!t->link || t->node_id != n->id)
		dial(t, n);
}

bool eye_unlink_key(struct target *t)
{
	const char *const unlink_key[] = { "UNLINK", t->key };

	return t->there && t->link && link_is_up(t->link) && ask(t, PIECE_UNLINK, 2, unlink_key);
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
			eye_choose_key(t, d);
	} else if (bars(t, error)) {
		bar(t, words);
	} else {
		/* Whoever is no master any more, or serves the slot no more: somebody else may by now. */
		if (error == ERROR_READONLY || error == ERROR_CLUSTERDOWN || error == ERROR_MASTERDOWN ||
		    begins(reply, "MOVED "))
			eye_close_link(t);
		eye_fail_write(t, words);
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
		eye_fail_write(t, "what was read back is not what was written");
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

	eye_close_link(t);
	if (t->leaving)
		t->leave_by_ms = 0;
	else if (was == WRITE_IDLE)
		eye_begin_write(t);
	else if (bars(t, error))
		bar(t, why);
	else
		eye_fail_write(t, why);
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
