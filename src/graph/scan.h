/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pass over the image, for the files that make it: scan.c runs it and puts
 * the result together, scan_page.c knows what a page holds, scan_word.c turns
 * words into references.
 */
#ifndef KML_GRAPH_SCAN_H
#define KML_GRAPH_SCAN_H

#include "graph/graph.h"
#include "graph/mempool.h"

#define CHUNK_PAGES 1024u
#define BATCH_PAGES 64u

struct raw_edge {
	uint32_t from;
	struct graph_edge edge;
	uint32_t at; /* struct graph.at */
};

/* What a chunk could not read. */
enum gap {
	GAP_SLAB,
	GAP_SECOND,
	GAP_TORN,
	GAP_BLOCK,
	GAP_MAPPED,
	GAP_VMEMMAP,
	GAP_LARGE_SLAB,
	GAPS,
};
struct chunk {
	VEC(struct raw_edge) edges;
	VEC(struct graph_disregarded) disregarded;
	VEC(struct mempool_word) mempools;
	struct graph_statistics statistics;
	uint64_t gaps[GAPS];
	uint64_t gap_va[GAPS];
	bool nomem;
};

struct thread {
	struct image_reader *reader;
	char *buf; /* BATCH_PAGES pages, 8-byte aligned */
};

struct scan {
	struct kernel *kernel;
	const struct heap *heap;
	struct chunk *chunks;
	struct thread *threads;
	uint64_t *has_rule;      /* by id */
	uint32_t *roots_by_pa;   /* indices of sections and reserved ranges */
	size_t n_roots_by_pa;
	uint32_t first_percpu_root;
	bool precise, offsets; /* as of graph_scan() */
	uint64_t **pointer_words; /* by cache; NULL: its objects' type is not
				     known */
	uint64_t owner_to_waiters; /* words from a lock's owner to its list of
				      waiters; 0: unknown */
	struct mempools mempools;
	uint64_t n_chunks;
	uint32_t n_objects;
	uint32_t pages_source;   /* the first source for struct pages */
};

/* ---- scan_word.c */

/* A reference that is none to itself; @at: how far into the object. */
void scan_add_edge(struct chunk *chunk, uint32_t from, uint32_t to,
		   uint64_t word, enum heap_reference how, uint32_t at);

/* How far into object @to the address @value lies; 0 where nobody asks. */
uint32_t scan_offset_in(const struct scan *scan, uint32_t to, uint64_t value,
			enum heap_reference how);

/* @n words of @from, the first of which is its @first_word'th. */
void scan_words(const struct scan *scan, struct chunk *chunk, uint32_t from,
		const uint64_t *words, uint64_t n, uint64_t first_word);

/*
 * Scan the bytes [start, end) of a buffer that begins at a page boundary as
 * the words of @from, whose byte 0 is at offset @origin of the buffer (it may
 * lie before it).  Unaligned edges are left out, as a pointer would be.
 */
void scan_bytes(const struct scan *scan, struct chunk *chunk, uint32_t from,
		const char *buf, uint64_t start, uint64_t end, int64_t origin);

/* The same around the kernel's holes; @buf_va: the address of what is in
 * @buf. */
void scan_around_holes(const struct scan *scan, struct chunk *chunk,
		       uint32_t from, const char *buf, uint64_t buf_va,
		       uint64_t start, uint64_t end, int64_t origin);

/*
 * Scan the bytes [start, end) of object @id, offsets into the object, which
 * are in @buf from @buf_start on.  What its rule excepts is cut out.
 */
void scan_object_part(const struct scan *scan, struct chunk *chunk,
		      uint32_t id, const char *buf, uint64_t buf_start,
		      uint64_t start, uint64_t end);

/* ---- scan_page.c */

/* Scan the page frames [pfn, end), a chunk of them. */
struct kml_error *scan_pages(struct scan *scan, struct thread *thread,
			     struct chunk *chunk, uint64_t pfn, uint64_t end)
	error_must_check;

#endif
