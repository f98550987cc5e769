// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/leak_index.h"

#include <stdlib.h>

#include "base/util.h"

static int compare_rows(const void *a, const void *b)
{
	const struct leak_index_row *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

struct kml_error *leak_index_make(const struct leaks *leaks,
				  struct leak_index *ret)
{
	uint64_t n = (uint64_t)leaks->n_leaks + leaks->n_followers;
	struct leak_index index = { .rows = NULL };
	uint32_t i, f;

	index.rows = malloc(MAX(n, 1) * sizeof(*index.rows));
	if (!index.rows)
		return error_nomem();
	for (i = 0; i < leaks->n_leaks; i++) {
		const struct leak *leak = &leaks->leaks[i];
		const uint32_t *ids = leaks->followers + leak->first_follower;

		index.rows[index.n_rows++] =
			(struct leak_index_row){ leak->id, i };
		for (f = 0; f < leak->n_followers; f++)
			index.rows[index.n_rows++] =
				(struct leak_index_row){ ids[f], i };
	}
	qsort(index.rows, index.n_rows, sizeof(*index.rows), compare_rows);
	*ret = index;
	return NULL;
}

void leak_index_deinit(struct leak_index *index)
{
	free(index->rows);
	index->rows = NULL;
	index->n_rows = 0;
}

uint32_t leak_index_find(const struct leak_index *index, uint32_t id)
{
	uint32_t lo = partition_point(index->n_rows, mid,
				      index->rows[mid].id < id);

	return lo < index->n_rows && index->rows[lo].id == id ?
		       index->rows[lo].leak :
		       UINT32_MAX;
}
