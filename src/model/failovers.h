/* Every failover seen, as a time line: what happened when, by whose word, and how it ended. Kept by
 * the model from the events and replies that it applies, so a recording gives the same.
 *
 * With Sentinels a record is one attempt of one leader: of two that try at once each has its own, and
 * what led to it (last reply, sdown, odown) is in both. struct failover in a group is made from the
 * group's records (failovers.c, show_in_group) and written nowhere else. */
#ifndef MODEL_FAILOVERS_H
#define MODEL_FAILOVERS_H

#include "model/model.h"

#define FAILOVERS_MAX          256 /* of the fleet; the oldest go first */
#define FAILOVER_REPLICAS_MAX  32  /* further ones are counted, not timed */
#define FAILOVER_OBSERVERS_MAX 32
#define FAILOVER_ADDR_BYTES    80
#define FAILOVER_OPERATOR_BYTES 96

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
	X(STEP_SWITCHED, "announced", "the first Sentinel (node) names the new master")             \
	X(STEP_SWITCHED_ALL, "all agree", "the last one that answers names the new master")         \
	X(STEP_RECONFIGURED, "reconfigured", "the last replica so far follows it")                  \
	X(STEP_ENDED, "ended", "the leader is done; without Sentinels: all follow and agree")       \
	X(STEP_ABORTED, "given up", "the leader gave up; or there is nothing to wait for any more")

enum failover_step {
#define X(id, name, help) id,
	FAILOVER_STEPS(X)
#undef X
	STEP_COUNT
};

enum failover_cause {
	CAUSE_UNKNOWN,
	CAUSE_CRASH,   /* the old master was lost, or held for down */
	CAUSE_MANUAL,  /* somebody asked for it */
	CAUSE_REDOUBT, /* our own action did */
};

/* A member of the group but the old master: how it was before, and when it followed. */
struct failover_replica {
	uint32_t node_id;
	char addr[FAILOVER_ADDR_BYTES];
	int64_t offset, lag_bytes; /* before; FACT_UNKNOWN */
	int8_t link_up;            /* before, to its master by its own word: 0, 1; -1 not known */
	bool reachable;            /* before, from here */
	int64_t sent_ms, done_ms;  /* told of the new master; linked to it. 0: not seen */
};

/* A Sentinel (cluster node, member of a plain set): when it first said what. 0: never */
struct failover_observer {
	uint32_t node_id;
	int64_t sdown_ms, odown_ms, voted_ms, switched_ms;
};

struct failover_record {
	uint32_t id;              /* of this run (recording), from 1 */
	uint32_t deployment_id, group_id;
	enum deployment_kind kind;
	char name[NAME_BYTES];    /* the master's name; without Sentinels the old master's address */
	enum failover_cause cause;
	char operator_name[FAILOVER_OPERATOR_BYTES]; /* of CAUSE_REDOUBT; "" unknown */
	int64_t epoch;            /* of the election; FACT_UNKNOWN */
	uint32_t leader_id;       /* Sentinel node; 0 unknown */
	uint32_t old_master_id;
	uint32_t new_master_id;   /* whom it promotes: from STEP_SELECTED on */
	char leader[FAILOVER_ADDR_BYTES]; /* these as they were called: nodes may leave; "" unknown */
	char old_master[FAILOVER_ADDR_BYTES], new_master[FAILOVER_ADDR_BYTES];
	int64_t old_offset;       /* the old master's, last known */
	enum failover_phase phase; /* with Sentinels */
	int64_t phase_ms;
	int64_t step_ms[STEP_COUNT];      /* first word of it; monotonic; 0: not seen */
	int64_t step_last_ms[STEP_COUNT]; /* latest other word of it: the spread */
	uint16_t step_sources[STEP_COUNT]; /* who said so; at most FAILOVER_OBSERVERS_MAX are told apart */
	int64_t wall_ms;          /* of its first step */
	struct failover_replica *replicas; /* owned */
	size_t replica_count;
	size_t replica_total;     /* with those that are not timed */
	int64_t demoted_ms;       /* the old master's first reply that says replica; until then it took writes */
	int64_t stray_bytes;      /* written there since the promotion, which are lost; FACT_UNKNOWN */
	/* By --probe, as clients felt it (model/probe.h). 0 and FACT_UNKNOWN: not seen */
	bool client_probed;       /* it was on: without a failed write none failed */
	int64_t client_failed_ms; /* the first write that failed was begun */
	int64_t client_good_ms;   /* first one acknowledged after the last that failed; 0: none yet */
	int64_t client_failed;    /* writes */
	int64_t client_lost;      /* acknowledged, and not on the new master */
	struct failover_observer *observers; /* owned */
	size_t observer_count;
	char abort_reason[48];    /* wire name, or a word of ours (failover_abort_text), or "" */
	uint64_t first_seq, last_seq; /* of its events; 0 none */
	bool over;
	int64_t over_ms;          /* when; late words of an ended one are still taken for a while */
};

/* Newest last; borrowed until the next model_apply. */
size_t model_failover_count(const struct model *m);
const struct failover_record *model_failover_at(const struct model *m, size_t index);
/* A cluster's failover that is running is known to be agreed on only when that node names the new master. */
bool failover_waits_for(const struct model *m, const struct node *n);
const char *failover_step_name(enum failover_step s);
const char *failover_step_help(enum failover_step s);
/* The step in the kind's own words: a cluster's sdown is fail?. */
const char *failover_step_label(enum deployment_kind kind, enum failover_step s);
/* The same of a record: what was asked for and nobody has begun has not started, and what nobody knows the
 * end of was not given up. */
const char *failover_step_words(const struct failover_record *f, enum failover_step s);
bool failover_end_is_unknown(const struct failover_record *f);
const char *failover_cause_name(enum failover_cause c); /* unknown crash manual redoubt */
/* First moment, and the last one known so far. */
int64_t failover_begin_ms(const struct failover_record *f);
int64_t failover_end_ms(const struct failover_record *f);
/* The steps that were seen, in the order of time; those of one moment in their usual order. Returns how
 * many. */
size_t failover_steps_in_order(const struct failover_record *f, enum failover_step out[STEP_COUNT]);
/* Between its first and its last source; 0 with a single one. */
int64_t failover_spread_ms(const struct failover_record *f, enum failover_step s);
/* Without a writable master: from the last good reply of the old one to the first of the new one
 * that says master; FACT_UNKNOWN while either is missing. A manual failover with Sentinels leaves the
 * old master writable: 0 then, and what is written there until it is demoted is lost. */
int64_t failover_unwritable_ms(const struct failover_record *f);
/* For how long both took writes: from the new master's first word as one until the old one says
 * replica, or until now_ms. FACT_UNKNOWN where that cannot be said: no promotion seen, or the old master
 * was lost (who comes back later is another story). */
int64_t failover_two_masters_ms(const struct failover_record *f, int64_t now_ms);
/* "no replica can be promoted", for the reason of an abort; "" when there is none. */
const char *failover_abort_text(const char *reason);
/* "ended, 127.0.0.1:6380 is master", "given up: no replica can be promoted", "running". */
void failover_outcome_text(const struct failover_record *f, char *out, size_t size);

#endif
