/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The counters of a run, in one place for all formats. */
#ifndef KML_REPORT_STATISTICS_H
#define KML_REPORT_STATISTICS_H

#include "report/report.h"

struct statistics {
	uint64_t objects;    /* allocated or free */
	uint64_t pages;      /* read for the scan */
	uint64_t words;      /* looked at */
	uint64_t dismissals; /* of these: in no range that holds objects */
	uint64_t candidates; /* the others */
	uint64_t misses;     /* of these: in no object */
	uint64_t self;       /* an object's references to itself */
	uint64_t references; /* kept */
	uint64_t duplicates; /* references to what was reached already */
	uint64_t follows;    /* references that reached an object first */
	uint64_t peak_bytes; /* of the process' memory */
	const char *layouts; /* "vmlinux", "cache", "profile" */
};

struct statistics statistics_of(const struct kml_analysis *analysis);

#endif
