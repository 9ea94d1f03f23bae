#include "net/address_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PAIRS_MAX 10000

/* A host with or without a port: without one the port is 0. */
static bool parse_side(struct endpoint *ep, const char *text, size_t len)
{
	char copy[ENDPOINT_TEXT_BYTES];
	if (len == 0 || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (copy[0] == '/')
		return false;
	/* Port 0 cannot be written, so it stands for "none was". */
	if (!endpoint_parse(ep, copy, 1))
		return false;
	struct endpoint other;
	if (endpoint_parse(&other, copy, 2) && other.port != ep->port)
		ep->port = 0;
	return true;
}

bool address_map_add(struct address_map *m, const char *text, struct buf *err)
{
	const char *equals = strchr(text, '=');
	struct address_pair pair;
	if (equals == NULL) {
		buf_addstr(err, "must be FROM=TO");
		return false;
	}
	if (!parse_side(&pair.from, text, (size_t)(equals - text)) ||
	    !parse_side(&pair.to, equals + 1, strlen(equals + 1))) {
		buf_addstr(err, "FROM and TO must be host:port, or both host");
		return false;
	}
	if (pair.from.port == 0 && pair.to.port != 0) {
		buf_addstr(err, "a whole host cannot be mapped to one port");
		return false;
	}
	if (m->count == PAIRS_MAX) {
		buf_addstr(err, "too many address maps");
		return false;
	}
	m->pairs = mem_grow(m->pairs, &m->cap, m->count + 1, sizeof(*m->pairs));
	m->pairs[m->count++] = pair;
	return true;
}

void address_map_done(struct address_map *m)
{
	free(m->pairs);
	memset(m, 0, sizeof(*m));
}

bool address_map_apply(const struct address_map *m, struct endpoint *ep)
{
	const struct address_pair *found = NULL;
	/* The exact address goes before its whole host; of equals the first. */
	for (size_t i = 0; i < m->count && (found == NULL || found->from.port == 0); i++) {
		const struct address_pair *p = &m->pairs[i];
		if (strcmp(p->from.host, ep->host) != 0)
			continue;
		if (p->from.port == ep->port || (p->from.port == 0 && found == NULL))
			found = p;
	}
	if (found == NULL || endpoint_is_unix(ep))
		return false;
	memcpy(ep->host, found->to.host, sizeof(ep->host));
	if (found->to.port != 0)
		ep->port = found->to.port;
	return true;
}
