/* The client's eye: what redoubt's own small writes came to, for each master or shard (--probe).
 *
 * An outage lasts from when the first write that failed was begun to the first acknowledged one after
 * it. Lost are writes that were acknowledged and are not there any more when the first one is
 * acknowledged by the next connection, mostly that to the new master. Also where none failed: a manual
 * failover leaves the old master writable until all have heard of the new one. */
#ifndef MODEL_PROBE_H
#define MODEL_PROBE_H

#include "model/model.h"

#define PROBE_OUTAGES_MAX 16
#define PROBE_WORDS_BYTES 200

struct probe_outage {
	int64_t first_failed_ms; /* where none failed: when the loss was found */
	int64_t first_good_ms;   /* 0: not over */
	int64_t wall_ms;         /* of the first failed one */
	int64_t failed;          /* writes */
	int64_t lost;            /* acknowledged ones; FACT_UNKNOWN: could not be seen */
	char reason[128];        /* of the first failed one */
};

struct probe {
	bool on;
	int64_t since_ms;        /* when it was put on; what follows counts from there */
	int64_t at_ms;           /* last heard of */
	uint32_t node_id;        /* whom it writes to; 0 unknown */
	int64_t acknowledged, failed, lost; /* writes */
	int64_t latency_us;      /* of the last acknowledged one; FACT_UNKNOWN: none yet */
	char barred[128];        /* why it cannot write at all, "" */
	struct probe_outage outages[PROBE_OUTAGES_MAX]; /* newest last */
	size_t outage_count;
};

/* NULL: off. What it was like when it was on is in g->probe. */
const struct probe *probe_of(const struct group *g);
/* The one that is not over, or NULL. */
const struct probe_outage *probe_outage_now(const struct group *g);
/* True when it is on for any group of the deployment. */
bool probe_is_on(const struct deployment *d);
/* "5.31 s, 52 writes failed, 3 acknowledged writes lost" */
void probe_outage_text(const struct probe_outage *o, int64_t now_ms, char out[PROBE_WORDS_BYTES]);
/* "writes ok 0.4 ms", "NO WRITE for 3.2 s: connection refused"; returns how bad that is. */
enum health probe_text(const struct group *g, int64_t now_ms, char out[PROBE_WORDS_BYTES]);
/* The same of all its groups: the worst one, or how many are well. */
enum health probe_deployment_text(const struct deployment *d, int64_t now_ms,
				  char out[PROBE_WORDS_BYTES]);

#endif
