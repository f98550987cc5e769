/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct page_ext: what debugging aids keep of each page frame, besides its
 * struct page.  One array a memory section; each aid has its part of an
 * element, at an offset that is settled at boot.
 */
#ifndef KML_KERNEL_PAGE_EXT_H
#define KML_KERNEL_PAGE_EXT_H

#include "kernel/kernel.h"

struct page_ext {
	uint64_t sections_va;   /* mem_section */
	bool has_roots;         /* an array of pointers to arrays of them */
	uint64_t section_bytes; /* sizeof(struct mem_section) */
	uint64_t base;          /* offset of its page_ext */
	unsigned section_shift; /* from a page frame number to its section */
	uint64_t entry_bytes;   /* page_ext_size */
	/* The last section that was looked up: they are few. */
	uint64_t last_section, last_base;
};

/* False: the kernel has none, or nobody uses it. */
bool page_ext_open(struct kernel *kernel, struct page_ext *ret);

/* The element of a page frame; 0: it has none. */
uint64_t page_ext_find(struct kernel *kernel, struct page_ext *ext,
		       uint64_t pfn);

/* The offset of a user's part, which its struct page_ext_operations has;
 * false if there is no such user, or its part is not in an element. */
bool page_ext_offset(struct kernel *kernel, const struct page_ext *ext,
		     const char *operations, uint64_t bytes, uint64_t *ret);

/* Is a static key (include/linux/jump_label.h) there, and on? */
bool kernel_static_key(struct kernel *kernel, const char *name);

#endif
