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
#include "graph/overrides.h"
#include "kernel/type.h"
#include "leak/infer_object.h"

#define MAX_ROUNDS 4u
#define MAX_CONTAINERS 64u /* that are looked at */
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

/* ---- caches */

/* Names of caches that are not their struct's; that there is one of just that
 * size is checked. */
static const struct {
	const char *cache, *type;
} conventions[] = {
	{ "filp", "file" },
	{ "inode_cache", "inode" },
	{ "sock_inode_cache", "socket_alloc" },
	{ "proc_inode_cache", "proc_inode" },
	{ "shmem_inode_cache", "shmem_inode_info" },
	{ "bdev_cache", "bdev_inode" },
	{ "ext4_inode_cache", "ext4_inode_info" },
	{ "btrfs_inode", "btrfs_inode" },
	{ "kernfs_node_cache", "kernfs_node" },
	{ "mnt_cache", "mount" },
	{ "files_cache", "files_struct" },
	{ "fs_cache", "fs_struct" },
	{ "signal_cache", "signal_struct" },
	{ "sighand_cache", "sighand_struct" },
	{ "cred_jar", "cred" },
	{ "key_jar", "key" },
	{ "radix_tree_node", "xa_node" },
	{ "skbuff_head_cache", "sk_buff" },
	{ "skbuff_fclone_cache", "sk_buff_fclones" },
	{ "TCP", "tcp_sock" },
	{ "TCPv6", "tcp6_sock" },
	{ "UDP", "udp_sock" },
	{ "UDPv6", "udp6_sock" },
	{ "RAW", "raw_sock" },
	{ "RAWv6", "raw6_sock" },
	{ "UNIX", "unix_sock" },
	{ "ip_dst_cache", "rtable" },
	{ "ip6_dst_cache", "rt6_info" },
	{ "net_namespace", "net" },
	{ "eventpoll_epi", "epitem" },
	{ "eventpoll_pwq", "eppoll_entry" },
	{ "file_lock_cache", "file_lock" },
	{ "posix_timers_cache", "k_itimer" },
	{ "blkdev_ioc", "io_context" },
	{ "request_queue", "request_queue" },
	{ "kmem_cache", "kmem_cache" },
};

/* A struct of that name that fits; 0: there is none, or several. */
static uint32_t find_fitting(const struct types *types, const char *name,
			     uint64_t most, bool exact)
{
	uint32_t first, n, found = 0, j;

	types_find(types, name, &first, &n);
	for (j = 0; j < n; j++) {
		uint32_t type = types->by_name[first + j];
		uint64_t bytes = types_get(types, type)->size;

		if (bytes > most || !bytes ||
		    (exact && align_up(bytes, 8) != align_up(most, 8)))
			continue;
		if (found)
			return 0;
		found = type;
	}
	return found;
}

static uint32_t type_of_cache(const struct inference *i, uint32_t index)
{
	const struct kernel_cache *cache = &i->kernel->caches.data[index];
	uint32_t type;
	size_t j;

	if (cache->n_users != 1 || index == i->held_out)
		return 0;
	/* What is behind the struct, as behind a mm_struct, is its own; and a
	 * task_struct ends with the part of its FPU state that the CPU has. */
	type = find_fitting(&i->out.types, cache->name,
			    2ull * cache->slot_bytes, false);
	for (j = 0; !type && j < ARRAY_SIZE(conventions); j++)
		if (!strcmp(cache->name, conventions[j].cache))
			type = find_fitting(&i->out.types, conventions[j].type,
					    cache->object_bytes, true);
	return type;
}

/* The sizes that kmalloc() has around @bytes. */
static void kmalloc_class(const struct kernel *kernel, uint64_t bytes,
			  struct infer_fit *fit)
{
	uint64_t above = UINT64_MAX, below = 0;
	size_t j;

	for (j = 0; j < kernel->caches.size; j++) {
		const struct kernel_cache *cache = &kernel->caches.data[j];

		if (!kernel_cache_is_kmalloc(cache))
			continue;
		if (cache->object_bytes < bytes)
			below = MAX(below, cache->object_bytes);
		else
			above = MIN(above, cache->object_bytes);
	}
	fit->least = below;
	fit->most = above == UINT64_MAX ? bytes : above;
}

static struct kml_error *fit_caches(struct inference *i)
{
	const struct kernel *kernel = i->kernel;
	uint32_t n = (uint32_t)kernel->caches.size, j;

	i->cache_fit = calloc(n + 1ull, sizeof(*i->cache_fit));
	i->out.cache_type = calloc(n + 1ull, sizeof(*i->out.cache_type));
	if (!i->cache_fit || !i->out.cache_type)
		return error_nomem();
	for (j = 0; j < n; j++) {
		const struct kernel_cache *cache = &kernel->caches.data[j];
		struct infer_fit *fit = &i->cache_fit[j];

		i->out.cache_type[j] = type_of_cache(i, j);
		fit->open = !i->out.cache_type[j];
		fit->most = cache->object_bytes;
		if (kernel_cache_is_kmalloc(cache) ||
		    j == i->held_out) {
			kmalloc_class(kernel, cache->object_bytes, fit);
		} else if (cache->n_users == 1) {
			fit->exact = true;
			fit->least = fit->most - MIN(fit->most, 8);
		} else {
			/* Merged if they need slots of the same size:
			 * find_mergeable() of mm/slab_common.c; alignment to
			 * cache lines counts. */
			fit->least = fit->most - MIN(fit->most, 64);
		}
	}
	return NULL;
}

/* ---- saying what an object is */

bool infer_is_open(const struct inference *i, uint32_t id)
{
	return !i->out.type[id] && heap_is_allocated(i->kernel->heap, id) &&
	       infer_fit_of(i, id).open;
}

static uint8_t add_one(uint8_t n)
{
	return n < UINT8_MAX ? n + 1 : n;
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

/* ---- votes of typed pointers */

/* Two types of what lies at one place agree if one begins with the other. */
static bool agree(const struct inference *i, uint32_t a, uint32_t b)
{
	return types_embeds(&i->out.types, a, 0, b) ||
	       types_embeds(&i->out.types, b, 0, a);
}

struct vote {
	uint32_t id, type;
	enum infer_confidence confidence;
	enum infer_reason reason;
	uint32_t from, where;
};

static void take_candidate(struct inference *i, const struct vote *vote)
{
	struct infer_said *said = &i->said[vote->id];

	said->type = vote->type;
	said->confidence = (uint8_t)vote->confidence;
	said->reason = (uint8_t)vote->reason;
	i->out.from[vote->id] = vote->from;
	i->out.where[vote->id] = vote->where;
}

static bool is_decided(const struct infer_said *said)
{
	return said->reason == INFER_REASONS;
}

static struct kml_error *count_vote(struct inference *i,
				    const struct vote *vote)
{
	uint32_t id = vote->id, cand = i->said[id].type;
	struct infer_said *said = &i->said[id];

	if (is_decided(said)) {
		if (agree(i, cand, vote->type))
			said->for_it = add_one(said->for_it);
		else
			said->against = add_one(said->against);
		return NULL;
	}
	if (!cand || (!agree(i, cand, vote->type) && said->for_it == 0)) {
		if (!cand && !vec_push(&i->touched, id))
			return error_nomem();
		take_candidate(i, vote);
		said->for_it = 1;
	} else if (agree(i, cand, vote->type)) {
		if (vote->confidence > said->confidence ||
		    types_get(&i->out.types, vote->type)->size >
			    types_get(&i->out.types, cand)->size)
			take_candidate(i, vote);
		said->for_it = add_one(said->for_it);
	} else {
		/* As in a majority vote: the next one may replace it. */
		said->for_it--;
		said->against = add_one(said->against);
	}
	return NULL;
}

/*
 * The struct among those with @type at @at that fits the object, if there is
 * just one, or one that what is in the object speaks for.
 */
static uint32_t find_container(struct inference *i, uint32_t id, uint32_t type,
			       uint32_t at)
{
	struct infer_fit fit = infer_fit_of(i, id);
	const struct infer_place *places;
	unsigned best_score = 0, n_best = 0, n_fit = 0;
	uint32_t best = 0;
	size_t n, j;

	places = infer_having_member(i, type, at, &n);
	for (j = 0; j < n && n_fit < MAX_CONTAINERS; j++) {
		struct infer_match match;
		unsigned score;

		if (infer_size(i, &fit, places[j].outer) != INFER_WHOLE ||
		    types_is_open(&i->out.types, places[j].outer))
			continue;
		n_fit++;
		match = infer_check(i, id, places[j].outer);
		if (!infer_is_plausible(&match))
			continue;
		score = 1 + match.matches;
		if (score > best_score) {
			best_score = score;
			best = places[j].outer;
			n_best = 1;
		} else if (score == best_score) {
			n_best++;
		}
	}
	return n_best == 1 && n_fit < MAX_CONTAINERS ? best : 0;
}

/* A pointer to a @type at @at of an object. */
static struct kml_error *vote_for(struct inference *i, uint32_t id,
				  uint32_t type, uint32_t at,
				  enum infer_confidence confidence,
				  enum infer_reason reason, uint32_t from,
				  uint32_t where)
{
	struct vote vote = { id, type, confidence, reason, from, where };
	struct infer_said *said = &i->said[id];
	struct infer_fit fit;

	if (!heap_is_allocated(i->kernel->heap, id) ||
	    (types_is_struct(&i->out.types, type) ?
		     infer_is_generic(i, type) : at > 0))
		return NULL;
	fit = infer_fit_of(i, id);
	if (!fit.open)
		return NULL;
	if (at) {
		if (is_decided(said)) {
			if (at < types_get(&i->out.types, said->type)->size &&
			    !types_embeds(&i->out.types, said->type, at, type))
				said->against = add_one(said->against);
			return NULL;
		}
		vote.type = find_container(i, id, type, at);
		vote.reason = INFER_BY_MEMBER;
		vote.confidence = MIN(confidence, INFER_MEDIUM);
		if (!vote.type)
			return NULL;
	}
	if (infer_size(i, &fit, vote.type) == INFER_TOO_LARGE)
		return NULL;
	return count_vote(i, &vote);
}

/* ---- following pointers */

/* What the word at @offset of a @type, @where in its source, refers to. */
static struct kml_error *follow(struct inference *i, uint32_t source,
				uint64_t where, const struct graph_edge *edge,
				uint32_t at, uint32_t type, uint64_t offset,
				enum infer_confidence confidence,
				enum infer_reason reason)
{
	bool is_array = types_get(&i->out.types, type)->kind == TYPE_POINTER;
	enum heap_reference how = graph_edge_how(edge);
	uint32_t target;
	bool overlaid;

	if (graph_edge_word(edge) == GRAPH_WORD_NONE ||
	    (how != HEAP_REF_ADDRESS && how != HEAP_REF_PERCPU))
		return NULL;
	if (at == GRAPH_AT_UNKNOWN) {
		if (how != HEAP_REF_PERCPU)
			return NULL;
		at = 0;
	}
	/* An array of pointers: all of them are alike. */
	if (!types_pointer_at(&i->out.types, type, is_array ? 0 : offset,
			      &target, &overlaid) ||
	    !target || types_get(&i->out.types, target)->kind == TYPE_FUNCTION)
		return NULL;
	if (overlaid)
		confidence = MIN(confidence, INFER_LOW);
	return vote_for(i, edge->to, target, at, confidence, reason, source,
			(uint32_t)where);
}

static struct kml_error *follow_object(struct inference *i, uint32_t id)
{
	const struct graph *graph = i->graph;
	uint64_t shift = infer_shift(i, id), j;
	enum infer_confidence confidence =
		MIN(i->out.confidence[id], INFER_HIGH);
	struct kml_error *error = NULL;

	for (j = graph->first[id]; !error && j < graph->first[id + 1]; j++) {
		const struct graph_edge *edge = &graph->edges[j];
		uint64_t offset = graph_edge_word(edge) * 8ull + shift;

		error = follow(i, id, offset, edge, graph->at[j],
			       i->out.type[id], offset, confidence,
			       INFER_BY_POINTER);
	}
	return error;
}

static struct kml_error *follow_root(struct inference *i, uint32_t source)
{
	const struct kernel_root *root =
		&i->kernel->roots.data[source - i->graph->n_objects];
	const struct graph *graph = i->graph;
	struct kml_error *error = NULL;
	uint64_t link, j;

	for (j = graph->first[source]; !error && j < graph->first[source + 1];
	     j++) {
		const struct graph_edge *edge = &graph->edges[j];
		const struct type_variable *variable;
		uint64_t va = root->start_va +
			      graph_word_offset(graph, i->kernel, source,
						graph_edge_word(edge));

		if (!kernel_root_link(i->kernel, root, va, &link))
			return NULL;
		variable = types_variable(&i->out.types, link);
		if (variable)
			error = follow(i, source, va - root->start_va, edge,
				       graph->at[j], variable->type,
				       link - variable->address, INFER_HIGH,
				       INFER_BY_VARIABLE);
	}
	return error;
}

static struct kml_error *follow_module(struct inference *i, void *arg,
				       const struct infer_module_word *word)
{
	(void)arg;
	return follow(i, word->source, word->where,
		      &i->graph->edges[word->edge], i->graph->at[word->edge],
		      word->variable->type, word->offset, INFER_HIGH,
		      INFER_BY_VARIABLE);
}

/* What was said of an object on this level comes to a decision. */
static struct kml_error *decide_candidate(struct inference *i, uint32_t id)
{
	struct infer_said *said = &i->said[id];
	enum infer_confidence confidence = said->confidence;
	enum infer_reason reason = said->reason;
	uint32_t type = said->type, container;
	struct infer_fit fit = infer_fit_of(i, id);
	struct infer_match match;

	if (is_decided(said))
		return NULL;
	said->type = 0;
	i->out.votes[id] = said->for_it;
	said->for_it = 0;
	if (infer_size(i, &fit, type) == INFER_PART) {
		container = find_container(i, id, type, 0);
		if (container) {
			type = container;
			reason = INFER_BY_MEMBER;
			confidence = MIN(confidence, INFER_MEDIUM);
		}
	}
	match = infer_check(i, id, type);
	if (!infer_is_plausible(&match))
		return NULL;
	if (said->against && confidence > INFER_LOW)
		confidence--;
	if (confidence == INFER_HIGH && i->out.votes[id] < 2 &&
	    !match.matches && match.good < 2)
		confidence = INFER_MEDIUM;
	return infer_decide(i, id, type, confidence, reason, i->out.from[id],
			    i->out.where[id]);
}

/* Until nothing new has a type. */
static struct kml_error *propagate(struct inference *i)
{
	struct kml_error *error = NULL;
	size_t from = 0, to, j;

	while (!error && (from < i->queue.size || i->touched.size)) {
		for (to = i->queue.size; !error && from < to; from++) {
			infer_ask_ahead(i, &i->queue.data[from], to - from,
					false);
			error = follow_object(i, i->queue.data[from]);
		}
		for (j = 0; !error && j < i->touched.size; j++) {
			infer_ask_ahead(i, &i->touched.data[j],
					i->touched.size - j, true);
			error = decide_candidate(i, i->touched.data[j]);
		}
		i->touched.size = 0;
	}
	i->queue.size = 0;
	return error;
}

/* ---- seeds */

/* Which areas the kernel has, vmalloc.c has read. */
static struct kml_error *seed_areas(struct inference *i)
{
	uint32_t type = find_fitting(&i->out.types, "vm_struct", UINT32_MAX,
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
		error = follow_root(i, source);
	return error ? error : infer_each_module_word(i, follow_module, NULL);
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
	return error ? error : propagate(i);
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

		if (is_decided(&i->said[id]))
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

static void inference_deinit(struct inference *i)
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
		error = fit_caches(&i);
	i.cpumask = find_fitting(&i.out.types, "cpumask", UINT32_MAX, false);
	if (!error)
		error = infer_make_index(&i);
	if (!error)
		error = infer_read_words(&i);
	if (!error)
		error = seed(&i, options);
	if (!error)
		error = propagate(&i);
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
	return id < infer->n_objects &&
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
