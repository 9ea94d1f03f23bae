/* Key hints: what works where the focus is, made from the keys in force. */
#include "config.h"

#include <string.h>

#include "base/text.h"
#include "views/parts.h"
#include "views/timeline.h"

/* From left to right. The rank says who is left out last: 0 is never. */
static const struct {
	enum command command;
	int rank;
} hints[] = {
    {CMD_PLAY, 2}, {CMD_NEXT_EVENT, 3}, {CMD_NEXT_CRITICAL, 4}, {CMD_FORWARD, 6},
    {CMD_PLAY_FASTER, 5},
    {CMD_FAILOVER, 2}, {CMD_CKQUORUM, 6},  {CMD_ENTER, 3}, {CMD_BACK, 4},  {CMD_FILTER, 4},
    {CMD_SORT_NEXT, 5}, {CMD_LINE, 6},      {CMD_NEXT_PANE, 4}, {CMD_ZOOM, 7}, {CMD_FREEZE, 8},
    {CMD_NEXT_DEPLOYMENT, 9}, {CMD_HELP, 0}, {CMD_QUIT, 1},
};
#define HINTS     (sizeof(hints) / sizeof(hints[0]))
#define RANK_LAST 9

struct hint {
	char key[16];
	const char *label; /* NULL: not shown */
	int width;
};

/* A hint for a key that would only be refused is worse than none. */
static bool hint_applies(enum command command, const struct view_context *c, const struct view *v)
{
	const struct deployment *d = model_deployment(c->model, c->deployment_id);

	if (!key_binding_applies(key_binding_of(command), c->replay))
		return false;
	switch (command) {
	case CMD_FAILOVER:
		return d && !c->read_only && !c->replay;
	case CMD_CKQUORUM:
		return d && d->kind == KIND_SENTINEL && !c->replay;
	case CMD_FILTER:
		return v && v->ops->uses_filter;
	case CMD_ENTER:
	case CMD_SORT_NEXT:
		return v && view_takes(v, command);
	case CMD_BACK:
		return c->node_id != 0 || (v && v->filter[0]);
	case CMD_NEXT_PANE:
	case CMD_ZOOM:
		return c->dashboard;
	case CMD_NEXT_DEPLOYMENT:
		return c->deployment_count > 1;
	default:
		return true;
	}
}

static const char *hint_label(enum command command, const struct view_context *c,
			      const struct view *v)
{
	if (command == CMD_FILTER && v->ops->filter_help)
		return v->ops->filter_help;
	if (command == CMD_FREEZE && c->frozen)
		return "go on";
	if (command == CMD_PLAY && c->timeline && c->timeline->state == TIMELINE_PLAYING)
		return "pause";
	if (command == CMD_ENTER && v->ops == &fleet_view)
		return "open";
	if (command == CMD_ZOOM && c->zoomed)
		return "all panes";
	return key_binding_of(command)->label;
}

static struct hint hint_make(enum command command, const struct view_context *c,
			     const struct view *v)
{
	const struct keymap *keys = c->keys ? c->keys : keymap_builtin();
	struct hint h = {"", NULL, 0};

	/* Where the key was taken away, nobody is to be told of it. */
	if (keys->keys[command][0] == KEYC_NONE || !hint_applies(command, c, v))
		return h;
	key_name(keys->keys[command][0], h.key);
	h.label = hint_label(command, c, v);
	h.width = text_width(h.key) + 1 + text_width(h.label) + 2;
	return h;
}

static int hint_put(const struct pane *p, int x, const struct keymap *keys, enum command command,
		    const char *label)
{
	char key[16];

	if (keys->keys[command][0] == KEYC_NONE)
		return x;
	key_name(keys->keys[command][0], key);
	if (x + text_width(key) + 1 + text_width(label) > p->width)
		return x;
	x = pane_text(p, 0, x, -1, STYLE_KEY, key);
	return pane_text(p, 0, x + 1, -1, STYLE_KEY_LABEL, label) + 2;
}

void footer_help_draw(const struct pane *p, const struct view_context *c)
{
	const struct keymap *keys = c->keys ? c->keys : keymap_builtin();
	int x = 1;

	pane_fill(p, STYLE_KEY_LABEL);
	x = hint_put(p, x, keys, CMD_BACK, "back");
	x = hint_put(p, x, keys, CMD_DOWN, "row");
	x = hint_put(p, x, keys, CMD_PAGE_DOWN, "page");
	x = hint_put(p, x, keys, CMD_TOP, "first");
	hint_put(p, x, keys, CMD_BOTTOM, "last");
}

void footer_draw(const struct pane *p, const struct view_context *c, const struct view *focused)
{
	struct hint all[HINTS];
	bool shown[HINTS] = {false};
	int room = p->width - 1 + 2, x = 1; /* the last needs no blanks behind it */

	pane_fill(p, STYLE_KEY_LABEL);
	if (notice_is_in_footer(p, c, model_deployment(c->model, c->deployment_id))) {
		notice_draw(p, c);
		return;
	}
	for (size_t i = 0; i < HINTS; i++)
		all[i] = hint_make(hints[i].command, c, focused);
	for (int rank = 0; rank <= RANK_LAST; rank++)
		for (size_t i = 0; i < HINTS; i++) {
			bool way_back = c->zoomed && hints[i].command == CMD_ZOOM;

			if ((way_back ? 2 : hints[i].rank) != rank || !all[i].label || all[i].width > room)
				continue;
			room -= all[i].width;
			shown[i] = true;
		}
	for (size_t i = 0; i < HINTS; i++) {
		if (!shown[i])
			continue;
		x = pane_text(p, 0, x, -1, STYLE_KEY, all[i].key);
		x = pane_text(p, 0, x + 1, -1, STYLE_KEY_LABEL, all[i].label) + 2;
	}
}
