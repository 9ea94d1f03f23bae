/* Every node of the deployment in one table, Sentinels as well: sorted by any column, with as many
 * columns as there is room for, or those that the operator chose.
 *
 * rebuild makes a row of each node and sorts once; what a row says is filled in when it is first
 * drawn. At the moment of freezing all are filled, as in the topology. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "views/nodes_private.h"

#define GLYPH_WIDTH 2 /* state at the row's beginning, wherever the columns are scrolled to */

struct nodes {
	struct view view;
	struct node_row *rows; /* as they come from the model */
	uint32_t *order;       /* of the rows on the screen */
	size_t count, row_cap, order_cap;
	size_t total;          /* without the filter */
	int address_width;
	bool filled_all;
	bool limited;          /* some node has a maxmemory */
	enum node_column sorted;
	bool falls;            /* the largest first */
	/* What the operator chose; none: by width. Never with the address, which is always there. */
	enum node_column chosen[COLUMN_COUNT];
	size_t chosen_count;
	/* Of the last draw: all columns but the address, of which `shown` from `first` on have room. */
	enum node_column columns[COLUMN_COUNT];
	size_t column_count, shown, first;
};

static struct nodes *nodes_of(struct view *v)
{
	return (struct nodes *)(void *)v;
}
static const struct nodes *nodes_of_const(const struct view *v)
{
	return (const struct nodes *)(const void *)v;
}

static void nodes_done(struct view *v)
{
	free(nodes_of(v)->rows);
	free(nodes_of(v)->order);
}

static const struct node_row *row_at(const struct nodes *t, size_t place)
{
	return &t->rows[t->order[place]];
}

static void fill_all(struct nodes *t, const struct view_context *c)
{
	if (t->filled_all)
		return;
	t->filled_all = true;
	for (size_t i = 0; i < t->total; i++)
		node_row_fill(&t->rows[i], c);
}

/* --- order --------------------------------------------------------------------------------- */

struct sort_key {
	int64_t value;
	const char *text; /* NULL: by value */
	const char *address;
	uint32_t at;
	bool falls;
};

static int key_rank(const struct sort_key *k)
{
	if (k->text)
		return k->text[0] ? 0 : 1;
	return k->value == VALUE_NONE ? 2 : k->value == FACT_UNKNOWN ? 1 : 0;
}

/* Unknown goes to the end whichever way it is sorted; equal ones stand by address. */
static int key_compare(const void *left, const void *right)
{
	const struct sort_key *a = left, *b = right;
	int ra = key_rank(a), rb = key_rank(b), by;

	if (ra != rb)
		return ra - rb;
	if (ra == 0) {
		by = a->text ? strverscmp(a->text, b->text)
			     : (a->value > b->value) - (a->value < b->value);
		if (by != 0)
			return a->falls ? -by : by;
	}
	by = strverscmp(a->address, b->address);
	return by != 0 ? by : (a->at > b->at) - (a->at < b->at);
}

/* Words and numbers that a row has only when it was filled. */
static bool sort_needs_rows(enum node_column column)
{
	return column == COLUMN_STATE || column == COLUMN_FOLLOWS || column == COLUMN_RUN_ID;
}

/* c NULL: all rows are filled. */
static void sort_rows(struct nodes *t, const struct view_context *c)
{
	const struct node_column_info *info = &node_columns[t->sorted];
	struct sort_key *keys = mem_alloc((t->count ? t->count : 1) * sizeof(*keys));

	if (c && sort_needs_rows(t->sorted))
		fill_all(t, c);
	for (size_t i = 0; i < t->count; i++) {
		const struct node_row *row = row_at(t, i);

		keys[i] = (struct sort_key){.address = row->address,
					    .at = t->order[i],
					    .falls = t->falls};
		if (info->value)
			keys[i].value = node_row_value(row, t->sorted, c);
		else
			keys[i].text = node_row_text(row, t->sorted);
	}
	qsort(keys, t->count, sizeof(*keys), key_compare);
	for (size_t i = 0; i < t->count; i++)
		t->order[i] = keys[i].at;
	free(keys);
}

static void list_rows(struct nodes *t)
{
	list_begin(&t->view.list);
	for (size_t i = 0; i < t->count; i++)
		list_add(&t->view.list, row_at(t, i)->id);
	list_end(&t->view.list);
}

/* At once where the rows stand still, else with the next ones. */
static void order_changed(struct nodes *t)
{
	t->view.stale = true;
	if (!t->filled_all)
		return;
	sort_rows(t, NULL);
	list_rows(t);
}

static bool nodes_sort(struct view *v, const char *name)
{
	struct nodes *t = nodes_of(v);
	enum node_column column = node_column_find(name, strlen(name));

	if (column == COLUMN_COUNT)
		return false;
	t->falls = column == t->sorted ? !t->falls : node_columns[column].falls;
	t->sorted = column;
	order_changed(t);
	return true;
}

/* The next one on the screen: address, then as they stand. */
static void sort_next(struct nodes *t)
{
	size_t at = t->first, end = t->first + t->shown;

	while (at < end && t->columns[at] != t->sorted)
		at++;
	if (t->sorted == COLUMN_ADDRESS || at == end)
		at = t->sorted == COLUMN_ADDRESS ? t->first : end;
	else
		at++;
	t->sorted = at < end ? t->columns[at] : COLUMN_ADDRESS;
	t->falls = node_columns[t->sorted].falls;
	order_changed(t);
}

/* --- rebuild ------------------------------------------------------------------------------- */

/* All that is said in words, and the numbers that are on the screen. */
static bool passes(const struct nodes *t, const struct node_row *row)
{
	char text[2048], cell[NODE_CELL_BYTES];
	size_t len;

	snprintf(text, sizeof(text), "%s %s %s %s %s %s", row->address, row->group,
		 row->role == ROLE_UNKNOWN ? "?" : role_name(row->role), row->state, row->version,
		 row->follows);
	for (size_t i = t->first; i < t->first + t->shown; i++) {
		len = strlen(text);
		node_cell_text(row, t->columns[i], cell);
		snprintf(text + len, sizeof(text) - len, " %s", cell);
	}
	return view_matches(&t->view, text);
}

static void nodes_rebuild(struct view *v, const struct view_context *c)
{
	struct nodes *t = nodes_of(v);
	const struct node *n;
	size_t cursor = 0;

	t->total = t->count = 0;
	t->address_width = 0;
	t->filled_all = t->limited = false;
	while ((n = model_next_member(c->model, c->deployment_id, &cursor))) {
		struct node_row *row;

		t->rows = mem_grow(t->rows, &t->row_cap, t->total + 1, sizeof(*t->rows));
		row = &t->rows[t->total++];
		node_row_begin(row, c, n);
		t->limited |= n->info_at_ms != 0 && n->info.maxmemory_bytes > 0;
		if (text_width(row->address) > t->address_width)
			t->address_width = text_width(row->address);
	}
	t->order = mem_grow(t->order, &t->order_cap, t->total, sizeof(*t->order));
	if (v->filter[0] || c->frozen)
		fill_all(t, c);
	for (size_t i = 0; i < t->total; i++)
		if (!v->filter[0] || passes(t, &t->rows[i]))
			t->order[t->count++] = (uint32_t)i;
	sort_rows(t, c);
	list_rows(t);
	v->stale = false;
}

/* --- columns ------------------------------------------------------------------------------- */

static bool nodes_choose(struct view *v, const char *list)
{
	struct nodes *t = nodes_of(v);
	enum node_column chosen[COLUMN_COUNT];
	size_t count = 0;
	bool seen[COLUMN_COUNT] = {[COLUMN_ADDRESS] = true};

	for (const char *at = list; *at;) {
		size_t len = strcspn(at, ", \t");
		enum node_column column = node_column_find(at, len);

		if (column == COLUMN_COUNT && len > 0)
			return false;
		if (len > 0 && !seen[column]) {
			seen[column] = true;
			chosen[count++] = column;
		}
		at += len;
		at += strspn(at, ", \t");
	}
	memcpy(t->chosen, chosen, count * sizeof(*chosen));
	t->chosen_count = count;
	t->first = 0;
	return true;
}

static bool has_sense(const struct nodes *t, enum node_column column, const struct view_context *c)
{
	const struct deployment *d = model_deployment(c->model, c->deployment_id);

	/* One group says the same in each row. */
	if (column == COLUMN_GROUP)
		return d && d->group_count > 1;
	if (column == COLUMN_SHARE)
		return t->limited;
	return column != COLUMN_SLOTS || (d && d->kind == KIND_CLUSTER);
}

/* Those with the best claims that fit side by side; then the others, for who scrolls there. */
static void pick_columns(struct nodes *t, const struct view_context *c, int room, int state_width)
{
	bool picked[COLUMN_COUNT] = {false};

	for (int priority = 1; priority <= COLUMN_COUNT; priority++)
		for (int i = 0; i < COLUMN_COUNT; i++) {
			int width = i == COLUMN_STATE ? state_width : node_columns[i].min;

			if (node_columns[i].priority != priority || width > room ||
			    !has_sense(t, (enum node_column)i, c))
				continue;
			picked[i] = true;
			room -= width;
		}
	t->column_count = 0;
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < COLUMN_COUNT; i++)
			if (i != COLUMN_ADDRESS && picked[i] == (pass == 0))
				t->columns[t->column_count++] = (enum node_column)i;
}

struct layout {
	int address;
	int widths[COLUMN_COUNT]; /* by column */
};

/* What the rows in sight need, in steps: a word more must not move the whole table. */
static int wide_enough(const struct nodes *t, enum node_column column, size_t from, size_t rows)
{
	const struct node_column_info *info = &node_columns[column];
	char text[NODE_CELL_BYTES];
	int most = info->min;

	if (info->min == info->max)
		return info->min;
	for (size_t i = from; i < from + rows && i < t->count; i++) {
		int width;

		node_cell_text(row_at(t, i), column, text);
		width = text_width(text) + 2;
		if (width > most)
			most = width;
	}
	most = (most - info->min + 7) / 8 * 8 + info->min;
	return most < info->max ? most : info->max;
}

/* From t->first on as many as fit; what is left goes to those that have more to say. */
static void lay_out(struct nodes *t, const struct view_context *c, struct layout *l, int width,
		    size_t from, size_t rows)
{
	int room, state = wide_enough(t, COLUMN_STATE, from, rows);

	l->address = t->address_width > 48 ? 48 : t->address_width;
	if (l->address > width / 2)
		l->address = width / 2;
	room = width - GLYPH_WIDTH - l->address;
	/* Trouble in words goes before numbers, but not before all of them. */
	if (state > room / 2)
		state = room / 2 > node_columns[COLUMN_STATE].min ? room / 2
								   : node_columns[COLUMN_STATE].min;
	if (t->chosen_count > 0) {
		memcpy(t->columns, t->chosen, t->chosen_count * sizeof(*t->chosen));
		t->column_count = t->chosen_count;
	} else {
		pick_columns(t, c, room, state);
	}
	if (t->first >= t->column_count)
		t->first = t->column_count ? t->column_count - 1 : 0;
	t->shown = 0;
	for (size_t i = t->first; i < t->column_count; i++) {
		enum node_column column = t->columns[i];
		int least = column == COLUMN_STATE ? state : node_columns[column].min;

		if (least > room && t->shown > 0)
			break;
		l->widths[column] = least < room ? least : room;
		room -= l->widths[column];
		t->shown++;
	}
	for (size_t i = t->first; i < t->first + t->shown; i++) {
		enum node_column column = t->columns[i];
		int wish = wide_enough(t, column, from, rows) - l->widths[column];

		wish = wish < room ? wish : room;
		if (wish > 0) {
			l->widths[column] += wish;
			room -= wish;
		}
	}
}

/* --- drawing ------------------------------------------------------------------------------- */

static void draw_cell(const struct pane *p, int y, int x, int width, const struct node_row *row,
		      enum node_column column, bool selected)
{
	enum style_role role = selected ? STYLE_SELECTED : node_cell_style(row, column);
	char text[NODE_CELL_BYTES];

	node_cell_text(row, column, text);
	if (column == COLUMN_GROUP || column == COLUMN_FOLLOWS)
		addr_draw(p, y, x + 1, width - 1, role, text);
	else if (column == COLUMN_STATE)
		sentence_draw(p, y, x + 1, width - 1, role, text);
	else if (node_columns[column].left)
		pane_text(p, y, x + 1, width - 1, role, text);
	else
		pane_text_right(p, y, x + 1, width - 1, role, text);
}

static void draw_row(const struct pane *p, int y, const struct nodes *t, const struct layout *l,
		     const struct node_row *row, bool selected)
{
	enum style_role glyph = selected ? STYLE_SELECTED : health_style(row->health);
	int x = GLYPH_WIDTH + l->address;

	if (selected)
		pane_restyle(p, y, 0, p->width, STYLE_SELECTED);
	pane_glyph(p, y, 0, glyph, health_glyph(row->health));
	addr_draw(p, y, GLYPH_WIDTH, l->address,
		  selected ? STYLE_SELECTED : node_cell_style(row, COLUMN_ADDRESS), row->address);
	for (size_t i = t->first; i < t->first + t->shown; i++) {
		draw_cell(p, y, x, l->widths[t->columns[i]], row, t->columns[i], selected);
		x += l->widths[t->columns[i]];
	}
}

static void draw_title(const struct pane *p, int x, int width, enum node_column column,
		       const struct nodes *t)
{
	bool sorted = t->sorted == column, left = node_columns[column].left;
	const char *title = node_column_title(column);
	int used = text_width(title) + sorted;

	x += left || used >= width - 1 ? 1 : width - used;
	x = pane_text(p, 0, x, width - 1 - sorted, sorted ? STYLE_TITLE : STYLE_DIM, title);
	if (sorted)
		pane_glyph(p, 0, x, STYLE_TITLE, t->falls ? GLYPH_MORE_DOWN : GLYPH_MORE_UP);
}

static void draw_titles(const struct pane *p, const struct nodes *t, const struct layout *l)
{
	int x = GLYPH_WIDTH + l->address;

	draw_title(p, GLYPH_WIDTH - 1, l->address + 1, COLUMN_ADDRESS, t);
	for (size_t i = t->first; i < t->first + t->shown; i++) {
		draw_title(p, x, l->widths[t->columns[i]], t->columns[i], t);
		x += l->widths[t->columns[i]];
	}
	if (t->first > 0)
		pane_text(p, 0, 0, 1, STYLE_KEY, "<");
	if (t->first + t->shown < t->column_count)
		pane_text(p, 0, p->width - 1, 1, STYLE_KEY, ">");
}

/* How many, and what the title row does not say. */
static void frame_words(const struct nodes *t, const struct screen *s, char *out, size_t size)
{
	size_t len;
	bool seen = t->sorted == COLUMN_ADDRESS;

	if (t->count == t->total)
		snprintf(out, size, "%zu node%s", t->total, t->total == 1 ? "" : "s");
	else
		snprintf(out, size, "%zu of %zu nodes", t->count, t->total);
	for (size_t i = t->first; i < t->first + t->shown; i++)
		seen |= t->columns[i] == t->sorted;
	len = strlen(out);
	if (!seen)
		snprintf(out + len, size - len, "  by %s %s", node_column_names[t->sorted],
			 glyph_text(s, t->falls ? GLYPH_MORE_DOWN : GLYPH_MORE_UP));
	len = strlen(out);
	if (t->shown < t->column_count)
		snprintf(out + len, size - len, "  columns %zu-%zu of %zu", t->first + 1,
			 t->first + t->shown, t->column_count);
}

/* A row more is worth more than titles, where there is one. */
static bool has_titles(const struct nodes *t, int height)
{
	return height >= 3 || (height == 2 && t->count == 1);
}

static void nodes_draw(struct view *v, const struct view_context *c, const struct pane *p,
		       bool focused)
{
	struct nodes *t = nodes_of(v);
	bool framed = view_is_framed(p->height, p->width);
	int height = p->height - 2 * framed, width = p->width - 2 * framed;
	int rows = height - has_titles(t, height);
	size_t first = list_layout(&v->list, rows);
	struct layout l = {0};
	struct pane in;
	char extra[100];

	for (size_t i = first; rows > 0 && i < first + (size_t)rows && i < t->count; i++)
		node_row_fill(&t->rows[t->order[i]], c);
	lay_out(t, c, &l, width - 1, first, rows > 0 ? (size_t)rows : 0);
	frame_words(t, p->screen, extra, sizeof(extra));
	in = view_frame(v, p, extra, focused);
	if (t->count == 0) {
		view_say(&in, STYLE_DIM,
			 v->filter[0] ? "nothing matches the filter" : "no nodes yet");
		return;
	}
	if (has_titles(t, height)) {
		draw_titles(&in, t, &l);
		in = pane_sub(&in, 1, 0, in.height - 1, in.width);
	}
	for (int y = 0; y < in.height && first + (size_t)y < t->count; y++)
		draw_row(&in, y, t, &l, row_at(t, first + (size_t)y),
			 focused && first + (size_t)y == v->list.selected);
	list_draw_marks(&v->list, &in);
}

/* --- the view ------------------------------------------------------------------------------ */

static unsigned scroll_columns(struct nodes *t, bool right)
{
	if (right ? t->first + t->shown >= t->column_count : t->first == 0)
		return EFFECT_DONE;
	t->first = right ? t->first + 1 : t->first - 1;
	return EFFECT_REDRAW;
}

static unsigned nodes_act(struct view *v, const struct view_context *c, enum command cmd)
{
	struct nodes *t = nodes_of(v);

	(void)c;
	switch (cmd) {
	case CMD_LEFT:
	case CMD_RIGHT:
		return scroll_columns(t, cmd == CMD_RIGHT);
	case CMD_SORT_NEXT:
		sort_next(t);
		return EFFECT_REDRAW;
	case CMD_SORT_REVERSE:
		t->falls = !t->falls;
		order_changed(t);
		return EFFECT_REDRAW;
	case CMD_ENTER:
		return v->list.selected < t->count ? EFFECT_OPEN_NODE : EFFECT_DONE;
	case CMD_BACK:
		return view_drop_filter(v) ? EFFECT_REDRAW : EFFECT_NONE;
	default:
		return view_list_act(v, cmd);
	}
}

static int nodes_wanted_height(const struct view *v, const struct view_context *c, int width)
{
	const struct nodes *t = nodes_of_const(v);

	(void)c;
	(void)width;
	return (int)(t->count < 1000 ? t->count : 1000) + 3;
}

static void nodes_selection(const struct view *v, struct selection *out)
{
	const struct nodes *t = nodes_of_const(v);

	if (v->list.selected >= t->count)
		return;
	out->group_id = row_at(t, v->list.selected)->group_id;
	out->node_id = (uint32_t)row_at(t, v->list.selected)->id;
}

static const enum command takes[] = {CMD_ENTER, CMD_SORT_NEXT, CMD_SORT_REVERSE, CMD_LEFT,
				     CMD_RIGHT, CMD_NONE};

const struct view_ops nodes_view = {
    .name = "nodes",
    .title = "Nodes",
    .topics = TOPIC_NODES | TOPIC_TOPOLOGY | TOPIC_HEALTH | TOPIC_VALUES,
    .state_size = sizeof(struct nodes),
    .uses_filter = true,
    .takes = takes,
    .columns = node_column_names,
    .sort = nodes_sort,
    .choose = nodes_choose,
    .done = nodes_done,
    .rebuild = nodes_rebuild,
    .draw = nodes_draw,
    .act = nodes_act,
    .wanted_height = nodes_wanted_height,
    .selection = nodes_selection,
};
