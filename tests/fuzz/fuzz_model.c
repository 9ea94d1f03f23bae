/* The whole model: the input is taken for a sequence of observations, of which most look like what
 * a deployment says, with a few addresses and ids that meet again and again. */
#include "config.h"

#include <string.h>

#include "fuzz_model.h"
#include "model/state.h"

#define STEPS_MAX 400

/* --- saved and loaded -------------------------------------------------------------------------- */

static void check_twin(const struct fuzz_world *w)
{
	struct buf a = BUF_INIT, b = BUF_INIT;

	model_save(w->m, &a);
	model_save(w->twin, &b);
	FUZZ_ASSERT(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
	buf_reset(&a);
	buf_reset(&b);
	event_log_save(model_events(w->m), 0, &a);
	event_log_save(model_events(w->twin), 0, &b);
	FUZZ_ASSERT(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
	buf_free(&a);
	buf_free(&b);
}

static void renew_twin(struct fuzz_world *w)
{
	struct buf bytes = BUF_INIT, err = BUF_INIT;

	model_free(w->twin);
	model_save(w->m, &bytes);
	w->twin = model_load(bytes.data, bytes.len, &err);
	if (w->twin == NULL)
		fuzz_fail(__FILE__, __LINE__, "a saved model is loaded", buf_str(&err));
	buf_reset(&bytes);
	event_log_save(model_events(w->m), 0, &bytes);
	FUZZ_ASSERT(event_log_restore(model_events_of_load(w->twin), bytes.data, bytes.len));
	buf_free(&bytes);
	buf_free(&err);
	check_twin(w);
}

/* --- the whole --------------------------------------------------------------------------------- */

typedef void step_function(struct fuzz_world *w);

static step_function *const steps[] = {
	step_target, step_link, step_link, step_reply, step_silence, step_info, step_info, step_info,
	step_list, step_list, step_list, step_message, step_message, step_hello, step_small, step_action,
	step_cluster_nodes, step_cluster_nodes, step_cluster_info, step_tick, step_tick,
};

/* Which of them is a byte's remainder; the last sixteen values are steps of their own. */
#define SET_FROM 240
static void step(struct fuzz_world *w)
{
	unsigned which = fuzz_byte(&w->in);

	if (which == UINT8_MAX)
		step_probe(w);
	else if (which >= SET_FROM)
		step_set(w);
	else
		steps[which % (sizeof(steps) / sizeof(steps[0]))](w);
}

static struct fuzz_world world_of(struct model *m, const uint8_t *data, size_t size)
{
	struct fuzz_world w = { .m = m, .parser = parser_new(), .in = { data, size }, .now = 1000000 };

	info_reset(&w.info);
	return w;
}

static void world_end(struct fuzz_world *w)
{
	info_done(&w->info);
	cluster_scratch_done(&w->scratch);
	parser_free(w->parser);
}

void fuzz_model_go_on(struct model *m, const uint8_t *data, size_t size)
{
	struct fuzz_world w = world_of(m, data, size);

	w.foreign = true;
	while (w.in.left > 0)
		step(&w);
	fuzz_check_outputs(&w);
	world_end(&w);
}

void fuzz_model(const uint8_t *data, size_t size)
{
	struct fuzz_world w = world_of(model_new(EVENTS_MAX), data, size);

	step_target(&w);
	for (unsigned i = 0; i < STEPS_MAX && w.in.left > 0; i++) {
		step(&w);
		if (i % 4 == 0)
			fuzz_check_model(&w);
		if (i % 32 == 13)
			renew_twin(&w);
	}
	if (w.twin)
		check_twin(&w);
	fuzz_check_model(&w);
	fuzz_check_events(&w);
	fuzz_check_outputs(&w);
	world_end(&w);
	model_free(w.m);
	model_free(w.twin);
}
