/* News: what becomes critical under our eyes, once, and no more than one thing in ten seconds. */
#include "config.h"

#include "app/attention.h"
#include "observe.h"

struct scene {
	struct world w;
	struct attention a;
	struct attention_news news;
};

static struct scene scene_new(void)
{
	return (struct scene){ .w = sentinel_world() };
}

static void scene_end(struct scene *s)
{
	attention_done(&s->a);
	world_end(&s->w);
}

/* What is heard when one looks after so long. */
static const char *after(struct scene *s, int64_t ms)
{
	s->w.now += ms;
	attention_look(&s->a, s->w.m, s->w.now, &s->news);
	return s->news.text;
}

static void master_lost(struct scene *s)
{
	link_lost(&s->w, 21001);
}

static void master_back(struct scene *s)
{
	link_up(&s->w, 21001);
}

static void test_title(void **state)
{
	struct scene s = scene_new();

	(void)state;
	after(&s, 0);
	assert_string_equal(s.news.title, "redoubt: ok mymaster");
	master_lost(&s);
	after(&s, 1000);
	assert_string_equal(s.news.title, "redoubt: CRITICAL mymaster master 127.0.0.1:21001 link lost");
	/* the same words a second later: a title is not a clock */
	after(&s, 1000);
	assert_string_equal(s.news.title, "redoubt: CRITICAL mymaster master 127.0.0.1:21001 link lost");
	scene_end(&s);
}

static void test_no_deployment(void **state)
{
	struct scene s = { .w = world_new() };

	(void)state;
	assert_string_equal(after(&s, 0), "");
	assert_string_equal(s.news.title, "redoubt");
	scene_end(&s);
}

static void test_new_critical_is_told_once(void **state)
{
	struct scene s = scene_new();

	(void)state;
	assert_string_equal(after(&s, 0), "");
	assert_string_equal(after(&s, 6000), "");
	master_lost(&s);
	assert_string_equal(after(&s, 500), "mymaster master 127.0.0.1:21001 link lost");
	for (int i = 0; i < 200; i++)
		assert_string_equal(after(&s, 1000), "");
	scene_end(&s);
}

static void test_silent_at_the_start(void **state)
{
	struct scene s = scene_new();

	(void)state;
	master_lost(&s);
	for (int i = 0; i < 100; i++)
		assert_string_equal(after(&s, 1000), "");
	/* well, and then critical again: that is news */
	master_back(&s);
	assert_string_equal(after(&s, 1000), "");
	master_lost(&s);
	assert_string_not_equal(after(&s, 1000), "");
	scene_end(&s);
}

/* While a deployment is pieced together it may look well, then wrong. */
static void test_grace(void **state)
{
	struct scene s = scene_new();

	(void)state;
	assert_string_equal(after(&s, 0), "");
	assert_string_equal(after(&s, 2000), "");
	master_lost(&s);
	assert_string_equal(after(&s, 100), "");
	assert_string_equal(after(&s, 60000), "");
	scene_end(&s);
}

static void test_flapping(void **state)
{
	struct scene s = scene_new();
	int told = 0;

	(void)state;
	after(&s, 0);
	after(&s, 6000);
	for (int second = 0; second < 120; second++) {
		if (second % 4 == 0)
			master_lost(&s);
		if (second % 4 == 2)
			master_back(&s);
		told += after(&s, 1000)[0] != '\0';
	}
	assert_in_range(told, 1, 2);
	scene_end(&s);
}

/* Not forgotten when it has to wait: told when its turn comes, if it is still so. */
static void test_two_at_once(void **state)
{
	struct scene s = scene_new();
	uint32_t alone = target(&s.w, 21050);
	char first[ATTENTION_BYTES];

	(void)state;
	link_state(&s.w, alone, LINK_UP, NULL);
	infof(&s.w, alone, "# Server\r\nrun_id:%040d\r\n# Replication\r\nrole:master\r\nconnected_slaves:0\r\n",
	      50);
	after(&s, 0);
	assert_int_equal(s.a.count, 4); /* two groups in two deployments */
	assert_string_equal(after(&s, 6000), "");
	assert_string_equal(s.news.title, "redoubt: ok");
	master_lost(&s);
	link_state(&s.w, alone, LINK_LOST, "gone");
	memcpy(first, after(&s, 1000), sizeof(first));
	assert_string_not_equal(first, "");
	assert_string_equal(after(&s, 1000), "");
	assert_string_not_equal(after(&s, 9000), "");
	assert_string_not_equal(s.news.text, first);
	assert_string_equal(after(&s, 20000), "");
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_title),
		cmocka_unit_test(test_no_deployment),
		cmocka_unit_test(test_new_critical_is_told_once),
		cmocka_unit_test(test_silent_at_the_start),
		cmocka_unit_test(test_grace),
		cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_two_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
