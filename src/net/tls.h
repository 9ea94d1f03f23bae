/* TLS with OpenSSL: what is trusted and shown, read once at start, and the table of stream
 * functions that a connected plain stream is given for it.
 *
 * TLS 1.2 and later. A server is refused unless its certificate comes from a trusted authority and
 * names whom we asked for. Nothing here blocks or asks at the terminal. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>

#include "base/buf.h"
#include "net/stream.h"

struct tls_options {           /* each may be NULL */
	const char *cacert;    /* file of trusted authorities; neither: the system's */
	const char *cacertdir; /* folder of such, with the hashed names of `openssl rehash` */
	const char *cert;      /* our own, for servers that want one; then its chain */
	const char *key;       /* of cert */
	const char *sni;       /* the name to ask for, and to find in certificates, in place of each
				* server's host: for nodes that announce addresses */
	bool insecure;         /* no verification of any kind */
};

struct tls_context;

const char *tls_library_version(void); /* "OpenSSL 3.0.19 27 Jan 2026" */

/* NULL with the reason in err: which option, which file, what of it. Nothing of o is kept. */
struct tls_context *tls_context_new(const struct tls_options *o, struct buf *err);
/* After the streams that use it. NULL is legal. */
void tls_context_free(struct tls_context *c);

/* Turns a connected plain stream into one of TLS; stream_handshake comes next. host: whom it was
 * asked to reach, a name or a numeric address. STREAM_OK or STREAM_ERROR. */
enum stream_status tls_start(struct stream *s, const struct tls_context *c, const char *host);

#endif
