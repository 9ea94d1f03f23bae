/* What was asked and not answered, oldest first, and how long that may take. */
#include "config.h"
#include "net/link_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define RING_MIN            4
#define SUBSCRIBED_PING_US  10000000   /* nothing is published while all is well */
#define NEVER_ANSWERED_HOLD_US 10000000 /* how long a connection without any reply is kept */

int64_t link_timeout_us(const struct link *l)
{
	return l->config.timeout_ms * 1000;
}

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

void link_unmark_dirty(struct link *l)
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
void link_push_request(struct link *l, enum request_kind kind, enum question q, const char *arg,
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

void link_send_ping(struct link *l)
{
	buf_addstr(&l->out, "*1\r\n$4\r\nPING\r\n");
	link_push_request(l, REQUEST_PING, ASK_NONE, NULL, 0);
}

void link_stamp_requests(struct link *l)
{
	int64_t now_us;

	if (l->unsent == 0)
		return;
	now_us = clock_mono_us();
	for (size_t i = l->ring_count - l->unsent; i < l->ring_count; i++)
		request_at(l, i)->sent_us = now_us;
	l->unsent = 0;
	if (!ev_is_active(&l->timer))
		link_arm(l, link_timeout_us(l));
}

/* A copy: callbacks may ask, and the ring may move. */
struct request link_take_first(struct link *l)
{
	struct request first = *request_at(l, 0);

	l->ring_head = (l->ring_head + 1) & (l->ring_cap - 1);
	l->ring_count--;
	return first;
}

/* Tells the askers of all that is pending that there will be no reply. No request can be added
 * meanwhile: the link is not up. */
void link_fail_requests(struct link *l, enum answer failure)
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

/* --- deadlines --------------------------------------------------------------------------------- */

const char *link_seconds_text(int64_t ms, char out[32])
{
	if (ms % 1000 == 0)
		snprintf(out, 32, "%lld s", (long long)(ms / 1000));
	else
		snprintf(out, 32, "%.1f s", (double)ms / 1000.);
	return out;
}

static void go_silent(struct link *l, int64_t now_us)
{
	char text[REASON_BYTES], seconds[32];

	snprintf(text, sizeof(text), "%sno reply within %s", l->answered ? "" : "connected, but ",
		 link_seconds_text(l->config.timeout_ms, seconds));
	l->silent_us = now_us;
	link_report(l, LINK_SILENT, ERROR_OTHER, text);
	link_fail_requests(l, ANSWER_TIMEOUT);
}

/* A link that was up is replaced after one more timeout: its peer may be gone without a word. A
 * connection that never had a reply is kept longer, since it is where a stopped process will
 * answer first when it goes on. */
static int64_t silent_hold_us(const struct link *l)
{
	if (l->answered || link_timeout_us(l) > NEVER_ANSWERED_HOLD_US)
		return link_timeout_us(l);
	return NEVER_ANSWERED_HOLD_US;
}

static void check_subscribed(struct link *l, int64_t now_us)
{
	int64_t quiet_us = now_us - l->heard_us;

	if (quiet_us < SUBSCRIBED_PING_US) {
		link_arm(l, SUBSCRIBED_PING_US - quiet_us);
		return;
	}
	link_send_ping(l);
	link_arm(l, link_timeout_us(l));
}

static bool is_overdue(struct link *l, int64_t now_us)
{
	int64_t sent_us;

	if (l->silent_us != 0)
		return now_us - l->silent_us >= silent_hold_us(l);
	sent_us = l->ring_count > 0 ? request_at(l, 0)->sent_us : 0;
	return sent_us != 0 && now_us - sent_us >= link_timeout_us(l);
}

/* Timers come before sockets in a turn of the loop. Where it is this process that stood still,
 * stopped or starved, the reply lies in the socket and nobody is late. False when the connection
 * is no longer there. */
static bool read_before_verdict(struct link *l)
{
	uint32_t connection = l->connection;

	link_read_some(l);
	return !l->freed && l->connection == connection;
}

/* The timer is not moved with every request: when it fires, it is set to what is due next, so that
 * a poll costs no timer work. */
void link_check_deadline(struct link *l)
{
	int64_t now_us = clock_mono_us(), sent_us;

	if (is_overdue(l, now_us) && !read_before_verdict(l))
		return;
	if (l->silent_us != 0) {
		int64_t left_us = l->silent_us + silent_hold_us(l) - now_us;

		if (left_us > 0)
			link_arm(l, left_us);
		else
			link_drop(l, LINK_SILENT, ERROR_OTHER, "no reply");
		return;
	}
	if (l->ring_count == 0) {
		if (l->config.subscribe && l->step == STEP_READY)
			check_subscribed(l, now_us);
		return;
	}
	sent_us = request_at(l, 0)->sent_us;
	if (is_overdue(l, now_us)) {
		link_arm(l, silent_hold_us(l));
		go_silent(l, now_us);
		return;
	}
	link_arm(l, sent_us == 0 ? link_timeout_us(l) : sent_us + link_timeout_us(l) - now_us);
}
