// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/page_frag.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "graph/overrides.h"

/* Pages have no more references than fit into that (PAGE_FRAG_CACHE_MAX_SIZE
 * and what fragments there are). */
#define MAX_BIAS (1u << 17)

struct search {
	struct kernel *kernel;
	const struct graph *graph;
	struct infer *infer;
	uint32_t type;       /* struct page_frag_cache */
	uint64_t page_at;    /* where it has the address... */
	uint64_t bias_at;    /* ... and the count, of so many bytes */
	unsigned bias_bytes;
	uint64_t *has;       /* a bit per type: one of them is in it */
	struct page_frags found;
};

static bool find_layout(struct search *s)
{
	const struct types *types = &s->infer->types;
	uint32_t member;

	s->type = types_find_one(types, "page_frag_cache");
	if (!s->type ||
	    (!types_member(types, s->type, "va", &s->page_at, &member) &&
	     !types_member(types, s->type, "encoded_page", &s->page_at,
			   &member)) ||
	    !types_member(types, s->type, "pagecnt_bias", &s->bias_at, &member))
		return false;
	s->bias_bytes = types_get(types, member)->size;
	return s->bias_bytes == 2 || s->bias_bytes == 4;
}

static struct kml_error *find_types(struct search *s)
{
	const struct types *types = &s->infer->types;
	uint32_t type, n = (uint32_t)types->records.size;
	uint64_t at;

	s->has = bitmap_alloc(n + 1ull);
	if (!s->has)
		return error_nomem();
	for (type = 1; type < n; type++) {
		if (types_is_struct(types, type) &&
		    types_find_inner(types, type, s->type, &at))
			bitmap_set(s->has, type);
	}
	return NULL;
}

/* A word of a struct of @type, at @offset, refers to a block of pages. */
static struct kml_error *look_at_word(struct search *s, uint32_t type,
				      uint64_t offset, uint64_t va, uint32_t to)
{
	struct page_frag frag = { .id = to, .word_va = va };
	struct kml_error *error;

	if (!bitmap_test(s->has, type) || offset < s->page_at ||
	    heap_region_of(s->kernel->heap, to)->kind != HEAP_PAGES ||
	    !heap_is_allocated(s->kernel->heap, to) ||
	    !types_embeds(&s->infer->types, type, offset - s->page_at, s->type))
		return NULL;
	error = kernel_read_uint(s->kernel, va - s->page_at + s->bias_at,
				 s->bias_bytes, &frag.bias);
	if (error)
		return kernel_forgive(s->kernel, error, "page fragments", va);
	if (!frag.bias || frag.bias > MAX_BIAS)
		return NULL;
	return vec_push(&s->found.all, frag) ? NULL : error_nomem();
}

static struct kml_error *look_at_root(struct search *s, uint32_t source,
				      const struct kernel_root *root)
{
	const struct graph *graph = s->graph;
	struct kml_error *error = NULL;
	uint64_t i, link;

	for (i = graph->first[source]; !error && i < graph->first[source + 1ull];
	     i++) {
		const struct graph_edge *edge = &graph->edges[i];
		const struct type_variable *variable;
		uint64_t va = root->start_va +
			      graph_word_offset(graph, s->kernel, source,
						graph_edge_word(edge));

		if (graph_edge_how(edge) != HEAP_REF_ADDRESS ||
		    !kernel_root_link(s->kernel, root, va, &link))
			continue;
		variable = types_variable(&s->infer->types, link);
		if (variable)
			error = look_at_word(s, variable->type,
					     link - variable->address, va,
					     edge->to);
	}
	return error;
}

static struct kml_error *look_at_object(struct search *s, uint32_t id)
{
	const struct graph *graph = s->graph;
	struct kml_error *error = NULL;
	uint64_t i, offset, va;

	if (s->infer->confidence[id] < INFER_MEDIUM ||
	    !bitmap_test(s->has, s->infer->type[id]) ||
	    heap_region_of(s->kernel->heap, id)->kind == HEAP_PERCPU)
		return NULL;
	va = heap_object_va(s->kernel->heap, id);
	for (i = graph->first[id]; !error && i < graph->first[id + 1ull]; i++) {
		const struct graph_edge *edge = &graph->edges[i];

		if (graph_edge_how(edge) != HEAP_REF_ADDRESS ||
		    graph_edge_word(edge) == GRAPH_WORD_NONE)
			continue;
		offset = graph_word_offset(graph, s->kernel, id,
					   graph_edge_word(edge));
		error = look_at_word(s, s->infer->type[id], offset, va + offset,
				     edge->to);
	}
	return error;
}

static int compare(const void *a, const void *b)
{
	const struct page_frag *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->word_va > y->word_va) - (x->word_va < y->word_va);
}

/* A block that several claim is none that can be told anything of. */
static void tidy(struct page_frags *frags)
{
	size_t i, n = 0;

	if (frags->all.size)
		qsort(frags->all.data, frags->all.size,
		      sizeof(*frags->all.data), compare);
	for (i = 0; i < frags->all.size; i++) {
		const struct page_frag *frag = &frags->all.data[i];

		if ((i && frag[-1].id == frag->id) ||
		    (i + 1 < frags->all.size && frag[1].id == frag->id))
			continue;
		frags->all.data[n++] = *frag;
	}
	frags->all.size = n;
}

struct kml_error *page_frags_find(struct kernel *kernel,
				  const struct graph *graph,
				  struct infer *infer, struct page_frags *ret)
{
	struct search s = {
		.kernel = kernel, .graph = graph, .infer = infer,
	};
	struct kml_error *error = NULL;
	uint32_t i;

	if (find_layout(&s)) {
		error = find_types(&s);
		for (i = 0; !error && i < kernel->roots.size; i++)
			error = look_at_root(&s, graph->n_objects + i,
					     &kernel->roots.data[i]);
		for (i = 0; !error && i < graph->n_objects; i++)
			error = look_at_object(&s, i);
	}
	free(s.has);
	if (error) {
		page_frags_deinit(&s.found);
		return error;
	}
	tidy(&s.found);
	*ret = s.found;
	return NULL;
}

void page_frags_deinit(struct page_frags *frags)
{
	vec_deinit(&frags->all);
}

const struct page_frag *page_frags_get(const struct page_frags *frags,
				       uint32_t id)
{
	size_t lo = partition_point(frags->all.size, mid,
				    frags->all.data[mid].id < id);

	return lo < frags->all.size && frags->all.data[lo].id == id ?
		       &frags->all.data[lo] :
		       NULL;
}
