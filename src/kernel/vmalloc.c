// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmalloc areas.  The kernel describes each by a struct vmap_area (address
 * range, in a tree and a list) and mostly a struct vm_struct (what it is).
 *
 * Both point at the area and are reachable from the kernel's own lists, so
 * they would keep every area alive: the words va_start, va_end and vm of a
 * vmap_area are not scanned, be it busy, free or waiting to be purged.  (Free
 * neighbours have a va_end that equals an area's start.)  In return an area
 * holds its vm_struct, and a vm_struct holds its area by its own addr: where
 * somebody keeps the vm_struct instead of the address, as the cache of task
 * stacks does, the area lives.
 */
#include "kernel/kernel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define MAX_AREAS (UINT64_C(1) << 26)
#define MAX_NODES UINT64_C(4096)
/* lazy_max_pages() of mm/vmalloc.c has the kernel purge them long before */
#define MAX_PURGED (UINT64_C(1) << 20)

/* vm_struct.flags, linux/vmalloc.h; macros, hence not in DWARF */
#define VM_IOREMAP 0x1u
#define VM_ALLOC 0x2u
#define VM_MAP 0x4u
#define VM_NO_GUARD 0x40u

struct vmalloc_layout {
	struct profile_member list, va_start, va_end, vm;
	struct profile_member vm_addr, vm_size, vm_flags, vm_pages, vm_nr_pages,
		vm_caller, vm_phys_addr, vm_requested;
	uint64_t area_bytes, vm_bytes;
	bool has_requested;
};

struct vmalloc_load {
	struct vmalloc_layout layout;
	bool busy; /* the list being walked holds busy areas */
};

static struct kml_error *load_layout(struct kernel *kernel,
				     struct vmalloc_layout *l)
{
	const struct kernel_need needs[] = {
		{ "vmap_area", "list", &l->list },
		{ "vmap_area", "va_start", &l->va_start },
		{ "vmap_area", "va_end", &l->va_end },
		{ "vmap_area", "vm", &l->vm },
		{ "vm_struct", "addr", &l->vm_addr },
		{ "vm_struct", "size", &l->vm_size },
		{ "vm_struct", "flags", &l->vm_flags },
		{ "vm_struct", "pages", &l->vm_pages },
		{ "vm_struct", "nr_pages", &l->vm_nr_pages },
		{ "vm_struct", "caller", &l->vm_caller },
		{ "vm_struct", "phys_addr", &l->vm_phys_addr },
		{ NULL, NULL, NULL },
	};
	struct kml_error *error = kernel_members(kernel, needs);

	l->has_requested = profile_member(kernel->profile, "vm_struct",
					  "requested_size", &l->vm_requested);
	if (!error)
		error = kernel_type_size(kernel, "vmap_area", &l->area_bytes);
	if (!error)
		error = kernel_type_size(kernel, "vm_struct", &l->vm_bytes);
	if (!error && (l->area_bytes > 1024 || l->vm_bytes > 1024))
		error = error_new(KML_ERR_DEBUGINFO,
				  "struct vmap_area or vm_struct is too large");
	return error;
}

/* Nor does the vm_struct of a per-cpu chunk hold the chunk's first block. */
static struct kml_error *add_vm_rule(struct kernel *kernel,
				     const struct vmalloc_layout *l,
				     uint64_t vm_va)
{
	kernel_cite(kernel, BUILTIN_VM_STRUCT);
	return kernel_add_rule(kernel, vm_va,
			       (struct kernel_rule){
				       .kind = SCAN_SKIP_RANGE,
				       .skip_start = (uint32_t)l->vm_addr.offset,
				       .skip_end = (uint32_t)l->vm_addr.offset + 8,
			       });
}

/* Do not follow what a vmap_area says about its own range. */
static struct kml_error *add_rule(struct kernel *kernel,
				  const struct vmalloc_layout *l,
				  uint64_t area_va)
{
	kernel_cite(kernel, BUILTIN_VMAP_AREA);
	return kernel_add_rule(kernel, area_va,
			       (struct kernel_rule){
				       .kind = SCAN_SKIP_RANGE,
				       .skip_start = (uint32_t)l->va_start.offset,
				       .skip_end = (uint32_t)l->va_end.offset + 8,
				       .skip2_start = (uint32_t)l->vm.offset,
				       .skip2_end = (uint32_t)l->vm.offset + 8,
			       });
}

static struct kml_error *read_vm(struct kernel *kernel,
				 const struct vmalloc_layout *l,
				 struct kernel_area *area, uint64_t *bytes)
{
	char vm[1024];
	struct kml_error *error;
	uint64_t size;

	error = image_read_va(kernel->image, area->vm_va, vm, l->vm_bytes);
	if (error)
		return error;
	area->flags = kernel_get(vm, &l->vm_flags);
	area->caller = kernel_get(vm, &l->vm_caller);
	area->phys_pa = kernel_get(vm, &l->vm_phys_addr);
	area->pages_va = kernel_get(vm, &l->vm_pages);
	area->n_pages = (uint32_t)kernel_get(vm, &l->vm_nr_pages);
	size = kernel_get(vm, &l->vm_size);
	if (l->has_requested)
		area->requested = kernel_get(vm, &l->vm_requested);
	if (kernel_get(vm, &l->vm_addr) != area->start_va ||
	    size > area->end_va - area->start_va)
		return error_at(KML_ERR_CORRUPT, area->vm_va,
				"vm_struct and vmap_area differ");
	*bytes = size;
	if (!(area->flags & VM_NO_GUARD) && size > 4096)
		*bytes -= 4096;
	return NULL;
}

static enum heap_kind area_kind(const struct kernel_area *area)
{
	if (area->flags & VM_IOREMAP)
		return HEAP_IOREMAP;
	return area->flags & VM_ALLOC ? HEAP_VMALLOC : HEAP_VMAP;
}

static struct kml_error *add_area(struct kernel *kernel,
				  const struct vmalloc_layout *l,
				  struct kernel_area *area, uint64_t bytes)
{
	struct heap_region region = {
		.va = area->start_va,
		.bytes = bytes,
		.object_bytes = bytes,
		.n_objects = 1,
		.owner = (uint32_t)kernel->areas.size,
		.kind = (uint8_t)area_kind(area),
	};
	uint32_t index = heap_find_region(kernel->heap, area->start_va);
	struct kml_error *error = NULL;
	enum heap_reference how;

	struct kernel_rule slack = {
		.kind = SCAN_HEAD,
		.skip_start = (uint32_t)area->requested,
	};

	area->region = HEAP_NONE;
	if (region.kind != HEAP_VMALLOC) {
		kernel_cite(kernel, BUILTIN_MAPPINGS);
		region.flags |= HEAP_NO_SCAN;
	}
	/* vm_map_ram(): found by its address alone, in vmap_blocks */
	if (!area->vm_va) {
		kernel_cite(kernel, BUILTIN_VM_MAP_RAM);
		region.flags |= HEAP_ROOT;
	}
	/* A per-cpu chunk's area is no object of its own. */
	if (index != HEAP_NONE && area->vm_va) {
		error = add_vm_rule(kernel, l, area->vm_va);
	} else if (index == HEAP_NONE) {
		error = heap_add(kernel->heap, &region, &area->region);
		if (error)
			error = kernel_forgive(kernel, error, "vmalloc areas",
					       area->start_va);
	}
	if (!error && !vec_push(&kernel->areas, *area))
		error = error_nomem();
	if (!error && area->region != HEAP_NONE &&
	    region.kind == HEAP_VMALLOC && area->requested &&
	    area->requested < MIN(bytes, UINT32_MAX)) {
		slack.id = region.first_id;
		kernel_cite(kernel, BUILTIN_VMALLOC_SLACK);
		if (!vec_push(&kernel->rules, slack))
			error = error_nomem();
	}
	if (!error && area->region != HEAP_NONE && area->vm_va) {
		struct kernel_edge edge = {
			.from = region.first_id,
			.to = heap_resolve(kernel->heap, area->vm_va, &how),
		};

		kernel_cite(kernel, BUILTIN_VM_STRUCT_OF_AREA);
		if (edge.to != HEAP_NONE && !vec_push(&kernel->edges, edge))
			error = error_nomem();
	}
	return error;
}

static struct kml_error *load_area(struct kernel *kernel, void *arg,
				   uint64_t node_va)
{
	struct vmalloc_load *load = arg;
	const struct vmalloc_layout *l = &load->layout;
	struct kernel_area area = { .area_va = node_va - l->list.offset };
	char buf[1024];
	struct kml_error *error;
	uint64_t bytes;

	error = add_rule(kernel, l, area.area_va);
	if (error || !load->busy)
		return error;
	error = image_read_va(kernel->image, area.area_va, buf, l->area_bytes);
	if (error)
		return kernel_forgive(kernel, error, "vmalloc areas",
				      area.area_va);
	area.start_va = kernel_get(buf, &l->va_start);
	area.end_va = kernel_get(buf, &l->va_end);
	area.vm_va = kernel_get(buf, &l->vm);
	if (area.end_va <= area.start_va ||
	    area.end_va - area.start_va > UINT64_C(1) << 46) {
		kernel_gap(kernel, "vmalloc areas", area.area_va, true);
		return NULL;
	}
	bytes = area.end_va - area.start_va;
	if (area.vm_va) {
		error = read_vm(kernel, l, &area, &bytes);
		if (error)
			return kernel_forgive(kernel, error, "vmalloc areas",
					      area.vm_va);
	}
	return add_area(kernel, l, &area, bytes);
}

static struct kml_error *walk_areas(struct kernel *kernel,
				    struct vmalloc_load *load,
				    const char *symbol, bool busy)
{
	uint64_t head;

	load->busy = busy;
	if (!kernel_has_symbol(kernel, symbol, &head))
		return busy ? error_new(KML_ERR_UNSUPPORTED,
					"this kernel keeps its vmalloc areas in a way that is not handled (no '%s')",
					symbol) :
			      NULL;
	return kernel_walk_list(kernel, head, MAX_AREAS,
				"torn list of vmalloc areas", load_area, load);
}

struct area_map {
	struct kernel *kernel;
	const struct heap_region *region;
	uint32_t index; /* of the region */
	struct kml_error *error;
};

/* Pages of vmalloc() belong to their area. */
static void map_page(void *arg, uint64_t va, uint64_t pa, uint64_t bytes)
{
	struct area_map *map = arg;

	if (!map->error)
		map->error = kernel_map_pages(map->kernel, map->index,
					      map->region->va, va, pa, bytes);
}

/* Pages of vmap() are their owner's; the mapping holds them. */
static void hold_page(void *arg, uint64_t va, uint64_t pa, uint64_t bytes)
{
	struct area_map *map = arg;
	uint64_t done;

	(void)va;
	for (done = 0; done < bytes; done += 4096) {
		uint32_t index = heap_pfn_region(map->kernel->heap,
						 (pa + done) >> 12);
		struct kernel_edge edge = { .from = map->region->first_id };

		if (index == HEAP_NONE ||
		    map->kernel->heap->regions.data[index].kind != HEAP_PAGES)
			continue;
		/* Page tables may lie. */
		if (map->kernel->edges.size >= 8 * map->kernel->end_pfn) {
			kernel_gap(map->kernel, "pages that are mapped too often",
				   pa, true);
			return;
		}
		edge.to = map->kernel->heap->regions.data[index].first_id;
		kernel_cite(map->kernel, BUILTIN_VMAP_PAGES);
		if (!map->error && !vec_push(&map->kernel->edges, edge))
			map->error = error_nomem();
	}
}

/* Walk the page tables of all areas of one kind. */
static struct kml_error *
walk_mappings(struct kernel *kernel, enum heap_kind kind,
	      void (*page)(void *arg, uint64_t va, uint64_t pa, uint64_t bytes))
{
	struct area_map map = { .kernel = kernel };
	struct image_walk walk = { .page = page, .arg = &map };
	struct kml_error *error = NULL;
	size_t i;

	for (i = 0; !error && i < kernel->areas.size; i++) {
		uint64_t missing = 0;

		map.index = kernel->areas.data[i].region;
		if (map.index == HEAP_NONE)
			continue;
		map.region = &kernel->heap->regions.data[map.index];
		if (map.region->kind != kind)
			continue;
		error = image_walk_tables(kernel->image, 0, map.region->va,
					  map.region->va + map.region->bytes,
					  &walk, &missing);
		if (!error)
			error = take_ptr(map.error);
		if (missing)
			kernel_gap(kernel, "page tables of vmalloc areas",
				   map.region->va, true);
	}
	kml_error_destroy(map.error);
	return error;
}

static int compare_areas(const void *a, const void *b)
{
	const struct kernel_area *x = a, *y = b;

	return (x->start_va > y->start_va) - (x->start_va < y->start_va);
}

static void sort_areas(struct kernel *kernel)
{
	size_t i;

	if (!kernel->areas.size)
		return;
	qsort(kernel->areas.data, kernel->areas.size,
	      sizeof(*kernel->areas.data), compare_areas);
	for (i = 0; i < kernel->areas.size; i++) {
		uint32_t region = kernel->areas.data[i].region;

		if (region != HEAP_NONE)
			kernel->heap->regions.data[region].owner = (uint32_t)i;
	}
}

struct kernel_area *kernel_find_area(const struct kernel *kernel, uint64_t va)
{
	size_t lo = partition_point(kernel->areas.size, mid,
				    kernel->areas.data[mid].start_va <= va);

	if (!lo || va >= kernel->areas.data[lo - 1].end_va)
		return NULL;
	return &kernel->areas.data[lo - 1];
}

/* Busy and lazily freed areas are kept by node since Linux 6.9
 * (d093602919ad), in one list each before. */
struct node_table {
	uint64_t va, n, bytes; /* bytes: of one node */
};

static struct kml_error *load_nodes(struct kernel *kernel, uint64_t symbol,
				    struct node_table *ret)
{
	struct kml_error *error;
	uint64_t va;

	error = kernel_type_size(kernel, "vmap_node", &ret->bytes);
	if (!error)
		error = kernel_read_u64(kernel, symbol, &ret->va);
	if (!error)
		error = kernel_symbol(kernel, "nr_vmap_nodes", &va);
	if (!error)
		error = kernel_read_uint(kernel, va, 4, &ret->n);
	if (!error && ret->n > MAX_NODES)
		error = error_at(KML_ERR_CORRUPT, va,
				 "nr_vmap_nodes is %" PRIu64, ret->n);
	return error;
}

/* Walk one list of each node. */
static struct kml_error *walk_node_lists(struct kernel *kernel,
					 struct vmalloc_load *load,
					 const struct node_table *nodes,
					 uint64_t offset)
{
	struct kml_error *error = NULL;
	uint64_t i;

	for (i = 0; !error && i < nodes->n; i++)
		error = kernel_walk_list(kernel,
					 nodes->va + i * nodes->bytes + offset,
					 MAX_AREAS, "torn list of vmalloc areas",
					 load_area, load);
	return error;
}

static struct kml_error *walk_nodes(struct kernel *kernel,
				    struct vmalloc_load *load, uint64_t symbol)
{
	struct profile_member busy, lazy, purge, pools, head;
	const struct kernel_need needs[] = {
		{ "vmap_node", "busy.head", &busy },
		{ "vmap_node", "lazy.head", &lazy },
		{ "vmap_node", "purge_list", &purge },
		{ "vmap_node", "pool", &pools },
		{ "vmap_pool", "head", &head },
		{ NULL, NULL, NULL },
	};
	struct kml_error *error = kernel_members(kernel, needs);
	struct node_table nodes;
	uint64_t pool_bytes, i;

	if (!error)
		error = kernel_type_size(kernel, "vmap_pool", &pool_bytes);
	if (!error)
		error = load_nodes(kernel, symbol, &nodes);
	load->busy = true;
	if (!error)
		error = walk_node_lists(kernel, load, &nodes, busy.offset);
	load->busy = false;
	if (!error)
		error = walk_node_lists(kernel, load, &nodes, lazy.offset);
	if (!error)
		error = walk_node_lists(kernel, load, &nodes, purge.offset);
	/* Each node also keeps areas of each size for the next time. */
	for (i = 0; !error && i < pools.count; i++)
		error = walk_node_lists(kernel, load, &nodes,
					pools.offset + i * pool_bytes +
						head.offset);
	return error;
}

/* Pages of areas that are not known: nobody's leak, and all they refer to. */
static void keep_page(void *arg, uint64_t va, uint64_t pa, uint64_t bytes)
{
	struct kernel *kernel = arg;
	uint64_t done;

	(void)va;
	for (done = 0; done < bytes; done += 4096) {
		uint32_t index = heap_pfn_region(kernel->heap, (pa + done) >> 12);
		struct heap_region *region;

		if (index == HEAP_NONE)
			continue;
		region = &kernel->heap->regions.data[index];
		if (region->kind == HEAP_PAGES)
			region->flags |= HEAP_ROOT;
	}
}

/* Where the areas are not all known, the page tables are. */
static struct kml_error *keep_mapped(struct kernel *kernel)
{
	const struct image_walk walk = { .page = keep_page, .arg = kernel };
	struct kml_error *error;
	uint64_t missing = 0;

	error = image_walk_tables(kernel->image, 0, kernel->vmalloc_va,
				  kernel->vmalloc_end_va, &walk, &missing);
	if (!error)
		error = image_walk_tables(kernel->image, 0, kernel->modules_va,
					  kernel->modules_end_va, &walk,
					  &missing);
	return error;
}

/*
 * Areas that have been freed and are still mapped: until Linux 5.11
 * (96e2db456135) on a list of single links, in the place of the vm_struct.
 */
static struct kml_error *hide_purged_areas(struct kernel *kernel,
					   const struct vmalloc_layout *l)
{
	struct kernel_rule rule = {
		.kind = SCAN_SKIP_RANGE,
		.skip_start = (uint32_t)l->va_start.offset,
		.skip_end = (uint32_t)l->va_end.offset + 8,
	};
	struct profile_member link;
	struct kml_error *error;
	uint64_t head, va, n;

	if (!kernel_has_symbol(kernel, "vmap_purge_list", &head) ||
	    !profile_member(kernel->profile, "vmap_area", "purge_list", &link))
		return NULL;
	error = kernel_read_u64(kernel, head, &va);
	for (n = 0; !error && va && n < MAX_PURGED; n++) {
		kernel_cite(kernel, BUILTIN_VMAP_AREA);
		error = kernel_add_rule(kernel, va - link.offset, rule);
		if (!error)
			error = kernel_read_u64(kernel, va, &va);
	}
	return kernel_forgive(kernel, error, "freed vmalloc areas", head);
}

/* A CPU's spare vmap_area, with what the last area that it was had in it. */
static struct kml_error *hide_spare_areas(struct kernel *kernel,
					  const struct vmalloc_layout *l)
{
	struct kml_error *error = NULL;
	uint64_t variable, va;
	unsigned cpu;

	if (!kernel_has_symbol(kernel, "ne_fit_preload_node", &variable))
		return NULL;
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		if (!kernel->cpu_offset[cpu])
			continue;
		error = kernel_read_u64(kernel,
					variable + kernel->cpu_offset[cpu], &va);
		if (!error && va)
			error = add_rule(kernel, l, va);
		error = kernel_forgive(kernel, error, "spare vmap_areas",
				       variable);
	}
	return error;
}

struct kml_error *kernel_load_vmalloc(struct kernel *kernel)
{
	uint64_t n_gaps = kernel_count_gaps(kernel);
	struct vmalloc_load load;
	struct kml_error *error;
	uint64_t nodes;

	error = load_layout(kernel, &load.layout);
	if (!error && kernel_has_symbol(kernel, "vmap_nodes", &nodes)) {
		error = walk_nodes(kernel, &load, nodes);
	} else if (!error) {
		error = walk_areas(kernel, &load, "vmap_area_list", true);
		if (!error)
			error = walk_areas(kernel, &load,
					   "purge_vmap_area_list", false);
	}
	if (!error)
		error = walk_areas(kernel, &load, "free_vmap_area_list", false);
	if (!error)
		error = hide_spare_areas(kernel, &load.layout);
	if (!error)
		error = hide_purged_areas(kernel, &load.layout);
	if (error)
		return error;
	kernel->areas_torn = kernel_count_gaps(kernel) != n_gaps;
	sort_areas(kernel);
	return walk_mappings(kernel, HEAP_VMALLOC, map_page);
}

struct kml_error *kernel_load_vmaps(struct kernel *kernel)
{
	struct kml_error *error = walk_mappings(kernel, HEAP_VMAP, hold_page);

	return error || !kernel->areas_torn ? error : keep_mapped(kernel);
}
