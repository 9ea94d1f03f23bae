/* The views over models that are built from observations: what an operator must find on the screen. */
#include "config.h"

#include "worlds.h"

static void test_every_size(void **state)
{
	static const char *const names[] = {"sentinel", "master down", "cluster", "cluster down"};

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		struct world w =
		    kind < 2 ? shown_set()
			     : shown_cluster(kind == 2 ? "master" : "master,fail",
					     kind == 2 ? " 5461-10922" : " 5463-10922", kind == 2);
		struct view_context c;

		if (kind == 1)
			kill_master(&w);
		c = context(&w);
		for (size_t i = 0; i < SIZES; i++)
			for (int ascii = 0; ascii < 2; ascii++)
				free(draw_dashboard(&c, sizes[i][0], sizes[i][1], ascii,
						    names[kind]));
		model_free(w.m);
	}
}

/* Each view alone in every size, with every command, over a model that knows nothing as well. */
static void test_every_view_and_command(void **state)
{
	static const struct view_ops *const all[] = {&topology_view, &replication_view, &slots_view,
						     &events_view};
	struct world worlds[3] = {{model_new(10), T0, 0},
				  shown_set(),
				  shown_cluster("master,fail?", " 5461-10922", true)};

	(void)state;
	kill_master(&worlds[1]);
	for (int m = 0; m < 3; m++) {
		struct view_context c = context(&worlds[m]);

		for (size_t i = 0; i < 4; i++) {
			struct view *v = view_new(all[i]);

			for (int command = CMD_NONE; command < CMD_COUNT; command++) {
				struct selection at_row = {0, 0, 0};
				const int *size = sizes[(size_t)command % SIZES];

				v->ops->act(v, &c, (enum command)command);
				v->ops->selection(v, &at_row);
				assert_true(v->ops->wanted_height(v, &c, size[1]) < 10000);
				c.frozen = command % 2;
				free(draw_view(v, &c, size[0], size[1], command % 3 == 0));
			}
			view_free(v);
		}
	}
	for (int m = 0; m < 3; m++)
		model_free(worlds[m].m);
}

static void test_filter(void **state)
{
	struct world w = shown_set();
	struct view *v = view_new(&topology_view);
	char *text;

	(void)state;
	view_set_filter(v, "ABC");
	assert_true(view_matches(v, "xxabcxx"));
	assert_false(view_matches(v, "xaybzc"));
	view_set_filter(v, "!abc");
	assert_false(view_matches(v, "xxABCxx"));
	assert_true(view_matches(v, "x"));
	view_set_filter(v, "!");
	assert_true(view_matches(v, "x"));
	view_free(v);

	kill_master(&w);
	text = draw_fresh(&topology_view, &w, "link down", 22, 80);
	assert_has(text, "/link down");
	assert_has(text, "10.0.0.3:6379");
	assert_has(text, "mymaster"); /* whose replica it is */
	assert_lacks(text, "10.0.0.1:6379");
	assert_lacks(text, "26379");
	free(text);
	text = draw_fresh(&topology_view, &w, "!sentinel", 22, 80);
	assert_lacks(text, "26380");
	assert_has(text, "10.0.0.4:6379");
	free(text);
	text = draw_fresh(&events_view, &w, "odown", 22, 80);
	assert_has(text, "+odown");
	assert_lacks(text, "+sdown");
	free(text);
	text = draw_fresh(&events_view, &w, "10.0.0.9:26381", 22, 80); /* a source */
	assert_has(text, "+sdown");
	assert_lacks(text, "+odown");
	free(text);
	text = draw_fresh(&events_view, &w, "critical", 22, 80); /* a severity */
	assert_has(text, "+odown");
	assert_lacks(text, "+sdown");
	free(text);
	text = draw_fresh(&replication_view, &w, "10.0.0.3", 22, 80);
	assert_has(text, "10.0.0.3:6379");
	assert_lacks(text, "10.0.0.4:6379");
	free(text);
	text = draw_fresh(&topology_view, &w, "no such thing", 22, 80);
	assert_has(text, "nothing matches");
	free(text);
	model_free(w.m);
}

static void test_slots(void **state)
{
	struct world w = shown_cluster("master", " 5461-10922", true);
	char *text;
	char expected[32];

	(void)state;
	text = draw_fresh(&slots_view, &w, "", 22, 80);
	assert_has(text, "all slots served");
	assert_has(text, "slot 42 migrating A to B");
	assert_has(line_with(text, "127.0.0.1:7001 "), "5462 slots");
	assert_has(text, "AAAA");
	assert_has(text, "CCCC");
	assert_lacks(text, "!");
	free(text);
	/* the key's slot; hash tags respected */
	snprintf(expected, sizeof(expected), "slot %u", slot_of_key("{user1000}.following", 20));
	assert_int_equal(slot_of_key("{user1000}.following", 20), slot_of_key("user1000", 8));
	text = draw_fresh(&slots_view, &w, "{user1000}.following", 22, 80);
	assert_has(line_with(text, expected), "owner 127.0.0.1:700");
	free(text);
	model_free(w.m);

	w = shown_cluster("master,fail", " 5463-10922", false);
	text = draw_fresh(&slots_view, &w, "", 22, 80);
	assert_has(text, "CLUSTER DOWN");
	assert_has(text, "2 uncovered");
	assert_has(text, "slots 5461-5462 uncovered");
	assert_has(text, "A!B"); /* two slots of a cell of many are enough */
	assert_has(text, "✖✖✖✖");
	assert_has(line_with(text, "127.0.0.1:7002"), "FAILED");
	free(text);
	model_free(w.m);

	/* before the cluster itself has noticed */
	w = shown_cluster("master", " 5461-10922", true);
	link_state(&w, id_of(&w, "127.0.0.1", 7002), LINK_LOST, "connection closed");
	text = draw_fresh(&slots_view, &w, "", 22, 80);
	assert_has(text, "5461 slots: owner does not answer");
	assert_lacks(text, "all slots served");
	free(text);
	model_free(w.m);

	w = shown_cluster("master,fail?", " 5461-10922", true);
	text = draw_fresh(&slots_view, &w, "", 22, 80);
	assert_has(text, "????");
	assert_has(text, "suspected");
	free(text);
	model_free(w.m);
}

static void test_selection(void **state)
{
	static const struct view_ops *const with[] = {&topology_view, &replication_view};
	struct world w = shown_set();
	struct view_context c = context(&w);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct view *v = view_new(with[i]);
		struct selection sel = {0, 0, 0};

		free(draw_view(v, &c, 60, 200, false));
		assert_true(list_select_id(&v->list, id_of(&w, "10.0.0.3", 6379)));
		v->ops->selection(v, &sel);
		assert_int_equal(sel.node_id, id_of(&w, "10.0.0.3", 6379));
		assert_int_equal(sel.group_id, model_node(w.m, sel.node_id)->group_id);
		/* it stays with its node when rows come above it */
		ckquorum(&w, false, "NOQUORUM");
		v->stale = true;
		free(draw_view(v, &c, 60, 200, false));
		v->ops->selection(v, &sel);
		assert_int_equal(sel.node_id, id_of(&w, "10.0.0.3", 6379));
		view_free(v);
	}
	model_free(w.m);
}

static void test_keys(void **state)
{
	(void)state;
	const struct keymap *m = keymap_builtin();
	struct buf err = BUF_INIT;

	assert_int_equal(keymap_command(m, 'j', false), CMD_DOWN);
	assert_int_equal(keymap_command(m, KEYC_DOWN, false), CMD_DOWN);
	assert_int_equal(keymap_command(m, KEYC_F1, false), CMD_HELP);
	assert_int_equal(keymap_command(m, '4', false), CMD_SCREEN_4);
	assert_int_equal(keymap_command(m, KEYC_NONE, false), CMD_NONE);
	assert_int_equal(keymap_command(m, 'X', false), CMD_NONE);
	assert_int_equal(keymap_check(m, &err), 0); /* no key has two meanings */
}

static void check_help(bool replay)
{
	struct view_context c = {.notice = "", .replay = replay};
	struct screen *s = open_screen(help_height(&c, 80), 80, false);
	struct pane p = pane_whole(s);
	struct buf out = BUF_INIT;

	help_draw(&p, &c, 0);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	dumped("help", buf_str(&out));
	for (size_t i = 0; i < key_binding_count; i++) {
		const struct key_binding *b = &key_bindings[i];

		if (!key_binding_applies(b, replay)) {
			assert_null(strstr(buf_str(&out), b->help));
			continue;
		}
		const char *line = line_with(buf_str(&out), b->help);

		for (size_t k = 0; k < KEYS_A_COMMAND && b->keys[k]; k++) {
			char name[16];

			assert_has(line, key_name(b->keys[k], name));
		}
	}
	screen_close(s);
	buf_free(&out);
}

/* In any width every word of every text is there in one piece. */
static void check_help_words(int width)
{
	struct view_context c = {.notice = "", .missing_screens = 1u << 8};
	struct screen *s = open_screen(help_height(&c, width), width, false);
	struct pane p = pane_whole(s);
	struct buf out = BUF_INIT;

	assert_int_equal(help_draw(&p, &c, 0), 0);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	for (size_t i = 0; i < key_binding_count && width >= 40; i++) {
		const struct key_binding *b = &key_bindings[i];
		char words[128], *rest, *word;

		if (!key_binding_applies(b, false) || b->command == CMD_SCREEN_8)
			continue;
		snprintf(words, sizeof(words), "%s", b->help);
		for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
			assert_has(buf_str(&out), word);
	}
	assert_null(strstr(buf_str(&out), "doctor"));
	screen_close(s);
	buf_free(&out);
}

static void test_help_lists_every_key(void **state)
{
	struct screen *s;
	struct pane p;
	struct view_context c = {.notice = ""};
	struct buf out = BUF_INIT;

	(void)state;
	check_help(false);
	check_help(true);
	for (int width = 8; width <= 260; width++)
		check_help_words(width);
	s = open_screen(6, 30, false); /* scrolled too far shows the end */
	p = pane_whole(s);
	help_draw(&p, &c, 1000);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	assert_has(buf_str(&out), "quit");
	screen_close(s);
	buf_free(&out);
}

static const char *sheet_label; /* of the deployment */

static char *draw_sheet(const struct sheet *sheet, const char *typed, int height, int width)
{
	struct screen *s = open_screen(height, width, false);
	struct pane p = pane_whole(s);
	struct view_context c = {.notice = "", .label = sheet_label};
	struct prompt prompt = {.len = (int)strlen(typed), .cursor = (int)strlen(typed)};
	struct buf out = BUF_INIT;
	char what[40];

	snprintf(prompt.text, sizeof(prompt.text), "%s", typed);
	sheet_draw(&p, &c, sheet, &prompt);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	screen_close(s);
	snprintf(what, sizeof(what), "sheet %dx%d", width, height);
	dumped(what, buf_str(&out));
	return out.data;
}

static void test_sheet(void **state)
{
	struct sheet s = {.state = SHEET_CONFIRM,
			  .title = "Fail over mymaster",
			  .confirm = "mymaster",
			  .command = "SENTINEL FAILOVER mymaster",
			  .target = "10.0.0.9:26379 (Sentinel)"};
	static const int low[][2] = {{22, 80}, {12, 80}, {10, 40}, {6, 40}, {5, 30}};
	char *text;

	(void)state;
	sheet_line_add(&s, HEALTH_OK, "quorum", "2 of 3 Sentinels are needed, 3 answer");
	sheet_line_add(&s, HEALTH_OK, "promoted",
		       "10.0.0.2:6379 is expected: priority 100, most data");
	sheet_line_add(&s, HEALTH_WARNING, "at risk",
		       "584 kB that 10.0.0.4:6379 has not received yet and would "
		       "have to fetch from the new master by a full synchronisation");
	sheet_line_add(&s, HEALTH_OK, "clients", "12 connected clients will be disconnected");
	sheet_line_add(&s, HEALTH_CRITICAL, "running", "a failover ended 4 s ago");
	for (size_t i = 0; i < sizeof(low) / sizeof(low[0]); i++) {
		text = draw_sheet(&s, "mym", low[i][0], low[i][1]);
		assert_has(text, "SENTINEL FAILOVER mymaster");
		assert_has(text, "> mym");
		if (low[i][0] >= 12) {
			assert_has(text, "Type mymaster to go ahead, Esc to leave");
			assert_has(text, "a failover ended 4 s ago"); /* the worst is never cut */
			assert_has(text, "10.0.0.9:26379");
		}
		free(text);
	}
	s.state = SHEET_DONE;
	snprintf(s.outcome, sizeof(s.outcome),
		 "10.0.0.2:6379 is master, 3 of 3 Sentinels agree, after 2.2 s");
	text = draw_sheet(&s, "", 22, 80);
	assert_has(text, "Done and verified");
	assert_has(text, "3 of 3 Sentinels agree");
	free(text);
	/* over the header, whose badges it covers */
	s.state = SHEET_CONFIRM;
	s.outcome[0] = '\0';
	sheet_label = "PRODUCTION of the whole world";
	text = draw_sheet(&s, "", 24, 80);
	assert_has(text, " PRODUCTION of th…  Fail over mymaster ");
	free(text);
	sheet_label = NULL;
	/* what it does, to whom, and the first thing to say of it */
	sheet_line_add(&s, HEALTH_OK, "long", "%0200d", 1);
	text = draw_sheet(&s, "my", 8, 60);
	assert_has(text, "command  SENTINEL FAILOVER mymaster");
	assert_has(text, "goes to  10.0.0.9:26379");
	assert_has(text, "a failover ended 4 s ago");
	assert_has(text, "> my");
	free(text);
	s.line_count--;
	s.state = SHEET_UNKNOWN;
	snprintf(s.outcome, sizeof(s.outcome), "not known after 25 s");
	text = draw_sheet(&s, "", 22, 80);
	assert_has(text, "Outcome unknown: ");
	assert_lacks(text, "Failed");
	assert_has(text, "● quorum");
	free(text);
	s.state = SHEET_BLOCKED;
	sheet_lines_before(&s, "as it was when it was blocked:");
	text = draw_sheet(&s, "", 22, 80);
	assert_has(text, "as it was when it was blocked:");
	assert_lacks(text, "● quorum");
	assert_has(text, "Cannot be done now");
	assert_lacks(text, "Type mymaster");
	free(text);
	free(draw_sheet(&s, "", 1, 1));
	free(draw_sheet(&s, "", 2, 3));
	s.state = SHEET_CONFIRM;
	free(draw_sheet(&s, "", 1, 1));
	free(draw_sheet(&s, "", 3, 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_size),
	    cmocka_unit_test(test_every_view_and_command),
	    cmocka_unit_test(test_filter),
	    cmocka_unit_test(test_slots),
	    cmocka_unit_test(test_selection),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_help_lists_every_key),
	    cmocka_unit_test(test_sheet),
	};

	if (!setlocale(LC_ALL, "C.UTF-8"))
		setlocale(LC_ALL, "");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
