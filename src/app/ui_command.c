/* Keys to commands: sheets, prompts, help, and what the program itself does. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "app/ui_private.h"
#include "app/ui_theme.h"
#include "base/clock.h"

#define SHEET_DEAF_MS 500 /* keys on their way when the sheet opened are not for it */

static bool is_deaf(const struct ui *ui, const struct sheet *sheet)
{
	/* What has been sent asks for nothing any more. */
	bool asks = sheet->state == SHEET_CONFIRM || sheet->state == SHEET_BLOCKED;
	return asks && !ui->headless && clock_mono_ms() - sheet->opened_ms < SHEET_DEAF_MS;
}

/* --- sheets ------------------------------------------------------------------------------------ */

/* What is selected in the deployment that is shown: keys may be ahead of the frames, so the rows are
 * made anew first, and what they name is looked up. */
static struct selection selected(struct ui *ui)
{
	const struct model *m = ui->app->model;
	struct view_context c = ui_context(ui);
	struct selection s = { .deployment_id = c.deployment_id };
	struct view *v = ui_focused_view(ui);
	if (!ui_view_applies(ui, v) || v->ops->selection == NULL)
		return s;
	ui_refresh_view(ui, v, &c);
	v->ops->selection(v, &s);
	s.deployment_id = c.deployment_id;
	const struct group *g = model_group(m, s.group_id);
	const struct node *n = model_node(m, s.node_id);
	if (g == NULL || g->deployment_id != c.deployment_id)
		s.group_id = 0;
	if (n == NULL || n->deployment_id != c.deployment_id)
		s.node_id = 0;
	return s;
}

/* A row of the fleet is a deployment: its name, badges and theme stand above the sheet. */
static void show_fleet_selection(struct ui *ui)
{
	struct selection s = { 0, 0, 0 };
	struct view *v = ui_focused_view(ui);
	if (v->ops != &fleet_view)
		return;
	v->ops->selection(v, &s);
	if (s.deployment_id != ui->deployment_id && model_deployment(ui->app->model, s.deployment_id) != NULL)
		ui_show_deployment(ui, s.deployment_id);
}

static void open_action(struct ui *ui, const struct action_kind *kind)
{
	show_fleet_selection(ui);
	struct selection s = selected(ui);
	const struct deployment *d = model_deployment(ui->app->model, ui->deployment_id);
	/* With one master there is nothing to choose. */
	if (s.group_id == 0 && d != NULL && d->group_count == 1)
		s.group_id = d->groups[0]->id;
	const struct action_context on = { .deployment_id = ui->deployment_id,
					   .group_id = s.group_id,
					   .node_id = s.node_id };
	prompt_clear(&ui->typed);
	ui->sheet = app_action_open(ui->app, kind, &on);
	if (ui->sheet == NULL || d == NULL || model_deployment_count(ui->app->model) < 2 ||
	    strcmp(d->name, ui->sheet->subject) == 0)
		return;
	struct sheet *sheet = &ui->sheet->sheet;
	size_t len = strlen(sheet->title);
	snprintf(sheet->title + len, sizeof(sheet->title) - len, "  in %s", d->name);
}

static void close_sheet(struct ui *ui)
{
	app_action_close(ui->app, ui->sheet);
	ui->sheet = NULL;
	ui_all_stale(ui);
}

static void sheet_key(struct ui *ui, uint32_t key)
{
	struct sheet *sheet = &ui->sheet->sheet;
	if (key == KEYC_ESC) {
		close_sheet(ui);
		return;
	}
	if (is_deaf(ui, sheet))
		return;
	if (sheet->state != SHEET_CONFIRM) {
		if (key == KEYC_ENTER || key == 'q')
			close_sheet(ui);
		return;
	}
	if (key != KEYC_ENTER) {
		prompt_key(&ui->typed, key);
		return;
	}
	if (action_confirmed(ui->sheet, ui->typed.text)) {
		app_action_send(ui->app, ui->sheet);
		return;
	}
	snprintf(sheet->outcome, sizeof(sheet->outcome), "nothing was sent: that is another name");
	prompt_clear(&ui->typed);
}

/* --- prompts ----------------------------------------------------------------------------------- */

static void prompt_filter(struct ui *ui, uint32_t key)
{
	struct view *v = ui_focused_view(ui);
	if (key == KEYC_ENTER) {
		ui->prompting = false;
		return;
	}
	if (key == KEYC_ESC) {
		ui->prompting = false;
		prompt_clear(&ui->prompt);
	} else if (!prompt_key(&ui->prompt, key)) {
		return;
	}
	view_set_filter(v, ui->prompt.text);
	v->stale = true;
}

static void start_filter(struct ui *ui)
{
	struct view *v = ui_focused_view(ui);
	if (!v->ops->uses_filter) {
		app_notice(ui->app, HEALTH_UNKNOWN, "%s has no filter", v->ops->title);
		return;
	}
	prompt_clear(&ui->prompt);
	view_set_filter(v, "");
	v->stale = true;
	ui->prompting = true;
}

/* --- commands ---------------------------------------------------------------------------------- */

static void toggle_freeze(struct ui *ui)
{
	if (ui->frozen)
		ui_unfreeze(ui);
	else
		ui_freeze(ui);
}

static void change_interval(struct ui *ui, bool faster)
{
	static const int64_t steps[] = { 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000 };
	const size_t count = sizeof(steps) / sizeof(steps[0]);
	int64_t now = ui->app->interval_ms, next = now;
	for (size_t i = 0; i < count; i++) {
		if (faster && steps[i] < now)
			next = steps[i];
		if (!faster && steps[i] > now) {
			next = steps[i];
			break;
		}
	}
	app_set_interval(ui->app, next);
	app_notice(ui->app, HEALTH_OK, "interval %g s", (double)next / 1000.0);
}

static void open_node(struct ui *ui)
{
	ui_open_node(ui, selected(ui).node_id);
}

/* The fleet's rows are of every deployment: the selection is not looked up in the one shown. */
static void open_deployment(struct ui *ui)
{
	struct selection s = { 0, 0, 0 };
	struct view *v = ui_focused_view(ui);
	v->ops->selection(v, &s);
	if (model_deployment(ui->app->model, s.deployment_id) == NULL)
		return;
	ui_show_deployment(ui, s.deployment_id);
	ui_go_to(ui, SCREEN_DASHBOARD);
}

static bool app_command(struct ui *ui, enum command cmd)
{
	size_t screen = ui_screen_of(cmd);
	if (screen < SCREEN_COUNT) {
		ui_go_to(ui, screen);
		return true;
	}
	switch (cmd) {
	case CMD_QUIT:
		app_quit(ui->app);
		return true;
	case CMD_HELP:
		ui->help = true;
		ui->help_scroll = 0;
		return true;
	case CMD_NEXT_PANE:
	case CMD_PREV_PANE:
		ui_move_focus(ui, cmd == CMD_NEXT_PANE ? 1 : -1);
		return true;
	case CMD_ZOOM:
		ui->zoomed = !ui->zoomed && ui->current == SCREEN_DASHBOARD;
		return true;
	case CMD_FILTER:
		start_filter(ui);
		return true;
	case CMD_FREEZE:
		toggle_freeze(ui);
		return true;
	case CMD_REFRESH:
		watch_poll_now(ui->app->watch);
		return true;
	case CMD_FASTER:
	case CMD_SLOWER:
		change_interval(ui, cmd == CMD_FASTER);
		return true;
	case CMD_NEXT_DEPLOYMENT:
	case CMD_PREV_DEPLOYMENT:
		ui_move_deployment(ui, cmd == CMD_NEXT_DEPLOYMENT ? 1 : -1);
		return true;
	case CMD_SORT_NEXT:
	case CMD_SORT_REVERSE:
		app_notice(ui->app, HEALTH_UNKNOWN, "%s has an order of its own",
			   ui_focused_view(ui)->ops->title);
		return true;
	case CMD_THEME:
		ui_theme_pick(ui);
		return true;
	case CMD_ACTIONS:
		app_notice(ui->app, HEALTH_UNKNOWN, "there is no menu of actions yet");
		return true;
	case CMD_FAILOVER:
		open_action(ui, &action_failover);
		return true;
	case CMD_CKQUORUM:
		open_action(ui, &action_ckquorum);
		return true;
	case CMD_REDRAW:
		screen_invalidate(ui->screen);
		return true;
	case CMD_SUSPEND:
		ui_suspend(ui);
		return true;
	case CMD_BACK:
		ui_go_back(ui);
		return true;
	default:
		return false;
	}
}

static void help_key(struct ui *ui, uint32_t key)
{
	int page = screen_height(ui->screen) > 6 ? screen_height(ui->screen) - 6 : 1;
	int last = help_height() - page;
	switch (keymap_command(&ui->app->options->config.keys, key)) {
	case CMD_UP:
		ui->help_scroll--;
		break;
	case CMD_DOWN:
		ui->help_scroll++;
		break;
	case CMD_PAGE_UP:
		ui->help_scroll -= page;
		break;
	case CMD_PAGE_DOWN:
		ui->help_scroll += page;
		break;
	default:
		ui->help = false;
		return;
	}
	if (ui->help_scroll > last)
		ui->help_scroll = last;
	if (ui->help_scroll < 0)
		ui->help_scroll = 0;
}

void ui_key(struct ui *ui, uint32_t key)
{
	ui->key_dirty = true;
	if (ui->sheet != NULL) {
		sheet_key(ui, key);
		return;
	}
	if (ui_theme_picking(ui)) {
		ui_theme_key(ui, key);
		return;
	}
	if (ui->prompting) {
		prompt_filter(ui, key);
		return;
	}
	if (ui->help) {
		help_key(ui, key);
		return;
	}
	enum command cmd = keymap_command(&ui->app->options->config.keys, key);
	struct view *v = ui_focused_view(ui);
	struct view_context c = ui_context(ui);
	if (cmd == CMD_NONE)
		return;
	unsigned effect = v->ops->act != NULL ? v->ops->act(v, &c, cmd) : EFFECT_NONE;
	if (effect == EFFECT_NONE)
		app_command(ui, cmd);
	if (effect & EFFECT_OPEN_NODE)
		open_node(ui);
	if (effect & EFFECT_OPEN_DEPLOYMENT)
		open_deployment(ui);
}
