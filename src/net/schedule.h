/* The poll schedule, as a table: what is asked of whom how often.
 * Cost grows linearly with the nodes: what is long is asked of one node in turn. */
#ifndef NET_SCHEDULE_H
#define NET_SCHEDULE_H

#include "model/observation.h"

enum poll_whom {
	POLL_EVERY_NODE,          /* each node, each time */
	POLL_EVERY_SENTINEL,
	POLL_EVERY_CLUSTER_NODE,
	POLL_EVERY_PLAIN_NODE,    /* of sets that no Sentinel is known to watch */
	POLL_ONE_CLUSTER_NODE,    /* of each cluster one node, in turn */
	/* For each master one Sentinel, in turn, so that the word of each is at most `every` times as
	 * many intervals old as there are Sentinels; a small set is asked whole the first time. arg:
	 * the master's name */
	POLL_ONE_SENTINEL_PER_MASTER,
	POLL_SENTINEL_ONCE,       /* once after each connect */
};

struct poll {
	enum question question;
	enum poll_whom whom;
	unsigned every;           /* intervals between two; 1: each interval */
	bool hurry;               /* asked five times as often where something is wrong */
	const char *why;
};

extern const struct poll polls[];
extern const unsigned poll_count;

#define POLL_HURRY_FACTOR        5
#define POLL_HURRY_AFTER_MS      30000 /* goes on so long after all is well */
#define POLL_HURRY_MAX_PER_S     500   /* extra requests a second, at most */
#define POLL_PROMOTION_EVERY_MS  50    /* ROLE of the replica selected for promotion */

#endif
