/* reset: SENTINEL RESET, Sentinel by Sentinel; and the clean-up of a ghost, which is the same.
 *
 * sentinel.c:sentinelResetMaster drops the lists of replicas and peers. They come back with the
 * master's INFO (every 10 s) and the peers' hellos (every 2 s). A Sentinel that was reset is blind until
 * then, so the next one's turn is when this one knows everybody again, by its own lists. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "action/sentinels.h"
#include "base/mem.h"
#include "base/units.h"
#include "model/agreement.h"

/* Of the others at least so many must know everything while one is blind. */
#define SIGHTED_MIN 2
#define ANSWER_MIN  (SIGHTED_MIN + 1)
/* INFO of the master, then that of each replica, each up to 10 s; and we ask in turn. */
#define KNOWS_AGAIN_MS 45000
#define GHOSTS_MAX     16

struct plan {
	struct roll roll;
	int64_t took_ms[ACTION_TARGETS_MAX]; /* until it knew all again */
};

/* The argument is a pattern: util.c:stringmatchlen takes what follows a backslash as it is. */
static bool escape_glob(const char *name, char out[NAME_BYTES])
{
	size_t len = 0;
	for (; *name != '\0'; name++) {
		bool special = strchr("*?[]\\", *name) != NULL;
		if (len + special + 1 >= NAME_BYTES)
			return false;
		if (special)
			out[len++] = '\\';
		out[len++] = *name;
	}
	out[len] = '\0';
	return true;
}

/* --- whether it may be done -------------------------------------------------------------------- */

/* Sentinels other than this one that know everybody, by lists read after since_ms: those that are left
 * while it is blind. */
static size_t sighted_without(const struct model *m, const struct group *g, const struct roll *r,
			      uint32_t id, int64_t since_ms, char why[240])
{
	size_t sighted = 0;
	why[0] = '\0';
	for (size_t i = 0; i < g->view_count; i++) {
		const struct node *n = model_node(m, g->views[i].sentinel_id);
		char lacks[160], addr[ENDPOINT_TEXT_BYTES];
		if (n == NULL || n->id == id)
			continue;
		if (roll_is_known_to(r, m, &g->views[i], since_ms, lacks))
			sighted++;
		else
			snprintf(why, 240, "%.70s: %.150s", endpoint_format(&n->addr, addr), lacks);
	}
	return sighted;
}

static bool views_agree(struct action *a, const struct model *m, const struct group *g)
{
	const struct sentinel_view *best = group_best_view(g);
	char addr[ENDPOINT_TEXT_BYTES];
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		const struct node *n = model_node(m, v->sentinel_id);
		if (!group_view_answers(m, v))
			continue;
		endpoint_format(&n->addr, addr);
		if (v->facts.flags & (SFLAG_S_DOWN | SFLAG_O_DOWN))
			return action_block(a, "Sentinel %.70s calls the master down: one that has forgotten "
					       "the replicas could not fail over", addr);
		if (!endpoint_equal(&v->facts.addr, &best->facts.addr) ||
		    v->facts.config_epoch != best->facts.config_epoch)
			return action_block(a, "Sentinel %.70s names another master or epoch: they must agree first",
					    addr);
		if (n->info.sentinel_tilt == 1)
			return action_block(a, "Sentinel %.70s is in TILT", addr);
		if (v->replicas_at_ms == 0 || v->peers_at_ms == 0)
			return action_block(a, "Sentinel %.70s has not been asked yet whom it knows: wait a moment",
					    addr);
	}
	return true;
}

/* One that answered and does not any more would be forgotten, or hold up the sequence. */
static bool none_just_lost(struct action *a, const struct model *m, const struct group *g,
			   const struct roll *r, int64_t now_ms)
{
	struct ghost ghosts[GHOSTS_MAX];
	size_t count = agreement_ghosts(m, g, now_ms, ghosts, GHOSTS_MAX);
	char addr[ENDPOINT_TEXT_BYTES];
	for (size_t i = 0; i < r->lost_count; i++) {
		bool is_ghost = false;
		for (size_t k = 0; k < count; k++)
			is_ghost |= model_node_resolve(m, ghosts[k].node_id) == r->lost[i];
		const struct node *n = model_node(m, r->lost[i]);
		if (!is_ghost && n != NULL)
			return action_block(a, "%.70s is down, but not for long enough to be a ghost: it would be "
					       "forgotten (%d s after it was lost it may be)",
					    endpoint_format(&n->addr, addr), GHOST_AFTER_MS / 1000);
	}
	for (size_t i = 0; i < r->replica_count + r->sentinel_count; i++) {
		const struct node *n = model_node(m, i < r->replica_count ? r->replicas[i]
								  : r->sentinels[i - r->replica_count]);
		if (n != NULL && n->link.state != LINK_UP && n->link.last_reply_ms != 0)
			return action_block(a, "%.70s does not answer any more: wait until it is back or a ghost",
					    endpoint_format(&n->addr, addr));
	}
	return true;
}

/* Whoever lacks something already goes first: it is as good as blind. */
static void blind_first(struct action *a, const struct model *m, const struct group *g,
			const struct roll *r)
{
	char why[160];
	for (size_t i = 1; i < a->target_count; i++) {
		const struct sentinel_view *v = group_view_of(m, g, a->target_ids[i]);
		if (v == NULL || roll_is_known_to(r, m, v, 0, why))
			continue;
		uint32_t id = a->target_ids[i];
		memmove(&a->target_ids[1], &a->target_ids[0], i * sizeof(id));
		a->target_ids[0] = id;
	}
}

static bool master_is_up(const struct model *m, const struct group *g)
{
	const struct node *n = model_node(m, g->master_id);
	if (n == NULL)
		return false;
	/* Out of our reach from the beginning: the Sentinels' word has to do. */
	return n->link.state == LINK_UP ? n->info_at_ms == 0 || n->info.role == ROLE_MASTER
					: n->link.last_reply_ms == 0;
}

static bool prepare(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = sentinels_prepare(a, m);
	struct plan *plan = mem_alloc(sizeof(*plan));
	char pattern[NAME_BYTES], why[240];
	a->plan = plan;
	if (g == NULL)
		return false;
	const struct sentinel_view *best = group_best_view(g);
	roll_call(&plan->roll, m, g);
	a->fingerprint = roll_fingerprint(&plan->roll);
	a->epoch = best != NULL ? best->facts.config_epoch : 0;
	if (!escape_glob(g->name, pattern))
		return action_block(a, "its name is a pattern, and too long to be escaped");
	blind_first(a, m, g, &plan->roll);
	const char *const argv[] = { "SENTINEL", "RESET", pattern };
	action_set_argv(a, 3, argv);
	if (group_failover_running(m, g, now_ms))
		return action_block(a, "a failover is running: who was reset would leave it");
	if (a->target_count < ANSWER_MIN)
		return action_block(a, "only %zu Sentinel%s answer%s: while one is blind fewer than %d would know "
				       "the master's set; %d must answer",
				    a->target_count, a->target_count == 1 ? "" : "s",
				    a->target_count == 1 ? "s" : "", SIGHTED_MIN, ANSWER_MIN);
	if (!master_is_up(m, g))
		return action_block(a, "the master does not answer: the replicas are learnt again from it alone");
	if (plan->roll.overflow)
		return action_block(a, "more than %d replicas or Sentinels: too many to be followed", ROLL_MAX);
	if (!views_agree(a, m, g) || !none_just_lost(a, m, g, &plan->roll, now_ms))
		return false;
	size_t sighted = sighted_without(m, g, &plan->roll, a->target_ids[0], 0, why);
	return sighted >= SIGHTED_MIN ||
	       action_block(a, "only %zu others know the whole set (%.130s)", sighted, why);
}

/* --- what is said before ----------------------------------------------------------------------- */

static void brief_forgotten(struct action *a, const struct model *m, const struct group *g,
			    int64_t now_ms)
{
	const struct plan *plan = a->plan;
	struct ghost ghosts[GHOSTS_MAX];
	size_t count = agreement_ghosts(m, g, now_ms, ghosts, GHOSTS_MAX);
	char addr[ENDPOINT_TEXT_BYTES], age[UNITS_BYTES];
	if (plan->roll.lost_count == 0)
		sheet_line_add(&a->sheet, HEALTH_OK, "forgotten",
			       "nobody for good: all that are listed answer and are learnt again");
	for (size_t i = 0; i < count && i < GHOSTS_MAX; i++) {
		const struct node *n = model_node(m, ghosts[i].node_id);
		if (n != NULL)
			sheet_line_add(&a->sheet, HEALTH_WARNING, "forgotten",
				       "%.70s, %s that nobody reaches since %s, listed by %zu of %zu",
				       endpoint_format(&n->addr, addr),
				       ghosts[i].is_sentinel ? "a Sentinel" : "a replica",
				       units_age(now_ms - ghosts[i].since_ms, age), ghosts[i].listed_count,
				       a->target_count);
	}
}

static void brief_sentinels(struct action *a, const struct model *m, const struct group *g)
{
	const struct plan *plan = a->plan;
	for (size_t i = 0; i < a->target_count; i++) {
		const struct node *n = model_node(m, a->target_ids[i]);
		const struct sentinel_view *v = group_view_of(m, g, a->target_ids[i]);
		char addr[ENDPOINT_TEXT_BYTES], why[160];
		if (n == NULL || v == NULL)
			continue;
		bool knows = roll_is_known_to(&plan->roll, m, v, 0, why);
		sheet_line_add(&a->sheet, knows ? HEALTH_OK : HEALTH_WARNING, "Sentinel", "%zu. %.70s  %.140s",
			       i + 1, endpoint_format(&n->addr, addr),
			       knows ? "knows the master, all replicas and Sentinels" : why);
	}
}

static void brief(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = model_group(m, a->on.group_id);
	const struct plan *plan = a->plan;
	if (g == NULL || g->deployment_id != a->on.deployment_id || g->view_count == 0)
		return;
	brief_forgotten(a, m, g, now_ms);
	sheet_line_add(&a->sheet, HEALTH_WARNING, "blind",
		       "each for 2 to 10 s, one at a time: it knows the master alone, until hellos (every 2 s) "
		       "and the master's INFO (every 10 s) name %zu Sentinels and %zu replicas again",
		       plan->roll.sentinel_count, plan->roll.replica_count);
	sheet_line_add(&a->sheet, HEALTH_OK, "in turn",
		       "the next one when the one before knows all again by its own lists; if it does not "
		       "within %d s, or a failover begins, it ends there", KNOWS_AGAIN_MS / 1000);
	brief_sentinels(a, m, g);
	sentinels_brief_missed(a, m, g, "it is not reset and keeps what it lists");
}

/* --- on its way -------------------------------------------------------------------------------- */

/* "reset: 10.0.0.1:26379; not reset: 10.0.0.3:26379", of which from `rest` on none was sent to. */
static char *progress(const struct action *a, const struct model *m, size_t done, size_t rest,
		      char out[160])
{
	char did[80], left[80];
	rest = rest < a->target_count ? rest : a->target_count;
	node_names(m, a->target_ids, done, did, sizeof(did));
	node_names(m, a->target_ids + rest, a->target_count - rest, left, sizeof(left));
	snprintf(out, 160, "reset: %.68s; not reset: %.68s", did, left);
	return out;
}

static const char *target_name(const struct action *a, const struct model *m, size_t index,
			       char out[ENDPOINT_TEXT_BYTES])
{
	const struct node *n = model_node(m, a->target_ids[index]);
	return n != NULL ? endpoint_format(&n->addr, out) : endpoint_format(&a->targets[index].addr, out);
}

/* Where each of them is by now: what was known of it before is not true any more once it was reset. */
static void say_turns(struct action *a, const struct model *m, const char *why, int64_t now_ms)
{
	const struct plan *plan = a->plan;
	char addr[ENDPOINT_TEXT_BYTES], took[UNITS_BYTES];
	a->sheet.line_count = 0;
	for (size_t i = 0; i < a->target_count; i++) {
		const struct node *n = model_node(m, a->target_ids[i]);
		const char *silent = n == NULL || n->link.state != LINK_UP ? "; does not answer now" : "";
		bool learnt = plan->took_ms[i] != 0;
		enum health health = learnt && silent[0] == '\0' ? HEALTH_OK : HEALTH_WARNING;
		target_name(a, m, i, addr);
		if (learnt)
			sheet_line_add(&a->sheet, health, "Sentinel", "%zu. %.70s  reset, knew all again after %s%s",
				       i + 1, addr, units_duration(plan->took_ms[i], took), silent);
		else if (a->reply_ms[i] != 0)
			sheet_line_add(&a->sheet, health, "Sentinel", "%zu. %.70s  reset %s ago: %.120s", i + 1, addr,
				       units_age(now_ms - a->reply_ms[i], took), why);
		else if (i < a->due)
			sheet_line_add(&a->sheet, health, "Sentinel", "%zu. %.70s  told, has not said that it did%s",
				       i + 1, addr, silent);
		else
			sheet_line_add(&a->sheet, silent[0] != '\0' ? HEALTH_WARNING : HEALTH_UNKNOWN, "Sentinel",
				       "%zu. %.70s  not reset%s", i + 1, addr, silent);
	}
}

static void replied(struct action *a, const struct model *m, size_t index, enum answer answer,
		    const char *text, int64_t now_ms)
{
	char addr[ENDPOINT_TEXT_BYTES], words[160];
	if (index + 1 != a->due)
		return;
	target_name(a, m, index, addr);
	progress(a, m, index, index + 1, words);
	if (answer == ANSWER_REFUSED)
		action_end(a, index == 0 ? ACTION_REFUSED : ACTION_FAILED, "%.60s refused: %.90s; %.60s", addr,
			   text, index == 0 ? "nobody was reset" : words);
	else if (answer != ANSWER_OK)
		action_end(a, ACTION_UNKNOWN, "%.60s: %.40s, it may be reset all the same; %.100s", addr, text,
			   words);
	else if (strcmp(text, "1") != 0)
		/* sentinel.c:sentinelResetMastersByPattern counts what it has reset. */
		action_end(a, ACTION_FAILED, "%.60s reset %.20s masters where one was meant; %.100s", addr,
			   text, words);
	else
		action_go_on(a, ACTION_ACCEPTED, "%.60s is reset (%zu of %zu)", addr, index + 1,
			     a->target_count);
	say_turns(a, m, "it has not been asked since", now_ms);
}

static void finish(struct action *a, const struct model *m, const struct group *g)
{
	const struct plan *plan = a->plan;
	uint32_t still[ROLL_MAX], gone[ROLL_MAX];
	size_t still_count = 0, gone_count = 0;
	struct roll now;
	char names[100], slowest[UNITS_BYTES];
	int64_t longest_ms = 0;
	roll_call(&now, m, g);
	for (size_t i = 0; i < plan->roll.lost_count; i++) {
		bool listed = false;
		for (size_t k = 0; k < now.lost_count; k++)
			listed |= now.lost[k] == plan->roll.lost[i];
		if (listed)
			still[still_count++] = plan->roll.lost[i];
		else
			gone[gone_count++] = plan->roll.lost[i];
	}
	for (size_t i = 0; i < a->target_count; i++)
		longest_ms = plan->took_ms[i] > longest_ms ? plan->took_ms[i] : longest_ms;
	units_duration(longest_ms, slowest);
	if (still_count > 0)
		action_end(a, ACTION_FAILED,
			   "%zu Sentinels know the set again, but list %.90s still: the master's INFO or a "
			   "Sentinel that was not reset names it",
			   a->target_count, node_names(m, still, still_count, names, sizeof(names)));
	else
		action_end(a, ACTION_VERIFIED,
			   "%zu of %zu Sentinels were reset and know %zu replicas and %zu Sentinels again, each "
			   "within %s; forgotten: %.80s",
			   a->target_count, a->target_count, plan->roll.replica_count,
			   plan->roll.sentinel_count, slowest,
			   node_names(m, gone, gone_count, names, sizeof(names)));
}

/* Why the sequence cannot go on; NULL: it can. */
static const char *stop_reason(const struct action *a, const struct model *m, const struct group *g,
			       int64_t now_ms)
{
	for (size_t i = 0; i < g->view_count; i++)
		if (group_view_answers(m, &g->views[i]) &&
		    (g->views[i].facts.flags & (SFLAG_S_DOWN | SFLAG_O_DOWN)))
			return "the master is called down";
	if (group_failover_running(m, g, now_ms))
		return "a failover began";
	if (!action_bound_is(&a->old_master, model_node(m, g->master_id)))
		return "the master is another one now";
	return NULL;
}

/* The next one's turn, unless too few would know the set meanwhile. */
static void next_turn(struct action *a, const struct model *m, const struct group *g, size_t index,
		      char why[240])
{
	const struct plan *plan = a->plan;
	char addr[ENDPOINT_TEXT_BYTES], took[UNITS_BYTES], next[ENDPOINT_TEXT_BYTES];
	const struct node *n = model_node(m, a->target_ids[index + 1]);
	if (!action_bound_is(&a->targets[index + 1], n)) {
		snprintf(why, 240, "the next one is another process now");
		return;
	}
	/* Somebody else may reset one of the others meanwhile: no word from before this turn counts. */
	if (sighted_without(m, g, &plan->roll, n->id, a->reply_ms[index], why) < SIGHTED_MIN)
		return;
	a->due++;
	action_go_on(a, ACTION_SENT, "%.60s knew all again after %s (%zu of %zu); now %.60s",
		     target_name(a, m, index, addr), units_duration(plan->took_ms[index], took), index + 1,
		     a->target_count, target_name(a, m, index + 1, next));
}

static void follow_turn(struct action *a, const struct model *m, size_t index, char why[240],
			int64_t now_ms)
{
	const struct group *g = model_group(m, a->on.group_id);
	struct plan *plan = a->plan;
	char addr[ENDPOINT_TEXT_BYTES], words[160], age[UNITS_BYTES];
	if (a->reply_ms[index] == 0)
		return;
	target_name(a, m, index, addr);
	const char *stop = g != NULL ? stop_reason(a, m, g, now_ms) : "the group is gone";
	if (stop != NULL) {
		action_end(a, ACTION_FAILED, "stopped, %s; %.160s", stop,
			   progress(a, m, index + 1, index + 1, words));
		return;
	}
	const struct sentinel_view *v = group_view_of(m, g, a->target_ids[index]);
	int64_t blind_ms = now_ms - a->reply_ms[index];
	if (v != NULL && roll_is_known_to(&plan->roll, m, v, a->reply_ms[index], why)) {
		if (plan->took_ms[index] == 0)
			plan->took_ms[index] = blind_ms;
		if (index + 1 == a->target_count)
			finish(a, m, g);
		else
			next_turn(a, m, g, index, why);
		if (a->due != index + 1 || action_is_over(a))
			return;
	}
	if (blind_ms > KNOWS_AGAIN_MS) {
		action_end(a, ACTION_FAILED, "stopped after %s at %.60s: %.70s; %.80s",
			   units_duration(blind_ms, age), addr, why,
			   progress(a, m, index + 1, index + 1, words));
		return;
	}
	snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "%zu of %zu: %.60s is reset, %s: %.100s",
		 index + 1, a->target_count, addr, units_age(blind_ms, age), why);
}

static void follow(struct action *a, const struct model *m, int64_t now_ms)
{
	char why[240] = "it is not asked any more";
	follow_turn(a, m, a->due > 0 ? a->due - 1 : 0, why, now_ms);
	say_turns(a, m, why, now_ms);
}

const struct action_kind action_reset = {
	.name = "reset",
	.label = "Reset the Sentinels",
	.help = "each forgets replicas and Sentinels of this master and learns anew who is there",
	.needs_confirm = true,
	.changes = true,
	.in_turn = true,
	.applies = sentinels_watch,
	.prepare = prepare,
	.brief = brief,
	.replied = replied,
	.follow = follow,
};

/* --- ghosts ------------------------------------------------------------------------------------ */

/* Listed by a Sentinel, and nobody has it at the other end: whether for long enough is another
 * question. */
static bool ghost_applies(const struct model *m, const struct action_context *on, int64_t now_ms)
{
	const struct group *g = model_group(m, on->group_id);
	struct roll roll;
	if (!sentinels_watch(m, on, now_ms) || on->node_id == 0)
		return false;
	roll_call(&roll, m, g);
	for (size_t i = 0; i < roll.lost_count; i++)
		if (roll.lost[i] == model_node_resolve(m, on->node_id))
			return true;
	return false;
}

static bool ghost_prepare(struct action *a, const struct model *m, int64_t now_ms)
{
	struct action_context on = a->on;
	/* The node is none of the group's if it is a Sentinel, and it is not whom the command goes to. */
	a->on.node_id = 0;
	bool ready = prepare(a, m, now_ms);
	a->on = on;
	return ready && (ghost_applies(m, &on, now_ms) || action_block(a, "it is no ghost any more"));
}

static void ghost_brief(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct node *n = model_node(m, a->on.node_id);
	char addr[ENDPOINT_TEXT_BYTES];
	if (n == NULL || n->deployment_id != a->on.deployment_id)
		return;
	endpoint_format(&n->addr, addr);
	if (n->is_sentinel)
		sheet_line_add(&a->sheet, HEALTH_OK, "why",
			       "%.60s counts as a voter although it is gone: the majority that a failover needs "
			       "is greater by it", addr);
	else
		sheet_line_add(&a->sheet, HEALTH_OK, "why",
			       "%.60s is tried for ever, and would be made a replica again if something answers "
			       "there", addr);
	sheet_line_add(&a->sheet, HEALTH_OK, "is it safe",
		       "yes: Sentinel has no other way to forget one. Two know everything while the third learns, "
		       "and who comes back is learnt again: %s",
		       n->is_sentinel ? "by its own hello"
				      : "as soon as the master lists it; until then it is not turned round");
	brief(a, m, now_ms);
}

const struct action_kind action_clear_ghost = {
	.name = "clear-ghost",
	.label = "Clear the ghost",
	.help = "make the Sentinels forget one that nobody can reach: a reset, one after the other",
	.needs_confirm = true,
	.changes = true,
	.in_turn = true,
	.applies = ghost_applies,
	.prepare = ghost_prepare,
	.brief = ghost_brief,
	.replied = replied,
	.follow = follow,
};
