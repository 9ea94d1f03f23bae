/* A recording as the source of observations: the same stream that links give, through the same
 * parsers, into the same model_apply. */
#ifndef NET_PLAYER_H
#define NET_PLAYER_H

#include "base/buf.h"
#include "model/model.h"

struct player;

/* A mark on the time line: an event of the recording. */
struct player_mark {
	int64_t at_ms;
	uint64_t seq;
	enum severity severity;
	enum event_kind kind;
	uint32_t deployment_id;
	bool promotion; /* a node says of itself that it has become master */
};

struct player_sink {
	unsigned (*observe)(const struct observation *obs, void *owner);
	void (*tick)(int64_t now_ms, int64_t wall_ms, void *owner); /* as on_tick of the recorded run */
	/* Settings of the recorded run: interval, alerts. */
	void (*interval)(int64_t interval_ms, void *owner);
	void *owner;
};

/* NULL with the reason in err: cannot be read, is no recording, is of a later format. Reads the index
 * and the events only, whatever the length. */
struct player *player_open(const char *path, struct buf *err);
void player_free(struct player *p);
/* The model is the player's to replace: player_seek makes another. Events are put into it from
 * the key frames, so that the log is whole wherever one jumps. */
/* The first and last moment, on the monotonic clock of the recorded run. */
int64_t player_begin_ms(const struct player *p);
int64_t player_end_ms(const struct player *p);
/* Wall clock of a moment, by the nearest entry. */
int64_t player_wall_ms(const struct player *p, int64_t at_ms);
/* Moment of a wall clock time within the recording, clamped. */
int64_t player_at_wall(const struct player *p, int64_t wall_ms);
const char *player_version(const struct player *p);  /* of the redoubt that recorded */
/* "" or where and why it ends early: "damaged at 12:31:07, 3.2 MB in: plays up to there". */
const char *player_damage(const struct player *p);
/* Marks in order of time; those of events that the recording's key frames and later entries hold. */
size_t player_mark_count(const struct player *p);
const struct player_mark *player_mark_at(const struct player *p, size_t index);

/* Gives everything up to at_ms (inclusive) to the sink, in order. At most budget_us of wall clock a
 * call (0: no limit), so that the screen answers; false while more is due. */
bool player_advance(struct player *p, int64_t at_ms, int64_t budget_us, const struct player_sink *sink);
int64_t player_now_ms(const struct player *p);       /* of the last entry given */
/* Goes back (or far ahead) to the last key frame at or before at_ms: returns a model of that moment,
 * owned by the caller, from which player_advance goes on. NULL: no key frame before it can be read;
 * the reason is in err. */
struct model *player_seek(struct player *p, int64_t at_ms, struct buf *err);
/* True when advancing from here to at_ms needs no key frame: it is ahead and none lies between. */
bool player_can_advance(const struct player *p, int64_t at_ms);

#endif
