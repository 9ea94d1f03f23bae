#include "config.h"

#include "action/action.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"

const struct action_kind *const action_kinds[] = {
	&action_failover,
	&action_ckquorum,
	&action_reset,
	&action_clear_ghost,
	&action_set_quorum,
	&action_set_down_after,
	&action_set_failover_timeout,
	&action_set_parallel_syncs,
	&action_flushconfig,
	&action_bgsave,
	&action_ping,
};
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
	/* A test of the connection goes to one node many times. */
	if (a->target_ids[a->target_count - 1] == n->id)
		snprintf(a->sheet.target, sizeof(a->sheet.target), "%.70s  (%s)", addr,
			 role_name(node_role(m, n)));
	else if (a->kind->in_turn)
		snprintf(a->sheet.target, sizeof(a->sheet.target),
			 "%zu Sentinels, one after the other, first %.45s", a->target_count, addr);
	else
		snprintf(a->sheet.target, sizeof(a->sheet.target), "%zu Sentinels: %.40s and %zu more",
			 a->target_count, addr, a->target_count - 1);
}

const struct group *action_group(struct action *a, const struct model *m)
{
	const struct group *g = model_group(m, a->on.group_id);
	const struct node *n = model_node(m, a->on.node_id);
	if (g == NULL) {
		action_block(a, "select a master or one of its replicas first");
		return NULL;
	}
	/* Sentinels are in no group, nor is a node between two switches: where the command names only the
	 * master, they stand for the group that was selected with them. */
	bool member = n == NULL || n->group_id == g->id ||
		      (n->group_id == 0 && n->deployment_id == g->deployment_id && g->view_count > 0);
	if (g->deployment_id == a->on.deployment_id && member)
		return g;
	action_block(a, "the selection belongs to another deployment; select again");
	return NULL;
}

static void bind_node(struct action_bound *b, const struct model *m, uint32_t id)
{
	const struct node *n = model_node(m, id);
	*b = (struct action_bound){ .id = id };
	if (n == NULL)
		return;
	memcpy(b->run_id, n->run_id, sizeof(b->run_id));
	memcpy(b->cluster_id, n->cluster_id, sizeof(b->cluster_id));
	b->addr = n->addr;
}

static void bind_nodes(struct action *a, const struct model *m)
{
	bind_node(&a->old_master, m, a->old_master_id);
	bind_node(&a->candidate, m, a->candidate_id);
	for (size_t i = 0; i < a->target_count; i++)
		bind_node(&a->targets[i], m, a->target_ids[i]);
}

/* Both known, and not the same. */
static bool ids_differ(const char *a, const char *b)
{
	return a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0;
}

/* A restart at the same address is the same server; the id at another address is not. */
bool action_bound_is(const struct action_bound *b, const struct node *n)
{
	if (n == NULL || b->id == 0)
		return false;
	if (b->run_id[0] != '\0' && strcmp(b->run_id, n->run_id) == 0)
		return true;
	return n->id == b->id && endpoint_equal(&n->addr, &b->addr);
}

/* Before sending nothing at all may have changed, not even by a restart. */
static bool bound_holds(const struct action_bound *b, const struct model *m)
{
	const struct node *n = model_node(m, b->id);
	if (n == NULL)
		return b->id == 0;
	return !ids_differ(b->run_id, n->run_id) && !ids_differ(b->cluster_id, n->cluster_id) &&
	       endpoint_equal(&b->addr, &n->addr);
}

static const struct action_bound *broken_bound(const struct action *a, const struct model *m)
{
	if (!bound_holds(&a->old_master, m))
		return &a->old_master;
	if (!bound_holds(&a->candidate, m))
		return &a->candidate;
	for (size_t i = 0; i < a->target_count; i++)
		if (!bound_holds(&a->targets[i], m))
			return &a->targets[i];
	return NULL;
}

bool action_conflicts(const struct action *running, const struct action_context *on)
{
	if (!running->kind->changes ||
	    (running->stage != ACTION_SENT && running->stage != ACTION_ACCEPTED))
		return false;
	if (on->group_id != 0 && running->on.group_id == on->group_id)
		return true;
	return on->node_id != 0 && (on->node_id == running->old_master_id ||
				    on->node_id == running->candidate_id ||
				    on->node_id == running->on.node_id);
}

/* Picks targets and command; what else there is to say of it, in words. */
static bool prepare(struct action *a, const struct model *m, int64_t now_ms)
{
	bool ready = a->kind->prepare(a, m, now_ms);
	if (ready && a->refusal != NULL && a->kind->changes)
		ready = action_block(a, "%s", a->refusal);
	if (ready && a->may.state == MAY_NO)
		ready = action_block(a, "the user lacks %s there", a->may.lacks);
	/* Nothing is confirmed by an empty line. */
	if (ready && a->kind->needs_confirm && a->sheet.confirm[0] == '\0')
		ready = action_block(a, "it has no name that could be typed");
	action_command_text(a, a->sheet.command, sizeof(a->sheet.command));
	describe_targets(a, m);
	return ready;
}

static void write_sheet(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct action_param *p = a->kind->param;
	bool ready = prepare(a, m, now_ms);
	snprintf(a->sheet.title, sizeof(a->sheet.title), "%s  %.48s", a->kind->label, a->subject);
	bind_nodes(a, m);
	a->kind->brief(a, m, now_ms);
	a->sheet.state = !ready ? SHEET_BLOCKED : p != NULL && !a->has_value ? SHEET_VALUE : SHEET_CONFIRM;
	if (p != NULL)
		snprintf(a->sheet.value, sizeof(a->sheet.value), "%s, %lld to %lld %s", p->name,
			 (long long)p->min, (long long)p->max, p->unit);
	if (!ready)
		snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "%s", a->blocked);
	else if (!a->kind->needs_confirm)
		a->sheet.confirm[0] = '\0';
}

struct action *action_open(const struct action_kind *kind, const struct action_context *on,
			   const struct model *m, const char *refusal, int64_t now_ms)
{
	static uint32_t last_id; /* numbers the actions of this run */
	struct action *a = mem_alloc(sizeof(*a));
	a->id = ++last_id;
	a->kind = kind;
	a->on = *on;
	a->refusal = refusal;
	a->sheet.opened_ms = now_ms;
	write_sheet(a, m, now_ms);
	return a;
}

void action_free(struct action *a)
{
	if (a != NULL)
		free(a->plan);
	free(a);
}

bool action_set_value(struct action *a, const struct model *m, const char *typed, int64_t now_ms)
{
	const struct action_param *p = a->kind->param;
	int64_t value;
	if (p == NULL || a->sheet.state != SHEET_VALUE)
		return false;
	if (!number_parse(typed, strlen(typed), p->min, p->max, &value)) {
		snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "%s must be a number from %lld to %lld",
			 p->name, (long long)p->min, (long long)p->max);
		return false;
	}
	struct action fresh = { .id = a->id, .kind = a->kind, .on = a->on, .refusal = a->refusal,
				.has_value = true, .value = value,
				.sheet = { .opened_ms = a->sheet.opened_ms } };
	free(a->plan);
	*a = fresh;
	write_sheet(a, m, now_ms);
	return true;
}

/* --- menus ------------------------------------------------------------------------------------- */

bool action_applies(const struct action_kind *kind, const struct action_context *on,
		    const struct model *m, int64_t now_ms)
{
	if (kind->applies != NULL)
		return kind->applies(m, on, now_ms);
	return model_group(m, on->group_id) != NULL;
}

void action_preview(const struct action_kind *kind, const struct action_context *on,
		    const struct model *m, const char *refusal, int64_t now_ms, struct menu_entry *out)
{
	struct action *a = mem_alloc(sizeof(*a));
	a->kind = kind;
	a->on = *on;
	prepare(a, m, now_ms);
	*out = (struct menu_entry){ .name = kind->name, .label = kind->label, .help = kind->help,
				    .needs_confirm = kind->needs_confirm };
	memcpy(out->command, a->sheet.command, sizeof(out->command));
	memcpy(out->target, a->sheet.target, sizeof(out->target));
	/* What holds for all of them goes before what is in the way of one. */
	snprintf(out->blocked, sizeof(out->blocked), "%s",
		 refusal != NULL && kind->changes ? refusal : a->blocked);
	action_free(a);
}

/* --- right before sending ---------------------------------------------------------------------- */

static bool same_command(const struct action *a, const struct action *again)
{
	if (again->target_count == 0 || again->target_ids[0] != a->target_ids[0] ||
	    (a->kind->changes && memcmp(again->target_ids, a->target_ids, sizeof(a->target_ids)) != 0) ||
	    again->argc != a->argc || memcmp(again->argv, a->argv, sizeof(a->argv)) != 0)
		return false;
	return !a->kind->changes || (strcmp(again->sheet.confirm, a->sheet.confirm) == 0 &&
				     strcmp(again->sheet.target, a->sheet.target) == 0);
}

static bool target_is_silent(const struct action *a, const struct action *again, const struct model *m)
{
	const struct node *n = a->target_count > 0 ? model_node(m, a->target_ids[0]) : NULL;
	return again->target_ids[0] != a->target_ids[0] && (n == NULL || n->link.state != LINK_UP);
}

/* What spoke for it does not speak for it any more, and is not looked at again. */
static void stop_lines(struct action *a, const struct model *m, int64_t now_ms)
{
	if (a->kind->live) {
		a->sheet.line_count = 0;
		a->kind->brief(a, m, now_ms);
	}
	sheet_lines_before(&a->sheet, "as it was when it was blocked:");
}

/* Only what the operator read on the sheet may be sent: same command, same node, same master, same
 * epoch, and behind each of them the same process. */
static bool still_holds(struct action *a, const struct model *m, const char *prefix, int64_t now_ms)
{
	struct action *again = mem_alloc(sizeof(*again));
	again->kind = a->kind;
	again->on = a->on;
	again->form = a->form;
	again->has_value = a->has_value;
	again->value = a->value;
	/* The replica on the sheet, even if another one has a little more of the data by now. */
	if (a->candidate_id != 0)
		again->on.node_id = a->candidate_id;
	bool ready = a->kind->prepare(again, m, now_ms);
	const struct action_bound *broken = broken_bound(a, m);
	const char *changed = NULL;
	char words[160], addr[ENDPOINT_TEXT_BYTES];
	describe_targets(again, m);
	if (ready && (again->old_master_id != a->old_master_id))
		changed = "the master is another one now";
	else if (ready && again->epoch != a->epoch)
		changed = "the epoch has changed";
	else if (ready && again->fingerprint != a->fingerprint)
		changed = "what the sheet says has changed: open it again";
	else if (ready && broken != NULL) {
		snprintf(words, sizeof(words), "%.120s is another process now",
			 endpoint_format(&broken->addr, addr));
		changed = words;
	} else if (ready && target_is_silent(a, again, m))
		changed = "the node that it would go to does not answer any more";
	else if (ready && !same_command(a, again))
		changed = "the command would be another one now";
	if (!ready || changed != NULL) {
		a->sheet.state = SHEET_BLOCKED;
		snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "%s%.200s", prefix,
			 changed != NULL ? changed : again->blocked);
		stop_lines(a, m, now_ms);
	}
	action_free(again);
	return ready && changed == NULL;
}

bool action_recheck(struct action *a, const struct model *m, int64_t now_ms)
{
	return still_holds(a, m, "not sent: ", now_ms);
}

void action_watch(struct action *a, const struct model *m, int64_t now_ms)
{
	if (!a->kind->live || a->sheet.state != SHEET_CONFIRM || !still_holds(a, m, "", now_ms))
		return;
	a->sheet.line_count = 0;
	a->kind->brief(a, m, now_ms);
}

bool action_choose(struct action *a, const struct model *m, size_t form, int64_t now_ms)
{
	/* What stopped it while it was open stops every form of it. */
	bool open = a->sheet.state == SHEET_CONFIRM ? still_holds(a, m, "", now_ms) :
						      a->sheet.state == SHEET_BLOCKED && a->blocked[0] != '\0';
	if (a->stage != ACTION_NONE || form >= a->sheet.form_count || form == a->form || !open)
		return false;
	struct action fresh = { .id = a->id, .kind = a->kind, .on = a->on, .refusal = a->refusal,
				.form = form, .may = a->may,
				.sheet = { .opened_ms = a->sheet.opened_ms } };
	free(a->plan);
	*a = fresh;
	write_sheet(a, m, now_ms);
	return true;
}

/* --- may our user? ------------------------------------------------------------------------------ */

static void words_of(char (*argv)[NAME_BYTES], int argc, char *out, size_t size)
{
	out[0] = '\0';
	for (int i = 0; i < argc; i++)
		text_format(out + strlen(out), size - strlen(out), "%s%s", i > 0 ? " " : "", argv[i]);
}

void action_brief_again(struct action *a, const struct model *m, int64_t now_ms)
{
	bool blocked_since = a->sheet.line_count > 0 && a->sheet.lines[0].before;
	if (a->stage != ACTION_NONE || blocked_since)
		return;
	a->sheet.line_count = 0;
	a->kind->brief(a, m, now_ms);
}

int action_ask(struct action *a, const struct model *m, char argv[ACTION_ASK_ARGV][NAME_BYTES],
	       int64_t now_ms)
{
	int argc = a->kind->ask != NULL && a->refusal == NULL && a->may.state == MAY_UNASKED ?
			   a->kind->ask(a, m, argv) : 0;
	if (argc == 0)
		return 0;
	a->may = (struct action_may){ .state = MAY_ASKED, .node_id = a->target_ids[0] };
	words_of(argv, argc, a->may.command, sizeof(a->may.command));
	action_brief_again(a, m, now_ms);
	return argc;
}

/* An error about the arguments comes from the command itself: the ACL has let us pass. A command that the
 * server does not know (renamed, or kept back by a proxy) and LOADING and its like say nothing. */
static enum may may_by(enum answer answer, const char *text)
{
	if (answer != ANSWER_REFUSED)
		return MAY_UNKNOWN;
	if (strncmp(text, "NOPERM ", 7) == 0)
		return MAY_NO;
	return strncmp(text, "ERR ", 4) == 0 && strncmp(text, "ERR unknown ", 12) != 0 ? MAY_YES :
											  MAY_UNKNOWN;
}

bool action_asked(struct action *a, enum answer answer, const char *text, int64_t now_ms,
		  struct action_facts *out)
{
	if (text == NULL || text[0] == '\0')
		text = answer == ANSWER_TIMEOUT ? "no reply in time" : "the connection was lost";
	a->may.state = may_by(answer, text);
	a->may.at_ms = now_ms;
	text_format(a->may.words, sizeof(a->may.words), "%s", text);
	permission_name(a->may.command, text, a->may.lacks);
	if (a->stage == ACTION_NONE && a->may.state == MAY_NO && a->sheet.state != SHEET_BLOCKED) {
		a->sheet.state = SHEET_BLOCKED;
		snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "the user lacks %s there: nothing is sent",
			 a->may.lacks);
	}
	action_facts_fill(a, out);
	out->stage = ACTION_NONE;
	out->command = a->may.command;
	out->outcome = a->may.state == MAY_NO ? a->may.words : "";
	return a->may.state == MAY_NO || a->may.state == MAY_YES;
}

bool action_confirmed(const struct action *a, const char *typed)
{
	if (a->kind->needs_confirm && typed[0] == '\0')
		return false;
	return a->sheet.state == SHEET_CONFIRM && strcmp(typed, a->sheet.confirm) == 0;
}

void action_sent(struct action *a, int64_t now_ms)
{
	a->stage = ACTION_SENT;
	a->sent_ms = now_ms;
	a->due = a->kind->in_turn && a->target_count > 1 ? 1 : a->target_count;
	a->outcome[0] = '\0';
	/* The event names one node. */
	if (a->due > 1)
		snprintf(a->outcome, sizeof(a->outcome), "to %zu Sentinels", a->due);
	a->sheet.state = SHEET_SENT;
	if (a->kind->changes)
		sheet_lines_before(&a->sheet, "as it was before this was sent:");
	snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "sent, waiting for the reply");
}

void action_end(struct action *a, enum action_stage stage, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(a->outcome, sizeof(a->outcome), fmt, ap);
	va_end(ap);
	a->stage = stage;
	a->sheet.state = stage == ACTION_VERIFIED ? SHEET_DONE :
			 stage == ACTION_UNKNOWN  ? SHEET_UNKNOWN :
						    SHEET_FAILED;
	snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "%s", a->outcome);
}

void action_go_on(struct action *a, enum action_stage stage, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(a->outcome, sizeof(a->outcome), fmt, ap);
	va_end(ap);
	a->stage = stage;
	a->sheet.state = SHEET_SENT;
	snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "%s", a->outcome);
}

uint32_t action_target_now(const struct action *a)
{
	if (a->target_count == 0)
		return 0;
	return a->target_ids[a->kind->in_turn && a->due > 0 ? a->due - 1 : 0];
}

bool action_is_over(const struct action *a)
{
	return a->stage > ACTION_ACCEPTED;
}

static void single_reply(struct action *a, enum answer answer, const char *text, int64_t now_ms)
{
	if (answer == ANSWER_OK || answer == ANSWER_REFUSED)
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

/* The newest one to its place: by address, as Sentinels are listed everywhere. */
static void sort_reply(struct sheet *s)
{
	for (size_t i = s->line_count; i-- > 1;) {
		struct sheet_line *below = &s->lines[i], *above = below - 1, keep = *above;
		if (strcmp(above->label, below->label) != 0 || strverscmp(above->text, below->text) <= 0)
			return;
		*above = *below;
		*below = keep;
	}
}

void action_replied(struct action *a, const struct model *m, size_t index, enum answer answer,
		    const char *text, int64_t now_ms)
{
	char addr[ENDPOINT_TEXT_BYTES] = "?", lacks[200];
	const struct node *n = index < a->target_count ? model_node(m, a->target_ids[index]) : NULL;
	if (action_is_over(a))
		return;
	if (n != NULL)
		endpoint_format(&n->addr, addr);
	if (text != NULL && strncmp(text, "NOPERM ", 7) == 0) {
		permission_format(lacks, sizeof(lacks), a->sheet.command, text);
		text = lacks;
	}
	if (text == NULL || text[0] == '\0')
		text = answer == ANSWER_TIMEOUT ? "no reply in time" : "the connection was lost";
	a->answered++;
	a->agreed += answer == ANSWER_OK;
	if (answer == ANSWER_OK && index < a->target_count)
		a->reply_ms[index] = now_ms;
	if (a->kind->replied != NULL) {
		a->kind->replied(a, m, index, answer, text, now_ms);
		return;
	}
	if (a->target_count == 1 && a->kind->needs_confirm) {
		single_reply(a, answer, text, now_ms);
		return;
	}
	sheet_line_add(&a->sheet, answer == ANSWER_OK ? HEALTH_OK : HEALTH_CRITICAL, "reply", "%.60s  %.150s",
		       addr, text);
	sort_reply(&a->sheet);
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
