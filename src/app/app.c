#include "config.h"

#include "app/app.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/app_actions.h"
#include "app/replay.h"
#include "app/report_save.h"
#include "app/ui.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/eye.h"
#include "net/listens.h"
#include "net/recorder.h"

/* Ages, deadlines and settled events are looked at so often; numbers come with the polls. */
#define TICK_S 0.2
/* --once gives up on what has not answered after so many deadlines: seed, members, their members. */
#define ONCE_DEADLINES 3
#define RECORD_CLOSE_MS  2000

void app_notice(struct app *app, enum health health, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(app->notice, sizeof(app->notice), fmt, ap);
	va_end(ap);
	app->notice_health = health;
	app->notice_until_ms = clock_mono_ms() + 5000;
	if (app->ui != NULL)
		ui_dirty(app->ui);
}

void app_quit(struct app *app)
{
	app->quitting = true;
	ev_break(app->loop, EVBREAK_ALL);
}

void app_set_interval(struct app *app, int64_t interval_ms)
{
	/* A recording was made at the interval that it was made at. */
	if (app->replay != NULL)
		return;
	app->interval_ms = interval_ms;
	watch_set_interval(app->watch, interval_ms);
	if (app->recorder != NULL)
		recorder_interval(app->recorder, interval_ms, clock_mono_ms());
	model_set_interval(app->model, interval_ms);
}

int64_t app_now_ms(const struct app *app)
{
	return app->replay != NULL ? app->replay->now_ms : clock_mono_ms();
}

int64_t app_wall_ms(const struct app *app)
{
	if (app->replay == NULL)
		return clock_wall_ms();
	return player_wall_ms(app->replay->player, app->replay->now_ms);
}

/* --- one way in -------------------------------------------------------------------------------- */

unsigned app_observe(struct app *app, const struct observation *obs)
{
	if (app->recorder != NULL)
		recorder_add(app->recorder, app->model, obs);
	unsigned topics = model_apply(app->model, obs);
	app->pending |= topics;
	/* Here and not once a turn: what a line says must depend on what came, not on when we slept. */
	if (topics & TOPIC_EVENTS)
		app_pump_events(app, false);
	return topics;
}

void app_tick(struct app *app, int64_t now_ms, int64_t wall_ms)
{
	if (app->recorder != NULL)
		recorder_tick(app->recorder, app->model, now_ms, wall_ms);
	app->pending |= model_tick(app->model, now_ms, wall_ms);
	app_pump_events(app, false);
}

static unsigned app_sink(const struct observation *obs, void *owner)
{
	struct app *app = owner;
	unsigned topics = app_observe(app, obs);
	if (app->eye != NULL && (topics & (TOPIC_NODES | TOPIC_TOPOLOGY)))
		eye_follow(app->eye);
	/* Numbers alone decide no action. */
	if (topics & ~(unsigned)TOPIC_VALUES)
		app_actions_follow(app);
	return topics;
}

/* --- the client's eye ------------------------------------------------------------------------- */

static void eye_sink(const struct observation *obs, void *owner)
{
	app_observe(owner, obs);
}

static bool eye_may_write(uint32_t deployment_id, void *owner)
{
	return !app_is_read_only(owner, deployment_id);
}

static void start_eye(struct app *app)
{
	const struct eye_config config = { .loop = app->loop,
					   .model = app->model,
					   .profiles = app->network->profiles,
					   .profile_count = app->network->count,
					   .sink = eye_sink,
					   .may_write = eye_may_write,
					   .owner = app };
	app->eye = eye_new(&config);
	if (app->options->probe)
		eye_set_all(app->eye);
}

static void stop_eye(struct app *app)
{
	eye_free(app->eye);
	app->eye = NULL;
}

bool app_probes(const struct app *app, uint32_t deployment_id)
{
	return app->eye != NULL && eye_is_on(app->eye, deployment_id);
}

bool app_probe(struct app *app, uint32_t deployment_id, bool on, struct buf *err)
{
	if (app->replay != NULL)
		buf_addstr(err, "a recording: nothing can be written");
	else if (app_is_read_only(app, deployment_id) && on)
		buf_addstr(err, "read-only: nothing may be written");
	else if (app->options->mode == RUN_DUMP && on)
		buf_addstr(err, "--dump sends nothing");
	if (err->len > 0)
		return false;
	eye_set(app->eye, deployment_id, on);
	return true;
}

/* --- outputs ----------------------------------------------------------------------------------- */

/* By the model's time: a replay has no other. */
static void pump(struct app *app, struct event_stream *stream, struct logfile *to,
		 enum output_format format, bool all)
{
	struct buf lines = BUF_INIT;
	if (to == NULL)
		return;
	event_stream_pump(stream, app->model, format, model_now_ms(app->model), all, &lines);
	if (lines.len > 0)
		logfile_add(to, lines.data, lines.len);
	buf_free(&lines);
}

void app_pump_events(struct app *app, bool all)
{
	enum output_format format = app->options->format;
	pump(app, &app->log_stream, app->log, FORMAT_TEXT, all);
	pump(app, &app->events_stream, app->events_out, format, all);
	if (app->events_text != NULL)
		event_stream_pump(&app->events_stream, app->model, format, model_now_ms(app->model), all,
				  app->events_text);
}

/* The screen says it itself, as long as it lasts. */
static void say_record_trouble(struct app *app)
{
	char words[200];
	if (app->recorder == NULL || app->record_trouble_said ||
	    !recorder_trouble(app->recorder, words, sizeof(words)))
		return;
	app->record_trouble_said = true;
	if (app->ui == NULL)
		fprintf(stderr, "redoubt: --record: %s\n", words);
	else
		ui_dirty(app->ui);
}

/* The real clock's tick: the watched world's as well, unless that is a recording, which the screen
 * plays. */
static void tick_world(struct app *app)
{
	if (app->replay != NULL)
		return;
	app_tick(app, clock_mono_ms(), clock_wall_ms());
	app_actions_follow(app);
	say_record_trouble(app);
}

static void on_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct app *app = w->data;
	struct logfile_losses losses;
	(void)loop, (void)revents;
	tick_world(app);
	/* The reader of --events went away, or the disk is full. */
	if (app->events_out != NULL && logfile_losses(app->events_out, &losses)) {
		if (losses.error != 0)
			app_quit(app);
		else if (!app->losses_said)
			fprintf(stderr, "redoubt: --events: the reader is too slow, lines are lost\n");
		app->losses_said = true;
	}
	if (app->notice[0] != '\0' && clock_mono_ms() > app->notice_until_ms) {
		app->notice[0] = '\0';
		if (app->ui != NULL)
			ui_dirty(app->ui);
	}
	if (app->ui != NULL)
		ui_tick(app->ui);
}

/* Once a turn of the loop, before it sleeps: the one way out. */
static void on_flush(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct app *app = w->data;
	(void)loop, (void)revents;
	if (app->ui != NULL)
		ui_frame(app->ui, app->pending);
	app->pending = 0;
}

static void on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct app *app = w->data;
	(void)loop, (void)revents;
	if (w->signum == SIGINT && app->ui != NULL && app_actions_hold(app))
		return;
	app->signal_number = w->signum;
	app_quit(app);
}

/* --- life -------------------------------------------------------------------------------------- */

static void name_operator(struct app *app)
{
	const char *user = getenv("SUDO_USER"), *ssh = getenv("SSH_CONNECTION");
	char name[64], from[64] = "";
	if (user == NULL)
		user = getenv("USER");
	if (user == NULL) {
		/* The last resort: on a bastion host it may ask a directory over the network. */
		const struct passwd *entry = getpwuid(getuid());
		user = entry != NULL ? entry->pw_name : "unknown";
	}
	text_clean(name, sizeof(name), user, strlen(user));
	if (ssh != NULL)
		text_clean(from, sizeof(from), ssh, strcspn(ssh, " "));
	snprintf(app->operator_name, sizeof(app->operator_name), "%s%s%s", name,
		 from[0] != '\0' ? " from " : "", from);
}

static void start_watchers(struct app *app)
{
	ev_timer_init(&app->tick, on_tick, TICK_S, TICK_S);
	ev_prepare_init(&app->flush, on_flush);
	ev_signal_init(&app->on_int, on_signal, SIGINT);
	ev_signal_init(&app->on_term, on_signal, SIGTERM);
	ev_signal_init(&app->on_hup, on_signal, SIGHUP);
	app->tick.data = app->flush.data = app;
	app->on_int.data = app->on_term.data = app->on_hup.data = app;
	ev_timer_start(app->loop, &app->tick);
	ev_prepare_start(app->loop, &app->flush);
	ev_signal_start(app->loop, &app->on_int);
	ev_signal_start(app->loop, &app->on_term);
	ev_signal_start(app->loop, &app->on_hup);
}

static void add_targets(struct app *app, const struct demo *demo)
{
	const struct network *net = app->network;
	size_t added = 0;
	for (size_t i = 0; i < net->count; i++) {
		const struct settings *s = net->settings[i];
		for (size_t k = 0; k < s->target_count; k++, added++)
			watch_add_target(app->watch, &s->targets[k].addr, (uint32_t)i, s->name);
	}
	for (size_t i = 0; demo != NULL && i < demo->target_count; i++, added++)
		watch_add_target(app->watch, &demo->targets[i], 0, NULL);
	if (added > 0)
		return;
	/* Without targets: a Sentinel on this host, else a server. */
	struct endpoint sentinel, server;
	endpoint_parse(&sentinel, "127.0.0.1:26379", 0);
	endpoint_parse(&server, "127.0.0.1:6379", 0);
	watch_add_target(app->watch, listens_on(&sentinel) ? &sentinel : &server, 0, NULL);
}

const struct settings *app_settings(const struct app *app, uint32_t deployment_id)
{
	const struct deployment *d = model_deployment(app->model, deployment_id);
	uint32_t profile = d != NULL && d->profile < app->network->count ? d->profile : 0;
	return app->network->settings[profile];
}

bool app_is_read_only(const struct app *app, uint32_t deployment_id)
{
	const struct deployment *d = model_deployment(app->model, deployment_id);
	/* One that is gone or was merged into another: whose settings hold is not known. */
	if (d == NULL)
		return true;
	return app->options->read_only || app_settings(app, deployment_id)->read_only;
}

/* "redoubt: --log FILE: why"; place: of the option or of the key. */
static bool file_error(const char *place, const char *path, struct buf *err)
{
	char name[1024];
	text_clean(name, sizeof(name), path, strlen(path));
	fprintf(stderr, "redoubt: %s %s: %s\n", place, name, buf_str(err));
	buf_free(err);
	return false;
}

int output_failed(const char *what, int error)
{
	fprintf(stderr, "redoubt: %s could not be written%s%s\n", what, error != 0 ? ": " : "",
		error != 0 ? strerror(error) : "");
	return EXIT_OUTPUT;
}

/* Writes out to standard output, the whole of it. Returns errno, 0 when all went out. */
static int print_all(const struct buf *out)
{
	errno = 0;
	if (fwrite(buf_str(out), 1, out->len, stdout) == out->len && fflush(stdout) == 0)
		return 0;
	return errno != 0 ? errno : EIO;
}

static bool open_log(struct app *app, const char *path)
{
	struct buf err = BUF_INIT, place = BUF_INIT;
	app->log = logfile_open(path, &err);
	options_place(app->options, UI_INDEX_log_file, &place);
	bool ok = app->log != NULL || file_error(buf_str(&place), path, &err);
	buf_free(&place);
	if (!ok)
		app->exit_status = EXIT_OUTPUT;
	return ok;
}

static bool open_recorder(struct app *app, const struct options *o)
{
	struct buf err = BUF_INIT;
	app->secrets = mem_alloc(app->network->count * sizeof(const struct credentials *));
	for (size_t i = 0; i < app->network->count; i++)
		app->secrets[i] = app->network->profiles[i].credentials;
	const struct recorder_config config = { .path = o->record_file,
						.max_bytes = o->record_max_bytes,
						.secrets = app->secrets,
						.secret_count = app->network->count,
						.version = PACKAGE_VERSION,
						.operator_name = app->operator_name };
	app->recorder = recorder_open(&config, &err);
	if (app->recorder == NULL) {
		app->exit_status = EXIT_OUTPUT;
		return file_error("--record", o->record_file, &err);
	}
	recorder_interval(app->recorder, app->interval_ms, clock_mono_ms());
	return true;
}

static bool start_replay(struct app *app)
{
	struct buf err = BUF_INIT;
	bool ok = replay_start(app, &err);
	if (!ok)
		fprintf(stderr, "redoubt: %s\n", buf_str(&err));
	buf_free(&err);
	if (ok)
		start_watchers(app);
	return ok;
}

static bool app_start(struct app *app, const struct options *o, const struct network *network,
		      const struct demo *demo, bool subscribe)
{
	app->options = o;
	app->network = network;
	app->loop = ev_default_loop(EVFLAG_AUTO);
	app->interval_ms = o->interval_ms;
	app->log_stream.next_seq = app->events_stream.next_seq = 1;
	name_operator(app);
	if (o->replay_file != NULL)
		return start_replay(app);
	app->model = model_new(EVENT_RING_DEFAULT);
	model_set_interval(app->model, o->interval_ms);
	model_set_alerts(app->model, &o->config.alerts);
	const struct watch_config config = { .loop = app->loop,
					     .model = app->model,
					     .profiles = network->profiles,
					     .profile_count = network->count,
					     .interval_ms = o->interval_ms,
					     .timeout_ms = o->timeout_ms,
					     .subscribe = subscribe,
					     .sink = app_sink,
					     .owner = app };
	app->watch = watch_new(&config);
	start_eye(app);
	if (o->log_file != NULL && !open_log(app, o->log_file))
		return false;
	if (o->record_file != NULL && !open_recorder(app, o))
		return false;
	start_watchers(app);
	add_targets(app, demo);
	return true;
}

/* --- the end ----------------------------------------------------------------------------------- */

/* "redoubt: WHAT: 3 lines lost: No space left on device". A reader that had enough is no trouble. */
static bool report_losses(const char *what, const struct logfile_losses *losses)
{
	if (losses->error == EPIPE || (losses->error == 0 && losses->lines == 0 && !losses->unread))
		return false;
	fprintf(stderr, "redoubt: %s: %zu line%s lost%s%s%s\n", what, losses->lines,
		losses->lines == 1 ? "" : "s", losses->error != 0 ? ": " : "",
		losses->error != 0 ? strerror(losses->error) : "",
		losses->unread ? ", and the last ones were not taken" : "");
	return true;
}

static void app_stop(struct app *app)
{
	struct logfile_losses losses = { 0 };
	app_actions_leave(app);
	stop_eye(app);
	app_pump_events(app, true);
	app_actions_free(app);
	if (app->recorder != NULL)
		recorder_flush(app->recorder, app->model);
	say_record_trouble(app);
	recorder_close(app->recorder, RECORD_CLOSE_MS);
	free(app->secrets);
	report_save_stop(app->report_save);
	watch_free(app->watch);
	model_free(app->model);
	replay_free(app->replay);
	logfile_close(app->log, 1000, &losses);
	report_losses("--log", &losses);
	ev_loop_destroy(app->loop);
}

/* --- without a screen -------------------------------------------------------------------------- */

/* Turns the loop until everything that can be known is known. */
static void run_until_settled(struct app *app)
{
	int64_t deadline = clock_mono_ms() + ONCE_DEADLINES * app->options->timeout_ms;
	if (app->replay != NULL)
		return;
	while (!app->quitting && !(watch_settled(app->watch) && eye_settled(app->eye)) &&
	       clock_mono_ms() < deadline)
		ev_run(app->loop, EVRUN_ONCE);
}

static int run_once(struct app *app)
{
	static const int status[] = { [HEALTH_OK] = 0, [HEALTH_WARNING] = 1, [HEALTH_CRITICAL] = 2,
				      [HEALTH_UNKNOWN] = 3 };
	struct buf out = BUF_INIT;
	int64_t now_ms, wall_ms;
	run_until_settled(app);
	/* Half a snapshot would look like a verdict. */
	if (app->signal_number != 0)
		return 128 + app->signal_number;
	now_ms = app_now_ms(app);
	wall_ms = app_wall_ms(app);
	/* So that a recording ends at the moment of the snapshot. */
	if (app->replay == NULL)
		app_tick(app, now_ms, wall_ms);
	if (app->options->format == FORMAT_JSON)
		output_snapshot_json(app->model, now_ms, wall_ms, &out);
	else
		output_snapshot_text(app->model, now_ms, wall_ms, &out);
	replay_say_damage(app);
	int error = print_all(&out);
	buf_free(&out);
	return error != 0 ? output_failed("the snapshot", error)
			  : status[fleet_health(app->model, now_ms)];
}

static int run_events(struct app *app)
{
	if (app->replay != NULL)
		return replay_print_events(app);
	app->events_out = logfile_open_fd(STDOUT_FILENO);
	if (app->events_out == NULL)
		return output_failed("the events", EAGAIN);
	ev_run(app->loop, 0);
	struct logfile_losses losses = { 0 };
	app_pump_events(app, true);
	logfile_close(app->events_out, 1000, &losses);
	app->events_out = NULL;
	bool lost = report_losses("--events", &losses);
	return !lost ? 0 : losses.error != 0 ? EXIT_OUTPUT : 1;
}

static int run_dump(struct app *app)
{
	struct buf err = BUF_INIT, out = BUF_INIT;
	run_until_settled(app);
	if (app->signal_number != 0)
		return 128 + app->signal_number;
	app->ui = ui_open(app, &err);
	if (app->ui == NULL || !ui_dump(app->ui, &out, &err)) {
		fprintf(stderr, "redoubt: %s\n", buf_str(&err));
		app->exit_status = EXIT_USAGE;
	} else {
		replay_say_damage(app);
		int error = print_all(&out);
		if (error != 0)
			app->exit_status = output_failed("the frame", error);
	}
	ui_close(app->ui);
	app->ui = NULL;
	buf_free(&err);
	buf_free(&out);
	return app->exit_status;
}

static int run_screen(struct app *app)
{
	struct buf err = BUF_INIT;
	app->ui = ui_open(app, &err);
	if (app->ui == NULL) {
		fprintf(stderr, "redoubt: %s\n", buf_str(&err));
		buf_free(&err);
		return EXIT_USAGE;
	}
	ev_run(app->loop, 0);
	ui_close(app->ui);
	app->ui = NULL;
	return app->exit_status;
}

int app_run(const struct options *o, const struct network *network, const struct demo *demo)
{
	struct app app = { .exit_status = 0 };
	bool subscribe = o->mode == RUN_SCREEN || o->mode == RUN_EVENTS;
	int status;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error of write() then */
	if (app_start(&app, o, network, demo, subscribe))
		status = o->mode == RUN_ONCE     ? run_once(&app)
			 : o->mode == RUN_EVENTS ? run_events(&app)
			 : o->mode == RUN_DUMP   ? run_dump(&app)
						 : run_screen(&app);
	else
		status = app.exit_status != 0 ? app.exit_status : EXIT_USAGE;
	app_stop(&app);
	return status;
}
