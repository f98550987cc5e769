// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/leak.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/type.h"
#include "leak/components.h"
#include "leak/standing.h"
#include "leak/trust.h"

const char *const leak_verdicts[LEAK_VERDICTS] = {
	[LEAK_DEFINITE] = "definite",
	[LEAK_CYCLE] = "cycle",
	[LEAK_POSSIBLE] = "possible",
};

bool leak_is_white(const struct kernel *kernel, const uint64_t *reached,
		   uint32_t id)
{
	return !bitmap_test(reached, id) && heap_is_allocated(kernel->heap, id);
}

struct finder {
	const struct kernel *kernel;
	const struct graph *graph;
	const uint64_t *reached;
	struct sites *sites;
	const struct infer *infer;
	struct components c;
	uint64_t *taken;  /* by white number: belongs to a leak already */
	uint32_t *stack;
	struct leaks out;
};

/* How many objects refer to each other; an area and its vm_struct, which
 * always do, are one. */
static uint32_t count_cycle(const struct finder *f, uint32_t id, uint32_t n)
{
	const struct heap_region *r = heap_region_of(f->kernel->heap, id);
	bool is_area = r->kind == HEAP_VMALLOC || r->kind == HEAP_VMAP ||
		       r->kind == HEAP_IOREMAP;

	return n > 1 && is_area && f->kernel->areas.data[r->owner].vm_va ?
		       n - 1 :
		       n;
}

static enum leak_verdict verdict_on(const struct finder *f, uint32_t id,
				    uint32_t n_cycle)
{
	unsigned reasons = trust_reasons(f->kernel, f->graph, f->reached, id);

	if (reasons & (TRUST_DISREGARDED | TRUST_PARTIAL))
		return LEAK_POSSIBLE;
	return count_cycle(f, id, n_cycle) > 1 ? LEAK_CYCLE : LEAK_DEFINITE;
}

/* The standing object of each component that no other refers to. */
static struct kml_error *choose_roots(struct finder *f)
{
	const struct components *c = &f->c;
	_cleanup_free_ uint32_t *best = NULL;
	struct kml_error *error = standing_find(f->kernel, c, &best);
	uint32_t white;

	if (error)
		return error;
	f->out.leaks = calloc(MAX(c->n_components, 1), sizeof(*f->out.leaks));
	if (!f->out.leaks)
		return error_nomem();
	for (white = 0; white < c->n_white; white++) {
		uint32_t component = c->component[white];

		if (best[component] != white)
			continue;
		f->out.leaks[f->out.n_leaks++] = (struct leak){
			.id = c->ids[white],
			.n_cycle = c->size[component],
			.bytes = heap_object_bytes(f->kernel->heap,
						   c->ids[white]),
			.verdict = verdict_on(f, c->ids[white],
					      c->size[component]),
		};
	}
	return NULL;
}

static int compare_ids(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Count what can be reached from a leak and no earlier one as its. */
static void take_followers(struct finder *f, struct leak *leak)
{
	const struct graph *graph = f->graph;
	uint32_t n_stack = 0;
	uint64_t i;

	leak->first_follower = f->out.n_followers;
	bitmap_set(f->taken, f->c.white[leak->id]);
	f->stack[n_stack++] = leak->id;
	while (n_stack) {
		uint32_t id = f->stack[--n_stack];

		for (i = graph->first[id]; i < graph->first[id + 1]; i++) {
			uint32_t to = graph->edges[i].to;
			uint32_t white = f->c.white[to];

			if (white == HEAP_NONE || bitmap_test(f->taken, white))
				continue;
			bitmap_set(f->taken, white);
			f->stack[n_stack++] = to;
			f->out.followers[f->out.n_followers++] = to;
			leak->follower_bytes +=
				heap_object_bytes(f->kernel->heap, to);
		}
	}
	leak->n_followers = f->out.n_followers - leak->first_follower;
	/* Ids are in the order of addresses within each kind. */
	qsort(f->out.followers + leak->first_follower, leak->n_followers,
	      sizeof(*f->out.followers), compare_ids);
}

static struct kml_error *collect_followers(struct finder *f)
{
	uint32_t n = MAX(f->c.n_white, 1), i;

	f->taken = bitmap_alloc(n);
	f->stack = malloc(n * sizeof(*f->stack));
	f->out.followers = malloc(n * sizeof(*f->out.followers));
	if (!f->taken || !f->stack || !f->out.followers)
		return error_nomem();
	for (i = 0; i < f->out.n_leaks; i++)
		take_followers(f, &f->out.leaks[i]);
	return NULL;
}

/* ---- groups */

/* What a leak looks like; leaks that look the same make a group. */
struct signature {
	uint64_t bytes, caller, shape;
	uint32_t cache, type;
	uint8_t kind;
};

struct keyed {
	struct signature signature;
	uint32_t place;
	struct leak leak;
	uint64_t va;
};

static struct signature object_signature(const struct finder *f, uint32_t id)
{
	const struct heap_region *r = heap_region_of(f->kernel->heap, id);
	struct signature s = {
		.kind = r->kind,
		.cache = r->kind == HEAP_SLAB ? r->owner : UINT32_MAX,
		.bytes = heap_object_bytes(f->kernel->heap, id),
	};

	if (r->kind == HEAP_VMALLOC || r->kind == HEAP_VMAP ||
	    r->kind == HEAP_IOREMAP)
		s.caller = f->kernel->areas.data[r->owner].caller;
	return s;
}

/* The set of kinds among the followers: how many there are of each depends on
 * how long the leak went on.  A sum, so that their order does not matter. */
static uint64_t shape_of(const struct finder *f, const struct leak *leak)
{
	uint64_t seen[64] = { 0 }, shape = 0;
	uint32_t i;

	for (i = 0; i < leak->n_followers; i++) {
		struct signature s = object_signature(
			f, f->out.followers[leak->first_follower + i]);
		uint64_t h = mix_u64(s.bytes ^ mix_u64(s.cache ^ (uint64_t)s.kind << 32));

		/* A bit per hash stands for the set; collisions only merge
		 * two shapes. */
		if (seen[h / 64 % 64] >> h % 64 & 1)
			continue;
		seen[h / 64 % 64] |= UINT64_C(1) << h % 64;
		shape += h;
	}
	return shape;
}

static int compare_signatures(const struct signature *x,
			      const struct signature *y)
{
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->cache != y->cache)
		return x->cache < y->cache ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	if (x->caller != y->caller)
		return x->caller < y->caller ? -1 : 1;
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return (x->shape > y->shape) - (x->shape < y->shape);
}

static int compare_keyed(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int order = compare_signatures(&x->signature, &y->signature);

	return order ? order : (x->va > y->va) - (x->va < y->va);
}

static void add_to_group(struct leak_group *group, const struct leak *leak)
{
	group->n_leaks++;
	group->bytes += leak->bytes;
	group->n_followers += leak->n_followers;
	group->follower_bytes += leak->follower_bytes;
}

static int compare_groups(const void *a, const void *b)
{
	const struct leak_group *x = a, *y = b;
	uint64_t x_bytes = x->bytes + x->follower_bytes;
	uint64_t y_bytes = y->bytes + y->follower_bytes;

	if (x_bytes != y_bytes)
		return x_bytes > y_bytes ? -1 : 1;
	/* By signature: the leaks are sorted by it. */
	return (x->first_leak > y->first_leak) - (x->first_leak < y->first_leak);
}

/* Groups in order of size, and the leaks in order of groups. */
static void sort_groups(struct finder *f, const struct keyed *keyed)
{
	struct leaks *out = &f->out;
	uint32_t g, i, n = 0;

	qsort(out->groups, out->n_groups, sizeof(*out->groups), compare_groups);
	for (g = 0; g < out->n_groups; g++) {
		struct leak_group *group = &out->groups[g];
		uint32_t from = group->first_leak;

		group->first_leak = n;
		for (i = 0; i < group->n_leaks; i++) {
			out->leaks[n] = keyed[from + i].leak;
			out->leaks[n++].group = g;
		}
	}
}

/* All leaks of one place in the source look alike, whatever wrapper of the
 * allocator is the innermost frame. */
static uint32_t set_place(struct finder *f, uint32_t id, struct signature *s)
{
	uint32_t place = f->sites ? sites_place(f->sites, id) : HEAP_NONE;

	if (place != HEAP_NONE)
		s->caller = f->sites->places.data[place].address;
	return place;
}

/* Does the cache tell one kind of object from the other? */
static bool is_private(const struct finder *f, const struct signature *s)
{
	const struct kernel_cache *cache;

	if (s->kind != HEAP_SLAB)
		return false;
	cache = &f->kernel->caches.data[s->cache];
	return cache->n_users == 1 && !kernel_cache_is_kmalloc(cache);
}

/* Inference may miss one of two that are of one type: so a type counts only
 * where nothing else tells leaks apart. */
static void set_type(const struct finder *f, uint32_t id, struct signature *s)
{
	if (!s->caller && !is_private(f, s))
		s->type = infer_beyond_cache(f->infer, id);
}

static bool is_tag(const struct finder *f, uint32_t place)
{
	return place != HEAP_NONE && f->sites->places.data[place].is_tag;
}

static struct kml_error *make_groups(struct finder *f)
{
	struct leaks *out = &f->out;
	_cleanup_free_ struct keyed *keyed =
		calloc(MAX(out->n_leaks, 1), sizeof(*keyed));
	uint32_t i;

	out->groups = calloc(MAX(out->n_leaks, 1), sizeof(*out->groups));
	if (!keyed || !out->groups)
		return error_nomem();
	for (i = 0; i < out->n_leaks; i++) {
		keyed[i].leak = out->leaks[i];
		keyed[i].va = heap_object_va(f->kernel->heap, out->leaks[i].id);
		keyed[i].signature = object_signature(f, out->leaks[i].id);
		keyed[i].place = set_place(f, out->leaks[i].id,
					   &keyed[i].signature);
		set_type(f, out->leaks[i].id, &keyed[i].signature);
		keyed[i].signature.shape = shape_of(f, &out->leaks[i]);
	}
	qsort(keyed, out->n_leaks, sizeof(*keyed), compare_keyed);
	for (i = 0; i < out->n_leaks; i++) {
		const struct signature *s = &keyed[i].signature;

		if (!i || compare_signatures(s, &keyed[i - 1].signature)) {
			out->groups[out->n_groups++] = (struct leak_group){
				.kind = s->kind,
				.cache = s->cache,
				.object_bytes = s->bytes,
				.caller = is_tag(f, keyed[i].place) ?
						  0 :
						  s->caller,
				.place = keyed[i].place,
				.type = s->type,
				.shape = s->shape,
				.first_leak = i,
			};
		}
		add_to_group(&out->groups[out->n_groups - 1], &keyed[i].leak);
	}
	sort_groups(f, keyed);
	return NULL;
}

static void count_totals(struct finder *f)
{
	uint32_t white, i;

	for (i = 0; i < f->out.n_leaks; i++)
		f->out.n_by_verdict[f->out.leaks[i].verdict]++;
	for (white = 0; white < f->c.n_white; white++) {
		uint32_t id = f->c.ids[white];
		unsigned kind = heap_region_of(f->kernel->heap, id)->kind;
		uint64_t bytes = heap_object_bytes(f->kernel->heap, id);

		f->out.n_objects++;
		f->out.bytes += bytes;
		f->out.kind_objects[kind]++;
		f->out.kind_bytes[kind] += bytes;
	}
}

struct kml_error *leaks_find(const struct kernel *kernel,
			     const struct graph *graph,
			     const uint64_t *reached, struct sites *sites,
			     const struct infer *infer, struct leaks *ret)
{
	struct finder f = {
		.kernel = kernel, .graph = graph, .reached = reached,
		.sites = sites, .infer = infer,
	};
	struct kml_error *error;

	error = components_find(kernel, graph, reached, &f.c);
	if (!error) {
		error = choose_roots(&f);
		if (!error)
			error = collect_followers(&f);
		if (!error)
			error = make_groups(&f);
		if (!error)
			count_totals(&f);
		components_deinit(&f.c);
	}
	free(f.taken);
	free(f.stack);
	if (error)
		leaks_deinit(&f.out);
	else
		*ret = f.out;
	return error;
}

void leaks_deinit(struct leaks *leaks)
{
	free(leaks->leaks);
	free(leaks->followers);
	free(leaks->groups);
}
