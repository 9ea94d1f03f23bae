/* Bytes and replies: what the socket gives goes through the reader to whoever asked; what was queued
 * goes out in one write. */
#include "config.h"
#include "net/link_private.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "redis/parse.h"

#define READ_BYTES          (64 * 1024)
#define READS_PER_TURN      4          /* then other links have their turn */

static char read_buffer[READ_BYTES]; /* links read one after the other */

/* "what: the server's words", cleaned. */
void link_reason_from_reply(char out[REASON_BYTES], const char *what, const struct reply *reply)
{
	int n = snprintf(out, REASON_BYTES, "%s", what);

	text_clean(out + n, REASON_BYTES - (size_t)n, reply->str, reply->len);
}

/* The one place where a server's words come in: from here on no password is in them, however they are cut,
 * shown, logged or recorded. */
static void hide_passwords(struct link *l, const struct reply *reply)
{
	/* What the reader hands out is its own copy, good until the next one. */
	if (l->config.credentials)
		credentials_hide(l->config.credentials, (struct reply *)reply, l->hidden);
}

static bool is_text(const struct reply *reply)
{
	return reply->type == REPLY_STRING || reply->type == REPLY_STATUS;
}

/* True when it was a message, which is no reply to anything. */
static bool take_message(struct link *l, const struct reply *reply)
{
	const struct reply *channel, *payload;
	size_t count = l->config.hello ? 3 : 4; /* a pattern's messages name the pattern as well */

	if (!l->config.subscribe || reply->type != REPLY_ARRAY || reply->element_count != count ||
	    !reply_is(reply->elements[0], l->config.hello ? "message" : "pmessage"))
		return false;
	channel = reply->elements[count - 2];
	payload = reply->elements[count - 1];
	if (is_text(channel) && is_text(payload) && l->config.callbacks.message)
		l->config.callbacks.message(l, channel->str, channel->len, payload->str, payload->len,
					    l->config.owner);
	return true;
}

static void unasked(struct link *l, const struct reply *reply)
{
	char text[REASON_BYTES];

	if (reply->type != REPLY_ERROR) {
		link_drop(l, LINK_PROTOCOL, ERROR_OTHER, "sent a reply that was not asked for");
		return;
	}
	if (link_turned_away(l, error_classify(reply->str, reply->len), reply))
		return;
	link_reason_from_reply(text, "", reply);
	link_drop(l, l->answered ? LINK_LOST : LINK_FAILED, ERROR_OTHER, text);
}

/* A reply, even one too late to be of use, ends a silence. */
static void end_silence(struct link *l)
{
	if (l->silent_us == 0)
		return;
	l->silent_us = 0;
	link_arm(l, link_timeout_us(l));
	if (l->step == STEP_READY)
		link_report(l, LINK_UP, ERROR_NONE, NULL);
}

static void take_reply(struct link *l, const struct reply *reply, int64_t now_us)
{
	struct request request;

	l->heard_us = now_us;
	hide_passwords(l, reply);
	if (take_message(l, reply))
		return;
	if (l->ring_count == l->unsent) {
		unasked(l, reply);
		return;
	}
	request = link_take_first(l);
	end_silence(l);
	if (l->freed)
		return;
	switch ((enum request_kind)request.kind) {
	case REQUEST_AUTH:
		link_on_auth_reply(l, reply);
		return;
	case REQUEST_PING:
		link_on_ping_reply(l, reply);
		return;
	case REQUEST_SUBSCRIBE:
		link_on_subscribe_reply(l, reply);
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
	link_drop(l, LINK_PROTOCOL, ERROR_OTHER, text);
	return false;
}

/* A server that wants TLS hangs up on a plain client, most without a word. */
static void ended(struct link *l, const char *reason)
{
	char text[REASON_BYTES];

	if (l->answered || l->heard_bytes || l->stream.tls || endpoint_is_unix(&l->config.addr)) {
		link_lost(l, reason);
		return;
	}
	snprintf(text, sizeof(text), "%s before any reply: the port may want TLS", reason);
	link_lost(l, text);
}

/* False when there is no more for now, or the connection is no longer there. */
static bool read_once(struct link *l, bool held)
{
	size_t got;
	enum stream_status status =
		held ? stream_read_held(&l->stream, read_buffer, sizeof(read_buffer), &got) :
		       stream_read(&l->stream, read_buffer, sizeof(read_buffer), &got);

	if (got > 0) {
		l->heard_bytes = true;
		l->bytes_in += got;
		reader_feed(l->parser, read_buffer, got);
		if (!take_replies(l))
			return false;
	}
	switch (status) {
	case STREAM_OK:
		return true;
	case STREAM_WANT_READ:
		break;
	case STREAM_WANT_WRITE:
		l->read_wants_write = true;
		ev_io_start(l->config.loop, &l->writer);
		break;
	case STREAM_CLOSED:
		ended(l, "connection closed by the server");
		break;
	case STREAM_ERROR:
		ended(l, stream_error(&l->stream));
		break;
	}
	return false;
}

void link_read_held(struct link *l)
{
	while (read_once(l, true))
		;
}

void link_read_some(struct link *l)
{
	for (int i = 0; i < READS_PER_TURN; i++)
		if (!read_once(l, false))
			return;
	/* The socket says when it has more; what TLS holds of it nobody would. */
	link_read_held(l);
}

void link_wipe_out(struct link *l)
{
	if (l->out_secret && l->out.data)
		explicit_bzero(l->out.data, l->out.cap);
	l->out_secret = false;
	buf_reset(&l->out);
	l->out_pos = 0;
}

/* Writing to a server that has hung up fails before its last words are read, and those say why. */
static void write_failed(struct link *l)
{
	uint32_t connection = l->connection;
	char text[REASON_BYTES];

	snprintf(text, sizeof(text), "%s", stream_error(&l->stream));
	link_read_some(l);
	if (!l->freed && l->connection == connection)
		link_lost(l, text);
}

static void stop_writer(struct link *l)
{
	if (!l->read_wants_write)
		ev_io_stop(l->config.loop, &l->writer);
}

void link_flush(struct link *l)
{
	l->write_wants_read = false;
	link_stamp_requests(l);
	while (l->out_pos < l->out.len) {
		size_t put = 0;
		enum stream_status status = stream_write(&l->stream, l->out.data + l->out_pos,
							 l->out.len - l->out_pos, &put);

		l->out_pos += put;
		l->bytes_out += put;
		if (status == STREAM_OK)
			continue;
		if (status == STREAM_WANT_WRITE) {
			ev_io_start(l->config.loop, &l->writer);
		} else if (status == STREAM_WANT_READ) {
			l->write_wants_read = true;
			stop_writer(l);
		} else {
			write_failed(l);
		}
		return;
	}
	stop_writer(l);
	link_wipe_out(l);
}

/* Both directions: what one of them waited for may be what the other one has got. */
static void go_on(struct link *l, bool readable)
{
	uint32_t connection = l->connection;

	if (readable || l->read_wants_write) {
		l->read_wants_write = false;
		link_read_some(l);
		if (l->freed || l->connection != connection)
			return;
	}
	if (!readable || l->write_wants_read)
		link_flush(l);
}

void link_on_readable(struct ev_loop *loop, ev_io *w, int events)
{
	struct link *l = w->data;

	(void)loop;
	(void)events;
	link_enter(l);
	if (l->step == STEP_HANDSHAKE)
		link_continue_handshake(l);
	else
		go_on(l, true);
	link_leave(l);
}

void link_on_writable(struct ev_loop *loop, ev_io *w, int events)
{
	struct link *l = w->data;

	(void)loop;
	(void)events;
	link_enter(l);
	if (l->step == STEP_HANDSHAKE) {
		link_continue_handshake(l);
	} else if (l->step != STEP_CONNECTING) {
		go_on(l, false);
	} else if (stream_connected(&l->stream) == STREAM_OK) {
		ev_io_stop(l->config.loop, &l->writer);
		link_connected(l);
	} else {
		link_connect_failed(l, stream_error(&l->stream));
	}
	link_leave(l);
}
