/* Who says what of whom. With Sentinels a text per master, the worst first and open: can it fail
 * over, to whom, what each Sentinel says of it, which replicas are passed over, and who is listed
 * although nobody can reach it. In a cluster: what CLUSTER INFO of each node says. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "views/agreement_private.h"

static struct agree_view *agreement_of_view(struct view *v)
{
	return (struct agree_view *)(void *)v;
}

static void agreement_done(struct view *v)
{
	struct agree_view *t = agreement_of_view(v);

	free(t->lines);
	free(t->groups);
	free(t->table.speakers);
	buf_free(&t->texts);
}

/* --- rebuild ------------------------------------------------------------------------------- */

struct ranked {
	uint32_t id, at; /* at: by name */
	int badness;
};

static int ranked_compare(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;

	if (a->badness != b->badness)
		return a->badness > b->badness ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

static int badness_of(const struct view_context *c, const struct group *g)
{
	struct agreement a;
	struct verdict verdict;

	agreement_of(c->model, g, c->now_ms, &a);
	health_group(c->model, g, c->now_ms, &verdict);
	if (a.split_brain)
		return 100;
	return 10 * (int)verdict.health + (a.known && !a.agree);
}

static void rank_groups(struct agree_view *t, const struct view_context *c,
			const struct deployment *d)
{
	size_t count = d ? d->group_count : 0;
	struct ranked *ranked = mem_alloc((count ? count : 1) * sizeof(*ranked));

	for (size_t i = 0; i < count; i++)
		ranked[i] = (struct ranked){
		    d->groups[i]->id, (uint32_t)i,
		    d->kind == KIND_CLUSTER ? 0 : badness_of(c, d->groups[i])};
	qsort(ranked, count, sizeof(*ranked), ranked_compare);
	t->groups = mem_grow(t->groups, &t->group_cap, count, sizeof(*t->groups));
	for (size_t i = 0; i < count; i++)
		t->groups[i] = ranked[i].id;
	t->group_count = count;
	free(ranked);
}

static void agreement_rebuild(struct view *v, const struct view_context *c)
{
	struct agree_view *t = agreement_of_view(v);

	rank_groups(t, c, model_deployment(c->model, c->deployment_id));
	if (t->word_of && (!model_node(c->model, t->word_of) || !model_group(c->model, t->word_group)))
		t->word_of = 0;
	/* Before the first frame nobody knows how wide it will be. */
	if (t->width == 0)
		t->width = 78;
	agree_make_lines(t, c);
	v->stale = false;
}

/* --- the view ------------------------------------------------------------------------------ */

static struct agree_line *selected_line(struct agree_view *t)
{
	return t->view.list.selected < t->count ? &t->lines[t->view.list.selected] : NULL;
}

static uint32_t node_of(const struct agree_view *t, const struct agree_line *line)
{
	if (line->kind == AGREE_LINE_CELLS && t->table.turned)
		return t->speaker;
	return line->node_id;
}

static unsigned enter(struct agree_view *t, const struct view_context *c)
{
	const struct agree_line *line = selected_line(t);
	const struct node *n = line ? model_node(c->model, node_of(t, line)) : NULL;

	if (!line)
		return EFFECT_DONE;
	if (line->kind == AGREE_LINE_HEADING && t->group_count > 1 && t->table.kind != KIND_CLUSTER) {
		t->all_closed = line->group_id == t->opened ||
				(t->opened == 0 && !t->all_closed &&
				 line->group_id == t->groups[0]);
		t->opened = t->all_closed ? 0 : line->group_id;
		t->view.stale = true;
		return EFFECT_REDRAW;
	}
	if (!n)
		return EFFECT_DONE;
	if (!n->is_sentinel || !line->group_id || t->word_of)
		return EFFECT_OPEN_NODE;
	t->word_of = n->id;
	t->word_group = line->group_id;
	t->view.list.top = 0;
	t->view.stale = true;
	return EFFECT_REDRAW;
}

static unsigned agreement_act(struct view *v, const struct view_context *c, enum command cmd)
{
	struct agree_view *t = agreement_of_view(v);

	switch (cmd) {
	case CMD_ENTER:
		return enter(t, c);
	case CMD_BACK:
		if (t->word_of) {
			t->word_of = 0;
			v->stale = true;
			return EFFECT_REDRAW;
		}
		return view_drop_filter(v) ? EFFECT_REDRAW : EFFECT_NONE;
	case CMD_LEFT:
	case CMD_RIGHT:
		return agree_table_scroll(t, cmd == CMD_RIGHT) ? EFFECT_REDRAW : EFFECT_NONE;
	default:
		return view_list_act(v, cmd);
	}
}

static void agreement_selection(const struct view *v, struct selection *out)
{
	const struct agree_view *t = (const struct agree_view *)(const void *)v;
	const struct agree_line *line;

	if (v->list.selected >= t->count)
		return;
	line = &t->lines[v->list.selected];
	out->group_id = line->group_id;
	out->node_id = node_of(t, line);
}

static const enum command takes[] = {CMD_ENTER, CMD_LEFT, CMD_RIGHT, CMD_NONE};

const struct view_ops agreement_view = {
    .name = "agreement",
    .title = "Agreement",
    .topics = TOPIC_NODES | TOPIC_TOPOLOGY | TOPIC_HEALTH | TOPIC_VALUES,
    .state_size = sizeof(struct agree_view),
    .uses_filter = true,
    .takes = takes,
    .done = agreement_done,
    .rebuild = agreement_rebuild,
    .draw = agreement_draw,
    .act = agreement_act,
    .selection = agreement_selection,
};
