// SPDX-License-Identifier: GPL-2.0-or-later
/* kmemleak's verdicts and ours, for a person: a table, then by reason. */
#include "report/report.h"

#include <inttypes.h>

#include "report/compare.h"
#include "report/number.h"
#include "report/records.h"

static void print_table(struct report *report,
			const struct comparison *comparison)
{
	static const char *const rows[OURS_VERDICTS] = {
		"leaked", "live", "free", "in doubt", "unknown"
	};
	struct writer *w = &report->writer;
	unsigned ours, theirs;

	writer_puts(w, "\nobjects          kmemleak:");
	for (theirs = 0; theirs < THEIRS_VERDICTS; theirs++)
		writer_printf(w, " %10s", compare_theirs_names[theirs]);
	writer_puts(w, "\n");
	for (ours = 0; ours < OURS_VERDICTS; ours++) {
		writer_printf(w, "  %-11s %-11s ",
			      ours ? "" : "kmlanalyze:", rows[ours]);
		for (theirs = 0; theirs < THEIRS_VERDICTS; theirs++)
			writer_printf(w, " %10s",
				      COUNT(comparison->counts[ours][theirs]));
		writer_puts(w, "\n");
	}
}

/* "gray, count 1 of min_count 1, allocated by insmod (pid 123) 17.2 s before
 * the dump" */
static void print_record(struct report *report,
			 const struct kmemleak_record *record)
{
	struct writer *w = &report->writer;
	uint64_t age = record_age_ms(report, record->jiffies);
	bool reported = kmemleak_is_reported(&report->analysis->kmemleak,
					     record);

	writer_printf(w, "      kmemleak: %s%s, count %" PRId32 " of min_count %" PRId32
			 "; allocated by %s (pid %" PRId32 ")",
		      record_colors[kmemleak_color(record)],
		      reported ? ", reported" : "", record->count,
		      record->min_count, record->comm, (int32_t)record->pid);
	if (report->analysis->kmemleak.hz)
		writer_printf(w, " %" PRIu64 ".%03" PRIu64 " s before the dump",
			      age / 1000, age % 1000);
	writer_puts(w, "\n");
}

static void print_entry(struct report *report,
			const struct compare_entry *entry)
{
	const struct kmemleak_record *record = compare_record(report, entry);
	const struct object object = compare_object(report, entry);
	struct writer *w = &report->writer;
	char place[PLACE_BYTES];

	writer_printf(w, "\n    0x%016" PRIx64 "  %s  %s\n", entry->va,
		      BYTES(record ? record->size : object.bytes),
		      entry->id == HEAP_NONE ? "no object of kmlanalyze" :
					       object_family(&object));
	if (record)
		print_record(report, record);
	else
		writer_puts(w, "      kmemleak: untracked\n");
	writer_printf(w, "      kmlanalyze: %s\n",
		      compare_ours_names[entry->ours]);
	if (entry->word.place == PLACE_NONE)
		return;
	compare_place(report, &entry->word, place);
	writer_printf(w, "      referred to from %s\n", place);
}

static void print_reason(struct report *report,
			 const struct comparison *comparison,
			 enum compare_reason reason, size_t first)
{
	uint64_t n = comparison->reasons[reason], i;
	uint64_t limit = report->options.limit;
	uint64_t shown = limit && limit < n ? limit : n;

	writer_printf(&report->writer, "\n%s: %s\n", COUNT_OF(n, "object"),
		      compare_reasons[reason].text);
	for (i = 0; i < shown; i++)
		print_entry(report, &comparison->entries.data[first + i]);
	if (shown < n)
		writer_printf(&report->writer, "\n    ... and %s more\n",
			      COUNT(n - shown));
}

void report_compare_text(struct report *report)
{
	struct comparison comparison;
	unsigned reason;
	size_t first = 0;

	if (!compare_make(report, &comparison))
		return;
	text_summary(report);
	print_table(report, &comparison);
	for (reason = 0; reason < COMPARE_REASONS; reason++) {
		if (comparison.reasons[reason])
			print_reason(report, &comparison, reason, first);
		first += comparison.reasons[reason];
	}
	if (report->options.statistics)
		text_statistics(report);
	comparison_deinit(&comparison);
}
