// SPDX-License-Identifier: GPL-2.0-or-later
/* What a kernel has of records of allocations. */
#include "leak/site.h"

#include <string.h>

#include "base/util.h"

/* Of an object: kmemleak may have records of parts of a block as well. */
static struct kml_error *index_records(struct sites *sites)
{
	const struct kmemleak *kmemleak = sites->kmemleak;
	const struct heap *heap = sites->kernel->heap;
	size_t bytes = ((size_t)heap->n_ids + 1) * sizeof(uint32_t), i;

	sites->record_of = malloc(bytes);
	if (!sites->record_of)
		return error_nomem();
	memset(sites->record_of, 0xff, bytes);
	for (i = 0; i < MIN(kmemleak->records.size, UINT32_MAX); i++) {
		const struct kmemleak_record *r = &kmemleak->records.data[i];
		uint32_t id = kmemleak_object_id(sites->kernel, r);
		uint64_t va = r->pointer;

		if (r->flags & KMEMLEAK_PHYS)
			va += sites->kernel->direct_va;
		if (id != HEAP_NONE && heap_object_va(heap, id) == va &&
		    sites->record_of[id] == HEAP_NONE)
			sites->record_of[id] = (uint32_t)i;
	}
	return NULL;
}

/* What is torn of them is no gap of the verdict: none rests on it. */
static struct kml_error *load_records(struct sites *sites)
{
	struct kernel *kernel = sites->kernel;
	size_t n_gaps = kernel->gaps.size;
	struct kml_error *error;

	if (!kmemleak_exists(kernel))
		return NULL;
	error = kmemleak_load(kernel, &sites->own_kmemleak);
	for (; n_gaps < kernel->gaps.size; n_gaps++)
		kernel->gaps.data[n_gaps].unsound = false;
	switch (kml_error_code(error)) {
	case KML_OK:
		sites->kmemleak = &sites->own_kmemleak;
		return NULL;
	case KML_ERR_NODATA:
	case KML_ERR_CORRUPT:
	case KML_ERR_DEBUGINFO:
	case KML_ERR_UNSUPPORTED:
		kml_error_destroy(error);
		return NULL;
	default:
		return error;
	}
}

struct kml_error *sites_open(struct sites *sites, struct kernel *kernel,
			     const struct kmemleak *loaded)
{
	struct kml_error *error = NULL;

	if (sites->opened)
		return NULL;
	sites->opened = true;
	sites->kernel = kernel;
	sites->has_tags = alloc_tags_open(kernel, &sites->tags);
	sites->has_depot = stackdepot_open(kernel, &sites->depot);
	sites->has_owner = page_owner_open(kernel, &sites->owner);
	sites->has_kasan = kasan_open(kernel, &sites->kasan);
	sites->has_exts = obj_ext_open(kernel, &sites->exts);
	sites->has_memcg = memcg_open(kernel, &sites->memcg_layout);
	if (loaded)
		sites->kmemleak = loaded;
	else
		error = load_records(sites);
	if (!error && sites->kmemleak)
		error = index_records(sites);
	return error;
}

void sites_deinit(struct sites *sites)
{
	kmemleak_deinit(&sites->own_kmemleak);
	alloc_tags_deinit(&sites->tags);
	free(sites->record_of);
	map_deinit(&sites->place_of_address);
	map_deinit(&sites->place_of_stack);
	map_deinit(&sites->memcg_of_va);
	map_deinit(&sites->is_wrapper);
	vec_deinit(&sites->places);
	vec_deinit(&sites->memcgs);
	free(sites->place_of);
	free(sites->memcg_of);
}
