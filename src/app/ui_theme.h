/* Themes on the screen: each deployment's own, one chosen while the program runs, and the picker. */
#ifndef APP_UI_THEME_H
#define APP_UI_THEME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "tui/pane.h"

struct ui;

/* The theme of the start, into ui->theme. False with the reason in err. */
bool ui_theme_open(struct ui *ui, struct buf *err);
void ui_theme_close(struct ui *ui);
/* Another deployment may look different, so that production is not taken for a test. Call before a
 * frame is drawn. */
void ui_theme_follow(struct ui *ui);
/* From now on NAME in the place of the theme that is shown; deployments with another of their own
 * keep it. False with the reason in err. */
bool ui_theme_set(struct ui *ui, const char *name, struct buf *err);

/* The picker: a list over the screen that previews what it stands on. */
void ui_theme_pick(struct ui *ui);
bool ui_theme_picking(const struct ui *ui);
void ui_theme_key(struct ui *ui, uint32_t key); /* while picking */
void ui_theme_draw(struct ui *ui, const struct pane *whole);

#endif
