/* The menu of actions: what can be done to the selection, over whatever screen is shown; and the names
 * of the actions behind `:`. */
#ifndef APP_UI_MENU_H
#define APP_UI_MENU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tui/pane.h"

struct action_kind;
struct ui;

void ui_menu_open(struct ui *ui);
void ui_menu_close(struct ui *ui);
bool ui_menu_is_open(const struct ui *ui);
void ui_menu_key(struct ui *ui, uint32_t key); /* while it is open */
void ui_menu_draw(struct ui *ui, const struct pane *whole);

/* Actions that are typed by their name alone: NULL behind the last one. */
const char *ui_action_name_at(size_t index);
/* "quorum 3": a setting of the Sentinels and its value. False with the reason in err. */
bool ui_action_set(struct ui *ui, const char *argument, struct buf *err);
/* What may stand behind `:set`; NULL behind the last one. */
const char *ui_action_setting_at(size_t index);
/* False: no action has this name. */
bool ui_action_run(struct ui *ui, const char *name);

#endif
