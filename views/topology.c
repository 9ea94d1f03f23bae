/* Who follows whom: a tree per master or shard, then the Sentinels.
 *
 * rebuild makes the rows in order, linear in the nodes; what a row says is filled in when it is
 * first drawn, since most rows of a large deployment are out of sight. At the moment of
 * freezing all are filled, so that a frozen screen shows that moment wherever it is scrolled to. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/failovers.h"
#include "model/probe.h"
#include "views/topology_private.h"

static struct topology *topology_of(struct view *v)
{
	return (struct topology *)(void *)v;
}
static const struct topology *topology_of_const(const struct view *v)
{
	return (const struct topology *)(const void *)v;
}

static void topology_done(struct view *v)
{
	free(topology_of(v)->rows);
	free(topology_of(v)->owned);
}

/* --- rebuild ------------------------------------------------------------------------------- */

static int name_compare(const void *a, const void *b)
{
	return strverscmp(((const struct topo_row *)a)->name, ((const struct topo_row *)b)->name);
}

/* Whom the last failover left behind: until the Sentinels list it as a replica it is in no group. */
static const struct node *old_master_of(const struct model *m, const struct group *g)
{
	for (size_t i = model_failover_count(m); i-- > 0;) {
		const struct failover_record *f = model_failover_at(m, i);
		const struct node *old;

		if (f->group_id != g->id)
			continue;
		old = model_node(m, f->old_master_id);
		return old && old->group_id == 0 && old->deployment_id == g->deployment_id ? old
											   : NULL;
	}
	return NULL;
}

static bool is_old_master(const struct view_context *c, const struct node *n)
{
	const struct deployment *d = model_deployment(c->model, n->deployment_id);

	for (size_t i = 0; d && i < d->group_count; i++)
		if (old_master_of(c->model, d->groups[i]) == n)
			return true;
	return false;
}

/* Sentinels, then what nobody has put anywhere yet. */
static void loose_add(struct topology *t, const struct view_context *c, bool sentinels)
{
	const struct node *n;
	size_t cursor = 0, total = 0, up = 0, heading = 0;

	while ((n = model_next_member(c->model, c->deployment_id, &cursor))) {
		struct topo_row *row;

		if (n->is_sentinel != sentinels ||
		    (!sentinels && (n->group_id != 0 || is_old_master(c, n))))
			continue;
		if (total++ == 0) {
			heading = t->count;
			row = topology_row_add(t, ID_HEADING | (sentinels ? 1 : 2), ROW_HEADING);
			snprintf(row->name, sizeof(row->name), "%s",
				 sentinels ? "Sentinels" : "Unassigned");
		}
		up += n->link.state == LINK_UP;
		topology_row_add_node(t, n, 0, 0, true, 0);
	}
	if (total == 0)
		return;
	qsort(&t->rows[heading + 1], total, sizeof(*t->rows), name_compare);
	t->rows[heading].filled = true;
	t->rows[heading].health = up == total ? HEALTH_OK : HEALTH_WARNING;
	if (sentinels)
		snprintf(t->rows[heading].state, sizeof(t->rows[heading].state),
			 "%zu of %zu answer", up, total);
	else /* it has not said, and nobody else has: mostly since it cannot be asked */
		snprintf(t->rows[heading].state, sizeof(t->rows[heading].state),
			 "role and master not known");
}

#define WEIGHED_MAX 16 /* masters: of more the heads alone say whether they can fail over */

/* The first reason, or where there is room all of them. What stands against a shard or a plain set its rows
 * show themselves; that our own user may not, they do not. */
static void reasons_add(struct topology *t, const struct view_context *c, const struct group *g,
			bool sentinels, bool ckquorum)
{
	const struct readiness *r = &t->chance.ready;
	size_t shown = 0;

	topology_weigh(t, c, g);
	if (r->verdict == READY_YES || group_failover_running(c->model, g, c->now_ms))
		return;
	for (int pass = READY_NO; pass > READY_UNKNOWN; pass--)
		for (size_t i = 0; i < r->reason_count; i++) {
			if (r->reasons[i].verdict != (enum ready)pass || (!sentinels && !r->reasons[i].own) ||
			    (ckquorum && strncmp(r->reasons[i].text, "CKQUORUM", 8) == 0))
				continue;
			if (shown++ > 0 && !t->roomy) {
				t->reasons++;
				continue;
			}
			topology_row_add(t, ID_REASON + ((uint64_t)i << 32) + g->id, ROW_NOTE)
			    ->group_id = g->id;
		}
}

static void notes_add(struct topology *t, const struct view_context *c, const struct group *g)
{
	const struct deployment *d = model_deployment(c->model, g->deployment_id);
	bool ckquorum = g->ckquorum_at_ms != 0 && !g->ckquorum.ok;

	if (group_failover_running(c->model, g, c->now_ms))
		topology_row_add(t, ID_FAILOVER | g->id, ROW_NOTE)->group_id = g->id;
	if (ckquorum)
		topology_row_add(t, ID_CKQUORUM | g->id, ROW_NOTE)->group_id = g->id;
	if (probe_of(g) != NULL)
		topology_row_add(t, ID_CLIENT | g->id, ROW_NOTE)->group_id = g->id;
	if (d && d->group_count <= WEIGHED_MAX)
		reasons_add(t, c, g, d->kind == KIND_SENTINEL, ckquorum);
}

static void group_add(struct topology *t, const struct view_context *c, const struct group *g,
		      const struct index_entry *owners, size_t owner_count)
{
	struct topo_row *row = topology_row_add(t, ID_GROUP | g->id, ROW_GROUP);
	const struct node *old;

	row->group_id = g->id;
	snprintf(row->name, sizeof(row->name), "%.79s", g->name);
	row->owner = topology_index_find(owners, owner_count, topology_master_of(c->model, g));
	if (row->owner != NONE)
		row->rank = t->owned[row->owner].rank;
	notes_add(t, c, g);
	topology_tree_add(t, c->model, g);
	old = old_master_of(c->model, g);
	if (!old)
		return;
	topology_row_add_node(t, old, g->id, 0, true, 0);
	t->rows[t->count - 1].old_master = true;
}

/* Owners of slots by node id, so that each shard finds its own at once. */
static size_t owners_index(struct topology *t, const struct model *m, const struct cluster *cl,
			   struct index_entry **out)
{
	size_t count = cl ? cl->owner_count : 0;

	*out = NULL;
	free(t->owned);
	t->owned = NULL;
	if (count == 0)
		return 0;
	t->owned = mem_alloc(count * sizeof(*t->owned));
	owned_collect(cl, t->owned);
	*out = mem_alloc(count * sizeof(**out));
	for (size_t i = 0; i < count; i++) {
		uint32_t id =
		    t->owned[i].rank == RANK_NONE ? 0 : model_node_resolve(m, cl->owners[i]);

		(*out)[i] = (struct index_entry){id, (uint32_t)i};
	}
	topology_index_sort(*out, count);
	return count;
}

/* Keeps nodes that match, and what stands above them. */
static void filter_rows(struct topology *t, const struct view_context *c)
{
	size_t kept = 0, heading = SIZE_MAX;
	const char *group_name = "";

	topology_fill_all(t, c);
	for (size_t i = 0; i < t->count; i++) {
		struct topo_row *row = &t->rows[i];
		char text[512];

		if (row->kind == ROW_GROUP || row->kind == ROW_HEADING) {
			heading = i;
			group_name = row->name;
			continue;
		}
		snprintf(text, sizeof(text), "%s %s %s %s %s",
			 row->kind == ROW_NODE ? group_name : "", row->name,
			 row->kind == ROW_NODE ? role_name(row->role) : "", row->state,
			 row->version);
		if (!view_matches(&t->view, text))
			continue;
		/* kept <= heading < i: what is overwritten has been looked at. */
		if (heading != SIZE_MAX) {
			struct topo_row above = t->rows[heading];

			t->rows[kept++] = above;
			group_name = t->rows[kept - 1].name;
			heading = SIZE_MAX;
		}
		if (kept != i)
			t->rows[kept] = *row;
		kept++;
	}
	t->count = kept;
}

static void topology_rebuild(struct view *v, const struct view_context *c)
{
	struct topology *t = topology_of(v);
	const struct deployment *d = model_deployment(c->model, c->deployment_id);
	struct index_entry *owners;
	size_t owner_count;

	t->count = 0;
	t->name_width = 0;
	t->filled_all = false;
	t->reasons = 0;
	t->chance.group_id = 0;
	owner_count = owners_index(t, c->model, d ? d->cluster : NULL, &owners);
	for (size_t i = 0; d && i < d->group_count; i++)
		group_add(t, c, d->groups[i], owners, owner_count);
	free(owners);
	if (d) {
		loose_add(t, c, true);
		loose_add(t, c, false);
	}
	if (v->filter[0])
		filter_rows(t, c);
	else if (c->frozen)
		topology_fill_all(t, c);
	list_begin(&v->list);
	for (size_t i = 0; i < t->count; i++)
		list_add(&v->list, t->rows[i].id);
	list_end(&v->list);
	v->stale = false;
}

/* --- the view ------------------------------------------------------------------------------ */

static unsigned topology_act(struct view *v, const struct view_context *c, enum command cmd)
{
	struct topology *t = topology_of(v);

	(void)c;
	if (cmd == CMD_ENTER) {
		t->details = !t->details;
		return EFFECT_REDRAW;
	}
	if (cmd == CMD_BACK) {
		if (t->details) {
			t->details = false;
			return EFFECT_REDRAW;
		}
		return view_drop_filter(v) ? EFFECT_REDRAW : EFFECT_NONE;
	}
	return view_list_act(v, cmd);
}

static void topology_selection(const struct view *v, struct selection *out)
{
	const struct topology *t = topology_of_const(v);

	if (v->list.selected >= t->count)
		return;
	out->group_id = t->rows[v->list.selected].group_id;
	out->node_id = t->rows[v->list.selected].node_id;
}

static const enum command topology_takes[] = {CMD_ENTER, CMD_NONE};

const struct view_ops topology_view = {
    .name = "topology",
    .title = "Topology",
    .topics = TOPIC_NODES | TOPIC_TOPOLOGY | TOPIC_HEALTH | TOPIC_VALUES,
    .state_size = sizeof(struct topology),
    .uses_filter = true,
    .done = topology_done,
    .rebuild = topology_rebuild,
    .draw = topology_draw,
    .takes = topology_takes,
    .act = topology_act,
    .wanted_height = topology_wanted_height,
    .selection = topology_selection,
};
