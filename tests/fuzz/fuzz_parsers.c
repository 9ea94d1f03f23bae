/* The parsers of src/redis. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "fuzz_facts.h"
#include "redis/cluster.h"
#include "redis/info.h"
#include "redis/parse.h"
#include "redis/sentinel.h"

static void assert_same_info(const struct info_facts *a, const struct info_facts *b)
{
	struct info_facts x = *a, y = *b;

	FUZZ_ASSERT(a->replica_count == b->replica_count);
	for (size_t i = 0; i < a->replica_count; i++) {
		FUZZ_ASSERT(endpoint_equal(&a->replicas[i].addr, &b->replicas[i].addr));
		FUZZ_ASSERT(a->replicas[i].offset == b->replicas[i].offset);
		FUZZ_ASSERT(a->replicas[i].lag_s == b->replicas[i].lag_s);
		FUZZ_ASSERT(strcmp(a->replicas[i].state, b->replicas[i].state) == 0);
	}
	x.replicas = y.replicas = NULL;
	x.replica_cap = y.replica_cap = 0;
	FUZZ_ASSERT(memcmp(&x, &y, sizeof(x)) == 0);
}

/* The parser remembers which line followed which: what it has seen before must not show. */
void fuzz_info(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size);
	struct info_facts first = { 0 }, again = { 0 };
	bool ok;

	info_reset(&first);
	info_reset(&again);
	ok = info_parse(&first, text, size);
	fuzz_check_info(&first);
	info_parse(&again, text + size / 2, size - size / 2);
	fuzz_check_info(&again);
	FUZZ_ASSERT(info_parse(&again, text, size) == ok);
	assert_same_info(&first, &again);
	info_done(&first);
	info_done(&again);
	free(text);
}

/* Questions by the first byte, and the ones after it for further replies in the input: they share
 * the parser's storage. */
void fuzz_answer(const uint8_t *data, size_t size)
{
	struct reply_reader *reader = reader_new();
	struct parser *parser = parser_new();
	const struct reply *r = NULL;
	unsigned question = size ? data[0] : 0;

	if (size)
		reader_feed(reader, (const char *)data + 1, size - 1);
	while (reader_next(reader, &r) == 1) {
		struct observation o = { .question = (enum question)(question % ASK_COUNT), .arg = "m" };

		parse_reply(parser, r, &o);
		fuzz_check_observation(&o);
		question++;
	}
	parser_free(parser);
	reader_free(reader);
}

/* Channel, newline, payload. */
void fuzz_message(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	size_t channel_len = newline ? (size_t)(newline - data) : size;
	size_t payload_len = newline ? size - channel_len - 1 : 0;
	char *channel = fuzz_copy(data, channel_len);
	char *payload = fuzz_copy(newline ? newline + 1 : data, payload_len);
	struct sentinel_message m;

	memset(&m, 0xa5, sizeof(m));
	sentinel_message_parse(&m, channel, channel_len, payload, payload_len);
	fuzz_check_message(&m);
	if (m.instance_type[0] == '\0' && m.channel[0] == '+' && !endpoint_is_set(&m.new_master) &&
	    m.epoch == FACT_UNKNOWN)
		FUZZ_ASSERT(payload_len == 0 || m.detail[0] != '\0');
	free(channel);
	free(payload);
}

void fuzz_hello(const uint8_t *data, size_t size)
{
	char *payload = fuzz_copy(data, size);
	struct sentinel_hello h;

	memset(&h, 0xa5, sizeof(h));
	if (sentinel_hello_parse(&h, payload, size))
		fuzz_check_hello(&h);
	free(payload);
}

static void assert_same_lines(const struct cluster_node_line *a, const struct cluster_node_line *b)
{
	FUZZ_ASSERT(strcmp(a->id, b->id) == 0 && strcmp(a->master_id, b->master_id) == 0);
	FUZZ_ASSERT(strcmp(a->hostname, b->hostname) == 0);
	FUZZ_ASSERT(endpoint_equal(&a->addr, &b->addr) && a->flags == b->flags);
	FUZZ_ASSERT(a->config_epoch == b->config_epoch && a->link_connected == b->link_connected);
	FUZZ_ASSERT(a->slot_count == b->slot_count && a->open_count == b->open_count);
	if (a->slot_count)
		FUZZ_ASSERT(memcmp(a->slots, b->slots, a->slot_count * sizeof(*a->slots)) == 0);
	for (size_t i = 0; i < a->open_count; i++)
		FUZZ_ASSERT(a->open[i].slot == b->open[i].slot &&
			    a->open[i].importing == b->open[i].importing &&
			    strcmp(a->open[i].peer, b->open[i].peer) == 0);
}

/* Two replies, parted by a NUL: the second gives the same in the first's storage as in its own. */
void fuzz_cluster_nodes(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	size_t a_len = nul ? (size_t)(nul - data) : size, b_len = nul ? size - a_len - 1 : size;
	char *a = fuzz_copy(data, a_len), *b = fuzz_copy(nul ? nul + 1 : data, b_len);
	struct cluster_scratch a_scratch = { 0 }, b_scratch = { 0 };
	struct cluster_nodes_facts a_facts, b_facts;
	bool a_ok = cluster_nodes_parse(&a_facts, &a_scratch, a, a_len);
	bool b_ok = cluster_nodes_parse(&b_facts, &b_scratch, b, b_len);

	FUZZ_ASSERT(a_ok == (a_facts.count > 0) && b_ok == (b_facts.count > 0));
	fuzz_check_cluster_nodes(&a_facts);
	fuzz_check_cluster_nodes(&b_facts);
	cluster_nodes_parse(&a_facts, &a_scratch, b, b_len);
	FUZZ_ASSERT(a_facts.count == b_facts.count && a_facts.malformed == b_facts.malformed);
	for (size_t i = 0; i < a_facts.count; i++)
		assert_same_lines(&a_facts.lines[i], &b_facts.lines[i]);
	cluster_scratch_done(&a_scratch);
	cluster_scratch_done(&b_scratch);
	free(a);
	free(b);
}

void fuzz_cluster_info(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size);
	struct cluster_info_facts f;
	bool ok;

	memset(&f, 0xa5, sizeof(f));
	ok = cluster_info_parse(&f, text, size);
	fuzz_check_cluster_info(&f);
	FUZZ_ASSERT(ok || !f.state_ok);
	free(text);
}
