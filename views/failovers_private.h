/* What the files of the failovers screen share. */
#ifndef VIEWS_FAILOVERS_PRIVATE_H
#define VIEWS_FAILOVERS_PRIVATE_H

#include "model/failovers.h"
#include "views/parts.h"

#define FAILOVER_OUTCOME_BYTES 200
/* Words of the summary, each step, the spans, the Sentinels and the replicas with their titles. */
#define FAILOVER_LINES_MAX                                                                         \
	(8 + STEP_COUNT + 4 + 3 + 2 + FAILOVER_OBSERVERS_MAX + 2 + FAILOVER_REPLICAS_MAX + 1)
#define FAILOVER_MARKS 4

/* A failover in the list. */
struct failover_row {
	uint32_t id, deployment_id, group_id, node_id; /* node: the new master */
	bool named;                   /* by Sentinels; else `name` is the deployment's */
	bool over, aborted, unknown, doubtful; /* doubtful: over, but not as it should be */
	enum failover_cause cause;
	int64_t wall_ms, begin_ms;
	int64_t total_ms;             /* of one that is over */
	int64_t unwritable_ms;        /* FACT_UNKNOWN; 0: the old master answered all the time */
	int64_t last_step_ms;         /* of one that runs */
	const char *last_step;
	char deployment[NAME_BYTES], name[NAME_BYTES], operator_name[FAILOVER_OPERATOR_BYTES];
	char old_master[FAILOVER_ADDR_BYTES], new_master[FAILOVER_ADDR_BYTES];
	char leader[FAILOVER_ADDR_BYTES], outcome[FAILOVER_OUTCOME_BYTES];
};

enum failover_line_kind {
	LINE_TEXT,  /* label alone, over the whole width */
	LINE_SCALE, /* titles of the columns and the clock */
	LINE_BAR,   /* from .. to, dotted on to tail */
	LINE_MARKS, /* letters */
};

/* A line of the time line. Times are milliseconds since the first step; -1: none. */
struct failover_line {
	enum failover_line_kind kind;
	enum style_role style;
	char label[FAILOVER_OUTCOME_BYTES];
	int64_t at_ms, took_ms; /* numbers beside the label; -1: none */
	int64_t from_ms, to_ms, tail_ms;
	struct {
		int64_t at_ms;
		char letter;
	} marks[FAILOVER_MARKS];
	size_t mark_count;
};

struct failovers {
	struct view view;
	struct failover_row *rows;
	size_t count, cap, total;  /* total: without the filter */
	bool several;              /* deployments that are watched */
	char totals[200];
	bool full;                 /* the time line alone */
	bool moved;                /* off the first row: until then a new one is selected as it comes */
	int scroll, page;          /* of the time line, when it is alone */
	uint32_t shown_id;         /* whose time line it is; 0: none */
	struct failover_line *lines; /* FAILOVER_LINES_MAX */
	size_t line_count;
	int64_t span_ms;           /* of the clock */
};

/* The time line of a record: fills lines, line_count and span_ms (failovers_lines.c). */
void failovers_fill_lines(struct failovers *f, const struct failover_record *r,
			  const struct view_context *c);
void failovers_draw(struct view *v, const struct view_context *c, const struct pane *p,
		    bool focused);

#endif
