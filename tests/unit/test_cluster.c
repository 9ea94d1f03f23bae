#include "config.h"

#include "captured.h"
#include "redis/cluster.h"

#define ID_A "885f99e561695f221a22af828a09737b427bd0fc"
#define ID_B "98765b9904f46e8ed15b3e632f6c5dbb4d53d8a3"

static const struct cluster_node_line *find_line(const struct cluster_nodes_facts *nodes,
						 const char *id)
{
	for (size_t i = 0; i < nodes->count; i++)
		if (strcmp(nodes->lines[i].id, id) == 0)
			return &nodes->lines[i];
	fail_msg("no line of %s", id);
	return NULL;
}

/* What the capture files say: who is asked, and each node's port, master and slots. */
struct expected_node {
	const char *id;
	unsigned port;
	const char *master_id;
	int64_t epoch;
	int first, last; /* -1: no slots */
	uint32_t flags;
};

static void check_nodes(const struct cluster_nodes_facts *nodes, const struct expected_node *e,
			size_t count)
{
	assert_int_equal(nodes->count, count);
	assert_int_equal(nodes->malformed, 0);
	for (size_t i = 0; i < count; i++) {
		const struct cluster_node_line *line = find_line(nodes, e[i].id);

		assert_string_equal(line->addr.host, "127.0.0.1");
		assert_int_equal(line->addr.port, e[i].port);
		assert_string_equal(line->master_id, e[i].master_id);
		assert_int_equal(line->config_epoch, e[i].epoch);
		assert_int_equal(line->flags, e[i].flags);
		assert_true(line->link_connected);
		assert_int_equal(line->slot_count, e[i].first >= 0);
		assert_int_equal(line->open_count, 0);
		if (e[i].first >= 0) {
			assert_int_equal(line->slots[0].first, e[i].first);
			assert_int_equal(line->slots[0].last, e[i].last);
		}
	}
}

static const struct expected_node nodes_7[] = {
	{ "e01ff1a10e05361926c6358271994e6fdd39e0bf", 22005, ID_A, 2, -1, -1, CFLAG_SLAVE },
	{ "dd1572c59005f3fba93fe01a6dee5d12963dcc37", 22001, "", 1, 0, 5460,
	  CFLAG_MYSELF | CFLAG_MASTER },
	{ "7cf20a008c8e88e1f09483000d670002abae3fe3", 22003, "", 3, 10923, 16383, CFLAG_MASTER },
	{ "a9bd7075af9c547c1e60a23fe058a3c863f6a8ce", 22006,
	  "7cf20a008c8e88e1f09483000d670002abae3fe3", 3, -1, -1, CFLAG_SLAVE },
	{ ID_B, 22004, "dd1572c59005f3fba93fe01a6dee5d12963dcc37", 1, -1, -1, CFLAG_SLAVE },
	{ ID_A, 22002, "", 2, 5461, 10922, CFLAG_MASTER },
};
static const struct expected_node nodes_8[] = {
	{ "3b6bdf12bf62a27c7e50d924fbaa1ac5895607ad", 22004,
	  "1e04ecce5723940d8e37641ea482c2385eb0ac10", 1, -1, -1, CFLAG_SLAVE },
	{ "1e04ecce5723940d8e37641ea482c2385eb0ac10", 22001, "", 1, 0, 5460,
	  CFLAG_MYSELF | CFLAG_MASTER },
	{ "dc9660c941e35628ad879ca2a7cca2dd264b42cf", 22006,
	  "6e862730dd6015718fb891c5556acacc895341af", 3, -1, -1, CFLAG_SLAVE },
	{ "6e862730dd6015718fb891c5556acacc895341af", 22003, "", 3, 10923, 16383, CFLAG_MASTER },
	{ "09e355610712d91e532decf4ed40472119606488", 22005,
	  "a3ca3e4e492c198b7f68099bdd0e00b505a6bd60", 2, -1, -1, CFLAG_SLAVE },
	{ "a3ca3e4e492c198b7f68099bdd0e00b505a6bd60", 22002, "", 2, 5461, 10922, CFLAG_MASTER },
};
static const struct expected_node nodes_valkey[] = {
	{ "b71e4e898094df86b0c128c4f65c3caebbcba5f2", 22003, "", 3, 10923, 16383, CFLAG_MASTER },
	{ "9f8e481b7ce0842b3e2b525f7a675af0bf451d5b", 22002, "", 2, 5461, 10922, CFLAG_MASTER },
	{ "da147caf2e071326223882c1f168ba2e20b04975", 22005,
	  "9f8e481b7ce0842b3e2b525f7a675af0bf451d5b", 2, -1, -1, CFLAG_SLAVE },
	{ "a37514ca19cf518cb4ee1773da7f758643b38a13", 22001, "", 1, 0, 5460,
	  CFLAG_MYSELF | CFLAG_MASTER },
	{ "2e7570457adc2b07498e6ea62758d8a0e5791ca1", 22004,
	  "a37514ca19cf518cb4ee1773da7f758643b38a13", 1, -1, -1, CFLAG_SLAVE },
	{ "55f9b601da21f25dd8e94750d4d46432335cca00", 22006,
	  "b71e4e898094df86b0c128c4f65c3caebbcba5f2", 3, -1, -1, CFLAG_SLAVE },
};

static void captured_nodes(void **state)
{
	static const struct {
		const char *file;
		const struct expected_node *nodes;
	} captures[] = {
		{ "cluster-7.0.15-nodes.resp", nodes_7 },
		{ "cluster-8.0.6-nodes.resp", nodes_8 },
		{ "cluster-valkey-9.1.2-nodes.resp", nodes_valkey },
	};
	struct parser *p = parser_new();

	(void)state;
	for (size_t i = 0; i < sizeof(captures) / sizeof(captures[0]); i++) {
		for (size_t step = 0; step < 2; step++) {
			struct observation obs =
			    captured_parse(p, captures[i].file, ASK_CLUSTER_NODES, step);

			assert_int_equal(obs.answer, ANSWER_OK);
			check_nodes(obs.u.cluster_nodes, captures[i].nodes, 6);
		}
	}
	parser_free(p);
}

static void captured_infos(void **state)
{
	static const char *const files[] = { "cluster-7.0.15-info.resp", "cluster-8.0.6-info.resp",
					     "cluster-valkey-9.1.2-info.resp" };
	struct parser *p = parser_new();

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct observation obs = captured_parse(p, files[i / 2], ASK_CLUSTER_INFO, i % 2);
		const struct cluster_info_facts *info = obs.u.cluster_info;

		assert_int_equal(obs.answer, ANSWER_OK);
		assert_true(info->state_ok);
		assert_int_equal(info->slots_assigned, 16384);
		assert_int_equal(info->slots_ok, 16384);
		assert_int_equal(info->slots_pfail, 0);
		assert_int_equal(info->slots_fail, 0);
		assert_int_equal(info->known_nodes, 6);
		assert_int_equal(info->size, 3);
		assert_int_equal(info->current_epoch, 5);
		assert_int_equal(info->my_epoch, 1);
	}
	parser_free(p);
}

static void captured_resp3(void **state)
{
	(void)state;
#if CAPTURED_HAS_RESP3
	struct parser *p = parser_new();

	for (size_t step = 0; step < 2; step++) {
		struct observation obs =
		    captured_parse(p, "cluster-7.0.15-nodes-resp3.resp", ASK_CLUSTER_NODES, step);
		const struct cluster_node_line *line;

		assert_int_equal(obs.answer, ANSWER_OK);
		assert_int_equal(obs.u.cluster_nodes->count, 6);
		/* The first line stands behind "txt:". */
		assert_string_equal(obs.u.cluster_nodes->lines[0].id,
				    "455499ceb9b667e66f97f9550ca0ac1e21df0215");
		line = find_line(obs.u.cluster_nodes, "ae75bdcdb512364bb11183a44582d0fcc8cb24e8");
		assert_int_equal(line->flags, CFLAG_MASTER | CFLAG_NOFAILOVER);
		obs = captured_parse(p, "cluster-7.0.15-info-resp3.resp", ASK_CLUSTER_INFO, step);
		assert_true(obs.answer == ANSWER_OK && obs.u.cluster_info->state_ok);
		assert_int_equal(obs.u.cluster_info->current_epoch, 7);
		obs = captured_parse(p, "cluster-valkey-9.1.2-nodes-resp3.resp", ASK_CLUSTER_NODES, step);
		assert_int_equal(obs.u.cluster_nodes->count, 6);
		obs = captured_parse(p, "cluster-valkey-9.1.2-info-resp3.resp", ASK_CLUSTER_INFO, step);
		assert_true(obs.answer == ANSWER_OK && obs.u.cluster_info->state_ok);
	}
	parser_free(p);
#else
	captured_refuses("cluster-7.0.15-nodes-resp3.resp");
	captured_refuses("cluster-7.0.15-info-resp3.resp");
	captured_refuses("cluster-valkey-9.1.2-nodes-resp3.resp");
	captured_refuses("cluster-valkey-9.1.2-info-resp3.resp");
#endif
}

/* Files of other commands: the reader takes them, no parser does, nothing breaks. */
static void other_captures(void **state)
{
	static const char *const kinds[] = { "shards", "slots", "links" };
	static const char *const versions[] = { "7.0.15", "8.0.6", "valkey-9.1.2" };
	struct parser *p = parser_new();
	char file[64];

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		for (enum question q = ASK_NONE; q < ASK_COUNT; q++) {
			struct observation obs;

			snprintf(file, sizeof(file), "cluster-%s-%s.resp", versions[i % 3], kinds[i / 3]);
			obs = captured_parse(p, file, q, 1);
			assert_int_equal(obs.answer, q == ASK_ACTION ? ANSWER_OK : ANSWER_MALFORMED);
			assert_non_null(obs.text);
		}
	}
	parser_free(p);
}

static bool parse_text(struct cluster_nodes_facts *out, struct cluster_scratch *scratch,
		       const char *text)
{
	return cluster_nodes_parse(out, scratch, text, strlen(text));
}

static void line_forms(void **state)
{
	static const char text[] =
	    ID_A " 10.0.0.1:6379 myself,master - 0 0 12 connected 5461-10922 7 "
		 "[5461->-" ID_B "] [5462-<-" ID_B "]\n"                    /* before 4.0 */
	    ID_B " 127.0.0.1:22002@32002,node-a.example.net,shard-id=abc slave,fail? " ID_A
		 " 17 1795259104340 12 disconnected\n"
	    "0000000000000000000000000000000000000001 :0@0 master,fail,noaddr - 1 2 3 disconnected\n"
	    "0000000000000000000000000000000000000002 :7001@17001 myself,master - 0 0 0 connected\n"
	    "0000000000000000000000000000000000000003 ::1:7002@17002,shard-id=x handshake - 0 0 0 "
	    "disconnected\n"
	    "0000000000000000000000000000000000000004 10.0.0.4:1@2 noflags - 0 0 0 connected "
	    "[9->-short] [x] [";
	struct cluster_scratch scratch = { 0 };
	struct cluster_nodes_facts nodes;
	const struct cluster_node_line *line;

	(void)state;
	assert_true(parse_text(&nodes, &scratch, text));
	assert_int_equal(nodes.count, 6);
	assert_int_equal(nodes.malformed, 0);
	line = &nodes.lines[0];
	assert_int_equal(line->addr.port, 6379);
	assert_int_equal(line->slot_count, 2);
	assert_int_equal(line->slots[1].first, 7);
	assert_int_equal(line->slots[1].last, 7);
	assert_int_equal(line->open_count, 2);
	assert_true(line->open[0].slot == 5461 && !line->open[0].importing);
	assert_true(line->open[1].slot == 5462 && line->open[1].importing);
	assert_string_equal(line->open[1].peer, ID_B);
	line = &nodes.lines[1];
	assert_string_equal(line->hostname, "node-a.example.net");
	assert_int_equal(line->flags, CFLAG_SLAVE | CFLAG_PFAIL);
	assert_string_equal(line->master_id, ID_A);
	assert_int_equal(line->ping_sent_ms, 17);
	assert_int_equal(line->pong_recv_ms, 1795259104340);
	assert_false(line->link_connected);
	line = &nodes.lines[2];
	assert_int_equal(line->flags, CFLAG_MASTER | CFLAG_FAIL | CFLAG_NOADDR);
	assert_false(endpoint_is_set(&line->addr));
	line = &nodes.lines[3];
	assert_false(endpoint_is_set(&line->addr));
	assert_int_equal(line->addr.port, 7001);
	line = &nodes.lines[4];
	assert_string_equal(line->addr.host, "::1");
	assert_string_equal(line->hostname, "");
	assert_int_equal(line->flags, CFLAG_HANDSHAKE);
	assert_int_equal(nodes.lines[5].open_count, 0);
	cluster_scratch_done(&scratch);
}

static void broken_lines_are_passed_over(void **state)
{
	static const char *const bad[] = {
		"hello", ID_A, ID_A " 1.2.3.4:1 master - 0 0 1",
		ID_A " 1.2.3.4 master - 0 0 1 connected",
		ID_A " 1.2.3.4:99999 master - 0 0 1 connected",
		ID_A " 1.2.3.4:1 master xyz 0 0 1 connected",
		ID_A " 1.2.3.4:1 master - x 0 1 connected",
		ID_A " 1.2.3.4:1 master - 0 0 -1 connected",
		ID_A " 1.2.3.4:1 master - 0 0 1 connected 16384",
		ID_A " 1.2.3.4:1 master - 0 0 1 connected 1-2 9-5",
		"885F99e561695f221a22af828a09737b427bd0fc 1.2.3.4:1 master - 0 0 1 connected",
	};
	struct cluster_scratch scratch = { 0 };
	struct cluster_nodes_facts nodes;
	struct buf text = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(parse_text(&nodes, &scratch, bad[i]));
		assert_int_equal(nodes.malformed, 1);
		/* A good line behind it has its own slots, not those of the broken one. */
		buf_reset(&text);
		buf_addf(&text, "%s\r\n%s 1.2.3.4:2 master - 0 0 1 connected 77\r\n", bad[i], ID_B);
		assert_true(parse_text(&nodes, &scratch, text.data));
		assert_int_equal(nodes.count, 1);
		assert_int_equal(nodes.malformed, 1);
		assert_int_equal(nodes.lines[0].slots[0].first, 77);
	}
	assert_false(parse_text(&nodes, &scratch, ""));
	buf_free(&text);
	cluster_scratch_done(&scratch);
}

static void slots_stay_put_while_growing(void **state)
{
	struct cluster_scratch scratch = { 0 };
	struct cluster_nodes_facts nodes;
	struct buf text = BUF_INIT;

	(void)state;
	for (int i = 0; i < 200; i++) {
		buf_addf(&text, "%040d 10.0.0.1:%d@1 master - 0 0 1 connected", i, i + 1);
		for (int slot = i; slot < SLOT_COUNT; slot += 400)
			buf_addf(&text, " %d", slot);
		buf_addch(&text, '\n');
	}
	assert_true(parse_text(&nodes, &scratch, text.data));
	assert_int_equal(nodes.count, 200);
	for (int i = 0; i < 200; i++) {
		assert_true(nodes.lines[i].slot_count >= 40);
		for (size_t k = 0; k < nodes.lines[i].slot_count; k++)
			assert_int_equal(nodes.lines[i].slots[k].first, i + 400 * (int)k);
	}
	buf_free(&text);
	cluster_scratch_done(&scratch);
}

static void info_needs_its_state(void **state)
{
	struct cluster_info_facts info;
	static const char down[] = "cluster_state:fail\r\ncluster_slots_ok:x\r\ncluster_size:0\r\n";

	(void)state;
	assert_true(cluster_info_parse(&info, down, sizeof(down) - 1));
	assert_false(info.state_ok);
	assert_int_equal(info.slots_ok, FACT_UNKNOWN);
	assert_int_equal(info.size, 0);
	assert_int_equal(info.known_nodes, FACT_UNKNOWN);
	assert_false(cluster_info_parse(&info, "cluster_size:1\r\n", 16));
	assert_false(cluster_info_parse(&info, "", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captured_nodes),
		cmocka_unit_test(captured_infos),
		cmocka_unit_test(captured_resp3),
		cmocka_unit_test(other_captures),
		cmocka_unit_test(line_forms),
		cmocka_unit_test(broken_lines_are_passed_over),
		cmocka_unit_test(slots_stay_put_while_growing),
		cmocka_unit_test(info_needs_its_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
