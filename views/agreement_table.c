/* The table of who says what: speakers as rows, or where that fits better fields as rows. What
 * stands alone has a mark, a colour, and where there is room since when. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "model/agreement_cluster.h"
#include "model/agreement_set.h"
#include "model/forecast.h"
#include "views/agreement_private.h"

#define MEASURED     64 /* speakers whose words decide how wide a column is */
#define NAME_MAX_    30
#define CELL_MAX     30
#define TITLE_WIDTH  17 /* of fields as rows */
#define TURNED_LEAST 18 /* columns of a speaker */
#define ROW_MARK     2

/* Beside the model's own fields. */
enum { SENTINEL_CANDIDATE = AGREE_COUNT, SENTINEL_CKQUORUM, SENTINEL_ANSWERS, SENTINEL_FIELDS };
enum { CLUSTER_ANSWERS = CLUSTER_AGREE_COUNT, CLUSTER_FIELDS };
enum { SET_ANSWERS = SET_AGREE_COUNT, SET_FIELDS };

/* What decides a failover first: a low screen shows the first fields. */
static const unsigned char sentinel_order[SENTINEL_FIELDS - 1] = {
    AGREE_MASTER, AGREE_EPOCH, AGREE_STATE, AGREE_QUORUM, AGREE_SENTINELS, AGREE_REPLICAS,
    SENTINEL_CANDIDATE, SENTINEL_CKQUORUM, AGREE_VOTE, AGREE_DOWN_AFTER, AGREE_FAILOVER_TIMEOUT,
    AGREE_PARALLEL_SYNCS, AGREE_TILT, AGREE_VERSION,
};

const char *agree_field_title(const struct agree_table *t, size_t field)
{
	switch (t->kind) {
	case KIND_SENTINEL:
		if (field < SENTINEL_ANSWERS)
			field = sentinel_order[field];
		return field == SENTINEL_CANDIDATE  ? "would promote"
		       : field == SENTINEL_CKQUORUM ? "CKQUORUM"
		       : field == SENTINEL_ANSWERS  ? "answers"
						    : agreement_title((enum agreement_field)field);
	case KIND_CLUSTER:
		return field == CLUSTER_ANSWERS
			   ? "answers"
			   : agreement_cluster_title((enum cluster_agreement_field)field);
	default:
		return field == SET_ANSWERS ? "answers"
					    : agreement_set_title((enum set_agreement_field)field);
	}
}

/* --- cells --------------------------------------------------------------------------------- */

static void cell_take(struct agree_cell *out, const struct agreement_cell *cell, bool grave)
{
	out->known = cell->known;
	out->dissents = cell->dissents;
	out->since_ms = cell->since_ms;
	out->bad = grave && cell->dissents && !cell->passing;
	text_format(out->text, sizeof(out->text), "%s", cell->known ? cell->text : "?");
}

static void answers_cell(const struct node *n, const struct view_context *c, struct agree_cell *out)
{
	char age[UNITS_BYTES];
	int64_t heard_ms = n->link.last_reply_ms;

	out->known = true;
	if (n->link.state == LINK_UP) {
		snprintf(out->text, sizeof(out->text), "yes");
		return;
	}
	out->dissents = true;
	if (heard_ms == 0)
		snprintf(out->text, sizeof(out->text), "never");
	else
		snprintf(out->text, sizeof(out->text), "silent %s",
			 units_age(c->now_ms > heard_ms ? c->now_ms - heard_ms : 0, age));
}

static void ckquorum_cell(const struct sentinel_view *v, struct agree_cell *out)
{
	out->known = v->ckquorum_at_ms != 0;
	if (!out->known)
		return;
	out->dissents = out->bad = !v->ckquorum.ok;
	if (v->ckquorum.ok && v->ckquorum.usable != FACT_UNKNOWN)
		snprintf(out->text, sizeof(out->text), "OK %lld", (long long)v->ckquorum.usable);
	else
		text_format(out->text, sizeof(out->text), "%s",
			    v->ckquorum.ok ? "OK" : v->ckquorum.message);
}

static void sentinel_cell(const struct agree_view *t, const struct view_context *c,
			  const struct agree_speaker *s, const struct node *n, size_t field,
			  struct agree_cell *out)
{
	const struct group *g = model_group(c->model, t->table.group_id);
	const struct sentinel_view *v = g ? group_view_of(c->model, g, n->id) : NULL;
	struct agreement_cell cell;

	if (!v)
		return;
	field = sentinel_order[field];
	switch (field) {
	case SENTINEL_CANDIDATE:
		out->known = s->candidate[0] != '\0';
		out->dissents = s->differs;
		if (out->known)
			text_format(out->text, sizeof(out->text), "%s", s->candidate);
		break;
	case SENTINEL_CKQUORUM:
		ckquorum_cell(v, out);
		break;
	default:
		agreement_cell(c->model, g, v, (enum agreement_field)field, &cell);
		cell_take(out, &cell, field == AGREE_MASTER || field == AGREE_EPOCH);
	}
}

void agree_table_cell(const struct agree_view *t, const struct view_context *c, size_t speaker,
		      size_t field, struct agree_cell *out)
{
	const struct agree_speaker *s = &t->table.speakers[speaker];
	const struct node *n = model_node(c->model, s->node_id);
	const struct group *g;
	struct agreement_cell cell;

	*out = (struct agree_cell){.text = "?"};
	if (!n)
		return;
	if (field + 1 == t->table.fields) {
		answers_cell(n, c, out);
		return;
	}
	switch (t->table.kind) {
	case KIND_SENTINEL:
		sentinel_cell(t, c, s, n, field, out);
		break;
	case KIND_CLUSTER:
		agreement_cluster_cell(n, (enum cluster_agreement_field)field, &cell);
		cell_take(out, &cell, field == CLUSTER_AGREE_STATE);
		break;
	default:
		g = model_group(c->model, t->table.group_id);
		if (!g)
			return;
		agreement_set_cell(c->model, g, n, (enum set_agreement_field)field, &cell);
		cell_take(out, &cell, field == SET_AGREE_ROLE);
	}
}

/* --- who speaks ---------------------------------------------------------------------------- */

static void speaker_add(struct agree_table *t, const struct node *n)
{
	struct agree_speaker *s;
	char addr[ENDPOINT_TEXT_BYTES];

	t->speakers = mem_grow(t->speakers, &t->cap, t->count + 1, sizeof(*t->speakers));
	s = &t->speakers[t->count++];
	*s = (struct agree_speaker){.node_id = n->id, .group_id = n->group_id, .silent = n->link.state != LINK_UP};
	text_format(s->name, sizeof(s->name), "%s", endpoint_format(&n->addr, addr));
}

static int speaker_compare(const void *a, const void *b)
{
	return strverscmp(((const struct agree_speaker *)a)->name,
			  ((const struct agree_speaker *)b)->name);
}

static void candidates_fill(struct agree_table *t, const struct view_context *c,
			    const struct group *g)
{
	struct forecast *f = mem_alloc(sizeof(*f));
	char addr[ENDPOINT_TEXT_BYTES];

	for (size_t i = 0; i < t->count && i < MEASURED; i++) {
		const struct sentinel_view *v = group_view_of(c->model, g, t->speakers[i].node_id);

		if (!v)
			continue;
		forecast_by_sentinel(c->model, g, v, FORECAST_CRASH, c->now_ms, f);
		text_format(t->speakers[i].candidate, sizeof(t->speakers[i].candidate), "%s",
			    !f->known	      ? ""
			    : f->candidate_id ? agree_addr(c->model, f->candidate_id, addr)
			    : f->tie	      ? "a tie"
					      : "nobody");
	}
	free(f);
}

/* Who is not of the mind of most that answer. */
static void candidates_compare(struct agree_table *t)
{
	size_t most = 0, at = 0, count = t->count < MEASURED ? t->count : MEASURED;

	for (size_t i = 0; i < count; i++) {
		size_t same = 0;

		for (size_t k = 0; k < count; k++)
			same += !t->speakers[i].silent && !t->speakers[k].silent &&
				t->speakers[i].candidate[0] &&
				strcmp(t->speakers[i].candidate, t->speakers[k].candidate) == 0;
		if (same > most) {
			most = same;
			at = i;
		}
	}
	for (size_t i = 0; i < count && most > 0; i++)
		t->speakers[i].differs =
		    !t->speakers[i].silent && t->speakers[i].candidate[0] &&
		    strcmp(t->speakers[i].candidate, t->speakers[at].candidate) != 0;
}

static void speakers_fill(struct agree_table *t, const struct view_context *c,
			  const struct deployment *d, const struct group *g)
{
	const struct node *n;
	size_t cursor = 0;

	t->count = 0;
	for (size_t i = 0; g && d->kind == KIND_SENTINEL && i < g->view_count; i++)
		if ((n = model_node(c->model, g->views[i].sentinel_id)))
			speaker_add(t, n);
	for (size_t i = 0; g && d->kind != KIND_SENTINEL && i < g->member_count; i++)
		if ((n = model_node(c->model, g->member_ids[i])))
			speaker_add(t, n);
	while (!g && (n = model_next_member(c->model, d->id, &cursor)))
		speaker_add(t, n);
	/* In a set the master stands first already. */
	if (d->kind == KIND_SENTINEL || !g)
		qsort(t->speakers, t->count, sizeof(*t->speakers), speaker_compare);
	if (d->kind == KIND_SENTINEL && g) {
		candidates_fill(t, c, g);
		candidates_compare(t);
	}
}

/* --- layout -------------------------------------------------------------------------------- */

static void measure(struct agree_view *t, const struct view_context *c)
{
	struct agree_table *table = &t->table;

	table->name_width = 0;
	for (size_t i = 0; i < table->count; i++)
		if (text_width(table->speakers[i].name) > table->name_width)
			table->name_width = text_width(table->speakers[i].name);
	if (table->name_width > NAME_MAX_)
		table->name_width = NAME_MAX_;
	for (size_t f = 0; f < table->fields; f++) {
		int most = text_width(agree_field_title(table, f));

		for (size_t i = 0; i < table->count && i < MEASURED; i++) {
			struct agree_cell cell;
			int width;

			agree_table_cell(t, c, i, f, &cell);
			width = text_width(cell.text) + cell.dissents;
			most = width > most ? width : most;
		}
		table->widths[f] = (most < CELL_MAX ? most : CELL_MAX) + 2;
	}
}

/* How many fields there is room for from the first in sight on. */
static void scroll_fit(struct agree_table *t, int width)
{
	int room = width - ROW_MARK - t->name_width;

	if (t->first >= t->fields)
		t->first = 0;
	t->shown = 0;
	for (size_t f = t->first; f < t->fields && (t->widths[f] <= room || t->shown == 0); f++) {
		room -= t->widths[f];
		t->shown++;
	}
}

static bool fits_in_rows(const struct agree_table *t, int width)
{
	int sum = ROW_MARK + t->name_width;

	for (size_t f = 0; f < t->fields; f++)
		sum += t->widths[f];
	return sum <= width;
}

static size_t speaker_index(const struct agree_view *t)
{
	for (size_t i = 0; i < t->table.count; i++)
		if (t->table.speakers[i].node_id == t->speaker)
			return i;
	return 0;
}

void agree_table_add(struct agree_view *t, const struct view_context *c, const struct deployment *d,
		     const struct group *g)
{
	struct agree_table *table = &t->table;
	uint32_t group_id = g ? g->id : 0;
	size_t rows;

	if (table->group_id != group_id || table->kind != d->kind)
		table->first = 0;
	table->kind = d->kind;
	table->group_id = group_id;
	table->fields = d->kind == KIND_SENTINEL ? SENTINEL_FIELDS
			: d->kind == KIND_CLUSTER ? CLUSTER_FIELDS
						  : SET_FIELDS;
	_Static_assert(SENTINEL_FIELDS <= 24 && CLUSTER_FIELDS <= 24 && SET_FIELDS <= 24,
		       "room in widths");
	speakers_fill(table, c, d, g);
	if (table->count == 0)
		return;
	measure(t, c);
	table->turned = !fits_in_rows(table, t->width) &&
			table->count <= (size_t)((t->width - TITLE_WIDTH) / TURNED_LEAST) &&
			t->width > TITLE_WIDTH;
	if (fits_in_rows(table, t->width))
		table->first = 0;
	scroll_fit(table, t->width);
	t->speaker = table->speakers[speaker_index(t)].node_id;
	agree_line_add(t, AGREE_LINE_TITLES, ABOUT_TABLE, group_id, 0);
	rows = table->turned ? table->fields : table->count;
	for (size_t i = 0; i < rows; i++) {
		uint32_t node_id = table->turned ? 0 : table->speakers[i].node_id;
		struct agree_line *line =
		    agree_line_add(t, AGREE_LINE_CELLS, ABOUT_TABLE, group_id, node_id);

		line->at = (uint32_t)i;
		/* Rows of nodes keep their id when another one comes or goes. */
		if (!table->turned)
			line->id = (uint64_t)0xffffffff << 32 | node_id;
		if (!g) /* the shard that an action would be about */
			line->group_id = table->speakers[i].group_id;
	}
}

bool agree_table_scroll(struct agree_view *t, bool right)
{
	struct agree_table *table = &t->table;
	size_t at;

	if (table->count == 0 || t->word_of)
		return false;
	if (table->turned) {
		at = speaker_index(t);
		at = right ? at + (at + 1 < table->count) : at - (at > 0);
		t->speaker = table->speakers[at].node_id;
		return table->count > 1;
	}
	if (table->shown >= table->fields)
		return false;
	if (right && table->first + table->shown < table->fields)
		table->first++;
	if (!right && table->first > 0)
		table->first--;
	scroll_fit(table, t->width);
	return true;
}

/* --- drawing ------------------------------------------------------------------------------- */

static enum style_role cell_style(const struct agree_cell *cell, const struct agree_speaker *s)
{
	if (s->silent)
		return STYLE_STALE;
	if (!cell->dissents)
		return cell->known ? STYLE_TEXT : STYLE_DIM;
	return cell->bad ? STYLE_CRITICAL : STYLE_WARNING;
}

static void draw_cell(const struct pane *p, int y, int x, int width, const struct view_context *c,
		      const struct agree_speaker *s, const struct agree_cell *cell)
{
	enum style_role style = cell_style(cell, s);
	char age[UNITS_BYTES];
	int end = x + width - 1;

	if (cell->dissents)
		x = pane_glyph(p, y, x, style, GLYPH_DIFFERS);
	x = strchr(cell->text, ' ') ? pane_text(p, y, x, end - x, style, cell->text)
				    : addr_draw(p, y, x, end - x, style, cell->text);
	if (!cell->dissents || cell->since_ms == 0)
		return;
	units_age(c->now_ms > cell->since_ms ? c->now_ms - cell->since_ms : 0, age);
	if (x + 1 + text_width(age) <= end)
		pane_text(p, y, x + 1, -1, STYLE_DIM, age);
}

static bool speaker_dissents(const struct agree_view *t, const struct view_context *c, size_t speaker)
{
	for (size_t f = 0; f < t->table.fields; f++) {
		struct agree_cell cell;

		agree_table_cell(t, c, speaker, f, &cell);
		if (cell.dissents)
			return true;
	}
	return false;
}

static void draw_speaker_row(const struct agree_view *t, const struct view_context *c,
			     const struct pane *p, int y, size_t at)
{
	const struct agree_table *table = &t->table;
	const struct agree_speaker *s = &table->speakers[at];
	int x = ROW_MARK + table->name_width;

	if (s->silent)
		pane_glyph(p, y, 0, STYLE_STALE, GLYPH_UNKNOWN);
	else if (speaker_dissents(t, c, at))
		pane_glyph(p, y, 0, STYLE_WARNING, GLYPH_DIFFERS);
	else
		pane_glyph(p, y, 0, STYLE_OK, GLYPH_OK);
	addr_draw(p, y, ROW_MARK, table->name_width, s->silent ? STYLE_STALE : STYLE_STRONG, s->name);
	for (size_t f = table->first; f < table->first + table->shown; f++) {
		struct agree_cell cell;

		agree_table_cell(t, c, at, f, &cell);
		/* The mark stands in the gap, so that marked and other words stand below each other. */
		draw_cell(p, y, x + 1 + !cell.dissents, table->widths[f] - !cell.dissents, c, s, &cell);
		x += table->widths[f];
	}
}

static int turned_width(const struct agree_view *t)
{
	int each = (t->width - TITLE_WIDTH) / (int)t->table.count;

	return each < CELL_MAX + 6 ? each : CELL_MAX + 6;
}

static void draw_field_row(const struct agree_view *t, const struct view_context *c,
			   const struct pane *p, int y, size_t field)
{
	int x = TITLE_WIDTH, each = turned_width(t);
	bool marked = false;

	for (size_t i = 0; i < t->table.count; i++) {
		struct agree_cell cell;

		agree_table_cell(t, c, i, field, &cell);
		marked |= cell.dissents;
		draw_cell(p, y, x - cell.dissents, each + cell.dissents, c, &t->table.speakers[i], &cell);
		x += each;
	}
	pane_text(p, y, 0, TITLE_WIDTH - 1, marked ? STYLE_STRONG : STYLE_DIM,
		  agree_field_title(&t->table, field));
}

static void draw_titles(const struct agree_view *t, const struct pane *p, int y)
{
	const struct agree_table *table = &t->table;
	const char *who = table->kind == KIND_SENTINEL ? "Sentinel" : "node";
	int x;

	if (table->turned) {
		pane_text(p, y, 0, TITLE_WIDTH - 1, STYLE_DIM, who);
		for (size_t i = 0; i < table->count; i++) {
			const struct agree_speaker *s = &table->speakers[i];

			addr_draw(p, y, TITLE_WIDTH + (int)i * turned_width(t), turned_width(t) - 2,
				  s->silent		       ? STYLE_STALE
				  : s->node_id == t->speaker ? STYLE_TITLE
							     : STYLE_DIM,
				  s->name);
		}
		return;
	}
	pane_text(p, y, ROW_MARK, table->name_width, STYLE_DIM, who);
	x = ROW_MARK + table->name_width;
	for (size_t f = table->first; f < table->first + table->shown; f++) {
		pane_text(p, y, x + 2, table->widths[f] - 2, STYLE_DIM, agree_field_title(table, f));
		x += table->widths[f];
	}
	if (table->first > 0)
		pane_text(p, y, 0, 1, STYLE_KEY, "<");
	if (table->first + table->shown < table->fields)
		pane_text(p, y, p->width - 1, 1, STYLE_KEY, ">");
}

void agree_table_draw(const struct agree_view *t, const struct view_context *c, const struct pane *p,
		      int y, const struct agree_line *line)
{
	if (line->kind == AGREE_LINE_TITLES)
		draw_titles(t, p, y);
	else if (t->table.turned)
		draw_field_row(t, c, p, y, line->at);
	else
		draw_speaker_row(t, c, p, y, line->at);
}

void agree_table_text(const struct agree_view *t, const struct view_context *c,
		      const struct agree_line *line, char *out, size_t size)
{
	size_t count = t->table.turned ? t->table.count : t->table.fields, len;
	struct agree_cell cell;

	len = (size_t)snprintf(out, size, "%s",
			       t->table.turned ? agree_field_title(&t->table, line->at)
					       : t->table.speakers[line->at].name);
	for (size_t i = 0; i < count && len + sizeof(cell.text) + 2 < size; i++) {
		if (t->table.turned)
			agree_table_cell(t, c, i, line->at, &cell);
		else
			agree_table_cell(t, c, line->at, i, &cell);
		len += (size_t)snprintf(out + len, size - len, " %s", cell.text);
	}
}
