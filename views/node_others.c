/* What others say of a node: Sentinels, the cluster's other nodes, its master. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "model/readiness.h"
#include "views/node_private.h"

#define SENTINELS_ASKED 16
#define HELLO_QUIET_MS  5000 /* one comes every two seconds */

struct flag_name {
	uint32_t flag;
	const char *name;
};

static const struct flag_name sentinel_flags[] = {
    {SFLAG_S_DOWN, "s_down"},
    {SFLAG_O_DOWN, "o_down"},
    {SFLAG_MASTER, "master"},
    {SFLAG_SLAVE, "slave"},
    {SFLAG_SENTINEL, "sentinel"},
    {SFLAG_DISCONNECTED, "disconnected"},
    {SFLAG_MASTER_DOWN, "master_down"},
    {SFLAG_FAILOVER_IN_PROGRESS, "failover_in_progress"},
    {SFLAG_PROMOTED, "promoted"},
    {SFLAG_RECONF_SENT, "reconf_sent"},
    {SFLAG_RECONF_INPROG, "reconf_inprog"},
    {SFLAG_RECONF_DONE, "reconf_done"},
    {SFLAG_FORCE_FAILOVER, "force_failover"},
    {SFLAG_COORDINATED_FAILOVER, "coordinated_failover"},
    {SFLAG_SCRIPT_KILL_SENT, "script_kill_sent"},
    {SFLAG_MASTER_REBOOT, "master_reboot"},
    {0, NULL},
};
static const struct flag_name cluster_flags[] = {
    {CFLAG_MASTER, "master"},         {CFLAG_SLAVE, "slave"},
    {CFLAG_PFAIL, "fail?"},           {CFLAG_FAIL, "fail"},
    {CFLAG_HANDSHAKE, "handshake"},   {CFLAG_NOADDR, "noaddr"},
    {CFLAG_NOFAILOVER, "nofailover"}, {0, NULL},
};

static const char *flags_text(const struct flag_name *names, uint32_t flags,
			      char out[FACTS_FLAGS_BYTES])
{
	size_t len = 0;

	out[0] = '\0';
	for (; names->name; names++) {
		if (!(flags & names->flag))
			continue;
		snprintf(out + len, FACTS_FLAGS_BYTES - len, "%s%s", len ? "," : "", names->name);
		len = strlen(out);
	}
	return out[0] ? out : "no flags";
}

const char *facts_sentinel_flags(uint32_t flags, char out[FACTS_FLAGS_BYTES])
{
	return flags_text(sentinel_flags, flags, out);
}

enum style_role facts_sentinel_flags_style(uint32_t flags)
{
	if (flags & SFLAG_O_DOWN)
		return STYLE_CRITICAL;
	return flags & (SFLAG_S_DOWN | SFLAG_DISCONNECTED | SFLAG_MASTER_DOWN) ? STYLE_WARNING
									       : STYLE_TEXT;
}

static void add_said_down(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	char since[UNITS_BYTES], by[ENDPOINT_TEXT_BYTES];

	if (!n->said_down)
		return;
	facts_add(f, "down", STYLE_CRITICAL, "%s, first by %.100s",
		  facts_age(c, n->said_down_ms, since),
		  n->said_down_by ? facts_address(c, n->said_down_by, by) : "its deployment");
}

/* Sentinels that say the same in one line. */
static void add_master_views(struct node_facts *f, const struct view_context *c,
			     const struct group *g)
{
	char flags[FACTS_FLAGS_BYTES], by[ENDPOINT_TEXT_BYTES], old[FACTS_AGO_BYTES];

	for (size_t i = 0; i < g->view_count; i++) {
		uint32_t said = g->views[i].facts.flags;
		size_t same = 0, before = 0;
		int64_t oldest_ms = g->views[i].at_ms;

		for (size_t k = 0; k < g->view_count; k++) {
			if (g->views[k].facts.flags != said)
				continue;
			same++;
			before += k < i;
			if (g->views[k].at_ms < oldest_ms)
				oldest_ms = g->views[k].at_ms;
		}
		if (before > 0)
			continue;
		flags_text(sentinel_flags, said, flags);
		facts_ago(c, oldest_ms, old);
		if (same == 1 && g->view_count > 1)
			facts_add(f, "Sentinel", facts_sentinel_flags_style(said), "%.80s: %s%s",
				  facts_address(c, g->views[i].sentinel_id, by), flags, old);
		else
			facts_add(f, "Sentinels", facts_sentinel_flags_style(said),
				  "%zu of %zu: %s%s", same, g->view_count, flags, old);
	}
}

static void add_replica_view(struct node_facts *f, const struct view_context *c,
			     const struct member_view *v)
{
	char flags[FACTS_FLAGS_BYTES], by[ENDPOINT_TEXT_BYTES], old[FACTS_AGO_BYTES],
	    prio[UNITS_BYTES];
	const struct sentinel_instance *s = &v->facts;

	facts_add(f, "Sentinel", facts_sentinel_flags_style(s->flags), "%.80s: %s",
		  facts_address(c, v->sentinel_id, by),
		  flags_text(sentinel_flags, s->flags, flags));
	facts_add(f, "", s->master_link_ok == 0 ? STYLE_WARNING : STYLE_TEXT,
		  "link to master %s, priority %s%s",
		  s->master_link_ok == 1   ? "ok"
		  : s->master_link_ok == 0 ? "err"
					   : "?",
		  facts_number(s->priority, prio), facts_ago(c, v->at_ms, old));
}

static const struct forecast_replica *replica_in(const struct forecast *f, uint32_t node_id)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->replicas[i].node_id == node_id)
			return &f->replicas[i];
	return NULL;
}

/* Whether a failover would make it the master; where the Sentinels are not of one mind, by how
 * many. */
static void add_promotion(struct node_facts *f, const struct view_context *c, const struct group *g,
			  const struct node *n)
{
	struct forecast *by = mem_alloc(sizeof(*by));
	struct forecast_replica first = {0};
	size_t asked = 0, take = 0, same = 0, other = 0;
	bool diverged = false;
	char why[FORECAST_REASONS_BYTES];

	for (size_t i = 0; i < g->view_count && i < SENTINELS_ASKED; i++) {
		const struct node *s = model_node(c->model, g->views[i].sentinel_id);
		const struct forecast_replica *r;

		if (!s || s->link.state != LINK_UP)
			continue;
		forecast_by_sentinel(c->model, g, &g->views[i], FORECAST_CRASH, c->now_ms, by);
		if (!by->known)
			continue;
		asked++;
		take += by->candidate_id == n->id;
		diverged |= by->candidate_id == n->id && by->second_master;
		r = replica_in(by, n->id);
		if (!r || !r->passed_over)
			continue;
		if (same == 0)
			first = *r;
		same += r->passed_over == first.passed_over;
		other += r->passed_over != first.passed_over;
	}
	if (take > 0)
		facts_add(f, "promotion", take < asked ? STYLE_WARNING : STYLE_TEXT,
			  "%zu of %zu Sentinels would take it", take, asked);
	if (take > 0 && diverged)
		facts_add(f, "", STYLE_CRITICAL, FORECAST_SECOND_MASTER);
	if (same > 0)
		facts_add(f, take > 0 ? "" : "promotion", STYLE_WARNING,
			  "%zu of %zu pass it over: %.160s%s", same, asked,
			  forecast_reasons(&first, why),
			  other > 0 ? "; others for other reasons" : "");
	free(by);
}

static void add_ready(struct node_facts *f, const struct view_context *c, const struct group *g)
{
	struct readiness r;

	if (g->view_count == 0)
		return;
	readiness_of(c->model, g, c->now_ms, &r);
	facts_add(f, "ready", r.verdict == READY_YES ? STYLE_TEXT : STYLE_WARNING, "%s", r.text);
}

static void add_peer_views(struct node_facts *f, const struct deployment *d, const struct node *n)
{
	char flags[FACTS_FLAGS_BYTES], hello[UNITS_BYTES];
	size_t listed = 0, shown = 0;

	for (size_t i = 0; i < d->group_count; i++) {
		const struct group *g = d->groups[i];
		const struct member_view *v;
		size_t at = 0;

		while (at < g->peer_count && g->peers[at].node_id != n->id)
			at++;
		if (at == g->peer_count)
			continue;
		v = &g->peers[at];
		listed++;
		if (shown >= FACTS_LISTED_MAX)
			continue;
		shown++;
		facts_add(f, "peers", facts_sentinel_flags_style(v->facts.flags),
			  "%.80s: %s, hello %s ago", g->name,
			  flags_text(sentinel_flags, v->facts.flags, flags),
			  v->facts.last_hello_message_ms == FACT_UNKNOWN ? "?"
			  : v->facts.last_hello_message_ms < HELLO_QUIET_MS
			      ? "<5 s"
			      : units_age(v->facts.last_hello_message_ms, hello));
	}
	if (listed > shown)
		facts_add(f, "", STYLE_TEXT, "+%zu masters", listed - shown);
	if (listed == 0)
		facts_add(f, "peers", STYLE_TEXT, "?");
}

static void add_cluster_word(struct node_facts *f, const struct view_context *c,
			     const struct node *n)
{
	const struct cluster_member *m = n->member;
	char flags[FACTS_FLAGS_BYTES], by[ENDPOINT_TEXT_BYTES], old[FACTS_AGO_BYTES],
	    epoch[UNITS_BYTES];

	if (!m || m->at_ms == 0) {
		facts_add(f, "cluster", STYLE_TEXT, "?");
		return;
	}
	facts_add(f, "flags",
		  m->flags & CFLAG_FAIL    ? STYLE_CRITICAL
		  : m->flags & CFLAG_PFAIL ? STYLE_WARNING
					   : STYLE_TEXT,
		  "%s, %s", flags_text(cluster_flags, m->flags, flags),
		  m->link_connected ? "connected" : "not connected");
	facts_add(f, "epoch", STYLE_TEXT, "%s", facts_number(m->config_epoch, epoch));
	facts_add(f, "by", STYLE_TEXT, "%.80s%s", facts_address(c, m->claimed_by, by),
		  facts_ago(c, m->at_ms, old));
	for (size_t i = 0; i < m->claim_count && i < FACTS_LISTED_MAX; i++)
		facts_add(f, m->claims[i].fail ? "fail" : "fail?",
			  m->claims[i].fail ? STYLE_CRITICAL : STYLE_WARNING, "by %.80s%s",
			  facts_address(c, m->claims[i].by, by),
			  facts_ago(c, m->claims[i].at_ms, old));
	if (m->claim_count > FACTS_LISTED_MAX)
		facts_add(f, "", STYLE_WARNING, "+%zu more", m->claim_count - FACTS_LISTED_MAX);
}

static void add_slots(struct node_facts *f, const struct node *n)
{
	char text[160] = "";
	size_t sum = 0, len = 0, listed = 0;

	if (!n->member || f->role != ROLE_MASTER)
		return;
	for (size_t i = 0; i < n->member->slot_count; i++) {
		const struct slot_range *r = &n->member->slots[i];

		sum += (size_t)(r->last - r->first) + 1;
		if (listed >= FACTS_LISTED_MAX)
			continue;
		listed++;
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					r->first == r->last ? " %u" : " %u-%u", r->first, r->last);
	}
	if (n->member->slot_count > listed)
		snprintf(text + len, sizeof(text) - len, " +%zu more",
			 n->member->slot_count - listed);
	facts_add(f, "slots", STYLE_TEXT, "%zu%s%s", sum, sum ? ":" : "", text);
	for (size_t i = 0; i < n->member->open_count && i < FACTS_LISTED_MAX; i++)
		facts_add(f, n->member->open[i].importing ? "importing" : "migrating",
			  STYLE_WARNING, "slot %u %s %.8s", n->member->open[i].slot,
			  n->member->open[i].importing ? "from" : "to", n->member->open[i].peer);
}

/* What its master's INFO lists of it. */
static void add_masters_word(struct node_facts *f, const struct view_context *c,
			     const struct node *n)
{
	const struct node *master = n->listed_by ? model_node(c->model, n->listed_by) : NULL;
	char by[ENDPOINT_TEXT_BYTES], old[FACTS_AGO_BYTES];

	for (size_t i = 0; master && i < master->info.replica_count; i++) {
		const struct info_replica *r = &master->info.replicas[i];

		if (!endpoint_equal(&r->addr, &n->addr))
			continue;
		facts_add(f, "its master", STYLE_TEXT, "%.80s: %s, offset %lld%s",
			  endpoint_format(&master->addr, by), r->state, (long long)r->offset,
			  facts_ago(c, master->info_at_ms, old));
		return;
	}
}

void facts_add_others(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	const struct deployment *d = model_deployment(c->model, n->deployment_id);
	const struct group *g = n->group_id ? model_group(c->model, n->group_id) : NULL;
	const struct member_view *v = g ? group_replica_view(g, n->id) : NULL;
	size_t before;

	facts_section(f, "Others say");
	before = f->count;
	add_said_down(f, c, n);
	if (d && d->kind == KIND_CLUSTER) {
		add_cluster_word(f, c, n);
		add_slots(f, n);
	}
	if (n->is_sentinel && d)
		add_peer_views(f, d, n);
	else if (g && model_node_resolve(c->model, g->master_id) == n->id)
		add_master_views(f, c, g);
	else if (v)
		add_replica_view(f, c, v);
	if (g && !n->is_sentinel && model_node_resolve(c->model, g->master_id) == n->id)
		add_ready(f, c, g);
	else if (g && v)
		add_promotion(f, c, g, n);
	if (!n->is_sentinel)
		add_masters_word(f, c, n);
	if (f->count == before)
		facts_add(f, "", STYLE_TEXT, "nothing");
}
