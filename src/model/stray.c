#include "model/stray.h"

#include <string.h>

#include "model/failovers.h"

/* A promotion keeps the old replication id as the second one, up to the offset at which the promoted
 * one began a history of its own: replication.c:shiftReplicationId. */
static bool parted_at(const struct node *promoted, const struct node *other, int64_t *offset)
{
	if (promoted->info.second_repl_offset == FACT_UNKNOWN || promoted->info.second_repl_offset <= 0 ||
	    promoted->info.replid2[0] == '\0' ||
	    strcmp(promoted->info.replid2, other->info.replid) != 0)
		return false;
	*offset = promoted->info.second_repl_offset - 1;
	return true;
}

int64_t stray_bytes(const struct node *stray, const struct node *master)
{
	int64_t offset;
	if (stray->info_at_ms == 0 || master->info_at_ms == 0 ||
	    stray->info.master_repl_offset == FACT_UNKNOWN ||
	    (!parted_at(master, stray, &offset) && !parted_at(stray, master, &offset)))
		return FACT_UNKNOWN;
	return stray->info.master_repl_offset > offset ? stray->info.master_repl_offset - offset : 0;
}

/* When the one that became master last said so first. */
static int64_t both_since(const struct model *m, const struct node *a, const struct node *b)
{
	int64_t since = a->role_ms > b->role_ms ? a->role_ms : b->role_ms;
	for (size_t i = model_failover_count(m); i-- > 0;) {
		const struct failover_record *f = model_failover_at(m, i);
		uint32_t old = model_node_resolve(m, f->old_master_id),
			 now = model_node_resolve(m, f->new_master_id);
		if (f->step_ms[STEP_ROLE_MASTER] == 0 ||
		    !((old == a->id && now == b->id) || (old == b->id && now == a->id)))
			continue;
		return f->step_ms[STEP_ROLE_MASTER];
	}
	return since;
}

bool group_promotes(const struct model *m, const struct group *g, const struct node *n)
{
	const struct failover *f = &g->failover;
	if (model_node_resolve(m, f->selected_id) == n->id && f->phase >= PHASE_SELECTED &&
	    f->phase < PHASE_ENDED)
		return true;
	/* Only the leader's list has it, and the others' lists may be later. */
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		for (size_t k = 0; group_view_answers(m, v) && k < v->replica_count; k++)
			if (v->replicas[k].facts.flags & SFLAG_PROMOTED &&
			    model_node_resolve(m, v->replicas[k].node_id) == n->id)
				return true;
	}
	return false;
}

/* Whom the last failover left behind: between two lists of the Sentinels he is in no group. */
static const struct node *left_behind(const struct model *m, const struct group *g)
{
	for (size_t i = model_failover_count(m); i-- > 0;) {
		const struct failover_record *f = model_failover_at(m, i);
		const struct node *old = model_node(m, f->old_master_id);
		if (f->group_id != g->id)
			continue;
		return old != NULL && old->group_id == 0 && old->deployment_id == g->deployment_id ? old :
												     NULL;
	}
	return NULL;
}

bool stray_master_of(const struct model *m, const struct group *g, struct stray_master *out)
{
	const struct node *master = model_node(m, g->master_id);
	if (g->view_count == 0 || master == NULL || !node_says_master(master))
		return false;
	for (size_t i = 0; i <= g->member_count; i++) {
		const struct node *n =
		    i < g->member_count ? model_node(m, g->member_ids[i]) : left_behind(m, g);
		if (n == NULL || n == master || !node_says_master(n) || group_promotes(m, g, n))
			continue;
		int64_t since = both_since(m, n, master);
		/* Its last word may be of before the promotion. */
		if (n->info_at_ms < since)
			continue;
		/* Who was away, and another process by now, takes writes since it is back. */
		if (n->info.uptime_s != FACT_UNKNOWN &&
		    n->info_at_ms - n->info.uptime_s * 1000 > since + 1000 && n->link.since_ms > since)
			since = n->link.since_ms;
		*out = (struct stray_master){ n->id, master->id, since, stray_bytes(n, master) };
		return true;
	}
	return false;
}

bool stray_is_over(const struct model *m, const struct group *g, uint32_t stray_id)
{
	const struct node *n = model_node(m, stray_id), *master = model_node(m, g->master_id);
	/* Gone, named by now, of another set, or a replica. In no group it is between two lists. */
	return n == NULL || n == master || (n->group_id != 0 && n->group_id != g->id) ||
	       node_says_replica(n) || (master != NULL && node_says_replica(master));
}
