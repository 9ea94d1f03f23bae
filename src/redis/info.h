/* INFO text to facts, by a table of fields. */
#ifndef REDIS_INFO_H
#define REDIS_INFO_H

#include "model/facts.h"

/* Resets out (keeping its replicas array's memory) and fills it from len bytes of INFO. Lines that
 * are not known or do not parse are passed over: the fact stays unknown. False when the text has
 * no line that is INFO at all. */
bool info_parse(struct info_facts *out, const char *text, size_t len);
/* All unknown; used for a fresh struct of zeros as well. */
void info_reset(struct info_facts *out);
/* Frees the replicas array. */
void info_done(struct info_facts *out);

#endif
