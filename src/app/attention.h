/* What somebody who looks elsewhere should hear of: a title that says the health, and news when
 * something becomes critical. Looks at the model and keeps what it has seen; sends nothing. */
#ifndef APP_ATTENTION_H
#define APP_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/health.h"

#define ATTENTION_BYTES 120

struct attention_subject;
struct attention {
	struct attention_subject *subjects; /* masters, shards, and deployments as a whole; owned */
	size_t count, cap, next;
	int64_t told_ms;                    /* when there was news last; 0 never */
	uint64_t round;
};

struct attention_news {
	char title[ATTENTION_BYTES]; /* "redoubt: CRITICAL mymaster objectively down" */
	char text[ATTENTION_BYTES];  /* what has become critical, or "": no news */
};

void attention_done(struct attention *a);
/* News is what became critical under our eyes: not what was so from the start, not again within a
 * minute, and one thing at a time, ten seconds apart. What has to wait for that is told later, if it
 * is still so. */
void attention_look(struct attention *a, const struct model *m, int64_t now_ms,
		    struct attention_news *out);

#endif
