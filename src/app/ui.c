#include "config.h"

#include "app/ui.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "app/crash.h"
#include "app/ui_private.h"
#include "app/ui_theme.h"
#include "base/clock.h"
#include "base/mem.h"

#define FRAME_MS         33   /* at most 30 frames a second */
#define VALUES_GATHER_MS 60   /* the replies of one poll make one frame */
#define KEYS_A_TURN      64
#define KEYS_TEXT_MAX    512

/* --- what is shown ----------------------------------------------------------------------------- */

const struct deployment *ui_shown_deployment(struct ui *ui, size_t *index, size_t *count)
{
	const struct model *m = ui->app->model;
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
	int64_t now_ms = clock_mono_ms();
	size_t index, count;
	ui_shown_deployment(ui, &index, &count);
	ui->log_error[0] = '\0';
	if (app->log != NULL)
		logfile_trouble(app->log, ui->log_error, sizeof(ui->log_error));
	return (struct view_context){
		.model = app->model,
		.now_ms = ui->frozen ? ui->frozen_at_ms : now_ms,
		.live_now_ms = now_ms,
		.wall_ms = clock_wall_ms(),
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
		.settings = settings_of,
		.settings_owner = app,
		.keys = &app->options->config.keys,
		.dashboard = ui->current == SCREEN_DASHBOARD && !ui->help,
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
	bool deciding = ui->sheet != NULL && ui->sheet->sheet.state == SHEET_CONFIRM;
	bool still = ui->frozen || (deciding && v->list.count > 0);
	/* Rows of another deployment under this one's name would lead an action astray. */
	if (is_of_another(ui, v, c) || (v->stale && !still))
		rebuild(ui, v, c);
}

void ui_freeze(struct ui *ui)
{
	ui->frozen = true;
	ui->frozen_at_ms = clock_mono_ms();
	struct view_context c = ui_context(ui);
	ui->frozen_for = c.deployment_id;
	for (size_t i = 0; i < SCREEN_COUNT; i++)
		if (ui->views[i] != NULL && ui_view_applies(ui, ui->views[i]))
			rebuild(ui, ui->views[i], &c);
}

void ui_unfreeze(struct ui *ui)
{
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
	bool shown = false;
	for (size_t i = 0; i < count; i++)
		shown |= rects[i].view == ui->focus;
	if (!shown && count > 0)
		ui->focus = rects[0].view;
	for (size_t i = 0; i < count; i++) {
		struct pane p = pane_sub(body, rects[i].y, rects[i].x, rects[i].height, rects[i].width);
		draw_view(ui, ui->views[rects[i].view], c, &p, rects[i].view == ui->focus);
	}
}

static void draw_body(struct ui *ui, const struct view_context *c, const struct pane *body)
{
	if (ui->help)
		help_draw(body, c, ui->help_scroll);
	else if (ui->current == SCREEN_DASHBOARD && !ui->zoomed)
		draw_dashboard(ui, c, body);
	else
		draw_view(ui, ui_focused_view(ui), c, body, true);
}

static void draw_footer(struct ui *ui, const struct view_context *c, const struct pane *p)
{
	const struct view *v = ui_focused_view(ui);
	if (ui->prompting)
		prompt_draw(&ui->prompt, p, 0, 0, v->ops->filter_help != NULL ? v->ops->filter_help : "filter");
	else
		footer_draw(p, c, v);
}

static void draw(struct ui *ui)
{
	struct view_context c = ui_context(ui);
	struct tab tabs[SCREEN_COUNT];
	ui_theme_follow(ui);
	struct pane whole = pane_whole(ui->screen);
	/* The one that was frozen has been merged into another: there is nothing of that moment to show. */
	if (ui->frozen && ui->frozen_for != c.deployment_id) {
		ui_unfreeze(ui);
		c = ui_context(ui);
	}
	pane_fill(&whole, STYLE_TEXT);
	size_t active, tab_count = ui_tabs(ui, tabs, &active);
	int top = header_draw(&whole, &c, tabs, tab_count, active);
	int bottom = whole.height >= 4 || (ui->prompting && whole.height >= 2) ? 1 : 0;
	struct pane body = pane_sub(&whole, top, 0, whole.height - top - bottom, whole.width);
	struct pane foot = pane_sub(&whole, whole.height - bottom, 0, bottom, whole.width);
	draw_body(ui, &c, &body);
	if (bottom > 0)
		draw_footer(ui, &c, &foot);
	if (ui->sheet != NULL)
		sheet_draw(&whole, &c, &ui->sheet->sheet, &ui->typed);
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

static void send_frame(struct ui *ui)
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

void ui_frame(struct ui *ui, unsigned topics)
{
	int64_t now_ms = clock_mono_ms();
	note_topics(ui, topics, now_ms);
	int64_t wait = frame_wait(ui, now_ms);
	if (wait > 0)
		wake_in(ui, wait);
	/* Unsent: the last frame waits for the terminal; the write watcher wakes us. */
	if (wait != 0 || ui->headless || !screen_frame_begin(ui->screen))
		return;
	draw(ui);
	screen_frame_end(ui->screen);
	if (ui->key_dirty)
		ui->key_frame_ms = now_ms;
	ui->frame_ms = ui->values_frame_ms = now_ms;
	ui->values_due_ms = 0;
	ui->dirty = ui->key_dirty = false;
	send_frame(ui);
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
	/* Ages grow and the clock goes on when nothing else happens. */
	if (now_ms - ui->frame_ms >= 900) {
		ui_all_stale(ui);
		ui->dirty = true;
	}
}

/* --- watchers ---------------------------------------------------------------------------------- */

/* The kernel leaves SIGTSTP out where no shell could bring us back: a terminal's only program, the
 * first process of a container. SIGSTOP would stop us there for ever. */
static void stop_here(void)
{
	struct sigaction usual = { .sa_handler = SIG_DFL }, before;
	sigemptyset(&usual.sa_mask);
	sigaction(SIGTSTP, &usual, &before);
	raise(SIGTSTP); /* goes on here at SIGCONT */
	sigaction(SIGTSTP, &before, NULL);
}

void ui_suspend(struct ui *ui)
{
	if (ui->headless)
		return;
	screen_suspend(ui->screen);
	ev_suspend(ui->app->loop);
	stop_here();
	ev_resume(ui->app->loop);
	screen_resume(ui->screen);
	ui_all_stale(ui);
	ui->dirty = true;
}

static void read_keys(struct ui *ui)
{
	uint32_t keys[KEYS_A_TURN];
	int count, wait_ms;
	ev_timer_stop(ui->app->loop, &ui->rest);
	do {
		count = keys_read(ui->screen, keys, KEYS_A_TURN);
		for (int i = 0; i < count; i++)
			ui_key(ui, keys[i]);
	} while (count == KEYS_A_TURN);
	/* The terminal is gone: an end of file would wake us for ever. */
	if (count < 0)
		app_quit(ui->app);
	if ((wait_ms = keys_wait_ms(ui->screen)) < 0)
		return;
	ev_timer_set(&ui->rest, (wait_ms > 0 ? wait_ms : 1) / 1000.0, 0);
	ev_timer_start(ui->app->loop, &ui->rest);
}

static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop, (void)revents;
	read_keys(w->data);
}

/* What might have been the beginning of a sequence is a key. */
static void on_rest(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop, (void)revents;
	read_keys(w->data);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct ui *ui = w->data;
	(void)loop, (void)revents;
	send_frame(ui);
	if (screen_unsent(ui->screen) == 0)
		ui->dirty = true; /* what happened meanwhile */
}

static void on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop, (void)w, (void)revents; /* the frame step runs before the loop sleeps again */
}

static void on_winch(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct ui *ui = w->data;
	(void)loop, (void)revents;
	if (screen_check_size(ui->screen))
		ui->dirty = true;
	ui_all_stale(ui);
}

static void on_cont(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct ui *ui = w->data;
	(void)loop, (void)revents;
	screen_resume(ui->screen);
	screen_check_size(ui->screen);
	ui_all_stale(ui);
	ui->dirty = true;
}

static void on_tstp(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop, (void)revents;
	ui_suspend(w->data);
}

/* --- life -------------------------------------------------------------------------------------- */

static void start_watchers(struct ui *ui)
{
	struct ev_loop *loop = ui->app->loop;
	ev_io_init(&ui->readable, on_readable, screen_fd(ui->screen), EV_READ);
	ev_io_init(&ui->writable, on_writable, screen_fd(ui->screen), EV_WRITE);
	ev_timer_init(&ui->again, on_again, 0, 0);
	ev_timer_init(&ui->rest, on_rest, 0, 0);
	ev_signal_init(&ui->on_winch, on_winch, SIGWINCH);
	ev_signal_init(&ui->on_cont, on_cont, SIGCONT);
	ev_signal_init(&ui->on_tstp, on_tstp, SIGTSTP);
	ui->readable.data = ui->writable.data = ui->rest.data = ui;
	ui->on_winch.data = ui->on_cont.data = ui->on_tstp.data = ui;
	ev_io_start(loop, &ui->readable);
	ev_signal_start(loop, &ui->on_winch);
	ev_signal_start(loop, &ui->on_cont);
	ev_signal_start(loop, &ui->on_tstp);
}

static void stop_watchers(struct ui *ui)
{
	struct ev_loop *loop = ui->app->loop;
	ev_io_stop(loop, &ui->readable);
	ev_io_stop(loop, &ui->writable);
	ev_timer_stop(loop, &ui->again);
	ev_timer_stop(loop, &ui->rest);
	ev_signal_stop(loop, &ui->on_winch);
	ev_signal_stop(loop, &ui->on_cont);
	ev_signal_stop(loop, &ui->on_tstp);
}

struct ui *ui_open(struct app *app, struct buf *err)
{
	const struct options *o = app->options;
	const char *no_color = getenv("NO_COLOR");
	struct ui *ui = mem_alloc(sizeof(*ui));
	ui->app = app;
	ui->headless = o->mode == RUN_DUMP;
	const struct screen_options so = { .theme = &ui->theme,
					   .ascii = o->ascii,
					   .no_color = o->no_color || (no_color != NULL && no_color[0] != '\0'),
					   .headless = ui->headless,
					   .width = o->dump_width,
					   .height = o->dump_height };
	if (!ui_theme_open(ui, err) || (ui->screen = screen_open(&so, err)) == NULL) {
		free(ui);
		return NULL;
	}
	ui_screens_open(ui);
	ui_all_stale(ui);
	ui->dirty = true;
	ui->meter_ms = clock_mono_ms();
	if (!ui->headless) {
		start_watchers(ui);
		crash_restores_terminal(true);
	}
	if (screen_notice(ui->screen)[0] != '\0') {
		app->ui = ui;
		app_notice(app, HEALTH_UNKNOWN, "%s", screen_notice(ui->screen));
	}
	return ui;
}

void ui_close(struct ui *ui)
{
	if (ui == NULL)
		return;
	if (!ui->headless) {
		stop_watchers(ui);
		crash_restores_terminal(false);
	}
	screen_close(ui->screen);
	ui_theme_close(ui);
	ui_screens_close(ui);
	free(ui);
}

/* What needs no confirmation has been sent by the key: the frame shows the answers. */
static void await_replies(struct ui *ui)
{
	int64_t deadline_ms = clock_mono_ms() + ui->app->options->timeout_ms;
	while (ui->sheet != NULL && ui->sheet->stage == ACTION_SENT && clock_mono_ms() < deadline_ms)
		ev_run(ui->app->loop, EVRUN_ONCE);
}

static void headless_frame(struct ui *ui)
{
	screen_frame_begin(ui->screen);
	draw(ui);
	screen_frame_end(ui->screen);
}

bool ui_dump(struct ui *ui, struct buf *out, struct buf *err)
{
	const char *text = ui->app->options->keys != NULL ? ui->app->options->keys : "";
	uint32_t keys[KEYS_TEXT_MAX];
	size_t count;
	if (!keys_parse(text, keys, KEYS_TEXT_MAX, &count)) {
		buf_addstr(err, "--keys: unknown key name");
		return false;
	}
	/* Twice: heights settle when the panes have their rows. */
	headless_frame(ui);
	headless_frame(ui);
	for (size_t i = 0; i < count && !ui->app->quitting; i++) {
		ui_key(ui, keys[i]);
		await_replies(ui);
		headless_frame(ui);
	}
	headless_frame(ui);
	screen_dump(ui->screen, out, ui->app->options->color);
	return true;
}
