/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot as a file:
 *
 *	magic, version, byte order, number of sections, checksum
 *	table: name, bytes, bytes of the frame, checksum of each section
 *	the sections, each a zstd frame, one behind the other to the end
 *
 * The first checksum covers the header and the table, so that every byte of the
 * file is under one.  All are checked when the file is opened; a section is
 * decompressed when somebody wants it.
 */
#ifndef KML_SNAPSHOT_FILE_H
#define KML_SNAPSHOT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"

/* Goes up with each change of what a section holds, or of which there are. */
#define SNAPSHOT_VERSION 6u
#define SNAPSHOT_MAX_BYTES ((size_t)4 << 30)
#define SECTION_NAME_BYTES 16u

struct snapshot_section {
	char name[SECTION_NAME_BYTES]; /* NUL-padded */
	uint64_t bytes, frame_bytes, frame_hash;
};

/* Whether a file is there and begins like a snapshot. */
bool snapshot_file_is(const char *path);

/* ---- writing */

struct snapshot_writer {
	VEC(struct snapshot_section) sections;
	VEC(char) frames;
};

/* Compress and append a section. */
struct kml_error *snapshot_writer_add(struct snapshot_writer *writer,
				      const char *name, const void *data,
				      size_t bytes) error_must_check;
struct kml_error *snapshot_writer_write(const struct snapshot_writer *writer,
					kml_write_fn *write, void *arg)
	error_must_check;
void snapshot_writer_deinit(struct snapshot_writer *writer);

/* ---- reading */

struct snapshot_file {
	char *path;
	char *data;
	size_t bytes;
	VEC(struct snapshot_section) sections;
};

/* KML_ERR_OS; KML_ERR_FORMAT: no snapshot; KML_ERR_UNSUPPORTED: of another
 * version or kind of machine; KML_ERR_CORRUPT. */
struct kml_error *snapshot_file_open(struct snapshot_file *file,
				     const char *path) error_must_check;
/* The contents of a section, to be free()d. */
struct kml_error *snapshot_file_section(const struct snapshot_file *file,
					const char *name, void **ret,
					size_t *bytes_ret) error_must_check;
void snapshot_file_close(struct snapshot_file *file);

#endif
