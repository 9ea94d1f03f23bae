#include "model/readiness.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "model/agreement.h"
#include "model/health.h"
#include "model/model_private.h"

/* A CKQUORUM older than this is no word of now. Each Sentinel's comes every five rounds times their
 * number, and what leaves does so after three rounds or more. */
#define CKQUORUM_FRESH_MS 60000
#define CKQUORUM_LEAVES   2

const char *ready_name(enum ready r)
{
	static const char *const names[] = { "yes", "unknown", "doubtful", "no" };
	return names[r];
}

const char *ready_words(const struct readiness *r)
{
	static const char *const words[] = { "failover ok", "failover not known", "failover doubtful", "NO failover" };
	if (r->running)
		return "failover running";
	bool may = true;
	for (size_t i = 0; i < r->reason_count; i++)
		may = may && !r->reasons[i].own;
	bool works = r->verdict == READY_YES || (r->verdict == READY_DOUBTFUL && may);
	return r->by_hand && works ? "failover by hand only" : words[r->verdict];
}

static void against(struct readiness *r, enum ready verdict, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void against(struct readiness *r, enum ready verdict, const char *fmt, ...)
{
	va_list ap;
	if (verdict > r->verdict)
		r->verdict = verdict;
	if (r->reason_count == READINESS_REASONS_MAX)
		return;
	struct readiness_reason *reason = &r->reasons[r->reason_count++];
	reason->verdict = verdict;
	reason->own = false;
	va_start(ap, fmt);
	text_vformat(reason->text, sizeof(reason->text), fmt, ap);
	va_end(ap);
}

/* --- Sentinels ------------------------------------------------------------------------------------ */

struct votes {
	size_t known;       /* voters: every Sentinel ever known, ghosts as well */
	size_t usable;      /* answer redoubt and are not in TILT */
	size_t tilted;
	int64_t quorum;     /* the highest that one has; FACT_UNKNOWN */
	size_t needed;      /* of the votes: sentinel.c:sentinelGetLeader */
	size_t ckquorum_ok, ckquorum_bad;
	const struct sentinel_view *bad; /* one that says no */
};

static void count_votes(const struct model *m, const struct group *g, int64_t now_ms, struct votes *out)
{
	int64_t fresh_ms = CKQUORUM_LEAVES * (int64_t)g->view_count * m->leave_after_ms;
	if (fresh_ms < CKQUORUM_FRESH_MS)
		fresh_ms = CKQUORUM_FRESH_MS;
	*out = (struct votes){ .known = group_sentinels_known(m, g), .quorum = FACT_UNKNOWN };
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		const struct node *n = model_node(m, v->sentinel_id);
		int64_t voters = fact_add(v->facts.num_other_sentinels, 1);
		if (n == NULL || n->link.state != LINK_UP || v->at_ms == 0)
			continue;
		if (voters != FACT_UNKNOWN && (uint64_t)voters > out->known)
			out->known = (size_t)voters;
		if (v->facts.quorum > out->quorum)
			out->quorum = v->facts.quorum;
		out->tilted += n->info.sentinel_tilt == 1;
		out->usable += n->info.sentinel_tilt != 1;
		if (v->ckquorum_at_ms == 0 || now_ms - v->ckquorum_at_ms > fresh_ms)
			continue;
		out->ckquorum_ok += v->ckquorum.ok;
		out->ckquorum_bad += !v->ckquorum.ok;
		if (!v->ckquorum.ok)
			out->bad = v;
	}
	out->needed = out->known / 2 + 1;
	if (out->quorum > 0 && (uint64_t)out->quorum > out->needed)
		out->needed = (size_t)out->quorum;
}

static void judge_votes(const struct model *m, const struct votes *v, struct readiness *r)
{
	char addr[ENDPOINT_TEXT_BYTES], others[32] = "", words[CKQUORUM_WORDS_BYTES];
	if (v->usable + v->tilted == 0) {
		against(r, READY_NO, "no Sentinel answers");
		return;
	}
	/* sentinel.c:sentinelFailoverWaitStart: SENTINEL FAILOVER asks for no votes. */
	bool vetoed = v->ckquorum_bad > 0 && v->ckquorum_ok == 0;
	r->by_hand = v->usable > 0 && ((v->usable < v->needed && v->ckquorum_ok == 0) || vetoed);
	if (v->usable < v->needed)
		against(r, v->usable > 0 ? READY_DOUBTFUL : READY_NO,
			"%zu of %zu Sentinels answer and can act, %zu must vote for a leader (quorum %lld)",
			v->usable, v->known, v->needed,
			(long long)(v->quorum == FACT_UNKNOWN ? 0 : v->quorum));
	if (v->tilted > 0)
		against(r, v->usable == 0 ? READY_NO : READY_DOUBTFUL,
			"%zu Sentinel%s in TILT: distrusts its clock and does not act", v->tilted,
			v->tilted == 1 ? "" : "s");
	if (v->bad == NULL)
		return;
	const struct node *n = model_node(m, v->bad->sentinel_id);
	if (v->ckquorum_bad > 1)
		text_format(others, sizeof(others), " and %zu more", v->ckquorum_bad - 1);
	against(r, v->usable == 0 ? READY_NO : READY_DOUBTFUL, "CKQUORUM of %.50s%s: %s",
		n != NULL ? endpoint_format(&n->addr, addr) : "?", others,
		ckquorum_words(&v->bad->ckquorum, words));
}

/* Who switched begins anew (sentinel.c:sentinelResetMaster, "We can failover again ASAP"). */
static bool last_one_switched(const struct model *m, const struct group *g)
{
	const struct failover *f = &g->failover;
	uint32_t selected = model_node_resolve(m, f->selected_id);
	return f->phase == PHASE_ENDED && selected != 0 && selected == model_node_resolve(m, g->master_id);
}

/* sentinel.c:sentinelStartFailoverIfNeeded: twice failover-timeout between two tries, those that it
 * voted for included. SENTINEL FAILOVER does not wait. */
static void judge_last(const struct model *m, const struct group *g, int64_t now_ms, struct readiness *r)
{
	const struct sentinel_view *best = group_best_view(g);
	const struct failover *f = &g->failover;
	char text[120], left[UNITS_BYTES], ago[UNITS_BYTES];
	if (group_failover_running(m, g, now_ms)) {
		group_failover_text(g, now_ms, text, sizeof(text));
		r->running = true;
		against(r, READY_NO, "failover running%s%s", text[0] != '\0' ? ": " : "", text);
		return;
	}
	if (best == NULL || best->facts.failover_timeout_ms == FACT_UNKNOWN || f->started_ms == 0)
		return;
	int64_t wait_ms = f->started_ms + 2 * best->facts.failover_timeout_ms - now_ms;
	if (wait_ms <= 0)
		return;
	if (last_one_switched(m, g)) {
		against(r, READY_YES, "the last failover ended %s ago",
			units_age(now_ms - f->ended_ms, ago));
		return;
	}
	r->possible_in_ms = wait_ms;
	against(r, READY_DOUBTFUL,
		"the last one began %s ago and failed: the Sentinels start none by themselves for %s more",
		units_age(now_ms - f->started_ms, ago), units_age(wait_ms, left));
}

static void judge_agreement(const struct model *m, const struct group *g, int64_t now_ms,
			    struct readiness *r)
{
	struct agreement a;
	agreement_of(m, g, now_ms, &a);
	if (a.known && !a.agree && !a.passing)
		against(r, READY_DOUBTFUL, "%s", a.text);
}

/* A failover by hand was refused here before, for want of a permission. */
static void judge_own_refusal(const struct model *m, uint32_t node_id, const char *permission,
			      int64_t now_ms, struct readiness *r)
{
	const struct node *n = model_node(m, node_id);
	const struct refusal *refusal = n != NULL ? node_action_refusal(n, permission) : NULL;
	char addr[ENDPOINT_TEXT_BYTES], ago[UNITS_BYTES];
	if (refusal == NULL)
		return;
	against(r, READY_DOUBTFUL, "by hand: the user lacks %s at %.60s, said %s ago", permission,
		endpoint_format(&n->addr, addr), units_age(now_ms - refusal->at_ms, ago));
}

static void judge_own_refusals(const struct model *m, const struct group *g, enum deployment_kind kind,
			       int64_t now_ms, struct readiness *r)
{
	const char *permission = kind == KIND_SENTINEL ? "+sentinel|failover" :
				 kind == KIND_CLUSTER  ? "+cluster|failover" :
							 "+failover";
	size_t before = r->reason_count;
	for (size_t i = 0; i < g->view_count; i++)
		judge_own_refusal(m, g->views[i].sentinel_id, permission, now_ms, r);
	for (size_t i = 0; kind != KIND_SENTINEL && i < g->member_count; i++)
		judge_own_refusal(m, g->member_ids[i], permission, now_ms, r);
	for (size_t i = before; i < r->reason_count; i++)
		r->reasons[i].own = true;
}

/* Of a Sentinel everything counts, of a member what says who it is and how far it has come. */
static bool matters(const struct refusal *r, bool sentinel)
{
	if (r->error != ERROR_NOPERM || r->question == ASK_ACTION)
		return false;
	return sentinel || r->question == ASK_INFO || r->question == ASK_CLUSTER_INFO ||
	       r->question == ASK_CLUSTER_NODES;
}

struct lacking {
	const struct node *first;
	size_t count, of;
};

static void look_at(const struct model *m, uint32_t node_id, bool sentinel, struct lacking *out)
{
	const struct node *n = model_node(m, node_id);
	if (n == NULL)
		return;
	out->of++;
	for (size_t i = 0; i < n->refusal_count; i++) {
		if (!matters(&n->refusals[i], sentinel))
			continue;
		out->count++;
		if (out->first == NULL)
			out->first = n;
		return;
	}
}

static void judge_lacking(const struct lacking *l, const char *what, struct readiness *r)
{
	char addr[ENDPOINT_TEXT_BYTES], count[48] = "";
	if (l->first == NULL)
		return;
	if (l->count > 1)
		text_format(count, sizeof(count), " and %zu more of %zu", l->count - 1, l->of);
	against(r, READY_DOUBTFUL, "%s%.50s%s: %.90s", what, endpoint_format(&l->first->addr, addr), count,
		l->first->refused_text);
}

/* What the operator's own user may not ask. */
static void judge_permissions(const struct model *m, const struct group *g, struct readiness *r)
{
	struct lacking sentinels = { .count = 0 }, members = { .count = 0 };
	for (size_t i = 0; i < g->view_count; i++)
		look_at(m, g->views[i].sentinel_id, true, &sentinels);
	for (size_t i = 0; i < g->member_count; i++)
		look_at(m, g->member_ids[i], false, &members);
	judge_lacking(&sentinels, "Sentinel ", r);
	judge_lacking(&members, "node ", r);
}

/* --- whom ------------------------------------------------------------------------------------------ */

static void judge_forecast(const struct model *m, const struct group *g, enum deployment_kind kind,
			   int64_t now_ms, struct readiness *r, struct forecast *f)
{
	bool differ;
	/* A plain set is failed over by hand or not at all. */
	forecast_group(m, g, kind == KIND_REPLICATION ? FORECAST_MANUAL : FORECAST_CRASH, now_ms, f, &differ);
	if (!f->known) {
		against(r, READY_UNKNOWN, "%.150s", f->text);
		return;
	}
	if (differ)
		against(r, READY_DOUBTFUL, "%.170s", f->text);
	if (f->eligible > 0)
		return;
	if (f->count == 0) {
		against(r, READY_NO, "no replica is known that could be promoted");
		return;
	}
	for (size_t i = 0; i < f->count && i < 4; i++) {
		const struct node *n = model_node(m, f->replicas[i].node_id);
		char addr[ENDPOINT_TEXT_BYTES], why[FORECAST_REASONS_BYTES];
		against(r, READY_NO, "%.50s cannot be promoted: %.100s",
			n != NULL ? endpoint_format(&n->addr, addr) : "?",
			forecast_reasons(&f->replicas[i], why));
	}
}

/* A failover by hand acts on the last INFO as it is; after a crash all replicas are asked again. "" where
 * both take the same one, or it is not known. */
static void by_hand_text(const struct model *m, const struct group *g, int64_t now_ms, uint32_t after_crash,
			 char *out, size_t size)
{
	struct forecast f;
	char addr[ENDPOINT_TEXT_BYTES];
	out[0] = '\0';
	forecast_group(m, g, FORECAST_MANUAL, now_ms, &f, NULL);
	const struct node *n = model_node(m, f.candidate_id);
	if (!f.known || after_crash == 0 || f.candidate_id == after_crash)
		return;
	if (n != NULL)
		text_format(out, size, "%.60s by hand", endpoint_format(&n->addr, addr));
	else if (f.tie)
		text_format(out, size, "one of %zu by hand", f.rivals);
	else
		text_format(out, size, "by hand not certain");
}

static void candidate_text(const struct model *m, const struct forecast *f, const char *by_hand, char *out,
			   size_t size)
{
	const struct node *n = model_node(m, f->candidate_id);
	char addr[ENDPOINT_TEXT_BYTES];
	if (n != NULL && by_hand[0] != '\0')
		text_format(out, size, "%.60s next after a crash, %s", endpoint_format(&n->addr, addr), by_hand);
	else if (n != NULL)
		text_format(out, size, "%.60s next", endpoint_format(&n->addr, addr));
	else
		text_format(out, size, "%zu replica%s to choose from", f->eligible, f->eligible == 1 ? "" : "s");
}

/* --- cluster --------------------------------------------------------------------------------------- */

static bool has_slots(const struct node *n)
{
	return n != NULL && n->member != NULL && n->member->slot_count > 0;
}

/* cluster_legacy.c:clusterHandleSlaveFailover: a majority of the masters with slots must vote, the lost
 * one counted but unable to. */
static void judge_cluster(const struct model *m, const struct deployment *d, const struct group *g,
			  struct readiness *r, size_t *voting, size_t *up)
{
	*voting = *up = 0;
	for (size_t i = 0; i < d->group_count; i++) {
		const struct node *n = model_node(m, d->groups[i]->master_id);
		if (!has_slots(n))
			continue;
		(*voting)++;
		*up += n->link.state == LINK_UP && !n->said_down && d->groups[i] != g;
	}
	const struct node *own = model_node(m, g->master_id);
	size_t needed = *voting / 2 + 1;
	r->by_hand = false;
	bool is_up = own != NULL && own->link.state == LINK_UP && !own->said_down;
	if (!has_slots(own))
		against(r, READY_NO, "its master has no slots: the cluster elects nobody in its place");
	else if (*up < needed && is_up && *up + 1 >= needed) {
		r->by_hand = true;
		against(r, READY_DOUBTFUL, "without this master %zu of %zu can vote, %zu must", *up,
			*voting, needed);
	}
	else if (*up < needed)
		against(r, READY_NO, "%zu of the other masters with slots can vote, %zu must", *up, needed);
}

/* --- plain set ------------------------------------------------------------------------------------- */

static void judge_plain(const struct model *m, const struct group *g, struct readiness *r)
{
	const struct node *n = model_node(m, g->master_id);
	if (n != NULL && n->info_at_ms != 0 && n->info.version[0] != '\0' && !node_version_from(n, 6, 2))
		against(r, READY_NO, "FAILOVER needs Redis 6.2 or later, the master runs %s", n->info.version);
}

/* --- the verdict ----------------------------------------------------------------------------------- */

/* The first of the worst. */
static const char *worst_reason(const struct readiness *r)
{
	for (size_t i = 0; i < r->reason_count; i++)
		if (r->reasons[i].verdict == r->verdict)
			return r->reasons[i].text;
	return "";
}

static void sum_up(const struct model *m, const struct readiness *r, const struct forecast *f,
		   const char *by_hand, const char *who, char *out, size_t size)
{
	char candidate[180];
	candidate_text(m, f, by_hand, candidate, sizeof(candidate));
	if (r->running) /* the first reason, and worded as the verdict */
		text_format(out, size, "%s", r->reasons[0].text);
	else
		text_format(out, size, "%s: %s%s%s", ready_words(r),
			    r->verdict == READY_YES ? who : worst_reason(r),
			    r->verdict == READY_YES && who[0] != '\0' ? ", " : "",
			    r->verdict == READY_YES ? candidate : "");
}

void readiness_of(const struct model *m, const struct group *g, int64_t now_ms, struct readiness *out)
{
	const struct deployment *d = model_deployment(m, g->deployment_id);
	struct forecast f;
	char who[80] = "", by_hand[100] = "";
	*out = (struct readiness){ .verdict = READY_YES, .possible_in_ms = FACT_UNKNOWN };
	if (d == NULL)
		return;
	judge_last(m, g, now_ms, out);
	judge_forecast(m, g, d->kind, now_ms, out, &f);
	if (d->kind == KIND_SENTINEL)
		by_hand_text(m, g, now_ms, f.candidate_id, by_hand, sizeof(by_hand));
	out->differs_by_hand = by_hand[0] != '\0';
	if (d->kind == KIND_SENTINEL) {
		struct votes votes;
		count_votes(m, g, now_ms, &votes);
		judge_votes(m, &votes, out);
		if (group_namesake(m, g) != NULL)
			against(out, READY_DOUBTFUL, "its master is watched as %.100s as well, and its replicas are "
				"shown there", group_namesake(m, g)->name);
		judge_agreement(m, g, now_ms, out);
		text_format(who, sizeof(who), "%zu of %zu Sentinels, %zu needed", votes.usable, votes.known,
			 votes.needed);
	} else if (d->kind == KIND_CLUSTER) {
		size_t voting, up;
		judge_cluster(m, d, g, out, &voting, &up);
		text_format(who, sizeof(who), "%zu of %zu others can vote", up,
			    voting > 0 ? voting - 1 : 0);
	} else {
		judge_plain(m, g, out);
		out->by_hand = true;
	}
	judge_permissions(m, g, out);
	judge_own_refusals(m, g, d->kind, now_ms, out);
	sum_up(m, out, &f, by_hand, who, out->text, sizeof(out->text));
}
