/* The table of nodes: rows, and what its columns say of them. */
#ifndef VIEWS_NODES_PRIVATE_H
#define VIEWS_NODES_PRIVATE_H

#include "views/nodes_columns.h"
#include "views/parts.h"

/* A number that this kind of node does not have, unlike one that is not known. */
#define VALUE_NONE (INT64_MIN + 1)
#define NODE_CELL_BYTES ENDPOINT_TEXT_BYTES

struct node_row {
	uint64_t id;          /* of the node */
	uint32_t group_id;
	bool filled;          /* all of the below; else address and group only */
	bool stale, odd_role;
	enum health health;
	enum role role;
	char address[80], group[80], follows[80];
	char state[160];
	char version[24], run_id[ID_BYTES];
	int64_t values[COLUMN_COUNT];
};

struct node_column_info {
	int min, max;         /* columns of the screen, with the gap before it */
	int priority;         /* who gets room first; 0: always */
	bool left;            /* aligned */
	bool falls;           /* sorted with the largest first */
	/* Number that is shown and sorted by, rounded as it is shown so that rows that look the same stay
	 * where they are; NULL: sorted by its text. */
	int64_t (*value)(const struct view_context *c, const struct node *n);
	/* Text of the cell; a number that is not known, or that it has not, never comes here. */
	void (*format)(const struct node_row *row, int64_t value, char *out);
};
extern const struct node_column_info node_columns[COLUMN_COUNT];
extern const char *const node_column_names[COLUMN_COUNT + 1];
const char *node_column_title(enum node_column column);

/* COLUMN_COUNT: there is no such column. */
enum node_column node_column_find(const char *name, size_t len);
/* What is known at once: id, address, group. */
void node_row_begin(struct node_row *row, const struct view_context *c, const struct node *n);
void node_row_fill(struct node_row *row, const struct view_context *c);
/* out: NODE_CELL_BYTES. */
void node_cell_text(const struct node_row *row, enum node_column column, char *out);
enum style_role node_cell_style(const struct node_row *row, enum node_column column);
/* Unknown is less than anything, what it has not is less still: both go to the end. */
int64_t node_row_value(const struct node_row *row, enum node_column column,
		       const struct view_context *c);
const char *node_row_text(const struct node_row *row, enum node_column column);

#endif
