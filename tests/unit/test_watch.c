#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>

#include "base/clock.h"
#include "live.h"
#include "model/health.h"
#include "net/link_private.h"
#include "net/watch_private.h"
#include "run_until.h"

#define MASTERS      100 /* of one Sentinel: more questions than a link takes at once */
#define PATIENT_MS   60000 /* where a slow machine must not be taken for a late server */
#define IMPATIENT_MS 500

struct fleet {
	struct ev_loop *loop;
	struct model *model;
	struct credentials *credentials;
	struct net_profile profile;
	struct watch *watch;
	unsigned asked[ASK_COUNT];  /* observations by question */
	unsigned action_calls;
	enum answer action_answer;
	enum server_error action_error;
	uint32_t action_tag;
	char action_text[256];
	uint32_t promoted_by_role;  /* node that answered ROLE as master */
	unsigned replicas_of[MASTERS]; /* answers to SENTINEL REPLICAS, of masters m0, m1... */
};

static unsigned on_observation(const struct observation *obs, void *owner)
{
	struct fleet *f = owner;

	f->asked[obs->question]++;
	if (obs->question == ASK_ROLE && obs->answer == ANSWER_OK && obs->u.role->role == ROLE_MASTER)
		f->promoted_by_role = obs->node_id;
	if (obs->question == ASK_SENTINEL_REPLICAS && obs->answer == ANSWER_OK && obs->arg[0] == 'm') {
		int number = atoi(obs->arg + 1);

		if (number < MASTERS)
			f->replicas_of[number]++;
	}
	return model_apply(f->model, obs);
}

static void on_action(uint32_t tag, enum answer answer, enum server_error error, const char *text,
		      void *owner)
{
	struct fleet *f = owner;

	f->action_calls++;
	f->action_tag = tag;
	f->action_answer = answer;
	f->action_error = error;
	snprintf(f->action_text, sizeof(f->action_text), "%s", text ? text : "");
}

static void fleet_start(struct fleet *f, bool subscribe, int64_t interval_ms, int64_t timeout_ms)
{
	struct watch_config config = { .interval_ms = interval_ms, .timeout_ms = timeout_ms,
				       .subscribe = subscribe, .sink = on_observation, .owner = f };

	memset(f, 0, sizeof(*f));
	config.loop = f->loop = ev_loop_new(0);
	config.model = f->model = model_new(1000);
	f->profile.credentials = f->credentials = credentials_new();
	config.profiles = &f->profile;
	config.profile_count = 1;
	f->watch = watch_new(&config);
}

static void fleet_init(struct fleet *f, bool subscribe)
{
	fleet_start(f, subscribe, 200, PATIENT_MS);
}

static void fleet_done(struct fleet *f)
{
	watch_free(f->watch);
	model_free(f->model);
	credentials_free(f->credentials);
	ev_loop_destroy(f->loop);
}

static void print_fleet(const struct fleet *f)
{
	size_t cursor = 0;
	const struct node *n;
	const struct deployment *d;
	char addr[ENDPOINT_TEXT_BYTES];

	while ((n = model_next_node(f->model, &cursor)))
		print_message("node %u of %u: %s, %s, events %s: %s\n", n->id, n->deployment_id,
			      endpoint_format(&n->addr, addr), link_state_name(n->link.state),
			      link_state_name(n->event_link.state), n->link.reason);
	cursor = 0;
	while ((d = model_next_deployment(f->model, &cursor)))
		print_message("deployment %u: %s, %zu groups\n", d->id,
			      deployment_kind_name(d->kind), d->group_count);
	for (unsigned q = 0; q < ASK_COUNT; q++)
		print_message("%s: %u\n", question_name(q), f->asked[q]);
}

#define RUN_UNTIL(f, condition) RUN_LOOP_UNTIL((f)->loop, condition, print_fleet(f))

static void add_target(struct fleet *f, uint16_t port)
{
	struct endpoint ep;

	assert_true(endpoint_set(&ep, "127.0.0.1", 9, port));
	watch_add_target(f->watch, &ep, 0, NULL);
}

static const struct node *node_at(const struct fleet *f, uint16_t port)
{
	struct endpoint ep;

	endpoint_set(&ep, "127.0.0.1", 9, port);
	return model_find_node(f->model, 0, &ep);
}

static bool is_up(const struct fleet *f, uint16_t port)
{
	const struct node *n = node_at(f, port);

	return n && n->link.state == LINK_UP && n->info_at_ms != 0;
}

/* What is asked of that one has to be answered soon. */
static void be_impatient_with(struct fleet *f, uint16_t port)
{
	struct link *l = watch_find_entry(f->watch, node_at(f, port)->id)->link;

	l->config.timeout_ms = IMPATIENT_MS;
	link_arm(l, link_timeout_us(l));
}

static const struct group *first_group(const struct fleet *f)
{
	size_t cursor = 0;
	const struct deployment *d;

	while ((d = model_next_deployment(f->model, &cursor)))
		if (d->group_count > 0)
			return d->groups[0];
	return NULL;
}

/* --- a master, a replica, two Sentinels -------------------------------------------------------- */

struct set {
	struct live_server master, replica, sentinels[2];
};

/* Nobody is held for down because the machine is busy, and no failover is given up for that. */
static void set_start(struct set *s)
{
	char port[8], config[300];
	const char *args[] = { "--replicaof", "127.0.0.1", port, NULL };

	memset(s, 0, sizeof(*s));
	live_start(&s->master, NULL);
	snprintf(port, sizeof(port), "%u", s->master.port);
	live_start(&s->replica, args);
	snprintf(config, sizeof(config),
		 "sentinel monitor mymaster 127.0.0.1 %u 1\n"
		 "sentinel down-after-milliseconds mymaster 60000\n"
		 "sentinel failover-timeout mymaster 60000", s->master.port);
	for (int i = 0; i < 2; i++)
		live_start_sentinel(&s->sentinels[i], config);
}

static void set_stop(struct set *s)
{
	for (int i = 0; i < 2; i++)
		live_stop(&s->sentinels[i]);
	live_stop(&s->replica);
	live_stop(&s->master);
}

static bool set_known(const struct fleet *f, const struct set *s)
{
	return is_up(f, s->master.port) && is_up(f, s->replica.port) &&
	       is_up(f, s->sentinels[0].port) && is_up(f, s->sentinels[1].port);
}

static bool can_fail_over(const struct group *g)
{
	return g && g->ckquorum_at_ms != 0 && g->ckquorum.ok && g->replica_count == 1 &&
	       g->replicas[0].facts.repl_offset > 0 && g->replicas[0].facts.priority > 0;
}

/* Replicas and peers as each Sentinel itself lists them, learnt after that time. */
static bool all_have_listed(const struct group *g, int64_t after_ms)
{
	for (size_t i = 0; g && i < g->view_count; i++)
		if (g->views[i].replicas_at_ms <= after_ms || g->views[i].peers_at_ms <= after_ms)
			return false;
	return g && g->view_count == 2;
}

/* Each of the two knows the other one: only one of them is asked later. */
static bool have_met(const struct group *g)
{
	return all_have_listed(g, 0) && g->views[0].peer_count == 1 && g->views[1].peer_count == 1;
}

static void sentinel_set(void **state)
{
	const char *argv[] = { "SENTINEL", "FAILOVER", "mymaster" };
	const char *nonsense[] = { "SENTINEL", "FAILOVER", "nobody" };
	struct set s;
	struct fleet f;
	const struct node *node;

	(void)state;
	if (!live_available())
		skip();
	set_start(&s);
	fleet_init(&f, true);
	add_target(&f, s.sentinels[0].port);
	/* From one Sentinel to all: the second one is known once the two have met. */
	RUN_UNTIL(&f, set_known(&f, &s));
	RUN_UNTIL(&f, watch_settled(f.watch));
	/* A small set is asked whole the first time, and goes on in turn. */
	assert_true(all_have_listed(first_group(&f), 0));
	for (size_t i = 0; i < 2; i++)
		assert_true(first_group(&f)->views[i].ckquorum_at_ms != 0);
	int64_t settled_ms = model_now_ms(f.model);
	RUN_UNTIL(&f, all_have_listed(first_group(&f), settled_ms));
	node = node_at(&f, s.sentinels[0].port);
	RUN_UNTIL(&f, node_at(&f, s.sentinels[0].port)->event_link.state == LINK_UP);
	assert_true(node->is_sentinel);
	assert_true(node->sentinel_id[0] != '\0');
	assert_non_null(first_group(&f));
	assert_string_equal(first_group(&f)->name, "mymaster");
	RUN_UNTIL(&f, can_fail_over(first_group(&f)));
	assert_true(watch_bytes_in(f.watch) > 1000);
	assert_true(watch_requests(f.watch) > 10);

	assert_true(watch_send(f.watch, node->id, 3, nonsense, 41, on_action, &f));
	RUN_UNTIL(&f, f.action_calls == 1);
	assert_int_equal(f.action_tag, 41);
	assert_int_equal(f.action_answer, ANSWER_REFUSED);
	assert_true(strncmp(f.action_text, "ERR No such master", 18) == 0);

	/* A Sentinel refuses while its own data on the replica is too old or too new. */
	for (unsigned tries = 0; f.action_answer != ANSWER_OK; tries++) {
		unsigned calls = f.action_calls, masters = f.asked[ASK_SENTINEL_MASTERS];

		assert_true(tries < 100);
		node = node_at(&f, s.sentinels[0].port);
		assert_true(watch_send(f.watch, node->id, 3, argv, 42, on_action, &f));
		RUN_UNTIL(&f, f.action_calls == calls + 1);
		RUN_UNTIL(&f, f.asked[ASK_SENTINEL_MASTERS] > masters + 2);
	}
	assert_string_equal(f.action_text, "OK");
	/* The chosen replica is asked its role, and answers as master before any +switch-master; unless
	 * we were not given the time to listen. */
	RUN_UNTIL(&f, f.promoted_by_role != 0 ||
			      first_group(&f)->master_id == node_at(&f, s.replica.port)->id);
	assert_true(f.asked[ASK_ROLE] > 0);
	if (f.promoted_by_role != 0)
		assert_int_equal(f.promoted_by_role, node_at(&f, s.replica.port)->id);
	else
		print_message("the Sentinel was quicker\n");
	RUN_UNTIL(&f, first_group(&f)->master_id == node_at(&f, s.replica.port)->id);
	RUN_UNTIL(&f, first_group(&f)->failover.phase == PHASE_ENDED);

	/* An action whose connection breaks is told so, once. */
	f.action_calls = 0;
	kill(s.sentinels[1].pid, SIGSTOP);
	be_impatient_with(&f, s.sentinels[1].port);
	node = node_at(&f, s.sentinels[1].port);
	if (watch_send(f.watch, node->id, 3, argv, 43, on_action, &f)) {
		RUN_UNTIL(&f, f.action_calls == 1);
		assert_int_equal(f.action_answer, ANSWER_TIMEOUT);
	}
	RUN_UNTIL(&f, node_at(&f, s.sentinels[1].port)->link.state == LINK_SILENT);
	live_stop(&s.sentinels[1]);
	RUN_UNTIL(&f, node_at(&f, s.sentinels[1].port)->link.state == LINK_FAILED);
	assert_false(watch_send(f.watch, node_at(&f, s.sentinels[1].port)->id, 3, argv, 44,
				on_action, &f));
	assert_true(f.action_calls <= 1);
	fleet_done(&f);
	set_stop(&s);
}

/* --once: all known and asked in few round trips, without waiting for a round. */
static void settles_once(void **state)
{
	struct set s;
	struct fleet f;

	(void)state;
	if (!live_available())
		skip();
	set_start(&s);
	fleet_init(&f, true);
	add_target(&f, s.sentinels[0].port);
	RUN_UNTIL(&f, set_known(&f, &s) && have_met(first_group(&f)));
	fleet_done(&f);

	fleet_init(&f, false);
	watch_set_interval(f.watch, 60000);
	add_target(&f, s.sentinels[1].port);
	assert_false(watch_settled(f.watch));
	RUN_UNTIL(&f, watch_settled(f.watch));
	assert_true(set_known(&f, &s));
	assert_int_equal(f.asked[ASK_INFO], 4);
	assert_int_equal(f.asked[ASK_SENTINEL_MYID], 2);
	assert_int_equal(f.asked[ASK_SENTINEL_MASTERS], 2);
	/* Of each Sentinel, so that the forecast is by all of them. */
	assert_int_equal(f.asked[ASK_SENTINEL_REPLICAS], 2);
	assert_int_equal(f.asked[ASK_SENTINEL_SENTINELS], 2);
	assert_int_equal(f.asked[ASK_SENTINEL_CKQUORUM], 2);
	assert_int_equal(node_at(&f, s.sentinels[0].port)->event_link.state, LINK_NONE);
	fleet_done(&f);
	set_stop(&s);
}

static void settles_without_anyone(void **state)
{
	struct fleet f;

	(void)state;
	fleet_init(&f, false);
	add_target(&f, live_free_port());
	add_target(&f, live_free_port());
	RUN_UNTIL(&f, watch_settled(f.watch));
	assert_int_equal(f.asked[ASK_INFO], 0);
	fleet_done(&f);
}

/* --- many masters under one Sentinel ----------------------------------------------------------- */

static void many_start(struct live_server *sentinel, unsigned masters, uint16_t port,
		       unsigned down_after_ms)
{
	char config[200 * MASTERS] = "";
	size_t len = 0;

	for (unsigned i = 0; i < masters; i++)
		len += (size_t)snprintf(config + len, sizeof(config) - len,
					"sentinel monitor m%u 127.0.0.1 %u 1\n"
					"sentinel down-after-milliseconds m%u %u\n", i, port, i,
					down_after_ms);
	live_start_sentinel(sentinel, config);
}

/* More is to be asked than a link takes at once: the rest follows the answers, not the rounds. */
static void settles_with_many_masters(void **state)
{
	struct live_server master = { 0 }, sentinel = { 0 };
	struct fleet f;

	(void)state;
	if (!live_available())
		skip();
	live_start(&master, NULL);
	many_start(&sentinel, MASTERS, master.port, 60000);
	/* No timer of a round or of a link that would come to the rescue. */
	fleet_start(&f, false, 600000, 600000);
	add_target(&f, sentinel.port);
	RUN_UNTIL(&f, watch_settled(f.watch));
	for (unsigned i = 0; i < MASTERS; i++)
		assert_int_equal(f.replicas_of[i], 1);
	assert_int_equal(f.asked[ASK_SENTINEL_CKQUORUM], MASTERS);
	fleet_done(&f);
	live_stop(&sentinel);
	live_stop(&master);
}

/* What is in trouble is asked about more often, and none at the cost of another. */
static void hurries_for_all(void **state)
{
	const unsigned masters = 8;
	struct live_server sentinel = { 0 };
	struct fleet f;
	unsigned most = 0, least = ~0u;

	(void)state;
	if (!live_available())
		skip();
	many_start(&sentinel, masters, live_free_port(), 1000);
	fleet_start(&f, false, 500, PATIENT_MS);
	add_target(&f, sentinel.port);
	RUN_UNTIL(&f, watch_settled(f.watch));
	RUN_UNTIL(&f, f.replicas_of[0] + f.replicas_of[masters - 1] > 60);
	for (unsigned i = 0; i < masters; i++) {
		most = f.replicas_of[i] > most ? f.replicas_of[i] : most;
		least = f.replicas_of[i] < least ? f.replicas_of[i] : least;
	}
	print_message("between %u and %u answers\n", least, most);
	assert_true(least * 2 > most);
	fleet_done(&f);
	live_stop(&sentinel);
}

/* --- two rounds ------------------------------------------------------------------------------- */

static bool has_split(const struct fleet *f)
{
	struct verdict v;

	health_deployment(f->model, model_deployment(f->model, first_group(f)->deployment_id),
			  model_now_ms(f->model), &v);
	return strstr(v.text, "split brain: two masters named") != NULL;
}

/* Silently: the same name for another address on the second Sentinel. */
static void name_master(const struct set *s, uint16_t port)
{
	char command[100], reply[64];

	live_command(s->sentinels[1].port, "SENTINEL REMOVE mymaster", reply, sizeof(reply));
	assert_true(strncmp(reply, "+OK", 3) == 0);
	snprintf(command, sizeof(command), "SENTINEL MONITOR mymaster 127.0.0.1 %u 1", port);
	live_command(s->sentinels[1].port, command, reply, sizeof(reply));
	assert_true(strncmp(reply, "+OK", 3) == 0);
}

/* A whole round, until each Sentinel has said whom it names. */
static void run_round(struct fleet *f)
{
	unsigned before = f->asked[ASK_SENTINEL_MASTERS];

	watch_poll_all_now(f->watch);
	RUN_UNTIL(f, f->asked[ASK_SENTINEL_MASTERS] == before + 2);
}

/* The second Sentinel has answered a question of before, and we have not read that yet. */
static void leave_an_answer_behind(struct fleet *f, const struct set *s)
{
	struct link *l = watch_find_entry(f->watch, node_at(f, s->sentinels[1].port)->id)->link;
	struct pollfd p = { .fd = l->stream.fd, .events = POLLIN };

	watch_poll_all_now(f->watch);
	link_flush(l);
	assert_int_equal(poll(&p, 1, PATIENT_MS), 1);
}

/* Whatever the interval: no round is begun by the clock here. */
static void two_rounds_show_a_split_brain(void **state)
{
	struct live_server other = { 0 };
	struct set s;
	struct fleet f;

	(void)state;
	if (!live_available())
		skip();
	set_start(&s);
	live_start(&other, NULL);
	fleet_init(&f, true);
	add_target(&f, s.sentinels[0].port);
	RUN_UNTIL(&f, set_known(&f, &s) && have_met(first_group(&f)));
	fleet_done(&f);
	fleet_start(&f, false, 3600000, PATIENT_MS);
	add_target(&f, s.sentinels[0].port);
	RUN_UNTIL(&f, watch_settled(f.watch) && set_known(&f, &s));
	unsigned round = f.watch->round;

	assert_false(has_split(&f));
	name_master(&s, other.port);
	run_round(&f);
	assert_true(has_split(&f));
	name_master(&s, s.master.port);
	run_round(&f);
	assert_false(has_split(&f));
	assert_int_equal(f.watch->round, round + 2);

	/* At worst the question of before is on its way: then it is not asked again in the first round. */
	leave_an_answer_behind(&f, &s);
	name_master(&s, other.port);
	run_round(&f);
	assert_false(has_split(&f));
	run_round(&f);
	assert_true(has_split(&f));
	assert_int_equal(f.watch->round, round + 5);
	fleet_done(&f);
	live_stop(&other);
	set_stop(&s);
}

/* --- a cluster of three ------------------------------------------------------------------------ */

static bool cluster_known(const struct fleet *f, const struct live_server nodes[3])
{
	size_t cursor = 0;
	const struct deployment *d = model_next_deployment(f->model, &cursor);

	return is_up(f, nodes[0].port) && is_up(f, nodes[1].port) && is_up(f, nodes[2].port) && d &&
	       d->cluster && d->cluster->assigned == SLOT_COUNT && !d->cluster->down;
}

static void cluster(void **state)
{
	const char *args[] = { "--cluster-enabled", "yes", "--cluster-node-timeout", "60000", NULL };
	struct live_server nodes[3] = { { 0 } };
	struct fleet f;
	char command[100], reply[100];
	unsigned asked;
	uint64_t requests;

	(void)state;
	if (!live_available())
		skip();
	for (unsigned i = 0; i < 3; i++) {
		live_start(&nodes[i], args);
		snprintf(command, sizeof(command), "CLUSTER ADDSLOTSRANGE %u %u",
			 i * 16384 / 3, i == 2 ? 16383 : (i + 1) * 16384 / 3 - 1);
		live_command(nodes[i].port, command, reply, sizeof(reply));
		assert_string_equal(reply, "+OK\r\n");
		snprintf(command, sizeof(command), "CLUSTER SET-CONFIG-EPOCH %u", i + 1);
		live_command(nodes[i].port, command, reply, sizeof(reply));
	}
	for (unsigned i = 1; i < 3; i++) {
		snprintf(command, sizeof(command), "CLUSTER MEET 127.0.0.1 %u", nodes[i].port);
		live_command(nodes[0].port, command, reply, sizeof(reply));
	}
	fleet_init(&f, true);
	add_target(&f, nodes[0].port);
	RUN_UNTIL(&f, cluster_known(&f, nodes));
	RUN_UNTIL(&f, watch_settled(f.watch));
	/* What is unchanged is asked of one in turn, and not applied again each time. */
	asked = f.asked[ASK_CLUSTER_NODES];
	requests = f.asked[ASK_CLUSTER_INFO];
	RUN_UNTIL(&f, f.asked[ASK_CLUSTER_INFO] > requests + 30);
	assert_true(f.asked[ASK_CLUSTER_NODES] < asked + 15);
	for (unsigned i = 0; i < 2; i++)
		live_command(nodes[i].port, "CONFIG SET cluster-node-timeout 1000", reply, sizeof(reply));
	live_stop(&nodes[2]);
	RUN_UNTIL(&f, node_at(&f, nodes[2].port)->link.state == LINK_FAILED);
	RUN_UNTIL(&f, node_at(&f, nodes[2].port)->member->flags & CFLAG_FAIL);
	watch_poll_now(f.watch);
	RUN_UNTIL(&f, watch_settled(f.watch));
	fleet_done(&f);
	for (unsigned i = 0; i < 3; i++)
		live_stop(&nodes[i]);
}

/* --- what is the same but for its time stamps -------------------------------------------------- */

static uint64_t hash(const char *text)
{
	return watch_hash_cluster_nodes(text, strlen(text));
}

static void hash_without_stamps(void **state)
{
#define NODE(stamps, rest) "07c3 127.0.0.1:30004@31004,h slave 6ec2 " stamps " 4 " rest "\n"
#define OTHER "6ec2 127.0.0.1:30001@31001 myself,master - 0 0 1 connected 0-5460 [7->-07c3]\n"
	uint64_t first = hash(NODE("0 1426238317239", "connected") OTHER);

	(void)state;
	/* Ping is 0 unless one is on its way. */
	assert_true(first == hash(NODE("1426238317741 1426238317239", "connected") OTHER));
	assert_true(first == hash(NODE("0 1426238399999", "connected") OTHER));
	assert_false(first == hash(NODE("0 1426238317239", "disconnected") OTHER));
	assert_false(first == hash(OTHER NODE("0 1426238317239", "connected")));
	assert_false(first == hash(NODE("0 1426238317239", "connected")));
	/* Of no line that is one, all counts; and nothing is read beyond the end. */
	assert_false(hash("a b c d") == hash("a b c e"));
	assert_false(hash("a b c d ") == hash("a b c d  "));
	assert_true(hash("") == watch_hash_cluster_nodes("x", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_without_stamps),
		cmocka_unit_test(settles_without_anyone),
		cmocka_unit_test(sentinel_set),
		cmocka_unit_test(settles_once),
		cmocka_unit_test(settles_with_many_masters),
		cmocka_unit_test(hurries_for_all),
		cmocka_unit_test(two_rounds_show_a_split_brain),
		cmocka_unit_test(cluster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
