/* What the tests of the views share: a set and a cluster with what there is to show of them, and the
 * views drawn from models. With REDOUBT_DUMP set the frames are printed as well. */
#ifndef TESTS_WORLDS_H
#define TESTS_WORLDS_H

#include <locale.h>
#include "observe.h"

#include "base/mem.h"
#include "model/sheet.h"
#include "model/slots.h"
#include "views/parts.h"

/* --- what is shown: a set at 10.0.0.1 to 10.0.0.4 and 10.0.0.9, a cluster at 7000 to 7005 ------------ */

static inline uint32_t id_of(const struct world *w, const char *host, int port)
{
	const struct node *n = find_at(w, host, port);

	assert_non_null(n);
	return n->id;
}

#define SERVER                                                                                     \
	"# "                                                                                       \
	"Server\r\nredis_version:7.0.15\r\nredis_mode:%s\r\nrun_id:%040d\r\nuptime_in_seconds:"    \
	"93784\r\n"                                                                                \
	"# Clients\r\nconnected_clients:%d\r\n# Memory\r\nused_memory:41943040\r\nmaxmemory:0\r\n" \
	"# Stats\r\ninstantaneous_ops_per_sec:%d\r\n# Replication\r\n"

static inline void shown_master(struct world *w, uint32_t node, const char *mode, int run, int64_t offset,
			const char *replicas)
{
	infof(w, node,
	     SERVER
	     "role:master\r\nconnected_slaves:3\r\n%smaster_replid:%040d\r\n"
	     "master_repl_offset:%lld\r\nrepl_backlog_active:1\r\nrepl_backlog_size:1048576\r\n"
	     "repl_backlog_first_byte_offset:%lld\r\nrepl_backlog_histlen:1048576\r\n",
	     mode, run, 12, 1234, replicas, run, (long long)offset, (long long)(offset - 1048575));
}

static inline void shown_replica(struct world *w, uint32_t node, const char *mode, int run,
			 const char *host, int port, int64_t offset, const char *link)
{
	infof(w, node,
	     SERVER "role:slave\r\nmaster_host:%s\r\nmaster_port:%d\r\n%sslave_repl_offset:%lld\r\n"
		    "slave_priority:100\r\nmaster_replid:%040d\r\nmaster_repl_offset:%lld\r\n",
	     mode, run, 2, 17, host, port, link, (long long)offset, 1, (long long)offset);
}

#define LINK_OK                                                                                    \
	"master_link_status:up\r\nmaster_last_io_seconds_ago:0\r\nmaster_sync_in_progress:0\r\n"
#define LINK_BROKEN                                                                                \
	"master_link_status:down\r\nmaster_link_down_since_seconds:12\r\nmaster_sync_in_progress:" \
	"0\r\n"

static inline struct sentinel_instance shown_instance(const char *name, const char *host, int port,
						      uint32_t flags)
{
	struct sentinel_instance s = instance(name, port, flags);

	s.addr = at_host(host, port);
	s.config_epoch = 7;
	s.num_slaves = 3;
	s.info_refresh_ms = 500;
	return s;
}

static inline void sentinels_say(struct world *w, uint32_t master_flags)
{
	for (int s = 0; s < 3; s++) {
		uint32_t id = id_of(w, "10.0.0.9", 26379 + s);
		struct sentinel_instance master =
		    shown_instance("mymaster", "10.0.0.1", 6379, SFLAG_MASTER | master_flags);

		snprintf(master.run_id, sizeof(master.run_id), "%040d", 1);
		listed(w, ASK_SENTINEL_MASTERS, id, "mymaster", &master, 1);
	}
}

static inline void ckquorum(struct world *w, bool ok, const char *message)
{
	struct ckquorum_facts facts = {.ok = ok, .usable = ok ? 3 : 1};
	struct observation o = observe(w, ASK_SENTINEL_CKQUORUM, id_of(w, "10.0.0.9", 26379));

	snprintf(facts.message, sizeof(facts.message), "%s", message);
	o.arg = "mymaster";
	o.u.ckquorum = &facts;
	model_apply(w->m, &o);
}

static inline void shown_message(struct world *w, int sentinel, const char *channel)
{
	struct sentinel_message msg;
	struct observation o = observe(w, ASK_MESSAGE, id_of(w, "10.0.0.9", 26379 + sentinel));

	memset(&msg, 0, sizeof(msg));
	snprintf(msg.channel, sizeof(msg.channel), "%s", channel);
	snprintf(msg.instance_type, sizeof(msg.instance_type), "master");
	snprintf(msg.name, sizeof(msg.name), "mymaster");
	snprintf(msg.master_name, sizeof(msg.master_name), "mymaster");
	msg.addr = msg.master = at_host("10.0.0.1", 6379);
	msg.epoch = FACT_UNKNOWN;
	if (strcmp(channel, "+odown") == 0)
		snprintf(msg.detail, sizeof(msg.detail), "#quorum 3/2");
	if (strcmp(channel, "+selected-slave") == 0) {
		snprintf(msg.instance_type, sizeof(msg.instance_type), "slave");
		snprintf(msg.name, sizeof(msg.name), "10.0.0.2:6379");
		msg.addr = at_host("10.0.0.2", 6379);
	}
	o.sent_ms = 0;
	o.u.message = &msg;
	model_apply(w->m, &o);
}

static inline void data_nodes_say(struct world *w, int64_t offset, int64_t slow_lag)
{
	char replicas[512];

	snprintf(replicas, sizeof(replicas),
		 "slave0:ip=10.0.0.2,port=6379,state=online,offset=%lld,lag=0\r\n"
		 "slave1:ip=10.0.0.3,port=6379,state=online,offset=%lld,lag=1\r\n"
		 "slave2:ip=10.0.0.4,port=6379,state=online,offset=%lld,lag=1\r\n",
		 (long long)offset, (long long)(offset - 1200), (long long)(offset - slow_lag));
	shown_master(w, id_of(w, "10.0.0.1", 6379), "standalone", 1, offset, replicas);
	shown_replica(w, id_of(w, "10.0.0.2", 6379), "standalone", 2, "10.0.0.1", 6379, offset,
		     LINK_OK);
	shown_replica(w, id_of(w, "10.0.0.3", 6379), "standalone", 3, "10.0.0.1", 6379,
		     offset - 1200, LINK_OK);
	/* a replica of a replica */
	shown_replica(w, id_of(w, "10.0.0.4", 6379), "standalone", 4, "10.0.0.1", 6379,
		     offset - slow_lag, LINK_OK);
}

static inline void shown_sentinel(struct world *w, int s)
{
	infof(w, id_of(w, "10.0.0.9", 26379 + s),
	     "# Server\r\nredis_version:7.0.15\r\nredis_mode:sentinel\r\nrun_id:%040d\r\n"
	     "uptime_in_seconds:93784\r\n# Sentinel\r\nsentinel_masters:1\r\nsentinel_tilt:0\r\n",
	     90 + s);
}

static inline struct world shown_set(void)
{
	struct world w = world_new();
	struct sentinel_instance items[3];

	target_host(&w, "10.0.0.9", 26379);
	for (int s = 0; s < 3; s++) {
		uint32_t id;

		id = id_of(&w, "10.0.0.9", 26379 + s);
		link_state(&w, id, LINK_UP, NULL);
		shown_sentinel(&w, s);
		if (s > 0)
			continue;
		items[0] = shown_instance("mymaster", "10.0.0.1", 6379, SFLAG_MASTER);
		listed(&w, ASK_SENTINEL_MASTERS, id, "mymaster", items, 1);
		for (int r = 0; r < 3; r++) {
			char host[32];

			snprintf(host, sizeof(host), "10.0.0.%d", 2 + r);
			items[r] = shown_instance(host, host, 6379, SFLAG_SLAVE);
			items[r].master = at_host("10.0.0.1", 6379);
		}
		listed(&w, ASK_SENTINEL_REPLICAS, id, "mymaster", items, 3);
		for (int p = 1; p < 3; p++)
			items[p - 1] =
			    shown_instance(p == 1 ? "s1" : "s2", "10.0.0.9", 26379 + p, SFLAG_SENTINEL);
		listed(&w, ASK_SENTINEL_SENTINELS, id, "mymaster", items, 2);
	}
	sentinels_say(&w, 0);
	ckquorum(&w, true,
		 "OK 3 usable Sentinels. Quorum and failover authorization can be reached");
	for (int n = 1; n <= 4; n++) {
		char host[32];

		snprintf(host, sizeof(host), "10.0.0.%d", n);
		link_state(&w, id_of(&w, host, 6379), LINK_UP, NULL);
	}
	for (int i = 0; i < 12; i++) {
		data_nodes_say(&w, 5000000 + i * 80000, 100000 + i * i * 4000);
		w.now += 1000;
	}
	w.now -= 1000;
	for (int s = 0; s < 3; s++)
		shown_sentinel(&w, s);
	return w;
}

/* The master dies; its Sentinels agree and begin a failover. */
static inline void kill_master(struct world *w)
{
	uint32_t id = id_of(w, "10.0.0.1", 6379);

	link_state(w, id, LINK_LOST, "connection closed by the server");
	w->now += 5000;
	for (int s = 0; s < 3; s++) {
		shown_message(w, s, "+sdown");
		w->now += 20;
	}
	shown_message(w, 0, "+odown");
	sentinels_say(w, SFLAG_S_DOWN | SFLAG_O_DOWN);
	shown_message(w, 0, "+try-failover");
	w->now += 60;
	shown_message(w, 0, "+elected-leader");
	shown_message(w, 0, "+selected-slave");
	shown_message(w, 0, "+failover-state-wait-promotion");
	w->now += 1200;
	for (int n = 2; n <= 4; n++) {
		char host[32];

		snprintf(host, sizeof(host), "10.0.0.%d", n);
		shown_replica(w, id_of(w, host, 6379), "standalone", n, "10.0.0.1", 6379, 5880000,
			     LINK_BROKEN);
	}
}

#define NODE_LINE "%040d 127.0.0.1:%d@1%d %s %s 0 0 %d connected%s\n"

static inline void shown_cluster_nodes(struct world *w, int asked, const char *third_flags,
			  const char *second_slots)
{
	static struct cluster_scratch scratch;
	struct cluster_nodes_facts facts;
	struct observation o = observe(w, ASK_CLUSTER_NODES, id_of(w, "127.0.0.1", 7000 + asked));
	struct buf text = BUF_INIT;

	for (int i = 0; i < 6; i++) {
		char flags[64], master[48] = "-";
		const char *slots = i == 0   ? " 0-5460"
				    : i == 1 ? second_slots
				    : i == 2 ? " 10923-16383"
					     : "";

		snprintf(flags, sizeof(flags), "%s%s", i == asked ? "myself," : "",
			 i >= 3   ? "slave"
			 : i == 2 ? third_flags
				  : "master");
		if (i >= 3)
			snprintf(master, sizeof(master), "%040d", 100 + i - 3);
		buf_addf(&text, NODE_LINE, 100 + i, 7000 + i, 7000 + i, flags, master, i + 1,
			 slots);
		if (i == 1 && asked == 1) { /* only its own line says what it moves */
			text.len--;
			buf_addf(&text, " [42-<-%040d]\n", 100);
		}
		if (i == 0 && asked == 0) {
			text.len--;
			buf_addf(&text, " [42->-%040d]\n", 101);
		}
	}
	assert_true(cluster_nodes_parse(&facts, &scratch, buf_str(&text), text.len));
	o.u.cluster_nodes = &facts;
	model_apply(w->m, &o);
	buf_free(&text);
	cluster_scratch_done(&scratch);
	memset(&scratch, 0, sizeof(scratch));
}

static inline void cluster_infos(struct world *w, bool ok)
{
	for (int i = 0; i < 6; i++) {
		struct cluster_info_facts facts = {
		    ok, 16384, ok ? 16384 : 10923, 0, ok ? 0 : 5461, 6, 3, 6, 6};
		struct observation o =
		    observe(w, ASK_CLUSTER_INFO, id_of(w, "127.0.0.1", 7000 + i));

		o.u.cluster_info = &facts;
		model_apply(w->m, &o);
	}
}

static inline struct world shown_cluster(const char *third_flags, const char *second_slots, bool ok)
{
	struct world w = world_new();

	target_host(&w, "127.0.0.1", 7000);
	link_state(&w, id_of(&w, "127.0.0.1", 7000), LINK_UP, NULL);
	shown_master(&w, id_of(&w, "127.0.0.1", 7000), "cluster", 100, 500000, "");
	shown_cluster_nodes(&w, 0, third_flags, second_slots);
	for (int i = 0; i < 6; i++) {
		uint32_t id = id_of(&w, "127.0.0.1", 7000 + i);
		char replicas[128];

		if (i == 2 && strstr(third_flags, "fail")) {
			link_state(&w, id, LINK_FAILED, "connection refused");
			continue;
		}
		link_state(&w, id, LINK_UP, NULL);
		snprintf(replicas, sizeof(replicas),
			 "slave0:ip=127.0.0.1,port=%d,state=online,offset=500000,lag=0\r\n",
			 7003 + i);
		if (i < 3)
			shown_master(&w, id, "cluster", 100 + i, 500000, replicas);
		else
			shown_replica(&w, id, "cluster", 100 + i, "127.0.0.1", 7000 + i - 3, 500000,
				     LINK_OK);
		shown_cluster_nodes(&w, i, third_flags, second_slots);
	}
	cluster_infos(&w, ok);
	w.now += 1000;
	model_tick(w.m, w.now, WALL);
	return w;
}

/* --- drawing ------------------------------------------------------------------------------- */

static inline struct view_context context(const struct world *w)
{
	struct view_context c = {.model = w->m,
				 .now_ms = w->now,
				 .live_now_ms = w->now,
				 .wall_ms = WALL,
				 .interval_ms = 1000,
				 .deployment_count = 1,
				 .bytes_per_second = 1200,
				 .notice = "",
				 .log_error = "",
				 .dashboard = true};
	size_t cursor = 0;
	const struct deployment *d;

	while ((d = model_next_deployment(w->m, &cursor)))
		if (c.deployment_id == 0 || d->kind != KIND_UNKNOWN)
			c.deployment_id = d->id;
	return c;
}

static inline struct screen *open_screen(int height, int width, bool ascii)
{
	static struct theme theme;
	struct buf err = BUF_INIT;
	struct screen_options opt = {
	    .theme = &theme, .ascii = ascii, .headless = true, .width = width, .height = height};
	struct screen *s;

	theme_builtin(&theme);
	s = screen_open(&opt, &err);
	if (!s)
		fail_msg("%s", buf_str(&err));
	buf_free(&err);
	assert_true(screen_frame_begin(s));
	return s;
}

static inline void dumped(const char *what, const char *text)
{
	if (getenv("REDOUBT_DUMP"))
		fprintf(stderr, "===== %s\n%s", what, text);
}

/* One view over the whole screen; the text is the caller's to free. */
static inline char *draw_view(struct view *v, const struct view_context *c, int height, int width,
		       bool ascii)
{
	struct screen *s = open_screen(height, width, ascii);
	struct pane p = pane_whole(s);
	struct buf out = BUF_INIT;
	char what[80];

	if (v->stale)
		v->ops->rebuild(v, c);
	v->ops->draw(v, c, &p, true);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	screen_close(s);
	snprintf(what, sizeof(what), "%s %dx%d%s", v->ops->name, width, height,
		 ascii ? " ascii" : "");
	dumped(what, buf_str(&out));
	buf_addstr(&out, "");
	return out.data;
}

static inline char *draw_fresh(const struct view_ops *ops, const struct world *w, const char *filter,
			int height, int width)
{
	struct view_context c = context(w);
	struct view *v = view_new(ops);
	char *text;

	view_set_filter(v, filter);
	text = draw_view(v, &c, height, width, false);
	view_free(v);
	return text;
}

static const struct tab tabs[] = {{'1', "Dashboard", "Dash"},
				  {'2', "Topology", "Topo"},
				  {'3', "Replication", "Repl"},
				  {'4', "Slots", "Slots"},
				  {'5', "Events", "Events"}};

/* What the program shows: header, dashboard, footer. */
static inline char *draw_dashboard(const struct view_context *c, int height, int width, bool ascii,
			    const char *what)
{
	struct view *views[4] = {view_new(&topology_view), view_new(&replication_view),
				 view_new(&slots_view), view_new(&events_view)};
	struct screen *s = open_screen(height, width, ascii);
	struct pane whole = pane_whole(s), body, foot;
	struct rect rects[8];
	struct buf out = BUF_INIT;
	char title[120];
	int used = header_draw(&whole, c, tabs, 5, 0);
	size_t n;

	body = pane_sub(&whole, used, 0, height - used - 1, width);
	foot = pane_sub(&whole, height - 1, 0, 1, width);
	for (size_t i = 0; i < 4; i++)
		views[i]->ops->rebuild(views[i], c);
	n = dashboard_layout(views, 4, c, body.height, body.width, rects, 8);
	for (size_t i = 0; i < n; i++) {
		struct pane p =
		    pane_sub(&body, rects[i].y, rects[i].x, rects[i].height, rects[i].width);
		struct view *v = views[rects[i].view];

		v->ops->draw(v, c, &p, i == 0);
	}
	footer_draw(&foot, c, views[0]);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	screen_close(s);
	for (size_t i = 0; i < 4; i++)
		view_free(views[i]);
	snprintf(title, sizeof(title), "%s %dx%d%s", what, width, height, ascii ? " ascii" : "");
	dumped(title, buf_str(&out));
	buf_addstr(&out, "");
	return out.data;
}

/* The line of text that holds `word`, in a static buffer; fails when there is none. */
static inline const char *line_with(const char *text, const char *word)
{
	static char line[2048];
	const char *hit = strstr(text, word), *start = hit, *end;

	if (!hit)
		fail_msg("no \"%s\" in:\n%s", word, text);
	while (start > text && start[-1] != '\n')
		start--;
	end = strchr(hit, '\n');
	snprintf(line, sizeof(line), "%.*s", (int)((end ? end : hit + strlen(hit)) - start), start);
	return line;
}

static inline void assert_lacks(const char *text, const char *word)
{
	if (strstr(text, word))
		fail_msg("\"%s\" in:\n%s", word, text);
}

static const int sizes[][2] = {{22, 80}, {24, 80}, {60, 200}, {10, 40}, {5, 20}, {2, 7}, {1, 1}};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

#endif
