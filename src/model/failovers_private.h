/* What the files that keep the failover records share. Nothing outside src/model includes this. */
#ifndef MODEL_FAILOVERS_PRIVATE_H
#define MODEL_FAILOVERS_PRIVATE_H

#include "model/failovers.h"
#include "model/model_private.h"

/* Late words: a Sentinel's switch, the old master's demotion (8 to 20 s after the promotion). */
#define FAILOVER_LATE_MS 60000

/* --- the store (failovers.c) --- */
/* By age, 0 the newest; NULL past the oldest. */
struct failover_record *failover_recent(const struct model *m, size_t age);
/* Running, or over for less than FAILOVER_LATE_MS. */
bool failover_is_live(const struct model *m, const struct failover_record *f);
/* A record of the group as it is now: members, offsets, and what is known of the loss of its master. */
struct failover_record *failover_open(struct model *m, const struct group *g, uint32_t old_master_id,
				      enum failover_cause cause);
void failover_drop_newest(struct model *m, struct failover_record *f);
bool failover_is_of(const struct model *m, const struct failover_record *f, const struct group *g);
/* A word of a step. The earliest is the step's time. */
void failover_note(struct model *m, struct failover_record *f, enum failover_step step, int64_t at_ms);
/* sdown, odown, announced: each observer counts once. */
void failover_said(struct model *m, struct failover_record *f, enum failover_step step, uint32_t by,
		   int64_t at_ms);
/* Blank ones; the pointers hold until the next. */
struct failover_observer *failover_observer_add(struct failover_record *f);
struct failover_replica *failover_replica_add(struct failover_record *f);
/* The one of the node, or NULL where no further one is told apart. */
struct failover_observer *failover_observer(const struct model *m, struct failover_record *f,
					    uint32_t node_id);
struct failover_replica *failover_replica(const struct model *m, struct failover_record *f,
					  uint32_t node_id);
void failover_replica_done(struct model *m, struct failover_record *f, struct failover_replica *r);
void failover_set_new_master(const struct model *m, struct failover_record *f, const struct node *n);
void failover_finish(struct model *m, struct failover_record *f, enum failover_step step,
		     const char *reason); /* STEP_COUNT: over without a word */
bool failover_same_node(const struct model *m, uint32_t a, uint32_t b);

/* --- with Sentinels (failovers_sentinel.c) --- */
void failovers_show_in_group(struct model *m, struct group *g);
void failover_sentinel_settle(struct model *m, struct failover_record *f, const struct node *n,
			      enum question q);
void failover_sentinel_expire(struct model *m, struct failover_record *f);

/* --- clusters and plain sets (failovers_members.c) --- */
void failover_members_cue(struct model *m, struct node *n);
void failover_members_settle(struct model *m, struct failover_record *f, const struct node *n,
			     const struct observation *obs);
void failover_members_expire(struct model *m, struct failover_record *f);
void failover_members_master_changed(struct model *m, struct group *g, struct node *was, struct node *now);
void failover_members_fail(struct model *m, enum event_kind kind, struct node *n);

#endif
