#include "model/agreement.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "model/health.h"
#include "model/model_private.h"
#include "model/stray.h"

_Static_assert(AGREE_COUNT <= AGREEMENT_FIELDS_MAX, "room in struct sentinel_view");

static const struct {
	const char *name, *title, *help;
	bool binding, grave;
} fields[] = {
#define X(id, name_, title_, binding_, grave_, help_)                                              \
	[id] = { .name = name_, .title = title_, .binding = binding_, .grave = grave_, .help = help_ },
	AGREEMENT_FIELDS(X)
#undef X
};

const char *agreement_name(enum agreement_field f)
{
	return fields[f].name;
}

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
bool agreement_vote(const struct model *m, const struct group *g, const struct sentinel_view *v,
		    char out[static ENDPOINT_TEXT_BYTES], int64_t *epoch)
{
	const struct sentinel_instance *f = as_peer(m, g, model_node_resolve(m, v->sentinel_id));
	out[0] = '\0';
	if (f == NULL || f->voted_leader_epoch == FACT_UNKNOWN)
		return false;
	*epoch = f->voted_leader_epoch;
	if (f->voted_leader[0] == '\0' || f->voted_leader[0] == '?')
		return true;
	text_format(out, ENDPOINT_TEXT_BYTES, "%.8s", f->voted_leader);
	for (size_t i = 0; i < g->view_count; i++) {
		const struct node *n = model_node(m, g->views[i].sentinel_id);
		if (n != NULL && strcmp(n->sentinel_id, f->voted_leader) == 0)
			endpoint_format(&n->addr, out);
	}
	return true;
}

static bool text_vote(const struct model *m, const struct group *g, const struct sentinel_view *v,
		      char *out, size_t size)
{
	char leader[ENDPOINT_TEXT_BYTES];
	int64_t epoch;
	if (!agreement_vote(m, g, v, leader, &epoch))
		return false;
	if (leader[0] == '\0')
		snprintf(out, size, "nobody");
	else
		text_format(out, size, "%.240s @%lld", leader, (long long)epoch);
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
		return text_vote(m, g, v, out, size);
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

/* --- who stands alone ---------------------------------------------------------------------------- */

/* The leader names the old master until the very end of its failover: it does not vote on that. */
static bool has_vote(const struct model *m, const struct sentinel_view *v, enum agreement_field f)
{
	return group_view_answers(m, v) && !(fields[f].grave && v->facts.flags & SFLAG_FAILOVER_IN_PROGRESS);
}

/* What most say; at equal numbers the best informed one is right. Sentinels are few: each is compared
 * with each. "": nobody says anything. */
void agreement_most_say(const struct model *m, const struct group *g, enum agreement_field f, char *norm,
			size_t size)
{
	const struct sentinel_view *best = group_best_answering(m, g);
	char text[ENDPOINT_TEXT_BYTES], other[ENDPOINT_TEXT_BYTES];
	size_t most = 0;
	norm[0] = '\0';
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		size_t same = 0;
		if (!has_vote(m, v, f) || !cell_text(m, g, v, f, text, sizeof(text)))
			continue;
		for (size_t k = 0; k < g->view_count; k++)
			same += has_vote(m, &g->views[k], f) &&
				cell_text(m, g, &g->views[k], f, other, sizeof(other)) &&
				strcmp(text, other) == 0;
		if (same < most || (same == most && v != best))
			continue;
		most = same;
		text_format(norm, size, "%s", text);
	}
}

static void judge_field(struct model *m, struct group *g, enum agreement_field f)
{
	char norm[ENDPOINT_TEXT_BYTES], text[ENDPOINT_TEXT_BYTES];
	agreement_most_say(m, g, f, norm, sizeof(norm));
	for (size_t i = 0; i < g->view_count; i++) {
		struct sentinel_view *v = &g->views[i];
		bool dissents = group_view_answers(m, v) && cell_text(m, g, v, f, text, sizeof(text)) &&
				norm[0] != '\0' && strcmp(text, norm) != 0;
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

/* A Sentinel hears of a switch with the next hello, which come every 2 s. */
#define SWITCH_SETTLES_MS 3000

static bool is_switching(const struct model *m, const struct group *g, int64_t now_ms)
{
	for (size_t i = 0; i < g->view_count; i++)
		if (g->views[i].switched_ms != 0 && group_view_answers(m, &g->views[i]) &&
		    now_ms - g->views[i].switched_ms < SWITCH_SETTLES_MS)
			return true;
	if (group_failover_running(m, g, now_ms))
		return true;
	return g->failover.ended_ms != 0 && now_ms - g->failover.ended_ms < SWITCH_SETTLES_MS;
}

/* Right after a switch the Sentinels name the new master one after the other, and the leader last, up to
 * failover-timeout later: that is no disagreement yet. */
static bool is_passing(const struct sentinel_view *v, enum agreement_field f, bool switching, int64_t now_ms)
{
	if (!switching || !fields[f].grave)
		return false;
	return v->facts.flags & SFLAG_FAILOVER_IN_PROGRESS ||
	       now_ms - v->dissent_ms[f] < SWITCH_SETTLES_MS;
}

void agreement_cell(const struct model *m, const struct group *g, const struct sentinel_view *v,
		    enum agreement_field f, struct agreement_cell *out)
{
	out->known = cell_text(m, g, v, f, out->text, sizeof(out->text));
	if (!out->known)
		out->text[0] = '\0';
	out->since_ms = v->dissent_ms[f];
	out->dissents = out->since_ms != 0;
	out->passing = out->dissents && is_passing(v, f, is_switching(m, g, m->now_ms), m->now_ms);
	out->grave = out->dissents && !out->passing && fields[f].grave;
}

static bool stands_alone(const struct model *m, const struct sentinel_view *v, enum agreement_field f)
{
	return fields[f].binding && v->dissent_ms[f] != 0 && group_view_answers(m, v);
}

/* What the events are about: a matter is said once, and has an end of its own. */
static const char *matter_of(enum agreement_field f)
{
	return fields[f].grave ? fields[f].title : "settings";
}

/* Who was heard again since it began to stand alone in something of that matter; NULL: nobody. */
static const struct sentinel_view *dissenter(const struct model *m, const struct group *g,
					     const char *matter, enum agreement_field *which)
{
	bool switching = is_switching(m, g, m->now_ms);
	for (enum agreement_field f = 0; f < AGREE_COUNT; f++)
		for (size_t i = 0; strcmp(matter_of(f), matter) == 0 && i < g->view_count; i++) {
			const struct sentinel_view *v = &g->views[i];
			if (!stands_alone(m, v, f) || v->at_ms <= v->dissent_ms[f] ||
			    is_passing(v, f, switching, m->now_ms))
				continue;
			/* With another master comes another epoch: that is one matter. */
			if (f == AGREE_EPOCH && stands_alone(m, v, AGREE_MASTER))
				continue;
			*which = f;
			return v;
		}
	return NULL;
}

static bool somebody_dissents(const struct model *m, const struct group *g, const char *matter)
{
	for (size_t i = 0; i < g->view_count; i++)
		for (enum agreement_field f = 0; f < AGREE_COUNT; f++)
			if (stands_alone(m, &g->views[i], f) && strcmp(matter_of(f), matter) == 0)
				return true;
	return false;
}

static void say_event(struct model *m, struct group *g, const char *matter, enum severity severity,
		      const struct node *n, const char *detail)
{
	char addr[ENDPOINT_TEXT_BYTES] = "";
	model_event(m, &(struct event_args){ .kind = EVENT_DISAGREEMENT, .use_severity = true,
					     .severity = severity, .deployment_id = g->deployment_id,
					     .node_id = n != NULL ? n->id : 0, .group_id = g->id,
					     .subject = g->name, .detail = detail, .about = matter,
					     .addr = n != NULL ? endpoint_format(&n->addr, addr) : "" });
	m->changed |= TOPIC_HEALTH;
}

static void say_over(struct model *m, struct group *g, const char *matter, const char *detail)
{
	model_event(m, &(struct event_args){ .kind = EVENT_DISAGREEMENT_OVER,
					     .deployment_id = g->deployment_id, .group_id = g->id,
					     .subject = g->name, .detail = detail, .about = matter });
	m->changed |= TOPIC_HEALTH;
}

static bool say_dissent(struct model *m, struct group *g, const char *matter)
{
	enum agreement_field which = AGREE_MASTER;
	char text[ENDPOINT_TEXT_BYTES], detail[ENDPOINT_TEXT_BYTES + 64];
	const struct sentinel_view *v = dissenter(m, g, matter, &which);
	if (v == NULL)
		return false;
	cell_text(m, g, v, which, text, sizeof(text));
	text_format(detail, sizeof(detail), "this Sentinel says %s %s", fields[which].title, text);
	say_event(m, g, matter, fields[which].grave ? SEVERITY_CRITICAL : SEVERITY_WARNING,
		  model_node(m, v->sentinel_id), detail);
	return true;
}

/* A Sentinel that stands alone names it: the two masters are those of its event. */
static bool is_named_alone(const struct model *m, const struct group *g, const struct node *n)
{
	for (size_t i = 0; i < g->view_count; i++)
		if (stands_alone(m, &g->views[i], AGREE_MASTER) &&
		    endpoint_equal(&g->views[i].facts.addr, &n->addr))
			return true;
	return false;
}

static void say_stray(struct model *m, struct group *g, const struct stray_master *stray)
{
	const struct node *n = model_node(m, stray->node_id);
	char named[ENDPOINT_TEXT_BYTES], detail[ENDPOINT_TEXT_BYTES + 64];
	if (is_switching(m, g, m->now_ms) || is_named_alone(m, g, n) ||
	    n->id == model_node_resolve(m, g->stray_id))
		return;
	text_format(detail, sizeof(detail), "says role master, and so does %.80s, which is named",
		    endpoint_format(&model_node(m, stray->master_id)->addr, named));
	say_event(m, g, "master", SEVERITY_CRITICAL, n, detail);
	g->stray_id = n->id;
}

/* Two that Sentinels name, and one that says so of itself: each is said, and the end when neither is. */
static void say_masters(struct model *m, struct group *g)
{
	struct stray_master stray;
	bool was_said = g->split_ms != 0 || g->stray_id != 0;
	bool named = somebody_dissents(m, g, "master"), beside = stray_master_of(m, g, &stray);
	if (named && g->split_ms == 0 && say_dissent(m, g, "master"))
		g->split_ms = m->now_ms;
	if (beside)
		say_stray(m, g, &stray);
	else if (g->stray_id != 0 && stray_is_over(m, g, g->stray_id))
		g->stray_id = 0;
	if (!named && (!beside || g->stray_id != 0))
		g->split_ms = 0;
	if (was_said && g->split_ms == 0 && g->stray_id == 0)
		say_over(m, g, "master", "one master again, of those that answer");
}

static void say_matter(struct model *m, struct group *g, const char *matter, int64_t *said_ms,
		       const char *over)
{
	bool dissent = somebody_dissents(m, g, matter);
	if (dissent && *said_ms == 0 && say_dissent(m, g, matter))
		*said_ms = m->now_ms;
	if (dissent || *said_ms == 0)
		return;
	*said_ms = 0;
	say_over(m, g, matter, over);
}

/* A setting that nobody repairs must not hide a second master. */
void group_say_agreement(struct model *m, struct group *g)
{
	say_masters(m, g);
	say_matter(m, g, "epoch", &g->epoch_ms, "one epoch again, of those that answer");
	say_matter(m, g, "settings", &g->disagreement_ms, "same settings again, of those that answer");
}

/* --- the verdict --------------------------------------------------------------------------------- */

/* The view of whom most believe, against one that stands alone. */
static const struct sentinel_view *in_line(const struct model *m, const struct group *g)
{
	for (size_t i = 0; i < g->view_count; i++)
		if (group_view_answers(m, &g->views[i]) && g->views[i].dissent_ms[AGREE_MASTER] == 0)
			return &g->views[i];
	return NULL;
}

static void say_two_named(const struct model *m, const struct group *g, const struct sentinel_view *v,
			  int64_t now_ms, struct agreement *out)
{
	const struct sentinel_view *most = in_line(m, g);
	const struct node *n = model_node(m, v->sentinel_id);
	char ours[ENDPOINT_TEXT_BYTES] = "?", theirs[ENDPOINT_TEXT_BYTES], who[ENDPOINT_TEXT_BYTES];
	char age[UNITS_BYTES];
	if (out->split_brain && out->split_since_ms <= v->dissent_ms[AGREE_MASTER])
		return;
	out->split_brain = out->two_named = true;
	out->split_since_ms = out->since_ms = v->dissent_ms[AGREE_MASTER];
	if (most != NULL)
		endpoint_format(&most->facts.addr, ours);
	text_format(out->text, sizeof(out->text), "two masters named for %s: %.50s, and %.50s by Sentinel %.50s",
		    units_age(now_ms - out->split_since_ms, age), ours, endpoint_format(&v->facts.addr, theirs),
		    endpoint_format(&n->addr, who));
}

/* While a failover runs the one that it promotes says so before anybody names it. */
static void say_split(const struct model *m, const struct group *g, bool switching, int64_t now_ms,
		      struct agreement *out)
{
	struct stray_master stray;
	char age[UNITS_BYTES], named[ENDPOINT_TEXT_BYTES], other[ENDPOINT_TEXT_BYTES];
	for (size_t i = 0; i < g->view_count; i++)
		if (stands_alone(m, &g->views[i], AGREE_MASTER) &&
		    !is_passing(&g->views[i], AGREE_MASTER, switching, now_ms))
			say_two_named(m, g, &g->views[i], now_ms, out);
	if (out->split_brain || switching || !stray_master_of(m, g, &stray))
		return;
	out->split_brain = true;
	out->split_since_ms = out->since_ms = stray.since_ms;
	text_format(out->text, sizeof(out->text), "two masters for %s: %.60s is named, %.60s says so of itself",
		    units_age(now_ms - stray.since_ms, age),
		    endpoint_format(&model_node(m, stray.master_id)->addr, named),
		    endpoint_format(&model_node(m, stray.node_id)->addr, other));
}

/* The first to switch stands alone with the new master, the last with the old one. */
static void say_switching(const struct model *m, const struct group *g, const struct sentinel_view *v,
			  enum agreement_field f, struct agreement *out)
{
	const struct sentinel_view *best = group_best_view(g);
	const struct node *n = model_node(m, v->sentinel_id);
	bool ahead = best != NULL && endpoint_equal(&best->facts.addr, &v->facts.addr) &&
		     best->facts.config_epoch <= v->facts.config_epoch;
	char who[ENDPOINT_TEXT_BYTES], what[ENDPOINT_TEXT_BYTES];
	cell_text(m, g, v, f, what, sizeof(what));
	text_format(out->text, sizeof(out->text), "switching: Sentinel %.60s %s %s %.60s",
		    endpoint_format(&n->addr, who), ahead ? "already has" : "still has", fields[f].title, what);
}

/* Says the first thing in which a Sentinel stands alone; what passes only if there is nothing else. */
static bool note_dissent(const struct model *m, const struct group *g, const struct sentinel_view *v,
			 bool switching, int64_t now_ms, struct agreement *out)
{
	const struct node *n = model_node(m, v->sentinel_id);
	char addr[ENDPOINT_TEXT_BYTES];
	bool dissents = false;
	for (enum agreement_field f = 0; f < AGREE_COUNT; f++) {
		if (!stands_alone(m, v, f))
			continue;
		bool passing = is_passing(v, f, switching, now_ms);
		dissents = true;
		if (out->text[0] != '\0' && (passing || !out->passing))
			continue;
		out->passing = passing;
		out->since_ms = v->dissent_ms[f];
		if (passing)
			say_switching(m, g, v, f, out);
		else
			text_format(out->text, sizeof(out->text), "Sentinel %.70s stands alone with its %s",
				    endpoint_format(&n->addr, addr), fields[f].title);
	}
	return dissents;
}

void agreement_of(const struct model *m, const struct group *g, int64_t now_ms, struct agreement *out)
{
	bool switching = is_switching(m, g, now_ms);
	*out = (struct agreement){ .agree = true };
	for (size_t i = 0; i < g->view_count; i++) {
		if (!group_view_answers(m, &g->views[i]))
			continue;
		out->known = true;
		out->answering++;
		out->dissenting += note_dissent(m, g, &g->views[i], switching, now_ms, out);
	}
	out->agree = out->dissenting == 0;
	say_split(m, g, switching, now_ms, out);
	if (out->split_brain)
		out->agree = out->passing = false;
}

/* --- ghosts -------------------------------------------------------------------------------------- */

struct ghosts {
	struct ghost *out;
	size_t found, max;
};

/* Since when nobody reaches it, as far as redoubt and this Sentinel know; 0: somebody does. */
static int64_t unreachable_since(const struct node *n, const struct member_view *v)
{
	int64_t since_ms = n->link.lost_ms, down_ms = v->facts.s_down_time_ms;
	if (n->link.state == LINK_UP || since_ms == 0 || !(v->facts.flags & (SFLAG_S_DOWN | SFLAG_O_DOWN)))
		return 0;
	/* A Sentinel may know for longer than redoubt runs. */
	if (down_ms > 0 && v->at_ms - down_ms < since_ms)
		since_ms = v->at_ms - down_ms;
	return since_ms != 0 ? since_ms : -1;
}

static struct ghost *ghost_obtain(struct ghosts *all, uint32_t node_id)
{
	for (size_t i = 0; i < all->found; i++)
		if (all->out[i].node_id == node_id)
			return &all->out[i];
	if (all->found == all->max)
		return NULL;
	all->out[all->found] = (struct ghost){ .node_id = node_id };
	return &all->out[all->found++];
}

static void ghost_listing(const struct model *m, const struct member_view *list, size_t count,
			  bool is_sentinel, int64_t now_ms, struct ghosts *all)
{
	for (size_t i = 0; i < count; i++) {
		const struct node *n = model_node(m, list[i].node_id);
		int64_t since_ms = n != NULL ? unreachable_since(n, &list[i]) : 0;
		if (since_ms == 0 || now_ms - since_ms < GHOST_AFTER_MS)
			continue;
		struct ghost *ghost = ghost_obtain(all, n->id);
		if (ghost == NULL)
			continue;
		ghost->is_sentinel = is_sentinel;
		if (ghost->listed_count == 0 || since_ms < ghost->since_ms)
			ghost->since_ms = since_ms;
		if (ghost->listed_count < sizeof(ghost->listed_by) / sizeof(ghost->listed_by[0]))
			ghost->listed_by[ghost->listed_count] = list[i].sentinel_id;
		ghost->listed_count++;
	}
}

size_t agreement_ghosts(const struct model *m, const struct group *g, int64_t now_ms, struct ghost *out,
			size_t max)
{
	struct ghosts all = { .out = out, .max = max };
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		if (!group_view_answers(m, v))
			continue;
		ghost_listing(m, v->peers, v->peer_count, true, now_ms, &all);
		ghost_listing(m, v->replicas, v->replica_count, false, now_ms, &all);
	}
	return all.found;
}
