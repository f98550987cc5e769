// SPDX-License-Identifier: GPL-2.0-or-later
/* What was made of the graph. */
#include "base/util.h"
#include "snapshot/snapshot.h"

archive_covers(struct leak, 48);
archive_covers(struct leak_group, 80);
archive_covers(struct leaks, 168);
archive_covers(struct held, 16);
archive_covers(struct held_list, 32);
archive_covers(struct blind_holder, 32);
archive_covers(struct blind, 32);
archive_covers(struct mark_statistics, 32);

static void archive_leak(struct archive *a, struct leak *leak,
			 const struct kml_analysis *analysis)
{
	archive_u32(a, &leak->id);
	archive_u32(a, &leak->group);
	archive_u32(a, &leak->first_follower);
	archive_u32(a, &leak->n_followers);
	archive_u32(a, &leak->n_cycle);
	archive_u64(a, &leak->bytes);
	archive_u64(a, &leak->follower_bytes);
	archive_u8(a, &leak->verdict);
	archive_check(a, leak->id < analysis->heap.n_ids &&
		      leak->first_follower <= analysis->leaks.n_followers &&
		      leak->n_followers <= analysis->leaks.n_followers -
						   leak->first_follower &&
		      leak->verdict < LEAK_VERDICTS, "a leak");
}

static void archive_group(struct archive *a, struct leak_group *group,
			  const struct kml_analysis *analysis)
{
	const struct leaks *leaks = &analysis->leaks;

	archive_u8(a, &group->kind);
	archive_u32(a, &group->cache);
	archive_u64(a, &group->object_bytes);
	archive_u64(a, &group->caller);
	/* Places are numbered anew. */
	if (a->loading)
		group->place = HEAP_NONE;
	archive_u32(a, &group->type);
	archive_u64(a, &group->shape);
	archive_u32(a, &group->first_leak);
	archive_u32(a, &group->n_leaks);
	archive_u64(a, &group->bytes);
	archive_u64(a, &group->n_followers);
	archive_u64(a, &group->follower_bytes);
	archive_u64(a, &group->fingerprint);
	archive_check(a, group->kind < HEAP_KINDS && group->n_leaks &&
		      (!group->type ||
		       group->type < analysis->infer.types.records.size) &&
		      group->first_leak < leaks->n_leaks &&
		      group->n_leaks <= leaks->n_leaks - group->first_leak,
		      "a group of leaks");
}

static void archive_follower(struct archive *a, uint32_t *id,
			     const struct heap *heap)
{
	archive_u32(a, id);
	archive_check(a, *id < heap->n_ids, "a leaked object");
}

static void archive_leak_lists(struct archive *a,
			       struct kml_analysis *analysis)
{
	struct leaks *leaks = &analysis->leaks;
	uint64_t n_followers = 0;
	uint32_t i;
	unsigned kind, verdict;

	archive_list(a, &leaks->followers, &leaks->n_followers,
		     archive_follower, &analysis->heap);
	archive_list(a, &leaks->leaks, &leaks->n_leaks, archive_leak, analysis);
	archive_list(a, &leaks->groups, &leaks->n_groups, archive_group,
		     analysis);
	for (i = 0; i < leaks->n_leaks; i++) {
		archive_check(a, leaks->leaks[i].group < leaks->n_groups,
			      "a leak's group");
		n_followers += leaks->leaks[i].n_followers;
	}
	/* Each is counted with one leak. */
	archive_check(a, n_followers == leaks->n_followers,
		      "what leaks hold");
	for (verdict = 0; verdict < LEAK_VERDICTS; verdict++)
		archive_u32(a, &leaks->n_by_verdict[verdict]);
	archive_u64(a, &leaks->n_objects);
	archive_u64(a, &leaks->bytes);
	archive_check(a, leaks->n_objects <= analysis->heap.n_ids,
		      "the number of leaks");
	for (kind = 0; kind < HEAP_KINDS; kind++) {
		archive_u64(a, &leaks->kind_objects[kind]);
		archive_u64(a, &leaks->kind_bytes[kind]);
	}
}

static void archive_held_object(struct archive *a, struct held *held,
				const struct kml_analysis *analysis)
{
	archive_u32(a, &held->id);
	archive_u32(a, &held->task);
	archive_u64(a, &held->slot_va);
	archive_check(a, held->id < analysis->heap.n_ids &&
		      held->task < analysis->kernel.tasks.size,
		      "what a stack holds");
}

static void archive_holder(struct archive *a, struct blind_holder *holder,
			   const struct graph *graph)
{
	archive_u32(a, &holder->source);
	archive_u32(a, &holder->word);
	archive_u8(a, &holder->how);
	archive_u64(a, &holder->n_free);
	archive_u64(a, &holder->n_alone);
	archive_check(a, holder->source < graph->n_sources &&
		      holder->how <= HEAP_REF_PHYSICAL, "a stale word");
}

static void archive_blind(struct archive *a, struct blind *blind,
			  const struct graph *graph)
{
	archive_u64(a, &blind->n_free);
	archive_u64(a, &blind->n_referenced);
	archive_list(a, &blind->holders, &blind->n_holders, archive_holder,
		     graph);
	archive_u32(a, &blind->n_omitted);
}

void archive_leaks(struct archive *a, struct snapshot *snapshot)
{
	struct kml_analysis *analysis = snapshot->analysis;
	struct held_list *held = &analysis->held;

	archive_bitmap(a, &analysis->reached, analysis->heap.n_ids);
	archive_check(a, analysis->reached, "the mark");
	archive_u64(a, &analysis->mark.follows);
	archive_u64(a, &analysis->mark.duplicates);
	archive_u64(a, &analysis->mark.excused);
	archive_u64(a, &analysis->mark.excused_bytes);
	archive_leak_lists(a, analysis);
	archive_list(a, &held->held, &held->n_held, archive_held_object,
		     analysis);
	archive_u64(a, &held->n_objects);
	archive_u64(a, &held->bytes);
	archive_blind(a, &analysis->blind, &analysis->graph);
}
