/* Sentinels' messages: into the log, and into what they make certain at once. */
#include <stdio.h>
#include <string.h>

#include "model/model_private.h"

/* The phase that a message begins. */
static enum failover_phase phase_of(enum event_kind kind)
{
	switch (kind) {
	case EVENT_TRY_FAILOVER:
		return PHASE_TRY;
	case EVENT_ELECTED_LEADER:
		return PHASE_ELECTED;
	case EVENT_FAILOVER_SELECT_SLAVE:
		return PHASE_SELECT;
	case EVENT_SELECTED_SLAVE:
	case EVENT_FAILOVER_SEND_SLAVEOF_NOONE:
		return PHASE_SELECTED;
	case EVENT_FAILOVER_WAIT_PROMOTION:
		return PHASE_PROMOTION;
	case EVENT_PROMOTED_SLAVE:
	case EVENT_FAILOVER_RECONF_SLAVES:
		return PHASE_RECONF;
	case EVENT_FAILOVER_END:
		return PHASE_ENDED;
	case EVENT_ABORT_NOT_ELECTED:
	case EVENT_ABORT_NO_GOOD_SLAVE:
	case EVENT_ABORT_SLAVE_TIMEOUT:
	case EVENT_ABORT_MASTER_TIMEOUT:
		return PHASE_ABORTED;
	default:
		return PHASE_NONE;
	}
}

static void follow_failover(struct model *m, struct group *g, const struct node *sentinel,
			    enum event_kind kind, const struct sentinel_message *msg)
{
	enum failover_phase phase = phase_of(kind);
	struct failover *f = &g->failover;
	if (phase == PHASE_NONE)
		return;
	bool running = f->phase > PHASE_NONE && f->phase < PHASE_ENDED;
	bool ends = phase == PHASE_ENDED || phase == PHASE_ABORTED;
	bool leads = f->leader_id == sentinel->id;
	/* Two Sentinels may try at once: who was elected leads, and the other gives up later. */
	if ((phase == PHASE_TRY && running && !leads && f->phase > PHASE_TRY) ||
	    (ends && f->leader_id != 0 && !leads))
		return;
	if (phase == PHASE_TRY || (!running && !ends))
		*f = (struct failover){ .started_ms = phase == PHASE_TRY && running ? f->started_ms
										    : m->now_ms };
	if (!ends || f->leader_id == 0)
		f->leader_id = sentinel->id;
	f->phase = phase;
	f->phase_ms = m->now_ms;
	if (ends)
		f->ended_ms = m->now_ms;
	if (phase == PHASE_ABORTED)
		snprintf(f->abort_reason, sizeof(f->abort_reason), "%s", msg->channel);
	if (kind == EVENT_SELECTED_SLAVE) {
		const struct node *chosen = node_by_addr(m, &msg->addr);
		f->selected_id = chosen != NULL ? chosen->id : 0;
		m->changed |= TOPIC_SELECTED;
	}
	m->changed |= TOPIC_HEALTH;
	deployment_get(m, g->deployment_id)->regroup = true;
}

static struct sentinel_view *view_of(struct group *g, uint32_t sentinel_id)
{
	for (size_t i = 0; i < g->view_count; i++)
		if (g->views[i].sentinel_id == sentinel_id)
			return &g->views[i];
	return NULL;
}

/* sentinel.c:sentinelResetMasterAndChangeAddress clears the flags with the address. */
static void switch_master(struct model *m, struct group *g, const struct node *sentinel,
			  const struct sentinel_message *msg)
{
	if (view_of(g, sentinel->id) == NULL || !endpoint_is_set(&msg->new_master))
		return;
	node_obtain(m, g->deployment_id, &msg->new_master, false);
	/* Looked up anew: a new master that another deployment has makes one of the two, and the groups of
	 * one of them go. */
	struct deployment *d = deployment_get(m, sentinel->deployment_id);
	g = d != NULL ? group_find(d, msg->master_name) : NULL;
	struct sentinel_view *v = g != NULL ? view_of(g, sentinel->id) : NULL;
	if (v == NULL)
		return;
	v->facts.addr = msg->new_master;
	v->facts.flags = SFLAG_MASTER;
	v->facts.failover_state[0] = '\0';
	v->switched_ms = m->now_ms;
	d->regroup = true;
	m->changed |= TOPIC_HEALTH | TOPIC_TOPOLOGY;
}

/* +sdown, -sdown, +odown, -odown: the flag of one instance in this Sentinel's view. */
static void set_down_flag(struct model *m, struct group *g, const struct node *sentinel,
			  enum event_kind kind, const struct sentinel_message *msg)
{
	bool objective = kind == EVENT_ODOWN || kind == EVENT_ODOWN_OVER;
	bool down = kind == EVENT_SDOWN || kind == EVENT_ODOWN;
	uint32_t flag = objective ? SFLAG_O_DOWN : SFLAG_S_DOWN;
	struct node *n = node_by_addr(m, &msg->addr);
	struct sentinel_view *v = view_of(g, sentinel->id);
	bool about_master = strcmp(msg->instance_type, "master") == 0;
	/* Replies and events come over two connections: it may be about the master of before. */
	if (about_master && v != NULL && endpoint_equal(&v->facts.addr, &msg->addr)) {
		v->facts.flags = down ? v->facts.flags | flag : v->facts.flags & ~flag;
		group_judge_master_down(m, g);
	}
	if (!about_master && n != NULL && !objective)
		node_set_said_down(m, n, down, sentinel->id);
	m->changed |= TOPIC_HEALTH;
}

static void set_tilt(struct model *m, struct node *sentinel, bool tilt)
{
	sentinel->info.sentinel_tilt = tilt;
	m->changed |= TOPIC_HEALTH;
}

static void apply_to_model(struct model *m, struct node *n, struct group *g, enum event_kind kind,
			   const struct sentinel_message *msg)
{
	if (kind == EVENT_TILT || kind == EVENT_TILT_OVER) {
		set_tilt(m, n, kind == EVENT_TILT);
		return;
	}
	if (g == NULL)
		return;
	follow_failover(m, g, n, kind, msg);
	if (kind == EVENT_SWITCH_MASTER)
		switch_master(m, g, n, msg);
	if (kind == EVENT_SDOWN || kind == EVENT_SDOWN_OVER || kind == EVENT_ODOWN ||
	    kind == EVENT_ODOWN_OVER)
		set_down_flag(m, g, n, kind, msg);
}

/* What a reader sees beside name and address. */
static void message_detail(const struct sentinel_message *msg, enum event_kind kind, char *out,
			   size_t size)
{
	char text[ENDPOINT_TEXT_BYTES];
	if (kind == EVENT_SWITCH_MASTER)
		snprintf(out, size, "new master %s", endpoint_format(&msg->new_master, text));
	else if (kind == EVENT_VOTE_FOR_LEADER)
		snprintf(out, size, "for %s in epoch %lld", msg->run_id, (long long)msg->epoch);
	else if (kind == EVENT_NEW_EPOCH)
		snprintf(out, size, "epoch %lld", (long long)msg->epoch);
	else if (msg->instance_type[0] != '\0' && strcmp(msg->instance_type, "master") != 0)
		snprintf(out, size, "%s%s%s",
			 strcmp(msg->instance_type, "slave") == 0 ? "replica" : msg->instance_type,
			 msg->detail[0] != '\0' ? " " : "", msg->detail);
	else
		/* "#quorum 2/2": the mark only separates it from the address. */
		snprintf(out, size, "%s", msg->detail + (msg->detail[0] == '#'));
}

void apply_message(struct model *m, const struct observation *obs, struct node *n)
{
	const struct sentinel_message *msg = obs->u.message;
	/* Redis 6.0 and later also publish for clients under other names; Sentinels only under these. */
	if (msg->channel[0] != '+' && msg->channel[0] != '-')
		return;
	enum event_kind kind = event_kind_find(msg->channel);
	struct deployment *d = deployment_get(m, n->deployment_id);
	struct group *g = d != NULL ? group_find(d, msg->master_name) : NULL;
	char addr[ENDPOINT_TEXT_BYTES] = "", source[ENDPOINT_TEXT_BYTES], detail[640];
	const struct node *about = node_by_addr(m, &msg->addr);
	if (endpoint_is_set(&msg->addr))
		endpoint_format(&msg->addr, addr);
	endpoint_format(&n->addr, source);
	message_detail(msg, kind, detail, sizeof(detail));
	/* A Sentinel's own state has no instance: it is about the Sentinel. */
	bool own = kind == EVENT_TILT || kind == EVENT_TILT_OVER;
	model_event(m, &(struct event_args){ .kind = kind,
					     .deployment_id = n->deployment_id,
					     .node_id = about != NULL ? about->id : own ? n->id : 0,
					     .group_id = g != NULL ? g->id : 0,
					     .name = msg->channel,
					     .subject = own ? source : msg->master_name,
					     .addr = own ? source : addr,
					     .detail = detail,
					     .source = source });
	apply_to_model(m, n, g, kind, msg);
}
