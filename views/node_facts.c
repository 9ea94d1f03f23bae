/* What is known of one node: what it says of itself, what others say of it, what we see of it. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "model/lag.h"
#include "model/readiness.h"
#include "views/node_private.h"
#include "views/topology_private.h"

#define LISTED_MAX     8    /* of what may be many: the rest is counted */
#define SENTINELS_ASKED 16
#define HELLO_QUIET_MS 5000 /* one comes every two seconds */

void node_facts_done(struct node_facts *f)
{
	free(f->items);
	memset(f, 0, sizeof(*f));
}

static struct node_fact *item_add(struct node_facts *f)
{
	struct node_fact *item;

	f->items = mem_grow(f->items, &f->cap, f->count + 1, sizeof(*f->items));
	item = &f->items[f->count++];
	memset(item, 0, offsetof(struct node_fact, text) + 1);
	return item;
}

static void section(struct node_facts *f, const char *title)
{
	struct node_fact *item = item_add(f);

	item->role = STYLE_TITLE;
	snprintf(item->text, sizeof(item->text), "%s", title);
}

static void fact(struct node_facts *f, const char *label, enum style_role role, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void fact(struct node_facts *f, const char *label, enum style_role role, const char *fmt, ...)
{
	struct node_fact *item = item_add(f);
	va_list ap;

	item->label = label;
	item->role = role;
	va_start(ap, fmt);
	text_vformat(item->text, sizeof(item->text), fmt, ap);
	va_end(ap);
}

static void fact_id(struct node_facts *f, const char *label, const char *id)
{
	fact(f, label, STYLE_TEXT, "%s", id[0] ? id : "?");
	f->items[f->count - 1].is_id = true;
}

/* Its own word. */
static enum style_role own(const struct node_facts *f)
{
	return f->own_stale ? STYLE_STALE : STYLE_TEXT;
}

static const char *number(int64_t value, char out[UNITS_BYTES])
{
	if (value == FACT_UNKNOWN)
		return "?";
	snprintf(out, UNITS_BYTES, "%lld", (long long)value);
	return out;
}

static const char *bytes(int64_t value, char out[UNITS_BYTES])
{
	return value == FACT_UNKNOWN || value < 0 ? "?" : units_bytes(value, out);
}

static const char *age(const struct view_context *c, int64_t since_ms, char out[UNITS_BYTES])
{
	return units_age(c->now_ms > since_ms ? c->now_ms - since_ms : 0, out);
}

/* Without the seconds, which would tick on a quiet screen. */
static const char *calm_age(const struct view_context *c, int64_t since_ms, char out[UNITS_BYTES])
{
	int64_t minutes = c->now_ms > since_ms ? (c->now_ms - since_ms) / 60000 : 0;

	if (minutes < 1)
		snprintf(out, UNITS_BYTES, "<1 m");
	else if (minutes < 60)
		snprintf(out, UNITS_BYTES, "%lld m", (long long)minutes);
	else
		units_age(minutes * 60000, out);
	return out;
}

#define AGO_BYTES (UNITS_BYTES + 8)

/* ", 12 s ago", or nothing for what came with the last polls. */
static const char *ago(const struct view_context *c, int64_t at_ms, char out[AGO_BYTES])
{
	int64_t quiet_ms = 3 * c->interval_ms > 3000 ? 3 * c->interval_ms : 3000;
	char text[UNITS_BYTES];

	out[0] = '\0';
	if (c->now_ms - at_ms > quiet_ms)
		snprintf(out, AGO_BYTES, ", %s ago", age(c, at_ms, text));
	return out;
}

static const char *address(const struct view_context *c, uint32_t node_id,
			   char out[ENDPOINT_TEXT_BYTES])
{
	const struct node *n = model_node(c->model, node_id);

	return n ? endpoint_format(&n->addr, out) : "?";
}

/* --- identity and link ---------------------------------------------------------------------- */

static void add_identity(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	const struct deployment *d = model_deployment(c->model, n->deployment_id);
	const struct group *g = n->group_id ? model_group(c->model, n->group_id) : NULL;
	char text[ENDPOINT_TEXT_BYTES], since[UNITS_BYTES];
	bool said = n->info_at_ms != 0;

	section(f, "Identity");
	if (endpoint_is_set(&n->dial))
		fact(f, "reached at", STYLE_TEXT, "%.200s", endpoint_format(&n->dial, text));
	if (said && n->info.version[0])
		fact(f, "version", own(f), "%s %s", n->info.valkey ? "Valkey" : "Redis",
		     n->info.version);
	else
		fact(f, "version", STYLE_TEXT, "?");
	fact(f, "uptime", own(f), "%s",
	     said && n->info.uptime_s >= 0
		     ? calm_age(c, c->now_ms - n->info.uptime_s * 1000, since)
		     : "?");
	fact_id(f, "run id", n->run_id);
	if (n->is_sentinel)
		fact_id(f, "sentinel id", n->sentinel_id);
	if (d && d->kind == KIND_CLUSTER)
		fact_id(f, "cluster id", n->cluster_id);
	if (g && d)
		fact(f, d->kind == KIND_CLUSTER ? "shard of" : "group", STYLE_TEXT, "%.120s", g->name);
	fact(f, "known", STYLE_TEXT, "%s", n->is_target ? "as a target" : "found through others");
}

static void add_link_line(struct node_facts *f, const struct view_context *c, const char *label,
			  const struct node_link *l)
{
	char since[UNITS_BYTES];
	bool up = l->state == LINK_UP;

	if (l->state == LINK_NONE) {
		fact(f, label, STYLE_TEXT, "?");
		return;
	}
	if (up)
		calm_age(c, l->since_ms, since);
	else
		age(c, l->lost_ms != 0 ? l->lost_ms : l->since_ms, since);
	fact(f, label, up ? STYLE_TEXT : STYLE_WARNING, "%s %s%s%.120s", link_state_name(l->state),
	     since, l->reason[0] ? ": " : "", l->reason);
}

static void add_link(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	char old[AGO_BYTES];

	section(f, "Link from here");
	add_link_line(f, c, "link", &n->link);
	if (n->is_sentinel)
		add_link_line(f, c, "events", &n->event_link);
	if (n->link.last_reply_ms == 0)
		fact(f, "answered", STYLE_TEXT, "never");
	else if (ago(c, n->link.last_reply_ms, old)[0])
		fact(f, "answered", STYLE_WARNING, "%s", old + 2);
	else
		fact(f, "answered", STYLE_TEXT, "now");
	if (n->link.rtt_us < 0)
		fact(f, "latency", STYLE_TEXT, "?");
	else
		fact(f, "latency", own(f), "%.1f ms", n->link.rtt_us / 1000.0);
}

static void add_refusals(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	char since[UNITS_BYTES];

	if (n->refusal_count == 0)
		return;
	section(f, "Refused");
	for (size_t i = 0; i < n->refusal_count && i < LISTED_MAX; i++) {
		const struct refusal *r = &n->refusals[i];

		fact(f, question_name(r->question), STYLE_WARNING, "%s%s%.150s (%s ago)", r->arg,
		     r->arg[0] ? ": " : "", r->text, age(c, r->at_ms, since));
	}
	if (n->refusal_count > LISTED_MAX)
		fact(f, "", STYLE_WARNING, "+%zu more", n->refusal_count - LISTED_MAX);
}

/* --- what others say ------------------------------------------------------------------------ */

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
    {CFLAG_MASTER, "master"},	    {CFLAG_SLAVE, "slave"},   {CFLAG_PFAIL, "fail?"},
    {CFLAG_FAIL, "fail"},	    {CFLAG_HANDSHAKE, "handshake"}, {CFLAG_NOADDR, "noaddr"},
    {CFLAG_NOFAILOVER, "nofailover"}, {0, NULL},
};

#define FLAGS_BYTES 200

static const char *flags_text(const struct flag_name *names, uint32_t flags, char out[FLAGS_BYTES])
{
	size_t len = 0;

	out[0] = '\0';
	for (; names->name; names++) {
		if (!(flags & names->flag))
			continue;
		snprintf(out + len, FLAGS_BYTES - len, "%s%s", len ? "," : "", names->name);
		len = strlen(out);
	}
	return out[0] ? out : "no flags";
}

static enum style_role sentinel_flags_style(uint32_t flags)
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
	fact(f, "down", STYLE_CRITICAL, "%s, first by %.100s", age(c, n->said_down_ms, since),
	     n->said_down_by ? address(c, n->said_down_by, by) : "its deployment");
}

/* Sentinels that say the same in one line. */
static void add_master_views(struct node_facts *f, const struct view_context *c,
			     const struct group *g)
{
	char flags[FLAGS_BYTES], by[ENDPOINT_TEXT_BYTES], old[AGO_BYTES];

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
		ago(c, oldest_ms, old);
		if (same == 1 && g->view_count > 1)
			fact(f, "Sentinel", sentinel_flags_style(said), "%.80s: %s%s",
			     address(c, g->views[i].sentinel_id, by), flags, old);
		else
			fact(f, "Sentinels", sentinel_flags_style(said), "%zu of %zu: %s%s", same,
			     g->view_count, flags, old);
	}
}

static void add_replica_view(struct node_facts *f, const struct view_context *c,
			     const struct member_view *v)
{
	char flags[FLAGS_BYTES], by[ENDPOINT_TEXT_BYTES], old[AGO_BYTES], prio[UNITS_BYTES];
	const struct sentinel_instance *s = &v->facts;

	fact(f, "Sentinel", sentinel_flags_style(s->flags), "%.80s: %s",
	     address(c, v->sentinel_id, by), flags_text(sentinel_flags, s->flags, flags));
	fact(f, "", s->master_link_ok == 0 ? STYLE_WARNING : STYLE_TEXT,
	     "link to master %s, priority %s%s",
	     s->master_link_ok == 1 ? "ok" : s->master_link_ok == 0 ? "err" : "?",
	     number(s->priority, prio), ago(c, v->at_ms, old));
}

static const struct forecast_replica *replica_in(const struct forecast *f, uint32_t node_id)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->replicas[i].node_id == node_id)
			return &f->replicas[i];
	return NULL;
}

/* Whether a failover would make it the master; where the Sentinels are not of one mind, by how many. */
static void add_promotion(struct node_facts *f, const struct view_context *c, const struct group *g,
			  const struct node *n)
{
	struct forecast *by = mem_alloc(sizeof(*by));
	struct forecast_replica first = {0};
	size_t asked = 0, take = 0, same = 0, other = 0;
	char why[FORECAST_REASONS_BYTES];

	for (size_t i = 0; i < g->view_count && i < SENTINELS_ASKED; i++) {
		const struct node *s = model_node(c->model, g->views[i].sentinel_id);
		const struct forecast_replica *r;

		if (!s || s->link.state != LINK_UP)
			continue;
		forecast_by_sentinel(c->model, g, &g->views[i], FORECAST_CRASH, c->now_ms, by);
		asked += by->known;
		take += by->known && by->candidate_id == n->id;
		r = replica_in(by, n->id);
		if (!r || !r->passed_over)
			continue;
		if (same == 0)
			first = *r;
		same += r->passed_over == first.passed_over;
		other += r->passed_over != first.passed_over;
	}
	if (take > 0)
		fact(f, "promotion", take < asked ? STYLE_WARNING : STYLE_TEXT,
		     "%zu of %zu Sentinels would take it", take, asked);
	if (same > 0)
		fact(f, take > 0 ? "" : "promotion", STYLE_WARNING, "%zu of %zu pass it over: %.160s%s", same,
		     asked, forecast_reasons(&first, why), other > 0 ? "; others for other reasons" : "");
	free(by);
}

static void add_ready(struct node_facts *f, const struct view_context *c, const struct group *g)
{
	struct readiness r;

	if (g->view_count == 0)
		return;
	readiness_of(c->model, g, c->now_ms, &r);
	fact(f, "ready", r.verdict == READY_YES ? STYLE_TEXT : STYLE_WARNING, "%s", r.text);
}

static void add_peer_views(struct node_facts *f, const struct deployment *d, const struct node *n)
{
	char flags[FLAGS_BYTES], hello[UNITS_BYTES];
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
		if (shown >= LISTED_MAX)
			continue;
		shown++;
		fact(f, "peers", sentinel_flags_style(v->facts.flags), "%.80s: %s, hello %s ago", g->name,
		     flags_text(sentinel_flags, v->facts.flags, flags),
		     v->facts.last_hello_message_ms == FACT_UNKNOWN ? "?"
		     : v->facts.last_hello_message_ms < HELLO_QUIET_MS
			     ? "<5 s"
			     : units_age(v->facts.last_hello_message_ms, hello));
	}
	if (listed > shown)
		fact(f, "", STYLE_TEXT, "+%zu masters", listed - shown);
	if (listed == 0)
		fact(f, "peers", STYLE_TEXT, "?");
}

static void add_cluster_word(struct node_facts *f, const struct view_context *c,
			     const struct node *n)
{
	const struct cluster_member *m = n->member;
	char flags[FLAGS_BYTES], by[ENDPOINT_TEXT_BYTES], old[AGO_BYTES], epoch[UNITS_BYTES];

	if (!m || m->at_ms == 0) {
		fact(f, "cluster", STYLE_TEXT, "?");
		return;
	}
	fact(f, "flags",
	     m->flags & CFLAG_FAIL ? STYLE_CRITICAL : m->flags & CFLAG_PFAIL ? STYLE_WARNING : STYLE_TEXT,
	     "%s, %s", flags_text(cluster_flags, m->flags, flags),
	     m->link_connected ? "connected" : "not connected");
	fact(f, "epoch", STYLE_TEXT, "%s", number(m->config_epoch, epoch));
	fact(f, "by", STYLE_TEXT, "%.80s%s", address(c, m->claimed_by, by), ago(c, m->at_ms, old));
	for (size_t i = 0; i < m->claim_count && i < LISTED_MAX; i++)
		fact(f, m->claims[i].fail ? "fail" : "fail?",
		     m->claims[i].fail ? STYLE_CRITICAL : STYLE_WARNING, "by %.80s%s",
		     address(c, m->claims[i].by, by), ago(c, m->claims[i].at_ms, old));
	if (m->claim_count > LISTED_MAX)
		fact(f, "", STYLE_WARNING, "+%zu more", m->claim_count - LISTED_MAX);
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
		if (listed >= LISTED_MAX)
			continue;
		listed++;
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					r->first == r->last ? " %u" : " %u-%u", r->first, r->last);
	}
	if (n->member->slot_count > listed)
		snprintf(text + len, sizeof(text) - len, " +%zu more",
			 n->member->slot_count - listed);
	fact(f, "slots", STYLE_TEXT, "%zu%s%s", sum, sum ? ":" : "", text);
	for (size_t i = 0; i < n->member->open_count && i < LISTED_MAX; i++)
		fact(f, n->member->open[i].importing ? "importing" : "migrating", STYLE_WARNING,
		     "slot %u %s %.8s", n->member->open[i].slot,
		     n->member->open[i].importing ? "from" : "to", n->member->open[i].peer);
}

/* What its master's INFO lists of it. */
static void add_masters_word(struct node_facts *f, const struct view_context *c,
			     const struct node *n)
{
	const struct node *master = n->listed_by ? model_node(c->model, n->listed_by) : NULL;
	char by[ENDPOINT_TEXT_BYTES], old[AGO_BYTES];

	for (size_t i = 0; master && i < master->info.replica_count; i++) {
		const struct info_replica *r = &master->info.replicas[i];

		if (!endpoint_equal(&r->addr, &n->addr))
			continue;
		fact(f, "its master", STYLE_TEXT, "%.80s: %s, offset %lld%s",
		     endpoint_format(&master->addr, by), r->state, (long long)r->offset,
		     ago(c, master->info_at_ms, old));
		return;
	}
}

static void add_others(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	const struct deployment *d = model_deployment(c->model, n->deployment_id);
	const struct group *g = n->group_id ? model_group(c->model, n->group_id) : NULL;
	const struct member_view *v = g ? group_replica_view(g, n->id) : NULL;
	size_t before;

	section(f, "Others say");
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
		fact(f, "", STYLE_TEXT, "nothing");
}

/* --- what it says of itself ------------------------------------------------------------------ */

/* The title of what it says of itself: with its age where that is more than a poll's. */
static void own_section(struct node_facts *f, const struct view_context *c, const struct node *n,
			const char *title)
{
	char text[80], old[UNITS_BYTES];

	if (!f->own_stale) {
		section(f, title);
		return;
	}
	snprintf(text, sizeof(text), "%s, %s old", title, age(c, n->info_at_ms, old));
	section(f, text);
	f->items[f->count - 1].role = STYLE_STALE;
}

static void add_master_facts(struct node_facts *f, const struct node *n)
{
	const struct info_facts *i = &n->info;
	char a[UNITS_BYTES], b[UNITS_BYTES];
	size_t online = 0;

	for (size_t k = 0; k < i->replica_count; k++)
		online += strcmp(i->replicas[k].state, "online") == 0;
	fact(f, "replicas", online < i->replica_count ? STYLE_WARNING : own(f), "%s, %zu online",
	     number(i->connected_slaves, a), online);
	if (n->repl_rate_bytes_s >= 0) {
		units_rate(n->repl_rate_bytes_s, a);
		fact(f, "writes", own(f), "%s", a[0] == '+' ? a + 1 : a);
	}
	if (i->backlog_active == 0)
		fact(f, "backlog", STYLE_WARNING, "off");
	else
		fact(f, "backlog", own(f), "%s held, size %s", bytes(i->backlog_histlen_bytes, a),
		     bytes(i->backlog_size_bytes, b));
	if (i->failover_state[0] && strcmp(i->failover_state, "no-failover") != 0)
		fact(f, "failover", STYLE_WARNING, "%s", i->failover_state);
}

static void add_replica_facts(struct node_facts *f, const struct view_context *c,
			      const struct node *n)
{
	const struct info_facts *i = &n->info;
	char a[ENDPOINT_TEXT_BYTES], b[UNITS_BYTES], d[UNITS_BYTES];
	struct lag lag;

	lag_of(c->model, n, c->now_ms, &lag);
	fact(f, "follows", own(f), "%.200s",
	     endpoint_is_set(&i->master) ? endpoint_format(&i->master, a) : "?");
	if (i->sync_in_progress == 1)
		fact(f, "link", STYLE_WARNING, "full sync, %s of %s", bytes(i->sync_read_bytes, b),
		     i->sync_total_bytes > 0 ? bytes(i->sync_total_bytes, d) : "?");
	else if (i->master_link_up == 0)
		fact(f, "link", STYLE_WARNING, "down %s",
		     i->master_link_down_s >= 0 ? units_age(i->master_link_down_s * 1000, b) : "");
	else
		fact(f, "link", own(f), "%s", i->master_link_up == 1 ? "up" : "?");
	fact(f, "lag", own(f), "%s, ack %s ago",
	     lag.bytes == FACT_UNKNOWN ? "?" : units_bytes(lag.bytes, b),
	     lag.seconds == FACT_UNKNOWN ? "?"
	     : lag.seconds < 2	       ? "<2 s"
				       : units_age(lag.seconds * 1000, d));
	if (lag.off_backlog)
		fact(f, "headroom", STYLE_WARNING, "off the backlog: full sync ahead");
	else
		fact(f, "headroom", own(f), "%s%s", bytes(lag.backlog_headroom_bytes, b),
		     lag.backlog_headroom_bytes >= 0 ? " of backlog left" : "");
	fact(f, "priority", i->priority == 0 ? STYLE_WARNING : own(f), "%s",
	     i->priority == 0 ? "0: never promoted" : number(i->priority, b));
}

static void add_replication(struct node_facts *f, const struct view_context *c,
			    const struct node *n)
{
	const struct info_facts *i = &n->info;
	char a[UNITS_BYTES], b[UNITS_BYTES], d[UNITS_BYTES];

	own_section(f, c, n, "Replication");
	if (n->role_ms != 0)
		fact(f, "says", own(f), "%s, seen for %s", role_name(i->role), calm_age(c, n->role_ms, a));
	else
		fact(f, "says", own(f), "%s", i->role == ROLE_UNKNOWN ? "?" : role_name(i->role));
	if (i->role == ROLE_REPLICA)
		add_replica_facts(f, c, n);
	else if (i->role == ROLE_MASTER)
		add_master_facts(f, n);
	fact(f, "offset", own(f), "%s", number(i->master_repl_offset, a));
	fact_id(f, "replid", i->replid);
	fact(f, "syncs", own(f), "%s full, %s partial, %s refused", number(i->sync_full, a),
	     number(i->sync_partial_ok, b), number(i->sync_partial_err, d));
}

static void add_memory(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	const struct info_facts *i = &n->info;
	char a[UNITS_BYTES], b[UNITS_BYTES];

	own_section(f, c, n, "Memory");
	fact(f, "used", own(f), "%s", bytes(i->used_memory_bytes, a));
	if (i->maxmemory_bytes > 0 && i->used_memory_bytes >= 0)
		fact(f, "maxmemory", own(f), "%s, %.0f %% used", bytes(i->maxmemory_bytes, b),
		     (double)i->used_memory_bytes * 100.0 / (double)i->maxmemory_bytes);
	else
		fact(f, "maxmemory", own(f), "%s", i->maxmemory_bytes == 0 ? "none" : "?");
	fact(f, "evicted", own(f), "%s keys", number(i->evicted_keys, a));
}

static void add_load(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	const struct info_facts *i = &n->info;
	char a[UNITS_BYTES], b[UNITS_BYTES];

	own_section(f, c, n, "Clients");
	fact(f, "connected", own(f), "%s of %s", number(i->connected_clients, a),
	     number(i->maxclients, b));
	if (!n->is_sentinel)
		fact(f, "blocked", own(f), "%s", number(i->blocked_clients, a));
	fact(f, "rejected", i->rejected_connections > 0 ? STYLE_WARNING : own(f), "%s",
	     number(i->rejected_connections, a));
	fact(f, "commands", own(f), "%s a second", number(i->ops_per_sec, a));
}

static void add_keys(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	const struct info_facts *i = &n->info;
	char a[UNITS_BYTES], b[UNITS_BYTES];

	own_section(f, c, n, "Keys");
	fact(f, "keys", own(f), "%s", number(i->keys, a));
	if (n->hit_rate >= 0)
		fact(f, "hit rate", own(f), "%.0f %%", n->hit_rate * 100);
	else
		fact(f, "hit rate", own(f), "? (no reads seen)");
	fact(f, "in total", own(f), "%s hits, %s misses",
	     i->keyspace_hits >= 0 ? units_count(i->keyspace_hits, a) : "?",
	     i->keyspace_misses >= 0 ? units_count(i->keyspace_misses, b) : "?");
}

static enum style_role status_style(const struct node_facts *f, const char *status)
{
	return status[0] && strcmp(status, "ok") != 0 ? STYLE_WARNING : own(f);
}

static void add_persistence(struct node_facts *f, const struct view_context *c,
			    const struct node *n)
{
	const struct info_facts *i = &n->info;

	own_section(f, c, n, "Persistence");
	if (i->loading == 1)
		fact(f, "loading", STYLE_WARNING, "%.0f %%",
		     i->loading_percent > 0 ? i->loading_percent : 0);
	fact(f, "last RDB", status_style(f, i->rdb_last_bgsave_status), "%s",
	     i->rdb_last_bgsave_status[0] ? i->rdb_last_bgsave_status : "?");
	fact(f, "last AOF", status_style(f, i->aof_last_write_status), "write %s",
	     i->aof_last_write_status[0] ? i->aof_last_write_status : "?");
}

/* What a Sentinel says of the masters that it watches. */
static void add_watched(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	const struct deployment *d = model_deployment(c->model, n->deployment_id);
	char flags[FLAGS_BYTES], a[UNITS_BYTES], b[UNITS_BYTES], at[ENDPOINT_TEXT_BYTES];
	size_t watched = 0;

	section(f, "It says of its masters");
	if (n->info_at_ms != 0 && n->info.sentinel_tilt == 1)
		fact(f, "TILT", STYLE_CRITICAL, "it does not act");
	for (size_t i = 0; d && i < d->group_count; i++) {
		const struct group *g = d->groups[i];
		const struct sentinel_view *v = g->views;
		const struct sentinel_view *end = g->views + g->view_count;

		while (v < end && v->sentinel_id != n->id)
			v++;
		if (g->view_count == 0 || v == end || watched++ >= LISTED_MAX)
			continue;
		fact(f, "master", sentinel_flags_style(v->facts.flags), "%.60s at %.60s: %s", g->name,
		     endpoint_format(&v->facts.addr, at),
		     flags_text(sentinel_flags, v->facts.flags, flags));
		fact(f, "", STYLE_TEXT, "epoch %s, quorum %s%s", number(v->facts.config_epoch, a),
		     number(v->facts.quorum, b), ago(c, v->at_ms, flags));
		fact(f, "", STYLE_TEXT, "knows %s replicas, %s other Sentinels",
		     number(v->facts.num_slaves, a), number(v->facts.num_other_sentinels, b));
	}
	if (watched == 0)
		fact(f, "", STYLE_TEXT, "?");
	if (watched > LISTED_MAX)
		fact(f, "", STYLE_TEXT, "+%zu more", watched - LISTED_MAX);
}

/* The same words as in the topology. */
static void fill_state(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	struct topo_row row = {.kind = ROW_NODE, .node_id = n->id, .group_id = n->group_id};
	struct verdict verdict;
	char addr[ENDPOINT_TEXT_BYTES];

	topology_fill_row(NULL, &row, c);
	health_node(c->model, n, c->now_ms, &verdict);
	f->health = row.health;
	f->role = row.role;
	f->own_stale = row.stale || (n->info_at_ms != 0 && n->link.state != LINK_UP);
	/* There is room for all of the reason here. */
	snprintf(f->state, sizeof(f->state), "%s",
		 strlen(verdict.text) > strlen(row.state) ? verdict.text : row.state);
	snprintf(f->headline, sizeof(f->headline), "%.60s", endpoint_format(&n->addr, addr));
}

void node_facts_build(struct node_facts *f, const struct view_context *c, const struct node *n)
{
	f->count = 0;
	fill_state(f, c, n);
	add_refusals(f, c, n);
	add_link(f, c, n);
	add_others(f, c, n);
	if (n->is_sentinel)
		add_watched(f, c, n);
	if (n->info_at_ms == 0) {
		section(f, "It says of itself");
		fact(f, "INFO", STYLE_UNKNOWN_STATE, "? (no answer yet)");
	} else if (n->is_sentinel) {
		add_load(f, c, n);
	} else {
		add_replication(f, c, n);
		add_memory(f, c, n);
		add_load(f, c, n);
		add_keys(f, c, n);
		add_persistence(f, c, n);
	}
	add_identity(f, c, n);
}
