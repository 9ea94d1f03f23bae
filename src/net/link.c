/* The life of a link, one step at a time:
 *
 *   BACKOFF -> RESOLVING -> CONNECTING -> HANDSHAKE -> GREETING -> [SUBSCRIBING] -> READY
 *
 * and from anywhere back to BACKOFF through link_drop(). The step is what the link does; what it
 * *reports* (enum link_state) is another matter: a link that was lost goes through all steps at
 * every attempt, but its owner hears of it once, and again only when something else is known.
 *
 * "Up" takes a reply. The kernel accepts connections for a process that is stopped, so a
 * connection alone says nothing; the greeting is AUTH, or PING where there is nothing to try.
 *
 * Re-entrance: callbacks may ask, free and retry any link, their own too. Each entry from the loop
 * counts in `depth`; a link freed inside is destroyed when the last entry is left.
 *
 * Here: reports, the way down, the hub and the interface. The way up is in link_connect.c and
 * link_greeting.c; what is asked and when it is late, in link_pending.c; bytes in link_io.c. */
#include "config.h"
#include "net/link_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/resolver.h"
#include "redis/parse.h"

#define FIRST_RETRY_US    5000
#define UP_LONG_ENOUGH_US 2000000 /* after which a loss starts the backoff anew */

static struct hub *hubs;

static void destroy(struct link *l);

void link_enter(struct link *l)
{
	l->depth++;
}

void link_leave(struct link *l)
{
	if (--l->depth == 0 && l->freed)
		destroy(l);
}

void link_arm(struct link *l, int64_t after_us)
{
	/* At least a millisecond: ev_now lags behind the clock that the deadlines are taken from. */
	double after = after_us <= 0 ? 0. : (after_us < 1000 ? 0.001 : (double)after_us / 1e6);

	ev_timer_stop(l->config.loop, &l->timer);
	ev_timer_set(&l->timer, after, 0.);
	ev_timer_start(l->config.loop, &l->timer);
}

/* --- reporting --------------------------------------------------------------------------------- */

static bool is_news(const struct link *l, enum link_state state, enum server_error error,
		    const char *reason)
{
	/* Attempts to come back are no news: the trouble that began them still stands. */
	if ((state == LINK_RESOLVING || state == LINK_CONNECTING) && l->shown > LINK_CONNECTING)
		return false;
	if (state != l->shown)
		return true;
	return state != LINK_SILENT &&
	       (error != l->shown_error || strcmp(reason, l->shown_reason) != 0);
}

void link_report(struct link *l, enum link_state state, enum server_error error,
		 const char *reason)
{
	char text[REASON_BYTES];

	if (l->freed || !is_news(l, state, error, reason ? reason : ""))
		return;
	snprintf(text, sizeof(text), "%s", reason ? reason : "");
	l->shown = state;
	l->shown_error = error;
	memcpy(l->shown_reason, text, sizeof(text));
	if (l->config.callbacks.state)
		l->config.callbacks.state(l, state, error, text[0] ? text : NULL, l->config.owner);
}

/* --- coming down ------------------------------------------------------------------------------- */

static void close_connection(struct link *l)
{
	struct ev_loop *loop = l->config.loop;

	ev_io_stop(loop, &l->reader);
	ev_io_stop(loop, &l->writer);
	ev_timer_stop(loop, &l->timer);
	resolver_cancel(l->query);
	l->query = NULL;
	free(l->addrs);
	l->addrs = NULL;
	stream_close(&l->stream);
	reader_free(l->parser);
	l->parser = NULL;
	link_unmark_dirty(l);
	link_wipe_out(l);
	l->connection++;
}

static uint32_t next_random(struct hub *hub)
{
	hub->random ^= hub->random << 13;
	hub->random ^= hub->random >> 17;
	hub->random ^= hub->random << 5;
	return hub->random;
}

static int64_t backoff_us(struct link *l, enum link_state state)
{
	int64_t ms = LINK_BACKOFF_MIN_MS;

	/* A server that closes its clients and lives (a promotion, CLIENT KILL) is back at once, and that
	 * is the moment at which its word matters; one that died refuses, and is met again later. */
	if (state == LINK_LOST && l->attempts == 0) {
		l->attempts = 1;
		return FIRST_RETRY_US;
	}
	for (unsigned i = 1; i < l->attempts && ms < LINK_BACKOFF_MAX_MS; i++)
		ms *= 2;
	if (l->attempts < 16)
		l->attempts++;
	/* Refused passwords are logged and counted by servers; what is no Redis does not become one. */
	if (state == LINK_AUTH_ERROR || state == LINK_PROTOCOL)
		ms = LINK_BACKOFF_REFUSED_MS;
	else if (ms > LINK_BACKOFF_MAX_MS)
		ms = LINK_BACKOFF_MAX_MS;
	/* A process that hangs is met again soon: the new connection waits for it to wake up. */
	if (state == LINK_SILENT)
		ms = LINK_BACKOFF_MIN_MS;
	return ms * 10 * (80 + (int64_t)(next_random(l->hub) % 41)); /* +-20 % */
}

void link_drop(struct link *l, enum link_state state, enum server_error error,
	       const char *reason)
{
	if (l->up_us != 0 && clock_mono_us() - l->up_us >= UP_LONG_ENOUGH_US)
		l->attempts = 0;
	l->up_us = 0;
	close_connection(l);
	l->step = STEP_BACKOFF;
	link_arm(l, backoff_us(l, state));
	link_report(l, state, error, reason);
	link_fail_requests(l, ANSWER_LOST);
	l->ring_head = 0;
	l->ring_count = 0;
	l->unsent = 0;
}

void link_lost(struct link *l, const char *reason)
{
	link_drop(l, l->answered ? LINK_LOST : LINK_FAILED,
		  l->stream.refused ? ERROR_TLS : ERROR_OTHER, reason);
}

/* --- the steps by time ------------------------------------------------------------------------- */

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct link *l = w->data;
	char text[REASON_BYTES], seconds[32];

	(void)loop;
	(void)events;
	link_enter(l);
	link_seconds_text(l->config.timeout_ms, seconds);
	switch (l->step) {
	case STEP_BACKOFF:
		link_begin(l);
		break;
	case STEP_RESOLVING:
		/* The look-up goes on: a slow name server answers after its own time-outs, and
		 * cancelling would never let it. */
		snprintf(text, sizeof(text), "name look-up: no answer for %s", seconds);
		link_report(l, LINK_FAILED, ERROR_OTHER, text);
		break;
	case STEP_CONNECTING:
		snprintf(text, sizeof(text), "no connection within %s", seconds);
		link_connect_failed(l, text);
		break;
	case STEP_HANDSHAKE:
		link_handshake_late(l);
		break;
	case STEP_GREETING:
	case STEP_SUBSCRIBING:
	case STEP_READY:
		link_check_deadline(l);
		break;
	}
	link_leave(l);
}

/* --- the hub ----------------------------------------------------------------------------------- */

static void hub_put(struct hub *hub)
{
	struct hub **p = &hubs;

	if (--hub->links > 0)
		return;
	while (*p != hub)
		p = &(*p)->next;
	*p = hub->next;
	ev_ref(hub->loop);
	ev_prepare_stop(hub->loop, &hub->flush);
	free(hub);
}

static void on_flush(struct ev_loop *loop, ev_prepare *w, int events)
{
	struct hub *hub = w->data;

	(void)loop;
	(void)events;
	if (!hub->dirty)
		return;
	hub->links++; /* the last link may be freed inside */
	while (hub->dirty) {
		struct link *l = hub->dirty;

		link_enter(l);
		link_unmark_dirty(l);
		link_flush(l);
		link_leave(l);
	}
	hub_put(hub);
}

static struct hub *hub_get(struct ev_loop *loop)
{
	struct hub *hub;

	for (hub = hubs; hub; hub = hub->next)
		if (hub->loop == loop)
			break;
	if (!hub) {
		hub = mem_alloc(sizeof(*hub));
		hub->loop = loop;
		hub->random = (uint32_t)clock_mono_us() ^ ((uint32_t)getpid() << 16) ^ 0x9e3779b9u;
		if (hub->random == 0)
			hub->random = 1;
		ev_prepare_init(&hub->flush, on_flush);
		/* Last of the turn: what other prepare watchers ask still leaves in this one. */
		ev_set_priority(&hub->flush, EV_MINPRI);
		hub->flush.data = hub;
		ev_prepare_start(loop, &hub->flush);
		ev_unref(loop);
		hub->next = hubs;
		hubs = hub;
	}
	hub->links++;
	return hub;
}

static void destroy(struct link *l)
{
	close_connection(l);
	hub_put(l->hub);
	buf_free(&l->out);
	free(l->ring);
	free(l);
}

/* --- the interface ----------------------------------------------------------------------------- */

struct link *link_new(const struct link_config *config)
{
	struct link *l = mem_alloc(sizeof(*l));

	l->config = *config;
	l->hub = hub_get(config->loop);
	l->stream = (struct stream)STREAM_INIT;
	ev_io_init(&l->reader, link_on_readable, -1, EV_READ);
	ev_io_init(&l->writer, link_on_writable, -1, EV_WRITE);
	ev_timer_init(&l->timer, on_timer, 0., 0.);
	l->reader.data = l->writer.data = l->timer.data = l;
	link_arm(l, 0);
	return l;
}

void link_free(struct link *l)
{
	if (!l || l->freed)
		return;
	l->freed = true;
	if (l->depth == 0)
		destroy(l);
}

bool link_is_up(const struct link *l)
{
	return l->step == STEP_READY && l->shown == LINK_UP && !l->freed;
}

static bool can_ask(const struct link *l)
{
	return link_is_up(l) && !l->config.subscribe && l->ring_count < LINK_MAX_PENDING;
}

bool link_ask(struct link *l, enum question q, const char *arg, uint32_t tag)
{
	if (!can_ask(l))
		return false;
	command_append(&l->out, q, arg);
	link_push_request(l, REQUEST_ASKED, q, arg, tag);
	return true;
}

bool link_ask_argv(struct link *l, int argc, const char *const *argv, uint32_t tag)
{
	if (!can_ask(l))
		return false;
	command_append_argv(&l->out, argc, argv);
	link_push_request(l, REQUEST_ASKED, ASK_ACTION, NULL, tag);
	return true;
}

bool link_has_pending(const struct link *l, enum question q)
{
	return l->asked[q] > 0;
}

bool link_reached(const struct link *l)
{
	return l->reached;
}

const struct endpoint *link_identity(const struct link *l)
{
	return endpoint_is_set(&l->config.identity) ? &l->config.identity : &l->config.addr;
}

void link_set_tls(struct link *l, const struct tls_context *tls)
{
	l->config.tls = tls;
}

void link_set_credential_kind(struct link *l, enum credential_kind kind)
{
	if (l->config.credential_kind == kind && !l->config.try_both_credentials)
		return;
	l->config.credential_kind = kind;
	l->config.try_both_credentials = false;
	if (l->step == STEP_BACKOFF && l->shown == LINK_AUTH_ERROR)
		link_arm(l, LINK_BACKOFF_MIN_MS * 1000);
}

void link_retry_now(struct link *l)
{
	if (l->step != STEP_BACKOFF)
		return;
	l->attempts = 0;
	link_arm(l, 0);
}

bool link_is_tls(const struct link *l)
{
	return l->config.tls != NULL && !endpoint_is_unix(&l->config.addr);
}

int64_t link_up_us(const struct link *l)
{
	return l->up_us;
}

const struct endpoint *link_addr(const struct link *l)
{
	return &l->config.addr;
}

uint64_t link_bytes_in(const struct link *l)
{
	return l->bytes_in;
}

uint64_t link_bytes_out(const struct link *l)
{
	return l->bytes_out;
}
