/* A byte stream to a server, non-blocking. The only place that knows what the bytes travel in:
 * plain TCP and Unix sockets here; TLS is another table of these functions (tls.h).
 *
 * A stream is embedded in its owner and owns its socket from stream_open to stream_close. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Either of the wants may come from either direction: TLS writes in order to read, and the other
 * way round. */
enum stream_status {
	STREAM_OK,
	STREAM_WANT_READ,  /* call again when the socket is readable */
	STREAM_WANT_WRITE, /* call again when it is writable */
	STREAM_CLOSED,     /* the peer ended the stream */
	STREAM_ERROR,      /* stream_error says why */
};

struct stream;

struct stream_ops {
	enum stream_status (*handshake)(struct stream *s);
	/* held: only what was taken from the socket before. */
	enum stream_status (*read)(struct stream *s, char *data, size_t size, size_t *got,
				   bool held);
	enum stream_status (*write)(struct stream *s, const char *data, size_t len, size_t *put);
	void (*close)(struct stream *s);
};

struct stream {
	const struct stream_ops *ops;
	int fd;            /* -1: not open */
	int err;           /* errno of the last failure */
	bool refused;      /* the failure is a verdict of TLS, not of the network */
	const char *words; /* why it failed where errno does not tell; static memory */
	void *tls;         /* of the TLS table; NULL here */
};

#define STREAM_INIT { NULL, -1, 0, false, NULL, NULL }

/* Starts to connect a plain stream. STREAM_OK: connected; STREAM_WANT_WRITE: under way, ask
 * stream_connected when the socket is writable. keepalive_s: seconds of silence before the kernel
 * probes the peer. */
enum stream_status stream_open(struct stream *s, const struct sockaddr *addr, socklen_t len,
			       int keepalive_s);
enum stream_status stream_connected(struct stream *s);
enum stream_status stream_handshake(struct stream *s);
/* STREAM_OK: there may be more, call again. STREAM_WANT_READ: that is all until the socket is
 * readable; *got bytes, perhaps none, came with it. */
enum stream_status stream_read(struct stream *s, char *data, size_t size, size_t *got);
/* The same, of what was already taken from the socket, which will not be announced again: before
 * the owner goes back to its loop without a STREAM_WANT_READ. */
enum stream_status stream_read_held(struct stream *s, char *data, size_t size, size_t *got);
/* After a want: the same bytes again, and perhaps more behind them. */
enum stream_status stream_write(struct stream *s, const char *data, size_t len, size_t *put);
void stream_close(struct stream *s); /* legal on a closed one */
/* In words; valid until the next call on any stream, but for stream_close. */
const char *stream_error(const struct stream *s);

#endif
