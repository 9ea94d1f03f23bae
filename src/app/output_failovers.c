#include "app/output_failovers.h"

#include "app/output_values.h"
#include "base/clock.h"
#include "model/failovers.h"

static json_t *since(const struct failover_record *f, int64_t at_ms)
{
	return at_ms != 0 ? json_integer(at_ms - failover_begin_ms(f)) : json_null();
}

static json_t *phases_json(const struct failover_record *f)
{
	enum failover_step order[STEP_COUNT];
	size_t count = failover_steps_in_order(f, order);
	int64_t before = failover_begin_ms(f);
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		enum failover_step s = order[i];
		json_t *o = json_object();
		json_object_set_new(o, "phase", value_string(failover_step_name(s)));
		json_object_set_new(o, "at_ms", since(f, f->step_ms[s]));
		json_object_set_new(o, "length_ms", json_integer(f->step_ms[s] - before));
		json_object_set_new(o, "spread_ms", json_integer(failover_spread_ms(f, s)));
		json_object_set_new(o, "sources", json_integer(f->step_sources[s]));
		json_array_append_new(list, o);
		before = f->step_ms[s];
	}
	return list;
}

static json_t *observers_json(const struct model *m, const struct failover_record *f)
{
	json_t *list = json_array();
	for (size_t i = 0; i < f->observer_count; i++) {
		const struct failover_observer *by = &f->observers[i];
		json_t *o = json_object();
		json_object_set_new(o, "addr", value_node(m, by->node_id));
		json_object_set_new(o, "sdown_ms", since(f, by->sdown_ms));
		json_object_set_new(o, "odown_ms", since(f, by->odown_ms));
		json_object_set_new(o, "voted_ms", since(f, by->voted_ms));
		json_object_set_new(o, "switched_ms", since(f, by->switched_ms));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *replicas_json(const struct failover_record *f)
{
	json_t *list = json_array();
	for (size_t i = 0; i < f->replica_count; i++) {
		const struct failover_replica *r = &f->replicas[i];
		json_t *o = json_object();
		json_object_set_new(o, "addr", value_text(r->addr));
		json_object_set_new(o, "offset", value_number(r->offset));
		json_object_set_new(o, "lag_bytes", value_number(r->lag_bytes));
		json_object_set_new(o, "told_ms", since(f, r->sent_ms));
		json_object_set_new(o, "follows_ms", since(f, r->done_ms));
		json_array_append_new(list, o);
	}
	return list;
}

/* What --probe felt; null when it was off. */
static json_t *client_json(const struct failover_record *f)
{
	if (!f->client_probed)
		return json_null();
	json_t *o = json_object();
	json_object_set_new(o, "first_failed_ms", since(f, f->client_failed_ms));
	json_object_set_new(o, "first_good_ms", since(f, f->client_good_ms));
	json_object_set_new(o, "outage_ms", f->client_failed_ms != 0 && f->client_good_ms != 0 ?
						json_integer(f->client_good_ms - f->client_failed_ms) :
						json_null());
	json_object_set_new(o, "failed", json_integer(f->client_failed));
	json_object_set_new(o, "lost", value_number(f->client_lost));
	return o;
}

static json_t *failover_json(const struct model *m, const struct failover_record *f, int64_t now_ms)
{
	char iso[CLOCK_ISO_BYTES], outcome[256];
	int64_t end = f->over ? failover_end_ms(f) : now_ms;
	failover_outcome_text(f, outcome, sizeof(outcome));
	json_t *o = json_object();
	json_object_set_new(o, "id", json_integer(f->id));
	json_object_set_new(o, "time", value_string(clock_format_iso(f->wall_ms, iso)));
	json_object_set_new(o, "master", value_text(f->name));
	json_object_set_new(o, "old_master", value_text(f->old_master));
	json_object_set_new(o, "new_master", value_text(f->new_master));
	json_object_set_new(o, "cause", value_string(failover_cause_name(f->cause)));
	json_object_set_new(o, "operator", value_text(f->operator_name));
	json_object_set_new(o, "leader", value_text(f->leader));
	json_object_set_new(o, "epoch", value_number(f->epoch));
	json_object_set_new(o, "over", json_boolean(f->over));
	json_object_set_new(o, "aborted", json_boolean(f->step_ms[STEP_ABORTED] != 0));
	json_object_set_new(o, "abort_reason", value_text(f->abort_reason));
	json_object_set_new(o, "outcome", value_string(outcome));
	json_object_set_new(o, "total_ms", json_integer(end - failover_begin_ms(f)));
	json_object_set_new(o, "unwritable_ms", value_number(failover_unwritable_ms(f)));
	json_object_set_new(o, "two_masters_ms", value_number(failover_two_masters_ms(f, now_ms)));
	json_object_set_new(o, "two_masters_bytes", value_number(f->stray_bytes));
	json_object_set_new(o, "demoted_ms", since(f, f->demoted_ms));
	json_object_set_new(o, "client", client_json(f));
	json_object_set_new(o, "phases", phases_json(f));
	json_object_set_new(o, "observers", observers_json(m, f));
	json_object_set_new(o, "replicas", replicas_json(f));
	return o;
}

json_t *failovers_json(const struct model *m, const struct deployment *d, int64_t now_ms)
{
	json_t *list = json_array();
	for (size_t i = 0; i < model_failover_count(m); i++) {
		const struct failover_record *f = model_failover_at(m, i);
		if (f->deployment_id == d->id)
			json_array_append_new(list, failover_json(m, f, now_ms));
	}
	return list;
}
