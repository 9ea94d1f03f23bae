/* Every failover seen, newest first, and the selected one as a time line. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "views/failovers_private.h"

static struct failovers *failovers_of(struct view *v)
{
	return (struct failovers *)(void *)v;
}
static const struct failovers *failovers_of_const(const struct view *v)
{
	return (const struct failovers *)(const void *)v;
}

static void failovers_init(struct view *v)
{
	failovers_of(v)->lines = mem_alloc(FAILOVER_LINES_MAX * sizeof(struct failover_line));
}

static void failovers_done(struct view *v)
{
	free(failovers_of(v)->rows);
	free(failovers_of(v)->lines);
}

/* --- rows -------------------------------------------------------------------------------------- */

static void fill_running(struct failover_row *row, const struct failover_record *r)
{
	enum failover_step order[STEP_COUNT];
	size_t count = failover_steps_in_order(r, order);

	row->last_step = "begins";
	row->last_step_ms = row->begin_ms;
	if (count == 0)
		return;
	row->last_step = failover_step_words(r, order[count - 1]);
	row->last_step_ms = r->step_ms[order[count - 1]];
}

static void row_fill(struct failover_row *row, const struct failover_record *r,
		     const struct view_context *c)
{
	const struct deployment *d = model_deployment(c->model, r->deployment_id);

	*row = (struct failover_row){.id = r->id,
				     .deployment_id = r->deployment_id,
				     .group_id = r->group_id,
				     .node_id = model_node_resolve(c->model, r->new_master_id),
				     .over = r->over,
				     .aborted = r->step_ms[STEP_ABORTED] != 0 &&
						!failover_end_is_unknown(r),
				     .unknown = failover_end_is_unknown(r),
				     .doubtful = r->abort_reason[0] != '\0' ||
						 (r->over && r->step_ms[STEP_ENDED] == 0),
				     .cause = r->cause,
				     .wall_ms = r->wall_ms,
				     .begin_ms = failover_begin_ms(r)};
	row->total_ms = failover_end_ms(r) - row->begin_ms;
	row->unwritable_ms = failover_unwritable_ms(r);
	fill_running(row, r);
	text_format(row->deployment, sizeof(row->deployment), "%s", d ? d->name : "?");
	/* Without Sentinels it is called as its old master, which stands beside it. */
	row->named = r->kind == KIND_SENTINEL;
	text_format(row->name, sizeof(row->name), "%s", row->named ? r->name : row->deployment);
	text_format(row->operator_name, sizeof(row->operator_name), "%s", r->operator_name);
	text_format(row->old_master, sizeof(row->old_master), "%s", r->old_master);
	text_format(row->new_master, sizeof(row->new_master), "%s", r->new_master);
	text_format(row->leader, sizeof(row->leader), "%s", r->leader);
	failover_outcome_text(r, row->outcome, sizeof(row->outcome));
}

static bool row_matches(const struct view *v, const struct failover_row *row)
{
	char text[1400];

	snprintf(text, sizeof(text), "%s %s %s %s %s %s %s %s", row->deployment, row->name,
		 row->old_master, row->new_master, row->leader, failover_cause_name(row->cause),
		 row->operator_name, row->outcome);
	return view_matches(v, text);
}

/* What runs comes first, then the newest. */
static void rows_fill(struct failovers *f, const struct view_context *c)
{
	f->count = f->total = 0;
	for (int over = 0; over < 2; over++)
		for (size_t i = model_failover_count(c->model); i-- > 0;) {
			const struct failover_record *r = model_failover_at(c->model, i);

			if (r->over != (over == 1))
				continue;
			f->rows = mem_grow(f->rows, &f->cap, f->count + 1, sizeof(*f->rows));
			row_fill(&f->rows[f->count], r, c);
			f->total++;
			f->count += row_matches(&f->view, &f->rows[f->count]);
		}
}

/* --- totals ------------------------------------------------------------------------------------ */

static int compare_ms(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Of those in which nobody took writes for some time that is known: one by hand has none. */
static void say_outages(const struct failovers *f, char *out, size_t size)
{
	int64_t ms[FAILOVERS_MAX];
	char median[UNITS_BYTES], worst[UNITS_BYTES];
	size_t count = 0;

	for (size_t i = 0; i < f->count && count < FAILOVERS_MAX; i++)
		if (f->rows[i].unwritable_ms > 0)
			ms[count++] = f->rows[i].unwritable_ms;
	if (count == 0)
		return;
	qsort(ms, count, sizeof(ms[0]), compare_ms);
	snprintf(out, size, "; unwritable median %s, worst %s",
		 units_duration(count % 2 ? ms[count / 2] : (ms[count / 2 - 1] + ms[count / 2]) / 2,
				median),
		 units_duration(ms[count - 1], worst));
}

static void append(char *out, size_t size, size_t *said, size_t count, const char *what)
{
	size_t len = strlen(out);

	if (count > 0)
		snprintf(out + len, size - len, "%s%zu %s", (*said)++ ? ", " : ": ", count, what);
}

static void totals_fill(struct failovers *f)
{
	size_t by[CAUSE_REDOUBT + 1] = {0}, aborted = 0, unknown = 0, running = 0, said = 0, len;
	char *out = f->totals;

	for (size_t i = 0; i < f->count; i++) {
		by[f->rows[i].cause]++;
		aborted += f->rows[i].aborted;
		unknown += f->rows[i].unknown;
		running += !f->rows[i].over;
	}
	snprintf(out, sizeof(f->totals), "%zu failover%s", f->count, f->count == 1 ? "" : "s");
	append(out, sizeof(f->totals), &said, by[CAUSE_CRASH], "crash");
	append(out, sizeof(f->totals), &said, by[CAUSE_MANUAL], "manual");
	append(out, sizeof(f->totals), &said, by[CAUSE_REDOUBT], "by redoubt");
	append(out, sizeof(f->totals), &said, by[CAUSE_UNKNOWN], "of unknown cause");
	len = strlen(out);
	say_outages(f, out + len, sizeof(f->totals) - len);
	len = strlen(out);
	if (running > 0)
		snprintf(out + len, sizeof(f->totals) - len, "; %zu running", running);
	len = strlen(out);
	if (aborted > 0)
		snprintf(out + len, sizeof(f->totals) - len, "; %zu given up", aborted);
	len = strlen(out);
	if (unknown > 0)
		snprintf(out + len, sizeof(f->totals) - len, "; %zu unknown", unknown);
}

/* --- rebuild ----------------------------------------------------------------------------------- */

static const struct failover_record *record_of(const struct model *m, uint64_t id)
{
	for (size_t i = model_failover_count(m); i-- > 0;)
		if (model_failover_at(m, i)->id == id)
			return model_failover_at(m, i);
	return NULL;
}

static void failovers_rebuild(struct view *v, const struct view_context *c)
{
	struct failovers *f = failovers_of(v);
	const struct failover_record *r;
	size_t cursor = 0, deployments = 0;

	while (model_next_deployment(c->model, &cursor))
		deployments++;
	f->several = deployments > 1;
	rows_fill(f, c);
	totals_fill(f);
	list_begin(&v->list);
	if (!f->moved && !f->full)
		v->list.selected_id = 0;
	for (size_t i = 0; i < f->count; i++)
		list_add(&v->list, f->rows[i].id);
	list_end(&v->list);
	r = record_of(c->model, v->list.selected_id);
	if (!r)
		f->line_count = 0;
	else
		failovers_fill_lines(f, r, c);
	if (f->shown_id != (r ? r->id : 0))
		f->scroll = 0;
	f->shown_id = r ? r->id : 0;
	v->stale = false;
}

/* --- the view ---------------------------------------------------------------------------------- */

static unsigned scroll(struct failovers *f, enum command cmd)
{
	int page = f->page > 1 ? f->page - 1 : 1, last = (int)f->line_count - f->page;
	int was = f->scroll;

	switch (cmd) {
	case CMD_UP:
		f->scroll--;
		break;
	case CMD_DOWN:
		f->scroll++;
		break;
	case CMD_PAGE_UP:
		f->scroll -= page;
		break;
	case CMD_PAGE_DOWN:
		f->scroll += page;
		break;
	case CMD_HALF_UP:
		f->scroll -= (page + 1) / 2;
		break;
	case CMD_HALF_DOWN:
		f->scroll += (page + 1) / 2;
		break;
	case CMD_TOP:
		f->scroll = 0;
		break;
	case CMD_BOTTOM:
		f->scroll = last;
		break;
	default:
		return EFFECT_NONE;
	}
	if (f->scroll > last)
		f->scroll = last;
	if (f->scroll < 0)
		f->scroll = 0;
	return f->scroll != was ? EFFECT_REDRAW : EFFECT_DONE;
}

static unsigned failovers_act(struct view *v, const struct view_context *c, enum command cmd)
{
	struct failovers *f = failovers_of(v);
	unsigned effect;

	(void)c;
	if (cmd == CMD_ENTER) {
		f->full = !f->full && f->count > 0;
		f->scroll = 0;
		return EFFECT_REDRAW;
	}
	if (cmd == CMD_BACK && f->full) {
		f->full = false;
		return EFFECT_REDRAW;
	}
	if (cmd == CMD_BACK)
		return view_drop_filter(v) ? EFFECT_REDRAW : EFFECT_NONE;
	if (f->full)
		return scroll(f, cmd);
	effect = view_list_act(v, cmd);
	/* Another one's time line. */
	v->stale |= effect == EFFECT_REDRAW;
	f->moved = v->list.selected > 0;
	return effect;
}

static int failovers_wanted_height(const struct view *v, const struct view_context *c, int width)
{
	(void)v, (void)c, (void)width;
	return 0;
}

static void failovers_selection(const struct view *v, struct selection *out)
{
	const struct failovers *f = failovers_of_const(v);

	if (v->list.selected >= f->count)
		return;
	out->deployment_id = f->rows[v->list.selected].deployment_id;
	out->group_id = f->rows[v->list.selected].group_id;
	out->node_id = f->rows[v->list.selected].node_id;
}

uint32_t failovers_view_selected(const struct view *v)
{
	return v->ops == &failovers_view ? (uint32_t)v->list.selected_id : 0;
}

static const enum command failovers_takes[] = {CMD_ENTER, CMD_WRITE, CMD_NONE};

const struct view_ops failovers_view = {
    .name = "failovers",
    .title = "Failovers",
    .topics = TOPIC_NODES | TOPIC_TOPOLOGY | TOPIC_HEALTH | TOPIC_EVENTS | TOPIC_VALUES,
    .state_size = sizeof(struct failovers),
    .uses_filter = true,
    .takes = failovers_takes,
    .init = failovers_init,
    .done = failovers_done,
    .rebuild = failovers_rebuild,
    .draw = failovers_draw,
    .act = failovers_act,
    .wanted_height = failovers_wanted_height,
    .selection = failovers_selection,
};
