/* Threads for what would hold up the loop: names, disks. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Signals are the main thread's: a thread that took one would break the loop's handlers, and a file
 * beyond the limit of sizes is an error of write() where SIGXFSZ can't come. id: NULL for a detached
 * thread. stack_bytes: 0 for the system's own. False when none could be started. */
bool thread_start(pthread_t *id, size_t stack_bytes, void *(*run)(void *), void *arg);

/* A condition whose timed waits count by the monotonic clock (clock_mono_in). */
void thread_cond_init(pthread_cond_t *cond);

#endif
