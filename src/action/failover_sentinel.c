/* A failover through Sentinels: which of them is asked, and in which form. */
#include <stdio.h>

#include "action/failover_private.h"

/* Where redoubt's user was refused before, another Sentinel may let him. */
static bool is_refused(const struct node *n)
{
	return node_action_refusal(n, "+sentinel|failover") != NULL;
}

/* A Sentinel that acts: answers, not in TILT, and names the master that the best informed names. */
static const struct node *acting_sentinel(const struct model *m, const struct group *g)
{
	const struct sentinel_view *best = group_best_view(g);
	const struct node *refused = NULL;
	for (size_t i = 0; best != NULL && i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		const struct node *n = model_node(m, v->sentinel_id);
		if (!failover_node_is_up(n) || n->info.sentinel_tilt == 1 ||
		    !endpoint_equal(&v->facts.addr, &best->facts.addr) ||
		    v->facts.config_epoch != best->facts.config_epoch)
			continue;
		if (!is_refused(n))
			return n;
		if (refused == NULL)
			refused = n;
	}
	return refused;
}

/* sentinel.c of Valkey 9: the master must know FAILOVER, or the answer is NOGOODPRIMARY. */
static void offer_forms(struct action *a, const struct model *m, const struct group *g,
			const struct node *sentinel)
{
	const struct node *master = model_node(m, g->master_id);
	if (sentinel == NULL || !sentinel->info.valkey || !node_version_from(sentinel, 9, 0) ||
	    !failover_node_is_up(master) || !node_version_from(master, 6, 2))
		return;
	a->sheet.forms[FORM_USUAL] = "at once";
	a->sheet.forms[FORM_COORDINATED] = "COORDINATED";
	a->sheet.form_count = 2;
}

bool failover_prepare_sentinel(struct action *a, const struct model *m, const struct group *g)
{
	const struct sentinel_view *best = group_best_view(g);
	const struct node *sentinel = acting_sentinel(m, g);
	const char *const argv[] = { "SENTINEL", "FAILOVER", g->name, "COORDINATED" };
	offer_forms(a, m, g, sentinel);
	bool coordinated = a->form == FORM_COORDINATED;
	action_set_argv(a, coordinated ? 4 : 3, argv);
	snprintf(a->subject, sizeof(a->subject), "%s", g->name);
	snprintf(a->sheet.confirm, sizeof(a->sheet.confirm), "%s", g->name);
	a->sheet.confirm_what = "the set's name";
	a->epoch = best != NULL ? best->facts.config_epoch : 0;
	int64_t timeout_ms = best != NULL ? best->facts.failover_timeout_ms : FACT_UNKNOWN;
	/* Each phase may take failover-timeout; two follow one another. */
	a->deadline_ms = timeout_ms > 0 ? 2 * timeout_ms + FAILOVER_GRACE_MS : 60000;
	if (sentinel == NULL)
		return action_block(a, "no Sentinel can act: none answers, or they are in TILT or disagree");
	a->target_ids[a->target_count++] = sentinel->id;
	if (group_name_was_cleaned(g))
		return action_block(a, "its name holds bytes that cannot be sent back");
	if (g->replica_count == 0)
		return action_block(a, "no replica is known that could be promoted");
	if (coordinated && a->sheet.form_count == 0)
		return action_block(a, "COORDINATED needs a Sentinel of Valkey 9 and a master that answers");
	return true;
}
