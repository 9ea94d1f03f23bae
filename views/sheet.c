/* The sheet of an action: what would be sent and to whom, what speaks for and against it, and the
 * prompt. When room is short the lines between are scrolled, never the command or the prompt. */
#include "config.h"

#include "model/sheet.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "views/parts.h"

#define DIALOG_WIDTH  100
#define DIALOG_WIDTH_MAX 170
#define HEAD_MAX      5
#define LABEL_COLUMNS 13
#define LABEL_LEAST   16 /* columns of the label of a deployment, as in the header */
#define HEIGHT_LEAST  5 /* of the inside: room for a line of the rest */
#define TAIL_MAX      5 /* lines of prompt or outcome */

/* Draws when p is given, counts always: the size is known before the dialog is. */
static int line_draw(const struct pane *p, int y, int columns, int room,
		     const struct sheet_line *line)
{
	int indent = columns >= 40 ? LABEL_COLUMNS + 3 : 2;
	enum style_role role = line->before		       ? STYLE_DIM
			       : line->health == HEALTH_OK ? STYLE_DIALOG
							   : health_style(line->health);
	int used;

	if (room < 1)
		return 0;
	if (p) {
		if (!line->before) /* nothing is green that is not looked at any more */
			pane_glyph(p, y, 0, health_style(line->health), health_glyph(line->health));
		if (columns >= 40)
			pane_text(p, y, 2, LABEL_COLUMNS, line->before ? STYLE_DIM : STYLE_DIALOG,
				  line->label);
	}
	used = text_wrap_draw(p, y, indent, columns - indent, room, role, line->text);
	return used > 0 ? used : 1;
}

/* The forms of the command; which one it is stands in brackets as well. Nothing to choose any more once
 * it was sent. */
static int form_draw(const struct pane *p, int y, int indent, int columns, const struct sheet *s)
{
	int x = indent;

	if (s->state != SHEET_CONFIRM && s->state != SHEET_BLOCKED)
		return 0;
	if (!p)
		return 1;
	if (indent)
		pane_text(p, y, 0, indent - 1, STYLE_DIALOG, "form");
	for (size_t i = 0; i < s->form_count && i < SHEET_FORMS_MAX; i++)
		x = pane_textf(p, y, x, columns - x, i == s->form ? STYLE_STRONG : STYLE_DIALOG,
			       i == s->form ? "[%s]  " : " %s   ", s->forms[i]);
	pane_text(p, y, x, columns - x, STYLE_DIALOG, "Tab: the other");
	return 1;
}

static int head_draw(const struct pane *p, int y, int columns, int room, const struct sheet *s)
{
	int indent = columns >= 40 ? 9 : 0, used = 0;

	if (!s->command[0] && !s->target[0]) /* there is nothing of that kind to be sent here */
		return 0;
	if (p && indent)
		pane_text(p, y, 0, indent - 1, STYLE_DIALOG, "command");
	/* Whom it goes to is worth more than the end of a long command. */
	used += text_wrap_draw(p, y, indent, columns - indent, s->target[0] && room > 1 ? room - 1 : room,
			       STYLE_STRONG, s->command);
	if (s->target[0] && used < room) {
		if (p && indent)
			pane_text(p, y + used, 0, indent - 1, STYLE_DIALOG, "goes to");
		used += text_wrap_draw(p, y + used, indent, columns - indent, room - used,
				       STYLE_DIALOG, s->target);
	}
	if (s->form_count > 1 && used < room)
		used += form_draw(p, y + used, indent, columns, s);
	return used;
}

static enum health outcome_health(const struct sheet *s)
{
	switch (s->state) {
	case SHEET_DONE:
		return HEALTH_OK;
	case SHEET_BLOCKED:
	case SHEET_FAILED:
		return HEALTH_CRITICAL;
	case SHEET_VALUE:
	case SHEET_CONFIRM:
	case SHEET_SENT:
	case SHEET_UNKNOWN:
		break;
	}
	return HEALTH_WARNING;
}

static const char *const state_words[] = {
    [SHEET_VALUE] = "",
    [SHEET_CONFIRM] = "",
    [SHEET_BLOCKED] = "Cannot be done now",
    [SHEET_SENT] = "Sent, being followed",
    [SHEET_DONE] = "Done and verified",
    [SHEET_FAILED] = "Failed",
    [SHEET_UNKNOWN] = "Outcome unknown",
};

static void outcome_text(const struct sheet *s, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", state_words[s->state],
		 state_words[s->state][0] && s->outcome[0] ? ": " : "", s->outcome);
}

static int outcome_height(const struct sheet *s, int columns, int room)
{
	char text[320];

	outcome_text(s, text, sizeof(text));
	return text_wrap_draw(NULL, 0, 0, columns - 2, room, STYLE_DIALOG, text);
}

static bool is_asking(const struct sheet *s)
{
	return s->state == SHEET_CONFIRM || s->state == SHEET_VALUE;
}

static bool has_prompt(const struct sheet *s)
{
	return s->state == SHEET_VALUE || s->confirm[0] != '\0';
}

static void ask_text(const struct sheet *s, char *out, size_t size)
{
	/* What was wrong the last time is said here: the line for notices may be behind the sheet. */
	if (s->state == SHEET_VALUE)
		snprintf(out, size, "%.80s%sType %s, then Enter; Esc leaves", s->outcome,
			 s->outcome[0] ? ". " : "", s->value);
	else if (s->confirm[0])
		snprintf(out, size, "%.80s%sType %s to go ahead%s%.60s%s, Esc to leave", s->outcome,
			 s->outcome[0] ? ". " : "", s->confirm, s->confirm_what ? " (" : "",
			 s->confirm_what ? s->confirm_what : "", s->confirm_what ? ")" : "");
	else
		snprintf(out, size, "Enter to go ahead, Esc to leave");
}

/* The lines at the bottom, how many they are. */
static int tail_height(const struct sheet *s, int columns, int room)
{
	char ask[NAME_BYTES + 256];
	int lines;

	if (!is_asking(s)) {
		lines = outcome_height(s, columns, TAIL_MAX - 1) + 1;
	} else {
		ask_text(s, ask, sizeof(ask));
		lines = text_wrap_draw(NULL, 0, 0, columns, 3, STYLE_DIALOG, ask) +
			has_prompt(s);
	}
	return lines < room ? lines : room;
}

static void tail_draw(const struct pane *p, int y, int lines, const struct sheet *s,
		      const struct prompt *typed)
{
	char text[NAME_BYTES + 256];
	enum health h = outcome_health(s);

	if (lines < 1)
		return;
	if (is_asking(s)) {
		bool prompt = has_prompt(s) && typed;

		ask_text(s, text, sizeof(text));
		text_wrap_draw(p, y, 0, p->width, lines - prompt, STYLE_STRONG, text);
		if (prompt)
			prompt_draw(typed, p, y + lines - 1, 0, "> ");
		return;
	}
	outcome_text(s, text, sizeof(text));
	pane_glyph(p, y, 0, health_style(h), health_glyph(h));
	text_wrap_draw(p, y, 2, p->width - 2, lines > 1 ? lines - 1 : 1, health_style(h), text);
	if (lines > 1)
		pane_text(p, y + lines - 1, 0, -1, STYLE_DIALOG,
			  s->state == SHEET_SENT ? "Esc leaves; what was sent goes on"
						 : "Esc closes");
}

static int lines_height(const struct sheet *s, int columns)
{
	int sum = 0;

	for (size_t i = 0; i < s->line_count && i < SHEET_LINES_MAX; i++)
		sum += line_draw(NULL, 0, columns, 100, &s->lines[i]);
	return sum;
}

static bool comes_first(const struct sheet_line *line)
{
	return line->health == HEALTH_CRITICAL && !line->before;
}

/* What is critical comes first where not all fit: a blocker must not be out of sight. */
static int lines_place(const struct pane *p, int columns, const struct sheet *s, int top)
{
	size_t count = s->line_count < SHEET_LINES_MAX ? s->line_count : SHEET_LINES_MAX;
	int y = top;

	for (int first = 1; first >= 0; first--)
		for (size_t i = 0; i < count; i++)
			if (comes_first(&s->lines[i]) == first)
				y += line_draw(p, y, columns, 100, &s->lines[i]);
	return y - top;
}

static void lines_all(const struct pane *p, int columns, const struct sheet *s)
{
	int y = 0;

	for (size_t i = 0; i < s->line_count && i < SHEET_LINES_MAX; i++)
		y += line_draw(p, y, columns, 100, &s->lines[i]);
}

/* Returns how far they can be scrolled. */
static int lines_draw(const struct pane *p, int columns, const struct sheet *s)
{
	int total = lines_height(s, columns), last, scroll;
	int room = p->height > 1 ? p->height - 1 : p->height;
	struct pane shown;

	if (total <= p->height) {
		lines_all(p, columns, s);
		return 0;
	}
	if (room < 1)
		return 0;
	last = total - room;
	scroll = s->scroll < last ? s->scroll : last;
	shown = pane_sub(p, 0, 0, room, p->width);
	lines_place(&shown, columns, s, -scroll);
	if (room == p->height)
		return last;
	if (scroll < last)
		pane_textf(p, room, 2, -1, STYLE_DIALOG, "%d more line%s: Down, PgDn%s", last - scroll,
			   last - scroll == 1 ? "" : "s", scroll > 0 ? ", Up, PgUp" : "");
	else
		pane_textf(p, room, 2, -1, STYLE_DIALOG, "the end: Up, PgUp");
	return last;
}

/* Where it acts: on a small screen the sheet covers the header, and its badges with it. */
static int title_text(const struct pane *p, const struct view_context *c, const char *title, char *out,
		      size_t size)
{
	const char *label = c->label ? c->label : "";
	const char *only = c->read_only && !c->replay ? "READ-ONLY" : "";
	size_t fit = text_fit(label, LABEL_LEAST);
	const char *cut = label[fit] == '\0'		? ""
			  : screen_is_ascii(p->screen) ? "~"
						       : "…";

	text_format(out, size, "%.*s%s%s%s", (int)fit, label, cut, label[0] && only[0] ? " " : "", only);
	int badge = text_width(out);
	text_format(out + strlen(out), size - strlen(out), "%s%s", badge > 0 ? "  " : "", title);
	return badge;
}

/* A frame in the dialog's own colours, which pane_box does not know. */
static struct pane dialog_frame(const struct pane *p, const struct view_context *c, const char *title)
{
	char text[2 * NAME_BYTES];
	int badge = title_text(p, c, title, text, sizeof(text));
	struct pane in;

	pane_fill(p, STYLE_DIALOG);
	if (!view_is_framed(p->height, p->width))
		return *p;
	in = pane_box(p, text, true);
	pane_restyle(p, 0, 0, p->width, STYLE_DIALOG_BORDER);
	if (badge > 0 && badge < p->width - 5)
		pane_restyle(p, 0, 2, badge, STYLE_BADGE);
	pane_restyle(p, p->height - 1, 0, p->width, STYLE_DIALOG_BORDER);
	for (int y = 1; y < p->height - 1; y++) {
		pane_restyle(p, y, 0, 1, STYLE_DIALOG_BORDER);
		pane_restyle(p, y, p->width - 1, 1, STYLE_DIALOG_BORDER);
	}
	if (in.width > 40) /* air at the sides */
		in = pane_sub(&in, 0, 1, in.height, in.width - 2);
	return in;
}

/* Room is used where it spares broken lines. */
static int dialog_width(const struct pane *p, const struct sheet *s)
{
	int room = p->width - 4;

	if (room < DIALOG_WIDTH)
		return p->width;
	if (room <= DIALOG_WIDTH || lines_height(s, DIALOG_WIDTH - 4) <= (int)s->line_count)
		return DIALOG_WIDTH;
	return room < DIALOG_WIDTH_MAX ? room : DIALOG_WIDTH_MAX;
}

int sheet_draw(const struct pane *p, const struct view_context *c, const struct sheet *sheet,
	       const struct prompt *typed)
{
	int width = dialog_width(p, sheet);
	int columns = width >= 45 ? width - 4 : width - 2;
	int head = head_draw(NULL, 0, columns, HEAD_MAX, sheet),
	    tail = tail_height(sheet, columns, TAIL_MAX);
	int height = head + tail + lines_height(sheet, columns) + 4; /* frame, two blank lines */
	struct pane dialog, in, lines;

	if (height > p->height)
		height = p->height;
	dialog = pane_sub(p, (p->height - height) / 2, (p->width - width) / 2, height, width);
	in = dialog_frame(&dialog, c, sheet->title);
	if (in.height < 1)
		return 0;
	columns = in.width;
	if (in.height < 8) { /* a line each: command, whom it goes to, the verdict, the prompt */
		head = head_draw(NULL, 0, columns, in.height >= HEIGHT_LEAST ? 2 : in.height >= 2, sheet);
		tail = tail_height(sheet, columns, in.height - head - (in.height >= HEIGHT_LEAST));
	} else {
		head = head_draw(NULL, 0, columns, HEAD_MAX, sheet);
		tail = tail_height(sheet, columns, TAIL_MAX);
	}
	head_draw(&in, 0, columns, head, sheet);
	tail_draw(&in, in.height - tail, tail, sheet, typed);
	if (in.height >=
	    head + tail + 2 + lines_height(sheet, columns)) /* air, if it costs nothing */
		head++, tail++;
	lines = pane_sub(&in, head, 0, in.height - head - tail, columns);
	return lines_draw(&lines, columns, sheet);
}
