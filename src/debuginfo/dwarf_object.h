/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libdwarf over our own mapping of an ELF file.
 *
 * Left to itself libdwarf reads every section and the relocations of each: of
 * a vmlinux that keeps .rela.debug_*, 256 MB for nothing, as the linker has
 * applied them.  It also differs between versions in the compression that it
 * knows.  So it is handed just the sections that describe types, in place or
 * decompressed here.  The only file that knows two versions of its interface.
 */
#ifndef KML_DEBUGINFO_DWARF_OBJECT_H
#define KML_DEBUGINFO_DWARF_OBJECT_H

#include "debuginfo/elf_file.h"
#include "debuginfo/libdwarf.h"

struct dwarf_object;

/* KML_ERR_DEBUGINFO if the file has no DWARF.  @file must outlive it. */
struct kml_error *dwarf_object_open(const struct elf_file *file,
				    struct dwarf_object **ret)
	error_must_check;
void dwarf_object_close(struct dwarf_object *object);

Dwarf_Debug dwarf_object_debug(const struct dwarf_object *object);
/* The size of .debug_info. */
size_t dwarf_object_info_bytes(const struct dwarf_object *object);

/* An error object of libdwarf's, which is freed. */
struct kml_error *dwarf_object_error(const struct dwarf_object *object,
				     Dwarf_Error error)
	__attribute__((returns_nonnull)) error_must_check;

#endif
