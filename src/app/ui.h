/* The screen as the operator drives it: which views are shown, keys to commands, sheets, prompts,
 * and the frame step. */
#ifndef APP_UI_H
#define APP_UI_H

#include <stdbool.h>

#include "base/buf.h"

struct app;
struct ui;

/* Opens the screen (headless for --dump) and starts its watchers. NULL with the reason in err. */
struct ui *ui_open(struct app *app, struct buf *err);
void ui_close(struct ui *ui); /* restores the terminal; NULL is legal */
/* Called once a turn of the loop with what changed. Draws at most 30 frames a second, numbers alone
 * once an interval, nothing while the terminal has not taken the last frame. */
void ui_frame(struct ui *ui, unsigned topics);
void ui_leave_sheet(struct ui *ui); /* an action goes on without it; none is open: nothing */
void ui_dirty(struct ui *ui);  /* draw at the next turn */
void ui_tick(struct ui *ui);   /* the clock in the header, meters */
/* --dump: presses the keys of --keys, draws one frame, appends it to out. */
bool ui_dump(struct ui *ui, struct buf *out, struct buf *err);

#endif
