/* The incident report: what is on screen, as Markdown, for the post-mortem. From live and replay. */
#ifndef APP_REPORT_H
#define APP_REPORT_H

#include "base/buf.h"
#include "model/model.h"

struct report_options {
	uint32_t deployment_id;
	int64_t from_ms, now_ms;   /* monotonic: the span told; from 0: what the log holds */
	int64_t wall_ms;           /* of now_ms */
	const char *operator_name, *version;
	const char *recording;     /* NULL: live */
};
/* Appends the report. Every word of a server's or an operator's is escaped: none is markup. */
void report_write(const struct model *m, const struct report_options *o, struct buf *out);
/* One failover alone, by its record's id: whose it was, its steps as a table and as bars, Sentinels,
 * replicas, and what the log says of its time. Of the options, deployment_id and from_ms are its own.
 * False when it is not known any more. */
bool report_write_failover(const struct model *m, const struct report_options *o, uint32_t failover_id,
			   struct buf *out);

#endif
