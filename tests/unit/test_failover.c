/* What three Sentinels published during real failovers: the model must follow each to its end. */
#include "config.h"

#include "published.h"

static void says(struct play *p, enum failover_phase phase, int master)
{
	assert_int_equal(group_now(p)->failover.phase, phase);
	assert_int_equal(master_port(&p->w, group_now(p)), master);
}

static void status_is(const struct play *p, const char *status)
{
	assert_string_equal(group_status(p->w.m, group_now(p)), status);
}

/* kill -9 of the master: every phase, in the words of the leader 26003. */
static void killed_master(void **state)
{
	struct play p = PLAY(kill9);
	struct verdict v;
	char text[120];
	(void)state;
	link_lost(&p.w, 21001);
	status_is(&p, "ok");
	play_to(&p, 26002, "+sdown");
	status_is(&p, "sdown");
	assert_int_equal(group_sdown_count(p.w.m, group_now(&p)), 1);
	play_to(&p, 26001, "+sdown");
	assert_int_equal(group_sdown_count(p.w.m, group_now(&p)), 3);
	assert_true(node_at(&p.w, 21001)->said_down);
	assert_int_equal(node_at(&p.w, 21001)->said_down_ms, p.start_ms + 6595);
	play_to(&p, 26003, "+odown");
	status_is(&p, "odown");
	health_group(p.w.m, group_now(&p), p.w.now, &v);
	assert_int_equal(v.health, HEALTH_CRITICAL);
	assert_has(v.text, "objectively down 6 s (3/3 Sentinels say down)");
	play_to(&p, 26003, "+try-failover");
	says(&p, PHASE_TRY, 21001);
	status_is(&p, "failover");
	play_to(&p, 26003, "+elected-leader");
	says(&p, PHASE_ELECTED, 21001);
	assert_int_equal(group_now(&p)->failover.leader_id, id_at(&p.w, 26003));
	play_to(&p, 26003, "+failover-state-select-slave");
	says(&p, PHASE_SELECT, 21001);
	play_to(&p, 26003, "+selected-slave");
	says(&p, PHASE_SELECTED, 21001);
	assert_true(p.w.changed & TOPIC_SELECTED);
	assert_int_equal(group_now(&p)->failover.selected_id, id_at(&p.w, 21002));
	play_to(&p, 26003, "+failover-state-wait-promotion");
	says(&p, PHASE_PROMOTION, 21001);
	group_failover_text(group_now(&p), p.w.now + 1200, text, sizeof(text));
	assert_string_equal(text, "waiting for promotion 1.2 s");
	play_to(&p, 26003, "+promoted-slave");
	says(&p, PHASE_RECONF, 21001);
	play_to(&p, 26001, "+switch-master");
	says(&p, PHASE_RECONF, 21002);
	/* the leader still names the old master, with the new epoch */
	masters(&p.w, 26003, 21001, 1,
		SFLAG_S_DOWN | SFLAG_O_DOWN | SFLAG_DISCONNECTED | SFLAG_FAILOVER_IN_PROGRESS);
	says(&p, PHASE_RECONF, 21002);
	play_to(&p, 26003, "+failover-end");
	says(&p, PHASE_ENDED, 21002);
	play_to(&p, 26003, "+switch-master");
	says(&p, PHASE_ENDED, 21002);
	assert_int_equal(group_now(&p)->failover.started_ms, p.start_ms + 6687);
	assert_int_equal(group_now(&p)->failover.ended_ms, p.start_ms + 8833);
	status_is(&p, "ok");
	for (int port = 26001; port <= 26003; port++)
		masters(&p.w, port, 21002, 1, 0);
	says(&p, PHASE_ENDED, 21002);
	assert_string_equal(group_now(&p)->name, "mymaster");
	play_out(&p);
	says(&p, PHASE_ENDED, 21002);
	assert_false(group_failover_running(p.w.m, group_now(&p), p.w.now));
	world_end(&p.w);
}

/* Each thing once, with who saw it. */
static void killed_master_events(void **state)
{
	struct play p = PLAY(kill9);
	const struct event *e = NULL;
	(void)state;
	play_out(&p);
	/* of the master; of the dead one as a replica */
	assert_int_equal(count_events(&p.w, EVENT_SDOWN, &e), 2);
	assert_int_equal(e->source_count, 3);
	assert_int_equal(count_events(&p.w, EVENT_SWITCH_MASTER, &e), 1);
	assert_int_equal(e->source_count, 3);
	assert_int_equal(e->last_ms - e->mono_ms, 8833 - 7827);
	assert_has(e->detail, "21002");
	assert_int_equal(count_events(&p.w, EVENT_ODOWN, &e), 1);
	assert_int_equal(e->source_count, 3);
	assert_int_equal(count_events(&p.w, EVENT_NEW_EPOCH, &e), 1);
	assert_int_equal(count_events(&p.w, EVENT_VOTE_FOR_LEADER, &e), 1);
	assert_int_equal(e->source_count, 3);
	assert_int_equal(count_events(&p.w, EVENT_TRY_FAILOVER, &e), 1);
	assert_string_equal(e->sources[0].addr, "127.0.0.1:26003");
	/* the old master's return: 41.350, 41.586 and 41.748 */
	assert_int_equal(count_events(&p.w, EVENT_SDOWN_OVER, &e), 1);
	assert_int_equal(e->source_count, 3);
	assert_false(node_at(&p.w, 21001)->said_down);
	world_end(&p.w);
}

/* The chosen replica says role:master itself before any Sentinel says so. */
static void early_promotion(bool by_info)
{
	struct play p = PLAY(kill9);
	play_to(&p, 26003, "+failover-state-wait-promotion");
	role(&p.w, 21002, ROLE_REPLICA);
	says(&p, PHASE_PROMOTION, 21001);
	p.w.now += 50;
	if (by_info)
		info_master(&p.w, 21002, 6000, "");
	role(&p.w, 21002, ROLE_MASTER);
	says(&p, PHASE_PROMOTION, 21002);
	assert_int_equal(group_now(&p)->failover.role_master_ms, p.w.now);
	role(&p.w, 21002, ROLE_MASTER);
	info_master(&p.w, 21002, 6000, "");
	assert_int_equal(events_of(&p.w, EVENT_OWN_ROLE_CHANGED), 1);
	status_is(&p, "failover");
	while (p.next < p.end) {
		publish_next(&p);
		assert_int_equal(master_port(&p.w, group_now(&p)), 21002);
	}
	world_end(&p.w);
}

static void early_by_role(void **state)
{
	(void)state;
	early_promotion(false);
}

static void early_by_info(void **state)
{
	(void)state;
	early_promotion(true);
}

/* With one Sentinel +failover-end comes before its own +switch-master: no step back between. */
static void early_stands_over_the_end(void **state)
{
	struct play p = PLAY(manual);
	(void)state;
	for (int port = 26002; port <= 26003; port++)
		link_lost(&p.w, port);
	masters(&p.w, 26001, 21002, 1, 0);
	while (p.next < p.end) {
		if (p.next->sentinel != 26001) {
			p.next++;
			continue;
		}
		bool ends = strcmp(p.next->channel, "+failover-end") == 0;
		if (strcmp(p.next->channel, "-role-change") == 0)
			role(&p.w, 21003, ROLE_MASTER);
		publish_next(&p);
		if (ends)
			says(&p, PHASE_ENDED, 21003);
	}
	says(&p, PHASE_ENDED, 21003);
	world_end(&p.w);
}

/* By hand: no +sdown, only the asked Sentinel speaks until +switch-master. */
static void manual_failover(void **state)
{
	struct play p = PLAY(manual);
	(void)state;
	for (int port = 26001; port <= 26003; port++)
		masters(&p.w, port, 21002, 1, 0);
	assert_int_equal(master_port(&p.w, group_now(&p)), 21002);
	play_to(&p, 26001, "+try-failover");
	says(&p, PHASE_TRY, 21002);
	play_to(&p, 26001, "+selected-slave");
	assert_int_equal(group_now(&p)->failover.selected_id, id_at(&p.w, 21003));
	play_to(&p, 26003, "+switch-master");
	says(&p, PHASE_RECONF, 21003);
	play_to(&p, 26001, "+switch-master");
	says(&p, PHASE_ENDED, 21003);
	play_out(&p);
	says(&p, PHASE_ENDED, 21003);
	assert_int_equal(events_of(&p.w, EVENT_SDOWN), 0);
	assert_int_equal(events_of(&p.w, EVENT_SWITCH_MASTER), 1);
	world_end(&p.w);
}

static void abort_not_elected(void **state)
{
	struct play p = PLAY(not_elected);
	(void)state;
	play_to(&p, 26001, "+sdown");
	/* of a Sentinel: no word on the master */
	status_is(&p, "ok");
	assert_true(node_at(&p.w, 26003)->said_down);
	play_to(&p, 26001, "+odown");
	status_is(&p, "odown");
	play_to(&p, 26001, "+try-failover");
	play_to(&p, 26001, "-failover-abort-not-elected");
	says(&p, PHASE_ABORTED, 21001);
	assert_string_equal(group_now(&p)->failover.abort_reason, "-failover-abort-not-elected");
	assert_int_equal(group_now(&p)->failover.ended_ms, p.start_ms + 26167);
	status_is(&p, "odown");
	play_to(&p, 26001, "-sdown");
	play_to(&p, 26001, "-odown");
	status_is(&p, "ok");
	assert_false(node_at(&p.w, 21001)->said_down);
	play_out(&p);
	world_end(&p.w);
}

static void abort_no_good_replica(void **state)
{
	struct play p = PLAY(no_good);
	(void)state;
	play_to(&p, 26003, "-failover-abort-no-good-slave");
	says(&p, PHASE_ABORTED, 21001);
	assert_string_equal(group_now(&p)->failover.abort_reason, "-failover-abort-no-good-slave");
	/* the second try works */
	play_to(&p, 26003, "+try-failover");
	says(&p, PHASE_TRY, 21001);
	assert_string_equal(group_now(&p)->failover.abort_reason, "");
	assert_int_equal(group_now(&p)->failover.started_ms, p.start_ms + 35768);
	assert_int_equal(group_now(&p)->failover.ended_ms, 0);
	play_to(&p, 26003, "+failover-end");
	says(&p, PHASE_ENDED, 21002);
	play_out(&p);
	says(&p, PHASE_ENDED, 21002);
	world_end(&p.w);
}

static void abort_slave_timeout(void **state)
{
	struct play p = PLAY(slave_timeout);
	(void)state;
	play_to(&p, 26001, "-failover-abort-slave-timeout");
	says(&p, PHASE_ABORTED, 21001);
	assert_string_equal(group_now(&p)->failover.abort_reason, "-failover-abort-slave-timeout");
	play_to(&p, 26001, "+failover-end-for-timeout");
	says(&p, PHASE_RECONF, 21002);
	play_to(&p, 26001, "+failover-end");
	says(&p, PHASE_ENDED, 21002);
	play_out(&p);
	world_end(&p.w);
}


/* Two Sentinels start at once: the one elected leads, the other's giving up changes nothing. */
static void two_candidates(void **state)
{
	struct world w = sentinel_world();
	const struct failover *f = &group_of(&w, 21001)->failover;
	(void)state;
	message(&w, 26001, "+try-failover", ABOUT_MASTER);
	w.now += 20;
	message(&w, 26002, "+try-failover", ABOUT_MASTER);
	assert_int_equal(f->started_ms, T0);
	message(&w, 26001, "+elected-leader", ABOUT_MASTER);
	message(&w, 26003, "+try-failover", ABOUT_MASTER);
	assert_int_equal(f->phase, PHASE_ELECTED);
	assert_int_equal(f->leader_id, id_at(&w, 26001));
	message(&w, 26001, "+failover-state-select-slave", ABOUT_MASTER);
	w.now += 1000;
	message(&w, 26001, "+failover-end", ABOUT_MASTER);
	assert_int_equal(f->phase, PHASE_ENDED);
	w.now += 9000;
	message(&w, 26002, "-failover-abort-not-elected", ABOUT_MASTER);
	message(&w, 26003, "-failover-abort-not-elected", ABOUT_MASTER);
	assert_int_equal(f->phase, PHASE_ENDED);
	world_end(&w);
}

/* The leader's host dies in the middle: the failover is not believed in for ever. */
static void leader_dies(void **state)
{
	struct world w = sentinel_world();
	const struct group *g = group_of(&w, 21001);
	(void)state;
	message(&w, 26001, "+try-failover", ABOUT_MASTER);
	masters(&w, 26001, 21001, 0, SFLAG_S_DOWN | SFLAG_O_DOWN | SFLAG_FAILOVER_IN_PROGRESS);
	link_lost(&w, 26001);
	tick(&w, 9000);
	assert_string_equal(group_status(w.m, g), "failover");
	tick(&w, 2000);
	assert_int_equal(g->failover.phase, PHASE_ENDED);
	assert_string_equal(group_status(w.m, g), "ok");
	assert_false(group_failover_running(w.m, g, w.now));
	world_end(&w);
}

/* All Sentinels and with them the leader are gone: no failover runs for ever. */
static void no_phase_for_ever(void **state)
{
	struct world w = sentinel_world();
	const struct group *g = group_of(&w, 21001);
	(void)state;
	message(&w, 26001, "+try-failover", ABOUT_MASTER);
	tick(&w, 599000);
	assert_string_equal(group_status(w.m, g), "failover");
	tick(&w, 2000);
	assert_string_equal(group_status(w.m, g), "ok");
	assert_false(group_failover_running(w.m, g, w.now));
	world_end(&w);
}

/* A Sentinel that dies right after its +switch-master does not name the master for ever. */
static void switcher_dies(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	message(&w, 26001, "+switch-master", "mymaster 127.0.0.1 21001 127.0.0.1 21002");
	link_lost(&w, 26001);
	for (int port = 26002; port <= 26003; port++)
		masters(&w, port, 21002, 1, 0);
	assert_int_equal(master_port(&w, only_deployment(&w)->groups[0]), 21002);
	tick(&w, 60000);
	for (int port = 26002; port <= 26003; port++)
		message(&w, port, "+switch-master", "mymaster 127.0.0.1 21002 127.0.0.1 21003");
	for (int port = 26002; port <= 26003; port++)
		masters(&w, port, 21003, 2, 0);
	assert_int_equal(master_port(&w, only_deployment(&w)->groups[0]), 21003);
	world_end(&w);
}

/* A failover whose events were missed is known from the leader's state. */
static void phase_from_state(void **state)
{
	struct world w = sentinel_world();
	const struct group *g = group_of(&w, 21001);
	struct sentinel_instance item = instance("mymaster", 21001, SFLAG_MASTER);
	(void)state;
	item.flags |= SFLAG_FAILOVER_IN_PROGRESS;
	snprintf(item.failover_state, sizeof(item.failover_state), "wait_promotion");
	listed(&w, ASK_SENTINEL_MASTERS, id_at(&w, 26002), NULL, &item, 1);
	assert_int_equal(g->failover.phase, PHASE_PROMOTION);
	assert_int_equal(g->failover.leader_id, id_at(&w, 26002));
	w.now += 4000;
	masters(&w, 26001, 21001, 0, 0);
	assert_int_equal(g->failover.phase, PHASE_PROMOTION);
	masters(&w, 26002, 21002, 1, 0);
	assert_int_equal(g->failover.phase, PHASE_ENDED);
	assert_int_equal(master_port(&w, g), 21002);
	world_end(&w);
}

/* Events and replies come over two connections: a late word on the old master is not the new one's. */
static void late_odown(void **state)
{
	struct world w = sentinel_world();
	(void)state;
	for (int port = 26001; port <= 26003; port++)
		masters(&w, port, 21002, 1, 0);
	message(&w, 26001, "+sdown", ABOUT_MASTER);
	message(&w, 26001, "+odown", ABOUT_MASTER " #quorum 2/2");
	assert_string_equal(group_status(w.m, group_of(&w, 21002)), "ok");
	assert_false(node_at(&w, 21002)->said_down);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_master),
		cmocka_unit_test(killed_master_events),
		cmocka_unit_test(early_by_role),
		cmocka_unit_test(early_by_info),
		cmocka_unit_test(early_stands_over_the_end),
		cmocka_unit_test(manual_failover),
		cmocka_unit_test(abort_not_elected),
		cmocka_unit_test(abort_no_good_replica),
		cmocka_unit_test(abort_slave_timeout),
		cmocka_unit_test(two_candidates),
		cmocka_unit_test(leader_dies),
		cmocka_unit_test(no_phase_for_ever),
		cmocka_unit_test(switcher_dies),
		cmocka_unit_test(phase_from_state),
		cmocka_unit_test(late_odown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
