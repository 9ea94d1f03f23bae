/* The fleet: everything that the program believes, with who said it and when.
 *
 * Structures, from the outside in:
 *
 *   model ─┬─ deployments ─┬─ groups    a master and its replicas: a master that Sentinels watch,
 *          │               │            a cluster's shard, or a plain replication set
 *          │               └─ cluster   slot owners, the cluster's own state
 *          ├─ nodes                     one per server process, Sentinels as well
 *          └─ events                    the log
 *
 * Everything refers to nodes, groups and deployments by id: ids are never reused, and two nodes
 * that turn out to be one process are merged (the younger id forwards to the older one).
 * model_apply is the only writer. No clock is read here: time comes with the observation. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "model/alerts.h"
#include "model/event.h"
#include "model/facts.h"
#include "model/observation.h"

/* What changed, as returned by model_apply and model_tick. */
enum topic {
	TOPIC_NODES    = 1u << 0, /* nodes or deployments appeared, left, merged, changed kind */
	TOPIC_TOPOLOGY = 1u << 1, /* roles, who follows whom, groups, slots */
	TOPIC_HEALTH   = 1u << 2, /* links, flags, states: something got better or worse */
	TOPIC_EVENTS   = 1u << 3, /* the log */
	TOPIC_VALUES   = 1u << 4, /* numbers only: lag, ops, memory */
	TOPIC_SELECTED = 1u << 5, /* a replica was selected for promotion: poll it fast */
};

enum deployment_kind { KIND_UNKNOWN, KIND_SENTINEL, KIND_CLUSTER, KIND_REPLICATION };
enum health { HEALTH_OK, HEALTH_UNKNOWN, HEALTH_WARNING, HEALTH_CRITICAL }; /* by badness */

/* A ring of samples for sparklines and trends. */
#define HISTORY_SAMPLES 64
struct history {
	int64_t at_ms[HISTORY_SAMPLES];
	int64_t value[HISTORY_SAMPLES]; /* FACT_UNKNOWN: a gap */
	uint16_t count, next;
};

/* Our own connection to a node, as the link reported it. */
struct node_link {
	enum link_state state;
	int64_t since_ms;        /* when it came into this state */
	int64_t last_reply_ms;   /* 0: never */
	int64_t lost_ms;         /* when trouble began, 0 while well: "down since" */
	enum server_error error; /* class of the trouble */
	char reason[160];        /* in words, "" while well */
	int32_t rtt_us;          /* of the last INFO, -1 unknown */
};

/* One cluster node's opinion that another is down. */
struct fail_claim {
	uint32_t by;   /* node id of the observer */
	bool fail;     /* fail; else fail? */
	int64_t at_ms;
};

/* One cluster node that repeats another's latest claim on slots. */
struct claim_echo {
	uint32_t by;   /* node id of the observer */
	int64_t at_ms; /* first heard */
};

/* What other cluster nodes say of a node, from the latest believed CLUSTER NODES. */
struct cluster_member {
	uint32_t flags;          /* enum cluster_flag without MYSELF; PFAIL and FAIL follow claims */
	char master_id[ID_BYTES];
	int64_t config_epoch;
	bool link_connected;
	uint32_t claimed_by;     /* node id of the observer */
	int64_t at_ms;           /* 0: never listed */
	bool self_claimed;       /* slots are from the node's own myself line */
	int64_t self_ms;
	struct slot_range *slots; /* owned */
	size_t slot_count;
	struct open_slot *open;   /* owned; from its own myself line */
	size_t open_count;
	struct fail_claim *claims; /* who flags it fail? or fail now; owned */
	size_t claim_count, claim_cap;
	uint32_t seconded_by;     /* another node that listed it as master of these slots */
	int64_t seconded_ms;
	int64_t claim_ms;         /* its latest claim on slots was first heard; 0: that is no news */
	struct claim_echo *echoes; /* who named it so by now, while that is news; owned */
	size_t echo_count;
	int64_t fail_since_ms;    /* 0: not flagged fail */
	int64_t pfail_since_ms;
};

/* A question that a node would not answer. */
struct refusal {
	enum question question;
	enum server_error error;
	int64_t at_ms;         /* last time */
	char arg[NAME_BYTES];  /* master name, or "" */
	char text[128];        /* in its words */
};

/* What CLUSTER INFO says of the whole: model/agreement_cluster.h names the fields. */
#define CLUSTER_DISSENT_MAX 10

struct node {
	uint32_t id;
	uint32_t deployment_id;
	uint32_t group_id;       /* 0: none (Sentinels, unassigned) */
	uint32_t upstream_id;    /* replica: the node it follows, 0 unknown */
	uint32_t leads_to;       /* another member, whose server answers at this address; 0: as it should be */
	uint32_t listed_by;      /* the master whose INFO listed it last, 0 none */
	bool is_target;          /* named on the command line: never forgotten */
	bool is_sentinel;        /* by its own word or a Sentinel's */
	bool mode_known;         /* it answered INFO once */
	bool gone;               /* left or merged: freed before the next observation */
	struct node_key *keys;   /* what it is found by; the model's own */
	struct endpoint addr;    /* identity: as announced by its deployment, else as given */
	struct endpoint dial;    /* how the target was written, when it differs; else unset */
	char run_id[ID_BYTES];   /* of the process, from INFO */
	char sentinel_id[ID_BYTES]; /* SENTINEL MYID */
	char cluster_id[ID_BYTES];
	int64_t claimed_ms;      /* when anybody last listed it */
	bool said_down;          /* its deployment (Sentinel, cluster) says that it is down */
	int64_t said_down_ms;    /* since when */
	uint32_t said_down_by;   /* the Sentinel that said so first; 0: all of them, or the cluster */
	int64_t joined_ms;
	struct node_link link;   /* command link */
	struct node_link event_link; /* Sentinels: pub/sub link */
	struct refusal *refusals; /* at most one a question; owned */
	size_t refusal_count, refusal_cap;
	enum question refused;   /* of the first of them; ASK_NONE: none */
	enum server_error refused_error;
	char refused_text[160];  /* in its words, "and N more" */

	int64_t watchers;        /* data node: Sentinels that listen there; 0 none or not known */
	struct info_facts info;  /* its own word; valid when info_at_ms != 0 */
	int64_t info_at_ms;
	int64_t role_ms;         /* since when it says this role, as far as we saw */
	struct role_facts role_fast; /* ROLE during a promotion */
	int64_t role_fast_at_ms;
	struct cluster_info_facts cluster_info;
	int64_t cluster_info_at_ms;
	int64_t cluster_dissent_ms[CLUSTER_DISSENT_MAX]; /* since when it stands alone; 0: it does not */
	struct cluster_member *member; /* cluster nodes only; owned */

	/* derived from consecutive INFOs */
	double hit_rate;              /* 0..1, of the last interval with reads; negative unknown */
	double repl_rate_bytes_s;     /* growth of master_repl_offset; negative unknown */
	struct history lag_bytes;     /* replica, from its master's view */
	int64_t lag_now_bytes;        /* FACT_UNKNOWN */
	int64_t lag_now_s;            /* silence on the link, from the master's view */
	int64_t lag_at_ms;
	struct series *series;        /* the last ten minutes; owned, NULL until the first INFO */
};

/* A Sentinel's word on a replica or a peer Sentinel of one master. */
struct member_view {
	uint32_t node_id;
	uint32_t sentinel_id;     /* who said so */
	int64_t at_ms;
	struct sentinel_instance facts;
};

/* Binding and other fields in which a Sentinel may stand alone: model/agreement.h names them. */
#define AGREEMENT_FIELDS_MAX 16

/* One Sentinel's word on one master, and on whom it lists there. */
struct sentinel_view {
	uint32_t sentinel_id;     /* node */
	int64_t at_ms;            /* of the last MASTERS that listed it */
	int64_t switched_ms;      /* +switch-master came after that; 0: no */
	struct sentinel_instance facts;
	struct member_view *replicas, *peers; /* its own lists, by node id; owned */
	size_t replica_count, replica_cap, peer_count, peer_cap;
	int64_t replicas_at_ms, peers_at_ms;  /* of the last ones; 0: not asked yet */
	struct ckquorum_facts ckquorum;
	int64_t ckquorum_at_ms;
	int64_t dissent_ms[AGREEMENT_FIELDS_MAX]; /* since when it stands alone; 0: it does not */
};

enum failover_phase {
	PHASE_NONE, PHASE_TRY, PHASE_ELECTED, PHASE_SELECT, PHASE_SELECTED, PHASE_PROMOTION,
	PHASE_RECONF, PHASE_ENDED, PHASE_ABORTED,
};

/* The latest failover of a group with Sentinels: made from its records, see failovers.h. */
struct failover {
	enum failover_phase phase;
	int64_t started_ms, phase_ms, ended_ms; /* monotonic; 0 unknown */
	uint32_t leader_id;       /* Sentinel node that leads */
	uint32_t selected_id;     /* replica chosen */
	int64_t role_master_ms;   /* when the chosen one first said role:master to us */
	char abort_reason[48];    /* wire name of the abort event */
};

struct group {
	uint32_t id;
	uint32_t deployment_id;
	char name[NAME_BYTES];    /* Sentinel's name of the master; else the master's address */
	uint32_t master_id;       /* node; 0 unknown */
	unsigned first_slot;      /* of its master, for the order of shards; SLOT_COUNT: none */
	uint32_t *member_ids;     /* nodes, master first, then by address; owned */
	size_t member_count, member_cap;
	/* Sentinel deployments only */
	struct sentinel_view *views; /* one per Sentinel; owned */
	size_t view_count, view_cap;
	struct member_view *replicas; /* by node id; owned */
	size_t replica_count, replica_cap;
	struct member_view *peers;    /* Sentinels as listed, by node id; owned */
	size_t peer_count, peer_cap;
	struct ckquorum_facts ckquorum;
	uint32_t ckquorum_from;       /* Sentinel node */
	int64_t ckquorum_at_ms;
	struct failover failover;
	uint32_t led_by;              /* the last master known, also while there is none */
	struct probe *probe;          /* the client's eye: model/probe.h; owned, NULL until it is on */
	int64_t disagreement_ms;      /* +disagreement on settings was said then; 0: not, or it is over */
	int64_t epoch_ms;             /* the same on the epoch; each has its own end */
	int64_t split_ms;             /* the same on whom they name as master */
	uint32_t stray_id;            /* node of which +disagreement said that it is a second master */
	int64_t gone_since_ms;        /* no Sentinel lists it any more since */
};

struct cluster {
	uint16_t owner[SLOT_COUNT];   /* index into owners, 0xffff uncovered */
	uint32_t *owners;             /* node ids; owned */
	size_t owner_count, owner_cap;
	size_t assigned;              /* slots with an owner */
	int64_t nodes_at_ms;          /* last CLUSTER NODES applied */
	bool mapped;                  /* the slot map was filled once */
	bool down;                    /* some reachable node says cluster_state:fail */
	int64_t down_since_ms;
};

struct deployment {
	uint32_t id;
	enum deployment_kind kind;
	char name[NAME_BYTES];
	uint32_t profile;             /* settings that reach its members; see struct target_facts */
	bool named;                   /* by its section: the name stays */
	bool name_settled;            /* a plain set or cluster was seen whole: so does its name */
	bool gone;                    /* merged into another */
	bool regroup;                 /* groups must be worked out anew */
	bool judge;                   /* so must who agrees with whom, at the next tick */
	int64_t listed_ms;            /* last time a member listed the others */
	int64_t complete_ms;          /* first time that happened; 0: not yet */
	struct group **groups;        /* owned, by name */
	size_t group_count, group_cap;
	uint32_t *member_ids;         /* all its nodes, by id; owned */
	size_t member_count, member_cap;
	bool full;                    /* more were listed than are watched: MEMBERS_MAX */
	struct cluster *cluster;      /* owned; cluster only */
	int64_t trouble_ms;           /* monotonic time of the last moment something was wrong */
	uint32_t seed_ids[2];         /* model_seed's; looked for once after each change */
	uint64_t seeds_change;
};

/* More nodes than this come from a broken or hostile server, not from a deployment. */
#define MEMBERS_MAX 20000

struct model; /* opaque: reached through the functions below */

struct model *model_new(size_t event_capacity);
void model_free(struct model *m);
/* Both return TOPIC_ bits. model_tick ages things: members that nobody lists, debounced flags. */
unsigned model_apply(struct model *m, const struct observation *obs);
unsigned model_tick(struct model *m, int64_t now_ms, int64_t wall_ms);
/* How long a member may go unlisted before it counts as gone follows from the poll interval. */
void model_set_interval(struct model *m, int64_t interval_ms);
/* Thresholds of the operator's; ALERTS_DEFAULT until then. */
void model_set_alerts(struct model *m, const struct alerts *alerts);
const struct alerts *model_alerts(const struct model *m);

/* Reading. Pointers are borrowed until the next model_apply or model_tick. */
const struct node *model_node(const struct model *m, uint32_t id);  /* follows merges; NULL if none or gone */
uint32_t model_node_resolve(const struct model *m, uint32_t id);    /* follows merges; 0 if gone */
const struct deployment *model_deployment(const struct model *m, uint32_t id);
const struct group *model_group(const struct model *m, uint32_t id);
/* The other group that has g's master: Sentinels were told to watch one address under two names. NULL:
 * none, as it is of the group that has the members. */
const struct group *group_namesake(const struct model *m, const struct group *g);
const struct event_log *model_events(const struct model *m);
/* Iteration: *cursor starts at 0; NULL at the end. Gone ones are left out. */
const struct node *model_next_node(const struct model *m, size_t *cursor);
const struct deployment *model_next_deployment(const struct model *m, size_t *cursor);
/* Nodes of one deployment, linear in that deployment. */
const struct node *model_next_member(const struct model *m, uint32_t deployment_id, size_t *cursor);
/* A target that answers, by which the others were found, on another host than the one given; NULL: none. */
const struct node *model_seed(const struct model *m, uint32_t deployment_id, const char *host);
/* In the address space of that deployment: two networks may announce the same addresses. */
const struct node *model_find_node(const struct model *m, uint32_t deployment_id,
				   const struct endpoint *addr);
size_t model_node_count(const struct model *m);
/* That an operator's command was refused for want of that permission ("+sentinel|failover"); NULL: not
 * since it last worked. */
const struct refusal *node_action_refusal(const struct node *n, const char *permission);
/* Its last INFO is what it says now: it came by the connection that is up, and was not refused since.
 * False: what is known of it is the last good word, and shown as that or not at all. */
bool node_answers(const struct node *n);
/* It is master by its latest word, and can be asked: INFO, or ROLE where a promotion asked that since. */
bool node_says_master(const struct node *n);
/* The same of a replica. */
bool node_says_replica(const struct node *n);
/* The server is of that version or a later one, by its own word. Valkey began at 7.2. */
bool node_version_from(const struct node *n, int64_t major, int64_t minor);
/* Of the latest observation or tick: monotonic. */
int64_t model_now_ms(const struct model *m);
size_t model_deployment_count(const struct model *m);
/* Sentinels of a deployment that watch the group and answer us now / are known. */
size_t group_sentinels_known(const struct model *m, const struct group *g);
size_t group_sentinels_reachable(const struct model *m, const struct group *g);
/* The believed word of the Sentinels on the master: the view with the highest config epoch, the
 * freshest of those; NULL outside Sentinel deployments. */
const struct sentinel_view *group_best_view(const struct group *g);
/* What that Sentinel says of the group; NULL: nothing. */
const struct sentinel_view *group_view_of(const struct model *m, const struct group *g,
					  uint32_t sentinel_id);
/* The Sentinel answers now: its view is no last word. */
bool group_view_answers(const struct model *m, const struct sentinel_view *v);
/* Of those that answer now the best informed one; NULL: none does. */
/* The server's words up to their first full stop: "NOQUORUM 1 usable Sentinels". */
#define CKQUORUM_WORDS_BYTES 100
const char *ckquorum_words(const struct ckquorum_facts *f, char out[CKQUORUM_WORDS_BYTES]);
const struct sentinel_view *group_best_answering(const struct model *m, const struct group *g);
/* The latest CKQUORUM of those; NULL: none was asked. */
const struct ckquorum_facts *group_ckquorum_answering(const struct model *m, const struct group *g);
/* The Sentinels' name of the master cannot be sent back to them. */
bool group_name_was_cleaned(const struct group *g);
const struct member_view *group_replica_view(const struct group *g, uint32_t node_id);
/* The latest word on it of the Sentinels that answer now; NULL: none of them lists it. */
const struct member_view *group_replica_answering(const struct model *m, const struct group *g,
						  uint32_t node_id);

const char *deployment_kind_name(enum deployment_kind k); /* sentinel cluster replication unknown */

#endif
