// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/regular.h"

#include <stdlib.h>

#include "base/util.h"
#include "graph/overrides.h"

/* So many make a rule. */
#define MIN_REGULAR 8u
/* Counts in all; caches are not that many, and their objects not that large,
 * unless a dump lies. */
#define MAX_COUNTS (UINT64_C(1) << 26)

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

/* heap_region_of() would be asked for both ends of each reference, more than
 * once. */
static struct kml_error *find_classes(struct regular *r)
{
	const struct heap *heap = r->kernel->heap;
	uint32_t i, id;

	r->classes = calloc(MAX(r->graph->n_objects, 1), sizeof(*r->classes));
	if (!r->classes)
		return error_nomem();
	for (i = 0; i < heap->regions.size; i++) {
		const struct heap_region *region = &heap->regions.data[i];
		uint32_t class = region->kind == HEAP_SLAB ?
					 region->owner :
					 (uint32_t)r->kernel->caches.size +
						 region->kind;

		for (id = region->first_id;
		     !(region->flags & HEAP_ALIAS) &&
		     id < region->first_id + region->n_objects;
		     id++)
			r->classes[id] = class;
	}
	return NULL;
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
			  r->classes[edge->to]];
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

static void count_all(struct regular *r, const uint64_t *nodes)
{
	uint32_t id;
	uint64_t i;

	for (id = 0; r->first && id < r->graph->n_objects; id++) {
		const struct heap_region *from;

		if (!bitmap_test(nodes, id) ||
		    r->graph->first[id] == r->graph->first[id + 1ull])
			continue;
		from = heap_region_of(r->kernel->heap, id);
		for (i = r->graph->first[id]; i < r->graph->first[id + 1ull];
		     i++) {
			const struct graph_edge *edge = &r->graph->edges[i];
			uint32_t *count;

			if (!bitmap_test(nodes, edge->to))
				continue;
			count = count_of(r, from, edge);
			if (count && *count < UINT32_MAX)
				(*count)++;
		}
	}
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
		.n_classes = (uint32_t)kernel->caches.size + HEAP_KINDS,
	};
	struct kml_error *error = find_classes(&r);

	if (!error)
		error = make_counts(&r);

	r.lookups = calloc(n, sizeof(*r.lookups));
	r.row = calloc(r.n_classes, sizeof(*r.row));
	if (!error && (!r.lookups || !r.row))
		error = error_nomem();
	if (!error)
		error = find_lookups(&r, kernel);
	if (error) {
		regular_deinit(&r);
		return error;
	}
	count_all(&r, nodes);
	*ret = r;
	return NULL;
}

void regular_deinit(struct regular *regular)
{
	size_t i;

	for (i = 0; regular->lookups && i < regular->kernel->caches.size; i++)
		free(regular->lookups[i]);
	free(regular->lookups);
	free(regular->classes);
	free(regular->first);
	free(regular->counts);
	free(regular->row);
}

static void count_row(struct regular *r, uint32_t id, bool clear)
{
	uint64_t i;

	for (i = r->graph->first[id]; i < r->graph->first[id + 1ull]; i++) {
		uint32_t *count = &r->row[r->classes[r->graph->edges[i].to]];

		*count = clear ? 0 : *count + 1;
	}
}

/* A row that is too short for a table is not counted. */
static bool may_be_table(const struct regular *r, uint32_t id)
{
	return r->graph->first[id + 1ull] - r->graph->first[id] >= MIN_REGULAR;
}

void regular_start(struct regular *regular, uint32_t id)
{
	regular->from = heap_region_of(regular->kernel->heap, id);
	if (may_be_table(regular, id))
		count_row(regular, id, false);
}

void regular_end(struct regular *regular, uint32_t id)
{
	if (may_be_table(regular, id))
		count_row(regular, id, true);
}

enum word_sort regular_sort(const struct regular *r,
			    const struct graph_edge *edge)
{
	const struct heap_region *from = r->from;
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
	    r->row[r->classes[edge->to]] >= MIN_REGULAR)
		return WORD_REGULAR;
	return WORD_IRREGULAR;
}
