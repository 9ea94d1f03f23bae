/* What each node of a cluster says of the whole in CLUSTER INFO, and who stands alone with it. */
#ifndef MODEL_AGREEMENT_CLUSTER_H
#define MODEL_AGREEMENT_CLUSTER_H

#include "model/agreement.h"
#include "model/model.h"

/* X(id, title, compared, member, help). Not compared: each node has its own. */
#define CLUSTER_AGREEMENT_FIELDS(X)                                                                \
	X(CLUSTER_AGREE_STATE, "state", true, state_ok, "cluster_state")                           \
	X(CLUSTER_AGREE_ASSIGNED, "assigned", true, slots_assigned, "slots with an owner")         \
	X(CLUSTER_AGREE_OK, "ok", true, slots_ok, "slots whose owner it takes for well")           \
	X(CLUSTER_AGREE_PFAIL, "pfail", true, slots_pfail, "slots of nodes that it suspects")      \
	X(CLUSTER_AGREE_FAIL, "fail", true, slots_fail, "slots of nodes that most masters call failed") \
	X(CLUSTER_AGREE_NODES, "nodes", true, known_nodes, "known, itself included")               \
	X(CLUSTER_AGREE_SIZE, "size", true, size, "masters with slots")                            \
	X(CLUSTER_AGREE_EPOCH, "epoch", true, current_epoch, "current epoch of the cluster")       \
	X(CLUSTER_AGREE_OWN_EPOCH, "own epoch", false, my_epoch, "configuration epoch of its shard")

enum cluster_agreement_field {
#define X(id, title, compared, member, help) id,
	CLUSTER_AGREEMENT_FIELDS(X)
#undef X
	CLUSTER_AGREE_COUNT
};

struct agreement_cluster {
	bool known;                   /* at least one node was heard */
	bool agree;                   /* in every compared field, of those that answer */
	size_t answering, dissenting; /* nodes */
	/* What most of them say; "" nobody said. */
	char most[CLUSTER_AGREE_COUNT][24];
};

const char *agreement_cluster_title(enum cluster_agreement_field f);
const char *agreement_cluster_help(enum cluster_agreement_field f);
/* What one node says; since_ms: since when it stands alone with it. */
void agreement_cluster_cell(const struct node *n, enum cluster_agreement_field f,
			    struct agreement_cell *out);
/* Linear in the nodes. */
void agreement_cluster_of(const struct model *m, const struct deployment *d,
			  struct agreement_cluster *out);

#endif
