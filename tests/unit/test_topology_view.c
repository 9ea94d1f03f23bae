/* The topology: who follows whom, and what is wrong with whom. */
#include "config.h"

#include "worlds.h"

static void test_down_master_has_word_and_role(void **state)
{
	struct world w = shown_set();
	const char *line;
	char *text;

	(void)state;
	text = draw_fresh(&topology_view, &w, "", 22, 80);
	line = line_with(text, "10.0.0.1:6379");
	assert_has(line, "master");
	assert_has(line, "up");
	assert_has(line_with(text, "quorum"), "quorum 2 of 3");
	assert_has(line_with(text, "quorum"), "ckquorum ok");
	free(text);
	/* What one said that does not answer any more is no word of now. */
	for (int s = 0; s < 3; s++)
		link_state(&w, id_of(&w, "10.0.0.9", 26379 + s), LINK_SILENT, "no reply");
	text = draw_fresh(&topology_view, &w, "", 22, 80);
	assert_has(line_with(text, "quorum"), "ckquorum ?");
	free(text);
	for (int s = 0; s < 3; s++)
		link_state(&w, id_of(&w, "10.0.0.9", 26379 + s), LINK_UP, NULL);
	kill_master(&w);
	text = draw_fresh(&topology_view, &w, "", 22, 80);
	line = line_with(text, "10.0.0.1:6379");
	assert_has(line, "master");
	assert_has(line, "down");
	assert_has(line, "✖");
	assert_has(line_with(text, "failover:"), "waiting for promotion");
	assert_has(line_with(text, "10.0.0.2:6379"), "promoting");
	assert_has(line_with(text, "10.0.0.3:6379"), "link down");
	assert_has(line_with(text, "10.0.0.9:26380"), "sentinel");
	free(text);
	model_free(w.m);
}

static void test_no_quorum_says_why(void **state)
{
	struct world w = shown_set();
	char *text;

	(void)state;
	ckquorum(&w, false,
		 "NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the "
		 "specified quorum");
	text = draw_fresh(&topology_view, &w, "", 22, 80);
	assert_has(text, "ckquorum NOT OK");
	assert_has(text, "NOQUORUM 1 usable Sentinels");
	free(text);
	model_free(w.m);
}

/* Two replicas that follow each other, and one that follows a replica. */
static void test_chains_and_cycles(void **state)
{
	struct world w = shown_set();
	char *text;

	(void)state;
	shown_replica(&w, id_of(&w, "10.0.0.4", 6379), "standalone", 4, "10.0.0.3", 6379, 100,
		     LINK_OK);
	text = draw_fresh(&topology_view, &w, "", 22, 80);
	assert_has(line_with(text, "10.0.0.4:6379"), "  └─");
	free(text);
	shown_replica(&w, id_of(&w, "10.0.0.3", 6379), "standalone", 3, "10.0.0.4", 6379, 100,
		     LINK_OK);
	text = draw_fresh(&topology_view, &w, "", 22, 80);
	line_with(text, "10.0.0.3:6379"); /* shown, and the drawing ends */
	line_with(text, "10.0.0.4:6379");
	free(text);
	model_free(w.m);
}

static void test_second_master_is_marked(void **state)
{
	struct world w = shown_set();
	char *text;

	(void)state;
	shown_master(&w, id_of(&w, "10.0.0.3", 6379), "standalone", 3, 5000000, "");
	text = draw_fresh(&topology_view, &w, "", 22, 100);
	assert_has(line_with(text, "10.0.0.3:6379"), "two masters"); /* said above the tree, too */
	assert_has(line_with(text, "✖ 10.0.0.3:6379"), "master!");
	assert_has(line_with(text, "✖ 10.0.0.3:6379"), "second master");
	free(text);
	model_free(w.m);
}

/* A Sentinel's last word on the promoted one as a replica stays: nobody lists it as one any more. */
static void test_promotion_ends(void **state)
{
	struct world w = shown_set();
	uint32_t second = id_of(&w, "10.0.0.2", 6379);
	struct sentinel_instance replica =
	    shown_instance("10.0.0.2:6379", "10.0.0.2", 6379, SFLAG_SLAVE | SFLAG_PROMOTED);
	struct sentinel_instance master = shown_instance("mymaster", "10.0.0.2", 6379, SFLAG_MASTER);
	char *text;

	(void)state;
	listed(&w, ASK_SENTINEL_REPLICAS, id_of(&w, "10.0.0.9", 26379), "mymaster", &replica, 1);
	shown_master(&w, second, "standalone", 2, 5900000, "");
	text = draw_fresh(&topology_view, &w, "", 22, 100);
	assert_has(line_with(text, "◐ 10.0.0.2:6379"), "promoted");
	free(text);
	master.config_epoch = 8;
	snprintf(master.run_id, sizeof(master.run_id), "%040d", 2);
	for (int s = 0; s < 3; s++)
		listed(&w, ASK_SENTINEL_MASTERS, id_of(&w, "10.0.0.9", 26379 + s), "mymaster", &master, 1);
	text = draw_fresh(&topology_view, &w, "", 22, 100);
	assert_has(line_with(text, "● 10.0.0.2:6379"), "master");
	assert_lacks(line_with(text, "● 10.0.0.2:6379"), "promoted");
	free(text);
	model_free(w.m);
}

/* Only the word of a node that answers contradicts, and not that of one which is being promoted. */
static void test_expected_roles_are_not_marked(void **state)
{
	struct world w = shown_set(), cl = shown_cluster("master", " 5461-10922", true);
	uint32_t third = id_of(&w, "10.0.0.3", 6379);
	char *text;

	(void)state;
	shown_master(&w, third, "standalone", 3, 5000000, "");
	link_state(&w, third, LINK_LOST, "connection closed by the server");
	text = draw_fresh(&topology_view, &w, "", 22, 100);
	assert_lacks(line_with(text, "10.0.0.3:6379"), "!");
	free(text);

	kill_master(&w);
	shown_master(&w, id_of(&w, "10.0.0.2", 6379), "standalone", 2, 5900000, "");
	text = draw_fresh(&topology_view, &w, "", 22, 100);
	assert_lacks(line_with(text, "10.0.0.2:6379"), "!");
	assert_has(line_with(text, "◐ 10.0.0.2:6379"), "promoted");
	free(text);

	/* CLUSTER FAILOVER: it says so before CLUSTER NODES was asked again. */
	shown_master(&cl, id_of(&cl, "127.0.0.1", 7003), "cluster", 103, 500000, "");
	text = draw_fresh(&topology_view, &cl, "", 22, 100);
	assert_lacks(text, "!");
	assert_lacks(text, "second master");
	assert_has(line_with(text, "127.0.0.1:7003"), "changing role, says master");
	free(text);
	model_free(cl.m);
	model_free(w.m);
}

/* Cut so that hosts of one kind stay apart, and with their ports. */
static void test_long_address(void **state)
{
	static const struct {
		const char *addr, *drawn;
		int columns;
	} cases[] = {
	    {"redis-17.data.production.example.net:6379", "redis-17.data.~:6379", 20},
	    {"redis-17.data.production.example.net:6379", "redis-17~:6379", 14},
	    {"redis-17.data.production.example.net:6379", "~s-17:6379", 10},
	    {"[2001:db8:85a3:8d3:1319:8a2e:370:7348]:6379", "~a2e:370:7348]:6379", 19},
	    {"[::1]:6379", "[::1]:6379", 10},
	    {"10.0.0.1:6379", "10.0.0.1:6379", 15},
	    {"10.0.0.1:6379", "~0.1:6379", 9},
	    {"cluster redis-17.example.net:7000", "cluster~net:7000", 16},
	    {"/var/run/redis/a-rather-long-name.sock", "/var/ru~ame.sock", 16},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct screen *s = open_screen(1, 60, true);
		struct pane p = pane_whole(s);
		struct buf out = BUF_INIT;

		assert_int_equal(
		    addr_draw(&p, 0, 0, cases[i].columns, STYLE_TEXT, cases[i].addr),
		    strlen(cases[i].drawn));
		screen_frame_end(s);
		screen_dump(s, &out, false);
		screen_close(s);
		assert_int_equal(strncmp(buf_str(&out), cases[i].drawn, strlen(cases[i].drawn)), 0);
		assert_int_equal(out.len, strlen(cases[i].drawn) + 1);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_down_master_has_word_and_role),
	    cmocka_unit_test(test_no_quorum_says_why),
	    cmocka_unit_test(test_chains_and_cycles),
	    cmocka_unit_test(test_second_master_is_marked),
	    cmocka_unit_test(test_promotion_ends),
	    cmocka_unit_test(test_expected_roles_are_not_marked),
	    cmocka_unit_test(test_long_address),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
