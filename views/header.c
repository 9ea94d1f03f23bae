#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "views/parts.h"

#define PART_BYTES    64
#define LABEL_COLUMNS 16

/* A piece of line 0 that stands at the right; the lowest rank goes first when room is short. */
struct part {
	char text[PART_BYTES];
	enum style_role role;
	int rank;
	bool dropped;
};

struct counts {
	size_t sentinels, sentinels_up, nodes, nodes_up;
};

static struct counts members_count(const struct view_context *c)
{
	struct counts n = {0, 0, 0, 0};
	size_t cursor = 0;
	const struct node *node;

	while ((node = model_next_member(c->model, c->deployment_id, &cursor))) {
		bool up = node->link.state == LINK_UP;

		if (node->is_sentinel) {
			n.sentinels++;
			n.sentinels_up += up;
		} else {
			n.nodes++;
			n.nodes_up += up;
		}
	}
	return n;
}

static void count_text(char *out, size_t up, size_t all, const char *one, const char *many)
{
	const char *word = all == 1 ? one : many;

	if (up == all)
		snprintf(out, PART_BYTES, "%zu %s", all, word);
	else
		snprintf(out, PART_BYTES, "%zu/%zu %s", up, all, word);
}

static void frozen_text(const struct view_context *c, char *out)
{
	char age[UNITS_BYTES];
	int64_t since = c->live_now_ms - c->frozen_at_ms;

	if (since >= 0)
		snprintf(out, PART_BYTES, " FROZEN %s ago ", units_age(since, age));
	else
		snprintf(out, PART_BYTES, " FROZEN ");
}

static void interval_text(const struct view_context *c, char *out)
{
	if (c->interval_ms <= 0)
		snprintf(out, PART_BYTES, "LIVE");
	else
		snprintf(out, PART_BYTES, "LIVE %lld.%llds", (long long)(c->interval_ms / 1000),
			 (long long)(c->interval_ms % 1000 / 100));
}

static size_t parts_make(const struct view_context *c, struct part *parts)
{
	struct counts n = members_count(c);
	size_t count = 0;
	char clock[CLOCK_ISO_BYTES], rate[UNITS_BYTES];

	if (c->label && c->label[0]) { /* "PRODUCTION": the last to give way but the age of a freeze */
		parts[count] = (struct part){.role = STYLE_BADGE, .rank = 8};
		snprintf(parts[count++].text, PART_BYTES, " %.*s ",
			 (int)text_fit(c->label, LABEL_COLUMNS), c->label);
	}
	if (c->read_only) {
		parts[count] = (struct part){.role = STYLE_BADGE, .rank = 8};
		snprintf(parts[count++].text, PART_BYTES, " READ-ONLY ");
	}
	if (c->log_error && c->log_error[0]) {
		parts[count] = (struct part){.role = STYLE_ALERT_CRITICAL, .rank = 7};
		snprintf(parts[count++].text, PART_BYTES, " LOG FAILS ");
	}
	if (c->frozen) {
		parts[count] = (struct part){.role = STYLE_BADGE, .rank = 9};
		frozen_text(c, parts[count++].text);
	} else {
		parts[count] = (struct part){.role = STYLE_HEADER, .rank = 6};
		interval_text(c, parts[count++].text);
	}
	/* How many answer is of now: not under a badge that says of when the screen is. */
	if (n.sentinels > 0 && !c->frozen) {
		parts[count] = (struct part){
		    .role = n.sentinels_up < n.sentinels ? STYLE_STRONG : STYLE_HEADER, .rank = 3};
		count_text(parts[count++].text, n.sentinels_up, n.sentinels, "sentinel",
			   "sentinels");
	}
	if (!c->frozen) {
		parts[count] = (struct part){
		    .role = n.nodes_up < n.nodes ? STYLE_STRONG : STYLE_HEADER, .rank = 4};
		count_text(parts[count++].text, n.nodes_up, n.nodes, "node", "nodes");
	}
	if (c->bytes_per_second > 0) {
		parts[count] = (struct part){.role = STYLE_HEADER, .rank = 1};
		units_rate(c->bytes_per_second, rate);
		snprintf(parts[count++].text, PART_BYTES, "%s", rate[0] == '+' ? rate + 1 : rate);
	}
	parts[count] = (struct part){.role = STYLE_HEADER, .rank = 5};
	snprintf(parts[count++].text, PART_BYTES, "%s", clock_format_hms(c->wall_ms, clock));
	return count;
}

static int parts_width(const struct part *parts, size_t count)
{
	int width = 0;

	for (size_t i = 0; i < count; i++)
		if (!parts[i].dropped)
			width += text_width(parts[i].text) + 2;
	return width;
}

static void parts_fit(struct part *parts, size_t count, int columns)
{
	while (parts_width(parts, count) > columns) {
		struct part *victim = NULL;

		for (size_t i = 0; i < count; i++)
			if (!parts[i].dropped && (!victim || parts[i].rank < victim->rank))
				victim = &parts[i];
		if (!victim)
			return;
		victim->dropped = true;
	}
}

/* "prod-cache  mymaster  1/3": what is watched. */
static void name_text(const struct view_context *c, const struct deployment *d, char *out,
		      size_t size)
{
	const char *what = "";
	char place[32] = "";

	if (c->deployment_count > 1)
		snprintf(place, sizeof(place), "  %zu/%zu", c->deployment_index + 1,
			 c->deployment_count);
	if (!d) {
		snprintf(out, size, "nothing to show yet%s", place);
		return;
	}
	if (d->kind == KIND_SENTINEL && d->group_count == 1)
		what = d->groups[0]->name;
	else if (d->kind != KIND_UNKNOWN)
		what = deployment_kind_name(d->kind);
	if (strcmp(what, d->name) == 0)
		what = deployment_kind_name(d->kind);
	/* "cluster 10.0.0.1:7000" says its kind already. */
	if (strncmp(d->name, what, strlen(what)) == 0 && d->name[strlen(what)] == ' ')
		what = "";
	snprintf(out, size, "%s%s%s%s", d->name, what[0] ? "  " : "", what, place);
}

static void line_top(const struct pane *p, const struct view_context *c, const struct deployment *d)
{
	enum style_role role = c->frozen ? STYLE_BADGE : STYLE_HEADER;
	struct pane line = pane_sub(p, 0, 0, 1, p->width);
	struct part parts[9];
	char name[2 * NAME_BYTES + 64];
	int left, x;
	size_t count = parts_make(c, parts);

	pane_fill(&line, role);
	name_text(c, d, name, sizeof(name));
	left = 9 + text_width(name);
	/* A name that fills the line must not push out that the screen is frozen. */
	if (left > p->width / 2)
		left = c->frozen && p->width < 60 ? 0 : p->width / 2;
	parts_fit(parts, count, p->width - left);
	x = p->width - parts_width(parts, count) + 1;
	pane_text(&line, 0, 0, x - 1, c->frozen ? role : STYLE_STRONG, "redoubt");
	if (x - 1 > 9)
		pane_text(&line, 0, 9, x - 1 - 9, role, name);
	for (size_t i = 0; i < count; i++) {
		if (parts[i].dropped)
			continue;
		x = pane_text(&line, 0, x, -1, c->frozen ? STYLE_BADGE : parts[i].role,
			      parts[i].text);
		x += 2;
	}
}

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
	struct counts n = members_count(c);
	size_t all = n.nodes + n.sentinels, up = n.nodes_up + n.sentinels_up;
	char nodes[PART_BYTES], sentinels[PART_BYTES];
	int x = pane_glyph(line, 0, 1, STYLE_OK, GLYPH_OK);

	x = pane_text(line, 0, x + 1, -1, STYLE_OK, "OK");
	if (up < all) {
		x = pane_textf(line, 0, x + 2, -1, STYLE_DIM, "%zu of %zu members answer", up, all);
	} else {
		count_text(nodes, n.nodes, n.nodes, "node", "nodes");
		count_text(sentinels, n.sentinels, n.sentinels, "Sentinel", "Sentinels");
		x = pane_textf(line, 0, x + 2, -1, STYLE_DIM, "%s%s%s up", nodes,
			       n.sentinels > 0 ? " and " : "", n.sentinels > 0 ? sentinels : "");
	}
	if (failover[0])
		pane_text(line, 0, x + 3, -1, STYLE_WARNING, failover);
}

#define VERDICT_LEAST 24 /* below this the phase of a failover comes first */

/* Which phase a failover is in is worth more than the rest of the verdict, which the topology says
 * as well: that is what is cut. */
static void draw_alert(const struct pane *line, enum style_role role, struct verdict *verdict,
		       const char *failover)
{
	const char *word = alert_words[verdict->health];
	int left = text_width(word) + 3, phase = failover[0] ? text_width(failover) + 3 : 0;
	int room = line->width - left - phase;
	char *who = strstr(verdict->text, " (");
	int x = pane_text(line, 0, 1, -1, role, word) + 2;

	if (text_width(verdict->text) > room && failover[0] && who)
		*who = '\0';
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
	return live;
}

/* A notice stands on the alert line for a while, but never in the place of a critical alert: then,
 * and where there is no alert line, it is in the footer. */
bool notice_is_in_footer(const struct pane *p, const struct view_context *c,
			 const struct deployment *d)
{
	struct view_context live = live_context(c);
	struct verdict verdict;

	if (!c->notice || !c->notice[0])
		return false;
	if (screen_height(p->screen) < 5)
		return true;
	if (!d)
		return false;
	health_deployment(c->model, d, live.now_ms, &verdict);
	return verdict.health == HEALTH_CRITICAL;
}

static void line_alert(const struct pane *p, const struct view_context *shown,
		       const struct deployment *d)
{
	const struct view_context live = live_context(shown), *c = &live;
	struct pane line = pane_sub(p, 1, 0, 1, p->width);
	struct verdict verdict = {HEALTH_UNKNOWN, 0, "no deployment found yet"};
	char failover[256] = "", *running;
	enum style_role role;

	pane_fill(&line, STYLE_TEXT);
	if (c->notice && c->notice[0] && !notice_is_in_footer(p, c, d)) {
		notice_draw(&line, c);
		return;
	}
	if (c->frozen) {
		int used = pane_text(&line, 0, 0, -1, STYLE_BADGE, " live: ");

		line = pane_sub(&line, 0, used, 1, line.width - used);
	}
	if (d) {
		health_deployment(c->model, d, c->now_ms, &verdict);
		failover_line(c, d, failover, sizeof(failover));
	}
	if (verdict.health == HEALTH_OK) {
		line_all_well(&line, c, failover);
		return;
	}
	role = alert_style(verdict.health);
	pane_fill(&line, role);
	/* The verdict may be about the failover already. */
	if (strstr(verdict.text, "failover:"))
		failover[0] = '\0';
	running = strstr(verdict.text, " a failover is running");
	if (running && failover[0]) /* which the phase says as well */
		*running = '\0';
	draw_alert(&line, role, &verdict, failover);
}

enum tab_form { TAB_NAMES, TAB_SHORT, TAB_KEYS };

static int tab_text(const struct tab *tab, enum tab_form form, char *out, size_t size)
{
	if (form == TAB_KEYS) /* which alone still say what the keys are */
		snprintf(out, size, " %c ", tab->key);
	else
		snprintf(out, size, " %c %s ", tab->key, form == TAB_NAMES ? tab->name : tab->short_name);
	return text_width(out);
}

/* The fullest form in which all fit: half a name would be none. */
static enum tab_form tabs_form(const struct tab *tabs, size_t count, int columns)
{
	char text[48];

	for (enum tab_form form = TAB_NAMES; form < TAB_KEYS; form++) {
		int width = 0;

		for (size_t i = 0; i < count; i++)
			width += tab_text(&tabs[i], form, text, sizeof(text));
		if (width <= columns)
			return form;
	}
	return TAB_KEYS;
}

static void line_tabs(const struct pane *p, const struct view_context *c, const struct tab *tabs,
		      size_t tab_count, size_t active)
{
	struct pane line = pane_sub(p, 2, 0, 1, p->width);
	enum tab_form form = tabs_form(tabs, tab_count, p->width);
	int x = 0;

	pane_fill(&line, STYLE_TAB);
	for (size_t i = 0; i < tab_count; i++) {
		enum style_role role = i == active ? STYLE_TAB_ACTIVE : STYLE_TAB;
		char text[48];
		int width = tab_text(&tabs[i], form, text, sizeof(text));

		/* Where one is, is always said in full, if there is room at all. */
		if (form == TAB_KEYS && i == active)
			width = tab_text(&tabs[i], TAB_SHORT, text, sizeof(text));
		if (x + width > p->width)
			break;
		pane_text(&line, 0, x, width, role, text);
		x += width;
	}
	if (c->log_error && c->log_error[0])
		pane_text(&line, 0, x + 2, -1, STYLE_CRITICAL, c->log_error);
	else if (c->frozen)
		pane_text(&line, 0, x + 2, -1, STYLE_BADGE, " Space goes on ");
}

int header_draw(const struct pane *p, const struct view_context *c, const struct tab *tabs,
		size_t tab_count, size_t active)
{
	const struct deployment *d = model_deployment(c->model, c->deployment_id);
	int height = screen_height(p->screen);

	if (height < 3) /* the body is worth more */
		return 0;
	line_top(p, c, d);
	if (height < 5)
		return 1;
	line_alert(p, c, d);
	if (height < 10)
		return 2;
	line_tabs(p, c, tabs, tab_count, active);
	return 3;
}
