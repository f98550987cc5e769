// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a module allocates is often one of its own structs: the only one of
 * them that can be what an object is.  Of a leak that nobody says who allocated,
 * one of a module that the user has named as one that may leak.
 */
#include <stdlib.h>

#include "base/map.h"
#include "base/util.h"
#include "leak/infer_object.h"

#define NO_MODULE UINT32_MAX
#define MAX_CANDIDATES 256u /* structs that are compared with an object */
#define MIN_EVIDENCE 2u     /* pointers of an object */
#define MAX_EDGES 1024u     /* of an object that are looked at */

struct own_struct {
	uint32_t type, module;
	uint64_t bytes;
	bool is_guessed; /* of what nobody says who allocated it: the user named
			    the module, as one that may leak */
	bool is_hint;    /* an answer: others fit, but leave bytes unexplained */
};

struct own {
	struct inference *i;
	VEC(struct own_struct) structs; /* by size */
	struct map known; /* of what looks alike: index into .answers */
	VEC(struct own_struct) answers; /* .type 0: none, or several */
};

static int compare_own(const void *a, const void *b)
{
	const struct own_struct *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	return (x->type > y->type) - (x->type < y->type);
}

static struct kml_error *list_own(struct own *own)
{
	const struct types *types = &own->i->out.types;
	size_t j;

	for (j = 0; j < types->ranges.size; j++) {
		const struct type_range *range = &types->ranges.data[j];
		uint32_t type;

		for (type = range->first; type < range->end; type++) {
			const struct type_info *record = types_get(types, type);
			const struct own_struct new = {
				.type = type, .module = range->module,
				.bytes = record->size,
				.is_guessed = range->named,
			};

			if (record->kind == TYPE_STRUCT && record->name &&
			    types_stands(types, type) &&
			    !vec_push(&own->structs, new))
				return error_nomem();
		}
	}
	if (own->structs.size)
		qsort(own->structs.data, own->structs.size,
		      sizeof(*own->structs.data), compare_own);
	return NULL;
}

/* Does a word of @from point to @offset of @to? */
static bool refers(const struct inference *i, uint32_t from, uint64_t word_at,
		   uint32_t to, uint64_t offset)
{
	const struct graph *graph = i->graph;
	uint64_t shift = infer_shift(i, from), j = graph->first[from];
	uint64_t end = MIN(graph->first[from + 1], j + MAX_EDGES);

	for (; j < end; j++) {
		const struct graph_edge *edge = &graph->edges[j];

		if (edge->to == to && graph->at[j] == offset &&
		    graph_edge_word(edge) * 8ull + shift == word_at)
			return true;
	}
	return false;
}

/* Where an object is on a list, or heads one (its neighbour points back to
 * just that place), has the type a list_head there, or the like? */
static bool has_links(struct inference *i, uint32_t id, uint32_t type)
{
	const struct graph *graph = i->graph;
	uint64_t shift = infer_shift(i, id), j = graph->first[id];
	uint64_t end = MIN(graph->first[id + 1], j + MAX_EDGES);

	for (; j < end; j++) {
		uint64_t at = graph->at[j], offset =
			graph_edge_word(&graph->edges[j]) * 8ull + shift;
		uint32_t to = graph->edges[j].to, target;
		bool overlaid;

		/* next->prev, or prev->next; of what begins with its own
		 * pointers it would say nothing */
		if (offset < 8 ||
		    !(refers(i, to, at + 8, id, offset) ||
		      (offset >= 16 && refers(i, to, at, id, offset - 8))))
			continue;
		if (!types_pointer_at(&i->out.types, type, offset, &target,
				      &overlaid) ||
		    !types_is_struct(&i->out.types, target) ||
		    !infer_is_generic(i, target))
			return false;
	}
	return true;
}

/* Has it a pointer for each word of the object that looks like one, and are
 * there any? */
static bool explains(struct own *own, uint32_t id, uint32_t type)
{
	unsigned explained = 0;
	uint32_t n, j, unused;
	uint64_t first;
	bool overlaid;

	if (!infer_words(own->i, id, &first, &n))
		return false;
	for (j = 0; j < n; j++) {
		enum word_class class = infer_word(own->i, first, j);

		if (class != WORD_HEAP && class != WORD_IMAGE)
			continue;
		if (!types_pointer_at(&own->i->out.types, type, j * 8ull,
				      &unused, &overlaid))
			return false;
		explained++;
	}
	return explained >= MIN_EVIDENCE && has_links(own->i, id, type);
}

/* Is nothing but zeroes behind it? What kzalloc() gives is so; what kmalloc()
 * gives may have more from its last user. */
static bool covers(struct own *own, uint32_t id, uint64_t bytes)
{
	uint32_t n, j;
	uint64_t first;

	if (!infer_words(own->i, id, &first, &n))
		return false;
	for (j = (uint32_t)MIN((bytes + 7) / 8, n); j < n; j++) {
		if (infer_word(own->i, first, j) != WORD_ZERO)
			return false;
	}
	return true;
}

/* The only one that can be what an object is; or the only one of these that
 * covers all that is in it. */
static struct own_struct find_fitting(struct own *own, uint32_t id,
				      uint32_t module)
{
	const struct own_struct *structs = own->structs.data;
	struct own_struct fitting = { 0 }, covering = { 0 };
	unsigned n_fitting = 0, n_covering = 0;
	struct infer_fit fit = infer_fit_of(own->i, id);
	size_t j = partition_point(own->structs.size, mid,
				   structs[mid].bytes <= fit.least);
	size_t end = MIN(own->structs.size, j + MAX_CANDIDATES);

	for (; j < end && structs[j].bytes <= fit.most; j++) {
		struct infer_match match;

		if (module == NO_MODULE ? !structs[j].is_guessed :
					  structs[j].module != module)
			continue;
		match = infer_check(own->i, id, structs[j].type);
		if (!infer_is_plausible(&match) ||
		    !explains(own, id, structs[j].type))
			continue;
		if (!n_fitting++)
			fitting = structs[j];
		if (covers(own, id, structs[j].bytes) && !n_covering++)
			covering = structs[j];
	}
	/* There are more than were looked at. */
	if (j == end && j < own->structs.size && structs[j].bytes <= fit.most)
		return (struct own_struct){ 0 };
	covering.is_hint = true;
	return n_fitting == 1  ? fitting :
	       n_covering == 1 ? covering :
				 (struct own_struct){ 0 };
}

/* What an object looks like: its cache, and which of its words are what. */
static uint64_t look_of(const struct inference *i, uint32_t id,
			uint32_t module)
{
	uint64_t look = mix_u64(mix_u64(infer_class(i, id)) ^ module), first;
	uint32_t n, j;

	if (!infer_words(i, id, &first, &n))
		return look;
	for (j = 0; j < n; j++)
		look = mix_u64(look ^ infer_word(i, first, j));
	return look;
}

/* What was no more than a hint, and is the same. */
static bool confirm(struct inference *i, uint32_t id, uint32_t type,
		    uint32_t module)
{
	if (i->out.type[id] != type)
		return false;
	i->out.confidence[id] = INFER_MEDIUM;
	i->n_changes++;
	i->out.reason[id] = INFER_BY_FIT;
	i->out.where[id] = module;
	return true;
}

static struct kml_error *decide(struct own *own, uint32_t id, uint32_t module)
{
	uint64_t look = look_of(own->i, id, module);
	struct own_struct answer;
	struct infer_match match;
	uint32_t at;

	if (map_find(&own->known, look, &at)) {
		answer = own->answers.data[at];
	} else {
		answer = find_fitting(own, id, module);
		if (!map_add(&own->known, look,
			     (uint32_t)own->answers.size) ||
		    !vec_push(&own->answers, answer))
			return error_nomem();
	}
	if (!answer.type || (!answer.is_hint && confirm(own->i, id, answer.type,
							answer.module)))
		return NULL;
	match = infer_check(own->i, id, answer.type);
	if (!infer_is_plausible(&match) || !has_links(own->i, id, answer.type))
		return NULL;
	return infer_decide(own->i, id, answer.type,
			    module == NO_MODULE || answer.is_hint ?
				    INFER_LOW :
				    INFER_MEDIUM,
			    module == NO_MODULE ? INFER_BY_GUESS : INFER_BY_FIT,
			    UINT32_MAX, answer.module);
}

/* False: nobody says whose it is. */
static bool find_module(const struct inference *i, uint32_t id, uint32_t *ret)
{
	struct sites *sites = i->options->sites;
	uint32_t place = sites ? sites_place(sites, id) : HEAP_NONE;
	const char *name =
		place == HEAP_NONE ? NULL : sites_module(sites, place);

	if (!name)
		return false;
	*ret = name[0] ? kernel_find_module(i->kernel, name) : NO_MODULE;
	return true;
}

static bool is_leaked(const struct inference *i, uint32_t id)
{
	return i->options->reached && !bitmap_test(i->options->reached, id);
}

struct kml_error *infer_by_own(struct inference *i)
{
	struct own own = { .i = i };
	struct kml_error *error = list_own(&own);
	uint32_t id, module;

	for (id = 0; !error && own.structs.size && id < i->out.n_objects;
	     id++) {
		bool is_open = infer_is_open(i, id);

		if (!is_open && i->out.confidence[id] != INFER_LOW)
			continue;
		/* Of leaks some guess is better than none; of what is live
		 * most is the kernel's, and would be guessed wrong. */
		if (!find_module(i, id, &module)) {
			if (is_open && is_leaked(i, id))
				error = decide(&own, id, NO_MODULE);
		} else if (module != NO_MODULE) {
			error = decide(&own, id, module);
		}
	}
	vec_deinit(&own.structs);
	vec_deinit(&own.answers);
	map_deinit(&own.known);
	return error;
}
