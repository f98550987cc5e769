// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BTF (Documentation/bpf/btf.rst): a header, types one behind the other, and
 * strings.  Types are numbered from 1 in their order; a module's go on from
 * the kernel's, and so do the offsets of its strings.
 */
#include "debuginfo/types.h"

#include <string.h>

#include "base/util.h"

#define BTF_MAGIC 0xeb9f
#define BTF_VERSION 1
#define MAX_TYPES (1u << 22)
#define MAX_ALIASES 64u /* of aliases: more is a ring */

enum btf_kind {
	BTF_INT = 1, BTF_PTR, BTF_ARRAY, BTF_STRUCT, BTF_UNION, BTF_ENUM,
	BTF_FWD, BTF_TYPEDEF, BTF_VOLATILE, BTF_CONST, BTF_RESTRICT, BTF_FUNC,
	BTF_FUNC_PROTO, BTF_VAR, BTF_DATASEC, BTF_FLOAT, BTF_DECL_TAG,
	BTF_TYPE_TAG, BTF_ENUM64, BTF_KINDS,
};

/* Bytes behind struct btf_type: fixed ones, and of each of its elements. */
static const struct {
	uint8_t fixed, element;
} extra[BTF_KINDS] = {
	[BTF_INT] = { 4, 0 },	    [BTF_ARRAY] = { 12, 0 },
	[BTF_STRUCT] = { 0, 12 },   [BTF_UNION] = { 0, 12 },
	[BTF_ENUM] = { 0, 8 },	    [BTF_FUNC_PROTO] = { 0, 8 },
	[BTF_VAR] = { 4, 0 },	    [BTF_DATASEC] = { 0, 12 },
	[BTF_DECL_TAG] = { 4, 0 },  [BTF_ENUM64] = { 0, 12 },
};

struct btf {
	struct types *types;
	const struct types_btf *in;
	const char *p, *end; /* the types */
	const char *strings;
	uint32_t strings_bytes;
	uint32_t base; /* number in ->types of the first one of its own, less
			  that in BTF */
	uint32_t n_types; /* that there are in all, so far */
};

static struct kml_error *damaged(void)
{
	return error_new(KML_ERR_CORRUPT, "the BTF of the kernel is damaged");
}

/* magic u16, version u8, flags u8, hdr_len, type_off, type_len, str_off,
 * str_len u32; offsets are from the header's end. */
static bool read_header(struct btf *btf, const void *data, size_t bytes)
{
	const char *p = data;
	uint64_t header, type_off, type_len, str_off, str_len;

	if (bytes < 24 || load_u16(p) != BTF_MAGIC || p[2] != BTF_VERSION)
		return false;
	header = load_u32(p + 4);
	type_off = header + load_u32(p + 8);
	type_len = load_u32(p + 12);
	str_off = header + load_u32(p + 16);
	str_len = load_u32(p + 20);
	if (header < 24 || type_off + type_len > bytes ||
	    str_off + str_len > bytes || !str_len ||
	    p[str_off + str_len - 1])
		return false;
	btf->p = p + type_off;
	btf->end = btf->p + type_len;
	btf->strings = p + str_off;
	btf->strings_bytes = (uint32_t)str_len;
	return true;
}

bool types_btf_strings(const void *data, size_t bytes, const void **ret,
		       size_t *bytes_ret)
{
	struct btf btf = { 0 };

	if (!read_header(&btf, data, bytes))
		return false;
	*ret = btf.strings;
	*bytes_ret = btf.strings_bytes;
	return true;
}

/* A name, added to ours. */
static struct kml_error *add_name(struct btf *btf, uint32_t offset,
				  uint32_t *ret)
{
	const char *s = NULL;

	if (!btf->in->base_strings) {
		if (offset < btf->strings_bytes)
			s = btf->strings + offset;
	} else if (offset < btf->in->base_strings_bytes) {
		s = (const char *)btf->in->base_strings + offset;
	} else if (offset - btf->in->base_strings_bytes < btf->strings_bytes) {
		s = btf->strings + (offset - btf->in->base_strings_bytes);
	}
	if (!s)
		return damaged();
	return string_pool_add(&btf->types->strings, s, ret) ? NULL :
							       error_nomem();
}

/* A type's number as we have it; what does not exist is caught at the end. */
static uint32_t number(const struct btf *btf, uint32_t id)
{
	if (!btf->in->base_strings || id < btf->in->n_base)
		return id;
	return id + btf->base;
}

static struct kml_error *add_members(struct btf *btf, const char *p,
				     uint32_t n, bool bit_fields,
				     struct type_info *record)
{
	struct type_member member;
	struct kml_error *error;
	uint32_t i;

	record->first_member = (uint32_t)btf->types->members.size;
	record->n_members = n;
	for (i = 0; i < n; i++, p += 12) {
		uint32_t at = load_u32(p + 8);

		member = (struct type_member){
			.type = number(btf, load_u32(p + 4)),
			.offset = (bit_fields ? at & 0xffffff : at) / 8,
			.bits = bit_fields ? at >> 24 : 0,
		};
		error = add_name(btf, load_u32(p), &member.name);
		if (error)
			return error;
		if (!vec_push(&btf->types->members, member))
			return error_nomem();
	}
	return NULL;
}

static struct kml_error *add_function(struct btf *btf, uint32_t name,
				      uint32_t type)
{
	struct type_function function = { name, type };

	return vec_push(&btf->types->functions, function) ? NULL :
							    error_nomem();
}

/* Fill in a record; @p: what follows its struct btf_type. */
static struct kml_error *read_type(struct btf *btf, unsigned kind,
				   uint32_t vlen, bool flag, uint32_t value,
				   const char *p, struct type_info *record)
{
	switch (kind) {
	case BTF_INT:
	case BTF_ENUM:
	case BTF_ENUM64:
	case BTF_FLOAT:
		record->kind = TYPE_INTEGER;
		record->size = value;
		break;
	case BTF_PTR:
		record->kind = TYPE_POINTER;
		record->size = 8;
		record->target = number(btf, value);
		break;
	case BTF_ARRAY:
		record->kind = TYPE_ARRAY;
		record->target = number(btf, load_u32(p));
		record->count = load_u32(p + 8);
		break;
	case BTF_STRUCT:
	case BTF_UNION:
		record->kind = kind == BTF_STRUCT ? TYPE_STRUCT : TYPE_UNION;
		record->size = value;
		return add_members(btf, p, vlen, flag, record);
	case BTF_FWD:
		record->kind = TYPE_OPAQUE;
		break;
	case BTF_FUNC:
		record->kind = TYPE_ALIAS;
		record->target = number(btf, value);
		return add_function(btf, record->name, record->target);
	case BTF_FUNC_PROTO:
		record->kind = TYPE_FUNCTION;
		break;
	case BTF_TYPEDEF:
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_TYPE_TAG:
		record->kind = TYPE_ALIAS;
		record->target = number(btf, value);
		break;
	default: /* a variable, its section, or a tag: no type of its own */
		record->kind = TYPE_VOID;
	}
	return NULL;
}

/* name_off, info, size or type: u32 */
static struct kml_error *next_type(struct btf *btf)
{
	struct type_info record = { 0 };
	struct kml_error *error;
	uint64_t bytes;
	uint32_t info;
	unsigned kind;

	if (btf->end - btf->p < 12)
		return damaged();
	info = load_u32(btf->p + 4);
	kind = info >> 24 & 31;
	if (!kind || kind >= BTF_KINDS || btf->n_types >= MAX_TYPES)
		return damaged();
	bytes = 12 + extra[kind].fixed +
		(uint64_t)extra[kind].element * (info & 0xffff);
	if ((uint64_t)(btf->end - btf->p) < bytes)
		return damaged();
	error = add_name(btf, load_u32(btf->p), &record.name);
	if (!error)
		error = read_type(btf, kind, info & 0xffff, info >> 31,
				  load_u32(btf->p + 8), btf->p + 12, &record);
	if (!error && !vec_push(&btf->types->records, record))
		error = error_nomem();
	btf->n_types++;
	btf->p += bytes;
	return error;
}

/* What a number stands for below its aliases; a typedef's name goes to a
 * struct that has none. */
static uint32_t see_through(struct types *types, uint32_t type)
{
	uint32_t n = (uint32_t)types->records.size, name = 0, i;

	for (i = 0; i < MAX_ALIASES && type < n; i++) {
		struct type_info *record = &types->records.data[type];

		if (record->kind != TYPE_ALIAS) {
			if (name && !record->name &&
			    (record->kind == TYPE_STRUCT ||
			     record->kind == TYPE_UNION))
				record->name = name;
			return type;
		}
		if (record->name)
			name = record->name;
		type = record->target;
	}
	return 0;
}

/* Numbers lead to what is no alias; the size of arrays is known. */
static void resolve(struct types *types, uint32_t first, size_t first_member,
		    size_t first_function)
{
	uint32_t n = (uint32_t)types->records.size, i;
	size_t j;

	for (i = first; i < n; i++) {
		struct type_info *record = &types->records.data[i];

		if (record->kind == TYPE_ALIAS && record->name)
			see_through(types, i);
		if (record->kind == TYPE_POINTER || record->kind == TYPE_ARRAY)
			record->target = see_through(types, record->target);
	}
	for (j = first_member; j < types->members.size; j++)
		types->members.data[j].type =
			see_through(types, types->members.data[j].type);
	for (j = first_function; j < types->functions.size; j++)
		types->functions.data[j].type =
			see_through(types, types->functions.data[j].type);
}

static struct kml_error *read_all(struct btf *btf)
{
	struct types *types = btf->types;
	uint32_t first = (uint32_t)types->records.size;
	size_t first_member = types->members.size;
	size_t first_function = types->functions.size;
	struct kml_error *error = NULL;

	while (!error && btf->p < btf->end)
		error = next_type(btf);
	if (!error) {
		resolve(types, first, first_member, first_function);
		return NULL;
	}
	types->records.size = first;
	types->members.size = first_member;
	types->functions.size = first_function;
	return error;
}

struct kml_error *types_add_btf(struct types *types, const struct types_btf *in)
{
	struct btf btf = { .types = types, .in = in };
	struct kml_error *error;

	if (!read_header(&btf, in->data, in->bytes))
		return damaged();
	/* A module's first number is the kernel's last and one. */
	if (in->base_strings) {
		if (in->n_base > types->records.size)
			return damaged();
		btf.base = (uint32_t)types->records.size - in->n_base;
	} else if (types->records.size != 1) {
		return damaged();
	}
	error = read_all(&btf);
	if (!error && !in->base_strings) {
		types->n_btf = (uint32_t)types->records.size;
		types->has_btf = true;
	}
	return error;
}
