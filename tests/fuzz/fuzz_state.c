/* Key frames from hostile bytes: refused with a reason, or a model that works. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "model/state.h"
#include "model/state_private.h"

#define BASE_MS   1000000
#define STEPS_MAX 64 /* bytes */

enum { OWN_HEAD = 1, EVENTS = 2 };

static void check_events(const char *data, size_t len)
{
	struct event_log *log = event_log_new(16);
	struct buf bytes = BUF_INIT;

	if (event_log_restore(log, data, len)) {
		event_log_save(log, 0, &bytes);
		FUZZ_ASSERT(event_log_restore(log, bytes.data, bytes.len));
	} else {
		FUZZ_ASSERT(event_log_last_seq(log) == 0 && event_log_generation(log) == 0);
	}
	for (size_t i = 0; i < event_log_count(log); i++) {
		const struct event *e = event_log_at(log, i);

		FUZZ_ASSERT(event_log_from(log, e->seq) == e && e->source_count > 0);
		FUZZ_CLEAN_TEXT(e->name);
		FUZZ_CLEAN_TEXT(e->detail);
	}
	event_log_free(log);
	buf_free(&bytes);
}

static void check_model(const char *data, size_t len, struct fuzz_input *steps)
{
	struct buf err = BUF_INIT, first = BUF_INIT, second = BUF_INIT;
	struct model *m = model_load(data, len, &err), *again;

	FUZZ_ASSERT((m == NULL) == (err.len > 0));
	if (m) {
		model_save(m, &first);
		again = model_load(first.data, first.len, &err);
		if (!again)
			fuzz_fail(__FILE__, __LINE__, "its own bytes are loaded", buf_str(&err));
		model_save(again, &second);
		FUZZ_ASSERT(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
		model_free(again);
		fuzz_model_go_on(m, steps->data, steps->left);
	}
	FUZZ_CLEAN_TEXT(buf_str(&err));
	model_free(m);
	buf_free(&err);
	buf_free(&first);
	buf_free(&second);
}

/* How, then bytes for what is done with the model, then the frame: with a head of its own, or one for
 * which this program's is put in front. */
void fuzz_state(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size }, steps;
	unsigned how = fuzz_byte(&in);
	struct buf bytes = BUF_INIT;
	char *exact;

	steps.data = (const uint8_t *)fuzz_bytes(&in, STEPS_MAX, &steps.left);
	if (how & OWN_HEAD)
		state_write_head(how & EVENTS ? &state_event_changes : &state_model, BASE_MS, &bytes);
	buf_add(&bytes, in.data, in.left);
	exact = fuzz_copy(buf_str(&bytes), bytes.len);
	if (how & EVENTS)
		check_events(exact, bytes.len);
	else
		check_model(exact, bytes.len, &steps);
	free(exact);
	buf_free(&bytes);
}
