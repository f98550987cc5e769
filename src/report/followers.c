// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/followers.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/util.h"

struct families {
	VEC(struct follower_family) all;
	struct map by_key;
};

static int compare_families(const void *a, const void *b)
{
	const struct follower_family *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return (x->example > y->example) - (x->example < y->example);
}

/* Of one cache, or of one other kind; and of one type. */
static uint64_t key_of(const struct report *report, const struct object *object)
{
	uint64_t slot = object->kind == HEAP_SLAB ?
				HEAP_KINDS + (uint64_t)object->region->owner :
				object->kind;

	return slot << 32 |
	       infer_beyond_cache(&report->analysis->infer, object->id);
}

static bool add(struct families *families, uint64_t key,
		const struct object *object)
{
	const struct follower_family new = { .example = object->id };
	uint32_t i;

	if (!map_find(&families->by_key, key, &i)) {
		i = (uint32_t)families->all.size;
		if (!vec_push(&families->all, new) ||
		    !map_add(&families->by_key, key, i))
			return false;
	}
	families->all.data[i].n++;
	families->all.data[i].bytes += object->bytes;
	return true;
}

size_t followers_fold(struct report *report, const struct leak *leak,
		      struct follower_family *ret, size_t max, size_t *n_ret)
{
	const uint32_t *ids = report->analysis->leaks.followers +
			      leak->first_follower;
	struct families families = { .by_key.slots = NULL };
	bool added = true;
	uint32_t i;

	for (i = 0; added && i < leak->n_followers; i++) {
		const struct object object = object_of(report, ids[i]);

		added = add(&families, key_of(report, &object), &object);
	}
	*n_ret = families.all.size;
	if (families.all.size) {
		qsort(families.all.data, families.all.size,
		      sizeof(*families.all.data), compare_families);
		memcpy(ret, families.all.data,
		       MIN(families.all.size, max) * sizeof(*ret));
	}
	map_deinit(&families.by_key);
	vec_deinit(&families.all);
	if (!added) {
		writer_fail(&report->writer, error_nomem());
		*n_ret = 0;
	}
	return MIN(*n_ret, max);
}
