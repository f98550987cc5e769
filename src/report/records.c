// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/records.h"

#include "base/util.h"

const char *const record_colors[KMEMLEAK_COLORS] = {
	[KMEMLEAK_WHITE] = "white",
	[KMEMLEAK_GRAY] = "gray",
	[KMEMLEAK_BLACK] = "black",
};

struct object record_object(const struct kmemleak_record *record)
{
	return (struct object){
		.id = HEAP_NONE,
		.va = record->pointer,
		.bytes = record->size,
		.kind = record->flags & KMEMLEAK_PERCPU ? HEAP_PERCPU :
							  HEAP_SLAB,
	};
}

bool record_wanted(const struct report *report,
		   const struct kmemleak_record *record)
{
	return report->options.kmemleak == KML_KMEMLEAK_ALL ||
	       kmemleak_is_reported(&report->analysis->kmemleak, record);
}

size_t record_trace(struct report *report, const struct kmemleak_record *record,
		    uint64_t ret[STACKDEPOT_FRAMES])
{
	struct kml_error *error;
	size_t n;

	error = kmemleak_trace(report->kernel, &report->analysis->kmemleak,
			       record, ret, &n);
	if (!error)
		return n;
	error = kernel_forgive(report->kernel, error,
			       "backtraces of kmemleak's records", record->va);
	if (error)
		writer_fail(&report->writer, error);
	return 0;
}

uint64_t record_age_ms(const struct report *report, uint64_t jiffies)
{
	const struct kmemleak *kmemleak = &report->analysis->kmemleak;
	int64_t age = (int64_t)(kmemleak->jiffies - jiffies);

	return age > 0 && kmemleak->hz ?
		       (uint64_t)age / kmemleak->hz * 1000 +
			       (uint64_t)age % kmemleak->hz * 1000 /
				       kmemleak->hz :
		       0;
}

struct record_statistics record_statistics_of(const struct report *report)
{
	const struct kmemleak *kmemleak = &report->analysis->kmemleak;
	struct record_statistics s = { .records = kmemleak->records.size };
	size_t i;

	for (i = 0; i < kmemleak->records.size; i++) {
		const struct kmemleak_record *r = &kmemleak->records.data[i];
		enum kmemleak_color color = kmemleak_color(r);

		s.bytes += r->size;
		s.colors[color]++;
		s.reported += kmemleak_is_reported(kmemleak, r);
		s.young += color == KMEMLEAK_WHITE &&
			   !kmemleak_is_old(kmemleak, r);
		s.not_leak += !r->min_count;
		s.no_scan += !!(r->flags & KMEMLEAK_NO_SCAN);
		s.full_scan += !!(r->flags & KMEMLEAK_FULL_SCAN);
		s.phys += !!(r->flags & KMEMLEAK_PHYS);
		s.percpu += !!(r->flags & KMEMLEAK_PERCPU);
		s.excess += !!r->excess_ref;
		s.with_areas += !!r->n_areas;
		s.areas += r->n_areas;
	}
	return s;
}
