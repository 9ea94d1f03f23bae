#include "config.h"

#include "app/ui.h"

#include <stdio.h>
#include <string.h>

#include "app/ui_menu.h"
#include "app/ui_private.h"
#include "app/ui_theme.h"
#include "base/clock.h"
#include "base/text.h"
#include "net/recorder.h"
#include "model/state.h"

#define FRAME_MS         33   /* at most 30 frames a second */
#define VALUES_GATHER_MS 60   /* the replies of one poll make one frame */
#define ATTENTION_EACH_MS 500 /* all deployments are judged so often, for title and bell */

/* --- what is shown ----------------------------------------------------------------------------- */

const struct model *ui_model(const struct ui *ui)
{
	return ui->frozen_model != NULL ? ui->frozen_model : ui->app->model;
}

const struct deployment *ui_shown_deployment(struct ui *ui, size_t *index, size_t *count)
{
	const struct model *m = ui_model(ui);
	const struct deployment *d, *first = NULL, *shown = NULL;
	size_t cursor = 0;
	*index = *count = 0;
	while ((d = model_next_deployment(m, &cursor)) != NULL) {
		if (first == NULL)
			first = d;
		if (d->id == ui->deployment_id) {
			shown = d;
			*index = *count;
		}
		(*count)++;
	}
	if (shown == NULL)
		shown = first; /* it was merged into another, or nothing is shown yet */
	ui->deployment_id = shown != NULL ? shown->id : 0;
	return shown;
}

static struct view_settings settings_of(const void *owner, uint32_t deployment_id)
{
	const struct app *app = owner;
	return (struct view_settings){ .label = app_settings(app, deployment_id)->label,
				       .read_only = app_is_read_only(app, deployment_id) };
}

struct view_context ui_context(struct ui *ui)
{
	struct app *app = ui->app;
	int64_t now_ms = app_now_ms(app);
	size_t index, count;
	ui_shown_deployment(ui, &index, &count);
	ui->log_error[0] = '\0';
	if (app->log != NULL)
		logfile_trouble(app->log, ui->log_error, sizeof(ui->log_error));
	ui->record_error[0] = '\0';
	if (app->recorder != NULL)
		recorder_trouble(app->recorder, ui->record_error, sizeof(ui->record_error));
	return (struct view_context){
		.model = ui_model(ui),
		.live_model = app->model,
		.now_ms = ui->frozen ? ui->frozen_at_ms : now_ms,
		.live_now_ms = now_ms,
		.graph = (enum graph_style)app->options->graph,
		.wall_ms = app_wall_ms(app),
		.interval_ms = app->interval_ms,
		.deployment_id = ui->deployment_id,
		.node_id = ui->node_id,
		.deployment_index = index,
		.deployment_count = count,
		.read_only = app_is_read_only(app, ui->deployment_id),
		.label = app_settings(app, ui->deployment_id)->label,
		.frozen = ui->frozen,
		.frozen_at_ms = ui->frozen_at_ms,
		.bytes_per_second = ui->bytes_per_second,
		.notice = app->notice,
		.notice_health = app->notice_health,
		.log_error = ui->log_error,
		.recording = app->recorder != NULL,
		.recording_bytes = app->recorder != NULL ? (int64_t)recorder_bytes(app->recorder) : 0,
		.recording_error = ui->record_error,
		.replay = app->replay != NULL,
		.replay_name = ui_replay_name(ui),
		.timeline = ui_replay_line(ui),
		.settings = settings_of,
		.settings_owner = app,
		.keys = &app->options->config.keys,
		.dashboard = ui->current == SCREEN_DASHBOARD && !ui->help,
		.zoomed = ui->current == SCREEN_DASHBOARD && ui->zoomed,
		.missing_screens = ui_screens_missing(),
	};
}

enum deployment_kind ui_shown_kind(struct ui *ui)
{
	size_t index, count;
	const struct deployment *d = ui_shown_deployment(ui, &index, &count);
	return d != NULL ? d->kind : KIND_UNKNOWN;
}

void ui_all_stale(struct ui *ui)
{
	for (size_t i = 0; i < SCREEN_COUNT; i++)
		if (ui->views[i] != NULL)
			ui->views[i]->stale = true;
}

static size_t view_index(const struct ui *ui, const struct view *v)
{
	size_t i = 0;
	while (i + 1 < SCREEN_COUNT && ui->views[i] != v)
		i++;
	return i;
}

static void rebuild(struct ui *ui, struct view *v, const struct view_context *c)
{
	size_t i = view_index(ui, v);
	v->ops->rebuild(v, c);
	v->stale = false;
	ui->built_for[i].deployment_id = c->deployment_id;
	ui->built_for[i].node_id = c->node_id;
}

static bool is_of_another(const struct ui *ui, const struct view *v, const struct view_context *c)
{
	size_t i = view_index(ui, v);
	return ui->built_for[i].deployment_id != c->deployment_id ||
	       (i == SCREEN_NODE && ui->built_for[i].node_id != c->node_id);
}

void ui_refresh_view(struct ui *ui, struct view *v, const struct view_context *c)
{
	/* What an operator looks at while deciding stands still. */
	bool deciding = ui->sheet != NULL && (ui->sheet->sheet.state == SHEET_CONFIRM ||
					      ui->sheet->sheet.state == SHEET_VALUE);
	bool still = deciding && v->list.count > 0;
	/* Rows of another deployment under this one's name would lead an action astray. */
	if (is_of_another(ui, v, c) || (v->stale && !still))
		rebuild(ui, v, c);
}

/* The model as it is now, with its events. NULL: it could not be copied. */
static struct model *copy_model(const struct model *m)
{
	struct buf bytes = BUF_INIT, err = BUF_INIT;
	model_save(m, &bytes);
	struct model *copy = model_load(bytes.data, bytes.len, &err);
	buf_reset(&bytes);
	event_log_save(model_events(m), 0, &bytes);
	if (copy != NULL && !event_log_restore(model_events_of_load(copy), bytes.data, bytes.len)) {
		model_free(copy);
		copy = NULL;
	}
	buf_free(&bytes);
	buf_free(&err);
	return copy;
}

void ui_freeze(struct ui *ui)
{
	ui->frozen_model = copy_model(ui->app->model);
	if (ui->frozen_model == NULL) {
		app_notice(ui->app, HEALTH_WARNING, "the screen cannot be frozen");
		return;
	}
	ui->frozen = true;
	ui->frozen_at_ms = app_now_ms(ui->app);
	ui_all_stale(ui);
}

void ui_unfreeze(struct ui *ui)
{
	model_free(ui->frozen_model);
	ui->frozen_model = NULL;
	ui->frozen = false;
	ui_all_stale(ui);
}

void ui_dirty(struct ui *ui)
{
	ui->dirty = true;
}

/* --- drawing ----------------------------------------------------------------------------------- */

static void draw_view(struct ui *ui, struct view *v, const struct view_context *c,
		      const struct pane *p, bool focused)
{
	ui_refresh_view(ui, v, c);
	view_draw(v, c, p, focused);
}

static void draw_dashboard(struct ui *ui, const struct view_context *c, const struct pane *body)
{
	struct rect rects[SCREEN_COUNT];
	size_t count = ui_dashboard_panes(ui, c, body->height, body->width, rects);
	/* What each wants follows from its rows of now. */
	for (size_t i = 0; i < count; i++)
		ui_refresh_view(ui, ui->views[rects[i].view], c);
	count = ui_dashboard_panes(ui, c, body->height, body->width, rects);
	ui_settle_focus(ui, rects, count);
	for (size_t i = 0; i < count; i++) {
		struct pane p = pane_sub(body, rects[i].y, rects[i].x, rects[i].height, rects[i].width);
		draw_view(ui, ui->views[rects[i].view], c, &p, rects[i].view == ui->focus);
	}
}

static void draw_body(struct ui *ui, const struct view_context *c, const struct pane *body)
{
	if (ui->help)
		ui->help_scroll_max = help_draw(body, c, ui->help_scroll);
	else if (ui->current == SCREEN_DASHBOARD && !ui->zoomed)
		draw_dashboard(ui, c, body);
	else
		draw_view(ui, ui_focused_view(ui), c, body, true);
}

static void draw_filter_prompt(const struct ui *ui, const struct view *v, const struct pane *p)
{
	char label[32];
	snprintf(label, sizeof(label), "%s: ", v->ops->filter_help != NULL ? v->ops->filter_help : "filter");
	prompt_draw(&ui->prompt, p, 0, 0, label);
}

static void draw_footer(struct ui *ui, const struct view_context *c, const struct pane *p)
{
	const struct view *v = ui_focused_view(ui);
	if (ui->lining)
		line_draw(&ui->line, p);
	else if (ui->prompting)
		draw_filter_prompt(ui, v, p);
	else if (ui->sheet != NULL || ui_menu_is_open(ui) || ui_theme_picking(ui))
		return; /* which says itself what its keys are */
	else if (ui->help)
		footer_help_draw(p, c);
	else
		footer_draw(p, c, v);
}

static void draw_sheet(struct ui *ui, const struct view_context *c, const struct pane *whole)
{
	ui->sheet->sheet.scroll_max = sheet_draw(whole, c, &ui->sheet->sheet, &ui->typed);
	ui->typed.unseen = false;
}

void ui_draw(struct ui *ui)
{
	struct view_context c = ui_context(ui);
	struct tab tabs[SCREEN_COUNT];
	ui_theme_follow(ui);
	struct pane whole = pane_whole(ui->screen);
	pane_fill(&whole, STYLE_TEXT);
	size_t active, tab_count = ui_tabs(ui, tabs, &active);
	int top = header_draw(&whole, &c, tabs, tab_count, active);
	bool typing = ui->prompting || ui->lining;
	int bottom = whole.height >= 4 || (typing && whole.height >= 2) ? 1 : 0;
	if (ui->lining && whole.height >= 4)
		bottom = line_height(&ui->line);
	int line = ui->replay != NULL ? timeline_height(whole.height) : 0;
	struct pane body = pane_sub(&whole, top, 0, whole.height - top - bottom - line, whole.width);
	struct pane foot = pane_sub(&whole, whole.height - bottom, 0, bottom, whole.width);
	draw_body(ui, &c, &body);
	if (line > 0) {
		struct pane p = pane_sub(&whole, whole.height - bottom - line, 0, line, whole.width);
		timeline_draw(&p, &c);
	}
	if (bottom > 0)
		draw_footer(ui, &c, &foot);
	if (ui->sheet != NULL)
		draw_sheet(ui, &c, &whole);
	if (ui_menu_is_open(ui))
		ui_menu_draw(ui, &whole);
	if (ui_theme_picking(ui))
		ui_theme_draw(ui, &whole);
}

static void watch_writable(struct ui *ui)
{
	if (ui->headless)
		return;
	if (screen_unsent(ui->screen) > 0)
		ev_io_start(ui->app->loop, &ui->writable);
	else
		ev_io_stop(ui->app->loop, &ui->writable);
}

void ui_send_frame(struct ui *ui)
{
	if (screen_flush(ui->screen) < 0)
		app_quit(ui->app);
	watch_writable(ui);
}

static void wake_in(struct ui *ui, int64_t ms)
{
	ev_timer_stop(ui->app->loop, &ui->again);
	ev_timer_set(&ui->again, (double)(ms > 0 ? ms : 1) / 1000.0, 0);
	ev_timer_start(ui->app->loop, &ui->again);
}

static void note_topics(struct ui *ui, unsigned topics, int64_t now_ms)
{
	for (size_t i = 0; topics != 0 && i < SCREEN_COUNT; i++)
		if (ui->views[i] != NULL && ui->views[i]->ops->topics & topics)
			ui->views[i]->stale = true;
	if (topics & ~(unsigned)TOPIC_VALUES)
		ui->dirty = true;
	if (!(topics & TOPIC_VALUES) || ui->values_due_ms != 0)
		return;
	int64_t earliest = ui->values_frame_ms + ui->app->interval_ms - VALUES_GATHER_MS;
	ui->values_due_ms = now_ms + VALUES_GATHER_MS;
	if (ui->values_due_ms < earliest)
		ui->values_due_ms = earliest;
}

/* When the next frame may be drawn: 0 now, else ms to wait, -1 nothing to draw. */
static int64_t frame_wait(const struct ui *ui, int64_t now_ms)
{
	bool values = ui->values_due_ms != 0 && now_ms >= ui->values_due_ms;
	/* A key is answered at once, whatever was drawn just before. */
	if (ui->key_dirty && now_ms - ui->key_frame_ms >= FRAME_MS)
		return 0;
	if (ui->dirty || ui->key_dirty || values) {
		int64_t since = now_ms - ui->frame_ms;
		return since >= FRAME_MS ? 0 : FRAME_MS - since;
	}
	return ui->values_due_ms != 0 ? ui->values_due_ms - now_ms : -1;
}

/* A recording's health is nobody's now. */
static void set_title(struct ui *ui, const char *title)
{
	char text[ATTENTION_BYTES + 80];
	const char *words = strchr(title, ':');
	if (ui->replay != NULL)
		text_format(text, sizeof(text), "redoubt: REPLAY %s%s", ui_replay_name(ui),
			    words != NULL ? words : "");
	screen_set_title(ui->screen, ui->replay != NULL ? text : title);
}

/* What is said to somebody who looks elsewhere; of what is, also while the screen stands still. */
static void pay_attention(struct ui *ui, int64_t now_ms)
{
	const struct options *o = ui->app->options;
	bool replay = o->replay_file != NULL;
	struct attention_news news;
	if (ui->headless || now_ms - ui->attention_ms < ATTENTION_EACH_MS ||
	    (!o->title && !o->bell && o->notify == SCREEN_NOTIFY_NONE))
		return;
	ui->attention_ms = now_ms;
	attention_look(&ui->attention, ui->app->model, app_now_ms(ui->app), &news);
	if (o->title)
		set_title(ui, news.title);
	if (news.text[0] == '\0' || replay)
		return;
	if (o->bell)
		screen_ring(ui->screen);
	screen_notify(ui->screen, (enum screen_notify)o->notify, "redoubt", news.text);
	ui->dirty = true;
}

void ui_frame(struct ui *ui, unsigned topics)
{
	int64_t now_ms = clock_mono_ms();
	if (topics & TOPIC_HEALTH)
		pay_attention(ui, now_ms);
	note_topics(ui, topics, now_ms);
	int64_t wait = frame_wait(ui, now_ms);
	if (wait > 0)
		wake_in(ui, wait);
	/* Unsent: the last frame waits for the terminal; the write watcher wakes us. */
	if (wait != 0 || ui->headless || !screen_frame_begin(ui->screen))
		return;
	ui_draw(ui);
	screen_frame_end(ui->screen);
	if (ui->key_dirty)
		ui->key_frame_ms = now_ms;
	ui->frame_ms = ui->values_frame_ms = now_ms;
	ui->values_due_ms = 0;
	ui->dirty = ui->key_dirty = false;
	ui_send_frame(ui);
}

void ui_tick(struct ui *ui)
{
	int64_t now_ms = clock_mono_ms();
	if (now_ms - ui->meter_ms >= 1000) {
		uint64_t bytes = screen_bytes_total(ui->screen);
		double rate = (double)(bytes - ui->meter_bytes) * 1000.0 / (double)(now_ms - ui->meter_ms);
		ui->bytes_per_second = ui->bytes_per_second * 0.7 + rate * 0.3;
		ui->meter_ms = now_ms;
		ui->meter_bytes = bytes;
	}
	ui_replay_tick(ui);
	pay_attention(ui, now_ms);
	/* Ages grow and the clock goes on when nothing else happens. */
	if (now_ms - ui->frame_ms >= 900) {
		ui_all_stale(ui);
		ui->dirty = true;
	}
}
