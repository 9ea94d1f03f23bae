/* What eyes make of the themes: contrast against the background, states and owners of slots that
 * differ, and all of it as seen with protanopia, deuteranopia and tritanopia.
 *
 * The simulations are matrices on linear RGB: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A
 * Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), at full severity,
 * and for the red-green ones also F. Vienot, H. Brettel, J. D. Mollon, "Digital Video Colourmaps for
 * Checking the Legibility of Displays by Dichromats" (1999). Distances are those of CIE L*a*b* (1976):
 * about 2 is just seen side by side, 10 at a glance. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tui/theme.h"

struct rgb { double channel[3]; }; /* linear */
struct lab { double l, a, b; };

enum { SIGHT_NORMAL, SIGHT_COUNT = 6 };
static const struct { const char *name; double matrix[3][3]; } sights[SIGHT_COUNT] = {
	{ "normal sight", { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } },
	{ "protanopia (Machado)",
	  { { 0.152286, 1.052583, -0.204868 },
	    { 0.114503, 0.786281, 0.099216 },
	    { -0.003882, -0.048116, 1.051998 } } },
	{ "deuteranopia (Machado)",
	  { { 0.367322, 0.860646, -0.227968 },
	    { 0.280085, 0.672501, 0.047413 },
	    { -0.011820, 0.042940, 0.968881 } } },
	{ "tritanopia (Machado)",
	  { { 1.255528, -0.076749, -0.178779 },
	    { -0.078411, 0.930809, 0.147602 },
	    { 0.004733, 0.691367, 0.303900 } } },
	{ "protanopia (Vienot)",
	  { { 0.11238, 0.88762, 0 }, { 0.11238, 0.88762, 0 }, { 0.00401, -0.00401, 1 } } },
	{ "deuteranopia (Vienot)",
	  { { 0.29275, 0.70725, 0 }, { 0.29275, 0.70725, 0 }, { -0.02234, 0.02234, 1 } } },
};

static struct rgb linear(int32_t color)
{
	struct rgb out;

	for (int i = 0; i < 3; i++) {
		double c = (color >> (16 - 8 * i) & 255) / 255.0;
		out.channel[i] = c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
	}
	return out;
}

static struct rgb seen_with(int32_t color, int sight)
{
	struct rgb in = linear(color), out;

	for (int i = 0; i < 3; i++) {
		double sum = 0;
		for (int k = 0; k < 3; k++)
			sum += sights[sight].matrix[i][k] * in.channel[k];
		out.channel[i] = sum < 0 ? 0 : sum > 1 ? 1 : sum;
	}
	return out;
}

static double lab_curve(double t)
{
	return t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116;
}

static struct lab lab_of(struct rgb c)
{
	const double *v = c.channel;
	double x = lab_curve((0.4124 * v[0] + 0.3576 * v[1] + 0.1805 * v[2]) / 0.9505);
	double y = lab_curve(0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]);
	double z = lab_curve((0.0193 * v[0] + 0.1192 * v[1] + 0.9505 * v[2]) / 1.089);

	return (struct lab){ 116 * y - 16, 500 * (x - y), 200 * (y - z) };
}

static double distance(int32_t a, int32_t b, int sight)
{
	struct lab p = lab_of(seen_with(a, sight)), q = lab_of(seen_with(b, sight));

	return sqrt((p.l - q.l) * (p.l - q.l) + (p.a - q.a) * (p.a - q.a) + (p.b - q.b) * (p.b - q.b));
}

/* As WCAG has it: 1 to 21. */
static double contrast(int32_t a, int32_t b, int sight)
{
	double light[2];
	int32_t colors[2] = { a, b };

	for (int i = 0; i < 2; i++) {
		struct rgb c = seen_with(colors[i], sight);
		light[i] = 0.2126 * c.channel[0] + 0.7152 * c.channel[1] + 0.0722 * c.channel[2] + 0.05;
	}
	return light[0] > light[1] ? light[0] / light[1] : light[1] / light[0];
}

/* --- colours of a role --------------------------------------------------------------------- */

/* exact: as on a terminal with exact colours, else with 256. Fails for the terminal's own colour,
 * which nobody knows. */
static int32_t ink(const struct theme *t, enum style_role role, bool exact)
{
	const struct style *s = &t->full[role];

	if (s->fg < 16)
		fail_msg("%s: %s has no colour of its own", t->name, style_role_name(role));
	return exact && s->fg_rgb >= 0 ? s->fg_rgb : theme_rgb_of_256(s->fg);
}

static int32_t ground(const struct theme *t, enum style_role role, bool exact)
{
	const struct style *s = &t->full[role];

	if (s->bg < 16)
		fail_msg("%s: %s has no background of its own", t->name, style_role_name(role));
	return exact && s->bg_rgb >= 0 ? s->bg_rgb : theme_rgb_of_256(s->bg);
}

static void load(struct theme *t, const char *name)
{
	struct buf err = BUF_INIT;

	if (!theme_load(t, name, &err))
		fail_msg("%s", buf_str(&err));
	buf_free(&err);
}

static const char *const with_background[] = { "light", "nord", "solarized-dark", "gruvbox",
					       "colourblind" };
#define WITH_BACKGROUND (sizeof(with_background) / sizeof(with_background[0]))

static const enum style_role states[4] = { STYLE_OK, STYLE_WARNING, STYLE_CRITICAL,
					   STYLE_UNKNOWN_STATE };

static void apart(const struct theme *t, enum style_role a, enum style_role b, bool exact, int sight,
		  double least)
{
	double d = distance(ink(t, a, exact), ink(t, b, exact), sight);

	if (!(d >= least))
		fail_msg("%s, %s, %s colours: %s and %s are %.1f apart, less than %.0f", t->name,
			 sights[sight].name, exact ? "exact" : "256", style_role_name(a),
			 style_role_name(b), d, least);
}

static void states_apart(const struct theme *t, bool exact, int sight, double least)
{
	for (int i = 0; i < 4; i++)
		for (int k = i + 1; k < 4; k++)
			apart(t, states[i], states[k], exact, sight, least);
}

/* beside: of those next to each other in the map, in a ring; all: of any two. */
static void owners_apart(const struct theme *t, bool exact, int sight, double beside, double all)
{
	for (int i = 0; i < 8; i++)
		for (int k = i + 1; k < 8; k++)
			apart(t, (enum style_role)(STYLE_OWNER_1 + i), (enum style_role)(STYLE_OWNER_1 + k),
			      exact, sight, k == i + 1 || (i == 0 && k == 7) ? beside : all);
}

static void readable(const struct theme *t, bool exact, int sight)
{
	for (int role = 0; role < STYLE_ROLE_COUNT; role++) {
		double least = role == STYLE_BORDER || role == STYLE_BAR_BACK ? 1.5
			       : role == STYLE_TEXT || role == STYLE_STRONG   ? 4.5 : 3;
		double c = contrast(ink(t, (enum style_role)role, exact),
				    ground(t, (enum style_role)role, exact), sight);
		/* Simulated, lightness shifts a little: what is readable must stay so. */
		if (sight != SIGHT_NORMAL)
			least *= 0.8;
		if (!(c >= least))
			fail_msg("%s, %s, %s colours: %s has a contrast of %.2f, less than %.1f", t->name,
				 sights[sight].name, exact ? "exact" : "256",
				 style_role_name((enum style_role)role), c, least);
	}
}

/* --- tests --------------------------------------------------------------------------------- */

static void test_known_values(void **state)
{
	(void)state;
	assert_true(fabs(contrast(0x000000, 0xffffff, SIGHT_NORMAL) - 21) < 0.01);
	assert_true(fabs(contrast(0x777777, 0xffffff, SIGHT_NORMAL) - 4.48) < 0.01);
	assert_true(fabs(distance(0x000000, 0xffffff, SIGHT_NORMAL) - 100) < 0.1);
	assert_true(fabs(lab_of(linear(0xff0000)).a - 80.1) < 0.5);
	/* grey is grey to everybody */
	for (int sight = 0; sight < SIGHT_COUNT; sight++)
		assert_true(distance(0x808080, 0x808080, sight) < 0.01 &&
			    fabs(lab_of(seen_with(0x808080, sight)).a) < 1.5);
	/* and the traffic light's red and green are one colour of two lightnesses to one man in twelve */
	assert_true(distance(0xd7005f, 0x5f8700, SIGHT_NORMAL) > 100);
	assert_true(distance(0x875f00, 0x5f8700, 5) < 25);
}

static void test_readable(void **state)
{
	struct theme t;

	(void)state;
	for (size_t i = 0; i < WITH_BACKGROUND; i++) {
		load(&t, with_background[i]);
		readable(&t, true, SIGHT_NORMAL);
		readable(&t, false, SIGHT_NORMAL);
	}
	/* The default's background is the terminal's own: mid tones that stand out from white and black. */
	load(&t, "default");
	for (int i = 0; i < 4; i++) {
		assert_true(contrast(ink(&t, states[i], false), 0x000000, SIGHT_NORMAL) >= 2.5);
		assert_true(contrast(ink(&t, states[i], false), 0xffffff, SIGHT_NORMAL) >= 2.5);
	}
}

static void test_apart_to_most(void **state)
{
	struct theme t;

	(void)state;
	for (size_t i = 0; i < WITH_BACKGROUND; i++) {
		load(&t, with_background[i]);
		for (int exact = 0; exact < 2; exact++) {
			states_apart(&t, exact, SIGHT_NORMAL, 18);
			owners_apart(&t, exact, SIGHT_NORMAL, 18, 15);
		}
	}
	load(&t, "default");
	states_apart(&t, false, SIGHT_NORMAL, 30);
	owners_apart(&t, false, SIGHT_NORMAL, 25, 15);
}

static void test_colourblind(void **state)
{
	struct theme t;

	(void)state;
	load(&t, "colourblind");
	for (int sight = 0; sight < SIGHT_COUNT; sight++)
		for (int exact = 0; exact < 2; exact++) {
			states_apart(&t, exact, sight, 35);
			owners_apart(&t, exact, sight, 50, 24);
			readable(&t, exact, sight);
			/* the two alerts, by their background */
			assert_true(distance(ground(&t, STYLE_ALERT_WARNING, exact),
					     ground(&t, STYLE_ALERT_CRITICAL, exact), sight) > 35);
			/* no owner is taken for trouble: beside its glyph, which is another one */
			for (int i = 0; i < 8; i++)
				apart(&t, (enum style_role)(STYLE_OWNER_1 + i), STYLE_CRITICAL, exact, sight,
				      10);
		}
}

/* The test would see it: the default theme is no such theme. */
static void test_default_is_not(void **state)
{
	struct theme t;
	double least = 1000;

	(void)state;
	load(&t, "default");
	for (int sight = 1; sight < SIGHT_COUNT; sight++)
		for (int i = 0; i < 4; i++)
			for (int k = i + 1; k < 4; k++)
				least = fmin(least, distance(ink(&t, states[i], false),
							     ink(&t, states[k], false), sight));
	assert_true(least < 20);
}

/* Fewer colours: which they are is up to the terminal, so states and owners get different ones. */
static void test_few_colors(void **state)
{
	char names[16][THEME_NAME_BYTES];
	size_t count = theme_names(names, 16);

	(void)state;
	for (size_t n = 0; n < count && n < 16; n++) {
		struct theme t;
		load(&t, names[n]);
		for (int a = 0; a < STYLE_ROLE_COUNT; a++)
			for (int b = a + 1; b < STYLE_ROLE_COUNT; b++) {
				bool owners = a >= STYLE_OWNER_1 && b <= STYLE_OWNER_8;
				bool both = a >= STYLE_OK && b <= STYLE_UNKNOWN_STATE;
				const struct style *few[2][2] = { { &t.sixteen[a], &t.sixteen[b] },
								  { &t.eight[a], &t.eight[b] } };
				for (int i = 0; (owners || both) && i < 2; i++)
					if (few[i][0]->fg == few[i][1]->fg && few[i][0]->bg == few[i][1]->bg &&
					    few[i][0]->attrs == few[i][1]->attrs)
						fail_msg("%s: %s and %s look alike in %d colours", t.name,
							 style_role_name((enum style_role)a),
							 style_role_name((enum style_role)b), i ? 8 : 16);
			}
		for (int role = 0; role < STYLE_ROLE_COUNT; role++) {
			if (t.sixteen[role].fg >= 0)
				assert_int_not_equal(t.sixteen[role].fg, t.sixteen[role].bg);
			if (t.eight[role].fg >= 0)
				assert_int_not_equal(t.eight[role].fg, t.eight[role].bg);
		}
	}
}

/* What xterm and the Linux console make of the 16. */
static const struct { const char *name; int32_t colors[16]; } palettes[] = {
	{ "xterm",
	  { 0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f,
	    0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff } },
	{ "the Linux console",
	  { 0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa, 0x555555,
	    0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff } },
};

/* Bold is bright there, but for black: the screen drops its bold. A line or a bar may be fainter. */
static void few_readable(const struct theme *t, bool eight, int palette, int32_t own, int32_t own_ink)
{
	for (int role = 0; role < STYLE_ROLE_COUNT; role++) {
		const struct style *s = eight ? &t->eight[role] : &t->sixteen[role];
		bool bright = (s->attrs & ATTR_BOLD) && s->fg > 0 && s->fg < 8;
		int32_t fg = s->fg < 0 ? own_ink : palettes[palette].colors[s->fg + (bright ? 8 : 0)];
		int32_t bg = s->bg < 0 ? own : palettes[palette].colors[s->bg];
		bool is_text = role != STYLE_OK && role != STYLE_BAR && role != STYLE_BAR_BACK &&
			       role != STYLE_SPARK && !(role >= STYLE_OWNER_1 && role <= STYLE_OWNER_8);
		double c = contrast(fg, bg, SIGHT_NORMAL), least = is_text ? 2.7 : 1.9;
		if (!(c >= least))
			fail_msg("%s on %s, %s, %d colours: %s has a contrast of %.2f, less than %.1f", t->name,
				 palettes[palette].name, own ? "white" : "black", eight ? 8 : 16,
				 style_role_name((enum style_role)role), c, least);
	}
}

/* The terminal's own background may be white as well as black; the console's is black. */
static void test_few_colors_readable(void **state)
{
	char names[16][THEME_NAME_BYTES];
	size_t count = theme_names(names, 16);

	(void)state;
	for (size_t n = 0; n < count && n < 16; n++) {
		struct theme t;
		load(&t, names[n]);
		for (int eight = 0; eight < 2; eight++) {
			few_readable(&t, eight, 0, 0xffffff, 0x000000);
			few_readable(&t, eight, 0, 0x000000, 0xe5e5e5);
			few_readable(&t, eight, 1, 0x000000, 0xaaaaaa);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few_colors_readable),
		cmocka_unit_test(test_known_values),   cmocka_unit_test(test_readable),
		cmocka_unit_test(test_apart_to_most),  cmocka_unit_test(test_colourblind),
		cmocka_unit_test(test_default_is_not), cmocka_unit_test(test_few_colors),
	};

	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
