/* From an address to a connection: name, addresses in turn, handshake. The greeting follows. */
#include "config.h"
#include "net/link_private.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/mem.h"
#include "net/resolver.h"
#include "net/tls.h"

#define KEEPALIVE_S            60
#define KEEPALIVE_SUBSCRIBED_S 10

static void connect_next(struct link *l);

static void attempt_failed(struct link *l, enum link_state state, const char *reason)
{
	enum server_error error = l->stream.refused ? ERROR_TLS : ERROR_OTHER;

	ev_io_stop(l->config.loop, &l->reader);
	ev_io_stop(l->config.loop, &l->writer);
	stream_close(&l->stream);
	if (++l->addr_index < l->addrs->count)
		connect_next(l);
	else
		link_drop(l, state, error, reason);
}

void link_connect_failed(struct link *l, const char *reason)
{
	attempt_failed(l, LINK_FAILED, reason);
}

/* A plain server waits for the rest of what it takes for a command, so nothing tells it from one
 * that hangs; unless it was met before. */
void link_handshake_late(struct link *l)
{
	char text[REASON_BYTES], seconds[32];

	link_seconds_text(l->config.timeout_ms, seconds);
	if (l->was_up) {
		snprintf(text, sizeof(text), "connected, but no reply within %s", seconds);
		attempt_failed(l, LINK_SILENT, text);
		return;
	}
	snprintf(text, sizeof(text),
		 "connected, but no TLS handshake within %s: the server hangs, or speaks no TLS",
		 seconds);
	attempt_failed(l, LINK_FAILED, text);
}

void link_continue_handshake(struct link *l)
{
	switch (stream_handshake(&l->stream)) {
	case STREAM_OK:
		ev_io_stop(l->config.loop, &l->writer);
		link_start_greeting(l);
		link_read_held(l);
		return;
	case STREAM_WANT_READ:
		ev_io_stop(l->config.loop, &l->writer);
		return;
	case STREAM_WANT_WRITE:
		ev_io_start(l->config.loop, &l->writer);
		return;
	case STREAM_CLOSED:
		link_connect_failed(l, "connection closed by the server");
		return;
	case STREAM_ERROR:
		link_connect_failed(l, stream_error(&l->stream));
		return;
	}
}

void link_connected(struct link *l)
{
	l->step = STEP_HANDSHAKE;
	l->reached = true;
	if (l->config.tls && !endpoint_is_unix(&l->config.addr) &&
	    tls_start(&l->stream, l->config.tls, link_identity(l)->host) != STREAM_OK) {
		link_connect_failed(l, stream_error(&l->stream));
		return;
	}
	ev_io_start(l->config.loop, &l->reader);
	link_continue_handshake(l);
}

static void connect_next(struct link *l)
{
	const struct sockaddr_storage *addr = &l->addrs->addrs[l->addr_index].addr;
	int keepalive_s = l->config.subscribe ? KEEPALIVE_SUBSCRIBED_S : KEEPALIVE_S;
	enum stream_status status = stream_open(&l->stream, (const struct sockaddr *)addr,
						l->addrs->addrs[l->addr_index].len, keepalive_s);

	l->step = STEP_CONNECTING;
	if (status == STREAM_ERROR) {
		link_connect_failed(l, stream_error(&l->stream));
		return;
	}
	ev_io_set(&l->reader, l->stream.fd, EV_READ);
	ev_io_set(&l->writer, l->stream.fd, EV_WRITE);
	link_arm(l, link_timeout_us(l));
	if (status == STREAM_OK)
		link_connected(l);
	else
		ev_io_start(l->config.loop, &l->writer);
}

static void connect_first(struct link *l)
{
	l->addr_index = 0;
	link_report(l, LINK_CONNECTING, ERROR_NONE, NULL);
	if (!l->freed)
		connect_next(l);
}

static void on_resolved(const struct resolved *result, void *arg)
{
	struct link *l = arg;
	char text[REASON_BYTES];

	l->query = NULL;
	link_enter(l);
	if (result->error != 0) {
		snprintf(text, sizeof(text), "name look-up: %s", gai_strerror(result->error));
		link_drop(l, LINK_FAILED, ERROR_OTHER, text);
	} else {
		l->addrs = mem_alloc(sizeof(*l->addrs));
		*l->addrs = *result;
		connect_first(l);
	}
	link_leave(l);
}

static void begin_unix(struct link *l)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const char *path = l->config.addr.host;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		link_drop(l, LINK_FAILED, ERROR_OTHER, "path is too long for a Unix socket");
		return;
	}
	memcpy(sun.sun_path, path, strlen(path));
	l->addrs = mem_alloc(sizeof(*l->addrs));
	l->addrs->count = 1;
	l->addrs->addrs[0].len = sizeof(sun);
	memcpy(&l->addrs->addrs[0].addr, &sun, sizeof(sun));
	connect_first(l);
}

void link_begin(struct link *l)
{
	l->reached = false;
	l->answered = false;
	l->silent_us = 0;
	if (endpoint_is_unix(&l->config.addr)) {
		begin_unix(l);
		return;
	}
	l->step = STEP_RESOLVING;
	link_arm(l, link_timeout_us(l));
	l->query = resolver_query(l->config.resolver, l->config.addr.host, l->config.addr.port,
				  on_resolved, l);
	link_report(l, LINK_RESOLVING, ERROR_NONE, NULL);
}
