/* ckquorum: asks every Sentinel that answers whether the quorum can be reached. Changes nothing. */
#include "action/sentinels.h"

static bool prepare(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = sentinels_prepare(a, m);
	(void)now_ms;
	if (g == NULL)
		return false;
	const char *const argv[] = { "SENTINEL", "CKQUORUM", g->name };
	action_set_argv(a, 3, argv);
	return true;
}

static void brief(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = model_group(m, a->on.group_id);
	(void)now_ms;
	if (g == NULL)
		return;
	sheet_line_add(&a->sheet, HEALTH_OK, "Sentinels", "%zu known, %zu answer",
		       group_sentinels_known(m, g), group_sentinels_reachable(m, g));
	sentinels_brief_missed(a, m, g, "it is not asked");
}

const struct action_kind action_ckquorum = {
	.name = "ckquorum",
	.label = "Check the quorum",
	.help = "ask every Sentinel whether a failover could be authorised",
	.applies = sentinels_watch,
	.prepare = prepare,
	.brief = brief,
};
