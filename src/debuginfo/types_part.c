// SPDX-License-Identifier: GPL-2.0-or-later
/* A few of all types, with what is asked of them: names, sizes, members. */
#include <string.h>

#include "base/util.h"
#include "debuginfo/types.h"

struct part {
	const struct types *all;
	struct types out;
	uint32_t *number; /* by type of all: in the part; 0: not in it */
	VEC(uint32_t) queue; /* types of all whose records are to be completed */
};

static bool add_name(struct part *p, uint32_t name, uint32_t *ret)
{
	return string_pool_add(&p->out.strings,
			       string_pool_get(&p->all->strings, name), ret);
}

/* Its number; its members come when it is its turn. */
static bool add_type(struct part *p, uint32_t type, uint32_t *ret)
{
	const struct type_info *record = types_get(p->all, type);
	struct type_info new = {
		.kind = record->kind, .size = record->size,
		.count = record->count,
	};

	if (!type || type >= p->all->records.size)
		type = 0;
	if (type && !p->number[type]) {
		if (!add_name(p, record->name, &new.name) ||
		    p->out.records.size >= UINT32_MAX ||
		    !vec_push(&p->queue, type))
			return false;
		p->number[type] = (uint32_t)p->out.records.size;
		if (!vec_push(&p->out.records, new))
			return false;
	}
	*ret = type ? p->number[type] : 0;
	return true;
}

/* What a member points to nobody asks; of pointers one is as good as another. */
static bool add_member_type(struct part *p, uint32_t type, uint32_t *pointer,
			    uint32_t *ret)
{
	bool is_pointer = types_get(p->all, type)->kind == TYPE_POINTER;
	const struct type_info new = {
		.kind = TYPE_POINTER, .size = types_get(p->all, type)->size,
	};

	if (!is_pointer)
		return add_type(p, type, ret);
	if (!*pointer) {
		*pointer = (uint32_t)p->out.records.size;
		if (!vec_push(&p->out.records, new))
			return false;
	}
	*ret = *pointer;
	return true;
}

static bool add_members(struct part *p, uint32_t type, uint32_t *pointer)
{
	const struct type_info *record = types_get(p->all, type);
	uint32_t first = (uint32_t)p->out.members.size, i;

	for (i = 0; i < record->n_members; i++) {
		struct type_member m =
			p->all->members.data[record->first_member + i];

		if (!add_name(p, m.name, &m.name) ||
		    !add_member_type(p, m.type, pointer, &m.type) ||
		    !vec_push(&p->out.members, m))
			return false;
	}
	p->out.records.data[p->number[type]].first_member = first;
	p->out.records.data[p->number[type]].n_members = record->n_members;
	return true;
}

/* Only what pointer types point to, which an object may be an array of, has a
 * name without being of use otherwise. */
static bool add_target(struct part *p, uint32_t type)
{
	const struct type_info *target =
		types_get(p->all, types_get(p->all, type)->target);
	struct type_info new = { .kind = target->kind, .size = target->size };
	uint32_t number = p->number[type];

	if (!add_name(p, target->name, &new.name))
		return false;
	if (types_is_struct(p->all, types_get(p->all, type)->target))
		new.kind = TYPE_STRUCT;
	p->out.records.data[number].target = (uint32_t)p->out.records.size;
	return vec_push(&p->out.records, new);
}

static bool complete(struct part *p, uint32_t type, uint32_t *pointer)
{
	const struct type_info *record = types_get(p->all, type);
	uint32_t target;

	switch (record->kind) {
	case TYPE_STRUCT:
	case TYPE_UNION:
		return add_members(p, type, pointer);
	case TYPE_POINTER:
		return add_target(p, type);
	case TYPE_ARRAY:
		if (!add_member_type(p, record->target, pointer, &target))
			return false;
		p->out.records.data[p->number[type]].target = target;
		return true;
	default:
		return true;
	}
}

/* @number[type] is not 0: it is wanted. */
static bool add_all(struct part *p)
{
	const struct type_info nothing = { .kind = TYPE_VOID };
	uint32_t pointer = 0, unused;
	size_t i;

	if (!vec_push(&p->out.records, nothing))
		return false;
	for (i = 1; i < p->all->records.size; i++) {
		if (!p->number[i])
			continue;
		p->number[i] = 0;
		if (!add_type(p, (uint32_t)i, &unused))
			return false;
	}
	for (i = 0; i < p->queue.size; i++) {
		if (!complete(p, p->queue.data[i], &pointer))
			return false;
	}
	return true;
}

struct kml_error *types_part(const struct types *types, uint32_t *number,
			     struct types *ret)
{
	struct part p = { .all = types, .number = number };
	bool added;

	types_init(&p.out);
	added = add_all(&p);
	vec_deinit(&p.queue);
	if (!added) {
		types_deinit(&p.out);
		return error_nomem();
	}
	p.out.has_btf = types->has_btf;
	p.out.has_variables = types->has_variables;
	*ret = p.out;
	return NULL;
}
