/* flushconfig: SENTINEL FLUSHCONFIG, each Sentinel writes its configuration file anew.
 *
 * The reply is the proof, there is no command that reads the file back: sentinel.c answers after fsync
 * and rename, since 7.0 with an error when that failed. Older ones say OK whatever came of it. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "action/sentinels.h"

static bool prepare(struct action *a, const struct model *m, int64_t now_ms)
{
	const char *const argv[] = { "SENTINEL", "FLUSHCONFIG" };
	(void)now_ms;
	action_set_argv(a, 2, argv);
	return sentinels_prepare(a, m) != NULL;
}

static bool tells_failure(const struct node *n)
{
	return n != NULL && node_version_from(n, 7, 0);
}

static void brief(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = model_group(m, a->on.group_id);
	(void)now_ms;
	if (g == NULL || g->deployment_id != a->on.deployment_id)
		return;
	for (size_t i = 0; i < a->target_count; i++) {
		const struct node *n = model_node(m, a->target_ids[i]);
		char addr[ENDPOINT_TEXT_BYTES];
		if (n == NULL)
			continue;
		bool tells = tells_failure(n);
		sheet_line_add(&a->sheet, tells ? HEALTH_OK : HEALTH_WARNING, "Sentinel", "%.60s  %.23s%s",
			       endpoint_format(&n->addr, addr), n->info.version,
			       tells ? "" : ": says OK even when the file could not be written");
	}
	sentinels_brief_missed(a, m, g, "its file stays as it is");
	sheet_line_add(&a->sheet, HEALTH_OK, "for what",
		       "the whole state of the Sentinel, all masters, when its file was lost or changed by hand");
}

static void replied(struct action *a, const struct model *m, size_t index, enum answer answer,
		    const char *text, int64_t now_ms)
{
	size_t sure = 0;
	char words[sizeof(a->outcome)];
	(void)now_ms;
	if (!sentinels_replied(a, m, index, answer, text))
		return;
	for (size_t i = 0; i < a->target_count; i++)
		sure += a->reply_ms[i] != 0 && tells_failure(model_node(m, a->target_ids[i]));
	memcpy(words, a->outcome, sizeof(words));
	if (a->agreed < a->target_count)
		action_end(a, ACTION_FAILED, "%zu of %zu Sentinels have written it; %.160s", a->agreed,
			   a->target_count, words);
	else if (sure < a->agreed)
		action_end(a, ACTION_UNKNOWN, "OK from %zu of %zu, but %zu of them say so even when it failed: "
					      "see their logs", a->agreed, a->target_count, a->agreed - sure);
	else
		action_end(a, ACTION_VERIFIED, "%zu of %zu Sentinels say that their file is written", a->agreed,
			   a->target_count);
}

const struct action_kind action_flushconfig = {
	.name = "flushconfig",
	.label = "Write their configuration",
	.help = "every Sentinel writes its configuration file anew",
	.needs_confirm = true,
	.changes = true,
	.applies = sentinels_watch,
	.prepare = prepare,
	.brief = brief,
	.replied = replied,
};
