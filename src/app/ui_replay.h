/* A replay on the screen: play, pause, steps, jumps and speed, and the time line that shows them. */
#ifndef APP_UI_REPLAY_H
#define APP_UI_REPLAY_H

#include <stdbool.h>

#include "base/buf.h"
#include "views/keymap.h"
#include "views/timeline.h"

struct ui;
struct ui_replay;

/* Plays from the begin; with --at, and without a terminal, it stands still. */
struct ui_replay *ui_replay_open(struct ui *ui);
void ui_replay_close(struct ui *ui);
/* Time goes on. Does nothing live. */
void ui_replay_tick(struct ui *ui);
/* As it is now; NULL live. Borrowed until the next call. */
const struct timeline *ui_replay_line(struct ui *ui);
/* The file's name, clean. NULL live. */
const char *ui_replay_name(const struct ui *ui);
/* False: not a command of a replay. */
bool ui_replay_command(struct ui *ui, enum command cmd);
/* A click on the time line. */
void ui_replay_click(struct ui *ui, int column, int columns);
/* :at and :speed. False with the reason in err. */
bool ui_replay_at(struct ui *ui, const char *time, struct buf *err);
bool ui_replay_speed(struct ui *ui, const char *speed, struct buf *err);

#endif
