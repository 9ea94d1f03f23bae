/* The mouse, where it was asked for: the wheel scrolls what it is over, a click shows a screen,
 * focuses a pane or selects a row. It never triggers an action, and does nothing under a sheet or a
 * prompt, whose answer is typed. */
#include "config.h"

#include "app/ui_mouse.h"

#include "app/ui_menu.h"
#include "app/ui_private.h"
#include "app/ui_theme.h"

#define WHEEL_ROWS 3

static size_t screen_of_list(const struct ui *ui, uintptr_t list)
{
	size_t i = 0;
	while (i < SCREEN_COUNT && (ui->views[i] == NULL || (uintptr_t)&ui->views[i]->list != list))
		i++;
	return i;
}

static void wheel(struct ui *ui, const struct hot *at, bool up)
{
	size_t screen = at->kind == HOT_LIST ? screen_of_list(ui, at->id) : SCREEN_COUNT;
	struct view *v = screen < SCREEN_COUNT ? ui->views[screen] : ui_focused_view(ui);
	struct view_context c = ui_context(ui);
	if (v == NULL || v->ops->act == NULL)
		return;
	for (int i = 0; i < WHEEL_ROWS; i++)
		v->ops->act(v, &c, up ? CMD_UP : CMD_DOWN);
}

static void click_row(struct ui *ui, const struct hot *at)
{
	size_t screen = screen_of_list(ui, at->id);
	struct list *l = screen < SCREEN_COUNT ? &ui->views[screen]->list : NULL;
	size_t row = l != NULL ? l->top + (size_t)at->row : 0;
	if (l == NULL)
		return;
	if (ui->current == SCREEN_DASHBOARD && !ui->zoomed && ui->focus != screen) {
		ui->focus = ui->focus_chosen = screen;
		ui_all_stale(ui);
	}
	/* The rows may have been made anew since they were drawn: then it is another frame's click. */
	if (row < l->count)
		list_select_id(l, l->ids[row]);
}

static void click_tab(struct ui *ui, const struct hot *at)
{
	for (size_t i = 0; i < SCREEN_COUNT; i++)
		if (ui_screens[i].key != '\0' && (uintptr_t)ui_screens[i].key == at->id)
			ui_command(ui, ui_screens[i].command);
}

/* A list over the screen is moved by the keys that a wheel stands for. */
static void wheel_as_key(struct ui *ui, const struct mouse *mouse)
{
	if (mouse->kind != MOUSE_CLICK)
		ui_key(ui, mouse->kind == MOUSE_WHEEL_UP ? KEYC_UP : KEYC_DOWN);
}

void ui_mouse(struct ui *ui, const struct mouse *mouse)
{
	struct hot at = screen_hot_at(ui->screen, mouse->y, mouse->x);
	if (ui->sheet != NULL || ui->prompting || ui->lining)
		return;
	if (ui->help || ui_theme_picking(ui) || ui_menu_is_open(ui))
		wheel_as_key(ui, mouse);
	else if (mouse->kind != MOUSE_CLICK)
		wheel(ui, &at, mouse->kind == MOUSE_WHEEL_UP);
	else if (at.kind == HOT_TAB)
		click_tab(ui, &at);
	else if (at.kind == HOT_TIMELINE)
		ui_replay_click(ui, at.column, at.columns);
	else if (at.kind == HOT_LIST)
		click_row(ui, &at);
}
