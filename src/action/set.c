/* set-quorum, set-down-after, set-failover-timeout, set-parallel-syncs: SENTINEL SET on all Sentinels
 * that answer, and read back from what each of them says of the master then.
 *
 * Each Sentinel has these for itself: nothing carries them from one to the other. */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "action/sentinels.h"
#include "base/units.h"

#define READ_BACK_MS 15000
/* sentinel.c:sentinelSetCommand takes any number above 0; the times are multiplied by up to ten
 * afterwards (sentinelSelectSlave), quorum and parallel-syncs are ints. */
#define TIME_MAX_MS (INT64_MAX / 10)

struct setting {
	struct action_param param;
	const char *option;    /* of SENTINEL SET */
	size_t offset;         /* of the fact, in struct sentinel_instance */
	void (*warn)(struct action *a, const struct model *m, const struct group *g);
};

static const struct setting *setting_of(const struct action *a)
{
	/* param is the first member: what a kind points to is the setting as well. */
	return (const struct setting *)(const void *)a->kind->param;
}

static int64_t fact_of(const struct setting *s, const struct sentinel_instance *f)
{
	int64_t value;
	memcpy(&value, (const char *)f + s->offset, sizeof(value));
	return value;
}

/* --- what would go wrong with it --------------------------------------------------------------- */

static void warn_quorum(struct action *a, const struct model *m, const struct group *g)
{
	int64_t known = (int64_t)group_sentinels_known(m, g);
	int64_t answer = (int64_t)group_sentinels_reachable(m, g), majority = known / 2 + 1;
	if (a->value > known)
		sheet_line_add(&a->sheet, HEALTH_CRITICAL, "quorum",
			       "more than the %lld Sentinels there are: the master would never be called down, "
			       "nothing would fail over", (long long)known);
	else if (a->value > answer)
		sheet_line_add(&a->sheet, HEALTH_CRITICAL, "quorum",
			       "more than the %lld Sentinels that answer now: no failover until others are back",
			       (long long)answer);
	else if (a->value == known && known > 1)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "quorum",
			       "all %lld Sentinels would have to agree: with one of them gone nothing fails over",
			       (long long)known);
	else if (a->value == 1)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "quorum",
			       "1: one Sentinel alone calls the master down, also when only its own network is cut");
	else if (a->value > majority)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "quorum",
			       "more than the majority of %lld: also a leader needs so many votes",
			       (long long)majority);
	if (known % 2 == 0)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "Sentinels",
			       "%lld is even: cut in halves, neither side has the majority of %lld, whatever the "
			       "quorum", (long long)known, (long long)majority);
}

static void warn_down_after(struct action *a, const struct model *m, const struct group *g)
{
	(void)m, (void)g;
	char age[UNITS_BYTES];
	if (a->value < 1000)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "down-after",
			       "below 1000 ms: a slow save, a long command or a lost packet is a failover");
	else if (a->value > 60000)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "down-after",
			       "nothing happens for %s after the master is gone", units_duration(a->value, age));
}

static void warn_failover_timeout(struct action *a, const struct model *m, const struct group *g)
{
	const struct sentinel_view *best = group_best_view(g);
	int64_t down_after_ms = best != NULL ? best->facts.down_after_ms : FACT_UNKNOWN;
	char again[UNITS_BYTES];
	(void)m;
	if (down_after_ms != FACT_UNKNOWN && a->value < down_after_ms)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "failover-timeout",
			       "shorter than down-after (%lld ms): a promotion may be given up before it is seen",
			       (long long)down_after_ms);
	else if (a->value < 10000)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "failover-timeout",
			       "below 10000 ms: roles are read every 10 s, a promotion may be given up before it "
			       "is seen");
	if (a->value > 600000)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "failover-timeout",
			       "after a failover that fails none is tried for %s",
			       units_duration(2 * a->value, again));
}

static void warn_parallel_syncs(struct action *a, const struct model *m, const struct group *g)
{
	(void)m;
	if (g->replica_count > 1 && a->value >= (int64_t)g->replica_count - 1)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "parallel-syncs",
			       "all %zu replicas that remain are turned to the new master at once: where that takes "
			       "a full sync none of them can be read meanwhile", g->replica_count - 1);
}

/* --- the action -------------------------------------------------------------------------------- */

static bool prepare(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct setting *s = setting_of(a);
	const struct group *g = sentinels_prepare(a, m);
	char value[24] = "N";
	(void)now_ms;
	if (g == NULL)
		return false;
	if (a->has_value)
		snprintf(value, sizeof(value), "%lld", (long long)a->value);
	const char *const argv[] = { "SENTINEL", "SET", g->name, s->option, value };
	action_set_argv(a, 5, argv);
	return true;
}

static void brief(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct setting *s = setting_of(a);
	const struct group *g = model_group(m, a->on.group_id);
	char missed[80];
	(void)now_ms;
	if (g == NULL || g->deployment_id != a->on.deployment_id || g->view_count == 0)
		return;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		const struct node *n = model_node(m, v->sentinel_id);
		char addr[ENDPOINT_TEXT_BYTES];
		int64_t value = fact_of(s, &v->facts);
		if (n == NULL || !group_view_answers(m, v))
			continue;
		if (value == FACT_UNKNOWN)
			sheet_line_add(&a->sheet, HEALTH_WARNING, "now", "%.60s does not say its %s",
				       endpoint_format(&n->addr, addr), s->param.name);
		else
			sheet_line_add(&a->sheet, HEALTH_OK, "now", "%.60s  %s %lld",
				       endpoint_format(&n->addr, addr), s->param.name, (long long)value);
	}
	snprintf(missed, sizeof(missed), "it keeps its own %s; set it again when it is back", s->param.name);
	sentinels_brief_missed(a, m, g, missed);
	if (a->has_value)
		s->warn(a, m, g);
	sheet_line_add(&a->sheet, HEALTH_OK, "undo", "the same with the number of before, which stands above");
}

static void replied(struct action *a, const struct model *m, size_t index, enum answer answer,
		    const char *text, int64_t now_ms)
{
	(void)now_ms;
	if (sentinels_replied(a, m, index, answer, text))
		action_go_on(a, ACTION_ACCEPTED, "%zu of %zu said OK, reading it back", a->agreed,
			     a->target_count);
}

/* By each one's own word, read after it had the command. */
static size_t count_set(const struct action *a, const struct model *m, const struct group *g, size_t *read,
			char *other, size_t size)
{
	const struct setting *s = setting_of(a);
	size_t set = 0;
	*read = 0;
	other[0] = '\0';
	for (size_t i = 0; i < a->target_count; i++) {
		for (size_t k = 0; k < g->view_count; k++) {
			const struct sentinel_view *v = &g->views[k];
			const struct node *n = model_node(m, v->sentinel_id);
			int64_t since = a->reply_ms[i] != 0 ? a->reply_ms[i] : a->sent_ms;
			char addr[ENDPOINT_TEXT_BYTES];
			if (n == NULL || n->id != model_node_resolve(m, a->target_ids[i]))
				continue;
			if (!group_view_answers(m, v) || v->at_ms <= since) {
				snprintf(other, size, "%.60s has not said it", endpoint_format(&n->addr, addr));
				continue;
			}
			(*read)++;
			if (fact_of(s, &v->facts) == a->value)
				set++;
			else
				snprintf(other, size, "%.60s says %lld", endpoint_format(&n->addr, addr),
					 (long long)fact_of(s, &v->facts));
		}
	}
	return set;
}

static void follow(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = model_group(m, a->on.group_id);
	const char *name = a->kind->param->name;
	char other[100];
	size_t read;
	if (a->answered < a->target_count)
		return;
	if (g == NULL) {
		action_end(a, ACTION_UNKNOWN, "the master is not listed any more");
		return;
	}
	size_t set = count_set(a, m, g, &read, other, sizeof(other));
	bool late = now_ms - a->sent_ms > READ_BACK_MS;
	if (set == a->target_count)
		action_end(a, ACTION_VERIFIED, "%zu of %zu Sentinels say %s %lld", set, a->target_count, name,
			   (long long)a->value);
	else if (read == a->target_count || late)
		action_end(a, read == a->target_count ? ACTION_FAILED : ACTION_UNKNOWN,
			   "%zu of %zu Sentinels say %s %lld, they differ: %s", set, a->target_count, name,
			   (long long)a->value, other);
}

#define SETTING(id, option, unit, max, member, warn_function)                                      \
	static const struct setting setting_##id = {                                               \
		{ option, unit, 1, max }, option, offsetof(struct sentinel_instance, member), warn_function \
	}
SETTING(quorum, "quorum", "Sentinels", INT32_MAX, quorum, warn_quorum);
SETTING(failover_timeout, "failover-timeout", "ms", TIME_MAX_MS, failover_timeout_ms,
	warn_failover_timeout);
SETTING(parallel_syncs, "parallel-syncs", "replicas", INT32_MAX, parallel_syncs, warn_parallel_syncs);
static const struct setting setting_down_after = { { "down-after", "ms", 1, TIME_MAX_MS },
						   "down-after-milliseconds",
						   offsetof(struct sentinel_instance, down_after_ms),
						   warn_down_after };

#define SET_KIND(id, word, words, explained)                                                       \
	const struct action_kind action_set_##id = {                                               \
		.name = "set-" word,                                                               \
		.label = "Set " words,                                                             \
		.help = explained,                                                                 \
		.needs_confirm = true,                                                             \
		.changes = true,                                                                   \
		.param = &setting_##id.param,                                                      \
		.applies = sentinels_watch,                                                        \
		.prepare = prepare,                                                                \
		.brief = brief,                                                                    \
		.replied = replied,                                                                \
		.follow = follow,                                                                  \
	}
SET_KIND(quorum, "quorum", "the quorum", "Sentinels that must call the master down before one acts");
SET_KIND(down_after, "down-after", "down-after", "silence until a Sentinel calls the master down");
SET_KIND(failover_timeout, "failover-timeout", "failover-timeout",
	 "limit of each phase of a failover, half the time between two tries");
SET_KIND(parallel_syncs, "parallel-syncs", "parallel-syncs",
	 "replicas that are turned to a new master at once");
