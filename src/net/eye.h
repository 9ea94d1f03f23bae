/* The client's eye (--probe, :probe): every 100 ms a small expiring key of its own is written to and
 * read back from each master, over a connection of its own, as a client does it that follows what
 * Sentinel (the cluster's slot map) says. What comes of it are observations (ASK_PROBE).
 *
 * Like most clients it has one write on its way at a time. It moves on as soon as the model has another
 * master (a client hears +switch-master), follows MOVED, and where a cluster's owner cannot be reached
 * tries another member. Nothing but redoubt:probe:* is ever written. Off means no connection at all. */
#ifndef NET_EYE_H
#define NET_EYE_H

#include <ev.h>

#include "net/watch.h"

#define EYE_EVERY_MS    100
#define EYE_DEADLINE_MS 500   /* of a write, with the connection that it may need first */
#define EYE_EXPIRE_MS   60000

struct eye;

struct eye_config {
	struct ev_loop *loop;
	const struct model *model;          /* read only: the sink writes */
	const struct net_profile *profiles; /* by number; at least one; borrowed */
	size_t profile_count;
	void (*sink)(const struct observation *obs, void *owner);
	/* False: nothing may be written there (read-only). */
	bool (*may_write)(uint32_t deployment_id, void *owner);
	void *owner;
};

struct eye *eye_new(const struct eye_config *config);
/* Takes its keys away first: turns the loop for at most half a second. NULL is legal. */
void eye_free(struct eye *e);
void eye_set(struct eye *e, uint32_t deployment_id, bool on);
/* Every deployment that may be written to, those to come as well. */
void eye_set_all(struct eye *e);
bool eye_is_on(const struct eye *e, uint32_t deployment_id);
/* The model has changed: who is master where. */
void eye_follow(struct eye *e);
/* --once: each master was written to, or could not be. */
bool eye_settled(const struct eye *e);

#endif
