/* The whole model: the input is taken for a sequence of observations, of which most look like what
 * a deployment says, with a few addresses and ids that meet again and again. */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/output.h"
#include "app/report.h"
#include "base/text.h"
#include "fuzz.h"
#include "fuzz_facts.h"
#include "model/failovers.h"
#include "model/health.h"
#include "model/lag.h"
#include "model/model.h"
#include "model/slots.h"
#include "model/state.h"
#include "redis/cluster.h"
#include "redis/info.h"
#include "redis/parse.h"
#include "redis/sentinel.h"

#define WALL       1795170667120LL
#define EVENTS_MAX 64
#define STEPS_MAX  400
#define NODES_MAX  48 /* makes no new addresses beyond that: each step looks at all */
#define ALL_TOPICS (TOPIC_NODES | TOPIC_TOPOLOGY | TOPIC_HEALTH | TOPIC_EVENTS | TOPIC_VALUES | TOPIC_SELECTED)

struct world {
	struct model *m;
	struct model *twin; /* loaded from m's bytes some steps ago: goes on as m does; or NULL */
	struct parser *parser;
	struct fuzz_input in;
	int64_t now;
	unsigned changed;
	struct info_facts info;
	struct cluster_scratch scratch;
	uint64_t seen_seq;
	bool foreign;        /* the model was loaded: its times may lie anywhere */
};

/* --- words ------------------------------------------------------------------------------------ */

static const char *host(struct world *w)
{
	static const char *const hosts[] = {
		"10.0.0.1", "10.0.0.2", "10.0.0.3", "::1", "db-1.example", "h\xc3\xa9te", "\x1b[31m",
		"a-rather-long-name-of-a-host-that-goes-on-and-on-for-more-than-one-line-and-holds-"
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac"
		"\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
	};
	unsigned i = fuzz_byte(&w->in);

	/* Mostly the first few: things happen when addresses meet. */
	return hosts[i < 200 ? i % 3 : i % 8];
}

static int port(struct world *w)
{
	static const int ports[] = { 6379, 6380, 26379, 7001 };

	return ports[fuzz_byte(&w->in) % 4];
}

/* Of a length at which it is cut. */
#define LONG                                                                                       \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"   \
	"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5"

static const char *name(struct world *w)
{
	static const char *const names[] = {
		"mymaster", "cache", "a name", "\xe6\x97\xa5\xe6\x9c\xac", "",
		LONG,
	};
	unsigned i = fuzz_byte(&w->in);

	return names[i < 160 ? 0 : i % 6];
}

/* Forty times one digit. */
static void id(struct world *w, char out[ID_BYTES])
{
	memset(out, "123456abcd"[fuzz_byte(&w->in) % 10], ID_BYTES - 1);
	out[ID_BYTES - 1] = '\0';
}

static long long number(struct world *w)
{
	static const long long odd[] = { 0, 1, -1, -1000, INT64_MAX, INT64_MIN + 1, INT64_MAX / 1000 + 1,
					 INT32_MAX, 1LL << 53, 100, 100000, 1LL << 62 };
	unsigned i = fuzz_byte(&w->in);

	return i < 192 ? (long long)i * (fuzz_byte(&w->in) + 1) : odd[i % 12];
}

/* One of those that there are; rarely one that has left, or nobody. */
static uint32_t some_node(struct world *w)
{
	unsigned pick = fuzz_byte(&w->in);
	size_t cursor = 0, count = model_node_count(w->m);
	const struct node *n = NULL;

	if (count == 0 || pick >= 250)
		return pick - 249;
	for (size_t i = pick % count + 1; i > 0; i--)
		n = model_next_node(w->m, &cursor);
	return n->id;
}

static void foreign(struct world *w, char *out, size_t size)
{
	size_t len;
	const char *bytes = fuzz_bytes(&w->in, size - 1, &len);

	memcpy(out, bytes, len);
	out[len] = '\0';
}

/* --- observations ------------------------------------------------------------------------------ */

static struct observation observe_node(const struct world *w, enum question q, uint32_t node_id)
{
	return (struct observation){ .question = q, .node_id = node_id, .sent_ms = w->now,
				     .recv_ms = w->now, .wall_ms = WALL + w->now, .rtt_us = 300 };
}

static struct observation observe(struct world *w, enum question q)
{
	return observe_node(w, q, some_node(w));
}

/* FUZZ_TRACE=1 says what an input means. */
static void trace(const struct world *w, const struct observation *o)
{
	static int on = -1;

	if (on < 0)
		on = getenv("FUZZ_TRACE") != NULL;
	if (!on)
		return;
	fprintf(stderr, "%lld %s of node %u, answer %d", (long long)w->now, question_name(o->question),
		o->node_id, (int)o->answer);
	if (o->question == ASK_TARGET)
		fprintf(stderr, ": %s %u", o->u.target->addr.host, o->u.target->addr.port);
	else if (o->question == ASK_LINK)
		fprintf(stderr, ": %s%s", link_state_name(o->u.link->state), o->u.link->events ? " (events)" : "");
	else if (o->question == ASK_MESSAGE)
		fprintf(stderr, ": %s %s", o->u.message->channel, o->u.message->master_name);
	fputc('\n', stderr);
	for (size_t i = 0; o->question == ASK_CLUSTER_NODES && o->answer == ANSWER_OK && i < o->u.cluster_nodes->count; i++) {
		const struct cluster_node_line *l = &o->u.cluster_nodes->lines[i];

		fprintf(stderr, "  %.4s %s %u flags %x epoch %lld slots %zu\n", l->id, l->addr.host, l->addr.port,
			l->flags, (long long)l->config_epoch, l->slot_count);
	}
	for (size_t i = 0; o->question >= ASK_SENTINEL_MASTERS && o->question <= ASK_SENTINEL_SENTINELS &&
			   o->answer == ANSWER_OK && i < o->u.list->count; i++)
		fprintf(stderr, "  %s at %s %u, of %s\n", o->u.list->items[i].name, o->u.list->items[i].addr.host,
			o->u.list->items[i].addr.port, o->arg);
	if (o->question == ASK_INFO && o->answer == ANSWER_OK)
		fprintf(stderr, "  mode %d role %d run id %.4s replid %.4s master %s %u replicas %zu\n",
			(int)o->u.info->mode, (int)o->u.info->role, o->u.info->run_id, o->u.info->replid,
			o->u.info->master.host, o->u.info->master.port, o->u.info->replica_count);
}

static void apply(struct world *w, const struct observation *o)
{
	trace(w, o);
	w->changed = model_apply(w->m, o);
	FUZZ_ASSERT(w->twin == NULL || model_apply(w->twin, o) == w->changed);
	FUZZ_ASSERT((w->changed & ~(unsigned)ALL_TOPICS) == 0);
}

static void do_target(struct world *w)
{
	/* Two networks may announce the same addresses. */
	struct target_facts facts = { .profile = fuzz_byte(&w->in) > 220 };
	const char *h = host(w);
	struct observation o = observe(w, ASK_TARGET);

	if (facts.profile)
		facts.name = name(w);
	if (model_node_count(w->m) >= NODES_MAX || !endpoint_set(&facts.addr, h, strlen(h), port(w)))
		return;
	o.u.target = &facts;
	apply(w, &o);
}

static void do_link(struct world *w)
{
	static const char *const reasons[] = { NULL, "connection refused", "",
		"\xe6\x97\xa5\xe6\x9c\xac a reason that is longer than the place that there is for it, by far, since "
		"somebody put all of the story into it: \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac"
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5" };
	unsigned how = fuzz_byte(&w->in);
	struct link_facts facts = { .state = how % 3 ? LINK_UP : (enum link_state)(how / 3 % 9),
				    .events = how >= 200 };
	struct observation o = observe(w, ASK_LINK);

	o.error = facts.state == LINK_AUTH_ERROR ? ERROR_NOAUTH : ERROR_NONE;
	o.text = facts.state == LINK_UP ? NULL : reasons[fuzz_byte(&w->in) % 4];
	o.u.link = &facts;
	apply(w, &o);
}

/* A reply in the input's own bytes, or an error reply of the servers' kind, through parse_reply. */
static void do_reply(struct world *w)
{
	static const char *const texts[] = {
		"NOAUTH Authentication required.", "LOADING Redis is loading", "NOPERM no permission",
		"ERR unknown command", "NOQUORUM 1 usable Sentinels.", "OK 3 usable Sentinels.", "master", "",
	};
	enum question q = (enum question)fuzz_below(&w->in, ASK_COUNT);
	char bytes[200];
	struct observation o = observe(w, q);
	unsigned how = fuzz_byte(&w->in);
	struct reply r = { .type = (enum reply_type)(how % 5), .str = bytes };

	foreign(w, bytes, sizeof(bytes));
	if (how >= 64)
		r.str = texts[how / 5 % 8];
	r.len = strlen(r.str);
	r.integer = number(w);
	if (q == ASK_TARGET || q == ASK_LINK || q == ASK_ACTION || q == ASK_PROBE || q == ASK_NONE)
		return;
	o.arg = name(w);
	parse_reply(w->parser, &r, &o);
	fuzz_check_observation(&o);
	/* Messages come by another way, and only whole. */
	if (o.answer != ANSWER_OK && q == ASK_MESSAGE)
		return;
	apply(w, &o);
}

static void do_silence(struct world *w)
{
	struct observation o = observe(w, ASK_INFO);

	o.answer = fuzz_byte(&w->in) % 2 ? ANSWER_TIMEOUT : ANSWER_LOST;
	o.text = "no reply in time";
	apply(w, &o);
}

static void info_replication(struct world *w, struct buf *text)
{
	unsigned replicas = fuzz_byte(&w->in) % 4;
	char replid[ID_BYTES];

	id(w, replid);
	if (fuzz_byte(&w->in) % 2) {
		buf_addf(text, "role:slave\r\nmaster_host:%s\r\nmaster_port:%d\r\n", host(w), port(w));
		buf_addf(text, "master_link_status:%s\r\nslave_repl_offset:%lld\r\nmaster_link_down_since_seconds:%lld\r\n",
			 fuzz_byte(&w->in) % 2 ? "up" : "down", number(w), number(w));
		buf_addf(text, "master_sync_in_progress:%d\r\nmaster_sync_total_bytes:%lld\r\nslave_priority:%lld\r\n",
			 fuzz_byte(&w->in) % 4 == 1, number(w), number(w));
	} else {
		buf_addstr(text, "role:master\r\n");
	}
	for (unsigned i = 0; i < replicas && model_node_count(w->m) < NODES_MAX; i++)
		buf_addf(text, "slave%u:ip=%s,port=%d,state=online,offset=%lld,lag=%lld\r\n", i, host(w),
			 port(w), number(w), number(w));
	buf_addf(text, "master_replid:%s\r\nmaster_repl_offset:%lld\r\nrepl_backlog_active:1\r\n"
		 "repl_backlog_size:%lld\r\nrepl_backlog_first_byte_offset:%lld\r\nmaster_failover_state:%s\r\n",
		 replid, number(w), number(w), number(w),
		 fuzz_byte(&w->in) % 8 ? "no-failover" : "failover-in-progress");
}

static void do_info(struct world *w)
{
	static const char *const modes[] = { "standalone", "standalone", "cluster", "sentinel" };
	unsigned mode = fuzz_byte(&w->in) % 4;
	struct buf text = BUF_INIT;
	struct observation o = observe(w, ASK_INFO);
	char run_id[ID_BYTES];

	id(w, run_id);
	buf_addf(&text, "redis_version:7.0.15\r\nredis_mode:%s\r\nrun_id:%s\r\nuptime_in_seconds:%lld\r\n",
		 modes[mode], run_id, number(w));
	buf_addf(&text, "keyspace_hits:%lld\r\nkeyspace_misses:%lld\r\nloading:%d\r\nsync_full:%lld\r\n",
		 number(w), number(w), fuzz_byte(&w->in) % 8 == 1, number(w));
	if (mode == 3)
		buf_addf(&text, "sentinel_tilt:%d\r\n", fuzz_byte(&w->in) % 4 == 1);
	else
		info_replication(w, &text);
	FUZZ_ASSERT(info_parse(&w->info, text.data, text.len));
	fuzz_check_info(&w->info);
	o.u.info = &w->info;
	apply(w, &o);
	buf_free(&text);
}

/* --- Sentinels --------------------------------------------------------------------------------- */

/* The tree of one reply, and the numbers in it as text. */
struct tree {
	struct reply nodes[512];
	struct reply *elements[512];
	char text[128][24];
	size_t node_count, element_count, text_count;
};

static struct reply *tree_text(struct tree *t, const char *s)
{
	struct reply *r = &t->nodes[t->node_count++];

	*r = (struct reply){ .type = REPLY_STRING, .str = s, .len = strlen(s) };
	return r;
}

static void tree_pair(struct tree *t, struct reply *map, const char *key, const char *value)
{
	t->elements[t->element_count++] = tree_text(t, key);
	t->elements[t->element_count++] = tree_text(t, value);
	map->element_count += 2;
}

static const char *tree_number(struct tree *t, long long value)
{
	char *s = t->text[t->text_count++];

	snprintf(s, sizeof(t->text[0]), "%lld", value);
	return s;
}

static struct reply *instance(struct world *w, struct tree *t, const char *kind, char run_id[ID_BYTES])
{
	static const char *const states[] = { "none", "wait_start", "select_slave", "send_slaveof_noone",
					      "wait_promotion", "reconf_slaves", "update_config" };
	static const char *const flags[] = {
		"", "s_down,", "s_down,o_down,", "s_down,o_down,failover_in_progress,", "disconnected,",
		"failover_in_progress,", "promoted,", "reconf_sent,",
	};
	static char words[4][80];
	static unsigned turn;
	struct reply *map = &t->nodes[t->node_count++];
	char *word = words[turn++ % 4];

	*map = (struct reply){ .type = REPLY_ARRAY, .elements = t->elements + t->element_count };
	id(w, run_id);
	snprintf(word, sizeof(words[0]), "%s%s", flags[fuzz_byte(&w->in) % 8], kind);
	tree_pair(t, map, "name", name(w));
	tree_pair(t, map, "ip", host(w));
	tree_pair(t, map, "port", tree_number(t, port(w)));
	tree_pair(t, map, "runid", run_id);
	tree_pair(t, map, "flags", word);
	tree_pair(t, map, "failover-state", states[fuzz_byte(&w->in) % 7]);
	tree_pair(t, map, "config-epoch", tree_number(t, fuzz_byte(&w->in) % 4));
	tree_pair(t, map, "num-other-sentinels", tree_number(t, number(w)));
	tree_pair(t, map, "quorum", tree_number(t, number(w)));
	tree_pair(t, map, "failover-timeout", tree_number(t, number(w)));
	return map;
}

static void do_list(struct world *w)
{
	static const struct {
		enum question q;
		const char *kind;
	} lists[] = { { ASK_SENTINEL_MASTERS, "master" }, { ASK_SENTINEL_REPLICAS, "slave" },
		      { ASK_SENTINEL_SENTINELS, "sentinel" } };
	static struct tree t;
	unsigned which = fuzz_byte(&w->in) % 3, count = fuzz_byte(&w->in) % 4;
	struct observation o = observe(w, lists[which].q);
	struct reply *items[4], list = { .type = REPLY_ARRAY, .elements = items };
	char run_ids[4][ID_BYTES];

	t.node_count = t.element_count = t.text_count = 0;
	if (model_node_count(w->m) >= NODES_MAX)
		return;
	for (unsigned i = 0; i < count; i++)
		items[list.element_count++] = instance(w, &t, lists[which].kind, run_ids[i]);
	o.arg = name(w);
	parse_reply(w->parser, &list, &o);
	fuzz_check_observation(&o);
	apply(w, &o);
}

static void payload(struct world *w, char *out, size_t size)
{
	static const char *const tails[] = { "", " #quorum 2/2", " new reported role is slave", " extra" };
	unsigned kind = fuzz_byte(&w->in) % 5;
	const char *h = host(w), *n = name(w);
	int p = port(w);

	if (kind == 0)
		snprintf(out, size, "master %s %s %d%s", n, h, p, tails[fuzz_byte(&w->in) % 4]);
	else if (kind == 1)
		snprintf(out, size, "slave %s:%d %s %d @ %s %s %d", h, p, h, p, n, host(w), port(w));
	else if (kind == 2)
		snprintf(out, size, "sentinel 1111 %s %d @ %s %s %d", h, p, n, host(w), port(w));
	else if (kind == 3)
		snprintf(out, size, "%s %s %d %s %d", n, h, p, host(w), port(w));
	else
		foreign(w, out, size);
}

static void do_message(struct world *w)
{
	struct sentinel_message msg;
	struct observation o = observe(w, ASK_MESSAGE);
	unsigned kind = fuzz_below(&w->in, EVENT_KIND_COUNT + 4);
	char bytes[512], odd[64];
	const char *channel = odd;

	if (kind < EVENT_KIND_COUNT)
		channel = event_kind_info((enum event_kind)kind)->name;
	else
		foreign(w, odd, sizeof(odd));
	payload(w, bytes, sizeof(bytes));
	sentinel_message_parse(&msg, channel, strlen(channel), bytes, strlen(bytes));
	fuzz_check_message(&msg);
	o.sent_ms = 0;
	o.u.message = &msg;
	apply(w, &o);
}

/* --- a set of Sentinels ------------------------------------------------------------------------ */

static uint32_t node_at(const struct world *w, const struct endpoint *addr)
{
	size_t cursor = 0;
	const struct deployment *d;

	while ((d = model_next_deployment(w->m, &cursor)) != NULL) {
		const struct node *n = model_find_node(w->m, d->id, addr);

		if (n != NULL)
			return n->id;
	}
	return 0;
}

/* The node at that address, which is named as a target where there is none. */
static uint32_t node_called(struct world *w, const char *h, int p)
{
	struct target_facts facts = { .profile = 0 };
	struct observation o = observe_node(w, ASK_TARGET, 0);

	FUZZ_ASSERT(endpoint_set(&facts.addr, h, strlen(h), p));
	if (node_at(w, &facts.addr) == 0 && model_node_count(w->m) < NODES_MAX) {
		o.u.target = &facts;
		apply(w, &o);
	}
	return node_at(w, &facts.addr);
}

static const char *near_host(struct world *w)
{
	static const char *const hosts[] = { "10.0.0.1", "10.0.0.2", "10.0.0.3" };

	return hosts[fuzz_byte(&w->in) % 3];
}

/* Ages and sizes of which most are of a set that is well. */
static long long age(struct world *w)
{
	static const long long ages[] = { 0, 20, 300, 900, 1100, 4000, 6000, 29000, 31000, -1000, 400000 };
	unsigned i = fuzz_byte(&w->in);

	return i < 220 ? ages[i % 11] : number(w);
}

static void pair_number(struct tree *t, struct reply *map, const char *key, long long value)
{
	tree_pair(t, map, key, tree_number(t, value));
}

static struct reply *known_instance(struct world *w, struct tree *t, enum question q, int p)
{
	static const char *const kinds[] = { "master", "slave", "sentinel" };
	static const char *const flags[][4] = {
		{ "master", "master,s_down", "master,s_down,o_down", "master,failover_in_progress" },
		{ "slave", "slave,s_down", "slave,disconnected", "slave,s_down,disconnected" },
		{ "sentinel", "sentinel", "sentinel,s_down", "sentinel,master_down" },
	};
	static const int64_t parameters[] = { 5000, 5000, 5000, 5000, 5000, 5000, 30000, 1 };
	static char run_ids[8][ID_BYTES];
	static unsigned turn;
	unsigned kind = (unsigned)(q - ASK_SENTINEL_MASTERS), how = fuzz_byte(&w->in);
	char *run_id = run_ids[turn++ % 8];
	struct reply *map = &t->nodes[t->node_count++];

	*map = (struct reply){ .type = REPLY_ARRAY, .elements = t->elements + t->element_count };
	id(w, run_id);
	tree_pair(t, map, "name", q == ASK_SENTINEL_MASTERS ? "mymaster" : kinds[kind]);
	tree_pair(t, map, "ip", near_host(w));
	pair_number(t, map, "port", p);
	tree_pair(t, map, "runid", how >= 250 ? "" : run_id);
	tree_pair(t, map, "flags", flags[kind][how % 16 < 12 ? 0 : how % 4]);
	if (how % 4 == 3)
		pair_number(t, map, "s-down-time", age(w));
	pair_number(t, map, "last-ok-ping-reply", age(w));
	pair_number(t, map, "info-refresh", age(w));
	pair_number(t, map, "down-after-milliseconds", parameters[fuzz_byte(&w->in) % 8]);
	if (q == ASK_SENTINEL_MASTERS) {
		pair_number(t, map, "config-epoch", fuzz_byte(&w->in) % 4);
		pair_number(t, map, "num-slaves", fuzz_byte(&w->in) % 4);
		pair_number(t, map, "num-other-sentinels", fuzz_byte(&w->in) % 8);
		pair_number(t, map, "quorum", fuzz_byte(&w->in) % 5);
		pair_number(t, map, "failover-timeout", parameters[fuzz_byte(&w->in) % 8]);
		pair_number(t, map, "parallel-syncs", 1);
	} else if (q == ASK_SENTINEL_REPLICAS) {
		pair_number(t, map, "master-link-down-time", age(w));
		pair_number(t, map, "slave-priority", how % 8 ? 100 : number(w));
		pair_number(t, map, "slave-repl-offset", how % 8 ? 1000 : number(w));
	} else {
		tree_pair(t, map, "voted-leader", run_id);
		pair_number(t, map, "voted-leader-epoch", fuzz_byte(&w->in) % 4);
	}
	return map;
}

/* One of three Sentinels on its master, its replicas or its peers. */
static void sentinel_lists(struct world *w, uint32_t sentinel, enum question q)
{
	static struct tree t;
	struct observation o = observe_node(w, q, sentinel);
	struct reply *items[4], list = { .type = REPLY_ARRAY, .elements = items };
	unsigned count = q == ASK_SENTINEL_MASTERS ? 1 : fuzz_byte(&w->in) % 5;

	t.node_count = t.element_count = t.text_count = 0;
	for (unsigned i = 0; i < count; i++)
		items[list.element_count++] =
		    known_instance(w, &t, q, q == ASK_SENTINEL_SENTINELS ? 26379 : 6379 + (int)i % 2);
	o.arg = "mymaster";
	parse_reply(w->parser, &list, &o);
	fuzz_check_observation(&o);
	apply(w, &o);
}

static void sentinel_ckquorum(struct world *w, uint32_t sentinel)
{
	static const char *const texts[] = {
		"OK 3 usable Sentinels. Quorum and failover authorization can be reached",
		"NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the majority and "
		"authorize a failover",
	};
	struct observation o = observe_node(w, ASK_SENTINEL_CKQUORUM, sentinel);
	unsigned which = fuzz_byte(&w->in) % 2;
	struct reply r = { .type = which ? REPLY_ERROR : REPLY_STATUS, .str = texts[which] };

	r.len = strlen(r.str);
	o.arg = "mymaster";
	parse_reply(w->parser, &r, &o);
	fuzz_check_observation(&o);
	apply(w, &o);
}

static void data_node_info(struct world *w, uint32_t node, const char *h, int p, bool master)
{
	struct buf text = BUF_INIT;
	struct observation o = observe_node(w, ASK_INFO, node);
	unsigned how = fuzz_byte(&w->in);

	buf_addf(&text, "redis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:%s%d\r\n", h, p);
	buf_addf(&text, "master_replid:1111\r\nmaster_repl_offset:%u\r\nrepl_backlog_active:1\r\n"
		 "repl_backlog_size:1000\r\nrepl_backlog_first_byte_offset:%u\r\n", 1000 + how, how);
	if (master)
		buf_addf(&text, "role:master\r\nslave0:ip=10.0.0.2,port=6379,state=online,offset=%u,lag=%u\r\n"
			 "slave1:ip=10.0.0.3,port=6379,state=online,offset=%u,lag=%u\r\n",
			 900 + how, how % 3, 900 + how % 128, how % 5);
	else
		buf_addf(&text, "role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\nmaster_link_status:%s\r\n"
			 "slave_repl_offset:%u\r\nslave_priority:%u\r\nreplica_announced:%u\r\n",
			 how % 4 ? "up" : "down", 900 + how, how % 8 ? 100 : 0, how % 16 != 5);
	FUZZ_ASSERT(info_parse(&w->info, text.data, text.len));
	o.u.info = &w->info;
	apply(w, &o);
	buf_free(&text);
}

static void come_up(struct world *w, uint32_t node, bool up)
{
	struct link_facts facts = { .state = up ? LINK_UP : LINK_LOST };
	struct observation o = observe_node(w, ASK_LINK, node);

	o.text = up ? NULL : "connection reset by peer";
	o.u.link = &facts;
	apply(w, &o);
}

/* What comes of a deployment that is nearly well: three Sentinels, a master and its replicas. */
static void do_set(struct world *w)
{
	unsigned what = fuzz_byte(&w->in);
	const char *h = near_host(w);
	bool data = what % 8 >= 5;
	int p = data ? 6379 : 26379;
	uint32_t node = node_called(w, h, p);
	const struct node *n = model_node(w->m, node);

	if (n == NULL)
		return;
	if (what >= 240 || n->link.state != LINK_UP)
		come_up(w, node, what < 240);
	if (data)
		data_node_info(w, node, h, p, what % 8 == 5);
	else if (what % 8 == 4)
		sentinel_ckquorum(w, node);
	else
		sentinel_lists(w, node, ASK_SENTINEL_MASTERS + (what % 8 + 2) % 3);
}

static void do_hello(struct world *w)
{
	struct sentinel_hello h;
	struct observation o = observe(w, ASK_SENTINEL_HELLO);
	struct buf text = BUF_INIT;
	char run_id[ID_BYTES];

	id(w, run_id);
	buf_addf(&text, "%s,%d,%s,1,%s,%s,%d,1", host(w), port(w), run_id, name(w), host(w), port(w));
	if (model_node_count(w->m) < NODES_MAX && sentinel_hello_parse(&h, text.data, text.len)) {
		o.u.hello = &h;
		apply(w, &o);
	}
	buf_free(&text);
}

static void do_small(struct world *w)
{
	char run_id[ID_BYTES];
	struct role_facts role = { .role = (enum role)(1 + fuzz_byte(&w->in) % 2) };
	struct observation o = observe(w, ASK_ROLE);

	id(w, run_id);
	switch (fuzz_byte(&w->in) % 3) {
	case 0:
		o.u.role = &role;
		break;
	case 1:
		o.question = ASK_SENTINEL_MYID;
		o.u.myid = run_id;
		break;
	default:
		o.question = ASK_SENTINEL_WATCHERS;
		o.u.watchers = fuzz_byte(&w->in) % 3;
		break;
	}
	apply(w, &o);
}

static void do_action(struct world *w)
{
	struct action_facts a = { .action_id = 1, .stage = (enum action_stage)(fuzz_byte(&w->in) % 7),
				  .name = "failover", .command = "SENTINEL FAILOVER", .operator_name = "me",
				  .outcome = fuzz_byte(&w->in) % 2 ? "done" : "" };
	struct observation o = observe(w, ASK_ACTION);

	text_clean(a.subject, sizeof(a.subject), "mymaster", 8);
	o.u.action = &a;
	apply(w, &o);
}

/* What redoubt's own writes came to, for some group or for none. */
static void do_probe(struct world *w)
{
	static const char *const texts[] = { NULL, "NOPERM no permission", "connection refused" };
	struct probe_facts p = { .news = (enum probe_news)(fuzz_byte(&w->in) % (PROBE_BARRED + 1)) };
	struct observation o = observe(w, ASK_PROBE);
	const struct node *n = model_node(w->m, o.node_id);

	p.group_id = n != NULL ? n->group_id : 0;
	p.acknowledged = fuzz_byte(&w->in) * 100;
	p.failed = fuzz_byte(&w->in);
	p.latency_us = p.failed % 8 ? 300 : FACT_UNKNOWN;
	p.first_failed_ms = p.failed % 4 ? w->now - fuzz_byte(&w->in) : 0;
	p.outage_failed = fuzz_byte(&w->in) % 8;
	p.lost = p.outage_failed % 3 ? p.outage_failed : FACT_UNKNOWN;
	o.text = texts[fuzz_byte(&w->in) % 3];
	o.u.probe = &p;
	apply(w, &o);
}

/* --- clusters ---------------------------------------------------------------------------------- */

static void node_line(struct world *w, struct buf *text, bool myself)
{
	static const char *const flags[] = { "master", "slave", "master,fail?", "slave,fail?", "master,fail",
					     "slave,fail", "master,noaddr", "handshake", "master", "slave" };
	const char *flag = flags[fuzz_byte(&w->in) % 10];
	char node_id[ID_BYTES], master_id[ID_BYTES];
	unsigned ranges;

	id(w, node_id);
	id(w, master_id);
	if (strchr(host(w), ':') && fuzz_byte(&w->in) % 4 == 0)
		buf_addf(text, "%s :0@0 %s%s ", node_id, myself ? "myself," : "", flag);
	else
		buf_addf(text, "%s %s:%d@1 %s%s ", node_id, host(w), port(w), myself ? "myself," : "", flag);
	buf_addf(text, "%s 0 0 %u %s", flag[0] == 's' ? master_id : "-", fuzz_byte(&w->in) % 5,
		 fuzz_byte(&w->in) % 4 ? "connected" : "disconnected");
	ranges = fuzz_byte(&w->in) % 4;
	for (unsigned i = 0; i < ranges; i++) {
		unsigned first = fuzz_byte(&w->in) * 64, last = fuzz_byte(&w->in) * 64 + 63;

		buf_addf(text, " %u-%u", first, last < first ? first : last);
	}
	if (myself && fuzz_byte(&w->in) % 4 == 1)
		buf_addf(text, " [%u-%c-%s]", fuzz_byte(&w->in) * 64, fuzz_byte(&w->in) % 2 ? '>' : '<', master_id);
	buf_addch(text, '\n');
}

static void do_cluster_nodes(struct world *w)
{
	struct cluster_nodes_facts f;
	struct observation o = observe(w, ASK_CLUSTER_NODES);
	struct buf text = BUF_INIT;
	unsigned lines = 1 + fuzz_byte(&w->in) % 6, myself = fuzz_byte(&w->in) % 7;

	for (unsigned i = 0; i < lines; i++)
		node_line(w, &text, i == myself);
	if (model_node_count(w->m) < NODES_MAX && cluster_nodes_parse(&f, &w->scratch, text.data, text.len)) {
		fuzz_check_cluster_nodes(&f);
		o.u.cluster_nodes = &f;
		apply(w, &o);
	}
	buf_free(&text);
}

static void do_cluster_info(struct world *w)
{
	struct cluster_info_facts f;
	struct observation o = observe(w, ASK_CLUSTER_INFO);
	struct buf text = BUF_INIT;

	buf_addf(&text, "cluster_state:%s\r\ncluster_slots_assigned:%lld\r\ncluster_current_epoch:%lld\r\n",
		 fuzz_byte(&w->in) % 4 ? "ok" : "fail", number(w), number(w));
	FUZZ_ASSERT(cluster_info_parse(&f, text.data, text.len));
	o.u.cluster_info = &f;
	apply(w, &o);
	buf_free(&text);
}

static void do_tick(struct world *w)
{
	static const int64_t steps[] = { 0, 1, 50, 1000, 1000, 2500, 12000, 31000, 180001, 3600001, 86400000 };

	w->now += steps[fuzz_byte(&w->in) % 11] + fuzz_byte(&w->in);
	w->changed = model_tick(w->m, w->now, WALL + w->now);
	FUZZ_ASSERT(w->twin == NULL || model_tick(w->twin, w->now, WALL + w->now) == w->changed);
	FUZZ_ASSERT((w->changed & ~(unsigned)ALL_TOPICS) == 0);
}

/* --- what must hold ---------------------------------------------------------------------------- */

static void check_node(const struct world *w, const struct node *n)
{
	const struct deployment *d = model_deployment(w->m, n->deployment_id);
	const struct group *g = model_group(w->m, n->group_id);
	struct verdict v;
	struct lag lag;

	FUZZ_ASSERT(!n->gone);
	FUZZ_ASSERT(model_node(w->m, n->id) == n && model_node_resolve(w->m, n->id) == n->id);
	FUZZ_ASSERT(d != NULL);
	FUZZ_ASSERT(n->group_id == 0 || (g != NULL && g->deployment_id == d->id));
	FUZZ_ASSERT(n->upstream_id != n->id);
	FUZZ_ASSERT(model_find_node(w->m, d->id, &n->addr) != NULL);
	fuzz_check_endpoint(&n->addr);
	fuzz_check_endpoint(&n->dial);
	FUZZ_ASSERT(endpoint_is_set(&n->addr));
	FUZZ_CLEAN(n->run_id);
	FUZZ_CLEAN(n->sentinel_id);
	FUZZ_CLEAN(n->cluster_id);
	FUZZ_CLEAN(n->link.reason);
	FUZZ_CLEAN(n->event_link.reason);
	FUZZ_CLEAN(n->refused_text);
	if (n->info_at_ms != 0)
		fuzz_check_info(&n->info);
	health_node(w->m, n, w->now, &v);
	FUZZ_ASSERT(v.health <= HEALTH_CRITICAL);
	FUZZ_CLEAN(v.text);
	lag_of(w->m, n, w->now, &lag);
	FUZZ_ASSERT(lag.bytes >= 0 || lag.bytes == FACT_UNKNOWN);
	FUZZ_ASSERT(lag.backlog_headroom_bytes >= 0 || lag.backlog_headroom_bytes == FACT_UNKNOWN);
	FUZZ_ASSERT(lag.catch_up_ms >= 0 || lag.catch_up_ms == FACT_UNKNOWN);
	FUZZ_ASSERT(lag.backlog_off_ms >= 0 || lag.backlog_off_ms == FACT_UNKNOWN);
}

static void check_members(const struct world *w, const struct group *g)
{
	const struct endpoint *before = NULL;

	FUZZ_ASSERT(g->member_count <= g->member_cap);
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(w->m, g->member_ids[i]);

		FUZZ_ASSERT(n != NULL);
		FUZZ_ASSERT(n->id == g->member_ids[i]);
		FUZZ_ASSERT(n->group_id == g->id);
		for (size_t k = 0; k < i; k++)
			FUZZ_ASSERT(g->member_ids[k] != n->id);
		FUZZ_ASSERT(i == 0 || n->id != g->master_id);
		/* Rows keep their place: the master first, the others by address. */
		if (n->id == g->master_id)
			continue;
		if (before) {
			int order = strcmp(before->host, n->addr.host);

			FUZZ_ASSERT(order < 0 || (order == 0 && before->port <= n->addr.port));
		}
		before = &n->addr;
	}
}

static void check_views(const struct world *w, const struct group *g)
{
	FUZZ_ASSERT((group_best_view(g) == NULL) == (g->view_count == 0));
	for (size_t i = 0; i < g->view_count; i++) {
		fuzz_check_instance(&g->views[i].facts);
		for (size_t k = 0; k < i; k++)
			FUZZ_ASSERT(g->views[k].sentinel_id != g->views[i].sentinel_id);
	}
	for (size_t i = 0; i < g->replica_count; i++)
		for (size_t k = 0; k < i; k++)
			FUZZ_ASSERT(g->replicas[k].node_id != g->replicas[i].node_id);
	for (size_t i = 0; i < g->peer_count; i++)
		for (size_t k = 0; k < i; k++)
			FUZZ_ASSERT(g->peers[k].node_id != g->peers[i].node_id);
	FUZZ_ASSERT(group_sentinels_reachable(w->m, g) <= g->view_count);
	FUZZ_ASSERT(group_sentinels_reachable(w->m, g) <= group_sentinels_known(w->m, g));
	FUZZ_CLEAN(g->failover.abort_reason);
	FUZZ_CLEAN(g->ckquorum.message);
}

static void check_group(const struct world *w, const struct deployment *d, const struct group *g)
{
	struct verdict v;
	char text[96];

	FUZZ_ASSERT(model_group(w->m, g->id) == g && g->deployment_id == d->id);
	FUZZ_ASSERT(g->master_id == 0 || model_node(w->m, g->master_id) != NULL);
	FUZZ_CLEAN(g->name);
	check_members(w, g);
	check_views(w, g);
	health_group(w->m, g, w->now, &v);
	FUZZ_CLEAN(v.text);
	group_failover_text(g, w->now, text, sizeof(text));
	FUZZ_CLEAN(text);
	FUZZ_ASSERT(strstr("ok sdown odown failover", group_status(w->m, g)) != NULL);
	group_failover_running(w->m, g, w->now);
	group_in_trouble(w->m, g, w->now);
	fuzz_check_verdicts(w->m, g, w->now);
}

/* Looks at all slots: not at each step. */
static void check_slots(const struct world *w, const struct deployment *d)
{
	static struct slot_range ranges[SLOT_COUNT];
	size_t free_slots = 0, count;

	if (!d->cluster || w->in.left % 16 != 0)
		return;
	count = slot_uncovered(d, ranges, SLOT_COUNT);
	for (size_t i = 0; i < count; i++) {
		FUZZ_ASSERT(i == 0 || ranges[i].first > ranges[i - 1].last + 1);
		free_slots += ranges[i].last - ranges[i].first + 1u;
	}
	FUZZ_ASSERT(free_slots + d->cluster->assigned == SLOT_COUNT || d->cluster->nodes_at_ms == 0);
	for (unsigned slot = 0; slot < SLOT_COUNT; slot += 61) {
		uint32_t owner = slot_owner(d, slot);

		FUZZ_ASSERT(owner == 0 || model_node(w->m, owner) != NULL);
		FUZZ_ASSERT((owner == 0) <= (slot_state(w->m, d, slot) == SLOT_UNCOVERED));
	}
}

static void check_deployment(const struct world *w, const struct deployment *d)
{
	struct verdict v;

	FUZZ_ASSERT(model_deployment(w->m, d->id) == d && !d->gone && !d->regroup);
	FUZZ_CLEAN(d->name);
	for (size_t i = 0; i < d->group_count; i++) {
		const struct group *g = d->groups[i], *before = i ? d->groups[i - 1] : NULL;

		check_group(w, d, g);
		if (before && before->first_slot == g->first_slot)
			FUZZ_ASSERT(strcmp(before->name, g->name) <= (d->kind == KIND_SENTINEL ? -1 : 0));
		else if (before)
			FUZZ_ASSERT(before->first_slot < g->first_slot);
	}
	check_slots(w, d);
	health_deployment(w->m, d, w->now, &v);
	FUZZ_CLEAN(v.text);
}

static void check_event(const struct world *w, const struct event *e)
{
	FUZZ_ASSERT(e->kind < EVENT_KIND_COUNT && e->severity <= SEVERITY_CRITICAL);
	FUZZ_ASSERT(e->deployment_id == 0 || model_deployment(w->m, e->deployment_id) != NULL);
	FUZZ_ASSERT(e->last_ms >= e->mono_ms);
	FUZZ_ASSERT(e->source_count >= 1 && e->source_count <= EVENT_SOURCES_MAX);
	FUZZ_ASSERT(e->source_total >= e->source_count);
	FUZZ_CLEAN_TEXT(e->name);
	FUZZ_CLEAN_TEXT(e->deployment);
	FUZZ_CLEAN_TEXT(e->subject);
	FUZZ_CLEAN_TEXT(e->addr);
	FUZZ_CLEAN_TEXT(e->detail);
	for (unsigned i = 0; i < e->source_count; i++)
		FUZZ_CLEAN_TEXT(e->sources[i].addr);
}

static void check_events(struct world *w)
{
	const struct event_log *log = model_events(w->m);
	size_t count = event_log_count(log);

	FUZZ_ASSERT(count <= EVENTS_MAX);
	FUZZ_ASSERT(event_log_last_seq(log) >= w->seen_seq);
	w->seen_seq = event_log_last_seq(log);
	for (size_t i = 0; i < count; i++) {
		const struct event *e = event_log_at(log, i);

		FUZZ_ASSERT(e->seq == w->seen_seq - count + i + 1);
		FUZZ_ASSERT(event_log_from(log, e->seq) == e);
		FUZZ_ASSERT(i == 0 || e->mono_ms >= event_log_at(log, i - 1)->mono_ms);
		check_event(w, e);
	}
	FUZZ_ASSERT(event_log_at(log, count) == NULL);
}

static void check_model(struct world *w)
{
	const struct deployment *d;
	const struct node *n;
	size_t cursor = 0, nodes = 0, members = 0, member;

	while ((n = model_next_node(w->m, &cursor)) != NULL) {
		check_node(w, n);
		nodes++;
	}
	FUZZ_ASSERT(nodes == model_node_count(w->m));
	for (cursor = 0; (d = model_next_deployment(w->m, &cursor)) != NULL;) {
		check_deployment(w, d);
		for (member = 0; model_next_member(w->m, d->id, &member) != NULL;)
			members++;
	}
	FUZZ_ASSERT(members == nodes);
}

static void check_lines(const struct buf *out)
{
	for (const char *line = buf_str(out), *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		FUZZ_ASSERT(end != NULL);
		if (!fuzz_is_clean(line, (size_t)(end - line)))
			fuzz_fail(__FILE__, __LINE__, "a line is clean", line);
	}
}

/* What is told of a failover is of the past, in its place and clean. */
static void check_failovers(const struct world *w)
{
	uint32_t before = 0;

	FUZZ_ASSERT(model_failover_count(w->m) <= FAILOVERS_MAX);
	for (size_t i = 0; i < model_failover_count(w->m); i++) {
		const struct failover_record *f = model_failover_at(w->m, i);
		int64_t gap = failover_unwritable_ms(f);

		FUZZ_ASSERT(f->id > before);
		before = f->id;
		FUZZ_CLEAN(f->name);
		FUZZ_CLEAN(f->leader);
		FUZZ_CLEAN(f->old_master);
		FUZZ_CLEAN(f->new_master);
		FUZZ_CLEAN(f->abort_reason);
		FUZZ_ASSERT(f->replica_count <= FAILOVER_REPLICAS_MAX);
		FUZZ_ASSERT(f->observer_count <= FAILOVER_OBSERVERS_MAX);
		FUZZ_ASSERT(failover_begin_ms(f) > 0 && (w->foreign || failover_end_ms(f) <= w->now));
		FUZZ_ASSERT(gap == FACT_UNKNOWN || gap >= 0);
		for (int k = 0; k < STEP_COUNT; k++)
			FUZZ_ASSERT(failover_spread_ms(f, (enum failover_step)k) >= 0);
	}
}

static void check_report(const struct world *w)
{
	struct report_options o = { .now_ms = w->now, .wall_ms = WALL, .operator_name = "o", .version = "1" };
	size_t cursor = 0;
	const struct deployment *d;
	struct buf out = BUF_INIT;

	while ((d = model_next_deployment(w->m, &cursor))) {
		o.deployment_id = d->id;
		report_write(w->m, &o, &out);
	}
	if (out.len > 0)
		check_lines(&out);
	buf_free(&out);
}

static void check_outputs(const struct world *w)
{
	struct event_stream text = { 0 }, json = { 0 };
	struct buf out = BUF_INIT;
	json_t *parsed;

	output_snapshot_text(w->m, w->now, WALL + w->now, &out);
	event_stream_pump(&text, w->m, FORMAT_TEXT, w->now, true, &out);
	event_stream_pump(&json, w->m, FORMAT_JSON, w->now, true, &out);
	check_lines(&out);
	buf_reset(&out);
	output_snapshot_json(w->m, w->now, WALL + w->now, &out);
	check_lines(&out);
	parsed = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
	FUZZ_ASSERT(parsed != NULL);
	FUZZ_ASSERT(json_array_size(json_object_get(parsed, "deployments")) ==
		    model_deployment_count(w->m));
	json_decref(parsed);
	buf_free(&out);
	check_failovers(w);
	check_report(w);
}

/* --- saved and loaded -------------------------------------------------------------------------- */

static void check_twin(const struct world *w)
{
	struct buf a = BUF_INIT, b = BUF_INIT;

	model_save(w->m, &a);
	model_save(w->twin, &b);
	FUZZ_ASSERT(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
	buf_reset(&a);
	buf_reset(&b);
	event_log_save(model_events(w->m), 0, &a);
	event_log_save(model_events(w->twin), 0, &b);
	FUZZ_ASSERT(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
	buf_free(&a);
	buf_free(&b);
}

static void renew_twin(struct world *w)
{
	struct buf bytes = BUF_INIT, err = BUF_INIT;

	model_free(w->twin);
	model_save(w->m, &bytes);
	w->twin = model_load(bytes.data, bytes.len, &err);
	if (w->twin == NULL)
		fuzz_fail(__FILE__, __LINE__, "a saved model is loaded", buf_str(&err));
	buf_reset(&bytes);
	event_log_save(model_events(w->m), 0, &bytes);
	FUZZ_ASSERT(event_log_restore(model_events_of_load(w->twin), bytes.data, bytes.len));
	buf_free(&bytes);
	buf_free(&err);
	check_twin(w);
}

/* --- the whole --------------------------------------------------------------------------------- */

typedef void step_function(struct world *w);

static step_function *const steps[] = {
	do_target, do_link, do_link, do_reply, do_silence, do_info, do_info, do_info, do_list, do_list,
	do_list, do_message, do_message, do_hello, do_small, do_action, do_cluster_nodes,
	do_cluster_nodes, do_cluster_info, do_tick, do_tick,
};

/* Which of them is a byte's remainder; the last sixteen values are steps of their own. */
#define SET_FROM 240
static void step(struct world *w)
{
	unsigned which = fuzz_byte(&w->in);

	if (which == UINT8_MAX)
		do_probe(w);
	else if (which >= SET_FROM)
		do_set(w);
	else
		steps[which % (sizeof(steps) / sizeof(steps[0]))](w);
}

static struct world world_of(struct model *m, const uint8_t *data, size_t size)
{
	struct world w = { .m = m, .parser = parser_new(), .in = { data, size }, .now = 1000000 };

	info_reset(&w.info);
	return w;
}

static void world_end(struct world *w)
{
	info_done(&w->info);
	cluster_scratch_done(&w->scratch);
	parser_free(w->parser);
}

void fuzz_model_go_on(struct model *m, const uint8_t *data, size_t size)
{
	struct world w = world_of(m, data, size);

	w.foreign = true;
	while (w.in.left > 0)
		step(&w);
	check_outputs(&w);
	world_end(&w);
}

void fuzz_model(const uint8_t *data, size_t size)
{
	struct world w = world_of(model_new(EVENTS_MAX), data, size);

	do_target(&w);
	for (unsigned i = 0; i < STEPS_MAX && w.in.left > 0; i++) {
		step(&w);
		if (i % 4 == 0)
			check_model(&w);
		if (i % 32 == 13)
			renew_twin(&w);
	}
	if (w.twin)
		check_twin(&w);
	check_model(&w);
	check_events(&w);
	check_outputs(&w);
	world_end(&w);
	model_free(w.m);
	model_free(w.twin);
}
