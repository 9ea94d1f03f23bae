/* What the tests of the actions share: opening and sending one, what its sheet says, and a set of three
 * Sentinels that all know each other. */
#ifndef TESTS_ACTIONS_H
#define TESTS_ACTIONS_H

#include "action/action.h"
#include "observe.h"

static inline struct action *open_on(const struct world *w, const struct action_kind *kind, int port)
{
	const struct node *n = node_at(w, port);
	uint32_t group = n->group_id != 0 ? n->group_id : only_deployment(w)->groups[0]->id;
	const struct action_context on = { n->deployment_id, group, n->id };
	return action_open(kind, &on, w->m, NULL, w->now);
}

static inline bool has_line(const struct action *a, const char *label, const char *part)
{
	for (size_t i = 0; i < a->sheet.line_count; i++)
		if (strcmp(a->sheet.lines[i].label, label) == 0 &&
		    strstr(a->sheet.lines[i].text, part) != NULL)
			return true;
	return false;
}

static inline void blocked(const struct world *w, const struct action_kind *kind, int port,
			   const char *why)
{
	struct action *a = open_on(w, kind, port);
	assert_has(a->sheet.outcome, why);
	assert_int_equal(a->sheet.state, SHEET_BLOCKED);
	action_free(a);
}

static inline void not_sent(struct action *a, const struct world *w, const char *why)
{
	assert_false(action_recheck(a, w->m, w->now));
	assert_int_equal(a->sheet.state, SHEET_BLOCKED);
	assert_has(a->sheet.outcome, "not sent: ");
	assert_has(a->sheet.outcome, why);
	action_free(a);
}

static inline void sent(struct action *a, struct world *w)
{
	if (a->sheet.state != SHEET_CONFIRM)
		fail_msg("%s", a->sheet.outcome);
	if (!action_recheck(a, w->m, w->now))
		fail_msg("%s", a->sheet.outcome);
	action_sent(a, w->now);
	a->sent = a->due;
	w->now += 5;
}

static inline struct action *failover_sent(struct world *w, int port)
{
	struct action *a = open_on(w, &action_failover, port);
	sent(a, w);
	return a;
}

/* Lists of one Sentinel, by port; 0 ends them. */
static inline void list_of(struct world *w, enum question q, int sentinel, const int *ports,
			   uint32_t flags, int down_port)
{
	struct sentinel_instance items[8];
	size_t count = 0;
	for (; ports[count] != 0; count++) {
		char name[24];
		snprintf(name, sizeof(name), "%d", ports[count]);
		items[count] = instance(name, ports[count],
					flags | (ports[count] == down_port ? SFLAG_S_DOWN : 0));
		items[count].info_refresh_ms = 1000;
		snprintf(items[count].run_id, ID_BYTES, "%040d", ports[count]);
	}
	listed(w, q, id_at(w, sentinel), "mymaster", items, count);
}

/* All that it says, read now: it knows everybody but `down`, whom it calls down (0: nobody). */
static inline void knows_all(struct world *w, int sentinel, int down)
{
	int others[4] = { 0 }, replicas[] = { 21002, 21003, 0 };
	size_t count = 0;
	for (int port = 26001; port <= 26003; port++)
		if (port != sentinel)
			others[count++] = port;
	masters(w, sentinel, 21001, 0, 0);
	list_of(w, ASK_SENTINEL_REPLICAS, sentinel, replicas, SFLAG_SLAVE, down);
	list_of(w, ASK_SENTINEL_SENTINELS, sentinel, others, SFLAG_SENTINEL, down);
}

static inline void all_know_all(struct world *w)
{
	for (int port = 26001; port <= 26003; port++)
		knows_all(w, port, 0);
}

static inline struct world known_world(void)
{
	struct world w = sentinel_world();
	all_know_all(&w);
	return w;
}

/* As after a RESET: the master alone. */
static inline void knows_nobody(struct world *w, int sentinel)
{
	const int none[] = { 0 };
	w->now++; /* who was in the list before has an older time */
	masters(w, sentinel, 21001, 0, 0);
	list_of(w, ASK_SENTINEL_REPLICAS, sentinel, none, SFLAG_SLAVE, 0);
	list_of(w, ASK_SENTINEL_SENTINELS, sentinel, none, SFLAG_SENTINEL, 0);
}

static inline int target_port(const struct world *w, const struct action *a, size_t index)
{
	return model_node(w->m, a->target_ids[index])->addr.port;
}

#endif
