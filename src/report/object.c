// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/object.h"

#include <inttypes.h>
#include <stdio.h>

#include "kernel/symbol.h"
#include "report/number.h"
#include "report/summary.h"

const char *const object_states[OBJECT_STATES] = {
	[OBJECT_LIVE] = "live",
	[OBJECT_LEAKED] = "leaked",
	[OBJECT_WAITING] = "waiting",
	[OBJECT_FREE] = "free",
	[OBJECT_CACHED] = "cached",
	[OBJECT_QUARANTINED] = "quarantined",
	[OBJECT_TORN] = "torn",
	[OBJECT_UNREADABLE] = "unreadable",
};

static const char *const families[HEAP_KINDS] = {
	[HEAP_SLAB] = "slab object",     [HEAP_PAGES] = "page block",
	[HEAP_VMALLOC] = "vmalloc area", [HEAP_VMAP] = "vmap area",
	[HEAP_IOREMAP] = "device mapping", [HEAP_PERCPU] = "per-cpu block",
};

struct object object_of(const struct report *report, uint32_t id)
{
	const struct heap_region *region = heap_region_of(report->heap, id);
	struct object object = {
		.id = id,
		.va = heap_object_va(report->heap, id),
		.bytes = heap_object_bytes(report->heap, id),
		.kind = region->kind,
		.region = region,
	};

	if (region->kind == HEAP_SLAB)
		object.cache = report->kernel->caches.data[region->owner].name;
	else if (region->kind == HEAP_VMALLOC || region->kind == HEAP_VMAP ||
		 region->kind == HEAP_IOREMAP)
		object.area = &report->kernel->areas.data[region->owner];
	return object;
}

const char *object_kind_family(unsigned kind)
{
	return families[kind];
}

const char *object_family(const struct object *object)
{
	if (object->region->flags & HEAP_LARGE)
		return "large kmalloc";
	return object->cache ? object->cache : families[object->kind];
}

void object_detail(const struct report *report, const struct object *object,
		   char ret[OBJECT_DETAIL_BYTES])
{
	uint64_t pages = object->bytes / 4096;

	ret[0] = '\0';
	if (object->kind == HEAP_PERCPU)
		snprintf(ret, OBJECT_DETAIL_BYTES, "on each of %s",
			 COUNT_OF(summary_cpus(report->kernel), "CPU"));
	else if (object->kind == HEAP_IOREMAP)
		snprintf(ret, OBJECT_DETAIL_BYTES, "physical 0x%" PRIx64,
			 object->area->phys_pa);
	else if (object->kind == HEAP_PAGES)
		snprintf(ret, OBJECT_DETAIL_BYTES, "%s%s",
			 COUNT_OF(pages, "page"),
			 object->region->flags & HEAP_LARGE ? "" :
			 object->region->flags & HEAP_COMPOUND ? ", compound" :
			 object->region->flags & HEAP_GUESSED ?
				 ", extent inferred" :
				 "");
	else if (object->area && object->area->n_pages)
		snprintf(ret, OBJECT_DETAIL_BYTES, "%s",
			 COUNT_OF(object->area->n_pages, "page"));
}

bool object_track(const struct report *report, const struct object *object,
		  struct kernel_track *ret)
{
	return object->id != HEAP_NONE &&
	       kernel_track(report->kernel, object->id, ret);
}

uint64_t object_caller(const struct report *report,
		       const struct object *object)
{
	struct kernel_track track;

	if (object->area)
		return object->area->caller;
	return object_track(report, object, &track) ? track.caller : 0;
}

uint32_t object_cycle(const struct object *object, const struct leak *leak)
{
	if (leak->n_cycle == 1)
		return 1;
	return object->area && object->area->vm_va ? leak->n_cycle - 1 :
						     leak->n_cycle;
}

bool object_symbol(struct report *report, uint64_t va,
		   char ret[SYMBOL_BYTES_MAX])
{
	struct kernel_symbol_name symbol;
	char size[24] = "", module[KERNEL_NAME_BYTES + 4] = "";

	if (!kernel_symbolize(report->kernel, va, &symbol)) {
		snprintf(ret, SYMBOL_BYTES_MAX, "0x%016" PRIx64, va);
		return false;
	}
	if (symbol.bytes)
		snprintf(size, sizeof(size), "/0x%" PRIx64, symbol.bytes);
	if (symbol.module)
		snprintf(module, sizeof(module), " [%s]", symbol.module);
	snprintf(ret, SYMBOL_BYTES_MAX, "%s+0x%" PRIx64 "%s%s", symbol.name,
		 symbol.offset, size, module);
	return true;
}

bool object_code_symbol(struct report *report, uint64_t va,
			char ret[SYMBOL_BYTES_MAX])
{
	struct kernel_symbol_name symbol;

	if (kernel_symbolize_code(report->kernel, va, &symbol))
		return object_symbol(report, va, ret);
	snprintf(ret, SYMBOL_BYTES_MAX, "0x%016" PRIx64, va);
	return false;
}

size_t object_lines(struct report *report, uint64_t va, bool return_address,
		    const struct lines_frame **ret)
{
	struct kml_analysis *analysis = report->analysis;

	*ret = NULL;
	if (!va || analysis->options.no_lines || !analysis->lines)
		return 0;
	return lines_resolve(analysis->lines, va, return_address, ret);
}

void frame_format(const struct lines_frame *frame, char *ret, size_t bytes)
{
	const char *function = frame->function ? frame->function : "?";

	if (frame->file && frame->line)
		snprintf(ret, bytes, "%s at %s:%u", function, frame->file,
			 frame->line);
	else if (frame->file)
		snprintf(ret, bytes, "%s in %s", function, frame->file);
	else
		snprintf(ret, bytes, "%s", function);
}
