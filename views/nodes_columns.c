/* What the columns of the table of nodes say. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/units.h"
#include "model/lag.h"
#include "views/nodes_private.h"
#include "views/topology_private.h"

/* --- values -------------------------------------------------------------------------------- */

static int64_t role_value(const struct view_context *c, const struct node *n)
{
	enum role role = node_role(c->model, n);

	return role == ROLE_UNKNOWN ? FACT_UNKNOWN : (int64_t)role;
}

static int64_t state_value(const struct view_context *c, const struct node *n)
{
	struct verdict verdict;

	health_node(c->model, n, c->now_ms, &verdict);
	return verdict.health;
}

/* Versions in their order: 7.0.15 behind 7.0.9. */
static int64_t version_value(const struct view_context *c, const struct node *n)
{
	const char *at = n->info.version;
	int64_t value = 0, part;

	(void)c;
	if (n->info_at_ms == 0 || !at[0])
		return FACT_UNKNOWN;
	for (int i = 0; i < 4; i++) {
		size_t len = strspn(at, "0123456789");

		if (!number_parse(at, len, 0, 9999, &part))
			part = 0;
		value = value * 10000 + part;
		at += len;
		at += *at == '.';
	}
	return value;
}

/* Its own word, unless it has none or cannot have any. */
static int64_t said(const struct node *n, bool has, int64_t value)
{
	if (!has)
		return VALUE_NONE;
	return n->info_at_ms == 0 || value < 0 ? FACT_UNKNOWN : value;
}

static int64_t said_rounded(const struct node *n, bool has, int64_t value)
{
	return units_calm(said(n, has, value));
}

#define DATA(n) (!(n)->is_sentinel)

static int64_t uptime_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return said(n, true, n->info.uptime_s);
}
static int64_t ops_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return said_rounded(n, true, n->info.ops_per_sec);
}
static int64_t clients_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return said_rounded(n, true, n->info.connected_clients);
}
static int64_t blocked_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return said_rounded(n, DATA(n), n->info.blocked_clients);
}
static int64_t memory_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return said_rounded(n, DATA(n), n->info.used_memory_bytes);
}
static int64_t maxmemory_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return said_rounded(n, DATA(n), n->info.maxmemory_bytes);
}

/* Without a limit there is no share. */
static int64_t share_value(const struct view_context *c, const struct node *n)
{
	int64_t used = said(n, DATA(n), n->info.used_memory_bytes),
		most = said(n, DATA(n), n->info.maxmemory_bytes);

	(void)c;
	if (used < 0 || most < 0)
		return used < most ? used : most;
	return most == 0 ? VALUE_NONE : (int64_t)((double)used * 100.0 / (double)most + 0.5);
}

static int64_t evicted_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return said_rounded(n, DATA(n), n->info.evicted_keys);
}
static int64_t hit_rate_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return said(n, DATA(n), n->hit_rate < 0 ? FACT_UNKNOWN : (int64_t)(n->hit_rate * 100 + 0.5));
}

/* INFO counts in KiB. */
static int64_t bytes_value(const struct node *n, double kbps)
{
	if (kbps < 0 || kbps > 1e12)
		return FACT_UNKNOWN;
	return said_rounded(n, true, (int64_t)(kbps * 1024));
}

static int64_t input_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return bytes_value(n, n->info.input_kbps);
}
static int64_t output_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return bytes_value(n, n->info.output_kbps);
}
static int64_t keys_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return said_rounded(n, DATA(n), n->info.keys);
}

static int64_t slots_value(const struct view_context *c, const struct node *n)
{
	int64_t sum = 0;

	if (!n->member || node_role(c->model, n) != ROLE_MASTER)
		return VALUE_NONE;
	for (size_t i = 0; i < n->member->slot_count; i++)
		sum += n->member->slots[i].last - n->member->slots[i].first + 1;
	return sum;
}

static int64_t lag_value(const struct view_context *c, const struct node *n)
{
	if (node_role(c->model, n) != ROLE_REPLICA)
		return VALUE_NONE;
	return lag_bytes_of(c->model, n); /* as the other screens have it */
}

static int64_t offset_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return said(n, DATA(n), n->info.master_repl_offset);
}
static int64_t priority_value(const struct view_context *c, const struct node *n)
{
	return said(n, node_role(c->model, n) == ROLE_REPLICA, n->info.priority);
}
static int64_t replicas_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return said(n, DATA(n), n->info.connected_slaves);
}

/* Whole milliseconds, two digits of them. */
static int64_t latency_value(const struct view_context *c, const struct node *n)
{
	(void)c;
	return n->link.rtt_us < 0 ? FACT_UNKNOWN : units_calm(n->link.rtt_us / 1000);
}
static int64_t link_value(const struct view_context *c, const struct node *n)
{
	if (n->link.state == LINK_NONE || n->link.since_ms <= 0 || c->now_ms < n->link.since_ms)
		return FACT_UNKNOWN;
	return (c->now_ms - n->link.since_ms) / 1000;
}
static int64_t heard_value(const struct view_context *c, const struct node *n)
{
	int64_t quiet_ms = 3 * c->interval_ms > 3000 ? 3 * c->interval_ms : 3000;

	if (n->link.last_reply_ms == 0)
		return FACT_UNKNOWN;
	return c->now_ms - n->link.last_reply_ms < quiet_ms
		       ? 0
		       : (c->now_ms - n->link.last_reply_ms) / 1000;
}

/* --- texts --------------------------------------------------------------------------------- */

static void put_text(char *out, const char *text)
{
	snprintf(out, NODE_CELL_BYTES, "%s", text);
}
static void put_address(const struct node_row *row, int64_t value, char *out)
{
	(void)value;
	put_text(out, row->address);
}
static void put_role(const struct node_row *row, int64_t value, char *out)
{
	snprintf(out, NODE_CELL_BYTES, "%s%s", role_name((enum role)value),
		 row->odd_role ? "!" : "");
}
static void put_state(const struct node_row *row, int64_t value, char *out)
{
	(void)value;
	put_text(out, row->state);
}
static void put_group(const struct node_row *row, int64_t value, char *out)
{
	(void)value;
	put_text(out, row->group);
}
static void put_version(const struct node_row *row, int64_t value, char *out)
{
	(void)value;
	put_text(out, row->version);
}
static void put_follows(const struct node_row *row, int64_t value, char *out)
{
	(void)value;
	put_text(out, row->follows);
}
static void put_run_id(const struct node_row *row, int64_t value, char *out)
{
	(void)value;
	put_text(out, row->run_id);
}

/* One unit: what ticks each second is left to the node's own screen. */
static void put_age(const struct node_row *row, int64_t seconds, char *out)
{
	(void)row;
	if (seconds < 60)
		put_text(out, "<1 m");
	else if (seconds < 7200)
		snprintf(out, NODE_CELL_BYTES, "%lld m", (long long)(seconds / 60));
	else if (seconds < 2 * 86400)
		snprintf(out, NODE_CELL_BYTES, "%lld h", (long long)(seconds / 3600));
	else
		snprintf(out, NODE_CELL_BYTES, "%lld d", (long long)(seconds / 86400));
}
static void put_heard(const struct node_row *row, int64_t seconds, char *out)
{
	if (seconds == 0)
		put_text(out, "now");
	else if (seconds < 60)
		snprintf(out, NODE_CELL_BYTES, "%lld s", (long long)seconds);
	else
		put_age(row, seconds, out);
}

static void put_count(const struct node_row *row, int64_t value, char *out)
{
	(void)row;
	units_count(value, out);
}
static void put_bytes(const struct node_row *row, int64_t value, char *out)
{
	(void)row;
	units_bytes(value, out);
}
static void put_limit(const struct node_row *row, int64_t value, char *out)
{
	if (value == 0)
		put_text(out, "none");
	else
		put_bytes(row, value, out);
}
static void put_number(const struct node_row *row, int64_t value, char *out)
{
	(void)row;
	snprintf(out, NODE_CELL_BYTES, "%lld", (long long)value);
}
static void put_priority(const struct node_row *row, int64_t value, char *out)
{
	if (value == 0)
		put_text(out, "never");
	else
		put_number(row, value, out);
}
static void put_percent(const struct node_row *row, int64_t value, char *out)
{
	(void)row;
	snprintf(out, NODE_CELL_BYTES, "%lld%%", (long long)value);
}
static void put_latency(const struct node_row *row, int64_t value, char *out)
{
	(void)row;
	if (value < 1)
		put_text(out, "<1 ms");
	else if (value < 10000)
		snprintf(out, NODE_CELL_BYTES, "%lld ms", (long long)value);
	else
		snprintf(out, NODE_CELL_BYTES, "%lld s", (long long)(value / 1000));
}

/* --- the table ----------------------------------------------------------------------------- */

const char *const node_column_names[COLUMN_COUNT + 1] = {
#define X(id, name, title, help) [id] = name,
    NODE_COLUMNS(X)
#undef X
};

/* Widths hold the title with the arrow of the sorted column: nothing moves when that changes. */
const struct node_column_info node_columns[COLUMN_COUNT] = {
#define TEXTUAL(id, least, most, prio, put)                                                        \
	[id] = {.min = least, .max = most, .priority = prio, .left = true, .format = put}
#define ORDERED(id, least, most, prio, fall, get, put)                                             \
	[id] = {.min = least, .max = most, .priority = prio, .left = true, .falls = fall,           \
		.value = get, .format = put}
#define NUMERIC(id, width, prio, get, put)                                                         \
	[id] = {.min = width, .max = width, .priority = prio, .falls = true, .value = get,          \
		.format = put}
    TEXTUAL(COLUMN_ADDRESS, 12, 48, 0, put_address),
    ORDERED(COLUMN_ROLE, 9, 9, 1, false, role_value, put_role),
    ORDERED(COLUMN_STATE, 11, 60, 2, true, state_value, put_state),
    TEXTUAL(COLUMN_GROUP, 10, 24, 16, put_group),
    ORDERED(COLUMN_VERSION, 10, 14, 8, false, version_value, put_version),
    NUMERIC(COLUMN_UPTIME, 8, 10, uptime_value, put_age),
    NUMERIC(COLUMN_OPS, 7, 3, ops_value, put_count),
    NUMERIC(COLUMN_CLIENTS, 9, 6, clients_value, put_count),
    NUMERIC(COLUMN_BLOCKED, 9, 18, blocked_value, put_count),
    NUMERIC(COLUMN_MEMORY, 8, 4, memory_value, put_bytes),
    NUMERIC(COLUMN_SHARE, 6, 7, share_value, put_percent),
    NUMERIC(COLUMN_MAXMEMORY, 8, 19, maxmemory_value, put_limit),
    NUMERIC(COLUMN_EVICTED, 9, 21, evicted_value, put_count),
    NUMERIC(COLUMN_HIT_RATE, 6, 11, hit_rate_value, put_percent),
    NUMERIC(COLUMN_INPUT, 8, 12, input_value, put_bytes),
    NUMERIC(COLUMN_OUTPUT, 8, 13, output_value, put_bytes),
    NUMERIC(COLUMN_KEYS, 7, 14, keys_value, put_count),
    NUMERIC(COLUMN_SLOTS, 7, 17, slots_value, put_number),
    NUMERIC(COLUMN_LAG, 8, 5, lag_value, put_bytes),
    NUMERIC(COLUMN_OFFSET, 17, 24, offset_value, put_number),
    NUMERIC(COLUMN_PRIORITY, 7, 23, priority_value, put_priority),
    NUMERIC(COLUMN_REPLICAS, 10, 20, replicas_value, put_count),
    TEXTUAL(COLUMN_FOLLOWS, 16, 24, 22, put_follows),
    NUMERIC(COLUMN_LATENCY, 9, 9, latency_value, put_latency),
    NUMERIC(COLUMN_LINK, 7, 15, link_value, put_age),
    NUMERIC(COLUMN_HEARD, 8, 25, heard_value, put_heard),
    TEXTUAL(COLUMN_RUN_ID, 10, 41, 26, put_run_id),
#undef TEXTUAL
#undef ORDERED
#undef NUMERIC
};

const char *node_column_title(enum node_column column)
{
	static const char *const titles[COLUMN_COUNT] = {
#define X(id, name, title, help) [id] = title,
	    NODE_COLUMNS(X)
#undef X
	};

	return titles[column];
}

enum node_column node_column_find(const char *name, size_t len)
{
	for (int i = 0; i < COLUMN_COUNT; i++)
		if (strlen(node_column_names[i]) == len &&
		    strncmp(node_column_names[i], name, len) == 0)
			return (enum node_column)i;
	return COLUMN_COUNT;
}

/* --- rows ---------------------------------------------------------------------------------- */

void node_row_begin(struct node_row *row, const struct view_context *c, const struct node *n)
{
	const struct group *g = n->group_id ? model_group(c->model, n->group_id) : NULL;
	char addr[ENDPOINT_TEXT_BYTES];

	row->id = n->id;
	row->group_id = g ? g->id : 0;
	row->filled = false;
	snprintf(row->address, sizeof(row->address), "%.79s", endpoint_format(&n->addr, addr));
	snprintf(row->group, sizeof(row->group), "%.79s", g ? g->name : "");
}

/* How it is, in the words of the topology: two screens must not say different things. */
static void fill_state(struct node_row *row, const struct view_context *c)
{
	struct topo_row words_of = {.kind = ROW_NODE,
				    .node_id = (uint32_t)row->id,
				    .group_id = row->group_id};

	topology_fill_row(NULL, &words_of, c);
	row->health = words_of.health;
	row->role = words_of.role;
	row->stale = words_of.stale;
	row->odd_role = words_of.odd_role;
	memcpy(row->state, words_of.state, sizeof(row->state));
	memcpy(row->version, words_of.version, sizeof(row->version));
}

void node_row_fill(struct node_row *row, const struct view_context *c)
{
	const struct node *n = model_node(c->model, (uint32_t)row->id);
	char addr[ENDPOINT_TEXT_BYTES];

	if (row->filled || !n)
		return;
	row->filled = true;
	fill_state(row, c);
	row->follows[0] = '\0';
	if (n->info_at_ms != 0 && n->info.role == ROLE_REPLICA)
		snprintf(row->follows, sizeof(row->follows), "%.79s",
			 endpoint_format(&n->info.master, addr));
	memcpy(row->run_id, n->run_id, sizeof(row->run_id));
	for (int i = 0; i < COLUMN_COUNT; i++)
		if (node_columns[i].value && i != COLUMN_STATE)
			row->values[i] = node_columns[i].value(c, n);
	row->values[COLUMN_STATE] = row->health;
}

int64_t node_row_value(const struct node_row *row, enum node_column column,
		       const struct view_context *c)
{
	const struct node *n;

	if (row->filled || !c)
		return row->values[column];
	n = model_node(c->model, (uint32_t)row->id);
	return n ? node_columns[column].value(c, n) : FACT_UNKNOWN;
}

const char *node_row_text(const struct node_row *row, enum node_column column)
{
	switch (column) {
	case COLUMN_GROUP:
		return row->group;
	case COLUMN_FOLLOWS:
		return row->follows;
	case COLUMN_RUN_ID:
		return row->run_id;
	default:
		return row->address;
	}
}

void node_cell_text(const struct node_row *row, enum node_column column, char *out)
{
	const struct node_column_info *info = &node_columns[column];
	int64_t value = info->value ? row->values[column] : 0;

	out[0] = '\0';
	if (value == FACT_UNKNOWN)
		put_text(out, "?");
	else if (value != VALUE_NONE)
		info->format(row, value, out);
}

enum style_role node_cell_style(const struct node_row *row, enum node_column column)
{
	switch (column) {
	case COLUMN_ROLE:
		return row->odd_role ? STYLE_CRITICAL : role_style(row->role);
	case COLUMN_STATE:
		return health_style(row->health);
	case COLUMN_ADDRESS:
		return row->stale ? STYLE_STALE : STYLE_STRONG;
	default:
		return row->stale ? STYLE_STALE : STYLE_TEXT;
	}
}
