/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for arrays by object or by reference.  They are gone through out of
 * order, which in pages of 4 KiB costs as much for the address as for what is
 * there: where the kernel has huge pages for the asking (the default of most
 * distributions), ask.
 */
#ifndef KML_BASE_HUGE_H
#define KML_BASE_HUGE_H

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE_BYTES (UINT64_C(2) << 20)

/* What malloc() or calloc() has just given, which may be NULL. */
static inline void *huge_ask(void *block, uint64_t bytes)
{
	uintptr_t start = (uintptr_t)block;
	uintptr_t first = (start + HUGE_PAGE_BYTES - 1) & -HUGE_PAGE_BYTES;
	uintptr_t end = (start + bytes) & -HUGE_PAGE_BYTES;

	/* No matter if it is refused. */
	if (block && first < end)
		(void)madvise((void *)first, end - first, MADV_HUGEPAGE);
	return block;
}

/* As malloc() and calloc(), to be freed with free(). */
static inline void *huge_malloc(uint64_t n, size_t size)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return huge_ask(malloc(bytes ? bytes : 1), bytes);
}

static inline void *huge_calloc(uint64_t n, size_t size)
{
	return huge_ask(calloc(n ? n : 1, size), n * size);
}

#endif
