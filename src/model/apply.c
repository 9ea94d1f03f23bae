/* Small observations, and how the model writes its own events. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/model_private.h"

void model_event(struct model *m, const struct event_args *args)
{
	const struct deployment *d = deployment_get(m, args->deployment_id);
	const struct event_draft draft = {
		.kind = args->kind,
		.severity = args->use_severity ? args->severity
					       : event_kind_info(args->kind)->severity,
		.deployment_id = args->deployment_id,
		.node_id = args->node_id,
		.group_id = args->group_id,
		.mono_ms = m->now_ms,
		.wall_ms = m->wall_ms,
		.name = args->name,
		.deployment = d != NULL ? d->name : "",
		.subject = args->subject != NULL ? args->subject : "",
		.addr = args->addr != NULL ? args->addr : "",
		.detail = args->detail != NULL ? args->detail : "",
		.about = args->about,
		.source = args->source != NULL ? args->source : "redoubt",
	};
	failovers_event(m, args, event_log_add(m->events, &draft));
	m->changed |= TOPIC_EVENTS;
}

void model_node_event(struct model *m, enum event_kind kind, const struct node *n,
		      const char *detail)
{
	char addr[ENDPOINT_TEXT_BYTES];
	const struct group *g = model_group(m, n->group_id);
	endpoint_format(&n->addr, addr);
	model_event(m, &(struct event_args){ .kind = kind,
					     .deployment_id = n->deployment_id,
					     .node_id = n->id,
					     .group_id = n->group_id,
					     .subject = g != NULL ? g->name : addr,
					     .addr = addr,
					     .detail = detail });
}

/* ROLE is asked in quick succession of the replica that is being promoted: it says master half a
 * second to two seconds before any Sentinel announces the switch. */
void apply_role(struct model *m, const struct observation *obs, struct node *n)
{
	n->role_fast = *obs->u.role;
	n->role_fast_at_ms = m->now_ms;
	if (obs->u.role->role != ROLE_MASTER || n->info.role == ROLE_MASTER ||
	    !node_note_promotion(m, n))
		return;
	model_node_event(m, EVENT_OWN_ROLE_CHANGED, n, "replica -> master, by its own word");
	/* The next INFO says the same; once is enough. */
	n->info.role = ROLE_MASTER;
	n->info.master = (struct endpoint){ 0 };
	n->role_ms = m->now_ms;
}

/* A plain set that Sentinels listen to is no plain set: a failover past them would be undone. */
void apply_watchers(struct model *m, const struct observation *obs, struct node *n)
{
	if (n->watchers == obs->u.watchers)
		return;
	n->watchers = obs->u.watchers;
	m->changed |= TOPIC_NODES | TOPIC_HEALTH;
}

/* A data node leads to its Sentinels: they say hello on it every 2 s. */
void apply_hello(struct model *m, const struct observation *obs, struct node *n)
{
	const struct deployment *d = deployment_get(m, n->deployment_id);
	if (d != NULL && d->kind == KIND_REPLICATION)
		node_obtain(m, d->id, &obs->u.hello->sentinel, true);
}

void apply_ckquorum(struct model *m, const struct observation *obs, struct node *n)
{
	struct deployment *d = deployment_get(m, n->deployment_id);
	struct group *g = d != NULL && obs->arg != NULL ? group_find(d, obs->arg) : NULL;
	if (g == NULL)
		return;
	m->changed |= g->ckquorum_at_ms == 0 || g->ckquorum.ok != obs->u.ckquorum->ok ? TOPIC_HEALTH
										     : TOPIC_VALUES;
	g->ckquorum = *obs->u.ckquorum;
	g->ckquorum_from = n->id;
	g->ckquorum_at_ms = m->now_ms;
	struct sentinel_view *own = group_view(g, n->id);
	if (own == NULL)
		return;
	own->ckquorum = *obs->u.ckquorum;
	own->ckquorum_at_ms = m->now_ms;
}

static enum severity action_severity(enum action_stage stage)
{
	if (stage == ACTION_REFUSED || stage == ACTION_FAILED || stage == ACTION_UNKNOWN)
		return SEVERITY_CRITICAL;
	return stage == ACTION_SENT ? SEVERITY_WARNING : SEVERITY_NOTICE;
}

static const char *action_stage_name(enum action_stage stage)
{
	static const char *const names[] = { "none", "sent", "accepted", "refused", "verified",
					     "failed", "outcome unknown" };
	return names[stage];
}

void apply_action(struct model *m, const struct observation *obs, struct node *n)
{
	const struct action_facts *a = obs->u.action;
	char addr[ENDPOINT_TEXT_BYTES] = "", detail[1024];
	/* Whether one may is known from then on; that a sheet was opened is no event. */
	if (a->stage == ACTION_NONE) {
		if (n != NULL)
			node_note_action(m, n, a);
		return;
	}
	if (n != NULL)
		endpoint_format(&n->addr, addr);
	text_format(detail, sizeof(detail), "action %u, %s %s: %s%s%s, by %s", a->action_id, a->name,
		 action_stage_name(a->stage), a->command, a->outcome[0] != '\0' ? " -> " : "",
		 a->outcome, a->operator_name);
	model_event(m, &(struct event_args){ .kind = EVENT_ACTION,
					     .use_severity = true,
					     .severity = action_severity(a->stage),
					     .deployment_id = n != NULL ? n->deployment_id : 0,
					     .node_id = obs->node_id,
					     .subject = a->subject,
					     .addr = addr,
					     .detail = detail });
	failovers_action(m, a, n);
	if (n != NULL)
		node_note_action(m, n, a);
}
