/* A view: one pane's worth of the model. Reads a const model, draws with tui/, returns wishes. */
#ifndef VIEWS_VIEW_H
#define VIEWS_VIEW_H

#include "model/health.h"
#include "model/model.h"
#include "tui/graph.h"
#include "tui/keys.h"
#include "tui/list.h"
#include "tui/pane.h"
#include "tui/prompt.h"
#include "views/keymap.h"

struct timeline;

/* What a deployment's settings say of it. */
struct view_settings {
	const char *label;         /* shown as a badge; or NULL */
	bool read_only;
};

/* What the views may look at; filled by the app before each rebuild. */
struct view_context {
	const struct model *model;
	int64_t now_ms, wall_ms;   /* now_ms stands still while the screen is frozen */
	int64_t live_now_ms;       /* goes on: for the alert line, which is never frozen */
	const struct model *live_model; /* as well; model is that of the freeze */
	int64_t interval_ms;
	uint32_t deployment_id;    /* the one shown */
	uint32_t node_id;          /* of a node's own screen; 0 elsewhere */
	size_t deployment_index, deployment_count; /* "1/3" */
	const char *label;         /* of the deployment's settings, shown as a badge; or NULL */
	bool read_only, frozen;
	int64_t frozen_at_ms;      /* monotonic */
	double bytes_per_second;   /* to the terminal */
	const char *notice;        /* one-line message for the operator, or "" */
	enum health notice_health;
	const char *log_error;     /* --log's trouble, or "" */
	/* Of any deployment, for the fleet; NULL: nothing is known of the others. */
	struct view_settings (*settings)(const void *owner, uint32_t deployment_id);
	const void *settings_owner;
	bool recording;            /* --record */
	int64_t recording_bytes;   /* written so far */
	const char *recording_error; /* why it stopped, or "" */
	bool replay;               /* --replay: nothing is live */
	const char *replay_name;   /* of its file */
	const struct timeline *timeline; /* of a replay; NULL live */
	const struct keymap *keys; /* in force; NULL: as built in */
	enum graph_style graph;    /* of [ui] */
	bool dashboard;            /* several panes: Tab and zoom do something */
	bool zoomed;               /* one of them alone */
	unsigned missing_screens;  /* bit n: no screen n here */
};

/* What a view wishes for; the app carries it out. */
enum effect {
	EFFECT_NONE   = 0,      /* not mine: try the next one */
	EFFECT_REDRAW = 1u << 0,
	EFFECT_DONE   = 1u << 1, /* handled, nothing to draw */
	EFFECT_OPEN_NODE       = 1u << 2, /* the screen of the selection's node; Esc comes back */
	EFFECT_OPEN_DEPLOYMENT = 1u << 3, /* the dashboard of the selection's deployment */
};

/* What is selected: for actions. Any may be 0. */
struct selection { uint32_t deployment_id, group_id, node_id; };

struct view;
struct view_ops {
	const char *name, *title;
	unsigned topics;     /* TOPIC_ bits that make it stale */
	size_t state_size;   /* of the view's own struct, whose first member is struct view */
	bool uses_filter;
	const char *filter_help;  /* what the filter matches, for the prompt; NULL: "filter" */
	/* Commands for which its act does something of its own, moving apart; the most useful first,
	 * ends with CMD_NONE. Hints in the footer come from it. NULL: none. */
	const enum command *takes;
	/* For `:sort` and `:columns`: names of its columns, NULL at the end; and to sort by one (again:
	 * the other way round), or to show a list "a,b,c" of them. False: it has no such column. */
	const char *const *columns;
	bool (*sort)(struct view *v, const char *column);
	bool (*choose)(struct view *v, const char *list);
	void (*init)(struct view *v);
	void (*done)(struct view *v);
	/* Model to rows: the only callback that walks the model. */
	void (*rebuild)(struct view *v, const struct view_context *c);
	void (*draw)(struct view *v, const struct view_context *c, const struct pane *p, bool focused);
	unsigned (*act)(struct view *v, const struct view_context *c, enum command cmd);
	/* Rows it would like to have, for sharing out a screen; <= 0: all it can get. */
	int (*wanted_height)(const struct view *v, const struct view_context *c, int width);
	void (*selection)(const struct view *v, struct selection *out);
	/* True when it makes sense for this kind of deployment (the slot map: clusters only). */
	bool (*applies)(enum deployment_kind kind);
};

struct view {
	const struct view_ops *ops;
	struct list list;
	char filter[PROMPT_BYTES]; /* "" none; a leading '!' inverts */
	bool stale;                /* rebuild before the next draw */
};

struct view *view_new(const struct view_ops *ops);
void view_free(struct view *v);
void view_set_filter(struct view *v, const char *filter);
/* True when text passes the view's filter. */
bool view_matches(const struct view *v, const char *text);
/* Draws it; what the filter looks for is marked. */
void view_draw(struct view *v, const struct view_context *c, const struct pane *p, bool focused);
/* A command for which its act does something of its own. */
bool view_takes(const struct view *v, enum command cmd);
/* The stock handling of the moving commands on v->list. */
unsigned view_list_act(struct view *v, enum command cmd);

extern const struct view_ops agreement_view, topology_view, replication_view, slots_view, events_view,
	fleet_view, nodes_view, node_view, last_failover_view, failovers_view;
/* The id of the failover that is selected there; 0: none, or another view. */
uint32_t failovers_view_selected(const struct view *v);

/* Not views, but drawn the same way. */
/* A screen that exists, and its key. */
struct tab { char key; const char *name, *short_name; };
/* Header (line 0), alert line (line 1) and tabs (line 2): returns the lines used (fewer when the
 * screen is low). */
int header_draw(const struct pane *p, const struct view_context *c, const struct tab *tabs,
		size_t tab_count, size_t active);
void footer_draw(const struct pane *p, const struct view_context *c, const struct view *focused);
/* Of the page of keys, which has no other focus. */
void footer_help_draw(const struct pane *p, const struct view_context *c);
/* Returns how far it can be scrolled. */
int help_draw(const struct pane *p, const struct view_context *c, int scroll);
/* All of it, with its frame, on a screen of that width. */
int help_height(const struct view_context *c, int width);
struct sheet;
/* The action sheet over the screen; typed is the prompt for the confirmation. Returns how far its lines
 * can be scrolled. */
int sheet_draw(const struct pane *p, const struct view_context *c, const struct sheet *sheet,
	       const struct prompt *typed);
struct menu;
/* The menu of actions over the screen; scrolls so that the selected entry is in view. */
void menu_draw(const struct pane *p, struct menu *menu);
/* Panes of the dashboard for a size and kind: fills rects for the views given; returns how many
 * are visible. A zoomed dashboard shows only the focused one. */
struct rect { int y, x, height, width; size_t view; };
size_t dashboard_layout(struct view *const *views, size_t view_count, const struct view_context *c,
			int height, int width, struct rect *out, size_t max);

#endif
