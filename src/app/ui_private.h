/* Inside the screen's controller: what ui.c (frames, life) and ui_command.c (keys) share. */
#ifndef APP_UI_PRIVATE_H
#define APP_UI_PRIVATE_H

#include <ev.h>

#include "app/app.h"
#include "app/ui.h"
#include "tui/keys.h"
#include "tui/prompt.h"
#include "tui/screen.h"
#include "views/view.h"

enum screen_index { SCREEN_DASHBOARD, SCREEN_TOPOLOGY, SCREEN_REPLICATION, SCREEN_SLOTS, SCREEN_EVENTS,
		    SCREEN_COUNT };
#define VIEW_COUNT 4 /* one for each screen but the dashboard, which shows them together */

struct ui {
	struct app *app;
	struct screen *screen;
	struct theme theme;
	const char *theme_name;   /* borrowed from the settings; NULL: the default */
	struct view *views[VIEW_COUNT];
	uint32_t built_for[VIEW_COUNT]; /* deployment whose rows a view has; 0 none */
	enum screen_index current;
	size_t focus;             /* view on the dashboard */
	bool zoomed;
	bool help;
	int help_scroll;
	bool prompting;
	struct prompt prompt;
	struct action *sheet;     /* open, or NULL; owned by the app */
	struct prompt typed;
	bool frozen;
	int64_t frozen_at_ms;
	uint32_t frozen_for;      /* the deployment shown then */
	uint32_t deployment_id;
	/* the frame step */
	bool dirty, key_dirty;
	int64_t values_due_ms;    /* 0: no numbers wait */
	int64_t frame_ms, key_frame_ms, values_frame_ms;
	ev_io readable, writable;
	ev_timer again;
	ev_signal on_winch, on_cont, on_tstp;
	bool headless;
	/* the byte meter */
	int64_t meter_ms;
	uint64_t meter_bytes;
	double bytes_per_second;
	char log_error[120];
};

const struct deployment *ui_shown_deployment(struct ui *ui, size_t *index, size_t *count);
enum deployment_kind ui_shown_kind(struct ui *ui);
struct view_context ui_context(struct ui *ui);
struct view *ui_focused_view(struct ui *ui);
bool ui_view_applies(struct ui *ui, const struct view *v);
void ui_all_stale(struct ui *ui);
/* Rows for what is shown now: anew when stale, unless the screen stands still; always when the view
 * has those of another deployment. */
void ui_refresh_view(struct ui *ui, struct view *v, const struct view_context *c);
/* Every view gets its rows of this moment, also those out of sight. */
void ui_freeze(struct ui *ui);
void ui_unfreeze(struct ui *ui);
void ui_suspend(struct ui *ui); /* Ctrl-Z: until SIGCONT */

/* One key, wherever it goes: sheet, prompt, help, view or program. */
void ui_key(struct ui *ui, uint32_t key);

#endif
