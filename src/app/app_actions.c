#include "config.h"

#include "app/app_actions.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/app.h"
#include "app/ui.h"
#include "base/clock.h"
#include "base/mem.h"

#define LEAVE_ASKED_MS 5000 /* as long as the question is on the screen */

/* --- may it be sent, and its sheet ------------------------------------------------------------ */

/* Why nothing that changes something is sent; NULL: it is. */
static const char *app_refusal(const struct app *app, uint32_t deployment_id)
{
	if (app_is_read_only(app, deployment_id))
		return "read-only: no action can be triggered";
	return app->options->mode == RUN_DUMP ? "--dump sends nothing" : NULL;
}

const char *app_action_refusal(const struct app *app, const struct action_kind *kind,
			       const struct action_context *on, char out[120])
{
	if (app->replay != NULL)
		return "a recording: no action is possible";
	if (!kind->changes)
		return NULL;
	for (size_t i = 0; i < APP_ACTIONS_MAX; i++) {
		const struct action *other = app->actions[i].action;
		if (other == NULL || !action_conflicts(other, on))
			continue;
		snprintf(out, 120, "a %s of %.80s is under way", other->kind->name, other->subject);
		return out;
	}
	return app_refusal(app, on->deployment_id);
}

static void say_link(struct app *app, struct action *a)
{
	char words[200];
	if (a->kind->about_link && a->target_count > 0 &&
	    watch_describe(app->watch, a->target_ids[0], words, sizeof(words)))
		sheet_line_add(&a->sheet, HEALTH_OK, "connection", "%s", words);
}

static bool is_busy(const struct app *app, const struct action_kind *kind,
		    const struct action_context *on)
{
	for (size_t i = 0; kind->changes && i < APP_ACTIONS_MAX; i++)
		if (app->actions[i].action != NULL && action_conflicts(app->actions[i].action, on))
			return true;
	return false;
}

/* The same thing was asked for and its sheet left: that is opened again, wherever it is by now. */
static struct action *left_under_way(struct app *app, const struct action_kind *kind,
				     const struct action_context *on)
{
	for (size_t i = 0; kind->live && i < APP_ACTIONS_MAX; i++) {
		struct app_action *slot = &app->actions[i];
		if (slot->action == NULL || slot->open || slot->action->kind != kind ||
		    !action_conflicts(slot->action, on))
			continue;
		slot->open = true;
		return slot->action;
	}
	return NULL;
}

static struct app_action *slot_of(struct app *app, uint32_t action_id)
{
	for (size_t i = 0; i < APP_ACTIONS_MAX; i++)
		if (app->actions[i].action != NULL && app->actions[i].action->id == action_id)
			return &app->actions[i];
	return NULL;
}

static void observe_action(struct app *app, uint32_t node_id, struct action_facts *facts)
{
	const struct observation obs = { .question = ASK_ACTION,
					 .node_id = node_id,
					 .recv_ms = clock_mono_ms(),
					 .wall_ms = clock_wall_ms(),
					 .rtt_us = -1,
					 .u.action = facts };
	facts->operator_name = app->operator_name;
	app_observe(app, &obs);
	if (app->ui != NULL)
		ui_dirty(app->ui);
}

static void permission_answered(uint32_t action_id, enum answer answer, enum server_error error,
				const char *text, void *owner)
{
	struct app *app = owner;
	struct app_action *slot = slot_of(app, action_id);
	struct action_facts facts;
	(void)error;
	if (slot == NULL) /* left meanwhile */
		return;
	if (action_asked(slot->action, answer, text, clock_mono_ms(), &facts))
		observe_action(app, slot->action->may.node_id, &facts);
	action_brief_again(slot->action, app->model, clock_mono_ms());
	if (app->ui != NULL)
		ui_dirty(app->ui);
}

/* Anew for each sheet: ACLs are changed while we watch. */
static void ask_permission(struct app *app, struct action *a)
{
	char words[ACTION_ASK_ARGV][NAME_BYTES];
	const char *argv[ACTION_ASK_ARGV];
	struct action_facts facts;
	int argc = action_ask(a, app->model, words, clock_mono_ms());
	for (int i = 0; i < argc; i++)
		argv[i] = words[i];
	if (argc == 0 || watch_send(app->watch, a->may.node_id, argc, argv, a->id, permission_answered, app))
		return;
	action_asked(a, ANSWER_LOST, "no connection to it", clock_mono_ms(), &facts);
	action_brief_again(a, app->model, clock_mono_ms());
}

struct action *app_action_open(struct app *app, const struct action_kind *kind,
			       const struct action_context *on)
{
	char words[120];
	struct action *again = left_under_way(app, kind, on);
	if (again != NULL)
		return again;
	if (app->replay != NULL || is_busy(app, kind, on)) {
		app_notice(app, HEALTH_WARNING, "%s", app_action_refusal(app, kind, on, words));
		return NULL;
	}
	for (size_t i = 0; i < APP_ACTIONS_MAX; i++) {
		if (app->actions[i].action != NULL)
			continue;
		struct action *a = action_open(kind, on, app->model, app_refusal(app, on->deployment_id),
					       clock_mono_ms());
		app->actions[i] = (struct app_action){ .action = a, .open = true };
		say_link(app, a);
		ask_permission(app, a);
		return a;
	}
	app_notice(app, HEALTH_WARNING, "%d actions are on their way already", APP_ACTIONS_MAX);
	return NULL;
}

void app_action_close(struct app *app, struct action *a)
{
	for (size_t i = 0; i < APP_ACTIONS_MAX; i++) {
		struct app_action *slot = &app->actions[i];
		if (slot->action != a)
			continue;
		slot->open = false;
		if (a->stage == ACTION_SENT || a->stage == ACTION_ACCEPTED)
			return;
		action_free(a);
		slot->action = NULL;
	}
}

/* --- what comes of it ------------------------------------------------------------------------- */

static void action_report(struct app *app, const struct action *a)
{
	char command[256];
	struct action_facts facts;
	action_facts_fill(a, &facts);
	facts.command = action_command_text(a, command, sizeof(command));
	observe_action(app, action_target_now(a), &facts);
}

/* Tags carry the action's id and the target's index, never a pointer: a reply may come when the
 * action is gone. */
static uint32_t action_tag(const struct action *a, size_t index)
{
	return a->id * ACTION_TARGETS_MAX + (uint32_t)index;
}

/* NULL: it has been left meanwhile. */
static struct app_action *action_of_tag(struct app *app, uint32_t tag)
{
	return slot_of(app, tag / ACTION_TARGETS_MAX);
}

static void take_reply(struct app *app, uint32_t tag, enum answer answer, const char *text)
{
	struct app_action *slot = action_of_tag(app, tag);
	size_t index = tag % ACTION_TARGETS_MAX;
	if (slot == NULL)
		return;
	struct action *a = slot->action;
	enum action_stage before = a->stage;
	int64_t took_us = clock_mono_us() - slot->sent_us[index];
	a->rtt_us[index] = took_us > INT32_MAX ? INT32_MAX : (int32_t)took_us;
	action_replied(a, app->model, index, answer, text, clock_mono_ms());
	if (a->stage != before)
		action_report(app, a);
	if (app->ui != NULL)
		ui_dirty(app->ui);
}

static void action_done(uint32_t tag, enum answer answer, enum server_error error, const char *text,
			void *owner)
{
	struct app *app = owner;
	(void)error;
	take_reply(app, tag, answer, text);
	app_actions_follow(app);
}

/* --- on its way ------------------------------------------------------------------------------- */

/* To every target that is due; in a sequence that is one at a time. */
static void send_due(struct app *app, struct app_action *slot)
{
	struct action *a = slot->action;
	const char *argv[ACTION_ARGV_MAX];
	for (int i = 0; i < a->argc; i++)
		argv[i] = a->argv[i];
	while (a->sent < a->due && !action_is_over(a)) {
		size_t i = a->sent++;
		slot->sent_us[i] = clock_mono_us();
		if (!watch_send(app->watch, a->target_ids[i], a->argc, argv, action_tag(a, i), action_done,
				app))
			take_reply(app, action_tag(a, i), ANSWER_LOST, "no connection to it");
	}
}

/* What a sheet says is kept up to date, before it is sent and after it. */
static bool sheet_follows(struct app *app, struct action *a)
{
	struct sheet *before = mem_alloc(sizeof(*before));
	*before = a->sheet;
	action_watch(a, app->model, clock_mono_ms());
	if (action_follow(a, app->model, clock_mono_ms()))
		action_report(app, a);
	bool changed = memcmp(before, &a->sheet, sizeof(*before)) != 0;
	free(before);
	return changed;
}

void app_actions_follow(struct app *app)
{
	for (size_t i = 0; i < APP_ACTIONS_MAX; i++) {
		struct app_action *slot = &app->actions[i];
		if (slot->action == NULL)
			continue;
		if (sheet_follows(app, slot->action) && app->ui != NULL)
			ui_dirty(app->ui);
		send_due(app, slot);
		if (action_is_over(slot->action) && !slot->open) {
			app_notice(app, slot->action->stage == ACTION_VERIFIED ? HEALTH_OK : HEALTH_CRITICAL,
				   "%s %.40s: %.130s", slot->action->kind->name, slot->action->subject,
				   slot->action->outcome);
			action_free(slot->action);
			slot->action = NULL;
		}
	}
}

void app_action_send(struct app *app, struct action *a)
{
	if (app_refusal(app, a->on.deployment_id) != NULL && a->kind->changes)
		return;
	if (!action_recheck(a, app->model, clock_mono_ms()))
		return;
	action_sent(a, clock_mono_ms());
	action_report(app, a);
	app_actions_follow(app);
}

static bool is_on_its_way(const struct action *a)
{
	return a != NULL && (a->stage == ACTION_SENT || a->stage == ACTION_ACCEPTED);
}

bool app_actions_hold(struct app *app)
{
	int64_t now_ms = clock_mono_ms();
	bool asked = app->leave_asked_ms != 0 && now_ms - app->leave_asked_ms < LEAVE_ASKED_MS;
	bool any = false;
	for (size_t i = 0; i < APP_ACTIONS_MAX; i++)
		any |= is_on_its_way(app->actions[i].action) && app->actions[i].action->kind->changes;
	if (!any || asked)
		return false;
	app->leave_asked_ms = now_ms;
	/* A sheet may stand over the line for notices. */
	if (app->ui != NULL)
		ui_leave_sheet(app->ui);
	app_notice(app, HEALTH_WARNING,
		   "an action is on its way: q again leaves, what was not sent will not be");
	return true;
}

/* For who sits at the terminal: the log may be nobody's, and the screen is gone. */
static void say_left(const struct app *app, const struct action *a)
{
	bool by_signal = app->signal_number != 0 && app->signal_number != SIGINT;
	if (!a->kind->changes || app->options->mode != RUN_SCREEN ||
	    (by_signal && !isatty(STDERR_FILENO)))
		return;
	fprintf(stderr, "redoubt: %s %s: outcome unknown: %s", a->kind->name, a->subject, a->outcome);
	if (a->sent < a->target_count)
		fprintf(stderr, "; not sent to %zu of %zu", a->target_count - a->sent, a->target_count);
	fputc('\n', stderr);
}

/* What is on its way has an outcome that nobody here will see: the log must not end with "sent". */
void app_actions_leave(struct app *app)
{
	for (size_t i = 0; i < APP_ACTIONS_MAX; i++) {
		struct action *a = app->actions[i].action;
		if (!is_on_its_way(a))
			continue;
		char last[sizeof(a->sheet.outcome)];
		snprintf(last, sizeof(last), "%s", a->sheet.outcome);
		action_end(a, ACTION_UNKNOWN, "quit before its end was seen: %.150s", last);
		action_report(app, a);
		say_left(app, a);
	}
}

void app_actions_free(struct app *app)
{
	for (size_t i = 0; i < APP_ACTIONS_MAX; i++)
		action_free(app->actions[i].action);
}
