/* The header: what is watched and how (line 0), the alert line (alert.c), the screens (line 2). */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "model/probe.h"
#include "views/header_private.h"

#define LABEL_COLUMNS  16
#define REPLAY_COLUMNS 30
#define REPLAY_NAME_LEAST 100 /* columns of a screen that has room for it */
#define PROGRAM_NAME   "redoubt"
#define PROGRAM_LEAST  60   /* columns; below, the name of what is watched has its room */
#define STALE_LEAST_MS 3000 /* as for a node: three intervals, but not less */

/* A piece of line 0 that stands at the right; the lowest rank goes first when room is short. Those
 * whose width changes stand leftmost, the others have a width that holds still. */
struct part {
	char text[PART_BYTES];
	enum style_role role;
	int rank;
	bool dropped;
	char brief[16]; /* instead of it, before others give way; "": there is none */
};
#define PARTS_MAX 12
#define RANK_SENTINELS 3
#define RANK_MAX 10

struct member_counts members_count(const struct view_context *c)
{
	struct member_counts n = {0, 0, 0, 0, 0};
	int64_t sentinels_ms = 0;
	size_t cursor = 0;
	const struct node *node;

	while ((node = model_next_member(c->model, c->deployment_id, &cursor))) {
		bool up = node->link.state == LINK_UP;

		if (node->is_sentinel) {
			n.sentinels++;
			n.sentinels_up += up;
			if (node->link.last_reply_ms > sentinels_ms)
				sentinels_ms = node->link.last_reply_ms;
		} else {
			n.nodes++;
			n.nodes_up += up;
			if (node->info_at_ms > n.heard_ms)
				n.heard_ms = node->info_at_ms;
		}
	}
	if (n.heard_ms == 0)
		n.heard_ms = sentinels_ms;
	return n;
}

/* In a width that holds still. */
static void count_text(char *out, size_t up, size_t all, const char *one, const char *many)
{
	char whole[PART_BYTES], now[PART_BYTES];
	const char *word = all == 1 ? one : many;
	int columns = snprintf(whole, sizeof(whole), "%zu/%zu %s", all, all, word);

	snprintf(now, sizeof(now), "%zu/%zu %s", up, all, word);
	snprintf(out, PART_BYTES, "%*s", columns, now);
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

/* Nothing was heard of any node for longer than the interval explains: the screen shows what was. */
static bool stale_text(const struct view_context *c, const struct member_counts *n, char *out)
{
	int64_t limit = 3 * c->interval_ms, age_ms = c->live_now_ms - n->heard_ms;
	char age[UNITS_BYTES];

	if (limit < STALE_LEAST_MS)
		limit = STALE_LEAST_MS;
	if (n->heard_ms == 0 || age_ms <= limit)
		return false;
	snprintf(out, PART_BYTES, " STALE %s ", units_age(age_ms, age));
	return true;
}

static struct part *part_add(struct part *parts, size_t *count, int rank, enum style_role role)
{
	parts[*count] = (struct part){.role = role, .rank = rank};
	return &parts[(*count)++];
}

static void badge_add(struct part *parts, size_t *count, int rank, const char *text, const char *brief)
{
	struct part *part = part_add(parts, count, rank, STYLE_BADGE);

	snprintf(part->text, sizeof(part->text), "%s", text);
	snprintf(part->brief, sizeof(part->brief), "%s", brief);
}

static size_t parts_of_time(const struct view_context *c, const struct member_counts *n,
			    struct part *parts)
{
	size_t count = 0;
	char text[PART_BYTES];

	if (c->frozen)
		frozen_text(c, part_add(parts, &count, 10, STYLE_BADGE)->text);
	else if (!c->replay && stale_text(c, n, text))
		memcpy(part_add(parts, &count, 10, STYLE_ALERT_WARNING)->text, text, PART_BYTES);
	return count;
}

static bool said(const char *text)
{
	return text && text[0];
}

/* The file's name gives way on a narrow screen: how many answer is worth more. */
static void replay_text(const struct view_context *c, int width, char *out)
{
	size_t fits = said(c->replay_name) ? text_fit(c->replay_name, REPLAY_COLUMNS) : 0;

	if (fits > 0 && width >= REPLAY_NAME_LEAST)
		text_format(out, PART_BYTES, " REPLAY %.*s%s ", (int)fits, c->replay_name,
			    c->replay_name[fits] != '\0' ? "~" : "");
	else
		snprintf(out, PART_BYTES, " REPLAY ");
}

static size_t parts_of_settings(const struct view_context *c, const struct deployment *d, int width,
				bool is_ascii, struct part *parts)
{
	size_t count = 0;
	char size[UNITS_BYTES];
	struct part *part;

	if (said(c->label)) { /* "PRODUCTION": the last to give way but the age of a freeze */
		part = part_add(parts, &count, 9, STYLE_BADGE);
		size_t fits = text_fit(c->label, LABEL_COLUMNS);
		const char *cut = c->label[fits] == '\0' ? "" : is_ascii ? "~" : "…";
		text_format(part->text, PART_BYTES, " %.*s%s ", (int)fits, c->label, cut);
	}
	if (c->read_only && !c->replay)
		badge_add(parts, &count, 9, " READ-ONLY ", " RO ");
	if (d && probe_is_on(d))
		badge_add(parts, &count, 8, " PROBE ", " P ");
	if (said(c->log_error))
		snprintf(part_add(parts, &count, 8, STYLE_ALERT_CRITICAL)->text, PART_BYTES,
			 " LOG FAILS ");
	if (c->recording && said(c->recording_error)) {
		snprintf(part_add(parts, &count, 8, STYLE_ALERT_CRITICAL)->text, PART_BYTES,
			 " REC STOPPED ");
	} else if (c->recording) {
		part = part_add(parts, &count, 5, STYLE_BADGE);
		snprintf(part->text, PART_BYTES, " REC %7s ",
			 units_bytes(c->recording_bytes, size));
		snprintf(part->brief, sizeof(part->brief), " REC ");
	}
	if (c->replay)
		replay_text(c, width, part_add(parts, &count, 9, STYLE_BADGE)->text);
	else if (!c->frozen)
		interval_text(c, part_add(parts, &count, 7, STYLE_HEADER)->text);
	return count;
}

static size_t parts_of_numbers(const struct view_context *c, const struct member_counts *n,
			       struct part *parts)
{
	char clock[CLOCK_ISO_BYTES], rate[UNITS_BYTES];
	size_t count = 0;
	struct part *part;

	/* How many answer is of now: not under a badge that says of when the screen is. */
	if (n->sentinels > 0 && !c->frozen) {
		part = part_add(parts, &count, RANK_SENTINELS,
				n->sentinels_up < n->sentinels ? STYLE_HEADER_STRONG : STYLE_HEADER);
		count_text(part->text, n->sentinels_up, n->sentinels, "sentinel", "sentinels");
	}
	if (!c->frozen) {
		part = part_add(parts, &count, 4,
				n->nodes_up < n->nodes ? STYLE_HEADER_STRONG : STYLE_HEADER);
		count_text(part->text, n->nodes_up, n->nodes, "node", "nodes");
	}
	if (c->bytes_per_second > 0) {
		part = part_add(parts, &count, 1, STYLE_HEADER);
		units_rate(c->bytes_per_second, rate);
		snprintf(part->text, PART_BYTES, "%8s", rate[0] == '+' ? rate + 1 : rate);
	}
	part = part_add(parts, &count, 6, STYLE_HEADER);
	snprintf(part->text, PART_BYTES, "%s", clock_format_hms(c->wall_ms, clock));
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

/* From the lowest rank up to this one. */
static void parts_drop(struct part *parts, size_t count, int columns, int rank_max)
{
	while (parts_width(parts, count) > columns) {
		struct part *victim = NULL;

		for (size_t i = 0; i < count; i++)
			if (!parts[i].dropped && parts[i].rank <= rank_max &&
			    (!victim || parts[i].rank < victim->rank))
				victim = &parts[i];
		if (!victim)
			return;
		victim->dropped = true;
	}
}

/* Badges in brief, where that spares the nodes' count and the clock; in vain it is not done. */
static void parts_shorten(struct part *parts, size_t count, int columns)
{
	int spared = 0;

	for (size_t i = 0; i < count; i++)
		if (!parts[i].dropped && parts[i].brief[0])
			spared += text_width(parts[i].text) - text_width(parts[i].brief);
	if (parts_width(parts, count) - spared > columns)
		return;
	for (size_t i = count; i-- > 0 && parts_width(parts, count) > columns;)
		if (!parts[i].dropped && parts[i].brief[0])
			memcpy(parts[i].text, parts[i].brief, sizeof(parts[i].brief));
}

static void parts_fit(struct part *parts, size_t count, int columns)
{
	parts_drop(parts, count, columns, RANK_SENTINELS);
	parts_shorten(parts, count, columns);
	parts_drop(parts, count, columns, RANK_MAX);
}

/* --- what is watched ----------------------------------------------------------------------- */

/* "prod-cache  mymaster  1/3" */
struct title {
	const char *name;
	char what[NAME_BYTES + 2], place[32];
};

static void title_make(const struct view_context *c, const struct deployment *d, struct title *t)
{
	const char *what = "";

	*t = (struct title){.name = d ? d->name : "nothing to show yet"};
	if (c->deployment_count > 1)
		snprintf(t->place, sizeof(t->place), "  %zu/%zu", c->deployment_index + 1,
			 c->deployment_count);
	if (!d)
		return;
	if (d->kind == KIND_SENTINEL && d->group_count == 1)
		what = d->groups[0]->name;
	else if (d->kind != KIND_UNKNOWN)
		what = deployment_kind_name(d->kind);
	if (strcmp(what, d->name) == 0)
		what = deployment_kind_name(d->kind);
	/* "cluster 10.0.0.1:7000" says its kind already. */
	if (strncmp(d->name, what, strlen(what)) == 0 && d->name[strlen(what)] == ' ')
		what = "";
	if (what[0])
		snprintf(t->what, sizeof(t->what), "  %s", what);
}

/* Of what must not give way to the numbers. */
static int title_least(const struct title *t)
{
	return text_width(t->name) + text_width(t->place);
}

/* The kind gives way first, then the name's middle; which one of how many it is stays. */
static void title_draw(const struct pane *line, int x, int columns, enum style_role role,
		       const struct title *t)
{
	int place = text_width(t->place), end = x + columns;

	if (columns < 4)
		return;
	if (place > columns / 2)
		place = 0;
	if (text_width(t->name) + text_width(t->what) + place <= columns) {
		x = pane_text(line, 0, x, -1, role, t->name);
		x = pane_text(line, 0, x, -1, role, t->what);
	} else {
		x = addr_draw(line, 0, x, columns - place, role, t->name);
	}
	if (place > 0)
		pane_text(line, 0, x, end - x, role, t->place);
}

static void line_top(const struct pane *p, const struct view_context *c, const struct deployment *d)
{
	enum style_role role = c->frozen ? STYLE_BADGE : STYLE_HEADER;
	struct pane line = pane_sub(p, 0, 0, 1, p->width);
	struct member_counts n = members_count(c);
	struct part parts[PARTS_MAX];
	struct title title;
	int left, x, name_at = p->width < PROGRAM_LEAST ? 0 : (int)strlen(PROGRAM_NAME) + 2;
	size_t count = parts_of_time(c, &n, parts);

	count += parts_of_settings(c, d, p->width, screen_is_ascii(p->screen), parts + count);
	count += parts_of_numbers(c, &n, parts + count);
	pane_fill(&line, role);
	title_make(c, d, &title);
	left = name_at + title_least(&title) + 1;
	if (left > p->width / 2)
		left = p->width / 2;
	/* A name that fills the line must not push out that the screen is frozen. */
	if (c->frozen && text_width(parts[0].text) + 2 > p->width - left)
		left = 0;
	parts_fit(parts, count, p->width - left);
	x = p->width - parts_width(parts, count) + 1;
	if (name_at > 0)
		pane_text(&line, 0, 0, x - 1, c->frozen ? role : STYLE_HEADER_STRONG, PROGRAM_NAME);
	title_draw(&line, name_at, x - 1 - name_at, name_at ? role : STYLE_HEADER_STRONG, &title);
	for (size_t i = 0; i < count; i++) {
		if (parts[i].dropped)
			continue;
		x = pane_text(&line, 0, x, -1, c->frozen ? STYLE_BADGE : parts[i].role,
			      parts[i].text);
		x += 2;
	}
}

/* --- the screens --------------------------------------------------------------------------- */

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

/* What is said behind the tabs; NULL: nothing. */
static const char *tabs_note(const struct view_context *c, enum style_role *role)
{
	*role = STYLE_CRITICAL;
	if (said(c->log_error))
		return c->log_error;
	if (said(c->recording_error))
		return c->recording_error;
	*role = STYLE_BADGE;
	return c->frozen ? " Space goes on " : NULL;
}

static void line_tabs(const struct pane *p, const struct view_context *c, const struct tab *tabs,
		      size_t tab_count, size_t active)
{
	struct pane line = pane_sub(p, 2, 0, 1, p->width), tab;
	enum style_role note_role;
	const char *note = tabs_note(c, &note_role);
	int room = note ? text_width(note) + 2 : 0, x = 0;
	enum tab_form form;

	if (room > p->width / 2)
		room = p->width / 2;
	form = tabs_form(tabs, tab_count, p->width - room);

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
		tab = pane_sub(&line, 0, x, 1, width);
		pane_hot(&tab, HOT_TAB, (uintptr_t)tabs[i].key);
		x += width;
	}
	/* A badge by half says nothing. */
	if (note && (note_role == STYLE_CRITICAL || x + room <= p->width))
		pane_text(&line, 0, x + 2, -1, note_role, note);
}

int header_draw(const struct pane *p, const struct view_context *c, const struct tab *tabs,
		size_t tab_count, size_t active)
{
	const struct deployment *d = model_deployment(c->model, c->deployment_id);
	int height = screen_height(p->screen);
	struct pane line;

	if (height < 3) /* the body is worth more */
		return 0;
	line_top(p, c, d);
	if (height < 5)
		return 1;
	line = pane_sub(p, 1, 0, 1, p->width);
	alert_draw(&line, c, d, said(c->notice) && !notice_is_in_footer(p, c, d));
	if (height < 10)
		return 2;
	line_tabs(p, c, tabs, tab_count, active);
	return 3;
}
