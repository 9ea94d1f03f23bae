/* The incident report: failovers step by step, and the group as it was before. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/report_private.h"
#include "base/clock.h"
#include "base/units.h"

#define BAR_COLUMNS 60

static const char *number(int64_t value, char out[UNITS_BYTES])
{
	if (value == FACT_UNKNOWN)
		return "?";
	snprintf(out, UNITS_BYTES, "%lld", (long long)value);
	return out;
}

/* Milliseconds since the first step; "" for what was not seen. */
static const char *since(const struct failover_record *f, int64_t at_ms, char out[UNITS_BYTES])
{
	out[0] = '\0';
	if (at_ms != 0)
		snprintf(out, UNITS_BYTES, "+%lld", (long long)(at_ms - failover_begin_ms(f)));
	return out;
}

/* --- steps ------------------------------------------------------------------------------------------ */

static void said_by(struct report *r, const struct failover_record *f, enum failover_step s)
{
	const char *observers = f->kind == KIND_SENTINEL ? "Sentinel" : "node";
	switch (s) {
	case STEP_LAST_REPLY:
	case STEP_LOST:
	case STEP_ROLE_MASTER:
		buf_addstr(r->out, "redoubt's own connection");
		return;
	case STEP_SDOWN:
	case STEP_ODOWN:
	case STEP_SWITCHED:
	case STEP_SWITCHED_ALL:
		buf_addf(r->out, "%u %s%s", f->step_sources[s], observers,
			 f->step_sources[s] == 1 ? "" : "s");
		return;
	default:
		break;
	}
	if (f->kind == KIND_SENTINEL && f->leader[0] != '\0')
		report_text(r, f->leader);
	else if (s == STEP_TRY && f->cause == CAUSE_REDOUBT)
		buf_addstr(r->out, "redoubt");
	else
		buf_addstr(r->out, "what the nodes say");
}

static void steps(struct report *r, const struct failover_record *f)
{
	enum failover_step order[STEP_COUNT];
	size_t count = failover_steps_in_order(f, order);
	int64_t begin = failover_begin_ms(f), before = begin;
	char at[16];
	buf_addstr(r->out, "\n| Step | Time | ms since the first | ms after the one before | Said by | "
			   "Spread ms |\n| --- | --- | ---: | ---: | --- | ---: |\n");
	for (size_t i = 0; i < count; i++) {
		enum failover_step s = order[i];
		buf_addf(r->out, "| %s | %s | %lld | %lld | ", failover_step_words(f, s),
			 report_time(f->wall_ms + f->step_ms[s] - begin, at),
			 (long long)(f->step_ms[s] - begin), (long long)(f->step_ms[s] - before));
		said_by(r, f, s);
		if (f->step_sources[s] > 1 && s != STEP_SWITCHED_ALL && s != STEP_RECONFIGURED)
			buf_addf(r->out, " | %lld |\n", (long long)failover_spread_ms(f, s));
		else
			buf_addstr(r->out, " | |\n");
		before = f->step_ms[s];
	}
}

static void observers(struct report *r, const struct failover_record *f)
{
	char sdown[UNITS_BYTES], odown[UNITS_BYTES], voted[UNITS_BYTES], switched[UNITS_BYTES];
	char addr[ENDPOINT_TEXT_BYTES];
	if (f->kind != KIND_SENTINEL || f->observer_count == 0)
		return;
	buf_addstr(r->out, "\n| Sentinel | sdown | odown | its vote | announced |\n"
			   "| --- | ---: | ---: | ---: | ---: |\n");
	for (size_t i = 0; i < f->observer_count; i++) {
		const struct failover_observer *o = &f->observers[i];
		const struct node *n = model_node(r->m, o->node_id);
		buf_addstr(r->out, "| ");
		report_text(r, n != NULL ? endpoint_format(&n->addr, addr) : "one that left");
		buf_addf(r->out, "%s | %s | %s | %s | %s |\n",
			 model_node_resolve(r->m, o->node_id) == f->leader_id ? " (leader)" : "",
			 since(f, o->sdown_ms, sdown), since(f, o->odown_ms, odown),
			 since(f, o->voted_ms, voted), since(f, o->switched_ms, switched));
	}
}

static void replicas(struct report *r, const struct failover_record *f)
{
	char offset[UNITS_BYTES], lag[UNITS_BYTES], sent[UNITS_BYTES], done[UNITS_BYTES];
	if (f->replica_count == 0)
		return;
	buf_addstr(r->out, "\n| Replica | Offset, last known | Lag before | Told | Follows |\n"
			   "| --- | ---: | ---: | ---: | ---: |\n");
	for (size_t i = 0; i < f->replica_count; i++) {
		const struct failover_replica *p = &f->replicas[i];
		bool chosen = f->new_master_id != 0 && model_node_resolve(r->m, p->node_id) ==
							   model_node_resolve(r->m, f->new_master_id);
		buf_addstr(r->out, "| ");
		report_text(r, p->addr);
		buf_addf(r->out, "%s | %s | %s | %s | %s |\n", chosen ? " (chosen)" : "",
			 number(p->offset, offset), units_bytes(p->lag_bytes, lag),
			 since(f, p->sent_ms, sent), since(f, p->done_ms, done));
	}
	if (f->replica_total > f->replica_count)
		buf_addf(r->out, "\n%zu more replicas were not timed.\n",
			 f->replica_total - f->replica_count);
}

/* --- one failover ------------------------------------------------------------------------------------ */

static void cause(struct report *r, const struct failover_record *f)
{
	static const char *const words[] = {
		[CAUSE_UNKNOWN] = "not known",
		[CAUSE_CRASH] = "the old master was lost or held for down",
		[CAUSE_MANUAL] = "asked for by an operator, not through this redoubt",
		[CAUSE_REDOUBT] = "asked for through this redoubt",
	};
	buf_addf(r->out, "- Cause: %s", words[f->cause]);
	if (f->cause == CAUSE_REDOUBT && f->operator_name[0] != '\0') {
		buf_addstr(r->out, " by ");
		report_text(r, f->operator_name);
	}
	buf_addch(r->out, '\n');
}

static void leader(struct report *r, const struct failover_record *f)
{
	char epoch[UNITS_BYTES];
	size_t votes = 0;
	for (size_t i = 0; i < f->observer_count; i++)
		votes += f->observers[i].voted_ms != 0;
	if (f->kind == KIND_SENTINEL) {
		buf_addstr(r->out, "- Led by: ");
		report_text(r, f->leader[0] != '\0' ? f->leader : "not known");
		buf_addf(r->out, ", epoch %s", number(f->epoch, epoch));
		if (votes > 0)
			buf_addf(r->out, ", %zu vote%s seen", votes, votes == 1 ? "" : "s");
		buf_addch(r->out, '\n');
	} else if (f->epoch != FACT_UNKNOWN) {
		buf_addf(r->out, "- Configuration epoch: %s\n", number(f->epoch, epoch));
	}
}

/* Of two Sentinels that try at once one gives up: that is no failed failover. */
static const struct failover_record *won_by(const struct report *r, const struct failover_record *f)
{
	for (size_t i = 0; i < model_failover_count(r->m); i++) {
		const struct failover_record *o = model_failover_at(r->m, i);
		if (o != f && o->group_id == f->group_id && o->step_ms[STEP_ELECTED] != 0 &&
		    o->step_ms[STEP_TRY] <= failover_end_ms(f) && f->step_ms[STEP_TRY] != 0 &&
		    (!o->over || f->step_ms[STEP_TRY] <= o->over_ms))
			return o;
	}
	return NULL;
}

static void outcome(struct report *r, const struct failover_record *f)
{
	char text[256], took[UNITS_BYTES];
	const struct failover_record *other = NULL;
	failover_outcome_text(f, text, sizeof(text));
	buf_addstr(r->out, "- Outcome: **");
	report_text(r, text);
	buf_addf(r->out, "**, after %s", units_duration(failover_end_ms(f) - failover_begin_ms(f), took));
	if (f->abort_reason[0] == '-' || f->abort_reason[0] == '+') {
		buf_addstr(r->out, " (");
		report_text(r, f->abort_reason);
		buf_addch(r->out, ')');
	}
	if (f->step_ms[STEP_ABORTED] != 0 && f->step_ms[STEP_ELECTED] == 0)
		other = won_by(r, f);
	if (other != NULL) {
		buf_addstr(r->out, "; another Sentinel was elected: ");
		report_text(r, other->leader);
	}
	buf_addch(r->out, '\n');
}

static void outage(struct report *r, const struct failover_record *f)
{
	int64_t ms = failover_unwritable_ms(f), promoted = f->step_ms[STEP_ROLE_MASTER];
	buf_addstr(r->out, "- Time without a writable master: ");
	if (ms == FACT_UNKNOWN && f->over && promoted == 0 && f->new_master_id != 0 &&
	    f->step_ms[STEP_PROMOTED] != 0)
		buf_addstr(r->out, "not known, redoubt did not hear the new master itself\n");
	else if (ms == FACT_UNKNOWN && f->step_ms[STEP_ABORTED] != 0 && f->step_ms[STEP_LOST] == 0)
		buf_addstr(r->out, "none seen, the old master was not lost\n");
	else if (ms == FACT_UNKNOWN)
		buf_addstr(r->out, "not known\n");
	else if (f->step_ms[STEP_LAST_REPLY] == 0)
		buf_addstr(r->out, "none seen, the old master answered all the time\n");
	else
		buf_addf(r->out, "**%lld ms**, from the old master's last good reply to the new one's "
				 "first that says master",
			 (long long)ms);
	if (ms != FACT_UNKNOWN && f->step_ms[STEP_LAST_REPLY] != 0) {
		/* The last reply is up to a poll older than the loss. */
		if (f->step_ms[STEP_LOST] != 0 && promoted > f->step_ms[STEP_LOST])
			buf_addf(r->out, "; %lld ms from the loss of its connection",
				 (long long)(promoted - f->step_ms[STEP_LOST]));
		buf_addch(r->out, '\n');
	}
	if (f->kind != KIND_SENTINEL || f->step_ms[STEP_LOST] != 0 || promoted == 0)
		return;
	if (f->demoted_ms != 0)
		buf_addf(r->out, "- Two masters took writes for **%lld ms**, until the old one was "
				 "demoted: what was written to it then is lost\n",
			 (long long)(f->demoted_ms - promoted));
	else
		buf_addstr(r->out, "- The old master was not seen to be demoted: what is written to it is "
				   "lost\n");
}

static void client(struct report *r, const struct failover_record *f)
{
	if (!f->client_probed)
		return;
	buf_addstr(r->out, "- The probe's writes, as clients felt it: ");
	if (f->client_failed_ms == 0)
		buf_addstr(r->out, "none failed");
	else if (f->client_good_ms == 0)
		buf_addf(r->out, "%lld failed, none has succeeded since", (long long)f->client_failed);
	else
		buf_addf(r->out, "**%lld ms** from the first that failed to the next good one, %lld failed",
			 (long long)(f->client_good_ms - f->client_failed_ms), (long long)f->client_failed);
	if (f->client_lost != FACT_UNKNOWN)
		buf_addf(r->out, ", %lld acknowledged ones are lost", (long long)f->client_lost);
	buf_addch(r->out, '\n');
}

static void summary(struct report *r, const struct failover_record *f)
{
	buf_addstr(r->out, "- From ");
	report_text(r, f->old_master[0] != '\0' ? f->old_master : "?");
	buf_addstr(r->out, " to ");
	report_text(r, f->new_master[0] != '\0'	   ? f->new_master :
			failover_end_is_unknown(f) ? "?" :
						     "nobody");
	buf_addstr(r->out, f->new_master[0] != '\0' && f->step_ms[STEP_ABORTED] != 0 ?
			       " (chosen, not seen to be promoted)\n" :
			       "\n");
	cause(r, f);
	leader(r, f);
	outcome(r, f);
	outage(r, f);
	client(r, f);
}

static void failover(struct report *r, const struct failover_record *f, size_t n)
{
	buf_addf(r->out, "\n### Failover %zu: ", n);
	report_text(r, f->name);
	buf_addstr(r->out, "\n\n");
	summary(r, f);
	steps(r, f);
	observers(r, f);
	replicas(r, f);
}

static void bar(struct report *r, const char *label, int64_t from_ms, int64_t to_ms, int64_t span_ms)
{
	int from = (int)(from_ms * (BAR_COLUMNS - 1) / span_ms), to = (int)(to_ms * (BAR_COLUMNS - 1) / span_ms);
	buf_addf(r->out, "%-17s %7lld  ", label, (long long)(to_ms - from_ms));
	for (int i = 0; i < from; i++)
		buf_addch(r->out, ' ');
	for (int i = from; i < to; i++)
		buf_addch(r->out, '=');
	buf_addstr(r->out, "|\n");
}

/* Each step from the one before it, on one clock, for who reads the file as it is. */
static void bars(struct report *r, const struct failover_record *f)
{
	enum failover_step order[STEP_COUNT];
	size_t count = failover_steps_in_order(f, order);
	int64_t begin = failover_begin_ms(f), before = 0, two = failover_two_masters_ms(f, r->o->now_ms);
	int64_t last = f->step_ms[STEP_LAST_REPLY], writable = f->step_ms[STEP_ROLE_MASTER];
	int64_t span = failover_end_ms(f) - begin;
	if (two != FACT_UNKNOWN && writable - begin + two > span)
		span = writable - begin + two;
	span = span > 0 ? span : 1;
	buf_addf(r->out, "\n```text\n%-17s %7s  0 ms to %lld ms\n", "step", "took ms", (long long)span);
	for (size_t i = 0; i < count; i++) {
		bar(r, failover_step_words(f, order[i]), before, f->step_ms[order[i]] - begin, span);
		before = f->step_ms[order[i]] - begin;
	}
	if (last != 0 && writable > last)
		bar(r, "no master", last - begin, writable - begin, span);
	if (two != FACT_UNKNOWN && two > 0)
		bar(r, "two masters", writable - begin, writable - begin + two, span);
	buf_addstr(r->out, "```\n");
}

void report_failover_alone(struct report *r, const struct failover_record *f)
{
	buf_addstr(r->out, "\n## What happened\n\n");
	summary(r, f);
	buf_addstr(r->out, "\n## Steps\n");
	bars(r, f);
	steps(r, f);
	buf_addstr(r->out, "\n## Who took part\n");
	observers(r, f);
	replicas(r, f);
}

void report_failovers(struct report *r)
{
	size_t told = 0;
	buf_addstr(r->out, "\n## Failovers\n");
	for (size_t i = 0; i < model_failover_count(r->m); i++)
		if (report_tells(r, model_failover_at(r->m, i)))
			failover(r, model_failover_at(r->m, i), ++told);
	if (told == 0)
		buf_addstr(r->out, "\nNone was seen.\n");
}

/* --- before ----------------------------------------------------------------------------------------- */

static void tree(struct report *r, const struct failover_record *f)
{
	char offset[UNITS_BYTES], lag[UNITS_BYTES];
	report_code(r, f->name);
	buf_addstr(r->out, "\n");
	report_code(r, f->old_master[0] != '\0' ? f->old_master : "?");
	buf_addf(r->out, "  master  offset %s%s\n", number(f->old_offset, offset),
		 f->step_ms[STEP_LOST] != 0 ? "  (lost)" : "");
	for (size_t i = 0; i < f->replica_count; i++) {
		const struct failover_replica *p = &f->replicas[i];
		buf_addstr(r->out, i + 1 < f->replica_count ? "|-- " : "'-- ");
		report_code(r, p->addr);
		buf_addf(r->out, "  replica  link %s  offset %s  lag %s%s\n",
			 p->link_up < 0 ? "?" : p->link_up ? "up" : "down", number(p->offset, offset),
			 units_bytes(p->lag_bytes, lag), p->reachable ? "" : "  (not reachable from here)");
	}
	if (f->replica_total > f->replica_count)
		buf_addf(r->out, "    and %zu replicas more\n", f->replica_total - f->replica_count);
}

static bool told_before(const struct report *r, size_t index)
{
	const struct failover_record *f = model_failover_at(r->m, index);
	for (size_t i = 0; i < index; i++) {
		const struct failover_record *o = model_failover_at(r->m, i);
		if (report_tells(r, o) && o->group_id == f->group_id)
			return true;
	}
	return false;
}

void report_topology_before(struct report *r)
{
	bool any = false;
	for (size_t i = 0; i < model_failover_count(r->m); i++) {
		const struct failover_record *f = model_failover_at(r->m, i);
		if (!report_tells(r, f) || told_before(r, i))
			continue;
		if (!any)
			buf_addstr(r->out, "\n## Topology before the first failover\n\n"
					   "Links and lag as the master said last; offsets as each node's "
					   "own when the failover began.\n\n```text\n");
		any = true;
		tree(r, f);
	}
	if (any)
		buf_addstr(r->out, "```\n");
}
