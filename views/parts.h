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
/* A line in the middle of an empty pane. */
void view_say(const struct pane *p, enum style_role role, const char *text);

/* Draws text over several lines, cut at blanks; returns the lines used (counted only when p is
 * NULL). */
int text_wrap_draw(const struct pane *p, int y, int x, int columns, int max_lines,
		   enum style_role role, const char *text);

/* Owners of slots by their first slot: rank[i] is the place of cluster->owners[i]. Returns how many
 * own at least one slot; rank must hold cluster->owner_count. */
size_t owners_rank(const struct cluster *c, uint16_t *rank);
char owner_letter(size_t rank);
enum style_role owner_style(size_t rank);
/* "0-5460 10923-10930" of at most `columns`, the rest counted: "0-10 20-30 +7". */
void ranges_text(const struct slot_range *ranges, size_t count, size_t total, char *out, size_t size);

#endif
