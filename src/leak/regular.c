// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/regular.h"

#include <stdlib.h>

#include "base/huge.h"
#include "base/pool.h"
#include "base/util.h"
#include "graph/overrides.h"

/* So many make a rule. */
#define MIN_REGULAR 8u
/* Counts in all; caches are not that many, and their objects not that large,
 * unless a dump lies. */
#define MAX_COUNTS (UINT64_C(1) << 26)
#define CHUNK_OBJECTS 65536u
/* Memory is asked for so many references ahead. */
#define AHEAD 16u

/*
 * Members by which objects are looked up, of the cache that a variable of the
 * kernel points to: hashes of all file systems (fs/dcache.c, fs/inode.c), and
 * the list of inodes to be written back, which is one for all file systems that
 * have no device (noop_backing_dev_info).
 */
static const struct {
	const char *cache, *type, *member;
} lookups[] = {
	{ "dentry_cache", "dentry", "d_hash" },
	{ "inode_cachep", "inode", "i_hash" },
	{ "inode_cachep", "inode", "i_io_list" },
};

static uint32_t class_of_region(const struct regular *r,
				const struct heap_region *region)
{
	return region->kind == HEAP_SLAB ?
		       region->owner :
		       (uint32_t)r->kernel->caches.size + region->kind;
}

static uint32_t class_of(const struct regular *r, uint32_t id)
{
	return r->classes ? r->classes[id] :
			    class_of_region(r, heap_region_of(r->kernel->heap,
							      id));
}

/* Where the count of an edge is; NULL: there is none. */
static uint32_t *count_of(const struct regular *r,
			  const struct heap_region *from,
			  const struct graph_edge *edge)
{
	uint64_t word = graph_edge_word(edge);

	if (!r->first || from->kind != HEAP_SLAB ||
	    word * 8 >= r->kernel->caches.data[from->owner].object_bytes)
		return NULL;
	return &r->counts[r->first[from->owner] + word * r->n_classes +
			  class_of(r, edge->to)];
}

static struct kml_error *make_counts(struct regular *r)
{
	const struct kernel *kernel = r->kernel;
	size_t n = kernel->caches.size, i;
	uint64_t sum = 0;

	r->first = calloc(n + 1, sizeof(*r->first));
	if (!r->first)
		return error_nomem();
	for (i = 0; i < n; i++) {
		r->first[i] = sum;
		sum += (kernel->caches.data[i].object_bytes / 8 + 1ull) *
		       r->n_classes;
		if (sum > MAX_COUNTS) {
			free(take_ptr(r->first));
			return NULL;
		}
	}
	r->counts = calloc(sum + 1, sizeof(*r->counts));
	return r->counts ? NULL : error_nomem();
}

/* Few classes, as there are counts: a cache has one for each at least. */
static struct kml_error *make_classes(struct regular *r)
{
	const struct heap *heap = r->kernel->heap;
	uint32_t id;
	size_t i;

	if (!r->first || r->n_classes > UINT16_MAX)
		return NULL;
	r->classes = huge_malloc(r->graph->n_objects, sizeof(*r->classes));
	if (!r->classes)
		return error_nomem();
	for (i = 0; i < heap->regions.size; i++) {
		const struct heap_region *region = &heap->regions.data[i];

		for (id = 0; !(region->flags & HEAP_ALIAS) &&
			     id < region->n_objects; id++)
			r->classes[region->first_id + id] =
				(uint16_t)class_of_region(r, region);
	}
	return NULL;
}

/* Up to what makes a rule: beyond that nobody writes, or waits. */
static void add_one(uint32_t *count)
{
	if (__atomic_load_n(count, __ATOMIC_RELAXED) < MIN_REGULAR)
		__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

static struct kml_error *count_chunk(void *arg, unsigned thread, uint64_t chunk)
{
	struct regular *r = arg;
	const struct graph *graph = r->graph;
	uint32_t id = (uint32_t)(chunk * CHUNK_OBJECTS);
	uint32_t end = (uint32_t)MIN((chunk + 1) * CHUNK_OBJECTS,
				     graph->n_objects);
	uint64_t i;

	(void)thread;
	for (; id < end; id++) {
		const struct heap_region *from;

		if (!bitmap_test(r->nodes, id) ||
		    graph->first[id] == graph->first[id + 1ull])
			continue;
		from = heap_region_of(r->kernel->heap, id);
		for (i = graph->first[id]; i < graph->first[id + 1ull]; i++) {
			const struct graph_edge *edge = &graph->edges[i];
			uint32_t *count;

			if (r->classes && i + AHEAD < graph->n_edges)
				__builtin_prefetch(&r->classes[edge[AHEAD].to]);
			if (!bitmap_test(r->nodes, edge->to))
				continue;
			count = count_of(r, from, edge);
			if (count)
				add_one(count);
		}
	}
	return NULL;
}

static struct kml_error *add_lookup(struct regular *r, size_t cache,
				    const struct profile_member *member)
{
	uint64_t n = r->kernel->caches.data[cache].object_bytes / 8, word;

	if (!r->lookups[cache])
		r->lookups[cache] = bitmap_alloc(n + 1);
	if (!r->lookups[cache])
		return error_nomem();
	for (word = member->offset / 8;
	     word < n && word * 8 < member->offset + member->size; word++)
		bitmap_set(r->lookups[cache], word);
	return NULL;
}

static struct kml_error *find_lookups(struct regular *r, struct kernel *kernel)
{
	struct kml_error *error;
	size_t i, k;

	/* Without one, in tests, there is nothing to find. */
	for (i = 0; kernel->profile && i < ARRAY_SIZE(lookups); i++) {
		struct profile_member member;
		uint64_t symbol, va;

		if (!kernel_has_symbol(kernel, lookups[i].cache, &symbol) ||
		    !profile_member(kernel->profile, lookups[i].type,
				    lookups[i].member, &member))
			continue;
		error = kernel_read_u64(kernel, symbol, &va);
		if (error) {
			error = kernel_forgive(kernel, error, "slab caches",
					       symbol);
			if (error)
				return error;
			continue;
		}
		for (k = 0; k < kernel->caches.size; k++) {
			if (kernel->caches.data[k].va != va ||
			    kernel->caches.data[k].n_users != 1)
				continue;
			error = add_lookup(r, k, &member);
			if (error)
				return error;
		}
	}
	return NULL;
}

struct kml_error *regular_find(struct kernel *kernel, const struct graph *graph,
			       const uint64_t *nodes, struct regular *ret)
{
	size_t n = kernel->caches.size + 1;
	struct regular r = {
		.kernel = kernel,
		.graph = graph,
		.nodes = nodes,
		.n_classes = (uint32_t)kernel->caches.size + HEAP_KINDS,
	};
	struct kml_error *error = make_counts(&r);

	r.lookups = calloc(n, sizeof(*r.lookups));
	if (!error && !r.lookups)
		error = error_nomem();
	if (!error)
		error = find_lookups(&r, kernel);
	if (!error)
		error = make_classes(&r);
	if (!error && r.first)
		error = pool_run(kernel->n_threads,
				 graph->n_objects / CHUNK_OBJECTS + 1ull,
				 count_chunk, &r);
	r.nodes = NULL;
	r.nodes = NULL;
	if (error)
		regular_deinit(&r);
	else
		*ret = r;
	return error;
}

void regular_deinit(struct regular *regular)
{
	size_t i;

	for (i = 0; regular->lookups && i < regular->kernel->caches.size; i++)
		free(regular->lookups[i]);
	free(regular->lookups);
	free(regular->first);
	free(regular->counts);
	free(regular->classes);
}

struct kml_error *regular_row_init(struct regular_row *row,
				   const struct regular *regular)
{
	row->regular = regular;
	row->counts = calloc(regular->n_classes, sizeof(*row->counts));
	return row->counts ? NULL : error_nomem();
}

void regular_row_deinit(struct regular_row *row)
{
	free(row->counts);
}

static void count_row(struct regular_row *row, uint32_t id, bool clear)
{
	const struct regular *r = row->regular;
	uint64_t i;

	for (i = r->graph->first[id]; i < r->graph->first[id + 1ull]; i++) {
		uint32_t *count =
			&row->counts[class_of(r, r->graph->edges[i].to)];

		*count = clear ? 0 : *count + 1;
	}
}

/* A row that is too short for a table is not counted. */
static bool may_be_table(const struct regular *r, uint32_t id)
{
	return r->graph->first[id + 1ull] - r->graph->first[id] >= MIN_REGULAR;
}

void regular_start(struct regular_row *row, uint32_t id)
{
	row->from = heap_region_of(row->regular->kernel->heap, id);
	if (may_be_table(row->regular, id))
		count_row(row, id, false);
}

void regular_end(struct regular_row *row, uint32_t id)
{
	if (may_be_table(row->regular, id))
		count_row(row, id, true);
}

enum word_sort regular_sort(const struct regular_row *row,
			    const struct graph_edge *edge)
{
	const struct regular *r = row->regular;
	const struct heap_region *from = row->from;
	uint64_t word = graph_edge_word(edge);
	const uint32_t *count;

	/* A struct page's word, which may be left from the page's last user;
	 * of other objects what the kernel's logic says. */
	if (word == GRAPH_WORD_NONE)
		return from->kind == HEAP_PAGES ? WORD_IRREGULAR : WORD_REGULAR;
	/* Numbers that are counted up may equal these all the time. */
	if (graph_edge_how(edge) == HEAP_REF_PERCPU ||
	    graph_edge_how(edge) == HEAP_REF_PHYSICAL)
		return WORD_IRREGULAR;
	if (from->kind == HEAP_SLAB && r->lookups[from->owner] &&
	    word * 8 < from->object_bytes &&
	    bitmap_test(r->lookups[from->owner], word))
		return WORD_LOOKUP;
	count = count_of(r, from, edge);
	if ((count && *count >= MIN_REGULAR) ||
	    row->counts[class_of(r, edge->to)] >= MIN_REGULAR)
		return WORD_REGULAR;
	return WORD_IRREGULAR;
}
