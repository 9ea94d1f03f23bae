/* The words of an input, and its observations of any server: links, INFO, roles, actions, time. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fuzz_facts.h"
#include "fuzz_model.h"
#include "redis/sentinel.h"

#define ALL_TOPICS (TOPIC_NODES | TOPIC_TOPOLOGY | TOPIC_HEALTH | TOPIC_EVENTS | TOPIC_VALUES | TOPIC_SELECTED)

/* --- words ------------------------------------------------------------------------------------ */

const char *word_host(struct fuzz_world *w)
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

int word_port(struct fuzz_world *w)
{
	static const int ports[] = { 6379, 6380, 26379, 7001 };

	return ports[fuzz_byte(&w->in) % 4];
}

/* Of a length at which it is cut. */
#define LONG                                                                                       \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"   \
	"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5"

const char *word_name(struct fuzz_world *w)
{
	static const char *const names[] = {
		"mymaster", "cache", "a name", "\xe6\x97\xa5\xe6\x9c\xac", "",
		LONG,
	};
	unsigned i = fuzz_byte(&w->in);

	return names[i < 160 ? 0 : i % 6];
}

/* Forty times one digit. */
void word_id(struct fuzz_world *w, char out[ID_BYTES])
{
	memset(out, "123456abcd"[fuzz_byte(&w->in) % 10], ID_BYTES - 1);
	out[ID_BYTES - 1] = '\0';
}

long long word_number(struct fuzz_world *w)
{
	static const long long odd[] = { 0, 1, -1, -1000, INT64_MAX, INT64_MIN + 1, INT64_MAX / 1000 + 1,
					 INT32_MAX, 1LL << 53, 100, 100000, 1LL << 62 };
	unsigned i = fuzz_byte(&w->in);

	return i < 192 ? (long long)i * (fuzz_byte(&w->in) + 1) : odd[i % 12];
}

/* One of those that there are; rarely one that has left, or nobody. */
uint32_t word_node(struct fuzz_world *w)
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

void word_bytes(struct fuzz_world *w, char *out, size_t size)
{
	size_t len;
	const char *bytes = fuzz_bytes(&w->in, size - 1, &len);

	memcpy(out, bytes, len);
	out[len] = '\0';
}

/* --- observations ------------------------------------------------------------------------------ */

struct observation step_observe_node(const struct fuzz_world *w, enum question q, uint32_t node_id)
{
	return (struct observation){ .question = q, .node_id = node_id, .sent_ms = w->now,
				     .recv_ms = w->now, .wall_ms = WALL + w->now, .rtt_us = 300 };
}

struct observation step_observe(struct fuzz_world *w, enum question q)
{
	return step_observe_node(w, q, word_node(w));
}

/* FUZZ_TRACE=1 says what an input means. */
static void trace(const struct fuzz_world *w, const struct observation *o)
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

void step_apply(struct fuzz_world *w, const struct observation *o)
{
	trace(w, o);
	w->changed = model_apply(w->m, o);
	FUZZ_ASSERT(w->twin == NULL || model_apply(w->twin, o) == w->changed);
	FUZZ_ASSERT((w->changed & ~(unsigned)ALL_TOPICS) == 0);
}

void step_target(struct fuzz_world *w)
{
	/* Two networks may announce the same addresses. */
	struct target_facts facts = { .profile = fuzz_byte(&w->in) > 220 };
	const char *h = word_host(w);
	struct observation o = step_observe(w, ASK_TARGET);

	if (facts.profile)
		facts.name = word_name(w);
	if (model_node_count(w->m) >= NODES_MAX || !endpoint_set(&facts.addr, h, strlen(h), word_port(w)))
		return;
	o.u.target = &facts;
	step_apply(w, &o);
}

void step_link(struct fuzz_world *w)
{
	static const char *const reasons[] = { NULL, "connection refused", "",
		"\xe6\x97\xa5\xe6\x9c\xac a reason that is longer than the place that there is for it, by far, since "
		"somebody put all of the story into it: \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac"
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5" };
	unsigned how = fuzz_byte(&w->in);
	struct link_facts facts = { .state = how % 3 ? LINK_UP : (enum link_state)(how / 3 % 9),
				    .events = how >= 200 };
	struct observation o = step_observe(w, ASK_LINK);

	o.error = facts.state == LINK_AUTH_ERROR ? ERROR_NOAUTH : ERROR_NONE;
	o.text = facts.state == LINK_UP ? NULL : reasons[fuzz_byte(&w->in) % 4];
	o.u.link = &facts;
	step_apply(w, &o);
}

/* A reply in the input's own bytes, or an error reply of the servers' kind, through parse_reply. */
void step_reply(struct fuzz_world *w)
{
	static const char *const texts[] = {
		"NOAUTH Authentication required.", "LOADING Redis is loading", "NOPERM no permission",
		"ERR unknown command", "NOQUORUM 1 usable Sentinels.", "OK 3 usable Sentinels.", "master", "",
	};
	enum question q = (enum question)fuzz_below(&w->in, ASK_COUNT);
	char bytes[200];
	struct observation o = step_observe(w, q);
	unsigned how = fuzz_byte(&w->in);
	struct reply r = { .type = (enum reply_type)(how % 5), .str = bytes };

	word_bytes(w, bytes, sizeof(bytes));
	if (how >= 64)
		r.str = texts[how / 5 % 8];
	r.len = strlen(r.str);
	r.integer = word_number(w);
	if (q == ASK_TARGET || q == ASK_LINK || q == ASK_ACTION || q == ASK_PROBE || q == ASK_NONE)
		return;
	o.arg = word_name(w);
	parse_reply(w->parser, &r, &o);
	fuzz_check_observation(&o);
	/* Messages come by another way, and only whole. */
	if (o.answer != ANSWER_OK && q == ASK_MESSAGE)
		return;
	step_apply(w, &o);
}

void step_silence(struct fuzz_world *w)
{
	struct observation o = step_observe(w, ASK_INFO);

	o.answer = fuzz_byte(&w->in) % 2 ? ANSWER_TIMEOUT : ANSWER_LOST;
	o.text = "no reply in time";
	step_apply(w, &o);
}

static void info_replication(struct fuzz_world *w, struct buf *text)
{
	unsigned replicas = fuzz_byte(&w->in) % 4;
	char replid[ID_BYTES];

	word_id(w, replid);
	if (fuzz_byte(&w->in) % 2) {
		buf_addf(text, "role:slave\r\nmaster_host:%s\r\nmaster_port:%d\r\n", word_host(w), word_port(w));
		buf_addf(text, "master_link_status:%s\r\nslave_repl_offset:%lld\r\nmaster_link_down_since_seconds:%lld\r\n",
			 fuzz_byte(&w->in) % 2 ? "up" : "down", word_number(w), word_number(w));
		buf_addf(text, "master_sync_in_progress:%d\r\nmaster_sync_total_bytes:%lld\r\nslave_priority:%lld\r\n",
			 fuzz_byte(&w->in) % 4 == 1, word_number(w), word_number(w));
	} else {
		buf_addstr(text, "role:master\r\n");
	}
	for (unsigned i = 0; i < replicas && model_node_count(w->m) < NODES_MAX; i++)
		buf_addf(text, "slave%u:ip=%s,port=%d,state=online,offset=%lld,lag=%lld\r\n", i, word_host(w),
			 word_port(w), word_number(w), word_number(w));
	buf_addf(text, "master_replid:%s\r\nmaster_repl_offset:%lld\r\nrepl_backlog_active:1\r\n"
		 "repl_backlog_size:%lld\r\nrepl_backlog_first_byte_offset:%lld\r\nmaster_failover_state:%s\r\n",
		 replid, word_number(w), word_number(w), word_number(w),
		 fuzz_byte(&w->in) % 8 ? "no-failover" : "failover-in-progress");
}

void step_info(struct fuzz_world *w)
{
	static const char *const modes[] = { "standalone", "standalone", "cluster", "sentinel" };
	unsigned mode = fuzz_byte(&w->in) % 4;
	struct buf text = BUF_INIT;
	struct observation o = step_observe(w, ASK_INFO);
	char run_id[ID_BYTES];

	word_id(w, run_id);
	buf_addf(&text, "redis_version:7.0.15\r\nredis_mode:%s\r\nrun_id:%s\r\nuptime_in_seconds:%lld\r\n",
		 modes[mode], run_id, word_number(w));
	buf_addf(&text, "keyspace_hits:%lld\r\nkeyspace_misses:%lld\r\nloading:%d\r\nsync_full:%lld\r\n",
		 word_number(w), word_number(w), fuzz_byte(&w->in) % 8 == 1, word_number(w));
	if (mode == 3)
		buf_addf(&text, "sentinel_tilt:%d\r\n", fuzz_byte(&w->in) % 4 == 1);
	else
		info_replication(w, &text);
	FUZZ_ASSERT(info_parse(&w->info, text.data, text.len));
	fuzz_check_info(&w->info);
	o.u.info = &w->info;
	step_apply(w, &o);
	buf_free(&text);
}

/* --- a set of Sentinels ------------------------------------------------------------------------ */

void step_hello(struct fuzz_world *w)
{
	struct sentinel_hello h;
	struct observation o = step_observe(w, ASK_SENTINEL_HELLO);
	struct buf text = BUF_INIT;
	char run_id[ID_BYTES];

	word_id(w, run_id);
	buf_addf(&text, "%s,%d,%s,1,%s,%s,%d,1", word_host(w), word_port(w), run_id, word_name(w),
		 word_host(w), word_port(w));
	if (model_node_count(w->m) < NODES_MAX && sentinel_hello_parse(&h, text.data, text.len)) {
		o.u.hello = &h;
		step_apply(w, &o);
	}
	buf_free(&text);
}

void step_small(struct fuzz_world *w)
{
	char run_id[ID_BYTES];
	struct role_facts role = { .role = (enum role)(1 + fuzz_byte(&w->in) % 2) };
	struct observation o = step_observe(w, ASK_ROLE);

	word_id(w, run_id);
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
	step_apply(w, &o);
}

void step_action(struct fuzz_world *w)
{
	struct action_facts a = { .action_id = 1, .stage = (enum action_stage)(fuzz_byte(&w->in) % 7),
				  .name = "failover", .command = "SENTINEL FAILOVER", .operator_name = "me",
				  .outcome = fuzz_byte(&w->in) % 2 ? "done" : "" };
	struct observation o = step_observe(w, ASK_ACTION);

	text_clean(a.subject, sizeof(a.subject), "mymaster", 8);
	o.u.action = &a;
	step_apply(w, &o);
}

/* What redoubt's own writes came to, for some group or for none. */
void step_probe(struct fuzz_world *w)
{
	static const char *const texts[] = { NULL, "NOPERM no permission", "connection refused" };
	struct probe_facts p = { .news = (enum probe_news)(fuzz_byte(&w->in) % (PROBE_BARRED + 1)) };
	struct observation o = step_observe(w, ASK_PROBE);
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
	step_apply(w, &o);
}

/* --- clusters ---------------------------------------------------------------------------------- */

void step_tick(struct fuzz_world *w)
{
	static const int64_t steps[] = { 0, 1, 50, 1000, 1000, 2500, 12000, 31000, 180001, 3600001, 86400000 };

	w->now += steps[fuzz_byte(&w->in) % 11] + fuzz_byte(&w->in);
	w->changed = model_tick(w->m, w->now, WALL + w->now);
	FUZZ_ASSERT(w->twin == NULL || model_tick(w->twin, w->now, WALL + w->now) == w->changed);
	FUZZ_ASSERT((w->changed & ~(unsigned)ALL_TOPICS) == 0);
}
