// SPDX-License-Identifier: GPL-2.0-or-later
/* What a type is: through typedefs, qualifiers and arrays to its kind. */
#include "debuginfo/dwarf_reader.h"

#include "base/util.h"

/* Deeper chains of types are damage: C code has a dozen. */
#define MAX_DEPTH 64

static bool is_qualifier(Dwarf_Half tag)
{
	return tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
	       tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
}

static bool has_type_name(Dwarf_Half tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_typedef || tag == DW_TAG_base_type ||
	       tag == DW_TAG_enumeration_type;
}

/* The name of the type at @offset, below qualifiers; "" if it has none. */
static struct kml_error *pointee_name(struct dwarf_reader *reader,
				      Dwarf_Off offset, uint32_t *ret)
{
	struct kml_error *error = NULL;
	Dwarf_Die die;
	Dwarf_Half tag;
	unsigned depth;

	*ret = 0;
	for (depth = 0; offset && depth < MAX_DEPTH; depth++) {
		error = dwarf_get_die(reader, offset, &die);
		if (error)
			return error;
		offset = 0;
		error = dwarf_die_tag(reader, die, &tag);
		if (!error && is_qualifier(tag))
			error = dwarf_die_reference(reader, die, DW_AT_type,
						    &offset);
		else if (!error && has_type_name(tag))
			error = dwarf_die_interned(reader, die, ret);
		dwarf_put_die(reader, die);
		if (error)
			return error;
	}
	return NULL;
}

static struct kml_error *read_size(struct dwarf_reader *reader, Dwarf_Die die,
				   struct dwarf_type *type)
{
	int64_t size;
	bool found;
	struct kml_error *error = dwarf_die_constant(reader, die,
						     DW_AT_byte_size, &found,
						     &size);

	if (!error && found && size >= 0)
		type->size = (uint64_t)size;
	return error;
}

static struct kml_error *read_base(struct dwarf_reader *reader, Dwarf_Die die,
				   struct dwarf_type *type)
{
	struct kml_error *error;
	int64_t encoding;
	bool found;

	type->kind = PROFILE_INTEGER;
	error = read_size(reader, die, type);
	if (!error)
		error = dwarf_die_interned(reader, die, &type->name);
	if (!error)
		error = dwarf_die_constant(reader, die, DW_AT_encoding, &found,
					   &encoding);
	if (!error)
		type->is_signed = found && (encoding == DW_ATE_signed ||
					    encoding == DW_ATE_signed_char);
	return error;
}

static struct kml_error *read_enumeration(struct dwarf_reader *reader,
					  Dwarf_Die die, unsigned depth,
					  struct dwarf_type *type)
{
	struct dwarf_type base = { 0 };
	struct kml_error *error;
	Dwarf_Off offset;

	type->kind = PROFILE_INTEGER;
	error = read_size(reader, die, type);
	if (!error)
		error = dwarf_die_interned(reader, die, &type->name);
	if (!error)
		error = dwarf_die_reference(reader, die, DW_AT_type, &offset);
	if (error || !offset)
		return error;
	error = dwarf_resolve_type(reader, offset, depth + 1, &base);
	type->is_signed = base.is_signed;
	return error;
}

static struct kml_error *read_pointer(struct dwarf_reader *reader,
				      Dwarf_Die die, struct dwarf_type *type)
{
	struct kml_error *error;
	Dwarf_Off offset;

	type->kind = PROFILE_POINTER;
	type->size = sizeof(uint64_t);
	error = read_size(reader, die, type);
	if (!error)
		error = dwarf_die_reference(reader, die, DW_AT_type, &offset);
	if (!error)
		error = pointee_name(reader, offset, &type->name);
	return error;
}

static struct kml_error *read_struct(struct dwarf_reader *reader,
				     Dwarf_Die die, Dwarf_Off offset,
				     struct dwarf_type *type)
{
	struct kml_error *error;
	bool declaration;

	type->kind = PROFILE_STRUCT;
	error = read_size(reader, die, type);
	if (!error)
		error = dwarf_die_interned(reader, die, &type->name);
	if (!error)
		error = dwarf_die_has(reader, die, DW_AT_declaration,
				      &declaration);
	if (error)
		return error;
	type->tag_name = type->name;
	if (!declaration)
		type->struct_die = offset;
	return NULL;
}

/* A typedef or qualifier. */
static struct kml_error *read_alias(struct dwarf_reader *reader, Dwarf_Die die,
				    bool named, unsigned depth,
				    struct dwarf_type *type)
{
	struct kml_error *error;
	Dwarf_Off offset;

	error = dwarf_die_reference(reader, die, DW_AT_type, &offset);
	if (error || !offset)
		return error; /* void */
	error = dwarf_resolve_type(reader, offset, depth + 1, type);
	if (!error && named && !type->is_array && type->kind != PROFILE_POINTER)
		error = dwarf_die_interned(reader, die, &type->name);
	return error;
}

/* The number of elements of one dimension; 0 if it is open. */
static struct kml_error *read_dimension(struct dwarf_reader *reader,
					Dwarf_Die die, uint64_t *ret)
{
	struct kml_error *error;
	int64_t value;
	bool found;

	*ret = 0;
	error = dwarf_die_constant(reader, die, DW_AT_count, &found, &value);
	if (error || found) {
		*ret = value > 0 ? (uint64_t)value : 0;
		return error;
	}
	error = dwarf_die_constant(reader, die, DW_AT_upper_bound, &found,
				   &value);
	if (!error && found && value >= 0 && value < INT64_MAX)
		*ret = (uint64_t)value + 1;
	return error;
}

static struct kml_error *read_dimensions(struct dwarf_reader *reader,
					 Dwarf_Die array, uint64_t *count_ret)
{
	uint64_t count = 1, n;
	struct kml_error *error;
	bool any = false;
	Dwarf_Die die;
	Dwarf_Half tag;

	error = dwarf_first_child(reader, array, &die);
	while (!error && die) {
		error = dwarf_die_tag(reader, die, &tag);
		if (!error && tag == DW_TAG_subrange_type) {
			any = true;
			error = read_dimension(reader, die, &n);
			if (!error && __builtin_mul_overflow(count, n, &count))
				error = dwarf_damaged(reader);
		}
		if (error)
			dwarf_put_die(reader, die);
		else
			error = dwarf_next_sibling(reader, &die);
	}
	*count_ret = any ? count : 0;
	return error;
}

static struct kml_error *read_array(struct dwarf_reader *reader, Dwarf_Die die,
				    unsigned depth, struct dwarf_type *type)
{
	struct dwarf_type element = { .kind = PROFILE_OTHER };
	struct kml_error *error;
	Dwarf_Off offset;
	uint64_t count;

	error = dwarf_die_reference(reader, die, DW_AT_type, &offset);
	if (!error && offset)
		error = dwarf_resolve_type(reader, offset, depth + 1, &element);
	if (!error)
		error = read_dimensions(reader, die, &count);
	if (error)
		return error;
	*type = element;
	type->is_array = true;
	type->count = count;
	if (__builtin_mul_overflow(element.size, count, &type->size) ||
	    (element.is_array &&
	     __builtin_mul_overflow(element.count, count, &type->count)))
		return dwarf_damaged(reader);
	return NULL;
}

static struct kml_error *read_type(struct dwarf_reader *reader, Dwarf_Die die,
				   Dwarf_Off offset, unsigned depth,
				   struct dwarf_type *type)
{
	struct kml_error *error;
	Dwarf_Half tag;

	error = dwarf_die_tag(reader, die, &tag);
	if (error)
		return error;
	if (is_qualifier(tag) || tag == DW_TAG_typedef)
		return read_alias(reader, die, tag == DW_TAG_typedef, depth,
				  type);
	switch (tag) {
	case DW_TAG_base_type:
		return read_base(reader, die, type);
	case DW_TAG_enumeration_type:
		return read_enumeration(reader, die, depth, type);
	case DW_TAG_pointer_type:
		return read_pointer(reader, die, type);
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return read_struct(reader, die, offset, type);
	case DW_TAG_array_type:
		return read_array(reader, die, depth, type);
	}
	return NULL; /* a function, or of another language */
}

struct kml_error *dwarf_resolve_type(struct dwarf_reader *reader,
				     Dwarf_Off offset, unsigned depth,
				     struct dwarf_type *ret)
{
	struct dwarf_type type = { .kind = PROFILE_OTHER };
	struct kml_error *error;
	Dwarf_Die die;
	uint32_t index;

	if (key_map_find(&reader->resolved, offset, &index)) {
		*ret = reader->types.data[index];
		return NULL;
	}
	if (depth > MAX_DEPTH)
		return dwarf_damaged(reader);
	error = dwarf_step(reader);
	if (!error)
		error = dwarf_get_die(reader, offset, &die);
	if (error)
		return error;
	error = read_type(reader, die, offset, depth, &type);
	dwarf_put_die(reader, die);
	if (error)
		return error;
	index = (uint32_t)reader->types.size;
	if (!vec_push(&reader->types, type) ||
	    !key_map_add(&reader->resolved, offset, index))
		return error_nomem();
	*ret = type;
	return NULL;
}
