/* What each node of a master and its replicas says of its own place, and who contradicts the rest. */
#ifndef MODEL_AGREEMENT_SET_H
#define MODEL_AGREEMENT_SET_H

#include "model/agreement.h"
#include "model/model.h"

/* X(id, title, help) */
#define SET_AGREEMENT_FIELDS(X)                                                                    \
	X(SET_AGREE_ROLE, "role", "as it says itself: there is one master")                        \
	X(SET_AGREE_FOLLOWS, "follows", "its master: one of the set")                              \
	X(SET_AGREE_LINK, "link", "to its master")                                                 \
	X(SET_AGREE_REPLID, "replication id", "one history of writes has one id")                  \
	X(SET_AGREE_OFFSET, "offset", "in that history")                                           \
	X(SET_AGREE_REPLICAS, "replicas", "that are connected to it")                              \
	X(SET_AGREE_PRIORITY, "priority", "replica-priority; Sentinels take the lowest")           \
	X(SET_AGREE_VERSION, "version", "of the server")

enum set_agreement_field {
#define X(id, title, help) id,
	SET_AGREEMENT_FIELDS(X)
#undef X
	SET_AGREE_COUNT
};

const char *agreement_set_title(enum set_agreement_field f);
const char *agreement_set_help(enum set_agreement_field f);
/* since_ms may be 0 although it dissents: nobody knows since when. */
void agreement_set_cell(const struct model *m, const struct group *g, const struct node *n,
			enum set_agreement_field f, struct agreement_cell *out);

#endif
