#include "config.h"

#include "net/listens.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENS_WAIT_MS 100

static bool connected(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t len = sizeof(error);
	return poll(&p, 1, LISTENS_WAIT_MS) == 1 &&
	       getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
}

bool listens_on(const struct endpoint *loopback)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(loopback->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	if (inet_pton(AF_INET, loopback->host, &to.sin_addr) != 1) {
		close(fd);
		return false;
	}
	int done = connect(fd, (struct sockaddr *)&to, sizeof(to));
	bool listens = done == 0 || (errno == EINPROGRESS && connected(fd));
	close(fd);
	return listens;
}
