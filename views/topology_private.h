/* What the parts of the topology share: its rows, and who makes them, fills them and draws them. */
#ifndef VIEWS_TOPOLOGY_PRIVATE_H
#define VIEWS_TOPOLOGY_PRIVATE_H

#include "model/readiness.h"
#include "views/parts.h"

enum row_kind { ROW_GROUP, ROW_NOTE, ROW_NODE, ROW_HEADING };

/* Row ids of what is not a node, apart from each other and from node ids. */
#define ID_GROUP    ((uint64_t)1 << 32)
#define ID_FAILOVER ((uint64_t)2 << 32)
#define ID_CKQUORUM ((uint64_t)3 << 32)
#define ID_HEADING  ((uint64_t)4 << 32)
#define ID_CLIENT   ((uint64_t)5 << 32) /* --probe */
#define ID_REASON   ((uint64_t)16 << 32) /* and one more for each further reason */

#define NONE UINT32_MAX

struct topo_row {
	uint64_t id;
	enum row_kind kind;
	uint32_t group_id, node_id;
	uint8_t depth;
	bool last;      /* no sibling below */
	uint16_t lines; /* bit n: the ancestor at depth n has siblings below */
	bool filled, stale, odd_role;
	bool old_master; /* left behind by a failover */
	bool silent; /* its link is not up: what it said last is history */
	enum health health;
	enum role role;
	uint32_t owner; /* shards: index into topology.owned, NONE: no slots */
	uint16_t rank;  /* its letter in the slot map */
	char name[80];
	char state[160];
	char version[24];
	char ready[80]; /* masters and shards: "failover ok: 10.0.0.2:6379 next" */
	enum ready verdict;
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
	bool roomy;          /* there is room for every reason against a failover */
	size_t reasons;      /* that are left out where there is none */
	/* Of the group that was asked for last. */
	struct {
		uint32_t group_id, candidate_id;
		struct readiness ready;
	} chance;
};

/* Where a node id is found in a table of the caller's; sorted by id. */
struct index_entry {
	uint32_t id, at;
};

/* topology_tree.c: rows in the order of who follows whom. */
struct topo_row *topology_row_add(struct topology *t, uint64_t id, enum row_kind kind);
void topology_row_add_node(struct topology *t, const struct node *n, uint32_t group_id,
			   unsigned depth, bool last, uint16_t lines);
void topology_tree_add(struct topology *t, const struct model *m, const struct group *g);
void topology_index_sort(struct index_entry *index, size_t count);
/* NONE when it is not there. */
uint32_t topology_index_find(const struct index_entry *index, size_t count, uint32_t id);
uint32_t topology_master_of(const struct model *m, const struct group *g);

/* topology_rows.c: what a row says; each is filled once between two rebuilds. t NULL: a node's row of
 * another screen, which does not say whether it is the candidate. */
void topology_fill_row(struct topology *t, struct topo_row *row, const struct view_context *c);
/* Can it fail over, and to whom: kept in t->chance until the next rebuild. */
void topology_weigh(struct topology *t, const struct view_context *c, const struct group *g);
void topology_fill_all(struct topology *t, const struct view_context *c);

/* topology_draw.c */
void topology_draw(struct view *v, const struct view_context *c, const struct pane *p,
		   bool focused);
int topology_wanted_height(const struct view *v, const struct view_context *c, int width);

#endif
