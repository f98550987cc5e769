// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/diskdump_header.h"

#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "image/image.h"

/*
 * struct disk_dump_header of makedumpfile as a 64-bit little-endian machine
 * writes it, one block; the sub-header begins in the next.
 */
#define HEADER_VERSION 8
#define HEADER_UTSNAME 12
#define HEADER_TIME 408
#define HEADER_STATUS 424
#define HEADER_BLOCK_SIZE 428
#define HEADER_SUB_BLOCKS 432
#define HEADER_BITMAP_BLOCKS 436
#define HEADER_MAX_MAPNR 440
#define HEADER_BYTES 464

#define UTSNAME_BYTES 390
#define TIME_BYTES 16

/* struct kdump_sub_header */
#define SUB_SPLIT 12          /* since header version 2 */
#define SUB_START_PFN 16
#define SUB_END_PFN 24
#define SUB_START_PFN_64 80   /* since header version 6 */
#define SUB_END_PFN_64 88
#define SUB_MAX_MAPNR_64 96
#define SUB_BYTES 104

#define MIN_VERSION 1
#define MAX_VERSION 6

/* Pages of 52 bits of physical address. */
#define MAX_PFN (UINT64_C(1) << 40)

static void parse_sub_header(const uint8_t *sub, uint32_t version,
			     struct diskdump_header *h)
{
	h->end_pfn = UINT64_MAX;
	if (version >= 2 && load_u32(sub + SUB_SPLIT)) {
		h->split = true;
		h->start_pfn = load_u64(sub + SUB_START_PFN);
		h->end_pfn = load_u64(sub + SUB_END_PFN);
	}
	if (version < 6)
		return;
	if (h->split) {
		h->start_pfn = load_u64(sub + SUB_START_PFN_64);
		h->end_pfn = load_u64(sub + SUB_END_PFN_64);
	}
	h->max_mapnr = load_u64(sub + SUB_MAX_MAPNR_64);
}

/*
 * Two bitmaps, of the pages that exist and of those dumped, share the blocks;
 * old dumps without filtering have but one.
 */
static void place_bitmap(struct diskdump_header *h, uint64_t offset,
			 uint64_t blocks)
{
	h->bitmap_offset = offset;
	h->bitmap_bits = blocks * IMAGE_PAGE_BYTES * 8;
	h->desc_offset = offset + blocks * IMAGE_PAGE_BYTES;
	if (h->max_mapnr <= h->bitmap_bits / 2) {
		h->bitmap_bits = blocks / 2 * IMAGE_PAGE_BYTES * 8;
		h->bitmap_offset += blocks / 2 * IMAGE_PAGE_BYTES;
	}
	h->max_mapnr = MIN(h->max_mapnr, MIN(h->bitmap_bits, MAX_PFN));
	h->end_pfn = MIN(h->end_pfn, h->max_mapnr);
	h->start_pfn = MIN(h->start_pfn, h->end_pfn);
}

struct kml_error *diskdump_header_read(const struct dump_file *file,
				       struct diskdump_header *ret,
				       bool *known_ret)
{
	uint8_t raw[HEADER_BYTES], sub[SUB_BYTES];
	struct diskdump_header h = { 0 };
	uint32_t version, sub_blocks;
	struct kml_error *error;
	bool known;

	error = dump_file_read_all(file, 0, raw, sizeof(raw), "header");
	if (error)
		return error;
	version = load_u32(raw + HEADER_VERSION);
	sub_blocks = load_u32(raw + HEADER_SUB_BLOCKS);
	known = is_diskdump(file) && version >= MIN_VERSION &&
		version <= MAX_VERSION && sub_blocks >= 1 &&
		load_u32(raw + HEADER_BLOCK_SIZE) == IMAGE_PAGE_BYTES;
	if (known) {
		error = dump_file_read_all(file, IMAGE_PAGE_BYTES, sub,
					   sizeof(sub), "sub-header");
		if (error)
			return error;
		h.status = load_u32(raw + HEADER_STATUS);
		h.max_mapnr = load_u32(raw + HEADER_MAX_MAPNR);
		memcpy(h.identity, raw + HEADER_UTSNAME, UTSNAME_BYTES);
		memcpy(h.identity + UTSNAME_BYTES, raw + HEADER_TIME,
		       TIME_BYTES);
		parse_sub_header(sub, version, &h);
		place_bitmap(&h, (UINT64_C(1) + sub_blocks) * IMAGE_PAGE_BYTES,
			     load_u32(raw + HEADER_BITMAP_BLOCKS));
		*ret = h;
	}
	*known_ret = known;
	return NULL;
}

struct part {
	struct dump_file file;
	struct diskdump_header header;
};

static int part_compare(const void *a, const void *b)
{
	const struct diskdump_header *x = &((const struct part *)a)->header;
	const struct diskdump_header *y = &((const struct part *)b)->header;

	if (x->start_pfn != y->start_pfn)
		return x->start_pfn < y->start_pfn ? -1 : 1;
	return (x->end_pfn > y->end_pfn) - (x->end_pfn < y->end_pfn);
}

static struct kml_error *read_part(struct part *part, struct dump_file *file)
{
	struct kml_error *error;
	bool known;

	if (!is_diskdump(file))
		return error_new(KML_ERR_ARGUMENT,
				 "'%s' is not a part of a split dump",
				 file->path);
	error = diskdump_header_read(file, &part->header, &known);
	if (!error && !known)
		error = error_new(KML_ERR_UNSUPPORTED,
				  "'%s' has an unknown kind of header",
				  file->path);
	else if (!error && !part->header.split)
		error = error_new(KML_ERR_ARGUMENT,
				  "'%s' is a whole dump, not a part of one",
				  file->path);
	part->file = *file;
	return error;
}

/* Do the sorted parts make up one whole? */
static struct kml_error *check_parts(const struct part *parts, size_t n)
{
	const struct diskdump_header *first = &parts[0].header;
	uint64_t pfn = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct diskdump_header *h = &parts[i].header;
		const char *path = parts[i].file.path;

		if (memcmp(h->identity, first->identity,
			   sizeof(h->identity)) ||
		    h->max_mapnr != first->max_mapnr)
			return error_new(KML_ERR_ARGUMENT,
					 "'%s' and '%s' are of different dumps",
					 parts[0].file.path, path);
		if (h->start_pfn < pfn)
			return error_new(KML_ERR_ARGUMENT,
					 "'%s' and '%s' hold the same pages of the dump",
					 parts[i - 1].file.path, path);
		if (h->start_pfn > pfn)
			return error_new(KML_ERR_ARGUMENT,
					 "a part of the dump is missing: no file has pages %" PRIu64 " to %" PRIu64 ", which come before those of '%s'",
					 pfn, h->start_pfn, path);
		pfn = h->end_pfn;
	}
	if (pfn < first->max_mapnr)
		return error_new(KML_ERR_ARGUMENT,
				 "a part of the dump is missing: no file has pages %" PRIu64 " to %" PRIu64 ", which come after those of '%s'",
				 pfn, first->max_mapnr, parts[n - 1].file.path);
	return NULL;
}

struct kml_error *diskdump_sort_parts(struct dump_file *files, size_t n_files)
{
	_cleanup_free_ struct part *parts = calloc(n_files, sizeof(*parts));
	struct kml_error *error;
	size_t i;

	if (!parts)
		return error_nomem();
	for (i = 0; i < n_files; i++) {
		error = read_part(&parts[i], &files[i]);
		if (error)
			return error;
	}
	qsort(parts, n_files, sizeof(*parts), part_compare);
	error = check_parts(parts, n_files);
	if (error)
		return error;
	for (i = 0; i < n_files; i++)
		files[i] = parts[i].file;
	return NULL;
}
