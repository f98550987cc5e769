/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small helpers that every room uses. */
#ifndef KML_BASE_UTIL_H
#define KML_BASE_UTIL_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

static inline void freep(void *p)
{
	free(*(void **)p);
}
/* free() the variable when it goes out of scope. */
#define _cleanup_free_ __attribute__((cleanup(freep)))

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
/* close() the descriptor, unless it is -1, when it goes out of scope. */
#define _cleanup_close_ __attribute__((cleanup(closep)))

/* Take the value out of a _cleanup_free_ variable, so that it is not freed. */
#define take_ptr(p)                              \
	({                                       \
		__typeof__(p) take_ptr_ = (p);   \
		(p) = NULL;                      \
		take_ptr_;                       \
	})

/* For qsort() and bsearch(). */
static inline int order_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* A binary search: the index of the first of @n entries for which @before, an
 * expression that calls the index @i, does not hold; @n when it holds for all.
 * The entries are sorted so that those for which it holds come first. */
#define partition_point(n, i, before)                                   \
	({                                                              \
		size_t point_ = 0, point_end_ = (n);                    \
		while (point_ < point_end_) {                           \
			size_t i = point_ + (point_end_ - point_) / 2;  \
			if (before)                                     \
				point_ = i + 1;                         \
			else                                            \
				point_end_ = i;                         \
		}                                                       \
		point_;                                                 \
	})

/* All bits of a number into each of the result: the end of MurmurHash3. */
static inline uint64_t mix_u64(uint64_t h)
{
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

/* Unaligned native loads (x86_64 and aarch64 dumps are little-endian). */
static inline uint16_t load_u16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load_u32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load_u64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t align_up(uint64_t v, uint64_t a)
{
	return (v + a - 1) & ~(a - 1);
}

static inline uint64_t align_down(uint64_t v, uint64_t a)
{
	return v & ~(a - 1);
}

#endif
