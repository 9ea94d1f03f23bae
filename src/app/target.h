/* A target as written: host[:port], redis[s]://[[user]:password@]host[:port],
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
/* Overwrites the user and password part of a URI with '*', or of what was meant as one. */
void target_wipe_argument(char *text);
/* A word that is no target may be a URI with a slip in it: no part of it is safe to print. */
bool target_hides_secret(const char *text);
/* Overwrites such a word as a whole. */
void target_wipe_refused(char *text);

#endif
