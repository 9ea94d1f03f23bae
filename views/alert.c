/* The alert line: the worst thing of what is shown, and whether it is worse elsewhere. Judged by the
 * clock that goes on, also while the panes are frozen. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "views/header_private.h"

#define HINT_PLAIN 100 /* columns; below, what they are is left out */
#define HINT_SHORT 72 /* columns; below, the hint is a few words */

/* The failover that runs, of the first master that has one. */
static void failover_line(const struct view_context *c, const struct deployment *d, char *out,
			  size_t size)
{
	size_t more = 0;
	size_t len;

	out[0] = '\0';
	for (size_t i = 0; i < d->group_count; i++) {
		const struct group *g = d->groups[i];
		char text[128];

		if (!group_failover_running(c->model, g, c->now_ms))
			continue;
		if (out[0]) {
			more++;
			continue;
		}
		group_failover_text(g, c->now_ms, text, sizeof(text));
		if (d->group_count > 1)
			snprintf(out, size, "failover of %.100s: %s", g->name, text);
		else
			snprintf(out, size, "failover: %s", text);
	}
	len = strlen(out);
	if (more > 0)
		snprintf(out + len, size - len, " (and %zu more)", more);
}

static enum style_role alert_style(enum health h)
{
	switch (h) {
	case HEALTH_CRITICAL:
		return STYLE_ALERT_CRITICAL;
	case HEALTH_WARNING:
		return STYLE_ALERT_WARNING;
	case HEALTH_UNKNOWN:
		return STYLE_UNKNOWN_STATE;
	case HEALTH_OK:
		break;
	}
	return STYLE_TEXT;
}

static const char *const alert_words[] = {
    [HEALTH_OK] = "OK",
    [HEALTH_UNKNOWN] = "UNKNOWN",
    [HEALTH_WARNING] = "WARNING",
    [HEALTH_CRITICAL] = "CRITICAL",
};

void notice_draw(const struct pane *line, const struct view_context *c)
{
	/* "UNKNOWN  only a cluster has slots": nobody's health is meant. */
	bool plain = c->notice_health == HEALTH_OK || c->notice_health == HEALTH_UNKNOWN;
	enum style_role role = plain ? STYLE_NOTICE : alert_style(c->notice_health);

	pane_fill(line, role);
	if (plain)
		pane_text(line, 0, 1, -1, role, c->notice);
	else
		pane_textf(line, 0, 1, -1, role, "%s  %s", alert_words[c->notice_health],
			   c->notice);
}

static void line_all_well(const struct pane *line, const struct view_context *c,
			  const char *failover)
{
	struct member_counts n = members_count(c);
	size_t all = n.nodes + n.sentinels, up = n.nodes_up + n.sentinels_up;
	int x = pane_glyph(line, 0, 1, STYLE_OK, GLYPH_OK);

	x = pane_text(line, 0, x + 1, -1, STYLE_OK, "OK");
	if (up < all) {
		x = pane_textf(line, 0, x + 2, -1, STYLE_DIM, "%zu of %zu members answer", up, all);
	} else {
		x = pane_textf(line, 0, x + 2, -1, STYLE_DIM, "%zu %s", n.nodes,
			       n.nodes == 1 ? "node" : "nodes");
		if (n.sentinels > 0)
			x = pane_textf(line, 0, x, -1, STYLE_DIM, " and %zu %s", n.sentinels,
				       n.sentinels == 1 ? "Sentinel" : "Sentinels");
		x = pane_text(line, 0, x, -1, STYLE_DIM, " up");
	}
	if (failover[0])
		pane_text(line, 0, x + 3, -1, STYLE_WARNING, failover);
}

#define WHY_LEAST     16 /* columns: less of a reason says nothing */
#define VERDICT_LEAST 24 /* below this the phase of a failover comes first */

/* The topology has it as well, and the address says whom it is about. */
static void drop_role(char *text)
{
	static const char *const roles[] = {"master ", "replica "};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		size_t len = strlen(roles[i]);

		if (strncmp(text, roles[i], len) == 0)
			memmove(text, text + len, strlen(text + len) + 1);
	}
}

/* Which phase a failover is in is worth more than the rest of the verdict, which the topology says
 * as well: that is what is cut. */
static void draw_alert(const struct pane *line, enum style_role role, struct verdict *verdict,
		       const char *failover)
{
	const char *word = alert_words[verdict->health];
	int left = text_width(word) + 3, phase = failover[0] ? text_width(failover) + 3 : 0;
	int room = line->width - left - phase;
	char *who = strstr(verdict->text, " ("), *why;
	int x = pane_text(line, 0, 1, -1, role, word) + 2;

	if (text_width(verdict->text) > room && failover[0] && who)
		*who = '\0';
	/* Why it is lost the topology says as well. */
	why = strstr(verdict->text, ": ");
	if (text_width(verdict->text) > room && why &&
	    (failover[0] || room - (int)(why - verdict->text) < WHY_LEAST))
		*why = '\0';
	if (text_width(verdict->text) > room && failover[0])
		drop_role(verdict->text);
	if (failover[0] && room < VERDICT_LEAST && text_width(verdict->text) > room) {
		x = pane_text(line, 0, x, -1, role, failover);
		pane_text(line, 0, x + 3, -1, role, verdict->text);
		return;
	}
	x = pane_text(line, 0, x, failover[0] ? room : -1, role, verdict->text);
	pane_text(line, 0, x + 3, -1, role, failover);
}

/* The panes may be frozen, the alert line never is: it is judged by the clock that goes on. */
static struct view_context live_context(const struct view_context *c)
{
	struct view_context live = *c;

	if (c->frozen)
		live.now_ms = c->live_now_ms;
	if (c->frozen && c->live_model)
		live.model = c->live_model;
	return live;
}

/* A notice stands on the alert line for a while, but never in the place of a warning or a critical
 * alert: then, and where there is no alert line, it is in the footer. */
bool notice_is_in_footer(const struct pane *p, const struct view_context *c,
			 const struct deployment *d)
{
	struct view_context live = live_context(c);
	struct verdict verdict;

	if (!c->notice || !c->notice[0])
		return false;
	if (screen_height(p->screen) < 5)
		return true;
	d = d ? model_deployment(live.model, d->id) : NULL;
	if (!d)
		return false;
	health_deployment(live.model, d, live.now_ms, &verdict);
	return verdict.health >= HEALTH_WARNING;
}

/* How the deployments are that are not shown. */
static void elsewhere_count(const struct view_context *c, size_t counts[HEALTH_CRITICAL + 1])
{
	const struct deployment *d;
	size_t cursor = 0;

	while ((d = model_next_deployment(c->model, &cursor))) {
		struct verdict verdict;

		if (d->id == c->deployment_id)
			continue;
		health_deployment(c->model, d, c->now_ms, &verdict);
		counts[verdict.health]++;
	}
}

/* "+2 other deployments critical (press 0)", with the key that shows them. Says nothing of those that are
 * no worse than what is shown, unless they are critical as well. */
static enum health hint_text(const struct view_context *c, enum health own, int columns, char *out,
			     size_t size)
{
	static const char *const words[] = {
	    [HEALTH_OK] = "", [HEALTH_UNKNOWN] = "unknown", [HEALTH_WARNING] = "warning",
	    [HEALTH_CRITICAL] = "critical",
	};
	const struct keymap *keys = c->keys ? c->keys : keymap_builtin();
	size_t counts[HEALTH_CRITICAL + 1] = {0};
	char key[32] = "";
	enum health worst = HEALTH_CRITICAL;

	out[0] = '\0';
	if (c->deployment_count < 2)
		return HEALTH_OK;
	elsewhere_count(c, counts);
	while (worst > HEALTH_OK && counts[worst] == 0)
		worst--;
	if (worst == HEALTH_OK || (worst <= own && worst != HEALTH_CRITICAL))
		return HEALTH_OK;
	if (keys->keys[CMD_SCREEN_0][0] != KEYC_NONE) {
		char name[16];

		key_name(keys->keys[CMD_SCREEN_0][0], name);
		snprintf(key, sizeof(key), columns < HINT_SHORT ? " (%s)" : " (press %s)", name);
	}
	snprintf(out, size, " +%zu%s %s%s ", counts[worst],
		 columns < HINT_SHORT	? ""
		 : columns < HINT_PLAIN ? (counts[worst] == 1 ? " other" : " others")
		 : counts[worst] == 1 ? " other deployment"
				      : " other deployments",
		 words[worst], key);
	return worst;
}

/* At the right end; returns what is left of the line. */
static struct pane draw_hint(const struct pane *line, const struct view_context *c, enum health own)
{
	char text[96];
	enum health worst = hint_text(c, own, line->width, text, sizeof(text));
	int width = text_width(text), room = line->width - width;

	if (width == 0 || room < width)
		return *line;
	pane_text(line, 0, room, width, alert_style(worst), text);
	return pane_sub(line, 0, 0, 1, room - 1);
}

static void draw_verdict(const struct pane *line, const struct view_context *c,
			 const struct deployment *d, struct verdict *verdict)
{
	char failover[256] = "", *running;

	if (d)
		failover_line(c, d, failover, sizeof(failover));
	if (verdict->health == HEALTH_OK) {
		line_all_well(line, c, failover);
		return;
	}
	/* The verdict may be about the failover already. */
	if (strstr(verdict->text, "failover:"))
		failover[0] = '\0';
	running = strstr(verdict->text, " failover running");
	if (running && failover[0]) /* which the phase says as well */
		*running = '\0';
	draw_alert(line, alert_style(verdict->health), verdict, failover);
}

void alert_draw(const struct pane *p, const struct view_context *shown, const struct deployment *d,
		bool notice)
{
	const struct view_context live = live_context(shown), *c = &live;
	struct verdict verdict = {HEALTH_UNKNOWN, 0, "no deployment found yet"};
	struct pane line = *p;
	const char *words;

	d = d ? model_deployment(c->model, d->id) : NULL;
	if (d) {
		health_deployment(c->model, d, c->now_ms, &verdict);
		words = verdict_words(&verdict, d);
		memmove(verdict.text, words, strlen(words) + 1);
	}
	pane_fill(&line, notice || verdict.health == HEALTH_OK ? STYLE_TEXT
							       : alert_style(verdict.health));
	line = draw_hint(&line, c, verdict.health);
	if (notice) {
		notice_draw(&line, c);
		return;
	}
	if (c->frozen) {
		int used = pane_text(&line, 0, 0, -1, STYLE_BADGE, " live: ");

		line = pane_sub(&line, 0, used, 1, line.width - used);
	}
	draw_verdict(&line, c, d, &verdict);
}
