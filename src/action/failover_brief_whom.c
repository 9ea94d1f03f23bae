/* The sheet's forecast: who is expected to be promoted and why, who is passed over and why, what would
 * be lost, and who could go on from there without a full synchronisation. */
#include <stdio.h>
#include <string.h>

#include "action/failover_private.h"
#include "base/units.h"
#include "model/lag.h"
#include "model/slots.h"

#define REPLICAS_LISTED 12

static const char *addr_of(const struct model *m, uint32_t id, char out[ENDPOINT_TEXT_BYTES])
{
	const struct node *n = model_node(m, id);
	return n != NULL ? endpoint_format(&n->addr, out) : "?";
}

/* --- under Sentinels ------------------------------------------------------------------------------ */

static enum health promotion_health(const struct forecast *f)
{
	if (f->second_master)
		return HEALTH_CRITICAL;
	return f->candidate_id != 0 ? HEALTH_OK : HEALTH_WARNING;
}

static void say_promoted(struct action *a, const struct model *m, const struct forecast *f,
			 int64_t now_ms)
{
	char addr[ENDPOINT_TEXT_BYTES], by[ENDPOINT_TEXT_BYTES], ago[UNITS_BYTES];
	if (!f->known)
		sheet_line_add(&a->sheet, HEALTH_UNKNOWN, "promoted", "not known: %s", f->text);
	else if (f->eligible == 0)
		sheet_line_add(&a->sheet, HEALTH_CRITICAL, "promoted",
			       "nobody: no replica can be promoted, the answer will be NOGOODSLAVE");
	else
		sheet_line_add(&a->sheet, promotion_health(f), "promoted",
			       "%.60s%s%.180s (by the data of %.60s, %s old)",
			       f->candidate_id != 0 ? addr_of(m, f->candidate_id, addr) : "",
			       f->candidate_id != 0 ? ": " : "", f->text, addr_of(m, f->by, by),
			       units_age(now_ms - f->at_ms, ago));
}

/* Each Sentinel judges by its own data: a failover that another one leads may choose another replica. */
static void say_others(struct action *a, const struct model *m, const struct group *g,
		       const struct forecast *acting, int64_t now_ms)
{
	struct forecast f;
	size_t same = 0, asked = 0;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct node *n = model_node(m, g->views[i].sentinel_id);
		char addr[ENDPOINT_TEXT_BYTES], whom[ENDPOINT_TEXT_BYTES];
		if (n == NULL || n->link.state != LINK_UP || n->id == acting->by)
			continue;
		forecast_by_sentinel(m, g, &g->views[i], FORECAST_MANUAL, now_ms, &f);
		if (!f.known)
			continue;
		asked++;
		if (f.candidate_id == acting->candidate_id && (f.eligible == 0) == (acting->eligible == 0)) {
			same++;
			continue;
		}
		sheet_line_add(&a->sheet, f.second_master ? HEALTH_CRITICAL : HEALTH_WARNING,
			       "would differ", "%.60s would promote %.60s: %.150s",
			       endpoint_format(&n->addr, addr),
			       f.candidate_id != 0 ? addr_of(m, f.candidate_id, whom) : "none for certain",
			       f.text);
	}
	if (same > 0)
		sheet_line_add(&a->sheet, HEALTH_OK, "others", "%zu of %zu other Sentinels %s", same, asked,
			       acting->candidate_id != 0 ? "would choose the same replica" :
			       acting->eligible == 0	 ? "would choose nobody either" :
							   "cannot tell for certain either");
}

/* --- cluster and plain sets ----------------------------------------------------------------------- */

static void say_chosen(struct action *a, const struct model *m, const struct group *g,
		       enum deployment_kind kind)
{
	const struct deployment *d = model_deployment(m, g->deployment_id);
	const struct node *chosen = model_node(m, a->candidate_id);
	bool picked = chosen != NULL && model_node_resolve(m, a->on.node_id) == chosen->id;
	const char *why = picked ? "selected by you" : "it has most of the data";
	char addr[ENDPOINT_TEXT_BYTES];
	if (chosen == NULL && kind == KIND_CLUSTER)
		return; /* blocked for that */
	if (chosen == NULL)
		sheet_line_add(&a->sheet, HEALTH_OK, "promoted",
			       "the first replica that has all that the master has");
	else if (kind == KIND_CLUSTER)
		sheet_line_add(&a->sheet, HEALTH_OK, "promoted", "%.70s, takes over %zu slots: %s",
			       endpoint_format(&chosen->addr, addr), slot_count_of(d, g->master_id), why);
	else
		sheet_line_add(&a->sheet, HEALTH_OK, "promoted", "%.70s: %s",
			       endpoint_format(&chosen->addr, addr), why);
}

/* --- what all kinds share -------------------------------------------------------------------------- */

static bool is_safe(const struct action *a, enum deployment_kind kind)
{
	return kind == KIND_SENTINEL ? a->form == FORM_COORDINATED : a->form != FORM_FORCE;
}

static const struct forecast_replica *replica_in(const struct forecast *f, uint32_t id)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->replicas[i].node_id == id)
			return &f->replicas[i];
	return NULL;
}

/* Of those that the rules do not tell apart for certain, when they name nobody. */
static bool may_be_chosen(const struct forecast *f, const struct forecast_replica *r)
{
	return r->passed_over == 0 &&
	       (!f->tie || (r->priority == f->replicas[0].priority && r->offset == f->replicas[0].offset));
}

/* Of the candidate; where the rules do not tell which, the worst of those that it may be. */
static int64_t loss_of(const struct forecast *f, uint32_t candidate_id)
{
	const struct forecast_replica *chosen = replica_in(f, candidate_id);
	int64_t worst = FACT_UNKNOWN;
	if (chosen != NULL)
		return chosen->loss_bytes;
	for (size_t i = 0; i < f->count; i++)
		if (may_be_chosen(f, &f->replicas[i]) && f->replicas[i].loss_bytes > worst)
			worst = f->replicas[i].loss_bytes;
	return worst;
}

/* Acknowledgements come once a second: the lag is a sawtooth, and this its upper edge. */
static void say_risk(struct action *a, const struct model *m, const struct group *g,
		     const struct forecast *f, uint32_t candidate_id)
{
	const struct node *master = model_node(m, g->master_id);
	int64_t bytes = loss_of(f, candidate_id), ms = 1000;
	char text[UNITS_BYTES], seconds[UNITS_BYTES];
	if (bytes == FACT_UNKNOWN) {
		sheet_line_add(&a->sheet, HEALTH_WARNING, "at risk",
			       "not known: the master's word on its replicas is missing");
		return;
	}
	if (master != NULL && master->repl_rate_bytes_s > 0)
		ms = (int64_t)((double)bytes * 1000.0 / master->repl_rate_bytes_s);
	sheet_line_add(&a->sheet, bytes > 0 ? HEALTH_WARNING : HEALTH_OK, "at risk",
		       "up to %s, up to %s of writes: what it has not acknowledged (once a second)",
		       units_bytes(bytes, text), units_duration(ms < 1000 ? 1000 : ms, seconds));
}

/* Without its answer there is no consent: the cluster fails over by itself meanwhile, or nothing happens. */
static void say_no_consent(struct action *a)
{
	char bytes[UNITS_BYTES];
	if (a->risk_bytes != FACT_UNKNOWN)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "at risk",
			       "the master does not answer: without its consent nothing is paused, and what was not "
			       "replicated is lost, up to %s by its last word", units_bytes(a->risk_bytes, bytes));
	else
		sheet_line_add(&a->sheet, HEALTH_WARNING, "at risk",
			       "the master does not answer: without its consent nothing is paused, and what was not "
			       "replicated is lost; how much is not known");
}

static void say_safe(struct action *a, enum deployment_kind kind)
{
	const char *how = kind == KIND_SENTINEL ? "failover-timeout at most, and the other Sentinels may call "
						  "the paused master down meanwhile" :
			  kind == KIND_CLUSTER  ? "5 s at most" :
						  "10 s at most";
	sheet_line_add(&a->sheet, HEALTH_OK, "at risk",
		       "nothing: the master pauses writes until the replica has all (%s)", how);
}

/* The part of a line that says how the replica would go on. */
static const char *resync_words(const struct node *candidate, const struct node *n)
{
	enum resync how =
	    candidate != NULL && candidate != n ? forecast_resync(candidate, n) : RESYNC_UNKNOWN;
	if (how == RESYNC_PARTIAL)
		return ", partial resync";
	return how == RESYNC_FULL ? ", full resync" : "";
}

static void say_replica(struct action *a, const struct model *m, const struct forecast_replica *r,
			const struct node *candidate, int64_t now_ms)
{
	const struct node *n = model_node(m, r->node_id);
	char addr[ENDPOINT_TEXT_BYTES], bytes[UNITS_BYTES], why[FORECAST_REASONS_BYTES], priority[32] = "";
	struct verdict verdict = { .health = HEALTH_OK };
	if (n == NULL)
		return;
	health_node(m, n, now_ms, &verdict);
	if (r->priority > 0)
		snprintf(priority, sizeof(priority), ", priority %lld", (long long)r->priority);
	if (r->passed_over != 0) {
		bool wanted = r->passed_over == PASS_PRIORITY_0 || r->passed_over == PASS_NOFAILOVER;
		sheet_line_add(&a->sheet, wanted ? HEALTH_OK : HEALTH_WARNING, "passed over",
			       "%.60s: %.150s%s", endpoint_format(&n->addr, addr), forecast_reasons(r, why),
			       resync_words(candidate, n));
		return;
	}
	sheet_line_add(&a->sheet, verdict.health, "replica", "%.60s  %s behind%s%s%s%.90s",
		       endpoint_format(&n->addr, addr), units_bytes(r->loss_bytes, bytes), priority,
		       resync_words(candidate, n), verdict.text[0] != '\0' ? ", " : "", verdict.text);
}

static void say_replicas(struct action *a, const struct model *m, const struct forecast *f,
			 const struct node *candidate, int64_t now_ms)
{
	size_t listed = 0;
	for (size_t i = 0; i < f->count && listed < REPLICAS_LISTED; i++, listed++)
		say_replica(a, m, &f->replicas[i], candidate, now_ms);
	if (f->count + f->more > listed)
		sheet_line_add(&a->sheet, HEALTH_OK, "", "and %zu replicas more", f->count + f->more - listed);
}

/* replication.c:masterTryPartialResync: the others go on from the new master's backlog, or start anew. */
static void say_resync(struct action *a, const struct model *m, const struct forecast *f,
		       const struct node *candidate)
{
	size_t partial = 0, full = 0, others = 0;
	char addr[ENDPOINT_TEXT_BYTES];
	for (size_t i = 0; candidate != NULL && i < f->count; i++) {
		const struct node *n = model_node(m, f->replicas[i].node_id);
		if (n == NULL || n == candidate)
			continue;
		enum resync how = forecast_resync(candidate, n);
		others++;
		partial += how == RESYNC_PARTIAL;
		full += how == RESYNC_FULL;
	}
	if (others == 0)
		return;
	sheet_line_add(&a->sheet, full > 0 ? HEALTH_WARNING : HEALTH_OK, "resync",
		       "%zu of %zu others can go on with a partial one from %.60s, %zu need a full one", partial,
		       others, endpoint_format(&candidate->addr, addr), full);
}

void failover_brief_whom(struct action *a, const struct model *m, const struct group *g,
			 enum deployment_kind kind, int64_t now_ms)
{
	const struct sentinel_view *acting =
	    a->target_count > 0 ? group_view_of(m, g, a->target_ids[0]) : NULL;
	struct forecast f;
	if (kind == KIND_SENTINEL && acting != NULL)
		forecast_by_sentinel(m, g, acting, FORECAST_MANUAL, now_ms, &f);
	else
		forecast_group(m, g, FORECAST_MANUAL, now_ms, &f, NULL);
	const struct node *candidate =
	    model_node(m, kind == KIND_SENTINEL ? f.candidate_id : a->candidate_id);
	if (kind == KIND_SENTINEL) {
		say_promoted(a, m, &f, now_ms);
		say_others(a, m, g, &f, now_ms);
	} else {
		say_chosen(a, m, g, kind);
	}
	const struct node *master = model_node(m, g->master_id);
	bool answers = master != NULL && node_answers(master);
	a->risk_bytes = loss_of(&f, candidate != NULL ? candidate->id : 0);
	if (is_safe(a, kind) && !answers)
		say_no_consent(a);
	else if (is_safe(a, kind))
		say_safe(a, kind);
	else
		say_risk(a, m, g, &f, candidate != NULL ? candidate->id : 0);
	if (kind == KIND_SENTINEL && a->form == FORM_USUAL && !answers)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "after it",
			       "the old master does not answer now: if it comes back, it takes writes, which will be "
			       "lost, until the Sentinels demote it");
	else if (kind == KIND_SENTINEL && a->form == FORM_USUAL)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "after it",
			       "the old master takes writes, which will be lost, until it is demoted 8 to 20 s later");
	if (kind == KIND_CLUSTER && a->form == FORM_FORCE)
		sheet_line_add(&a->sheet, HEALTH_CRITICAL, "FORCE",
			       "the master does not take part: what it has not replicated is lost, and what it "
			       "still takes until it hears of it");
	say_replicas(a, m, &f, candidate, now_ms);
	say_resync(a, m, &f, candidate);
}
