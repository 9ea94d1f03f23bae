/* What the lines of the header share. */
#ifndef VIEWS_HEADER_PRIVATE_H
#define VIEWS_HEADER_PRIVATE_H

#include "views/parts.h"

#define PART_BYTES 64

struct member_counts {
	size_t sentinels, sentinels_up, nodes, nodes_up;
	int64_t heard_ms; /* the newest fact of any data node; of any Sentinel where there are none */
};
struct member_counts members_count(const struct view_context *c);

/* Line 1: the worst thing of the deployment that is shown, the failover that runs, and whether
 * another deployment is worse. A notice for the operator stands there for a while. */
void alert_draw(const struct pane *line, const struct view_context *c, const struct deployment *d,
		bool notice);

#endif
