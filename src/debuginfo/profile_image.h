/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contents of a profile as one block of memory: a header, arrays of
 * records without pointers, and the strings that they name by offset.  It is
 * used in place, whether it was just made or came out of a file, so that
 * loading a profile is decompressing and checking it.
 *
 *	header | types | members | enumerators | sections |
 *	symbol addresses | symbol sizes | symbol names | symbols by name |
 *	strings
 *
 * Numbers are in the machine's byte order; a file says which that is.
 */
#ifndef KML_DEBUGINFO_PROFILE_IMAGE_H
#define KML_DEBUGINFO_PROFILE_IMAGE_H

#include "base/error.h"
#include "debuginfo/strings.h"

#define BUILD_ID_MAX 64

struct type_record {
	uint32_t name;
	uint32_t first_member;
	uint32_t n_members;
	uint32_t unused;
	uint64_t size;
};

struct member_record {
	uint64_t offset;
	uint64_t size;
	uint64_t count;
	uint32_t name;
	uint32_t type_name;
	uint32_t bit_offset;
	uint32_t bit_size;
	uint8_t kind; /* enum profile_kind */
	uint8_t is_signed;
	uint8_t unused[6];
};

struct enumerator_record {
	int64_t value;
	uint32_t name;
	uint32_t unused;
};

#define SECTION_WRITABLE 1
#define SECTION_EXECUTABLE 2
#define SECTION_PATCHED 4 /* see struct profile_section */

struct section_record {
	uint64_t address;
	uint64_t size;
	uint32_t name;
	uint32_t flags;
};

struct image_header {
	uint32_t n_types;
	uint32_t n_members;
	uint32_t n_enumerators;
	uint32_t n_sections;
	uint32_t n_symbols;
	uint32_t n_placed; /* symbols in sections; absolute ones follow */
	uint32_t strings_bytes;
	uint32_t build_id_bytes;
	uint8_t build_id[BUILD_ID_MAX];
	/* The file that it was made of: path, size and time of change. */
	uint64_t source_bytes;
	int64_t source_mtime_ns;
	uint32_t source_path;
	uint32_t unused;
};

struct profile_image {
	struct image_header *header; /* the block; owned */
	size_t bytes;
	const struct type_record *types; /* sorted by name */
	const struct member_record *members;
	const struct enumerator_record *enumerators; /* sorted by name */
	const struct section_record *sections;
	const uint64_t *symbol_addresses; /* sorted, up to n_placed */
	const uint32_t *symbol_sizes;
	const uint32_t *symbol_names;
	const uint32_t *symbols_by_name; /* global ones before local ones */
	const char *strings;
};

/* Take over @block; false, and @block stays the caller's, if it is damaged:
 * every count, offset and index in it is checked. */
bool profile_image_attach(struct profile_image *image, void *block,
			  size_t bytes);
void profile_image_deinit(struct profile_image *image);

/* A zeroed block of the size that the counts in @header say, to be filled and
 * then attached. */
struct kml_error *profile_image_create(const struct image_header *header,
				       struct profile_image *ret)
	error_must_check;

struct symbol_draft {
	uint64_t address;
	uint32_t size;
	uint32_t name;
	bool local;
	bool typed;  /* a function or object, no mere label */
	bool placed; /* in a section */
};

struct type_draft {
	uint32_t name;
	uint32_t first_member;
	uint32_t n_members;
	uint64_t size;
};

/* What an image is made of.  Zero-initialise. */
struct profile_draft {
	struct string_pool strings;
	VEC(struct type_draft) types;
	VEC(struct member_record) members;
	VEC(struct enumerator_record) enumerators;
	VEC(struct section_record) sections;
	VEC(struct symbol_draft) symbols;
	uint8_t build_id[BUILD_ID_MAX];
	size_t build_id_bytes;
	uint64_t source_bytes;
	int64_t source_mtime_ns;
	uint32_t source_path;
};

/* Sort everything and lay it out in one block. */
struct kml_error *profile_draft_finish(struct profile_draft *draft,
				       struct profile_image *ret)
	error_must_check;
void profile_draft_deinit(struct profile_draft *draft);

#endif
