/* The event log: one bounded ring for the whole fleet, in order of arrival. The same event from
 * several Sentinels is one event with several sources. */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"

#define EVENT_RING_DEFAULT 10000
#define EVENT_SOURCES_MAX  32 /* further sources are counted, not listed */

enum severity { SEVERITY_INFO, SEVERITY_NOTICE, SEVERITY_WARNING, SEVERITY_CRITICAL };

enum event_origin { ORIGIN_SENTINEL, ORIGIN_OWN };

/* X(id, wire name, origin, severity, merge window ms, help). Within the window the same event from
 * another Sentinel joins the first one. Sentinel's kinds: sentinel.c:sentinelEvent callers. */
#define EVENT_KINDS(X)                                                                                                       \
	X(EVENT_UNKNOWN, "?", ORIGIN_SENTINEL, SEVERITY_INFO, 0, "a message that redoubt does not know")                      \
	X(EVENT_MONITOR, "+monitor", ORIGIN_SENTINEL, SEVERITY_NOTICE, 2000, "a Sentinel began to watch a master")            \
	X(EVENT_UNMONITOR, "-monitor", ORIGIN_SENTINEL, SEVERITY_WARNING, 2000, "a Sentinel no longer watches a master")      \
	X(EVENT_SET, "+set", ORIGIN_SENTINEL, SEVERITY_NOTICE, 2000, "SENTINEL SET changed an option")                        \
	X(EVENT_RESET_MASTER, "+reset-master", ORIGIN_SENTINEL, SEVERITY_WARNING, 2000, "SENTINEL RESET")                     \
	X(EVENT_SLAVE, "+slave", ORIGIN_SENTINEL, SEVERITY_INFO, 15000, "a replica was discovered")                           \
	X(EVENT_SENTINEL, "+sentinel", ORIGIN_SENTINEL, SEVERITY_INFO, 15000, "a Sentinel was discovered")                    \
	X(EVENT_SENTINEL_ADDRESS_SWITCH, "+sentinel-address-switch", ORIGIN_SENTINEL, SEVERITY_NOTICE, 5000, "a Sentinel moved") \
	X(EVENT_SENTINEL_INVALID_ADDR, "+sentinel-invalid-addr", ORIGIN_SENTINEL, SEVERITY_NOTICE, 5000, "a Sentinel's address was taken by another") \
	X(EVENT_SENTINEL_ADDRESS_UPDATE, "+sentinel-address-update", ORIGIN_SENTINEL, SEVERITY_INFO, 5000, "a Sentinel's address was corrected") \
	X(EVENT_DUP_SENTINEL, "-dup-sentinel", ORIGIN_SENTINEL, SEVERITY_NOTICE, 5000, "a doubled Sentinel was dropped")      \
	X(EVENT_REBOOT, "+reboot", ORIGIN_SENTINEL, SEVERITY_WARNING, 12000, "an instance restarted")                         \
	X(EVENT_SDOWN, "+sdown", ORIGIN_SENTINEL, SEVERITY_WARNING, 15000, "subjectively down")                               \
	X(EVENT_SDOWN_OVER, "-sdown", ORIGIN_SENTINEL, SEVERITY_NOTICE, 15000, "no longer subjectively down")                 \
	X(EVENT_ODOWN, "+odown", ORIGIN_SENTINEL, SEVERITY_CRITICAL, 15000, "objectively down: the quorum agrees")            \
	X(EVENT_ODOWN_OVER, "-odown", ORIGIN_SENTINEL, SEVERITY_NOTICE, 15000, "no longer objectively down")                  \
	X(EVENT_NEW_EPOCH, "+new-epoch", ORIGIN_SENTINEL, SEVERITY_INFO, 5000, "the current epoch grew")                      \
	X(EVENT_TRY_FAILOVER, "+try-failover", ORIGIN_SENTINEL, SEVERITY_WARNING, 0, "a Sentinel starts a failover")          \
	X(EVENT_VOTE_FOR_LEADER, "+vote-for-leader", ORIGIN_SENTINEL, SEVERITY_INFO, 5000, "a Sentinel voted")                \
	X(EVENT_ELECTED_LEADER, "+elected-leader", ORIGIN_SENTINEL, SEVERITY_NOTICE, 0, "the leader of the failover")         \
	X(EVENT_FAILOVER_SELECT_SLAVE, "+failover-state-select-slave", ORIGIN_SENTINEL, SEVERITY_INFO, 0, "looking for a replica to promote") \
	X(EVENT_SELECTED_SLAVE, "+selected-slave", ORIGIN_SENTINEL, SEVERITY_NOTICE, 0, "the replica that will be promoted")  \
	X(EVENT_FAILOVER_SEND_SLAVEOF_NOONE, "+failover-state-send-slaveof-noone", ORIGIN_SENTINEL, SEVERITY_INFO, 0, "about to promote") \
	X(EVENT_FAILOVER_WAIT_PROMOTION, "+failover-state-wait-promotion", ORIGIN_SENTINEL, SEVERITY_INFO, 0, "waiting for the promotion") \
	X(EVENT_PROMOTED_SLAVE, "+promoted-slave", ORIGIN_SENTINEL, SEVERITY_NOTICE, 0, "the replica says that it is master") \
	X(EVENT_FAILOVER_RECONF_SLAVES, "+failover-state-reconf-slaves", ORIGIN_SENTINEL, SEVERITY_INFO, 0, "pointing the other replicas at the new master") \
	X(EVENT_SLAVE_RECONF_SENT, "+slave-reconf-sent", ORIGIN_SENTINEL, SEVERITY_INFO, 0, "a replica was told of the new master") \
	X(EVENT_SLAVE_RECONF_INPROG, "+slave-reconf-inprog", ORIGIN_SENTINEL, SEVERITY_INFO, 0, "a replica follows the new master") \
	X(EVENT_SLAVE_RECONF_DONE, "+slave-reconf-done", ORIGIN_SENTINEL, SEVERITY_INFO, 0, "a replica is linked to the new master") \
	X(EVENT_SLAVE_RECONF_TIMEOUT, "-slave-reconf-sent-timeout", ORIGIN_SENTINEL, SEVERITY_WARNING, 0, "a replica did not follow within 10 s") \
	X(EVENT_SLAVE_RECONF_SENT_BE, "+slave-reconf-sent-be", ORIGIN_SENTINEL, SEVERITY_NOTICE, 0, "a replica was told once more, at the time-out") \
	X(EVENT_FAILOVER_END_FOR_TIMEOUT, "+failover-end-for-timeout", ORIGIN_SENTINEL, SEVERITY_WARNING, 0, "the failover ended by time-out") \
	X(EVENT_FAILOVER_END, "+failover-end", ORIGIN_SENTINEL, SEVERITY_NOTICE, 0, "the failover ended")                     \
	X(EVENT_SWITCH_MASTER, "+switch-master", ORIGIN_SENTINEL, SEVERITY_WARNING, 30000, "the master has a new address")    \
	X(EVENT_CONFIG_UPDATE_FROM, "+config-update-from", ORIGIN_SENTINEL, SEVERITY_INFO, 5000, "a Sentinel took over a newer configuration") \
	X(EVENT_ABORT_NOT_ELECTED, "-failover-abort-not-elected", ORIGIN_SENTINEL, SEVERITY_CRITICAL, 0, "failover given up: no majority elected this Sentinel") \
	X(EVENT_ABORT_NO_GOOD_SLAVE, "-failover-abort-no-good-slave", ORIGIN_SENTINEL, SEVERITY_CRITICAL, 0, "failover given up: no replica can be promoted") \
	X(EVENT_ABORT_SLAVE_TIMEOUT, "-failover-abort-slave-timeout", ORIGIN_SENTINEL, SEVERITY_CRITICAL, 0, "failover given up: the chosen replica was not promoted in time") \
	X(EVENT_ABORT_MASTER_TIMEOUT, "-failover-abort-master-timeout", ORIGIN_SENTINEL, SEVERITY_CRITICAL, 0, "coordinated failover given up: the master did not answer") \
	X(EVENT_CONVERT_TO_SLAVE, "+convert-to-slave", ORIGIN_SENTINEL, SEVERITY_NOTICE, 5000, "a returned master is being made a replica") \
	X(EVENT_FIX_SLAVE_CONFIG, "+fix-slave-config", ORIGIN_SENTINEL, SEVERITY_NOTICE, 5000, "a replica followed the wrong master") \
	X(EVENT_ROLE_CHANGE, "+role-change", ORIGIN_SENTINEL, SEVERITY_INFO, 12000, "the role agrees with the configuration again") \
	X(EVENT_ROLE_CHANGE_BAD, "-role-change", ORIGIN_SENTINEL, SEVERITY_NOTICE, 12000, "the role disagrees with the configuration") \
	X(EVENT_TILT, "+tilt", ORIGIN_SENTINEL, SEVERITY_CRITICAL, 0, "a Sentinel distrusts its clock and does not act")      \
	X(EVENT_TILT_OVER, "-tilt", ORIGIN_SENTINEL, SEVERITY_NOTICE, 0, "a Sentinel acts again")                             \
	X(EVENT_SCRIPT_ERROR, "-script-error", ORIGIN_SENTINEL, SEVERITY_WARNING, 0, "a notification script failed")          \
	X(EVENT_SCRIPT_TIMEOUT, "-script-timeout", ORIGIN_SENTINEL, SEVERITY_WARNING, 0, "a notification script was killed")  \
	X(EVENT_LINK_LOST, "+link-lost", ORIGIN_OWN, SEVERITY_WARNING, 0, "redoubt lost its connection, or a reply is overdue") \
	X(EVENT_LINK_BACK, "-link-lost", ORIGIN_OWN, SEVERITY_NOTICE, 0, "redoubt reaches the node again")                    \
	X(EVENT_NODE_PFAIL, "+node-pfail", ORIGIN_OWN, SEVERITY_WARNING, 0, "a cluster node suspects another")                \
	X(EVENT_NODE_PFAIL_OVER, "-node-pfail", ORIGIN_OWN, SEVERITY_NOTICE, 0, "no cluster node suspects it any more")       \
	X(EVENT_NODE_FAIL, "+node-fail", ORIGIN_OWN, SEVERITY_CRITICAL, 0, "the cluster's majority says that a node failed")  \
	X(EVENT_NODE_FAIL_OVER, "-node-fail", ORIGIN_OWN, SEVERITY_NOTICE, 0, "a failed cluster node is back")                \
	X(EVENT_OWN_ROLE_CHANGED, "+role-changed", ORIGIN_OWN, SEVERITY_WARNING, 0, "a node says another role of itself")     \
	X(EVENT_SLOTS_MOVED, "+slots-moved", ORIGIN_OWN, SEVERITY_NOTICE, 0, "slots have another owner")                      \
	X(EVENT_CLUSTER_DOWN, "+cluster-down", ORIGIN_OWN, SEVERITY_CRITICAL, 0, "a cluster node says cluster_state:fail")    \
	X(EVENT_CLUSTER_UP, "-cluster-down", ORIGIN_OWN, SEVERITY_NOTICE, 0, "every reachable node says cluster_state:ok")    \
	X(EVENT_RESYNC, "+resync", ORIGIN_OWN, SEVERITY_WARNING, 0, "a replica needs a full synchronisation")                 \
	X(EVENT_RESTARTED, "+restarted", ORIGIN_OWN, SEVERITY_WARNING, 0, "another process answers at the address")           \
	X(EVENT_NODE_JOINED, "+node", ORIGIN_OWN, SEVERITY_INFO, 0, "a member joined")                                        \
	X(EVENT_NODE_LEFT, "-node", ORIGIN_OWN, SEVERITY_NOTICE, 0, "nobody lists the member any more")                       \
	X(EVENT_DISAGREEMENT, "+disagreement", ORIGIN_OWN, SEVERITY_CRITICAL, 0, "two masters of one name, or an epoch or settings that differ") \
	X(EVENT_DISAGREEMENT_OVER, "-disagreement", ORIGIN_OWN, SEVERITY_NOTICE, 0, "one master, one epoch or the same settings again")  \
	X(EVENT_CLIENT_OUTAGE, "+client-outage", ORIGIN_OWN, SEVERITY_CRITICAL, 0, "a write of --probe failed, as clients' do")  \
	X(EVENT_CLIENT_OUTAGE_OVER, "-client-outage", ORIGIN_OWN, SEVERITY_NOTICE, 0, "writes of --probe are acknowledged again") \
	X(EVENT_REFUSED, "+refused", ORIGIN_OWN, SEVERITY_WARNING, 0, "a node refuses questions: its user lacks a permission") \
	X(EVENT_REFUSED_OVER, "-refused", ORIGIN_OWN, SEVERITY_NOTICE, 0, "a node answers all questions again")               \
	X(EVENT_ACTION, "+action", ORIGIN_OWN, SEVERITY_WARNING, 0, "an operator did something with redoubt")

enum event_kind {
#define X(id, name, origin, severity, window, help) id,
	EVENT_KINDS(X)
#undef X
	EVENT_KIND_COUNT
};

struct event_kind_info {
	const char *name;
	enum event_origin origin;
	enum severity severity;
	int64_t merge_window_ms;
	const char *help;
};

/* The strings of an event are the log's: each different one is kept once. */
struct event_source {
	const char *addr; /* of the Sentinel, or "redoubt" */
	int64_t mono_ms;  /* when its message arrived */
};

struct event {
	uint64_t seq;           /* from 1, by order of arrival, never reused */
	enum event_kind kind;
	enum severity severity; /* usually the kind's own */
	int64_t mono_ms, wall_ms; /* of the first source */
	int64_t last_ms;        /* monotonic, of the latest source */
	uint32_t deployment_id, node_id, group_id; /* 0: none */
	uint32_t source_total;
	uint8_t source_count;
	const char *name;       /* wire name: the kind's, or an unknown channel's */
	const char *deployment; /* its name at that time */
	const char *subject;    /* master name, or address */
	const char *addr;       /* "host:port" or "" */
	const char *detail;
	const char *about;      /* of a disagreement: "master", "epoch" or "settings"; else "" */
	struct event_source *sources; /* owned */
	uint64_t generation;    /* the log's when it last changed */
};

const struct event_kind_info *event_kind_info(enum event_kind kind);
enum event_kind event_kind_find(const char *wire_name); /* EVENT_UNKNOWN if none */
const char *severity_name(enum severity s);             /* info notice warning critical */

struct event_log; /* ring */

/* Takes the ring's memory at once: what a program holds must not depend on how long it has run. */
struct event_log *event_log_new(size_t capacity);
void event_log_free(struct event_log *log);
size_t event_log_count(const struct event_log *log);
/* index 0 is the oldest that is still held; borrowed until the next add. */
const struct event *event_log_at(const struct event_log *log, size_t index);
/* The oldest with seq >= the given one, or NULL. */
const struct event *event_log_from(const struct event_log *log, uint64_t seq);
uint64_t event_log_last_seq(const struct event_log *log); /* 0: none yet */
/* Bumped whenever anything in the log changed, merges as well. */
uint64_t event_log_generation(const struct event_log *log);

/* What event_log_add copies. */
struct event_draft {
	enum event_kind kind;
	enum severity severity;
	uint32_t deployment_id, node_id, group_id;
	int64_t mono_ms, wall_ms;
	const char *name;    /* NULL: the kind's */
	const char *deployment, *subject, *addr, *detail, *source;
	const char *about;   /* NULL: "" */
};
/* Adds, or merges into an equal recent one from another source; returns the event's seq. */
uint64_t event_log_add(struct event_log *log, const struct event_draft *draft);
/* Two deployments became one: its events follow. */
void event_log_redirect(struct event_log *log, uint32_t from_deployment, uint32_t to_deployment);

#endif
