// SPDX-License-Identifier: GPL-2.0-or-later
/* What lies where in a type: members by offset, by name, by their types. */
#include "debuginfo/types_object.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* An open-ended array has what is behind it, if it comes last. */
static bool is_in(const struct types *types, const struct type_info *record,
		  uint32_t i, uint64_t offset)
{
	const struct type_member *m =
		&types->members.data[record->first_member + i];
	const struct type_info *type = types_get(types, m->type);
	bool is_open = type->kind == TYPE_ARRAY && !type->count &&
		       i == record->n_members - 1;

	return offset >= m->offset &&
	       (is_open ||
		offset - m->offset < MAX(types_bytes(types, m->type), 1));
}

/* The member of a struct that @offset is in, from @from on; n_members: none. */
static uint32_t find_member(const struct types *types,
			    const struct type_info *record, uint64_t offset,
			    uint32_t from)
{
	uint32_t i;

	for (i = from; i < record->n_members; i++) {
		if (is_in(types, record, i, offset))
			return i;
	}
	return record->n_members;
}

static bool embeds(const struct types *types, uint32_t outer, uint64_t offset,
		   uint32_t inner, unsigned depth)
{
	const struct type_info *record = types_get(types, outer);
	uint64_t bytes;
	uint32_t i;

	if (outer == inner && !offset)
		return true;
	if (depth > TYPES_MAX_DEPTH)
		return false;
	if (record->kind == TYPE_ARRAY) {
		bytes = types_bytes(types, record->target);
		return bytes && (!record->count || offset / bytes < record->count) &&
		       embeds(types, record->target, offset % bytes, inner,
			      depth + 1);
	}
	if (record->kind != TYPE_STRUCT && record->kind != TYPE_UNION)
		return false;
	for (i = find_member(types, record, offset, 0); i < record->n_members;
	     i = find_member(types, record, offset, i + 1)) {
		const struct type_member *m =
			&types->members.data[record->first_member + i];

		if (embeds(types, m->type, offset - m->offset, inner, depth + 1))
			return true;
	}
	return false;
}

bool types_embeds(const struct types *types, uint32_t outer, uint64_t offset,
		  uint32_t inner)
{
	return embeds(types, outer, offset, inner, 0);
}

uint32_t types_step(const struct types *types, uint32_t type, uint64_t *offset)
{
	const struct type_info *record = types_get(types, type);
	const struct type_member *m;
	uint64_t bytes;
	uint32_t i;

	if (record->kind == TYPE_ARRAY) {
		bytes = types_bytes(types, record->target);
		*offset = bytes ? *offset % bytes : *offset;
		return record->target;
	}
	if (!types_is_struct(types, type))
		return 0;
	i = find_member(types, record, *offset, 0);
	if (i == record->n_members)
		return 0;
	m = &types->members.data[record->first_member + i];
	*offset -= m->offset;
	return m->type;
}

uint32_t types_struct_at(const struct types *types, uint32_t type,
			 uint64_t offset)
{
	unsigned depth;

	for (depth = 0; depth < TYPES_MAX_DEPTH && type; depth++) {
		if (types_is_struct(types, type) && !offset)
			return type;
		type = types_step(types, type, &offset);
	}
	return 0;
}

/* Of a union's members, one that has a pointer there goes first; what has no
 * bytes, as an array without end, comes last. */
static uint32_t choose_member(const struct types *types,
			      const struct type_info *record, uint64_t offset)
{
	uint32_t first = find_member(types, record, offset, 0), i;
	bool empty = true;

	for (i = first; i < record->n_members;
	     i = find_member(types, record, offset, i + 1)) {
		uint32_t type =
			types->members.data[record->first_member + i].type;

		if (types_get(types, type)->kind == TYPE_POINTER)
			return i;
		if (empty && types_bytes(types, type)) {
			first = i;
			empty = false;
		}
	}
	return first;
}

bool types_path(const struct types *types, uint32_t type, uint64_t offset,
		char *ret, size_t bytes)
{
	unsigned depth;
	size_t n = 0;

	for (depth = 0; depth < TYPES_MAX_DEPTH; depth++) {
		const struct type_info *record = types_get(types, type);
		char *to = ret + MIN(n, bytes);
		size_t room = bytes - MIN(n, bytes);
		uint64_t element, i;

		if (record->kind == TYPE_ARRAY) {
			element = types_bytes(types, record->target);
			i = element ? offset / element : 0;
			n += (size_t)snprintf(to, room, "[%u]", (unsigned)i);
			offset -= i * element;
			type = record->target;
		} else if (types_is_struct(types, type)) {
			const struct type_member *m;

			i = choose_member(types, record, offset);
			if (i == record->n_members)
				break;
			m = &types->members.data[record->first_member + i];
			if (m->name)
				n += (size_t)snprintf(to, room, "%s%s",
						      n ? "." : "",
						      types_text(types,
								 m->name));
			offset -= m->offset;
			type = m->type;
		} else {
			break;
		}
	}
	return n > 0;
}

/* Only what stands at the very end can be open; of a union, any of it. */
static bool is_open(const struct types *types, uint32_t type, unsigned depth)
{
	const struct type_info *record = types_get(types, type);
	bool is_union = record->kind == TYPE_UNION;
	uint32_t i;

	if (depth > TYPES_MAX_DEPTH)
		return true;
	if (record->kind == TYPE_ARRAY)
		return !record->count;
	if (!types_is_struct(types, type) || !record->n_members)
		return false;
	for (i = is_union ? 0 : record->n_members - 1; i < record->n_members;
	     i++)
		if (is_open(types,
			    types->members.data[record->first_member + i].type,
			    depth + 1))
			return true;
	return false;
}

static bool find_named(const struct types *types, uint32_t type,
		       const char *name, size_t n, unsigned depth,
		       uint64_t *offset_ret, uint32_t *type_ret)
{
	const struct type_info *record = types_get(types, type);
	uint32_t i;

	if (!types_is_struct(types, type) || depth > TYPES_MAX_DEPTH)
		return false;
	for (i = 0; i < record->n_members; i++) {
		const struct type_member *m =
			&types->members.data[record->first_member + i];
		const char *s = types_text(types, m->name);

		if (!s[0] && find_named(types, m->type, name, n, depth + 1,
					offset_ret, type_ret)) {
			*offset_ret += m->offset;
			return true;
		}
		if (strncmp(s, name, n) || s[n] || !s[0])
			continue;
		*offset_ret = m->offset;
		*type_ret = m->type;
		return true;
	}
	return false;
}

bool types_member(const struct types *types, uint32_t type, const char *path,
		  uint64_t *offset_ret, uint32_t *type_ret)
{
	uint64_t sum = 0, offset;
	size_t n;

	for (;;) {
		n = strcspn(path, ".");
		if (!find_named(types, type, path, n, 0, &offset, &type))
			return false;
		sum += offset;
		if (!path[n])
			break;
		path += n + 1;
	}
	*offset_ret = sum;
	*type_ret = type;
	return true;
}

static bool find_inner(const struct types *types, uint32_t outer,
		       uint32_t inner, unsigned depth, uint64_t *offset_ret)
{
	const struct type_info *record = types_get(types, outer);
	uint32_t i;

	*offset_ret = 0;
	if (outer == inner)
		return true;
	if (!types_is_struct(types, outer) || depth > 4 ||
	    record->size < types_get(types, inner)->size)
		return false;
	for (i = 0; i < record->n_members; i++) {
		const struct type_member *m =
			&types->members.data[record->first_member + i];

		if (find_inner(types, m->type, inner, depth + 1, offset_ret)) {
			*offset_ret += m->offset;
			return true;
		}
	}
	return false;
}

bool types_find_inner(const struct types *types, uint32_t outer,
		      uint32_t inner, uint64_t *offset_ret)
{
	return find_inner(types, outer, inner, 0, offset_ret);
}

bool types_is_open(const struct types *types, uint32_t type)
{
	return types_get(types, type)->kind == TYPE_UNION ||
	       is_open(types, type, 0);
}
