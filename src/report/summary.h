/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts of the summary that several formats show. */
#ifndef KML_REPORT_SUMMARY_H
#define KML_REPORT_SUMMARY_H

#include "report/report.h"

#define SUMMARY_ID_BYTES 129
/* A build-id in hexadecimal; "" if there is none. */
void summary_build_id(const struct profile *profile,
		      char ret[SUMMARY_ID_BYTES]);

/* The vmlinux or profile that was used, as it was named or found; NULL if it
 * is neither (the layouts come from the cache, by build-id). */
const char *summary_vmlinux(const struct kml_analysis *analysis);

/* Possible CPUs. */
unsigned summary_cpus(const struct kernel *kernel);

/* Page frames that have a struct page; there may be holes among them. */
uint64_t summary_memory_bytes(const struct kernel *kernel);

/* Why there are no source lines; NULL: there are, or none are wanted. */
const char *summary_why_no_lines(const struct kml_analysis *analysis);

#endif
