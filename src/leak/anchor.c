// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A source's words are sorted by address; then the variables come one after
 * the other, and each is looked up when the first word is behind the last
 * one's end.
 */
#include "leak/anchor_object.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "graph/overrides.h"
#include "kernel/behind.h"

const char *const anchor_kinds[ANCHOR_KINDS] = {
	[ANCHOR_VARIABLE] = "variable",   [ANCHOR_PERCPU] = "percpu",
	[ANCHOR_RESERVED] = "reserved",   [ANCHOR_CODE] = "code",
	[ANCHOR_STACK] = "stack",         [ANCHOR_IRQ_STACK] = "irq-stack",
	[ANCHOR_REGISTERS] = "registers", [ANCHOR_PAGES] = "struct-pages",
};

static const char *const page_classes[PAGE_CLASSES] = {
	[PAGE_USER] = "user memory and the page cache",
	[PAGE_SLAB] = "slabs",
	[PAGE_BLOCK] = "pages in use",
	[PAGE_RESERVED] = "reserved pages",
	[PAGE_TABLE] = "page tables",
	[PAGE_MAPPED] = "mapped pages",
};

static int compare_words(const void *a, const void *b)
{
	const struct anchor_word *x = a, *y = b;

	if (x->va != y->va)
		return x->va < y->va ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

struct kml_error *anchor_add_name(struct anchor_find *find, const char *name,
				  uint32_t *ret)
{
	struct anchors *h = find->holders;
	size_t n = strlen(name) + 1;

	if (h->names.size + n >= UINT32_MAX || !vec_reserve(&h->names, n))
		return error_nomem();
	*ret = (uint32_t)h->names.size;
	memcpy(h->names.data + h->names.size, name, n);
	h->names.size += n;
	return NULL;
}

static struct kml_error *add_holder(struct anchor_find *find,
				    enum anchor_kind kind, const char *name,
				    uint32_t owner, uint64_t va)
{
	struct anchors *h = find->holders;
	struct anchor *holder;
	struct kml_error *error;
	uint32_t index;

	error = anchor_add_name(find, name, &index);
	if (error)
		return error;
	if (h->list.size >= UINT32_MAX - 1)
		return error_new(KML_ERR_UNSUPPORTED, "too many variables");
	holder = vec_add(&h->list);
	if (!holder)
		return error_nomem();
	holder->kind = (uint8_t)kind;
	holder->name = index;
	holder->module = find->module ? find->module_name : 0;
	holder->owner = owner;
	holder->va = va;
	holder->first_edge = h->edges.size;
	return NULL;
}

/* To the last holder. */
static struct kml_error *add_edge(struct anchor_find *find, uint32_t to,
				  uint64_t offset, bool answered)
{
	const struct anchor_edge edge = {
		.holder = (uint32_t)find->holders->list.size - 1,
		.to = to,
		.offset = offset & ANCHOR_NO_OFFSET,
		.answered = answered,
	};

	return vec_push(&find->holders->edges, edge) ? NULL : error_nomem();
}

/* ---- which variable it is */

/* Where a symbol of the image ends is not asked for: the place ends with the
 * word, and the next one may be in the same. */
static void image_place(const struct anchor_find *find, uint64_t link_va,
			uint64_t va, const char *fallback,
			struct anchor_place *ret)
{
	const char *name;
	uint64_t offset;

	if (profile_symbolize(find->kernel->profile, link_va, &name, &offset)) {
		ret->va = va - offset;
		ret->end_va = va + 8;
		snprintf(ret->name, sizeof(ret->name), "%s", name);
	} else {
		ret->va = va;
		ret->end_va = va + 8;
		snprintf(ret->name, sizeof(ret->name), "%s", fallback);
	}
}

/* A per-cpu pointer of the kernel proper: linked at 0 until Linux 6.15
 * (9d7de2aa8b41). */
static uint64_t percpu_link(const struct kernel *kernel, uint64_t pointer)
{
	return pointer >= kernel->image_va ? pointer - kernel->kaslr_offset :
					     pointer;
}

/* ---- sources */

/* A source's words, by address. */
struct kml_error *anchor_gather(struct anchor_find *find, uint32_t source,
				uint64_t base_va)
{
	const struct graph *graph = find->graph;
	uint64_t i;

	find->words.size = 0;
	for (i = graph->first[source]; i < graph->first[source + 1ull]; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		uint32_t index = graph_edge_word(edge);
		const struct anchor_word word = {
			.va = base_va == UINT64_MAX || index == GRAPH_WORD_NONE ?
				      UINT64_MAX :
				      base_va + graph_word_offset(
							graph, find->kernel,
							source, index),
			.to = edge->to,
		};

		if (bitmap_test(find->kernel->heap->free, edge->to))
			continue;
		if (!vec_push(&find->words, word))
			return error_nomem();
	}
	if (find->words.size)
		qsort(find->words.data, find->words.size,
		      sizeof(*find->words.data), compare_words);
	return NULL;
}

/* All words of a source as one holder's. */
static struct kml_error *add_whole(struct anchor_find *find, uint32_t source,
				   const struct kernel_root *root,
				   enum anchor_kind kind)
{
	bool memory = kind != ANCHOR_REGISTERS && kind != ANCHOR_CODE;
	struct kml_error *error;
	size_t i;

	error = anchor_gather(find, source,
			      memory ? root->start_va : UINT64_MAX);
	if (error || !find->words.size)
		return error;
	error = add_holder(find, kind, root->name, root->owner,
			   memory ? root->start_va : 0);
	for (i = 0; !error && i < find->words.size; i++) {
		const struct anchor_word *word = &find->words.data[i];

		error = add_edge(find, word->to,
				 memory ? word->va - root->start_va :
					  ANCHOR_NO_OFFSET,
				 false);
	}
	return error;
}

/* The gathered words by the variable that @place says each is in. */
struct kml_error *anchor_add_split(struct anchor_find *find,
				   enum anchor_kind kind, uint32_t owner,
				   anchor_place_fn *place, void *arg)
{
	struct anchor_place at = { 0 }, last = { 0 };
	struct kml_error *error = NULL;
	size_t i;

	for (i = 0; !error && i < find->words.size; i++) {
		const struct anchor_word *word = &find->words.data[i];

		if (word->va == UINT64_MAX)
			at = (struct anchor_place){ .name = "struct pages" };
		else if (word->va >= at.end_va)
			error = place(find, word->va, arg, &at);
		if (!error && (!i || at.va != last.va)) {
			error = add_holder(find, kind, at.name,
					   at.behind ? 1 : owner, at.va);
			last.va = at.va;
		}
		if (!error)
			error = add_edge(find, word->to,
					 word->va == UINT64_MAX ?
						 ANCHOR_NO_OFFSET :
						 word->va - at.va,
					 kind != ANCHOR_RESERVED &&
						 anchor_is_answered(
							 find, word->to, at.va,
							 word->va));
	}
	return error;
}

static struct kml_error *place_section(const struct anchor_find *find,
				       uint64_t va, void *arg,
				       struct anchor_place *ret)
{
	const struct kernel_root *root = arg;

	image_place(find, va - find->kernel->kaslr_offset, va, root->name, ret);
	return NULL;
}

/* Only what comes before all that a variable points to is nobody's. */
static struct kml_error *place_reserved(const struct anchor_find *find,
					uint64_t va, void *arg,
					struct anchor_place *ret)
{
	const struct kernel_root *root = arg;
	struct kernel_behind behind;
	struct kml_error *error;

	error = kernel_find_behind(find->kernel, va, &ret->behind, &behind);
	if (error)
		return error;
	ret->va = ret->behind ? behind.start_va : root->start_va;
	ret->end_va = ret->behind ? behind.end_va : va + 8;
	if (ret->behind)
		kernel_format_behind(find->kernel, &behind, ret->name,
				     sizeof(ret->name));
	else
		snprintf(ret->name, sizeof(ret->name), "%s", root->name);
	return NULL;
}

static struct kml_error *place_percpu(const struct anchor_find *find,
				      uint64_t va, void *arg,
				      struct anchor_place *ret)
{
	const struct kernel_root *root = arg;
	const struct kernel *kernel = find->kernel;

	image_place(find,
		    percpu_link(kernel, va - kernel->cpu_offset[root->owner]),
		    va, root->name, ret);
	return NULL;
}

static struct kml_error *add_root(struct anchor_find *find, uint32_t index)
{
	static const enum anchor_kind kinds[ROOT_KINDS] = {
		[ROOT_SECTION] = ANCHOR_VARIABLE,
		[ROOT_PERCPU] = ANCHOR_PERCPU,
		[ROOT_MODULE] = ANCHOR_VARIABLE,
		[ROOT_RESERVED] = ANCHOR_RESERVED,
		[ROOT_STACK] = ANCHOR_STACK,
		[ROOT_IRQ_STACK] = ANCHOR_IRQ_STACK,
		[ROOT_REGISTERS] = ANCHOR_REGISTERS,
		[ROOT_CODE] = ANCHOR_CODE,
	};
	struct kernel_root *root = &find->kernel->roots.data[index];
	uint32_t source = find->graph->n_objects + index;
	struct kml_error *error;

	if (root->kind != ROOT_SECTION && root->kind != ROOT_PERCPU &&
	    root->kind != ROOT_RESERVED)
		return add_whole(find, source, root, kinds[root->kind]);
	error = anchor_gather(find, source, root->start_va);
	if (error)
		return error;
	if (root->kind == ROOT_SECTION)
		return anchor_add_split(find, ANCHOR_VARIABLE, 0,
					place_section, root);
	if (root->kind == ROOT_RESERVED)
		return anchor_add_split(find, ANCHOR_RESERVED, 0,
					place_reserved, root);
	return anchor_add_split(find, ANCHOR_PERCPU, root->owner, place_percpu,
				root);
}

/* ---- struct pages */

/* By the class of their page; the words of one source are those of 2^26
 * pages, in any order. */
static struct kml_error *add_pages(struct anchor_find *find)
{
	const struct graph *graph = find->graph;
	const struct kernel *kernel = find->kernel;
	uint64_t per_page = kernel->page_struct_bytes / 8, i;
	uint32_t source = graph->n_objects + (uint32_t)kernel->roots.size;
	uint32_t first = source;
	unsigned class;
	struct kml_error *error = NULL;

	for (class = 0; !error && class < PAGE_CLASSES; class++) {
		bool started = false;

		for (source = first; !error && source < graph->n_sources;
		     source++) {
			for (i = graph->first[source];
			     !error && i < graph->first[source + 1ull]; i++) {
				const struct graph_edge *edge =
					&graph->edges[i];
				uint64_t word = graph_edge_word(edge);
				uint64_t pfn = word / per_page +
					       ((uint64_t)(source - first)
						<< GRAPH_PAGES_SHIFT);

				if (pfn >= kernel->end_pfn ||
				    kernel->page_class[pfn] != class)
					continue;
				if (!started)
					error = add_holder(
						find, ANCHOR_PAGES,
						page_classes[class] ?
							page_classes[class] :
							"other pages",
						class, 0);
				started = true;
				if (!error)
					error = add_edge(find, edge->to,
							 ANCHOR_NO_OFFSET,
							 false);
			}
		}
	}
	return error;
}

struct kml_error *anchors_find(struct kernel *kernel, const struct graph *graph,
			       struct anchors *ret)
{
	struct anchors holders = { .list = { 0 } };
	struct anchor_find find = {
		.kernel = kernel, .graph = graph, .holders = &holders,
	};
	struct kml_error *error;
	uint32_t unused, i;

	error = anchor_add_name(&find, "", &unused);
	for (i = 0; !error && i < kernel->roots.size; i++)
		error = add_root(&find, i);
	for (i = 0; !error && i < kernel->modules.size; i++)
		error = anchor_add_module(&find, &kernel->modules.data[i]);
	if (!error)
		error = add_pages(&find);
	vec_deinit(&find.words);
	if (error)
		anchors_deinit(&holders);
	else
		*ret = holders;
	return error;
}

void anchors_deinit(struct anchors *holders)
{
	vec_deinit(&holders->list);
	vec_deinit(&holders->edges);
	vec_deinit(&holders->names);
	vec_deinit(&holders->split);
}
