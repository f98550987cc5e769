/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types put together by hand, for tests of what is made of them. */
#ifndef TESTS_MADE_TYPES_H
#define TESTS_MADE_TYPES_H

#include <stdlib.h>
#include <string.h>

#include "debuginfo/types.h"
#include "unit.h"

static inline void made_types_init(struct types *types)
{
	types_init(types);
	assert_non_null(vec_add(&types->records));
}

static inline uint32_t made_type(struct types *types, enum type_kind kind,
				 const char *name, uint32_t bytes,
				 uint32_t target)
{
	struct type_info record = {
		.kind = kind, .size = bytes, .target = target,
	};

	assert_true(string_pool_add(&types->strings, name, &record.name));
	assert_true(vec_push(&types->records, record));
	return (uint32_t)types->records.size - 1;
}

/* All members of a type in a row. */
static inline void made_member(struct types *types, uint32_t to,
			       const char *name, uint32_t type,
			       uint32_t offset)
{
	struct type_member member = { .type = type, .offset = offset };
	struct type_info *record = &types->records.data[to];

	assert_true(string_pool_add(&types->strings, name, &member.name));
	if (!record->n_members)
		record->first_member = (uint32_t)types->members.size;
	assert_int_equal(record->first_member + record->n_members,
			 types->members.size);
	record->n_members++;
	assert_true(vec_push(&types->members, member));
}

#endif
