/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user's rules, a baseline or an age make of the graph: objects that
 * are gray whoever refers to them, objects that take several references, and
 * words whose references do not count.
 */
#ifndef KML_GRAPH_OVERRIDES_H
#define KML_GRAPH_OVERRIDES_H

#include "graph/graph.h"

/* An object that takes @need references to count as reached. */
struct override_count {
	uint32_t id, need;
};

/* Words of a source whose references do not count, or alone count. */
struct override_cut {
	uint32_t source;
	uint32_t rule;      /* whose cut it is: the caller's number */
	uint64_t start, end; /* bytes of the source */
	bool keep;          /* what lies in no such cut of the source is cut */
	bool logic;         /* also references that no word says */
};

struct overrides {
	uint64_t *gray;    /* a bit per object */
	uint64_t *black;   /* of these, a bit per object: it is not scanned */
	uint64_t *transient; /* a bit per object: gray unless it was there
				earlier; to be settled by the caller */
	uint64_t *counted; /* a bit per object: it is in counts */
	VEC(struct override_count) counts;
	VEC(struct override_cut) cuts;
};

struct kml_error *overrides_init(struct overrides *overrides,
				 const struct graph *graph) error_must_check;
void overrides_deinit(struct overrides *overrides);

struct kml_error *overrides_add_count(struct overrides *overrides, uint32_t id,
				      uint32_t need) error_must_check;

/*
 * Take the references in the cuts out of the graph, and forget the cuts.
 * @dropped, if not NULL, is called with the rule of each reference.  Sorts the
 * counts.
 */
struct kml_error *overrides_apply(struct overrides *overrides,
				  const struct kernel *kernel,
				  struct graph *graph,
				  void (*dropped)(void *arg, uint32_t rule),
				  void *arg) error_must_check;

/* How many references @id needs; 1 unless a rule says more. */
uint32_t overrides_need(const struct overrides *overrides, uint32_t id,
			size_t *index_ret);

/* The byte of a source that word @word of it begins at: words are aligned in
 * memory, an object need not be. */
uint64_t graph_word_offset(const struct graph *graph,
			   const struct kernel *kernel, uint32_t source,
			   uint32_t word);
/* Where that word is; 0: in no memory, or in each CPU's copy of a per-cpu
 * block. */
uint64_t graph_word_va(const struct graph *graph, const struct kernel *kernel,
		       uint32_t source, uint32_t word);
/* The word of an edge that stands in no memory of its source: a struct page's
 * or the kernel's logic. */
#define GRAPH_WORD_NONE ((1u << 29) - 1)

#endif
