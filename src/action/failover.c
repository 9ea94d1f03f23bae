/* failover: SENTINEL FAILOVER, CLUSTER FAILOVER or FAILOVER, by the kind of deployment.
 *
 * A reply of OK means only that the server took the command. The outcome is read back: from the
 * new master's own word, and from everybody else's. */
#include <stdio.h>
#include <string.h>

#include "action/action.h"
#include "base/number.h"
#include "base/units.h"
#include "model/lag.h"
#include "model/slots.h"

/* replication.c: FAILOVER without TIMEOUT pauses writes for as long as it takes. */
#define PLAIN_TIMEOUT_TEXT "10000"
#define PLAIN_TIMEOUT_MS   10000
/* cluster.h:CLUSTER_MF_TIMEOUT is 5 s; an election may follow. */
#define CLUSTER_WAIT_MS    15000
#define GRACE_MS           5000
/* At the deadline the old master's own word must be this fresh to prove that nothing happened. */
#define FRESH_MS           3000

static bool is_up(const struct node *n)
{
	return n != NULL && n->link.state == LINK_UP && n->info_at_ms != 0;
}

/* Not the master that the sheet was opened on: by process, since a moving address keeps its id. */
static bool is_another(const struct action *a, const struct node *n)
{
	return n != NULL && !action_bound_is(&a->old_master, n);
}

/* The old master, wherever its id went. */
static const struct node *old_master(const struct action *a, const struct model *m,
				     uint32_t deployment_id)
{
	const struct node *n = model_find_node(m, deployment_id, &a->old_master.addr);
	if (action_bound_is(&a->old_master, n))
		return n;
	n = model_node(m, a->old_master_id);
	return action_bound_is(&a->old_master, n) ? n : NULL;
}

/* --- Sentinel ---------------------------------------------------------------------------------- */

/* A Sentinel that acts: answers, not in TILT, and names the master that the best informed names. */
static const struct node *acting_sentinel(const struct model *m, const struct group *g)
{
	const struct sentinel_view *best = group_best_view(g);
	for (size_t i = 0; best != NULL && i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		const struct node *n = model_node(m, v->sentinel_id);
		if (is_up(n) && n->info.sentinel_tilt != 1 &&
		    endpoint_equal(&v->facts.addr, &best->facts.addr) &&
		    v->facts.config_epoch == best->facts.config_epoch)
			return n;
	}
	return NULL;
}

static bool prepare_sentinel(struct action *a, const struct model *m, const struct group *g)
{
	const struct sentinel_view *best = group_best_view(g);
	const struct node *sentinel = acting_sentinel(m, g);
	const char *const argv[] = { "SENTINEL", "FAILOVER", g->name };
	action_set_argv(a, 3, argv);
	snprintf(a->subject, sizeof(a->subject), "%s", g->name);
	snprintf(a->sheet.confirm, sizeof(a->sheet.confirm), "%s", g->name);
	a->epoch = best != NULL ? best->facts.config_epoch : 0;
	int64_t timeout_ms = best != NULL ? best->facts.failover_timeout_ms : FACT_UNKNOWN;
	/* Each phase may take failover-timeout; two follow one another. */
	a->deadline_ms = timeout_ms > 0 ? 2 * timeout_ms + GRACE_MS : 60000;
	if (sentinel == NULL)
		return action_block(a, "no Sentinel can act: none answers, or they are in TILT or disagree");
	a->target_ids[a->target_count++] = sentinel->id;
	if (group_name_was_cleaned(g))
		return action_block(a, "its name holds bytes that cannot be sent back");
	if (g->replica_count == 0)
		return action_block(a, "no replica is known that could be promoted");
	return true;
}

/* As the server said it; what it did not say is no number. */
static const char *exact(int64_t value, char out[static UNITS_BYTES])
{
	if (value == FACT_UNKNOWN)
		return "?";
	snprintf(out, UNITS_BYTES, "%lld", (long long)value);
	return out;
}

static void brief_view(struct action *a, const struct node *n, const struct sentinel_view *v)
{
	const struct sentinel_instance *f = &v->facts;
	bool down = f->flags & (SFLAG_S_DOWN | SFLAG_O_DOWN);
	char addr[ENDPOINT_TEXT_BYTES], quorum[UNITS_BYTES], known[UNITS_BYTES], replicas[UNITS_BYTES],
		epoch[UNITS_BYTES];
	sheet_line_add(&a->sheet, down ? HEALTH_WARNING : HEALTH_OK, "Sentinel",
		       "%.60s  quorum %s, knows %s Sentinels, %s replicas, epoch %s, master %s",
		       endpoint_format(&n->addr, addr), exact(f->quorum, quorum),
		       exact(fact_add(f->num_other_sentinels, 1), known),
		       exact(f->num_slaves, replicas), exact(f->config_epoch, epoch), down ? "down" : "ok");
}

#define SENTINELS_LISTED 5

static void brief_views(struct action *a, const struct model *m, const struct group *g)
{
	size_t listed = 0;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		const struct node *n = model_node(m, v->sentinel_id);
		char addr[ENDPOINT_TEXT_BYTES];
		if (n == NULL || ++listed > SENTINELS_LISTED)
			continue;
		if (n->link.state != LINK_UP) {
			sheet_line_add(&a->sheet, HEALTH_WARNING, "Sentinel", "%.60s  does not answer",
				       endpoint_format(&n->addr, addr));
			continue;
		}
		brief_view(a, n, v);
	}
	if (listed > SENTINELS_LISTED)
		sheet_line_add(&a->sheet, HEALTH_OK, "", "and %zu more Sentinels",
			       listed - SENTINELS_LISTED);
	if (g->ckquorum_at_ms != 0)
		sheet_line_add(&a->sheet, g->ckquorum.ok ? HEALTH_OK : HEALTH_WARNING, "ckquorum", "%.200s",
			       g->ckquorum.message);
}

/* Sentinels that name this node as master now, of those that answer. */
static size_t sentinels_naming(const struct model *m, const struct group *g, const struct node *master,
			       size_t *asked)
{
	size_t naming = 0;
	*asked = 0;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct node *n = model_node(m, g->views[i].sentinel_id);
		if (n == NULL || n->link.state != LINK_UP)
			continue;
		(*asked)++;
		const struct node *named = model_find_node(m, g->deployment_id, &g->views[i].facts.addr);
		naming += named != NULL && named == master;
	}
	return naming;
}

static const char *abort_words(const char *event)
{
	if (strcmp(event, "-failover-abort-no-good-slave") == 0)
		return "no replica can be promoted";
	if (strcmp(event, "-failover-abort-not-elected") == 0)
		return "no majority of Sentinels elected a leader";
	if (strcmp(event, "-failover-abort-slave-timeout") == 0)
		return "the chosen replica was not promoted in time";
	return "the master did not answer in time";
}

static bool says_master_since(const struct node *n, int64_t since_ms)
{
	if (n == NULL)
		return false;
	return (n->info_at_ms > since_ms && n->info.role == ROLE_MASTER) ||
	       (n->role_fast_at_ms > since_ms && n->role_fast.role == ROLE_MASTER);
}

static void follow_sentinel(struct action *a, const struct model *m, const struct group *g,
			    int64_t now_ms)
{
	const struct failover *f = &g->failover;
	const struct node *master = model_node(m, g->master_id);
	char addr[ENDPOINT_TEXT_BYTES], first[UNITS_BYTES], all[UNITS_BYTES], known[40] = "";
	size_t asked, naming;
	if (f->phase == PHASE_ABORTED && f->started_ms >= a->sent_ms) {
		action_end(a, ACTION_FAILED, "given up: %s (%s)", abort_words(f->abort_reason),
			   f->abort_reason);
		return;
	}
	if (!is_another(a, master) || !says_master_since(master, a->sent_ms)) {
		char phase[120];
		group_failover_text(g, now_ms, phase, sizeof(phase));
		if (phase[0] != '\0')
			snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "accepted; %s", phase);
		return;
	}
	if (a->promoted_ms == 0) {
		a->promoted_ms = f->role_master_ms > a->sent_ms ? f->role_master_ms : now_ms;
		a->new_master_id = master->id;
	}
	naming = sentinels_naming(m, g, master, &asked);
	snprintf(a->sheet.outcome, sizeof(a->sheet.outcome),
		 "%.70s is master by its own word; %zu of %zu Sentinels agree so far",
		 endpoint_format(&master->addr, addr), naming, asked);
	if (asked == 0 || naming < asked)
		return;
	if (group_sentinels_known(m, g) > asked)
		snprintf(known, sizeof(known), " (%zu known)", group_sentinels_known(m, g));
	action_end(a, ACTION_VERIFIED,
		   "new master %.70s: by its own word after %s, %zu of %zu Sentinels that answer agree "
		   "after %s%s",
		   addr, units_duration(a->promoted_ms - a->sent_ms, first), naming, asked,
		   units_duration(now_ms - a->sent_ms, all), known);
}

/* --- cluster ----------------------------------------------------------------------------------- */

/* The replica that has most of the data, when the operator chose none. */
static const struct node *best_replica(const struct model *m, const struct group *g, int64_t now_ms)
{
	const struct node *best = NULL;
	struct lag best_lag = { .bytes = FACT_UNKNOWN };
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		struct lag lag;
		if (!is_up(n) || n->id == model_node_resolve(m, g->master_id) ||
		    n->info.role != ROLE_REPLICA)
			continue;
		lag_of(m, n, now_ms, &lag);
		if (best == NULL || (lag.bytes != FACT_UNKNOWN &&
				     (best_lag.bytes == FACT_UNKNOWN || lag.bytes < best_lag.bytes))) {
			best = n;
			best_lag = lag;
		}
	}
	return best;
}

static bool prepare_cluster(struct action *a, const struct model *m, const struct group *g,
			    int64_t now_ms)
{
	const struct node *master = model_node(m, g->master_id);
	const struct node *chosen = model_node(m, a->on.node_id);
	char addr[ENDPOINT_TEXT_BYTES];
	if (chosen == NULL || chosen->id == g->master_id)
		chosen = best_replica(m, g, now_ms);
	snprintf(a->subject, sizeof(a->subject), "%s", g->name);
	if (chosen == NULL)
		return action_block(a, "no replica of this shard answers");
	endpoint_format(&chosen->addr, addr);
	snprintf(a->subject, sizeof(a->subject), "%.*s", NAME_BYTES - 1, addr);
	snprintf(a->sheet.confirm, sizeof(a->sheet.confirm), "%.*s", NAME_BYTES - 1, addr);
	a->candidate_id = chosen->id;
	a->deadline_ms = CLUSTER_WAIT_MS;
	a->epoch = master != NULL && master->member != NULL ? master->member->config_epoch : 0;
	/* Without its master the graceful form is refused: cluster.c:clusterCommand, "failover". That only
	 * we cannot reach the master is no reason to lose writes. */
	bool force = (master != NULL && master->member != NULL && master->member->flags & CFLAG_FAIL) ||
		     (is_up(chosen) && chosen->info.master_link_up == 0);
	const char *const argv[] = { "CLUSTER", "FAILOVER", "FORCE" };
	action_set_argv(a, force ? 3 : 2, argv);
	a->target_ids[a->target_count++] = chosen->id;
	if (!is_up(chosen))
		return action_block(a, "%.70s does not answer", addr);
	if (chosen->info.role != ROLE_REPLICA)
		return action_block(a, "%.70s is no replica", addr);
	return true;
}

static void brief_cluster(struct action *a, const struct model *m, const struct group *g)
{
	const struct deployment *d = model_deployment(m, g->deployment_id);
	const struct node *chosen = model_node(m, a->candidate_id);
	const struct node *observer = chosen;
	int64_t size = observer != NULL ? observer->cluster_info.size : FACT_UNKNOWN;
	char addr[ENDPOINT_TEXT_BYTES], masters[UNITS_BYTES], majority[UNITS_BYTES], epoch[UNITS_BYTES];
	if (chosen != NULL)
		sheet_line_add(&a->sheet, HEALTH_OK, "promoted", "%.70s, takes over %zu slots",
			       endpoint_format(&chosen->addr, addr), slot_count_of(d, g->master_id));
	if (observer != NULL && observer->cluster_info_at_ms != 0)
		sheet_line_add(&a->sheet, observer->cluster_info.state_ok ? HEALTH_OK : HEALTH_CRITICAL,
			       "cluster", "state %s, %s masters with slots vote, majority %s, epoch %s",
			       observer->cluster_info.state_ok ? "ok" : "fail",
			       exact(size, masters), exact(size != FACT_UNKNOWN ? size / 2 + 1 : size, majority),
			       exact(observer->cluster_info.current_epoch, epoch));
	if (a->argc == 3)
		sheet_line_add(&a->sheet, HEALTH_CRITICAL, "FORCE",
			       "the master does not take part: what it has not replicated is lost");
}

static size_t nodes_at_epoch(const struct model *m, uint32_t deployment_id, int64_t epoch, size_t *asked)
{
	size_t cursor = 0, reached = 0;
	const struct node *n;
	*asked = 0;
	while ((n = model_next_member(m, deployment_id, &cursor)) != NULL) {
		if (n->link.state != LINK_UP || n->cluster_info_at_ms == 0)
			continue;
		(*asked)++;
		reached += n->cluster_info.current_epoch >= epoch;
	}
	return reached;
}

/* That it knows the epoch says nothing of the slots: somebody else must list the new master with
 * them, or the old one follow it by its own word. NULL: nobody yet. */
static const struct node *seconder(const struct action *a, const struct model *m,
				   const struct deployment *d, const struct node *n)
{
	const struct node *old = old_master(a, m, d->id);
	if (is_up(old) && old->info_at_ms > a->sent_ms && old->info.role == ROLE_REPLICA &&
	    model_find_node(m, d->id, &old->info.master) == n)
		return old;
	const struct node *by = model_node(m, n->member->seconded_by);
	return by != NULL && by != n && n->member->seconded_ms > a->sent_ms ? by : NULL;
}

static void follow_cluster(struct action *a, const struct model *m, const struct deployment *d,
			   int64_t now_ms)
{
	const struct node *n = model_node(m, a->candidate_id);
	char addr[ENDPOINT_TEXT_BYTES], by[ENDPOINT_TEXT_BYTES], first[UNITS_BYTES], all[UNITS_BYTES];
	size_t asked, reached;
	if (!action_bound_is(&a->candidate, n) || !says_master_since(n, a->sent_ms))
		return;
	if (a->promoted_ms == 0)
		a->promoted_ms = now_ms;
	size_t slots = slot_count_of(d, n->id);
	if (n->member == NULL || n->member->config_epoch <= a->epoch || slots == 0)
		return;
	reached = nodes_at_epoch(m, d->id, n->member->config_epoch, &asked);
	const struct node *seconds = seconder(a, m, d, n);
	if (reached < asked || seconds == NULL)
		return;
	action_end(a, ACTION_VERIFIED,
		   "%.70s is master by its own word after %s; %.50s says so too: %zu slots; %zu of %zu nodes "
		   "know epoch %lld after %s",
		   endpoint_format(&n->addr, addr), units_duration(a->promoted_ms - a->sent_ms, first),
		   endpoint_format(&seconds->addr, by), slots, reached, asked,
		   (long long)n->member->config_epoch, units_duration(now_ms - a->sent_ms, all));
}

/* --- plain replication ------------------------------------------------------------------------- */

static bool has_failover_command(const struct info_facts *f)
{
	int64_t major, minor;
	const char *dot = strchr(f->version, '.');
	if (f->valkey)
		return true;
	if (dot == NULL || !number_parse(f->version, (size_t)(dot - f->version), 0, 1000, &major) ||
	    !number_parse(dot + 1, strcspn(dot + 1, "."), 0, 1000, &minor))
		return false;
	return major > 6 || (major == 6 && minor >= 2);
}

/* The replica must be named as its master's INFO lists it: replication.c:failoverCommand. */
static bool listed_addr(const struct model *m, const struct node *master, const struct node *replica,
			struct endpoint *out)
{
	for (size_t i = 0; i < master->info.replica_count; i++) {
		if (model_find_node(m, master->deployment_id, &master->info.replicas[i].addr) != replica)
			continue;
		*out = master->info.replicas[i].addr;
		return true;
	}
	return false;
}

/* FAILOVER behind the Sentinels' back: they would make the old master one again, or elect a third. */
static bool has_sentinels(const struct model *m, uint32_t deployment_id, const struct group *g)
{
	size_t cursor = 0;
	const struct node *n;
	while ((n = model_next_member(m, deployment_id, &cursor)) != NULL)
		if (n->is_sentinel || (n->group_id == g->id && n->watchers > 0))
			return true;
	return false;
}

static bool prepare_plain(struct action *a, const struct model *m, const struct group *g)
{
	const struct node *master = model_node(m, g->master_id);
	const struct node *chosen = model_node(m, a->on.node_id);
	char port[8];
	struct endpoint to;
	const char *argv[] = { "FAILOVER", "TIMEOUT", PLAIN_TIMEOUT_TEXT, NULL, NULL, NULL };
	action_set_argv(a, 3, argv);
	snprintf(a->subject, sizeof(a->subject), "%s", g->name);
	snprintf(a->sheet.confirm, sizeof(a->sheet.confirm), "%s", g->name);
	a->deadline_ms = PLAIN_TIMEOUT_MS + GRACE_MS;
	if (has_sentinels(m, g->deployment_id, g))
		return action_block(a, "Sentinels watch this set and would undo it: fail over through them");
	if (!is_up(master) || master->info.role != ROLE_MASTER)
		return action_block(a, "the master does not answer, and FAILOVER is sent to the master");
	a->target_ids[a->target_count++] = master->id;
	if (!has_failover_command(&master->info))
		return action_block(a, "FAILOVER needs Redis 6.2 or later, the master runs %s",
				    master->info.version);
	if (master->info.replica_count == 0)
		return action_block(a, "the master has no connected replica");
	if (chosen == NULL || chosen == master)
		return true;
	if (!listed_addr(m, master, chosen, &to))
		return action_block(a, "the master does not list this replica as connected");
	if (strlen(to.host) >= NAME_BYTES)
		return action_block(a, "its address is too long to be sent back");
	snprintf(port, sizeof(port), "%u", to.port);
	const char *const named[] = { "FAILOVER", "TO", to.host, port, "TIMEOUT", PLAIN_TIMEOUT_TEXT };
	action_set_argv(a, 6, named);
	a->candidate_id = chosen->id;
	return true;
}

static void follow_plain(struct action *a, const struct model *m, const struct group *g, int64_t now_ms)
{
	const struct node *old = old_master(a, m, g->deployment_id);
	const struct node *now = model_node(m, g->master_id);
	char addr[ENDPOINT_TEXT_BYTES], took[UNITS_BYTES];
	if (is_another(a, now) && says_master_since(now, a->sent_ms) && is_up(old) &&
	    old->info_at_ms > a->sent_ms && old->info.role == ROLE_REPLICA &&
	    model_find_node(m, g->deployment_id, &old->info.master) == now) {
		action_end(a, ACTION_VERIFIED,
			   "new master %.70s by its own word, the old master follows it; after %s",
			   endpoint_format(&now->addr, addr), units_duration(now_ms - a->sent_ms, took));
		return;
	}
	/* The master gave up by itself: it says master, and no failover is on any more. */
	if (now_ms - a->sent_ms > PLAIN_TIMEOUT_MS && is_up(old) && old->info.role == ROLE_MASTER &&
	    old->info_at_ms - a->sent_ms > PLAIN_TIMEOUT_MS &&
	    strcmp(old->info.failover_state, "no-failover") == 0)
		action_end(a, ACTION_FAILED,
			   "given up by the master: no replica caught up within 10 s; it is master as before");
}

/* --- all kinds --------------------------------------------------------------------------------- */

static bool prepare(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = action_group(a, m);
	const struct deployment *d = g != NULL ? model_deployment(m, g->deployment_id) : NULL;
	if (d == NULL)
		return false;
	a->old_master_id = model_node_resolve(m, g->master_id);
	bool ready = d->kind == KIND_SENTINEL ? prepare_sentinel(a, m, g) :
		     d->kind == KIND_CLUSTER  ? prepare_cluster(a, m, g, now_ms) :
						prepare_plain(a, m, g);
	if (group_failover_running(m, g, now_ms)) {
		char text[120];
		group_failover_text(g, now_ms, text, sizeof(text));
		return action_block(a, "a failover is already running%s%s", text[0] != '\0' ? ": " : "",
				    text);
	}
	return ready;
}

static void brief_replicas(struct action *a, const struct model *m, const struct group *g,
			   int64_t now_ms)
{
	size_t listed = 0;
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		const struct member_view *v;
		struct verdict verdict;
		struct lag lag;
		char addr[ENDPOINT_TEXT_BYTES], bytes[UNITS_BYTES], priority[32] = "";
		if (n == NULL || n->id == a->old_master_id || ++listed > 6)
			continue;
		lag_of(m, n, now_ms, &lag);
		health_node(m, n, now_ms, &verdict);
		v = group_replica_view(g, n->id);
		if (v != NULL && v->facts.priority != FACT_UNKNOWN)
			snprintf(priority, sizeof(priority), ", priority %lld", (long long)v->facts.priority);
		sheet_line_add(&a->sheet, verdict.health, "replica", "%.60s  %s behind%s%s%.90s",
			       endpoint_format(&n->addr, addr), units_bytes(lag.bytes, bytes), priority,
			       verdict.text[0] != '\0' ? ", " : "", verdict.text);
	}
	if (listed > 6)
		sheet_line_add(&a->sheet, HEALTH_OK, "", "and %zu replicas more", listed - 6);
}

static void brief_master(struct action *a, const struct model *m, const struct group *g, int64_t now_ms)
{
	const struct node *master = model_node(m, g->master_id);
	struct verdict verdict;
	char addr[ENDPOINT_TEXT_BYTES], clients[UNITS_BYTES];
	if (master == NULL) {
		sheet_line_add(&a->sheet, HEALTH_CRITICAL, "master", "unknown");
		return;
	}
	health_node(m, master, now_ms, &verdict);
	sheet_line_add(&a->sheet, verdict.health, "master", "%.60s  %s%.120s, clients connected: %s",
		       endpoint_format(&master->addr, addr),
		       verdict.text[0] != '\0' ? "" : "up", verdict.text,
		       units_count(master->info_at_ms != 0 ? master->info.connected_clients : FACT_UNKNOWN,
				   clients));
}

static void brief(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = model_group(m, a->on.group_id);
	const struct deployment *d = g != NULL ? model_deployment(m, g->deployment_id) : NULL;
	char text[UNITS_BYTES];
	/* Blocked already: nothing of another deployment is said here. */
	if (d == NULL || d->id != a->on.deployment_id)
		return;
	brief_master(a, m, g, now_ms);
	if (d->kind == KIND_CLUSTER)
		brief_cluster(a, m, g);
	brief_replicas(a, m, g, now_ms);
	if (d->kind == KIND_SENTINEL) {
		brief_views(a, m, g);
		sheet_line_add(&a->sheet, HEALTH_WARNING, "after it",
			       "the old master takes writes, which will be lost, until it is demoted 8 to 20 s later");
	}
	if (g->failover.ended_ms != 0)
		sheet_line_add(&a->sheet, HEALTH_OK, "last failover", "%s %s ago",
			       g->failover.phase == PHASE_ABORTED ? "aborted" : "ended",
			       units_age(now_ms - g->failover.ended_ms, text));
}

/* What the others say at the deadline. */
struct witnesses {
	size_t asked, name_old, name_other;
	const struct node *other; /* whom those name; NULL when they do not name the same */
};

static void witness(struct witnesses *w, const struct action *a, const struct node *named)
{
	w->asked++;
	if (named == NULL)
		return;
	if (!is_another(a, named)) {
		w->name_old++;
		return;
	}
	w->other = w->name_other == 0 || w->other == named ? named : NULL;
	w->name_other++;
}

static void ask_sentinels(struct witnesses *w, const struct action *a, const struct model *m,
			  const struct group *g)
{
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		const struct node *n = model_node(m, v->sentinel_id);
		if (n == NULL || n->link.state != LINK_UP ||
		    (v->at_ms <= a->sent_ms && v->switched_ms <= a->sent_ms))
			continue;
		witness(w, a, model_find_node(m, g->deployment_id, &v->facts.addr));
	}
}

/* Without Sentinels the other members are the witnesses: whom they follow, or that they lead. */
static void ask_members(struct witnesses *w, const struct action *a, const struct model *m,
			const struct group *g)
{
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		if (!is_up(n) || !is_another(a, n) || n->info_at_ms <= a->sent_ms)
			continue;
		witness(w, a, n->info.role == ROLE_MASTER ? n : model_node(m, n->upstream_id));
	}
}

/* Why nothing can be said. */
static const char *doubt(const struct action *a, const struct node *old, bool fresh,
			 const struct witnesses *w)
{
	if (!is_up(old))
		return "the old master does not answer";
	if (!fresh)
		return "the old master's last word is too old";
	if (old->info.role != ROLE_MASTER)
		return "the old master is no master any more, and who is does not show";
	if (w->name_old < w->asked)
		return "not everybody names the old master any more";
	if (a->replied_ms == 0)
		return "all is as before, but the command was not answered and may still be carried out";
	return "nobody who answers says who is master";
}

/* That nothing happened is said only where it shows: by the old master's own fresh word and that of
 * everybody else who answers. */
static void end_at_deadline(struct action *a, const struct model *m, const struct group *g,
			    enum deployment_kind kind, int64_t now_ms)
{
	const struct node *old = old_master(a, m, g->deployment_id);
	struct witnesses w = { 0 };
	char took[UNITS_BYTES], addr[ENDPOINT_TEXT_BYTES];
	bool fresh = is_up(old) && old->info_at_ms > a->sent_ms + a->deadline_ms - FRESH_MS;
	bool needed = kind == KIND_SENTINEL;
	if (kind == KIND_SENTINEL)
		ask_sentinels(&w, a, m, g);
	else
		ask_members(&w, a, m, g);
	units_duration(now_ms - a->sent_ms, took);
	if (a->promoted_ms != 0)
		action_end(a, ACTION_UNKNOWN, "promoted, but not everybody agrees after %s", took);
	else if (a->replied_ms != 0 && fresh && old->info.role == ROLE_MASTER &&
		 w.name_old == w.asked && (w.asked > 0 || !needed))
		action_end(a, ACTION_FAILED,
			   "nothing happened within %s: the master is as before, by its own word and that of "
			   "%zu of %zu %s",
			   took, w.name_old, w.asked, needed ? "Sentinels" : "others");
	else if (w.asked > 0 && w.name_other == w.asked && w.other != NULL && !is_up(w.other))
		action_end(a, ACTION_UNKNOWN,
			   "%zu of %zu %s name %.70s as master now; it could not be asked itself",
			   w.name_other, w.asked, needed ? "Sentinels" : "nodes",
			   endpoint_format(&w.other->addr, addr));
	else
		action_end(a, ACTION_UNKNOWN, "not known after %s: %s", took, doubt(a, old, fresh, &w));
}

/* A shard's group may go with a merge, the node that takes over stays. */
static const struct deployment *followed_deployment(const struct action *a, const struct model *m,
						    const struct group *g)
{
	const struct node *n = model_node(m, a->candidate_id);
	if (g != NULL)
		return model_deployment(m, g->deployment_id);
	return n != NULL ? model_deployment(m, n->deployment_id) : NULL;
}

static void follow(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = model_group(m, a->on.group_id);
	const struct deployment *d = followed_deployment(a, m, g);
	if (d == NULL || (g == NULL && d->kind != KIND_CLUSTER)) {
		action_end(a, ACTION_UNKNOWN, "the group is gone from what the deployment lists");
		return;
	}
	if (d->kind == KIND_SENTINEL)
		follow_sentinel(a, m, g, now_ms);
	else if (d->kind == KIND_CLUSTER)
		follow_cluster(a, m, d, now_ms);
	else
		follow_plain(a, m, g, now_ms);
	if (action_is_over(a) || now_ms - a->sent_ms < a->deadline_ms)
		return;
	const struct node *n = model_node(m, a->candidate_id);
	if (g == NULL && n != NULL)
		g = model_group(m, n->group_id);
	if (g != NULL)
		end_at_deadline(a, m, g, d->kind, now_ms);
	else
		action_end(a, ACTION_UNKNOWN, "the group is gone from what the deployment lists");
}

const struct action_kind action_failover = {
	.name = "failover",
	.label = "Failover",
	.help = "promote a replica in place of the master",
	.needs_confirm = true,
	.changes = true,
	.prepare = prepare,
	.brief = brief,
	.follow = follow,
};
