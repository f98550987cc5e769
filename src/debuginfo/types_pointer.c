// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pointers of a type, those of nested structs and arrays included; found
 * when they are first asked for.
 */
#include "debuginfo/types_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/util.h"

/* Of a type: pointers that are listed, members that are looked at for them. */
#define MAX_POINTERS 4096u
#define MAX_STEPS 65536u
#define MAX_WORDS 65536u

struct flattening {
	const struct types *types;
	struct type_pointers *out;
	VEC(struct type_pointer) pointers;
	uint32_t steps;
	bool nomem;
};

/* Integers that are pointers with flags in their low bits, by the struct that
 * they are in (kernel/type.c has the same list for the scan). */
static bool is_encoded(const struct types *types, const struct type_info *in)
{
	static const char *const names[] = { "rb_node", "work_struct",
					     "percpu_ref", "sk_buff" };
	const char *name = types_text(types, in->name);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void flatten(struct flattening *f, uint32_t type, uint64_t offset,
		    bool overlaid, bool encoded, unsigned depth);

static void flatten_array(struct flattening *f, const struct type_info *array,
			  uint64_t offset, bool overlaid, unsigned depth)
{
	uint64_t bytes = types_bytes(f->types, array->target), i;
	const struct type_info *element = types_get(f->types, array->target);

	if (!array->count)
		f->out->open = true;
	/* Characters are storage for anything. */
	if (!bytes || (element->kind == TYPE_INTEGER && bytes == 1))
		return;
	for (i = 0; i < array->count && f->steps < MAX_STEPS &&
		    offset + i * bytes < MAX_WORDS * UINT64_C(8); i++)
		flatten(f, array->target, offset + i * bytes, overlaid, false,
			depth + 1);
}

static void flatten_members(struct flattening *f,
			    const struct type_info *record, uint64_t offset,
			    bool overlaid, unsigned depth)
{
	bool encoded = is_encoded(f->types, record);
	uint32_t i;

	overlaid |= record->kind == TYPE_UNION;
	for (i = 0; i < record->n_members && f->steps < MAX_STEPS; i++) {
		const struct type_member *m =
			&f->types->members.data[record->first_member + i];

		flatten(f, m->type, offset + m->offset, overlaid, encoded,
			depth + 1);
	}
}

static void add_pointer(struct flattening *f, const struct type_info *record,
			uint64_t offset, bool overlaid)
{
	const struct type_info *target = types_get(f->types, record->target);
	struct type_pointer pointer = {
		.offset = (uint32_t)offset, .overlaid = overlaid,
	};

	if (offset % 8)
		return;
	if (target->kind == TYPE_STRUCT || target->kind == TYPE_UNION ||
	    target->kind == TYPE_FUNCTION || target->kind == TYPE_INTEGER ||
	    target->kind == TYPE_POINTER)
		pointer.target = record->target;
	if (f->pointers.size >= MAX_POINTERS)
		f->out->cut = true;
	else if (!vec_push(&f->pointers, pointer))
		f->nomem = true;
}

static void flatten(struct flattening *f, uint32_t type, uint64_t offset,
		    bool overlaid, bool encoded, unsigned depth)
{
	const struct type_info *record = types_get(f->types, type);

	if (depth > TYPES_MAX_DEPTH || ++f->steps >= MAX_STEPS ||
	    offset >= MAX_WORDS * UINT64_C(8)) {
		f->out->cut = true;
		return;
	}
	if (record->kind == TYPE_ARRAY)
		flatten_array(f, record, offset, overlaid, depth);
	else if (record->kind == TYPE_STRUCT || record->kind == TYPE_UNION)
		flatten_members(f, record, offset, overlaid, depth);
	else if (record->kind == TYPE_POINTER)
		add_pointer(f, record, offset, overlaid);
	else if (record->kind == TYPE_INTEGER && record->size < 8 && !overlaid &&
		 !encoded && offset / 8 < f->out->n_words)
		bitmap_set(f->out->integers, offset / 8);
}

static int compare_pointers(const void *a, const void *b)
{
	const struct type_pointer *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return (x->target < y->target) - (x->target > y->target);
}

const struct type_pointers *types_pointers(struct types *types, uint32_t type)
{
	const struct type_info *record = types_get(types, type);
	struct type_pointers *out;
	struct flattening f = { .types = types };

	if (type >= types->n_pointers)
		type = 0;
	out = f.out = &types->pointers[type];
	if (out->built)
		return out;
	out->n_words = MIN((record->size + 7) / 8, MAX_WORDS);
	out->integers = bitmap_alloc(out->n_words);
	if (!out->integers)
		return NULL;
	flatten(&f, type, 0, false, false, 0);
	if (f.nomem) {
		free(out->integers);
		vec_deinit(&f.pointers);
		memset(out, 0, sizeof(*out));
		return NULL;
	}
	if (f.pointers.size)
		qsort(f.pointers.data, f.pointers.size,
		      sizeof(*f.pointers.data), compare_pointers);
	out->pointers = f.pointers.data;
	out->n = (uint32_t)f.pointers.size;
	out->built = true;
	return out;
}

bool types_pointer_at(struct types *types, uint32_t type, uint64_t offset,
		      uint32_t *target_ret, bool *overlaid_ret)
{
	const struct type_pointers *p = types_pointers(types, type);
	uint32_t low = partition_point(p ? p->n : 0, mid,
				       p->pointers[mid].offset < offset);

	if (!p || low == p->n || p->pointers[low].offset != offset)
		return false;
	*target_ret = p->pointers[low].target;
	*overlaid_ret = p->pointers[low].overlaid;
	/* Of several, which one it is only the kernel's code knows. */
	if (low + 1 < p->n && p->pointers[low + 1].offset == offset &&
	    p->pointers[low + 1].target != *target_ret)
		*target_ret = 0;
	return true;
}
