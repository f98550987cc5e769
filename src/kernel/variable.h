/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Variables by name, and the sources of references that their words are. */
#ifndef KML_KERNEL_VARIABLE_H
#define KML_KERNEL_VARIABLE_H

#include "kernel/kernel.h"

struct kernel_variable {
	uint64_t va;    /* of a per-cpu one: its per-cpu pointer */
	uint64_t bytes; /* at least 1 */
	bool percpu;
};

/*
 * "NAME", of the kernel proper or else of the first module that has it, or
 * "MODULE:NAME".  Of several variables of a name the first.  *@ret_found:
 * whether there is one.
 */
struct kml_error *kernel_find_variable(struct kernel *kernel, const char *name,
				       struct kernel_variable *ret,
				       bool *ret_found) error_must_check;

/* Call @range for each copy of the variable: the addresses of its bytes. */
typedef struct kml_error *kernel_range_fn(void *arg, uint64_t va,
					  uint64_t bytes);
struct kml_error *kernel_for_each_copy(const struct kernel *kernel,
				       const struct kernel_variable *variable,
				       kernel_range_fn *range, void *arg)
	error_must_check;

#endif
