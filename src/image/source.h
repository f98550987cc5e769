/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where pages come from: one implementation per kind of dump.  elf_dump.c and
 * diskdump.c read the two that everybody has, fast and in parallel; kdump.c
 * reads all others through libkdumpfile, one page at a time.
 */
#ifndef KML_IMAGE_SOURCE_H
#define KML_IMAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* One bit of a word of missing pages each. */
#define SOURCE_BATCH_PAGES 64

struct source;

struct source_ops {
	void (*destroy)(struct source *source);

	/* Any thread; the answer never changes. */
	bool (*has_page)(const struct source *source, uint64_t pfn);

	/* What one thread needs to read: buffers, decompression contexts. */
	struct kml_error *(*reader_create)(struct source *source, void **ret);
	void (*reader_destroy)(void *reader);

	/* As image_reader_pages(); @n_pages is in [1, SOURCE_BATCH_PAGES]. */
	struct kml_error *(*read)(void *reader, uint64_t pfn, unsigned n_pages,
				  uint8_t *buf, uint64_t *missing_ret);

	/* Pages found damaged so far; NULL: not known.  Any thread. */
	uint64_t (*damaged)(const struct source *source);
};

/* The first member of each implementation's own structure. */
struct source {
	const struct source_ops *ops;
	const char *format;
	uint64_t end_pfn;
	uint64_t n_pages;      /* pages that the dump holds */
	uint64_t zero_pages;   /* of these: without data, read as zero */
	bool truncated;        /* the file is shorter than it says */
};

#endif
