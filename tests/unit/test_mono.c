/* State is never told by colour alone: without colours, in UTF-8 and in ASCII, each state has words
 * and a glyph of its own in every view. */
#include "config.h"

#include "worlds.h"

#include "tui/screen_private.h"

#define HEIGHT 40
#define WIDTH  120
#define CASES_MAX 8

static const struct view_ops *const sentinel_views[] = { &topology_view, &replication_view, &nodes_view,
							 &fleet_view };
/* The first two tell of slots; to the others a node that does not answer is down, whoever says so. */
static const struct view_ops *const cluster_views[] = { &slots_view, &fleet_view, &topology_view,
							&nodes_view };

static struct screen *open_mono(bool ascii)
{
	static struct theme theme;
	struct buf err = BUF_INIT;
	struct screen_options opt = { .theme = &theme, .ascii = ascii, .no_color = true,
				      .headless = true, .width = WIDTH, .height = HEIGHT };
	struct screen *s;

	assert_true(theme_load(&theme, "mono", &err));
	s = screen_open(&opt, &err);
	if (!s)
		fail_msg("%s", buf_str(&err));
	buf_free(&err);
	assert_true(screen_frame_begin(s));
	return s;
}

static bool is_letter(uint32_t code)
{
	return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
}

/* Letters one after the other in this role, somewhere in the row. */
static bool has_word(const struct screen *s, int y, enum style_role role)
{
	int run = 0;

	for (int x = 0; x < WIDTH; x++) {
		run = is_letter(screen_code_at(s, y, x)) && screen_role_at(s, y, x) == role ? run + 1 : 0;
		if (run >= 2)
			return true;
	}
	return false;
}

static const struct { uint32_t code; enum style_role role; } glyphs[] = {
	{ 0x25cf, STYLE_OK }, { 0x25d0, STYLE_WARNING }, { 0x2716, STYLE_CRITICAL },
	{ 0x25cb, STYLE_UNKNOWN_STATE },
};
#define GLYPHS_OF_STATES (sizeof(glyphs) / sizeof(glyphs[0]))

static bool stands_in(const struct screen *s, int y, size_t glyph)
{
	for (int x = 0; x < WIDTH; x++)
		if (screen_code_at(s, y, x) == glyphs[glyph].code &&
		    screen_role_at(s, y, x) == glyphs[glyph].role)
			return true;
	return false;
}

/* A glyph of a state stands in the role of that state, and what is no good is said in a word of that
 * role beside it; for the cells of a map, once on the screen. */
static void glyphs_have_words(const struct screen *s, const char *view)
{
	for (size_t g = 0; g < GLYPHS_OF_STATES; g++) {
		bool seen = false, said = false;
		for (int y = 0; y < HEIGHT; y++) {
			bool here = stands_in(s, y, g);
			seen |= here;
			said |= here && has_word(s, y, glyphs[g].role);
		}
		if (glyphs[g].role != STYLE_OK && seen && !said)
			fail_msg("%s: a glyph in role %s and no word", view, style_role_name(glyphs[g].role));
	}
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++)
			for (size_t g = 0; g < GLYPHS_OF_STATES; g++) {
				enum style_role role = screen_role_at(s, y, x);
				if (screen_code_at(s, y, x) == glyphs[g].code && role != glyphs[g].role &&
				    role != STYLE_SELECTED && role != STYLE_DIM)
					fail_msg("%s, row %d: a glyph in role %s", view, y,
						 style_role_name(role));
			}
}

static char *draw_mono(const struct view_ops *ops, const struct world *w, bool ascii)
{
	struct view_context c = context(w);
	struct view *v = view_new(ops);
	struct screen *s = open_mono(ascii);
	struct pane p = pane_whole(s);
	struct buf out = BUF_INIT;

	v->ops->rebuild(v, &c);
	v->ops->draw(v, &c, &p, false);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	dumped(ops->name, buf_str(&out));
	if (!ascii)
		glyphs_have_words(s, ops->name);
	screen_close(s);
	view_free(v);
	return out.data;
}

/* Ages and other numbers make no difference between two states. */
static void without_numbers(char *text)
{
	char *to = text;

	for (char *from = text; *from; from++)
		if (!strchr("0123456789. ", *from))
			*to++ = *from;
	*to = '\0';
}

static void all_differ(const struct view_ops *const *views, size_t view_count, const struct world *worlds,
		       const char *const *names, size_t count)
{
	for (size_t v = 0; v < view_count * 2; v++) {
		const struct view_ops *ops = views[v / 2];
		char *text[CASES_MAX];
		for (size_t i = 0; i < count; i++) {
			text[i] = draw_mono(ops, &worlds[i], v % 2);
			without_numbers(text[i]);
		}
		for (size_t i = 0; i < count; i++)
			for (size_t k = i + 1; k < count; k++)
				if (strcmp(text[i], text[k]) == 0)
					fail_msg("%s%s: \"%s\" and \"%s\" look alike", ops->name,
						 v % 2 ? " in ASCII" : "", names[i], names[k]);
		for (size_t i = 0; i < count; i++)
			free(text[i]);
	}
}

static void test_sentinel_states(void **state)
{
	static const char *const names[] = { "well", "link lost", "no reply", "wrong password",
					     "replica without its master", "master down" };
	struct world worlds[6];

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct world *w = &worlds[i];
		*w = shown_set();
		uint32_t replica = id_of(w, "10.0.0.3", 6379);
		if (i == 1)
			link_state(w, replica, LINK_LOST, "closed by the server");
		else if (i == 2)
			link_state(w, replica, LINK_SILENT, "late");
		else if (i == 3)
			link_state(w, replica, LINK_AUTH_ERROR, "WRONGPASS invalid username-password pair");
		else if (i == 4)
			shown_replica(w, replica, "standalone", 3, "10.0.0.1", 6379, 5000000, LINK_BROKEN);
		else if (i == 5)
			kill_master(w);
		w->now += 3000;
	}
	all_differ(sentinel_views, 4, worlds, names, 6);
	for (int i = 0; i < 6; i++)
		model_free(worlds[i].m);
}

static void test_cluster_states(void **state)
{
	static const char *const names[] = { "well", "a master failed", "a master about to fail",
					     "slots without owner" };
	struct world worlds[4] = {
		shown_cluster("master", " 5461-10922", true),
		shown_cluster("master,fail", " 5461-10922", false),
		shown_cluster("master,fail?", " 5461-10922", true),
		shown_cluster("master", " 5461-9000", false),
	};

	(void)state;
	all_differ(cluster_views, 2, worlds, names, 4);
	all_differ(cluster_views + 2, 2, worlds, names, 2);
	for (int i = 0; i < 4; i++)
		model_free(worlds[i].m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentinel_states),
		cmocka_unit_test(test_cluster_states),
	};

	setlocale(LC_ALL, "C.UTF-8");
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
