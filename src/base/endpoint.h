/* Where a server is: host and port, or the path of a Unix socket. */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 1035 allows 253 bytes for a name, sun_path 107. */
#define ENDPOINT_HOST_BYTES 254
/* "[" host "]:" port NUL */
#define ENDPOINT_TEXT_BYTES (ENDPOINT_HOST_BYTES + 9)

struct endpoint {
	uint16_t port;                  /* 0: host is the path of a Unix socket */
	char host[ENDPOINT_HOST_BYTES]; /* cleaned; empty: nobody */
};

/* Sets ep from a peer's bytes (cleaned here). False and an empty ep if host is empty or too long,
 * or port not in 1..65535. */
bool endpoint_set(struct endpoint *ep, const char *host, size_t host_len, int64_t port);
/* "host", "host:port", "1.2.3.4:1", "[::1]:6379", "::1". False with ep empty when malformed. */
bool endpoint_parse(struct endpoint *ep, const char *text, uint16_t default_port);
bool endpoint_is_set(const struct endpoint *ep);
bool endpoint_is_unix(const struct endpoint *ep);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
/* Writes "host:port" (IPv6 in brackets) or the path; out holds ENDPOINT_TEXT_BYTES. Returns out;
 * "?" for an unset one. */
char *endpoint_format(const struct endpoint *ep, char *out);

#endif
