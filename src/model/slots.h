/* The slots of a cluster. */
#ifndef MODEL_SLOTS_H
#define MODEL_SLOTS_H

#include "model/model.h"

/* Owner's node id of a slot, 0 when uncovered. */
uint32_t slot_owner(const struct deployment *d, unsigned slot);
enum slot_state { SLOT_OK, SLOT_UNCOVERED, SLOT_PFAIL, SLOT_FAIL };
enum slot_state slot_state(const struct model *m, const struct deployment *d, unsigned slot);
/* Slot of a key, hash tags respected: cluster specification, "Hash tags". */
unsigned slot_of_key(const char *key, size_t len);
/* Ranges owned by a node, in order; returns how many there are, fills at most max. */
size_t slot_ranges(const struct deployment *d, uint32_t node_id, struct slot_range *out, size_t max);
/* Ranges without an owner. */
size_t slot_uncovered(const struct deployment *d, struct slot_range *out, size_t max);
size_t slot_count_of(const struct deployment *d, uint32_t node_id);

#endif
