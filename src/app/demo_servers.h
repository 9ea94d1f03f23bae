/* The demo's servers: which ones, on which ports, with which configuration; and how one is started.
 *
 * A plan is made once by the guard process. Its forked children (the former, the load) read the
 * copy they inherited: ports, roles and passwords never change after that, pids and states do and
 * are only true in the guard. */
#ifndef APP_DEMO_SERVERS_H
#define APP_DEMO_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "app/demo.h"

#define DEMO_MAX_NODES  16
#define DEMO_SHARDS     3 /* of the cluster: nodes i and i + DEMO_SHARDS hold shard i */
#define DEMO_SLOTS      16384
#define DEMO_MASTER_NAME "mymaster"

/* What a node is when the deployment is formed; failovers change the part it plays, not this. */
enum demo_role {
	DEMO_ROLE_NONE = 0,
	DEMO_ROLE_MASTER,
	DEMO_ROLE_REPLICA,
	DEMO_ROLE_SENTINEL,
	DEMO_ROLE_CLUSTER_MASTER,
	DEMO_ROLE_CLUSTER_REPLICA,
};

enum demo_state { DEMO_STATE_DOWN = 0, DEMO_STATE_RUNNING, DEMO_STATE_PAUSED };

struct demo_node {
	enum demo_role role;
	enum demo_state state;
	uint16_t port;
	pid_t pid;            /* also its process group; 0 while down */
	int shard;            /* 0..DEMO_SHARDS-1 in the cluster, -1 elsewhere */
	char sentinel_id[41]; /* Sentinels: the id the others know it by */
};

struct demo_plan {
	struct demo_node nodes[DEMO_MAX_NODES];
	size_t node_count;
	char server_path[256];
	int server_version; /* major * 100 + minor; 0 when it could not be read */
	char data_password[40], sentinel_password[40];
};

const char *demo_role_name(enum demo_role role);
const char *demo_state_name(enum demo_state state);
/* The password a client needs there; borrowed from the plan. */
const char *demo_node_password(const struct demo_plan *plan, const struct demo_node *node);
bool demo_role_is_cluster(enum demo_role role);

/* Finds the server program, makes passwords, picks free ports. */
bool demo_plan_make(struct demo_plan *plan, enum demo_kind kind, struct buf *err);
/* Makes nodes/<port>/ with a configuration for each node below folder_fd. */
bool demo_plan_write(const struct demo_plan *plan, int folder_fd, struct buf *err);
struct demo_node *demo_plan_find(struct demo_plan *plan, uint16_t port);

/* Starts the node's server in its folder; it dies with the calling process. */
bool demo_node_spawn(const struct demo_plan *plan, struct demo_node *node, int folder_fd,
		     struct buf *err);

#endif
