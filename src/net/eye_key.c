/* The keys of the client's eye: one a master, in a cluster in a slot of the shard. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/clock.h"
#include "model/slots.h"
#include "net/eye_private.h"

#define SLOT_BITS  14
#define DIGITS     16
#define NO_DIGITS  "0000000000000000"

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

/* Any of the shard's, each time another one. */
static bool choose_slot(const struct target *t, const struct deployment *d, uint64_t n, unsigned *out)
{
	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		*out = (unsigned)((n + i) % SLOT_COUNT);
		if (eye_fits_shard(t->eye->config.model, d, t->group_id, *out))
			return true;
	}
	return false;
}

static unsigned slot_with(char *key, size_t len, char *digit)
{
	*digit ^= '0' ^ '1';
	unsigned slot = slot_of_key(key, len);
	*digit ^= '0' ^ '1';
	return slot;
}

/* CRC16 is linear: turning a 0 into a 1 changes the slot by the same bits whatever else is in the key, and
 * x^8i are as independent as x^i are. So sixteen such digits reach every slot: no key has to be tried. */
bool eye_key_in_slot(char out[KEY_BYTES], uint64_t n, unsigned slot)
{
	int len = snprintf(out, KEY_BYTES, "redoubt:probe:{%016" PRIx64 NO_DIGITS "}", n);
	char *digits = out + len - 1 - DIGITS;
	unsigned base = slot_of_key(out, (size_t)len), want = base ^ slot, flips = 0;
	struct {
		unsigned bits, flips;
	} basis[SLOT_BITS] = { { 0, 0 } };

	for (unsigned i = 0; i < DIGITS; i++) {
		unsigned bits = base ^ slot_with(out, (size_t)len, digits + i), with = 1u << i;

		for (unsigned b = SLOT_BITS; b-- > 0 && bits != 0;) {
			if (!(bits >> b & 1))
				continue;
			if (basis[b].bits == 0) {
				basis[b].bits = bits;
				basis[b].flips = with;
				break;
			}
			bits ^= basis[b].bits;
			with ^= basis[b].flips;
		}
	}
	for (unsigned b = SLOT_BITS; b-- > 0;) {
		if (!(want >> b & 1))
			continue;
		want ^= basis[b].bits;
		flips ^= basis[b].flips;
	}
	for (unsigned i = 0; i < DIGITS; i++)
		if (flips >> i & 1)
			digits[i] = '1';
	return want == 0;
}

bool eye_choose_key(struct target *t, const struct deployment *d)
{
	uint64_t n = random_number();

	t->value = t->value_ms = 0;
	t->look = t->there = false;
	t->state = WRITE_IDLE;
	t->number++;
	if (d->kind == KIND_CLUSTER)
		return choose_slot(t, d, n, &t->slot) && eye_key_in_slot(t->key, n, t->slot);
	snprintf(t->key, sizeof(t->key), "redoubt:probe:%016" PRIx64, n);
	return true;
}
