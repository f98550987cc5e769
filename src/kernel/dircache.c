// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NFS keeps what it read of a directory in pages of the directory's page
 * cache: arrays of entries (struct nfs_cache_array), each with a pointer to a
 * name that was kmalloc'ed, and to which nothing else points.  So these pages,
 * unlike all others of the page cache, are objects that hold what they name.
 *
 * Which they are: those whose mapping belongs to a directory of a file system
 * called "nfs" or "nfs4".
 */
#include "kernel/kernel.h"

#include <string.h>
#include <sys/stat.h>

#include "base/util.h"

#define MAX_SUPER_BLOCKS 1000000u
#define MAX_INODES (UINT64_C(1) << 32)

struct dircache {
	struct profile_member sb_list, sb_type, sb_inodes, type_name;
	struct profile_member i_mode, i_list, i_mapping, nrpages;
	struct profile_member page_mapping;
	VEC(uint64_t) mappings; /* sorted */
	uint64_t n_pages;       /* that these say they have */
};

static struct kml_error *load_layout(struct kernel *kernel,
				     struct dircache *d)
{
	const struct kernel_need needs[] = {
		{ "super_block", "s_list", &d->sb_list },
		{ "super_block", "s_type", &d->sb_type },
		{ "super_block", "s_inodes", &d->sb_inodes },
		{ "file_system_type", "name", &d->type_name },
		{ "inode", "i_mode", &d->i_mode },
		{ "inode", "i_sb_list", &d->i_list },
		{ "inode", "i_mapping", &d->i_mapping },
		{ "address_space", "nrpages", &d->nrpages },
		{ "page", "mapping", &d->page_mapping },
		{ NULL, NULL, NULL },
	};

	return kernel_members(kernel, needs);
}

static struct kml_error *look_at_inode(struct kernel *kernel, void *arg,
				       uint64_t node_va)
{
	struct dircache *d = arg;
	uint64_t va = node_va - d->i_list.offset, mode, mapping, n = 0;
	struct kml_error *error;

	error = kernel_read_uint(kernel, va + d->i_mode.offset, 2, &mode);
	if (!error && !S_ISDIR(mode))
		return NULL;
	if (!error)
		error = kernel_read_u64(kernel, va + d->i_mapping.offset,
					&mapping);
	if (!error)
		error = kernel_read_u64(kernel, mapping + d->nrpages.offset, &n);
	kernel_cite(kernel, BUILTIN_NFS_DIRECTORY);
	if (!error && n && !vec_push(&d->mappings, mapping))
		error = error_nomem();
	d->n_pages += n;
	return kernel_forgive(kernel, error, "NFS directories", va);
}

static struct kml_error *look_at_super_block(struct kernel *kernel, void *arg,
					     uint64_t node_va)
{
	struct dircache *d = arg;
	uint64_t va = node_va - d->sb_list.offset, type, name_va;
	char name[8];
	struct kml_error *error;

	error = kernel_read_u64(kernel, va + d->sb_type.offset, &type);
	if (!error)
		error = kernel_read_u64(kernel, type + d->type_name.offset,
					&name_va);
	if (!error)
		error = kernel_read_string(kernel, name_va, name, sizeof(name));
	if (error)
		return kernel_forgive(kernel, error, "super blocks", va);
	if (strcmp(name, "nfs") != 0 && strcmp(name, "nfs4") != 0)
		return NULL;
	return kernel_walk_list(kernel, va + d->sb_inodes.offset, MAX_INODES,
				"torn lists of NFS inodes", look_at_inode, d);
}

static struct kml_error *add_page(struct kernel *kernel, uint64_t pfn)
{
	struct heap_region region = {
		.va = kernel->direct_va + pfn * 4096,
		.bytes = 4096,
		.object_bytes = 4096,
		.owner = 1,
		.n_objects = 1,
		.kind = HEAP_PAGES,
	};
	struct kml_error *error;
	uint32_t index;

	error = heap_add(kernel->heap, &region, &index);
	if (!error)
		kernel->page_class[pfn] = PAGE_BLOCK;
	return kernel_forgive(kernel, error, "pages of NFS directories",
			      region.va);
}

static struct kml_error *find_pages(struct kernel *kernel, struct dircache *d)
{
	struct kml_error *error = NULL;
	uint64_t pfn, mapping, found = 0;

	for (pfn = 0; !error && pfn < kernel->end_pfn; pfn++) {
		uint64_t va = kernel->vmemmap_va +
			      pfn * kernel->page_struct_bytes;

		if (kernel->page_class[pfn] != PAGE_USER ||
		    !image_has_page(kernel->image, pfn))
			continue;
		error = kernel_read_u64(kernel, va + d->page_mapping.offset,
					&mapping);
		error = kernel_forgive(kernel, error, "struct pages", va);
		if (error || !bsearch(&mapping, d->mappings.data,
				      d->mappings.size, sizeof(mapping),
				      order_u64))
			continue;
		found++;
		error = add_page(kernel, pfn);
	}
	if (!error && found < d->n_pages)
		kernel_gaps(kernel,
			    "pages of NFS directories not in the dump: names of entries may look leaked",
			    0, true, d->n_pages - found);
	return error;
}

struct kml_error *kernel_load_dircache(struct kernel *kernel)
{
	struct dircache d = { 0 };
	struct kml_error *error;
	uint64_t super_blocks;

	error = load_layout(kernel, &d);
	if (!error)
		error = kernel_symbol(kernel, "super_blocks", &super_blocks);
	if (!error)
		error = kernel_walk_list(kernel, super_blocks, MAX_SUPER_BLOCKS,
					 "torn list of super blocks",
					 look_at_super_block, &d);
	error = kernel_forgive(kernel, error, "super blocks", 0);
	if (!error && d.mappings.size) {
		qsort(d.mappings.data, d.mappings.size, sizeof(uint64_t),
		      order_u64);
		error = find_pages(kernel, &d);
	}
	vec_deinit(&d.mappings);
	return error;
}
