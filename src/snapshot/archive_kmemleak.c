// SPDX-License-Identifier: GPL-2.0-or-later
/* The records of the kernel's own kmemleak, and how its verdicts compare. */
#include "base/util.h"
#include "snapshot/snapshot.h"

archive_covers(struct kmemleak_record, 88);
archive_covers(struct kmemleak, 456);
archive_covers(struct compare_entry, 48);
archive_covers(struct comparison, 408);

static void archive_record(struct archive *a, struct kmemleak_record *r,
			   const struct kmemleak *kmemleak, uint64_t *last)
{
	archive_delta(a, &r->va, last);
	archive_u64(a, &r->pointer);
	archive_u64(a, &r->size);
	archive_u64(a, &r->excess_ref);
	archive_u64(a, &r->jiffies);
	archive_i32(a, &r->min_count);
	archive_i32(a, &r->count);
	archive_u32(a, &r->checksum);
	archive_u32(a, &r->trace);
	archive_u32(a, &r->pid);
	archive_u32(a, &r->first_area);
	archive_u16(a, &r->n_areas);
	archive_u8(a, &r->flags);
	archive_u8(a, &r->del_state);
	archive_chars(a, r->comm, sizeof(r->comm));
	archive_check(a, !r->n_areas ||
		      (r->first_area <= kmemleak->areas.size &&
		       r->n_areas <= kmemleak->areas.size - r->first_area),
		      "a record of kmemleak");
}

static void archive_scan_area(struct archive *a, struct kmemleak_area *area)
{
	archive_u64(a, &area->start);
	archive_u64(a, &area->size);
}

static void archive_records(struct archive *a, struct snapshot *snapshot)
{
	struct kmemleak *kmemleak = &snapshot->analysis->kmemleak;
	uint64_t last = 0;

	archive_vec(a, &kmemleak->areas, archive_scan_area);
	archive_vec(a, &kmemleak->records, archive_record, kmemleak, &last);
	archive_bool(a, &kmemleak->enabled);
	archive_bool(a, &kmemleak->tracks_percpu);
	archive_u64(a, &kmemleak->jiffies);
	archive_u64(a, &kmemleak->last_scan);
	archive_u64(a, &kmemleak->min_age);
	archive_u32(a, &kmemleak->hz);
	archive_bool(a, &kmemleak->prints_checksum);
	archive_bool(a, &kmemleak->prints_age);
	archive_bool(a, &kmemleak->prints_address);
}

static bool word_is_sane(const struct kml_analysis *analysis,
			 const struct compare_word *word, uint32_t n_sources)
{
	if (word->place > PLACE_HOLE || word->how > HEAP_REF_PHYSICAL ||
	    (word->source != HEAP_NONE && word->source >= n_sources))
		return false;
	return word->place == PLACE_OBJECT ?
		       word->owner < analysis->heap.n_ids :
	       word->place == PLACE_ROOT ?
		       word->owner < analysis->kernel.roots.size :
	       word->place == PLACE_STACK ?
		       word->owner < analysis->kernel.tasks.size :
		       true;
}

static bool entry_is_sane(const struct kml_analysis *analysis,
			  const struct compare_entry *entry)
{
	return (entry->id == HEAP_NONE || entry->id < analysis->heap.n_ids) &&
	       (entry->record == HEAP_NONE ?
			entry->id != HEAP_NONE :
			entry->record < analysis->kmemleak.records.size) &&
	       entry->ours < OURS_VERDICTS && entry->theirs < THEIRS_VERDICTS &&
	       entry->reason < COMPARE_REASONS;
}

static void archive_entry(struct archive *a, struct compare_entry *entry,
			  const struct kml_analysis *analysis,
			  uint32_t n_sources)
{
	archive_u64(a, &entry->va);
	archive_u32(a, &entry->id);
	archive_u32(a, &entry->record);
	archive_u8(a, &entry->ours);
	archive_u8(a, &entry->theirs);
	archive_u8(a, &entry->reason);
	archive_u64(a, &entry->word.va);
	archive_u32(a, &entry->word.source);
	archive_u32(a, &entry->word.word);
	archive_u32(a, &entry->word.owner);
	archive_u8(a, &entry->word.place);
	archive_u8(a, &entry->word.how);
	archive_check(a, entry_is_sane(analysis, entry) &&
		      word_is_sane(analysis, &entry->word, n_sources),
		      "an object of the comparison");
}

static void archive_comparison(struct archive *a, struct snapshot *snapshot)
{
	struct comparison *comparison = &snapshot->comparison;
	uint32_t n_sources = snapshot->analysis->graph.n_sources;
	uint64_t n = 0;
	unsigned i, j;

	/* An inventory has no graph; its own number comes along. */
	archive_u32(a, &n_sources);
	archive_vec(a, &comparison->entries, archive_entry, snapshot->analysis,
		    n_sources);
	for (i = 0; i < OURS_VERDICTS; i++) {
		for (j = 0; j < THEIRS_VERDICTS; j++)
			archive_u64(a, &comparison->counts[i][j]);
	}
	for (i = 0; i < COMPARE_REASONS; i++) {
		archive_u64(a, &comparison->reasons[i]);
		archive_check(a, comparison->reasons[i] <=
				      comparison->entries.size - n,
			      "the comparison");
		n += a->failed ? 0 : comparison->reasons[i];
	}
	archive_check(a, n == comparison->entries.size &&
		      (snapshot->inventory ||
		       n_sources == snapshot->analysis->graph.n_sources),
		      "the comparison");
}

void archive_kmemleak(struct archive *a, struct snapshot *snapshot)
{
	archive_u32(a, &snapshot->kmemleak_code);
	archive_text(a, &snapshot->kmemleak_why);
	archive_check(a, snapshot->kmemleak_code <= KML_ERR_INTERRUPTED &&
		      !snapshot->kmemleak_code == !snapshot->kmemleak_why,
		      "an error");
	archive_gaps(a, &snapshot->kmemleak_gaps);
	if (snapshot->kmemleak_why)
		return;
	archive_records(a, snapshot);
	archive_comparison(a, snapshot);
	archive_gaps(a, &snapshot->comparison_gaps);
}
