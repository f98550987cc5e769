// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which units and types to read.  A vmlinux has thousands of units, most of
 * which repeat the same headers; walking all of them through libdwarf takes
 * seconds.  So only those of the listed source files are searched, and all
 * others only if a type that every kernel has was not among them (another
 * tree, link-time optimisation).
 */
#include "debuginfo/dwarf_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debuginfo/profile_types.h"

/* A step is a DIE looked at, and a DIE takes a byte at least.  Few are looked
 * at more than twice: the members of unnamed structs. */
#define STEPS_PER_BYTE 4
#define MAX_IMPORT_DEPTH 8

struct unit {
	const char *name;
	bool listed; /* among profile_units[] */
};

struct kml_error *dwarf_damaged(const struct dwarf_reader *reader)
{
	return error_new(KML_ERR_CORRUPT,
			 "the DWARF debuginfo of '%s' is damaged",
			 reader->path);
}

struct kml_error *dwarf_step(struct dwarf_reader *reader)
{
	if (!reader->steps_left)
		return dwarf_damaged(reader);
	reader->steps_left--;
	return NULL;
}

/* Does a path end with @suffix, as a path does? */
static bool path_ends_with(const char *path, const char *suffix)
{
	size_t n = strlen(path), k = strlen(suffix);

	return n >= k && !strcmp(path + n - k, suffix) &&
	       (n == k || path[n - k - 1] == '/');
}

static bool is_listed(const char *name)
{
	size_t i;

	for (i = 0; i < n_profile_units; i++)
		if (path_ends_with(name, profile_units[i]))
			return true;
	return false;
}

/* ---- what a unit has */

static struct kml_error *add_enumerator(struct dwarf_reader *reader,
					Dwarf_Die die, bool *known_ret)
{
	struct enumerator_record record = { 0 };
	struct kml_error *error;
	uint32_t there;
	bool found;

	error = dwarf_die_interned(reader, die, &record.name);
	if (!error)
		error = dwarf_die_constant(reader, die, DW_AT_const_value,
					   &found, &record.value);
	if (error)
		return error;
	*known_ret = key_map_find(&reader->enumerators, record.name, &there);
	if (*known_ret || !found || !record.name)
		return NULL;
	if (!vec_push(&reader->draft->enumerators, record) ||
	    !key_map_add(&reader->enumerators, record.name, 1))
		return error_nomem();
	return NULL;
}

struct kml_error *dwarf_add_enumerators(struct dwarf_reader *reader,
					Dwarf_Die enumeration)
{
	struct kml_error *error;
	bool known = false;
	Dwarf_Half tag;
	Dwarf_Die die;

	error = dwarf_first_child(reader, enumeration, &die);
	/* If the first is known, another unit's copy was here before. */
	while (!error && die && !known) {
		error = dwarf_step(reader);
		if (!error)
			error = dwarf_die_tag(reader, die, &tag);
		if (!error && tag == DW_TAG_enumerator)
			error = add_enumerator(reader, die, &known);
		if (!error && !known)
			error = dwarf_next_sibling(reader, &die);
		else
			break;
	}
	dwarf_put_die(reader, die);
	return error;
}

/* A struct, union or typedef: is it wanted, and here? */
static bool is_wanted(const struct dwarf_reader *reader, const char *name,
		      const struct unit *unit, uint32_t *name_ret,
		      uint32_t *index_ret)
{
	const struct wanted_type *type;
	uint32_t index;

	if (!string_pool_find(&reader->draft->strings, name, name_ret) ||
	    !key_map_find(&reader->wanted, *name_ret, &index) ||
	    reader->found[index])
		return false;
	type = &profile_types[index];
	if (type->unit && unit->listed &&
	    !path_ends_with(unit->name, type->unit))
		return false;
	*index_ret = index;
	return true;
}

static struct kml_error *visit_type(struct dwarf_reader *reader, Dwarf_Die die,
				    const struct unit *unit)
{
	struct kml_error *error;
	uint32_t name, index;
	bool declaration;
	Dwarf_Off offset;
	const char *text;

	error = dwarf_die_name(reader, die, &text);
	if (error || !text[0] || !is_wanted(reader, text, unit, &name, &index))
		return error;
	error = dwarf_die_has(reader, die, DW_AT_declaration, &declaration);
	if (error || declaration)
		return error;
	error = dwarf_die_offset(reader, die, &offset);
	if (!error)
		error = dwarf_define_type(reader, name, offset);
	if (!error)
		reader->found[index] = true;
	return error;
}

static struct kml_error *walk_unit(struct dwarf_reader *reader, Dwarf_Die top,
				   const struct unit *unit, unsigned depth);

/* What dwz has moved into a unit of its own. */
static struct kml_error *visit_import(struct dwarf_reader *reader,
				      Dwarf_Die die, const struct unit *unit,
				      unsigned depth)
{
	struct kml_error *error;
	Dwarf_Off offset;
	uint32_t there;
	Dwarf_Die top;

	error = dwarf_die_reference(reader, die, DW_AT_import, &offset);
	if (error || !offset || depth >= MAX_IMPORT_DEPTH ||
	    key_map_find(&reader->imported, offset, &there))
		return error;
	if (!key_map_add(&reader->imported, offset, 1))
		return error_nomem();
	error = dwarf_get_die(reader, offset, &top);
	if (error)
		return error;
	error = walk_unit(reader, top, unit, depth + 1);
	dwarf_put_die(reader, top);
	return error;
}

static struct kml_error *visit(struct dwarf_reader *reader, Dwarf_Die die,
			       const struct unit *unit, unsigned depth)
{
	struct kml_error *error;
	Dwarf_Half tag;

	error = dwarf_step(reader);
	if (!error)
		error = dwarf_die_tag(reader, die, &tag);
	if (error)
		return error;
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_typedef:
		return visit_type(reader, die, unit);
	case DW_TAG_enumeration_type:
		return dwarf_add_enumerators(reader, die);
	case DW_TAG_imported_unit:
		return visit_import(reader, die, unit, depth);
	}
	return NULL;
}

static struct kml_error *walk_unit(struct dwarf_reader *reader, Dwarf_Die top,
				   const struct unit *unit, unsigned depth)
{
	struct kml_error *error;
	Dwarf_Die die;

	error = dwarf_first_child(reader, top, &die);
	while (!error && die) {
		error = visit(reader, die, unit, depth);
		if (error)
			dwarf_put_die(reader, die);
		else
			error = dwarf_next_sibling(reader, &die);
	}
	return error;
}

/* ---- the units */

struct kml_error *dwarf_next_unit(struct dwarf_reader *reader, Dwarf_Die *ret)
{
	Dwarf_Half version, address_bytes, length_bytes, extension_bytes, type;
	Dwarf_Unsigned length, type_offset, next;
	Dwarf_Error error = NULL;
	Dwarf_Off abbrevs;
	Dwarf_Sig8 signature;
	int status;

	*ret = NULL;
	status = dwarf_next_cu_header_d(reader->debug, true, &length, &version,
					&abbrevs, &address_bytes, &length_bytes,
					&extension_bytes, &signature,
					&type_offset, &next, &type, &error);
	if (status == DW_DLV_NO_ENTRY)
		return NULL;
	if (status == DW_DLV_OK)
		status = dwarf_siblingof_b(reader->debug, NULL, true, ret,
					   &error);
	if (status == DW_DLV_OK)
		return NULL;
	*ret = NULL;
	return dwarf_object_error(reader->object,
				  status == DW_DLV_ERROR ? error : NULL);
}

static bool has_all_core(const struct dwarf_reader *reader)
{
	size_t i;

	for (i = 0; i < n_profile_types; i++)
		if (profile_types[i].core && !reader->found[i])
			return false;
	return true;
}

struct kml_error *dwarf_unit_is_c(struct dwarf_reader *reader, Dwarf_Die top,
				  bool *ret)
{
	int64_t language;
	bool found;
	struct kml_error *error = dwarf_die_constant(reader, top, DW_AT_language,
						     &found, &language);

	*ret = !found || language != DW_LANG_Rust;
	return error;
}

static struct kml_error *visit_unit(struct dwarf_reader *reader, Dwarf_Die top,
				    bool listed)
{
	struct unit unit = { .listed = listed };
	struct kml_error *error;
	bool wanted;

	error = dwarf_die_name(reader, top, &unit.name);
	if (error)
		return error;
	/* The listed ones first, then the others. */
	if (is_listed(unit.name) != listed)
		return NULL;
	error = dwarf_unit_is_c(reader, top, &wanted);
	if (!error && wanted)
		error = walk_unit(reader, top, &unit, 0);
	return error;
}

/* Reads all units' headers, as libdwarf keeps its place in them. */
static struct kml_error *walk_units(struct dwarf_reader *reader, bool listed)
{
	struct kml_error *error;
	Dwarf_Die top;

	for (;;) {
		error = dwarf_next_unit(reader, &top);
		if (error || !top)
			return error;
		if (listed || !has_all_core(reader))
			error = visit_unit(reader, top, listed);
		dwarf_put_die(reader, top);
		if (error)
			return error;
	}
}

static struct kml_error *reader_init(struct dwarf_reader *reader,
				     const struct elf_file *file)
{
	struct kml_error *error;
	uint32_t name;
	size_t i;

	reader->path = file->name;
	reader->found = calloc(n_profile_types, sizeof(*reader->found));
	if (!reader->found)
		return error_nomem();
	for (i = 0; i < n_profile_types; i++)
		if (!string_pool_add(&reader->draft->strings,
				     profile_types[i].name, &name) ||
		    !key_map_add(&reader->wanted, name, (uint32_t)i))
			return error_nomem();
	error = dwarf_object_open(file, &reader->object);
	if (error)
		return error;
	reader->debug = dwarf_object_debug(reader->object);
	reader->steps_left = (uint64_t)STEPS_PER_BYTE *
			     dwarf_object_info_bytes(reader->object);
	return NULL;
}

static void reader_deinit(struct dwarf_reader *reader)
{
	dwarf_object_close(reader->object);
	vec_deinit(&reader->types);
	vec_deinit(&reader->pending);
	key_map_deinit(&reader->resolved);
	key_map_deinit(&reader->defined);
	key_map_deinit(&reader->known);
	key_map_deinit(&reader->enumerators);
	key_map_deinit(&reader->wanted);
	key_map_deinit(&reader->imported);
	free(reader->found);
}

static struct kml_error *check_kernel(const struct dwarf_reader *reader)
{
	uint32_t name, index;

	if (string_pool_find(&reader->draft->strings, "kmem_cache", &name) &&
	    key_map_find(&reader->known, name, &index))
		return NULL;
	return error_new(KML_ERR_DEBUGINFO,
			 "the debuginfo of '%s' is not of a Linux kernel: it has no struct kmem_cache",
			 reader->path);
}

struct kml_error *dwarf_read_layouts(const struct elf_file *file,
				     struct profile_draft *draft)
{
	struct dwarf_reader reader = { .draft = draft };
	struct kml_error *error;

	error = reader_init(&reader, file);
	if (!error)
		error = walk_units(&reader, true);
	if (!error && !has_all_core(&reader))
		error = walk_units(&reader, false);
	if (!error)
		error = check_kernel(&reader);
	reader_deinit(&reader);
	return error;
}
