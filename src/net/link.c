/* The life of a link, one step at a time:
 *
 *   BACKOFF -> RESOLVING -> CONNECTING -> HANDSHAKE -> GREETING -> [SUBSCRIBING] -> READY
 *
 * and from anywhere back to BACKOFF through drop(). The step is what the link does; what it
 * *reports* (enum link_state) is another matter: a link that was lost goes through all steps at
 * every attempt, but its owner hears of it once, and again only when something else is known.
 *
 * "Up" takes a reply. The kernel accepts connections for a process that is stopped, so a
 * connection alone says nothing; the greeting is AUTH, or PING where there is nothing to try.
 *
 * Re-entrance: callbacks may ask, free and retry any link, their own too. Each entry from the loop
 * counts in `depth`; a link freed inside is destroyed when the last entry is left. */
#include "config.h"
#include "net/link.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "redis/parse.h"

#define READ_BYTES          (64 * 1024)
#define READS_PER_TURN      4          /* then other links have their turn */
#define RING_MIN            4
#define UP_LONG_ENOUGH_US   5000000    /* after which a loss starts the backoff anew */
#define SUBSCRIBED_PING_US  10000000   /* nothing is published while all is well */
#define NEVER_ANSWERED_HOLD_US 10000000 /* how long a connection without any reply is kept */
#define KEEPALIVE_S            60
#define KEEPALIVE_SUBSCRIBED_S 10
#define REASON_BYTES        160

enum step {
	STEP_BACKOFF,
	STEP_RESOLVING,
	STEP_CONNECTING,
	STEP_HANDSHAKE,
	STEP_GREETING,
	STEP_SUBSCRIBING,
	STEP_READY,
};

enum request_kind { REQUEST_ASKED, REQUEST_AUTH, REQUEST_PING, REQUEST_SUBSCRIBE };

struct request {
	int64_t sent_us;  /* 0: still in the output buffer */
	uint32_t tag;
	uint8_t kind;     /* enum request_kind */
	uint8_t question;
	bool expired;     /* its asker was told TIMEOUT: a late reply is dropped */
	char arg[NAME_BYTES];
};

/* What the links of one loop share. */
struct hub {
	struct hub *next;
	struct ev_loop *loop;
	unsigned links;
	ev_prepare flush;
	struct link *dirty; /* links with something to write that was not tried yet */
	uint32_t random;
};

struct link {
	struct link_config config;
	struct hub *hub;
	struct link *dirty_next, **dirty_prev; /* dirty_prev NULL: not in the list */
	unsigned depth;
	bool freed;

	enum step step;
	enum link_state shown;
	enum server_error shown_error;
	char shown_reason[REASON_BYTES];

	struct stream stream;
	uint32_t connection;     /* number of the present one, to notice that it went away */
	bool answered;           /* this connection was up */
	ev_io reader, writer;
	ev_timer timer;          /* whatever the step waits for */
	int64_t up_us, silent_us, heard_us;
	unsigned attempts;       /* since it was last up for long enough */

	struct resolver_query *query;
	struct resolved *addrs;  /* while connecting; owned */
	size_t addr_index;
	size_t candidate;        /* which credentials are tried */
	char refusal[REASON_BYTES]; /* the server's words on the last one refused */

	struct reply_reader *parser;
	struct buf out;
	size_t out_pos;
	bool out_secret;         /* out holds, or held, an AUTH */

	struct request *ring;    /* owned; ring_cap is a power of two */
	size_t ring_cap, ring_head, ring_count;
	size_t unsent;           /* the last so many were not written yet */
	uint8_t asked[ASK_COUNT]; /* pending and not expired, by question */
	uint64_t bytes_in, bytes_out;
};

static struct hub *hubs;
static char read_buffer[READ_BYTES]; /* links read one after the other */

static void begin(struct link *l);
static void flush(struct link *l);
static void read_some(struct link *l);
static void drop(struct link *l, enum link_state state, enum server_error error,
		 const char *reason);
static void destroy(struct link *l);

static int64_t timeout_us(const struct link *l)
{
	return l->config.timeout_ms * 1000;
}

static void enter(struct link *l)
{
	l->depth++;
}

static void leave(struct link *l)
{
	if (--l->depth == 0 && l->freed)
		destroy(l);
}

static void arm(struct link *l, int64_t after_us)
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

static void report(struct link *l, enum link_state state, enum server_error error,
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

static const char *seconds_text(int64_t ms, char out[32])
{
	if (ms % 1000 == 0)
		snprintf(out, 32, "%lld s", (long long)(ms / 1000));
	else
		snprintf(out, 32, "%.1f s", (double)ms / 1000.);
	return out;
}

/* "what: the server's words", cleaned. */
static void reason_from_reply(char out[REASON_BYTES], const char *what, const struct reply *reply)
{
	int n = snprintf(out, REASON_BYTES, "%s", what);

	text_clean(out + n, REASON_BYTES - (size_t)n, reply->str, reply->len);
}

/* --- requests ---------------------------------------------------------------------------------- */

static struct request *request_at(struct link *l, size_t index)
{
	return &l->ring[(l->ring_head + index) & (l->ring_cap - 1)];
}

static void ring_grow(struct link *l)
{
	size_t cap = l->ring_cap ? l->ring_cap * 2 : RING_MIN;
	struct request *ring = mem_alloc(cap * sizeof(*ring));

	for (size_t i = 0; i < l->ring_count; i++)
		ring[i] = *request_at(l, i);
	free(l->ring);
	l->ring = ring;
	l->ring_cap = cap;
	l->ring_head = 0;
}

static void mark_dirty(struct link *l)
{
	struct hub *hub = l->hub;

	if (l->dirty_prev)
		return;
	l->dirty_next = hub->dirty;
	l->dirty_prev = &hub->dirty;
	if (hub->dirty)
		hub->dirty->dirty_prev = &l->dirty_next;
	hub->dirty = l;
}

static void unmark_dirty(struct link *l)
{
	if (!l->dirty_prev)
		return;
	*l->dirty_prev = l->dirty_next;
	if (l->dirty_next)
		l->dirty_next->dirty_prev = l->dirty_prev;
	l->dirty_prev = NULL;
	l->dirty_next = NULL;
}

/* The caller has appended, or appends in this turn, the command's bytes to out. */
static void push_request(struct link *l, enum request_kind kind, enum question q, const char *arg,
			 uint32_t tag)
{
	struct request *r;

	if (l->ring_count == l->ring_cap)
		ring_grow(l);
	r = request_at(l, l->ring_count++);
	r->sent_us = 0;
	r->tag = tag;
	r->kind = (uint8_t)kind;
	r->question = (uint8_t)q;
	r->expired = false;
	snprintf(r->arg, sizeof(r->arg), "%s", arg ? arg : "");
	l->unsent++;
	if (kind == REQUEST_ASKED)
		l->asked[q]++;
	mark_dirty(l);
}

/* Tells the askers of all that is pending that there will be no reply. No request can be added
 * meanwhile: the link is not up. */
static void fail_requests(struct link *l, enum answer failure)
{
	int64_t now_us = clock_mono_us();

	memset(l->asked, 0, sizeof(l->asked));
	for (size_t i = 0; i < l->ring_count && !l->freed; i++) {
		struct request *r = request_at(l, i);

		if (r->kind != REQUEST_ASKED || r->expired)
			continue;
		r->expired = true;
		l->config.callbacks.reply(l, r->question, r->arg[0] ? r->arg : NULL, r->tag, NULL,
					  failure, r->sent_us, now_us, l->config.owner);
	}
}

/* --- coming down ------------------------------------------------------------------------------- */

static void wipe_out(struct link *l)
{
	if (l->out_secret && l->out.data)
		explicit_bzero(l->out.data, l->out.cap);
	l->out_secret = false;
	buf_reset(&l->out);
	l->out_pos = 0;
}

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
	unmark_dirty(l);
	wipe_out(l);
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

	for (unsigned i = 0; i < l->attempts && ms < LINK_BACKOFF_MAX_MS; i++)
		ms *= 2;
	if (l->attempts < 16)
		l->attempts++;
	/* Refused passwords are logged and counted by servers; what is no Redis does not become one. */
	if (ms > LINK_BACKOFF_MAX_MS || state == LINK_AUTH_ERROR || state == LINK_PROTOCOL)
		ms = LINK_BACKOFF_MAX_MS;
	/* A process that hangs is met again soon: the new connection waits for it to wake up. */
	if (state == LINK_SILENT)
		ms = LINK_BACKOFF_MIN_MS;
	return ms * 10 * (80 + (int64_t)(next_random(l->hub) % 41)); /* +-20 % */
}

static void drop(struct link *l, enum link_state state, enum server_error error,
		 const char *reason)
{
	if (l->up_us != 0 && clock_mono_us() - l->up_us >= UP_LONG_ENOUGH_US)
		l->attempts = 0;
	l->up_us = 0;
	close_connection(l);
	l->step = STEP_BACKOFF;
	arm(l, backoff_us(l, state));
	report(l, state, error, reason);
	fail_requests(l, ANSWER_LOST);
	l->ring_head = 0;
	l->ring_count = 0;
	l->unsent = 0;
}

static void lost(struct link *l, const char *reason)
{
	drop(l, l->answered ? LINK_LOST : LINK_FAILED, ERROR_OTHER, reason);
}

/* --- deadlines --------------------------------------------------------------------------------- */

static void go_silent(struct link *l, int64_t now_us)
{
	char text[REASON_BYTES], seconds[32];

	snprintf(text, sizeof(text), "%sno reply for %s", l->answered ? "" : "connected, but ",
		 seconds_text(l->config.timeout_ms, seconds));
	l->silent_us = now_us;
	report(l, LINK_SILENT, ERROR_OTHER, text);
	fail_requests(l, ANSWER_TIMEOUT);
}

/* A link that was up is replaced after one more timeout: its peer may be gone without a word. A
 * connection that never had a reply is kept longer, since it is where a stopped process will
 * answer first when it goes on. */
static int64_t silent_hold_us(const struct link *l)
{
	if (l->answered || timeout_us(l) > NEVER_ANSWERED_HOLD_US)
		return timeout_us(l);
	return NEVER_ANSWERED_HOLD_US;
}

static void send_ping(struct link *l)
{
	buf_addstr(&l->out, "*1\r\n$4\r\nPING\r\n");
	push_request(l, REQUEST_PING, ASK_NONE, NULL, 0);
}

static void check_subscribed(struct link *l, int64_t now_us)
{
	int64_t quiet_us = now_us - l->heard_us;

	if (quiet_us < SUBSCRIBED_PING_US) {
		arm(l, SUBSCRIBED_PING_US - quiet_us);
		return;
	}
	send_ping(l);
	arm(l, timeout_us(l));
}

static bool is_overdue(struct link *l, int64_t now_us)
{
	int64_t sent_us;

	if (l->silent_us != 0)
		return now_us - l->silent_us >= silent_hold_us(l);
	sent_us = l->ring_count > 0 ? request_at(l, 0)->sent_us : 0;
	return sent_us != 0 && now_us - sent_us >= timeout_us(l);
}

/* Timers come before sockets in a turn of the loop. Where it is this process that stood still,
 * stopped or starved, the reply lies in the socket and nobody is late. False when the connection
 * is no longer there. */
static bool read_before_verdict(struct link *l)
{
	uint32_t connection = l->connection;

	read_some(l);
	return !l->freed && l->connection == connection;
}

/* The timer is not moved with every request: when it fires, it is set to what is due next, so that
 * a poll costs no timer work. */
static void check_deadline(struct link *l)
{
	int64_t now_us = clock_mono_us(), sent_us;

	if (is_overdue(l, now_us) && !read_before_verdict(l))
		return;
	if (l->silent_us != 0) {
		int64_t left_us = l->silent_us + silent_hold_us(l) - now_us;

		if (left_us > 0)
			arm(l, left_us);
		else
			drop(l, LINK_SILENT, ERROR_OTHER, "no reply");
		return;
	}
	if (l->ring_count == 0) {
		if (l->config.subscribe && l->step == STEP_READY)
			check_subscribed(l, now_us);
		return;
	}
	sent_us = request_at(l, 0)->sent_us;
	if (is_overdue(l, now_us)) {
		arm(l, silent_hold_us(l));
		go_silent(l, now_us);
		return;
	}
	arm(l, sent_us == 0 ? timeout_us(l) : sent_us + timeout_us(l) - now_us);
}

/* --- coming up --------------------------------------------------------------------------------- */

static void become_ready(struct link *l)
{
	l->step = STEP_READY;
	l->answered = true;
	l->up_us = clock_mono_us();
	l->silent_us = 0;
	report(l, LINK_UP, ERROR_NONE, NULL);
}

static void send_greeting(struct link *l)
{
	const struct link_config *c = &l->config;

	if (c->credentials &&
	    credentials_append_auth(c->credentials, &c->addr, c->credential_kind,
				    c->try_both_credentials, l->candidate, &l->out)) {
		l->out_secret = true;
		push_request(l, REQUEST_AUTH, ASK_NONE, NULL, 0);
		return;
	}
	send_ping(l);
}

static void authenticated(struct link *l)
{
	if (!l->config.subscribe) {
		become_ready(l);
		return;
	}
	l->step = STEP_SUBSCRIBING;
	buf_addstr(&l->out, "*2\r\n$10\r\nPSUBSCRIBE\r\n$1\r\n*\r\n");
	push_request(l, REQUEST_SUBSCRIBE, ASK_NONE, NULL, 0);
}

static void start_greeting(struct link *l)
{
	free(l->addrs);
	l->addrs = NULL;
	l->step = STEP_GREETING;
	l->candidate = 0;
	l->refusal[0] = '\0';
	l->parser = reader_new();
	arm(l, timeout_us(l));
	send_greeting(l);
}

static void connect_next(struct link *l);

static void connect_failed(struct link *l, const char *reason)
{
	ev_io_stop(l->config.loop, &l->reader);
	ev_io_stop(l->config.loop, &l->writer);
	stream_close(&l->stream);
	if (++l->addr_index < l->addrs->count)
		connect_next(l);
	else
		drop(l, LINK_FAILED, ERROR_OTHER, reason);
}

static void continue_handshake(struct link *l)
{
	switch (stream_handshake(&l->stream)) {
	case STREAM_OK:
		ev_io_stop(l->config.loop, &l->writer);
		start_greeting(l);
		return;
	case STREAM_WANT_READ:
		ev_io_stop(l->config.loop, &l->writer);
		return;
	case STREAM_WANT_WRITE:
		ev_io_start(l->config.loop, &l->writer);
		return;
	case STREAM_CLOSED:
		connect_failed(l, "connection closed by the server");
		return;
	case STREAM_ERROR:
		connect_failed(l, stream_error(&l->stream));
		return;
	}
}

static void connected(struct link *l)
{
	l->step = STEP_HANDSHAKE;
	ev_io_start(l->config.loop, &l->reader);
	continue_handshake(l);
}

static void connect_next(struct link *l)
{
	const struct sockaddr_storage *addr = &l->addrs->addrs[l->addr_index].addr;
	int keepalive_s = l->config.subscribe ? KEEPALIVE_SUBSCRIBED_S : KEEPALIVE_S;
	enum stream_status status = stream_open(&l->stream, (const struct sockaddr *)addr,
						l->addrs->addrs[l->addr_index].len, keepalive_s);

	l->step = STEP_CONNECTING;
	if (status == STREAM_ERROR) {
		connect_failed(l, stream_error(&l->stream));
		return;
	}
	ev_io_set(&l->reader, l->stream.fd, EV_READ);
	ev_io_set(&l->writer, l->stream.fd, EV_WRITE);
	arm(l, timeout_us(l));
	if (status == STREAM_OK)
		connected(l);
	else
		ev_io_start(l->config.loop, &l->writer);
}

static void connect_first(struct link *l)
{
	l->addr_index = 0;
	report(l, LINK_CONNECTING, ERROR_NONE, NULL);
	if (!l->freed)
		connect_next(l);
}

static void on_resolved(const struct resolved *result, void *arg)
{
	struct link *l = arg;
	char text[REASON_BYTES];

	l->query = NULL;
	enter(l);
	if (result->error != 0) {
		snprintf(text, sizeof(text), "name look-up: %s", gai_strerror(result->error));
		drop(l, LINK_FAILED, ERROR_OTHER, text);
	} else {
		l->addrs = mem_alloc(sizeof(*l->addrs));
		*l->addrs = *result;
		connect_first(l);
	}
	leave(l);
}

static void begin_unix(struct link *l)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const char *path = l->config.addr.host;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		drop(l, LINK_FAILED, ERROR_OTHER, "path is too long for a Unix socket");
		return;
	}
	memcpy(sun.sun_path, path, strlen(path));
	l->addrs = mem_alloc(sizeof(*l->addrs));
	l->addrs->count = 1;
	l->addrs->addrs[0].len = sizeof(sun);
	memcpy(&l->addrs->addrs[0].addr, &sun, sizeof(sun));
	connect_first(l);
}

static void begin(struct link *l)
{
	l->answered = false;
	l->silent_us = 0;
	if (endpoint_is_unix(&l->config.addr)) {
		begin_unix(l);
		return;
	}
	l->step = STEP_RESOLVING;
	arm(l, timeout_us(l));
	l->query = resolver_query(l->config.resolver, l->config.addr.host, l->config.addr.port,
				  on_resolved, l);
	report(l, LINK_RESOLVING, ERROR_NONE, NULL);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct link *l = w->data;
	char text[REASON_BYTES], seconds[32];

	(void)loop;
	(void)events;
	enter(l);
	seconds_text(l->config.timeout_ms, seconds);
	switch (l->step) {
	case STEP_BACKOFF:
		begin(l);
		break;
	case STEP_RESOLVING:
		/* The look-up goes on: a slow name server answers after its own time-outs, and
		 * cancelling would never let it. */
		snprintf(text, sizeof(text), "name look-up: no answer for %s", seconds);
		report(l, LINK_FAILED, ERROR_OTHER, text);
		break;
	case STEP_CONNECTING:
		snprintf(text, sizeof(text), "no connection within %s", seconds);
		connect_failed(l, text);
		break;
	case STEP_HANDSHAKE:
		snprintf(text, sizeof(text), "connected, but no handshake within %s", seconds);
		connect_failed(l, text);
		break;
	case STEP_GREETING:
	case STEP_SUBSCRIBING:
	case STEP_READY:
		check_deadline(l);
		break;
	}
	leave(l);
}

/* --- replies ----------------------------------------------------------------------------------- */

/* Errors that a server sends to anyone before it closes: networking.c:acceptCommonHandler. */
static bool turned_away(struct link *l, enum server_error error, const struct reply *reply)
{
	char text[REASON_BYTES];

	if (error != ERROR_DENIED && error != ERROR_MAXCLIENTS)
		return false;
	reason_from_reply(text, error == ERROR_DENIED ? "protected mode: " : "", reply);
	drop(l, LINK_FAILED, error, text);
	return true;
}

static void auth_error(struct link *l, enum server_error error, const char *what,
		       const struct reply *reply)
{
	char text[REASON_BYTES];

	reason_from_reply(text, what, reply);
	drop(l, LINK_AUTH_ERROR, error, text);
}

static bool more_candidates(struct link *l)
{
	struct buf probe = BUF_INIT;
	bool more = credentials_append_auth(l->config.credentials, &l->config.addr,
					    l->config.credential_kind, l->config.try_both_credentials,
					    l->candidate, &probe);

	if (probe.data)
		mem_wipe_free(probe.data, probe.cap);
	return more;
}

static void on_auth_reply(struct link *l, const struct reply *reply)
{
	enum server_error error;

	if (reply_is(reply, "OK")) {
		authenticated(l);
		return;
	}
	if (reply->type != REPLY_ERROR) {
		drop(l, LINK_PROTOCOL, ERROR_OTHER, "answers AUTH with neither OK nor an error");
		return;
	}
	error = error_classify(reply->str, reply->len);
	if (turned_away(l, error, reply))
		return;
	if (error == ERROR_NO_PASSWORD_SET) {
		authenticated(l);
		return;
	}
	l->candidate++;
	/* Of a node whose kind is not known, the other kind's user may have been tried on a server
	 * that asks for none: PING tells. */
	if (!more_candidates(l) && !l->config.try_both_credentials) {
		auth_error(l, error, "user or password refused: ", reply);
		return;
	}
	reason_from_reply(l->refusal, "user or password refused: ", reply);
	send_greeting(l);
}

static void on_ping_reply(struct link *l, const struct reply *reply)
{
	enum server_error error;

	if (l->step == STEP_READY) /* of a subscribed link: that it answers is all */
		return;
	if (reply_is(reply, "PONG")) {
		authenticated(l);
		return;
	}
	if (reply->type != REPLY_ERROR) {
		drop(l, LINK_PROTOCOL, ERROR_OTHER, "answers PING with neither PONG nor an error");
		return;
	}
	error = error_classify(reply->str, reply->len);
	if (turned_away(l, error, reply))
		return;
	if (error == ERROR_NOAUTH && l->refusal[0])
		drop(l, LINK_AUTH_ERROR, ERROR_WRONGPASS, l->refusal);
	else if (error == ERROR_NOAUTH)
		auth_error(l, error, "password missing: ", reply);
	else
		authenticated(l); /* LOADING, MASTERDOWN, BUSY, NOPERM: it answers */
}

static bool is_first_word(const struct reply *reply, const char *word)
{
	return reply->type == REPLY_ARRAY && reply->element_count > 0 &&
	       reply_is(reply->elements[0], word);
}

static void on_subscribe_reply(struct link *l, const struct reply *reply)
{
	enum server_error error;

	if (is_first_word(reply, "psubscribe")) {
		become_ready(l);
		return;
	}
	if (reply->type != REPLY_ERROR) {
		drop(l, LINK_PROTOCOL, ERROR_OTHER, "answers PSUBSCRIBE with something else");
		return;
	}
	error = error_classify(reply->str, reply->len);
	auth_error(l, error, "events refused: ", reply);
}

static bool is_text(const struct reply *reply)
{
	return reply->type == REPLY_STRING || reply->type == REPLY_STATUS;
}

/* True when it was a message, which is no reply to anything. */
static bool take_message(struct link *l, const struct reply *reply)
{
	const struct reply *channel, *payload;

	if (!l->config.subscribe || reply->type != REPLY_ARRAY || reply->element_count != 4 ||
	    !reply_is(reply->elements[0], "pmessage"))
		return false;
	channel = reply->elements[2];
	payload = reply->elements[3];
	if (is_text(channel) && is_text(payload) && l->config.callbacks.message)
		l->config.callbacks.message(l, channel->str, channel->len, payload->str, payload->len,
					    l->config.owner);
	return true;
}

static void unasked(struct link *l, const struct reply *reply)
{
	char text[REASON_BYTES];

	if (reply->type != REPLY_ERROR) {
		drop(l, LINK_PROTOCOL, ERROR_OTHER, "sent a reply that was not asked for");
		return;
	}
	if (turned_away(l, error_classify(reply->str, reply->len), reply))
		return;
	reason_from_reply(text, "", reply);
	drop(l, l->answered ? LINK_LOST : LINK_FAILED, ERROR_OTHER, text);
}

/* A reply, even one too late to be of use, ends a silence. */
static void end_silence(struct link *l)
{
	if (l->silent_us == 0)
		return;
	l->silent_us = 0;
	arm(l, timeout_us(l));
	if (l->step == STEP_READY)
		report(l, LINK_UP, ERROR_NONE, NULL);
}

static void take_reply(struct link *l, const struct reply *reply, int64_t now_us)
{
	struct request request;

	l->heard_us = now_us;
	if (take_message(l, reply))
		return;
	if (l->ring_count == l->unsent) {
		unasked(l, reply);
		return;
	}
	request = *request_at(l, 0); /* a copy: callbacks may ask, and the ring may move */
	l->ring_head = (l->ring_head + 1) & (l->ring_cap - 1);
	l->ring_count--;
	end_silence(l);
	if (l->freed)
		return;
	switch ((enum request_kind)request.kind) {
	case REQUEST_AUTH:
		on_auth_reply(l, reply);
		return;
	case REQUEST_PING:
		on_ping_reply(l, reply);
		return;
	case REQUEST_SUBSCRIBE:
		on_subscribe_reply(l, reply);
		return;
	case REQUEST_ASKED:
		break;
	}
	if (request.expired)
		return;
	l->asked[request.question]--;
	l->config.callbacks.reply(l, request.question, request.arg[0] ? request.arg : NULL,
				  request.tag, reply, ANSWER_OK, request.sent_us, now_us,
				  l->config.owner);
}

/* --- bytes ------------------------------------------------------------------------------------- */

/* False when the connection is no longer there. */
static bool take_replies(struct link *l)
{
	uint32_t connection = l->connection;
	int64_t now_us = clock_mono_us();
	const struct reply *reply;
	char text[REASON_BYTES];
	int status;

	while ((status = reader_next(l->parser, &reply)) == 1) {
		take_reply(l, reply, now_us);
		if (l->freed || l->connection != connection)
			return false;
	}
	if (status == 0)
		return true;
	snprintf(text, sizeof(text), "not a Redis server's reply: %s", reader_error(l->parser));
	drop(l, LINK_PROTOCOL, ERROR_OTHER, text);
	return false;
}

static void read_some(struct link *l)
{
	for (int i = 0; i < READS_PER_TURN; i++) {
		size_t got;

		switch (stream_read(&l->stream, read_buffer, sizeof(read_buffer), &got)) {
		case STREAM_OK:
			l->bytes_in += got;
			reader_feed(l->parser, read_buffer, got);
			if (!take_replies(l) || got < sizeof(read_buffer))
				return;
			break;
		case STREAM_WANT_READ:
			return;
		case STREAM_WANT_WRITE:
			ev_io_start(l->config.loop, &l->writer);
			return;
		case STREAM_CLOSED:
			lost(l, "connection closed by the server");
			return;
		case STREAM_ERROR:
			lost(l, stream_error(&l->stream));
			return;
		}
	}
}

/* Writing to a server that has hung up fails before its last words are read, and those say why. */
static void write_failed(struct link *l)
{
	uint32_t connection = l->connection;
	char text[REASON_BYTES];

	snprintf(text, sizeof(text), "%s", stream_error(&l->stream));
	read_some(l);
	if (!l->freed && l->connection == connection)
		lost(l, text);
}

static void stamp_requests(struct link *l)
{
	int64_t now_us;

	if (l->unsent == 0)
		return;
	now_us = clock_mono_us();
	for (size_t i = l->ring_count - l->unsent; i < l->ring_count; i++)
		request_at(l, i)->sent_us = now_us;
	l->unsent = 0;
	if (!ev_is_active(&l->timer))
		arm(l, timeout_us(l));
}

static void flush(struct link *l)
{
	stamp_requests(l);
	while (l->out_pos < l->out.len) {
		size_t put = 0;
		enum stream_status status = stream_write(&l->stream, l->out.data + l->out_pos,
							 l->out.len - l->out_pos, &put);

		l->out_pos += put;
		l->bytes_out += put;
		if (status == STREAM_OK)
			continue;
		if (status == STREAM_WANT_WRITE)
			ev_io_start(l->config.loop, &l->writer);
		else if (status != STREAM_WANT_READ)
			write_failed(l);
		return;
	}
	ev_io_stop(l->config.loop, &l->writer);
	wipe_out(l);
}

static void on_readable(struct ev_loop *loop, ev_io *w, int events)
{
	struct link *l = w->data;

	(void)loop;
	(void)events;
	enter(l);
	if (l->step == STEP_HANDSHAKE)
		continue_handshake(l);
	else
		read_some(l);
	leave(l);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int events)
{
	struct link *l = w->data;

	(void)loop;
	(void)events;
	enter(l);
	if (l->step == STEP_HANDSHAKE) {
		continue_handshake(l);
	} else if (l->step != STEP_CONNECTING) {
		flush(l);
	} else if (stream_connected(&l->stream) == STREAM_OK) {
		ev_io_stop(l->config.loop, &l->writer);
		connected(l);
	} else {
		connect_failed(l, stream_error(&l->stream));
	}
	leave(l);
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

		enter(l);
		unmark_dirty(l);
		flush(l);
		leave(l);
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
	ev_io_init(&l->reader, on_readable, -1, EV_READ);
	ev_io_init(&l->writer, on_writable, -1, EV_WRITE);
	ev_timer_init(&l->timer, on_timer, 0., 0.);
	l->reader.data = l->writer.data = l->timer.data = l;
	arm(l, 0);
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
	push_request(l, REQUEST_ASKED, q, arg, tag);
	return true;
}

bool link_ask_argv(struct link *l, int argc, const char *const *argv, uint32_t tag)
{
	if (!can_ask(l))
		return false;
	command_append_argv(&l->out, argc, argv);
	push_request(l, REQUEST_ASKED, ASK_ACTION, NULL, tag);
	return true;
}

bool link_has_pending(const struct link *l, enum question q)
{
	return l->asked[q] > 0;
}

void link_set_credential_kind(struct link *l, enum credential_kind kind)
{
	if (l->config.credential_kind == kind && !l->config.try_both_credentials)
		return;
	l->config.credential_kind = kind;
	l->config.try_both_credentials = false;
	if (l->step == STEP_BACKOFF && l->shown == LINK_AUTH_ERROR)
		arm(l, LINK_BACKOFF_MIN_MS * 1000);
}

void link_retry_now(struct link *l)
{
	if (l->step != STEP_BACKOFF)
		return;
	l->attempts = 0;
	arm(l, 0);
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
