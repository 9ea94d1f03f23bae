#include "app/output_verdicts.h"

#include <string.h>

#include "app/output_values.h"
#include "base/clock.h"
#include "model/agreement.h"
#include "model/agreement_cluster.h"
#include "model/forecast.h"
#include "model/probe.h"
#include "model/readiness.h"

static json_t *reason_ids(unsigned passed_over)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < PASS_REASON_COUNT; i++)
		if (passed_over & 1u << i)
			json_array_append_new(list, value_string(pass_reason_name((enum pass_reason)(1u << i))));
	return list;
}

/* By hand a Sentinel acts at once, on what it knows: of equal replicas it may take another one. */
static json_t *manual_json(const struct model *m, const struct group *g, int64_t now_ms)
{
	struct forecast f;
	bool differ;
	forecast_group(m, g, FORECAST_MANUAL, now_ms, &f, &differ);
	json_t *o = json_object();
	json_object_set_new(o, "candidate", value_node(m, f.candidate_id));
	json_object_set_new(o, "why", value_string(f.text));
	json_object_set_new(o, "sentinels_differ", json_boolean(differ));
	json_object_set_new(o, "second_master", json_boolean(f.second_master));
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
	json_object_set_new(o, "candidate", value_node(m, f.candidate_id));
	json_object_set_new(o, "why", value_string(f.text));
	json_object_set_new(o, "loss_bytes", value_number(f.loss_bytes));
	json_object_set_new(o, "loss_ms", value_number(f.loss_ms));
	json_object_set_new(o, "sentinels_differ", json_boolean(differ));
	json_object_set_new(o, "second_master", json_boolean(f.second_master));
	for (size_t i = 0; i < f.count; i++) {
		char words[FORECAST_REASONS_BYTES];
		const struct forecast_replica *r = &f.replicas[i];
		if (r->passed_over == 0)
			continue;
		json_t *e = json_object();
		json_object_set_new(e, "addr", value_node(m, r->node_id));
		json_object_set_new(e, "reason", value_string(forecast_reasons(r, words)));
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
			json_array_append_new(list, value_string(names[i]));
	return list;
}

/* --- agreement ----------------------------------------------------------------------------------- */

static json_t *cell_json(const struct model *m, const struct group *g, const struct sentinel_view *v,
			 enum agreement_field f)
{
	const struct sentinel_instance *s = &v->facts;
	const struct node *n = model_node(m, v->sentinel_id);
	const struct info_facts *own = n != NULL && n->info_at_ms != 0 ? &n->info : NULL;
	char leader[ENDPOINT_TEXT_BYTES];
	int64_t epoch;
	switch (f) {
	case AGREE_MASTER:
		return value_endpoint(&s->addr);
	case AGREE_EPOCH:
		return value_number(s->config_epoch);
	case AGREE_STATE:
		return sentinel_flags_json(s->flags);
	case AGREE_QUORUM:
		return value_number(s->quorum);
	case AGREE_SENTINELS:
		return value_number(fact_add(s->num_other_sentinels, 1));
	case AGREE_REPLICAS:
		return value_number(s->num_slaves);
	case AGREE_DOWN_AFTER:
		return value_number(s->down_after_ms);
	case AGREE_FAILOVER_TIMEOUT:
		return value_number(s->failover_timeout_ms);
	case AGREE_PARALLEL_SYNCS:
		return value_number(s->parallel_syncs);
	case AGREE_VOTE:
		return agreement_vote(m, g, v, leader, &epoch) ? value_text(leader) : json_null();
	case AGREE_TILT:
		return own != NULL && own->sentinel_tilt != FACT_UNKNOWN ?
			       json_boolean(own->sentinel_tilt == 1) : json_null();
	case AGREE_VERSION:
		return value_text(own != NULL ? own->version : NULL);
	case AGREE_COUNT:
		break;
	}
	return json_null();
}

static json_t *dissent_json(enum agreement_field f, const struct agreement_cell *cell, const char *most,
			    int64_t now_ms)
{
	json_t *o = json_object();
	json_object_set_new(o, "about", value_string(agreement_name(f)));
	json_object_set_new(o, "says", value_text(cell->text));
	json_object_set_new(o, "most_say", value_text(most));
	json_object_set_new(o, "age_ms", value_age(now_ms, cell->since_ms));
	json_object_set_new(o, "passing", json_boolean(cell->passing));
	return o;
}

/* Of one that does not answer: what it said last, as its age shows. */
static json_t *view_json(const struct model *m, const struct group *g, const struct sentinel_view *v,
			 int64_t now_ms)
{
	json_t *o = json_object(), *titles = json_array(), *dissents = json_array();
	char leader[ENDPOINT_TEXT_BYTES], most[ENDPOINT_TEXT_BYTES];
	int64_t epoch = FACT_UNKNOWN;
	agreement_vote(m, g, v, leader, &epoch);
	json_object_set_new(o, "sentinel", value_node(m, v->sentinel_id));
	json_object_set_new(o, "answers", json_boolean(group_view_answers(m, v)));
	json_object_set_new(o, "age_ms", value_age(now_ms, v->at_ms));
	for (enum agreement_field f = 0; f < AGREE_COUNT; f++) {
		struct agreement_cell cell;
		agreement_cell(m, g, v, f, &cell);
		json_object_set_new(o, agreement_name(f),
				    cell.known ? cell_json(m, g, v, f) : json_null());
		if (!cell.dissents)
			continue;
		/* The others may have come round since it was judged: that is done once a second. */
		agreement_most_say(m, g, f, most, sizeof(most));
		if (strcmp(most, cell.text) == 0)
			continue;
		json_array_append_new(titles, value_string(agreement_title(f)));
		json_array_append_new(dissents, dissent_json(f, &cell, most, now_ms));
	}
	json_object_set_new(o, "voted_epoch", value_number(epoch));
	json_object_set_new(o, "stands_alone_with", titles);
	json_object_set_new(o, "dissent", dissents);
	return o;
}

#define GHOSTS_SAID 64

static json_t *ghosts_json(const struct model *m, const struct group *g, int64_t now_ms)
{
	struct ghost ghosts[GHOSTS_SAID];
	size_t count = agreement_ghosts(m, g, now_ms, ghosts, GHOSTS_SAID);
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		const struct ghost *ghost = &ghosts[i];
		size_t named = sizeof(ghost->listed_by) / sizeof(ghost->listed_by[0]);
		json_t *o = json_object(), *by = json_array();
		for (size_t k = 0; k < named && k < ghost->listed_count; k++)
			json_array_append_new(by, value_node(m, ghost->listed_by[k]));
		json_object_set_new(o, "addr", value_node(m, ghost->node_id));
		json_object_set_new(o, "role", value_string(ghost->is_sentinel ? "sentinel" : "replica"));
		json_object_set_new(o, "age_ms", value_age(now_ms, ghost->since_ms));
		json_object_set_new(o, "listed_by", by);
		json_object_set_new(o, "advice", value_string("when it is gone for good: " GHOST_CURE));
		json_array_append_new(list, o);
	}
	return list;
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
	json_object_set_new(o, "message", value_string(a.text));
	for (size_t i = 0; i < g->view_count; i++)
		json_array_append_new(views, view_json(m, g, &g->views[i], now_ms));
	json_object_set_new(o, "views", views);
	json_object_set_new(o, "ghosts", ghosts_json(m, g, now_ms));
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
			json_object_set_new(e, "node", value_node(m, n->id));
			json_object_set_new(e, "about", value_string(agreement_cluster_title(f)));
			json_object_set_new(e, "says", value_string(cell.text));
			json_object_set_new(e, "most_say", value_string(a.most[f]));
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
	json_object_set_new(o, "verdict", value_string(ready_name(r.verdict)));
	json_object_set_new(o, "message", value_string(r.text));
	for (size_t i = 0; i < r.reason_count; i++)
		json_array_append_new(reasons, value_string(r.reasons[i].text));
	json_object_set_new(o, "reasons", reasons);
	return o;
}

static json_t *clock_json(int64_t wall_ms)
{
	char iso[CLOCK_ISO_BYTES];
	return value_string(clock_format_iso(wall_ms, iso));
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
	json_object_set_new(out, "writes_lost", value_number(o->lost));
	json_object_set_new(out, "reason", value_text(o->reason));
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
	json_object_set_new(o, "message", value_string(words));
	json_object_set_new(o, "master", value_node(m, p->node_id));
	json_object_set_new(o, "latency_ms", value_real((double)p->latency_us / 1000.));
	json_object_set_new(o, "writes_acknowledged", json_integer(p->acknowledged));
	json_object_set_new(o, "writes_failed", json_integer(p->failed));
	json_object_set_new(o, "writes_lost", json_integer(p->lost));
	for (size_t i = 0; i < p->outage_count; i++)
		json_array_append_new(outages, outage_json(&p->outages[i], now_ms));
	json_object_set_new(o, "outages", outages);
	return o;
}
