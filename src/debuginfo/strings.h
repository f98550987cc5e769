/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pool of distinct strings, each known by its offset, and a map from 64-bit
 * keys to 32-bit values: what a profile is put together with.
 */
#ifndef KML_DEBUGINFO_STRINGS_H
#define KML_DEBUGINFO_STRINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

/* Zero-initialise; offset 0 is always "". */
struct string_pool {
	VEC(char) text;
	uint32_t *slots; /* offsets; 0: empty */
	size_t n_slots;  /* a power of two */
	size_t n_used;
};

/* The offset of @string, added if it is new; false: no memory, or 4 GiB. */
bool string_pool_add(struct string_pool *pool, const char *string,
		     uint32_t *ret);
/* The offset of @string; false if it is not in the pool. */
bool string_pool_find(const struct string_pool *pool, const char *string,
		      uint32_t *ret);
/* Find all strings of ->text, which came from elsewhere; of equal ones the
 * first.  False: no memory. */
bool string_pool_reindex(struct string_pool *pool);
/* Valid until the next string_pool_add(). */
const char *string_pool_get(const struct string_pool *pool, uint32_t offset);
void string_pool_deinit(struct string_pool *pool);

struct key_slot {
	uint64_t key; /* plus one; 0: empty */
	uint32_t value;
};

/* Zero-initialise.  UINT64_MAX is no key. */
struct key_map {
	struct key_slot *slots;
	size_t n_slots;
	size_t n_used;
};

/* False if there is no memory.  A key that is there keeps its value. */
bool key_map_add(struct key_map *map, uint64_t key, uint32_t value);
bool key_map_find(const struct key_map *map, uint64_t key, uint32_t *ret);
void key_map_deinit(struct key_map *map);

/* A 64-bit FNV-1a hash, to be continued: start with HASH_START. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t hash_bytes(uint64_t hash, const void *data, size_t bytes);

/* Another hash, a word at a time, for millions of bytes: a checksum. */
uint64_t hash_words(const void *data, size_t bytes);

#endif
