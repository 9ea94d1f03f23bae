/* CLUSTER NODES and CLUSTER INFO to facts. */
#ifndef REDIS_CLUSTER_H
#define REDIS_CLUSTER_H

#include "model/facts.h"

struct cluster_scratch { /* storage of the lines; zero to begin with */
	struct cluster_node_line *lines;
	size_t line_cap;
	struct slot_range *slots;
	size_t slot_cap;
	struct open_slot *open;
	size_t open_cap;
};

bool cluster_nodes_parse(struct cluster_nodes_facts *out, struct cluster_scratch *scratch,
			 const char *text, size_t len);
void cluster_scratch_done(struct cluster_scratch *scratch);
bool cluster_info_parse(struct cluster_info_facts *out, const char *text, size_t len);

#endif
