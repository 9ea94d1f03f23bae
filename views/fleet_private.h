/* What the parts of the fleet share: its rows, who makes them and who draws them. */
#ifndef VIEWS_FLEET_PRIVATE_H
#define VIEWS_FLEET_PRIVATE_H

#include "views/parts.h"

struct fleet_row {
	uint32_t id;
	enum health health;
	int64_t since_ms; /* of its worst trouble; 0 unknown */
	char name[NAME_BYTES];
	char badge[64];
	bool read_only, failover;
	enum deployment_kind kind;
	size_t groups, groups_ok, nodes, nodes_up, sentinels, sentinels_up, slots;
	bool slots_known, has_replicas;
	int64_t lag_bytes; /* the worst that is known */
	int64_t event_ms;  /* its latest; 0 none */
	char verdict[360];
};

enum fleet_sort {
	SORT_WORST,
	SORT_NAME,
	SORT_KIND,
	SORT_NODES,
	SORT_LAG,
	SORT_EVENT,
	SORT_COUNT
};

struct fleet {
	struct view view;
	struct fleet_row *rows;
	size_t count, cap;
	enum fleet_sort sort;
	bool reversed;
};

/* fleet_draw.c */
void fleet_draw(struct view *v, const struct view_context *c, const struct pane *p, bool focused);

#endif
