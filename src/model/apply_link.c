/* What our own connections and the bare fact of an answer say of a node. */
#include <stdio.h>
#include <string.h>

#include "model/lag.h"
#include "model/model_private.h"

static bool is_trouble(enum link_state s)
{
	return s >= LINK_FAILED;
}

static void set_reason(struct node_link *l, const struct observation *obs)
{
	const char *text = obs->text != NULL ? obs->text : link_state_name(obs->u.link->state);
	snprintf(l->reason, sizeof(l->reason), "%s", text);
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

void apply_link(struct model *m, const struct observation *obs, struct node *n)
{
	m->changed |= TOPIC_HEALTH;
	if (obs->u.link->events) {
		link_update(m, &n->event_link, obs);
		return;
	}
	bool turned = link_update(m, &n->link, obs);
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
	struct deployment *d = deployment_get(m, n->deployment_id);
	if (d == NULL)
		return;
	d->regroup = true;
	cluster_judge_state(m, d);
}

void apply_answer(struct model *m, const struct observation *obs, struct node *n)
{
	if (obs->answer == ANSWER_TIMEOUT || obs->answer == ANSWER_LOST)
		return; /* the link reports its own trouble */
	n->link.last_reply_ms = m->now_ms;
	if (obs->answer == ANSWER_OK) {
		if (n->refused == obs->question) {
			n->refused = ASK_NONE;
			n->refused_error = ERROR_NONE;
			m->changed |= TOPIC_HEALTH;
		}
		return;
	}
	if (n->refused == obs->question && n->refused_error == obs->error)
		return;
	/* Only asked in case: a watcher's smallest ACL does not have it. */
	if (obs->question == ASK_SENTINEL_WATCHERS)
		return;
	n->refused = obs->question;
	n->refused_error = obs->error;
	snprintf(n->refused_text, sizeof(n->refused_text), "%s: %s", question_name(obs->question),
		 obs->text != NULL ? obs->text : "refused");
	m->changed |= TOPIC_HEALTH;
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
