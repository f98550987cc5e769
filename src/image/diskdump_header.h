/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The headers of a kdump-compressed file, and how the parts of a split dump
 * fit together. */
#ifndef KML_IMAGE_DISKDUMP_HEADER_H
#define KML_IMAGE_DISKDUMP_HEADER_H

#include "image/file.h"

struct diskdump_header {
	unsigned status;          /* which compression, incomplete or not */
	uint64_t max_mapnr;       /* pages of the machine */
	uint64_t bitmap_offset;   /* of the bitmap of dumped pages */
	uint64_t bitmap_bits;
	uint64_t desc_offset;     /* of the page descriptors */
	bool split;
	uint64_t start_pfn;       /* what this part holds: all of it for ... */
	uint64_t end_pfn;         /* ... a dump that is not split */
	uint8_t identity[406];    /* utsname and time: the same in all parts */
};

/* header.status and the flags of a page: PAGE_* of decompress.h, and: */
#define DISKDUMP_INCOMPLETE 0x08u

static inline bool is_diskdump(const struct dump_file *file)
{
	static const uint8_t magic[8] = { 'K', 'D', 'U', 'M', 'P',
					  ' ', ' ', ' ' };

	return !__builtin_memcmp(file->magic, magic, sizeof(magic));
}

/* *@known_ret: false if the file is of a kind that we do not understand. */
struct kml_error *diskdump_header_read(const struct dump_file *file,
				       struct diskdump_header *ret,
				       bool *known_ret) error_must_check;

/*
 * Put the files of a split dump in order; fail with KML_ERR_ARGUMENT if one is
 * missing, given twice or of another dump: libkdumpfile takes the parts as
 * they come, and what is missing reads as filtered out.
 */
struct kml_error *diskdump_sort_parts(struct dump_file *files, size_t n_files)
	error_must_check;

#endif
