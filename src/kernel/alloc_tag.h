/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocation tags (CONFIG_MEM_ALLOC_PROFILING, since Linux 6.10): the place in
 * the source of each call of an allocator has a struct alloc_tag, and what was
 * allocated refers to it: a slab object or per-cpu block from its extension
 * (obj_ext.h), a page from its page_ext or by an index in its flags.
 */
#ifndef KML_KERNEL_ALLOC_TAG_H
#define KML_KERNEL_ALLOC_TAG_H

#include "kernel/page_ext.h"

struct alloc_tag {
	uint64_t va;
	uint32_t line;
	char module[KERNEL_NAME_BYTES]; /* "": of the kernel proper, or, if
					   @gone, not known either */
	char function[64], file[128];   /* "" if not known any more */
	bool in_module;
	bool gone;                      /* its module was unloaded */
	bool from_log;                  /* and what it says is from the log */
};

struct alloc_tags {
	uint64_t bytes;             /* sizeof(struct alloc_tag) */
	struct profile_member line, module, function, file;
	uint64_t kernel_va, kernel_end_va;   /* tags of the kernel proper */
	uint64_t modules_va, modules_end_va; /* since 6.13 (0db6f8d7820a):
						those of modules; 0, 0: they
						are in the modules' data */
	/* How pages refer to theirs: one of these, or neither. */
	bool has_ext, has_index;
	struct page_ext ext;
	uint64_t ext_offset;
	struct profile_member page_flags;
	unsigned index_shift;
	uint64_t index_mask;
	VEC(struct alloc_tag) logged; /* of modules that are gone, as the
					 kernel logged them */
};

/* False: the kernel has none, or they are not kept at the moment. */
bool alloc_tags_open(struct kernel *kernel, struct alloc_tags *ret);
void alloc_tags_deinit(struct alloc_tags *tags);

/* The tag that a word of an extension refers to; 0: none, or no tag. */
uint64_t alloc_tags_from_ref(const struct kernel *kernel,
			     const struct alloc_tags *tags, uint64_t ref);
/* That of a page; 0: none. */
uint64_t alloc_tags_of_page(struct kernel *kernel, struct alloc_tags *tags,
			    uint64_t pfn);

/* False if there is no tag. */
bool alloc_tag_read(struct kernel *kernel, const struct alloc_tags *tags,
		    uint64_t va, struct alloc_tag *ret);

/* ---- alloc_tag_log.c */

void alloc_tags_read_log(struct kernel *kernel, struct alloc_tags *tags);
/* Of a piece of the log, which begins on a multiple of 8; false if there is no
 * memory. */
bool alloc_tags_find_lines(struct alloc_tags *tags, const char *buf,
			   size_t bytes);
/* The one logged tag of a line; false if there is none, or several. */
bool alloc_tags_find_logged(const struct alloc_tags *tags, uint32_t line,
			    struct alloc_tag *ret);

#endif
