/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hash table from 64-bit keys to 32-bit values, in one flat array:
 * `struct map map = { 0 };`.  Keys are not removed.
 */
#ifndef KML_BASE_MAP_H
#define KML_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint64_t key;
	uint32_t value;
	bool used;
};

struct map {
	struct map_slot *slots;
	size_t n, n_slots; /* n_slots: a power of two, or 0 */
};

bool map_find(const struct map *map, uint64_t key, uint32_t *ret);
/* Of a key that is not in it yet; false if there is no memory. */
bool map_add(struct map *map, uint64_t key, uint32_t value);
void map_deinit(struct map *map);

#endif
