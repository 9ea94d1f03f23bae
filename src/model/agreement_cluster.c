#include "model/agreement_cluster.h"

#include <stdio.h>
#include <string.h>

#include "model/model_private.h"

_Static_assert(CLUSTER_AGREE_COUNT <= CLUSTER_DISSENT_MAX, "room in struct node");

static const struct {
	const char *title, *help;
	bool compared;
} fields[] = {
#define X(id, title_, compared_, member_, help_)                                                   \
	[id] = { .title = title_, .compared = compared_, .help = help_ },
	CLUSTER_AGREEMENT_FIELDS(X)
#undef X
};

const char *agreement_cluster_title(enum cluster_agreement_field f)
{
	return fields[f].title;
}

const char *agreement_cluster_help(enum cluster_agreement_field f)
{
	return fields[f].help;
}

static bool is_heard(const struct node *n)
{
	return n->link.state == LINK_UP && n->cluster_info_at_ms != 0;
}

/* FACT_UNKNOWN: it has not said. */
static int64_t value_of(const struct node *n, enum cluster_agreement_field f)
{
	if (n->cluster_info_at_ms == 0)
		return FACT_UNKNOWN;
	switch (f) {
#define X(id, title, compared, member, help)                                                       \
	case id:                                                                                   \
		return n->cluster_info.member;
		CLUSTER_AGREEMENT_FIELDS(X)
#undef X
	case CLUSTER_AGREE_COUNT:
		break;
	}
	return FACT_UNKNOWN;
}

static void value_text(enum cluster_agreement_field f, int64_t value, char *out, size_t size)
{
	if (value == FACT_UNKNOWN)
		out[0] = '\0';
	else if (f == CLUSTER_AGREE_STATE)
		snprintf(out, size, "%s", value ? "ok" : "fail");
	else
		snprintf(out, size, "%lld", (long long)value);
}

void agreement_cluster_cell(const struct node *n, enum cluster_agreement_field f,
			    struct agreement_cell *out)
{
	int64_t value = value_of(n, f);
	out->known = value != FACT_UNKNOWN;
	value_text(f, value, out->text, sizeof(out->text));
	out->since_ms = is_heard(n) ? n->cluster_dissent_ms[f] : 0;
	out->dissents = out->since_ms != 0;
	out->passing = false;
}

/* --- what most of them say ------------------------------------------------------------------------ */

struct vote { int64_t value, epoch; size_t count; };

static size_t count_of(const struct model *m, const struct deployment *d,
		       enum cluster_agreement_field f, int64_t value)
{
	const struct node *n;
	size_t cursor = 0, count = 0;
	while ((n = model_next_member(m, d->id, &cursor)) != NULL)
		count += is_heard(n) && value_of(n, f) == value;
	return count;
}

/* A majority is found in one pass (each other value cancels one vote); without one, whoever has heard
 * of the highest epoch is ahead of the rest. */
static int64_t norm_of(const struct model *m, const struct deployment *d,
		       enum cluster_agreement_field f)
{
	struct vote leader = { FACT_UNKNOWN, 0, 0 }, newest = { FACT_UNKNOWN, INT64_MIN, 0 };
	const struct node *n;
	size_t cursor = 0, heard = 0;
	while ((n = model_next_member(m, d->id, &cursor)) != NULL) {
		int64_t value = value_of(n, f), epoch = n->cluster_info.current_epoch;
		if (!is_heard(n) || value == FACT_UNKNOWN)
			continue;
		heard++;
		if (newest.value == FACT_UNKNOWN || epoch > newest.epoch)
			newest = (struct vote){ value, epoch, 0 };
		if (leader.count == 0)
			leader.value = value;
		leader.count += leader.value == value ? 1 : (size_t)-1;
	}
	if (leader.count > 0 && count_of(m, d, f, leader.value) * 2 > heard)
		return leader.value;
	return newest.value;
}

void cluster_judge_agreement(struct model *m, struct deployment *d)
{
	int64_t norms[CLUSTER_AGREE_COUNT];
	size_t cursor = 0;
	const struct node *next;
	for (enum cluster_agreement_field f = 0; f < CLUSTER_AGREE_COUNT; f++)
		norms[f] = fields[f].compared ? norm_of(m, d, f) : FACT_UNKNOWN;
	while ((next = model_next_member(m, d->id, &cursor)) != NULL) {
		struct node *n = node_get(m, next->id);
		for (enum cluster_agreement_field f = 0; f < CLUSTER_AGREE_COUNT; f++) {
			int64_t value = value_of(n, f);
			bool dissents = fields[f].compared && is_heard(n) && value != FACT_UNKNOWN &&
					value != norms[f];
			if (dissents == (n->cluster_dissent_ms[f] != 0))
				continue;
			n->cluster_dissent_ms[f] = dissents ? m->now_ms : 0;
			m->changed |= TOPIC_VALUES;
		}
	}
}

void agreement_cluster_of(const struct model *m, const struct deployment *d,
			  struct agreement_cluster *out)
{
	const struct node *n;
	size_t cursor = 0;
	*out = (struct agreement_cluster){ .agree = true };
	for (enum cluster_agreement_field f = 0; f < CLUSTER_AGREE_COUNT; f++)
		if (fields[f].compared)
			value_text(f, norm_of(m, d, f), out->most[f], sizeof(out->most[f]));
	while ((n = model_next_member(m, d->id, &cursor)) != NULL) {
		bool dissents = false;
		if (!is_heard(n))
			continue;
		out->known = true;
		out->answering++;
		for (enum cluster_agreement_field f = 0; f < CLUSTER_AGREE_COUNT; f++)
			dissents |= n->cluster_dissent_ms[f] != 0;
		out->dissenting += dissents;
	}
	out->agree = out->dissenting == 0;
}
