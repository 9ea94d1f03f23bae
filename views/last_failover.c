/* The latest failover of the deployment as a time line, beside the events of a wide dashboard: how
 * long each step took, while it runs and until the next one. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "model/failovers.h"
#include "views/parts.h"

#define AT_ONCE_MS 50

struct step_line {
	int64_t at_ms;
	char offset[UNITS_BYTES]; /* since the first step */
	char label[48], who[48];
};

struct last_failover {
	struct view view;
	bool known, over;
	enum health health;
	char title[160], outcome[160], led[160], unwritable[80];
	struct step_line steps[STEP_COUNT];
	size_t count;
};

static struct last_failover *last_of(struct view *v)
{
	return (struct last_failover *)(void *)v;
}
static const struct last_failover *last_of_const(const struct view *v)
{
	return (const struct last_failover *)(const void *)v;
}

static const struct failover_record *newest(const struct view_context *c)
{
	for (size_t i = model_failover_count(c->model); i-- > 0;) {
		const struct failover_record *f = model_failover_at(c->model, i);

		if (f->deployment_id == c->deployment_id)
			return f;
	}
	return NULL;
}

static void steps_fill(struct last_failover *l, const struct failover_record *f)
{
	int64_t begin_ms = failover_begin_ms(f);
	char text[UNITS_BYTES];

	l->count = 0;
	for (int s = 0; s < STEP_COUNT; s++) {
		struct step_line line = {.at_ms = f->step_ms[s]};
		int64_t spread_ms = failover_spread_ms(f, (enum failover_step)s);
		size_t at = l->count;

		if (f->step_ms[s] == 0)
			continue;
		units_duration(f->step_ms[s] - begin_ms, line.offset);
		snprintf(line.label, sizeof(line.label), "%s",
			 failover_step_words(f, (enum failover_step)s));
		if (f->step_sources[s] > 1 && spread_ms < AT_ONCE_MS)
			snprintf(line.who, sizeof(line.who), "%u say so", f->step_sources[s]);
		else if (f->step_sources[s] > 1)
			snprintf(line.who, sizeof(line.who), "%u say so, within %s",
				 f->step_sources[s], units_duration(spread_ms, text));
		/* In the order of time, which need not be the usual one. */
		for (; at > 0 && l->steps[at - 1].at_ms > line.at_ms; at--)
			l->steps[at] = l->steps[at - 1];
		l->steps[at] = line;
		l->count++;
	}
}

static void heading_fill(struct last_failover *l, const struct failover_record *f,
			 const struct view_context *c)
{
	char wall[CLOCK_ISO_BYTES], text[UNITS_BYTES];
	int64_t gap_ms = failover_unwritable_ms(f);

	text_format(l->title, sizeof(l->title), "%s  %s, %s ago  %s", clock_format_hms(f->wall_ms, wall),
		    f->name, units_age(c->now_ms - failover_begin_ms(f), text),
		    f->cause == CAUSE_UNKNOWN ? "" : failover_cause_name(f->cause));
	failover_outcome_text(f, l->outcome, sizeof(l->outcome));
	l->led[0] = '\0';
	if (f->leader[0])
		text_format(l->led, sizeof(l->led), "led by %s", f->leader);
	l->unwritable[0] = '\0';
	if (gap_ms != FACT_UNKNOWN)
		snprintf(l->unwritable, sizeof(l->unwritable), "without a writable master %s",
			 units_duration(gap_ms, text));
}

static void last_failover_rebuild(struct view *v, const struct view_context *c)
{
	struct last_failover *l = last_of(v);
	const struct failover_record *f = newest(c);

	v->stale = false;
	l->known = f != NULL;
	if (!f)
		return;
	l->over = f->over;
	l->health = !f->over		   ? HEALTH_WARNING
		    : f->abort_reason[0] ? HEALTH_CRITICAL
					   : HEALTH_OK;
	heading_fill(l, f, c);
	steps_fill(l, f);
}

static int draw_line(const struct pane *p, int y, enum style_role role, const char *text)
{
	if (!text[0] || y >= p->height)
		return y;
	pane_text(p, y, 1, -1, role, text);
	return y + 1;
}

static void last_failover_draw(struct view *v, const struct view_context *c, const struct pane *p,
			       bool focused)
{
	const struct last_failover *l = last_of_const(v);
	struct pane in = view_frame(v, p, "", focused);
	size_t first = 0;
	int y;

	(void)c;
	if (!l->known) {
		view_say(&in, STYLE_DIM, "no failover seen");
		return;
	}
	y = draw_line(&in, 0, STYLE_STRONG, l->title);
	y = draw_line(&in, y, health_style(l->health), l->outcome);
	y = draw_line(&in, y, STYLE_TEXT, l->unwritable);
	y = draw_line(&in, y, STYLE_DIM, l->led);
	/* Where not all fit, the latest are what one waits for. */
	if (in.height - y < (int)l->count)
		first = l->count - (size_t)(in.height > y ? in.height - y : 0);
	for (size_t i = first; i < l->count; i++, y++) {
		const struct step_line *s = &l->steps[i];

		pane_text_right(&in, y, 0, 9, STYLE_DIM, s->offset);
		pane_text(&in, y, 11, 18,
			  !l->over && i + 1 == l->count ? STYLE_STRONG : STYLE_TEXT, s->label);
		pane_text(&in, y, 30, -1, STYLE_DIM, s->who);
	}
}

static int last_failover_wanted_height(const struct view *v, const struct view_context *c, int width)
{
	(void)v, (void)c, (void)width;
	return STEP_COUNT + 6;
}

const struct view_ops last_failover_view = {
    .name = "last-failover",
    .title = "Last failover",
    .topics = TOPIC_EVENTS | TOPIC_TOPOLOGY | TOPIC_HEALTH,
    .state_size = sizeof(struct last_failover),
    .rebuild = last_failover_rebuild,
    .draw = last_failover_draw,
    .wanted_height = last_failover_wanted_height,
};
