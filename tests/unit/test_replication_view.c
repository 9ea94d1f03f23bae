/* The replication pane: lag in numbers, bars and words. */
#include "config.h"

#include "worlds.h"

static void test_replication_words(void **state)
{
	struct world w = shown_set();
	char *text;

	(void)state;
	text = draw_fresh(&replication_view, &w, "", 22, 80);
	assert_has(text, "bars 0..1 MB");
	assert_has(line_with(text, "10.0.0.4:6379"), "584 kB");
	assert_has(text, "off backlog in");
	free(text);
	text = draw_fresh(&replication_view, &w, "", 60, 200);
	assert_has(line_with(text, "10.0.0.4:6379"), "kB/s");
	assert_has(line_with(text, "10.0.0.4:6379"), "off backlog in");
	assert_has(line_with(text, "10.0.0.2:6379"), "linked");
	assert_has(line_with(text, "mymaster"), "writes 80 kB/s");
	free(text);
	shown_replica(&w, id_of(&w, "10.0.0.3", 6379), "standalone", 3, "10.0.0.1", 6379, 0,
		     "master_link_status:down\r\nmaster_link_down_since_seconds:3\r\nmaster_sync_"
		     "in_progress:1\r\n"
		     "master_sync_total_bytes:1000000\r\nmaster_sync_read_bytes:400000\r\n");
	text = draw_fresh(&replication_view, &w, "", 22, 80);
	assert_has(line_with(text, "10.0.0.3:6379"), "full sync 40 %");
	free(text);
	kill_master(&w);
	text = draw_fresh(&replication_view, &w, "", 22, 80);
	assert_has(line_with(text, "10.0.0.4:6379"), "link down 12 s");
	free(text);
	model_free(w.m);
}

/* What is in flight on a healthy link is no forecast of trouble. */
static void test_replication_is_calm(void **state)
{
	struct world w = shown_set();
	char *text;

	(void)state;
	for (int i = 0; i < 15; i++) {
		w.now += 1000;
		data_nodes_say(&w, 6000000 + i * 80000, 3000 + i * 2000);
	}
	text = draw_fresh(&replication_view, &w, "", 60, 200);
	assert_lacks(text, "off backlog");
	assert_has(line_with(text, "10.0.0.4:6379"), "●");
	free(text);
	model_free(w.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_replication_words),
	    cmocka_unit_test(test_replication_is_calm),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
