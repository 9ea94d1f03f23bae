/* What the files of a link share: its state, and the steps that lead from one to another. */
#ifndef NET_LINK_PRIVATE_H
#define NET_LINK_PRIVATE_H

#include "base/buf.h"
#include "net/link.h"
#include "net/stream.h"

#define REASON_BYTES 160

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
	bool reached;            /* this attempt led to a connection */
	bool answered;           /* this connection was up */
	bool was_up;             /* some connection was: what is dialled is what we take it for */
	bool heard_bytes;        /* this connection had some, whatever they were */
	bool read_wants_write, write_wants_read;
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
	char hidden[CREDENTIALS_HIDDEN_BYTES]; /* what the reply at hand says instead */
	struct buf out;
	size_t out_pos;
	bool out_secret;         /* out holds, or held, an AUTH */

	struct request *ring;    /* owned; ring_cap is a power of two */
	size_t ring_cap, ring_head, ring_count;
	size_t unsent;           /* the last so many were not written yet */
	uint8_t asked[ASK_COUNT]; /* pending and not expired, by question */
	uint64_t bytes_in, bytes_out;
};

/* link.c: reports, and the way down. */

/* Around each entry from the loop: a link freed inside is destroyed when the last one is left. */
void link_enter(struct link *l);
void link_leave(struct link *l);
void link_arm(struct link *l, int64_t after_us);
void link_report(struct link *l, enum link_state state, enum server_error error,
		 const char *reason);
/* Closes the connection, reports why, fails what is pending, and waits for the next attempt. */
void link_drop(struct link *l, enum link_state state, enum server_error error, const char *reason);
void link_lost(struct link *l, const char *reason); /* was up or not */

/* As the deployment names it: what a map dials instead is nobody's name. */
const struct endpoint *link_identity(const struct link *l);

/* link_connect.c: from an address to a connection. */

void link_begin(struct link *l); /* an attempt, from the name on */
void link_connected(struct link *l);
void link_continue_handshake(struct link *l);
/* Tries the next address, or drops the link with this reason. */
void link_connect_failed(struct link *l, const char *reason);
void link_handshake_late(struct link *l);

/* link_greeting.c: from a connection to a link that is up. */

void link_start_greeting(struct link *l);
void link_on_auth_reply(struct link *l, const struct reply *reply);
void link_on_ping_reply(struct link *l, const struct reply *reply);
void link_on_subscribe_reply(struct link *l, const struct reply *reply);
bool link_turned_away(struct link *l, enum server_error error, const struct reply *reply);

/* link_pending.c: requests and deadlines. */

int64_t link_timeout_us(const struct link *l);
/* The caller has appended, or appends in this turn, the command's bytes to out. */
void link_push_request(struct link *l, enum request_kind kind, enum question q, const char *arg,
		       uint32_t tag);
void link_send_ping(struct link *l);
void link_stamp_requests(struct link *l); /* all of them are being written now */
struct request link_take_first(struct link *l);
void link_fail_requests(struct link *l, enum answer failure);
void link_unmark_dirty(struct link *l);
void link_check_deadline(struct link *l);
const char *link_seconds_text(int64_t ms, char out[32]);

/* link_io.c: bytes and replies. */

void link_read_some(struct link *l);
void link_read_held(struct link *l); /* what the stream has already taken from the socket */
void link_flush(struct link *l);
void link_wipe_out(struct link *l);
/* "what: the server's words", cleaned. */
void link_reason_from_reply(char out[REASON_BYTES], const char *what, const struct reply *reply);
void link_on_readable(struct ev_loop *loop, ev_io *w, int events);
void link_on_writable(struct ev_loop *loop, ev_io *w, int events);

#endif
