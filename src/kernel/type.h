/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What type the objects of a slab cache are of, where the kernel itself says:
 * a cache that is named after its struct and shared with nothing else.
 */
#ifndef KML_KERNEL_TYPE_H
#define KML_KERNEL_TYPE_H

#include "kernel/kernel.h"

/* kmalloc-64, kmalloc-rcl-64, kmalloc-cg-64, dma-kmalloc-64,
 * kmalloc-rnd-01-64 */
bool kernel_cache_is_kmalloc(const struct kernel_cache *cache);

/* NULL if it is not known; valid as long as the kernel. */
const char *kernel_cache_type(const struct kernel *kernel,
			      const struct kernel_cache *cache);

/*
 * A bit for each word of a type that may be, or lie in, a pointer: of a member
 * that is one, of characters, which are storage for anything, and of what is
 * behind an open-ended array's start.  To be free()d; NULL: no memory.
 */
uint64_t *kernel_pointer_words(const struct kernel *kernel, const char *type,
			       uint64_t bytes);

/* Is this member, an integer, a pointer with flags in its low bits? */
bool kernel_member_is_encoded(const char *type, const char *member);

/* The member that @offset of a type is in, as a path from the outermost on;
 * false if it is in none. */
bool kernel_member_path(const struct kernel *kernel, const char *type,
			uint64_t offset, char *ret, size_t bytes);

#endif
