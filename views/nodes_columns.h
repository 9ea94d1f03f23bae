/* The columns of the table of nodes, by name: for the view, for the config file and for the
 * documents. */
#ifndef VIEWS_NODES_COLUMNS_H
#define VIEWS_NODES_COLUMNS_H

/* X(id, name, title, help), in the order on the screen. */
#define NODE_COLUMNS(X)                                                                            \
	X(COLUMN_ADDRESS, "address", "node", "where it is; always the first")                      \
	X(COLUMN_ROLE, "role", "role", "master, replica or sentinel, by its own word while it answers") \
	X(COLUMN_STATE, "state", "state", "how it is, in words")                                   \
	X(COLUMN_GROUP, "group", "group", "name of the master that it belongs to, or of the shard") \
	X(COLUMN_VERSION, "version", "version", "of the server")                                   \
	X(COLUMN_UPTIME, "uptime", "uptime", "of the server's process")                            \
	X(COLUMN_OPS, "ops", "ops/s", "commands a second")                                         \
	X(COLUMN_CLIENTS, "clients", "clients", "connected clients, without replicas")             \
	X(COLUMN_BLOCKED, "blocked", "blocked", "clients in a blocking command")                   \
	X(COLUMN_MEMORY, "memory", "memory", "used memory")                                        \
	X(COLUMN_SHARE, "memory-share", "mem%", "used memory of maxmemory")                        \
	X(COLUMN_MAXMEMORY, "maxmemory", "maxmem", "its limit; none: all that the machine has")    \
	X(COLUMN_EVICTED, "evicted", "evicted", "keys evicted since its start")                    \
	X(COLUMN_HIT_RATE, "hit-rate", "hit%", "reads that found a key, in the last interval with reads") \
	X(COLUMN_INPUT, "in", "in/s", "network: bytes a second to the server")                     \
	X(COLUMN_OUTPUT, "out", "out/s", "network: bytes a second from the server")                \
	X(COLUMN_KEYS, "keys", "keys", "in all databases")                                         \
	X(COLUMN_SLOTS, "slots", "slots", "cluster: slots that it owns")                           \
	X(COLUMN_LAG, "lag", "lag", "replica: bytes behind, by its master's word")                 \
	X(COLUMN_OFFSET, "offset", "offset", "of its replication stream")                          \
	X(COLUMN_PRIORITY, "priority", "prio", "replica: for promotion; never: 0")                 \
	X(COLUMN_REPLICAS, "replicas", "replicas", "that follow it, by its own word")              \
	X(COLUMN_FOLLOWS, "follows", "follows", "replica: the master that it names")               \
	X(COLUMN_LATENCY, "latency", "latency", "round trip of the last INFO from here")           \
	X(COLUMN_LINK, "link", "link", "for how long the link from here has been as it is")        \
	X(COLUMN_HEARD, "heard", "heard", "since its last answer")                                 \
	X(COLUMN_RUN_ID, "run-id", "run id", "of the server's process")

enum node_column {
#define X(id, name, title, help) id,
	NODE_COLUMNS(X)
#undef X
	COLUMN_COUNT
};

#endif
