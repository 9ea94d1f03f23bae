/* Builds models from observations: what a server would have said, as its own text through the real
 * parsers where that is short, as facts by hand elsewhere. Time is a variable. */
#ifndef TESTS_OBSERVE_H
#define TESTS_OBSERVE_H

#include "captured.h"
#include "model/health.h"
#include "model/model.h"
#include "redis/cluster.h"
#include "redis/info.h"
#include "redis/sentinel.h"

#define T0   1000000LL
#define WALL 1795170667120LL
#define HOST "127.0.0.1"

struct world {
	struct model *m;
	int64_t now;
	unsigned changed; /* by the last observation */
};

static inline struct world world_new(void)
{
	return (struct world){ .m = model_new(1000), .now = T0 };
}

static inline int world_end(struct world *w)
{
	model_free(w->m);
	w->m = NULL;
	return 0;
}

static inline struct observation observe(const struct world *w, enum question q, uint32_t node)
{
	return (struct observation){ .question = q,
				     .answer = ANSWER_OK,
				     .node_id = node,
				     .sent_ms = w->now,
				     .recv_ms = w->now,
				     .wall_ms = WALL + w->now - T0,
				     .rtt_us = 300 };
}

static inline void apply(struct world *w, const struct observation *o)
{
	w->changed = model_apply(w->m, o);
}

static inline void tick(struct world *w, int64_t forward_ms)
{
	w->now += forward_ms;
	w->changed = model_tick(w->m, w->now, WALL + w->now - T0);
}

static inline struct endpoint at_host(const char *host, int port)
{
	struct endpoint ep;
	assert_true(endpoint_set(&ep, host, strlen(host), port));
	return ep;
}

static inline const struct node *find_at(const struct world *w, const char *host, int port)
{
	struct endpoint ep = at_host(host, port);
	return model_find_node(w->m, 0, &ep);
}

static inline size_t node_count(const struct world *w)
{
	return model_node_count(w->m);
}

/* The node at 127.0.0.1 and a port: the tests' servers differ by port. */
static inline const struct node *node_at(const struct world *w, int port)
{
	const struct node *n = find_at(w, HOST, port);
	if (n == NULL)
		fail_msg("no node at port %d", port);
	return n;
}

static inline uint32_t id_at(const struct world *w, int port)
{
	return node_at(w, port)->id;
}

static inline uint32_t target_host(struct world *w, const char *host, int port)
{
	struct endpoint ep = at_host(host, port);
	struct observation o = observe(w, ASK_TARGET, 0);
	struct target_facts t = { .addr = ep };
	o.u.target = &t;
	apply(w, &o);
	return find_at(w, host, port)->id;
}

static inline uint32_t target(struct world *w, int port)
{
	return target_host(w, HOST, port);
}

static inline void link_state(struct world *w, uint32_t id, enum link_state state, const char *why)
{
	struct link_facts facts = { .state = state };
	struct observation o = observe(w, ASK_LINK, id);
	o.u.link = &facts;
	o.text = why;
	apply(w, &o);
}

static inline void link_up(struct world *w, int port)
{
	link_state(w, id_at(w, port), LINK_UP, NULL);
}

static inline void link_lost(struct world *w, int port)
{
	link_state(w, id_at(w, port), LINK_LOST, "connection reset by peer");
}

/* INFO as the server writes it. */
static inline void info_text(struct world *w, uint32_t id, const char *text)
{
	struct info_facts facts = { 0 };
	struct observation o = observe(w, ASK_INFO, id);
	info_reset(&facts);
	assert_true(info_parse(&facts, text, strlen(text)));
	o.u.info = &facts;
	apply(w, &o);
	info_done(&facts);
}

static inline void infof(struct world *w, uint32_t id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static inline void infof(struct world *w, uint32_t id, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	info_text(w, id, buf_str(&text));
	buf_free(&text);
}

#define INFO_HEAD "# Server\r\nredis_version:7.0.15\r\nredis_mode:%s\r\nrun_id:%040d\r\n"
#define INFO_LINKED "master_link_status:up\r\nmaster_sync_in_progress:0\r\n"
#define INFO_BACKLOG                                                                               \
	"repl_backlog_active:1\r\nrepl_backlog_size:1048576\r\n"                                   \
	"repl_backlog_first_byte_offset:%lld\r\nrepl_backlog_histlen:1048576\r\n"

/* A data node's run id is its port. `replicas` are slaveN lines or "". */
static inline void info_master_as(struct world *w, uint32_t id, const char *mode, int run,
				  int64_t offset, const char *replicas)
{
	infof(w, id,
	      INFO_HEAD "# Replication\r\nrole:master\r\n%smaster_failover_state:no-failover\r\n"
			"master_replid:%040d\r\nmaster_repl_offset:%lld\r\n" INFO_BACKLOG,
	      mode, run, replicas, 1, (long long)offset,
	      (long long)(offset > 1048576 ? offset - 1048575 : 1));
}

static inline void info_replica_as(struct world *w, uint32_t id, const char *mode, int run,
				   const char *host, int port, int64_t offset, const char *link)
{
	infof(w, id,
	      INFO_HEAD "# Replication\r\nrole:slave\r\nmaster_host:%s\r\nmaster_port:%d\r\n%s"
			"slave_repl_offset:%lld\r\nslave_priority:100\r\nmaster_replid:%040d\r\n"
			"master_repl_offset:%lld\r\n",
	      mode, run, host, port, link, (long long)offset, 1, (long long)offset);
}

static inline void info_master(struct world *w, int port, int64_t offset, const char *replicas)
{
	info_master_as(w, id_at(w, port), "standalone", port, offset, replicas);
}

static inline void info_replica(struct world *w, int port, int master_port, int64_t offset)
{
	info_replica_as(w, id_at(w, port), "standalone", port, HOST, master_port, offset,
			INFO_LINKED);
}

static inline void info_sentinel(struct world *w, uint32_t id, int run)
{
	infof(w, id, INFO_HEAD "# Sentinel\r\nsentinel_masters:1\r\nsentinel_tilt:0\r\n", "sentinel",
	      run);
}

/* slave0:... for a replica at a port. */
#define LISTED(n, port, offset)                                                                    \
	"slave" #n ":ip=127.0.0.1,port=" #port ",state=online,offset=" #offset ",lag=0\r\n"

/* --- an address that moves --------------------------------------------------------------------- */

/* "vip", a service name or virtual IP, is the target and leads to the master at 21001; its replica is
 * 21002. Returns the id of the node that it leads to. */
static inline uint32_t moving_world(struct world *w)
{
	*w = world_new();
	uint32_t vip = target_host(w, "vip", 6379);
	link_state(w, vip, LINK_UP, NULL);
	info_master_as(w, vip, "standalone", 21001, 10, LISTED(0, 21002, 10));
	link_up(w, 21002);
	info_replica(w, 21002, 21001, 10);
	link_up(w, 21001);
	info_master(w, 21001, 10, LISTED(0, 21002, 10));
	return vip;
}

/* After a failover it leads to the new master, 21002. */
static inline void address_moves(struct world *w, uint32_t vip)
{
	link_state(w, vip, LINK_LOST, "closed");
	link_state(w, vip, LINK_UP, NULL);
	info_master_as(w, vip, "standalone", 21002, 20, LISTED(0, 21001, 20));
}

/* --- Sentinels --------------------------------------------------------------------------------- */

static inline struct sentinel_instance instance(const char *name, int port, uint32_t flags)
{
	struct sentinel_instance s = { .flags = flags,
				       .quorum = 2,
				       .num_slaves = 2,
				       .num_other_sentinels = 2,
				       .down_after_ms = 5000,
				       .failover_timeout_ms = 10000,
				       .parallel_syncs = 1,
				       .priority = 100,
				       .master_link_ok = 1 };
	snprintf(s.name, sizeof(s.name), "%s", name);
	s.addr = at_host(HOST, port);
	s.role_reported = flags & SFLAG_MASTER ? ROLE_MASTER : ROLE_REPLICA;
	return s;
}

static inline void listed(struct world *w, enum question q, uint32_t sentinel, const char *master,
			  struct sentinel_instance *items, size_t count)
{
	struct sentinel_list list = { items, count };
	struct observation o = observe(w, q, sentinel);
	o.u.list = &list;
	o.arg = master;
	apply(w, &o);
}

static inline void masters(struct world *w, int sentinel_port, int master_port, int64_t epoch,
			   uint32_t flags)
{
	struct sentinel_instance item = instance("mymaster", master_port, SFLAG_MASTER | flags);
	item.config_epoch = epoch;
	listed(w, ASK_SENTINEL_MASTERS, id_at(w, sentinel_port), NULL, &item, 1);
}

static inline void replicas(struct world *w, int sentinel_port, int a, uint32_t a_flags, int b,
			    uint32_t b_flags)
{
	struct sentinel_instance items[2] = { instance("a", a, SFLAG_SLAVE | a_flags),
					      instance("b", b, SFLAG_SLAVE | b_flags) };
	listed(w, ASK_SENTINEL_REPLICAS, id_at(w, sentinel_port), "mymaster", items, 2);
}

static inline void peers(struct world *w, int sentinel_port, int a, int b)
{
	struct sentinel_instance items[2] = { instance("a", a, SFLAG_SENTINEL),
					      instance("b", b, SFLAG_SENTINEL) };
	snprintf(items[0].run_id, ID_BYTES, "%040d", a);
	snprintf(items[1].run_id, ID_BYTES, "%040d", b);
	listed(w, ASK_SENTINEL_SENTINELS, id_at(w, sentinel_port), "mymaster", items, 2);
}

/* Payloads of the master and of one of its replicas. */
#define ABOUT_MASTER "master mymaster 127.0.0.1 21001"
#define ABOUT_REPLICA  "slave 127.0.0.1:21002 127.0.0.1 21002 @ mymaster 127.0.0.1 21001"

/* A published event, payload as sent. */
static inline void message(struct world *w, int sentinel_port, const char *channel,
			   const char *payload)
{
	struct sentinel_message msg;
	struct observation o = observe(w, ASK_MESSAGE, id_at(w, sentinel_port));
	sentinel_message_parse(&msg, channel, strlen(channel), payload, strlen(payload));
	o.sent_ms = 0;
	o.u.message = &msg;
	apply(w, &o);
}

/* Sentinels 26001 to 26003, master 21001, replicas 21002 and 21003, all well and read once. */
static inline struct world sentinel_world(void)
{
	struct world w = world_new();
	target(&w, 26001);
	link_up(&w, 26001);
	info_sentinel(&w, id_at(&w, 26001), 26001);
	masters(&w, 26001, 21001, 0, 0);
	replicas(&w, 26001, 21002, 0, 21003, 0);
	peers(&w, 26001, 26002, 26003);
	for (int port = 26002; port <= 26003; port++) {
		link_up(&w, port);
		info_sentinel(&w, id_at(&w, port), port);
		masters(&w, port, 21001, 0, 0);
	}
	for (int port = 21001; port <= 21003; port++)
		link_up(&w, port);
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000) LISTED(1, 21003, 4000));
	info_replica(&w, 21002, 21001, 5000);
	info_replica(&w, 21003, 21001, 4000);
	return w;
}

/* --- clusters ---------------------------------------------------------------------------------- */

/* Node ids: the digit, forty times. */
#define CID(c)  c c c c c c c c c c
#define CID1 CID("1111")
#define CID2 CID("2222")
#define CID3 CID("3333")
#define CID4 CID("4444")
#define CID5 CID("5555")
#define CID6 CID("6666")

static inline void cluster_nodes(struct world *w, int port, const char *text)
{
	struct cluster_scratch scratch = { 0 };
	struct cluster_nodes_facts facts = { 0 };
	struct observation o = observe(w, ASK_CLUSTER_NODES, id_at(w, port));
	assert_true(cluster_nodes_parse(&facts, &scratch, text, strlen(text)));
	o.u.cluster_nodes = &facts;
	apply(w, &o);
	cluster_scratch_done(&scratch);
}

static inline void cluster_info(struct world *w, int port, bool ok, int64_t epoch)
{
	struct cluster_info_facts facts = { .state_ok = ok, .size = 3, .current_epoch = epoch };
	struct observation o = observe(w, ASK_CLUSTER_INFO, id_at(w, port));
	o.u.cluster_info = &facts;
	apply(w, &o);
}

/* Lines of CLUSTER NODES. */
#define LINE_MASTER(id, port, my, flags, epoch, slots)                                             \
	id " 127.0.0.1:" #port "@1" #port " " my "master" flags " - 0 0 " #epoch " connected" slots "\n"
#define LINE_SLAVE(id, port, my, flags, of, epoch)                                                 \
	id " 127.0.0.1:" #port "@1" #port " " my "slave" flags " " of " 0 0 " #epoch " connected\n"

/* Masters 7001 to 7003, replicas 7004 to 7006 of them, all up, read from 7001. */
static inline struct world cluster_world(void)
{
	struct world w = world_new();
	target(&w, 7001);
	link_up(&w, 7001);
	info_master_as(&w, id_at(&w, 7001), "cluster", 7001, 100, "");
	cluster_nodes(&w, 7001,
		      LINE_MASTER(CID1, 7001, "myself,", "", 1, " 0-5460")
			  LINE_MASTER(CID2, 7002, "", "", 2, " 5461-10922")
			      LINE_MASTER(CID3, 7003, "", "", 3, " 10923-16383")
				  LINE_SLAVE(CID4, 7004, "", "", CID1, 1)
				      LINE_SLAVE(CID5, 7005, "", "", CID2, 2)
					  LINE_SLAVE(CID6, 7006, "", "", CID3, 3));
	for (int port = 7002; port <= 7006; port++) {
		link_up(&w, port);
		if (port < 7004)
			info_master_as(&w, id_at(&w, port), "cluster", port, 100, "");
		else
			info_replica_as(&w, id_at(&w, port), "cluster", port, HOST, port - 3, 100,
					INFO_LINKED);
		cluster_info(&w, port, true, 3);
	}
	cluster_info(&w, 7001, true, 3);
	return w;
}

/* --- looking ----------------------------------------------------------------------------------- */

static inline const struct deployment *only_deployment(const struct world *w)
{
	size_t cursor = 0;
	assert_int_equal(model_deployment_count(w->m), 1);
	return model_next_deployment(w->m, &cursor);
}

static inline const struct group *group_of(const struct world *w, int port)
{
	const struct group *g = model_group(w->m, node_at(w, port)->group_id);
	assert_non_null(g);
	return g;
}

static inline int master_port(const struct world *w, const struct group *g)
{
	const struct node *n = model_node(w->m, g->master_id);
	return n != NULL ? n->addr.port : 0;
}

/* How many events of the kind the log holds; *last is the latest. */
static inline size_t count_events(const struct world *w, enum event_kind kind,
				  const struct event **last)
{
	const struct event_log *log = model_events(w->m);
	size_t count = 0;
	for (size_t i = 0; i < event_log_count(log); i++) {
		const struct event *e = event_log_at(log, i);
		if (e->kind != kind)
			continue;
		count++;
		if (last != NULL)
			*last = e;
	}
	return count;
}

static inline size_t events_of(const struct world *w, enum event_kind kind)
{
	return count_events(w, kind, NULL);
}

static inline void assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

#endif
