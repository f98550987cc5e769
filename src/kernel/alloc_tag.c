// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/alloc_tag.h"

#include <ctype.h>

#include "base/util.h"

#define MAX_TAG_BYTES 256u
/* CODETAG_ID_FIRST of include/linux/pgalloc_tag.h: of an index 0 is none, 1 is
 * a page that is not to be counted. */
#define FIRST_INDEX 2u
/* A word with no other bits than these refers to no tag: NULL, CODETAG_EMPTY. */
#define MAX_NO_TAG 15u

static bool read_word(struct kernel *kernel, const char *symbol,
		      unsigned bytes, uint64_t *ret)
{
	_cleanup_error_ struct kml_error *error = NULL;
	uint64_t va;

	if (!kernel_has_symbol(kernel, symbol, &va))
		return false;
	error = kernel_read_uint(kernel, va, bytes, ret);
	return !error;
}

/* module_tags: start_addr, end_addr, size (of what is used of it). */
static void find_module_tags(struct kernel *kernel, struct alloc_tags *tags)
{
	_cleanup_error_ struct kml_error *error = NULL;
	struct profile_member start, size;
	uint64_t va, start_va = 0, bytes = 0;

	if (!kernel_has_symbol(kernel, "module_tags", &va) ||
	    !profile_member(kernel->profile, "alloc_tag_module_section",
			    "start_addr", &start) ||
	    !profile_member(kernel->profile, "alloc_tag_module_section",
			    "size", &size))
		return;
	error = kernel_read_u64(kernel, va + start.offset, &start_va);
	if (!error)
		error = kernel_read_u64(kernel, va + size.offset, &bytes);
	if (error || start_va < kernel->arch->kernel_start_va ||
	    bytes > UINT64_MAX - start_va)
		return;
	tags->modules_va = start_va;
	tags->modules_end_va = start_va + bytes;
}

/* mem_profiling_compressed: since Linux 6.13 (4835f747d3ed), a boot option. */
static void find_page_refs(struct kernel *kernel, struct alloc_tags *tags)
{
	uint64_t shift = 0;

	if (kernel_static_key(kernel, "mem_profiling_compressed")) {
		tags->has_index =
			profile_member(kernel->profile, "page", "flags",
				       &tags->page_flags) &&
			read_word(kernel, "alloc_tag_ref_offs", 4, &shift) &&
			shift < 64 &&
			read_word(kernel, "alloc_tag_ref_mask", 8,
				  &tags->index_mask);
		tags->index_shift = (unsigned)shift;
		return;
	}
	tags->has_ext = page_ext_open(kernel, &tags->ext) &&
			page_ext_offset(kernel, &tags->ext,
					"page_alloc_tagging_ops", 8,
					&tags->ext_offset);
}

bool alloc_tags_open(struct kernel *kernel, struct alloc_tags *ret)
{
	const struct profile *p = kernel->profile;
	struct alloc_tags tags = { 0 };

	/* Switched off, what is freed and allocated again keeps the old ones. */
	if (!profile_type_size(p, "alloc_tag", &tags.bytes) || !tags.bytes ||
	    tags.bytes > MAX_TAG_BYTES ||
	    !profile_member(p, "alloc_tag", "ct.lineno", &tags.line) ||
	    !profile_member(p, "alloc_tag", "ct.modname", &tags.module) ||
	    !profile_member(p, "alloc_tag", "ct.function", &tags.function) ||
	    !profile_member(p, "alloc_tag", "ct.filename", &tags.file) ||
	    !kernel_has_symbol(kernel, "__start_alloc_tags",
			       &tags.kernel_va) ||
	    !kernel_has_symbol(kernel, "__stop_alloc_tags",
			       &tags.kernel_end_va) ||
	    !kernel_static_key(kernel, "mem_alloc_profiling_key"))
		return false;
	find_module_tags(kernel, &tags);
	find_page_refs(kernel, &tags);
	alloc_tags_read_log(kernel, &tags);
	*ret = tags;
	return true;
}

void alloc_tags_deinit(struct alloc_tags *tags)
{
	vec_deinit(&tags->logged);
}

/* Is it an element of an array of tags? */
static bool is_in(const struct alloc_tags *tags, uint64_t va, uint64_t start,
		  uint64_t end)
{
	return va >= start && va < end && end - va >= tags->bytes;
}

uint64_t alloc_tags_from_ref(const struct kernel *kernel,
			     const struct alloc_tags *tags, uint64_t ref)
{
	if (ref <= MAX_NO_TAG || ref % 8)
		return 0;
	if (is_in(tags, ref, tags->kernel_va, tags->kernel_end_va))
		return (ref - tags->kernel_va) % tags->bytes ? 0 : ref;
	/* A module's may be aligned in any way. */
	if (tags->modules_va)
		return is_in(tags, ref, tags->modules_va,
			     tags->modules_end_va) ?
			       ref :
			       0;
	return is_in(tags, ref, kernel->modules_va, kernel->modules_end_va) ?
		       ref :
		       0;
}

/* As idx_to_ref(). */
static uint64_t tag_of_index(const struct kernel *kernel,
			     const struct alloc_tags *tags, uint64_t index)
{
	uint64_t n = (tags->kernel_end_va - tags->kernel_va) / tags->bytes;

	if (index < FIRST_INDEX)
		return 0;
	index -= FIRST_INDEX;
	if (index < n)
		return tags->kernel_va + index * tags->bytes;
	if (!tags->modules_va || index - n > UINT32_MAX)
		return 0;
	return alloc_tags_from_ref(kernel, tags,
				   tags->modules_va + (index - n) * tags->bytes);
}

uint64_t alloc_tags_of_page(struct kernel *kernel, struct alloc_tags *tags,
			    uint64_t pfn)
{
	_cleanup_error_ struct kml_error *error = NULL;
	uint64_t va, word = 0;

	if (pfn >= kernel->end_pfn)
		return 0;
	if (tags->has_index) {
		va = kernel->vmemmap_va + pfn * kernel->page_struct_bytes;
		error = kernel_read_u64(kernel, va + tags->page_flags.offset,
					&word);
		return error ? 0 :
			       tag_of_index(kernel, tags,
					    word >> tags->index_shift &
						    tags->index_mask);
	}
	if (!tags->has_ext)
		return 0;
	va = page_ext_find(kernel, &tags->ext, pfn);
	if (!va)
		return 0;
	error = kernel_read_u64(kernel, va + tags->ext_offset, &word);
	return error ? 0 : alloc_tags_from_ref(kernel, tags, word);
}

/* ---- what a tag says */

/* A whole text of a kind; what is in its place once a module is gone may be
 * anything. */
static bool read_text(struct kernel *kernel, uint64_t va, bool is_path,
		      char *ret, size_t bytes)
{
	struct kml_error *error = NULL;
	size_t i;

	for (i = 0; i < bytes; i++) {
		unsigned char c;

		error = image_read_va(kernel->image, va + i, &ret[i], 1);
		if (error)
			break;
		c = (unsigned char)ret[i];
		if (!c && i)
			return true;
		if (!isalnum(c) && c != '_' && c != '.' &&
		    !(is_path && (c == '/' || c == '-' || c == '+' ||
				  c == ',' || c == ' ' || c == '~' ||
				  c == ':')))
			break;
	}
	kml_error_destroy(error);
	ret[0] = '\0';
	return false;
}

/* The loaded module whose memory an address lies in, NULL if none. */
static const struct kernel_module *module_at(const struct kernel *kernel,
					     uint64_t va)
{
	uint32_t index = heap_find_region(kernel->heap, va);
	uint64_t start;
	size_t i;
	unsigned part;

	if (index == HEAP_NONE)
		return NULL;
	start = kernel->heap->regions.data[index].va;
	for (i = 0; i < kernel->modules.size; i++) {
		const struct kernel_module *module = &kernel->modules.data[i];

		for (part = 0; part < module->n_parts; part++) {
			if (module->part_va[part] == start)
				return module;
		}
	}
	return NULL;
}

/* The texts of a module's tag are in the module, and are gone with it where
 * its tags are kept apart; another's may be there by now. */
static bool texts_belong(const struct kernel *kernel, const char *name,
			 uint64_t file_va, uint64_t function_va)
{
	const struct kernel_module *a = module_at(kernel, file_va);
	const struct kernel_module *b = module_at(kernel, function_va);

	return a == b && (!a || !strcmp(a->name, name));
}

bool alloc_tag_read(struct kernel *kernel, const struct alloc_tags *tags,
		    uint64_t va, struct alloc_tag *ret)
{
	_cleanup_error_ struct kml_error *error = NULL;
	uint64_t file_va, function_va, module_va;
	char buf[MAX_TAG_BYTES];
	bool known;

	if (alloc_tags_from_ref(kernel, tags, va) != va || !va)
		return false;
	error = image_read_va(kernel->image, va, buf, tags->bytes);
	if (error)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->va = va;
	ret->line = (uint32_t)kernel_get(buf, &tags->line);
	ret->in_module = va < tags->kernel_va || va >= tags->kernel_end_va;
	module_va = kernel_get(buf, &tags->module);
	file_va = kernel_get(buf, &tags->file);
	function_va = kernel_get(buf, &tags->function);
	known = read_text(kernel, file_va, true, ret->file,
			  sizeof(ret->file)) &&
		read_text(kernel, function_va, false, ret->function,
			  sizeof(ret->function));
	if (!ret->in_module)
		return known;
	known = known &&
		read_text(kernel, module_va, false, ret->module,
			  sizeof(ret->module)) &&
		texts_belong(kernel, ret->module, file_va, function_va);
	ret->gone = !known || kernel_find_module(kernel, ret->module) == UINT32_MAX;
	if (known)
		return true;
	ret->module[0] = ret->file[0] = ret->function[0] = '\0';
	alloc_tags_find_logged(tags, ret->line, ret);
	ret->va = va;
	return true;
}
