/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What depends on the architecture alone: operations, and as data where the
 * kernel of that architecture keeps what others keep elsewhere.  x86_64.c is
 * the only implementation so far.  Page tables are read through a callback, so
 * that this knows nothing of dumps; names of symbols and members are looked up
 * by who knows debuginfo.
 */
#ifndef KML_IMAGE_ARCH_H
#define KML_IMAGE_ARCH_H

#include "image/image.h"

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

/* Where a range of the kernel's address space starts: in a variable, or fixed
 * if there is none.  Index 0: with page tables of 4 levels, 1: of 5. */
struct arch_range {
	const char *symbol;
	uint64_t fixed_va[2];
};

/* A variable, or a member (@type, @member) of one; the tables of them are
 * closed by one without a symbol, and the first that the kernel has counts. */
struct arch_variable {
	const char *symbol, *type, *member;
};

/* How a function starts: registers (numbers as in gpr_names) that it pushes
 * below its return address, in that order, and the bytes below these that it
 * takes for itself. */
#define ARCH_PROLOGUE_MAX 8u
struct arch_prologue {
	uint8_t pushed[ARCH_PROLOGUE_MAX];
	unsigned n_pushed;
	uint32_t frame_bytes;
};

struct arch {
	const char *name;     /* libkdumpfile's and uname's */
	uint16_t elf_machine; /* EM_... */

	/* image_regs.gpr: names (libkdumpfile's), in the order in which
	 * instructions encode them; which of them is the stack pointer. */
	const char *gpr_names[16];
	unsigned gpr_sp;
	const char *ip_name;

	/* KML_ERR_NODATA if @va is not mapped or a table on the way is
	 * absent. */
	struct kml_error *(*translate)(const struct arch_mmu *mmu, uint64_t va,
				       uint64_t *pa_ret);
	/*
	 * As image_walk_tables().  KML_ERR_CORRUPT beyond @mmu's max_tables:
	 * entries may refer to the tables that hold them, and then the same few
	 * are walked again and again.
	 */
	struct kml_error *(*walk)(const struct arch_mmu *mmu, uint64_t start_va,
				  uint64_t end_va,
				  const struct image_walk *walk,
				  uint64_t *missing);
	/* Decode an NT_PRSTATUS note's descriptor; false if it is too short. */
	bool (*decode_prstatus)(const void *desc, size_t bytes,
				struct image_regs *ret);

	/* Code: the prologue of a function, of whose start @n bytes are given;
	 * and whom the five bytes in front of @return_va call, if that is in
	 * them. */
	void (*prologue)(const uint8_t *code, size_t n,
			 struct arch_prologue *ret);
	bool (*call_target)(const uint8_t *code, uint64_t return_va,
			    uint64_t *ret);
	uint32_t callee_saved; /* registers that functions preserve */

	/* The kernel image is mapped from here on, up to image_bytes if
	 * VMCOREINFO does not have NUMBER(KERNEL_IMAGE_SIZE); behind it are the
	 * modules. */
	uint64_t kernel_va, kernel_bytes, modules_end_va;
	uint64_t user_end_va[2];  /* of user mode's addresses */
	uint64_t kernel_start_va; /* every kernel address is there or above */
	uint64_t shadow_va[2], shadow_end_va[2]; /* of KASAN, if it has one */
	struct arch_range direct, vmalloc, vmemmap;
	uint64_t vmalloc_bytes[2];
	uint64_t list_poison[2]; /* LIST_POISON1, LIST_POISON2 */

	const char *saved_sp; /* member of task_struct; of who is not running */
	unsigned switch_words; /* there: registers that it was left with */
	const struct arch_variable *current_task; /* per-cpu */
	/* Per-cpu: into the last page of the interrupt stack, whose last word is
	 * the interrupted stack pointer. */
	const struct arch_variable *irq_stack;
	const char *const *percpu_stacks; /* in per-cpu variables; NULL ends */
};

extern const struct arch arch_x86_64;

#endif
