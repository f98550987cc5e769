/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ELF file, mapped: its build-id, its sections (decompressed where they
 * are compressed), its symbols.  A zstd-compressed file is decompressed into
 * memory first.
 */
#ifndef KML_DEBUGINFO_ELF_FILE_H
#define KML_DEBUGINFO_ELF_FILE_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "debuginfo/profile_image.h"

struct elf_file {
	char *name; /* for messages */
	int fd;     /* of the ELF file proper; a memfd if it was compressed */
	void *map;
	size_t bytes;
	Elf *elf;
	size_t shstrndx;
	uint8_t build_id[BUILD_ID_MAX];
	size_t build_id_bytes; /* 0: it has none */
	bool is_relocatable;   /* a module, see elf_file_open_module() */
};

/* What a file is, told from its first bytes. */
enum file_kind {
	FILE_ELF,
	FILE_ZSTD,
	FILE_PROFILE,
	FILE_VMLINUZ,
	FILE_OTHER,
};

/* Also fails where @path is no readable regular file. */
struct kml_error *file_kind(const char *path, enum file_kind *ret)
	error_must_check;

/* Open an ELF file of a 64-bit little-endian machine; @compressed: it is
 * zstd-compressed.  @file is untouched on failure. */
struct kml_error *elf_file_open(const char *path, bool compressed,
				struct elf_file *ret) error_must_check;
/* The same for a module (NAME.ko), which is not linked: its sections have no
 * addresses yet.  Those of memory go by their numbers, see elf_relocate(). */
struct kml_error *elf_file_open_module(const char *path, struct elf_file *ret)
	error_must_check;
/* Also for a zeroed one whose fd is -1. */
void elf_file_close(struct elf_file *file);

/* Decompress a file into an anonymous one; its descriptor is the caller's. */
struct kml_error *zst_to_memfd(const char *path, int *fd_ret, size_t *bytes_ret)
	error_must_check;

/* True if there is a section of that name and it has contents. */
bool elf_file_has_section(const struct elf_file *file, const char *name);

/* A section's contents, uncompressed: in the mapping, or, if *@owned_ret is
 * not NULL, there, to be freed by the caller. */
struct kml_error *elf_file_section(const struct elf_file *file, Elf_Scn *scn,
				   const uint8_t **ret, size_t *bytes_ret,
				   void **owned_ret) error_must_check;
/* The size of elf_file_section()'s contents. */
bool elf_file_section_bytes(const struct elf_file *file, Elf_Scn *scn,
			    size_t *ret);

/*
 * Apply the relocations of a module's section to @data, a copy of its contents.
 * A section of memory counts as if it were linked at its number times 4 GiB,
 * one that is not in memory, as DWARF's, at 0 (elf_relocate.c).
 */
#define ELF_SECTION_SHIFT 32
struct kml_error *elf_relocate(const struct elf_file *file, Elf_Scn *scn,
			       uint8_t *data, size_t bytes) error_must_check;
/* Is there anything to apply to it? */
bool elf_has_relocations(const struct elf_file *file, Elf_Scn *scn);

/* Call @fn for the named symbols of a module that are in its memory. */
typedef bool elf_symbol_fn(void *arg, const char *name, uint32_t section,
			   uint64_t offset);
/* False: @fn said so. */
bool elf_module_symbols(const struct elf_file *file, elf_symbol_fn *fn,
			void *arg);

/* Add the allocated sections and the symbols (elf_symbols.c). */
struct kml_error *elf_file_sections(const struct elf_file *file,
				    struct profile_draft *draft)
	error_must_check;
struct kml_error *elf_file_symbols(const struct elf_file *file,
				   struct profile_draft *draft)
	error_must_check;

#endif
