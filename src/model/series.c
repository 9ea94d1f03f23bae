#include "model/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/model.h"

static int64_t cell_of(int64_t now_ms)
{
	return now_ms < 0 ? 0 : now_ms / SERIES_STEP_MS + 1;
}

static size_t place_of(int64_t cell)
{
	return (size_t)(cell % SERIES_CELLS);
}

static void clear_cell(struct series *s, size_t place)
{
	for (size_t id = 0; id < SERIES_COUNT; id++)
		s->cells[id][place] = NAN;
}

static struct series *series_new(void)
{
	struct series *s = mem_alloc(sizeof(*s));
	for (size_t place = 0; place < SERIES_CELLS; place++)
		clear_cell(s, place);
	return s;
}

/* Ten bits behind the first digit are finer than any graph, and whole numbers up to 2047 stay what they
 * are: key frames of a recording hold all cells, and noise is what does not compress. */
#define NOISE_BITS 13

static float rounded(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	bits = (bits + (1u << (NOISE_BITS - 1))) & ~((1u << NOISE_BITS) - 1);
	memcpy(&value, &bits, sizeof(bits));
	return value;
}

/* What was passed over was not known. What is complete is rounded. */
static void advance(struct series *s, int64_t cell)
{
	for (size_t id = 0; id < SERIES_COUNT; id++) {
		float *at = &s->cells[id][place_of(s->newest)];
		*at = isnan(*at) ? NAN : rounded(*at);
	}
	int64_t from = cell - s->newest > SERIES_CELLS ? cell - SERIES_CELLS : s->newest;
	for (int64_t c = from + 1; c <= cell; c++)
		clear_cell(s, place_of(c));
	s->newest = cell;
	for (size_t id = 0; id < SERIES_COUNT; id++)
		s->counts[id] = 0;
}

void series_add(struct node *n, enum series_id id, double value, int64_t now_ms)
{
	int64_t cell = cell_of(now_ms);
	if (!isfinite(value) || cell == 0)
		return;
	if (n->series == NULL)
		n->series = series_new();
	struct series *s = n->series;
	if (cell < s->newest)
		return;
	if (cell > s->newest)
		advance(s, cell);
	float *at = &s->cells[id][place_of(cell)];
	double before = s->counts[id] > 0 ? (double)*at : 0;
	if (s->counts[id] < UINT16_MAX)
		s->counts[id]++;
	*at = (float)(before + (value - before) / s->counts[id]);
}

static double known(int64_t value)
{
	return value == FACT_UNKNOWN ? (double)NAN : (double)value;
}

/* INFO counts in KiB. */
static double bytes_of(double kbps)
{
	return kbps < 0 ? (double)NAN : kbps * 1024;
}

void series_note(struct node *n, int64_t now_ms)
{
	const struct info_facts *f = &n->info;
	series_add(n, SERIES_OPS, known(f->ops_per_sec), now_ms);
	series_add(n, SERIES_CLIENTS, known(f->connected_clients), now_ms);
	series_add(n, SERIES_MEMORY, known(f->used_memory_bytes), now_ms);
	series_add(n, SERIES_INPUT, bytes_of(f->input_kbps), now_ms);
	series_add(n, SERIES_OUTPUT, bytes_of(f->output_kbps), now_ms);
	series_add(n, SERIES_LATENCY, n->link.rtt_us < 0 ? (double)NAN : n->link.rtt_us / 1000.0,
		   now_ms);
}

static float cell_value(const struct series *s, enum series_id id, int64_t cell)
{
	if (s == NULL || cell < 1 || cell > s->newest || cell <= s->newest - SERIES_CELLS)
		return NAN;
	return s->cells[id][place_of(cell)];
}

void series_merge(struct series **keep, struct series **drop)
{
	if (*drop == NULL)
		return;
	if (*keep == NULL || (*drop)->newest > (*keep)->newest) {
		struct series *swap = *keep;
		*keep = *drop;
		*drop = swap;
	}
	struct series *to = *keep;
	for (int64_t cell = to->newest - SERIES_CELLS + 1; cell <= to->newest; cell++) {
		for (size_t id = 0; cell > 0 && id < SERIES_COUNT; id++) {
			float *at = &to->cells[id][place_of(cell)];
			if (!isnan(*at))
				continue;
			*at = cell_value(*drop, (enum series_id)id, cell);
			if (cell == to->newest && !isnan(*at))
				to->counts[id] = 1;
		}
	}
}

struct held {
	float value; /* NAN: none yet */
	int64_t cell;
};

/* The cell's own value, or the last one while it holds. */
static float held_value(const struct series *s, enum series_id id, int64_t cell, int64_t hold_cells,
			struct held *held)
{
	float value = cell_value(s, id, cell);
	if (!isnan(value)) {
		*held = (struct held){ value, cell };
		return value;
	}
	return cell - held->cell <= hold_cells ? held->value : NAN;
}

void series_read(const struct series *s, enum series_id id, int64_t now_ms, int64_t hold_ms,
		 size_t step, float *out, size_t count)
{
	int64_t width = step > 0 ? (int64_t)step : 1, last = cell_of(now_ms);
	int64_t hold_cells = hold_ms > 0 ? (hold_ms + SERIES_STEP_MS - 1) / SERIES_STEP_MS : 0;
	int64_t cell = (last / width - (int64_t)count + 1) * width;
	struct held held = { NAN, 0 };
	/* What may still hold where the first value begins. */
	for (int64_t c = cell - hold_cells; hold_cells <= SERIES_CELLS && c < cell; c++)
		held_value(s, id, c, hold_cells, &held);
	for (size_t i = 0; i < count; i++) {
		double sum = 0;
		int known_cells = 0;
		for (int64_t k = 0; k < width; k++, cell++) {
			float value = cell <= last ? held_value(s, id, cell, hold_cells, &held) : NAN;
			if (isnan(value))
				continue;
			sum += (double)value;
			known_cells++;
		}
		out[i] = known_cells > 0 ? (float)(sum / known_cells) : NAN;
	}
}

const char *series_name(enum series_id id)
{
	static const char *const names[] = {
#define X(id, name, unit) name,
		SERIES(X)
#undef X
	};
	return names[id];
}

enum series_unit series_unit_of(enum series_id id)
{
	static const enum series_unit units[] = {
#define X(id, name, unit) unit,
		SERIES(X)
#undef X
	};
	return units[id];
}
