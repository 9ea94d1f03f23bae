/* The menu of actions over the screen: what can be done to the selection, each with its command; below
 * them whom the selected one goes to, and why it cannot be done now. Nothing is sent from here. */
#include "config.h"

#include "model/menu.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "views/parts.h"

#define MENU_WIDTH         100
#define LABEL_MAX          26
#define MENU_COMMAND_LINES 8
#define DETAIL_LINES       5 /* help, whom it goes to, and up to three of why not */

static int label_columns(const struct menu *menu, int width)
{
	int columns = 10;
	for (size_t i = 0; i < menu->count; i++) {
		int len = (int)strlen(menu->entries[i].label);
		columns = len > columns ? len : columns;
	}
	columns = columns < LABEL_MAX ? columns : LABEL_MAX;
	return columns < width / 2 ? columns : width / 2;
}

static void entry_draw(const struct pane *line, const struct menu_entry *e, int labels, bool here)
{
	bool blocked = e->blocked[0] != '\0';
	enum style_role text = here ? STYLE_SELECTED : blocked ? STYLE_DIM : STYLE_DIALOG;
	int x;
	pane_fill(line, here ? STYLE_SELECTED : STYLE_DIALOG);
	pane_text(line, 0, 0, 1, text, here ? ">" : " ");
	pane_text(line, 0, 2, labels, text, e->label);
	x = pane_text(line, 0, labels + 4, -1, here || blocked ? text : STYLE_STRONG,
		      e->command[0] != '\0' ? e->command : "-");
	/* Without colour too it must be seen that it cannot be done. */
	if (blocked && x + 4 < line->width)
		pane_textf(line, 0, x + 2, -1, text, "(not now%s%s)", line->width - x > 40 ? ": " : "",
			   line->width - x > 40 ? e->blocked : "");
}

/* Lines below the entries for a command that its row cuts; 0: none is cut. For the longest, so that
 * the entries stay where they are while the selection moves. */
static int command_lines(const struct menu *menu, int width)
{
	int labels = label_columns(menu, width - 1), most = 0;
	for (size_t i = 0; i < menu->count; i++) {
		const char *command = menu->entries[i].command;
		int lines = text_width(command) <= width - 1 - labels - 4 ?
				    0 :
				    text_wrap_draw(NULL, 0, 0, width, MENU_COMMAND_LINES, STYLE_DIALOG, command);
		most = lines > most ? lines : most;
	}
	return most;
}

/* Lines for the selected entry below the others, of a dialog of so many. */
static int detail_lines(const struct menu *menu, int height, int commands)
{
	int rest = height - 2 - (int)menu->count, least = commands > 0 ? commands + 1 : 2;
	if (height < 6 && commands == 0)
		return height > 2 ? 1 : 0;
	int detail = rest < DETAIL_LINES + commands ? rest : DETAIL_LINES + commands;
	detail = detail > least ? detail : least;
	return detail < height - 1 ? detail : height - 1;
}

/* What is sent is read whole before anything else is. */
static void detail_draw(const struct pane *p, const struct menu_entry *e, bool is_cut)
{
	char text[sizeof(e->blocked) + 32];
	int y = 0;
	if (is_cut)
		y = text_wrap_draw(p, 0, 0, p->width, p->height, STYLE_STRONG, e->command);
	if (e->blocked[0] != '\0') {
		snprintf(text, sizeof(text), "Not now: %s", e->blocked);
		y += text_wrap_draw(p, y, 0, p->width, p->height - y - (p->height - y > 2), STYLE_WARNING,
				    text);
	} else if (e->target[0] != '\0' && p->height - y > 1) {
		snprintf(text, sizeof(text), "Goes to %s", e->target);
		y += text_wrap_draw(p, y, 0, p->width, p->height - y - 1, STYLE_DIALOG, text);
	}
	if (y < p->height)
		text_wrap_draw(p, y, 0, p->width, p->height - y, STYLE_DIALOG, e->help);
}

void menu_draw(const struct pane *p, struct menu *menu)
{
	int width = p->width < MENU_WIDTH + 4 ? p->width : MENU_WIDTH;
	int commands = command_lines(menu, view_is_framed(p->height, width) ? width - 2 : width);
	int wanted = (int)menu->count + DETAIL_LINES + commands + 4; /* frame, a blank line, the line of keys */
	int height = wanted < p->height ? wanted : p->height;
	struct pane dialog = pane_sub(p, (p->height - height) / 2, (p->width - width) / 2, height, width);
	struct pane in = dialog;
	pane_fill(&dialog, STYLE_DIALOG);
	if (view_is_framed(height, width))
		in = pane_box(&dialog, menu->title, true);
	if (in.height < 1 || menu->count == 0)
		return;
	int detail = detail_lines(menu, in.height, commands);
	int keys = in.height - detail > 1 && in.height > 3 ? 1 : 0, rows = in.height - detail - keys;
	rows = rows < (int)menu->count ? rows : (int)menu->count;
	rows = rows < 1 ? 1 : rows;
	if (menu->selected < menu->top)
		menu->top = menu->selected;
	if (menu->selected >= menu->top + (size_t)rows)
		menu->top = menu->selected - (size_t)rows + 1;
	if (menu->top + (size_t)rows > menu->count)
		menu->top = menu->count - (size_t)rows;
	bool marked = (size_t)rows < menu->count; /* the last column is for the marks */
	int labels = label_columns(menu, in.width - marked);
	for (int i = 0; i < rows; i++) {
		size_t at = menu->top + (size_t)i;
		struct pane line = pane_sub(&in, i, 0, 1, in.width - marked);
		entry_draw(&line, &menu->entries[at], labels, at == menu->selected);
	}
	if (menu->top > 0)
		pane_glyph(&in, 0, in.width - 1, STYLE_DIALOG, GLYPH_MORE_UP);
	if (menu->top + (size_t)rows < menu->count)
		pane_glyph(&in, rows - 1, in.width - 1, STYLE_DIALOG, GLYPH_MORE_DOWN);
	struct pane low = pane_sub(&in, in.height - detail - keys, 0, detail, in.width);
	detail_draw(&low, &menu->entries[menu->selected], commands > 0);
	if (keys)
		pane_text(&in, in.height - 1, 0, -1, STYLE_KEY_LABEL,
			  in.width < 54 ? "Enter opens its sheet   Esc leaves"
					: "Enter opens its sheet, nothing is sent yet   Esc leaves");
}
