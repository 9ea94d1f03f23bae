#include "model/slots.h"

#define OWNER_NONE 0xffff

uint32_t slot_owner(const struct deployment *d, unsigned slot)
{
	if (d->cluster == NULL || slot >= SLOT_COUNT || d->cluster->owner[slot] == OWNER_NONE)
		return 0;
	return d->cluster->owners[d->cluster->owner[slot]];
}

enum slot_state slot_state(const struct model *m, const struct deployment *d, unsigned slot)
{
	const struct node *n = model_node(m, slot_owner(d, slot));
	if (n == NULL || n->member == NULL)
		return SLOT_UNCOVERED;
	if (n->member->flags & CFLAG_FAIL)
		return SLOT_FAIL;
	return n->member->flags & CFLAG_PFAIL ? SLOT_PFAIL : SLOT_OK;
}

/* CRC16-CCITT (XMODEM), as the cluster specification's appendix has it. */
static uint16_t crc16(const char *data, size_t len)
{
	uint16_t crc = 0;
	for (size_t i = 0; i < len; i++) {
		crc ^= (uint16_t)((unsigned char)data[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1);
	}
	return crc;
}

static size_t find_char(const char *s, size_t from, size_t len, char c)
{
	while (from < len && s[from] != c)
		from++;
	return from;
}

unsigned slot_of_key(const char *key, size_t len)
{
	size_t open = find_char(key, 0, len, '{');
	if (open < len) {
		size_t close = find_char(key, open + 1, len, '}');
		/* "{}" is no tag: the whole key counts (cluster.c:keyHashSlot). */
		if (close < len && close > open + 1)
			return crc16(key + open + 1, close - open - 1) % SLOT_COUNT;
	}
	return crc16(key, len) % SLOT_COUNT;
}

static size_t ranges_of(const struct deployment *d, uint32_t node_id, struct slot_range *out,
			size_t max)
{
	size_t count = 0;
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
		if (slot_owner(d, slot) != node_id)
			continue;
		unsigned last = slot;
		while (last + 1 < SLOT_COUNT && slot_owner(d, last + 1) == node_id)
			last++;
		if (count < max)
			out[count] = (struct slot_range){ (uint16_t)slot, (uint16_t)last };
		count++;
		slot = last;
	}
	return count;
}

size_t slot_ranges(const struct deployment *d, uint32_t node_id, struct slot_range *out, size_t max)
{
	return d->cluster == NULL || node_id == 0 ? 0 : ranges_of(d, node_id, out, max);
}

size_t slot_uncovered(const struct deployment *d, struct slot_range *out, size_t max)
{
	return d->cluster == NULL ? 0 : ranges_of(d, 0, out, max);
}

size_t slot_count_of(const struct deployment *d, uint32_t node_id)
{
	size_t count = 0;
	if (d->cluster == NULL || node_id == 0)
		return 0;
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
		count += slot_owner(d, slot) == node_id;
	return count;
}
