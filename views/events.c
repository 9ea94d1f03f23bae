/* What happened, the newest at the bottom. The ring is read by index; a rebuild collects ids only
 * when the log or the filter changed, and looks only at what is new. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "views/parts.h"

/* An event may still gain sources, and so begin to match, for this long (the widest merge window).
 */
#define MERGE_WINDOW_MS 30000
#define RECHECK_MAX     512

struct events {
	struct view view;
	uint64_t *seqs; /* of the events that pass, in order */
	size_t count, cap;
	uint64_t seen_seq; /* looked at up to here */
	uint64_t generation;
	uint32_t deployment_id;
	char filter[PROMPT_BYTES];
	bool valid;
	bool details;
};

static struct events *events_of(struct view *v)
{
	return (struct events *)(void *)v;
}

static void events_init(struct view *v)
{
	list_done(&v->list);
	list_init(&v->list, true);
}

static void events_done(struct view *v)
{
	free(events_of(v)->seqs);
}

/* --- what an event says -------------------------------------------------------------------- */

enum sources_form { SOURCES_FULL, SOURCES_SHORT };

/* "3/3 Sentinels over 41 ms", "3/3 Sentinels"; of redoubt's own: "redoubt", "2 nodes". */
static void sources_text(const struct event *e, const struct view_context *c,
			 enum sources_form form, char *out, size_t size)
{
	const struct group *g = model_group(c->model, e->group_id);
	size_t known = g ? group_sentinels_known(c->model, g) : 0;
	bool own = event_kind_info(e->kind)->origin == ORIGIN_OWN;
	int64_t spread = e->last_ms - e->mono_ms;
	char took[UNITS_BYTES], over[48] = "", word[16] = "";

	/* What only one Sentinel ever says (the leader of a failover) names that one. */
	bool alone = own || event_kind_info(e->kind)->merge_window_ms == 0;

	if (e->source_total == 0 || (e->source_total == 1 && alone)) {
		snprintf(out, size, "%s", e->source_count > 0 ? e->sources[0].addr : "redoubt");
		return;
	}
	if (form == SOURCES_FULL && e->source_total > 1 && spread > 0 && spread < 1000)
		snprintf(over, sizeof(over), " over %lld ms", (long long)spread);
	else if (form == SOURCES_FULL && e->source_total > 1 && spread >= 1000)
		snprintf(over, sizeof(over), " over %s", units_duration(spread, took));
	snprintf(word, sizeof(word), " Sentinel%s", e->source_total > 1 || known > 1 ? "s" : "");
	if (own)
		snprintf(out, size, "%u nodes%s", e->source_total, over);
	else if (known >= e->source_total)
		snprintf(out, size, "%u/%zu%s%s", e->source_total, known, word, over);
	else
		snprintf(out, size, "%u%s%s", e->source_total, word, over);
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

/* Sentinel writes "#quorum 3/2" after an address. */
static const char *detail_text(const struct event *e)
{
	const char *detail = or_empty(e->detail);

	return detail[0] == '#' ? detail + 1 : detail;
}

static bool event_passes(const struct events *ev, const struct event *e)
{
	char text[1024];
	size_t len;

	if (e->deployment_id != 0 && e->deployment_id != ev->deployment_id)
		return false;
	if (!ev->filter[0])
		return true;
	len = (size_t)snprintf(text, sizeof(text), "%.64s %.128s %.96s %.300s %s",
			       or_empty(e->name), or_empty(e->subject), or_empty(e->addr),
			       or_empty(e->detail), severity_name(e->severity));
	for (size_t i = 0; i < e->source_count && len + 70 < sizeof(text); i++)
		len +=
		    (size_t)snprintf(text + len, sizeof(text) - len, " %.63s", e->sources[i].addr);
	return view_matches(&ev->view, text);
}

/* --- rebuild ------------------------------------------------------------------------------- */

static void seq_add(struct events *ev, uint64_t seq)
{
	ev->seqs = mem_grow(ev->seqs, &ev->cap, ev->count + 1, sizeof(*ev->seqs));
	ev->seqs[ev->count++] = seq;
}

/* Where to look from: behind what was seen, but for events that may have gained a source. */
static size_t first_to_look_at(const struct events *ev, const struct event_log *log, int64_t now_ms)
{
	size_t i = event_log_count(log), rechecked = 0;

	if (!ev->valid)
		return 0;
	while (i > 0) {
		const struct event *e = event_log_at(log, i - 1);

		if (e->seq <= ev->seen_seq) {
			if (!ev->filter[0] || now_ms - e->mono_ms > MERGE_WINDOW_MS ||
			    rechecked >= RECHECK_MAX)
				break;
			rechecked++;
		}
		i--;
	}
	return i;
}

static void drop_old(struct events *ev, const struct event_log *log)
{
	const struct event *oldest = event_log_count(log) > 0 ? event_log_at(log, 0) : NULL;
	size_t gone = 0;

	while (gone < ev->count && (!oldest || ev->seqs[gone] < oldest->seq))
		gone++;
	if (gone == 0)
		return;
	ev->count -= gone;
	memmove(ev->seqs, ev->seqs + gone, ev->count * sizeof(*ev->seqs));
}

static void events_collect(struct events *ev, const struct view_context *c,
			   const struct event_log *log)
{
	size_t total = event_log_count(log), i = first_to_look_at(ev, log, c->now_ms);

	if (!ev->valid)
		ev->count = 0;
	drop_old(ev, log);
	if (i < total) {
		uint64_t from = event_log_at(log, i)->seq;

		while (ev->count > 0 && ev->seqs[ev->count - 1] >= from)
			ev->count--;
	}
	for (; i < total; i++) {
		const struct event *e = event_log_at(log, i);

		if (event_passes(ev, e))
			seq_add(ev, e->seq);
	}
	ev->seen_seq = event_log_last_seq(log);
	ev->generation = event_log_generation(log);
	ev->valid = true;
}

static void events_rebuild(struct view *v, const struct view_context *c)
{
	struct events *ev = events_of(v);
	const struct event_log *log = model_events(c->model);

	v->stale = false;
	if (ev->deployment_id != c->deployment_id || strcmp(ev->filter, v->filter) != 0) {
		ev->valid = false;
		ev->deployment_id = c->deployment_id;
		memcpy(ev->filter, v->filter, sizeof(ev->filter));
	}
	if (ev->valid && ev->generation == event_log_generation(log))
		return;
	/* The log may be one of another moment, before or after. */
	if (c->replay)
		ev->valid = false;
	events_collect(ev, c, log);
	list_begin(&v->list);
	for (size_t i = 0; i < ev->count; i++)
		list_add(&v->list, ev->seqs[i]);
	list_end(&v->list);
}

/* --- drawing ------------------------------------------------------------------------------- */

/* State never by colour alone. */
static void draw_severity(const struct pane *p, int y, int x, enum severity s)
{
	if (s == SEVERITY_CRITICAL)
		pane_glyph(p, y, x, STYLE_CRITICAL, GLYPH_DOWN);
	else if (s == SEVERITY_WARNING)
		pane_glyph(p, y, x, STYLE_WARNING, GLYPH_WARNING);
}

/* Where the columns of the visible rows stand. Compact: what happened comes before who saw it,
 * which is shown at the right edge where there is room for it; Enter shows all. */
struct event_columns {
	int name, who, sources; /* widths */
	bool compact, aligned;  /* not aligned: what is too long pushes its own row */
	bool address_only;      /* the subject would only repeat the header */
	enum sources_form form;
};

#define ALIGNED_WIDTH 94  /* inside a frame of 96 columns */
#define WIDE_WIDTH    118 /* who saw it has a column of its own */
#define NARROW_WIDTH  60
#define NAME_MOST     34 /* +failover-state-send-slaveof-noone */
#define NAME_SHORT    20 /* all but the +failover-state- ones, which say little else */

static void who_text(const struct event *e, bool address_only, char *out, size_t size)
{
	const char *subject = or_empty(e->subject), *addr = or_empty(e->addr);

	if (!subject[0] || strcmp(subject, addr) == 0 || (address_only && addr[0]))
		snprintf(out, size, "%s", addr);
	else
		snprintf(out, size, "%s%s%s", subject, addr[0] ? " " : "", addr);
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static int bounded(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

/* The widest of what the visible rows say. */
struct event_widths {
	int name, who, brief, address, sources[2], detail;
};

static void widths_add(struct event_widths *w, const struct event *e, const struct view_context *c)
{
	char text[512];

	w->name = larger(w->name, text_width(or_empty(e->name)));
	who_text(e, false, text, sizeof(text));
	w->who = larger(w->who, text_width(text));
	who_text(e, true, text, sizeof(text));
	w->brief = larger(w->brief, text_width(text));
	if (or_empty(e->addr)[0])
		w->address = larger(w->address, text_width(text));
	for (int form = SOURCES_FULL; form <= SOURCES_SHORT; form++) {
		sources_text(e, c, (enum sources_form)form, text, sizeof(text));
		w->sources[form] = larger(w->sources[form], text_width(text));
	}
	w->detail = larger(w->detail, text_width(detail_text(e)));
}

#define STAMP_WIDTH 15 /* with the mark of severity */

/* The fullest that leaves room for the details. */
static void columns_wide(struct event_columns *l, const struct event_widths *w, bool address_only,
			 int width)
{
	static const struct {
		bool address_only;
		enum sources_form form;
	} steps[] = {{false, SOURCES_FULL}, {false, SOURCES_SHORT}, {true, SOURCES_SHORT}};
	int detail = bounded(w->detail, 0, 40);

	l->name = bounded(w->name, 22, NAME_MOST);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		l->address_only = address_only || steps[i].address_only;
		l->form = steps[i].form;
		l->who = bounded(l->address_only ? w->brief : w->who, 16, width / 3);
		l->sources = bounded(w->sources[l->form], 15, 32);
		if (STAMP_WIDTH + l->name + l->who + l->sources + detail + 3 <= width)
			return;
	}
}

static struct event_columns columns_for(const struct event_widths *w, const struct view_context *c,
					int width)
{
	const struct deployment *d = model_deployment(c->model, c->deployment_id);
	struct event_columns l = {.aligned = width >= ALIGNED_WIDTH, .compact = width < WIDE_WIDTH};

	if (!l.compact) {
		/* Outside of Sentinels the subject is an address as well. */
		columns_wide(&l, w, !d || d->kind != KIND_SENTINEL, width);
		return l;
	}
	l.address_only = !d || d->kind != KIND_SENTINEL || d->group_count == 1;
	if (width < NARROW_WIDTH) {
		l.name = 6;
		return l;
	}
	l.name = bounded(w->name, 14, l.aligned ? NAME_MOST : NAME_SHORT);
	if (l.aligned)
		l.who = bounded(l.address_only ? w->brief : w->who, 14,
				(width - STAMP_WIDTH - l.name) / 2);
	else
		l.who = bounded(w->address, 14, 22);
	return l;
}

/* Returns where the next column begins. */
static int draw_cell(const struct pane *p, int y, int x, int columns, bool cut,
		     enum style_role role, const char *text)
{
	int end = addr_draw(p, y, x, cut ? columns : larger(columns, NAME_MOST), role, text);

	return (end > x + columns ? end : x + columns) + 1;
}

/* What happened, then at the right edge who saw it: in the fullest form that fits, or not at all.
 */
static void draw_compact_end(const struct pane *p, int y, int x, const struct event *e,
			     const struct view_context *c)
{
	char text[512];
	int end = x;

	if (detail_text(e)[0])
		end = pane_text(p, y, x, -1, STYLE_TEXT, detail_text(e)) + 1;
	for (int form = SOURCES_FULL; form <= SOURCES_SHORT; form++) {
		int width;

		sources_text(e, c, (enum sources_form)form, text, sizeof(text));
		width = text_width(text);
		if (end + width > p->width - 1) /* the marks of more rows are at the edge */
			continue;
		pane_text(p, y, p->width - 1 - width, -1, STYLE_DIM, text);
		return;
	}
}

static void draw_event(const struct pane *p, int y, const struct event *e,
		       const struct view_context *c, const struct event_columns *l)
{
	char stamp[CLOCK_ISO_BYTES], text[512];
	int x;

	clock_format_hms_ms(e->wall_ms, stamp);
	if (p->width < NARROW_WIDTH)
		stamp[8] = '\0'; /* whole seconds */
	x = pane_text(p, y, 0, -1, STYLE_DIM, stamp) + 1;
	draw_severity(p, y, x, e->severity);
	x = draw_cell(p, y, x + 2, l->name, false, severity_style(e->severity), or_empty(e->name));
	who_text(e, l->address_only, text, sizeof(text));
	if (text[0] || l->aligned)
		x = draw_cell(p, y, x, l->who, l->aligned, STYLE_TEXT, text);
	if (l->compact) {
		draw_compact_end(p, y, x, e, c);
		return;
	}
	sources_text(e, c, l->form, text, sizeof(text));
	x = draw_cell(p, y, x, l->sources, true, STYLE_DIM, text);
	pane_text(p, y, x, -1, STYLE_TEXT, detail_text(e));
}

static int detail_line(const struct pane *p, int y, const char *label, enum style_role role,
		       const char *text)
{
	if (!text[0] || y >= p->height)
		return y;
	pane_text(p, y, 0, 11, STYLE_DIM, label);
	return y + text_wrap_draw(p, y, 12, p->width - 12, p->height - y, role, text);
}

static void draw_details(const struct pane *p, const struct event *e, const struct view_context *c)
{
	char text[512], stamp[CLOCK_ISO_BYTES];
	struct buf sources = BUF_INIT;
	int y = 1;

	for (int x = 0; x < p->width; x++)
		pane_glyph(p, 0, x, STYLE_BORDER, GLYPH_TREE_DASH);
	if (!e)
		return;
	snprintf(text, sizeof(text), "%s  %s: %s", e->name, severity_name(e->severity),
		 event_kind_info(e->kind)->help);
	y = detail_line(p, y, "event", severity_style(e->severity), text);
	y = detail_line(p, y, "time", STYLE_TEXT, clock_format_iso(e->wall_ms, stamp));
	who_text(e, false, text, sizeof(text));
	y = detail_line(p, y, "about", STYLE_TEXT, text);
	y = detail_line(p, y, "detail", STYLE_TEXT, detail_text(e));
	sources_text(e, c, SOURCES_FULL, text, sizeof(text));
	buf_addstr(&sources, text);
	for (size_t i = 0; i < e->source_count && e->source_total > 1; i++)
		buf_addf(&sources, "%s%s +%lld ms", i ? ", " : ": ", e->sources[i].addr,
			 (long long)(e->sources[i].mono_ms - e->mono_ms));
	if (e->source_count == 1 && strcmp(text, e->sources[0].addr) != 0)
		buf_addf(&sources, ": %s", e->sources[0].addr);
	detail_line(p, y, "seen by", STYLE_TEXT, buf_str(&sources));
	buf_free(&sources);
}

static const struct event *event_by_row(const struct events *ev, const struct event_log *log,
					size_t row)
{
	const struct event *e = row < ev->count ? event_log_from(log, ev->seqs[row]) : NULL;

	return e && e->seq == ev->seqs[row] ? e : NULL;
}

static void draw_newer(const struct pane *p, size_t newer)
{
	char text[64];
	int width;

	snprintf(text, sizeof(text), " %zu newer below ", newer);
	width = text_width(text);
	if (width + 2 < p->width && p->height > 1)
		pane_text(p, p->height - 1, p->width - width - 1, -1, STYLE_NOTICE, text);
}

static void events_draw(struct view *v, const struct view_context *c, const struct pane *p,
			bool focused)
{
	struct events *ev = events_of(v);
	const struct event_log *log = model_events(c->model);
	struct pane in = view_frame(v, p, "", focused), details, rows;
	struct event_widths widths = {0};
	struct event_columns columns;
	size_t first, below;

	if (ev->details && in.height >= 9) {
		int height = in.height / 2 < 9 ? in.height / 2 : 9;

		details = pane_sub(&in, in.height - height, 0, height, in.width);
		in = pane_sub(&in, 0, 0, in.height - height, in.width);
		draw_details(&details, event_by_row(ev, log, v->list.selected), c);
	}
	if (ev->count == 0) {
		view_say(&in, STYLE_DIM,
			 v->filter[0] ? "nothing matches the filter" : "no events yet");
		return;
	}
	first = list_layout(&v->list, in.height);
	rows = list_room(&v->list, &in);
	for (int y = 0; y < in.height && first + (size_t)y < ev->count; y++) {
		const struct event *e = event_by_row(ev, log, first + (size_t)y);

		if (e)
			widths_add(&widths, e, c);
	}
	columns = columns_for(&widths, c, in.width);
	for (int y = 0; y < in.height && first + (size_t)y < ev->count; y++) {
		const struct event *e = event_by_row(ev, log, first + (size_t)y);
		struct pane line = pane_sub(&rows, y, 0, 1, rows.width);

		if (e)
			draw_event(&line, 0, e, c, &columns);
		else
			pane_text(&line, 0, 0, -1, STYLE_DIM, "(no longer held)");
		if (focused && first + (size_t)y == v->list.selected)
			pane_restyle(&in, y, 0, in.width, STYLE_SELECTED);
	}
	list_draw_marks(&v->list, &in);
	below = in.height > 0 && ev->count > first + (size_t)in.height
		    ? ev->count - first - (size_t)in.height
		    : 0;
	if (below > 0)
		draw_newer(&in, below);
}

static unsigned events_act(struct view *v, const struct view_context *c, enum command cmd)
{
	struct events *ev = events_of(v);

	(void)c;
	if (cmd == CMD_ENTER) {
		ev->details = !ev->details;
		return EFFECT_REDRAW;
	}
	if (cmd == CMD_BACK) {
		if (ev->details) {
			ev->details = false;
			return EFFECT_REDRAW;
		}
		return view_drop_filter(v) ? EFFECT_REDRAW : EFFECT_NONE;
	}
	return view_list_act(v, cmd);
}

static int events_wanted_height(const struct view *v, const struct view_context *c, int width)
{
	(void)v;
	(void)c;
	(void)width;
	return 0; /* all it can get */
}

static void events_selection(const struct view *v, struct selection *out)
{
	(void)v;
	(void)out; /* an event of the past is nothing to act on */
}

static const enum command events_takes[] = {CMD_ENTER, CMD_NONE};

const struct view_ops events_view = {
    .name = "events",
    .title = "Events",
    .topics = TOPIC_EVENTS,
    .state_size = sizeof(struct events),
    .uses_filter = true,
    .init = events_init,
    .done = events_done,
    .rebuild = events_rebuild,
    .draw = events_draw,
    .takes = events_takes,
    .act = events_act,
    .wanted_height = events_wanted_height,
    .selection = events_selection,
};
