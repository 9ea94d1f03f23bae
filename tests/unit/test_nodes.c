/* The table of nodes, one node's screen, and the graphs on it, over models built from observations.
 * With REDOUBT_DUMP set the frames are printed as well. */
#include "config.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "observe.h"
#include "tui/graph.h"
#include "views/nodes_columns.h"
#include "views/view.h"

/* --- screens ----------------------------------------------------------------------------------- */

static struct screen *open_screen(int height, int width, bool ascii)
{
	static struct theme theme;
	struct screen_options opt = { .theme = &theme, .ascii = ascii, .headless = true, .width = width,
				      .height = height };
	struct buf err = BUF_INIT;
	theme_builtin(&theme);
	struct screen *s = screen_open(&opt, &err);
	if (s == NULL)
		fail_msg("%s", buf_str(&err));
	buf_free(&err);
	assert_true(screen_frame_begin(s));
	return s;
}

static struct view_context context(const struct world *w)
{
	size_t cursor = 0;
	const struct deployment *d = model_next_deployment(w->m, &cursor);
	return (struct view_context){ .model = w->m,
				      .now_ms = w->now,
				      .live_now_ms = w->now,
				      .wall_ms = WALL,
				      .interval_ms = 1000,
				      .deployment_id = d != NULL ? d->id : 0,
				      .deployment_count = 1,
				      .notice = "",
				      .log_error = "" };
}

/* The frame; the caller's to free. */
static char *draw(struct view *v, const struct view_context *c, int height, int width, bool ascii)
{
	struct screen *s = open_screen(height, width, ascii);
	struct pane p = pane_whole(s);
	struct buf out = BUF_INIT;
	if (v->stale && !(c->frozen && v->list.count > 0))
		v->ops->rebuild(v, c);
	view_draw(v, c, &p, true);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	screen_close(s);
	if (getenv("REDOUBT_DUMP") != NULL)
		fprintf(stderr, "===== %s %dx%d\n%s", v->ops->name, width, height, buf_str(&out));
	buf_addstr(&out, "");
	return out.data;
}

/* The n-th line, from 0; in a buffer of its own. */
static const char *line_of(const char *frame, int n)
{
	static char line[2048];
	while (n-- > 0) {
		frame = strchr(frame, '\n');
		assert_non_null(frame);
		frame++;
	}
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(frame, "\n"), frame);
	return line;
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("\"%s\" in \"%s\"", part, text);
}

/* The ports stand in this order, one a line, from the line `from` on. */
static void assert_order(const char *frame, int from, const int *ports, int count)
{
	char port[16];
	for (int i = 0; i < count; i++) {
		snprintf(port, sizeof(port), ":%d", ports[i]);
		assert_has(line_of(frame, from + i), port);
	}
}

/* INFO with numbers; FACT_UNKNOWN: the field is not there. */
static void stats(struct world *w, int port, int master, int64_t ops, int64_t memory)
{
	char line[64] = "", role[128] = "role:master\r\n";
	if (ops != FACT_UNKNOWN)
		snprintf(line, sizeof(line), "instantaneous_ops_per_sec:%lld\r\n", (long long)ops);
	if (master != 0)
		snprintf(role, sizeof(role),
			 "role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:%d\r\n" INFO_LINKED, master);
	infof(w, id_at(w, port),
	      INFO_HEAD "uptime_in_seconds:93784\r\n# Clients\r\nconnected_clients:12\r\n"
			"maxclients:10000\r\n# Memory\r\nused_memory:%lld\r\nmaxmemory:67000000\r\n"
			"# Persistence\r\nrdb_last_bgsave_status:err\r\naof_last_write_status:ok\r\n"
			"# Stats\r\n%sinstantaneous_input_kbps:2.00\r\ninstantaneous_output_kbps:0.50\r\n"
			"keyspace_hits:%lld\r\nkeyspace_misses:%lld\r\n# Replication\r\n%s%s"
			"master_repl_offset:9000\r\n# Keyspace\r\ndb0:keys=1056,expires=0,avg_ttl=0\r\n",
	      "standalone", port, (long long)memory, line, (long long)(w->now / 10),
	      (long long)(w->now / 30), role,
	      master == 0 ? LISTED(0, 21002, 9000) LISTED(1, 21003, 4000) : "");
}

static struct world numbers_world(void)
{
	struct world w = sentinel_world();
	for (int i = 0; i < 30; i++) {
		w.now += 1000;
		stats(&w, 21001, 0, 120 + i, 2000000);
		stats(&w, 21002, 21001, 4500, 3000000);
		stats(&w, 21003, 21001, FACT_UNKNOWN, 1000000);
		for (int port = 26001; port <= 26003; port++)
			info_sentinel(&w, id_at(&w, port), port);
	}
	return w;
}

/* --- the table --------------------------------------------------------------------------------- */

static void test_table_shows_all(void **state)
{
	struct world w = numbers_world();
	struct view_context c = context(&w);
	struct view *v = view_new(&nodes_view);
	(void)state;
	char *frame = draw(v, &c, 20, 80, false);
	assert_has(line_of(frame, 0), "6 nodes");
	assert_has(line_of(frame, 1), "node▲");
	const int ports[] = { 21001, 21002, 21003, 26001, 26002, 26003 };
	assert_order(frame, 2, ports, 6);
	assert_has(line_of(frame, 2), "● 127.0.0.1:21001 master");
	assert_has(line_of(frame, 3), "replica");
	assert_has(line_of(frame, 3), "4.5k");
	assert_has(line_of(frame, 3), "3.0 MB");
	assert_has(line_of(frame, 4), "?");
	assert_has(line_of(frame, 5), "sentinel");
	free(frame);
	frame = draw(v, &c, 20, 230, false);
	for (int i = 0; i < 6; i++)
		assert_has(line_of(frame, 2 + i), "7.0.15");
	assert_has(line_of(frame, 1), "hit%");
	assert_has(line_of(frame, 3), "75%"); /* of reads */
	assert_has(line_of(frame, 3), "4%");  /* of maxmemory */
	assert_has(line_of(frame, 3), "2.0 kB");
	assert_has(line_of(frame, 4), "5.0 kB"); /* lag */
	/* What a Sentinel cannot have is no question mark: its clients are. */
	assert_lacks(line_of(frame, 5), " 0%");
	free(frame);
	view_free(v);
	world_end(&w);
}

static void test_sort(void **state)
{
	struct world w = numbers_world();
	struct view_context c = context(&w);
	struct view *v = view_new(&nodes_view);
	char *frame;
	(void)state;
	free(draw(v, &c, 20, 80, false));
	assert_true(list_select_id(&v->list, id_at(&w, 21001)));
	assert_false(nodes_view.sort(v, "no-such-column"));
	assert_true(nodes_view.sort(v, "ops"));
	frame = draw(v, &c, 20, 80, false);
	/* Largest first; those that say nothing at the end, by address. */
	const int falling[] = { 21002, 21001, 21003, 26001, 26002, 26003 };
	assert_order(frame, 2, falling, 6);
	assert_has(line_of(frame, 1), "ops/s▼");
	assert_lacks(line_of(frame, 1), "node▲");
	assert_int_equal(v->list.selected_id, id_at(&w, 21001));
	assert_int_equal(v->list.selected, 1);
	free(frame);
	assert_int_equal(nodes_view.act(v, &c, CMD_SORT_REVERSE), EFFECT_REDRAW);
	frame = draw(v, &c, 20, 80, false);
	const int rising[] = { 21001, 21002, 21003, 26001, 26002, 26003 };
	assert_order(frame, 2, rising, 6);
	assert_has(line_of(frame, 1), "ops/s▲");
	free(frame);
	/* What is not on the screen is named on the frame. */
	assert_true(nodes_view.sort(v, "run-id"));
	frame = draw(v, &c, 20, 80, false);
	assert_has(line_of(frame, 0), "by run-id ▲");
	free(frame);
	/* Through all that are on the screen, and back to the first. */
	for (int i = 0; i < 30; i++)
		nodes_view.act(v, &c, CMD_SORT_NEXT);
	frame = draw(v, &c, 20, 80, false);
	assert_lacks(line_of(frame, 0), "by ");
	free(frame);
	view_free(v);
	world_end(&w);
}

static void test_sort_by_state_is_worst_first(void **state)
{
	struct world w = numbers_world();
	struct view_context c;
	struct view *v = view_new(&nodes_view);
	(void)state;
	link_lost(&w, 21003);
	w.now += 12000;
	c = context(&w);
	assert_true(nodes_view.sort(v, "state"));
	char *frame = draw(v, &c, 20, 120, false);
	assert_has(line_of(frame, 2), "21003");
	assert_has(line_of(frame, 2), "link lost 12 s: connection reset by peer");
	free(frame);
	view_free(v);
	world_end(&w);
}

static void test_frozen_stands_still(void **state)
{
	struct world w = numbers_world();
	struct view_context c = context(&w);
	struct view *v = view_new(&nodes_view);
	char *frame, *later;
	(void)state;
	c.frozen = true;
	nodes_view.sort(v, "memory");
	frame = draw(v, &c, 20, 200, false);
	w.now += 1000;
	stats(&w, 21001, 0, 9, 9000000);
	link_lost(&w, 21002);
	v->stale = true;
	later = draw(v, &c, 20, 200, false);
	assert_string_equal(frame, later);
	free(later);
	/* Another order, of the same moment. */
	nodes_view.sort(v, "ops");
	later = draw(v, &c, 20, 200, false);
	assert_has(line_of(later, 2), "4.5k");
	assert_has(line_of(later, 2), "up");
	assert_has(line_of(later, 3), "150");
	free(later);
	free(frame);
	view_free(v);
	world_end(&w);
}

static void test_columns_chosen_and_scrolled(void **state)
{
	struct world w = numbers_world();
	struct view_context c = context(&w);
	struct view *v = view_new(&nodes_view);
	char *frame;
	(void)state;
	assert_false(nodes_view.choose(v, "keys,nonsense"));
	assert_true(nodes_view.choose(v, "keys, version,address,keys"));
	frame = draw(v, &c, 20, 80, false);
	assert_has(line_of(frame, 1), "keys version");
	assert_lacks(line_of(frame, 1), "state");
	assert_has(line_of(frame, 2), "1.1k 7.0.15");
	free(frame);
	assert_int_equal(nodes_view.act(v, &c, CMD_RIGHT), EFFECT_DONE); /* all are there */
	assert_true(nodes_view.choose(v, ""));
	frame = draw(v, &c, 20, 60, false);
	assert_has(line_of(frame, 1), "role");
	assert_has(line_of(frame, 1), ">");
	free(frame);
	bool seen[COLUMN_COUNT] = { false };
	for (int i = 0; i < COLUMN_COUNT; i++) {
		frame = draw(v, &c, 20, 60, false);
		assert_has(line_of(frame, 2), "● 127.0.0.1:21001");
		const char *titles = line_of(frame, 1);
		seen[0] |= strstr(titles, "hit%") != NULL;
		seen[1] |= strstr(titles, "run id") != NULL;
		seen[2] |= titles[strcspn(titles, "<")] == '<';
		free(frame);
		nodes_view.act(v, &c, CMD_RIGHT);
	}
	assert_true(seen[0] && seen[1] && seen[2]);
	view_free(v);
	world_end(&w);
}

static void test_filter_is_over_all(void **state)
{
	static const struct { const char *filter; int count; } cases[] = {
		{ "sentinel", 3 }, { "4.5k", 1 }, { "7.0.15", 6 }, { "21003", 1 }, { "!replica", 4 },
		{ "mymaster", 3 }, { "nothing-has-it", 0 },
	};
	struct world w = numbers_world();
	struct view_context c = context(&w);
	struct view *v = view_new(&nodes_view);
	(void)state;
	free(draw(v, &c, 20, 80, false));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		view_set_filter(v, cases[i].filter);
		char *frame = draw(v, &c, 20, 80, false);
		assert_int_equal(v->list.count, cases[i].count);
		if (cases[i].count == 0)
			assert_has(frame, "nothing matches the filter");
		free(frame);
	}
	struct selection s = { 0 };
	nodes_view.selection(v, &s);
	assert_int_equal(s.node_id, 0);
	view_set_filter(v, "21003");
	free(draw(v, &c, 20, 80, false));
	nodes_view.selection(v, &s);
	assert_int_equal(s.node_id, id_at(&w, 21003));
	assert_int_equal(nodes_view.act(v, &c, CMD_ENTER), EFFECT_OPEN_NODE);
	view_free(v);
	world_end(&w);
}

static void test_match_is_marked(void **state)
{
	struct world w = numbers_world();
	struct view_context c = context(&w);
	struct view *v = view_new(&nodes_view);
	struct screen *s = open_screen(20, 80, false);
	struct pane p = pane_whole(s);
	(void)state;
	view_set_filter(v, "21002");
	nodes_view.rebuild(v, &c);
	view_draw(v, &c, &p, true);
	/* "│● 127.0.0.1:21002" on the third line */
	assert_int_equal(screen_role_at(s, 2, 13), STYLE_MATCH);
	assert_int_equal(screen_role_at(s, 2, 17), STYLE_MATCH);
	assert_int_not_equal(screen_role_at(s, 2, 12), STYLE_MATCH);
	screen_frame_end(s);
	screen_close(s);
	view_free(v);
	world_end(&w);
}

/* 2,000 nodes: the last page is right, and only rows in sight are filled. */
static void test_many(void **state)
{
	struct world w = world_new();
	struct buf text = BUF_INIT;
	struct view *v = view_new(&nodes_view);
	(void)state;
	target(&w, 7001);
	link_up(&w, 7001);
	info_master_as(&w, id_at(&w, 7001), "cluster", 7001, 100, "");
	for (int i = 0; i < 2000; i++)
		buf_addf(&text, "%040d 127.0.0.1:%d@%d %smaster - 0 0 %d connected\n", i + 1, 7001 + i,
			 17001 + i, i == 0 ? "myself," : "", i + 1);
	cluster_nodes(&w, 7001, buf_str(&text));
	buf_free(&text);
	struct view_context c = context(&w);
	for (int i = 0; i < COLUMN_COUNT; i++) {
		assert_true(nodes_view.sort(v, nodes_view.columns[i]));
		nodes_view.rebuild(v, &c);
		assert_int_equal(v->list.count, 2000);
	}
	assert_true(nodes_view.sort(v, "address"));
	free(draw(v, &c, 24, 80, false));
	nodes_view.act(v, &c, CMD_BOTTOM);
	char *frame = draw(v, &c, 24, 80, false);
	assert_has(line_of(frame, 22), "127.0.0.1:9000");
	free(frame);
	view_free(v);
	world_end(&w);
}

/* Who chooses columns finds them in the document, in the table's own words. */
static void test_document_has_the_columns(void **state)
{
	static const char *const lines[] = {
#define X(id, name, title, help) "| `" name "` | " title " | " help " |\n",
		NODE_COLUMNS(X)
#undef X
	};
	char path[1024], text[65536];
	const char *folder = getenv("REDOUBT_SRCDIR");
	(void)state;
	snprintf(path, sizeof(path), "%s/docs/config.md", folder != NULL ? folder : ".");
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_has(text, lines[i]);
}

/* --- a node ------------------------------------------------------------------------------------ */

static char *draw_node(struct world *w, int port, int height, int width, bool ascii)
{
	struct view_context c = context(w);
	struct view *v = view_new(&node_view);
	c.node_id = port != 0 ? id_at(w, port) : 0;
	char *frame = draw(v, &c, height, width, ascii);
	view_free(v);
	return frame;
}

static void test_node_says_everything(void **state)
{
	static const char *const of_replica[] = {
		"Node  127.0.0.1:21002", "replica", "Redis 7.0.15", "Link from here", "Others say",
		"127.0.0.1:26001: slave", "link to master ok, priority 100", "its master",
		"online, offset 9000", "Replication", "follows", "127.0.0.1:21001", "headroom", "Memory",
		"67 MB, 4 % used", "Clients", "12 of 10000", "Keys", "1056", "75 %", "Persistence",
		"last RDB", "err", "write ok", "Identity", "1 d 2 h", "mymaster", "found through others",
		"ops/s", "now 4.5k", "clients", "memory", "network in", "network out", "hit rate", "lag",
		"latency", "-10m", "-5m", "now", "0.3 ms", "5.0k", "100 %",
	};
	struct world w = numbers_world();
	(void)state;
	char *frame = draw_node(&w, 21002, 60, 200, false);
	for (size_t i = 0; i < sizeof(of_replica) / sizeof(of_replica[0]); i++)
		assert_has(frame, of_replica[i]);
	assert_has(frame, "0000000000000000000000000000000000021002");
	free(frame);
	frame = draw_node(&w, 21001, 60, 200, false);
	assert_has(frame, "3 of 3: master");
	assert_lacks(frame, "lag ");
	free(frame);
	frame = draw_node(&w, 26001, 60, 200, false);
	assert_has(frame, "mymaster at 127.0.0.1:21001: master");
	assert_has(frame, "knows 2 replicas, 2 other Sentinels");
	assert_lacks(frame, "hit rate");
	assert_has(frame, "latency");
	free(frame);
	frame = draw_node(&w, 26002, 60, 200, false);
	assert_has(frame, "mymaster: sentinel");
	free(frame);
	frame = draw_node(&w, 0, 20, 80, false);
	assert_has(frame, "this node is gone");
	free(frame);
	world_end(&w);
}

/* By Sentinel's rules it would be promoted, and with it another history. */
static void test_node_second_master(void **state)
{
	struct world w = numbers_world();
	struct sentinel_instance lowest = instance("a", 21002, SFLAG_SLAVE);
	(void)state;
	lowest.priority = 1;
	lowest.info_refresh_ms = 300;
	for (int port = 26001; port <= 26003; port++)
		listed(&w, ASK_SENTINEL_REPLICAS, id_at(&w, port), "mymaster", &lowest, 1);
	char *frame = draw_node(&w, 21002, 60, 200, false);
	assert_has(frame, "3 of 3 Sentinels would take it");
	assert_lacks(frame, "its history");
	free(frame);
	info_master(&w, 21002, 9000, "");
	frame = draw_node(&w, 21002, 60, 200, false);
	assert_has(frame, "3 of 3 Sentinels would take it");
	assert_has(frame, "it says that it is master itself");
	free(frame);
	world_end(&w);
}

static void test_node_down_is_stale(void **state)
{
	struct world w = numbers_world();
	(void)state;
	link_lost(&w, 21002);
	replicas(&w, 26001, 21002, SFLAG_S_DOWN, 21003, 0);
	w.now += 42000;
	char *frame = draw_node(&w, 21002, 60, 200, false);
	assert_has(frame, "connection reset by peer");
	assert_has(frame, "Replication, 42 s old");
	assert_has(frame, "Memory, 42 s old");
	assert_has(frame, "(when it last answered)");
	assert_has(frame, "s_down,slave");
	assert_has(frame, "now ?"); /* ops: what was is no value of now */
	free(frame);
	world_end(&w);
}

static void test_node_unknown_is_unknown(void **state)
{
	struct world w = world_new();
	struct observation o;
	(void)state;
	target(&w, 21001);
	char *frame = draw_node(&w, 21001, 40, 120, false);
	assert_has(frame, "? (no answer yet)");
	assert_has(frame, "role ?");
	assert_has(frame, "nothing known yet");
	assert_has(frame, "never");
	assert_lacks(frame, " 0 B");
	free(frame);
	link_up(&w, 21001);
	o = observe(&w, ASK_INFO, id_at(&w, 21001));
	o.answer = ANSWER_REFUSED;
	o.error = ERROR_NOPERM;
	o.text = "NOPERM this user has no permissions to run the 'info' command";
	apply(&w, &o);
	frame = draw_node(&w, 21001, 40, 120, false);
	assert_has(frame, "Refused");
	assert_has(frame, "NOPERM");
	free(frame);
	world_end(&w);
}

static void test_node_in_a_cluster(void **state)
{
	struct world w = cluster_world();
	(void)state;
	cluster_nodes(&w, 7002,
		      LINE_MASTER(CID1, 7001, "", ",fail?", 1, " 0-5460")
			  LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")
			      LINE_MASTER(CID3, 7003, "", "", 3, " 10923-16383"));
	char *frame = draw_node(&w, 7001, 60, 200, false);
	assert_has(frame, "fail?");
	assert_has(frame, "by 127.0.0.1:7002");
	assert_has(frame, "5461: 0-5460");
	assert_has(frame, CID1);
	assert_has(frame, "no reads seen");
	free(frame);
	world_end(&w);
}

static void test_node_scrolls(void **state)
{
	struct world w = numbers_world();
	struct view_context c = context(&w);
	struct view *v = view_new(&node_view);
	(void)state;
	c.node_id = id_at(&w, 21002);
	char *top = draw(v, &c, 10, 40, false), *frame;
	assert_has(top, "▼");
	assert_lacks(top, "▲");
	bool persistence = false, lag = false;
	for (int i = 0; i < 200; i++) {
		node_view.act(v, &c, CMD_DOWN);
		frame = draw(v, &c, 10, 40, false);
		persistence |= strstr(frame, "Persistence") != NULL;
		lag |= strstr(frame, "lag  now 0 B") != NULL;
		free(frame);
	}
	assert_true(persistence && lag);
	frame = draw(v, &c, 10, 40, false);
	assert_has(frame, "▲");
	assert_lacks(frame, "▼");
	free(frame);
	node_view.act(v, &c, CMD_TOP);
	frame = draw(v, &c, 10, 40, false);
	assert_string_equal(top, frame);
	free(frame);
	free(top);
	view_free(v);
	world_end(&w);
}

static void test_any_size(void **state)
{
	static const int sizes[][2] = { { 1, 1 }, { 2, 5 }, { 3, 12 }, { 4, 13 }, { 10, 40 }, { 24, 80 },
					{ 24, 71 }, { 36, 120 }, { 60, 200 }, { 100, 400 } };
	struct world w = numbers_world();
	struct view_context c = context(&w);
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (int ascii = 0; ascii < 2; ascii++) {
			struct view *v = view_new(&nodes_view);
			char *frame = draw(v, &c, sizes[i][0], sizes[i][1], ascii);
			for (const char *p = frame; ascii && *p != '\0'; p++)
				assert_true((unsigned char)*p < 0x80);
			free(frame);
			view_free(v);
			frame = draw_node(&w, 21002, sizes[i][0], sizes[i][1], ascii);
			for (const char *p = frame; ascii && *p != '\0'; p++)
				assert_true((unsigned char)*p < 0x80);
			free(frame);
		}
	}
	world_end(&w);
}

/* --- graphs ------------------------------------------------------------------------------------ */

static void check_graph(enum graph_style style, bool ascii, int width, const float *values,
			size_t count, float max, const char *expected)
{
	struct screen *s = open_screen(2, width, ascii);
	struct pane p = pane_whole(s);
	struct buf out = BUF_INIT;
	pane_fill(&p, STYLE_TEXT);
	pane_graph(&p, style, STYLE_SPARK, values, count, max);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	assert_string_equal(buf_str(&out), expected);
	buf_free(&out);
	screen_close(s);
}

static void test_graph_styles(void **state)
{
	const float values[] = { 0, 4, 8, NAN, 1, 8 };
	(void)state;
	check_graph(GRAPH_BRAILLE, false, 3, values, 6, 8, " ⡇⢸\n⣸⡇⣸\n");
	check_graph(GRAPH_AUTO, false, 3, values, 6, 0, " ⡇⢸\n⣸⡇⣸\n");
	check_graph(GRAPH_BLOCK, false, 6, values, 6, 8, "  █  █\n▁██ ▂█\n");
	check_graph(GRAPH_ASCII, false, 6, values, 6, 8, "  #  #\n.## .#\n");
	check_graph(GRAPH_BRAILLE, true, 6, values, 6, 8, "  #  #\n.## .#\n");
	/* Fewer at the right; more are averaged, a gap with a value is the value. */
	check_graph(GRAPH_ASCII, false, 4, values, 2, 8, "\n  .#\n");
	check_graph(GRAPH_ASCII, false, 3, values, 6, 8, " #\n:##\n");
	check_graph(GRAPH_ASCII, false, 3, values, 0, 8, "\n\n");
}

static void test_graph_in_parts(void **state)
{
	const float values[] = { 2, 8 };
	struct screen *s = open_screen(2, 2, true);
	struct pane p = pane_whole(s);
	struct buf out = BUF_INIT;
	(void)state;
	pane_graph_part(&p, GRAPH_ASCII, STYLE_SPARK, values, 2, 8, 4, 2);
	screen_frame_end(s);
	screen_dump(s, &out, false);
	assert_string_equal(buf_str(&out), " #\n##\n");
	buf_free(&out);
	screen_close(s);
	assert_true(graph_max(values, 2) > 7.9F && graph_max(values, 0) < 0.1F);
	enum graph_style style;
	assert_true(graph_style_parse("block", &style) && style == GRAPH_BLOCK);
	assert_false(graph_style_parse("Braille", &style));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_shows_all),
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_sort_by_state_is_worst_first),
		cmocka_unit_test(test_frozen_stands_still),
		cmocka_unit_test(test_columns_chosen_and_scrolled),
		cmocka_unit_test(test_filter_is_over_all),
		cmocka_unit_test(test_match_is_marked),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_document_has_the_columns),
		cmocka_unit_test(test_node_says_everything),
		cmocka_unit_test(test_node_second_master),
		cmocka_unit_test(test_node_down_is_stale),
		cmocka_unit_test(test_node_unknown_is_unknown),
		cmocka_unit_test(test_node_in_a_cluster),
		cmocka_unit_test(test_node_scrolls),
		cmocka_unit_test(test_any_size),
		cmocka_unit_test(test_graph_styles),
		cmocka_unit_test(test_graph_in_parts),
	};
	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
