/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A baseline: an earlier report of ours in JSON.  What it lists was there then
 * and is not reported again, as after "echo clear" of kmemleak.
 */
#ifndef KML_LEAK_BASELINE_H
#define KML_LEAK_BASELINE_H

#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"
#include "heap/heap.h"

/* A leaked object, root or not, of the earlier report. */
struct baseline_object {
	uint64_t va, bytes;
	uint64_t when;     /* jiffies of its allocation; 0: unknown */
	char *cache;       /* NULL: none */
	uint8_t kind;      /* enum heap_kind */
};

/* How many leaks had a fingerprint. */
struct baseline_count {
	uint64_t fingerprint, n_leaks;
};

struct baseline {
	char *path; /* NULL: there is none */
	VEC(struct baseline_object) objects; /* by address */
	VEC(struct baseline_count) counts;   /* by fingerprint, each once */
	bool has_boot;
	uint64_t boot;
	char *release, *build_id; /* as the report has them; NULL: unknown */

	/* What came of it. */
	bool same_boot;
	uint64_t n_found; /* of its objects, or leaks if another boot's */
	uint64_t n_all;
};

/*
 * Read a report.  Fails with KML_ERR_OS, KML_ERR_FORMAT (no report of leaks of
 * ours), KML_ERR_UNSUPPORTED (larger than 256 MiB, or written with --limit).
 */
struct kml_error *baseline_read(struct baseline *baseline, const char *path)
	error_must_check;
void baseline_deinit(struct baseline *baseline);

/* The entry of an address, or NULL. */
const struct baseline_object *baseline_find(const struct baseline *baseline,
					    uint64_t va);
/* How many leaks of this fingerprint it has. */
uint64_t baseline_leaks(const struct baseline *baseline, uint64_t fingerprint);

#endif
