/* What no table can say: the members of the model that are kept in another shape than an array. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/failovers.h"
#include "model/series.h"
#include "model/state_private.h"

#define EVENT_CAPACITY_MAX 100000

/* --- nodes by id ------------------------------------------------------------------------------- */

/* The highest id ever, then those that live: each as the distance from the one before. */
static bool save_node_ids(struct state_writer *w, const struct state_field *f, const void *owner)
{
	const struct model *m = owner;
	size_t before = 0;
	(void)f;
	if (m->node_count == 0)
		return false;
	state_put(w, m->node_count);
	for (size_t id = 1; id <= m->node_count; id++) {
		if (m->nodes[id - 1] == NULL)
			continue;
		state_put(w, id - before);
		before = id;
	}
	return true;
}

static bool load_node_ids(struct state_reader *r, const struct state_field *f,
			  struct state_bytes *in, void *owner)
{
	struct model *m = owner;
	uint64_t count, more;
	(void)f;
	if (!state_get(in, &count) || count == 0 || count > STATE_NODE_IDS_MAX)
		return false;
	m->nodes = mem_alloc((size_t)count * sizeof(struct node *));
	m->forwards = mem_alloc((size_t)count * sizeof(*m->forwards));
	m->node_count = m->node_cap = m->forward_cap = (size_t)count;
	for (uint64_t id = 0; !state_at_end(in);) {
		if (!state_get(in, &more) || more == 0 || more > count - id ||
		    !state_charge(r, sizeof(struct node)))
			return false;
		id += more;
		m->nodes[id - 1] = mem_alloc(sizeof(struct node));
		m->nodes[id - 1]->id = (uint32_t)id;
	}
	return true;
}

const struct state_hook state_hook_node_ids = { .save = save_node_ids, .load = load_node_ids };

static size_t count_nodes(const void *owner)
{
	const struct model *m = owner;
	size_t count = 0;
	for (size_t i = 0; i < m->node_count; i++)
		count += m->nodes[i] != NULL;
	return count;
}

static void *next_node(void *owner, size_t *cursor)
{
	const struct model *m = owner;
	while (m->nodes[*cursor] == NULL)
		(*cursor)++;
	return m->nodes[(*cursor)++];
}

static const void *item_node(const void *owner, size_t *cursor)
{
	const struct model *m = owner;
	while (m->nodes[*cursor] == NULL)
		(*cursor)++;
	return m->nodes[(*cursor)++];
}

static bool reserve_nodes(struct state_reader *r, void *owner, size_t count)
{
	return count == count_nodes(owner) ||
	       state_refuse(r, "it has another number of nodes than of their ids");
}

const struct state_hook state_hook_nodes = { .count = count_nodes, .item = item_node,
					     .reserve = reserve_nodes, .place = next_node };

/* Merged ones: whose id, and which older one it means. */
static bool save_forwards(struct state_writer *w, const struct state_field *f, const void *owner)
{
	const struct model *m = owner;
	size_t before = 0;
	(void)f;
	for (size_t id = 1; id <= m->node_count; id++) {
		if (m->forwards[id - 1] == 0)
			continue;
		state_put(w, id - before);
		state_put(w, id - m->forwards[id - 1]);
		before = id;
	}
	return before != 0;
}

/* Always to an older id: so no chain of them is a circle. */
static bool load_forwards(struct state_reader *r, const struct state_field *f,
			  struct state_bytes *in, void *owner)
{
	struct model *m = owner;
	uint64_t more, back;
	(void)r;
	(void)f;
	for (uint64_t id = 0; !state_at_end(in);) {
		if (!state_get(in, &more) || more == 0 || more > m->node_count - id)
			return false;
		id += more;
		if (!state_get(in, &back) || back == 0 || back >= id || m->nodes[id - 1] != NULL)
			return false;
		m->forwards[id - 1] = (uint32_t)(id - back);
	}
	return true;
}

const struct state_hook state_hook_forwards = { .save = save_forwards, .load = load_forwards };

/* --- a node's own ------------------------------------------------------------------------------ */

static bool save_keys(struct state_writer *w, const struct state_field *f, const void *owner)
{
	const struct node *n = owner;
	(void)f;
	for (const struct node_key *key = n->keys; key != NULL; key = key->next)
		state_put_text(w, key->text, strlen(key->text));
	return n->keys != NULL;
}

/* Into the index at once: that owns them, whatever comes of the node. */
static bool load_keys(struct state_reader *r, const struct state_field *f, struct state_bytes *in,
		      void *owner)
{
	struct model *m = state_reader_model(r);
	struct node *n = owner;
	struct node_key **end = &n->keys;
	const char *bytes;
	size_t len;
	(void)f;
	while (!state_at_end(in)) {
		char text[sizeof((*end)->text)];
		struct node_key *key = NULL;
		if (!state_get_bytes(in, &bytes, &len) || !state_charge(r, sizeof(*key)))
			return false;
		text_clean(text, sizeof(text), bytes, len);
		HASH_FIND_STR(m->keys, text, key);
		if (key != NULL)
			return state_refuse(r, "two nodes are found by %s", text);
		key = mem_alloc(sizeof(*key));
		memcpy(key->text, text, sizeof(text));
		key->node_id = n->id;
		HASH_ADD_STR(m->keys, text, key);
		*end = key;
		end = &key->next;
	}
	return true;
}

const struct state_hook state_hook_keys = { .save = save_keys, .load = load_keys };

/* The next place, then each sample from the oldest on: how much later, and 0 for a gap or else how
 * much more. */
static bool save_history(struct state_writer *w, const struct state_field *f, const void *owner)
{
	const struct history *h = (const void *)((const char *)owner + f->offset);
	int64_t at_ms = 0, value = 0;
	if (h->count == 0 && h->next == 0)
		return false;
	state_put(w, h->next);
	for (size_t k = 0; k < h->count; k++) {
		size_t i = (h->next + HISTORY_SAMPLES - h->count + k) % HISTORY_SAMPLES;
		if (k == 0)
			state_put_time(w, h->at_ms[i]);
		else
			state_put_signed(w, h->at_ms[i] - at_ms);
		at_ms = h->at_ms[i];
		if (h->value[i] == FACT_UNKNOWN) {
			state_put(w, 0);
			continue;
		}
		int64_t more = h->value[i] - value;
		state_put(w, (more < 0 ? (uint64_t)-(more + 1) * 2 + 1 : (uint64_t)more * 2) + 1);
		value = h->value[i];
	}
	return true;
}

static bool in_bounds(int64_t value)
{
	return value >= -STATE_LIMIT && value <= STATE_LIMIT;
}

static bool load_sample(struct state_bytes *in, int64_t *value, int64_t *out)
{
	uint64_t coded;
	if (!state_get(in, &coded))
		return false;
	*out = FACT_UNKNOWN;
	if (coded == 0)
		return true;
	coded--;
	int64_t more = (int64_t)(coded / 2);
	*value = (int64_t)((uint64_t)*value + (uint64_t)(coded % 2 ? -more - 1 : more));
	*out = *value;
	return in_bounds(*value);
}

static bool load_history(struct state_reader *r, const struct state_field *f, struct state_bytes *in,
			 void *owner)
{
	struct history *h = (void *)((char *)owner + f->offset);
	int64_t at_ms[HISTORY_SAMPLES], value[HISTORY_SAMPLES], at = 0, before = 0, more;
	uint64_t next;
	size_t count = 0;
	if (!state_get(in, &next) || next >= HISTORY_SAMPLES)
		return false;
	for (; !state_at_end(in); count++) {
		if (count == HISTORY_SAMPLES ||
		    !(count == 0 ? state_get_time(r, in, &at) : state_get_signed(in, &more)))
			return false;
		if (count > 0)
			at = (int64_t)((uint64_t)at + (uint64_t)more);
		if (!in_bounds(at) || !load_sample(in, &before, &value[count]))
			return false;
		at_ms[count] = at;
	}
	for (size_t k = 0; k < count; k++) {
		size_t i = ((size_t)next + HISTORY_SAMPLES - count + k) % HISTORY_SAMPLES;
		h->at_ms[i] = at_ms[k];
		h->value[i] = value[k];
	}
	h->next = (uint16_t)next;
	h->count = (uint16_t)count;
	return true;
}

const struct state_hook state_hook_history = { .save = save_history, .load = load_history };

/* --- a node's series --------------------------------------------------------------------------- */

#define GAP 0x7fc00000u /* one NAN for all of them */

static uint32_t cell_bits(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return isnan(value) ? GAP : bits;
}

/* series.c leaves these bits of a complete cell 0. */
#define NOISE_BITS 13
#define NOISE_MASK ((1u << NOISE_BITS) - 1)

enum { SERIES_SAME, SERIES_EXACT, SERIES_STEP /* and what follows */ };

static size_t put_number(unsigned char *at, uint64_t number)
{
	size_t len = 0;
	for (; number >= 0x80; number >>= 7)
		at[len++] = (unsigned char)(number | 0x80);
	at[len++] = (unsigned char)number;
	return len;
}

static size_t put_same(unsigned char *at, size_t *same)
{
	if (*same == 0)
		return 0;
	at[0] = SERIES_SAME;
	size_t len = 1 + put_number(at + 1, *same);
	*same = 0;
	return len;
}

/* By place, each cell as what it is more than the one before. As integers, floats of one sign are in
 * the order of their values, so a small change is a small number. */
static bool save_series_line(struct state_writer *w, const struct state_field *f, const void *owner)
{
	const float *cells = ((const struct series *)owner)->cells[f->index];
	unsigned char out[SERIES_CELLS * 12], *at = out;
	uint32_t before = GAP;
	size_t same = 0;
	for (size_t i = 0; i < SERIES_CELLS; i++) {
		uint32_t bits = cell_bits(cells[i]);
		if (bits == before) {
			same++;
			continue;
		}
		at += put_same(at, &same);
		int64_t step = (int64_t)(bits >> NOISE_BITS) - (int64_t)(before >> NOISE_BITS);
		if ((bits | before) & NOISE_MASK) {
			*at++ = SERIES_EXACT;
			at += put_number(at, bits);
		} else {
			at += put_number(at, (uint64_t)(step < 0 ? -2 * step - 1 : 2 * step) +
						 SERIES_STEP);
		}
		before = bits;
	}
	state_put_raw(w, out, (size_t)(at - out));
	return at > out || same < SERIES_CELLS; /* a tail is as the last one said */
}

static bool load_cell(struct state_bytes *in, uint32_t *bits, size_t *same)
{
	uint64_t token, more;
	*same = 1;
	if (!state_get(in, &token))
		return false;
	if (token == SERIES_SAME) {
		if (!state_get(in, &more) || more > SERIES_CELLS)
			return false;
		*same = (size_t)more;
	} else if (token == SERIES_EXACT) {
		if (!state_get(in, &more) || more > UINT32_MAX)
			return false;
		*bits = (uint32_t)more;
	} else {
		token -= SERIES_STEP;
		uint32_t step = (uint32_t)((token + 1) / 2) << NOISE_BITS;
		*bits = token % 2 ? *bits - step : *bits + step;
	}
	return true;
}

static bool load_series_line(struct state_reader *r, const struct state_field *f,
			     struct state_bytes *in, void *owner)
{
	float *cells = ((struct series *)owner)->cells[f->index], value = NAN;
	uint32_t bits = GAP;
	size_t i = 0, same;
	(void)r;
	while (!state_at_end(in)) {
		if (!load_cell(in, &bits, &same) || same > SERIES_CELLS - i)
			return false;
		memcpy(&value, &bits, sizeof(bits));
		if (bits != GAP && !isfinite(value))
			return false;
		for (; same > 0; same--)
			cells[i++] = value;
	}
	while (i < SERIES_CELLS)
		cells[i++] = value;
	return true;
}

static void clear_series_line(const struct state_field *f, void *owner)
{
	float *cells = ((struct series *)owner)->cells[f->index];
	for (size_t i = 0; i < SERIES_CELLS; i++)
		cells[i] = NAN;
}

const struct state_hook state_hook_series_line = { .save = save_series_line,
						   .load = load_series_line,
						   .clear = clear_series_line };

/* --- the map of slots -------------------------------------------------------------------------- */

/* Runs: how many slots, and whose: the place among the owners plus 1, or 0. */
static bool save_slot_owners(struct state_writer *w, const struct state_field *f, const void *owner)
{
	const struct cluster *c = owner;
	(void)f;
	for (size_t slot = 0, run; slot < SLOT_COUNT; slot += run) {
		for (run = 1; slot + run < SLOT_COUNT && c->owner[slot + run] == c->owner[slot];)
			run++;
		state_put(w, run);
		state_put(w, (uint16_t)(c->owner[slot] + 1u));
	}
	return true;
}

static bool load_slot_owners(struct state_reader *r, const struct state_field *f,
			     struct state_bytes *in, void *owner)
{
	struct cluster *c = owner;
	uint64_t run, who;
	(void)r;
	(void)f;
	for (size_t slot = 0; !state_at_end(in);) {
		if (!state_get(in, &run) || run > SLOT_COUNT - slot || !state_get(in, &who) ||
		    who > UINT16_MAX)
			return false;
		for (; run > 0; run--)
			c->owner[slot++] = (uint16_t)(who - 1);
	}
	return true;
}

static void clear_slot_owners(const struct state_field *f, void *owner)
{
	struct cluster *c = owner;
	(void)f;
	memset(c->owner, 0xff, sizeof(c->owner));
}

const struct state_hook state_hook_slot_owners = { .save = save_slot_owners,
						   .load = load_slot_owners,
						   .clear = clear_slot_owners };

/* --- rings ------------------------------------------------------------------------------------- */

static size_t count_failovers(const void *owner)
{
	return model_failover_count(owner);
}

static const void *item_failover(const void *owner, size_t *cursor)
{
	return model_failover_at(owner, (*cursor)++);
}

static bool reserve_failovers(struct state_reader *r, void *owner, size_t count)
{
	(void)owner;
	return count <= FAILOVERS_MAX ? state_charge(r, count * sizeof(struct failover_record)) :
					state_refuse(r, "it has too many failovers");
}

static void *place_failover(void *owner, size_t *cursor)
{
	(void)cursor;
	return failover_add(owner);
}

const struct state_hook state_hook_failovers = { .count = count_failovers, .item = item_failover,
						 .reserve = reserve_failovers,
						 .place = place_failover };

/* How many events the log keeps decides which ones are still there. */
static bool save_event_capacity(struct state_writer *w, const struct state_field *f, const void *owner)
{
	(void)f;
	state_put(w, ((const struct model *)owner)->events->capacity);
	return true;
}

static bool load_event_capacity(struct state_reader *r, const struct state_field *f,
				struct state_bytes *in, void *owner)
{
	struct model *m = owner;
	uint64_t capacity;
	(void)f;
	(void)r;
	if (!state_get(in, &capacity) || capacity == 0 || capacity > EVENT_CAPACITY_MAX)
		return false;
	event_log_free(m->events);
	m->events = event_log_new((size_t)capacity);
	return true;
}

const struct state_hook state_hook_event_capacity = { .save = save_event_capacity,
						      .load = load_event_capacity };
