/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot: an analysis with all that reports ask of the dump, in a file.
 * kml_analyze() and kml_inventory() take one in place of a dump.
 *
 * What is saved of each room is in archive_*.c, one function per struct for
 * both directions (archive.h), and in which order and section in sections.c.
 * What only the scan needs is left out: see archive_kernel.c.
 */
#ifndef KML_SNAPSHOT_SNAPSHOT_H
#define KML_SNAPSHOT_SNAPSHOT_H

#include "debuginfo/lines_record.h"
#include "image/record.h"
#include "leak/analysis.h"
#include "snapshot/archive.h"

/* What is saved, or is being loaded. */
struct snapshot {
	struct kml_analysis *analysis;
	struct image_record image;
	struct lines_record lines;
	bool no_content, no_lines; /* these it is saved without */

	/* kernel.gaps as kml_report() is to print them; those that the records
	 * of the kernel's own kmemleak add, or why there are no records. */
	struct gap_list gaps, kmemleak_gaps;
	uint32_t kmemleak_code; /* enum kml_code */
	char *kmemleak_why;     /* NULL: there are records */
	struct comparison comparison;
	struct gap_list comparison_gaps; /* that it found */

	/* While loading. */
	bool inventory, kmemleak; /* what is wanted */
	struct profile *profile;
};

void snapshot_deinit(struct snapshot *snapshot);

/* Write all of it. */
struct kml_error *snapshot_write(struct snapshot *snapshot,
				 kml_write_fn *write, void *arg)
	error_must_check;

/* Load a snapshot as kml_analyze() or kml_inventory() would have made the
 * analysis.  KML_ERR_ARGUMENT: an option takes a scan of the dump. */
struct kml_error *snapshot_load(const char *path,
				const struct kml_options *options,
				bool inventory, struct kml_analysis **ret)
	error_must_check;

/*
 * The gaps of an inventory, or of an analysis, as they are with kmemleak's
 * records: these come between the inventory and the scan.
 */
struct kml_error *snapshot_merge_gaps(const struct gap_list *inventory,
				      const struct gap_list *kmemleak,
				      const struct gap_list *all,
				      struct kernel *ret) error_must_check;

/* ---- the sections */

void archive_about(struct archive *a, struct snapshot *snapshot);
void archive_image(struct archive *a, struct snapshot *snapshot);
void archive_profile(struct archive *a, struct snapshot *snapshot);
void archive_kernel(struct archive *a, struct snapshot *snapshot);
void archive_heap(struct archive *a, struct snapshot *snapshot);
void archive_graph(struct archive *a, struct snapshot *snapshot);
void archive_infer(struct archive *a, struct snapshot *snapshot);
void archive_holdings(struct archive *a, struct snapshot *snapshot);
void archive_leaks(struct archive *a, struct snapshot *snapshot);
void archive_user(struct archive *a, struct snapshot *snapshot);
void archive_kmemleak(struct archive *a, struct snapshot *snapshot);
void archive_lines(struct archive *a, struct snapshot *snapshot);
void archive_memory(struct archive *a, struct snapshot *snapshot);

/* Of several of them. */
void archive_gaps(struct archive *a, struct gap_list *list);

#endif
