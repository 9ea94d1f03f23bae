/* Whom a failover would promote, by the servers' own rules, and what would be lost. A forecast is no
 * promise: it names a replica only where the rules leave no other. */
#ifndef MODEL_FORECAST_H
#define MODEL_FORECAST_H

#include "model/model.h"

#define FORECAST_REPLICAS_MAX  64  /* with more of them nobody is named */
#define FORECAST_REASONS_BYTES 320
#define FORECAST_SECOND_MASTER "it says that it is master itself: its history has left the master's"

/* X(id, JSON reason): why Sentinel passes a replica over; sentinel.c:sentinelSelectSlave, in its
 * order. All that hold are given, not only the first. */
#define PASS_REASONS(X)                                                                            \
	X(PASS_DOWN, "down")                   /* S_DOWN or O_DOWN */                              \
	X(PASS_DISCONNECTED, "disconnected")   /* the Sentinel has no connection */                \
	X(PASS_NO_PING, "no-ping-reply")       /* last valid one more than 5 s ago */              \
	X(PASS_PRIORITY_0, "priority-0")                                                           \
	X(PASS_OLD_INFO, "info-too-old")       /* 5 s with the master down, else 30 s; or never */ \
	X(PASS_LINK_DOWN, "master-link-down")  /* for more than 10 times down-after, and so on */  \
	X(PASS_NOFAILOVER, "nofailover")       /* cluster: cluster-replica-no-failover */          \
	X(PASS_UNREACHABLE, "unreachable")     /* redoubt lost it, and so will whoever decides */   \
	X(PASS_OFFLINE, "offline")             /* cluster, plain: not linked to the master */

enum pass_reason_index {
#define X(id, name) id##_INDEX,
	PASS_REASONS(X)
#undef X
	PASS_REASON_COUNT
};
enum pass_reason {
#define X(id, name) id = 1u << id##_INDEX,
	PASS_REASONS(X)
#undef X
};

enum resync { RESYNC_UNKNOWN, RESYNC_PARTIAL, RESYNC_FULL };

struct forecast_replica {
	uint32_t node_id;
	unsigned passed_over;        /* PASS_ bits; 0: eligible */
	bool says_master;            /* it is no replica by its own word, of which the rules do not ask */
	bool hidden;                 /* replica-announced no: the Sentinel may choose it, but lists it not */
	int64_t priority;            /* Sentinels only; else FACT_UNKNOWN */
	int64_t offset;              /* as it will be known when the choice is made; FACT_UNKNOWN */
	int64_t listed_offset;       /* as the Sentinel knows it now; FACT_UNKNOWN */
	char run_id[ID_BYTES];       /* the last tie-break; "" last of all */
	int64_t loss_bytes;          /* if it were promoted now; FACT_UNKNOWN */
	int64_t ping_age_ms, info_age_ms, info_allowed_ms, link_down_ms, link_down_allowed_ms; /* for words */
	enum resync resync;          /* what it would need to follow the candidate */
};

struct forecast {
	bool known;                  /* there was data to judge by, and all of it was judged */
	uint32_t by;                 /* Sentinel whose data it is; 0: redoubt's (cluster, plain) */
	int64_t at_ms;               /* age of that data */
	uint32_t candidate_id;       /* 0: none, or none for certain: see text */
	size_t rivals;               /* of a tie: between how many */
	bool second_master;          /* by the rules it is, or may be, one that says master of itself */
	bool tie;                    /* eligible ones, but the rules do not decide: text says between whom */
	int64_t loss_bytes, loss_ms; /* at risk with the candidate; FACT_UNKNOWN */
	size_t eligible, count, more;
	struct forecast_replica replicas[FORECAST_REPLICAS_MAX]; /* in the order of choice */
	char text[200];              /* why this one: "lowest priority 50", "highest offset, 1.2 MB ahead" */
};

/* A manual failover acts on the data of one Sentinel as it is: offsets may be 10 s old. A crash is
 * judged after every replica was asked again. */
enum forecast_case { FORECAST_MANUAL, FORECAST_CRASH };

/* By the data of one Sentinel (view of the group). */
void forecast_by_sentinel(const struct model *m, const struct group *g, const struct sentinel_view *v,
			  enum forecast_case which, int64_t now_ms, struct forecast *out);
/* Of a group of any kind. Under Sentinels: what all that answer would choose; *differ is true when two
 * of them would choose differently, or one of them nobody (then no candidate is named, and the
 * replicas are those of one that has a choice). differ may be NULL. */
void forecast_group(const struct model *m, const struct group *g, enum forecast_case which,
		    int64_t now_ms, struct forecast *out, bool *differ);
/* What n would need to follow the candidate, should that be promoted. */
enum resync forecast_resync(const struct node *candidate, const struct node *n);
/* "priority 0; last INFO 41 s ago, 30 s allowed": every reason, in words. */
char *forecast_reasons(const struct forecast_replica *r, char out[FORECAST_REASONS_BYTES]);
const char *pass_reason_name(enum pass_reason one);

#endif
