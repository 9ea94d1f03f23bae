/* The time line at the bottom of a replay's screen: the whole span with its events as marks, where one is
 * in it, and whether it plays. */
#ifndef VIEWS_TIMELINE_H
#define VIEWS_TIMELINE_H

#include "views/view.h"

struct timeline_mark {
	int64_t at_ms;
	enum severity severity;
	bool failover; /* somebody became master in another's place */
};

enum timeline_state {
	TIMELINE_PAUSED,
	TIMELINE_PLAYING,
	TIMELINE_JUMPING, /* on its way to a moment that is far */
	TIMELINE_END,
};

struct timeline {
	int64_t begin_ms, now_ms, end_ms;                /* of the recorded run's clock */
	int64_t begin_wall_ms, now_wall_ms, end_wall_ms;
	enum timeline_state state;
	double speed;
	const char *damage;                              /* why it ends early, or "" */
	const struct timeline_mark *marks;               /* in order of time */
	size_t mark_count, failovers;
};

/* Rows that it takes from a screen of that height. */
int timeline_height(int height);
void timeline_draw(const struct pane *p, const struct view_context *c);
/* What a click on a column of the strip means: its first failover, else its first event of the worst
 * severity, else the moment itself. */
int64_t timeline_moment(const struct timeline *t, int column, int columns);
/* "4x", "1/2x" */
#define TIMELINE_SPEED_BYTES 16
char *timeline_speed(double speed, char out[TIMELINE_SPEED_BYTES]);

#endif
