/* What Sentinels say: lists and messages of anything, and what comes of a set that is nearly well. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "fuzz_facts.h"
#include "fuzz_model.h"
#include "redis/sentinel.h"

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

static struct reply *instance(struct fuzz_world *w, struct tree *t, const char *kind, char run_id[ID_BYTES])
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
	word_id(w, run_id);
	snprintf(word, sizeof(words[0]), "%s%s", flags[fuzz_byte(&w->in) % 8], kind);
	tree_pair(t, map, "name", word_name(w));
	tree_pair(t, map, "ip", word_host(w));
	tree_pair(t, map, "port", tree_number(t, word_port(w)));
	tree_pair(t, map, "runid", run_id);
	tree_pair(t, map, "flags", word);
	tree_pair(t, map, "failover-state", states[fuzz_byte(&w->in) % 7]);
	tree_pair(t, map, "config-epoch", tree_number(t, fuzz_byte(&w->in) % 4));
	tree_pair(t, map, "num-other-sentinels", tree_number(t, word_number(w)));
	tree_pair(t, map, "quorum", tree_number(t, word_number(w)));
	tree_pair(t, map, "failover-timeout", tree_number(t, word_number(w)));
	return map;
}

void step_list(struct fuzz_world *w)
{
	static const struct {
		enum question q;
		const char *kind;
	} lists[] = { { ASK_SENTINEL_MASTERS, "master" }, { ASK_SENTINEL_REPLICAS, "slave" },
		      { ASK_SENTINEL_SENTINELS, "sentinel" } };
	static struct tree t;
	unsigned which = fuzz_byte(&w->in) % 3, count = fuzz_byte(&w->in) % 4;
	struct observation o = step_observe(w, lists[which].q);
	struct reply *items[4], list = { .type = REPLY_ARRAY, .elements = items };
	char run_ids[4][ID_BYTES];

	t.node_count = t.element_count = t.text_count = 0;
	if (model_node_count(w->m) >= NODES_MAX)
		return;
	for (unsigned i = 0; i < count; i++)
		items[list.element_count++] = instance(w, &t, lists[which].kind, run_ids[i]);
	o.arg = word_name(w);
	parse_reply(w->parser, &list, &o);
	fuzz_check_observation(&o);
	step_apply(w, &o);
}

static void payload(struct fuzz_world *w, char *out, size_t size)
{
	static const char *const tails[] = { "", " #quorum 2/2", " new reported role is slave", " extra" };
	unsigned kind = fuzz_byte(&w->in) % 5;
	const char *h = word_host(w), *n = word_name(w);
	int p = word_port(w);

	if (kind == 0)
		snprintf(out, size, "master %s %s %d%s", n, h, p, tails[fuzz_byte(&w->in) % 4]);
	else if (kind == 1)
		snprintf(out, size, "slave %s:%d %s %d @ %s %s %d", h, p, h, p, n, word_host(w), word_port(w));
	else if (kind == 2)
		snprintf(out, size, "sentinel 1111 %s %d @ %s %s %d", h, p, n, word_host(w), word_port(w));
	else if (kind == 3)
		snprintf(out, size, "%s %s %d %s %d", n, h, p, word_host(w), word_port(w));
	else
		word_bytes(w, out, size);
}

void step_message(struct fuzz_world *w)
{
	struct sentinel_message msg;
	struct observation o = step_observe(w, ASK_MESSAGE);
	unsigned kind = fuzz_below(&w->in, EVENT_KIND_COUNT + 4);
	char bytes[512], odd[64];
	const char *channel = odd;

	if (kind < EVENT_KIND_COUNT)
		channel = event_kind_info((enum event_kind)kind)->name;
	else
		word_bytes(w, odd, sizeof(odd));
	payload(w, bytes, sizeof(bytes));
	sentinel_message_parse(&msg, channel, strlen(channel), bytes, strlen(bytes));
	fuzz_check_message(&msg);
	o.sent_ms = 0;
	o.u.message = &msg;
	step_apply(w, &o);
}

/* --- a set of Sentinels ------------------------------------------------------------------------ */

static uint32_t node_at(const struct fuzz_world *w, const struct endpoint *addr)
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
static uint32_t node_called(struct fuzz_world *w, const char *h, int p)
{
	struct target_facts facts = { .profile = 0 };
	struct observation o = step_observe_node(w, ASK_TARGET, 0);

	FUZZ_ASSERT(endpoint_set(&facts.addr, h, strlen(h), p));
	if (node_at(w, &facts.addr) == 0 && model_node_count(w->m) < NODES_MAX) {
		o.u.target = &facts;
		step_apply(w, &o);
	}
	return node_at(w, &facts.addr);
}

static const char *near_host(struct fuzz_world *w)
{
	static const char *const hosts[] = { "10.0.0.1", "10.0.0.2", "10.0.0.3" };

	return hosts[fuzz_byte(&w->in) % 3];
}

/* Ages and sizes of which most are of a set that is well. */
static long long age(struct fuzz_world *w)
{
	static const long long ages[] = { 0, 20, 300, 900, 1100, 4000, 6000, 29000, 31000, -1000, 400000 };
	unsigned i = fuzz_byte(&w->in);

	return i < 220 ? ages[i % 11] : word_number(w);
}

static void pair_number(struct tree *t, struct reply *map, const char *key, long long value)
{
	tree_pair(t, map, key, tree_number(t, value));
}

static struct reply *known_instance(struct fuzz_world *w, struct tree *t, enum question q, int p)
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
	word_id(w, run_id);
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
		pair_number(t, map, "slave-priority", how % 8 ? 100 : word_number(w));
		pair_number(t, map, "slave-repl-offset", how % 8 ? 1000 : word_number(w));
	} else {
		tree_pair(t, map, "voted-leader", run_id);
		pair_number(t, map, "voted-leader-epoch", fuzz_byte(&w->in) % 4);
	}
	return map;
}

/* One of three Sentinels on its master, its replicas or its peers. */
static void sentinel_lists(struct fuzz_world *w, uint32_t sentinel, enum question q)
{
	static struct tree t;
	struct observation o = step_observe_node(w, q, sentinel);
	struct reply *items[4], list = { .type = REPLY_ARRAY, .elements = items };
	unsigned count = q == ASK_SENTINEL_MASTERS ? 1 : fuzz_byte(&w->in) % 5;

	t.node_count = t.element_count = t.text_count = 0;
	for (unsigned i = 0; i < count; i++)
		items[list.element_count++] =
		    known_instance(w, &t, q, q == ASK_SENTINEL_SENTINELS ? 26379 : 6379 + (int)i % 2);
	o.arg = "mymaster";
	parse_reply(w->parser, &list, &o);
	fuzz_check_observation(&o);
	step_apply(w, &o);
}

static void sentinel_ckquorum(struct fuzz_world *w, uint32_t sentinel)
{
	static const char *const texts[] = {
		"OK 3 usable Sentinels. Quorum and failover authorization can be reached",
		"NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the majority and "
		"authorize a failover",
	};
	struct observation o = step_observe_node(w, ASK_SENTINEL_CKQUORUM, sentinel);
	unsigned which = fuzz_byte(&w->in) % 2;
	struct reply r = { .type = which ? REPLY_ERROR : REPLY_STATUS, .str = texts[which] };

	r.len = strlen(r.str);
	o.arg = "mymaster";
	parse_reply(w->parser, &r, &o);
	fuzz_check_observation(&o);
	step_apply(w, &o);
}

static void data_node_info(struct fuzz_world *w, uint32_t node, const char *h, int p, bool master)
{
	struct buf text = BUF_INIT;
	struct observation o = step_observe_node(w, ASK_INFO, node);
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
	step_apply(w, &o);
	buf_free(&text);
}

static void come_up(struct fuzz_world *w, uint32_t node, bool up)
{
	struct link_facts facts = { .state = up ? LINK_UP : LINK_LOST };
	struct observation o = step_observe_node(w, ASK_LINK, node);

	o.text = up ? NULL : "connection reset by peer";
	o.u.link = &facts;
	step_apply(w, &o);
}

/* What comes of a deployment that is nearly well: three Sentinels, a master and its replicas. */
void step_set(struct fuzz_world *w)
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
