#include "model/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "model/agreement.h"
#include "model/lag.h"
#include "model/probe.h"
#include "model/stray.h"

/* A node that only we cannot reach (NAT, firewall) is no incident for ever. */
#define UNREACHABLE_IS_NEWS_MS 300000
#define FAILOVER_MAX_MS        600000
#define CLIENT_OUTAGE_MS       500
#define FIRST_LOOK_MS          1000 /* until all members of a cluster have answered once */

const char *health_name(enum health h)
{
	static const char *const names[] = { "ok", "unknown", "warning", "critical" };
	return names[h];
}

enum health health_worse(enum health a, enum health b)
{
	return a > b ? a : b;
}

const char *role_name(enum role r)
{
	static const char *const names[] = { "unknown", "master", "replica", "sentinel" };
	return names[r];
}

const char *node_status_name(enum node_status s)
{
	static const char *const names[] = { "up", "loading", "down", "auth-error", "unreachable",
					     "unreachable" };
	return names[s];
}

enum node_status node_status(const struct node *n)
{
	if (n->link.state == LINK_AUTH_ERROR || n->refused_error == ERROR_NOAUTH)
		return STATUS_AUTH_ERROR;
	if (n->link.lost_ms != 0 || n->leads_to != 0)
		return n->said_down ? STATUS_DOWN : STATUS_UNREACHABLE;
	if (n->link.state != LINK_UP)
		return n->said_down ? STATUS_DOWN : STATUS_PENDING;
	return n->info_at_ms != 0 && n->info.loading == 1 ? STATUS_LOADING : STATUS_UP;
}

enum role node_role(const struct model *m, const struct node *n)
{
	if (n->is_sentinel)
		return ROLE_SENTINEL;
	if (n->link.state == LINK_UP && n->info_at_ms != 0 && n->info.role != ROLE_UNKNOWN)
		return n->info.role;
	const struct group *g = model_group(m, n->group_id);
	if (g != NULL)
		return model_node_resolve(m, g->master_id) == n->id ? ROLE_MASTER : ROLE_REPLICA;
	return n->info_at_ms != 0 ? n->info.role : ROLE_UNKNOWN;
}

bool node_is_stale(const struct node *n, int64_t now_ms, int64_t interval_ms)
{
	int64_t limit = 3 * interval_ms > 3000 ? 3 * interval_ms : 3000;
	return n->info_at_ms != 0 && now_ms - n->info_at_ms > limit;
}

/* --- one node ---------------------------------------------------------------------------------- */

/* Keeps the worst; of equals the first. */
static void say(struct verdict *v, enum health health, int64_t since_ms, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void say(struct verdict *v, enum health health, int64_t since_ms, const char *fmt, ...)
{
	if (health <= v->health && v->text[0] != '\0')
		return;
	if (health < v->health)
		return;
	va_list ap;
	va_start(ap, fmt);
	text_vformat(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
	v->health = health;
	v->since_ms = since_ms;
}

static char *age(int64_t now_ms, int64_t since_ms, char *out)
{
	return units_age(since_ms != 0 && now_ms > since_ms ? now_ms - since_ms : 0, out);
}

/* " 12 s"; "" where nobody saw when it began. */
static char *for_time(int64_t now_ms, int64_t since_ms, char out[static UNITS_BYTES + 1])
{
	out[0] = '\0';
	if (since_ms != 0) {
		out[0] = ' ';
		age(now_ms, since_ms, out + 1);
	}
	return out;
}

/* 0: it never answered us, so it may have been away for long when we came. */
static int64_t node_lost_since(const struct node *n)
{
	return n->link.last_reply_ms != 0 || n->info_at_ms != 0 ? n->link.lost_ms : 0;
}

bool node_is_former_master(const struct node *n)
{
	return n->member != NULL && (n->member->flags & CFLAG_MASTER) && n->member->slot_count == 0;
}

/* Somebody else lost it as well: a Sentinel's flag says so at once, long before +sdown. */
static bool others_lost(const struct model *m, const struct group *g, const struct node *n,
			bool is_master)
{
	if (g == NULL)
		return false;
	for (size_t i = 0; is_master && i < g->view_count; i++)
		if (g->views[i].facts.flags & SFLAG_DISCONNECTED)
			return true;
	/* A plain set: who follows it says whether its link is up. */
	for (size_t i = 0; is_master && i < g->member_count; i++) {
		const struct node *r = model_node(m, g->member_ids[i]);
		if (r != NULL && r->upstream_id == n->id && r->link.state == LINK_UP &&
		    r->info_at_ms != 0 && r->info.master_link_up == 0)
			return true;
	}
	const struct member_view *v = is_master ? NULL : group_replica_view(g, n->id);
	return (v != NULL && (v->facts.flags & SFLAG_DISCONNECTED)) ||
	       (n->member != NULL && n->member->at_ms != 0 && !n->member->link_connected);
}

/* The option that would help where a deployment announces addresses that mean nothing here (NAT,
 * containers), while the member that led to it answers: the same port on that one's host. */
static void map_hint(const struct model *m, const struct node *n, char *out, size_t size)
{
	char from[ENDPOINT_TEXT_BYTES], to[ENDPOINT_TEXT_BYTES];
	out[0] = '\0';
	if (n->info_at_ms != 0 || n->is_target || n->link.state != LINK_FAILED)
		return;
	const struct node *seed = model_seed(m, n->deployment_id, n->addr.host);
	if (seed == NULL)
		return;
	struct endpoint guess = endpoint_is_set(&seed->dial) ? seed->dial : seed->addr;
	guess.port = n->addr.port;
	snprintf(out, size, "; behind NAT? --map %.70s=%.70s", endpoint_format(&n->addr, from),
		 endpoint_format(&guess, to));
}

/* Of one that never answered us: since we know that, which is no second on a first look. */
static void say_silent(struct verdict *v, const struct node *n, enum health bad, int64_t now_ms)
{
	char text[UNITS_BYTES];
	int64_t heard_ms = n->link.last_reply_ms != 0 ? n->link.last_reply_ms : n->link.lost_ms;
	if (now_ms - heard_ms < 1000)
		say(v, bad, n->link.lost_ms, "no reply");
	else
		say(v, bad, n->link.lost_ms, "no reply for %s", age(now_ms, heard_ms, text));
}

/* corroborated: it is not only from here that it cannot be reached. */
static void say_link(const struct model *m, const struct node *n, bool is_master, bool corroborated, int64_t now_ms,
		     struct verdict *v)
{
	char text[UNITS_BYTES + 1], hint[192];
	const char *reason = n->link.reason;
	enum health bad = is_master ? HEALTH_CRITICAL : HEALTH_WARNING;
	switch (n->link.state) {
	case LINK_AUTH_ERROR:
		say(v, HEALTH_WARNING, n->link.lost_ms, "%s", reason);
		return;
	case LINK_PROTOCOL:
		say(v, HEALTH_WARNING, n->link.lost_ms, "not a Redis server: %s", reason);
		return;
	case LINK_NONE:
	case LINK_RESOLVING:
	case LINK_CONNECTING:
	case LINK_UP:
		if (n->said_down)
			say(v, bad, n->said_down_ms, "down%s, others say",
			    for_time(now_ms, node_lost_since(n) != 0 ? n->said_down_ms : 0, text));
		say(v, HEALTH_UNKNOWN, 0, "%s", link_state_name(n->link.state));
		return;
	default:
		break;
	}
	map_hint(m, n, hint, sizeof(hint));
	int64_t since_ms = node_lost_since(n);
	if (n->said_down)
		say(v, bad, since_ms, "down%s%s: %s%s", for_time(now_ms, since_ms, text),
		    n->group_id == 0 && node_is_former_master(n) ? ", former master, no slots" : "", reason, hint);
	else if (n->link.state == LINK_SILENT)
		say_silent(v, n, bad, now_ms);
	else if (since_ms != 0)
		say(v, bad, since_ms, "link lost %s: %s", age(now_ms, since_ms, text), reason);
	else if (corroborated)
		say(v, bad, 0, "not reachable: %s", reason);
	else if (n->link.error == ERROR_TLS)
		say(v, HEALTH_WARNING, n->link.lost_ms, "%s", reason);
	else
		say(v, HEALTH_WARNING, n->link.lost_ms, "not reachable from here: %s%s", reason, hint);
}

static void say_loading(const struct node *n, bool is_master, struct verdict *v)
{
	if (n->info.loading != 1)
		return;
	enum health bad = is_master ? HEALTH_CRITICAL : HEALTH_WARNING;
	if (n->info.loading_percent >= 0)
		say(v, bad, 0, "loading %.0f %%", n->info.loading_percent);
	else
		say(v, bad, 0, "loading");
}

static void say_replica(const struct node *n, int64_t now_ms, struct verdict *v)
{
	const struct info_facts *f = &n->info;
	char text[UNITS_BYTES];
	if (f->role != ROLE_REPLICA)
		return;
	if (f->sync_in_progress == 1)
		say(v, HEALTH_WARNING, 0, "full synchronisation running");
	else if (f->master_link_up == 0 && f->master_link_down_s >= 0)
		say(v, HEALTH_WARNING, n->info_at_ms - f->master_link_down_s * 1000, "link down %s",
		    units_age(f->master_link_down_s * 1000 + now_ms - n->info_at_ms, text));
	else if (f->master_link_up == 0)
		say(v, HEALTH_WARNING, 0, "never linked to its master");
}

/* The replica that a running failover chose says master before the Sentinels name it. */
static bool is_being_promoted(const struct group *g, const struct node *n)
{
	const struct failover *f = &g->failover;
	const struct member_view *v = group_replica_view(g, n->id);
	bool running = f->phase >= PHASE_SELECTED && f->phase < PHASE_ENDED;
	return (running && f->selected_id == n->id) ||
	       (v != NULL && (v->facts.flags & SFLAG_PROMOTED));
}

/* A node whose own word contradicts what its deployment says it is. */
static void say_second_master(const struct model *m, const struct group *g, const struct node *n,
			      int64_t now_ms, struct verdict *v)
{
	struct stray_master stray;
	char age_text[UNITS_BYTES], bytes[UNITS_BYTES];
	if (!stray_master_of(m, g, &stray) || stray.node_id != n->id)
		say(v, HEALTH_CRITICAL, 0, "second master: loses its writes");
	else if (stray.bytes == FACT_UNKNOWN)
		say(v, HEALTH_CRITICAL, stray.since_ms, "second master %s: loses its writes",
		    age(now_ms, stray.since_ms, age_text));
	else
		say(v, HEALTH_CRITICAL, stray.since_ms,
		    "second master %s: loses %s of writes",
		    age(now_ms, stray.since_ms, age_text), units_bytes(stray.bytes, bytes));
}

static void say_contradiction(const struct model *m, const struct node *n, int64_t now_ms,
			      struct verdict *v)
{
	const struct group *g = model_group(m, n->group_id);
	if (g == NULL || n->info.role == ROLE_UNKNOWN)
		return;
	const struct deployment *d = model_deployment(m, n->deployment_id);
	bool is_master = model_node_resolve(m, g->master_id) == n->id;
	if (is_master && n->info.role == ROLE_REPLICA && d->kind == KIND_SENTINEL)
		say(v, HEALTH_CRITICAL, 0, "named master, but says it is a replica");
	if (is_master || n->info.role != ROLE_MASTER)
		return;
	if (d->kind == KIND_CLUSTER && n->member != NULL && (n->member->flags & CFLAG_SLAVE) == 0)
		return;
	if (is_being_promoted(g, n))
		return;
	say_second_master(m, g, n, now_ms, v);
}

static void say_others(const struct node *n, bool is_master, int64_t now_ms, struct verdict *v)
{
	char text[UNITS_BYTES];
	if (n->said_down)
		say(v, is_master ? HEALTH_CRITICAL : HEALTH_WARNING, n->said_down_ms,
		    "others say down %s, but it answers here", age(now_ms, n->said_down_ms, text));
	if (n->refused != ASK_NONE)
		say(v, HEALTH_WARNING, 0, "%s", n->refused_text);
}

static void say_sentinel(const struct node *n, struct verdict *v)
{
	if (n->info_at_ms != 0 && n->info.sentinel_tilt == 1)
		say(v, HEALTH_WARNING, 0, "TILT: does not act");
	if (n->event_link.lost_ms != 0)
		say(v, HEALTH_WARNING, n->event_link.lost_ms, "no events from it: %.120s",
		    n->event_link.reason);
}

/* What the operator set in [alerts]. */
static void say_thresholds(const struct model *m, const struct node *n, int64_t now_ms,
			   struct verdict *v)
{
	const struct alerts *a = model_alerts(m);
	const struct info_facts *f = &n->info;
	char text[UNITS_BYTES];
	struct lag lag;
	if (a->memory_warning_percent > 0 && f->maxmemory_bytes > 0 &&
	    (double)f->used_memory_bytes * 100.0 >
		(double)f->maxmemory_bytes * (double)a->memory_warning_percent)
		say(v, HEALTH_WARNING, 0, "more than %lld %% of maxmemory in use",
		    (long long)a->memory_warning_percent);
	if (f->role != ROLE_REPLICA)
		return;
	lag_of(m, n, now_ms, &lag);
	if (a->lag_critical_bytes > 0 && lag.bytes > a->lag_critical_bytes)
		say(v, HEALTH_CRITICAL, 0, "%s behind", units_bytes(lag.bytes, text));
	else if (a->lag_warning_bytes > 0 && lag.bytes > a->lag_warning_bytes)
		say(v, HEALTH_WARNING, 0, "%s behind", units_bytes(lag.bytes, text));
	if (a->lag_warning_s > 0 && lag.seconds > a->lag_warning_s)
		say(v, HEALTH_WARNING, 0, "no acknowledgement for %lld s", (long long)lag.seconds);
}

void health_node(const struct model *m, const struct node *n, int64_t now_ms, struct verdict *out)
{
	*out = (struct verdict){ .health = HEALTH_OK };
	const struct group *g = model_group(m, n->group_id);
	bool is_master = g != NULL && model_node_resolve(m, g->master_id) == n->id;
	if (n->link.state != LINK_UP) {
		say_link(m, n, is_master, others_lost(m, g, n, is_master), now_ms, out);
		return;
	}
	const struct node *other = model_node(m, n->leads_to);
	if (other != NULL) {
		char addr[ENDPOINT_TEXT_BYTES];
		say(out, HEALTH_WARNING, 0, "leads to %.70s: same run id; check how it is reached",
		    endpoint_format(&other->addr, addr));
		return;
	}
	if (n->is_sentinel) {
		say_sentinel(n, out);
		say_others(n, false, now_ms, out);
		return;
	}
	if (n->info_at_ms == 0) {
		say(out, HEALTH_UNKNOWN, 0, "no INFO yet");
		say_others(n, is_master, now_ms, out);
		return;
	}
	say_contradiction(m, n, now_ms, out);
	say_loading(n, is_master, out);
	say_others(n, is_master, now_ms, out);
	say_replica(n, now_ms, out);
	say_thresholds(m, n, now_ms, out);
}

/* --- failovers --------------------------------------------------------------------------------- */

/* What a Sentinel that no longer answers said last may long be over. */
static bool still_says(const struct model *m, const struct sentinel_view *v, uint32_t flag)
{
	const struct node *n = model_node(m, v->sentinel_id);
	return (v->facts.flags & flag) && n != NULL && n->link.state == LINK_UP;
}

/* Its Sentinel may have died: a phase does not outlast any failover-timeout. */
static bool phase_is_running(const struct failover *f, int64_t now_ms)
{
	return f->phase > PHASE_NONE && f->phase < PHASE_ENDED && now_ms - f->phase_ms < FAILOVER_MAX_MS;
}

bool group_failover_running(const struct model *m, const struct group *g, int64_t now_ms)
{
	const struct failover *f = &g->failover;
	if (phase_is_running(f, now_ms))
		return true;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		/* Its message that it is over came after its last list. */
		bool outdated = f->ended_ms != 0 && f->leader_id == v->sentinel_id && v->at_ms < f->ended_ms;
		if (!outdated && still_says(m, v, SFLAG_FAILOVER_IN_PROGRESS))
			return true;
	}
	const struct node *master = model_node(m, g->master_id);
	return master != NULL && master->link.state == LINK_UP &&
	       (strcmp(master->info.failover_state, "waiting-for-sync") == 0 ||
		strcmp(master->info.failover_state, "failover-in-progress") == 0);
}

void group_failover_text(const struct group *g, int64_t now_ms, char *out, size_t size)
{
	static const char *const phases[] = {
		[PHASE_TRY] = "electing a leader",
		[PHASE_ELECTED] = "leader elected",
		[PHASE_SELECT] = "choosing a replica",
		[PHASE_SELECTED] = "replica chosen",
		[PHASE_PROMOTION] = "waiting for promotion",
		[PHASE_RECONF] = "reconfiguring replicas",
	};
	const struct failover *f = &g->failover;
	char text[UNITS_BYTES];
	out[0] = '\0';
	if (phase_is_running(f, now_ms))
		snprintf(out, size, "%s %s", phases[f->phase], units_duration(now_ms - f->phase_ms, text));
}

/* Views that flag the master of the day: one that has not switched yet speaks of the old one. */
static size_t flagged_views(const struct model *m, const struct group *g, uint32_t flag)
{
	const struct sentinel_view *best = group_best_view(g);
	size_t count = 0;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		count += endpoint_equal(&v->facts.addr, &best->facts.addr) && still_says(m, v, flag);
	}
	return count;
}

size_t group_sdown_count(const struct model *m, const struct group *g)
{
	return flagged_views(m, g, SFLAG_S_DOWN);
}

size_t group_odown_count(const struct model *m, const struct group *g)
{
	return flagged_views(m, g, SFLAG_O_DOWN);
}

static bool master_is_down(const struct model *m, const struct group *g)
{
	const struct sentinel_view *best = group_best_view(g);
	if (best == NULL)
		return false;
	const struct node *named = model_find_node(m, g->deployment_id, &best->facts.addr);
	/* Promoted by its own word already: the flags are still about the old one. */
	return named != NULL && named->id == model_node_resolve(m, g->master_id);
}

const char *group_status(const struct model *m, const struct group *g)
{
	if (phase_is_running(&g->failover, model_now_ms(m)))
		return "failover";
	if (master_is_down(m, g) && group_odown_count(m, g) > 0)
		return "odown";
	if (master_is_down(m, g) && group_sdown_count(m, g) > 0)
		return "sdown";
	const struct node *master = model_node(m, g->master_id);
	/* Nobody is left who could say otherwise. */
	if (group_sentinels_reachable(m, g) == 0 && (master == NULL || master->link.lost_ms != 0))
		return "sdown";
	return "ok";
}

/* --- a group ----------------------------------------------------------------------------------- */

static void say_sentinels_verdict(const struct model *m, const struct group *g, int64_t now_ms,
				  struct verdict *v)
{
	size_t sdown = group_sdown_count(m, g), odown = group_odown_count(m, g);
	const struct node *master = model_node(m, g->master_id);
	char text[UNITS_BYTES + 1];
	if (master == NULL || !master_is_down(m, g))
		return;
	/* We noticed before the Sentinels were sure. */
	int64_t since = master->link.lost_ms != 0 ? node_lost_since(master) : master->said_down_ms;
	if (odown > 0)
		say(v, HEALTH_CRITICAL, since, "objectively down%s (%zu/%zu Sentinels say down)",
		    for_time(now_ms, since, text), sdown, g->view_count);
	else if (sdown > 0)
		say(v, HEALTH_CRITICAL, since, "subjectively down%s (%zu/%zu Sentinels say down)",
		    for_time(now_ms, since, text), sdown, g->view_count);
}

static void say_members(const struct model *m, const struct group *g, int64_t now_ms,
			struct verdict *v)
{
	size_t online = 0, replicas = 0;
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		struct verdict node;
		char addr[ENDPOINT_TEXT_BYTES];
		if (n == NULL)
			continue;
		health_node(m, n, now_ms, &node);
		bool is_master = n->id == model_node_resolve(m, g->master_id);
		replicas += !is_master;
		online += !is_master && node.health == HEALTH_OK;
		if (node.health != HEALTH_OK)
			say(v, node.health, node.since_ms, "%s%.70s %.110s",
			    is_master			       ? "master "
			    : n->link.state == LINK_UP && n->info.role == ROLE_MASTER
				    ? "" /* it says that it is none */
				    : "replica ",
			    endpoint_format(&n->addr, addr), node.text);
	}
	if (replicas > 0 && online == 0)
		say(v, HEALTH_WARNING, 0, "no replica is well");
}

/* The old master after a promotion, until the Sentinels list it as a replica. */
static void say_left_behind(const struct model *m, const struct group *g, int64_t now_ms,
			    struct verdict *v)
{
	struct stray_master stray;
	const struct node *n;
	struct verdict node = { .health = HEALTH_OK };
	char addr[ENDPOINT_TEXT_BYTES];
	if (!stray_master_of(m, g, &stray) || (n = model_node(m, stray.node_id)) == NULL ||
	    n->group_id == g->id)
		return;
	say_second_master(m, g, n, now_ms, &node);
	say(v, node.health, node.since_ms, "%.70s %.110s", endpoint_format(&n->addr, addr), node.text);
}

/* Each name is failed over by itself, and the first takes the other's master away. */
static void say_namesake(const struct model *m, const struct group *g, struct verdict *v)
{
	const struct group *other = group_namesake(m, g);
	if (other != NULL)
		say(v, HEALTH_WARNING, 0, "the Sentinels watch its master as %.100s as well", other->name);
}

static void say_quorum(const struct model *m, const struct group *g, struct verdict *v)
{
	char text[CKQUORUM_WORDS_BYTES];
	if (g->ckquorum_at_ms != 0 && !g->ckquorum.ok)
		say(v, HEALTH_WARNING, 0, "no automatic failover: %s",
		    ckquorum_words(&g->ckquorum, text));
	if (g->view_count > 0 && group_sentinels_reachable(m, g) == 0)
		say(v, HEALTH_WARNING, 0, "no Sentinel answers");
}

/* Before all else: of two masters one loses its writes, and nothing else need look wrong. Where a
 * node of the set is the second one, its own verdict counts them. */
static void say_split_brain(const struct model *m, const struct group *g, int64_t now_ms,
			    struct verdict *v)
{
	struct agreement a;
	agreement_of(m, g, now_ms, &a);
	if (a.two_named)
		say(v, HEALTH_CRITICAL, a.split_since_ms, "split brain: %.180s", a.text);
}

/* A time-out or quorum that differs bites at the next failover. */
static void say_disagreement(const struct model *m, const struct group *g, int64_t now_ms,
			     struct verdict *v)
{
	struct agreement a;
	agreement_of(m, g, now_ms, &a);
	if (a.dissenting > 0 && !a.passing && !a.split_brain)
		say(v, HEALTH_WARNING, a.since_ms, "%s", a.text);
}

/* A blip is in the log. What lasts no server need have noticed: too few replicas, a full disk. */
static void say_client(const struct group *g, int64_t now_ms, struct verdict *v)
{
	const struct probe_outage *o = probe_outage_now(g);
	if (o != NULL && now_ms - o->first_failed_ms >= CLIENT_OUTAGE_MS)
		say(v, HEALTH_CRITICAL, o->first_failed_ms, "clients cannot write: %s", o->reason);
}

void health_group(const struct model *m, const struct group *g, int64_t now_ms, struct verdict *out)
{
	*out = (struct verdict){ .health = HEALTH_OK };
	say_split_brain(m, g, now_ms, out);
	say_sentinels_verdict(m, g, now_ms, out);
	if (model_node(m, g->master_id) == NULL)
		say(out, HEALTH_CRITICAL, 0, "no master");
	say_members(m, g, now_ms, out);
	say_left_behind(m, g, now_ms, out);
	say_client(g, now_ms, out);
	if (group_failover_running(m, g, now_ms))
		say(out, HEALTH_WARNING, g->failover.started_ms, "failover running");
	say_namesake(m, g, out);
	say_quorum(m, g, out);
	say_disagreement(m, g, now_ms, out);
}

/* --- a deployment ------------------------------------------------------------------------------ */

/* ": master 127.0.0.1:7000 failed": the first that owns slots; "" when none did, as in a minority. */
static void failed_owner_text(const struct model *m, const struct deployment *d, char *out, size_t size)
{
	char addr[ENDPOINT_TEXT_BYTES];
	size_t failed = 0;
	out[0] = '\0';
	for (size_t i = 0; i < d->group_count; i++) {
		const struct node *n = model_node(m, d->groups[i]->master_id);
		if (n == NULL || n->member == NULL || n->member->fail_since_ms == 0 ||
		    n->member->slot_count == 0)
			continue;
		if (failed++ == 0)
			snprintf(out, size, ": master %s failed", endpoint_format(&n->addr, addr));
	}
	size_t len = strlen(out);
	if (failed > 1)
		snprintf(out + len, size - len, ", and %zu more", failed - 1);
}

static void say_cluster(const struct model *m, const struct deployment *d, int64_t now_ms,
			struct verdict *v)
{
	const struct cluster *c = d->cluster;
	char text[UNITS_BYTES + 1], owner[ENDPOINT_TEXT_BYTES + 40];
	if (c == NULL || c->nodes_at_ms == 0)
		return;
	failed_owner_text(m, d, owner, sizeof(owner));
	if (c->assigned < SLOT_COUNT)
		say(v, HEALTH_CRITICAL, 0, "%zu of 16384 slots have no owner", SLOT_COUNT - c->assigned);
	/* So when we came: nobody says since when. */
	int64_t since_ms = c->down_since_ms > d->complete_ms + FIRST_LOOK_MS ? c->down_since_ms : 0;
	if (c->down)
		say(v, HEALTH_CRITICAL, since_ms, "cluster down%s%s", for_time(now_ms, since_ms, text), owner);
}

static void say_loose_nodes(const struct model *m, const struct deployment *d, int64_t now_ms,
			    struct verdict *v, size_t *others)
{
	size_t cursor = 0;
	const struct node *n;
	while ((n = model_next_member(m, d->id, &cursor)) != NULL) {
		struct verdict node;
		char addr[ENDPOINT_TEXT_BYTES];
		if (n->group_id != 0)
			continue;
		health_node(m, n, now_ms, &node);
		if (node.health == HEALTH_OK)
			continue;
		*others += node.health >= HEALTH_WARNING;
		say(v, node.health, node.since_ms, "%s%.70s %.120s", n->is_sentinel ? "Sentinel " : "",
		    endpoint_format(&n->addr, addr), node.text);
	}
}

/* A shard and a plain set have the address of their master as their name: beside that of the node that
 * is meant it says nothing, or which of the two is down must be clear. */
static void say_group(const struct deployment *d, const struct group *g, const struct verdict *group,
		      struct verdict *out)
{
	const char *text = group->text;
	size_t name = strlen(g->name);
	if (d->kind != KIND_SENTINEL && strncmp(text, "master ", 7) == 0 &&
	    strncmp(text + 7, g->name, name) == 0 && text[7 + name] == ' ') {
		say(out, group->health, group->since_ms, "%.190s", text);
		return;
	}
	if (d->kind == KIND_CLUSTER && strncmp(text, "replica ", 8) == 0) {
		int len = 8 + (int)strcspn(text + 8, " ");
		say(out, group->health, group->since_ms, "%.*s of %.60s%.110s", len, text, g->name, text + len);
		return;
	}
	say(out, group->health, group->since_ms, "%.60s %.130s", g->name, text);
}

void health_deployment(const struct model *m, const struct deployment *d, int64_t now_ms,
		       struct verdict *out)
{
	struct verdict split = { .health = HEALTH_OK };
	size_t bad = 0;
	*out = (struct verdict){ .health = HEALTH_OK };
	say_cluster(m, d, now_ms, out);
	bad += out->text[0] != '\0';
	for (size_t i = 0; i < d->group_count && out->text[0] == '\0'; i++) {
		say_split_brain(m, d->groups[i], now_ms, &split);
		if (split.text[0] != '\0')
			say(out, split.health, split.since_ms, "%.60s %.130s", d->groups[i]->name,
			    split.text);
	}
	for (size_t i = 0; i < d->group_count; i++) {
		struct verdict group;
		health_group(m, d->groups[i], now_ms, &group);
		bad += group.health >= HEALTH_WARNING;
		if (group.health != HEALTH_OK)
			say_group(d, d->groups[i], &group, out);
	}
	if (d->full) {
		say(out, HEALTH_WARNING, 0, "more than %d nodes listed: the rest is not watched",
		    MEMBERS_MAX);
		bad++;
	}
	say_loose_nodes(m, d, now_ms, out, &bad);
	size_t len = strlen(out->text);
	if (bad > 1 && len + 16 < sizeof(out->text))
		text_format(out->text + len, sizeof(out->text) - len, "  (+%zu more)", bad - 1);
}

/* --- for the poll schedule --------------------------------------------------------------------- */

static bool node_in_trouble(const struct node *n, int64_t now_ms)
{
	if (n == NULL)
		return false;
	if (n->said_down)
		return true;
	return n->link.lost_ms != 0 && now_ms - n->link.lost_ms < UNREACHABLE_IS_NEWS_MS;
}

bool group_in_trouble(const struct model *m, const struct group *g, int64_t now_ms)
{
	struct stray_master stray;
	if (group_failover_running(m, g, now_ms) || stray_master_of(m, g, &stray))
		return true;
	for (size_t i = 0; i < g->member_count; i++)
		if (node_in_trouble(model_node(m, g->member_ids[i]), now_ms))
			return true;
	for (size_t i = 0; i < g->peer_count; i++)
		if (node_in_trouble(model_node(m, g->peers[i].node_id), now_ms))
			return true;
	return group_sdown_count(m, g) > 0;
}
