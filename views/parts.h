/* What the views share: how a verdict looks, the frame around a view, letters of slot owners. */
#ifndef VIEWS_PARTS_H
#define VIEWS_PARTS_H

#include "views/view.h"

enum style_role health_style(enum health h);
enum glyph health_glyph(enum health h);
/* The colour of a role's name; the word itself is always drawn as well. */
enum style_role role_style(enum role r);
enum style_role severity_style(enum severity s);

/* Blanks the pane and frames it, with the title, `extra` and the filter on the frame. Where there
 * is no room for a frame the whole pane is returned. */
struct pane view_frame(const struct view *v, const struct pane *p, const char *extra, bool focused);
bool view_is_framed(int height, int width);
/* Esc: takes the filter away; false when there was none. */
bool view_drop_filter(struct view *v);
/* The notice for the operator stands in the alert line, or where that has worse to say in the
 * footer. */
bool notice_is_in_footer(const struct pane *p, const struct view_context *c,
			 const struct deployment *d);
void notice_draw(const struct pane *line, const struct view_context *c);
/* "10.0.0.1:6379 master 10.0.0.1:6379 link lost": a shard and a plain set are called as their
 * master; once is enough. */
const char *verdict_words(const struct verdict *v, const struct deployment *d);
/* A line in the middle of an empty pane. */
void view_say(const struct pane *p, enum style_role role, const char *text);

/* An address in at most `columns` (-1: to the edge). A host loses its domain's end first; of it and of an
 * IPv6 address the end is kept, where they differ. Returns the column after it. */
int addr_draw(const struct pane *p, int y, int x, int columns, enum style_role role,
	      const char *addr);

/* A sentence in at most `columns` (-1: to the edge): without its explanation, behind ": " or "  (",
 * where there is no room for all. Returns the column after it. */
int sentence_draw(const struct pane *p, int y, int x, int columns, enum style_role role,
		  const char *text);

/* Draws text over several lines, cut at blanks; returns the lines used (counted only when p is
 * NULL). */
int text_wrap_draw(const struct pane *p, int y, int x, int columns, int max_lines,
		   enum style_role role, const char *text);

/* What cluster->owners[i] owns, gathered in one pass over the slots. */
#define OWNED_RANGES 12
#define RANK_NONE    UINT16_MAX
struct owned {
	uint16_t rank; /* place by first slot, RANK_NONE: owns nothing */
	size_t slots;
	size_t range_total; /* the first OWNED_RANGES of them are below */
	struct slot_range ranges[OWNED_RANGES];
};
/* Fills out[0 .. cluster->owner_count - 1]; returns how many own at least one slot. */
size_t owned_collect(const struct cluster *c, struct owned *out);
char owner_letter(size_t rank);
enum style_role owner_style(size_t rank);
/* "0-5460 10923-10930", at most `max` ranges, the rest counted: "0-10 20-30 +7 more". */
void owned_text(const struct owned *o, size_t max, char *out, size_t size);

#endif
