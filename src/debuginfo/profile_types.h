/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a kernel's types a profile holds. */
#ifndef KML_DEBUGINFO_PROFILE_TYPES_H
#define KML_DEBUGINFO_PROFILE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wanted_type {
	const char *name; /* of a struct, union or typedef */
	const char *unit; /* take it only from this source file; NULL: any */
	bool core;        /* every kernel has it: look in all files for it */
};
extern const struct wanted_type profile_types[];
extern const size_t n_profile_types;

/* Ends of the names of the source files whose types are searched. */
extern const char *const profile_units[];
extern const size_t n_profile_units;

/* A number that changes with these lists, so that caches do, too. */
uint64_t profile_types_hash(void);

#endif
