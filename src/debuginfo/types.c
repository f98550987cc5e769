// SPDX-License-Identifier: GPL-2.0-or-later
/* All types: sorted, and looked up by name and by address. */
#include "debuginfo/types_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

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

const char *types_name(const struct types *types, uint32_t type)
{
	return types_text(types, types_get(types, type)->name);
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
			    0 : strcmp(types_text(types, x->name),
				       types_text(types, y->name));

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

	if (record->kind != TYPE_ARRAY || depth > TYPES_MAX_DEPTH)
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
		strcmp(types_text(types, data[mid].name), name) < 0);
	size_t i;

	for (i = low; i < types->functions.size &&
		      !strcmp(types_text(types, data[i].name), name); i++)
		if (data[i].type != data[low].type)
			return 0;
	return i > low ? data[low].type : 0;
}
