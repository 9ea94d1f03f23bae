#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "live.h"
#include "model/permission.h"
#include "net/link.h"
#include "net/resolver.h"

#define DEADLINE_S 30.
#define TIMEOUT_MS 300
#define STATES_MAX 64

/* --- the owner of the link under test ---------------------------------------------------------- */

struct owner {
	struct ev_loop *loop;
	struct resolver *resolver;
	struct credentials *credentials;
	struct link *link;
	enum link_state states[STATES_MAX];
	unsigned state_count;
	enum server_error error;
	char reason[200];
	unsigned replies, timeouts, losses, messages;
	uint32_t last_tag;
	char last_arg[64], last_text[200], channel[64], payload[200];
	bool free_on_reply, free_on_state;
	bool pending_in_callback;
	const char *secret; /* must be in nothing that is reported; NULL: there is none */
};

static void on_state(struct link *l, enum link_state state, enum server_error error,
		     const char *reason, void *arg)
{
	struct owner *o = arg;

	assert_true(o->state_count < STATES_MAX);
	o->states[o->state_count++] = state;
	o->error = error;
	if (o->secret && reason)
		assert_null(strstr(reason, o->secret));
	snprintf(o->reason, sizeof(o->reason), "%s", reason ? reason : "");
	if (o->free_on_state) {
		link_free(l);
		o->link = NULL;
	}
}

static void on_reply(struct link *l, enum question q, const char *arg, uint32_t tag,
		     const struct reply *reply, enum answer failure, int64_t sent_us, int64_t recv_us,
		     void *owner)
{
	struct owner *o = owner;

	o->last_tag = tag;
	o->pending_in_callback = link_has_pending(l, q);
	snprintf(o->last_arg, sizeof(o->last_arg), "%s", arg ? arg : "");
	if (reply) {
		assert_true(recv_us >= sent_us);
		o->replies++;
		if (o->secret && reply->str)
			assert_null(strstr(reply->str, o->secret));
		snprintf(o->last_text, sizeof(o->last_text), "%s", reply->str ? reply->str : "");
	} else if (failure == ANSWER_TIMEOUT) {
		o->timeouts++;
	} else {
		assert_int_equal(failure, ANSWER_LOST);
		o->losses++;
	}
	if (o->free_on_reply && o->link) {
		link_free(l);
		o->link = NULL;
	}
}

static void on_message(struct link *l, const char *channel, size_t channel_len,
		       const char *payload, size_t payload_len, void *owner)
{
	struct owner *o = owner;

	(void)l;
	o->messages++;
	snprintf(o->channel, sizeof(o->channel), "%.*s", (int)channel_len, channel);
	snprintf(o->payload, sizeof(o->payload), "%.*s", (int)payload_len, payload);
}

static void owner_init(struct owner *o)
{
	memset(o, 0, sizeof(*o));
	o->loop = ev_loop_new(0);
	o->resolver = resolver_new(o->loop);
	o->credentials = credentials_new();
}

static void owner_done(struct owner *o)
{
	link_free(o->link);
	resolver_free(o->resolver);
	credentials_free(o->credentials);
	ev_loop_destroy(o->loop);
}

static void dial_kind(struct owner *o, const char *host, uint16_t port, bool subscribe, bool both)
{
	struct link_config config = {
		.loop = o->loop,
		.resolver = o->resolver,
		.credentials = o->credentials,
		.credential_kind = CREDENTIAL_DATA,
		.try_both_credentials = both,
		.timeout_ms = TIMEOUT_MS,
		.subscribe = subscribe,
		.callbacks = { on_state, on_reply, on_message },
		.owner = o,
	};

	config.addr.port = port;
	snprintf(config.addr.host, sizeof(config.addr.host), "%s", host);
	o->link = link_new(&config);
}

static void dial(struct owner *o, uint16_t port)
{
	dial_kind(o, "127.0.0.1", port, false, false);
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	*(bool *)w->data = true;
}

/* Runs the loop until the condition holds; fails at the deadline. */
#define RUN_UNTIL(o, condition)                                                                    \
	do {                                                                                       \
		bool late_ = false;                                                                \
		ev_timer deadline_;                                                                \
		ev_timer_init(&deadline_, on_deadline, DEADLINE_S, 0.);                            \
		deadline_.data = &late_;                                                           \
		ev_now_update((o)->loop);                                                          \
		ev_timer_start((o)->loop, &deadline_);                                             \
		while (!(condition) && !late_)                                                     \
			ev_run((o)->loop, EVRUN_ONCE);                                             \
		ev_timer_stop((o)->loop, &deadline_);                                              \
		if (late_)                                                                         \
			print_message("state %s: %s\n", (o)->state_count ?                         \
				link_state_name((o)->states[(o)->state_count - 1]) : "-", (o)->reason); \
		assert_true(condition);                                                            \
	} while (0)

static bool is_in(const struct owner *o, enum link_state state)
{
	return o->state_count > 0 && o->states[o->state_count - 1] == state;
}

static unsigned times_in(const struct owner *o, enum link_state state)
{
	unsigned times = 0;

	for (unsigned i = 0; i < o->state_count; i++)
		times += o->states[i] == state;
	return times;
}

/* --- a server that behaves as told, in the same loop ------------------------------------------- */

struct fake {
	struct ev_loop *loop;
	int fd;
	uint16_t port;
	ev_io accepting;
	const char *banner;        /* sent at once */
	bool hang_up;              /* closes after the banner */
	const char *const *script; /* the reply to the n-th read; NULL ends: silence */
	unsigned accepted, reads;
	bool reset_script;         /* begins anew with each connection */
	struct { ev_io io; int fd; } peers[64];
	ev_timer drip;             /* sends one byte of drip_text each time */
	const char *drip_text;
};

static void on_peer(struct ev_loop *loop, ev_io *w, int events)
{
	struct fake *f = w->data;
	char data[4096];
	ssize_t n = recv(w->fd, data, sizeof(data), 0);

	(void)events;
	if (n <= 0) {
		ev_io_stop(loop, w);
		return;
	}
	if (f->script && f->script[f->reads]) {
		const char *text = f->script[f->reads++];

		if (text[0])
			send(w->fd, text, strlen(text), MSG_NOSIGNAL);
	}
}

static void on_drip(struct ev_loop *loop, ev_timer *w, int events)
{
	struct fake *f = w->data;

	(void)loop;
	(void)events;
	if (f->accepted && *f->drip_text)
		send(f->peers[0].fd, f->drip_text++, 1, MSG_NOSIGNAL);
}

static void on_accept(struct ev_loop *loop, ev_io *w, int events)
{
	struct fake *f = w->data;
	int fd = accept(w->fd, NULL, NULL);
	unsigned slot = f->accepted++;

	(void)events;
	assert_true(slot < 64);
	if (f->reset_script)
		f->reads = 0;
	if (f->banner)
		send(fd, f->banner, strlen(f->banner), MSG_NOSIGNAL);
	f->peers[slot].fd = fd;
	if (f->hang_up) {
		close(fd);
		f->peers[slot].fd = -1;
		return;
	}
	ev_io_init(&f->peers[slot].io, on_peer, fd, EV_READ);
	f->peers[slot].io.data = f;
	ev_io_start(loop, &f->peers[slot].io);
}

static void fake_init(struct fake *f, struct ev_loop *loop)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);

	memset(f, 0, sizeof(*f));
	f->loop = loop;
	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(f->fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(f->fd, 16), 0);
	getsockname(f->fd, (struct sockaddr *)&addr, &len);
	f->port = ntohs(addr.sin_port);
	ev_io_init(&f->accepting, on_accept, f->fd, EV_READ);
	ev_init(&f->drip, on_drip);
	f->accepting.data = f->drip.data = f;
	ev_io_start(loop, &f->accepting);
}

static void fake_hang_up(struct fake *f)
{
	for (unsigned i = 0; i < f->accepted; i++) {
		ev_io_stop(f->loop, &f->peers[i].io);
		if (f->peers[i].fd >= 0)
			close(f->peers[i].fd);
		f->peers[i].fd = -1;
	}
}

static void fake_done(struct fake *f)
{
	fake_hang_up(f);
	ev_timer_stop(f->loop, &f->drip);
	ev_io_stop(f->loop, &f->accepting);
	close(f->fd);
}

#define WITH_FAKE(o, f)                                                                            \
	struct owner o;                                                                            \
	struct fake f;                                                                             \
	(void)state;                                                                               \
	owner_init(&o);                                                                            \
	fake_init(&f, o.loop)

#define WITHOUT_FAKE(o, f)                                                                         \
	fake_done(&f);                                                                             \
	owner_done(&o)

/* --- tests ------------------------------------------------------------------------------------- */

static void up_takes_a_reply(void **state)
{
	static const char *const script[] = { "+PONG\r\n", "$5\r\nhello\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	assert_false(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_int_equal(o.states[0], LINK_RESOLVING);
	assert_int_equal(o.states[1], LINK_CONNECTING);
	assert_int_equal(o.state_count, 3);
	assert_true(link_ask(o.link, ASK_INFO, NULL, 7));
	assert_true(link_has_pending(o.link, ASK_INFO));
	assert_int_equal(o.replies, 0);
	RUN_UNTIL(&o, o.replies == 1);
	assert_false(o.pending_in_callback);
	assert_int_equal(o.last_tag, 7);
	assert_string_equal(o.last_text, "hello");
	assert_true(link_bytes_in(o.link) == 7 + 11);
	assert_true(link_bytes_out(o.link) == 14 + 14);
	WITHOUT_FAKE(o, f);
}

static void one_write_a_turn(void **state)
{
	static const char *const script[] = { "+PONG\r\n", "$1\r\na\r\n*0\r\n:3\r\n", NULL };
	const char *argv[] = { "DEBUG", "x" };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	assert_true(link_ask(o.link, ASK_SENTINEL_REPLICAS, "my master", 2));
	assert_true(link_ask_argv(o.link, 2, argv, 3));
	RUN_UNTIL(&o, o.replies == 3);
	assert_int_equal(f.reads, 2);
	assert_int_equal(o.last_tag, 3);
	WITHOUT_FAKE(o, f);
}

static void too_many_pending(void **state)
{
	static const char *const script[] = { "+PONG\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	for (unsigned i = 0; i < LINK_MAX_PENDING; i++)
		assert_true(link_ask(o.link, ASK_ROLE, NULL, i));
	assert_false(link_ask(o.link, ASK_ROLE, NULL, 999));
	RUN_UNTIL(&o, o.timeouts == LINK_MAX_PENDING);
	assert_true(is_in(&o, LINK_SILENT));
	WITHOUT_FAKE(o, f);
}

static void refused(void **state)
{
	struct owner o;

	(void)state;
	owner_init(&o);
	dial(&o, live_free_port());
	RUN_UNTIL(&o, is_in(&o, LINK_FAILED));
	assert_string_equal(o.reason, strerror(ECONNREFUSED));
	/* Retries that meet the same are no news. */
	for (unsigned i = 0; i < 3; i++) {
		link_retry_now(o.link);
		ev_run(o.loop, EVRUN_ONCE);
		ev_run(o.loop, EVRUN_ONCE);
	}
	assert_int_equal(times_in(&o, LINK_FAILED), 1);
	owner_done(&o);
}

static void name_unknown(void **state)
{
	struct owner o;

	(void)state;
	owner_init(&o);
	dial_kind(&o, "no..such..name", 1, false, false);
	RUN_UNTIL(&o, is_in(&o, LINK_FAILED));
	assert_non_null(strstr(o.reason, "name look-up: "));
	owner_done(&o);
}

static void connected_but_silent(void **state)
{
	WITH_FAKE(o, f);

	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	assert_string_equal(o.reason, "connected, but no reply within 0.3 s");
	assert_int_equal(times_in(&o, LINK_UP), 0);
	/* It wakes up on the same connection. */
	send(f.peers[0].fd, "+PONG\r\n", 7, MSG_NOSIGNAL);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_int_equal(f.accepted, 1);
	WITHOUT_FAKE(o, f);
}

static void late_replies_are_dropped(void **state)
{
	static const char *const script[] = { "+PONG\r\n", "", "$4\r\nlate\r\n$5\r\nfresh\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	RUN_UNTIL(&o, o.timeouts == 1);
	assert_string_equal(o.reason, "no reply within 0.3 s");
	assert_false(link_ask(o.link, ASK_INFO, NULL, 2));
	send(f.peers[0].fd, "$4\r\nlate\r\n", 10, MSG_NOSIGNAL);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_int_equal(o.replies, 0);
	WITHOUT_FAKE(o, f);
}

/* The reply was there in time; it was this process that stood still, stopped or starved. */
static void a_stall_of_our_own_is_no_silence(void **state)
{
	static const char *const script[] = { "+PONG\r\n", NULL };
	const struct timespec stall = { .tv_nsec = 2 * TIMEOUT_MS * 1000000L };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, link_bytes_out(o.link) == 14 + 14);
	send(f.peers[0].fd, "$5\r\nready\r\n", 11, MSG_NOSIGNAL);
	nanosleep(&stall, NULL);
	RUN_UNTIL(&o, o.replies + o.timeouts > 0);
	assert_int_equal(o.timeouts, 0);
	assert_string_equal(o.last_text, "ready");
	/* And from a silence that is real: what came before the connection is given up counts. */
	assert_true(link_ask(o.link, ASK_INFO, NULL, 2));
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	send(f.peers[0].fd, "$4\r\nlate\r\n", 10, MSG_NOSIGNAL);
	nanosleep(&stall, NULL);
	RUN_UNTIL(&o, !is_in(&o, LINK_SILENT) || f.accepted > 1);
	assert_true(is_in(&o, LINK_UP));
	assert_int_equal(f.accepted, 1);
	WITHOUT_FAKE(o, f);
}

static void silent_then_replaced(void **state)
{
	static const char *const script[] = { "+PONG\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, f.accepted == 2);
	assert_int_equal(o.timeouts, 1);
	assert_int_equal(o.losses, 0); /* told once only */
	f.reset_script = true;
	f.reads = 0;
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_int_equal(times_in(&o, LINK_SILENT), 1);
	assert_int_equal(times_in(&o, LINK_LOST), 0);
	WITHOUT_FAKE(o, f);
}

static void closed_by_the_server(void **state)
{
	static const char *const script[] = { "+PONG\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	ev_run(o.loop, EVRUN_ONCE);
	f.script = NULL;
	fake_hang_up(&f);
	RUN_UNTIL(&o, is_in(&o, LINK_LOST));
	assert_true(o.reason[0] != '\0');
	assert_int_equal(o.losses, 1);
	/* Back at its next attempt, and in between there was no other news. */
	f.script = script;
	f.reads = 0;
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_int_equal(o.state_count, 5);
	WITHOUT_FAKE(o, f);
}

/* What is no Redis: the reason, and that nothing but one state comes of it. */
static void assert_protocol(const char *banner, bool hang_up)
{
	struct owner o;
	struct fake f;

	owner_init(&o);
	fake_init(&f, o.loop);
	f.banner = banner;
	f.hang_up = hang_up;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_PROTOCOL));
	assert_true(o.reason[0] != '\0');
	assert_int_equal(times_in(&o, LINK_UP), 0);
	fake_done(&f);
	owner_done(&o);
}

static void not_a_redis_server(void **state)
{
	(void)state;
	assert_protocol("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", true);
	assert_protocol("SSH-2.0-OpenSSH_9.2p1\r\n", false);
	assert_protocol("\x15\x03\x01\x00\x02\x02\x46", true); /* TLS alert */
	assert_protocol("+OK POP3 ready\r\n", false);
	assert_protocol("*1000000000\r\n", false);
	assert_protocol("$99999999999\r\n", false);
}

static void hangs_up_at_once(void **state)
{
	WITH_FAKE(o, f);

	f.hang_up = true;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_FAILED));
	RUN_UNTIL(&o, f.accepted >= 3);
	assert_int_equal(times_in(&o, LINK_UP), 0);
	WITHOUT_FAKE(o, f);
}

static void one_byte_at_a_time(void **state)
{
	WITH_FAKE(o, f);

	f.drip_text = "+PONG\r\n";
	ev_timer_set(&f.drip, 0.05, 0.03);
	ev_timer_start(o.loop, &f.drip);
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	/* A reply that drips in for longer than the deadline is overdue. */
	f.drip_text = "$400\r\n................................................................";
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	assert_int_equal(o.timeouts, 1);
	WITHOUT_FAKE(o, f);
}

static void turned_away(void **state)
{
	WITH_FAKE(o, f);

	f.banner = "-ERR max number of clients reached\r\n";
	f.hang_up = true;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_FAILED));
	assert_int_equal(o.error, ERROR_MAXCLIENTS);
	assert_non_null(strstr(o.reason, "max number of clients"));
	f.banner = "-DENIED Redis is running in protected mode because x\r\n";
	link_retry_now(o.link);
	RUN_UNTIL(&o, o.error == ERROR_DENIED);
	assert_non_null(strstr(o.reason, "protected mode"));
	WITHOUT_FAKE(o, f);
}

static void hostile_reason_is_cleaned(void **state)
{
	static const char *const script[] = { "-NOAUTH \x1b[2J\x07\xe2\x80\xae"
					      "x\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_AUTH_ERROR));
	assert_null(strchr(o.reason, '\x1b'));
	assert_null(strchr(o.reason, '\x07'));
	assert_null(strstr(o.reason, "\xe2\x80\xae"));
	WITHOUT_FAKE(o, f);
}

static void candidates_in_turn(void **state)
{
	static const char *const script[] = { "-WRONGPASS invalid\r\n", "+OK\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	credentials_set(o.credentials, CREDENTIAL_DATA, NULL, "first");
	credentials_set(o.credentials, CREDENTIAL_SENTINEL, NULL, "second");
	dial_kind(&o, "127.0.0.1", f.port, false, true);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_int_equal(f.accepted, 1);
	WITHOUT_FAKE(o, f);
}

#define UNKNOWN_AUTH                                                                               \
	"-ERR unknown command 'AUTH', with args beginning with: 's3cretpw' \r\n"

/* What a server says to AUTH, and to whatever comes after it: how that ends, in which words. The
 * password is in none of them, though the server quotes it. */
static void assert_greeting(const char *to_auth, const char *next, bool subscribe, bool both,
			    enum link_state expected, enum server_error error, const char *reason)
{
	const char *script[] = { to_auth, next, NULL };
	struct owner o;
	struct fake f;

	owner_init(&o);
	fake_init(&f, o.loop);
	f.script = script;
	f.reset_script = true;
	o.secret = "s3cretpw";
	credentials_set(o.credentials, CREDENTIAL_DATA, NULL, "s3cretpw");
	dial_kind(&o, "127.0.0.1", f.port, subscribe, both);
	RUN_UNTIL(&o, o.state_count > 2);
	assert_int_equal(o.states[2], expected);
	assert_int_equal(o.error, error);
	assert_string_equal(o.reason, reason);
	fake_done(&f);
	owner_done(&o);
}

static void a_server_without_auth(void **state)
{
	(void)state;
	assert_greeting(UNKNOWN_AUTH, "+PONG\r\n", false, false, LINK_UP, ERROR_NONE, "");
	assert_greeting(UNKNOWN_AUTH, "+PONG\r\n", false, true, LINK_UP, ERROR_NONE, "");
	assert_greeting(UNKNOWN_AUTH, "-NOAUTH Authentication required.\r\n", false, false,
			LINK_AUTH_ERROR, ERROR_WRONGPASS,
			"a password is needed, but the server knows no AUTH");
}

static void refusals_quote_no_password(void **state)
{
	(void)state;
	assert_greeting("-ERR what is 's3cretpw'?\r\n", NULL, false, false, LINK_AUTH_ERROR,
			ERROR_OTHER, "AUTH was refused with an unknown error");
	assert_greeting("-ERR what is 's3cretpw'?\r\n", "-NOAUTH x\r\n", false, true,
			LINK_AUTH_ERROR, ERROR_WRONGPASS, "AUTH was refused with an unknown error");
	/* Part of it only, which no comparison finds. */
	assert_greeting("-ERR not 's3cre...'\r\n", NULL, false, false, LINK_AUTH_ERROR, ERROR_OTHER,
			"AUTH was refused with an unknown error");
	assert_greeting("-WRONGPASS 's3cretpw' is not it\r\n", NULL, false, false, LINK_AUTH_ERROR,
			ERROR_WRONGPASS,
			"user or password refused: what the server says holds a password");
	assert_greeting(UNKNOWN_AUTH, "-NOAUTH after s3cretpw\r\n", false, false, LINK_AUTH_ERROR,
			ERROR_WRONGPASS, "a password is needed, but the server knows no AUTH");
	assert_greeting("+OK\r\n", "-NOPERM s3cretpw\r\n", true, false, LINK_AUTH_ERROR,
			ERROR_NOPERM, "events refused: what the server says holds a password");
	assert_greeting("-DENIED s3cretpw\r\n", NULL, false, false, LINK_FAILED, ERROR_DENIED,
			"protected mode: what the server says holds a password");
}

static void known_refusals_keep_their_words(void **state)
{
	(void)state;
	assert_greeting("-ERR invalid password\r\n", NULL, false, false, LINK_AUTH_ERROR,
			ERROR_WRONGPASS, "user or password refused: ERR invalid password");
	/* Redis up to 5, of a user's name */
	assert_greeting("-ERR wrong number of arguments for 'auth' command\r\n", NULL, false, false,
			LINK_AUTH_ERROR, ERROR_OTHER,
			"user or password refused: ERR wrong number of arguments for 'auth' command");
	assert_greeting("-ERR wrong number of arguments for 'auth' command: s3cre\r\n", NULL, false,
			false, LINK_AUTH_ERROR, ERROR_OTHER,
			"AUTH was refused with an unknown error");
}

static void free_in_callbacks(void **state)
{
	static const char *const script[] = { "+PONG\r\n", "+a\r\n+b\r\n+c\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	link_ask(o.link, ASK_INFO, NULL, 1);
	link_ask(o.link, ASK_ROLE, NULL, 2);
	o.free_on_reply = true;
	RUN_UNTIL(&o, o.link == NULL);
	assert_int_equal(o.replies, 1);
	/* In each of the states' reports. */
	for (unsigned nth = 0; nth < 3; nth++) {
		f.reads = 0;
		o.state_count = 0;
		o.free_on_state = false;
		dial(&o, f.port);
		RUN_UNTIL(&o, o.state_count >= nth);
		o.free_on_state = true;
		RUN_UNTIL(&o, o.link == NULL);
	}
	WITHOUT_FAKE(o, f);
}

/* --- real servers ------------------------------------------------------------------------------ */

static void real_server_stopped_and_killed(void **state)
{
	struct live_server s = { 0 };
	struct owner o;

	(void)state;
	if (!live_available())
		skip();
	owner_init(&o);
	live_start(&s, NULL);
	dial(&o, s.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, o.replies == 1);
	assert_non_null(strstr(o.last_text, "# Server"));
	kill(s.pid, SIGSTOP);
	link_ask(o.link, ASK_INFO, NULL, 2);
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	kill(s.pid, SIGCONT);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	/* Stopped before the connection: accepted by the kernel, but never up. */
	kill(s.pid, SIGSTOP);
	link_free(o.link);
	o.state_count = 0;
	dial(&o, s.port);
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	assert_int_equal(times_in(&o, LINK_UP), 0);
	kill(s.pid, SIGCONT);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	live_stop(&s);
	RUN_UNTIL(&o, times_in(&o, LINK_LOST) == 1);
	RUN_UNTIL(&o, is_in(&o, LINK_FAILED));
	live_start(&s, NULL);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	owner_done(&o);
	live_stop(&s);
}

static void real_passwords(void **state)
{
	const char *args[] = { "--requirepass", "right", NULL };
	struct live_server s = { 0 };
	struct owner o;

	(void)state;
	if (!live_available())
		skip();
	live_start(&s, args);
	owner_init(&o);
	dial(&o, s.port);
	RUN_UNTIL(&o, is_in(&o, LINK_AUTH_ERROR));
	assert_int_equal(o.error, ERROR_NOAUTH);
	assert_non_null(strstr(o.reason, "password missing: NOAUTH"));
	credentials_set(o.credentials, CREDENTIAL_DATA, NULL, "wrong");
	link_retry_now(o.link);
	RUN_UNTIL(&o, o.error == ERROR_WRONGPASS);
	assert_non_null(strstr(o.reason, "user or password refused: WRONGPASS"));
	credentials_set(o.credentials, CREDENTIAL_DATA, "default", "right");
	link_retry_now(o.link);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	owner_done(&o);
	live_stop(&s);
	/* A password where none is asked for does no harm. */
	live_start(&s, NULL);
	owner_init(&o);
	credentials_set(o.credentials, CREDENTIAL_DATA, NULL, "useless");
	dial(&o, s.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	owner_done(&o);
	live_stop(&s);
}

static void real_server_without_auth(void **state)
{
	const char *args[] = { "--rename-command", "AUTH", "", NULL };
	struct live_server s = { 0 };
	struct owner o;
	char reply[200];

	(void)state;
	if (!live_available())
		skip();
	live_start(&s, args);
	live_command(s.port, "AUTH s3cretpw", reply, sizeof(reply));
	assert_non_null(strstr(reply, "unknown command 'AUTH'"));
	assert_non_null(strstr(reply, "s3cretpw"));
	owner_init(&o);
	o.secret = "s3cretpw";
	credentials_set(o.credentials, CREDENTIAL_DATA, NULL, "s3cretpw");
	dial_kind(&o, "127.0.0.1", s.port, false, true);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	/* Found to be a data node: the next connection has one candidate only. */
	link_set_credential_kind(o.link, CREDENTIAL_DATA);
	live_command(s.port, "CLIENT KILL TYPE normal", reply, sizeof(reply));
	assert_string_equal(reply, ":1\r\n");
	RUN_UNTIL(&o, is_in(&o, LINK_LOST));
	RUN_UNTIL(&o, times_in(&o, LINK_UP) == 2 || is_in(&o, LINK_AUTH_ERROR));
	assert_true(is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, o.replies == 1);
	assert_int_equal(times_in(&o, LINK_AUTH_ERROR), 0);
	owner_done(&o);
	live_stop(&s);
}

/* A user's name is among the words of a refusal, and may be any word. */
static void real_permissions_of_a_channels_user(void **state)
{
	const char *args[] = { "--user", "channels", "on", ">long-pw", "resetchannels", "-@all",
			       "+ping", "+psubscribe", NULL };
	struct live_server s = { 0 };
	struct owner o;
	char name[PERMISSION_BYTES];

	(void)state;
	if (!live_available())
		skip();
	live_start(&s, args);
	owner_init(&o);
	credentials_set(o.credentials, CREDENTIAL_DATA, "channels", "long-pw");
	dial(&o, s.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, o.replies == 1);
	assert_non_null(strstr(o.last_text, "NOPERM"));
	assert_string_equal(permission_name("INFO", o.last_text, name), "+info");
	assert_string_equal(permission_name("INFO", "NOPERM User channels has no permissions to "
					    "run the 'info' command", name), "+info");
	link_free(o.link);
	dial_kind(&o, "127.0.0.1", s.port, true, false);
	RUN_UNTIL(&o, is_in(&o, LINK_AUTH_ERROR));
	assert_string_equal(permission_name("PSUBSCRIBE *", o.reason, name), "&*");
	assert_string_equal(permission_name("PSUBSCRIBE *", "NOPERM this user has no permissions to "
					    "access one of the channels used as arguments", name),
			    "&*");
	assert_string_equal(permission_name("PSUBSCRIBE *", "NOPERM No permissions to access a "
					    "channel", name), "&*");
	owner_done(&o);
	live_stop(&s);
}

static void real_messages(void **state)
{
	struct live_server s = { 0 };
	struct owner o;
	char reply[64];

	(void)state;
	if (!live_available())
		skip();
	live_start(&s, NULL);
	owner_init(&o);
	dial_kind(&o, "127.0.0.1", s.port, true, false);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_false(link_ask(o.link, ASK_INFO, NULL, 1));
	live_command(s.port, "PUBLISH +sdown payload", reply, sizeof(reply));
	assert_string_equal(reply, ":1\r\n");
	RUN_UNTIL(&o, o.messages == 1);
	assert_string_equal(o.channel, "+sdown");
	assert_string_equal(o.payload, "payload");
	owner_done(&o);
	live_stop(&s);
}

static void real_unix_socket_and_acl(void **state)
{
	struct live_server s = { 0 };
	struct owner o;
	const char *args[] = { "--unixsocket", "u.sock", "--user", "watcher", "on", ">pw",
			       "resetchannels", "-@all", "+ping", "+info", "+psubscribe", NULL };
	char path[100];

	(void)state;
	if (!live_available())
		skip();
	live_start(&s, args);
	snprintf(path, sizeof(path), "%s/u.sock", s.folder);
	owner_init(&o);
	dial_kind(&o, path, 0, false, false);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	link_ask(o.link, ASK_ROLE, NULL, 1);
	RUN_UNTIL(&o, o.replies == 1);
	link_free(o.link);
	credentials_set(o.credentials, CREDENTIAL_DATA, "watcher", "pw");
	dial_kind(&o, path, 0, true, false);
	RUN_UNTIL(&o, is_in(&o, LINK_AUTH_ERROR));
	assert_int_equal(o.error, ERROR_NOPERM);
	assert_non_null(strstr(o.reason, "events refused: NOPERM"));
	owner_done(&o);
	live_stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_takes_a_reply),
		cmocka_unit_test(one_write_a_turn),
		cmocka_unit_test(too_many_pending),
		cmocka_unit_test(refused),
		cmocka_unit_test(name_unknown),
		cmocka_unit_test(connected_but_silent),
		cmocka_unit_test(late_replies_are_dropped),
		cmocka_unit_test(a_stall_of_our_own_is_no_silence),
		cmocka_unit_test(silent_then_replaced),
		cmocka_unit_test(closed_by_the_server),
		cmocka_unit_test(not_a_redis_server),
		cmocka_unit_test(hangs_up_at_once),
		cmocka_unit_test(one_byte_at_a_time),
		cmocka_unit_test(turned_away),
		cmocka_unit_test(hostile_reason_is_cleaned),
		cmocka_unit_test(candidates_in_turn),
		cmocka_unit_test(a_server_without_auth),
		cmocka_unit_test(refusals_quote_no_password),
		cmocka_unit_test(known_refusals_keep_their_words),
		cmocka_unit_test(free_in_callbacks),
		cmocka_unit_test(real_server_stopped_and_killed),
		cmocka_unit_test(real_passwords),
		cmocka_unit_test(real_server_without_auth),
		cmocka_unit_test(real_permissions_of_a_channels_user),
		cmocka_unit_test(real_messages),
		cmocka_unit_test(real_unix_socket_and_acl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
