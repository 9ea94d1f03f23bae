/* w and :write: the report of the deployment shown, into a file. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "app/report.h"
#include "app/report_save.h"
#include "app/ui_private.h"
#include "base/text.h"

/* What is told: an incident and what led to it. */
#define REPORT_SPAN_MS 3600000

static void report_done(const char *path, int error, void *owner)
{
	struct app *app = owner;
	char name[160];
	app->report_save = NULL;
	text_clean(name, sizeof(name), path, strlen(path));
	if (error == 0)
		app_notice(app, HEALTH_OK, "report written: %s", name);
	else
		app_notice(app, HEALTH_WARNING, "no report, %.120s: %s", name, strerror(error));
}

/* "~/x" as a shell would take it. */
static bool expand_home(const char *path, char *out, size_t size)
{
	const char *home = getenv("HOME");
	bool of_home = strncmp(path, "~/", 2) == 0 && home != NULL;
	int len = snprintf(out, size, "%s%s", of_home ? home : "", of_home ? path + 1 : path);
	return len >= 0 && (size_t)len < size;
}

/* On the screen of failovers the selected one alone; 0: the incident. */
static uint32_t failover_wanted(struct ui *ui, const struct view_context *c)
{
	struct view *v = ui_focused_view(ui);
	if (v == NULL || v->ops != &failovers_view)
		return 0;
	ui_refresh_view(ui, v, c);
	return failovers_view_selected(v);
}

void app_write_report(struct app *app, const char *path)
{
	const struct view_context c = ui_context(app->ui);
	const struct deployment *d = model_deployment(c.model, c.deployment_id);
	char name[REPORT_PATH_BYTES], called[64], where[REPORT_PATH_BYTES] = "";
	struct buf text = BUF_INIT;
	if (d == NULL || app->report_save != NULL) {
		app_notice(app, HEALTH_WARNING, d == NULL ? "nothing is known yet to write of"
							  : "a report is being written already");
		return;
	}
	if (path != NULL && !expand_home(path, where, sizeof(where))) {
		app_notice(app, HEALTH_WARNING, "no report: %s", strerror(ENAMETOOLONG));
		return;
	}
	/* What is on screen: frozen, that is the model as it was then. */
	struct report_options o = { .deployment_id = d->id,
				    .from_ms = c.now_ms - REPORT_SPAN_MS,
				    .now_ms = c.now_ms,
				    .wall_ms = c.wall_ms - (c.live_now_ms - c.now_ms),
				    .operator_name = app->operator_name,
				    .version = PACKAGE_VERSION,
				    .recording = app->replay != NULL ? app->options->replay_file : NULL };
	uint32_t failover_id = failover_wanted(app->ui, &c);
	if (failover_id == 0 || !report_write_failover(c.model, &o, failover_id, &text)) {
		report_write(c.model, &o, &text);
		text_format(called, sizeof(called), "%s", d->name);
	} else {
		text_format(called, sizeof(called), "%.25s-failover-%u", d->name, failover_id);
	}
	report_name(called, o.wall_ms, name, sizeof(name));
	app->report_save = report_save_start(app->loop, &text, where, name, report_done, app);
	if (app->report_save == NULL)
		app_notice(app, HEALTH_WARNING, "no report: no thread could be started");
}
