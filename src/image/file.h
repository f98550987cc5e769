/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files that a dump is made of. */
#ifndef KML_IMAGE_FILE_H
#define KML_IMAGE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* As much of a file's beginning as tells what it is. */
#define DUMP_MAGIC_BYTES 20

struct dump_file {
	char *path;
	int fd;
	uint64_t bytes;
	uint8_t magic[DUMP_MAGIC_BYTES]; /* zero beyond the end of the file */
};

struct kml_error *dump_file_open(struct dump_file *file, const char *path)
	error_must_check;
/* Also for a zeroed file. */
void dump_file_close(struct dump_file *file);

/*
 * Read @bytes at @offset; *@got_ret tells how many there are before the end of
 * the file.  Any thread.
 */
struct kml_error *dump_file_read(const struct dump_file *file, uint64_t offset,
				 void *buf, size_t bytes, size_t *got_ret)
	error_must_check;

/* As dump_file_read(), but KML_ERR_CORRUPT, naming @what, if it is not all. */
struct kml_error *dump_file_read_all(const struct dump_file *file,
				     uint64_t offset, void *buf, size_t bytes,
				     const char *what) error_must_check;

#endif
