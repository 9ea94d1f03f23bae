/* Watches the fleet: keeps one link to every node of the model (and a second, subscribed one to
 * every Sentinel), asks by the schedule, and turns replies into observations.
 *
 * Data flow: reply -> parse -> observation -> sink (the app's, which calls model_apply and returns
 * the topics) -> on TOPIC_NODES the set of links follows the model. */
#ifndef NET_WATCH_H
#define NET_WATCH_H

#include <ev.h>

#include "model/model.h"
#include "net/credentials.h"

struct address_map;
struct tls_context;
struct watch;

/* How the members of a deployment are reached. Everything is borrowed and outlives the watch. */
struct net_profile {
	const struct credentials *credentials;
	const struct tls_context *tls_data, *tls_sentinel; /* NULL: plain */
	const struct address_map *map;                     /* NULL: none */
};

struct watch_config {
	struct ev_loop *loop;
	const struct model *model;             /* read only: the sink writes */
	const struct net_profile *profiles; /* by number; at least one */
	size_t profile_count;
	int64_t interval_ms;
	int64_t timeout_ms;
	bool subscribe;                        /* false for --once: no pub/sub links */
	/* Applies an observation, returns the TOPIC_ bits. */
	unsigned (*sink)(const struct observation *obs, void *owner);
	void *owner;
};

struct watch *watch_new(const struct watch_config *config);
void watch_free(struct watch *w);
/* name: of the section whose settings these are, or NULL; the profile is its index. */
void watch_add_target(struct watch *w, const struct endpoint *target, uint32_t profile,
		      const char *name);
void watch_set_interval(struct watch *w, int64_t interval_ms);
void watch_poll_now(struct watch *w); /* everything, and ends the backoffs */
/* Sends an action's command to a node. False: no link to it is up. The reply (or its absence)
 * is given to done exactly once: text is cleaned. */
typedef void watch_action_done(uint32_t tag, enum answer answer, enum server_error error,
			       const char *text, void *owner);
bool watch_send(struct watch *w, uint32_t node_id, int argc, const char *const *argv, uint32_t tag,
		watch_action_done *done, void *owner);
/* How a node is reached, in words: address, plain or TLS, as which user. No secrets. False: it has no
 * link. */
bool watch_describe(const struct watch *w, uint32_t node_id, char *out, size_t size);
/* --once: true when every known node was asked everything that the snapshot needs and has answered
 * or failed, and nothing new turned up. */
bool watch_settled(const struct watch *w);
uint64_t watch_bytes_in(const struct watch *w);
uint64_t watch_requests(const struct watch *w);

#endif
