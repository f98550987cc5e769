// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * As lookup_page_ext() of mm/page_ext.c has it where memory is in sections
 * (CONFIG_SPARSEMEM, which x86_64 always has).  A section's page_ext is that
 * of page frame 0, were there one: nothing in memory has the address of the
 * array itself, except for the low bits that Linux 6.1 (b1d5488a252d) took.
 */
#include "kernel/page_ext.h"

#include "base/util.h"

#define DEFAULT_SECTION_BITS 27 /* of x86_64 */
#define PAGE_EXT_INVALID 1u
#define MAX_ENTRY_BYTES 4096u
#define MAX_SECTIONS (UINT64_C(1) << 20)

bool kernel_static_key(struct kernel *kernel, const char *name)
{
	_cleanup_error_ struct kml_error *error = NULL;
	struct profile_member enabled;
	uint64_t va, n = 0;

	if (!kernel_has_symbol(kernel, name, &va) ||
	    !profile_member(kernel->profile, "static_key", "enabled",
			    &enabled))
		return false;
	error = kernel_read_uint(kernel, va + enabled.offset, 4, &n);
	return !error && (int32_t)n > 0;
}

static bool find_sections(struct kernel *kernel, struct page_ext *ext)
{
	_cleanup_error_ struct kml_error *error = NULL;
	struct profile_member member;
	uint64_t va, unused, bytes;
	int64_t bits;

	if (!kernel_has_symbol(kernel, "mem_section", &va) ||
	    !profile_symbol(kernel->profile, "mem_section", &unused, &bytes) ||
	    !profile_member(kernel->profile, "mem_section", "page_ext",
			    &member) ||
	    !profile_type_size(kernel->profile, "mem_section",
			       &ext->section_bytes) ||
	    !ext->section_bytes || ext->section_bytes > 4096)
		return false;
	ext->base = member.offset;
	ext->has_roots = bytes == 8; /* CONFIG_SPARSEMEM_EXTREME */
	ext->sections_va = va;
	if (ext->has_roots)
		error = kernel_read_u64(kernel, va, &ext->sections_va);
	if (!image_vmcoreinfo_number(kernel->image, "SECTION_SIZE_BITS",
				     &bits) || bits <= 12 || bits > 40)
		bits = DEFAULT_SECTION_BITS;
	ext->section_shift = (unsigned)bits - 12;
	return !error && ext->sections_va;
}

bool page_ext_open(struct kernel *kernel, struct page_ext *ret)
{
	_cleanup_error_ struct kml_error *error = NULL;
	struct page_ext ext = { .last_section = UINT64_MAX };
	uint64_t va;

	if (!kernel_has_symbol(kernel, "page_ext_size", &va))
		return false;
	error = kernel_read_u64(kernel, va, &ext.entry_bytes);
	if (error || !ext.entry_bytes || ext.entry_bytes > MAX_ENTRY_BYTES ||
	    !find_sections(kernel, &ext))
		return false;
	*ret = ext;
	return true;
}

/* section->page_ext, or 0. */
static uint64_t section_base(struct kernel *kernel, const struct page_ext *ext,
			     uint64_t section)
{
	uint64_t per_root = 4096 / ext->section_bytes, va = ext->sections_va;
	struct kml_error *error = NULL;
	uint64_t ret = 0;

	if (ext->has_roots) {
		error = kernel_read_u64(kernel, va + section / per_root * 8,
					&va);
		if (!error && !va)
			return 0;
		section %= per_root;
	}
	if (!error)
		error = kernel_read_u64(kernel,
					va + section * ext->section_bytes +
						ext->base,
					&ret);
	if (error || ret & PAGE_EXT_INVALID)
		ret = 0;
	kml_error_destroy(error);
	return ret;
}

uint64_t page_ext_find(struct kernel *kernel, struct page_ext *ext,
		       uint64_t pfn)
{
	uint64_t section = pfn >> ext->section_shift;

	if (pfn >= kernel->end_pfn)
		return 0;
	if (section != ext->last_section) {
		ext->last_base = section_base(kernel, ext, section);
		ext->last_section = section;
	}
	return ext->last_base ? ext->last_base + pfn * ext->entry_bytes : 0;
}

bool page_ext_offset(struct kernel *kernel, const struct page_ext *ext,
		     const char *operations, uint64_t bytes, uint64_t *ret)
{
	_cleanup_error_ struct kml_error *error = NULL;
	struct profile_member offset;
	uint64_t va;

	if (!kernel_has_symbol(kernel, operations, &va) ||
	    !profile_member(kernel->profile, "page_ext_operations", "offset",
			    &offset))
		return false;
	error = kernel_read_u64(kernel, va + offset.offset, ret);
	return !error && bytes <= ext->entry_bytes &&
	       *ret <= ext->entry_bytes - bytes;
}

/*
 * The arrays themselves: nothing refers to them (see above), and what stands
 * in them, of pages that were freed as well, holds nothing.
 */
struct kml_error *kernel_load_page_ext(struct kernel *kernel)
{
	struct page_ext ext;
	uint64_t section, n, base, va, end;

	if (!page_ext_open(kernel, &ext))
		return NULL;
	n = ((kernel->end_pfn - 1) >> ext.section_shift) + 1;
	for (section = 0; section < MIN(n, MAX_SECTIONS); section++) {
		base = section_base(kernel, &ext, section);
		if (!base)
			continue;
		va = base + (section << ext.section_shift) * ext.entry_bytes;
		end = va + (ext.entry_bytes << ext.section_shift);
		kernel_cite(kernel, BUILTIN_PAGE_EXT);
		while (va < end) {
			uint32_t index = heap_find_region(kernel->heap, va);
			struct heap_region *region;

			va += 4096;
			if (index == HEAP_NONE)
				continue;
			region = &kernel->heap->regions.data[index];
			if (region->kind != HEAP_PAGES &&
			    region->kind != HEAP_VMALLOC)
				continue;
			region->flags |= HEAP_NO_SCAN | HEAP_ROOT;
			va = MAX(va, region->va + region->bytes);
		}
	}
	return NULL;
}
