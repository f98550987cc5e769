// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pass over the image.  Page frames are cut into chunks; a chunk's edges
 * are collected apart and joined in order, so that the result does not depend
 * on the number of threads.
 */
#include "graph/scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/huge.h"
#include "base/pool.h"
#include "base/util.h"
#include "kernel/type.h"

static const char *const gap_names[GAPS] = {
	[GAP_SLAB] = "slabs with pages not in the dump",
	/* It takes page.mapping there for an anonymous page's on kernels that
	 * have page.compound_info (since Linux 7.1). */
	[GAP_SECOND] = "compound pages that lack just their second page: makedumpfile took it for user memory, use -d 23",
	[GAP_TORN] = "slabs with a torn freelist",
	[GAP_BLOCK] = "page blocks with pages not in the dump",
	[GAP_MAPPED] = "vmalloc and per-cpu pages not in the dump",
	[GAP_VMEMMAP] = "pages of the struct page array not in the dump",
	[GAP_LARGE_SLAB] = "slabs of more than 64 pages",
};

static struct kml_error *scan_chunk(void *arg, unsigned thread_index,
				    uint64_t chunk_index)
{
	struct scan *scan = arg;
	struct thread *thread = &scan->threads[thread_index];
	struct chunk *chunk = &scan->chunks[chunk_index];
	uint64_t pfn = chunk_index * CHUNK_PAGES;
	uint64_t end = MIN(pfn + CHUNK_PAGES, scan->kernel->end_pfn);
	struct kml_error *error = NULL;

	/* Thread 0 is the caller's own, and may call back. */
	if (!thread_index)
		error = message_progress(scan->kernel->messenger, "scanning",
					 chunk_index, scan->n_chunks);
	if (!error)
		error = scan_pages(scan, thread, chunk, pfn, end);
	if (!error && chunk->nomem)
		error = error_nomem();
	return error;
}

/* ---- stacks and registers */

static struct kml_error *scan_virtual(struct scan *scan, struct chunk *chunk,
				      uint32_t root_index, char *buf)
{
	const struct kernel_root *root = &scan->kernel->roots.data[root_index];
	uint64_t va = align_up(root->start_va, 8), page;
	uint64_t end = root->start_va + root->bytes;

	for (; va < end; va = page + 4096) {
		struct kml_error *error;

		page = align_down(va, 4096);
		error = image_read_va(scan->kernel->image, page, buf, 4096);
		if (error) {
			error = kernel_forgive(scan->kernel, error,
					       "stacks not in the dump", va);
			if (error)
				return error;
			continue;
		}
		scan_around_holes(scan, chunk, scan->n_objects + root_index,
				  buf, page, va - page, MIN(end - page, 4096),
				  (int64_t)(root->start_va - page));
	}
	return NULL;
}

static struct kml_error *scan_other_roots(struct scan *scan,
					  struct chunk *chunk, char *buf)
{
	struct kml_error *error = NULL;
	uint32_t i;

	for (i = 0; !error && i < scan->kernel->roots.size; i++) {
		const struct kernel_root *root = &scan->kernel->roots.data[i];

		switch (root->kind) {
		case ROOT_STACK:
		case ROOT_IRQ_STACK:
			error = scan_virtual(scan, chunk, i, buf);
			break;
		case ROOT_REGISTERS:
			scan_words(scan, chunk, scan->n_objects + i,
				   scan->kernel->cpu_regs[root->owner]->gpr, 16,
				   0);
			break;
		default:
			break;
		}
	}
	return error;
}

/* What no word says: see struct kernel_edge. */
static void add_kernel_edges(struct scan *scan, struct chunk *chunk)
{
	uint32_t code = 0;
	size_t i;

	while (code < scan->kernel->roots.size &&
	       scan->kernel->roots.data[code].kind != ROOT_CODE)
		code++;
	for (i = 0; i < scan->kernel->edges.size; i++) {
		const struct kernel_edge *edge = &scan->kernel->edges.data[i];

		scan_add_edge(chunk,
			 edge->from == HEAP_NONE ? scan->n_objects + code :
						   edge->from,
			 edge->to, (1u << 29) - 1, HEAP_REF_ADDRESS, 0);
	}
}

/* ---- putting it together */

static void add_statistics(struct graph_statistics *to,
			   const struct graph_statistics *from)
{
	to->pages += from->pages;
	to->words += from->words;
	to->candidates += from->candidates;
	to->misses += from->misses;
	to->self += from->self;
	to->slabs_torn += from->slabs_torn;
	to->slabs_unreadable += from->slabs_unreadable;
}

static void merge_gaps(struct kernel *kernel, const struct chunk *chunk)
{
	unsigned gap;

	for (gap = 0; gap < GAPS; gap++)
		kernel_gaps(kernel, gap_names[gap], chunk->gap_va[gap], true,
			    chunk->gaps[gap]);
}

/* Find the objects that lie unused in mempools. */
static struct kml_error *find_idle(struct scan *scan, uint64_t n_chunks,
				   struct graph *graph)
{
	struct kml_error *error = NULL;
	uint64_t c;
	size_t i;

	graph->idle = bitmap_alloc(scan->n_objects);
	if (!graph->idle)
		return error_nomem();
	for (c = 0; c < n_chunks; c++) {
		const struct chunk *chunk = &scan->chunks[c];

		for (i = 0; !error && i < chunk->mempools.size; i++)
			error = mempools_mark(&scan->mempools, scan->kernel,
					      graph, &chunk->mempools.data[i],
					      graph->idle);
	}
	return error;
}

static bool is_idle(const struct graph *graph, uint32_t source)
{
	return source < graph->n_objects && bitmap_test(graph->idle, source);
}

/* Sort the chunks' edges by source, keeping their order otherwise. */
static struct kml_error *build_rows(struct scan *scan, uint64_t n_chunks,
				    struct graph *graph)
{
	_cleanup_free_ uint64_t *next = NULL;
	uint64_t c, sum = 0;
	uint32_t source;
	size_t i;

	graph->first = huge_calloc(graph->n_sources + 1ull, sizeof(*graph->first));
	next = huge_calloc(graph->n_sources + 1ull, sizeof(*next));
	if (!graph->first || !next)
		return error_nomem();
	for (c = 0; c < n_chunks; c++) {
		for (i = 0; i < scan->chunks[c].edges.size; i++) {
			source = scan->chunks[c].edges.data[i].from;
			graph->first[source] += !is_idle(graph, source);
		}
	}
	for (source = 0; source <= graph->n_sources; source++) {
		uint64_t n = graph->first[source];

		graph->first[source] = next[source] = sum;
		sum += n;
	}
	graph->n_edges = graph->statistics.references = sum;
	graph->edges = huge_malloc(sum, sizeof(*graph->edges));
	if (scan->offsets)
		graph->at = huge_malloc(sum, sizeof(*graph->at));
	if (!graph->edges || (scan->offsets && !graph->at))
		return error_nomem();
	for (c = 0; c < n_chunks; c++) {
		struct chunk *chunk = &scan->chunks[c];

		for (i = 0; i < chunk->edges.size; i++) {
			const struct raw_edge *raw = &chunk->edges.data[i];
			uint64_t to;

			if (is_idle(graph, raw->from))
				continue;
			to = next[raw->from]++;
			graph->edges[to] = raw->edge;
			if (graph->at)
				graph->at[to] = raw->at;
		}
		vec_deinit(&chunk->edges);
	}
	return NULL;
}

static int compare_pa(const void *a, const void *b, void *roots)
{
	const struct kernel_root *x =
		(struct kernel_root *)roots + *(const uint32_t *)a;
	const struct kernel_root *y =
		(struct kernel_root *)roots + *(const uint32_t *)b;

	return (x->start_pa > y->start_pa) - (x->start_pa < y->start_pa);
}

static int compare_disregarded(const void *a, const void *b)
{
	const struct graph_disregarded *x = a, *y = b;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->word > y->word) - (x->word < y->word);
}

static void cite_disregard(struct kernel *kernel, uint32_t why)
{
	if (why == DISREGARD_OWNER)
		kernel_cite(kernel, BUILTIN_LOCK_OWNER);
	else if (why == DISREGARD_INTEGER)
		kernel_cite(kernel, BUILTIN_INTEGER);
}

static struct kml_error *join_disregarded(struct scan *scan, uint64_t n_chunks,
					  struct graph *graph)
{
	uint64_t c, n = 0;

	for (c = 0; c < n_chunks; c++)
		n += scan->chunks[c].disregarded.size;
	graph->disregarded = malloc(MAX(n, 1) * sizeof(*graph->disregarded));
	if (!graph->disregarded)
		return error_nomem();
	for (c = 0; c < n_chunks; c++) {
		struct chunk *chunk = &scan->chunks[c];

		if (chunk->disregarded.size)
			memcpy(graph->disregarded + graph->n_disregarded,
			       chunk->disregarded.data,
			       chunk->disregarded.size *
				       sizeof(*graph->disregarded));
		graph->n_disregarded += chunk->disregarded.size;
	}
	for (c = 0; c < n; c++) {
		cite_disregard(scan->kernel, graph->disregarded[c].why);
		graph->statistics.integers +=
			graph->disregarded[c].why == DISREGARD_MEMBER;
	}
	qsort(graph->disregarded, n, sizeof(*graph->disregarded),
	      compare_disregarded);
	return NULL;
}

static struct kml_error *prepare(struct scan *scan, uint64_t n_chunks)
{
	struct kernel *kernel = scan->kernel;
	uint32_t i;

	scan->chunks = calloc(n_chunks + 1, sizeof(*scan->chunks));
	scan->threads = calloc(kernel->n_threads, sizeof(*scan->threads));
	scan->has_rule = bitmap_alloc(scan->n_objects);
	scan->roots_by_pa = calloc(kernel->roots.size + 1,
				   sizeof(*scan->roots_by_pa));
	if (!scan->chunks || !scan->threads || !scan->has_rule ||
	    !scan->roots_by_pa)
		return error_nomem();
	for (i = 0; i < kernel->rules.size; i++)
		bitmap_set(scan->has_rule, kernel->rules.data[i].id);
	scan->first_percpu_root = UINT32_MAX;
	for (i = 0; i < kernel->roots.size; i++) {
		unsigned kind = kernel->roots.data[i].kind;

		if (kind == ROOT_SECTION || kind == ROOT_RESERVED)
			scan->roots_by_pa[scan->n_roots_by_pa++] = i;
		if (kind == ROOT_PERCPU)
			scan->first_percpu_root = MIN(scan->first_percpu_root, i);
	}
	qsort_r(scan->roots_by_pa, scan->n_roots_by_pa,
		sizeof(*scan->roots_by_pa), compare_pa, kernel->roots.data);
	for (i = 0; i < kernel->n_threads; i++) {
		struct kml_error *error;

		scan->threads[i].buf = aligned_alloc(4096, BATCH_PAGES * 4096);
		if (!scan->threads[i].buf)
			return error_nomem();
		error = image_reader_create(kernel->image,
					    &scan->threads[i].reader);
		if (error)
			return error;
	}
	return NULL;
}

static void scan_deinit(struct scan *scan, uint64_t n_chunks)
{
	uint64_t i;

	for (i = 0; scan->chunks && i <= n_chunks; i++) {
		vec_deinit(&scan->chunks[i].edges);
		vec_deinit(&scan->chunks[i].disregarded);
		vec_deinit(&scan->chunks[i].mempools);
	}
	for (i = 0; scan->threads && i < scan->kernel->n_threads; i++) {
		image_reader_destroy(scan->threads[i].reader);
		free(scan->threads[i].buf);
	}
	free(scan->chunks);
	free(scan->threads);
	free(scan->has_rule);
	free(scan->roots_by_pa);
	for (i = 0; scan->pointer_words && i < scan->kernel->caches.size; i++)
		free(scan->pointer_words[i]);
	free(scan->pointer_words);
}

static struct kml_error *run(struct scan *scan, uint64_t n_chunks,
			     struct graph *graph)
{
	struct kernel *kernel = scan->kernel;
	struct chunk *last;
	struct kml_error *error;
	uint64_t i;

	error = prepare(scan, n_chunks);
	if (!error)
		error = pool_run(kernel->n_threads, n_chunks, scan_chunk, scan);
	if (error)
		return error;
	last = &scan->chunks[n_chunks];
	error = scan_other_roots(scan, last, scan->threads[0].buf);
	if (error)
		return error;
	add_kernel_edges(scan, last);
	if (last->nomem)
		return error_nomem();
	for (i = 0; i <= n_chunks; i++) {
		add_statistics(&graph->statistics, &scan->chunks[i].statistics);
		merge_gaps(kernel, &scan->chunks[i]);
	}
	error = find_idle(scan, n_chunks + 1, graph);
	if (!error)
		error = join_disregarded(scan, n_chunks + 1, graph);
	return error ? error : build_rows(scan, n_chunks + 1, graph);
}

/* What of the objects of each cache is a pointer. */
static struct kml_error *find_types(struct scan *scan, struct graph *graph)
{
	const struct kernel *kernel = scan->kernel;
	size_t i;

	scan->pointer_words = calloc(MAX(kernel->caches.size, 1),
				     sizeof(*scan->pointer_words));
	if (!scan->pointer_words)
		return error_nomem();
	for (i = 0; i < kernel->caches.size; i++) {
		const struct kernel_cache *cache = &kernel->caches.data[i];
		const char *type = kernel_cache_type(kernel, cache);

		if (!type)
			continue;
		scan->pointer_words[i] = kernel_pointer_words(
			kernel, type, cache->object_bytes);
		if (!scan->pointer_words[i])
			return error_nomem();
		graph->statistics.typed_caches++;
	}
	return NULL;
}

static uint64_t owner_to_waiters(const struct profile *profile)
{
	struct profile_member owner, waiters;

	if (!profile_member(profile, "rw_semaphore", "owner", &owner) ||
	    !profile_member(profile, "rw_semaphore", "wait_list", &waiters) ||
	    waiters.offset <= owner.offset)
		return 0;
	/* Without CONFIG_RWSEM_SPIN_ON_OWNER and debugging: a lock between. */
	return waiters.offset - owner.offset == 16 ? 2 : 0;
}

struct kml_error *graph_scan(struct kernel *kernel, bool precise,
			     bool offsets, struct graph *ret)
{
	uint64_t n_chunks = (kernel->end_pfn + CHUNK_PAGES - 1) / CHUNK_PAGES;
	struct scan scan = {
		.kernel = kernel,
		.precise = precise,
		.offsets = offsets,
		.heap = kernel->heap,
		.n_chunks = n_chunks,
		.n_objects = kernel->heap->n_ids,
	};
	struct graph graph = { .n_objects = kernel->heap->n_ids };
	struct kml_error *error = NULL;

	mempools_init(&scan.mempools, kernel);
	scan.owner_to_waiters = owner_to_waiters(kernel->profile);
	scan.pages_source = scan.n_objects + (uint32_t)kernel->roots.size;
	graph.n_sources = scan.pages_source + 1 +
			  (uint32_t)(kernel->end_pfn >> GRAPH_PAGES_SHIFT);
	error = find_types(&scan, &graph);
	if (!error)
		error = run(&scan, n_chunks, &graph);
	scan_deinit(&scan, n_chunks);
	if (error)
		graph_deinit(&graph);
	else
		*ret = graph;
	return error;
}
