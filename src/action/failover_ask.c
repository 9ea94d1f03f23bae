/* May this user do it? There is no question for that which every user may ask (ACL DRYRUN takes +acl), so
 * the command itself is sent in a form that no server carries out. The ACL is judged before a command looks
 * at its arguments (server.c:processCommand), and by the subcommand at most:
 *
 *   SENTINEL FAILOVER NAME   of a master that no Sentinel has: "No such master with that name"
 *                            (sentinel.c:sentinelCommand looks the name up first)
 *   CLUSTER FAILOVER WORD    "syntax error", before the role is looked at (cluster.c:clusterCommand)
 *   FAILOVER WORD            likewise (replication.c:failoverCommand; one word that counts: ABORT)
 *
 * So in Redis 5.0 to 7.2 and Valkey 8.0. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "action/failover_private.h"
#include "base/units.h"

#define ASK_NAME "redoubt-asks-permission"

/* A Sentinel that has such a master by chance would fail it over. */
static bool unheard_of_name(char out[NAME_BYTES])
{
	uint64_t n[2];
	if (getrandom(n, sizeof(n), GRND_NONBLOCK) != (ssize_t)sizeof(n))
		return false;
	snprintf(out, NAME_BYTES, ASK_NAME "-%016" PRIx64 "%016" PRIx64, n[0], n[1]);
	return true;
}

/* ACLs came with Redis 6.0, to Sentinels with 6.2: before that everybody may do everything. */
static bool has_acl(const struct node *n, enum deployment_kind kind)
{
	return n != NULL && n->info_at_ms != 0 && node_version_from(n, 6, kind == KIND_SENTINEL ? 2 : 0);
}

int failover_ask(const struct action *a, const struct model *m, char argv[ACTION_ASK_ARGV][NAME_BYTES])
{
	const struct deployment *d = model_deployment(m, a->on.deployment_id);
	const struct node *n = a->target_count > 0 ? model_node(m, a->target_ids[0]) : NULL;
	int argc = 0;
	if (d == NULL || !has_acl(n, d->kind))
		return 0;
	if (d->kind != KIND_REPLICATION)
		snprintf(argv[argc++], NAME_BYTES, "%s", d->kind == KIND_SENTINEL ? "SENTINEL" : "CLUSTER");
	snprintf(argv[argc++], NAME_BYTES, "FAILOVER");
	if (d->kind != KIND_SENTINEL)
		snprintf(argv[argc++], NAME_BYTES, ASK_NAME);
	else if (!unheard_of_name(argv[argc++]))
		return 0;
	return argc;
}

void failover_brief_permission(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct node *n = model_node(m, a->may.node_id);
	char addr[ENDPOINT_TEXT_BYTES] = "?", age[UNITS_BYTES];
	if (n != NULL)
		endpoint_format(&n->addr, addr);
	switch (a->may.state) {
	case MAY_UNASKED:
		break;
	case MAY_ASKED:
		sheet_line_add(&a->sheet, HEALTH_UNKNOWN, "permission", "asking %.60s", addr);
		break;
	case MAY_YES:
		if (now_ms - a->may.at_ms < 2000)
			sheet_line_add(&a->sheet, HEALTH_OK, "permission", "allowed, asked just now");
		else
			sheet_line_add(&a->sheet, HEALTH_OK, "permission", "allowed, asked %s ago",
				       units_age(now_ms - a->may.at_ms, age));
		break;
	case MAY_NO:
		sheet_line_add(&a->sheet, HEALTH_CRITICAL, "permission", "lacks %s at %.60s: %.140s",
			       a->may.lacks, addr, a->may.words);
		break;
	case MAY_UNKNOWN:
		sheet_line_add(&a->sheet, HEALTH_UNKNOWN, "permission", "not known: %.160s", a->may.words);
		break;
	}
}
