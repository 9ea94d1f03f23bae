/* The lines of the agreement screen: in which order what is said, and what the filter leaves. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/readiness.h"
#include "views/agreement_private.h"

#define LINES_MAX 20000 /* of servers that list without end */

const char *agree_addr(const struct model *m, uint32_t node_id, char *out)
{
	const struct node *n = model_node(m, node_id);

	return n ? endpoint_format(&n->addr, out) : "?";
}

static size_t store(struct agree_view *t, const char *text, size_t len)
{
	size_t at = t->texts.len;

	buf_add(&t->texts, text, len);
	buf_add(&t->texts, "", 1);
	return at;
}

/* Unique: the group, what it is about, and the how manieth of these lines. */
static uint64_t line_id(const struct agree_view *t, enum agree_about about, uint32_t group_id)
{
	uint32_t nth = 0;

	for (size_t i = t->count; i > 0; i--) {
		const struct agree_line *before = &t->lines[i - 1];

		if (before->group_id != group_id) /* one master's lines stand together */
			break;
		if (((before->id >> 24) & 0xff) != (uint64_t)about)
			continue;
		nth = (uint32_t)(before->id & 0xffffff) + 1;
		break;
	}
	return (uint64_t)group_id << 32 | (uint64_t)about << 24 | (nth & 0xffffff);
}

struct agree_line *agree_line_add(struct agree_view *t, enum agree_kind kind, enum agree_about about,
				  uint32_t group_id, uint32_t node_id)
{
	struct agree_line *line;

	t->lines = mem_grow(t->lines, &t->cap, t->count + 1, sizeof(*t->lines));
	line = &t->lines[t->count];
	*line = (struct agree_line){.id = line_id(t, about, group_id),
				    .group_id = group_id,
				    .node_id = node_id,
				    .kind = kind,
				    .style = STYLE_TEXT,
				    .glyph = -1,
				    .text = SIZE_MAX};
	t->count++;
	return line;
}

void agree_text_add(struct agree_view *t, enum agree_about about, uint32_t group_id, uint32_t node_id,
		    enum style_role style, int glyph, int indent, const char *text)
{
	int columns = t->width - indent - 2 * (glyph >= 0);

	if (columns < 8)
		columns = 8;
	do {
		struct agree_line *line;
		size_t fit = text_fit(text, columns), cut;

		if (t->count >= LINES_MAX)
			return;
		if (fit == 0 && *text)
			fit = strlen(text);
		cut = fit;
		while (text[fit] && cut > 0 && text[cut] != ' ')
			cut--;
		if (cut == 0)
			cut = fit; /* one long word */
		line = agree_line_add(t, AGREE_LINE_TEXT, about, group_id, node_id);
		line->style = style;
		line->glyph = glyph;
		line->indent = indent;
		line->text = store(t, text, cut);
		text += cut;
		while (*text == ' ')
			text++;
		if (glyph >= 0) /* what follows stands below the first word */
			indent += 2;
		glyph = -1;
	} while (*text);
}

/* --- a master ------------------------------------------------------------------------------ */

static enum health health_of_ready(enum ready r)
{
	switch (r) {
	case READY_YES:
		return HEALTH_OK;
	case READY_UNKNOWN:
		return HEALTH_UNKNOWN;
	case READY_DOUBTFUL:
		return HEALTH_WARNING;
	case READY_NO:
		break;
	}
	return HEALTH_CRITICAL;
}

static uint32_t open_group(const struct agree_view *t)
{
	for (size_t i = 0; i < t->group_count; i++)
		if (t->groups[i] == t->opened)
			return t->opened;
	return t->all_closed && t->group_count > 1 ? 0 : t->group_count ? t->groups[0] : 0;
}

void agree_fill_heading(struct agree_view *t, const struct view_context *c, struct agree_line *line)
{
	const struct group *g = model_group(c->model, line->group_id);
	struct agreement a;
	struct readiness r;
	struct verdict verdict;
	bool open = line->group_id == open_group(t) && t->table.kind != KIND_CLUSTER;
	char text[900], addr[ENDPOINT_TEXT_BYTES];
	const char *master;
	enum health worst;

	if (line->text != SIZE_MAX || !g)
		return;
	agreement_of(c->model, g, c->now_ms, &a);
	readiness_of(c->model, g, c->now_ms, &r);
	health_group(c->model, g, c->now_ms, &verdict);
	worst = health_worse(verdict.health, r.running ? HEALTH_WARNING : health_of_ready(r.verdict));
	line->glyph = (int)health_glyph(worst);
	line->style = health_style(worst);
	master = agree_addr(c->model, g->master_id, addr);
	/* What is open says below whether it can fail over. */
	snprintf(text, sizeof(text), "%.128s%s%.80s  %s%s", g->name,
		 strcmp(g->name, master) == 0 ? "" : "  ",
		 strcmp(g->name, master) == 0 ? "" : master,
		 a.split_brain ? "SPLIT BRAIN: " : "",
		 a.split_brain ? a.text
		 : open	       ? verdict.text[0] ? verdict.text : "ok"
			       : r.text);
	line->text = store(t, text, strlen(text));
}

static void group_add(struct agree_view *t, const struct view_context *c, const struct deployment *d,
		      const struct group *g, bool open)
{
	if (t->group_count > 1) /* else the frame has its name */
		agree_line_add(t, AGREE_LINE_HEADING, ABOUT_MASTER, g->id, g->master_id);
	if (!open)
		return;
	agree_verdicts_add(t, c, g);
	agree_table_add(t, c, d, g);
	agree_replicas_add(t, c, g);
	agree_ghosts_add(t, c, g);
}

/* --- filter -------------------------------------------------------------------------------- */

static bool line_matches(struct agree_view *t, const struct view_context *c, struct agree_line *line)
{
	char text[2048];

	if (line->kind == AGREE_LINE_HEADING)
		agree_fill_heading(t, c, line);
	if (line->kind == AGREE_LINE_CELLS) {
		agree_table_text(t, c, line, text, sizeof(text));
		return view_matches(&t->view, text);
	}
	return line->text != SIZE_MAX && view_matches(&t->view, buf_str(&t->texts) + line->text);
}

/* Keeps what matches, with the head of its master and the titles of its table. */
static void filter_lines(struct agree_view *t, const struct view_context *c)
{
	size_t kept = 0, heading = SIZE_MAX, titles = SIZE_MAX;

	for (size_t i = 0; i < t->count; i++) {
		struct agree_line line = t->lines[i];

		if (line.kind == AGREE_LINE_HEADING) {
			heading = i;
			titles = SIZE_MAX;
		}
		if (line.kind == AGREE_LINE_TITLES)
			titles = i;
		if (!line_matches(t, c, &line))
			continue;
		/* kept never gets ahead of them: both lie before i. */
		if (heading != SIZE_MAX && heading != i)
			t->lines[kept++] = t->lines[heading];
		heading = SIZE_MAX;
		if (titles != SIZE_MAX && line.kind == AGREE_LINE_CELLS) {
			t->lines[kept++] = t->lines[titles];
			titles = SIZE_MAX;
		}
		t->lines[kept++] = line;
	}
	t->count = kept;
}

void agree_make_lines(struct agree_view *t, const struct view_context *c)
{
	const struct deployment *d = model_deployment(c->model, c->deployment_id);
	const struct group *word = t->word_of ? model_group(c->model, t->word_group) : NULL;
	uint32_t open = open_group(t);
	bool at_top = t->view.list.top == 0;

	t->count = 0;
	buf_reset(&t->texts);
	t->table.count = 0;
	if (word) {
		agree_word_add(t, c, word, t->word_of);
	} else if (d && d->kind == KIND_CLUSTER) {
		agree_cluster_add(t, c, d);
		agree_table_add(t, c, d, NULL);
		agree_shards_add(t, d);
	} else {
		for (size_t i = 0; d && i < t->group_count; i++) {
			const struct group *g = model_group(c->model, t->groups[i]);

			if (g)
				group_add(t, c, d, g, g->id == open);
		}
	}
	if (t->view.filter[0])
		filter_lines(t, c);
	list_begin(&t->view.list);
	for (size_t i = 0; i < t->count; i++)
		list_add(&t->view.list, t->lines[i].id);
	list_end(&t->view.list);
	/* The worst news come first: who looks at the top must not lose them because the selected row
	 * keeps its place. */
	if (at_top)
		t->view.list.top = 0;
}
