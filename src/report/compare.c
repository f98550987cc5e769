// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/records.h"

const char *const compare_theirs_names[THEIRS_VERDICTS] = {
	[THEIRS_REPORTED] = "reported", [THEIRS_WHITE] = "white",
	[THEIRS_GRAY] = "gray",         [THEIRS_BLACK] = "black",
	[THEIRS_UNTRACKED] = "untracked",
};

const char *const compare_ours_names[OURS_VERDICTS] = {
	[OURS_LEAKED] = "leaked", [OURS_LIVE] = "live",
	[OURS_FREE] = "free",     [OURS_DOUBT] = "in_doubt",
	[OURS_UNKNOWN] = "unknown",
};

const struct compare_reason_text compare_reasons[COMPARE_REASONS] = {
	[REASON_NONE] = { "both", "both report" },
	[REASON_YOUNG] = {
		"young",
		"kmlanalyze reports; for kmemleak they were too young at its last scan" },
	[REASON_UNCONFIRMED] = {
		"unconfirmed",
		"kmlanalyze reports; kmemleak found them unreferenced but has not reported them" },
	[REASON_NOT_LEAK] = {
		"not_leak",
		"kmlanalyze reports; for kmemleak they need no reference (min_count 0: kmemleak_not_leak() and the like)" },
	[REASON_IGNORED] = {
		"ignored",
		"kmlanalyze reports; kmemleak was told to ignore them (black)" },
	[REASON_KIND] = {
		"kind",
		"kmlanalyze reports; kmemleak tracks no page blocks and no mappings" },
	[REASON_CACHE] = {
		"cache",
		"kmlanalyze reports; kmemleak tracks no object of their cache" },
	[REASON_PERCPU] = {
		"percpu",
		"kmlanalyze reports; this kernel's kmemleak never reports per-cpu blocks" },
	[REASON_NO_RECORD] = {
		"no_record",
		"kmlanalyze reports; kmemleak has no record of them" },
	[REASON_STALE_WORD] = {
		"stale_word",
		"kmlanalyze reports; kmemleak scans a word that refers to them and stands where nothing live is" },
	[REASON_HELD_BY_LEAK] = {
		"held_by_leak",
		"kmlanalyze reports; held by a leak that kmemleak takes for held" },
	[REASON_GONE] = {
		"gone",
		"kmlanalyze reports; kmemleak counted references, but no word that it scans refers to them now" },
	[REASON_UNTRACKED_HOLDER] = {
		"untracked_holder",
		"kmemleak reports; held from memory that it does not track" },
	[REASON_UNSCANNED_HOLDER] = {
		"unscanned_holder",
		"kmemleak reports; held by what it was told not to scan" },
	[REASON_OUTSIDE_AREAS] = {
		"outside_areas",
		"kmemleak reports; held by a word outside of the holder's scan areas" },
	[REASON_WHITE_HOLDER] = {
		"white_holder",
		"kmemleak reports; held by what it takes for unreferenced as well" },
	[REASON_ENCODED] = {
		"encoded",
		"kmemleak reports; held by a struct page, a per-cpu pointer or a physical address, which it does not follow" },
	[REASON_MIN_COUNT] = {
		"min_count",
		"kmemleak reports; held, but it wants more references than there are" },
	[REASON_SINCE] = {
		"since",
		"kmemleak reports; held by a word that it scans: since its last scan?" },
	[REASON_OWN_RULE] = {
		"own_rule",
		"kmemleak reports; no word holds them, but a rule of kmlanalyze does" },
	[REASON_FREED] = { "freed", "kmemleak reports; free by now" },
	[REASON_DOUBT] = {
		"in_doubt",
		"kmemleak reports; torn or unreadable in the dump" },
	[REASON_NOT_FOUND] = {
		"not_found",
		"kmemleak reports; in no object that kmlanalyze knows" },
};

/* A snapshot has what came of it. */
static struct kml_error *copy_comparison(const struct comparison *from,
					 struct comparison *ret)
{
	size_t n = from->entries.size;

	*ret = *from;
	memset(&ret->entries, 0, sizeof(ret->entries));
	if (!vec_reserve(&ret->entries, n + 1))
		return error_nomem();
	if (n)
		memcpy(ret->entries.data, from->entries.data,
		       n * sizeof(*from->entries.data));
	ret->entries.size = n;
	return NULL;
}

bool compare_make(struct report *report, struct comparison *ret)
{
	struct kml_analysis *a = report->analysis;
	const struct gap_list *gaps = &a->loaded.comparison_gaps;
	struct kml_error *error;
	size_t i;

	if (a->loaded.comparison) {
		error = copy_comparison(a->loaded.comparison, ret);
		for (i = 0; i < gaps->gaps.size; i++)
			kernel_gaps(&a->kernel, gaps->gaps.data[i].what,
				    gaps->gaps.data[i].first_address,
				    gaps->gaps.data[i].unsound,
				    gaps->gaps.data[i].count);
		if (error)
			writer_fail(&report->writer, error);
		return !error;
	}
	error = compare_verdicts(&a->kernel, &a->graph, a->reached,
				 &a->kmemleak, ret);
	if (error)
		writer_fail(&report->writer, error);
	return !error;
}

static void place_stack_word(const struct report *report,
			     const struct compare_word *word, char *ret)
{
	const struct kernel_task *task =
		&report->kernel->tasks.data[word->owner];

	snprintf(ret, PLACE_BYTES,
		 "stack of %s, pid %" PRIu32 ", at 0x%016" PRIx64 ", below its stack pointer",
		 task->comm, task->pid, word->va);
}

static void place_object_word(const struct report *report,
			      const struct compare_word *word, char *ret)
{
	const struct object object = object_of(report, word->owner);

	snprintf(ret, PLACE_BYTES, "%s 0x%016" PRIx64 " +0x%" PRIx64,
		 object_family(&object), object.va, word->va - object.va);
}

void compare_place(struct report *report, const struct compare_word *word,
		   char ret[PLACE_BYTES])
{
	uint32_t id;
	uint64_t va;

	if (word->source != HEAP_NONE)
		place_holder(report, word->source, word->word, &id, &va, ret);
	else if (word->place == PLACE_OBJECT)
		place_object_word(report, word, ret);
	else if (word->place == PLACE_STACK)
		place_stack_word(report, word, ret);
	else if (word->place == PLACE_STRUCT_PAGE)
		snprintf(ret, PLACE_BYTES, "struct page 0x%016" PRIx64, word->va);
	else
		place_format(report, word->va, ret);
}

const struct kmemleak_record *
compare_record(const struct report *report, const struct compare_entry *entry)
{
	return entry->record == HEAP_NONE ?
		       NULL :
		       &report->analysis->kmemleak.records.data[entry->record];
}

struct object compare_object(const struct report *report,
			     const struct compare_entry *entry)
{
	return entry->id == HEAP_NONE ?
		       record_object(compare_record(report, entry)) :
		       object_of(report, entry->id);
}
