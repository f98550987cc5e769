/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From DWARF to the types of a profile.  dwarf_layout.c walks the units and
 * says which types; dwarf_type.c finds out what a type is; dwarf_member.c
 * lists its members; dwarf_die.c reads single attributes.
 */
#ifndef KML_DEBUGINFO_DWARF_READER_H
#define KML_DEBUGINFO_DWARF_READER_H

#include "base/vec.h"
#include "debuginfo/dwarf_object.h"
#include "debuginfo/profile.h"

/* A type, seen through typedefs, qualifiers and arrays. */
struct dwarf_type {
	enum profile_kind kind; /* of an array: of its elements, and so on */
	bool is_signed;
	bool is_array;
	uint64_t size;        /* of all of it; 0 for a flexible array */
	uint64_t count;       /* elements of all dimensions */
	uint32_t name;        /* as struct profile_member has it */
	uint32_t tag_name;    /* of the struct or union, below typedefs */
	Dwarf_Off struct_die; /* of the struct or union; 0: none */
};

struct dwarf_pending {
	uint32_t name;
	Dwarf_Off die;
};

struct dwarf_reader {
	struct dwarf_object *object;
	Dwarf_Debug debug;
	struct profile_draft *draft;
	const char *path; /* for messages */
	uint64_t steps_left; /* bounds what a hostile file makes us do */

	VEC(struct dwarf_type) types; /* by `resolved` */
	struct key_map resolved; /* offset of a DIE -> index in types */
	struct key_map defined;  /* offset of a struct's -> in draft->types */
	struct key_map known;    /* type name -> in draft->types */
	struct key_map enumerators; /* names that are there already */
	VEC(struct dwarf_pending) pending; /* embedded types, to be defined */

	struct key_map wanted;   /* name -> index in profile_types[] */
	bool *found;             /* by index in profile_types[] */
	struct key_map imported; /* offsets of partial units that were walked */
};

/* All types of the lists that the file has, added to @draft. */
struct kml_error *dwarf_read_layouts(const struct elf_file *file,
				     struct profile_draft *draft)
	error_must_check;

/* Define the type at @die under @name, and whatever it embeds, unless there
 * is one of that name. */
struct kml_error *dwarf_define_type(struct dwarf_reader *reader, uint32_t name,
				    Dwarf_Off die) error_must_check;

struct kml_error *dwarf_resolve_type(struct dwarf_reader *reader, Dwarf_Off die,
				     unsigned depth, struct dwarf_type *ret)
	error_must_check;

/* Add the enumerators of an enumeration. */
struct kml_error *dwarf_add_enumerators(struct dwarf_reader *reader,
					Dwarf_Die die) error_must_check;

/* The next unit's top DIE; *@ret is NULL behind the last. */
struct kml_error *dwarf_next_unit(struct dwarf_reader *reader, Dwarf_Die *ret)
	error_must_check;
/* Is a unit of C?  Rust has types of the same names and other layouts. */
struct kml_error *dwarf_unit_is_c(struct dwarf_reader *reader, Dwarf_Die top,
				  bool *ret) error_must_check;

/* Count a step; an error once there were absurdly many. */
struct kml_error *dwarf_step(struct dwarf_reader *reader) error_must_check;
struct kml_error *dwarf_damaged(const struct dwarf_reader *reader)
	__attribute__((returns_nonnull)) error_must_check;

/* ---- DIEs; one that is handed out is given to dwarf_put_die() */

struct kml_error *dwarf_get_die(struct dwarf_reader *reader, Dwarf_Off offset,
				Dwarf_Die *ret) error_must_check;
/* *@ret is NULL behind the last. */
struct kml_error *dwarf_first_child(struct dwarf_reader *reader, Dwarf_Die die,
				    Dwarf_Die *ret) error_must_check;
/* Puts *@die and gets its sibling in its place, NULL behind the last. */
struct kml_error *dwarf_next_sibling(struct dwarf_reader *reader,
				     Dwarf_Die *die) error_must_check;
void dwarf_put_die(struct dwarf_reader *reader, Dwarf_Die die);
struct kml_error *dwarf_die_tag(struct dwarf_reader *reader, Dwarf_Die die,
				Dwarf_Half *ret) error_must_check;
struct kml_error *dwarf_die_offset(struct dwarf_reader *reader, Dwarf_Die die,
				   Dwarf_Off *ret) error_must_check;
/* "" if it has none. */
struct kml_error *dwarf_die_name(struct dwarf_reader *reader, Dwarf_Die die,
				 const char **ret) error_must_check;
/* The name, added to the string pool. */
struct kml_error *dwarf_die_interned(struct dwarf_reader *reader, Dwarf_Die die,
				     uint32_t *ret) error_must_check;
/* *@found_ret is false if it is missing or no constant; *@ret is 0 then. */
struct kml_error *dwarf_die_constant(struct dwarf_reader *reader, Dwarf_Die die,
				     Dwarf_Half attribute, bool *found_ret,
				     int64_t *ret) error_must_check;
/* Offset of the DIE that DW_AT_type or such refers to; 0: none. */
struct kml_error *dwarf_die_reference(struct dwarf_reader *reader,
				      Dwarf_Die die, Dwarf_Half attribute,
				      Dwarf_Off *ret) error_must_check;
/* The address that DW_AT_location says, if it is a fixed one. */
struct kml_error *dwarf_die_address(struct dwarf_reader *reader, Dwarf_Die die,
				    bool *found_ret, uint64_t *ret)
	error_must_check;
struct kml_error *dwarf_die_has(struct dwarf_reader *reader, Dwarf_Die die,
				Dwarf_Half attribute, bool *ret)
	error_must_check;

#endif
