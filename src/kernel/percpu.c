// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The per-cpu allocator.  A chunk has one unit per possible CPU; an allocation
 * is a block at the same offset of each unit.  alloc_map has a bit for each
 * four bytes in use, bound_map one for each start of a block.
 *
 * The first chunk is special: the static per-cpu variables lie in front of it
 * and the reserved chunk (modules' variables) between, in the same units and
 * even on the same pages.  The three are taken as one chunk here, with offsets
 * from the start of the unit; static variables are no blocks.
 */
#include "kernel/kernel.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define MIN_ALLOC_BYTES 4u /* PCPU_MIN_ALLOC_SIZE */
#define MAX_CHUNKS 100000u
#define MAX_UNIT_BYTES (UINT64_C(1) << 30)

struct percpu_layout {
	struct profile_member list, base_addr, alloc_map, bound_map, nr_pages,
		start_offset, end_offset, nr_populated;
	uint64_t chunk_bytes;
};

struct blocks {
	VEC(struct heap_block) v;
};

/* Where the pages of one unit go. */
struct unit_map {
	struct kernel *kernel;
	uint64_t start_va;
	uint32_t region;
	struct kml_error *error;
};

struct percpu_load {
	struct kernel *kernel;
	struct percpu_layout layout;
	uint64_t base_va;       /* pcpu_base_addr: CPU units of the first chunk */
	uint64_t unit_bytes;    /* pcpu_unit_size */
	uint64_t *unit_offsets; /* pcpu_unit_offsets[cpu] */
	struct blocks first;    /* of the first and the reserved chunk */
	uint64_t first_end;     /* end of the first unit's used part */
	bool first_lost;        /* not all of its blocks are known */
	uint64_t static_bytes;  /* of the static variables in front of it */
	uint64_t first_va, reserved_va; /* the chunks' structs */
};

static struct kml_error *load_layout(struct percpu_load *load)
{
	struct percpu_layout *l = &load->layout;
	const struct kernel_need needs[] = {
		{ "pcpu_chunk", "list", &l->list },
		{ "pcpu_chunk", "base_addr", &l->base_addr },
		{ "pcpu_chunk", "alloc_map", &l->alloc_map },
		{ "pcpu_chunk", "bound_map", &l->bound_map },
		{ "pcpu_chunk", "nr_pages", &l->nr_pages },
		{ "pcpu_chunk", "start_offset", &l->start_offset },
		{ "pcpu_chunk", "end_offset", &l->end_offset },
		{ "pcpu_chunk", "nr_populated", &l->nr_populated },
		{ NULL, NULL, NULL },
	};
	struct kml_error *error = kernel_members(load->kernel, needs);

	if (!error)
		error = kernel_type_size(load->kernel, "pcpu_chunk",
					 &l->chunk_bytes);
	if (!error && l->chunk_bytes > 4096)
		error = error_new(KML_ERR_DEBUGINFO,
				  "struct pcpu_chunk is too large");
	return error;
}

static struct kml_error *read_symbol(struct kernel *kernel, const char *name,
				     unsigned bytes, uint64_t *ret)
{
	uint64_t va;
	struct kml_error *error = kernel_symbol(kernel, name, &va);

	return error ? error : kernel_read_uint(kernel, va, bytes, ret);
}

static struct kml_error *load_globals(struct percpu_load *load)
{
	struct kernel *kernel = load->kernel;
	struct kml_error *error;
	uint64_t offsets_va, static_end;

	error = read_symbol(kernel, "pcpu_base_addr", 8, &load->base_va);
	if (!error)
		error = read_symbol(kernel, "pcpu_unit_size", 4,
				    &load->unit_bytes);
	if (!error)
		error = read_symbol(kernel, "pcpu_unit_offsets", 8, &offsets_va);
	if (!error)
		error = read_symbol(kernel, "pcpu_first_chunk", 8,
				    &load->first_va);
	if (!error)
		error = read_symbol(kernel, "pcpu_reserved_chunk", 8,
				    &load->reserved_va);
	if (!error)
		error = kernel_symbol(kernel, "__per_cpu_end", &static_end);
	if (error)
		return error;
	load->static_bytes = static_end - kernel->percpu_start;
	if (!load->unit_bytes || load->unit_bytes > MAX_UNIT_BYTES ||
	    load->unit_bytes % 4096)
		return error_new(KML_ERR_CORRUPT, "pcpu_unit_size is %" PRIu64,
				 load->unit_bytes);
	load->unit_offsets = calloc(kernel->n_cpus, sizeof(uint64_t));
	if (!load->unit_offsets)
		return error_nomem();
	return image_read_va(kernel->image, offsets_va, load->unit_offsets,
			     kernel->n_cpus * sizeof(uint64_t));
}

/* Does a block begin at a bound, and is all of it allocated? */
static bool is_block(const uint64_t *alloc, const uint64_t *bound, uint64_t i,
		     uint64_t end)
{
	if (!bitmap_test(bound, i))
		return false;
	while (i < end && bitmap_test(alloc, i))
		i++;
	return i == end;
}

/* Blocks of one chunk, out of its two maps. */
static struct kml_error *read_blocks(struct percpu_load *load,
				     const char *chunk, uint64_t shift,
				     struct blocks *blocks)
{
	const struct percpu_layout *l = &load->layout;
	uint64_t bits = kernel_get(chunk, &l->nr_pages) * 4096 / MIN_ALLOC_BYTES;
	uint64_t start = kernel_get(chunk, &l->start_offset) / MIN_ALLOC_BYTES;
	uint64_t behind = kernel_get(chunk, &l->end_offset) / MIN_ALLOC_BYTES;
	uint64_t end = bits - MIN(bits, behind);
	_cleanup_free_ uint64_t *alloc = NULL, *bound = NULL;
	size_t n_before = blocks->v.size;
	struct kml_error *error;
	uint64_t i, next;

	if (!bits || bits > MAX_UNIT_BYTES / MIN_ALLOC_BYTES || start > bits ||
	    behind > bits - start)
		return error_new(KML_ERR_CORRUPT,
				 "a per-cpu chunk of %" PRIu64 " bits, from %" PRIu64 " on and without the last %" PRIu64,
				 bits, start, behind);
	alloc = bitmap_alloc(bits);
	bound = bitmap_alloc(bits + 1);
	if (!alloc || !bound)
		return error_nomem();
	error = image_read_va(load->kernel->image,
			      kernel_get(chunk, &l->alloc_map), alloc, bits / 8);
	if (!error)
		error = image_read_va(load->kernel->image,
				      kernel_get(chunk, &l->bound_map), bound,
				      bits / 8);
	for (i = bitmap_next(alloc, end, start); !error && i < end;
	     i = bitmap_next(alloc, end, next)) {
		struct heap_block block;

		next = bitmap_next(bound, end, i + 1);
		if (!is_block(alloc, bound, i, next)) {
			error = error_new(KML_ERR_CORRUPT,
					  "the maps of a per-cpu chunk contradict each other");
			break;
		}
		block.offset = (uint32_t)(shift + i * MIN_ALLOC_BYTES);
		block.bytes = (uint32_t)((next - i) * MIN_ALLOC_BYTES);
		if (!vec_push(&blocks->v, block))
			error = error_nomem();
	}
	if (error)
		blocks->v.size = n_before;
	return error;
}

static void map_unit_page(void *arg, uint64_t va, uint64_t pa, uint64_t bytes)
{
	struct unit_map *map = arg;

	if (!map->error)
		map->error = kernel_map_pages(map->kernel, map->region,
					      map->start_va, va, pa, bytes);
}

/* Add one CPU's unit: an alias of the chunk's objects at real addresses. */
static struct kml_error *add_unit(struct percpu_load *load,
				  const struct heap_region *chunk, uint64_t va)
{
	struct kernel *kernel = load->kernel;
	struct heap_region region = *chunk;
	struct unit_map map = { .kernel = kernel, .start_va = va };
	struct image_walk walk = { .page = map_unit_page, .arg = &map };
	struct kml_error *error;
	uint64_t missing = 0;

	region.va = va;
	region.flags |= HEAP_ALIAS;
	error = heap_add(kernel->heap, &region, &map.region);
	if (error)
		return error;
	if (kernel_is_direct(kernel, va)) {
		map_unit_page(&map, va, va - kernel->direct_va,
			      align_up(region.bytes, 4096));
	} else {
		error = image_walk_tables(kernel->image, 0, va,
					  va + region.bytes, &walk, &missing);
		if (missing)
			kernel_gap(kernel, "page tables of per-cpu chunks", va,
				   true);
	}
	if (!error)
		return map.error;
	kml_error_destroy(map.error);
	return error;
}

/*
 * Add a chunk whose units start at @unit0_va + unit_offsets[cpu].  A per-cpu
 * pointer is the address in the first chunk's unit 0, less pcpu_base_addr,
 * plus __per_cpu_start (__addr_to_pcpu_ptr() of mm/percpu.c).
 */
static struct kml_error *add_chunk(struct percpu_load *load, uint64_t unit0_va,
				   uint64_t bytes, struct heap_block *blocks,
				   size_t n_blocks)
{
	struct kernel *kernel = load->kernel;
	struct heap_chunk chunk = { blocks, (uint32_t)n_blocks };
	struct heap_region region = {
		.va = unit0_va - load->base_va + kernel->percpu_start,
		.bytes = bytes,
		.n_objects = (uint32_t)n_blocks,
		.owner = (uint32_t)kernel->heap->chunks.size,
		.kind = HEAP_PERCPU,
	};
	struct kml_error *error;
	unsigned cpu;
	uint32_t index;

	if (!vec_push(&kernel->heap->chunks, chunk)) {
		free(blocks);
		return error_nomem();
	}
	error = heap_add(kernel->heap, &region, &index);
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		if (kernel->cpu_offset[cpu])
			error = add_unit(load, &region,
					 unit0_va + load->unit_offsets[cpu]);
	}
	kernel->percpu_chunks++;
	return error;
}

static struct kml_error *read_chunk(struct percpu_load *load, uint64_t va,
				    char *buf)
{
	return image_read_va(load->kernel->image, va, buf,
			     load->layout.chunk_bytes);
}

/* Where its struct is, for what the kernel keeps of its blocks there. */
static struct kml_error *note_chunk(struct percpu_load *load, uint64_t va,
				    const char *chunk, uint64_t base)
{
	struct kernel *kernel = load->kernel;
	const struct percpu_layout *l = &load->layout;
	const struct kernel_pcpu_chunk note = {
		.va = va,
		.base = base,
		.start = base + kernel_get(chunk, &l->start_offset),
		.end = base + kernel_get(chunk, &l->nr_pages) * 4096 -
		       kernel_get(chunk, &l->end_offset),
		.owner = (uint32_t)kernel->heap->chunks.size,
	};

	return vec_push(&kernel->pcpu_chunks, note) ? NULL : error_nomem();
}

/* The first or the reserved chunk, into load->first. */
static struct kml_error *read_first(struct percpu_load *load, uint64_t va)
{
	const struct percpu_layout *l = &load->layout;
	char buf[4096];
	struct kml_error *error;
	uint64_t shift, end;

	error = read_chunk(load, va, buf);
	if (error)
		return error;
	shift = kernel_get(buf, &l->base_addr) - load->base_va;
	end = shift + kernel_get(buf, &l->nr_pages) * 4096;
	if (shift >= load->unit_bytes || shift % 4096 || end > load->unit_bytes)
		return error_at(KML_ERR_CORRUPT, va,
				"the first per-cpu chunk lies outside of its unit");
	load->first_end = MAX(load->first_end, end);
	error = note_chunk(load, va, buf, shift);
	if (error)
		return error;
	return read_blocks(load, buf, shift, &load->first);
}

/* Without it the first units hold what they do all the same: all that they may
 * have is a root then. */
static struct kml_error *load_first(struct percpu_load *load, uint64_t va)
{
	struct kml_error *error = va ? read_first(load, va) : NULL;

	load->first_lost |= error != NULL;
	return kernel_forgive(load->kernel, error, "per-cpu chunks", va);
}

static int compare_blocks(const void *a, const void *b)
{
	const struct heap_block *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* A chunk's base_addr is the address of its first block on CPU 0: that the
 * allocator knows it does not hold the block. */
static struct kml_error *add_rule(struct percpu_load *load, uint64_t va)
{
	const struct profile_member *base = &load->layout.base_addr;
	const struct kernel_rule rule = {
		.kind = SCAN_SKIP_RANGE,
		.skip_start = (uint32_t)base->offset,
		.skip_end = (uint32_t)(base->offset + 8),
	};

	kernel_cite(load->kernel, BUILTIN_PERCPU_BASE);
	return kernel_add_rule(load->kernel, va, rule);
}

static struct kml_error *load_chunk(struct kernel *kernel, void *arg,
				    uint64_t node_va)
{
	struct percpu_load *load = arg;
	const struct percpu_layout *l = &load->layout;
	uint64_t va = node_va - l->list.offset, bytes;
	struct blocks blocks = { { 0 } };
	char buf[4096];
	struct kml_error *error;

	if (va == load->first_va || va == load->reserved_va)
		return NULL;
	error = add_rule(load, va);
	if (error)
		return error;
	error = read_chunk(load, va, buf);
	if (!error)
		error = read_blocks(load, buf, 0, &blocks);
	if (!error)
		error = note_chunk(load, va, buf, 0);
	if (!error) {
		bytes = kernel_get(buf, &l->nr_pages) * 4096;
		error = add_chunk(load, kernel_get(buf, &l->base_addr), bytes,
				  blocks.v.data, blocks.v.size);
		kernel->percpu_populated_pages +=
			kernel_get(buf, &l->nr_populated);
	} else {
		vec_deinit(&blocks.v);
	}
	return kernel_forgive(kernel, error, "per-cpu chunks", va);
}

/* Static variables of each CPU: roots. */
static struct kml_error *add_static_roots(struct percpu_load *load)
{
	struct kernel *kernel = load->kernel;
	unsigned cpu;

	for (cpu = 0; cpu < kernel->n_cpus; cpu++) {
		struct kernel_root *root;

		if (!kernel->cpu_offset[cpu])
			continue;
		root = vec_add(&kernel->roots);
		if (!root)
			return error_nomem();
		root->kind = ROOT_PERCPU;
		root->owner = cpu;
		root->start_va = load->base_va + load->unit_offsets[cpu];
		root->start_pa = root->start_va - kernel->direct_va;
		root->bytes = load->first_lost ? load->unit_bytes :
						 load->static_bytes;
		snprintf(root->name, sizeof(root->name), "per-cpu area %u", cpu);
	}
	return NULL;
}

/*
 * Per-cpu pointers of the first chunk start at __per_cpu_start, which is 0 or,
 * since Linux 6.15 (9d7de2aa8b41), an address of the kernel image; those of
 * other chunks are as far from there as the chunk is from the first one.
 */
static struct kml_error *init_cookies(struct percpu_load *load)
{
	struct kernel *kernel = load->kernel;
	uint64_t shift = kernel->percpu_start - load->base_va;
	struct kml_error *error;

	error = heap_init_radix(&kernel->heap->percpu_first,
				kernel->percpu_start,
				kernel->percpu_start + load->unit_bytes);
	if (!error)
		error = heap_init_radix(&kernel->heap->percpu,
					kernel->vmalloc_va + shift,
					kernel->vmalloc_end_va + shift);
	return error;
}

static struct kml_error *load_slots(struct percpu_load *load)
{
	struct kernel *kernel = load->kernel;
	struct kml_error *error;
	uint64_t slots, n_slots, i;
	int64_t types;

	/* pcpu_slot was pcpu_chunk_lists in Linux 5.10 to 5.13 */
	error = read_symbol(kernel, "pcpu_nr_slots", 4, &n_slots);
	if (!error)
		error = read_symbol(kernel,
				    kernel_has_symbol(kernel, "pcpu_chunk_lists",
						      &slots) ?
					    "pcpu_chunk_lists" :
					    "pcpu_slot",
				    8, &slots);
	/* Chunks that are charged to memory cgroups had slots of their own from
	 * Linux 5.9 to 5.13 (3c7be18ac9a0, faf65dde844a). */
	if (!error && profile_enumerator(kernel->profile,
					 "PCPU_NR_CHUNK_TYPES", &types) &&
	    types > 0 && types < 16)
		n_slots *= (uint64_t)types;
	if (!error && n_slots > 4096)
		error = error_new(KML_ERR_CORRUPT, "pcpu_nr_slots is %" PRIu64,
				  n_slots);
	for (i = 0; !error && i < n_slots; i++)
		error = kernel_walk_list(kernel, slots + i * 16, MAX_CHUNKS,
					 "torn list of per-cpu chunks",
					 load_chunk, load);
	return error;
}

struct kml_error *kernel_load_percpu(struct kernel *kernel)
{
	struct percpu_load load = { .kernel = kernel };
	struct kml_error *error;

	error = load_layout(&load);
	if (!error)
		error = load_globals(&load);
	if (!error)
		error = init_cookies(&load);
	if (!error)
		error = load_first(&load, load.reserved_va);
	if (!error)
		error = load_first(&load, load.first_va);
	load.first_end = MAX(load.first_end, align_up(load.static_bytes, 4096));
	if (!error && load.first.v.size)
		qsort(load.first.v.data, load.first.v.size,
		      sizeof(*load.first.v.data), compare_blocks);
	if (!error) {
		struct heap_block *blocks = take_ptr(load.first.v.data);

		/* All of the first unit, static variables included. */
		kernel->percpu_populated_pages += load.first_end / 4096;
		error = add_chunk(&load, load.base_va, load.first_end, blocks,
				  load.first.v.size);
		load.first_lost |= error != NULL;
		error = kernel_forgive(kernel, error, "per-cpu chunks",
				       load.first_va);
	}
	if (!error)
		error = add_static_roots(&load);
	if (!error)
		error = load_slots(&load);
	kernel->percpu_units_bytes = load.unit_bytes;
	free(load.unit_offsets);
	free(load.first.v.data);
	return error;
}
