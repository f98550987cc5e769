/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record of an image: what was read of it while somebody watched, and what it
 * says of itself.  An image can be made of that again, without the dump: then
 * the same questions get the same answers, and any other is refused.
 *
 * Memory is recorded in units of eight bytes, by physical address, page tables
 * that a translation took included.
 */
#ifndef KML_IMAGE_RECORD_H
#define KML_IMAGE_RECORD_H

#include "base/vec.h"
#include "image/image.h"

#define RECORD_UNIT 8u

/* Bytes in a row, in units.  Sorted and disjoint, with gaps between them. */
struct record_extent {
	uint64_t pa, bytes;
	uint64_t first; /* of its bytes in image_record.bytes */
};

struct image_record {
	char *format, *vmcoreinfo;
	uint64_t file_bytes, end_pfn, n_pages, zero_pages, damaged_pages;
	bool truncated;
	uint64_t direct_start_va, direct_end_va;
	VEC(struct image_regs) cpus;
	uint64_t *present; /* a bit per page frame below end_pfn */
	VEC(struct record_extent) extents;
	uint8_t *bytes;    /* of all extents, one behind the other */
	uint64_t n_bytes;
	VEC(uint64_t) damaged; /* page frames that the dump has but could not
				  yield; sorted */
};

/* Watch what image_read_*() and image_translate() read from here on.  Not of an
 * image that was made of a record. */
struct kml_error *image_record_start(struct image *image) error_must_check;
/* Look away, or watch again; what it was.  Does nothing if none is recorded. */
bool image_record_pause(struct image *image, bool pause);
/* No longer watch: what was seen, or nothing at all if @ret is NULL. */
struct kml_error *image_record_stop(struct image *image,
				    struct image_record *ret) error_must_check;
void image_record_deinit(struct image_record *record);

/*
 * Make an image of a record.  Takes over its memory, if it succeeds or not,
 * and leaves it empty.  KML_ERR_CORRUPT, KML_ERR_UNSUPPORTED.
 *
 * Memory that the dump did not have is KML_ERR_NODATA as ever; what it had and
 * the record has not is KML_ERR_UNSUPPORTED: not to be mistaken for the former.
 */
struct kml_error *image_open_record(struct image_record *record,
				    struct image **ret) error_must_check;

/* ---- for the files of image.h */

struct recorder;
struct source;

struct recorder *recorder_create(void);
void recorder_destroy(struct recorder *recorder);
bool recorder_pause(struct recorder *recorder, bool pause);
/* [@pa, @pa + @bytes) of one page was read, or its page is damaged. */
void recorder_note(struct recorder *recorder, uint64_t pa, size_t bytes);
void recorder_note_damaged(struct recorder *recorder, uint64_t pfn);
/* What was noted: extents without bytes, and damaged pages. */
struct kml_error *recorder_extents(struct recorder *recorder,
				   struct image_record *ret) error_must_check;

/* Read from one page; *@there_ret: false if the dump could not yield it. */
struct kml_error *record_read(const struct image_record *record, uint64_t pa,
			      void *buf, size_t bytes, bool *there_ret)
	error_must_check;
bool record_has_page(const struct image_record *record, uint64_t pfn);
/* A source of pages that says which there are, and has none of them whole. */
struct kml_error *record_source(const struct image_record *record,
				struct source **ret) error_must_check;

#endif
