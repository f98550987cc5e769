// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The structs of a kernel by what they have: which of them have a pointer to
 * this type, or this type itself, at that offset?
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "leak/infer_object.h"

#define MAX_DEPTH 16u
#define MAX_OFFSET 8192u /* beyond it a kmalloc class says little */
#define MAX_PLACES (1u << 24)

/* They are part of anything: where one is says nothing of what it is in. */
static const char *const generic_names[] = {
	"list_head", "hlist_head", "hlist_node", "hlist_nulls_head",
	"hlist_nulls_node", "hlist_bl_head", "hlist_bl_node", "rb_node",
	"rb_root", "rb_root_cached", "callback_head", "llist_node",
	"llist_head", "wait_queue_head", "wait_queue_entry", "spinlock",
	"raw_spinlock", "mutex", "rw_semaphore", "completion", "kref",
	"refcount_struct", "lockref", "rhash_head", "plist_node", "timerqueue_node",
	"optimistic_spin_queue", "xarray", "qspinlock", "seqcount", "seqlock",
};

bool infer_is_generic(const struct inference *i, uint32_t type)
{
	return !types_is_struct(&i->out.types, type) ||
	       bitmap_test(i->generic, type);
}

static struct kml_error *find_generic(struct inference *i)
{
	uint64_t *bits = bitmap_alloc(i->out.types.records.size + 64);
	uint32_t first, n;
	size_t j;

	i->generic = bits;
	if (!bits)
		return error_nomem();
	for (j = 0; j < ARRAY_SIZE(generic_names); j++) {
		types_find(&i->out.types, generic_names[j], &first, &n);
		while (n--)
			bitmap_set(bits, i->out.types.by_name[first + n]);
	}
	return NULL;
}

static struct kml_error *add_pointers(struct inference *i, uint32_t outer)
{
	const struct type_pointers *p = types_pointers(&i->out.types, outer);
	uint32_t j;

	if (!p)
		return error_nomem();
	for (j = 0; j < p->n && p->pointers[j].offset < MAX_OFFSET; j++) {
		const struct infer_place place = {
			p->pointers[j].target, p->pointers[j].offset, outer,
		};

		if (place.type && i->index.pointers.size < MAX_PLACES &&
		    !vec_push(&i->index.pointers, place))
			return error_nomem();
	}
	return NULL;
}

/* Nested structs with a name; an array's first element stands for it. */
static struct kml_error *add_members(struct inference *i, uint32_t outer,
				     uint32_t type, uint64_t offset,
				     unsigned depth)
{
	const struct types *types = &i->out.types;
	const struct type_info *record = types_get(types, type);
	struct kml_error *error = NULL;
	uint32_t j;

	if (depth > MAX_DEPTH || offset >= MAX_OFFSET)
		return NULL;
	if (record->kind == TYPE_ARRAY && record->count)
		return add_members(i, outer, record->target, offset, depth + 1);
	if (!types_is_struct(types, type))
		return NULL;
	if (depth && record->name && !infer_is_generic(i, type)) {
		const struct infer_place place = { type, (uint32_t)offset,
						   outer };

		if (i->index.members.size < MAX_PLACES &&
		    !vec_push(&i->index.members, place))
			return error_nomem();
	}
	for (j = 0; !error && j < record->n_members; j++) {
		const struct type_member *m =
			&types->members.data[record->first_member + j];

		error = add_members(i, outer, m->type, offset + m->offset,
				    depth + 1);
	}
	return error;
}

static int compare_places(const void *a, const void *b)
{
	const struct infer_place *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return (x->outer > y->outer) - (x->outer < y->outer);
}

struct kml_error *infer_make_index(struct inference *i)
{
	struct kml_error *error = find_generic(i);
	uint32_t j;

	for (j = 0; !error && j < i->out.types.n_by_name; j++) {
		uint32_t outer = i->out.types.by_name[j];

		if (!types_is_struct(&i->out.types, outer))
			continue;
		error = add_pointers(i, outer);
		if (!error)
			error = add_members(i, outer, outer, 0, 0);
	}
	if (i->index.pointers.size)
		qsort(i->index.pointers.data, i->index.pointers.size,
		      sizeof(*i->index.pointers.data), compare_places);
	if (i->index.members.size)
		qsort(i->index.members.data, i->index.members.size,
		      sizeof(*i->index.members.data), compare_places);
	return error;
}

static const struct infer_place *find(const struct infer_place *data, size_t n,
				      uint32_t type, uint32_t offset,
				      size_t *n_ret)
{
	const struct infer_place wanted = { type, offset, 0 };
	size_t low = partition_point(n, mid,
				     compare_places(&data[mid], &wanted) < 0);
	size_t found = 0;

	while (low + found < n && data[low + found].type == type &&
	       data[low + found].offset == offset)
		found++;
	*n_ret = found;
	return data + low;
}

const struct infer_place *infer_having_pointer(const struct inference *i,
					       uint32_t to, uint32_t offset,
					       size_t *n_ret)
{
	return find(i->index.pointers.data, i->index.pointers.size, to, offset,
		    n_ret);
}

const struct infer_place *infer_having_member(const struct inference *i,
					      uint32_t type, uint32_t offset,
					      size_t *n_ret)
{
	return find(i->index.members.data, i->index.members.size, type, offset,
		    n_ret);
}
