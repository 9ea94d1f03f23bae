#include "config.h"

#include "views/timeline.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "views/parts.h"

#define TWO_ROWS_LEAST   18 /* rows of the screen; below, the body needs them */
#define ONE_ROW_LEAST    6
#define STRIP_LEAST      8  /* columns; the clocks beside it go first */
#define TWO_CLOCKS_LEAST 34
#define STATE_COLUMNS    12 /* "PLAYING 1/4x": what stands behind it holds still */
#define CLOCK_COLUMNS    8
#define EVENT_LEAST      24
#define ALL_WORDS_LEAST  90

int timeline_height(int height)
{
	return height >= TWO_ROWS_LEAST ? 2 : height >= ONE_ROW_LEAST ? 1 : 0;
}

char *timeline_speed(double speed, char out[TIMELINE_SPEED_BYTES])
{
	if (speed == 0.25 || speed == 0.5)
		snprintf(out, TIMELINE_SPEED_BYTES, "1/%dx", speed == 0.5 ? 2 : 4);
	else
		snprintf(out, TIMELINE_SPEED_BYTES, "%.3gx", speed);
	return out;
}

/* --- the strip ------------------------------------------------------------------------------- */

static int column_of(const struct timeline *t, int64_t at_ms, int columns)
{
	double span = (double)(t->end_ms - t->begin_ms);
	double part = span > 0 ? (double)(at_ms - t->begin_ms) / span : 0;

	if (part < 0)
		part = 0;
	return part >= 1 ? columns - 1 : (int)(part * columns);
}

/* Whether mark `a` says more of its cell than `b`. */
static bool outranks(const struct timeline_mark *a, const struct timeline_mark *b)
{
	return a->failover != b->failover ? a->failover : a->severity > b->severity;
}

/* The first mark of that column, from *index on, that no other of it outranks; NULL: it has none.
 * *index: the first one behind it. */
static const struct timeline_mark *mark_of(const struct timeline *t, int column, int columns,
					   size_t *index)
{
	const struct timeline_mark *best = NULL;

	for (; *index < t->mark_count; (*index)++) {
		const struct timeline_mark *mark = &t->marks[*index];
		int at = column_of(t, mark->at_ms, columns);

		if (at > column)
			break;
		if (at == column && (!best || outranks(mark, best)))
			best = mark;
	}
	return best;
}

int64_t timeline_moment(const struct timeline *t, int column, int columns)
{
	size_t index = 0;
	const struct timeline_mark *mark = mark_of(t, column, columns, &index);

	if (mark)
		return mark->at_ms;
	if (columns < 2 || column >= columns - 1)
		return column > 0 ? t->end_ms : t->begin_ms;
	return t->begin_ms +
	       (int64_t)((double)(t->end_ms - t->begin_ms) * (double)column / (double)columns);
}

static void draw_mark(const struct pane *strip, int x, const struct timeline_mark *mark)
{
	static const enum glyph glyphs[] = {[SEVERITY_INFO] = GLYPH_MARK,
					    [SEVERITY_NOTICE] = GLYPH_MARK_NOTICE,
					    [SEVERITY_WARNING] = GLYPH_WARNING,
					    [SEVERITY_CRITICAL] = GLYPH_DOWN};
	enum style_role role =
	    mark->severity == SEVERITY_INFO ? STYLE_DIM : severity_style(mark->severity);

	if (mark->failover)
		pane_text(strip, 0, x, 1, STYLE_CRITICAL, "F");
	else
		pane_glyph(strip, 0, x, role, glyphs[mark->severity]);
}

static void draw_strip(const struct pane *strip, const struct timeline *t)
{
	int head = column_of(t, t->now_ms, strip->width);
	size_t index = 0;

	for (int x = 0; x < strip->width; x++) {
		const struct timeline_mark *mark = mark_of(t, x, strip->width, &index);

		if (x == head) /* what is there is said in words beside it */
			pane_glyph(strip, 0, x, STYLE_SELECTED, GLYPH_PLAYHEAD);
		else if (mark)
			draw_mark(strip, x, mark);
		else
			pane_glyph(strip, 0, x, x < head ? STYLE_TEXT : STYLE_DIM,
				   x < head ? GLYPH_PLAYED : GLYPH_TREE_DASH);
	}
	pane_hot(strip, HOT_TIMELINE, 0);
}

/* "not closed: ends at ..." and "cut short at ..." lack their end; else what is there is wrong. */
static const char *damage_word(const struct timeline *t)
{
	if (!t->damage || !t->damage[0])
		return NULL;
	return strncmp(t->damage, "cut", 3) == 0 || strncmp(t->damage, "not closed", 10) == 0 ? "cut"
											     : "damaged";
}

/* The end's clock and the word behind it, at the right of a row of which `columns` are left for them
 * and the strip. Returns how many it took: the word is the last to give way. */
static int draw_end(const struct pane *row, int columns, const struct timeline *t)
{
	const char *word = damage_word(t);
	int word_columns = word ? (int)strlen(word) + 1 : 0, clock_columns = CLOCK_COLUMNS + 1, x;
	char clock[CLOCK_ISO_BYTES];

	if (columns - clock_columns - word_columns - 1 < STRIP_LEAST)
		clock_columns = 0;
	if (columns - clock_columns - word_columns - 1 < STRIP_LEAST)
		return 0;
	x = row->width - 1 - word_columns - clock_columns;
	if (clock_columns > 0)
		pane_text(row, 0, x + 1, -1, STYLE_TEXT, clock_format_hms(t->end_wall_ms, clock));
	if (word)
		pane_text(row, 0, x + clock_columns + 1, -1, STYLE_WARNING, word);
	return clock_columns + word_columns + 1;
}

/* --- the words ------------------------------------------------------------------------------- */

/* Returns the column behind it, which is the same in every state. */
static int draw_state(const struct pane *row, const struct timeline *t)
{
	static const struct {
		const char *word;
		enum style_role role;
	} states[] = {[TIMELINE_PAUSED] = {"PAUSED", STYLE_NOTICE},
		      [TIMELINE_PLAYING] = {"PLAYING", STYLE_OK},
		      [TIMELINE_JUMPING] = {"JUMPING", STYLE_NOTICE},
		      [TIMELINE_END] = {"END", STYLE_STRONG}};
	char speed[TIMELINE_SPEED_BYTES];
	int x = pane_text(row, 0, 1, STATE_COLUMNS, states[t->state].role, states[t->state].word);

	if (t->state == TIMELINE_PLAYING || (t->state == TIMELINE_PAUSED && t->speed != 1.0))
		pane_text(row, 0, x + 1, -1, states[t->state].role, timeline_speed(t->speed, speed));
	return 1 + STATE_COLUMNS + 1;
}

/* "3 failovers  41 events", right-aligned; returns the column of its first. */
static int draw_counts(const struct pane *row, const struct timeline *t, int from)
{
	char text[80], events[40];
	int columns, end = row->width - 1;

	snprintf(events, sizeof(events), "%zu event%s", t->mark_count, t->mark_count == 1 ? "" : "s");
	snprintf(text, sizeof(text), "%zu failover%s  %s", t->failovers, t->failovers == 1 ? "" : "s",
		 events);
	if (end - text_width(text) < from + EVENT_LEAST)
		text[strcspn(text, " ") + strlen(" failovers") - (t->failovers == 1)] = '\0';
	columns = text_width(text);
	if (end - columns < from)
		return end;
	pane_text(row, 0, end - columns, columns, STYLE_DIM, text);
	return end - columns - 2;
}

static int weight_of(const struct event *e)
{
	return e->kind == EVENT_SWITCH_MASTER ? SEVERITY_CRITICAL + 1 : (int)e->severity;
}

/* The last one; of several in the same millisecond the one that says most. */
static const struct event *event_at_hand(const struct event_log *log)
{
	size_t count = event_log_count(log);
	const struct event *last = count > 0 ? event_log_at(log, count - 1) : NULL, *worst = last;

	for (size_t i = count; i-- > 0 && event_log_at(log, i)->mono_ms == last->mono_ms;)
		if (weight_of(event_log_at(log, i)) > weight_of(worst))
			worst = event_log_at(log, i);
	return worst;
}

/* What happened last, of all deployments: "+odown mymaster  7 s ago". */
static void draw_event(const struct pane *row, int x, int columns, const struct view_context *c)
{
	const struct event *e = event_at_hand(model_events(c->model));
	char age[UNITS_BYTES], text[200];

	if (!e || columns < EVENT_LEAST / 2)
		return;
	if (e->severity >= SEVERITY_WARNING)
		pane_glyph(row, 0, x, severity_style(e->severity),
			   e->severity == SEVERITY_CRITICAL ? GLYPH_DOWN : GLYPH_WARNING);
	units_age(c->timeline->now_ms > e->mono_ms ? c->timeline->now_ms - e->mono_ms : 0, age);
	text_format(text, sizeof(text), "%s %s  %s ago", e->name, e->subject, age);
	if (text_width(text) > columns - 2)
		text_format(text, sizeof(text), "%s  %s ago", e->name, age);
	pane_text(row, 0, x + 2, columns - 2, STYLE_TEXT, text);
}

static void draw_words(const struct pane *row, const struct view_context *c)
{
	const struct timeline *t = c->timeline;
	bool damaged = damage_word(t) != NULL, at_end = t->state == TIMELINE_END;
	char clock[CLOCK_ISO_BYTES];
	int end, x = draw_state(row, t);

	x = pane_text(row, 0, x, -1, STYLE_STRONG,
		      row->width < 60 ? clock_format_hms(t->now_wall_ms, clock)
				      : clock_format_day_hms(t->now_wall_ms, clock)) + 2;
	/* At the end it is why there is no more; elsewhere it stands where there is room for all. */
	end = damaged && at_end && row->width < ALL_WORDS_LEAST ? row->width - 1 : draw_counts(row, t, x);
	if (damaged && (at_end || end - x - text_width(t->damage) - 2 >= EVENT_LEAST))
		x = sentence_draw(row, 0, x, end - x, STYLE_WARNING, t->damage) + 2;
	draw_event(row, x, end - x, c);
}

/* --- together -------------------------------------------------------------------------------- */

static void draw_two_rows(const struct pane *p, const struct view_context *c)
{
	const struct timeline *t = c->timeline;
	struct pane row = pane_sub(p, 0, 0, 1, p->width), words = pane_sub(p, 1, 0, 1, p->width), strip;
	int left = row.width < TWO_CLOCKS_LEAST ? 0 : CLOCK_COLUMNS + 2;
	int right = draw_end(&row, row.width - left, t);
	char clock[CLOCK_ISO_BYTES];

	if (left > 0)
		pane_text(&row, 0, 1, CLOCK_COLUMNS, STYLE_TEXT,
			  clock_format_hms(t->begin_wall_ms, clock));
	strip = pane_sub(&row, 0, left, 1, row.width - left - right);
	draw_strip(&strip, t);
	draw_words(&words, c);
}

static void draw_one_row(const struct pane *p, const struct view_context *c)
{
	const struct timeline *t = c->timeline;
	struct pane row = pane_sub(p, 0, 0, 1, p->width), strip;
	char clock[CLOCK_ISO_BYTES];
	int right, x = draw_state(&row, t);

	x = pane_text(&row, 0, x, -1, STYLE_STRONG, clock_format_hms(t->now_wall_ms, clock)) + 1;
	right = draw_end(&row, row.width - x, t);
	strip = pane_sub(&row, 0, x, 1, row.width - x - right);
	if (strip.width > 0)
		draw_strip(&strip, t);
}

void timeline_draw(const struct pane *p, const struct view_context *c)
{
	if (!c->timeline || p->height < 1)
		return;
	pane_fill(p, STYLE_TEXT);
	if (p->height > 1)
		draw_two_rows(p, c);
	else
		draw_one_row(p, c);
}
