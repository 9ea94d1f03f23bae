/* The same for people: --once and --events as text. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "app/output.h"
#include "base/clock.h"
#include "base/units.h"
#include "model/agreement.h"
#include "model/agreement_cluster.h"
#include "model/lag.h"
#include "model/readiness.h"
#include "model/slots.h"

static void add_verdict(struct buf *out, const struct verdict *v)
{
	if (v->text[0] != '\0')
		buf_addf(out, "  %s: %s", health_name(v->health), v->text);
	buf_addch(out, '\n');
}

/* What nobody has said is "?", never a number. */
static const char *known(int64_t value, char out[static UNITS_BYTES])
{
	if (value == FACT_UNKNOWN)
		return "?";
	snprintf(out, UNITS_BYTES, "%lld", (long long)value);
	return out;
}

static void add_node(const struct model *m, const struct group *g, const struct node *n, int depth,
		     int64_t now_ms, struct buf *out)
{
	char addr[ENDPOINT_TEXT_BYTES], bytes[UNITS_BYTES], seconds[UNITS_BYTES];
	struct verdict v;
	struct lag lag;
	health_node(m, n, now_ms, &v);
	lag_of_now(m, n, now_ms, &lag);
	buf_addf(out, "  %*s%-*s  %-8s  %-11s", depth * 2, "", 30 - depth * 2,
		 endpoint_format(&n->addr, addr), role_name(node_role(m, n)),
		 node_status_name(node_status(n)));
	buf_addf(out, "  %-8s", node_answers(n) ? n->info.version : "?");
	if (g != NULL && n->id != model_node_resolve(m, g->master_id)) {
		if (lag.bytes != FACT_UNKNOWN)
			buf_addf(out, "  lag %s %s s", units_bytes(lag.bytes, bytes), known(lag.seconds, seconds));
		else
			buf_addstr(out, "  lag ?");
	}
	add_verdict(out, &v);
}

static void add_forecast(const struct model *m, const struct group *g, int64_t now_ms, struct buf *out)
{
	struct forecast f, manual;
	bool differ;
	char addr[ENDPOINT_TEXT_BYTES], bytes[UNITS_BYTES], why[FORECAST_REASONS_BYTES];
	forecast_group(m, g, FORECAST_CRASH, now_ms, &f, &differ);
	const struct node *candidate = model_node(m, f.candidate_id);
	if (candidate != NULL)
		buf_addf(out, "  next       %s: %s; at risk: up to %s\n",
			 endpoint_format(&candidate->addr, addr), f.text, units_bytes(f.loss_bytes, bytes));
	else if (f.text[0] != '\0')
		buf_addf(out, "  next       not certain: %s\n", f.text);
	forecast_group(m, g, FORECAST_MANUAL, now_ms, &manual, NULL);
	const struct node *other = model_node(m, manual.candidate_id);
	if (candidate != NULL && manual.known && manual.candidate_id != f.candidate_id)
		buf_addf(out, "  by hand    %s: %s\n",
			 other != NULL ? endpoint_format(&other->addr, addr) : "not certain", manual.text);
	for (size_t i = 0; i < f.count; i++) {
		const struct node *n = model_node(m, f.replicas[i].node_id);
		if (f.replicas[i].passed_over != 0)
			buf_addf(out, "  passed     %s: %s\n", n != NULL ? endpoint_format(&n->addr, addr) : "?",
				 forecast_reasons(&f.replicas[i], why));
	}
}

static void add_verdicts(const struct model *m, const struct deployment *d, const struct group *g,
			 int64_t now_ms, struct buf *out)
{
	struct readiness r;
	struct agreement a;
	if (d->kind == KIND_REPLICATION)
		return;
	readiness_of(m, g, now_ms, &r);
	buf_addf(out, "  ready      %s\n", r.text);
	for (size_t i = 0; i < r.reason_count; i++)
		if (strstr(r.text, r.reasons[i].text) == NULL)
			buf_addf(out, "             %s\n", r.reasons[i].text);
	if (d->kind != KIND_SENTINEL)
		return;
	add_forecast(m, g, now_ms, out);
	agreement_of(m, g, now_ms, &a);
	if (!a.known)
		buf_addstr(out, "  agreement  not known: no Sentinel answers\n");
	else if (a.agree)
		buf_addf(out, "  agreement  yes: %zu of %zu Sentinels answer\n", a.answering, group_sentinels_known(m, g));
	else if (a.passing)
		buf_addf(out, "  agreement  %s\n", a.text);
	else
		buf_addf(out, "  agreement  NO: %s%s\n", a.split_brain ? "split brain: " : "", a.text);
}

static void add_cluster_agreement(const struct model *m, const struct deployment *d, struct buf *out)
{
	struct agreement_cluster a;
	const struct node *n;
	size_t cursor = 0;
	char addr[ENDPOINT_TEXT_BYTES];
	agreement_cluster_of(m, d, &a);
	if (!a.known)
		return;
	buf_addf(out, " agreement  %s: %zu of %zu nodes answer\n", a.agree ? "yes" : "NO", a.answering,
		 d->member_count);
	while (!a.agree && (n = model_next_member(m, d->id, &cursor)) != NULL)
		for (enum cluster_agreement_field f = 0; f < CLUSTER_AGREE_COUNT; f++) {
			struct agreement_cell cell;
			agreement_cluster_cell(n, f, &cell);
			if (cell.dissents)
				buf_addf(out, "            %s says %s %s, most say %s\n",
					 endpoint_format(&n->addr, addr), agreement_cluster_title(f),
					 cell.text, a.most[f]);
		}
}

static void add_group(const struct model *m, const struct deployment *d, const struct group *g,
		      int64_t now_ms, struct buf *out)
{
	const struct sentinel_view *best = group_best_answering(m, g);
	const struct ckquorum_facts *ck = group_ckquorum_answering(m, g);
	struct verdict v;
	char quorum[UNITS_BYTES], epoch[UNITS_BYTES];
	health_group(m, g, now_ms, &v);
	buf_addf(out, " %s  %s", g->name, group_status(m, g));
	if (g->view_count > 0)
		buf_addf(out, "  quorum %s of %zu  epoch %s  ckquorum %s",
			 known(best != NULL ? best->facts.quorum : FACT_UNKNOWN, quorum),
			 group_sentinels_known(m, g),
			 known(best != NULL ? best->facts.config_epoch : FACT_UNKNOWN, epoch),
			 ck == NULL ? "not asked" : ck->ok ? "ok" : "NOT OK");
	if (d->kind == KIND_CLUSTER)
		buf_addf(out, "  %zu slots", slot_count_of(d, g->master_id));
	add_verdict(out, &v);
	add_verdicts(m, d, g, now_ms, out);
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		if (n != NULL)
			add_node(m, g, n, n->id == model_node_resolve(m, g->master_id) ? 0 : 1, now_ms,
				 out);
	}
}

static void add_deployment(const struct model *m, const struct deployment *d, int64_t now_ms,
			   struct buf *out)
{
	struct verdict v;
	size_t cursor = 0;
	const struct node *n;
	bool heading = false;
	health_deployment(m, d, now_ms, &v);
	buf_addf(out, "%s  %s  %s", d->name, deployment_kind_name(d->kind), health_name(v.health));
	buf_addf(out, "%s%s\n", v.text[0] != '\0' ? ": " : "", v.text);
	if (d->kind == KIND_CLUSTER)
		add_cluster_agreement(m, d, out);
	for (size_t i = 0; i < d->group_count; i++)
		add_group(m, d, d->groups[i], now_ms, out);
	while ((n = model_next_member(m, d->id, &cursor)) != NULL) {
		if (n->group_id != 0)
			continue;
		if (!heading && d->group_count > 0)
			buf_addstr(out, d->kind == KIND_SENTINEL ? " Sentinels\n" : " others\n");
		heading = true;
		add_node(m, NULL, n, 0, now_ms, out);
	}
}

void output_snapshot_text(const struct model *m, int64_t now_ms, int64_t wall_ms, struct buf *out)
{
	char iso[CLOCK_ISO_BYTES];
	size_t cursor = 0;
	const struct deployment *d;
	buf_addf(out, "redoubt %s  %s  %s\n", PACKAGE_VERSION, clock_format_iso(wall_ms, iso),
		 health_name(fleet_health(m, now_ms)));
	while ((d = model_next_deployment(m, &cursor)) != NULL) {
		buf_addch(out, '\n');
		add_deployment(m, d, now_ms, out);
	}
}

void output_event_text(const struct event *e, struct buf *out)
{
	char iso[CLOCK_ISO_BYTES];
	unsigned settled = 0;
	for (unsigned i = 0; i < e->source_count; i++)
		settled += e->sources[i].mono_ms - e->mono_ms <= EVENT_SETTLE_MS;
	buf_addf(out, "%s  %-8s  %-20s  %-16s", clock_format_iso(e->wall_ms, iso),
		 severity_name(e->severity), e->name, e->subject[0] != '\0' ? e->subject : "-");
	buf_addf(out, "  %-21s", e->addr[0] != '\0' ? e->addr : "-");
	if (settled > 1)
		buf_addf(out, "  %u Sentinels", settled);
	else if (e->source_count > 0)
		buf_addf(out, "  %s", e->sources[0].addr);
	if (e->detail[0] != '\0')
		buf_addf(out, "  %s", e->detail);
	buf_addch(out, '\n');
}
