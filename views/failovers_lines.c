/* One failover as lines on one clock: its steps, the time without a master, each Sentinel, each
 * replica. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "views/failovers_private.h"

struct filling {
	struct failovers *f;
	const struct failover_record *r;
	const struct view_context *c;
	int64_t begin_ms;
};

static struct failover_line *add(struct filling *w, enum failover_line_kind kind,
				 enum style_role style, const char *label)
{
	static struct failover_line beyond; /* more than there can be */
	struct failover_line *l = &beyond;

	if (w->f->line_count < FAILOVER_LINES_MAX)
		l = &w->f->lines[w->f->line_count++];
	*l = (struct failover_line){
	    .kind = kind, .style = style, .at_ms = -1, .took_ms = -1, .from_ms = -1, .to_ms = -1, .tail_ms = -1};
	text_format(l->label, sizeof(l->label), "%s", label);
	return l;
}

static int64_t since(const struct filling *w, int64_t at_ms)
{
	return at_ms != 0 ? at_ms - w->begin_ms : -1;
}

static struct failover_line *add_bar(struct filling *w, enum style_role style, const char *label,
				     int64_t from_ms, int64_t to_ms)
{
	struct failover_line *l = add(w, LINE_BAR, style, label);

	l->at_ms = from_ms;
	l->took_ms = to_ms - from_ms;
	l->from_ms = from_ms;
	l->to_ms = to_ms;
	return l;
}

/* --- words ------------------------------------------------------------------------------------- */

static void cause_text(const struct failover_record *r, char *out, size_t size)
{
	static const char *const words[] = {
	    [CAUSE_UNKNOWN] = "cause not known",
	    [CAUSE_CRASH] = "crash of the old master",
	    [CAUSE_MANUAL] = "asked for by hand, not through this redoubt",
	    [CAUSE_REDOUBT] = "asked for through this redoubt",
	};
	bool by = r->cause == CAUSE_REDOUBT && r->operator_name[0];

	text_format(out, size, "%s%s%s", words[r->cause], by ? " by " : "", by ? r->operator_name : "");
}

static void leader_text(const struct failover_record *r, char *out, size_t size)
{
	char epoch[48] = "";
	size_t votes = 0;

	for (size_t i = 0; i < r->observer_count; i++)
		votes += r->observers[i].voted_ms != 0;
	if (r->epoch != FACT_UNKNOWN)
		snprintf(epoch, sizeof(epoch), ", epoch %lld", (long long)r->epoch);
	if (r->kind != KIND_SENTINEL)
		text_format(out, size, "%s", epoch);
	else if (votes > 0)
		text_format(out, size, ", led by %s%s, %zu vote%s seen", r->leader[0] ? r->leader : "?",
			    epoch, votes, votes == 1 ? "" : "s");
	else
		text_format(out, size, ", led by %s%s", r->leader[0] ? r->leader : "?", epoch);
}

static void outage_text(const struct filling *w, char *out, size_t size)
{
	const struct failover_record *r = w->r;
	int64_t ms = failover_unwritable_ms(r);
	char text[UNITS_BYTES];

	out[0] = '\0';
	if (ms != FACT_UNKNOWN && r->step_ms[STEP_LAST_REPLY] == 0)
		snprintf(out, size, "the old master answered all the time");
	else if (ms != FACT_UNKNOWN)
		snprintf(out, size, "no writable master for %s (%lld ms)", units_duration(ms, text),
			 (long long)ms);
	else if (!r->over && r->step_ms[STEP_LAST_REPLY] != 0)
		snprintf(out, size, "no writable master for %s, and it goes on",
			 units_duration(w->c->now_ms - r->step_ms[STEP_LAST_REPLY], text));
	else if (r->over && r->step_ms[STEP_ABORTED] != 0 && r->step_ms[STEP_LOST] == 0)
		snprintf(out, size, "the old master was not lost");
	else
		snprintf(out, size, "how long there was no writable master is not known");
}

static void add_summary(struct filling *w)
{
	const struct failover_record *r = w->r;
	char wall[CLOCK_ISO_BYTES], text[FAILOVER_OUTCOME_BYTES], cause[160], leader[160];
	char took[UNITS_BYTES];
	int64_t end_ms = r->over ? failover_end_ms(r) : w->c->now_ms;
	enum style_role style = !r->over		     ? STYLE_WARNING
				: failover_end_is_unknown(r) ? STYLE_WARNING
				: r->step_ms[STEP_ABORTED] ? STYLE_CRITICAL
				: r->abort_reason[0]	     ? STYLE_WARNING
							     : STYLE_OK;

	/* Without Sentinels it is called as its old master. */
	text_format(text, sizeof(text), "%s  %s%s%s to %s", clock_format_hms_ms(r->wall_ms, wall),
		    r->kind == KIND_SENTINEL ? r->name : "", r->kind == KIND_SENTINEL ? "  " : "",
		    r->old_master[0] ? r->old_master : "?",
		    r->new_master[0] ? r->new_master
		    : failover_end_is_unknown(r) ? "?"
						   : "nobody");
	add(w, LINE_TEXT, STYLE_STRONG, text);
	failover_outcome_text(r, text, sizeof(text));
	if (r->abort_reason[0] == '-' || r->abort_reason[0] == '+')
		text_format(text + strlen(text), sizeof(text) - strlen(text), " (%s)", r->abort_reason);
	text_format(text + strlen(text), sizeof(text) - strlen(text), ", %s %s",
		    r->over ? "after" : "for", units_duration(end_ms - w->begin_ms, took));
	add(w, LINE_TEXT, style, text);
	outage_text(w, text, sizeof(text));
	add(w, LINE_TEXT, failover_unwritable_ms(r) == 0 ? STYLE_TEXT : STYLE_STRONG, text);
	cause_text(r, cause, sizeof(cause));
	leader_text(r, leader, sizeof(leader));
	text_format(text, sizeof(text), "%s%s", cause, leader);
	add(w, LINE_TEXT, STYLE_DIM, text);
}

/* --- steps ------------------------------------------------------------------------------------- */

static enum style_role step_style(const struct failover_record *r, enum failover_step s)
{
	switch (s) {
	case STEP_LOST:
	case STEP_SDOWN:
	case STEP_ODOWN:
		return STYLE_WARNING;
	case STEP_ABORTED:
		return failover_end_is_unknown(r) ? STYLE_WARNING : STYLE_CRITICAL;
	case STEP_ROLE_MASTER:
	case STEP_ENDED:
		return STYLE_OK;
	default:
		return STYLE_BAR;
	}
}

/* Each from the one before it: that is what it took. */
static void add_steps(struct filling *w)
{
	const struct failover_record *r = w->r;
	enum failover_step order[STEP_COUNT];
	size_t count = failover_steps_in_order(r, order);
	int64_t before_ms = 0, now_ms = w->c->now_ms - w->begin_ms;
	char label[80];

	for (size_t i = 0; i < count; i++) {
		enum failover_step s = order[i];
		int64_t spread_ms = failover_spread_ms(r, s);
		struct failover_line *l;

		snprintf(label, sizeof(label), "%s", failover_step_words(r, s));
		l = add(w, LINE_BAR, step_style(r, s), label);
		l->at_ms = l->to_ms = since(w, r->step_ms[s]);
		l->from_ms = before_ms;
		l->took_ms = l->to_ms - before_ms;
		if (r->step_sources[s] > 1 && s != STEP_SWITCHED_ALL && s != STEP_RECONFIGURED)
			l->tail_ms = l->to_ms + spread_ms;
		before_ms = l->to_ms;
	}
	if (!r->over)
		add_bar(w, STYLE_WARNING, "now", before_ms, now_ms)->at_ms = now_ms;
}

static void add_spans(struct filling *w)
{
	const struct failover_record *r = w->r;
	int64_t last_ms = since(w, r->step_ms[STEP_LAST_REPLY]);
	int64_t master_ms = since(w, r->step_ms[STEP_ROLE_MASTER]);
	int64_t two_ms = failover_two_masters_ms(r, w->c->now_ms);
	char text[UNITS_BYTES], words[120];

	if (last_ms >= 0 && master_ms > last_ms)
		add_bar(w, STYLE_CRITICAL, "no master", last_ms, master_ms);
	else if (last_ms >= 0 && master_ms < 0 && !r->over)
		add_bar(w, STYLE_CRITICAL, "no master", last_ms, w->c->now_ms - w->begin_ms);
	if (two_ms != FACT_UNKNOWN && two_ms > 0) {
		add_bar(w, STYLE_CRITICAL, "two masters", master_ms, master_ms + two_ms);
		if (r->stray_bytes != FACT_UNKNOWN && r->stray_bytes > 0) {
			snprintf(words, sizeof(words), "%s written to the old master then: lost",
				 units_bytes(r->stray_bytes, text));
			add(w, LINE_TEXT, STYLE_CRITICAL, words);
		}
	}
	if (r->demoted_ms != 0) {
		struct failover_line *l = add(w, LINE_BAR, STYLE_BAR, "old demoted");

		l->at_ms = l->from_ms = l->to_ms = since(w, r->demoted_ms);
	}
}

/* What the probe's writes felt, which is what clients did. */
static void add_client(struct filling *w)
{
	const struct failover_record *r = w->r;
	int64_t from_ms = since(w, r->client_failed_ms), to_ms = since(w, r->client_good_ms);
	char words[120];

	if (!r->client_probed)
		return;
	if (r->client_failed_ms == 0) {
		add(w, LINE_TEXT, STYLE_TEXT, "no write of the probe failed");
	} else {
		if (to_ms < 0)
			to_ms = (r->over ? failover_end_ms(r) : w->c->now_ms) - w->begin_ms;
		add_bar(w, STYLE_CRITICAL, "clients' outage", from_ms, to_ms > from_ms ? to_ms : from_ms);
		snprintf(words, sizeof(words), "%lld writes of the probe failed%s", (long long)r->client_failed,
			 r->client_good_ms == 0 ? ", none succeeded since" : "");
		add(w, LINE_TEXT, STYLE_CRITICAL, words);
	}
	if (r->client_lost != FACT_UNKNOWN && r->client_lost > 0) {
		snprintf(words, sizeof(words), "%lld that were acknowledged are lost", (long long)r->client_lost);
		add(w, LINE_TEXT, STYLE_CRITICAL, words);
	}
}

/* --- who said what ----------------------------------------------------------------------------- */

static void mark(struct filling *w, struct failover_line *l, int64_t at_ms, char letter)
{
	if (at_ms == 0)
		return;
	l->marks[l->mark_count].at_ms = since(w, at_ms);
	l->marks[l->mark_count++].letter = letter;
	if (l->at_ms < 0 || since(w, at_ms) < l->at_ms)
		l->at_ms = since(w, at_ms);
}

static void add_observers(struct filling *w)
{
	const struct failover_record *r = w->r;
	char addr[ENDPOINT_TEXT_BYTES], label[FAILOVER_OUTCOME_BYTES];

	if (r->observer_count == 0)
		return;
	add(w, LINE_TEXT, STYLE_TITLE,
	    r->kind == KIND_SENTINEL ? "Sentinels: d sdown, o odown, v vote, S names the new master"
				     : "Nodes: d down, o agreed, S names the new master");
	for (size_t i = 0; i < r->observer_count; i++) {
		const struct failover_observer *o = &r->observers[i];
		const struct node *n = model_node(w->c->model, o->node_id);
		bool leads = n && n->id == model_node_resolve(w->c->model, r->leader_id);
		struct failover_line *l;

		text_format(label, sizeof(label), "%s%s", n ? endpoint_format(&n->addr, addr) : "one that left",
			    leads ? " led" : "");
		l = add(w, LINE_MARKS, leads ? STYLE_STRONG : STYLE_SENTINEL_NODE, label);
		mark(w, l, o->sdown_ms, 'd');
		mark(w, l, o->odown_ms, 'o');
		mark(w, l, o->voted_ms, 'v');
		mark(w, l, o->switched_ms, 'S');
	}
}

static void add_replica(struct filling *w, const struct failover_replica *p)
{
	const struct failover_record *r = w->r;
	bool chosen = r->new_master_id != 0 && model_node_resolve(w->c->model, p->node_id) ==
						   model_node_resolve(w->c->model, r->new_master_id);
	int64_t from_ms = chosen ? since(w, r->step_ms[STEP_SELECTED]) : since(w, p->sent_ms);
	int64_t to_ms = chosen ? since(w, r->step_ms[STEP_ROLE_MASTER]) : since(w, p->done_ms);
	char label[FAILOVER_OUTCOME_BYTES];
	struct failover_line *l;

	text_format(label, sizeof(label), "%s%s", p->addr, chosen ? " chosen" : "");
	l = add(w, LINE_BAR, chosen ? STYLE_MASTER_NODE : STYLE_REPLICA_NODE, label);
	/* Without Sentinels nobody is seen to be told. */
	l->from_ms = from_ms >= 0 ? from_ms : to_ms;
	l->to_ms = to_ms >= 0 ? to_ms : from_ms;
	l->at_ms = l->from_ms;
	if (from_ms >= 0 && to_ms >= 0)
		l->took_ms = to_ms - from_ms;
	else if (from_ms >= 0)
		l->tail_ms = (r->over ? failover_end_ms(r) : w->c->now_ms) - w->begin_ms;
}

static void add_replicas(struct filling *w)
{
	const struct failover_record *r = w->r;
	char words[80];

	if (r->replica_count == 0)
		return;
	add(w, LINE_TEXT, STYLE_TITLE,
	    r->kind == KIND_SENTINEL ? "Replicas: from being told until it follows"
				     : "Replicas: when each followed");
	for (size_t i = 0; i < r->replica_count; i++)
		add_replica(w, &r->replicas[i]);
	if (r->replica_total > r->replica_count) {
		snprintf(words, sizeof(words), "%zu more replicas were not timed",
			 r->replica_total - r->replica_count);
		add(w, LINE_TEXT, STYLE_DIM, words);
	}
}

/* --- the clock --------------------------------------------------------------------------------- */

/* To the last thing on it; an old master that came back much later is told in numbers only. */
static int64_t span_of(const struct filling *w)
{
	const struct failover_record *r = w->r;
	int64_t end_ms = (r->over ? failover_end_ms(r) : w->c->now_ms) - w->begin_ms;
	int64_t two_ms = failover_two_masters_ms(r, w->c->now_ms);

	if (two_ms != FACT_UNKNOWN && since(w, r->step_ms[STEP_ROLE_MASTER]) + two_ms > end_ms)
		end_ms = since(w, r->step_ms[STEP_ROLE_MASTER]) + two_ms;
	if (since(w, r->client_good_ms) > end_ms)
		end_ms = since(w, r->client_good_ms);
	for (int s = 0; s < STEP_COUNT; s++)
		if (since(w, r->step_last_ms[s]) > end_ms)
			end_ms = since(w, r->step_last_ms[s]);
	return end_ms > 0 ? end_ms : 1;
}

void failovers_fill_lines(struct failovers *f, const struct failover_record *r,
			  const struct view_context *c)
{
	struct filling w = {f, r, c, failover_begin_ms(r)};

	f->line_count = 0;
	f->span_ms = span_of(&w);
	add_summary(&w);
	add(&w, LINE_SCALE, STYLE_DIM, "step");
	add_steps(&w);
	add_spans(&w);
	add_client(&w);
	add_observers(&w);
	add_replicas(&w);
}
