/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A profile put together by hand: of a kernel that has just what a test asks. */
#ifndef TESTS_MADE_PROFILE_H
#define TESTS_MADE_PROFILE_H

#include <string.h>

#include "debuginfo/profile.h"
#include "debuginfo/profile_image.h"
#include "unit.h"

static inline uint32_t made_string(struct profile_draft *draft,
				   const char *string)
{
	uint32_t at;

	assert_true(string_pool_add(&draft->strings, string, &at));
	return at;
}

static inline void made_struct(struct profile_draft *draft, const char *name,
			       uint64_t bytes)
{
	const struct type_draft type = {
		.name = made_string(draft, name), .size = bytes,
		.first_member = (uint32_t)draft->members.size,
	};

	assert_true(vec_push(&draft->types, type));
}

/* Of the struct that was made last; @count: of an array, with that of its
 * elements' type; 0: it is none. */
static inline void made_field(struct profile_draft *draft, const char *name,
			      uint64_t offset, uint64_t bytes,
			      const char *type_name, uint64_t count)
{
	const struct member_record member = {
		.name = made_string(draft, name), .offset = offset,
		.size = bytes, .count = count,
		.type_name = made_string(draft, type_name),
		.kind = type_name[0] ? PROFILE_STRUCT : PROFILE_INTEGER,
	};

	assert_true(vec_push(&draft->members, member));
	draft->types.data[draft->types.size - 1].n_members++;
}

static inline void made_enumerator(struct profile_draft *draft,
				   const char *name, int64_t value)
{
	const struct enumerator_record enumerator = {
		.name = made_string(draft, name), .value = value,
	};

	assert_true(vec_push(&draft->enumerators, enumerator));
}

static inline void made_section(struct profile_draft *draft, const char *name,
				uint64_t address, uint64_t bytes,
				uint32_t flags)
{
	const struct section_record section = {
		.name = made_string(draft, name), .address = address,
		.size = bytes, .flags = flags,
	};

	assert_true(vec_push(&draft->sections, section));
}

/* @placed: in a section. */
static inline void made_symbol(struct profile_draft *draft, const char *name,
			       uint64_t address, uint32_t bytes, bool placed)
{
	const struct symbol_draft symbol = {
		.name = made_string(draft, name), .address = address,
		.size = bytes, .typed = placed, .placed = placed,
	};

	assert_true(vec_push(&draft->symbols, symbol));
}

/* Of what was made so far; the draft is empty then. */
static inline struct profile *made_profile(struct profile_draft *draft)
{
	struct profile_image image;
	struct profile *profile;

	assert_ok(profile_draft_finish(draft, &image));
	assert_ok(profile_attach(image.header, image.bytes, "profile", NULL,
				 false, &profile));
	profile_draft_deinit(draft);
	memset(draft, 0, sizeof(*draft));
	return profile;
}

#endif
