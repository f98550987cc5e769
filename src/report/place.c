// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/place.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/util.h"
#include "kernel/symbol.h"
#include "kernel/type.h"

static const char *const page_words[PAGE_CLASSES] = {
	[PAGE_HOLE] = "a page frame that the kernel has no struct page of",
	[PAGE_FREE] = "a free page",
	[PAGE_PCP] = "a free page, on a CPU's list",
	[PAGE_IDLE] = "a page that nobody uses",
	[PAGE_USER] = "a page of user memory or the page cache",
	[PAGE_SLAB] = "a slab",
	[PAGE_BLOCK] = "a page in use",
	[PAGE_RESERVED] = "a reserved page",
	[PAGE_TABLE] = "a page table",
	[PAGE_VMEMMAP] = "a page that holds struct pages",
	[PAGE_MAPPED] = "a page that is mapped elsewhere",
};

bool place_percpu(struct report *report, uint64_t va, char ret[PLACE_BYTES])
{
	struct kernel *kernel = report->kernel;
	char symbol[SYMBOL_BYTES_MAX] = "";
	const char *name;
	uint64_t offset;
	size_t i;

	for (i = 0; i < kernel->roots.size; i++) {
		const struct kernel_root *root = &kernel->roots.data[i];
		uint64_t pointer;

		if (root->kind != ROOT_PERCPU ||
		    va - root->start_va >= root->bytes)
			continue;
		pointer = va - kernel->cpu_offset[root->owner];
		/* Linked at 0 until Linux 6.15 (9d7de2aa8b41) */
		if (pointer >= kernel->image_va)
			kernel_format_symbol(kernel, pointer, symbol,
					     sizeof(symbol));
		else if (profile_symbolize(kernel->profile, pointer, &name,
					   &offset))
			snprintf(symbol, sizeof(symbol), "%s+0x%" PRIx64, name,
				 offset);
		snprintf(ret, PLACE_BYTES, "per-cpu variable %s of CPU %" PRIu32,
			 symbol, root->owner);
		return true;
	}
	return false;
}

const struct kernel_task *place_stack(const struct report *report, uint64_t va)
{
	const struct kernel *kernel = report->kernel;
	size_t i;

	for (i = 0; i < kernel->tasks.size; i++) {
		const struct kernel_task *task = &kernel->tasks.data[i];

		if (task->stack_va && va - task->stack_va < kernel->thread_bytes)
			return task;
	}
	return NULL;
}

static void format_slab(struct report *report, uint64_t pfn,
			char ret[PLACE_BYTES])
{
	uint32_t region = heap_pfn_region(report->heap, pfn);
	const struct heap_region *r;

	if (region == HEAP_NONE) {
		snprintf(ret, PLACE_BYTES, "a slab that could not be read");
		return;
	}
	r = &report->heap->regions.data[region];
	snprintf(ret, PLACE_BYTES,
		 "a slab of %s at 0x%016" PRIx64 ", between its objects: padding, or the allocator's own",
		 report->kernel->caches.data[r->owner].name, r->va);
}

static void format_direct(struct report *report, uint64_t va,
			  char ret[PLACE_BYTES])
{
	struct kernel *kernel = report->kernel;
	uint64_t pfn = (va - kernel->direct_va) >> 12;
	unsigned class = kernel->page_class[pfn];

	if (place_percpu(report, va, ret))
		return;
	if (class == PAGE_SLAB)
		format_slab(report, pfn, ret);
	else
		snprintf(ret, PLACE_BYTES, "%s, page frame 0x%" PRIx64 "%s",
			 page_words[class], pfn,
			 image_has_page(kernel->image, pfn) ?
				 "" :
				 ", which is not in the dump");
}

/* Is it an area's guard page, or no area's at all? */
static void format_vmalloc(struct report *report, uint64_t va,
			   char ret[PLACE_BYTES])
{
	const struct kernel_area *area = kernel_find_area(report->kernel, va);

	if (place_percpu(report, va, ret))
		return;
	if (!area)
		snprintf(ret, PLACE_BYTES, "in vmalloc space, but in no area");
	else if (va >= area->end_va - 4096 && area->region != HEAP_NONE)
		snprintf(ret, PLACE_BYTES,
			 "the guard page of the area at 0x%016" PRIx64,
			 area->start_va);
	else
		snprintf(ret, PLACE_BYTES,
			 "in the area at 0x%016" PRIx64 ", in no object of it",
			 area->start_va);
}

static bool format_vmemmap(struct report *report, uint64_t va,
			   char ret[PLACE_BYTES])
{
	struct kernel *kernel = report->kernel;
	uint64_t pfn = (va - kernel->vmemmap_va) / kernel->page_struct_bytes;

	if (va < kernel->vmemmap_va || pfn >= kernel->end_pfn)
		return false;
	snprintf(ret, PLACE_BYTES,
		 "the struct page of page frame 0x%" PRIx64 ", %s, of no object",
		 pfn, page_words[kernel->page_class[pfn]]);
	return true;
}

void place_format(struct report *report, uint64_t va, char ret[PLACE_BYTES])
{
	struct kernel *kernel = report->kernel;
	char symbol[SYMBOL_BYTES_MAX];

	if (kernel_is_direct(kernel, va))
		format_direct(report, va, ret);
	else if (va >= kernel->vmalloc_va && va < kernel->vmalloc_end_va)
		format_vmalloc(report, va, ret);
	else if (format_vmemmap(report, va, ret))
		;
	else if (object_symbol(report, va, symbol))
		snprintf(ret, PLACE_BYTES, "%s, of the kernel image or a module",
			 symbol);
	else if (va < UINT64_C(1) << 47)
		snprintf(ret, PLACE_BYTES, "no address of the kernel, and no per-cpu pointer");
	else
		snprintf(ret, PLACE_BYTES, "no memory that the kernel uses");
}

/* ---- holders */

static void format_root(struct report *report, const struct kernel_root *root,
			uint32_t word, uint64_t va, char ret[PLACE_BYTES])
{
	const struct kernel *kernel = report->kernel;
	char symbol[SYMBOL_BYTES_MAX];

	switch (root->kind) {
	case ROOT_STACK:
		snprintf(ret, PLACE_BYTES,
			 "stack of %s, pid %" PRIu32 ", at 0x%016" PRIx64,
			 kernel->tasks.data[root->owner].comm,
			 kernel->tasks.data[root->owner].pid, va);
		break;
	case ROOT_IRQ_STACK:
		snprintf(ret, PLACE_BYTES, "interrupt stack of CPU %" PRIu32,
			 root->owner);
		break;
	case ROOT_REGISTERS:
		snprintf(ret, PLACE_BYTES, "register %s of CPU %" PRIu32,
			 report->kernel->arch->gpr_names[word % 16],
			 root->owner);
		break;
	case ROOT_PERCPU:
		if (!place_percpu(report, va, ret))
			snprintf(ret, PLACE_BYTES, "%s", root->name);
		break;
	case ROOT_SECTION:
		kernel_format_symbol(report->kernel, va, symbol, sizeof(symbol));
		snprintf(ret, PLACE_BYTES, "%s (%s)", symbol, root->name);
		break;
	default:
		snprintf(ret, PLACE_BYTES, "%s", root->name);
	}
}

const char *place_member(const struct report *report,
			 const struct object *object, uint64_t offset,
			 char ret[PLACE_MEMBER_BYTES])
{
	const char *type = NULL;
	char path[PLACE_MEMBER_BYTES - 4];

	ret[0] = '\0';
	if (object->kind == HEAP_SLAB)
		type = kernel_cache_type(
			report->kernel,
			&report->kernel->caches.data[object->region->owner]);
	if (type && kernel_member_path(report->kernel, type, offset, path,
				       sizeof(path)))
		snprintf(ret, PLACE_MEMBER_BYTES, " (%s)", path);
	return ret;
}

static void format_object(struct report *report, uint32_t id, uint32_t word,
			  uint64_t va, char ret[PLACE_BYTES])
{
	char member[PLACE_MEMBER_BYTES];
	const struct object object = object_of(report, id);
	char symbol[SYMBOL_BYTES_MAX];

	if (word == GRAPH_WORD_NONE)
		snprintf(ret, PLACE_BYTES,
			 "%s 0x%016" PRIx64 ", by its struct page or page tables",
			 object_family(&object), object.va);
	else if (object.region->flags & HEAP_ROOT &&
		 object_symbol(report, va, symbol))
		kernel_format_symbol(report->kernel, va, ret, PLACE_BYTES);
	else
		snprintf(ret, PLACE_BYTES, "%s 0x%016" PRIx64 " +0x%" PRIx64 "%s",
			 object_family(&object), object.va, va - object.va,
			 place_member(report, &object, va - object.va, member));
}

void place_holder(struct report *report, uint32_t source, uint32_t word,
		  uint32_t *id_ret, uint64_t *va_ret, char ret[PLACE_BYTES])
{
	const struct graph *graph = &report->analysis->graph;
	struct kernel *kernel = report->kernel;
	uint32_t root = graph_source_root(graph, kernel, source);
	uint64_t pfn;

	*id_ret = source < graph->n_objects ? source : HEAP_NONE;
	*va_ret = 0;
	if (*id_ret != HEAP_NONE) {
		if (word != GRAPH_WORD_NONE)
			*va_ret = heap_object_va(report->heap, source) +
				  graph_word_offset(graph, kernel, source, word);
		format_object(report, source, word, *va_ret, ret);
	} else if (root != UINT32_MAX) {
		const struct kernel_root *r = &kernel->roots.data[root];

		if (r->kind != ROOT_REGISTERS && r->kind != ROOT_CODE)
			*va_ret = r->start_va +
				  graph_word_offset(graph, kernel, source, word);
		format_root(report, r, word, *va_ret, ret);
	} else {
		pfn = word / (kernel->page_struct_bytes / 8) +
		      ((uint64_t)(source - graph->n_objects -
				  kernel->roots.size)
		       << GRAPH_PAGES_SHIFT);
		*va_ret = kernel->vmemmap_va + pfn * kernel->page_struct_bytes +
			  word % (kernel->page_struct_bytes / 8) * 8;
		snprintf(ret, PLACE_BYTES,
			 "struct page of page frame 0x%" PRIx64 ", %s", pfn,
			 pfn < kernel->end_pfn ?
				 page_words[kernel->page_class[pfn]] :
				 "?");
	}
}
