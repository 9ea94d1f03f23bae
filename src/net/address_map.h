/* Where an announced address is really reached: NAT, containers, port forwards. The identity of a
 * node stays what its deployment announces; only the dialling changes. */
#ifndef NET_ADDRESS_MAP_H
#define NET_ADDRESS_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/endpoint.h"

struct address_pair {
	struct endpoint from; /* port 0: every port of the host */
	struct endpoint to;   /* port 0: the same port */
};

struct address_map { /* zero to begin with */
	struct address_pair *pairs; /* owned */
	size_t count, cap;
};

/* "FROM=TO", each host:port, or both without a port. False with the reason in err. */
bool address_map_add(struct address_map *m, const char *text, struct buf *err);
void address_map_done(struct address_map *m);
/* Replaces *ep by where it is reached; true when the map had something to say. */
bool address_map_apply(const struct address_map *m, struct endpoint *ep);

#endif
