/* For tests of links: an owner that keeps what its link told it, and a server in the same loop that
 * behaves as told. */
#ifndef TESTS_LINK_OWNER_H
#define TESTS_LINK_OWNER_H

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/link_private.h"
#include "net/resolver.h"
#include "net/tls.h"
#include "run_until.h"

/* A link is patient, so that a slow machine is not taken for a late server, until the test waits for it
 * to run out of patience. */
#define PATIENT_MS   60000
#define IMPATIENT_MS 300
#define STATES_MAX   64
#define PEERS_MAX    64

/* --- the owner --------------------------------------------------------------------------------- */

struct owner {
	struct ev_loop *loop;
	struct resolver *resolver;
	struct credentials *credentials;
	struct tls_context *tls; /* NULL: plain */
	struct link *link;
	enum link_state states[STATES_MAX];
	unsigned state_count;
	enum server_error error;
	char reason[200];
	unsigned replies, timeouts, losses, messages;
	uint32_t last_tag;       /* of a reply: they come in order */
	char last_arg[64];
	char *last_text;         /* owned; "" when there was none */
	size_t last_len;
	char channel[64], payload[200];
	bool free_on_reply, free_on_state;
	bool pending_in_callback;
	const char *secret;      /* must be in nothing that is reported; NULL: there is none */
};

void owner_init(struct owner *o);
void owner_init_tls(struct owner *o, const struct tls_options *options);
void owner_done(struct owner *o);

struct dialling {
	const char *host;  /* NULL: 127.0.0.1 */
	uint16_t port;
	bool subscribe;
	bool both;         /* tries the Sentinels' credentials, too */
};

/* Forgets the states of an earlier link, which is the caller's to free. */
void dial_as(struct owner *o, const struct dialling *how);
void dial(struct owner *o, uint16_t port);
/* From now on, and for what is waited for already. */
void be_patient(struct owner *o);
void be_impatient(struct owner *o);

bool is_in(const struct owner *o, enum link_state state);
unsigned times_in(const struct owner *o, enum link_state state);
void owner_explain(const struct owner *o);

#define RUN_UNTIL(o, condition) RUN_LOOP_UNTIL((o)->loop, condition, owner_explain(o))

/* --- a server that behaves as told, in the same loop ------------------------------------------- */

struct fake {
	struct ev_loop *loop;
	int fd;
	uint16_t port;
	ev_io accepting;
	const char *banner;        /* sent at once */
	bool hang_up;              /* closes after the banner */
	const char *const *script; /* the reply to the n-th read; NULL ends: silence */
	bool reset_script;         /* begins anew with each connection */
	const char *answer;        /* the reply to each read, where there is no script; NULL: none */
	size_t answer_len;
	bool hang_up_on_read;      /* closes after the answer to the first bytes */
	unsigned accepted, heard;  /* connections; reads that had bytes */
	unsigned reads;            /* of them in the script */
	struct { ev_io io; int fd; } peers[PEERS_MAX];
	ev_timer drip;             /* sends one byte of drip_text each time */
	const char *drip_text;
};

void fake_init(struct fake *f, struct ev_loop *loop);
void fake_send(struct fake *f, const char *text); /* to the latest connection */
void fake_hang_up(struct fake *f);
void fake_done(struct fake *f);

#define WITH_FAKE(o, f)                                                                            \
	struct owner o;                                                                            \
	struct fake f;                                                                             \
	(void)state;                                                                               \
	owner_init(&o);                                                                            \
	fake_init(&f, o.loop)

#define WITHOUT_FAKE(o, f)                                                                         \
	fake_done(&f);                                                                             \
	owner_done(&o)

#endif
