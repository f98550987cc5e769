// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/accumulation_steps.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/util.h"

/* A row of some point, while they are counted. */
struct row {
	uint32_t point;
	struct accumulation_family family;
};

struct rows {
	VEC(struct row) rows;
	struct map by_key;
};

static int compare_rows(const void *a, const void *b)
{
	const struct row *p = a, *q = b;
	const struct accumulation_family *x = &p->family, *y = &q->family;

	if (p->point != q->point)
		return p->point < q->point ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->objects != y->objects)
		return x->objects > y->objects ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->cache != y->cache)
		return x->cache < y->cache ? -1 : 1;
	return (x->type > y->type) - (x->type < y->type);
}

/* At most 1,000 points, 2^22 caches and kinds, 2^32 types. */
static uint64_t key_of(const struct row *row)
{
	uint64_t slot = row->family.kind == HEAP_SLAB ?
				HEAP_KINDS + (uint64_t)row->family.cache :
				row->family.kind;

	return ((uint64_t)row->point << 22 ^ slot) << 32 ^ row->family.type;
}

static bool count(struct rows *rows, const struct row *new, uint64_t bytes)
{
	uint64_t key = key_of(new);
	struct accumulation_family *family;
	uint32_t i;

	if (!map_find(&rows->by_key, key, &i)) {
		i = (uint32_t)rows->rows.size;
		if (!vec_push(&rows->rows, *new) ||
		    !map_add(&rows->by_key, key, i))
			return false;
	}
	family = &rows->rows.data[i].family;
	family->objects++;
	family->bytes += bytes;
	return true;
}

static bool count_all(const struct points *find, struct rows *rows)
{
	const struct heap *heap = find->kernel->heap;
	uint32_t id;

	for (id = 0; id < find->r->live.n_objects; id++) {
		const struct heap_region *r;
		struct row row;

		if (find->point[id] == NO_POINT || !retained_counts(heap, id))
			continue;
		r = heap_region_of(heap, id);
		row = (struct row){
			.point = find->point[id],
			.family.kind = r->kind,
			.family.cache = r->kind == HEAP_SLAB ? r->owner :
							       HEAP_NONE,
			.family.type = infer_beyond_cache(find->infer, id),
		};
		if (!count(rows, &row, retained_own_bytes(heap, id)))
			return false;
	}
	return true;
}

/* The rows of each point, one after the other. */
static bool keep(struct points *find, const struct rows *rows)
{
	struct accumulations *found = find->found;
	size_t i;

	for (i = 0; i < rows->rows.size; i++) {
		const struct row *row = &rows->rows.data[i];
		struct accumulation *point = &found->points.data[row->point];

		if (!point->n_families++)
			point->first_family = (uint32_t)found->families.size;
		if (!vec_push(&found->families, row->family))
			return false;
	}
	return true;
}

struct kml_error *accumulation_find_families(struct points *find)
{
	struct rows rows = { .by_key.slots = NULL };
	bool done = count_all(find, &rows);

	map_deinit(&rows.by_key);
	if (done && rows.rows.size)
		qsort(rows.rows.data, rows.rows.size, sizeof(*rows.rows.data),
		      compare_rows);
	done = done && keep(find, &rows);
	vec_deinit(&rows.rows);
	return done ? NULL : error_nomem();
}
