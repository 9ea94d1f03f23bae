/* The screen's life: its watchers, suspension, and frames without a terminal. */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "app/crash.h"
#include "app/ui_menu.h"
#include "app/ui_private.h"
#include "app/ui_theme.h"
#include "base/clock.h"
#include "base/mem.h"

#define KEYS_A_TURN   64
#define KEYS_TEXT_MAX 512

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
	ui_send_frame(ui);
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
					   .truecolor = (enum truecolor)o->truecolor,
					   .mouse = o->mouse,
					   .headless = ui->headless,
					   .width = o->dump_width,
					   .height = o->dump_height };
	if (!ui_theme_open(ui, err) || (ui->screen = screen_open(&so, err)) == NULL) {
		free(ui);
		return NULL;
	}
	ui_screens_open(ui);
	ui->replay = ui_replay_open(ui);
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
	ui_replay_close(ui);
	ui_menu_close(ui);
	ui_theme_close(ui);
	attention_done(&ui->attention);
	ui_screens_close(ui);
	line_done(&ui->line);
	model_free(ui->frozen_model);
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
	ui_draw(ui);
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
