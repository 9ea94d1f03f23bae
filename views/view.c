#include "config.h"

#include "views/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "views/parts.h"

struct view *view_new(const struct view_ops *ops)
{
	struct view *v = mem_alloc(ops->state_size);

	v->ops = ops;
	v->stale = true;
	list_init(&v->list, false);
	if (ops->init)
		ops->init(v);
	return v;
}

void view_free(struct view *v)
{
	if (!v)
		return;
	if (v->ops->done)
		v->ops->done(v);
	list_done(&v->list);
	free(v);
}

void view_set_filter(struct view *v, const char *filter)
{
	size_t len = strlen(filter);

	if (len >= sizeof(v->filter)) { /* cut between characters, not within one */
		len = sizeof(v->filter) - 1;
		while (len > 0 && ((unsigned char)filter[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(v->filter, filter, len);
	v->filter[len] = '\0';
	v->stale = true;
}

bool view_matches(const struct view *v, const char *text)
{
	const char *needle = v->filter;
	bool invert = needle[0] == '!';

	if (invert)
		needle++;
	if (!needle[0]) /* "!" alone is a filter that is still being typed */
		return true;
	return text_contains(text, needle) != invert;
}

void view_draw(struct view *v, const struct view_context *c, const struct pane *p, bool focused)
{
	struct pane in = *p;

	v->ops->draw(v, c, p, focused);
	/* Of "!text" nothing is in sight, and a filter that is a question is not for text. */
	if (!v->filter[0] || v->filter[0] == '!' || v->ops->filter_help)
		return;
	if (view_is_framed(p->height, p->width))
		in = pane_sub(p, 1, 1, p->height - 2, p->width - 2);
	pane_mark(&in, v->filter);
}

bool view_takes(const struct view *v, enum command cmd)
{
	for (size_t i = 0; v->ops->takes && v->ops->takes[i] != CMD_NONE; i++)
		if (v->ops->takes[i] == cmd)
			return true;
	return false;
}

bool view_drop_filter(struct view *v)
{
	if (!v->filter[0])
		return false;
	view_set_filter(v, "");
	return true;
}

unsigned view_list_act(struct view *v, enum command cmd)
{
	enum list_move move;

	switch (cmd) {
	case CMD_UP:
		move = LIST_UP;
		break;
	case CMD_DOWN:
		move = LIST_DOWN;
		break;
	case CMD_PAGE_UP:
		move = LIST_PAGE_UP;
		break;
	case CMD_PAGE_DOWN:
		move = LIST_PAGE_DOWN;
		break;
	case CMD_HALF_UP:
		move = LIST_HALF_UP;
		break;
	case CMD_HALF_DOWN:
		move = LIST_HALF_DOWN;
		break;
	case CMD_TOP:
		move = LIST_TOP;
		break;
	case CMD_BOTTOM:
		move = LIST_BOTTOM;
		break;
	default:
		return EFFECT_NONE;
	}
	return list_move(&v->list, move) ? EFFECT_REDRAW : EFFECT_DONE;
}

/* --- parts that the views share ----------------------------------------------------------- */

enum style_role health_style(enum health h)
{
	switch (h) {
	case HEALTH_OK:
		return STYLE_OK;
	case HEALTH_WARNING:
		return STYLE_WARNING;
	case HEALTH_CRITICAL:
		return STYLE_CRITICAL;
	case HEALTH_UNKNOWN:
		break;
	}
	return STYLE_UNKNOWN_STATE;
}

enum glyph health_glyph(enum health h)
{
	switch (h) {
	case HEALTH_OK:
		return GLYPH_OK;
	case HEALTH_WARNING:
		return GLYPH_WARNING;
	case HEALTH_CRITICAL:
		return GLYPH_DOWN;
	case HEALTH_UNKNOWN:
		break;
	}
	return GLYPH_UNKNOWN;
}

enum style_role role_style(enum role r)
{
	switch (r) {
	case ROLE_MASTER:
		return STYLE_MASTER_NODE;
	case ROLE_REPLICA:
		return STYLE_REPLICA_NODE;
	case ROLE_SENTINEL:
		return STYLE_SENTINEL_NODE;
	case ROLE_UNKNOWN:
		break;
	}
	return STYLE_UNKNOWN_STATE;
}

enum style_role severity_style(enum severity s)
{
	switch (s) {
	case SEVERITY_CRITICAL:
		return STYLE_CRITICAL;
	case SEVERITY_WARNING:
		return STYLE_WARNING;
	case SEVERITY_NOTICE:
		return STYLE_STRONG;
	case SEVERITY_INFO:
		break;
	}
	return STYLE_TEXT;
}

const char *verdict_words(const struct verdict *v, const struct deployment *d)
{
	const char *text = v->text, *rest = strstr(text, " master ");
	size_t len = rest ? (size_t)(rest - text) : 0;

	if (rest && strncmp(rest + 8, text, len) == 0 && rest[8 + len] == ' ')
		return rest + 1;
	/* The only master is above all that is drawn of it; but who is down must be said. */
	if (d->group_count != 1)
		return text;
	len = strlen(d->groups[0]->name);
	if (strncmp(text, d->groups[0]->name, len) != 0 || text[len] != ' ')
		return text;
	rest = text + len + 1;
	if (d->kind == KIND_SENTINEL && strncmp(rest, "master ", 7) != 0 &&
	    strncmp(rest, "replica ", 8) != 0 && !memchr(rest, ':', strcspn(rest, " ")))
		return text;
	return rest;
}

bool view_is_framed(int height, int width)
{
	return height >= 4 && width >= 12;
}

struct pane view_frame(const struct view *v, const struct pane *p, const char *extra, bool focused)
{
	char title[64 + 160 + PROMPT_BYTES];

	pane_fill(p, STYLE_TEXT);
	if (!view_is_framed(p->height, p->width))
		return *p;
	snprintf(title, sizeof(title), "%s%s%.150s%s%s", v->ops->title, extra[0] ? "  " : "", extra,
		 v->filter[0] ? "  /" : "", v->filter);
	return pane_box(p, title, focused);
}

void view_say(const struct pane *p, enum style_role role, const char *text)
{
	int width = text_width(text);
	int x = width < p->width ? (p->width - width) / 2 : 0;

	pane_text(p, p->height / 2, x, -1, role, text);
}

/* The end of it, behind a mark. */
static void text_tail(const char *text, int columns, const char *mark, char *out, size_t size)
{
	while (text_width(text) > columns - 1 && *text)
		text_next(&text);
	snprintf(out, size, "%s%s", mark, text);
}

/* A host's own name, without its domain; NULL: it is an address, or something else. */
static const char *addr_domain(const char *addr, const char *port)
{
	const char *dot = strchr(addr, '.');

	if (!port || !dot || dot > port || addr[0] == '[' || strpbrk(addr, " /"))
		return NULL;
	for (const char *s = addr; s < dot; s++)
		if (*s < '0' || *s > '9')
			return dot;
	return NULL;
}

static void addr_shorten(const char *addr, int columns, const char *mark, char *out, size_t size)
{
	const char *port = strrchr(addr, ':'), *domain = addr_domain(addr, port), *tail = addr;
	char label[ENDPOINT_TEXT_BYTES + 8];

	if (domain) {
		size_t head = text_fit(addr, columns - text_width(port) - 1);

		if (head >= (size_t)(domain - addr)) {
			snprintf(out, size, "%.*s%s%s", (int)head, addr, mark, port);
			return;
		}
		snprintf(label, sizeof(label), "%.*s%s", (int)(domain - addr), addr, port);
		text_tail(label, columns, mark, out, size);
		return;
	}
	if (addr[0] == '[' || columns < 12) {
		text_tail(addr, columns, mark, out, size);
		return;
	}
	while (text_width(tail) > columns / 2)
		text_next(&tail);
	snprintf(out, size, "%.*s%s%s", (int)text_fit(addr, columns - text_width(tail) - 1), addr,
		 mark, tail);
}

int addr_draw(const struct pane *p, int y, int x, int columns, enum style_role role,
	      const char *addr)
{
	char text[ENDPOINT_TEXT_BYTES + 128];

	if (columns < 0 || columns > p->width - x)
		columns = p->width - x;
	if (columns < 4 || text_width(addr) <= columns || strlen(addr) >= ENDPOINT_TEXT_BYTES)
		return pane_text(p, y, x, columns, role, addr);
	addr_shorten(addr, columns, screen_is_ascii(p->screen) ? "~" : "…", text, sizeof(text));
	return pane_text(p, y, x, columns, role, text);
}

int sentence_draw(const struct pane *p, int y, int x, int columns, enum style_role role,
		  const char *text)
{
	/* "failover: waiting for promotion": what follows is no explanation. */
	const char *from = strncmp(text, "failover: ", 10) == 0 ? text + 10 : text;
	const char *colon = strstr(from, ": "), *bracket = strstr(from, "  (");
	const char *end = bracket && (!colon || bracket < colon) ? bracket : colon;
	char shorter[512];

	if (columns < 0 || columns > p->width - x)
		columns = p->width - x;
	if (!end || text_width(text) <= columns)
		return pane_text(p, y, x, columns, role, text);
	text_format(shorter, sizeof(shorter), "%.*s", (int)(end - text), text);
	return pane_text(p, y, x, columns, role, shorter);
}

int text_wrap_draw(const struct pane *p, int y, int x, int columns, int max_lines,
		   enum style_role role, const char *text)
{
	int lines = 0;
	char line[512];

	if (columns < 1)
		return 0;
	while (*text && lines < max_lines) {
		size_t fit = text_fit(text, columns), cut, next;

		if (fit == 0) /* a wide character in one column: pane_text shows what it can */
			break;
		if (lines == max_lines - 1) { /* the last one says that it is cut */
			if (p)
				pane_text(p, y + lines, x, columns, role, text);
			return max_lines;
		}
		if (fit >= sizeof(line)) {
			fit = sizeof(line) - 1;
			while (fit > 1 && ((unsigned char)text[fit] & 0xc0) == 0x80)
				fit--;
		}
		cut = next = fit;
		if (text[fit]) {
			while (cut > 0 && text[cut] != ' ')
				cut--;
			if (cut == 0)
				cut = fit; /* one long word */
			next = cut;
		}
		memcpy(line, text, cut);
		line[cut] = '\0';
		if (p)
			pane_text(p, y + lines, x, columns, role, line);
		lines++;
		text += next;
		while (*text == ' ')
			text++;
	}
	return lines;
}

size_t owned_collect(const struct cluster *c, struct owned *out)
{
	size_t next = 0;
	uint16_t before = RANK_NONE; /* owner of the slot before */

	for (size_t i = 0; i < c->owner_count; i++)
		out[i] = (struct owned){.rank = RANK_NONE};
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
		uint16_t owner = c->owner[slot];
		struct owned *o;

		if (owner >= c->owner_count) {
			before = RANK_NONE;
			continue;
		}
		o = &out[owner];
		if (o->rank == RANK_NONE)
			o->rank = (uint16_t)next++;
		o->slots++;
		if (owner != before) {
			if (o->range_total < OWNED_RANGES)
				o->ranges[o->range_total].first = (uint16_t)slot;
			o->range_total++;
		}
		if (o->range_total <= OWNED_RANGES)
			o->ranges[o->range_total - 1].last = (uint16_t)slot;
		before = owner;
	}
	return next;
}

/* Without X, x: that is how a failed owner's slots are marked where there is no UTF-8. */
char owner_letter(size_t rank)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWYZabcdefghijklmnopqrstuvwyz0123456789";

	return letters[rank % (sizeof(letters) - 1)];
}

enum style_role owner_style(size_t rank)
{
	return (enum style_role)(STYLE_OWNER_1 + (int)(rank % 8));
}

void owned_text(const struct owned *o, size_t max, char *out, size_t size)
{
	size_t len = 0, count = o->range_total;

	if (max > OWNED_RANGES)
		max = OWNED_RANGES;
	if (count > max)
		count = max;
	out[0] = '\0';
	for (size_t i = 0; i < count && len < size; i++) {
		const struct slot_range *r = &o->ranges[i];
		int n;

		if (r->first == r->last)
			n = snprintf(out + len, size - len, "%s%u", i ? " " : "", r->first);
		else
			n = snprintf(out + len, size - len, "%s%u-%u", i ? " " : "", r->first,
				     r->last);
		if (n < 0)
			return;
		len += (size_t)n;
	}
	if (o->range_total > count && len < size)
		snprintf(out + len, size - len, " +%zu more", o->range_total - count);
}
