// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sheaves (2d517aa09bbc, since Linux 6.18): arrays of free objects that stand
 * in front of the slabs.  Each CPU has a main and a spare one and one that
 * collects objects for kfree_rcu(); each node has a barn of full and empty
 * ones.  For their slabs the objects are in use.
 *
 * A sheaf is kmalloc()ed, and slots at and beyond its size keep what was in
 * them: scanned as any other object it would hold what has been given away
 * since.  Only its header is.
 */
#include "kernel/kernel.h"

#include "base/util.h"
#include "kernel/waiting.h"

#define MAX_SHEAVES (UINT64_C(1) << 24)
#define MAX_SHEAF_OBJECTS 4096u

struct sheaf_layout {
	struct profile_member cpu_sheaves, main, spare, rcu_free;
	struct profile_member size, objects, barn_list, rcu_head, cache;
	struct profile_member full, empty;
	struct kernel_nodes nodes;
	struct profile_member barn; /* in a kmem_cache_node, if not in nodes */
	bool has_rcu_free, has_cache;
	uint64_t objects_left; /* that can be in sheaves yet: all are objects
				  of slabs */
};

struct sheaf_load {
	struct sheaf_layout layout;
	bool full; /* the list being walked holds full sheaves... */
	uint64_t cache_va; /* ... of this cache */
	uint64_t rcu_function; /* rcu_free_sheaf(), or 0 */
};

static struct kml_error *load_layout(struct kernel *kernel,
				     struct sheaf_layout *l)
{
	const struct kernel_need needs[] = {
		{ "slub_percpu_sheaves", "main", &l->main },
		{ "slub_percpu_sheaves", "spare", &l->spare },
		{ "slab_sheaf", "size", &l->size },
		{ "slab_sheaf", "objects", &l->objects },
		{ "slab_sheaf", "barn_list", &l->barn_list },
		{ "node_barn", "sheaves_full", &l->full },
		{ "node_barn", "sheaves_empty", &l->empty },
		{ NULL, NULL, NULL },
	};
	struct kml_error *error = kernel_members(kernel, needs);

	if (!error)
		error = kernel_load_slab_nodes(kernel, &l->nodes);
	if (!error && !l->nodes.has_barn &&
	    !profile_member(kernel->profile, "kmem_cache_node", "barn", &l->barn))
		error = error_new(KML_ERR_UNSUPPORTED,
				  "this kernel keeps its barns of sheaves in a way that is not handled");
	l->has_rcu_free = profile_member(kernel->profile, "slub_percpu_sheaves",
					 "rcu_free", &l->rcu_free);
	l->has_cache = profile_member(kernel->profile, "slab_sheaf", "cache",
				      &l->cache);
	return error;
}

static struct kml_error *add_rule(struct kernel *kernel,
				  const struct sheaf_layout *l, uint64_t va)
{
	const struct kernel_rule rule = {
		.kind = SCAN_HEAD,
		.skip_start = (uint32_t)l->objects.offset,
	};

	kernel_cite(kernel, BUILTIN_SHEAF_SLOTS);
	return kernel_add_rule(kernel, va, rule);
}

/* The object of @cache_va's that starts at @va, or HEAP_NONE. */
static uint32_t find_object(const struct kernel *kernel, uint64_t va,
			    uint64_t cache_va)
{
	enum heap_reference how;
	uint32_t id = heap_resolve(kernel->heap, va, &how);
	const struct heap_region *r;

	if (id == HEAP_NONE || how != HEAP_REF_ADDRESS ||
	    heap_object_va(kernel->heap, id) != va)
		return HEAP_NONE;
	r = heap_region_of(kernel->heap, id);
	return r->kind == HEAP_SLAB &&
			       kernel->caches.data[r->owner].va == cache_va ?
		       id :
		       HEAP_NONE;
}

/*
 * Make ids of the addresses of a sheaf's objects.  False if the sheaf is not of
 * the cache, or one of them is not: then its size or what led there is wrong,
 * objects in use would be taken for free, and all that they hold would look
 * leaked.  (bootstrap_sheaf, a variable, is empty, and of none.)
 */
static bool find_objects(const struct kernel *kernel, uint64_t va,
			 uint64_t *objects, uint64_t n, uint64_t owner_va,
			 uint64_t cache_va)
{
	uint64_t i;

	if (owner_va != cache_va && (owner_va || n || va < kernel->image_va))
		return false;
	for (i = 0; i < n; i++) {
		objects[i] = find_object(kernel, objects[i], cache_va);
		if (objects[i] == HEAP_NONE)
			return false;
	}
	return true;
}

/* Mark the objects of one sheaf as free; @waiting: for RCU.  @cache_va: of the
 * cache that it is found in; 0: what the sheaf says. */
static struct kml_error *load_sheaf(struct kernel *kernel,
				    struct sheaf_layout *l, uint64_t va,
				    uint64_t cache_va, bool waiting)
{
	uint64_t objects[MAX_SHEAF_OBJECTS], n, i, owner_va = cache_va;
	struct kml_error *error;

	if (!va)
		return NULL;
	error = add_rule(kernel, l, va);
	if (!error)
		error = kernel_read_uint(kernel, va + l->size.offset, 4, &n);
	if (!error && l->has_cache)
		error = kernel_read_u64(kernel, va + l->cache.offset, &owner_va);
	if (!error && n > MIN(l->objects_left, MAX_SHEAF_OBJECTS))
		error = error_at(KML_ERR_CORRUPT, va, "a sheaf of %u objects",
				 (unsigned)n);
	if (!error)
		error = image_read_va(kernel->image, va + l->objects.offset,
				      objects, n * 8);
	if (error)
		return kernel_forgive(kernel, error, "sheaves", va);
	l->objects_left -= n;
	if (!cache_va)
		cache_va = owner_va;
	if (!find_objects(kernel, va, objects, n, owner_va, cache_va)) {
		kernel_gap(kernel, "sheaves that are not of their cache", va,
			   true);
		return NULL;
	}
	for (i = 0; i < n; i++) {
		bitmap_set(kernel->heap->free, objects[i]);
		bitmap_set(waiting ? kernel->heap->waiting :
				     kernel->heap->cached,
			   objects[i]);
	}
	return NULL;
}

static struct kml_error *load_cpu(struct kernel *kernel,
				  struct sheaf_layout *l, uint64_t cache_va,
				  uint64_t va)
{
	const struct profile_member *slots[] = { &l->main, &l->spare,
						 &l->rcu_free };
	size_t n = l->has_rcu_free ? 3 : 2;
	struct kml_error *error = NULL;
	uint64_t sheaf;
	size_t i;

	for (i = 0; !error && i < n; i++) {
		error = kernel_read_u64(kernel, va + slots[i]->offset, &sheaf);
		if (!error)
			error = load_sheaf(kernel, l, sheaf, cache_va,
					   slots[i] == &l->rcu_free);
		/* "never NULL when unlocked" */
		if (!error && !sheaf && !i)
			kernel_gap(kernel, "CPUs without a sheaf", va, true);
	}
	return kernel_forgive(kernel, error, "per-CPU sheaves", va);
}

static struct kml_error *load_listed(struct kernel *kernel, void *arg,
				     uint64_t node_va)
{
	struct sheaf_load *load = arg;
	uint64_t va = node_va - load->layout.barn_list.offset;

	if (load->full)
		return load_sheaf(kernel, &load->layout, va, load->cache_va,
				  false);
	return add_rule(kernel, &load->layout, va);
}

static struct kml_error *load_barn(struct kernel *kernel,
				   struct sheaf_load *load, uint64_t va)
{
	struct kml_error *error;

	load->full = true;
	error = kernel_walk_list(kernel, va + load->layout.full.offset,
				 MAX_SHEAVES, "torn list of full sheaves",
				 load_listed, load);
	load->full = false;
	if (!error)
		error = kernel_walk_list(kernel, va + load->layout.empty.offset,
					 MAX_SHEAVES,
					 "torn list of empty sheaves",
					 load_listed, load);
	return error;
}

/* @va: of an element of the cache's nodes */
static struct kml_error *load_node(struct kernel *kernel,
				   struct sheaf_load *load, uint64_t va)
{
	const struct sheaf_layout *l = &load->layout;
	struct kml_error *error;
	uint64_t node = 0, barn = 0;

	if (l->nodes.has_barn) {
		error = kernel_read_u64(kernel, va + l->nodes.barn.offset, &barn);
	} else {
		error = kernel_read_u64(kernel, va + l->nodes.node.offset, &node);
		if (!error && node)
			error = kernel_read_u64(kernel, node + l->barn.offset,
						&barn);
	}
	if (!error && barn)
		error = load_barn(kernel, load, barn);
	return kernel_forgive(kernel, error, "barns", va);
}

static struct kml_error *load_cache(struct kernel *kernel,
				    struct sheaf_load *load, uint64_t va)
{
	struct sheaf_layout *l = &load->layout;
	struct kml_error *error;
	uint64_t percpu, i;

	error = kernel_read_u64(kernel, va + l->cpu_sheaves.offset, &percpu);
	if (error)
		return kernel_forgive(kernel, error, "sheaves", va);
	for (i = 0; !error && percpu && i < kernel->n_cpus; i++) {
		if (kernel->cpu_offset[i])
			error = load_cpu(kernel, l, va,
					 percpu + kernel->cpu_offset[i]);
	}
	load->cache_va = va;
	for (i = 0; !error && i < l->nodes.n; i++)
		error = load_node(kernel, load, va + i * l->nodes.bytes);
	return error;
}

/* A sheaf that is full of objects for kfree_rcu() waits itself. */
static struct kml_error *load_queued(struct kernel *kernel, void *arg,
				     uint64_t va, uint64_t function)
{
	struct sheaf_load *load = arg;

	if (!load->rcu_function || function != load->rcu_function)
		return NULL;
	return load_sheaf(kernel, &load->layout,
			  va - load->layout.rcu_head.offset, 0, true);
}

struct kml_error *kernel_load_sheaves(struct kernel *kernel)
{
	struct sheaf_load load = { 0 };
	struct kml_error *error;
	size_t i;

	if (!profile_member(kernel->profile, "kmem_cache", "cpu_sheaves",
			    &load.layout.cpu_sheaves))
		return kernel_walk_callbacks(kernel, NULL, NULL);
	error = load_layout(kernel, &load.layout);
	load.layout.objects_left = kernel->heap->n_ids;
	for (i = 0; !error && i < kernel->caches.size; i++) {
		struct kernel_cache *cache = &kernel->caches.data[i];
		uint64_t n = kernel_count_gaps(kernel);

		error = load_cache(kernel, &load, cache->va);
		cache->doubtful = kernel_count_gaps(kernel) != n;
	}
	if (profile_member(kernel->profile, "slab_sheaf", "callback_head",
			   &load.layout.rcu_head) ||
	    profile_member(kernel->profile, "slab_sheaf", "rcu_head",
			   &load.layout.rcu_head))
		kernel_has_symbol(kernel, "rcu_free_sheaf",
				  &load.rcu_function);
	return error ? error :
		       kernel_walk_callbacks(kernel, load_queued, &load);
}
