/* Inside the client's eye: one target a master: its link, its key, and the one write that is on its way.
 *
 *   IDLE -> (100 ms) -> WAITING for a connection -> SENT -> good or failed -> IDLE
 *
 * The key holds the number of the last acknowledged write. A write that failed leaves it, so that the
 * difference between what was acknowledged and what a new connection finds there is what was lost. */
#ifndef NET_EYE_PRIVATE_H
#define NET_EYE_PRIVATE_H

#include <uthash.h>

#include "net/eye.h"
#include "net/link.h"
#include "net/resolver.h"

#define KEY_BYTES 64

enum write_state { WRITE_IDLE, WRITE_WAITING, WRITE_SENT };

struct target {
	UT_hash_handle hh;            /* by group, until it is leaving */
	struct eye *eye;
	uint32_t deployment_id, group_id;
	unsigned generation;          /* of the last eye_follow that met it */
	char key[KEY_BYTES];
	unsigned slot;                /* cluster only */
	uint32_t named_id;            /* the master, by whom clients go */
	uint32_t node_id;             /* who is written to: that one, or another after MOVED or a failure */
	struct link *link;            /* to node_id */
	bool leaving;                 /* only the UNLINK is waited for */
	int64_t leave_by_ms;

	enum write_state state;
	uint32_t number;              /* of the try, for the tags */
	int64_t begun_ms;
	unsigned hops;
	bool set_ok;                  /* its SET was acknowledged */
	bool there;                   /* the key is: a SET of it was acknowledged */
	bool look;                    /* the next write on this connection looks first */
	bool seen_known;
	int64_t seen;                 /* what was there then */

	int64_t value;                /* in the key: the last acknowledged write's */
	int64_t value_ms;             /* when it was acknowledged */
	int64_t latency_us;
	int64_t acknowledged, failed; /* since it is on */
	int64_t outage_ms;            /* first failed write was begun; 0: none */
	int64_t outage_failed;
	unsigned failures;            /* one after the other: whose turn it is next in a cluster */
	int64_t barred_until_ms;      /* 0: it may write */
	int64_t told_ms;
	bool untold;
	bool tried;
};

struct eye {
	struct eye_config config;
	struct resolver *resolver;    /* NULL until there is somebody to dial */
	ev_timer timer;
	struct target **targets;      /* owned */
	size_t target_count, target_cap;
	struct target *by_group;
	bool all;                     /* it is on, but for the exceptions; else off but for them */
	uint32_t *exceptions;         /* deployments; owned */
	size_t exception_count, exception_cap;
	uint32_t *groups;             /* of one eye_follow; owned */
	size_t group_cap;
	unsigned generation;
};

/* What has come of it, as an observation. The sink may change the model. why may be NULL. */
void eye_tell(struct target *t, enum probe_news news, int64_t lost, const char *why);

/* --- keys (eye_key.c) --- */
/* Its slot belongs to the shard and is not on the move. */
bool eye_fits_shard(const struct model *m, const struct deployment *d, uint32_t group_id, unsigned slot);
/* Another one: what is on its way with the old one counts for nothing. False: the shard has no slot
 * that could be written to. */
bool eye_choose_key(struct target *t, const struct deployment *d);
/* A key with n in it that is in that slot. */
bool eye_key_in_slot(char out[KEY_BYTES], uint64_t n, unsigned slot);

/* --- writes (eye_write.c) --- */
void eye_begin_write(struct target *t);
void eye_fail_write(struct target *t, const char *why);
void eye_close_link(struct target *t);
/* False: there is no connection to take the key away over. */
bool eye_unlink_key(struct target *t);

#endif
