/* Who is who: a Sentinel under several addresses is one, and who answers at a member's address need not
 * be that member. */
#include <stdio.h>
#include <string.h>

#include "model/model_private.h"

/* Out of reach for so long a process may be back: until then one that has its id is another one. */
#define MAY_COME_BACK_MS 60000

/* --- Sentinels ------------------------------------------------------------------------------------- */

/* A peer's clock and a tick of ours: nearer moments are one. */
#define HELLO_SLACK_MS 1000

static int64_t hello_ms(int64_t at_ms, const struct sentinel_instance *f)
{
	return f->last_hello_message_ms == FACT_UNKNOWN || f->last_hello_message_ms < 0 ?
		       0 :
		       at_ms - f->last_hello_message_ms;
}

/* When a peer last heard it say the address that it goes by; 0: nobody lists it there. */
static int64_t heard_ms(const struct model *m, const struct node *n)
{
	const struct deployment *d = deployment_get(m, n->deployment_id);
	int64_t latest = 0;
	for (size_t i = 0; d != NULL && i < d->group_count; i++) {
		const struct group *g = d->groups[i];
		for (size_t k = 0; k < g->view_count; k++) {
			const struct sentinel_view *v = &g->views[k];
			size_t at = member_view_place(v->peers, v->peer_count, n->id);
			if (at == v->peer_count || v->peers[at].node_id != n->id ||
			    !endpoint_equal(&v->peers[at].facts.addr, &n->addr))
				continue;
			int64_t heard = hello_ms(v->peers[at].at_ms, &v->peers[at].facts);
			latest = heard > latest ? heard : latest;
			/* Listed without an age is listed all the same. */
			latest = latest > 0 ? latest : 1;
		}
	}
	return latest;
}

/* The address by which it goes: the one that it announces, which its peers heard last. What answers is
 * left alone, but for a target that was written otherwise than it is announced. */
static void take_listed_addr(struct model *m, struct node *n, const struct sentinel_instance *f)
{
	bool up = n->link.state == LINK_UP;
	if (endpoint_equal(&n->addr, &f->addr) || (up && !n->is_target))
		return;
	int64_t heard = heard_ms(m, n);
	if (heard != 0 && (up || hello_ms(m->now_ms, f) <= heard + HELLO_SLACK_MS))
		return;
	if (n->is_target && !endpoint_is_set(&n->dial))
		n->dial = n->addr;
	n->addr = f->addr;
	m->changed |= TOPIC_NODES | TOPIC_TOPOLOGY;
}

static bool are_two_ids(const char *a, const char *b)
{
	return a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0;
}

/* Peers list one address for an id that two announce, now this one and now that: of a link that broke
 * just now their lists alone do not tell. */
static bool lives(const struct model *m, const struct node *n)
{
	return n->link.state == LINK_UP || heard_ms(m, n) != 0 ||
	       (n->link.last_reply_ms != 0 && m->now_ms - n->link.last_reply_ms < MAY_COME_BACK_MS);
}

/* Two processes that have answered, with one id: a configuration was copied. They stay two. */
static bool are_two_processes(const struct model *m, const struct node *a, const struct node *b)
{
	return are_two_ids(a->run_id, b->run_id) && lives(m, a) && lives(m, b);
}

static struct node *obtain_listed(struct model *m, uint32_t deployment_id,
				  const struct sentinel_instance *f)
{
	struct node *n = node_obtain(m, deployment_id, &f->addr, true);
	if (n == NULL || f->run_id[0] == '\0')
		return n;
	if (n->sentinel_id[0] == '\0')
		snprintf(n->sentinel_id, sizeof(n->sentinel_id), "%s", f->run_id);
	if (strcmp(n->sentinel_id, f->run_id) == 0)
		node_add_key(m, n, "sentinel:", f->run_id);
	return n;
}

struct node *sentinel_obtain(struct model *m, uint32_t deployment_id, const struct sentinel_instance *f)
{
	struct node *there = node_by_addr(m, &f->addr);
	struct node *same = f->run_id[0] != '\0' ? node_by_key(m, "sentinel:", f->run_id) : NULL;
	char addr[ENDPOINT_TEXT_BYTES];
	if (same == NULL || same->deployment_id != deployment_id)
		return obtain_listed(m, deployment_id, f);
	if (same == there) {
		/* It went to an address of before, or its first word from a new one came too early. */
		take_listed_addr(m, same, f);
		return obtain_listed(m, deployment_id, f);
	}
	/* Another one lives there by now, by its own word or by that of all: the list is old. */
	if (there != NULL && are_two_ids(there->sentinel_id, f->run_id))
		return same;
	if (there != NULL && are_two_processes(m, there, same))
		return obtain_listed(m, deployment_id, f);
	if (there != NULL)
		same = node_merge(m, same, there);
	else
		node_add_key(m, same, "", endpoint_format(&f->addr, addr));
	same->claimed_ms = m->now_ms;
	take_listed_addr(m, same, f);
	return same;
}

void apply_myid(struct model *m, const struct observation *obs, struct node *n)
{
	struct node *same = node_by_key(m, "sentinel:", obs->u.myid);
	if (same == n && strcmp(n->sentinel_id, obs->u.myid) == 0)
		return;
	if (n->sentinel_id[0] != '\0' && strcmp(n->sentinel_id, obs->u.myid) != 0)
		node_drop_key(m, n, "sentinel:", n->sentinel_id);
	snprintf(n->sentinel_id, sizeof(n->sentinel_id), "%s", obs->u.myid);
	m->changed |= TOPIC_TOPOLOGY;
	if (same != NULL && same != n && are_two_processes(m, same, n))
		return;
	if (same != NULL && same != n)
		n = node_merge(m, same, n);
	node_add_key(m, n, "sentinel:", obs->u.myid);
}

/* --- an address that leads to another member ------------------------------------------------------- */

struct listing {
	bool here, here_as_seen;
	const struct sentinel_instance *elsewhere; /* listed with the run id that answers */
};

static void look(const struct sentinel_instance *f, const struct node *n, const char *run_id,
		 struct listing *out)
{
	bool is_seen = strcmp(f->run_id, run_id) == 0;
	if (f->run_id[0] == '\0')
		return;
	if (endpoint_equal(&f->addr, &n->addr)) {
		out->here = true;
		out->here_as_seen |= is_seen;
	} else if (is_seen) {
		out->elsewhere = f;
	}
}

/* In its own group: who it is has to be known of each, so never through the whole deployment. */
static void look_at(const struct model *m, const struct node *listed, const struct node *n,
		    const char *run_id, struct listing *out)
{
	const struct group *g = model_group(m, listed->group_id);
	for (size_t k = 0; g != NULL && k < g->view_count; k++) {
		const struct sentinel_view *v = &g->views[k];
		size_t at = member_view_place(v->replicas, v->replica_count, listed->id);
		look(&v->facts, n, run_id, out);
		if (at < v->replica_count && v->replicas[at].node_id == listed->id)
			look(&v->replicas[at].facts, n, run_id, out);
	}
}

static void look_everywhere(const struct deployment *d, const struct node *n, const char *run_id,
			    struct listing *out)
{
	for (size_t i = 0; d != NULL && i < d->group_count; i++) {
		const struct group *g = d->groups[i];
		for (size_t k = 0; k < g->view_count; k++) {
			look(&g->views[k].facts, n, run_id, out);
			for (size_t r = 0; r < g->views[k].replica_count; r++)
				look(&g->views[k].replicas[r].facts, n, run_id, out);
		}
	}
}

/* Sentinels list each server with its run id. Through all of them goes only what is listed as another
 * one, and once: who was found is looked at first, and none found means that it restarted. */
static struct node *listed_elsewhere(const struct model *m, const struct node *n, const char *run_id,
				     const struct node *same)
{
	const struct node *last = node_get(m, n->leads_to);
	struct listing found = { .here = false };
	look_at(m, n, n, run_id, &found);
	if (!found.here || found.here_as_seen)
		return NULL;
	if (found.elsewhere == NULL && same != NULL)
		look_at(m, same, n, run_id, &found);
	if (found.elsewhere == NULL && last != NULL)
		look_at(m, last, n, run_id, &found);
	if (found.elsewhere == NULL)
		look_everywhere(deployment_get(m, n->deployment_id), n, run_id, &found);
	if (found.elsewhere == NULL || found.here_as_seen)
		return NULL;
	return node_by_addr(m, &found.elsewhere->addr);
}

/* Whose address was changed while it ran is listed by its new one only, and is no second member. */
static bool is_listed_now(const struct node *master, const struct node *n)
{
	for (size_t i = 0; i < master->info.replica_count; i++)
		if (endpoint_equal(&master->info.replicas[i].addr, &n->addr))
			return true;
	return false;
}

/* By one process, which cannot be both: a master does not list itself as its replica, nor one replica
 * twice, and nobody has two ids in a cluster or among Sentinels. */
static bool are_two_members(const struct model *m, const struct node *n, const struct node *same)
{
	const struct node *by = node_get(m, n->listed_by);
	if (by != NULL && (by == same || (by == node_get(m, same->listed_by) && is_listed_now(by, same))))
		return true;
	if (n->member != NULL && (n->member->flags & (CFLAG_FAIL | CFLAG_PFAIL | CFLAG_NOADDR)))
		return false;
	return are_two_ids(n->cluster_id, same->cluster_id) || are_two_ids(n->sentinel_id, same->sentinel_id);
}

struct node *node_leads_to(const struct model *m, const struct node *n, const char *run_id)
{
	struct node *same = node_by_key(m, "run:", run_id), *other;
	/* A known process that answers as before, or one that only moved. */
	if (run_id[0] == '\0' || n->run_id[0] != '\0')
		return NULL;
	other = listed_elsewhere(m, n, run_id, same != n ? same : NULL);
	if (other != NULL && other != n)
		return other;
	return same != NULL && same != n && are_two_members(m, n, same) ? same : NULL;
}
