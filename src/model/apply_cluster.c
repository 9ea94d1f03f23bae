/* CLUSTER NODES and CLUSTER INFO. Every value is one node's opinion: slots are believed by config
 * epoch, and an owner's own word goes before what others say of it; fail flags are kept as claims
 * of those who make them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/failovers.h"
#include "model/model_private.h"

#define OWNER_NONE 0xffff
/* In a large cluster the turn comes round slowly: a claim that the others no longer share is
 * dropped after this. */
#define CLAIM_STALE_MS     10000
#define CLAIM_STALE_NODES  64
/* A record of a failover may be opened this much later than the first node named the new master. */
#define CLAIM_NEWS_MS      60000
/* Different (from, to) pairs that one change of the map reports one by one. */
#define MOVES_MAX 32

void cluster_member_free(struct cluster_member *cm)
{
	if (cm == NULL)
		return;
	free(cm->slots);
	free(cm->open);
	free(cm->claims);
	free(cm->echoes);
	free(cm);
}

void cluster_free(struct cluster *c)
{
	if (c == NULL)
		return;
	free(c->owners);
	free(c);
}

/* --- who fails --------------------------------------------------------------------------------- */

static struct fail_claim *claim_find(struct cluster_member *cm, uint32_t by)
{
	for (size_t i = 0; i < cm->claim_count; i++)
		if (cm->claims[i].by == by)
			return &cm->claims[i];
	return NULL;
}

static void claim_set(struct model *m, struct cluster_member *cm, uint32_t by, uint32_t flags)
{
	struct fail_claim *c = claim_find(cm, by);
	if (!(flags & (CFLAG_PFAIL | CFLAG_FAIL))) {
		if (c != NULL)
			*c = cm->claims[--cm->claim_count];
		return;
	}
	if (c == NULL) {
		cm->claims = mem_grow(cm->claims, &cm->claim_cap, cm->claim_count + 1,
				      sizeof(*cm->claims));
		c = &cm->claims[cm->claim_count++];
		c->by = by;
	}
	c->fail = flags & CFLAG_FAIL;
	c->at_ms = m->now_ms;
}

static void claims_expire(struct model *m, struct cluster_member *cm, const struct node *observer,
			  size_t nodes)
{
	for (size_t i = cm->claim_count; i-- > 0;) {
		const struct node *by = node_get(m, cm->claims[i].by);
		bool silent = by == NULL || by->link.state != LINK_UP;
		bool stale = nodes > CLAIM_STALE_NODES && by != observer &&
			     m->now_ms - cm->claims[i].at_ms > CLAIM_STALE_MS;
		if (silent || stale)
			cm->claims[i] = cm->claims[--cm->claim_count];
	}
}

static void claims_detail(struct model *m, const struct cluster_member *cm, char *out, size_t size)
{
	const struct node *by = cm->claim_count > 0 ? node_get(m, cm->claims[0].by) : NULL;
	char text[ENDPOINT_TEXT_BYTES];
	snprintf(out, size, "said by %s%s", by != NULL ? endpoint_format(&by->addr, text) : "nobody",
		 cm->claim_count > 1 ? " and others" : "");
}

static void judge_claims(struct model *m, struct node *n)
{
	struct cluster_member *cm = n->member;
	bool fail = false;
	for (size_t i = 0; i < cm->claim_count; i++)
		fail |= cm->claims[i].fail;
	bool pfail = !fail && cm->claim_count > 0;
	bool was_fail = cm->flags & CFLAG_FAIL, was_pfail = cm->flags & CFLAG_PFAIL;
	cm->flags &= ~(uint32_t)(CFLAG_FAIL | CFLAG_PFAIL);
	cm->flags |= (fail ? CFLAG_FAIL : 0u) | (pfail ? CFLAG_PFAIL : 0u);
	if (fail == was_fail && pfail == was_pfail)
		return;
	char detail[ENDPOINT_TEXT_BYTES + 32];
	claims_detail(m, cm, detail, sizeof(detail));
	if (pfail && !was_pfail && !was_fail)
		model_node_event(m, EVENT_NODE_PFAIL, n, detail);
	if (fail && !was_fail)
		model_node_event(m, EVENT_NODE_FAIL, n, detail);
	if (!fail && was_fail)
		model_node_event(m, EVENT_NODE_FAIL_OVER, n, NULL);
	if (!pfail && was_pfail && !fail)
		model_node_event(m, EVENT_NODE_PFAIL_OVER, n, NULL);
	cm->fail_since_ms = fail ? (was_fail ? cm->fail_since_ms : m->now_ms) : 0;
	cm->pfail_since_ms = pfail ? (was_pfail ? cm->pfail_since_ms : m->now_ms) : 0;
	node_set_said_down(m, n, fail || pfail, 0);
	m->changed |= TOPIC_HEALTH;
}

/* --- slots ------------------------------------------------------------------------------------- */

static int by_config_epoch(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;
	if (x->member->config_epoch != y->member->config_epoch)
		return x->member->config_epoch < y->member->config_epoch ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

struct move {
	uint32_t from, to;
	unsigned count, first;
};

static void moves_note(struct move *moves, size_t *count, uint32_t from, uint32_t to, unsigned slot)
{
	for (size_t i = 0; i < *count; i++) {
		if (moves[i].from == from && moves[i].to == to) {
			moves[i].count++;
			return;
		}
	}
	if (*count < MOVES_MAX)
		moves[(*count)++] = (struct move){ from, to, 1, slot };
}

static void moves_report(struct model *m, const struct deployment *d, const struct move *moves,
			 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct node *from = node_get(m, moves[i].from);
		const struct node *to = node_get(m, moves[i].to);
		char a[ENDPOINT_TEXT_BYTES] = "", b[ENDPOINT_TEXT_BYTES] = "";
		char detail[2 * ENDPOINT_TEXT_BYTES + 64];
		snprintf(detail, sizeof(detail), "%u slots, first %u: %s -> %s", moves[i].count,
			 moves[i].first, from != NULL ? endpoint_format(&from->addr, a) : "nobody",
			 to != NULL ? endpoint_format(&to->addr, b) : "nobody");
		const struct node *about = to != NULL ? to : from;
		model_event(m, &(struct event_args){ .kind = EVENT_SLOTS_MOVED,
						     .use_severity = true,
						     .severity = to != NULL ? SEVERITY_NOTICE
									    : SEVERITY_CRITICAL,
						     .deployment_id = d->id,
						     .node_id = about != NULL ? about->id : 0,
						     .subject = d->name,
						     .addr = to != NULL ? b : a,
						     .detail = detail });
	}
}

/* Writes the map anew, lower config epochs first, so that the highest claim stands
 * (cluster.c:clusterUpdateSlotsConfigWith). */
void cluster_map_rebuild(struct model *m, struct deployment *d)
{
	struct cluster *c = d->cluster;
	uint32_t *before = mem_alloc(SLOT_COUNT * sizeof(*before));
	struct node **owners = mem_alloc((d->member_count + 1) * sizeof(struct node *));
	size_t count = 0;
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
		before[slot] = c->owner[slot] == OWNER_NONE ? 0 : c->owners[c->owner[slot]];
	for (size_t i = 0; i < d->member_count; i++) {
		struct node *n = member_at(m, d, i);
		if (n->member != NULL &&
		    n->member->slot_count > 0 && count < OWNER_NONE)
			owners[count++] = n;
	}
	qsort(owners, count, sizeof(*owners), by_config_epoch);
	c->owners = mem_grow(c->owners, &c->owner_cap, count, sizeof(*c->owners));
	c->owner_count = count;
	memset(c->owner, 0xff, sizeof(c->owner));
	for (size_t i = 0; i < count; i++) {
		c->owners[i] = owners[i]->id;
		for (size_t k = 0; k < owners[i]->member->slot_count; k++) {
			struct slot_range r = owners[i]->member->slots[k];
			for (unsigned slot = r.first; slot <= r.last && slot < SLOT_COUNT; slot++)
				c->owner[slot] = (uint16_t)i;
		}
	}
	struct move moves[MOVES_MAX];
	size_t move_count = 0;
	c->assigned = 0;
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
		uint32_t now = c->owner[slot] == OWNER_NONE ? 0 : c->owners[c->owner[slot]];
		c->assigned += now != 0;
		if (now != before[slot])
			moves_note(moves, &move_count, before[slot], now, slot);
	}
	if (c->mapped)
		moves_report(m, d, moves, move_count);
	c->mapped = true;
	if (move_count > 0)
		m->changed |= TOPIC_TOPOLOGY | TOPIC_HEALTH;
	free(before);
	free(owners);
}

static bool same_slots(const struct cluster_member *cm, const struct cluster_node_line *line)
{
	return cm->slot_count == line->slot_count &&
	       (line->slot_count == 0 ||
		memcmp(cm->slots, line->slots, line->slot_count * sizeof(*line->slots)) == 0);
}

/* True when the claim on slots changed. */
static bool take_slots(struct model *m, struct node *n, const struct cluster_node_line *line)
{
	struct cluster_member *cm = n->member;
	bool self = line->flags & CFLAG_MYSELF;
	bool own_word_stands = cm->self_claimed && n->link.state == LINK_UP;
	if (!self && (line->config_epoch < cm->config_epoch ||
		      (line->config_epoch == cm->config_epoch && own_word_stands)))
		return false;
	cm->self_claimed = self;
	if (self)
		cm->self_ms = m->now_ms;
	bool changed = cm->config_epoch != line->config_epoch || !same_slots(cm, line);
	cm->config_epoch = line->config_epoch;
	if (!changed)
		return false;
	free(cm->slots);
	cm->slots = mem_alloc((line->slot_count + 1) * sizeof(*cm->slots));
	if (line->slot_count > 0)
		memcpy(cm->slots, line->slots, line->slot_count * sizeof(*cm->slots));
	cm->slot_count = line->slot_count;
	return true;
}

static bool echoes_already(const struct cluster_member *cm, uint32_t by)
{
	for (size_t i = 0; i < cm->echo_count; i++)
		if (cm->echoes[i].by == by)
			return true;
	return false;
}

static void forget_echoes(struct cluster_member *cm)
{
	free(cm->echoes);
	cm->echoes = NULL;
	cm->echo_count = 0;
	cm->claim_ms = 0;
}

/* Who says that a master took slots over, from the first word of it on: a record of that is opened only
 * when the new master itself says master. In a settled cluster no claim is new, and nothing is kept. */
static void note_claim(struct model *m, struct cluster_member *cm, const struct node *by,
		       const struct cluster_node_line *line, bool is_new)
{
	bool names = line->flags & CFLAG_MASTER && line->slot_count > 0;
	if (is_new || (cm->claim_ms != 0 && m->now_ms - cm->claim_ms > CLAIM_NEWS_MS))
		forget_echoes(cm);
	if (is_new && names)
		cm->claim_ms = m->now_ms;
	if (cm->claim_ms == 0 || !names || line->flags & CFLAG_MYSELF ||
	    line->config_epoch != cm->config_epoch || cm->echo_count == FAILOVER_OBSERVERS_MAX ||
	    echoes_already(cm, by->id))
		return;
	cm->echoes = mem_realloc(cm->echoes, (cm->echo_count + 1) * sizeof(*cm->echoes));
	cm->echoes[cm->echo_count++] = (struct claim_echo){ by->id, m->now_ms };
}

static void take_open_slots(struct model *m, struct cluster_member *cm,
			    const struct cluster_node_line *line)
{
	if (!(line->flags & CFLAG_MYSELF))
		return;
	if (cm->open_count != line->open_count)
		m->changed |= TOPIC_TOPOLOGY;
	free(cm->open);
	cm->open = mem_alloc((line->open_count + 1) * sizeof(*cm->open));
	if (line->open_count > 0)
		memcpy(cm->open, line->open, line->open_count * sizeof(*cm->open));
	cm->open_count = line->open_count;
}

/* --- members ----------------------------------------------------------------------------------- */

static struct node *line_node(struct model *m, struct node *observer,
			      const struct cluster_node_line *line)
{
	bool self = line->flags & CFLAG_MYSELF;
	struct node *by_id = node_by_key(m, "cluster:", line->id);
	/* The address belongs to a node with another id by now. */
	if (by_id != NULL && strcmp(by_id->cluster_id, line->id) != 0)
		by_id = NULL;
	if (self && by_id != NULL && by_id != observer)
		return node_merge(m, by_id, observer);
	if (self)
		return observer;
	/* An address without a node id yet is the same node if the id has none. */
	struct node *by_addr = node_by_addr(m, &line->addr);
	if (by_id == NULL)
		return by_addr != NULL && by_addr->cluster_id[0] == '\0' ? by_addr : NULL;
	if (by_addr != NULL && by_addr != by_id && by_addr->cluster_id[0] == '\0')
		return node_merge(m, by_id, by_addr);
	return by_id;
}

/* The node moved: its id is known, its address is new. */
static void follow_address(struct model *m, struct node *n, const struct cluster_node_line *line)
{
	char text[ENDPOINT_TEXT_BYTES];
	if (!endpoint_is_set(&line->addr) || endpoint_equal(&n->addr, &line->addr))
		return;
	if (line->flags & CFLAG_MYSELF) {
		/* How it was reached stays how it is reached. */
		if (!endpoint_is_set(&n->dial))
			n->dial = n->addr;
	} else if (n->link.state == LINK_UP || node_by_addr(m, &line->addr) == n) {
		return;
	} else {
		node_drop_key(m, n, "", endpoint_format(&n->addr, text));
	}
	n->addr = line->addr;
	node_add_key(m, n, "", endpoint_format(&n->addr, text));
	/* Rows are in the order of addresses, and a shard is called by its master's. */
	deployment_get(m, n->deployment_id)->regroup = true;
	m->changed |= TOPIC_NODES | TOPIC_TOPOLOGY;
}

static void take_line(struct model *m, struct node *n, struct node *observer,
		      const struct cluster_node_line *line, bool *slots_changed)
{
	struct deployment *d = deployment_get(m, n->deployment_id);
	if (n->member == NULL)
		n->member = mem_alloc(sizeof(*n->member));
	struct cluster_member *cm = n->member;
	uint32_t keep = cm->flags & (CFLAG_PFAIL | CFLAG_FAIL);
	uint32_t flags = (line->flags & ~(uint32_t)(CFLAG_MYSELF | CFLAG_PFAIL | CFLAG_FAIL)) | keep;
	bool own_word = cm->self_claimed && n->link.state == LINK_UP && n != observer &&
			line->config_epoch <= cm->config_epoch;
	if (!own_word && (cm->flags != flags || strcmp(cm->master_id, line->master_id) != 0)) {
		cm->flags = flags;
		snprintf(cm->master_id, sizeof(cm->master_id), "%s", line->master_id);
		d->regroup = true;
	}
	bool listed_before = cm->at_ms != 0, had_slots = cm->slot_count > 0;
	int64_t epoch_before = cm->config_epoch;
	cm->link_connected = line->link_connected;
	cm->claimed_by = observer->id;
	cm->at_ms = m->now_ms;
	*slots_changed |= take_slots(m, n, line);
	note_claim(m, cm, observer, line,
		   listed_before && (cm->config_epoch != epoch_before ||
				     (!had_slots && cm->slot_count > 0)));
	if (n != observer && line->flags & CFLAG_MASTER && line->slot_count > 0 &&
	    line->config_epoch == cm->config_epoch && same_slots(cm, line)) {
		cm->seconded_by = observer->id;
		cm->seconded_ms = m->now_ms;
	}
	take_open_slots(m, cm, line);
	if (n != observer)
		claim_set(m, cm, observer->id, line->flags);
}

/* Replicas that just became known may be in what their masters said before. */
static void list_replicas_again(struct model *m, const struct deployment *d)
{
	for (size_t i = 0; i < d->member_count; i++) {
		struct node *n = member_at(m, d, i);
		if (n->info_at_ms != 0)
			node_list_replicas_again(m, n);
	}
}

/* After CLUSTER RESET HARD, or a new server at the address of a dead one, both ids are listed until
 * the old one is forgotten: who lives there has the address. */
static bool take_id(struct model *m, struct node *member, const struct cluster_node_line *line)
{
	if (strcmp(member->cluster_id, line->id) == 0)
		return true;
	if (member->cluster_id[0] != '\0') {
		if (line->flags & (CFLAG_FAIL | CFLAG_PFAIL | CFLAG_NOADDR))
			return false;
		node_drop_key(m, member, "cluster:", member->cluster_id);
	}
	snprintf(member->cluster_id, sizeof(member->cluster_id), "%s", line->id);
	node_add_key(m, member, "cluster:", line->id);
	deployment_get(m, member->deployment_id)->regroup = true;
	return true;
}

/* A moving address leads to another member than last time: INFO sorts that out first. */
static bool is_another(const struct model *m, const struct node *n,
		       const struct cluster_nodes_facts *f)
{
	for (size_t i = 0; n->cluster_id[0] != '\0' && i < f->count; i++) {
		const char *id = f->lines[i].id;
		if (!(f->lines[i].flags & CFLAG_MYSELF) || strcmp(id, n->cluster_id) == 0)
			continue;
		const struct node *known = node_by_key(m, "cluster:", id);
		if (known != NULL && known != n && strcmp(known->cluster_id, id) == 0)
			return true;
	}
	return false;
}

void apply_cluster_nodes(struct model *m, const struct observation *obs, struct node *n)
{
	const struct cluster_nodes_facts *f = obs->u.cluster_nodes;
	struct deployment *d = deployment_get(m, n->deployment_id);
	bool slots_changed = false;
	size_t nodes_before = m->node_count;
	if (d == NULL || is_another(m, n, f))
		return;
	deployment_set_kind(m, d, KIND_CLUSTER);
	if (d->kind != KIND_CLUSTER)
		return;
	for (size_t i = 0; i < f->count; i++) {
		const struct cluster_node_line *line = &f->lines[i];
		if (line->flags & CFLAG_HANDSHAKE)
			continue; /* not a member yet: its id is made up */
		struct node *member = line_node(m, n, line);
		/* The line may have shown that who was asked is an older node. */
		n = node_get(m, n->id);
		if (n == NULL)
			return;
		if (member == NULL && endpoint_is_set(&line->addr))
			member = node_obtain(m, d->id, &line->addr, false);
		if (member == NULL)
			continue;
		if (line->flags & CFLAG_MYSELF)
			n = member; /* a merge may have moved the observer */
		if (member->deployment_id != d->id) {
			deployment_merge(m, member->deployment_id, d->id);
			d = deployment_get(m, n->deployment_id);
		}
		if (d == NULL || d->kind != KIND_CLUSTER)
			return; /* drawn into a deployment that Sentinels know better */
		if (!take_id(m, member, line))
			continue;
		follow_address(m, member, line);
		/* A node that the others forgot still lists itself. */
		if (member != n || f->count == 1)
			member->claimed_ms = m->now_ms;
		take_line(m, member, n, line, &slots_changed);
		claims_expire(m, member->member, n, f->count);
		judge_claims(m, member);
	}
	d->listed_ms = d->cluster->nodes_at_ms = m->now_ms;
	if (d->complete_ms == 0)
		d->complete_ms = m->now_ms;
	m->changed |= TOPIC_VALUES;
	if (m->node_count != nodes_before)
		list_replicas_again(m, d);
	if (slots_changed || !d->cluster->mapped) {
		cluster_map_rebuild(m, d);
		d->regroup = true;
	}
}

/* --- the cluster's state ----------------------------------------------------------------------- */

void cluster_judge_state(struct model *m, struct deployment *d)
{
	if (d->kind != KIND_CLUSTER)
		return;
	const struct node *witness = NULL;
	bool ok = false;
	for (size_t i = 0; i < d->member_count && witness == NULL; i++) {
		const struct node *n = member_at(m, d, i);
		if (n->link.state != LINK_UP ||
		    n->cluster_info_at_ms == 0)
			continue;
		if (!n->cluster_info.state_ok)
			witness = n;
		/* From before the link broke it is no word on today. */
		ok |= n->cluster_info.state_ok && n->cluster_info_at_ms >= n->link.since_ms;
	}
	bool down = witness != NULL;
	/* When the last one that says fail dies, the cluster is not well for that: somebody who answers
	 * must say so. */
	if (down == d->cluster->down || (!down && !ok))
		return;
	d->cluster->down = down;
	d->cluster->down_since_ms = down ? m->now_ms : 0;
	m->changed |= TOPIC_HEALTH;
	char addr[ENDPOINT_TEXT_BYTES] = "";
	if (down)
		endpoint_format(&witness->addr, addr);
	model_event(m, &(struct event_args){ .kind = down ? EVENT_CLUSTER_DOWN : EVENT_CLUSTER_UP,
					     .deployment_id = d->id,
					     .node_id = down ? witness->id : 0,
					     .subject = d->name,
					     .addr = addr,
					     .detail = down ? "cluster_state:fail" : NULL });
}

void apply_cluster_info(struct model *m, const struct observation *obs, struct node *n)
{
	const struct cluster_info_facts *f = obs->u.cluster_info;
	struct deployment *d = deployment_get(m, n->deployment_id);
	bool first = n->cluster_info_at_ms == 0;
	bool turned = first || n->cluster_info.state_ok != f->state_ok;
	if (d != NULL && (first || memcmp(&n->cluster_info, f, sizeof(*f)) != 0))
		d->judge = true;
	n->cluster_info = *f;
	int64_t *const numbers[] = { &n->cluster_info.slots_assigned, &n->cluster_info.slots_ok,
				     &n->cluster_info.slots_pfail, &n->cluster_info.slots_fail,
				     &n->cluster_info.known_nodes, &n->cluster_info.size,
				     &n->cluster_info.current_epoch, &n->cluster_info.my_epoch };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		bound_number(numbers[i]);
	n->cluster_info_at_ms = m->now_ms;
	m->changed |= TOPIC_VALUES;
	if (d != NULL && (turned || (d->cluster != NULL && d->cluster->down)))
		cluster_judge_state(m, d);
}
