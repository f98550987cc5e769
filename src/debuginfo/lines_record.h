/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was asked of source lines and stacks while somebody watched, and the
 * answers: lines.c gives them again without vmlinux and libdrgn.
 */
#ifndef KML_DEBUGINFO_LINES_RECORD_H
#define KML_DEBUGINFO_LINES_RECORD_H

#include "base/vec.h"
#include "debuginfo/lines.h"

struct lines_record_line {
	char *function, *file; /* as in struct lines_frame */
	uint32_t line;
	bool inlined;
};

/* The frames of an address; none: nothing is known of it. */
struct lines_record_address {
	uint64_t key; /* as in line_cache.h */
	VEC(struct lines_record_line) lines;
};

struct lines_record_frame {
	uint64_t sp, pc, key;
	bool has_lines; /* those of the key's address */
};

struct lines_record_stack {
	uint64_t task_va;
	uint32_t code; /* enum kml_code, and why it could not be unwound */
	char *why_not; /* NULL: it could */
	VEC(struct lines_record_frame) frames;
};

struct lines_record_module {
	bool found, loaded; /* its debuginfo */
};

struct lines_record {
	bool is_empty;   /* nothing could be asked: a build without libdrgn */
	uint32_t code;   /* enum kml_code, and why libdrgn did not start */
	char *why_not;   /* NULL: it did, or there was no need */
	uint64_t image_start, image_end; /* link-time; 0, 0: not known */
	VEC(struct lines_record_address) addresses;
	VEC(struct lines_record_stack) stacks;
	VEC(struct lines_record_module) modules; /* as they were added */
};

void lines_record_deinit(struct lines_record *record);
const struct lines_record_stack *
lines_record_find_stack(const struct lines_record *record, uint64_t task_va);

/* Watch from here on. */
void lines_record_start(struct lines *lines);
/* No longer; what was asked, in order of addresses. */
struct kml_error *lines_record_stop(struct lines *lines,
				    struct lines_record *ret) error_must_check;
/* Lines that answer from a record, which is taken over in any case. */
struct kml_error *lines_open_record(struct lines_record *record,
				    uint64_t kaslr_offset, struct lines **ret)
	error_must_check;

#endif
