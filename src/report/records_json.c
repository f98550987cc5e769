// SPDX-License-Identifier: GPL-2.0-or-later
/* The records of the kernel's own kmemleak as JSON. */
#include "report/report.h"

#include "report/json_common.h"
#include "report/records.h"

static void json_flags(struct json *json, const struct kmemleak_record *record)
{
	static const char *const names[] = { "allocated", "reported",
					     "no_scan",   "full_scan",
					     "phys",      "percpu",
					     "suspect" };
	unsigned i;

	json_array_line(json, "flags");
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (record->flags >> i & 1)
			json_string(json, NULL, names[i]);
	}
	json_end(json);
}

static void json_areas(struct json *json, const struct report *report,
		       const struct kmemleak_record *record)
{
	const struct kmemleak *kmemleak = &report->analysis->kmemleak;
	unsigned i;

	json_array(json, "scan_areas");
	for (i = 0; i < record->n_areas; i++) {
		const struct kmemleak_area *area =
			&kmemleak->areas.data[record->first_area + i];

		json_object_line(json, NULL);
		json_address(json, "address", area->start);
		json_number(json, "bytes", area->size);
		json_end(json);
	}
	json_end(json);
}

void json_record_trace(struct json *json, struct report *report,
		       const struct kmemleak_record *record)
{
	uint64_t trace[STACKDEPOT_FRAMES];
	size_t n = record_trace(report, record, trace), i;
	char symbol[SYMBOL_BYTES_MAX];

	json_array(json, "backtrace");
	for (i = 0; i < n; i++) {
		object_symbol(report, trace[i], symbol);
		json_object_line(json, NULL);
		json_address(json, "address", trace[i]);
		json_string(json, "symbol", symbol);
		json_end(json);
	}
	json_end(json);
}

void json_record_members(struct json *json, const struct report *report,
			 const struct kmemleak_record *record)
{
	json_bool(json, "reported",
		  kmemleak_is_reported(&report->analysis->kmemleak, record));
	json_string(json, "color", record_colors[kmemleak_color(record)]);
	json_signed(json, "min_count", record->min_count);
	json_signed(json, "count", record->count);
	json_flags(json, record);
	json_string(json, "comm", record->comm);
	json_number(json, "pid", record->pid);
	json_number(json, "jiffies", record->jiffies);
	if (report->analysis->kmemleak.hz)
		json_seconds(json, "age_seconds",
			     (double)record_age_ms(report, record->jiffies) /
				     1000);
	else
		json_null(json, "age_seconds");
}

static void json_record(struct json *json, struct report *report,
			const struct kmemleak_record *record)
{
	json_object(json, NULL);
	json_address(json, "address", record->pointer);
	json_number(json, "bytes", record->size);
	json_record_members(json, report, record);
	json_number(json, "checksum", record->checksum);
	json_address(json, "excess_ref", record->excess_ref);
	json_areas(json, report, record);
	json_record_trace(json, report, record);
	json_end(json);
}

static void json_record_statistics(struct json *json, struct report *report)
{
	const struct kmemleak *kmemleak = &report->analysis->kmemleak;
	const struct record_statistics s = record_statistics_of(report);

	json_object(json, "kmemleak");
	json_bool(json, "enabled", kmemleak->enabled);
	json_number(json, "objects", s.records);
	json_number(json, "bytes", s.bytes);
	json_number(json, "white", s.colors[KMEMLEAK_WHITE]);
	json_number(json, "gray", s.colors[KMEMLEAK_GRAY]);
	json_number(json, "black", s.colors[KMEMLEAK_BLACK]);
	json_number(json, "reported", s.reported);
	json_number(json, "young", s.young);
	json_number(json, "not_leak", s.not_leak);
	json_number(json, "no_scan", s.no_scan);
	json_number(json, "scan_areas", s.areas);
	json_number(json, "jiffies", kmemleak->jiffies);
	json_number(json, "last_scan_jiffies", kmemleak->last_scan);
	json_number(json, "hz", kmemleak->hz);
	json_end(json);
}

void report_records_json(struct report *report)
{
	const struct kmemleak *kmemleak = &report->analysis->kmemleak;
	struct json json;
	size_t i;

	json_init(&json, &report->writer);
	json_object(&json, NULL);
	json_header(&json, report, "kmemleak");
	json_record_statistics(&json, report);
	json_array(&json, "records");
	for (i = 0; i < kmemleak->records.size; i++) {
		if (record_wanted(report, &kmemleak->records.data[i]))
			json_record(&json, report, &kmemleak->records.data[i]);
	}
	json_end(&json);
	json_gaps(&json, report);
	if (report->options.statistics)
		json_statistics(&json, report);
	json_end(&json);
}
