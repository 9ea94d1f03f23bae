#include "action/action.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const struct action_kind *const action_kinds[] = { &action_failover, &action_ckquorum };
const size_t action_kind_count = sizeof(action_kinds) / sizeof(action_kinds[0]);

bool action_block(struct action *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(a->blocked, sizeof(a->blocked), fmt, ap);
	va_end(ap);
	return false;
}

void action_set_argv(struct action *a, int argc, const char *const *argv)
{
	a->argc = argc < ACTION_ARGV_MAX ? argc : ACTION_ARGV_MAX;
	for (int i = 0; i < a->argc; i++)
		snprintf(a->argv[i], sizeof(a->argv[i]), "%s", argv[i]);
}

char *action_command_text(const struct action *a, char *out, size_t size)
{
	size_t len = 0;
	out[0] = '\0';
	for (int i = 0; i < a->argc && len < size; i++) {
		const char *quote = a->argv[i][0] == '\0' || strchr(a->argv[i], ' ') ? "\"" : "";
		int n = snprintf(out + len, size - len, "%s%s%s%s", i > 0 ? " " : "", quote,
				 a->argv[i], quote);
		len += n > 0 ? (size_t)n : 0;
	}
	return out;
}

static void describe_targets(struct action *a, const struct model *m)
{
	const struct node *n = a->target_count > 0 ? model_node(m, a->target_ids[0]) : NULL;
	char addr[ENDPOINT_TEXT_BYTES];
	if (n == NULL) {
		a->sheet.target[0] = '\0';
		return;
	}
	endpoint_format(&n->addr, addr);
	if (a->target_count == 1)
		snprintf(a->sheet.target, sizeof(a->sheet.target), "%.70s  (%s)", addr,
			 role_name(node_role(m, n)));
	else
		snprintf(a->sheet.target, sizeof(a->sheet.target), "%zu Sentinels: %.40s and %zu more",
			 a->target_count, addr, a->target_count - 1);
}

struct action *action_open(const struct action_kind *kind, const struct action_context *on,
			   const struct model *m, bool read_only, int64_t now_ms)
{
	static uint32_t last_id; /* numbers the actions of this run */
	struct action *a = mem_alloc(sizeof(*a));
	a->id = ++last_id;
	a->kind = kind;
	a->on = *on;
	a->sheet.opened_ms = now_ms;
	bool ready = kind->prepare(a, m, now_ms);
	if (ready && read_only && kind->changes)
		ready = action_block(a, "read-only: no action can be triggered");
	snprintf(a->sheet.title, sizeof(a->sheet.title), "%s  %.48s", kind->label, a->subject);
	action_command_text(a, a->sheet.command, sizeof(a->sheet.command));
	describe_targets(a, m);
	kind->brief(a, m, now_ms);
	a->sheet.state = ready ? SHEET_CONFIRM : SHEET_BLOCKED;
	if (!ready)
		snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "%s", a->blocked);
	else if (!kind->needs_confirm)
		a->sheet.confirm[0] = '\0';
	return a;
}

void action_free(struct action *a)
{
	free(a);
}

/* Only what the operator read on the sheet may be sent: same command, same node, same master, same
 * epoch. */
bool action_recheck(struct action *a, const struct model *m, int64_t now_ms)
{
	struct action *again = mem_alloc(sizeof(*again));
	again->kind = a->kind;
	again->on = a->on;
	/* The replica on the sheet, even if another one has a little more of the data by now. */
	if (a->candidate_id != 0)
		again->on.node_id = a->candidate_id;
	bool ready = a->kind->prepare(again, m, now_ms);
	const char *changed = NULL;
	if (ready && (again->old_master_id != a->old_master_id))
		changed = "the master is another one now";
	else if (ready && again->epoch != a->epoch)
		changed = "the epoch has changed";
	else if (ready && (again->target_count == 0 || again->target_ids[0] != a->target_ids[0] ||
			   again->argc != a->argc || memcmp(again->argv, a->argv, sizeof(a->argv)) != 0))
		changed = "the command would be another one now";
	if (!ready || changed != NULL) {
		a->sheet.state = SHEET_BLOCKED;
		snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "not sent: %s",
			 changed != NULL ? changed : again->blocked);
	}
	free(again);
	return ready && changed == NULL;
}

bool action_confirmed(const struct action *a, const char *typed)
{
	return a->sheet.state == SHEET_CONFIRM && strcmp(typed, a->sheet.confirm) == 0;
}

void action_sent(struct action *a, int64_t now_ms)
{
	a->stage = ACTION_SENT;
	a->sent_ms = now_ms;
	a->outcome[0] = '\0';
	a->sheet.state = SHEET_SENT;
	snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "sent, waiting for the reply");
}

void action_end(struct action *a, enum action_stage stage, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(a->outcome, sizeof(a->outcome), fmt, ap);
	va_end(ap);
	a->stage = stage;
	a->sheet.state = stage == ACTION_VERIFIED ? SHEET_DONE : SHEET_FAILED;
	snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "%s", a->outcome);
}

bool action_is_over(const struct action *a)
{
	return a->stage > ACTION_ACCEPTED;
}

static void single_reply(struct action *a, enum answer answer, const char *text, int64_t now_ms)
{
	a->replied_ms = now_ms;
	if (answer == ANSWER_REFUSED) {
		action_end(a, ACTION_REFUSED, "refused: %s", text);
	} else if (answer == ANSWER_OK) {
		a->stage = ACTION_ACCEPTED;
		snprintf(a->outcome, sizeof(a->outcome), "%s", text);
		snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "accepted (%s), following it", text);
	} else {
		/* It may have been carried out all the same: go on looking, and say so. */
		snprintf(a->sheet.outcome, sizeof(a->sheet.outcome),
			 "no reply (%s): it may still happen, following", text);
	}
}

void action_replied(struct action *a, const struct model *m, size_t index, enum answer answer,
		    const char *text, int64_t now_ms)
{
	char addr[ENDPOINT_TEXT_BYTES] = "?";
	const struct node *n = index < a->target_count ? model_node(m, a->target_ids[index]) : NULL;
	if (action_is_over(a))
		return;
	if (n != NULL)
		endpoint_format(&n->addr, addr);
	if (text == NULL || text[0] == '\0')
		text = answer == ANSWER_TIMEOUT ? "no reply in time" : "the connection was lost";
	a->answered++;
	a->agreed += answer == ANSWER_OK;
	if (a->target_count == 1 && a->kind->needs_confirm) {
		single_reply(a, answer, text, now_ms);
		return;
	}
	sheet_line_add(&a->sheet, answer == ANSWER_OK ? HEALTH_OK : HEALTH_CRITICAL, "reply", "%.60s  %.150s",
		       addr, text);
	if (a->answered < a->target_count)
		return;
	action_end(a, a->agreed == a->answered ? ACTION_VERIFIED : ACTION_FAILED, "%zu of %zu Sentinels: OK",
		   a->agreed, a->answered);
}

bool action_follow(struct action *a, const struct model *m, int64_t now_ms)
{
	enum action_stage before = a->stage;
	if (a->stage != ACTION_SENT && a->stage != ACTION_ACCEPTED)
		return false;
	if (a->kind->follow != NULL)
		a->kind->follow(a, m, now_ms);
	return a->stage != before;
}

void action_facts_fill(const struct action *a, struct action_facts *out)
{
	out->action_id = a->id;
	out->stage = a->stage;
	snprintf(out->name, sizeof(out->name), "%s", a->kind->name);
	snprintf(out->subject, sizeof(out->subject), "%s", a->subject);
	out->outcome = a->outcome;
}
