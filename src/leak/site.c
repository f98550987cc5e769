// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/site.h"

#include <string.h>

#include "base/util.h"
#include "kernel/kfence.h"
#include "kernel/symbol.h"
#include "leak/site_wrapper.h"

const char *const site_source_words[SITE_SOURCES] = {
	[SITE_KMEMLEAK] = "kmemleak",
	[SITE_ALLOC_TAG] = "alloc_tag",
	[SITE_SLUB] = "slub_track",
	[SITE_KASAN] = "kasan",
	[SITE_KFENCE] = "kfence",
	[SITE_PAGE_OWNER] = "page_owner",
	[SITE_VM_STRUCT] = "vm_struct",
};

const char *const site_source_names[SITE_SOURCES] = {
	[SITE_KMEMLEAK] = "kmemleak's record",
	[SITE_ALLOC_TAG] = "allocation tag",
	[SITE_SLUB] = "SLUB's user tracking",
	[SITE_KASAN] = "KASAN",
	[SITE_KFENCE] = "KFENCE",
	[SITE_PAGE_OWNER] = "page_owner",
	[SITE_VM_STRUCT] = "vm_struct",
};

/* ---- where the evidence of an object is */

void sites_extension(struct sites *sites, uint32_t id, uint64_t *charge_ret,
		     uint64_t *tag_ret)
{
	struct kernel *kernel = sites->kernel;
	const struct heap_region *r = heap_region_of(kernel->heap, id);
	uint32_t index = id - r->first_id;

	*charge_ret = *tag_ret = 0;
	if (!sites->has_exts || (r->kind != HEAP_SLAB && r->kind != HEAP_PERCPU))
		return;
	if (r->kind == HEAP_PERCPU || sites->last_slab != r) {
		sites->has_last_exts = obj_ext_find(kernel, &sites->exts, r,
						    index, &sites->last_exts);
		sites->last_slab = r->kind == HEAP_SLAB ? r : NULL;
	}
	if (sites->has_last_exts)
		obj_ext_read(kernel, &sites->last_exts, index, charge_ret,
			     tag_ret);
}

bool sites_page(struct sites *sites, uint32_t id, uint64_t *pfn_ret)
{
	struct kernel *kernel = sites->kernel;
	const struct heap_region *r = heap_region_of(kernel->heap, id);
	_cleanup_error_ struct kml_error *error = NULL;
	const struct kernel_area *area;
	uint64_t page;

	if (r->kind == HEAP_PAGES) {
		*pfn_ret = (r->va - kernel->direct_va) >> 12;
		return true;
	}
	if (r->kind != HEAP_VMALLOC)
		return false;
	area = &kernel->areas.data[r->owner];
	if (!area->pages_va || !area->n_pages)
		return false;
	error = kernel_read_u64(kernel, area->pages_va, &page);
	if (error || page < kernel->vmemmap_va)
		return false;
	*pfn_ret = (page - kernel->vmemmap_va) / kernel->page_struct_bytes;
	return *pfn_ret < kernel->end_pfn;
}

uint64_t sites_tag(struct sites *sites, uint32_t id)
{
	uint64_t charge, ref, pfn;

	if (!sites->has_tags)
		return 0;
	sites_extension(sites, id, &charge, &ref);
	if (ref)
		return alloc_tags_from_ref(sites->kernel, &sites->tags, ref);
	return sites_page(sites, id, &pfn) ?
		       alloc_tags_of_page(sites->kernel, &sites->tags, pfn) :
		       0;
}

static bool is_wrapper(struct sites *sites, uint64_t address)
{
	struct kernel_symbol_name symbol;
	uint32_t known;

	if (map_find(&sites->is_wrapper, address, &known))
		return known;
	known = kernel_symbolize_code(sites->kernel, address - 1, &symbol) &&
		site_is_wrapper(symbol.name);
	/* Without memory it is worked out again. */
	map_add(&sites->is_wrapper, address, known);
	return known;
}

size_t sites_first_frame(struct sites *sites, const uint64_t *frames, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!is_wrapper(sites, frames[i]))
			return i;
	}
	return 0;
}

/* ---- sources */

static bool from_depot(struct sites *sites, uint32_t handle, struct site *ret)
{
	struct kml_error *error;

	if (!sites->has_depot || !handle)
		return false;
	error = stackdepot_fetch(sites->kernel, &sites->depot, handle,
				 ret->frames, &ret->n_frames);
	if (error) {
		ret->n_frames = 0;
		kernel_gap(sites->kernel, "stacks of allocations", handle,
			   false);
	}
	kml_error_destroy(error);
	return ret->n_frames;
}

static void set_pid(struct site *site, uint32_t pid)
{
	site->has_pid = true;
	site->pid = pid;
}

static void set_cpu(struct site *site, uint32_t cpu)
{
	site->has_cpu = true;
	site->cpu = cpu;
}

static void set_jiffies(const struct sites *sites, struct site *site,
			uint64_t when)
{
	site->has_jiffies = true;
	site->jiffies = when;
	site->has_age = kernel_jiffies_age(sites->kernel, when, &site->age_ms);
}

static void set_clock(const struct sites *sites, struct site *site, uint64_t ns)
{
	const struct kernel *kernel = sites->kernel;
	uint64_t ago;

	site->has_age = kernel_clock_age(kernel, ns, &site->age_ms);
	if (!site->has_age || !kernel->hz)
		return;
	ago = site->age_ms * kernel->hz / 1000;
	site->has_jiffies = ago <= kernel->jiffies;
	site->jiffies = kernel->jiffies - ago;
}

const struct kmemleak_record *sites_record(const struct sites *sites,
					   uint32_t id)
{
	uint32_t index = sites->record_of ? sites->record_of[id] : HEAP_NONE;

	return index == HEAP_NONE ? NULL :
				    &sites->kmemleak->records.data[index];
}

static bool find_record(struct sites *sites, uint32_t id, struct site *ret)
{
	const struct kmemleak_record *record = sites_record(sites, id);
	struct kml_error *error;

	if (!record)
		return false;
	error = kmemleak_trace(sites->kernel, sites->kmemleak, record,
			       ret->frames, &ret->n_frames);
	if (error)
		ret->n_frames = 0;
	kml_error_destroy(error);
	set_pid(ret, record->pid);
	set_jiffies(sites, ret, record->jiffies);
	memcpy(ret->comm, record->comm, sizeof(ret->comm));
	return true;
}

static bool find_tag(struct sites *sites, uint32_t id, struct site *ret)
{
	uint64_t va = sites_tag(sites, id);

	ret->has_tag = va && alloc_tag_read(sites->kernel, &sites->tags, va,
					    &ret->tag);
	return ret->has_tag;
}

static bool find_slub(struct sites *sites, uint32_t id, struct site *ret)
{
	struct kernel_track track;

	if (!kernel_track(sites->kernel, id, &track))
		return false;
	ret->n_frames = kernel_track_stack(sites->kernel,
					   sites->has_depot ? &sites->depot :
							      NULL,
					   &track, ret->frames);
	set_pid(ret, track.pid);
	set_cpu(ret, track.cpu);
	set_jiffies(sites, ret, track.when);
	return true;
}

static bool find_kasan(struct sites *sites, uint32_t id, struct site *ret)
{
	struct kasan_track track;

	if (!sites->has_kasan ||
	    !kasan_read(sites->kernel, &sites->kasan, id, &track) ||
	    !from_depot(sites, track.stack, ret))
		return false;
	set_pid(ret, track.pid);
	if (track.has_extra) {
		set_cpu(ret, track.cpu);
		set_clock(sites, ret, track.ts_nsec);
	}
	return true;
}

static bool find_kfence(struct sites *sites, uint32_t id, struct site *ret)
{
	struct kfence_track track;

	if (!kernel_kfence_track(sites->kernel, id, &track))
		return false;
	memcpy(ret->frames, track.frames, sizeof(ret->frames));
	ret->n_frames = track.n_frames;
	set_pid(ret, track.pid);
	if (track.has_cpu)
		set_cpu(ret, track.cpu);
	set_clock(sites, ret, track.ts_nsec);
	return true;
}

static bool find_owner(struct sites *sites, uint32_t id, struct site *ret)
{
	struct page_owner_record record;
	uint64_t pfn;

	if (!sites->has_owner || !sites_page(sites, id, &pfn) ||
	    !page_owner_read(sites->kernel, &sites->owner, pfn, &record) ||
	    !from_depot(sites, record.stack, ret))
		return false;
	if (sites->owner.has_pid)
		set_pid(ret, record.pid);
	set_clock(sites, ret, record.ts_nsec);
	memcpy(ret->comm, record.comm, sizeof(ret->comm));
	return true;
}

static bool find_caller(struct sites *sites, uint32_t id, struct site *ret)
{
	const struct heap_region *r = heap_region_of(sites->kernel->heap, id);

	if (r->kind != HEAP_VMALLOC && r->kind != HEAP_VMAP &&
	    r->kind != HEAP_IOREMAP)
		return false;
	ret->frames[0] = sites->kernel->areas.data[r->owner].caller;
	ret->n_frames = ret->frames[0] != 0;
	return ret->n_frames;
}

bool sites_find(struct sites *sites, uint32_t id, enum site_source source,
		struct site *ret)
{
	static bool (*const find[SITE_SOURCES])(struct sites *, uint32_t,
						struct site *) = {
		[SITE_KMEMLEAK] = find_record,
		[SITE_ALLOC_TAG] = find_tag,
		[SITE_SLUB] = find_slub,
		[SITE_KASAN] = find_kasan,
		[SITE_KFENCE] = find_kfence,
		[SITE_PAGE_OWNER] = find_owner,
		[SITE_VM_STRUCT] = find_caller,
	};

	memset(ret, 0, sizeof(*ret));
	ret->source = (uint8_t)source;
	if (!sites->opened || !find[source](sites, id, ret))
		return false;
	ret->first = sites_first_frame(sites, ret->frames, ret->n_frames);
	return true;
}

bool site_tells(const struct site *site, bool wrapper)
{
	if (site->has_tag)
		return wrapper == site_is_wrapper(site->tag.function);
	return site->n_frames && !wrapper;
}

bool sites_best(struct sites *sites, uint32_t id, struct site *ret)
{
	unsigned source, wrapper;

	for (wrapper = 0; wrapper < 2; wrapper++) {
		for (source = 0; source < SITE_SOURCES; source++) {
			if (sites_find(sites, id, source, ret) &&
			    site_tells(ret, wrapper))
				return true;
		}
	}
	return false;
}

bool sites_age(void *arg, uint32_t id, uint64_t *ms_ret)
{
	struct site site;
	unsigned source;

	for (source = 0; source < SITE_SOURCES; source++) {
		if (sites_find(arg, id, source, &site) && site.has_age) {
			*ms_ret = site.age_ms;
			return true;
		}
	}
	return false;
}
