/* What the sheet says before anything is sent, the most important first. */
#include <stdio.h>
#include <string.h>

#include "action/failover_private.h"
#include "base/units.h"
#include "model/readiness.h"

#define SENTINELS_LISTED 9

static enum health ready_health(enum ready r)
{
	static const enum health healths[] = { HEALTH_OK, HEALTH_UNKNOWN, HEALTH_WARNING, HEALTH_CRITICAL };
	return healths[r];
}

/* The verdict is the dashboard's: by itself, after a crash. An operator needs no votes for his. */
static void brief_ready(struct action *a, const struct model *m, const struct group *g,
			enum deployment_kind kind, int64_t now_ms)
{
	struct readiness r;
	const struct node *master = model_node(m, g->master_id);
	readiness_of(m, g, now_ms, &r);
	sheet_line_add(&a->sheet, ready_health(r.verdict), "ready", "%s", r.text);
	/* That verdict is of a crash, and here it may be one: who is green on a dead master is misread. */
	if (master != NULL && master->info_at_ms != 0 && !node_answers(master) && !r.running) {
		struct sheet_line *line = &a->sheet.lines[a->sheet.line_count - 1];
		line->health = line->health == HEALTH_OK ? HEALTH_WARNING : line->health;
		sheet_line_add(&a->sheet, HEALTH_CRITICAL, "", "%s", kind == KIND_REPLICATION ?
				       "the master does not answer" :
				       "the master does not answer: a failover may begin by itself");
	}
	for (size_t i = 0; i < r.reason_count; i++)
		if (strstr(r.text, r.reasons[i].text) == NULL)
			sheet_line_add(&a->sheet, ready_health(r.reasons[i].verdict), "", "%s",
				       r.reasons[i].text);
	if (kind == KIND_SENTINEL && r.verdict > READY_UNKNOWN && a->form == FORM_USUAL)
		sheet_line_add(&a->sheet, HEALTH_OK, "by hand",
			       "no votes are asked for: the Sentinel that is asked leads it by itself");
}

static void brief_view(struct action *a, const struct node *n, const struct sentinel_view *v)
{
	const struct sentinel_instance *f = &v->facts;
	bool down = f->flags & (SFLAG_S_DOWN | SFLAG_O_DOWN);
	char addr[ENDPOINT_TEXT_BYTES], quorum[UNITS_BYTES], known[UNITS_BYTES], replicas[UNITS_BYTES],
		epoch[UNITS_BYTES];
	sheet_line_add(&a->sheet, down ? HEALTH_WARNING : HEALTH_OK, "Sentinel",
		       "%.60s  quorum %s, knows %s Sentinels, %s replicas, epoch %s, master %s",
		       endpoint_format(&n->addr, addr), failover_exact(f->quorum, quorum),
		       failover_exact(fact_add(f->num_other_sentinels, 1), known),
		       failover_exact(f->num_slaves, replicas), failover_exact(f->config_epoch, epoch),
		       down ? "down" : "ok");
}

static void brief_views(struct action *a, const struct model *m, const struct group *g)
{
	size_t listed = 0;
	for (size_t i = 0; i < g->view_count; i++) {
		const struct sentinel_view *v = &g->views[i];
		const struct node *n = model_node(m, v->sentinel_id);
		char addr[ENDPOINT_TEXT_BYTES];
		if (n == NULL || ++listed > SENTINELS_LISTED)
			continue;
		if (n->link.state != LINK_UP) {
			sheet_line_add(&a->sheet, HEALTH_WARNING, "Sentinel", "%.60s  does not answer",
				       endpoint_format(&n->addr, addr));
			continue;
		}
		brief_view(a, n, v);
	}
	if (listed > SENTINELS_LISTED)
		sheet_line_add(&a->sheet, HEALTH_OK, "", "and %zu more Sentinels",
			       listed - SENTINELS_LISTED);
	if (g->ckquorum_at_ms != 0)
		sheet_line_add(&a->sheet, g->ckquorum.ok ? HEALTH_OK : HEALTH_WARNING, "ckquorum", "%.200s",
			       g->ckquorum.message);
}

static void brief_cluster(struct action *a, const struct model *m)
{
	const struct node *observer = model_node(m, a->candidate_id);
	int64_t size = observer != NULL ? observer->cluster_info.size : FACT_UNKNOWN;
	char masters[UNITS_BYTES], majority[UNITS_BYTES], epoch[UNITS_BYTES];
	if (observer == NULL || observer->cluster_info_at_ms == 0)
		return;
	bool ok = observer->cluster_info.state_ok;
	sheet_line_add(&a->sheet, ok ? HEALTH_OK : HEALTH_CRITICAL, "cluster",
		       "state %s, %s masters with slots vote, majority %s, epoch %s", ok ? "ok" : "fail",
		       failover_exact(size, masters),
		       failover_exact(size != FACT_UNKNOWN ? size / 2 + 1 : size, majority),
		       failover_exact(observer->cluster_info.current_epoch, epoch));
}

static void brief_master(struct action *a, const struct model *m, const struct group *g, int64_t now_ms)
{
	const struct node *master = model_node(m, g->master_id);
	struct verdict verdict;
	char addr[ENDPOINT_TEXT_BYTES], clients[UNITS_BYTES];
	if (master == NULL) {
		sheet_line_add(&a->sheet, HEALTH_CRITICAL, "master", "unknown");
		return;
	}
	health_node(m, master, now_ms, &verdict);
	sheet_line_add(&a->sheet, verdict.health, "master", "%.60s  %s%.120s, clients connected: %s",
		       endpoint_format(&master->addr, addr),
		       verdict.text[0] != '\0' ? "" : "up", verdict.text,
		       units_count(master->info_at_ms != 0 ? master->info.connected_clients : FACT_UNKNOWN,
				   clients));
}

static void brief_last(struct action *a, const struct group *g, int64_t now_ms)
{
	const struct failover *f = &g->failover;
	char text[UNITS_BYTES];
	if (f->ended_ms == 0)
		return;
	if (f->phase == PHASE_ABORTED)
		sheet_line_add(&a->sheet, HEALTH_OK, "last failover", "aborted %s ago: %s",
			       units_age(now_ms - f->ended_ms, text), failover_abort_text(f->abort_reason));
	else
		sheet_line_add(&a->sheet, HEALTH_OK, "last failover", "ended %s ago",
			       units_age(now_ms - f->ended_ms, text));
}

void failover_brief(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct group *g = model_group(m, a->on.group_id);
	const struct deployment *d = g != NULL ? model_deployment(m, g->deployment_id) : NULL;
	/* Blocked already: nothing of another deployment is said here. */
	if (d == NULL || d->id != a->on.deployment_id)
		return;
	brief_ready(a, m, g, d->kind, now_ms);
	failover_brief_permission(a, m, now_ms);
	failover_brief_whom(a, m, g, d->kind, now_ms);
	brief_master(a, m, g, now_ms);
	if (d->kind == KIND_CLUSTER)
		brief_cluster(a, m);
	if (d->kind == KIND_SENTINEL)
		brief_views(a, m, g);
	brief_last(a, g, now_ms);
}
