/* A byte stream to a server, non-blocking. The only place that knows what the bytes travel in:
 * plain TCP and Unix sockets now; TLS is another table of these functions.
 *
 * A stream is embedded in its owner and owns its socket from stream_open to stream_close. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum stream_status {
	STREAM_OK,
	STREAM_WANT_READ,  /* nothing done: call again when the socket is readable */
	STREAM_WANT_WRITE, /* nothing done: call again when it is writable */
	STREAM_CLOSED,     /* the peer ended the stream in an orderly way */
	STREAM_ERROR,      /* stream_error says why */
};

struct stream;

struct stream_ops {
	enum stream_status (*handshake)(struct stream *s);
	/* Fills as much of data as there is: a reader that got less than size may take the stream
	 * for drained until the socket is readable again. */
	enum stream_status (*read)(struct stream *s, char *data, size_t size, size_t *got);
	enum stream_status (*write)(struct stream *s, const char *data, size_t len, size_t *put);
	void (*close)(struct stream *s);
};

struct stream {
	const struct stream_ops *ops;
	int fd;     /* -1: not open */
	int err;    /* errno of the last failure */
	void *tls;  /* of the TLS table; NULL here */
};

#define STREAM_INIT { NULL, -1, 0, NULL }

/* Starts to connect a plain stream. STREAM_OK: connected; STREAM_WANT_WRITE: under way, ask
 * stream_connected when the socket is writable. keepalive_s: seconds of silence before the kernel
 * probes the peer. */
enum stream_status stream_open(struct stream *s, const struct sockaddr *addr, socklen_t len,
			       int keepalive_s);
enum stream_status stream_connected(struct stream *s);
enum stream_status stream_handshake(struct stream *s);
enum stream_status stream_read(struct stream *s, char *data, size_t size, size_t *got);
enum stream_status stream_write(struct stream *s, const char *data, size_t len, size_t *put);
void stream_close(struct stream *s); /* legal on a closed one */
/* In words; valid until the next call on any stream. */
const char *stream_error(const struct stream *s);

#endif
