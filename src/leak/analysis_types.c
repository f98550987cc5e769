// SPDX-License-Identifier: GPL-2.0-or-later
/* The stage of an analysis that finds out of which types objects are. */
#include "leak/analysis.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* "ADDRESS=TYPE" */
static struct kml_error *read_override(const struct kml_analysis *a,
				       const struct types *types,
				       const char *text,
				       struct infer_override *ret)
{
	enum heap_reference how;
	uint32_t first, n;
	const char *name;
	uint64_t va;
	char *end;

	va = strtoull(text, &end, 16);
	if (end == text || *end != '=')
		return error_new(KML_ERR_ARGUMENT,
				 "'%s' is not ADDRESS=TYPE", text);
	name = end + 1;
	if (!strncmp(name, "struct ", 7))
		name += 7;
	ret->id = heap_resolve(&a->heap, va, &how);
	if (ret->id == HEAP_NONE || heap_object_va(&a->heap, ret->id) != va)
		return error_at(KML_ERR_ARGUMENT, va,
				"no object begins at 0x%" PRIx64, va);
	ret->type = types_find(types, name, &first, &n);
	if (!ret->type)
		return error_new(KML_ERR_ARGUMENT,
				 "the debuginfo has no 'struct %s'", name);
	if (types_get(types, ret->type)->size >
	    heap_object_bytes(&a->heap, ret->id))
		return error_at(KML_ERR_ARGUMENT, va,
				"a 'struct %s' is larger than the object at 0x%" PRIx64,
				name, va);
	return NULL;
}

/* Leaks are leaks without types, too. */
static struct kml_error *go_untyped(struct kml_analysis *a,
				    struct kml_error *error)
{
	if (a->options.n_types || kml_error_code(error) == KML_ERR_NOMEM ||
	    kml_error_code(error) == KML_ERR_INTERRUPTED)
		return error;
	message_warning(&a->messenger,
			"of which types objects are is not found out: %s",
			kml_error_message(error));
	kml_error_destroy(error);
	return NULL;
}

struct kml_error *analysis_infer_types(struct kml_analysis *a)
{
	_cleanup_free_ struct infer_override *overrides =
		calloc(a->options.n_types + 1, sizeof(*overrides));
	struct infer_options options = {
		.held_out = UINT32_MAX,
		.overrides = overrides,
		.n_overrides = a->options.n_types,
		.sites = &a->sites,
		.reached = a->reached,
	};
	const struct infer_sources sources = {
		.cache_dir = a->options.cache_dir,
		.modules = a->options.modules,
		.n_modules = a->options.n_modules,
	};
	struct types types;
	struct kml_error *error;
	size_t i;

	if (a->options.no_types && a->options.n_types)
		return error_new(KML_ERR_ARGUMENT,
				 "types are said, and are not wanted");
	if (a->options.no_types)
		return NULL;
	if (!overrides)
		return error_nomem();
	error = infer_load_types(&a->kernel, &sources, &types);
	if (error)
		return go_untyped(a, error);
	for (i = 0; !error && i < a->options.n_types; i++)
		error = read_override(a, &types, a->options.types[i],
				      &overrides[i]);
	/* Each object's is asked for more than once. */
	if (!error)
		error = sites_index(&a->sites);
	if (error)
		types_deinit(&types);
	else
		error = infer_run(&a->kernel, &a->graph, &types, &options,
				  &a->infer);
	a->inferred = !error;
	return error;
}
