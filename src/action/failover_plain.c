/* A failover of a set that nobody watches: FAILOVER goes to the master, which hands over itself. */
#include <stdio.h>
#include <string.h>

#include "action/failover_private.h"

/* The replica must be named as its master's INFO lists it: replication.c:failoverCommand. */
static bool listed_addr(const struct model *m, const struct node *master, const struct node *replica,
			struct endpoint *out)
{
	for (size_t i = 0; i < master->info.replica_count; i++) {
		if (model_find_node(m, master->deployment_id, &master->info.replicas[i].addr) != replica)
			continue;
		*out = master->info.replicas[i].addr;
		return true;
	}
	return false;
}

/* FAILOVER behind the Sentinels' back: they would make the old master one again, or elect a third. */
static bool has_sentinels(const struct model *m, uint32_t deployment_id, const struct group *g)
{
	size_t cursor = 0;
	const struct node *n;
	while ((n = model_next_member(m, deployment_id, &cursor)) != NULL)
		if (n->is_sentinel || (n->group_id == g->id && n->watchers > 0))
			return true;
	return false;
}

bool failover_prepare_plain(struct action *a, const struct model *m, const struct group *g)
{
	const struct node *master = model_node(m, g->master_id);
	const struct node *chosen = model_node(m, a->on.node_id);
	char port[8];
	struct endpoint to;
	const char *argv[] = { "FAILOVER", "TIMEOUT", FAILOVER_PLAIN_TIMEOUT_TEXT };
	action_set_argv(a, 3, argv);
	snprintf(a->subject, sizeof(a->subject), "%s", g->name);
	snprintf(a->sheet.confirm, sizeof(a->sheet.confirm), "%s", g->name);
	a->sheet.confirm_what = "the master of now";
	a->deadline_ms = FAILOVER_PLAIN_TIMEOUT_MS + FAILOVER_GRACE_MS;
	if (has_sentinels(m, g->deployment_id, g))
		return action_block(a, "Sentinels watch this set and would undo it: fail over through them");
	if (!failover_node_is_up(master) || master->info.role != ROLE_MASTER)
		return action_block(a, "the master does not answer, and FAILOVER is sent to the master");
	a->target_ids[a->target_count++] = master->id;
	if (!node_version_from(master, 6, 2))
		return action_block(a, "FAILOVER needs Redis 6.2 or later, the master runs %s",
				    master->info.version);
	if (master->info.replica_count == 0)
		return action_block(a, "the master has no connected replica");
	if (chosen == NULL || chosen == master)
		return true;
	if (!listed_addr(m, master, chosen, &to))
		return action_block(a, "the master does not list this replica as connected");
	if (strlen(to.host) >= NAME_BYTES)
		return action_block(a, "its address is too long to be sent back");
	snprintf(port, sizeof(port), "%u", to.port);
	const char *const named[] = { "FAILOVER", "TO", to.host, port, "TIMEOUT",
				      FAILOVER_PLAIN_TIMEOUT_TEXT };
	action_set_argv(a, 6, named);
	a->candidate_id = chosen->id;
	return true;
}
