#include "config.h"

#include "app/ui.h"

#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "tui/keys.h"
#include "tui/prompt.h"
#include "tui/screen.h"
#include "views/view.h"

#define FRAME_MS         33   /* at most 30 frames a second */
#define VALUES_GATHER_MS 60   /* the replies of one poll make one frame */
#define SHEET_DEAF_MS    500  /* keys on their way when the sheet opened are not for it */
#define KEYS_A_TURN      64
#define KEYS_TEXT_MAX    512

enum screen_index { SCREEN_DASHBOARD, SCREEN_TOPOLOGY, SCREEN_REPLICATION, SCREEN_SLOTS, SCREEN_EVENTS,
		    SCREEN_COUNT };
static const char *const tabs[SCREEN_COUNT] = { "Dashboard", "Topology", "Replication", "Slots",
						"Events" };

#define VIEW_COUNT 4 /* one for each screen but the dashboard, which shows them together */

struct ui {
	struct app *app;
	struct screen *screen;
	struct theme theme;
	struct view *views[VIEW_COUNT];
	enum screen_index current;
	size_t focus;             /* view on the dashboard */
	bool zoomed;
	bool help;
	int help_scroll;
	bool prompting;
	struct prompt prompt;
	struct action *sheet;     /* open, or NULL; owned by the app */
	struct prompt typed;
	bool frozen;
	int64_t frozen_at_ms, frozen_wall_ms;
	uint32_t deployment_id;
	/* the frame step */
	bool dirty, key_dirty;
	int64_t values_due_ms;    /* 0: no numbers wait */
	int64_t frame_ms, key_frame_ms, values_frame_ms;
	ev_io readable, writable;
	ev_timer again;
	ev_signal on_winch, on_cont, on_tstp;
	bool headless;
	/* the byte meter */
	int64_t meter_ms;
	uint64_t meter_bytes;
	double bytes_per_second;
	char log_error[120];
};

/* --- what is shown ----------------------------------------------------------------------------- */

static const struct deployment *shown_deployment(struct ui *ui, size_t *index, size_t *count)
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

static struct view_context context_of(struct ui *ui)
{
	struct app *app = ui->app;
	size_t index, count;
	shown_deployment(ui, &index, &count);
	ui->log_error[0] = '\0';
	if (app->log != NULL)
		logfile_trouble(app->log, ui->log_error, sizeof(ui->log_error));
	return (struct view_context){
		.model = app->model,
		.now_ms = ui->frozen ? ui->frozen_at_ms : clock_mono_ms(),
		.wall_ms = clock_wall_ms(),
		.interval_ms = app->interval_ms,
		.deployment_id = ui->deployment_id,
		.deployment_index = index,
		.deployment_count = count,
		.read_only = app->read_only,
		.frozen = ui->frozen,
		.frozen_at_ms = ui->frozen_at_ms,
		.bytes_per_second = ui->bytes_per_second,
		.notice = app->notice,
		.notice_health = app->notice_health,
		.log_error = ui->log_error,
		.command_keys = "",
	};
}

static enum deployment_kind shown_kind(struct ui *ui)
{
	size_t index, count;
	const struct deployment *d = shown_deployment(ui, &index, &count);
	return d != NULL ? d->kind : KIND_UNKNOWN;
}

static bool view_applies(struct ui *ui, const struct view *v)
{
	return v->ops->applies == NULL || v->ops->applies(shown_kind(ui));
}

static struct view *focused_view(struct ui *ui)
{
	return ui->current == SCREEN_DASHBOARD ? ui->views[ui->focus] : ui->views[ui->current - 1];
}

static void all_stale(struct ui *ui)
{
	for (size_t i = 0; i < VIEW_COUNT; i++)
		ui->views[i]->stale = true;
}

void ui_dirty(struct ui *ui)
{
	ui->dirty = true;
}

/* --- drawing ----------------------------------------------------------------------------------- */

static void draw_view(struct ui *ui, struct view *v, const struct view_context *c,
		      const struct pane *p, bool focused)
{
	/* What an operator looks at while deciding stands still. */
	bool deciding = ui->sheet != NULL && ui->sheet->sheet.state == SHEET_CONFIRM;
	bool still = (ui->frozen || deciding) && v->list.count > 0;
	if (v->stale && !still) {
		v->ops->rebuild(v, c);
		v->stale = false;
	}
	v->ops->draw(v, c, p, focused);
}

static void draw_dashboard(struct ui *ui, const struct view_context *c, const struct pane *body)
{
	struct rect rects[VIEW_COUNT];
	size_t count = dashboard_layout(ui->views, VIEW_COUNT, c, body->height, body->width, rects,
					VIEW_COUNT);
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
		draw_view(ui, focused_view(ui), c, body, true);
}

static void draw_footer(struct ui *ui, const struct view_context *c, const struct pane *p)
{
	const struct view *v = focused_view(ui);
	if (ui->prompting)
		prompt_draw(&ui->prompt, p, 0, 0, v->ops->filter_help != NULL ? v->ops->filter_help : "filter");
	else
		footer_draw(p, c, v);
}

static void draw(struct ui *ui)
{
	struct view_context c = context_of(ui);
	struct pane whole = pane_whole(ui->screen);
	pane_fill(&whole, STYLE_TEXT);
	int top = header_draw(&whole, &c, tabs, SCREEN_COUNT, ui->current);
	int bottom = whole.height >= 4 || (ui->prompting && whole.height >= 2) ? 1 : 0;
	struct pane body = pane_sub(&whole, top, 0, whole.height - top - bottom, whole.width);
	struct pane foot = pane_sub(&whole, whole.height - bottom, 0, bottom, whole.width);
	draw_body(ui, &c, &body);
	if (bottom > 0)
		draw_footer(ui, &c, &foot);
	if (ui->sheet != NULL)
		sheet_draw(&whole, &c, &ui->sheet->sheet, &ui->typed);
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
	for (size_t i = 0; topics != 0 && i < VIEW_COUNT; i++)
		if (ui->views[i]->ops->topics & topics)
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
		all_stale(ui);
		ui->dirty = true;
	}
}

/* --- sheets ------------------------------------------------------------------------------------ */

static void open_action(struct ui *ui, const struct action_kind *kind)
{
	struct selection s = { .deployment_id = ui->deployment_id };
	struct view *v = focused_view(ui);
	if (v->ops->selection != NULL)
		v->ops->selection(v, &s);
	const struct deployment *d = model_deployment(ui->app->model, ui->deployment_id);
	/* With one master there is nothing to choose. */
	if (s.group_id == 0 && d != NULL && d->group_count == 1)
		s.group_id = d->groups[0]->id;
	const struct action_context on = { .deployment_id = ui->deployment_id,
					   .group_id = s.group_id,
					   .node_id = s.node_id };
	prompt_clear(&ui->typed);
	ui->sheet = app_action_open(ui->app, kind, &on);
}

static void close_sheet(struct ui *ui)
{
	app_action_close(ui->app, ui->sheet);
	ui->sheet = NULL;
	all_stale(ui);
}

static void sheet_key(struct ui *ui, uint32_t key)
{
	struct sheet *sheet = &ui->sheet->sheet;
	if (key == KEYC_ESC) {
		close_sheet(ui);
		return;
	}
	if (!ui->headless && clock_mono_ms() - sheet->opened_ms < SHEET_DEAF_MS)
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
	app_notice(ui->app, HEALTH_WARNING, "nothing was sent: what was typed is not \"%.100s\"", sheet->confirm);
	prompt_clear(&ui->typed);
}

/* --- prompts ----------------------------------------------------------------------------------- */

static void prompt_filter(struct ui *ui, uint32_t key)
{
	struct view *v = focused_view(ui);
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
	struct view *v = focused_view(ui);
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
	if (screen == SCREEN_SLOTS && !view_applies(ui, ui->views[SCREEN_SLOTS - 1])) {
		app_notice(ui->app, HEALTH_UNKNOWN, "only a cluster has slots");
		return;
	}
	ui->current = screen;
	ui->zoomed = false;
	all_stale(ui);
}

static void move_focus(struct ui *ui, int step)
{
	struct rect rects[VIEW_COUNT];
	struct view_context c = context_of(ui);
	/* In the order in which they stand on the screen. */
	size_t count = dashboard_layout(ui->views, VIEW_COUNT, &c, screen_height(ui->screen) - 4,
					screen_width(ui->screen), rects, VIEW_COUNT);
	if (ui->current != SCREEN_DASHBOARD || count == 0)
		return;
	size_t at = 0;
	while (at < count && rects[at].view != ui->focus)
		at++;
	ui->focus = rects[(at + count + (size_t)(step + (int)count)) % count].view;
	all_stale(ui);
}

static void move_deployment(struct ui *ui, int step)
{
	size_t index, count, cursor = 0, at = 0;
	const struct deployment *d;
	shown_deployment(ui, &index, &count);
	if (count < 2)
		return;
	size_t wanted = (index + count + (size_t)(step + (int)count)) % count;
	while ((d = model_next_deployment(ui->app->model, &cursor)) != NULL)
		if (at++ == wanted)
			ui->deployment_id = d->id;
	if (ui->current == SCREEN_SLOTS && shown_kind(ui) != KIND_CLUSTER)
		ui->current = SCREEN_DASHBOARD;
	all_stale(ui);
}

static void go_back(struct ui *ui)
{
	struct view *v = focused_view(ui);
	if (v->filter[0] != '\0')
		view_set_filter(v, "");
	else if (ui->zoomed)
		ui->zoomed = false;
	else
		ui->current = SCREEN_DASHBOARD;
	all_stale(ui);
}

static void toggle_freeze(struct ui *ui)
{
	ui->frozen = !ui->frozen;
	ui->frozen_at_ms = clock_mono_ms();
	all_stale(ui);
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

static void suspend(struct ui *ui)
{
	if (ui->headless)
		return;
	screen_suspend(ui->screen);
	ev_suspend(ui->app->loop);
	raise(SIGSTOP); /* goes on here at SIGCONT */
	ev_resume(ui->app->loop);
	screen_resume(ui->screen);
	all_stale(ui);
	ui->dirty = true;
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
		suspend(ui);
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

static void ui_key(struct ui *ui, uint32_t key)
{
	ui->key_dirty = true;
	if (ui->sheet != NULL) {
		sheet_key(ui, key);
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
	struct view *v = focused_view(ui);
	struct view_context c = context_of(ui);
	if (cmd == CMD_NONE)
		return;
	if (v->ops->act != NULL && v->ops->act(v, &c, cmd) != EFFECT_NONE)
		return;
	app_command(ui, cmd);
}

/* --- watchers ---------------------------------------------------------------------------------- */

static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct ui *ui = w->data;
	uint32_t keys[KEYS_A_TURN];
	int count;
	(void)loop, (void)revents;
	do {
		count = keys_read(ui->screen, keys, KEYS_A_TURN);
		for (int i = 0; i < count; i++)
			ui_key(ui, keys[i]);
	} while (count == KEYS_A_TURN);
	/* The terminal is gone: an end of file would wake us for ever. */
	if (count < 0)
		app_quit(ui->app);
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
	all_stale(ui);
}

static void on_cont(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct ui *ui = w->data;
	(void)loop, (void)revents;
	screen_resume(ui->screen);
	screen_check_size(ui->screen);
	all_stale(ui);
	ui->dirty = true;
}

static void on_tstp(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop, (void)revents;
	suspend(w->data);
}

/* --- a crash gives the terminal back ----------------------------------------------------------- */

static const int fatal_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
static struct sigaction fatal_before[sizeof(fatal_signals) / sizeof(fatal_signals[0])];

/* Only async-signal-safe calls. The handler from before (a sanitizer's) gets its turn: the faulting
 * instruction runs again when this returns, and abort raises again by itself. */
static void on_fatal(int number)
{
	screen_emergency_restore();
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++)
		if (fatal_signals[i] == number)
			sigaction(number, &fatal_before[i], NULL);
	raise(number);
}

static void catch_fatal(bool on)
{
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++) {
		struct sigaction sa = { .sa_handler = on_fatal, .sa_flags = SA_NODEFER };
		sigemptyset(&sa.sa_mask);
		if (on)
			sigaction(fatal_signals[i], &sa, &fatal_before[i]);
		else
			sigaction(fatal_signals[i], &fatal_before[i], NULL);
	}
}

/* --- life -------------------------------------------------------------------------------------- */

static void start_watchers(struct ui *ui)
{
	struct ev_loop *loop = ui->app->loop;
	ev_io_init(&ui->readable, on_readable, screen_fd(ui->screen), EV_READ);
	ev_io_init(&ui->writable, on_writable, screen_fd(ui->screen), EV_WRITE);
	ev_timer_init(&ui->again, on_again, 0, 0);
	ev_signal_init(&ui->on_winch, on_winch, SIGWINCH);
	ev_signal_init(&ui->on_cont, on_cont, SIGCONT);
	ev_signal_init(&ui->on_tstp, on_tstp, SIGTSTP);
	ui->readable.data = ui->writable.data = ui;
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
	ev_signal_stop(loop, &ui->on_winch);
	ev_signal_stop(loop, &ui->on_cont);
	ev_signal_stop(loop, &ui->on_tstp);
}

static bool open_theme(struct ui *ui, struct buf *err)
{
	const char *name = ui->app->options->theme;
	if (name == NULL || strcmp(name, "default") == 0) {
		theme_builtin(&ui->theme);
		return true;
	}
	return theme_load(&ui->theme, name, err);
}

struct ui *ui_open(struct app *app, struct buf *err)
{
	static const struct view_ops *const ops[VIEW_COUNT] = { &topology_view, &replication_view,
								&slots_view, &events_view };
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
	if (!open_theme(ui, err) || (ui->screen = screen_open(&so, err)) == NULL) {
		free(ui);
		return NULL;
	}
	for (size_t i = 0; i < VIEW_COUNT; i++)
		ui->views[i] = view_new(ops[i]);
	all_stale(ui);
	ui->dirty = true;
	ui->meter_ms = clock_mono_ms();
	if (!ui->headless) {
		start_watchers(ui);
		catch_fatal(true);
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
		catch_fatal(false);
	}
	screen_close(ui->screen);
	for (size_t i = 0; i < VIEW_COUNT; i++)
		view_free(ui->views[i]);
	free(ui);
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
		headless_frame(ui);
	}
	headless_frame(ui);
	screen_dump(ui->screen, out, ui->app->options->color);
	return true;
}
