/* The keys of the client's eye: one a master, in a cluster in a slot of the shard. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/clock.h"
#include "model/slots.h"
#include "net/eye_private.h"

#define KEY_TRIES 400000 /* until one has its slot in a shard of one slot: 16384 on the average */

static bool is_open(const struct node *n, unsigned slot)
{
	for (size_t i = 0; n->member && i < n->member->open_count; i++)
		if (n->member->open[i].slot == slot)
			return true;
	return false;
}

bool eye_fits_shard(const struct model *m, const struct deployment *d, uint32_t group_id,
		    unsigned slot)
{
	const struct node *owner = model_node(m, slot_owner(d, slot));

	return owner && owner->group_id == group_id && !is_open(owner, slot);
}

static uint64_t random_number(void)
{
	uint64_t n;

	if (getrandom(&n, sizeof(n), 0) != (ssize_t)sizeof(n))
		n = (uint64_t)clock_mono_us() * 0x9e3779b97f4a7c15u;
	return n;
}

static bool has_slot(const struct target *t, const struct deployment *d)
{
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
		if (eye_fits_shard(t->eye->config.model, d, t->group_id, slot))
			return true;
	return false;
}

bool eye_choose_key(struct target *t, const struct deployment *d)
{
	uint64_t n = random_number();

	t->value = t->value_ms = 0;
	t->look = t->there = false;
	t->state = WRITE_IDLE;
	t->number++;
	if (d->kind == KIND_CLUSTER && !has_slot(t, d))
		return false;
	if (d->kind != KIND_CLUSTER) {
		snprintf(t->key, sizeof(t->key), "redoubt:probe:%016" PRIx64, n);
		return true;
	}
	for (int i = 0; i < KEY_TRIES; i++, n++) {
		int len = snprintf(t->key, sizeof(t->key), "redoubt:probe:{%016" PRIx64 "}", n);

		t->slot = slot_of_key(t->key, (size_t)len);
		if (eye_fits_shard(t->eye->config.model, d, t->group_id, t->slot))
			return true;
	}
	return false;
}
