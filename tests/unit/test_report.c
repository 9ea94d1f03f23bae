/* The incident report: its text, word for word, and what it makes of hostile words; and its file. */
#include "config.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/report.h"
#include "app/report_save.h"
#include "model/failovers.h"
#include "published.h"

static void write_report(const struct world *w, const char *recording, struct buf *out)
{
	const struct report_options o = { .deployment_id = only_deployment(w)->id,
					  .now_ms = w->now,
					  .wall_ms = WALL + w->now - T0,
					  .operator_name = "ann from 192.0.2.7",
					  .version = "1.0",
					  .recording = recording };
	report_write(w->m, &o, out);
}

static void act(struct world *w, int port, enum action_stage stage, const char *subject,
		const char *outcome)
{
	struct action_facts facts = { .action_id = 1,
				      .stage = stage,
				      .name = "failover",
				      .command = "SENTINEL FAILOVER mymaster",
				      .operator_name = "ann from 192.0.2.7",
				      .outcome = outcome };
	struct observation o = observe(w, ASK_ACTION, id_at(w, port));
	snprintf(facts.subject, sizeof(facts.subject), "%s", subject);
	o.u.action = &facts;
	apply(w, &o);
}

/* The expected text is in tests/data; REDOUBT_WRITE_EXPECTED=1 writes it anew, to be read by a person. */
static void same_as(const struct buf *text, const char *name)
{
	char path[512];
	const char *dir = getenv("REDOUBT_SRCDIR");
	snprintf(path, sizeof(path), "%s/tests/data/%s", dir != NULL ? dir : ".", name);
	if (getenv("REDOUBT_WRITE_EXPECTED") != NULL) {
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(text->data, 1, text->len, f), text->len);
		assert_int_equal(fclose(f), 0);
		return;
	}
	FILE *f = fopen(path, "r");
	static char expected[200000];
	if (f == NULL)
		fail_msg("no %s", path);
	expected[fread(expected, 1, sizeof(expected) - 1, f)] = '\0';
	fclose(f);
	const char *a = buf_str(text), *b = expected;
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	if (*a != *b)
		fail_msg("%s differs at byte %td: \"%.60s\" instead of \"%.60s\"", name, a - buf_str(text), a,
			 b);
}

/* kill -9 of a master under three Sentinels, until the old one is back as a replica. */
static void crash(void **state)
{
	struct play p = PLAY(kill9);
	struct buf text = BUF_INIT;
	struct observation o = observe(&p.w, ASK_SENTINEL_MYID, id_at(&p.w, 26003));
	(void)state;
	o.u.myid = "d0720514b8dc3eaa2da1927eb79dcc6554ecd4b0";
	apply(&p.w, &o);
	p.w.now += 1500;
	link_lost(&p.w, 21001);
	play_to(&p, 26003, "+failover-state-wait-promotion");
	p.w.now = p.start_ms + 7200;
	role(&p.w, 21002, ROLE_MASTER);
	play_to(&p, 26003, "+failover-end");
	info_master(&p.w, 21002, 7000, LISTED(0, 21003, 6900));
	info_replica(&p.w, 21003, 21002, 6900);
	play_out(&p);
	info_master(&p.w, 21002, 9000, LISTED(0, 21003, 9000));
	info_replica(&p.w, 21003, 21002, 9000);
	write_report(&p.w, NULL, &text);
	same_as(&text, "report-crash.md");
	buf_free(&text);
	world_end(&p.w);
}

/* All is well at the end, but two masters were named for a while. */
static void two_masters_in_the_span(void **state)
{
	struct world w = sentinel_world();
	struct buf text = BUF_INIT;
	(void)state;
	tick(&w, 1000);
	for (int i = 0; i < 11; i++) {
		masters(&w, 26001, 21001, 0, 0);
		masters(&w, 26002, 21001, 0, 0);
		masters(&w, 26003, 21003, 0, 0);
		tick(&w, 1000);
	}
	masters(&w, 26003, 21001, 0, 0);
	for (int i = 0; i < 5; i++)
		tick(&w, 1000);
	write_report(&w, NULL, &text);
	assert_has(buf_str(&text), "- The worst before: **critical** at ");
	assert_has(buf_str(&text), ", +disagreement mymaster: ");
	assert_has(buf_str(&text), "| critical | +disagreement | mymaster");
	buf_free(&text);
	world_end(&w);
}

/* An operator's failover that finds nobody to promote, and a second try. */
static void given_up(void **state)
{
	struct play p = PLAY(slave_timeout);
	struct buf text = BUF_INIT;
	(void)state;
	p.w.now += 990;
	act(&p.w, 26001, ACTION_SENT, "mymaster", "");
	act(&p.w, 26001, ACTION_ACCEPTED, "mymaster", "OK");
	play_out(&p);
	write_report(&p.w, "rec|1.redoubt", &text);
	assert_has(buf_str(&text), "from the recording rec\\|1.redoubt");
	same_as(&text, "report-given-up.md");
	buf_free(&text);
	world_end(&p.w);
}

#define REST                                                                                       \
	LINE_MASTER(CID2, 7002, "", "", 2, " 5461-10922")                                          \
	LINE_MASTER(CID3, 7003, "", "", 3, " 10923-16383")                                         \
	LINE_SLAVE(CID5, 7005, "", "", CID2, 2) LINE_SLAVE(CID6, 7006, "", "", CID3, 3)

/* One failover alone, from the same world: nothing of the second try, and no word is markup. */
static void alone(void **state)
{
	struct play p = PLAY(slave_timeout);
	struct buf text = BUF_INIT;
	(void)state;
	p.w.now += 990;
	act(&p.w, 26001, ACTION_SENT, "mymaster", "");
	play_out(&p);
	const struct report_options o = { .now_ms = p.w.now,
					  .wall_ms = WALL + p.w.now - T0,
					  .operator_name = "ann|x",
					  .version = "1.0",
					  .recording = NULL };
	uint32_t id = model_failover_at(p.w.m, 0)->id;
	assert_true(report_write_failover(p.w.m, &o, id, &text));
	assert_has(buf_str(&text), "# Failover: mymaster");
	assert_has(buf_str(&text), "by ann\\|x |");
	assert_has(buf_str(&text), "given up: the chosen replica was not promoted in time");
	assert_has(buf_str(&text), "-failover-abort-slave-timeout");
	assert_has(buf_str(&text), "```text\nstep ");
	assert_null(strstr(buf_str(&text), "+failover-end-for-timeout"));
	buf_reset(&text);
	assert_false(report_write_failover(p.w.m, &o, 4000, &text));
	assert_int_equal(text.len, 0);
	buf_free(&text);
	world_end(&p.w);
}

static void cluster(void **state)
{
	struct world w = cluster_world();
	struct buf text = BUF_INIT;
	(void)state;
	w.now += 1000;
	link_lost(&w, 7001);
	w.now += 4000;
	cluster_nodes(&w, 7002,
		      LINE_MASTER(CID1, 7001, "", ",fail?", 1, " 0-5460")
			  LINE_SLAVE(CID4, 7004, "", "", CID1, 1) REST);
	w.now += 500;
	cluster_nodes(&w, 7003,
		      LINE_MASTER(CID1, 7001, "", ",fail", 1, " 0-5460")
			  LINE_SLAVE(CID4, 7004, "", "", CID1, 1) REST);
	w.now += 700;
	info_master_as(&w, id_at(&w, 7004), "cluster", 7004, 120, "");
	for (int port = 7002; port <= 7006; port++) {
		w.now += 100;
		if (port != 7004)
			cluster_nodes(&w, port,
				      LINE_MASTER(CID1, 7001, "", ",fail", 1, "")
					  LINE_MASTER(CID4, 7004, "", "", 7, " 0-5460") REST);
	}
	write_report(&w, NULL, &text);
	same_as(&text, "report-cluster.md");
	buf_free(&text);
	world_end(&w);
}

static void all_well(void **state)
{
	struct world w = sentinel_world();
	struct buf text = BUF_INIT;
	(void)state;
	write_report(&w, NULL, &text);
	assert_has(buf_str(&text), "Nothing went wrong in this span.");
	assert_has(buf_str(&text), "None was seen.");
	assert_has(buf_str(&text), "None from this redoubt.");
	assert_has(buf_str(&text), "Every node is well.");
	buf_free(&text);
	/* the deployment went while the command was typed */
	const struct report_options o = { .deployment_id = 99, .operator_name = "", .version = "" };
	report_write(w.m, &o, &text);
	assert_has(buf_str(&text), "not known any more");
	buf_free(&text);
	world_end(&w);
}

/* Only what was in the span. */
static void span(void **state)
{
	struct play p = PLAY(no_good);
	struct buf text = BUF_INIT;
	(void)state;
	play_out(&p);
	struct report_options o = { .deployment_id = only_deployment(&p.w)->id,
				    .from_ms = p.start_ms + 30000,
				    .now_ms = p.w.now,
				    .wall_ms = WALL + p.w.now - T0,
				    .operator_name = "ann",
				    .version = "1.0" };
	report_write(p.w.m, &o, &text);
	assert_has(buf_str(&text), "### Failover 1: mymaster");
	assert_null(strstr(buf_str(&text), "### Failover 2"));
	assert_null(strstr(buf_str(&text), "abort-no-good-slave"));
	buf_free(&text);
	o.from_ms = 0;
	report_write(p.w.m, &o, &text);
	assert_has(buf_str(&text), "### Failover 2: mymaster");
	assert_has(buf_str(&text), "given up: no replica can be promoted");
	buf_free(&text);
	world_end(&p.w);
}

/* A name that is markup, a table's end, a link, a picture or a block's end is only a name. */
static void hostile_words(void **state)
{
	static const char name[] = "a|b `c` <img src=x> *d* [e](f) ```";
	struct world w = sentinel_world();
	struct buf text = BUF_INIT;
	char payload[256];
	(void)state;
	struct sentinel_instance item = instance(name, 21001, SFLAG_MASTER);
	listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, 26001), NULL, &item, 1);
	snprintf(payload, sizeof(payload), "master %s 127.0.0.1 21001", name);
	message(&w, 26001, "+try-failover", payload);
	message(&w, 26001, "+strange|<b>", "x | y\n# z");
	act(&w, 26001, ACTION_SENT, name, "| <script>");
	write_report(&w, NULL, &text);
	assert_has(buf_str(&text),
		   "### Failover 1: a\\|b \\`c\\` &lt;img src=x&gt; \\*d\\* \\[e\\](f) \\`\\`\\`");
	assert_null(strstr(buf_str(&text), "\n# z"));
	/* all fences are the report's own, and outside of them nothing is a tag */
	bool fenced = false;
	for (const char *p = buf_str(&text); *p != '\0'; p++) {
		if (strncmp(p, "```", 3) == 0) {
			assert_true(p[-1] == '\n');
			fenced = !fenced;
			p += 2;
		}
		assert_true(fenced || *p != '<');
	}
	assert_false(fenced);
	buf_free(&text);
	world_end(&w);
}

/* --- the file ---------------------------------------------------------------------------------- */

struct outcome {
	char path[REPORT_PATH_BYTES];
	int error, calls;
};

static void on_done(const char *path, int error, void *owner)
{
	struct outcome *o = owner;
	snprintf(o->path, sizeof(o->path), "%s", path);
	o->error = error;
	o->calls++;
}

static struct outcome save_as(const char *path, const char *words)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct outcome o = { .calls = 0 };
	struct buf text = BUF_INIT;
	buf_addstr(&text, words);
	assert_non_null(report_save_start(loop, &text, path, "name.md", on_done, &o));
	assert_null(text.data);
	ev_run(loop, 0); /* until the watcher is gone */
	assert_int_equal(o.calls, 1);
	ev_loop_destroy(loop);
	return o;
}

static void file_has(const char *path, const char *words)
{
	char data[64];
	struct stat st;
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	ssize_t n = read(fd, data, sizeof(data));
	assert_int_equal(n, strlen(words));
	assert_memory_equal(data, words, strlen(words));
	close(fd);
}

static void files(void **state)
{
	char dir[] = "/tmp/redoubt-report-XXXXXX", path[128], second[128], third[128], folder[128],
	     link[128], elsewhere[128];
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/r.v1.md", dir);
	snprintf(second, sizeof(second), "%s/r.v1-2.md", dir);
	snprintf(third, sizeof(third), "%s/r.v1-3.md", dir);
	snprintf(folder, sizeof(folder), "%s/name.md", dir);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
	assert_string_equal(save_as(path, "one").path, path);
	assert_string_equal(save_as(path, "two").path, second);
	/* a link that leads nowhere is a name that is taken, not a way to another file */
	assert_int_equal(symlink(elsewhere, third), 0);
	struct outcome o = save_as(path, "three");
	assert_has(o.path, "r.v1-4.md");
	file_has(path, "one");
	file_has(second, "two");
	file_has(o.path, "three");
	unlink(o.path);
	assert_string_equal(save_as(dir, "four").path, folder);
	file_has(folder, "four");
	snprintf(link, sizeof(link), "%s/no/such", dir);
	assert_int_equal(save_as(link, "five").error, ENOENT);
	unlink(path);
	unlink(second);
	unlink(third);
	unlink(folder);
	assert_int_equal(rmdir(dir), 0);
}

/* A file that cannot grow, as on a full disk: the reason is told, and no half of a report is left. */
static void full(void **state)
{
	char dir[] = "/tmp/redoubt-report-XXXXXX", path[128];
	struct rlimit before, small;
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/r.md", dir);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){ .rlim_cur = 4, .rlim_max = before.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	struct outcome o = save_as(path, "more than four bytes");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(o.error, EFBIG);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(rmdir(dir), 0);
}

static void names(void **state)
{
	char name[REPORT_PATH_BYTES];
	(void)state;
	report_name("mymaster", WALL, name, sizeof(name));
	assert_has(name, "redoubt-mymaster-2026");
	assert_int_equal(strlen(name), strlen("redoubt-mymaster-20261121T123107Z.md"));
	report_name("../../etc/a b", WALL, name, sizeof(name));
	assert_has(name, "redoubt-..-..-etc-a-b-");
	assert_null(strchr(name, '/'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crash),	 cmocka_unit_test(two_masters_in_the_span),	 cmocka_unit_test(given_up), cmocka_unit_test(cluster),
		cmocka_unit_test(all_well),	 cmocka_unit_test(span),
		cmocka_unit_test(hostile_words), cmocka_unit_test(files),    cmocka_unit_test(full),
		cmocka_unit_test(names),	 cmocka_unit_test(alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
