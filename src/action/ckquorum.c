/* ckquorum: asks every Sentinel that answers whether the quorum can be reached. Changes nothing. */
#include <stdio.h>
#include <string.h>

#include "action/sentinels.h"

static bool prepare(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = action_group(a, m);
	(void)now_ms;
	if (g == NULL)
		return false;
	snprintf(a->subject, sizeof(a->subject), "%s", g->name);
	if (g->view_count == 0)
		return action_block(a, "only a master that Sentinels watch has a quorum to check");
	if (group_name_was_cleaned(g))
		return action_block(a, "its name holds bytes that cannot be sent back");
	const char *const argv[] = { "SENTINEL", "CKQUORUM", g->name };
	action_set_argv(a, 3, argv);
	for (size_t i = 0; i < g->view_count && a->target_count < ACTION_TARGETS_MAX; i++) {
		const struct node *n = model_node(m, g->views[i].sentinel_id);
		if (n != NULL && n->link.state == LINK_UP)
			a->target_ids[a->target_count++] = n->id;
	}
	return a->target_count > 0 || action_block(a, "no Sentinel answers");
}

static void brief(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = model_group(m, a->on.group_id);
	(void)now_ms;
	if (g == NULL)
		return;
	sheet_line_add(&a->sheet, HEALTH_OK, "Sentinels", "%zu known, %zu answer",
		       group_sentinels_known(m, g), group_sentinels_reachable(m, g));
}

const struct action_kind action_ckquorum = {
	.name = "ckquorum",
	.label = "Check the quorum",
	.help = "ask every Sentinel whether a failover could be authorised",
	.applies = sentinels_watch,
	.prepare = prepare,
	.brief = brief,
};
