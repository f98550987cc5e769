// SPDX-License-Identifier: GPL-2.0-or-later
/* Who retains what: of the dominator tree what reports ask. */
#include "base/util.h"
#include "snapshot/snapshot.h"

archive_covers(struct anchor, 32);
archive_covers(struct anchors, 96);
archive_covers(struct accumulation_word, 16);
archive_covers(struct accumulation, 272);
archive_covers(struct accumulation_family, 32);
archive_covers(struct accumulations, 72);
archive_covers(struct holdings, 208);

/* A holder's edges are gone by now. */
static void archive_holder(struct archive *a, struct anchor *holder,
			   const struct kml_analysis *analysis)
{
	const struct anchors *all = &analysis->holdings.holders;

	archive_u8(a, &holder->kind);
	archive_u32(a, &holder->name);
	archive_u32(a, &holder->module);
	archive_u32(a, &holder->owner);
	archive_u64(a, &holder->va);
	archive_check(a, holder->kind < ANCHOR_KINDS &&
		      holder->name < all->names.size &&
		      holder->module < all->names.size &&
		      (holder->kind != ANCHOR_STACK ||
		       holder->owner < analysis->kernel.tasks.size),
		      "a holder");
}

static void archive_holders(struct archive *a, struct kml_analysis *analysis)
{
	struct anchors *holders = &analysis->holdings.holders;

	archive_name_pool(a, &holders->names, "the names of holders");
	archive_vec(a, &holders->list, archive_holder, analysis);
}

static void archive_word(struct archive *a, struct accumulation_word *word,
			 const struct holdings *h)
{
	archive_u32(a, &word->node);
	archive_u64(a, &word->offset);
	archive_check(a, word->node < h->n_objects + h->holders.list.size,
		      "a word of an accumulation point");
}

static void archive_point(struct archive *a, struct accumulation *point,
			  const struct holdings *h)
{
	uint32_t i;

	archive_u8(a, &point->kind);
	archive_u32(a, &point->node);
	archive_u64(a, &point->objects);
	archive_u64(a, &point->bytes);
	archive_u64(a, &point->n_children);
	archive_u64(a, &point->n_outside);
	archive_u32(a, &point->n_steps);
	archive_u32(a, &point->n_omitted);
	archive_bool(a, &point->is_list);
	archive_u64(a, &point->n_chain);
	archive_u32(a, &point->n_ways);
	archive_u32(a, &point->first_family);
	archive_u32(a, &point->n_families);
	archive_check(a, point->kind <= ACCUMULATION_SHARED &&
		      point->node < h->n_objects + h->holders.list.size &&
		      point->n_steps <= ACCUMULATION_STEPS &&
		      (point->n_steps || point->kind == ACCUMULATION_SHARED) &&
		      point->n_ways <= ACCUMULATION_WAYS,
		      "an accumulation point");
	for (i = 0; !a->failed && i < point->n_steps; i++)
		archive_word(a, &point->steps[i], h);
	for (i = 0; !a->failed && i < point->n_ways; i++)
		archive_word(a, &point->ways[i], h);
}

static void archive_family(struct archive *a,
			   struct accumulation_family *family,
			   const struct kml_analysis *analysis)
{
	archive_u8(a, &family->kind);
	archive_u32(a, &family->cache);
	archive_u32(a, &family->type);
	archive_u64(a, &family->objects);
	archive_u64(a, &family->bytes);
	archive_check(a, family->kind < HEAP_KINDS &&
		      (family->kind != HEAP_SLAB ||
		       family->cache < analysis->kernel.caches.size) &&
		      (!family->type ||
		       family->type < analysis->infer.types.records.size),
		      "what an accumulation point retains");
}

static void archive_points(struct archive *a, struct kml_analysis *analysis)
{
	struct accumulations *found = &analysis->holdings.accumulations;
	size_t i;

	archive_vec(a, &found->points, archive_point, &analysis->holdings);
	archive_vec(a, &found->families, archive_family, analysis);
	for (i = 0; i < found->points.size; i++) {
		const struct accumulation *point = &found->points.data[i];

		archive_check(a, point->first_family <= found->families.size &&
			      point->n_families <= found->families.size -
							   point->first_family,
			      "what an accumulation point retains");
	}
	archive_u64(a, &found->n_omitted);
	archive_u64(a, &found->omitted_objects);
	archive_u64(a, &found->omitted_bytes);
}

/* A module, the kernel, nobody: small numbers. */
static void archive_owner(struct archive *a, uint32_t *module, size_t n_modules)
{
	uint32_t n = *module + 2;

	archive_u32(a, &n);
	if (a->loading)
		*module = n - 2;
	archive_check(a, n < n_modules + 2, "a module");
}

void archive_holdings(struct archive *a, struct snapshot *snapshot)
{
	struct kml_analysis *analysis = snapshot->analysis;
	struct holdings *h = &analysis->holdings;
	uint32_t id;

	archive_u32(a, &h->n_objects);
	archive_check(a, h->n_objects == analysis->heap.n_ids,
		      "the number of objects");
	archive_u64(a, &h->objects);
	archive_u64(a, &h->bytes);
	archive_bitmap(a, &h->live, analysis->heap.n_ids);
	archive_check(a, h->live, "what is live");
	if (a->loading)
		h->module = archive_alloc(a, analysis->heap.n_ids,
					  sizeof(*h->module));
	for (id = 0; !a->failed && id < h->n_objects; id++)
		archive_owner(a, &h->module[id],
			      analysis->kernel.modules.size);
	archive_holders(a, analysis);
	archive_points(a, analysis);
	analysis->has_holdings = true;
}
