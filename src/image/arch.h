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
	uint64_t ignore_bits; /* of an entry's address: sme_mask */
	uint64_t max_tables;  /* arch_walk() gives up beyond that many */
	arch_read_table_fn *read_table;
	void *arg;
};

/* KML_ERR_NODATA if @va is not mapped or a table on the way is absent. */
struct kml_error *arch_translate(const struct arch_mmu *mmu, uint64_t va,
				 uint64_t *pa_ret) error_must_check;

/*
 * As image_walk_tables().  KML_ERR_CORRUPT beyond @mmu's max_tables: entries
 * may refer to the tables that hold them, and then the same few are walked
 * again and again.
 */
struct kml_error *arch_walk(const struct arch_mmu *mmu, uint64_t start_va,
			    uint64_t end_va, const struct image_walk *walk,
			    uint64_t *missing) error_must_check;

/* image_regs.gpr: the registers' names (libkdumpfile's), in the order in which
 * instructions encode them, and which of them is the stack pointer. */
extern const char *const arch_gpr_names[16];
extern const char *const arch_ip_name;
#define ARCH_GPR_SP 4

/* Decode an NT_PRSTATUS note's descriptor; false if it is too short. */
bool arch_decode_prstatus(const void *desc, size_t bytes,
			  struct image_regs *ret);

#endif
