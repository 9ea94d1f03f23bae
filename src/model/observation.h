/* One thing that the program learnt: who was asked what, when, and the answer or its absence.
 * A live link and a recording are two sources of the same stream. */
#ifndef MODEL_OBSERVATION_H
#define MODEL_OBSERVATION_H

#include "model/facts.h"

struct reply; /* redis/reply.h: the model never looks inside */

/* X(id, name): what was asked. The name is used in logs and recordings. */
#define QUESTIONS(X)                                                                               \
	X(ASK_NONE, "none")                                                                        \
	X(ASK_TARGET, "target")                         /* a target of the command line */        \
	X(ASK_LINK, "link")                             /* state of a connection changed */       \
	X(ASK_INFO, "info")                                                                        \
	X(ASK_ROLE, "role")                                                                        \
	X(ASK_SENTINEL_MYID, "sentinel myid")                                                      \
	X(ASK_SENTINEL_MASTERS, "sentinel masters")                                                \
	X(ASK_SENTINEL_REPLICAS, "sentinel replicas")   /* arg: master name */                    \
	X(ASK_SENTINEL_SENTINELS, "sentinel sentinels") /* arg: master name */                    \
	X(ASK_SENTINEL_CKQUORUM, "sentinel ckquorum")   /* arg: master name */                    \
	X(ASK_SENTINEL_WATCHERS, "pubsub numsub")       /* of a data node: do Sentinels listen? */ \
	X(ASK_SENTINEL_HELLO, "hello")                  /* a Sentinel's hello on a data node */   \
	X(ASK_CLUSTER_INFO, "cluster info")                                                        \
	X(ASK_CLUSTER_NODES, "cluster nodes")                                                      \
	X(ASK_MESSAGE, "message")                       /* pub/sub, unsolicited */                 \
	X(ASK_ACTION, "action")                         /* an operator's command, each stage */    \
	X(ASK_PROBE, "probe")                           /* what redoubt's own writes came to */

enum question {
#define X(id, name) id,
	QUESTIONS(X)
#undef X
	ASK_COUNT
};

enum answer {
	ANSWER_OK,
	ANSWER_REFUSED,   /* an error reply: error and text */
	ANSWER_MALFORMED, /* could not be understood: text */
	ANSWER_TIMEOUT,   /* no reply within the deadline */
	ANSWER_LOST,      /* the link broke before the reply */
};

enum link_state {
	LINK_NONE,       /* never tried */
	LINK_RESOLVING,
	LINK_CONNECTING,
	LINK_UP,         /* connected, authenticated or no password needed */
	LINK_FAILED,     /* connect refused, unreachable, name unknown: retried with backoff */
	LINK_LOST,       /* was up and broke */
	LINK_SILENT,     /* connected, a reply is overdue */
	LINK_AUTH_ERROR, /* credentials missing or refused */
	LINK_PROTOCOL,   /* answers, but not as a Redis server: text says what */
};

/* A member as named on the command line or in the config file. */
struct target_facts {
	struct endpoint addr;
	uint32_t profile; /* which section's settings reach it; 0: the command line's */
	const char *name; /* of the section, or NULL */
};

struct link_facts {
	enum link_state state;
	bool events;       /* the pub/sub link of a Sentinel, not the command link */
};

/* ACTION_NONE: nothing was sent but the question whether our user may; outcome: the refusal, "": he may. */
enum action_stage { ACTION_NONE, ACTION_SENT, ACTION_ACCEPTED, ACTION_REFUSED, ACTION_VERIFIED,
		    ACTION_FAILED, ACTION_UNKNOWN /* no answer, no proof either way */ };

struct action_facts {
	uint32_t action_id;          /* of this run, from 1 */
	enum action_stage stage;
	char name[24];               /* "failover", "ckquorum" */
	char subject[NAME_BYTES];    /* master name, or address */
	const char *command;         /* as sent, without secrets */
	const char *operator_name;   /* user, and where from */
	const char *outcome;         /* words */
};

enum probe_news {
	PROBE_OFF,
	PROBE_ON,
	PROBE_SUMMARY, /* once a second, while anything is to be said */
	PROBE_BROKE,   /* the first write that failed; text: why */
	PROBE_MENDED,  /* the first good one after that */
	PROBE_MISSED,  /* none failed, but acknowledged ones are not on the master of now */
	PROBE_BARRED,  /* nothing can be written at all, and it is not the clients' trouble; text: why */
};

/* Of one group, as a client of it has it: see model/probe.h. */
struct probe_facts {
	enum probe_news news;
	uint32_t group_id;
	int64_t acknowledged, failed;   /* writes since it is on */
	int64_t latency_us;             /* of the last acknowledged one; FACT_UNKNOWN */
	int64_t first_failed_ms;        /* of the outage: when that write was begun; 0: there is none */
	int64_t outage_failed;          /* writes failed in it so far */
	int64_t lost;                   /* MENDED, MISSED: acknowledged and not there; FACT_UNKNOWN */
};

struct observation {
	enum question question;
	enum answer answer;
	uint32_t node_id;            /* who was asked; 0 for ASK_TARGET */
	const char *arg;             /* master name, or NULL */
	int64_t sent_ms, recv_ms;    /* monotonic; sent 0: unsolicited */
	int64_t wall_ms;             /* of recv, for display only */
	int32_t rtt_us;              /* round trip, -1: not measured */
	enum server_error error;
	const char *text;            /* cleaned; error reply or reason; or NULL */
	const struct reply *raw;     /* as it came, for the recorder: what parse_reply was given */
	union {                      /* by question; borrowed for the call */
		const struct target_facts *target;
		const struct link_facts *link;
		const struct info_facts *info;
		const struct role_facts *role;
		const char *myid;
		const struct sentinel_list *list;
		const struct ckquorum_facts *ckquorum;
		const struct cluster_info_facts *cluster_info;
		const struct cluster_nodes_facts *cluster_nodes;
		const struct sentinel_message *message;
		const struct sentinel_hello *hello;
		int64_t watchers;             /* subscribers of the hello channel */
		const struct action_facts *action;
		const struct probe_facts *probe;
	} u;
};

const char *question_name(enum question q);
const char *link_state_name(enum link_state s);

#endif
