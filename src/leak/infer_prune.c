// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "base/util.h"
#include "leak/infer.h"

struct kml_error *infer_prune(struct infer *infer, uint32_t **number_ret)
{
	_cleanup_free_ uint32_t *number =
		calloc(infer->types.records.size + 1, sizeof(*number));
	struct types types;
	struct kml_error *error;
	uint32_t id;

	if (!number)
		return error_nomem();
	for (id = 0; id < infer->n_objects; id++)
		number[infer->type[id]] = 1;
	number[0] = 0;
	error = types_part(&infer->types, number, &types);
	if (error)
		return error;
	types_deinit(&infer->types);
	infer->types = types;
	for (id = 0; id < infer->n_objects; id++)
		infer->type[id] = number[infer->type[id]];
	free(take_ptr(infer->cache_type));
	*number_ret = take_ptr(number);
	return NULL;
}
