// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is on a list, or in a tree.  Their links say only that something has a
 * list_head there; but all of it is of one type.  So what the elements whose
 * type is known are, the others are as well; and where it is a module's own
 * variable or struct that heads the list, and just one of the module's own
 * structs can be what is on it, it is that.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/util.h"
#include "graph/overrides.h"
#include "leak/infer_list.h"

#define MAX_DEPTH 24u
#define MAX_LINK_BYTES 24u

static size_t find_names(const struct types *types, const char *const *names,
			 size_t n_names, uint32_t *ret)
{
	size_t found = 0, j;

	for (j = 0; j < n_names; j++) {
		uint32_t type = types_find_one(types, names[j]);

		if (type)
			ret[found++] = type;
	}
	return found;
}

static void find_links(struct lists *l)
{
	static const char *const links[] = {
		"list_head", "hlist_node", "hlist_nulls_node",
		"hlist_bl_node", "rb_node", "llist_node",
	};
	static const char *const heads[] = {
		"hlist_head", "hlist_nulls_head", "hlist_bl_head", "rb_root",
		"rb_root_cached", "llist_head",
	};
	const struct types *types = &l->i->out.types;

	_Static_assert(ARRAY_SIZE(links) <= MAX_LINKS &&
			       ARRAY_SIZE(heads) <= MAX_LINKS,
		       "there is no room");
	l->n_links = find_names(types, links, ARRAY_SIZE(links), l->links);
	l->n_heads = find_names(types, heads, ARRAY_SIZE(heads), l->heads);
}

static bool is_one_of(const uint32_t *set, size_t n, uint32_t type)
{
	size_t j;

	for (j = 0; j < n && set[j] != type; j++)
		;
	return j < n;
}

static bool is_link(const struct lists *l, uint32_t type)
{
	return is_one_of(l->links, l->n_links, type);
}

static bool is_alike(const struct inference *i, uint32_t a, uint32_t b)
{
	return infer_class(i, a) == infer_class(i, b);
}

/* ---- walking */

static struct kml_error *add_element(struct lists *l, uint32_t list,
				     uint32_t id)
{
	struct element element = { list, id };

	if (bitmap_test(l->seen, id) ||
	    !heap_is_allocated(l->i->kernel->heap, id))
		return NULL;
	bitmap_set(l->seen, id);
	return vec_push(&l->elements, element) ? NULL : error_nomem();
}

/* Lists of one kind follow one another: a table of heads, or their owners. */
static bool find_list(const struct lists *l, const struct list *list,
		      uint32_t *ret)
{
	size_t n = l->lists.size, j;

	for (j = n; j > n - MIN(n, 64); j--) {
		const struct list *other = &l->lists.data[j - 1];

		if (other->head_type != list->head_type ||
		    other->head_at != list->head_at ||
		    other->link != list->link || other->at != list->at ||
		    other->module != list->module ||
		    !is_alike(l->i, other->example, list->example))
			continue;
		*ret = (uint32_t)(j - 1);
		return true;
	}
	return false;
}

static uint32_t module_of_type(const struct types *types, uint32_t type)
{
	const struct type_range *ranges = types->ranges.data;
	size_t low = partition_point(types->ranges.size, mid,
				     ranges[mid].first <= type);

	return low && type < ranges[low - 1].end ? ranges[low - 1].module :
						   NO_MODULE;
}

/* Is what @offset of a type heads the module's own, not in a struct of the
 * kernel, as a timer's or a mutex' link? */
static bool is_own(const struct lists *l, uint32_t type, uint64_t offset,
		   uint32_t module)
{
	const struct types *types = &l->i->out.types;
	unsigned depth;

	for (depth = 0; depth < MAX_DEPTH && type; depth++) {
		if (types_get(types, type)->kind == TYPE_POINTER)
			return true;
		if (types_is_struct(types, type) &&
		    types_get(types, type)->name && !is_link(l, type) &&
		    !is_one_of(l->heads, l->n_heads, type) &&
		    module_of_type(types, type) != module)
			return false;
		type = types_step(types, type, &offset);
	}
	return false;
}

/* A word of type @pointed_by at @offset of that is the edge: does it head a
 * list? */
static struct kml_error *add_head(struct lists *l, uint64_t edge_index,
				  uint32_t pointed_by, uint64_t offset,
				  const struct list *about)
{
	const struct graph_edge *edge = &l->i->graph->edges[edge_index];
	struct list list = *about;
	uint32_t index;
	bool overlaid;

	list.at = l->i->graph->at[edge_index];
	list.example = edge->to;
	if (graph_edge_word(edge) == GRAPH_WORD_NONE ||
	    graph_edge_how(edge) != HEAP_REF_ADDRESS ||
	    list.at == GRAPH_AT_UNKNOWN ||
	    !types_pointer_at(&l->i->out.types, pointed_by, offset, &list.link,
			      &overlaid) ||
	    !is_link(l, list.link) || !infer_fit_of(l->i, edge->to).open)
		return NULL;
	if (!is_own(l, pointed_by, offset, list.module))
		list.module = NO_MODULE;
	if (!find_list(l, &list, &index)) {
		index = (uint32_t)l->lists.size;
		if (!vec_push(&l->lists, list))
			return error_nomem();
	}
	return add_element(l, index, edge->to);
}

/* To the elements that an element's link leads to. */
static struct kml_error *follow_link(struct lists *l,
				     const struct element *element)
{
	const struct graph *graph = l->i->graph;
	const struct list *list = &l->lists.data[element->list];
	uint64_t shift = infer_shift(l->i, element->id), j;
	uint64_t end = list->at +
		       types_get(&l->i->out.types, list->link)->size;
	struct kml_error *error = NULL;

	for (j = graph->first[element->id];
	     !error && j < graph->first[element->id + 1]; j++) {
		const struct graph_edge *edge = &graph->edges[j];
		uint64_t offset = graph_edge_word(edge) * 8ull + shift;

		if (graph_edge_word(edge) != GRAPH_WORD_NONE &&
		    offset >= list->at && offset < end &&
		    graph_edge_how(edge) == HEAP_REF_ADDRESS &&
		    graph->at[j] == list->at &&
		    is_alike(l->i, element->id, edge->to))
			error = add_element(l, element->list, edge->to);
	}
	return error;
}

/* ---- heads */

static struct kml_error *add_variables(struct lists *l, uint32_t source,
				       uint64_t start_va)
{
	struct inference *i = l->i;
	const struct graph *graph = i->graph;
	struct list about = { .from = source, .module = NO_MODULE };
	struct kml_error *error = NULL;
	uint64_t j;

	for (j = graph->first[source]; !error && j < graph->first[source + 1];
	     j++) {
		uint64_t va = graph_word_va(graph, i->kernel, source,
					    graph_edge_word(&graph->edges[j]));
		uint64_t link = va - i->kernel->kaslr_offset;
		const struct type_variable *variable =
			va ? types_variable(&i->out.types, link) : NULL;

		if (!variable)
			continue;
		about.head_at = (uint32_t)(variable -
					   i->out.types.variables.data);
		about.where = (uint32_t)(va - start_va);
		error = add_head(l, j, variable->type, link - variable->address,
				 &about);
	}
	return error;
}

static struct kml_error *add_module_variable(struct inference *i, void *arg,
					     const struct infer_module_word *word)
{
	const struct list about = {
		.from = word->source, .where = (uint32_t)word->where,
		.head_at = (uint32_t)(word->variable -
				      i->out.types.variables.data),
		.module = word->module,
	};

	return add_head(arg, word->edge, word->variable->type, word->offset,
			&about);
}

/* Heads in a module's own structs, or in what these point to: tables. */
static struct kml_error *add_members(struct lists *l, uint32_t source,
				     uint32_t type, uint32_t module)
{
	struct inference *i = l->i;
	const struct graph *graph = i->graph;
	uint64_t shift = infer_shift(i, source), j;
	uint64_t bytes = types_get(&i->out.types, type)->size;
	struct kml_error *error = NULL;
	struct list about = {
		.from = source, .head_type = type, .module = module,
	};

	for (j = graph->first[source]; bytes && !error &&
				       j < graph->first[source + 1]; j++) {
		uint64_t offset = graph_edge_word(&graph->edges[j]) * 8ull +
				  shift;

		about.where = (uint32_t)offset;
		/* Of a table all heads are alike. */
		about.head_at = (uint32_t)(offset % bytes);
		if (about.head_at - graph->at[j] < MAX_LINK_BYTES &&
		    is_alike(i, source, graph->edges[j].to))
			continue; /* its own link */
		error = add_head(l, j, type, about.head_at, &about);
	}
	return error;
}

/* A table of heads: a pointer in @source to a list_head at the start of it. */
static struct kml_error *add_tables(struct lists *l, uint32_t source,
				    uint32_t type, uint32_t module)
{
	struct inference *i = l->i;
	const struct graph *graph = i->graph;
	uint64_t shift = infer_shift(i, source), j;
	struct kml_error *error = NULL;

	for (j = graph->first[source]; !error && j < graph->first[source + 1];
	     j++) {
		const struct graph_edge *edge = &graph->edges[j];
		uint32_t head, unused;
		bool overlaid;

		if (graph_edge_word(edge) == GRAPH_WORD_NONE || graph->at[j] ||
		    !types_pointer_at(&i->out.types, type,
				      graph_edge_word(edge) * 8ull + shift,
				      &head, &overlaid) ||
		    !types_is_struct(&i->out.types, head) ||
		    !infer_is_generic(i, head) || is_link(l, head) ||
		    !types_pointer_at(&i->out.types, head, 0, &unused,
				      &overlaid) ||
		    (i->out.type[edge->to] && i->out.type[edge->to] != head))
			continue;
		if (infer_is_open(i, edge->to))
			error = infer_decide(i, edge->to, head, INFER_MEDIUM,
					     INFER_BY_POINTER, source,
					     graph_edge_word(edge) * 8 +
						     (uint32_t)shift);
		if (!error)
			error = add_members(l, edge->to, head, module);
	}
	return error;
}

static struct kml_error *find_heads(struct lists *l)
{
	struct inference *i = l->i;
	struct kml_error *error = NULL;
	uint32_t id, module;
	size_t j;

	for (j = 0; !error && j < i->kernel->roots.size; j++) {
		const struct kernel_root *root = &i->kernel->roots.data[j];

		if (root->kind == ROOT_SECTION)
			error = add_variables(l, i->graph->n_objects +
							 (uint32_t)j,
					      root->start_va);
	}
	if (!error)
		error = infer_each_module_word(i, add_module_variable, l);
	for (id = 0; !error && i->out.types.ranges.size &&
		     id < i->graph->n_objects; id++) {
		uint32_t type = i->out.type[id];

		if (i->out.confidence[id] < INFER_MEDIUM ||
		    !types_is_struct(&i->out.types, type))
			continue;
		module = module_of_type(&i->out.types, type);
		if (module == NO_MODULE)
			continue;
		error = add_members(l, id, type, module);
		if (!error)
			error = add_tables(l, id, type, module);
	}
	return error;
}

struct kml_error *infer_by_list(struct inference *i)
{
	struct lists l = { .i = i };
	struct kml_error *error = NULL;
	size_t j;

	l.seen = bitmap_alloc(i->graph->n_objects);
	if (!l.seen)
		return error_nomem();
	find_links(&l);
	error = find_heads(&l);
	for (j = 0; !error && j < l.elements.size; j++) {
		struct element element = l.elements.data[j];

		error = follow_link(&l, &element);
	}
	if (!error)
		error = infer_list_types(&l);
	free(l.seen);
	vec_deinit(&l.lists);
	vec_deinit(&l.elements);
	return error;
}
