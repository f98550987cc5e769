// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/place.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/util.h"
#include "kernel/behind.h"
#include "kernel/symbol.h"
#include "kernel/type.h"
#include "report/lookup.h"
#include "report/type.h"

const char *const place_pages[PAGE_CLASSES] = {
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
	[PAGE_SHADOW] = "a page of KASAN's shadow",
	[PAGE_MAPPED] = "a page that is mapped elsewhere",
};

const char *const place_classes[PAGE_CLASSES] = {
	[PAGE_HOLE] = "hole",	    [PAGE_FREE] = "free",
	[PAGE_PCP] = "cached free", [PAGE_IDLE] = "idle",
	[PAGE_USER] = "user",	    [PAGE_SLAB] = "slab",
	[PAGE_BLOCK] = "block",	    [PAGE_RESERVED] = "reserved",
	[PAGE_TABLE] = "page table", [PAGE_VMEMMAP] = "struct pages",
	[PAGE_SHADOW] = "KASAN's shadow",
	[PAGE_MAPPED] = "mapped",
};

bool place_percpu_pointer(struct report *report, uint64_t pointer,
			  char ret[SYMBOL_BYTES_MAX])
{
	struct kernel *kernel = report->kernel;
	const struct lookup *lookup = report->lookup;
	uint64_t offset;
	const char *name;

	ret[0] = '\0';
	if (!lookup->n_units ||
	    pointer - kernel->percpu_start >=
		    kernel->roots.data[lookup->units[0].index].bytes)
		return false;
	/* Linked at 0 until Linux 6.15 (9d7de2aa8b41) */
	if (pointer >= kernel->image_va)
		kernel_format_symbol(kernel, pointer, ret, SYMBOL_BYTES_MAX);
	else if (profile_symbolize(kernel->profile, pointer, &name, &offset))
		snprintf(ret, SYMBOL_BYTES_MAX, "%s+0x%" PRIx64, name, offset);
	return ret[0];
}

static bool format_percpu(struct report *report, uint64_t va, char *ret,
			  size_t bytes)
{
	uint32_t index = lookup_unit(report->lookup, va);
	const struct kernel_root *root;
	char symbol[SYMBOL_BYTES_MAX];

	if (index == UINT32_MAX)
		return false;
	root = &report->kernel->roots.data[index];
	place_percpu_pointer(report,
			     va - report->kernel->cpu_offset[root->owner],
			     symbol);
	snprintf(ret, bytes, "per-cpu variable %s of CPU %" PRIu32, symbol,
		 root->owner);
	return true;
}

bool place_percpu(struct report *report, uint64_t va, char ret[PLACE_BYTES])
{
	return format_percpu(report, va, ret, PLACE_BYTES);
}

const struct kernel_task *place_stack(const struct report *report, uint64_t va)
{
	uint32_t index = lookup_stack(report->lookup, va);

	return index == UINT32_MAX ? NULL :
				     &report->kernel->tasks.data[index];
}

bool place_module(struct report *report, uint64_t va,
		  char ret[SYMBOL_BYTES_MAX])
{
	const struct kernel_module_part *part =
		kernel_module_part(report->kernel, va);
	struct kernel_symbol_name symbol;
	uint64_t text_end;

	if (!part)
		return false;
	text_end = part->start_va + part->text_bytes;
	/* The last function is no name for what lies behind all of them, nor is
	 * a variable for what lies behind it: the module's symbol table, say. */
	if (kernel_symbolize(report->kernel, va, &symbol) &&
	    !(symbol.is_data &&
	      (va - symbol.offset < text_end || symbol.is_behind)))
		snprintf(ret, SYMBOL_BYTES_MAX, "%s+0x%" PRIx64 " [%s]",
			 symbol.name, symbol.offset, part->module->name);
	else
		snprintf(ret, SYMBOL_BYTES_MAX, "%s of [%s] +0x%" PRIx64,
			 va < text_end ? "text" : "data", part->module->name,
			 va - part->start_va);
	return true;
}

bool place_module_percpu(struct report *report, const struct object *object,
			 uint64_t offset, char ret[SYMBOL_BYTES_MAX])
{
	uint32_t index = object->kind == HEAP_PERCPU ?
				 lookup_percpu_module(report->lookup,
						      object->va) :
				 UINT32_MAX;
	const struct kernel_module *module;
	struct kernel_symbol_name symbol;

	if (index == UINT32_MAX)
		return false;
	module = &report->kernel->modules.data[index];
	if (kernel_module_symbol(report->kernel, module, object->va,
				 object->va + object->bytes,
				 object->va + offset, &symbol) &&
	    !symbol.is_behind)
		snprintf(ret, SYMBOL_BYTES_MAX, "%s+0x%" PRIx64 " [%s]",
			 symbol.name, symbol.offset, module->name);
	else
		snprintf(ret, SYMBOL_BYTES_MAX, "data of [%s] +0x%" PRIx64,
			 module->name, offset);
	return true;
}

/* The variable that points to the start of what @va is in; false: none does. */
static bool find_behind(struct report *report, uint64_t va,
			char variable[PLACE_BEHIND_BYTES - 32],
			uint64_t *offset_ret)
{
	struct kernel_behind behind;
	struct kml_error *error;
	bool found;

	error = kernel_find_behind(report->kernel, va, &found, &behind);
	writer_fail(&report->writer, error);
	if (error || !found)
		return false;
	kernel_format_behind(report->kernel, &behind, variable,
			     PLACE_BEHIND_BYTES - 32);
	*offset_ret = behind.offset;
	return true;
}

const char *place_behind(struct report *report, uint64_t va,
			 char ret[PLACE_BEHIND_BYTES])
{
	char variable[PLACE_BEHIND_BYTES - 32];
	uint64_t offset;

	ret[0] = '\0';
	if (find_behind(report, va, variable, &offset))
		snprintf(ret, PLACE_BEHIND_BYTES, " behind %s, +0x%" PRIx64,
			 variable, offset);
	return ret;
}

const char *place_behind_object(struct report *report,
				const struct object *object,
				char ret[PLACE_BEHIND_BYTES])
{
	char variable[PLACE_BEHIND_BYTES - 32];
	uint64_t offset;

	ret[0] = '\0';
	if ((object->kind == HEAP_PAGES || object->kind == HEAP_VMALLOC) &&
	    find_behind(report, object->va, variable, &offset) && !offset)
		snprintf(ret, PLACE_BEHIND_BYTES, ", behind %s", variable);
	return ret;
}

const char *place_frag(struct report *report, const struct object *object,
		       char ret[PLACE_FRAG_BYTES])
{
	const struct page_frag *frag =
		page_frags_get(&report->analysis->refcounts.frags, object->id);
	char place[PLACE_FRAG_BYTES - 64];
	enum heap_reference how;
	uint32_t id;

	ret[0] = '\0';
	if (!frag)
		return ret;
	id = heap_resolve(report->heap, frag->word_va, &how);
	if (id != HEAP_NONE) {
		const struct object holder = object_of(report, id);

		snprintf(place, sizeof(place), "%s 0x%016" PRIx64 " +0x%" PRIx64,
			 object_family(&holder), holder.va,
			 frag->word_va - holder.va);
	} else if (!format_percpu(report, frag->word_va, place, sizeof(place))) {
		kernel_format_symbol(report->kernel, frag->word_va, place,
				     sizeof(place));
	}
	snprintf(ret, PLACE_FRAG_BYTES,
		 ", being cut into fragments for %s (page_frag_cache)", place);
	return ret;
}

static void format_slab(struct report *report, uint64_t pfn,
			char ret[PLACE_BYTES])
{
	uint32_t region = heap_pfn_region(report->heap, pfn);
	const struct heap_region *r;

	if (region == HEAP_NONE) {
		snprintf(ret, PLACE_BYTES, "a slab that is being made or given back, or could not be read");
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
	char behind[PLACE_BEHIND_BYTES];

	if (place_percpu(report, va, ret))
		return;
	if (class == PAGE_SLAB)
		format_slab(report, pfn, ret);
	else
		snprintf(ret, PLACE_BYTES, "%s%s, page frame 0x%" PRIx64 "%s",
			 place_pages[class], place_behind(report, va, behind),
			 pfn,
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
		 pfn, place_pages[kernel->page_class[pfn]]);
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
	else if (va >= 4096 && place_percpu_pointer(report, va, symbol))
		snprintf(ret, PLACE_BYTES, "the per-cpu pointer of %s", symbol);
	else if (place_module(report, va, symbol) ||
		 object_symbol(report, va, symbol))
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
	char symbol[SYMBOL_BYTES_MAX], behind[PLACE_BEHIND_BYTES];

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
	case ROOT_RESERVED:
		snprintf(ret, PLACE_BYTES, "%s%s", root->name,
			 place_behind(report, va, behind));
		break;
	default:
		snprintf(ret, PLACE_BYTES, "%s", root->name);
	}
}

const char *place_type(const struct report *report,
		       const struct object *object, uint64_t offset,
		       char ret[PLACE_MEMBER_BYTES])
{
	const struct kernel *kernel = report->kernel;
	const char *type;

	if (ret)
		ret[0] = '\0';
	if (object->kind != HEAP_SLAB)
		return NULL;
	type = kernel_cache_type(
		kernel, &kernel->caches.data[object->region->owner]);
	if (type && ret &&
	    !kernel_member_path(kernel, type, offset, ret, PLACE_MEMBER_BYTES))
		ret[0] = '\0';
	return type;
}

const char *place_member(const struct report *report,
			 const struct object *object, uint64_t offset,
			 char ret[PLACE_MEMBER_BYTES])
{
	const struct infer *infer = &report->analysis->infer;
	char path[PLACE_MEMBER_BYTES];

	place_type(report, object, offset, path);
	ret[0] = '\0';
	if (path[0])
		snprintf(ret, PLACE_MEMBER_BYTES, " (%.*s)",
			 PLACE_MEMBER_BYTES - 4, path);
	else if (infer_member(infer, object->id, offset, path, sizeof(path)))
		snprintf(ret, PLACE_MEMBER_BYTES, " (%s%.*s)",
			 type_doubt(infer, object->id),
			 PLACE_MEMBER_BYTES - 16, path);
	return ret;
}

static void format_object(struct report *report, uint32_t id, uint32_t word,
			  uint64_t va, char ret[PLACE_BYTES])
{
	char member[PLACE_MEMBER_BYTES];
	const struct object object = object_of(report, id);
	char symbol[SYMBOL_BYTES_MAX], name[TYPE_FAMILY_BYTES];
	char behind[PLACE_BEHIND_BYTES];

	type_name_object(report, &object, name);
	if (word == GRAPH_WORD_NONE)
		snprintf(ret, PLACE_BYTES,
			 "%s 0x%016" PRIx64 ", by its struct page or page tables",
			 name, object.va);
	else if (object.region->flags & HEAP_ROOT &&
		 place_module(report, va, symbol))
		snprintf(ret, PLACE_BYTES, "%s", symbol);
	else if (place_module_percpu(report, &object, va - object.va, symbol))
		snprintf(ret, PLACE_BYTES, "per-cpu variable %s", symbol);
	else
		snprintf(ret, PLACE_BYTES, "%s 0x%016" PRIx64 " +0x%" PRIx64 "%s%s",
			 name, object.va, va - object.va,
			 place_member(report, &object, va - object.va, member),
			 place_behind_object(report, &object, behind));
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
				 place_pages[kernel->page_class[pfn]] :
				 "?");
	}
}
