/* --demo: throw-away local deployments with real servers, watched like any other.
 *
 * demo_start forks a guard process of its own session, which starts the servers, feeds them a
 * light write load and takes commands (kill, pause, resume, start of a node by port) from a FIFO
 * in the demo's folder. The guard holds one end of a pipe: when redoubt ends, in whatever way, the
 * pipe closes and the guard stops every server and removes the folder; when the guard itself dies,
 * the kernel kills the servers (PR_SET_PDEATHSIG). */
#ifndef APP_DEMO_H
#define APP_DEMO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/endpoint.h"

enum demo_kind { DEMO_NONE = 0, DEMO_SENTINEL = 1, DEMO_CLUSTER = 2, DEMO_ALL = 3 };

#define DEMO_MAX_TARGETS 4

struct demo {
	int pipe_fd;               /* kept open while redoubt lives; close-on-exec */
	int guard_pid;
	char folder[128];          /* of configuration, data, logs, the control FIFO */
	struct endpoint targets[DEMO_MAX_TARGETS]; /* one member of each deployment */
	size_t target_count;
	char data_password[40], sentinel_password[40]; /* the cluster takes data_password */
};

/* Must be called before threads, loops or a screen exist. Progress goes to standard error, a line a
 * step. False with the reason in err (no redis-server found, ports, ...); nothing is left then. */
bool demo_start(struct demo *d, enum demo_kind kind, struct buf *err);
/* Asks the guard to end and waits until all servers are gone (at most 10 s). */
void demo_stop(struct demo *d);

#endif
