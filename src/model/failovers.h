/* Every failover seen, as a time line: what happened when, by whose word, and how it ended. Kept by
 * the model from the events and replies that it applies, so a recording gives the same. */
#ifndef MODEL_FAILOVERS_H
#define MODEL_FAILOVERS_H

#include "model/model.h"

#define FAILOVERS_MAX         256 /* of the fleet; the oldest go first */
#define FAILOVER_REPLICAS_MAX 32  /* further ones are counted, not timed */

/* X(id, name, help): the steps of a failover, in their usual order. */
#define FAILOVER_STEPS(X)                                                                          \
	X(STEP_LAST_REPLY, "last reply", "the old master's last good answer to redoubt")            \
	X(STEP_LOST, "master lost", "redoubt lost the old master")                                  \
	X(STEP_SDOWN, "sdown", "the first Sentinel (cluster node) holds it for down")               \
	X(STEP_ODOWN, "odown", "the quorum (the cluster's majority) agrees")                        \
	X(STEP_TRY, "started", "a Sentinel starts the failover, or an operator asked for it")        \
	X(STEP_ELECTED, "elected", "that Sentinel leads it")                                        \
	X(STEP_SELECTED, "replica selected", "whom it will promote")                                \
	X(STEP_PROMOTING, "promoting", "the replica was told")                                      \
	X(STEP_ROLE_MASTER, "writable", "the new master's first reply that says so of itself")       \
	X(STEP_PROMOTED, "promoted", "the leader saw it")                                           \
	X(STEP_SWITCHED, "announced", "the first Sentinel names the new master")                    \
	X(STEP_SWITCHED_ALL, "all agree", "the last Sentinel names the new master")                 \
	X(STEP_RECONFIGURED, "reconfigured", "the last replica follows it")                         \
	X(STEP_ENDED, "ended", "")                                                                  \
	X(STEP_ABORTED, "given up", "")

enum failover_step {
#define X(id, name, help) id,
	FAILOVER_STEPS(X)
#undef X
	STEP_COUNT
};

enum failover_cause { CAUSE_UNKNOWN, CAUSE_CRASH, CAUSE_MANUAL, CAUSE_REDOUBT /* by our own action */ };

struct failover_replica { uint32_t node_id; int64_t sent_ms, done_ms; };

struct failover_record {
	uint32_t id;              /* of this run (recording), from 1 */
	uint32_t deployment_id, group_id;
	char name[NAME_BYTES];    /* the master's name, or the shard's first slots */
	enum failover_cause cause;
	int64_t epoch;            /* FACT_UNKNOWN */
	uint32_t leader_id;       /* Sentinel node; 0 unknown */
	uint32_t old_master_id, new_master_id;
	int64_t step_ms[STEP_COUNT]; /* monotonic; 0: not seen */
	int64_t wall_ms;          /* of its first step */
	struct failover_replica replicas[FAILOVER_REPLICAS_MAX];
	size_t replica_count;
	char abort_reason[48];    /* wire name, or "" */
	uint64_t first_seq, last_seq; /* of its events */
	bool over;
};

/* Newest last; borrowed until the next model_apply. */
size_t model_failover_count(const struct model *m);
const struct failover_record *model_failover_at(const struct model *m, size_t index);
const char *failover_step_name(enum failover_step s);
/* First moment, and the last one known so far. */
int64_t failover_begin_ms(const struct failover_record *f);
int64_t failover_end_ms(const struct failover_record *f);
/* Without a writable master: from the last good reply of the old one to the first of the new one
 * that says master; FACT_UNKNOWN while either is missing. */
int64_t failover_unwritable_ms(const struct failover_record *f);
/* "no replica can be promoted", for the wire name of an abort; "" when there is none. */
const char *failover_abort_text(const char *wire_name);

#endif
