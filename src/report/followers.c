// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/followers.h"

#include <stdlib.h>

#include "base/util.h"

static int compare_families(const void *a, const void *b)
{
	const struct follower_family *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return x->n ? strcmp(x->name, y->name) : 0;
}

size_t followers_fold(struct report *report, const struct leak *leak,
		      struct follower_family *ret, size_t max, size_t *n_ret)
{
	size_t n_caches = report->kernel->caches.size;
	/* A slot for each cache, then one for each other kind. */
	size_t n_slots = n_caches + HEAP_KINDS, n = 0, i;
	_cleanup_free_ struct follower_family *all =
		calloc(n_slots, sizeof(*all));

	*n_ret = 0;
	if (!all) {
		writer_fail(&report->writer, error_nomem());
		return 0;
	}
	for (i = 0; i < leak->n_followers; i++) {
		const struct object object = object_of(
			report, report->analysis->leaks
					.followers[leak->first_follower + i]);
		size_t slot = object.kind == HEAP_SLAB ?
				      object.region->owner :
				      n_caches + object.kind;

		all[slot].name = object_family(&object);
		all[slot].n++;
		all[slot].bytes += object.bytes;
	}
	qsort(all, n_slots, sizeof(*all), compare_families);
	while (n < n_slots && all[n].n)
		n++;
	*n_ret = n;
	memcpy(ret, all, MIN(n, max) * sizeof(*ret));
	return MIN(n, max);
}
