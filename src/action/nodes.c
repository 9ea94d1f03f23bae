#include "config.h"

#include "action/nodes.h"

#include <stdio.h>

#include "base/units.h"

const struct node *action_node(const struct model *m, const struct action_context *on)
{
	const struct group *g = model_group(m, on->group_id);
	uint32_t id = on->node_id != 0 ? on->node_id : g != NULL ? g->master_id : 0;
	const struct node *n = model_node(m, id);
	return n != NULL && n->deployment_id == on->deployment_id ? n : NULL;
}

const struct node *action_node_prepare(struct action *a, const struct model *m)
{
	const struct node *n = action_node(m, &a->on);
	char addr[ENDPOINT_TEXT_BYTES];
	if (n == NULL) {
		action_block(a, "select a node first");
		return NULL;
	}
	endpoint_format(&n->addr, addr);
	snprintf(a->subject, sizeof(a->subject), "%.*s", NAME_BYTES - 1, addr);
	snprintf(a->sheet.confirm, sizeof(a->sheet.confirm), "%.*s", NAME_BYTES - 1, addr);
	a->target_ids[a->target_count++] = n->id;
	return n;
}

char *round_trip_text(int32_t us, char *out)
{
	snprintf(out, UNITS_BYTES, us < 1000 ? "%.3f ms" : us < 10000 ? "%.2f ms" : "%.0f ms",
		 (double)us / 1000.0);
	return out;
}
