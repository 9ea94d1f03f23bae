#include "config.h"

#include "tui/theme.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "base/text.h"

#ifndef THEME_DIR
#define THEME_DIR "/usr/local/share/redoubt/themes"
#endif

#define THEME_FILE_BYTES (64 * 1024)
/* A background that the file leaves out: the one of "text", once all lines are read. */
#define COLOR_INHERIT (-2)
#define COLOR_DEFAULT (-1)

extern const char theme_builtin_text[];

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

/* One theme being read: first the compiled-in text, then perhaps a file over it. */
struct theme_reader {
	struct theme *theme;
	bool basic_set[STYLE_ROLE_COUNT]; /* has a line in [8] */
	const char *cursor;               /* rest of the text */
	int line;                         /* last one handed to inih, from 1 */
	int error_line;
	char error[128];
};

const char *style_role_name(enum style_role r)
{
	return (unsigned)r < STYLE_ROLE_COUNT ? role_names[r] : "?";
}

static int32_t rgb_of_256(int color)
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
		if (rgb_distance(rgb, rgb_of_256(i)) < rgb_distance(rgb, rgb_of_256(best)))
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

static int on_entry(void *user, const char *section, const char *name, const char *value)
{
	struct theme_reader *r = user;
	bool basic = strcmp(section, "8") == 0;

	if (!basic && *section)
		return reader_fail(r, "unknown section", section);
	for (int i = 0; i < STYLE_ROLE_COUNT; i++) {
		if (strcmp(name, role_names[i]) != 0)
			continue;
		/* A file's plain line also overrides what the built-in theme says in [8]. */
		r->basic_set[i] = basic;
		return parse_style(r, basic ? &r->theme->basic[i] : &r->theme->full[i], value);
	}
	return reader_fail(r, "unknown role", name);
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

static void style_to_basic(struct style *s)
{
	if (s->fg >= 16)
		s->fg = nearest_color(s->fg_rgb >= 0 ? s->fg_rgb : rgb_of_256(s->fg), 0, 15);
	if (s->bg >= 16)
		s->bg = nearest_color(s->bg_rgb >= 0 ? s->bg_rgb : rgb_of_256(s->bg), 0, 7);
	s->fg_rgb = s->bg_rgb = -1;
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

static void reader_finish(struct theme_reader *r)
{
	struct theme *t = r->theme;

	for (int i = 0; i < STYLE_ROLE_COUNT; i++)
		if (!r->basic_set[i])
			t->basic[i] = t->full[i];
	inherit_background(t->full);
	inherit_background(t->basic);
	for (int i = 0; i < STYLE_ROLE_COUNT; i++)
		style_to_basic(&t->basic[i]);
}

static void reader_start(struct theme_reader *r, struct theme *t, const char *name)
{
	bool ok;

	memset(r, 0, sizeof(*r));
	memset(t, 0, sizeof(*t));
	r->theme = t;
	text_clean(t->name, sizeof(t->name), name, strlen(name));
	for (int i = 0; i < STYLE_ROLE_COUNT; i++)
		t->full[i] = (struct style){ COLOR_DEFAULT, COLOR_INHERIT, 0, -1, -1 };
	ok = reader_run(r, theme_builtin_text);
	assert(ok);
	(void)ok;
}

void theme_builtin(struct theme *t)
{
	struct theme_reader r;

	reader_start(&r, t, "default");
	reader_finish(&r);
}

static bool read_file(const char *path, struct buf *out)
{
	char block[4096];
	FILE *f = fopen(path, "re");
	size_t got;
	bool ok;

	if (!f)
		return false;
	while (out->len < THEME_FILE_BYTES && (got = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(out, block, got);
	ok = !ferror(f);
	if (!ok)
		errno = EIO; /* a folder, most likely: fopen takes it, fread does not */
	fclose(f);
	return ok;
}

/* The theme folders in the order they are searched; false after the last one. */
static bool theme_path(int which, const char *name, struct buf *path)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	buf_reset(path);
	switch (which) {
	case 0:
		if (config && *config)
			buf_addf(path, "%s/redoubt/themes/", config);
		else
			buf_addf(path, "%s/.config/redoubt/themes/", home ? home : "");
		break;
	case 1:
		buf_addstr(path, THEME_DIR "/");
		break;
	case 2:
		buf_addstr(path, "themes/");
		break;
	default:
		return false;
	}
	buf_addf(path, "%s.theme", name);
	return true;
}

static bool find_theme(const char *name_or_path, struct buf *path, struct buf *text,
		       struct buf *err)
{
	if (strchr(name_or_path, '/')) {
		buf_addstr(path, name_or_path);
		if (read_file(name_or_path, text))
			return true;
		buf_addf(err, "%s: %s", name_or_path, strerror(errno));
		return false;
	}
	for (int i = 0; theme_path(i, name_or_path, path); i++)
		if (read_file(buf_str(path), text))
			return true;
	/* "my.theme" beside the caller */
	buf_reset(path);
	buf_addstr(path, name_or_path);
	if (strstr(name_or_path, ".theme") && read_file(name_or_path, text))
		return true;
	buf_addf(err, "theme '%s' not found; looked for", name_or_path);
	for (int i = 0; theme_path(i, name_or_path, path); i++)
		buf_addf(err, "%s %s", i ? "," : "", buf_str(path));
	return false;
}

static void name_of_path(const char *path, char *out, size_t size)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t len = strlen(base);

	if (len > 6 && strcmp(base + len - 6, ".theme") == 0)
		len -= 6;
	text_clean(out, size, base, len);
}

bool theme_load(struct theme *t, const char *name_or_path, struct buf *err)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct theme_reader r;
	char name[sizeof(t->name)];
	bool ok = false;

	if (strcmp(name_or_path, "default") == 0) {
		theme_builtin(t);
		return true;
	}
	if (!find_theme(name_or_path, &path, &text, err))
		goto out;
	name_of_path(buf_str(&path), name, sizeof(name));
	reader_start(&r, t, name);
	ok = reader_run(&r, buf_str(&text));
	reader_finish(&r);
	if (!ok)
		buf_addf(err, "%s:%d: %s", buf_str(&path), r.error_line, r.error);
out:
	buf_free(&path);
	buf_free(&text);
	return ok;
}
