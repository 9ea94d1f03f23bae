/* Failover records: what was seen of each failover, whose word it was, when, and with what spread. */
#include "config.h"

#include "model/failovers.h"
#include "published.h"

#define LEADER "d0720514b8dc3eaa2da1927eb79dcc6554ecd4b0"

static size_t records(const struct world *w)
{
	return model_failover_count(w->m);
}

static const struct failover_record *record(const struct world *w, size_t index)
{
	const struct failover_record *f = model_failover_at(w->m, index);
	assert_non_null(f);
	return f;
}

/* Times are since the beginning of the play. */
static void step_is(const struct failover_record *f, int64_t start_ms, enum failover_step step,
		    int64_t at_ms, int64_t spread_ms, unsigned sources)
{
	if (f->step_ms[step] - start_ms != at_ms || failover_spread_ms(f, step) != spread_ms ||
	    f->step_sources[step] != sources)
		fail_msg("%s: %lld ms, spread %lld, %u sources", failover_step_name(step),
			 (long long)(f->step_ms[step] - start_ms),
			 (long long)failover_spread_ms(f, step), f->step_sources[step]);
}

static void none_but(const struct failover_record *f, unsigned steps)
{
	for (int i = 0; i < STEP_COUNT; i++)
		if ((f->step_ms[i] != 0) != ((steps >> i & 1) != 0))
			fail_msg("%s is %s", failover_step_name((enum failover_step)i),
				 f->step_ms[i] != 0 ? "there" : "not there");
}
#define S(step) (1u << (step))

static void myid(struct world *w, int port, const char *id)
{
	struct observation o = observe(w, ASK_SENTINEL_MYID, id_at(w, port));
	o.u.myid = id;
	apply(w, &o);
}

static void crash(void **state)
{
	struct play p = PLAY(kill9);
	(void)state;
	myid(&p.w, 26003, LEADER);
	p.w.now += 1500;
	link_lost(&p.w, 21001);
	play_to(&p, 26003, "+odown");
	assert_int_equal(records(&p.w), 0); /* no failover yet */
	play_to(&p, 26003, "+failover-state-wait-promotion");
	const struct failover_record *f = record(&p.w, 0);
	assert_false(f->over);
	assert_int_equal(f->cause, CAUSE_CRASH);
	assert_true(failover_unwritable_ms(f) == FACT_UNKNOWN);
	p.w.now = p.start_ms + 7200;
	role(&p.w, 21002, ROLE_MASTER);
	play_to(&p, 26003, "+failover-end");
	assert_true(record(&p.w, 0)->over);
	assert_int_equal(record(&p.w, 0)->step_ms[STEP_SWITCHED_ALL], 0);
	play_out(&p);
	assert_int_equal(records(&p.w), 1);
	f = record(&p.w, 0);
	assert_string_equal(f->name, "mymaster");
	assert_string_equal(f->old_master, HOST ":21001");
	assert_string_equal(f->new_master, HOST ":21002");
	assert_string_equal(f->leader, HOST ":26003");
	assert_int_equal(f->epoch, 1);
	step_is(f, p.start_ms, STEP_LAST_REPLY, 0, 0, 1);
	step_is(f, p.start_ms, STEP_LOST, 1500, 0, 1);
	step_is(f, p.start_ms, STEP_SDOWN, 6595, 37, 3);
	step_is(f, p.start_ms, STEP_ODOWN, 6687, 984, 3);
	step_is(f, p.start_ms, STEP_TRY, 6687, 0, 1);
	step_is(f, p.start_ms, STEP_ELECTED, 6740, 0, 1);
	step_is(f, p.start_ms, STEP_SELECTED, 6798, 0, 1);
	step_is(f, p.start_ms, STEP_PROMOTING, 6857, 0, 1);
	step_is(f, p.start_ms, STEP_ROLE_MASTER, 7200, 0, 1);
	step_is(f, p.start_ms, STEP_PROMOTED, 7749, 0, 1);
	step_is(f, p.start_ms, STEP_SWITCHED, 7827, 1006, 3);
	step_is(f, p.start_ms, STEP_SWITCHED_ALL, 8833, 0, 3);
	step_is(f, p.start_ms, STEP_RECONFIGURED, 8769, 0, 1);
	step_is(f, p.start_ms, STEP_ENDED, 8833, 0, 1);
	assert_int_equal(f->step_ms[STEP_ABORTED], 0);
	assert_int_equal(failover_unwritable_ms(f), 7200);
	assert_int_equal(failover_begin_ms(f), p.start_ms);
	assert_int_equal(failover_end_ms(f), p.start_ms + 8833);
	assert_int_equal(f->wall_ms, WALL + p.start_ms - T0);
	world_end(&p.w);
}

/* What the replicas were before, who told whom when, and who voted. */
static void crash_members(void **state)
{
	struct play p = PLAY(kill9);
	(void)state;
	myid(&p.w, 26003, LEADER);
	link_lost(&p.w, 21001);
	play_out(&p);
	const struct failover_record *f = record(&p.w, 0);
	assert_int_equal(f->old_offset, 5000);
	assert_int_equal(f->replica_count, 2);
	assert_int_equal(f->replica_total, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct failover_replica *r = &f->replicas[i];
		bool chosen = r->node_id == id_at(&p.w, 21002);
		assert_true(chosen || r->node_id == id_at(&p.w, 21003));
		assert_int_equal(r->offset, chosen ? 5000 : 4000);
		assert_int_equal(r->lag_bytes, chosen ? 0 : 1000);
		assert_int_equal(r->link_up, 1);
		assert_int_equal(r->sent_ms, chosen ? 0 : p.start_ms + 7825);
		assert_int_equal(r->done_ms, chosen ? 0 : p.start_ms + 8769);
	}
	assert_int_equal(f->observer_count, 3);
	for (size_t i = 0; i < 3; i++) {
		bool leads = f->observers[i].node_id == f->leader_id;
		assert_int_equal(f->observers[i].voted_ms, p.start_ms + (leads ? 6687 : 6690));
		assert_int_equal(f->observers[i].switched_ms, p.start_ms + (leads ? 8833 : 7827));
	}
	const struct event *first = event_log_from(model_events(p.w.m), f->first_seq);
	assert_int_equal(first->kind, EVENT_SDOWN);
	const struct event *last = event_log_from(model_events(p.w.m), f->last_seq);
	assert_true(last->mono_ms > p.start_ms + 8833);
	world_end(&p.w);
}

static void by_hand(void **state)
{
	struct play p = PLAY(manual);
	(void)state;
	for (int port = 26001; port <= 26003; port++)
		masters(&p.w, port, 21002, 1, 0);
	replicas(&p.w, 26001, 21001, 0, 21003, 0);
	info_master(&p.w, 21002, 6000, "");
	info_replica(&p.w, 21001, 21002, 6000);
	info_replica(&p.w, 21003, 21002, 6000);
	size_t before = records(&p.w);
	play_to(&p, 26001, "+promoted-slave");
	info_master(&p.w, 21003, 6001, "");
	play_to(&p, 26001, "+switch-master");
	assert_int_equal(records(&p.w), before + 1);
	const struct failover_record *f = record(&p.w, before);
	assert_int_equal(f->cause, CAUSE_MANUAL);
	assert_int_equal(f->epoch, 2);
	none_but(f, S(STEP_TRY) | S(STEP_ELECTED) | S(STEP_SELECTED) | S(STEP_PROMOTING) |
			S(STEP_ROLE_MASTER) | S(STEP_PROMOTED) | S(STEP_SWITCHED) |
			S(STEP_SWITCHED_ALL) | S(STEP_RECONFIGURED) | S(STEP_ENDED));
	step_is(f, p.start_ms, STEP_TRY, 1504, 0, 1);
	step_is(f, p.start_ms, STEP_SWITCHED, 2628, 1064, 3);
	step_is(f, p.start_ms, STEP_SWITCHED_ALL, 3692, 0, 3);
	/* both took writes until the old one was demoted */
	assert_int_equal(failover_unwritable_ms(f), 0);
	assert_int_equal(f->demoted_ms, 0);
	play_to(&p, 26002, "+convert-to-slave");
	p.w.now += 100;
	info_replica(&p.w, 21002, 21003, 6002);
	assert_int_equal(record(&p.w, before)->demoted_ms, p.start_ms + 12743);
	world_end(&p.w);
}

static void act(struct world *w, int port, enum action_stage stage, const char *subject)
{
	struct action_facts facts = { .action_id = 1,
				      .stage = stage,
				      .name = "failover",
				      .command = "SENTINEL FAILOVER mymaster",
				      .operator_name = "op",
				      .outcome = "" };
	struct observation o = observe(w, ASK_ACTION, id_at(w, port));
	snprintf(facts.subject, sizeof(facts.subject), "%s", subject);
	o.u.action = &facts;
	apply(w, &o);
}

/* Our own command and the Sentinel's word are one failover, told at the Sentinel's time. */
static void by_redoubt(void **state)
{
	struct play p = PLAY(manual);
	(void)state;
	p.w.now += 1500;
	act(&p.w, 26001, ACTION_SENT, "mymaster");
	assert_int_equal(records(&p.w), 1);
	assert_int_equal(group_now(&p)->failover.phase, PHASE_NONE);
	play_to(&p, 26001, "+try-failover");
	assert_int_equal(records(&p.w), 1);
	assert_int_equal(record(&p.w, 0)->cause, CAUSE_REDOUBT);
	step_is(record(&p.w, 0), p.start_ms, STEP_TRY, 1504, 0, 1);
	act(&p.w, 26001, ACTION_FAILED, "mymaster");
	assert_false(record(&p.w, 0)->over); /* its Sentinel goes on with it */
	world_end(&p.w);
}

static void refused(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	act(&w, 26001, ACTION_SENT, "mymaster");
	act(&w, 26001, ACTION_REFUSED, "mymaster");
	assert_int_equal(records(&w), 0);
	act(&w, 26001, ACTION_SENT, "mymaster");
	tick(&w, 12000);
	assert_true(record(&w, 0)->over);
	assert_string_equal(record(&w, 0)->abort_reason, "unknown");
	assert_int_equal(record(&w, 0)->id, 2); /* never used again */
	world_end(&w);
}

static void not_elected_record(void **state)
{
	struct play p = PLAY(not_elected);
	(void)state;
	play_out(&p);
	assert_int_equal(records(&p.w), 1);
	const struct failover_record *f = record(&p.w, 0);
	none_but(f, S(STEP_SDOWN) | S(STEP_ODOWN) | S(STEP_TRY) | S(STEP_ABORTED));
	step_is(f, p.start_ms, STEP_SDOWN, 16045, 0, 1);
	step_is(f, p.start_ms, STEP_ABORTED, 26167, 0, 1);
	assert_string_equal(f->abort_reason, "-failover-abort-not-elected");
	assert_string_equal(failover_abort_text(f->abort_reason),
			    "no majority of Sentinels elected this leader");
	assert_int_equal(f->cause, CAUSE_CRASH);
	assert_true(failover_unwritable_ms(f) == FACT_UNKNOWN);
	world_end(&p.w);
}

/* The second try belongs to the same outage: what led to it is told in both. */
static void tried_twice(void **state)
{
	struct play p = PLAY(no_good);
	(void)state;
	play_out(&p);
	assert_int_equal(records(&p.w), 2);
	const struct failover_record *a = record(&p.w, 0), *b = record(&p.w, 1);
	none_but(a, S(STEP_SDOWN) | S(STEP_ODOWN) | S(STEP_TRY) | S(STEP_ELECTED) | S(STEP_ABORTED));
	assert_string_equal(a->abort_reason, "-failover-abort-no-good-slave");
	step_is(a, p.start_ms, STEP_SDOWN, 15542, 84, 3);
	/* the others' odown came when this try was given up already */
	step_is(a, p.start_ms, STEP_ODOWN, 15686, 41, 2);
	step_is(b, p.start_ms, STEP_SDOWN, 15542, 84, 3);
	step_is(b, p.start_ms, STEP_ODOWN, 15686, 946, 3);
	step_is(b, p.start_ms, STEP_TRY, 35768, 0, 1);
	step_is(b, p.start_ms, STEP_ENDED, 37506, 0, 1);
	assert_string_equal(b->abort_reason, "");
	world_end(&p.w);
}

static void slave_timeout_record(void **state)
{
	struct play p = PLAY(slave_timeout);
	(void)state;
	play_out(&p);
	assert_int_equal(records(&p.w), 2);
	const struct failover_record *a = record(&p.w, 0), *b = record(&p.w, 1);
	assert_int_equal(a->cause, CAUSE_MANUAL);
	step_is(a, p.start_ms, STEP_ABORTED, 11218, 0, 1);
	assert_string_equal(a->abort_reason, "-failover-abort-slave-timeout");
	assert_int_equal(a->step_ms[STEP_PROMOTED], 0);
	/* one replica never followed: ended all the same, and says why */
	assert_int_equal(b->step_ms[STEP_RECONFIGURED], 0);
	step_is(b, p.start_ms, STEP_ENDED, 41192, 0, 1);
	assert_string_equal(b->abort_reason, "+failover-end-for-timeout");
	step_is(b, p.start_ms, STEP_SWITCHED, 27203, 13989, 3);
	world_end(&p.w);
}

/* Two operators at once: two leaders, one of which finds that the other was first. */
static void two_leaders(void **state)
{
	struct play p = PLAY(concurrent);
	(void)state;
	for (int port = 26001; port <= 26003; port++)
		masters(&p.w, port, 21003, 2, 0);
	replicas(&p.w, 26001, 21001, 0, 21002, 0);
	size_t before = records(&p.w);
	play_out(&p);
	assert_int_equal(records(&p.w), before + 2);
	const struct failover_record *lost = record(&p.w, before), *won = record(&p.w, before + 1);
	assert_string_equal(lost->leader, HOST ":26001");
	assert_string_equal(lost->abort_reason, "superseded");
	step_is(lost, p.start_ms, STEP_ABORTED, 2589, 0, 1);
	assert_string_equal(won->leader, HOST ":26002");
	assert_string_equal(won->abort_reason, "");
	step_is(won, p.start_ms, STEP_ENDED, 3712, 0, 1);
	step_is(won, p.start_ms, STEP_SWITCHED, 2589, 1123, 3);
	assert_int_equal(group_now(&p)->failover.phase, PHASE_ENDED);
	assert_int_equal(group_now(&p)->failover.leader_id, id_at(&p.w, 26002));
	world_end(&p.w);
}


/* A second election at a later epoch while the first leader hangs in the middle. */
static void overlapping(void **state)
{
	struct world w = sentinel_world();
	const struct group *g = only_deployment(&w)->groups[0];
	(void)state;
	message(&w, 26001, "+odown", ABOUT_MASTER " #quorum 2/2");
	message(&w, 26001, "+try-failover", ABOUT_MASTER);
	myid(&w, 26001, LEADER);
	message(&w, 26001, "+vote-for-leader", LEADER " 4");
	message(&w, 26001, "+elected-leader", ABOUT_MASTER);
	message(&w, 26001, "+selected-slave", ABOUT_REPLICA);
	w.now += 20000;
	message(&w, 26002, "+try-failover", ABOUT_MASTER);
	assert_int_equal(g->failover.leader_id, id_at(&w, 26001));
	myid(&w, 26002, "b5b8d6418d0992e88a460d59360264c3771afa85");
	message(&w, 26002, "+vote-for-leader", "b5b8d6418d0992e88a460d59360264c3771afa85 5");
	message(&w, 26002, "+elected-leader", ABOUT_MASTER);
	assert_int_equal(records(&w), 2);
	assert_false(record(&w, 0)->over);
	assert_false(record(&w, 1)->over);
	assert_int_equal(record(&w, 0)->epoch, 4);
	assert_int_equal(record(&w, 1)->epoch, 5);
	assert_int_equal(g->failover.leader_id, id_at(&w, 26002));
	/* each leader's words go to its own */
	message(&w, 26001, "-failover-abort-slave-timeout", ABOUT_MASTER);
	assert_true(record(&w, 0)->over);
	assert_false(record(&w, 1)->over);
	assert_int_equal(g->failover.phase, PHASE_ELECTED);
	message(&w, 26002, "+failover-end", ABOUT_MASTER);
	assert_int_equal(g->failover.phase, PHASE_ENDED);
	world_end(&w);
}

/* The leader dies in the middle: the record ends, and says that nobody saw how. */
static void leader_lost(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	message(&w, 26001, "+try-failover", ABOUT_MASTER);
	link_lost(&w, 26001);
	tick(&w, 9000);
	assert_false(record(&w, 0)->over);
	tick(&w, 2000);
	assert_true(record(&w, 0)->over);
	assert_int_equal(record(&w, 0)->step_ms[STEP_ENDED], 0);
	assert_string_equal(record(&w, 0)->abort_reason, "out-of-sight");
	world_end(&w);
}

/* Nobody's messages came, only that a Sentinel names another master. */
static void switch_alone(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	message(&w, 26002, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21003");
	assert_int_equal(records(&w), 1);
	message(&w, 26003, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21003");
	assert_int_equal(records(&w), 1);
	const struct failover_record *f = record(&w, 0);
	assert_int_equal(f->cause, CAUSE_UNKNOWN);
	assert_string_equal(f->new_master, HOST ":21003");
	assert_int_equal(f->step_sources[STEP_SWITCHED], 2);
	assert_int_equal(f->step_ms[STEP_SWITCHED_ALL], 0);
	/* the third one cannot be asked any more */
	link_lost(&w, 26001);
	masters(&w, 26002, 21003, 1, 0);
	assert_int_equal(record(&w, 0)->step_sources[STEP_SWITCHED_ALL], 2);
	world_end(&w);
}

/* --- clusters ---------------------------------------------------------------------------------- */

#define REST                                                                                       \
	LINE_MASTER(CID2, 7002, "", "", 2, " 5461-10922")                                          \
	LINE_MASTER(CID3, 7003, "", "", 3, " 10923-16383")                                         \
	LINE_SLAVE(CID5, 7005, "", "", CID2, 2) LINE_SLAVE(CID6, 7006, "", "", CID3, 3)
#define BEFORE(flags) LINE_MASTER(CID1, 7001, "", flags, 1, " 0-5460") LINE_SLAVE(CID4, 7004, "", "", CID1, 1) REST
#define AFTER(flags) LINE_MASTER(CID1, 7001, "", flags, 1, "") LINE_MASTER(CID4, 7004, "", "", 7, " 0-5460") REST

static void cluster_new_master(struct world *w)
{
	info_master_as(w, id_at(w, 7004), "cluster", 7004, 120, "");
}

static void cluster_crash(void **state)
{
	struct world w = cluster_world();
	(void)state;
	w.now += 1000;
	link_lost(&w, 7001);
	w.now += 4000;
	cluster_nodes(&w, 7002, BEFORE(",fail?"));
	assert_int_equal(records(&w), 0);
	w.now += 500;
	cluster_nodes(&w, 7003, BEFORE(",fail"));
	assert_int_equal(records(&w), 1);
	w.now += 700;
	cluster_new_master(&w);
	w.now += 100;
	cluster_nodes(&w, 7002, AFTER(",fail"));
	for (int port = 7003; port <= 7006; port++) {
		assert_false(record(&w, 0)->over);
		w.now += 100;
		if (port != 7004)
			cluster_nodes(&w, port, AFTER(",fail"));
	}
	assert_int_equal(records(&w), 1);
	const struct failover_record *f = record(&w, 0);
	assert_true(f->over);
	assert_int_equal(f->cause, CAUSE_CRASH);
	assert_int_equal(f->kind, KIND_CLUSTER);
	assert_string_equal(f->name, HOST ":7001");
	assert_string_equal(f->new_master, HOST ":7004");
	step_is(f, T0, STEP_LAST_REPLY, 0, 0, 1);
	step_is(f, T0, STEP_LOST, 1000, 0, 1);
	step_is(f, T0, STEP_SDOWN, 5000, 0, 1);
	step_is(f, T0, STEP_ODOWN, 5500, 0, 1);
	step_is(f, T0, STEP_ROLE_MASTER, 6200, 0, 1);
	step_is(f, T0, STEP_PROMOTED, 6300, 0, 1);
	step_is(f, T0, STEP_SWITCHED, 6300, 400, 4);
	step_is(f, T0, STEP_SWITCHED_ALL, 6700, 0, 4);
	step_is(f, T0, STEP_ENDED, 6700, 0, 1);
	assert_int_equal(failover_unwritable_ms(f), 6200);
	/* groups of clusters run no failover of Sentinels */
	assert_int_equal(group_of(&w, 7004)->failover.phase, PHASE_NONE);
	world_end(&w);
}

/* CLUSTER FAILOVER by somebody else: the old master steps down, nobody was lost. */
static void cluster_by_hand(void **state)
{
	struct world w = cluster_world();
	(void)state;
	w.now += 1000;
	info_master_as(&w, id_at(&w, 7001), "cluster", 7001, 110, "");
	w.now += 1000;
	info_replica_as(&w, id_at(&w, 7001), "cluster", 7001, HOST, 7004, 110, INFO_LINKED);
	w.now += 50;
	cluster_new_master(&w);
	for (int port = 7001; port <= 7006; port++)
		if (port != 7004)
			cluster_nodes(&w, port,
				      LINE_SLAVE(CID1, 7001, "", "", CID4, 7)
					  LINE_MASTER(CID4, 7004, "", "", 7, " 0-5460") REST);
	info_replica_as(&w, id_at(&w, 7001), "cluster", 7001, HOST, 7004, 120, INFO_LINKED);
	assert_int_equal(records(&w), 1);
	const struct failover_record *f = record(&w, 0);
	assert_int_equal(f->cause, CAUSE_MANUAL);
	assert_true(f->over);
	assert_string_equal(f->new_master, HOST ":7004");
	assert_int_equal(f->step_ms[STEP_LOST], 0);
	step_is(f, T0, STEP_LAST_REPLY, 1000, 0, 1);
	step_is(f, T0, STEP_ROLE_MASTER, 2050, 0, 1);
	assert_int_equal(failover_unwritable_ms(f), 1050);
	assert_int_equal(f->epoch, 7);
	world_end(&w);
}

#define SWAPPED                                                                                    \
	LINE_SLAVE(CID1, 7001, "", "", CID4, 7) LINE_MASTER(CID4, 7004, "", "", 7, " 0-5460") REST

/* All others name the new master before it says so itself, which opens the record. */
static void cluster_named_first(void **state)
{
	struct world w = cluster_world();
	(void)state;
	w.now += 1000;
	info_master_as(&w, id_at(&w, 7001), "cluster", 7001, 110, "");
	for (int port = 7001; port <= 7006; port++) {
		w.now += 100;
		if (port == 7004)
			continue;
		cluster_nodes(&w, port, SWAPPED);
		cluster_nodes(&w, port, SWAPPED); /* the first time counts */
	}
	assert_int_equal(records(&w), 0);
	w.now += 200;
	cluster_new_master(&w);
	w.now += 100;
	info_replica_as(&w, id_at(&w, 7001), "cluster", 7001, HOST, 7004, 120, INFO_LINKED);
	assert_int_equal(records(&w), 1);
	const struct failover_record *f = record(&w, 0);
	assert_true(f->over);
	step_is(f, T0, STEP_SWITCHED, 1100, 500, 5);
	step_is(f, T0, STEP_SWITCHED_ALL, 1600, 0, 5);
	step_is(f, T0, STEP_ROLE_MASTER, 1800, 0, 1);
	step_is(f, T0, STEP_ENDED, 1900, 0, 1);
	assert_int_equal(f->epoch, 7);
	world_end(&w);
}

/* Who has not named it yet is waited for, and asked; who named it as the master of before has not. */
static void cluster_some_named_first(void **state)
{
	struct world w = cluster_world();
	(void)state;
	cluster_nodes(&w, 7002, SWAPPED);
	cluster_nodes(&w, 7005, SWAPPED);
	assert_false(failover_waits_for(w.m, node_at(&w, 7003)));
	cluster_new_master(&w);
	assert_int_equal(record(&w, 0)->step_sources[STEP_SWITCHED], 2);
	for (int port = 7001; port <= 7006; port++)
		assert_int_equal(failover_waits_for(w.m, node_at(&w, port)),
				 port == 7001 || port == 7003 || port == 7006);
	w.now += 100;
	cluster_nodes(&w, 7003,
		      LINE_SLAVE(CID1, 7001, "", "", CID4, 1)
			  LINE_MASTER(CID4, 7004, "", "", 1, " 0-5460") REST);
	assert_true(failover_waits_for(w.m, node_at(&w, 7003)));
	cluster_nodes(&w, 7003, SWAPPED);
	assert_false(failover_waits_for(w.m, node_at(&w, 7003)));
	cluster_nodes(&w, 7006, SWAPPED);
	assert_false(record(&w, 0)->over);
	cluster_nodes(&w, 7001, SWAPPED);
	for (int port = 7001; port <= 7006; port++)
		assert_false(failover_waits_for(w.m, node_at(&w, port)));
	step_is(record(&w, 0), T0, STEP_SWITCHED_ALL, 100, 0, 5);
	world_end(&w);
}

/* At a seventh one's address the sixth answers: nothing is its own word, so it is neither asked nor
 * waited for. */
static void cluster_one_leads_elsewhere(void **state)
{
	struct world w = cluster_world();
	(void)state;
	cluster_nodes(&w, 7002, LINE_SLAVE(CID("7777"), 7007, "", "", CID3, 3) LINE_SLAVE(CID1, 7001, "", "", CID4, 7)
		      LINE_MASTER(CID4, 7004, "", "", 7, " 0-5460") REST);
	link_up(&w, 7007);
	info_replica_as(&w, id_at(&w, 7007), "cluster", 7006, HOST, 7003, 110, INFO_LINKED);
	assert_int_equal(node_at(&w, 7007)->leads_to, id_at(&w, 7006));
	cluster_new_master(&w);
	w.now += 100;
	/* Nor is what the sixth says there. */
	cluster_nodes(&w, 7007, SWAPPED);
	assert_false(failover_waits_for(w.m, node_at(&w, 7007)));
	for (int port = 7001; port <= 7006; port++) {
		assert_int_equal(record(&w, 0)->step_ms[STEP_SWITCHED_ALL], 0);
		if (port != 7004)
			cluster_nodes(&w, port, SWAPPED);
	}
	step_is(record(&w, 0), T0, STEP_SWITCHED_ALL, 100, 0, 5);
	world_end(&w);
}

/* There, back and there again within a minute: three failovers, and what was said of one is no word on
 * the next. */
static void cluster_there_and_back(void **state)
{
	struct world w = cluster_world();
	(void)state;
	for (int port = 7001; port <= 7006; port++)
		if (port != 7004)
			cluster_nodes(&w, port, SWAPPED);
	cluster_new_master(&w);
	info_replica_as(&w, id_at(&w, 7001), "cluster", 7001, HOST, 7004, 120, INFO_LINKED);
	assert_true(record(&w, 0)->over);
	w.now += 5000;
	cluster_nodes(&w, 7002,
		      LINE_MASTER(CID1, 7001, "", "", 8, " 0-5460")
			  LINE_SLAVE(CID4, 7004, "", "", CID1, 8) REST);
	assert_int_equal(node_at(&w, 7004)->member->echo_count, 0);
	w.now += 100;
	info_replica_as(&w, id_at(&w, 7004), "cluster", 7004, HOST, 7001, 130, INFO_LINKED);
	info_master_as(&w, id_at(&w, 7001), "cluster", 7001, 130, "");
	assert_int_equal(records(&w), 2);
	assert_string_equal(record(&w, 1)->new_master, HOST ":7001");
	step_is(record(&w, 1), T0, STEP_SWITCHED, 5000, 0, 1);
	for (int port = 7002; port <= 7006; port++)
		cluster_nodes(&w, port,
			      LINE_MASTER(CID1, 7001, "", "", 8, " 0-5460")
				  LINE_SLAVE(CID4, 7004, "", "", CID1, 8) REST);
	info_replica_as(&w, id_at(&w, 7004), "cluster", 7004, HOST, 7001, 130, INFO_LINKED);
	assert_true(record(&w, 1)->over);
	w.now += 5000;
	cluster_nodes(&w, 7002,
		      LINE_SLAVE(CID1, 7001, "", "", CID4, 9)
			  LINE_MASTER(CID4, 7004, "", "", 9, " 0-5460") REST);
	info_replica_as(&w, id_at(&w, 7001), "cluster", 7001, HOST, 7004, 140, INFO_LINKED);
	cluster_new_master(&w);
	assert_int_equal(records(&w), 3);
	assert_string_equal(record(&w, 2)->new_master, HOST ":7004");
	step_is(record(&w, 2), T0, STEP_SWITCHED, 10100, 0, 1);
	world_end(&w);
}

/* A claim is news for a minute. In a settled cluster nothing is kept. */
static void cluster_echoes_go(void **state)
{
	struct world w = cluster_world();
	(void)state;
	cluster_nodes(&w, 7002, BEFORE(""));
	for (int port = 7001; port <= 7006; port++)
		assert_int_equal(node_at(&w, port)->member->echo_count, 0);
	cluster_nodes(&w, 7002, SWAPPED);
	cluster_nodes(&w, 7003, SWAPPED);
	assert_int_equal(node_at(&w, 7004)->member->echo_count, 2);
	w.now += 61000;
	cluster_nodes(&w, 7003, SWAPPED);
	assert_int_equal(node_at(&w, 7004)->member->echo_count, 0);
	assert_null(node_at(&w, 7004)->member->echoes);
	cluster_nodes(&w, 7005, SWAPPED);
	assert_int_equal(node_at(&w, 7004)->member->echo_count, 0);
	world_end(&w);
}

static void cluster_came_back(void **state)
{
	struct world w = cluster_world();
	(void)state;
	link_lost(&w, 7001);
	cluster_nodes(&w, 7002, BEFORE(",fail"));
	w.now += 3000;
	link_up(&w, 7001);
	cluster_nodes(&w, 7002, BEFORE(""));
	assert_int_equal(records(&w), 1);
	assert_true(record(&w, 0)->over);
	assert_string_equal(record(&w, 0)->abort_reason, "came-back");
	assert_int_equal(record(&w, 0)->new_master_id, 0);
	world_end(&w);
}

/* The shard's replica is told by redoubt to take over: that is the same failover. */
static void cluster_forced(void **state)
{
	struct world w = cluster_world();
	(void)state;
	link_lost(&w, 7001);
	cluster_nodes(&w, 7002, BEFORE(",fail"));
	w.now += 3000;
	act(&w, 7004, ACTION_SENT, HOST ":7004");
	assert_int_equal(records(&w), 1);
	assert_int_equal(record(&w, 0)->cause, CAUSE_REDOUBT);
	step_is(record(&w, 0), T0, STEP_TRY, 3000, 0, 1);
	act(&w, 7004, ACTION_FAILED, HOST ":7004");
	assert_string_equal(record(&w, 0)->abort_reason, "failed");
	world_end(&w);
}

/* A replica that dies, or a master without slots, is no failover. */
static void cluster_no_failover(void **state)
{
	struct world w = cluster_world();
	(void)state;
	link_lost(&w, 7005);
	cluster_nodes(&w, 7002,
		      LINE_MASTER(CID1, 7001, "", "", 1, " 0-5460")
			  LINE_MASTER(CID2, 7002, "myself,", "", 2, " 5461-10922")
			      LINE_MASTER(CID3, 7003, "", "", 3, " 10923-16383")
				  LINE_SLAVE(CID4, 7004, "", "", CID1, 1)
				      LINE_SLAVE(CID5, 7005, "", ",fail", CID2, 2)
					  LINE_SLAVE(CID6, 7006, "", "", CID3, 3));
	assert_int_equal(events_of(&w, EVENT_NODE_FAIL), 1);
	assert_int_equal(records(&w), 0);
	world_end(&w);
}

/* --- plain sets -------------------------------------------------------------------------------- */

static struct world plain_world(void)
{
	struct world w = world_new();
	target(&w, 21002); /* a replica: the set is found from below */
	link_up(&w, 21002);
	info_replica(&w, 21002, 21001, 5000);
	link_up(&w, 21001);
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000) LISTED(1, 21003, 4000));
	link_up(&w, 21003);
	info_replica(&w, 21003, 21001, 4000);
	assert_int_equal(records(&w), 0); /* finding out who leads is no failover */
	return w;
}

static void plain_by_hand(void **state)
{
	struct world w = plain_world();
	(void)state;
	w.now += 1000;
	info_master(&w, 21001, 5000, LISTED(0, 21002, 5000) LISTED(1, 21003, 4000));
	w.now += 800;
	info_replica(&w, 21001, 21002, 5000);
	w.now += 200;
	info_master(&w, 21002, 5010, LISTED(0, 21001, 5000));
	assert_int_equal(records(&w), 1);
	assert_false(record(&w, 0)->over);
	w.now += 900;
	info_replica(&w, 21003, 21002, 5010);
	w.now += 100;
	info_replica(&w, 21001, 21002, 5010);
	const struct failover_record *f = record(&w, 0);
	assert_int_equal(records(&w), 1);
	assert_true(f->over);
	assert_int_equal(f->kind, KIND_REPLICATION);
	assert_int_equal(f->cause, CAUSE_MANUAL);
	assert_string_equal(f->old_master, HOST ":21001");
	assert_string_equal(f->new_master, HOST ":21002");
	step_is(f, T0, STEP_LAST_REPLY, 1000, 0, 1);
	step_is(f, T0, STEP_ROLE_MASTER, 2000, 0, 1);
	step_is(f, T0, STEP_RECONFIGURED, 2900, 0, 1);
	assert_int_equal(failover_unwritable_ms(f), 1000);
	world_end(&w);
}

static void plain_by_redoubt(void **state)
{
	struct world w = plain_world();
	(void)state;
	act(&w, 21001, ACTION_SENT, HOST ":21001");
	w.now += 700;
	info_master(&w, 21002, 5010, LISTED(0, 21001, 5000));
	w.now += 300;
	info_replica(&w, 21001, 21002, 5000);
	info_replica(&w, 21003, 21002, 5000);
	info_replica(&w, 21001, 21002, 5000);
	assert_int_equal(records(&w), 1);
	const struct failover_record *f = record(&w, 0);
	assert_int_equal(f->cause, CAUSE_REDOUBT);
	assert_true(f->over);
	step_is(f, T0, STEP_TRY, 0, 0, 1);
	step_is(f, T0, STEP_ROLE_MASTER, 700, 0, 1);
	assert_int_equal(f->demoted_ms, T0 + 1000);
	world_end(&w);
}

/* Nobody promotes by itself here: an operator does, after the master died. */
static void plain_crash(void **state)
{
	struct world w = plain_world();
	(void)state;
	w.now += 1000;
	link_lost(&w, 21001);
	w.now += 30000;
	info_master(&w, 21002, 5000, "");
	w.now += 1000;
	info_replica(&w, 21003, 21002, 5000);
	assert_int_equal(records(&w), 1);
	const struct failover_record *f = record(&w, 0);
	assert_int_equal(f->cause, CAUSE_CRASH);
	step_is(f, T0, STEP_LOST, 1000, 0, 1);
	step_is(f, T0, STEP_ROLE_MASTER, 31000, 0, 1);
	assert_int_equal(failover_unwritable_ms(f), 31000);
	assert_true(f->over);
	world_end(&w);
}

/* A replica that is made a master beside a well one takes nothing over. */
static void plain_loner(void **state)
{
	struct world w = plain_world();
	(void)state;
	info_master(&w, 21003, 4000, "");
	for (int i = 0; i < 70; i++) {
		tick(&w, 1000);
		info_master(&w, 21001, 5000, LISTED(0, 21002, 5000));
		info_master(&w, 21003, 4000, "");
	}
	assert_int_equal(records(&w), 0);
	world_end(&w);
}

/* --- the store --------------------------------------------------------------------------------- */

/* A Sentinel that begins anew without end takes no memory without end. */
static void flood(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	for (int i = 0; i < 3 * FAILOVERS_MAX; i++) {
		w.now += 3000;
		message(&w, 26001, "+try-failover", ABOUT_MASTER);
	}
	assert_int_equal(records(&w), FAILOVERS_MAX);
	assert_int_equal(record(&w, FAILOVERS_MAX - 1)->id, 3 * FAILOVERS_MAX);
	assert_int_equal(record(&w, 0)->id, 2 * FAILOVERS_MAX + 1);
	assert_null(model_failover_at(w.m, FAILOVERS_MAX));
	world_end(&w);
}

static void words(void **state)
{
	(void)state;
	for (int i = 0; i < STEP_COUNT; i++) {
		assert_true(failover_step_name((enum failover_step)i)[0] != '\0');
		assert_true(failover_step_help((enum failover_step)i)[0] != '\0');
	}
	assert_string_equal(failover_abort_text(""), "");
	assert_string_equal(failover_abort_text("-failover-abort-no-good-slave"),
			    "no replica can be promoted");
	assert_true(failover_abort_text("what?")[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crash),
		cmocka_unit_test(crash_members),
		cmocka_unit_test(by_hand),
		cmocka_unit_test(by_redoubt),
		cmocka_unit_test(refused),
		cmocka_unit_test(not_elected_record),
		cmocka_unit_test(tried_twice),
		cmocka_unit_test(slave_timeout_record),
		cmocka_unit_test(two_leaders),
		cmocka_unit_test(overlapping),
		cmocka_unit_test(leader_lost),
		cmocka_unit_test(switch_alone),
		cmocka_unit_test(cluster_crash),
		cmocka_unit_test(cluster_by_hand),
		cmocka_unit_test(cluster_named_first),
		cmocka_unit_test(cluster_some_named_first),
		cmocka_unit_test(cluster_one_leads_elsewhere),
		cmocka_unit_test(cluster_there_and_back),
		cmocka_unit_test(cluster_echoes_go),
		cmocka_unit_test(cluster_came_back),
		cmocka_unit_test(cluster_forced),
		cmocka_unit_test(cluster_no_failover),
		cmocka_unit_test(plain_by_hand),
		cmocka_unit_test(plain_by_redoubt),
		cmocka_unit_test(plain_crash),
		cmocka_unit_test(plain_loner),
		cmocka_unit_test(flood),
		cmocka_unit_test(words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
