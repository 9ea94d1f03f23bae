/* Sentinels' messages: into the log, and into what they make certain at once. */
#include <stdio.h>
#include <string.h>

#include "model/model_private.h"

/* sentinel.c:sentinelResetMasterAndChangeAddress clears the flags with the address. */
static void switch_master(struct model *m, struct group *g, const struct node *sentinel,
			  const struct sentinel_message *msg)
{
	if (group_view(g, sentinel->id) == NULL || !endpoint_is_set(&msg->new_master))
		return;
	node_obtain(m, g->deployment_id, &msg->new_master, false);
	/* Looked up anew: a new master that another deployment has makes one of the two, and the groups of
	 * one of them go. */
	struct deployment *d = deployment_get(m, sentinel->deployment_id);
	g = d != NULL ? group_find(d, msg->master_name) : NULL;
	struct sentinel_view *v = g != NULL ? group_view(g, sentinel->id) : NULL;
	if (v == NULL)
		return;
	v->facts.addr = msg->new_master;
	v->facts.flags = SFLAG_MASTER;
	v->facts.failover_state[0] = '\0';
	v->switched_ms = m->now_ms;
	group_judge_agreement(m, g);
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
	struct sentinel_view *v = group_view(g, sentinel->id);
	bool about_master = strcmp(msg->instance_type, "master") == 0;
	/* Replies and events come over two connections: it may be about the master of before. */
	if (about_master && v != NULL && endpoint_equal(&v->facts.addr, &msg->addr)) {
		v->facts.flags = down ? v->facts.flags | flag : v->facts.flags & ~flag;
		group_judge_master_down(m, g);
		group_judge_agreement(m, g);
	}
	if (!about_master && n != NULL && !objective)
		node_set_said_down(m, n, down, sentinel->id);
	m->changed |= TOPIC_HEALTH;
}

static void set_tilt(struct model *m, struct node *sentinel, bool tilt)
{
	struct deployment *d = deployment_get(m, sentinel->deployment_id);
	sentinel->info.sentinel_tilt = tilt;
	if (d != NULL)
		d->judge = true;
	m->changed |= TOPIC_HEALTH;
}

static void apply_to_model(struct model *m, struct node *n, struct group *g, enum event_kind kind,
			   const struct sentinel_message *msg)
{
	if (kind == EVENT_TILT || kind == EVENT_TILT_OVER) {
		set_tilt(m, n, kind == EVENT_TILT);
		return;
	}
	failovers_message(m, g, n, kind, msg);
	if (g == NULL)
		return;
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
