/* Inside the model: what its .c files share. Nothing outside src/model includes this. */
#ifndef MODEL_MODEL_PRIVATE_H
#define MODEL_MODEL_PRIVATE_H

#include <uthash.h>

#include "model/model.h"

/* Finds nodes by any text that names them: "host:port", "run:<id>", "sentinel:<id>",
 * "cluster:<id>". A node has several. */
struct node_key {
	char text[ENDPOINT_TEXT_BYTES + 24];
	uint32_t node_id;
	struct node_key *next; /* of the same node */
	UT_hash_handle hh;
};

/* An address that a node took from another one, which goes by it as well: who lost it, in order. */
struct lost_addr {
	char text[sizeof(((struct node_key *)0)->text)];
	uint32_t *ids;
	size_t count, cap;
	UT_hash_handle hh;
};

/* Finds groups by id. */
struct group_key {
	uint32_t id;
	struct group *group;
	UT_hash_handle hh;
};

struct model {
	struct node **nodes;          /* index: id - 1; NULL: gone */
	size_t node_count, node_cap;
	uint32_t *forwards;           /* index: id - 1; != 0: that id means this one now */
	size_t forward_cap;
	struct node **dead;           /* gone while this observation is applied: freed after it */
	size_t dead_count, dead_cap;
	struct deployment **deployments; /* index: id - 1 */
	size_t deployment_count, deployment_cap;
	uint32_t next_group_id;
	struct group_key *groups;     /* uthash */
	struct node_key *keys;        /* uthash */
	struct lost_addr *lost_addrs; /* uthash */
	uint32_t scope;               /* profile of the observation being applied: keys are within one */
	struct event_log *events;
	unsigned changed;             /* TOPIC_ bits collected during one apply */
	uint64_t change;              /* how often something was applied, so may have changed */
	int64_t now_ms, wall_ms;      /* of the observation being applied */
	struct alerts alerts;
	int64_t leave_after_ms;
	int64_t swept_ms;             /* last look for members that nobody lists */
	struct failover_record *failovers; /* ring; grows to FAILOVERS_MAX before it wraps */
	size_t failover_first, failover_count, failover_cap;
	uint32_t last_failover_id;
	size_t failovers_live;        /* not over, or over a moment ago: looked at with each reply */
	uint32_t role_changed_id;     /* node whose word on its role changed with this observation */
	int64_t last_as_master_ms;    /* ... and when it last said master, if it did; 0 */
};

/* --- nodes (node.c) --- */
void node_release(struct node *n); /* frees what it owns; the struct stays */
struct node *node_new(struct model *m, uint32_t deployment_id, const struct endpoint *addr);
void nodes_free_dead(struct model *m); /* gone ones, when nobody holds them any more */
struct node *node_get(const struct model *m, uint32_t id); /* follows merges; NULL if gone */
/* The i-th node of a deployment, by id. */
struct node *member_at(const struct model *m, const struct deployment *d, size_t i);
/* Where an id is, or would be. */
size_t deployment_member_place(const struct deployment *d, uint32_t id);
struct node *node_by_key(const struct model *m, const char *prefix, const char *id);
struct node *node_by_addr(const struct model *m, const struct endpoint *addr);
/* Finds or makes the node at addr in a deployment; a node of another deployment at that address
 * draws the two deployments together. Marks it as claimed now. */
struct node *node_obtain(struct model *m, uint32_t deployment_id, const struct endpoint *addr,
			 bool is_sentinel);
void node_add_key(struct model *m, struct node *n, const char *prefix, const char *id);
void node_drop_key(struct model *m, struct node *n, const char *prefix, const char *id);
/* In a model that was loaded: another one has the node's address. */
void node_note_lost_addr(struct model *m, const struct node *n);
void lost_addrs_free(struct model *m);
/* Two ids turned out to be one process: keeps the older, returns it. */
struct node *node_merge(struct model *m, struct node *a, struct node *b);
/* What it was goes on elsewhere: all that names the process is taken from the node. */
void node_part(struct model *m, struct node *n);
void node_remove(struct model *m, struct node *n);
void deployment_merge(struct model *m, uint32_t a_id, uint32_t b_id);
/* --- deployments (deployment.c) --- */
void deployment_release(struct model *m, struct deployment *d); /* its groups and its cluster */
struct deployment *deployment_get(const struct model *m, uint32_t id);
void deployment_set_kind(struct model *m, struct deployment *d, enum deployment_kind kind);

/* --- groups (group.c) --- */
struct group *group_find(struct deployment *d, const char *name);
/* Frees what the view owns. */
void view_release(struct sentinel_view *v);
struct sentinel_view *group_view(const struct group *g, uint32_t sentinel_id); /* or NULL */
struct group *group_obtain(struct model *m, struct deployment *d, const char *name);
void group_free(struct model *m, struct group *g);
void group_member_add(struct model *m, struct group *g, struct node *n);
/* Where a node is in a list by node id, or would be. */
size_t member_view_place(const struct member_view *list, size_t count, uint32_t node_id);
/* Masters of a plain set that have become a set of their own. */
void deployment_look_for_loners(struct model *m, struct deployment *d);
/* Works out anew who follows whom and which node is in which group. Linear in the deployment. */
void deployment_regroup(struct model *m, struct deployment *d);

/* --- events --- */
struct event_args {
	enum event_kind kind;
	enum severity severity;   /* 0 with use_severity false: the kind's */
	bool use_severity;
	uint32_t deployment_id, node_id, group_id;
	const char *name, *subject, *addr, *detail, *source, *about;
};
void model_event(struct model *m, const struct event_args *args);
/* An event of redoubt's own about a node. detail may be NULL. */
void model_node_event(struct model *m, enum event_kind kind, const struct node *n,
		      const char *detail);

/* --- one handler a question --- */
void apply_target(struct model *m, const struct observation *obs);
void apply_link(struct model *m, const struct observation *obs, struct node *n);
void apply_info(struct model *m, const struct observation *obs, struct node *n);
void apply_role(struct model *m, const struct observation *obs, struct node *n);
void apply_myid(struct model *m, const struct observation *obs, struct node *n);
void apply_sentinel_masters(struct model *m, const struct observation *obs, struct node *n);
void apply_sentinel_replicas(struct model *m, const struct observation *obs, struct node *n);
void apply_sentinel_sentinels(struct model *m, const struct observation *obs, struct node *n);
void apply_ckquorum(struct model *m, const struct observation *obs, struct node *n);
void apply_watchers(struct model *m, const struct observation *obs, struct node *n);
void apply_hello(struct model *m, const struct observation *obs, struct node *n);
void apply_cluster_info(struct model *m, const struct observation *obs, struct node *n);
void apply_cluster_nodes(struct model *m, const struct observation *obs, struct node *n);
void apply_message(struct model *m, const struct observation *obs, struct node *n);
void apply_action(struct model *m, const struct observation *obs, struct node *n);
void apply_probe(struct model *m, const struct observation *obs);
/* What an operator's command was refused for, or that it no longer is. */
void node_note_action(struct model *m, struct node *n, const struct action_facts *a);
/* --- who is who (identity.c) --- */
/* The Sentinel of that run id, under whatever address it is known, else the one at that address. */
struct node *sentinel_obtain(struct model *m, uint32_t deployment_id, const struct sentinel_instance *f);
/* Another member, whose server answers at this one's address; NULL: none as far as is known. */
struct node *node_leads_to(const struct model *m, const struct node *n, const char *run_id);
/* A reply, or its lack, says how the node is: called for every answered question. */
void apply_answer(struct model *m, const struct observation *obs, struct node *n);
/* Its deployment's word on whether the node is down; true when that changed. by: who says so, and
 * whose word alone takes it back while he can be asked; 0 for the deployment as a whole. */
bool node_set_said_down(struct model *m, struct node *n, bool down, uint32_t by);
/* Refusals that nothing has confirmed for long, or whose group went. */
void node_expire_refusals(struct model *m, struct node *n);
/* What no server can mean counts as not given: numbers are added and multiplied later. */
void bound_number(int64_t *value);
/* The Sentinels' views of the master, after any of them changed. */
void group_judge_master_down(struct model *m, struct group *g);
/* Who stands alone with what (agreement.c). Linear in the fields, quadratic in the few Sentinels of one
 * master: called when something of it changed. */
void group_judge_agreement(struct model *m, struct group *g);
/* +disagreement when a Sentinel repeats what it stands alone with, -disagreement when none does. */
void group_say_agreement(struct model *m, struct group *g);
/* Switches that should have shown by now. */
void group_expire(struct model *m, struct group *g);
void node_list_replicas_again(struct model *m, struct node *master);
/* Some reachable node says cluster_state:fail, or some say ok and none fail any more. */
void cluster_judge_state(struct model *m, struct deployment *d);
/* Who stands alone with what in CLUSTER INFO (agreement_cluster.c); linear in the nodes. */
void cluster_judge_agreement(struct model *m, struct deployment *d);
void cluster_member_free(struct cluster_member *cm);
void cluster_free(struct cluster *c);
void cluster_map_rebuild(struct model *m, struct deployment *d);

/* --- failover records (failovers.c, failovers_sentinel.c, failovers_members.c) --- */
/* Each event as it is logged; each Sentinel's message with what it names; each stage of an action. */
void failovers_event(struct model *m, const struct event_args *args, uint64_t seq);
void failovers_message(struct model *m, struct group *g, struct node *sentinel, enum event_kind kind,
		       const struct sentinel_message *msg);
void failovers_action(struct model *m, const struct action_facts *a, const struct node *n);
/* A Sentinel's SENTINEL MASTERS, for failovers whose events were missed. */
void failovers_leader_state(struct model *m, struct group *g, const struct node *sentinel,
			    const struct sentinel_instance *f);
/* True when a failover waited for the node to say master. */
bool node_note_promotion(struct model *m, const struct node *n);
void failovers_master_changed(struct model *m, struct group *g);
/* After an observation was applied and the groups worked out: what it means for the live records. */
void failovers_settle(struct model *m, const struct observation *obs);
void failovers_expire(struct model *m);
/* What clients felt of the live ones (probe.c). */
void failovers_client(struct model *m, const struct group *g);
void failovers_redirect(struct model *m, uint32_t from_deployment, uint32_t to_deployment);
/* A blank newest one; the oldest goes when there are FAILOVERS_MAX. Also for loading. */
struct failover_record *failover_add(struct model *m);
void failovers_free(struct model *m);

#endif
