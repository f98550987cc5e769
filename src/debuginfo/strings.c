// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/strings.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define FIRST_SLOTS 1024

uint64_t hash_bytes(uint64_t hash, const void *data, size_t bytes)
{
	const unsigned char *p = data;

	while (bytes--)
		hash = (hash ^ *p++) * UINT64_C(0x100000001b3);
	return hash;
}

static size_t string_hash(const char *string)
{
	uint64_t hash = hash_bytes(HASH_START, string, strlen(string));

	return (size_t)(hash ^ hash >> 32);
}

/* The slot that holds @string, or the empty one where it belongs. */
static uint32_t *string_slot(const struct string_pool *pool, const char *string)
{
	size_t mask = pool->n_slots - 1, i = string_hash(string) & mask;

	while (pool->slots[i] &&
	       strcmp(pool->text.data + pool->slots[i], string) != 0)
		i = (i + 1) & mask;
	return &pool->slots[i];
}

static bool string_pool_grow(struct string_pool *pool)
{
	struct string_pool bigger = *pool;
	size_t i;

	bigger.n_slots = pool->n_slots ? pool->n_slots * 2 : FIRST_SLOTS;
	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (i = 0; i < pool->n_slots; i++) {
		uint32_t offset = pool->slots[i];

		if (offset)
			*string_slot(&bigger, pool->text.data + offset) = offset;
	}
	free(pool->slots);
	*pool = bigger;
	return true;
}

/* Offset 0 is "": it must not name anything else. */
static bool string_pool_start(struct string_pool *pool)
{
	return pool->text.size || vec_push(&pool->text, '\0');
}

bool string_pool_add(struct string_pool *pool, const char *string,
		     uint32_t *ret)
{
	size_t bytes = strlen(string) + 1;
	uint32_t *slot;

	if (!string_pool_start(pool))
		return false;
	if (bytes == 1) {
		*ret = 0;
		return true;
	}
	if (pool->n_used * 2 >= pool->n_slots && !string_pool_grow(pool))
		return false;
	slot = string_slot(pool, string);
	if (!*slot) {
		if (bytes > UINT32_MAX - pool->text.size ||
		    !vec_reserve(&pool->text, bytes))
			return false;
		*slot = (uint32_t)pool->text.size;
		memcpy(pool->text.data + pool->text.size, string, bytes);
		pool->text.size += bytes;
		pool->n_used++;
	}
	*ret = *slot;
	return true;
}

bool string_pool_reindex(struct string_pool *pool)
{
	size_t at;

	free(pool->slots);
	pool->slots = NULL;
	pool->n_slots = pool->n_used = 0;
	for (at = 1; at < pool->text.size;
	     at += strlen(pool->text.data + at) + 1) {
		uint32_t *slot;

		if (!pool->text.data[at])
			continue;
		if (pool->n_used * 2 >= pool->n_slots &&
		    !string_pool_grow(pool))
			return false;
		slot = string_slot(pool, pool->text.data + at);
		if (*slot)
			continue;
		*slot = (uint32_t)at;
		pool->n_used++;
	}
	return true;
}

bool string_pool_find(const struct string_pool *pool, const char *string,
		      uint32_t *ret)
{
	uint32_t offset;

	if (!pool->n_slots)
		return false;
	offset = *string_slot(pool, string);
	if (!offset)
		return false;
	*ret = offset;
	return true;
}

const char *string_pool_get(const struct string_pool *pool, uint32_t offset)
{
	return offset < pool->text.size ? pool->text.data + offset : "";
}

void string_pool_deinit(struct string_pool *pool)
{
	vec_deinit(&pool->text);
	free(pool->slots);
	memset(pool, 0, sizeof(*pool));
}

static struct key_slot *key_slot(const struct key_map *map, uint64_t key)
{
	size_t mask = map->n_slots - 1;
	size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & mask;

	while (map->slots[i].key && map->slots[i].key != key + 1)
		i = (i + 1) & mask;
	return &map->slots[i];
}

static bool key_map_grow(struct key_map *map)
{
	struct key_map bigger = *map;
	size_t i;

	bigger.n_slots = map->n_slots ? map->n_slots * 2 : FIRST_SLOTS;
	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (i = 0; i < map->n_slots; i++)
		if (map->slots[i].key)
			*key_slot(&bigger, map->slots[i].key - 1) = map->slots[i];
	free(map->slots);
	*map = bigger;
	return true;
}

bool key_map_add(struct key_map *map, uint64_t key, uint32_t value)
{
	struct key_slot *slot;

	if (map->n_used * 2 >= map->n_slots && !key_map_grow(map))
		return false;
	slot = key_slot(map, key);
	if (!slot->key) {
		slot->key = key + 1;
		slot->value = value;
		map->n_used++;
	}
	return true;
}

bool key_map_find(const struct key_map *map, uint64_t key, uint32_t *ret)
{
	const struct key_slot *slot;

	if (!map->n_slots)
		return false;
	slot = key_slot(map, key);
	if (!slot->key)
		return false;
	*ret = slot->value;
	return true;
}

void key_map_deinit(struct key_map *map)
{
	free(map->slots);
	memset(map, 0, sizeof(*map));
}

uint64_t hash_words(const void *data, size_t bytes)
{
	const char *p = data;
	uint64_t hash = HASH_START, word = 0;

	for (; bytes >= 8; p += 8, bytes -= 8) {
		hash = (hash ^ load_u64(p)) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	memcpy(&word, p, bytes);
	return (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
}
