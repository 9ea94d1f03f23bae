/* Large deployments: what a look or a departure costs, counted in calls of the model's own functions (the
 * linker puts the counters in between). Twice the nodes may cost twice as many, never four times. */
#include "config.h"

#include "model/model_private.h"
#include "observe.h"

#define MANY 1000

/* --- the counters ------------------------------------------------------------------------------- */

static unsigned long calls;

char *__real_endpoint_format(const struct endpoint *ep, char *out);
char *__wrap_endpoint_format(const struct endpoint *ep, char *out);
char *__wrap_endpoint_format(const struct endpoint *ep, char *out)
{
	calls++;
	return __real_endpoint_format(ep, out);
}

struct deployment *__real_deployment_get(const struct model *m, uint32_t id);
struct deployment *__wrap_deployment_get(const struct model *m, uint32_t id);
struct deployment *__wrap_deployment_get(const struct model *m, uint32_t id)
{
	calls++;
	return __real_deployment_get(m, id);
}

const struct node *__real_model_next_member(const struct model *m, uint32_t deployment_id, size_t *cursor);
const struct node *__wrap_model_next_member(const struct model *m, uint32_t deployment_id, size_t *cursor);
const struct node *__wrap_model_next_member(const struct model *m, uint32_t deployment_id, size_t *cursor)
{
	calls++;
	return __real_model_next_member(m, deployment_id, cursor);
}

struct node *__real_member_at(const struct model *m, const struct deployment *d, size_t i);
struct node *__wrap_member_at(const struct model *m, const struct deployment *d, size_t i);
struct node *__wrap_member_at(const struct model *m, const struct deployment *d, size_t i)
{
	calls++;
	return __real_member_at(m, d, i);
}

bool __real_endpoint_equal(const struct endpoint *a, const struct endpoint *b);
bool __wrap_endpoint_equal(const struct endpoint *a, const struct endpoint *b);
bool __wrap_endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	calls++;
	return __real_endpoint_equal(a, b);
}

/* Twice as many nodes: four times the calls would be a square. */
static void assert_linear(unsigned long (*cost)(int nodes))
{
	unsigned long one = cost(MANY), two = cost(2 * MANY);
	if (one < MANY)
		fail_msg("%lu calls for %d nodes: the counters are not in between", one, MANY);
	if (two > 3 * one)
		fail_msg("%lu calls for %d nodes, %lu for %d", one, MANY, two, 2 * MANY);
}

/* --- worlds -------------------------------------------------------------------------------------- */

static const char *host_of(int i, char *out, size_t size)
{
	snprintf(out, size, "10.%d.%d.1", i / 250, i % 250);
	return out;
}

static const struct node *far_node(const struct world *w, int i)
{
	char host[32];
	return find_at(w, host_of(i, host, sizeof(host)), 6379);
}

/* CLUSTER NODES of 7001: itself, and the others, each `moved` addresses behind its own. */
static void list_cluster(struct world *w, int nodes, int moved)
{
	struct buf text = BUF_INIT;
	char host[32];
	buf_addf(&text, "%040d 127.0.0.1:7001@17001 myself,master - 0 0 1 connected 0-16383\n", 7001);
	for (int i = 0; i < nodes; i++)
		buf_addf(&text, "%040d %s:6379@16379 slave %040d 0 0 1 connected\n", 10000 + i,
			 host_of(i + moved, host, sizeof(host)), 7001);
	cluster_nodes(w, 7001, buf_str(&text));
	buf_free(&text);
}

static struct world far_cluster(int nodes)
{
	struct world w = world_new();
	target(&w, 7001);
	link_up(&w, 7001);
	info_master_as(&w, id_at(&w, 7001), "cluster", 7001, 100, "");
	list_cluster(&w, nodes, 0);
	assert_int_equal(model_node_count(w.m), nodes + 1);
	return w;
}

static void fail_all(struct world *w, int nodes)
{
	for (int i = 0; i < nodes; i++)
		link_state(w, far_node(w, i)->id, LINK_FAILED, "No route to host");
}

/* --- out of reach -------------------------------------------------------------------------------- */

static unsigned long look_cost(int nodes, bool with_seed)
{
	struct world w = far_cluster(nodes);
	struct verdict v;
	fail_all(&w, nodes);
	if (!with_seed)
		link_lost(&w, 7001);
	calls = 0;
	health_deployment(w.m, only_deployment(&w), w.now, &v);
	unsigned long cost = calls;
	world_end(&w);
	return cost;
}

static unsigned long look_cost_seed(int nodes)
{
	return look_cost(nodes, true);
}

static unsigned long look_cost_no_seed(int nodes)
{
	return look_cost(nodes, false);
}

static void a_look_at_unreachable_nodes(void **state)
{
	(void)state;
	assert_linear(look_cost_seed);
	assert_linear(look_cost_no_seed);
}

static void hint_is(const struct world *w, int i, const char *hint)
{
	struct verdict v;
	health_node(w->m, far_node(w, i), w->now, &v);
	if (hint != NULL)
		assert_has(v.text, hint);
	else
		assert_null(strstr(v.text, "--map"));
}

/* What is remembered of the seeds is that of now. */
static void the_hint_follows_its_seed(void **state)
{
	struct world w = far_cluster(3);
	(void)state;
	fail_all(&w, 3);
	hint_is(&w, 1, "--map 10.0.1.1:6379=127.0.0.1:6379");
	link_lost(&w, 7001);
	hint_is(&w, 1, NULL);
	link_up(&w, 7001);
	hint_is(&w, 1, "--map 10.0.1.1:6379=127.0.0.1:6379");
	/* One on its own host says nothing of it; the next one does. */
	target_host(&w, "10.0.1.1", 6380);
	target_host(&w, "10.0.9.1", 6380);
	info_master_as(&w, find_at(&w, "10.0.1.1", 6380)->id, "cluster", 6380, 100, "");
	link_lost(&w, 7001);
	link_state(&w, find_at(&w, "10.0.1.1", 6380)->id, LINK_UP, NULL);
	hint_is(&w, 1, NULL);
	world_end(&w);
}

/* --- leaving ------------------------------------------------------------------------------------- */

static void all_leave(struct world *w)
{
	tick(w, 60000);
	list_cluster(w, 0, 0);
	tick(w, 1000);
	assert_int_equal(model_node_count(w->m), 1);
}

/* One of them has taken another's address. */
static unsigned long leave_cost(int nodes)
{
	struct world w = far_cluster(nodes);
	char text[256];
	snprintf(text, sizeof(text), "%040d 127.0.0.1:7001@17001 myself,master - 0 0 1 connected 0-16383\n"
		 "%040d 10.0.1.1:6379@16379 slave %040d 0 0 1 connected\n", 7001, 10000, 7001);
	cluster_nodes(&w, 7001, text);
	assert_string_equal(far_node(&w, 1)->cluster_id, "0000000000000000000000000000000000010000");
	calls = 0;
	all_leave(&w);
	unsigned long cost = calls;
	world_end(&w);
	return cost;
}

/* Each goes to the address of the next one, as when all containers come up with new ones. */
static unsigned long move_cost(int nodes)
{
	struct world w = far_cluster(nodes);
	calls = 0;
	list_cluster(&w, nodes, 1);
	unsigned long cost = calls;
	for (int i = 0; i < nodes; i++)
		assert_int_equal(atol(far_node(&w, i + 1)->cluster_id), 10000 + i);
	assert_null(far_node(&w, 0));
	all_leave(&w);
	world_end(&w);
	return cost;
}

static void leaving_and_moving(void **state)
{
	(void)state;
	assert_linear(leave_cost);
	assert_linear(move_cost);
}

static void five_thousand_leave(void **state)
{
	(void)state;
	leave_cost(5000);
}

/* --- who is who ---------------------------------------------------------------------------------- */

#define GROUP_NODES 5
#define SENTINELS   3

static void run_id_of(int i, char out[ID_BYTES])
{
	snprintf(out, ID_BYTES, "%040d", 10000 + i);
}

static struct sentinel_instance far_instance(int i, uint32_t flags)
{
	char host[32];
	struct sentinel_instance f = instance("", 6379, flags);
	f.addr = at_host(host_of(i, host, sizeof(host)), 6379);
	snprintf(f.name, sizeof(f.name), "group-%d", i / GROUP_NODES);
	run_id_of(i, f.run_id);
	return f;
}

/* Groups of GROUP_NODES, as each Sentinel lists them, with the run ids. */
static void list_groups(struct world *w, uint32_t sentinel, int groups)
{
	struct sentinel_instance *all = calloc((size_t)groups, sizeof(*all)), f[GROUP_NODES - 1];
	assert_non_null(all);
	for (int g = 0; g < groups; g++)
		all[g] = far_instance(g * GROUP_NODES, SFLAG_MASTER);
	listed(w, ASK_SENTINEL_MASTERS, sentinel, NULL, all, (size_t)groups);
	for (int g = 0; g < groups; g++) {
		for (int r = 1; r < GROUP_NODES; r++)
			f[r - 1] = far_instance(g * GROUP_NODES + r, SFLAG_SLAVE);
		listed(w, ASK_SENTINEL_REPLICAS, sentinel, all[g].name, f, GROUP_NODES - 1);
	}
	free(all);
}

static struct world far_groups(int nodes)
{
	struct world w = world_new();
	for (int s = 0; s < SENTINELS; s++) {
		target(&w, 26001 + s);
		link_up(&w, 26001 + s);
		info_sentinel(&w, id_at(&w, 26001 + s), 26001 + s);
		list_groups(&w, id_at(&w, 26001 + s), nodes / GROUP_NODES);
	}
	assert_int_equal(model_node_count(w.m), nodes + SENTINELS);
	return w;
}

static const struct node *who_answers(const struct world *w, int at, int as)
{
	char id[ID_BYTES];
	run_id_of(as, id);
	return node_leads_to(w->m, far_node(w, at), id);
}

/* Each says for the first time who it is. */
static unsigned long first_word_cost(int nodes)
{
	struct world w = far_groups(nodes);
	calls = 0;
	for (int i = 0; i < nodes; i++)
		assert_null(who_answers(&w, i, i));
	unsigned long cost = calls;
	world_end(&w);
	return cost;
}

/* A map sends each to the first one, which is known by then. */
static unsigned long misled_cost(int nodes)
{
	struct world w = far_groups(nodes);
	const struct node *first = far_node(&w, 0);
	link_state(&w, first->id, LINK_UP, NULL);
	info_master_as(&w, first->id, "standalone", 10000, 10, "");
	calls = 0;
	for (int i = 1; i < nodes; i++)
		assert_ptr_equal(who_answers(&w, i, 0), first);
	unsigned long cost = calls;
	world_end(&w);
	return cost;
}

/* ... and those that were found are not looked for again. */
static void a_misled_one_again(void **state)
{
	struct world w = far_groups(MANY);
	int other = MANY - 1, host = 1;
	const struct node *n = far_node(&w, host);
	(void)state;
	link_state(&w, n->id, LINK_UP, NULL);
	info_master_as(&w, n->id, "standalone", 10000 + other, 10, "");
	assert_int_equal(n->leads_to, far_node(&w, other)->id);
	calls = 0;
	assert_ptr_equal(who_answers(&w, host, other), far_node(&w, other));
	if (calls > MANY / 10)
		fail_msg("%lu calls to find the one that was found before", calls);
	world_end(&w);
}

static void who_is_who(void **state)
{
	(void)state;
	assert_linear(first_word_cost);
	assert_linear(misled_cost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_at_unreachable_nodes),
		cmocka_unit_test(the_hint_follows_its_seed),
		cmocka_unit_test(leaving_and_moving),
		cmocka_unit_test(five_thousand_leave),
		cmocka_unit_test(who_is_who),
		cmocka_unit_test(a_misled_one_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
