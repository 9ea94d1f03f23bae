/* How far each replica is behind its master: a bar on one shared scale, and in words what is wrong
 * or what comes next. Rows are filled in when first drawn, as in the topology. */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "views/replication_private.h"

#define ID_GROUP     ((uint64_t)1 << 32)
#define ID_NOTE      ((uint64_t)2 << 32)
#define ID_NONE      ((uint64_t)3 << 32)
#define SCALE_MIN    10000   /* bytes: what is in flight on a healthy link must not fill a bar */

static struct replication *replication_of(struct view *v)
{
	return (struct replication *)(void *)v;
}
static const struct replication *replication_of_const(const struct view *v)
{
	return (const struct replication *)(const void *)v;
}

static void replication_done(struct view *v)
{
	free(replication_of(v)->rows);
}

static struct repl_row *row_add(struct replication *r, uint64_t id)
{
	struct repl_row *row;

	r->rows = mem_grow(r->rows, &r->cap, r->count + 1, sizeof(*r->rows));
	row = &r->rows[r->count++];
	memset(row, 0, offsetof(struct repl_row, spark));
	row->id = id;
	row->spark_count = 0;
	row->spark_max = 0;
	return row;
}

/* 1, 2, 5, 10, 20, 50 ... : the scale's end holds still while the lag moves. */
static int64_t scale_for(int64_t most)
{
	int64_t step = SCALE_MIN;

	while (step < INT64_MAX / 10) {
		if (most <= step)
			return step;
		if (most <= 2 * step)
			return 2 * step;
		if (most <= 5 * step)
			return 5 * step;
		step *= 10;
	}
	return step;
}

static void fill_all(struct replication *r, const struct view_context *c)
{
	if (r->filled_all)
		return;
	r->filled_all = true;
	for (size_t i = 0; i < r->count; i++)
		replication_fill_row(&r->rows[i], c);
}

/* --- rebuild ------------------------------------------------------------------------------- */

/* Where there is no column for it, what a replica's row has to say comes in a row below. */
static void note_add(struct replication *r, const struct view_context *c)
{
	size_t of = r->count - 1;
	struct repl_row *row;
	char words[300];

	replication_fill_row(&r->rows[of], c);
	if (r->rows[of].bar_means_nothing) /* the message stands where the bar would */
		snprintf(words, sizeof(words), "%s", r->rows[of].outlook);
	else
		replication_row_words(&r->rows[of], words, sizeof(words));
	if (!words[0])
		return;
	row = row_add(r, ID_NOTE | r->rows[of].node_id);
	row->note = row->filled = true;
	row->group_id = r->rows[of].group_id;
	row->node_id = r->rows[of].node_id;
	row->health = r->rows[of].health;
	snprintf(row->message, sizeof(row->message), "%.159s", words);
}

/* Nothing below a heading would leave open whether there is nothing, or nothing known. */
static void none_add(struct replication *r, const struct view_context *c, const struct group *g)
{
	const struct node *master = model_node(c->model, g->master_id);
	struct repl_row *row = row_add(r, ID_NONE | g->id);

	row->note = row->filled = true;
	row->group_id = g->id;
	row->health = HEALTH_UNKNOWN;
	snprintf(row->message, sizeof(row->message), "%s",
		 master && master->info_at_ms ? "no replicas" : "no replicas known");
}

static void group_add(struct replication *r, const struct view_context *c, const struct group *g,
		      bool headings, int64_t *most)
{
	struct repl_row *row;
	size_t before = r->replicas;

	if (headings) {
		row = row_add(r, ID_GROUP | g->id);
		row->heading = true;
		row->group_id = g->id;
		snprintf(row->name, sizeof(row->name), "%.79s", g->name);
	}
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(c->model, g->member_ids[i]);
		char addr[ENDPOINT_TEXT_BYTES];

		if (!n || n->id == model_node_resolve(c->model, g->master_id))
			continue;
		row = row_add(r, n->id);
		row->group_id = g->id;
		row->node_id = n->id;
		snprintf(row->name, sizeof(row->name), "%.79s", endpoint_format(&n->addr, addr));
		if (text_width(row->name) > r->name_width)
			r->name_width = text_width(row->name);
		if (lag_bytes_of(c->model, n) > *most) /* unknown is less than nothing */
			*most = lag_bytes_of(c->model, n);
		r->replicas++;
		if (r->narrow)
			note_add(r, c);
	}
	if (headings && r->replicas == before)
		none_add(r, c, g);
}

static void filter_rows(struct replication *r, const struct view_context *c)
{
	size_t kept = 0, heading = SIZE_MAX;
	char group[80] = "";

	fill_all(r, c);
	for (size_t i = 0; i < r->count; i++) {
		char text[512];

		if (r->rows[i].heading) {
			heading = i;
			snprintf(group, sizeof(group), "%s", r->rows[i].name);
			continue;
		}
		snprintf(text, sizeof(text), "%s %s %s %s %s", group, r->rows[i].name,
			 r->rows[i].message, r->rows[i].outlook, health_name(r->rows[i].health));
		if (!view_matches(&r->view, text))
			continue;
		if (heading != SIZE_MAX) {
			if (kept != heading)
				r->rows[kept] = r->rows[heading];
			kept++;
			heading = SIZE_MAX;
		}
		if (kept != i)
			r->rows[kept] = r->rows[i];
		kept++;
	}
	r->count = kept;
}

static void replication_rebuild(struct view *v, const struct view_context *c)
{
	struct replication *r = replication_of(v);
	const struct deployment *d = model_deployment(c->model, c->deployment_id);
	int64_t most = 0;
	bool headings;

	r->count = r->replicas = 0;
	r->name_width = 0;
	r->filled_all = false;
	/* A shard's name is its master's address, which a narrow pane has better use for. */
	headings = !(r->narrow && d && d->kind == KIND_CLUSTER);
	for (size_t i = 0; d && i < d->group_count; i++)
		group_add(r, c, d->groups[i], headings, &most);
	r->scale_bytes = scale_for(most);
	if (v->filter[0])
		filter_rows(r, c);
	else if (c->frozen) /* of this moment, wherever it is scrolled to */
		fill_all(r, c);
	list_begin(&v->list);
	for (size_t i = 0; i < r->count; i++)
		list_add(&v->list, r->rows[i].id);
	list_end(&v->list);
	v->stale = false;
}

/* 1, 2 or 5 of a unit: no fraction to show. */
static char *scale_text(int64_t bytes, char *out)
{
	char *zero;

	units_bytes(bytes, out);
	zero = strstr(out, ".0");
	if (zero)
		memmove(zero, zero + 2, strlen(zero + 2) + 1);
	return out;
}

static void replication_draw(struct view *v, const struct view_context *c, const struct pane *p,
			     bool focused)
{
	struct replication *r = replication_of(v);
	char scale[UNITS_BYTES], extra[64];
	bool narrow;
	struct pane in;
	struct repl_layout l;
	size_t first;

	snprintf(extra, sizeof(extra), "bars 0..%s", scale_text(r->scale_bytes, scale));
	in = view_frame(v, p, r->replicas > 0 ? extra : "", focused);
	l = replication_layout(r, in.width - 1);
	narrow = l.message_at <= l.bar_at;
	if (narrow != r->narrow && !c->frozen) { /* other rows: see group_add */
		r->narrow = narrow;
		replication_rebuild(v, c);
	}
	if (c->frozen)
		fill_all(r, c);
	if (r->count == 0) {
		view_say(&in, STYLE_DIM,
			 v->filter[0] ? "nothing matches the filter" : "no replicas known");
		return;
	}
	if (replication_has_titles(&l) && in.height >= 5) {
		replication_draw_titles(&in, &l);
		in = pane_sub(&in, 1, 0, in.height - 1, in.width);
	}
	first = list_layout(&v->list, in.height);
	for (int y = 0; y < in.height && first + (size_t)y < r->count; y++) {
		struct repl_row *row = &r->rows[first + (size_t)y];

		replication_fill_row(row, c);
		if (row->heading)
			replication_draw_heading(&in, y, row, &l);
		else if (row->note)
			replication_draw_note(&in, y, row);
		else
			replication_draw_replica(&in, y, row, &l, r->scale_bytes);
		if (focused && first + (size_t)y == v->list.selected)
			pane_restyle(&in, y, 0, in.width, STYLE_SELECTED);
	}
	list_draw_marks(&v->list, &in);
}

static unsigned replication_act(struct view *v, const struct view_context *c, enum command cmd)
{
	(void)c;
	if (cmd == CMD_BACK)
		return view_drop_filter(v) ? EFFECT_REDRAW : EFFECT_NONE;
	return view_list_act(v, cmd);
}

static int replication_wanted_height(const struct view *v, const struct view_context *c, int width)
{
	const struct replication *r = replication_of_const(v);
	const struct deployment *d = model_deployment(c->model, c->deployment_id);
	struct repl_layout l = replication_layout(r, width - 3);
	size_t count = r->count;

	/* Not drawn narrow yet: the rows are not what they will be. */
	if (l.message_at <= l.bar_at && !r->narrow && d && d->kind == KIND_CLUSTER)
		count = r->replicas;
	return (int)(count < 1000 ? count : 1000) + 2 + replication_has_titles(&l);
}

static void replication_selection(const struct view *v, struct selection *out)
{
	const struct replication *r = replication_of_const(v);

	if (v->list.selected >= r->count)
		return;
	out->group_id = r->rows[v->list.selected].group_id;
	out->node_id = r->rows[v->list.selected].node_id;
}

const struct view_ops replication_view = {
    .name = "replication",
    .title = "Replication",
    .topics = TOPIC_NODES | TOPIC_TOPOLOGY | TOPIC_HEALTH | TOPIC_VALUES,
    .state_size = sizeof(struct replication),
    .uses_filter = true,
    .done = replication_done,
    .rebuild = replication_rebuild,
    .draw = replication_draw,
    .act = replication_act,
    .wanted_height = replication_wanted_height,
    .selection = replication_selection,
};
