/* Names to addresses off the loop's thread. Numeric addresses are answered without a thread. */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct resolver;
struct resolver_query;

#define RESOLVER_MAX_ADDRS 8
struct resolved {
	int error;             /* 0, or an EAI_ code; gai_strerror */
	size_t count;
	struct { struct sockaddr_storage addr; socklen_t len; } addrs[RESOLVER_MAX_ADDRS];
};
typedef void resolver_callback(const struct resolved *result, void *arg);

struct resolver *resolver_new(struct ev_loop *loop);
/* Pending look-ups are abandoned: their threads end on their own and call nothing. */
void resolver_free(struct resolver *r);
/* Calls back from the loop, never from inside this call. */
struct resolver_query *resolver_query(struct resolver *r, const char *host, uint16_t port,
				      resolver_callback *cb, void *arg);
void resolver_cancel(struct resolver_query *q); /* no callback any more; NULL is legal */

#endif
