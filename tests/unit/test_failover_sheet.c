/* The failover sheet: what it says beforehand, what stops it while it is open, and how it follows. */
#include "config.h"

#include "actions.h"
#include "model/failovers.h"
#include "model/readiness.h"
#include "model/stray.h"
#include "published.h"

/* The text of the first such line; "" when there is none. */
static const char *line_of(const struct action *a, const char *label, const char *part)
{
	for (size_t i = 0; i < a->sheet.line_count; i++)
		if (strcmp(a->sheet.lines[i].label, label) == 0 &&
		    strstr(a->sheet.lines[i].text, part) != NULL)
			return a->sheet.lines[i].text;
	return "";
}

/* Two replicas as one Sentinel lists them. */
static void lists(struct world *w, int sentinel, int64_t first_priority, int64_t second_priority,
		  int64_t second_info_ms)
{
	struct sentinel_instance items[2] = { instance("a", 21002, SFLAG_SLAVE),
					      instance("b", 21003, SFLAG_SLAVE) };
	items[0].priority = first_priority;
	items[1].priority = second_priority;
	items[0].info_refresh_ms = 300;
	items[1].info_refresh_ms = second_info_ms;
	items[0].repl_offset = items[1].repl_offset = 5000;
	snprintf(items[0].run_id, ID_BYTES, "%040d", 2);
	snprintf(items[1].run_id, ID_BYTES, "%040d", 3);
	listed(w, ASK_SENTINEL_REPLICAS, id_at(w, sentinel), "mymaster", items, 2);
}

/* --- beforehand ---------------------------------------------------------------------------------- */

static void says_whom(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	for (int port = 26001; port <= 26003; port++)
		lists(&w, port, 50, 100, 300);
	struct action *a = open_on(&w, &action_failover, 21001);
	assert_true(has_line(a, "ready", "failover ok"));
	assert_true(has_line(a, "promoted", "127.0.0.1:21002: lowest priority: 50 (by the data of 127.0.0.1:2600"));
	assert_true(has_line(a, "others", "2 of 2 other Sentinels would choose the same replica"));
	assert_true(has_line(a, "after it", "takes writes, which will be lost"));
	assert_true(has_line(a, "at risk", "up to "));
	assert_true(has_line(a, "replica", "127.0.0.1:21003  1.0 kB behind, priority 100"));
	action_free(a);
	world_end(&w);
}

/* Every reason of every one that is passed over. */
static void says_who_is_passed_over(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	lists(&w, 26001, 100, 0, 41000);
	struct action *a = open_on(&w, &action_failover, 21001);
	const char *text = line_of(a, "passed over", "127.0.0.1:21003");
	assert_has(text, "replica-priority 0");
	assert_has(text, "last INFO 41 s ago");
	action_free(a);
	lists(&w, 26001, 0, 0, 300);
	a = open_on(&w, &action_failover, 21001);
	assert_true(has_line(a, "promoted", "nobody: no replica can be promoted, the answer will be NOGOODSLAVE"));
	/* the server decides, and its words are shown */
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	action_free(a);
	world_end(&w);
}

static void says_who_would_differ(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	lists(&w, 26001, 50, 100, 300);
	lists(&w, 26002, 100, 50, 300);
	lists(&w, 26003, 50, 100, 300);
	struct action *a = open_on(&w, &action_failover, 21001);
	assert_true(has_line(a, "would differ", "127.0.0.1:26002 would promote 127.0.0.1:21003"));
	assert_true(has_line(a, "others", "1 of 2 other Sentinels"));
	action_free(a);
	world_end(&w);
}

/* The readiness is of a crash; by hand no votes are needed. */
static void says_that_votes_are_not_needed(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	lists(&w, 26001, 50, 100, 300);
	link_lost(&w, 26002);
	link_lost(&w, 26003);
	struct action *a = open_on(&w, &action_failover, 21001);
	assert_true(has_line(a, "ready", "1 of 3 Sentinels answer and can act"));
	assert_true(has_line(a, "by hand", "no votes are asked for"));
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	action_free(a);
	world_end(&w);
}

static void report(struct world *w, const struct action *a)
{
	struct action_facts facts;
	struct observation o = observe(w, ASK_ACTION, a->target_ids[0]);
	action_facts_fill(a, &facts);
	facts.command = a->sheet.command;
	facts.operator_name = "alice";
	o.u.action = &facts;
	apply(w, &o);
}

static void remembers_the_permission(void **state)
{
	struct world w = sentinel_world();
	struct readiness r;
	(void)state;
	struct action *a = open_on(&w, &action_failover, 21001);
	uint32_t refused = a->target_ids[0];
	action_sent(a, w.now);
	report(&w, a);
	action_replied(a, w.m, 0, ANSWER_REFUSED, "NOPERM this user has no permissions to run the 'sentinel|failover' "
		       "command", w.now);
	assert_has(a->sheet.outcome, "refused: the user lacks +sentinel|failover: NOPERM this user");
	report(&w, a);
	action_free(a);
	w.now += 5000;
	readiness_of(w.m, group_of(&w, 21001), w.now, &r);
	assert_int_equal(r.verdict >= READY_DOUBTFUL, true);
	/* the node itself is well: a watcher need not have that permission */
	struct verdict v;
	health_node(w.m, model_node(w.m, refused), w.now, &v);
	assert_int_equal(v.health, HEALTH_OK);
	a = open_on(&w, &action_failover, 21001);
	char all[4096] = "";
	for (size_t i = 0; i < a->sheet.line_count; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s\n", a->sheet.lines[i].text);
	assert_has(all, "the user lacks +sentinel|failover at 127.0.0.1:2600");
	/* another one is asked; once they all refuse, the first again */
	assert_int_not_equal(a->target_ids[0], refused);
	tick(&w, 3600000);
	assert_non_null(node_action_refusal(model_node(w.m, refused), "+sentinel|failover"));
	a->target_ids[0] = refused;
	action_sent(a, w.now);
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	report(&w, a);
	assert_null(node_action_refusal(model_node(w.m, refused), "+sentinel|failover"));
	action_free(a);
	world_end(&w);
}

/* --- forms of the command --------------------------------------------------------------------------- */

#define VALKEY_HEAD                                                                                \
	"# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:%s\r\n"           \
	"server_mode:sentinel\r\nredis_mode:sentinel\r\nrun_id:%040d\r\n# Sentinel\r\n"            \
	"sentinel_masters:1\r\nsentinel_tilt:0\r\n"

static void valkey_sentinels(struct world *w, const char *version)
{
	for (int port = 26001; port <= 26003; port++)
		infof(w, id_at(w, port), VALKEY_HEAD, version, port);
}

static void coordinated_is_a_choice(void **state)
{
	static const struct {
		const char *version;
		size_t forms;
	} cases[] = { { "8.1.4", 0 }, { "9.0.0", 2 }, { "9.1.2", 2 }, { "10.0.0", 2 } };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w = sentinel_world();
		valkey_sentinels(&w, cases[i].version);
		struct action *a = open_on(&w, &action_failover, 21001);
		assert_string_equal(a->sheet.command, "SENTINEL FAILOVER mymaster");
		assert_int_equal(a->sheet.form_count, cases[i].forms);
		assert_int_equal(action_choose(a, w.m, 1, w.now), cases[i].forms > 1);
		if (cases[i].forms > 1) {
			assert_string_equal(a->sheet.command, "SENTINEL FAILOVER mymaster COORDINATED");
			assert_string_equal(a->sheet.forms[a->sheet.form], "COORDINATED");
			assert_true(has_line(a, "at risk", "nothing: the master pauses writes"));
			assert_false(has_line(a, "after it", ""));
			assert_true(action_recheck(a, w.m, w.now));
			assert_true(action_choose(a, w.m, 0, w.now));
			assert_true(has_line(a, "after it", "will be lost"));
		}
		action_free(a);
		world_end(&w);
	}
	struct world w = sentinel_world();
	struct action *a = open_on(&w, &action_failover, 21001);
	assert_int_equal(a->sheet.form_count, 0);
	action_free(a);
	world_end(&w);
}

static struct action *coordinated_sent(struct play *p)
{
	valkey_sentinels(&p->w, "9.1.2");
	struct action *a = open_on(&p->w, &action_failover, 21001);
	assert_true(action_choose(a, p->w.m, 1, p->w.now));
	action_sent(a, p->w.now);
	report(&p->w, a);
	action_replied(a, p->w.m, 0, ANSWER_OK, "OK", p->w.now);
	return a;
}

static void coordinated_is_followed(void **state)
{
	struct play p = PLAY(coordinated);
	struct action *a = coordinated_sent(&p);
	(void)state;
	while (p.next < p.end) {
		bool promoted = strcmp(p.next->channel, "+promoted-slave") == 0;
		publish_next(&p);
		if (promoted) {
			info_replica(&p.w, 21001, 21003, 5000);
			info_master(&p.w, 21003, 5000, LISTED(0, 21001, 5000));
		}
		if (p.next < p.end)
			assert_false(action_follow(a, p.w.m, p.w.now));
	}
	assert_true(action_follow(a, p.w.m, p.w.now));
	assert_int_equal(a->stage, ACTION_VERIFIED);
	assert_has(a->outcome, "new master 127.0.0.1:21003");
	assert_true(has_line(a, "elected", "1052 ms (+44)  127.0.0.1:26001"));
	assert_true(has_line(a, "selected", "1111 ms (+59)  127.0.0.1:21003"));
	assert_true(has_line(a, "ended", "3241 ms"));
	action_free(a);
	world_end(&p.w);
}

static void coordinated_is_given_up(void **state)
{
	struct play p = PLAY(coordinated_aborted);
	struct action *a = coordinated_sent(&p);
	(void)state;
	while (p.next < p.end) {
		assert_false(action_follow(a, p.w.m, p.w.now));
		publish_next(&p);
	}
	assert_true(action_follow(a, p.w.m, p.w.now));
	assert_int_equal(a->stage, ACTION_FAILED);
	assert_has(a->outcome, "given up: the chosen replica was not promoted in time "
			       "(-failover-abort-slave-timeout)");
	action_free(a);
	world_end(&p.w);
}

/* --- what stops it ------------------------------------------------------------------------------------ */

static void try_failover(struct world *w)
{
	message(w, 26003, "+try-failover", ABOUT_MASTER);
}

static void flagged(struct world *w)
{
	masters(w, 26003, 21001, 0, SFLAG_FAILOVER_IN_PROGRESS | SFLAG_FORCE_FAILOVER);
}

static void higher_epoch(struct world *w)
{
	for (int port = 26001; port <= 26003; port++)
		masters(w, port, 21001, 5, 0);
}

static void another_master(struct world *w)
{
	for (int port = 26001; port <= 26003; port++)
		masters(w, port, 21002, 0, 0);
	info_master(w, 21002, 5000, "");
}

static void sentinel_gone(struct world *w)
{
	link_lost(w, 26001);
}

static void is_blocked_at_once(void **state)
{
	static const struct {
		void (*happens)(struct world *w);
		const char *words;
	} cases[] = {
		{ try_failover, "a failover is already running: electing a leader" },
		{ flagged, "a failover is already running" },
		{ higher_epoch, "the epoch has changed" },
		{ another_master, "the master is another one now" },
		{ sentinel_gone, "the node that it would go to does not answer any more" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w = sentinel_world();
		valkey_sentinels(&w, "9.1.2");
		struct action *a = open_on(&w, &action_failover, 21001);
		action_watch(a, w.m, w.now);
		assert_int_equal(a->sheet.state, SHEET_CONFIRM);
		assert_true(a->sheet.line_count > 5);
		w.now += 100;
		cases[i].happens(&w);
		action_watch(a, w.m, w.now);
		assert_int_equal(a->sheet.state, SHEET_BLOCKED);
		assert_has(a->sheet.outcome, cases[i].words);
		/* nothing on it looks as if it held still */
		for (size_t k = 0; k < a->sheet.line_count; k++)
			assert_true(a->sheet.lines[k].before);
		assert_true(a->sheet.line_count > 5);
		if (i < 2)
			assert_false(has_line(a, "ready", "failover ok"));
		/* neither by its name nor in another form */
		assert_false(action_confirmed(a, "mymaster"));
		assert_false(action_choose(a, w.m, 1, w.now));
		action_free(a);
		world_end(&w);
	}
}

/* Neither failed nor given up: whoever reads that tries again. */
static void an_unknown_end_is_called_so(void **state)
{
	struct world w = sentinel_world();
	char words[200];
	(void)state;
	struct action *a = open_on(&w, &action_failover, 21001);
	action_sent(a, w.now);
	for (size_t k = 0; k < a->sheet.line_count; k++)
		assert_true(a->sheet.lines[k].before);
	report(&w, a);
	assert_false(action_follow(a, w.m, w.now));
	assert_false(has_line(a, "started", ""));
	assert_true(has_line(a, "asked for", "0 ms"));
	assert_int_equal(a->sheet.lines[0].health, HEALTH_UNKNOWN);
	w.now += a->deadline_ms + 1;
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_UNKNOWN);
	assert_int_equal(a->sheet.state, SHEET_UNKNOWN);
	report(&w, a);
	const struct failover_record *f = model_failover_at(w.m, model_failover_count(w.m) - 1);
	assert_true(failover_end_is_unknown(f));
	assert_string_equal(failover_step_words(f, STEP_ABORTED), "unknown");
	failover_outcome_text(f, words, sizeof(words));
	assert_has(words, "unknown: ");
	action_free(a);
	world_end(&w);
}

static void a_dead_master_is_no_green_row(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	struct action *a = open_on(&w, &action_failover, 21001);
	assert_true(has_line(a, "after it", "the old master takes writes"));
	w.now += 100;
	link_lost(&w, 21001);
	action_watch(a, w.m, w.now);
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	for (size_t k = 0; k < a->sheet.line_count; k++)
		if (strcmp(a->sheet.lines[k].label, "ready") == 0)
			assert_int_not_equal(a->sheet.lines[k].health, HEALTH_OK);
	assert_true(has_line(a, "", "the master does not answer"));
	assert_false(has_line(a, "after it", "the old master takes writes"));
	action_free(a);
	world_end(&w);
}

/* It has the command in its socket, and may carry it out when it goes on. */
static void a_sentinel_that_hangs_is_not_dead(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	struct action *a = open_on(&w, &action_failover, 21001);
	int asked = model_node(w.m, a->target_ids[0])->addr.port;
	action_sent(a, w.now);
	action_replied(a, w.m, 0, ANSWER_TIMEOUT, NULL, w.now);
	w.now += 2000;
	link_state(&w, id_at(&w, asked), LINK_LOST, "no reply within 2 s");
	w.now += a->deadline_ms;
	for (int port = 26001; port <= 26003; port++)
		if (port != asked)
			masters(&w, port, 21001, 0, 0);
	info_master(&w, 21001, 5000, "");
	assert_true(action_follow(a, w.m, w.now));
	assert_int_equal(a->stage, ACTION_UNKNOWN);
	assert_has(a->outcome, "was not answered and may still be carried out");
	action_free(a);
	world_end(&w);
}

static void is_kept_up_to_date(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	lists(&w, 26001, 50, 100, 300);
	struct action *a = open_on(&w, &action_failover, 21001);
	assert_true(has_line(a, "promoted", "127.0.0.1:21002"));
	lists(&w, 26001, 100, 50, 300);
	action_watch(a, w.m, w.now);
	assert_true(has_line(a, "promoted", "127.0.0.1:21003"));
	assert_false(has_line(a, "promoted", "127.0.0.1:21002"));
	action_free(a);
	world_end(&w);
}

/* --- two masters ----------------------------------------------------------------------------------------- */

/* After a promotion: the history of before is the second id, up to where the new one begins. */
static void info_promoted(struct world *w, int port, int64_t offset, int64_t parted)
{
	infof(w, id_at(w, port),
	      INFO_HEAD "# Replication\r\nrole:master\r\nmaster_failover_state:no-failover\r\n"
			"master_replid:%040d\r\nmaster_replid2:%040d\r\nmaster_repl_offset:%lld\r\n"
			"second_repl_offset:%lld\r\n" INFO_BACKLOG,
	      "standalone", port, 2, 1, (long long)offset, (long long)parted + 1, 1LL);
}

/* Sentinel's rules do not ask for the role: by them the second master would be promoted. */
static void a_second_master_is_no_good_choice(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	for (int port = 26001; port <= 26003; port++)
		lists(&w, port, 50, 100, 300);
	info_master(&w, 21002, 9000, "");
	struct action *a = open_on(&w, &action_failover, 21001);
	assert_has(line_of(a, "promoted", "127.0.0.1:21002: lowest priority: 50"),
		   "it says that it is master itself: its history has left the master's");
	for (size_t i = 0; i < a->sheet.line_count; i++)
		if (strcmp(a->sheet.lines[i].label, "promoted") == 0)
			assert_int_equal(a->sheet.lines[i].health, HEALTH_CRITICAL);
	action_free(a);
	world_end(&w);
}

static void counts_what_will_be_lost(void **state)
{
	struct world w = sentinel_world();
	struct stray_master stray;
	struct verdict v;
	(void)state;
	assert_false(stray_master_of(w.m, group_of(&w, 21001), &stray));
	message(&w, 26002, "+try-failover", ABOUT_MASTER);
	message(&w, 26002, "+elected-leader", ABOUT_MASTER);
	message(&w, 26002, "+selected-slave", ABOUT_REPLICA);
	message(&w, 26002, "+failover-state-wait-promotion", ABOUT_REPLICA);
	w.now += 100;
	info_promoted(&w, 21002, 5100, 5100);
	int64_t since = w.now;
	/* its last word is of before */
	assert_false(stray_master_of(w.m, group_of(&w, 21002), &stray));
	w.now += 200;
	info_master(&w, 21001, 5100, "");
	assert_true(stray_master_of(w.m, group_of(&w, 21002), &stray));
	assert_int_equal(stray.node_id, id_at(&w, 21001));
	assert_int_equal(stray.since_ms, since);
	assert_int_equal(stray.bytes, 0);
	for (int port = 26001; port <= 26003; port++)
		message(&w, port, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002");
	message(&w, 26002, "+failover-end", ABOUT_MASTER);
	w.now += 6800;
	info_master(&w, 21001, 5100 + 12000, "");
	info_promoted(&w, 21002, 9999, 5100);
	const struct group *g = group_of(&w, 21002);
	assert_true(stray_master_of(w.m, g, &stray));
	assert_int_equal(stray.bytes, 12000);
	assert_true(group_in_trouble(w.m, g, w.now));
	health_group(w.m, g, w.now, &v);
	assert_int_equal(v.health, HEALTH_CRITICAL);
	assert_has(v.text, "127.0.0.1:21001 second master 7 s: loses 12 kB of writes");
	info_replica(&w, 21001, 21002, 9999);
	assert_false(stray_master_of(w.m, g, &stray));
	const struct failover_record *f = model_failover_at(w.m, model_failover_count(w.m) - 1);
	assert_int_equal(f->stray_bytes, 12000);
	assert_int_equal(f->demoted_ms, w.now);
	world_end(&w);
}

/* --- the Sentinel that was asked dies ------------------------------------------------------------------- */

static struct action *sent_to(struct world *w, int *asked)
{
	struct action *a = open_on(w, &action_failover, 21001);
	*asked = model_node(w->m, a->target_ids[0])->addr.port;
	action_sent(a, w->now);
	report(w, a);
	return a;
}

static void others_words_are_followed(void **state)
{
	struct world w = sentinel_world();
	int asked;
	struct action *a = sent_to(&w, &asked);
	(void)state;
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	message(&w, asked, "+try-failover", ABOUT_MASTER);
	message(&w, asked, "+selected-slave", ABOUT_REPLICA);
	w.now += 1000;
	info_promoted(&w, 21002, 5100, 5100);
	link_lost(&w, asked);
	assert_false(action_follow(a, w.m, w.now));
	assert_true(has_line(a, "asked", "does not answer any more: the others are followed"));
	assert_true(has_line(a, "Sentinels", "0 of 2 that answer name it (3 known)"));
	for (int port = 26001; port <= 26003; port++)
		if (port != asked)
			message(&w, port, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002");
	info_replica(&w, 21001, 21002, 5100);
	for (int i = 0; i < 20 && !action_follow(a, w.m, w.now); i++)
		tick(&w, 1000);
	assert_int_equal(a->stage, ACTION_VERIFIED);
	assert_has(a->outcome, "2 of 2 Sentinels that answer agree");
	assert_has(a->outcome, "(3 known)");
	action_free(a);
	world_end(&w);
}

/* Before it could do anything: one failover-timeout, not two, and by whose word. */
static void nothing_happens(void **state)
{
	struct world w = sentinel_world();
	int asked;
	struct action *a = sent_to(&w, &asked);
	(void)state;
	w.now += 10;
	link_lost(&w, asked);
	action_replied(a, w.m, 0, ANSWER_LOST, NULL, w.now);
	int64_t begin = w.now;
	for (int i = 0; i < 40 && !action_follow(a, w.m, w.now); i++) {
		tick(&w, 1000);
		info_master(&w, 21001, 5000, LISTED(0, 21002, 5000));
		for (int port = 26001; port <= 26003; port++)
			if (port != asked)
				masters(&w, port, 21001, 0, 0);
	}
	assert_int_equal(a->stage, ACTION_FAILED);
	assert_in_range(w.now - begin, 10000, 16000);
	assert_has(a->outcome, "nothing happened within");
	assert_has(a->outcome, "2 of 2 Sentinels; the Sentinel that was asked does not answer");
	action_free(a);
	world_end(&w);
}

/* After it had promoted, before it told anybody: the others put that one back. */
static void it_is_undone(void **state)
{
	struct world w = sentinel_world();
	int asked;
	struct action *a = sent_to(&w, &asked);
	(void)state;
	action_replied(a, w.m, 0, ANSWER_OK, "OK", w.now);
	message(&w, asked, "+try-failover", ABOUT_MASTER);
	message(&w, asked, "+selected-slave", ABOUT_REPLICA);
	w.now += 200;
	info_promoted(&w, 21002, 5100, 5100);
	assert_false(action_follow(a, w.m, w.now));
	link_lost(&w, asked);
	bool over = false;
	for (int i = 0; i < 18 && !over; i++) {
		tick(&w, 1000);
		info_master(&w, 21001, 6000, LISTED(0, 21003, 6000));
		if (i > 9)
			info_replica(&w, 21002, 21001, 6000);
		for (int port = 26001; port <= 26003; port++)
			if (port != asked)
				masters(&w, port, 21001, 0, 0);
		over = action_follow(a, w.m, w.now);
	}
	assert_int_equal(a->stage, ACTION_FAILED);
	assert_has(a->outcome, "undone: 127.0.0.1:21002 was master for a while");
	action_free(a);
	world_end(&w);
}

/* --- may our user? ----------------------------------------------------------------------------------- */

#define SHEET_NOPERM "NOPERM this user has no permissions to run the 'sentinel|failover' command"

static size_t all_events(const struct world *w)
{
	return event_log_count(model_events(w->m));
}

static void answered(struct world *w, struct action *a, enum answer answer, const char *text)
{
	struct action_facts facts;
	struct observation o = observe(w, ASK_ACTION, a->may.node_id);
	if (action_asked(a, answer, text, w->now, &facts)) {
		facts.operator_name = "alice";
		o.u.action = &facts;
		apply(w, &o);
	}
	action_brief_again(a, w->m, w->now);
}

static void asks_whether_it_may(void **state)
{
	struct world w = sentinel_world();
	char argv[ACTION_ASK_ARGV][NAME_BYTES], again[ACTION_ASK_ARGV][NAME_BYTES];
	struct readiness r;
	(void)state;
	struct action *a = open_on(&w, &action_failover, 21001);
	uint32_t first = a->target_ids[0];
	size_t events = all_events(&w);
	assert_int_equal(action_ask(a, w.m, argv, w.now), 3);
	assert_string_equal(argv[0], "SENTINEL");
	assert_string_equal(argv[1], "FAILOVER");
	assert_string_not_equal(argv[2], "mymaster");
	assert_true(strlen(argv[2]) > 32);
	assert_int_equal(a->may.node_id, first);
	assert_true(has_line(a, "permission", "asking 127.0.0.1:2600"));
	assert_int_equal(action_ask(a, w.m, again, w.now), 0); /* once a sheet */
	answered(&w, a, ANSWER_REFUSED, SHEET_NOPERM);
	assert_int_equal(a->sheet.state, SHEET_BLOCKED);
	assert_has(a->sheet.outcome, "the user lacks +sentinel|failover there");
	assert_true(has_line(a, "permission", "lacks +sentinel|failover at 127.0.0.1:2600"));
	assert_true(has_line(a, "", "by hand: the user lacks +sentinel|failover at"));
	assert_false(action_confirmed(a, "mymaster"));
	action_free(a);
	/* Remembered, and no event. */
	assert_int_equal(all_events(&w), events);
	assert_non_null(node_action_refusal(model_node(w.m, first), "+sentinel|failover"));
	readiness_of(w.m, group_of(&w, 21001), w.now, &r);
	bool said = false;
	for (size_t i = 0; i < r.reason_count; i++)
		said |= strstr(r.reasons[i].text, "by hand: the user lacks +sentinel|failover at") != NULL;
	assert_true(said);
	/* Another one next, and by another name; a silence says nothing. */
	a = open_on(&w, &action_failover, 21001);
	assert_int_not_equal(a->target_ids[0], first);
	assert_int_equal(action_ask(a, w.m, again, w.now), 3);
	assert_string_not_equal(argv[2], again[2]);
	answered(&w, a, ANSWER_TIMEOUT, NULL);
	assert_true(has_line(a, "permission", "not known: no reply in time"));
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	action_free(a);
	/* Granted meanwhile: the first one's word is taken back. */
	a = open_on(&w, &action_failover, 21001);
	a->target_ids[0] = first;
	assert_int_equal(action_ask(a, w.m, again, w.now), 3);
	answered(&w, a, ANSWER_REFUSED, "ERR No such master with that name");
	assert_true(has_line(a, "permission", "allowed, asked just now"));
	assert_int_equal(a->sheet.state, SHEET_CONFIRM);
	assert_null(node_action_refusal(model_node(w.m, first), "+sentinel|failover"));
	assert_int_equal(all_events(&w), events);
	action_free(a);
	world_end(&w);
}

/* What says nothing of permissions; and what must not be asked at all. */
static void says_nothing_of_permissions(void **state)
{
	static const char *const words[] = { "LOADING Redis is loading", "ERR unknown command 'FAILOVER'",
					     "BUSY x" };
	char argv[ACTION_ASK_ARGV][NAME_BYTES];
	struct world w = sentinel_world();
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct action *a = open_on(&w, &action_failover, 21001);
		assert_int_equal(action_ask(a, w.m, argv, w.now), 3);
		answered(&w, a, ANSWER_REFUSED, words[i]);
		assert_true(has_line(a, "permission", "not known: "));
		assert_int_equal(a->sheet.state, SHEET_CONFIRM);
		action_free(a);
	}
	const struct node *n = node_at(&w, 21001);
	const struct action_context on = { n->deployment_id, n->group_id, n->id };
	struct action *a = action_open(&action_failover, &on, w.m, "read-only", w.now);
	assert_int_equal(action_ask(a, w.m, argv, w.now), 0);
	action_free(a);
	a = open_on(&w, &action_ckquorum, 21001);
	assert_int_equal(action_ask(a, w.m, argv, w.now), 0);
	action_free(a);
	/* Sentinels up to 6.0 have no ACL. */
	for (int port = 26001; port <= 26003; port++)
		infof(&w, id_at(&w, port), "# Server\r\nredis_version:6.0.16\r\nredis_mode:sentinel\r\n"
		      "run_id:%040d\r\n# Sentinel\r\nsentinel_masters:1\r\nsentinel_tilt:0\r\n", port);
	a = open_on(&w, &action_failover, 21001);
	assert_int_equal(action_ask(a, w.m, argv, w.now), 0);
	assert_false(has_line(a, "permission", ""));
	action_free(a);
	world_end(&w);
	/* A word that no server takes for an option: neither FORCE, TAKEOVER, ABORT nor TIMEOUT. */
	w = cluster_world();
	a = open_on(&w, &action_failover, 7001);
	assert_int_equal(action_ask(a, w.m, argv, w.now), 3);
	assert_string_equal(a->may.command, "CLUSTER FAILOVER redoubt-asks-permission");
	assert_int_equal(a->may.node_id, a->candidate_id);
	answered(&w, a, ANSWER_REFUSED, "ERR syntax error");
	assert_int_equal(a->may.state, MAY_YES);
	action_free(a);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_whom),
		cmocka_unit_test(says_who_is_passed_over),
		cmocka_unit_test(says_who_would_differ),
		cmocka_unit_test(says_that_votes_are_not_needed),
		cmocka_unit_test(remembers_the_permission),
		cmocka_unit_test(coordinated_is_a_choice),
		cmocka_unit_test(coordinated_is_followed),
		cmocka_unit_test(coordinated_is_given_up),
		cmocka_unit_test(is_blocked_at_once),
		cmocka_unit_test(is_kept_up_to_date), cmocka_unit_test(an_unknown_end_is_called_so),
		cmocka_unit_test(a_sentinel_that_hangs_is_not_dead),
		cmocka_unit_test(a_dead_master_is_no_green_row),
		cmocka_unit_test(a_second_master_is_no_good_choice), cmocka_unit_test(counts_what_will_be_lost),
		cmocka_unit_test(others_words_are_followed),
		cmocka_unit_test(nothing_happens),
		cmocka_unit_test(it_is_undone),
		cmocka_unit_test(asks_whether_it_may),
		cmocka_unit_test(says_nothing_of_permissions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
