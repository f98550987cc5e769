// SPDX-License-Identifier: GPL-2.0-or-later
/* Of which type the elements of a list are: see infer_list.c. */
#include <stdlib.h>

#include "base/util.h"
#include "leak/infer_list.h"

#define MAX_SAMPLES 32u /* elements that a struct is compared with */
#define MANY 4u         /* examples that make a rule */

struct known {
	uint32_t type;
	unsigned n_high, n; /* elements that are of it */
	bool mixed;
};

static struct known find_known(const struct lists *l,
			       const struct element *elements, size_t n)
{
	struct known known = { 0 };
	size_t j;

	for (j = 0; j < n; j++) {
		uint32_t id = elements[j].id, type = l->i->out.type[id];

		if (l->i->out.confidence[id] < INFER_MEDIUM)
			continue;
		if (known.type && type != known.type)
			known.mixed = true;
		known.type = type;
		known.n++;
		known.n_high += l->i->out.confidence[id] >= INFER_HIGH;
	}
	return known;
}

/* How well a struct fits the elements; 0: it does not. */
static unsigned score(struct lists *l, uint32_t type,
		      const struct element *elements, size_t n, uint32_t at)
{
	struct infer_fit fit = infer_fit_of(l->i, elements[0].id);
	const struct list *list = &l->lists.data[elements[0].list];
	unsigned good = 0;
	size_t j;

	if (!types_embeds(&l->i->out.types, type, at, list->link) ||
	    type == list->link ||
	    infer_size(l->i, &fit, type) != INFER_WHOLE)
		return 0;
	/* One without end would fit any slot. */
	if (types_get(&l->i->out.types, type)->size <= fit.least)
		return 0;
	for (j = 0; j < MIN(n, MAX_SAMPLES); j++) {
		struct infer_match match =
			infer_check(l->i, elements[j].id, type);

		if (!infer_is_plausible(&match))
			return 0;
		good += match.good + 2 * match.matches;
	}
	return 1 + good;
}

/* The only struct of the module's own that can be on the list; 0: none, or
 * several. */
static uint32_t find_own(struct lists *l, const struct list *list,
			 const struct element *elements, size_t n)
{
	const struct types *types = &l->i->out.types;
	uint32_t found = 0, type;
	size_t j;

	for (j = 0; j < types->ranges.size; j++) {
		const struct type_range *range = &types->ranges.data[j];

		if (range->module != list->module)
			continue;
		for (type = range->first; type < range->end; type++) {
			if (types_get(types, type)->kind != TYPE_STRUCT ||
			    !types_get(types, type)->name ||
			    !types_stands(types, type) ||
			    !score(l, type, elements, n, list->at))
				continue;
			if (found)
				return 0;
			found = type;
		}
	}
	return found;
}

static struct kml_error *decide(struct lists *l, const struct list *list,
				const struct element *elements, size_t n,
				uint32_t type,
				enum infer_confidence confidence,
				enum infer_reason reason)
{
	struct inference *i = l->i;
	struct kml_error *error = NULL;
	size_t j;

	for (j = 0; !error && j < n; j++) {
		uint32_t id = elements[j].id;
		struct infer_fit fit = infer_fit_of(i, id);
		struct infer_match match;

		if (!infer_is_open(i, id) ||
		    infer_size(i, &fit, type) == INFER_TOO_LARGE)
			continue;
		match = infer_check(i, id, type);
		if (infer_is_plausible(&match))
			error = infer_decide(i, id, type, confidence, reason,
					     list->from, list->where);
	}
	return error;
}

static struct kml_error *decide_list(struct lists *l,
				     const struct element *elements, size_t n)
{
	const struct list *list = &l->lists.data[elements[0].list];
	struct known known = find_known(l, elements, n);
	uint32_t own;

	if (known.mixed || known.n == n)
		return NULL;
	if (known.type)
		return decide(l, list, elements, n, known.type,
			      known.n_high >= MANY ? INFER_HIGH :
			      known.n >= MANY      ? INFER_MEDIUM :
						     INFER_LOW,
			      INFER_BY_PLACE);
	own = list->module == NO_MODULE ? 0 : find_own(l, list, elements, n);
	return own ? decide(l, list, elements, n, own, INFER_MEDIUM,
			    INFER_BY_MODULE) :
		     NULL;
}

static int compare_elements(const void *a, const void *b)
{
	const struct element *x = a, *y = b;

	if (x->list != y->list)
		return x->list < y->list ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

struct kml_error *infer_list_types(struct lists *l)
{
	const struct element *elements = l->elements.data;
	size_t n = l->elements.size, from, to;
	struct kml_error *error = NULL;

	if (n)
		qsort(l->elements.data, n, sizeof(*elements), compare_elements);
	for (from = 0; !error && from < n; from = to) {
		for (to = from; to < n && elements[to].list ==
						  elements[from].list; to++)
			;
		error = decide_list(l, elements + from, to - from);
	}
	return error;
}
