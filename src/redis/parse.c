#include "config.h"

#include "redis/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"
#include "redis/cluster.h"
#include "redis/info.h"
#include "redis/sentinel.h"

/* An instance takes 1.5 kB: 30 MB at most. A Sentinel of 500 masters is a large one. */
#define INSTANCES_MAX 20000

struct parser {
	struct info_facts info;
	struct role_facts role;
	char myid[ID_BYTES];
	struct sentinel_list list;
	size_t list_cap;
	struct ckquorum_facts ckquorum;
	struct cluster_info_facts cluster_info;
	struct cluster_nodes_facts cluster_nodes;
	struct cluster_scratch cluster_scratch;
	struct sentinel_message message;
	struct sentinel_hello hello;
	char text[512];
};

struct parser *parser_new(void)
{
	struct parser *p = mem_alloc(sizeof(*p));

	info_reset(&p->info);
	return p;
}

void parser_free(struct parser *p)
{
	if (!p)
		return;
	info_done(&p->info);
	cluster_scratch_done(&p->cluster_scratch);
	free(p->list.items);
	free(p);
}

static const char *type_name(const struct reply *r)
{
	static const char *const names[] = {
		[REPLY_NIL] = "nil",         [REPLY_STRING] = "a string", [REPLY_STATUS] = "a status",
		[REPLY_ERROR] = "an error",  [REPLY_INTEGER] = "an integer",
		[REPLY_ARRAY] = "an array",
	};

	return names[r->type];
}

static void malformed(struct parser *p, struct observation *obs, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void malformed(struct parser *p, struct observation *obs, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->text, sizeof(p->text), fmt, ap);
	va_end(ap);
	obs->answer = ANSWER_MALFORMED;
	obs->text = p->text;
}

static bool is_text(const struct reply *r)
{
	return r->type == REPLY_STRING || r->type == REPLY_STATUS;
}

static bool expect_text(struct parser *p, const struct reply *r, struct observation *obs,
			const char *what)
{
	if (is_text(r))
		return true;
	malformed(p, obs, "expected %s, got %s", what, type_name(r));
	return false;
}

static void parse_info(struct parser *p, const struct reply *r, struct observation *obs)
{
	if (!expect_text(p, r, obs, "INFO text"))
		return;
	if (!info_parse(&p->info, r->str, r->len))
		malformed(p, obs, "expected INFO text, got a string without any known line");
	obs->u.info = &p->info;
}

/* ["slave", host, port, state, offset] */
static bool role_replica(struct role_facts *out, const struct reply *r)
{
	const struct reply *host, *port, *state, *offset;

	if (r->element_count < 5)
		return false;
	host = r->elements[1];
	port = r->elements[2];
	state = r->elements[3];
	offset = r->elements[4];
	if (!is_text(host) || port->type != REPLY_INTEGER || !is_text(state) ||
	    offset->type != REPLY_INTEGER)
		return false;
	out->role = ROLE_REPLICA;
	endpoint_set(&out->master, host->str, host->len, port->integer);
	text_clean(out->state, sizeof(out->state), state->str, state->len);
	out->offset = offset->integer;
	return true;
}

/* replication.c:roleCommand, sentinel.c:sentinelRoleCommand */
static bool role_parse(struct role_facts *out, const struct reply *r)
{
	const struct reply *word;

	memset(out, 0, sizeof(*out));
	out->offset = FACT_UNKNOWN;
	if (r->type != REPLY_ARRAY || r->element_count < 2)
		return false;
	word = r->elements[0];
	if (reply_is(word, "master") || reply_is(word, "primary")) {
		if (r->elements[1]->type != REPLY_INTEGER)
			return false;
		out->role = ROLE_MASTER;
		out->offset = r->elements[1]->integer;
		return true;
	}
	if (reply_is(word, "slave") || reply_is(word, "replica"))
		return role_replica(out, r);
	if (!reply_is(word, "sentinel"))
		return false;
	out->role = ROLE_SENTINEL;
	return true;
}

static void parse_role(struct parser *p, const struct reply *r, struct observation *obs)
{
	if (!role_parse(&p->role, r))
		malformed(p, obs, "expected an array that begins with a role, got %s%s", type_name(r),
			  r->type == REPLY_ARRAY ? " of another kind" : "");
	obs->u.role = &p->role;
}

static void parse_myid(struct parser *p, const struct reply *r, struct observation *obs)
{
	obs->u.myid = p->myid;
	p->myid[0] = '\0';
	if (!expect_text(p, r, obs, "an id"))
		return;
	if (r->len != ID_BYTES - 1 ||
	    text_clean(p->myid, sizeof(p->myid), r->str, r->len) != r->len) {
		p->myid[0] = '\0';
		malformed(p, obs, "expected an id of 40 characters, got a string of %zu", r->len);
	}
}

static void parse_list(struct parser *p, const struct reply *r, struct observation *obs)
{
	p->list.count = 0;
	obs->u.list = &p->list;
	if (r->type != REPLY_ARRAY) {
		malformed(p, obs, "expected an array of maps, got %s", type_name(r));
		return;
	}
	if (r->element_count > INSTANCES_MAX) {
		malformed(p, obs, "expected at most %d maps, got %zu", INSTANCES_MAX, r->element_count);
		return;
	}
	p->list.items = mem_grow(p->list.items, &p->list_cap, r->element_count, sizeof(*p->list.items));
	for (size_t i = 0; i < r->element_count; i++) {
		const struct reply *map = r->elements[i];

		if (map->type != REPLY_ARRAY)
			malformed(p, obs, "expected an array of maps, got %s in it", type_name(map));
		else if (!sentinel_instance_parse(&p->list.items[i], map))
			malformed(p, obs, "expected maps of strings with ip and port, got another");
		if (obs->answer == ANSWER_MALFORMED)
			return;
		p->list.count++;
	}
}

static void parse_ckquorum(struct parser *p, const struct reply *r, struct observation *obs)
{
	ckquorum_parse(&p->ckquorum, r);
	obs->u.ckquorum = &p->ckquorum;
	if (r->type != REPLY_ERROR)
		expect_text(p, r, obs, "a status");
}

static void parse_cluster_info(struct parser *p, const struct reply *r, struct observation *obs)
{
	obs->u.cluster_info = &p->cluster_info;
	if (!expect_text(p, r, obs, "CLUSTER INFO text"))
		return;
	if (!cluster_info_parse(&p->cluster_info, r->str, r->len))
		malformed(p, obs, "expected CLUSTER INFO text, got a string without cluster_state");
}

static void parse_cluster_nodes(struct parser *p, const struct reply *r, struct observation *obs)
{
	obs->u.cluster_nodes = &p->cluster_nodes;
	if (!expect_text(p, r, obs, "CLUSTER NODES text"))
		return;
	if (!cluster_nodes_parse(&p->cluster_nodes, &p->cluster_scratch, r->str, r->len))
		malformed(p, obs, "expected CLUSTER NODES text, got a string without any node");
}

/* ["message", channel, payload] or ["pmessage", pattern, channel, payload] */
static void parse_message(struct parser *p, const struct reply *r, struct observation *obs)
{
	const struct reply *channel = NULL, *payload = NULL;

	obs->u.message = &p->message;
	if (r->type == REPLY_ARRAY && r->element_count == 3 && reply_is(r->elements[0], "message"))
		channel = r->elements[1], payload = r->elements[2];
	if (r->type == REPLY_ARRAY && r->element_count == 4 && reply_is(r->elements[0], "pmessage"))
		channel = r->elements[2], payload = r->elements[3];
	if (!channel || !is_text(channel) || !is_text(payload)) {
		memset(&p->message, 0, sizeof(p->message));
		malformed(p, obs, "expected a pub/sub message, got %s", type_name(r));
		return;
	}
	sentinel_message_parse(&p->message, channel->str, channel->len, payload->str, payload->len);
}

/* [channel, subscribers] */
static void parse_watchers(struct parser *p, const struct reply *r, struct observation *obs)
{
	if (r->type == REPLY_ARRAY && r->element_count == 2 && r->elements[1]->type == REPLY_INTEGER)
		obs->u.watchers = r->elements[1]->integer;
	else
		malformed(p, obs, "expected a channel and a number, got %s", type_name(r));
}

/* ["message", channel, payload] */
static void parse_hello(struct parser *p, const struct reply *r, struct observation *obs)
{
	obs->u.hello = &p->hello;
	if (r->type != REPLY_ARRAY || r->element_count != 3 || !is_text(r->elements[2]) ||
	    !sentinel_hello_parse(&p->hello, r->elements[2]->str, r->elements[2]->len))
		malformed(p, obs, "expected a Sentinel's hello, got %s", type_name(r));
}

/* An operator's command: any answer that is no error is one; its words go to the operator. */
static void parse_action(struct parser *p, const struct reply *r, struct observation *obs)
{
	if (is_text(r))
		text_clean(p->text, sizeof(p->text), r->str, r->len);
	else if (r->type == REPLY_INTEGER)
		snprintf(p->text, sizeof(p->text), "%lld", (long long)r->integer);
	else
		snprintf(p->text, sizeof(p->text), "%s", type_name(r));
	obs->text = p->text;
}

static void parse_nothing(struct parser *p, const struct reply *r, struct observation *obs)
{
	malformed(p, obs, "expected nothing, got %s", type_name(r));
}

typedef void parse_function(struct parser *p, const struct reply *r, struct observation *obs);

static parse_function *const parsers[ASK_COUNT] = {
	[ASK_INFO] = parse_info,
	[ASK_ROLE] = parse_role,
	[ASK_SENTINEL_MYID] = parse_myid,
	[ASK_SENTINEL_MASTERS] = parse_list,
	[ASK_SENTINEL_REPLICAS] = parse_list,
	[ASK_SENTINEL_SENTINELS] = parse_list,
	[ASK_SENTINEL_CKQUORUM] = parse_ckquorum,
	[ASK_CLUSTER_INFO] = parse_cluster_info,
	[ASK_CLUSTER_NODES] = parse_cluster_nodes,
	[ASK_MESSAGE] = parse_message,
	[ASK_SENTINEL_WATCHERS] = parse_watchers,
	[ASK_SENTINEL_HELLO] = parse_hello,
	[ASK_ACTION] = parse_action,
};

static void parse_refusal(struct parser *p, const struct reply *r, struct observation *obs)
{
	obs->answer = ANSWER_REFUSED;
	obs->error = error_classify(r->str, r->len);
	text_clean(p->text, sizeof(p->text), r->str, r->len);
	obs->text = p->text;
}

void parse_reply(struct parser *p, const struct reply *reply, struct observation *obs)
{
	parse_function *parse = (unsigned)obs->question < ASK_COUNT ? parsers[obs->question] : NULL;

	obs->answer = ANSWER_OK;
	obs->error = ERROR_NONE;
	obs->text = NULL;
	memset(&obs->u, 0, sizeof(obs->u));
	/* "No quorum" is CKQUORUM's finding, not a failure of the question. */
	if (reply->type == REPLY_ERROR && !(obs->question == ASK_SENTINEL_CKQUORUM &&
					    error_classify(reply->str, reply->len) == ERROR_NOQUORUM))
		parse_refusal(p, reply, obs);
	else
		(parse ? parse : parse_nothing)(p, reply, obs);
}
