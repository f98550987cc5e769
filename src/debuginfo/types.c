// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/util.h"

/* Structs in structs; debuginfo may lie. */
#define MAX_DEPTH 24u
/* Of a type: pointers that are listed, members that are looked at for them. */
#define MAX_POINTERS 4096u
#define MAX_STEPS 65536u
#define MAX_WORDS 65536u

void types_init(struct types *types)
{
	memset(types, 0, sizeof(*types));
}

static void drop_pointers(struct types *types)
{
	size_t i;

	for (i = 0; i < types->n_pointers; i++) {
		free(types->pointers[i].pointers);
		free(types->pointers[i].integers);
	}
	free(types->pointers);
	types->pointers = NULL;
	types->n_pointers = 0;
}

void types_deinit(struct types *types)
{
	drop_pointers(types);
	string_pool_deinit(&types->strings);
	vec_deinit(&types->records);
	vec_deinit(&types->members);
	vec_deinit(&types->variables);
	vec_deinit(&types->functions);
	vec_deinit(&types->ranges);
	free(types->by_name);
	memset(types, 0, sizeof(*types));
}

static const char *text(const struct types *types, uint32_t offset)
{
	return offset ? string_pool_get(&types->strings, offset) : "";
}

const char *types_name(const struct types *types, uint32_t type)
{
	return text(types, types_get(types, type)->name);
}

/* ---- sorting */

static int compare_types(const void *a, const void *b, void *arg)
{
	const struct types *types = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = strcmp(types_name(types, x), types_name(types, y));
	bool x_opaque = types_get(types, x)->kind == TYPE_OPAQUE;
	bool y_opaque = types_get(types, y)->kind == TYPE_OPAQUE;

	if (!order)
		order = x_opaque - y_opaque;
	return order ? order : (x > y) - (x < y);
}

static int compare_variables(const void *a, const void *b)
{
	const struct type_variable *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

static int compare_functions(const void *a, const void *b, void *arg)
{
	const struct types *types = arg;
	const struct type_function *x = a, *y = b;
	int order = x->name == y->name ?
			    0 : strcmp(text(types, x->name), text(types, y->name));

	return order ? order : (x->type > y->type) - (x->type < y->type);
}

static bool has_tag(const struct type_info *record)
{
	return record->name &&
	       (record->kind == TYPE_STRUCT || record->kind == TYPE_UNION ||
		record->kind == TYPE_OPAQUE);
}

/* A struct of another BTF that is the same, as far as it can be told. */
static bool is_copy(const struct types *types, uint32_t a, uint32_t b)
{
	const struct type_info *x = types_get(types, a);
	const struct type_info *y = types_get(types, b);

	return x->kind == y->kind && x->size == y->size &&
	       x->n_members == y->n_members;
}

/*
 * Which type stands for each: what is only declared may be defined elsewhere,
 * and modules have copies of the kernel's structs and of one another's.
 */
static uint32_t find_standing(const struct types *types, uint32_t type)
{
	uint32_t first, n, i;

	types_find(types, types_name(types, type), &first, &n);
	if (types_get(types, type)->kind == TYPE_OPAQUE)
		return n == 1 ? types->by_name[first] : type;
	for (i = 0; type >= types->n_btf && i < n; i++) {
		uint32_t other = types->by_name[first + i];

		if (other >= type)
			break;
		if (is_copy(types, type, other))
			return other;
	}
	return type;
}

static struct kml_error *link_definitions(struct types *types)
{
	size_t n = types->records.size, i;
	_cleanup_free_ uint32_t *standing = malloc((n + 1) * sizeof(*standing));
	uint32_t j, kept = 0;

	if (!standing)
		return error_nomem();
	for (i = 0; i < n; i++)
		standing[i] = has_tag(&types->records.data[i]) ?
				      find_standing(types, (uint32_t)i) :
				      (uint32_t)i;
	for (i = 0; i < n; i++) {
		struct type_info *record = &types->records.data[i];

		if ((record->kind == TYPE_POINTER ||
		     record->kind == TYPE_ARRAY) && record->target < n)
			record->target = standing[record->target];
	}
	for (i = 0; i < types->members.size; i++)
		if (types->members.data[i].type < n)
			types->members.data[i].type =
				standing[types->members.data[i].type];
	for (i = 0; i < types->variables.size; i++)
		if (types->variables.data[i].type < n)
			types->variables.data[i].type =
				standing[types->variables.data[i].type];
	for (j = 0; j < types->n_by_name; j++)
		if (standing[types->by_name[j]] == types->by_name[j])
			types->by_name[kept++] = types->by_name[j];
	types->n_by_name = kept;
	return NULL;
}

struct kml_error *types_seal(struct types *types)
{
	uint32_t n = 0, i;

	drop_pointers(types);
	free(types->by_name);
	types->by_name = calloc(types->records.size + 1, sizeof(*types->by_name));
	types->pointers = calloc(types->records.size + 1,
				 sizeof(*types->pointers));
	if (!types->by_name || !types->pointers ||
	    (!types->records.size && !vec_add(&types->records)))
		return error_nomem();
	types->n_pointers = types->records.size;
	for (i = 0; i < types->records.size; i++)
		if (has_tag(&types->records.data[i]))
			types->by_name[n++] = i;
	types->n_by_name = n;
	qsort_r(types->by_name, n, sizeof(*types->by_name), compare_types,
		types);
	if (types->variables.size)
		qsort(types->variables.data, types->variables.size,
		      sizeof(*types->variables.data), compare_variables);
	if (types->functions.size)
		qsort_r(types->functions.data, types->functions.size,
			sizeof(*types->functions.data), compare_functions,
			types);
	types->has_variables = types->variables.size > 0;
	return link_definitions(types);
}

struct kml_error *types_note_module(struct types *types, uint32_t module,
				    size_t first, bool named)
{
	struct type_range range = {
		module, (uint32_t)first, (uint32_t)types->records.size,
		named,
	};

	if (range.first == range.end || vec_push(&types->ranges, range))
		return NULL;
	return error_nomem();
}

/* ---- look-ups */

uint32_t types_find(const struct types *types, const char *name,
		    uint32_t *first_ret, uint32_t *n_ret)
{
	const uint32_t *by_name = types->by_name;
	uint32_t low = partition_point(
		types->n_by_name, mid,
		strcmp(types_name(types, by_name[mid]), name) < 0);
	uint32_t n = 0;

	/* Those that are only declared come last. */
	while (low + n < types->n_by_name &&
	       types_is_struct(types, types->by_name[low + n]) &&
	       !strcmp(types_name(types, types->by_name[low + n]), name))
		n++;
	*first_ret = low;
	*n_ret = n;
	return n ? types->by_name[low] : 0;
}

uint32_t types_find_one(const struct types *types, const char *name)
{
	uint32_t first, n, type = types_find(types, name, &first, &n);

	return n == 1 ? type : 0;
}

static uint64_t bytes_of(const struct types *types, uint32_t type,
			 unsigned depth)
{
	const struct type_info *record = types_get(types, type);

	if (record->kind != TYPE_ARRAY || depth > MAX_DEPTH)
		return record->size;
	return MIN(bytes_of(types, record->target, depth + 1), UINT32_MAX) *
	       record->count;
}

uint64_t types_bytes(const struct types *types, uint32_t type)
{
	return bytes_of(types, type, 0);
}

bool types_stands(const struct types *types, uint32_t type)
{
	uint32_t first, n, j;

	types_find(types, types_name(types, type), &first, &n);
	for (j = 0; j < n; j++)
		if (types->by_name[first + j] == type)
			return true;
	return false;
}

const struct type_variable *types_variable(const struct types *types,
					   uint64_t address)
{
	const struct type_variable *variable;
	size_t low = partition_point(
		types->variables.size, mid,
		types->variables.data[mid].address <= address);

	if (!low)
		return NULL;
	variable = &types->variables.data[low - 1];
	return address - variable->address <
			       types_bytes(types, variable->type) ?
		       variable : NULL;
}

uint32_t types_function(const struct types *types, const char *name)
{
	const struct type_function *data = types->functions.data;
	size_t low = partition_point(
		types->functions.size, mid,
		strcmp(text(types, data[mid].name), name) < 0);
	size_t i;

	for (i = low; i < types->functions.size &&
		      !strcmp(text(types, data[i].name), name); i++)
		if (data[i].type != data[low].type)
			return 0;
	return i > low ? data[low].type : 0;
}

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
	if (depth > MAX_DEPTH)
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

	for (depth = 0; depth < MAX_DEPTH && type; depth++) {
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

	for (depth = 0; depth < MAX_DEPTH; depth++) {
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
						      text(types, m->name));
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

	if (depth > MAX_DEPTH)
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

	if (!types_is_struct(types, type) || depth > MAX_DEPTH)
		return false;
	for (i = 0; i < record->n_members; i++) {
		const struct type_member *m =
			&types->members.data[record->first_member + i];
		const char *s = text(types, m->name);

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

/* ---- the pointers of a type */

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
	const char *name = text(types, in->name);
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

	if (depth > MAX_DEPTH || ++f->steps >= MAX_STEPS ||
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
