// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The course of inference: seeds, then typed pointers to a fixed point, level
 * by level; then what resembles what has a type (infer_resemble.c), and from
 * those on once more.  The order of everything is that of object ids and
 * edges, so the result is always the same.
 */
#include "leak/infer.h"

#include <stdlib.h>
#include <string.h>

#include "base/huge.h"
#include "base/util.h"
#include "leak/infer_object.h"

#define MAX_ROUNDS 4u
#define NOBODY UINT32_MAX

const char *const infer_confidences[INFER_CONFIDENCES] = {
	[INFER_NONE] = "none",	 [INFER_LOW] = "low", [INFER_MEDIUM] = "medium",
	[INFER_HIGH] = "high",	 [INFER_KNOWN] = "known",
};

const char *const infer_reasons[INFER_REASONS] = {
	[INFER_NO_REASON] = "none",	 [INFER_BY_USER] = "user",
	[INFER_BY_CACHE] = "cache",	 [INFER_BY_KERNEL] = "kernel",
	[INFER_BY_VARIABLE] = "variable",
	[INFER_BY_POINTER] = "pointer",	 [INFER_BY_MEMBER] = "member",
	[INFER_BY_PLACE] = "place",	 [INFER_BY_SYMBOLS] = "symbols",
	[INFER_BY_SHAPE] = "shape",	 [INFER_BY_KIN] = "kin",
	[INFER_BY_MODULE] = "module", [INFER_BY_SITE] = "site",
	[INFER_BY_FIT] = "fit", [INFER_BY_GUESS] = "guess",
};

/* ---- saying what an object is */

bool infer_is_open(const struct inference *i, uint32_t id)
{
	return !i->out.type[id] && heap_is_allocated(i->kernel->heap, id) &&
	       infer_fit_of(i, id).open;
}

struct kml_error *infer_decide(struct inference *i, uint32_t id, uint32_t type,
			       enum infer_confidence confidence,
			       enum infer_reason reason, uint32_t from,
			       uint32_t where)
{
	if (i->out.type[id])
		return NULL;
	i->out.type[id] = type;
	i->out.confidence[id] = (uint8_t)confidence;
	i->out.reason[id] = (uint8_t)reason;
	i->out.from[id] = from;
	i->out.where[id] = where;
	i->out.votes[id] = MAX(i->out.votes[id], 1);
	i->said[id].type = type;
	i->said[id].reason = INFER_REASONS;
	i->said[id].for_it = i->out.votes[id];
	i->n_changes++;
	return vec_push(&i->queue, id) ? NULL : error_nomem();
}

/* ---- seeds */

/* Which areas the kernel has, vmalloc.c has read. */
static struct kml_error *seed_areas(struct inference *i)
{
	uint32_t type = infer_find_fitting(&i->out.types, "vm_struct", UINT32_MAX,
				     false);
	struct kml_error *error = NULL;
	enum heap_reference how;
	size_t j;

	for (j = 0; type && !error && j < i->kernel->areas.size; j++) {
		uint64_t va = i->kernel->areas.data[j].vm_va;
		uint32_t id = heap_resolve(i->kernel->heap, va, &how);

		if (va && id != HEAP_NONE && infer_is_open(i, id) &&
		    heap_object_va(i->kernel->heap, id) == va)
			error = infer_decide(i, id, type, INFER_KNOWN,
					     INFER_BY_KERNEL, NOBODY, 0);
	}
	return error;
}

static struct kml_error *seed(struct inference *i,
			      const struct infer_options *options)
{
	const struct heap *heap = i->kernel->heap;
	struct kml_error *error = NULL;
	uint32_t id, source;
	size_t j;

	for (j = 0; !error && j < options->n_overrides; j++)
		error = infer_decide(i, options->overrides[j].id,
				     options->overrides[j].type, INFER_KNOWN,
				     INFER_BY_USER, NOBODY, 0);
	for (j = 0; !error && j < heap->regions.size; j++) {
		const struct heap_region *r = &heap->regions.data[j];
		uint32_t type;

		if (r->kind != HEAP_SLAB || r->flags & HEAP_ALIAS)
			continue;
		type = i->out.cache_type[r->owner];
		for (id = r->first_id;
		     type && !error && id < r->first_id + r->n_objects; id++)
			if (heap_is_allocated(heap, id))
				error = infer_decide(i, id, type, INFER_KNOWN,
						     INFER_BY_CACHE, NOBODY, 0);
	}
	if (!error)
		error = seed_areas(i);
	for (source = i->graph->n_objects;
	     !error && source < i->graph->n_objects + i->kernel->roots.size;
	     source++)
		error = infer_follow_root(i, source);
	return error ? error : infer_each_module_word(i, infer_follow_module, NULL);
}

static struct kml_error *allocate(struct inference *i)
{
	size_t n = (size_t)i->graph->n_objects + 1;
	struct infer *out = &i->out;

	out->n_objects = i->graph->n_objects;
	out->type = huge_calloc(n, sizeof(*out->type));
	out->from = huge_calloc(n, sizeof(*out->from));
	out->where = huge_calloc(n, sizeof(*out->where));
	out->confidence = huge_calloc(n, 1);
	out->reason = huge_calloc(n, 1);
	out->votes = huge_calloc(n, 1);
	out->part = calloc(n / 8 + 1, 1);
	i->said = huge_calloc(n, sizeof(*i->said));
	return out->type && out->from && out->where && out->confidence &&
			       out->reason && out->votes && out->part && i->said ?
		       NULL :
		       error_nomem();
}

static struct kml_error *go(struct inference *i,
			    struct kml_error *(*way)(struct inference *),
			    bool *progress)
{
	struct kml_error *error = way(i);

	*progress |= i->queue.size > 0;
	return error ? error : infer_propagate(i);
}

/* Until nothing new has a type, or for so many @rounds. */
static struct kml_error *compare(struct inference *i, unsigned rounds)
{
	static struct kml_error *(*const ways[])(struct inference *) = {
		infer_by_symbols, infer_by_list, infer_by_place, infer_by_kin,
		infer_by_shape, infer_by_site,
	};
	/* After so many changes it found nothing: it will not do so now. */
	uint64_t in_vain[ARRAY_SIZE(ways)], before;
	struct kml_error *error = NULL;
	bool progress = true;
	size_t j;

	memset(in_vain, 0xff, sizeof(in_vain));
	while (!error && progress && rounds--) {
		progress = false;
		for (j = 0; !error && j < ARRAY_SIZE(ways); j++) {
			before = i->n_changes;
			if (in_vain[j] == before)
				continue;
			error = go(i, ways[j], &progress);
			if (i->n_changes == before)
				in_vain[j] = before;
		}
	}
	return error;
}

static struct kml_error *resemble(struct inference *i)
{
	bool progress = false;
	struct kml_error *error = compare(i, MAX_ROUNDS);

	/* The last resort, where nothing better is left to come. */
	if (!error)
		error = go(i, infer_by_own, &progress);
	return error || !progress ? error : compare(i, 1);
}

/* Later voices against what was decided early. */
static void finish(struct inference *i)
{
	uint32_t id;

	for (id = 0; id < i->out.n_objects; id++) {
		uint8_t *confidence = &i->out.confidence[id];

		if (infer_is_decided(&i->said[id]))
			i->out.votes[id] = i->said[id].for_it;
		if (*confidence > INFER_LOW && *confidence < INFER_KNOWN &&
		    i->said[id].against * 2 > i->out.votes[id])
			--*confidence;
		if (!heap_is_allocated(i->kernel->heap, id))
			continue;
		i->out.counts[*confidence]++;
		if (i->out.type[id] && i->out.reason[id] != INFER_BY_CACHE) {
			struct infer_fit fit = infer_fit_of(i, id);

			if (infer_size(i, &fit, i->out.type[id]) == INFER_PART)
				i->out.part[id / 8] |= (uint8_t)(1 << id % 8);
		}
	}
}

void inference_deinit(struct inference *i)
{
	free(i->cache_fit);
	free(i->region_words);
	free(i->region_stride);
	free(i->classes);
	free(i->said);
	free(i->generic);
	free(i->text);
	free(i->named);
	vec_deinit(&i->symbols);
	vec_deinit(&i->touched);
	vec_deinit(&i->queue);
	vec_deinit(&i->index.pointers);
	vec_deinit(&i->index.members);
}

struct kml_error *infer_run(struct kernel *kernel, const struct graph *graph,
			    struct types *types,
			    const struct infer_options *options,
			    struct infer *ret)
{
	struct inference i = {
		.kernel = kernel, .graph = graph, .options = options,
		.held_out = options->held_out,
	};
	struct kml_error *error;

	i.out.types = *types;
	types_init(types);
	error = graph->at ? allocate(&i) :
			    error_new(KML_ERR_ARGUMENT,
				      "the graph was made without offsets");
	if (!error)
		error = infer_fit_caches(&i);
	i.cpumask = infer_find_fitting(&i.out.types, "cpumask", UINT32_MAX, false);
	if (!error)
		error = infer_make_index(&i);
	if (!error)
		error = infer_read_words(&i);
	if (!error)
		error = seed(&i, options);
	if (!error)
		error = infer_propagate(&i);
	if (!error)
		error = resemble(&i);
	if (!error)
		finish(&i);
	inference_deinit(&i);
	if (error)
		infer_deinit(&i.out);
	else
		*ret = i.out;
	return error;
}

void infer_deinit(struct infer *infer)
{
	types_deinit(&infer->types);
	free(infer->type);
	free(infer->confidence);
	free(infer->reason);
	free(infer->votes);
	free(infer->from);
	free(infer->where);
	free(infer->part);
	free(infer->cache_type);
	memset(infer, 0, sizeof(*infer));
}

bool infer_is_known(const struct infer *infer, uint32_t id)
{
	return infer && id < infer->n_objects &&
	       infer->confidence[id] >= INFER_MEDIUM &&
	       !(infer->part[id / 8] >> id % 8 & 1);
}

uint32_t infer_beyond_cache(const struct infer *infer, uint32_t id)
{
	return infer_is_known(infer, id) &&
			       infer->reason[id] != INFER_BY_CACHE ?
		       infer->type[id] :
		       0;
}

uint64_t infer_bytes(const struct infer *infer, uint32_t id)
{
	return types_get(&infer->types, infer->type[id])->size;
}

bool infer_member(const struct infer *infer, uint32_t id, uint64_t offset,
		  char *ret, size_t bytes)
{
	return id < infer->n_objects && infer->type[id] &&
	       types_path(&infer->types, infer->type[id], offset, ret, bytes);
}
