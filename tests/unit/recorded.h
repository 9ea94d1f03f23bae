/* For tests of recordings: a run that is recorded, of a master with a replica and their Sentinel, and
 * what a replay of it gives. */
#ifndef TESTS_RECORDED_H
#define TESTS_RECORDED_H

#include "captured.h"
#include "net/credentials.h"
#include "net/player.h"
#include "net/recorder.h"

#define T0     5000000LL
#define WALL   1795170667120LL
#define SECRET "hunter2-and-more"

/* --- files: in a folder that the group's set-up makes and its tear-down removes ----------------- */

int recorded_make_folder(void **state);
int recorded_remove_folder(void **state);
const char *recorded_folder(void);
const char *path_of(const char *name); /* one of four buffers in turn */
struct buf file_bytes(const char *path);
void put_file(const char *path, const char *data, size_t len);

/* --- a run that is recorded ---------------------------------------------------------------------- */

struct run {
	struct model *m;
	struct recorder *r;
	struct parser *parser;
	struct reply_reader *reader;
	struct credentials *credentials;
	const struct credentials *secrets[1];
	int64_t now, wall;
	size_t given;      /* observations and ticks */
	unsigned beat;
};

struct recorder *open_recorder(struct run *run, const char *path, int64_t max, struct buf *err);
void run_begin(struct run *run, const char *path, int64_t max);
void begin_world(struct run *run); /* both are there, with their links */
/* A second of a master with a replica, which is lost now and then, and of their Sentinel. */
void second(struct run *run);
void run_close(struct run *run);   /* the recording; the model is left for comparison */
void run_end(struct run *run);
void record_seconds(struct run *run, const char *path, unsigned seconds);

/* What happens in it by hand. */
void give(struct run *run, const struct observation *obs);
struct observation asked(const struct run *run, enum question q, uint32_t node);
void answer_line(struct run *run, enum question q, uint32_t node, const char *arg, const char *line);
void answer_text(struct run *run, enum question q, uint32_t node, const char *text);
void message(struct run *run, uint32_t node, const char *channel, const char *payload);
void link_state(struct run *run, uint32_t node, bool events, enum link_state state, const char *why);
void tick(struct run *run, int64_t forward_ms);
void info(struct run *run, uint32_t node, const char *mode, int run_id, const char *more);

/* --- a replay ------------------------------------------------------------------------------------ */

struct replay {
	struct player *p;
	struct model *m;
	int64_t interval;
	size_t given;
	uint64_t sum;      /* of all that was given, in order */
	uint64_t *sums;    /* after each entry, for comparison; or NULL */
	size_t sum_cap;
};

struct replay replay_open(const char *path);
void replay_seek(struct replay *r, int64_t at_ms);
bool advance(struct replay *r, int64_t at_ms, int64_t budget_us);
void replay_close(struct replay *r);
void assert_same_model(const struct model *a, const struct model *b);

#endif
