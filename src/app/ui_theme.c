#include "config.h"

#include "app/ui_theme.h"

#include <stdlib.h>
#include <string.h>

#include "app/ui_private.h"
#include "base/mem.h"

/* What the operator has put in the place of a theme of the settings, until the end of the program.
 * So a deployment with a theme of its own still looks different from the others. */
struct theme_choice {
	struct theme_choice *next;
	const char *instead_of; /* the pointer of the settings; NULL: the default */
	char name[];
};

struct theme_picker {
	size_t count, selected, top, before; /* before: what is in force, count: none of these */
	struct buf err;                      /* why the selected one can't be had */
};

static bool load(const struct ui *ui, struct theme *theme, const char *name, struct buf *err)
{
	return theme_library_get(ui->themes, name != NULL ? name : "default", theme, err);
}

/* The command line's or the file's, unless the deployment has one of its own. */
static const char *of_settings(const struct ui *ui)
{
	const char *own = app_settings(ui->app, ui->deployment_id)->theme;
	return own != NULL ? own : ui->app->options->theme;
}

static const char *wanted(const struct ui *ui)
{
	const char *name = of_settings(ui);
	for (const struct theme_choice *c = ui->theme_choices; c != NULL; c = c->next)
		if (c->instead_of == name)
			return c->name;
	return name;
}

static void choose(struct ui *ui, const char *name)
{
	size_t len = strlen(name);
	struct theme_choice *c = mem_alloc(sizeof(*c) + len + 1);
	c->instead_of = of_settings(ui);
	memcpy(c->name, name, len + 1);
	/* Found before an older one, which ui->theme_name may still point to. */
	c->next = ui->theme_choices;
	ui->theme_choices = c;
	ui->theme_name = c->name;
}

bool ui_theme_open(struct ui *ui, struct buf *err)
{
	const struct network *network = ui->app->network;
	ui->themes = theme_library_read();
	if (ui->app->options->theme != NULL)
		theme_library_add(ui->themes, ui->app->options->theme);
	for (size_t i = 0; i < network->count; i++)
		if (network->settings[i]->theme != NULL)
			theme_library_add(ui->themes, network->settings[i]->theme);
	ui->theme_name = wanted(ui);
	return load(ui, &ui->theme, ui->theme_name, err);
}

static void close_picker(struct ui *ui)
{
	if (ui->theme_picker != NULL)
		buf_free(&ui->theme_picker->err);
	free(ui->theme_picker);
	ui->theme_picker = NULL;
}

void ui_theme_close(struct ui *ui)
{
	close_picker(ui);
	theme_library_free(ui->themes);
	ui->themes = NULL;
	while (ui->theme_choices != NULL) {
		struct theme_choice *next = ui->theme_choices->next;
		free(ui->theme_choices);
		ui->theme_choices = next;
	}
}

void ui_theme_follow(struct ui *ui)
{
	const char *name = wanted(ui);
	struct buf err = BUF_INIT;
	if (name == ui->theme_name || ui->theme_picker != NULL)
		return;
	ui->theme_name = name;
	if (load(ui, &ui->theme, name, &err))
		screen_set_theme(ui->screen, &ui->theme);
	else
		app_notice(ui->app, HEALTH_WARNING, "theme: %s", buf_str(&err));
	buf_free(&err);
}

bool ui_theme_set(struct ui *ui, const char *name, struct buf *err)
{
	struct theme theme;
	if (!load(ui, &theme, name, err))
		return false;
	close_picker(ui);
	choose(ui, name);
	ui->theme = theme;
	screen_set_theme(ui->screen, &ui->theme);
	ui_all_stale(ui);
	return true;
}

/* --- the picker -------------------------------------------------------------------------------- */

void ui_theme_pick(struct ui *ui)
{
	struct theme_picker *p = mem_alloc(sizeof(*p));
	close_picker(ui);
	p->count = theme_library_count(ui->themes);
	p->err = (struct buf)BUF_INIT;
	while (p->before < p->count && strcmp(theme_library_name(ui->themes, p->before), ui->theme.name) != 0)
		p->before++;
	p->selected = p->before < p->count ? p->before : 0;
	ui->theme_picker = p;
}

bool ui_theme_picking(const struct ui *ui)
{
	return ui->theme_picker != NULL;
}

static void preview(struct ui *ui)
{
	struct theme_picker *p = ui->theme_picker;
	struct theme theme;
	buf_reset(&p->err);
	if (load(ui, &theme, theme_library_name(ui->themes, p->selected), &p->err))
		screen_set_theme(ui->screen, &theme);
}

static void put_back(struct ui *ui)
{
	screen_set_theme(ui->screen, &ui->theme);
	close_picker(ui);
}

static void keep(struct ui *ui)
{
	struct theme_picker *p = ui->theme_picker;
	struct buf err = BUF_INIT;
	const char *name = theme_library_name(ui->themes, p->selected);
	if (p->selected == p->before)
		put_back(ui); /* a file of the user's may be shown under the name of one of ours */
	else
		ui_theme_set(ui, name, &err); /* what can't be had stays with its reason */
	buf_free(&err);
}

void ui_theme_key(struct ui *ui, uint32_t key)
{
	struct theme_picker *p = ui->theme_picker;
	if (key == KEYC_ENTER) {
		keep(ui);
		return;
	}
	if (key == KEYC_ESC || key == 'q') {
		put_back(ui);
		return;
	}
	enum command cmd = keymap_command(&ui->app->options->config.keys, key, ui->replay != NULL);
	int at = (int)p->selected, last = (int)p->count - 1;
	/* The key that opened it goes on to the next one. */
	if (!ui_overlay_command(ui, cmd == CMD_THEME ? CMD_DOWN : cmd, (int)p->count, last, &at) ||
	    (size_t)at == p->selected)
		return;
	p->selected = (size_t)at;
	preview(ui);
}

/* What the theme does to states and to the slots' owners. */
static void draw_sample(const struct pane *in, int y)
{
	static const struct { enum style_role role; enum glyph glyph; const char *word; } states[] = {
		{ STYLE_OK, GLYPH_OK, "ok" },
		{ STYLE_WARNING, GLYPH_WARNING, "warning" },
		{ STYLE_CRITICAL, GLYPH_DOWN, "critical" },
		{ STYLE_UNKNOWN_STATE, GLYPH_UNKNOWN, "unknown" },
	};
	int x = 1;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		x = pane_glyph(in, y, x, states[i].role, states[i].glyph);
		x = pane_text(in, y, x, -1, states[i].role, states[i].word) + 1;
	}
	for (int i = 0; i < 8; i++)
		pane_textf(in, y + 1, 1 + 2 * i, 2, (enum style_role)(STYLE_OWNER_1 + i), "%c%c",
			   'A' + i, 'A' + i);
	pane_text(in, y + 1, 18, -1, STYLE_DIM, "slot owners");
}

/* "mine.theme:3: unknown role 'okay'": for the folders there is no room. */
static const char *short_error(const char *text)
{
	const char *name = text, *end = text + strcspn(text, ":");
	for (const char *c = text; c < end; c++)
		if (*c == '/')
			name = c + 1;
	return name;
}

#define PICKER_WIDTH 38
#define PICKER_REST  6 /* frame, sample, the line of keys */

void ui_theme_draw(struct ui *ui, const struct pane *whole)
{
	struct theme_picker *p = ui->theme_picker;
	int width = whole->width < PICKER_WIDTH ? whole->width : PICKER_WIDTH;
	int rows = (int)p->count, room = whole->height - PICKER_REST;
	if (room < 1)
		room = 1;
	rows = rows < room ? rows : room;
	if (p->selected < p->top)
		p->top = p->selected;
	if (p->selected >= p->top + (size_t)rows)
		p->top = p->selected - (size_t)rows + 1;
	/* At the side: the screen behind it is what the theme is judged by. */
	int height = rows + PICKER_REST - 1 < whole->height ? rows + PICKER_REST - 1 : whole->height;
	struct pane dialog = pane_sub(whole, (whole->height - height) / 2, whole->width - width, height,
				      width);
	pane_fill(&dialog, STYLE_DIALOG);
	struct pane in = pane_box(&dialog, "Theme", true);
	for (int i = 0; i < rows; i++) {
		size_t at = p->top + (size_t)i;
		bool here = at == p->selected;
		struct pane line = pane_sub(&in, i, 0, 1, in.width);
		if (here)
			pane_fill(&line, STYLE_SELECTED);
		pane_textf(&line, 0, 0, -1, here ? STYLE_SELECTED : STYLE_TEXT, "%s %s%s",
			   here ? ">" : " ", theme_library_name(ui->themes, at),
			   at == p->before ? "  (now)" : "");
	}
	draw_sample(&in, rows);
	if (p->err.len > 0)
		pane_text(&in, rows + 2, 1, -1, STYLE_CRITICAL, short_error(buf_str(&p->err)));
	else
		pane_text(&in, rows + 2, 1, -1, STYLE_KEY_LABEL, "Enter keeps  Esc puts back");
}
