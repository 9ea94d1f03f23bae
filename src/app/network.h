/* How each deployment is reached, from its settings: credentials, TLS and address map. */
#ifndef APP_NETWORK_H
#define APP_NETWORK_H

#include "app/demo.h"
#include "app/options.h"
#include "net/watch.h"

struct network {
	size_t count;
	const struct settings **settings; /* by profile number; borrowed from the options */
	struct net_profile *profiles;     /* owned, with all they point to but the maps */
};

/* Reads password files, environment and certificates; asks on the terminal for --askpass. Profile 0
 * is the command line's when it names targets (or nobody does), else they are the file's deployments
 * in order. demo: NULL, or whose passwords are used. False with one line in err. */
bool network_build(struct network *n, const struct options *o, const struct demo *demo,
		   struct buf *err);
void network_free(struct network *n);

#endif
