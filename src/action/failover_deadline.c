/* The end of a failover that shows no end: that nothing happened is said only where it shows, by the old
 * master's own fresh word and that of everybody else who answers. */
#include <stdio.h>
#include <string.h>

#include "action/failover_private.h"
#include "base/units.h"

/* At the deadline the old master's own word must be this fresh to prove that nothing happened. */
#define FRESH_MS 3000

/* What the others say at the deadline. */
struct witnesses {
	size_t asked, name_old, name_other;
	const struct node *other; /* whom those name; NULL when they do not name the same */
};

static void witness(struct witnesses *w, const struct action *a, const struct node *named)
{
	w->asked++;
	if (named == NULL)
		return;
	if (!failover_is_another(a, named)) {
		w->name_old++;
		return;
	}
	w->other = w->name_other == 0 || w->other == named ? named : NULL;
	w->name_other++;
}

static void ask_sentinels(struct witnesses *w, const struct action *a, const struct model *m,
			  const struct group *g)
{
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		const struct node *n = model_node(m, v->sentinel_id);
		if (n == NULL || n->link.state != LINK_UP ||
		    (v->at_ms <= a->sent_ms && v->switched_ms <= a->sent_ms))
			continue;
		witness(w, a, model_find_node(m, g->deployment_id, &v->facts.addr));
	}
}

/* Without Sentinels the other members are the witnesses: whom they follow, or that they lead. */
static void ask_members(struct witnesses *w, const struct action *a, const struct model *m,
			const struct group *g)
{
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		if (!failover_node_is_up(n) || !failover_is_another(a, n) || n->info_at_ms <= a->sent_ms)
			continue;
		witness(w, a, n->info.role == ROLE_MASTER ? n : model_node(m, n->upstream_id));
	}
}

/* Why nothing can be said. */
static const char *doubt(const struct action *a, const struct node *old, bool fresh,
			 const struct witnesses *w)
{
	if (!failover_node_is_up(old))
		return "the old master does not answer";
	if (!fresh)
		return "the old master's last word is too old";
	if (old->info.role != ROLE_MASTER)
		return "the old master is no master any more, and who is does not show";
	if (w->name_old < w->asked)
		return "not everybody names the old master any more";
	if (a->replied_ms == 0)
		return "all is as before, but the command was not answered and may still be carried out";
	return "nobody who answers says who is master";
}

/* The Sentinel that was asked is gone, and with it what it had begun. */
static const char *whose_end(const struct action *a, const struct model *m, enum deployment_kind kind)
{
	const struct node *n = a->target_count > 0 ? model_node(m, a->target_ids[0]) : NULL;
	if (kind != KIND_SENTINEL || (n != NULL && n->link.state == LINK_UP))
		return "";
	return "; the Sentinel that was asked does not answer, and nobody else goes on with it";
}

/* A Sentinel that died may have carried out what it did not answer to: it cannot any more. One that hangs
 * has the command in its socket, and carries it out when it goes on. */
static bool asked_is_dead(const struct action *a, const struct model *m, enum deployment_kind kind)
{
	const struct node *n = a->target_count > 0 ? model_node(m, a->target_ids[0]) : NULL;
	return whose_end(a, m, kind)[0] != '\0' && (n == NULL || strncmp(n->link.reason, "no reply", 8) != 0);
}

void failover_end_at_deadline(struct action *a, const struct model *m, const struct group *g,
			      enum deployment_kind kind, int64_t now_ms)
{
	const struct node *old = failover_old_master(a, m, g->deployment_id);
	struct witnesses w = { 0 };
	char took[UNITS_BYTES], addr[ENDPOINT_TEXT_BYTES];
	bool fresh = failover_node_is_up(old) && old->info_at_ms > now_ms - FRESH_MS;
	bool needed = kind == KIND_SENTINEL;
	bool answered = a->replied_ms != 0 || asked_is_dead(a, m, kind);
	if (kind == KIND_SENTINEL)
		ask_sentinels(&w, a, m, g);
	else
		ask_members(&w, a, m, g);
	units_duration(now_ms - a->sent_ms, took);
	if (a->promoted_ms != 0)
		action_end(a, ACTION_UNKNOWN, "promoted, but not everybody agrees after %s", took);
	else if (answered && fresh && old->info.role == ROLE_MASTER && w.name_old == w.asked &&
		 (w.asked > 0 || !needed))
		action_end(a, ACTION_FAILED,
			   "nothing happened within %s: the master is as before, by its own word and that of "
			   "%zu of %zu %s%s",
			   took, w.name_old, w.asked, needed ? "Sentinels" : "others", whose_end(a, m, kind));
	else if (w.asked > 0 && w.name_other == w.asked && w.other != NULL && !failover_node_is_up(w.other))
		action_end(a, ACTION_UNKNOWN,
			   "%zu of %zu %s name %.70s as master now; it could not be asked itself",
			   w.name_other, w.asked, needed ? "Sentinels" : "nodes",
			   endpoint_format(&w.other->addr, addr));
	else
		action_end(a, ACTION_UNKNOWN, "not known after %s: %s", took, doubt(a, old, fresh, &w));
}
