/* From a connection to a link that is up: AUTH with each candidate in turn, or PING where there is
 * nothing to try; then PSUBSCRIBE where events are wanted. And what a server may answer to that. */
#include "config.h"
#include "net/link_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "redis/parse.h"

static void become_ready(struct link *l)
{
	l->step = STEP_READY;
	l->answered = true;
	l->was_up = true;
	l->up_us = clock_mono_us();
	l->silent_us = 0;
	link_report(l, LINK_UP, ERROR_NONE, NULL);
}

static void send_greeting(struct link *l)
{
	const struct link_config *c = &l->config;

	if (c->credentials &&
	    credentials_append_auth(c->credentials, link_identity(l), c->credential_kind,
				    c->try_both_credentials, l->candidate, &l->out)) {
		l->out_secret = true;
		link_push_request(l, REQUEST_AUTH, ASK_NONE, NULL, 0);
		return;
	}
	link_send_ping(l);
}

static void authenticated(struct link *l)
{
	if (!l->config.subscribe) {
		become_ready(l);
		return;
	}
	l->step = STEP_SUBSCRIBING;
	command_append(&l->out, l->config.hello ? ASK_SENTINEL_HELLO : ASK_MESSAGE, NULL);
	link_push_request(l, REQUEST_SUBSCRIBE, ASK_NONE, NULL, 0);
}

const char *link_user(const struct link *l)
{
	const struct link_config *c = &l->config;

	if (!c->credentials)
		return "default";
	return credentials_user(c->credentials, link_identity(l), c->credential_kind,
				c->try_both_credentials, l->candidate);
}

void link_start_greeting(struct link *l)
{
	free(l->addrs);
	l->addrs = NULL;
	l->step = STEP_GREETING;
	l->candidate = 0;
	l->refusal[0] = '\0';
	l->heard_bytes = false;
	l->read_wants_write = false;
	l->write_wants_read = false;
	l->parser = reader_new();
	link_arm(l, link_timeout_us(l));
	send_greeting(l);
}

/* --- what the server says to it ----------------------------------------------------------------- */

/* Errors that a server sends to anyone before it closes: networking.c:acceptCommonHandler. */
bool link_turned_away(struct link *l, enum server_error error, const struct reply *reply)
{
	char text[REASON_BYTES];

	if (error != ERROR_DENIED && error != ERROR_MAXCLIENTS)
		return false;
	link_reason_from_reply(text, error == ERROR_DENIED ? "protected mode: " : "", reply);
	link_drop(l, LINK_FAILED, error, text);
	return true;
}

static void auth_error(struct link *l, enum server_error error, const char *what,
		       const struct reply *reply)
{
	char text[REASON_BYTES];

	link_reason_from_reply(text, what, reply);
	link_drop(l, LINK_AUTH_ERROR, error, text);
}

static bool more_candidates(struct link *l)
{
	struct buf probe = BUF_INIT;
	bool more = credentials_append_auth(l->config.credentials, link_identity(l),
					    l->config.credential_kind,
					    l->config.try_both_credentials, l->candidate, &probe);

	if (probe.data)
		mem_wipe_free(probe.data, probe.cap);
	return more;
}

/* The servers' own words on a refused AUTH, none of which quotes it. Any other error may, in whole or
 * in part: server.c:rejectCommandSds quotes the arguments of a command that it does not know. */
static bool is_known_refusal(enum server_error error, const struct reply *reply)
{
	static const char old[] = "ERR wrong number of arguments for 'auth' command"; /* up to 5 */

	switch (error) {
	case ERROR_WRONGPASS:
	case ERROR_NOPERM:
	case ERROR_NOAUTH:
	case ERROR_LOADING:
	case ERROR_BUSY:
	case ERROR_MASTERDOWN:
		return true;
	default:
		return reply->len == sizeof(old) - 1 && memcmp(reply->str, old, reply->len) == 0;
	}
}

static void note_refusal(struct link *l, enum server_error error, const struct reply *reply)
{
	if (is_known_refusal(error, reply))
		link_reason_from_reply(l->refusal, "user or password refused: ", reply);
	else
		snprintf(l->refusal, sizeof(l->refusal), "AUTH was refused with an unknown error");
}

void link_on_auth_reply(struct link *l, const struct reply *reply)
{
	enum server_error error;

	if (reply_is(reply, "OK")) {
		authenticated(l);
		return;
	}
	if (reply->type != REPLY_ERROR) {
		link_drop(l, LINK_PROTOCOL, ERROR_OTHER,
			  "answers AUTH with neither OK nor an error");
		return;
	}
	error = error_classify(reply->str, reply->len);
	if (link_turned_away(l, error, reply))
		return;
	if (error == ERROR_NO_PASSWORD_SET) {
		authenticated(l);
		return;
	}
	/* AUTH was renamed or is not there (rename-command): no other password would do better, and
	 * PING tells whether one is needed at all. */
	if (error == ERROR_UNKNOWN_COMMAND) {
		snprintf(l->refusal, sizeof(l->refusal),
			 "a password is needed, but the server knows no AUTH");
		link_send_ping(l);
		return;
	}
	l->candidate++;
	note_refusal(l, error, reply);
	/* Of a node whose kind is not known, the other kind's user may have been tried on a server
	 * that asks for none: PING tells. */
	if (!more_candidates(l) && !l->config.try_both_credentials) {
		link_drop(l, LINK_AUTH_ERROR, error, l->refusal);
		return;
	}
	send_greeting(l);
}

void link_on_ping_reply(struct link *l, const struct reply *reply)
{
	enum server_error error;

	if (l->step == STEP_READY) /* of a subscribed link: that it answers is all */
		return;
	if (reply_is(reply, "PONG")) {
		authenticated(l);
		return;
	}
	if (reply->type != REPLY_ERROR) {
		link_drop(l, LINK_PROTOCOL, ERROR_OTHER,
			  "answers PING with neither PONG nor an error");
		return;
	}
	error = error_classify(reply->str, reply->len);
	if (link_turned_away(l, error, reply))
		return;
	if (error == ERROR_NOAUTH && l->refusal[0])
		link_drop(l, LINK_AUTH_ERROR, ERROR_WRONGPASS, l->refusal);
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

void link_on_subscribe_reply(struct link *l, const struct reply *reply)
{
	enum server_error error;

	if (is_first_word(reply, l->config.hello ? "subscribe" : "psubscribe")) {
		become_ready(l);
		return;
	}
	if (reply->type != REPLY_ERROR) {
		link_drop(l, LINK_PROTOCOL, ERROR_OTHER, "answers PSUBSCRIBE with something else");
		return;
	}
	error = error_classify(reply->str, reply->len);
	auth_error(l, error, "events refused: ", reply);
}
