/* What each Sentinel believes of one master, cell by cell, and who dissents. */
#ifndef MODEL_AGREEMENT_H
#define MODEL_AGREEMENT_H

#include "model/model.h"

/* X(id, name, title, binding, grave, help). name: in JSON. binding: that two Sentinels differ in it is a
 * disagreement; the others may differ for a while in good health and are only marked. grave: another master
 * bites now, another quorum or time-out at the next failover only. */
#define AGREEMENT_FIELDS(X)                                                                        \
	X(AGREE_MASTER, "master", "master", true, true, "address of the master")                   \
	X(AGREE_EPOCH, "config_epoch", "epoch", true, true, "configuration epoch: the higher one wins") \
	X(AGREE_STATE, "flags", "flags", false, false, "s_down, o_down, a failover that it leads") \
	X(AGREE_QUORUM, "quorum", "quorum", true, false, "Sentinels that must call the master down") \
	X(AGREE_SENTINELS, "known_sentinels", "Sentinels", false, false,                           \
	  "known, itself included; the dead count for majority")                                   \
	X(AGREE_REPLICAS, "known_replicas", "replicas", false, false, "known")                     \
	X(AGREE_DOWN_AFTER, "down_after_ms", "down-after", true, false,                            \
	  "silence until it calls the master down")                                                \
	X(AGREE_FAILOVER_TIMEOUT, "failover_timeout_ms", "failover-timeout", true, false,          \
	  "limit of each phase; twice it between tries")                                           \
	X(AGREE_PARALLEL_SYNCS, "parallel_syncs", "parallel-syncs", true, false,                   \
	  "replicas pointed at a new master at once")                                              \
	X(AGREE_VOTE, "voted_leader", "vote", false, false, "whom it voted for last, and in which epoch") \
	X(AGREE_TILT, "tilt", "TILT", false, false, "distrusts its clock and does not act")        \
	X(AGREE_VERSION, "version", "version", false, false, "of the server")

enum agreement_field {
#define X(id, name, title, binding, grave, help) id,
	AGREEMENT_FIELDS(X)
#undef X
	AGREE_COUNT
};

struct agreement_cell {
	bool known;
	bool dissents;           /* from what most of those that answer say */
	bool passing;            /* as a switch of the last seconds explains */
	bool grave;              /* it dissents in what bites now, and that does not pass */
	int64_t since_ms;        /* monotonic, since when it dissents; 0: it does not */
	char text[ENDPOINT_TEXT_BYTES];
};

struct agreement {
	bool known;              /* at least one Sentinel was heard */
	bool agree;              /* in every binding field, of those that answer */
	size_t answering, dissenting; /* Sentinels */
	bool passing;            /* all of it is what a failover of the last seconds explains */
	bool split_brain;        /* two masters are named, or two nodes say master of themselves; never
				  * while that passes */
	bool two_named;          /* the first of the two */
	int64_t split_since_ms;
	int64_t since_ms;        /* of what text says; 0 while all agree */
	char text[200];          /* the worst of it in words, "switching: ..." while it passes; "" while
				  * all agree */
};

const char *agreement_name(enum agreement_field f);
const char *agreement_title(enum agreement_field f);
const char *agreement_help(enum agreement_field f);
/* What one Sentinel says, and whether it stands alone with it. */
void agreement_cell(const struct model *m, const struct group *g, const struct sentinel_view *v,
		    enum agreement_field f, struct agreement_cell *out);
/* What most of those that answer say in that field, "" when none has said it. */
void agreement_most_say(const struct model *m, const struct group *g, enum agreement_field f, char *out,
			size_t size);
/* Its last vote, told by the others: an address, or the begin of an id that none of them has, or "" for
 * nobody. False: they have not said. */
bool agreement_vote(const struct model *m, const struct group *g, const struct sentinel_view *v,
		    char out[static ENDPOINT_TEXT_BYTES], int64_t *epoch);
void agreement_of(const struct model *m, const struct group *g, int64_t now_ms, struct agreement *out);

/* A Sentinel or replica that is still listed, but that nobody can reach. */
struct ghost {
	uint32_t node_id;
	bool is_sentinel;
	uint32_t listed_by[8];   /* Sentinels */
	size_t listed_count;     /* all of them */
	int64_t since_ms;        /* unreachable since, as far as is known; 0 unknown */
};
/* Fills at most max; returns how many were filled. A node counts as a ghost when it is listed by some
 * Sentinel, is down for those that list it and for redoubt, for at least GHOST_AFTER_MS by redoubt's or
 * the Sentinel's clock. */
#define GHOST_AFTER_MS 60000
size_t agreement_ghosts(const struct model *m, const struct group *g, int64_t now_ms, struct ghost *out,
			size_t max);
/* What clears a ghost, and how without harm. */
#define GHOST_CURE "SENTINEL RESET, one Sentinel after the other, so that most of them know the master at any time"

#endif
