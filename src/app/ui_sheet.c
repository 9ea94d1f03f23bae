/* Action sheets: what is selected, the confirmation that is typed, and what is sent then. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "app/ui_private.h"
#include "base/clock.h"

#define SHEET_PAGE    8
#define SHEET_DEAF_MS 500 /* keys on their way when the sheet opened are not for it */

static bool is_deaf(const struct ui *ui, const struct sheet *sheet)
{
	/* What has been sent asks for nothing any more. */
	bool asks = sheet->state == SHEET_CONFIRM || sheet->state == SHEET_BLOCKED ||
		    sheet->state == SHEET_VALUE;
	return asks && !ui->headless && clock_mono_ms() - sheet->opened_ms < SHEET_DEAF_MS;
}

/* What is selected in the deployment that is shown: keys may be ahead of the frames, so the rows are
 * made anew first, and what they name is looked up. */
struct selection ui_selected(struct ui *ui)
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

struct action_context ui_action_context(struct ui *ui)
{
	show_fleet_selection(ui);
	struct selection s = ui_selected(ui);
	const struct deployment *d = model_deployment(ui->app->model, ui->deployment_id);
	/* With one master there is nothing to choose. */
	if (s.group_id == 0 && d != NULL && d->group_count == 1)
		s.group_id = d->groups[0]->id;
	return (struct action_context){ .deployment_id = ui->deployment_id,
					.group_id = s.group_id,
					.node_id = s.node_id };
}

static void name_deployment(struct ui *ui, const struct deployment *d)
{
	struct sheet *sheet = &ui->sheet->sheet;
	size_t len = strlen(sheet->title);
	if (model_deployment_count(ui->app->model) < 2 || strcmp(d->name, ui->sheet->subject) == 0)
		return;
	snprintf(sheet->title + len, sizeof(sheet->title) - len, "  in %s", d->name);
}

void ui_open_sheet(struct ui *ui, const struct action_kind *kind, const struct action_context *on,
		   bool at_once)
{
	const struct deployment *d = model_deployment(ui->app->model, on->deployment_id);
	prompt_clear(&ui->typed);
	ui->sheet = app_action_open(ui->app, kind, on);
	if (ui->sheet != NULL && at_once && ui->sheet->sheet.state == SHEET_CONFIRM && !kind->needs_confirm)
		app_action_send(ui->app, ui->sheet);
	if (ui->sheet != NULL && d != NULL && ui->sheet->stage == ACTION_NONE)
		name_deployment(ui, d);
}

void ui_open_action(struct ui *ui, const struct action_kind *kind)
{
	const struct action_context on = ui_action_context(ui);
	ui_open_sheet(ui, kind, &on, true);
}

static void close_sheet(struct ui *ui)
{
	app_action_close(ui->app, ui->sheet);
	ui->sheet = NULL;
	ui_all_stale(ui);
}

void ui_leave_sheet(struct ui *ui)
{
	if (ui->sheet != NULL)
		close_sheet(ui);
}

/* Lines that there is no room for. Letters are typed: only keys that none of them has. */
static bool scroll_sheet(struct sheet *sheet, uint32_t key)
{
	int page = SHEET_PAGE;
	switch (key) {
	case KEYC_UP:
		page = -1;
		break;
	case KEYC_DOWN:
		page = 1;
		break;
	case KEYC_PAGE_UP:
		page = -page;
		break;
	case KEYC_PAGE_DOWN:
		break;
	default:
		return false;
	}
	sheet->scroll += page;
	if (sheet->scroll > sheet->scroll_max)
		sheet->scroll = sheet->scroll_max;
	if (sheet->scroll < 0)
		sheet->scroll = 0;
	return true;
}

static void next_form(struct ui *ui)
{
	struct action *a = ui->sheet;
	const struct deployment *d = model_deployment(ui->app->model, a->on.deployment_id);
	size_t count = a->sheet.form_count;
	if (count < 2 || !action_choose(a, ui->app->model, (a->form + 1) % count, clock_mono_ms()))
		return;
	/* What was typed was meant for another command. */
	prompt_clear(&ui->typed);
	if (d != NULL)
		name_deployment(ui, d);
}

/* Who was typing when it was blocked has not read that it was: what runs then is not his. */
static void say_not_sent(struct sheet *sheet)
{
	char why[sizeof(sheet->outcome)];
	static const char words[] = "nothing was sent: ";
	if (strncmp(sheet->outcome, words, sizeof(words) - 1) == 0)
		return;
	memcpy(why, sheet->outcome, sizeof(why));
	snprintf(sheet->outcome, sizeof(sheet->outcome), "%s%.230s", words, why);
}

/* Enter sends what has been read on the screen. One that comes together with the name is out of a paste
 * that the terminal does not mark, or was typed over a line that has been still since. */
void ui_sheet_key(struct ui *ui, uint32_t key)
{
	struct sheet *sheet = &ui->sheet->sheet;
	if (key == KEYC_ESC) {
		close_sheet(ui);
		return;
	}
	if (scroll_sheet(sheet, key) || is_deaf(ui, sheet))
		return;
	if (key == KEYC_TAB) {
		next_form(ui);
		return;
	}
	if (sheet->state != SHEET_CONFIRM && sheet->state != SHEET_VALUE) {
		if (sheet->state == SHEET_BLOCKED && key == KEYC_ENTER)
			say_not_sent(sheet);
		else if (sheet->state != SHEET_BLOCKED && (key == KEYC_ENTER || key == 'q'))
			close_sheet(ui);
		return;
	}
	if (key != KEYC_ENTER) {
		prompt_key(&ui->typed, key);
		return;
	}
	if (sheet->state == SHEET_VALUE) {
		action_set_value(ui->sheet, ui->app->model, ui->typed.text, clock_mono_ms());
		prompt_clear(&ui->typed);
		return;
	}
	if (ui->typed.unseen && !ui->headless) {
		snprintf(sheet->outcome, sizeof(sheet->outcome),
			 "nothing was sent: Enter came together with the name; press it again");
		return;
	}
	if (action_confirmed(ui->sheet, ui->typed.text)) {
		app_action_send(ui->app, ui->sheet);
		return;
	}
	snprintf(sheet->outcome, sizeof(sheet->outcome), "nothing was sent: that is another name");
	prompt_clear(&ui->typed);
}
