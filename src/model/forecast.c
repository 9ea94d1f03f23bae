/* Forecasts: who is eligible, in which order, and what it would cost. Rules from
 * sentinel.c:sentinelSelectSlave and compareSlavesForPromotion, and from
 * cluster_legacy.c:clusterGetSlaveRank. */
#include "model/forecast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/units.h"
#include "model/health.h"
#include "model/lag.h"

/* sentinel.c: SENTINEL_PING_PERIOD and SENTINEL_INFO_PERIOD; 30 s is three times the latter. */
#define PING_PERIOD_MS        1000
#define PING_AGE_MAX_MS       (5 * PING_PERIOD_MS)
#define INFO_AGE_MAX_MS       30000
#define INFO_AGE_MAX_DOWN_MS  (5 * PING_PERIOD_MS)
/* While a failover runs a replica is asked anew when its INFO is older than this; with the ticks of
 * both sides the moment is known to within the second figure. */
#define INFO_HURRY_MS         1000
#define INFO_HURRY_SLACK_MS   250
/* Own words this old are no longer compared byte for byte. */
#define FRESH_MS              3000

const char *pass_reason_name(enum pass_reason one)
{
	static const char *const names[] = {
#define X(id, name) name,
		PASS_REASONS(X)
#undef X
	};
	for (size_t i = 0; i < PASS_REASON_COUNT; i++)
		if ((unsigned)one == 1u << i)
			return names[i];
	return "?";
}

static void add_words(char *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add_words(char *out, const char *fmt, ...)
{
	size_t len = strlen(out);
	va_list ap;
	if (len > 0 && len + 2 < FORECAST_REASONS_BYTES)
		len += (size_t)snprintf(out + len, FORECAST_REASONS_BYTES - len, "; ");
	if (len >= FORECAST_REASONS_BYTES)
		return;
	va_start(ap, fmt);
	vsnprintf(out + len, FORECAST_REASONS_BYTES - len, fmt, ap);
	va_end(ap);
}

char *forecast_reasons(const struct forecast_replica *r, char out[FORECAST_REASONS_BYTES])
{
	char a[UNITS_BYTES], b[UNITS_BYTES];
	out[0] = '\0';
	if (r->passed_over & PASS_DOWN)
		add_words(out, "the Sentinel holds it for down");
	if (r->passed_over & PASS_DISCONNECTED)
		add_words(out, "the Sentinel is not connected to it");
	if (r->passed_over & PASS_NO_PING)
		add_words(out, "last good ping reply %s ago, 5 s allowed", units_age(r->ping_age_ms, a));
	if (r->passed_over & PASS_PRIORITY_0)
		add_words(out, "replica-priority 0");
	if (r->passed_over & PASS_OLD_INFO && r->info_age_ms == FACT_UNKNOWN)
		add_words(out, "the Sentinel never had its INFO");
	else if (r->passed_over & PASS_OLD_INFO)
		add_words(out, "last INFO %s ago", units_age(r->info_age_ms, a));
	if (r->passed_over & PASS_LINK_DOWN)
		add_words(out, "link to the master down %s, %s allowed", units_age(r->link_down_ms, a),
			  units_age(r->link_down_allowed_ms, b));
	if (r->passed_over & PASS_NOFAILOVER)
		add_words(out, "cluster-replica-no-failover is set");
	if (r->passed_over & PASS_UNREACHABLE)
		add_words(out, "does not answer");
	if (r->passed_over & PASS_OFFLINE)
		add_words(out, "not linked to the master");
	return out;
}

/* --- one Sentinel's data ------------------------------------------------------------------------ */

static int64_t age_of(int64_t at_reply_ms)
{
	return at_reply_ms == FACT_UNKNOWN ? 0 : at_reply_ms;
}

/* Rule by rule, as sentinelSelectSlave does, but without stopping at the first. */
static unsigned pass_over(const struct forecast_replica *r, const struct sentinel_instance *f,
			  bool master_down, enum forecast_case which)
{
	unsigned why = 0;
	bool info_matters = which == FORECAST_MANUAL || master_down;
	int64_t info_max_ms = master_down ? INFO_AGE_MAX_DOWN_MS : INFO_AGE_MAX_MS;
	if (f->flags & (SFLAG_S_DOWN | SFLAG_O_DOWN))
		why |= PASS_DOWN;
	if (f->flags & SFLAG_DISCONNECTED)
		why |= PASS_DISCONNECTED;
	if (r->ping_age_ms > PING_AGE_MAX_MS)
		why |= PASS_NO_PING;
	if (f->priority == 0)
		why |= PASS_PRIORITY_0;
	/* At a crash every replica is asked anew before the choice: an old INFO says nothing yet. */
	if (r->info_age_ms == FACT_UNKNOWN || (info_matters && r->info_age_ms > info_max_ms))
		why |= PASS_OLD_INFO;
	if (r->link_down_ms > r->link_down_allowed_ms)
		why |= PASS_LINK_DOWN;
	return why;
}

static void judge_listed(const struct model *m, const struct member_view *v,
			 const struct sentinel_instance *master, enum forecast_case which,
			 int64_t now_ms, struct forecast_replica *r)
{
	const struct sentinel_instance *f = &v->facts;
	const struct node *n = model_node(m, v->node_id);
	bool master_down = master->flags & SFLAG_S_DOWN;
	struct lag lag;
	*r = (struct forecast_replica){ .node_id = v->node_id,
					.priority = f->priority,
					.offset = f->repl_offset,
					.loss_bytes = FACT_UNKNOWN,
					.ping_age_ms = age_of(f->last_ok_ping_reply_ms),
					.info_age_ms = f->info_refresh_ms > 0 ? f->info_refresh_ms : FACT_UNKNOWN,
					.link_down_ms = age_of(f->master_link_down_time_ms) };
	snprintf(r->run_id, sizeof(r->run_id), "%s", f->run_id);
	int64_t down_after_ms = master->down_after_ms != FACT_UNKNOWN ? master->down_after_ms : 30000;
	r->link_down_allowed_ms = 10 * down_after_ms;
	if (master_down)
		r->link_down_allowed_ms += age_of(master->s_down_time_ms);
	else if (which == FORECAST_CRASH && r->link_down_ms > 0)
		r->link_down_ms += down_after_ms; /* until the Sentinels are sure */
	r->passed_over = pass_over(r, f, master_down, which);
	if (n == NULL)
		return;
	/* After a crash: by the time of the choice the Sentinels will have noticed as well. */
	if (which == FORECAST_CRASH && n->link.state != LINK_UP && n->link.lost_ms != 0)
		r->passed_over |= PASS_UNREACHABLE;
	lag_of(m, n, now_ms, &lag);
	r->loss_bytes = lag.bytes;
}

/* compareSlavesForPromotion: those passed over come last. */
static int compare_replicas(const void *a, const void *b)
{
	const struct forecast_replica *x = a, *y = b;
	if ((x->passed_over == 0) != (y->passed_over == 0))
		return x->passed_over == 0 ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset > y->offset ? -1 : 1;
	if ((x->run_id[0] == '\0') != (y->run_id[0] == '\0'))
		return x->run_id[0] == '\0' ? 1 : -1;
	return strcasecmp(x->run_id, y->run_id);
}

static void sort_replicas(struct forecast *out)
{
	if (out->count > 1)
		qsort(out->replicas, out->count, sizeof(out->replicas[0]), compare_replicas);
	out->eligible = 0;
	for (size_t i = 0; i < out->count; i++)
		out->eligible += out->replicas[i].passed_over == 0;
}

/* --- which of the best is it? ------------------------------------------------------------------- */

/* The replica keeps up: what it lacks is under way. */
static bool is_level(const struct model *m, const struct node *n, int64_t now_ms)
{
	struct lag lag;
	if (n == NULL || n->link.state != LINK_UP || n->info_at_ms == 0)
		return false;
	lag_of(m, n, now_ms, &lag);
	return lag.link_known && lag.link_up && !lag.syncing && lag.seconds != FACT_UNKNOWN &&
	       lag.seconds <= 1;
}

/* Its own word on its offset since the master was lost, when nothing moves any more. */
static bool settled_offset(const struct model *m, const struct group *g, const struct node *n,
			   int64_t now_ms, int64_t *offset)
{
	const struct node *master = model_node(m, g->master_id);
	if (master == NULL || n == NULL || master->link.lost_ms == 0 || n->link.state != LINK_UP ||
	    n->info_at_ms <= master->link.lost_ms || now_ms - n->info_at_ms > FRESH_MS ||
	    n->info.role != ROLE_REPLICA || n->info.master_link_up != 0)
		return false;
	*offset = n->info.slave_repl_offset;
	return *offset != FACT_UNKNOWN;
}

/* Offsets as they will be when the choice is made, as far as that can be known: those that keep up
 * are level with each other. */
static void level_offsets(const struct model *m, const struct group *g, int64_t now_ms,
			  struct forecast *out, bool level[])
{
	int64_t highest = 0;
	for (size_t i = 0; i < out->count; i++) {
		struct forecast_replica *r = &out->replicas[i];
		const struct node *n = model_node(m, r->node_id);
		int64_t offset;
		level[i] = false;
		if (settled_offset(m, g, n, now_ms, &offset))
			r->offset = offset;
		else
			level[i] = is_level(m, n, now_ms);
		if (level[i] && n->info.slave_repl_offset > r->offset)
			r->offset = n->info.slave_repl_offset;
		if (level[i] && r->offset > highest)
			highest = r->offset;
	}
	for (size_t i = 0; i < out->count; i++)
		if (level[i])
			out->replicas[i].offset = highest;
}

/* Of replicas that keep up while the master is written to, one whose INFO is fresh is not asked again
 * and stays behind the others by what was written since. -1 behind, 1 ahead, 0 cannot be said. */
static int refreshed(const struct forecast_replica *r, int64_t at_ms, int64_t now_ms)
{
	int64_t age_ms = r->info_age_ms == FACT_UNKNOWN ? INFO_AGE_MAX_MS
						       : r->info_age_ms + (now_ms - at_ms);
	if (age_ms > INFO_HURRY_MS + INFO_HURRY_SLACK_MS)
		return 1;
	return age_ms < INFO_HURRY_MS - INFO_HURRY_SLACK_MS ? -1 : 0;
}

static void say_choice(struct forecast *out, const struct model *m)
{
	const struct forecast_replica *first = &out->replicas[0], *second = &out->replicas[1];
	char bytes[UNITS_BYTES];
	(void)m;
	if (out->eligible == 1)
		snprintf(out->text, sizeof(out->text), "the only one that can be promoted");
	else if (first->priority != second->priority)
		snprintf(out->text, sizeof(out->text), "lowest priority: %lld", (long long)first->priority);
	else if (first->offset != second->offset)
		snprintf(out->text, sizeof(out->text), "has most of the data: %s more than the next",
			 units_bytes(first->offset - second->offset, bytes));
	else
		snprintf(out->text, sizeof(out->text), "equal priority and data: the smallest run id decides");
}

/* Names the rivals of the first, which the rules do not tell apart for certain. */
static void say_tie(struct forecast *out, const struct model *m, size_t rivals, const char *why)
{
	char addr[ENDPOINT_TEXT_BYTES];
	size_t len = 0;
	out->tie = true;
	out->candidate_id = 0;
	for (size_t i = 0; i < rivals && i < 3 && len < 140; i++) {
		const struct node *n = model_node(m, out->replicas[i].node_id);
		len += (size_t)snprintf(out->text + len, sizeof(out->text) - len, "%s%.48s",
					i == 0 ? "" : " or ", n != NULL ? endpoint_format(&n->addr, addr) : "?");
	}
	if (len < sizeof(out->text))
		snprintf(out->text + len, sizeof(out->text) - len, ": %s", why);
}

/* Eligible replicas that share the first one's priority and offset. */
static size_t count_rivals(const struct forecast *out)
{
	size_t rivals = 0;
	while (rivals < out->eligible && out->replicas[rivals].priority == out->replicas[0].priority &&
	       out->replicas[rivals].offset == out->replicas[0].offset)
		rivals++;
	return rivals;
}

static bool master_is_written(const struct model *m, const struct group *g)
{
	const struct node *master = model_node(m, g->master_id);
	return master != NULL && master->link.state == LINK_UP && master->repl_rate_bytes_s > 0;
}

/* The offsets move between the INFOs of one replica and of the next. */
static bool moving_tie(const struct model *m, const struct group *g, struct forecast *out,
		       enum forecast_case which, int64_t now_ms, size_t rivals)
{
	bool any_ahead = false, any_behind = false, any_unsure = false;
	if (which != FORECAST_MANUAL || rivals < 2 || !master_is_written(m, g))
		return false;
	for (size_t i = 0; i < rivals; i++) {
		int how = refreshed(&out->replicas[i], out->at_ms, now_ms);
		any_ahead |= how > 0;
		any_behind |= how < 0;
		any_unsure |= how == 0;
	}
	if (!any_behind && !any_unsure)
		return false;
	(void)any_ahead;
	say_tie(out, m, rivals, "their offsets are level and move");
	return true;
}

static void choose(const struct model *m, const struct group *g, enum forecast_case which,
		   int64_t now_ms, struct forecast *out)
{
	if (out->eligible == 0) {
		snprintf(out->text, sizeof(out->text), "no replica can be promoted");
		return;
	}
	size_t rivals = count_rivals(out);
	if (rivals > 1 && out->by == 0) {
		say_tie(out, m, rivals, "equal data: chance decides");
		return;
	}
	if (moving_tie(m, g, out, which, now_ms, rivals))
		return;
	out->candidate_id = out->replicas[0].node_id;
	out->loss_bytes = out->replicas[0].loss_bytes;
	say_choice(out, m);
}

/* --- what it would cost ------------------------------------------------------------------------- */

/* The candidate serves the others from its own backlog, under the old master's replication id up to
 * its own offset: replication.c:masterTryPartialResync. */
enum resync forecast_resync(const struct node *candidate, const struct node *n)
{
	const struct info_facts *c = &candidate->info, *f = &n->info;
	if (candidate->info_at_ms == 0 || n->info_at_ms == 0 || c->backlog_active == FACT_UNKNOWN ||
	    f->slave_repl_offset == FACT_UNKNOWN || c->slave_repl_offset == FACT_UNKNOWN)
		return RESYNC_UNKNOWN;
	if (c->backlog_active != 1 || strcmp(c->replid, f->replid) != 0)
		return RESYNC_FULL;
	if (c->backlog_first_byte_offset == FACT_UNKNOWN)
		return RESYNC_UNKNOWN;
	return f->slave_repl_offset + 1 < c->backlog_first_byte_offset ? RESYNC_FULL : RESYNC_PARTIAL;
}

static void cost(const struct model *m, const struct group *g, struct forecast *out)
{
	const struct node *candidate = model_node(m, out->candidate_id);
	const struct node *master = model_node(m, g->master_id);
	for (size_t i = 0; candidate != NULL && i < out->count; i++) {
		const struct node *n = model_node(m, out->replicas[i].node_id);
		if (n != NULL && n != candidate)
			out->replicas[i].resync = forecast_resync(candidate, n);
	}
	if (out->loss_bytes == 0)
		out->loss_ms = 0;
	else if (out->loss_bytes != FACT_UNKNOWN && master != NULL && master->repl_rate_bytes_s > 0)
		out->loss_ms = (int64_t)((double)out->loss_bytes * 1000.0 / master->repl_rate_bytes_s);
}

static void settle(const struct model *m, const struct group *g, enum forecast_case which,
		   int64_t now_ms, struct forecast *out)
{
	bool level[FORECAST_REPLICAS_MAX];
	level_offsets(m, g, now_ms, out, level);
	sort_replicas(out);
	choose(m, g, which, now_ms, out);
	cost(m, g, out);
}

static void forecast_clear(struct forecast *out)
{
	*out = (struct forecast){ .loss_bytes = FACT_UNKNOWN, .loss_ms = FACT_UNKNOWN };
}

void forecast_by_sentinel(const struct model *m, const struct group *g, const struct sentinel_view *v,
			  enum forecast_case which, int64_t now_ms, struct forecast *out)
{
	forecast_clear(out);
	out->by = v->sentinel_id;
	out->at_ms = v->replicas_at_ms;
	if (v->replicas_at_ms == 0 || v->at_ms == 0) {
		snprintf(out->text, sizeof(out->text), "this Sentinel has not listed its replicas yet");
		return;
	}
	out->known = true;
	for (size_t i = 0; i < v->replica_count; i++) {
		if (out->count == FORECAST_REPLICAS_MAX) {
			out->more++;
			continue;
		}
		judge_listed(m, &v->replicas[i], &v->facts, which, now_ms, &out->replicas[out->count++]);
	}
	settle(m, g, which, now_ms, out);
}

/* --- cluster and plain sets ---------------------------------------------------------------------- */

static void judge_member(const struct model *m, const struct node *n, bool is_cluster, int64_t now_ms,
			 struct forecast_replica *r)
{
	struct lag lag;
	lag_of(m, n, now_ms, &lag);
	*r = (struct forecast_replica){ .node_id = n->id,
					.offset = lag.offset,
					.loss_bytes = lag.bytes,
					.info_age_ms = n->info_at_ms != 0 ? now_ms - n->info_at_ms : FACT_UNKNOWN };
	snprintf(r->run_id, sizeof(r->run_id), "%s", n->run_id);
	if (n->link.state != LINK_UP || n->info_at_ms == 0)
		r->passed_over |= PASS_UNREACHABLE;
	else if (!lag.link_up)
		r->passed_over |= PASS_OFFLINE;
	if (is_cluster && n->member != NULL && (n->member->flags & CFLAG_NOFAILOVER))
		r->passed_over |= PASS_NOFAILOVER;
	if (is_cluster && n->said_down)
		r->passed_over |= PASS_DOWN;
}

static void forecast_members(const struct model *m, const struct group *g, bool is_cluster,
			     enum forecast_case which, int64_t now_ms, struct forecast *out)
{
	const struct node *master = model_node(m, g->master_id);
	bool lost = master == NULL || master->link.lost_ms != 0;
	out->known = true;
	out->at_ms = now_ms;
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		if (n == NULL || n == master || (n->info_at_ms != 0 && n->info.role == ROLE_MASTER))
			continue;
		if (out->count == FORECAST_REPLICAS_MAX) {
			out->more++;
			continue;
		}
		struct forecast_replica *r = &out->replicas[out->count++];
		judge_member(m, n, is_cluster, now_ms, r);
		if (lost) /* all of them have lost it: how long ago decides, which redoubt cannot know */
			r->passed_over &= ~(unsigned)PASS_OFFLINE;
	}
	settle(m, g, which, now_ms, out);
	if (!is_cluster && out->eligible > 0 && which == FORECAST_CRASH) {
		out->candidate_id = 0;
		snprintf(out->text, sizeof(out->text), "nobody promotes a replica by itself: no Sentinel watches");
	}
}

static void forecast_sentinels(const struct model *m, const struct group *g, enum forecast_case which,
			       int64_t now_ms, struct forecast *out, bool *differ)
{
	struct forecast one;
	bool first = true;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct node *n = model_node(m, g->views[i].sentinel_id);
		if (n == NULL || n->link.state != LINK_UP)
			continue;
		forecast_by_sentinel(m, g, &g->views[i], which, now_ms, first ? out : &one);
		if (first) {
			first = !out->known;
			continue;
		}
		if (one.known && (one.candidate_id != out->candidate_id || one.tie != out->tie))
			*differ = true;
	}
	if (first)
		snprintf(out->text, sizeof(out->text), "no Sentinel answers");
	if (!*differ)
		return;
	out->candidate_id = 0;
	out->loss_bytes = out->loss_ms = FACT_UNKNOWN;
	snprintf(out->text, sizeof(out->text), "the Sentinels would choose differently: it depends on who leads");
}

void forecast_group(const struct model *m, const struct group *g, enum forecast_case which,
		    int64_t now_ms, struct forecast *out, bool *differ)
{
	const struct deployment *d = model_deployment(m, g->deployment_id);
	bool differs = false;
	forecast_clear(out);
	if (d != NULL && d->kind == KIND_SENTINEL)
		forecast_sentinels(m, g, which, now_ms, out, &differs);
	else if (d != NULL)
		forecast_members(m, g, d->kind == KIND_CLUSTER, which, now_ms, out);
	if (differ != NULL)
		*differ = differs;
}
