// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel image's writable memory, as root ranges, and the holes in it and
 * in the static per-cpu areas: stacks, of which only the live part counts
 * (task.c).
 *
 * Parts of the image are given back to the page allocator after boot although
 * they lie between the symbols (__init data, .bss..decrypted): the scan takes
 * only pages that are still reserved.
 */
#include "kernel/kernel.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* The kernel image is mapped in one piece. */
static uint64_t image_pa(const struct kernel *kernel, uint64_t va)
{
	return va - kernel->image_va + image_facts(kernel->image)->phys_base;
}

static struct kml_error *add_section(struct kernel *kernel, const char *name,
				     const char *start, const char *end)
{
	struct kernel_root *root;
	uint64_t from, to;

	if (!kernel_has_symbol(kernel, start, &from) ||
	    !kernel_has_symbol(kernel, end, &to) || to <= from)
		return NULL;
	root = vec_add(&kernel->roots);
	if (!root)
		return error_nomem();
	root->kind = ROOT_SECTION;
	root->start_va = from;
	root->start_pa = image_pa(kernel, from);
	root->bytes = to - from;
	snprintf(root->name, sizeof(root->name), "%s", name);
	return NULL;
}

/* A stack in a static per-cpu variable, on every CPU. */
static struct kml_error *add_percpu_hole(struct kernel *kernel,
					 const char *name)
{
	struct kml_error *error = NULL;
	uint64_t va, bytes;
	unsigned cpu;

	if (!kernel_has_symbol(kernel, name, &va) ||
	    !profile_symbol(kernel->profile, name, &(uint64_t){ 0 }, &bytes) ||
	    !bytes)
		return NULL;
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		if (!kernel->cpu_offset[cpu])
			continue;
		kernel_cite(kernel, BUILTIN_STACKS_IN_DATA);
		error = kernel_add_hole(kernel, va + kernel->cpu_offset[cpu],
					bytes);
	}
	return error;
}

/*
 * Pointers that exist as immediates of instructions alone, so that no scan of
 * words would find them: unaligned, and in the text.
 */
static struct kml_error *load_patched(struct kernel *kernel)
{
	const struct profile_section *sections;
	struct kernel_root *root;
	enum heap_reference how;
	size_t i, n;

	sections = profile_sections(kernel->profile, &n);
	root = vec_add(&kernel->roots);
	if (!root)
		return error_nomem();
	root->kind = ROOT_CODE;
	snprintf(root->name, sizeof(root->name), "kernel code");
	for (i = 0; i < n; i++) {
		uint64_t va = sections[i].address + kernel->kaslr_offset, word, pfn;
		struct kernel_edge edge = { .from = HEAP_NONE };
		struct kml_error *error;

		/* Code of the boot has been given back, and is somebody's. */
		pfn = image_pa(kernel, va) >> 12;
		if (!sections[i].patched || pfn >= kernel->end_pfn ||
		    kernel->page_class[pfn] != PAGE_RESERVED)
			continue;
		error = kernel_read_u64(kernel, va, &word);
		if (error) {
			error = kernel_forgive(kernel, error,
					       "pointers in the kernel's code",
					       va);
			if (error)
				return error;
			continue;
		}
		kernel_cite(kernel, BUILTIN_PATCHED_CODE);
		edge.to = heap_resolve(kernel->heap, word, &how);
		if (edge.to != HEAP_NONE && !vec_push(&kernel->edges, edge))
			return error_nomem();
	}
	return NULL;
}

struct kml_error *kernel_load_sections(struct kernel *kernel)
{
	static const char *const sections[][3] = {
		{ ".data", "_sdata", "_edata" },
		{ ".data..ro_after_init", "__start_ro_after_init",
		  "__end_ro_after_init" },
		{ ".bss", "__bss_start", "__bss_stop" },
		{ ".brk", "__brk_base", "__brk_limit" },
	};
	const char *const *stack = kernel->arch->percpu_stacks;
	struct kml_error *error = NULL;
	uint64_t va, end;
	size_t i;

	for (i = 0; !error && i < ARRAY_SIZE(sections); i++)
		error = add_section(kernel, sections[i][0], sections[i][1],
				    sections[i][2]);
	for (; !error && *stack; stack++)
		error = add_percpu_hole(kernel, *stack);
	if (error)
		return error;
	/* The first idle task's stack lies in .data, and shows THREAD_SIZE.
	 * (Renamed in Linux 6.10, 8f69cba096b5) */
	if (!kernel_has_symbol(kernel, "__start_init_stack", &va) ||
	    !kernel_has_symbol(kernel, "__end_init_stack", &end)) {
		error = kernel_symbol(kernel, "__start_init_task", &va);
		if (!error)
			error = kernel_symbol(kernel, "__end_init_task", &end);
		if (error)
			return error;
	}
	kernel->thread_bytes = end - va;
	if (end < va || kernel->thread_bytes < 4096 ||
	    kernel->thread_bytes > 1048576)
		return error_new(KML_ERR_DEBUGINFO,
				 "task stacks have a size of 0x%" PRIx64,
				 kernel->thread_bytes);
	kernel_cite(kernel, BUILTIN_STACKS_IN_DATA);
	error = kernel_add_hole(kernel, va, kernel->thread_bytes);
	return error ? error : load_patched(kernel);
}

static struct kml_error *add_reserved(struct kernel *kernel, uint64_t pfn,
				      uint64_t n_pages)
{
	struct kernel_root *root = vec_add(&kernel->roots);

	if (!root)
		return error_nomem();
	root->kind = ROOT_RESERVED;
	root->start_pa = pfn * 4096;
	root->start_va = kernel->direct_va + root->start_pa;
	root->bytes = n_pages * 4096;
	snprintf(root->name, sizeof(root->name), "reserved pages");
	return NULL;
}

struct kml_error *kernel_image_pfns(struct kernel *kernel, uint64_t *start_ret,
				    uint64_t *end_ret)
{
	struct kml_error *error;
	uint64_t text, end;

	error = kernel_symbol(kernel, "_text", &text);
	if (!error)
		error = kernel_symbol(kernel, "_end", &end);
	if (error)
		return error;
	*start_ret = image_pa(kernel, text) / 4096;
	*end_ret = align_up(image_pa(kernel, end), 4096) / 4096;
	return NULL;
}

/*
 * Memory that the boot allocator (memblock) gave out, and firmware's: pages
 * that are reserved, but neither the kernel image nor anything found so far.
 */
struct kml_error *kernel_load_reserved(struct kernel *kernel)
{
	uint64_t text, end, pfn, first = 0, run = 0;
	struct kml_error *error = kernel_image_pfns(kernel, &text, &end);

	if (error)
		return error;
	for (pfn = 0; !error && pfn <= kernel->end_pfn; pfn++) {
		if (pfn < kernel->end_pfn &&
		    kernel->page_class[pfn] == PAGE_RESERVED &&
		    (pfn < text || pfn >= end)) {
			if (!run++)
				first = pfn;
		} else if (run) {
			error = add_reserved(kernel, first, run);
			run = 0;
		}
	}
	return error;
}
