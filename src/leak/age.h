/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How old objects are, where something in the dump tells: sources are asked
 * in turn (site.h has one that knows of all records of allocations).
 */
#ifndef KML_LEAK_AGE_H
#define KML_LEAK_AGE_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds from an object's allocation to the dump; false: not known. */
typedef bool age_fn(void *arg, uint32_t id, uint64_t *ms_ret);

#define MAX_AGE_SOURCES 4
struct ages {
	struct {
		age_fn *fn;
		void *arg;
	} sources[MAX_AGE_SOURCES];
	unsigned n;
};

static inline void ages_add(struct ages *ages, age_fn *fn, void *arg)
{
	if (ages->n < MAX_AGE_SOURCES) {
		ages->sources[ages->n].fn = fn;
		ages->sources[ages->n++].arg = arg;
	}
}

static inline bool ages_find(const struct ages *ages, uint32_t id,
			     uint64_t *ms_ret)
{
	unsigned i;

	for (i = 0; i < ages->n; i++) {
		if (ages->sources[i].fn(ages->sources[i].arg, id, ms_ret))
			return true;
	}
	return false;
}

#endif
