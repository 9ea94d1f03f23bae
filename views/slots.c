/* The 16384 slots of a cluster as a map: a cell is a stretch of slots, lettered and coloured by its
 * owner; what is not served shows through the letter, however small a part of the cell it is. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "model/slots.h"
#include "views/parts.h"

#define ID_UNCOVERED  ((uint64_t)1 << 40)
#define ID_OPEN       ((uint64_t)2 << 40)
#define LABEL_WIDTH   6   /* "16384 " at the left of each map row */
#define UNCOVERED_MAX 256 /* ranges listed; the rest is counted */

struct owner {
	uint32_t node_id, group_id;
	enum slot_state state;
	size_t slots, replicas;
	char addr[64];
	char ranges[120];
	char trouble[80];
	bool silent; /* does not answer here, whatever the cluster says */
};

enum legend_kind { LEGEND_UNCOVERED, LEGEND_OPEN, LEGEND_OWNER };

struct legend_row {
	uint64_t id;
	enum legend_kind kind;
	uint16_t rank; /* LEGEND_OWNER */
	uint32_t node_id;
	char text[240]; /* the other kinds */
};

struct slots {
	struct view view;
	uint16_t rank_of[SLOT_COUNT]; /* RANK_NONE: uncovered */
	uint8_t open[SLOT_COUNT / 8]; /* bit set: migrating or importing */
	struct owner *owners;         /* by rank */
	size_t owner_count, owner_cap;
	struct legend_row *rows;
	size_t row_count, row_cap, troubles; /* rows before the owners */
	size_t uncovered, failing, suspected, silent;
	bool down, known, has_key;
	int64_t down_ms;
	unsigned key_slot;
	char last_filter[PROMPT_BYTES];
};

static struct slots *slots_of(struct view *v)
{
	return (struct slots *)(void *)v;
}
static const struct slots *slots_of_const(const struct view *v)
{
	return (const struct slots *)(const void *)v;
}

static void slots_done(struct view *v)
{
	free(slots_of(v)->owners);
	free(slots_of(v)->rows);
}

/* --- rebuild ------------------------------------------------------------------------------- */

static struct legend_row *row_add(struct slots *s, uint64_t id, enum legend_kind kind)
{
	struct legend_row *row;

	s->rows = mem_grow(s->rows, &s->row_cap, s->row_count + 1, sizeof(*s->rows));
	row = &s->rows[s->row_count++];
	memset(row, 0, sizeof(*row));
	row->id = id;
	row->kind = kind;
	return row;
}

static void owner_fill(struct owner *o, const struct view_context *c, const struct deployment *d,
		       uint32_t node_id, const struct owned *owned)
{
	const struct node *n = model_node(c->model, node_id);
	const struct group *g = n ? model_group(c->model, n->group_id) : NULL;
	char addr[ENDPOINT_TEXT_BYTES];
	struct verdict verdict;

	memset(o, 0, sizeof(*o));
	o->node_id = node_id;
	o->state = slot_state(c->model, d, owned->ranges[0].first);
	o->slots = owned->slots;
	snprintf(o->addr, sizeof(o->addr), "%.63s", n ? endpoint_format(&n->addr, addr) : "?");
	owned_text(owned, OWNED_RANGES, o->ranges, sizeof(o->ranges));
	if (!n)
		return;
	if (g) {
		o->group_id = g->id;
		o->replicas = g->member_count > 0 ? g->member_count - 1 : 0;
	}
	health_node(c->model, n, c->now_ms, &verdict);
	snprintf(o->trouble, sizeof(o->trouble), "%.79s", verdict.text);
	o->silent = n->link.lost_ms != 0;
}

static void owners_build(struct slots *s, const struct view_context *c, const struct deployment *d)
{
	const struct cluster *cl = d->cluster;
	struct owned *owned = mem_alloc((cl->owner_count + 1) * sizeof(*owned));

	s->owner_count = owned_collect(cl, owned);
	s->owners = mem_grow(s->owners, &s->owner_cap, s->owner_count + 1, sizeof(*s->owners));
	s->uncovered = s->failing = s->suspected = s->silent = 0;
	for (size_t i = 0; i < cl->owner_count; i++) {
		struct owner *o;

		if (owned[i].rank == RANK_NONE)
			continue;
		o = &s->owners[owned[i].rank];
		owner_fill(o, c, d, cl->owners[i], &owned[i]);
		s->failing += o->state == SLOT_FAIL ? o->slots : 0;
		s->suspected += o->state == SLOT_PFAIL ? o->slots : 0;
		s->silent += o->state == SLOT_OK && o->silent ? o->slots : 0;
	}
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
		uint16_t owner = cl->owner[slot];

		s->rank_of[slot] = owner < cl->owner_count ? owned[owner].rank : RANK_NONE;
		s->uncovered += s->rank_of[slot] == RANK_NONE;
	}
	free(owned);
}

static void uncovered_build(struct slots *s, const struct deployment *d)
{
	struct slot_range *ranges;
	size_t total, count;

	if (s->uncovered == 0)
		return;
	ranges = mem_alloc(UNCOVERED_MAX * sizeof(*ranges));
	total = slot_uncovered(d, ranges, UNCOVERED_MAX);
	count = total < UNCOVERED_MAX ? total : UNCOVERED_MAX;
	for (size_t i = 0; i < count; i++) {
		struct legend_row *row =
		    row_add(s, ID_UNCOVERED | ranges[i].first, LEGEND_UNCOVERED);
		unsigned slots = ranges[i].last - ranges[i].first + 1u;

		if (slots == 1)
			snprintf(row->text, sizeof(row->text),
				 "slot %u uncovered: nobody serves it", ranges[i].first);
		else
			snprintf(row->text, sizeof(row->text),
				 "slots %u-%u uncovered: nobody serves these %u", ranges[i].first,
				 ranges[i].last, slots);
	}
	if (total > count) {
		struct legend_row *row = row_add(s, ID_UNCOVERED | SLOT_COUNT, LEGEND_UNCOVERED);

		snprintf(row->text, sizeof(row->text), "and %zu more uncovered ranges",
			 total - count);
	}
	free(ranges);
}

static const struct node *node_by_cluster_id(const struct view_context *c, const char *id)
{
	const struct node *n;
	size_t cursor = 0;

	while ((n = model_next_member(c->model, c->deployment_id, &cursor)))
		if (strcmp(n->cluster_id, id) == 0)
			return n;
	return NULL;
}

static char party_letter(const struct slots *s, const struct node *n)
{
	for (size_t r = 0; n && r < s->owner_count; r++)
		if (s->owners[r].node_id == n->id)
			return owner_letter(r);
	return '-'; /* owns no slot yet */
}

/* An address, or the start of an id that nobody has. */
static void party_text(const struct node *n, const char *id, char *out, size_t size)
{
	char addr[ENDPOINT_TEXT_BYTES];

	if (n)
		snprintf(out, size, "%.63s", endpoint_format(&n->addr, addr));
	else
		snprintf(out, size, "unknown node %.8s", id);
}

static bool is_open(const struct node *n, unsigned slot, bool importing)
{
	for (size_t i = 0; n && n->member && i < n->member->open_count; i++)
		if (n->member->open[i].slot == slot && n->member->open[i].importing == importing)
			return true;
	return false;
}

/* One row for a move: told by its source; by its destination only where the source does not know.
 */
static void open_add(struct slots *s, const struct view_context *c, const struct node *n,
		     const struct open_slot *o)
{
	const struct node *peer = node_by_cluster_id(c, o->peer);
	char here[80], there[80];
	bool half = !is_open(peer, o->slot, !o->importing);
	struct legend_row *row;

	if (o->slot >= SLOT_COUNT)
		return;
	s->open[o->slot / 8] |= (uint8_t)(1u << (o->slot % 8));
	if (o->importing && !half)
		return;
	party_text(n, n->cluster_id, here, sizeof(here));
	party_text(peer, o->peer, there, sizeof(there));
	row = row_add(s, ID_OPEN | (uint64_t)n->id << 15 | (uint64_t)o->slot << 1 | o->importing,
		      LEGEND_OPEN);
	row->node_id = n->id;
	snprintf(row->text, sizeof(row->text), "slot %u %s %c to %c%s  (%s to %s)", o->slot,
		 o->importing ? "importing" : "migrating", party_letter(s, o->importing ? peer : n),
		 party_letter(s, o->importing ? n : peer),
		 !half          ? ""
		 : o->importing ? ", source does not migrate it"
				: ", target does not import it",
		 o->importing ? there : here, o->importing ? here : there);
}

static void legend_build(struct slots *s, const struct view_context *c, const struct deployment *d)
{
	const struct node *n;
	size_t cursor = 0;

	s->row_count = 0;
	memset(s->open, 0, sizeof(s->open));
	uncovered_build(s, d);
	while ((n = model_next_member(c->model, c->deployment_id, &cursor)))
		for (size_t i = 0; n->member && i < n->member->open_count; i++)
			open_add(s, c, n, &n->member->open[i]);
	s->troubles = s->row_count;
	for (size_t r = 0; r < s->owner_count; r++) {
		struct legend_row *row = row_add(s, s->owners[r].node_id, LEGEND_OWNER);

		row->rank = (uint16_t)r;
		row->node_id = s->owners[r].node_id;
	}
}

static void key_build(struct slots *s, struct view *v)
{
	s->has_key = v->filter[0] != '\0';
	if (!s->has_key) {
		s->last_filter[0] = '\0';
		return;
	}
	s->key_slot = slot_of_key(v->filter, strlen(v->filter));
	if (strcmp(s->last_filter, v->filter) == 0) /* the cursor has been moved since */
		return;
	memcpy(s->last_filter, v->filter, sizeof(s->last_filter));
	if (s->rank_of[s->key_slot] != RANK_NONE)
		list_select_id(&v->list, s->owners[s->rank_of[s->key_slot]].node_id);
}

static void slots_rebuild(struct view *v, const struct view_context *c)
{
	struct slots *s = slots_of(v);
	const struct deployment *d = model_deployment(c->model, c->deployment_id);

	v->stale = false;
	s->known = d && d->cluster && d->cluster->nodes_at_ms != 0;
	s->row_count = s->troubles = s->owner_count = 0;
	if (s->known) {
		s->down = d->cluster->down;
		s->down_ms = s->down && d->cluster->down_since_ms
				 ? c->now_ms - d->cluster->down_since_ms
				 : 0;
		owners_build(s, c, d);
		legend_build(s, c, d);
	}
	list_begin(&v->list);
	for (size_t i = 0; i < s->row_count; i++)
		list_add(&v->list, s->rows[i].id);
	list_end(&v->list);
	if (s->known)
		key_build(s, v);
}

/* --- drawing ------------------------------------------------------------------------------- */

struct cell {
	enum slot_state state;
	bool open;
	uint16_t rank;
};

static struct cell cell_of(const struct slots *s, unsigned first, unsigned end)
{
	struct cell cell = {SLOT_OK, false, RANK_NONE};
	bool fail = false, pfail = false;

	for (unsigned slot = first; slot < end; slot++) {
		uint16_t r = s->rank_of[slot];

		if (r == RANK_NONE) {
			cell.state = SLOT_UNCOVERED;
			return cell;
		}
		if (cell.rank == RANK_NONE)
			cell.rank = r;
		fail |= s->owners[r].state == SLOT_FAIL;
		pfail |= s->owners[r].state == SLOT_PFAIL;
		cell.open |= (s->open[slot / 8] >> (slot % 8)) & 1;
	}
	cell.state = fail ? SLOT_FAIL : pfail ? SLOT_PFAIL : SLOT_OK;
	return cell;
}

static void draw_cell(const struct pane *p, int y, int x, const struct cell *cell)
{
	char letter[2] = {0, 0};

	if (cell->state == SLOT_UNCOVERED) {
		pane_text(p, y, x, 1, STYLE_ALERT_CRITICAL, "!");
	} else if (cell->state == SLOT_FAIL) {
		pane_glyph(p, y, x, STYLE_CRITICAL, GLYPH_DOWN);
	} else if (cell->state == SLOT_PFAIL) {
		pane_text(p, y, x, 1, STYLE_ALERT_WARNING, "?");
	} else if (cell->open) {
		pane_glyph(p, y, x, STYLE_WARNING, GLYPH_ARROW);
	} else if (cell->rank != RANK_NONE) {
		letter[0] = owner_letter(cell->rank);
		pane_text(p, y, x, 1, owner_style(cell->rank), letter);
	}
}

/* Slots a cell stands for when the map has this room. */
static unsigned slots_per_cell(int rows, int columns)
{
	unsigned cells;

	if (rows < 1 || columns < 1)
		return SLOT_COUNT;
	cells = (unsigned)rows * (unsigned)columns;
	return cells >= SLOT_COUNT ? 1 : (SLOT_COUNT + cells - 1) / cells;
}

static int map_columns(int width)
{
	int columns = width - LABEL_WIDTH - 1;

	return columns > 256 ? 256 : columns;
}

/* Rows that the map really takes of those it may have. */
static int map_rows(int rows, int columns)
{
	unsigned per_row;

	if (rows < 1 || columns < 1)
		return 0;
	per_row = slots_per_cell(rows, columns) * (unsigned)columns;
	return (int)((SLOT_COUNT + per_row - 1) / per_row);
}

static void draw_map(const struct slots *s, const struct pane *p, int columns)
{
	unsigned per = slots_per_cell(p->height, columns);

	for (int y = 0; y < p->height; y++) {
		unsigned row_first = (unsigned)y * (unsigned)columns * per;

		if (row_first >= SLOT_COUNT)
			return;
		pane_textf(p, y, 0, LABEL_WIDTH - 1, STYLE_DIM, "%5u", row_first);
		for (int x = 0; x < columns; x++) {
			unsigned first = row_first + (unsigned)x * per, end = first + per;
			struct cell cell;

			if (first >= SLOT_COUNT)
				break;
			if (end > SLOT_COUNT)
				end = SLOT_COUNT;
			cell = cell_of(s, first, end);
			draw_cell(p, y, LABEL_WIDTH + x, &cell);
			if (s->has_key && s->key_slot >= first && s->key_slot < end)
				pane_restyle(p, y, LABEL_WIDTH + x, 1, STYLE_MATCH);
		}
	}
}

static void draw_key(const struct slots *s, const struct pane *p)
{
	uint16_t r = s->rank_of[s->key_slot];
	int x = pane_textf(p, 0, 0, -1, STYLE_MATCH, "slot %u", s->key_slot);

	if (r == RANK_NONE) {
		pane_text(p, 0, x + 2, -1, STYLE_CRITICAL, "uncovered: nobody serves it");
		return;
	}
	x = pane_textf(p, 0, x + 2, -1, STYLE_STRONG, "owner %s  (%c)", s->owners[r].addr,
		       owner_letter(r));
	if (s->owners[r].state == SLOT_FAIL)
		x = pane_text(p, 0, x + 2, -1, STYLE_CRITICAL, "FAILED");
	else if (s->owners[r].state == SLOT_PFAIL)
		x = pane_text(p, 0, x + 2, -1, STYLE_WARNING, "suspected (fail?)");
	if ((s->open[s->key_slot / 8] >> (s->key_slot % 8)) & 1)
		pane_text(p, 0, x + 2, -1, STYLE_WARNING, "being moved");
}

/* What is bad first: a narrow pane leaves out what comes last, and nothing by half. */
static int summary_say(const struct pane *p, int x, enum style_role role, const char *text)
{
	int at = x > 0 ? x + 2 : 0;

	if (at + text_width(text) > p->width && x > 0)
		return x;
	return pane_text(p, 0, at, -1, role, text);
}

static int draw_unserved(const struct slots *s, const struct pane *p, int x, size_t served)
{
	char text[64];

	if (s->uncovered) {
		snprintf(text, sizeof(text), "! %zu uncovered", s->uncovered);
		x = summary_say(p, x, STYLE_CRITICAL, text);
	}
	if (s->failing) {
		snprintf(text, sizeof(text), "%s %zu failed", glyph_text(p->screen, GLYPH_DOWN),
			 s->failing);
		x = summary_say(p, x, STYLE_CRITICAL, text);
	}
	snprintf(text, sizeof(text), "%zu of %d slots served", served, SLOT_COUNT);
	return summary_say(p, x, STYLE_CRITICAL, text);
}

static void draw_summary(const struct slots *s, const struct pane *p, unsigned per)
{
	size_t served = SLOT_COUNT - s->uncovered - s->failing;
	char text[64], age[UNITS_BYTES];
	int x = 0;

	if (s->has_key) {
		draw_key(s, p);
		return;
	}
	if (s->down) {
		snprintf(text, sizeof(text), " %s%s%s ", p->width < 50 ? "DOWN" : "CLUSTER DOWN",
			 s->down_ms > 0 ? " " : "", s->down_ms > 0 ? units_age(s->down_ms, age) : "");
		x = pane_text(p, 0, x, -1, STYLE_ALERT_CRITICAL, text) - 1;
	}
	/* The cluster takes its node-timeout to notice what a broken connection shows at once. */
	snprintf(text, sizeof(text), "%zu slots: owner does not answer", s->silent);
	if (served < SLOT_COUNT)
		x = draw_unserved(s, p, x, served);
	else if (s->silent)
		x = summary_say(p, x, STYLE_WARNING, text);
	else
		x = summary_say(p, x, STYLE_OK,
				s->suspected ? "all slots served so far" : "all slots served");
	snprintf(text, sizeof(text), "? %zu suspected", s->suspected);
	if (s->suspected)
		x = summary_say(p, x, STYLE_WARNING, text);
	snprintf(text, sizeof(text), "cell = %u slot%s", per, per > 1 ? "s" : "");
	summary_say(p, x, STYLE_DIM, text);
}

static const char *owner_word(const struct owner *o)
{
	if (o->state == SLOT_FAIL)
		return "FAILED";
	if (o->state == SLOT_PFAIL)
		return "suspected";
	return "ok";
}

static void draw_owner(const struct pane *p, int y, const struct owner *o, size_t rank)
{
	char letter[2] = {owner_letter(rank), '\0'};
	enum style_role role = o->state == SLOT_FAIL    ? STYLE_CRITICAL
			       : o->state == SLOT_PFAIL ? STYLE_WARNING
							: STYLE_OK;
	int addr = p->width >= 60 ? 22 : 16, x;

	pane_text(p, y, 0, 1, owner_style(rank), letter);
	x = pane_text(p, y, 2, p->width >= 60 ? -1 : addr, STYLE_STRONG, o->addr);
	x = x > addr + 2 ? x + 1 : addr + 3;
	/* In a narrow pane the state goes before the noun: "5462 FAILED". */
	bool short_of_room = x + 13 + text_width(owner_word(o)) > p->width - 1; /* a mark of the list */
	x = pane_textf(p, y, x, -1, STYLE_TEXT, "%5zu%s", o->slots, short_of_room ? "" : " slots ");
	x = pane_text(p, y, x + 1, -1, role, owner_word(o));
	if (p->width >= 60) {
		x = pane_textf(p, y, x + 2, -1, o->replicas ? STYLE_TEXT : STYLE_WARNING,
			       "%zu replica%s", o->replicas, o->replicas == 1 ? "" : "s");
		x = pane_text(p, y, x + 2, p->width / 2, STYLE_DIM, o->ranges);
	}
	if (o->trouble[0])
		pane_text(p, y, x + 2, -1, role == STYLE_OK ? STYLE_WARNING : role, o->trouble);
}

static void draw_legend_row(const struct slots *s, const struct pane *p, int y,
			    const struct legend_row *row)
{
	int x;

	switch (row->kind) {
	case LEGEND_UNCOVERED:
		x = pane_text(p, y, 0, 1, STYLE_ALERT_CRITICAL, "!") + 1;
		sentence_draw(p, y, x, -1, STYLE_CRITICAL, row->text);
		break;
	case LEGEND_OPEN:
		x = pane_glyph(p, y, 0, STYLE_WARNING, GLYPH_ARROW) + 1;
		sentence_draw(p, y, x, -1, STYLE_WARNING, row->text);
		break;
	case LEGEND_OWNER:
		draw_owner(p, y, &s->owners[row->rank], row->rank);
		break;
	}
}

static enum style_role packed_style(const struct owner *o)
{
	if (o->state == SLOT_FAIL)
		return STYLE_CRITICAL;
	return o->state == SLOT_PFAIL || o->trouble[0] ? STYLE_WARNING : STYLE_TEXT;
}

/* Too few rows for one each: letters and addresses side by side. */
static void draw_packed(const struct slots *s, const struct pane *p)
{
	int x = 0, y = 0;

	for (size_t r = 0; r < s->owner_count && y < p->height; r++) {
		const struct owner *o = &s->owners[r];
		char letter[2] = {owner_letter(r), '\0'};
		int width = text_width(o->addr) + 4;

		if (x > 0 && x + width > p->width + 2) {
			x = 0;
			y++;
		}
		if (y >= p->height)
			return;
		x = pane_text(p, y, x, 1, owner_style(r), letter) + 1;
		if (o->state != SLOT_OK || o->trouble[0]) /* never by colour alone */
			pane_glyph(p, y, x - 1, packed_style(o),
				   o->state == SLOT_FAIL ? GLYPH_DOWN : GLYPH_WARNING);
		x = pane_text(p, y, x, -1, packed_style(o), o->addr) + 2;
	}
}

static void draw_legend(struct slots *s, const struct pane *p, bool focused)
{
	struct list *list = &s->view.list;
	struct pane rows;
	size_t first;

	if (p->height <= 0)
		return;
	if (!focused && s->troubles == 0 && (size_t)p->height < s->row_count) {
		draw_packed(s, p);
		return;
	}
	first = list_layout(list, p->height);
	rows = list_room(list, p);
	for (int y = 0; y < p->height && first + (size_t)y < s->row_count; y++) {
		draw_legend_row(s, &rows, y, &s->rows[first + (size_t)y]);
		if (focused && first + (size_t)y == list->selected)
			pane_restyle(p, y, 0, p->width, STYLE_SELECTED);
	}
	list_draw_marks(list, p);
}

static void slots_draw(struct view *v, const struct view_context *c, const struct pane *p,
		       bool focused)
{
	struct slots *s = slots_of(v);
	struct pane in = view_frame(v, p, "", focused), map, legend;
	int columns = map_columns(in.width), legend_rows, rows;

	(void)c;
	if (!s->known) {
		view_say(&in, STYLE_DIM, "no cluster node has told its slots yet");
		return;
	}
	legend_rows = s->row_count < 1000 ? (int)s->row_count : 1000;
	if (legend_rows > (in.height - 1) / 2)
		legend_rows = (in.height - 1) / 2;
	if (legend_rows < 1 && in.height > 2)
		legend_rows = 1;
	rows = map_rows(in.height - 1 - legend_rows, columns);
	map = pane_sub(&in, 1, 0, rows, in.width);
	legend = pane_sub(&in, 1 + rows, 0, in.height - 1 - rows, in.width);
	draw_summary(s, &in, slots_per_cell(rows, columns));
	draw_map(s, &map, columns);
	draw_legend(s, &legend, focused);
}

static unsigned slots_act(struct view *v, const struct view_context *c, enum command cmd)
{
	(void)c;
	if (cmd == CMD_BACK)
		return view_drop_filter(v) ? EFFECT_REDRAW : EFFECT_NONE;
	return view_list_act(v, cmd);
}

static int slots_wanted_height(const struct view *v, const struct view_context *c, int width)
{
	const struct slots *s = slots_of_const(v);
	int legend = s->row_count < 12 ? (int)s->row_count : 12;

	(void)c;
	return 3 + legend + (width >= 90 ? 12 : 6);
}

static void slots_selection(const struct view *v, struct selection *out)
{
	const struct slots *s = slots_of_const(v);
	const struct legend_row *row;

	if (v->list.selected >= s->row_count)
		return;
	row = &s->rows[v->list.selected];
	out->node_id = row->node_id;
	if (row->kind == LEGEND_OWNER)
		out->group_id = s->owners[row->rank].group_id;
}

static bool slots_applies(enum deployment_kind kind)
{
	return kind == KIND_CLUSTER;
}

const struct view_ops slots_view = {
    .name = "slots",
    .title = "Slots",
    .topics = TOPIC_NODES | TOPIC_TOPOLOGY | TOPIC_HEALTH,
    .state_size = sizeof(struct slots),
    .uses_filter = true,
    .filter_help = "key",
    .done = slots_done,
    .rebuild = slots_rebuild,
    .draw = slots_draw,
    .act = slots_act,
    .wanted_height = slots_wanted_height,
    .selection = slots_selection,
    .applies = slots_applies,
};
