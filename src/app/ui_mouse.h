/* What a mouse report does to the screen. */
#ifndef APP_UI_MOUSE_H
#define APP_UI_MOUSE_H

#include "tui/keys.h"

struct ui;

void ui_mouse(struct ui *ui, const struct mouse *mouse);

#endif
