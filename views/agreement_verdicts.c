/* What is said of one master before and after the table: is there one master, can it fail over and
 * to whom, who stands alone, which replicas are passed over, and which names are of the dead. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "model/agreement_cluster.h"
#include "model/readiness.h"
#include "views/agreement_private.h"

#define DISSENT_LINES 12 /* of a cluster; the table has them all */
#define GHOSTS_MAX    32
#define CHOICES       16 /* Sentinels whose own choice is said */
#define CHOICE_BYTES  300

/* --- split brain --------------------------------------------------------------------------- */

static bool is_named(const struct model *m, const struct group *g, const struct node *n)
{
	for (size_t i = 0; i < g->view_count; i++)
		if (group_view_answers(m, &g->views[i]) && endpoint_equal(&g->views[i].facts.addr, &n->addr))
			return true;
	return false;
}

/* Who names this address; false when a Sentinel before it named it as well. */
static bool named_by(const struct model *m, const struct group *g, size_t at, char *out, size_t size)
{
	const struct sentinel_view *v = &g->views[at];
	const struct node *named;
	char addr[ENDPOINT_TEXT_BYTES];
	size_t len, count = 0;

	for (size_t i = 0; i < at; i++)
		if (group_view_answers(m, &g->views[i]) &&
		    endpoint_equal(&g->views[i].facts.addr, &v->facts.addr))
			return false;
	named = model_find_node(m, g->deployment_id, &v->facts.addr);
	len = (size_t)snprintf(out, size, "%.90s%s named by", endpoint_format(&v->facts.addr, addr),
			       named && node_says_master(named) ? " (says master)" : "");
	for (size_t i = at; i < g->view_count && len + 100 < size; i++) {
		if (!group_view_answers(m, &g->views[i]) ||
		    !endpoint_equal(&g->views[i].facts.addr, &v->facts.addr))
			continue;
		len += (size_t)snprintf(out + len, size - len, "%s %.90s", count++ ? "," : "",
					agree_addr(m, g->views[i].sentinel_id, addr));
	}
	return true;
}

static void split_add(struct agree_view *t, const struct view_context *c, const struct group *g,
		      const struct agreement *a)
{
	char text[1024], addr[ENDPOINT_TEXT_BYTES];

	snprintf(text, sizeof(text), "SPLIT BRAIN: %s", a->text);
	agree_text_add(t, ABOUT_SPLIT, g->id, g->master_id, STYLE_CRITICAL, GLYPH_DOWN, 0, text);
	for (size_t i = 0; i < g->view_count && i < 64; i++)
		if (group_view_answers(c->model, &g->views[i]) &&
		    named_by(c->model, g, i, text, sizeof(text)))
			agree_text_add(t, ABOUT_SPLIT, g->id, g->views[i].sentinel_id,
				       STYLE_CRITICAL, -1, 2, text);
	for (size_t i = 0; i < g->member_count && i < 1000; i++) {
		const struct node *n = model_node(c->model, g->member_ids[i]);

		if (!n || !node_says_master(n) || is_named(c->model, g, n))
			continue;
		snprintf(text, sizeof(text), "%.90s says that it is master%s",
			 endpoint_format(&n->addr, addr),
			 n->id == model_node_resolve(c->model, g->master_id)
			     ? ""
			     : ": writes there will be lost");
		agree_text_add(t, ABOUT_SPLIT, g->id, n->id, STYLE_CRITICAL, -1, 2, text);
	}
}

/* --- can it fail over, and to whom --------------------------------------------------------- */

static enum health ready_health(enum ready r)
{
	return r == READY_YES	     ? HEALTH_OK
	       : r == READY_UNKNOWN  ? HEALTH_UNKNOWN
	       : r == READY_DOUBTFUL ? HEALTH_WARNING
				     : HEALTH_CRITICAL;
}

/* split: what is said above already. */
static void readiness_add(struct agree_view *t, const struct view_context *c, const struct group *g,
			  const char *split)
{
	struct readiness r;
	enum health whole;
	bool above;

	readiness_of(c->model, g, c->now_ms, &r);
	above = split[0] && strstr(r.text, split);
	/* What is bad about a failover that runs is why it runs. */
	whole = r.running ? HEALTH_WARNING : ready_health(r.verdict);
	agree_text_add(t, ABOUT_READINESS, g->id, g->master_id, health_style(whole),
		       (int)health_glyph(whole), 0, above ? ready_words(&r) : r.text);
	for (size_t i = 0; i < r.reason_count; i++) {
		enum health h = ready_health(r.reasons[i].verdict);

		if (strstr(r.text, r.reasons[i].text) ||
		    (split[0] && strcmp(r.reasons[i].text, split) == 0))
			continue;
		agree_text_add(t, ABOUT_READINESS, g->id, g->master_id, health_style(h),
			       (int)health_glyph(h), 2, r.reasons[i].text);
	}
}

static void at_risk(const struct forecast *f, char *out, size_t size)
{
	char bytes[UNITS_BYTES], seconds[UNITS_BYTES];

	out[0] = '\0';
	if (f->loss_bytes == FACT_UNKNOWN)
		snprintf(out, size, "; what would be lost is not known");
	else if (f->loss_ms < 100 /* or not known */)
		snprintf(out, size, "; at risk: up to %s", units_bytes(f->loss_bytes, bytes));
	else
		snprintf(out, size, "; at risk: up to %s, %s",
			 units_bytes(f->loss_bytes, bytes), units_duration(f->loss_ms, seconds));
}

/* What each of them would take, where they are not of one mind; those of one mind together. */
static void choices_add(struct agree_view *t, const struct view_context *c, const struct group *g,
			struct forecast *f)
{
	char *texts = mem_alloc(CHOICES * CHOICE_BYTES);
	char who[CHOICES][ENDPOINT_TEXT_BYTES];
	uint32_t ids[CHOICES];
	size_t count = 0;

	for (size_t i = 0; i < g->view_count && count < CHOICES; i++) {
		char *text = texts + count * CHOICE_BYTES;
		char whom[ENDPOINT_TEXT_BYTES];

		if (!group_view_answers(c->model, &g->views[i]))
			continue;
		forecast_by_sentinel(c->model, g, &g->views[i], FORECAST_CRASH, c->now_ms, f);
		text_format(text, CHOICE_BYTES, "would take %.90s: %.180s",
			    f->candidate_id ? agree_addr(c->model, f->candidate_id, whom)
			    : f->tie	    ? "one of several"
					    : "nobody",
			    f->text);
		ids[count] = g->views[i].sentinel_id;
		agree_addr(c->model, ids[count], who[count]);
		count++;
	}
	for (size_t i = 0; i < count; i++) {
		const char *text = texts + i * CHOICE_BYTES;
		struct buf line = BUF_INIT;
		bool said = false;

		for (size_t k = 0; k < i; k++)
			said |= strcmp(texts + k * CHOICE_BYTES, text) == 0;
		for (size_t k = i; k < count && !said; k++)
			if (strcmp(texts + k * CHOICE_BYTES, text) == 0)
				buf_addf(&line, "%s%s", k == i ? "" : ", ", who[k]);
		if (!said) {
			buf_addf(&line, " %s", text);
			agree_text_add(t, ABOUT_FORECAST, g->id, ids[i], STYLE_WARNING,
				       GLYPH_DIFFERS, 2, buf_str(&line));
		}
		buf_free(&line);
	}
	free(texts);
}

/* A failover by hand does not ask the replicas again. */
static void by_hand_add(struct agree_view *t, const struct view_context *c, const struct group *g,
			uint32_t after_crash, struct forecast *f)
{
	char text[400], addr[ENDPOINT_TEXT_BYTES];

	forecast_group(c->model, g, FORECAST_MANUAL, c->now_ms, f, NULL);
	if (!f->known || f->candidate_id == after_crash || g->view_count == 0)
		return;
	snprintf(text, sizeof(text), "by hand: %.90s: %.200s",
		 f->candidate_id ? agree_addr(c->model, f->candidate_id, addr) : "not certain", f->text);
	agree_text_add(t, ABOUT_FORECAST, g->id, 0, STYLE_TEXT, GLYPH_ARROW, 2, text);
}

static void forecast_add(struct agree_view *t, const struct view_context *c, const struct group *g)
{
	struct forecast *f = mem_alloc(sizeof(*f));
	char text[700], addr[ENDPOINT_TEXT_BYTES], risk[100];
	bool differ;

	forecast_group(c->model, g, FORECAST_CRASH, c->now_ms, f, &differ);
	at_risk(f, risk, sizeof(risk));
	if (f->candidate_id)
		snprintf(text, sizeof(text), "next: %.90s, %.200s%s",
			 agree_addr(c->model, f->candidate_id, addr), f->text, risk);
	else if (differ) /* each one's choice follows */
		snprintf(text, sizeof(text), "next: the Sentinels differ on whom to promote");
	else
		snprintf(text, sizeof(text), "next: not certain: %.200s",
			 f->text[0] ? f->text
				      : "nothing is known of the replicas");
	agree_text_add(t, ABOUT_FORECAST, g->id, f->candidate_id,
		       f->second_master	 ? STYLE_CRITICAL
		       : differ		 ? STYLE_WARNING
		       : f->candidate_id ? STYLE_STRONG
					 : STYLE_TEXT,
		       GLYPH_ARROW, 0, text);
	if (differ)
		choices_add(t, c, g, f);
	else if (f->candidate_id)
		by_hand_add(t, c, g, f->candidate_id, f);
	free(f);
}

/* --- who stands alone ---------------------------------------------------------------------- */

static void most_say(const struct model *m, const struct group *g, enum agreement_field field,
		     char *out, size_t size)
{
	struct agreement_cell cell;

	snprintf(out, size, "?");
	for (size_t i = 0; i < g->view_count; i++) {
		if (!group_view_answers(m, &g->views[i]))
			continue;
		agreement_cell(m, g, &g->views[i], field, &cell);
		if (cell.known && !cell.dissents) {
			snprintf(out, size, "%s", cell.text);
			return;
		}
	}
}

/* All that one of them stands alone with, and since when the first of it; or that it is only not there
 * yet, right after a switch. */
static size_t dissents_add(struct agree_view *t, const struct view_context *c, const struct group *g,
			   const struct sentinel_view *v)
{
	struct buf line = BUF_INIT, what = BUF_INIT;
	int64_t since_ms = 0;
	bool grave = false, passing = true;
	size_t count = 0;
	char addr[ENDPOINT_TEXT_BYTES], age[UNITS_BYTES];

	for (enum agreement_field f = 0; f < AGREE_COUNT; f++) {
		struct agreement_cell cell;
		char most[ENDPOINT_TEXT_BYTES];

		agreement_cell(c->model, g, v, f, &cell);
		if (!cell.dissents)
			continue;
		most_say(c->model, g, f, most, sizeof(most));
		buf_addf(&what, "%s %s %s (most say %s)", count ? ";" : "", agreement_title(f),
			 cell.text, most);
		count++;
		grave |= cell.grave;
		passing &= cell.passing;
		if (since_ms == 0 || cell.since_ms < since_ms)
			since_ms = cell.since_ms;
	}
	if (count > 0) {
		buf_addf(&line, "%s %s for %s:%s", agree_addr(c->model, v->sentinel_id, addr),
			 passing ? "switching" : "stands alone",
			 units_age(c->now_ms > since_ms ? c->now_ms - since_ms : 0, age),
			 buf_str(&what));
		agree_text_add(t, ABOUT_DISSENT, g->id, v->sentinel_id,
			       grave ? STYLE_CRITICAL : STYLE_WARNING, GLYPH_DIFFERS, 0,
			       buf_str(&line));
	}
	buf_free(&line);
	buf_free(&what);
	return count;
}

/* Who does not answer: the age of its word. */
static void silent_add(struct agree_view *t, const struct view_context *c, const struct group *g)
{
	for (size_t i = 0; i < g->view_count && i < 64; i++) {
		const struct sentinel_view *v = &g->views[i];
		const struct node *n = model_node(c->model, v->sentinel_id);
		char text[400], addr[ENDPOINT_TEXT_BYTES], age[UNITS_BYTES];

		if (!n || group_view_answers(c->model, v))
			continue;
		if (v->at_ms == 0)
			snprintf(text, sizeof(text), "%.90s has not said anything: %.160s",
				 endpoint_format(&n->addr, addr), n->link.reason);
		else
			snprintf(text, sizeof(text), "%.90s silent: its word is %s old",
				 endpoint_format(&n->addr, addr),
				 units_age(c->now_ms > v->at_ms ? c->now_ms - v->at_ms : 0, age));
		agree_text_add(t, ABOUT_DISSENT, g->id, n->id, STYLE_STALE, GLYPH_UNKNOWN, 0, text);
	}
}

static void sentinels_add(struct agree_view *t, const struct view_context *c, const struct group *g,
			  const struct agreement *a)
{
	size_t count = 0;
	char text[200];

	for (size_t i = 0; i < g->view_count && i < 64; i++)
		if (group_view_answers(c->model, &g->views[i]))
			count += dissents_add(t, c, g, &g->views[i]);
	silent_add(t, c, g);
	if (count > 0)
		return;
	if (!a->known)
		snprintf(text, sizeof(text), "no Sentinel answers: this is what they said last");
	else if (a->answering < g->view_count && a->answering == 1)
		snprintf(text, sizeof(text), "1 of %zu Sentinels answers", g->view_count);
	else if (a->answering < g->view_count)
		snprintf(text, sizeof(text), "%zu of %zu Sentinels answer, and agree", a->answering,
			 g->view_count);
	else if (a->answering == 1)
		snprintf(text, sizeof(text), "the one Sentinel answers");
	else
		snprintf(text, sizeof(text), "all %zu Sentinels agree", a->answering);
	agree_text_add(t, ABOUT_DISSENT, g->id, g->master_id,
		       a->known && a->answering == g->view_count ? STYLE_OK : STYLE_WARNING,
		       (int)health_glyph(!a->known			   ? HEALTH_UNKNOWN
					 : a->answering == g->view_count ? HEALTH_OK
									   : HEALTH_WARNING),
		       0, text);
}

void agree_verdicts_add(struct agree_view *t, const struct view_context *c, const struct group *g)
{
	struct agreement a;

	agreement_of(c->model, g, c->now_ms, &a);
	if (a.split_brain)
		split_add(t, c, g, &a);
	readiness_add(t, c, g, a.split_brain ? a.text : "");
	forecast_add(t, c, g);
	if (g->view_count > 0)
		sentinels_add(t, c, g, &a);
}

/* --- replicas ------------------------------------------------------------------------------ */

static const char *const resync_words[] = {
    [RESYNC_UNKNOWN] = "",
    [RESYNC_PARTIAL] = ", would follow by a partial resync",
    [RESYNC_FULL] = ", would need a FULL resync",
};

static void rank_text(const struct forecast *f, size_t i, char *out, size_t size)
{
	const struct forecast_replica *r = &f->replicas[i];
	char bytes[UNITS_BYTES], priority[40] = "";

	if (r->priority != FACT_UNKNOWN)
		snprintf(priority, sizeof(priority), "priority %lld, ", (long long)r->priority);
	snprintf(out, size, "%s%s%s%s", priority,
		 r->loss_bytes == FACT_UNKNOWN ? "lag not known" : units_bytes(r->loss_bytes, bytes),
		 r->loss_bytes == FACT_UNKNOWN ? "" : " behind",
		 r->node_id == f->candidate_id ? ", the candidate" : resync_words[r->resync]);
}

/* What other Sentinels hold against it, where that is not the same. */
static void other_reasons_add(struct agree_view *t, const struct view_context *c,
			      const struct group *g, const struct forecast_replica *said,
			      struct forecast *f)
{
	char text[700], addr[ENDPOINT_TEXT_BYTES], why[FORECAST_REASONS_BYTES];

	for (size_t i = 0; i < g->view_count && i < 64; i++) {
		if (!group_view_answers(c->model, &g->views[i]))
			continue;
		forecast_by_sentinel(c->model, g, &g->views[i], FORECAST_CRASH, c->now_ms, f);
		for (size_t k = 0; k < f->count; k++) {
			const struct forecast_replica *r = &f->replicas[k];

			if (r->node_id != said->node_id || r->passed_over == said->passed_over)
				continue;
			snprintf(text, sizeof(text), "%.90s: %s",
				 agree_addr(c->model, g->views[i].sentinel_id, addr),
				 r->passed_over ? forecast_reasons(r, why) : "nothing against it");
			agree_text_add(t, ABOUT_REPLICAS, g->id, g->views[i].sentinel_id,
				       STYLE_WARNING, GLYPH_DIFFERS, 4, text);
		}
	}
}

static void replica_add(struct agree_view *t, const struct view_context *c, const struct group *g,
			const struct forecast *all, size_t at, struct forecast *scratch)
{
	const struct forecast_replica *r = &all->replicas[at];
	char text[900], addr[ENDPOINT_TEXT_BYTES], why[FORECAST_REASONS_BYTES], rank[200];

	agree_addr(c->model, r->node_id, addr);
	rank_text(all, at, rank, sizeof(rank));
	if (r->passed_over)
		snprintf(text, sizeof(text), "%.90s  passed over: %s", addr,
			 forecast_reasons(r, why));
	else
		snprintf(text, sizeof(text), "%.90s  %s", addr, rank);
	agree_text_add(t, ABOUT_REPLICAS, g->id, r->node_id,
		       r->passed_over			  ? STYLE_WARNING
		       : r->node_id == all->candidate_id ? STYLE_STRONG
							  : STYLE_TEXT,
		       (int)(r->passed_over			 ? GLYPH_WARNING
			     : r->node_id == all->candidate_id ? GLYPH_ARROW
								 : GLYPH_OK),
		       2, text);
	if (g->view_count > 0)
		other_reasons_add(t, c, g, r, scratch);
}

/* No replica, whatever Sentinels list it as; that they would take it all the same must be known. */
static void second_master_add(struct agree_view *t, const struct view_context *c, const struct group *g,
			      const struct forecast *all, size_t at)
{
	const struct forecast_replica *r = &all->replicas[at];
	char text[500], addr[ENDPOINT_TEXT_BYTES];

	snprintf(text, sizeof(text),
		 "%.90s is no replica: it says that it is master. Sentinels list it as one, and %s",
		 agree_addr(c->model, r->node_id, addr),
		 r->passed_over			   ? "would pass it over"
		 : r->node_id == all->candidate_id ? "by their rules would take it next"
						   : "would take it after those above");
	agree_text_add(t, ABOUT_REPLICAS, g->id, r->node_id, STYLE_CRITICAL, GLYPH_DOWN, 2, text);
}

void agree_replicas_add(struct agree_view *t, const struct view_context *c, const struct group *g)
{
	struct forecast *all = mem_alloc(sizeof(*all)), *scratch = mem_alloc(sizeof(*scratch));
	char text[64];
	size_t replicas = 0;
	bool differ;

	forecast_group(c->model, g, FORECAST_CRASH, c->now_ms, all, &differ);
	for (size_t i = 0; all->known && i < all->count; i++) {
		if (all->replicas[i].says_master)
			continue;
		if (replicas++ == 0)
			agree_text_add(t, ABOUT_REPLICAS, g->id, 0, STYLE_TITLE, -1, 0,
				       g->view_count > 0 ? "Replicas, in the order of choice"
							 : "Replicas");
		replica_add(t, c, g, all, i, scratch);
	}
	for (size_t i = 0; all->known && i < all->count; i++)
		if (all->replicas[i].says_master)
			second_master_add(t, c, g, all, i);
	if (all->more > 0) {
		snprintf(text, sizeof(text), "and %zu more", all->more);
		agree_text_add(t, ABOUT_REPLICAS, g->id, 0, STYLE_DIM, -1, 2, text);
	}
	free(scratch);
	free(all);
}

/* --- ghosts -------------------------------------------------------------------------------- */

static void ghost_add(struct agree_view *t, const struct view_context *c, const struct group *g,
		      const struct ghost *ghost)
{
	char text[1200], addr[ENDPOINT_TEXT_BYTES], age[UNITS_BYTES] = "?";
	size_t len, shown = ghost->listed_count < 8 ? ghost->listed_count : 8;

	if (ghost->since_ms != 0)
		units_age(c->now_ms > ghost->since_ms ? c->now_ms - ghost->since_ms : 0, age);
	len = (size_t)snprintf(text, sizeof(text), "%s %.90s: nobody has reached it for %s; listed by",
			       ghost->is_sentinel ? "Sentinel" : "replica",
			       agree_addr(c->model, ghost->node_id, addr), age);
	for (size_t i = 0; i < shown; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %.90s", i ? "," : "",
					agree_addr(c->model, ghost->listed_by[i], addr));
	if (ghost->listed_count > shown)
		snprintf(text + len, sizeof(text) - len, " and %zu more",
			 ghost->listed_count - shown);
	agree_text_add(t, ABOUT_GHOSTS, g->id, ghost->node_id, STYLE_WARNING, GLYPH_UNKNOWN, 2, text);
}

void agree_ghosts_add(struct agree_view *t, const struct view_context *c, const struct group *g)
{
	struct ghost ghosts[GHOSTS_MAX];
	size_t count = agreement_ghosts(c->model, g, c->now_ms, ghosts, GHOSTS_MAX);
	const struct keymap *keys = c->keys ? c->keys : keymap_builtin();
	char text[300], key[24] = "a";

	if (count == 0)
		return;
	agree_text_add(t, ABOUT_GHOSTS, g->id, 0, STYLE_TITLE, -1, 0, "Ghosts");
	for (size_t i = 0; i < count && i < GHOSTS_MAX; i++)
		ghost_add(t, c, g, &ghosts[i]);
	if (keys->keys[CMD_ACTIONS][0] != KEYC_NONE)
		key_name(keys->keys[CMD_ACTIONS][0], key);
	snprintf(text, sizeof(text),
		 "A dead Sentinel still counts for the majority. When it is gone for good: %s on its "
		 "row clears it: " GHOST_CURE ".",
		 key);
	agree_text_add(t, ABOUT_GHOSTS, g->id, 0, STYLE_DIM, -1, 2, text);
}

/* --- cluster ------------------------------------------------------------------------------- */

static size_t node_dissents_add(struct agree_view *t, const struct view_context *c,
				const struct agreement_cluster *a, const struct node *n, size_t had)
{
	for (enum cluster_agreement_field f = 0; f < CLUSTER_AGREE_COUNT; f++) {
		struct agreement_cell cell;
		char text[400], addr[ENDPOINT_TEXT_BYTES], age[UNITS_BYTES];

		agreement_cluster_cell(n, f, &cell);
		if (!cell.dissents || had++ >= DISSENT_LINES)
			continue;
		snprintf(text, sizeof(text), "%.90s says %s %.24s, most say %s, for %s",
			 endpoint_format(&n->addr, addr), agreement_cluster_title(f), cell.text,
			 a->most[f],
			 units_age(c->now_ms > cell.since_ms ? c->now_ms - cell.since_ms : 0, age));
		agree_text_add(t, ABOUT_DISSENT, 0, n->id,
			       f == CLUSTER_AGREE_STATE ? STYLE_CRITICAL : STYLE_WARNING,
			       GLYPH_DIFFERS, 0, text);
	}
	return had;
}

void agree_cluster_add(struct agree_view *t, const struct view_context *c, const struct deployment *d)
{
	struct agreement_cluster a;
	const struct node *n;
	size_t cursor = 0, count = 0;
	bool all;
	char text[200];

	agreement_cluster_of(c->model, d, &a);
	all = a.answering == d->member_count;
	if (!a.known)
		snprintf(text, sizeof(text), "no node of the cluster answers: what they said last");
	else if (a.agree && all)
		snprintf(text, sizeof(text), "all %zu nodes agree", a.answering);
	else if (a.agree)
		snprintf(text, sizeof(text), "%zu of %zu nodes answer, and agree", a.answering,
			 d->member_count);
	else
		snprintf(text, sizeof(text), "%zu of %zu nodes that answer stand alone",
			 a.dissenting, a.answering);
	agree_text_add(t, ABOUT_MASTER, 0, 0, a.known && a.agree && all ? STYLE_OK : STYLE_WARNING,
		       (int)health_glyph(!a.known	       ? HEALTH_UNKNOWN
					 : a.agree && all ? HEALTH_OK
							       : HEALTH_WARNING),
		       0, text);
	while (!a.agree && (n = model_next_member(c->model, d->id, &cursor)))
		count = node_dissents_add(t, c, &a, n, count);
	if (count > DISSENT_LINES) {
		snprintf(text, sizeof(text), "and %zu more: see the table", count - DISSENT_LINES);
		agree_text_add(t, ABOUT_DISSENT, 0, 0, STYLE_WARNING, -1, 2, text);
	}
}

void agree_shards_add(struct agree_view *t, const struct deployment *d)
{
	agree_text_add(t, ABOUT_SHARDS, 0, 0, STYLE_TITLE, -1, 0, "Can each shard fail over?");
	for (size_t i = 0; i < d->group_count; i++)
		agree_line_add(t, AGREE_LINE_HEADING, ABOUT_SHARDS, d->groups[i]->id,
			       d->groups[i]->master_id);
}
