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

static void open_action(struct ui *ui, const struct action_kind *kind)
{
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

static void go_to(struct ui *ui, enum screen_index screen)
{
	if (screen == SCREEN_SLOTS && !ui_view_applies(ui, ui->views[SCREEN_SLOTS - 1])) {
		app_notice(ui->app, HEALTH_UNKNOWN, "only a cluster has slots");
		return;
	}
	ui->current = screen;
	ui->zoomed = false;
	ui_all_stale(ui);
}

static void move_focus(struct ui *ui, int step)
{
	struct rect rects[VIEW_COUNT];
	struct view_context c = ui_context(ui);
	/* In the order in which they stand on the screen. */
	size_t count = dashboard_layout(ui->views, VIEW_COUNT, &c, screen_height(ui->screen) - 4,
					screen_width(ui->screen), rects, VIEW_COUNT);
	if (ui->current != SCREEN_DASHBOARD || count == 0)
		return;
	size_t at = 0;
	while (at < count && rects[at].view != ui->focus)
		at++;
	ui->focus = rects[(at + count + (size_t)(step + (int)count)) % count].view;
	ui_all_stale(ui);
}

static void move_deployment(struct ui *ui, int step)
{
	size_t index, count, cursor = 0, at = 0;
	const struct deployment *d;
	ui_shown_deployment(ui, &index, &count);
	if (count < 2)
		return;
	size_t wanted = (index + count + (size_t)(step + (int)count)) % count;
	while ((d = model_next_deployment(ui->app->model, &cursor)) != NULL)
		if (at++ == wanted)
			ui->deployment_id = d->id;
	/* Nothing of the other one was kept. */
	if (ui->frozen)
		ui_unfreeze(ui);
	if (ui->current == SCREEN_SLOTS && ui_shown_kind(ui) != KIND_CLUSTER)
		ui->current = SCREEN_DASHBOARD;
	ui_all_stale(ui);
}

static void go_back(struct ui *ui)
{
	struct view *v = ui_focused_view(ui);
	if (v->filter[0] != '\0')
		view_set_filter(v, "");
	else if (ui->zoomed)
		ui->zoomed = false;
	else
		ui->current = SCREEN_DASHBOARD;
	ui_all_stale(ui);
}

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

static bool app_command(struct ui *ui, enum command cmd)
{
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
		move_focus(ui, cmd == CMD_NEXT_PANE ? 1 : -1);
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
		move_deployment(ui, cmd == CMD_NEXT_DEPLOYMENT ? 1 : -1);
		return true;
	case CMD_SCREEN_1:
	case CMD_SCREEN_2:
	case CMD_SCREEN_3:
	case CMD_SCREEN_4:
	case CMD_SCREEN_5:
		go_to(ui, (enum screen_index)(cmd - CMD_SCREEN_1));
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
		go_back(ui);
		return true;
	default:
		return false;
	}
}

static void help_key(struct ui *ui, uint32_t key)
{
	int page = screen_height(ui->screen) > 6 ? screen_height(ui->screen) - 6 : 1;
	int last = help_height() - page;
	switch (key_command(key)) {
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
	enum command cmd = key_command(key);
	struct view *v = ui_focused_view(ui);
	struct view_context c = ui_context(ui);
	if (cmd == CMD_NONE)
		return;
	if (v->ops->act != NULL && v->ops->act(v, &c, cmd) != EFFECT_NONE)
		return;
	app_command(ui, cmd);
}
