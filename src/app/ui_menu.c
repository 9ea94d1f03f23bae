#include "config.h"

#include "app/ui_menu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/ui_private.h"
#include "base/mem.h"

#define SET_PREFIX "set-"

struct action_menu {
	struct menu menu;
	const struct action_kind *kinds[MENU_ENTRIES_MAX];
	struct action_context on;
};

/* --- entries ----------------------------------------------------------------------------------- */

static void say_title(const struct ui *ui, struct action_menu *am)
{
	const struct group *g = model_group(ui->app->model, am->on.group_id);
	const struct node *n = model_node(ui->app->model, am->on.node_id);
	char addr[ENDPOINT_TEXT_BYTES];
	if (n != NULL && g != NULL && strcmp(endpoint_format(&n->addr, addr), g->name) != 0)
		snprintf(am->menu.title, sizeof(am->menu.title), "Actions  %.80s of %.80s", addr, g->name);
	else if (n != NULL)
		snprintf(am->menu.title, sizeof(am->menu.title), "Actions  %.80s",
			 endpoint_format(&n->addr, addr));
	else
		snprintf(am->menu.title, sizeof(am->menu.title), "Actions  %.80s", g != NULL ? g->name : "");
}

/* Made anew for each frame: what is in the way comes and goes while it is looked at. */
static void fill(struct ui *ui, struct action_menu *am)
{
	const struct action_kind *selected =
		am->menu.count > 0 ? am->kinds[am->menu.selected] : NULL;
	const struct app *app = ui->app;
	char words[120];
	am->menu.count = am->menu.selected = 0;
	for (size_t i = 0; i < action_kind_count && am->menu.count < MENU_ENTRIES_MAX; i++) {
		const struct action_kind *kind = action_kinds[i];
		size_t at = am->menu.count;
		if (!action_applies(kind, &am->on, app->model, app_now_ms(app)))
			continue;
		const char *refusal = app_action_refusal(app, kind, &am->on, words);
		action_preview(kind, &am->on, app->model, refusal, app_now_ms(app), &am->menu.entries[at]);
		/* In a recording also what changes nothing is impossible. */
		if (refusal != NULL)
			snprintf(am->menu.entries[at].blocked, sizeof(am->menu.entries[at].blocked), "%s",
				 refusal);
		am->kinds[at] = kind;
		if (kind == selected)
			am->menu.selected = at;
		am->menu.count++;
	}
	say_title(ui, am);
}

void ui_menu_open(struct ui *ui)
{
	struct action_menu *am = mem_alloc(sizeof(*am));
	ui_menu_close(ui);
	am->on = ui_action_context(ui);
	fill(ui, am);
	if (am->menu.count == 0) {
		app_notice(ui->app, HEALTH_UNKNOWN, "nothing is selected that something could be done to");
		free(am);
		return;
	}
	ui->menu = am;
}

void ui_menu_close(struct ui *ui)
{
	free(ui->menu);
	ui->menu = NULL;
}

bool ui_menu_is_open(const struct ui *ui)
{
	return ui->menu != NULL;
}

void ui_menu_draw(struct ui *ui, const struct pane *whole)
{
	fill(ui, ui->menu);
	menu_draw(whole, &ui->menu->menu);
}

/* The sheet is the one place from which something is sent. */
static void open_selected(struct ui *ui)
{
	const struct action_context on = ui->menu->on;
	const struct action_kind *kind =
		ui->menu->menu.count > 0 ? ui->menu->kinds[ui->menu->menu.selected] : NULL;
	/* The entry says why; the line for notices may be behind the menu. */
	if (kind == NULL || ui->replay != NULL)
		return;
	ui_menu_close(ui);
	ui_open_sheet(ui, kind, &on, false);
}

void ui_menu_key(struct ui *ui, uint32_t key)
{
	struct menu *menu = &ui->menu->menu;
	if (key == KEYC_ENTER) {
		open_selected(ui);
		return;
	}
	if (key == KEYC_ESC || key == 'q') {
		ui_menu_close(ui);
		return;
	}
	enum command cmd = keymap_command(&ui->app->options->config.keys, key, ui->replay != NULL);
	int at = (int)menu->selected, last = (int)menu->count - 1;
	if (cmd == CMD_ACTIONS)
		ui_menu_close(ui);
	else if (ui_overlay_command(ui, cmd, MENU_ENTRIES_MAX, last, &at))
		menu->selected = (size_t)at;
}

/* --- typed ------------------------------------------------------------------------------------- */

static bool is_setting(const struct action_kind *kind)
{
	return strncmp(kind->name, SET_PREFIX, strlen(SET_PREFIX)) == 0;
}

static const struct action_kind *nth(size_t index, bool setting)
{
	for (size_t i = 0; i < action_kind_count; i++)
		if (is_setting(action_kinds[i]) == setting && index-- == 0)
			return action_kinds[i];
	return NULL;
}

const char *ui_action_name_at(size_t index)
{
	const struct action_kind *kind = nth(index, false);
	return kind != NULL ? kind->name : NULL;
}

const char *ui_action_setting_at(size_t index)
{
	const struct action_kind *kind = nth(index, true);
	return kind != NULL ? kind->name + strlen(SET_PREFIX) : NULL;
}

bool ui_action_run(struct ui *ui, const char *name)
{
	for (size_t i = 0; i < action_kind_count; i++) {
		if (strcmp(action_kinds[i]->name, name) != 0)
			continue;
		ui_open_action(ui, action_kinds[i]);
		return true;
	}
	return false;
}

bool ui_action_set(struct ui *ui, const char *argument, struct buf *err)
{
	size_t len = strcspn(argument, " ");
	const char *value = argument + len + strspn(argument + len, " ");
	for (size_t i = 0; i < action_kind_count; i++) {
		const char *name = action_kinds[i]->name + strlen(SET_PREFIX);
		if (!is_setting(action_kinds[i]) || strlen(name) != len || memcmp(name, argument, len) != 0)
			continue;
		ui_open_action(ui, action_kinds[i]);
		/* What is wrong with it the sheet says, and asks again. */
		if (value[0] != '\0' && ui->sheet != NULL)
			action_set_value(ui->sheet, ui->app->model, value, app_now_ms(ui->app));
		return true;
	}
	buf_addf(err, "%.*s is no setting:", (int)len, argument);
	for (size_t i = 0; ui_action_setting_at(i) != NULL; i++)
		buf_addf(err, "%s %s", i > 0 ? "," : "", ui_action_setting_at(i));
	return false;
}
