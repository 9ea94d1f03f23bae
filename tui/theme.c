#include "config.h"

#include "tui/theme.h"

#include <assert.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "base/text.h"
#include "tui/theme_private.h"

/* A background that the file leaves out: the one of "text", once all lines are read. */
#define COLOR_INHERIT (-2)
#define COLOR_DEFAULT (-1)

static const char *const role_names[STYLE_ROLE_COUNT] = {
#define X(id, name) [id] = name,
	STYLE_ROLES(X)
#undef X
};

static const char *const color_names[] = {
	"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
};

static const struct { const char *name; uint16_t attr; } attr_names[] = {
	{ "bold", ATTR_BOLD },       { "dim", ATTR_DIM },       { "underline", ATTR_UNDERLINE },
	{ "reverse", ATTR_REVERSE }, { "italic", ATTR_ITALIC },
};

/* What xterm shows for colours 0 to 15: to find the nearest where there are no more. */
static const int32_t basic_rgb[16] = {
	0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
	0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
};

/* The unnamed section, and those for terminals with fewer colours. */
enum section { SECTION_FULL, SECTION_256, SECTION_16, SECTION_8, SECTION_COUNT };
static const char *const section_names[SECTION_COUNT] = { "", "256", "16", "8" };

/* What the lines of a theme say, before anything is made of what they leave out. */
struct theme_lines {
	struct style styles[SECTION_COUNT][STYLE_ROLE_COUNT];
	bool set[SECTION_COUNT][STYLE_ROLE_COUNT];
};

struct theme_reader {
	struct theme_lines *lines;
	bool seen[SECTION_COUNT][STYLE_ROLE_COUNT]; /* by this text, not by the one below it */
	const char *cursor;                         /* rest of the text */
	int line;                                   /* last one handed to inih, from 1 */
	int error_line;
	char error[128];
};

const char *style_role_name(enum style_role r)
{
	return (unsigned)r < STYLE_ROLE_COUNT ? role_names[r] : "?";
}

int32_t theme_rgb_of_256(int color)
{
	static const int32_t level[6] = { 0, 95, 135, 175, 215, 255 };

	if (color < 16)
		return basic_rgb[color];
	if (color >= 232) {
		int32_t grey = 8 + 10 * (color - 232);
		return grey << 16 | grey << 8 | grey;
	}
	color -= 16;
	return level[color / 36] << 16 | level[color / 6 % 6] << 8 | level[color % 6];
}

static int32_t rgb_distance(int32_t a, int32_t b)
{
	int32_t red = (a >> 16 & 255) - (b >> 16 & 255);
	int32_t green = (a >> 8 & 255) - (b >> 8 & 255);
	int32_t blue = (a & 255) - (b & 255);

	return red * red + green * green + blue * blue;
}

static int16_t nearest_color(int32_t rgb, int first, int last)
{
	int best = first;

	for (int i = first + 1; i <= last; i++)
		if (rgb_distance(rgb, theme_rgb_of_256(i)) < rgb_distance(rgb, theme_rgb_of_256(best)))
			best = i;
	return (int16_t)best;
}

static bool parse_hex_color(const char *word, int32_t *rgb)
{
	int32_t value = 0;

	if (strlen(word) != 7)
		return false;
	for (int i = 1; i < 7; i++) {
		const char *digits = "0123456789abcdef";
		const char *at = strchr(digits, word[i] >= 'A' && word[i] <= 'F' ? word[i] + 32 : word[i]);
		if (!at)
			return false;
		value = value << 4 | (int32_t)(at - digits);
	}
	*rgb = value;
	return true;
}

static bool parse_color(const char *word, int16_t *color, int32_t *rgb)
{
	int64_t number;
	const char *plain = word;
	int bright = 0;

	*rgb = -1;
	if (strcmp(word, "default") == 0) {
		*color = COLOR_DEFAULT;
		return true;
	}
	if (*word == '#') {
		if (!parse_hex_color(word, rgb))
			return false;
		/* 0 to 15 are the user's own palette: nobody knows what they look like. */
		*color = nearest_color(*rgb, 16, 255);
		return true;
	}
	if (number_parse(word, strlen(word), 0, 255, &number)) {
		*color = (int16_t)number;
		return true;
	}
	if (strncmp(word, "bright-", 7) == 0) {
		plain = word + 7;
		bright = 8;
	}
	for (int i = 0; i < 8; i++) {
		if (strcmp(plain, color_names[i]) == 0) {
			*color = (int16_t)(i + bright);
			return true;
		}
	}
	return false;
}

static bool parse_attr(const char *word, uint16_t *attrs)
{
	for (size_t i = 0; i < sizeof(attr_names) / sizeof(*attr_names); i++) {
		if (strcmp(word, attr_names[i].name) == 0) {
			*attrs |= attr_names[i].attr;
			return true;
		}
	}
	return false;
}

/* Keeps the first error: its line is the one that inih reports. */
static int reader_fail(struct theme_reader *r, const char *what, const char *word)
{
	char clean[64];

	if (r->error_line)
		return 0;
	r->error_line = r->line;
	text_clean(clean, sizeof(clean), word, strlen(word));
	snprintf(r->error, sizeof(r->error), "%s '%s'", what, clean);
	return 0;
}

static int parse_style(struct theme_reader *r, struct style *out, const char *value)
{
	struct style style = { COLOR_DEFAULT, COLOR_INHERIT, 0, -1, -1 };
	char words[256], *rest = NULL;
	int colors = 0;

	if (strlen(value) >= sizeof(words))
		return reader_fail(r, "value too long", value);
	memcpy(words, value, strlen(value) + 1);
	for (char *word = strtok_r(words, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (parse_attr(word, &style.attrs))
			continue;
		if (colors == 2)
			return reader_fail(r, "unknown attribute", word);
		if (!parse_color(word, colors ? &style.bg : &style.fg,
				 colors ? &style.bg_rgb : &style.fg_rgb))
			return reader_fail(r, "unknown colour or attribute", word);
		colors++;
	}
	if (colors == 0)
		return reader_fail(r, "no colour in", value);
	*out = style;
	return 1;
}

static int find_role(const char *name)
{
	for (int i = 0; i < STYLE_ROLE_COUNT; i++)
		if (strcmp(name, role_names[i]) == 0)
			return i;
	return -1;
}

static int on_entry(void *user, const char *section, const char *name, const char *value)
{
	struct theme_reader *r = user;
	int in = 0, role = find_role(name);

	while (in < SECTION_COUNT && strcmp(section, section_names[in]) != 0)
		in++;
	if (in == SECTION_COUNT)
		return reader_fail(r, "unknown section", section);
	if (role < 0)
		return reader_fail(r, "unknown role", name);
	if (r->seen[in][role])
		return reader_fail(r, "a second line for", name);
	r->seen[in][role] = r->lines->set[in][role] = true;
	/* A plain line also overrides what the theme below says for fewer colours. */
	for (int other = in + 1; in == SECTION_FULL && other < SECTION_COUNT; other++)
		if (!r->seen[other][role])
			r->lines->set[other][role] = false;
	return parse_style(r, &r->lines->styles[in][role], value);
}

/* inih counts pieces of long lines as lines and glues indented lines to the one before: so lines
 * are cut out here, without indent, and one that does not fit is an error. */
static char *next_line(char *out, int size, void *stream)
{
	struct theme_reader *r = stream;
	size_t len, skip;

	if (!*r->cursor || size < 2)
		return NULL;
	r->line++;
	len = strcspn(r->cursor, "\n");
	skip = strspn(r->cursor, " \t");
	if (skip > len)
		skip = len;
	if (len - skip >= (size_t)size) {
		reader_fail(r, "line too long", r->cursor + skip);
		*out = '\0';
	} else {
		memcpy(out, r->cursor + skip, len - skip);
		out[len - skip] = '\0';
	}
	r->cursor += len + (r->cursor[len] == '\n');
	return out;
}

static bool reader_run(struct theme_reader *r, const char *text)
{
	int bad_line;

	r->cursor = text;
	r->line = 0;
	bad_line = ini_parse_stream(next_line, r, on_entry, r);
	if (bad_line > 0 && (!r->error_line || bad_line < r->error_line)) {
		r->error_line = bad_line;
		snprintf(r->error, sizeof(r->error), "not 'role = colours' nor '[section]'");
	}
	return r->error_line == 0;
}

/* --- fewer colours ------------------------------------------------------------------------ */

#define GREY_SPREAD 40 /* channels closer than that make no hue */

/* One of the 16, by hue: by distance the soft colours of most themes would all be grey. COLOR_DEFAULT
 * for a grey. */
static int16_t hue_of_16(int32_t rgb)
{
	static const int16_t hues[6] = { 1, 3, 2, 6, 4, 5 }; /* red yellow green cyan blue magenta */
	int32_t red = rgb >> 16 & 255, green = rgb >> 8 & 255, blue = rgb & 255;
	int32_t most = red > green ? red : green, least = red < green ? red : green, hue;

	most = most > blue ? most : blue;
	least = least < blue ? least : blue;
	if (most - least < GREY_SPREAD)
		return COLOR_DEFAULT;
	/* 0 to 360 degrees, 60 to a hue */
	if (most == red)
		hue = 360 + 60 * (green - blue) / (most - least);
	else if (most == green)
		hue = 120 + 60 * (blue - red) / (most - least);
	else
		hue = 240 + 60 * (red - green) / (most - least);
	/* Orange is nearer to what terminals show as yellow than to their red. */
	hue = hue % 360 >= 22 && hue % 360 < 40 ? 60 : hue;
	return (int16_t)(hues[(hue + 30) / 60 % 6] + (most >= 230 && least < 130 ? 8 : 0));
}

static bool is_light(int32_t rgb)
{
	return 3 * (rgb >> 16 & 255) + 6 * (rgb >> 8 & 255) + (rgb & 255) > 5 * 255;
}

/* Black or white, whatever is read on it. */
static int16_t ink_on(int16_t bg)
{
	return bg == 0 || bg == 1 || bg == 4 || bg == 5 || bg == 8 ? 7 : 0;
}

static struct style style_to_16(struct style in)
{
	struct style out = { in.fg, in.bg, in.attrs, -1, -1 };
	int32_t rgb;

	if (in.bg >= 16) {
		rgb = in.bg_rgb >= 0 ? in.bg_rgb : theme_rgb_of_256(in.bg);
		out.bg = hue_of_16(rgb);
		out.bg = (int16_t)(out.bg >= 0 ? out.bg & 7 : is_light(rgb) ? 7 : 0);
	}
	if (in.fg >= 16)
		out.fg = hue_of_16(in.fg_rgb >= 0 ? in.fg_rgb : theme_rgb_of_256(in.fg));
	/* What the terminal's own colour looks like on a colour of ours, nobody knows. */
	if (out.bg >= 0 && (out.fg < 0 || out.fg == out.bg) && (in.fg >= 16 || in.bg >= 16))
		out.fg = ink_on(out.bg);
	return out;
}

static struct style style_to_8(struct style in)
{
	if (in.bg >= 8)
		in.bg = (int16_t)(in.bg - 8);
	if (in.fg == 8) {
		in.fg = COLOR_DEFAULT; /* bold black is black on many terminals */
	} else if (in.fg > 8) {
		in.fg = (int16_t)(in.fg - 8);
		in.attrs |= ATTR_BOLD;
	}
	if (in.fg >= 0 && in.fg == in.bg)
		in.fg = ink_on(in.bg);
	return in;
}

static void inherit_background(struct style styles[STYLE_ROLE_COUNT])
{
	struct style *text = &styles[STYLE_TEXT];

	if (text->bg == COLOR_INHERIT)
		text->bg = COLOR_DEFAULT;
	for (int i = 0; i < STYLE_ROLE_COUNT; i++) {
		if (styles[i].bg != COLOR_INHERIT)
			continue;
		styles[i].bg = text->bg;
		styles[i].bg_rgb = text->bg_rgb;
	}
}

/* Each depth from its own section, else from the next one that speaks. */
static void lines_to_theme(const struct theme_lines *l, struct theme *t)
{
	for (int i = 0; i < STYLE_ROLE_COUNT; i++) {
		t->full[i] = l->styles[SECTION_FULL][i];
		if (l->set[SECTION_256][i]) {
			struct style few = l->styles[SECTION_256][i];
			t->full[i].fg = few.fg;
			t->full[i].bg = few.bg;
			t->full[i].attrs = few.attrs;
		}
		t->sixteen[i] = l->set[SECTION_16][i] ? l->styles[SECTION_16][i]
			      : l->set[SECTION_8][i]  ? l->styles[SECTION_8][i] : t->full[i];
		t->eight[i] = l->set[SECTION_8][i] ? l->styles[SECTION_8][i] : t->sixteen[i];
	}
	inherit_background(t->full);
	inherit_background(t->sixteen);
	inherit_background(t->eight);
	for (int i = 0; i < STYLE_ROLE_COUNT; i++) {
		t->sixteen[i] = style_to_16(t->sixteen[i]);
		t->eight[i] = style_to_8(style_to_16(t->eight[i]));
	}
}

/* --- reading ------------------------------------------------------------------------------ */

static void parse_builtin(struct theme_lines *l, const char *text)
{
	struct theme_reader r = { .lines = l };
	bool ok = reader_run(&r, text);

	assert(ok);
	(void)ok;
}

/* What every theme begins as. Parsed once. */
static const struct theme_lines *default_lines(void)
{
	static struct theme_lines lines;
	static bool ready;

	if (!ready) {
		for (int i = 0; i < STYLE_ROLE_COUNT; i++)
			lines.styles[SECTION_FULL][i] =
			    (struct style){ COLOR_DEFAULT, COLOR_INHERIT, 0, -1, -1 };
		parse_builtin(&lines, theme_builtin_texts[0]);
		ready = true;
	}
	return &lines;
}

static void name_theme(struct theme *t, const char *name, size_t len)
{
	memset(t, 0, sizeof(*t));
	text_clean(t->name, sizeof(t->name), name, len);
}

void theme_builtin(struct theme *t)
{
	static struct theme ready;

	if (!ready.name[0]) {
		name_theme(&ready, "default", 7);
		lines_to_theme(default_lines(), &ready);
	}
	*t = ready;
}

bool theme_compiled_in(struct theme *t, const char *name)
{
	struct theme_lines lines;
	size_t i = 0;

	while (theme_builtin_names[i] && strcmp(theme_builtin_names[i], name) != 0)
		i++;
	if (!theme_builtin_names[i])
		return false;
	lines = *default_lines();
	parse_builtin(&lines, theme_builtin_texts[i]);
	name_theme(t, name, strlen(name));
	lines_to_theme(&lines, t);
	return true;
}

bool theme_parse(struct theme *t, const char *name, const char *text, const char *place,
		 struct buf *err)
{
	struct theme_lines lines = *default_lines();
	struct theme_reader r = { .lines = &lines };
	bool ok = reader_run(&r, text);

	name_theme(t, name, strlen(name));
	lines_to_theme(&lines, t);
	if (!ok)
		buf_addf(err, "%s:%d: %s", place, r.error_line, r.error);
	return ok;
}
