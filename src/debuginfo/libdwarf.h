/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libdwarf, loaded at the first file whose DWARF is read.
 *
 * It cannot be linked to.  libdw, which libdrgn needs, has functions of the
 * same names (dwarf_attr(), dwarf_child(), dwarf_tag() ...); the dynamic linker
 * looks all of them up in one global scope and gives each library the functions
 * of the one that came first.  So neither is in the global scope: both are
 * loaded with RTLD_LOCAL, libdrgn by libdrgn.c.  And a run that has its layouts
 * from a cache does without either.
 */
#ifndef KML_DEBUGINFO_LIBDWARF_H
#define KML_DEBUGINFO_LIBDWARF_H

#include "config.h"

/* That which pkg-config names goes before an old one in /usr/include. */
#ifdef HAVE_LIBDWARF_H
#include <dwarf.h>
#include <libdwarf.h>
#else
#include <libdwarf/dwarf.h>
#include <libdwarf/libdwarf.h>
#endif

#include "base/error.h"

#define LIBDWARF_FUNCTIONS(X)       \
	X(attr)                     \
	X(child)                    \
	X(dealloc)                  \
	X(dealloc_error)            \
	X(debug_addr_index_to_addr) \
	X(diename)                  \
	X(dieoffset)                \
	X(errmsg)                   \
	X(formexprloc)              \
	X(formsdata)                \
	X(formudata)                \
	X(global_formref)           \
	X(hasattr)                  \
	X(next_cu_header_d)         \
	X(object_finish)            \
	X(object_init_b)            \
	X(offdie_b)                 \
	X(siblingof_b)              \
	X(tag)                      \
	X(whatform)

/* Per process, as what the dynamic linker loads is; written once, by
 * libdwarf_load(). */
struct libdwarf {
#define X(name) __typeof__(dwarf_##name) *name;
	LIBDWARF_FUNCTIONS(X)
#undef X
};
extern struct libdwarf libdwarf;

/* To be called before any of the functions; any thread, any number of times.
 * KML_ERR_UNSUPPORTED if there is no libdwarf. */
struct kml_error *libdwarf_load(void) error_must_check;

#define dwarf_attr libdwarf.attr
#define dwarf_child libdwarf.child
#define dwarf_dealloc libdwarf.dealloc
#define dwarf_dealloc_error libdwarf.dealloc_error
#define dwarf_debug_addr_index_to_addr libdwarf.debug_addr_index_to_addr
#define dwarf_diename libdwarf.diename
#define dwarf_dieoffset libdwarf.dieoffset
#define dwarf_errmsg libdwarf.errmsg
#define dwarf_formexprloc libdwarf.formexprloc
#define dwarf_formsdata libdwarf.formsdata
#define dwarf_formudata libdwarf.formudata
#define dwarf_global_formref libdwarf.global_formref
#define dwarf_hasattr libdwarf.hasattr
#define dwarf_next_cu_header_d libdwarf.next_cu_header_d
#define dwarf_object_finish libdwarf.object_finish
#define dwarf_object_init_b libdwarf.object_init_b
#define dwarf_offdie_b libdwarf.offdie_b
#define dwarf_siblingof_b libdwarf.siblingof_b
#define dwarf_tag libdwarf.tag
#define dwarf_whatform libdwarf.whatform

#endif
