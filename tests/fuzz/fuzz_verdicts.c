/* What must hold for the verdicts on one group, whatever the model came to. */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "fuzz_facts.h"
#include "model/agreement.h"
#include "model/forecast.h"
#include "model/readiness.h"

#define GHOSTS_MAX 5

static void check_cells(const struct model *m, const struct group *g, int64_t now_ms)
{
	for (size_t i = 0; i < g->view_count; i++) {
		for (enum agreement_field f = 0; f < AGREE_COUNT; f++) {
			struct agreement_cell cell;

			agreement_cell(m, g, &g->views[i], f, &cell);
			FUZZ_CLEAN(cell.text);
			FUZZ_ASSERT(cell.dissents == (cell.since_ms != 0));
			FUZZ_ASSERT(cell.since_ms <= now_ms);
			FUZZ_ASSERT(cell.known || cell.text[0] == '\0');
		}
	}
}

static void check_agreement(const struct model *m, const struct group *g, int64_t now_ms)
{
	struct agreement a;

	agreement_of(m, g, now_ms, &a);
	FUZZ_CLEAN(a.text);
	FUZZ_ASSERT(a.known == (a.answering > 0));
	FUZZ_ASSERT(a.answering <= g->view_count && a.dissenting <= a.answering);
	FUZZ_ASSERT(a.agree == (a.dissenting == 0 && !a.split_brain));
	FUZZ_ASSERT(a.agree == (a.text[0] == '\0'));
	FUZZ_ASSERT(!a.passing || (!a.agree && !a.split_brain));
	FUZZ_ASSERT(!a.two_named || a.split_brain);
	FUZZ_ASSERT(!a.split_brain || (a.split_since_ms > 0 && a.split_since_ms <= now_ms));
	check_cells(m, g, now_ms);
}

static void check_ghosts(const struct model *m, const struct group *g, int64_t now_ms)
{
	struct ghost ghosts[GHOSTS_MAX];
	size_t count = agreement_ghosts(m, g, now_ms, ghosts, GHOSTS_MAX);

	FUZZ_ASSERT(count <= GHOSTS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct ghost *ghost = &ghosts[i];

		FUZZ_ASSERT(model_node(m, ghost->node_id) != NULL);
		FUZZ_ASSERT(model_node(m, ghost->node_id)->link.state != LINK_UP);
		FUZZ_ASSERT(now_ms - ghost->since_ms >= GHOST_AFTER_MS);
		FUZZ_ASSERT(ghost->listed_count > 0);
		for (size_t k = 0; k < i; k++)
			FUZZ_ASSERT(ghosts[k].node_id != ghost->node_id);
	}
}

static void check_replica(const struct model *m, const struct forecast_replica *r)
{
	char words[FORECAST_REASONS_BYTES];

	FUZZ_ASSERT(r->node_id != 0);
	FUZZ_ASSERT(r->passed_over < 1u << PASS_REASON_COUNT);
	FUZZ_ASSERT(forecast_reasons(r, words) == words);
	FUZZ_CLEAN(words);
	FUZZ_ASSERT((r->passed_over == 0) == (words[0] == '\0'));
	FUZZ_CLEAN(r->run_id);
	FUZZ_ASSERT(r->loss_bytes >= 0 || r->loss_bytes == FACT_UNKNOWN);
	(void)m;
}

static void check_forecast(const struct model *m, const struct forecast *f)
{
	size_t eligible = 0;
	bool listed = f->candidate_id == 0;

	FUZZ_CLEAN(f->text);
	FUZZ_ASSERT(f->text[0] != '\0');
	FUZZ_ASSERT(f->count <= FORECAST_REPLICAS_MAX);
	FUZZ_ASSERT(f->known || (f->count == 0 && f->candidate_id == 0));
	FUZZ_ASSERT(!f->tie || (f->candidate_id == 0 && f->eligible > 1));
	FUZZ_ASSERT(f->loss_bytes >= 0 || f->loss_bytes == FACT_UNKNOWN);
	FUZZ_ASSERT(f->loss_ms >= 0 || f->loss_ms == FACT_UNKNOWN);
	for (size_t i = 0; i < f->count; i++) {
		const struct forecast_replica *r = &f->replicas[i];

		check_replica(m, r);
		eligible += r->passed_over == 0;
		/* Those that are passed over come last. */
		FUZZ_ASSERT(r->passed_over != 0 || eligible == i + 1);
		if (r->node_id == f->candidate_id && r->passed_over == 0)
			listed = true;
		if (i > 0 && i < f->eligible)
			FUZZ_ASSERT(f->replicas[i - 1].priority <= r->priority);
	}
	FUZZ_ASSERT(listed && eligible == f->eligible);
}

static void check_forecasts(const struct model *m, const struct group *g, enum forecast_case which,
			    int64_t now_ms)
{
	static struct forecast f;
	bool differ = true;

	forecast_group(m, g, which, now_ms, &f, &differ);
	check_forecast(m, &f);
	FUZZ_ASSERT(!differ || (f.candidate_id == 0 && f.known && !f.tie));
	FUZZ_ASSERT(!f.known || f.by == 0 || g->view_count > 0);
	for (size_t i = 0; i < g->view_count; i++) {
		forecast_by_sentinel(m, g, &g->views[i], which, now_ms, &f);
		check_forecast(m, &f);
		FUZZ_ASSERT(f.by == g->views[i].sentinel_id && f.at_ms <= now_ms);
	}
}

static void check_readiness(const struct model *m, const struct group *g, int64_t now_ms)
{
	static struct readiness r;
	enum ready worst = READY_YES;

	readiness_of(m, g, now_ms, &r);
	FUZZ_CLEAN(r.text);
	FUZZ_ASSERT(r.text[0] != '\0');
	FUZZ_ASSERT(r.reason_count <= READINESS_REASONS_MAX);
	for (size_t i = 0; i < r.reason_count; i++) {
		FUZZ_CLEAN(r.reasons[i].text);
		FUZZ_ASSERT(r.reasons[i].text[0] != '\0');
		if (r.reasons[i].verdict > worst)
			worst = r.reasons[i].verdict;
	}
	FUZZ_ASSERT(r.verdict == worst || (r.reason_count == READINESS_REASONS_MAX && r.verdict > worst));
	FUZZ_ASSERT(strlen(ready_name(r.verdict)) > 0);
	FUZZ_ASSERT(r.possible_in_ms > 0 || r.possible_in_ms == FACT_UNKNOWN);
}

void fuzz_check_verdicts(const struct model *m, const struct group *g, int64_t now_ms)
{
	check_agreement(m, g, now_ms);
	check_ghosts(m, g, now_ms);
	check_forecasts(m, g, FORECAST_MANUAL, now_ms);
	check_forecasts(m, g, FORECAST_CRASH, now_ms);
	check_readiness(m, g, now_ms);
}
