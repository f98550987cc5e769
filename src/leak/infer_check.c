// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands against a type: the size of the slot, and what is in the object. */
#include <string.h>

#include "base/util.h"
#include "leak/infer_object.h"

struct infer_fit infer_fit_of(const struct inference *i, uint32_t id)
{
	const struct heap_region *r = infer_region(i, id);
	struct infer_fit fit = { .open = true };
	uint64_t bytes;

	if (r->kind == HEAP_SLAB)
		return i->cache_fit[r->owner];
	bytes = fit.most = heap_object_bytes(i->kernel->heap, id);
	switch (r->kind) {
	case HEAP_PAGES:
		fit.least = bytes / 2;
		break;
	case HEAP_PERCPU:
		fit.least = bytes - MIN(bytes, 16);
		break;
	default:
		fit.least = bytes - MIN(bytes, 4096);
	}
	if (r->flags & HEAP_ROOT)
		fit.open = false;
	return fit;
}

enum infer_size infer_size(const struct inference *i,
			   const struct infer_fit *fit, uint32_t type)
{
	uint64_t bytes = types_get(&i->out.types, type)->size;

	/* An array, or as many as are needed. */
	if (!types_is_struct(&i->out.types, type) || type == i->cpumask)
		return INFER_WHOLE;
	if (!bytes || bytes > fit->most)
		return INFER_TOO_LARGE;
	return bytes > fit->least || types_is_open(&i->out.types, type) ?
		       INFER_WHOLE :
		       INFER_PART;
}

/* Words where the type has pointers, or cannot have any. */
static bool match_words(struct inference *i, uint32_t id, uint32_t type,
			struct infer_match *match)
{
	const struct type_pointers *p = types_pointers(&i->out.types, type);
	uint32_t n, j;
	uint64_t first;

	if (!p || !infer_words(i, id, &first, &n))
		return false;
	for (j = 0; j < p->n && p->pointers[j].offset / 8 < n; j++) {
		const struct type_pointer *pointer = &p->pointers[j];
		enum word_class class =
			infer_word(i, first, pointer->offset / 8);

		if (!pointer->target || pointer->overlaid || class == WORD_ZERO)
			continue;
		if (class == WORD_IMAGE ||
		    (class == WORD_HEAP &&
		     types_get(&i->out.types, pointer->target)->kind !=
			     TYPE_FUNCTION))
			match->good++;
		else
			match->bad++;
	}
	for (j = 0; j < MIN(n, p->n_words); j++) {
		enum word_class class = infer_word(i, first, j);

		if (bitmap_test(p->integers, j) &&
		    (class == WORD_HEAP || class == WORD_IMAGE))
			match->bad++;
	}
	return true;
}

/* A pointer of @type at @offset, to an object of @to at @at. */
static void match_pointer(struct inference *i, uint32_t type, uint64_t offset,
			  uint32_t to, uint32_t at, struct infer_match *match)
{
	struct types *types = &i->out.types;
	bool overlaid;
	uint32_t target;

	if (!types_pointer_at(types, type, offset, &target, &overlaid) ||
	    !types_is_struct(types, target) || infer_is_generic(i, target))
		return;
	if (types_embeds(types, to, at, target) ||
	    (!at && types_embeds(types, target, 0, to)))
		match->matches++;
	else if (!overlaid && at < types_get(types, to)->size)
		match->bad++;
}

static void match_edges(struct inference *i, uint32_t id, uint32_t type,
			struct infer_match *match)
{
	const struct graph *graph = i->graph;
	uint64_t shift = infer_shift(i, id), j;

	for (j = graph->first[id]; j < graph->first[id + 1]; j++) {
		const struct graph_edge *edge = &graph->edges[j];

		if (i->out.confidence[edge->to] < INFER_MEDIUM ||
		    graph_edge_how(edge) != HEAP_REF_ADDRESS ||
		    graph->at[j] == GRAPH_AT_UNKNOWN)
			continue;
		match_pointer(i, type, graph_edge_word(edge) * 8ull + shift,
			      i->out.type[edge->to], graph->at[j], match);
	}
}

static void match_symbols(struct inference *i, uint32_t id, uint32_t type,
			  struct infer_match *match)
{
	struct types *types = &i->out.types;
	const struct infer_symbol *symbols;
	size_t n, j;

	symbols = infer_symbols(i, id, &n);
	for (j = 0; j < n; j++) {
		bool overlaid;
		uint32_t target;

		if (!symbols[j].type ||
		    !types_pointer_at(types, type, symbols[j].offset, &target,
				      &overlaid) || !target)
			continue;
		/* A pointer to a pointer, as pprev of a hlist_node: to the
		 * first one of a struct. */
		if (types_get(types, target)->kind == TYPE_POINTER)
			continue;
		if (target == symbols[j].type)
			match->matches++;
		else if (types_is_struct(types, target) !=
				 types_is_struct(types, symbols[j].type) ||
			 (!overlaid && types_is_struct(types, target) &&
			  !infer_is_generic(i, target)))
			match->bad++;
	}
}

/* An array of pointers, or of integers; a char * leads to a string. */
static struct infer_match match_array(const struct inference *i, uint32_t id,
				      const struct type_info *element)
{
	struct infer_match match = { 0 };
	bool pointers = element->kind == TYPE_POINTER;
	uint64_t first;
	uint32_t n, j;

	if (!infer_words(i, id, &first, &n))
		return match;
	for (j = 0; j < n; j++) {
		enum word_class class = infer_word(i, first, j);

		if (class == WORD_ZERO)
			continue;
		if (pointers == (class != WORD_NUMBER))
			match.good += pointers;
		else
			match.bad++;
	}
	if (element->size == 1 && !strcmp(types_name(&i->out.types,
			(uint32_t)(element - i->out.types.records.data)),
					  "char")) {
		match.bad += !bitmap_test(i->text, id);
		match.good += bitmap_test(i->text, id) ? 2 : 0;
	}
	return match;
}

struct infer_match infer_check(struct inference *i, uint32_t id, uint32_t type)
{
	struct infer_match match = { 0 };

	if (!types_is_struct(&i->out.types, type))
		return match_array(i, id, types_get(&i->out.types, type));
	match_words(i, id, type, &match);
	match_edges(i, id, type, &match);
	match_symbols(i, id, type, &match);
	return match;
}

bool infer_is_plausible(const struct infer_match *match)
{
	return match->bad * 8 <= match->good + 2 * match->matches;
}
