/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bitmaps of 64-bit words; one bit per object, page or id. */
#ifndef KML_BASE_BITMAP_H
#define KML_BASE_BITMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* A zeroed bitmap of @bits bits to be freed with free(), or NULL. */
static inline uint64_t *bitmap_alloc(uint64_t bits)
{
	return calloc(bits / 64 + 1, sizeof(uint64_t));
}

static inline bool bitmap_test(const uint64_t *map, uint64_t i)
{
	return map[i / 64] >> (i % 64) & 1;
}

static inline void bitmap_set(uint64_t *map, uint64_t i)
{
	map[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void bitmap_clear(uint64_t *map, uint64_t i)
{
	map[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* Set a bit that shares its word with bits which other threads may set. */
static inline void bitmap_set_atomic(uint64_t *map, uint64_t i)
{
	__atomic_fetch_or(&map[i / 64], UINT64_C(1) << (i % 64),
			  __ATOMIC_RELAXED);
}

/* The first set bit at or after @from and below @bits, else @bits. */
uint64_t bitmap_next(const uint64_t *map, uint64_t bits, uint64_t from);

/* The number of set bits among the first @bits. */
uint64_t bitmap_count(const uint64_t *map, uint64_t bits);

#endif
