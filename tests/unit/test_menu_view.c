/* The menu of actions as it is drawn: every entry with its command, why not in words, on any size. */
#include "config.h"

#include "model/menu.h"
#include "worlds.h"

static struct menu eleven(void)
{
	struct menu m = { .count = 11 };
	snprintf(m.title, sizeof(m.title), "Actions  mymaster");
	for (size_t i = 0; i < m.count; i++) {
		struct menu_entry *e = &m.entries[i];
		*e = (struct menu_entry){ .name = "act", .label = "An action", .help = "what it is for" };
		snprintf(e->command, sizeof(e->command), "COMMAND %c", 'A' + (int)i);
		snprintf(e->target, sizeof(e->target), "127.0.0.1:2637%zu", i % 10);
	}
	snprintf(m.entries[4].blocked, sizeof(m.entries[4].blocked),
		 "only 2 Sentinels answer: while one is blind fewer than 2 would know the master's set; 3 must "
		 "answer, and this goes on to be longer than any line of a small screen");
	return m;
}

static char *draw(struct menu *m, int rows, int width)
{
	struct screen *s = open_screen(rows, width, true);
	struct pane p = pane_whole(s);
	struct buf out = BUF_INIT;
	menu_draw(&p, m);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	screen_close(s);
	return out.data;
}

static void all_entries(void **state)
{
	struct menu m = eleven();
	char *text = draw(&m, 24, 80);
	(void)state;
	for (size_t i = 0; i < m.count; i++)
		assert_has(text, m.entries[i].command);
	assert_has(text, "Actions  mymaster");
	assert_has(text, "> An action");
	assert_has(text, "Goes to 127.0.0.1:26370");
	assert_has(text, "what it is for");
	assert_has(text, "nothing is sent yet");
	/* Without colour too. */
	assert_has(text, "COMMAND E  (not now");
	free(text);
}

static void whole_reason(void **state)
{
	struct menu m = eleven();
	m.selected = 4;
	char *text = draw(&m, 24, 80);
	(void)state;
	assert_has(text, "Not now: only 2 Sentinels answer");
	assert_has(text, "of a small screen");
	assert_null(strstr(text, "Goes to"));
	free(text);
}

/* The selected one is in view wherever it is. */
static void any_size(void **state)
{
	(void)state;
	for (int rows = 1; rows <= 30; rows++) {
		for (int width = 1; width <= 130; width += width < 20 ? 1 : 13) {
			struct menu m = eleven();
			for (size_t i = 0; i < m.count; i++) {
				m.selected = i;
				char *text = draw(&m, rows, width);
				if (width >= 60)
					assert_has(text, m.entries[i].command);
				free(text);
			}
		}
	}
	struct menu none = { .count = 0 };
	free(draw(&none, 24, 80));
}

/* The command wrapped over lines must come out as it is. */
static void whole_command(void **state)
{
	(void)state;
	for (int rows = 8; rows <= 24; rows += 2) {
		struct menu m = eleven();
		for (size_t i = 0; i < m.count; i++) {
			m.entries[i].label = "Set the failover-timeout";
			snprintf(m.entries[i].command, sizeof(m.entries[i].command),
				 "SENTINEL SET mymaster-%zu failover-timeout 180000", i);
		}
		for (m.selected = 0; m.selected < m.count; m.selected++) {
			char *text = draw(&m, rows, 40), tail[60];
			snprintf(tail, sizeof(tail), "SENTINEL SET mymaster-%zu", m.selected);
			assert_has(text, tail);
			assert_has(text, "failover-timeout 180000");
			free(text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_entries),
		cmocka_unit_test(whole_reason),
		cmocka_unit_test(any_size),
		cmocka_unit_test(whole_command),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
