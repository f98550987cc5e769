// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A source's words are sorted by address; then the variables come one after
 * the other, and each is looked up when the first word is behind the last
 * one's end.
 */
#include "leak/anchor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "image/record.h"
#include "graph/overrides.h"
#include "kernel/behind.h"
#include "kernel/symbol.h"

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

/* A word that refers to an object. */
struct word {
	uint64_t va; /* what it is sorted by, if it is in no memory */
	uint32_t to;
};

/* A variable, or what stands for one. */
struct place {
	uint64_t va, end_va;
	bool behind; /* a variable points to it, which the name is of */
	char name[160];
};

struct find {
	struct kernel *kernel;
	const struct graph *graph;
	struct anchors *holders;
	VEC(struct word) words;
	/* Of the module whose memory is being split. */
	const struct kernel_module *module;
	uint32_t module_name;
};

static int compare_words(const void *a, const void *b)
{
	const struct word *x = a, *y = b;

	if (x->va != y->va)
		return x->va < y->va ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static struct kml_error *add_name(struct find *find, const char *name,
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

static struct kml_error *add_holder(struct find *find, enum anchor_kind kind,
				    const char *name, uint32_t owner,
				    uint64_t va)
{
	struct anchors *h = find->holders;
	struct anchor *holder;
	struct kml_error *error;
	uint32_t index;

	error = add_name(find, name, &index);
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
static struct kml_error *add_edge(struct find *find, uint32_t to,
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
static void image_place(const struct find *find, uint64_t link_va,
			uint64_t va, const char *fallback, struct place *ret)
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

static struct kml_error *module_place(const struct find *find, uint64_t va,
				      struct place *ret)
{
	struct kernel_symbol_name symbol;
	struct kml_error *error;
	bool found;

	ret->va = va;
	ret->end_va = va + 8;
	snprintf(ret->name, sizeof(ret->name), "data");
	error = kernel_module_variable(find->kernel, find->module, va, &found,
				       &symbol);
	if (found) {
		ret->va = va - symbol.offset;
		ret->end_va = ret->va + symbol.bytes;
	}
	if (found && !error)
		snprintf(ret->name, sizeof(ret->name), "%s", symbol.name);
	return kernel_forgive(find->kernel, error, "symbols of modules", va);
}

/* ---- sources */

/* A source's words, by address. */
static struct kml_error *gather(struct find *find, uint32_t source,
				uint64_t base_va)
{
	const struct graph *graph = find->graph;
	uint64_t i;

	find->words.size = 0;
	for (i = graph->first[source]; i < graph->first[source + 1ull]; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		uint32_t index = graph_edge_word(edge);
		const struct word word = {
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
static struct kml_error *add_whole(struct find *find, uint32_t source,
				   const struct kernel_root *root,
				   enum anchor_kind kind)
{
	bool memory = kind != ANCHOR_REGISTERS && kind != ANCHOR_CODE;
	struct kml_error *error;
	size_t i;

	error = gather(find, source, memory ? root->start_va : UINT64_MAX);
	if (error || !find->words.size)
		return error;
	error = add_holder(find, kind, root->name, root->owner,
			   memory ? root->start_va : 0);
	for (i = 0; !error && i < find->words.size; i++) {
		const struct word *word = &find->words.data[i];

		error = add_edge(find, word->to,
				 memory ? word->va - root->start_va :
					  ANCHOR_NO_OFFSET,
				 false);
	}
	return error;
}

/*
 * Does the object have a word that refers to the variable at @start, or to
 * something in it up to the word at @word_va?  Only its first bytes are
 * looked at.
 */
static bool look_for_answer(const struct find *find, uint32_t id,
			    uint64_t start, uint64_t word_va)
{
	const struct heap_region *r = heap_region_of(find->kernel->heap, id);
	uint64_t bytes = heap_object_bytes(find->kernel->heap, id), i;
	uint64_t words[1024];
	_cleanup_error_ struct kml_error *error = NULL;

	if (r->kind == HEAP_PERCPU || r->kind == HEAP_IOREMAP ||
	    r->flags & HEAP_NO_SCAN || word_va == UINT64_MAX)
		return false;
	bytes = align_down(MIN(bytes, sizeof(words)), 8);
	error = image_read_va(find->kernel->image,
			      heap_object_va(find->kernel->heap, id), words,
			      bytes);
	for (i = 0; !error && i < bytes / 8; i++) {
		if (words[i] >= start && words[i] <= word_va + 8)
			return true;
	}
	return false;
}

static bool is_answered(const struct find *find, uint32_t id, uint64_t start,
			uint64_t word_va)
{
	struct kernel *kernel = find->kernel;
	bool paused, yes;

	if (kernel->answers.replay)
		return kernel->answers.next < kernel->answers.all.size &&
		       kernel->answers.all.data[kernel->answers.next++];
	paused = image_record_pause(kernel->image, true);
	yes = look_for_answer(find, id, start, word_va);
	image_record_pause(kernel->image, paused);
	/* Without memory for it, saving fails for want of memory as well. */
	if (kernel->answers.record &&
	    !vec_push(&kernel->answers.all, (uint8_t)yes))
		kernel->answers.record = false;
	return yes;
}

typedef struct kml_error *place_fn(const struct find *find, uint64_t va,
				   void *arg, struct place *ret);

/* The gathered words by the variable that @place says each is in. */
static struct kml_error *add_split(struct find *find, enum anchor_kind kind,
				   uint32_t owner, place_fn *place, void *arg)
{
	struct place at = { 0 }, last = { 0 };
	struct kml_error *error = NULL;
	size_t i;

	for (i = 0; !error && i < find->words.size; i++) {
		const struct word *word = &find->words.data[i];

		if (word->va == UINT64_MAX)
			at = (struct place){ .name = "struct pages" };
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
						 is_answered(find, word->to,
							     at.va, word->va));
	}
	return error;
}

static struct kml_error *place_section(const struct find *find, uint64_t va,
				       void *arg, struct place *ret)
{
	const struct kernel_root *root = arg;

	image_place(find, va - find->kernel->kaslr_offset, va, root->name, ret);
	return NULL;
}

/* Only what comes before all that a variable points to is nobody's. */
static struct kml_error *place_reserved(const struct find *find, uint64_t va,
					void *arg, struct place *ret)
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

static struct kml_error *place_percpu(const struct find *find, uint64_t va,
				      void *arg, struct place *ret)
{
	const struct kernel_root *root = arg;
	const struct kernel *kernel = find->kernel;

	image_place(find,
		    percpu_link(kernel, va - kernel->cpu_offset[root->owner]),
		    va, root->name, ret);
	return NULL;
}

static struct kml_error *place_module(const struct find *find, uint64_t va,
				      void *arg, struct place *ret)
{
	(void)arg;
	return module_place(find, va, ret);
}

/* @arg: the CPU whose copies the words are in. */
static struct kml_error *place_module_percpu(const struct find *find,
					     uint64_t va, void *arg,
					     struct place *ret)
{
	uint64_t shift = find->kernel->cpu_offset[*(unsigned *)arg];
	struct kml_error *error = module_place(find, va - shift, ret);

	ret->va += shift;
	ret->end_va += shift;
	return error;
}

static struct kml_error *add_root(struct find *find, uint32_t index)
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
	error = gather(find, source, root->start_va);
	if (error)
		return error;
	if (root->kind == ROOT_SECTION)
		return add_split(find, ANCHOR_VARIABLE, 0, place_section, root);
	if (root->kind == ROOT_RESERVED)
		return add_split(find, ANCHOR_RESERVED, 0, place_reserved, root);
	return add_split(find, ANCHOR_PERCPU, root->owner, place_percpu, root);
}

/* ---- modules */

/* The object that is a part of a module's memory. */
static uint32_t part_object(const struct kernel *kernel, uint64_t va)
{
	uint32_t index = heap_find_region(kernel->heap, va);
	const struct heap_region *r;

	if (index == HEAP_NONE)
		return HEAP_NONE;
	r = &kernel->heap->regions.data[index];
	return r->flags & HEAP_ROOT && !(r->flags & HEAP_ALIAS) &&
			       r->n_objects == 1 ?
		       r->first_id :
		       HEAP_NONE;
}

/* The block that a module's per-cpu variables are, or HEAP_NONE. */
static uint32_t percpu_object(const struct kernel *kernel,
			      const struct kernel_module *module)
{
	enum heap_reference how = HEAP_REF_NONE;
	uint32_t id = module->percpu ?
			      heap_resolve(kernel->heap, module->percpu, &how) :
			      HEAP_NONE;

	return id != HEAP_NONE && how == HEAP_REF_PERCPU &&
			       !bitmap_test(kernel->heap->free, id) ?
		       id :
		       HEAP_NONE;
}

/* Of the gathered words, whose .va are per-cpu pointers, those that a CPU's
 * copy has; they are moved there. */
static struct kml_error *add_copies(struct find *find, unsigned cpu,
				    const struct word *words, size_t n)
{
	const struct kernel *kernel = find->kernel;
	enum heap_reference how;
	struct kml_error *error;
	uint64_t value;
	size_t i;

	find->words.size = 0;
	for (i = 0; i < n; i++) {
		struct word word = words[i];

		if (word.va == UINT64_MAX)
			continue;
		word.va += kernel->cpu_offset[cpu];
		error = kernel_read_u64(find->kernel, word.va, &value);
		if (error) {
			error = kernel_forgive(find->kernel, error,
					       "per-cpu variables of modules",
					       word.va);
			if (error)
				return error;
			continue;
		}
		/* The same word of several CPUs may have the same value. */
		if (heap_resolve(kernel->heap, value, &how) != word.to ||
		    (i && words[i - 1].va == words[i].va &&
		     words[i - 1].to == word.to))
			continue;
		if (!vec_push(&find->words, word))
			return error_nomem();
	}
	return add_split(find, ANCHOR_PERCPU, cpu, place_module_percpu, &cpu);
}

static struct kml_error *add_module_percpu(struct find *find, uint32_t id)
{
	const struct kernel *kernel = find->kernel;
	_cleanup_free_ struct word *words = NULL;
	struct kml_error *error;
	unsigned cpu;
	size_t n;

	error = gather(find, id, heap_object_va(kernel->heap, id));
	if (error || !find->words.size)
		return error;
	n = find->words.size;
	words = malloc(n * sizeof(*words));
	if (!words)
		return error_nomem();
	memcpy(words, find->words.data, n * sizeof(*words));
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		if (kernel->cpu_offset[cpu])
			error = add_copies(find, cpu, words, n);
	}
	return error;
}

static struct kml_error *add_module(struct find *find,
				    const struct kernel_module *module)
{
	struct kml_error *error;
	uint32_t id;
	unsigned i;

	error = kernel_load_module_symbols(find->kernel, module);
	error = kernel_forgive(find->kernel, error, "symbols of modules",
			       module->symtab_va);
	if (!error)
		error = add_name(find, module->name, &find->module_name);
	find->module = module;
	for (i = 0; !error && i < module->n_parts; i++) {
		id = part_object(find->kernel, module->part_va[i]);
		if (id == HEAP_NONE)
			continue;
		error = gather(find, id, heap_object_va(find->kernel->heap, id));
		if (!error)
			error = add_split(find, ANCHOR_VARIABLE, 0,
					  place_module, NULL);
		if (!error && !vec_push(&find->holders->split, id))
			error = error_nomem();
	}
	id = percpu_object(find->kernel, module);
	if (!error && id != HEAP_NONE)
		error = add_module_percpu(find, id);
	if (!error && id != HEAP_NONE && !vec_push(&find->holders->split, id))
		error = error_nomem();
	find->module = NULL;
	return error;
}

/* ---- struct pages */

/* By the class of their page; the words of one source are those of 2^26
 * pages, in any order. */
static struct kml_error *add_pages(struct find *find)
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
	struct find find = {
		.kernel = kernel, .graph = graph, .holders = &holders,
	};
	struct kml_error *error;
	uint32_t unused, i;

	error = add_name(&find, "", &unused);
	for (i = 0; !error && i < kernel->roots.size; i++)
		error = add_root(&find, i);
	for (i = 0; !error && i < kernel->modules.size; i++)
		error = add_module(&find, &kernel->modules.data[i]);
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
