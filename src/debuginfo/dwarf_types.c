// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The types of variables out of DWARF: of those at the top of each unit, which
 * have a fixed address.  A struct that BTF has as well, of that name and size,
 * is that one; others are added with all that they are made of.  Without BTF
 * every struct that is defined in a unit is added, the first of each name and
 * size: thousands of units repeat the same headers.
 */
#include "debuginfo/dwarf_reader.h"

#include "base/util.h"
#include "debuginfo/types.h"

#define STEPS_PER_BYTE 4
#define MAX_IMPORT_DEPTH 8
#define MAX_DEPTH 64
#define MAX_OFFSET (UINT32_MAX / 2)

struct pending {
	Dwarf_Off die;
	uint32_t type;
};

struct converter {
	struct dwarf_reader reader;
	struct types *types;
	bool structs;             /* all of them */
	struct key_map seen;      /* offset of a DIE -> type */
	struct key_map named;     /* name and size of a struct -> type */
	struct key_map pointers;  /* target -> pointer to it */
	struct key_map integers;  /* name and size -> type */
	struct key_map variables; /* addresses that are there already */
	struct key_map imported;
	VEC(struct pending) pending; /* structs without their members yet */
	uint32_t function;        /* the type of all functions; 0: none yet */
};

static struct kml_error *convert(struct converter *c, Dwarf_Off offset,
				 unsigned depth, uint32_t *ret);

static struct kml_error *add_record(struct converter *c,
				    struct type_info record, uint32_t *ret)
{
	if (c->types->records.size >= UINT32_MAX / 2)
		return dwarf_damaged(&c->reader);
	*ret = (uint32_t)c->types->records.size;
	return vec_push(&c->types->records, record) ? NULL : error_nomem();
}

static struct kml_error *intern(struct converter *c, Dwarf_Die die,
				const char **text_ret, uint32_t *ret)
{
	struct kml_error *error = dwarf_die_name(&c->reader, die, text_ret);

	if (!error && !string_pool_add(&c->types->strings, *text_ret, ret))
		error = error_nomem();
	return error;
}

/* ---- structs */

/* One of that name and size that is there already. */
static bool find_struct(const struct converter *c, const char *text,
			uint64_t key, uint32_t size, bool declared,
			uint32_t *ret)
{
	uint32_t first, n, i;

	if (key_map_find(&c->named, key, ret))
		return true;
	types_find(c->types, text, &first, &n);
	if (declared && n != 1)
		return false;
	for (i = 0; i < n; i++) {
		*ret = c->types->by_name[first + i];
		if (declared || types_get(c->types, *ret)->size == size)
			return true;
	}
	return false;
}

static struct kml_error *convert_struct(struct converter *c, Dwarf_Die die,
					Dwarf_Off offset, Dwarf_Half tag,
					uint32_t *ret)
{
	struct type_info record = {
		.kind = tag == DW_TAG_union_type ? TYPE_UNION : TYPE_STRUCT,
	};
	struct pending pending = { .die = offset };
	struct kml_error *error;
	const char *text;
	bool declared, found;
	int64_t size;
	uint64_t key;

	error = intern(c, die, &text, &record.name);
	if (!error)
		error = dwarf_die_has(&c->reader, die, DW_AT_declaration,
				      &declared);
	if (!error)
		error = dwarf_die_constant(&c->reader, die, DW_AT_byte_size,
					   &found, &size);
	if (error)
		return error;
	if (size < 0 || size > MAX_OFFSET)
		return dwarf_damaged(&c->reader);
	record.size = (uint32_t)size;
	if (declared)
		record.kind = TYPE_OPAQUE;
	key = (uint64_t)record.name << 32 | (declared ? MAX_OFFSET + 1u :
							record.size);
	if (record.name &&
	    find_struct(c, text, key, record.size, declared, ret))
		return NULL;
	error = add_record(c, record, ret);
	if (error)
		return error;
	pending.type = *ret;
	if ((record.name && !key_map_add(&c->named, key, *ret)) ||
	    (!declared && !vec_push(&c->pending, pending)))
		return error_nomem();
	return NULL;
}

static struct kml_error *read_member(struct converter *c, Dwarf_Die die,
				     struct type_member *member)
{
	int64_t location, bits, bit;
	struct kml_error *error;
	bool found, has_bit;
	const char *text;
	Dwarf_Off type;

	error = dwarf_die_constant(&c->reader, die, DW_AT_data_member_location,
				   &found, &location);
	if (!error)
		error = dwarf_die_constant(&c->reader, die, DW_AT_bit_size,
					   &found, &bits);
	if (!error)
		error = dwarf_die_constant(&c->reader, die,
					   DW_AT_data_bit_offset, &has_bit, &bit);
	if (!error)
		error = dwarf_die_reference(&c->reader, die, DW_AT_type, &type);
	if (!error)
		error = intern(c, die, &text, &member->name);
	if (error)
		return error;
	if (has_bit && bit >= 0)
		location += bit / 8;
	if (location < 0 || location > MAX_OFFSET || bits < 0 || bits > 64)
		return dwarf_damaged(&c->reader);
	member->offset = (uint32_t)location;
	member->bits = (uint32_t)bits;
	return type ? convert(c, type, 0, &member->type) : NULL;
}

/* Their types may be new, but get their members later: so these are together. */
static struct kml_error *read_members(struct converter *c,
				      const struct pending *pending)
{
	size_t first = c->types->members.size;
	struct kml_error *error;
	Dwarf_Die die, top;
	Dwarf_Half tag;

	error = dwarf_get_die(&c->reader, pending->die, &top);
	if (error)
		return error;
	error = dwarf_first_child(&c->reader, top, &die);
	while (!error && die) {
		struct type_member member = { 0 };

		error = dwarf_step(&c->reader);
		if (!error)
			error = dwarf_die_tag(&c->reader, die, &tag);
		if (!error && tag == DW_TAG_member) {
			error = read_member(c, die, &member);
			if (!error && !vec_push(&c->types->members, member))
				error = error_nomem();
		}
		if (error)
			dwarf_put_die(&c->reader, die);
		else
			error = dwarf_next_sibling(&c->reader, &die);
	}
	dwarf_put_die(&c->reader, top);
	if (!error) {
		struct type_info *record =
			&c->types->records.data[pending->type];

		record->first_member = (uint32_t)first;
		record->n_members = (uint32_t)(c->types->members.size - first);
	}
	return error;
}

static struct kml_error *read_pending(struct converter *c)
{
	struct kml_error *error = NULL;

	while (!error && c->pending.size) {
		struct pending pending =
			c->pending.data[--c->pending.size];

		error = read_members(c, &pending);
	}
	return error;
}

/* ---- other types */

static struct kml_error *convert_pointer(struct converter *c, Dwarf_Die die,
					 unsigned depth, uint32_t *ret)
{
	struct type_info record = { .kind = TYPE_POINTER, .size = 8 };
	struct kml_error *error;
	Dwarf_Off target;

	error = dwarf_die_reference(&c->reader, die, DW_AT_type, &target);
	if (!error && target)
		error = convert(c, target, depth + 1, &record.target);
	if (error || key_map_find(&c->pointers, record.target, ret))
		return error;
	error = add_record(c, record, ret);
	if (!error && !key_map_add(&c->pointers, record.target, *ret))
		error = error_nomem();
	return error;
}

static struct kml_error *read_count(struct converter *c, Dwarf_Die array,
				    uint32_t *ret)
{
	uint64_t count = 1;
	struct kml_error *error;
	bool found, any = false;
	int64_t value;
	Dwarf_Half tag;
	Dwarf_Die die;

	error = dwarf_first_child(&c->reader, array, &die);
	while (!error && die) {
		error = dwarf_die_tag(&c->reader, die, &tag);
		if (!error && tag == DW_TAG_subrange_type) {
			any = true;
			error = dwarf_die_constant(&c->reader, die,
						   DW_AT_upper_bound, &found,
						   &value);
			if (!error && found)
				value++;
			else if (!error)
				error = dwarf_die_constant(&c->reader, die,
							   DW_AT_count, &found,
							   &value);
			count *= !error && found && value > 0 &&
						 value <= MAX_OFFSET ?
					 (uint64_t)value : 0;
			count = MIN(count, MAX_OFFSET);
		}
		if (error)
			dwarf_put_die(&c->reader, die);
		else
			error = dwarf_next_sibling(&c->reader, &die);
	}
	*ret = any ? (uint32_t)count : 0;
	return error;
}

static struct kml_error *convert_array(struct converter *c, Dwarf_Die die,
				       unsigned depth, uint32_t *ret)
{
	struct type_info record = { .kind = TYPE_ARRAY };
	struct kml_error *error;
	Dwarf_Off element;

	error = dwarf_die_reference(&c->reader, die, DW_AT_type, &element);
	if (!error && element)
		error = convert(c, element, depth + 1, &record.target);
	if (!error)
		error = read_count(c, die, &record.count);
	return error ? error : add_record(c, record, ret);
}

static struct kml_error *convert_integer(struct converter *c, Dwarf_Die die,
					 uint32_t *ret)
{
	struct type_info record = { .kind = TYPE_INTEGER };
	struct kml_error *error;
	const char *text;
	uint64_t key;
	int64_t size;
	bool found;

	error = dwarf_die_constant(&c->reader, die, DW_AT_byte_size, &found,
				   &size);
	if (!error)
		error = intern(c, die, &text, &record.name);
	if (error)
		return error;
	record.size = size > 0 && size <= 64 ? (uint32_t)size : 0;
	key = (uint64_t)record.name << 32 | record.size;
	if (key_map_find(&c->integers, key, ret))
		return NULL;
	error = add_record(c, record, ret);
	if (!error && !key_map_add(&c->integers, key, *ret))
		error = error_nomem();
	return error;
}

/* A typedef gives its name to a struct that has none. */
static struct kml_error *convert_alias(struct converter *c, Dwarf_Die die,
				       bool is_typedef, unsigned depth,
				       uint32_t *ret)
{
	struct kml_error *error;
	struct type_info *record;
	const char *text;
	Dwarf_Off target;

	error = dwarf_die_reference(&c->reader, die, DW_AT_type, &target);
	if (error || !target)
		return error;
	error = convert(c, target, depth + 1, ret);
	if (error || !is_typedef)
		return error;
	record = &c->types->records.data[*ret];
	if (!record->name &&
	    (record->kind == TYPE_STRUCT || record->kind == TYPE_UNION))
		error = intern(c, die, &text, &record->name);
	return error;
}

static struct kml_error *convert_function(struct converter *c, uint32_t *ret)
{
	struct type_info record = { .kind = TYPE_FUNCTION };
	struct kml_error *error = NULL;

	if (!c->function)
		error = add_record(c, record, &c->function);
	*ret = c->function;
	return error;
}

static struct kml_error *convert_die(struct converter *c, Dwarf_Die die,
				     Dwarf_Off offset, unsigned depth,
				     uint32_t *ret)
{
	struct kml_error *error;
	Dwarf_Half tag;

	error = dwarf_die_tag(&c->reader, die, &tag);
	if (error)
		return error;
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return convert_struct(c, die, offset, tag, ret);
	case DW_TAG_pointer_type:
		return convert_pointer(c, die, depth, ret);
	case DW_TAG_array_type:
		return convert_array(c, die, depth, ret);
	case DW_TAG_base_type:
	case DW_TAG_enumeration_type:
		return convert_integer(c, die, ret);
	case DW_TAG_subroutine_type:
		return convert_function(c, ret);
	case DW_TAG_typedef:
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
		return convert_alias(c, die, tag == DW_TAG_typedef, depth, ret);
	}
	return NULL; /* of another language */
}

static struct kml_error *convert(struct converter *c, Dwarf_Off offset,
				 unsigned depth, uint32_t *ret)
{
	struct kml_error *error;
	Dwarf_Die die;

	*ret = 0;
	if (key_map_find(&c->seen, offset, ret))
		return NULL;
	if (depth > MAX_DEPTH)
		return dwarf_damaged(&c->reader);
	error = dwarf_step(&c->reader);
	if (!error)
		error = dwarf_get_die(&c->reader, offset, &die);
	if (error)
		return error;
	error = convert_die(c, die, offset, depth, ret);
	dwarf_put_die(&c->reader, die);
	if (!error && !key_map_add(&c->seen, offset, *ret))
		error = error_nomem();
	return error;
}

/* ---- what a unit has */

static struct kml_error *add_variable(struct converter *c, Dwarf_Die die,
				      Dwarf_Off type, uint64_t address)
{
	struct type_variable variable = { .address = address };
	struct kml_error *error;
	const char *text;

	error = convert(c, type, 0, &variable.type);
	if (error || !variable.type)
		return error;
	error = intern(c, die, &text, &variable.name);
	if (!error && (!vec_push(&c->types->variables, variable) ||
		       !key_map_add(&c->variables, address, 1)))
		error = error_nomem();
	return error;
}

/* One that was declared before has its type there. */
static struct kml_error *visit_variable(struct converter *c, Dwarf_Die die)
{
	Dwarf_Off declaration, type;
	struct kml_error *error;
	Dwarf_Die other = NULL;
	uint64_t address;
	uint32_t there;
	bool found;

	error = dwarf_die_address(&c->reader, die, &found, &address);
	if (error || !found || address == UINT64_MAX ||
	    key_map_find(&c->variables, address, &there))
		return error;
	error = dwarf_die_reference(&c->reader, die, DW_AT_type, &type);
	if (error || type)
		return error ? error : add_variable(c, die, type, address);
	error = dwarf_die_reference(&c->reader, die, DW_AT_specification,
				    &declaration);
	if (error || !declaration)
		return error;
	error = dwarf_get_die(&c->reader, declaration, &other);
	if (!error)
		error = dwarf_die_reference(&c->reader, other, DW_AT_type, &type);
	if (!error && type)
		error = add_variable(c, other, type, address);
	dwarf_put_die(&c->reader, other);
	return error;
}

static struct kml_error *visit_struct(struct converter *c, Dwarf_Die die)
{
	struct kml_error *error;
	const char *text;
	bool declared;
	Dwarf_Off offset;
	uint32_t type;

	if (!c->structs)
		return NULL;
	error = dwarf_die_name(&c->reader, die, &text);
	if (!error && text[0])
		error = dwarf_die_has(&c->reader, die, DW_AT_declaration,
				      &declared);
	if (error || !text[0] || declared)
		return error;
	error = dwarf_die_offset(&c->reader, die, &offset);
	return error ? error : convert(c, offset, 0, &type);
}

static struct kml_error *walk_unit(struct converter *c, Dwarf_Die top,
				   unsigned depth);

/* What dwz has moved into a unit of its own. */
static struct kml_error *visit_import(struct converter *c, Dwarf_Die die,
				      unsigned depth)
{
	struct kml_error *error;
	Dwarf_Off offset;
	uint32_t there;
	Dwarf_Die top;

	error = dwarf_die_reference(&c->reader, die, DW_AT_import, &offset);
	if (error || !offset || depth >= MAX_IMPORT_DEPTH ||
	    key_map_find(&c->imported, offset, &there))
		return error;
	if (!key_map_add(&c->imported, offset, 1))
		return error_nomem();
	error = dwarf_get_die(&c->reader, offset, &top);
	if (error)
		return error;
	error = walk_unit(c, top, depth + 1);
	dwarf_put_die(&c->reader, top);
	return error;
}

static struct kml_error *visit(struct converter *c, Dwarf_Die die,
			       unsigned depth)
{
	struct kml_error *error;
	Dwarf_Half tag;

	error = dwarf_step(&c->reader);
	if (!error)
		error = dwarf_die_tag(&c->reader, die, &tag);
	if (error)
		return error;
	switch (tag) {
	case DW_TAG_variable:
		return visit_variable(c, die);
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return visit_struct(c, die);
	case DW_TAG_imported_unit:
		return visit_import(c, die, depth);
	}
	return NULL;
}

static struct kml_error *walk_unit(struct converter *c, Dwarf_Die top,
				   unsigned depth)
{
	struct kml_error *error;
	Dwarf_Die die;

	error = dwarf_first_child(&c->reader, top, &die);
	while (!error && die) {
		error = visit(c, die, depth);
		if (!error)
			error = read_pending(c);
		if (error)
			dwarf_put_die(&c->reader, die);
		else
			error = dwarf_next_sibling(&c->reader, &die);
	}
	return error;
}

static struct kml_error *walk_units(struct converter *c)
{
	struct kml_error *error;
	Dwarf_Die top;
	bool is_c;

	for (;;) {
		error = dwarf_next_unit(&c->reader, &top);
		if (error || !top)
			return error;
		error = dwarf_unit_is_c(&c->reader, top, &is_c);
		if (!error && is_c)
			error = walk_unit(c, top, 0);
		dwarf_put_die(&c->reader, top);
		if (error)
			return error;
	}
}

struct kml_error *types_add_dwarf(struct types *types,
				  const struct elf_file *file)
{
	struct converter c = {
		.reader.path = file->name,
		.types = types,
		.structs = !types->has_btf,
	};
	struct kml_error *error;

	error = dwarf_object_open(file, &c.reader.object);
	if (error)
		return error;
	c.reader.debug = dwarf_object_debug(c.reader.object);
	c.reader.steps_left = (uint64_t)STEPS_PER_BYTE *
			      dwarf_object_info_bytes(c.reader.object);
	error = walk_units(&c);
	dwarf_object_close(c.reader.object);
	key_map_deinit(&c.seen);
	key_map_deinit(&c.named);
	key_map_deinit(&c.pointers);
	key_map_deinit(&c.integers);
	key_map_deinit(&c.variables);
	key_map_deinit(&c.imported);
	vec_deinit(&c.pending);
	return error;
}
