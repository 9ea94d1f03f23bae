/* Forming the demo's deployments out of servers that were just started: replicas synchronised,
 * Sentinels watching, slots assigned, nodes introduced. Blocking, each wait bounded: for a child of
 * the guard. */
#ifndef APP_DEMO_FORM_H
#define APP_DEMO_FORM_H

#include <stdbool.h>

#include "base/buf.h"

struct demo_plan;

typedef void demo_progress(void *ctx, const char *line);

/* True when every deployment of the plan is whole; else the reason is in err. */
bool demo_form(const struct demo_plan *plan, demo_progress *progress, void *ctx, struct buf *err);

#endif
