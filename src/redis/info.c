#include "config.h"

#include "redis/info.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"
#include "redis/field.h"

/* A line of 40 bytes becomes a struct of 300: more than any master has, and 1 MB. */
#define REPLICAS_MAX 4096

enum special {
	SPECIAL_VERSION, SPECIAL_VALKEY_VERSION, SPECIAL_MODE, SPECIAL_CLUSTER_ENABLED, SPECIAL_ROLE,
	SPECIAL_MASTER_HOST, SPECIAL_MASTER_PORT, SPECIAL_MASTER_LINK,
};

/* X(name, kind, member) */
#define INFO_FIELDS(X)                                                                             \
	X("run_id", FIELD_ID, run_id)                                                              \
	X("uptime_in_seconds", FIELD_COUNT, uptime_s)                                              \
	X("connected_clients", FIELD_COUNT, connected_clients)                                     \
	X("blocked_clients", FIELD_COUNT, blocked_clients)                                         \
	X("maxclients", FIELD_COUNT, maxclients)                                                   \
	X("rejected_connections", FIELD_COUNT, rejected_connections)                               \
	X("instantaneous_ops_per_sec", FIELD_COUNT, ops_per_sec)                                   \
	X("keyspace_hits", FIELD_COUNT, keyspace_hits)                                             \
	X("keyspace_misses", FIELD_COUNT, keyspace_misses)                                         \
	X("evicted_keys", FIELD_COUNT, evicted_keys)                                               \
	X("instantaneous_input_kbps", FIELD_RATIO, input_kbps)                                     \
	X("instantaneous_output_kbps", FIELD_RATIO, output_kbps)                                   \
	X("used_memory", FIELD_COUNT, used_memory_bytes)                                           \
	X("maxmemory", FIELD_COUNT, maxmemory_bytes)                                               \
	X("sync_full", FIELD_COUNT, sync_full)                                                     \
	X("sync_partial_ok", FIELD_COUNT, sync_partial_ok)                                         \
	X("sync_partial_err", FIELD_COUNT, sync_partial_err)                                       \
	X("loading", FIELD_COUNT, loading)                                                         \
	X("loading_loaded_perc", FIELD_RATIO, loading_percent)                                     \
	X("loading_eta_seconds", FIELD_COUNT, loading_eta_s)                                       \
	X("rdb_last_bgsave_status", FIELD_TEXT, rdb_last_bgsave_status)                            \
	X("aof_last_write_status", FIELD_TEXT, aof_last_write_status)                              \
	X("rdb_bgsave_in_progress", FIELD_COUNT, rdb_bgsave_in_progress)                           \
	X("aof_rewrite_in_progress", FIELD_COUNT, aof_rewrite_in_progress)                         \
	X("rdb_last_save_time", FIELD_COUNT, rdb_last_save_time)                                   \
	X("rdb_saves", FIELD_COUNT, rdb_saves)                                                     \
	X("rdb_changes_since_last_save", FIELD_COUNT, rdb_changes_since_last_save)                 \
	X("current_save_keys_processed", FIELD_COUNT, save_keys_processed)                         \
	X("current_save_keys_total", FIELD_COUNT, save_keys_total)                                 \
	X("master_last_io_seconds_ago", FIELD_SIGNED, master_last_io_s)                            \
	X("master_sync_in_progress", FIELD_COUNT, sync_in_progress)                                \
	X("master_sync_read_bytes", FIELD_COUNT, sync_read_bytes)                                  \
	X("master_sync_total_bytes", FIELD_COUNT, sync_total_bytes) /* -1 when diskless */         \
	X("master_link_down_since_seconds", FIELD_SIGNED, master_link_down_s)                      \
	X("slave_repl_offset", FIELD_SIGNED, slave_repl_offset)                                    \
	X("slave_priority", FIELD_COUNT, priority)                                                 \
	X("replica_announced", FIELD_COUNT, replica_announced)                                     \
	X("connected_slaves", FIELD_COUNT, connected_slaves)                                       \
	X("master_replid", FIELD_ID, replid)                                                       \
	X("master_replid2", FIELD_ID, replid2)                                                     \
	X("master_repl_offset", FIELD_SIGNED, master_repl_offset)                                  \
	X("second_repl_offset", FIELD_SIGNED, second_repl_offset)                                  \
	X("repl_backlog_active", FIELD_COUNT, backlog_active)                                      \
	X("repl_backlog_size", FIELD_COUNT, backlog_size_bytes)                                    \
	X("repl_backlog_first_byte_offset", FIELD_SIGNED, backlog_first_byte_offset)               \
	X("repl_backlog_histlen", FIELD_COUNT, backlog_histlen_bytes)                              \
	X("master_failover_state", FIELD_TEXT, failover_state)                                     \
	X("sentinel_tilt", FIELD_COUNT, sentinel_tilt)

static const struct field fields[] = {
#define X(name, kind, member) FIELD_MEMBER(info_facts, name, kind, member),
	INFO_FIELDS(X)
#undef X
	{ "redis_version", FIELD_SPECIAL, SPECIAL_VERSION, 0 },
	{ "valkey_version", FIELD_SPECIAL, SPECIAL_VALKEY_VERSION, 0 },
	{ "redis_mode", FIELD_SPECIAL, SPECIAL_MODE, 0 },
	{ "server_mode", FIELD_SPECIAL, SPECIAL_MODE, 0 },
	{ "cluster_enabled", FIELD_SPECIAL, SPECIAL_CLUSTER_ENABLED, 0 },
	{ "role", FIELD_SPECIAL, SPECIAL_ROLE, 0 },
	{ "master_host", FIELD_SPECIAL, SPECIAL_MASTER_HOST, 0 },
	{ "master_port", FIELD_SPECIAL, SPECIAL_MASTER_PORT, 0 },
	{ "master_link_status", FIELD_SPECIAL, SPECIAL_MASTER_LINK, 0 },
};

static struct field_table table = FIELD_TABLE(fields);

/* Lines come in the same order each time: the name that followed another one is tried first, so
 * that most lines cost one comparison. Names that a hostile server makes up fill the memory and
 * cost no more than the look-up that is saved by it. */
#define LINES_MAX      400
#define LINE_BUCKETS   1024
#define LINE_KEY_BYTES 44

struct line {
	const struct field *field; /* NULL: not wanted */
	uint16_t next;             /* what followed it last; 0 nothing yet */
	uint16_t chain;
	uint8_t key_len;
	char key[LINE_KEY_BYTES];
};

/* Number 0 is the start of the text. */
static struct line lines[LINES_MAX];
static uint16_t line_count = 1, line_buckets[LINE_BUCKETS];

/* What comes in several lines and is put together at the end. */
struct info_parse {
	struct info_facts *out;
	const char *master_host;
	size_t master_host_len;
	int64_t master_port;
	bool cluster_enabled;
	bool any;
	uint16_t before; /* number of the line before */
};

static bool value_is(const char *value, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(value, text, len) == 0;
}

static void parse_version(struct info_facts *out, const char *value, size_t len, bool valkey)
{
	/* Valkey also says redis_version, 7.2.4 for ever. */
	if (out->valkey && !valkey)
		return;
	out->valkey = valkey;
	text_clean(out->version, sizeof(out->version), value, len);
}

static enum server_mode parse_mode(const char *value, size_t len)
{
	if (value_is(value, len, "standalone"))
		return MODE_STANDALONE;
	if (value_is(value, len, "cluster"))
		return MODE_CLUSTER;
	return value_is(value, len, "sentinel") ? MODE_SENTINEL : MODE_UNKNOWN;
}

static enum role parse_role(const char *value, size_t len)
{
	if (value_is(value, len, "master") || value_is(value, len, "primary"))
		return ROLE_MASTER;
	if (value_is(value, len, "slave") || value_is(value, len, "replica"))
		return ROLE_REPLICA;
	return value_is(value, len, "sentinel") ? ROLE_SENTINEL : ROLE_UNKNOWN;
}

static void parse_special(struct info_parse *p, unsigned special, const char *value, size_t len)
{
	switch ((enum special)special) {
	case SPECIAL_VERSION:
	case SPECIAL_VALKEY_VERSION:
		parse_version(p->out, value, len, special == SPECIAL_VALKEY_VERSION);
		break;
	case SPECIAL_MODE:
		p->out->mode = parse_mode(value, len);
		break;
	case SPECIAL_CLUSTER_ENABLED:
		p->cluster_enabled = value_is(value, len, "1");
		break;
	case SPECIAL_ROLE:
		p->out->role = parse_role(value, len);
		break;
	case SPECIAL_MASTER_HOST:
		p->master_host = value;
		p->master_host_len = len;
		break;
	case SPECIAL_MASTER_PORT:
		number_parse(value, len, 1, UINT16_MAX, &p->master_port);
		break;
	case SPECIAL_MASTER_LINK:
		if (value_is(value, len, "up") || value_is(value, len, "down"))
			p->out->master_link_up = value[0] == 'u';
		break;
	}
}

/* Takes one "key=value" off a list with commas. False at the end. */
static bool next_pair(const char **s, const char *end, const char **key, size_t *key_len,
		      const char **value, size_t *value_len)
{
	while (*s < end) {
		const char *comma = memchr(*s, ',', (size_t)(end - *s));
		const char *stop = comma ? comma : end;
		const char *equals = memchr(*s, '=', (size_t)(stop - *s));

		*key = *s;
		*s = comma ? comma + 1 : end;
		if (!equals)
			continue;
		*key_len = (size_t)(equals - *key);
		*value = equals + 1;
		*value_len = (size_t)(stop - equals - 1);
		return true;
	}
	return false;
}

static void replica_line(struct info_facts *out, const char *s, size_t len)
{
	struct info_replica r = { .offset = FACT_UNKNOWN, .lag_s = FACT_UNKNOWN };
	const char *end = s + len, *key, *value, *ip = NULL;
	size_t key_len, value_len, ip_len = 0;
	int64_t port = 0;

	while (next_pair(&s, end, &key, &key_len, &value, &value_len)) {
		if (value_is(key, key_len, "ip")) {
			ip = value;
			ip_len = value_len;
		} else if (value_is(key, key_len, "port")) {
			number_parse(value, value_len, 1, UINT16_MAX, &port);
		} else if (value_is(key, key_len, "state")) {
			text_clean(r.state, sizeof(r.state), value, value_len);
		} else if (value_is(key, key_len, "offset")) {
			number_parse(value, value_len, 0, INT64_MAX, &r.offset);
		} else if (value_is(key, key_len, "lag")) {
			number_parse(value, value_len, 0, INT64_MAX, &r.lag_s);
		}
	}
	if (!ip || out->replica_count >= REPLICAS_MAX || !endpoint_set(&r.addr, ip, ip_len, port))
		return;
	out->replicas = mem_grow(out->replicas, &out->replica_cap, out->replica_count + 1,
				 sizeof(*out->replicas));
	out->replicas[out->replica_count++] = r;
}

static void db_line(struct info_facts *out, const char *s, size_t len)
{
	const char *end = s + len, *key, *value;
	size_t key_len, value_len;
	int64_t keys;

	while (next_pair(&s, end, &key, &key_len, &value, &value_len)) {
		if (!value_is(key, key_len, "keys") ||
		    !number_parse(value, value_len, 0, INT64_MAX / 2, &keys))
			continue;
		if (out->keys == FACT_UNKNOWN)
			out->keys = 0;
		if (out->keys <= INT64_MAX / 2)
			out->keys += keys;
	}
}

/* "slave0", "db15": a word and a number. */
static bool is_numbered(const char *key, size_t len, const char *word, size_t word_len)
{
	int64_t n;

	return len > word_len && memcmp(key, word, word_len) == 0 &&
	       number_parse(key + word_len, len - word_len, 0, INT32_MAX, &n);
}

/* False when the line is not known. Three of four lines end here: the digit is looked at first. */
static bool numbered_line(struct info_facts *out, const char *key, size_t key_len,
			  const char *value, size_t value_len)
{
	if (key_len == 0 || key[key_len - 1] < '0' || key[key_len - 1] > '9')
		return false;
	if (is_numbered(key, key_len, "slave", 5))
		replica_line(out, value, value_len);
	else if (is_numbered(key, key_len, "db", 2))
		db_line(out, value, value_len);
	else
		return false;
	return true;
}

static void section_line(struct info_parse *p, const char *line, size_t len)
{
	p->any = true;
	/* The section is there and empty when there is no key at all. */
	if (value_is(line, len, "# Keyspace") && p->out->keys == FACT_UNKNOWN)
		p->out->keys = 0;
}

static void take_value(struct info_parse *p, const struct field *f, const char *value, size_t len)
{
	p->any = true;
	if (f->kind == FIELD_SPECIAL)
		parse_special(p, f->offset, value, len);
	else
		field_store(f, p->out, value, len);
}

static uint16_t *line_bucket(const char *key, size_t len)
{
	unsigned h = (unsigned)len;

	for (size_t i = 0; i < len; i++)
		h = h * 31 + (unsigned char)key[i];
	return &line_buckets[h % LINE_BUCKETS];
}

/* The number of the line with that name, learned if need be; 0 when there is no room. */
static uint16_t line_number(const char *key, size_t len, const struct field *f)
{
	uint16_t *bucket = line_bucket(key, len), i;

	for (i = *bucket; i != 0; i = lines[i].chain)
		if (lines[i].key_len == len && memcmp(lines[i].key, key, len) == 0)
			return i;
	if (line_count == LINES_MAX || len >= LINE_KEY_BYTES)
		return 0;
	i = line_count++;
	lines[i] = (struct line){ .field = f, .chain = *bucket, .key_len = (uint8_t)len };
	memcpy(lines[i].key, key, len);
	*bucket = i;
	return i;
}

/* NULL when something else follows this time. */
static const struct line *line_expected(uint16_t before, const char *text, const char *end)
{
	const struct line *l = &lines[lines[before].next];

	if (l->key_len == 0 || end - text <= l->key_len || text[l->key_len] != ':' ||
	    memcmp(text, l->key, l->key_len) != 0)
		return NULL;
	return l;
}

static void info_line(struct info_parse *p, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	const struct field *f;
	size_t key_len, value_len;
	uint16_t number;

	if (len >= 2 && line[0] == '#' && line[1] == ' ') {
		section_line(p, line, len);
		return;
	}
	if (!colon)
		return;
	key_len = (size_t)(colon - line);
	value_len = len - key_len - 1;
	f = field_find(&table, line, key_len);
	if (f) {
		take_value(p, f, colon + 1, value_len);
	} else if (numbered_line(p->out, line, key_len, colon + 1, value_len)) {
		p->any = true;
		return;
	}
	number = key_len ? line_number(line, key_len, f) : 0;
	if (number != 0)
		p->before = lines[p->before].next = number;
}

static size_t without_return(const char *line, size_t len)
{
	return len && line[len - 1] == '\r' ? len - 1 : len;
}

static void info_finish(struct info_parse *p)
{
	struct info_facts *out = p->out;

	if (out->mode == MODE_UNKNOWN && p->cluster_enabled)
		out->mode = MODE_CLUSTER;
	/* A Sentinel's INFO has no replication section. */
	if (out->role == ROLE_UNKNOWN && out->mode == MODE_SENTINEL)
		out->role = ROLE_SENTINEL;
	if (out->role == ROLE_REPLICA && p->master_host)
		endpoint_set(&out->master, p->master_host, p->master_host_len, p->master_port);
}

bool info_parse(struct info_facts *out, const char *text, size_t len)
{
	struct info_parse p = { .out = out };
	const char *end = text + len;

	info_reset(out);
	while (text < end) {
		const struct line *l = line_expected(p.before, text, end);
		const char *value = l ? text + l->key_len + 1 : text;
		const char *newline = memchr(value, '\n', (size_t)(end - value));
		size_t value_len = without_return(value, (size_t)((newline ? newline : end) - value));

		if (l) {
			p.before = lines[p.before].next;
			if (l->field)
				take_value(&p, l->field, value, value_len);
		} else if (value_len) {
			info_line(&p, value, value_len);
		}
		text = newline ? newline + 1 : end;
	}
	info_finish(&p);
	return p.any;
}

void info_reset(struct info_facts *out)
{
	struct info_replica *replicas = out->replicas;
	size_t cap = out->replica_cap;

	memset(out, 0, sizeof(*out));
	out->replicas = replicas;
	out->replica_cap = cap;
	field_reset(&table, out);
	out->keys = FACT_UNKNOWN;
	out->master_link_up = FACT_UNKNOWN;
}

void info_done(struct info_facts *out)
{
	free(out->replicas);
	out->replicas = NULL;
	out->replica_count = 0;
	out->replica_cap = 0;
}
