// SPDX-License-Identifier: GPL-2.0-or-later
/* From words to references, and which words are none. */
#include "graph/scan.h"

#include "base/util.h"

void scan_add_edge(struct chunk *chunk, uint32_t from, uint32_t to,
		   uint64_t word, enum heap_reference how, uint32_t at)
{
	struct raw_edge edge = {
		.from = from,
		.edge = { to, (uint32_t)word | (uint32_t)how << 29 },
		.at = at,
	};

	if (from == to)
		chunk->statistics.self++;
	else if (!vec_push(&chunk->edges, edge))
		chunk->nomem = true;
}

uint32_t scan_offset_in(const struct scan *scan, uint32_t to, uint64_t value,
			enum heap_reference how)
{
	uint64_t offset;

	if (!scan->offsets ||
	    (how != HEAP_REF_ADDRESS && how != HEAP_REF_PERCPU))
		return 0;
	offset = value - heap_object_va(scan->heap, to);
	/* Another address of a per-cpu block than its first CPU's. */
	return offset < UINT32_MAX ? (uint32_t)offset : GRAPH_AT_UNKNOWN;
}

static bool is_task(const struct scan *scan, uint32_t id)
{
	const struct heap_region *r = heap_region_of(scan->heap, id);

	return r->kind == HEAP_SLAB && r->owner == scan->kernel->task_cache;
}

/* Memory where physical addresses are kept: pages, and the variables of
 * modules. */
static bool has_physical(const struct scan *scan, uint32_t from)
{
	if (from < scan->n_objects) {
		uint8_t kind = heap_region_of(scan->heap, from)->kind;

		return kind != HEAP_SLAB && kind != HEAP_PERCPU;
	}
	return from < scan->pages_source &&
	       scan->kernel->roots.data[from - scan->n_objects].kind ==
		       ROOT_MODULE;
}

/* Is the word of a member that is no pointer? */
static bool is_integer(const struct scan *scan, uint32_t from, uint64_t word)
{
	const struct heap_region *r;

	if (from >= scan->n_objects)
		return false;
	r = heap_region_of(scan->heap, from);
	return r->kind == HEAP_SLAB && scan->pointer_words[r->owner] &&
	       word * 8 < r->object_bytes &&
	       !bitmap_test(scan->pointer_words[r->owner], word);
}

/*
 * Is the first of @n words that of a rw_semaphore's last reader?  It is a
 * task_struct's with RWSEM_READER_OWNED, bit 0; behind it are two locks that
 * nobody has, and the empty list of those who wait, which refers to itself
 * (buffers are aligned as pages are).  Since Linux 7.1 there is no such list.
 */
static bool is_reader(const struct scan *scan, const uint64_t *words,
		      uint64_t n)
{
	const uint64_t unaligned = 0x3c; /* of a task_struct, in a cache line */
	uint64_t list = scan->owner_to_waiters;

	return list && list + 1 < n && words[0] & 1 &&
	       !(words[0] & unaligned) && !words[1] &&
	       words[list] == words[list + 1] && words[list] >> 63 &&
	       !((words[list] ^ (uintptr_t)&words[list]) & 4095);
}

/* Until Linux 6.15 (9d7de2aa8b41) per-cpu pointers are small numbers, as times,
 * counters and inodes' numbers are. */
static bool is_small_percpu(uint64_t word, enum heap_reference how)
{
	return how == HEAP_REF_PERCPU && word <= UINT32_MAX;
}

/*
 * Is the first of @n words, which equals an address of @to, no reference to it?
 *
 * - With --precise, and for per-cpu pointers that are small numbers, the member
 *   has to be a pointer where the type is known.
 * - A lock's owner has flags in its low bits.  That of a rw_semaphore stays
 *   after the last reader has left (rwsem_set_reader_owned() of
 *   kernel/locking/rwsem.c), who may have exited long ago: his task_struct may
 *   be somebody else's memory by now.  An owner that lives is on a list of
 *   tasks.
 * - Physical addresses are kept where hardware or page tables are set up: in
 *   pages and in modules' variables.  A driver's object has the virtual one as
 *   well.  An equal word elsewhere is a number: flags and sizes in slab objects
 *   and variables, a counter of bytes in a per-cpu block, a range that firmware
 *   or memblock tells of in reserved memory.
 */
static bool disregard(const struct scan *scan, uint32_t from, uint32_t to,
		      const uint64_t *words, uint64_t n, uint64_t index,
		      enum heap_reference how, uint32_t *why)
{
	if (words[0] & 7 &&
	    (is_task(scan, to) ||
	     (how == HEAP_REF_ADDRESS && is_reader(scan, words, n))))
		*why = DISREGARD_OWNER;
	else if (how == HEAP_REF_PHYSICAL && !has_physical(scan, from))
		*why = DISREGARD_INTEGER;
	else if ((scan->precise || is_small_percpu(words[0], how)) &&
		 is_integer(scan, from, index))
		*why = DISREGARD_MEMBER;
	else
		return false;
	return true;
}

static void add_disregarded(struct chunk *chunk, uint32_t from, uint32_t to,
			    uint64_t word, uint32_t why)
{
	const struct graph_disregarded disregarded = {
		to, from, (uint32_t)word, why,
	};

	if (from != to && !vec_push(&chunk->disregarded, disregarded))
		chunk->nomem = true;
}

static void add_mempool(struct chunk *chunk, uint32_t from, uint64_t word)
{
	const struct mempool_word pool = { from, (uint32_t)word };

	if (!vec_push(&chunk->mempools, pool))
		chunk->nomem = true;
}

void scan_words(const struct scan *scan, struct chunk *chunk,
		       uint32_t from, const uint64_t *words, uint64_t n,
		       uint64_t first_word)
{
	uint64_t i;

	chunk->statistics.words += n;
	for (i = 0; i < n; i++) {
		enum heap_reference how = HEAP_REF_NONE;
		uint32_t to, why;

		if (words[i] < 4096)
			continue;
		to = heap_resolve(scan->heap, words[i], &how);
		if (to != HEAP_NONE) {
			chunk->statistics.candidates++;
			if (disregard(scan, from, to, words + i, n - i,
				      first_word + i, how, &why))
				add_disregarded(chunk, from, to,
						first_word + i, why);
			else
				scan_add_edge(chunk, from, to, first_word + i,
					      how,
					      scan_offset_in(scan, to, words[i],
							     how));
			continue;
		}
		if (how != HEAP_REF_NONE) {
			chunk->statistics.candidates++;
			chunk->statistics.misses++;
		}
		if (mempools_match(&scan->mempools, words[i]))
			add_mempool(chunk, from, first_word + i);
	}
}

void scan_bytes(const struct scan *scan, struct chunk *chunk,
		       uint32_t from, const char *buf, uint64_t start,
		       uint64_t end, int64_t origin)
{
	start = align_up(start, 8);
	end = align_down(end, 8);
	if (start < end)
		scan_words(scan, chunk, from, (const uint64_t *)(buf + start),
			   (end - start) / 8,
			   (uint64_t)((int64_t)start - origin) / 8);
}

/* ---- holes */

/* The first hole that ends above @va. */
static size_t find_hole(const struct kernel *kernel, uint64_t va)
{
	return partition_point(kernel->holes.size, mid,
			       kernel->holes.data[mid].end_va <= va);
}

void scan_around_holes(const struct scan *scan, struct chunk *chunk,
			      uint32_t from, const char *buf, uint64_t buf_va,
			      uint64_t start, uint64_t end, int64_t origin)
{
	const struct kernel *kernel = scan->kernel;
	size_t i;

	for (i = find_hole(kernel, buf_va + start);
	     i < kernel->holes.size && start < end; i++) {
		const struct kernel_hole *hole = &kernel->holes.data[i];

		if (hole->start_va >= buf_va + end)
			break;
		if (hole->start_va > buf_va + start)
			scan_bytes(scan, chunk, from, buf, start,
				   hole->start_va - buf_va, origin);
		start = hole->end_va - buf_va;
	}
	if (start < end)
		scan_bytes(scan, chunk, from, buf, start, end, origin);
}

/* ---- objects with a rule of their own */

static const struct kernel_rule *find_rule(const struct scan *scan, uint32_t id)
{
	const struct kernel *kernel = scan->kernel;
	size_t lo;

	if (!bitmap_test(scan->has_rule, id))
		return NULL;
	lo = partition_point(kernel->rules.size, mid,
			     kernel->rules.data[mid].id < id);
	return &kernel->rules.data[lo];
}

void scan_object_part(const struct scan *scan, struct chunk *chunk,
			     uint32_t id, const char *buf, uint64_t buf_start,
			     uint64_t start, uint64_t end)
{
	const struct kernel_rule *rule = find_rule(scan, id);
	int64_t origin = (int64_t)(buf_start - start);
	uint64_t cuts[6], i;

	if (!rule) {
		scan_bytes(scan, chunk, id, buf, buf_start,
			   buf_start + (end - start), origin);
		return;
	}
	if (rule->kind == SCAN_HOLES) {
		scan_around_holes(scan, chunk, id, buf,
				  heap_object_va(scan->heap, id) + start -
					  buf_start,
				  buf_start, buf_start + (end - start), origin);
		return;
	}
	if (rule->kind == SCAN_HEAD) {
		if (start < rule->skip_start)
			scan_bytes(scan, chunk, id, buf, buf_start,
				   buf_start + MIN(end, rule->skip_start) - start,
				   origin);
		return;
	}
	/* Three pieces: in front of, between and behind the two exceptions. */
	cuts[0] = start;
	cuts[1] = rule->skip_start;
	cuts[2] = rule->skip_end;
	cuts[3] = rule->skip2_end ? rule->skip2_start : end;
	cuts[4] = rule->skip2_end ? rule->skip2_end : end;
	cuts[5] = end;
	for (i = 0; i < 6; i += 2) {
		uint64_t from = MAX(cuts[i], start), to = MIN(cuts[i + 1], end);

		if (from < to)
			scan_bytes(scan, chunk, id, buf,
				   buf_start + (from - start),
				   buf_start + (to - start), origin);
	}
}
