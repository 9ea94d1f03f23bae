#include "model/agreement.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "model/health.h"
#include "model/model_private.h"

_Static_assert(AGREE_COUNT <= AGREEMENT_FIELDS_MAX, "room in struct sentinel_view");

static const struct {
	const char *title, *help;
	bool binding;
} fields[] = {
#define X(id, title_, binding_, help_) [id] = { .title = title_, .binding = binding_, .help = help_ },
	AGREEMENT_FIELDS(X)
#undef X
};

const char *agreement_title(enum agreement_field f)
{
	return fields[f].title;
}

const char *agreement_help(enum agreement_field f)
{
	return fields[f].help;
}

/* --- what one Sentinel says ---------------------------------------------------------------------- */

/* The Sentinel as one of the others lists it: only they know its vote. The latest word. */
static const struct sentinel_instance *as_peer(const struct model *m, const struct group *g,
					       uint32_t sentinel_id)
{
	const struct member_view *latest = NULL;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		size_t at = member_view_place(v->peers, v->peer_count, sentinel_id);
		if (at < v->peer_count && model_node_resolve(m, v->peers[at].node_id) == sentinel_id &&
		    (latest == NULL || v->peers[at].at_ms > latest->at_ms))
			latest = &v->peers[at];
	}
	return latest != NULL ? &latest->facts : NULL;
}

static bool text_number(int64_t value, char *out, size_t size)
{
	if (value != FACT_UNKNOWN)
		snprintf(out, size, "%lld", (long long)value);
	return value != FACT_UNKNOWN;
}

static bool text_ms(int64_t ms, char *out, size_t size)
{
	char text[UNITS_BYTES];
	if (ms != FACT_UNKNOWN)
		snprintf(out, size, "%s", units_duration(ms, text));
	return ms != FACT_UNKNOWN;
}

static bool text_flags(uint32_t flags, char *out, size_t size)
{
	snprintf(out, size, "%s%s", flags & SFLAG_O_DOWN   ? "o_down"
				    : flags & SFLAG_S_DOWN ? "s_down"
							   : "ok",
		 flags & SFLAG_FAILOVER_IN_PROGRESS ? " failover" : "");
	return true;
}

/* By its address where it is one of those that watch the master. */
static bool text_vote(const struct model *m, const struct group *g, const struct sentinel_instance *f,
		      char *out, size_t size)
{
	char addr[ENDPOINT_TEXT_BYTES];
	if (f == NULL || f->voted_leader_epoch == FACT_UNKNOWN)
		return false;
	if (f->voted_leader[0] == '\0' || f->voted_leader[0] == '?') {
		snprintf(out, size, "nobody");
		return true;
	}
	snprintf(addr, sizeof(addr), "%.8s", f->voted_leader);
	for (size_t i = 0; i < g->view_count; i++) {
		const struct node *n = model_node(m, g->views[i].sentinel_id);
		if (n != NULL && strcmp(n->sentinel_id, f->voted_leader) == 0)
			endpoint_format(&n->addr, addr);
	}
	snprintf(out, size, "%.240s @%lld", addr, (long long)f->voted_leader_epoch);
	return true;
}

/* False: it has not said. */
static bool cell_text(const struct model *m, const struct group *g, const struct sentinel_view *v,
		      enum agreement_field which, char *out, size_t size)
{
	const struct sentinel_instance *f = &v->facts;
	const struct node *n = model_node(m, v->sentinel_id);
	char addr[ENDPOINT_TEXT_BYTES];
	out[0] = '\0';
	if (v->at_ms == 0 || n == NULL)
		return false;
	switch (which) {
	case AGREE_MASTER:
		snprintf(out, size, "%s", endpoint_format(&f->addr, addr));
		return true;
	case AGREE_EPOCH:
		return text_number(f->config_epoch, out, size);
	case AGREE_STATE:
		return text_flags(f->flags, out, size);
	case AGREE_QUORUM:
		return text_number(f->quorum, out, size);
	case AGREE_SENTINELS:
		return text_number(fact_add(f->num_other_sentinels, 1), out, size);
	case AGREE_REPLICAS:
		return text_number(f->num_slaves, out, size);
	case AGREE_DOWN_AFTER:
		return text_ms(f->down_after_ms, out, size);
	case AGREE_FAILOVER_TIMEOUT:
		return text_ms(f->failover_timeout_ms, out, size);
	case AGREE_PARALLEL_SYNCS:
		return text_number(f->parallel_syncs, out, size);
	case AGREE_VOTE:
		return text_vote(m, g, as_peer(m, g, n->id), out, size);
	case AGREE_TILT:
		snprintf(out, size, "%s", n->info.sentinel_tilt == 1 ? "TILT" : "no");
		return n->info_at_ms != 0 && n->info.sentinel_tilt != FACT_UNKNOWN;
	case AGREE_VERSION:
		snprintf(out, size, "%s", n->info.version);
		return n->info_at_ms != 0 && n->info.version[0] != '\0';
	case AGREE_COUNT:
		break;
	}
	return false;
}

void agreement_cell(const struct model *m, const struct group *g, const struct sentinel_view *v,
		    enum agreement_field f, struct agreement_cell *out)
{
	out->known = cell_text(m, g, v, f, out->text, sizeof(out->text));
	out->since_ms = v->dissent_ms[f];
	out->dissents = out->since_ms != 0;
}

/* --- who stands alone ---------------------------------------------------------------------------- */

static bool answers(const struct model *m, const struct sentinel_view *v)
{
	const struct node *n = model_node(m, v->sentinel_id);
	return n != NULL && n->link.state == LINK_UP && v->at_ms != 0;
}

/* Sentinels are few: each is compared with each. At equal numbers the best informed one is right. */
static void judge_field(struct model *m, struct group *g, enum agreement_field f)
{
	const struct sentinel_view *best = group_best_view(g);
	char norm[ENDPOINT_TEXT_BYTES] = "", text[ENDPOINT_TEXT_BYTES], other[ENDPOINT_TEXT_BYTES];
	size_t most = 0;
	for (size_t i = 0; i < g->view_count; i++) {
		size_t same = 0;
		if (!answers(m, &g->views[i]) || !cell_text(m, g, &g->views[i], f, text, sizeof(text)))
			continue;
		for (size_t k = 0; k < g->view_count; k++)
			same += answers(m, &g->views[k]) &&
				cell_text(m, g, &g->views[k], f, other, sizeof(other)) &&
				strcmp(text, other) == 0;
		if (same < most || (same == most && &g->views[i] != best))
			continue;
		most = same;
		snprintf(norm, sizeof(norm), "%s", text);
	}
	for (size_t i = 0; i < g->view_count; i++) {
		struct sentinel_view *v = &g->views[i];
		bool dissents = answers(m, v) && cell_text(m, g, v, f, text, sizeof(text)) &&
				strcmp(text, norm) != 0;
		if (dissents == (v->dissent_ms[f] != 0))
			continue;
		v->dissent_ms[f] = dissents ? m->now_ms : 0;
		m->changed |= TOPIC_HEALTH;
	}
}

/* More Sentinels than this are no deployment but an attack on our time. */
#define SENTINELS_COMPARED_MAX 64

void group_judge_agreement(struct model *m, struct group *g)
{
	if (g->view_count > SENTINELS_COMPARED_MAX)
		return;
	for (enum agreement_field f = 0; f < AGREE_COUNT; f++)
		judge_field(m, g, f);
}

/* Right after a failover the Sentinels name the new master one after the other, up to failover-timeout
 * apart: that is no disagreement yet. */
#define SWITCH_SETTLES_MS 10000

static bool is_switching(const struct model *m, const struct group *g)
{
	for (size_t i = 0; i < g->view_count; i++)
		if (g->views[i].switched_ms != 0 && answers(m, &g->views[i]))
			return true;
	if (group_failover_running(m, g, m->now_ms))
		return true;
	return g->failover.ended_ms != 0 && m->now_ms - g->failover.ended_ms < SWITCH_SETTLES_MS;
}

/* Who was heard again since it began to stand alone in something that binds; NULL: nobody. */
static const struct sentinel_view *dissenter(const struct model *m, const struct group *g,
					     enum agreement_field *which)
{
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		for (enum agreement_field f = 0; answers(m, v) && f < AGREE_COUNT; f++) {
			if (!fields[f].binding || v->dissent_ms[f] == 0 || v->at_ms <= v->dissent_ms[f])
				continue;
			*which = f;
			return v;
		}
	}
	return NULL;
}

static bool nobody_dissents(const struct model *m, const struct group *g)
{
	for (size_t i = 0; i < g->view_count; i++)
		for (enum agreement_field f = 0; answers(m, &g->views[i]) && f < AGREE_COUNT; f++)
			if (fields[f].binding && g->views[i].dissent_ms[f] != 0)
				return false;
	return true;
}

static void say_event(struct model *m, struct group *g, enum event_kind kind, uint32_t node_id,
		      const char *addr, bool use_severity, enum severity severity, const char *detail)
{
	g->disagreement_ms = kind == EVENT_DISAGREEMENT ? m->now_ms : 0;
	model_event(m, &(struct event_args){ .kind = kind, .use_severity = use_severity,
					     .severity = severity, .deployment_id = g->deployment_id,
					     .node_id = node_id, .group_id = g->id, .subject = g->name,
					     .addr = addr, .detail = detail });
	m->changed |= TOPIC_HEALTH;
}

void group_say_agreement(struct model *m, struct group *g)
{
	enum agreement_field which = AGREE_MASTER;
	char addr[ENDPOINT_TEXT_BYTES], text[ENDPOINT_TEXT_BYTES], detail[ENDPOINT_TEXT_BYTES + 64];
	if (g->disagreement_ms != 0) {
		if (nobody_dissents(m, g))
			say_event(m, g, EVENT_DISAGREEMENT_OVER, 0, "", false, 0, "all Sentinels that answer agree");
		return;
	}
	const struct sentinel_view *v = dissenter(m, g, &which);
	if (v == NULL || is_switching(m, g))
		return;
	const struct node *n = node_get(m, v->sentinel_id);
	/* Another quorum or time-out bites at the next failover only; another master bites now. */
	bool mild = which != AGREE_MASTER && which != AGREE_EPOCH;
	cell_text(m, g, v, which, text, sizeof(text));
	snprintf(detail, sizeof(detail), "this Sentinel says %s %s", fields[which].title, text);
	say_event(m, g, EVENT_DISAGREEMENT, n->id, endpoint_format(&n->addr, addr), mild,
		  SEVERITY_WARNING, detail);
}

/* --- the verdict --------------------------------------------------------------------------------- */

static bool says_master_now(const struct node *n)
{
	return n != NULL && n->link.state == LINK_UP && n->info_at_ms != 0 && n->info.role == ROLE_MASTER;
}

/* Nodes of the group that say master of themselves; *since: when the youngest of them began to. */
static size_t count_masters(const struct model *m, const struct group *g, int64_t *since_ms)
{
	size_t masters = 0;
	*since_ms = 0;
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(m, g->member_ids[i]);
		if (!says_master_now(n))
			continue;
		masters++;
		if (n->role_ms > *since_ms)
			*since_ms = n->role_ms;
	}
	return masters;
}

static void say_split(const struct model *m, const struct group *g, int64_t now_ms,
		      struct agreement *out)
{
	const struct sentinel_view *best = group_best_view(g);
	int64_t since_ms;
	char a[ENDPOINT_TEXT_BYTES], b[ENDPOINT_TEXT_BYTES], age[UNITS_BYTES];
	size_t masters = count_masters(m, g, &since_ms);
	for (size_t i = 0; i < g->view_count && best != NULL; i++) {
		const struct sentinel_view *v = &g->views[i];
		if (v->dissent_ms[AGREE_MASTER] == 0 || out->split_brain)
			continue;
		out->split_brain = true;
		out->split_since_ms = v->dissent_ms[AGREE_MASTER];
		endpoint_format(&v->facts.addr, a);
		for (size_t k = 0; k < g->view_count; k++)
			if (g->views[k].dissent_ms[AGREE_MASTER] == 0 && answers(m, &g->views[k]))
				best = &g->views[k];
		endpoint_format(&best->facts.addr, b);
		snprintf(out->text, sizeof(out->text), "two masters named %s: %.70s by most, %.70s by another",
			 units_age(now_ms - out->split_since_ms, age), b, a);
	}
	if (masters < 2 || out->split_brain)
		return;
	out->split_brain = true;
	out->split_since_ms = since_ms;
	snprintf(out->text, sizeof(out->text), "%zu nodes say master of themselves %s", masters,
		 units_age(now_ms - since_ms, age));
}

void agreement_of(const struct model *m, const struct group *g, int64_t now_ms, struct agreement *out)
{
	*out = (struct agreement){ .agree = true };
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		bool dissents = false;
		if (!answers(m, v))
			continue;
		out->known = true;
		out->answering++;
		for (enum agreement_field f = 0; f < AGREE_COUNT; f++) {
			if (!fields[f].binding || v->dissent_ms[f] == 0)
				continue;
			dissents = true;
			if (out->text[0] == '\0') {
				char addr[ENDPOINT_TEXT_BYTES];
				const struct node *n = model_node(m, v->sentinel_id);
				snprintf(out->text, sizeof(out->text), "Sentinel %.70s stands alone with its %s",
					 endpoint_format(&n->addr, addr), fields[f].title);
			}
		}
		out->dissenting += dissents;
	}
	out->agree = out->dissenting == 0;
	/* In a failover there are two for a while: until it has settled that is its way. */
	if (!is_switching(m, g))
		say_split(m, g, now_ms, out);
	if (out->split_brain)
		out->agree = false;
}

/* --- ghosts -------------------------------------------------------------------------------------- */

static void ghost_listing(const struct model *m, const struct member_view *list, size_t count,
			  uint32_t sentinel_id, bool is_sentinel, int64_t now_ms, struct ghost *out,
			  size_t *found, size_t max)
{
	for (size_t i = 0; i < count; i++) {
		const struct node *n = model_node(m, list[i].node_id);
		bool down = list[i].facts.flags & (SFLAG_S_DOWN | SFLAG_O_DOWN);
		size_t at = 0;
		if (n == NULL || n->link.state == LINK_UP || n->link.lost_ms == 0 || !down ||
		    now_ms - n->link.lost_ms < GHOST_AFTER_MS)
			continue;
		while (at < *found && at < max && out[at].node_id != n->id)
			at++;
		if (at >= max)
			continue;
		if (at == *found) {
			out[(*found)++] = (struct ghost){ .node_id = n->id, .is_sentinel = is_sentinel,
							  .since_ms = n->link.lost_ms };
		}
		struct ghost *ghost = &out[at];
		/* A Sentinel may know for longer than redoubt runs. */
		int64_t down_ms = list[i].facts.s_down_time_ms;
		if (down_ms != FACT_UNKNOWN && list[i].at_ms - down_ms < ghost->since_ms)
			ghost->since_ms = list[i].at_ms - down_ms;
		if (ghost->listed_count < sizeof(ghost->listed_by) / sizeof(ghost->listed_by[0]))
			ghost->listed_by[ghost->listed_count] = sentinel_id;
		ghost->listed_count++;
	}
}

size_t agreement_ghosts(const struct model *m, const struct group *g, int64_t now_ms, struct ghost *out,
			size_t max)
{
	size_t found = 0;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		if (!answers(m, v))
			continue;
		ghost_listing(m, v->peers, v->peer_count, v->sentinel_id, true, now_ms, out, &found, max);
		ghost_listing(m, v->replicas, v->replica_count, v->sentinel_id, false, now_ms, out, &found,
			      max);
	}
	return found;
}
