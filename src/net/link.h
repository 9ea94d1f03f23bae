/* One connection to one server: connect, authenticate, ask, read, all without blocking.
 *
 * States: idle -> resolving -> connecting -> authenticating -> up; any -> down (reported once with
 * the reason) -> backoff -> resolving. Deadlines are its own: connect, and the oldest pending reply.
 * A link knows bytes and replies, nothing of the model: the owner gets callbacks. */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "model/observation.h"
#include "net/credentials.h"
#include "redis/reply.h"

#define LINK_MAX_PENDING 128 /* commands without a reply yet */
#define LINK_BACKOFF_MIN_MS 250
#define LINK_BACKOFF_MAX_MS     2000  /* a node that comes back is seen soon: it is what one waits for */
#define LINK_BACKOFF_REFUSED_MS 10000 /* who refuses our password, or is no Redis server */

struct link;
struct resolver;
struct tls_context;

struct link_callbacks {
	/* State changed: facts as in observation.h; reason in words or NULL. */
	void (*state)(struct link *l, enum link_state state, enum server_error error,
		      const char *reason, void *owner);
	/* A reply to what was asked, or NULL with how it failed (TIMEOUT or LOST). Called once for each
	 * request that link_ask took. tag is the asker's. reply is valid for the call only. */
	void (*reply)(struct link *l, enum question q, const char *arg, uint32_t tag,
		      const struct reply *reply, enum answer failure, int64_t sent_us, int64_t recv_us,
		      void *owner);
	/* A pub/sub message on a subscribed link. */
	void (*message)(struct link *l, const char *channel, size_t channel_len,
			const char *payload, size_t payload_len, void *owner);
};

struct link_config {
	struct ev_loop *loop;
	struct resolver *resolver;           /* shared */
	const struct credentials *credentials; /* shared, outlives the link */
	struct endpoint addr;                /* where to dial */
	struct endpoint identity;            /* whom: credentials and the certificate's name are by
					      * it, whatever a map dials; unset: addr */
	enum credential_kind credential_kind;
	bool try_both_credentials;           /* kind of node not known yet */
	int64_t timeout_ms;                  /* connect and reply */
	bool subscribe;                      /* PSUBSCRIBE * after authentication */
	bool hello;                          /* with subscribe: only the Sentinels' hello channel */
	/* Shared, outlives the link; NULL: plain, as Unix sockets always are. */
	const struct tls_context *tls;
	struct link_callbacks callbacks;
	void *owner;
};

struct link *link_new(const struct link_config *config); /* starts to connect at the next turn */
/* Closes without callbacks. Safe inside callbacks (freed after the turn). NULL is legal. */
void link_free(struct link *l);
bool link_is_up(const struct link *l);
/* The last attempt got as far as a connection: what failed then was the handshake or later. */
bool link_reached(const struct link *l);
/* Queues a question; all that is queued in one turn of the loop leaves in one write. False when the link is not
 * up or has too many pending: nothing is called back then. */
bool link_ask(struct link *l, enum question q, const char *arg, uint32_t tag);
/* Any command; comes back through the reply callback with question ASK_ACTION. */
bool link_ask_argv(struct link *l, int argc, const char *const *argv, uint32_t tag);
bool link_has_pending(const struct link *l, enum question q); /* the same question still unanswered */
/* Takes effect at the next connect. NULL: plain. */
void link_set_tls(struct link *l, const struct tls_context *tls);
void link_set_credential_kind(struct link *l, enum credential_kind kind);
void link_retry_now(struct link *l);         /* ends the backoff */
const struct endpoint *link_addr(const struct link *l);
bool link_is_tls(const struct link *l);
const char *link_user(const struct link *l); /* as whom it is logged in; "default" */
int64_t link_up_us(const struct link *l);    /* since when it is up */
uint64_t link_bytes_in(const struct link *l);
uint64_t link_bytes_out(const struct link *l);

#endif
