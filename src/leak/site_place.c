// SPDX-License-Identifier: GPL-2.0-or-later
/* Places and memory cgroups as numbers: an array for all objects. */
#include "leak/site.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "kernel/symbol.h"
#include "leak/site_wrapper.h"

static uint32_t intern_place(struct sites *sites, struct site_place place)
{
	uint64_t address = place.address;
	uint32_t index;

	if (!address)
		return HEAP_NONE;
	if (map_find(&sites->place_of_address, address, &index))
		return index;
	index = (uint32_t)sites->places.size;
	if (!vec_push(&sites->places, place) ||
	    !map_add(&sites->place_of_address, address, index))
		return HEAP_NONE;
	return index;
}

static uint32_t intern(struct sites *sites, uint64_t address)
{
	return intern_place(sites, (struct site_place){ .address = address });
}

/* Many objects share a stack. */
static uint32_t place_of_stack(struct sites *sites, uint32_t handle)
{
	uint64_t frames[STACKDEPOT_FRAMES];
	uint32_t place = HEAP_NONE;
	struct kml_error *error;
	size_t n = 0;

	if (!sites->has_depot || !handle)
		return HEAP_NONE;
	if (map_find(&sites->place_of_stack, handle, &place))
		return place;
	error = stackdepot_fetch(sites->kernel, &sites->depot, handle, frames,
				 &n);
	if (!error && n)
		place = intern(sites,
			       frames[sites_first_frame(sites, frames, n)]);
	kml_error_destroy(error);
	map_add(&sites->place_of_stack, handle, place);
	return place;
}

static uint32_t place_of_site(struct sites *sites, uint32_t id,
			      enum site_source source)
{
	struct site site;

	if (!sites_find(sites, id, source, &site) || !site.n_frames)
		return HEAP_NONE;
	return intern(sites, site.frames[site.first]);
}

static uint32_t record_place(struct sites *sites, uint32_t id)
{
	const struct kmemleak_record *record = sites_record(sites, id);

	if (!record)
		return HEAP_NONE;
	if (!sites->kmemleak->has_depot)
		return place_of_site(sites, id, SITE_KMEMLEAK);
	return place_of_stack(sites, record->trace);
}

static uint32_t tag_place(struct sites *sites, uint32_t id)
{
	uint64_t va = sites_tag(sites, id);
	struct alloc_tag tag;
	uint32_t place;

	if (!va || map_find(&sites->place_of_address, va, &place))
		return va ? place : HEAP_NONE;
	if (!alloc_tag_read(sites->kernel, &sites->tags, va, &tag))
		return HEAP_NONE;
	return intern_place(sites, (struct site_place){
		.address = va,
		.is_tag = true,
		.is_wrapper = site_is_wrapper(tag.function),
	});
}

static uint32_t slub_place(struct sites *sites, uint32_t id)
{
	struct kernel_track track;
	uint32_t place;

	if (!kernel_track(sites->kernel, id, &track))
		return HEAP_NONE;
	place = place_of_stack(sites, track.stack);
	return place == HEAP_NONE ? place_of_site(sites, id, SITE_SLUB) : place;
}

static uint32_t kasan_place(struct sites *sites, uint32_t id)
{
	struct kasan_track track;

	if (!sites->has_kasan ||
	    !kasan_read(sites->kernel, &sites->kasan, id, &track))
		return HEAP_NONE;
	return place_of_stack(sites, track.stack);
}

static uint32_t owner_place(struct sites *sites, uint32_t id)
{
	struct page_owner_record record;
	uint64_t pfn;

	if (!sites->has_owner || !sites_page(sites, id, &pfn) ||
	    !page_owner_read(sites->kernel, &sites->owner, pfn, &record))
		return HEAP_NONE;
	return place_of_stack(sites, record.stack);
}

static uint32_t slab_place(struct sites *sites, uint32_t id)
{
	uint32_t place = slub_place(sites, id);

	if (place == HEAP_NONE)
		place = kasan_place(sites, id);
	if (place == HEAP_NONE && sites->kernel->kfence.size)
		place = place_of_site(sites, id, SITE_KFENCE);
	return place;
}

static uint32_t page_place(struct sites *sites, uint32_t id)
{
	uint32_t place = owner_place(sites, id);

	return place == HEAP_NONE ? place_of_site(sites, id, SITE_VM_STRUCT) :
				    place;
}

/* As sites_best() would have it, and cheaper. */
uint32_t sites_place(struct sites *sites, uint32_t id)
{
	uint32_t place, tag;

	if (!sites->opened)
		return HEAP_NONE;
	if (sites->place_of)
		return sites->place_of[id];
	place = record_place(sites, id);
	if (place != HEAP_NONE)
		return place;
	tag = tag_place(sites, id);
	if (tag != HEAP_NONE && !sites->places.data[tag].is_wrapper)
		return tag;
	place = heap_region_of(sites->kernel->heap, id)->kind == HEAP_SLAB ?
			slab_place(sites, id) :
			page_place(sites, id);
	return place == HEAP_NONE ? tag : place;
}

uint32_t sites_memcg(struct sites *sites, uint32_t id)
{
	struct kernel *kernel = sites->kernel;
	uint64_t charge, unused, pfn, va = 0;
	struct memcg memcg;
	uint32_t index;

	if (!sites->opened || !sites->has_memcg)
		return HEAP_NONE;
	if (sites->memcg_of)
		return sites->memcg_of[id];
	sites_extension(sites, id, &charge, &unused);
	if (charge)
		va = memcg_of_charge(kernel, &sites->memcg_layout, charge);
	else if (sites_page(sites, id, &pfn))
		va = memcg_of_page(kernel, &sites->memcg_layout, pfn);
	if (!va)
		return HEAP_NONE;
	if (map_find(&sites->memcg_of_va, va, &index))
		return index;
	index = (uint32_t)sites->memcgs.size;
	memcg_read(kernel, &sites->memcg_layout, va, &memcg);
	if (!vec_push(&sites->memcgs, memcg) ||
	    !map_add(&sites->memcg_of_va, va, index))
		return HEAP_NONE;
	return index;
}

struct kml_error *sites_index(struct sites *sites)
{
	const struct heap *heap = sites->kernel->heap;
	_cleanup_free_ uint32_t *place_of = NULL, *memcg_of = NULL;
	size_t bytes = ((size_t)heap->n_ids + 1) * sizeof(uint32_t);
	uint32_t id;

	if (sites->place_of)
		return NULL;
	place_of = malloc(bytes);
	memcg_of = malloc(bytes);
	if (!place_of || !memcg_of)
		return error_nomem();
	memset(place_of, 0xff, bytes);
	memset(memcg_of, 0xff, bytes);
	for (id = 0; id < heap->n_ids; id++) {
		struct kml_error *error;

		if (id % 65536 == 0) {
			error = message_progress(sites->kernel->messenger,
						 "allocation sites", id,
						 heap->n_ids);
			if (error)
				return error;
		}
		if (!heap_is_allocated(heap, id))
			continue;
		place_of[id] = sites_place(sites, id);
		memcg_of[id] = sites_memcg(sites, id);
	}
	sites->place_of = take_ptr(place_of);
	sites->memcg_of = take_ptr(memcg_of);
	return NULL;
}

/* ---- names */

bool sites_format(struct sites *sites, uint32_t place,
		  char ret[SITE_TEXT_BYTES])
{
	const struct site_place *p = &sites->places.data[place];
	struct kernel_symbol_name symbol;
	struct alloc_tag tag;

	if (!p->is_tag) {
		snprintf(ret, SITE_TEXT_BYTES, "0x%016" PRIx64, p->address);
		if (!kernel_symbolize_code(sites->kernel, p->address, &symbol))
			return false;
		kernel_format_symbol(sites->kernel, p->address, ret,
				     SITE_TEXT_BYTES);
		return true;
	}
	if (!alloc_tag_read(sites->kernel, &sites->tags, p->address, &tag) ||
	    !tag.file[0]) {
		snprintf(ret, SITE_TEXT_BYTES,
			 "allocation tag 0x%016" PRIx64, p->address);
		return false;
	}
	snprintf(ret, SITE_TEXT_BYTES, "%s at %s:%" PRIu32 "%s%s%s",
		 tag.function, tag.file, tag.line, tag.module[0] ? " [" : "",
		 tag.module, tag.module[0] ? "]" : "");
	return true;
}

static bool find_module(struct sites *sites, struct site_place *place)
{
	struct kernel_symbol_name symbol;
	struct alloc_tag tag;

	if (!place->is_tag) {
		if (!kernel_symbolize_code(sites->kernel, place->address,
					   &symbol))
			return false;
		snprintf(place->module, sizeof(place->module), "%s",
			 symbol.module ? symbol.module : "");
		return true;
	}
	if (!alloc_tag_read(sites->kernel, &sites->tags, place->address,
			    &tag) ||
	    !tag.file[0])
		return false;
	memcpy(place->module, tag.module, sizeof(place->module));
	return true;
}

const char *sites_module(struct sites *sites, uint32_t index)
{
	struct site_place *place = &sites->places.data[index];

	if (!place->is_looked_up)
		place->has_module = find_module(sites, place);
	place->is_looked_up = true;
	return place->has_module ? place->module : NULL;
}

const char *sites_module_of(void *arg, uint32_t id)
{
	uint32_t place = sites_place(arg, id);

	return place == HEAP_NONE ? NULL : sites_module(arg, place);
}
