/* How far each replica is behind its master: a bar on one shared scale, and in words what is wrong
 * or what comes next. Rows are filled in when first drawn, as in the topology. */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "model/lag.h"
#include "views/parts.h"

#define ID_GROUP     ((uint64_t)1 << 32)
#define ID_NOTE      ((uint64_t)2 << 32)
#define ID_NONE      ((uint64_t)3 << 32)
#define SCALE_MIN    10000   /* bytes: what is in flight on a healthy link must not fill a bar */
#define SPARK_MIN    10000.0 /* a flat line must not look like a mountain range */
#define SILENCE_LONG 5       /* seconds; replicas acknowledge once a second */
#define SOON_MS      (60 * 60 * 1000) /* what is farther away is no forecast */

struct repl_row {
	uint64_t id;
	uint32_t group_id, node_id;
	bool heading, note, filled, stale;
	enum health health;
	char name[80];
	char message[160]; /* what is the matter now; heading: its facts */
	char outlook[80];  /* what comes next */
	char trend[UNITS_BYTES];
	bool bar_means_nothing; /* link down, synchronising: words take the bar's place */
	struct lag lag;
	int64_t priority;
	double spark[HISTORY_SAMPLES];
	int spark_count;
	double spark_max;
};

struct replication {
	struct view view;
	struct repl_row *rows;
	size_t count, cap, replicas;
	int name_width;
	int64_t scale_bytes;
	bool narrow; /* messages have rows of their own */
	bool filled_all;
};

static struct replication *replication_of(struct view *v)
{
	return (struct replication *)(void *)v;
}
static const struct replication *replication_of_const(const struct view *v)
{
	return (const struct replication *)(const void *)v;
}

static void replication_done(struct view *v)
{
	free(replication_of(v)->rows);
}

static struct repl_row *row_add(struct replication *r, uint64_t id)
{
	struct repl_row *row;

	r->rows = mem_grow(r->rows, &r->cap, r->count + 1, sizeof(*r->rows));
	row = &r->rows[r->count++];
	memset(row, 0, offsetof(struct repl_row, spark));
	row->id = id;
	row->spark_count = 0;
	row->spark_max = 0;
	return row;
}

/* 1, 2, 5, 10, 20, 50 ... : the scale's end holds still while the lag moves. */
static int64_t scale_for(int64_t most)
{
	int64_t step = SCALE_MIN;

	while (step < INT64_MAX / 10) {
		if (most <= step)
			return step;
		if (most <= 2 * step)
			return 2 * step;
		if (most <= 5 * step)
			return 5 * step;
		step *= 10;
	}
	return step;
}

/* --- what a row says ----------------------------------------------------------------------- */

static void say(struct repl_row *row, enum health h, const char *text)
{
	row->health = health_worse(row->health, h);
	snprintf(row->message, sizeof(row->message), "%.159s", text);
}

static void say_outlook(struct repl_row *row, enum health h, const char *text)
{
	row->health = health_worse(row->health, h);
	snprintf(row->outlook, sizeof(row->outlook), "%s", text);
}

static const char *row_words(const struct repl_row *row, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", row->message, row->message[0] && row->outlook[0] ? ", " : "",
		 row->outlook);
	return out;
}

static void fill_sync(struct repl_row *row)
{
	char text[120], got[UNITS_BYTES], all[UNITS_BYTES];
	const struct lag *lag = &row->lag;

	row->bar_means_nothing = true;
	if (lag->sync_total_bytes != FACT_UNKNOWN && lag->sync_total_bytes > 0 &&
	    lag->sync_read_bytes >= 0)
		snprintf(
		    text, sizeof(text), "full sync %d %% of %s",
		    (int)(100.0 * (double)lag->sync_read_bytes / (double)lag->sync_total_bytes),
		    units_bytes(lag->sync_total_bytes, all));
	else if (lag->sync_read_bytes != FACT_UNKNOWN && lag->sync_read_bytes > 0)
		snprintf(text, sizeof(text), "full sync, %s read",
			 units_bytes(lag->sync_read_bytes, got));
	else
		snprintf(text, sizeof(text), "full sync begins");
	say(row, HEALTH_WARNING, text);
}

static void fill_link_down(struct repl_row *row, const struct node *n, int64_t now_ms)
{
	char text[64], age[UNITS_BYTES];
	int64_t down_s = n->info_at_ms ? n->info.master_link_down_s : FACT_UNKNOWN;

	row->bar_means_nothing = true;
	if (down_s == -1)
		snprintf(text, sizeof(text), "never linked to its master");
	else if (down_s == FACT_UNKNOWN || down_s < 0)
		snprintf(text, sizeof(text), "link down");
	else
		snprintf(
		    text, sizeof(text), "link down %s",
		    units_age(down_s * 1000 + (now_ms > n->info_at_ms ? now_ms - n->info_at_ms : 0),
			      age));
	say(row, HEALTH_WARNING, text);
}

/* What is in flight on a healthy link wobbles by the second: forecasts begin where the lag is a
 * twentieth of the backlog, or the link is down. */
static bool is_notable(const struct lag *lag)
{
	if (lag->link_known && !lag->link_up)
		return true;
	if (lag->bytes == FACT_UNKNOWN || lag->backlog_headroom_bytes == FACT_UNKNOWN)
		return false;
	return lag->bytes > (lag->bytes / 2 + lag->backlog_headroom_bytes / 2) / 10;
}

/* What comes next: falling off the backlog before catching up, since the first costs a full
 * synchronisation. */
static void fill_outlook(struct repl_row *row, bool master_writes)
{
	const struct lag *lag = &row->lag;
	char text[64], when[UNITS_BYTES];

	if (lag->off_backlog) {
		say_outlook(row, HEALTH_WARNING,
			    row->message[0] ? "full sync ahead" : "off backlog: full sync ahead");
	} else if (!is_notable(lag)) {
		return;
	} else if (master_writes && lag->backlog_off_ms != FACT_UNKNOWN &&
		   lag->backlog_off_ms < SOON_MS) {
		snprintf(text, sizeof(text), "off backlog in %s",
			 units_age(lag->backlog_off_ms, when));
		say_outlook(row, HEALTH_WARNING, text);
	} else if (lag->link_up && lag->catch_up_ms != FACT_UNKNOWN && lag->catch_up_ms >= 1000 &&
		   lag->catch_up_ms < SOON_MS) {
		snprintf(text, sizeof(text), "catches up in %s", units_age(lag->catch_up_ms, when));
		say_outlook(row, HEALTH_OK, text);
	}
}

static void fill_history(struct repl_row *row, const struct node *n)
{
	int64_t at, value;

	row->spark_max = SPARK_MIN;
	for (size_t i = 0; i < HISTORY_SAMPLES && history_at(&n->lag_bytes, i, &at, &value); i++) {
		double sample = value == FACT_UNKNOWN ? -1.0 : (double)value;

		row->spark[row->spark_count++] = sample;
		if (sample > row->spark_max)
			row->spark_max = sample;
	}
}

static void say_age(struct repl_row *row, int64_t now_ms)
{
	char text[64], age[UNITS_BYTES];

	snprintf(text, sizeof(text), "as of %s ago", units_age(now_ms - row->lag.at_ms, age));
	say(row, HEALTH_UNKNOWN, text);
}

static void fill_replica(struct repl_row *row, const struct view_context *c)
{
	const struct node *n = model_node(c->model, row->node_id), *upstream;
	struct verdict verdict;

	if (!n)
		return;
	lag_of(c->model, n, c->now_ms, &row->lag);
	fill_history(row, n);
	row->priority = n->info_at_ms ? n->info.priority : FACT_UNKNOWN;
	row->stale = row->lag.at_ms != 0 &&
		     (!row->lag.current || c->now_ms - row->lag.at_ms > 3 * c->interval_ms + 2000);
	if (row->lag.trend_known && row->lag.bytes != FACT_UNKNOWN &&
	    (row->lag.trend_bytes_s >= 100 || row->lag.trend_bytes_s <= -100))
		units_rate(row->lag.trend_bytes_s, row->trend);
	if (node_status(n) != STATUS_UP) {
		health_node(c->model, n, c->now_ms, &verdict);
		row->bar_means_nothing = row->lag.bytes == FACT_UNKNOWN || row->stale;
		say(row, verdict.health,
		    verdict.text[0] ? verdict.text : node_status_name(node_status(n)));
	} else if (n->info_at_ms && n->info.role == ROLE_MASTER) {
		row->bar_means_nothing = true;
		say(row, HEALTH_CRITICAL, "says master: does not replicate");
		return;
	} else if (row->lag.syncing) {
		fill_sync(row);
		return;
	} else if (row->lag.link_known && !row->lag.link_up) {
		fill_link_down(row, n, c->now_ms);
	}
	/* A master that is down writes nothing: its backlog waits. */
	upstream = model_node(c->model, n->upstream_id);
	fill_outlook(row, upstream && node_status(upstream) == STATUS_UP);
	if (row->message[0])
		return;
	if (row->lag.seconds != FACT_UNKNOWN && row->lag.seconds >= SILENCE_LONG)
		say(row, HEALTH_WARNING, "acknowledges nothing");
	else if (row->stale) /* its master does not say any more */
		say_age(row, c->now_ms);
}

static void fill_heading(struct repl_row *row, const struct view_context *c)
{
	const struct group *g = model_group(c->model, row->group_id);
	const struct node *m = g ? model_node(c->model, g->master_id) : NULL;
	char addr[ENDPOINT_TEXT_BYTES], rate[UNITS_BYTES], size[UNITS_BYTES], age[UNITS_BYTES];
	size_t len;

	if (!m || m->info_at_ms == 0) {
		snprintf(row->message, sizeof(row->message),
			 m ? "its master has not answered" : "master unknown");
		return;
	}
	row->stale = !node_answers(m) || node_is_stale(m, c->now_ms, c->interval_ms);
	if (row->stale)
		snprintf(row->outlook, sizeof(row->outlook), "master not heard for %s",
			 units_age(c->now_ms - m->info_at_ms, age));
	snprintf(row->message, sizeof(row->message), "backlog %s",
		 m->info.backlog_active == 0 ? "off"
					     : units_bytes(m->info.backlog_size_bytes, size));
	len = strlen(row->message);
	if (m->repl_rate_bytes_s >= 0) {
		units_rate(m->repl_rate_bytes_s, rate);
		snprintf(row->message + len, sizeof(row->message) - len, "  writes %s",
			 rate[0] == '+' ? rate + 1 : rate);
	}
	len = strlen(row->message);
	if (strcmp(endpoint_format(&m->addr, addr), row->name) != 0)
		snprintf(row->message + len, sizeof(row->message) - len, "  %.70s", addr);
	row->lag.offset = m->info.master_repl_offset;
}

static void fill_row(struct repl_row *row, const struct view_context *c)
{
	if (row->filled)
		return;
	row->filled = true;
	if (row->heading)
		fill_heading(row, c);
	else
		fill_replica(row, c);
}

static void fill_all(struct replication *r, const struct view_context *c)
{
	if (r->filled_all)
		return;
	r->filled_all = true;
	for (size_t i = 0; i < r->count; i++)
		fill_row(&r->rows[i], c);
}

/* --- rebuild ------------------------------------------------------------------------------- */

/* Where there is no column for it, what a replica's row has to say comes in a row below. */
static void note_add(struct replication *r, const struct view_context *c)
{
	size_t of = r->count - 1;
	struct repl_row *row;
	char words[300];

	fill_row(&r->rows[of], c);
	if (r->rows[of].bar_means_nothing) /* the message stands where the bar would */
		snprintf(words, sizeof(words), "%s", r->rows[of].outlook);
	else
		row_words(&r->rows[of], words, sizeof(words));
	if (!words[0])
		return;
	row = row_add(r, ID_NOTE | r->rows[of].node_id);
	row->note = row->filled = true;
	row->group_id = r->rows[of].group_id;
	row->node_id = r->rows[of].node_id;
	row->health = r->rows[of].health;
	snprintf(row->message, sizeof(row->message), "%.159s", words);
}

/* Nothing below a heading would leave open whether there is nothing, or nothing known. */
static void none_add(struct replication *r, const struct view_context *c, const struct group *g)
{
	const struct node *master = model_node(c->model, g->master_id);
	struct repl_row *row = row_add(r, ID_NONE | g->id);

	row->note = row->filled = true;
	row->group_id = g->id;
	row->health = HEALTH_UNKNOWN;
	snprintf(row->message, sizeof(row->message), "%s",
		 master && master->info_at_ms ? "no replicas" : "no replicas known");
}

static void group_add(struct replication *r, const struct view_context *c, const struct group *g,
		      bool headings, int64_t *most)
{
	struct repl_row *row;
	size_t before = r->replicas;

	if (headings) {
		row = row_add(r, ID_GROUP | g->id);
		row->heading = true;
		row->group_id = g->id;
		snprintf(row->name, sizeof(row->name), "%.79s", g->name);
	}
	for (size_t i = 0; i < g->member_count; i++) {
		const struct node *n = model_node(c->model, g->member_ids[i]);
		char addr[ENDPOINT_TEXT_BYTES];

		if (!n || n->id == model_node_resolve(c->model, g->master_id))
			continue;
		row = row_add(r, n->id);
		row->group_id = g->id;
		row->node_id = n->id;
		snprintf(row->name, sizeof(row->name), "%.79s", endpoint_format(&n->addr, addr));
		if (text_width(row->name) > r->name_width)
			r->name_width = text_width(row->name);
		if (lag_bytes_of(c->model, n) > *most) /* unknown is less than nothing */
			*most = lag_bytes_of(c->model, n);
		r->replicas++;
		if (r->narrow)
			note_add(r, c);
	}
	if (headings && r->replicas == before)
		none_add(r, c, g);
}

static void filter_rows(struct replication *r, const struct view_context *c)
{
	size_t kept = 0, heading = SIZE_MAX;
	char group[80] = "";

	fill_all(r, c);
	for (size_t i = 0; i < r->count; i++) {
		char text[512];

		if (r->rows[i].heading) {
			heading = i;
			snprintf(group, sizeof(group), "%s", r->rows[i].name);
			continue;
		}
		snprintf(text, sizeof(text), "%s %s %s %s %s", group, r->rows[i].name,
			 r->rows[i].message, r->rows[i].outlook, health_name(r->rows[i].health));
		if (!view_matches(&r->view, text))
			continue;
		if (heading != SIZE_MAX) {
			if (kept != heading)
				r->rows[kept] = r->rows[heading];
			kept++;
			heading = SIZE_MAX;
		}
		if (kept != i)
			r->rows[kept] = r->rows[i];
		kept++;
	}
	r->count = kept;
}

static void replication_rebuild(struct view *v, const struct view_context *c)
{
	struct replication *r = replication_of(v);
	const struct deployment *d = model_deployment(c->model, c->deployment_id);
	int64_t most = 0;
	bool headings;

	r->count = r->replicas = 0;
	r->name_width = 0;
	r->filled_all = false;
	/* A shard's name is its master's address, which a narrow pane has better use for. */
	headings = !(r->narrow && d && d->kind == KIND_CLUSTER);
	for (size_t i = 0; d && i < d->group_count; i++)
		group_add(r, c, d->groups[i], headings, &most);
	r->scale_bytes = scale_for(most);
	if (v->filter[0])
		filter_rows(r, c);
	else if (c->frozen) /* of this moment, wherever it is scrolled to */
		fill_all(r, c);
	list_begin(&v->list);
	for (size_t i = 0; i < r->count; i++)
		list_add(&v->list, r->rows[i].id);
	list_end(&v->list);
	v->stale = false;
}

/* 1, 2 or 5 of a unit: no fraction to show. */
static char *scale_text(int64_t bytes, char *out)
{
	char *zero;

	units_bytes(bytes, out);
	zero = strstr(out, ".0");
	if (zero)
		memmove(zero, zero + 2, strlen(zero + 2) + 1);
	return out;
}

/* --- drawing ------------------------------------------------------------------------------- */

/* Column starts; width 0: not shown. */
struct layout {
	int name, bar_at, bar, bytes_at, silence_at, spark_at, spark, trend_at, message_at, message,
	    offset_at, headroom_at, priority_at;
};

#define BYTES_WIDTH    8
#define SILENCE_WIDTH  6
#define TREND_WIDTH    11
#define OFFSET_WIDTH   17
#define HEADROOM_WIDTH 10
#define PRIORITY_WIDTH 6

/* Columns that only a wide screen has room for, at the right edge. */
static int layout_right(struct layout *l, int width)
{
	if (width >= 140) {
		width -= PRIORITY_WIDTH;
		l->priority_at = width;
		width -= HEADROOM_WIDTH;
		l->headroom_at = width;
		width -= OFFSET_WIDTH;
		l->offset_at = width;
	}
	return width;
}

static struct layout layout_for(const struct replication *r, int width)
{
	struct layout l = {0};
	bool tight;
	int at, left;

	width = layout_right(&l, width);
	l.name = 2 + r->name_width;
	if (l.name > width / 2)
		l.name = width / 2;
	at = l.bar_at = l.name + 1;
	left = width - at - BYTES_WIDTH - SILENCE_WIDTH;
	tight = left < 8; /* a silence that matters is said in words as well */
	if (tight)
		left += SILENCE_WIDTH;
	if (left < 1) { /* words before pictures */
		l.bytes_at = at;
		l.message_at = at;
		l.message = width - at;
		return l;
	}
	l.bar = left;
	if (left >= 28)
		l.trend_at = 1, left -= TREND_WIDTH;
	if (left >= 40) {
		l.message = left * 45 / 100 < 28 ? 28 : left * 45 / 100 > 46 ? 46 : left * 45 / 100;
		left -= l.message + 2;
		l.spark = left / 3;
		left -= l.spark + 2;
	} else if (left >= 26 && l.trend_at) {
		l.spark = 8;
		left -= 10;
	}
	l.bar = left > 60 ? 60 : left;
	l.bytes_at = l.bar_at + l.bar;
	l.silence_at = tight ? 0 : l.bytes_at + BYTES_WIDTH;
	at = l.bytes_at + BYTES_WIDTH + SILENCE_WIDTH;
	if (l.spark > 0) {
		l.spark_at = at + 2;
		at += l.spark + 2;
	}
	if (l.trend_at) {
		l.trend_at = at;
		at += TREND_WIDTH;
	}
	l.message_at = l.message > 0 ? at + 2 : l.bar_at;
	l.message = width - l.message_at;
	return l;
}

/* 0 and 1 s both say that the replica acknowledges as it should: one word for them, so that the
 * screen does not flicker between them. */
static void silence_text(int64_t seconds, char *out)
{
	if (seconds == FACT_UNKNOWN)
		snprintf(out, UNITS_BYTES, "?");
	else if (seconds < 2)
		snprintf(out, UNITS_BYTES, "<2 s");
	else
		units_age(seconds * 1000, out);
}

static void draw_wide(const struct pane *p, int y, const struct repl_row *row,
		      const struct layout *l)
{
	char text[UNITS_BYTES];
	enum style_role role = row->stale ? STYLE_STALE : STYLE_TEXT;

	if (l->priority_at == 0)
		return;
	if (row->lag.offset != FACT_UNKNOWN && (row->heading || row->lag.bytes != FACT_UNKNOWN)) {
		snprintf(text, sizeof(text), "%lld", (long long)row->lag.offset);
		pane_text_right(p, y, l->offset_at, OFFSET_WIDTH, role, text);
	}
	if (row->heading)
		return;
	units_bytes(row->lag.backlog_headroom_bytes, text);
	pane_text_right(p, y, l->headroom_at, HEADROOM_WIDTH, role,
			row->lag.off_backlog ? "none" : text);
	snprintf(text, sizeof(text), "%lld", (long long)row->priority);
	pane_text_right(p, y, l->priority_at, PRIORITY_WIDTH, role,
			row->priority == FACT_UNKNOWN ? "?"
			: row->priority == 0          ? "never"
						      : text);
}

static void draw_replica(const struct pane *p, int y, const struct repl_row *row,
			 const struct layout *l, int64_t scale)
{
	enum style_role style = health_style(row->health),
			number = row->stale ? STYLE_STALE : STYLE_TEXT;
	char text[UNITS_BYTES], words[300];

	row_words(row, words, sizeof(words));
	pane_glyph(p, y, 0, style, health_glyph(row->health));
	addr_draw(p, y, 2, l->name - 2, row->stale ? STYLE_STALE : STYLE_STRONG, row->name);
	draw_wide(p, y, row, l);
	if (l->message_at <= l->bar_at && row->bar_means_nothing) {
		sentence_draw(p, y, l->message_at, l->message, style, row->message);
		return;
	}
	if (l->bar > 0 && !row->bar_means_nothing && row->lag.bytes != FACT_UNKNOWN)
		pane_bar(p, y, l->bar_at, l->bar, (double)row->lag.bytes, (double)scale);
	pane_text_right(p, y, l->bytes_at, BYTES_WIDTH, number, units_bytes(row->lag.bytes, text));
	silence_text(row->lag.seconds, text);
	if (l->silence_at)
		pane_text_right(p, y, l->silence_at, SILENCE_WIDTH,
				row->lag.seconds >= SILENCE_LONG ? STYLE_WARNING : number, text);
	if (l->spark > 0)
		pane_spark(p, y, l->spark_at, l->spark, row->spark, row->spark_count,
			   row->spark_max);
	if (l->trend_at)
		pane_text_right(p, y, l->trend_at, TREND_WIDTH, number, row->trend);
	if (l->message_at > l->bar_at)
		sentence_draw(p, y, l->message_at, l->message, style,
			  words[0]           ? words
			  : row->lag.link_up ? "linked"
					     : "");
}

static void draw_heading(const struct pane *p, int y, const struct repl_row *row,
			 const struct layout *l)
{
	int end = l->offset_at ? l->offset_at : p->width, x;
	const char *fact = row->message;
	char text[160];

	x = pane_text(p, y, 0, end, STYLE_TITLE, row->name);
	if (row->outlook[0] && x + 2 + text_width(row->outlook) <= end)
		x = pane_text(p, y, x + 2, -1, STYLE_WARNING, row->outlook);
	/* Facts with two blanks between them: those that fit, none by half. */
	for (size_t len = 0; *fact; fact += len + strspn(fact + len, " ")) {
		const char *next = strstr(fact, "  ");

		len = next ? (size_t)(next - fact) : strlen(fact);
		snprintf(text, sizeof(text), "%.*s", (int)len, fact);
		if (x + 2 + text_width(text) > end)
			break;
		x = pane_text(p, y, x + 2, -1, row->stale ? STYLE_STALE : STYLE_DIM, text);
	}
	draw_wide(p, y, row, l);
}

static void draw_note(const struct pane *p, int y, const struct repl_row *row)
{
	pane_glyph(p, y, 2, STYLE_DIM, GLYPH_TREE_END);
	pane_text(p, y, 4, -1, health_style(row->health), row->message);
}

static void draw_titles(const struct pane *p, const struct layout *l)
{
	pane_text(p, 0, 2, -1, STYLE_DIM, "replica");
	pane_text(p, 0, l->bar_at, l->bar, STYLE_DIM, "behind");
	pane_text_right(p, 0, l->bytes_at, BYTES_WIDTH, STYLE_DIM, "bytes");
	pane_text_right(p, 0, l->silence_at, SILENCE_WIDTH, STYLE_DIM, "ack");
	if (l->spark > 6)
		pane_text(p, 0, l->spark_at, l->spark, STYLE_DIM, "history");
	pane_text_right(p, 0, l->trend_at, TREND_WIDTH, STYLE_DIM, "trend");
	pane_text(p, 0, l->message_at, -1, STYLE_DIM, "link");
	if (l->priority_at == 0)
		return;
	pane_text_right(p, 0, l->offset_at, OFFSET_WIDTH, STYLE_DIM, "offset");
	pane_text_right(p, 0, l->headroom_at, HEADROOM_WIDTH, STYLE_DIM, "headroom");
	pane_text_right(p, 0, l->priority_at, PRIORITY_WIDTH, STYLE_DIM, "prio");
}

static bool has_titles(const struct layout *l)
{
	return l->trend_at > 0 && l->message_at > l->bar_at;
}

static void replication_draw(struct view *v, const struct view_context *c, const struct pane *p,
			     bool focused)
{
	struct replication *r = replication_of(v);
	char scale[UNITS_BYTES], extra[64];
	bool narrow;
	struct pane in;
	struct layout l;
	size_t first;

	snprintf(extra, sizeof(extra), "bars 0..%s", scale_text(r->scale_bytes, scale));
	in = view_frame(v, p, r->replicas > 0 ? extra : "", focused);
	l = layout_for(r, in.width - 1);
	narrow = l.message_at <= l.bar_at;
	if (narrow != r->narrow && !c->frozen) { /* other rows: see group_add */
		r->narrow = narrow;
		replication_rebuild(v, c);
	}
	if (c->frozen)
		fill_all(r, c);
	if (r->count == 0) {
		view_say(&in, STYLE_DIM,
			 v->filter[0] ? "nothing matches the filter" : "no replicas known");
		return;
	}
	if (has_titles(&l) && in.height >= 5) {
		draw_titles(&in, &l);
		in = pane_sub(&in, 1, 0, in.height - 1, in.width);
	}
	first = list_layout(&v->list, in.height);
	for (int y = 0; y < in.height && first + (size_t)y < r->count; y++) {
		struct repl_row *row = &r->rows[first + (size_t)y];

		fill_row(row, c);
		if (row->heading)
			draw_heading(&in, y, row, &l);
		else if (row->note)
			draw_note(&in, y, row);
		else
			draw_replica(&in, y, row, &l, r->scale_bytes);
		if (focused && first + (size_t)y == v->list.selected)
			pane_restyle(&in, y, 0, in.width, STYLE_SELECTED);
	}
	list_draw_marks(&v->list, &in);
}

static unsigned replication_act(struct view *v, const struct view_context *c, enum command cmd)
{
	(void)c;
	if (cmd == CMD_BACK)
		return view_drop_filter(v) ? EFFECT_REDRAW : EFFECT_NONE;
	return view_list_act(v, cmd);
}

static int replication_wanted_height(const struct view *v, const struct view_context *c, int width)
{
	const struct replication *r = replication_of_const(v);
	const struct deployment *d = model_deployment(c->model, c->deployment_id);
	struct layout l = layout_for(r, width - 3);
	size_t count = r->count;

	/* Not drawn narrow yet: the rows are not what they will be. */
	if (l.message_at <= l.bar_at && !r->narrow && d && d->kind == KIND_CLUSTER)
		count = r->replicas;
	return (int)(count < 1000 ? count : 1000) + 2 + has_titles(&l);
}

static void replication_selection(const struct view *v, struct selection *out)
{
	const struct replication *r = replication_of_const(v);

	if (v->list.selected >= r->count)
		return;
	out->group_id = r->rows[v->list.selected].group_id;
	out->node_id = r->rows[v->list.selected].node_id;
}

const struct view_ops replication_view = {
    .name = "replication",
    .title = "Replication",
    .topics = TOPIC_NODES | TOPIC_TOPOLOGY | TOPIC_HEALTH | TOPIC_VALUES,
    .state_size = sizeof(struct replication),
    .uses_filter = true,
    .done = replication_done,
    .rebuild = replication_rebuild,
    .draw = replication_draw,
    .act = replication_act,
    .wanted_height = replication_wanted_height,
    .selection = replication_selection,
};
