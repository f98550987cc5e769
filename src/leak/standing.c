// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/standing.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/util.h"
#include "base/vec.h"

struct standing {
	const struct heap *heap;
	const struct components *c;
	struct map index; /* of a kind in a component: into .counts */
	VEC(uint32_t) counts;
};

/* What looks the same: a cache's objects, areas of one size. */
static uint64_t kind_key(const struct standing *s, uint32_t white)
{
	uint32_t id = s->c->ids[white];
	const struct heap_region *r = heap_region_of(s->heap, id);
	uint64_t key = (uint64_t)r->kind << 32 | s->c->component[white];

	if (r->kind == HEAP_SLAB)
		return mix_u64(mix_u64(key) ^ r->owner);
	return mix_u64(mix_u64(key) ^ heap_object_bytes(s->heap, id));
}

static bool is_asked_for(const struct standing *s, uint32_t white)
{
	return !bitmap_test(s->c->referred, s->c->component[white]);
}

/* Of two each is the only one of its kind, or they are of the same. */
static bool is_counted(const struct standing *s, uint32_t white)
{
	return is_asked_for(s, white) &&
	       s->c->size[s->c->component[white]] > 2;
}

static bool count(struct standing *s, uint32_t white)
{
	uint64_t key = kind_key(s, white);
	uint32_t at;

	if (map_find(&s->index, key, &at)) {
		s->counts.data[at]++;
		return true;
	}
	return map_add(&s->index, key, (uint32_t)s->counts.size) &&
	       vec_push(&s->counts, 1);
}

static uint32_t n_alike(const struct standing *s, uint32_t white)
{
	uint32_t at;

	return map_find(&s->index, kind_key(s, white), &at) ?
		       s->counts.data[at] :
		       1;
}

static bool stands_before(const struct standing *s, uint32_t x, uint32_t y)
{
	uint32_t a = s->c->ids[x], b = s->c->ids[y];
	bool a_slab = heap_region_of(s->heap, a)->kind == HEAP_SLAB;
	bool b_slab = heap_region_of(s->heap, b)->kind == HEAP_SLAB;
	uint32_t a_alike = n_alike(s, x), b_alike = n_alike(s, y);
	uint64_t a_bytes = heap_object_bytes(s->heap, a);
	uint64_t b_bytes = heap_object_bytes(s->heap, b);

	if (a_slab != b_slab)
		return b_slab;
	if (a_alike != b_alike)
		return a_alike < b_alike;
	return a_bytes != b_bytes ? a_bytes > b_bytes : a < b;
}

struct kml_error *standing_find(const struct kernel *kernel,
				const struct components *components,
				uint32_t **ret)
{
	struct standing s = { .heap = kernel->heap, .c = components };
	size_t n = MAX(components->n_components, 1);
	_cleanup_free_ uint32_t *best = malloc(n * sizeof(*best));
	struct kml_error *error = best ? NULL : error_nomem();
	uint32_t white;

	for (white = 0; !error && white < components->n_white; white++) {
		if (is_counted(&s, white) && !count(&s, white))
			error = error_nomem();
	}
	if (best)
		memset(best, 0xff, n * sizeof(*best));
	for (white = 0; !error && white < components->n_white; white++) {
		uint32_t *b = &best[components->component[white]];

		if (is_asked_for(&s, white) &&
		    (*b == HEAP_NONE || stands_before(&s, white, *b)))
			*b = white;
	}
	map_deinit(&s.index);
	vec_deinit(&s.counts);
	if (!error)
		*ret = take_ptr(best);
	return error;
}
