/* What a row says: headings, notes, and a node's state in words. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "model/lag.h"
#include "model/probe.h"
#include "model/stray.h"
#include "views/topology_private.h"

#define STALE_SENTINEL_MS 15000

/* --- headings ------------------------------------------------------------------------------ */

static void fill_sentinel_heading(struct topo_row *row, const struct model *m,
				  const struct group *g)
{
	const struct sentinel_view *best = group_best_view(g);
	size_t known = group_sentinels_known(m, g);
	char quorum[48] = "quorum ?";
	/* Of who does not answer now it would be no word of now. */
	const struct ckquorum_facts *asked = group_ckquorum_answering(m, g);
	const char *check = "ckquorum ?";

	if (best && best->facts.quorum != FACT_UNKNOWN)
		snprintf(quorum, sizeof(quorum), "quorum %lld of %zu",
			 (long long)best->facts.quorum, known);
	if (asked)
		check = asked->ok ? "ckquorum ok" : "ckquorum NOT OK";
	snprintf(row->state, sizeof(row->state), "%s  %s", quorum, check);
}

static void fill_shard_heading(struct topo_row *row, const struct owned *owned)
{
	char text[100] = "";

	if (owned)
		owned_text(owned, 6, text, sizeof(text));
	snprintf(row->state, sizeof(row->state), "%zu slots%s%s", owned ? owned->slots : 0,
		 text[0] ? "  " : "", text);
}

void topology_weigh(struct topology *t, const struct view_context *c, const struct group *g)
{
	struct forecast f;

	if (t->chance.group_id == g->id)
		return;
	t->chance.group_id = g->id;
	readiness_of(c->model, g, c->now_ms, &t->chance.ready);
	forecast_group(c->model, g, FORECAST_CRASH, c->now_ms, &f, NULL);
	t->chance.candidate_id = f.candidate_id;
}

/* The verdict in a few words; the reasons are notes below it, and on the agreement screen. */
static void fill_ready(struct topology *t, struct topo_row *row, const struct view_context *c,
		       const struct group *g)
{
	const struct node *n;
	char addr[ENDPOINT_TEXT_BYTES];

	topology_weigh(t, c, g);
	row->verdict = t->chance.ready.verdict;
	n = model_node(c->model, t->chance.candidate_id);
	if (t->chance.ready.running) /* what is bad about it the master's row says */
		row->verdict = READY_DOUBTFUL;
	if (row->verdict == READY_YES && n)
		text_format(row->ready, sizeof(row->ready), "%s: %.56s%s",
			    ready_words(&t->chance.ready), endpoint_format(&n->addr, addr),
			    t->chance.ready.differs_by_hand ? "?" : " next");
	else
		snprintf(row->ready, sizeof(row->ready), "%s", ready_words(&t->chance.ready));
}

static void fill_group(struct topology *t, struct topo_row *row, const struct view_context *c)
{
	const struct group *g = model_group(c->model, row->group_id);
	const struct deployment *d = g ? model_deployment(c->model, g->deployment_id) : NULL;
	struct verdict verdict;

	if (!g || !d)
		return;
	health_group(c->model, g, c->now_ms, &verdict);
	row->health = verdict.health;
	if (d->kind == KIND_SENTINEL)
		fill_sentinel_heading(row, c->model, g);
	else if (d->kind == KIND_CLUSTER)
		fill_shard_heading(row, row->owner != NONE ? &t->owned[row->owner] : NULL);
	else
		snprintf(row->state, sizeof(row->state), "no automatic failover");
	if (d->kind != KIND_REPLICATION)
		fill_ready(t, row, c, g);
}

static void fill_reason(struct topology *t, struct topo_row *row, const struct view_context *c,
			const struct group *g)
{
	size_t nth = (size_t)((row->id - ID_REASON) >> 32);

	topology_weigh(t, c, g);
	if (nth >= t->chance.ready.reason_count)
		return;
	row->health = t->chance.ready.reasons[nth].verdict == READY_NO ? HEALTH_CRITICAL
								        : HEALTH_WARNING;
	text_format(row->state, sizeof(row->state), "%s", t->chance.ready.reasons[nth].text);
}

/* What a client feels. */
static void fill_client(struct topo_row *row, const struct view_context *c, const struct group *g)
{
	char words[PROBE_WORDS_BYTES];

	row->health = probe_text(g, c->now_ms, words);
	text_format(row->state, sizeof(row->state), "client: %s", words);
}

static void fill_note(struct topology *t, struct topo_row *row, const struct view_context *c)
{
	const struct group *g = model_group(c->model, row->group_id);
	const struct node *leader;
	char addr[ENDPOINT_TEXT_BYTES];
	size_t len;

	if (!g)
		return;
	if (row->id >= ID_REASON) {
		fill_reason(t, row, c, g);
		return;
	}
	if (row->id >= ID_CLIENT) {
		fill_client(row, c, g);
		return;
	}
	if (row->id >= ID_CKQUORUM) {
		row->health = HEALTH_CRITICAL;
		snprintf(row->state, sizeof(row->state), "%.150s", g->ckquorum.message);
		return;
	}
	row->health = HEALTH_WARNING;
	len = (size_t)snprintf(row->state, sizeof(row->state), "failover: ");
	group_failover_text(g, c->now_ms, row->state + len, sizeof(row->state) - len);
	if (len == strlen(row->state)) /* known from flags only */
		snprintf(row->state, sizeof(row->state), "failover running");
	len = strlen(row->state);
	leader = model_node(c->model, g->failover.leader_id);
	if (leader && len + 90 < sizeof(row->state))
		snprintf(row->state + len, sizeof(row->state) - len, ", led by %.70s",
			 endpoint_format(&leader->addr, addr));
}

/* --- what a node's row says ---------------------------------------------------------------- */

static void state_append(struct topo_row *row, const char *text)
{
	size_t len = strlen(row->state);

	snprintf(row->state + len, sizeof(row->state) - len, "%s%s", len ? ", " : "", text);
}

static void state_worsen(struct topo_row *row, enum health h, const char *text)
{
	row->health = health_worse(row->health, h);
	state_append(row, text);
}

static bool is_promoted_now(const struct model *m, const struct node *n, const struct group *g,
			    int64_t now_ms)
{
	const struct member_view *seen = group_replica_view(g, n->id);

	return (group_failover_running(m, g, now_ms) &&
		model_node_resolve(m, g->failover.selected_id) == n->id) ||
	       (seen && (seen->facts.flags & SFLAG_PROMOTED) && topology_master_of(m, g) != n->id);
}

/* INFO and CLUSTER NODES are asked at different times, and an election spreads by gossip: that one
 * of them is ahead of the other is no contradiction. */
static bool is_changing_role(const struct model *m, const struct node *n)
{
	const struct deployment *d = model_deployment(m, n->deployment_id);

	if (!d || d->kind != KIND_CLUSTER || !n->member)
		return false;
	return (n->info.role == ROLE_MASTER) == ((n->member->flags & CFLAG_SLAVE) != 0);
}

/* What is said of it until then, without what the change of its role explains. */
static void state_prefix(struct topo_row *row, const char *text)
{
	char had[sizeof(row->state)];

	snprintf(had, sizeof(had), "%s", strstr(row->state, "second master") ? "" : row->state);
	row->health = HEALTH_WARNING;
	snprintf(row->state, sizeof(row->state), "%s%s%.120s", text, had[0] ? ", " : "", had);
}

/* A node that takes itself for something else than its deployment does: the old master that came
 * back, or a replica turned by hand. */
static void fill_role(struct topo_row *row, const struct model *m, const struct node *n,
		      const struct group *g, int64_t now_ms)
{
	enum role expected = topology_master_of(m, g) == n->id ? ROLE_MASTER : ROLE_REPLICA;
	/* What it said before it fell silent may be long over. */
	bool said = n->link.state == LINK_UP && n->info_at_ms != 0 && n->info.role != ROLE_UNKNOWN;

	/* That it says so is the aim; that its link is down, the reason. Neither comes first. */
	if (is_promoted_now(m, n, g, now_ms)) {
		state_prefix(row, said && n->info.role == ROLE_MASTER ? "promoted" : "promoting");
		return;
	}
	if (g->master_id == 0 || !said || n->info.role == expected)
		return;
	if (is_changing_role(m, n)) {
		state_prefix(row, n->info.role == ROLE_MASTER ? "changing role, says master"
							      : "changing role, says replica");
		return;
	}
	row->odd_role = true;
	if (!strstr(row->state, "says") && !strstr(row->state, "second master"))
		state_worsen(row, HEALTH_CRITICAL,
			     n->info.role == ROLE_MASTER
				 ? "says it is master, should be a replica"
				 : "says it is a replica, should be master");
}

static void fill_sentinel_flags(struct topo_row *row, const struct view_context *c,
				const struct node *n)
{
	const struct deployment *d = model_deployment(c->model, n->deployment_id);
	size_t flagged = 0;
	char text[64];

	if (n->info_at_ms != 0 && n->info.sentinel_tilt == 1 && !strstr(row->state, "TILT"))
		state_worsen(row, HEALTH_CRITICAL, "TILT");
	for (size_t i = 0; d && i < d->group_count; i++) {
		const struct group *g = d->groups[i];

		for (size_t k = 0; k < g->peer_count; k++)
			if (g->peers[k].node_id == n->id &&
			    (g->peers[k].facts.flags & SFLAG_S_DOWN))
				flagged++;
	}
	if (flagged == 0 || strstr(row->state, "sdown") || strstr(row->state, "subjectively"))
		return;
	if (flagged == 1)
		snprintf(text, sizeof(text), "sdown by its peers");
	else
		snprintf(text, sizeof(text), "sdown by its peers for %zu masters", flagged);
	state_worsen(row, HEALTH_WARNING, text);
}

static void fill_values(struct topo_row *row, const struct model *m, const struct node *n)
{
	bool said = n->info_at_ms != 0;

	row->uptime_s = said ? n->info.uptime_s : FACT_UNKNOWN;
	row->clients = said ? n->info.connected_clients : FACT_UNKNOWN;
	row->ops = said ? n->info.ops_per_sec : FACT_UNKNOWN;
	row->memory_bytes = said ? n->info.used_memory_bytes : FACT_UNKNOWN;
	row->lag_bytes = row->role == ROLE_REPLICA ? lag_bytes_of(m, n) : FACT_UNKNOWN;
	snprintf(row->version, sizeof(row->version), "%s", said ? n->info.version : "");
}

/* Sentinels are asked for INFO rarely: any answer shows that the facts hold. */
static bool is_stale(const struct node *n, const struct view_context *c)
{
	if (n->is_sentinel)
		return n->link.last_reply_ms != 0 &&
		       (n->link.state != LINK_UP ||
			c->now_ms - n->link.last_reply_ms > STALE_SENTINEL_MS);
	return (n->info_at_ms != 0 && !node_answers(n)) ||
	       node_is_stale(n, c->now_ms, c->interval_ms);
}

/* Until the Sentinels list it as a replica nobody says what it should be. */
static void fill_old_master(struct topo_row *row, const struct model *m, const struct node *n,
			    const struct group *g)
{
	char had[sizeof(row->state)];
	struct stray_master stray;

	snprintf(had, sizeof(had), "%s", row->state);
	snprintf(row->state, sizeof(row->state), "old master%s%.120s", had[0] ? ", " : "", had);
	if (!stray_master_of(m, g, &stray) || stray.node_id != n->id)
		return;
	row->odd_role = true;
	state_worsen(row, HEALTH_CRITICAL, "still takes writes");
}

/* Where its trouble does not say since when already. */
static void state_say_age(struct topo_row *row, const struct node *n, int64_t now_ms)
{
	int64_t heard_ms = n->is_sentinel ? n->link.last_reply_ms : n->info_at_ms;
	char age[UNITS_BYTES], text[64];

	snprintf(text, sizeof(text), "facts are %s old", units_age(now_ms - heard_ms, age));
	state_worsen(row, HEALTH_UNKNOWN, text);
}

/* Whom a failover would promote now. */
static void fill_candidate(struct topology *t, struct topo_row *row, const struct view_context *c,
			   const struct group *g)
{
	if (!t || row->role != ROLE_REPLICA || row->silent || group_failover_running(c->model, g, c->now_ms))
		return;
	topology_weigh(t, c, g);
	if (t->chance.candidate_id == row->node_id)
		state_append(row, "candidate");
}

static void fill_node(struct topology *t, struct topo_row *row, const struct view_context *c)
{
	const struct node *n = model_node(c->model, row->node_id);
	const struct group *g = model_group(c->model, row->group_id);
	struct verdict verdict;

	if (!n)
		return;
	health_node(c->model, n, c->now_ms, &verdict);
	row->health = verdict.health;
	row->role = node_role(c->model, n);
	row->stale = is_stale(n, c);
	row->silent = n->link.state != LINK_UP;
	snprintf(row->state, sizeof(row->state), "%.150s", verdict.text);
	fill_values(row, c->model, n);
	if (n->is_sentinel)
		fill_sentinel_flags(row, c, n);
	else if (row->old_master && g)
		fill_old_master(row, c->model, n, g);
	else if (g)
		fill_role(row, c->model, n, g, c->now_ms);
	if (!row->state[0])
		snprintf(row->state, sizeof(row->state), "%s", node_status_name(node_status(n)));
	if (g && !n->is_sentinel)
		fill_candidate(t, row, c, g);
	if (row->stale && n->link.lost_ms == 0)
		state_say_age(row, n, c->now_ms);
}

void topology_fill_row(struct topology *t, struct topo_row *row, const struct view_context *c)
{
	if (row->filled)
		return;
	row->filled = true;
	switch (row->kind) {
	case ROW_GROUP:
		fill_group(t, row, c);
		break;
	case ROW_NOTE:
		fill_note(t, row, c);
		break;
	case ROW_NODE:
		fill_node(t, row, c);
		break;
	case ROW_HEADING:
		break;
	}
}

void topology_fill_all(struct topology *t, const struct view_context *c)
{
	if (t->filled_all)
		return;
	t->filled_all = true;
	for (size_t i = 0; i < t->count; i++)
		topology_fill_row(t, &t->rows[i], c);
}
