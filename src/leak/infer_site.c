// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Types by who allocated an object: what one function allocates is mostly of
 * one type, and what a module allocates often of one of its own structs.
 */
#include <stdlib.h>

#include "base/map.h"
#include "base/util.h"
#include "leak/infer_object.h"

#define NO_MODULE UINT32_MAX
#define MAX_CANDIDATES 256u /* structs that are compared with an object */
#define MIN_EVIDENCE 2u     /* pointers of an object */

static struct sites *sites_of(const struct inference *i)
{
	return i->options->sites;
}

/* ---- the same function */

struct site_type {
	uint32_t type, example;
	bool mixed;
};

struct site_types {
	VEC(struct site_type) all;
	struct map by_key;
};

static uint64_t site_key(const struct inference *i, uint32_t id,
			 uint32_t place)
{
	return mix_u64(infer_class(i, id)) ^ place;
}

static bool note_type(struct inference *i, struct site_types *types,
		      uint32_t id)
{
	uint32_t place = sites_place(sites_of(i), id), at;
	struct site_type new = { i->out.type[id], id, false };
	struct site_type *known;
	uint64_t key;

	if (place == HEAP_NONE)
		return true;
	key = site_key(i, id, place);
	if (!map_find(&types->by_key, key, &at))
		return map_add(&types->by_key, key,
			       (uint32_t)types->all.size) &&
		       vec_push(&types->all, new);
	known = &types->all.data[at];
	known->mixed |= known->type != new.type;
	return true;
}

static struct kml_error *take_type(struct inference *i,
				   const struct site_types *types, uint32_t id)
{
	uint32_t place = sites_place(sites_of(i), id), at;
	struct infer_fit fit = infer_fit_of(i, id);
	const struct site_type *known;
	struct infer_match match;

	if (place == HEAP_NONE ||
	    !map_find(&types->by_key, site_key(i, id, place), &at))
		return NULL;
	known = &types->all.data[at];
	if (known->mixed || infer_size(i, &fit, known->type) != INFER_WHOLE)
		return NULL;
	match = infer_check(i, id, known->type);
	if (!infer_is_plausible(&match))
		return NULL;
	return infer_decide(i, id, known->type, INFER_MEDIUM, INFER_BY_SITE,
			    known->example, 0);
}

struct kml_error *infer_by_site(struct inference *i)
{
	struct site_types types = { .by_key.slots = NULL };
	struct kml_error *error = NULL;
	uint32_t id;

	if (!sites_of(i))
		return NULL;
	for (id = 0; !error && id < i->out.n_objects; id++) {
		if (i->out.confidence[id] >= INFER_MEDIUM &&
		    i->out.confidence[id] < INFER_KNOWN &&
		    heap_is_allocated(i->kernel->heap, id) &&
		    !note_type(i, &types, id))
			error = error_nomem();
	}
	for (id = 0; !error && types.all.size && id < i->out.n_objects; id++) {
		if (infer_is_open(i, id))
			error = take_type(i, &types, id);
	}
	map_deinit(&types.by_key);
	vec_deinit(&types.all);
	return error;
}

/* ---- a module's own structs */

struct own_struct {
	uint32_t type, module;
	uint64_t bytes;
	bool is_guessed; /* of what nobody says who allocated it: the user named
			    the module, as one that may leak */
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
				type, range->module, record->size,
				range->named,
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
	return explained >= MIN_EVIDENCE;
}

/* The only one that can be what an object is. */
static struct own_struct find_fitting(struct own *own, uint32_t id,
				      uint32_t module)
{
	const struct own_struct *structs = own->structs.data;
	const struct own_struct none = { .module = NO_MODULE };
	struct own_struct found = none;
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
		if (found.type)
			return none;
		found = structs[j];
	}
	/* There are more than were looked at. */
	return j == end && j < own->structs.size &&
			       structs[j].bytes <= fit.most ?
		       none :
		       found;
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
	if (!answer.type || confirm(own->i, id, answer.type, answer.module))
		return NULL;
	match = infer_check(own->i, id, answer.type);
	if (!infer_is_plausible(&match))
		return NULL;
	return infer_decide(own->i, id, answer.type,
			    module == NO_MODULE ? INFER_LOW : INFER_MEDIUM,
			    module == NO_MODULE ? INFER_BY_GUESS : INFER_BY_FIT,
			    UINT32_MAX, answer.module);
}

/* False: nobody says whose it is. */
static bool find_module(const struct inference *i, uint32_t id, uint32_t *ret)
{
	struct sites *sites = sites_of(i);
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
