/* The program while it runs: loop, model, watch, outputs, and the actions on their way.
 *
 * Data flow: watch -> app_sink (model_apply; topics collected) -> ev_prepare: outputs and screen
 * take what changed. Nothing else writes the model. */
#ifndef APP_APP_H
#define APP_APP_H

#include <ev.h>

#include "app/app_actions.h"
#include "app/logfile.h"
#include "app/network.h"
#include "app/options.h"
#include "app/output.h"
#include "model/model.h"
#include "net/watch.h"

struct eye;
struct recorder;
struct replay;
struct report_save;
struct ui;

struct app {
	const struct options *options;
	struct ev_loop *loop;
	struct model *model;
	struct watch *watch;           /* NULL in a replay */
	struct eye *eye;               /* --probe, :probe; NULL in a replay */
	struct recorder *recorder;     /* --record; NULL without */
	const struct credentials **secrets; /* that it keeps out */
	struct replay *replay;         /* --replay; NULL live */
	const struct network *network; /* how each deployment is reached */
	struct ui *ui;                 /* NULL without a screen */
	struct logfile *log;           /* --log; NULL without */
	struct logfile *events_out;    /* --events: standard output */
	struct buf *events_text;       /* the same in a replay */
	struct event_stream log_stream, events_stream;
	unsigned pending;              /* TOPIC_ bits since the last frame */
	int64_t interval_ms;
	char operator_name[160];       /* user, and where from */
	char notice[200];              /* one line for the operator */
	enum health notice_health;
	int64_t notice_until_ms;
	struct app_action actions[APP_ACTIONS_MAX];
	ev_timer tick, settle;
	ev_signal on_int, on_term, on_hup;
	ev_prepare flush;
	struct report_save *report_save; /* on its way to its file; NULL none */
	bool losses_said;              /* that the reader of --events is too slow */
	bool record_trouble_said;
	int exit_status;
	int signal_number;             /* of the signal that ended it; 0 none */
	bool quitting;
	int64_t leave_asked_ms;        /* to leave, while an action was on its way; 0: not */
};

/* Runs the program as the options say on the network's targets and, with --demo, on the demo's.
 * Returns the exit status. */
int app_run(const struct options *o, const struct network *network, const struct demo *demo);

/* "redoubt: WHAT could not be written: why" on standard error; returns the exit status for it. */
int output_failed(const char *what, int error);

/* The settings that a deployment came from. */
const struct settings *app_settings(const struct app *app, uint32_t deployment_id);
bool app_is_read_only(const struct app *app, uint32_t deployment_id);

/* What the model, the views and the outputs count from: the clocks, in a replay those of the
 * recording. Frames, keys and notices go by the real ones. */
int64_t app_now_ms(const struct app *app);
int64_t app_wall_ms(const struct app *app);

/* One way in, for the watch and for a replay. */
unsigned app_observe(struct app *app, const struct observation *obs);
void app_tick(struct app *app, int64_t now_ms, int64_t wall_ms);
/* Events that have settled go to the log and to --events; all: the others as well, at the end. */
void app_pump_events(struct app *app, bool all);

/* For the screen. */
void app_notice(struct app *app, enum health health, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void app_set_interval(struct app *app, int64_t interval_ms);
void app_quit(struct app *app);
/* The incident report of the deployment shown. path: a file or a folder; NULL: a name of its own in
 * the current folder. What comes of it is a notice. */
void app_write_report(struct app *app, const char *path);
/* The client's eye of a deployment. False with the reason in err. */
bool app_probe(struct app *app, uint32_t deployment_id, bool on, struct buf *err);
bool app_probes(const struct app *app, uint32_t deployment_id);

#endif
