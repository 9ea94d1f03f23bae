#include "config.h"

#include "redis/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"
#include "redis/field.h"

/* Redis advises at most 1,000 nodes. A line becomes 500 bytes: 8 MB at most. */
#define NODES_MAX 16384

struct token {
	const char *s;
	size_t len;
};

/* Takes the next word of a line. False at its end. */
static bool next_token(struct token *t, const char **s, const char *end)
{
	const char *space;

	while (*s < end && **s == ' ')
		(*s)++;
	if (*s == end)
		return false;
	t->s = *s;
	space = memchr(*s, ' ', (size_t)(end - *s));
	*s = space ? space : end;
	t->len = (size_t)(*s - t->s);
	return true;
}

static bool token_is(const struct token *t, const char *text)
{
	return t->len == strlen(text) && memcmp(t->s, text, t->len) == 0;
}

static bool is_id(const char *s, size_t len)
{
	if (len != ID_BYTES - 1)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return false;
	return true;
}

static bool parse_id(char out[ID_BYTES], const char *s, size_t len)
{
	if (!is_id(s, len))
		return false;
	memcpy(out, s, len);
	out[len] = '\0';
	return true;
}

/* ",hostname" of 7.0 and later; ",key=value" is for nodes.conf only, and passed over. */
static void parse_hostname(struct cluster_node_line *line, const char *s, size_t len)
{
	const char *end = s + len;

	while (s < end) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		size_t word = comma ? (size_t)(comma - s) : (size_t)(end - s);

		if (word && !memchr(s, '=', word)) {
			text_clean(line->hostname, sizeof(line->hostname), s, word);
			return;
		}
		s += word + (comma != NULL);
	}
}

/* ip:port@cport,hostname,key=value. The port is behind the last colon, since an IPv6 address has
 * no brackets here. */
static bool parse_addr(struct cluster_node_line *line, const struct token *t)
{
	const char *comma = memchr(t->s, ',', t->len);
	size_t len = comma ? (size_t)(comma - t->s) : t->len;
	const char *at = memchr(t->s, '@', len);
	const char *colon;
	int64_t port;

	if (comma)
		parse_hostname(line, comma + 1, t->len - len - 1);
	if (at)
		len = (size_t)(at - t->s);
	colon = memrchr(t->s, ':', len);
	if (!colon || !number_parse(colon + 1, (size_t)(t->s + len - colon - 1), 0, UINT16_MAX, &port))
		return false;
	/* Empty before a node knows its own address, and with noaddr (":0@0"). */
	if (colon == t->s || port == 0) {
		line->addr.port = (uint16_t)port;
		return true;
	}
	return endpoint_set(&line->addr, t->s, (size_t)(colon - t->s), port);
}

static uint32_t parse_flags(const struct token *t)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} names[] = {
		{ "myself", CFLAG_MYSELF },       { "master", CFLAG_MASTER },
		{ "slave", CFLAG_SLAVE },         { "fail?", CFLAG_PFAIL },
		{ "fail", CFLAG_FAIL },           { "handshake", CFLAG_HANDSHAKE },
		{ "noaddr", CFLAG_NOADDR },       { "nofailover", CFLAG_NOFAILOVER },
		{ "primary", CFLAG_MASTER },      { "replica", CFLAG_SLAVE },
	};
	const char *s = t->s, *end = t->s + t->len;
	uint32_t flags = 0;

	while (s < end) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		struct token word = { s, comma ? (size_t)(comma - s) : (size_t)(end - s) };

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (token_is(&word, names[i].name))
				flags |= names[i].flag;
		s += word.len + (comma != NULL);
	}
	return flags;
}

/* Where a line's slots go while the arrays may still move: the counts are enough to set the
 * pointers at the end, as lines and slots are in the same order. */
struct slot_sink {
	struct cluster_scratch *scratch;
	size_t slots, open;
};

/* [5461->-id] migrating, [5461-<-id] importing */
static void parse_open_slot(struct slot_sink *sink, struct cluster_node_line *line,
			    const struct token *t)
{
	struct open_slot open = { 0 };
	const char *dash = memchr(t->s, '-', t->len);
	const char *peer;
	int64_t slot;

	if (!dash || t->len < ID_BYTES || t->s[t->len - 1] != ']' || line->open_count >= SLOT_COUNT ||
	    !number_parse(t->s + 1, (size_t)(dash - t->s - 1), 0, SLOT_COUNT - 1, &slot))
		return;
	peer = dash + 3;
	if (peer >= t->s + t->len || dash[2] != '-' || (dash[1] != '>' && dash[1] != '<') ||
	    !parse_id(open.peer, peer, (size_t)(t->s + t->len - 1 - peer)))
		return;
	open.slot = (uint16_t)slot;
	open.importing = dash[1] == '<';
	sink->scratch->open = mem_grow(sink->scratch->open, &sink->scratch->open_cap, sink->open + 1,
				       sizeof(open));
	sink->scratch->open[sink->open++] = open;
	line->open_count++;
}

static bool parse_slot_range(struct slot_sink *sink, struct cluster_node_line *line,
			     const struct token *t)
{
	const char *dash = memchr(t->s, '-', t->len);
	size_t first_len = dash ? (size_t)(dash - t->s) : t->len;
	int64_t first, last;

	if (!number_parse(t->s, first_len, 0, SLOT_COUNT - 1, &first))
		return false;
	last = first;
	if (dash && !number_parse(dash + 1, t->len - first_len - 1, first, SLOT_COUNT - 1, &last))
		return false;
	if (line->slot_count >= SLOT_COUNT)
		return false;
	sink->scratch->slots = mem_grow(sink->scratch->slots, &sink->scratch->slot_cap,
					sink->slots + 1, sizeof(*sink->scratch->slots));
	sink->scratch->slots[sink->slots].first = (uint16_t)first;
	sink->scratch->slots[sink->slots++].last = (uint16_t)last;
	line->slot_count++;
	return true;
}

static bool parse_slots(struct slot_sink *sink, struct cluster_node_line *line, const char *s,
			const char *end)
{
	struct token t;

	while (next_token(&t, &s, end)) {
		if (t.s[0] == '[')
			parse_open_slot(sink, line, &t);
		else if (!parse_slot_range(sink, line, &t))
			return false;
	}
	return true;
}

/* <id> <addr> <flags> <master|-> <ping-sent> <pong-recv> <config-epoch> <link-state> <slot>...;
 * cluster.c:clusterGenNodeDescription */
static bool parse_line(struct slot_sink *sink, struct cluster_node_line *line, const char *s,
		       const char *end)
{
	struct token word[8];

	memset(line, 0, sizeof(*line));
	for (size_t i = 0; i < 8; i++)
		if (!next_token(&word[i], &s, end))
			return false;
	if (!parse_id(line->id, word[0].s, word[0].len) || !parse_addr(line, &word[1]))
		return false;
	line->flags = parse_flags(&word[2]);
	if (!token_is(&word[3], "-") && !parse_id(line->master_id, word[3].s, word[3].len))
		return false;
	if (!number_parse(word[4].s, word[4].len, 0, INT64_MAX, &line->ping_sent_ms) ||
	    !number_parse(word[5].s, word[5].len, 0, INT64_MAX, &line->pong_recv_ms) ||
	    !number_parse(word[6].s, word[6].len, 0, INT64_MAX, &line->config_epoch))
		return false;
	line->link_connected = token_is(&word[7], "connected");
	return parse_slots(sink, line, s, end);
}

static void fix_pointers(struct cluster_nodes_facts *out, const struct cluster_scratch *scratch)
{
	size_t slots = 0, open = 0;

	for (size_t i = 0; i < out->count; i++) {
		struct cluster_node_line *line = &out->lines[i];

		line->slots = line->slot_count ? scratch->slots + slots : NULL;
		line->open = line->open_count ? scratch->open + open : NULL;
		slots += line->slot_count;
		open += line->open_count;
	}
}

static void nodes_line(struct cluster_nodes_facts *out, struct slot_sink *sink, const char *s,
		       const char *end)
{
	struct cluster_scratch *scratch = sink->scratch;
	size_t slots = sink->slots, open = sink->open;

	if (out->count < NODES_MAX) {
		scratch->lines = mem_grow(scratch->lines, &scratch->line_cap, out->count + 1,
					  sizeof(*scratch->lines));
		if (parse_line(sink, &scratch->lines[out->count], s, end)) {
			out->count++;
			return;
		}
	}
	sink->slots = slots;
	sink->open = open;
	out->malformed++;
}

bool cluster_nodes_parse(struct cluster_nodes_facts *out, struct cluster_scratch *scratch,
			 const char *text, size_t len)
{
	struct slot_sink sink = { scratch, 0, 0 };
	const char *end = text + len;

	memset(out, 0, sizeof(*out));
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;
		const char *next = newline ? newline + 1 : end;

		if (stop > text && stop[-1] == '\r')
			stop--;
		if (stop > text)
			nodes_line(out, &sink, text, stop);
		text = next;
	}
	out->lines = scratch->lines;
	fix_pointers(out, scratch);
	return out->count > 0;
}

void cluster_scratch_done(struct cluster_scratch *scratch)
{
	free(scratch->lines);
	free(scratch->slots);
	free(scratch->open);
	memset(scratch, 0, sizeof(*scratch));
}

/* --- CLUSTER INFO --- */

static const struct field info_fields[] = {
	FIELD_MEMBER(cluster_info_facts, "cluster_slots_assigned", FIELD_COUNT, slots_assigned),
	FIELD_MEMBER(cluster_info_facts, "cluster_slots_ok", FIELD_COUNT, slots_ok),
	FIELD_MEMBER(cluster_info_facts, "cluster_slots_pfail", FIELD_COUNT, slots_pfail),
	FIELD_MEMBER(cluster_info_facts, "cluster_slots_fail", FIELD_COUNT, slots_fail),
	FIELD_MEMBER(cluster_info_facts, "cluster_known_nodes", FIELD_COUNT, known_nodes),
	FIELD_MEMBER(cluster_info_facts, "cluster_size", FIELD_COUNT, size),
	FIELD_MEMBER(cluster_info_facts, "cluster_current_epoch", FIELD_COUNT, current_epoch),
	FIELD_MEMBER(cluster_info_facts, "cluster_my_epoch", FIELD_COUNT, my_epoch),
	{ "cluster_state", FIELD_SPECIAL, 0, 0 },
};

static struct field_table info_table = FIELD_TABLE(info_fields);

static bool info_line(struct cluster_info_facts *out, const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	const struct field *f = colon ? field_find(&info_table, s, (size_t)(colon - s)) : NULL;
	struct token value;

	if (!f)
		return false;
	value.s = colon + 1;
	value.len = len - (size_t)(colon + 1 - s);
	if (f->kind != FIELD_SPECIAL) {
		field_store(f, out, value.s, value.len);
		return false;
	}
	out->state_ok = token_is(&value, "ok");
	return true;
}

bool cluster_info_parse(struct cluster_info_facts *out, const char *text, size_t len)
{
	const char *end = text + len;
	bool has_state = false;

	memset(out, 0, sizeof(*out));
	field_reset(&info_table, out);
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;
		size_t line_len = (size_t)(stop - text);

		if (line_len && text[line_len - 1] == '\r')
			line_len--;
		if (line_len && info_line(out, text, line_len))
			has_state = true;
		text = newline ? newline + 1 : end;
	}
	return has_state;
}
