/* The agreement screen: who stands alone, whether it can fail over and to whom, at every size. */
#include "config.h"

#include "worlds.h"

/* Each Sentinel's own list of replicas, as the first one has it. */
static void all_list_replicas(struct world *w)
{
	for (int s = 0; s < 3; s++) {
		struct sentinel_instance items[3];

		for (int r = 0; r < 3; r++) {
			char host[32];

			snprintf(host, sizeof(host), "10.0.0.%d", 2 + r);
			items[r] = shown_instance(host, host, 6379, SFLAG_SLAVE);
			items[r].master = at_host("10.0.0.1", 6379);
			items[r].priority = r == 2 ? 0 : 100 - r * 50;
			snprintf(items[r].run_id, sizeof(items[r].run_id), "%040d", 2 + r);
		}
		listed(w, ASK_SENTINEL_REPLICAS, id_of(w, "10.0.0.9", 26379 + s), "mymaster", items, 3);
	}
}

static struct world agreeing_world(void)
{
	struct world w = shown_set();

	all_list_replicas(&w);
	return w;
}

/* One of them says something else, and again a second later: a word said once may cross another. */
static void says_otherwise(struct world *w, int sentinel, const char *host, int64_t quorum)
{
	for (int i = 0; i < 2; i++) {
		struct sentinel_instance master = shown_instance("mymaster", host, 6379, SFLAG_MASTER);

		master.quorum = quorum;
		listed(w, ASK_SENTINEL_MASTERS, id_of(w, "10.0.0.9", 26379 + sentinel), "mymaster", &master, 1);
		w->now += 1000;
		model_tick(w->m, w->now, WALL);
	}
}

static void test_all_agree(void **state)
{
	struct world w = agreeing_world();
	char *text;

	(void)state;
	text = draw_fresh(&agreement_view, &w, "", 24, 80);
	assert_has(text, "failover ok: 3 of 3 Sentinels, 2 needed, 10.0.0.3:6379 next");
	assert_has(text, "next: 10.0.0.3:6379, lowest priority: 50");
	assert_has(text, "all 3 Sentinels agree");
	assert_has(line_with(text, "master  "), "10.0.0.1:6379");
	assert_lacks(text, "≠");
	assert_has(line_with(text, "would promote"), "10.0.0.3:6379");
	free(text);
	text = draw_fresh(&agreement_view, &w, "", 60, 200);
	assert_has(line_with(text, "passed over"), "10.0.0.4:6379  passed over: replica-priority 0");
	assert_has(line_with(text, "parallel-syncs"), "Sentinel");
	free(text);
	model_free(w.m);
}

static void test_split_brain_comes_first(void **state)
{
	struct world w = agreeing_world();
	struct view_context c;
	struct verdict verdict;
	char *text;

	(void)state;
	says_otherwise(&w, 1, "10.0.0.2", 2);
	text = draw_fresh(&agreement_view, &w, "", 24, 80);
	assert_has(line_with(text, "SPLIT BRAIN"), "two masters named");
	assert_has(text, "10.0.0.2:6379 named by 10.0.0.9:26380");
	assert_has(text, "10.0.0.1:6379 (says master) named by 10.0.0.9:26379, 10.0.0.9:26381");
	assert_has(text, "10.0.0.9:26380 stands alone for");
	assert_has(line_with(text, "≠10.0.0.2:6379"), "10.0.0.1:6379");
	free(text);
	c = context(&w);
	health_deployment(w.m, model_deployment(w.m, c.deployment_id), w.now, &verdict);
	assert_int_equal(verdict.health, HEALTH_CRITICAL);
	assert_has(verdict.text, "split brain: two masters named");
	/* The tree stays with what most of them say. */
	text = draw_fresh(&topology_view, &w, "", 24, 80);
	assert_has(line_with(text, "10.0.0.1:6379 "), "master");
	free(text);
	says_otherwise(&w, 1, "10.0.0.1", 2);
	text = draw_fresh(&agreement_view, &w, "", 24, 80);
	assert_lacks(text, "SPLIT");
	assert_lacks(text, "≠");
	free(text);
	model_free(w.m);
}

/* A replica that says master is no replica to choose, whatever Sentinels list it as. */
static void test_second_master_is_no_replica(void **state)
{
	struct world w = agreeing_world();
	char *text;

	(void)state;
	shown_master(&w, id_of(&w, "10.0.0.2", 6379), "standalone", 2, 5000, "");
	text = draw_fresh(&agreement_view, &w, "", 60, 120);
	assert_has(text, "10.0.0.2:6379 is no replica: it says that it is master.");
	assert_lacks(text, "● 10.0.0.2:6379  priority");
	assert_true(strstr(text, "is no replica") > strstr(text, "Replicas, in the order of choice"));
	assert_has(line_with(text, "→ 10.0.0.3:6379"), "the candidate");
	free(text);
	model_free(w.m);
}

/* Right after +switch-master of one of them: said as such, and nothing is red. */
static void test_switching_is_said(void **state)
{
	struct world w = agreeing_world();
	struct sentinel_message msg = {0};
	struct observation o = observe(&w, ASK_MESSAGE, id_of(&w, "10.0.0.9", 26380));
	char *text;

	(void)state;
	snprintf(msg.channel, sizeof(msg.channel), "+switch-master");
	snprintf(msg.master_name, sizeof(msg.master_name), "mymaster");
	msg.master = at_host("10.0.0.1", 6379);
	msg.new_master = at_host("10.0.0.2", 6379);
	o.u.message = &msg;
	model_apply(w.m, &o);
	w.now += 500;
	model_tick(w.m, w.now, WALL);
	text = draw_fresh(&agreement_view, &w, "", 24, 80);
	assert_has(text, " switching for ");
	assert_lacks(text, "stands alone");
	assert_lacks(text, "SPLIT");
	free(text);
	w.now += 4000; /* two hellos later it is what it looks like */
	model_tick(w.m, w.now, WALL);
	text = draw_fresh(&agreement_view, &w, "", 24, 80);
	assert_lacks(text, "switching");
	assert_has(text, "SPLIT BRAIN");
	free(text);
	model_free(w.m);
}

/* One verdict in the same words wherever it is said. */
static void test_running_is_one_verdict(void **state)
{
	struct world w = agreeing_world();
	struct view_context c;
	struct verdict verdict;
	char *text;

	(void)state;
	shown_message(&w, 0, "+try-failover");
	w.now += 1200;
	model_tick(w.m, w.now, WALL);
	text = draw_fresh(&agreement_view, &w, "", 24, 80);
	assert_has(text, "failover running: electing a leader 1.2 s");
	assert_lacks(text, "cannot fail over");
	free(text);
	text = draw_fresh(&topology_view, &w, "", 24, 80);
	assert_has(line_with(text, "mymaster"), "failover running");
	free(text);
	c = context(&w);
	health_deployment(w.m, model_deployment(w.m, c.deployment_id), w.now, &verdict);
	assert_has(verdict.text, "failover running");
	model_free(w.m);
}

/* Cut where 80 columns end, the reason still says what is the matter; the details are elsewhere. */
static void test_sentinels_differ(void **state)
{
	struct world w = agreeing_world();
	struct sentinel_instance items[2];
	struct view *v;
	struct view_context c;
	char *text;

	(void)state;
	items[0] = shown_instance("10.0.0.2", "10.0.0.2", 6379, SFLAG_SLAVE);
	items[1] = shown_instance("10.0.0.3", "10.0.0.3", 6379, SFLAG_SLAVE | SFLAG_S_DOWN);
	for (int i = 0; i < 2; i++) {
		items[i].master = at_host("10.0.0.1", 6379);
		items[i].priority = 100;
	}
	listed(&w, ASK_SENTINEL_REPLICAS, id_of(&w, "10.0.0.9", 26380), "mymaster", items, 2);
	for (int width = 44; width <= 80; width += 36) {
		text = draw_fresh(&topology_view, &w, "", 24, width);
		assert_has(text, "Sentinels differ on whom to promote");
		free(text);
	}
	text = draw_fresh(&agreement_view, &w, "", 40, 80);
	assert_has(text, "next: the Sentinels differ on whom to promote");
	assert_has(text, "10.0.0.9:26380 would take 10.0.0.2:6379");
	free(text);
	v = view_new(&node_view);
	c = context(&w);
	c.node_id = id_of(&w, "10.0.0.3", 6379);
	text = draw_view(v, &c, 60, 160, false);
	assert_has(text, "2 of 3 Sentinels would take it");
	assert_has(text, "1 of 3 pass it over: held for down");
	free(text);
	view_free(v);
	model_free(w.m);
}

static void test_a_setting_is_no_split(void **state)
{
	struct world w = agreeing_world();
	char *text;

	(void)state;
	says_otherwise(&w, 2, "10.0.0.1", 3);
	text = draw_fresh(&agreement_view, &w, "", 24, 80);
	assert_lacks(text, "SPLIT");
	assert_has(text, "10.0.0.9:26381 stands alone for");
	assert_has(text, "quorum 3 (most say 2)");
	assert_has(text, "≠3");
	free(text);
	model_free(w.m);
}

static void test_silent_ones_are_old(void **state)
{
	struct world w = agreeing_world();
	char *text;

	(void)state;
	for (int s = 1; s < 3; s++)
		link_state(&w, id_of(&w, "10.0.0.9", 26379 + s), LINK_SILENT, "no reply");
	ckquorum(&w, false, "NOQUORUM 1 usable Sentinels. Not enough available Sentinels");
	w.now += 12000;
	model_tick(w.m, w.now, WALL);
	text = draw_fresh(&agreement_view, &w, "", 24, 80);
	assert_has(text, "by hand only: 1 of 3 Sentinels");
	assert_has(text, "10.0.0.9:26380 silent: its word is");
	assert_has(text, "1 of 3 Sentinels answers");
	free(text);
	text = draw_fresh(&topology_view, &w, "", 24, 80);
	assert_has(line_with(text, "mymaster"), "failover by hand only");
	assert_has(text, "1 of 3 Sentinels");
	free(text);
	model_free(w.m);
}

static void test_head_of_the_tree(void **state)
{
	struct world w = agreeing_world();
	char *text;

	(void)state;
	text = draw_fresh(&topology_view, &w, "", 20, 80);
	assert_has(line_with(text, "mymaster"),
		   "quorum 2 of 3  ckquorum ok  failover ok: 10.0.0.3:6379 next");
	assert_has(line_with(text, "─● 10.0.0.3:6379"), "up, candidate");
	assert_lacks(line_with(text, "─● 10.0.0.4:6379"), "candidate");
	free(text);
	/* As narrow as on the dashboard of 80 columns. */
	text = draw_fresh(&topology_view, &w, "", 12, 44);
	assert_has(line_with(text, "mymaster"), "failover ok: 10.0.0.3:6379");
	free(text);
	model_free(w.m);
}

static void keys(struct view *v, const struct view_context *c, enum command cmd, int times)
{
	for (int i = 0; i < times; i++)
		v->ops->act(v, c, cmd);
	if (v->stale)
		v->ops->rebuild(v, c);
}

static void test_a_sentinels_whole_word(void **state)
{
	struct world w = agreeing_world();
	struct view_context c = context(&w);
	struct view *v = view_new(&agreement_view);
	struct selection s = {0};
	char *text;

	(void)state;
	free(draw_view(v, &c, 24, 80, false));
	keys(v, &c, CMD_DOWN, 6); /* into the table, whose columns are Sentinels here */
	keys(v, &c, CMD_RIGHT, 1);
	v->ops->selection(v, &s);
	assert_int_equal(s.node_id, id_of(&w, "10.0.0.9", 26380));
	assert_int_not_equal(s.group_id, 0);
	assert_true(v->ops->act(v, &c, CMD_ENTER) & EFFECT_REDRAW);
	text = draw_view(v, &c, 40, 80, false);
	assert_has(text, "10.0.0.9:26380 on mymaster");
	assert_has(text, "Replicas that it lists: 3");
	assert_has(text, "would promote     10.0.0.3:6379");
	free(text);
	assert_true(v->ops->act(v, &c, CMD_BACK) & EFFECT_REDRAW);
	text = draw_view(v, &c, 24, 80, false);
	assert_has(text, "failover ok");
	free(text);
	view_free(v);
	model_free(w.m);
}

/* What appears above the selected row must be seen by who looks at the top. */
static void test_news_come_first(void **state)
{
	struct world w = agreeing_world();
	struct view_context c = context(&w);
	struct view *v = view_new(&agreement_view);
	char *text;

	(void)state;
	free(draw_view(v, &c, 20, 80, false));
	keys(v, &c, CMD_DOWN, 2);
	says_otherwise(&w, 1, "10.0.0.2", 2);
	c = context(&w);
	v->stale = true;
	text = draw_view(v, &c, 20, 80, false);
	assert_has(text, "SPLIT BRAIN");
	free(text);
	view_free(v);
	model_free(w.m);
}

static void test_filter(void **state)
{
	struct world w = agreeing_world();
	char *text;

	(void)state;
	text = draw_fresh(&agreement_view, &w, "quorum", 24, 80);
	assert_has(text, "quorum ");
	assert_lacks(text, "parallel-syncs");
	free(text);
	text = draw_fresh(&agreement_view, &w, "no such thing", 24, 80);
	assert_has(text, "nothing matches the filter");
	free(text);
	model_free(w.m);
}

static void one_says(struct world *w, int node, struct cluster_info_facts facts)
{
	struct observation o = observe(w, ASK_CLUSTER_INFO, id_of(w, "127.0.0.1", 7000 + node));

	o.u.cluster_info = &facts;
	model_apply(w->m, &o);
	w->now += 1000;
	model_tick(w->m, w->now, WALL);
}

static void test_cluster(void **state)
{
	struct world w = shown_cluster("master", " 5461-10922", true);
	char *text;

	(void)state;
	text = draw_fresh(&agreement_view, &w, "", 24, 80);
	assert_has(text, "all 6 nodes agree");
	assert_lacks(text, "≠");
	assert_has(text, "Can each shard fail over?");
	free(text);
	one_says(&w, 4, (struct cluster_info_facts){false, 16384, 10923, 0, 5461, 6, 3, 5, 5});
	text = draw_fresh(&agreement_view, &w, "", 30, 100);
	assert_has(text, "1 of 6 nodes that answer stand alone");
	assert_has(text, "127.0.0.1:7004 says state fail, most say ok");
	assert_has(text, "127.0.0.1:7004 says epoch 5, most say 6");
	assert_has(text, "≠fail");
	free(text);
	one_says(&w, 4, (struct cluster_info_facts){true, 16384, 16384, 0, 0, 6, 3, 6, 6});
	text = draw_fresh(&agreement_view, &w, "", 24, 80);
	assert_has(text, "all 6 nodes agree");
	free(text);
	model_free(w.m);
}

static void test_every_size(void **state)
{
	struct world w = agreeing_world(), cl = shown_cluster("master", " 5461-10922", true);
	struct world empty = {model_new(10), T0, 0};

	(void)state;
	says_otherwise(&w, 1, "10.0.0.2", 3);
	for (size_t i = 0; i < SIZES; i++)
		for (int ascii = 0; ascii < 2; ascii++) {
			const struct world *worlds[] = {&w, &cl, &empty};

			for (size_t k = 0; k < 3; k++) {
				struct view_context c = context(worlds[k]);
				struct view *v = view_new(&agreement_view);
				char *text = draw_view(v, &c, sizes[i][0], sizes[i][1], ascii);

				if (ascii)
					for (const char *s = text; *s; s++)
						assert_true((unsigned char)*s < 0x80);
				free(text);
				/* Another size, and every line of it. */
				free(draw_view(v, &c, 24, 100, ascii));
				keys(v, &c, CMD_BOTTOM, 1);
				free(draw_view(v, &c, sizes[i][0], sizes[i][1], ascii));
				keys(v, &c, CMD_RIGHT, 30);
				keys(v, &c, CMD_ENTER, 1);
				free(draw_view(v, &c, sizes[i][0], sizes[i][1], ascii));
				keys(v, &c, CMD_LEFT, 30);
				view_free(v);
			}
		}
	model_free(w.m);
	model_free(cl.m);
	model_free(empty.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_agree),
	    cmocka_unit_test(test_split_brain_comes_first),
	    cmocka_unit_test(test_second_master_is_no_replica),
	    cmocka_unit_test(test_switching_is_said),
	    cmocka_unit_test(test_running_is_one_verdict),
	    cmocka_unit_test(test_sentinels_differ),
	    cmocka_unit_test(test_a_setting_is_no_split),
	    cmocka_unit_test(test_silent_ones_are_old),
	    cmocka_unit_test(test_head_of_the_tree),
	    cmocka_unit_test(test_a_sentinels_whole_word),
	    cmocka_unit_test(test_news_come_first),
	    cmocka_unit_test(test_filter),
	    cmocka_unit_test(test_cluster),
	    cmocka_unit_test(test_every_size),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
