/* Where the panes of the dashboard go, by kind and size:
 *
 *   tiny             the first pane alone
 *   narrow           one below the other
 *   wide and low     side by side
 *   otherwise        two columns, below them the nodes where there is room to spare, and the events,
 *                    with the last failover at their right where they would leave a half empty
 *
 * Each pane gets the rows that it wants; what is left goes to the events, which can use any number.
 * In a cluster the replication stands above the slots or below the tree, whichever is lower. */
#include "config.h"

#include "views/view.h"

#include <string.h>

#define PANES_MAX     8
#define TWO_COLUMNS   76 /* columns from which two panes stand side by side */
#define PANE_MIN      4  /* rows: frame and two lines */
#define EVENTS_GOOD   5  /* rows that the events keep when the screen is not too low */
#define EVENTS_SPARE  10 /* with more than this the nodes get a pane of their own */
#define NODES_COLUMNS 110
#define EVENTS_KEEP   120 /* columns, beside another pane */
#define BESIDE        62  /* columns of that */
#define BESIDE_ROWS   9
#define LOW           14 /* rows; below, a wide screen has its panes side by side */
#define SIDE_COLUMNS  48 /* of each of them */
#define ALL_IT_CAN    10000
#define FRAME         3 /* with the titles of the columns */

enum place { PLACE_TREE, PLACE_MIDDLE, PLACE_SPARE, PLACE_EVENTS, PLACE_BESIDE };

struct plan {
	struct view *const *views;
	const struct view_context *c;
	const struct deployment *d;
	size_t left[PANES_MAX], right[PANES_MAX]; /* indices of views */
	size_t left_count, right_count;
	size_t all[PANES_MAX], count; /* without the spare ones, in the order of their worth */
	size_t events, nodes, beside; /* PANES_MAX: none */
};

static int at_least(int a, int b)
{
	return a > b ? a : b;
}
static int at_most(int a, int b)
{
	return a < b ? a : b;
}

static enum place place_of(const struct view_ops *ops)
{
	if (ops == &topology_view)
		return PLACE_TREE;
	if (ops == &events_view)
		return PLACE_EVENTS;
	if (ops == &last_failover_view)
		return PLACE_BESIDE;
	return strcmp(ops->name, "nodes") == 0 ? PLACE_SPARE : PLACE_MIDDLE;
}

static void plan_add(size_t *list, size_t *count, size_t view)
{
	if (*count < PANES_MAX)
		list[(*count)++] = view;
}

static void plan_make(struct plan *plan, size_t view_count)
{
	enum deployment_kind kind = plan->d ? plan->d->kind : KIND_UNKNOWN;

	for (size_t i = 0; i < view_count && i < PANES_MAX; i++) {
		const struct view_ops *ops = plan->views[i]->ops;
		enum place place = place_of(ops);

		if (ops->applies && !ops->applies(kind))
			continue;
		if (place == PLACE_SPARE) {
			plan->nodes = i;
			continue;
		}
		if (place == PLACE_EVENTS) {
			plan->events = i;
			continue;
		}
		if (place == PLACE_BESIDE) {
			plan->beside = i;
			continue;
		}
		plan_add(plan->all, &plan->count, i);
		if (place == PLACE_TREE || plan->left_count == 0)
			plan_add(plan->left, &plan->left_count, i);
		else
			plan_add(plan->right, &plan->right_count, i);
	}
	if (plan->events < PANES_MAX)
		plan_add(plan->all, &plan->count, plan->events);
}

static int wanted(const struct plan *plan, size_t view, int width)
{
	const struct view *v = plan->views[view];
	int rows = v->ops->wanted_height ? v->ops->wanted_height(v, plan->c, width) : 0;

	if (rows <= 0)
		return ALL_IT_CAN;
	return at_least(rows, PANE_MIN);
}

static int column_wants(const struct plan *plan, const size_t *list, size_t count, int width)
{
	int sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += wanted(plan, list[i], width);
	return sum;
}

/* Each gets its minimum, the last one `keep` rows as far as there are any; then row by row what the
 * others want, and the last one what is left. */
static void share(const int *want, size_t count, int height, int keep, int *out)
{
	int left = height - (int)count * PANE_MIN, first;

	for (size_t i = 0; i < count; i++)
		out[i] = PANE_MIN;
	first = at_most(at_least(keep - PANE_MIN, 0), left / 2);
	out[count - 1] += first;
	left -= first;
	for (bool gave = true; left > 0 && gave;) {
		gave = false;
		for (size_t i = 0; i < count && left > 0; i++) {
			if (out[i] >= want[i] || want[i] == ALL_IT_CAN)
				continue;
			out[i]++;
			left--;
			gave = true;
		}
	}
	out[count - 1] += left;
}

static size_t place_column(const struct plan *plan, const size_t *list, size_t count, int keep,
			   struct rect area, struct rect *out)
{
	int want[PANES_MAX], rows[PANES_MAX], y = area.y;

	if (count == 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		want[i] = wanted(plan, list[i], area.width);
	share(want, count, area.height, keep, rows);
	for (size_t i = 0; i < count; i++) {
		out[i] = (struct rect){y, area.x, rows[i], area.width, list[i]};
		y += rows[i];
	}
	return count;
}

/* Rows that stay for the events: a share of a high screen, enough to read on a low one. */
static int events_keep(int height, int share_of)
{
	return at_least(at_least(PANE_MIN, at_most(EVENTS_GOOD, height / 3)), height / share_of);
}

/* The replication goes below the tree where the slots' map is the higher of the two. Judged by
 * the number of members: rows that come with a trouble must not turn the screen over. */
static void balance(struct plan *plan, int room, int right_width)
{
	int members, tree, replication;

	if (plan->right_count < 2 || plan->left_count != 1 || !plan->d ||
	    plan->views[plan->right[0]]->ops != &replication_view)
		return;
	members = (int)at_most((int)plan->d->member_count, ALL_IT_CAN);
	tree = members + at_most((int)plan->d->group_count, ALL_IT_CAN) + FRAME;
	replication = members + FRAME;
	if (tree + replication > room ||
	    tree >= column_wants(plan, plan->right + 1, plan->right_count - 1, right_width))
		return;
	plan_add(plan->left, &plan->left_count, plan->right[0]);
	plan->right_count--;
	memmove(plan->right, plan->right + 1, plan->right_count * sizeof(plan->right[0]));
}

static int columns_height(const struct plan *plan, int height, int left_width, int right_width)
{
	int left, right, top;

	if (plan->events == PANES_MAX)
		return height;
	left = column_wants(plan, plan->left, plan->left_count, left_width);
	right = column_wants(plan, plan->right, plan->right_count, right_width);
	top = at_most(at_least(left, right), height - events_keep(height, 4));
	/* Who is down in a tree that does not fit is worth more than what was long ago. */
	top = at_least(top, at_most(left, height - events_keep(height, 6)));
	return at_least(top,
			PANE_MIN * at_least((int)plan->left_count, (int)plan->right_count));
}

static size_t place_events(const struct plan *plan, struct rect area, struct rect *out)
{
	size_t n = 0;

	if (plan->events == PANES_MAX)
		return 0;
	if (plan->beside < PANES_MAX && area.width >= EVENTS_KEEP + BESIDE &&
	    area.height >= BESIDE_ROWS) {
		area.width -= BESIDE;
		out[1] = (struct rect){area.y, area.width, area.height, BESIDE, plan->beside};
		n = 1;
	}
	out[0] = area;
	out[0].view = plan->events;
	return n + 1;
}

static size_t place_two_columns(struct plan *plan, int height, int width, struct rect *out)
{
	int left_width = width < 120 ? width * 11 / 20 : width / 2,
	    right_width = width - left_width;
	size_t n;
	int top, nodes;

	balance(plan, height - events_keep(height, 4), right_width);
	top = columns_height(plan, height, left_width, right_width);
	n = place_column(plan, plan->left, plan->left_count, 0,
			 (struct rect){0, 0, top, left_width, 0}, out);
	n += place_column(plan, plan->right, plan->right_count, 0,
			  (struct rect){0, left_width, top, right_width, 0}, out + n);
	if (plan->nodes < PANES_MAX && width >= NODES_COLUMNS) {
		nodes = wanted(plan, plan->nodes, width);
		if (nodes <= height - top - EVENTS_SPARE) {
			out[n++] = (struct rect){top, 0, nodes, width, plan->nodes};
			top += nodes;
		}
	}
	return n + place_events(plan, (struct rect){top, 0, height - top, width, 0}, out + n);
}

/* What comes first and the events stay when there is no room for all. */
static size_t choose(const struct plan *plan, size_t room, size_t *list)
{
	bool events = plan->events < PANES_MAX;
	size_t count = 0;

	for (size_t i = 0; i < plan->count - events && count + events < room; i++)
		list[count++] = plan->all[i];
	if (events && count < room)
		list[count++] = plan->events;
	return count;
}

static size_t place_stacked(const struct plan *plan, int height, int width, struct rect *out)
{
	size_t list[PANES_MAX], count = choose(plan, (size_t)(height / PANE_MIN), list);
	int keep = plan->events < PANES_MAX ? events_keep(height, 6) : 0;

	return place_column(plan, list, count, keep, (struct rect){0, 0, height, width, 0}, out);
}

static size_t place_side_by_side(const struct plan *plan, int height, int width, struct rect *out)
{
	size_t list[PANES_MAX], count = choose(plan, (size_t)(width / SIDE_COLUMNS), list);
	int each = width / (int)count, x = 0;

	for (size_t i = 0; i < count; i++) {
		int columns = i + 1 < count ? each : width - x;

		out[i] = (struct rect){0, x, height, columns, list[i]};
		x += columns;
	}
	return count;
}

size_t dashboard_layout(struct view *const *views, size_t view_count, const struct view_context *c,
			int height, int width, struct rect *out, size_t max)
{
	struct plan plan = {.views = views,
			    .c = c,
			    .d = model_deployment(c->model, c->deployment_id),
			    .events = PANES_MAX,
			    .nodes = PANES_MAX,
			    .beside = PANES_MAX};
	struct rect rects[PANES_MAX + 2];
	size_t n;
	int sides;

	if (height < 1 || width < 1 || max == 0)
		return 0;
	plan_make(&plan, view_count);
	if (plan.count == 0)
		return 0;
	sides = at_least((int)plan.left_count, (int)plan.right_count);
	if (width >= 3 * SIDE_COLUMNS && height >= PANE_MIN && height < LOW)
		n = place_side_by_side(&plan, height, width, rects);
	else if (plan.count == 1 || height < 2 * PANE_MIN)
		rects[0] = (struct rect){0, 0, height, width, plan.all[0]}, n = 1;
	else if (width >= TWO_COLUMNS && plan.right_count > 0 &&
		 height >= (sides + (plan.events < PANES_MAX)) * PANE_MIN)
		n = place_two_columns(&plan, height, width, rects);
	else
		n = place_stacked(&plan, height, width, rects);
	if (n > max)
		n = max;
	for (size_t i = 0; i < n; i++)
		out[i] = rects[i];
	return n;
}
