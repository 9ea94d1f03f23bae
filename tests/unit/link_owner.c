#include "config.h"

#include "link_owner.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the owner --------------------------------------------------------------------------------- */

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

static void keep_reply(struct owner *o, uint32_t tag, const struct reply *reply)
{
	assert_true(tag > o->last_tag);
	o->last_tag = tag;
	o->replies++;
	if (o->secret && reply->str)
		assert_null(strstr(reply->str, o->secret));
	free(o->last_text);
	o->last_len = reply->str ? reply->len : 0;
	o->last_text = strndup(reply->str ? reply->str : "", o->last_len);
	assert_non_null(o->last_text);
}

static void on_reply(struct link *l, enum question q, const char *arg, uint32_t tag,
		     const struct reply *reply, enum answer failure, int64_t sent_us, int64_t recv_us,
		     void *owner)
{
	struct owner *o = owner;

	o->pending_in_callback = link_has_pending(l, q);
	snprintf(o->last_arg, sizeof(o->last_arg), "%s", arg ? arg : "");
	if (reply) {
		assert_true(recv_us >= sent_us);
		keep_reply(o, tag, reply);
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

void owner_init(struct owner *o)
{
	memset(o, 0, sizeof(*o));
	o->loop = ev_loop_new(0);
	o->resolver = resolver_new(o->loop);
	o->credentials = credentials_new();
	o->last_text = strdup("");
}

void owner_init_tls(struct owner *o, const struct tls_options *options)
{
	struct buf err = BUF_INIT;

	owner_init(o);
	o->tls = tls_context_new(options, &err);
	if (!o->tls)
		print_message("%s\n", buf_str(&err));
	assert_non_null(o->tls);
	buf_free(&err);
}

void owner_done(struct owner *o)
{
	link_free(o->link);
	tls_context_free(o->tls);
	resolver_free(o->resolver);
	credentials_free(o->credentials);
	ev_loop_destroy(o->loop);
	free(o->last_text);
}

void dial_as(struct owner *o, const struct dialling *how)
{
	struct link_config config = {
		.loop = o->loop,
		.resolver = o->resolver,
		.credentials = o->credentials,
		.credential_kind = CREDENTIAL_DATA,
		.try_both_credentials = how->both,
		.timeout_ms = PATIENT_MS,
		.subscribe = how->subscribe,
		.tls = o->tls,
		.callbacks = { on_state, on_reply, on_message },
		.owner = o,
	};

	config.addr.port = how->port;
	snprintf(config.addr.host, sizeof(config.addr.host), "%s", how->host ? how->host : "127.0.0.1");
	o->state_count = 0;
	o->link = link_new(&config);
}

void dial(struct owner *o, uint16_t port)
{
	dial_as(o, &(struct dialling){ .port = port });
}

/* The link's timer is set for what it waited for until now. */
static void set_patience(struct owner *o, int64_t ms)
{
	o->link->config.timeout_ms = ms;
	if (ev_is_active(&o->link->timer) && o->link->step != STEP_BACKOFF)
		link_arm(o->link, link_timeout_us(o->link));
}

void be_patient(struct owner *o)
{
	set_patience(o, PATIENT_MS);
}

void be_impatient(struct owner *o)
{
	set_patience(o, IMPATIENT_MS);
}

bool is_in(const struct owner *o, enum link_state state)
{
	return o->state_count > 0 && o->states[o->state_count - 1] == state;
}

unsigned times_in(const struct owner *o, enum link_state state)
{
	unsigned times = 0;

	for (unsigned i = 0; i < o->state_count; i++)
		times += o->states[i] == state;
	return times;
}

void owner_explain(const struct owner *o)
{
	print_message("state %s: %s\n",
		      o->state_count ? link_state_name(o->states[o->state_count - 1]) : "-", o->reason);
}

/* --- the server -------------------------------------------------------------------------------- */

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
	f->heard++;
	if (f->script && f->script[f->reads]) {
		const char *text = f->script[f->reads++];

		if (text[0])
			send(w->fd, text, strlen(text), MSG_NOSIGNAL);
	} else if (f->answer) {
		send(w->fd, f->answer, f->answer_len, MSG_NOSIGNAL);
	}
	if (f->hang_up_on_read)
		fake_hang_up(f);
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
	assert_true(slot < PEERS_MAX);
	if (f->reset_script)
		f->reads = 0;
	if (f->banner)
		send(fd, f->banner, strlen(f->banner), MSG_NOSIGNAL);
	f->peers[slot].fd = fd;
	ev_io_init(&f->peers[slot].io, on_peer, fd, EV_READ);
	f->peers[slot].io.data = f;
	if (f->hang_up) {
		close(fd);
		f->peers[slot].fd = -1;
		return;
	}
	ev_io_start(loop, &f->peers[slot].io);
}

void fake_init(struct fake *f, struct ev_loop *loop)
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

void fake_send(struct fake *f, const char *text)
{
	assert_true(f->accepted > 0);
	send(f->peers[f->accepted - 1].fd, text, strlen(text), MSG_NOSIGNAL);
}

void fake_hang_up(struct fake *f)
{
	for (unsigned i = 0; i < f->accepted; i++) {
		ev_io_stop(f->loop, &f->peers[i].io);
		if (f->peers[i].fd >= 0)
			close(f->peers[i].fd);
		f->peers[i].fd = -1;
	}
}

void fake_done(struct fake *f)
{
	fake_hang_up(f);
	ev_timer_stop(f->loop, &f->drip);
	ev_io_stop(f->loop, &f->accepting);
	close(f->fd);
}
