/* Where the panes of the dashboard go. Two columns over the events where there is room, one column
 * on a narrow screen, the first pane alone on a tiny one. */
#include "config.h"

#include "views/view.h"

#define PANES_MAX   8
#define TWO_COLUMNS 76 /* columns from which two panes stand side by side */
#define PANE_MIN    4  /* rows: frame and two lines */
#define EVENTS_GOOD 5  /* rows that the events keep when the screen is not too low */

struct plan {
	size_t left[PANES_MAX], right[PANES_MAX], bottom[PANES_MAX]; /* indices of views */
	size_t left_count, right_count, bottom_count;
	size_t all[PANES_MAX];
	size_t count;
};

static void plan_add(size_t *list, size_t *count, size_t view)
{
	if (*count < PANES_MAX)
		list[(*count)++] = view;
}

static void plan_make(struct plan *plan, struct view *const *views, size_t view_count,
		      enum deployment_kind kind)
{
	*plan = (struct plan){.count = 0};
	for (size_t i = 0; i < view_count; i++) {
		const struct view_ops *ops = views[i]->ops;

		if (ops->applies && !ops->applies(kind))
			continue;
		plan_add(plan->all, &plan->count, i);
		if (ops == &events_view)
			plan_add(plan->bottom, &plan->bottom_count, i);
		else if (ops == &topology_view || plan->left_count == 0)
			plan_add(plan->left, &plan->left_count, i);
		else
			plan_add(plan->right, &plan->right_count, i);
	}
}

static int wanted(const struct view *v, const struct view_context *c, int width)
{
	int rows = v->ops->wanted_height ? v->ops->wanted_height(v, c, width) : 0;

	if (rows <= 0)
		return 10000;
	return rows < PANE_MIN ? PANE_MIN : rows;
}

/* Each gets its minimum, then row by row what it wants, then what is left goes to the last one. */
static void share(const int *want, size_t count, int height, int *out)
{
	int left = height - (int)count * PANE_MIN;

	for (size_t i = 0; i < count; i++)
		out[i] = PANE_MIN;
	for (bool gave = true; left > 0 && gave;) {
		gave = false;
		for (size_t i = 0; i < count && left > 0; i++) {
			if (out[i] >= want[i])
				continue;
			out[i]++;
			left--;
			gave = true;
		}
	}
	if (count > 0)
		out[count - 1] += left;
}

static size_t place_column(struct view *const *views, const struct view_context *c,
			   const size_t *list, size_t count, struct rect area, struct rect *out)
{
	int want[PANES_MAX], rows[PANES_MAX], y = area.y;

	for (size_t i = 0; i < count; i++)
		want[i] = wanted(views[list[i]], c, area.width);
	share(want, count, area.height, rows);
	for (size_t i = 0; i < count; i++) {
		out[i] = (struct rect){y, area.x, rows[i], area.width, list[i]};
		y += rows[i];
	}
	return count;
}

static int column_wants(struct view *const *views, const struct view_context *c, const size_t *list,
			size_t count, int width)
{
	int sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += wanted(views[list[i]], c, width);
	return sum;
}

static int at_least(int a, int b)
{
	return a > b ? a : b;
}
static int at_most(int a, int b)
{
	return a < b ? a : b;
}

/* Rows that stay for the events: a share of a high screen, enough to read on a low one. */
static int events_keep(int height, int share_of)
{
	return at_least(at_least(PANE_MIN, at_most(EVENTS_GOOD, height / 3)), height / share_of);
}

static size_t place_two_columns(struct view *const *views, const struct view_context *c,
				const struct plan *plan, int height, int width, struct rect *out)
{
	int left_width = width < 120 ? width * 11 / 20 : width / 2,
	    right_width = width - left_width;
	int top_min = PANE_MIN * (int)at_least((int)plan->left_count, (int)plan->right_count);
	int top = height;
	size_t n;

	if (plan->bottom_count > 0) {
		int left = column_wants(views, c, plan->left, plan->left_count, left_width);
		int right = column_wants(views, c, plan->right, plan->right_count, right_width);
		int bottom = (int)plan->bottom_count;

		top = at_most(at_least(left, right), height - events_keep(height, 4) * bottom);
		/* Who is down in a tree that does not fit is worth more than what was long ago. */
		top = at_least(top, at_most(left, height - events_keep(height, 6) * bottom));
		top = at_least(top, top_min);
	}
	n = place_column(views, c, plan->left, plan->left_count,
			 (struct rect){0, 0, top, left_width, 0}, out);
	n += place_column(views, c, plan->right, plan->right_count,
			  (struct rect){0, left_width, top, right_width, 0}, out + n);
	if (plan->bottom_count > 0)
		n += place_column(views, c, plan->bottom, plan->bottom_count,
				  (struct rect){top, 0, height - top, width, 0}, out + n);
	return n;
}

/* One below the other; when there is no room for all, what comes first and the events stay. */
static size_t place_stacked(struct view *const *views, const struct view_context *c,
			    const struct plan *plan, int height, int width, struct rect *out)
{
	size_t list[PANES_MAX], count = 0, room = (size_t)(height / PANE_MIN);
	size_t first = plan->count - plan->bottom_count;

	if (room > plan->count)
		room = plan->count;
	for (size_t i = 0; i < plan->left_count && count + plan->bottom_count < room; i++)
		list[count++] = plan->left[i];
	for (size_t i = 0;
	     i < plan->right_count && count + plan->bottom_count < room && count < first; i++)
		list[count++] = plan->right[i];
	for (size_t i = 0; i < plan->bottom_count && count < room; i++)
		list[count++] = plan->bottom[i];
	return place_column(views, c, list, count, (struct rect){0, 0, height, width, 0}, out);
}

size_t dashboard_layout(struct view *const *views, size_t view_count, const struct view_context *c,
			int height, int width, struct rect *out, size_t max)
{
	const struct deployment *d = model_deployment(c->model, c->deployment_id);
	struct rect rects[3 * PANES_MAX];
	struct plan plan;
	size_t n;
	int sides;

	if (height < 1 || width < 1 || max == 0)
		return 0;
	plan_make(&plan, views, view_count, d ? d->kind : KIND_UNKNOWN);
	if (plan.count == 0)
		return 0;
	sides = at_least((int)plan.left_count, (int)plan.right_count);
	if (plan.count == 1 || height < 2 * PANE_MIN) {
		out[0] = (struct rect){0, 0, height, width, plan.all[0]};
		return 1;
	}
	if (width >= TWO_COLUMNS && plan.left_count > 0 && plan.right_count > 0 &&
	    height >= (sides + (int)plan.bottom_count) * PANE_MIN)
		n = place_two_columns(views, c, &plan, height, width, rects);
	else
		n = place_stacked(views, c, &plan, height, width, rects);
	if (n > max)
		n = max;
	for (size_t i = 0; i < n; i++)
		out[i] = rects[i];
	return n;
}
