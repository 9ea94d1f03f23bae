/* The incident report: its head, what happened when, and the log. */
#include "config.h"

#include "app/report.h"

#include <stdio.h>
#include <string.h>

#include "app/report_private.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "model/health.h"

#define EVENTS_MAX    2000 /* rows; the newest are kept */
#define MOMENTS_MAX   200
#define LINE_COLUMNS  60
#define LINE_MARGIN_MS 1000

/* --- foreign words --------------------------------------------------------------------------------- */

void report_text(struct report *r, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '<')
			buf_addstr(r->out, "&lt;");
		else if (*s == '>')
			buf_addstr(r->out, "&gt;");
		else if (*s == '&')
			buf_addstr(r->out, "&amp;");
		else if (strchr("\\`*_[]|~#", *s) != NULL)
			buf_addf(r->out, "\\%c", *s);
		else
			buf_addch(r->out, *s == '\n' || *s == '\r' ? ' ' : *s);
	}
}

/* No sequence of backticks of theirs may end the block. */
void report_code(struct report *r, const char *s)
{
	for (; *s != '\0'; s++)
		buf_addch(r->out, *s == '`' ? '\'' : *s == '\n' || *s == '\r' ? ' ' : *s);
}

const char *report_time(int64_t wall_ms, char out[16])
{
	char iso[CLOCK_ISO_BYTES];
	clock_format_iso(wall_ms, iso);
	/* 2026-11-21T12:31:07.120Z */
	if (strlen(iso) == 24)
		snprintf(out, 16, "%.12s", iso + 11);
	else
		snprintf(out, 16, "?");
	return out;
}

int64_t report_wall(const struct report *r, int64_t mono_ms)
{
	return r->o->wall_ms - (r->o->now_ms - mono_ms);
}

/* --- what belongs to it ------------------------------------------------------------------------------ */

static bool tells_event(const struct report *r, const struct event *e)
{
	return e->deployment_id == r->d->id && e->last_ms >= r->from_ms && e->mono_ms <= r->o->now_ms;
}

bool report_tells(const struct report *r, const struct failover_record *f)
{
	return f->deployment_id == r->d->id && failover_end_ms(f) >= r->from_ms &&
	       failover_begin_ms(f) <= r->o->now_ms;
}

static void widen(int64_t at_ms, int64_t *first_ms, int64_t *last_ms)
{
	if (*first_ms == 0 || at_ms < *first_ms)
		*first_ms = at_ms;
	if (at_ms > *last_ms)
		*last_ms = at_ms;
}

bool report_trouble(const struct report *r, int64_t *first_ms, int64_t *last_ms)
{
	const struct event_log *log = model_events(r->m);
	*first_ms = *last_ms = 0;
	for (size_t i = 0; i < event_log_count(log); i++) {
		const struct event *e = event_log_at(log, i);
		if (!tells_event(r, e) || e->severity < SEVERITY_WARNING)
			continue;
		widen(e->mono_ms, first_ms, last_ms);
		widen(e->last_ms, first_ms, last_ms);
	}
	for (size_t i = 0; i < model_failover_count(r->m); i++) {
		const struct failover_record *f = model_failover_at(r->m, i);
		if (!report_tells(r, f))
			continue;
		widen(failover_begin_ms(f), first_ms, last_ms);
		widen(failover_end_ms(f), first_ms, last_ms);
	}
	return *first_ms != 0;
}

/* --- head ---------------------------------------------------------------------------------------- */

static void head_row(struct report *r, const char *name, const char *value)
{
	buf_addf(r->out, "| %s | ", name);
	report_text(r, value);
	buf_addstr(r->out, " |\n");
}

static void head(struct report *r)
{
	char from[CLOCK_ISO_BYTES], to[CLOCK_ISO_BYTES], length[UNITS_BYTES], text[512];
	buf_addstr(r->out, "# Incident report: ");
	report_text(r, r->d->name);
	buf_addstr(r->out, "\n\n| | |\n| --- | --- |\n");
	text_format(text, sizeof(text), "%s (%s, %zu nodes)", r->d->name, deployment_kind_name(r->d->kind),
		 r->d->member_count);
	head_row(r, "Deployment", text);
	text_format(text, sizeof(text), "%s to %s (%s)",
		 clock_format_iso(report_wall(r, r->from_ms), from), clock_format_iso(r->o->wall_ms, to),
		 units_duration(r->o->now_ms - r->from_ms, length));
	head_row(r, "Span", text);
	text_format(text, sizeof(text), "%s by %s", to, r->o->operator_name);
	head_row(r, r->o->recording != NULL ? "Moment shown" : "Written", text);
	text_format(text, sizeof(text), "redoubt %s, %s%s", r->o->version,
		 r->o->recording != NULL ? "from the recording " : "live",
		 r->o->recording != NULL ? r->o->recording : "");
	head_row(r, "Source", text);
	buf_addstr(r->out, "\nTimes are UTC, taken when the message or reply reached redoubt, on one clock.\n");
}

static void verdict_row(struct report *r, const char *name, const struct verdict *v)
{
	buf_addstr(r->out, "- ");
	report_text(r, name);
	buf_addf(r->out, ": **%s**", health_name(v->health));
	if (v->text[0] != '\0') {
		buf_addstr(r->out, ", ");
		report_text(r, v->text);
	}
	if (v->since_ms != 0) {
		char at[16];
		buf_addf(r->out, " (since %s)", report_time(report_wall(r, v->since_ms), at));
	}
	buf_addch(r->out, '\n');
}

static void verdict(struct report *r)
{
	struct verdict v;
	char phase[120];
	buf_addstr(r->out, "\n## Verdict\n\n");
	health_deployment(r->m, r->d, r->o->now_ms, &v);
	verdict_row(r, r->d->name, &v);
	for (size_t i = 0; i < r->d->group_count; i++) {
		const struct group *g = r->d->groups[i];
		health_group(r->m, g, r->o->now_ms, &v);
		if (v.health == HEALTH_OK)
			continue;
		/* A single master's is the deployment's own. */
		if (r->d->group_count > 1)
			verdict_row(r, g->name, &v);
		group_failover_text(g, r->o->now_ms, phase, sizeof(phase));
		if (phase[0] != '\0')
			buf_addf(r->out, "  - failover: %s\n", phase);
	}
}

/* What is well at the end of the span need not have been so in it. */
static void worst_of_span(struct report *r)
{
	const struct event_log *log = model_events(r->m);
	const struct event *worst = NULL;
	struct verdict v;
	char at[16];
	for (size_t i = 0; i < event_log_count(log); i++) {
		const struct event *e = event_log_at(log, i);
		if (tells_event(r, e) && e->severity >= SEVERITY_WARNING &&
		    (worst == NULL || e->severity > worst->severity ||
		     (e->severity == worst->severity && e->kind == EVENT_DISAGREEMENT &&
		      worst->kind != EVENT_DISAGREEMENT)))
			worst = e;
	}
	health_deployment(r->m, r->d, r->o->now_ms, &v);
	if (worst == NULL || v.health >= (worst->severity == SEVERITY_CRITICAL ? HEALTH_CRITICAL : HEALTH_WARNING))
		return;
	buf_addf(r->out, "- The worst before: **%s** at %s, ", severity_name(worst->severity),
		 report_time(worst->wall_ms, at));
	report_text(r, worst->name);
	buf_addch(r->out, ' ');
	report_text(r, worst->subject);
	buf_addf(r->out, ": %s", event_kind_info(worst->kind)->help);
	if (worst->detail[0] != '\0') {
		buf_addstr(r->out, " (");
		report_text(r, worst->detail);
		buf_addch(r->out, ')');
	}
	buf_addch(r->out, '\n');
}

/* --- time line ------------------------------------------------------------------------------------ */

struct line {
	int64_t from_ms, to_ms;
	char lanes[4][LINE_COLUMNS + 1];
};
enum lane { LANE_CRITICAL, LANE_WARNING, LANE_FAILOVER, LANE_OPERATOR };

static size_t column(const struct line *l, int64_t at_ms)
{
	int64_t span = l->to_ms - l->from_ms;
	if (at_ms <= l->from_ms || span <= 0)
		return 0;
	if (at_ms >= l->to_ms)
		return LINE_COLUMNS - 1;
	return (size_t)((double)(at_ms - l->from_ms) / (double)span * (LINE_COLUMNS - 1));
}

static void draw_failover(struct line *l, const struct failover_record *f)
{
	size_t from = column(l, failover_begin_ms(f));
	size_t to = f->over ? column(l, failover_end_ms(f)) : LINE_COLUMNS - 1;
	memset(l->lanes[LANE_FAILOVER] + from, '=', to - from + 1);
	l->lanes[LANE_FAILOVER][to] = !f->over ? '>' : f->step_ms[STEP_ABORTED] != 0 ? 'x' : 'M';
	if (f->step_ms[STEP_ROLE_MASTER] != 0)
		l->lanes[LANE_FAILOVER][column(l, f->step_ms[STEP_ROLE_MASTER])] = 'W';
}

static void draw_events(struct report *r, struct line *l)
{
	const struct event_log *log = model_events(r->m);
	for (size_t i = 0; i < event_log_count(log); i++) {
		const struct event *e = event_log_at(log, i);
		if (!tells_event(r, e))
			continue;
		size_t at = column(l, e->mono_ms);
		if (e->kind == EVENT_ACTION)
			l->lanes[LANE_OPERATOR][at] = 'a';
		else if (e->severity == SEVERITY_CRITICAL)
			l->lanes[LANE_CRITICAL][at] = '#';
		else if (e->severity == SEVERITY_WARNING)
			l->lanes[LANE_WARNING][at] = '!';
	}
}

static void overview(struct report *r, int64_t first_ms, int64_t last_ms)
{
	static const char *const names[] = { "critical", "warning", "failover", "operator" };
	struct line l = { .from_ms = first_ms - LINE_MARGIN_MS, .to_ms = last_ms + LINE_MARGIN_MS };
	char from[16], to[16], length[UNITS_BYTES];
	memset(l.lanes, '.', sizeof(l.lanes));
	for (size_t i = 0; i < model_failover_count(r->m); i++)
		if (report_tells(r, model_failover_at(r->m, i)))
			draw_failover(&l, model_failover_at(r->m, i));
	draw_events(r, &l);
	buf_addf(r->out, "```text\n          %s%*s\n", report_time(report_wall(r, l.from_ms), from),
		 LINE_COLUMNS - 12, report_time(report_wall(r, l.to_ms), to));
	for (size_t i = 0; i < 4; i++)
		buf_addf(r->out, "%-9s %.*s\n", names[i], LINE_COLUMNS, l.lanes[i]);
	buf_addf(r->out, "```\n\n%s from the first trouble to the last. `#` critical, `!` warning, `a` an "
			 "operator's action; a failover from its first sign `=` over the writable master "
			 "`W` to its end `M` (`x` given up, `>` running).\n",
		 units_duration(last_ms - first_ms, length));
}

struct moment {
	int64_t at_ms, wall_ms;
	const struct event *event;
};

/* What made a difference: from warnings on, and what an operator did. */
static bool is_moment(const struct event *e)
{
	return e->severity >= SEVERITY_WARNING || e->kind == EVENT_ACTION ||
	       e->kind == EVENT_LINK_BACK || e->kind == EVENT_NODE_FAIL_OVER ||
	       e->kind == EVENT_SDOWN_OVER || e->kind == EVENT_PROMOTED_SLAVE ||
	       e->kind == EVENT_FAILOVER_END || e->kind == EVENT_CLUSTER_UP ||
	       e->kind == EVENT_SLOTS_MOVED || e->kind == EVENT_CONVERT_TO_SLAVE;
}

static void sources(struct report *r, const struct event *e)
{
	char text[UNITS_BYTES];
	for (unsigned i = 0; i < e->source_count; i++) {
		buf_addstr(r->out, i > 0 ? ", " : "");
		report_text(r, e->sources[i].addr);
		if (e->sources[i].mono_ms != e->mono_ms)
			buf_addf(r->out, " +%lld ms", (long long)(e->sources[i].mono_ms - e->mono_ms));
	}
	if (e->source_total > e->source_count)
		buf_addf(r->out, " and %s more",
			 units_count((int64_t)e->source_total - e->source_count, text));
}

static void moment_row(struct report *r, const struct event *e, int64_t first_ms)
{
	char at[16];
	buf_addf(r->out, "| %s | %+.3f s | %s | ", report_time(e->wall_ms, at),
		 (double)(e->mono_ms - first_ms) / 1000.0, severity_name(e->severity));
	report_text(r, e->name);
	buf_addstr(r->out, " | ");
	report_text(r, e->subject);
	if (e->addr[0] != '\0' && strcmp(e->addr, e->subject) != 0) {
		buf_addch(r->out, ' ');
		report_text(r, e->addr);
	}
	buf_addf(r->out, " | %s", event_kind_info(e->kind)->help);
	if (e->detail[0] != '\0') {
		buf_addstr(r->out, " (");
		report_text(r, e->detail);
		buf_addch(r->out, ')');
	}
	buf_addstr(r->out, " |\n");
}

static void moments(struct report *r, int64_t first_ms)
{
	const struct event_log *log = model_events(r->m);
	size_t total = 0, seen = 0;
	for (size_t i = 0; i < event_log_count(log); i++)
		total += tells_event(r, event_log_at(log, i)) && is_moment(event_log_at(log, i));
	if (total == 0)
		return;
	buf_addstr(r->out, "\n| Time | Since the first | Severity | Event | Of | What |\n"
			   "| --- | ---: | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < event_log_count(log); i++) {
		const struct event *e = event_log_at(log, i);
		if (!tells_event(r, e) || !is_moment(e) || total - seen++ > MOMENTS_MAX)
			continue;
		moment_row(r, e, first_ms);
	}
	if (total > MOMENTS_MAX)
		buf_addf(r->out, "\n%zu earlier ones are left out.\n", total - MOMENTS_MAX);
}

static void time_line(struct report *r)
{
	int64_t first_ms, last_ms;
	buf_addstr(r->out, "\n## Time line\n\n");
	if (!report_trouble(r, &first_ms, &last_ms)) {
		buf_addstr(r->out, "Nothing went wrong in this span.\n");
		first_ms = r->from_ms;
	} else {
		overview(r, first_ms, last_ms);
	}
	moments(r, first_ms);
}

/* --- the log -------------------------------------------------------------------------------------- */

static void actions(struct report *r)
{
	const struct event_log *log = model_events(r->m);
	char at[16];
	bool any = false;
	buf_addstr(r->out, "\n## Operator actions\n\n");
	for (size_t i = 0; i < event_log_count(log); i++) {
		const struct event *e = event_log_at(log, i);
		if (!tells_event(r, e) || e->kind != EVENT_ACTION)
			continue;
		if (!any)
			buf_addstr(r->out, "| Time | Of | Sent to | Command, operator and outcome |\n"
					   "| --- | --- | --- | --- |\n");
		any = true;
		buf_addf(r->out, "| %s | ", report_time(e->wall_ms, at));
		report_text(r, e->subject);
		buf_addstr(r->out, " | ");
		report_text(r, e->addr);
		buf_addstr(r->out, " | ");
		report_text(r, e->detail);
		buf_addstr(r->out, " |\n");
	}
	if (!any)
		buf_addstr(r->out, "None from this redoubt.\n");
}

static void event_row(struct report *r, const struct event *e)
{
	char at[16];
	buf_addf(r->out, "| %s | %s | ", report_time(e->wall_ms, at), severity_name(e->severity));
	report_text(r, e->name);
	buf_addstr(r->out, " | ");
	report_text(r, e->subject);
	buf_addstr(r->out, " | ");
	report_text(r, e->addr);
	buf_addstr(r->out, " | ");
	report_text(r, e->detail);
	buf_addstr(r->out, " | ");
	sources(r, e);
	buf_addstr(r->out, " |\n");
}

static void events(struct report *r)
{
	const struct event_log *log = model_events(r->m);
	size_t total = 0, seen = 0;
	for (size_t i = 0; i < event_log_count(log); i++)
		total += tells_event(r, event_log_at(log, i));
	buf_addstr(r->out, "\n## Events\n\n");
	if (total == 0) {
		buf_addstr(r->out, "None.\n");
		return;
	}
	if (total > EVENTS_MAX)
		buf_addf(r->out, "The last %d of %zu.\n\n", EVENTS_MAX, total);
	buf_addstr(r->out, "| Time | Severity | Event | Of | Address | Detail | Said by |\n"
			   "| --- | --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < event_log_count(log); i++)
		if (tells_event(r, event_log_at(log, i)) && total - seen++ <= EVENTS_MAX)
			event_row(r, event_log_at(log, i));
}

/* --- the whole ------------------------------------------------------------------------------------ */

/* The log may not go back as far as was asked. */
static int64_t span_begin(const struct report *r)
{
	const struct event_log *log = model_events(r->m);
	int64_t oldest = r->o->now_ms;
	for (size_t i = 0; i < event_log_count(log); i++) {
		const struct event *e = event_log_at(log, i);
		if (e->deployment_id != r->d->id)
			continue;
		oldest = e->mono_ms < oldest ? e->mono_ms : oldest;
		break;
	}
	for (size_t i = 0; i < model_failover_count(r->m); i++) {
		const struct failover_record *f = model_failover_at(r->m, i);
		if (f->deployment_id == r->d->id && failover_begin_ms(f) < oldest)
			oldest = failover_begin_ms(f);
	}
	return r->o->from_ms > oldest ? r->o->from_ms : oldest;
}

void report_write(const struct model *m, const struct report_options *o, struct buf *out)
{
	struct report r = { .m = m, .o = o, .d = model_deployment(m, o->deployment_id), .out = out };
	if (r.d == NULL) {
		buf_addstr(out, "# Incident report\n\nThe deployment is not known any more.\n");
		return;
	}
	r.from_ms = span_begin(&r);
	head(&r);
	verdict(&r);
	worst_of_span(&r);
	time_line(&r);
	report_failovers(&r);
	report_clients(&r);
	report_topology_before(&r);
	report_topology_now(&r);
	report_replication(&r);
	report_slots(&r);
	report_findings(&r);
	actions(&r);
	events(&r);
}

/* --- one failover alone --------------------------------------------------------------------------- */

static void failover_head(struct report *r, const struct failover_record *f, const struct report_options *o)
{
	char iso[CLOCK_ISO_BYTES], text[512];
	buf_addstr(r->out, "# Failover: ");
	report_text(r, f->name);
	buf_addf(r->out, ", %s\n\n| | |\n| --- | --- |\n", clock_format_iso(f->wall_ms, iso));
	text_format(text, sizeof(text), "%s (%s)", r->d->name, deployment_kind_name(r->d->kind));
	head_row(r, "Deployment", text);
	text_format(text, sizeof(text), "%s by %s", clock_format_iso(o->wall_ms, iso), o->operator_name);
	head_row(r, o->recording != NULL ? "Moment shown" : "Written", text);
	text_format(text, sizeof(text), "redoubt %s, %s%s", o->version,
		 o->recording != NULL ? "from the recording " : "live",
		 o->recording != NULL ? o->recording : "");
	head_row(r, "Source", text);
	buf_addstr(r->out, "\nTimes are UTC, taken when the message or reply reached redoubt, on one clock.\n");
}

bool report_write_failover(const struct model *m, const struct report_options *o, uint32_t failover_id,
			   struct buf *out)
{
	const struct failover_record *f = NULL;
	for (size_t i = 0; i < model_failover_count(m) && (f == NULL || f->id != failover_id); i++)
		f = model_failover_at(m, i);
	const struct deployment *d = f != NULL ? model_deployment(m, f->deployment_id) : NULL;
	if (d == NULL || f->id != failover_id)
		return false;
	/* The log of its own time, until the old master is demoted. */
	struct report_options own = *o;
	int64_t end_ms = failover_end_ms(f) > f->demoted_ms ? failover_end_ms(f) : f->demoted_ms;
	own.deployment_id = d->id;
	own.from_ms = failover_begin_ms(f);
	if (f->over && end_ms + LINE_MARGIN_MS < o->now_ms)
		own.now_ms = end_ms + LINE_MARGIN_MS;
	own.wall_ms = o->wall_ms - (o->now_ms - own.now_ms);
	struct report r = { .m = m, .o = &own, .d = d, .from_ms = own.from_ms, .out = out };
	failover_head(&r, f, o);
	report_failover_alone(&r, f);
	events(&r);
	return true;
}
