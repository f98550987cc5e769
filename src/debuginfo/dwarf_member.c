// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The members of a struct or union.  Those of anonymous members are its own;
 * those of a named member whose type has no name are also listed, as
 * "member.inner", as there is no type to look them up in.
 */
#include "debuginfo/dwarf_reader.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define MAX_DEPTH 16
#define MAX_NAME 256

/* The struct whose members are being listed. */
struct member_walk {
	uint64_t type_bytes; /* of the outermost type */
	struct {
		uint64_t offset;        /* of the struct at hand in it */
		char prefix[MAX_NAME];  /* "" or "member." */
		unsigned depth;
	} at;
};

static struct kml_error *list_members(struct dwarf_reader *reader,
				      Dwarf_Off offset,
				      const struct member_walk *walk);

/*
 * A bit field, told by its distance from the start of the struct: shown as
 * bits of a storage unit of its type's size where that lies within the
 * outermost type, else (packed structs) as bits of the bytes that it touches.
 */
static void place_bits(const struct member_walk *walk, uint64_t bit,
		       uint64_t bits, struct member_record *member)
{
	uint64_t unit = member->size * 8, in_unit = unit ? bit % unit : 0;
	uint64_t start = walk->at.offset + (bit - in_unit) / 8;

	if (!unit || in_unit + bits > unit ||
	    start + member->size > walk->type_bytes) {
		in_unit = bit % 8;
		start = walk->at.offset + bit / 8;
		member->size = (in_unit + bits + 7) / 8;
	}
	member->offset = start;
	member->bit_offset = (uint32_t)in_unit;
	member->bit_size = (uint32_t)bits;
}

/* Until DWARF 3: from the most significant bit of a unit of DW_AT_byte_size. */
static struct kml_error *read_old_bits(struct dwarf_reader *reader,
				       Dwarf_Die die, int64_t location,
				       int64_t bits,
				       const struct member_walk *walk,
				       struct member_record *member)
{
	int64_t from_top, unit_bytes;
	struct kml_error *error;
	bool found, has_unit;

	error = dwarf_die_constant(reader, die, DW_AT_bit_offset, &found,
				   &from_top);
	if (!error)
		error = dwarf_die_constant(reader, die, DW_AT_byte_size,
					   &has_unit, &unit_bytes);
	if (error)
		return error;
	if (!has_unit)
		unit_bytes = (int64_t)member->size;
	if (!found)
		from_top = unit_bytes * 8 - bits; /* at its start */
	if (unit_bytes < 0 || unit_bytes > 16 || from_top < -128 ||
	    from_top > 128 || location * 8 + unit_bytes * 8 < from_top + bits)
		return dwarf_damaged(reader);
	place_bits(walk, (uint64_t)(location * 8 + unit_bytes * 8 - from_top -
				    bits), (uint64_t)bits, member);
	return NULL;
}

/* Where a member lies: its offset, and its bits if it is a bit field. */
static struct kml_error *read_place(struct dwarf_reader *reader, Dwarf_Die die,
				    const struct member_walk *walk,
				    struct member_record *member)
{
	bool has_location, is_field, has_bit;
	int64_t location, bits, bit;
	struct kml_error *error;

	error = dwarf_die_constant(reader, die, DW_AT_data_member_location,
				   &has_location, &location);
	if (!error)
		error = dwarf_die_constant(reader, die, DW_AT_bit_size,
					   &is_field, &bits);
	if (!error)
		error = dwarf_die_constant(reader, die, DW_AT_data_bit_offset,
					   &has_bit, &bit);
	if (error)
		return error;
	/* 2^56 bytes: below it sums cannot overflow. */
	if (location < 0 || location >> 56 || bit < 0 || bit >> 56 ||
	    (is_field && (bits <= 0 || bits > 64)))
		return dwarf_damaged(reader);
	member->offset = walk->at.offset + (uint64_t)location;
	if (!is_field)
		return NULL;
	if (!has_bit)
		return read_old_bits(reader, die, location, bits, walk, member);
	place_bits(walk, (uint64_t)bit, (uint64_t)bits, member);
	return NULL;
}

/* Go down into a member whose type has no name, and perhaps it neither. */
static struct kml_error *list_inner(struct dwarf_reader *reader,
				    const struct member_walk *walk,
				    const struct dwarf_type *type,
				    uint64_t offset, const char *name)
{
	struct member_walk inner = *walk;
	int n;

	if (walk->at.depth >= MAX_DEPTH)
		return dwarf_damaged(reader);
	inner.at.depth++;
	inner.at.offset = offset;
	if (name[0]) {
		n = snprintf(inner.at.prefix, sizeof(inner.at.prefix), "%s.",
			     name);
		if (n < 0 || (size_t)n >= sizeof(inner.at.prefix))
			return NULL; /* nobody asks for that name */
	}
	return list_members(reader, type->struct_die, &inner);
}

/* Remember to define the type of an embedded struct, by all its names. */
static struct kml_error *embed(struct dwarf_reader *reader,
			       const struct dwarf_type *type)
{
	struct dwarf_pending pending = { type->name, type->struct_die };
	uint32_t index;

	if (!key_map_find(&reader->known, pending.name, &index) &&
	    !vec_push(&reader->pending, pending))
		return error_nomem();
	pending.name = type->tag_name;
	if (pending.name && pending.name != type->name &&
	    !key_map_find(&reader->known, pending.name, &index) &&
	    !vec_push(&reader->pending, pending))
		return error_nomem();
	return NULL;
}

static struct kml_error *add_named(struct dwarf_reader *reader,
				   const struct member_walk *walk,
				   const struct dwarf_type *type,
				   struct member_record *member,
				   const char *name)
{
	struct kml_error *error = NULL;
	char full[2 * MAX_NAME];
	uint64_t end;
	int n;

	n = snprintf(full, sizeof(full), "%s%s", walk->at.prefix, name);
	if (n < 0 || (size_t)n >= MAX_NAME)
		return NULL;
	/* It would lead a reader astray. */
	if (__builtin_add_overflow(member->offset, member->size, &end) ||
	    end > walk->type_bytes)
		return NULL;
	if (!string_pool_add(&reader->draft->strings, full, &member->name) ||
	    !vec_push(&reader->draft->members, *member))
		return error_nomem();
	if (type->kind == PROFILE_STRUCT && type->struct_die)
		error = type->name ? embed(reader, type) :
				     list_inner(reader, walk, type,
						member->offset, full);
	return error;
}

static struct kml_error *add_member(struct dwarf_reader *reader, Dwarf_Die die,
				    const struct member_walk *walk)
{
	struct member_record member = { 0 };
	struct dwarf_type type = { .kind = PROFILE_OTHER };
	struct kml_error *error;
	Dwarf_Off offset;
	const char *name;

	error = dwarf_die_reference(reader, die, DW_AT_type, &offset);
	if (!error && offset)
		error = dwarf_resolve_type(reader, offset, 0, &type);
	if (!error)
		error = dwarf_die_name(reader, die, &name);
	if (error)
		return error;
	member.size = type.size;
	member.count = type.is_array ? type.count : 0;
	member.kind = (uint8_t)type.kind;
	member.is_signed = type.is_signed;
	member.type_name = type.name;
	error = read_place(reader, die, walk, &member);
	if (error)
		return error;
	if (name[0])
		return add_named(reader, walk, &type, &member, name);
	if (type.kind == PROFILE_STRUCT && type.struct_die && !type.is_array)
		return list_inner(reader, walk, &type, member.offset, "");
	return NULL;
}

static struct kml_error *list_members(struct dwarf_reader *reader,
				      Dwarf_Off offset,
				      const struct member_walk *walk)
{
	struct kml_error *error;
	Dwarf_Die parent, die;
	Dwarf_Half tag;

	error = dwarf_get_die(reader, offset, &parent);
	if (error)
		return error;
	error = dwarf_first_child(reader, parent, &die);
	dwarf_put_die(reader, parent);
	while (!error && die) {
		error = dwarf_step(reader);
		if (!error)
			error = dwarf_die_tag(reader, die, &tag);
		if (!error && tag == DW_TAG_member)
			error = add_member(reader, die, walk);
		/* clang leaves an enum in the struct that declares it. */
		if (!error && tag == DW_TAG_enumeration_type)
			error = dwarf_add_enumerators(reader, die);
		if (error)
			dwarf_put_die(reader, die);
		else
			error = dwarf_next_sibling(reader, &die);
	}
	return error;
}

/* By offset; a struct before what it consists of, else as declared. */
static void sort_members(struct member_record *members, size_t n)
{
	size_t i, j;

	/* Nearly sorted as they come: only unions make steps back. */
	for (i = 1; i < n; i++) {
		struct member_record member = members[i];
		uint64_t bit = member.offset * 8 + member.bit_offset;

		for (j = i; j && members[j - 1].offset * 8 +
					 members[j - 1].bit_offset > bit; j--)
			members[j] = members[j - 1];
		members[j] = member;
	}
}

/* List the members of @type's struct, once for all its names. */
static struct kml_error *define_struct(struct dwarf_reader *reader,
				       const struct dwarf_type *type,
				       struct type_draft *draft)
{
	struct profile_draft *all = reader->draft;
	struct member_walk walk = { .type_bytes = type->size };
	struct kml_error *error;
	uint32_t index;

	if (key_map_find(&reader->defined, type->struct_die, &index)) {
		draft->first_member = all->types.data[index].first_member;
		draft->n_members = all->types.data[index].n_members;
		return NULL;
	}
	draft->first_member = (uint32_t)all->members.size;
	error = list_members(reader, type->struct_die, &walk);
	if (error)
		return error;
	draft->n_members = (uint32_t)(all->members.size - draft->first_member);
	if (draft->n_members)
		sort_members(all->members.data + draft->first_member,
			     draft->n_members);
	if (!key_map_add(&reader->defined, type->struct_die,
			 (uint32_t)all->types.size))
		return error_nomem();
	return NULL;
}

static struct kml_error *define_one(struct dwarf_reader *reader, uint32_t name,
				    Dwarf_Off offset)
{
	struct type_draft draft = { .name = name };
	struct dwarf_type type;
	struct kml_error *error;
	uint32_t index;

	if (!name || key_map_find(&reader->known, name, &index))
		return NULL;
	error = dwarf_resolve_type(reader, offset, 0, &type);
	if (error)
		return error;
	draft.size = type.size;
	if (type.struct_die && !type.is_array) {
		error = define_struct(reader, &type, &draft);
		if (error)
			return error;
	}
	index = (uint32_t)reader->draft->types.size;
	if (!vec_push(&reader->draft->types, draft) ||
	    !key_map_add(&reader->known, name, index))
		return error_nomem();
	return NULL;
}

struct kml_error *dwarf_define_type(struct dwarf_reader *reader, uint32_t name,
				    Dwarf_Off offset)
{
	struct kml_error *error = define_one(reader, name, offset);
	struct dwarf_pending pending;

	while (!error && reader->pending.size) {
		pending = reader->pending.data[--reader->pending.size];
		error = define_one(reader, pending.name, pending.die);
	}
	return error;
}
