/* The views over models that are built from observations: what an operator must find on the screen.
 * With REDOUBT_DUMP set the frames are printed as well. */
#include "config.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "model/sheet.h"
#include "model/slots.h"
#include "redis/cluster.h"
#include "redis/info.h"
#include "views/parts.h"

#define T0   1000000LL
#define WALL 1795170667120LL

/* --- building models ----------------------------------------------------------------------- */

struct world {
	struct model *m;
	int64_t now;
};

static struct observation observe(struct world *w, enum question q, uint32_t node)
{
	return (struct observation){.question = q,
				    .answer = ANSWER_OK,
				    .node_id = node,
				    .sent_ms = w->now,
				    .recv_ms = w->now,
				    .wall_ms = WALL + w->now - T0,
				    .rtt_us = 300};
}

static struct endpoint at(const char *host, int port)
{
	struct endpoint ep;

	assert_true(endpoint_set(&ep, host, strlen(host), port));
	return ep;
}

static void target(struct world *w, struct endpoint ep)
{
	struct observation o = observe(w, ASK_TARGET, 0);

	struct target_facts t = { .addr = ep };
	o.u.target = &t;
	model_apply(w->m, &o);
}

static uint32_t id_of(struct world *w, const char *host, int port)
{
	struct endpoint ep = at(host, port);
	const struct node *n = model_find_node(w->m, 0, &ep);

	assert_non_null(n);
	return n->id;
}

static void link_to(struct world *w, uint32_t node, enum link_state state, const char *reason)
{
	struct link_facts facts = {state, false};
	struct observation o = observe(w, ASK_LINK, node);

	o.u.link = &facts;
	o.text = reason;
	model_apply(w->m, &o);
}

static void info(struct world *w, uint32_t node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void info(struct world *w, uint32_t node, const char *fmt, ...)
{
	struct info_facts facts;
	struct observation o = observe(w, ASK_INFO, node);
	struct buf text = BUF_INIT;
	va_list ap;

	memset(&facts, 0, sizeof(facts));
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	info_reset(&facts);
	assert_true(info_parse(&facts, buf_str(&text), text.len));
	o.u.info = &facts;
	model_apply(w->m, &o);
	info_done(&facts);
	buf_free(&text);
}

#define SERVER                                                                                     \
	"# "                                                                                       \
	"Server\r\nredis_version:7.0.15\r\nredis_mode:%s\r\nrun_id:%040d\r\nuptime_in_seconds:"    \
	"93784\r\n"                                                                                \
	"# Clients\r\nconnected_clients:%d\r\n# Memory\r\nused_memory:41943040\r\nmaxmemory:0\r\n" \
	"# Stats\r\ninstantaneous_ops_per_sec:%d\r\n# Replication\r\n"

static void info_master(struct world *w, uint32_t node, const char *mode, int run, int64_t offset,
			const char *replicas)
{
	info(w, node,
	     SERVER
	     "role:master\r\nconnected_slaves:3\r\n%smaster_replid:%040d\r\n"
	     "master_repl_offset:%lld\r\nrepl_backlog_active:1\r\nrepl_backlog_size:1048576\r\n"
	     "repl_backlog_first_byte_offset:%lld\r\nrepl_backlog_histlen:1048576\r\n",
	     mode, run, 12, 1234, replicas, run, (long long)offset, (long long)(offset - 1048575));
}

static void info_replica(struct world *w, uint32_t node, const char *mode, int run,
			 const char *host, int port, int64_t offset, const char *link)
{
	info(w, node,
	     SERVER "role:slave\r\nmaster_host:%s\r\nmaster_port:%d\r\n%sslave_repl_offset:%lld\r\n"
		    "slave_priority:100\r\nmaster_replid:%040d\r\nmaster_repl_offset:%lld\r\n",
	     mode, run, 2, 17, host, port, link, (long long)offset, 1, (long long)offset);
}

#define LINK_OK                                                                                    \
	"master_link_status:up\r\nmaster_last_io_seconds_ago:0\r\nmaster_sync_in_progress:0\r\n"
#define LINK_BROKEN                                                                                \
	"master_link_status:down\r\nmaster_link_down_since_seconds:12\r\nmaster_sync_in_progress:" \
	"0\r\n"

static struct sentinel_instance instance(const char *name, const char *host, int port,
					 uint32_t flags)
{
	struct sentinel_instance s;

	memset(&s, 0, sizeof(s));
	snprintf(s.name, sizeof(s.name), "%s", name);
	s.addr = at(host, port);
	s.flags = flags;
	s.quorum = 2;
	s.config_epoch = 7;
	s.num_slaves = 3;
	s.num_other_sentinels = 2;
	s.down_after_ms = 5000;
	s.failover_timeout_ms = 10000;
	s.parallel_syncs = 1;
	s.priority = 100;
	s.master_link_ok = 1;
	s.role_reported = flags & SFLAG_MASTER ? ROLE_MASTER : ROLE_REPLICA;
	return s;
}

static void listed(struct world *w, enum question q, uint32_t sentinel,
		   struct sentinel_instance *items, size_t count)
{
	struct sentinel_list list = {items, count};
	struct observation o = observe(w, q, sentinel);

	o.u.list = &list;
	o.arg = "mymaster";
	model_apply(w->m, &o);
}

static void sentinels_say(struct world *w, uint32_t master_flags)
{
	for (int s = 0; s < 3; s++) {
		uint32_t id = id_of(w, "10.0.0.9", 26379 + s);
		struct sentinel_instance master =
		    instance("mymaster", "10.0.0.1", 6379, SFLAG_MASTER | master_flags);

		snprintf(master.run_id, sizeof(master.run_id), "%040d", 1);
		listed(w, ASK_SENTINEL_MASTERS, id, &master, 1);
	}
}

static void ckquorum(struct world *w, bool ok, const char *message)
{
	struct ckquorum_facts facts = {.ok = ok, .usable = ok ? 3 : 1};
	struct observation o = observe(w, ASK_SENTINEL_CKQUORUM, id_of(w, "10.0.0.9", 26379));

	snprintf(facts.message, sizeof(facts.message), "%s", message);
	o.arg = "mymaster";
	o.u.ckquorum = &facts;
	model_apply(w->m, &o);
}

static void message(struct world *w, int sentinel, const char *channel)
{
	struct sentinel_message msg;
	struct observation o = observe(w, ASK_MESSAGE, id_of(w, "10.0.0.9", 26379 + sentinel));

	memset(&msg, 0, sizeof(msg));
	snprintf(msg.channel, sizeof(msg.channel), "%s", channel);
	snprintf(msg.instance_type, sizeof(msg.instance_type), "master");
	snprintf(msg.name, sizeof(msg.name), "mymaster");
	snprintf(msg.master_name, sizeof(msg.master_name), "mymaster");
	msg.addr = msg.master = at("10.0.0.1", 6379);
	msg.epoch = FACT_UNKNOWN;
	if (strcmp(channel, "+odown") == 0)
		snprintf(msg.detail, sizeof(msg.detail), "#quorum 3/2");
	if (strcmp(channel, "+selected-slave") == 0) {
		snprintf(msg.instance_type, sizeof(msg.instance_type), "slave");
		snprintf(msg.name, sizeof(msg.name), "10.0.0.2:6379");
		msg.addr = at("10.0.0.2", 6379);
	}
	o.sent_ms = 0;
	o.u.message = &msg;
	model_apply(w->m, &o);
}

static void data_nodes_say(struct world *w, int64_t offset, int64_t slow_lag)
{
	char replicas[512];

	snprintf(replicas, sizeof(replicas),
		 "slave0:ip=10.0.0.2,port=6379,state=online,offset=%lld,lag=0\r\n"
		 "slave1:ip=10.0.0.3,port=6379,state=online,offset=%lld,lag=1\r\n"
		 "slave2:ip=10.0.0.4,port=6379,state=online,offset=%lld,lag=1\r\n",
		 (long long)offset, (long long)(offset - 1200), (long long)(offset - slow_lag));
	info_master(w, id_of(w, "10.0.0.1", 6379), "standalone", 1, offset, replicas);
	info_replica(w, id_of(w, "10.0.0.2", 6379), "standalone", 2, "10.0.0.1", 6379, offset,
		     LINK_OK);
	info_replica(w, id_of(w, "10.0.0.3", 6379), "standalone", 3, "10.0.0.1", 6379,
		     offset - 1200, LINK_OK);
	/* a replica of a replica */
	info_replica(w, id_of(w, "10.0.0.4", 6379), "standalone", 4, "10.0.0.1", 6379,
		     offset - slow_lag, LINK_OK);
}

static void info_sentinel(struct world *w, int s)
{
	info(w, id_of(w, "10.0.0.9", 26379 + s),
	     "# Server\r\nredis_version:7.0.15\r\nredis_mode:sentinel\r\nrun_id:%040d\r\n"
	     "uptime_in_seconds:93784\r\n# Sentinel\r\nsentinel_masters:1\r\nsentinel_tilt:0\r\n",
	     90 + s);
}

static struct world sentinel_world(void)
{
	struct world w = {model_new(1000), T0};
	struct sentinel_instance items[3];

	target(&w, at("10.0.0.9", 26379));
	for (int s = 0; s < 3; s++) {
		uint32_t id;

		id = id_of(&w, "10.0.0.9", 26379 + s);
		link_to(&w, id, LINK_UP, NULL);
		info_sentinel(&w, s);
		if (s > 0)
			continue;
		items[0] = instance("mymaster", "10.0.0.1", 6379, SFLAG_MASTER);
		listed(&w, ASK_SENTINEL_MASTERS, id, items, 1);
		for (int r = 0; r < 3; r++) {
			char host[32];

			snprintf(host, sizeof(host), "10.0.0.%d", 2 + r);
			items[r] = instance(host, host, 6379, SFLAG_SLAVE);
			items[r].master = at("10.0.0.1", 6379);
		}
		listed(&w, ASK_SENTINEL_REPLICAS, id, items, 3);
		for (int p = 1; p < 3; p++)
			items[p - 1] =
			    instance(p == 1 ? "s1" : "s2", "10.0.0.9", 26379 + p, SFLAG_SENTINEL);
		listed(&w, ASK_SENTINEL_SENTINELS, id, items, 2);
	}
	sentinels_say(&w, 0);
	ckquorum(&w, true,
		 "OK 3 usable Sentinels. Quorum and failover authorization can be reached");
	for (int n = 1; n <= 4; n++) {
		char host[32];

		snprintf(host, sizeof(host), "10.0.0.%d", n);
		link_to(&w, id_of(&w, host, 6379), LINK_UP, NULL);
	}
	for (int i = 0; i < 12; i++) {
		data_nodes_say(&w, 5000000 + i * 80000, 100000 + i * i * 4000);
		w.now += 1000;
	}
	w.now -= 1000;
	for (int s = 0; s < 3; s++)
		info_sentinel(&w, s);
	return w;
}

/* The master dies; its Sentinels agree and begin a failover. */
static void kill_master(struct world *w)
{
	uint32_t id = id_of(w, "10.0.0.1", 6379);

	link_to(w, id, LINK_LOST, "connection closed by the server");
	w->now += 5000;
	for (int s = 0; s < 3; s++) {
		message(w, s, "+sdown");
		w->now += 20;
	}
	message(w, 0, "+odown");
	sentinels_say(w, SFLAG_S_DOWN | SFLAG_O_DOWN);
	message(w, 0, "+try-failover");
	w->now += 60;
	message(w, 0, "+elected-leader");
	message(w, 0, "+selected-slave");
	message(w, 0, "+failover-state-wait-promotion");
	w->now += 1200;
	for (int n = 2; n <= 4; n++) {
		char host[32];

		snprintf(host, sizeof(host), "10.0.0.%d", n);
		info_replica(w, id_of(w, host, 6379), "standalone", n, "10.0.0.1", 6379, 5880000,
			     LINK_BROKEN);
	}
}

#define NODE_LINE "%040d 127.0.0.1:%d@1%d %s %s 0 0 %d connected%s\n"

static void cluster_nodes(struct world *w, int asked, const char *third_flags,
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

static void cluster_infos(struct world *w, bool ok)
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

static struct world cluster_world(const char *third_flags, const char *second_slots, bool ok)
{
	struct world w = {model_new(1000), T0};

	target(&w, at("127.0.0.1", 7000));
	link_to(&w, id_of(&w, "127.0.0.1", 7000), LINK_UP, NULL);
	info_master(&w, id_of(&w, "127.0.0.1", 7000), "cluster", 100, 500000, "");
	cluster_nodes(&w, 0, third_flags, second_slots);
	for (int i = 0; i < 6; i++) {
		uint32_t id = id_of(&w, "127.0.0.1", 7000 + i);
		char replicas[128];

		if (i == 2 && strstr(third_flags, "fail")) {
			link_to(&w, id, LINK_FAILED, "connection refused");
			continue;
		}
		link_to(&w, id, LINK_UP, NULL);
		snprintf(replicas, sizeof(replicas),
			 "slave0:ip=127.0.0.1,port=%d,state=online,offset=500000,lag=0\r\n",
			 7003 + i);
		if (i < 3)
			info_master(&w, id, "cluster", 100 + i, 500000, replicas);
		else
			info_replica(&w, id, "cluster", 100 + i, "127.0.0.1", 7000 + i - 3, 500000,
				     LINK_OK);
		cluster_nodes(&w, i, third_flags, second_slots);
	}
	cluster_infos(&w, ok);
	w.now += 1000;
	model_tick(w.m, w.now, WALL);
	return w;
}

/* --- drawing ------------------------------------------------------------------------------- */

static struct view_context context(const struct world *w)
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

static struct screen *open_screen(int height, int width, bool ascii)
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

static void dumped(const char *what, const char *text)
{
	if (getenv("REDOUBT_DUMP"))
		fprintf(stderr, "===== %s\n%s", what, text);
}

/* One view over the whole screen; the text is the caller's to free. */
static char *draw_view(struct view *v, const struct view_context *c, int height, int width,
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

static char *draw_fresh(const struct view_ops *ops, const struct world *w, const char *filter,
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
static char *draw_dashboard(const struct view_context *c, int height, int width, bool ascii,
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
static const char *line_with(const char *text, const char *word)
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

static void assert_has(const char *text, const char *word)
{
	if (!strstr(text, word))
		fail_msg("no \"%s\" in:\n%s", word, text);
}

static void assert_lacks(const char *text, const char *word)
{
	if (strstr(text, word))
		fail_msg("\"%s\" in:\n%s", word, text);
}

/* --- tests --------------------------------------------------------------------------------- */

static const int sizes[][2] = {{22, 80}, {24, 80}, {60, 200}, {10, 40}, {5, 20}, {2, 7}, {1, 1}};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void test_every_size(void **state)
{
	static const char *const names[] = {"sentinel", "master down", "cluster", "cluster down"};

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		struct world w =
		    kind < 2 ? sentinel_world()
			     : cluster_world(kind == 2 ? "master" : "master,fail",
					     kind == 2 ? " 5461-10922" : " 5463-10922", kind == 2);
		struct view_context c;

		if (kind == 1)
			kill_master(&w);
		c = context(&w);
		for (size_t i = 0; i < SIZES; i++)
			for (int ascii = 0; ascii < 2; ascii++)
				free(draw_dashboard(&c, sizes[i][0], sizes[i][1], ascii,
						    names[kind]));
		model_free(w.m);
	}
}

/* Each view alone in every size, with every command, over a model that knows nothing as well. */
static void test_every_view_and_command(void **state)
{
	static const struct view_ops *const all[] = {&topology_view, &replication_view, &slots_view,
						     &events_view};
	struct world worlds[3] = {{model_new(10), T0},
				  sentinel_world(),
				  cluster_world("master,fail?", " 5461-10922", true)};

	(void)state;
	kill_master(&worlds[1]);
	for (int m = 0; m < 3; m++) {
		struct view_context c = context(&worlds[m]);

		for (size_t i = 0; i < 4; i++) {
			struct view *v = view_new(all[i]);

			for (int command = CMD_NONE; command < CMD_COUNT; command++) {
				struct selection at_row = {0, 0, 0};
				const int *size = sizes[(size_t)command % SIZES];

				v->ops->act(v, &c, (enum command)command);
				v->ops->selection(v, &at_row);
				assert_true(v->ops->wanted_height(v, &c, size[1]) < 10000);
				c.frozen = command % 2;
				free(draw_view(v, &c, size[0], size[1], command % 3 == 0));
			}
			view_free(v);
		}
	}
	for (int m = 0; m < 3; m++)
		model_free(worlds[m].m);
}

static void test_down_master_has_word_and_role(void **state)
{
	struct world w = sentinel_world();
	const char *line;
	char *text;

	(void)state;
	text = draw_fresh(&topology_view, &w, "", 22, 80);
	line = line_with(text, "10.0.0.1:6379");
	assert_has(line, "master");
	assert_has(line, "up");
	assert_has(line_with(text, "quorum"), "quorum 2 of 3");
	assert_has(line_with(text, "quorum"), "ckquorum ok");
	free(text);
	kill_master(&w);
	text = draw_fresh(&topology_view, &w, "", 22, 80);
	line = line_with(text, "10.0.0.1:6379");
	assert_has(line, "master");
	assert_has(line, "down");
	assert_has(line, "✖");
	assert_has(line_with(text, "failover:"), "waiting for promotion");
	assert_has(line_with(text, "10.0.0.2:6379"), "promoting");
	assert_has(line_with(text, "10.0.0.3:6379"), "link down");
	assert_has(line_with(text, "10.0.0.9:26380"), "sentinel");
	free(text);
	model_free(w.m);
}

static void test_no_quorum_says_why(void **state)
{
	struct world w = sentinel_world();
	char *text;

	(void)state;
	ckquorum(&w, false,
		 "NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the "
		 "specified quorum");
	text = draw_fresh(&topology_view, &w, "", 22, 80);
	assert_has(text, "ckquorum NOT OK");
	assert_has(text, "NOQUORUM 1 usable Sentinels");
	free(text);
	model_free(w.m);
}

/* Two replicas that follow each other, and one that follows a replica. */
static void test_chains_and_cycles(void **state)
{
	struct world w = sentinel_world();
	char *text;

	(void)state;
	info_replica(&w, id_of(&w, "10.0.0.4", 6379), "standalone", 4, "10.0.0.3", 6379, 100,
		     LINK_OK);
	text = draw_fresh(&topology_view, &w, "", 22, 80);
	assert_has(line_with(text, "10.0.0.4:6379"), "  └─");
	free(text);
	info_replica(&w, id_of(&w, "10.0.0.3", 6379), "standalone", 3, "10.0.0.4", 6379, 100,
		     LINK_OK);
	text = draw_fresh(&topology_view, &w, "", 22, 80);
	line_with(text, "10.0.0.3:6379"); /* shown, and the drawing ends */
	line_with(text, "10.0.0.4:6379");
	free(text);
	model_free(w.m);
}

static void test_second_master_is_marked(void **state)
{
	struct world w = sentinel_world();
	char *text;

	(void)state;
	info_master(&w, id_of(&w, "10.0.0.3", 6379), "standalone", 3, 5000000, "");
	text = draw_fresh(&topology_view, &w, "", 22, 100);
	assert_has(line_with(text, "10.0.0.3:6379"), "master!");
	assert_has(line_with(text, "10.0.0.3:6379"), "master:");
	free(text);
	model_free(w.m);
}

/* A Sentinel's last word on the promoted one as a replica stays: nobody lists it as one any more. */
static void test_promotion_ends(void **state)
{
	struct world w = sentinel_world();
	uint32_t second = id_of(&w, "10.0.0.2", 6379);
	struct sentinel_instance replica =
	    instance("10.0.0.2:6379", "10.0.0.2", 6379, SFLAG_SLAVE | SFLAG_PROMOTED);
	struct sentinel_instance master = instance("mymaster", "10.0.0.2", 6379, SFLAG_MASTER);
	char *text;

	(void)state;
	listed(&w, ASK_SENTINEL_REPLICAS, id_of(&w, "10.0.0.9", 26379), &replica, 1);
	info_master(&w, second, "standalone", 2, 5900000, "");
	text = draw_fresh(&topology_view, &w, "", 22, 100);
	assert_has(line_with(text, "10.0.0.2:6379"), "promoted");
	free(text);
	master.config_epoch = 8;
	snprintf(master.run_id, sizeof(master.run_id), "%040d", 2);
	for (int s = 0; s < 3; s++)
		listed(&w, ASK_SENTINEL_MASTERS, id_of(&w, "10.0.0.9", 26379 + s), &master, 1);
	text = draw_fresh(&topology_view, &w, "", 22, 100);
	assert_has(line_with(text, "10.0.0.2:6379"), "master");
	assert_lacks(line_with(text, "10.0.0.2:6379"), "promoted");
	free(text);
	model_free(w.m);
}

/* Only the word of a node that answers contradicts, and not that of one which is being promoted. */
static void test_expected_roles_are_not_marked(void **state)
{
	struct world w = sentinel_world(), cl = cluster_world("master", " 5461-10922", true);
	uint32_t third = id_of(&w, "10.0.0.3", 6379);
	char *text;

	(void)state;
	info_master(&w, third, "standalone", 3, 5000000, "");
	link_to(&w, third, LINK_LOST, "connection closed by the server");
	text = draw_fresh(&topology_view, &w, "", 22, 100);
	assert_lacks(line_with(text, "10.0.0.3:6379"), "!");
	free(text);

	kill_master(&w);
	info_master(&w, id_of(&w, "10.0.0.2", 6379), "standalone", 2, 5900000, "");
	text = draw_fresh(&topology_view, &w, "", 22, 100);
	assert_lacks(line_with(text, "10.0.0.2:6379"), "!");
	assert_has(line_with(text, "10.0.0.2:6379"), "promoted");
	free(text);

	/* CLUSTER FAILOVER: it says so before CLUSTER NODES was asked again. */
	info_master(&cl, id_of(&cl, "127.0.0.1", 7003), "cluster", 103, 500000, "");
	text = draw_fresh(&topology_view, &cl, "", 22, 100);
	assert_lacks(text, "!");
	assert_lacks(text, "second master");
	assert_has(line_with(text, "127.0.0.1:7003"), "changing role, says master");
	free(text);
	model_free(cl.m);
	model_free(w.m);
}

static void test_replication_words(void **state)
{
	struct world w = sentinel_world();
	char *text;

	(void)state;
	text = draw_fresh(&replication_view, &w, "", 22, 80);
	assert_has(text, "bars 0..1 MB");
	assert_has(line_with(text, "10.0.0.4:6379"), "584 kB");
	assert_has(text, "off backlog in");
	free(text);
	text = draw_fresh(&replication_view, &w, "", 60, 200);
	assert_has(line_with(text, "10.0.0.4:6379"), "kB/s");
	assert_has(line_with(text, "10.0.0.4:6379"), "off backlog in");
	assert_has(line_with(text, "10.0.0.2:6379"), "linked");
	assert_has(line_with(text, "mymaster"), "writes 80 kB/s");
	free(text);
	info_replica(&w, id_of(&w, "10.0.0.3", 6379), "standalone", 3, "10.0.0.1", 6379, 0,
		     "master_link_status:down\r\nmaster_link_down_since_seconds:3\r\nmaster_sync_"
		     "in_progress:1\r\n"
		     "master_sync_total_bytes:1000000\r\nmaster_sync_read_bytes:400000\r\n");
	text = draw_fresh(&replication_view, &w, "", 22, 80);
	assert_has(line_with(text, "10.0.0.3:6379"), "full sync 40 %");
	free(text);
	kill_master(&w);
	text = draw_fresh(&replication_view, &w, "", 22, 80);
	assert_has(line_with(text, "10.0.0.4:6379"), "link down 12 s");
	free(text);
	model_free(w.m);
}

/* What is in flight on a healthy link is no forecast of trouble. */
static void test_replication_is_calm(void **state)
{
	struct world w = sentinel_world();
	char *text;

	(void)state;
	for (int i = 0; i < 15; i++) {
		w.now += 1000;
		data_nodes_say(&w, 6000000 + i * 80000, 3000 + i * 2000);
	}
	text = draw_fresh(&replication_view, &w, "", 60, 200);
	assert_lacks(text, "off backlog");
	assert_has(line_with(text, "10.0.0.4:6379"), "●");
	free(text);
	model_free(w.m);
}

static void test_filter(void **state)
{
	struct world w = sentinel_world();
	struct view *v = view_new(&topology_view);
	char *text;

	(void)state;
	view_set_filter(v, "ABC");
	assert_true(view_matches(v, "xxabcxx"));
	assert_false(view_matches(v, "xaybzc"));
	view_set_filter(v, "!abc");
	assert_false(view_matches(v, "xxABCxx"));
	assert_true(view_matches(v, "x"));
	view_set_filter(v, "!");
	assert_true(view_matches(v, "x"));
	view_free(v);

	kill_master(&w);
	text = draw_fresh(&topology_view, &w, "link down", 22, 80);
	assert_has(text, "/link down");
	assert_has(text, "10.0.0.3:6379");
	assert_has(text, "mymaster"); /* whose replica it is */
	assert_lacks(text, "10.0.0.1:6379");
	assert_lacks(text, "26379");
	free(text);
	text = draw_fresh(&topology_view, &w, "!sentinel", 22, 80);
	assert_lacks(text, "26380");
	assert_has(text, "10.0.0.4:6379");
	free(text);
	text = draw_fresh(&events_view, &w, "odown", 22, 80);
	assert_has(text, "+odown");
	assert_lacks(text, "+sdown");
	free(text);
	text = draw_fresh(&events_view, &w, "10.0.0.9:26381", 22, 80); /* a source */
	assert_has(text, "+sdown");
	assert_lacks(text, "+odown");
	free(text);
	text = draw_fresh(&events_view, &w, "critical", 22, 80); /* a severity */
	assert_has(text, "+odown");
	assert_lacks(text, "+sdown");
	free(text);
	text = draw_fresh(&replication_view, &w, "10.0.0.3", 22, 80);
	assert_has(text, "10.0.0.3:6379");
	assert_lacks(text, "10.0.0.4:6379");
	free(text);
	text = draw_fresh(&topology_view, &w, "no such thing", 22, 80);
	assert_has(text, "nothing matches");
	free(text);
	model_free(w.m);
}

static void test_events_row(void **state)
{
	struct world w = sentinel_world();
	struct view_context c;
	struct view *v;
	const char *line;
	char *text;

	(void)state;
	kill_master(&w);
	text = draw_fresh(&events_view, &w, "", 22, 80);
	line = line_with(text, "+sdown");
	assert_has(line, "10.0.0.1:6379");
	assert_has(line, "3/3 Sentinels over 40 ms");
	assert_has(line_with(text, "+odown"), "✖");
	assert_has(line_with(text, "+odown"), "quorum 3/2");
	assert_has(line_with(text, "+link-lost"), "connection closed");
	free(text);

	/* Scrolled back, the place is kept and what came since is counted. */
	c = context(&w);
	v = view_new(&events_view);
	free(draw_view(v, &c, 6, 80, false));
	v->ops->act(v, &c, CMD_TOP);
	text = draw_view(v, &c, 6, 80, false);
	assert_has(text, "+link-lost");
	assert_has(text, "newer below");
	free(text);
	message(&w, 1, "-sdown");
	v->stale = true;
	text = draw_view(v, &c, 6, 80, false);
	assert_has(text, "+link-lost");
	assert_lacks(text, "-sdown");
	free(text);
	v->ops->act(v, &c, CMD_BOTTOM);
	text = draw_view(v, &c, 6, 80, false);
	assert_has(text, "-sdown");
	assert_lacks(text, "newer below");
	free(text);
	v->ops->act(v, &c, CMD_ENTER);
	text = draw_view(v, &c, 22, 80, false);
	assert_has(text, "no longer subjectively down");
	assert_has(text, "10.0.0.9:26380");
	free(text);
	view_free(v);
	model_free(w.m);
}

static void message_of(struct world *w, int sentinel, const char *channel, const char *host,
		       const char *detail)
{
	struct sentinel_message msg;
	struct observation o = observe(w, ASK_MESSAGE, id_of(w, "10.0.0.9", 26379 + sentinel));

	memset(&msg, 0, sizeof(msg));
	snprintf(msg.channel, sizeof(msg.channel), "%s", channel);
	snprintf(msg.instance_type, sizeof(msg.instance_type), "slave");
	snprintf(msg.name, sizeof(msg.name), "%s:6379", host);
	snprintf(msg.master_name, sizeof(msg.master_name), "mymaster");
	snprintf(msg.detail, sizeof(msg.detail), "%s", detail);
	msg.addr = at(host, 6379);
	msg.master = at("10.0.0.1", 6379);
	msg.epoch = FACT_UNKNOWN;
	o.sent_ms = 0;
	o.u.message = &msg;
	model_apply(w->m, &o);
}

/* Column at which `what` stands in the line with `word`. */
static int column_in(const char *text, const char *word, const char *what)
{
	const char *line = line_with(text, word), *hit = strstr(line, what);
	int column = 0;

	if (!hit)
		fail_msg("no \"%s\" in: %s", what, line);
	for (const char *s = line; s < hit; s++)
		column += ((unsigned char)*s & 0xc0) != 0x80;
	return column;
}

/* Names as long as +failover-state-send-slaveof-noone push no column out of line, and at 80 columns
 * the subject and the sources give way, not the names and what happened. */
static void test_events_columns(void **state)
{
	static const int widths[] = {96, 100, 119, 120, 140, 200};
	static const char *const names[] = {"+failover-state-send-slaveof-noone",
					    "+slave-reconf-inprog", "+promoted-slave"};
	struct world w = sentinel_world();
	char *text;

	(void)state;
	kill_master(&w);
	for (size_t i = 0; i < 3; i++)
		message_of(&w, 0, names[i], "10.0.0.2", "@ detail");
	message(&w, 1, "-odown");
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		const char *who = " 10.0.0."; /* the first in the line: the column of whom it is about */
		int who_at, detail_at;

		text = draw_fresh(&events_view, &w, "", 30, widths[i]);
		who_at = column_in(text, names[0], who);
		detail_at = column_in(text, names[0], "@ detail");
		for (size_t k = 0; k < 3; k++) {
			assert_int_equal(column_in(text, names[k], who), who_at);
			assert_int_equal(column_in(text, names[k], "@ detail"), detail_at);
		}
		assert_int_equal(column_in(text, "+link-lost", who), who_at);
		assert_int_equal(column_in(text, "-odown", who), who_at);
		assert_has(line_with(text, "-odown"), "1/3 Sentinels");
		if (widths[i] >= 120) /* below, the reason takes all the room */
			assert_has(line_with(text, "+link-lost"), "redoubt");
		free(text);
	}
	text = draw_fresh(&events_view, &w, "", 30, 80);
	for (size_t i = 0; i < 3; i++)
		assert_has(line_with(text, names[i]), "10.0.0.2:6379");
	assert_int_equal(column_in(text, names[1], "@ detail"),
			 column_in(text, names[2], "@ detail"));
	assert_lacks(line_with(text, names[1]), "mymaster");
	assert_has(line_with(text, "-odown"), "1/3 Sentinels");
	free(text);
	model_free(w.m);
}

/* A full ring that goes on turning: the rows are those that the log holds, in its order. */
static void test_events_ring(void **state)
{
	struct world w = {model_new(10000), T0};
	struct view *v = view_new(&events_view);
	struct view_context c;
	uint32_t id;

	(void)state;
	target(&w, at("10.0.0.1", 6379));
	id = id_of(&w, "10.0.0.1", 6379);
	c = context(&w);
	for (int round = 0; round < 3; round++) {
		const struct event_log *log = model_events(w.m);

		for (int i = 0; i < 4500; i++) {
			w.now += 100;
			link_to(&w, id, i % 2 ? LINK_UP : LINK_LOST, "gone");
		}
		c.now_ms = w.now;
		v->ops->rebuild(v, &c);
		assert_int_equal(v->list.count, event_log_count(log));
		for (size_t i = 0; i < v->list.count; i++)
			assert_int_equal(v->list.ids[i], event_log_at(log, i)->seq);
		assert_int_equal(v->list.selected, v->list.count - 1);
	}
	assert_int_equal(v->list.count, 10000);
	view_set_filter(v, "!link-lost");
	v->ops->rebuild(v, &c);
	assert_int_equal(v->list.count, 0);
	view_set_filter(v, "-link-lost");
	v->ops->rebuild(v, &c);
	assert_true(v->list.count > 4000);
	view_free(v);
	model_free(w.m);
}

static void test_slots(void **state)
{
	struct world w = cluster_world("master", " 5461-10922", true);
	char *text;
	char expected[32];

	(void)state;
	text = draw_fresh(&slots_view, &w, "", 22, 80);
	assert_has(text, "all slots served");
	assert_has(text, "slot 42 migrating A to B");
	assert_has(line_with(text, "127.0.0.1:7001 "), "5462 slots");
	assert_has(text, "AAAA");
	assert_has(text, "CCCC");
	assert_lacks(text, "!");
	free(text);
	/* the key's slot; hash tags respected */
	snprintf(expected, sizeof(expected), "slot %u", slot_of_key("{user1000}.following", 20));
	assert_int_equal(slot_of_key("{user1000}.following", 20), slot_of_key("user1000", 8));
	text = draw_fresh(&slots_view, &w, "{user1000}.following", 22, 80);
	assert_has(line_with(text, expected), "owner 127.0.0.1:700");
	free(text);
	model_free(w.m);

	w = cluster_world("master,fail", " 5463-10922", false);
	text = draw_fresh(&slots_view, &w, "", 22, 80);
	assert_has(text, "CLUSTER DOWN");
	assert_has(text, "2 uncovered");
	assert_has(text, "slots 5461-5462 uncovered");
	assert_has(text, "A!B"); /* two slots of a cell of many are enough */
	assert_has(text, "✖✖✖✖");
	assert_has(line_with(text, "127.0.0.1:7002"), "FAILED");
	free(text);
	model_free(w.m);

	/* before the cluster itself has noticed */
	w = cluster_world("master", " 5461-10922", true);
	link_to(&w, id_of(&w, "127.0.0.1", 7002), LINK_LOST, "connection closed");
	text = draw_fresh(&slots_view, &w, "", 22, 80);
	assert_has(text, "5461 slots: owner does not answer");
	assert_lacks(text, "all slots served");
	free(text);
	model_free(w.m);

	w = cluster_world("master,fail?", " 5461-10922", true);
	text = draw_fresh(&slots_view, &w, "", 22, 80);
	assert_has(text, "????");
	assert_has(text, "suspected");
	free(text);
	model_free(w.m);
}

/* A long address keeps its host's beginning and its port. */
static void test_long_address(void **state)
{
	struct screen *s = open_screen(1, 40, true);
	struct pane p = pane_whole(s);
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(
	    addr_draw(&p, 0, 0, 20, STYLE_TEXT, "redis-17.data.production.example.net:6379"), 20);
	assert_int_equal(addr_draw(&p, 0, 25, 15, STYLE_TEXT, "10.0.0.1:6379"), 38);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	screen_close(s);
	assert_string_equal(buf_str(&out), "redis-17.~e.net:6379     10.0.0.1:6379\n");
	buf_free(&out);
}

static void test_selection(void **state)
{
	static const struct view_ops *const with[] = {&topology_view, &replication_view};
	struct world w = sentinel_world();
	struct view_context c = context(&w);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct view *v = view_new(with[i]);
		struct selection sel = {0, 0, 0};

		free(draw_view(v, &c, 60, 200, false));
		assert_true(list_select_id(&v->list, id_of(&w, "10.0.0.3", 6379)));
		v->ops->selection(v, &sel);
		assert_int_equal(sel.node_id, id_of(&w, "10.0.0.3", 6379));
		assert_int_equal(sel.group_id, model_node(w.m, sel.node_id)->group_id);
		/* it stays with its node when rows come above it */
		ckquorum(&w, false, "NOQUORUM");
		v->stale = true;
		free(draw_view(v, &c, 60, 200, false));
		v->ops->selection(v, &sel);
		assert_int_equal(sel.node_id, id_of(&w, "10.0.0.3", 6379));
		view_free(v);
	}
	model_free(w.m);
}

static bool overlap(const struct rect *a, const struct rect *b)
{
	return a->y < b->y + b->height && b->y < a->y + a->height && a->x < b->x + b->width &&
	       b->x < a->x + a->width;
}

static bool shown(const struct rect *rects, size_t n, size_t view)
{
	for (size_t i = 0; i < n; i++)
		if (rects[i].view == view)
			return true;
	return false;
}

static void check_layout(const struct view_context *c, struct view *const *views, int height,
			 int width)
{
	struct rect rects[8];
	size_t n = dashboard_layout(views, 4, c, height, width, rects, 8);
	int area = 0;

	assert_true(n >= 1);
	for (size_t i = 0; i < n; i++) {
		const struct rect *r = &rects[i];

		assert_true(r->y >= 0 && r->x >= 0 && r->height > 0 && r->width > 0);
		assert_true(r->y + r->height <= height && r->x + r->width <= width);
		if (n > 1)
			assert_true(r->height >= 4);
		area += r->height * r->width;
		for (size_t k = 0; k < i; k++)
			assert_false(overlap(r, &rects[k]));
	}
	assert_int_equal(area, height * width); /* no holes */
}

static void test_layout(void **state)
{
	struct world worlds[2] = {sentinel_world(), cluster_world("master", " 5461-10922", true)};

	(void)state;
	for (int m = 0; m < 2; m++) {
		struct view_context c = context(&worlds[m]);
		struct view *views[4] = {view_new(&topology_view), view_new(&replication_view),
					 view_new(&slots_view), view_new(&events_view)};
		struct rect rects[8];
		size_t n;

		for (size_t i = 0; i < 4; i++)
			views[i]->ops->rebuild(views[i], &c);
		for (int width = 1; width <= 220; width++)
			for (int height = 1; height <= 70; height++)
				check_layout(&c, views, height, width);
		n = dashboard_layout(views, 4, &c, 18, 80, rects, 8);
		assert_true(shown(rects, n, 0) && shown(rects, n, 1) && shown(rects, n, 3));
		assert_int_equal(shown(rects, n, 2), m == 1); /* the slot map: clusters only */
		assert_int_equal(dashboard_layout(views, 4, &c, 0, 80, rects, 8), 0);
		assert_int_equal(dashboard_layout(views, 4, &c, 50, 180, rects, 1), 1);
		for (size_t i = 0; i < 4; i++)
			view_free(views[i]);
		model_free(worlds[m].m);
	}
}

/* A tree that does not fit takes rows from the events, which keep some. */
static void test_layout_of_large_tree(void **state)
{
	static const int counts[] = {30, 60};
	struct world w = sentinel_world();
	struct sentinel_instance items[60];
	struct view *views[4] = {view_new(&topology_view), view_new(&replication_view),
				 view_new(&slots_view), view_new(&events_view)};
	struct view_context c;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rect rects[8];
		size_t n;

		for (int r = 0; r < counts[i]; r++) {
			char host[32];

			snprintf(host, sizeof(host), "10.0.1.%d", r);
			items[r] = instance(host, host, 6379, SFLAG_SLAVE);
			items[r].master = at("10.0.0.1", 6379);
		}
		listed(&w, ASK_SENTINEL_REPLICAS, id_of(&w, "10.0.0.9", 26379), items,
		       (size_t)counts[i]);
		c = context(&w);
		for (size_t k = 0; k < 4; k++)
			views[k]->ops->rebuild(views[k], &c);
		n = dashboard_layout(views, 4, &c, 56, 200, rects, 8);
		for (size_t k = 0; k < n; k++) {
			if (rects[k].view == 0 && counts[i] == 30)
				assert_true((size_t)rects[k].height >= views[0]->list.count + 2);
			else if (rects[k].view == 0)
				assert_true(rects[k].height >= 45);
			else if (rects[k].view == 3)
				assert_true(rects[k].height >= 8);
		}
	}
	for (size_t k = 0; k < 4; k++)
		view_free(views[k]);
	model_free(w.m);
}

static char *draw_chrome(const struct view_context *c, int height, int width)
{
	struct view *v = view_new(&topology_view);
	struct screen *s = open_screen(height, width, false);
	struct pane whole = pane_whole(s), foot = pane_sub(&whole, height - 1, 0, 1, width);
	struct buf out = BUF_INIT;

	header_draw(&whole, c, tabs, 5, 1);
	footer_draw(&foot, c, v);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	screen_close(s);
	view_free(v);
	dumped("header and footer", buf_str(&out));
	return out.data;
}

static void test_header_and_footer(void **state)
{
	struct world w = sentinel_world();
	struct view_context c = context(&w);
	char *text;

	(void)state;
	text = draw_chrome(&c, 12, 80);
	assert_has(text, "LIVE 1.0s");
	assert_has(text, "3 sentinels");
	assert_has(text, " OK  4 nodes and 3 Sentinels up");
	assert_has(text, "2 Topology");
	assert_has(text, "f failover");
	assert_has(text, "q quit");
	free(text);
	c.read_only = true;
	c.frozen = true;
	c.frozen_at_ms = c.now_ms - 12000;
	c.deployment_count = 3;
	text = draw_chrome(&c, 12, 80);
	assert_has(text, "READ-ONLY");
	assert_has(text, "FROZEN 12 s ago");
	assert_has(text, "1/3");
	assert_lacks(text, "f failover");
	free(text);
	/* What is frozen is said before everything else. */
	text = draw_chrome(&c, 12, 30);
	assert_has(text, "FROZEN 12 s");
	free(text);
	c.frozen = false;
	c.notice = "asked every node";
	c.notice_health = HEALTH_OK;
	c.log_error = "redoubt.log: No space left on device";
	text = draw_chrome(&c, 12, 120);
	assert_has(text, "asked every node");
	assert_has(text, "No space left on device");
	free(text);
	c.notice = c.log_error = "";
	kill_master(&w);
	c.now_ms = w.now;
	text = draw_chrome(&c, 12, 160);
	assert_has(text, "CRITICAL");
	assert_has(text, "objectively down");
	assert_has(text, "failover: waiting for promotion");
	free(text);
	/* The phase is said whole, whatever else there is to say. */
	for (int width = 50; width <= 160; width++) {
		text = draw_chrome(&c, 12, width);
		assert_has(text, "failover: waiting for promotion 1.2 s");
		free(text);
	}
	for (size_t i = 0; i < SIZES; i++)
		free(draw_chrome(&c, sizes[i][0], sizes[i][1]));
	model_free(w.m);

	/* Asked for by hand: nothing is down, and that it runs is said once. */
	w = sentinel_world();
	message(&w, 0, "+try-failover");
	c = context(&w);
	text = draw_chrome(&c, 12, 80);
	assert_has(text, "failover: electing a leader");
	assert_lacks(text, "a failover is running");
	free(text);
	model_free(w.m);
}

/* The panes are of the moment of freezing, drawn before it or not; the alert line is of now. */
static void test_freeze(void **state)
{
	static const struct view_ops *const ops[] = {&topology_view, &replication_view};
	struct world w = sentinel_world();
	struct view_context c = context(&w);
	struct view *views[2];
	char *text;

	(void)state;
	c.frozen = true;
	c.frozen_at_ms = c.now_ms;
	for (size_t i = 0; i < 2; i++) {
		views[i] = view_new(ops[i]);
		views[i]->ops->rebuild(views[i], &c);
		views[i]->stale = false;
	}
	kill_master(&w);
	c.live_now_ms = w.now;
	for (size_t i = 0; i < 2; i++) {
		text = draw_view(views[i], &c, 20, 100, false);
		assert_lacks(text, "down");
		assert_lacks(text, "lost");
		free(text);
		view_free(views[i]);
	}
	text = draw_chrome(&c, 12, 160);
	assert_has(text, "live:");
	assert_has(text, "CRITICAL");
	assert_has(text, "objectively down");
	assert_lacks(text, "nodes");
	free(text);
	model_free(w.m);
}

static void test_notice_leaves_the_alert(void **state)
{
	struct world w = sentinel_world();
	struct view_context c = context(&w);
	char *text;

	(void)state;
	kill_master(&w);
	c.now_ms = c.live_now_ms = w.now;
	c.notice = "only a cluster has slots";
	c.notice_health = HEALTH_UNKNOWN;
	text = draw_chrome(&c, 12, 100);
	assert_has(text, "only a cluster has slots");
	assert_has(text, "CRITICAL");
	assert_has(text, "objectively down");
	free(text);
	/* Without an alert line it is said all the same. */
	text = draw_chrome(&c, 4, 100);
	assert_has(text, "only a cluster has slots");
	free(text);
	model_free(w.m);
}

static void test_keys(void **state)
{
	(void)state;
	const struct keymap *m = keymap_builtin();
	struct buf err = BUF_INIT;

	assert_int_equal(keymap_command(m, 'j'), CMD_DOWN);
	assert_int_equal(keymap_command(m, KEYC_DOWN), CMD_DOWN);
	assert_int_equal(keymap_command(m, KEYC_F1), CMD_HELP);
	assert_int_equal(keymap_command(m, '4'), CMD_SCREEN_4);
	assert_int_equal(keymap_command(m, KEYC_NONE), CMD_NONE);
	assert_int_equal(keymap_command(m, 'X'), CMD_NONE);
	assert_int_equal(keymap_check(m, &err), 0); /* no key has two meanings */
}

static void test_help_lists_every_key(void **state)
{
	struct screen *s = open_screen(help_height(), 80, false);
	struct pane p = pane_whole(s);
	struct view_context c = {.notice = ""};
	struct buf out = BUF_INIT;

	(void)state;
	help_draw(&p, &c, 0);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	dumped("help", buf_str(&out));
	for (size_t i = 0; i < key_binding_count; i++) {
		const struct key_binding *b = &key_bindings[i];
		const char *line = line_with(buf_str(&out), b->help);

		for (size_t k = 0; k < KEYS_A_COMMAND && b->keys[k]; k++) {
			char name[16];

			assert_has(line, key_name(b->keys[k], name));
		}
	}
	screen_close(s);
	buf_reset(&out);
	s = open_screen(6, 30, false); /* scrolled too far shows the end */
	p = pane_whole(s);
	help_draw(&p, &c, 1000);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	assert_has(buf_str(&out), "quit");
	screen_close(s);
	buf_free(&out);
}

static char *draw_sheet(const struct sheet *sheet, const char *typed, int height, int width)
{
	struct screen *s = open_screen(height, width, false);
	struct pane p = pane_whole(s);
	struct view_context c = {.notice = ""};
	struct prompt prompt = {.len = (int)strlen(typed), .cursor = (int)strlen(typed)};
	struct buf out = BUF_INIT;
	char what[40];

	snprintf(prompt.text, sizeof(prompt.text), "%s", typed);
	sheet_draw(&p, &c, sheet, &prompt);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	screen_close(s);
	snprintf(what, sizeof(what), "sheet %dx%d", width, height);
	dumped(what, buf_str(&out));
	return out.data;
}

static void test_sheet(void **state)
{
	struct sheet s = {.state = SHEET_CONFIRM,
			  .title = "Fail over mymaster",
			  .confirm = "mymaster",
			  .command = "SENTINEL FAILOVER mymaster",
			  .target = "10.0.0.9:26379 (Sentinel)"};
	static const int low[][2] = {{22, 80}, {12, 80}, {10, 40}, {6, 40}, {5, 30}};
	char *text;

	(void)state;
	sheet_line_add(&s, HEALTH_OK, "quorum", "2 of 3 Sentinels are needed, 3 answer");
	sheet_line_add(&s, HEALTH_OK, "promoted",
		       "10.0.0.2:6379 is expected: priority 100, most data");
	sheet_line_add(&s, HEALTH_WARNING, "at risk",
		       "584 kB that 10.0.0.4:6379 has not received yet and would "
		       "have to fetch from the new master by a full synchronisation");
	sheet_line_add(&s, HEALTH_OK, "clients", "12 connected clients will be disconnected");
	sheet_line_add(&s, HEALTH_CRITICAL, "running", "a failover ended 4 s ago");
	for (size_t i = 0; i < sizeof(low) / sizeof(low[0]); i++) {
		text = draw_sheet(&s, "mym", low[i][0], low[i][1]);
		assert_has(text, "SENTINEL FAILOVER mymaster");
		assert_has(text, "> mym");
		if (low[i][0] >= 12) {
			assert_has(text, "Type mymaster to go ahead, Esc to leave");
			assert_has(text, "a failover ended 4 s ago"); /* the worst is never cut */
			assert_has(text, "10.0.0.9:26379");
		}
		free(text);
	}
	s.state = SHEET_DONE;
	snprintf(s.outcome, sizeof(s.outcome),
		 "10.0.0.2:6379 is master, 3 of 3 Sentinels agree, after 2.2 s");
	text = draw_sheet(&s, "", 22, 80);
	assert_has(text, "Done and verified");
	assert_has(text, "3 of 3 Sentinels agree");
	free(text);
	s.state = SHEET_BLOCKED;
	text = draw_sheet(&s, "", 22, 80);
	assert_has(text, "Cannot be done now");
	assert_lacks(text, "Type mymaster");
	free(text);
	free(draw_sheet(&s, "", 1, 1));
	free(draw_sheet(&s, "", 2, 3));
	s.state = SHEET_CONFIRM;
	free(draw_sheet(&s, "", 1, 1));
	free(draw_sheet(&s, "", 3, 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_size),
	    cmocka_unit_test(test_every_view_and_command),
	    cmocka_unit_test(test_down_master_has_word_and_role),
	    cmocka_unit_test(test_no_quorum_says_why),
	    cmocka_unit_test(test_chains_and_cycles),
	    cmocka_unit_test(test_second_master_is_marked),
	    cmocka_unit_test(test_expected_roles_are_not_marked),
	    cmocka_unit_test(test_replication_words),
	    cmocka_unit_test(test_replication_is_calm),
	    cmocka_unit_test(test_filter),
	    cmocka_unit_test(test_events_row),
	    cmocka_unit_test(test_events_columns),
	    cmocka_unit_test(test_events_ring),
	    cmocka_unit_test(test_slots),
	    cmocka_unit_test(test_long_address),
	    cmocka_unit_test(test_selection),
	    cmocka_unit_test(test_layout),
	    cmocka_unit_test(test_layout_of_large_tree),
	    cmocka_unit_test(test_header_and_footer),
	    cmocka_unit_test(test_freeze),
	    cmocka_unit_test(test_notice_leaves_the_alert),
	    cmocka_unit_test(test_promotion_ends),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_help_lists_every_key),
	    cmocka_unit_test(test_sheet),
	};

	if (!setlocale(LC_ALL, "C.UTF-8"))
		setlocale(LC_ALL, "");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
