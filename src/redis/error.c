#include "config.h"

#include "redis/parse.h"

#include <string.h>
#include <strings.h>

/* By the first word where it has a meaning of its own; behind ERR by what follows, since the
 * wording is all there is. Case is ignored: it changed between versions. */
static const struct {
	const char *prefix;
	enum server_error error;
} errors[] = {
	{ "NOAUTH", ERROR_NOAUTH },
	{ "WRONGPASS", ERROR_WRONGPASS },
	{ "NOPERM", ERROR_NOPERM },
	{ "LOADING", ERROR_LOADING },
	{ "BUSY", ERROR_BUSY },
	{ "MASTERDOWN", ERROR_MASTERDOWN },
	{ "READONLY", ERROR_READONLY },
	{ "CLUSTERDOWN", ERROR_CLUSTERDOWN },
	{ "INPROG", ERROR_INPROG },
	{ "NOGOODSLAVE", ERROR_NOGOODSLAVE },
	{ "NOGOODPRIMARY", ERROR_NOGOODSLAVE }, /* Valkey 9: cannot fail over in a coordinated way */
	{ "NOQUORUM", ERROR_NOQUORUM },
	{ "DENIED", ERROR_DENIED },
	{ "ERR invalid password", ERROR_WRONGPASS },                  /* up to Redis 5 */
	{ "ERR AUTH <password> called without", ERROR_NO_PASSWORD_SET },
	{ "ERR Client sent AUTH, but no password is set", ERROR_NO_PASSWORD_SET }, /* up to 5 */
	{ "ERR max number of clients", ERROR_MAXCLIENTS },
	{ "ERR unknown command", ERROR_UNKNOWN_COMMAND },
	{ "ERR unknown subcommand", ERROR_UNKNOWN_COMMAND },
	{ "ERR unknown sentinel subcommand", ERROR_UNKNOWN_COMMAND }, /* up to 6.0 */
	{ "ERR FAILOVER already in progress", ERROR_INPROG },
};

static size_t find_kind(const char *text, size_t len)
{
	size_t count = sizeof(errors) / sizeof(errors[0]);

	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(errors[i].prefix);

		if (len < n || strncasecmp(text, errors[i].prefix, n) != 0)
			continue;
		/* Whole words only: BUSYGROUP and BUSYKEY are not BUSY. */
		if (len == n || !((text[n] >= 'A' && text[n] <= 'Z') || (text[n] >= 'a' && text[n] <= 'z')))
			return i;
	}
	return count;
}

enum server_error error_classify(const char *text, size_t len)
{
	size_t i = find_kind(text, len);

	return i < sizeof(errors) / sizeof(errors[0]) ? errors[i].error : ERROR_OTHER;
}

const char *error_prefix(const char *text, size_t len)
{
	size_t i = find_kind(text, len);

	return i < sizeof(errors) / sizeof(errors[0]) ? errors[i].prefix : NULL;
}
