/* --replay: a recording in the place of servers. Its entries go the way that live ones go, into the
 * same model, outputs and screen; the clock of all of these is the recording's. */
#ifndef APP_REPLAY_H
#define APP_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/player.h"

struct app;

struct replay {
	struct player *player;
	int64_t now_ms;     /* the moment that is shown, on the clock of the recorded run */
	bool playing;       /* time goes on */
	double speed;
	int64_t played_us;  /* real clock at the last step of playing */
	int write_error;    /* errno of the first line of --events that was not taken; 0 none */
};

/* Opens the recording of the options and sets app->replay and app->model, at --at or its begin. Without
 * a screen at --at or its end. False with the reason in err. */
bool replay_start(struct app *app, struct buf *err);
void replay_free(struct replay *r);
/* Goes there, forwards or backwards; app->model may be another one then. At most budget_us (0: no
 * limit) of what is to be played is played: false while more is due, and now_ms says how far it came.
 * Past either end is that end. */
bool replay_go(struct app *app, int64_t at_ms, int64_t budget_us);
/* Goes on as far as time has passed, if it plays. False: time was too short for that, it falls behind. */
bool replay_play(struct app *app, int64_t budget_us);
/* "12:31[:07]" of the recording's day, ISO 8601, "+90" from its begin, "-30" before its end. False
 * with words in err when it is none of these, or not within the recording. */
bool replay_parse_time(const struct player *p, const char *text, int64_t *at_ms, struct buf *err);
/* That it ends early, on standard error; nothing of a whole one or without one. */
void replay_say_damage(const struct app *app);
/* --replay --events: prints those of the whole recording, or up to --at. The exit status. */
int replay_print_events(struct app *app);

#endif
