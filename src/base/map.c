// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 256u

/* Where the key is, or would go. */
static struct map_slot *find_slot(const struct map *map, uint64_t key)
{
	uint64_t h = key * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(h ^ h >> 32) & (map->n_slots - 1);

	while (map->slots[i].used && map->slots[i].key != key)
		i = (i + 1) & (map->n_slots - 1);
	return &map->slots[i];
}

bool map_find(const struct map *map, uint64_t key, uint32_t *ret)
{
	const struct map_slot *slot;

	if (!map->n_slots)
		return false;
	slot = find_slot(map, key);
	if (slot->used)
		*ret = slot->value;
	return slot->used;
}

static bool grow(struct map *map)
{
	struct map larger = {
		.n = map->n,
		.n_slots = map->n_slots ? map->n_slots * 2 : FIRST_SLOTS,
	};
	size_t i;

	larger.slots = calloc(larger.n_slots, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (i = 0; i < map->n_slots; i++) {
		if (map->slots[i].used)
			*find_slot(&larger, map->slots[i].key) = map->slots[i];
	}
	free(map->slots);
	*map = larger;
	return true;
}

bool map_add(struct map *map, uint64_t key, uint32_t value)
{
	/* At most half full */
	if ((map->n + 1) * 2 > map->n_slots && !grow(map))
		return false;
	*find_slot(map, key) = (struct map_slot){ key, value, true };
	map->n++;
	return true;
}

void map_deinit(struct map *map)
{
	free(map->slots);
	memset(map, 0, sizeof(*map));
}
