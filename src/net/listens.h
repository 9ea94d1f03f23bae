/* Is somebody listening on this host? For the choice of a default target only: loopback answers at
 * once, and the wait is bounded. */
#ifndef NET_LISTENS_H
#define NET_LISTENS_H

#include <stdbool.h>

#include "base/endpoint.h"

bool listens_on(const struct endpoint *loopback);

#endif
