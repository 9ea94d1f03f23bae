#include "config.h"

#include "base/thread.h"

#include <signal.h>

bool thread_start(pthread_t *id, size_t stack_bytes, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t unnamed;
	sigset_t all, before;
	bool ok;

	pthread_attr_init(&attr);
	if (!id)
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (stack_bytes > 0)
		pthread_attr_setstacksize(&attr, stack_bytes);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ok = pthread_create(id ? id : &unnamed, &attr, run, arg) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return ok;
}

void thread_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}
