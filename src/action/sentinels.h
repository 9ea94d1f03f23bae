/* What the actions on Sentinels share: whom a command goes to, who of a master's set lives, and which
 * Sentinel knows them all. */
#ifndef ACTION_SENTINELS_H
#define ACTION_SENTINELS_H

#include "action/action.h"

#define ROLL_MAX 64

/* Who there is, by the lists of all Sentinels that answer. Ids in order. */
struct roll {
	struct endpoint master;
	uint32_t replicas[ROLL_MAX], sentinels[ROLL_MAX]; /* alive */
	size_t replica_count, sentinel_count;
	uint32_t lost[ROLL_MAX];  /* listed, but down for everybody who lists them and for us */
	size_t lost_count;
	bool overflow;            /* more than fit */
};

void roll_call(struct roll *r, const struct model *m, const struct group *g);
uint64_t roll_fingerprint(const struct roll *r);
/* By its own lists, all of them read after since_ms: the master, every living replica and every other
 * living Sentinel, none of them down or disconnected. False with what is missing in why. */
bool roll_is_known_to(const struct roll *r, const struct model *m, const struct sentinel_view *v,
		      int64_t since_ms, char why[160]);

/* kind->applies: a group that Sentinels watch. */
bool sentinels_watch(const struct model *m, const struct action_context *on, int64_t now_ms);
/* "10.0.0.1:26379 a b" of node ids, the rest counted; "nobody". Returns out. */
char *node_names(const struct model *m, const uint32_t *ids, size_t count, char *out, size_t size);
/* What begins every command to all Sentinels: the group, its name as subject and confirmation, and as
 * targets all that answer. NULL and blocked when there is nobody to send to. */
const struct group *sentinels_prepare(struct action *a, const struct model *m);
/* A line for each Sentinel that is known and does not answer: what it misses. */
void sentinels_brief_missed(struct action *a, const struct model *m, const struct group *g,
			    const char *what);
/* Replies of several that were asked at once. True when all are there; the ones that refused are on
 * the sheet. Ends the action when nobody took the command. */
bool sentinels_replied(struct action *a, const struct model *m, size_t index, enum answer answer,
		       const char *text);

#endif
