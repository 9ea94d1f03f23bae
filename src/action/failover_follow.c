/* A failover after it was sent: what is read back, and by whom. Kinds are in failover_follow_*.c. */
#include <stdio.h>
#include <string.h>

#include "action/failover_private.h"
#include "base/units.h"

bool failover_is_another(const struct action *a, const struct node *n)
{
	return n != NULL && !action_bound_is(&a->old_master, n);
}

const struct node *failover_old_master(const struct action *a, const struct model *m,
				       uint32_t deployment_id)
{
	const struct node *n = model_find_node(m, deployment_id, &a->old_master.addr);
	if (action_bound_is(&a->old_master, n))
		return n;
	n = model_node(m, a->old_master_id);
	return action_bound_is(&a->old_master, n) ? n : NULL;
}

bool failover_says_master_since(const struct node *n, int64_t since_ms)
{
	if (n == NULL)
		return false;
	return (n->info_at_ms > since_ms && n->info.role == ROLE_MASTER) ||
	       (n->role_fast_at_ms > since_ms && n->role_fast.role == ROLE_MASTER);
}

/* --- the time line ------------------------------------------------------------------------------- */

static bool is_of(const struct failover_record *f, const struct group *g)
{
	return f->group_id == g->id || (f->kind == KIND_SENTINEL && f->deployment_id == g->deployment_id &&
					strcmp(f->name, g->name) == 0);
}

/* Of two at once the one of the Sentinel that was asked, else the latest. */
const struct failover_record *failover_record_of(const struct action *a, const struct model *m,
						 const struct group *g)
{
	const struct failover_record *best = NULL;
	for (size_t i = model_failover_count(m); i-- > 0;) {
		const struct failover_record *f = model_failover_at(m, i);
		int64_t tried = f->step_ms[STEP_TRY] != 0 ? f->step_ms[STEP_TRY] : failover_end_ms(f);
		if (!is_of(f, g) || tried < a->sent_ms)
			continue;
		if (a->target_count > 0 && f->leader_id != 0 &&
		    model_node_resolve(m, f->leader_id) == model_node_resolve(m, a->target_ids[0]))
			return f;
		best = best == NULL ? f : best;
	}
	return best;
}

/* As short as the labels of a sheet are. */
static const char *step_label(const struct failover_record *f, enum failover_step s)
{
	return s == STEP_SELECTED ? "selected" : failover_step_words(f, s);
}

static enum health step_health(const struct failover_record *f, enum failover_step s)
{
	/* Nobody has done anything by it, so nothing is well. */
	if (s == STEP_TRY && f->leader_id == 0)
		return HEALTH_UNKNOWN;
	if (s == STEP_ABORTED)
		return failover_end_is_unknown(f) ? HEALTH_WARNING : HEALTH_CRITICAL;
	return HEALTH_OK;
}

/* Each step with the ms since it was sent and since the step before. */
void failover_say_steps(struct action *a, const struct failover_record *f)
{
	int64_t before = a->sent_ms;
	bool said[STEP_COUNT] = { false };
	if (f == NULL)
		return;
	for (;;) {
		int next = -1;
		for (int s = 0; s < STEP_COUNT; s++)
			if (!said[s] && f->step_ms[s] >= a->sent_ms &&
			    (next < 0 || f->step_ms[s] < f->step_ms[next]))
				next = s;
		if (next < 0)
			return;
		said[next] = true;
		enum failover_step s = (enum failover_step)next;
		sheet_line_add(&a->sheet, step_health(f, s), step_label(f, s),
			       "%lld ms (+%lld)%s%s",
			       (long long)(f->step_ms[next] - a->sent_ms), (long long)(f->step_ms[next] - before),
			       next == STEP_ELECTED || next == STEP_TRY   ? "  " :
			       next == STEP_SELECTED			  ? "  " :
									    "",
			       next == STEP_ELECTED || next == STEP_TRY ? f->leader :
			       next == STEP_SELECTED			? f->new_master :
									  "");
		before = f->step_ms[next];
	}
}

/* --- replicas ------------------------------------------------------------------------------------ */

static bool is_attached(const struct model *m, const struct node *n, const struct node *master)
{
	return n->link.state == LINK_UP && n->info_at_ms != 0 && n->info.role == ROLE_REPLICA &&
	       n->info.master_link_up == 1 &&
	       model_find_node(m, n->deployment_id, &n->info.master) == master;
}

size_t failover_attached(const struct action *a, const struct model *m, const struct group *g,
			 const struct node *master, size_t *of)
{
	size_t attached = 0;
	*of = 0;
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		if (n == NULL || n == master || !failover_is_another(a, n))
			continue;
		(*of)++;
		attached += is_attached(m, n, master);
	}
	return attached;
}

void failover_say_attached(struct action *a, const struct model *m, const struct group *g,
			   const struct node *master)
{
	size_t of, attached = failover_attached(a, m, g, master, &of), len = 0;
	char missing[160] = "", addr[ENDPOINT_TEXT_BYTES];
	if (of == 0)
		return;
	for (size_t i = 0; i < g->member_count && len + 1 < sizeof(missing); i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		if (n == NULL || n == master || !failover_is_another(a, n) || is_attached(m, n, master))
			continue;
		int wrote = snprintf(missing + len, sizeof(missing) - len, "%s%.60s", len > 0 ? ", " : "; not yet ",
				     endpoint_format(&n->addr, addr));
		len += wrote > 0 ? (size_t)wrote : 0;
	}
	sheet_line_add(&a->sheet, attached == of ? HEALTH_OK : HEALTH_WARNING, "replicas",
		       "%zu of %zu are linked to it%s", attached, of, missing);
}

/* --- all kinds ----------------------------------------------------------------------------------- */

/* A shard's group may go with a merge, the node that takes over stays. */
static const struct deployment *followed_deployment(const struct action *a, const struct model *m,
						    const struct group *g)
{
	const struct node *n = model_node(m, a->candidate_id);
	if (g != NULL)
		return model_deployment(m, g->deployment_id);
	return n != NULL ? model_deployment(m, n->deployment_id) : NULL;
}

void failover_follow(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = model_group(m, a->on.group_id);
	const struct deployment *d = followed_deployment(a, m, g);
	if (d == NULL || (g == NULL && d->kind != KIND_CLUSTER)) {
		action_end(a, ACTION_UNKNOWN, "the group is gone from what the deployment lists");
		return;
	}
	const struct node *n = model_node(m, a->candidate_id);
	if (g == NULL && n != NULL)
		g = model_group(m, n->group_id);
	a->sheet.line_count = 0;
	if (d->kind == KIND_SENTINEL)
		failover_follow_sentinel(a, m, g, now_ms);
	else if (d->kind == KIND_CLUSTER)
		failover_follow_cluster(a, m, d, g, now_ms);
	else
		failover_follow_plain(a, m, g, now_ms);
	if (action_is_over(a) || now_ms - a->sent_ms < a->deadline_ms)
		return;
	if (g != NULL)
		failover_end_at_deadline(a, m, g, d->kind, now_ms);
	else
		action_end(a, ACTION_UNKNOWN, "the group is gone from what the deployment lists");
}
