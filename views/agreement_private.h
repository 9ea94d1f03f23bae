/* What the parts of the agreement screen share. It is a text of lines, made for a width: verdicts,
 * a table of who says what, and what follows from it. Each line is a row of the list. */
#ifndef VIEWS_AGREEMENT_PRIVATE_H
#define VIEWS_AGREEMENT_PRIVATE_H

#include "base/buf.h"
#include "model/agreement.h"
#include "views/parts.h"

enum agree_kind {
	AGREE_LINE_HEADING = 1, /* a master; filled when it is drawn */
	AGREE_LINE_TEXT,
	AGREE_LINE_TITLES,      /* of the table's columns */
	AGREE_LINE_CELLS,       /* a row of the table */
};

/* What a line is about: part of its id, so that a line keeps it when others come and go. */
enum agree_about {
	ABOUT_MASTER = 1, ABOUT_SPLIT, ABOUT_READINESS, ABOUT_FORECAST, ABOUT_DISSENT, ABOUT_TABLE,
	ABOUT_REPLICAS, ABOUT_GHOSTS, ABOUT_SHARDS, ABOUT_WORD, ABOUT_WORD_REPLICAS,
	ABOUT_WORD_PEERS,
};

struct agree_line {
	uint64_t id;
	uint32_t group_id, node_id; /* 0: none */
	enum agree_kind kind;
	enum style_role style;
	int glyph;                  /* enum glyph, -1: none */
	int indent;
	size_t text;                /* in `texts`; headings: what was filled in */
	uint32_t at;                /* row of the table */
};

/* Who says what. Rows are those who speak, or, where that fits better, what they speak of. */
struct agree_speaker {
	uint32_t node_id, group_id;
	bool silent;
	char name[80];
	char candidate[80];         /* whom it would promote; Sentinels only */
	bool differs;               /* from whom most others would promote */
};
struct agree_table {
	enum deployment_kind kind;
	uint32_t group_id;          /* cluster: 0 */
	struct agree_speaker *speakers;
	size_t count, cap;
	size_t fields;
	bool turned;                /* rows are fields */
	size_t first, shown;        /* rows are speakers: fields in sight */
	int name_width;
	int widths[24];             /* of each field, with mark and gap */
};
#define AGREE_CHOSEN_NONE SIZE_MAX

struct agree_view {
	struct view view;
	struct agree_line *lines;
	size_t count, cap;
	struct buf texts;
	int width;                  /* for which the lines were made; 0: not yet */
	uint32_t *groups;           /* worst first */
	size_t group_count, group_cap;
	uint32_t opened;            /* by the operator; 0: the worst is open */
	bool all_closed;
	uint32_t word_of, word_group; /* Enter: everything that this Sentinel says; 0: no */
	uint32_t speaker;           /* chosen in a table whose columns are speakers */
	struct agree_table table;
};

/* agreement_lines.c: makes lines for t->width. */
void agree_make_lines(struct agree_view *t, const struct view_context *c);
/* "NO  mymaster ...": verdict of a master that is closed. */
void agree_fill_heading(struct agree_view *t, const struct view_context *c, struct agree_line *line);
struct agree_line *agree_line_add(struct agree_view *t, enum agree_kind kind, enum agree_about about,
				  uint32_t group_id, uint32_t node_id);
/* A text over as many lines as it takes. glyph -1: none. */
void agree_text_add(struct agree_view *t, enum agree_about about, uint32_t group_id, uint32_t node_id,
		    enum style_role style, int glyph, int indent, const char *text);
const char *agree_addr(const struct model *m, uint32_t node_id, char *out); /* "?" */

/* agreement_verdicts.c: the parts of one master's text. */
void agree_verdicts_add(struct agree_view *t, const struct view_context *c, const struct group *g);
void agree_replicas_add(struct agree_view *t, const struct view_context *c, const struct group *g);
void agree_ghosts_add(struct agree_view *t, const struct view_context *c, const struct group *g);
void agree_cluster_add(struct agree_view *t, const struct view_context *c, const struct deployment *d);
void agree_shards_add(struct agree_view *t, const struct deployment *d);

/* agreement_word.c: everything that one Sentinel says of one master. */
void agree_word_add(struct agree_view *t, const struct view_context *c, const struct group *g,
		    uint32_t sentinel_id);

/* agreement_table.c */
void agree_table_add(struct agree_view *t, const struct view_context *c, const struct deployment *d,
		     const struct group *g);
void agree_table_draw(const struct agree_view *t, const struct view_context *c, const struct pane *p,
		      int y, const struct agree_line *line);
/* All that a row says, for the filter. */
void agree_table_text(const struct agree_view *t, const struct view_context *c,
		      const struct agree_line *line, char *out, size_t size);
bool agree_table_scroll(struct agree_view *t, bool right); /* false: nothing to scroll */
/* What one says in one field; false: there is no such cell. */
struct agree_cell {
	bool known, dissents, binding, bad;
	int64_t since_ms;
	char text[80];
};
void agree_table_cell(const struct agree_view *t, const struct view_context *c, size_t speaker,
		      size_t field, struct agree_cell *out);
const char *agree_field_title(const struct agree_table *t, size_t field);

/* agreement_draw.c */
void agreement_draw(struct view *v, const struct view_context *c, const struct pane *p, bool focused);

#endif
