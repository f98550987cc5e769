// SPDX-License-Identifier: GPL-2.0-or-later
#include "graph/rules.h"

#include <string.h>

#include "base/util.h"

void rules_init(struct rules *rules, struct kernel *kernel)
{
	*rules = (struct rules){ .kernel = kernel };
	rules->has_sysctl =
		profile_member(kernel->profile, "ctl_table_header", "ctl_table",
			       &rules->table) &&
		profile_member(kernel->profile, "ctl_table_header",
			       "ctl_table_arg", &rules->table_arg) &&
		profile_member(kernel->profile, "ctl_table_header", "root",
			       &rules->root) &&
		profile_type_size(kernel->profile, "ctl_table_header",
				  &rules->sysctl_bytes) &&
		rules->sysctl_bytes <= 256 &&
		kernel_has_symbol(kernel, "sysctl_table_root",
				  &rules->sysctl_root_va) &&
		kernel_has_symbol(kernel, "_text", &rules->image_va) &&
		kernel_has_symbol(kernel, "_end", &rules->image_end_va);
}

static bool in_image(const struct rules *rules, uint64_t va)
{
	return va >= rules->image_va && va < rules->image_end_va;
}

/*
 * A sysctl table that the kernel proper registers at boot and never takes
 * back: register_sysctl_init() and __register_sysctl_base() of
 * fs/proc/proc_sysctl.c mark the struct ctl_table_header as no leak.  One for
 * a base table has no table and no root of its own, and the headers of its
 * sub-tables behind it.
 */
static bool is_boot_sysctl(const struct rules *rules, const char *object,
			   uint64_t bytes)
{
	uint64_t table = kernel_get(object, &rules->table);
	uint64_t root = kernel_get(object, &rules->root);

	if (!in_image(rules, kernel_get(object, &rules->table_arg)))
		return false;
	if (root == rules->sysctl_root_va)
		return in_image(rules, table);
	return !table && !root && bytes >= rules->sysctl_bytes + 8 &&
	       kernel_is_direct(rules->kernel,
				load_u64(object + rules->sysctl_bytes));
}

/*
 * The page of VMCOREINFO that a panicking kernel lets go of: with a crash
 * kernel loaded, crash_save_vmcoreinfo() turns vmcoreinfo_data, its one
 * pointer, to the copy in that kernel's memory (since Linux 4.13,
 * 1229384f5b85).
 */
static bool is_old_vmcoreinfo(const struct rules *rules, const char *object,
			      uint64_t bytes)
{
	static const char start[] = "OSRELEASE=";
	const char *text = image_vmcoreinfo(rules->kernel->image);

	return bytes >= 256 && !strncmp(object, start, sizeof(start) - 1) &&
	       !strncmp(object, text, 256);
}

struct kml_error *rules_not_leak(const struct rules *rules, uint32_t id,
				 bool *ret)
{
	struct kernel *kernel = rules->kernel;
	const struct heap_region *region = heap_region_of(kernel->heap, id);
	char object[512];
	uint64_t bytes = MIN(region->object_bytes, sizeof(object));
	bool pages = region->kind == HEAP_PAGES && region->bytes == 4096;
	bool slab = region->kind == HEAP_SLAB && rules->has_sysctl &&
		    bytes >= rules->sysctl_bytes &&
		    region->object_bytes <= 2 * sizeof(object);
	struct kml_error *error;

	*ret = false;
	if (!pages && !slab)
		return NULL;
	error = image_read_va(kernel->image, heap_object_va(kernel->heap, id),
			      object, bytes);
	if (!error)
		*ret = pages ? is_old_vmcoreinfo(rules, object, bytes) :
			       is_boot_sysctl(rules, object, bytes);
	if (!error && *ret && pages)
		kernel_cite(kernel, BUILTIN_VMCOREINFO);
	else if (!error && *ret)
		kernel_cite(kernel, BUILTIN_BOOT_SYSCTL);
	return kernel_forgive(kernel, error, "objects that became unreadable",
			      heap_object_va(kernel->heap, id));
}
