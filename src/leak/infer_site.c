// SPDX-License-Identifier: GPL-2.0-or-later
/* Types by who allocated an object: what one function allocates is mostly of
 * one type. */
#include "base/map.h"
#include "base/util.h"
#include "leak/infer_object.h"

static struct sites *sites_of(const struct inference *i)
{
	return i->options->sites;
}

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
