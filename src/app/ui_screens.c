/* Which screens there are, which is shown, and what has the focus. Keys, tabs, the dashboard's panes
 * and the views themselves all come from the table: a screen is one line here. */
#include "config.h"

#include <string.h>

#include "app/ui_private.h"

const struct ui_screen ui_screens[] = {
	{ '1', CMD_SCREEN_1, "Dashboard", "Dash", NULL, false },
	{ '2', CMD_SCREEN_2, "Topology", "Topo", &topology_view, true },
	{ '3', CMD_SCREEN_3, "Replication", "Repl", &replication_view, true },
	{ '4', CMD_SCREEN_4, "Slots", "Slots", &slots_view, true },
	{ '5', CMD_SCREEN_5, "Events", "Events", &events_view, true },
	{ '6', CMD_SCREEN_6, "Agreement", "Agree", &agreement_view, false },
	{ '7', CMD_SCREEN_7, "Nodes", "Nodes", &nodes_view, true },
	{ '8', CMD_SCREEN_8, "Doctor", "Doctor", NULL, false },
	{ '9', CMD_SCREEN_9, "Failovers", "Fails", &failovers_view, false },
	{ '0', CMD_SCREEN_0, "Fleet", "Fleet", &fleet_view, false },
	{ '\0', CMD_NONE, "Node", "Node", &node_view, false }, /* SCREEN_NODE: of the node in ui->node_id */
	{ '\0', CMD_NONE, "Last failover", "Failover", &last_failover_view, true }, /* a pane alone */
};
_Static_assert(sizeof(ui_screens) / sizeof(ui_screens[0]) == SCREEN_COUNT, "a line for each screen");

bool ui_screen_exists(size_t screen)
{
	return screen == SCREEN_DASHBOARD || ui_screens[screen].ops != NULL;
}

size_t ui_screen_of(enum command cmd)
{
	size_t i = 0;
	while (i < SCREEN_COUNT && (cmd == CMD_NONE || ui_screens[i].command != cmd))
		i++;
	return i;
}

unsigned ui_screens_missing(void)
{
	unsigned missing = 0;
	for (size_t i = 0; i < SCREEN_COUNT; i++)
		if (ui_screens[i].key != '\0' && !ui_screen_exists(i))
			missing |= 1u << (ui_screens[i].key - '0');
	return missing;
}

void ui_screens_open(struct ui *ui)
{
	const char *columns = ui->app->options->node_columns;
	for (size_t i = 0; i < SCREEN_COUNT; i++) {
		if (ui_screens[i].ops != NULL)
			ui->views[i] = view_new(ui_screens[i].ops);
		if (ui_screens[i].ops == &nodes_view && columns != NULL)
			nodes_view.choose(ui->views[i], columns);
	}
	ui->focus = ui->focus_chosen = SCREEN_DASHBOARD + 1;
}

void ui_screens_close(struct ui *ui)
{
	for (size_t i = 0; i < SCREEN_COUNT; i++)
		view_free(ui->views[i]);
}

size_t ui_tabs(const struct ui *ui, struct tab out[SCREEN_COUNT], size_t *active)
{
	size_t count = 0, shown = ui->current == SCREEN_NODE ? ui->back_to : ui->current;
	*active = SCREEN_COUNT;
	for (size_t i = 0; i < SCREEN_COUNT; i++) {
		if (ui_screens[i].key == '\0' || !ui_screen_exists(i))
			continue;
		if (i == shown)
			*active = count;
		out[count++] = (struct tab){ ui_screens[i].key, ui_screens[i].name,
					     ui_screens[i].short_name };
	}
	return count;
}

/* --- the panes of the dashboard ---------------------------------------------------------------- */

size_t ui_dashboard_panes(struct ui *ui, const struct view_context *c, int height, int width,
			  struct rect out[SCREEN_COUNT])
{
	struct view *views[SCREEN_COUNT];
	size_t screens[SCREEN_COUNT], count = 0;
	for (size_t i = 0; i < SCREEN_COUNT; i++) {
		if (!ui_screens[i].on_dashboard || ui->views[i] == NULL)
			continue;
		screens[count] = i;
		views[count++] = ui->views[i];
	}
	count = dashboard_layout(views, count, c, height, width, out, SCREEN_COUNT);
	for (size_t i = 0; i < count; i++)
		out[i].view = screens[out[i].view];
	return count;
}

/* Where the pane that was chosen has no room, the first has the focus until it has. */
void ui_settle_focus(struct ui *ui, const struct rect *rects, size_t count)
{
	ui->focus = count > 0 ? rects[0].view : ui->focus_chosen;
	for (size_t i = 0; i < count; i++)
		if (rects[i].view == ui->focus_chosen)
			ui->focus = ui->focus_chosen;
}

static int body_height(const struct ui *ui)
{
	int height = screen_height(ui->screen);
	return height - 4 - (ui->replay != NULL ? timeline_height(height) : 0);
}

void ui_move_focus(struct ui *ui, int step)
{
	struct rect rects[SCREEN_COUNT];
	struct view_context c = ui_context(ui);
	/* In the order in which they stand on the screen. */
	size_t count = ui_dashboard_panes(ui, &c, body_height(ui), screen_width(ui->screen),
					  rects);
	if (ui->current != SCREEN_DASHBOARD || count == 0)
		return;
	size_t at = 0;
	while (at < count && rects[at].view != ui->focus)
		at++;
	ui->focus = ui->focus_chosen = rects[(at + count + (size_t)(step + (int)count)) % count].view;
	ui_all_stale(ui);
}

struct view *ui_focused_view(struct ui *ui)
{
	return ui->views[ui->current == SCREEN_DASHBOARD ? ui->focus : ui->current];
}

bool ui_view_applies(struct ui *ui, const struct view *v)
{
	if (v == ui->views[SCREEN_NODE])
		return ui->node_id != 0;
	return v->ops->applies == NULL || v->ops->applies(ui_shown_kind(ui));
}

/* --- from one to another ------------------------------------------------------------------------ */

static void show(struct ui *ui, size_t screen)
{
	ui->current = screen;
	ui->zoomed = false;
	ui_all_stale(ui);
}

void ui_go_to(struct ui *ui, size_t screen)
{
	if (!ui_screen_exists(screen)) {
		app_notice(ui->app, HEALTH_UNKNOWN, "%s is not there yet", ui_screens[screen].name);
		return;
	}
	if (ui->views[screen] != NULL && !ui_view_applies(ui, ui->views[screen])) {
		app_notice(ui->app, HEALTH_UNKNOWN, "only a cluster has %s", ui->views[screen]->ops->name);
		return;
	}
	show(ui, screen);
	ui->node_id = 0;
}

void ui_open_node(struct ui *ui, uint32_t node_id)
{
	if (node_id == 0 || ui->views[SCREEN_NODE] == NULL)
		return;
	if (ui->current != SCREEN_NODE) {
		ui->back_to = ui->current;
		ui->back_zoomed = ui->zoomed;
	}
	ui->node_id = node_id;
	show(ui, SCREEN_NODE);
}

void ui_show_deployment(struct ui *ui, uint32_t deployment_id)
{
	ui->deployment_id = deployment_id;
	ui->node_id = 0;
	if (ui->current == SCREEN_NODE)
		show(ui, ui->back_to);
	if (ui->views[ui->current] != NULL && !ui_view_applies(ui, ui->views[ui->current]))
		show(ui, SCREEN_DASHBOARD);
	ui_all_stale(ui);
}

void ui_move_deployment(struct ui *ui, int step)
{
	size_t index, count, cursor = 0, at = 0;
	const struct deployment *d;
	ui_shown_deployment(ui, &index, &count);
	if (count < 2)
		return;
	size_t wanted = (index + count + (size_t)(step + (int)count)) % count;
	while ((d = model_next_deployment(ui_model(ui), &cursor)) != NULL && at++ != wanted)
		;
	if (d != NULL)
		ui_show_deployment(ui, d->id);
}

void ui_go_back(struct ui *ui)
{
	struct view *v = ui_focused_view(ui);
	if (v->filter[0] != '\0') {
		view_set_filter(v, "");
	} else if (ui->current == SCREEN_NODE) {
		ui->current = ui->back_to;
		ui->zoomed = ui->back_zoomed;
		ui->node_id = 0;
	} else if (ui->zoomed) {
		ui->zoomed = false;
	} else {
		ui->current = SCREEN_DASHBOARD;
	}
	ui_all_stale(ui);
}
