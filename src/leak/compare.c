// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/compare.h"

#include <stdlib.h>

#include "base/util.h"
#include "graph/overrides.h"
#include "leak/leak.h"
#include "leak/seen.h"

struct compare {
	struct kernel *kernel;
	const struct graph *graph;
	const uint64_t *reached;
	const struct kmemleak *kmemleak;
	struct comparison *out;
	struct seen_index index;
	uint32_t *record_of; /* by id */
	uint64_t *tracked;   /* by slab cache: it has a record of some object */
	/* Entries whose reason is a word, by id. */
	uint64_t *wanted;
	uint32_t *slot; /* index into out->entries */
	struct profile_member refcount; /* of a struct page */
	bool has_refcount;
};

/* ---- verdicts */

static enum compare_theirs their_verdict(const struct compare *c, uint32_t i)
{
	const struct kmemleak_record *r;

	if (i == HEAP_NONE)
		return THEIRS_UNTRACKED;
	r = &c->kmemleak->records.data[i];
	if (kmemleak_is_reported(c->kmemleak, r))
		return THEIRS_REPORTED;
	switch (kmemleak_color(r)) {
	case KMEMLEAK_WHITE:
		return THEIRS_WHITE;
	case KMEMLEAK_BLACK:
		return THEIRS_BLACK;
	default:
		return THEIRS_GRAY;
	}
}

static enum compare_ours our_verdict(const struct compare *c, uint32_t id)
{
	const struct heap *heap = c->kernel->heap;

	if (bitmap_test(heap->free, id))
		return OURS_FREE;
	if (!heap_is_allocated(heap, id))
		return OURS_DOUBT;
	return bitmap_test(c->reached, id) ? OURS_LIVE : OURS_LEAKED;
}

/* Which record is of which object; of several the one at its start. */
static void match_records(struct compare *c)
{
	const struct heap *heap = c->kernel->heap;
	uint32_t i, id;

	for (i = 0; i < c->kmemleak->records.size; i++) {
		const struct kmemleak_record *r = &c->kmemleak->records.data[i];

		id = kmemleak_object_id(c->kernel, r);
		if (id == HEAP_NONE) {
			c->out->counts[OURS_UNKNOWN][their_verdict(c, i)]++;
			continue;
		}
		if (c->record_of[id] == HEAP_NONE ||
		    heap_object_va(heap, id) == r->pointer)
			c->record_of[id] = i;
		if (heap_region_of(heap, id)->kind == HEAP_SLAB)
			bitmap_set(c->tracked, heap_region_of(heap, id)->owner);
	}
}

static struct kml_error *add_entry(struct compare *c, uint32_t id,
				   uint32_t record, enum compare_ours ours,
				   enum compare_theirs theirs)
{
	struct compare_entry entry = {
		.id = id,
		.record = record,
		.ours = (uint8_t)ours,
		.theirs = (uint8_t)theirs,
	};

	entry.va = id != HEAP_NONE ?
			   heap_object_va(c->kernel->heap, id) :
			   c->kmemleak->records.data[record].pointer;
	return vec_push(&c->out->entries, entry) ? NULL : error_nomem();
}

static struct kml_error *collect(struct compare *c)
{
	struct kml_error *error = NULL;
	uint32_t i;

	for (i = 0; !error && i < c->graph->n_objects; i++) {
		enum compare_theirs theirs = their_verdict(c, c->record_of[i]);
		enum compare_ours ours = our_verdict(c, i);

		if (ours == OURS_FREE && theirs == THEIRS_UNTRACKED)
			continue;
		c->out->counts[ours][theirs]++;
		if (ours == OURS_LEAKED || theirs == THEIRS_REPORTED)
			error = add_entry(c, i, c->record_of[i], ours, theirs);
	}
	for (i = 0; !error && i < c->kmemleak->records.size; i++) {
		if (their_verdict(c, i) == THEIRS_REPORTED &&
		    kmemleak_object_id(c->kernel,
				       &c->kmemleak->records.data[i]) ==
			    HEAP_NONE)
			error = add_entry(c, HEAP_NONE, i, OURS_UNKNOWN,
					  THEIRS_REPORTED);
	}
	return error;
}

/* ---- reasons that the object itself tells */

static enum compare_reason why_untracked(const struct compare *c, uint32_t id)
{
	const struct heap_region *region = heap_region_of(c->kernel->heap, id);

	switch (region->kind) {
	case HEAP_PAGES:
	case HEAP_VMAP:
	case HEAP_IOREMAP:
		return REASON_KIND;
	case HEAP_PERCPU:
		return c->kmemleak->tracks_percpu ? REASON_NO_RECORD :
						    REASON_PERCPU;
	case HEAP_SLAB:
		return bitmap_test(c->tracked, region->owner) ?
			       REASON_NO_RECORD :
			       REASON_CACHE;
	default:
		return REASON_NO_RECORD;
	}
}

/* Why kmemleak does not report what we do; REASON_GONE: a word has to tell. */
static enum compare_reason why_not_theirs(const struct compare *c,
					  const struct compare_entry *entry)
{
	const struct kmemleak_record *r;

	if (entry->theirs == THEIRS_UNTRACKED)
		return why_untracked(c, entry->id);
	r = &c->kmemleak->records.data[entry->record];
	if (heap_region_of(c->kernel->heap, entry->id)->kind == HEAP_PERCPU &&
	    !c->kmemleak->tracks_percpu)
		return REASON_PERCPU;
	if (entry->theirs == THEIRS_BLACK)
		return REASON_IGNORED;
	if (entry->theirs == THEIRS_WHITE)
		return kmemleak_is_old(c->kmemleak, r) ? REASON_UNCONFIRMED :
							 REASON_YOUNG;
	return r->min_count ? REASON_GONE : REASON_NOT_LEAK;
}

static enum compare_reason first_reason(const struct compare *c,
					const struct compare_entry *entry)
{
	switch (entry->ours) {
	case OURS_LEAKED:
		return entry->theirs == THEIRS_REPORTED ?
			       REASON_NONE :
			       why_not_theirs(c, entry);
	case OURS_LIVE:
		return REASON_OWN_RULE; /* a word has to tell */
	case OURS_FREE:
		return REASON_FREED;
	case OURS_DOUBT:
		return REASON_DOUBT;
	default:
		return REASON_NOT_FOUND;
	}
}

static void reason_all(struct compare *c)
{
	uint32_t i;

	for (i = 0; i < c->out->entries.size; i++) {
		struct compare_entry *entry = &c->out->entries.data[i];

		entry->reason = (uint8_t)first_reason(c, entry);
		if (entry->reason == REASON_GONE ||
		    entry->reason == REASON_OWN_RULE) {
			bitmap_set(c->wanted, entry->id);
			c->slot[entry->id] = i;
		}
	}
}

/* ---- reasons that a word tells */

static uint64_t first_cpu_offset(const struct kernel *kernel)
{
	unsigned cpu;

	for (cpu = 0; cpu < kernel->n_cpus; cpu++) {
		if (kernel->cpu_offset[cpu])
			return kernel->cpu_offset[cpu];
	}
	return 0;
}

static struct compare_word object_word(const struct compare *c, uint32_t id,
				       uint32_t word)
{
	const struct heap *heap = c->kernel->heap;
	struct compare_word ret = { .owner = id, .place = PLACE_OBJECT };

	if (word == GRAPH_WORD_NONE) {
		ret.place = PLACE_STRUCT_PAGE;
		return ret;
	}
	ret.va = heap_object_va(heap, id) +
		 graph_word_offset(c->graph, c->kernel, id, word);
	if (heap_region_of(heap, id)->kind == HEAP_PERCPU)
		ret.va += first_cpu_offset(c->kernel);
	return ret;
}

static struct compare_word page_word(const struct compare *c, uint32_t source,
				     uint32_t word)
{
	const struct kernel *kernel = c->kernel;
	uint64_t range = source - c->graph->n_objects - kernel->roots.size;
	uint64_t pfn = (range << GRAPH_PAGES_SHIFT) +
		       word / (kernel->page_struct_bytes / 8);

	return (struct compare_word){
		.va = kernel->vmemmap_va + pfn * kernel->page_struct_bytes,
		.owner = HEAP_NONE,
		.place = PLACE_STRUCT_PAGE,
	};
}

/* Where a word of the graph lies. */
static struct compare_word word_of(const struct compare *c, uint32_t source,
				   uint32_t word, enum heap_reference how)
{
	uint32_t root = graph_source_root(c->graph, c->kernel, source);
	struct compare_word ret;

	if (source < c->graph->n_objects) {
		ret = object_word(c, source, word);
	} else if (root == UINT32_MAX) {
		ret = page_word(c, source, word);
	} else {
		const struct kernel_root *r = &c->kernel->roots.data[root];
		bool stack = r->kind == ROOT_STACK;

		ret = (struct compare_word){
			.va = r->start_va + graph_word_offset(c->graph,
							      c->kernel, source,
							      word),
			.owner = stack ? r->owner : root,
			.place = stack ? PLACE_STACK : PLACE_ROOT,
		};
	}
	ret.source = source;
	ret.word = word;
	ret.how = (uint8_t)how;
	return ret;
}

/* kmemleak scans the struct pages of pages with references. */
static enum seen seen_struct_page(const struct compare *c, uint64_t va)
{
	struct kml_error *error;
	uint64_t refcount = 0;

	if (!c->has_refcount || !va)
		return SEEN;
	error = kernel_read_uint(c->kernel, va + c->refcount.offset, 4,
				 &refcount);
	kml_error_destroy(error);
	return refcount ? SEEN : SEEN_NO_RECORD;
}

static enum seen seen_place(const struct compare *c,
			    const struct compare_word *word)
{
	uint8_t kind;

	switch (word->place) {
	case PLACE_STACK:
		return SEEN;
	case PLACE_STRUCT_PAGE:
		return seen_struct_page(c, word->va);
	case PLACE_ROOT:
		kind = c->kernel->roots.data[word->owner].kind;
		if (kind == ROOT_REGISTERS || kind == ROOT_CODE)
			return SEEN_NO_RECORD;
		return seen_word(&c->index, word->va);
	default:
		return seen_word(&c->index, word->va);
	}
}

/* Why kmemleak does not count a word that holds the object for us. */
static enum compare_reason why_not_counted(const struct compare *c,
					   const struct compare_entry *entry,
					   const struct compare_word *word)
{
	if (word->how != HEAP_REF_ADDRESS &&
	    (word->how != HEAP_REF_PERCPU || !c->kmemleak->tracks_percpu))
		return REASON_ENCODED;
	switch (seen_place(c, word)) {
	case SEEN_NO_RECORD:
		return REASON_UNTRACKED_HOLDER;
	case SEEN_NO_SCAN:
		return REASON_UNSCANNED_HOLDER;
	case SEEN_NOT_AREA:
		return REASON_OUTSIDE_AREAS;
	case SEEN_WHITE:
		return REASON_WHITE_HOLDER;
	default:
		return c->kmemleak->records.data[entry->record].min_count > 1 ?
			       REASON_MIN_COUNT :
			       REASON_SINCE;
	}
}

/* A mapping and its vm_struct always refer to each other. */
static bool is_own_vm_struct(const struct compare *c, uint32_t source,
			     uint32_t id)
{
	const struct heap_region *region = heap_region_of(c->kernel->heap, id);
	uint64_t va;

	if (source >= c->graph->n_objects ||
	    (region->kind != HEAP_VMALLOC && region->kind != HEAP_VMAP &&
	     region->kind != HEAP_IOREMAP))
		return false;
	va = heap_object_va(c->kernel->heap, source);
	return va == c->kernel->areas.data[region->owner].vm_va ||
	       va == c->kernel->areas.data[region->owner].area_va;
}

/* Reasons are ordered by how much they explain: the first one is taken. */
static void offer(struct compare_entry *entry, enum compare_reason reason,
		  const struct compare_word *word)
{
	if (entry->word.place != PLACE_NONE && entry->reason <= reason)
		return;
	entry->reason = (uint8_t)reason;
	entry->word = *word;
}

static void look_at_edge(struct compare *c, uint32_t source,
			 const struct graph_edge *edge)
{
	struct compare_entry *entry =
		&c->out->entries.data[c->slot[edge->to]];
	struct compare_word word = word_of(c, source, graph_edge_word(edge),
					   graph_edge_how(edge));

	if (is_own_vm_struct(c, source, edge->to))
		return;
	if (entry->ours == OURS_LIVE) {
		if (source >= c->graph->n_objects ||
		    bitmap_test(c->reached, source))
			offer(entry, why_not_counted(c, entry, &word), &word);
	} else if (word.how == HEAP_REF_ADDRESS &&
		   seen_place(c, &word) == SEEN) {
		/* All its holders are leaks, or it would be none. */
		offer(entry, REASON_HELD_BY_LEAK, &word);
	}
}

static void look_at_edges(struct compare *c)
{
	const struct graph *graph = c->graph;
	uint32_t source;
	uint64_t i;

	for (source = 0; source < graph->n_sources; source++) {
		if (source < graph->n_objects &&
		    bitmap_test(c->kernel->heap->free, source))
			continue;
		for (i = graph->first[source]; i < graph->first[source + 1];
		     i++) {
			if (bitmap_test(c->wanted, graph->edges[i].to))
				look_at_edge(c, source, &graph->edges[i]);
		}
	}
}

/* Words that are no references for us: of locks that nobody holds. */
static void look_at_disregarded(struct compare *c)
{
	size_t i;

	for (i = 0; i < c->graph->n_disregarded; i++) {
		const struct graph_disregarded *d = &c->graph->disregarded[i];
		struct compare_entry *entry;
		struct compare_word word;

		if (d->why != DISREGARD_OWNER || !bitmap_test(c->wanted, d->to))
			continue;
		entry = &c->out->entries.data[c->slot[d->to]];
		word = word_of(c, d->from, d->word, HEAP_REF_ADDRESS);
		if (entry->ours == OURS_LEAKED && seen_place(c, &word) == SEEN)
			offer(entry, REASON_STALE_WORD, &word);
	}
}

/* Words that we do not scan, for entries that nothing else explains. */
static struct kml_error *look_at_stale(struct compare *c)
{
	_cleanup_free_ struct compare_word *words =
		calloc(c->out->entries.size + 1, sizeof(*words));
	struct kml_error *error;
	uint32_t i;

	if (!words)
		return error_nomem();
	error = seen_find_stale(&c->index, c->kernel, c->graph, c->wanted,
				c->slot, words);
	for (i = 0; !error && i < c->out->entries.size; i++) {
		struct compare_entry *entry = &c->out->entries.data[i];

		if (entry->ours == OURS_LEAKED &&
		    words[i].place != PLACE_NONE)
			offer(entry, REASON_STALE_WORD, &words[i]);
	}
	return error;
}

/* ---- all of it */

static int compare_entries(const void *a, const void *b)
{
	const struct compare_entry *x = a, *y = b;

	if (x->reason != y->reason)
		return x->reason < y->reason ? -1 : 1;
	if (x->va != y->va)
		return x->va < y->va ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static struct kml_error *run(struct compare *c)
{
	struct comparison *out = c->out;
	struct kml_error *error;
	size_t i;

	match_records(c);
	error = collect(c);
	if (error)
		return error;
	reason_all(c);
	look_at_edges(c);
	look_at_disregarded(c);
	error = look_at_stale(c);
	if (error)
		return error;
	for (i = 0; i < out->entries.size; i++)
		out->reasons[out->entries.data[i].reason]++;
	if (out->entries.size)
		qsort(out->entries.data, out->entries.size,
		      sizeof(*out->entries.data), compare_entries);
	return NULL;
}

struct kml_error *compare_verdicts(struct kernel *kernel,
				   const struct graph *graph,
				   const uint64_t *reached,
				   const struct kmemleak *kmemleak,
				   struct comparison *ret)
{
	size_t n = MAX(graph->n_objects, 1);
	struct compare c = {
		.kernel = kernel,
		.graph = graph,
		.reached = reached,
		.kmemleak = kmemleak,
		.out = ret,
		.record_of = malloc(n * sizeof(*c.record_of)),
		.tracked = bitmap_alloc(kernel->caches.size),
		.wanted = bitmap_alloc(n),
		.slot = malloc(n * sizeof(*c.slot)),
	};
	struct kml_error *error = NULL;

	memset(ret, 0, sizeof(*ret));
	c.has_refcount = profile_member(kernel->profile, "page", "_refcount",
					&c.refcount);
	if (c.record_of && c.tracked && c.wanted && c.slot) {
		memset(c.record_of, 0xff, n * sizeof(*c.record_of));
		error = seen_index_init(&c.index, kernel, kmemleak);
		if (!error)
			error = run(&c);
		seen_index_deinit(&c.index);
	} else {
		error = error_nomem();
	}
	free(c.record_of);
	free(c.tracked);
	free(c.wanted);
	free(c.slot);
	if (error)
		comparison_deinit(ret);
	return error;
}

void comparison_deinit(struct comparison *comparison)
{
	vec_deinit(&comparison->entries);
}
