/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The object index: the search tree from an address to the object that it
 * lies in, in O(1).
 *
 * A region is a run of addresses that holds objects: a slab, a block of the
 * page allocator, a vmalloc area, a unit of a per-cpu chunk.  Regions start
 * and end on page boundaries, so a page belongs to at most one, and the tree
 * is indexed by page: a plain array by page frame number for the direct map, a
 * radix tree for the vmalloc and module space and for per-cpu pointers.
 *
 * An object is a number ("id"): ids are dense, a region owns a run of them.
 * Nothing is allocated per object; what is known of each are bits.
 *
 * The kernel room fills a heap (heap_add_*), heap_seal() ends that; from then
 * on the regions are immutable and look-ups need no lock.  Object states are
 * set by the pass over the image, each object's by one thread.
 */
#ifndef KML_HEAP_HEAP_H
#define KML_HEAP_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bitmap.h"
#include "base/error.h"
#include "base/vec.h"

#define HEAP_NONE UINT32_MAX
/* So many ids share an entry of id_page: no more than a slab has objects, so that
 * the search from there ends at once mostly. */
#define HEAP_ID_PAGE 16u

enum heap_kind {
	HEAP_SLAB,    /* owner: index of the kmem_cache */
	HEAP_PAGES,   /* a block of the page allocator; owner: its pages */
	HEAP_VMALLOC, /* owner: index of the vmap_area, as for the next two */
	HEAP_VMAP,
	HEAP_IOREMAP,
	HEAP_PERCPU,  /* owner: index of the pcpu_chunk */
	HEAP_KINDS,
};

/* "slab", "pages", "vmalloc", "vmap", "ioremap", "percpu": stable. */
extern const char *const heap_kind_names[HEAP_KINDS];

/* Region flags. */
enum {
	HEAP_ALIAS = 1 << 0,    /* another address of objects that another
				   region owns: per-cpu units and cookies */
	HEAP_COMPOUND = 1 << 1, /* HEAP_PAGES: a compound page */
	HEAP_NO_SCAN = 1 << 2,  /* contents are looked at by other means:
				   task stacks; or not at all: ioremap,
				   records of kmemleak */
	HEAP_ROOT = 1 << 3,     /* live by definition, all of its objects:
				   module memory */
	HEAP_GUESSED = 1 << 4,  /* the extent is inferred: an uncompound block
				   whose order the kernel does not record */
	HEAP_SPLIT = 1 << 5,    /* HEAP_PAGES: pages of a split allocation */
	HEAP_LARGE = 1 << 6,    /* HEAP_PAGES: said to be kmalloc()'s */
};

struct heap_region {
	uint64_t va;           /* of the first slot */
	uint64_t bytes;
	uint64_t object_bytes; /* of one object; of a per-cpu block: 0, they
				  differ */
	uint32_t slot_bytes;   /* distance of two objects; 0: just one, or
				  per-cpu blocks */
	uint32_t reciprocal;   /* 2^32 / slot_bytes, rounded up */
	uint32_t pad_bytes;    /* from slot to object: a left red zone */
	uint32_t n_objects;
	uint32_t first_id;
	uint32_t owner;
	uint8_t kind;  /* enum heap_kind */
	uint8_t flags;
};

/* A sparse map from pages of an address range to region indices. */
struct heap_radix {
	uint64_t start_va, end_va; /* start is a multiple of 1 GiB */
	uint32_t ***top;           /* [1 GiB][2 MiB][4 KiB] */
};

/* Per-cpu blocks of one chunk: sorted by offset. */
struct heap_block {
	uint32_t offset, bytes; /* from the start of a unit */
};
struct heap_chunk {
	struct heap_block *blocks;
	uint32_t n_blocks;
};

struct heap {
	VEC(struct heap_region) regions;
	VEC(struct heap_chunk) chunks; /* indexed by a HEAP_PERCPU's owner */
	uint32_t n_ids;

	/* The direct map. */
	uint64_t direct_va; /* of page frame 0 */
	uint64_t end_pfn;
	uint32_t *pfn_region; /* HEAP_NONE: no object */

	/* struct page: address of page frame 0's, size of one. */
	uint64_t vmemmap_va;
	uint64_t page_struct_bytes;

	struct heap_radix vmalloc;
	struct heap_radix modules;
	/* Per-cpu pointers: of the first chunk, and of those in vmalloc space.
	 * The first one's may look like addresses of the kernel image. */
	struct heap_radix percpu_first, percpu;

	/* By id, after heap_seal(). */
	uint32_t *id_page; /* region of the first id of each HEAP_ID_PAGE */
	uint64_t *free;    /* not allocated; every other object is */
	uint64_t *cached;  /* free, but in a per-CPU freelist or sheaf */
	uint64_t *unreadable; /* its page is not in the dump */
	uint64_t *torn;    /* allocated or free: the metadata contradict */
	uint64_t *waiting; /* queued for RCU, to be freed mostly; some of these
			      are free for the allocator as well */
	uint64_t *quarantined; /* free, but not to be given out
				  soon (KFENCE, KASAN) */
};

struct kml_error *heap_init(struct heap *heap, uint64_t direct_va,
			    uint64_t end_pfn, uint64_t vmemmap_va,
			    uint64_t page_struct_bytes) error_must_check;
struct kml_error *heap_init_radix(struct heap_radix *radix, uint64_t start_va,
				  uint64_t end_va) error_must_check;
void heap_deinit(struct heap *heap);

/*
 * Add a region; @region's first_id and reciprocal are filled in (an alias'
 * first_id is the caller's).  Pages that another region has already are
 * left to it, and KML_ERR_CORRUPT is returned, the heap unchanged, if it has
 * any of them: two claims on a page mean that the dump contradicts itself.
 */
struct kml_error *heap_add(struct heap *heap, struct heap_region *region,
			   uint32_t *index_ret) error_must_check;

/* No more regions; makes the bitmaps. */
struct kml_error *heap_seal(struct heap *heap) error_must_check;

/* The region that a page of the direct map belongs to. */
static inline uint32_t heap_pfn_region(const struct heap *heap, uint64_t pfn)
{
	return pfn < heap->end_pfn ? heap->pfn_region[pfn] : HEAP_NONE;
}

static inline uint32_t heap_radix_find(const struct heap_radix *radix,
				       uint64_t va)
{
	uint64_t page = (va - radix->start_va) >> 12;
	uint32_t **mid = radix->top[page >> 18], *leaf;

	if (!mid)
		return HEAP_NONE;
	leaf = mid[page >> 9 & 511];
	return leaf ? leaf[page & 511] : HEAP_NONE;
}

/* The region that a virtual address or per-cpu pointer belongs to. */
uint32_t heap_find_region(const struct heap *heap, uint64_t va);

/* The object of @region that @va lies in, HEAP_NONE if between objects. */
uint32_t heap_region_object(const struct heap *heap,
			    const struct heap_region *region, uint64_t va);

/* How a word refers to an object. */
enum heap_reference {
	HEAP_REF_NONE,
	HEAP_REF_ADDRESS,  /* its virtual address, interior included */
	HEAP_REF_PAGE,     /* its struct page */
	HEAP_REF_PERCPU,   /* a per-cpu pointer */
	HEAP_REF_PHYSICAL, /* its page-aligned physical address */
};

/* Resolve any word: the object it refers to and how, or HEAP_NONE. */
static inline uint32_t heap_resolve(const struct heap *heap, uint64_t word,
				    enum heap_reference *how_ret);
/* The slow half of it: words that are no direct-map address. */
uint32_t heap_resolve_other(const struct heap *heap, uint64_t word,
			    enum heap_reference *how_ret);

static inline uint32_t heap_resolve(const struct heap *heap, uint64_t word,
				    enum heap_reference *how_ret)
{
	uint64_t pfn = (word - heap->direct_va) >> 12;

	if (pfn < heap->end_pfn) {
		uint32_t index = heap->pfn_region[pfn];

		*how_ret = HEAP_REF_ADDRESS;
		if (index == HEAP_NONE)
			return HEAP_NONE;
		return heap_region_object(heap, &heap->regions.data[index],
					  word);
	}
	return heap_resolve_other(heap, word, how_ret);
}

/* Of an object by id. */
static inline const struct heap_region *heap_region_of(const struct heap *heap,
						       uint32_t id)
{
	const struct heap_region *r =
		&heap->regions.data[heap->id_page[id / HEAP_ID_PAGE]];

	while (r->flags & HEAP_ALIAS || id - r->first_id >= r->n_objects)
		r++;
	return r;
}
uint64_t heap_object_va(const struct heap *heap, uint32_t id);
uint64_t heap_object_bytes(const struct heap *heap, uint32_t id);

/* Neither free nor in doubt: what alone can be a leak. */
static inline bool heap_is_allocated(const struct heap *heap, uint32_t id)
{
	return !bitmap_test(heap->free, id) &&
	       !bitmap_test(heap->unreadable, id) &&
	       !bitmap_test(heap->torn, id);
}

#endif
