/* A failover of a cluster's shard: CLUSTER FAILOVER goes to the replica that is to take over. TAKEOVER is
 * not offered: it asks nobody, and two masters may own the same slots after it. */
#include <stdio.h>
#include <string.h>

#include "action/failover_private.h"

/* cluster.h:CLUSTER_MF_TIMEOUT is 5 s; an election may follow. */
#define CLUSTER_WAIT_MS 15000
#define FORCE_WORD      "FORCE "

/* Without its master the graceful form is refused: cluster.c:clusterCommand, "failover". That only we
 * cannot reach the master is no reason to lose writes. */
static bool needs_force(const struct node *master, const struct node *chosen)
{
	return (master != NULL && master->member != NULL && master->member->flags & CFLAG_FAIL) ||
	       (failover_node_is_up(chosen) && chosen->info.master_link_up == 0);
}

static void name_command(struct action *a, const char *addr)
{
	const char *const argv[] = { "CLUSTER", "FAILOVER", "FORCE" };
	bool force = a->form == FORM_FORCE;
	action_set_argv(a, force ? 3 : 2, argv);
	snprintf(a->subject, sizeof(a->subject), "%.*s", NAME_BYTES - 1, addr);
	/* What may lose writes is typed differently. */
	snprintf(a->sheet.confirm, sizeof(a->sheet.confirm), "%s%.*s", force ? FORCE_WORD : "",
		 (int)(NAME_BYTES - sizeof(FORCE_WORD)), addr);
	a->sheet.confirm_what = force ? "FORCE and the new master" : "the new master";
	a->sheet.forms[FORM_USUAL] = "with its master's consent";
	a->sheet.forms[FORM_FORCE] = "FORCE";
	a->sheet.form_count = 2;
}

bool failover_prepare_cluster(struct action *a, const struct model *m, const struct group *g,
			      int64_t now_ms)
{
	const struct node *master = model_node(m, g->master_id);
	const struct node *chosen = model_node(m, a->on.node_id);
	char addr[ENDPOINT_TEXT_BYTES];
	if (chosen == NULL || chosen->id == g->master_id)
		chosen = failover_best_replica(m, g, now_ms);
	snprintf(a->subject, sizeof(a->subject), "%s", g->name);
	if (chosen == NULL)
		return action_block(a, "no replica of this shard answers");
	name_command(a, endpoint_format(&chosen->addr, addr));
	a->candidate_id = chosen->id;
	a->deadline_ms = CLUSTER_WAIT_MS;
	a->epoch = master != NULL && master->member != NULL ? master->member->config_epoch : 0;
	a->target_ids[a->target_count++] = chosen->id;
	if (!failover_node_is_up(chosen))
		return action_block(a, "%.70s does not answer", addr);
	if (chosen->info.role != ROLE_REPLICA)
		return action_block(a, "%.70s is no replica", addr);
	if (a->form == FORM_USUAL && needs_force(master, chosen))
		return action_block(a, "its master is down, or has no link to it: without the master only "
				       "FORCE can do it (Tab), which loses what was not replicated");
	return true;
}
