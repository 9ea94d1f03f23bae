/* The whole model as bytes and back, for the key frames of a recording.
 *
 * The bytes describe themselves: a key frame of another version loads as far as the names of its
 * fields are known here; what it lacks is unknown. They are foreign bytes like any others: lengths,
 * counts and ids are checked, and a damaged frame is refused, never half loaded.
 *
 * Events are not part of it, since each key frame would repeat the log: event_log_save gives what
 * changed since a generation, and the changes of all key frames up to one make its log. */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include "base/buf.h"
#include "base/text.h"
#include "model/model.h"

/* Appends the model without its events. Takes no clock: ages are kept as the times they count from. */
void model_save(const struct model *m, struct buf *out);
/* The same, with each text in it handed to edit first: names of fields are none. */
void model_save_edited(const struct model *m, text_edit *edit, void *owner, struct buf *out);
/* A model as it was, with an empty log; ids go on where they were. NULL with the reason in err. */
struct model *model_load(const char *data, size_t len, struct buf *err);

/* Appends the events that are new or changed since the log's generation `since` (0: all held). */
void event_log_save(const struct event_log *log, uint64_t since, struct buf *out);
void event_log_save_edited(const struct event_log *log, uint64_t since, text_edit *edit, void *owner,
			   struct buf *out);
/* Adds or replaces by seq what event_log_save wrote. False: damaged, nothing of it was taken. */
bool event_log_restore(struct event_log *log, const char *data, size_t len);
/* The log of a model that is being put together from key frames. */
struct event_log *model_events_of_load(struct model *m);

#endif
