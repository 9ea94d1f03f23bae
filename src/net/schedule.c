#include "net/schedule.h"

const struct poll polls[] = {
	{ ASK_INFO, POLL_EVERY_NODE, 1, true, "role, lag, memory: everything a node says of itself" },
	{ ASK_SENTINEL_MYID, POLL_SENTINEL_ONCE, 1, false,
	  "two addresses with one id are one Sentinel" },
	{ ASK_SENTINEL_MASTERS, POLL_EVERY_SENTINEL, 1, true, "each Sentinel's word: agreement" },
	{ ASK_SENTINEL_REPLICAS, POLL_ONE_SENTINEL_PER_MASTER, 1, true,
	  "what a promotion would choose from" },
	{ ASK_SENTINEL_SENTINELS, POLL_ONE_SENTINEL_PER_MASTER, 1, true,
	  "peers, their hellos and votes" },
	{ ASK_SENTINEL_CKQUORUM, POLL_ONE_SENTINEL_PER_MASTER, 5, false,
	  "the Sentinel's own verdict, behind by down-after anyway" },
	{ ASK_SENTINEL_WATCHERS, POLL_EVERY_PLAIN_NODE, 30, false,
	  "Sentinels that listen there would undo a failover past them" },
	{ ASK_CLUSTER_INFO, POLL_EVERY_CLUSTER_NODE, 1, true,
	  "short, and changes with nearly all that CLUSTER NODES would tell" },
	{ ASK_CLUSTER_NODES, POLL_ONE_CLUSTER_NODE, 1, false,
	  "100 bytes a node: from all of them it would grow with the square" },
};

const unsigned poll_count = sizeof(polls) / sizeof(polls[0]);
