/* Who follows whom: a tree per master or shard, then the Sentinels.
 *
 * rebuild makes the rows in order, linear in the nodes; what a row says is filled in when it is
 * first drawn, since most rows of a large deployment are out of sight. The first frozen frame fills
 * them all, so that scrolling a frozen screen shows that moment. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "views/parts.h"

enum row_kind { ROW_GROUP, ROW_NOTE, ROW_NODE, ROW_HEADING };

/* Row ids of what is not a node, apart from each other and from node ids. */
#define ID_GROUP    ((uint64_t)1 << 32)
#define ID_FAILOVER ((uint64_t)2 << 32)
#define ID_CKQUORUM ((uint64_t)3 << 32)
#define ID_HEADING  ((uint64_t)4 << 32)

#define STALE_SENTINEL_MS 15000
#define NONE              UINT32_MAX

#define DEPTH_MAX 12 /* deeper chains are drawn at this depth */

struct topo_row {
	uint64_t id;
	enum row_kind kind;
	uint32_t group_id, node_id;
	uint8_t depth;
	bool last;      /* no sibling below */
	uint16_t lines; /* bit n: the ancestor at depth n has siblings below */
	bool filled, stale, odd_role;
	enum health health;
	enum role role;
	uint32_t owner; /* shards: index into topology.owned, NONE: no slots */
	uint16_t rank;  /* its letter in the slot map */
	char name[80];
	char state[160];
	char version[24];
	int64_t uptime_s, clients, ops, memory_bytes, lag_bytes;
};

struct topology {
	struct view view;
	struct topo_row *rows;
	size_t count, cap;
	int name_width; /* widest tree prefix with name */
	bool filled_all;
	struct owned *owned; /* cluster: by owner */
	bool details;        /* Enter: everything about the selected row */
};

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

/* --- rows ---------------------------------------------------------------------------------- */

static struct topo_row *row_add(struct topology *t, uint64_t id, enum row_kind kind)
{
	struct topo_row *row;

	t->rows = mem_grow(t->rows, &t->cap, t->count + 1, sizeof(*t->rows));
	row = &t->rows[t->count++];
	memset(row, 0, sizeof(*row));
	row->id = id;
	row->kind = kind;
	row->owner = NONE;
	return row;
}

static void row_add_node(struct topology *t, const struct node *n, uint32_t group_id,
			 unsigned depth, bool last, uint16_t lines)
{
	struct topo_row *row = row_add(t, n->id, ROW_NODE);
	char addr[ENDPOINT_TEXT_BYTES];
	int width;

	row->node_id = n->id;
	row->group_id = group_id;
	row->depth = (uint8_t)depth;
	row->last = last;
	row->lines = lines;
	snprintf(row->name, sizeof(row->name), "%.79s", endpoint_format(&n->addr, addr));
	width = (int)depth * 2 + 2 + text_width(row->name);
	if (width > t->name_width)
		t->name_width = width;
}

static uint32_t master_of(const struct model *m, const struct group *g)
{
	return model_node_resolve(m, g->master_id);
}

/* --- a group's tree ------------------------------------------------------------------------ */

struct tree_node {
	uint32_t id;
	const struct node *node;
	uint32_t first_child, next_sibling, last_child;
	bool visited, hung;
};

static int tree_compare(const void *a, const void *b)
{
	uint32_t x = ((const uint32_t *)a)[0], y = ((const uint32_t *)b)[0];

	return x < y ? -1 : x > y;
}

struct index_entry {
	uint32_t id, at;
};

static uint32_t index_find(const struct index_entry *index, size_t count, uint32_t id)
{
	struct index_entry key = {id, 0};
	const struct index_entry *found;

	if (id == 0 || count == 0)
		return NONE;
	found = bsearch(&key, index, count, sizeof(*index), tree_compare);
	return found ? found->at : NONE;
}

static void tree_hang(struct tree_node *nodes, uint32_t parent, uint32_t child)
{
	if (nodes[parent].first_child == NONE)
		nodes[parent].first_child = child;
	else
		nodes[nodes[parent].last_child].next_sibling = child;
	nodes[parent].last_child = child;
	nodes[child].hung = true;
}

struct tree_step {
	uint32_t at;
	uint8_t depth;
	uint16_t lines;
};

/* One root and all below it, without recursion: chains are as long as the servers say. */
static void tree_emit(struct topology *t, struct tree_node *nodes, struct tree_step *stack,
		      uint32_t root, uint32_t group_id, unsigned depth, bool last)
{
	size_t top = 0;

	stack[top++] = (struct tree_step){root, (uint8_t)depth, 0};
	while (top > 0) {
		struct tree_step step = stack[--top];
		struct tree_node *n = &nodes[step.at];
		size_t first = top;
		uint16_t lines = step.lines;
		bool is_last = step.at == root ? last : n->next_sibling == NONE;

		if (n->visited) /* a cycle */
			continue;
		n->visited = true;
		row_add_node(t, n->node, group_id, step.depth, is_last, lines);
		if (!is_last)
			lines |= (uint16_t)(1u << step.depth);
		for (uint32_t child = n->first_child; child != NONE;
		     child = nodes[child].next_sibling) {
			if (nodes[child].visited)
				continue;
			stack[top++] = (struct tree_step){
			    child, step.depth < DEPTH_MAX ? (uint8_t)(step.depth + 1) : DEPTH_MAX,
			    lines};
		}
		/* Popped in reverse: turn them round so that the first child comes first. */
		for (size_t i = first, j = top; i + 1 < j; i++) {
			struct tree_step swap = stack[i];

			j--;
			stack[i] = stack[j];
			stack[j] = swap;
		}
	}
}

static void tree_link(const struct model *m, const struct group *g, struct tree_node *nodes,
		      size_t count, const struct index_entry *index)
{
	uint32_t master = index_find(index, count, model_node_resolve(m, g->master_id));

	for (uint32_t i = 0; i < count; i++) {
		uint32_t up =
		    index_find(index, count, model_node_resolve(m, nodes[i].node->upstream_id));

		if (i == master)
			continue;
		/* Whom it follows is unknown or not of this group: it still belongs to the master.
		 */
		if (up == NONE || up == i)
			up = master;
		if (up != NONE && up != i)
			tree_hang(nodes, up, i);
	}
}

static void tree_add(struct topology *t, const struct model *m, const struct group *g)
{
	size_t want = g->member_count, count = 0;
	struct tree_node *nodes;
	struct index_entry *index;
	struct tree_step *stack;
	uint32_t master;

	if (want == 0)
		return;
	nodes = mem_alloc(want * sizeof(*nodes));
	index = mem_alloc(want * sizeof(*index));
	stack = mem_alloc((want + 1) * sizeof(*stack));
	for (size_t i = 0; i < want; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);

		if (!n)
			continue;
		nodes[count] = (struct tree_node){n->id, n, NONE, NONE, NONE, false, false};
		index[count] = (struct index_entry){n->id, (uint32_t)count};
		count++;
	}
	qsort(index, count, sizeof(*index), tree_compare);
	tree_link(m, g, nodes, count, index);
	master = index_find(index, count, model_node_resolve(m, g->master_id));
	if (master != NONE)
		tree_emit(t, nodes, stack, master, g->id, 0, true);
	/* Without a master each loose replica is a root; a ring of replicas has none, so any will
	 * do. */
	for (uint32_t i = 0; i < count; i++)
		if (!nodes[i].visited && !nodes[i].hung)
			tree_emit(t, nodes, stack, i, g->id, 0, true);
	for (uint32_t i = 0; i < count; i++)
		if (!nodes[i].visited)
			tree_emit(t, nodes, stack, i, g->id, 0, true);
	free(stack);
	free(index);
	free(nodes);
}

/* --- headings ------------------------------------------------------------------------------ */

static void fill_sentinel_heading(struct topo_row *row, const struct model *m,
				  const struct group *g)
{
	const struct sentinel_view *best = group_best_view(g);
	size_t known = group_sentinels_known(m, g);
	char quorum[48] = "quorum ?";
	const char *check = "ckquorum ?";

	if (best && best->facts.quorum != FACT_UNKNOWN)
		snprintf(quorum, sizeof(quorum), "quorum %lld of %zu",
			 (long long)best->facts.quorum, known);
	if (g->ckquorum_at_ms != 0)
		check = g->ckquorum.ok ? "ckquorum ok" : "ckquorum NOT OK";
	snprintf(row->state, sizeof(row->state), "%s  %s", quorum, check);
}

static void fill_shard_heading(struct topo_row *row, const struct owned *owned)
{
	char text[100] = "";

	if (owned)
		owned_text(owned, 6, text, sizeof(text));
	snprintf(row->state, sizeof(row->state), "%zu slots%s%s", owned ? owned->slots : 0,
		 text[0] ? "  " : "", text);
}

static void fill_group(const struct topology *t, struct topo_row *row, const struct view_context *c)
{
	const struct group *g = model_group(c->model, row->group_id);
	const struct deployment *d = g ? model_deployment(c->model, g->deployment_id) : NULL;
	struct verdict verdict;

	if (!g || !d)
		return;
	health_group(c->model, g, c->now_ms, &verdict);
	row->health = verdict.health;
	if (d->kind == KIND_SENTINEL)
		fill_sentinel_heading(row, c->model, g);
	else if (d->kind == KIND_CLUSTER)
		fill_shard_heading(row, row->owner != NONE ? &t->owned[row->owner] : NULL);
	else
		snprintf(row->state, sizeof(row->state), "no automatic failover");
}

static void fill_note(struct topo_row *row, const struct view_context *c)
{
	const struct group *g = model_group(c->model, row->group_id);
	const struct node *leader;
	char addr[ENDPOINT_TEXT_BYTES];
	size_t len;

	if (!g)
		return;
	if (row->id >= ID_CKQUORUM) {
		row->health = HEALTH_CRITICAL;
		snprintf(row->state, sizeof(row->state), "%.150s", g->ckquorum.message);
		return;
	}
	row->health = HEALTH_WARNING;
	len = (size_t)snprintf(row->state, sizeof(row->state), "failover: ");
	group_failover_text(g, c->now_ms, row->state + len, sizeof(row->state) - len);
	if (len == strlen(row->state)) /* known from flags only */
		snprintf(row->state, sizeof(row->state), "a failover is running");
	len = strlen(row->state);
	leader = model_node(c->model, g->failover.leader_id);
	if (leader && len + 90 < sizeof(row->state))
		snprintf(row->state + len, sizeof(row->state) - len, ", led by %.70s",
			 endpoint_format(&leader->addr, addr));
}

static void notes_add(struct topology *t, const struct view_context *c, const struct group *g)
{
	if (group_failover_running(c->model, g, c->now_ms))
		row_add(t, ID_FAILOVER | g->id, ROW_NOTE)->group_id = g->id;
	if (g->ckquorum_at_ms != 0 && !g->ckquorum.ok)
		row_add(t, ID_CKQUORUM | g->id, ROW_NOTE)->group_id = g->id;
}

/* --- what a node's row says ---------------------------------------------------------------- */

static void state_append(struct topo_row *row, const char *text)
{
	size_t len = strlen(row->state);

	snprintf(row->state + len, sizeof(row->state) - len, "%s%s", len ? ", " : "", text);
}

static void state_worsen(struct topo_row *row, enum health h, const char *text)
{
	row->health = health_worse(row->health, h);
	state_append(row, text);
}

/* A node that takes itself for something else than its deployment does: the old master that came
 * back, or a replica turned by hand. */
static void fill_role(struct topo_row *row, const struct model *m, const struct node *n,
		      const struct group *g, int64_t now_ms)
{
	enum role expected = master_of(m, g) == n->id ? ROLE_MASTER : ROLE_REPLICA;
	/* What it said before it fell silent may be long over. */
	bool said = n->link.state == LINK_UP && n->info_at_ms != 0 && n->info.role != ROLE_UNKNOWN;
	char had[sizeof(row->state)];

	if (group_failover_running(m, g, now_ms) &&
	    model_node_resolve(m, g->failover.selected_id) == n->id) {
		/* That it says so is the aim; that its link is down, the reason. Neither comes
		 * first. */
		snprintf(had, sizeof(had), "%s",
			 strstr(row->state, "second master") ? "" : row->state);
		row->health = HEALTH_WARNING;
		snprintf(row->state, sizeof(row->state), "%s%s%.140s",
			 said && n->info.role == ROLE_MASTER ? "promoted" : "promoting",
			 had[0] ? ", " : "", had);
		return;
	}
	if (g->master_id == 0 || !said || n->info.role == expected)
		return;
	row->odd_role = true;
	if (!strstr(row->state, "says") && !strstr(row->state, "second master"))
		state_worsen(row, HEALTH_CRITICAL,
			     n->info.role == ROLE_MASTER
				 ? "says it is master, should be a replica"
				 : "says it is a replica, should be master");
}

static void fill_sentinel_flags(struct topo_row *row, const struct view_context *c,
				const struct node *n)
{
	const struct deployment *d = model_deployment(c->model, n->deployment_id);
	size_t flagged = 0;
	char text[64];

	if (n->info_at_ms != 0 && n->info.sentinel_tilt == 1 && !strstr(row->state, "TILT"))
		state_worsen(row, HEALTH_CRITICAL, "TILT");
	for (size_t i = 0; d && i < d->group_count; i++) {
		const struct group *g = d->groups[i];

		for (size_t k = 0; k < g->peer_count; k++)
			if (g->peers[k].node_id == n->id &&
			    (g->peers[k].facts.flags & SFLAG_S_DOWN))
				flagged++;
	}
	if (flagged == 0 || strstr(row->state, "sdown") || strstr(row->state, "subjectively"))
		return;
	if (flagged == 1)
		snprintf(text, sizeof(text), "sdown by its peers");
	else
		snprintf(text, sizeof(text), "sdown by its peers for %zu masters", flagged);
	state_worsen(row, HEALTH_WARNING, text);
}

static void fill_values(struct topo_row *row, const struct node *n)
{
	bool said = n->info_at_ms != 0;

	row->uptime_s = said ? n->info.uptime_s : FACT_UNKNOWN;
	row->clients = said ? n->info.connected_clients : FACT_UNKNOWN;
	row->ops = said ? n->info.ops_per_sec : FACT_UNKNOWN;
	row->memory_bytes = said ? n->info.used_memory_bytes : FACT_UNKNOWN;
	row->lag_bytes = row->role == ROLE_REPLICA ? n->lag_now_bytes : FACT_UNKNOWN;
	snprintf(row->version, sizeof(row->version), "%s", said ? n->info.version : "");
}

/* Sentinels are asked for INFO rarely: any answer shows that the facts hold. */
static bool is_stale(const struct node *n, const struct view_context *c)
{
	if (n->is_sentinel)
		return n->link.last_reply_ms != 0 &&
		       c->now_ms - n->link.last_reply_ms > STALE_SENTINEL_MS;
	return node_is_stale(n, c->now_ms, c->interval_ms);
}

static void fill_node(struct topo_row *row, const struct view_context *c)
{
	const struct node *n = model_node(c->model, row->node_id);
	const struct group *g = model_group(c->model, row->group_id);
	struct verdict verdict;
	char age[UNITS_BYTES], text[64];

	if (!n)
		return;
	health_node(c->model, n, c->now_ms, &verdict);
	row->health = verdict.health;
	row->role = node_role(c->model, n);
	row->stale = is_stale(n, c);
	snprintf(row->state, sizeof(row->state), "%.150s", verdict.text);
	fill_values(row, n);
	if (n->is_sentinel)
		fill_sentinel_flags(row, c, n);
	else if (g)
		fill_role(row, c->model, n, g, c->now_ms);
	if (row->state[0])
		return;
	snprintf(row->state, sizeof(row->state), "%s", node_status_name(node_status(n)));
	if (row->stale) {
		int64_t heard_ms = n->is_sentinel ? n->link.last_reply_ms : n->info_at_ms;

		snprintf(text, sizeof(text), "facts are %s old",
			 units_age(c->now_ms - heard_ms, age));
		state_worsen(row, HEALTH_UNKNOWN, text);
	}
}

static void fill_row(const struct topology *t, struct topo_row *row, const struct view_context *c)
{
	if (row->filled)
		return;
	row->filled = true;
	switch (row->kind) {
	case ROW_GROUP:
		fill_group(t, row, c);
		break;
	case ROW_NOTE:
		fill_note(row, c);
		break;
	case ROW_NODE:
		fill_node(row, c);
		break;
	case ROW_HEADING:
		break;
	}
}

static void fill_all(struct topology *t, const struct view_context *c)
{
	if (t->filled_all)
		return;
	t->filled_all = true;
	for (size_t i = 0; i < t->count; i++)
		fill_row(t, &t->rows[i], c);
}

/* --- rebuild ------------------------------------------------------------------------------- */

static int name_compare(const void *a, const void *b)
{
	return strverscmp(((const struct topo_row *)a)->name, ((const struct topo_row *)b)->name);
}

/* Sentinels, then what nobody has put anywhere yet. */
static void loose_add(struct topology *t, const struct view_context *c, bool sentinels)
{
	const struct node *n;
	size_t cursor = 0, total = 0, up = 0, heading = 0;

	while ((n = model_next_member(c->model, c->deployment_id, &cursor))) {
		struct topo_row *row;

		if (n->is_sentinel != sentinels || (!sentinels && n->group_id != 0))
			continue;
		if (total++ == 0) {
			heading = t->count;
			row = row_add(t, ID_HEADING | (sentinels ? 1 : 2), ROW_HEADING);
			snprintf(row->name, sizeof(row->name), "%s",
				 sentinels ? "Sentinels" : "Not assigned yet");
		}
		up += n->link.state == LINK_UP;
		row_add_node(t, n, 0, 0, true, 0);
	}
	if (total == 0)
		return;
	qsort(&t->rows[heading + 1], total, sizeof(*t->rows), name_compare);
	t->rows[heading].filled = true;
	t->rows[heading].health = up == total ? HEALTH_OK : HEALTH_WARNING;
	if (sentinels)
		snprintf(t->rows[heading].state, sizeof(t->rows[heading].state),
			 "%zu of %zu answer", up, total);
}

static void group_add(struct topology *t, const struct view_context *c, const struct group *g,
		      const struct index_entry *owners, size_t owner_count)
{
	struct topo_row *row = row_add(t, ID_GROUP | g->id, ROW_GROUP);

	row->group_id = g->id;
	snprintf(row->name, sizeof(row->name), "%.79s", g->name);
	row->owner = index_find(owners, owner_count, master_of(c->model, g));
	if (row->owner != NONE)
		row->rank = t->owned[row->owner].rank;
	notes_add(t, c, g);
	tree_add(t, c->model, g);
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
	qsort(*out, count, sizeof(**out), tree_compare);
	return count;
}

/* Keeps nodes that match, and what stands above them. */
static void filter_rows(struct topology *t, const struct view_context *c)
{
	size_t kept = 0, heading = SIZE_MAX;
	const char *group_name = "";

	fill_all(t, c);
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
	list_begin(&v->list);
	for (size_t i = 0; i < t->count; i++)
		list_add(&v->list, t->rows[i].id);
	list_end(&v->list);
	v->stale = false;
}

/* --- drawing ------------------------------------------------------------------------------- */

static void uptime_text(int64_t seconds, char *out)
{
	if (seconds == FACT_UNKNOWN || seconds < 0)
		snprintf(out, UNITS_BYTES, "?");
	else if (seconds < 60)
		snprintf(out, UNITS_BYTES, "<1 m");
	else if (seconds < 3600)
		snprintf(out, UNITS_BYTES, "%lld m", (long long)(seconds / 60));
	else if (seconds < 2 * 86400)
		snprintf(out, UNITS_BYTES, "%lld h", (long long)(seconds / 3600));
	else
		snprintf(out, UNITS_BYTES, "%lld d", (long long)(seconds / 86400));
}

static void put_lag(const struct topo_row *row, char *out)
{
	if (row->role == ROLE_REPLICA)
		units_bytes(row->lag_bytes, out);
	else
		out[0] = '\0';
}
static void put_ops(const struct topo_row *row, char *out)
{
	units_count(row->ops, out);
}
static void put_memory(const struct topo_row *row, char *out)
{
	units_bytes(row->memory_bytes, out);
}
static void put_clients(const struct topo_row *row, char *out)
{
	units_count(row->clients, out);
}
static void put_version(const struct topo_row *row, char *out)
{
	snprintf(out, UNITS_BYTES, "%.23s", row->version[0] ? row->version : "?");
}
static void put_uptime(const struct topo_row *row, char *out)
{
	uptime_text(row->uptime_s, out);
}

/* In the order in which they are given room, which is the order on the screen as well. */
static const struct {
	const char *title;
	int width;
	bool of_sentinels;
	void (*put)(const struct topo_row *row, char *out);
} columns[] = {
    {"version", 9, true, put_version},  {"lag", 8, false, put_lag},
    {"ops/s", 7, false, put_ops},       {"memory", 8, false, put_memory},
    {"clients", 8, false, put_clients}, {"uptime", 7, true, put_uptime},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

#define ROLE_WIDTH  8
#define STATE_WIDTH 30 /* words before numbers: below this no column is shown */

struct layout {
	int name, role, state, state_width;
	size_t columns;
};

static struct layout layout_for(const struct topology *t, int width)
{
	struct layout l = {0, 0, 0, 0, 0};
	int room, used = 0;

	l.name = t->name_width;
	if (l.name > width / 2)
		l.name = width / 2;
	l.role = l.name + 2;
	if (width < 60)
		l.role--;
	l.state = l.role + ROLE_WIDTH;
	room = width - l.state - STATE_WIDTH;
	while (l.columns < COLUMNS && used + columns[l.columns].width <= room)
		used += columns[l.columns++].width;
	l.state_width = width - l.state - used;
	if (l.columns > 0) /* a gap, and the marks of more rows at the edge */
		l.state_width -= 2;
	return l;
}

static int draw_tree(const struct pane *p, int y, const struct topo_row *row)
{
	int x = 0;

	for (unsigned d = 1; d < row->depth; d++) {
		if (row->lines & (1u << d))
			pane_glyph(p, y, x, STYLE_DIM, GLYPH_TREE_LINE);
		x += 2;
	}
	if (row->depth == 0)
		return x;
	pane_glyph(p, y, x, STYLE_DIM, row->last ? GLYPH_TREE_END : GLYPH_TREE_TEE);
	pane_glyph(p, y, x + 1, STYLE_DIM, GLYPH_TREE_DASH);
	return x + 2;
}

static void draw_node(const struct pane *p, int y, const struct topo_row *row,
		      const struct layout *l)
{
	enum style_role style = health_style(row->health);
	int x = draw_tree(p, y, row), at = l->state + l->state_width;
	char role[16];

	x = pane_glyph(p, y, x, style, health_glyph(row->health)) + 1;
	addr_draw(p, y, x, l->role - 1 - x, row->stale ? STYLE_STALE : STYLE_STRONG, row->name);
	snprintf(role, sizeof(role), "%s%s", row->role == ROLE_UNKNOWN ? "?" : role_name(row->role),
		 row->odd_role ? "!" : "");
	x = pane_text(p, y, l->role, ROLE_WIDTH,
		      row->odd_role ? STYLE_CRITICAL : role_style(row->role), role);
	pane_text(p, y, x >= l->state ? x + 1 : l->state,
		  l->state + l->state_width - (x >= l->state ? x + 1 : l->state), style,
		  row->state);
	if (l->columns > 0)
		at++;
	for (size_t i = 0; i < l->columns; i++) {
		char text[UNITS_BYTES] = "";

		if (row->role != ROLE_SENTINEL || columns[i].of_sentinels)
			columns[i].put(row, text);
		pane_text_right(p, y, at, columns[i].width, row->stale ? STYLE_STALE : STYLE_TEXT,
				text);
		at += columns[i].width;
	}
}

/* Words that are bad news stand out from the rest of a heading. */
static void draw_heading(const struct pane *p, int y, const struct topo_row *row)
{
	const char *bad = strstr(row->state, "ckquorum NOT OK");
	int x = 0, room;

	if (row->owner != NONE) {
		char letter[2] = {owner_letter(row->rank), '\0'};

		x = pane_text(p, y, x, 1, owner_style(row->rank), letter) + 1;
	}
	/* A name as long as the pane must not hide what is said of it. */
	room = p->width - x - 2 - text_width(row->state);
	if (room < 14)
		room = 14;
	x = pane_text(p, y, x, room, STYLE_TITLE, row->name) + 2;
	if (!bad) {
		pane_text(p, y, x, -1, row->health == HEALTH_OK ? STYLE_DIM : STYLE_TEXT,
			  row->state);
		return;
	}
	x = pane_text(p, y, x, (int)(bad - row->state), STYLE_TEXT, row->state);
	pane_text(p, y, x, -1, STYLE_CRITICAL, bad);
}

static void draw_row(const struct pane *p, int y, const struct topo_row *row,
		     const struct layout *l)
{
	int x;

	switch (row->kind) {
	case ROW_NODE:
		draw_node(p, y, row, l);
		break;
	case ROW_NOTE:
		x = pane_glyph(p, y, 0, health_style(row->health), health_glyph(row->health)) + 1;
		pane_text(p, y, x, -1, health_style(row->health), row->state);
		break;
	case ROW_GROUP:
	case ROW_HEADING:
		draw_heading(p, y, row);
		break;
	}
}

static void draw_titles(const struct pane *p, const struct layout *l)
{
	int at = l->state + l->state_width + 1;

	pane_text(p, 0, 2, -1, STYLE_DIM, "node");
	pane_text(p, 0, l->role, -1, STYLE_DIM, "role");
	pane_text(p, 0, l->state, -1, STYLE_DIM, "state");
	for (size_t i = 0; i < l->columns; i++) {
		pane_text_right(p, 0, at, columns[i].width, STYLE_DIM, columns[i].title);
		at += columns[i].width;
	}
}

/* --- details ------------------------------------------------------------------------------- */

static int detail_line(const struct pane *p, int y, const char *label, enum style_role role,
		       const char *text)
{
	if (!text[0] || y >= p->height)
		return y;
	pane_text(p, y, 0, 11, STYLE_DIM, label);
	return y + text_wrap_draw(p, y, 12, p->width - 12, p->height - y, role, text);
}

static int detail_sentinels(const struct pane *p, int y, const struct view_context *c,
			    const struct node *n)
{
	const struct group *g = model_group(c->model, n->group_id);
	const struct member_view *said = g ? group_replica_view(g, n->id) : NULL;
	char text[256] = "", addr[ENDPOINT_TEXT_BYTES];
	const struct node *who;

	if (!g)
		return y;
	if (master_of(c->model, g) == n->id && g->view_count > 0) {
		snprintf(
		    text, sizeof(text), "%zu of %zu flag it subjectively down, %zu objectively",
		    group_sdown_count(c->model, g), g->view_count, group_odown_count(c->model, g));
	} else if (said) {
		who = model_node(c->model, said->sentinel_id);
		snprintf(text, sizeof(text), "%.80s says:%s%s link to its master %s, priority %lld",
			 who ? endpoint_format(&who->addr, addr) : "one",
			 said->facts.flags & SFLAG_S_DOWN ? " subjectively down," : "",
			 said->facts.flags & SFLAG_DISCONNECTED ? " disconnected," : "",
			 said->facts.master_link_ok == 1 ? "up" : "down",
			 (long long)said->facts.priority);
	}
	return detail_line(p, y, "Sentinels", STYLE_TEXT, text);
}

static void detail_values(const struct node *n, char *out, size_t size)
{
	char clients[UNITS_BYTES], ops[UNITS_BYTES], used[UNITS_BYTES], most[UNITS_BYTES],
	    up[UNITS_BYTES];

	out[0] = '\0';
	if (n->info_at_ms == 0)
		return;
	uptime_text(n->info.uptime_s, up);
	if (n->is_sentinel)
		snprintf(out, size, "version %s  up %s", n->info.version[0] ? n->info.version : "?",
			 up);
	else
		snprintf(out, size, "version %s  up %s  %s clients  %s ops/s  memory %s of %s",
			 n->info.version[0] ? n->info.version : "?", up,
			 units_count(n->info.connected_clients, clients),
			 units_count(n->info.ops_per_sec, ops),
			 units_bytes(n->info.used_memory_bytes, used),
			 n->info.maxmemory_bytes == 0 ? "unlimited"
						      : units_bytes(n->info.maxmemory_bytes, most));
}

static void draw_details(const struct pane *p, const struct view_context *c,
			 const struct topo_row *row)
{
	const struct node *n = row ? model_node(c->model, row->node_id) : NULL;
	char addr[ENDPOINT_TEXT_BYTES], dial[ENDPOINT_TEXT_BYTES], text[700], age[UNITS_BYTES];
	int y = 1;

	for (int x = 0; x < p->width; x++)
		pane_glyph(p, 0, x, STYLE_BORDER, GLYPH_TREE_DASH);
	if (!row)
		return;
	if (!n) {
		detail_line(p, y, row->name, STYLE_TEXT, row->state);
		return;
	}
	snprintf(text, sizeof(text), "%s  %s%s%s", endpoint_format(&n->addr, addr),
		 role_name(row->role), endpoint_is_set(&n->dial) ? "  reached at " : "",
		 endpoint_is_set(&n->dial) ? endpoint_format(&n->dial, dial) : "");
	y = detail_line(p, y, "node", STYLE_STRONG, text);
	y = detail_line(p, y, "state", health_style(row->health), row->state);
	if (!strstr(row->state, n->link.reason))
		y = detail_line(p, y, "trouble", STYLE_WARNING, n->link.reason);
	y = detail_sentinels(p, y, c, n);
	detail_values(n, text, sizeof(text));
	y = detail_line(p, y, "values", row->stale ? STYLE_STALE : STYLE_TEXT, text);
	snprintf(text, sizeof(text), "%s", n->info_at_ms ? "" : "never answered");
	if (n->info_at_ms)
		snprintf(text, sizeof(text), "last answer %s ago",
			 units_age(c->now_ms > n->info_at_ms ? c->now_ms - n->info_at_ms : 0, age));
	y = detail_line(p, y, "heard", STYLE_TEXT, text);
	snprintf(text, sizeof(text), "%s%s%s", n->cluster_id[0] ? n->cluster_id : n->run_id,
		 n->sentinel_id[0] ? "  Sentinel id " : "", n->sentinel_id);
	detail_line(p, y, "id", STYLE_DIM, text);
}

static void topology_draw(struct view *v, const struct view_context *c, const struct pane *p,
			  bool focused)
{
	struct topology *t = topology_of(v);
	struct pane in = view_frame(v, p, "", focused), rows = in, details;
	struct layout l = layout_for(t, in.width);
	size_t first;

	if (c->frozen)
		fill_all(t, c);
	if (t->details && in.height >= 9) {
		int height = in.height / 2 < 9 ? in.height / 2 : 9;

		details = pane_sub(&in, in.height - height, 0, height, in.width);
		rows = pane_sub(&in, 0, 0, in.height - height, in.width);
		if (v->list.selected < t->count)
			fill_row(t, &t->rows[v->list.selected], c);
		draw_details(&details, c,
			     v->list.selected < t->count ? &t->rows[v->list.selected] : NULL);
	}
	if (t->count == 0) {
		view_say(&rows, STYLE_DIM,
			 v->filter[0] ? "nothing matches the filter" : "nobody has answered yet");
		return;
	}
	if (l.columns > 0 && rows.height >= 6) {
		draw_titles(&rows, &l);
		rows = pane_sub(&rows, 1, 0, rows.height - 1, rows.width);
	}
	first = list_layout(&v->list, rows.height);
	for (int y = 0; y < rows.height && first + (size_t)y < t->count; y++) {
		struct topo_row *row = &t->rows[first + (size_t)y];

		fill_row(t, row, c);
		draw_row(&rows, y, row, &l);
		if (focused && first + (size_t)y == v->list.selected)
			pane_restyle(&rows, y, 0, rows.width, STYLE_SELECTED);
	}
	list_draw_marks(&v->list, &rows);
}

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

static int topology_wanted_height(const struct view *v, const struct view_context *c, int width)
{
	const struct topology *t = topology_of_const(v);
	struct layout l = layout_for(t, width - 2);

	(void)c;
	return (int)(t->count < 1000 ? t->count : 1000) + 2 + (l.columns > 0);
}

static void topology_selection(const struct view *v, struct selection *out)
{
	const struct topology *t = topology_of_const(v);

	if (v->list.selected >= t->count)
		return;
	out->group_id = t->rows[v->list.selected].group_id;
	out->node_id = t->rows[v->list.selected].node_id;
}

const struct view_ops topology_view = {
    .name = "topology",
    .title = "Topology",
    .topics = TOPIC_NODES | TOPIC_TOPOLOGY | TOPIC_HEALTH | TOPIC_VALUES,
    .state_size = sizeof(struct topology),
    .uses_filter = true,
    .done = topology_done,
    .rebuild = topology_rebuild,
    .draw = topology_draw,
    .act = topology_act,
    .wanted_height = topology_wanted_height,
    .selection = topology_selection,
};
