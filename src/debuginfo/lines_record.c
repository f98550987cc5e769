// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/lines_record.h"

#include <stdlib.h>
#include <string.h>

void lines_record_deinit(struct lines_record *record)
{
	size_t i, j;

	for (i = 0; i < record->addresses.size; i++) {
		struct lines_record_address *a = &record->addresses.data[i];

		for (j = 0; j < a->lines.size; j++) {
			free(a->lines.data[j].function);
			free(a->lines.data[j].file);
		}
		vec_deinit(&a->lines);
	}
	for (i = 0; i < record->stacks.size; i++) {
		vec_deinit(&record->stacks.data[i].frames);
		free(record->stacks.data[i].why_not);
	}
	vec_deinit(&record->addresses);
	vec_deinit(&record->stacks);
	vec_deinit(&record->modules);
	free(record->why_not);
	memset(record, 0, sizeof(*record));
}

const struct lines_record_stack *
lines_record_find_stack(const struct lines_record *record, uint64_t task_va)
{
	size_t i;

	for (i = 0; i < record->stacks.size; i++) {
		if (record->stacks.data[i].task_va == task_va)
			return &record->stacks.data[i];
	}
	return NULL;
}
