// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A module's types, as its own DWARF has them, put to those of the kernel.
 * Each module repeats the kernel's headers; a struct of the same name, size and
 * members as one that is there is that one, so that pointers agree.  What only
 * has the name of another stays a type of its own.  Just what new structs and
 * variables are made of is added.
 */
#include "debuginfo/types.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define MAX_DEPTH 32u
#define MAX_SAME 64u /* structs of one name and size that are compared */
#define NOT_YET UINT32_MAX

struct pending {
	uint32_t from, to;
};

struct merger {
	struct types *to;
	const struct types *from;
	const uint64_t *bases;
	size_t n_bases;
	uint32_t *map;          /* by type of ->from */
	VEC(struct pending) pending; /* structs without their members yet */
};

struct types_index {
	struct key_map structs; /* name and size -> the last one */
	struct key_map opaque;  /* name -> type */
	struct key_map integers;
	struct key_map pointers; /* target -> type */
	VEC(uint32_t) same;     /* by type: the one before of that key; 0 */
	uint32_t function;
};

/* ---- what is there */

static uint64_t key_of(uint32_t name, uint32_t size)
{
	return (uint64_t)name << 32 | size;
}

/* Equal names may stand at several places of the pool; the first counts. */
static uint32_t first_name(const struct types *types, uint32_t name)
{
	uint32_t first = 0;

	if (name)
		string_pool_find(&types->strings,
				 string_pool_get(&types->strings, name), &first);
	return first;
}

static bool enter(struct types_index *index, const struct types *types,
		  uint32_t type)
{
	const struct type_info *record = &types->records.data[type];
	uint32_t name = first_name(types, record->name), before = 0;
	uint64_t key = key_of(name, record->size);

	while (index->same.size <= type)
		if (!vec_push(&index->same, 0))
			return false;
	switch (record->kind) {
	case TYPE_STRUCT:
	case TYPE_UNION:
		if (!record->name)
			return true;
		/* A key keeps its value: the first one heads the chain. */
		if (!key_map_find(&index->structs, key, &before))
			return key_map_add(&index->structs, key, type);
		index->same.data[type] = index->same.data[before];
		index->same.data[before] = type;
		return true;
	case TYPE_OPAQUE:
		return key_map_add(&index->opaque, name, type);
	case TYPE_INTEGER:
		return key_map_add(&index->integers, key, type);
	case TYPE_POINTER:
		return key_map_add(&index->pointers, record->target, type);
	case TYPE_FUNCTION:
		if (!index->function)
			index->function = type;
		return true;
	}
	return true;
}

struct kml_error *types_index_create(struct types *types,
				     struct types_index **ret)
{
	struct types_index *index = calloc(1, sizeof(*index));
	bool good = index && string_pool_reindex(&types->strings);
	uint32_t j, type;

	/* Of structs only those that stand for themselves; see types_seal(). */
	for (j = 0; good && j < types->n_by_name; j++)
		good = enter(index, types, types->by_name[j]);
	for (type = 1; good && type < types->records.size; type++)
		if (!types_is_struct(types, type))
			good = enter(index, types, type);
	if (good) {
		*ret = index;
		return NULL;
	}
	types_index_destroy(index);
	return error_nomem();
}

void types_index_destroy(struct types_index *index)
{
	if (!index)
		return;
	key_map_deinit(&index->structs);
	key_map_deinit(&index->opaque);
	key_map_deinit(&index->integers);
	key_map_deinit(&index->pointers);
	vec_deinit(&index->same);
	free(index);
}

/* ---- is it the same? */

static bool is_tagged(const struct type_info *record)
{
	return record->kind == TYPE_STRUCT || record->kind == TYPE_UNION ||
	       record->kind == TYPE_OPAQUE;
}

/* The element of an array of any dimensions. */
static uint32_t element(const struct types *types, uint32_t type)
{
	unsigned depth;

	for (depth = 0; depth < MAX_DEPTH &&
			types_get(types, type)->kind == TYPE_ARRAY; depth++)
		type = types_get(types, type)->target;
	return type;
}

/* As far as the names go: structs are not looked into. */
static bool looks_alike(const struct merger *m, uint32_t from, uint32_t to,
			bool pointed_to)
{
	const struct type_info *x, *y;
	const char *x_name, *y_name;

	from = element(m->from, from);
	to = element(m->to, to);
	x = types_get(m->from, from);
	y = types_get(m->to, to);
	x_name = types_name(m->from, from);
	y_name = types_name(m->to, to);
	if (is_tagged(x) && is_tagged(y)) {
		if (x_name[0] && y_name[0] && strcmp(x_name, y_name) != 0)
			return false;
		return pointed_to || x->size == y->size;
	}
	if (x->kind != y->kind)
		/* What is nothing known of may be anything. */
		return pointed_to && (!x->kind || !y->kind);
	return x->kind == TYPE_POINTER || pointed_to || x->size == y->size;
}

static bool is_same_member(const struct merger *m, const struct type_member *x,
			   const struct type_member *y)
{
	uint32_t from = element(m->from, x->type), to = element(m->to, y->type);
	const char *x_name = x->name ? string_pool_get(&m->from->strings,
						       x->name) : "";
	const char *y_name = y->name ? string_pool_get(&m->to->strings,
						       y->name) : "";

	if (strcmp(x_name, y_name) != 0 || x->bits != y->bits ||
	    (!x->bits && x->offset != y->offset) ||
	    !looks_alike(m, from, to, false))
		return false;
	return types_get(m->from, from)->kind != TYPE_POINTER ||
	       looks_alike(m, types_get(m->from, from)->target,
			   types_get(m->to, to)->target, true);
}

static bool is_same(const struct merger *m, uint32_t from, uint32_t to)
{
	const struct type_info *x = types_get(m->from, from);
	const struct type_info *y = types_get(m->to, to);
	uint32_t i;

	if (x->kind != y->kind || x->size != y->size ||
	    x->n_members != y->n_members)
		return false;
	for (i = 0; i < x->n_members; i++)
		if (!is_same_member(m,
				    &m->from->members.data[x->first_member + i],
				    &m->to->members.data[y->first_member + i]))
			return false;
	return true;
}

static uint32_t find_same(const struct merger *m,
			  const struct types_index *index, uint32_t from,
			  uint32_t name)
{
	uint32_t size = types_get(m->from, from)->size, type, i;

	if (!key_map_find(&index->structs, key_of(name, size), &type))
		return 0;
	for (i = 0; type && i < MAX_SAME; i++, type = index->same.data[type])
		if (is_same(m, from, type))
			return type;
	return 0;
}

/* ---- copying */

static struct kml_error *copy_name(struct merger *m, uint32_t name,
				   uint32_t *ret)
{
	const char *text = name ? string_pool_get(&m->from->strings, name) : "";

	return string_pool_add(&m->to->strings, text, ret) ? NULL :
							     error_nomem();
}

/* Add a record; its number is known from then on. */
static struct kml_error *add(struct merger *m, struct types_index *index,
			     uint32_t from, struct type_info record)
{
	uint32_t to = (uint32_t)m->to->records.size;

	if (to >= UINT32_MAX / 2 || !vec_push(&m->to->records, record))
		return error_nomem();
	m->map[from] = to;
	return enter(index, m->to, to) ? NULL : error_nomem();
}

static struct kml_error *copy_struct(struct merger *m,
				     struct types_index *index, uint32_t from,
				     struct type_info record)
{
	struct pending pending = { .from = from };
	struct kml_error *error;
	uint32_t same = record.name ? find_same(m, index, from, record.name) : 0;

	if (same) {
		m->map[from] = same;
		return NULL;
	}
	record.first_member = record.n_members = 0;
	/* Not to be found before it has its members: what is entered now is
	 * compared with those of other modules alone. */
	error = add(m, index, from, record);
	pending.to = m->map[from];
	if (!error && !vec_push(&m->pending, pending))
		error = error_nomem();
	return error;
}

static struct kml_error *convert(struct merger *m, struct types_index *index,
				 uint32_t from, unsigned depth, uint32_t *ret)
{
	const struct type_info *source;
	struct kml_error *error = NULL;
	struct type_info record;
	bool found = false;

	*ret = 0;
	if (!from || from >= m->from->records.size || depth > MAX_DEPTH)
		return NULL;
	if (m->map[from] != NOT_YET) {
		*ret = m->map[from];
		return NULL;
	}
	source = &m->from->records.data[from];
	record = *source;
	error = copy_name(m, source->name, &record.name);
	if (!error && (source->kind == TYPE_POINTER ||
		       source->kind == TYPE_ARRAY))
		error = convert(m, index, source->target, depth + 1,
				&record.target);
	if (error)
		return error;
	switch (source->kind) {
	case TYPE_STRUCT:
	case TYPE_UNION:
		error = copy_struct(m, index, from, record);
		*ret = error ? 0 : m->map[from];
		return error;
	case TYPE_OPAQUE:
		found = key_map_find(&index->opaque, record.name, ret);
		break;
	case TYPE_INTEGER:
		found = key_map_find(&index->integers,
				     key_of(record.name, record.size), ret);
		break;
	case TYPE_POINTER:
		found = key_map_find(&index->pointers, record.target, ret);
		break;
	case TYPE_FUNCTION:
		*ret = index->function;
		found = *ret;
		break;
	case TYPE_ARRAY:
		break;
	default:
		return NULL;
	}
	if (found) {
		m->map[from] = *ret;
		return NULL;
	}
	error = add(m, index, from, record);
	*ret = error ? 0 : m->map[from];
	return error;
}

static struct kml_error *copy_members(struct merger *m,
				      struct types_index *index,
				      const struct pending *pending)
{
	const struct type_info *source = &m->from->records.data[pending->from];
	size_t first = m->to->members.size;
	struct kml_error *error = NULL;
	uint32_t i;

	/* Their types may be new, but get their members later. */
	for (i = 0; !error && i < source->n_members; i++) {
		struct type_member member =
			m->from->members.data[source->first_member + i];

		error = copy_name(m, member.name, &member.name);
		if (!error)
			error = convert(m, index, member.type, 0, &member.type);
		if (!error && !vec_push(&m->to->members, member))
			error = error_nomem();
	}
	if (!error) {
		m->to->records.data[pending->to].first_member = (uint32_t)first;
		m->to->records.data[pending->to].n_members = source->n_members;
	}
	return error;
}

static struct kml_error *copy_pending(struct merger *m,
				      struct types_index *index)
{
	struct kml_error *error = NULL;

	while (!error && m->pending.size) {
		struct pending pending = m->pending.data[--m->pending.size];

		error = copy_members(m, index, &pending);
	}
	return error;
}

static struct kml_error *copy_variable(struct merger *m,
				       struct types_index *index,
				       const struct type_variable *source)
{
	uint64_t section = source->address >> 32;
	struct type_variable variable = *source;
	struct kml_error *error;

	if (section >= m->n_bases || m->bases[section] == UINT64_MAX)
		return NULL;
	variable.address = m->bases[section] + (uint32_t)source->address;
	error = copy_name(m, source->name, &variable.name);
	if (!error)
		error = convert(m, index, source->type, 0, &variable.type);
	if (!error && variable.type && !vec_push(&m->to->variables, variable))
		error = error_nomem();
	return error;
}

struct kml_error *types_merge(struct types *types, struct types_index *index,
			      const struct types *from, const uint64_t *bases,
			      size_t n_bases)
{
	struct merger m = {
		.to = types, .from = from, .bases = bases, .n_bases = n_bases,
	};
	size_t n = from->records.size, i;
	struct kml_error *error = NULL;
	uint32_t unused, type;

	m.map = malloc((n + 1) * sizeof(*m.map));
	if (!m.map)
		return error_nomem();
	memset(m.map, 0xff, (n + 1) * sizeof(*m.map));
	for (type = 1; !error && type < n; type++) {
		if (!types_is_struct(from, type) ||
		    !types_get(from, type)->name)
			continue;
		error = convert(&m, index, type, 0, &unused);
		if (!error)
			error = copy_pending(&m, index);
	}
	for (i = 0; !error && i < from->variables.size; i++) {
		error = copy_variable(&m, index, &from->variables.data[i]);
		if (!error)
			error = copy_pending(&m, index);
	}
	free(m.map);
	vec_deinit(&m.pending);
	return error;
}
