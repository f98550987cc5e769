/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What depends on the architecture alone; x86_64.c is the only implementation
 * so far.  Page tables are read through a callback, so that this knows
 * nothing of dumps.
 */
#ifndef KML_IMAGE_ARCH_H
#define KML_IMAGE_ARCH_H

#include "image/image.h"

/* The kernel image mapping: [ARCH_KERNEL_MAP, ARCH_MODULES) */
#define ARCH_KERNEL_MAP 0xffffffff80000000u
#define ARCH_KERNEL_MAP_END 0xffffffffc0000000u

/* Read the eight-byte entries of one table page; KML_ERR_NODATA if absent. */
typedef struct kml_error *arch_read_table_fn(void *arg, uint64_t pa,
					     uint64_t *entries /* 512 */);

struct arch_mmu {
	unsigned levels;
	uint64_t root_pa;
	arch_read_table_fn *read_table;
	void *arg;
};

struct kml_error *arch_translate(const struct arch_mmu *mmu, uint64_t va,
				 uint64_t *pa_ret) error_must_check;
struct kml_error *arch_walk(const struct arch_mmu *mmu, uint64_t start_va,
			    uint64_t end_va, const struct image_walk *walk,
			    uint64_t *missing) error_must_check;

/* Decode an NT_PRSTATUS note's descriptor; false if it is too short. */
bool arch_decode_prstatus(const void *desc, size_t bytes,
			  struct image_regs *ret);

#endif
