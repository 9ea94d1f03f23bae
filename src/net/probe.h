/* Is somebody listening on this host? For the choice of a default target only: loopback answers at
 * once, and the wait is bounded. */
#ifndef NET_PROBE_H
#define NET_PROBE_H

#include <stdbool.h>

#include "base/endpoint.h"

bool probe_listens(const struct endpoint *loopback);

#endif
