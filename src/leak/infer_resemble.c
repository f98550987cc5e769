// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects that no typed pointer reaches, by what they have in common with
 * those that have a type, or with the type itself.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "graph/overrides.h"
#include "leak/infer_object.h"

#define MAX_PIECES 32u     /* of evidence that are looked at of an object */
#define MAX_CANDIDATES 512u /* types that one of them leaves */
#define MANY 4u            /* examples that make a rule */
#define FEW_OTHERS 20u     /* one exception to so many */
#define AHEAD 16u          /* memory is asked for so many references ahead */

/* ---- what is where, of which type */

/* Of all examples with a key: the type of most, and how many are not of it. */
struct tally {
	uint64_t key; /* 0: free */
	uint32_t type, n, others;
};

struct tallies {
	struct tally *slots;
	size_t n_slots, n_used;
};

static uint64_t key_of(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return mix_u64(mix_u64(mix_u64(a ^ d << 32) ^ b) ^ c) | 1;
}

static struct tally *find_slot(const struct tallies *t, uint64_t key)
{
	size_t mask = t->n_slots - 1, j = key >> 1 & mask;

	while (t->slots[j].key && t->slots[j].key != key)
		j = (j + 1) & mask;
	return &t->slots[j];
}

static bool grow(struct tallies *t)
{
	struct tallies bigger = { .n_slots = MAX(t->n_slots * 2, 1024),
				  .n_used = t->n_used };
	size_t j;

	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (j = 0; j < t->n_slots; j++)
		if (t->slots[j].key)
			*find_slot(&bigger, t->slots[j].key) = t->slots[j];
	free(t->slots);
	*t = bigger;
	return true;
}

static bool tally_add(struct tallies *t, uint64_t key, uint32_t type)
{
	struct tally *tally;

	if (t->n_used * 2 >= t->n_slots && !grow(t))
		return false;
	tally = find_slot(t, key);
	if (!tally->key) {
		t->n_used++;
		tally->key = key;
	}
	if (!tally->n)
		tally->type = type;
	if (tally->type == type) {
		tally->n++;
	} else {
		/* A majority vote; those that were taken away count. */
		tally->n--;
		tally->others++;
	}
	return true;
}

static const struct tally *tally_find(const struct tallies *t, uint64_t key)
{
	const struct tally *tally;

	if (!t->n_slots)
		return NULL;
	tally = find_slot(t, key);
	return tally->key && tally->n > tally->others * FEW_OTHERS ? tally :
								     NULL;
}

static bool is_example(const struct inference *i, uint32_t id)
{
	return i->out.confidence[id] >= INFER_MEDIUM;
}

/* Decide for a type unless what is in the object speaks against it. */
static struct kml_error *try(struct inference *i, uint32_t id, uint32_t type,
			     enum infer_confidence confidence,
			     enum infer_reason reason, uint32_t from,
			     uint32_t where)
{
	struct infer_fit fit = infer_fit_of(i, id);
	struct infer_match match;

	if (infer_size(i, &fit, type) == INFER_TOO_LARGE)
		return NULL;
	match = infer_check(i, id, type);
	if (!infer_is_plausible(&match))
		return NULL;
	/* A hint that nothing in the object speaks for is none. */
	if (confidence == INFER_LOW && !match.good && !match.matches)
		return NULL;
	return infer_decide(i, id, type, confidence, reason, from, where);
}

/* ---- by the place where it is found */

/*
 * A place: a word of a type, how far into the object it points, and what size
 * that object is of.  So is the element of a list known from other elements,
 * and what a void pointer leads to.
 */
struct place {
	uint64_t key;
	uint32_t to, offset;
};

/* What was a key made of?  Objects of a type have the same ones again. */
struct recent_key {
	uint64_t key; /* 0: none yet */
	uint64_t where, class;
	uint32_t type;
};

struct places {
	struct tallies tallies;
	struct recent_key recent[256];
};

static uint64_t place_key(struct places *places, uint32_t type,
			  uint32_t offset, uint32_t at, uint64_t class)
{
	uint64_t where = (uint64_t)offset << 32 | at;
	struct recent_key *recent =
		&places->recent[(offset / 8 + type) %
				ARRAY_SIZE(places->recent)];

	if (!recent->key || recent->where != where || recent->type != type ||
	    recent->class != class)
		*recent = (struct recent_key){ key_of(type, where, class, 0),
					       where, class, type };
	return recent->key;
}

static bool place_of(const struct inference *i, struct places *places,
		     uint32_t source, uint64_t j, uint64_t shift,
		     struct place *ret)
{
	const struct graph_edge *edge = &i->graph->edges[j];
	const struct heap_region *r;

	ret->to = edge->to;
	ret->offset = (uint32_t)(graph_edge_word(edge) * 8ull + shift);
	if (graph_edge_word(edge) == GRAPH_WORD_NONE ||
	    graph_edge_how(edge) != HEAP_REF_ADDRESS ||
	    i->graph->at[j] == GRAPH_AT_UNKNOWN ||
	    ret->offset >= types_get(&i->out.types, i->out.type[source])->size ||
	    !heap_is_allocated(i->kernel->heap, edge->to))
		return false;
	/* Of a cache whose objects' type is known there is nothing to learn. */
	r = infer_region(i, edge->to);
	if (r->kind == HEAP_SLAB && !i->cache_fit[r->owner].open)
		return false;
	ret->key = place_key(places, i->out.type[source], ret->offset,
			     i->graph->at[j], infer_class_in(i, r, edge->to));
	return true;
}

static void ask_for(const struct inference *i, uint32_t id)
{
	const struct heap *heap = i->kernel->heap;

	__builtin_prefetch(&i->out.confidence[id]);
	__builtin_prefetch(&heap->regions.data[heap->id_page[id / HEAP_ID_PAGE]]);
}

/* Call @fn for each place that is of a typed object, and leads to an example or
 * to an object without a type. */
static struct kml_error *
for_each_place(struct inference *i, struct places *places, bool examples,
	       struct kml_error *(*fn)(struct inference *i,
				       struct tallies *tallies, uint32_t source,
				       const struct place *place))
{
	const struct graph *graph = i->graph;
	struct kml_error *error = NULL;
	struct place place;
	uint64_t shift, j;
	uint32_t id, to;

	for (id = 0; !error && id < graph->n_objects; id++) {
		if (!is_example(i, id) || graph->first[id] == graph->first[id + 1])
			continue;
		shift = infer_shift(i, id);
		for (j = graph->first[id]; !error && j < graph->first[id + 1];
		     j++) {
			to = graph->edges[j].to;
			if (j + AHEAD < graph->n_edges)
				ask_for(i, graph->edges[j + AHEAD].to);
			/* Most of them need no closer look. */
			if ((examples ? is_example(i, to) :
				       !i->out.confidence[to]) &&
			    place_of(i, places, id, j, shift, &place))
				error = fn(i, &places->tallies, id, &place);
		}
	}
	return error;
}

static struct kml_error *learn_place(struct inference *i,
				     struct tallies *tallies, uint32_t source,
				     const struct place *place)
{
	(void)source;
	return tally_add(tallies, place->key, i->out.type[place->to]) ?
		       NULL :
		       error_nomem();
}

/* On a list: the next one is like this one, if no head is met. */
static bool is_link(struct inference *i, uint32_t source,
		    const struct place *place)
{
	bool overlaid;
	uint32_t target;

	return types_pointer_at(&i->out.types, i->out.type[source],
				place->offset, &target, &overlaid) &&
	       types_is_struct(&i->out.types, target) &&
	       infer_is_generic(i, target) &&
	       infer_class(i, source) == infer_class(i, place->to);
}

static struct kml_error *use_place(struct inference *i,
				   struct tallies *tallies, uint32_t source,
				   const struct place *place)
{
	const struct tally *tally;
	enum infer_confidence confidence;

	if (!infer_is_open(i, place->to))
		return NULL;
	tally = tally_find(tallies, place->key);
	if (tally) {
		confidence = tally->n >= MANY ? INFER_MEDIUM : INFER_LOW;
		return try(i, place->to, tally->type, confidence,
			   INFER_BY_PLACE, source, place->offset);
	}
	if (is_link(i, source, place))
		return try(i, place->to, i->out.type[source], INFER_LOW,
			   INFER_BY_PLACE, source, place->offset);
	return NULL;
}

struct kml_error *infer_by_place(struct inference *i)
{
	struct places places = { .recent = { { 0 } } };
	struct kml_error *error;

	error = for_each_place(i, &places, true, learn_place);
	if (!error)
		error = for_each_place(i, &places, false, use_place);
	free(places.tallies.slots);
	return error;
}

/* ---- by the symbols that it refers to */

static uint64_t symbol_key(const struct inference *i,
			   const struct infer_symbol *symbol)
{
	return key_of(infer_class(i, symbol->id), symbol->offset, symbol->va, 1);
}

/* What the symbols of an object, n of them, say together. */
static struct kml_error *use_symbols(struct inference *i,
				     const struct tallies *tallies,
				     const struct infer_symbol *symbols,
				     size_t n)
{
	unsigned agree = 0, examples = 0, where = 0;
	uint32_t id = symbols[0].id, type = 0;
	size_t j;

	for (j = 0; j < n; j++) {
		const struct tally *tally =
			tally_find(tallies, symbol_key(i, &symbols[j]));

		if (!tally)
			continue;
		if (type && tally->type != type)
			return NULL;
		if (!type)
			where = symbols[j].offset;
		type = tally->type;
		examples += tally->n;
		agree++;
	}
	if (!type)
		return NULL;
	return try(i, id, type,
		   agree >= 2 || examples >= MANY ? INFER_MEDIUM : INFER_LOW,
		   INFER_BY_SYMBOLS, UINT32_MAX, where);
}

struct kml_error *infer_by_symbols(struct inference *i)
{
	struct tallies tallies = { 0 };
	struct kml_error *error = NULL;
	size_t from, to;

	for (from = 0; from < i->symbols.size; from++) {
		const struct infer_symbol *symbol = &i->symbols.data[from];

		if (is_example(i, symbol->id) &&
		    symbol->offset < types_get(&i->out.types,
					       i->out.type[symbol->id])->size &&
		    !tally_add(&tallies, symbol_key(i, symbol),
			       i->out.type[symbol->id]))
			error = error_nomem();
	}
	for (from = 0; !error && from < i->symbols.size; from = to) {
		uint32_t id = i->symbols.data[from].id;

		for (to = from; to < i->symbols.size &&
				i->symbols.data[to].id == id; to++)
			;
		if (infer_is_open(i, id))
			error = use_symbols(i, &tallies, &i->symbols.data[from],
					    to - from);
	}
	free(tallies.slots);
	return error;
}

/* ---- by its cache */

struct kml_error *infer_by_kin(struct inference *i)
{
	uint32_t n = (uint32_t)i->kernel->caches.size, id;
	struct tallies tallies = { 0 };
	struct kml_error *error = NULL;

	for (id = 0; !error && id < i->graph->n_objects; id++) {
		const struct heap_region *r;

		if (!is_example(i, id))
			continue;
		r = infer_region(i, id);
		if (r->kind == HEAP_SLAB && r->owner < n &&
		    i->cache_fit[r->owner].open && i->cache_fit[r->owner].exact &&
		    !tally_add(&tallies, r->owner * 2ull + 1, i->out.type[id]))
			error = error_nomem();
	}
	for (id = 0; !error && id < i->graph->n_objects; id++) {
		const struct heap_region *r;
		const struct tally *tally;

		if (i->out.type[id])
			continue;
		r = infer_region(i, id);
		if (r->kind != HEAP_SLAB || !i->cache_fit[r->owner].exact ||
		    !infer_is_open(i, id))
			continue;
		tally = tally_find(&tallies, r->owner * 2ull + 1);
		if (tally)
			error = try(i, id, tally->type,
				    tally->n >= MANY ? INFER_HIGH : INFER_MEDIUM,
				    INFER_BY_KIN, UINT32_MAX, 0);
	}
	free(tallies.slots);
	return error;
}

/* ---- by what it points to */

struct piece {
	uint32_t type, offset; /* a pointer to that, there */
};

static size_t find_pieces(const struct inference *i, uint32_t id,
			  struct piece pieces[MAX_PIECES])
{
	const struct graph *graph = i->graph;
	uint64_t shift = infer_shift(i, id), j;
	const struct infer_symbol *symbols;
	size_t n = 0, n_symbols, k;

	symbols = infer_symbols(i, id, &n_symbols);
	for (k = 0; k < n_symbols && n < MAX_PIECES; k++)
		if (symbols[k].type && !infer_is_generic(i, symbols[k].type))
			pieces[n++] = (struct piece){ symbols[k].type,
						      symbols[k].offset };
	for (j = graph->first[id]; j < graph->first[id + 1] && n < MAX_PIECES;
	     j++) {
		const struct graph_edge *edge = &graph->edges[j];
		uint32_t type = i->out.type[edge->to];

		if (i->out.confidence[edge->to] < INFER_MEDIUM ||
		    graph_edge_how(edge) != HEAP_REF_ADDRESS ||
		    graph_edge_word(edge) == GRAPH_WORD_NONE)
			continue;
		/* What begins or is embedded there. */
		type = types_struct_at(&i->out.types, type, graph->at[j]);
		if (type && !infer_is_generic(i, type))
			pieces[n++] = (struct piece){
				type, (uint32_t)(graph_edge_word(edge) * 8ull +
						 shift),
			};
	}
	return n;
}

struct candidate {
	uint32_t type;
	unsigned score;
};

/* The structs that have the pointer of a piece where it is. */
static size_t add_candidates(struct inference *i, const struct infer_fit *fit,
			     const struct piece *piece,
			     struct candidate *candidates, size_t n)
{
	const struct infer_place *places;
	size_t n_places, j, k;

	places = infer_having_pointer(i, piece->type, piece->offset, &n_places);
	for (j = 0; j < n_places && n < MAX_CANDIDATES; j++) {
		if ((j && places[j].outer == places[j - 1].outer) ||
		    infer_size(i, fit, places[j].outer) != INFER_WHOLE)
			continue;
		for (k = 0; k < n && candidates[k].type != places[j].outer; k++)
			;
		if (k == n)
			candidates[n++] = (struct candidate){ places[j].outer,
							      0 };
		candidates[k].score++;
	}
	return n;
}

struct choice {
	uint32_t type;
	unsigned matches, good, rivals;
};

static struct choice choose(struct inference *i, uint32_t id,
			    const struct candidate *candidates, size_t n)
{
	struct choice best = { 0 };
	unsigned best_score = 0;
	size_t j;

	for (j = 0; j < n; j++) {
		struct infer_match match =
			infer_check(i, id, candidates[j].type);
		/* An open type fits any slot. */
		unsigned score = 4 * match.matches + MIN(match.good, 3) -
				 (types_is_open(&i->out.types,
						candidates[j].type) ? 1 : 0);

		if (!infer_is_plausible(&match) || !match.matches ||
		    score < best_score)
			continue;
		if (score > best_score)
			best = (struct choice){ candidates[j].type,
						match.matches, match.good, 0 };
		else
			best.rivals++;
		best_score = score;
	}
	return best;
}

static struct kml_error *use_shape(struct inference *i, uint32_t id,
				   struct candidate *candidates)
{
	struct infer_fit fit = infer_fit_of(i, id);
	struct piece pieces[MAX_PIECES];
	size_t n_pieces = find_pieces(i, id, pieces), n = 0, j;
	struct choice choice;

	for (j = 0; j < n_pieces; j++)
		n = add_candidates(i, &fit, &pieces[j], candidates, n);
	if (!n || n == MAX_CANDIDATES)
		return NULL;
	choice = choose(i, id, candidates, n);
	if (!choice.type || choice.rivals)
		return NULL;
	return infer_decide(i, id, choice.type,
			    choice.matches >= 3 ? INFER_MEDIUM : INFER_LOW,
			    INFER_BY_SHAPE, UINT32_MAX, pieces[0].offset);
}

struct kml_error *infer_by_shape(struct inference *i)
{
	_cleanup_free_ struct candidate *candidates =
		malloc(MAX_CANDIDATES * sizeof(*candidates));
	struct kml_error *error = NULL;
	uint32_t id;

	if (!candidates)
		return error_nomem();
	for (id = 0; !error && id < i->graph->n_objects; id++)
		if (infer_is_open(i, id))
			error = use_shape(i, id, candidates);
	return error;
}
