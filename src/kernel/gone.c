// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/gone.h"

#include "base/util.h"

#define MAX_TAINTED 4096u

/* A char[MODULE_NAME_LEN], which is 56; "" if it is not to be had.  In the
 * last one's a flag may follow the name. */
static void read_name(struct kernel *kernel, uint64_t va,
		      char ret[KERNEL_NAME_BYTES])
{
	kml_error_destroy(
		kernel_read_string(kernel, va, ret, KERNEL_NAME_BYTES));
	ret[strcspn(ret, " ?+-")] = '\0';
}

struct taint_walk {
	struct gone_modules *gone;
	struct profile_member list, name;
};

static struct kml_error *add_tainted(struct kernel *kernel, void *arg,
				     uint64_t node_va)
{
	const struct taint_walk *walk = arg;
	struct gone_modules *gone = walk->gone;
	char name[KERNEL_NAME_BYTES];
	unsigned i;

	read_name(kernel, node_va - walk->list.offset + walk->name.offset,
		  name);
	for (i = 0; i < gone->n; i++) {
		if (!strcmp(gone->names[i], name))
			return NULL;
	}
	if (gone->n == GONE_MODULES)
		gone->more = true;
	else if (name[0])
		memcpy(gone->names[gone->n++], name, sizeof(name));
	return NULL;
}

/* A name in the first bytes, be it an array or, since Linux 6.0
 * (6f1dae1d84b6), a struct. */
void gone_modules_read(struct kernel *kernel, struct gone_modules *ret)
{
	struct taint_walk walk = { .gone = ret };
	size_t n_gaps = kernel->gaps.size;
	uint64_t va;

	memset(ret, 0, sizeof(*ret));
	if (kernel_has_symbol(kernel, "last_unloaded_module", &va))
		read_name(kernel, va, ret->last);
	if (!kernel_has_symbol(kernel, "unloaded_tainted_modules", &va) ||
	    !profile_member(kernel->profile, "mod_unload_taint", "list",
			    &walk.list) ||
	    !profile_member(kernel->profile, "mod_unload_taint", "name",
			    &walk.name))
		return;
	ret->keeps_tainted = true;
	kml_error_destroy(kernel_walk_list(
		kernel, va, MAX_TAINTED,
		"torn list of unloaded modules", add_tainted, &walk));
	/* No verdict depends on it. */
	if (kernel->gaps.size > n_gaps)
		kernel->gaps.data[n_gaps].unsound = false;
}

bool kernel_is_gone(const struct kernel *kernel, uint64_t va)
{
	unsigned part;
	size_t i;

	if (va < kernel->modules_va || va >= kernel->modules_end_va)
		return false;
	for (i = 0; i < kernel->modules.size; i++) {
		const struct kernel_module *module = &kernel->modules.data[i];

		for (part = 0; part < module->n_parts; part++)
			if (va - module->part_va[part] <
			    module->part_text_bytes[part])
				return false;
	}
	return true;
}
