/* failover: SENTINEL FAILOVER, CLUSTER FAILOVER or FAILOVER, by the kind of deployment.
 *
 * A reply of OK means only that the server took the command. The outcome is read back: from the
 * new master's own word, and from everybody else's. */
#include <stdio.h>
#include <string.h>

#include "action/failover_private.h"
#include "base/units.h"
#include "model/lag.h"

bool failover_node_is_up(const struct node *n)
{
	return n != NULL && n->link.state == LINK_UP && n->info_at_ms != 0;
}

const char *failover_exact(int64_t value, char *out)
{
	if (value == FACT_UNKNOWN)
		return "?";
	snprintf(out, UNITS_BYTES, "%lld", (long long)value);
	return out;
}

const struct node *failover_best_replica(const struct model *m, const struct group *g, int64_t now_ms)
{
	const struct node *best = NULL;
	struct lag best_lag = { .bytes = FACT_UNKNOWN };
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		struct lag lag;
		if (!failover_node_is_up(n) || n->id == model_node_resolve(m, g->master_id) ||
		    n->info.role != ROLE_REPLICA)
			continue;
		lag_of(m, n, now_ms, &lag);
		if (best == NULL || (lag.bytes != FACT_UNKNOWN &&
				     (best_lag.bytes == FACT_UNKNOWN || lag.bytes < best_lag.bytes))) {
			best = n;
			best_lag = lag;
		}
	}
	return best;
}

static bool prepare(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = action_group(a, m);
	const struct deployment *d = g != NULL ? model_deployment(m, g->deployment_id) : NULL;
	if (d == NULL)
		return false;
	a->old_master_id = model_node_resolve(m, g->master_id);
	bool ready = d->kind == KIND_SENTINEL ? failover_prepare_sentinel(a, m, g) :
		     d->kind == KIND_CLUSTER  ? failover_prepare_cluster(a, m, g, now_ms) :
						failover_prepare_plain(a, m, g);
	a->sheet.form = a->form;
	if (!group_failover_running(m, g, now_ms))
		return ready;
	char text[120];
	group_failover_text(g, now_ms, text, sizeof(text));
	return action_block(a, "a failover is already running%s%s", text[0] != '\0' ? ": " : "", text);
}

const struct action_kind action_failover = {
	.name = "failover",
	.label = "Failover",
	.help = "promote a replica in place of the master",
	.needs_confirm = true,
	.changes = true,
	.live = true,
	.prepare = prepare,
	.ask = failover_ask,
	.brief = failover_brief,
	.follow = failover_follow,
};
