#include "config.h"
#include "net/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

static enum stream_status fail(struct stream *s, int err)
{
	s->err = err;
	return STREAM_ERROR;
}

static enum stream_status plain_handshake(struct stream *s)
{
	(void)s;
	return STREAM_OK;
}

/* A read that does not fill the buffer has emptied the socket: no second call to be told so. */
static enum stream_status plain_read(struct stream *s, char *data, size_t size, size_t *got,
				     bool held)
{
	ssize_t n;

	*got = 0;
	if (held)
		return STREAM_WANT_READ;
	do
		n = recv(s->fd, data, size, 0);
	while (n < 0 && errno == EINTR);
	*got = n > 0 ? (size_t)n : 0;
	if (n > 0)
		return *got < size ? STREAM_WANT_READ : STREAM_OK;
	if (n == 0)
		return STREAM_CLOSED;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return STREAM_WANT_READ;
	return fail(s, errno);
}

static enum stream_status plain_write(struct stream *s, const char *data, size_t len, size_t *put)
{
	ssize_t n;

	do
		n = send(s->fd, data, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	*put = n > 0 ? (size_t)n : 0;
	if (n >= 0)
		return STREAM_OK;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return STREAM_WANT_WRITE;
	return fail(s, errno);
}

static void plain_close(struct stream *s)
{
	(void)s;
}

static const struct stream_ops plain_ops = {
	.handshake = plain_handshake,
	.read = plain_read,
	.write = plain_write,
	.close = plain_close,
};

/* Failures here cost comfort, not function, so they are passed over. */
static void set_options(int fd, int keepalive_s)
{
	const int on = 1, between_s = 5, probes = 3;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
#ifdef TCP_KEEPIDLE
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keepalive_s, sizeof(keepalive_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between_s, sizeof(between_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
#else
	(void)keepalive_s;
	(void)between_s;
	(void)probes;
#endif
}

enum stream_status stream_open(struct stream *s, const struct sockaddr *addr, socklen_t len,
			       int keepalive_s)
{
	s->ops = &plain_ops;
	s->err = 0;
	s->refused = false;
	s->words = NULL;
	s->tls = NULL;
	s->fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return fail(s, errno);
	if (addr->sa_family != AF_UNIX)
		set_options(s->fd, keepalive_s);
	if (connect(s->fd, addr, len) == 0)
		return STREAM_OK;
	/* A Unix socket whose queue is full says EAGAIN and never becomes writable for it. */
	if (errno == EINPROGRESS || errno == EINTR)
		return STREAM_WANT_WRITE;
	return fail(s, errno);
}

/* Connecting to a port of one's own ephemeral range on loopback can meet oneself (simultaneous
 * open): the "server" would then echo every command. */
static bool connected_to_itself(int fd)
{
	struct sockaddr_storage mine, theirs;
	socklen_t mine_len = sizeof(mine), theirs_len = sizeof(theirs);

	memset(&mine, 0, sizeof(mine));
	memset(&theirs, 0, sizeof(theirs));
	if (getsockname(fd, (struct sockaddr *)&mine, &mine_len) < 0 ||
	    getpeername(fd, (struct sockaddr *)&theirs, &theirs_len) < 0)
		return false;
	return mine.ss_family != AF_UNIX && mine_len == theirs_len &&
	       memcmp(&mine, &theirs, mine_len) == 0;
}

enum stream_status stream_connected(struct stream *s)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err != 0)
		return fail(s, err);
	if (connected_to_itself(s->fd))
		return fail(s, ECONNREFUSED);
	return STREAM_OK;
}

enum stream_status stream_handshake(struct stream *s)
{
	return s->ops->handshake(s);
}

enum stream_status stream_read(struct stream *s, char *data, size_t size, size_t *got)
{
	return s->ops->read(s, data, size, got, false);
}

enum stream_status stream_read_held(struct stream *s, char *data, size_t size, size_t *got)
{
	return s->ops->read(s, data, size, got, true);
}

enum stream_status stream_write(struct stream *s, const char *data, size_t len, size_t *put)
{
	return s->ops->write(s, data, len, put);
}

void stream_close(struct stream *s)
{
	if (s->fd < 0)
		return;
	s->ops->close(s);
	close(s->fd);
	s->fd = -1;
}

const char *stream_error(const struct stream *s)
{
	return s->words ? s->words : strerror(s->err);
}
