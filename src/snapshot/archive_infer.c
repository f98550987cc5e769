// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Of which types objects are, and whose counts are too high.  What only
 * inference asks (variables, functions, what points where) is not kept.
 */
#include "base/util.h"
#include "snapshot/snapshot.h"

archive_covers(struct type_info, 28);
archive_covers(struct type_member, 16);
archive_covers(struct types, 208);
archive_covers(struct infer, 320);
archive_covers(struct refcount_suspect, 248);
archive_covers(struct refcounts, 136);
archive_covers(struct page_frag, 24);

static void archive_type(struct archive *a, struct type_info *type,
			 const struct types *types)
{
	archive_u32(a, &type->kind);
	archive_u32(a, &type->name);
	archive_u32(a, &type->size);
	archive_u32(a, &type->target);
	archive_u32(a, &type->count);
	archive_u32(a, &type->first_member);
	archive_u32(a, &type->n_members);
	archive_check(a, type->kind < TYPE_KINDS &&
		      type->name < types->strings.text.size, "a type");
}

static void archive_member(struct archive *a, struct type_member *member,
			   const struct types *types)
{
	archive_u32(a, &member->name);
	archive_u32(a, &member->type);
	archive_u32(a, &member->offset);
	archive_u32(a, &member->bits);
	archive_check(a, member->name < types->strings.text.size &&
		      member->type < types->records.size, "a member");
}

static void archive_types_of(struct archive *a, struct types *types)
{
	size_t i;

	archive_name_pool(a, &types->strings.text, "the names of types");
	archive_vec(a, &types->records, archive_type, types);
	archive_vec(a, &types->members, archive_member, types);
	archive_check(a, types->records.size, "the types");
	for (i = 0; i < types->records.size; i++) {
		const struct type_info *type = &types->records.data[i];

		archive_check(a, type->target < types->records.size &&
			      type->first_member <= types->members.size &&
			      type->n_members <= types->members.size -
							 type->first_member,
			      "a type");
	}
	archive_bool(a, &types->has_btf);
	archive_bool(a, &types->has_variables);
}

/* Of which type each object is: columns, most objects are like the one before. */
static void archive_object_types(struct archive *a, struct infer *infer)
{
	uint32_t last = 0, id;

	if (a->loading)
		infer->type = archive_alloc(a, infer->n_objects,
					    sizeof(*infer->type));
	for (id = 0; infer->type && id < infer->n_objects; id++) {
		last = archive_near(a, infer->type[id], last);
		if (a->loading)
			infer->type[id] = last;
		archive_check(a, last < infer->types.records.size,
			      "an object's type");
	}
	archive_u8s(a, &infer->confidence, infer->n_objects);
	archive_u8s(a, &infer->reason, infer->n_objects);
	archive_u8s(a, &infer->part, infer->n_objects / 8 + 1ull);
	for (id = 0; !a->failed && id < infer->n_objects; id++)
		archive_check(a, infer->confidence[id] < INFER_CONFIDENCES &&
			      infer->reason[id] < INFER_REASONS,
			      "an object's type");
}

/* Does the reason name somebody? */
static bool has_source(unsigned reason)
{
	return reason == INFER_BY_VARIABLE || reason == INFER_BY_POINTER ||
	       reason == INFER_BY_MEMBER || reason == INFER_BY_PLACE ||
	       reason == INFER_BY_MODULE || reason == INFER_BY_SITE;
}

/* Or a module? */
static bool names_module(unsigned reason)
{
	return reason == INFER_BY_FIT || reason == INFER_BY_GUESS;
}

/* Or only a place in the object itself? */
static bool has_place(unsigned reason)
{
	return has_source(reason) || reason == INFER_BY_SYMBOLS ||
	       reason == INFER_BY_SHAPE || names_module(reason);
}

static void archive_type_sources(struct archive *a, struct infer *infer,
				 const struct graph *graph, size_t n_modules)
{
	uint32_t last = 0, id;

	if (a->loading) {
		infer->from = archive_alloc(a, infer->n_objects,
					    sizeof(*infer->from));
		infer->where = archive_alloc(a, infer->n_objects,
					     sizeof(*infer->where));
	}
	for (id = 0; !a->failed && id < infer->n_objects; id++) {
		if (has_place(infer->reason[id]))
			archive_u32(a, &infer->where[id]);
		archive_check(a, !names_module(infer->reason[id]) ||
			      infer->where[id] < n_modules,
			      "a type's module");
		if (!has_source(infer->reason[id]))
			continue;
		last = archive_near(a, infer->from[id], last);
		if (a->loading)
			infer->from[id] = last;
		archive_check(a, last < (infer->reason[id] == INFER_BY_SITE ?
						 infer->n_objects :
						 graph->n_sources),
			      "a typed pointer");
	}
}

static void archive_suspect(struct archive *a,
			    struct refcount_suspect *suspect,
			    const struct heap *heap)
{
	archive_u32(a, &suspect->id);
	archive_u8(a, &suspect->kind);
	archive_chars(a, suspect->type, sizeof(suspect->type));
	archive_chars(a, suspect->member, sizeof(suspect->member));
	archive_u64(a, &suspect->va);
	archive_u64(a, &suspect->count);
	archive_u64(a, &suspect->references);
	archive_u64(a, &suspect->links);
	archive_chars(a, suspect->name, sizeof(suspect->name));
	archive_check(a, suspect->id < heap->n_ids &&
		      suspect->kind < REFCOUNT_KINDS, "a refcount suspect");
}

static void archive_frag(struct archive *a, struct page_frag *frag,
			 const struct heap *heap)
{
	archive_u32(a, &frag->id);
	archive_u64(a, &frag->word_va);
	archive_u64(a, &frag->bias);
	archive_check(a, frag->id < heap->n_ids, "a page fragments' cache");
}

void archive_infer(struct archive *a, struct snapshot *snapshot)
{
	struct kml_analysis *analysis = snapshot->analysis;
	struct refcounts *refcounts = &analysis->refcounts;
	struct infer *infer = &analysis->infer;
	unsigned i;

	archive_bool(a, &analysis->inferred);
	if (!analysis->inferred)
		return;
	archive_types_of(a, &infer->types);
	archive_u32(a, &infer->n_objects);
	archive_check(a, infer->n_objects == analysis->heap.n_ids,
		      "the number of objects");
	if (a->failed)
		return;
	archive_object_types(a, infer);
	archive_type_sources(a, infer, &analysis->graph,
			     analysis->kernel.modules.size);
	for (i = 0; i < INFER_CONFIDENCES; i++)
		archive_u64(a, &infer->counts[i]);
	archive_vec(a, &refcounts->suspects, archive_suspect, &analysis->heap);
	for (i = 0; i < REFCOUNT_KINDS; i++)
		archive_u64(a, &refcounts->checked[i]);
	archive_u64(a, &refcounts->types_checked);
	archive_u64(a, &refcounts->types_left_out);
	archive_u64(a, &refcounts->unreadable);
	archive_vec(a, &refcounts->frags.all, archive_frag, &analysis->heap);
}
