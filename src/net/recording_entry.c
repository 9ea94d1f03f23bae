#include "config.h"
#include "net/recording_entry.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/recording.h"
#include "net/recording_delta.h"
#include "redis/reply.h"

#define KIND_BITS   3u
#define HAS_REPLY   4u
#define IS_DELTA    8u
#define IS_KEPT     16u /* the next one of this source is a delta to it */
#define UNSOLICITED 32u
#define NEW_SOURCE  64u

#define KEEP_REPLY_BYTES (64u * 1024)        /* larger ones are written whole */
#define KEEP_TOTAL_BYTES (32u * 1024 * 1024) /* for all sources of a stream together */
#define SOURCES_MAX      (1024u * 1024)
#define TEXT_BYTES       1024 /* a reason, a command, an outcome */

/* Who was asked what. */
struct source {
	uint32_t number;
	uint32_t node_id;
	enum question question;
	char *arg;       /* or NULL */
	struct buf last; /* reply kept for the next one's delta; empty: none */
	UT_hash_handle hh;
	size_t key_len;
	char key[];      /* writer: node, question, arg */
};

struct table {
	struct source **list; /* by number */
	size_t count, cap;
	size_t kept_bytes;
	int64_t now_ms, skew_ms; /* of the last entry; skew: wall clock less monotonic */
};

static void table_clear(struct table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->list[i]->arg);
		buf_free(&t->list[i]->last);
		free(t->list[i]);
	}
	t->count = t->kept_bytes = 0;
	t->now_ms = t->skew_ms = 0;
}

static struct source *table_add(struct table *t, uint32_t node_id, enum question q, const char *arg,
				size_t key_len)
{
	struct source *s = mem_alloc(sizeof(*s) + key_len);

	t->list = mem_grow(t->list, &t->cap, t->count + 1, sizeof(struct source *));
	s->number = (uint32_t)t->count;
	s->node_id = node_id;
	s->question = q;
	s->arg = mem_strdup(arg);
	t->list[t->count++] = s;
	return s;
}

static void keep_reply(struct table *t, struct source *s, const char *data, size_t len)
{
	t->kept_bytes += len - s->last.len;
	buf_reset(&s->last);
	buf_add(&s->last, data, len);
}

/* --- writing --------------------------------------------------------------------------------- */

struct entry_writer {
	struct table table;
	struct source *by_key;
	struct buf key, delta;
};

struct entry_writer *entry_writer_new(void)
{
	return mem_alloc(sizeof(struct entry_writer));
}

void entry_writer_restart(struct entry_writer *w)
{
	HASH_CLEAR(hh, w->by_key);
	table_clear(&w->table);
}

void entry_writer_free(struct entry_writer *w)
{
	if (!w)
		return;
	entry_writer_restart(w);
	free(w->table.list);
	buf_free(&w->key);
	buf_free(&w->delta);
	free(w);
}

static void put_times(struct entry_writer *w, int64_t now_ms, int64_t wall_ms, struct buf *out)
{
	varint_put_signed(out, now_ms - w->table.now_ms);
	varint_put_signed(out, wall_ms - now_ms - w->table.skew_ms);
	w->table.now_ms = now_ms;
	w->table.skew_ms = wall_ms - now_ms;
}

void entry_put_tick(struct entry_writer *w, int64_t now_ms, int64_t wall_ms, struct buf *out)
{
	buf_addch(out, ENTRY_TICK);
	put_times(w, now_ms, wall_ms, out);
}

void entry_put_interval(struct entry_writer *w, int64_t now_ms, int64_t wall_ms,
			int64_t interval_ms, struct buf *out)
{
	buf_addch(out, ENTRY_INTERVAL);
	put_times(w, now_ms, wall_ms, out);
	varint_put(out, (uint64_t)interval_ms);
}

static struct source *writer_source(struct entry_writer *w, const struct observation *obs, bool *is_new)
{
	struct source *s;

	buf_reset(&w->key);
	varint_put(&w->key, obs->node_id);
	varint_put(&w->key, obs->question);
	buf_addstr(&w->key, obs->arg ? obs->arg : "");
	HASH_FIND(hh, w->by_key, w->key.data, w->key.len, s);
	*is_new = s == NULL;
	if (s)
		return s;
	s = table_add(&w->table, obs->node_id, obs->question, obs->arg, w->key.len);
	memcpy(s->key, w->key.data, w->key.len);
	s->key_len = w->key.len;
	HASH_ADD_KEYPTR(hh, w->by_key, s->key, s->key_len, s);
	return s;
}

/* NULL and "" are two things: a length one too large tells them apart. */
static void text_put(struct buf *out, const char *s)
{
	varint_put(out, s ? strlen(s) + 1 : 0);
	if (s)
		buf_addstr(out, s);
}

static void put_target(const struct target_facts *t, struct buf *out)
{
	text_put(out, t->addr.host);
	varint_put(out, t->addr.port);
	varint_put(out, t->profile);
	text_put(out, t->name);
}

static void put_action(const struct action_facts *a, struct buf *out)
{
	varint_put(out, a->action_id);
	varint_put(out, a->stage);
	text_put(out, a->name);
	text_put(out, a->subject);
	text_put(out, a->command);
	text_put(out, a->operator_name);
	text_put(out, a->outcome);
}

static void put_probe(const struct probe_facts *p, struct buf *out)
{
	varint_put(out, p->news);
	varint_put(out, p->group_id);
	varint_put_signed(out, p->acknowledged);
	varint_put_signed(out, p->failed);
	varint_put_signed(out, p->latency_us);
	varint_put_signed(out, p->first_failed_ms);
	varint_put_signed(out, p->outage_failed);
	varint_put_signed(out, p->lost);
}

static void put_facts(const struct observation *obs, struct buf *out)
{
	varint_put(out, obs->answer);
	varint_put(out, obs->error);
	text_put(out, obs->text);
	if (obs->question == ASK_TARGET) {
		put_target(obs->u.target, out);
	} else if (obs->question == ASK_LINK) {
		varint_put(out, obs->u.link->state);
		varint_put(out, obs->u.link->events);
	} else if (obs->question == ASK_ACTION) {
		put_action(obs->u.action, out);
	} else if (obs->question == ASK_PROBE) {
		put_probe(obs->u.probe, out);
	}
}

/* Flags of the reply; what is to be written is in w->delta or in raw itself. */
static unsigned choose_reply(struct entry_writer *w, struct source *s, const struct buf *raw)
{
	unsigned flags = HAS_REPLY;
	bool fits = raw->len <= KEEP_REPLY_BYTES;

	if (s->last.len > 0 && fits) {
		buf_reset(&w->delta);
		line_delta_make(s->last.data, s->last.len, raw->data, raw->len, &w->delta);
		if (w->delta.len < raw->len)
			flags |= IS_DELTA;
	}
	/* A message differs from the one before in all that matters. */
	if (fits && s->question != ASK_MESSAGE &&
	    w->table.kept_bytes - s->last.len + raw->len <= KEEP_TOTAL_BYTES)
		flags |= IS_KEPT;
	return flags;
}

static void put_reply(struct entry_writer *w, struct source *s, unsigned flags,
		      const struct buf *raw, struct buf *out)
{
	const struct buf *bytes = flags & IS_DELTA ? &w->delta : raw;

	string_put(out, bytes->data, bytes->len);
	if (flags & IS_KEPT)
		keep_reply(&w->table, s, raw->data, raw->len);
}

static bool has_facts(enum question q)
{
	return q == ASK_TARGET || q == ASK_LINK || q == ASK_ACTION || q == ASK_PROBE;
}

bool entry_put_observation(struct entry_writer *w, const struct observation *obs,
			   const struct buf *raw, struct buf *out)
{
	unsigned flags = ENTRY_OBSERVATION;
	bool is_new;
	struct source *s;

	if (has_facts(obs->question))
		raw = NULL;
	else if (!raw && obs->answer == ANSWER_OK)
		return false;
	s = writer_source(w, obs, &is_new);
	flags |= is_new ? NEW_SOURCE : 0;
	flags |= obs->sent_ms == 0 ? UNSOLICITED : 0;
	flags |= raw ? choose_reply(w, s, raw) : 0;
	buf_addch(out, (char)flags);
	put_times(w, obs->recv_ms, obs->wall_ms, out);
	if (is_new) {
		varint_put(out, s->node_id);
		varint_put(out, s->question);
		text_put(out, s->arg);
	} else {
		varint_put(out, s->number);
	}
	varint_put_signed(out, obs->rtt_us);
	if (obs->sent_ms != 0) /* the round trip, but for the cut to ms */
		varint_put_signed(out, obs->recv_ms - obs->sent_ms - obs->rtt_us / 1000);
	if (raw)
		put_reply(w, s, flags, raw, out);
	else
		put_facts(obs, out);
	return true;
}

/* --- reading --------------------------------------------------------------------------------- */

struct entry_reader {
	struct table table;
	struct buf reply;
	/* what the last entry points to */
	struct target_facts target;
	struct link_facts link;
	struct action_facts action;
	struct probe_facts probe;
	char text[TEXT_BYTES], name[NAME_BYTES];
	char command[TEXT_BYTES], operator_name[TEXT_BYTES], outcome[TEXT_BYTES];
};

struct entry_reader *entry_reader_new(void)
{
	return mem_alloc(sizeof(struct entry_reader));
}

void entry_reader_restart(struct entry_reader *r)
{
	table_clear(&r->table);
}

void entry_reader_free(struct entry_reader *r)
{
	if (!r)
		return;
	table_clear(&r->table);
	free(r->table.list);
	buf_free(&r->reply);
	free(r);
}

struct span { const char *at, *end; };

static bool get_below(struct span *in, uint64_t limit, uint64_t *out)
{
	return varint_get(&in->at, in->end, out) && *out < limit;
}

/* *text: out, or NULL where there was none. */
static bool get_text(struct span *in, char *out, size_t size, const char **text)
{
	uint64_t len;

	if (!varint_get(&in->at, in->end, &len))
		return false;
	if (text)
		*text = len > 0 ? out : NULL;
	out[0] = '\0';
	if (len == 0)
		return true;
	len--;
	if (len > (uint64_t)(in->end - in->at))
		return false;
	text_clean(out, size, in->at, (size_t)len);
	in->at += len;
	return true;
}

static bool add_differences(int64_t *value, int64_t difference)
{
	return !__builtin_add_overflow(*value, difference, value) && *value >= -RECORDING_TIME_MAX &&
	       *value <= RECORDING_TIME_MAX;
}

static bool get_times(struct entry_reader *r, struct span *in, struct entry *e)
{
	struct table *t = &r->table;
	int64_t now, skew;

	if (!varint_get_signed(&in->at, in->end, &now) ||
	    !varint_get_signed(&in->at, in->end, &skew) || !add_differences(&t->now_ms, now) ||
	    !add_differences(&t->skew_ms, skew))
		return false;
	e->now_ms = t->now_ms;
	e->wall_ms = t->now_ms + t->skew_ms;
	return e->now_ms >= 0 && e->wall_ms >= 0 && e->wall_ms <= RECORDING_TIME_MAX;
}

static struct source *get_source(struct entry_reader *r, struct span *in, bool is_new)
{
	uint64_t number, node, question;
	char arg[TEXT_BYTES];
	const char *text;

	if (!is_new)
		return get_below(in, r->table.count, &number) ? r->table.list[number] : NULL;
	if (r->table.count >= SOURCES_MAX || !get_below(in, (uint64_t)UINT32_MAX + 1, &node) ||
	    !get_below(in, ASK_COUNT, &question) || question == ASK_NONE ||
	    !get_text(in, arg, sizeof(arg), &text))
		return NULL;
	return table_add(&r->table, (uint32_t)node, (enum question)question, text, 0);
}

static bool get_target(struct entry_reader *r, struct span *in, struct observation *obs)
{
	struct target_facts *t = &r->target;
	uint64_t port, profile;

	memset(t, 0, sizeof(*t));
	if (!get_text(in, t->addr.host, sizeof(t->addr.host), NULL) ||
	    !get_below(in, UINT16_MAX + 1, &port) || !get_below(in, UINT32_MAX, &profile) ||
	    !get_text(in, r->name, sizeof(r->name), &t->name))
		return false;
	t->addr.port = (uint16_t)port;
	t->profile = (uint32_t)profile;
	obs->u.target = t;
	return endpoint_is_set(&t->addr);
}

static bool get_link(struct entry_reader *r, struct span *in, struct observation *obs)
{
	uint64_t state, events;

	if (!get_below(in, LINK_PROTOCOL + 1, &state) || !get_below(in, 2, &events))
		return false;
	r->link.state = (enum link_state)state;
	r->link.events = events == 1;
	obs->u.link = &r->link;
	return true;
}

static bool get_action(struct entry_reader *r, struct span *in, struct observation *obs)
{
	struct action_facts *a = &r->action;
	uint64_t id, stage;

	if (!get_below(in, (uint64_t)UINT32_MAX + 1, &id) ||
	    !get_below(in, ACTION_UNKNOWN + 1, &stage) ||
	    !get_text(in, a->name, sizeof(a->name), NULL) ||
	    !get_text(in, a->subject, sizeof(a->subject), NULL) ||
	    !get_text(in, r->command, sizeof(r->command), NULL) ||
	    !get_text(in, r->operator_name, sizeof(r->operator_name), NULL) ||
	    !get_text(in, r->outcome, sizeof(r->outcome), NULL))
		return false;
	/* The live program always has words. */
	a->command = r->command;
	a->operator_name = r->operator_name;
	a->outcome = r->outcome;
	a->action_id = (uint32_t)id;
	a->stage = (enum action_stage)stage;
	obs->u.action = a;
	return true;
}

static bool get_count(struct span *in, int64_t *out)
{
	return varint_get_signed(&in->at, in->end, out) && *out >= 0 && *out <= RECORDING_TIME_MAX;
}

static bool get_fact(struct span *in, int64_t *out)
{
	return varint_get_signed(&in->at, in->end, out) &&
	       (*out == FACT_UNKNOWN || (*out >= 0 && *out <= RECORDING_TIME_MAX));
}

static bool get_probe(struct entry_reader *r, struct span *in, struct observation *obs)
{
	struct probe_facts *p = &r->probe;
	uint64_t news, group;

	if (!get_below(in, PROBE_BARRED + 1, &news) ||
	    !get_below(in, (uint64_t)UINT32_MAX + 1, &group) || !get_count(in, &p->acknowledged) ||
	    !get_count(in, &p->failed) || !get_fact(in, &p->latency_us) ||
	    !get_count(in, &p->first_failed_ms) || !get_count(in, &p->outage_failed) ||
	    !get_fact(in, &p->lost))
		return false;
	p->news = (enum probe_news)news;
	p->group_id = (uint32_t)group;
	obs->u.probe = p;
	return p->first_failed_ms <= obs->recv_ms;
}

static bool get_facts(struct entry_reader *r, struct span *in, struct observation *obs)
{
	uint64_t answer, error;

	if (!get_below(in, ANSWER_LOST + 1, &answer) || !get_below(in, ERROR_TLS + 1, &error) ||
	    !get_text(in, r->text, sizeof(r->text), &obs->text))
		return false;
	obs->answer = (enum answer)answer;
	obs->error = (enum server_error)error;
	switch (obs->question) {
	case ASK_TARGET:
		return get_target(r, in, obs);
	case ASK_LINK:
		return get_link(r, in, obs);
	case ASK_ACTION:
		return get_action(r, in, obs);
	case ASK_PROBE:
		return get_probe(r, in, obs);
	default:
		/* Facts come from a reply only. */
		return obs->answer != ANSWER_OK;
	}
}

static bool get_reply(struct entry_reader *r, struct span *in, struct source *s, unsigned flags,
		      struct entry *e)
{
	if (has_facts(s->question) || !string_get(&in->at, in->end, &e->raw, &e->raw_len))
		return false;
	if (flags & IS_DELTA) {
		buf_reset(&r->reply);
		if (!line_delta_apply(buf_str(&s->last), s->last.len, e->raw, e->raw_len,
				      KEEP_REPLY_BYTES, &r->reply))
			return false;
		e->raw = r->reply.data ? r->reply.data : "";
		e->raw_len = r->reply.len;
	}
	if (!(flags & IS_KEPT))
		return true;
	if (e->raw_len > KEEP_REPLY_BYTES ||
	    r->table.kept_bytes - s->last.len + e->raw_len > KEEP_TOTAL_BYTES)
		return false;
	keep_reply(&r->table, s, e->raw, e->raw_len);
	return true;
}

static bool get_observation(struct entry_reader *r, struct span *in, unsigned flags, struct entry *e)
{
	struct source *s = get_source(r, in, (flags & NEW_SOURCE) != 0);
	struct observation *obs = &e->obs;
	int64_t rtt_us, more = 0;

	if (!s || !varint_get_signed(&in->at, in->end, &rtt_us) || rtt_us < -1 || rtt_us > INT32_MAX)
		return false;
	obs->question = s->question;
	obs->node_id = s->node_id;
	obs->arg = s->arg;
	obs->recv_ms = e->now_ms;
	obs->wall_ms = e->wall_ms;
	obs->rtt_us = (int32_t)rtt_us;
	if (!(flags & UNSOLICITED)) {
		if (!varint_get_signed(&in->at, in->end, &more) || more < -RECORDING_TIME_MAX ||
		    more > RECORDING_TIME_MAX)
			return false;
		obs->sent_ms = e->now_ms - more - rtt_us / 1000;
	}
	return flags & HAS_REPLY ? get_reply(r, in, s, flags, e) : get_facts(r, in, obs);
}

bool entry_get(struct entry_reader *r, const char **at, const char *end, struct entry *out)
{
	struct span in = { *at, end };
	unsigned flags;
	uint64_t interval;
	bool ok;

	memset(out, 0, sizeof(*out));
	if (in.at >= in.end)
		return false;
	flags = (unsigned char)*in.at++;
	out->kind = (enum entry_kind)(flags & KIND_BITS);
	if (!get_times(r, &in, out))
		return false;
	switch (out->kind) {
	case ENTRY_TICK:
		ok = flags == ENTRY_TICK;
		break;
	case ENTRY_OBSERVATION:
		ok = get_observation(r, &in, flags, out);
		break;
	case ENTRY_INTERVAL:
		ok = get_below(&in, RECORDING_TIME_MAX, &interval) && interval > 0;
		out->interval_ms = ok ? (int64_t)interval : 0;
		break;
	default:
		return false;
	}
	*at = in.at;
	return ok;
}
