/* Keys to commands: prompts, help, and what the program itself does. */
#include "config.h"

#include <string.h>

#include "app/ui_menu.h"
#include "app/ui_mouse.h"
#include "app/ui_private.h"
#include "app/ui_theme.h"
#include "base/clock.h"

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

static void line_command_key(struct ui *ui, uint32_t key)
{
	enum line_result result = line_key(&ui->line, key, ui_line_complete, ui);
	if (result == LINE_LEFT || result == LINE_RUN)
		ui->lining = false;
	if (result != LINE_RUN)
		return;
	char text[PROMPT_BYTES];
	memcpy(text, ui->line.prompt.text, sizeof(text)); /* `:line` opens another */
	ui_line_run(ui, text);
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

/* The fleet's rows are of every deployment: the selection is not looked up in the one shown. */
static void open_deployment(struct ui *ui)
{
	struct selection s = { 0, 0, 0 };
	struct view *v = ui_focused_view(ui);
	v->ops->selection(v, &s);
	if (model_deployment(ui_model(ui), s.deployment_id) == NULL)
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
	if (ui_replay_command(ui, cmd))
		return true;
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
	case CMD_LINE:
		ui->lining = true;
		line_open(&ui->line);
		return true;
	case CMD_FREEZE:
		toggle_freeze(ui);
		return true;
	case CMD_REFRESH:
		if (ui->app->watch != NULL)
			watch_poll_now(ui->app->watch);
		else
			app_notice(ui->app, HEALTH_UNKNOWN, "a recording: nothing is asked");
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
	case CMD_WRITE:
		app_write_report(ui->app, NULL);
		return true;
	case CMD_ACTIONS:
		ui_menu_open(ui);
		return true;
	case CMD_FAILOVER:
		ui_open_action(ui, &action_failover);
		return true;
	case CMD_CKQUORUM:
		ui_open_action(ui, &action_ckquorum);
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

void ui_command(struct ui *ui, enum command cmd)
{
	struct view *v = ui_focused_view(ui);
	struct view_context c = ui_context(ui);
	if (cmd == CMD_NONE)
		return;
	unsigned effect = v->ops->act != NULL ? v->ops->act(v, &c, cmd) : EFFECT_NONE;
	if (effect == EFFECT_NONE)
		app_command(ui, cmd);
	if (effect & EFFECT_OPEN_NODE)
		ui_open_node(ui, ui_selected(ui).node_id);
	if (effect & EFFECT_OPEN_DEPLOYMENT)
		open_deployment(ui);
}

static void help_key(struct ui *ui, uint32_t key)
{
	int page = screen_height(ui->screen) > 6 ? screen_height(ui->screen) - 6 : 1;
	int last = ui->help_scroll_max;
	switch (keymap_command(&ui->app->options->config.keys, key, ui->replay != NULL)) {
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
	case CMD_HALF_UP:
		ui->help_scroll -= page / 2;
		break;
	case CMD_HALF_DOWN:
		ui->help_scroll += page / 2;
		break;
	case CMD_TOP:
		ui->help_scroll = 0;
		break;
	case CMD_BOTTOM:
		ui->help_scroll = last;
		break;
	case CMD_REDRAW:
		screen_invalidate(ui->screen);
		break;
	case CMD_SUSPEND:
		ui_suspend(ui);
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
	struct mouse mouse;
	ui->key_dirty = true;
	if (key_is_mouse(key, &mouse)) {
		ui_mouse(ui, &mouse);
		return;
	}
	if (ui->sheet != NULL) {
		ui_sheet_key(ui, key);
		return;
	}
	if (ui_menu_is_open(ui)) {
		ui_menu_key(ui, key);
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
	if (ui->lining) {
		line_command_key(ui, key);
		return;
	}
	if (ui->help) {
		help_key(ui, key);
		return;
	}
	ui_command(ui, keymap_command(&ui->app->options->config.keys, key, ui->replay != NULL));
}
