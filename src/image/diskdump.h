/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of a kdump-compressed dump, split or not. */
#ifndef KML_IMAGE_DISKDUMP_H
#define KML_IMAGE_DISKDUMP_H

#include "image/file.h"
#include "image/source.h"

/*
 * *@ret is NULL if a header is of a kind that we do not understand.  @files
 * are in the order of diskdump_sort_parts() and must outlive the source.
 */
struct kml_error *diskdump_open(const struct dump_file *files, size_t n_files,
				struct source **ret) error_must_check;

#endif
