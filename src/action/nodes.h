/* What the actions on one node share. */
#ifndef ACTION_NODES_H
#define ACTION_NODES_H

#include "action/action.h"
#include "base/mem.h"

/* The selected node; with a group alone its master. NULL: neither, or of another deployment. */
const struct node *action_node(const struct model *m, const struct action_context *on);
/* The same as the one target; its address is subject and what is typed. NULL and blocked: none. */
const struct node *action_node_prepare(struct action *a, const struct model *m);
/* "0.214 ms" "2.14 ms" "12 ms" */
char *round_trip_text(int32_t us, char *out);

#endif
