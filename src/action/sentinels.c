#include "config.h"

#include "action/sentinels.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DOWN (SFLAG_S_DOWN | SFLAG_O_DOWN)

bool sentinels_watch(const struct model *m, const struct action_context *on, int64_t now_ms)
{
	const struct group *g = model_group(m, on->group_id);
	(void)now_ms;
	return g != NULL && g->view_count > 0;
}

char *node_names(const struct model *m, const uint32_t *ids, size_t count, char *out, size_t size)
{
	size_t len = 0;
	snprintf(out, size, "nobody");
	for (size_t i = 0; i < count; i++) {
		const struct node *n = model_node(m, ids[i]);
		char addr[ENDPOINT_TEXT_BYTES] = "?";
		if (n != NULL)
			endpoint_format(&n->addr, addr);
		/* Room for the count of those that are left out. */
		if (len + strlen(addr) + 16 > size && i > 0) {
			snprintf(out + len, size - len, " and %zu more", count - i);
			break;
		}
		int wrote = snprintf(out + len, size - len, "%s%s", i > 0 ? ", " : "", addr);
		len += wrote > 0 ? (size_t)wrote : 0;
	}
	return out;
}

/* --- the roll ---------------------------------------------------------------------------------- */

static void add_id(struct roll *r, uint32_t *ids, size_t *count, uint32_t id)
{
	size_t at = *count;
	for (size_t i = 0; i < *count; i++)
		if (ids[i] == id)
			return;
	if (*count == ROLL_MAX) {
		r->overflow = true;
		return;
	}
	for (; at > 0 && ids[at - 1] > id; at--)
		ids[at] = ids[at - 1];
	ids[at] = id;
	(*count)++;
}

static const struct member_view *find_member(const struct model *m, const struct member_view *list,
					     size_t count, uint32_t id)
{
	for (size_t i = 0; i < count; i++)
		if (model_node_resolve(m, list[i].node_id) == id)
			return &list[i];
	return NULL;
}

static const struct member_view *member_of(const struct model *m, const struct sentinel_view *v,
					   uint32_t id, bool sentinel)
{
	return sentinel ? find_member(m, v->peers, v->peer_count, id)
			: find_member(m, v->replicas, v->replica_count, id);
}

/* For us, or for one of the Sentinels: from here an address may be out of reach that they reach. */
static bool is_alive(const struct model *m, const struct group *g, uint32_t id, bool sentinel)
{
	const struct node *n = model_node(m, id);
	if (n != NULL && n->link.state == LINK_UP)
		return true;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct member_view *member = member_of(m, &g->views[i], id, sentinel);
		if (member != NULL && group_view_answers(m, &g->views[i]) && !(member->facts.flags & DOWN))
			return true;
	}
	return false;
}

static void call_list(struct roll *r, const struct model *m, const struct group *g,
		      const struct member_view *list, size_t count, bool sentinel)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t id = model_node_resolve(m, list[i].node_id);
		if (id == 0 || id == model_node_resolve(m, g->master_id))
			continue;
		if (!is_alive(m, g, id, sentinel))
			add_id(r, r->lost, &r->lost_count, id);
		else if (sentinel)
			add_id(r, r->sentinels, &r->sentinel_count, id);
		else
			add_id(r, r->replicas, &r->replica_count, id);
	}
}

void roll_call(struct roll *r, const struct model *m, const struct group *g)
{
	const struct sentinel_view *best = group_best_view(g);
	*r = (struct roll){ .replica_count = 0 };
	if (best != NULL)
		r->master = best->facts.addr;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		if (!group_view_answers(m, v))
			continue;
		add_id(r, r->sentinels, &r->sentinel_count, model_node_resolve(m, v->sentinel_id));
		call_list(r, m, g, v->replicas, v->replica_count, false);
		call_list(r, m, g, v->peers, v->peer_count, true);
	}
}

static uint64_t mix(uint64_t hash, const uint32_t *ids, size_t count)
{
	hash = (hash ^ count) * 1099511628211u;
	for (size_t i = 0; i < count; i++)
		hash = (hash ^ ids[i]) * 1099511628211u;
	return hash;
}

uint64_t roll_fingerprint(const struct roll *r)
{
	uint64_t hash = mix(14695981039346656037u, r->replicas, r->replica_count);
	return mix(mix(hash, r->sentinels, r->sentinel_count), r->lost, r->lost_count);
}

/* Of those in the list it knows so many, whatever it knows beside them. */
static size_t known_of(const struct model *m, const struct sentinel_view *v, const uint32_t *ids,
		       size_t count, bool sentinel)
{
	size_t known = 0;
	for (size_t i = 0; i < count; i++) {
		const struct member_view *member = member_of(m, v, ids[i], sentinel);
		bool itself = sentinel && model_node_resolve(m, v->sentinel_id) == ids[i];
		bool well = member != NULL && !(member->facts.flags & (DOWN | SFLAG_DISCONNECTED));
		/* Of a replica it has nothing to go by before it has had its INFO: 0 is never. */
		if (well && !sentinel)
			well = member->facts.info_refresh_ms != 0 && member->facts.run_id[0] != '\0';
		known += itself || well;
	}
	return known;
}

bool roll_is_known_to(const struct roll *r, const struct model *m, const struct sentinel_view *v,
		      int64_t since_ms, char why[160])
{
	const struct node *n = model_node(m, v->sentinel_id);
	size_t replicas = known_of(m, v, r->replicas, r->replica_count, false);
	size_t sentinels = known_of(m, v, r->sentinels, r->sentinel_count, true);
	if (n == NULL || n->link.state != LINK_UP)
		snprintf(why, 160, "it does not answer");
	else if (v->at_ms <= since_ms || v->replicas_at_ms <= since_ms || v->peers_at_ms <= since_ms)
		snprintf(why, 160, "it has not been asked since");
	else if (!endpoint_equal(&v->facts.addr, &r->master))
		snprintf(why, 160, "it names another master");
	else if (v->facts.flags & (DOWN | SFLAG_DISCONNECTED))
		snprintf(why, 160, "it has no connection to the master");
	else if (replicas < r->replica_count || sentinels < r->sentinel_count)
		snprintf(why, 160, "it knows %zu of %zu replicas and %zu of %zu Sentinels", replicas,
			 r->replica_count, sentinels, r->sentinel_count);
	else
		return true;
	return false;
}

/* --- commands to all --------------------------------------------------------------------------- */

const struct group *sentinels_prepare(struct action *a, const struct model *m)
{
	const struct group *g = action_group(a, m);
	if (g == NULL)
		return NULL;
	snprintf(a->subject, sizeof(a->subject), "%s", g->name);
	snprintf(a->sheet.confirm, sizeof(a->sheet.confirm), "%s", g->name);
	a->old_master_id = model_node_resolve(m, g->master_id);
	if (g->view_count == 0) {
		a->sheet.confirm[0] = '\0';
		action_block(a, "no Sentinel watches this master, and it is to Sentinels that this goes");
		return NULL;
	}
	if (group_name_was_cleaned(g)) {
		action_block(a, "its name holds bytes that cannot be sent back");
		return NULL;
	}
	for (size_t i = 0; i < g->view_count; i++) {
		if (!group_view_answers(m, &g->views[i]))
			continue;
		/* To some of them only would make them differ. */
		if (a->target_count == ACTION_TARGETS_MAX) {
			action_block(a, "more than %d Sentinels answer: too many for one action",
				     ACTION_TARGETS_MAX);
			return NULL;
		}
		a->target_ids[a->target_count++] = model_node_resolve(m, g->views[i].sentinel_id);
	}
	if (a->target_count > 0)
		return g;
	action_block(a, "no Sentinel answers");
	return NULL;
}

void sentinels_brief_missed(struct action *a, const struct model *m, const struct group *g,
			    const char *what)
{
	for (size_t i = 0; i < g->view_count; i++) {
		const struct node *n = model_node(m, g->views[i].sentinel_id);
		char addr[ENDPOINT_TEXT_BYTES];
		if (n != NULL && n->link.state != LINK_UP)
			sheet_line_add(&a->sheet, HEALTH_WARNING, "missed", "%.60s does not answer: %s",
				       endpoint_format(&n->addr, addr), what);
	}
	for (size_t i = 0; i < g->peer_count; i++) {
		const struct node *n = model_node(m, g->peers[i].node_id);
		char addr[ENDPOINT_TEXT_BYTES];
		bool has_view = false;
		for (size_t k = 0; k < g->view_count; k++)
			has_view |= g->views[k].sentinel_id == g->peers[i].node_id;
		if (n != NULL && !has_view && n->link.state != LINK_UP)
			sheet_line_add(&a->sheet, HEALTH_WARNING, "missed", "%.60s never answered: %s",
				       endpoint_format(&n->addr, addr), what);
	}
}

bool sentinels_replied(struct action *a, const struct model *m, size_t index, enum answer answer,
		       const char *text)
{
	const struct node *n = index < a->target_count ? model_node(m, a->target_ids[index]) : NULL;
	char addr[ENDPOINT_TEXT_BYTES] = "?";
	if (n != NULL)
		endpoint_format(&n->addr, addr);
	sheet_line_add(&a->sheet, answer == ANSWER_OK ? HEALTH_OK : HEALTH_CRITICAL, "reply", "%.60s  %.150s",
		       addr, text);
	/* The first that would not is what the outcome tells. */
	if (answer != ANSWER_OK && a->answered - a->agreed == 1)
		snprintf(a->outcome, sizeof(a->outcome), "%.60s: %.140s", addr, text);
	if (a->answered < a->target_count)
		return false;
	if (a->agreed == 0 && answer == ANSWER_REFUSED) {
		char words[sizeof(a->outcome)];
		memcpy(words, a->outcome, sizeof(words));
		action_end(a, ACTION_REFUSED, "refused by all: %.190s", words);
		return false;
	}
	return true;
}
