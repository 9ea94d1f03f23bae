#include "app/output_verdicts.h"

#include "base/clock.h"
#include "model/agreement.h"
#include "model/agreement_cluster.h"
#include "model/forecast.h"
#include "model/probe.h"
#include "model/readiness.h"

static json_t *number(int64_t value)
{
	return value != FACT_UNKNOWN ? json_integer(value) : json_null();
}

static json_t *address(const struct model *m, uint32_t node_id)
{
	const struct node *n = model_node(m, node_id);
	char text[ENDPOINT_TEXT_BYTES];
	return n != NULL ? json_string(endpoint_format(&n->addr, text)) : json_null();
}

static json_t *reason_ids(unsigned passed_over)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < PASS_REASON_COUNT; i++)
		if (passed_over & 1u << i)
			json_array_append_new(list, json_string(pass_reason_name((enum pass_reason)(1u << i))));
	return list;
}

/* By hand a Sentinel acts at once, on what it knows: of equal replicas it may take another one. */
static json_t *manual_json(const struct model *m, const struct group *g, int64_t now_ms)
{
	struct forecast f;
	bool differ;
	forecast_group(m, g, FORECAST_MANUAL, now_ms, &f, &differ);
	json_t *o = json_object();
	json_object_set_new(o, "candidate", address(m, f.candidate_id));
	json_object_set_new(o, "why", json_string(f.text));
	json_object_set_new(o, "sentinels_differ", json_boolean(differ));
	return o;
}

json_t *forecast_json(const struct model *m, const struct group *g, int64_t now_ms)
{
	struct forecast f;
	bool differ;
	forecast_group(m, g, FORECAST_CRASH, now_ms, &f, &differ);
	if (!f.known)
		return json_null();
	json_t *o = json_object(), *excluded = json_array();
	json_object_set_new(o, "candidate", address(m, f.candidate_id));
	json_object_set_new(o, "why", json_string(f.text));
	json_object_set_new(o, "loss_bytes", number(f.loss_bytes));
	json_object_set_new(o, "loss_ms", number(f.loss_ms));
	json_object_set_new(o, "sentinels_differ", json_boolean(differ));
	for (size_t i = 0; i < f.count; i++) {
		char words[FORECAST_REASONS_BYTES];
		const struct forecast_replica *r = &f.replicas[i];
		if (r->passed_over == 0)
			continue;
		json_t *e = json_object();
		json_object_set_new(e, "addr", address(m, r->node_id));
		json_object_set_new(e, "reason", json_string(forecast_reasons(r, words)));
		json_object_set_new(e, "reasons", reason_ids(r->passed_over));
		json_array_append_new(excluded, e);
	}
	json_object_set_new(o, "excluded", excluded);
	json_object_set_new(o, "manual", manual_json(m, g, now_ms));
	return o;
}

json_t *sentinel_flags_json(uint32_t flags)
{
	static const char *const names[] = { "s_down", "o_down", "master", "slave", "sentinel",
					     "disconnected", "master_down", "failover_in_progress", "promoted",
					     "reconf_sent", "reconf_inprog", "reconf_done", "force_failover",
					     "coordinated_failover", "script_kill_sent", "master_reboot" };
	json_t *list = json_array();
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & 1u << i)
			json_array_append_new(list, json_string(names[i]));
	return list;
}

static json_t *view_json(const struct model *m, const struct group *g, const struct sentinel_view *v)
{
	json_t *o = json_object(), *dissents = json_array();
	char addr[ENDPOINT_TEXT_BYTES];
	json_object_set_new(o, "sentinel", address(m, v->sentinel_id));
	json_object_set_new(o, "master", json_string(endpoint_format(&v->facts.addr, addr)));
	json_object_set_new(o, "config_epoch", number(v->facts.config_epoch));
	json_object_set_new(o, "flags", sentinel_flags_json(v->facts.flags));
	json_object_set_new(o, "quorum", number(v->facts.quorum));
	json_object_set_new(o, "known_sentinels", number(fact_add(v->facts.num_other_sentinels, 1)));
	json_object_set_new(o, "known_replicas", number(v->facts.num_slaves));
	for (enum agreement_field f = 0; f < AGREE_COUNT; f++) {
		struct agreement_cell cell;
		agreement_cell(m, g, v, f, &cell);
		if (cell.dissents)
			json_array_append_new(dissents, json_string(agreement_title(f)));
	}
	json_object_set_new(o, "stands_alone_with", dissents);
	return o;
}

json_t *agreement_json(const struct model *m, const struct group *g, int64_t now_ms)
{
	struct agreement a;
	if (g->view_count == 0)
		return json_null();
	agreement_of(m, g, now_ms, &a);
	json_t *o = json_object(), *views = json_array();
	json_object_set_new(o, "agree", a.known ? json_boolean(a.agree) : json_null());
	json_object_set_new(o, "split_brain", json_boolean(a.split_brain));
	json_object_set_new(o, "message", json_string(a.text));
	for (size_t i = 0; i < g->view_count; i++)
		json_array_append_new(views, view_json(m, g, &g->views[i]));
	json_object_set_new(o, "views", views);
	return o;
}

json_t *cluster_agreement_json(const struct model *m, const struct deployment *d)
{
	struct agreement_cluster a;
	const struct node *n;
	size_t cursor = 0;
	agreement_cluster_of(m, d, &a);
	if (!a.known)
		return json_null();
	json_t *o = json_object(), *dissent = json_array();
	while ((n = model_next_member(m, d->id, &cursor)) != NULL)
		for (enum cluster_agreement_field f = 0; f < CLUSTER_AGREE_COUNT; f++) {
			struct agreement_cell cell;
			agreement_cluster_cell(n, f, &cell);
			if (!cell.dissents)
				continue;
			json_t *e = json_object();
			json_object_set_new(e, "node", address(m, n->id));
			json_object_set_new(e, "about", json_string(agreement_cluster_title(f)));
			json_object_set_new(e, "says", json_string(cell.text));
			json_object_set_new(e, "most_say", json_string(a.most[f]));
			json_array_append_new(dissent, e);
		}
	json_object_set_new(o, "agree", json_boolean(a.agree));
	json_object_set_new(o, "dissent", dissent);
	return o;
}

json_t *readiness_json(const struct model *m, const struct group *g, int64_t now_ms)
{
	struct readiness r;
	readiness_of(m, g, now_ms, &r);
	json_t *o = json_object(), *reasons = json_array();
	json_object_set_new(o, "verdict", json_string(ready_name(r.verdict)));
	json_object_set_new(o, "message", json_string(r.text));
	for (size_t i = 0; i < r.reason_count; i++)
		json_array_append_new(reasons, json_string(r.reasons[i].text));
	json_object_set_new(o, "reasons", reasons);
	return o;
}

static json_t *clock_json(int64_t wall_ms)
{
	char iso[CLOCK_ISO_BYTES];
	return json_string(clock_format_iso(wall_ms, iso));
}

static json_t *outage_json(const struct probe_outage *o, int64_t now_ms)
{
	bool over = o->first_good_ms != 0;
	int64_t length_ms = (over ? o->first_good_ms : now_ms) - o->first_failed_ms;
	json_t *out = json_object();
	json_object_set_new(out, "first_failed_write", clock_json(o->wall_ms));
	json_object_set_new(out, "first_good_write", over ? clock_json(o->wall_ms + length_ms) : json_null());
	json_object_set_new(out, "duration_ms", json_integer(length_ms));
	json_object_set_new(out, "writes_failed", json_integer(o->failed));
	json_object_set_new(out, "writes_lost", number(o->lost));
	json_object_set_new(out, "reason", o->reason[0] != '\0' ? json_string(o->reason) : json_null());
	return out;
}

json_t *client_json(const struct model *m, const struct group *g, int64_t now_ms)
{
	const struct probe *p = probe_of(g);
	char words[PROBE_WORDS_BYTES];
	if (p == NULL)
		return json_null();
	json_t *o = json_object(), *outages = json_array();
	json_object_set_new(o, "writable", p->barred[0] != '\0' || (p->acknowledged == 0 && p->failed == 0) ?
					       json_null() : json_boolean(probe_outage_now(g) == NULL));
	probe_text(g, now_ms, words);
	json_object_set_new(o, "message", json_string(words));
	json_object_set_new(o, "master", address(m, p->node_id));
	json_object_set_new(o, "latency_ms", p->latency_us != FACT_UNKNOWN ?
						 json_real((double)p->latency_us / 1000.) : json_null());
	json_object_set_new(o, "writes_acknowledged", json_integer(p->acknowledged));
	json_object_set_new(o, "writes_failed", json_integer(p->failed));
	json_object_set_new(o, "writes_lost", json_integer(p->lost));
	for (size_t i = 0; i < p->outage_count; i++)
		json_array_append_new(outages, outage_json(&p->outages[i], now_ms));
	json_object_set_new(o, "outages", outages);
	return o;
}
