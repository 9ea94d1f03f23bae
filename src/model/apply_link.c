/* What our own connections and the bare fact of an answer say of a node. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/lag.h"
#include "model/model_private.h"
#include "model/permission.h"

static bool is_trouble(enum link_state s)
{
	return s >= LINK_FAILED;
}

static void set_reason(struct node_link *l, const struct observation *obs)
{
	const char *text = obs->text != NULL ? obs->text : link_state_name(obs->u.link->state);
	/* A command link is never refused for a permission: it would not be up. */
	if (obs->error == ERROR_NOPERM)
		permission_format(l->reason, sizeof(l->reason), "PSUBSCRIBE *", text);
	else
		text_format(l->reason, sizeof(l->reason), "%s", text);
	l->error = obs->error;
}

/* Returns true when the link went from well (or untried) to trouble or back. */
static bool link_update(struct model *m, struct node_link *l, const struct observation *obs)
{
	enum link_state state = obs->u.link->state;
	bool was_trouble = l->lost_ms != 0;
	/* While it tries again the node is as down as before. */
	if (!is_trouble(state) && state != LINK_UP) {
		if (!was_trouble)
			l->state = state;
		return false;
	}
	if (l->state != state) {
		l->state = state;
		l->since_ms = m->now_ms;
	}
	if (state == LINK_UP) {
		l->lost_ms = 0;
		l->reason[0] = '\0';
		l->error = ERROR_NONE;
		l->last_reply_ms = m->now_ms;
		return was_trouble;
	}
	set_reason(l, obs);
	if (!was_trouble)
		l->lost_ms = m->now_ms;
	return !was_trouble;
}

/* Permissions that our user lacks there. */
static size_t missing_permissions(const struct node *n)
{
	size_t missing = n->event_link.lost_ms != 0 && n->event_link.error == ERROR_NOPERM;
	for (size_t i = 0; i < n->refusal_count; i++)
		missing += n->refusals[i].error == ERROR_NOPERM && n->refusals[i].question != ASK_ACTION;
	return missing;
}

/* One event a node, however many are found; the verdict names them all. */
static void permissions_event(struct model *m, const struct node *n, size_t before, const char *words)
{
	size_t now = missing_permissions(n);
	/* What cannot be asked at all has not been answered. */
	if (now == 0 && (n->link.lost_ms != 0 || n->event_link.lost_ms != 0))
		return;
	if ((before == 0) != (now == 0))
		model_node_event(m, now > 0 ? EVENT_REFUSED : EVENT_REFUSED_OVER, n,
				 now > 0 ? words : NULL);
}

void apply_link(struct model *m, const struct observation *obs, struct node *n)
{
	m->changed |= TOPIC_HEALTH;
	if (obs->u.link->events) {
		size_t missing = missing_permissions(n);
		link_update(m, &n->event_link, obs);
		permissions_event(m, n, missing, n->event_link.reason);
		return;
	}
	bool turned = link_update(m, &n->link, obs);
	struct deployment *d = deployment_get(m, n->deployment_id);
	if (d != NULL && (n->is_sentinel || n->cluster_info_at_ms != 0))
		d->judge = true;
	if (!turned)
		return;
	bool lost = n->link.lost_ms != 0;
	model_node_event(m, lost ? EVENT_LINK_LOST : EVENT_LINK_BACK, n,
			 lost ? n->link.reason : NULL);
	/* Neither its own lag nor that of who it feeds is known from here on. */
	if (lost)
		history_add(&n->lag_bytes, m->now_ms, FACT_UNKNOWN);
	for (size_t i = 0; lost && i < n->info.replica_count; i++) {
		struct node *fed = node_by_addr(m, &n->info.replicas[i].addr);
		if (fed != NULL && model_node_resolve(m, fed->upstream_id) == n->id)
			history_add(&fed->lag_bytes, m->now_ms, FACT_UNKNOWN);
	}
	if (d == NULL)
		return;
	d->regroup = true;
	cluster_judge_state(m, d);
}

/* --- what a node would not answer -------------------------------------------------------------- */

/* LOADING, BUSY and their like pass by themselves, also where the question is not asked again. */
#define REFUSAL_PASSES_MS 10000
/* A missing permission stays; but in a large cluster the turn comes round slowly. */
#define REFUSAL_STANDS_MS 600000

static struct refusal *refusal_find(struct node *n, enum question q)
{
	for (size_t i = 0; i < n->refusal_count; i++)
		if (n->refusals[i].question == q)
			return &n->refusals[i];
	return NULL;
}

/* An operator's command is no question of ours: that a watcher's user may not send it is as it should
 * be, and the node is well. It is remembered for the next time somebody wants to. */
static const struct refusal *first_question(const struct node *n, size_t *count)
{
	const struct refusal *first = NULL;
	*count = 0;
	for (size_t i = 0; i < n->refusal_count; i++) {
		if (n->refusals[i].question == ASK_ACTION)
			continue;
		first = first != NULL ? first : &n->refusals[i];
		(*count)++;
	}
	return first;
}

/* All permissions that are missing, so that one ACL SETUSER adds them. */
static void refusals_list_permissions(struct node *n)
{
	size_t len = 0, size = sizeof(n->refused_text);
	char name[PERMISSION_BYTES];
	text_format(n->refused_text, size, "the user lacks");
	for (size_t i = 0; i < n->refusal_count; i++) {
		const struct refusal *r = &n->refusals[i];
		len = strlen(n->refused_text);
		if (r->error == ERROR_NOPERM && r->question != ASK_ACTION)
			text_format(n->refused_text + len, size - len, " %s",
				    permission_name(question_name(r->question), r->text, name));
	}
}

/* The one that is said: without a password nothing else matters, else the first. */
static void refusals_sum_up(struct model *m, struct node *n)
{
	size_t missing = 0, count;
	const struct refusal *said = first_question(n, &count);
	for (size_t i = 0; i < n->refusal_count; i++) {
		if (n->refusals[i].question == ASK_ACTION)
			continue;
		missing += n->refusals[i].error == ERROR_NOPERM;
		if (n->refusals[i].error == ERROR_NOAUTH)
			said = &n->refusals[i];
	}
	n->refused = said != NULL ? said->question : ASK_NONE;
	n->refused_error = said != NULL ? said->error : ERROR_NONE;
	n->refused_text[0] = '\0';
	if (missing > 1 && missing == count)
		refusals_list_permissions(n);
	else if (said != NULL && count > 1)
		text_format(n->refused_text, sizeof(n->refused_text), "%s, and %zu more", said->text,
			 count - 1);
	else if (said != NULL)
		text_format(n->refused_text, sizeof(n->refused_text), "%s", said->text);
	m->changed |= TOPIC_HEALTH;
}

static void refusal_remove(struct node *n, size_t at)
{
	memmove(&n->refusals[at], &n->refusals[at + 1],
		(n->refusal_count - at - 1) * sizeof(*n->refusals));
	n->refusal_count--;
}

static bool is_lasting(enum server_error e)
{
	return e == ERROR_NOPERM || e == ERROR_NOAUTH || e == ERROR_WRONGPASS ||
	       e == ERROR_UNKNOWN_COMMAND || e == ERROR_DENIED;
}

static bool is_refusal(const struct observation *obs)
{
	/* Only asked in case: a watcher's smallest ACL does not have it. */
	if (obs->question == ASK_SENTINEL_WATCHERS)
		return false;
	/* Sentinels up to 6.0 do not know it: their peers tell their ids all the same. */
	if (obs->question == ASK_SENTINEL_MYID && obs->error == ERROR_UNKNOWN_COMMAND)
		return false;
	/* The master went while the question was on its way: the node is well. */
	return obs->text == NULL || strstr(obs->text, "No such master with that name") == NULL;
}

static void refusal_note(struct model *m, struct node *n, const struct observation *obs)
{
	struct refusal *r = refusal_find(n, obs->question);
	bool news = r == NULL || r->error != obs->error;
	size_t missing = missing_permissions(n);
	if (r == NULL) {
		n->refusals = mem_grow(n->refusals, &n->refusal_cap, n->refusal_count + 1,
				       sizeof(*n->refusals));
		r = &n->refusals[n->refusal_count++];
	}
	r->question = obs->question;
	r->error = obs->error;
	r->at_ms = m->now_ms;
	text_format(r->arg, sizeof(r->arg), "%s", obs->arg != NULL ? obs->arg : "");
	if (!news)
		return;
	const char *words = obs->text != NULL ? obs->text : "refused";
	if (obs->error == ERROR_NOPERM)
		permission_format(r->text, sizeof(r->text), question_name(obs->question), words);
	else
		text_format(r->text, sizeof(r->text), "%s: %s", question_name(obs->question), words);
	refusals_sum_up(m, n);
	permissions_event(m, n, missing, r->text);
}

/* A permission is for the question, everything else for the one master that was asked about. */
static void refusal_over(struct model *m, struct node *n, const struct observation *obs)
{
	struct refusal *r = refusal_find(n, obs->question);
	if (r == NULL || (!is_lasting(r->error) && obs->arg != NULL && r->arg[0] != '\0' &&
			  strcmp(r->arg, obs->arg) != 0))
		return;
	size_t missing = missing_permissions(n);
	refusal_remove(n, (size_t)(r - n->refusals));
	refusals_sum_up(m, n);
	permissions_event(m, n, missing, NULL);
}

void node_expire_refusals(struct model *m, struct node *n)
{
	struct deployment *d = deployment_get(m, n->deployment_id);
	size_t before = n->refusal_count;
	/* Who polls slowly hears of it slowly. */
	int64_t passes_ms = m->leave_after_ms > 3 * REFUSAL_PASSES_MS ? m->leave_after_ms :
								      REFUSAL_PASSES_MS;
	for (size_t i = n->refusal_count; i-- > 0;) {
		const struct refusal *r = &n->refusals[i];
		/* Nobody asks again by himself: it stands until it works or the node is another process. */
		if (r->question == ASK_ACTION)
			continue;
		int64_t stands_ms = is_lasting(r->error) ? REFUSAL_STANDS_MS : passes_ms;
		bool group_went = r->arg[0] != '\0' && d != NULL && group_find(d, r->arg) == NULL;
		if (group_went || m->now_ms - r->at_ms > stands_ms)
			refusal_remove(n, i);
	}
	if (n->refusal_count != before)
		refusals_sum_up(m, n);
}

static struct refusal *action_refusal(struct node *n, const char *permission)
{
	for (size_t i = 0; i < n->refusal_count; i++)
		if (n->refusals[i].question == ASK_ACTION && strcmp(n->refusals[i].arg, permission) == 0)
			return &n->refusals[i];
	return NULL;
}

/* Only what the server said of permissions: everything else may be different the next time. */
void node_note_action(struct model *m, struct node *n, const struct action_facts *a)
{
	const char *words = strstr(a->outcome, "NOPERM ");
	char name[PERMISSION_BYTES];
	struct refusal *r = action_refusal(n, permission_name(a->command, "", name));
	bool allowed = a->stage == ACTION_ACCEPTED || (a->stage == ACTION_NONE && a->outcome[0] == '\0');
	if (allowed && r != NULL) {
		refusal_remove(n, (size_t)(r - n->refusals));
		m->changed |= TOPIC_HEALTH;
	}
	if ((a->stage != ACTION_REFUSED && a->stage != ACTION_NONE) || words == NULL)
		return;
	if (r == NULL) {
		n->refusals = mem_grow(n->refusals, &n->refusal_cap, n->refusal_count + 1,
				       sizeof(*n->refusals));
		r = &n->refusals[n->refusal_count++];
	}
	*r = (struct refusal){ .question = ASK_ACTION, .error = ERROR_NOPERM, .at_ms = m->now_ms };
	text_format(r->arg, sizeof(r->arg), "%s", name);
	permission_format(r->text, sizeof(r->text), a->command, words);
	m->changed |= TOPIC_HEALTH;
}

const struct refusal *node_action_refusal(const struct node *n, const char *permission)
{
	return action_refusal((struct node *)n, permission);
}

void apply_answer(struct model *m, const struct observation *obs, struct node *n)
{
	if (obs->answer == ANSWER_TIMEOUT || obs->answer == ANSWER_LOST)
		return; /* the link reports its own trouble */
	n->link.last_reply_ms = m->now_ms;
	if (obs->answer == ANSWER_OK)
		refusal_over(m, n, obs);
	else if (is_refusal(obs))
		refusal_note(m, n, obs);
}

bool node_set_said_down(struct model *m, struct node *n, bool down, uint32_t by)
{
	if (n->said_down == down)
		return false;
	/* Sentinels are asked in turn: one that sees it well does not outvote one that does not. */
	const struct node *claims = node_get(m, n->said_down_by);
	if (!down && by != 0 && claims != NULL && claims->id != by && claims->link.state == LINK_UP)
		return false;
	n->said_down_by = down ? by : 0;
	n->said_down = down;
	n->said_down_ms = down ? m->now_ms : 0;
	m->changed |= TOPIC_HEALTH;
	return true;
}
