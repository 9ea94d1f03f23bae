/* Columns and bars of the replication screen. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "views/replication_private.h"

#define BYTES_WIDTH    8
#define SILENCE_WIDTH  6
#define TREND_WIDTH    11
#define OFFSET_WIDTH   17
#define HEADROOM_WIDTH 10
#define PRIORITY_WIDTH 6

/* Columns that only a wide screen has room for, at the right edge. */
static int layout_right(struct repl_layout *l, int width)
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

struct repl_layout replication_layout(const struct replication *r, int width)
{
	struct repl_layout l = {0};
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
		      const struct repl_layout *l)
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

void replication_draw_replica(const struct pane *p, int y, const struct repl_row *row,
			      const struct repl_layout *l, int64_t scale)
{
	enum style_role style = health_style(row->health),
			number = row->stale ? STYLE_STALE : STYLE_TEXT;
	char text[UNITS_BYTES], words[300];

	replication_row_words(row, words, sizeof(words));
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
				row->lag.seconds >= SILENCE_LONG_S ? STYLE_WARNING : number, text);
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

void replication_draw_heading(const struct pane *p, int y, const struct repl_row *row,
			      const struct repl_layout *l)
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

void replication_draw_note(const struct pane *p, int y, const struct repl_row *row)
{
	pane_glyph(p, y, 2, STYLE_DIM, GLYPH_TREE_END);
	pane_text(p, y, 4, -1, health_style(row->health), row->message);
}

void replication_draw_titles(const struct pane *p, const struct repl_layout *l)
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

bool replication_has_titles(const struct repl_layout *l)
{
	return l->trend_at > 0 && l->message_at > l->bar_at;
}
