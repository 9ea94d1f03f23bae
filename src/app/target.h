/* A target as written: host[:port], redis[s]://[user[:password]@]host[:port],
 * unix:///path. */
#ifndef APP_TARGET_H
#define APP_TARGET_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/endpoint.h"

#define DEFAULT_PORT 6379

struct target {
	struct endpoint addr;
	char *user, *password; /* of a URI; owned, wiped when freed */
	bool tls;              /* rediss:// */
};

/* False with the reason in err. text is not changed; a password is copied into t. */
bool target_parse(struct target *t, const char *text, struct buf *err);
void target_done(struct target *t);
/* Overwrites the user and password part of a URI with '*'. */
void target_wipe_argument(char *text);

#endif
