// SPDX-License-Identifier: GPL-2.0-or-later
/* kmemleak's verdicts and ours as JSON. */
#include "report/report.h"

#include "report/compare.h"
#include "report/json_common.h"
#include "report/source.h"

static void json_counts(struct json *json, const struct comparison *comparison)
{
	unsigned ours, theirs, reason;

	json_object(json, "counts");
	for (ours = 0; ours < OURS_VERDICTS; ours++) {
		json_object_line(json, compare_ours_names[ours]);
		for (theirs = 0; theirs < THEIRS_VERDICTS; theirs++)
			json_number(json, compare_theirs_names[theirs],
				    comparison->counts[ours][theirs]);
		json_end(json);
	}
	json_end(json);
	json_object(json, "reasons");
	for (reason = 0; reason < COMPARE_REASONS; reason++)
		json_number(json, compare_reasons[reason].name,
			    comparison->reasons[reason]);
	json_end(json);
}

static void json_word(struct json *json, struct report *report,
		      const struct compare_word *word)
{
	char place[PLACE_BYTES];

	if (word->place == PLACE_NONE) {
		json_null(json, "word");
		return;
	}
	compare_place(report, word, place);
	json_object_line(json, "word");
	json_string(json, "place", place);
	if (word->va)
		json_address(json, "address", word->va);
	else
		json_null(json, "address");
	json_string(json, "by", source_how[word->how]);
	json_end(json);
}

static void json_entry(struct json *json, struct report *report,
		       const struct compare_entry *entry)
{
	const struct kmemleak_record *record = compare_record(report, entry);
	const struct object object = compare_object(report, entry);

	json_object(json, NULL);
	json_address(json, "address", entry->va);
	json_number(json, "bytes", record ? record->size : object.bytes);
	json_string(json, "kind",
		    entry->id == HEAP_NONE ? NULL : object_kinds[object.kind]);
	json_string(json, "cache", object.cache);
	json_string(json, "kmlanalyze", compare_ours_names[entry->ours]);
	json_string(json, "kmemleak", compare_theirs_names[entry->theirs]);
	json_string(json, "reason", compare_reasons[entry->reason].name);
	json_word(json, report, &entry->word);
	if (record) {
		json_object(json, "record");
		json_record_members(json, report, record);
		json_record_trace(json, report, record);
		json_end(json);
	} else {
		json_null(json, "record");
	}
	json_end(json);
}

void report_compare_json(struct report *report)
{
	uint64_t limit = report->options.limit, n[COMPARE_REASONS] = { 0 };
	struct comparison comparison;
	struct json json;
	size_t i;

	if (!compare_make(report, &comparison))
		return;
	json_init(&json, &report->writer);
	json_object(&json, NULL);
	json_header(&json, report, "compare");
	json_counts(&json, &comparison);
	json_array(&json, "objects");
	for (i = 0; i < comparison.entries.size; i++) {
		const struct compare_entry *entry = &comparison.entries.data[i];

		if (!limit || n[entry->reason]++ < limit)
			json_entry(&json, report, entry);
	}
	json_end(&json);
	json_gaps(&json, report);
	if (report->options.statistics)
		json_statistics(&json, report);
	json_end(&json);
	comparison_deinit(&comparison);
}
