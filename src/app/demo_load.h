/* The demo's write load: a few keys of varying size every 50 ms to whichever nodes are masters.
 * Keys expire, so memory stays bounded. */
#ifndef APP_DEMO_LOAD_H
#define APP_DEMO_LOAD_H

struct demo_plan;

/* Writes until the process is killed. For a child of the guard only. */
_Noreturn void demo_load_run(const struct demo_plan *plan);

#endif
