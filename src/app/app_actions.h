/* The actions of a running program: which may be sent, the sheets that are open, what is on its way,
 * and the replies, which find their action again by a tag. What an action is and does is in
 * src/action; what it looks like in views/sheet.c. */
#ifndef APP_APP_ACTIONS_H
#define APP_APP_ACTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "action/action.h"

#define APP_ACTIONS_MAX 8

struct app;

/* One slot: an action, whether its sheet is on the screen, and when each target was sent to. */
struct app_action {
	struct action *action;
	bool open; /* on the screen as a sheet */
	int64_t sent_us[ACTION_TARGETS_MAX];
};

/* Why it cannot be sent now, whatever the servers are like: a recording, read-only, another one on
 * its way. NULL: nothing speaks against it. out is at least 120 bytes. */
const char *app_action_refusal(const struct app *app, const struct action_kind *kind,
			       const struct action_context *on, char out[120]);
/* Opens an action's sheet and sends nothing. NULL with a notice when it may not even be opened. */
struct action *app_action_open(struct app *app, const struct action_kind *kind,
			       const struct action_context *on);
/* Checks again and sends. */
void app_action_send(struct app *app, struct action *a);
/* The sheet was left: an action on its way is followed to its end all the same. */
void app_action_close(struct app *app, struct action *a);

/* What their sheets say is brought up to date, what is due is sent, what is over and left is told.
 * After whatever may have moved one: an observation, a reply, the tick. */
void app_actions_follow(struct app *app);
/* An operator who wants to leave while an action is on its way is asked once. True: he stays for now. */
bool app_actions_hold(struct app *app);
/* The program ends: what is on its way has an outcome that nobody here will see, and says so. */
void app_actions_leave(struct app *app);
void app_actions_free(struct app *app);

#endif
