/* Two masters of one name: a former master that still says so of itself after another one was promoted
 * (SENTINEL FAILOVER demotes nobody), or a promoted one that the Sentinels did not hear of. What is
 * written there is lost when it is made a replica. */
#ifndef MODEL_STRAY_H
#define MODEL_STRAY_H

#include "model/model.h"

struct stray_master {
	uint32_t node_id;
	uint32_t master_id; /* whom the group follows */
	int64_t since_ms;   /* both say master since; monotonic */
	int64_t bytes;      /* of writes there that the master has not, Sentinels' hellos included;
			     * FACT_UNKNOWN */
};

/* The first one of a group with Sentinels; false: there is none that answers. */
bool stray_master_of(const struct model *m, const struct group *g, struct stray_master *out);
/* Whether one of which that was said is no second master any more by somebody's word: that it only does
 * not answer, or that the other one does not, ends nothing. */
bool stray_is_over(const struct model *m, const struct group *g, uint32_t stray_id);
/* A failover of the group is promoting that node right now: it says master before any Sentinel names it. */
bool group_promotes(const struct model *m, const struct group *g, const struct node *n);
/* How far the replication stream of a node went on since it and another one parted. */
int64_t stray_bytes(const struct node *stray, const struct node *master);

#endif
