#include "config.h"

#include "app/demo_form.h"

#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "app/demo_servers.h"
#include "base/clock.h"

#define ANSWER_MS   1000
#define LISTEN_MS   8000  /* until a started server answers */
#define FORM_MS     15000 /* until a deployment is whole */
#define RETRY_MS    20
#define SLOTS_CHUNK 512

struct form {
	const struct demo_plan *plan;
	redisContext *links[DEMO_MAX_NODES];
	char last_words[128]; /* of the server that is waited for, for the error message */
	char ids[DEMO_MAX_NODES][41];
};

/* One thing that is waited for at one node: true when it is so. */
typedef bool form_condition(struct form *form, size_t i);

static void nap(void)
{
	const struct timespec ts = { .tv_nsec = RETRY_MS * 1000000L };

	nanosleep(&ts, NULL);
}

/* --- asking --------------------------------------------------------------------------------- */

static void drop_link(struct form *form, size_t i)
{
	if (form->links[i])
		redisFree(form->links[i]);
	form->links[i] = NULL;
}

static redisContext *get_link(struct form *form, size_t i)
{
	const struct demo_node *node = &form->plan->nodes[i];
	struct timeval wait = { .tv_sec = ANSWER_MS / 1000 };
	redisReply *reply;
	bool ok;

	if (form->links[i])
		return form->links[i];
	form->links[i] = redisConnectWithTimeout("127.0.0.1", node->port, wait);
	if (!form->links[i] || form->links[i]->err) {
		drop_link(form, i);
		return NULL;
	}
	redisSetTimeout(form->links[i], wait);
	reply = redisCommand(form->links[i], "AUTH %s", demo_node_password(form->plan, node));
	ok = reply && reply->type == REDIS_REPLY_STATUS;
	freeReplyObject(reply);
	if (!ok)
		drop_link(form, i);
	return form->links[i];
}

/* The reply (the caller's to free), NULL without one or for an error reply. */
static redisReply *ask(struct form *form, size_t i, const char *format, ...)
{
	redisContext *link = get_link(form, i);
	redisReply *reply;
	va_list ap;

	if (!link) {
		snprintf(form->last_words, sizeof form->last_words, "it does not answer");
		return NULL;
	}
	va_start(ap, format);
	reply = redisvCommand(link, format, ap);
	va_end(ap);
	if (!reply) {
		snprintf(form->last_words, sizeof form->last_words, "%s", link->errstr);
		drop_link(form, i);
		return NULL;
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		snprintf(form->last_words, sizeof form->last_words, "%s", reply->str);
		freeReplyObject(reply);
		return NULL;
	}
	return reply;
}

static bool ask_contains(struct form *form, size_t i, const char *command, const char *needle)
{
	redisReply *reply = ask(form, i, command);
	bool found = reply && reply->str && strstr(reply->str, needle);

	if (reply && !found)
		snprintf(form->last_words, sizeof form->last_words, "no \"%s\" in %s", needle,
			 command);
	freeReplyObject(reply);
	return found;
}

/* --- waiting -------------------------------------------------------------------------------- */

static bool wait_node(struct form *form, size_t i, form_condition *condition, int64_t deadline_ms,
		      const char *what, struct buf *err)
{
	form->last_words[0] = '\0';
	while (!condition(form, i)) {
		if (clock_mono_ms() >= deadline_ms) {
			buf_addf(err, "%s 127.0.0.1:%u: %s (%s)",
				 demo_role_name(form->plan->nodes[i].role),
				 (unsigned)form->plan->nodes[i].port, what, form->last_words);
			return false;
		}
		nap();
	}
	return true;
}

/* Waits at each node whose role is in the mask; one deadline for all of them. */
static bool wait_roles(struct form *form, unsigned roles, form_condition *condition, int wait_ms,
		       const char *what, struct buf *err)
{
	int64_t deadline_ms = clock_mono_ms() + wait_ms;

	for (size_t i = 0; i < form->plan->node_count; i++) {
		if ((roles & 1u << form->plan->nodes[i].role) &&
		    !wait_node(form, i, condition, deadline_ms, what, err))
			return false;
	}
	return true;
}

static bool answers(struct form *form, size_t i)
{
	redisReply *reply = ask(form, i, "PING");

	freeReplyObject(reply);
	return reply != NULL;
}

/* --- the Sentinel set ----------------------------------------------------------------------- */

#define DATA_ROLES    (1u << DEMO_ROLE_MASTER | 1u << DEMO_ROLE_REPLICA)
#define CLUSTER_ROLES (1u << DEMO_ROLE_CLUSTER_MASTER | 1u << DEMO_ROLE_CLUSTER_REPLICA)

static bool replica_is_linked(struct form *form, size_t i)
{
	return ask_contains(form, i, "INFO replication", "master_link_status:up");
}

static const char *field(const redisReply *reply, const char *name)
{
	for (size_t i = 0; reply && i + 1 < reply->elements; i += 2) {
		const redisReply *key = reply->element[i], *value = reply->element[i + 1];

		if (key->str && value->str && strcmp(key->str, name) == 0)
			return value->str;
	}
	return "";
}

/* Its flags hold "disconnected" until the link to the master stands, and nothing but "master" once
 * all is well. */
static bool sentinel_is_settled(struct form *form, size_t i)
{
	redisReply *reply = ask(form, i, "SENTINEL MASTER " DEMO_MASTER_NAME);
	bool ok = strcmp(field(reply, "flags"), "master") == 0 &&
		  strcmp(field(reply, "num-slaves"), "3") == 0 &&
		  strcmp(field(reply, "num-other-sentinels"), "2") == 0;

	if (reply)
		snprintf(form->last_words, sizeof form->last_words, "flags %s, %s replicas",
			 field(reply, "flags"), field(reply, "num-slaves"));
	freeReplyObject(reply);
	return ok;
}

static bool form_sentinel_set(struct form *form, demo_progress *progress, void *ctx,
			      struct buf *err)
{
	if (!wait_roles(form, 1u << DEMO_ROLE_REPLICA, replica_is_linked, FORM_MS,
			"not synchronised with its master", err))
		return false;
	progress(ctx, "replicas are synchronised");
	if (!wait_roles(form, 1u << DEMO_ROLE_SENTINEL, sentinel_is_settled, FORM_MS,
			"does not see its master, replicas and peers", err))
		return false;
	progress(ctx, "Sentinels watch " DEMO_MASTER_NAME ", quorum 2");
	return true;
}

/* --- the cluster ---------------------------------------------------------------------------- */

static bool command_ok(struct form *form, size_t i, redisReply *reply, struct buf *err)
{
	freeReplyObject(reply);
	if (!reply)
		buf_addf(err, "cluster node 127.0.0.1:%u: %s",
			 (unsigned)form->plan->nodes[i].port, form->last_words);
	return reply != NULL;
}

static bool add_slots_chunk(struct form *form, size_t i, int from, int to, struct buf *err)
{
	static char numbers[SLOTS_CHUNK][12];
	const char *argv[SLOTS_CHUNK + 2] = { "CLUSTER", "ADDSLOTS" };
	redisContext *link = get_link(form, i);
	redisReply *reply;
	int argc = 2;

	for (int slot = from; slot < to; slot++, argc++) {
		snprintf(numbers[argc - 2], sizeof numbers[0], "%d", slot);
		argv[argc] = numbers[argc - 2];
	}
	reply = link ? redisCommandArgv(link, argc, argv, NULL) : NULL;
	if (reply && reply->type == REDIS_REPLY_ERROR) {
		snprintf(form->last_words, sizeof form->last_words, "%s", reply->str);
		freeReplyObject(reply);
		reply = NULL;
	}
	return command_ok(form, i, reply, err);
}

/* ADDSLOTS and not ADDSLOTSRANGE, which is of 7.0. */
static bool add_slots(struct form *form, size_t i, struct buf *err)
{
	int shard = form->plan->nodes[i].shard;
	int from = (shard * DEMO_SLOTS + DEMO_SHARDS - 1) / DEMO_SHARDS;
	int end = ((shard + 1) * DEMO_SLOTS + DEMO_SHARDS - 1) / DEMO_SHARDS;

	for (; from < end; from += SLOTS_CHUNK) {
		int to = from + SLOTS_CHUNK < end ? from + SLOTS_CHUNK : end;

		if (!add_slots_chunk(form, i, from, to, err))
			return false;
	}
	return true;
}

static bool prepare_node(struct form *form, size_t i, int epoch, struct buf *err)
{
	redisReply *reply = ask(form, i, "CLUSTER MYID");

	if (reply && reply->str)
		snprintf(form->ids[i], sizeof form->ids[i], "%s", reply->str);
	if (!command_ok(form, i, reply, err))
		return false;
	if (form->plan->nodes[i].role == DEMO_ROLE_CLUSTER_MASTER && !add_slots(form, i, err))
		return false;
	/* Accepted only while a node knows no other; spares the round of epoch collisions. */
	return command_ok(form, i, ask(form, i, "CLUSTER SET-CONFIG-EPOCH %d", epoch), err);
}

/* Every pair, and not all with the first: gossip would take another second or two. */
static bool introduce_node(struct form *form, size_t i, struct buf *err)
{
	const struct demo_plan *plan = form->plan;

	for (size_t j = i + 1; j < plan->node_count; j++) {
		if (!demo_role_is_cluster(plan->nodes[j].role))
			continue;
		if (!command_ok(form, i,
				ask(form, i, "CLUSTER MEET 127.0.0.1 %d", (int)plan->nodes[j].port),
				err))
			return false;
	}
	return true;
}

static bool follows_master(struct form *form, size_t i)
{
	const struct demo_plan *plan = form->plan;
	size_t master = 0;
	redisReply *reply;

	while (plan->nodes[master].role != DEMO_ROLE_CLUSTER_MASTER ||
	       plan->nodes[master].shard != plan->nodes[i].shard)
		master++;
	/* Refused until the handshakes have brought the master's id. */
	reply = ask(form, i, "CLUSTER REPLICATE %s", form->ids[master]);
	freeReplyObject(reply);
	return reply != NULL;
}

static bool cluster_is_ok(struct form *form, size_t i)
{
	return ask_contains(form, i, "CLUSTER INFO", "cluster_state:ok") &&
	       ask_contains(form, i, "CLUSTER INFO", "cluster_known_nodes:6") &&
	       ask_contains(form, i, "CLUSTER INFO", "cluster_size:3");
}

/* Two handshakes of one pair leave a node without a name behind for a moment, and a node that has
 * just become a replica is a master without slots to the others until it tells them. */
static bool knows_all_nodes(struct form *form, size_t i)
{
	redisReply *reply = ask(form, i, "CLUSTER NODES");
	const char *at = reply && reply->str ? reply->str : "";
	bool over = !strstr(at, "handshake") && !strstr(at, "noaddr");
	int replicas = 0;

	/* The flags end in it: "slave" or "myself,slave", then the master's id. */
	while ((at = strstr(at, "slave "))) {
		replicas++;
		at++;
	}
	if (reply)
		snprintf(form->last_words, sizeof form->last_words, "%d replicas known%s", replicas,
			 over ? "" : ", a handshake is pending");
	freeReplyObject(reply);
	return over && replicas == DEMO_SHARDS;
}

static bool form_cluster(struct form *form, demo_progress *progress, void *ctx, struct buf *err)
{
	const struct demo_plan *plan = form->plan;
	int epoch = 0;

	for (size_t i = 0; i < plan->node_count; i++) {
		if (demo_role_is_cluster(plan->nodes[i].role) &&
		    !prepare_node(form, i, ++epoch, err))
			return false;
	}
	for (size_t i = 0; i < plan->node_count; i++) {
		if (demo_role_is_cluster(plan->nodes[i].role) && !introduce_node(form, i, err))
			return false;
	}
	progress(ctx, "cluster nodes are introduced, slots assigned");
	if (!wait_roles(form, 1u << DEMO_ROLE_CLUSTER_REPLICA, follows_master, FORM_MS,
			"can't follow its master", err) ||
	    !wait_roles(form, 1u << DEMO_ROLE_CLUSTER_REPLICA, replica_is_linked, FORM_MS,
			"not synchronised with its master", err) ||
	    !wait_roles(form, CLUSTER_ROLES, cluster_is_ok, FORM_MS, "the cluster is not formed",
			err) ||
	    !wait_roles(form, CLUSTER_ROLES, knows_all_nodes, FORM_MS,
			"the cluster is not formed", err))
		return false;
	progress(ctx, "cluster is formed: 16384 slots, 3 masters, 3 replicas");
	return true;
}

static bool plan_has(const struct demo_plan *plan, enum demo_role role)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		if (plan->nodes[i].role == role)
			return true;
	}
	return false;
}

bool demo_form(const struct demo_plan *plan, demo_progress *progress, void *ctx, struct buf *err)
{
	struct form form = { .plan = plan };
	bool ok;

	ok = wait_roles(&form, DATA_ROLES | CLUSTER_ROLES | 1u << DEMO_ROLE_SENTINEL, answers,
			LISTEN_MS, "did not start", err);
	if (ok)
		progress(ctx, "servers answer");
	/* The cluster first: it needs the longest on its own, and meanwhile replicas attach. */
	if (ok && plan_has(plan, DEMO_ROLE_CLUSTER_MASTER))
		ok = form_cluster(&form, progress, ctx, err);
	if (ok && plan_has(plan, DEMO_ROLE_MASTER))
		ok = form_sentinel_set(&form, progress, ctx, err);
	for (size_t i = 0; i < plan->node_count; i++)
		drop_link(&form, i);
	return ok;
}
