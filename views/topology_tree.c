/* The rows of one group, in the order of who follows whom. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "views/topology_private.h"

#define DEPTH_MAX 12 /* deeper chains are drawn at this depth */

struct topo_row *topology_row_add(struct topology *t, uint64_t id, enum row_kind kind)
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

void topology_row_add_node(struct topology *t, const struct node *n, uint32_t group_id,
			   unsigned depth, bool last, uint16_t lines)
{
	struct topo_row *row = topology_row_add(t, n->id, ROW_NODE);
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

uint32_t topology_master_of(const struct model *m, const struct group *g)
{
	return model_node_resolve(m, g->master_id);
}

struct tree_node {
	uint32_t id;
	const struct node *node;
	uint32_t first_child, next_sibling, last_child;
	bool visited, hung;
};

static int index_compare(const void *a, const void *b)
{
	uint32_t x = ((const uint32_t *)a)[0], y = ((const uint32_t *)b)[0];

	return x < y ? -1 : x > y;
}

void topology_index_sort(struct index_entry *index, size_t count)
{
	qsort(index, count, sizeof(*index), index_compare);
}

uint32_t topology_index_find(const struct index_entry *index, size_t count, uint32_t id)
{
	struct index_entry key = {id, 0};
	const struct index_entry *found;

	if (id == 0 || count == 0)
		return NONE;
	found = bsearch(&key, index, count, sizeof(*index), index_compare);
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
		topology_row_add_node(t, n->node, group_id, step.depth, is_last, lines);
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
	uint32_t master = topology_index_find(index, count, model_node_resolve(m, g->master_id));

	for (uint32_t i = 0; i < count; i++) {
		uint32_t up = topology_index_find(
		    index, count, model_node_resolve(m, nodes[i].node->upstream_id));

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

void topology_tree_add(struct topology *t, const struct model *m, const struct group *g)
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
	topology_index_sort(index, count);
	tree_link(m, g, nodes, count, index);
	master = topology_index_find(index, count, model_node_resolve(m, g->master_id));
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
