/* For tests of who would be promoted: a world whose Sentinels all list two replicas that could be. */
#ifndef TESTS_CANDIDATES_H
#define TESTS_CANDIDATES_H

#include "model/forecast.h"
#include "observe.h"

/* A replica that a Sentinel would promote; its run id is its port. */
static inline struct sentinel_instance good(int port)
{
	struct sentinel_instance s = instance("replica", port, SFLAG_SLAVE);
	snprintf(s.run_id, sizeof(s.run_id), "%040d", port);
	s.last_ok_ping_reply_ms = 100;
	s.info_refresh_ms = 2000;
	s.master_link_down_time_ms = 0;
	s.s_down_time_ms = FACT_UNKNOWN;
	s.repl_offset = 4000;
	return s;
}

static inline void lists(struct world *w, int sentinel_port, struct sentinel_instance a,
			 struct sentinel_instance b)
{
	struct sentinel_instance items[2] = { a, b };
	listed(w, ASK_SENTINEL_REPLICAS, id_at(w, sentinel_port), "mymaster", items, 2);
}

/* All three Sentinels list both replicas, and both keep up. */
static inline struct world listed_world(void)
{
	struct world w = sentinel_world();
	for (int port = 26001; port <= 26003; port++)
		lists(&w, port, good(21002), good(21003));
	return w;
}

#define INFO_UNLINKED "master_link_status:down\r\nmaster_link_down_since_seconds:1\r\nmaster_sync_in_progress:0\r\n"

/* Neither keeps up: the Sentinel's own offsets stand. */
static inline void behind(struct world *w)
{
	info_master(w, 21001, 5000,
		    "slave0:ip=127.0.0.1,port=21002,state=online,offset=4000,lag=9\r\n"
		    "slave1:ip=127.0.0.1,port=21003,state=online,offset=4000,lag=9\r\n");
}

/* --- what is forecast -------------------------------------------------------------------------- */

static inline const struct sentinel_view *view_at(const struct world *w, int port)
{
	const struct group *g = group_of(w, 21001);
	for (size_t i = 0; i < g->view_count; i++)
		if (g->views[i].sentinel_id == id_at(w, port))
			return &g->views[i];
	fail_msg("no view of %d", port);
	return NULL;
}

static inline struct forecast by_first(const struct world *w, enum forecast_case which)
{
	struct forecast f;
	forecast_by_sentinel(w->m, group_of(w, 21001), view_at(w, 26001), which, w->now, &f);
	return f;
}

static inline struct forecast of_all(const struct world *w, enum forecast_case which, bool *differ)
{
	struct forecast f;
	forecast_group(w->m, only_deployment(w)->groups[0], which, w->now, &f, differ);
	return f;
}

static inline int port_of(const struct world *w, uint32_t node_id)
{
	const struct node *n = model_node(w->m, node_id);
	return n != NULL ? n->addr.port : 0;
}

static inline const struct forecast_replica *replica_in(const struct world *w,
							 const struct forecast *f, int port)
{
	for (size_t i = 0; i < f->count; i++)
		if (port_of(w, f->replicas[i].node_id) == port)
			return &f->replicas[i];
	fail_msg("%d is not in the forecast", port);
	return NULL;
}

#endif
