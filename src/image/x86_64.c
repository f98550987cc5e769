// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/arch.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "image/x86_64_code.h"

#define TABLE_ENTRIES 512

#define ENTRY_PRESENT UINT64_C(0x1)
#define ENTRY_PS UINT64_C(0x80) /* a large page, at levels 2 and 3 */
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)

/* struct elf_prstatus: where its user_regs_struct is, and that one's order. */
#define PRSTATUS_REGS 112
#define PRSTATUS_REGS_BYTES (27 * 8)
#define REGS_IP 16

/* image_regs.gpr[] */
#define GPR_SP 4

/* Index into user_regs_struct of each of the above. */
static const uint8_t gpr_index[16] = {
	10, 11, 12, 5, 19, 4, 13, 14, 9, 8, 7, 6, 3, 2, 1, 0,
};

static unsigned level_shift(unsigned level)
{
	return 12 + 9 * (level - 1);
}

static unsigned va_index(uint64_t va, unsigned level)
{
	return va >> level_shift(level) & (TABLE_ENTRIES - 1);
}

/* The top bits of a virtual address repeat its highest translated bit. */
static bool va_is_canonical(const struct arch_mmu *mmu, uint64_t va)
{
	unsigned bits = level_shift(mmu->levels + 1);

	return (uint64_t)((int64_t)(va << (64 - bits)) >> (64 - bits)) == va;
}

static bool entry_is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || (level <= 3 && (entry & ENTRY_PS));
}

static uint64_t entry_table_pa(const struct arch_mmu *mmu, uint64_t entry)
{
	return entry & ENTRY_ADDRESS & ~mmu->ignore_bits;
}

/* Bit 12 of a large page's entry is no address bit. */
static uint64_t entry_page_pa(const struct arch_mmu *mmu, uint64_t entry,
			      unsigned level)
{
	return align_down(entry_table_pa(mmu, entry),
			  UINT64_C(1) << level_shift(level));
}

/* The error is about @va, not about the table that translates it. */
static struct kml_error *no_table(struct kml_error *error, uint64_t va,
				  uint64_t table_pa)
{
	if (error->code != KML_ERR_NODATA)
		return error;
	kml_error_destroy(error);
	return error_at(KML_ERR_NODATA, va,
			"virtual address 0x%" PRIx64 " needs a page table that is not in the dump, at physical address 0x%" PRIx64,
			va, table_pa);
}

static struct kml_error *x86_64_translate(const struct arch_mmu *mmu,
					   uint64_t va, uint64_t *pa_ret)
{
	uint64_t entries[TABLE_ENTRIES], entry, table_pa = mmu->root_pa;
	struct kml_error *error;
	unsigned level;

	for (level = mmu->levels; va_is_canonical(mmu, va); level--) {
		error = mmu->read_table(mmu->arg, table_pa, entries);
		if (error)
			return no_table(error, va, table_pa);
		entry = entries[va_index(va, level)];
		if (!(entry & ENTRY_PRESENT))
			break;
		if (entry_is_leaf(entry, level)) {
			uint64_t page_bytes = UINT64_C(1) << level_shift(level);

			*pa_ret = entry_page_pa(mmu, entry, level) +
				  (va & (page_bytes - 1));
			return NULL;
		}
		/* Reserved there: nothing that the processor would follow. */
		if (entry & ENTRY_PS)
			break;
		table_pa = entry_table_pa(mmu, entry);
	}
	return error_at(KML_ERR_NODATA, va,
			"virtual address 0x%" PRIx64 " is not mapped", va);
}

struct walk {
	const struct arch_mmu *mmu;
	const struct image_walk *to;
	uint64_t n_tables;
	uint64_t *missing;
};

/* Read a table; *@there_ret: false if the dump lacks it. */
static struct kml_error *walk_read(struct walk *walk, uint64_t table_pa,
				   unsigned level, uint64_t *entries,
				   bool *there_ret)
{
	struct kml_error *error;

	if (walk->n_tables++ >= walk->mmu->max_tables)
		return error_at(KML_ERR_CORRUPT, table_pa,
				"page tables do not end: gave up after %" PRIu64 " of them, at physical address 0x%" PRIx64,
				walk->mmu->max_tables, table_pa);
	error = walk->mmu->read_table(walk->mmu->arg, table_pa, entries);
	*there_ret = !error;
	if (error && error->code == KML_ERR_NODATA) {
		kml_error_destroy(error);
		++*walk->missing;
		return NULL;
	}
	if (!error && walk->to->table)
		walk->to->table(walk->to->arg, table_pa, level);
	return error;
}

/*
 * Walk [@start, @last] through the table at @table_pa, whose first entry is
 * for @base.  Recursive: there are five levels at most.
 *
 * KASAN maps terabytes of shadow to one page by tables all of whose entries are
 * the same (kasan_populate_early_shadow() of mm/kasan/init.c).
 */
static struct kml_error *walk_table(struct walk *walk, uint64_t table_pa,
				    unsigned level, uint64_t base,
				    uint64_t start, uint64_t last)
{
	uint64_t entry_bytes = UINT64_C(1) << level_shift(level);
	uint64_t entries[TABLE_ENTRIES], whole = 0; /* walked last */
	struct kml_error *error;
	unsigned i, last_i;
	bool there;

	error = walk_read(walk, table_pa, level, entries, &there);
	if (error || !there)
		return error;
	last_i = va_index(last, level);
	for (i = va_index(start, level); i <= last_i; i++) {
		uint64_t va = base + i * entry_bytes;
		uint64_t from = MAX(va, start);
		uint64_t to = MIN(va + (entry_bytes - 1), last);

		if (!(entries[i] & ENTRY_PRESENT))
			continue;
		if (entry_is_leaf(entries[i], level)) {
			if (walk->to->page)
				walk->to->page(walk->to->arg, from,
					       entry_page_pa(walk->mmu,
							     entries[i],
							     level) +
						       (from - va),
					       to - from + 1);
			continue;
		}
		if (entries[i] & ENTRY_PS ||
		    (entries[i] == whole &&
		     (walk->to->once || !walk->to->page)))
			continue;
		error = walk_table(walk, entry_table_pa(walk->mmu, entries[i]),
				   level - 1, va, from, to);
		if (error)
			return error;
		whole = to - from == entry_bytes - 1 ? entries[i] : 0;
	}
	return NULL;
}

static struct kml_error *x86_64_walk(const struct arch_mmu *mmu,
				     uint64_t start_va, uint64_t end_va,
				     const struct image_walk *walk,
				     uint64_t *missing)
{
	struct walk w = { .mmu = mmu, .to = walk, .missing = missing };
	uint64_t last = end_va - 1;
	uint64_t low_last = (UINT64_C(1) << (level_shift(mmu->levels + 1) - 1)) - 1;
	uint64_t high_base = UINT64_MAX << level_shift(mmu->levels + 1);
	struct kml_error *error = NULL;

	/* Addresses between the two halves don't exist. */
	if (start_va > last)
		return NULL;
	if (start_va <= low_last)
		error = walk_table(&w, mmu->root_pa, mmu->levels, 0, start_va,
				   MIN(last, low_last));
	if (!error && last >= ~low_last)
		error = walk_table(&w, mmu->root_pa, mmu->levels, high_base,
				   MAX(start_va, ~low_last), last);
	return error;
}

static bool x86_64_decode_prstatus(const void *desc, size_t bytes,
				   struct image_regs *ret)
{
	const uint8_t *raw = (const uint8_t *)desc + PRSTATUS_REGS;
	struct image_regs regs = { .present = true };
	unsigned i;

	if (bytes < PRSTATUS_REGS + PRSTATUS_REGS_BYTES)
		return false;
	regs.ip = load_u64(raw + 8 * REGS_IP);
	for (i = 0; i < ARRAY_SIZE(regs.gpr); i++)
		regs.gpr[i] = load_u64(raw + 8 * gpr_index[i]);
	regs.sp = regs.gpr[GPR_SP];
	*ret = regs;
	return true;
}

/* A per-cpu variable of its own until it moved into struct pcpu_hot
 * (e57ef2ed97c1, Linux 6.2 to 6.14). */
static const struct arch_variable current_task[] = {
	{ "current_task", NULL, NULL },
	{ "pcpu_hot", "pcpu_hot", "current_task" },
	{ NULL, NULL, NULL },
};

static const struct arch_variable irq_stack[] = {
	{ "hardirq_stack_ptr", NULL, NULL },
	{ "pcpu_hot", "pcpu_hot", "hardirq_stack_ptr" },
	{ NULL, NULL, NULL },
};

static const char *const percpu_stacks[] = {
	"irq_stack_backing_store", /* interrupts */
	"exception_stacks",        /* NMI, #DF, #DB, #MC, #VC */
	"entry_stack_storage",     /* system calls from a trampoline */
	NULL,
};

#define TIB (UINT64_C(1) << 40)

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.elf_machine = EM_X86_64,
	.gpr_names = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		       "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15" },
	.gpr_sp = GPR_SP,
	.ip_name = "rip",
	.translate = x86_64_translate,
	.walk = x86_64_walk,
	.decode_prstatus = x86_64_decode_prstatus,
	/* asm/page_64_types.h, asm/pgtable_64_types.h.  The kernel image has
	 * 1 GiB with CONFIG_RANDOMIZE_BASE, otherwise 512 MiB. */
	.kernel_va = UINT64_C(0xffffffff80000000),
	.kernel_bytes = UINT64_C(1) << 30,
	.modules_end_va = UINT64_C(0xffffffffff000000),
	.user_end_va = { UINT64_C(1) << 47, UINT64_C(1) << 56 },
	.kernel_start_va = UINT64_C(0xff00000000000000),
	/* Documentation/arch/x86/x86_64/mm.rst */
	.shadow_va = { UINT64_C(0xffffec0000000000),
		       UINT64_C(0xffdf000000000000) },
	.shadow_end_va = { UINT64_C(0xfffffc0000000000),
			   UINT64_C(0xfffffc0000000000) },
	.direct = { "page_offset_base",
		    { UINT64_C(0xffff888000000000),
		      UINT64_C(0xff11000000000000) } },
	.vmalloc = { "vmalloc_base",
		     { UINT64_C(0xffffc90000000000),
		       UINT64_C(0xffa0000000000000) } },
	.vmemmap = { "vmemmap_base",
		     { UINT64_C(0xffffea0000000000),
		       UINT64_C(0xffd4000000000000) } },
	.vmalloc_bytes = { 32 * TIB, 12800 * TIB },
	/* linux/poison.h with CONFIG_ILLEGAL_POINTER_VALUE */
	.list_poison = { UINT64_C(0xdead000000000100),
			 UINT64_C(0xdead000000000122) },
	.prologue = x86_64_prologue,
	.call_target = x86_64_call_target,
	.callee_saved = 1u << 3 | 1u << 5 | 0xfu << 12, /* rbx rbp r12-r15 */
	.saved_sp = "thread.sp",
	.switch_words = 6, /* struct inactive_task_frame, up to ret_addr */
	.current_task = current_task,
	.irq_stack = irq_stack,
	.percpu_stacks = percpu_stacks,
};
