/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel in the dump: what its own structures say was allocated.
 *
 * Each file of this room knows one subsystem and has one entry point that
 * kernel_load() calls, in the order of the declarations below.  It reads the
 * subsystem's structures, adds regions to the heap and root ranges to the
 * list of roots, and counts what it could not read (kernel_gap()).  Nothing
 * here knows of marking.
 *
 * A dump is hostile: lists are torn, sizes lie.  Every walk is bounded, and a
 * structure that cannot be believed is a gap, not an error: errors are for
 * what leaves nothing to analyse.
 */
#ifndef KML_KERNEL_KERNEL_H
#define KML_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/message.h"
#include "base/vec.h"
#include "debuginfo/profile.h"
#include "heap/heap.h"
#include "image/arch.h"
#include "image/image.h"
#include "kernel/builtin.h"

#define KERNEL_NAME_BYTES 64

/* ---- what could not be read or believed */

struct kernel_gap {
	const char *what;       /* static text: "torn slab freelist" */
	uint64_t count;
	uint64_t first_address; /* where it was seen first */
	bool unsound;           /* the verdict may be wrong because of it */
};

/* ---- page frames (page.c, page_block.c) */

enum page_class {
	PAGE_HOLE,     /* no struct page, or not in it */
	PAGE_FREE,     /* in the buddy allocator */
	PAGE_PCP,      /* free, on a per-CPU list */
	PAGE_IDLE,     /* refcount 0 and nothing explains it */
	PAGE_USER,     /* anonymous memory and page cache */
	PAGE_SLAB,     /* head or tail of a slab */
	PAGE_BLOCK,    /* head or tail of an in-use block of none of these */
	PAGE_RESERVED, /* PG_reserved: firmware, memblock, the kernel image */
	PAGE_TABLE,    /* a page table */
	PAGE_VMEMMAP,  /* holds struct pages */
	PAGE_SHADOW,   /* KASAN's, of other memory */
	PAGE_MAPPED,   /* of a vmalloc area or per-cpu unit: in mapped[] */
	PAGE_CLASSES,
};

/* The first page of a slab or of an in-use block, as its struct page says. */
struct kernel_page_head {
	uint64_t pfn;
	uint32_t n_pages;
	bool is_slab, is_compound;
	bool is_split; /* looks like a later page of a split allocation */
	bool may_be_split; /* looks like one, and like any other page */
	bool is_large; /* of kmalloc(), for what no cache is large enough for */
	bool is_unknown; /* a slab that could not be made sense of */
};

/* A mapped page that holds struct pages; index: its number in the vmemmap. */
#define KERNEL_VMEMMAP_REGION (HEAP_NONE - 1)

/* A page that is reached by an address other than its direct-map one. */
struct kernel_mapped {
	uint64_t pfn;
	uint32_t region; /* vmalloc area or per-cpu unit */
	uint32_t index;  /* page number in the region */
};

/* ---- slab caches (slab.c) */

struct kernel_cache {
	uint64_t va;             /* of the struct kmem_cache */
	char name[KERNEL_NAME_BYTES];
	uint32_t slot_bytes;     /* kmem_cache.size */
	uint32_t object_bytes;   /* kmem_cache.object_size */
	uint32_t free_offset;    /* of the free pointer in an object */
	uint32_t pad_bytes;      /* red_left_pad */
	uint64_t random;         /* of CONFIG_SLAB_FREELIST_HARDENED, or 0 */
	uint32_t slab_objects;   /* of a new slab; older ones may differ */
	uint32_t slab_pages;
	uint32_t n_users;        /* kmem_cache.refcount: merged if above 1 */
	uint64_t n_slabs, n_objects, n_pages;
	uint64_t n_node_free;    /* free objects that /proc/slabinfo counts as
				    free: of slabs on the nodes' lists */
	uint64_t n_node_slabs;   /* that the nodes count; 0: they do not */
	bool listed;             /* on slab_caches */
	bool doubtful;           /* some of its objects may be free, though they
				    are on no list that could be read */
	/* Of slabs with HEAP_NO_SCAN this part of each object is scanned all
	 * the same: links to what is none of its business. */
	uint16_t link_start, link_end;
	uint32_t track_offset;   /* from an object to who allocated it
				    (track.h); 0: not recorded */
	uint32_t orig_size_offset; /* from an object to the 4 bytes that say how
				    many were asked for; 0: not recorded */
};

struct kernel_slab {
	uint64_t freelist;   /* head: the first free object, plain */
	uint64_t cpu_freelist; /* of the CPU that has it as its slab, or 0 */
	uint32_t region;
	uint16_t inuse;
	uint16_t objects;
	bool known; /* the states of its objects are set */
	bool moving; /* on its way to a CPU, which has its freelist in a
			register */
};

/* Where a kmem_cache has what it keeps by NUMA node: an array in it. */
struct kernel_nodes {
	struct profile_member node; /* kmem_cache_node * of the first element */
	struct profile_member barn; /* node_barn * of the first element, if it
				       is not in the kmem_cache_node */
	uint64_t bytes, n;          /* of an element; elements */
	bool has_barn;
};

/* ---- objects of KFENCE (kfence.c): each is a slab of its own */

struct kernel_kfence {
	uint64_t page_va, va, bytes;
	uint64_t cache_va; /* that it would be of */
	uint64_t metadata_va;
	bool allocated;    /* otherwise it has been freed... */
	bool waiting;      /* ... and waits for RCU */
};

/* ---- vmalloc areas (vmalloc.c) */

struct kernel_area {
	uint64_t start_va, end_va; /* with the guard page */
	uint64_t area_va;   /* of the struct vmap_area */
	uint64_t vm_va;     /* of the struct vm_struct, 0 if it has none */
	uint64_t caller;    /* return address; 0 if unknown */
	uint64_t flags;     /* vm_struct.flags */
	uint64_t phys_pa;   /* ioremap */
	uint64_t pages_va;  /* vm_struct.pages */
	uint32_t n_pages;   /* vm_struct.nr_pages */
	uint64_t requested; /* bytes that were asked for; 0: not recorded */
	uint32_t region;    /* HEAP_NONE: not an object: per-cpu chunk, torn */
	bool is_stack;
};

/* ---- per-cpu chunks (percpu.c): where their structs are */

struct kernel_pcpu_chunk {
	uint64_t va;
	uint64_t base, start, end; /* of the chunk and of what it hands out, as
				      offsets in a unit of the region */
	uint32_t owner;            /* of its region; the first ones share it */
};

/* ---- tasks (task.c) */

struct kernel_task {
	uint64_t va;
	uint64_t stack_va; /* lowest address */
	uint64_t sp;       /* first live word; stack_va + size if none is */
	uint32_t pid;
	char comm[16];
	bool on_cpu;
};

/* ---- modules (module.c) */

struct kernel_module {
	uint64_t va;
	char name[KERNEL_NAME_BYTES];
	uint64_t base_va, bytes; /* the part with its text */
	uint64_t symtab_va, strtab_va;
	uint32_t n_symbols;
	uint64_t part_va[8]; /* where each piece of its memory starts */
	uint64_t part_bytes[8];
	uint64_t part_text_bytes[8]; /* of its beginning */
	unsigned n_parts;
	uint64_t percpu;     /* per-cpu pointer of its variables; 0: none */
};

/* ---- roots */

enum root_kind {
	ROOT_SECTION,   /* .data, .bss, ... of the kernel image */
	ROOT_PERCPU,    /* static per-cpu area of one CPU */
	ROOT_MODULE,    /* writable memory of a module */
	ROOT_RESERVED,  /* pages of memblock and firmware */
	ROOT_STACK,     /* a task's stack; owner: index of the task */
	ROOT_IRQ_STACK, /* live part of an interrupt stack; owner: CPU */
	ROOT_REGISTERS, /* owner: CPU */
	ROOT_CODE,      /* pointers that were patched into code */
	ROOT_KINDS,
};

/*
 * A range whose words hold objects.  The pages of sections, per-cpu areas and
 * reserved memory are met by the pass over the image: those have start_pa (for
 * a per-cpu area its first page's).  Stacks are read by virtual address.
 */
struct kernel_root {
	uint8_t kind; /* enum root_kind */
	uint32_t owner;
	uint64_t start_va;
	uint64_t start_pa;
	uint64_t bytes;
	char name[32];
};

/* A range that is not scanned, as its words are known to hold nothing: stacks
 * inside the per-cpu area, contents of objects that their owner has done with.
 * Sorted and disjoint once loaded. */
struct kernel_hole {
	uint64_t start_va, end_va;
};

/* How an object is scanned, where not word by word (rules of the kernel, not
 * of the user).  Sorted by id. */
enum scan_rule {
	SCAN_SKIP_RANGE, /* not the words in [skip_start, skip_end) nor those
			    in [skip2_start, skip2_end) */
	SCAN_HEAD,       /* only the first skip_start bytes */
	SCAN_HOLES,      /* not what lies in kernel.holes */
};
struct kernel_rule {
	uint32_t id;
	uint32_t kind; /* enum scan_rule */
	uint32_t skip_start, skip_end, skip2_start, skip2_end;
};

/* A reference that no word in memory says, but the kernel's logic does. */
struct kernel_edge {
	uint32_t from, to; /* object ids; from HEAP_NONE: from the code */
};

/* What a variable points to the start of (behind.h). */
struct kernel_start {
	uint64_t va, end_va;
	uint64_t variable_va;
};

struct kernel {
	struct image *image;
	struct profile *profile;
	struct messenger *messenger;
	struct heap *heap;
	unsigned n_threads;
	enum kml_stack stack_mode;

	const struct arch *arch;
	uint64_t kaslr_offset;
	uint64_t image_va; /* of the kernel image's mapping; modules_va ends it */
	uint64_t direct_va, direct_end_va;
	uint64_t vmalloc_va, vmalloc_end_va;
	uint64_t modules_va, modules_end_va;
	uint64_t vmemmap_va;
	uint64_t page_struct_bytes;
	unsigned n_cpus;            /* possible ones: nr_cpu_ids */
	uint64_t *cpu_offset;       /* __per_cpu_offset[], 0: not possible */
	const struct image_regs **cpu_regs; /* of each; NULL: not known */
	uint64_t percpu_start;      /* __per_cpu_start, run-time */

	char release[65], version[65], machine[65], node[65];
	uint8_t *page_class;        /* enum page_class by pfn */
	uint16_t page_words[PAGE_CLASSES]; /* which words of a struct page are
					      pointers worth following: a bit
					      per word, by class */
	uint16_t later_page_words;  /* the same of PAGE_BLOCK's pages behind the
				      first */
	unsigned mapping_word;      /* which one page.mapping is */
	unsigned slab_rcu_word;     /* which one the link of a slab's rcu_head */
	uint64_t rcu_free_slab;     /* the function behind it if the slab waits
				       for RCU; 0: unknown */
	uint64_t *stale_lru;        /* bit by pfn: not so those of page.lru */
	uint16_t lru_words;         /* a bit per word of a struct page */
	uint64_t end_pfn;
	uint64_t page_count[PAGE_CLASSES];

	VEC(struct kernel_gap) gaps;
	VEC(struct kernel_cache) caches;
	VEC(struct kernel_slab) slabs;  /* sorted by region */
	VEC(struct kernel_page_head) heads; /* while loading */
	VEC(struct kernel_kfence) kfence;
	uint64_t kfence_va, kfence_pages; /* the pool; 0, 0: there is none */
	VEC(struct kernel_mapped) mapped; /* sorted by pfn once loaded */
	VEC(struct kernel_area) areas;
	VEC(struct kernel_pcpu_chunk) pcpu_chunks;
	bool areas_torn; /* there are more */
	VEC(struct kernel_task) tasks;
	VEC(struct kernel_module) modules;
	struct symbol_index *symbols;   /* of these, once there is a question
					   (symbol.c) */
	VEC(struct kernel_root) roots;
	VEC(struct kernel_hole) holes;
	VEC(struct kernel_rule) rules;
	VEC(struct kernel_edge) edges;
	uint64_t n_callbacks; /* of RCU that were looked at so far */
	VEC(uint64_t) walked_pgds; /* sorted: top-level page tables */

	uint64_t builtin_uses[BUILTIN_RULES]; /* how often each was applied */

	struct kernel_symbol_memo *symbol_memo; /* of symbol.c */
	/* Yes or no that contents of objects say, in the order of the questions
	 * (leak/anchor_answer.c): a snapshot has the answers, not the
	 * contents. */
	struct {
		bool record, replay;
		size_t next;
		VEC(uint8_t) all;
	} answers;

	/* For behind.h, at the first question: sorted and disjoint. */
	bool starts_known;
	VEC(struct kernel_start) starts;

	/* For boot.h: computed once. */
	bool boot_known, has_boot;
	uint64_t boot;

	/* For track.h. */
	struct profile_member track_addr, track_when, track_pid, track_cpu;
	struct profile_member track_handle, track_addrs; /* one of them, or
							    size 0 */
#define KERNEL_TRACK_BYTES 256
	uint64_t track_bytes;
	uint64_t jiffies; /* at the dump; 0: unknown */
	unsigned hz;      /* jiffies per second; 0: unknown */
	uint64_t clock_ns; /* of local_clock(), since boot; 0: unknown */

	/* Totals for `caches`. */
	uint64_t percpu_chunks, percpu_units_bytes, percpu_populated_pages;
	uint64_t thread_bytes; /* THREAD_SIZE */
	uint32_t task_cache;   /* of struct task_struct alone: index into caches,
				  or HEAP_NONE */
};

/*
 * Load all of it.  @heap is filled and sealed.  The image, the profile and
 * the messenger stay the caller's and must outlive the kernel.
 */
struct kml_error *kernel_load(struct kernel *kernel, struct image *image,
			      struct profile *profile,
			      struct messenger *messenger, struct heap *heap,
			      unsigned n_threads, enum kml_stack stack_mode)
	error_must_check;
void kernel_deinit(struct kernel *kernel);

/* ---- for the files of this room, and for what stands on it */

/* Count a gap, or @n of them; @what is static text. */
void kernel_gap(struct kernel *kernel, const char *what, uint64_t address,
		bool unsound);
void kernel_gaps(struct kernel *kernel, const char *what, uint64_t address,
		 bool unsound, uint64_t n);

/* How many so far: it grows when something is incomplete. */
uint64_t kernel_count_gaps(const struct kernel *kernel);

/* Destroy an error of reading @address, counting it as a gap @what; out of
 * memory and I/O errors are handed back. */
struct kml_error *kernel_forgive(struct kernel *kernel, struct kml_error *error,
				 const char *what, uint64_t address)
	error_must_check;

/* Run-time address of a symbol; KML_ERR_DEBUGINFO if there is none. */
struct kml_error *kernel_symbol(const struct kernel *kernel, const char *name,
				uint64_t *ret) error_must_check;
bool kernel_has_symbol(const struct kernel *kernel, const char *name,
		       uint64_t *ret);

/* The layout of kmem_cache's nodes (slab_node.c). */
struct kml_error *kernel_load_slab_nodes(struct kernel *kernel,
				    struct kernel_nodes *ret) error_must_check;

/* A member that the analysis cannot do without; KML_ERR_DEBUGINFO. */
struct kml_error *kernel_member(const struct kernel *kernel, const char *type,
				const char *path, struct profile_member *ret)
	error_must_check;
/* Several of them: a table, closed by an entry without a type. */
struct kernel_need {
	const char *type, *path;
	struct profile_member *ret;
};
struct kml_error *kernel_members(const struct kernel *kernel,
				 const struct kernel_need *needs)
	error_must_check;
struct kml_error *kernel_type_size(const struct kernel *kernel,
				   const char *type, uint64_t *ret)
	error_must_check;

/* Read an integer of 1, 2, 4 or 8 bytes, zero-extended. */
struct kml_error *kernel_read_uint(struct kernel *kernel, uint64_t va,
				   unsigned bytes, uint64_t *ret)
	error_must_check;
struct kml_error *kernel_read_u64(struct kernel *kernel, uint64_t va,
				  uint64_t *ret) error_must_check;
/* A member of a structure that was read whole into @buf. */
uint64_t kernel_get(const void *buf, const struct profile_member *member);
/* A NUL-terminated string, cut to @bytes - 1; unprintable bytes become '?'. */
struct kml_error *kernel_read_string(struct kernel *kernel, uint64_t va,
				     char *ret, size_t bytes) error_must_check;

/*
 * Walk a list_head: @entry gets the address of each node but the head.
 * Stops at @max nodes, at a node that does not point back, and when @entry
 * returns an error; the first two are counted as a gap @what.
 */
typedef struct kml_error *kernel_entry_fn(struct kernel *kernel, void *arg,
					  uint64_t node_va);
struct kml_error *kernel_walk_list(struct kernel *kernel, uint64_t head_va,
				   uint64_t max, const char *what,
				   kernel_entry_fn *entry, void *arg)
	error_must_check;

/* A kernel virtual address of the direct map? */
static inline bool kernel_is_direct(const struct kernel *kernel, uint64_t va)
{
	return (va - kernel->direct_va) >> 12 < kernel->end_pfn;
}

/*
 * Have the object that starts at @va scanned by @rule, whose id is filled in.
 * No object starts there: no rule, so that all of what is there is scanned.
 */
struct kml_error *kernel_add_rule(struct kernel *kernel, uint64_t va,
				  struct kernel_rule rule) error_must_check;

/*
 * Leave [@va, @va + @bytes) out of the scan, be it of a root, of an object that
 * is in the heap by now, or of a per-cpu unit; other words count as ever.
 */
struct kml_error *kernel_add_hole(struct kernel *kernel, uint64_t va,
				  uint64_t bytes) error_must_check;
/* The same if one object has all of it: what says so may lie. */
struct kml_error *kernel_add_hole_within(struct kernel *kernel, uint64_t va,
					 uint64_t bytes) error_must_check;
/* The same for all of the object that starts at @va. */
struct kml_error *kernel_add_dead_object(struct kernel *kernel, uint64_t va)
	error_must_check;

/* Once all are there; rules that contradict each other go. */
void kernel_sort_rules(struct kernel *kernel);

/* The page frames that the kernel image is loaded into, the end excluded. */
struct kml_error *kernel_image_pfns(struct kernel *kernel, uint64_t *start_ret,
				    uint64_t *end_ret) error_must_check;

/* Take a page out of the page allocator's blocks: it is explained. */
void kernel_claim_page(struct kernel *kernel, uint64_t pfn,
		       enum page_class class);

/*
 * The pages of a mapping belong to region @region, which starts at @region_va:
 * claim them and note where the pass over the image will meet them.
 */
struct kml_error *kernel_map_pages(struct kernel *kernel, uint32_t region,
				   uint64_t region_va, uint64_t va,
				   uint64_t pa, uint64_t bytes)
	error_must_check;

void kernel_sort_mapped(struct kernel *kernel); /* once all are there */

/* ---- entry points, in the order of kernel_load() */

struct kml_error *kernel_load_pages(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_kfence(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_slabs(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_percpu(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_vmalloc(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_task_tables(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_shadow(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_blocks(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_dircache(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_vmaps(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_kmemleak(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_stackdepot(struct kernel *kernel)
	error_must_check;
struct kml_error *kernel_load_page_ext(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_sections(struct kernel *kernel) error_must_check;
/* From here on the heap is sealed: no more regions, only flags and states. */
struct kml_error *kernel_mark_kfence(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_quarantine(struct kernel *kernel)
	error_must_check;
struct kml_error *kernel_load_rcu(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_sheaves(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_requests(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_kernfs(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_batches(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_net(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_percpu_refs(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_stale(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_modules(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_tasks(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_page_tables(struct kernel *kernel) error_must_check;
struct kml_error *kernel_load_reserved(struct kernel *kernel) error_must_check;

/*
 * Call @object for each allocated object of the cache that the kernel's
 * variable @cache_symbol points to.  For caches that other structures must be
 * read from before the pass over the image decides about all objects.
 */
typedef struct kml_error *kernel_object_fn(struct kernel *kernel, void *arg,
					   uint64_t va);
struct kml_error *kernel_for_each_object(struct kernel *kernel,
					 const char *cache_symbol,
					 kernel_object_fn *object, void *arg)
	error_must_check;

/* The link-time address of a word of a root; false: of none with variables. */
bool kernel_root_link(const struct kernel *kernel,
		      const struct kernel_root *root, uint64_t va,
		      uint64_t *ret);

/* The loaded module of that name: its index; UINT32_MAX: there is none. */
uint32_t kernel_find_module(const struct kernel *kernel, const char *name);

/* The area that an address lies in, NULL if none. */
struct kernel_area *kernel_find_area(const struct kernel *kernel, uint64_t va);

#endif
