#include "model/state.h"

#include "model/state_private.h"

void model_save(const struct model *m, struct buf *out)
{
	state_write(&state_model, m, m->now_ms, NULL, NULL, out);
}

void model_save_edited(const struct model *m, text_edit *edit, void *owner, struct buf *out)
{
	state_write(&state_model, m, m->now_ms, edit, owner, out);
}

struct model *model_load(const char *data, size_t len, struct buf *err)
{
	struct model *m = model_new(1);
	if (state_read(&state_model, m, m, data, len, err) && state_settle(m, err))
		return m;
	model_free(m);
	return NULL;
}

struct event_log *model_events_of_load(struct model *m)
{
	return m->events;
}
