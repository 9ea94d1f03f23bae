/* The fleet: all deployments, the worst first. */
#include "config.h"

#include "worlds.h"

/* A plain set of one master and one replica, named by the master's address. */
static void plain_set(struct world *w, int n)
{
	char host[32], replica[160];

	snprintf(host, sizeof(host), "10.%d.%d.1", 1 + n / 200, n % 200);
	target_host(w, host, 6379);
	link_state(w, id_of(w, host, 6379), LINK_UP, NULL);
	snprintf(replica, sizeof(replica),
		 "slave0:ip=10.%d.%d.2,port=6379,state=online,offset=4999,lag=0\r\n", 1 + n / 200,
		 n % 200);
	shown_master(w, id_of(w, host, 6379), "standalone", 1000 + n, 5000, replica);
}

static struct world plain_world(int count)
{
	struct world w = world_new();

	for (int i = 0; i < count; i++)
		plain_set(&w, i);
	return w;
}

static void lose(struct world *w, int n)
{
	char host[32];

	snprintf(host, sizeof(host), "10.%d.%d.1", 1 + n / 200, n % 200);
	link_state(w, id_of(w, host, 6379), LINK_LOST, "connection closed by the server");
}

static uint32_t deployment_of(struct world *w, int n)
{
	char host[32];

	snprintf(host, sizeof(host), "10.%d.%d.1", 1 + n / 200, n % 200);
	return model_node(w->m, id_of(w, host, 6379))->deployment_id;
}

static struct view_settings settings_of(const void *owner, uint32_t deployment_id)
{
	const uint32_t *guarded = owner;
	bool is = deployment_id == *guarded;

	return (struct view_settings){.label = is ? "PROD" : NULL, .read_only = is};
}

static struct view *fleet_new(const struct view_context *c)
{
	struct view *v = view_new(&fleet_view);

	v->ops->rebuild(v, c);
	return v;
}

static uint32_t selected_in(const struct view *v)
{
	struct selection s = {0, 0, 0};

	v->ops->selection(v, &s);
	return s.deployment_id;
}

static void test_every_size(void **state)
{
	static const int counts[] = {0, 1, 3, 256};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct world w = plain_world(counts[i]);
		struct view_context c;
		struct view *v;

		if (counts[i] > 1)
			lose(&w, 1);
		c = context(&w);
		v = fleet_new(&c);
		assert_int_equal(v->list.count, counts[i]);
		for (size_t k = 0; k < SIZES; k++)
			for (int ascii = 0; ascii < 2; ascii++)
				free(draw_view(v, &c, sizes[k][0], sizes[k][1], ascii));
		view_free(v);
		model_free(w.m);
	}
}

/* Health, then who is in trouble for longest, then the name. */
static void test_worst_first(void **state)
{
	struct world w = plain_world(4);
	struct view_context c;
	struct view *v;
	char *text;

	(void)state;
	lose(&w, 2);
	w.now += 7000;
	lose(&w, 1);
	w.now += 4000;
	c = context(&w);
	v = fleet_new(&c);
	assert_int_equal(v->list.ids[0], deployment_of(&w, 2));
	assert_int_equal(v->list.ids[1], deployment_of(&w, 1));
	assert_int_equal(v->list.ids[2], deployment_of(&w, 0));
	assert_int_equal(v->list.ids[3], deployment_of(&w, 3));
	text = draw_view(v, &c, 24, 160, false);
	assert_has(line_with(text, "10.1.2.1:6379"), "CRITICAL");
	assert_has(line_with(text, "10.1.2.1:6379"), "11 s");
	assert_has(line_with(text, "10.1.2.1:6379"), "master 10.1.2.1:6379 link lost");
	assert_has(line_with(text, "10.1.2.1:6379"), "0/1");
	assert_has(line_with(text, "10.1.1.1:6379"), "4 s");
	assert_has(line_with(text, "10.1.0.1:6379"), "1/1");
	free(text);
	/* Narrower, what is the matter has a line of its own. */
	text = draw_view(v, &c, 24, 80, false);
	assert_has(line_with(text, "CRITICAL 10.1.2.1:6379"), "0/1");
	assert_has(strstr(text, "CRITICAL 10.1.2.1:6379"), "master 10.1.2.1:6379 link lost 11 s");
	assert_lacks(line_with(text, "CRITICAL 10.1.2.1:6379"), "link lost");
	free(text);
	/* And on a small screen it stands below the rows. */
	text = draw_view(v, &c, 8, 40, false);
	assert_has(text, "lost 11 s: connection closed");
	free(text);
	view_free(v);
	model_free(w.m);
}

/* Servers count whole seconds: rows must not trade places for that. */
static void test_rows_hold_still(void **state)
{
	struct world w = plain_world(2);
	struct view_context c;
	struct view *v;
	uint32_t first;

	(void)state;
	lose(&w, 0);
	w.now += 500;
	lose(&w, 1);
	w.now += 1000;
	c = context(&w);
	v = fleet_new(&c);
	first = (uint32_t)v->list.ids[0];
	assert_int_equal(first, deployment_of(&w, 0));
	/* It answers and is gone again: a second later than the other, which is no news. */
	w.now += 200;
	link_state(&w, id_of(&w, "10.1.0.1", 6379), LINK_UP, NULL);
	lose(&w, 0);
	c = context(&w);
	v->ops->rebuild(v, &c);
	assert_int_equal(v->list.ids[0], first);
	view_free(v);
	model_free(w.m);
}

static void test_selection_stays(void **state)
{
	struct world w = plain_world(5);
	struct view_context c = context(&w);
	struct view *v = fleet_new(&c);
	uint32_t chosen;

	(void)state;
	v->ops->act(v, &c, CMD_BOTTOM);
	chosen = selected_in(v);
	assert_int_equal(chosen, deployment_of(&w, 4));
	lose(&w, 4); /* it rises to the top */
	c = context(&w);
	v->ops->rebuild(v, &c);
	assert_int_equal(v->list.ids[0], chosen);
	assert_int_equal(selected_in(v), chosen);
	v->ops->act(v, &c, CMD_SORT_NEXT);
	assert_int_equal(selected_in(v), chosen);
	assert_int_equal(v->ops->act(v, &c, CMD_ENTER), EFFECT_OPEN_DEPLOYMENT);
	view_free(v);
	model_free(w.m);
}

static void test_sort_and_filter(void **state)
{
	struct world w = plain_world(12);
	struct view_context c;
	struct view *v;
	char *text;

	(void)state;
	lose(&w, 7);
	c = context(&w);
	v = fleet_new(&c);
	assert_true(v->ops->sort(v, "name"));
	assert_int_equal(v->list.ids[0], deployment_of(&w, 0));
	assert_int_equal(v->list.ids[11], deployment_of(&w, 11)); /* 2 before 11 */
	assert_true(v->ops->sort(v, "name")); /* again: the other way round */
	assert_int_equal(v->list.ids[0], deployment_of(&w, 11));
	assert_false(v->ops->sort(v, "colour"));
	for (size_t i = 0; v->ops->columns[i]; i++)
		assert_true(v->ops->sort(v, v->ops->columns[i]));
	view_set_filter(v, "critical");
	v->ops->rebuild(v, &c);
	assert_int_equal(v->list.count, 1);
	assert_int_equal(selected_in(v), deployment_of(&w, 7));
	view_set_filter(v, "no such thing");
	v->ops->rebuild(v, &c);
	assert_int_equal(v->list.count, 0);
	text = draw_view(v, &c, 10, 40, false);
	assert_has(text, "nothing matches the filter");
	free(text);
	assert_int_equal(v->ops->act(v, &c, CMD_ENTER), EFFECT_DONE);
	assert_int_equal(v->ops->act(v, &c, CMD_BACK), EFFECT_REDRAW);
	view_free(v);
	model_free(w.m);
}

/* Which one must not be touched is seen without opening it. */
static void test_settings_are_marked(void **state)
{
	struct world w = plain_world(3);
	struct view_context c = context(&w);
	uint32_t guarded = deployment_of(&w, 1);
	struct view *v;
	char *text;

	(void)state;
	c.settings = settings_of;
	c.settings_owner = &guarded;
	v = fleet_new(&c);
	for (int width = 40; width <= 200; width += 40) {
		text = draw_view(v, &c, 12, width, false);
		assert_has(line_with(text, "10.1.1.1"), " RO ");
		if (width >= 80)
			assert_has(line_with(text, "10.1.1.1"), "PROD");
		assert_lacks(line_with(text, "10.1.0.1"), " RO ");
		free(text);
	}
	view_set_filter(v, "read-only");
	v->ops->rebuild(v, &c);
	assert_int_equal(v->list.count, 1);
	view_free(v);
	model_free(w.m);
}

/* A Sentinel deployment and a cluster beside it; then a failover runs. */
static void test_kinds(void **state)
{
	struct world s = shown_set(), cl = shown_cluster("master,fail", " 5461-10922", false);
	char *text = draw_fresh(&fleet_view, &s, "", 12, 160);

	(void)state;
	assert_has(line_with(text, "mymaster"), "sentinel");
	assert_has(line_with(text, "mymaster"), "3/3 watch");
	assert_has(line_with(text, "mymaster"), "4/4");
	assert_has(line_with(text, "mymaster"), "584 kB");
	free(text);
	kill_master(&s);
	text = draw_fresh(&fleet_view, &s, "", 12, 160);
	assert_has(line_with(text, "mymaster"), "failover: waiting for promotion 1.2 s");
	assert_has(line_with(text, "mymaster"), "0/1");
	assert_has(line_with(text, "mymaster"), "3/4");
	assert_has(line_with(text, "mymaster"), "<1 m");
	free(text);
	/* What the line has no room for stands below, in full. */
	text = draw_fresh(&fleet_view, &s, "", 12, 60);
	assert_has(text, "objectively down");
	assert_has(text, "3/3 Sentinels");
	free(text);
	text = draw_fresh(&fleet_view, &cl, "", 12, 160);
	assert_has(line_with(text, "cluster 127.0.0.1:7000"), "2/3");
	assert_has(line_with(text, "cluster 127.0.0.1:7000"), "5/6");
	assert_has(line_with(text, "cluster 127.0.0.1:7000"), "10923 slots"); /* 2 have no owner */
	assert_has(line_with(text, "cluster 127.0.0.1:7000"), "cluster down");
	free(text);
	model_free(s.m);
	model_free(cl.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_size),	cmocka_unit_test(test_worst_first),
	    cmocka_unit_test(test_rows_hold_still), cmocka_unit_test(test_selection_stays),
	    cmocka_unit_test(test_sort_and_filter), cmocka_unit_test(test_settings_are_marked),
	    cmocka_unit_test(test_kinds),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
