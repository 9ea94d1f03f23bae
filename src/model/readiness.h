/* Can this master fail over now? One verdict, with every reason against it. */
#ifndef MODEL_READINESS_H
#define MODEL_READINESS_H

#include "model/forecast.h"
#include "model/model.h"

enum ready { READY_YES, READY_UNKNOWN, READY_DOUBTFUL, READY_NO };

#define READINESS_REASONS_MAX 12
/* verdict READY_YES: nothing against it, but worth knowing */
struct readiness_reason {
	enum ready verdict;
	bool own;                    /* of redoubt's own user, when the operator wants to: a permission */
	char text[180];
};
struct readiness {
	enum ready verdict;          /* the worst reason's */
	bool by_hand;                /* an operator's failover works, none comes by itself */
	bool differs_by_hand;        /* then it need not be whom a crash would promote */
	bool running;                /* one is: no further one now, and that is no bad news */
	struct readiness_reason reasons[READINESS_REASONS_MAX];
	size_t reason_count;
	int64_t possible_in_ms;      /* when only time stands against it; FACT_UNKNOWN otherwise */
	char text[260];              /* one line: "failover ok: 3 of 3 Sentinels, 2 needed, 10.0.0.2:6379 next" */
};

/* After a crash now. A reason that stands only against an operator's command says so. */
void readiness_of(const struct model *m, const struct group *g, int64_t now_ms, struct readiness *out);
const char *ready_name(enum ready r); /* "yes" "unknown" "doubtful" "no" */
/* The verdict as it is said everywhere: "failover ok", "NO failover", "failover running". */
const char *ready_words(const struct readiness *r);

#endif
