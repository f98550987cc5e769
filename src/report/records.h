/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The records of the kernel's own kmemleak: what the formats share. */
#ifndef KML_REPORT_RECORDS_H
#define KML_REPORT_RECORDS_H

#include "report/object.h"

extern const char *const record_colors[KMEMLEAK_COLORS];

/* The object that a record is of, as far as content_read() needs it. */
struct object record_object(const struct kmemleak_record *record);

/* Is a record one of those that were asked for? */
bool record_wanted(const struct report *report,
		   const struct kmemleak_record *record);

/* Where the object was allocated: return addresses.  What cannot be read is
 * none; it was counted as a gap. */
size_t record_trace(struct report *report, const struct kmemleak_record *record,
		    uint64_t ret[STACKDEPOT_FRAMES]);

/* Milliseconds from a moment in jiffies to the dump; 0 if HZ is unknown. */
uint64_t record_age_ms(const struct report *report, uint64_t jiffies);

struct record_statistics {
	uint64_t records, bytes;
	uint64_t colors[KMEMLEAK_COLORS];
	uint64_t reported, young, not_leak, no_scan, full_scan, phys, percpu;
	uint64_t excess, with_areas, areas;
};
struct record_statistics record_statistics_of(const struct report *report);

/* "  hex dump (first 32 bytes):" and the rows, as the kernel prints them. */
void print_kmemleak_hex_dump(struct report *report,
			     const struct object *object);

#endif
