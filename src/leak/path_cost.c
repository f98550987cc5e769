// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/path_cost.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "graph/overrides.h"
#include "kernel/type.h"

const uint8_t path_costs[PATH_CLASSES] = {
	[PATH_SURE] = 1,
	[PATH_LIKELY] = 3,
	[PATH_DOUBTFUL] = 8,
};

/* An object with more references is not asked whether it answers one. */
#define MAX_ANSWERS 64u
/* Words of a larger type are looked up each time. */
#define MAX_TYPE_WORDS 65536u

static struct kml_error *find_words(struct path_cost *cost)
{
	const struct kernel *kernel = cost->kernel;
	uint64_t bytes, word;
	size_t i;

	cost->words = calloc(kernel->caches.size + 1, sizeof(*cost->words));
	if (!cost->words)
		return error_nomem();
	/* Without debuginfo, in tests, none is known. */
	for (i = 0; kernel->profile && i < kernel->caches.size; i++) {
		const struct kernel_cache *cache = &kernel->caches.data[i];
		const char *type = kernel_cache_type(kernel, cache);

		if (!type)
			continue;
		cost->words[i] = kernel_pointer_words(kernel, type,
						      cache->object_bytes);
		if (!cost->words[i])
			return error_nomem();
		/* Behind its end nothing is a member. */
		if (!profile_type_size(kernel->profile, type, &bytes))
			continue;
		for (word = align_up(bytes, 8) / 8;
		     word < cache->object_bytes / 8; word++)
			bitmap_clear(cost->words[i], word);
	}
	return NULL;
}

static struct kml_error *make_type_words(struct path_cost *cost)
{
	cost->n_types = (uint32_t)cost->infer->types.records.size;
	cost->type_words = calloc(cost->n_types + 1ull,
				  sizeof(*cost->type_words));
	return cost->type_words ? NULL : error_nomem();
}

static struct kml_error *find_variables(struct path_cost *cost)
{
	const struct kernel *kernel = cost->kernel;
	const struct heap *heap = kernel->heap;
	enum heap_reference how;
	uint32_t i, id;

	cost->variables = bitmap_alloc(MAX(cost->graph->n_objects, 1));
	if (!cost->variables)
		return error_nomem();
	for (i = 0; i < heap->regions.size; i++) {
		const struct heap_region *r = &heap->regions.data[i];

		for (id = r->first_id;
		     r->flags & HEAP_ROOT && !(r->flags & HEAP_ALIAS) &&
		     id < r->first_id + r->n_objects;
		     id++)
			bitmap_set(cost->variables, id);
	}
	for (i = 0; i < kernel->modules.size; i++) {
		if (!kernel->modules.data[i].percpu)
			continue;
		id = heap_resolve(heap, kernel->modules.data[i].percpu, &how);
		if (id != HEAP_NONE && how == HEAP_REF_PERCPU)
			bitmap_set(cost->variables, id);
	}
	return NULL;
}

/* What chains go over: regularity is counted among these. */
static struct kml_error *find_regular(struct path_cost *cost,
				      const uint64_t *reached)
{
	uint32_t n = cost->graph->n_objects, id;
	_cleanup_free_ uint64_t *nodes = bitmap_alloc(MAX(n, 1));

	if (!nodes)
		return error_nomem();
	for (id = 0; id < n; id++) {
		if (bitmap_test(reached, id) &&
		    !bitmap_test(cost->kernel->heap->free, id))
			bitmap_set(nodes, id);
	}
	return regular_find(cost->kernel, cost->graph, nodes, &cost->regular);
}

struct kml_error *path_cost_init(struct path_cost *cost, struct kernel *kernel,
				 const struct graph *graph,
				 const struct infer *infer,
				 const uint64_t *reached)
{
	struct kml_error *error;

	*cost = (struct path_cost){
		.kernel = kernel, .graph = graph, .infer = infer,
	};
	error = find_regular(cost, reached);
	if (error) {
		memset(cost, 0, sizeof(*cost));
		return error;
	}
	error = regular_row_init(&cost->row, &cost->regular);
	if (!error)
		error = infer ? make_type_words(cost) :
				find_words(cost);
	if (!error)
		error = find_variables(cost);
	if (error)
		path_cost_deinit(cost);
	return error;
}

void path_cost_deinit(struct path_cost *cost)
{
	size_t i;

	if (!cost->kernel)
		return;
	for (i = 0; cost->words && i < cost->kernel->caches.size; i++)
		free(cost->words[i]);
	for (i = 0; cost->type_words && i < cost->n_types; i++)
		free(cost->type_words[i]);
	free(cost->words);
	free(cost->type_words);
	free(cost->variables);
	regular_row_deinit(&cost->row);
	regular_deinit(&cost->regular);
	memset(cost, 0, sizeof(*cost));
}

enum path_class path_root_class(const struct path_cost *cost, uint32_t source)
{
	static const uint8_t classes[ROOT_KINDS] = {
		[ROOT_SECTION] = PATH_SURE,
		[ROOT_MODULE] = PATH_SURE,
		[ROOT_PERCPU] = PATH_SURE,
		[ROOT_CODE] = PATH_SURE,
		[ROOT_RESERVED] = PATH_DOUBTFUL,
		[ROOT_REGISTERS] = PATH_DOUBTFUL,
		[ROOT_STACK] = PATH_DOUBTFUL,
		[ROOT_IRQ_STACK] = PATH_DOUBTFUL,
	};
	uint32_t root = graph_source_root(cost->graph, cost->kernel, source);

	return root == UINT32_MAX ?
		       PATH_DOUBTFUL :
		       classes[cost->kernel->roots.data[root].kind];
}

void path_cost_start(struct path_cost *cost, uint32_t id)
{
	regular_start(&cost->row, id);
}

void path_cost_end(struct path_cost *cost, uint32_t id)
{
	regular_end(&cost->row, id);
}

/* Does object @from refer to @to? */
static bool refers(const struct graph *graph, uint32_t from, uint32_t to)
{
	uint64_t i = graph->first[from], end = graph->first[from + 1ull];

	if (end - i > MAX_ANSWERS)
		return false;
	while (i < end && graph->edges[i].to != to)
		i++;
	return i < end;
}

/* What is known of a word of an object, as far as its type is. */
enum worth { UNTYPED, POINTER, NO_POINTER };

static enum worth worth_by_cache(const struct path_cost *cost, uint64_t word)
{
	const struct heap_region *r = cost->row.from;
	const uint64_t *words = r->kind == HEAP_SLAB && cost->words ?
					cost->words[r->owner] :
					NULL;

	if (!words)
		return UNTYPED;
	return word < cost->kernel->caches.data[r->owner].object_bytes / 8 &&
			       bitmap_test(words, word) ?
		       POINTER :
		       NO_POINTER;
}

static enum types_word type_word(struct path_cost *cost, uint32_t type,
				 uint64_t offset)
{
	const struct types *types = &cost->infer->types;
	uint64_t word = offset / 8, n = types_get(types, type)->size / 8 + 1ull;
	enum types_word found;

	if (word >= n)
		word = n - 1;
	if (!cost->type_words[type] && n <= MAX_TYPE_WORDS)
		cost->type_words[type] = calloc(n, 1);
	if (cost->type_words[type] && cost->type_words[type][word])
		return cost->type_words[type][word] - 1;
	found = types_word(types, type, offset, kernel_member_is_encoded);
	if (cost->type_words[type])
		cost->type_words[type][word] = (uint8_t)(found + 1);
	return found;
}

static enum worth worth_of(struct path_cost *cost, uint32_t id, uint64_t word)
{
	const struct infer *infer = cost->infer;
	enum types_word found;
	uint32_t type;

	if (word == GRAPH_WORD_NONE)
		return UNTYPED;
	if (!infer)
		return worth_by_cache(cost, word);
	if (!infer_is_known(infer, id))
		return UNTYPED;
	type = infer->type[id];
	if (types_get(&infer->types, type)->kind == TYPE_POINTER)
		return POINTER; /* an array of them */
	if (!types_is_struct(&infer->types, type) || type >= cost->n_types)
		return UNTYPED;
	found = type_word(cost, type,
			  graph_word_offset(cost->graph, cost->kernel, id,
					    (uint32_t)word));
	return found == TYPES_WORD_POINTER ? POINTER : NO_POINTER;
}

enum path_class path_object_class(struct path_cost *cost, uint32_t id,
				  const struct graph_edge *edge)
{
	uint64_t word = graph_edge_word(edge);
	enum word_sort sort;
	enum worth worth;

	if (bitmap_test(cost->variables, id))
		return PATH_SURE;
	worth = worth_of(cost, id, word);
	if (worth == NO_POINTER)
		return PATH_DOUBTFUL;
	sort = regular_sort(&cost->row, edge);
	if (sort == WORD_REGULAR)
		return PATH_SURE;
	if (sort == WORD_LOOKUP || graph_edge_how(edge) == HEAP_REF_PERCPU ||
	    graph_edge_how(edge) == HEAP_REF_PHYSICAL)
		return PATH_DOUBTFUL;
	if (word != GRAPH_WORD_NONE && refers(cost->graph, edge->to, id))
		return PATH_SURE;
	return worth == POINTER ? PATH_LIKELY : PATH_DOUBTFUL;
}
