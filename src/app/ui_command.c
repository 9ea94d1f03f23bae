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

static void start_filter(struct ui *ui, enum command cmd)
{
	struct view *v = ui_focused_view(ui);
	(void)cmd;
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

static void toggle_freeze(struct ui *ui, enum command cmd)
{
	(void)cmd;
	if (ui->frozen)
		ui_unfreeze(ui);
	else
		ui_freeze(ui);
}

static void change_interval(struct ui *ui, enum command cmd)
{
	static const int64_t steps[] = { 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000 };
	const size_t count = sizeof(steps) / sizeof(steps[0]);
	const bool faster = cmd == CMD_FASTER;
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

static void quit(struct ui *ui, enum command cmd)
{
	(void)cmd;
	if (!app_actions_hold(ui->app))
		app_quit(ui->app);
}

static void open_help(struct ui *ui, enum command cmd)
{
	(void)cmd;
	ui->help = true;
	ui->help_scroll = 0;
}

static void move_focus(struct ui *ui, enum command cmd)
{
	ui_move_focus(ui, cmd == CMD_NEXT_PANE ? 1 : -1);
}

static void zoom(struct ui *ui, enum command cmd)
{
	(void)cmd;
	ui->zoomed = !ui->zoomed && ui->current == SCREEN_DASHBOARD;
}

static void open_line(struct ui *ui, enum command cmd)
{
	(void)cmd;
	ui->lining = true;
	line_open(&ui->line);
}

static void refresh(struct ui *ui, enum command cmd)
{
	(void)cmd;
	if (ui->app->watch != NULL)
		watch_poll_now(ui->app->watch);
	else
		app_notice(ui->app, HEALTH_UNKNOWN, "a recording: nothing is asked");
}

static void move_deployment(struct ui *ui, enum command cmd)
{
	ui_move_deployment(ui, cmd == CMD_NEXT_DEPLOYMENT ? 1 : -1);
}

/* A view that sorts takes these itself. */
static void refuse_to_sort(struct ui *ui, enum command cmd)
{
	(void)cmd;
	app_notice(ui->app, HEALTH_UNKNOWN, "%s has an order of its own",
		   ui_focused_view(ui)->ops->title);
}

static void pick_theme(struct ui *ui, enum command cmd)
{
	(void)cmd;
	ui_theme_pick(ui);
}

static void write_report(struct ui *ui, enum command cmd)
{
	(void)cmd;
	app_write_report(ui->app, NULL);
}

static void open_action(struct ui *ui, enum command cmd)
{
	if (cmd == CMD_ACTIONS)
		ui_menu_open(ui);
	else
		ui_open_action(ui, cmd == CMD_FAILOVER ? &action_failover : &action_ckquorum);
}

static void redraw(struct ui *ui, enum command cmd)
{
	(void)cmd;
	screen_invalidate(ui->screen);
}

static void suspend(struct ui *ui, enum command cmd)
{
	(void)cmd;
	ui_suspend(ui);
}

static void go_back(struct ui *ui, enum command cmd)
{
	(void)cmd;
	ui_go_back(ui);
}

/* What the program does itself when the focused view has no use for the key. The keys of screens
 * are ui_screens.c's, those of a recording ui_replay.c's. */
static void (*const program_commands[CMD_COUNT])(struct ui *, enum command) = {
	[CMD_QUIT] = quit,
	[CMD_HELP] = open_help,
	[CMD_NEXT_PANE] = move_focus,
	[CMD_PREV_PANE] = move_focus,
	[CMD_ZOOM] = zoom,
	[CMD_FILTER] = start_filter,
	[CMD_LINE] = open_line,
	[CMD_FREEZE] = toggle_freeze,
	[CMD_REFRESH] = refresh,
	[CMD_FASTER] = change_interval,
	[CMD_SLOWER] = change_interval,
	[CMD_NEXT_DEPLOYMENT] = move_deployment,
	[CMD_PREV_DEPLOYMENT] = move_deployment,
	[CMD_SORT_NEXT] = refuse_to_sort,
	[CMD_SORT_REVERSE] = refuse_to_sort,
	[CMD_THEME] = pick_theme,
	[CMD_WRITE] = write_report,
	[CMD_ACTIONS] = open_action,
	[CMD_FAILOVER] = open_action,
	[CMD_CKQUORUM] = open_action,
	[CMD_REDRAW] = redraw,
	[CMD_SUSPEND] = suspend,
	[CMD_BACK] = go_back,
};

static void program_command(struct ui *ui, enum command cmd)
{
	size_t screen = ui_screen_of(cmd);
	if (screen < SCREEN_COUNT)
		ui_go_to(ui, screen);
	else if (!ui_replay_command(ui, cmd) && program_commands[cmd] != NULL)
		program_commands[cmd](ui, cmd);
}

void ui_command(struct ui *ui, enum command cmd)
{
	struct view *v = ui_focused_view(ui);
	struct view_context c = ui_context(ui);
	if (cmd == CMD_NONE)
		return;
	unsigned effect = v->ops->act != NULL ? v->ops->act(v, &c, cmd) : EFFECT_NONE;
	if (effect == EFFECT_NONE)
		program_command(ui, cmd);
	if (effect & EFFECT_OPEN_NODE)
		ui_open_node(ui, ui_selected(ui).node_id);
	if (effect & EFFECT_OPEN_DEPLOYMENT)
		open_deployment(ui);
}

/* --- what lies over the screen --------------------------------------------------------------- */

bool ui_overlay_command(struct ui *ui, enum command cmd, int page, int last, int *at)
{
	const int steps[CMD_COUNT] = {
		[CMD_UP] = -1,          [CMD_DOWN] = 1,
		[CMD_PAGE_UP] = -page,  [CMD_PAGE_DOWN] = page,
		[CMD_HALF_UP] = -page / 2, [CMD_HALF_DOWN] = page / 2,
		[CMD_TOP] = -*at,       [CMD_BOTTOM] = last - *at,
	};
	if (cmd == CMD_REDRAW || cmd == CMD_SUSPEND)
		program_commands[cmd](ui, cmd);
	else if (cmd < CMD_UP || cmd > CMD_BOTTOM)
		return false;
	*at += steps[cmd];
	if (*at > last)
		*at = last;
	if (*at < 0)
		*at = 0;
	return true;
}

static void help_key(struct ui *ui, uint32_t key)
{
	enum command cmd = keymap_command(&ui->app->options->config.keys, key, ui->replay != NULL);
	int page = screen_height(ui->screen) > 6 ? screen_height(ui->screen) - 6 : 1;
	if (!ui_overlay_command(ui, cmd, page, ui->help_scroll_max, &ui->help_scroll))
		ui->help = false;
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
