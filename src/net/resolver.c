/* Each look-up is a job. Who owns it changes hands, always under the lock: the queue (main thread),
 * then its thread, then the done list (main thread again). A thread touches only host, port and
 * result of its job; whether it was cancelled is the main thread's business alone. What threads
 * need of the resolver lives in `shared`, which the last of them frees, so that a look-up that
 * hangs in the C library outlives the resolver without harm. */
#include "config.h"
#include "net/resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/mem.h"
#include "base/thread.h"

#define THREADS_MAX  8
#define THREAD_STACK (512 * 1024) /* NSS modules are hungrier than getaddrinfo itself */

struct shared {
	pthread_mutex_t lock;
	unsigned refs;                /* the resolver and each running thread */
	bool closed;                  /* the resolver is gone: loop and async are not to be used */
	struct ev_loop *loop;
	ev_async *async;
	struct resolver_query *done, **done_tail;
};

enum query_place { PLACE_QUEUE, PLACE_THREAD_OR_DONE };

struct resolver_query {
	struct resolver_query *next;
	struct resolver *resolver;
	struct shared *shared;
	enum query_place place;       /* main thread only, like the three below */
	bool cancelled;
	resolver_callback *cb;
	void *arg;
	uint16_t port;
	struct resolved result;
	char host[ENDPOINT_HOST_BYTES];
};

struct resolver {
	struct ev_loop *loop;
	ev_async async;
	struct shared *shared;
	unsigned running;             /* threads whose result was not picked up yet */
	struct resolver_query *queue, **queue_tail;
};

static void shared_unlock_unref(struct shared *shared)
{
	bool last = --shared->refs == 0;

	pthread_mutex_unlock(&shared->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&shared->lock);
	free(shared);
}

static void set_port(struct sockaddr_storage *addr, uint16_t port)
{
	if (addr->ss_family == AF_INET)
		((struct sockaddr_in *)addr)->sin_port = htons(port);
	else if (addr->ss_family == AF_INET6)
		((struct sockaddr_in6 *)addr)->sin6_port = htons(port);
}

static void look_up(struct resolver_query *q, int flags)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags };
	struct addrinfo *list = NULL;
	struct resolved *r = &q->result;

	r->count = 0;
	r->error = getaddrinfo(q->host, NULL, &hints, &list);
	if (r->error != 0)
		return;
	for (struct addrinfo *ai = list; ai && r->count < RESOLVER_MAX_ADDRS; ai = ai->ai_next) {
		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		memcpy(&r->addrs[r->count].addr, ai->ai_addr, ai->ai_addrlen);
		r->addrs[r->count].len = ai->ai_addrlen;
		set_port(&r->addrs[r->count].addr, q->port);
		r->count++;
	}
	freeaddrinfo(list);
	if (r->count == 0)
		r->error = EAI_NONAME;
}

/* Called with the lock held. */
static void push_done(struct shared *shared, struct resolver_query *q)
{
	q->next = NULL;
	*shared->done_tail = q;
	shared->done_tail = &q->next;
	ev_async_send(shared->loop, shared->async);
}

static void *thread_main(void *arg)
{
	struct resolver_query *q = arg;
	struct shared *shared = q->shared;

	look_up(q, 0);
	pthread_mutex_lock(&shared->lock);
	if (shared->closed)
		free(q);
	else
		push_done(shared, q);
	shared_unlock_unref(shared);
	return NULL;
}

static void start(struct resolver *r, struct resolver_query *q)
{
	q->place = PLACE_THREAD_OR_DONE;
	r->running++;
	pthread_mutex_lock(&r->shared->lock);
	r->shared->refs++;
	pthread_mutex_unlock(&r->shared->lock);
	if (thread_start(NULL, THREAD_STACK, thread_main, q))
		return;
	q->result.error = EAI_AGAIN;
	pthread_mutex_lock(&r->shared->lock);
	push_done(r->shared, q);
	shared_unlock_unref(r->shared);
}

static void start_queued(struct resolver *r)
{
	while (r->queue && r->running < THREADS_MAX) {
		struct resolver_query *q = r->queue;

		r->queue = q->next;
		if (!r->queue)
			r->queue_tail = &r->queue;
		start(r, q);
	}
}

static struct resolver_query *take_done(struct shared *shared)
{
	struct resolver_query *list;

	pthread_mutex_lock(&shared->lock);
	list = shared->done;
	shared->done = NULL;
	shared->done_tail = &shared->done;
	pthread_mutex_unlock(&shared->lock);
	return list;
}

static void on_async(struct ev_loop *loop, ev_async *w, int events)
{
	struct resolver *r = w->data;
	struct resolver_query *list = take_done(r->shared);

	(void)loop;
	(void)events;
	while (list) {
		struct resolver_query *q = list;

		list = q->next;
		r->running--;
		if (!q->cancelled)
			q->cb(&q->result, q->arg);
		free(q);
	}
	start_queued(r);
}

struct resolver *resolver_new(struct ev_loop *loop)
{
	struct resolver *r = mem_alloc(sizeof(*r));
	struct shared *shared = mem_alloc(sizeof(*shared));

	r->loop = loop;
	r->shared = shared;
	r->queue_tail = &r->queue;
	ev_async_init(&r->async, on_async);
	r->async.data = r;
	ev_async_start(loop, &r->async);
	ev_unref(loop); /* waiting for names alone must not keep the loop alive */
	pthread_mutex_init(&shared->lock, NULL);
	shared->refs = 1;
	shared->loop = loop;
	shared->async = &r->async;
	shared->done_tail = &shared->done;
	return r;
}

static void free_list(struct resolver_query *list)
{
	while (list) {
		struct resolver_query *next = list->next;

		free(list);
		list = next;
	}
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	free_list(take_done(r->shared));
	pthread_mutex_lock(&r->shared->lock);
	r->shared->closed = true;
	/* One may have come in between the two. */
	free_list(r->shared->done);
	shared_unlock_unref(r->shared);
	free_list(r->queue);
	ev_ref(r->loop);
	ev_async_stop(r->loop, &r->async);
	free(r);
}

struct resolver_query *resolver_query(struct resolver *r, const char *host, uint16_t port,
				      resolver_callback *cb, void *arg)
{
	struct resolver_query *q = mem_alloc(sizeof(*q));

	q->resolver = r;
	q->shared = r->shared;
	q->cb = cb;
	q->arg = arg;
	q->port = port;
	snprintf(q->host, sizeof(q->host), "%s", host);
	look_up(q, AI_NUMERICHOST);
	if (q->result.error != EAI_NONAME) {
		q->place = PLACE_THREAD_OR_DONE;
		r->running++;
		pthread_mutex_lock(&r->shared->lock);
		push_done(r->shared, q);
		pthread_mutex_unlock(&r->shared->lock);
		return q;
	}
	q->place = PLACE_QUEUE;
	*r->queue_tail = q;
	r->queue_tail = &q->next;
	start_queued(r);
	return q;
}

void resolver_cancel(struct resolver_query *q)
{
	struct resolver *r;

	if (!q)
		return;
	if (q->place != PLACE_QUEUE) {
		q->cancelled = true;
		return;
	}
	r = q->resolver;
	for (struct resolver_query **p = &r->queue; *p; p = &(*p)->next) {
		if (*p != q)
			continue;
		*p = q->next;
		if (!q->next)
			r->queue_tail = p;
		free(q);
		return;
	}
}
