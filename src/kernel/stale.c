// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Variables that keep the address of what they had and have given back, beside
 * a number that says that there is nothing.
 */
#include "kernel/kernel.h"

#include "base/util.h"

static const struct {
	const char *symbol, *type, *number, *pointer;
} variables[] = {
	/* amd_cache_northbridges() of arch/x86/kernel/amd_nb.c frees what it
	 * has allocated when there is no such device, as in most guests. */
	{ "amd_northbridges", "amd_northbridge_info", "num", "nb" },
};

struct kml_error *kernel_load_stale(struct kernel *kernel)
{
	struct kml_error *error = NULL;
	size_t i;

	for (i = 0; !error && i < ARRAY_SIZE(variables); i++) {
		struct profile_member number, pointer;
		uint64_t va, n;

		if (!kernel_has_symbol(kernel, variables[i].symbol, &va) ||
		    !profile_member(kernel->profile, variables[i].type,
				    variables[i].number, &number) ||
		    !profile_member(kernel->profile, variables[i].type,
				    variables[i].pointer, &pointer))
			continue;
		error = kernel_read_uint(kernel, va + number.offset,
					 (unsigned)number.size, &n);
		if (!error && !n) {
			kernel_cite(kernel, BUILTIN_STALE_VARIABLE);
			error = kernel_add_hole(kernel, va + pointer.offset,
						pointer.size);
		}
		error = kernel_forgive(kernel, error, "variables", va);
	}
	return error;
}
