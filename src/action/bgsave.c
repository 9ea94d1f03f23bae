/* bgsave: BGSAVE on a node, followed by what its INFO says until the file is there.
 *
 * OK means that the child was forked. That it is done shows in rdb_bgsave_in_progress, that it worked in
 * rdb_last_bgsave_status, that it was this save in rdb_saves or rdb_last_save_time. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "action/nodes.h"
#include "base/units.h"

/* Without a word of the node, and with the save neither seen running nor done. */
#define SILENCE_MS 60000

struct plan {
	int64_t saves, save_time; /* of before */
	int64_t heard_ms;         /* last INFO that was looked at */
	bool seen_running;
};

static bool applies(const struct model *m, const struct action_context *on, int64_t now_ms)
{
	const struct node *n = action_node(m, on);
	(void)now_ms;
	return n != NULL && !n->is_sentinel && node_role(m, n) != ROLE_SENTINEL;
}

static bool prepare(struct action *a, const struct model *m, int64_t now_ms)
{
	const char *const argv[] = { "BGSAVE" };
	const struct node *n = action_node_prepare(a, m);
	struct plan *plan = mem_alloc(sizeof(*plan));
	(void)now_ms;
	a->plan = plan;
	action_set_argv(a, 1, argv);
	if (n == NULL)
		return false;
	if (n->link.state != LINK_UP || n->info_at_ms == 0)
		return action_block(a, "it does not answer%s%.160s", n->link.reason[0] != '\0' ? ": " : "",
				    n->link.reason);
	plan->saves = n->info.rdb_saves;
	plan->save_time = n->info.rdb_last_save_time;
	if (n->info.loading == 1)
		return action_block(a, "it is loading its data set");
	if (n->info.rdb_bgsave_in_progress == 1)
		return action_block(a, "a save is running there already");
	if (n->info.aof_rewrite_in_progress == 1)
		return action_block(a, "its AOF is being rewritten: a save would be refused");
	return true;
}

static void brief(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct node *n = action_node(m, &a->on);
	char keys[UNITS_BYTES], used[UNITS_BYTES], max[UNITS_BYTES], changes[UNITS_BYTES];
	(void)now_ms;
	if (n == NULL || n->deployment_id != a->on.deployment_id || n->info_at_ms == 0)
		return;
	const struct info_facts *f = &n->info;
	sheet_line_add(&a->sheet, HEALTH_OK, "to be saved", "%s keys, %s in memory, %s changes since the last save",
		       units_count(f->keys, keys), units_bytes(f->used_memory_bytes, used),
		       units_count(f->rdb_changes_since_last_save, changes));
	bool failed = f->rdb_last_bgsave_status[0] != '\0' && strcmp(f->rdb_last_bgsave_status, "ok") != 0;
	sheet_line_add(&a->sheet, failed ? HEALTH_CRITICAL : HEALTH_OK, "last save", "status %s%s",
		       f->rdb_last_bgsave_status[0] != '\0' ? f->rdb_last_bgsave_status : "not known",
		       failed ? ": see its log for why, often the disk is full" : "");
	if (f->maxmemory_bytes > 0 && f->used_memory_bytes > f->maxmemory_bytes / 2)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "memory",
			       "a fork: what is written while it runs is copied, on top of %s of %s", used,
			       units_bytes(f->maxmemory_bytes, max));
	if (node_role(m, n) == ROLE_MASTER)
		sheet_line_add(&a->sheet, HEALTH_WARNING, "master",
			       "forking stops it for about 10 ms a GB, and the disk is busy: a replica has the same "
			       "data");
}

static void tell_progress(struct action *a, const struct info_facts *f, int64_t now_ms)
{
	char done[UNITS_BYTES], all[UNITS_BYTES], age[UNITS_BYTES];
	units_age(now_ms - a->sent_ms, age);
	if (f->save_keys_total != FACT_UNKNOWN && f->save_keys_total > 0)
		snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "saving for %s: %s of %s keys, %d %%", age,
			 units_count(f->save_keys_processed, done), units_count(f->save_keys_total, all),
			 f->save_keys_processed > 0
				 ? (int)(100.0 * (double)f->save_keys_processed / (double)f->save_keys_total)
				 : 0);
	else
		snprintf(a->sheet.outcome, sizeof(a->sheet.outcome), "saving for %s", age);
}

/* A save of this second, or one that was too quick to be seen running, shows by its count. */
static bool was_saved(const struct plan *plan, const struct info_facts *f)
{
	if (plan->saves != FACT_UNKNOWN && f->rdb_saves != FACT_UNKNOWN && f->rdb_saves > plan->saves)
		return true;
	return plan->seen_running ||
	       (f->rdb_last_save_time != FACT_UNKNOWN && f->rdb_last_save_time != plan->save_time);
}

static void follow(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct node *n = model_node(m, a->target_ids[0]);
	struct plan *plan = a->plan;
	char took[UNITS_BYTES];
	int64_t since = a->replied_ms != 0 ? a->replied_ms : a->sent_ms;
	units_duration(now_ms - a->sent_ms, took);
	if (!action_bound_is(&a->targets[0], n) ||
	    (a->targets[0].run_id[0] != '\0' && strcmp(a->targets[0].run_id, n->run_id) != 0)) {
		action_end(a, ACTION_FAILED, "the server was started anew after %s: the save went with it", took);
		return;
	}
	bool up = n->link.state == LINK_UP && n->info_at_ms > since;
	if (up && n->info_at_ms > plan->heard_ms)
		plan->heard_ms = n->info_at_ms;
	if (up && n->info.rdb_bgsave_in_progress == 1) {
		plan->seen_running = true;
		tell_progress(a, &n->info, now_ms);
		return;
	}
	bool good = strcmp(n->info.rdb_last_bgsave_status, "ok") == 0;
	if (up && n->info.rdb_bgsave_in_progress == 0 && was_saved(plan, &n->info) && good)
		action_end(a, ACTION_VERIFIED, "saved after %s: it says that the last save is ok, %lld changes since",
			   took, (long long)(n->info.rdb_changes_since_last_save != FACT_UNKNOWN
						     ? n->info.rdb_changes_since_last_save : 0));
	else if (up && n->info.rdb_bgsave_in_progress == 0 && !good)
		action_end(a, ACTION_FAILED, "the save failed after %s: it says status %s; its log has the reason",
			   took, n->info.rdb_last_bgsave_status);
	else if (now_ms - (plan->heard_ms > since ? plan->heard_ms : since) > SILENCE_MS ||
		 (up && now_ms - since > SILENCE_MS && !plan->seen_running))
		action_end(a, ACTION_UNKNOWN, "not known after %s: the save was not seen to end", took);
}

const struct action_kind action_bgsave = {
	.name = "bgsave",
	.label = "Save to disk",
	.help = "the node writes its data set to its RDB file in the background",
	.needs_confirm = true,
	.changes = true,
	.applies = applies,
	.prepare = prepare,
	.brief = brief,
	.follow = follow,
};
