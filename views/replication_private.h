/* Inside the replication screen: its rows, what they say, and how they are drawn. */
#ifndef VIEWS_REPLICATION_PRIVATE_H
#define VIEWS_REPLICATION_PRIVATE_H

#include "base/units.h"
#include "model/lag.h"
#include "views/parts.h"

#define SILENCE_LONG_S 5 /* replicas acknowledge once a second */

struct repl_row {
	uint64_t id;
	uint32_t group_id, node_id;
	bool heading, note, filled, stale;
	enum health health;
	char name[80];
	char message[160]; /* what is the matter now; heading: its facts */
	char outlook[80];  /* what comes next */
	char trend[UNITS_BYTES];
	bool bar_means_nothing; /* link down, synchronising: words take the bar's place */
	struct lag lag;
	int64_t priority;
	double spark[HISTORY_SAMPLES];
	int spark_count;
	double spark_max;
};

struct replication {
	struct view view;
	struct repl_row *rows;
	size_t count, cap, replicas;
	int name_width;
	int64_t scale_bytes;
	bool narrow; /* messages have rows of their own */
	bool filled_all;
};

/* Column starts; width 0: not shown. */
struct repl_layout {
	int name, bar_at, bar, bytes_at, silence_at, spark_at, spark, trend_at, message_at, message,
	    offset_at, headroom_at, priority_at;
};

/* --- replication_words.c --- */
/* Once a row, when it is first drawn. */
void replication_fill_row(struct repl_row *row, const struct view_context *c);
/* Its message and its outlook in one line. Returns out. */
const char *replication_row_words(const struct repl_row *row, char *out, size_t size);

/* --- replication_draw.c --- */
/* What has room at the width. */
struct repl_layout replication_layout(const struct replication *r, int width);
bool replication_has_titles(const struct repl_layout *l);
void replication_draw_titles(const struct pane *p, const struct repl_layout *l);
void replication_draw_heading(const struct pane *p, int y, const struct repl_row *row,
			      const struct repl_layout *l);
void replication_draw_note(const struct pane *p, int y, const struct repl_row *row);
void replication_draw_replica(const struct pane *p, int y, const struct repl_row *row,
			      const struct repl_layout *l, int64_t scale);

#endif
