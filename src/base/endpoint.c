#include "config.h"

#include "base/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/number.h"
#include "base/text.h"

/* One byte becomes at most four ("\xff"), and no longer character grows more than that. */
#define CLEAN_BYTES (4 * ENDPOINT_HOST_BYTES)

static bool endpoint_fill(struct endpoint *ep, const char *host, size_t host_len, uint16_t port)
{
	char clean[CLEAN_BYTES];
	size_t len;

	/* All of the struct: it may be compared or hashed as bytes. */
	memset(ep, 0, sizeof(*ep));
	if (host_len == 0 || host_len >= ENDPOINT_HOST_BYTES)
		return false;
	len = text_clean(clean, sizeof(clean), host, host_len);
	if (len == 0 || len >= ENDPOINT_HOST_BYTES)
		return false;
	memcpy(ep->host, clean, len + 1);
	ep->port = port;
	return true;
}

bool endpoint_set(struct endpoint *ep, const char *host, size_t host_len, int64_t port)
{
	if (port < 1 || port > UINT16_MAX) {
		memset(ep, 0, sizeof(*ep));
		return false;
	}
	return endpoint_fill(ep, host, host_len, (uint16_t)port);
}

static bool is_host_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c >= 0x80 || (c != '\0' && strchr(".-_:%", c) != NULL);
}

static bool is_host(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_host_char((unsigned char)s[i]))
			return false;
	return len > 0;
}

/* A zone may follow it: fe80::1%eth0. */
static bool is_ipv6(const char *s, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	const char *zone = memchr(s, '%', len);
	size_t addr_len = zone ? (size_t)(zone - s) : len;

	if (addr_len >= sizeof(text) || !is_host(s, len))
		return false;
	memcpy(text, s, addr_len);
	text[addr_len] = '\0';
	return inet_pton(AF_INET6, text, &addr) == 1;
}

static bool endpoint_parse_port(struct endpoint *ep, const char *host, size_t host_len,
				const char *port)
{
	int64_t number;

	if (!number_parse(port, strlen(port), 1, UINT16_MAX, &number) || !is_host(host, host_len))
		return false;
	return endpoint_set(ep, host, host_len, number);
}

bool endpoint_parse(struct endpoint *ep, const char *text, uint16_t default_port)
{
	const char *colon = strchr(text, ':');
	const char *close;

	memset(ep, 0, sizeof(*ep));
	if (text[0] == '/') {
		if (strlen(text) >= sizeof(((struct sockaddr_un *)0)->sun_path))
			return false;
		return endpoint_fill(ep, text, strlen(text), 0);
	}
	if (text[0] == '[') {
		close = strchr(text, ']');
		if (!close)
			return false;
		if (close[1] == ':')
			return endpoint_parse_port(ep, text + 1, (size_t)(close - text - 1), close + 2);
		return close[1] == '\0' && is_host(text + 1, (size_t)(close - text - 1)) &&
		       endpoint_set(ep, text + 1, (size_t)(close - text - 1), default_port);
	}
	/* Two colons without brackets: a bare IPv6 address, which can carry no port. */
	if (colon && !strchr(colon + 1, ':'))
		return endpoint_parse_port(ep, text, (size_t)(colon - text), colon + 1);
	return (colon ? is_ipv6(text, strlen(text)) : is_host(text, strlen(text))) &&
	       endpoint_set(ep, text, strlen(text), default_port);
}

bool endpoint_is_set(const struct endpoint *ep)
{
	return ep->host[0] != '\0';
}

bool endpoint_is_unix(const struct endpoint *ep)
{
	return ep->port == 0 && ep->host[0] != '\0';
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}

char *endpoint_format(const struct endpoint *ep, char *out)
{
	if (!endpoint_is_set(ep))
		snprintf(out, ENDPOINT_TEXT_BYTES, "?");
	else if (endpoint_is_unix(ep))
		snprintf(out, ENDPOINT_TEXT_BYTES, "%s", ep->host);
	else if (strchr(ep->host, ':'))
		snprintf(out, ENDPOINT_TEXT_BYTES, "[%s]:%u", ep->host, ep->port);
	else
		snprintf(out, ENDPOINT_TEXT_BYTES, "%s:%u", ep->host, ep->port);
	return out;
}
