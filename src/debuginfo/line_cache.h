/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames by address: what lines.c has learnt, and its file.
 *
 * The key is the address less the KASLR offset.  That is the link-time address
 * of kernel code, the same in each boot; only these go to the file.  Of module
 * addresses it is just a number, which no kernel address can have as well,
 * since the two ranges do not overlap at run time.
 *
 * The file is text, so that a person can look at it:
 *
 *	kmlanalyze-lines 1 BUILD-ID
 *	image START END				(link-time, hexadecimal)
 *	ADDRESS NUMBER-OF-FRAMES
 *	-|i TAB LINE TAB FILE TAB FUNCTION	(i: inlined; innermost first)
 *	...
 *	crc32 CHECKSUM				(of all before this line)
 */
#ifndef KML_DEBUGINFO_LINE_CACHE_H
#define KML_DEBUGINFO_LINE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "debuginfo/lines.h"

#define LINE_CACHE_MAX_ADDRESSES 65536u
#define LINE_CACHE_MAX_FRAMES 64u /* of one address */
#define LINE_CACHE_MAX_BYTES (UINT32_C(16) << 20)

struct line_cache;

/* NULL: no memory. */
struct line_cache *line_cache_create(void);
void line_cache_destroy(struct line_cache *cache);

/* The frames of @key, owned by the cache; false if it was never added. */
bool line_cache_find(const struct line_cache *cache, uint64_t key,
		     const struct lines_frame **ret, size_t *n_ret);

/*
 * Add @key with a copy of @frames, of which there may be 0: nothing is known
 * of the address, and it is of no use to ask again.  @keep: goes to the file.
 * false: no memory.
 */
bool line_cache_add(struct line_cache *cache, uint64_t key,
		    const struct lines_frame *frames, size_t n_frames,
		    bool keep);

/* The link-time range of the kernel image; false if it is not known yet. */
bool line_cache_image(const struct line_cache *cache, uint64_t *start_ret,
		      uint64_t *end_ret);
void line_cache_set_image(struct line_cache *cache, uint64_t start,
			  uint64_t end);

/* Has something been learnt since the file was read? */
bool line_cache_dirty(const struct line_cache *cache);

/* Fill an empty cache from a file; a file that is damaged in any way, or of
 * another @build_id (in hexadecimal), leaves it empty. */
void line_cache_load(struct line_cache *cache, const char *path,
		     const char *build_id);
bool line_cache_save(const struct line_cache *cache, const char *path,
		     const char *build_id);

#endif
