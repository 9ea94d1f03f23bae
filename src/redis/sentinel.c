#include "config.h"

#include "redis/sentinel.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "base/text.h"
#include "redis/field.h"

/* sentinel.c:sentinelEvent cuts payloads at 1,023 bytes. */
#define PAYLOAD_MAX 4096

enum special {
	SPECIAL_IP, SPECIAL_PORT, SPECIAL_FLAGS, SPECIAL_ROLE, SPECIAL_LINK_STATUS, SPECIAL_MASTER_HOST,
	SPECIAL_MASTER_PORT, SPECIAL_VOTED_LEADER,
};

/* X(name, kind, member) */
#define INSTANCE_FIELDS(X)                                                                         \
	X("name", FIELD_TEXT, name)                                                                \
	X("runid", FIELD_ID, run_id)                                                               \
	X("last-ping-sent", FIELD_COUNT, last_ping_sent_ms)                                        \
	X("last-ok-ping-reply", FIELD_COUNT, last_ok_ping_reply_ms)                                \
	X("last-ping-reply", FIELD_COUNT, last_ping_reply_ms)                                      \
	X("s-down-time", FIELD_COUNT, s_down_time_ms)                                              \
	X("o-down-time", FIELD_COUNT, o_down_time_ms)                                              \
	X("down-after-milliseconds", FIELD_COUNT, down_after_ms)                                   \
	X("info-refresh", FIELD_COUNT, info_refresh_ms)                                            \
	X("role-reported-time", FIELD_COUNT, role_reported_time_ms)                                \
	X("failover-state", FIELD_TEXT, failover_state)                                            \
	X("config-epoch", FIELD_COUNT, config_epoch)                                               \
	X("num-slaves", FIELD_COUNT, num_slaves)                                                   \
	X("num-other-sentinels", FIELD_COUNT, num_other_sentinels)                                 \
	X("quorum", FIELD_COUNT, quorum)                                                           \
	X("failover-timeout", FIELD_COUNT, failover_timeout_ms)                                    \
	X("parallel-syncs", FIELD_COUNT, parallel_syncs)                                           \
	X("master-link-down-time", FIELD_SIGNED, master_link_down_time_ms)                         \
	X("slave-priority", FIELD_COUNT, priority)                                                 \
	X("slave-repl-offset", FIELD_SIGNED, repl_offset)                                          \
	X("replica-announced", FIELD_COUNT, replica_announced)                                     \
	X("last-hello-message", FIELD_COUNT, last_hello_message_ms)                                \
	X("voted-leader-epoch", FIELD_COUNT, voted_leader_epoch)

static const struct field fields[] = {
#define X(name, kind, member) FIELD_MEMBER(sentinel_instance, name, kind, member),
	INSTANCE_FIELDS(X)
#undef X
	/* FIELD_ID here would take "?" for an id. */
	{ "voted-leader", FIELD_SPECIAL, SPECIAL_VOTED_LEADER, 0 },
	{ "ip", FIELD_SPECIAL, SPECIAL_IP, 0 },
	{ "port", FIELD_SPECIAL, SPECIAL_PORT, 0 },
	{ "flags", FIELD_SPECIAL, SPECIAL_FLAGS, 0 },
	{ "role-reported", FIELD_SPECIAL, SPECIAL_ROLE, 0 },
	{ "master-link-status", FIELD_SPECIAL, SPECIAL_LINK_STATUS, 0 },
	{ "master-host", FIELD_SPECIAL, SPECIAL_MASTER_HOST, 0 },
	{ "master-port", FIELD_SPECIAL, SPECIAL_MASTER_PORT, 0 },
};

static struct field_table table = FIELD_TABLE(fields);

static bool text_is(const char *s, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(s, text, len) == 0;
}

static uint32_t parse_flags(const char *s, size_t len)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} names[] = {
		{ "master", SFLAG_MASTER },
		{ "slave", SFLAG_SLAVE },
		{ "sentinel", SFLAG_SENTINEL },
		{ "s_down", SFLAG_S_DOWN },
		{ "o_down", SFLAG_O_DOWN },
		{ "disconnected", SFLAG_DISCONNECTED },
		{ "master_down", SFLAG_MASTER_DOWN },
		{ "failover_in_progress", SFLAG_FAILOVER_IN_PROGRESS },
		{ "promoted", SFLAG_PROMOTED },
		{ "reconf_sent", SFLAG_RECONF_SENT },
		{ "reconf_inprog", SFLAG_RECONF_INPROG },
		{ "reconf_done", SFLAG_RECONF_DONE },
		{ "force_failover", SFLAG_FORCE_FAILOVER },
		{ "coordinated_failover", SFLAG_COORDINATED_FAILOVER },
		{ "script_kill_sent", SFLAG_SCRIPT_KILL_SENT },
		{ "master_reboot", SFLAG_MASTER_REBOOT },
		{ "primary", SFLAG_MASTER },
		{ "replica", SFLAG_SLAVE },
		{ "primary_down", SFLAG_MASTER_DOWN },
		{ "primary_reboot", SFLAG_MASTER_REBOOT },
	};
	const char *end = s + len;
	uint32_t flags = 0;

	while (s < end) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		size_t word = comma ? (size_t)(comma - s) : (size_t)(end - s);

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (text_is(s, word, names[i].name))
				flags |= names[i].flag;
		s += word + (comma != NULL);
	}
	return flags;
}

static enum role parse_role(const char *s, size_t len)
{
	if (text_is(s, len, "master") || text_is(s, len, "primary"))
		return ROLE_MASTER;
	if (text_is(s, len, "slave") || text_is(s, len, "replica"))
		return ROLE_REPLICA;
	return text_is(s, len, "sentinel") ? ROLE_SENTINEL : ROLE_UNKNOWN;
}

/* Hosts wait for their ports. */
struct instance_parse {
	struct sentinel_instance *out;
	const struct reply *ip, *master_host;
	int64_t port, master_port;
};

static void parse_special(struct instance_parse *p, unsigned special, const struct reply *value)
{
	switch ((enum special)special) {
	case SPECIAL_IP:
		p->ip = value;
		break;
	case SPECIAL_PORT:
		number_parse(value->str, value->len, 1, UINT16_MAX, &p->port);
		break;
	case SPECIAL_FLAGS:
		p->out->flags = parse_flags(value->str, value->len);
		break;
	case SPECIAL_ROLE:
		p->out->role_reported = parse_role(value->str, value->len);
		break;
	case SPECIAL_LINK_STATUS:
		p->out->master_link_ok = text_is(value->str, value->len, "ok");
		break;
	case SPECIAL_MASTER_HOST:
		/* Until the first INFO, and for seconds after each switch. */
		if (!text_is(value->str, value->len, "?"))
			p->master_host = value;
		break;
	case SPECIAL_MASTER_PORT:
		number_parse(value->str, value->len, 1, UINT16_MAX, &p->master_port);
		break;
	case SPECIAL_VOTED_LEADER:
		if (value->len < ID_BYTES && !text_is(value->str, value->len, "?"))
			text_clean(p->out->voted_leader, ID_BYTES, value->str, value->len);
		break;
	}
}

static void instance_reset(struct sentinel_instance *out)
{
	memset(out, 0, sizeof(*out));
	field_reset(&table, out);
	out->master_link_ok = FACT_UNKNOWN;
}

static bool is_text(const struct reply *r)
{
	return r->type == REPLY_STRING || r->type == REPLY_STATUS;
}

bool sentinel_instance_parse(struct sentinel_instance *out, const struct reply *map)
{
	struct instance_parse p = { .out = out };

	instance_reset(out);
	if (map->type != REPLY_ARRAY || map->element_count % 2 != 0)
		return false;
	for (size_t i = 0; i < map->element_count; i += 2) {
		const struct reply *key = map->elements[i], *value = map->elements[i + 1];
		const struct field *f;

		if (!is_text(key))
			return false;
		/* All values are strings as of now; a field of the future may be anything. */
		f = is_text(value) ? field_find(&table, key->str, key->len) : NULL;
		if (f && f->kind == FIELD_SPECIAL)
			parse_special(&p, f->offset, value);
		else if (f)
			field_store(f, out, value->str, value->len);
		if (f && f->kind == FIELD_TEXT && f->offset == offsetof(struct sentinel_instance, name))
			out->name_cleaned = !text_is(value->str, value->len, out->name);
	}
	if (p.master_host)
		endpoint_set(&out->master, p.master_host->str, p.master_host->len, p.master_port);
	return p.ip && endpoint_set(&out->addr, p.ip->str, p.ip->len, p.port);
}

/* --- messages --- */

struct span {
	const char *s;
	size_t len;
};

/* Takes the last word off. False when there is none. */
static bool last_word(struct span *rest, struct span *word)
{
	const char *space = memrchr(rest->s, ' ', rest->len);

	if (rest->len == 0)
		return false;
	word->s = space ? space + 1 : rest->s;
	word->len = (size_t)(rest->s + rest->len - word->s);
	rest->len = space ? (size_t)(space - rest->s) : 0;
	return word->len > 0;
}

static bool first_word(struct span *rest, struct span *word)
{
	const char *space = memchr(rest->s, ' ', rest->len);

	if (rest->len == 0)
		return false;
	word->s = rest->s;
	word->len = space ? (size_t)(space - rest->s) : rest->len;
	rest->s += word->len + (space != NULL);
	rest->len -= word->len + (space != NULL);
	return word->len > 0;
}

static bool is_port(const struct span *word)
{
	int64_t port;

	return number_parse(word->s, word->len, 1, UINT16_MAX, &port);
}

/* A numeric address, near enough to tell it from a word of a name: four numbers with dots, or hex
 * digits with two colons or more. */
static bool is_ip(const struct span *word)
{
	size_t dots = 0, colons = 0, start = 0;
	int64_t part;

	for (size_t i = 0; i < word->len; i++) {
		colons += word->s[i] == ':';
		if (word->s[i] == '\0' || !strchr("0123456789abcdefABCDEF:.", word->s[i]))
			return false;
	}
	if (colons > 0)
		return colons >= 2;
	for (size_t i = 0; i <= word->len; i++) {
		if (i < word->len && word->s[i] != '.')
			continue;
		if (!number_parse(word->s + start, i - start, 0, 255, &part))
			return false;
		dots += i < word->len;
		start = i + 1;
	}
	return dots == 3;
}

/* Takes "<host> <port>" off the right-hand end. */
static bool last_addr(struct span *rest, struct endpoint *ep)
{
	struct span host, port;
	int64_t number;

	return last_word(rest, &port) && number_parse(port.s, port.len, 1, UINT16_MAX, &number) &&
	       last_word(rest, &host) && endpoint_set(ep, host.s, host.len, number);
}

static bool has_prefix(const struct span *s, const char *prefix)
{
	size_t len = strlen(prefix);

	return s->len >= len && strncasecmp(s->s, prefix, len) == 0;
}

/* What may follow the address, by channel. Options of SENTINEL SET come in the operator's case. */
static const struct {
	const char *channel, *tail;
} tails[] = {
	{ "+monitor", "quorum " },
	{ "+odown", "#quorum " },
	{ "+sentinel-address-switch", "ip " },
	{ "+role-change", "new reported role " },
	{ "-role-change", "new reported role " },
	{ "-dup-sentinel", "#duplicate of " },
	{ "+set", "down-after-milliseconds " },
	{ "+set", "failover-timeout " },
	{ "+set", "parallel-syncs " },
	{ "+set", "notification-script " },
	{ "+set", "client-reconfig-script " },
	{ "+set", "auth-pass " },
	{ "+set", "auth-user " },
	{ "+set", "quorum " },
	{ "+set", "rename-command " },
	{ "+set", "master-reboot-down-after-period " },
	{ "+set", "primary-reboot-down-after-period " },
};

static bool is_tail(const char *channel, const struct span *s)
{
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (strcmp(tails[i].channel, channel) == 0 && has_prefix(s, tails[i].tail))
			return true;
	return false;
}

/* What a payload ends with, when no known tail says where the address is. */
enum ending { ENDS_OTHER, ENDS_PORT, ENDS_IP_PORT };

static enum ending payload_ending(struct span body)
{
	struct span host, port;

	if (!last_word(&body, &port) || !is_port(&port))
		return ENDS_OTHER;
	return last_word(&body, &host) && is_ip(&host) ? ENDS_IP_PORT : ENDS_PORT;
}

/* Cuts "<name> <host> <port> <tail>" before the tail: at a known tail behind a port. Else, for
 * tails of the future: not when an address is at the end; behind the first numeric address; or,
 * when the end cannot be an address, behind the first port. */
static void cut_tail(const char *channel, struct span *body, struct span *tail)
{
	struct span scan = *body, word, before = { body->s, 0 };
	enum ending ending = payload_ending(*body);
	/* An option's value may be any words, a name too: of the two, values are the odder ones. */
	bool first = strcmp(channel, "+set") == 0, known = false;

	tail->len = 0;
	tail->s = body->s + body->len;
	while (scan.len) {
		if (!first_word(&scan, &word))
			continue; /* two spaces */
		if (scan.len && before.len && is_port(&word)) {
			if (is_tail(channel, &scan)) {
				*tail = scan;
				known = true;
				if (first)
					break;
			} else if (!known && !tail->len && ending != ENDS_IP_PORT &&
				   (ending == ENDS_OTHER || is_ip(&before))) {
				*tail = scan;
			}
		}
		before = word;
	}
	if (tail->len)
		body->len = (size_t)(tail->s - body->s - 1);
}

/* Master of the group: "<name> <host> <port>[ <tail>]". The name may hold spaces. */
static bool parse_master(struct sentinel_message *out, struct span body)
{
	struct span tail;

	cut_tail(out->channel, &body, &tail);
	if (!last_addr(&body, &out->master) || body.len == 0)
		return false;
	text_clean(out->master_name, sizeof(out->master_name), body.s, body.len);
	text_clean(out->detail, sizeof(out->detail), tail.s, tail.len);
	return true;
}

/* Replica or Sentinel: "<name> <host> <port> @ <master>...". Their own names are an address and a
 * run id, which hold no space. */
static bool parse_member(struct sentinel_message *out, struct span body)
{
	struct span name, host, port, at;
	int64_t number;

	if (!first_word(&body, &name) || !first_word(&body, &host) || !first_word(&body, &port) ||
	    !first_word(&body, &at) || !text_is(at.s, at.len, "@") ||
	    !number_parse(port.s, port.len, 1, UINT16_MAX, &number) ||
	    !endpoint_set(&out->addr, host.s, host.len, number))
		return false;
	text_clean(out->name, sizeof(out->name), name.s, name.len);
	return parse_master(out, body);
}

static bool parse_instance(struct sentinel_message *out, struct span body)
{
	struct span type;

	if (!first_word(&body, &type))
		return false;
	switch (parse_role(type.s, type.len)) {
	case ROLE_MASTER:
		snprintf(out->instance_type, sizeof(out->instance_type), "master");
		if (!parse_master(out, body))
			return false;
		out->addr = out->master;
		memcpy(out->name, out->master_name, sizeof(out->name));
		return true;
	case ROLE_REPLICA:
		snprintf(out->instance_type, sizeof(out->instance_type), "slave");
		return parse_member(out, body);
	case ROLE_SENTINEL:
		snprintf(out->instance_type, sizeof(out->instance_type), "sentinel");
		return parse_member(out, body);
	default:
		return false;
	}
}

/* "<name> <old ip> <old port> <new ip> <new port>" */
static bool parse_switch(struct sentinel_message *out, struct span body)
{
	if (!last_addr(&body, &out->new_master) || !last_addr(&body, &out->master) || body.len == 0)
		return false;
	text_clean(out->master_name, sizeof(out->master_name), body.s, body.len);
	memcpy(out->name, out->master_name, sizeof(out->name));
	out->addr = out->master;
	return true;
}

static bool parse_epoch(struct sentinel_message *out, const struct span *word)
{
	return number_parse(word->s, word->len, 0, INT64_MAX, &out->epoch);
}

/* "<run id> <epoch>" */
static bool parse_vote(struct sentinel_message *out, struct span body)
{
	struct span id, epoch;

	if (!first_word(&body, &id) || id.len >= ID_BYTES || !first_word(&body, &epoch) || body.len ||
	    !parse_epoch(out, &epoch))
		return false;
	text_clean(out->run_id, sizeof(out->run_id), id.s, id.len);
	return true;
}

static bool parse_payload(struct sentinel_message *out, struct span body)
{
	if (strcmp(out->channel, "+switch-master") == 0)
		return parse_switch(out, body);
	if (strcmp(out->channel, "+vote-for-leader") == 0)
		return parse_vote(out, body);
	if (strcmp(out->channel, "+new-epoch") == 0)
		return parse_epoch(out, &body);
	return parse_instance(out, body);
}

/* Where a password begins in a +set message, or NULL. Up to Redis 6.0 it is published in clear.
 * The first "auth-pass" behind a port is the option (a name may be that word too, and so may the
 * password); without a port before it, the first one at all: better too much hidden than too
 * little. */
static const char *find_secret(const struct span *payload)
{
	static const char option[] = "auth-pass ";
	struct span scan = *payload, word;
	const char *any = NULL;
	bool port = false;

	while (scan.len) {
		struct span rest = scan;

		if (!first_word(&scan, &word))
			continue; /* two spaces */
		if (has_prefix(&rest, option)) {
			if (port)
				return rest.s + sizeof(option) - 1;
			any = any ? any : rest.s + sizeof(option) - 1;
		}
		port = is_port(&word);
	}
	return any;
}

static void message_reset(struct sentinel_message *out)
{
	memset(out, 0, sizeof(*out));
	out->epoch = FACT_UNKNOWN;
}

_Static_assert(SENTINEL_SET_BYTES >= PAYLOAD_MAX + 6, "the stars fit behind the longest payload");

size_t sentinel_set_mask(char *out, const char *payload, size_t len)
{
	static const char stars[] = "******";
	const struct span body = { payload, len < PAYLOAD_MAX ? len : PAYLOAD_MAX };
	const char *secret = find_secret(&body);
	size_t kept = secret ? (size_t)(secret - body.s) : body.len;

	if (kept)
		memcpy(out, body.s, kept);
	if (!secret)
		return kept;
	memcpy(out + kept, stars, sizeof(stars) - 1);
	return kept + sizeof(stars) - 1;
}

void sentinel_message_parse(struct sentinel_message *out, const char *channel, size_t channel_len,
			    const char *payload, size_t payload_len)
{
	char masked[SENTINEL_SET_BYTES], name[sizeof(out->channel)];
	struct span body = { payload, payload_len < PAYLOAD_MAX ? payload_len : PAYLOAD_MAX };

	message_reset(out);
	text_clean(out->channel, sizeof(out->channel), channel, channel_len);
	if (strcmp(out->channel, "+set") == 0) {
		body.len = sentinel_set_mask(masked, payload, payload_len);
		body.s = masked;
	}
	if (parse_payload(out, body))
		return;
	memcpy(name, out->channel, sizeof(name));
	message_reset(out);
	memcpy(out->channel, name, sizeof(name));
	text_clean(out->detail, sizeof(out->detail), body.s, body.len);
}

void ckquorum_parse(struct ckquorum_facts *out, const struct reply *reply)
{
	struct span rest = { reply->str, reply->len }, word;

	memset(out, 0, sizeof(*out));
	out->usable = FACT_UNKNOWN;
	out->ok = reply->type == REPLY_STATUS || reply->type == REPLY_STRING;
	if (!reply->str)
		return;
	text_clean(out->message, sizeof(out->message), reply->str, reply->len);
	/* "OK 3 usable Sentinels. ..." or "NOQUORUM 1 usable Sentinels. ..." */
	if (first_word(&rest, &word) && first_word(&rest, &word))
		number_parse(word.s, word.len, 0, INT64_MAX, &out->usable);
}

/* The fields from the left and from the right end, so that a name may hold a comma. */
#define HELLO_FIELDS 8

bool sentinel_hello_parse(struct sentinel_hello *out, const char *payload, size_t len)
{
	const char *comma[HELLO_FIELDS - 1], *end = payload + len, *from = payload;
	int64_t port, master_port;

	memset(out, 0, sizeof(*out));
	for (int i = 0; i < 4; i++) {
		comma[i] = memchr(from, ',', (size_t)(end - from));
		if (!comma[i])
			return false;
		from = comma[i] + 1;
	}
	for (int i = 6; i >= 4; i--) {
		const char *to = i == 6 ? end : comma[i + 1];

		comma[i] = memrchr(from, ',', (size_t)(to - from));
		if (!comma[i])
			return false;
	}
	if (!number_parse(comma[0] + 1, (size_t)(comma[1] - comma[0] - 1), 1, 65535, &port) ||
	    !number_parse(comma[5] + 1, (size_t)(comma[6] - comma[5] - 1), 1, 65535, &master_port))
		return false;
	text_clean(out->run_id, sizeof(out->run_id), comma[1] + 1, (size_t)(comma[2] - comma[1] - 1));
	text_clean(out->master_name, sizeof(out->master_name), comma[3] + 1,
		   (size_t)(comma[4] - comma[3] - 1));
	return endpoint_set(&out->sentinel, payload, (size_t)(comma[0] - payload), port) &&
	       endpoint_set(&out->master, comma[4] + 1, (size_t)(comma[5] - comma[4] - 1),
			    master_port);
}
