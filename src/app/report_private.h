/* What the files of the incident report share. */
#ifndef APP_REPORT_PRIVATE_H
#define APP_REPORT_PRIVATE_H

#include "app/report.h"
#include "model/failovers.h"

struct report {
	const struct model *m;
	const struct report_options *o;
	const struct deployment *d;
	int64_t from_ms; /* of the span, as far as the log goes back */
	struct buf *out;
};

/* A server's words as text of a paragraph or of a table's cell: nothing of it is markup. */
void report_text(struct report *r, const char *s);
/* The same within a code block. */
void report_code(struct report *r, const char *s);
/* "12:31:07.120", UTC. */
const char *report_time(int64_t wall_ms, char out[16]);
int64_t report_wall(const struct report *r, int64_t mono_ms);
bool report_tells(const struct report *r, const struct failover_record *f);
/* First and last thing that went wrong; false: nothing did. */
bool report_trouble(const struct report *r, int64_t *first_ms, int64_t *last_ms);

void report_failovers(struct report *r);       /* report_failovers.c */
void report_failover_alone(struct report *r, const struct failover_record *f);
void report_topology_before(struct report *r);
void report_topology_now(struct report *r);    /* report_state.c */
void report_replication(struct report *r);
void report_slots(struct report *r);
void report_clients(struct report *r);
void report_findings(struct report *r);

#endif
