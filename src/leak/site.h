/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocation sites: who allocated an object, from whatever the kernel kept of
 * it, and which memory cgroup it is charged to.
 *
 * An object may be known to several sources.  They are in order of trust, and
 * the first one is the best: the kernel's own kmemleak recorded the very
 * object; an allocation tag is a place in the source; then come stacks that
 * belong to a slab object, a page, an area.
 *
 * An allocation tag that is in a wrapper of the allocator itself (kstrdup()) is
 * the best only if no source has a stack.
 *
 * For grouping, all objects of one place shall have one key: a place is an
 * interned number, either of an allocation tag or of the first return address
 * of a stack that is in no function of site_wrapper.h.
 *
 * Nothing is read of a kernel that keeps nothing of the kind.
 */
#ifndef KML_LEAK_SITE_H
#define KML_LEAK_SITE_H

#include "base/map.h"
#include "kernel/alloc_tag.h"
#include "kernel/kasan.h"
#include "kernel/kmemleak.h"
#include "kernel/memcg.h"
#include "kernel/obj_ext.h"
#include "kernel/page_owner.h"
#include "kernel/stackdepot.h"
#include "kernel/track.h"

enum site_source {
	SITE_KMEMLEAK,   /* kmemleak's record */
	SITE_ALLOC_TAG,  /* CONFIG_MEM_ALLOC_PROFILING */
	SITE_SLUB,       /* slub_debug=U */
	SITE_KASAN,
	SITE_KFENCE,
	SITE_PAGE_OWNER,
	SITE_VM_STRUCT,  /* vm_struct.caller */
	SITE_SOURCES,
};

/* "kmemleak", "alloc_tag", "slub_track", "kasan", "kfence", "page_owner",
 * "vm_struct": stable. */
extern const char *const site_source_words[SITE_SOURCES];
/* For a person: "SLUB's user tracking". */
extern const char *const site_source_names[SITE_SOURCES];

/* Return addresses are in the stack, innermost first, or it is a tag. */
struct site {
	uint8_t source; /* enum site_source */
	size_t n_frames;
	uint64_t frames[STACKDEPOT_FRAMES];
	size_t first;   /* index of the frame that is the place */
	bool has_tag;
	struct alloc_tag tag;
	bool has_pid, has_cpu, has_age, has_jiffies;
	uint32_t pid, cpu;
	uint64_t age_ms, jiffies; /* of the allocation */
	char comm[16];  /* "" if not known */
};

/* What a place is: an address of code, or a tag's. */
struct site_place {
	uint64_t address; /* return address, or of the struct alloc_tag */
	bool is_tag;
	bool is_wrapper;  /* a tag in a wrapper of the allocator */
	bool has_module, is_looked_up; /* for sites_module(), which keeps it */
	char module[KERNEL_NAME_BYTES];
};

struct sites {
	struct kernel *kernel;
	bool opened;
	const struct kmemleak *kmemleak; /* its records; NULL: there are none */
	struct kmemleak own_kmemleak;
	uint32_t *record_of;             /* by id: index of its record */
	bool has_tags, has_depot, has_owner, has_kasan, has_exts, has_memcg;
	struct alloc_tags tags;
	struct stackdepot depot;
	struct page_owner owner;
	struct kasan_layout kasan;
	struct obj_ext_layout exts;
	struct memcg_layout memcg_layout;

	/* The slab that was looked at last has its vector here. */
	const struct heap_region *last_slab;
	struct obj_exts last_exts;
	bool has_last_exts;

	VEC(struct site_place) places;
	VEC(struct memcg) memcgs;
	struct map place_of_address, place_of_stack, memcg_of_va, is_wrapper;

	/* By object id, after sites_index(). */
	uint32_t *place_of, *memcg_of;
};

/*
 * Find out what there is.  @loaded: kmemleak's records, where they have been
 * read already, or NULL.  A second call does nothing.
 */
struct kml_error *sites_open(struct sites *sites, struct kernel *kernel,
			     const struct kmemleak *loaded) error_must_check;
void sites_deinit(struct sites *sites);

/* What one source says of an object; false: nothing. */
bool sites_find(struct sites *sites, uint32_t id, enum site_source source,
		struct site *ret);
/* Does it tell where?  @wrapper: in a wrapper of the allocator at least. */
bool site_tells(const struct site *site, bool wrapper);
/* The best one. */
bool sites_best(struct sites *sites, uint32_t id, struct site *ret);

/* The interned place of an object, HEAP_NONE if no source knows it. */
uint32_t sites_place(struct sites *sites, uint32_t id);
/* An index into sites->memcgs, HEAP_NONE: charged to none, or not known. */
uint32_t sites_memcg(struct sites *sites, uint32_t id);

/*
 * Fill place_of[] and memcg_of[] of all allocated objects, in one pass over
 * what the sources have of them.  A second call does nothing.
 */
struct kml_error *sites_index(struct sites *sites) error_must_check;

/* Whom and what an object's extension has; 0: nothing. */
void sites_extension(struct sites *sites, uint32_t id, uint64_t *charge_ret,
		     uint64_t *tag_ret);
/* The first page frame of a block or vmalloc area; false: of neither. */
bool sites_page(struct sites *sites, uint32_t id, uint64_t *pfn_ret);
/* kmemleak's record of an object; NULL: it has none. */
const struct kmemleak_record *sites_record(const struct sites *sites,
					   uint32_t id);
/* The struct alloc_tag of an object; 0: none. */
uint64_t sites_tag(struct sites *sites, uint32_t id);
/* Which frame of a stack is its place. */
size_t sites_first_frame(struct sites *sites, const uint64_t *frames,
			 size_t n);

#define SITE_TEXT_BYTES 384
/* A place as text: "kml_areas+0x4c [kmlplant]", or of a tag "kml_areas at
 * plant/areas.c:70 [kmlplant]".  False: no name is known. */
bool sites_format(struct sites *sites, uint32_t place,
		  char ret[SITE_TEXT_BYTES]);
/* The module's name, "" for the kernel proper, NULL if it is not known; until
 * the next place is interned. */
const char *sites_module(struct sites *sites, uint32_t place);

/* rule_module_fn: of the object's place. */
const char *sites_module_of(void *sites, uint32_t id);

/* age_fn: the first source that knows. */
bool sites_age(void *sites, uint32_t id, uint64_t *ms_ret);

#endif
