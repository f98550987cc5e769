// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/memcg.h"

#include <stdio.h>

#include "base/util.h"

#define CHARGE_FLAGS UINT64_C(7) /* enum page_memcg_data_flags, and room */
#define IS_VECTOR UINT64_C(1)    /* MEMCG_DATA_OBJCGS: of a slab's objects */
#define MAX_DEPTH 64u

bool memcg_open(struct kernel *kernel, struct memcg_layout *ret)
{
	const struct profile *p = kernel->profile;
	struct memcg_layout l = { 0 };
	int64_t online;

	if (!profile_type_size(p, "mem_cgroup", &l.memcg_bytes) ||
	    !profile_member(p, "obj_cgroup", "memcg", &l.objcg_memcg) ||
	    !profile_member(p, "mem_cgroup", "css.cgroup", &l.cgroup) ||
	    !profile_member(p, "cgroup", "kn", &l.kn) ||
	    !profile_member(p, "kernfs_node", "name", &l.name) ||
	    !profile_member(p, "kernfs_node", "id", &l.id) ||
	    /* __parent since Linux 6.15 (633488947ef6) */
	    (!profile_member(p, "kernfs_node", "__parent", &l.parent) &&
	     !profile_member(p, "kernfs_node", "parent", &l.parent)))
		return false;
	l.has_flags = profile_member(p, "mem_cgroup", "css.flags", &l.flags) &&
		      profile_enumerator(p, "CSS_ONLINE", &online);
	if (l.has_flags)
		l.online = (uint64_t)online;
	/* page.memcg_data since Linux 5.11 (bcfe06bf2622) */
	l.has_page_charge =
		profile_member(p, "page", "memcg_data", &l.page_charge) ||
		profile_member(p, "page", "mem_cgroup", &l.page_charge);
	*ret = l;
	return true;
}

/*
 * Which of the two a pointer is to was told by a flag from Linux 5.13
 * (b4e0b68fbd9d) to 7.0; then (f1cf8d2f36dc) all pages have an obj_cgroup.  It
 * is much the smaller one.
 */
uint64_t memcg_of_charge(struct kernel *kernel,
			 const struct memcg_layout *layout, uint64_t charge)
{
	uint64_t va = charge & ~CHARGE_FLAGS, memcg = 0;
	enum heap_reference how;
	uint32_t id = HEAP_NONE;

	if (va < kernel->arch->kernel_start_va)
		return 0;
	id = heap_resolve(kernel->heap, va, &how);
	if (id == HEAP_NONE || how != HEAP_REF_ADDRESS ||
	    heap_object_va(kernel->heap, id) != va)
		return 0;
	if (heap_object_bytes(kernel->heap, id) >= layout->memcg_bytes)
		return va;
	kml_error_destroy(kernel_read_u64(
		kernel, va + layout->objcg_memcg.offset, &memcg));
	id = heap_resolve(kernel->heap, memcg, &how);
	if (id == HEAP_NONE || how != HEAP_REF_ADDRESS ||
	    heap_object_va(kernel->heap, id) != memcg)
		return 0;
	return memcg;
}

uint64_t memcg_of_page(struct kernel *kernel,
		       const struct memcg_layout *layout, uint64_t pfn)
{
	uint64_t va = kernel->vmemmap_va + pfn * kernel->page_struct_bytes;
	uint64_t charge = 0;

	if (!layout->has_page_charge || pfn >= kernel->end_pfn)
		return 0;
	kml_error_destroy(kernel_read_u64(
		kernel, va + layout->page_charge.offset, &charge));
	return charge & IS_VECTOR ? 0 :
				    memcg_of_charge(kernel, layout, charge);
}

/* Put "/name" in front of what is there; false if there is no room. */
static bool prepend(struct memcg *memcg, const char *name)
{
	char path[MEMCG_PATH_BYTES];
	int n = snprintf(path, sizeof(path), "/%s%s", name, memcg->path);

	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	memcpy(memcg->path, path, (size_t)n + 1);
	return true;
}

/* From the cgroup's directory up to the one that has no parent. */
static struct kml_error *read_path(struct kernel *kernel,
				   const struct memcg_layout *l, uint64_t kn,
				   struct memcg *memcg)
{
	struct kml_error *error = NULL;
	unsigned depth;

	for (depth = 0; !error && kn && depth < MAX_DEPTH; depth++) {
		uint64_t name_va, parent;
		char name[128] = "";

		error = kernel_read_u64(kernel, kn + l->parent.offset, &parent);
		if (error || !parent)
			break;
		error = kernel_read_u64(kernel, kn + l->name.offset, &name_va);
		if (!error)
			error = kernel_read_string(kernel, name_va, name,
						   sizeof(name));
		if (!error && !prepend(memcg, name))
			break;
		kn = parent;
	}
	if (!error && !memcg->path[0])
		strcpy(memcg->path, "/");
	return error;
}

void memcg_read(struct kernel *kernel, const struct memcg_layout *l,
		uint64_t va, struct memcg *ret)
{
	uint64_t cgroup, kn, flags = 0;
	struct kml_error *error;

	memset(ret, 0, sizeof(*ret));
	ret->va = va;
	error = kernel_read_u64(kernel, va + l->cgroup.offset, &cgroup);
	if (!error)
		error = kernel_read_u64(kernel, cgroup + l->kn.offset, &kn);
	if (!error)
		error = kernel_read_u64(kernel, kn + l->id.offset, &ret->id);
	if (!error && l->has_flags)
		error = kernel_read_uint(kernel, va + l->flags.offset, 4,
					 &flags);
	if (!error)
		error = read_path(kernel, l, kn, ret);
	if (error)
		ret->path[0] = '\0';
	else
		ret->deleted = l->has_flags && !(flags & l->online);
	kml_error_destroy(error);
}
