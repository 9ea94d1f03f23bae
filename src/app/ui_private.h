/* Inside the screen's controller: what its files share. */
#ifndef APP_UI_PRIVATE_H
#define APP_UI_PRIVATE_H

#include <ev.h>

#include "app/app.h"
#include "app/attention.h"
#include "app/ui.h"
#include "app/ui_line.h"
#include "app/ui_replay.h"
#include "tui/keys.h"
#include "tui/prompt.h"
#include "tui/screen.h"
#include "views/view.h"

/* Rows of the table of screens; the one of a key is found by ui_screen_of. */
enum { SCREEN_DASHBOARD = 0, SCREEN_NODE = 10, SCREEN_COUNT = 12 };

struct ui_screen {
	char key;                    /* of its tab; none: it has no tab */
	enum command command;
	const char *name, *short_name;
	const struct view_ops *ops;  /* NULL: the dashboard, or a screen that is not there yet */
	bool on_dashboard;
};
extern const struct ui_screen ui_screens[SCREEN_COUNT];

struct ui {
	struct app *app;
	struct screen *screen;
	struct theme theme;
	struct theme_library *themes; /* read at the start */
	const char *theme_name;   /* of the settings or of a choice; NULL: the default */
	struct theme_choice *theme_choices;
	struct theme_picker *theme_picker; /* NULL: closed */
	struct view *views[SCREEN_COUNT]; /* by screen; NULL where there is none */
	struct { uint32_t deployment_id, node_id; } built_for[SCREEN_COUNT]; /* whose rows a view has */
	size_t current;           /* screen */
	size_t focus;             /* screen whose view has the focus on the dashboard */
	size_t focus_chosen;      /* the same, whether there is room for it or not */
	bool zoomed;
	uint32_t node_id;         /* of the node's detail screen; 0: it is not open */
	size_t back_to;           /* the screen under it */
	bool back_zoomed;
	bool help;
	int help_scroll, help_scroll_max;
	bool prompting;
	struct prompt prompt;
	bool lining;              /* the `:` line is open */
	struct line line;
	struct action_menu *menu; /* NULL: closed */
	struct action *sheet;     /* open, or NULL; owned by the app */
	struct prompt typed;
	bool frozen;
	int64_t frozen_at_ms;
	struct model *frozen_model; /* a copy of then: sorting, filters and other screens work on it */
	uint32_t deployment_id;
	/* the frame step */
	bool dirty, key_dirty;
	int64_t values_due_ms;    /* 0: no numbers wait */
	int64_t frame_ms, key_frame_ms, values_frame_ms;
	ev_io readable, writable;
	ev_timer again;           /* the next frame */
	ev_timer rest;            /* of an escape sequence */
	ev_signal on_winch, on_cont, on_tstp;
	bool headless;
	struct ui_replay *replay; /* NULL live */
	struct attention attention;
	int64_t attention_ms;     /* of the last look */
	/* the byte meter */
	int64_t meter_ms;
	uint64_t meter_bytes;
	double bytes_per_second;
	char log_error[120], record_error[120];
};

/* --- ui.c --- */
/* What is drawn from: of the moment of the freeze, or the live one. */
const struct model *ui_model(const struct ui *ui);
const struct deployment *ui_shown_deployment(struct ui *ui, size_t *index, size_t *count);
enum deployment_kind ui_shown_kind(struct ui *ui);
struct view_context ui_context(struct ui *ui);
struct view *ui_focused_view(struct ui *ui);
bool ui_view_applies(struct ui *ui, const struct view *v);
void ui_all_stale(struct ui *ui);
/* Rows for what is shown now: anew when stale, unless somebody decides by them; always when the view
 * has those of another deployment. */
void ui_refresh_view(struct ui *ui, struct view *v, const struct view_context *c);
void ui_freeze(struct ui *ui);
void ui_unfreeze(struct ui *ui);
void ui_suspend(struct ui *ui); /* Ctrl-Z: until SIGCONT */

void ui_draw(struct ui *ui); /* within a frame */
void ui_send_frame(struct ui *ui);

/* --- ui_screens.c --- */
bool ui_screen_exists(size_t screen);
unsigned ui_screens_missing(void); /* bit n: screen n */
size_t ui_screen_of(enum command cmd); /* SCREEN_COUNT: of none */
void ui_screens_open(struct ui *ui);
void ui_screens_close(struct ui *ui);
size_t ui_tabs(const struct ui *ui, struct tab out[SCREEN_COUNT], size_t *active);
/* Rects of the dashboard; their views are screens. */
size_t ui_dashboard_panes(struct ui *ui, const struct view_context *c, int height, int width,
			  struct rect out[SCREEN_COUNT]);
void ui_settle_focus(struct ui *ui, const struct rect *rects, size_t count);
void ui_move_focus(struct ui *ui, int step);
void ui_go_to(struct ui *ui, size_t screen); /* says so when it can't */
void ui_open_node(struct ui *ui, uint32_t node_id);
void ui_show_deployment(struct ui *ui, uint32_t deployment_id);
void ui_move_deployment(struct ui *ui, int step);
void ui_go_back(struct ui *ui);

/* --- ui_command.c --- */
/* One key, wherever it goes: sheet, prompt, help, view or program. */
void ui_key(struct ui *ui, uint32_t key);
/* The focused view's, or the program's. */
void ui_command(struct ui *ui, enum command cmd);
/* What help, the menu and the theme picker have in common: the place moves within 0 to last, a page
 * at a time as well; redraw and suspend. False: the command is none of these. */
bool ui_overlay_command(struct ui *ui, enum command cmd, int page, int last, int *at);

/* --- ui_sheet.c --- */
struct selection ui_selected(struct ui *ui);
/* What an action would act on now. */
struct action_context ui_action_context(struct ui *ui);
void ui_open_action(struct ui *ui, const struct action_kind *kind);
/* at_once: what asks for no confirmation is sent with it. */
void ui_open_sheet(struct ui *ui, const struct action_kind *kind, const struct action_context *on,
		   bool at_once);
void ui_sheet_key(struct ui *ui, uint32_t key);

/* --- ui_line_commands.c --- */
void ui_line_run(struct ui *ui, const char *text);
void ui_line_complete(void *user, const char *text, struct line_candidates *out);
/* The commands that take an argument, for the manual; false behind the last one. */
bool ui_line_command_at(size_t index, const char **name, const char **argument);

#endif
