/* Forecasts: who is eligible, in which order, and what it would cost. Rules from
 * sentinel.c:sentinelSelectSlave and compareSlavesForPromotion, and from
 * cluster_legacy.c:clusterGetSlaveRank. */
#include "model/forecast.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/units.h"
#include "model/health.h"
#include "model/lag.h"
#include "model/stray.h"

/* sentinel.c: SENTINEL_PING_PERIOD and SENTINEL_INFO_PERIOD; 30 s is three times the latter. */
#define PING_PERIOD_MS        1000
#define PING_AGE_MAX_MS       (5 * PING_PERIOD_MS)
#define INFO_AGE_MAX_MS       30000
#define INFO_AGE_MAX_DOWN_MS  (5 * PING_PERIOD_MS)
/* While a failover runs a replica is asked anew when its INFO is older than this; with the ticks of
 * both sides the moment is known to within the second figure. */
#define INFO_HURRY_MS         1000
#define INFO_HURRY_SLACK_MS   250
/* The INFOs of one tick are a millisecond or two apart. Up to this rate (the Sentinels' own hellos are
 * a few hundred bytes a second) nearly never anything is written in between. */
#define QUIET_BYTES_S         1024
/* sentinel.c: SENTINEL_DEFAULT_SLAVE_PRIORITY */
#define PRIORITY_DEFAULT      100
/* Own words this old are no longer compared byte for byte. */
#define FRESH_MS              3000
/* Older than a year is no loss but a rate that stands still. */
#define LOSS_MAX_S            31536000.0
/* Sentinel's default, where it does not say. */
#define DOWN_AFTER_MS         30000

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
	if (len > 0)
		text_format(out + len, FORECAST_REASONS_BYTES - len, "; ");
	len = strlen(out);
	va_start(ap, fmt);
	text_vformat(out + len, FORECAST_REASONS_BYTES - len, fmt, ap);
	va_end(ap);
}

char *forecast_reasons(const struct forecast_replica *r, char out[FORECAST_REASONS_BYTES])
{
	char a[UNITS_BYTES], b[UNITS_BYTES];
	out[0] = '\0';
	if (r->passed_over & PASS_DOWN)
		add_words(out, "held for down");
	if (r->passed_over & PASS_DISCONNECTED)
		add_words(out, "the Sentinel is not connected to it");
	if (r->passed_over & PASS_NO_PING)
		add_words(out, "last good ping reply %s ago, 5 s allowed", units_age(r->ping_age_ms, a));
	if (r->passed_over & PASS_PRIORITY_0)
		add_words(out, "replica-priority 0");
	if (r->passed_over & PASS_OLD_INFO && r->info_age_ms == FACT_UNKNOWN)
		add_words(out, "the Sentinel never had its INFO");
	else if (r->passed_over & PASS_OLD_INFO)
		add_words(out, "last INFO %s ago, %s allowed", units_age(r->info_age_ms, a),
			  units_age(r->info_allowed_ms, b));
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
	if (f->flags & (SFLAG_S_DOWN | SFLAG_O_DOWN))
		why |= PASS_DOWN;
	if (f->flags & SFLAG_DISCONNECTED)
		why |= PASS_DISCONNECTED;
	if (r->ping_age_ms > PING_AGE_MAX_MS)
		why |= PASS_NO_PING;
	if (f->priority == 0)
		why |= PASS_PRIORITY_0;
	/* At a crash every replica is asked anew before the choice: an old INFO says nothing yet. */
	if (r->info_age_ms == FACT_UNKNOWN || (info_matters && r->info_age_ms > r->info_allowed_ms))
		why |= PASS_OLD_INFO;
	if (r->link_down_ms > r->link_down_allowed_ms)
		why |= PASS_LINK_DOWN;
	return why;
}

/* redoubt lost it, and the Sentinel did not hear from it since: by the time of the choice it will have
 * noticed as well. What only redoubt cannot reach (NAT, a password) is no loss. */
static bool is_lost(const struct node *n, const struct member_view *v)
{
	int64_t heard_ms = v->at_ms - age_of(v->facts.last_ok_ping_reply_ms);
	return n->link.state != LINK_UP && n->link.state != LINK_AUTH_ERROR && n->link.lost_ms != 0 &&
	       n->info_at_ms != 0 && heard_ms <= n->link.lost_ms + PING_PERIOD_MS;
}

/* How long the link to the master may be down. At a crash the Sentinels are sure only after down-after,
 * and by then it will have been down for so much longer. */
static int64_t link_down_allowed(const struct sentinel_instance *master, enum forecast_case which)
{
	int64_t down_after_ms = master->down_after_ms != FACT_UNKNOWN ? master->down_after_ms : DOWN_AFTER_MS;
	if (master->flags & SFLAG_S_DOWN)
		return 10 * down_after_ms + age_of(master->s_down_time_ms);
	return which == FORECAST_CRASH ? 9 * down_after_ms : 10 * down_after_ms;
}

/* A second master: Sentinels go on listing it as a replica, and sentinelSelectSlave does not look at the
 * role that it reports. Not the one that a failover promotes, before it is named and after. */
static bool is_second_master(const struct model *m, const struct group *g, const struct node *n,
			     const struct sentinel_instance *f)
{
	if (n->id == model_node_resolve(m, g->master_id) || f->flags & SFLAG_PROMOTED || group_promotes(m, g, n))
		return false;
	if (n->link.state != LINK_UP || n->info_at_ms == 0)
		return f->role_reported == ROLE_MASTER;
	return node_says_master(n);
}

static void judge_listed(const struct model *m, const struct group *g, const struct member_view *v,
			 const struct sentinel_instance *master, enum forecast_case which,
			 int64_t now_ms, struct forecast_replica *r)
{
	const struct sentinel_instance *f = &v->facts;
	const struct node *n = model_node(m, v->node_id);
	bool master_down = master->flags & SFLAG_S_DOWN;
	struct lag lag;
	*r = (struct forecast_replica){
		.node_id = v->node_id,
		.priority = f->priority != FACT_UNKNOWN ? f->priority : PRIORITY_DEFAULT,
		.offset = f->repl_offset,
		.listed_offset = f->repl_offset,
		.loss_bytes = FACT_UNKNOWN,
		.ping_age_ms = age_of(f->last_ok_ping_reply_ms),
		.info_age_ms = f->info_refresh_ms > 0 ? f->info_refresh_ms : FACT_UNKNOWN,
		.info_allowed_ms = master_down ? INFO_AGE_MAX_DOWN_MS : INFO_AGE_MAX_MS,
		.link_down_ms = age_of(f->master_link_down_time_ms),
		.link_down_allowed_ms = link_down_allowed(master, which),
	};
	text_format(r->run_id, sizeof(r->run_id), "%s", f->run_id);
	r->passed_over = pass_over(r, f, master_down, which);
	if (n == NULL)
		return;
	if (which == FORECAST_CRASH && is_lost(n, v))
		r->passed_over |= PASS_UNREACHABLE;
	r->says_master = is_second_master(m, g, n, f);
	lag_of(m, n, now_ms, &lag);
	r->loss_bytes = lag.bytes;
}

/* replica-announced no: SENTINEL REPLICAS leaves it out, sentinelSelectSlave does not. What the Sentinel
 * knows of it is what it says of itself. */
static void judge_hidden(const struct model *m, const struct node *n, int64_t now_ms,
			 struct forecast_replica *r)
{
	struct lag lag;
	lag_of(m, n, now_ms, &lag);
	*r = (struct forecast_replica){
		.node_id = n->id,
		.hidden = true,
		.priority = n->info.priority != FACT_UNKNOWN ? n->info.priority : PRIORITY_DEFAULT,
		.offset = n->info.slave_repl_offset,
		.listed_offset = FACT_UNKNOWN,
		.loss_bytes = lag.bytes,
		.info_age_ms = now_ms - n->info_at_ms,
		.info_allowed_ms = INFO_AGE_MAX_MS,
	};
	text_format(r->run_id, sizeof(r->run_id), "%s", n->run_id);
	if (r->priority == 0)
		r->passed_over |= PASS_PRIORITY_0;
	if (n->link.state != LINK_UP)
		r->passed_over |= PASS_UNREACHABLE;
}

static bool is_listed(const struct model *m, const struct sentinel_view *v, uint32_t node_id)
{
	for (size_t i = 0; i < v->replica_count; i++)
		if (model_node_resolve(m, v->replicas[i].node_id) == node_id)
			return true;
	return false;
}

static void add_hidden(const struct model *m, const struct group *g, const struct sentinel_view *v,
		       int64_t now_ms, struct forecast *out)
{
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		if (n == NULL || n->info_at_ms == 0 || n->info.replica_announced != 0 ||
		    n->info.role != ROLE_REPLICA || is_listed(m, v, n->id))
			continue;
		if (out->count < FORECAST_REPLICAS_MAX)
			judge_hidden(m, n, now_ms, &out->replicas[out->count++]);
		else
			out->more++;
	}
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

/* The replica keeps up, by its master's word: what it lacks is under way. */
static bool is_level(const struct model *m, const struct node *n, int64_t now_ms, int64_t *offset)
{
	struct lag lag;
	if (n == NULL)
		return false;
	lag_of(m, n, now_ms, &lag);
	*offset = n->info_at_ms != 0 && n->info.slave_repl_offset > lag.offset ? n->info.slave_repl_offset
									       : lag.offset;
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
 * are level with each other, unless they said more exactly where they stopped. */
static void level_offsets(const struct model *m, const struct group *g, int64_t now_ms,
			  struct forecast *out)
{
	bool level[FORECAST_REPLICAS_MAX];
	int64_t highest = 0;
	for (size_t i = 0; i < out->count; i++) {
		struct forecast_replica *r = &out->replicas[i];
		const struct node *n = model_node(m, r->node_id);
		int64_t offset;
		level[i] = false;
		if (settled_offset(m, g, n, now_ms, &offset))
			r->offset = offset;
		else if (is_level(m, n, now_ms, &offset))
			level[i] = true;
		else
			continue;
		if (offset > highest)
			highest = offset;
	}
	for (size_t i = 0; i < out->count; i++)
		if (level[i] && out->replicas[i].offset < highest)
			out->replicas[i].offset = highest;
}

/* Asked again before the choice: only INFO that is fresh is taken as it is. */
static bool is_refreshed(const struct forecast_replica *r, int64_t at_ms, int64_t now_ms)
{
	return r->info_age_ms == FACT_UNKNOWN ||
	       r->info_age_ms + (now_ms - at_ms) > INFO_HURRY_MS + INFO_HURRY_SLACK_MS;
}

static void say_choice(struct forecast *out)
{
	const struct forecast_replica *first = &out->replicas[0], *second = &out->replicas[1];
	char bytes[UNITS_BYTES];
	if (out->eligible == 1)
		text_format(out->text, sizeof(out->text), "the only one that can be promoted");
	else if (first->priority != second->priority)
		text_format(out->text, sizeof(out->text), "lowest priority: %lld", (long long)first->priority);
	else if (first->offset != second->offset && second->offset == FACT_UNKNOWN)
		text_format(out->text, sizeof(out->text), "has most of the data");
	else if (first->offset != second->offset)
		text_format(out->text, sizeof(out->text), "has most of the data: %s more than the next",
			    units_bytes(first->offset - second->offset, bytes));
	else
		text_format(out->text, sizeof(out->text),
			    "equal priority and data: the smallest run id decides");
}

static void add_name(const struct model *m, uint32_t node_id, const char *before, char *out, size_t size)
{
	const struct node *n = model_node(m, node_id);
	char addr[ENDPOINT_TEXT_BYTES];
	size_t len = strlen(out);
	text_format(out + len, size - len, "%s%.48s", before,
		    n != NULL ? endpoint_format(&n->addr, addr) : "?");
}

/* Names the rivals of the first, which the rules do not tell apart for certain. */
static void say_tie(struct forecast *out, const struct model *m, size_t rivals, const char *why)
{
	size_t named = rivals > 3 ? 2 : rivals; /* never "or 1 more" */
	out->tie = true;
	out->rivals = rivals;
	out->candidate_id = 0;
	out->text[0] = '\0';
	for (size_t i = 0; i < named; i++)
		add_name(m, out->replicas[i].node_id, i == 0 ? "" : " or ", out->text, sizeof(out->text));
	size_t len = strlen(out->text);
	if (rivals > named)
		text_format(out->text + len, sizeof(out->text) - len, " or %zu more: %s", rivals - named,
			    why);
	else
		text_format(out->text + len, sizeof(out->text) - len, ": %s", why);
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

/* Manual: of replicas that keep up each is taken at the offset of its last INFO, and what is written
 * between two INFOs decides. */
static bool moving_tie(const struct model *m, const struct group *g, struct forecast *out,
		       enum forecast_case which, int64_t now_ms, size_t rivals)
{
	const struct node *master = model_node(m, g->master_id);
	bool all_refreshed = true, same_listed = true;
	if (which != FORECAST_MANUAL || rivals < 2 || master == NULL || master->link.state != LINK_UP)
		return false;
	for (size_t i = 0; i < rivals; i++) {
		const struct forecast_replica *r = &out->replicas[i];
		all_refreshed = all_refreshed && is_refreshed(r, out->at_ms, now_ms);
		same_listed = same_listed && r->listed_offset == out->replicas[0].listed_offset;
	}
	double rate = master->repl_rate_bytes_s;
	bool quiet = rate >= 0 && rate <= QUIET_BYTES_S, still = rate == 0 && same_listed;
	if (still || (all_refreshed && quiet))
		return false;
	say_tie(out, m, rivals, "they keep up with the writes, and the last INFO decides");
	return true;
}

/* The rules ask nobody for his role: a second master is chosen as any other, and with it a history that
 * the others do not have. */
static void warn_second_master(struct forecast *out, size_t rivals)
{
	size_t len = strlen(out->text);
	for (size_t i = 0; i < rivals; i++)
		out->second_master |= out->replicas[i].says_master;
	if (out->second_master)
		text_format(out->text + len, sizeof(out->text) - len, "; %s", rivals > 1 ?
			    "one of them says that it is master itself" : FORECAST_SECOND_MASTER);
}

static void choose(const struct model *m, const struct group *g, enum forecast_case which,
		   int64_t now_ms, struct forecast *out)
{
	if (out->eligible == 0) {
		text_format(out->text, sizeof(out->text), "%s",
			    out->count > 0 ? "no replica can be promoted" : "no replica is known");
		return;
	}
	size_t rivals = count_rivals(out);
	if (rivals > 1 && out->by == 0) {
		say_tie(out, m, rivals, "equal data: chance decides");
		return;
	}
	if (moving_tie(m, g, out, which, now_ms, rivals)) {
		warn_second_master(out, rivals);
		return;
	}
	out->candidate_id = out->replicas[0].node_id;
	out->loss_bytes = out->replicas[0].loss_bytes;
	say_choice(out);
	warn_second_master(out, 1);
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
	/* Ahead of the candidate: what it has beyond belongs to no history that the candidate knows. While
	 * their links are up it is only that their words are of two moments. */
	bool settled = c->master_link_up == 0 && f->master_link_up == 0;
	if (c->backlog_active != 1 || strcmp(c->replid, f->replid) != 0 ||
	    (settled && f->slave_repl_offset > c->slave_repl_offset))
		return RESYNC_FULL;
	if (c->backlog_first_byte_offset == FACT_UNKNOWN)
		return RESYNC_UNKNOWN;
	return f->slave_repl_offset + 1 < c->backlog_first_byte_offset ? RESYNC_FULL : RESYNC_PARTIAL;
}

static void cost(const struct model *m, const struct group *g, struct forecast *out)
{
	const struct node *candidate = model_node(m, out->candidate_id);
	const struct node *master = model_node(m, g->master_id);
	double rate = master != NULL ? master->repl_rate_bytes_s : 0;
	for (size_t i = 0; candidate != NULL && i < out->count; i++) {
		struct forecast_replica *r = &out->replicas[i];
		const struct node *n = model_node(m, r->node_id);
		if (n != NULL && n != candidate)
			r->resync = forecast_resync(candidate, n);
		/* Nor while both are taken at one moment, and one is known to lag. */
		if (r->resync == RESYNC_PARTIAL && r->offset > out->replicas[0].offset &&
		    n->info.slave_repl_offset > candidate->info.slave_repl_offset)
			r->resync = RESYNC_FULL;
	}
	if (out->loss_bytes == 0)
		out->loss_ms = 0;
	else if (out->loss_bytes != FACT_UNKNOWN && rate > 0 &&
		 (double)out->loss_bytes / rate < LOSS_MAX_S)
		out->loss_ms = (int64_t)((double)out->loss_bytes * 1000.0 / rate);
}

static void settle(const struct model *m, const struct group *g, enum forecast_case which,
		   int64_t now_ms, struct forecast *out)
{
	level_offsets(m, g, now_ms, out);
	sort_replicas(out);
	/* The one that the servers choose may be among those that there was no room for. */
	if (out->more > 0) {
		out->known = false;
		text_format(out->text, sizeof(out->text), "%zu replicas, of which only %zu are judged: nobody is named",
			    out->count + out->more, out->count);
		return;
	}
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
		text_format(out->text, sizeof(out->text), "this Sentinel has not listed its replicas yet");
		return;
	}
	out->known = true;
	for (size_t i = 0; i < v->replica_count; i++) {
		if (out->count == FORECAST_REPLICAS_MAX) {
			out->more++;
			continue;
		}
		judge_listed(m, g, &v->replicas[i], &v->facts, which, now_ms,
			     &out->replicas[out->count++]);
	}
	add_hidden(m, g, v, now_ms, out);
	settle(m, g, which, now_ms, out);
}

/* --- cluster and plain sets ---------------------------------------------------------------------- */

static void judge_member(const struct model *m, const struct node *n, bool is_cluster, int64_t now_ms,
			 struct forecast_replica *r)
{
	struct lag lag;
	lag_of(m, n, now_ms, &lag);
	*r = (struct forecast_replica){ .node_id = n->id,
					.priority = FACT_UNKNOWN,
					.offset = lag.offset,
					.listed_offset = FACT_UNKNOWN,
					.loss_bytes = lag.bytes,
					.info_age_ms = n->info_at_ms != 0 ? now_ms - n->info_at_ms : FACT_UNKNOWN };
	text_format(r->run_id, sizeof(r->run_id), "%s", n->run_id);
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
	if (!is_cluster && out->known && out->eligible > 0 && which == FORECAST_CRASH) {
		out->candidate_id = 0;
		text_format(out->text, sizeof(out->text), "nobody promotes a replica by itself: no Sentinel watches");
	}
}

static bool chooses_otherwise(const struct forecast *a, const struct forecast *b)
{
	if ((a->eligible == 0) != (b->eligible == 0))
		return true;
	return !a->tie && !b->tie && a->candidate_id != b->candidate_id;
}

static void say_difference(const struct model *m, const struct forecast *a, const struct forecast *b,
			   struct forecast *out)
{
	/* Cut after the first words it still says what is the matter. */
	char text[sizeof(out->text)] = "Sentinels differ on whom to promote:";
	const struct forecast *const both[] = { a, b };
	for (size_t i = 0; i < 2; i++) {
		add_name(m, both[i]->by, i == 0 ? " " : ", ", text, sizeof(text));
		size_t len = strlen(text);
		if (both[i]->candidate_id != 0)
			add_name(m, both[i]->candidate_id, " takes ", text, sizeof(text));
		else
			text_format(text + len, sizeof(text) - len, " takes %s",
				    both[i]->eligible > 0 ? "one of several" : "nobody");
	}
	out->candidate_id = 0;
	out->tie = false;
	out->rivals = 0;
	out->loss_bytes = out->loss_ms = FACT_UNKNOWN;
	text_format(out->text, sizeof(out->text), "%s", text);
}

/* Of all that answer: the first one's, unless another one cannot tell, or can choose where the first
 * cannot, or chooses another. */
static void forecast_sentinels(const struct model *m, const struct group *g, enum forecast_case which,
			       int64_t now_ms, struct forecast *out, bool *differ)
{
	struct forecast one;
	text_format(out->text, sizeof(out->text), "no Sentinel answers");
	for (size_t i = 0; i < g->view_count; i++) {
		const struct node *n = model_node(m, g->views[i].sentinel_id);
		if (n == NULL || n->link.state != LINK_UP)
			continue;
		forecast_by_sentinel(m, g, &g->views[i], which, now_ms, &one);
		if (!one.known && out->known)
			continue;
		if (!one.known || !out->known) {
			*out = one;
			continue;
		}
		bool second_master = out->second_master || one.second_master;
		if (!*differ && chooses_otherwise(out, &one)) {
			const struct forecast first = *out;
			*differ = true;
			if (out->eligible == 0)
				*out = one;
			say_difference(m, &first, &one, out);
		} else if (!*differ && one.tie) {
			*out = one;
		}
		out->second_master = second_master;
	}
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
