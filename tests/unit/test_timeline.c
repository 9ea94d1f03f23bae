/* The time line of a replay: marks, where one is, clicks, and what is left of it on small screens. */
#include "config.h"

#include "views/timeline.h"
#include "worlds.h"

#define HOUR_MS 3600000

static const struct timeline_mark marks[] = {
    {0, SEVERITY_INFO, false},
    {HOUR_MS / 4, SEVERITY_WARNING, false},
    {HOUR_MS / 4 + 1, SEVERITY_CRITICAL, false}, /* the same cell */
    {HOUR_MS / 4 + 2, SEVERITY_NOTICE, false},
    {HOUR_MS / 2, SEVERITY_CRITICAL, false},
    {HOUR_MS / 2 + 1000, SEVERITY_WARNING, true}, /* the same cell */
    {HOUR_MS / 4 * 3, SEVERITY_NOTICE, false},
    {HOUR_MS, SEVERITY_WARNING, false},
};

static struct timeline an_hour(void)
{
	return (struct timeline){.end_ms = HOUR_MS,
				 .now_ms = HOUR_MS / 10,
				 .end_wall_ms = HOUR_MS,
				 .now_wall_ms = HOUR_MS / 10,
				 .speed = 1,
				 .damage = "",
				 .marks = marks,
				 .mark_count = sizeof(marks) / sizeof(marks[0]),
				 .failovers = 1};
}

static struct view_context context_of(const struct world *w, const struct timeline *t)
{
	struct view_context c = context(w);

	c.replay = true;
	c.timeline = t;
	return c;
}

/* Drawn on a screen of its own; roles: those of the first row, as characters from 'A' on, or NULL. */
static char *draw(const struct view_context *c, int rows, int width, bool ascii, char *roles)
{
	struct screen *s = open_screen(rows, width, ascii);
	struct pane p = pane_whole(s);
	struct buf out = BUF_INIT;

	timeline_draw(&p, c);
	for (int x = 0; roles && x < width; x++)
		roles[x] = (char)('A' + screen_role_at(s, 0, x));
	screen_frame_end(s);
	screen_dump(s, &out, false);
	screen_close(s);
	dumped("time line", buf_str(&out));
	return out.data;
}

static void test_marks(void **state)
{
	struct world w = shown_set();
	struct timeline t = an_hour();
	struct view_context c = context_of(&w, &t);
	char *text, roles[60];

	(void)state;
	/* 40 cells for the strip: an hour's quarters stand 10 apart. */
	text = draw(&c, 2, 60, true, roles);
	assert_memory_equal(text + 10, ".===|-----X---------F---------o--------!", 40);
	assert_int_equal(roles[10 + 10], 'A' + STYLE_CRITICAL);
	assert_int_equal(roles[10 + 20], 'A' + STYLE_CRITICAL);
	assert_int_equal(roles[10 + 39], 'A' + STYLE_WARNING);
	assert_int_equal(roles[10 + 4], 'A' + STYLE_SELECTED);
	free(text);
	text = draw(&c, 2, 60, false, NULL);
	assert_has(text, "·━━━┃─────✖─────────F─────────•────────◐");
	free(text);
	model_free(w.m);
}

static void test_clicks(void **state)
{
	struct timeline t = an_hour();

	(void)state;
	assert_int_equal(timeline_moment(&t, 10, 40), HOUR_MS / 4 + 1);    /* the worst of its cell */
	assert_int_equal(timeline_moment(&t, 20, 40), HOUR_MS / 2 + 1000); /* a failover before all */
	assert_int_equal(timeline_moment(&t, 5, 40), HOUR_MS / 8);         /* the moment itself */
	assert_int_equal(timeline_moment(&t, 39, 40), HOUR_MS);
	t.mark_count = 0;
	assert_int_equal(timeline_moment(&t, 0, 40), 0);
	assert_int_equal(timeline_moment(&t, 39, 40), HOUR_MS);
	assert_int_equal(timeline_moment(&t, 0, 1), 0);
	t.end_ms = 0; /* a recording of a moment */
	assert_int_equal(timeline_moment(&t, 7, 40), 0);
}

static void test_states(void **state)
{
	static const struct {
		enum timeline_state state;
		double speed;
		const char *word;
	} cases[] = {
	    {TIMELINE_PLAYING, 1, " PLAYING 1x   "},  {TIMELINE_PLAYING, 0.25, " PLAYING 1/4x "},
	    {TIMELINE_PLAYING, 64, " PLAYING 64x  "}, {TIMELINE_PAUSED, 1, " PAUSED       "},
	    {TIMELINE_PAUSED, 0.5, " PAUSED 1/2x  "}, {TIMELINE_JUMPING, 1, " JUMPING      "},
	    {TIMELINE_END, 1, " END          "},
	};
	struct world w = shown_set();
	struct timeline t = an_hour();
	struct view_context c = context_of(&w, &t);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text;

		t.state = cases[i].state;
		t.speed = cases[i].speed;
		text = draw(&c, 1, 60, false, NULL);
		assert_memory_equal(text, cases[i].word, strlen(cases[i].word));
		free(text);
		text = draw(&c, 2, 80, false, NULL);
		assert_has(text, cases[i].word);
		assert_has(text, "1 failover");
		free(text);
	}
	model_free(w.m);
}

static void test_event_at_hand(void **state)
{
	struct world w = shown_set();
	struct timeline t = an_hour();
	struct view_context c = context_of(&w, &t);
	char *text;

	(void)state;
	kill_master(&w);
	c.model = w.m;
	t.now_ms = w.now + 7000;
	text = draw(&c, 2, 120, false, NULL);
	assert_has(text, "+selected-slave mymaster  8 s ago"); /* the worst of the last millisecond's */
	assert_has(text, "8 events");
	free(text);
	model_free(w.m);
}

static void test_damage(void **state)
{
	struct world w = shown_set();
	struct timeline t = an_hour();
	struct view_context c = context_of(&w, &t);
	char *text;

	(void)state;
	t.damage = "cut short at 12:31:07, 3.2 MB in: plays up to there";
	for (int width = 34; width <= 200; width++) {
		text = draw(&c, 2, width, true, NULL);
		assert_has(text, " cut\n");
		free(text);
		text = draw(&c, 1, width, true, NULL);
		if (width >= 36) /* the strip is worth more */
			assert_has(text, " cut\n");
		free(text);
	}
	/* At its end it is the answer to why there is no more. */
	t.state = TIMELINE_END;
	t.now_ms = t.end_ms;
	text = draw(&c, 2, 80, false, NULL);
	assert_has(text, "cut short at 12:31:07, 3.2 MB in");
	free(text);
	t.damage = "damaged at 12:31:07, 3.2 MB in: plays up to there";
	text = draw(&c, 2, 160, false, NULL);
	assert_has(text, " damaged\n");
	assert_has(text, "plays up to there");
	assert_has(text, "8 events");
	free(text);
	model_free(w.m);
}

static void test_any_size(void **state)
{
	struct world w = shown_set();
	struct timeline t = an_hour();
	struct view_context c = context_of(&w, &t);

	(void)state;
	t.damage = "not closed: ends at 12:31:07, 3.2 MB in: plays up to there";
	for (int rows = 1; rows <= 2; rows++)
		for (int width = 1; width < 130; width++)
			free(draw(&c, rows, width, width % 2 == 0, NULL));
	assert_int_equal(timeline_height(60), 2);
	assert_int_equal(timeline_height(22), 2);
	assert_int_equal(timeline_height(10), 1);
	assert_int_equal(timeline_height(5), 0);
	t.end_ms = t.now_ms = t.end_wall_ms = 0;
	t.mark_count = 0;
	free(draw(&c, 2, 80, false, NULL));
	model_free(w.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marks),	      cmocka_unit_test(test_clicks),
		cmocka_unit_test(test_states),	      cmocka_unit_test(test_event_at_hand),
		cmocka_unit_test(test_damage),	      cmocka_unit_test(test_any_size),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
